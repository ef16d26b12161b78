"""How the module level of a program reaches a library, and the import to add where it does not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import libcst as cst

from lintkeras.findings import Edit
from lintkeras.meaning.outline import dotted
from lintkeras.meaning.symbols import Flavour
from lintkeras.meaning.values import Symbol
from lintkeras.rewrites.code import Code, Insertion

_USUAL_NAME = {"tensorflow": "tf"}
_FAMILY = ("keras", "tensorflow", "tf_keras")


@dataclass(frozen=True, slots=True)
class Library:
    """An expression that reaches a library, and the import that it needs, if any."""

    expression: str
    missing: str | None = None


def library(code: Code, module: str, before: cst.CSTNode) -> Library:
    """How code above the statement ``before`` of the module can write the library ``module``."""
    for name in _names(code, module):
        if visible(code, name, before):
            return Library(name)
    usual = _USUAL_NAME.get(module, module)
    name = code.unused(usual) if _taken(code, usual, module) else usual
    return Library(name, f"import {module}" + (f" as {name}" if name != module else ""))


def keras(code: Code, flavour: Flavour, before: cst.CSTNode) -> Library:
    """How code above ``before`` can write the Keras that ``flavour`` names."""
    if flavour in ("keras", "tf_keras"):
        return library(code, flavour, before)
    for name in _names(code, "tensorflow.keras"):
        if visible(code, name, before):
            return Library(name)
    found = library(code, "tensorflow", before)
    return Library(f"{found.expression}.keras", found.missing)


def reach(code: Code, path: str, before: cst.CSTNode) -> Library:
    """How code above ``before`` can write a module of a library (``keras.ops``).

    By a name that stands for it, by a longer one that it belongs to, else by a new import of it.
    """
    module, rest = path, ""
    while module:
        for name in _names(code, module):
            if visible(code, name, before):
                return Library(name + rest)
        module, _, last = module.rpartition(".")
        rest = f".{last}{rest}"
    parent, _, name = path.rpartition(".")
    if not parent:
        return library(code, path, before)
    if _taken(code, name, path):
        root = path.partition(".")[0]
        found = library(code, root, before)
        return Library(found.expression + path[len(root) :], found.missing)
    return Library(name, f"from {parent} import {name}")


def visible(code: Code, name: str, before: cst.CSTNode) -> bool:
    """Whether a name of the module is certainly bound, and for good, above ``before``."""
    variable = code.names.find(name)
    if variable is None or not variable.stores or variable.deleted:
        return False
    first = min(variable.stores, key=code.start)
    top = code.program.top_level_statement(first)
    certain = isinstance(top, (cst.SimpleStatementLine, cst.Try, cst.FunctionDef, cst.ClassDef))
    return certain and code.start(top) < code.start(before)


def _names(code: Code, module: str) -> Iterator[str]:
    """The names of the module that stand for a library, whatever happens."""
    for name, value in code.facts.names.items():
        if isinstance(value, Symbol) and value.path == module:
            yield name


def _taken(code: Code, name: str, module: str) -> bool:
    """Whether a name of the module means something else."""
    variable = code.names.find(name)
    bound = variable is not None and bool(variable.stores)
    return bound and code.facts.names.get(name) != Symbol(module)


def add(code: Code, lines: list[str], before: cst.CSTNode) -> list[Insertion]:
    """Import lines above the statement ``before``, next to what is imported there."""
    found: dict[int, tuple[cst.CSTNode, list[str], str]] = {}
    for line in sorted(set(lines)):
        place, offset, end = _place(code, line, before)
        found.setdefault(offset, (place, [], end))[1].append(line)
    return [
        Insertion(place, offset, "".join(f"{line}\n" for line in at) + end)
        for offset, (place, at, end) in found.items()
    ]


def insert(code: Code, top: cst.CSTNode, sources: list[str], imports: list[str]) -> list[Edit]:
    """Definitions above a statement of the module, and the imports that they need."""
    added = add(code, imports, top)
    if sources:
        definition = code.above(top, "\n\n".join(sources) + "\n\n")
        there = [one for one in added if one.offset == definition.offset]
        for one in there:  # at the very same place the import comes first
            text = one.text.rstrip("\n") + "\n\n\n" + definition.text.lstrip("\n")
            definition = Insertion(one.near, one.offset, text)
        added = [*(one for one in added if one not in there), definition]
    return [code.insert(one) for one in added]


def _place(code: Code, line: str, before: cst.CSTNode) -> tuple[cst.CSTNode, int, str]:
    """The statement and offset where an import line belongs, and what comes behind it."""
    module = code.module(before)
    above = list(module.body[: _index(module, before)])
    imports = [index for index, one in enumerate(above) if _imported(one) is not None]
    if not imports:
        return _place_of_first(code, module, before)
    family = [i for i in imports if (_imported(above[i]) or "").split(".")[0] in _FAMILY]
    index = (family or imports)[0]
    while index > 0 and index - 1 in imports and _adjacent(above[index], above[index - 1], line):
        index -= 1
    return above[index], code.line_start(above[index]), ""


def _index(module: cst.Module, statement: cst.CSTNode) -> int:
    return next(index for index, one in enumerate(module.body) if one is statement)


def _adjacent(statement: cst.CSTNode, previous: cst.CSTNode, line: str) -> bool:
    """Whether the line belongs above ``previous`` too, as import sorters order them."""
    if getattr(statement, "leading_lines", ()):
        return False
    match previous:
        case cst.SimpleStatementLine(body=[cst.ImportFrom()]):
            return True
        case cst.SimpleStatementLine(body=[cst.Import()]):
            return (_imported(previous) or "") > line.split()[1]
    return False


def _place_of_first(
    code: Code, module: cst.Module, before: cst.CSTNode
) -> tuple[cst.CSTNode, int, str]:
    """Below the docstring and the future imports, above everything else."""
    kept = 0
    for index, statement in enumerate(module.body[: _index(module, before)]):
        match statement:
            case cst.SimpleStatementLine(body=[cst.Expr(value=cst.SimpleString())]) if index == 0:
                kept = index + 1
            case cst.SimpleStatementLine(body=[cst.ImportFrom(module=cst.Name("__future__"))]):
                kept = index + 1
    if kept == 0:
        first = module.body[0]
        return first, _above_comments(code, first), "\n"
    last = module.body[kept - 1]
    _, end = code.program.local_span(last)
    source = code.source(last)
    newline = source.find("\n", end)
    offset = len(source) if newline < 0 else newline + 1
    return last, offset, ""


def _above_comments(code: Code, statement: cst.CSTNode) -> int:
    """Where the comments on a statement begin, below a first line that is for the machine."""
    source = code.source(statement)
    line = code.line_start(statement)
    while line > 0:
        previous = source.rfind("\n", 0, line - 1) + 1
        text = source[previous:line].strip()
        if not text.startswith("#") or text.startswith("#!") or "coding" in text:
            break
        line = previous
    return line


def _imported(statement: cst.CSTNode) -> str | None:
    """The module that an import statement names; None for another or a future import."""
    match statement:
        case cst.SimpleStatementLine(body=[cst.Import(names=[alias, *_]), *_]):
            return dotted(alias.name)
        case cst.SimpleStatementLine(body=[cst.ImportFrom(module=module, relative=[]), *_]):
            name = dotted(module) if module is not None else ""
            return None if name == "__future__" else name
    return None
