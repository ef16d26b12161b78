"""Which false claims a document makes.

A claim is data (``claims.toml``): what is said (an affirmed or a denied predicate), of what, under
which condition, and what makes it another statement. Patterns are written over lemmas and names
for classes of words (``words.toml``), so that one pattern reads all the ways to put it; polarity
is relative to the claim: ``denies = "@allow"`` asks for an odd number of negations over ``allow``.

Why this and not an NLP library: the rule-based parts of the large ones need a trained model for
tags and dependencies (a download), and a parse tree of a forum post is less dependable than what
is asked here. Clauses, conditions, negation and tense are all that is needed of grammar; they
are found by the closed classes of English words that mark them.

A sentence is read only as a statement of its author about Keras today. Questions, quotations,
hedges, what others think, the past, conditions and other libraries are silent.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import chain
from pathlib import Path
from typing import Any

from lintkeras.claims.lemmas import Lexicon
from lintkeras.claims.sentences import Sentence, Word, sentences
from lintkeras.documents.commentary import commentary
from lintkeras.documents.model import Prose, Snippet

# ---------------------------------------------------------------------------- the data


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
class Said:
    """A sentence that makes a claim."""

    claim: Claim
    sentence: Sentence


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


# ---------------------------------------------------------------------------- clauses

_BREAKS = frozenset({";", ":", "-", "but", "because", "although", "though", "whereas", "while",
                     "since", "yet", "otherwise", "therefore", "however", "thus", "hence"})  # fmt: skip
_CONDITIONS = frozenset({"if", "when", "whenever", "unless", "once", "until"})
_CONCESSIONS = frozenset({"although", "though", "while", "because", "since"})
_EVENTS = frozenset({"when", "whenever", "once", "as"})
_NEW_SUBJECTS = frozenset({"it", "you", "we", "they", "there", "this", "keras", "tensorflow", "i"})
_MODALS = frozenset({"be", "can", "must", "need", "should", "will", "would", "do", "have"})
_PARTICIPLE_AFTER = _MODALS | {"get", "not", "and", "or", ",", "as", "automatically"}
_PAST = frozenset({"was", "were", "did", "had", "could", "didn't", "wasn't", "couldn't", "weren't"})
_OF_ERRORS = re.compile(
    r"\b(?:myths?|misconceptions?|misunderstandings?|false|wrong|incorrect|fallac\w+|untrue"
    r"|not true)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Clause:
    """A run of words with one predicate, as it is searched."""

    words: tuple[Word, ...]
    conditional: bool

    @property
    def text(self) -> str:
        """The lemmas, each with a blank in front and one at the end."""
        return "".join(f" {word.lemma}" for word in self.words) + " "

    def index(self, position: int) -> int:
        """The number of the word that stands at a position of ``text``."""
        return self.text.count(" ", 0, position + 1) - 1


def clauses(words: Sequence[Word]) -> Iterator[Clause]:
    """The clauses of a sentence; a condition is a clause, and so is an aside."""
    main, asides = _asides(words)
    for part in (main, *asides):
        for piece in _pieces(part):
            yield from _conditions(piece)


def _asides(words: Sequence[Word]) -> tuple[list[Word], list[list[Word]]]:
    main: list[Word] = []
    asides: list[list[Word]] = []
    depth = 0
    for word in words:
        if word.lemma == "[":
            depth += 1
            asides.append([])
        elif word.lemma == "]":
            depth = max(depth - 1, 0)
        else:
            (asides[-1] if depth else main).append(word)
    return main, asides


def _pieces(words: Sequence[Word]) -> Iterator[list[Word]]:
    piece: list[Word] = []
    conceding = False  # a concession ends with a comma
    for number, word in enumerate(words):
        follows = words[number + 1].lemma if number + 1 < len(words) else ""
        before = words[number - 1].lemma if number else ""
        joins = word.lemma in ("and", "so", "or") and before == ","
        breaks = word.lemma in _BREAKS and (
            word.lemma != "but" or before == "," or follows in _NEW_SUBJECTS
        )
        if breaks or (joins and (word.lemma == "so" or follows in _NEW_SUBJECTS)):
            yield piece
            piece = []
            conceding = word.lemma in _CONCESSIONS
        elif conceding and word.lemma == ",":
            yield piece
            piece, conceding = [], False
        elif not (word.lemma == "not" and not piece and follows == ","):  # "No, Keras ..."
            piece.append(word)
    yield piece


def _conditions(piece: list[Word]) -> Iterator[Clause]:
    """The main clause of a piece, its conditions cut out."""
    while piece and piece[0].lemma in (",", "and", "or", "so"):
        piece = piece[1:]
    if piece and piece[0].lemma in _EVENTS and "," not in [word.lemma for word in piece]:
        yield Clause(tuple(piece), True)
        yield Clause(tuple(piece[1:]), False)  # where the condition ends cannot be seen
        return
    main: list[Word] = []
    condition: list[Word] | None = None
    for number, word in enumerate(piece):
        if condition is not None and word.lemma == ",":
            yield Clause(tuple(condition), True)
            condition = None
        elif condition is not None:
            condition.append(word)
        elif word.lemma in _CONDITIONS or _as_soon_as(piece, number):
            condition = []
        else:
            main.append(word)
    if condition is not None:
        yield Clause(tuple(condition), True)
    if main:
        yield Clause(tuple(main), False)


def _as_soon_as(piece: list[Word], number: int) -> bool:
    return [word.lemma for word in piece[number : number + 2]] == ["as", "soon"]


# ---------------------------------------------------------------------------- matching

_REACH = 7
"""How many words a negation stands in front of what it denies, at most."""


def _holds(form: Form, clause: Clause, everything: str, conditions: Sequence[Clause]) -> bool:
    """Whether a clause makes the claim in this form."""
    text = clause.text
    predicate = form.says or form.denies
    assert predicate is not None
    if not all(pattern.search(text) for pattern in form.here):
        return False
    if not all(pattern.search(everything) for pattern in form.near):
        return False
    if any(pattern.search(everything) for pattern in form.unless):
        return False
    if not all(any(p.search(one.text) for one in conditions) for p in form.when):
        return False
    wanted = form.denies is not None
    return any(
        _denied(clause, match, wanted) == wanted and not _past(clause, match)
        for match in _all(predicate, text)
    )


def _all(pattern: re.Pattern[str], text: str) -> Iterator[re.Match[str]]:
    """All matches, overlapping ones too."""
    at = 0
    while (match := pattern.search(text, at)) is not None:
        yield match
        at = match.start() + 1


def _denied(clause: Clause, match: re.Match[str], wanted: bool) -> bool:
    """Whether negations turn the predicate round.

    A negation that the pattern spells is part of it. Where an affirmation is asked for, every
    negation in front of it counts; where a denial is, those within reach.
    """
    spelled = " not" in match.re.pattern
    first, last = clause.index(match.start()), clause.index(match.end() - 1)
    begin = max(last - _REACH, 0) if wanted else 0
    count = 0
    for number in range(begin, last + 1):
        word = clause.words[number]
        inside = number >= first and spelled
        if word.lemma == "," and clause.words[min(number + 1, last)].lemma in ("and", "so", "then"):
            count = 0
        elif word.lemma == "not" and not inside and not _not_only(clause, number):
            count += 1
    follows = clause.words[last + 1] if last + 1 < len(clause.words) else None
    if follows is not None and follows.lemma == "not":
        # "is not", "need not"; "knows nothing", "has no"
        count += clause.words[last].lemma in _MODALS or follows.raw.lower() in ("nothing", "no")
    return count % 2 == 1 if wanted else count > 0


def _not_only(clause: Clause, number: int) -> bool:
    """``not only``, ``whether or not``: no negation."""
    after = clause.words[number + 1].lemma if number + 1 < len(clause.words) else ""
    before = clause.words[number - 1].lemma if number else ""
    return after in ("only", "merely", "forget", "miss") or before == "or"


def _past(clause: Clause, match: re.Match[str]) -> bool:
    """Whether the clause tells of the past."""
    first, last = clause.index(match.start()), clause.index(match.end() - 1)
    words = clause.words
    for number in range(last + 1):
        raw, lemma = words[number].raw.lower(), words[number].lemma
        before = words[number - 1].lemma if number else ""
        if raw in _PAST and not (raw == "had" and before == "be"):
            return True
        if number >= first and raw.endswith("ed") and raw != lemma:
            if before in _NEW_SUBJECTS - {"this", "there"}:
                return True
            if number == first and number and before not in _PARTICIPLE_AFTER:
                return True
    return False


def claims_of(sentence: Sentence, codes: Collection[str]) -> Iterator[Claim]:
    """The claims (of ``codes``) that a sentence makes."""
    words = sentence.words
    if len(words) < 3:
        return
    everything = "".join(f" {word.lemma}" for word in words) + " "
    silent = book().silent
    plain = silent["contrast"].sub("", everything)
    if any(silent[name].search(plain) for name in ("attributed", "long-ago", "others")):
        return
    if any(map(_used_to, words, words[1:], words[2:])):
        return
    parts: list[Clause] | None = None
    for code in codes:
        claim = book().claims[code]
        for form in claim.forms:
            if not all(pattern.search(everything) for pattern in (*form.near, *form.here)):
                continue
            if parts is None:
                parts = list(clauses(words))
            conditions = [part for part in parts if part.conditional]
            if any(
                _holds(form, part, everything, conditions)
                for part in parts
                if not part.conditional and not silent["hedged"].search(part.text)
            ):
                yield claim
                break


def _used_to(before: Word, word: Word, after: Word) -> bool:
    """``Keras used to``, not ``is used to``: what follows is no more."""
    return word.raw.lower() == "used" and after.lemma == "to" and before.lemma not in ("be", "get")


# ---------------------------------------------------------------------------- documents

_OTHERS = re.compile(r"\b(?:py)?torch\b|\bjax\b|\bflax\b|\bmxnet\b|\bcaffe\b", re.I)
_OURS = re.compile(r"\bkeras\b|\btensorflow\b|\btf\b", re.I)
_TORCH_CODE = re.compile(r"^\s*(?:import|from) (?:torch|jax|flax)\b", re.M)
_KERAS_CODE = re.compile(r"^\s*(?:import|from) (?:keras|tensorflow|tf_keras)\b", re.M)


Needs = Mapping[str, Sequence[Sequence[bytes]]]
"""For each claim groups of words; a sentence that makes it holds one of each."""


def said(prose: Sequence[Prose], snippets: Iterable[Snippet], needs: Needs) -> Iterator[Said]:
    """The claims that are made in prose, and in the comments and docstrings of code."""
    snippets = tuple(snippets)
    claims = book().claims
    screen = _Screen({
        code: tuple(tuple(word.decode() for word in group) for group in groups)
        for code, groups in needs.items()
        if (where := claims[code].elsewhere) is None
        or not any(where.search(one) for one in (*(s.source for s in snippets), *(p.text for p in prose)))
    })  # fmt: skip
    yield from _in_text(prose, screen)
    for snippet in snippets:
        torch = _TORCH_CODE.search(snippet.source) and not _KERAS_CODE.search(snippet.source)
        if not torch:
            yield from _in_text(tuple(commentary(snippet, screen.passes)), screen)


@dataclass(frozen=True)
class _Screen:
    """Which claims a text has the words for."""

    needs: Mapping[str, tuple[tuple[str, ...], ...]]

    def codes(self, text: str) -> list[str]:
        return [
            code
            for code, groups in self.needs.items()
            if all(any(word in text for word in group) for group in groups)
        ]

    def passes(self, text: str) -> bool:
        return bool(self.codes(text))


def _in_text(prose: Sequence[Prose], screen: _Screen) -> Iterator[Said]:
    errors = False
    ours = True
    for block in prose:
        if block.kind == "heading":
            errors = _OF_ERRORS.search(block.text) is not None
            ours = _OURS.search(block.text) is not None or not _OTHERS.search(block.text)
        named = _OURS.search(block.text) is not None
        if named or _OTHERS.search(block.text):
            ours = named
        if ours and not errors and block.kind not in ("quote", "table"):
            yield from _in_block(block, screen)
        if block.text.endswith(":"):
            errors = errors or _OF_ERRORS.search(block.text.rpartition(". ")[2]) is not None


def _in_block(block: Prose, screen: _Screen) -> Iterator[Said]:
    if not screen.passes(block.text):
        return
    read = list(sentences(block, book().lexicon))
    for sentence, following in zip(read, [*read[1:], None], strict=True):
        codes = screen.codes(sentence.text)
        if codes and not (following is not None and _taken_back(following)):
            yield from (Said(claim, sentence) for claim in claims_of(sentence, codes))


def _taken_back(sentence: Sentence) -> bool:
    """Whether a sentence says of the one before that it is wrong."""
    text = "".join(f" {word.lemma}" for word in sentence.words) + " "
    return book().silent["taken-back"].match(text) is not None
