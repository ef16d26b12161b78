"""Imports from other files of the project: their names are followed to where they are defined.

A module is evaluated when the first of its names is used, in a namespace of its own; it takes part
in no facts, since its file is linted by itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import libcst as cst

from lintkeras.meaning.state import Scope, State
from lintkeras.meaning.values import Content, Symbol, Value

if TYPE_CHECKING:
    from lintkeras.meaning.interpreter import Interpreter

_MOST_MODULES = 24
"""How many other files are followed for one file."""


class Resolver(Protocol):
    """Finds and parses project files."""

    def locate(self, module: str, importer: str) -> str | None:
        """The file of ``module`` (with leading dots where relative) as ``importer`` imports it."""

    def parse(self, path: str) -> cst.Module | None:
        """The CST of a project file; None where it cannot be read or parsed."""


class Modules:
    """The other files of the project that one run has met. Without a resolver there are none."""

    def __init__(self, resolver: Resolver | None = None, path: str = "") -> None:
        self._resolver = resolver
        self._path = path
        self._scopes: dict[str, Scope | None] = {}

    def symbol(self, run: Interpreter, module: str, member: str | None = None) -> Symbol:
        """What an import binds: a module, or a member of one (which may be a module again)."""
        separator = "" if module.endswith(".") else "."
        path = module if member is None else f"{module}{separator}{member}"
        plain = Symbol(path)
        if self._resolver is None or plain.flavour != "other":
            return plain
        importer = run.scope.module.file or self._path
        inner = self._resolver.locate(path, importer)
        if inner is not None:
            return Symbol(path, inner)
        if member is None:
            return plain
        outer = self._resolver.locate(module, importer)
        return Symbol(path, outer, member) if outer is not None else plain

    def attribute(self, symbol: Symbol, name: str) -> Symbol:
        """``symbol.name``, still to be followed where it is a member of a project file."""
        path = f"{symbol.path}.{name}"
        if symbol.file is None or symbol.member is not None or self._resolver is None:
            return Symbol(path)
        submodule = self._resolver.locate(f".{name}", symbol.file)
        if submodule is not None and symbol.file.endswith("__init__.py"):
            return Symbol(path, submodule)
        return Symbol(path, symbol.file, name)

    def names(self, run: Interpreter, module: str) -> dict[str, Value] | None:
        """What ``from module import *`` binds, where it is a project file."""
        if self._resolver is None or Symbol(module).flavour != "other":
            return None
        file = self._resolver.locate(module, run.scope.module.file or self._path)
        scope = self._load(run, file) if file is not None else None
        if scope is None:
            return None
        return {
            name: self.follow(run, value)
            for name, value in run.bound_in(scope)
            if not name.startswith("_")
        }

    def follow(self, run: Interpreter, value: Value) -> Value:
        """The value behind a member of another file; the symbol itself where it is not found."""
        seen: set[tuple[str, str]] = set()
        while isinstance(value, Symbol) and value.file is not None and value.member is not None:
            place = (value.file, value.member)
            if place in seen:
                break
            seen.add(place)
            scope = self._load(run, value.file)
            found = run.state.find((scope, value.member)) if scope is not None else State.MISSING
            if found is State.MISSING or isinstance(found, (Content, cst.CSTNode)):
                break
            value = found  # type: ignore[assignment]
        return value

    def _load(self, run: Interpreter, file: str) -> Scope | None:
        if file not in self._scopes:
            self._scopes[file] = None  # an import that leads back here finds nothing yet
            if len(self._scopes) <= _MOST_MODULES and self._resolver is not None:
                module = self._resolver.parse(file)
                if module is not None:
                    scope = Scope("module")
                    scope.file = file
                    run.evaluate_module(module, scope)
                    self._scopes[file] = scope
        return self._scopes[file]
