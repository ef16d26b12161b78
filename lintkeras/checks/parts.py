"""What an argument holds: itself, or what is in its lists and dictionaries, with the expressions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import libcst as cst

from lintkeras.meaning import values
from lintkeras.meaning.values import Items, Value


@dataclass(frozen=True)
class Part:
    """A value in an argument."""

    value: Value
    node: cst.BaseExpression
    """The expression that it is, or the one that holds it somewhere."""
    itself: bool
    """Whether ``node`` is just that value."""


def parts(node: cst.BaseExpression, value: Value, *, itself: bool = True) -> Iterator[Part]:
    """The values in a frozen value that an expression stands for, lists and dictionaries opened."""
    written: Sequence[cst.BaseElement | cst.BaseDictElement] = ()
    match value:
        case values.Sequence(content=content):
            held = content.plain() or ()
            if isinstance(node, (cst.List, cst.Tuple)):
                written = node.elements
        case Items(items=items):
            held = tuple(one for _, one in items)
            if isinstance(node, cst.Dict):
                written = node.elements
        case _:
            yield Part(value, node, itself)
            return
    expressions = _one_each(written, len(held)) if itself else None
    for index, one in enumerate(held):
        if expressions is None:
            yield from parts(node, one, itself=False)
        else:
            yield from parts(expressions[index], one)


def _one_each(
    written: Sequence[cst.BaseElement | cst.BaseDictElement], count: int
) -> list[cst.BaseExpression] | None:
    """The expressions of a display, where each is one entry."""
    plain = [one.value for one in written if isinstance(one, (cst.Element, cst.DictElement))]
    return plain if len(plain) == len(written) == count else None
