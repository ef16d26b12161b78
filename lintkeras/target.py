"""``target-keras``: the releases of Keras that a project is written for.

2.15          that release line            >=3.1         3.1 and later
3             every release of Keras 3     >=2.4,<3      all conditions hold
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass

_OPERATORS: dict[str, Callable[[tuple[int, ...], tuple[int, ...]], bool]] = {
    ">=": operator.ge, ">": operator.gt, "<=": operator.le, "<": operator.lt,
}  # fmt: skip
_CONDITION = re.compile(r"(>=|<=|>|<|==|)\s*(\d+(?:\.\d+){0,2})")
_LINES = [(major, minor) for major in (2, 3) for minor in range(100)]


class TargetError(ValueError):
    """No text of this grammar, or one that allows no release."""


@dataclass(frozen=True)
class Target:
    """Conditions on a version: operator (empty: the same line) and numbers."""

    conditions: tuple[tuple[str, tuple[int, ...]], ...]

    def allows(self, version: tuple[int, ...]) -> bool:
        """Whether a release is meant; a bound of two numbers is about whole release lines."""
        return all(
            _OPERATORS[sign](version[: len(bound)], bound)
            if sign in _OPERATORS
            else version[: len(bound)] == bound
            for sign, bound in self.conditions
        )


def parse(text: str) -> Target:
    """Read a target. Raises TargetError where it is none or allows no Keras 2 or 3."""
    conditions = []
    for part in text.split(","):
        match = _CONDITION.fullmatch(part.strip())
        if match is None:
            raise TargetError(f'{text!r} is no version such as "3", "2.15" or ">=3.1,<3.10"')
        sign, number = match.groups()
        conditions.append((sign, tuple(map(int, number.split(".")))))
    target = Target(tuple(conditions))
    lines = (line + bound[2:] for line in _LINES for _, bound in conditions)
    if not any(target.allows(line) for line in lines):
        raise TargetError(f"{text!r} allows no release of Keras 2 or 3")
    return target
