"""Fixes, round by round: apply what is allowed, look again, take back what does harm."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace

from lintkeras.documents import Document
from lintkeras.engine import FileReport, severity_of
from lintkeras.findings import Applicability, Edit, Finding, Fix, Severity, Span
from lintkeras.rulebook import load
from lintkeras.syntax.edits import apply
from lintkeras.syntax.parse import comments

_ROUNDS = 10


@dataclass(frozen=True)
class Choice:
    """The user's pick among the fixes of a rule: consent to this one and to no other."""

    rule: str
    fix: str
    target: str | None = None

    @classmethod
    def of(cls, finding: Finding, fix: Fix) -> Choice:
        """The choice that means one fix of a finding."""
        return cls(finding.rule, fix.id, fix.target)

    def __str__(self) -> str:
        """As the command line takes it."""
        return f"{self.rule}={self.fix}" + (f"@{self.target}" if self.target else "")

    def fits(self, finding: Finding, fix: Fix) -> bool:
        """Whether it means this fix of this finding."""
        return (self.rule, self.fix) == (finding.rule, fix.id) and self.target in (None, fix.target)


@dataclass(frozen=True)
class Consent:
    """Which fixes may be applied: the safe ones, the unsafe ones if asked, the chosen ones."""

    unsafe: bool = False
    choices: tuple[Choice, ...] = ()

    def chosen(self, finding: Finding) -> list[Fix]:
        """The fixes of a finding that the choices mean; more than one is ambiguous."""
        return [f for f in finding.fixes if any(c.fits(finding, f) for c in self.choices)]

    def pick(self, finding: Finding) -> Fix | None:
        """The fix to apply to a finding; None without consent or where a choice is ambiguous."""
        if any(choice.rule == finding.rule for choice in self.choices):
            chosen = self.chosen(finding)
            return chosen[0] if len(chosen) == 1 else None
        allowed = (Applicability.SAFE, Applicability.UNSAFE)[: 1 + self.unsafe]
        return next((fix for fix in finding.fixes if fix.applicability in allowed), None)


_Pair = tuple[Finding, Fix]


@dataclass(frozen=True)
class Fixed:
    """The new bytes, how many fixes made them, and what could not be done and why."""

    data: bytes
    made: int = 0
    troubles: tuple[str, ...] = ()


def fix(data: bytes, consent: Consent, lint: Callable[[bytes], FileReport]) -> Fixed:
    """Apply fixes until there are none left, ten rounds at most; ``lint`` looks at each result.

    Fixes that meet wait for the next round. A fix after which the file does not parse, has an
    error that it had not, or lacks a comment is taken back; the others of its round are not.
    """
    report = lint(data)
    troubles: dict[tuple[str, str], str] = {}
    made = 0
    for _ in range(_ROUNDS):
        wanted = [pair for pair in _wanted(report, consent) if _key(pair) not in troubles]
        document = report.document
        if document is None or not wanted:
            return Fixed(data, made, tuple(troubles.values()))
        if document.encode(document.text) != data:
            return Fixed(data, made, ("the file cannot be written back byte for byte",))
        accepted: list[_Pair] = []
        harm, data_then, report_then = _try(report, document, wanted, lint)
        if harm is None:
            accepted, data, report = wanted, data_then, report_then
        else:
            before = report
            for pair in wanted:
                harm, data_then, report_then = _try(before, document, [*accepted, pair], lint)
                if harm is None:
                    accepted, data, report = [*accepted, pair], data_then, report_then
                else:
                    rule, line = pair[0].rule, document.position(pair[0].span.start)[0]
                    trouble = f"the fix of {rule} in line {line} was taken back: {harm}"
                    troubles[_key(pair)] = trouble
        made += len(accepted)
    if any(_key(pair) not in troubles for pair in _wanted(report, consent)):
        troubles["", ""] = f"more fixes were left after {_ROUNDS} rounds; run it again"
    return Fixed(data, made, tuple(troubles.values()))


def _key(pair: _Pair) -> tuple[str, str]:
    """What a fix is known by from round to round, while its place moves."""
    finding, fix = pair
    return finding.message, fix.title


def _try(
    before: FileReport, document: Document, pairs: list[_Pair], lint: Callable[[bytes], FileReport]
) -> tuple[str | None, bytes, FileReport]:
    """What harm some fixes do together, if any, and what the file is after them."""
    fixes = [fix for _, fix in pairs]
    try:
        new = document.encode(_edited(document, fixes))
    except ValueError as error:  # edits of one fix overlap, or the encoding lacks a letter
        return str(error), b"", before
    after = lint(new)
    return _harm(before, after, pairs), new, after


def _edited(document: Document, fixes: list[Fix]) -> str:
    return apply(document.text, [edit for fix in fixes for edit in fix.edits])


def _wanted(report: FileReport, consent: Consent) -> list[_Pair]:
    """The fixes to make at once."""
    wanted: list[_Pair] = []
    taken: list[Edit] = []
    groups: set[str] = set()
    for finding in report.findings:
        fix = consent.pick(finding)
        if fix is None or fix.group in groups:
            continue
        if not any(_meet(one, two) for one in fix.edits for two in taken):
            wanted.append((finding, fix))
            taken += fix.edits
            groups |= {fix.group} if fix.group is not None else set()
    return wanted


def _meet(one: Edit, two: Edit) -> bool:
    """Whether edits touch, or insert the same lines (two definitions of one name)."""
    return (one.span.start <= two.span.end and two.span.start <= one.span.end) or (
        "\n" in one.text and one.text == two.text
    )


def _harm(before: FileReport, after: FileReport, made: list[_Pair]) -> str | None:
    """What fixes broke, if anything."""
    if after.document is None:
        return None
    fixes = [fix for _, fix in made]
    new_errors = _errors(after) - _errors(before)
    if "LK001" in new_errors or after.unparsed > before.unparsed:
        return "the result does not parse"
    if new_errors and any(_reveals(finding) for finding, _ in made):
        new_errors &= _errors(after, _edited_spans(fixes))
    if new_errors:
        return f"it brings a new error, {min(new_errors)}"
    assert before.document is not None
    removed = removed_comments(before.document, [edit for fix in fixes for edit in fix.edits])
    lost = _comments(before.document) - removed - _comments(after.document)
    return f"it loses the comment {min(lost)!r}" if lost else None


def _reveals(finding: Finding) -> bool:
    """Whether a fix gives names their meaning back, so that more is known of code elsewhere.

    What then turns out to be wrong there was wrong before.
    """
    rule = load().find(finding.rule)
    return rule is not None and rule.family == "api"


def _edited_spans(fixes: list[Fix]) -> list[Span]:
    """Where the texts of some edits stand when they have been made."""
    spans, shift = [], 0
    for edit in sorted(edit for fix in fixes for edit in fix.edits):
        start = edit.span.start + shift
        spans.append(Span(start, start + len(edit.text)))
        shift += len(edit.text) - (edit.span.end - edit.span.start)
    return spans


def _errors(report: FileReport, spans: list[Span] | None = None) -> Counter[str]:
    """The errors of a report by rule; with ``spans`` those that touch one of these."""
    return Counter(
        f.rule
        for f in report.findings
        if severity_of(f) is Severity.ERROR
        if spans is None or any(f.span.start <= s.end and s.start <= f.span.end for s in spans)
    )


def _comments(document: Document) -> Counter[str]:
    """The comments of a document, also those of the examples in its docstrings.

    A report on a file that was not looked into knows nothing of such examples.
    """
    if document.kind == "python":
        from lintkeras.documents.docstrings import with_examples

        outer = tuple(one for one in document.snippets if not one.space)
        document = with_examples(replace(document, snippets=outer))
    return Counter(text for one in document.snippets for _, text in comments(one.source))


def removed_comments(document: Document, edits: list[Edit]) -> Counter[str]:
    """The comments on statements that edits remove: behind code, in a range that goes as a whole.

    The titles of such fixes say so.
    """
    found: Counter[str] = Counter()
    for edit in edits:
        removed = document.text[edit.span.start : edit.span.end]
        if not edit.text:
            found.update(text for at, text in comments(removed) if removed[:at].strip())
    return found
