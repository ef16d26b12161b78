"""Where the derivative of an operation is infinite, so that even a gradient of 0 becomes NaN.

Measured in TensorFlow 2.21 with an upstream gradient of 0: ``sqrt``, ``rsqrt``, ``reciprocal`` and
``norm`` give 0 there, because their kernels look at the upstream gradient first (compiled by XLA
they give NaN); the operations below give NaN either way.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import inf

from lintkeras.meaning.differentiation import WHERES, connection
from lintkeras.meaning.regions import (
    NOTHING,
    Guard,
    Interval,
    Region,
    above,
    affine,
    below,
    constant,
    edges,
    guards,
    meet,
    operation,
    point,
    range_of,
)
from lintkeras.meaning.sums import same
from lintkeras.meaning.values import (
    Computed,
    CustomGradient,
    Instance,
    Member,
    Symbol,
    Unknown,
    Value,
    Weight,
    walk,
)

LARGEST_EXPONENT = 88.72
"""exp of more than this is infinite in float32 (11.09 in float16, 709.8 in float64)."""

_OUTSIDE = (Interval(-inf, -1, False, True), Interval(1, inf, True, False))
_SINGULAR: dict[str, Region] = {
    "log": point(0), "log2": point(0), "log10": point(0), "log1p": point(-1),
    "asin": _OUTSIDE, "acos": _OUTSIDE, "arcsin": _OUTSIDE, "arccos": _OUTSIDE,
    "acosh": below(1, True), "arccosh": below(1, True),
    "atanh": (*point(-1), *point(1)), "arctanh": (*point(-1), *point(1)),
}  # fmt: skip
_OVERFLOWING: dict[str, Region] = {
    "exp": above(LARGEST_EXPONENT, True), "expm1": above(LARGEST_EXPONENT, True),
    "sinh": (*below(-LARGEST_EXPONENT), *above(LARGEST_EXPONENT)),
    "cosh": (*below(-LARGEST_EXPONENT), *above(LARGEST_EXPONENT)),
}  # fmt: skip
_VARYING = (Unknown, Instance, Weight, CustomGradient, Member)
_POWERS = ("Power", "pow", "power")
_KEEP_ZERO = frozenset({"abs", "sqrt", "square", "cast", "identity", "convert_to_tensor"})


@dataclass(frozen=True, slots=True)
class Singularity:
    """An operation whose derivative is infinite where ``value`` is in ``region``."""

    term: Computed
    operand: Value
    """The operand of the operation that makes it so."""
    value: Value
    region: Region
    overflows: bool = False
    """Whether it is infinite because the value is (``exp(100)``)."""


def singularities(value: Value) -> Iterator[Singularity]:
    """All operations in ``value`` with such places."""
    for part in walk(value):
        if isinstance(part, Computed):
            yield from _of(part)


def _of(term: Computed) -> Iterator[Singularity]:
    name, operands = operation(term)
    match name, operands:
        case "Divide", (_, divisor) if constant(divisor) is None:
            for root in _roots(divisor):
                yield Singularity(term, divisor, root, point(0))
        case _, (base, exponent) if name in _POWERS:
            power = constant(exponent)
            region = _of_power(power) if power is not None else ()
            if region:
                for root in _roots(base) if region == point(0) else (base,):
                    yield Singularity(term, base, root, region)
        case _, (operand, *_) if name in _SINGULAR:
            zero = _SINGULAR[name] == point(0)
            for root in _roots(operand) if zero else (operand,):
                yield Singularity(term, operand, root, _SINGULAR[name])
        case _, (operand, *_) if name in _OVERFLOWING:
            yield Singularity(term, operand, operand, _OVERFLOWING[name], True)


def _of_power(power: float) -> Region:
    if power == int(power):
        return point(0) if power < 0 else ()
    return below(0, closed=power < 1)


def _roots(value: Value) -> Iterator[Value]:
    """Values that are zero where ``value`` is: its factors, and what it is the root of."""
    name, operands = operation(value)
    match name, operands:
        case "Multiply", (left, right):
            for factor in (left, right):
                if constant(factor) is None:
                    yield from _roots(factor)
        case _, (inner, *_) if name in _KEEP_ZERO:
            yield from _roots(inner)
        case _, (base, exponent) if name in _POWERS and (constant(exponent) or 0) > 0:
            yield from _roots(base)
        case _:
            yield value


@dataclass(frozen=True, slots=True)
class Trap:
    """A branch of a ``where`` whose gradient is NaN at places that the condition excludes."""

    where: Computed
    branch: int
    """Which operand of the ``where`` it is: 1 for where the condition holds, 2 for the other."""
    guard: Guard | None
    """What the condition says; None where it asks whether the branch is finite."""
    singularity: Singularity
    at: Region
    """Where the guarded value is when that happens."""

    @property
    def infinite(self) -> Region:
        """Where the guarded value is when the derivative is infinite."""
        line = affine(self.singularity.value)
        return line.preimage(self.singularity.region) if line is not None else NOTHING


def traps(where: Computed) -> Iterator[Trap]:
    """The branches of ``where(condition, ...)`` of which 0 times the derivative is NaN."""
    if not is_where(where):
        return
    if len(where.arguments.positional) != 3 or where.arguments.keywords:
        return
    condition, *branches = where.arguments.positional
    for number, branch in enumerate(branches, 1):
        for one in singularities(branch):
            trap = _trap(where, condition, number, one)
            if trap is not None and _is_differentiated(branch, one.term):
                yield trap


def _trap(where: Computed, condition: Value, branch: int, one: Singularity) -> Trap | None:
    for guard in guards(condition):
        at = _reached(one, guard, guard.fails if branch == 1 else guard.holds)
        if at:
            return Trap(where, branch, guard, one, at)
    if _asks_for_finite(condition, where.arguments.positional[branch], branch, one):
        return Trap(where, branch, None, one, NOTHING)
    return None


def _is_differentiated(branch: Value, term: Computed) -> bool:
    """Whether the gradient of ``branch`` goes into ``term`` and on to something that may vary.

    Another ``where`` on the way takes the NaN out again, since it chooses instead of multiplying.
    """
    if connection(branch, lambda leaf: leaf is term).reaches is not True:
        return False
    way = connection(term, lambda leaf: isinstance(leaf, _VARYING), lambda one: not is_where(one))
    return way.reaches is True


def is_where(term: Computed) -> bool:
    """Whether an operation chooses between two values, entry by entry."""
    return isinstance(term.function, Symbol) and term.function.name in WHERES


def _reached(one: Singularity, guard: Guard, excluded: Region) -> Region:
    """Where the guarded value is when the derivative is infinite and the branch is not chosen.

    Where the condition draws its line, values are on both sides of it. Away from the line there
    may be none: ``where(x > 0, log(x + eps), 0)`` never sees ``-eps`` if ``x`` is a count.
    """
    line = affine(one.value)
    if line is None or not same(line.value, guard.value):
        return NOTHING
    region = line.preimage(one.region)
    at = meet(meet(region, excluded), range_of(guard.value))
    at_the_line = any(abs(edge) < inf for edge in edges(region) & edges(excluded))
    return at if at_the_line or one.overflows else NOTHING


def _asks_for_finite(condition: Value, branch: Value, number: int, one: Singularity) -> bool:
    """Whether ``condition`` only says that ``branch``, a quotient or the like, is finite."""
    name, operands = operation(condition)
    if name in ("Not", "BitInvert", "logical_not") and operands:
        return _asks_for_finite(operands[0], branch, 3 - number, one)
    finite = name in ("is_finite", "isfinite") and number == 1
    not_finite = name in ("is_nan", "isnan", "is_inf", "isinf") and number == 2
    if not (finite or not_finite) or len(operands) != 1 or not same(operands[0], branch):
        return False
    if operation(one.term)[0].startswith("log") and name in ("is_nan", "isnan"):
        return False  # log(0) is no NaN
    is_sum = operation(one.value)[0] in ("Add", "Subtract")
    return not one.overflows and not is_sum and bool(meet(one.region, range_of(one.value)))
