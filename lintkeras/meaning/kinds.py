"""Of which public class of Keras a value is an object."""

from __future__ import annotations

from collections.abc import Iterator

from lintkeras.meaning.values import (
    Class,
    Computed,
    Instance,
    Member,
    Super,
    Symbol,
    Unknown,
    Value,
    Weight,
    alternatives,
)

_GIVES = {
    "keras.models.load_model": "models.Model",
    "keras.saving.load_model": "models.Model",
    "keras.models.clone_model": "models.Model",
    "keras.models.model_from_json": "models.Model",
    "keras.models.model_from_yaml": "models.Model",
    "keras.models.model_from_config": "models.Model",
    "keras.utils.multi_gpu_model": "models.Model",
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
_ATTRIBUTES = {
    ("models.Model", "history"): "callbacks.History",
    ("models.Model", "optimizer"): "optimizers.Optimizer",
    ("callbacks.Callback", "model"): "models.Model",
    ("layers.Layer", "layer"): "layers.Layer",
}
_ITEMS = {("models.Model", "layers"): "layers.Layer"}
"""Attributes that hold several objects of one class."""
_GENERAL = {
    "models": ("models.Model", "layers.Layer"),
    "applications": ("models.Model", "layers.Layer"),
    "layers": ("layers.Layer",),
    "optimizers": ("optimizers.Optimizer",),
    "metrics": ("metrics.Metric",),
    "callbacks": ("callbacks.Callback",),
}
"""By module: the base classes of all classes in it, nearest first."""
_MODELS = frozenset({"keras.models.Model", "keras.models.Sequential"})
_LOSS_SCALE = "keras.mixed_precision.LossScaleOptimizer"
_ROOTS = ("tensorflow.compat.v2.keras", "tensorflow.compat.v1.keras", "tensorflow.keras",
          "tensorflow.python.keras", "tf_keras", "keras")  # fmt: skip


def class_of(value: Value) -> Symbol | None:
    """The library class that a value is an object of, by the path that the program reached it by.

    Of an object of the program's own class it is the first library class that it inherits from;
    of what a function or an attribute gives, the class that all such objects have in common. What
    a method of an unknown object gives is not known.
    """
    match value:
        case Instance(cls=Symbol() as symbol) if symbol.name.startswith("keras.applications."):
            return beside(symbol, "models.Model")
        case Instance(cls=Symbol() as symbol):
            return symbol if symbol.name.startswith("keras.") else None
        case Instance(cls=Class() as cls) | Super(cls=cls):
            return next(_library(cls), None)
        case Computed(function=Symbol() as symbol):
            if symbol.name.startswith("keras.applications.") and symbol.path[-1:].isalnum():
                last = symbol.name.rpartition(".")[2]
                return beside(symbol, "models.Model") if last[:1].isupper() else None
            given = _GIVES.get(symbol.name)
            return None if given is None else beside(symbol, given)
        case Computed(function=Member(of=owner, name=name)):
            return _of_member(owner, name, _METHODS)
        case Member(of=owner, name=name):
            return _of_member(owner, name, _ATTRIBUTES)
        case Weight(owner=Member(of=owner, name=name), attribute="item"):
            return _of_member(owner, name, _ITEMS)
        case Unknown(origin=("item", Member(of=owner, name=name), *_)):
            return _of_member(owner, name, _ITEMS)
    return None


def classes_of(value: Value) -> list[Symbol]:
    """The class of each thing that a value may be; empty where one of them is not known."""
    found = [class_of(one) for one in alternatives(value)]
    return [] if None in found else [one for one in found if one is not None]


def general(symbol: Symbol) -> tuple[str, ...]:
    """The public bases that all classes of its module have (``layers.Layer``), nearest first."""
    if symbol.name == _LOSS_SCALE:
        return _GENERAL["optimizers"]
    if symbol.name.startswith("keras."):
        module, _, last = symbol.name.removeprefix("keras.").partition(".")
        if last[:1].isupper():
            return _GENERAL.get(module, ())
    return ()


def is_model(value: Value) -> bool:
    """Whether a value is a model of Keras, or of a class that inherits from one."""
    symbol = class_of(value)
    if isinstance(value, Instance) and isinstance(value.cls, Class):
        return any(base in _MODELS for base in value.library_bases())
    return symbol is not None and symbol.name in _MODELS


def _library(cls: Class) -> Iterator[Symbol]:
    for base in cls.lineage:
        if isinstance(base, Symbol) and base.name.startswith("keras."):
            yield base


def _of_member(owner: Value, name: str, table: dict[tuple[str, str], str]) -> Symbol | None:
    """What a member of a library object gives, by the class of its owner or a base of that."""
    symbol = class_of(owner)
    if symbol is None:
        return None
    kinds = general(symbol)
    if is_model(owner):
        kinds = _GENERAL["models"]
    found = next((table[kind, name] for kind in kinds if (kind, name) in table), None)
    return None if found is None else beside(symbol, found)


def is_sequential(value: Instance) -> bool:
    """Whether an object is a Sequential model, or of a class that inherits from that."""
    return "keras.models.Sequential" in value.library_bases()


def beside(symbol: Symbol, inside: str) -> Symbol:
    """A name of the same Keras that ``symbol`` comes from."""
    inside_of = (r for r in _ROOTS if symbol.path == r or symbol.path.startswith(r + "."))
    root = next(inside_of, "tensorflow.keras")  # ``tf.optimizers.Adam``
    return Symbol(f"{root}.{inside}")
