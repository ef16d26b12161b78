"""Which derivative a factor is: ``1 - tf.tanh(z) ** 2`` is that of tanh."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

from lintkeras.meaning.values import UNKNOWN, Computed, Const, Scale, Symbol, Value, walk
from lintkeras.rewrites.activations import SURROGATES, Backward, Factor, Surrogate

_OPERATORS = {
    "add": "Add", "subtract": "Subtract", "multiply": "Multiply", "divide": "Divide",
    "truediv": "Divide", "true_divide": "Divide", "pow": "Power", "power": "Power",
    "greater": "GreaterThan", "less": "LessThan",
}  # fmt: skip


def backward_of(scales: tuple[Scale, ...]) -> Backward | None:
    """The backward pass that a product of factors stands for; None where that is not certain."""
    numbers: list[tuple[float, bool]] = []
    rest: list[Value] = []
    for scale in scales:
        for value, divides in _factors(scale.factor, scale.divides):
            number = _number(value)
            if number is not None:
                numbers.append((number, divides))
            elif divides:
                return None
            else:
                rest.append(value)
    factor = _factor(numbers)
    if factor is not None and not (factor.value > 0 and math.isfinite(factor.value)):
        return None
    if factor is not None and factor.value == 1:
        factor = None
    shape = _derivative(rest) if rest else None
    if rest and shape is None:
        return None
    return Backward(factor, shape) if factor is not None or shape is not None else None


def _factors(value: Value, divides: bool) -> Iterator[tuple[Value, bool]]:
    """The factors of a product, each with whether it divides."""
    match _operation(value):
        case "Multiply", (one, other):
            yield from _factors(one, divides)
            yield from _factors(other, divides)
        case "Divide", (one, other):
            yield from _factors(one, divides)
            yield from _factors(other, not divides)
        case _:
            yield value, divides


def _factor(numbers: list[tuple[float, bool]]) -> Factor | None:
    """The product of constants, written as they were where there is one."""
    if not numbers or any(number == 0 for number, _ in numbers):
        return Factor(0, "0") if numbers else None
    if len(numbers) == 1:
        number, divides = numbers[0]
        return Factor(number, repr(number), divides)
    product: float = 1
    for number, divides in numbers:
        product = product / number if divides else product * number
    return Factor(product, repr(product))


def _number(value: Value) -> float | None:
    if isinstance(value, Const) and type(value.value) in (int, float):
        return value.value  # type: ignore[return-value]
    return None


def _is(value: Value, number: float) -> bool:
    return _number(value) == number


def _derivative(factors: list[Value]) -> Surrogate | None:
    """The function whose derivative the product of tensors is."""
    match factors:
        case [one]:
            return _of_one(one)
        case [one, other]:
            for first, second in ((one, other), (other, one)):
                if _called(first) == "sigmoid" and _is_complement(second, first):
                    return SURROGATES["sigmoid"]
                if _is_complement(first, _added_to_one(second)):
                    inner = _added_to_one(second)
                    return SURROGATES["tanh"] if _called(inner) == "tanh" else None
    return None


def _of_one(value: Value) -> Surrogate | None:
    name = _called(value)
    if name == "sigmoid":
        return SURROGATES["softplus"]
    if name == "exp":
        return SURROGATES["exponential"]
    if _is_positive(value):
        return SURROGATES["relu"]
    match _operation(value):
        case "Subtract", (one, other):
            if _is(one, 1) and _called(_squared(other)) == "tanh":
                return SURROGATES["tanh"]
            if _called(one) == "sigmoid" and _alike(_squared(other), one):
                return SURROGATES["sigmoid"]
        case "where", (condition, above, below):
            return _of_branches(condition, above, below)
    return None


def _of_branches(condition: Value, above: Value, below: Value) -> Surrogate | None:
    """``where(z > 0, 1, ...)``."""
    tensor = _positive_of(condition)
    if tensor is None or not _is(_plain(above), 1):
        return None
    below = _plain(below)
    slope = _number(below)
    if slope == 0:
        return SURROGATES["relu"]
    if slope is not None and 0 < slope < 1:
        return replace(SURROGATES["leaky_relu"], slope=repr(slope))
    if _called(below) == "exp" and isinstance(below, Computed):
        if below.arguments.positional and _alike(below.arguments.positional[0], tensor):
            return SURROGATES["elu"]
    return None


def _plain(value: Value) -> Value:
    """``ones_like(z)`` and ``zeros_like(z)`` as the numbers that they repeat."""
    return {"ones_like": Const(1), "zeros_like": Const(0)}.get(_called(value) or "", value)


def _is_positive(value: Value) -> bool:
    """``z > 0`` as numbers."""
    if _called(value) == "cast" and isinstance(value, Computed) and value.arguments.positional:
        return _positive_of(value.arguments.positional[0]) is not None
    return False


def _positive_of(value: Value) -> Value | None:
    """The tensor of which this says where it is positive."""
    match _operation(value):
        case "GreaterThan", (one, other) if _is(other, 0):
            return one
        case "LessThan", (one, other) if _is(one, 0):
            return other
    return None


def _is_complement(value: Value, of: Value | None) -> bool:
    """``1 - of``."""
    match _operation(value):
        case "Subtract", (one, other):
            return _is(one, 1) and _alike(other, of)
    return False


def _added_to_one(value: Value) -> Value | None:
    """What ``1 + x`` adds."""
    match _operation(value):
        case "Add", (one, other):
            return other if _is(one, 1) else one if _is(other, 1) else None
    return None


def _squared(value: Value) -> Value | None:
    """What is squared."""
    match _operation(value):
        case "Power", (base, exponent) if _is(exponent, 2):
            return base
        case "Multiply", (one, other) if _alike(one, other):
            return one
        case "square", (base,):
            return base
    return None


def _operation(value: Value) -> tuple[str, tuple[Value, ...]]:
    """The operator, or function of TensorFlow and Keras, and what it is applied to."""
    if not isinstance(value, Computed) or value.arguments.keywords:
        return "", ()
    if isinstance(value.function, str):
        return value.function, value.arguments.positional
    name = _called(value) or ""
    return _OPERATORS.get(name, name), value.arguments.positional


def _alike(one: Value | None, other: Value | None) -> bool:
    """Whether two values are the same; two of which nothing is known may differ."""
    if one is other or one is None or other is None:
        return one is other and one is not None
    return one == other and not any(part == UNKNOWN for part in walk(one))


def _called(value: Value | None) -> str | None:
    """The function of TensorFlow or Keras of which a value is the result."""
    if isinstance(value, Computed) and isinstance(value.function, Symbol):
        if value.function.name.startswith(("tf.", "keras.")) and value.arguments.complete:
            return value.function.name.rpartition(".")[2]
    return None
