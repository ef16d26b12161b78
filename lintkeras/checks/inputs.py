"""The shape of the inputs given to a layer, where Keras 3 wants an ``Input`` in front of it."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from lintkeras.checks.calls import Called, calls_of_keras
from lintkeras.checks.registry import Context, check
from lintkeras.findings import Applicability, Finding, Fix, Note
from lintkeras.meaning.facts import CallMade
from lintkeras.meaning.values import Instance, Member, Symbol
from lintkeras.rewrites.inputs import put_in_front

_SEQUENTIAL = "keras.models.Sequential"
_SHAPES = ("input_shape", "input_dim", "batch_input_shape")


@check("LK615")
def input_shape_argument(context: Context) -> Iterator[Finding]:
    """input_shape= or input_dim= on a layer, which Keras 3 warns of."""
    for called in context.once(calls_of_keras):
        place = called.callee.place
        if called.callee.method or not context.releases.is_keras_3(place):
            continue
        if "layers.Layer" not in called.callee.names(context.releases):
            continue
        plain = {p.name for p in called.signature.parameters}
        for keyword in ("input_shape", "input_dim"):
            argument = called.argument(keyword)
            if argument is None or keyword in plain or keyword not in called.signature.keywords:
                continue
            yield Finding(
                "LK615",
                context.program.span(argument),
                f"`{called.callee.name}()` is given `{keyword}=`, of which "
                f"{context.releases.shown(place)} warns; put an `Input` in front of the layer",
                notes=(
                    Note(
                        "effect",
                        "UserWarning: Do not pass an `input_shape`/`input_dim` argument to a "
                        "layer; nothing else changes",
                    ),
                ),
                fixes=context.fixes(input_in_front, context, called, Applicability.SAFE),
            )


def input_in_front(context: Context, called: Called, applicability: Applicability) -> Iterator[Fix]:
    """The fix for the first layer of a Sequential that says itself what it is given."""
    place = context.once(_first_layers).get(called.node)
    root = _root(called)
    given = _given(context, called)
    if place is None or root is None or given is None:
        return
    text, gone = given
    edits = put_in_front(context.code, called.node, place, root, text, gone)
    yield Fix("input", f"put `Input({text})` in front of it", applicability, tuple(edits))


def _given(context: Context, called: Called) -> tuple[str, list[cst.Arg]] | None:
    """What ``Input`` is given, and the arguments that it comes from."""
    found = [(name, called.argument(name)) for name in _SHAPES]
    there = [(name, argument) for name, argument in found if argument is not None]
    if len(there) != 1 or any(a.star for a in called.node.args):
        return None
    ((name, argument),) = there
    code = context.code
    if any(code.comments(argument)):
        return None
    text = code.text(argument.value)
    gone = [argument]
    size, length = called.argument("batch_size"), called.argument("input_length")
    if name == "input_dim":
        steps = f"{code.text(length.value)}, " if length is not None else ""
        text = f"shape=({steps}{text})" if steps else f"shape=({text},)"
        gone += [length] if length is not None else []
    elif length is not None:
        return None
    else:
        text = f"{'batch_shape' if name == 'batch_input_shape' else 'shape'}={text}"
    if size is not None:
        text += f", batch_size={code.text(size.value)}"
        gone.append(size)
    return text, gone


def _root(called: Called) -> str | None:
    """The Keras that a layer was reached through: ``tensorflow.keras``."""
    if not isinstance(called.function, Symbol) or ".layers." not in called.function.path:
        return None
    return called.function.path.partition(".layers.")[0]


def _first_layers(context: Context) -> dict[cst.Call, cst.Element | cst.Call]:
    """The layers that certainly come first in a Sequential: the element, or the call of ``add``."""
    found: dict[cst.Call, cst.Element | cst.Call] = {}
    filled: set[object] = set()
    for group in context.facts.calls(CallMade):
        node = group[0].node
        if not context.program.owns(node):
            continue
        if all(isinstance(c.function, Symbol) and c.function.name == _SEQUENTIAL for c in group):
            first = _first_element(node)
            if first is not None and isinstance(first.value, cst.Call):
                found[first.value] = first
        owners = [_sequential_added_to(one) for one in group]
        if not all(owners):
            continue
        fresh = all(owner.identity not in filled for owner in owners if owner is not None)
        filled |= {owner.identity for owner in owners if owner is not None}
        statement = context.program.parent(node)
        if fresh and len(node.args) == 1 and isinstance(node.args[0].value, cst.Call):
            if isinstance(statement, cst.Expr) and context.code.has_own_line(node):
                found[node.args[0].value] = node
    return found


def _first_element(node: cst.Call) -> cst.Element | None:
    """The first layer of ``Sequential([...])``."""
    for argument in node.args:
        if argument.keyword is None or argument.keyword.value == "layers":
            match argument.value:
                case cst.List(elements=[cst.Element() as first, *_]) if not argument.star:
                    return first
            return None
    return None


def _sequential_added_to(call: CallMade) -> Instance | None:
    """The Sequential without layers of its own that ``add`` is called of."""
    match call.function:
        case Member(of=Instance(cls=Symbol() as cls) as owner, name="add"):
            given = owner.arguments
            empty = given.complete and not given.positional and given.get("layers") is None
            return owner if cls.name == _SEQUENTIAL and empty else None
    return None
