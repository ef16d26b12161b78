"""One run over one document: bytes -> findings -> fixes."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from lintkeras.documents import Document, DocumentError, read
from lintkeras.findings import Applicability, Edit, Finding, Fix, Severity, Span
from lintkeras.modules import ProjectModules
from lintkeras.rulebook import load

_ROUNDS = 10


@dataclass(frozen=True)
class FileReport:
    """What was found in one file."""

    path: str
    document: Document | None
    findings: tuple[Finding, ...] = ()


def severity_of(finding: Finding) -> Severity:
    """The finding's own severity, else its rule's."""
    if finding.severity is not None:
        return finding.severity
    rule = load().find(finding.rule)
    return rule.severity if rule is not None else Severity.ERROR


def lint(
    path: str, data: bytes, kind: str, codes: Collection[str], modules: ProjectModules | None = None
) -> FileReport:
    """Lint one file. Whatever its bytes are, the result is a report."""
    lowered = data.lower()
    if b"keras" not in lowered and b"tensorflow" not in lowered:
        return FileReport(path, None)
    try:
        document = read(path, data, kind)
    except DocumentError as error:
        text = data.decode("utf-8", "replace")
        start = len(data[: error.offset].decode("utf-8", "replace"))
        found = Finding("LK001", Span(start, start), str(error))
        return FileReport(path, Document(path, kind, text), _kept([found], codes))
    from lintkeras.screen import candidates
    from lintkeras.syntax.parse import ParsedSnippet, ParseFailure, parse_snippet, parses

    if not candidates(data, codes) and all(parses(snippet) for snippet in document.snippets):
        return FileReport(path, document)
    parsed: list[ParsedSnippet] = []
    for snippet in document.snippets:
        try:
            parsed.append(parse_snippet(snippet))
        except ParseFailure as failure:
            if kind == "python":  # partial code in a document is passed over in silence
                at = snippet.offset(failure.offset)
                found = Finding("LK001", Span(at, at), str(failure))
                return FileReport(path, document, _kept([found], codes))
    if not parsed:
        return FileReport(path, document)
    from lintkeras.checks import check_program
    from lintkeras.syntax.program import Program
    from lintkeras.syntax.suppressions import read as read_suppressions

    try:
        program = Program(document, tuple(parsed))
        findings = list(
            check_program(program, document.prose, codes, resolver=modules or ProjectModules())
        )
        suppressions = read_suppressions(program) if b"lintkeras:" in data else None
    except Exception as error:  # a fault of lintkeras must not stop the other files
        message = f"the analysis failed: {type(error).__name__}: {error}"
        return FileReport(path, document, _kept([Finding("LK002", Span(0, 0), message)], codes))
    if suppressions is not None:
        book = load()
        findings = [
            f
            for f in findings
            if (rule := book.find(f.rule)) is None
            or not suppressions.covers(f.rule, rule.name, f.span)
        ]
    return FileReport(path, document, _kept(findings, codes))


def _kept(findings: list[Finding], codes: Collection[str]) -> tuple[Finding, ...]:
    unique = dict.fromkeys(f for f in findings if f.rule in codes)
    return tuple(sorted(unique, key=lambda f: (f.span, f.rule)))


def fix(
    path: str, data: bytes, kind: str, codes: Collection[str], *, unsafe: bool,
    choose: Mapping[str, str],
) -> tuple[bytes, int]:  # fmt: skip
    """Apply fixes round by round; the new bytes and how many fixes were made.

    A round after which the file does not parse or has a new error is taken back.
    """
    made = 0
    for _ in range(_ROUNDS):
        report = lint(path, data, kind, codes)
        if report.document is None:
            break
        chosen = _choose(report.findings, unsafe, choose)
        if not chosen:
            break
        edits = [edit for one in chosen for edit in one.edits]
        from lintkeras.syntax.edits import apply

        new = report.document.encode(apply(report.document.text, edits))
        if _errors(lint(path, new, kind, codes)) > _errors(report):
            break
        data, made = new, made + len(chosen)
    return data, made


def _errors(report: FileReport) -> int:
    return sum(severity_of(finding) is Severity.ERROR for finding in report.findings)


def _choose(findings: tuple[Finding, ...], unsafe: bool, choose: Mapping[str, str]) -> list[Fix]:
    """The fixes to make at once: allowed ones that do not overlap."""
    taken: list[Edit] = []
    chosen: list[Fix] = []
    for finding in findings:
        wanted = choose.get(finding.rule)
        for one in finding.fixes:
            identity = one.id if one.target is None else f"{one.id}@{one.target}"
            allowed = (
                wanted in (one.id, identity)
                if wanted is not None
                else one.applicability is Applicability.SAFE
                or (unsafe and one.applicability is Applicability.UNSAFE)
            )
            if allowed:
                free = all(
                    edit.span.end <= other.span.start or other.span.end <= edit.span.start
                    for edit in one.edits
                    for other in taken
                )
                if free:
                    chosen.append(one)
                    taken.extend(one.edits)
                break
    return chosen
