"""Terms as sums: what is added up, with which factor, and what of it back-propagation sees.

``x + stop_gradient(f(x) - x)`` has the summands ``x``, ``f(x)`` and ``-x``, the last two stopped.
Their factors add up to ``f(x)`` in the forward pass and to ``x`` in the backward pass.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from lintkeras.meaning.differentiation import STOPS
from lintkeras.meaning.values import (
    Computed,
    Const,
    Either,
    Member,
    Symbol,
    Unknown,
    Value,
    walk,
)

_NEGLIGIBLE = 1e-9
_REPRODUCIBLE = ("tf.", "keras.ops.", "keras.backend.", "keras.activations.", "numpy.", "builtins.")
_RANDOM = ("random", "dropout", "uniform", "normal", "shuffle")
_TRANSPARENT = frozenset({"tf.identity", "tf.convert_to_tensor", "keras.ops.convert_to_tensor"})


@dataclass(frozen=True, slots=True)
class Summand:
    """One summand. ``stopped`` says that it stands under ``stop_gradient``."""

    value: Value
    factor: float
    stopped: bool = False


@dataclass(frozen=True, slots=True)
class Total:
    """All summands of one value, added up."""

    value: Value
    forward: float
    """Its factor in the forward pass."""
    backward: float
    """Its factor in the backward pass: the summands that are not stopped."""
    free: int
    """How many of the summands are not stopped."""


def summands(value: Value) -> Iterator[Summand]:
    """What is added up in ``value``; a value that is no sum is its only summand."""
    yield from _summands(value, 1.0, False)


def _summands(value: Value, factor: float, stopped: bool) -> Iterator[Summand]:
    match value:
        case Computed(function=str() as operator, arguments=arguments):
            match operator, arguments.positional:
                case "Add", (left, right):
                    yield from _summands(left, factor, stopped)
                    yield from _summands(right, factor, stopped)
                    return
                case "Subtract", (left, right):
                    yield from _summands(left, factor, stopped)
                    yield from _summands(right, -factor, stopped)
                    return
                case "Minus", (inner,):
                    yield from _summands(inner, -factor, stopped)
                    return
                case ("Multiply", (inner, Const(value=int() | float() as number))) | (
                    "Multiply",
                    (Const(value=int() | float() as number), inner),
                ):
                    yield from _summands(inner, factor * number, stopped)
                    return
                case "Divide", (inner, Const(value=int() | float() as number)) if number:
                    yield from _summands(inner, factor / number, stopped)
                    return
        case Computed(function=Symbol() as symbol, arguments=arguments) if arguments.positional:
            if symbol.name in STOPS:
                yield from _summands(arguments.positional[0], factor, True)
                return
            if symbol.name in _TRANSPARENT and len(arguments.positional) == 1:
                yield from _summands(arguments.positional[0], factor, stopped)
                return
    yield Summand(value, factor, stopped)


def totals(value: Value) -> tuple[Total, ...]:
    """The summands of ``value``, those that are the same value added up, in order."""
    found: list[Total] = []
    for one in summands(value):
        backward = 0.0 if one.stopped else one.factor
        free = 0 if one.stopped else 1
        for position, total in enumerate(found):
            if same(total.value, one.value):
                found[position] = Total(
                    total.value,
                    _clean(total.forward + one.factor),
                    _clean(total.backward + backward),
                    total.free + free,
                )
                break
        else:
            found.append(Total(one.value, one.factor, backward, free))
    return tuple(found)


def _clean(factor: float) -> float:
    return 0.0 if abs(factor) < _NEGLIGIBLE else factor


def same(one: Value, other: Value) -> bool:
    """Whether two values are certainly equal when the program runs.

    The result of one evaluation is; two terms that are alike are where nothing in them is unknown
    and nothing gives another result each time.
    """
    if one is other:
        return one != Unknown()
    match one, other:
        case Computed(), Computed():
            names = tuple(name for name, _ in one.arguments.keywords)
            return (
                one.function == other.function
                and _reproducible(one)
                and one.arguments.complete
                and other.arguments.complete
                and names == tuple(name for name, _ in other.arguments.keywords)
                and _pairwise(one.arguments.positional, other.arguments.positional)
                and _pairwise(
                    tuple(value for _, value in one.arguments.keywords),
                    tuple(value for _, value in other.arguments.keywords),
                )
            )
        case Member(of=first, name=name), Member(of=second, name=second_name):
            return name == second_name and same(first, second)
    return one == other and reproducible(one)


def _pairwise(some: tuple[Value, ...], others: tuple[Value, ...]) -> bool:
    return len(some) == len(others) and all(map(same, some, others))


def reproducible(value: Value) -> bool:
    """Whether evaluating it again certainly gives the same.

    Calling a layer may not: it may be a dropout.
    """
    return all(_reproducible(part) for part in walk(value))


def _reproducible(part: Value) -> bool:
    match part:
        case Unknown(origin=origin):
            return origin is not None
        case Either():
            return False
        case Computed(function=str()):
            return True
        case Computed(function=Symbol() as symbol):
            name = symbol.name
            return name.startswith(_REPRODUCIBLE) and not any(word in name for word in _RANDOM)
        case Computed():
            return False
    return True


def known(value: Value) -> bool:
    """Whether no part of a value is entirely unknown."""
    return all(part != Unknown() for part in walk(value))
