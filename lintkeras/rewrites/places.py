"""Where the code says which activation is applied behind the variables of an optimizer step."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import libcst as cst

from lintkeras.meaning.facts import OptimizerStep
from lintkeras.meaning.library import argument_node
from lintkeras.meaning.symbols import Flavour
from lintkeras.meaning.values import (
    Computed,
    Const,
    CustomGradient,
    Function,
    Instance,
    Sequence,
    Symbol,
    Value,
    gradients_in,
)
from lintkeras.rewrites.activations import LINEAR, LOCAL_NAMES, Activation
from lintkeras.rewrites.code import Code
from lintkeras.rewrites.flow import LAYERS_OF_ACTIVATIONS, Flow, function_label
from lintkeras.rewrites.imports import keras, visible

# Where `activation` stands among the positional arguments; None: give it by keyword alone.
_ARGUMENTS: dict[str, int | None] = {
    "Dense": 1, "Activation": 0, "EinsumDense": 2, "Conv1D": 7, "Conv2D": 7, "Conv3D": 7,
    **dict.fromkeys((
        "Conv1DTranspose", "Conv2DTranspose", "Conv3DTranspose", "DepthwiseConv1D",
        "DepthwiseConv2D", "SeparableConv1D", "SeparableConv2D",
    )),
}  # fmt: skip
# In keras.activations of every version; others are reached by keras.activations.get.
_EVERYWHERE = frozenset({
    "relu", "tanh", "sigmoid", "softplus", "softsign", "elu", "selu", "gelu", "swish",
    "hard_sigmoid", "exponential", "softmax",
})  # fmt: skip
_WITHOUT_VARIABLES = frozenset({
    "Flatten", "Reshape", "Permute", "RepeatVector", "Add", "Subtract", "Multiply", "Average",
    "Maximum", "Minimum", "Concatenate", "Dot", "Rescaling", "Masking", "ActivityRegularization",
    "Identity", "Activation", "ReLU", "LeakyReLU", "ELU", "Softmax", "ThresholdedReLU",
})  # fmt: skip
_KINDS_WITHOUT_VARIABLES = (
    "Pooling", "Dropout", "Gaussian", "ZeroPadding", "Cropping", "UpSampling",
)  # fmt: skip


@dataclass(frozen=True)
class Place:
    """One place that says which activation is applied.

    ``argument``: the ``activation`` of a layer; ``layer``: a layer that is an activation;
    ``call``: a function called on a tensor.
    """

    kind: Literal["argument", "layer", "call"]
    node: cst.Call
    flavour: Flavour
    forward: Activation | None
    """None where it cannot be written down again."""
    name: str = ""
    function: Function | None = None
    """The function of the program that is the activation, if it is one."""
    argument: cst.BaseExpression | None = None
    """The expression that is given now, if any."""
    shared: bool = False
    """Whether the place stands for several layers."""
    symbolic: bool = False
    """Whether a function is called on a KerasTensor."""
    of_tensorflow: bool = False
    """Whether that function is one of TensorFlow's own."""
    hides_logits: bool = False
    """Whether Keras reads the logits behind it."""
    bent: bool = False
    """Whether something that might be an activation too reads the output."""


@dataclass(frozen=True)
class Places:
    """The places, inputs first, and whether there is just one layer and no doubt."""

    places: tuple[Place, ...]
    alone: bool


def find(code: Code, ways: list[OptimizerStep]) -> Places:
    """The places behind the variables of a step, in all ways in which it is reached."""
    flow = Flow(code)
    for step in ways:
        for entry in step.gradients.entries:
            for gradient in gradients_in(entry.value):
                flow.follow(gradient.call.target)
    layers = dict.fromkeys(layer for step in ways for layer in step.layers)
    for layer in layers:
        flow.layers.setdefault(layer)
    places: dict[cst.CSTNode, Place] = {}
    layers_of: dict[cst.CSTNode, int] = {}
    others = False
    for layer in layers:
        short = layer.class_name.rpartition(".")[2]
        after, exclusive = flow.activations_after(layer)
        own = _place_of_layer(code, flow, layer)
        following = [_place_of(code, flow, one) for one in after]
        here = [*following, *([] if _is_linear(layer) and exclusive else [own])]
        for place in here:
            if place is not None:
                places[place.node] = place
                layers_of[place.node] = layers_of.get(place.node, 0) + _has_variables(short)
        # A layer with variables that is no candidate itself, or whose activation is not in view.
        seen = short in _ARGUMENTS and any(place is not None for place in here)
        others = others or (_has_variables(short) and not seen)
    found = _named(
        code, [replace(p, shared=p.shared or layers_of[p.node] > 1) for p in places.values()]
    )
    certain = all(step.layers_complete for step in ways) and not others
    alone = certain and len(found) == 1 and not found[0].shared
    return Places(tuple(found), alone)


def _has_variables(layer: str) -> bool:
    """Whether a layer of Keras may have variables of its own."""
    return layer not in _WITHOUT_VARIABLES and not any(k in layer for k in _KINDS_WITHOUT_VARIABLES)


def _is_linear(layer: Instance) -> bool:
    """Whether a layer has an ``activation`` and none is given."""
    short = layer.class_name.rpartition(".")[2]
    given = layer.arguments.get("activation", _ARGUMENTS.get(short))
    return short in _ARGUMENTS and given in (None, Const(None), Const("linear"))


def _place_of(code: Code, flow: Flow, one: Instance | Computed) -> Place | None:
    """The place of a layer that is an activation, or of a function that is called."""
    if isinstance(one, Instance):
        return _place_of_layer(code, flow, one)
    return _place_of_call(code, flow, one)


def _place_of_layer(code: Code, flow: Flow, layer: Instance) -> Place | None:
    """Where a layer's activation is given; None for a layer that has none."""
    short = layer.class_name.rpartition(".")[2]
    node, cls = layer.node, layer.cls
    if node is None or not isinstance(cls, Symbol) or not code.program.owns(node):
        return None
    many = len({id(one) for one in flow.layers if one.node is node})
    shared = many > 1 or _repeated(code, node)
    hidden = node in flow.read_as_logits
    if short in LAYERS_OF_ACTIVATIONS:
        label = LAYERS_OF_ACTIVATIONS[short]
        plain = {name for name, _ in layer.arguments.keywords} <= {"name", "dtype"}
        known = label is not None and plain and not layer.arguments.positional
        forward = _builtin(code, label, cls.flavour, node) if known and label else None
        return Place(
            "layer", node, cls.flavour, forward, short, shared=shared, hides_logits=hidden
        )  # fmt: skip
    if short not in _ARGUMENTS:
        return None
    position = _ARGUMENTS[short]
    known = layer.arguments.complete and not (
        position is None and len(layer.arguments.positional) > 2
    )
    value = layer.arguments.get("activation", position)
    argument = argument_node(node, "activation", position)
    given = argument.value if argument is not None else None
    forward = _forward(code, value, given, cls.flavour, node) if known else None
    own = value if isinstance(value, Function) else None
    return Place(
        "argument", node, cls.flavour, forward, short, own, given, shared, hides_logits=hidden,
        bent=not flow.is_read_plainly(layer),
    )  # fmt: skip


def _place_of_call(code: Code, flow: Flow, call: Computed) -> Place | None:
    label, node, symbol = function_label(call), call.node, call.function
    if label is None or not isinstance(node, cst.Call) or not isinstance(symbol, Symbol):
        return None
    if not code.program.owns(node):
        return None
    flavour = symbol.flavour
    if flavour not in ("keras", "tf_keras"):
        flavour = next(
            (
                layer.cls.flavour
                for layer in flow.layers
                if isinstance(layer.cls, Symbol) and layer.class_name.startswith("keras.layers.")
            ),
            "tf.keras",
        )
    symbolic = _is_symbolic(call)
    forward = _forward(code, symbol, node.func, flavour, node)
    of_tensorflow = symbol.flavour == "tf"
    if symbolic and of_tensorflow and flavour == "keras" and not code.may_run_on(2):
        forward = _builtin(code, label, flavour, node)  # TensorFlow refuses a KerasTensor
    return Place(
        "call", node, flavour, forward, label, None, node.func, flow.shared(node), symbolic,
        of_tensorflow, node in flow.read_as_logits,
    )  # fmt: skip


def _is_symbolic(call: Computed) -> bool:
    """Whether a value is computed from a ``keras.Input``."""
    stack, seen = list[Value](call.arguments.positional), set[int]()
    while stack:
        one = stack.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        match one:
            case Instance() if one.class_name in ("keras.Input", "keras.layers.Input"):
                return True
            case Computed(arguments=arguments):
                stack += arguments.positional
            case Sequence(content=content):
                stack += [entry.value for entry in content.entries]
    return False


def _forward(
    code: Code, value: Value | None, node: cst.BaseExpression | None, flavour: Flavour, at: cst.Call
) -> Activation | None:
    """How generated code applies the activation that a value is."""
    match value:
        case None | Const(value=None) | Const(value="linear"):
            return LINEAR
        case Const(value=str(name)):
            return _builtin(code, name, flavour, at)
        case Computed(function=Symbol() as symbol) if symbol.name == "keras.activations.get":
            given = value.arguments.get("identifier", 0)
            return _forward(code, given, None, flavour, at) if given is not None else None
        case Symbol() if value.name == "keras.activations.linear":
            return LINEAR
        case Symbol() | Function() | CustomGradient() if node is not None:
            written = _visible(code, node, value, at)
            if written is not None:
                return Activation(written.rpartition(".")[2], written)
    match value:
        case Symbol() if value.name.startswith("keras.activations."):
            return _builtin(code, value.name.rpartition(".")[2], flavour, at)
    return None


def _builtin(code: Code, name: str, flavour: Flavour, at: cst.Call) -> Activation | None:
    if not name.isidentifier():
        return None
    reached = keras(code, flavour, code.program.top_level_statement(at)).expression
    call = f".{name}" if name in _EVERYWHERE else f'.get("{name}")'
    return Activation(name, f"{reached}.activations{call}")


def _visible(code: Code, node: cst.BaseExpression, value: Value, at: cst.Call) -> str | None:
    """A dotted name as it can be written at the module's level, where it means the same."""
    parts: list[str] = []
    root: cst.BaseExpression = node
    while isinstance(root, cst.Attribute):
        parts.append(root.attr.value)
        root = root.value
    if not isinstance(root, cst.Name) or root.value in LOCAL_NAMES:
        return None
    variable = code.names.variable(root)
    if variable is None or variable.scope is not code.names.module:
        return None
    held = code.facts.names.get(root.value)
    meant = Symbol(".".join([held.path, *reversed(parts)])) if isinstance(held, Symbol) else held
    if meant != value or (parts and not isinstance(held, Symbol)):
        return None
    if not visible(code, root.value, code.program.top_level_statement(at)):
        return None
    return ".".join([root.value, *reversed(parts)])


def _repeated(code: Code, node: cst.CSTNode) -> bool:
    """Whether a layer's call makes several layers: in a loop, or in a function called again."""
    for ancestor in code.program.ancestors(node):
        if isinstance(ancestor, (cst.For, cst.While, cst.ListComp, cst.GeneratorExp, cst.Lambda)):
            return True
        if isinstance(ancestor, cst.FunctionDef):
            return len(code.callers(ancestor)) > 1
    return False


def _named(code: Code, places: list[Place]) -> list[Place]:
    """The places, each with a name that the reader knows and no other place has."""
    found: list[Place] = []
    taken: set[str] = set()
    for place in places:
        name = first = _name(code, place)
        number = 2
        while name in taken:
            name, number = f"{first}_{number}", number + 1
        taken.add(name)
        found.append(replace(place, name=name))
    return found


def _name(code: Code, place: Place) -> str:
    """The variable or attribute that holds the layer, its own name, else that of its class."""
    match code.program.parent(place.node):
        case cst.Assign(targets=[cst.AssignTarget(target=target)]) | cst.AnnAssign(target=target):
            if place.kind != "call" and isinstance(target, (cst.Name, cst.Attribute)):
                return target.value if isinstance(target, cst.Name) else target.attr.value
    named = argument_node(place.node, "name", None)
    if named is not None and isinstance(named.value, cst.SimpleString):
        text = named.value.evaluated_value
        if isinstance(text, str) and text:
            return text
    words = "".join(
        f"_{c}" if c.isupper() and before.islower() else c
        for before, c in zip(" " + place.name, place.name, strict=False)
    )
    return words.lower()
