"""What a loss is computed from: which layer's output goes into which layer or function."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from lintkeras.meaning.facts import CompiledModel, LayerCall
from lintkeras.meaning.values import (
    Computed,
    Const,
    Either,
    Gradient,
    Instance,
    Member,
    Sequence,
    Symbol,
    Value,
    alternatives,
)
from lintkeras.rewrites.code import Code

LAYERS_OF_ACTIVATIONS = {
    "ReLU": "relu", "ELU": "elu", "Softmax": "softmax",
    "LeakyReLU": None, "PReLU": None, "ThresholdedReLU": None,
}  # fmt: skip
"""Layers that are an activation, and which one without arguments (None: it takes some)."""
_FUNCTIONS = frozenset({
    "relu", "relu6", "tanh", "sigmoid", "softplus", "softsign", "elu", "selu", "gelu", "silu",
    "swish", "mish", "hard_sigmoid", "hard_silu", "leaky_relu", "exponential", "softmax",
})  # fmt: skip
_PLAIN = frozenset({
    "reduce_mean", "reduce_sum", "mean", "sum", "squared_difference", "subtract", "add", "matmul",
    "l2_loss",
})  # fmt: skip
_LOSS_METHODS = frozenset({"compute_loss", "compiled_loss", "loss"})
_PASSED = ("Dropout", "Normalization")


class Flow:
    """What the loss is computed from: which layer's output goes where."""

    def __init__(self, code: Code) -> None:
        self.code = code
        self.layers: dict[Instance, None] = {}
        self.read_as_logits: set[cst.CSTNode | None] = set()
        self._consumers: dict[Instance, dict[cst.CSTNode, Computed]] = {}
        self._producers: dict[cst.CSTNode, set[Instance]] = {}
        self._outputs: dict[Instance, list[Value]] = {}
        for fact in code.facts.all(LayerCall):
            self._outputs.setdefault(fact.layer, []).append(fact.output)
        self._seen: set[int] = set()

    def follow(self, value: Value) -> None:
        """Read a value back to its inputs."""
        stack = [value]
        while stack:
            one = stack.pop()
            if id(one) in self._seen:
                continue
            self._seen.add(id(one))
            match one:
                case Computed(function=function, arguments=arguments):
                    inputs = [*arguments.positional, *(v for _, v in arguments.keywords)]
                    self._note(one, inputs)
                    stack += inputs
                    if isinstance(function, Instance):
                        stack += self._outputs.get(function, [])
                    elif isinstance(function, Member):
                        stack.append(function.of)
                case Either(values=values):
                    stack += values
                case Sequence(content=content):
                    stack += [entry.value for entry in content.entries]
                case Member(of=of):
                    stack.append(of)
                case Gradient(call=call):
                    stack.append(call.target)

    def _note(self, value: Computed, inputs: list[Value]) -> None:
        if isinstance(value.function, Instance):
            self.layers.setdefault(value.function)
        for given in inputs:
            parts = [e.value for e in given.content.entries] if isinstance(given, Sequence) else []
            for part in (given, *parts):
                for producer in self._produced_by(part):
                    self._consumers.setdefault(producer, {})[value.node] = value
                    self._producers.setdefault(value.node, set()).add(producer)
        prediction = self._prediction(value)
        if prediction is not None:
            for one in self._last(prediction):
                at = one.node if isinstance(one, (Computed, Instance)) else None
                self.read_as_logits.add(at)

    def _produced_by(self, value: Value) -> Iterator[Instance]:
        """The layers of which a value is the output, through the models that hold them."""
        for one in self._last(value):
            if isinstance(one, Instance):
                yield one

    def _last(self, value: Value) -> Iterator[Value]:
        """What gave a value: a layer, or the call of a function."""
        stack, seen = list(alternatives(value)), set[int]()
        while stack:
            one = stack.pop()
            if id(one) in seen or not isinstance(one, Computed):
                continue
            seen.add(id(one))
            if not isinstance(one.function, Instance):
                yield one
            elif one.function in self._outputs:
                stack += [v for out in self._outputs[one.function] for v in alternatives(out)]
            else:
                yield one.function

    def _prediction(self, value: Computed) -> Value | None:
        """What a Keras cross-entropy is given as probabilities."""
        function = value.function
        match function:
            case Instance() if function.class_name.startswith("keras.losses."):
                loss: Value | None = function
            case Symbol() if function.name.startswith(("keras.losses.", "keras.metrics.")):
                if value.arguments.get("from_logits") not in (None, Const(False)):
                    return None
                loss = function
            case Member(of=Instance() as model, name=name):
                if name not in _LOSS_METHODS:
                    return None
                if name == "compute_loss":
                    return self._compiled(model, value.arguments.get("y_pred", 2))
                return self._compiled(model, value.arguments.get("y_pred", 1))
            case _:
                return None
        return value.arguments.get("y_pred", 1) if _expects_probabilities(loss) else None

    def _compiled(self, model: Instance, prediction: Value | None) -> Value | None:
        losses = [fact.loss for fact in self.code.facts.all(CompiledModel) if fact.model == model]
        return prediction if any(_expects_probabilities(loss) for loss in losses) else None

    def activations_after(self, layer: Instance) -> tuple[list[Instance | Computed], bool]:
        """The activations that a layer's output goes into, and whether it goes nowhere else."""
        following = list(self._consumers.get(layer, {}).values())
        if len(following) == 1 and isinstance(following[0].function, Instance):
            (one,) = following
            passing = one.function
            if isinstance(passing, Instance) and any(k in passing.class_name for k in _PASSED):
                return self.activations_after(passing) if passing != layer else ([], False)
        found: list[Instance | Computed] = []
        for one in following:
            if isinstance(one.function, Instance):
                short = one.function.class_name.rpartition(".")[2]
                if short == "Activation" or short in LAYERS_OF_ACTIVATIONS:
                    found.append(one.function)
            elif function_label(one) is not None:
                found.append(one)
        return found, len(found) == len(following) == 1

    def is_read_plainly(self, layer: Instance) -> bool:
        """Whether nothing bends a layer's output: a loss, a difference, the next layer reads it."""
        following = list(self._consumers.get(layer, {}).values())
        return bool(following) and all(_is_plain(one) for one in following)

    def shared(self, node: cst.CSTNode) -> bool:
        """Whether a call is applied to the outputs of several layers."""
        return len(self._producers.get(node, ())) > 1


def _is_plain(value: Computed) -> bool:
    """Whether a value is computed without a function that might serve as an activation."""
    match value.function:
        case Instance(cls=Symbol()) as layer:
            short = layer.class_name.rpartition(".")[2]
            return short not in LAYERS_OF_ACTIVATIONS and short not in ("Activation", "Lambda")
        case Symbol() as symbol:
            name = symbol.name.rpartition(".")[2]
            known = symbol.name.startswith(("keras.losses.", "keras.metrics.")) or name in _PLAIN
            return known or "cross_entropy" in name or "crossentropy" in name
        case Member(name=name):
            return name in _LOSS_METHODS
        case str() as operator:
            return operator in ("Add", "Subtract")
    return False


def _expects_probabilities(loss: Value | None) -> bool:
    """Whether a loss is a cross-entropy of Keras that is given no logits."""
    match loss:
        case Const(value=str(name)):
            return _is_cross_entropy(name)
        case Instance() if loss.class_name.startswith("keras.losses."):
            logits = loss.arguments.get("from_logits", 0)
            return _is_cross_entropy(loss.class_name) and logits in (None, Const(False))
        case Symbol():
            return _is_cross_entropy(loss.name)
    return False


def _is_cross_entropy(name: str) -> bool:
    return name.replace("_", "").lower().endswith("crossentropy")


def function_label(call: Computed) -> str | None:
    """The activation that a library call applies to its one argument."""
    if isinstance(call.function, Symbol) and isinstance(call.node, cst.Call):
        family, _, last = call.function.name.rpartition(".")
        known = family in ("tf", "keras.activations", "keras.ops", "keras.backend")
        if known and last in _FUNCTIONS and len(call.arguments.positional) == 1:
            return last if not call.arguments.keywords and call.arguments.complete else None
    return None
