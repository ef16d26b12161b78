"""Logits in a loss that expects probabilities, and probabilities in one that expects logits."""

from __future__ import annotations

import math
from collections.abc import Iterator

from lintkeras.checks.heads import Pair, pairs
from lintkeras.checks.output_words import (
    added_activation,
    left_out,
    of_units,
    other_loss,
    place_of_loss,
    shown,
    unsafe,
    where_made,
)
from lintkeras.checks.registry import Context, check
from lintkeras.findings import Finding, Note
from lintkeras.meaning.outputs import Loss, Output
from lintkeras.meaning.shapes import plain_name

_ANOTHER_TENSOR = frozenset({
    "Dropout", "SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D", "GaussianDropout",
    "GaussianNoise", "AlphaDropout", "Flatten", "Reshape", "Permute", "RepeatVector",
    "TimeDistributed",
})  # fmt: skip
"""Layers behind which Keras does not find the logits of an activation (measured, Keras 3.15)."""


@check("LK204")
def logits_without_from_logits(context: Context) -> Iterator[Finding]:
    """Logits in a cross-entropy that expects probabilities."""
    for pair in pairs(context, "LK204"):
        loss, output = pair.loss, pair.output
        told = other_loss(context, pair, loss.name, from_logits=True)
        softmax = added_activation(context, pair, "softmax")
        yield Finding(
            "LK204",
            place_of_loss(context, pair),
            f"{loss.name} expects probabilities and gets logits: {shown(context, output)} has no "
            "softmax; write `from_logits=True`, or give it one",
            notes=(Note("math", _clipped(loss)),
                   Note("effect", "no warning; the loss moves, and the model learns little"),
                   *_divided_first(loss)),
            related=where_made(context, output),
            fixes=(*unsafe("from-logits", "tell the loss: `from_logits=True`", told),
                   *unsafe("softmax", "give the layer a softmax", softmax)),
        )  # fmt: skip


def _clipped(loss: Loss) -> str:
    """What a loss does with numbers that are no probabilities."""
    if loss.is_sparse:
        return (
            "z is clipped to [1e-7, 1 - 1e-7] before the logarithm: an entry below 0 or above 1 "
            "gets no gradient"
        )
    return (
        "z is divided by its sum, which may be 0 or negative, and clipped to [1e-7, 1 - 1e-7]: "
        "an entry beyond gets no gradient"
    )


def _divided_first(loss: Loss) -> Iterator[Note]:
    if loss.is_sparse:
        yield Note("backend", "JAX divides z by its sum first, which may be 0 or negative")


@check("LK205")
def activation_with_from_logits(context: Context) -> Iterator[Finding]:
    """Probabilities in a loss that is told to expect logits."""
    for pair in pairs(context, "LK205"):
        loss, output = pair.loss, pair.output
        activation = output.last_activation
        assert activation is not None
        flag = other_loss(context, pair, loss.name, from_logits=False)
        fits = activation.name == ("sigmoid" if loss.is_binary else "softmax")
        yield Finding(
            "LK205",
            place_of_loss(context, pair),
            f"{loss.name} is told to expect logits and gets the probabilities of a "
            f"{activation.name}{of_units(output)}: {_effect(pair)}; leave out one of the two",
            notes=(Note("math", _floor_derived(output, loss)),
                   Note("backend", "TensorFlow: where the loss finds the logits behind an activation "
                                   "that comes last, it uses them and warns; JAX: nothing is said")),
            related=where_made(context, output),
            fixes=(*(unsafe("probabilities", "leave out `from_logits=True`", flag) if fits else ()),
                   *left_out(context, "logits", pair, activation)),
        )  # fmt: skip


def _effect(pair: Pair) -> str:
    floor = _floor(pair.output, pair.loss)
    if _finds_no_logits(pair):
        return f"squashed twice, {floor}"
    return f"TensorFlow repairs that and warns, on JAX {floor}"


def _finds_no_logits(pair: Pair) -> bool:
    """Whether Keras cannot find the logits on TensorFlow either.

    Losses of TensorFlow and focal ones do not look for them, and a layer that makes another tensor
    of the probabilities hides them.
    """
    last = pair.output.last
    hidden = last is not None and plain_name(last) in _ANOTHER_TENSOR
    return not pair.loss.of_keras or "focal" in pair.loss.name or hidden


def _floor(output: Output, loss: Loss) -> str:
    """The smallest loss that is left, in words."""
    if "focal" in loss.name:
        return "the loss of a sample cannot go to 0"
    if loss.is_binary:
        return "the loss cannot fall below 0.313 for a yes and 0.693 for a no"
    if output.units is None or output.units < 2:
        return "the loss of a sample cannot go to 0"
    value = math.log(1 + (output.units - 1) / math.e)
    return f"the loss of a sample cannot fall below {value:.3f}"


def _floor_derived(output: Output, loss: Loss) -> str:
    if loss.is_binary:
        return "sigmoid(p) of p in [0, 1] is in [0.5, 0.731]: -log 0.731 = 0.313, -log 0.5 = 0.693"
    k = str(output.units) if output.units else "K"
    return (
        f"p in [0, 1]: no softmax of it is above e / (e + {k} - 1), so the cross-entropy is "
        f"log(1 + ({k} - 1) / e) at least"
    )
