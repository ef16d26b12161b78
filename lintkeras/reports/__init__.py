"""Reports: one function an output format, from the same findings."""

from __future__ import annotations

import json
import textwrap
from collections import Counter
from collections.abc import Iterator, Sequence

from lintkeras import __version__
from lintkeras.engine import FileReport, severity_of
from lintkeras.findings import Finding, Span
from lintkeras.rulebook import load

FORMATS = ("full", "concise", "json")
_WIDTH = 100
_NOTES_IN_FULL = 3


def _clean(text: str) -> str:
    """Text for a terminal: control characters and bidirectional marks shown, not sent."""
    return "".join(
        c if c.isprintable() or c == " " else "    " if c == "\t" else f"\\x{ord(c):02x}"
        for c in text
    )


def concise(reports: Sequence[FileReport]) -> Iterator[str]:
    """``path:line:column: severity: message [code]``."""
    for report in reports:
        for finding in report.findings:
            assert report.document is not None
            line, column = report.document.position(finding.span.start)
            label = severity_of(finding).label
            yield _clean(
                f"{report.path}:{line}:{column}: {label}: {finding.message} [{finding.rule}]"
            )


def full(reports: Sequence[FileReport]) -> Iterator[str]:
    """Frames with the code, the reasons and the fixes."""
    seen: Counter[str] = Counter()
    for report in reports:
        for finding in report.findings:
            seen[finding.rule] += 1
            yield from _frame(report, finding, seen[finding.rule] <= _NOTES_IN_FULL)
            yield ""


def _frame(report: FileReport, finding: Finding, notes: bool) -> Iterator[str]:
    document = report.document
    assert document is not None
    rule = load().find(finding.rule)
    line, column = document.position(finding.span.start)
    yield _clean(f"{severity_of(finding).label}[{finding.rule}]: {finding.message}")
    yield _clean(f"  --> {report.path}:{line}:{column}  {rule.name if rule else ''}")
    marks: dict[int, list[tuple[Span, str, str]]] = {}
    for related in finding.related:
        marks.setdefault(document.position(related.span.start)[0], []).append(
            (related.span, "-", related.label)
        )
    marks.setdefault(line, []).append((finding.span, "^", finding.label))
    gutter = len(str(max(marks)))
    yield " " * gutter + "  |"
    previous = None
    for number in sorted(marks):
        if previous is not None and number > previous + 1:
            yield "..."
        previous = number
        span = document.line_span(number)
        yield f"{number:>{gutter}}  | " + _clean(document.text[span.start : span.end])
        for marked, sign, label in marks[number]:
            before = _clean(document.text[span.start : marked.start])
            under = _clean(document.text[marked.start : min(marked.end, span.end)])
            tail = f" {label}" if label else ""
            yield (
                " " * gutter + "  | " + " " * _cells(before) + sign * max(_cells(under), 1) + tail
            )
    yield " " * gutter + "  |"
    if notes:
        for note in finding.notes:
            head = f"   = {note.kind}: "
            yield from textwrap.wrap(
                _clean(note.text), _WIDTH, initial_indent=head, subsequent_indent=" " * len(head)
            )
    elif finding.notes:
        yield f"   = note: see `lintkeras explain {finding.rule}`"
    for fix in finding.fixes[:1]:
        yield _clean(f"help: {fix.title} ({fix.applicability})")
    for fix in finding.fixes[1:]:
        yield _clean(f"alternative: {fix.title} (--choose {finding.rule}={fix.id})")


def _cells(text: str) -> int:
    """How many terminal cells a text takes."""
    import unicodedata

    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1
        for c in text
    )


def as_json(reports: Sequence[FileReport]) -> Iterator[str]:
    """A versioned envelope: lines from 1, columns in code points, ends exclusive."""
    yield json.dumps(
        {
            "version": 1,
            "tool": {"name": "lintkeras", "version": __version__},
            "findings": [
                _json(report, finding) for report in reports for finding in report.findings
            ],
        },
        indent=2,
    )


def _json(report: FileReport, finding: Finding) -> dict[str, object]:
    document = report.document
    assert document is not None

    def place(span: Span) -> dict[str, int]:
        line, column = document.position(span.start)
        end_line, end_column = document.position(span.end)
        return {"line": line, "column": column, "end_line": end_line, "end_column": end_column}

    rule = load().find(finding.rule)
    return {
        "path": report.path,
        "rule": finding.rule,
        "name": rule.name if rule else "",
        "severity": severity_of(finding).label,
        "message": finding.message,
        **place(finding.span),
        "notes": [{"kind": note.kind, "text": note.text} for note in finding.notes],
        "related": [{**place(r.span), "label": r.label} for r in finding.related],
        "fixes": [
            {
                "id": fix.id,
                "title": fix.title,
                "applicability": str(fix.applicability),
                "target": fix.target,
                "edits": [{**place(e.span), "text": e.text} for e in fix.edits],
            }
            for fix in finding.fixes
        ],
    }
