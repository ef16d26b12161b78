"""One document: bytes -> findings."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from lintkeras.documents import Document, DocumentError, Snippet, read
from lintkeras.findings import Finding, Severity, Span
from lintkeras.modules import ProjectModules
from lintkeras.rulebook import load

if TYPE_CHECKING:
    from lintkeras.syntax.parse import ParsedSnippet
    from lintkeras.syntax.program import Program

ALWAYS = frozenset({"LK001", "LK002"})
"""The rules that say that a file was not checked: no selection and no comment hides them."""


@dataclass(frozen=True)
class FileReport:
    """What was found in one file.

    ``document`` is None where the file does not concern lintkeras; then nothing was found.
    ``unparsed`` counts the snippets without a CST, partial code of a page included.
    """

    path: str
    document: Document | None
    findings: tuple[Finding, ...] = ()
    unparsed: int = 0


def severity_of(finding: Finding) -> Severity:
    """The finding's own severity, else its rule's."""
    if finding.severity is not None:
        return finding.severity
    rule = load().find(finding.rule)
    return rule.severity if rule is not None else Severity.ERROR


@dataclass(frozen=True)
class Reading:
    """How pages are read: which fences besides those of Python are Python, and what they share."""

    languages: tuple[str, ...] = ()
    shared: bool = True
    """Whether the blocks of a page share their names."""


PAGES = Reading()


def lint(
    path: str, data: bytes, kind: str, codes: Collection[str], *,
    target: str | None = None, modules: ProjectModules | None = None, reading: Reading = PAGES,
) -> FileReport:  # fmt: skip
    """Lint one file. Whatever its bytes are, the result is a report.

    ``codes`` are the rules to run, besides those of ALWAYS. ``target`` says for which releases of
    Keras the file is written (None: the newest); ``modules`` finds the files that it imports;
    ``reading`` says how pages are read.
    """
    if not _names_keras(data):
        return FileReport(path, None)
    from lintkeras.syntax.parse import NotAnalyzed
    from lintkeras.syntax.stack import run_with_deep_stack

    job = _Job(ALWAYS | frozenset(codes), target, modules or ProjectModules(), reading)
    document: Document | None = None
    try:
        document = readable = _read(path, data, kind, reading)
        return run_with_deep_stack(lambda: _lint(readable, data, job))
    except DocumentError as error:
        start = len(data[: error.offset].decode("utf-8-sig", "replace"))
        found = Finding("LK001", Span(start, start), str(error))
    except NotAnalyzed as error:
        found = Finding("LK001", Span(0, 0), str(error))
    except RecursionError:
        found = Finding("LK001", Span(0, 0), "cannot be analyzed: nested too deeply")
    except Exception as error:  # a fault of lintkeras must not stop the other files
        message = f"the analysis failed: {type(error).__name__}: {error}"
        found = Finding("LK002", Span(0, 0), message)
    shown = document or Document(path, kind, data.decode("utf-8-sig", "replace"))
    return FileReport(path, shown, (found,))


def _read(path: str, data: bytes, kind: str, reading: Reading) -> Document:
    document = read(path, data, kind, reading.languages)
    if reading.shared or kind not in ("markdown", "rst"):
        return document
    alone = (replace(snippet, space=n) for n, snippet in enumerate(document.snippets, start=1))
    return replace(document, snippets=tuple(alone))


def _names_keras(data: bytes) -> bool:
    """Whether the bytes name Keras or TensorFlow, in any case and also as UTF-16."""
    lowered = data.lower().replace(b"\0", b"")
    return b"keras" in lowered or b"tensorflow" in lowered


@dataclass(frozen=True)
class _Job:
    """What to look for in a document."""

    codes: frozenset[str]
    target: str | None
    modules: ProjectModules
    reading: Reading


def _lint(document: Document, data: bytes, job: _Job) -> FileReport:
    from lintkeras.documents.docstrings import with_examples
    from lintkeras.screen import candidates, worth_parsing
    from lintkeras.syntax.parse import parses

    codes = worth_parsing(document, candidates(data, job.codes), job.target, job.modules)
    if not codes and all(map(parses, document.snippets)):
        return FileReport(document.path, document)
    job = replace(job, codes=codes | ALWAYS)
    document = with_examples(document, job.reading.languages)
    programs, findings, unparsed = _programs(document, job)
    if programs:
        findings += _check(programs, data, job)
    return FileReport(document.path, document, _sorted(findings), unparsed)


def _programs(document: Document, job: _Job) -> tuple[list[Program], list[Finding], int]:
    """The programs of a document, the findings of what does not parse, and how many that are."""
    from lintkeras.screen import candidates
    from lintkeras.syntax.parse import NotAnalyzed, ParseFailure, parse_snippet
    from lintkeras.syntax.program import Program

    spaces: dict[int, list[Snippet]] = {0: []}
    for snippet in document.snippets:
        spaces.setdefault(snippet.space, []).append(snippet)
    programs: list[Program] = []
    findings: list[Finding] = []
    unparsed = 0
    for number, snippets in spaces.items():
        if number and not candidates("\n".join(s.source for s in snippets).encode(), job.codes):
            continue
        parsed: list[ParsedSnippet] = []
        for snippet in snippets:
            try:
                parsed.append(parse_snippet(snippet))
            except ParseFailure as failure:
                # What is no Python is partial code where it stands in a page: no finding.
                if snippet.strict or (isinstance(failure, NotAnalyzed) and not number):
                    at = snippet.offset(failure.offset)
                    findings.append(Finding("LK001", Span(at, at), str(failure)))
        unparsed += len(snippets) - len(parsed)
        page = document.kind != "python" and not number
        if parsed or (page and (document.prose or "LK801" in job.codes)):
            complete = len(parsed) == len(snippets)
            programs.append(Program(document, tuple(parsed), complete=complete))
    return programs, findings, unparsed


def _check(programs: list[Program], data: bytes, job: _Job) -> list[Finding]:
    """What the checks find, without what a comment silences.

    Behind the first program stand the examples of docstrings, which see what the file imports.
    """
    from lintkeras.checks import check_program, understand
    from lintkeras.meaning.values import Symbol
    from lintkeras.syntax import suppressions

    findings: list[Finding] = []
    imported: dict[str, Symbol] = {}
    for program in programs:
        example = any(one.snippet.space > 0 for one in program.parsed)
        facts = understand(program, job.modules, imported if example else None)
        if not example:
            imported = {n: v for n, v in facts.names.items() if isinstance(v, Symbol)}
        prose = () if example else program.document.prose
        findings += check_program(program, facts, prose, job.codes, job.target, job.modules)
    if suppressions.MARK.encode() not in data.lower():
        return findings
    silenced = [suppressions.read(program) for program in programs]
    silenced += [suppressions.in_page(programs[0].document)]
    book = load()
    return [
        finding
        for finding in findings
        if finding.rule in ALWAYS
        or (rule := book.find(finding.rule)) is None
        or not any(one.covers(rule.code, rule.name, finding.span) for one in silenced)
    ]


def _sorted(findings: list[Finding]) -> tuple[Finding, ...]:
    return tuple(sorted(dict.fromkeys(findings), key=lambda f: (f.span, f.rule)))
