"""Layers that merge several tensors: what is given when they are made, and when they are called."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from lintkeras.checks.calls import Called, calls_of_keras, place_in
from lintkeras.checks.fallbacks import is_guarded
from lintkeras.checks.registry import Context, check
from lintkeras.findings import Applicability, Finding, Fix, Note
from lintkeras.keras_api.arguments import KERAS
from lintkeras.keras_api.releases import Place
from lintkeras.meaning.facts import CallMade
from lintkeras.meaning.symbolic import symbolic_source
from lintkeras.meaning.values import Const, Instance, Items, List, Sequence, Symbol, Value


def is_merge(context: Context, place: Place) -> bool:
    """Whether a class of layers also exists as a function of lists, or is such a function."""
    if not place.inside.startswith("layers.") or place.inside.count(".") != 1:
        return False
    twins = (place.last.lower(), place.last.lower().capitalize())
    kinds = [
        None if symbol is None else symbol.kind
        for one in twins
        if (symbol := context.releases.symbol(place.beside(f"layers.{one}"))) is not None
    ]
    return kinds == ["function", "class"]


@check("LK310")
def merge_layer_arguments(context: Context) -> Iterator[Finding]:
    """Tensors given to a merging layer where its settings go, or one by one instead of as a list."""
    for called in context.once(calls_of_keras):
        place = called.callee.place
        if called.callee.method or called.partial or not is_merge(context, place):
            continue
        if called.positional and len(called.positional) == len(called.held.positional):
            if called.signature.kind == "class":
                yield from _made(context, called, called.positional)
            else:
                yield from _function(context, called, called.positional)
    for group in context.facts.calls(CallMade):
        if context.program.owns(group[0].node):
            yield from _called(context, group)


def _is_tensor(value: Value) -> bool:
    """Whether it certainly is a symbolic tensor."""
    return not _is_list(value) and symbolic_source(value) is not None


def _is_list(value: Value) -> bool:
    match value:
        case List():
            return True
        case Sequence(kind=kind):
            return kind in ("list", "tuple")
    return False


def _is_list_of_tensors(value: Value) -> bool:
    return _is_list(value) and symbolic_source(value) is not None


def _too_many(called: Called, given: int, *, bound: int) -> str:
    """What Python says of arguments by position that a function does not have."""
    parameters = [p for p in called.signature.parameters if p.kind == "positional"]
    most = len(parameters) + bound
    least = sum(p.default is None for p in parameters) + bound
    many = f"{most} positional argument{'s' if most > 1 else ''}"
    if least < most:
        many = f"from {least} to {most} positional arguments"
    return f"takes {many} but {given + bound} were given"


# ------------------------------------------------------------------ Add([a, b])


def _made(context: Context, called: Called, given: tuple[cst.Arg, ...]) -> Iterator[Finding]:
    values, names = called.held.positional, called.names
    shown = context.code.shown(called.node.func)
    too_many = len(given) > len(names)
    twice = bool(names) and called.argument(names[0]) is not None
    if too_many or twice:
        error = (
            _too_many(called, len(given), bound=1)
            if too_many
            else f"got multiple values for argument '{names[0]}'"
        )
        says = (
            f"`{shown}` takes its inputs when it is called, and is given them when it is made, "
            f"TypeError: __init__() {error}"
        )
    elif _is_tensor(values[0]) or (
        _is_list_of_tensors(values[0])
        if names[0] == "axes"  # a list of numbers is right there
        else _is_list(values[0])
    ):
        says = (
            f"`{shown}` is given its inputs when it is made, and reads them as its "
            f"`{names[0]}=`; they go into the call of the layer"
        )
    else:
        return
    inputs, settings = _split(values)
    tensors, others = list(given[:inputs]), list(given[inputs:])
    new = _as_call(context, called, tensors, others, values[:inputs])
    missing = _missing(called, others)
    if new and not missing:
        says += f"; write `{new}`"
    elif missing:
        says += f"; write `{shown}({', '.join(f'{one}=...' for one in missing)})([...])`"
    possible = new and not missing and settings <= len(names)
    yield Finding(
        "LK310",
        context.program.span(called.node),
        says,
        label="a layer, not a tensor",
        notes=() if too_many or twice else (Note("effect", _effect(context, called)),),
        fixes=context.fixes(_replaced, context, called.node, new) if possible else (),
    )


def _effect(context: Context, called: Called) -> str:
    if called.callee.name == "Dot":
        return "it raises when the layer is made, since axes are numbers"
    return (
        "no error yet: the result is a layer whose axis is a list, and what uses it as a tensor "
        "raises (ValueError: Only input tensors may be passed as positional arguments)"
        if context.releases.is_keras_3(called.callee.place)
        else "no error yet: the result is a layer whose axis is a list, and what uses it as a "
        "tensor raises (TypeError: Inputs to a layer should be tensors)"
    )


def _split(values: tuple[Value, ...]) -> tuple[int, int]:
    """How many arguments are inputs, and how many numbers stand behind them."""
    inputs = next((i for i, v in enumerate(values) if isinstance(v, Const)), len(values))
    return inputs, len(values) - inputs


def _missing(called: Called, others: list[cst.Arg]) -> list[str]:
    """The settings without a default that are not given."""
    required = [p.name for p in called.signature.parameters if p.kind == "positional"
                and p.default is None]  # fmt: skip
    return [n for n in required[len(others) :] if called.argument(n) is None]


def _as_call(
    context: Context,
    called: Called,
    tensors: list[cst.Arg],
    others: list[cst.Arg],
    values: tuple[Value, ...],
) -> str:
    """The layer made with its settings, called on the list of its inputs; empty if not certain."""
    code = context.code
    text = _as_list(context, tensors, values)
    keywords = [a for a in called.given if a.keyword is not None]
    parent = context.program.parent(called.node)
    called_already = isinstance(parent, cst.Call) and parent.func is called.node
    if not text or called_already or any(a.star for a in called.given):
        return ""
    settings = [
        *(code.text(one.value) for one in others),
        *(f"{code.text(a.keyword)}={code.text(a.value)}" for a in keywords if a.keyword),
    ]
    return f"{code.text(called.node.func)}({', '.join(settings)})({text})"


def _as_list(context: Context, tensors: list[cst.Arg], values: tuple[Value, ...]) -> str:
    """The inputs as one list; empty where that cannot be said."""
    code = context.code
    texts = [code.text(one.value) for one in tensors]
    if len(tensors) == 1:
        return texts[0] if _is_list(values[0]) else ""
    if any(map(_is_list, values)):
        return ""
    return f"[{', '.join(texts)}]" if texts else ""


def _replaced(context: Context, node: cst.Call, new: str) -> Iterator[Fix]:
    if any(context.code.comments(node)):
        return
    title = f"write `{' '.join(new.split())}`"
    yield Fix("inputs", title, Applicability.SAFE, (context.code.replace(node, new),))


# ------------------------------------------------------------------ add(a, b)


def _function(context: Context, called: Called, given: tuple[cst.Arg, ...]) -> Iterator[Finding]:
    values, names = called.held.positional, called.names
    if len(given) < 2:
        return
    name, second = context.code.shown(called.node.func), names[1] if len(names) > 1 else ""
    twice = second and called.argument(second) is not None
    if len(given) > len(names):
        why = f"TypeError: {called.callee.name}() {_too_many(called, len(given), bound=0)}"
    elif twice:
        why = f"TypeError: {called.callee.name}() got multiple values for argument '{second}'"
    elif _is_tensor(values[1]) or _is_list_of_tensors(values[1]):
        why = f"and reads `{context.code.shown(given[1].value)}` as its `{second}=`, which raises"
    else:
        return
    inputs, _ = _split(values)
    text = _as_list(context, list(given[:inputs]), values[:inputs])
    edits, new = "", ""
    if text and inputs > 1:
        others = [context.code.text(one.value) for one in given[inputs:]]
        keywords = [
            f"{context.code.text(a.keyword)}={context.code.text(a.value)}"
            for a in called.given
            if a.keyword
        ]
        rest = [p.name for p in called.signature.parameters if p.kind == "positional"
                and p.default is None][1 + len(others) :]  # fmt: skip
        if not any(a.star for a in called.given):
            missing = [one for one in rest if called.argument(one) is None]
            arguments = [text, *others, *keywords, *(f"{one}=..." for one in missing)]
            new = f"{context.code.text(called.node.func)}({', '.join(arguments)})"
            edits = new if not missing and len(others) < len(names) else ""
    yield Finding(
        "LK310",
        context.program.span(called.node),
        f"`{name}` takes one list of inputs, {why}" + (f"; write `{_flat(new)}`" if new else ""),
        label="several inputs, no list",
        fixes=context.fixes(_replaced, context, called.node, edits) if edits else (),
    )


def _flat(text: str) -> str:
    return " ".join(text.split())


# ------------------------------------------------------------------ Add()(a, b)


def _called(context: Context, group: list[CallMade]) -> Iterator[Finding]:
    node = group[0].node
    plain = [one for one in node.args if one.keyword is None]
    if len(plain) < 2 or any(a.star for a in node.args):
        return
    places = {_merging(context, one) for one in group}
    place = places.pop()
    if place is None or places or any(is_guarded(context, node, one.tests) for one in group):
        return
    values = group[0].arguments.positional
    lists = any(_is_list(v) for one in group for v in one.arguments.positional)
    code = context.code
    texts = ", ".join(code.text(one.value) for one in plain)
    keywords = [f"{code.text(a.keyword)}={code.text(a.value)}" for a in node.args if a.keyword]
    new = f"{code.text(node.func)}({', '.join([f'[{texts}]', *keywords])})"
    possible = not lists and not any(isinstance(v, (Const, Items)) for v in values)
    if context.releases.is_keras_3(place):
        why = "TypeError: too many positional arguments"
    else:
        why = f"ValueError: A {_old_name(place.last)} layer should be called on a list of"
        why += {"Concatenate": " at least 1 input", "Dot": " 2 inputs"}.get(place.last, " inputs")
    yield Finding(
        "LK310",
        context.program.span(node),
        f"{_article(place.last)} `{place.last}` layer is called on one list of inputs, {why}"
        + (f"; write `{_flat(new)}`" if possible else ""),
        label="several inputs, no list",
        fixes=context.fixes(_replaced, context, node, new) if possible else (),
    )


def _article(name: str) -> str:
    return "an" if name[0] in "AEIOU" else "a"


def _old_name(name: str) -> str:
    return f"`{name}`" if name in ("Concatenate", "Dot") else "merge"


def _merging(context: Context, call: CallMade) -> Place | None:
    """The class of the merging layer that is called on more than one thing."""
    match call.function:
        case Instance(cls=Symbol() as cls):
            place = place_in(context, cls)
            values = call.arguments.positional
            if place is None or place.space not in KERAS or not is_merge(context, place):
                return None
            second = values[1] if len(values) > 1 and call.arguments.complete else None
            return None if second is None or isinstance(second, Const) else place
    return None
