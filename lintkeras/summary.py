"""What a run found, counted: the closing lines of ``check``."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import PurePath

from lintkeras.engine import FileReport, severity_of
from lintkeras.findings import Applicability, Finding, Severity
from lintkeras.fixes import Consent
from lintkeras.rulebook import load


@dataclass
class Summary:
    """Counts over all files of a run; ``consent`` says which fixes ``--fix`` would apply."""

    consent: Consent
    checked: Counter[str] = field(default_factory=Counter)
    found: Counter[str] = field(default_factory=Counter)
    """Files with findings, by kind."""
    severities: Counter[Severity] = field(default_factory=Counter)
    fixable: int = 0
    unsafely: int = 0
    by_choice: int = 0
    by_hand: Counter[str] = field(default_factory=Counter)
    """Findings that no fix is offered for, by rule."""
    example: str | None = None
    """The first rule that was found."""
    fixes: int = 0
    fixed_files: int = 0

    def add(self, report: FileReport) -> None:
        """Count a file and its findings."""
        kind = PurePath(report.path).suffix.removeprefix(".").lower() or "other"
        self.checked[kind] += 1
        self.found[kind] += bool(report.findings)
        for finding in report.findings:
            self.severities[severity_of(finding)] += 1
            self.example = self.example or finding.rule
            self._add_fixes(finding)

    def _add_fixes(self, finding: Finding) -> None:
        if self.consent.pick(finding) is not None:
            self.fixable += 1
        elif any(fix.applicability is Applicability.UNSAFE for fix in finding.fixes):
            self.unsafely += 1
        elif finding.fixes:
            self.by_choice += 1
        else:
            self.by_hand[finding.rule] += 1

    def add_fixes(self, count: int) -> None:
        """Count the fixes of one file."""
        self.fixes += count
        self.fixed_files += bool(count)

    def fixed_line(self, verb: str) -> str:
        """``Fixed 2 findings in 1 file.``"""
        if not self.fixes:
            return "Nothing to fix."
        return f"{verb} {_count(self.fixes, 'finding')} in {_count(self.fixed_files, 'file')}."

    def left_line(self) -> str | None:
        """``Left for a person: 2 LK601 removed-module, 1 LK609 unknown-symbol.``"""
        if not self.by_hand:
            return None
        book = load()
        parts = [
            f"{count} {code} {rule.name}"
            for code, count in sorted(self.by_hand.items(), key=lambda item: (-item[1], item[0]))
            if (rule := book.find(code)) is not None
        ]
        return f"Left for a person: {', '.join(parts)}."

    def found_line(self) -> str:
        """``Found 1 error in 1 file (1 py). 0 fixable with --fix, 1 with --unsafe-fixes. ...``"""
        if not self.example:
            return f"Found nothing in {_files(self.checked)}."
        found = " and ".join(
            _count(self.severities[severity], severity.label) if severity is not Severity.INFO
            else f"{self.severities[severity]} info"
            for severity in sorted(self.severities, reverse=True)
        )  # fmt: skip
        line = (
            f"Found {found} in {_files(+self.found)}. "
            f"{self.fixable} fixable with --fix, {self.unsafely} with --unsafe-fixes"
        )
        if self.by_choice:
            line += f", {self.by_choice} with --choose"
        return f"{line}.   lintkeras explain {self.example}"


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _files(kinds: Counter[str]) -> str:
    number = sum(kinds.values())
    listed = ", ".join(f"{kinds[kind]} {kind}" for kind in sorted(kinds))
    return f"{_count(number, 'file')} ({listed})" if listed else _count(number, "file")
