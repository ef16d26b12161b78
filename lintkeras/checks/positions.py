"""Arguments given by position where Keras 3 wants a name, or reads another argument."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import libcst as cst

from lintkeras import keras_api
from lintkeras.checks.calls import Called, calls_of_keras, place_in
from lintkeras.checks.fallbacks import is_guarded
from lintkeras.checks.registry import Context
from lintkeras.findings import Applicability, Finding, Fix, Note
from lintkeras.keras_api.arguments import KERAS, Callee
from lintkeras.keras_api.releases import Place
from lintkeras.meaning.facts import CallMade
from lintkeras.meaning.outline import positional_parameters
from lintkeras.meaning.values import Class, Computed, Const, Instance, Symbol
from lintkeras.rewrites.arguments import rename
from lintkeras.syntax.tree import nodes

_NEW_TEXT = (3, 15)
"""The release of which the text of the error was seen."""


def positional_arguments(context: Context) -> Iterator[Finding]:
    """The findings of LK605 about arguments without a name."""
    for called in context.once(calls_of_keras):
        if not context.releases.is_keras_3(called.callee.place):
            continue
        if called.callee.method == "add_weight":
            yield from _named_weight(context, called)
        elif not called.callee.method and called.callee.place.inside in ("Input", "layers.Input"):
            yield from _shape_that_is_a_number(context, called)
            yield from _tensor_of_another_library(context, called)
    for group in context.facts.calls(CallMade):
        if context.program.owns(group[0].node):
            yield from _flag_of_call(context, group)


# ------------------------------------------------------------------ add_weight("w", shape)


def _named_weight(context: Context, called: Called) -> Iterator[Finding]:
    """``add_weight("w", ...)``: the first parameter was the name, and is the shape."""
    given, values = called.positional, called.arguments.positional
    if not given or not values or not isinstance(values[0], Const):
        return
    if not isinstance(values[0].value, str):
        return
    old = _names_of_keras_2(context, called.callee)
    is_metric = "metrics.Metric.add_weight" in called.callee.names(context.releases)
    says = (
        f"ValueError: Cannot convert '{values[0].value}' to a shape"
        if is_metric and len(given) == 1
        else "which raises ValueError"
        if is_metric or context.releases.release_of(called.callee.place)[:2] >= _NEW_TEXT
        else "which raises TypeError"
    )
    yield Finding(
        "LK605",
        context.program.span(given[0]),
        f"`add_weight()` takes the shape as its first argument in "
        f"{context.releases.shown(called.callee.place)}, {says}; write `name="
        f"{context.code.shown(given[0].value)}`",
        label="read as the shape",
        fixes=context.fixes(_by_name, context, called.callee, given, old),
    )


def _names_of_keras_2(context: Context, callee: Callee) -> list[str]:
    """The parameters of the last release that took the name first."""
    for version in reversed(keras_api.space(callee.place.space).versions):
        signature = callee.signature(context.releases, version)
        names = [p.name for p in signature.parameters] if signature is not None else []
        if names[:1] == ["name"]:
            return names
    return []


def _by_name(
    context: Context, callee: Callee, given: Sequence[cst.Arg], names: list[str]
) -> Iterator[Fix]:
    """Give arguments by the names that stand for their positions."""
    new = names[: len(given)]
    if len(new) < len(given):
        return
    safe = all(
        (signature := callee.signature(context.releases, version)) is not None
        and all(signature.accepts(name) for name in new)
        for version in context.releases.allowed(callee.place.space)
    )
    yield Fix(
        "argument",
        f"write {', '.join(f'`{name}=`' for name in new)}",
        Applicability.SAFE if safe else Applicability.UNSAFE,
        tuple(rename(context.code, one, name) for one, name in zip(given, new, strict=True)),
    )


# ------------------------------------------------------------------ Input(4)


def _shape_that_is_a_number(context: Context, called: Called) -> Iterator[Finding]:
    shape = called.argument("shape") or next(iter(called.positional or ()), None)
    value = called.arguments.get("shape", 0)
    if shape is None or not isinstance(value, Const) or type(value.value) is not int:
        return
    text = f"({context.code.text(shape.value)},)"
    safe = context.releases.only_keras_3()
    yield Finding(
        "LK605",
        context.program.span(shape),
        f"`Input()` takes a tuple as its shape, ValueError: Cannot convert '{value.value}' to a "
        f"shape; write `{text}`",
        fixes=(
            Fix(
                "argument",
                f"write `{text}`",
                Applicability.SAFE if safe else Applicability.UNSAFE,
                (context.code.replace(shape.value, text),),
            ),
        ),
    )


def _tensor_of_another_library(context: Context, called: Called) -> Iterator[Finding]:
    """``Input(tensor=tf.constant(...))``."""
    argument, value = called.argument("tensor"), called.arguments.get("tensor")
    if (
        argument is None
        or not isinstance(value, Computed)
        or not isinstance(value.function, Symbol)
    ):
        return
    if value.function.name.startswith(("tf.", "numpy.")):
        yield Finding(
            "LK605",
            context.program.span(argument),
            "`Input()` takes nothing but a KerasTensor as `tensor=`, ValueError: Argument "
            "`input_tensor` must be a KerasTensor",
            notes=(Note("note", "call the model with the tensor, or put it into a layer"),),
        )


# ------------------------------------------------------------------ layer(x, True)


def _flag_of_call(context: Context, group: list[CallMade]) -> Iterator[Finding]:
    """``model(x, True)``: Keras 3 takes nothing but tensors by position."""
    node = group[0].node
    positions = {_first_flag(one) for one in group}
    position = positions.pop()
    if position is None or positions or any(a.star for a in node.args):
        return
    names = [_call_parameters(context, one.function) for one in group]
    first = names[0]
    if first is None or any(other != first for other in names) or position >= len(first):
        return
    if any(is_guarded(context, node, one.tests) for one in group):
        return
    plain = [one for one in node.args if one.keyword is None]
    given = plain[position:]
    value = group[0].arguments.positional[position]
    assert isinstance(value, Const)
    new = first[position : position + len(given)]
    taken = {one.keyword.value for one in node.args if one.keyword is not None}
    fixes: tuple[Fix, ...] = ()
    if len(new) == len(given) and not taken & {*new}:
        edits = tuple(rename(context.code, one, name) for one, name in zip(given, new, strict=True))
        title = f"write {', '.join(f'`{name}=`' for name in new)}"
        fixes = (Fix("argument", title, Applicability.SAFE, edits),)
    yield Finding(
        "LK605",
        context.program.span(given[0]),
        f"a layer takes tensors alone by position in Keras 3, ValueError: Only input tensors may "
        f"be passed as positional arguments; write `{first[position]}={value.value!r}`",
        fixes=fixes,
    )


def _first_flag(call: CallMade) -> int | None:
    """The position of the first argument behind the inputs that certainly is no tensor."""
    if not isinstance(call.function, Instance) or not call.arguments.complete:
        return None
    for index, value in enumerate(call.arguments.positional):
        if index and isinstance(value, Const) and isinstance(value.value, (bool, int, float, str)):
            return index
    return None


def _call_parameters(context: Context, function: object) -> list[str] | None:
    """The parameters of the ``call`` of a layer, without ``self``; None where not known."""
    if not isinstance(function, Instance):
        return None
    lineage = function.cls.lineage if isinstance(function.cls, Class) else (function.cls,)
    if isinstance(function.cls, Class) and not function.cls.plain:
        return None
    place: Place | None = None
    own: list[str] | None = None
    for one in lineage:
        if isinstance(one, Symbol):
            place = place_in(context, one)
            break
        methods = {m.name.value: m for m in nodes(one.node.body) if isinstance(m, cst.FunctionDef)}
        if "__call__" in methods:
            return None
        if "call" in methods and own is None:
            own = [p.name.value for p in positional_parameters(methods["call"].params)][1:]
    if place is None or place.space not in KERAS or not context.releases.is_keras_3(place):
        return None
    if "layers.Layer" not in Callee(place).names(context.releases):
        return None
    if own is not None:
        return own
    return _positional_of(context, Callee(place, "call"))


def _positional_of(context: Context, callee: Callee) -> list[str] | None:
    """The parameters by position, as they were in Keras 2, where the call still ran."""
    versions = reversed(keras_api.space(callee.place.space).versions)
    newest = context.releases.newest(callee.place.space)
    old = [version for version in versions if version.startswith("2.")]
    for version in (*old, newest):
        signature = callee.signature(context.releases, version)
        if signature is not None and signature.parameters:
            return [p.name for p in signature.parameters if p.kind == "positional"]
    return None
