"""Examples in docstrings: fences and ``>>>`` sessions, each docstring with names of its own."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace

from lintkeras.documents.lines import Lines, fence_language
from lintkeras.documents.model import (
    Document,
    Piece,
    Snippet,
    line_feeds,
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
_SIGNS = ("```", "~~~", ">>>", "::")
"""What a docstring with an example holds, one of them."""
_FENCE = re.compile(r"(?P<indent>[ \t]*)(?P<ticks>`{3,}|~{3,})(?P<info>[^`]*)")

Documentable = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
_BLOCKS = ("body", "orelse", "finalbody", "handlers", "cases")


@dataclass(frozen=True)
class Docstring:
    """The text of a docstring, and where each run of it stands in the file."""

    node: Documentable
    text: str
    pieces: tuple[Piece, ...]
    raw: bool


def with_examples(document: Document, languages: Collection[str] = ()) -> Document:
    """A document with the examples of its docstrings as snippets behind its own."""
    found: list[Snippet] = []
    space = max((snippet.space for snippet in document.snippets), default=0)
    for code in document.snippets:
        if not any(sign in code.source for sign in _SIGNS):
            continue
        for docstring in docstrings(code.source):
            space += 1
            for snippet in _examples(docstring, languages):
                pieces = through(through(snippet.pieces, docstring.pieces), code.pieces)
                found.append(
                    replace(
                        snippet, pieces=pieces, space=space, prefix=code.prefix + snippet.prefix,
                        newline=code.newline,
                        quoting=code.quoting if docstring.raw else (*code.quoting, "python"),
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


def _examples(docstring: Docstring, languages: Collection[str]) -> Iterator[Snippet]:
    """The Python of a docstring, in its own coordinates."""
    lines = Lines(docstring.text)
    number = 0
    while number < len(lines):
        fence = _FENCE.fullmatch(lines[number])
        directive = lines.directive(number, len(lines))
        if fence is not None:
            end = _closing(lines, number + 1, fence["ticks"])
            if fence_language(fence["info"], languages) is not None:
                body = range(number + 1, end)
                if any(map(lines.begins_session, body)):
                    yield from lines.session(body)
                else:
                    yield from lines.block(body, fence["indent"])
            number = end + 1
        elif directive is not None and directive.is_code:
            if (language := directive.language(languages)) is not None:
                yield from lines.code(directive.body, language)
            number = max(directive.body.stop, number + 1)
        elif directive is None and lines[number].rstrip().endswith("::"):
            body = range(number + 1, lines.body(number + 1, len(lines), lines.indent(number)))
            found = list(lines.literal(body))
            yield from found
            number = body.stop if found else number + 1
        elif lines.begins_session(number):
            first, number = number, lines.paragraph(number, len(lines))
            yield from lines.session(range(first, number))
        else:
            number += 1


def _closing(lines: Lines, first: int, ticks: str) -> int:
    for number in range(first, len(lines)):
        line = lines[number].strip()
        if line.startswith(ticks) and not line.strip(ticks[0]):
            return number
    return len(lines)
