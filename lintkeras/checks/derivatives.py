"""Derivatives that are written by hand where automatic differentiation gives the same."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator

import libcst as cst

from lintkeras.checks.passes import head, known_pairs, named, passes
from lintkeras.checks.registry import Context, check
from lintkeras.findings import Finding, Note
from lintkeras.meaning.backends import other_backends
from lintkeras.meaning.calculus import POINTS, derivative, evaluate, same
from lintkeras.meaning.facts import BackwardPass, FunctionSummary
from lintkeras.meaning.nests import library_name
from lintkeras.meaning.outline import own_nodes
from lintkeras.meaning.values import Computed, Sequence, Unknown, Value, walk
from lintkeras.rewrites.custom_gradients import drop
from lintkeras.syntax.tree import comments

_UPSTREAMS = (1.0, -0.5, 3.0)
_LINEAR = frozenset({
    "Add", "Subtract", "Minus", "add", "subtract", "negative", "cast", "identity",
    "convert_to_tensor", "stop_gradient", "zeros_like", "ones_like", "GreaterThan",
    "GreaterThanEqual", "LessThan", "LessThanEqual", "greater", "greater_equal", "less",
    "less_equal",
})  # fmt: skip
_QUOTIENTS = frozenset({"Divide", "divide", "truediv", "true_divide"})
_PRODUCTS = _QUOTIENTS | {"Multiply", "multiply", "scalar_mul"}
_GUIDED = re.compile(r"\bguided|\bdeconv|\bnegative gradients?|\bonly positive", re.IGNORECASE)


@check("LK133")
def redundant_custom_gradient(context: Context) -> Iterator[Finding]:
    """a hand-written gradient is the one that automatic differentiation gives."""
    for group in passes(context):
        grads = [_redundant(context, one) for one in group]
        grad = grads[0]
        if grad is None or not all(grads):
            continue
        one = group[0]
        notes = [
            Note(
                "math",
                "upstream times the derivative of the value is what the tape computes for this "
                "value without the decorator, at every point and in every overflow",
            ),
            Note(
                "effect",
                "no gradient changes; the decorated object costs forward-mode differentiation, "
                "keyword arguments in graphs and, as an activation, loading the saved model",
            ),
        ]
        if _means_guided(context, one):
            notes.append(
                Note(
                    "note",
                    "guided back-propagation also stops negative upstream gradients: "
                    "upstream * cast(upstream > 0) * cast(x > 0)",
                )
            )
        yield Finding(
            "LK133",
            context.program.span(head(grad)),
            f"{named(grad)} returns the gradient that {named(one.summary)} has anyway",
            label="the same as without custom_gradient",
            notes=tuple(notes),
            related=context.related((head(one.summary), "is differentiated automatically")),
            fixes=context.fixes(drop, context.code, one, grad),
        )


def _redundant(context: Context, one: BackwardPass) -> FunctionSummary | None:
    """The grad function, where it returns what automatic differentiation gives."""
    pairs = known_pairs(context, one)
    if pairs is None or len(pairs) != 1 or len(one.inputs) != 1:
        return None
    params = one.node.params
    if params.kwonly_params or params.star_kwarg or isinstance(params.star_arg, cst.Param):
        return None
    if one.gradient.decorator.name.startswith("keras.") and other_backends(context.program.nodes):
        return None
    value, grad = pairs[0]
    x = one.summary.parameter(one.inputs[0].name.value)
    result = _only(grad)
    if result is None or not _is_pure(grad.node) or _stored(value, x) > 1:
        return None
    upstream = {part for part in walk(result) if _is_upstream(part, grad)}
    return grad if len(upstream) == 1 and _agree(value, x, result, *upstream) else None


def _only(grad: FunctionSummary) -> Value | None:
    """The one gradient that a grad function returns."""
    if len(grad.results) != 1:
        return None
    (result,) = grad.results
    if isinstance(result, Sequence):
        plain = result.content.plain()
        return plain[0] if plain is not None and len(plain) == 1 else None
    return result


def _is_upstream(value: Value, grad: FunctionSummary) -> bool:
    """Whether a value is an upstream gradient: a parameter, or an item of a starred one."""
    match value:
        case Unknown(origin=("item", Unknown() as holder, _)):
            return _is_upstream(holder, grad)
        case Unknown(origin=("parameter", node, _)):
            return node is grad.node
    return False


def _agree(value: Value, x: Value, gradient: Value, upstream: Value) -> bool:
    """Whether a gradient is the automatic one wherever it is looked at."""
    finite = 0
    for factor in _UPSTREAMS:
        for point in POINTS:
            automatic = derivative(value, x, {x: point}, factor)
            written = evaluate(gradient, {x: point, upstream: factor})
            if automatic is None or written is None or not same(automatic, written):
                return False
            finite += math.isfinite(automatic)
    return finite > len(POINTS)


def _stored(value: Value, x: Value) -> int:
    """How many operations of a value need their input or output again on the way back.

    A gradient by hand may compute these anew and so save memory; that is no redundancy.
    """
    found = {
        part.node
        for part in walk(value)
        if isinstance(part, Computed) and _depends(part, x) and not _is_linear(part, x)
    }
    return len(found)


def _is_linear(term: Computed, x: Value) -> bool:
    name = term.function if isinstance(term.function, str) else library_name(term.function)
    if name in _PRODUCTS:
        return sum(_depends(operand, x) for operand in term.arguments.positional) < 2 and not (
            name in _QUOTIENTS and _depends(term.arguments.positional[-1], x)
        )
    return name in _LINEAR


def _depends(value: Value, x: Value) -> bool:
    return any(part == x for part in walk(value))


def _is_pure(grad: cst.FunctionDef | cst.Lambda) -> bool:
    """Whether a function only computes: no checks, no prints, no branches, no other contexts."""
    return isinstance(grad, cst.Lambda) or all(
        _only_computes(node)
        for node in own_nodes(grad)
        if isinstance(node, (cst.BaseSmallStatement, cst.BaseCompoundStatement))
    )


def _only_computes(statement: cst.CSTNode) -> bool:
    match statement:
        case cst.Assign() | cst.AnnAssign() | cst.Return() | cst.Expr(value=cst.SimpleString()):
            return True
        case cst.If(test=cst.Comparison(comparisons=[cst.ComparisonTarget(operator=cst.Is())])):
            return True  # `if upstream is None`: which backend calls
    return False


def _means_guided(context: Context, one: BackwardPass) -> bool:
    """Whether the words in and above a function speak of guided back-propagation."""
    texts = [comment.value for comment in comments(one.node)]
    texts += context.program.comments_of(one.node)
    if isinstance(one.node, cst.FunctionDef):
        texts += [one.node.name.value.replace("_", " "), one.node.get_docstring() or ""]
    return any(_GUIDED.search(text) for text in texts)
