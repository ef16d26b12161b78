"""The checks: one module a subject; a check is a function of established facts."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from lintkeras.documents.model import Prose
from lintkeras.findings import Finding, Span
from lintkeras.modules import ProjectModules
from lintkeras.syntax.program import Program

if TYPE_CHECKING:
    from lintkeras.meaning.facts import Facts
    from lintkeras.meaning.modules import Resolver
    from lintkeras.meaning.values import Value


def understand(
    program: Program, resolver: Resolver | None = None, names: Mapping[str, Value] | None = None
) -> Facts:
    """What the interpreter establishes of a program.

    ``resolver`` finds the other files of the project, whose functions and classes are followed;
    ``names`` are what the program finds bound when it begins.
    """
    from lintkeras.meaning.interpreter import Interpreter
    from lintkeras.meaning.modules import Modules

    size = sum(len(one.snippet.source) for one in program.parsed)
    modules = Modules(resolver, program.document.path)
    return Interpreter(modules=modules).run(program.modules, size, names)


def check_program(
    program: Program,
    facts: Facts,
    prose: Sequence[Prose],
    codes: Collection[str],
    target: str | None = None,
    modules: ProjectModules | None = None,
) -> Iterator[Finding]:
    """Every finding of the rules ``codes`` in one program; ``modules`` finds the other files of its project.

    A check that raises becomes a finding of LK002; the others still run.
    """
    from lintkeras.checks.registry import Context, checks
    from lintkeras.syntax.parse import NotAnalyzed

    context = Context(program, tuple(prose), facts, target, modules or ProjectModules())
    for code, check in checks().items():
        if code not in codes:
            continue
        try:
            yield from list(check(context))
        except (RecursionError, NotAnalyzed):
            raise  # nothing can be said about this file, and no check is to blame
        except Exception as error:
            if "LK002" in codes:
                name = type(error).__name__
                yield Finding("LK002", Span(0, 0), f"the check {code} failed: {name}: {error}")
