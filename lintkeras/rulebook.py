"""The rule book: each rule's metadata, page and examples, read from ``rules/``."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from lintkeras.config import did_you_mean
from lintkeras.findings import Severity

_FENCE = re.compile(r"^```(\w+) (bad|fixed|good|proof)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_MARKER = re.compile(r"  # (error|warning|info): \[(LK\d{3})\]$", re.MULTILINE)


class UnknownRule(Exception):
    """A selector that names no rule."""


@dataclass(frozen=True)
class Example:
    """A fence of a page: its language, its role and its text."""

    language: str
    role: str
    text: str

    def marked(self) -> tuple[str, list[tuple[int, str, str]]]:
        """The text without markers, and (line, severity, code) of each marker."""
        found = [
            (self.text.count("\n", 0, m.start()) + 1, m.group(1), m.group(2))
            for m in _MARKER.finditer(self.text)
        ]
        return _MARKER.sub("", self.text), found


@dataclass(frozen=True)
class Rule:
    """One rule, as its page's front matter says."""

    code: str
    name: str
    family: str
    severity: Severity
    fix: str
    default: bool
    needs: tuple[bytes, ...]
    """Words of which a file must hold at least one for the rule to fire; none: never from code."""
    path: Path
    page: str

    def examples(self) -> list[Example]:
        """The examples of the page, in order."""
        return [Example(*m.groups()) for m in _FENCE.finditer(self.page)]


@dataclass(frozen=True)
class RuleBook:
    """All rules, by code."""

    rules: tuple[Rule, ...]

    def find(self, text: str) -> Rule | None:
        """The rule of a code, a name, or a pasted line that holds a code."""
        word = text.strip().lower()
        for rule in self.rules:
            if word in (rule.code.lower(), rule.name):
                return rule
        pasted = re.search(r"\[(LK\d{3})\]", text)
        return self.find(pasted.group(1)) if pasted else None

    def select(self, selectors: Iterable[str]) -> frozenset[str]:
        """The codes that selectors (code, name, prefix, family, ALL) stand for.

        Raises UnknownRule for a selector that stands for none.
        """
        chosen: set[str] = set()
        for selector in selectors:
            word = selector.lower()
            found = {
                rule.code
                for rule in self.rules
                if word in (rule.name, rule.family, "all")
                or (word.startswith("lk") and rule.code.lower().startswith(word))
            }
            if not found:
                raise UnknownRule(f"unknown rule {selector!r}{did_you_mean(word, self.words())}")
            chosen |= found
        return frozenset(chosen)

    def words(self) -> list[str]:
        """All words that stand for one rule or several, but for prefixes."""
        words = ((rule.code, rule.name, rule.family) for rule in self.rules)
        return [*dict.fromkeys(word for three in words for word in three), "ALL"]


@cache
def load() -> RuleBook:
    """Read the pages: inside the package when installed, else beside it."""
    here = Path(__file__).parent
    folder = here / "rules" if (here / "rules").is_dir() else here.parent / "rules"
    return RuleBook(tuple(sorted(map(_read, folder.glob("*/LK*.md")), key=lambda r: r.code)))


def _read(path: Path) -> Rule:
    _, front, page = path.read_text(encoding="utf-8").split("+++\n", 2)
    data = tomllib.loads(front)
    return Rule(
        data["code"], data["name"], data["family"], Severity[data["severity"].upper()],
        data["fix"], data["default"], tuple(word.encode() for word in data.get("needs", ())), path, page.strip() + "\n",
    )  # fmt: skip
