"""Rates of dropout that are no share of the units."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

import libcst as cst

from lintkeras import keras_api
from lintkeras.checks.calls import calls_of_keras
from lintkeras.checks.fallbacks import is_guarded
from lintkeras.checks.registry import Context, check
from lintkeras.findings import Finding, Note, Severity
from lintkeras.keras_api.releases import Place, place_of
from lintkeras.keras_api.replacements import table
from lintkeras.meaning.facts import CallMade
from lintkeras.meaning.library import argument_node
from lintkeras.meaning.values import Class, Const, Symbol, Value, alternatives

_PERCENT = 100
_HALF = 0.5


@check("LK313")
def dropout_rate(context: Context) -> Iterator[Finding]:
    """A rate of dropout of 1 or more, or below 0; as a remark, one of more than a half."""
    for called in context.once(calls_of_keras):
        entry = _entries().get(called.callee.place.inside)
        if entry is None or called.callee.method or _has_own_call(called.function):
            continue
        for name in entry["argument"]:
            argument, value = called.expression(name), called.value(name)
            if argument is not None and value is not None:
                yield from _judged(
                    context, entry, called.callee.place, called.callee.name, name, argument, value
                )
    for group in context.facts.calls(CallMade):
        yield from _of_tensorflow(context, group)


def _has_own_call(function: Value) -> bool:
    """Whether a class of the program says itself what it does with its rate."""
    return isinstance(function, Class) and any(
        isinstance(node, cst.FunctionDef) and node.name.value == "call"
        for cls in function.lineage
        if isinstance(cls, Class)
        for node in cls.node.body.body
    )


def _of_tensorflow(context: Context, group: list[CallMade]) -> Iterator[Finding]:
    """``tf.nn.dropout``."""
    names = {one.function.path if isinstance(one.function, Symbol) else "" for one in group}
    place = place_of(names.pop())
    node = group[0].node
    if names or place is None or place.space != "tf" or not context.program.owns(node):
        return
    entry, symbol = _entries().get(place.path), keras_api.space("tf").symbol(place.path)
    if entry is None or symbol is None:
        return
    if any(is_guarded(context, node, one.tests) for one in group):
        return
    parameters = [p.name for p in symbol.parameters if p.kind == "positional"]
    for name in entry["argument"]:
        position = parameters.index(name)
        argument = argument_node(node, name, position)
        values = {one.arguments.get(name, position) for one in group}
        value = values.pop()
        if argument is not None and value is not None and not values:
            shown = context.program.text(node.func)
            yield from _judged(context, entry, place, shown, name, argument, value)


@cache
def _entries() -> dict[str, dict[str, Any]]:
    return {path: entry for entry in table("dropout") for path in entry["of"]}


def _judged(
    context: Context,
    entry: dict[str, Any],
    place: Place,
    callee: str,
    parameter: str,
    argument: cst.Arg,
    value: Value,
) -> Iterator[Finding]:
    rates = [_number(one) for one in alternatives(value)]
    known = [rate for rate in rates if rate is not None]
    regions = {_region(rate) for rate in known}
    if len(known) < len(rates) or len(regions) != 1 or None in regions:
        return
    (region,), rate = regions, known[0]
    path = place.path if place.space == "tf" else place.inside
    if region == "high" and path not in entry.get("kept", ()):
        return
    written = context.code.shown(argument.value)
    given = f"`{parameter}={rate}`" + (f" (`{written}`)" if written != str(rate) else "")
    release = "keras3" if context.releases.is_keras_3(place) else "keras2"
    if region == "high":
        says = f"{given} of `{callee}` drops {rate:.0%} of the entries in training"
    elif effect := entry[release][str(region)].format(rate=rate):
        shown = context.releases.shown(place)
        says = f"{given} of `{callee}` is no share of the units: in {shown} it {effect}"
    else:
        return
    if 1 < rate <= _PERCENT:
        says += f"; {rate:g} % of the units is {rate / _PERCENT:g}"
    yield Finding(
        "LK313",
        context.program.span(argument),
        says,
        severity=Severity.INFO if region == "high" else None,
        label="more than half" if region == "high" else "between 0 and 1",
        notes=(_KEPT,) if region in ("high", "one") else (),
    )


_KEPT = Note(
    "note",
    "a rate is the share that is dropped; `keep_prob` of TensorFlow 1 was the share that is kept",
)


def _number(value: Value) -> float | None:
    if isinstance(value, Const) and isinstance(value.value, (int, float)):
        return None if isinstance(value.value, bool) else value.value
    return None


def _region(rate: float) -> str | None:
    """Where a rate is that is less than 0 or more than a half."""
    if rate < 0:
        return "below"
    if rate == 1:
        return "one"
    if rate > 1:
        return "above"
    return "high" if rate > _HALF else None
