"""Models as graphs of layers: what each output of a model is, in the state of a run.

A tensor that a program computes is a term of layers and functions; a Sequential holds its layers, a
functional model the terms of its outputs, a class of the program its ``call``. The reader follows
all of them to the last activation, the shape and the layer behind each output. Where branches meet
an output may be one of a few; what is not understood is ``UNKNOWN_OUTPUT``.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import libcst as cst

from lintkeras.meaning import calls
from lintkeras.meaning.activations import ELEMENTWISE, KEEPS_VALUES, named, of_function
from lintkeras.meaning.calling import argument_node, frozen
from lintkeras.meaning.losses import heads_of_losses, loss_of_symbol, loss_of_text
from lintkeras.meaning.objects import class_attribute, find_method
from lintkeras.meaning.outputs import (
    UNKNOWN_OUTPUT,
    Activation,
    Head,
    Loss,
    Output,
    Shape,
)
from lintkeras.meaning.shapes import plain_name, shape_after, shape_of_input
from lintkeras.meaning.values import (
    NONE,
    UNKNOWN,
    Arguments,
    Class,
    Computed,
    Const,
    Content,
    CustomGradient,
    Dict,
    Either,
    Function,
    Instance,
    Items,
    List,
    Member,
    Method,
    Sequence,
    Symbol,
    Unknown,
    Value,
    alternatives,
    integer,
)

if TYPE_CHECKING:
    from lintkeras.meaning.interpreter import Interpreter

Outputs = tuple[Output, ...]
"""What one tensor may be: one, unless branches met."""
Activations = tuple[Activation, ...] | None
_NOT_KNOWN: Outputs = (UNKNOWN_OUTPUT,)
_MOST = 4
_DEEPEST = 24
"""Models and functions that are read inside each other."""
POLICY = "policy "
"""Not a name that a program can have: the mark of the dtype policy that a layer was made under."""
_HARMLESS = frozenset({"trainable", "name", "_name", "build", "supports_masking"})
"""Attributes of a layer that can be set without a change of what it computes."""
_CHANGE_TRAINING = ("compile", "train_step", "compute_loss", "test_step", "fit", "__call__")
_WITH_ACTIVATION = frozenset({
    "Dense", "Conv1D", "Conv2D", "Conv3D", "SeparableConv1D", "SeparableConv2D", "DepthwiseConv1D",
    "DepthwiseConv2D", "Conv1DTranspose", "Conv2DTranspose", "Conv3DTranspose", "EinsumDense",
    "LocallyConnected1D", "LocallyConnected2D", "Deconvolution2D",
})  # fmt: skip
_LINEAR = frozenset({"BatchNormalization", "LayerNormalization", "GroupNormalization"})
"""Layers that give a tensor of any real values, whatever they are given."""
_KEEP = frozenset({
    "Dropout", "SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D", "GaussianDropout",
    "GaussianNoise", "AlphaDropout", "ActivityRegularization", "Masking", "Identity", "InputLayer",
})  # fmt: skip
"""Layers that give in inference what they are given."""
_MOVE = frozenset({"Flatten", "Reshape", "Permute", "RepeatVector"})
"""Layers that move the entries of a tensor and leave each as it is."""
_POOLS = ("GlobalAverage", "GlobalMax", "Average", "Max", "UpSampling", "Cropping", "ZeroPadding")
_SUMS = frozenset({"Add", "Subtract", "Average"})


class Reader:
    """Reads models and losses in the state that a run is in, for the call ``node``."""

    def __init__(self, run: Interpreter, node: cst.Call) -> None:
        self.run = run
        self.node = node
        self._depth = 0
        self._placeholders = 0

    # ------------------------------------------------------------------ models

    def outputs(
        self, model: Value, inputs: tuple[Outputs, ...] = ()
    ) -> list[tuple[object, Outputs]]:
        """Each output of a model with its name (its number where it has none); empty: not known.

        The name is None where there is one output only.
        """
        if self._depth >= _DEEPEST:
            return []
        self._depth += 1
        try:
            return self._outputs(model, inputs)
        finally:
            self._depth -= 1

    def _outputs(self, model: Value, inputs: tuple[Outputs, ...]) -> list[tuple[object, Outputs]]:
        match model:
            case Computed(function=Symbol(name="keras.models.clone_model"), arguments=given):
                if given.get("clone_function", 2) in (None, NONE) and given.positional:
                    return self.outputs(given.positional[0], inputs)
            case Instance(cls=Class()):
                return self._of_subclass(model, inputs)
            case Instance(class_name="keras.models.Sequential"):
                content = self.run.state.find((model, "layers "))
                if isinstance(content, Content):
                    start = inputs[0] if inputs else _NOT_KNOWN
                    return [(None, self._row(content, start))]
            case Instance(class_name="keras.models.Model"):
                return self._named(model.arguments.get("outputs", 1) or UNKNOWN, {})
            case Instance(cls=Symbol() as symbol) if ".applications." in symbol.name:
                return [] if self._is_replaced() else [(None, (_application(model),))]
        return []

    def _is_replaced(self) -> bool:
        """Whether the activation of some layer was set anew, and it may be that of any."""
        return (None, "activation") in self.run.reassigned

    def _of_subclass(
        self, model: Instance, inputs: tuple[Outputs, ...]
    ) -> list[tuple[object, Outputs]]:
        """The outputs of an object of a class of the program: what its ``call`` returns."""
        assert isinstance(model.cls, Class)
        if not model.cls.plain:
            return []
        call = find_method(self.run, model, "call")
        if call is None:
            functional = "keras.models.Model" in model.library_bases()
            if functional and find_method(self.run, model, "__init__") is None:
                return self._named(model.arguments.get("outputs", 1) or UNKNOWN, {})
            return []
        environment, values = self._placed(inputs or (_NOT_KNOWN,))
        result = self._entered(call, Arguments((model, *values), complete=True))
        return self._named(result, environment)

    def _named(
        self, value: Value, environment: Mapping[Value, Outputs]
    ) -> list[tuple[object, Outputs]]:
        """The outputs in a tensor, a list or a dictionary of tensors."""
        match value:
            case List() | Sequence():
                plain = self.run.content(value).plain()
                if plain is None:
                    return []
                if len(plain) == 1:
                    return [(None, self.tensor(plain[0], environment))]
                return [
                    (_name_of(one) or number, self.tensor(one, environment))
                    for number, one in enumerate(plain)
                ]
            case Dict() | Items():
                items = self.run.items(value)
                if not items.complete:
                    return []
                return [(key, self.tensor(one, environment)) for key, one in items.items]
            case Computed(function=Instance() as inner) if is_model_of_layers(inner):
                given = self._inputs(value.arguments, environment)
                return self.outputs(inner, given) or [(None, _NOT_KNOWN)]
            case Unknown():
                return []
        return [(None, self.tensor(value, environment))]

    def _row(self, content: Content, start: Outputs) -> Outputs:
        """What layers in a row make of a tensor."""
        found = start
        for entry in content.entries:
            if entry.domain is not None:
                found = _NOT_KNOWN
                continue
            applied = self.called(entry.value, (found,))
            found = _few((*found, *applied)) if entry.tests else applied
        return found

    # ------------------------------------------------------------------ tensors

    def tensor(self, value: Value, environment: Mapping[Value, Outputs] | None = None) -> Outputs:
        """What is known of a tensor; ``environment`` knows the tensors that it is computed from."""
        environment = environment or {}
        spine: list[Computed] = []
        while isinstance(value, Computed) and value not in environment:
            if len(_tensors(value.arguments)) != 1 or value.function == "Subscript":
                break
            spine.append(value)
            value = _tensors(value.arguments)[0]
        found = self._end(value, environment)
        for one in reversed(spine):
            found = self._applied(one, (found,))
        return found

    def _end(self, value: Value, environment: Mapping[Value, Outputs]) -> Outputs:
        if value in environment:
            return environment[value]
        match value:
            case Either(values=values):
                return _few(o for one in values for o in self.tensor(one, environment))
            case Instance(class_name="keras.Input"):
                return (Output(None, shape_of_input(value)),)
            case Member(of=model, name="output") if model != UNKNOWN:
                return _single(self.outputs(model))
            case Computed(function="Subscript"):
                return self._part(value, environment)
            case Computed():
                return self._applied(value, self._inputs(value.arguments, environment))
        return _NOT_KNOWN

    def _part(self, value: Computed, environment: Mapping[Value, Outputs]) -> Outputs:
        """One of several outputs of a model, or a part of a tensor."""
        holder, index = value.arguments.positional
        match holder:
            case Computed(function=Instance() as model) if is_model_of_layers(model):
                found = self.outputs(model, self._inputs(holder.arguments, environment))
                number = integer(index)
                if len(found) > 1:
                    names = dict(found)
                    if isinstance(index, Const) and isinstance(index.value, str):
                        return names.get(index.value, _NOT_KNOWN)
                    if number is not None and -len(found) <= number < len(found):
                        return found[number][1]
                    return _NOT_KNOWN
        return tuple(
            replace(_moved(one), shape=Shape()) for one in self.tensor(holder, environment)
        )

    def _inputs(
        self, arguments: Arguments, environment: Mapping[Value, Outputs]
    ) -> tuple[Outputs, ...]:
        return tuple(self.tensor(one, environment) for one in _tensors(arguments))

    def _applied(self, value: Computed, inputs: tuple[Outputs, ...]) -> Outputs:
        """What one operation makes of tensors."""
        match value.function:
            case Instance() as layer:
                return self.called(layer, inputs)
            case Symbol() as symbol:
                return _each(inputs, lambda given: self._function(symbol, value, given))
            case "Add" | "Subtract" | "Minus" | "Plus":
                return _each(inputs, _combined)
            case "Multiply" | "Divide" if len(inputs) == 1 and _is_tensor(
                value.arguments.positional[0]
            ):
                return _each(inputs, _combined)
        return _NOT_KNOWN

    def called(self, function: Value, inputs: tuple[Outputs, ...]) -> Outputs:
        """What a layer, a model or a function of the program makes of tensors."""
        match function:
            case Either(values=values):
                return _few(o for one in values for o in self.called(one, inputs))
            case Instance(class_name="keras.Input" | "keras.layers.InputLayer"):
                return (Output(None, shape_of_input(function)),)
            case Instance(cls=Symbol() as cls) if cls.name.startswith("keras.layers."):
                return _each(inputs, lambda given: self._layer(function, given))
            case Instance() | Computed():
                return _single(self.outputs(function, inputs))
            case Function() | Method() | Symbol():
                return self._by_function(function, inputs)
        return _NOT_KNOWN

    def _by_function(self, function: Value, inputs: tuple[Outputs, ...]) -> Outputs:
        environment, values = self._placed(inputs)
        match function:
            case Function():
                result = self._entered(function, Arguments(values))
            case Method(owner=owner, function=inner):
                result = self._entered(inner, Arguments((owner, *values)))
            case Symbol():
                term = Computed(function, Arguments(values), self.node)
                return self.tensor(term, environment)
            case _:
                return _NOT_KNOWN
        return self.tensor(result, environment)

    # ------------------------------------------------------------------ layers of Keras

    def _layer(self, layer: Instance, given: tuple[Output, ...]) -> Outputs:
        name, before = plain_name(layer), given[0] if given else UNKNOWN_OUTPUT
        changed = {n: v for n, v in self.run.attributes_of(layer) if n not in _HARMLESS}
        own = changed.pop("activation", None)
        if changed or not layer.arguments.complete:
            return _NOT_KNOWN
        shapes = [one.shape for one in given]
        if shapes and not shapes[0].exact:
            declared = shape_of_input(layer)
            shapes[0] = declared if declared.exact else shapes[0]
        shape = shape_after(layer, shapes)
        made = Output(None, shape, before.layer, layer, self._dtype(layer))
        if name in _WITH_ACTIVATION:
            made = replace(made, layer=layer)
            found = self._activation_argument(layer, own)
            return tuple(replace(made, activations=one) for one in found)
        if own is not None:
            return _NOT_KNOWN
        if name in _KEEP:
            return (replace(made, activations=before.activations, dtype=before.dtype),)
        if name in _LINEAR:
            return (replace(made, activations=(), layer=layer),)
        if name == "Flatten" and before.shape.rank == 2:
            return (replace(made, activations=before.activations),)
        if name in _MOVE:
            return (replace(made, activations=_moved(before).activations),)
        if name.startswith(_POOLS) and before.activations == ():
            return (replace(made, activations=()),)
        if name in ("Add", "Subtract", "Average", "Concatenate"):
            return (replace(made, activations=_merged(name, given), layer=None),)
        if name == "TimeDistributed":
            return self._for_each_step(layer, before, made)
        if name == "Lambda":
            function = layer.arguments.get("function", 0) or UNKNOWN
            found_outputs = self.called(function, ((before,),))
            return tuple(replace(o, last=layer, dtype=made.dtype) for o in found_outputs)
        added = self._activation_layer(name, layer)
        if added is not None:
            return tuple(replace(made, activations=_with(before.activations, one)) for one in added)
        return (made,)

    def _for_each_step(self, layer: Instance, before: Output, made: Output) -> Outputs:
        """``TimeDistributed(inner)``: the inner layer on every entry of the second axis."""
        shape = before.shape
        inside = Shape((shape.sizes[0], *shape.sizes[2:]), True) if shape.exact else shape
        steps = shape.sizes[1] if shape.exact and len(shape.sizes) > 1 else None
        inner = layer.arguments.get("layer", 0) or UNKNOWN
        found = []
        for one in self.called(inner, ((replace(before, shape=inside),),)):
            sizes = one.shape.sizes
            outer = Shape((sizes[0], steps, *sizes[1:]), True) if one.shape.exact else one.shape
            found.append(replace(one, shape=outer, last=layer, dtype=made.dtype))
        return _few(found)

    def _activation_argument(self, layer: Instance, own: Value | None) -> list[Activations]:
        if own is None and self._is_replaced():
            return [None]
        position = 1 if plain_name(layer) == "Dense" else None
        value = own if own is not None else layer.arguments.get("activation", position)
        if position is None and len(layer.arguments.positional) > 4:
            return [None]
        argument = None
        if layer.node is not None and own is None:
            argument = argument_node(layer.node, "activation", position)
        node = argument.value if argument is not None else None
        return self.activations(value, node, layer, argument=own is None)

    def _activation_layer(self, name: str, layer: Instance) -> list[Activations] | None:
        """The activations of a layer that does nothing else; None where it is no such layer."""
        given, node = layer.arguments, layer.node
        match name:
            case "Activation":
                return self.activations(given.get("activation", 0), node, layer, argument=False)
            case "Softmax":
                axis = given.get("axis", 0)
                number = -1 if axis is None else integer(axis)
                return [(Activation("softmax", number, node, layer),)]
            case "ReLU" | "LeakyReLU" | "ELU" | "PReLU" | "ThresholdedReLU":
                return [(Activation(named(name) or "relu", None, node, layer),)]
        return None

    def activations(
        self,
        value: Value | None,
        node: cst.CSTNode | None,
        layer: Instance | None,
        *,
        argument: bool,
    ) -> list[Activations]:
        """What ``activation=value`` applies to the values of a linear layer."""
        found: list[Activations] = []
        for one in alternatives(NONE if value is None else value):
            match one:
                case Const(value=None):
                    found.append(())
                case Const(value=str(text)):
                    name = named(text)
                    found.append(
                        None if name is None
                        else () if name == "linear"
                        else (Activation(name, -1, node, layer, argument),)
                    )  # fmt: skip
                case CustomGradient() | Unknown():
                    found.append(None)
                case _:
                    for output in self.called(one, ((Output(()),),)):
                        inner = output.activations
                        placed = inner and tuple(
                            replace(a, node=node, layer=layer, argument=argument) for a in inner
                        )
                        found.append(placed)
        return found[:_MOST] if len(found) <= _MOST else [None]

    def _function(self, symbol: Symbol, value: Computed, given: tuple[Output, ...]) -> Output:
        """What a function of Keras or TensorFlow makes of tensors."""
        before = given[0] if given else UNKNOWN_OUTPUT
        name = of_function(symbol)
        if name is not None and len(given) == 1:
            axis = value.arguments.get("axis", 1)
            number = -1 if axis is None else integer(axis)
            node = value.node if value.node is not self.node else None
            return replace(
                before, activations=_with(before.activations, (Activation(name, number, node),))
            )
        if symbol.name in KEEPS_VALUES and len(given) == 1:
            return replace(before, dtype=None) if symbol.name.endswith("cast") else before
        if symbol.name.rpartition(".")[2] in ("reshape", "transpose", "squeeze", "expand_dims"):
            return replace(_moved(before), shape=Shape())
        return UNKNOWN_OUTPUT

    def _dtype(self, layer: Instance) -> Value | None:
        given = layer.arguments.get("dtype")
        if given is not None and given != NONE:
            return given
        policy = self.run.state.find((layer, POLICY))
        return policy if isinstance(policy, (Const, Unknown)) else None

    # ------------------------------------------------------------------ functions of the program

    def _placed(
        self, inputs: tuple[Outputs, ...]
    ) -> tuple[dict[Value, Outputs], tuple[Value, ...]]:
        """Something to stand for each tensor."""
        found: dict[Value, Outputs] = {}
        for one in inputs:
            self._placeholders += 1
            found[Unknown(("tensor", self.node, self._placeholders))] = one
        return found, tuple(found)

    def _entered(self, function: Function, arguments: Arguments) -> Value:
        """What a function gives; nothing remains of what it does."""
        run = self.run
        if self._depth >= _DEEPEST or function.node in run.running or calls.refuses(run, function):
            return UNKNOWN
        facts = run.facts
        mark, lengths = facts.mark(), (len(run.pending), len(run.classes), len(run.wanted))
        if run.read_steps > run.budget // 2:
            return UNKNOWN
        steps = run.steps
        entries, entered = run.entries.copy(), {n: set(c) for n, c in facts.entered.items()}
        strangers, alive = set(facts.strangers), run.alive
        results: list[Value] = []
        self._depth += 1
        run.aside(lambda: results.append(frozen(run, run.enter(function, arguments, self.node))))
        self._depth -= 1
        facts.rollback(mark)
        run.read_steps += run.steps - steps
        run.steps = steps
        for items, length in zip((run.pending, run.classes, run.wanted), lengths, strict=True):
            del items[length:]  # type: ignore[attr-defined]
        run.entries, facts.entered, facts.strangers, run.alive = entries, entered, strangers, alive
        return results[0] if results else UNKNOWN

    def _frozen(self, value: Value) -> Value:
        from lintkeras.meaning.calling import frozen

        return frozen(self.run, value)

    # ------------------------------------------------------------------ losses

    def losses(self, value: Value | None) -> tuple[Loss, ...]:
        """What a loss may be; empty where that is not known."""
        found: list[Loss] = []
        for one in alternatives(NONE if value is None else value):
            loss = self._loss(one)
            if loss is None:
                return ()
            found.append(loss)
        return tuple(dict.fromkeys(found))

    def _loss(self, value: Value) -> Loss | None:
        match value:
            case Const(value=str(text)):
                return loss_of_text(text)
            case Symbol():
                return loss_of_symbol(value, Arguments(), value)
            case Instance(cls=Symbol() as symbol, arguments=given):
                return loss_of_symbol(symbol, given, value)
            case Computed(function=Symbol(path="functools.partial"), arguments=given):
                match given.positional:
                    case (Symbol() as symbol,):
                        return loss_of_symbol(symbol, given, value)
            case Function():
                return self._loss_function(value)
        return None

    def _loss_function(self, function: Function) -> Loss | None:
        """The loss of Keras that a function of the program gives on, its mean perhaps."""
        truth, guess = Unknown(("tensor", self.node, "y")), Unknown(("tensor", self.node, "p"))
        result = self._entered(function, Arguments((truth, guess)))
        while isinstance(result, Computed) and isinstance(result.function, Symbol):
            if result.function.name.rpartition(".")[2] not in (
                "mean",
                "reduce_mean",
                "sum",
                "reduce_sum",
            ):
                break
            if not result.arguments.positional:
                return None
            result = result.arguments.positional[0]
        found = called_loss(result)
        if found is None or found[1:] != (truth, guess):
            return None
        return replace(found[0], value=function)

    def heads(
        self, model: Value, compiled: Arguments, compile_node: cst.Call, labels: Value | None = None
    ) -> tuple[Head, ...]:
        """The outputs of a model, each with the loss and metrics that it is compiled with."""
        if isinstance(model, Instance) and isinstance(model.cls, Class):
            if any(class_attribute(self.run, model, name) is not None for name in _CHANGE_TRAINING):
                return ()
        outputs = self.outputs(model)
        if not outputs or not compiled.complete:
            return ()
        return heads_of_losses(
            self.run, self, outputs, compiled, compile_node, self.node, model, labels
        )


# ---------------------------------------------------------------------- facts of the run


def is_model_of_layers(value: Instance) -> bool:
    """Whether calling it is calling the layers that it is made of."""
    if isinstance(value.cls, Class):
        return True
    return value.class_name.startswith(("keras.models.", "keras.applications."))


def called_loss(value: Value) -> tuple[Loss, Value, Value] | None:
    """The loss of a call of one, the labels and the tensor that it compares."""
    match value:
        case Computed(function=Symbol() as symbol, arguments=given):
            loss = loss_of_symbol(symbol, given, value, called=True)
        case Computed(function=Instance(cls=Symbol() as symbol, arguments=made), arguments=given):
            loss = loss_of_symbol(symbol, made, value)
        case _:
            return None
    if loss is None:
        return None
    truth, guess = operands(given)
    return None if truth is None or guess is None else (loss, truth, guess)


def operands(given: Arguments) -> tuple[Value | None, Value | None]:
    """The labels and the tensor that a call of a loss compares."""
    truth = next((v for n in ("y_true", "target", "labels") if (v := _keyword(given, n))), None)
    guess = next((v for n in ("y_pred", "output", "logits") if (v := _keyword(given, n))), None)
    plain = given.positional
    return (
        truth if truth is not None else plain[0] if plain else None,
        guess if guess is not None else plain[1] if len(plain) > 1 else None,
    )


def _keyword(given: Arguments, name: str) -> Value | None:
    return dict(given.keywords).get(name)


# ---------------------------------------------------------------------- tensors


def _tensors(arguments: Arguments) -> list[Value]:
    """The tensors among the arguments of a call, lists of them taken apart."""
    found: list[Value] = []
    given = (
        *arguments.positional,
        *(v for n, v in arguments.keywords if n in ("inputs", "x", "logits", "features")),
    )
    for value in given:
        plain = value.content.plain() if isinstance(value, Sequence) else None
        if plain is not None and any(map(_is_tensor, plain)):
            found.extend(plain)
        elif _is_tensor(value):
            found.append(value)
    return found


def _is_tensor(value: Value) -> bool:
    """Whether it may be a tensor, and not a number or another setting."""
    if isinstance(value, Computed) and value.function in ("Minus", "Plus"):
        return any(map(_is_tensor, value.arguments.positional))
    return not isinstance(value, (Const, Symbol, Sequence, Items, Function, Class))


def _few(found: Iterable[Output]) -> Outputs:
    """What a tensor may be; not known where that are too many things."""
    different = tuple(dict.fromkeys(found))
    if UNKNOWN_OUTPUT in different or not different or len(different) > _MOST:
        return _NOT_KNOWN
    return different


def _each(
    inputs: tuple[Outputs, ...], action: Callable[[tuple[Output, ...]], Output | Outputs]
) -> Outputs:
    """The results of an action on each combination of what the inputs may be."""
    combinations = list(itertools.islice(itertools.product(*inputs), _MOST + 1))
    if len(combinations) > _MOST:
        return _NOT_KNOWN
    found: list[Output] = []
    for given in combinations:
        result = action(given)
        found.extend((result,) if isinstance(result, Output) else result)
    return _few(found)


def _single(outputs: list[tuple[object, Outputs]]) -> Outputs:
    return outputs[0][1] if len(outputs) == 1 else _NOT_KNOWN


def _name_of(value: Value) -> str | None:
    """The name that Keras gives to an output: that of its layer."""
    match value:
        case Computed(function=Instance() as layer):
            name = layer.arguments.get("name")
            return name.value if isinstance(name, Const) and isinstance(name.value, str) else None
    return None


def _with(before: Activations, added: Activations) -> Activations:
    """Activations in a row; one that comes first may follow anything."""
    if added is None:
        return None
    if not added:
        return before
    return (*(before or ()), *added)[-3:]


def _moved(output: Output) -> Output:
    """The tensor with its entries at other places: what runs over an axis is not known."""
    known = output.activations
    if known is not None and any(a.name not in ELEMENTWISE for a in known):
        known = None
    return replace(output, activations=known)


def _merged(name: str, given: tuple[Output, ...]) -> Activations:
    """What is known of a sum, or of tensors side by side."""
    kinds = {one.activations for one in given}
    if kinds == {()}:
        return ()
    if name == "Concatenate" and len(kinds) == 1:
        (same,) = kinds
        if same and len(same) == 1 and same[0].name in ELEMENTWISE:
            return same
    return None


def _combined(given: tuple[Output, ...]) -> Output:
    """Arithmetic on tensors: of linear ones it is linear."""
    if all(one.activations == () for one in given):
        return replace(given[0], shape=given[0].shape if len(given) == 1 else Shape(), last=None)
    return UNKNOWN_OUTPUT


def _application(model: Instance) -> Output:
    """The output of a model of ``keras.applications``."""
    given = model.arguments
    if not given.complete:
        return UNKNOWN_OUTPUT
    top = given.get("include_top", 0)
    if top == Const(False):
        pooled = given.get("pooling") in (Const("avg"), Const("max"))
        return Output(None, Shape((None, None), True) if pooled else Shape((None,) * 4, True))
    if top not in (None, Const(True)):
        return UNKNOWN_OUTPUT
    classes = given.get("classes")
    units = 1000 if classes is None else integer(classes)
    activation = given.get("classifier_activation")
    made: Activations = (Activation("softmax", -1, model.node, None),)
    if activation is not None:
        text = activation.value if isinstance(activation, Const) else ""
        name = "linear" if text is None else named(text) if isinstance(text, str) else None
        argument = argument_node(model.node, "classifier_activation", None) if model.node else None
        node = argument.value if argument is not None else model.node
        made = None if name is None else () if name == "linear" else (Activation(name, -1, node),)
    return Output(made, Shape((None, units), True))
