"""The claims that prose, comments and docstrings make, block by block.

Most text says nothing that any claim is about; words of which a sentence must hold some decide
that before anything is read. Quotations, tables, lists of errors and sections about other
libraries are passed over.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from lintkeras.claims.matcher import claims_of
from lintkeras.claims.patterns import Claim, book
from lintkeras.claims.sentences import Sentence, sentences
from lintkeras.documents.commentary import commentary
from lintkeras.documents.model import Prose, Snippet

_OF_ERRORS = re.compile(
    r"\b(?:myths?|misconceptions?|misunderstandings?|false|wrong|incorrect|fallac\w+|untrue"
    r"|not true)\b",
    re.IGNORECASE,
)
_OTHERS = re.compile(r"\b(?:py)?torch\b|\bjax\b|\bflax\b|\bmxnet\b|\bcaffe\b", re.I)
_OURS = re.compile(r"\bkeras\b|\btensorflow\b|\btf\b", re.I)
_TORCH_CODE = re.compile(r"^\s*(?:import|from) (?:torch|jax|flax)\b", re.M)
_KERAS_CODE = re.compile(r"^\s*(?:import|from) (?:keras|tensorflow|tf_keras)\b", re.M)


@dataclass(frozen=True)
class Said:
    """A sentence that makes a claim."""

    claim: Claim
    sentence: Sentence


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
    for before, sentence, following in zip([None, *read], read, [*read[1:], None], strict=False):
        text = sentence.text if before is None else f"{before.text} {sentence.text}"
        codes = screen.codes(text)
        if codes and not (following is not None and _taken_back(following)):
            yield from (Said(claim, sentence) for claim in claims_of(sentence, codes, before))


def _taken_back(sentence: Sentence) -> bool:
    """Whether a sentence says of the one before that it is wrong."""
    text = "".join(f" {word.lemma}" for word in sentence.words) + " "
    return book().silent["taken-back"].match(text) is not None
