"""Functions that ``keras.backend`` of Keras 3 does not have: ``K.mean``, ``K.clip``, ``K.function``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache

import libcst as cst

from lintkeras import keras_api
from lintkeras.checks.fallbacks import is_guarded
from lintkeras.checks.registry import Context, check
from lintkeras.findings import Applicability, Edit, Finding, Fix, Note
from lintkeras.keras_api.releases import Place, place_of
from lintkeras.keras_api.replacements import by_name
from lintkeras.meaning.facts import CallMade, SymbolUse
from lintkeras.meaning.kinds import class_of
from lintkeras.meaning.signs import is_floating, is_nonnegative
from lintkeras.meaning.values import Arguments, Const, Member, Value
from lintkeras.rewrites.calls import Entry, Rewriting, Writer, rewrite_call, rewrite_name
from lintkeras.rewrites.imports import add
from lintkeras.rewrites.templates import Template, template
from lintkeras.rewrites.unused_imports import Reader, alias_bound, removed_names

SESSIONS = frozenset({"get_session", "set_session"})
_RATES = frozenset({"lr", "learning_rate"})
_UNLESS = {"float": is_floating, "nonnegative": is_nonnegative}


@dataclass(frozen=True)
class Use:
    """One place where a program reaches a function of the backend that is gone."""

    node: cst.Attribute | cst.ImportAlias
    place: Place
    entry: Entry | None
    changes: bool
    """Whether the function that took its place computes something else."""
    written: Rewriting | None
    """How the place can be written (None for an import: its uses are written)."""
    root: cst.Name | None = None
    """The name that the backend is reached by."""
    reason: str = ""
    """Why a person should look at it."""


@check("LK604")
def removed_backend_function(context: Context) -> Iterator[Finding]:
    """A function of ``keras.backend`` that the target does not have."""
    yield from _findings(context, "LK604")


@check("LK622")
def changed_default(context: Context) -> Iterator[Finding]:
    """The same where the function in its place does not compute the same."""
    yield from _findings(context, "LK622")


def _findings(context: Context, rule: str) -> Iterator[Finding]:
    uses = list(_uses(context))
    for use in uses:
        if use.changes == (rule == "LK622"):
            yield Finding(
                rule,
                context.program.span(use.node),
                _message(context, use),
                label=_label(use),
                notes=_notes(use),
                fixes=context.fixes(_fixes, context, use, uses),
            )


# ---------------------------------------------------------------------------- what is gone


def _uses(context: Context) -> Iterator[Use]:
    calls = {group[0].node: group for group in context.facts.groups(CallMade)}
    for group in context.facts.groups(SymbolUse):
        node, symbol = group[0].node, group[0].symbol
        if isinstance(node, cst.ImportFrom) or any(u.symbol.path != symbol.path for u in group):
            continue
        place = gone_from_backend(context, symbol.path)
        if place is None or place.last in SESSIONS or not context.program.owns(node):
            continue
        if any(is_guarded(context, node, use.tests) for use in group):
            continue
        if isinstance(node, cst.ImportAlias):
            yield _import_use(context, node, place, calls)
        else:
            yield _attribute_use(context, node, place, calls)


def gone_from_backend(context: Context, path: str) -> Place | None:
    """The place of a function that some release had in its backend, and the target has not."""
    place = place_of(path)
    if place is None or place.inside.count(".") != 1 or not place.inside.startswith("backend."):
        return None
    if context.releases.missing(place) != context.releases.settle(place):
        return None
    return place if _known(place.inside) else None


@cache
def _known(inside: str) -> bool:
    """Whether a release had it, as what is no module."""
    for name in ("keras", "tf.keras"):
        space = keras_api.space(name)
        last = space.last_seen(f"{name}.{inside}")
        found = space.symbol(f"{name}.{inside}", last) if last is not None else None
        if found is not None:
            return found.kind != "module"
    return False


@cache
def entry_of(inside: str) -> Entry | None:
    """What the table says of a function of the backend."""
    data = by_name("backend").get(inside)
    if data is None:
        return None
    space = keras_api.space("keras")
    found = space.symbol(f"keras.{inside}", space.last_seen(f"keras.{inside}"))
    return Entry(data, found.parameters if found is not None else ())


def _attribute_use(
    context: Context,
    node: cst.Attribute,
    place: Place,
    calls: dict[cst.Call, list[CallMade]],
) -> Use:
    entry = entry_of(place.inside)
    root = node.value
    while isinstance(root, cst.Attribute):
        root = root.value
    if not isinstance(root, cst.Name):
        return Use(node, place, entry, bool(entry and entry.text("changes")), None)
    use = _written(context, node, root, entry, calls)
    return replace(use, place=place, root=root)


def _written(
    context: Context,
    node: cst.Attribute | cst.Name,
    anchor: cst.Name,
    entry: Entry | None,
    calls: dict[cst.Call, list[CallMade]],
) -> Use:
    """How a place that reaches the function can be written."""
    place = Place("keras", "keras")  # the caller says it
    at = node if isinstance(node, cst.Attribute) else cst.Attribute(node, cst.Name("x"))
    if entry is None:
        return Use(at, place, entry, False, None)
    writer = Writer(context.code, context.releases, anchor)
    parent = context.program.parent(node)
    if not (isinstance(parent, cst.Call) and parent.func is node):
        written = rewrite_name(writer, node, entry, entry.templates)
        return Use(at, place, entry, bool(entry.text("changes")), written)
    given = [made.arguments for made in calls.get(parent, ())]
    templates, changes, reason = entry.templates, bool(entry.text("changes")), entry.text("unsafe")
    first = _first_values(given, entry)
    unless = _UNLESS.get(entry.text("unless"))
    if unless is not None and first and all(map(unless, first)):
        changes = False
        templates = (template(entry.text("then")),) if entry.text("then") else templates
    rate = parent.args[0].value if entry.text("rate") and parent.args else None
    known = rate is not None and bool(first) and all(map(_is_learning_rate, first))
    if known or (isinstance(rate, cst.Attribute) and rate.attr.value == "lr"):
        templates, reason = (template(entry.text("rate")),), "" if known else reason
    written = rewrite_call(writer, parent, entry, templates)
    if written is not None and isinstance(rate, cst.Attribute) and rate.attr.value == "lr":
        renamed = context.code.replace(rate.attr, "learning_rate")
        written = replace(written, edits=(*written.edits, renamed))
    if (
        entry.text("item")
        and written is not None
        and isinstance(context.program.parent(parent), cst.Subscript)
    ):
        reason = ""
    return Use(at, place, entry, changes, written, None, reason)


def _first_values(given: list[Arguments], entry: Entry) -> list[Value]:
    """The first argument, each time that a call was reached."""
    if not entry.names:
        return []
    found = [arguments.get(entry.names[0], 0) for arguments in given]
    return [value for value in found if value is not None]


def _is_learning_rate(value: Value) -> bool:
    """Whether a value is the learning rate of an optimizer of Keras."""
    if not isinstance(value, Member) or value.name not in _RATES:
        return False
    if isinstance(value.of, Const):
        return isinstance(value.of.value, str)  # compile(optimizer="adam") makes one of it
    symbol = class_of(value.of)
    return symbol is not None and symbol.name.startswith("keras.optimizers.")


def _import_use(
    context: Context,
    node: cst.ImportAlias,
    place: Place,
    calls: dict[cst.Call, list[CallMade]],
) -> Use:
    """An import of the name, with all that is done with it."""
    entry = entry_of(place.inside)
    bound = alias_bound(node)
    variable = context.code.names.variable(bound) if bound is not None else None
    statement = context.program.parent(node)
    if variable is None or not isinstance(statement, cst.ImportFrom):
        return Use(node, place, entry, False, None)
    uses = [_written(context, load, load, entry, calls) for load in variable.loads]
    changes = any(use.changes for use in uses)
    reason = next((use.reason for use in uses if use.reason), "")
    made = [use.written for use in uses if use.written is not None]
    alone = len(variable.stores) == 1 and not variable.deleted and bool(made)
    written = None
    if alone and len(made) == len(uses):
        written = Rewriting(
            tuple(edit for one in made for edit in one.edits),
            frozenset(line for one in made for line in one.lines),
            made[0].template,
            frozenset(name for one in made for name in one.names),
            all(one.everywhere for one in made),
        )
    return Use(node, place, entry, changes, written, None, reason)


# ---------------------------------------------------------------------------- what is said


def _message(context: Context, use: Use) -> str:
    name = context.program.text(use.node)
    shown, place = context.releases.shown(use.place), use.place
    module = backend_module(context, place)
    if isinstance(use.node, cst.ImportAlias):
        name = place.last
        raises = f"importing `{name}` raises ImportError in {shown}"
        text = f"cannot import name '{place.last}' from '{module}'" if module else ""
    else:
        raises = f"`{name}` raises AttributeError in {shown}"
        text = f"module '{module}' has no attribute '{place.last}'" if module else ""
    text = f" ({text})" if text else ""
    if use.changes and use.entry is not None:
        return f"{raises}{text}, and {use.entry.text('changes').replace('`K.', '`keras.backend.')}"
    return f"{raises}{text}{_advice(use)}"


def _advice(use: Use) -> str:
    if use.entry is None:
        return ""
    wanted = _wanted(use)
    if use.written is not None and wanted is not None:
        return f"; write `{wanted.shown}`"
    note = use.entry.text("note")
    if note:
        return f"; {note}"
    return f"; `{wanted.shown}` took its place" if wanted is not None else ""


def _wanted(use: Use) -> Template | None:
    if use.written is not None:
        return use.written.template
    return next(iter(use.entry.templates if use.entry is not None else ()), None)


def backend_module(context: Context, place: Place) -> str:
    """The module as error messages of the target name it; empty where that is not known."""
    place = context.releases.settle(place)
    if place.space == "keras":
        return "keras.backend"
    if place.space == "tf.keras" and context.releases.is_keras_3(place):
        return "keras._tf_keras.keras.backend"
    return ""


def _label(use: Use) -> str:
    return "no longer there"


def _notes(use: Use) -> tuple[Note, ...]:
    found: list[Note] = []
    if use.reason:
        found.append(Note("effect", use.reason))
    return tuple(found)


# ---------------------------------------------------------------------------- what to write


def _fixes(context: Context, use: Use, uses: list[Use]) -> Iterator[Fix]:
    if use.written is None or use.entry is None:
        return
    if isinstance(use.node, cst.ImportAlias):
        yield from _import_fixes(context, use, uses)
        return
    code = context.code
    top = context.program.top_level_statement(use.node)
    edits = [*use.written.edits]
    lines = sorted(use.written.lines)
    group = None
    reader = Reader(code, use.root) if use.root is not None else None
    if reader is not None and reader.removable():
        served = [
            u
            for u in uses
            if u.written is not None
            and u.root in reader.loads
            and reader.name not in u.written.names
        ]
        places = sorted(code.start(u.node) for u in served)
        if len(served) == len(reader.loads):
            if len(served) == 1:
                edits += reader.removal(lines)
                lines = lines if not reader.replaces(lines) else []
            elif code.start(use.node) in (places[0], places[-1]):
                group = f"import {reader.name}"  # the last use waits: with it goes the import
    edits += [code.insert(one) for one in add(code, lines, top)]
    yield Fix("ops", _title(context, use), _applicability(use), tuple(edits), group=group)


def _applicability(use: Use) -> Applicability:
    assert use.written is not None
    safe = not use.changes and not use.reason and use.written.everywhere
    return Applicability.SAFE if safe else Applicability.UNSAFE


def _title(context: Context, use: Use) -> str:
    wanted = _wanted(use)
    assert wanted is not None
    return f"write `{wanted.shown}` for `{context.code.shown(use.node)}`"


def _import_fixes(context: Context, use: Use, uses: list[Use]) -> Iterator[Fix]:
    """All names of one import that can be written in the same way go together."""
    statement = context.program.parent(use.node)
    assert isinstance(statement, cst.ImportFrom)
    together = [
        other
        for other in uses
        if isinstance(other.node, cst.ImportAlias)
        and context.program.parent(other.node) is statement
        and other.written is not None
        and other.changes == use.changes
        and _applicability(other) == _applicability(use)
    ]
    rewritings = [other.written for other in together if other.written is not None]
    lines = sorted({line for one in rewritings for line in one.lines})
    aliases = [other.node for other in together if isinstance(other.node, cst.ImportAlias)]
    removed = removed_names(context.code, statement, aliases, lines)
    if removed is None:
        return
    edits: list[Edit] = [edit for one in rewritings for edit in one.edits]
    edits += removed
    names = " and ".join(f"`{other.place.last}`" for other in together)
    yield Fix("ops", f"write {names} without the backend", _applicability(use), tuple(edits))
