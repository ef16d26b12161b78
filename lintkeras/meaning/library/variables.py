"""Which variables layers and models hold: of which layers, in which order, how many."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from lintkeras.meaning.facts import Held, Holding, Holdings
from lintkeras.meaning.objects import CHANGED
from lintkeras.meaning.state import State
from lintkeras.meaning.values import (
    OPAQUE,
    Class,
    Computed,
    Const,
    Content,
    Dict,
    Function,
    Instance,
    Items,
    List,
    Member,
    Method,
    Sequence,
    Symbol,
    Value,
    Weight,
    alternatives,
    gradients_in,
)

if TYPE_CHECKING:
    from lintkeras.meaning.interpreter import Interpreter

_DEEPEST_MODEL = 40
_MODELS = frozenset({"keras.models.Model", "keras.models.Sequential"})
# Trainable variables of the layers of Keras: always, and for each flag that is on by default.
_TRAINABLE: dict[str, tuple[int, tuple[str, ...]]] = {
    "Dense": (1, ("use_bias",)),
    "Embedding": (1, ()),
    "PReLU": (1, ()),
    **{f"{kind}{n}D{suffix}": (1, ("use_bias",))
       for kind, suffix in (("Conv", ""), ("Conv", "Transpose"), ("DepthwiseConv", ""))
       for n in (1, 2, 3)},
    "SeparableConv1D": (2, ("use_bias",)),
    "SeparableConv2D": (2, ("use_bias",)),
    "SimpleRNN": (2, ("use_bias",)),
    "LSTM": (2, ("use_bias",)),
    "GRU": (2, ("use_bias",)),
    "BatchNormalization": (0, ("scale", "center")),
    "LayerNormalization": (0, ("scale", "center")),
    "GroupNormalization": (0, ("scale", "center")),
}  # fmt: skip
# Variables that are not trained. Layers with a source of random numbers have a seed in Keras 3.
_OTHERS = {"BatchNormalization": 2}
_WITH_SEED = ("Dropout", "Noise", "LSTM", "GRU", "SimpleRNN", "Random")
# Where these stand among the positional arguments.
_POSITIONS = {("Dense", "use_bias"): 2, ("BatchNormalization", "center"): 3,
              ("BatchNormalization", "scale"): 4}  # fmt: skip
_WITHOUT = frozenset({
    "Activation", "ELU", "LeakyReLU", "ReLU", "Softmax", "ThresholdedReLU",
    "Flatten", "Reshape", "Permute", "RepeatVector", "Masking", "Rescaling", "InputLayer",
    "Add", "Average", "Concatenate", "Dot", "Maximum", "Minimum", "Multiply", "Subtract",
    "Dropout", "AlphaDropout", "GaussianDropout", "GaussianNoise", "ActivityRegularization",
    "SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D",
    *(f"{kind}{n}D" for n in (1, 2, 3) for kind in (
        "AveragePooling", "Cropping", "GlobalAveragePooling", "GlobalMaxPooling", "MaxPool",
        "MaxPooling", "UpSampling", "ZeroPadding")),
})  # fmt: skip
_WITHOUT_LAYERS = (
    "keras.optimizers.", "keras.losses.", "keras.metrics.", "keras.initializers.",
    "keras.regularizers.", "keras.constraints.", "keras.callbacks.", "keras.Input",
    "keras.layers.InputLayer",
)  # fmt: skip


def holdings(run: Interpreter, *contents: Content) -> Holdings:
    """What each owner of a variable in these lists holds (gradients: of their sources)."""
    owners: dict[Value, None] = {}
    for content in contents:
        for entry in content.entries:
            for value in alternatives(entry.value):
                for part in (value, *(g.source for g in gradients_in(value))):
                    if isinstance(part, Weight):
                        owners[part.owner] = None
    return Holdings(tuple((owner, holding(run, owner)) for owner in owners))


def holding(run: Interpreter, owner: Value) -> Holding:
    """The layers whose variables an object holds."""
    layers: dict[Instance, Held] = {}
    complete = _collect(run, owner, layers, 0) and isinstance(owner, Instance)
    return Holding(tuple(layers.values()), complete, complete and _in_order(run, owner))


def layers_behind(run: Interpreter, variables: Content) -> tuple[tuple[Instance, ...], bool]:
    """The layers of Keras whose variables are trained, inputs first, and whether these are all."""
    layers: dict[Instance, Held] = {}
    complete = True
    for entry in variables.entries:
        for value in alternatives(entry.value):
            known = isinstance(value, Weight) and _collect(run, value.owner, layers, 0)
            complete = complete and known
    found = tuple(layer for layer in layers if isinstance(layer.cls, Symbol))
    return found, complete and len(found) == len(layers) > 0


def _collect(run: Interpreter, owner: Value, layers: dict[Instance, Held], depth: int) -> bool:
    """Add the layers of ``owner`` in the order of their variables; false where some may lack."""
    if depth > _DEEPEST_MODEL:
        return False

    def collect(values: Iterable[Value]) -> bool:
        known = [_collect(run, value, layers, depth + 1) for value in values]
        return all(known)

    match owner:
        case Const() | Function() | Method() | Symbol() | Class():
            return True
        case Sequence() | List():
            entries = run.content(owner).entries
            single = all(entry.domain is None and not entry.tests for entry in entries)
            return collect(entry.value for entry in entries) and single
        case Dict() | Items():
            held = run.items(owner)
            return collect(value for _, value in held.items) and held.complete
        case Member(of=of):
            return collect([of])
        case Weight(owner=of):
            return of in layers
        case Computed(function=Instance() | str() | Symbol() as function, arguments=arguments):
            if isinstance(function, Symbol) and not _gives_no_layer(function):
                return False
            given = [*arguments.positional, *(value for _, value in arguments.keywords)]
            return collect([*given, function] if isinstance(function, Instance) else given)
        case Instance(cls=Class() as cls):
            own = _collect_own(run, owner, layers)
            return collect(_parts(run, owner)) and own and cls.plain
        case Instance() if owner.class_name in _MODELS:
            before = set(layers)
            complete = collect(_parts(run, owner))
            if not _is_unchanged(run, owner):  # its layers may be frozen
                for layer in layers.keys() - before:
                    layers[layer] = Held(layer, None, None)
            return complete
        case Instance() if owner.class_name.startswith(_WITHOUT_LAYERS):
            return True
        case Instance() if owner.class_name.startswith("keras.layers."):
            layers[owner] = _held(run, owner)
            return True
    return False


def _gives_no_layer(function: Symbol) -> bool:
    """Whether what a function returns is a tensor, a number, a string: no layer and no model."""
    package, _, rest = function.name.partition(".")
    if package == "keras":
        return rest.startswith(("ops.", "backend.", "random.", "activations.", "utils."))
    return package in ("tf", "numpy", "math", "builtins") and not rest.startswith("saved_model.")


def _parts(run: Interpreter, owner: Instance) -> Iterator[Value]:
    """What a model is made of."""
    if isinstance(owner.cls, Class):
        for _, value in run.attributes_of(owner):
            if not (isinstance(value, Weight) and value.owner == owner):
                yield value
    elif owner.class_name == "keras.models.Sequential":
        content = run.state.find((owner, "layers "))
        yield Sequence("list", content if isinstance(content, Content) else OPAQUE)
    else:
        outputs = owner.arguments.get("outputs", 1)
        yield Member(owner, "outputs") if outputs is None else outputs


def _collect_own(run: Interpreter, owner: Instance, layers: dict[Instance, Held]) -> bool:
    """Add a layer of the program for the weights that it made itself."""
    values = {value for _, value in run.attributes_of(owner) if isinstance(value, Weight)}
    own = [weight for weight in values if weight.owner == owner]
    if own:
        known = all(weight.trainable is not None for weight in own)
        trained = sum(weight.trainable is True for weight in own)
        others = len(own) - trained
        layers[owner] = Held(owner, trained if known else None, others if known else None)
    return all(weight.attribute == "add_weight" for weight in own)


def _in_order(run: Interpreter, owner: Value) -> bool:
    """Whether the layers come in the order of the variables: not where branches of a model meet."""
    match owner:
        case Instance() if owner.class_name == "keras.models.Model":
            value = owner.arguments.get("outputs", 1)
            while isinstance(value, Computed) and len(value.arguments.positional) == 1:
                value = value.arguments.positional[0]
            return isinstance(value, Instance)
    return True


def _is_unchanged(run: Interpreter, layer: Instance) -> bool:
    changed = run.state.find((layer, CHANGED))
    return changed is State.MISSING


def _held(run: Interpreter, layer: Instance) -> Held:
    """A layer of Keras with the number of its variables."""
    name = layer.class_name.rpartition(".")[2]
    always, flags = _TRAINABLE.get(name, (0, ()))
    if name not in _TRAINABLE and name not in _WITHOUT:
        return Held(layer, None, None)
    if not layer.arguments.complete or not _is_unchanged(run, layer):
        return Held(layer, None, None)
    if layer.arguments.get("trainable") not in (None, Const(True)):
        return Held(layer, None, None)
    count: int | None = always
    for flag in flags:
        given = layer.arguments.get(flag, _POSITIONS.get((name, flag)))
        if given is None or given == Const(True):
            count = None if count is None else count + 1
        elif given != Const(False):
            count = None
    others = None if any(part in name for part in _WITH_SEED) else _OTHERS.get(name, 0)
    return Held(layer, count, others)
