"""A finding in a notebook as its reader sees it: in its cell, not in the JSON around it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from lintkeras.documents.model import Cell, Document
from lintkeras.findings import Edit, Finding, Fix, Span


def in_cell(document: Document, finding: Finding) -> tuple[Document, Finding]:
    """The cell as a document of its own and the finding in it; both unchanged without a cell.

    What stands in other cells (related places, edits) is left out.
    """
    cell = document.cell(finding.span.start)
    if cell is None:
        return document, finding
    shown = Document(f"{document.path}:cell {cell.number}", "python", cell.text)
    related = tuple(
        replace(one, span=_span(cell, one.span))
        for one in finding.related
        if cell.holds(one.span.start)
    )
    fixes = tuple(replace(fix, edits=tuple(_edits(cell, fix))) for fix in finding.fixes)
    return shown, replace(finding, span=_span(cell, finding.span), related=related, fixes=fixes)


def _span(cell: Cell, span: Span) -> Span:
    start = cell.position(span.start)
    return Span(start, max(start, cell.position(span.end)))


def _edits(cell: Cell, fix: Fix) -> Iterator[Edit]:
    import json

    for edit in fix.edits:
        if cell.holds(edit.span.start):
            # The text is the inside of a string of JSON, or of several behind each other.
            yield Edit(_span(cell, edit.span), "".join(json.loads(f'["{edit.text}"]')))
