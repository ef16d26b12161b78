"""Layers and models: what they are made of, what calling them means."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import libcst as cst

from lintkeras.meaning.calling import argument_node, frozen, tuple_of, unwrapped
from lintkeras.meaning.facts import (
    ActivationUse,
    CompiledModel,
    FlaggedCall,
    LayerCall,
    LossCall,
    MetricUpdated,
    ModelAsked,
    ModelEnds,
    ModelSaved,
    ModelTrained,
    ObjectMade,
)
from lintkeras.meaning.kinds import beside, class_of, is_model
from lintkeras.meaning.library import training
from lintkeras.meaning.models import POLICY, Reader, called_loss
from lintkeras.meaning.objects import COMPILED, MADE
from lintkeras.meaning.operators import term
from lintkeras.meaning.outputs import Head
from lintkeras.meaning.state import State
from lintkeras.meaning.symbolic import symbolic_source
from lintkeras.meaning.values import (
    NAMESPACE,
    NONE,
    OPAQUE,
    UNKNOWN,
    Arguments,
    Computed,
    Const,
    Content,
    CustomGradient,
    Dict,
    Entry,
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
    Weight,
    integer,
)

if TYPE_CHECKING:
    from lintkeras.meaning.interpreter import Interpreter

_MODELS = frozenset({"keras.models.Model", "keras.models.Sequential"})
_INPUTS = frozenset({"keras.Input", "keras.layers.Input", "keras.layers.InputLayer"})
_WITHOUT_LAYERS = (
    "keras.optimizers.", "keras.losses.", "keras.metrics.", "keras.initializers.",
    "keras.regularizers.", "keras.constraints.", "keras.callbacks.",
)  # fmt: skip
_DEEPEST_MODEL = 40


def construct(run: Interpreter, symbol: Symbol, arguments: Arguments, node: cst.Call) -> Value:
    """An instance of a library class."""
    result = Instance(symbol, run.identity(node), arguments, node)
    run.write((result, MADE), NONE)
    name = symbol.name
    if name in _MODELS:
        layers = arguments.get("layers", 0) if name.endswith("Sequential") else None
        content = run.content(layers) if layers is not None else Content()
        run.write((result, "layers "), content)
        run.made_under[result] = tuple(run.tests)
        mark_called(run, (entry.value for entry in content.entries))
    if name.startswith("keras.layers."):
        _note_functions(run, result)
        policy = run.state.find(_POLICY)
        if policy is not State.MISSING:
            run.write((result, POLICY), policy)  # type: ignore[arg-type]
    if name.startswith(_MADE):
        note_made(run, result, node)
    return result


_POLICY = (NAMESPACE, "policy ")
"""The cell that holds the dtype policy in force."""


def set_policy(run: Interpreter, symbol: Symbol, arguments: Arguments, node: cst.Call) -> Value:
    """``keras.mixed_precision.set_global_policy(policy)``."""
    policy = arguments.get("policy", 0)
    if isinstance(policy, Instance):
        policy = policy.arguments.get("name", 0)
    run.write(_POLICY, policy if isinstance(policy, Const) else UNKNOWN)
    return NONE


POLICIES = frozenset({
    "keras.mixed_precision.set_global_policy", "keras.mixed_precision.set_dtype_policy",
    "keras.config.set_dtype_policy", "keras.mixed_precision.set_policy",
})  # fmt: skip
"""The functions that set the dtype policy of all layers that are made afterwards."""


def load_data(run: Interpreter, symbol: Symbol, arguments: Arguments, node: cst.Call) -> Value:
    """``keras.datasets.mnist.load_data()``: ``((x_train, y_train), (x_test, y_test))``."""
    whole = term(symbol, unwrapped(run, arguments), node)
    parts = [
        tuple_of(tuple(_part(_part(whole, half, node), side, node) for side in (0, 1)))
        for half in (0, 1)
    ]
    return tuple_of(tuple(parts))


def train_test_split(
    run: Interpreter, symbol: Symbol, arguments: Arguments, node: cst.Call
) -> Value:
    """``train_test_split(x, y)`` of scikit-learn: two parts of each array."""
    given = unwrapped(run, arguments)
    if not given.complete or not given.positional:
        return UNKNOWN
    return tuple_of(
        tuple(term(symbol, Arguments((one,)), node) for one in given.positional for _ in (0, 1))
    )


def _part(value: Value, index: int, node: cst.Call) -> Value:
    return term("Subscript", Arguments((value, Const(index))), node)


def note_loss(run: Interpreter, function: Value, arguments: Arguments, node: cst.Call) -> None:
    """Record that a loss of Keras or TensorFlow is called."""
    if not isinstance(function, (Symbol, Instance)):
        return
    found = called_loss(Computed(function, arguments, node))
    if found is not None:
        loss, truth, guess = found
        guess = frozen(run, guess)
        head = Head(node, Reader(run, node).tensor(guess), (loss,), node, labels=truth)
        run.facts.note(LossCall(node, (head,), tuple(run.tests)))


def note_metric(run: Interpreter, function: Value, arguments: Arguments, node: cst.Call) -> None:
    """Record that a metric of Keras is updated."""
    match function:
        case (Instance() as metric) | Member(of=Instance() as metric, name="update_state"):
            if metric.class_name.startswith("keras.metrics."):
                guess = frozen(run, arguments.get("y_pred", 1) or UNKNOWN)
                outputs = Reader(run, node).tensor(guess)
                run.facts.note(MetricUpdated(node, metric, outputs, tuple(run.tests)))


CALLED = "called "
ADDED = "added "


def mark_called(run: Interpreter, layers: Iterable[Value]) -> None:
    """Remember that layers and models are called on symbolic tensors, or may be."""
    for layer in layers:
        if isinstance(layer, Instance) and isinstance(layer.cls, Symbol):
            run.write((layer, CALLED), NONE)


def note_end(run: Interpreter, node: cst.Attribute, model: Instance) -> None:
    """Record that ``input`` or ``output`` of a Sequential model is read."""
    content = run.state.find((model, "layers "))
    plain = content.plain() if isinstance(content, Content) else None
    called = run.state.find((model, CALLED)) is not State.MISSING
    added = run.state.find((model, ADDED)) is not State.MISSING
    run.facts.note(ModelEnds(node, model, called, plain, added, tuple(run.tests)))


def note_made(run: Interpreter, instance: Instance, node: cst.Call) -> None:
    """Record that an object of Keras is made."""
    run.facts.note(
        ObjectMade(
            node, instance, run.current_function(), run.statement_loops(), tuple(run.tests),
            tuple(run.running),
        )
    )  # fmt: skip


def _note_functions(run: Interpreter, layer: Instance) -> None:
    """Record a function or custom_gradient object that becomes a layer's activation."""
    if layer.class_name == "keras.layers.Lambda":
        function = layer.arguments.get("function", 0)
        if isinstance(function, (Function, CustomGradient)):
            run.wanted.append(function)
    position = {"Activation": 0, "Dense": 1}.get(layer.class_name.rpartition(".")[2])
    value = layer.arguments.get("activation", position)
    if isinstance(value, (Function, CustomGradient)) and layer.node is not None:
        run.wanted.append(value)
        argument = argument_node(layer.node, "activation", position)
        if argument is not None:
            run.facts.note(ActivationUse(argument.value, value, layer))


_TRAIN = frozenset({"fit", "fit_generator", "train_on_batch"})
_MADE = ("keras.optimizers.", "keras.metrics.", "keras.models.", "keras.layers.", "keras.losses.",
         "keras.callbacks.", "tf.Variable")  # fmt: skip


def has_keras_base(instance: Instance) -> bool:
    """Whether it is an object of a class of the program that inherits from a layer or model."""
    return any(
        base.startswith(("keras.layers.", "keras.models.")) for base in instance.library_bases()
    )


def note_method(
    run: Interpreter, owner: Value, name: str, arguments: Arguments, node: cst.Call
) -> None:
    """Record what is done with a model, whether it is known or not."""
    if name in _TRAIN:
        output = _output(run, owner, Unknown(("input", node)), node)
        given, compiled = unwrapped(run, arguments), training.compiled_with(run, owner)
        frozen_since = training.was_frozen(run, owner)
        heads = _trained_heads(run, owner, arguments, node)
        run.facts.note(
            ModelTrained(
                node, owner, name, output, given, compiled, frozen_since, tuple(run.tests), heads
            )
        )
        training.train(run, owner)
    elif name.startswith("predict") or name == "evaluate":
        output = _output(run, owner, Unknown(("input", node)), node)
        run.facts.note(ModelAsked(node, owner, name, output, unwrapped(run, arguments)))
    elif name == "compile":
        training.compile_model(run, owner, arguments, node)
        loss = arguments.get("loss", 1)
        losses = tuple(_called(run, value) for value in _losses(run, loss))
        optimizer = _optimizer(owner, arguments.get("optimizer", 0), node)
        heads = Reader(run, node).heads(owner, arguments, node)
        tests = tuple(run.tests)
        run.facts.note(CompiledModel(node, owner, optimizer, loss, losses, heads, tests))
        for value in losses:
            if isinstance(value, (Function, CustomGradient)):
                run.wanted.append(value)
            elif isinstance(value, Method):
                run.wanted.append(value.function)


def _trained_heads(
    run: Interpreter, model: Value, arguments: Arguments, node: cst.Call
) -> tuple[Head, ...]:
    """The outputs of a model that is trained, as it was compiled, with the labels given here."""
    found = run.state.find((model, COMPILED)) if isinstance(model, Instance) else None
    if not isinstance(found, Computed) or not isinstance(found.node, cst.Call):
        return ()
    labels = arguments.get("y", 1)
    return Reader(run, node).heads(model, found.arguments, found.node, labels)


def _called(run: Interpreter, loss: Value) -> Value:
    """What Keras calls of a loss: the ``call`` of a loss class of the program, or the value."""
    if isinstance(loss, Instance):
        if any(base.startswith("keras.losses.") for base in loss.library_bases()):
            call = run.find_method(loss, "call")
            return loss if call is None else Method(loss, call)
    return loss


def _losses(run: Interpreter, value: Value | None) -> tuple[Value, ...]:
    """The losses of ``compile(loss=...)``: one, or one for each output."""
    match value:
        case None:
            return ()
        case Dict() | Items():
            return tuple(item for _, item in run.items(value).items)
        case List() | Sequence():
            return tuple(entry.value for entry in run.content(value).entries)
    return (value,)


def instance_method(
    run: Interpreter, owner: Instance, name: str, arguments: Arguments, node: cst.Call
) -> Value | None:
    """Methods of Keras models, layers and optimizers; None where nothing special is known."""
    match name:
        case "compile":
            optimizer = _optimizer(owner, arguments.get("optimizer", 0), node)
            if optimizer is not None:
                run.write((owner, "optimizer"), optimizer)
            return NONE
        case "fit" | "train_on_batch":
            run.escape(arguments)
            step = run.find_method(owner, "train_step")
            if step is not None:
                run.enter(step, Arguments((owner, UNKNOWN)), node)
            return _history(run, owner, arguments, node) if name == "fit" else UNKNOWN
        case "add":
            layers = run.state.find((owner, "layers "))
            layer = arguments.get("layer", 0)
            if isinstance(layers, Content) and layer is not None:
                tests, made = tuple(run.tests), run.made_under.get(owner, ())
                tests = tests[len(made) :] if tests[: len(made)] == made else tests
                entry = OPAQUE.entries[0] if run.loops else Entry(layer, None, tests)
                run.write((owner, "layers "), Content((*layers.entries, entry)))
                run.write((owner, ADDED), NONE)
                mark_called(run, (layer,))
            return NONE
        case "pop" if isinstance(run.state.find((owner, "layers ")), Content):
            run.write((owner, "layers "), OPAQUE)
            return NONE
        case "get_layer":
            return _layer(run, owner, arguments)
        case "save":
            run.facts.note(ModelSaved(node))
            return NONE
        case "add_weight" | "add_variable":
            trainable = arguments.get("trainable", 4)
            known = trainable.value if isinstance(trainable, Const) else None
            known = True if trainable is None else known if isinstance(known, bool) else None
            return Weight(owner, "add_weight", node, known)
        case "build":
            return NONE
    return None


def _history(run: Interpreter, model: Instance, arguments: Arguments, node: cst.Call) -> Value:
    """What ``fit`` gives back."""
    cls = class_of(model)
    if cls is None or not is_model(model):
        return UNKNOWN
    return Instance(beside(cls, "callbacks.History"), run.identity(node), arguments, node)


def _optimizer(model: Value, given: Value | None, node: cst.Call) -> Value | None:
    """What ``compile`` makes of its optimizer: one that is named becomes an object."""
    cls = class_of(model)
    if isinstance(given, Const) and isinstance(given.value, str) and cls is not None:
        return term(beside(cls, "optimizers.get"), Arguments((given,)), node)
    return given


def _layer(run: Interpreter, model: Instance, arguments: Arguments) -> Value | None:
    """``model.get_layer(name)`` or ``get_layer(index=...)`` of a Sequential."""
    content = run.state.find((model, "layers "))
    plain = content.plain() if isinstance(content, Content) else None
    name, index = arguments.get("name", 0), arguments.get("index", 1)
    if plain is None or not all(isinstance(layer, Instance) for layer in plain):
        return None
    number = integer(index) if index is not None else None
    if number is not None and -len(plain) <= number < len(plain):
        return plain[number]
    if isinstance(name, Const):
        return next((one for one in plain if _name_of(one) == name), None)
    return None


def _name_of(layer: Value) -> Value | None:
    return layer.arguments.get("name") if isinstance(layer, Instance) else None


def call_layer(
    run: Interpreter,
    layer: Instance,
    arguments: Arguments,
    node: cst.Call,
    inner: Value | None = None,
) -> Value:
    """``layer(x)``: a term that remembers layer and inputs. ``inner`` is what its call returned."""
    mark_called(run, (layer,))
    arguments = unwrapped(run, arguments)
    output = inner
    if inner is None:
        output = _output(run, layer, arguments.get("inputs", 0) or UNKNOWN, node)
    if output is not None and output != UNKNOWN:
        run.facts.note(LayerCall(node, layer, output))
    _note_flag(run, layer, arguments, node)
    result = term(layer, arguments, node)
    if result != UNKNOWN or arguments == Arguments((UNKNOWN,)):
        return result
    # Too large to be compared: of a deep network the layers that come next are still known.
    run.forgotten += 1
    source = symbolic_source(arguments.get("inputs", 0) or UNKNOWN)
    return term(layer, Arguments((Unknown(("too large", run.forgotten, source)),)), node)


def _note_flag(run: Interpreter, layer: Instance, arguments: Arguments, node: cst.Call) -> None:
    """Record that a layer or model is called with a ``training`` of its own."""
    training = dict(arguments.keywords).get("training")
    if training is None or training == NONE:
        return
    inputs = arguments.get("inputs", 0) or UNKNOWN
    kept = run.state.find((layer, MADE)) is not State.MISSING
    running = tuple(f.function for f in run.frames if f.function is not None)
    run.facts.note(
        FlaggedCall(
            node,
            layer,
            training,
            inputs,
            symbolic_source(inputs),
            kept,
            running,
            tuple(run.tests),
        )
    )


def _output(run: Interpreter, model: Value, inputs: Value, node: cst.Call) -> Value | None:
    """What a model made of layers computes: a Sequential its layers in a row, others as told."""
    match model:
        case Instance() if model.class_name == "keras.models.Sequential":
            content = run.state.find((model, "layers "))
            plain = content.plain() if isinstance(content, Content) else None
            for part in plain or (UNKNOWN,):
                inputs = term(part, Arguments((inputs,)), node)
            return inputs
        case Instance() if model.class_name == "keras.models.Model":
            outputs = model.arguments.get("outputs", 1)
            return None if outputs is None else frozen(run, outputs)
    return None
