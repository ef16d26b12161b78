"""What a file holds: code snippets and prose, each with a map back to its place in the file."""

from __future__ import annotations

import bisect
import re
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from lintkeras.findings import Edit, Span

_NEWLINE = re.compile(r"\r\n|\r|\n")


def line_feeds(text: str) -> str:
    """Code with a line feed for each bare carriage return: every offset stays."""
    return re.sub(r"\r(?!\n)", "\n", text) if "\r" in text else text


def newline_of(text: str) -> str:
    """How a text ends its lines: as its first line does."""
    found = _NEWLINE.search(text)
    return found.group() if found else "\n"


ProseKind = Literal["heading", "paragraph", "list-item", "quote", "table"]


class DocumentError(Exception):
    """The bytes cannot be read as this kind of document.

    ``offset`` is the position (in bytes) of the first thing that could not be read.
    """

    def __init__(self, message: str, offset: int = 0) -> None:
        super().__init__(message)
        self.offset = offset


@dataclass(frozen=True, slots=True)
class Piece:
    """``length`` code points that stand unchanged in the snippet and in the document."""

    snippet: int
    document: int
    length: int


@dataclass(frozen=True)
class Snippet:
    """A piece of Python code in a document.

    ``source`` is the code alone, dedented, without quote marks, a bare carriage return as the line
    feed that it stands for (libcst does not give it back). ``pieces`` say where each run of it
    stands in the document, in order; ``prefix`` is what every further line of inserted text
    needs in front (the indentation or ``> `` of the surrounding block).
    """

    source: str
    pieces: tuple[Piece, ...]
    prefix: str = ""
    language: str = "python"
    newline: str = "\n"
    """How the document ends its lines here; what is inserted ends them alike."""

    @cached_property
    def _starts(self) -> list[int]:
        return [piece.snippet for piece in self.pieces]

    def offset(self, position: int, *, end: bool = False) -> int:
        """The document offset of snippet offset ``position``.

        With ``end=True`` a position between two pieces belongs to the first one, so that the end of
        a range never swallows the prefix of the next line.
        """
        if not self.pieces:
            return 0
        find = bisect.bisect_left if end else bisect.bisect_right
        piece = self.pieces[max(find(self._starts, position) - 1, 0)]
        return piece.document + min(position - piece.snippet, piece.length)

    def span(self, start: int, end: int) -> Span:
        """The document range of a snippet range."""
        first = self.offset(start)
        return Span(first, max(first, self.offset(end, end=True)) if end > start else first)

    def edit(self, start: int, end: int, text: str) -> Edit:
        """An edit of a snippet range, in document coordinates and with the block's prefix."""
        first, *others = _NEWLINE.split(text)
        at = self.span(start, end)
        if not others:
            return Edit(at, text)
        # The prefix of the last line goes in front of what follows the edit on its line.
        blank = self.prefix.rstrip()
        between = [(self.prefix + line if line else blank) for line in others[:-1]]
        ends = self.source[end : end + 1] in ("\r", "\n")
        last = blank if ends and not others[-1] else self.prefix + others[-1]
        return Edit(at, self.newline.join([first, *between, last]))


@dataclass(frozen=True, slots=True)
class Prose:
    """A block of running text, as a reader sees it (markup of emphasis and links removed)."""

    text: str
    span: Span
    kind: ProseKind = "paragraph"
    level: int = 0
    """Of a heading: 1 to 6."""


@dataclass(frozen=True)
class Document:
    """A file's text, its code and its prose. ``text`` keeps the newlines of the file."""

    path: str
    kind: str
    text: str
    encoding: str = "utf-8"
    bom: bytes = b""
    snippets: tuple[Snippet, ...] = ()
    prose: tuple[Prose, ...] = field(default=())

    def encode(self, text: str) -> bytes:
        """``text`` as the bytes of this file: same encoding, same byte-order mark."""
        return self.bom + text.encode(self.encoding)

    @cached_property
    def _lines(self) -> list[int]:
        return [0, *(match.end() for match in _NEWLINE.finditer(self.text))]

    def position(self, offset: int) -> tuple[int, int]:
        """Line and column of a text offset, both from 1, the column in code points."""
        line = bisect.bisect_right(self._lines, offset)
        return line, offset - self._lines[line - 1] + 1

    def line_start(self, line: int) -> int:
        """Where a line (from 1) begins; behind the last one, the end of the text."""
        return self._lines[line - 1] if line <= len(self._lines) else len(self.text)

    def line_span(self, line: int) -> Span:
        """The range of a line (from 1) without its newline."""
        start, end = self.line_start(line), self.line_start(line + 1)
        return Span(start, start + len(self.text[start:end].rstrip("\r\n")))
