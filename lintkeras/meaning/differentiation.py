"""What back-propagation can pass through: operations without a gradient, paths between values.

Measured in TensorFlow; JAX and PyTorch give zeros where the tape gives None (``Cut.backend``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from lintkeras.meaning.nests import flat_size
from lintkeras.meaning.values import (
    Computed,
    Const,
    Content,
    CustomGradient,
    Either,
    Gradient,
    Instance,
    Items,
    Member,
    PerEntry,
    Sequence,
    Symbol,
    Unknown,
    Value,
    Weight,
    walk,
)

Reason = Literal["none", "zero", "numpy", "predict", "constant", "stop", "outside"]
"""Why nothing passes: the gradient is None or zero by definition; the value left TensorFlow
(NumPy, ``predict``); it was copied into a constant; ``stop_gradient``; no tape recorded it."""

_ROUNDINGS = ("round", "floor", "ceil", "rint", "trunc")
_INDICES = ("argmax", "argmin", "argsort", "one_hot", "histogram", "bincount", "searchsorted",
            "shape", "size", "rank", "equal", "not_equal", "greater", "greater_equal", "less",
            "less_equal", "logical_and", "logical_or", "logical_not", "is_nan", "isnan", "isfinite",
            "in_top_k", "floordiv", "floor_divide", "zeros_like", "ones_like")  # fmt: skip
_NONE = frozenset(
    f"{module}.{name}"
    for module in ("tf", "keras.ops", "keras.backend")
    for name in (*_ROUNDINGS, *_INDICES)
) | {"tf.random.categorical", "tf.numpy_function", "tf.histogram_fixed_width"}
_ZERO = frozenset({"tf.sign", "keras.ops.sign", "keras.backend.sign"})
STOPS = frozenset({"tf.stop_gradient", "keras.ops.stop_gradient", "keras.backend.stop_gradient"})
CASTS = frozenset({"tf.cast", "keras.ops.cast", "keras.backend.cast", "tf.to_int32"})
_COPIES = frozenset({"tf.constant", "tf.Variable"})
_MAY_DO_NOTHING = CASTS | frozenset({
    "tf.dtypes.cast", "tf.convert_to_tensor", "keras.ops.convert_to_tensor", "tf.real", "tf.add_n",
})  # fmt: skip
"""Measured: where nothing is to be done they return their argument itself, recorded as it is."""
WHERES = frozenset({"tf.where", "keras.ops.where", "keras.backend.switch"})
_OPERATORS = frozenset({
    "Equal", "NotEqual", "LessThan", "LessThanEqual", "GreaterThan", "GreaterThanEqual", "Is",
    "IsNot", "In", "NotIn", "Not", "FloorDivide",
})  # fmt: skip


METADATA = frozenset({"dtype", "shape", "ndim", "name", "device"})
"""Attributes of a tensor that hold no values of it."""


@dataclass(frozen=True, slots=True)
class Cut:
    """An operation on the way at which the gradient ends."""

    at: Computed
    reason: Reason


@dataclass(frozen=True, slots=True)
class Connection:
    """How a value depends on what the gradient is wanted for.

    ``reaches`` is True where a gradient comes through, False where every way is cut, None where
    that is not known. ``cuts`` are the places where a way that leads to the sources ends.
    """

    reaches: bool | None
    cuts: tuple[Cut, ...] = ()


def stops(term: Computed) -> Reason | None:
    """Why no gradient passes through an operation; None where one does (or may)."""
    function = term.function
    positional = term.arguments.positional
    if isinstance(function, str):
        return "none" if function in _OPERATORS else None
    if isinstance(function, Member):
        if function.name == "numpy":
            return "numpy"
        keras_model = isinstance(function.of, Instance) and any(
            base.startswith("keras.models.") for base in function.of.library_bases()
        )
        if keras_model and function.name in ("predict", "predict_on_batch"):
            return "predict"
        return None
    if not isinstance(function, Symbol):
        return None
    name = function.name
    if name in STOPS:
        return "stop"
    if name in _NONE:
        return "none"
    if name in _ZERO:
        return "zero"
    if name in _COPIES:
        return "constant"
    if name.startswith("numpy."):
        return "numpy"
    if name in CASTS and len(positional) > 1 and is_integer(positional[1]):
        return "none"
    if name in WHERES and len(positional) == 3:
        if all(_is_constant(value) for value in positional[1:]):
            return "none"
    return None


def is_cast(term: Computed) -> bool:
    """Whether an operation only changes the dtype."""
    return isinstance(term.function, Symbol) and term.function.name in CASTS


def _may_do_nothing(term: Computed) -> bool:
    """Whether an operation may return what it is given, such as a cast to its own dtype.

    An item may be one of several results, and no entry of a tensor.
    """
    if term.function == "Subscript":
        holder, index = term.arguments.positional
        return not isinstance(index, Sequence) and flat_size(holder) != 1
    return isinstance(term.function, Symbol) and term.function.name in _MAY_DO_NOTHING


def is_integer(dtype: Value) -> bool:
    """Whether a dtype has no derivative: integers and booleans."""
    name = dtype.name.rpartition(".")[2] if isinstance(dtype, Symbol) else None
    if isinstance(dtype, Const) and isinstance(dtype.value, str):
        name = dtype.value
    return name is not None and name.startswith(("int", "uint", "bool"))


def _is_constant(value: Value) -> bool:
    """Whether a value is made of numbers alone: ``1.0``, ``tf.ones_like(x)``."""
    if isinstance(value, Computed) and isinstance(value.function, Symbol):
        return value.function.name.rpartition(".")[2] in (
            "zeros", "ones", "zeros_like", "ones_like", "fill",
        )  # fmt: skip
    return isinstance(value, Const)


def connection(
    target: Value,
    is_source: Callable[[Value], bool | None],
    recorded: Callable[[Computed], bool | None] = lambda term: True,
) -> Connection:
    """Follow ``target`` back to the sources.

    ``is_source`` says of a leaf (a weight, a layer that is called, a parameter) whether a gradient
    with respect to it is wanted: True, False (certainly not), or None (not known). ``recorded``
    says of an operation whether the tape recorded it.
    """
    own = is_source(target)
    if own:
        return Connection(True)
    match target:
        case Computed():
            inside = _all(_inputs(target), is_source, recorded)
            reason = stops(target)
            seen = recorded(target)
            if seen is False and _may_do_nothing(target):
                seen = True
            if reason is None and seen is False:
                reason = "outside"
            if reason is not None:
                # Nothing passes, whatever lies behind; it is a cut where the sources lie there.
                wanted = inside.reaches or bool(inside.cuts)
                return Connection(False, (Cut(target, reason), *inside.cuts) if wanted else ())
            return Connection(None) if seen is None else inside
        case Either(values=values):
            found = [connection(value, is_source, recorded) for value in values]
            if len({one.reaches for one in found}) > 1:
                return Connection(None)
            cuts = dict.fromkeys(cut for one in found for cut in one.cuts)
            return Connection(found[0].reaches, tuple(cuts))
        case Sequence() | Items() | PerEntry():
            return _all(_inputs(target), is_source, recorded)
        case Const() | Symbol():
            return Connection(False)
        case Member(name=name) if name in METADATA:
            return Connection(False)
        case Member(of=of):
            inside = connection(of, is_source, recorded)
            return inside if inside.reaches is True else Connection(None)
        case Gradient():
            return Connection(None)
    return Connection(None if own is None else False)


def _inputs(value: Value) -> Iterator[Value]:
    """What an operation is computed from: a layer that is called counts as an input."""
    match value:
        case Computed(function=function, arguments=arguments):
            match function:
                case Instance() | Unknown() | CustomGradient() | Member():
                    yield function
            yield from arguments.positional
            yield from (argument for _, argument in arguments.keywords)
            if not arguments.complete:
                yield Unknown()
        case Sequence(content=content):
            yield from (entry.value for entry in content.entries)
        case Items(items=items):
            yield from (item for _, item in items)
        case PerEntry(values=values):
            yield from values


def _all(
    values: Iterator[Value],
    is_source: Callable[[Value], bool | None],
    recorded: Callable[[Computed], bool | None],
) -> Connection:
    found = [connection(value, is_source, recorded) for value in values]
    if any(one.reaches for one in found):
        return Connection(True)
    if any(one.reaches is None for one in found):
        return Connection(None)
    return Connection(False, tuple(dict.fromkeys(cut for one in found for cut in one.cuts)))


def sources(entries: Content) -> Callable[[Value], bool | None]:
    """For ``connection``: whether a leaf is one of the sources of a gradient, or holds some.

    A layer or model counts where its variables are among the sources. An object of an unknown
    class may hold them; Keras' own losses and metrics hold none, nor does data (a parameter of the
    running function, an element of a loop).
    """
    direct = frozenset(entry.value for entry in entries.entries)
    owners = frozenset(value.owner for value in direct if isinstance(value, Weight))

    def is_source(value: Value) -> bool | None:
        if value in direct or value in owners:
            return True
        match value:
            case Instance():
                name = value.class_name
                return False if name.startswith(("keras.losses.", "keras.metrics.")) else None
            case Unknown(origin=origin):
                return False if is_data(origin) else None
            case Weight() | CustomGradient():
                return None
        return False

    return is_source


def is_data(origin: tuple[object, ...] | None) -> bool:
    """Whether an unknown came into the running function from outside, or out of a loop."""
    while origin is not None and origin[0] == "item":
        holder = origin[1]
        origin = holder.origin if isinstance(holder, Unknown) else None
    return origin is not None and origin[0] in ("parameter", "element")


def within(value: Value) -> Callable[[Value], bool | None]:
    """For ``connection``: whether a leaf is ``value`` or something that it is computed from."""
    parts = frozenset(
        part for part in walk(value) if not isinstance(part, (Const, Symbol)) and part != Unknown()
    )

    def is_source(leaf: Value) -> bool | None:
        return True if leaf in parts else None if leaf == Unknown() else False

    return is_source
