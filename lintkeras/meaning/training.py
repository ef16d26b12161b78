"""What of a model can be trained: weights and layers whose gradient is cut on every way.

``Dense(4)`` below a layer that rounds gets no gradient, whatever lies above. The question is asked of
what a model of layers computes, and of what the ``call`` of a class of the program returns.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache

import libcst as cst

from lintkeras.meaning.differentiation import Connection, Cut, connection
from lintkeras.meaning.facts import Facts, FunctionSummary, LayerClass, ModelTrained, OptimizerStep
from lintkeras.meaning.nests import library_name
from lintkeras.meaning.values import (
    Class,
    Computed,
    Const,
    CustomGradient,
    Function,
    Instance,
    Symbol,
    Unknown,
    Value,
    Weight,
    walk,
)
from lintkeras.syntax.tree import nodes

_FLAT = frozenset({"none", "zero"})
_ABOUT = frozenset({"shape", "size", "rank", "zeros_like", "ones_like"})
"""These look at the form of a tensor, not at its values."""
_PYTHON = frozenset({"FloorDivide", "Is", "IsNot", "In", "NotIn", "Not"})
"""These are rather done to Python's own values."""
LAYERS_WITH_WEIGHTS = frozenset({
    "Dense", "EinsumDense", "Embedding", "Conv1D", "Conv2D", "Conv3D", "Conv1DTranspose",
    "Conv2DTranspose", "Conv3DTranspose", "DepthwiseConv1D", "DepthwiseConv2D", "SeparableConv1D",
    "SeparableConv2D", "LSTM", "GRU", "SimpleRNN", "ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D",
    "BatchNormalization", "LayerNormalization", "GroupNormalization", "PReLU",
    "MultiHeadAttention",
})  # fmt: skip
"""The layers that have trainable weights whatever their arguments, but ``trainable``, are."""


VARIABLE_CLASSES = {"tf.Variable": 1, "keras.Variable": 3}
"""Classes of variables, with the position of their argument ``trainable``."""


def adds_losses(modules: Iterable[cst.Module]) -> bool:
    """Whether a program adds losses besides that of the outputs (``add_loss``)."""
    return _mentions(modules, "add_loss")


def overrides_gradients(modules: Iterable[cst.Module]) -> bool:
    """Whether a program gives operations other gradients (``gradient_override_map`` of TF 1)."""
    return _mentions(modules, "gradient_override_map")


def _mentions(modules: Iterable[cst.Module], attribute: str) -> bool:
    return any(attribute in _attributes(module) for module in modules)


@lru_cache(maxsize=64)
def _attributes(module: cst.Module) -> frozenset[str]:
    """The names of all attributes in a module."""
    return frozenset(n.attr.value for n in nodes(module) if isinstance(n, cst.Attribute))


def is_forward(function: Function, families: tuple[str, ...]) -> bool:
    """Whether it is the ``call`` of a class that inherits from one of Keras' families."""
    return (
        function.cls is not None
        and function.name in ("call", "__call__")
        and any(
            isinstance(base, Symbol) and base.name.startswith(families)
            for base in function.cls.lineage
        )
    )


def freezes(modules: Iterable[cst.Module]) -> bool:
    """Whether a program decides somewhere what is trainable (``layer.trainable = ...``)."""
    return any(
        isinstance(node, cst.AssignTarget)
        and isinstance(node.target, cst.Attribute)
        and node.target.attr.value == "trainable"
        for module in modules
        for node in nodes(module)
    )


@dataclass(frozen=True, slots=True)
class Untrained:
    """A weight or a layer that no gradient reaches, and the operation that cuts it off."""

    source: Weight | Instance
    cut: Cut


@dataclass(frozen=True)
class Layers:
    """The layer classes of a program, and which of its layers let gradients pass."""

    facts: Facts
    _flat: dict[Value, Cut | None] = field(default_factory=dict)

    def class_of(self, layer: Instance) -> LayerClass | None:
        """The class of the program that an object belongs to."""
        return next((c for c in self.facts.all(LayerClass) if c.cls == layer.cls), None)

    def is_trainable(self, value: Value) -> bool:
        """Whether a weight, or a layer with weights, is certainly one that training is to change."""
        match value:
            case Weight(attribute="add_weight", trainable=trainable, made_by=made):
                return trainable is True and not _is_regularized(made)
            case Instance(cls=Symbol(), arguments=arguments) if (
                value.class_name in VARIABLE_CLASSES
            ):
                given = arguments.get("trainable", VARIABLE_CLASSES[value.class_name])
                return given in (None, Const(True))
            case Instance(cls=Symbol(), arguments=arguments, node=made):
                family, _, name = value.class_name.rpartition(".")
                usual = all(arguments.get(part) is None for part in ("center", "scale"))
                known = usual and arguments.get("trainable") in (None, Const(True))
                is_layer = family == "keras.layers" and name in LAYERS_WITH_WEIGHTS
                return is_layer and known and not _is_regularized(made)
            case Instance(cls=Class()):
                own = self.class_of(value)
                held = [v for _, v in own.attributes] if own is not None else []
                return any(isinstance(v, Weight) and self.is_trainable(v) for v in held)
        return False

    def flat(self, layer: Value) -> Cut | None:
        """The operation by which nothing passes from what a layer computes to what it is given."""
        if layer not in self._flat:
            self._flat[layer] = self._find_flat(layer)
        return self._flat[layer]

    def _find_flat(self, layer: Value) -> Cut | None:
        match layer:
            case Instance(cls=Class() as cls):
                for ancestor in cls.lineage:
                    for one in self.facts.all(LayerClass):
                        if one.cls == ancestor and one.call is not None:
                            call = one.plain_call
                            return _flat_function(call) if call is not None else None
            case Instance(cls=Symbol()) if layer.arguments.complete:
                name = layer.class_name.rpartition(".")[2]
                position = {"Activation": 0, "Dense": 1}.get(name)
                keyword = "function" if name == "Lambda" else "activation"
                given = layer.arguments.get(keyword, 0 if name == "Lambda" else position)
                if isinstance(given, Function):
                    summary = self.facts.summaries.get(given.node)
                    return _flat_function(summary) if summary is not None else None
        return None

    def untrained(self, results: tuple[Value, ...]) -> Iterator[Untrained]:
        """What all results depend on without a gradient, once for each operation in the way."""
        found = dict.fromkeys(p for result in results for p in walk(result) if self.is_trainable(p))
        for source in found:
            assert isinstance(source, (Weight, Instance))
            for cut in self._cut_off(source, results):
                yield Untrained(source, cut)

    def way(self, value: Value, is_source: Callable[[Value], bool | None]) -> Connection:
        """``connection``, with layers in which nothing passes as what cuts a way."""

        def passes(term: Computed) -> bool:
            return not isinstance(term.function, Instance) or self.flat(term.function) is None

        way = connection(value, is_source, passes)
        cuts = dict.fromkeys(
            (self.flat(cut.at.function) or cut)
            if cut.reason == "outside" and isinstance(cut.at.function, Instance)
            else cut
            for cut in way.cuts
        )
        return Connection(way.reaches, tuple(cuts))

    def is_read_elsewhere(
        self, modules: Iterable[cst.Module], layer: LayerClass, name: str
    ) -> bool:
        """Whether an attribute of a layer is read outside of ``call``, or may be.

        A weight may be trained by what another method or class makes of it.
        """
        known = {f.node for f in map(layer.method, ("__init__", "build")) if f is not None}
        if layer.call is not None:
            known.add(layer.call.node)
        inside = {id(node) for function in known for node in nodes(function)}
        related = [c.cls for c in self.facts.all(LayerClass) if layer.cls in c.cls.lineage]
        family = {c.node for cls in related for c in cls.lineage if isinstance(c, Class)}
        for module in modules:
            others = {id(node) for node in _of_other_objects(module, family)}
            for node in nodes(module):
                if isinstance(node, cst.Attribute) and node.attr.value == name:
                    if id(node) not in inside and id(node) not in others:
                        return True
        return False

    def _cut_off(self, source: Weight | Instance, results: tuple[Value, ...]) -> tuple[Cut, ...]:
        """The operations without a gradient by which every way to ``source`` ends."""
        ways = [self.way(result, is_it(source)) for result in results]
        cuts = dict.fromkeys(cut for way in ways for cut in way.cuts)
        cut_off = all(way.reaches is False for way in ways) and all(map(is_flat, cuts))
        return tuple(cuts) if cut_off else ()


def _is_regularized(call: cst.Call | None) -> bool:
    """Whether a penalty gives a weight a gradient of its own."""
    return call is None or any(
        argument.keyword is not None and argument.keyword.value.endswith("regularizer")
        for argument in call.args
    )


def _flat_function(summary: FunctionSummary) -> Cut | None:
    """The operation that cuts every way from the results of a function to its parameters."""
    values = frozenset(value for _, value in summary.parameters if isinstance(value, Unknown))

    def is_parameter(leaf: Value) -> bool | None:
        return leaf in values if leaf != Unknown() else None

    ways = [connection(result, is_parameter) for result in summary.results]
    return flat_cut(ways)


def flat_cut(ways: list[Connection]) -> Cut | None:
    """The first operation without a gradient, where all ways are cut by such operations."""
    cuts = [cut for way in ways for cut in way.cuts]
    if not cuts or any(way.reaches is not False for way in ways):
        return None
    return cuts[0] if all(is_flat(cut) for cut in cuts) else None


def is_flat(cut: Cut) -> bool:
    """Whether an operation on the values of a tensor has the derivative 0 (or none)."""
    function = cut.at.function
    return cut.reason in _FLAT and library_name(function) not in _ABOUT and function not in _PYTHON


def _of_other_objects(module: cst.Module, family: set[cst.ClassDef]) -> Iterator[cst.Attribute]:
    """The attributes that methods of unrelated classes read of their own object."""
    for cls in nodes(module):
        if isinstance(cls, cst.ClassDef) and cls not in family:
            for method in cls.body.body:
                if isinstance(method, cst.FunctionDef) and method.params.params:
                    own = method.params.params[0].name.value
                    for node in nodes(method):
                        match node:
                            case cst.Attribute(value=cst.Name(value=name)) if name == own:
                                yield node


def is_it(source: Value) -> Callable[[Value], bool | None]:
    """For ``connection``: whether a leaf is ``source``; an object of unknown content may hold it."""

    def is_source(leaf: Value) -> bool | None:
        if leaf == source:
            return True
        match leaf:
            case Unknown(origin=None) | CustomGradient():
                return None
            case Instance():
                given = (*leaf.arguments.positional, *(v for _, v in leaf.arguments.keywords))
                numbers = all(isinstance(value, (Const, Symbol)) for value in given)
                is_layer = leaf.class_name.startswith("keras.layers.")
                return False if is_layer or (numbers and leaf.arguments.complete) else None
        return False

    return is_source


def trained_models(facts: Facts) -> frozenset[Value]:
    """The models that the program trains: by ``fit`` and the like, or by steps of an optimizer."""
    found = {trained.model for trained in facts.all(ModelTrained)}
    for step in facts.all(OptimizerStep):
        for entry in step.variables.entries:
            if isinstance(entry.value, Weight):
                found.add(entry.value.owner)
    return frozenset(found)
