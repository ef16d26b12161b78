"""What the checks of custom gradients share: the passes, their names, their places."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from lintkeras.checks.expected import raises_on_purpose, waits_for_exception
from lintkeras.checks.registry import Context
from lintkeras.meaning.facts import BackwardPass, CustomGradientCall, FunctionSummary
from lintkeras.meaning.values import CustomGradient, Function, Method, Value


def passes(context: Context) -> Iterator[list[BackwardPass]]:
    """The functions under a custom gradient, each in all the ways in which it was defined."""
    yield from context.facts.groups(BackwardPass)


def calls(context: Context, function: cst.CSTNode) -> Iterator[CustomGradientCall]:
    """The calls of a function under a custom gradient that stand in the program."""
    for call in context.facts.all(CustomGradientCall):
        if decorated(call.gradient) is function:
            yield call


def decorated(value: Value) -> cst.CSTNode | None:
    """The function behind a custom gradient."""
    while isinstance(value, (CustomGradient, Method)):
        value = value.function
    return value.node if isinstance(value, Function) else None


def fails_on_purpose(context: Context, one: BackwardPass) -> bool:
    """Whether a test that defines or calls the function waits for an exception, or it is caught."""
    places = [one.node, *(call.node for call in calls(context, one.node))]
    if any(raises_on_purpose(context.program, place) for place in places[1:]):
        return True
    around = [a for place in places for a in context.program.ancestors(place)]
    return any(
        waits_for_exception(function)
        for function in around
        if isinstance(function, cst.FunctionDef)
    )


def named(function: FunctionSummary, otherwise: str = "the lambda") -> str:
    """How a message names a function; ``otherwise`` for one without a name."""
    node = function.node
    return f"`{node.name.value}`" if isinstance(node, cst.FunctionDef) else otherwise


def named_grad(grad: FunctionSummary) -> str:
    """How a message names a grad function."""
    return named(grad, "the grad lambda")


def known_pairs(context: Context, one: BackwardPass) -> list[tuple[Value, FunctionSummary]] | None:
    """Forward value and grad function of each result; None where one is not such a pair."""
    pairs = [(pair[0], pair[1]) for pair in one.pairs if pair is not None and pair[1] is not None]
    known = pairs and len(pairs) == len(one.pairs)
    return pairs if known and all(context.program.owns(grad.node) for _, grad in pairs) else None


def head(function: FunctionSummary) -> cst.CSTNode:
    """The name of a function, or the whole lambda."""
    return function.node.name if isinstance(function.node, cst.FunctionDef) else function.node
