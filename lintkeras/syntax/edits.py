"""Applying edits to a text, and showing what they change."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from lintkeras.documents.model import Document
from lintkeras.findings import Edit, Span


@dataclass(frozen=True, slots=True)
class Hunk:
    """Lines that are replaced: the number of the first (from 1), the old ones, the new ones."""

    line: int
    old: tuple[str, ...]
    new: tuple[str, ...]


def apply(text: str, edits: Iterable[Edit]) -> str:
    """The text with all edits made. Raises ValueError where two overlap."""
    parts: list[str] = []
    position = 0
    for edit in sorted(edits):
        if edit.span.start < position:
            raise ValueError("edits overlap")
        parts += [text[position : edit.span.start], edit.text]
        position = edit.span.end
    return "".join([*parts, text[position:]])


def hunks(document: Document, edits: Iterable[Edit]) -> list[Hunk]:
    """The lines that edits change, in order, without the unchanged ones."""
    import difflib

    found: list[Hunk] = []
    for first, last, group in _by_lines(document, sorted(edits)):
        start, end = document.line_start(first), document.line_start(last + 1)
        moved = [Edit(Span(e.span.start - start, e.span.end - start), e.text) for e in group]
        text = document.text[start:end]
        old, new = _lines(text), _lines(apply(text, moved))
        for tag, i, j, k, m in difflib.SequenceMatcher(None, old, new, False).get_opcodes():
            if tag != "equal":
                found.append(Hunk(first + i, tuple(old[i:j]), tuple(new[k:m])))
    return found


def _by_lines(document: Document, edits: list[Edit]) -> Iterator[tuple[int, int, list[Edit]]]:
    """Edits that share lines, with the first and the last of these lines.

    The last one stands before the first one where whole lines are inserted.
    """
    group: list[Edit] = []
    first = last = 0
    for edit in edits:
        start, column = document.position(edit.span.start)
        end, end_column = document.position(edit.span.end)
        if column == end_column == 1 and edit.text[-1:] in ("", "\n", "\r"):
            end -= 1
        if group and start <= last:
            last = max(last, end)
            group.append(edit)
            continue
        if group:
            yield first, last, group
        first, last, group = start, end, [edit]
    if group:
        yield first, last, group


def _lines(text: str) -> list[str]:
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return lines[:-1] if not lines[-1] else lines
