"""Sets of real numbers, and what a comparison with a constant says about a value.

``where(x > 0, log(x), 0)`` selects ``log(x)`` where ``x`` is in (0, inf). A region is a union of
intervals; a guard says where its condition certainly holds and where it certainly fails.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from math import inf

from lintkeras.meaning.sums import totals
from lintkeras.meaning.values import Computed, Const, Symbol, Value


@dataclass(frozen=True, slots=True)
class Interval:
    """All numbers between two bounds. Infinite bounds are open."""

    low: float
    high: float
    with_low: bool = False
    with_high: bool = False

    def holds(self, number: float) -> bool:
        """Whether a number lies in it."""
        above = self.low < number or (self.with_low and number == self.low)
        below = number < self.high or (self.with_high and number == self.high)
        return above and below

    def meet(self, other: Interval) -> Interval | None:
        """What two intervals share; None for nothing."""
        low = max((self.low, not self.with_low), (other.low, not other.with_low))
        high = min((self.high, self.with_high), (other.high, other.with_high))
        found = Interval(low[0], high[0], not low[1], high[1])
        if found.low < found.high or (
            found.low == found.high and found.with_low and found.with_high
        ):
            return found
        return None

    def image(self, factor: float, shift: float) -> Interval:
        """The interval of ``factor * x + shift``; ``factor`` is not 0."""
        ends = [
            (self.low * factor + shift, self.with_low),
            (self.high * factor + shift, self.with_high),
        ]
        if factor < 0:
            ends.reverse()
        return Interval(ends[0][0], ends[1][0], ends[0][1], ends[1][1])


Region = tuple[Interval, ...]
EVERYTHING: Region = (Interval(-inf, inf),)
NOTHING: Region = ()


def point(number: float) -> Region:
    """One number."""
    return (Interval(number, number, True, True),)


def above(number: float, closed: bool = False) -> Region:
    """All numbers above one."""
    return (Interval(number, inf, closed),)


def below(number: float, closed: bool = False) -> Region:
    """All numbers below one."""
    return (Interval(-inf, number, False, closed),)


def holds(region: Region, number: float) -> bool:
    """Whether a number lies in a region."""
    return any(interval.holds(number) for interval in region)


def meet(one: Region, other: Region) -> Region:
    """What two regions share."""
    return tuple(m for a in one for b in other if (m := a.meet(b)) is not None)


def image(region: Region, factor: float, shift: float) -> Region:
    """The region of ``factor * x + shift``."""
    return tuple(interval.image(factor, shift) for interval in region)


def edges(region: Region) -> set[float]:
    """The bounds of its intervals."""
    return {edge for interval in region for edge in (interval.low, interval.high)}


@dataclass(frozen=True, slots=True)
class Guard:
    """What a condition says of ``value``: it holds for all of ``holds``, for none of ``fails``."""

    value: Value
    holds: Region
    fails: Region

    def inverted(self) -> Guard:
        """What the opposite condition says."""
        return Guard(self.value, self.fails, self.holds)


_COMPARISONS: dict[str, Callable[[float], tuple[Region, Region]]] = {
    "GreaterThan": lambda c: (above(c), below(c, True)),
    "GreaterThanEqual": lambda c: (above(c, True), below(c)),
    "LessThan": lambda c: (below(c), above(c, True)),
    "LessThanEqual": lambda c: (below(c, True), above(c)),
    "Equal": lambda c: (point(c), (*below(c), *above(c))),
    "NotEqual": lambda c: ((*below(c), *above(c)), point(c)),
}
_MIRRORED = {
    "GreaterThan": "LessThan", "GreaterThanEqual": "LessThanEqual",
    "LessThan": "GreaterThan", "LessThanEqual": "GreaterThanEqual",
}  # fmt: skip
_FUNCTIONS = {
    "greater": "GreaterThan", "greater_equal": "GreaterThanEqual", "less": "LessThan",
    "less_equal": "LessThanEqual", "equal": "Equal", "not_equal": "NotEqual",
    "logical_and": "And", "logical_or": "Or", "logical_not": "Not",
}  # fmt: skip
_LOGIC = {"BitAnd": "And", "BitOr": "Or", "BitInvert": "Not"}


def guards(condition: Value) -> Iterator[Guard]:
    """What a condition says of the values that it compares with constants."""
    operator, operands = operation(condition)
    operator = _FUNCTIONS.get(operator, _LOGIC.get(operator, operator))
    match operator, operands:
        case "Not", (inner,):
            yield from (guard.inverted() for guard in guards(inner))
        case "And", (left, right):
            for guard in (*guards(left), *guards(right)):
                yield Guard(guard.value, NOTHING, guard.fails)
        case "Or", (left, right):
            for guard in (*guards(left), *guards(right)):
                yield Guard(guard.value, guard.holds, NOTHING)
        case name, (left, right) if name in _COMPARISONS:
            number, other = constant(right), constant(left)
            if number is not None and other is None:
                yield from _views(left, *_COMPARISONS[name](number))
            elif other is not None and number is None:
                yield from _views(right, *_COMPARISONS[_MIRRORED.get(name, name)](other))


def _views(value: Value, holds: Region, fails: Region) -> Iterator[Guard]:
    """The guard of a value, and of what it is the absolute value or a multiple of."""
    yield Guard(value, holds, fails)
    operator, operands = operation(value)
    if operator == "abs" and len(operands) == 1:
        yield from _views(operands[0], _unfolded(holds), _unfolded(fails))
    line = affine(value)
    if line is not None and line.value is not value:
        yield from _views(line.value, line.preimage(holds), line.preimage(fails))


def _unfolded(region: Region) -> Region:
    """The numbers whose absolute values are in a region."""
    positive = meet(region, above(0, True))
    return (*image(positive, -1, 0), *positive)


@dataclass(frozen=True, slots=True)
class Line:
    """``factor * value + shift``."""

    value: Value
    factor: float
    shift: float

    def preimage(self, region: Region) -> Region:
        """Where ``value`` is when the whole is in a region."""
        return image(region, 1 / self.factor, -self.shift / self.factor)


def affine(value: Value) -> Line | None:
    """A sum as a multiple of one value plus a constant; what is no such sum is that one value."""
    shift, rest = 0.0, []
    for total in totals(value):
        number = constant(total.value)
        if number is not None:
            shift += total.forward * number
        else:
            rest.append(total)
    if not rest or not any(total.forward for total in rest):
        return None
    if len(rest) > 1:
        return Line(value, 1, 0)
    return Line(rest[0].value, rest[0].forward, shift)


def constant(value: Value) -> float | None:
    """The number that a value is, behind a cast too."""
    match value:
        case Const(value=int() | float() as number) if not isinstance(number, bool):
            return float(number)
    operator, operands = operation(value)
    if operator in ("cast", "constant", "convert_to_tensor") and operands:
        return constant(operands[0])
    if operator in ("zeros_like", "ones_like"):
        return 0.0 if operator == "zeros_like" else 1.0
    return None


_MODULES = ("tf.", "keras.ops.", "keras.backend.", "keras.activations.")


def operation(value: Value) -> tuple[str, tuple[Value, ...]]:
    """An operation on tensors: its short name and its operands; an empty name for others."""
    if not isinstance(value, Computed):
        return "", ()
    operands = value.arguments.positional
    if isinstance(value.function, str):
        return value.function, operands
    if isinstance(value.function, Symbol) and value.function.name.startswith(_MODULES):
        module, _, name = value.function.name.rpartition(".")
        if module in ("tf", "keras.ops", "keras.backend", "keras.activations", "tf.linalg"):
            return name, operands
    return "", ()


def range_of(value: Value) -> Region:
    """Where the values of a term can be, as far as its outermost operations say."""
    number = constant(value)
    if number is not None:
        return point(number)
    operator, operands = operation(value)
    match operator, operands:
        case (("relu" | "abs" | "square" | "sqrt" | "norm" | "reduce_euclidean_norm"), _):
            return above(0, True)
        case "Power", (_, Const(value=int(exponent))) if exponent % 2 == 0 and exponent > 0:
            return above(0, True)
        case (("exp" | "softplus"), _):
            return above(0)
        case (("sigmoid" | "softmax"), _):
            return (Interval(0, 1, False, True),)
        case (("tanh" | "sin" | "cos"), _):
            return (Interval(-1, 1, True, True),)
        case (("identity" | "cast" | "reshape" | "expand_dims" | "squeeze"), (inner, *_)):
            return range_of(inner)
        case (("reduce_sum" | "sum"), (inner, *_)):
            return _total(inner)
        case "maximum", (one, other):
            return _bounded(True, range_of(one), range_of(other))
        case "minimum", (one, other):
            return _bounded(False, range_of(one), range_of(other))
        case (("clip_by_value" | "clip"), (_, low, high)):
            bounds = constant(low), constant(high)
            return (Interval(
                -inf if bounds[0] is None else bounds[0], inf if bounds[1] is None else bounds[1],
                bounds[0] is not None, bounds[1] is not None,
            ),)  # fmt: skip
        case (("Add" | "Subtract" | "Multiply" | "Divide" | "Minus"), _):
            line = affine(value)
            if line is not None and line.value is not value:
                return image(range_of(line.value), line.factor, line.shift)
            if operator == "Add":
                return _sum(range_of(operands[0]), range_of(operands[1]))
    return EVERYTHING


def _total(value: Value) -> Region:
    """The range of a sum of entries; no sum of probabilities is 0, though each of them can be."""
    sign = hull(range_of(value))
    if operation(value)[0] == "softmax" or sign.low > 0 or (sign.low == 0 and not sign.with_low):
        return above(0)
    return above(0, True) if sign.low == 0 else EVERYTHING


def _bounded(larger: bool, one: Region, other: Region) -> Region:
    """The range of the larger (or the smaller) of two values."""
    a, b = hull(one), hull(other)
    choose = max if larger else min
    low = choose((a.low, a.with_low), (b.low, b.with_low))
    high = choose((a.high, a.with_high), (b.high, b.with_high))
    return (Interval(low[0], high[0], low[1], high[1]),)


def _sum(one: Region, other: Region) -> Region:
    a, b = hull(one), hull(other)
    low, high = a.with_low and b.with_low, a.with_high and b.with_high
    return (Interval(a.low + b.low, a.high + b.high, low, high),)


def hull(region: Iterable[Interval]) -> Interval:
    """The smallest interval that holds a region."""
    intervals = list(region)
    low = min(intervals, key=lambda i: (i.low, not i.with_low))
    high = max(intervals, key=lambda i: (i.high, i.with_high))
    return Interval(low.low, high.high, low.with_low, high.with_high)
