"""Docstrings against the signatures that they document (LK803 to LK805)."""

from __future__ import annotations

from collections.abc import Iterator

from lintkeras.checks.registry import Context, checks_of
from lintkeras.findings import Finding
from lintkeras.signatures.disagreements import CODES, disagreements


@checks_of(CODES)
def documented_otherwise(context: Context, code: str) -> Iterator[Finding]:
    """A docstring says another thing of the arguments than the signature."""
    if any(one.snippet.space for one in context.program.parsed):
        return  # the example of a docstring: its file is read as a whole
    yield from (one for one in context.once(_found) if one.rule == code)


def _found(context: Context) -> tuple[Finding, ...]:
    return tuple(disagreements(context.program.document, context.releases, context.modules))
