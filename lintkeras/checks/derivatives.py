"""Derivatives written by hand: such as are the automatic ones, such as nothing ever uses."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterator
from collections.abc import Sequence as Seq
from typing import Literal

import libcst as cst

from lintkeras.checks.passes import head, known_pairs, named, named_grad, passes
from lintkeras.checks.registry import Context, check
from lintkeras.findings import Finding, Note
from lintkeras.meaning.backends import other_backends
from lintkeras.meaning.calculus import POINTS, derivative, evaluate, same
from lintkeras.meaning.facts import (
    ActivationUse,
    BackwardPass,
    FunctionSummary,
    LayerClass,
    ObjectMade,
)
from lintkeras.meaning.nests import library_name
from lintkeras.meaning.outline import own_nodes, returned
from lintkeras.meaning.values import Computed, Function, Sequence, Symbol, Unknown, Value, walk
from lintkeras.rewrites.custom_gradients import Drop, drop, first_taken, use_derivative
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
            f"{named_grad(grad)} returns the gradient that {named(one.summary)} has anyway",
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


# ---------------------------------------------------------------------------- dropped derivatives


Second = Literal["own", "scaled", "surrogate"]
"""What a second value is: the derivative of the first, a multiple of that, one often used for it."""


@check("LK129")
def derivative_returned_and_dropped(context: Context) -> Iterator[Finding]:
    """a function returns its derivative as a second value, and every caller takes the first."""
    handled = {one.node for one in context.facts.all(BackwardPass)}
    for node, summary in context.facts.summaries.items():
        if not isinstance(node, cst.FunctionDef) or node in handled:
            continue
        kind = _second(summary)
        if kind is None or not context.program.owns(node):
            continue
        drops = first_taken(context.code, node)
        if not drops or not _are_activations(context, drops, kind):
            continue
        own = kind == "own"
        name = node.name.value
        effect = (
            "it is computed for nothing: what is trained is the first value, with the same "
            "derivative found automatically"
            if own
            else "it has no effect: what is trained is the first value, with its own derivative"
        )
        yield Finding(
            "LK129",
            context.program.span(_second_place(node)),
            f"`{name}` returns {'its' if own else 'a'} derivative as a second value, which every "
            "caller drops",
            label="never used",
            notes=(
                Note("effect", effect),
                Note(
                    "note",
                    "a derivative takes part in training only through tf.custom_gradient, "
                    "`return value, grad` with grad(upstream) = upstream times the derivative",
                ),
            ),
            related=context.related((drops[0].call, "takes the first value alone")),
            fixes=context.fixes(use_derivative, context.code, summary, drops, own),
        )


def _second_place(node: cst.FunctionDef) -> cst.BaseExpression:
    """The second of the two values that a function returns."""
    place = returned(node)[0]
    return place.elements[1].value if isinstance(place, cst.Tuple) else place


def _second(summary: FunctionSummary) -> Second | None:
    """What the second value of a function is, where it certainly is a derivative."""
    pairs = [_two(result) for result in summary.results]
    if len(pairs) != 1 or pairs[0] is None or not summary.inputs:
        return None
    value, second = pairs[0]
    x, *others = [summary.parameter(parameter.name.value) for parameter in summary.inputs]
    if not _depends(second, x) or second == value or _uses_arrays(value):
        return None
    slopes = _slopes(value, second, x, others)
    if slopes is None:
        return None
    if all(same(own, other) for own, other in slopes):
        return "own"
    values = [other for _, other in slopes]
    if _proportional([own for own, _ in slopes], values):
        return "scaled"
    return "surrogate" if any(_proportional(shape, values) for shape in _SHAPES) else None


def _are_activations(context: Context, drops: Seq[Drop], kind: Second) -> bool:
    """Whether the callers are such as to believe in the derivative.

    One caller in a layer is enough where it is the derivative; a mask looks like the derivative
    of a relu, so for others all callers must be activations.
    """
    if kind != "own":
        return all(_in_activation(context, drop.call) for drop in drops)
    return any(_in_layer(context, d.call) or _in_activation(context, d.call) for d in drops)


def _uses_arrays(value: Value) -> bool:
    """Whether NumPy takes part, so that there is no tape at all."""
    parts = (part.function for part in walk(value) if isinstance(part, Computed))
    return any(isinstance(f, Symbol) and f.name.startswith("numpy.") for f in parts)


def _two(result: Value) -> tuple[Value, Value] | None:
    plain = result.content.plain() if isinstance(result, Sequence) else None
    return (plain[0], plain[1]) if plain is not None and len(plain) == 2 else None


_MODERATE = tuple(point for point in POINTS if 0 < abs(point) < 20 and abs(point) != 1)
"""Where derivatives are compared: not at the usual kinks, not where exponentials overflow."""
_OTHERS = (0.3, 1.7, 0.9, 2.2)


def _slopes(
    value: Value, second: Value, x: Value, others: list[Value]
) -> list[tuple[float, float]] | None:
    """The derivative of a value and what the second value is, at each point."""
    found: list[tuple[float, float]] = []
    settings = dict(zip(others, itertools.cycle(_OTHERS), strict=False))
    for point in _MODERATE:
        at = {**settings, x: point}
        own, other = derivative(value, x, at), evaluate(second, at)
        if own is None or other is None or not (math.isfinite(own) and math.isfinite(other)):
            return None
        found.append((own, other))
    return found


# What people put in the place of a derivative that is zero, unknown or too flat.
_SHAPES = tuple(
    tuple(shape(point) for point in _MODERATE)
    for shape in (
        lambda x: float(x > 0),
        lambda x: float(abs(x) <= 1),
        lambda x: 1 - math.tanh(x) ** 2,
        lambda x: 1 / (2 + math.exp(x) + math.exp(-x)),
        lambda x: 1 / (1 + abs(x)) ** 2,
        lambda x: 1 / (1 + x * x),
        lambda x: math.exp(-x * x),
        lambda x: max(0.0, 1 - abs(x)),
    )
)


def _proportional(shape: Seq[float], values: Seq[float]) -> bool:
    """Whether numbers are those of a shape times one factor above zero."""
    total = sum(shape)
    factor = sum(values) / total if total else 0.0
    close = 1e-3 * abs(factor) * max(map(abs, shape))
    return factor > 0 and all(
        abs(value - factor * own) <= close for own, value in zip(shape, values, strict=True)
    )


def _in_layer(context: Context, call: cst.Call) -> bool:
    """Whether a call stands in a method of a layer or model of the program."""
    around = list(context.program.ancestors(call))
    return any(layer.node in around for layer in context.facts.all(LayerClass))


def _in_activation(context: Context, call: cst.Call) -> bool:
    """Whether a call stands in a function that is a layer's activation or a Lambda layer."""
    functions = [use.activation for use in context.facts.all(ActivationUse)]
    for made in context.facts.all(ObjectMade):
        given = made.instance.arguments.get("function", 0)
        if made.instance.class_name == "keras.layers.Lambda" and isinstance(given, Function):
            functions.append(given)
    around = list(context.program.ancestors(call))
    return any(isinstance(f, Function) and f.node in around for f in functions)
