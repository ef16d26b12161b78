"""Outputs of models beside their losses: which rule, if any, a pair belongs to.

What each pair really does was measured (ten seeds, Keras 3.15 on TensorFlow and JAX, tf_keras 2.21);
the pages say it. A pair belongs to one rule at most.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import libcst as cst

from lintkeras.checks.expected import raises_on_purpose
from lintkeras.checks.registry import Context
from lintkeras.meaning.facts import CompiledModel, LossCall, ModelTrained
from lintkeras.meaning.outputs import Head, Loss, Output
from lintkeras.meaning.values import Instance

RECTIFIED = frozenset({
    "relu", "relu6", "leaky_relu", "prelu", "elu", "selu", "celu", "gelu", "silu", "mish", "tanh",
    "softsign", "hard_tanh", "thresholded_relu",
})  # fmt: skip
"""Activations that give no probabilities: zeros, negative numbers, numbers above 1."""
BOUNDED = frozenset({"tanh", "softsign", "hard_tanh"})
"""Those among them that stay between -1 and 1."""


@dataclass(frozen=True)
class Pair:
    """An output with its loss: the first of what each may be, which all belong to one rule."""

    head: Head
    output: Output
    loss: Loss

    @property
    def place(self) -> cst.CSTNode:
        """Where the loss is given."""
        value = self.loss.value
        if self.head.loss_node is not None:
            return self.head.loss_node
        made = value.node if isinstance(value, Instance) else None
        return made if made is not None else self.head.node


def heads(context: Context) -> list[Sequence[Head]]:
    """Each output that is compiled with a loss, or given to one: the ways that lead to it."""
    facts = context.facts
    compiled = [[one.heads for one in group] for group in facts.groups(CompiledModel)]
    called = [[one.heads for one in group] for group in facts.groups(LossCall)]
    found = [column for ways in (*compiled, *called) for column in columns(ways)]
    return [one for one in found if not raises_on_purpose(context.program, one[0].node)]


def trained_heads(context: Context) -> list[Sequence[Head]]:
    """The same with the labels that ``fit`` gives."""
    return [
        column
        for group in context.facts.groups(ModelTrained)
        for column in columns([one.heads for one in group])
        if not raises_on_purpose(context.program, column[0].node)
    ]


def columns(ways: Sequence[tuple[Head, ...]]) -> Iterator[Sequence[Head]]:
    """The heads of all ways, output by output; nothing where the ways differ in their number."""
    if len({len(way) for way in ways}) == 1:
        yield from zip(*ways, strict=True)


def pairs(context: Context, code: str) -> Iterator[Pair]:
    """The outputs that belong to a rule with their losses, whatever way leads to them."""
    for column in context.once(heads):
        found = every(column, lambda output, loss: rule_of(output, loss) == code)
        if found is not None:
            yield found


def every(column: Sequence[Head], holds: Callable[[Output, Loss], bool]) -> Pair | None:
    """The first output and loss, where something holds of all that they may be."""
    combinations = [
        Pair(head, output, loss)
        for head in column
        for output in head.outputs
        for loss in head.losses
    ]
    known = all(head.outputs and head.losses for head in column)
    if known and all(holds(one.output, one.loss) for one in combinations):
        return combinations[0]
    return None


def rule_of(output: Output, loss: Loss) -> str | None:
    """The rule that an output with a loss belongs to."""
    last, softmax = output.activation, output.is_softmax
    if softmax and output.units == 1:
        return "LK201"
    if loss.is_categorical and loss.axis != -1:
        return None
    if loss.is_categorical and output.units == 1:
        return "LK206"
    if loss.from_logits is None or last is None:
        return None
    if loss.from_logits:
        if (softmax or last == "sigmoid") and (loss.is_binary or loss.is_categorical):
            return "LK205"
        limited = last in BOUNDED or (last in ("relu", "relu6") and loss.is_binary)
        return "LK207" if limited and (loss.is_binary or loss.is_categorical) else None
    if loss.is_binary:
        return "LK202" if softmax else "LK207" if last in RECTIFIED else None
    if loss.is_categorical:
        if last in RECTIFIED:
            return "LK207"
        return {"sigmoid": "LK203", "linear": "LK204"}.get(last)
    return "LK217" if softmax and loss.is_regression else None
