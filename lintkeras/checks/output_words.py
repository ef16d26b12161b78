"""What the messages about outputs have in common: names, places, fixes."""

from __future__ import annotations

from collections.abc import Sequence

import libcst as cst

from lintkeras.checks.heads import Pair
from lintkeras.checks.registry import Context
from lintkeras.findings import Applicability, Edit, Fix, Related, Span
from lintkeras.meaning.outputs import Output
from lintkeras.rewrites.outputs import all_of

_LONGEST = 60
"""An expression of more characters is not quoted."""


def of_units(output: Output) -> str:
    """``of 10 units``, where their number is known."""
    if output.units is None:
        return ""
    return f" of {output.units} unit{'s' if output.units > 1 else ''}"


def shown(context: Context, output: Output) -> str:
    """The output in the words of the program: the layer that computes it."""
    layer = output.layer
    if layer is not None and layer.node is not None and context.program.owns(layer.node):
        text = context.code.shown(layer.node)
        if len(text) <= _LONGEST:
            return f"`{text}`"
    return "the output"


def place(context: Context, *nodes: cst.CSTNode | None) -> Span:
    """The first of these places that stands in this file."""
    owned = next(node for node in nodes if node is not None and context.program.owns(node))
    return context.program.span(owned)


def place_of_loss(context: Context, pair: Pair) -> Span:
    """Where the loss is given, or the model compiled."""
    return place(context, pair.place, pair.head.node)


def where_made(context: Context, output: Output) -> tuple[Related, ...]:
    """The activation of the output, or its layer."""
    node = output.activations[-1].node if output.activations else None
    if node is None and output.layer is not None:
        node = output.layer.node
    return () if node is None else context.related((node, "the output"))


def unsafe(name: str, title: str, *parts: Sequence[Edit] | None) -> tuple[Fix, ...]:
    """A fix that changes training; none where one of its parts cannot be made."""
    edits = all_of(*parts)
    return (Fix(name, title, Applicability.UNSAFE, edits),) if edits else ()
