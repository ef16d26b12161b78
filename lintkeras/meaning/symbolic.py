"""Symbolic tensors of Keras: what ``keras.Input`` gives, and layers and ``keras.ops`` make of it."""

from __future__ import annotations

from lintkeras.meaning.kinds import class_of, is_model
from lintkeras.meaning.values import (
    Class,
    Computed,
    Either,
    Instance,
    Items,
    Member,
    Sequence,
    Symbol,
    Unknown,
    Value,
)

_OPERATORS = frozenset({
    "Add", "Subtract", "Multiply", "Divide", "FloorDivide", "Modulo", "Power", "MatrixMultiply",
    "Minus", "BitInvert", "LessThan", "LessThanEqual", "GreaterThan", "GreaterThanEqual",
    "Subscript",
})  # fmt: skip
"""The operators that KerasTensors have; ``==`` compares objects."""
_NO_TENSORS = frozenset({
    "shape", "ndim", "is_tensor", "is_keras_tensor", "dtype", "convert_to_numpy", "int_shape",
    "standardize_dtype", "get_value", "count_params",
})  # fmt: skip
"""Functions that give something else for a tensor."""
_LIBRARIES = (
    "keras.ops.", "keras.activations.", "keras.layers.", "keras.backend.", "keras.applications.",
    "tf.", "numpy.",
)  # fmt: skip
_OF_MODELS = frozenset({"input", "output", "inputs", "outputs"})


def symbolic_source(value: Value) -> Symbol | None:
    """The class that a symbolic tensor goes back to: ``keras.Input`` or a model; else None.

    Of a list or tuple, of one of its members. What may be something else is no symbolic tensor;
    a function of TensorFlow would have given one in Keras 2.
    """
    match value:
        case Instance(cls=Symbol() as symbol) if symbol.name == "keras.Input":
            return symbol
        case Unknown(origin=("too large", _, Symbol() as symbol)):
            return symbol
        case Either(values=values):
            found = [symbolic_source(one) for one in values]
            return found[0] if all(found) else None
        case Sequence(content=content):
            return _first([entry.value for entry in content.entries if entry.domain is None])
        case Items(items=items):
            return _first([item for _, item in items])
        case Member(of=owner, name=name) if name in _OF_MODELS:
            return _of_model(owner, name)
        case Computed(function=function, arguments=given):
            if not _gives_tensors(function):
                return None
            return _first([*given.positional, *(v for _, v in given.keywords)])
    return None


def _first(values: list[Value]) -> Symbol | None:
    return next((found for one in values if (found := symbolic_source(one)) is not None), None)


def _of_model(owner: Value, name: str) -> Symbol | None:
    """The input or output of a functional model, or of one of its layers."""
    symbol = class_of(owner)
    if symbol is None or (isinstance(owner, Instance) and isinstance(owner.cls, Class)):
        return None
    if is_model(owner):
        return symbol
    layer = symbol.name.startswith("keras.layers.") and not isinstance(owner, Instance)
    return symbol if layer and name in ("input", "output") else None


def _gives_tensors(function: Value | str) -> bool:
    match function:
        case str():
            return function in _OPERATORS
        case Instance():
            return _is_layer(function) or is_model(function)
        case Symbol() as symbol:
            name = symbol.name
            return name.startswith(_LIBRARIES) and name.rpartition(".")[2] not in _NO_TENSORS
        case Computed() | Member():
            return is_model(function)  # `load_model(...)(x)`
    return False


def _is_layer(layer: Instance) -> bool:
    if isinstance(layer.cls, Class) and not layer.cls.plain:
        return False
    return any(
        base.startswith(("keras.layers.", "keras.models.")) for base in layer.library_bases()
    )
