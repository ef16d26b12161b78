"""A versioned envelope for programs: lines from 1, columns in code points, ends exclusive.

Fields are only ever added.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from lintkeras import __version__
from lintkeras.documents import Document
from lintkeras.engine import FileReport, severity_of
from lintkeras.findings import Finding, Fix, Span
from lintkeras.rulebook import load


def write(reports: Iterable[FileReport], color: bool) -> Iterator[str]:
    """One JSON object, in ASCII, also where nothing was found."""
    findings = [
        _finding(report.document, finding)
        for report in reports
        if report.document is not None
        for finding in report.findings
    ]
    tool = {"name": "lintkeras", "version": __version__}
    yield json.dumps({"version": 1, "tool": tool, "findings": findings}, indent=2)


def _finding(document: Document, finding: Finding) -> dict[str, object]:
    rule = load().find(finding.rule)
    cell = document.cell(finding.span.start)
    return {
        "path": document.path,
        "rule": finding.rule,
        "name": rule.name if rule else "",
        "severity": severity_of(finding).label,
        "message": finding.message,
        **_place(document, finding.span),
        "cell": cell.number if cell is not None else None,
        "label": finding.label,
        "notes": [{"kind": note.kind, "text": note.text} for note in finding.notes],
        "related": [{**_place(document, r.span), "label": r.label} for r in finding.related],
        "fixes": [_fix(document, fix) for fix in finding.fixes],
    }


def _fix(document: Document, fix: Fix) -> dict[str, object]:
    return {
        "id": fix.id,
        "title": fix.title,
        "applicability": str(fix.applicability),
        "target": fix.target,
        "edits": [{**_place(document, edit.span), "text": edit.text} for edit in sorted(fix.edits)],
    }


def _place(document: Document, span: Span) -> dict[str, int]:
    line, column = document.position(span.start)
    end_line, end_column = document.position(span.end)
    return {"line": line, "column": column, "end_line": end_line, "end_column": end_column}
