"""The claims as data: ``claims.toml``, written with the words of ``words.toml``.

Patterns are choices of phrases over lemmas; they become regular expressions over the lemmas of a
clause, each with a blank in front of it.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import chain
from pathlib import Path
from typing import Any

from lintkeras.claims.lemmas import Lexicon


@dataclass(frozen=True)
class Form:
    """One way to make a claim; every pattern must be found."""

    says: re.Pattern[str] | None
    """The predicate, where it is affirmed; one of the two is set."""
    denies: re.Pattern[str] | None
    here: tuple[re.Pattern[str], ...]
    """What stands in the clause of the predicate."""
    near: tuple[re.Pattern[str], ...]
    """What stands in the sentence."""
    when: tuple[re.Pattern[str], ...]
    """What its condition says."""
    unless: tuple[re.Pattern[str], ...]
    """What makes the sentence another statement."""


@dataclass(frozen=True)
class Claim:
    """A false claim: how it is made, and what to say of it."""

    code: str
    entry: Mapping[str, Any]
    """What ``claims.toml`` holds of it; its patterns are compiled when they are asked for."""
    compiler: Compiler

    @property
    def message(self) -> str:
        """What is right."""
        return str(self.entry["message"])

    @property
    def note(self) -> str:
        """Why that is so."""
        return str(self.entry["note"])

    @cached_property
    def forms(self) -> tuple[Form, ...]:
        """The ways to make it."""
        return tuple(_form(form, self.compiler) for form in self.entry["forms"])

    @cached_property
    def elsewhere(self) -> re.Pattern[str] | None:
        """What code or prose of another subject holds, of which the claim may be true."""
        return re.compile(self.entry["elsewhere"], re.I) if "elsewhere" in self.entry else None


@dataclass(frozen=True)
class Book:
    """All claims and the words that they are written with."""

    lexicon: Lexicon
    silent: Mapping[str, re.Pattern[str]]
    """What makes words no statement of their author about Keras today."""
    claims: Mapping[str, Claim]


_FOLDER = Path(__file__).parent
_PART = re.compile(r"[()|]|[^\s()|]+")
_GAPS = {"...": r"(?: \S+){0,12}", "..": r"(?: [^\s,]+){0,4}", "~": r"(?: [^\s,]+){0,2}"}


@cache
def book() -> Book:
    """The claims, read once."""
    words = tomllib.loads((_FOLDER / "words.toml").read_text(encoding="utf-8"))
    data = tomllib.loads((_FOLDER / "claims.toml").read_text(encoding="utf-8"))
    names: dict[str, list[str]] = words["names"]
    silent: dict[str, list[str]] = words["silent"]
    vocabulary = {*words["irregular"].values(), *words["negative"].values()}
    for text in chain(*names.values(), *silent.values(), _patterns(data)):
        vocabulary |= {word for word in _PART.findall(text) if word[0] not in "@.~()|"}
    lexicon = Lexicon(
        frozenset(vocabulary),
        frozenset(words["left-out"]),
        frozenset(silent["others"]),
        words["irregular"],
        words["negative"],
    )
    compiler = Compiler(names)
    claims = {code: Claim(code, entry, compiler) for code, entry in data.items()}
    return Book(
        lexicon, {name: compiler.compile("|".join(each)) for name, each in silent.items()}, claims
    )


def _patterns(data: dict[str, Any]) -> Iterator[str]:
    for entry in data.values():
        for form in entry["forms"]:
            for value in form.values():
                yield from [value] if isinstance(value, str) else value


def _form(form: dict[str, Any], compiler: Compiler) -> Form:
    def many(key: str) -> tuple[re.Pattern[str], ...]:
        value = form.get(key, [])
        return tuple(map(compiler.compile, [value] if isinstance(value, str) else value))

    def one(key: str) -> re.Pattern[str] | None:
        return compiler.compile(form[key]) if key in form else None

    if ("says" in form) == ("denies" in form) or form.keys() - Form.__dataclass_fields__.keys():
        raise ValueError(f"a form says or denies: {form}")
    return Form(
        one("says"), one("denies"), many("here"), many("near"), many("when"), many("unless")
    )


@dataclass(frozen=True)
class Compiler:
    """Patterns over words to regular expressions over the lemmas of a clause."""

    names: dict[str, list[str]]

    def compile(self, text: str) -> re.Pattern[str]:
        """A pattern as a regular expression."""
        return re.compile(self._choice(_PART.findall(text), ()) + r"(?=\s)")

    def _choice(self, parts: list[str], path: tuple[str, ...]) -> str:
        """The phrases up to the parenthesis that closes this choice."""
        found = "(?:"
        while parts:
            part = parts.pop(0)
            if part == ")":
                break
            found += self._choice(parts, path) if part == "(" else self._element(part, path)
        return found + ")"

    def _element(self, element: str, path: tuple[str, ...]) -> str:
        if element in _GAPS or element == "|":
            return _GAPS.get(element, element)
        if not element.startswith("@"):
            return " " + re.escape(element)
        name = element[1:]
        if name in path:
            raise ValueError(f"{name} stands for itself")
        phrases = [self._choice(_PART.findall(text), (*path, name)) for text in self.names[name]]
        return "(?:" + "|".join(phrases) + ")"
