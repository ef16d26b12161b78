"""The cheap pass: which rules can fire on a file at all.

A rule can fire only where the words it needs occur. It may err on the safe side alone.
"""

from __future__ import annotations

from collections.abc import Collection

_TAPE = b"GradientTape"
_NEEDS = {"LK134": b"custom_gradient"}


def candidates(data: bytes, codes: Collection[str]) -> frozenset[str]:
    """The codes of the checks that the bytes of a file give a chance to fire."""
    return frozenset(
        code for code in codes if not code.startswith("LK0") and _NEEDS.get(code, _TAPE) in data
    )
