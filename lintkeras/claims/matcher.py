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
from collections.abc import Collection, Iterator, Sequence

from lintkeras.claims.clauses import NEW_SUBJECTS, Clause, clauses
from lintkeras.claims.patterns import Claim, Form, book
from lintkeras.claims.sentences import Sentence, Word

_MODALS = frozenset({"be", "can", "must", "need", "should", "will", "would", "do", "have"})
_PARTICIPLE_AFTER = _MODALS | {"get", "not", "and", "or", ",", "as", "automatically", "already"}
_PAST = frozenset({"was", "were", "did", "had", "could", "didn't", "wasn't", "couldn't", "weren't"})
_RELATIVE = frozenset({"that", "which", "who", "whose"})
"""Behind them stands what a thing went through, and not the predicate of the clause."""
_POINTS_BACK = re.compile(
    r"(?:the|its|their|otherwise|that)\b|.*\b(?:it|they|them|this|these|those|its|their|the (?:two|change|same))\b",
    re.IGNORECASE | re.DOTALL,
)
_SPELLED = re.compile(r" not\b")
_LONGEST_CONTEXT = 30
"""Words of a sentence that the next one may point back at."""
_REACH = 7
"""How many words a negation stands in front of what it denies, at most."""


def _holds(form: Form, clause: Clause, everything: str, conditions: Sequence[Clause]) -> bool:
    """Whether a clause makes the claim in this form.

    What a pronoun stands for is in the words before the clause; its predicate is in it.
    """
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
        if clause.index(match.end() - 1) >= clause.before
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
    spelled = _SPELLED.search(match.re.pattern) is not None
    first, last = clause.index(match.start()), clause.index(match.end() - 1)
    begin = max(last - _REACH, clause.before) if wanted else clause.before
    count = 0
    for number in range(begin, last + 1):
        word = clause.words[number]
        inside = number >= first and spelled
        if word.lemma == "," and clause.words[min(number + 1, last)].lemma in (
            "and",
            "so",
            "then",
            "which",
        ):
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
    for number in range(clause.before, last + 1):
        raw, lemma = words[number].raw.lower(), words[number].lemma
        before = words[number - 1].lemma if number else ""
        after = words[number + 1].lemma if number < last else ""
        if raw in _PAST and not (
            (raw == "had" and before == "be") or before in _RELATIVE or after == "already"
        ):
            return True
        if number >= first and raw.endswith("ed") and raw != lemma:
            if before in NEW_SUBJECTS - {"this", "there"}:
                return True
            if number == first and number and before not in _PARTICIPLE_AFTER:
                return True
    return False


def claims_of(
    sentence: Sentence, codes: Collection[str], before: Sentence | None = None
) -> Iterator[Claim]:
    """The claims (of ``codes``) that a sentence makes; ``before`` is what its pronouns stand for."""
    words = sentence.words
    if len(words) < 3 or _is_silent(words):
        return
    context = _context(sentence, before)
    found: set[str] = set()
    for earlier in ((), context) if context else ((),):
        parts: list[Clause] | None = None
        everything = _text((*earlier, *words))
        for code in codes:
            if code in found:
                continue
            claim = book().claims[code]
            for form in claim.forms:
                if not all(pattern.search(everything) for pattern in (*form.near, *form.here)):
                    continue
                if parts is None:
                    parts = [part.behind(earlier) for part in clauses(words)]
                conditions = [part for part in parts if part.conditional]
                if any(
                    _holds(form, part, everything, conditions)
                    for part in parts
                    if not part.conditional and not book().silent["hedged"].search(part.text)
                ):
                    found.add(code)
                    yield claim
                    break


def _text(words: Sequence[Word]) -> str:
    return "".join(f" {word.lemma}" for word in words) + " "


def _is_silent(words: Sequence[Word]) -> bool:
    """Whether a sentence says nothing of its author about Keras today."""
    silent = book().silent
    plain = silent["contrast"].sub("", _text(words))
    if any(silent[name].search(plain) for name in ("attributed", "long-ago", "others")):
        return True
    return any(map(_used_to, words, words[1:], words[2:]))


def _context(sentence: Sentence, before: Sentence | None) -> tuple[Word, ...]:
    """The words that a sentence points back at: an affirmation in the sentence before it."""
    if before is None or not _POINTS_BACK.match(sentence.text):
        return ()
    words = before.words
    if len(words) > _LONGEST_CONTEXT or any(word.lemma == "not" for word in words):
        return ()
    if _is_silent(words) or book().silent["hedged"].search(_text(words)):
        return ()
    return words


def _used_to(before: Word, word: Word, after: Word) -> bool:
    """``Keras used to``, not ``is used to``: what follows is no more."""
    return word.raw.lower() == "used" and after.lemma == "to" and before.lemma not in ("be", "get")
