"""Operators on abstract values: constants fold, gradients remember, the rest is a term."""

from __future__ import annotations

import itertools
import operator as op
from collections.abc import Callable
from typing import Any

import libcst as cst

from lintkeras.meaning.values import (
    UNKNOWN,
    Arguments,
    Computed,
    Const,
    Dict,
    Either,
    Function,
    Gradient,
    GradientEdit,
    Items,
    List,
    Member,
    PerEntry,
    Rectify,
    Scale,
    Sequence,
    Slice,
    Symbol,
    Unknown,
    Value,
    alternatives,
    gradients_in,
    join_all,
)

_WRAPPERS = frozenset({
    "tf.constant", "tf.convert_to_tensor", "tf.cast", "keras.ops.convert_to_tensor",
    "keras.ops.cast", "keras.backend.constant", "numpy.float32", "numpy.float64", "numpy.array",
})  # fmt: skip
"""Functions that give the number that they are given."""
_MOST_EDITS = 24
MOST_OPERATIONS = 200
"""Larger terms are unknown, so that no chain of operators can grow without bound."""

_FOLDED: dict[str, Callable[[Any, Any], object]] = {
    "Add": op.add, "Subtract": op.sub, "Multiply": op.mul, "Divide": op.truediv,
    "FloorDivide": op.floordiv, "Modulo": op.mod,
}  # fmt: skip
_COMPARED: dict[str, Callable[[Any, Any], object]] = {
    "Equal": op.eq, "NotEqual": op.ne, "LessThan": op.lt, "LessThanEqual": op.le,
    "GreaterThan": op.gt, "GreaterThanEqual": op.ge,
}  # fmt: skip
_NO_TENSORS = (Symbol, Function, Dict, Items, List, Sequence)


def binary(operator: str, left: Value, right: Value, node: cst.CSTNode) -> Value:
    """``left operator right``."""
    if isinstance(left, Const) and isinstance(right, Const):
        return _fold(operator, left, right)
    if _constants(left) and _constants(right):
        pairs = itertools.product(alternatives(left), alternatives(right))
        return join_all([binary(operator, one, other, node) for one, other in pairs])
    if isinstance(left, Either) and gradients_in(left):
        return join_all([binary(operator, value, right, node) for value in left.values])
    if isinstance(right, Either) and gradients_in(right):
        return join_all([binary(operator, left, value, node) for value in right.values])
    if operator == "Multiply" and isinstance(left, Gradient):
        return multiply(left, right, node)
    if operator == "Multiply" and isinstance(right, Gradient):
        return multiply(right, left, node, operand=1)
    if operator == "Divide" and isinstance(left, Gradient):
        return divide(left, right, node)
    return term(operator, Arguments((left, right)), node)


def _constants(value: Value) -> bool:
    """Whether a value is one of a few constants."""
    return all(isinstance(one, Const) for one in alternatives(value))


def unary(operator: str, value: Value, node: cst.CSTNode) -> Value:
    """``-value``, ``not value``, ``+value``, ``~value``."""
    match operator, value:
        case "Minus", Const(value=int() | float() as number):
            return Const(-number)
        case "Not", Const(value=known):
            return Const(not known)
        case "Minus", Gradient():
            return multiply(value, Const(-1), node)
        case "Minus", Either(values=values) if gradients_in(value):
            return join_all([unary(operator, v, node) for v in values])
        case "Plus", _:
            return value
    return term(operator, Arguments((value,)), node)


def compare(operator: str, left: Value, right: Value, node: cst.CSTNode) -> Value:
    """A single comparison."""
    if isinstance(left, Const) and isinstance(right, Const):
        if operator in ("Is", "IsNot"):
            if left.value is None or right.value is None:
                return Const((left.value is right.value) == (operator == "Is"))
        elif operator in _COMPARED:
            try:
                return Const(bool(_COMPARED[operator](left.value, right.value)))
            except TypeError:
                return UNKNOWN
    return term(operator, Arguments((left, right)), node)


def multiply(gradient: Gradient, factor: Value, node: cst.CSTNode, operand: int = 0) -> Value:
    """``gradient * factor``: an edit, unless the factor holds another gradient."""
    if is_sign_mask(factor, gradient):
        return edited(gradient, Rectify(node, operand))
    if gradients_in(factor) or isinstance(factor, _NO_TENSORS):
        return term("Multiply", Arguments((gradient, factor)), node)
    return edited(gradient, Scale(plain_number(factor), node, operand=operand))


def divide(gradient: Gradient, divisor: Value, node: cst.CSTNode) -> Value:
    """``gradient / divisor``."""
    if gradients_in(divisor) or isinstance(divisor, _NO_TENSORS):
        return term("Divide", Arguments((gradient, divisor)), node)
    return edited(gradient, Scale(plain_number(divisor), node, divides=True))


def plain_number(value: Value) -> Value:
    """The number inside ``tf.constant(2.0)`` and the like; other values as they are."""
    match value:
        case Computed(
            function=Symbol() as symbol, arguments=Arguments(positional=(Const() as c, *_))
        ):
            number = isinstance(c.value, (int, float)) and not isinstance(c.value, bool)
            return c if number and symbol.name in _WRAPPERS else value
    return value


def edited(gradient: Gradient, edit: GradientEdit) -> Value:
    """The gradient with one more edit; unknown past a sane number of them."""
    if len(gradient.edits) >= _MOST_EDITS:
        return UNKNOWN
    return bounded(Gradient(gradient.call, gradient.source, (*gradient.edits, edit)))


def term(function: Value | str, arguments: Arguments, node: cst.CSTNode) -> Value:
    """The result of an operation that is not evaluated further."""
    values = (*arguments.positional, *(value for _, value in arguments.keywords))
    size = 1 + sum(size_of(value) for value in values)
    if not isinstance(function, str):
        size += size_of(function)
    return UNKNOWN if size > MOST_OPERATIONS else Computed(function, arguments, node, size)


def bounded(value: Value) -> Value:
    """The value, unknown where it is too large to be compared cheaply."""
    return UNKNOWN if size_of(value) > MOST_OPERATIONS else value


def size_of(value: Value) -> int:
    """How many operations, items and attributes a value is made of, each as often as it occurs."""
    match value:
        case Computed(size=size):
            return size
        case Either(values=values) | PerEntry(values=values):
            return sum(size_of(item) for item in values)
        case Sequence(content=content):
            return sum(1 + size_of(entry.value) for entry in content.entries)
        case Items(items=items):
            return sum(1 + size_of(item) for _, item in items)
        case Slice(start=start, stop=stop, step=step):
            return sum(1 + size_of(bound) for bound in (start, stop, step))
        case Member(of=of):
            return 1 + size_of(of)
        case Unknown(origin=("item", of, _)):
            return 1 + size_of(of)  # type: ignore[arg-type]
        case Gradient(edits=edits):
            return sum(1 + size_of(e.factor) for e in edits if isinstance(e, Scale))
    return 0


def is_sign_mask(value: Value, gradient: Value) -> bool:
    """Whether ``value`` is ``gradient > 0``, possibly cast to a number."""
    match value:
        case Computed(function="GreaterThan" | "GreaterThanEqual", arguments=arguments):
            first, second = arguments.positional
            return first == gradient and _is_zero(second)
        case Computed(function="LessThan" | "LessThanEqual", arguments=arguments):
            first, second = arguments.positional
            return second == gradient and _is_zero(first)
        case Computed(function=Symbol() as symbol, arguments=arguments) if arguments.positional:
            if symbol.name.rpartition(".")[2] in ("greater", "greater_equal"):
                pair = arguments.positional
                return len(pair) > 1 and pair[0] == gradient and _is_zero(pair[1])
            if symbol.name.rpartition(".")[2] == "cast":
                return is_sign_mask(arguments.positional[0], gradient)
    return False


def _is_zero(value: Value) -> bool:
    return isinstance(value, Const) and value.value == 0 and value.value is not False


def _fold(operator: str, left: Const, right: Const) -> Value:
    """Constants fold where the result stays small."""
    one, other = left.value, right.value
    numbers = isinstance(one, (int, float)) and isinstance(other, (int, float))
    texts = isinstance(one, str) and isinstance(other, str) and operator == "Add"
    if operator == "Power" and numbers:
        if (
            isinstance(one, int)
            and isinstance(other, int)
            and not (abs(one) <= 1000 and 0 <= other <= 32)
        ):
            return UNKNOWN
        try:
            result = one**other  # type: ignore[operator]
        except (OverflowError, ZeroDivisionError):
            return UNKNOWN
        return Const(result) if isinstance(result, (int, float)) else UNKNOWN
    if operator not in _FOLDED or not (numbers or texts):
        return UNKNOWN
    if texts and len(one) + len(other) > 10_000:  # type: ignore[arg-type]
        return UNKNOWN
    if isinstance(one, int) and isinstance(other, int) and max(abs(one), abs(other)) > 2**64:
        return UNKNOWN
    try:
        return Const(_FOLDED[operator](one, other))
    except (ArithmeticError, TypeError, ValueError):
        return UNKNOWN
