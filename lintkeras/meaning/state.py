"""The state of the interpreter: what each name, attribute and list holds at one point.

A state is a stack of overlays. A branch runs on an overlay of its own; where branches meet, only
what they wrote is compared. Only the top overlay is ever written to, so a lookup costs the depth
of nesting and a join costs the size of the change: the whole stays linear in the file.
"""

from __future__ import annotations

import builtins
from collections.abc import Iterable
from typing import TypeAlias

import libcst as cst

from lintkeras.meaning.values import (
    LOST,
    OPAQUE,
    UNKNOWN,
    Class,
    Content,
    Instance,
    Items,
    Symbol,
    Unknown,
    Value,
    any_of,
    join,
    join_content,
    join_items,
    lost_track,
)

Key: TypeAlias = tuple[object, ...]
Cell: TypeAlias = "Value | Content | cst.CSTNode | None"
Changes: TypeAlias = dict[Key, Cell]
Journal: TypeAlias = dict[Key, Cell]
"""For each key that was written, the join of all that it held."""

_MISSING = object()
BUILTINS = frozenset(dir(builtins))


class Scope:
    """A namespace: the module, a function call, a class body, a comprehension.

    ``calls`` is the chain of call sites that led here; it tells objects made by one line in two
    calls apart.
    """

    __slots__ = ("calls", "cls", "declared", "file", "function", "kind", "parent")

    def __init__(
        self,
        kind: str,
        parent: Scope | None = None,
        calls: tuple[object, ...] = (),
        function: cst.FunctionDef | cst.Lambda | None = None,
    ) -> None:
        self.kind = kind
        self.parent = parent
        self.calls = calls
        self.function = function
        self.cls: Class | None = None
        """Of a class body: the class."""
        self.file: str | None = None
        """Of a module: where it stands, if it is another file than the one at hand."""
        self.declared: dict[str, Scope] = {}
        """Names declared ``global`` or ``nonlocal``, with the scope they belong to."""

    @property
    def module(self) -> Scope:
        """The namespace of the module around it."""
        scope = self
        while scope.parent is not None:
            scope = scope.parent
        return scope


class State:
    """One overlay above ``below``."""

    __slots__ = ("below", "bottom", "cells", "lost")

    def __init__(self, below: State | None = None) -> None:
        self.below = below
        self.bottom: State = self if below is None else below.bottom
        self.cells: Changes = {}
        self.lost = False
        """Of the bottom: whether nothing is known any more, from here to the end."""

    def find(self, key: Key) -> Cell | object:
        """The cell's content, or ``State.MISSING``."""
        state: State | None = self
        while state is not None:
            if key in state.cells:
                return _nothing_of(state.cells[key]) if self.bottom.lost else state.cells[key]
            state = state.below
        return _MISSING

    MISSING = _MISSING

    def before(self, key: Key) -> Cell | object:
        """What a cell holds, or what it means while it holds nothing; else ``State.MISSING``."""
        found = self.find(key)
        return self.inherited(key) if found is _MISSING else found

    def inherited(self, key: Key) -> Cell | object:
        """What a name or an attribute means while it is not bound: a builtin, the class's own."""
        owner, name, *_ = key
        if isinstance(owner, Scope) and owner.kind == "module" and name in BUILTINS:
            return Symbol(f"builtins.{name}")
        if isinstance(owner, Instance) and isinstance(owner.cls, Class):
            for ancestor in owner.cls.lineage:
                if isinstance(ancestor, Class):
                    found = self.find((ancestor.scope, name))
                    if found is not _MISSING:
                        return found
        return _MISSING

    def changes_since(self, base: State) -> Changes:
        """All that was written above ``base``, the newest of each."""
        layers = []
        state: State | None = self
        while state is not None and state is not base:
            layers.append(state.cells)
            state = state.below
        merged: Changes = {}
        for cells in reversed(layers):
            merged.update(cells)
        return merged

    def merge(self, paths: Iterable[Changes]) -> None:
        """Write what holds after one of ``paths`` (each relative to this state) was taken."""
        paths = list(paths)
        if len(paths) == 1:
            self.cells.update(paths[0])
            return
        merged: Changes = {}
        for key in dict.fromkeys(key for path in paths for key in path):
            before = self.before(key)
            cells = [path.get(key, before) for path in paths]
            known = [cell for cell in cells if cell is not _MISSING]
            marks = any(isinstance(cell, cst.CSTNode) for cell in known)
            # A mark ("this tape was used") that one path never set does not hold after the join.
            merged[key] = None if marks and len(known) < len(cells) else join_cells(known)
        self.cells.update(merged)


def _nothing_of(cell: Cell) -> Cell:
    """What a cell is where nothing is known any more."""
    if isinstance(cell, Content):
        return OPAQUE
    if isinstance(cell, Items):
        return LOST
    return None if cell is None or isinstance(cell, cst.CSTNode) else UNKNOWN


def lost(cell: Cell) -> Cell:
    """What is left of a cell when anything may have been written to it."""
    if isinstance(cell, Content):
        return any_of(*cell.entries)
    if isinstance(cell, Items):
        return cell.lost()
    if cell is None or isinstance(cell, cst.CSTNode):
        return None
    if isinstance(cell, Unknown) and not cell.may_be:
        return UNKNOWN
    return lost_track([cell])


def join_cells(cells: list[Cell | object]) -> Cell:
    """The join of one cell over several paths (paths that never wrote it left out)."""
    known = [cell for cell in cells if cell is not _MISSING]
    result = known[0] if known else None
    for cell in known[1:]:
        if isinstance(result, Content) and isinstance(cell, Content):
            result = join_content(result, cell)
        elif isinstance(result, Items) and isinstance(cell, Items):
            result = join_items(result, cell)
        elif (
            isinstance(result, cst.CSTNode)
            or isinstance(cell, cst.CSTNode)
            or None in (result, cell)
        ):
            result = result if result is cell else None
        elif isinstance(result, Content) or isinstance(cell, Content):
            result = Unknown()
        else:
            result = join(result, cell)  # type: ignore[arg-type]
    return result  # type: ignore[return-value]
