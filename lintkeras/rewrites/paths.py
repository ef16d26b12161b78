"""Renaming a file that a program writes: the text that its path ends in, and all who read it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import libcst as cst

from lintkeras.findings import Edit
from lintkeras.meaning.texts import Tail
from lintkeras.meaning.values import Symbol, Unknown, Value, walk
from lintkeras.rewrites.code import Code, target_of
from lintkeras.rewrites.names import Variable

_SUFFIXES = (".weights.h5", ".weights.hdf5", ".hdf5", ".h5", ".hdf", ".hd5", ".he5", ".keras",
             ".weights", ".ckpt", ".model", ".tf", ".pb")  # fmt: skip
"""Ends of files of models; anything else behind a dot belongs to the name (``model_v1.2``)."""
_FIRST = frozenset({
    "str", "fspath", "abspath", "realpath", "expanduser", "normpath", "expandvars",
})  # fmt: skip
_HARMLESS = frozenset({"dirname", "basename", "makedirs", "print", "mkdir"})
_FILES = ("os", "shutil", "pathlib", "h5py")
Literal = cst.SimpleString | cst.FormattedString


@dataclass(frozen=True, slots=True)
class FileUse:
    """A call of Keras that writes or reads a file: what (``model``, ``weights``), under which path."""

    call: cst.Call
    writes: bool
    what: str
    node: cst.BaseExpression
    path: Value


@dataclass(frozen=True, slots=True)
class Renaming:
    """The edits that give a file another end."""

    edits: tuple[Edit, ...]
    old: str
    new: str
    """The end of the path before and after, as a reader knows it."""
    certain: bool
    """Whether whatever else uses the path can only be reached behind the call."""
    elsewhere: tuple[cst.CSTNode, ...] = ()
    """Where the path may be used, and stays as it is."""


@dataclass
class _Found:
    """The uses of a path besides the call in question."""

    follow: list[Literal] = field(default_factory=list)
    uses: list[cst.CSTNode] = field(default_factory=list)
    stay: list[cst.CSTNode] = field(default_factory=list)


def renamed(
    code: Code, use: FileUse, tail: Tail, suffix: str, others: Mapping[cst.Call, FileUse]
) -> Renaming | None:
    """The path of ``use`` with another suffix, and with it every reader of the same file.

    None where its end is not written in the program, or belongs to another kind of file too.
    """
    spot = _spot(code, use.node)
    if spot is None:
        return None
    literal, variables = spot
    text = _text(literal)
    if text is None or not (tail.text.endswith(text) or text.endswith(tail.text)):
        return None
    end = _end(text)
    if not text[: len(text) - len(end)].strip("./") and not isinstance(
        literal, cst.FormattedString
    ):
        return None
    if not end and any(_is_stem(code, use, variable) for variable in variables):
        return _extended(code, use, text, suffix, others)
    found = _Found()
    for variable in variables:
        if not _read_loads(code, use, variable, others, found):
            return None
    _read_calls(code, use, tail, others, {literal}, found)
    if not variables and isinstance(literal, cst.SimpleString):
        _read_literals(code, use, literal, others, found)
    literals = dict.fromkeys([literal, *found.follow])
    edits = tuple(_with_end(code, one, end, suffix) for one in literals)
    certain = not found.stay and all(_behind(code, use.call, one) for one in found.uses)
    name = text.rpartition("/")[2] if end != "/" else text
    new = name[: len(name) - len(end)] + suffix
    return Renaming(edits, name, new, certain, tuple(found.stay))


def _is_stem(code: Code, use: FileUse, variable: Variable) -> bool:
    """Whether other texts are made of a variable too: then it is no name of a file."""
    building = (cst.FormattedStringExpression, cst.BinaryOperation)
    return any(
        isinstance(code.program.parent(load), building)
        for load in variable.loads
        if not code.inside(load, use.node)
    )


def _extended(
    code: Code, use: FileUse, text: str, suffix: str, others: Mapping[cst.Call, FileUse]
) -> Renaming | None:
    """The suffix added where the path is used, and where the same path is read."""
    edits, certain = [], True
    for one in (use, *others.values()):
        if one is not use and (one.call is use.call or one.path != use.path):
            continue
        if not _is_known(one.path) or (one.writes and one.what != use.what):
            return None
        last = _last_name(one.node)
        if last is None:
            return None
        edits.append(code.program.replace(last, f'{last.value} + "{suffix}"'))
        certain = certain and (one.writes or _behind(code, use.call, one.call))
    name = text.rpartition("/")[2]
    return Renaming(tuple(edits), name, name + suffix, certain)


def _last_name(node: cst.BaseExpression) -> cst.Name | None:
    """The name that a path ends in, where a text can be added to it."""
    if isinstance(node, cst.Name):
        return node
    match node:
        case cst.BinaryOperation(operator=cst.Add(), right=right):
            return _last_name(right)
        case cst.Call():
            inner = _inside(node)
            return inner if isinstance(inner, cst.Name) else None
    return None


def _spot(code: Code, node: cst.BaseExpression) -> tuple[Literal, list[Variable]] | None:
    """The literal that a path ends in, and the variables on the way to it."""
    variables: list[Variable] = []
    for _ in range(20):
        match node:
            case cst.SimpleString() | cst.FormattedString():
                return node, variables
            case cst.ConcatenatedString(right=right):
                node = right
            case cst.BinaryOperation(operator=cst.Add() | cst.Divide(), right=right):
                node = right
            case cst.BinaryOperation(operator=cst.Modulo(), left=left):
                node = left
            case cst.Call():
                inner = _inside(node)
                if inner is None:
                    return None
                node = inner
            case cst.Name():
                variable = code.names.variable(node)
                value = _only_value(code, variable)
                if variable is None or value is None:
                    return None
                variables.append(variable)
                node = value
            case _:
                return None
    return None


def _inside(call: cst.Call) -> cst.BaseExpression | None:
    """The part of a call that its result ends in."""
    if any(arg.star or arg.keyword is not None for arg in call.args) and not (
        isinstance(call.func, cst.Attribute) and call.func.attr.value == "format"
    ):
        return None
    match call.func:
        case cst.Attribute(attr=cst.Name("join"), value=value) if not isinstance(
            value, (cst.SimpleString, cst.FormattedString)
        ):
            return call.args[-1].value if call.args else None
        case (
            cst.Name("join" | "Path" | "PurePath")
            | cst.Attribute(attr=cst.Name("Path" | "PurePath" | "joinpath"))
        ):
            return call.args[-1].value if call.args else None
        case cst.Attribute(attr=cst.Name("format"), value=cst.SimpleString() as template):
            return template
        case cst.Attribute(attr=cst.Name("as_posix" | "absolute" | "resolve"), value=value):
            return value
        case cst.Name(value=name) | cst.Attribute(attr=cst.Name(value=name)) if name in _FIRST:
            return call.args[0].value if len(call.args) == 1 else None
    return None


def _only_value(code: Code, variable: Variable | None) -> cst.BaseExpression | None:
    """What a variable holds that is bound once, and not by its spelling."""
    if variable is None or len(variable.stores) != 1 or variable.deleted or code.names.opaque:
        return None
    found = target_of(code.small_statement(variable.stores[0]))
    return found[1] if found is not None and found[0] is variable.stores[0] else None


def _text(literal: Literal) -> str | None:
    """The text that a literal ends in; None where it has escapes or ends in a field."""
    if isinstance(literal, cst.SimpleString):
        plain = "b" not in literal.prefix.lower() and "\\" not in literal.raw_value
        return literal.raw_value if plain else None
    last = literal.parts[-1] if literal.parts else None
    if not isinstance(last, cst.FormattedStringText) or "\\" in last.value or "}}" in last.value:
        return None
    return last.value


def _end(text: str) -> str:
    """The suffix (or the slash) that a path ends in and that has to go."""
    lowered = text.lower()
    found = next((one for one in _SUFFIXES if lowered.endswith(one)), "")
    slashes = len(text) - len(text.rstrip("/"))
    return text[len(text) - max(len(found), slashes) :] if found or slashes else ""


def _with_end(code: Code, literal: Literal, end: str, suffix: str) -> Edit:
    quote = literal.quote if isinstance(literal, cst.SimpleString) else literal.end
    start, stop = code.program.local_span(literal)
    source = code.source(literal)[start:stop]
    return code.program.replace(
        literal, source[: len(source) - len(quote) - len(end)] + suffix + quote
    )


# ---------------------------------------------------------------------- the others


def _read_loads(
    code: Code,
    use: FileUse,
    variable: Variable,
    others: Mapping[cst.Call, FileUse],
    found: _Found,
) -> bool:
    """Note where a variable with the path is read; False where it names another kind of file."""
    for load in variable.loads:
        if code.inside(load, use.node):
            continue
        other = _use_around(code, load, others)
        if other is not None and other.writes:
            if other.what != use.what:
                return False
        elif not _is_harmless(code, load):
            found.uses.append(load)
    return True


def _read_calls(
    code: Code,
    use: FileUse,
    tail: Tail,
    others: Mapping[cst.Call, FileUse],
    seen: set[Literal],
    found: _Found,
) -> None:
    """Note the other calls of Keras with the same file, and those with one of the same name."""
    for other in others.values():
        if other.call is use.call or (other.writes and other.what != use.what):
            continue
        if use.what == "weights" and other.what == "model":
            continue
        spot = _spot(code, other.node)
        if other.path == use.path and _is_known(use.path):
            if spot is None:
                found.stay.append(other.call)
            elif spot[0] not in seen and _text(spot[0]) is not None:
                found.follow.append(spot[0])
                if not other.writes:
                    found.uses.append(other.call)
        elif spot is not None and spot[0] not in seen and not other.writes:
            text = _text(spot[0]) or ""
            if tail.text.endswith(text) and text.rpartition("/")[2] == tail.last:
                found.stay.append(other.call)


def _read_literals(
    code: Code,
    use: FileUse,
    literal: cst.SimpleString,
    others: Mapping[cst.Call, FileUse],
    found: _Found,
) -> None:
    """Note where the same path is written out once more."""
    for node in code.program.nodes:
        if (
            not isinstance(node, cst.SimpleString)
            or node is literal
            or node.raw_value != literal.raw_value
            or node in found.follow
            or _use_around(code, node, others) is not None
            or _is_harmless(code, node)
        ):
            continue
        call = _call_around(code, node)
        if use.node is literal and call is not None and _is_of_files(code, call):
            found.follow.append(node)
            found.uses.append(node)
        elif call is not None and not _names_something(code, node):
            found.stay.append(node)


def _use_around(
    code: Code, node: cst.CSTNode, others: Mapping[cst.Call, FileUse]
) -> FileUse | None:
    """The call of Keras whose path a node is a part of."""
    for ancestor in code.program.ancestors(node):
        if isinstance(ancestor, cst.Call) and ancestor in others:
            other = others[ancestor]
            return other if code.inside(node, other.node) else None
        if isinstance(ancestor, cst.BaseSmallStatement):
            break
    return None


def _call_around(code: Code, node: cst.CSTNode) -> cst.Call | None:
    """The call that a node is an argument of."""
    argument = code.program.parent(node)
    call = code.program.parent(argument) if isinstance(argument, cst.Arg) else None
    return call if isinstance(call, cst.Call) else None


def _names_something(code: Code, node: cst.CSTNode) -> bool:
    """Whether it is the argument ``name=`` of a call."""
    argument = code.program.parent(node)
    keyword = argument.keyword if isinstance(argument, cst.Arg) else None
    return keyword is not None and keyword.value in ("name", "monitor", "mode", "save_format")


def _is_harmless(code: Code, node: cst.CSTNode) -> bool:
    call = _call_around(code, node)
    match call.func if call is not None else None:
        case cst.Name(value=name) | cst.Attribute(attr=cst.Name(value=name)):
            return name in _HARMLESS
    return isinstance(code.program.parent(node), cst.FormattedStringExpression)


def _is_of_files(code: Code, call: cst.Call) -> bool:
    """Whether a call is one of Python's own functions of files."""
    root: cst.CSTNode = call.func
    while isinstance(root, cst.Attribute):
        root = root.value
    if not isinstance(root, cst.Name):
        return False
    if code.is_builtin(root, "open"):
        return True
    held = code.facts.names.get(root.value)
    return isinstance(held, Symbol) and held.path.partition(".")[0] in _FILES


def _is_known(path: Value) -> bool:
    return all(not isinstance(part, Unknown) or part.origin is not None for part in walk(path))


def _behind(code: Code, call: cst.Call, node: cst.CSTNode) -> bool:
    """Whether code can be reached only behind a call: in the rest of the block it stands in."""
    statement = code.program.statement(call)
    if statement is None or not isinstance(statement, cst.SimpleStatementLine):
        return False
    inside = [a for a in code.program.ancestors(call) if code.inside(a, statement)]
    if any(isinstance(a, (cst.Lambda, cst.IfExp, cst.BooleanOperation)) for a in inside):
        return False
    block = code.program.parent(statement)
    siblings = list(_statements(block))
    if statement not in siblings:
        return False
    later = siblings[siblings.index(statement) + 1 :]
    return any(code.inside(node, one) for one in later)


def _statements(block: cst.CSTNode | None) -> Iterator[cst.CSTNode]:
    if isinstance(block, (cst.Module, cst.IndentedBlock)):
        yield from block.body
