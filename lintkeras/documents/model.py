"""What a file holds: code snippets and prose, each with a map back to its place in the file."""

from __future__ import annotations

import bisect
import re
from collections.abc import Iterable, Sequence
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


ProseKind = Literal["heading", "paragraph", "list-item", "quote", "table", "comment", "docstring"]


class DocumentError(Exception):
    """The bytes cannot be read as this kind of document.

    ``offset`` is the position (in bytes) of the first thing that could not be read.
    """

    def __init__(self, message: str, offset: int = 0) -> None:
        super().__init__(message)
        self.offset = offset


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of code points that stands unchanged in the snippet and in the document.

    ``width`` is how many it is written with in the document, where that is another number: then
    it is one that stands there as an escape sequence (``\\n`` in a notebook).
    """

    snippet: int
    document: int
    length: int
    width: int | None = None

    @property
    def end(self) -> int:
        """Where it ends in the document."""
        return self.document + (self.length if self.width is None else self.width)

    def at(self, position: int) -> int:
        """The document offset of a snippet offset in it, or right behind it."""
        inside = position - self.snippet
        return self.end if inside >= self.length else self.document + inside


def place(pieces: Sequence[Piece], position: int, *, end: bool = False) -> int:
    """The document offset of a position in the text that ``pieces`` map.

    With ``end=True`` a position between two pieces belongs to the first one, so that the end of
    a range never swallows what stands between them.
    """
    if not pieces:
        return 0
    find = bisect.bisect_left if end else bisect.bisect_right
    return pieces[max(find(pieces, position, key=_begins) - 1, 0)].at(position)


def _begins(piece: Piece) -> int:
    return piece.snippet


Quoting = tuple[Literal["json", "python"], ...]
"""What inserted text has to be written as: part of a string of JSON, of Python, of one in the other."""


def quoted(text: str, quoting: Quoting) -> str:
    """A line of text as the document has to spell it; the innermost string is the last one."""
    for language in reversed(quoting):
        if language == "json":
            import json

            text = json.dumps(text, ensure_ascii=False)[1:-1]
        else:
            text = text.replace("\\", "\\\\")
    return text


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
    quoting: Quoting = ()
    strict: bool = False
    """Whether it is certainly Python: what does not parse is an error."""
    space: int = 0
    """Snippets of one number share their names; a docstring is a space of its own."""

    def offset(self, position: int, *, end: bool = False) -> int:
        """The document offset of snippet offset ``position``; see ``place``."""
        return place(self.pieces, position, end=end)

    def span(self, start: int, end: int) -> Span:
        """The document range of a snippet range."""
        first = self.offset(start)
        return Span(first, max(first, self.offset(end, end=True)) if end > start else first)

    def edit(self, start: int, end: int, text: str) -> Edit:
        """An edit of a snippet range, in document coordinates and with the block's prefix."""
        first, *others = (quoted(line, self.quoting) for line in _NEWLINE.split(text))
        at = self.span(start, end)
        if "json" in self.quoting and start < end and self.source[end - 1] == "\n":
            if not text or (others and not others[-1]):
                at = Span(at.start, self.offset(end))  # whole lines: whole strings of the list
        if not others:
            return Edit(at, first)
        # The prefix of the last line goes in front of what follows the edit on its line.
        prefix = quoted(self.prefix, self.quoting)
        blank = quoted(self.prefix.rstrip(), self.quoting)
        between = [(prefix + line if line else blank) for line in others[:-1]]
        ends = self.source[end : end + 1] in ("\r", "\n")
        last = blank if ends and not others[-1] else prefix + others[-1]
        return Edit(at, self.newline.join([first, *between, last]))


@dataclass(frozen=True, slots=True)
class Prose:
    """A block of running text, as a reader sees it (markup of emphasis and links removed)."""

    text: str
    span: Span
    kind: ProseKind = "paragraph"
    level: int = 0
    """Of a heading: 1 to 6."""
    pieces: tuple[Piece, ...] = ()
    """Where the runs of the text stand in the document, as far as that is known."""

    def place(self, start: int, end: int) -> Span:
        """The document range of a range of the text; the whole block where it is not known."""
        if not self.pieces or end <= start:
            return self.span
        first = place(self.pieces, start)
        return Span(first, max(first, place(self.pieces, end, end=True)))


@dataclass(frozen=True, slots=True)
class Mark:
    """A remark to lintkeras in a page: what stands in its comment (``lintkeras: ignore LK811``)."""

    span: Span
    text: str


def aligned(plain: str, text: str, span: Span) -> tuple[Piece, ...]:
    """Where the words of running text stand in a block of the document, each behind the last."""
    pieces: list[Piece] = []
    at = span.start
    for word in re.finditer(r"\S+", plain):
        bare = word.group().strip("`")
        for shown in (word.group(), bare):
            found = text.find(shown, at, span.end) if shown else -1
            if found >= 0:
                shift = word.group().index(shown)
                pieces.append(Piece(word.start() + shift, found, len(shown)))
                at = found + len(shown)
                break
    return tuple(pieces)


@dataclass(frozen=True)
class Cell:
    """A cell of a notebook: its text, and where each run of it stands in the file."""

    number: int
    """Its position among all cells, from 1."""
    text: str
    pieces: tuple[Piece, ...]

    def holds(self, offset: int) -> bool:
        """Whether a document offset is in its text."""
        return bool(self.pieces) and self.pieces[0].document <= offset <= self.pieces[-1].end

    def position(self, offset: int) -> int:
        """The place in its text of a document offset."""
        starts = [piece.document for piece in self.pieces]
        piece = self.pieces[max(bisect.bisect_right(starts, offset) - 1, 0)]
        inside = offset - piece.document
        if piece.width is not None:
            inside = 0 if inside < piece.width else piece.length
        return piece.snippet + min(inside, piece.length)


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
    cells: tuple[Cell, ...] = field(default=())
    marks: tuple[Mark, ...] = field(default=())

    def cell(self, offset: int) -> Cell | None:
        """The cell of a notebook in which a text offset stands."""
        return next((cell for cell in self.cells if cell.holds(offset)), None)

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


def through(pieces: tuple[Piece, ...], outer: tuple[Piece, ...]) -> tuple[Piece, ...]:
    """Where code stands in a file, when ``pieces`` say where it stands in a text of it.

    ``outer`` says where that text stands in the file.
    """
    starts = [piece.snippet for piece in outer]
    found: list[Piece] = []
    for piece in pieces:
        position, left = piece.document, piece.length
        while left > 0:
            holder = outer[max(bisect.bisect_right(starts, position) - 1, 0)]
            inside = position - holder.snippet
            taken = min(left, holder.length - inside)
            if taken <= 0:
                break
            at = piece.snippet + piece.length - left
            found.append(Piece(at, holder.document + inside, taken, holder.width))
            position, left = position + taken, left - taken
    return tuple(found)


def in_runs(
    runs: Iterable[tuple[int, str]], prefix: str = "", newline: str = "\n"
) -> Snippet | None:
    """Code that stands in runs of a text, such as lines without their indentation or prompts.

    Each run is where it begins and what it says; None where they say nothing.
    """
    source: list[str] = []
    pieces: list[Piece] = []
    length = 0
    for start, kept in runs:
        if kept:
            pieces.append(Piece(length, start, len(kept)))
        source.append(kept)
        length += len(kept)
    code = "".join(source)
    return (
        Snippet(line_feeds(code), tuple(pieces), prefix, newline=newline) if code.strip() else None
    )
