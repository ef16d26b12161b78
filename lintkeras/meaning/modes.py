"""Which layers compute something else in training than in inference, alone or inside a model."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from lintkeras.meaning.facts import Facts, FlaggedCall, LayerCall
from lintkeras.meaning.values import (
    UNKNOWN,
    Computed,
    Const,
    Instance,
    Member,
    Sequence,
    Symbol,
    Value,
)

Mode = Literal["noise", "statistics"]
"""What training adds: something random, or the statistics of the batch."""
_NOISE = frozenset({
    "Dropout", "SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D", "GaussianDropout",
    "AlphaDropout", "GaussianNoise",
})  # fmt: skip
_WITH_DROPOUT = frozenset({
    "LSTM", "GRU", "SimpleRNN", "MultiHeadAttention", "GroupQueryAttention", "ConvLSTM1D",
    "ConvLSTM2D", "ConvLSTM3D",
})  # fmt: skip
"""Layers that drop where an argument says so."""
_BY_FAMILY: tuple[tuple[str, tuple[Mode, ...]], ...] = (
    ("EfficientNet", ("statistics", "noise")),
    *((family, ("statistics",)) for family in (
        "DenseNet", "Inception", "MobileNet", "NASNet", "ResNet", "Xception",
    )),
)  # fmt: skip
"""What ``keras.applications.*(include_top=False)`` are made of (the others mind nothing)."""


@dataclass(frozen=True, slots=True)
class Minding:
    """A layer (or a model of ``keras.applications``) that minds the flag, and how."""

    layer: Instance
    mode: Mode


def minding(facts: Facts, call: FlaggedCall) -> tuple[Minding, ...] | None:
    """What of a layer or model minds the flag of this call; None where that is not known."""
    return _minding(facts, call.layer, call)


def _minding(facts: Facts, layer: Instance, call: FlaggedCall) -> tuple[Minding, ...] | None:
    if not isinstance(layer.cls, Symbol):
        return None
    module, _, name = layer.class_name.rpartition(".")
    if ".applications" in f".{module}":
        modes = next((m for family, m in _BY_FAMILY if name.startswith(family)), ())
        return tuple(Minding(layer, mode) for mode in modes)
    if module == "keras.layers":
        return tuple(Minding(layer, mode) for mode in _of_layer(name, layer))
    if module == "keras.models":
        return _inside(facts, layer, call)
    return None


def _of_layer(name: str, layer: Instance) -> Iterator[Mode]:
    given = layer.arguments
    if not given.complete:
        return
    if name in _NOISE and not _is_zero(given.get("rate", 0) or given.get("stddev", 0)):
        yield "noise"
    if name in _WITH_DROPOUT and not all(
        _is_zero(given.get(part, None) or Const(0)) for part in ("dropout", "recurrent_dropout")
    ):
        yield "noise"
    if name == "BatchNormalization":
        yield "statistics"
    if name == "Bidirectional":
        inner = given.get("layer", 0)
        if isinstance(inner, Instance) and inner.class_name.startswith("keras.layers."):
            yield from _of_layer(inner.class_name.rpartition(".")[2], inner)


def _is_zero(value: Value | None) -> bool:
    return isinstance(value, Const) and value.value in (0, 0.0)


def _inside(facts: Facts, model: Instance, call: FlaggedCall) -> tuple[Minding, ...] | None:
    """The layers of a Sequential or functional model, as far as they can be followed."""
    outputs = [
        one.output for one in facts.all(LayerCall) if one.node is call.node and one.layer == model
    ]
    if not outputs:
        return None
    found: dict[Minding, None] = {}
    for part in _computed(outputs[0], call.inputs):
        layer = part.function
        if isinstance(layer, Instance) and layer != model:
            inner = _minding(facts, layer, call) if isinstance(layer.cls, Symbol) else ()
            found.update(dict.fromkeys(inner or ()))
    return tuple(found)


def _computed(value: Value, start: Value) -> Iterator[Computed]:
    """The terms that a value is computed from, down to ``start``."""
    stack, seen = [value], set[Value]()
    while stack:
        part = stack.pop()
        if part in seen or (part == start and part != UNKNOWN):
            continue
        seen.add(part)
        match part:
            case Computed():
                yield part
                stack += [*part.arguments.positional, *(v for _, v in part.arguments.keywords)]
            case Sequence(content=content):
                stack += [entry.value for entry in content.entries]
            case Member(of=of):
                stack.append(of)
