"""Strings that name a loss, a metric, a regularizer or a constraint that goes by another name now."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import libcst as cst

from lintkeras.checks.calls import Called, calls_of_keras
from lintkeras.checks.registry import Context
from lintkeras.findings import Applicability, Finding, Fix
from lintkeras.keras_api.replacements import table

_FAMILIES = {"loss": "losses", "metrics": "metrics", "weighted_metrics": "metrics"}
_SUFFIXES = {"_regularizer": "regularizers", "_constraint": "constraints"}
_ONE = {"losses": "loss", "metrics": "metric", "regularizers": "regularizer",
        "constraints": "constraint"}  # fmt: skip


def removed_strings(context: Context) -> Iterator[Finding]:
    """``loss="logcosh"``: a string that Keras 3 does not look up any more."""
    entries = {(entry["family"], entry["old"]): entry for entry in table("strings")}
    for called in context.once(calls_of_keras):
        if not context.releases.is_keras_3(called.callee.place):
            continue
        for family, argument in _given(called):
            for literal in _literals(argument.value):
                entry = entries.get((family, str(literal.evaluated_value)))
                if entry is not None:
                    yield _finding(context, called, literal, entry)


def _given(called: Called) -> Iterator[tuple[str, cst.Arg]]:
    """The arguments that are looked up by name, and in which family."""
    plain = [p.name for p in called.signature.parameters if p.kind == "positional"]
    for name, argument in zip(plain, called.positional or (), strict=False):
        family = _family(name)
        if family is not None:
            yield family, argument
    for argument in called.given:
        if argument.keyword is not None:
            family = _family(argument.keyword.value)
            if family is not None:
                yield family, argument


def _family(parameter: str) -> str | None:
    found = (f for suffix, f in _SUFFIXES.items() if parameter.endswith(suffix))
    return _FAMILIES.get(parameter) or next(found, None)


def _literals(node: cst.BaseExpression) -> Iterator[cst.SimpleString]:
    """The strings of an argument: itself, or those of a list or dictionary, one for each output."""
    match node:
        case cst.SimpleString():
            yield node
        case cst.List(elements=elements) | cst.Tuple(elements=elements):
            for element in elements:
                yield from _literals(element.value)
        case cst.Dict(elements=pairs):
            for pair in pairs:
                yield from _literals(pair.value)


def _finding(
    context: Context, called: Called, literal: cst.SimpleString, entry: dict[str, Any]
) -> Finding:
    old, new, one = entry["old"], entry["new"], _ONE[entry["family"]]
    written = context.code.text(literal).replace(old, new)
    fix = Fix(
        "rename", f"write `{written}`", Applicability.SAFE,
        (context.code.replace(literal, written),),
    )  # fmt: skip
    return Finding(
        "LK602",
        context.program.span(literal),
        f'"{old}" names no {one} in {context.releases.shown(called.callee.place)}, ValueError: '
        f'Could not interpret {one} identifier: {old}; write "{new}"',
        fixes=(fix,),
    )
