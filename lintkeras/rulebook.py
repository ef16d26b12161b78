"""The rule book: each rule's metadata, page and examples, read from ``rules/``."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from lintkeras.config import did_you_mean
from lintkeras.findings import Severity

_FENCE = re.compile(
    r"^(?P<ticks>`{3,})(?P<language>\w+) (?P<role>bad|fixed|good|control|proof)(?P<words>[^`\n]*)\n"
    r"(?P<text>.*?)^(?P=ticks)$",
    re.MULTILINE | re.DOTALL,
)
_MARKER = re.compile(r"  # (error|warning|info): \[(LK\d{3})\]$", re.MULTILINE)
_SECTION = re.compile(r"^## (.+)$", re.MULTILINE)


class UnknownRule(Exception):
    """A selector that names no rule."""


@dataclass(frozen=True)
class Example:
    """A fence of a page.

    ``role`` is ``bad`` (with a marker on each line that is found), ``fixed`` (what the fixes make
    of the bad one above it), ``good`` (nothing is found), ``control`` (a program for which the
    page's proof must fail) or ``proof``. ``words`` stand behind the role: ``by-hand`` for a fixed
    program that no fix makes, ``no-run`` for one that cannot be run, the name of a fix
    (``stop-gradient``) for a fixed program that is an alternative, ``target=2.15`` for a program
    that is written for that Keras.
    """

    language: str
    role: str
    text: str
    words: tuple[str, ...] = ()
    at: int = 0
    """Where its text begins in the page."""

    @property
    def target(self) -> str | None:
        """The releases of Keras that it is written for, as ``target-keras`` says them."""
        found = [word for word in self.words if word.startswith("target=")]
        return found[0].removeprefix("target=") if found else None

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
    since: str
    keras: str
    """The versions of Keras for which it speaks, as a specifier (``>=2.4``)."""
    references: tuple[str, ...]
    """Where the facts come from: papers, documentation, source files, issues."""
    needs: tuple[tuple[bytes, ...], ...]
    """Groups of words: a file must hold one of each for the rule to fire; none: never from code."""
    reads: str
    """What decides whether the rule can fire: the ``code``, its ``docstrings`` or all ``prose``."""
    symmetric: str | None
    """Why the page's proof holds just as well with ``bad`` and ``fixed`` exchanged, if it does."""
    path: Path
    page: str

    def examples(self) -> list[Example]:
        """The examples of the page, in order."""
        return [
            Example(m["language"], m["role"], m["text"], tuple(m["words"].split()), m.start("text"))
            for m in _FENCE.finditer(self.page)
        ]

    def prose(self) -> str:
        """The page without its examples."""
        return _FENCE.sub("", self.page)

    def sections(self) -> list[str]:
        """The titles of the page's sections, in order."""
        return _SECTION.findall(self.prose())


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
                raise self.unknown(selector)
            chosen |= found
        return frozenset(chosen)

    def defaults(self) -> frozenset[str]:
        """The codes of the rules that run where nothing is selected."""
        return frozenset(rule.code for rule in self.rules if rule.default)

    def unknown(self, word: str) -> UnknownRule:
        """The error that says that a word stands for no rule, and what may be meant."""
        known = {word for rule in self.rules for word in (rule.code, rule.name, rule.family)}
        hint = did_you_mean(word, sorted({*known, "ALL"})) or "; `lintkeras rules` lists them"
        return UnknownRule(f"unknown rule {word!r}{hint}")


@cache
def load() -> RuleBook:
    """Read the pages: inside the package when installed, else beside it."""
    here = Path(__file__).parent
    folder = here / "rules" if (here / "rules").is_dir() else here.parent / "rules"
    return RuleBook(tuple(sorted(map(_read, folder.glob("*/LK*.md")), key=lambda r: r.code)))


def _groups(needs: list[Any]) -> tuple[tuple[bytes, ...], ...]:
    """The words of ``needs`` in groups; a plain list of words is one group."""
    groups = needs if needs and isinstance(needs[0], list) else [needs]
    return tuple(tuple(word.encode() for word in group) for group in groups if group)


def _read(path: Path) -> Rule:
    _, front, page = path.read_text(encoding="utf-8").split("+++\n", 2)
    data = tomllib.loads(front)
    return Rule(
        code=data["code"],
        name=data["name"],
        family=data["family"],
        severity=Severity[data["severity"].upper()],
        fix=data["fix"],
        default=data["default"],
        since=data["since"],
        keras=data["keras"],
        references=tuple(data["references"]),
        needs=_groups(data.get("needs", [])),
        reads=data.get("reads", "code"),
        symmetric=data.get("symmetric"),
        path=path,
        page=page.strip() + "\n",
    )
