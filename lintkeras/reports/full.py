"""Frames with the code, the reasons and the fix, in ASCII and about 100 columns."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Iterable, Iterator

from lintkeras.documents import Document
from lintkeras.documents.cells import in_cell
from lintkeras.engine import FileReport, severity_of
from lintkeras.findings import Applicability, Finding, Span
from lintkeras.fixes import Choice
from lintkeras.rulebook import load
from lintkeras.syntax.edits import Hunk, hunks
from lintkeras.terminal import cells, clean, paint

_WIDTH = 100
_IN_FULL = 3
"""So many findings of a rule are explained; the others point to its page."""
_MOST_LINES = 16
"""Of one piece of a fix; the rest is cut."""
_MEANING = {
    Applicability.SAFE: "safe",
    Applicability.UNSAFE: "unsafe: changes training or results",
    Applicability.DISPLAY: "a sketch: --choose {choice}",
}


def write(reports: Iterable[FileReport], color: bool) -> Iterator[str]:
    """The frames of all findings, with an empty line behind each."""
    seen: Counter[str] = Counter()
    for report in reports:
        for finding in report.findings:
            assert report.document is not None
            seen[finding.rule] += 1
            frame = _Frame(*in_cell(report.document, finding), color)
            yield from frame.lines(seen[finding.rule] <= _IN_FULL)
            yield ""


class _Frame:
    """One finding; all its line numbers stand in one column."""

    def __init__(self, document: Document, finding: Finding, color: bool) -> None:
        self.document = document
        self.finding = finding
        self.color = color
        self.marks: dict[int, list[tuple[Span, str, str]]] = {}
        for related in finding.related:
            self._mark(related.span, "-", related.label)
        self._mark(finding.span, "^", finding.label)
        self.hunks = hunks(document, finding.fixes[0].edits) if finding.fixes else []
        last = max(
            [*self.marks, *(hunk.line + len(hunk.old) + len(hunk.new) for hunk in self.hunks)]
        )
        self.gutter = len(str(last))

    def _mark(self, span: Span, sign: str, label: str) -> None:
        line, _ = self.document.position(span.start)
        self.marks.setdefault(line, []).append((span, sign, label))

    def lines(self, explained: bool) -> Iterator[str]:
        finding, rule = self.finding, load().find(self.finding.rule)
        line, column = self.document.position(finding.span.start)
        severity = severity_of(finding).label
        head = paint(f"{severity}[{finding.rule}]", severity, self.color)
        yield f"{head}: {clean(finding.message)}"
        place = clean(f"{self.document.path}:{line}:{column}")
        yield f"{' ' * self.gutter}--> {place}  {rule.name if rule else ''}".rstrip()
        yield from self._code()
        if explained:
            for note in finding.notes:
                yield from self._note(note.kind, note.text)
        elif finding.notes:
            yield from self._note("note", f"see `lintkeras explain {finding.rule}`")
        for fix in finding.fixes[:1]:
            choice = Choice.of(finding, fix)
            yield clean(f"help: {fix.title} ({_MEANING[fix.applicability].format(choice=choice)})")
            if explained:
                yield from self._changes()
        for fix in finding.fixes[1:]:
            yield clean(f"alternative: {fix.title} (--choose {Choice.of(finding, fix)})")

    def _code(self) -> Iterator[str]:
        yield self._row()
        previous = None
        for number in sorted(self.marks):
            if previous is not None and number > previous + 1:
                yield "..."
            previous = number
            span = self.document.line_span(number)
            marks = sorted(self.marks[number])
            start, end = _window(span, marks[0][0])
            yield self._row(number, clean(self.document.text[start:end]))
            for marked, sign, label in marks:
                before = cells(clean(self.document.text[start : max(marked.start, start)]))
                under = cells(clean(self.document.text[marked.start : min(marked.end, end)]))
                yield self._row(None, f"{' ' * before}{sign * max(under, 1)} {clean(label)}")
        yield self._row()

    def _row(self, number: int | None = None, text: str = "") -> str:
        shown = "" if number is None else number
        return f"{shown:>{self.gutter}} | {text}".rstrip()

    def _note(self, kind: str, text: str) -> Iterator[str]:
        head = f"{' ' * (self.gutter + 1)}= {kind}: "
        yield from textwrap.wrap(
            clean(text), _WIDTH, initial_indent=head, subsequent_indent=" " * len(head),
            break_long_words=False, break_on_hyphens=False,
        )  # fmt: skip

    def _changes(self) -> Iterator[str]:
        yield self._row()
        for index, hunk in enumerate(self.hunks):
            before = self.hunks[index - 1] if index else None
            if before and not (before.old and hunk.line == before.line + len(before.old)):
                yield f"{' ' * self.gutter} ..."
            yield from self._hunk(hunk)
        yield self._row()

    def _hunk(self, hunk: Hunk) -> Iterator[str]:
        """Removed lines with their numbers; added ones too, where they replace nothing."""
        for number, text in enumerate(hunk.old[:_MOST_LINES], start=hunk.line):
            yield self._row(number, paint(clean(f"-{text}"), "removed", self.color))
        yield from self._cut(hunk.old)
        new = hunk.new
        while new and not (hunk.old or new[-1].strip()):
            new = new[:-1]
        for number, text in enumerate(new[:_MOST_LINES], start=hunk.line):
            shown = None if hunk.old else number
            yield self._row(shown, paint(clean(f"+{text}"), "added", self.color))
        yield from self._cut(new)

    def _cut(self, lines: tuple[str, ...]) -> Iterator[str]:
        if len(lines) > _MOST_LINES:
            yield f"{' ' * self.gutter} ... {len(lines) - _MOST_LINES} more lines"


def _window(line: Span, marked: Span) -> tuple[int, int]:
    """The part of a line to show: a very long one is cut around the mark."""
    if line.end - line.start <= 2 * _WIDTH:
        return line.start, line.end
    start = max(line.start, min(marked.start - _WIDTH // 2, line.end - 2 * _WIDTH))
    return start, start + 2 * _WIDTH
