"""Guards against infinities: ``where`` protects a value, but not its gradient."""

from __future__ import annotations

from collections.abc import Iterator
from math import isinf

import libcst as cst

from lintkeras.checks.registry import Context, check
from lintkeras.findings import Finding, Note, Severity
from lintkeras.meaning.differentiation import STOPS
from lintkeras.meaning.facts import (
    ActivationUse,
    BackwardPass,
    CompiledModel,
    Facts,
    ObjectMade,
    Operation,
)
from lintkeras.meaning.regions import Interval, Region, edges
from lintkeras.meaning.singularities import LARGEST_EXPONENT, Trap, is_where, traps
from lintkeras.meaning.sums import known
from lintkeras.meaning.training import is_forward
from lintkeras.meaning.values import Computed, Function, Symbol, walk
from lintkeras.rewrites.guards import double_where
from lintkeras.rewrites.terms import written
from lintkeras.syntax.program import Program

_DIFFERENTIATED = ("keras.layers.", "keras.models.", "keras.losses.", "keras.regularizers.")
_RARE = 11
"""Values beyond this are no daily guests (exp overflows at 11.1 in float16, 88.7 in float32)."""


@check("LK132")
def where_nan_gradient(context: Context) -> Iterator[Finding]:
    """``where(x > 0, log(x), 0)``: at 0 the gradient is 0 * inf."""
    program = context.program
    for group in context.facts.groups(Operation):
        found = _agreed([operation.term for operation in group])
        if not found or not _is_differentiated(context, group):
            continue
        trap = found[0]
        hidden = _line(program, trap.singularity.term.node)
        rare = bool(trap.at) and all(abs(edge) >= _RARE for edge in edges(trap.at))
        yield Finding(
            "LK132",
            program.span(trap.where.node),
            f"where() hides the value of `{hidden}` {_place(program, trap)}, but its gradient is "
            "NaN there; put a where() around the argument too",
            severity=Severity.INFO if rare else None,
            notes=(
                Note(
                    "math",
                    "the gradient of the branch that is not chosen is 0 times its derivative, and "
                    "0 * inf = NaN",
                ),
                Note("effect", _effect(rare)),
            ),
            related=context.related(
                (trap.singularity.term.node, "the derivative is infinite here")
            ),
            fixes=context.fixes(double_where, context.code, found),
        )


def _agreed(terms: list[Computed]) -> tuple[Trap, ...]:
    """The traps of one place, where every evaluation that is known has some."""
    first: tuple[Trap, ...] = ()
    if not any(map(is_where, terms)):
        return first
    for term in terms:
        found = tuple(traps(term))
        if found:
            first = first or found
        elif known(term):
            return ()
    return first


def _line(program: Program, node: cst.CSTNode) -> str:
    return " ".join(program.text(node).split())


def _place(program: Program, trap: Trap) -> str:
    """Where the gradient is NaN, in words."""
    if trap.guard is None:
        return "where it is not finite"
    value = trap.guard.value
    node = written(trap.where, value) or written(trap.singularity.term, value)
    return f"where `{_line(program, node)}` {_range(trap.at)}" if node else "in the other branch"


def _range(region: Region) -> str:
    return " or ".join(dict.fromkeys(_interval(interval) for interval in region))


def _interval(one: Interval) -> str:
    if one.low == one.high:
        return f"is {one.low:g}"
    if isinf(one.low):
        return f"is {one.high:g} or less" if one.with_high else f"is below {one.high:g}"
    if isinf(one.high):
        return f"is {one.low:g} or more" if one.with_low else f"is above {one.low:g}"
    return f"is between {one.low:g} and {one.high:g}"


def _effect(rare: bool) -> str:
    if rare:
        return (
            f"exp overflows above {LARGEST_EXPONENT:g} in float32 and above 11.1 in float16; one "
            "such element makes the gradients of all weights below NaN"
        )
    return "one such element makes the gradients of all weights below NaN"


def _is_differentiated(context: Context, group: list[Operation]) -> bool:
    """Whether the file shows that the gradient of a place is taken.

    It is where a tape records it, in a layer, a loss, an activation, and in what these call. It is
    not inside a function with a backward pass of its own, nor below ``stop_gradient``.
    """
    facts = context.facts
    passes = list(facts.all(BackwardPass))
    own = {one.node for one in passes} | {
        pair[1].node for one in passes for pair in one.pairs if pair is not None and pair[1]
    }
    given = set(_given_to_keras(facts))
    shown = False
    for operation in group:
        nodes = {function.node for function in operation.functions}
        if not nodes & own:
            shown = shown or bool(nodes & given)
            shown = shown or any(
                is_forward(function, _DIFFERENTIATED) for function in operation.functions
            )
            shown = shown or any(facts.recordings.get(operation.node, ()))
    return shown and not any(
        isinstance(one.term.function, Symbol)
        and one.term.function.name in STOPS
        and any(part is operation.term for part in walk(one.term) for operation in group)
        for one in facts.all(Operation)
    )


def _given_to_keras(facts: Facts) -> Iterator[cst.CSTNode]:
    """The functions of the program that Keras calls in a forward pass."""
    for use in facts.all(ActivationUse):
        if isinstance(use.activation, Function):
            yield use.activation.node
    for compiled in facts.all(CompiledModel):
        for loss in compiled.losses:
            if isinstance(loss, Function):
                yield loss.node
    for made in facts.all(ObjectMade):
        function = made.instance.arguments.get("function", 0)
        if made.instance.class_name == "keras.layers.Lambda" and isinstance(function, Function):
            yield function.node
