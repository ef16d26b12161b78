"""Straight-through estimators: operations without a gradient, and the detours around them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

import libcst as cst

from lintkeras.checks.registry import Context, check
from lintkeras.findings import Finding, Note
from lintkeras.meaning.differentiation import Cut, connection, within
from lintkeras.meaning.facts import Operation
from lintkeras.meaning.sums import reproducible, totals
from lintkeras.meaning.values import Computed, Const, Symbol, Value, walk
from lintkeras.rewrites.straight_through import estimate
from lintkeras.rewrites.terms import written
from lintkeras.syntax.program import Program

_SUMS = frozenset({"Add", "Subtract"})
_FLAT = frozenset({"none", "zero"})


@dataclass(frozen=True)
class _Cancelled:
    """A sum of which one summand is left: ``what`` of it is lost.

    ``hard`` is the result of the operation without a gradient, ``soft`` what the gradient should
    go to.
    """

    term: Computed
    hard: Value
    soft: Value
    cut: Cut
    what: Literal["value", "gradient"]


@check("LK127")
def straight_through_cancels(context: Context) -> Iterator[Finding]:
    """``a + (b - a)`` around an operation without a gradient, where stop_gradient is missing."""
    program = context.program
    for group in context.facts.groups(Operation):
        found = _agreed(_cancelled(operation.term) for operation in group)
        if found is None:
            continue
        node = found.term.node
        hard, soft = _name(program, found, found.hard), _name(program, found, found.soft)
        text = " ".join(program.text(node).split())
        if found.what == "value":
            message = f"`{text}` is just `{soft}` in the forward pass: `{hard}` cancels"
            lost = "the operation has no effect on what the model computes"
        else:
            message = f"`{text}` is just `{hard}`, through which no gradient passes"
            lost = (
                f"the derivatives of `{soft}` cancel too: what it is computed from is not trained"
            )
        yield Finding(
            "LK127",
            program.span(node),
            f"{message}; write `{soft} + stop_gradient({hard} - {soft})`",
            notes=(
                Note(
                    "math",
                    "the straight-through estimator is s + stop_gradient(h - s): forward "
                    "s + h - s = h, backward ds + 0; it needs the stop to keep the two apart",
                ),
                Note("effect", lost),
            ),
            fixes=context.fixes(estimate, context.code, found.term, found.hard, found.soft),
        )


def _name(program: Program, found: _Cancelled, value: Value) -> str:
    """How the sum writes one of its summands."""
    node: cst.CSTNode | None = written(found.term, value)
    if node is None and isinstance(value, Computed):
        node = value.node
    if node is None:
        return "h" if value is found.hard else "x"
    return " ".join(program.text(node).split())


def _agreed(found: Iterable[_Cancelled | Literal[False] | None]) -> _Cancelled | None:
    """What all decided evaluations of one place say."""
    decided = [one for one in found if one is not None]
    if not decided or any(one is False for one in decided):
        return None
    first, *others = [one for one in decided if one is not False]
    return first if all(other.what == first.what for other in others) else None


def _cancelled(term: Computed) -> _Cancelled | Literal[False] | None:
    """What cancels in a sum; False where nothing does, None where that cannot be known."""
    if term.function not in _SUMS:
        return None
    found = totals(term)
    left = [one for one in found if one.forward]
    gone = [one for one in found if not one.forward]
    if len(left) != 1 or left[0].forward != 1 or not gone:
        return False if all(reproducible(one.value) for one in found) else None
    (rest,) = left
    for one in gone:
        cut = _flat(one.value, rest.value)
        if cut is not None:
            return _Cancelled(term, one.value, rest.value, cut, "value")
        if one.free > 1 and not one.backward:
            cut = _flat(rest.value, one.value)
            if cut is not None:
                return _Cancelled(term, rest.value, one.value, cut, "gradient")
    return False


def _flat(hard: Value, soft: Value) -> Cut | None:
    """The operation without a gradient by which ``hard`` depends on what ``soft`` depends on.

    Both have to be tensors of real numbers: ``(end - start) // 2`` may be an index.
    """
    found = connection(hard, within(soft))
    if found.reaches is not False or not _on_tensors(hard):
        return None
    if (
        connection(soft, lambda leaf: not isinstance(leaf, (Const, Symbol, Computed))).reaches
        is False
    ):
        return None
    return next((cut for cut in found.cuts if cut.reason in _FLAT), None)


def _on_tensors(value: Value) -> bool:
    """Whether a function of TensorFlow or Keras takes part."""
    return any(
        isinstance(part, Computed)
        and isinstance(part.function, Symbol)
        and part.function.name.startswith(("tf.", "keras."))
        for part in walk(value)
    )
