"""Imports that a fix leaves without a use: who reads the name, and how the import goes."""

from __future__ import annotations

from collections.abc import Sequence

import libcst as cst

from lintkeras.findings import Edit
from lintkeras.meaning.values import Symbol
from lintkeras.rewrites.code import Code
from lintkeras.rewrites.imports import add


def alias_bound(alias: cst.ImportAlias) -> cst.Name | None:
    """The name that an import binds."""
    bound: cst.CSTNode = alias.asname.name if alias.asname is not None else alias.name
    while isinstance(bound, cst.Attribute):
        bound = bound.value
    return bound if isinstance(bound, cst.Name) else None


class Reader:
    """What reads a name that an import of one module binds (``K``, ``backend``)."""

    def __init__(self, code: Code, name: cst.Name) -> None:
        self._code = code
        self.name = name.value
        variable = code.names.variable(name)
        self.loads: list[cst.Name] = list(variable.loads) if variable is not None else []
        self._alias: cst.ImportAlias | None = None
        self._statement: cst.Import | cst.ImportFrom | None = None
        if variable is not None and len(variable.stores) == 1 and not variable.deleted:
            self._find(variable.stores[0])

    def _find(self, store: cst.Name) -> None:
        for ancestor in self._code.program.ancestors(store):
            if isinstance(ancestor, cst.ImportAlias):
                self._alias = ancestor
            elif isinstance(ancestor, (cst.Import, cst.ImportFrom)):
                self._statement = ancestor
                return
            elif isinstance(ancestor, cst.BaseSmallStatement):
                return

    def removable(self) -> bool:
        """Whether the import can go once nothing reads the name.

        It binds the module itself, stands at the level of the module on a line of its own, and no
        text of the program, nor a name read by its spelling, can mean it.
        """
        code, statement, alias = self._code, self._statement, self._alias
        if statement is None or alias is None or code.names.opaque:
            return False
        if isinstance(statement, cst.Import) and alias.asname is None:
            return False  # `import keras.backend` binds keras
        held = code.facts.names.get(self.name)
        line = code.program.parent(statement)
        return (
            isinstance(held, Symbol)
            and isinstance(line, cst.SimpleStatementLine)
            and isinstance(code.program.parent(line), cst.Module)
            and len(line.body) == 1
            and not any(code.comments(line))
            and not _is_told(code, self.name)
        )

    def replaces(self, lines: Sequence[str]) -> bool:
        """Whether the import goes as a whole and other ones take its place."""
        return bool(lines) and self._statement is not None and _count(self._statement) == 1

    def removal(self, lines: Sequence[str]) -> list[Edit]:
        """The edits that remove the import; ``lines`` stand in its place where they replace it."""
        statement, alias = self._statement, self._alias
        assert statement is not None and alias is not None
        if self.replaces(lines):
            return [self._code.replace(statement, "\n".join(lines))]
        if _count(statement) == 1:
            edit = self._code.delete(statement)
            return [] if edit is None else [edit]
        return _without(self._code, statement, [alias])


def removed_names(
    code: Code, statement: cst.ImportFrom, aliases: Sequence[cst.ImportAlias], lines: Sequence[str]
) -> list[Edit] | None:
    """The edits that take names out of an import and add other imports."""
    line = code.program.parent(statement)
    if not isinstance(line, cst.SimpleStatementLine) or len(line.body) != 1:
        return None
    if any(code.comments(statement)):
        return None
    if len(aliases) == _count(statement):
        if lines:
            if not isinstance(code.program.parent(line), cst.Module):
                return None
            return [code.replace(statement, "\n".join(lines))]
        edit = None if any(code.comments(line)) else code.delete(statement)
        return None if edit is None else [edit]
    top = code.program.top_level_statement(statement)
    added = [code.insert(one) for one in add(code, list(lines), top)]
    return [*_without(code, statement, aliases), *added]


def _count(statement: cst.Import | cst.ImportFrom) -> int:
    return 0 if isinstance(statement.names, cst.ImportStar) else len(statement.names)


def _without(
    code: Code, statement: cst.Import | cst.ImportFrom, aliases: Sequence[cst.ImportAlias]
) -> list[Edit]:
    """The names of an import that stay, written anew."""
    assert not isinstance(statement.names, cst.ImportStar)
    gone = {id(alias) for alias in aliases}
    kept = [alias for alias in statement.names if id(alias) not in gone]
    text = ", ".join(code.text(alias).rstrip(", \t") for alias in kept)
    return [code.replace_all(list(statement.names), text)]


def _is_told(code: Code, name: str) -> bool:
    """Whether a string of the program is the name (``__all__``, ``getattr``)."""
    return any(
        isinstance(node, cst.SimpleString) and node.evaluated_value == name
        for node in code.program.nodes
    )
