"""Prose as sentences, and a sentence as words with their places.

Code spans stay one word each, whatever is in them. What others say (in quotation marks) is left
out, and an aside in parentheses is a clause of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

from lintkeras.claims.lemmas import Lexicon
from lintkeras.documents.model import Prose
from lintkeras.findings import Span

_LONGEST = 2_000
"""Characters of a sentence that are read; what is longer is no sentence."""
PLAIN = str.maketrans({
    0x2018: "'", 0x2019: "'", 0x2032: "'", 0x201C: '"', 0x201D: '"', 0xAB: '"', 0xBB: '"',
    0x2013: "-", 0x2014: "-",
})  # fmt: skip
"""Typographic apostrophes, quotation marks and dashes, each as one plain character."""
_CODE = re.compile(r"`+[^`]*`+")
_END = re.compile(r"[.!?]+[\"')*_]*(?=\s+[\"'(*_`]*[A-Z0-9`]|\s*$)|;(?=\s)")
_ABBREVIATION = re.compile(
    r"(?:\b(?:e\.g|i\.e|etc|vs|cf|fig|eq|approx|resp|al|no)|\b[A-Z])\.$", re.I
)
_QUOTED = re.compile(r"\"([^\"]{1,600})\"")
_TOKEN = re.compile(
    r"""
    (?P<code>`+[^`]*`+)
    |(?P<formula>d\(?\w+\)?\s?/\s?d\(?\w+\)?|[∂δ]\w+\s?/\s?[∂δ]\w+|\b[a-z]\s?'\s?\([^()]*\))
    |(?P<assign>\b[A-Za-z_][\w.]*\s?=\s?(?:True|False|None|[\w.+-]+)\b)
    |(?P<word>[^\W\d_][\w./]*(?:['-]\w+)*)
    |(?P<number>\d+(?:[.,]\d+)*%?)
    |(?P<mark>[,;:()]|\s-+(?=\s))
    """,
    re.VERBOSE,
)
_ASKING = re.compile(
    r"(?:how|what|why|when|where|which|who|can|could|do|does|did|is|are|was|should|will|would|has"
    r"|have|must)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Word:
    """A word or mark of a sentence: its lemma, its spelling, and where it stands in the prose."""

    lemma: str
    raw: str
    start: int
    end: int


@dataclass(frozen=True)
class Sentence:
    """A sentence and where it stands."""

    prose: Prose
    start: int
    end: int
    lexicon: Lexicon = field(repr=False, compare=False)

    @property
    def text(self) -> str:
        """The sentence as the reader sees it."""
        return self.prose.text[self.start : self.end].translate(PLAIN)

    @cached_property
    def words(self) -> tuple[Word, ...]:
        """Its words; none where it asks and so states nothing."""
        text = self.text
        asks = text.rstrip("\"')*_ ").endswith("?")
        if self.prose.kind == "heading":
            asks = asks or _ASKING.match(text) is not None
        silent = asks or len(text) > _LONGEST
        return () if silent else tuple(_words(text, self.start, self.lexicon))

    @property
    def span(self) -> Span:
        """The range of the sentence in the document."""
        return self.prose.place(self.start, self.end)


def sentences(prose: Prose, lexicon: Lexicon) -> Iterator[Sentence]:
    """The sentences of a block of prose."""
    for start, end in _bounds(prose.text.translate(PLAIN)):
        yield Sentence(prose, start, end, lexicon)


def _bounds(text: str) -> Iterator[tuple[int, int]]:
    """Where each sentence begins and ends."""
    masked = _CODE.sub(lambda code: "`" + "x" * (len(code.group()) - 2) + "`", text)
    start = 0
    for match in _END.finditer(masked):
        if _ABBREVIATION.search(masked[max(start, match.end() - 8) : match.end()]):
            continue
        if masked[start : match.end()].strip():
            yield start + len(masked[start:]) - len(masked[start:].lstrip()), match.end()
        start = match.end()
    if masked[start:].strip():
        rest = masked[start:]
        yield start + len(rest) - len(rest.lstrip()), len(masked.rstrip())


def _words(text: str, offset: int, lexicon: Lexicon) -> Iterator[Word]:
    """The words of a sentence, quotations left out; a contraction is several words."""
    for match in _TOKEN.finditer(_QUOTED.sub(_without_quotation, text)):
        raw = match.group()
        at = offset + match.start()
        for lemma in lexicon.lemmas(raw, match.lastgroup or ""):
            yield Word(lemma, raw, at, offset + match.end())


def _without_quotation(quoted: re.Match[str]) -> str:
    """What others say is no statement; a few words in quotes are a name."""
    inside = quoted.group(1)
    return " " * len(quoted.group()) if len(inside.split()) > 3 else f" {inside} "
