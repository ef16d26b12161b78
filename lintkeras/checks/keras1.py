"""Calls that only Keras 1 takes as they are meant."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import libcst as cst

from lintkeras import keras_api
from lintkeras.checks.calls import Called, calls_of_keras
from lintkeras.checks.fallbacks import is_guarded
from lintkeras.checks.keywords import Verdict, error, source_of, verdicts
from lintkeras.checks.registry import Context, check
from lintkeras.findings import Applicability, Finding, Fix, Note
from lintkeras.keras_api.arguments import Callee, Entry, by_callable, entry_of, keras1_signature
from lintkeras.keras_api.releases import Place, place_of
from lintkeras.keras_api.replacements import by_name
from lintkeras.meaning.facts import CallMade
from lintkeras.meaning.values import Arguments, Const, Symbol
from lintkeras.rewrites.keras1 import OldCall, arguments_of, whole_call
from lintkeras.rewrites.merging import Merging, merged

_FIRST_STRICT = (2, 4)
"""Before that, Keras 2 converted the arguments of Keras 1, with a warning."""


@dataclass(frozen=True)
class _Found:
    """A call in the manner of Keras 1."""

    call: OldCall
    path: str
    """The name that was called, as the program reached it."""
    old: str
    """What is called, inside Keras."""
    new: Place
    keywords: tuple[Verdict, ...] = ()
    silent: bool = False
    """Whether it runs, and means something else."""
    gone: bool = False
    """Whether Keras has no such class any more."""


@check("LK607")
def keras1_name(context: Context) -> Iterator[Finding]:
    """names and argument orders of Keras 1."""
    found = {one.call.node: one for one in (*_old_arguments(context), *_gone_classes(context))}
    calls = {node: one.call for node, one in found.items()}
    for one in found.values():
        yield Finding(
            "LK607",
            context.program.span(_where(one)),
            _message(context, one),
            notes=tuple(_notes(one)),
            fixes=context.fixes(_fixes, context, one, calls),
        )
    merges = {call.node: call for call in _merges(context)}
    for merge in merges.values():
        yield Finding(
            "LK607",
            context.program.span(merge.node.func),
            f"`merge()` of Keras 1 is gone: with this mode it is `{merge.name}()` now",
            fixes=context.fixes(_merge_fixes, context, merge, merges),
        )


def _where(one: _Found) -> cst.CSTNode:
    if one.keywords and one.keywords[0].argument is not None:
        return one.keywords[0].argument
    return one.call.node.func if one.gone else one.call.node


def _message(context: Context, one: _Found) -> str:
    last = one.old.rpartition(".")[2]
    shown = context.releases.shown(one.new)
    if one.silent:
        rows = " and ".join(repr_of(a.value, context) for a in one.call.node.args[1:3])
        return (
            f"`{last}()` takes its third argument as the strides in {shown}, not {rows} as the size "
            f"of the kernel"
        )
    if one.gone:
        return f"`{last}()` of Keras 1 is gone in {shown}: it is `{one.call.name}()` now"
    written = ", ".join(f"`{v.keyword}=`" for v in one.keywords)
    now = ", ".join(
        f"`{v.entry.new}=`" for v in one.keywords if v.entry is not None and v.entry.new
    )
    many = "are arguments" if len(one.keywords) > 1 else "is an argument"
    says = f"{written} {many} of Keras 1 that `{last}()` does not take in {shown}, "
    return says + error(context, one.keywords[0]) + (f"; write {now}" if now else "")


def repr_of(node: cst.BaseExpression, context: Context) -> str:
    """The source of an argument on one line."""
    return context.code.shown(node)


def _notes(one: _Found) -> Iterator[Note]:
    for verdict in one.keywords:
        if verdict.entry is not None and verdict.entry.note:
            yield Note("note", f"`{verdict.keyword}=`: {verdict.entry.note}")
    if one.silent:
        yield Note("effect", "no error: a kernel and strides of that size, and a smaller output")


def _fixes(context: Context, one: _Found, calls: Mapping[cst.Call, OldCall]) -> Iterator[Fix]:
    root = one.path.rpartition(".layers.")[0]
    root = f"{root}.layers" if root else one.path.rpartition(".")[0]
    edits = (
        whole_call(context.code, one.call, calls, root, gone=one.gone)
        if (one.call.name)
        else arguments_of(context.code, one.call)
    )
    if not edits:
        return
    given = (one.call.changed(a.keyword.value) for a in one.call.node.args if a.keyword is not None)
    unsafe = one.silent or any(entry is not None and entry.unsafe for entry in given)
    yield Fix(
        "keras-2",
        f"write `{one.call.name or one.old.rpartition('.')[2]}()` as Keras 2 and 3 take it",
        Applicability.UNSAFE if unsafe else Applicability.SAFE,
        tuple(edits),
    )


# ------------------------------------------------------------------ arguments


def _old_arguments(context: Context) -> Iterator[_Found]:
    """Calls of what there still is, with arguments of Keras 1."""
    by_call: dict[cst.Call, list[Verdict]] = {}
    for verdict in context.once(verdicts):
        if verdict.what == "keras1":
            by_call.setdefault(verdict.called.node, []).append(verdict)
    for called in context.once(calls_of_keras):
        place = called.callee.place
        if place.space == "keras" and context.releases.release_of(place)[:2] < _FIRST_STRICT:
            continue
        keywords = by_call.get(called.node, [])
        silent = not keywords and _is_kernel_by_numbers(called)
        if not keywords and not silent:
            continue
        old = keras1_signature(context.releases, called.callee)
        row = _row(called.callee.place.inside)
        if old is None:
            continue
        path = called.function.path if isinstance(called.function, Symbol) else ""
        alias = row is not None and row["old"] != row["new"] and _last(path) == _last(row["old"])
        names = called.callee.names(context.releases)
        call = OldCall(
            called.node,
            [p.name for p in old.parameters],
            called.signature,
            _last(row["new"]) if row is not None and alias else "",
            row.get("parts", {}) if row is not None else {},
            _Entries(names),
            _values(called.arguments),
        )
        yield _Found(call, path, called.callee.method or called.callee.place.inside,
                     called.callee.place, tuple(keywords), silent=silent)  # fmt: skip


@dataclass(frozen=True)
class _Entries:
    """What the parameters of a callable of Keras 1 are now."""

    names: tuple[str, ...]

    def __call__(self, parameter: str) -> Entry | None:
        return entry_of(self.names, parameter, by_callable("keras1"))


def _row(inside: str) -> dict[str, Any] | None:
    """What became of a class of Keras 1, by that name or by the one that it has now."""
    rows = by_name("keras1_classes")
    return rows.get(inside) or next((r for r in rows.values() if r["new"] == inside), None)


def _last(path: str) -> str:
    return path.rpartition(".")[2]


def _values(arguments: Arguments) -> dict[str, str]:
    return {name: source_of(value) for name, value in arguments.keywords}


def _is_kernel_by_numbers(called: Called) -> bool:
    """``Convolution2D(64, 3, 3)``: the name of Keras 1, and its order of arguments.

    ``Conv2D(64, 3, 3)`` may mean strides.
    """
    row = _row(called.callee.place.inside)
    if row is None or row["old"] == row["new"] or called.callee.method:
        return False
    count = sum(map(len, row.get("parts", {}).values()))
    given: Sequence[object] = called.arguments.positional[1:]
    plain = called.positional
    return (
        count > 1
        and plain is not None
        and len(given) >= count
        and len(plain) == len(given) + 1
        and all(isinstance(v, Const) and type(v.value) is int for v in given[:count])
    )


# ------------------------------------------------------------------ classes that are options now


def _gone_classes(context: Context) -> Iterator[_Found]:
    """Calls of classes of Keras 1 that are another class with an argument more."""
    for group in context.facts.calls(CallMade):
        node, function = group[0].node, group[0].function
        if not isinstance(function, Symbol) or not context.program.owns(node):
            continue
        place = place_of(function.path)
        row = _row(place.inside) if place is not None else None
        if place is None or row is None or context.releases.symbol(place) is not None:
            continue
        old = keras_api.space("keras").symbol(f"keras.{row['old']}", "1.2.2")
        new = place.beside(row["new"])
        signature = context.releases.symbol(new)
        same = all(one.function == function and one.arguments == group[0].arguments
                   for one in group)  # fmt: skip
        if old is None or signature is None or not same:
            continue
        if any(is_guarded(context, node, one.tests) for one in group):
            continue
        call = OldCall(
            node,
            [p.name for p in old.parameters],
            signature,
            _last(row["new"]),
            row.get("parts", {}),
            _Entries(Callee(new).names(context.releases)),
            _values(group[0].arguments),
        )
        yield _Found(call, function.path, row["old"], new, gone=True)


# ------------------------------------------------------------------ merge(layers, mode=...)


def _merges(context: Context) -> Iterator[Merging]:
    """Calls of ``merge`` whose mode is known."""
    for group in context.facts.calls(CallMade):
        node, function = group[0].node, group[0].function
        if not isinstance(function, Symbol) or not context.program.owns(node):
            continue
        place = place_of(function.path)
        if place is None or place.inside not in ("layers.merge", "layers.merge.merge"):
            continue
        found = context.releases.symbol(place)
        if found is not None and found.kind == "function":
            continue
        modes = {_mode(one) for one in group}
        row = by_name("keras1_modes").get(modes.pop() or "")
        if row is None or modes or any(is_guarded(context, node, one.tests) for one in group):
            continue
        yield Merging(node, _last(row["new"]), row.get("rename", {}), row.get("add", {}))


def _mode(call: CallMade) -> str | None:
    """The mode of a ``merge``; None where it is not known."""
    value = call.arguments.get("mode", 1)
    if value is None:
        return "sum"
    return value.value if isinstance(value, Const) and isinstance(value.value, str) else None


def _merge_fixes(
    context: Context, call: Merging, calls: Mapping[cst.Call, Merging]
) -> Iterator[Fix]:
    edits = merged(context.code, call, calls)
    if edits:
        yield Fix("keras-2", f"write `{call.name}()`", Applicability.SAFE, tuple(edits))
