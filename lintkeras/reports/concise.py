"""One line a finding, as editors read it: ``path:line:column: severity: message [code]``.

In a notebook line and column are those of the cell: ``train.ipynb:cell 7:3:5``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from lintkeras.documents import Document
from lintkeras.documents.cells import in_cell
from lintkeras.engine import FileReport, severity_of
from lintkeras.findings import Finding
from lintkeras.terminal import clean, paint


def write(reports: Iterable[FileReport], color: bool) -> Iterator[str]:
    """The lines of all findings."""
    for report in reports:
        for finding in report.findings:
            assert report.document is not None
            yield line(report.document, finding, color)


def line(document: Document, finding: Finding, color: bool = False) -> str:
    """The line of one finding."""
    document, finding = in_cell(document, finding)
    number, column = document.position(finding.span.start)
    severity = severity_of(finding).label
    place = clean(f"{document.path}:{number}:{column}: ")
    return place + paint(severity, severity, color) + clean(f": {finding.message} [{finding.rule}]")
