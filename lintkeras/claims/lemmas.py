"""Words to lemmas: a small lemmatizer that knows the words it is asked for.

English inflection is ambiguous (``used`` is ``use`` or ``us``). A lexicon settles it: of the
forms that a word can come from, the one that some pattern asks for is the lemma.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

_ASSIGNED = re.compile(r"([A-Za-z_][\w.]*)\s?=\s?([\w.+-]+)")
_DERIVATIVE = re.compile(r"d\(?\w+\)?\s?/\s?d\(?\w+\)?|[∂δ]\w+\s?/\s?[∂δ]\w+|[a-z]\s?'\s?\(.*\)")
_DOTTED = re.compile(r"\w+(?:\.\w+)+")
_MARKS = {"(": "[", ")": "]"}  # in patterns, parentheses group
_NEGATIONS = frozenset({"not", "never", "no", "neither", "nor", "nothing"})


@dataclass(frozen=True)
class Lexicon:
    """What words are read as.

    ``vocabulary`` are all lemmas that patterns ask for, ``left_out`` words without meaning here,
    ``foreign`` other libraries;    ``irregular`` maps forms to lemmas;
    ``negative`` maps words to the positive word that they deny.
    """

    vocabulary: frozenset[str]
    left_out: frozenset[str]
    foreign: frozenset[str]
    irregular: Mapping[str, str]
    negative: Mapping[str, str]

    def lemmas(self, raw: str, kind: str) -> Iterator[str]:
        """The lemmas of a token: none for an article, several for ``can't`` or ``impossible``."""
        match kind:
            case "code" | "assign" | "formula":
                yield self._of_code(raw.strip("`").strip())
            case "mark":
                yield "-" if not raw.strip("- ") else _MARKS.get(raw, raw)
            case "number":
                yield re.sub(r"^([01])\.\d.*", r"\1.x", raw)
            case _:
                for word in self._parts(raw.lower().strip(".")):
                    yield from self._of_word(word)

    def _parts(self, word: str) -> list[str]:
        """``doesn't`` is ``does`` and ``not``; a hyphen is read with and without."""
        if word in ("can't", "cannot"):
            return ["can", "not"]
        if word == "won't":
            return ["will", "not"]
        if word.endswith("n't"):
            return [word[:-3], "not"]
        word = re.sub(r"'(?:s|re|ve|ll|d|m)?$", "", word)
        if "-" in word:
            joined = word.replace("-", "")
            if word in self.vocabulary:
                return [word]
            return [joined] if self.lemma(joined) in self.vocabulary else word.split("-")
        if "/" in word and word not in self.vocabulary:
            return word.split("/")
        return [word]

    def _of_word(self, word: str) -> Iterator[str]:
        if word in self.left_out or not word:
            return
        if word in _NEGATIONS:
            yield "not"
            return
        lemma = self.lemma(word)
        if lemma in self.negative:
            yield "not"
            yield self.negative[lemma]
        else:
            yield lemma

    def _of_code(self, code: str) -> str:
        """A name, an assignment or a derivative keeps what it says; other code is opaque."""
        assigned = _ASSIGNED.fullmatch(code)
        if assigned is not None:
            name = assigned[1].rpartition(".")[2].lower()
            whole = f"{name}={assigned[2].lower()}"
            return whole if whole in self.vocabulary else name
        if _DERIVATIVE.fullmatch(code):
            return "derivative"
        name = re.sub(r"\(.*\)$|^[@~!]", "", code).lstrip(".").lower()
        if name.partition(".")[0] in self.foreign:
            return name.partition(".")[0]
        if not re.fullmatch(r"[\w.]+", name):
            named = (one for one in _DOTTED.findall(name) if one in self.vocabulary)
            return next(named, "<code>")
        if name in self.vocabulary:
            return name
        last = name.rpartition(".")[2]
        return self.lemma(last) if self.lemma(last) in self.vocabulary else name

    def lemma(self, word: str) -> str:
        """The lemma of a word: the known one of the forms that it can come from."""
        if word in self.irregular:
            return self.irregular[word]
        if word in self.vocabulary:
            return word
        for form in _forms(word):
            if form in self.vocabulary or form in self.negative:
                return form
        if "." in word:
            if word.partition(".")[0] in self.foreign:
                return word.partition(".")[0]
            last = word.rpartition(".")[2]
            return self.lemma(last) if last else word
        return word


def _forms(word: str) -> Iterator[str]:
    """What an inflected word can come from."""
    if word.endswith("ies"):
        yield word[:-3] + "y"
    if word.endswith("es"):
        yield word[:-2]
    if word.endswith("s"):
        yield word[:-1]
    if word.endswith("ied"):
        yield word[:-3] + "y"
    for ending in ("ed", "ing"):
        if word.endswith(ending) and len(word) > len(ending) + 1:
            stem = word[: -len(ending)]
            yield stem + "e"
            yield stem
            if stem[-1] == stem[-2]:
                yield stem[:-1]
