"""Stated intent: do the words next to an edit of gradients say that it changes a derivative?

The caller has already established by data flow that weight gradients are changed after the tape.
Regular expressions are for prose only; nothing here looks at code.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

PassageKind = Literal["comment", "docstring", "name", "heading", "sentence"]


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of text that stands next to the edit."""

    kind: PassageKind
    text: str


@dataclass(frozen=True, slots=True)
class Intent:
    """The sentence that states the intent, and what it wants to change."""

    passage: Passage
    sentence: str
    subject: str


_UNIT = (
    r"(?:activations?(?:\s+functions?)?|re\-?lu|sigmoid|tanh|softplus|elu|selu|gelu|swish|silu"
    r"|non\-?linearit(?:y|ies)|activation\s+layers?)"
)
_SLOPE = r"(?:derivatives?|slopes?|backward(?:\s+pass)?|back\-?prop(?:agation)?|gradients?)"
_TIES = (
    re.compile(rf"\b(?:derivatives?|slopes?)\b[^.;]{{0,60}}?\b(?:of|for|in|inside|within)\b[^.;]{{0,40}}?\b{_UNIT}", re.I),
    re.compile(rf"\b{_UNIT}(?:'s|s')?\s+(?:\w+\s+)?(?:derivatives?|slopes?)\b", re.I),
    re.compile(rf"\b(?:chang|modif|replac|alter|adjust|scal|doubl|overrid|us)\w*\b[^.;]{{0,50}}?\b{_UNIT}(?:'s)?\s+(?:\w+\s+)?{_SLOPE}", re.I),
    re.compile(rf"\b{_SLOPE}\b[^.;]{{0,30}}?\b(?:reach\w*|pass\w*|into|through)\b[^.;]{{0,30}}?\b(?:activation|previous)\s+layers?\b", re.I),
    re.compile(r"\b(?:surrogate|pseudo)[ \-]?(?:gradients?|derivatives?)\b", re.I),
    re.compile(r"\bstraight[ \-]through\b", re.I),
    re.compile(r"\bguided[ \-]?back", re.I),
    re.compile(r"\bcustom\s+(?:back(?:ward|\-?prop\w*)|gradient\s+approximation)\b", re.I),
    re.compile(rf"\b(?:different|another|other|separate|distinct)\s+{_UNIT}[^.;]{{0,40}}?\b(?:backward|back\-?prop\w*)", re.I),
    re.compile(rf"\b(?:backward(?:\s+pass)?|back\-?prop\w*)\b[^.;]{{0,30}}?\b(?:with|using|uses?|like)\b[^.;]{{0,20}}?\b{_UNIT}", re.I),
)  # fmt: skip
_CORRECTION = re.compile(
    r"\b(?:does\s?n[o']t|do\s?n[o']t|not|never|cannot|can't|no)\b[^.;]{0,30}?"
    r"\b(?:change|affect|touch|alter|modify|reach|influence)\w*\b[^.;]{0,40}?"
    rf"\b(?:{_SLOPE}|{_UNIT})",
    re.I,
)
_SENTENCE = re.compile(r"(?<=[.!?])\s+|\n\s*\n|\s*;\s+")
_WORDS = re.compile(r"[_\W]+|(?<=[a-z])(?=[A-Z])")


def sentences(text: str) -> list[str]:
    """The sentences of a passage, whitespace folded."""
    return [" ".join(part.split()) for part in _SENTENCE.split(text) if part.strip()]


def stated_intent(passages: Sequence[Passage]) -> Intent | None:
    """The first statement that the edit is about a derivative; None where there is none.

    A sentence that says correctly that the edit does not change the derivative is no such
    statement; a question is none either.
    """
    for passage in passages:
        text = " ".join(_WORDS.split(passage.text)) if passage.kind == "name" else passage.text
        for sentence in sentences(text):
            if sentence.endswith("?") or _CORRECTION.search(sentence):
                continue
            for tie in _TIES:
                match = tie.search(sentence)
                if match is not None:
                    return Intent(passage, sentence, match.group().strip())
    return None
