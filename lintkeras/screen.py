"""The cheap pass: which rules can fire on a file at all.

A rule can fire only where one word of each group that its page says it needs occurs. The screen may
err on the safe side alone.
"""

from __future__ import annotations

from collections.abc import Collection

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
