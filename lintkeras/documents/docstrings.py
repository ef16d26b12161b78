"""Examples in docstrings: fences and ``>>>`` sessions, each docstring with names of its own."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from lintkeras.documents.markdown import fence_language
from lintkeras.documents.model import (
    PROMPT,
    Document,
    Piece,
    Snippet,
    in_runs,
    line_feeds,
    newline_of,
    through,
)
from lintkeras.syntax.parse import outline

_LITERAL = re.compile(
    r"(?P<prefix>[rRuU]?)(?P<quote>\"\"\"|'''|\"|')(?P<text>.*)(?P=quote)", re.DOTALL
)
_ESCAPE = re.compile(
    r"\\(?:\r\n|\n|[\\'\"abfnrtv]|[0-7]{1,3}|x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}"
    r"|N\{[^}]*\})"
)
_FENCE = re.compile(r"(?P<indent>[ \t]*)(?P<ticks>`{3,}|~{3,})(?P<info>[^`]*)")
_FIRST_PROMPT = re.compile(r"(?P<indent>[ \t]*)>>>(?: |$)")

Documentable = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
_BLOCKS = ("body", "orelse", "finalbody", "handlers", "cases")


@dataclass(frozen=True)
class Docstring:
    """The text of a docstring, and where each run of it stands in the file."""

    node: Documentable
    text: str
    pieces: tuple[Piece, ...]
    raw: bool


def with_examples(document: Document) -> Document:
    """A Python file with the examples of its docstrings as snippets behind its own."""
    text = document.text
    if "```" not in text and ">>>" not in text and "~~~" not in text:
        return document
    found: list[Snippet] = []
    for space, docstring in enumerate(docstrings(text), start=1):
        for snippet in _examples(docstring):
            found.append(
                replace(
                    snippet, pieces=through(snippet.pieces, docstring.pieces), space=space,
                    newline=newline_of(text), quoting="" if docstring.raw else "python",
                )
            )  # fmt: skip
    return replace(document, snippets=(*document.snippets, *found))


def docstrings(source: str, tree: ast.Module | None = None) -> Iterator[Docstring]:
    """The docstrings of code that are one string literal each; none where it does not parse.

    ``tree`` is what Python reads in the code, where that is known.
    """
    tree = tree or outline(line_feeds(source))
    starts = [0, *(match.end() for match in re.finditer(r"\r\n|\r|\n", source))]
    if tree is None or len(source.splitlines()) > len(starts):
        return  # it holds separators that only str.splitlines knows; ast counts other lines

    def offset(line: int, column: int) -> int:
        before = source[starts[line - 1] : starts[line - 1] + column]
        if not before.isascii():  # columns of ast are UTF-8 bytes
            whole = source[starts[line - 1] : starts[line] if line < len(starts) else len(source)]
            before = whole.encode()[:column].decode(errors="replace")
        return starts[line - 1] + len(before)

    for node in _documentable(tree):
        match node.body[:1]:
            case [ast.Expr(value=ast.Constant(value=str(value)) as literal)]:
                assert literal.end_lineno is not None and literal.end_col_offset is not None
                start = offset(literal.lineno, literal.col_offset)
                end = offset(literal.end_lineno, literal.end_col_offset)
                found = _read(source, start, end)
                if found is not None and line_feeds(found[0]).replace("\r\n", "\n") == value:
                    yield Docstring(node, *found)


def _documentable(tree: ast.Module) -> Iterator[Documentable]:
    """The module, its classes and functions; only statements are looked at, not expressions."""
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop(0)
        if isinstance(node, Documentable):
            yield node
        for name in _BLOCKS:
            inner = getattr(node, name, None)
            if isinstance(inner, list):
                waiting += inner


def _read(text: str, start: int, end: int) -> tuple[str, tuple[Piece, ...], bool] | None:
    """The content of a string literal; None where it is several behind each other."""
    match = _LITERAL.fullmatch(text, start, end)
    if match is None:
        return None
    at, last = match.span("text")
    if match["prefix"] in ("r", "R"):
        return text[at:last], (Piece(0, at, last - at),), True
    parts: list[str] = []
    pieces: list[Piece] = []
    length = 0
    for escape in _ESCAPE.finditer(text, at, last):
        parts.append(text[at : escape.start()])
        pieces.append(Piece(length, at, escape.start() - at))
        length += escape.start() - at
        try:
            letter = ast.literal_eval(f'"{escape.group()}"' if "\n" not in escape.group() else '""')
        except (SyntaxError, ValueError):
            return None
        if letter:
            pieces.append(Piece(length, escape.start(), len(letter), len(escape.group())))
            parts.append(letter)
        length, at = length + len(letter), escape.end()
    parts.append(text[at:last])
    pieces.append(Piece(length, at, last - at))
    return "".join(parts), tuple(piece for piece in pieces if piece.length), False


def _examples(docstring: Docstring) -> Iterator[Snippet]:
    """The Python of a docstring, in its own coordinates."""
    lines = docstring.text.splitlines(keepends=True)
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line))
    number = 0
    while number < len(lines):
        fence = _FENCE.fullmatch(lines[number].rstrip("\r\n"))
        if fence is not None:
            end = _closing(lines, number + 1, fence["ticks"])
            if fence_language(fence["info"]) is not None:
                body = range(number + 1, end)
                if any(_FIRST_PROMPT.match(lines[one]) for one in body):
                    yield from _session(lines, starts, [n for n in body if PROMPT.match(lines[n])])
                else:
                    yield from _block(lines, starts, body, fence["indent"])
            number = end + 1
            continue
        session = []
        if _FIRST_PROMPT.match(lines[number]):
            while number < len(lines) and PROMPT.match(lines[number]):
                session.append(number)
                number += 1
            yield from _session(lines, starts, session)
        else:
            number += 1


def _closing(lines: list[str], first: int, ticks: str) -> int:
    for number in range(first, len(lines)):
        line = lines[number].strip()
        if line.startswith(ticks) and not line.strip(ticks[0]):
            return number
    return len(lines)


def _block(lines: list[str], starts: list[int], body: range, indent: str) -> Iterator[Snippet]:
    """The lines of a fence without the indentation that its opening line has."""
    kept: list[tuple[int, int]] = []
    for number in body:
        line = lines[number]
        cut = len(indent) if line.startswith(indent) else len(line) - len(line.lstrip(" \t"))
        kept.append((number, cut))
    yield from _snippet(lines, starts, kept, indent)


def _session(lines: list[str], starts: list[int], session: list[int]) -> Iterator[Snippet]:
    """The lines of a session without their prompts."""
    kept = []
    for number in session:
        match = PROMPT.match(lines[number])
        assert match is not None
        kept.append((number, match.end()))
    if kept:
        opening = lines[kept[0][0]]
        indent = opening[: len(opening) - len(opening.lstrip(" \t"))]
        yield from _snippet(lines, starts, kept, f"{indent}... ")


def _snippet(
    lines: list[str], starts: list[int], kept: list[tuple[int, int]], prefix: str
) -> Iterator[Snippet]:
    snippet = in_runs(((starts[n] + cut, lines[n][cut:]) for n, cut in kept), prefix)
    if snippet is not None:
        yield snippet
