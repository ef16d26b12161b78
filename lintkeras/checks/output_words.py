"""What the messages about outputs have in common: names, places, fixes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import libcst as cst

from lintkeras.checks.heads import Pair, heads, rule_of
from lintkeras.checks.registry import Context
from lintkeras.findings import Applicability, Edit, Fix, Related, Span
from lintkeras.meaning.outputs import Activation, Output
from lintkeras.rewrites.losses import with_loss
from lintkeras.rewrites.outputs import add_activation, all_of, with_activation, without_activation
from lintkeras.syntax.parse import comments

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


def fits_elsewhere(context: Context, pair: Pair) -> frozenset[cst.CSTNode]:
    """Activations, layers and loss objects that other outputs have as well, to which they fit.

    An edit there would break those.
    """
    own = rule_of(pair.output, pair.loss)
    return frozenset(
        node
        for column in context.once(heads)
        for head in column
        for output in head.outputs
        for loss in head.losses
        if rule_of(output, loss) != own
        for node in (*_nodes(output), loss.made)
        if node is not None
    )


def _nodes(output: Output) -> Iterator[cst.CSTNode | None]:
    yield from (one.node for one in output.activations or ())
    yield output.layer.node if output.layer is not None else None


def other_loss(
    context: Context, pair: Pair, name: str, *, from_logits: bool | None = None
) -> list[Edit] | None:
    """Write another loss; None where its object serves other outputs."""
    loss = pair.loss
    if loss.made is not None and loss.made in fits_elsewhere(context, pair):
        return None
    return with_loss(context.code, pair.head.loss_node, loss, name, from_logits=from_logits)


def other_activation(
    context: Context, pair: Pair, activation: Activation | None, name: str | None
) -> list[Edit] | None:
    """Write another activation, or none; no edits where another output has it, too."""
    if activation is None or activation.node in fits_elsewhere(context, pair):
        return None
    if name is None:
        return without_activation(context.code, activation)
    return with_activation(context.code, activation, name)


def left_out(context: Context, name: str, pair: Pair, activation: Activation) -> tuple[Fix, ...]:
    """The fix that leaves an activation out; its title says where a comment goes with it."""
    edits = other_activation(context, pair, activation, None)
    title = f"leave out the {activation.name}"
    if edits is not None and any(_holds_comment(context, edit) for edit in edits):
        title += " and the comment behind it"
    return unsafe(name, title, edits)


def _holds_comment(context: Context, edit: Edit) -> bool:
    gone = context.program.document.text[edit.span.start : edit.span.end]
    return not edit.text and any(gone[:at].strip() for at, _ in comments(gone))


def added_activation(context: Context, pair: Pair, name: str) -> list[Edit] | None:
    """Give the layer of the output an activation; no edits where it is another output's, too."""
    layer = pair.output.layer
    if layer is None or layer.node in fits_elsewhere(context, pair):
        return None
    return add_activation(context.code, layer, name)


def unsafe(name: str, title: str, *parts: Sequence[Edit] | None) -> tuple[Fix, ...]:
    """A fix that changes training; none where one of its parts cannot be made."""
    edits = all_of(*parts)
    return (Fix(name, title, Applicability.UNSAFE, edits),) if edits else ()
