"""Names that move to another module: import statements and dotted names, rewritten and merged."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import libcst as cst

from lintkeras.findings import Edit
from lintkeras.keras_api.releases import Place
from lintkeras.meaning.outline import dotted
from lintkeras.rewrites import imports
from lintkeras.rewrites.code import Code

_WIDTH = 88
"""The longest line that is made, in columns (Black's)."""
_ROOTS = {"tf.keras": "tensorflow.keras", "tf": "tensorflow"}


def import_path(place: Place) -> str:
    """The path by which Python imports a place: ``tensorflow.keras.layers`` for ``tf.keras``."""
    return _ROOTS.get(place.space, place.space) + place.path[len(place.space) :]


@dataclass(frozen=True)
class Imported:
    """One name of a ``from`` import: ``from module import name as local``."""

    module: str
    name: str
    local: str

    @property
    def text(self) -> str:
        """The name as it stands in the statement."""
        return self.name if self.name == self.local else f"{self.name} as {self.local}"


@dataclass(frozen=True)
class Move:
    """What takes the place of one name of an import statement, and the uses that change with it."""

    alias: cst.ImportAlias
    names: tuple[Imported, ...]
    safe: bool
    """Whether these are the very same things."""
    uses: tuple[Edit, ...] = ()


@dataclass
class _Statement:
    """A ``from`` import that is rewritten, or that takes up names of others."""

    node: cst.ImportFrom
    names: list[Imported]
    """What it imports when all is done."""
    changed: bool = False
    moves: list[Move] = field(default_factory=list)


def moved(code: Code, moves: Sequence[Move]) -> Iterator[tuple[tuple[Move, ...], list[Edit]]]:
    """The edits that make some moves, for each set of statements that change together.

    Names that go to the same module are imported by one statement: one that is there already, or
    the first of those that change.
    """
    by_statement: dict[cst.ImportFrom, list[Move]] = {}
    for move in moves:
        statement = code.program.parent(move.alias)
        if isinstance(statement, cst.ImportFrom):
            by_statement.setdefault(statement, []).append(move)
    by_block: dict[cst.CSTNode | None, list[cst.ImportFrom]] = {}
    for node in by_statement:
        line = code.program.parent(node)
        block = code.program.parent(line) if line is not None else None
        by_block.setdefault(block, []).append(node)
    for block, nodes in by_block.items():
        yield from _in_block(code, block, {node: by_statement[node] for node in nodes})


def _in_block(
    code: Code, block: cst.CSTNode | None, changes: Mapping[cst.ImportFrom, list[Move]]
) -> Iterator[tuple[tuple[Move, ...], list[Edit]]]:
    """The edits in the statements of one block, cluster by cluster."""
    statements = [
        _Statement(node, _after(node, changes.get(node, ())), False, list(changes.get(node, ())))
        for node in _imports_of(block, changes)
    ]
    joined: dict[int, set[int]] = {i: {i} for i in range(len(statements))}
    for index, one in enumerate(statements):
        if not one.moves or _has_comments(code, one.node):
            continue
        for name in _leaving(one):
            other = _home(code, statements, index, name.module, block)
            if other is None:
                continue
            one.names.remove(name)
            one.changed = True
            if not any(n.module == name.module and n.text == name.text for n in other.names):
                other.names.append(name)
                other.changed = True
            group = joined[index] | joined[statements.index(other)]
            for member in group:
                joined[member] = group
    seen: set[int] = set()
    for index in range(len(statements)):
        if index in seen:
            continue
        seen |= joined[index]
        cluster = [statements[i] for i in sorted(joined[index])]
        made = tuple(move for one in cluster for move in one.moves)
        if made:
            edits = _edits(code, cluster)
            if edits is not None:
                yield made, [*edits, *(edit for move in made for edit in move.uses)]


def _imports_of(
    block: cst.CSTNode | None, changes: Mapping[cst.ImportFrom, list[Move]]
) -> list[cst.ImportFrom]:
    """The ``from`` imports of a block in order (those that change alone where it is no block)."""
    body = getattr(block, "body", ())
    found = [
        small
        for line in body
        if isinstance(line, cst.SimpleStatementLine)
        for small in line.body
        if isinstance(small, cst.ImportFrom) and not isinstance(small.names, cst.ImportStar)
    ]
    return found or list(changes)


def _after(node: cst.ImportFrom, moves: Sequence[Move]) -> list[Imported]:
    """What a statement imports when its names have moved, in order."""
    if isinstance(node.names, cst.ImportStar):
        return []
    by_alias = {move.alias: move.names for move in moves}
    names: list[Imported] = []
    for alias in node.names:
        names += by_alias.get(alias, (imported(node, alias),))
    return list(dict.fromkeys(names))


def imported(node: cst.ImportFrom, alias: cst.ImportAlias) -> Imported:
    """A name of a statement as it is."""
    name = dotted(alias.name)
    local = dotted(alias.asname.name) if alias.asname is not None else name
    return Imported(module_of(node), name, local)


def module_of(node: cst.ImportFrom) -> str:
    """The module of a ``from`` import, as it is written."""
    return "." * len(node.relative) + (dotted(node.module) if node.module is not None else "")


def _leaving(one: _Statement) -> list[Imported]:
    """The names that another statement may take: those that leave the module."""
    return [name for name in one.names if name.module != module_of(one.node)]


def _home(
    code: Code, statements: list[_Statement], index: int, module: str, block: cst.CSTNode | None
) -> _Statement | None:
    """The statement that takes the names of a module; None where they stay where they are."""
    for other in statements:
        plain = not other.moves and module_of(other.node) == module
        if plain and _reaches(code, block, statements[index].node, other.node):
            return other
    for other in statements[:index]:
        if other.moves and any(name.module == module for name in other.names):
            return other
    return None


def _reaches(
    code: Code, block: cst.CSTNode | None, node: cst.ImportFrom, other: cst.ImportFrom
) -> bool:
    """Whether a name is bound in time by another statement: above, or below imports alone."""
    if code.start(other) < code.start(node):
        return True
    lines = [line for line in getattr(block, "body", ()) if isinstance(line, cst.CSTNode)]
    first, last = code.program.parent(node), code.program.parent(other)
    if first not in lines or last not in lines:
        return False
    between = lines[lines.index(first) : lines.index(last) + 1]
    return all(
        isinstance(line, cst.SimpleStatementLine)
        and all(isinstance(small, (cst.Import, cst.ImportFrom)) for small in line.body)
        for line in between
    )


def _has_comments(code: Code, node: cst.ImportFrom) -> bool:
    """Whether a statement has comments: it stays where it is, with them."""
    line = code.program.parent(node)
    return line is not None and any(code.comments(line))


def _edits(code: Code, cluster: list[_Statement]) -> list[Edit] | None:
    """The edits of statements that change together; None where one cannot be made."""
    edits: list[Edit] = []
    for one in cluster:
        if not one.names:
            edit = code.delete(one.node)
            found = None if edit is None else [edit]
        elif one.moves:
            found = _rewritten(code, one)
        else:
            found = _extended(code, one)
        if found is None:
            return None
        edits += found
    return edits


def _rewritten(code: Code, one: _Statement) -> list[Edit] | None:
    """A statement whose names moved."""
    node = one.node
    modules = list(dict.fromkeys(name.module for name in one.names))
    in_place = _in_place(code, one) if len(modules) == 1 and not one.changed else None
    if in_place is not None:
        return in_place
    if any(code.comments(node)) or (len(modules) > 1 and code.interactive(node)):
        return None
    line = code.program.parent(node)
    alone = isinstance(line, cst.SimpleStatementLine) and len(line.body) == 1
    start, _ = code.program.local_span(node)
    source = code.source(node)
    indent = source[source.rfind("\n", 0, start) + 1 : start]
    if not alone or indent.strip():
        texts = [f"from {module} import {_listed(one.names, module)}" for module in modules]
        return [code.program.replace(node, "; ".join(texts))]
    texts = [
        _layout(module, [n.text for n in one.names if n.module == module], indent, node)
        for module in modules
    ]
    return [code.program.replace(node, f"\n{indent}".join(texts))]


def _listed(names: Sequence[Imported], module: str) -> str:
    return ", ".join(name.text for name in names if name.module == module)


def _in_place(code: Code, one: _Statement) -> list[Edit] | None:
    """Edits of the module's name and of names alone, which keep everything around them."""
    node = one.node
    assert not isinstance(node.names, cst.ImportStar)
    if len(one.names) != len(node.names) or node.module is None or node.relative:
        return None
    (module,) = {name.module for name in one.names}
    edits = [code.replace(node.module, module)] if module != module_of(node) else []
    for alias, name in zip(node.names, one.names, strict=True):
        if imported(node, alias).text != name.text:
            edits.append(code.replace(alias, name.text))
    text = code.program.text(node)
    aligned = "(" in text and "\n" in text and not text.partition("(")[2].startswith(("\n", "\r"))
    grown = len(module) - len(module_of(node))
    if (aligned and grown and not any(code.comments(node))) or _too_long(code, node, one):
        return None
    return edits


def _too_long(code: Code, node: cst.ImportFrom, one: _Statement) -> bool:
    """Whether a statement on one line would grow beyond the width."""
    text = code.program.text(node)
    if "\n" in text or any(code.comments(node)):
        return False
    new = f"from {one.names[0].module} import {_listed(one.names, one.names[0].module)}"
    return len(new) > max(_WIDTH, len(text))


def _extended(code: Code, one: _Statement) -> list[Edit] | None:
    """A statement that takes up names of others."""
    node = one.node
    assert not isinstance(node.names, cst.ImportStar)
    if not one.changed:
        return []
    added = [name.text for name in one.names[len(set(_after(node, ()))) :]]
    start, _ = code.program.local_span(node)
    source = code.source(node)
    indent = source[source.rfind("\n", 0, start) + 1 : start]
    if any(code.comments(node)) or indent.strip():
        last = node.names[-1]
        end = last.asname.name if last.asname is not None else last.name
        return [code.replace(end, code.text(end) + ", " + ", ".join(added))]
    texts = [name.text for name in one.names]
    return [code.program.replace(node, _layout(module_of(node), texts, indent, node))]


def _layout(module: str, names: Sequence[str], indent: str, like: cst.ImportFrom) -> str:
    """An import statement, laid out as one is that was there."""
    names = list(dict.fromkeys(names))
    head = f"from {module} import "
    width = _WIDTH - len(indent)
    style = _style(like)
    line = head + ", ".join(names)
    if len(line) <= width and (style != "hanging" or len(names) == 1):
        return line
    if style == "aligned":
        pad = " " * len(f"{head}(")
        rows = _rows(names, width - len(pad) - 1)
        return f"{head}(" + f",\n{indent}{pad}".join(rows) + ")"
    inner = "".join(f"\n{indent}    {name}," for name in names)
    return f"{head}({inner}\n{indent})"


def _rows(names: Sequence[str], width: int) -> list[str]:
    rows: list[str] = []
    for name in names:
        if rows and len(rows[-1]) + 2 + len(name) <= width:
            rows[-1] += f", {name}"
        else:
            rows.append(name)
    return rows


def _style(node: cst.ImportFrom) -> str:
    """How a statement is laid out: ``hanging`` (a name a line), ``aligned`` below its parenthesis."""
    if node.lpar is None:
        return "plain"
    before = node.lpar.whitespace_after
    if isinstance(before, cst.ParenthesizedWhitespace):
        return "hanging"
    broken = any(
        isinstance(alias.comma, cst.Comma)
        and isinstance(alias.comma.whitespace_after, cst.ParenthesizedWhitespace)
        for alias in (node.names if not isinstance(node.names, cst.ImportStar) else ())
    )
    return "aligned" if broken else "plain"


# ------------------------------------------------------------------ dotted names


def dotted_edits(code: Code, node: cst.BaseExpression, path: str) -> tuple[str, list[Edit]] | None:
    """The edits that make a dotted name reach another path of the library, and what it says then.

    By the name that it begins with, where the new path can be reached from there; else by another
    name of the module, or a new import.
    """
    root: cst.BaseExpression = node
    while isinstance(root, cst.Attribute):
        root = root.value
    if not isinstance(root, cst.Name):
        return None
    held = code.symbol(root)
    if held is not None and path.startswith(held.path + "."):
        text = root.value + path[len(held.path) :]
        return text, [code.program.replace(node, text)]
    if held is None or any(code.comments(node)):
        return None
    module, _, name = path.rpartition(".")
    top = code.program.top_level_statement(node)
    found = imports.reach(code, module, top)
    if found.missing is not None and code.interactive(node):
        return None
    text = f"{found.expression}.{name}"
    added = imports.add(code, [found.missing], top) if found.missing is not None else []
    return text, [*(code.insert(one) for one in added), code.program.replace(node, text)]
