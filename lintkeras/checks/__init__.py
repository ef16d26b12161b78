"""The checks: one module a subject; a check is a function of established facts."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from lintkeras.documents.model import Prose
from lintkeras.findings import Finding, Span
from lintkeras.syntax.program import Program


def check_program(
    program: Program, prose: Sequence[Prose], codes: Collection[str], target: str | None = None
) -> Iterator[Finding]:
    """Every finding of the rules ``codes`` in one program.

    A check that raises becomes a finding of LK002; the others still run.
    """
    from lintkeras.checks.registry import Context, checks
    from lintkeras.meaning.interpreter import Interpreter

    size = sum(len(one.snippet.source) for one in program.parsed)
    facts = Interpreter().run(program.modules, size)
    context = Context(program, tuple(prose), facts, target)
    for code, check in checks().items():
        if code not in codes:
            continue
        try:
            yield from list(check(context))
        except Exception as error:
            if "LK002" in codes:
                name = type(error).__name__
                yield Finding("LK002", Span(0, 0), f"the check {code} failed: {name}: {error}")
