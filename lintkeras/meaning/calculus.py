"""Elementwise terms as functions of numbers: their values, and the derivatives a tape gives.

Everything is computed in single precision and backwards, as TensorFlow's gradient functions do it.
So what overflows there overflows here, and 0 * inf is NaN in both: two derivatives are the same
only where the tape would give the same numbers.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from lintkeras.meaning.nests import library_name
from lintkeras.meaning.values import (
    Arguments,
    Computed,
    Const,
    Member,
    Symbol,
    Unknown,
    Value,
    walk,
)

POINTS = (
    -1000.0, -100.0, -50.0, -10.0, -3.0, -1.5, -1.0, -0.75, -0.5, -0.125, -1e-3, 0.0, 1e-3, 0.125,
    0.5, 0.75, 1.0, 1.5, 3.0, 10.0, 50.0, 100.0, 1000.0,
)  # fmt: skip
"""Where functions are compared: around zero, at the usual sizes, and far out."""
_RELATIVE = 1e-3
"""Single precision loses about this much where numbers of one size are subtracted."""
_SMALLEST = 1.17549435e-38
"""The smallest normal number of single precision: TensorFlow flushes what is below to zero."""


class Unsupported(Exception):
    """A term is not made of elementwise operations on numbers."""


@dataclass(frozen=True, slots=True)
class Operand:
    """What an operation is computed from, and the gradient that it passes on to that."""

    term: Value
    backward: Callable[[float], float]


@dataclass(frozen=True, slots=True)
class Result:
    """The value of an operation; ``operands`` are those that get a gradient."""

    value: float
    operands: tuple[Operand, ...] = ()


def evaluate(term: Value, at: Mapping[Value, float]) -> float | None:
    """The value of a term; None where it is no elementwise function of what ``at`` says."""
    try:
        return _value(term, at)
    except Unsupported:
        return None


def derivative(
    term: Value, variable: Value, at: Mapping[Value, float], upstream: float = 1.0
) -> float | None:
    """The gradient that a tape gives for ``variable``; None where a term is not elementwise."""
    try:
        _value(term, at)
        return single(_pull(term, variable, at, upstream))
    except Unsupported:
        return None


def same(first: float, second: float) -> bool:
    """Whether two numbers are the same up to the rounding of single precision."""
    if math.isnan(first) or math.isnan(second):
        return math.isnan(first) and math.isnan(second)
    if math.isinf(first) or math.isinf(second):
        return first == second
    return abs(first - second) <= _RELATIVE * max(abs(first), abs(second))


def single(number: float) -> float:
    """A number as TensorFlow holds it in single precision."""
    if abs(number) < _SMALLEST:
        return 0.0
    try:
        return float(struct.unpack("<f", struct.pack("<f", number))[0])
    except OverflowError:
        return math.copysign(math.inf, number)


def _value(term: Value, at: Mapping[Value, float]) -> float:
    if term in at:
        return at[term]
    if isinstance(term, Const) and isinstance(term.value, (bool, int, float)):
        return single(float(term.value))
    return single(_operation(term, at).value)


def _pull(term: Value, variable: Value, at: Mapping[Value, float], upstream: float) -> float:
    """Pass a gradient back through a term: the sum over all ways to the variable."""
    if term == variable:
        return upstream
    if not isinstance(term, Computed):
        return 0.0
    return sum(
        _pull(operand.term, variable, at, single(operand.backward(upstream)))
        for operand in _operation(term, at).operands
        if any(part == variable for part in walk(operand.term))
    )


def _operation(term: Value, at: Mapping[Value, float]) -> Result:
    if isinstance(term, Computed) and term.arguments.complete:
        function = term.function
        known = _OPERATORS.get(function) if isinstance(function, str) else library_name(function)
        rule = _RULES.get(known or "")
        if rule is not None:
            result = rule(Call(term.arguments, at))
            # What NumPy computes is a constant for every tape.
            array = isinstance(function, Symbol) and function.name.startswith("numpy.")
            return Result(result.value) if array else result
    raise Unsupported


@dataclass(frozen=True, slots=True)
class Call:
    """The arguments of an operation, and what the leaves of its term are."""

    arguments: Arguments
    at: Mapping[Value, float]

    def term(self, position: int, *names: str) -> Value:
        """An argument given by position or under one of these names."""
        for given, value in self.arguments.keywords:
            if given in names:
                return value
        if position >= len(self.arguments.positional):
            raise Unsupported
        return self.arguments.positional[position]

    def value(self, position: int, *names: str) -> float:
        """The number that an argument is."""
        return _value(self.term(position, *names), self.at)

    def option(self, position: int, default: float, *names: str) -> float:
        """A further argument: a number that is written down."""
        try:
            given = self.term(position, *names)
        except Unsupported:
            return default
        if not isinstance(given, Const):
            raise Unsupported
        return default if given.value is None else _value(given, self.at)

    def only(self, count: int, *names: str) -> None:
        """Raises Unsupported where other arguments than these are given."""
        others = [n for n, _ in self.arguments.keywords if n not in (*names, "name")]
        if others or len(self.arguments.positional) > count:
            raise Unsupported


Rule = Callable[[Call], Result]


def _safe(function: Callable[..., float], *values: float) -> float:
    """Python's functions raise where a tensor gets inf or NaN."""
    if any(math.isnan(value) for value in values):
        return math.nan
    try:
        return function(*values)
    except OverflowError:
        return math.inf
    except (ValueError, ZeroDivisionError):
        return math.nan


def _divide(first: float, second: float) -> float:
    if second == 0.0:
        if first == 0.0 or math.isnan(first):
            return math.nan
        return math.copysign(math.inf, first) * math.copysign(1.0, second)
    return first / second


def _divide_no_nan(first: float, second: float) -> float:
    return 0.0 if second == 0.0 else _divide(first, second)


def _power(base: float, exponent: float) -> float:
    if exponent == 0.0:
        return 1.0
    if base == 0.0:
        return 0.0 if exponent > 0 else math.inf
    if base < 0 and not exponent.is_integer():
        return math.nan
    if base < 0 and math.isinf(_safe(math.pow, base, exponent)):
        return -math.inf if exponent % 2 else math.inf
    return _safe(math.pow, base, exponent)


def _exp(x: float) -> float:
    return single(_safe(math.exp, x))


def _log(x: float) -> float:
    return -math.inf if x == 0.0 else _safe(math.log, x)


def _sigmoid(x: float) -> float:
    return 1.0 / (1.0 + math.exp(-x)) if x > -700 else 0.0


def _sign(x: float) -> float:
    return x if math.isnan(x) else float((x > 0) - (x < 0))


_TENSOR = ("x", "features", "input", "inputs", "value", "tensor")


def _of_one(value: Callable[[float], float], slope: Callable[[float, float], float]) -> Rule:
    """A function of one tensor; ``slope`` gets its input and its (single precision) output."""

    def rule(call: Call) -> Result:
        call.only(1, *_TENSOR)
        x = call.value(0, *_TENSOR)
        y = single(value(x))
        return Result(y, (Operand(call.term(0, *_TENSOR), lambda g: g * single(slope(x, y))),))

    return rule


def _of_two(
    value: Callable[[float, float], float],
    first: Callable[[float, float, float], float],
    second: Callable[[float, float, float], float],
) -> Rule:
    """A function of two tensors; each gradient is made of the upstream one and both inputs."""

    def rule(call: Call) -> Result:
        one, other = call.term(0, "x", "x1", "scalar"), call.term(1, "y", "x2")
        x, y = _value(one, call.at), _value(other, call.at)
        operands = (
            Operand(one, lambda g: first(g, x, y)),
            Operand(other, lambda g: second(g, x, y)),
        )
        return Result(value(x, y), operands)

    return rule


def _multiplied(first: float, second: float) -> float:
    return first * second


def _where(call: Call) -> Result:
    call.only(3, "condition", "x", "y", "x1", "x2")
    chosen = call.value(0, "condition") != 0.0
    one, other = call.term(1, "x", "x1"), call.term(2, "y", "x2")
    x, y = _value(one, call.at), _value(other, call.at)
    # The branch that was not taken gets a gradient of zero, and zero times infinity is NaN.
    operands = (
        Operand(one, lambda g: g if chosen else 0.0),
        Operand(other, lambda g: 0.0 if chosen else g),
    )
    return Result(x if chosen else y, operands)


def _clip(call: Call) -> Result:
    x, low, high = (
        call.value(0, "t", "x"),
        *(
            call.option(1, -math.inf, "clip_value_min", "x_min"),
            call.option(2, math.inf, "clip_value_max", "x_max"),
        ),
    )
    inside = low <= x <= high
    operand = Operand(call.term(0, "t", "x"), lambda g: g if inside else 0.0)
    return Result(min(max(x, low), high), (operand,))


def _identity(call: Call) -> Result:
    term = call.term(0, *_TENSOR)
    return Result(_value(term, call.at), (Operand(term, lambda g: g),))


def _cast(call: Call) -> Result:
    dtypes = [*call.arguments.positional[1:], *(v for _, v in call.arguments.keywords)]
    if not all(_is_floating(dtype) for dtype in dtypes):
        raise Unsupported
    return _identity(call)


def _is_floating(dtype: Value) -> bool:
    match dtype:
        case Const(value=str() as name):
            return "float" in name
        case Symbol():
            return "float" in dtype.name.rpartition(".")[2]
        case Member(of=of, name="dtype"):
            return not isinstance(of, Unknown) or of.origin is not None
    return False


def _constant(call: Call) -> Result:
    return Result(call.value(0, *_TENSOR))


def _spread(call: Call) -> Result:
    """One number in many places; what went back to it would be a sum, which is not elementwise."""
    return Result(call.value(0, *_TENSOR))


def _filled(number: float) -> Rule:
    def rule(call: Call) -> Result:
        call.value(0, *_TENSOR)
        return Result(number)

    return rule


def _comparison(holds: Callable[[float, float], bool]) -> Rule:
    def rule(call: Call) -> Result:
        return Result(float(holds(call.value(0, "x", "x1"), call.value(1, "y", "x2"))))

    return rule


def _logical_not(call: Call) -> Result:
    return Result(float(not call.value(0, *_TENSOR)))


def _relu(call: Call) -> Result:
    """``relu``, with the further arguments that the Keras functions take."""
    call.only(4, *_TENSOR, "alpha", "negative_slope", "max_value", "threshold")
    x = call.value(0, *_TENSOR)
    below = call.option(1, 0.0, "alpha", "negative_slope")
    highest = call.option(2, math.inf, "max_value")
    threshold = call.option(3, 0.0, "threshold")
    slope = 0.0 if x >= highest else 1.0 if x > threshold else below
    value = min(x, highest) if x > threshold else below * (x - threshold)
    return Result(value, (Operand(call.term(0, *_TENSOR), lambda g: g * slope),))


def _leaky_relu(call: Call) -> Result:
    call.only(2, *_TENSOR, "alpha", "negative_slope")
    x = call.value(0, *_TENSOR)
    slope = 1.0 if x > 0 else call.option(1, 0.2, "alpha", "negative_slope")
    return Result(slope * x, (Operand(call.term(0, *_TENSOR), lambda g: g * slope),))


_SELU_SCALE = 1.0507009873554805
_SELU_LEFT = single(1.7580993408473768)


def _expm1(x: float) -> float:
    return _safe(math.expm1, x)


def _sinh(x: float) -> float:
    return math.copysign(_safe(math.sinh, abs(x)), x)


def _swish_slope(x: float, y: float) -> float:
    return _sigmoid(x) * (1.0 + x * (1.0 - _sigmoid(x)))


_RULES: dict[str, Rule] = {
    "add": _of_two(lambda x, y: x + y, lambda g, x, y: g, lambda g, x, y: g),
    "subtract": _of_two(lambda x, y: x - y, lambda g, x, y: g, lambda g, x, y: -g),
    "multiply": _of_two(_multiplied, lambda g, x, y: g * y, lambda g, x, y: g * x),
    "divide": _of_two(
        _divide,
        lambda g, x, y: _divide(g, y),
        lambda g, x, y: g * single(_divide(single(_divide(-x, y)), y)),
    ),
    "divide_no_nan": _of_two(
        _divide_no_nan,
        lambda g, x, y: _divide_no_nan(g, y),
        lambda g, x, y: g * single(_divide_no_nan(single(_divide_no_nan(-x, y)), y)),
    ),
    "pow": _of_two(
        _power,
        lambda g, x, y: g * single(y * single(_power(x, y - 1.0))),
        lambda g, x, y: g * single(_power(x, y) * (_log(x) if x > 0 else 0.0)),
    ),
    "maximum": _of_two(
        max, lambda g, x, y: g if x >= y else 0.0, lambda g, x, y: 0.0 if x >= y else g
    ),
    "minimum": _of_two(
        min, lambda g, x, y: g if x <= y else 0.0, lambda g, x, y: 0.0 if x <= y else g
    ),
    "where": _where,
    "clip_by_value": _clip,
    "identity": _identity,
    "cast": _cast,
    "constant": _constant,
    "broadcast_to": _spread,
    "zeros_like": _filled(0.0),
    "ones_like": _filled(1.0),
    "greater": _comparison(lambda x, y: x > y),
    "greater_equal": _comparison(lambda x, y: x >= y),
    "less": _comparison(lambda x, y: x < y),
    "less_equal": _comparison(lambda x, y: x <= y),
    "equal": _comparison(lambda x, y: x == y),
    "not_equal": _comparison(lambda x, y: x != y),
    "logical_and": _comparison(lambda x, y: bool(x) and bool(y)),
    "logical_or": _comparison(lambda x, y: bool(x) or bool(y)),
    "logical_not": _logical_not,
    "relu": _relu,
    "leaky_relu": _leaky_relu,
    "negative": _of_one(lambda x: -x, lambda x, y: -1.0),
    "abs": _of_one(abs, lambda x, y: _sign(x)),
    "sign": _of_one(_sign, lambda x, y: 0.0),
    "square": _of_one(lambda x: x * x, lambda x, y: 2.0 * x),
    "sqrt": _of_one(lambda x: _safe(math.sqrt, x), lambda x, y: _divide(0.5, y)),
    "rsqrt": _of_one(lambda x: _divide(1.0, _safe(math.sqrt, x)), lambda x, y: -0.5 * y * y * y),
    "reciprocal": _of_one(lambda x: _divide(1.0, x), lambda x, y: -y * y),
    "exp": _of_one(_exp, lambda x, y: y),
    "expm1": _of_one(_expm1, lambda x, y: _exp(x)),
    "log": _of_one(_log, lambda x, y: _divide(1.0, x)),
    "log1p": _of_one(lambda x: _log(1.0 + x), lambda x, y: _divide(1.0, 1.0 + x)),
    "sin": _of_one(math.sin, lambda x, y: math.cos(x)),
    "cos": _of_one(math.cos, lambda x, y: -math.sin(x)),
    "tan": _of_one(math.tan, lambda x, y: _divide(1.0, math.cos(x) ** 2)),
    "atan": _of_one(math.atan, lambda x, y: 1.0 / (1.0 + x * x)),
    "sinh": _of_one(_sinh, lambda x, y: _safe(math.cosh, x)),
    "cosh": _of_one(lambda x: _safe(math.cosh, x), lambda x, y: _sinh(x)),
    "tanh": _of_one(math.tanh, lambda x, y: 1.0 - y * y),
    "sigmoid": _of_one(_sigmoid, lambda x, y: y * (1.0 - y)),
    "softplus": _of_one(
        lambda x: max(x, 0.0) + math.log1p(math.exp(-abs(x))), lambda x, y: _sigmoid(x)
    ),
    "log_sigmoid": _of_one(
        lambda x: min(x, 0.0) - math.log1p(math.exp(-abs(x))), lambda x, y: _sigmoid(-x)
    ),
    "softsign": _of_one(lambda x: x / (1.0 + abs(x)), lambda x, y: 1.0 / (1.0 + abs(x)) ** 2),
    "relu6": _of_one(lambda x: min(max(x, 0.0), 6.0), lambda x, y: float(0.0 < x < 6.0)),
    "elu": _of_one(lambda x: x if x > 0 else _expm1(x), lambda x, y: 1.0 if x > 0 else y + 1.0),
    "selu": _of_one(
        lambda x: _SELU_SCALE * x if x > 0 else _SELU_LEFT * single(_exp(x) - 1.0),
        lambda x, y: y + _SELU_LEFT if y < 0 else _SELU_SCALE,
    ),
    "silu": _of_one(lambda x: x * _sigmoid(x), _swish_slope),
    "erf": _of_one(math.erf, lambda x, y: 2.0 / math.sqrt(math.pi) * _exp(-x * x)),
}
_SECOND_NAMES = {
    "scalar_mul": "multiply", "truediv": "divide", "true_divide": "divide", "power": "pow",
    "clip": "clip_by_value", "convert_to_tensor": "identity", "stop_gradient": "constant",
    "swish": "silu",
}  # fmt: skip
_RULES |= {second: _RULES[first] for second, first in _SECOND_NAMES.items()}
_OPERATORS = {
    "Add": "add", "Subtract": "subtract", "Multiply": "multiply", "Divide": "divide",
    "Power": "pow", "Minus": "negative", "GreaterThan": "greater",
    "GreaterThanEqual": "greater_equal", "LessThan": "less", "LessThanEqual": "less_equal",
    "Equal": "equal", "NotEqual": "not_equal", "BitAnd": "logical_and", "BitOr": "logical_or",
}  # fmt: skip
