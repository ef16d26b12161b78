"""Of which public class of Keras a value is an object."""

from __future__ import annotations

from collections.abc import Iterator

from lintkeras.meaning.values import Class, Computed, Instance, Member, Super, Symbol, Value

_GIVES = {
    "keras.models.load_model": "models.Model",
    "keras.saving.load_model": "models.Model",
    "keras.models.clone_model": "models.Model",
    "keras.models.model_from_json": "models.Model",
    "keras.models.model_from_yaml": "models.Model",
    "keras.models.model_from_config": "models.Model",
    "keras.optimizers.get": "optimizers.Optimizer",
    "keras.optimizers.deserialize": "optimizers.Optimizer",
    "keras.layers.deserialize": "layers.Layer",
}
"""Functions whose result is an object of a class."""
_METHODS = {
    ("models.Model", "fit"): "callbacks.History",
    ("models.Model", "fit_generator"): "callbacks.History",
    ("models.Model", "get_layer"): "layers.Layer",
}
_ATTRIBUTES = {("models.Model", "optimizer"): "optimizers.Optimizer"}
_MODELS = frozenset({"keras.models.Model", "keras.models.Sequential"})
_ROOTS = ("tensorflow.compat.v2.keras", "tensorflow.compat.v1.keras", "tensorflow.keras",
          "tensorflow.python.keras", "tf_keras", "keras")  # fmt: skip


def class_of(value: Value) -> Symbol | None:
    """The library class that a value is an object of, by the path that the program reached it by.

    Of an object of the program's own class it is the first library class that it inherits from;
    what a method of an unknown object gives is not known.
    """
    match value:
        case Instance(cls=Symbol() as symbol) if symbol.name.startswith("keras.applications."):
            return _beside(symbol, "models.Model")
        case Instance(cls=Symbol() as symbol):
            return symbol if symbol.name.startswith("keras.") else None
        case Instance(cls=Class() as cls) | Super(cls=cls):
            return next(_library(cls), None)
        case Computed(function=Symbol() as symbol):
            if symbol.name.startswith("keras.applications.") and symbol.path[-1:].isalnum():
                last = symbol.name.rpartition(".")[2]
                return _beside(symbol, "models.Model") if last[:1].isupper() else None
            given = _GIVES.get(symbol.name)
            return None if given is None else _beside(symbol, given)
        case Computed(function=Member(of=owner, name=name)):
            return _of_member(owner, name, _METHODS)
        case Member(of=owner, name=name):
            return _of_member(owner, name, _ATTRIBUTES)
    return None


def is_model(value: Value) -> bool:
    """Whether a value is a model of Keras, or of a class that inherits from one."""
    symbol = class_of(value)
    if isinstance(value, Instance):
        return any(base in _MODELS for base in value.library_bases())
    return symbol is not None and symbol.name in _MODELS


def _library(cls: Class) -> Iterator[Symbol]:
    for base in cls.lineage:
        if isinstance(base, Symbol) and base.name.startswith("keras."):
            yield base


def _of_member(owner: Value, name: str, table: dict[tuple[str, str], str]) -> Symbol | None:
    symbol = class_of(owner)
    if symbol is None:
        return None
    kind = "models.Model" if is_model(owner) else symbol.name.removeprefix("keras.")
    given = table.get((kind, name))
    return None if given is None else _beside(symbol, given)


def _beside(symbol: Symbol, inside: str) -> Symbol:
    """A name of the same Keras that ``symbol`` comes from."""
    root = next(
        root for root in _ROOTS if symbol.path == root or symbol.path.startswith(root + ".")
    )
    return Symbol(f"{root}.{inside}")
