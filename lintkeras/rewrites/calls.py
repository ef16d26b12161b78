"""Calls of functions that are gone, written anew as their entry in a table of replacements says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import libcst as cst

from lintkeras.findings import Edit
from lintkeras.keras_api import Parameter
from lintkeras.keras_api.releases import Place, Releases
from lintkeras.rewrites import imports
from lintkeras.rewrites.code import Code
from lintkeras.rewrites.imports import Library
from lintkeras.rewrites.templates import Template, rewritten, template

_BY_ROOT = frozenset({"keras.random", "keras.config"})
"""Modules whose own name means something else in most programs."""


@dataclass(frozen=True)
class Entry:
    """What a table says of a function: see the head of ``replacements/backend.toml``."""

    data: Mapping[str, Any]
    parameters: tuple[Parameter, ...]
    """Of the function that is gone."""

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the parameters."""
        return tuple(p.name for p in self.parameters if p.kind in ("positional", "keyword"))

    def text(self, key: str) -> str:
        """A text of the entry; empty where it has none."""
        return str(self.data.get(key, ""))

    @property
    def templates(self) -> tuple[Template, ...]:
        """The new calls, first the one to take where it takes all that was given."""
        found = self.data.get("new", [])
        return tuple(map(template, [found] if isinstance(found, str) else found))


@dataclass(frozen=True)
class Rewriting:
    """How a place is written anew."""

    edits: tuple[Edit, ...]
    lines: frozenset[str]
    """The imports that it needs."""
    template: Template
    names: frozenset[str] = frozenset()
    """The names of the module that it reads."""
    everywhere: bool = True
    """Whether all allowed releases have what it names."""


@dataclass
class Writer:
    """Writes library names at one place of a program, and remembers what has to be imported."""

    code: Code
    releases: Releases
    anchor: cst.Name
    """A name at that place, which says what is visible there."""
    lines: set[str] = field(default_factory=set)
    names: set[str] = field(default_factory=set)
    everywhere: bool = True
    possible: bool = True

    def write(self, path: str) -> str:
        """A dotted library name (``keras.ops.clip``) as it can be written here."""
        module, _, name = path.rpartition(".")
        place = Place("keras", path)
        if module.startswith("keras") and self.releases.symbol(place) is None:
            self.possible = False
        elif module.startswith("keras") and not self.releases.everywhere(place):
            self.everywhere = False
        found = self._reach(module)
        if found is None:
            self.possible = False
            return path
        if found.missing is not None:
            self.lines.add(found.missing)
        self.names.add(found.expression.partition(".")[0])
        return f"{found.expression}.{name}"

    def _reach(self, module: str) -> Library | None:
        before = self.code.program.top_level_statement(self.anchor)
        root = module.partition(".")[0]
        ways: list[Library] = []
        if module not in _BY_ROOT or self._is_named(module):
            ways.append(imports.reach(self.code, module, before))
        found = imports.library(self.code, root, before)
        ways.append(Library(found.expression + module[len(root) :], found.missing))
        return next((way for way in ways if self._is_visible(way)), None)

    def _is_named(self, module: str) -> bool:
        return any(getattr(v, "path", "") == module for v in self.code.facts.names.values())

    def _is_visible(self, way: Library) -> bool:
        """Whether the name is not hidden by another one at that place."""
        name, names = way.expression.partition(".")[0], self.code.names
        variable = names.find(name)
        if variable is not None and variable.stores:
            return names.sees(self.anchor, variable)
        return not names.is_bound(name)


def bound(call: cst.Call, parameters: Sequence[str]) -> dict[str, cst.Arg] | None:
    """The argument for each parameter; None where that cannot be said."""
    given: dict[str, cst.Arg] = {}
    for position, argument in enumerate(call.args):
        if argument.star or (argument.keyword is None and position >= len(parameters)):
            return None
        name = parameters[position] if argument.keyword is None else argument.keyword.value
        if name not in parameters or name in given:
            return None
        given[name] = argument
    return given


def rewrite_call(
    writer: Writer, call: cst.Call, entry: Entry, templates: Sequence[Template]
) -> Rewriting | None:
    """A call written anew by the first template that takes all that it was given."""
    given = bound(call, entry.names)
    if given is None or any(name not in given for name in entry.data.get("needs", ())):
        return None
    values = _values(entry.data.get("values", {}), given)
    if values is None:
        return None
    item = _item(writer.code, call) if entry.text("item") else None
    for wanted in [template(entry.text("item"))] if item is not None else templates:
        dropped = set(entry.data.get("drop", ()))
        used = {name for name in given if name in wanted.parameters}
        if set(given) - used - dropped:
            continue
        kept = {name: given[name] for name in used}
        if set(given) != used and any(
            any(writer.code.comments(given[name])) for name in set(given) - used
        ):
            return None
        if item is not None:
            subscript, index = item
            edits = rewritten(
                writer.code, call, wanted, kept | {"i": index}, writer.write, {}, subscript
            )
        else:
            edits = rewritten(writer.code, call, wanted, kept, writer.write, values)
        return _made(writer, edits, wanted)
    return None


def rewrite_name(
    writer: Writer, node: cst.BaseExpression, entry: Entry, templates: Sequence[Template]
) -> Rewriting | None:
    """A function that is handed on (``map(K.square, xs)``), where the new one does just the same."""
    if not templates or any(entry.text(key) for key in ("unsafe", "changes", "unless")):
        return None
    (wanted, *_) = templates
    if not wanted.is_transparent(entry.names, entry.data.get("drop", ())):
        return None
    return _made(writer, [writer.code.replace(node, writer.write(wanted.function))], wanted)


def _made(writer: Writer, edits: list[Edit] | None, wanted: Template) -> Rewriting | None:
    if edits is None or not writer.possible:
        return None
    return Rewriting(
        tuple(edits), frozenset(writer.lines), wanted, frozenset(writer.names), writer.everywhere
    )


def _values(
    wanted: Mapping[str, Mapping[str, str]], given: Mapping[str, cst.Arg]
) -> dict[str, str] | None:
    """The new texts of arguments that are strings with another spelling; None for other ones."""
    found: dict[str, str] = {}
    for name, spellings in wanted.items():
        if name not in given:
            continue
        value = given[name].value
        if not isinstance(value, cst.SimpleString) or value.evaluated_value not in spellings:
            return None
        found[name] = f"{value.quote}{spellings[str(value.evaluated_value)]}{value.quote}"
    return found


def _item(code: Code, call: cst.Call) -> tuple[cst.Subscript, cst.Arg] | None:
    """One entry of the result, where only that is taken: the expression, the index."""
    parent = code.program.parent(call)
    match parent:
        case cst.Subscript(value=value, slice=[cst.SubscriptElement(slice=cst.Index(value=index))]):
            whole = isinstance(index, cst.Integer) or (
                isinstance(index, cst.UnaryOperation) and isinstance(index.expression, cst.Integer)
            )
            if value is call and whole and not call.lpar:
                return parent, cst.Arg(index)
    return None
