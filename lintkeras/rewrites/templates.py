"""New calls for old ones, written as templates: ``keras.ops.clip({x}, x_min={min_value})``.

A template is Python in which ``{x}`` is the argument for the old parameter ``x`` and ``{axis: -1}``
one that is written even where it was left out; an argument of a call that was not given is left
out. Only what differs is edited, so that calls inside of calls can change in the same round.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import libcst as cst

from lintkeras.findings import Edit
from lintkeras.rewrites.code import Code

ROOTS = ("keras", "math")
"""The libraries that a template may name."""
_ATOMS = (
    cst.Name, cst.Attribute, cst.Call, cst.Subscript, cst.List, cst.ListComp, cst.Dict, cst.Integer,
)  # fmt: skip
Piece = str | cst.Arg


@dataclass(frozen=True)
class Template:
    """The text of a new expression, read once."""

    text: str
    tree: ast.expr

    @property
    def parameters(self) -> tuple[str, ...]:
        """The old parameters that it uses."""
        found = (_hole(node) for node in ast.walk(self.tree))
        return tuple(dict.fromkeys(hole[0] for hole in found if hole is not None))

    @property
    def paths(self) -> tuple[str, ...]:
        """The library names that it uses (``keras.ops.clip``)."""
        return tuple(dict.fromkeys(_paths(self.tree)))

    @property
    def function(self) -> str:
        """What it calls (``keras.ops.clip``), where it is a plain call; else its first name."""
        found = _path(self.tree.func) if isinstance(self.tree, ast.Call) else None
        return found or next(iter(self.paths), "")

    @property
    def shown(self) -> str:
        """For messages: the function, or the expression with the parameters as its names."""
        plain = isinstance(self.tree, ast.Call) and _path(self.tree.func) is not None
        return self.function if plain else _shown(self.text, self.tree)

    def is_transparent(self, parameters: Sequence[str], dropped: Sequence[str] = ()) -> bool:
        """Whether the function alone does the same: its parameters are the old ones in order."""
        if not isinstance(self.tree, ast.Call) or _path(self.tree.func) is None:
            return False
        holes = [_hole(one) for one in (*self.tree.args, *(k.value for k in self.tree.keywords))]
        plain = [hole[0] for hole in holes if hole is not None and hole[1] is None]
        return plain == [p for p in parameters if p not in dropped] and len(plain) == len(holes)


def _shown(text: str, tree: ast.expr) -> str:
    """A template with the names of parameters in the place of holes."""
    for node in sorted(ast.walk(tree), key=lambda one: -getattr(one, "col_offset", 0)):
        hole = _hole(node)
        if hole is not None and isinstance(node, ast.expr):
            text = text[: node.col_offset] + hole[0] + text[node.end_col_offset :]
    return text


@cache
def template(text: str) -> Template:
    """A template from its text."""
    return Template(text, ast.parse(text, mode="eval").body)


def rewritten(
    code: Code,
    call: cst.Call,
    wanted: Template,
    given: Mapping[str, cst.Arg],
    write: Callable[[str], str],
    values: Mapping[str, str],
    whole: cst.BaseExpression | None = None,
) -> list[Edit] | None:
    """The edits that turn a call into what a template says; None where a comment would be lost.

    ``given`` has the argument for each parameter that was given, ``write`` how a library name is
    written here, ``values`` other texts for some arguments. ``whole`` is the expression to replace
    where it is more than the call (``K.int_shape(x)[1]``).
    """
    pieces = _Rendering(wanted.text, given, write).render(wanted.tree)
    if pieces is None:
        return None
    whole = whole or call
    merged = _merged(code, pieces)
    used = [piece for piece in merged if isinstance(piece, cst.Arg)]
    everything = all(argument in used for argument in call.args)
    ordered = used == sorted(used, key=lambda one: code.start(one.value))
    if values or not everything or not ordered or len(used) > len(given):
        return _replaced(code, whole, merged, given, values)
    edits: list[Edit] = []
    start, end = code.program.local_span(whole)
    source = code.source(whole)
    bounds = [start, *(offset for arg in used for offset in code.span(arg.value)), end]
    texts = merged[::2]
    for index, text in enumerate(texts):
        first, last = bounds[2 * index], bounds[2 * index + 1]
        assert isinstance(text, str)
        if index == 0 and used:
            made = _head(code, call, used[0], text)
        elif 0 < index < len(used):
            made = _between(code, used[index], first, last, text)
        elif whole is call and used:
            made = _tail(first, last, text)
        else:
            made = [(first, last, text)]
        for a, b, new in made:
            if source[a:b] == new:
                continue
            if "#" in source[a:b] and _holds_comment(code, whole, a, b):
                return None
            edits.append(code.replace_range(whole, a, b, new))
    return edits


_Change = tuple[int, int, str]


def _head(code: Code, call: cst.Call, first: cst.Arg, text: str) -> list[_Change]:
    """From the start of a call to its first argument: another function, another keyword."""
    start, end = code.program.local_span(call)[0], code.span(first.value)[0]
    function = code.span(call.func)
    name, bracket, keyword = text.partition("(")
    old = f"{first.keyword.value}=" if first.keyword is not None else ""
    if bracket and not keyword and not old:
        return [(*function, name)]
    if bracket and keyword.endswith("=") and "(" not in keyword and first.keyword is not None:
        return [(*function, name), (code.span(first.keyword)[0], end, keyword)]
    return [(start, end, text)]


def _between(code: Code, argument: cst.Arg, first: int, last: int, text: str) -> list[_Change]:
    """Between two arguments: nothing, or another keyword; else all of it."""
    keyword = text.removeprefix(", ")
    if text.startswith(", ") and (not keyword or (keyword.endswith("=") and "(" not in keyword)):
        if argument.keyword is not None:
            return [(code.span(argument.keyword)[0], last, keyword)]
        return [(last, last, keyword)] if keyword else []
    return [(first, last, text)]


def _tail(first: int, last: int, text: str) -> list[_Change]:
    """From the last argument to the end of a call: nothing, or further arguments; else all."""
    if text == ")":
        return []
    if text.startswith(", ") and text.endswith(")"):
        return [(first, first, text[:-1])]
    return [(first, last, text)]


def _holds_comment(code: Code, node: cst.CSTNode, start: int, end: int) -> bool:
    return any(start <= code.program.local_span(one)[0] < end for one in code.comments(node))


def _replaced(
    code: Code,
    whole: cst.BaseExpression,
    pieces: list[Piece],
    given: Mapping[str, cst.Arg],
    values: Mapping[str, str],
) -> list[Edit] | None:
    """The whole expression anew: where arguments change their order or occur twice."""
    if any(code.comments(whole)):
        return None
    said = [piece for piece in pieces if isinstance(piece, cst.Arg)]
    for one in said:
        if said.count(one) > 1 and not _is_plain(one.value):
            return None
    names = {id(argument): name for name, argument in given.items()}
    text = "".join(
        piece if isinstance(piece, str) else values.get(names[id(piece)], code.text(piece.value))
        for piece in pieces
    )
    return [code.replace(whole, text)]


def _is_plain(node: cst.BaseExpression) -> bool:
    """Whether an expression can be evaluated twice: a name, a number."""
    while isinstance(node, cst.Attribute):
        node = node.value
    return isinstance(node, (cst.Name, cst.Integer, cst.Float))


def _merged(code: Code, pieces: list[Piece]) -> list[Piece]:
    """Texts and arguments in turns, with parentheses around an argument that needs them."""
    merged: list[Piece] = [""]
    for index, piece in enumerate(pieces):
        if isinstance(piece, str):
            assert isinstance(merged[-1], str)
            merged[-1] += piece
            continue
        before = merged[-1]
        after = pieces[index + 1] if index + 1 < len(pieces) else ""
        assert isinstance(before, str) and isinstance(after, str)
        bare = before.endswith(("(", "[", ", ", "=", " in ")) and after[:1] in (")", ",", "", "]")
        if bare or isinstance(piece.value, _ATOMS) or code.is_parenthesized(piece.value):
            merged += [piece, ""]
        else:
            merged[-1] = before + "("
            merged += [piece, ")"]
    return merged


class _Rendering:
    """A template with the arguments of a call."""

    def __init__(
        self, text: str, given: Mapping[str, cst.Arg], write: Callable[[str], str]
    ) -> None:
        self._text = text
        self._given = given
        self._write = write

    def render(self, node: ast.expr) -> list[Piece] | None:
        """The pieces of a node; None for a hole without an argument."""
        hole = _hole(node)
        if hole is not None:
            name, default = hole
            if name in self._given:
                return [self._given[name]]
            return None if default is None else self.render(default)
        path = _path(node)
        if path is not None:
            return [self._write(path)]
        return self._call(node) if isinstance(node, ast.Call) else self._parts(node, _inner(node))

    def _call(self, node: ast.Call) -> list[Piece] | None:
        function = self.render(node.func)
        if function is None:
            return None
        pieces: list[Piece] = [*function, "("]
        plain, first = True, True
        arguments: list[ast.expr | ast.keyword] = [*node.args, *node.keywords]
        for argument in arguments:
            value = argument.value if isinstance(argument, ast.keyword) else argument
            made = self.render(value)
            if made is None:
                if not isinstance(argument, ast.keyword):
                    return None
                plain = False
                continue
            pieces += [] if first else [", "]
            first = False
            if isinstance(argument, ast.keyword):
                given = made[0] if len(made) == 1 and isinstance(made[0], cst.Arg) else None
                plain = plain and given is not None and given.keyword is None
                if not plain:
                    pieces.append(f"{argument.arg}=")
            pieces += made
        return [*pieces, ")"]

    def _parts(self, node: ast.expr, inner: list[ast.expr]) -> list[Piece] | None:
        pieces: list[Piece] = []
        position = node.col_offset
        for part in inner:
            made = self.render(part)
            if made is None:
                return None
            assert part.end_col_offset is not None
            pieces += [self._text[position : part.col_offset], *made]
            position = part.end_col_offset
        return [*pieces, self._text[position : node.end_col_offset]]


def _inner(node: ast.AST) -> list[ast.expr]:
    """The nearest parts of a node that are not written as they stand, in order."""
    found: list[ast.expr] = []
    for child in ast.iter_child_nodes(node):
        special = isinstance(child, ast.expr) and (
            _hole(child) is not None or _path(child) is not None or isinstance(child, ast.Call)
        )
        if special:
            assert isinstance(child, ast.expr)
            found.append(child)
        else:
            found += _inner(child)
    return sorted(found, key=lambda one: one.col_offset)


def _hole(node: ast.AST) -> tuple[str, ast.expr | None] | None:
    match node:
        case ast.Set(elts=[ast.Name(id=name)]):
            return name, None
        case ast.Dict(keys=[ast.Name(id=name)], values=[default]):
            return name, default
    return None


def _path(node: ast.AST) -> str | None:
    """The dotted name of a library that a node is."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if isinstance(node, ast.Name) and node.id in ROOTS and parts:
        return ".".join([node.id, *reversed(parts)])
    return None


def _paths(node: ast.AST) -> Iterator[str]:
    path = _path(node)
    if path is not None:
        yield path
        return
    for child in ast.iter_child_nodes(node):
        yield from _paths(child)
