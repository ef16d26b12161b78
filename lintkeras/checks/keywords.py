"""Keyword arguments that a release of Keras does not take, does not read, or reads differently."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import libcst as cst

from lintkeras.checks.calls import Called, calls_of_keras
from lintkeras.checks.inputs import input_in_front
from lintkeras.checks.positions import positional_arguments
from lintkeras.checks.registry import Context, check
from lintkeras.findings import Applicability, Edit, Finding, Fix, Note, Severity
from lintkeras.keras_api.arguments import (
    Entry,
    accepted_until,
    by_callable,
    entry_of,
    is_of_files,
    is_open,
    keras1_signature,
    old_default,
    parameters,
    swallows,
)
from lintkeras.keras_api.releases import Place
from lintkeras.keras_api.replacements import table
from lintkeras.meaning.values import Const, Value
from lintkeras.rewrites import arguments as edits

What = Literal["removed", "refused", "ignored", "warned", "swallowed", "keras1", "unknown"]


@dataclass(frozen=True)
class Verdict:
    """A keyword argument that is not what its author takes it for."""

    called: Called
    keyword: str
    value: Value
    what: What
    entry: Entry | None = None

    @property
    def argument(self) -> cst.Arg | None:
        """The argument in the call; None where it comes out of a ``**``."""
        return self.called.argument(self.keyword)


def verdicts(context: Context) -> tuple[Verdict, ...]:
    """All that is to be said of the keywords of the program's calls."""
    return tuple(
        verdict
        for called in context.once(calls_of_keras)
        for keyword, value in called.keywords
        if (verdict := _verdict(context, called, keyword, value)) is not None
    )


def _verdict(context: Context, called: Called, keyword: str, value: Value) -> Verdict | None:
    releases, callee = context.releases, called.callee
    names = callee.names(releases)
    accepted = called.signature.accepts(keyword)
    if is_of_files(names, keyword):
        return None
    entry = entry_of(names, keyword)
    place, version = callee.place, releases.newest(callee.place.space)
    if entry is not None and entry.is_refused(place, version):
        accepted = False

    def found(what: What, entry: Entry | None = None) -> Verdict:
        return Verdict(called, keyword, value, what, entry)

    if accepted is not False and entry is not None and entry.is_ignored(place, version):
        return found("ignored", entry)
    if accepted:
        if entry is None or not releases.is_keras_3(place):
            return None
        if entry.refuses_value(source_of(value)):
            return found("refused", entry)
        return found("warned", entry) if entry.warns else None
    if is_open(names):
        old = _keras1_entry(context, called, keyword)
        return found("keras1", old) if old is not None else None
    if accepted is None:
        return (
            found("swallowed", entry)
            if swallows(names) and not _is_hook(context, called, keyword)
            else None
        )
    if entry is not None:
        return found("removed", entry)
    if accepted_until(releases, callee, keyword) is not None:
        return found("removed")
    if _is_keras1(context, called, keyword):
        return found("keras1", _keras1_entry(context, called, keyword))
    return found("unknown")


def _keras1_entry(context: Context, called: Called, keyword: str) -> Entry | None:
    """What an argument of Keras 1 is now, if it was one of this call."""
    if not _is_keras1(context, called, keyword):
        return None
    return entry_of(called.callee.names(context.releases), keyword, by_callable("keras1"))


def _is_keras1(context: Context, called: Called, keyword: str) -> bool:
    signature = keras1_signature(context.releases, called.callee)
    return signature is not None and signature.accepts(keyword) is True


def _is_hook(context: Context, called: Called, keyword: str) -> bool:
    """Whether a callback has a method of that name, which ``LambdaCallback`` puts itself in for."""
    hooks = context.releases.class_members(called.callee.place.beside("callbacks.Callback")) or {}
    return called.callee.place.last == "LambdaCallback" and keyword in hooks


def source_of(value: Value) -> str:
    """A constant as source; empty for anything else."""
    return repr(value.value) if isinstance(value, Const) else ""


# ------------------------------------------------------------------ removed, refused, warned of


@check("LK605")
def removed_argument(context: Context) -> Iterator[Finding]:
    """an argument that Keras has removed, renamed or refuses."""
    for one in context.once(verdicts):
        rule = one.entry.rule if one.entry is not None else "LK605"
        if rule == "LK605" and one.what in ("removed", "refused", "ignored", "warned"):
            if not _is_of_files(context, one):
                yield _removed(context, one)
    yield from positional_arguments(context)


def _is_of_files(context: Context, one: Verdict) -> bool:
    """Whether LK613 speaks of an argument: those that chose the formats of files."""
    names = {*one.called.callee.names(context.releases)}
    return any(row["old"] == one.keyword and names & {*row["of"]} for row in table("saving"))


def _removed(context: Context, one: Verdict) -> Finding:
    called, entry = one.called, one.entry
    shown = context.releases.shown(called.callee.place)
    name, written = f"`{called.callee.name}()`", f"`{one.keyword}=`"
    fixes = context.fixes(_fixes, context, one) or _as_input(context, one)
    notes = []
    match one.what:
        case "refused":
            assert entry is not None
            says = f"{name} refuses `{one.keyword}={source_of(one.value)}` in {shown}"
            says += f", {entry.refusal}"
        case "warned":
            assert entry is not None
            says = f"{written} of {name} is deprecated in {shown}, which warns: {entry.warns}"
        case "ignored" if entry is not None and entry.warns:
            says = f"{name} ignores {written} in {shown}, which warns: {entry.warns}"
        case "ignored":
            says = f"{name} ignores {written} in {shown}"
        case _:
            says = f"{name} does not take {written} in {shown}, {error(context, one)}"
    says += _advice(one, fixes)
    if entry is not None and entry.note:
        notes.append(Note("note", entry.note))
    until = accepted_until(context.releases, called.callee, one.keyword)
    if one.what == "removed" and until is not None:
        product = {"tf_keras": "tf_keras"}.get(until[0].space, "Keras")
        line = ".".join(until[1].split(".")[:2])
        notes.append(Note("note", f"{product} {line} is the last release line that takes it"))
    return Finding(
        "LK605",
        context.program.span(one.argument or called.node),
        says,
        severity=Severity.WARNING if entry is not None and entry.warns else None,
        label=f"write `{entry.new}=`" if entry is not None and entry.new else "",
        notes=tuple(notes),
        fixes=fixes,
    )


def _as_input(context: Context, one: Verdict) -> tuple[Fix, ...]:
    """An ``Input`` in front of a layer that was given the shape of its inputs."""
    if one.what != "removed" or one.keyword not in ("batch_input_shape", "input_length"):
        return ()
    safe = context.releases.only_keras_3()
    applicability = Applicability.SAFE if safe else Applicability.UNSAFE
    return context.fixes(input_in_front, context, one.called, applicability)


def _advice(one: Verdict, fixes: tuple[Fix, ...]) -> str:
    if one.entry is not None and one.entry.new:
        return f"; write `{one.entry.new}=`"
    return f"; {fixes[0].title}" if fixes else ""


def error(context: Context, one: Verdict) -> str:
    """What the newest allowed release raises for a keyword that it does not take."""
    called, place = one.called, one.called.callee.place
    if not context.releases.is_keras_3(place):
        return (
            "which raises TypeError"
            if not one.entry or not one.entry.refuses
            else ("which raises ValueError")
        )
    if "**" not in called.signature.signature and not called.callee.method.endswith("evaluate"):
        if called.signature.kind == "class" and not called.signature.signature:
            return "TypeError: it takes no arguments"
        return f"TypeError: got an unexpected keyword argument '{one.keyword}'"
    missing = called.missing()
    if missing:
        many = "s" if len(missing) > 1 else ""
        listed = " and ".join(f"'{name}'" for name in missing)
        return f"TypeError: missing {len(missing)} required positional argument{many}: {listed}"
    names = called.callee.names(context.releases)
    shown = source_of(one.value)
    given = f": {{'{one.keyword}': {shown}}}" if shown else ""
    if "optimizers.Optimizer" in names:
        return f"ValueError: Argument(s) not recognized{given}"
    if "layers.Layer" in names:
        return "ValueError: Unrecognized keyword arguments"
    return "which raises ValueError"


def _fixes(context: Context, one: Verdict) -> Iterator[Fix]:
    """The one way to write it now, if there is one."""
    edit, title = _edit_of(context, one)
    if edit is not None:
        yield Fix("argument", title, _applicability(context, one), (edit,))


def _edit_of(context: Context, one: Verdict) -> tuple[Edit | None, str]:
    called, argument, entry, code = one.called, one.argument, one.entry, context.code
    if argument is None:
        return None, ""
    if entry is not None and entry.new:
        if called.gives(entry.new):
            return None, ""
        return edits.rename(code, argument, entry.new), f"write `{entry.new}=`"
    text = source_of(one.value)
    if entry is not None and text in entry.write:
        new = entry.write[text]
        if called.gives(new.partition("=")[0]):
            return None, ""
        return edits.write(code, argument, new), f"write `{new}`"
    if _may_be_left_out(context, one) and isinstance(called.node, cst.Call):
        return edits.leave_out(code, called.node, argument), f"leave out `{one.keyword}=`"
    return None, ""


def _may_be_left_out(context: Context, one: Verdict) -> bool:
    entry = one.entry
    if entry is not None and entry.needs and not one.called.gives(entry.needs):
        return False
    return (entry is not None and entry.drop) or _is_default(context, one)


def _is_default(context: Context, one: Verdict) -> bool:
    """Whether the value is the one that the argument had when it was not given."""
    text = source_of(one.value)
    if not text or one.what not in ("removed", "keras1"):
        return False
    if one.entry is not None and one.entry.default:
        return text == one.entry.default
    return text == old_default(context.releases, one.called.callee, one.keyword)


def _applicability(context: Context, one: Verdict) -> Applicability:
    """Safe where every allowed release raised, or read the new spelling as it read the old one."""
    entry, releases = one.entry, context.releases
    place = releases.settle(one.called.callee.place)
    if entry is not None and entry.unsafe:
        return Applicability.UNSAFE
    for version in releases.allowed(place.space):
        if not _is_same_in(context, one, place, version):
            return Applicability.UNSAFE
    return Applicability.SAFE


def _is_same_in(context: Context, one: Verdict, place: Place, version: str) -> bool:
    entry = one.entry
    signature = one.called.callee.signature(context.releases, version)
    if signature is None:
        return False
    taken = signature.accepts(one.keyword)
    refused = taken is False or (entry is not None and entry.is_refused(place, version))
    ignored = entry is not None and entry.is_ignored(place, version)
    if entry is not None and entry.new:
        return signature.accepts(entry.new) is True and not ignored
    if one.what == "refused":
        return context.releases.only_keras_3()
    return refused or ignored or _is_default(context, one)


# ------------------------------------------------------------------ swallowed


@check("LK618")
def swallowed_argument(context: Context) -> Iterator[Finding]:
    """a keyword that is taken and that nothing reads."""
    for one in context.once(verdicts):
        known = one.entry is not None and one.entry.rule == "LK618"
        if one.what != "swallowed" and not (known and one.what == "ignored"):
            continue
        shown = context.releases.shown(one.called.callee.place)
        near = f"`{one.entry.new}=`" if one.entry is not None else _nearest(one)
        name = f"`{one.called.callee.name}()`"
        says = f"{name} takes `{one.keyword}=` and does nothing with it in {shown}"
        yield Finding(
            "LK618",
            context.program.span(one.argument or one.called.node),
            says + (f"; {'write' if known else 'did you mean'} {near}" if near else ""),
            notes=(Note("effect", _effect(one, near)),),
            fixes=context.fixes(_fixes, context, one) if known else (),
        )


def _effect(one: Verdict, near: str) -> str:
    defaults = {f"`{p.name}=`": p.default for p in one.called.signature.parameters}
    default = defaults.get(near)
    stays = f"; {near} stays at its default, {default}" if default is not None else ""
    return f"no error and no warning{stays}"


# ------------------------------------------------------------------ unknown


@check("LK610")
def unknown_argument(context: Context) -> Iterator[Finding]:
    """a keyword that is refused, and that no known signature of an earlier release has."""
    for one in context.once(verdicts):
        if one.what != "unknown":
            continue
        near = _nearest(one)
        hint = f"; did you mean {near}" if near else ""
        yield Finding(
            "LK610",
            context.program.span(one.argument or one.called.node),
            f"`{one.called.callee.name}()` has no argument `{one.keyword}` in "
            f"{context.releases.shown(one.called.callee.place)}, {error(context, one)}{hint}",
        )


def _nearest(one: Verdict) -> str:
    """The argument that a misspelt one resembles, or the two that it resembles as much."""
    known = [name for name in parameters(one.called.signature) if not one.called.gives(name)]
    plain = {name.replace("_", ""): name for name in known}
    same = plain.get(one.keyword.replace("_", "").lower())
    if same is not None:
        return f"`{same}=`"
    close = difflib.get_close_matches(one.keyword, known, 3, 0.7)
    ratios = [difflib.SequenceMatcher(None, one.keyword, name).ratio() for name in close]
    alike = [name for name, ratio in zip(close, ratios, strict=True) if ratio > ratios[0] - 0.08]
    return " or ".join(f"`{name}=`" for name in alike) if len(alike) < 3 else ""
