"""Layers and models: what they are made of, what calling them means."""

from __future__ import annotations

from typing import TYPE_CHECKING

import libcst as cst

from lintkeras.meaning.facts import ActivationUse, ModelSaved
from lintkeras.meaning.library.calling import argument_node, unwrapped
from lintkeras.meaning.operators import term
from lintkeras.meaning.values import (
    NONE,
    OPAQUE,
    UNKNOWN,
    Arguments,
    Class,
    Computed,
    Content,
    CustomGradient,
    Entry,
    Instance,
    List,
    Member,
    Sequence,
    Symbol,
    Value,
    Weight,
    alternatives,
)

if TYPE_CHECKING:
    from lintkeras.meaning.interpreter import Interpreter

_MODELS = frozenset({"keras.models.Model", "keras.models.Sequential"})


def construct(run: Interpreter, symbol: Symbol, arguments: Arguments, node: cst.Call) -> Value:
    """An instance of a library class."""
    result = Instance(symbol, run.identity(node), arguments, node)
    name = symbol.name
    if name in _MODELS:
        layers = arguments.get("layers", 0) if name.endswith("Sequential") else None
        run.state.cells[(result, "layers ")] = (
            run.content(layers) if layers is not None else Content()
        )
    if name.startswith("keras.layers."):
        _note_activation(run, result)
    return result


def _note_activation(run: Interpreter, layer: Instance) -> None:
    """Record a custom_gradient object that becomes a layer's activation."""
    position = {"Activation": 0, "Dense": 1}.get(layer.class_name.rpartition(".")[2])
    value = layer.arguments.get("activation", position)
    if isinstance(value, CustomGradient) and layer.node is not None:
        argument = argument_node(layer.node, "activation", position)
        if argument is not None:
            fact = ActivationUse(argument.value, value, layer)
            run.facts.note(fact)


def instance_method(
    run: Interpreter, owner: Instance, name: str, arguments: Arguments, node: cst.Call
) -> Value | None:
    """Methods of Keras models, layers and optimizers; None where nothing special is known."""
    match name:
        case "compile":
            optimizer = arguments.get("optimizer", 0)
            if optimizer is not None:
                run.state.cells[(owner, "optimizer")] = optimizer
            return NONE
        case "fit" | "train_on_batch":
            run.escape(arguments)
            step = run.find_method(owner, "train_step")
            if step is not None:
                run.enter(step, Arguments((owner, UNKNOWN)), node)
            return UNKNOWN
        case "add":
            layers = run.state.find((owner, "layers "))
            layer = arguments.get("layer", 0)
            if isinstance(layers, Content) and layer is not None:
                entry = Entry(layer) if not run.in_branch_or_loop() else OPAQUE.entries[0]
                run.state.cells[(owner, "layers ")] = Content((*layers.entries, entry))
            return NONE
        case "save":
            run.facts.note(ModelSaved(node))
            return NONE
        case "add_weight" | "add_variable":
            return Weight(owner, "add_weight")
        case "build":
            return NONE
    return None


def call_layer(run: Interpreter, layer: Instance, arguments: Arguments, node: cst.Call) -> Value:
    """``layer(x)``: a term that remembers layer and inputs."""
    return term(layer, unwrapped(run, arguments), node)


def layers_behind(run: Interpreter, variables: Content) -> tuple[tuple[Instance, ...], bool]:
    """The layers whose variables are trained, and whether these are all."""
    layers: list[Instance] = []
    complete = True
    for entry in variables.entries:
        for value in alternatives(entry.value):
            if isinstance(value, Weight):
                complete = _collect_layers(run, value.owner, layers, 0) and complete
            else:
                complete = False
    return tuple(dict.fromkeys(layers)), complete and bool(layers)


def _collect_layers(run: Interpreter, owner: Value, layers: list[Instance], depth: int) -> bool:
    """Add the layers inside ``owner``; false where some may be missing."""
    if depth > 6:
        return False
    match owner:
        case Sequence() | List():
            results = [
                _collect_layers(run, e.value, layers, depth + 1) and e.domain is None
                for e in run.content(owner).entries
            ]
            return all(results)
        case Member(of=of):
            return _collect_layers(run, of, layers, depth + 1)
        case Instance(cls=Class()):
            known = True
            for _, value in list(run.attributes_of(owner)):
                if isinstance(value, (Instance, List, Sequence)):
                    known = _collect_layers(run, value, layers, depth + 1) and known
            return known
        case Instance() if owner.class_name == "keras.models.Sequential":
            content = run.state.find((owner, "layers "))
            entries = content.entries if isinstance(content, Content) else OPAQUE.entries
            results = [
                _collect_layers(run, e.value, layers, depth + 1) and e.domain is None
                for e in entries
            ]
            return all(results)
        case Instance() if owner.class_name == "keras.models.Model":
            outputs = owner.arguments.get("outputs", 1)
            return outputs is not None and _collect_layers(run, outputs, layers, depth + 1)
        case Computed(function=Instance() as layer, arguments=arguments):
            known = _collect_layers(run, layer, layers, depth + 1)
            inputs = [
                _collect_layers(run, value, layers, depth + 1) for value in arguments.positional
            ]
            return known and all(inputs)
        case Instance() if owner.class_name.startswith("keras.layers."):
            if owner.class_name not in ("keras.layers.Input", "keras.layers.InputLayer"):
                layers.append(owner)
            return True
        case Computed(function=Symbol() as symbol) if symbol.name in ("keras.Input",):
            return True
        case Instance() if owner.class_name == "keras.Input":
            return True
    return False
