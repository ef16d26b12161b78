"""Applying edits to a text."""

from __future__ import annotations

from lintkeras.findings import Edit


def apply(text: str, edits: list[Edit]) -> str:
    """The text with all edits made. Raises ValueError where two overlap."""
    parts: list[str] = []
    position = 0
    for edit in sorted(edits):
        if edit.span.start < position:
            raise ValueError("edits overlap")
        parts += [text[position : edit.span.start], edit.text]
        position = edit.span.end
    return "".join([*parts, text[position:]])
