"""Outputs that an activation of hidden layers has cut off: a relu or a tanh, or one before another."""

from __future__ import annotations

import math
from collections.abc import Iterator

from lintkeras.checks.heads import BOUNDED, Pair, every, heads, pairs, rule_of
from lintkeras.checks.output_words import (
    left_out,
    of_units,
    other_activation,
    place,
    place_of_loss,
    unsafe,
    where_made,
)
from lintkeras.checks.registry import Context, check
from lintkeras.findings import Finding, Note, Severity
from lintkeras.meaning.outputs import Loss, Output

_RANGES = {
    "relu": (0.0, math.inf), "relu6": (0.0, 6.0), "sigmoid": (0.0, 1.0), "softmax": (0.0, 1.0),
    "hard_sigmoid": (0.0, 1.0), "tanh": (-1.0, 1.0), "softsign": (-1.0, 1.0),
    "hard_tanh": (-1.0, 1.0),
}  # fmt: skip
"""What the activations give that cut off a part of the numbers."""


@check("LK207")
def rectified_with_crossentropy(context: Context) -> Iterator[Finding]:
    """The output of a relu or a tanh in a cross-entropy."""
    for pair in pairs(context, "LK207"):
        loss, output = pair.loss, pair.output
        activation = output.last_activation
        assert activation is not None
        right = "sigmoid" if loss.is_binary else "softmax"
        if loss.from_logits:
            advice = f"leave out the {activation.name}"
            fixes = left_out(context, "logits", pair, activation)
        else:
            advice = f"write `{right}`"
            fixes = unsafe(right, advice, other_activation(context, pair, activation, right))
        mild = loss.from_logits or loss.is_binary
        yield Finding(
            "LK207",
            place_of_loss(context, pair),
            f"{loss.name} gets the output of a {activation.name}{of_units(output)}, "
            f"{_range(activation.name, output, loss)}; {advice}",
            severity=Severity.WARNING if mild else None,
            notes=tuple(_notes(pair, activation.name)),
            related=where_made(context, output),
            fixes=fixes,
        )


def _range(name: str, output: Output, loss: Loss) -> str:
    """What is wrong with the values of an activation for a loss."""
    if loss.from_logits and name in BOUNDED and loss.is_binary:
        return "no logit beyond -1 and 1: no probability below 0.269 or above 0.731"
    if loss.from_logits and name in BOUNDED:
        units = output.units
        most = f" {1 / (1 + (units - 1) * math.exp(-2)):.3f}" if units else " a bound"
        return f"no logit beyond -1 and 1: no probability above{most}"
    if loss.from_logits:
        return "no logit below 0: no probability below 0.5"
    if name in ("relu", "relu6", "thresholded_relu"):
        return "which is 0 or any positive number, not a probability"
    return "which may be negative, not a probability"


def _notes(pair: Pair, name: str) -> Iterator[Note]:
    loss = pair.loss
    if loss.from_logits:
        yield Note("effect", "no warning; it trains, and the loss stays away from 0")
    elif loss.is_binary:
        yield Note("math", "p is clipped to [1e-7, 1 - 1e-7]: beyond, there is no gradient")
        yield Note("effect", "no warning; a sample that starts beyond is not learnt from")
    elif loss.is_sparse:
        yield Note("math", "p is clipped to [1e-7, 1 - 1e-7]: beyond, there is no gradient")
        yield Note("effect", "no warning; most of the classes may never be learnt")
        if name in ("relu", "relu6", "thresholded_relu"):
            yield Note("backend", "JAX: p is divided by its sum first, so zeros alone give NaN")
    else:
        zero = "0 / 0 is NaN where a relu gives zeros alone" if "relu" in name else "it may be 0"
        yield Note("math", f"p is divided by its sum: {zero}")
        yield Note("effect", "no warning; the loss becomes NaN, or jumps about")


@check("LK208")
def double_activation(context: Context) -> Iterator[Finding]:
    """Two activations in a row at the output."""
    for column in context.once(heads):
        found = every(
            column, lambda output, loss: _is_double(output) and rule_of(output, loss) is None
        )
        if found is None or found.output.activations is None:
            continue
        first, second = found.output.activations[-2:]
        yield Finding(
            "LK208",
            place(context, first.node, second.node, found.place, found.head.node),
            f"two activations in a row at the output: "
            f"{_limits(first.name, second.name, found.output)}; leave out the {first.name}",
            notes=(Note("effect", "it trains, towards predictions that it cannot reach"),),
            related=context.related(*[(second.node, f"the {second.name}")] if second.node else []),
            fixes=left_out(context, "single", found, first),
        )  # fmt: skip


def _is_double(output: Output) -> bool:
    if not output.activations or len(output.activations) < 2:
        return False
    first, second = output.activations[-2:]
    return first.name in _RANGES and (output.is_softmax or second.name == "sigmoid")


def _limits(first: str, second: str, output: Output) -> str:
    """What the second activation can still give of the values of the first."""
    units, (low, high) = output.units, _RANGES[first]
    if second == "sigmoid":
        top = "" if high == math.inf else f" or above {1 / (1 + math.exp(-high)):.3f}"
        return f"a sigmoid of a {first} gives nothing below {1 / (1 + math.exp(-low)):.3f}{top}"
    if high == math.inf:
        return f"a softmax of a {first} cannot tell negative scores apart, they get no gradient"
    if units is None or units < 2:
        return f"a softmax of a {first} is nearly uniform"
    most = 1 / (1 + (units - 1) * math.exp(low - high))
    return f"a softmax of a {first} over {units} classes gives no probability above {most:.3f}"
