"""The cheap pass: which rules can fire on a file at all.

A rule can fire only where one word of each group that its page says it needs occurs. A rule that
reads prose can fire only where a sentence makes its claim; a file that only such rules could
concern is read for its sentences before its code is parsed. The screen may err on the safe side
alone.
"""

from __future__ import annotations

from collections.abc import Collection

from lintkeras.documents.model import Document
from lintkeras.rulebook import load


def candidates(data: bytes, codes: Collection[str]) -> frozenset[str]:
    """The codes of the rules that the bytes of a file give a chance to fire."""
    return frozenset(
        rule.code
        for rule in load().rules
        if rule.code in codes
        and rule.needs
        and all(any(word in data for word in group) for group in rule.needs)
    )


def spoken(document: Document, codes: frozenset[str]) -> frozenset[str]:
    """What is left of the candidates of a document when its sentences have been read.

    Nothing is read where a candidate asks for the code, which is parsed then.
    """
    if not codes or any(rule.code in codes and rule.reads == "code" for rule in load().rules):
        return codes
    from lintkeras.claims.reading import said

    needs = {rule.code: rule.needs for rule in load().rules if rule.code in codes}
    return frozenset(one.claim.code for one in said(document.prose, document.snippets, needs))
