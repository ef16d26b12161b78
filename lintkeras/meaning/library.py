"""What calls of Python's builtins, TensorFlow and Keras mean to the interpreter.

One function a subject, found by canonical name. A function that is not listed gives a term of its
name and arguments (``Computed``), which later stages may still recognise, and changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import libcst as cst

from lintkeras.meaning.facts import ActivationUse, OptimizerStep, TapeReuse
from lintkeras.meaning.operators import binary, edited, multiply, term
from lintkeras.meaning.state import State
from lintkeras.meaning.values import (
    ANYTHING,
    NONE,
    OPAQUE,
    UNKNOWN,
    Arguments,
    Class,
    Computed,
    Const,
    Content,
    CustomGradient,
    Dict,
    Either,
    Entry,
    Function,
    Gradient,
    GradientCall,
    Index,
    Instance,
    Length,
    List,
    Member,
    Method,
    Rectify,
    Sequence,
    Super,
    Symbol,
    Tape,
    Unknown,
    Value,
    Weight,
    alternatives,
    gradients_in,
    join_all,
)

if TYPE_CHECKING:
    from lintkeras.meaning.interpreter import Interpreter

CUSTOM_GRADIENTS = frozenset({"tf.custom_gradient", "keras.ops.custom_gradient"})
_TRANSPARENT_DECORATORS = frozenset({
    "tf.function", "keras.saving.register_keras_serializable", "keras.utils.register_keras_serializable",
    "tf.autograph.experimental.do_not_convert", "functools.wraps", "functools.lru_cache", "functools.cache",
    "builtins.staticmethod", "builtins.classmethod", "typing.no_type_check", "typing.final", "typing.override",
})  # fmt: skip
_TAPES = frozenset({"tf.GradientTape"})
_IDENTITIES = frozenset({
    "tf.identity", "tf.convert_to_tensor", "tf.cast", "tf.stop_gradient", "tf.debugging.check_numerics",
    "keras.ops.cast", "keras.ops.convert_to_tensor", "keras.ops.stop_gradient", "keras.backend.cast",
})  # fmt: skip
_RELUS = frozenset({"tf.relu", "keras.activations.relu", "keras.ops.relu", "keras.backend.relu"})
_MODELS = frozenset({"keras.models.Model", "keras.models.Sequential"})
_SAVERS = frozenset({
    "keras.callbacks.ModelCheckpoint", "keras.models.save_model", "keras.saving.save_model",
})  # fmt: skip
_STAR_EXPORTS = {
    "tensorflow.keras.layers": "layers", "keras.layers": "layers", "tf_keras.layers": "layers",
}  # fmt: skip
_LAYERS = ("Dense", "Conv1D", "Conv2D", "Conv3D", "Activation", "Dropout", "Flatten", "Input",
           "ReLU", "LeakyReLU", "Softmax", "BatchNormalization", "MaxPooling2D", "Embedding",
           "LSTM", "GRU", "Layer", "Lambda", "Reshape", "Concatenate")  # fmt: skip


def exported_by(module: str) -> tuple[str, ...]:
    """The names that ``from module import *`` certainly binds (the common layers)."""
    return _LAYERS if _STAR_EXPORTS.get(module) == "layers" else ()


def is_class(name: str) -> bool:
    """Whether a canonical library name is a class, by the naming rule that Keras keeps."""
    last = name.rpartition(".")[2]
    return last[:1].isupper() and name.startswith(("keras.", "tf."))


def decorate(decorator: Value, value: Value) -> Value:
    """The result of a decorator."""
    match decorator:
        case Symbol() as symbol if symbol.name in CUSTOM_GRADIENTS:
            return CustomGradient(value, symbol)
        case Symbol() as symbol if symbol.name in _TRANSPARENT_DECORATORS:
            return value
        case Computed(function=Symbol() as symbol) if symbol.name in _TRANSPARENT_DECORATORS:
            return value
    return UNKNOWN


def enter_context(run: Interpreter, value: Value) -> None:
    """``with value:``: a tape records afresh."""
    if isinstance(value, Tape):
        run.state.cells[(value, "used")] = None


# ---------------------------------------------------------------------- calls of library functions


def call_symbol(run: Interpreter, symbol: Symbol, arguments: Arguments, node: cst.Call) -> Value:
    """The result of calling a library function or class."""
    name = symbol.name
    model = _FUNCTIONS.get(name)
    if model is not None:
        return model(run, symbol, arguments, node)
    if name in CUSTOM_GRADIENTS and arguments.positional:
        return CustomGradient(arguments.positional[0], symbol)
    if name in _TRANSPARENT_DECORATORS and len(arguments.positional) == 1:
        value = arguments.positional[0]
        if isinstance(value, (Function, Method, CustomGradient)):
            return value
    if name in _SAVERS:
        run.facts.saves_models = True
    if is_class(name) and symbol.flavour != "other":
        return _construct(run, symbol, arguments, node)
    for value in (*arguments.positional, *(v for _, v in arguments.keywords)):
        if isinstance(value, Function) and name.startswith("tf.data"):
            run.enter(value, Arguments((), (), complete=False), node)
    return term(symbol, _unwrapped(run, arguments), node)


def _unwrapped(run: Interpreter, arguments: Arguments) -> Arguments:
    """Lists as the tuples they are at this moment, so that a term does not change later."""

    def frozen(value: Value) -> Value:
        return Sequence("list", run.content(value)) if isinstance(value, List) else value

    return Arguments(
        tuple(frozen(value) for value in arguments.positional),
        tuple((name, frozen(value)) for name, value in arguments.keywords),
        arguments.complete,
    )


def _construct(run: Interpreter, symbol: Symbol, arguments: Arguments, node: cst.Call) -> Value:
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
            run.facts.activations.setdefault(argument.value, []).append(fact)


def argument_node(call: cst.Call, keyword: str, position: int | None) -> cst.Arg | None:
    """The syntax of an argument given by keyword or position."""
    for argument in call.args:
        if argument.keyword is not None and argument.keyword.value == keyword:
            return argument
    plain = [a for a in call.args if a.keyword is None]
    if position is not None and position < len(plain) and not any(a.star for a in plain):
        return plain[position]
    return None


def _tape(run: Interpreter, symbol: Symbol, arguments: Arguments, node: cst.Call) -> Value:
    value = arguments.get("persistent", 0)
    persistent: bool | None = False
    if value is not None:
        persistent = bool(value.value) if isinstance(value, Const) else None
    tape = Tape(run.identity(node), persistent, node)
    run.state.cells[(tape, "used")] = None
    return tape


def _zip(run: Interpreter, symbol: Symbol, arguments: Arguments, node: cst.Call) -> Value:
    if not arguments.complete or not arguments.positional:
        return Sequence("zip", OPAQUE)
    parts = tuple(run.content(value) for value in arguments.positional)
    nodes = (node, *(a.value for a in node.args))
    return Sequence("zip", _side_by_side(run, parts), parts, nodes)


def _side_by_side(run: Interpreter, parts: tuple[Content, ...]) -> Content:
    """The entries of a ``zip``."""
    sizes = {len(part.entries) for part in parts}
    plain = [part.plain() for part in parts]
    if len(sizes) == 1:
        rows = list(zip(*(part.entries for part in parts), strict=True))
        if all(len({entry.domain for entry in row}) == 1 for row in rows):
            return Content(tuple(
                Entry(_tuple(tuple(e.value for e in row)), row[0].domain, row[0].tests)
                for row in rows
            ))  # fmt: skip
    if any(p is not None for p in plain) and any(len(p.entries) == 1 for p in parts):
        values = tuple(
            run.per_entry(p) if p else part.entries[0].value if len(part.entries) == 1 else UNKNOWN
            for p, part in zip(plain, parts, strict=True)
        )
        domains = [p.entries[0].domain for p in parts if len(p.entries) == 1]
        return Content((Entry(_tuple(values), domains[0] or ANYTHING),))
    values = tuple(
        join_all([e.value for e in part.entries]) if part.entries else UNKNOWN for part in parts
    )
    return Content((Entry(_tuple(values), ANYTHING),))


def _tuple(values: tuple[Value, ...]) -> Sequence:
    return Sequence("tuple", Content(tuple(Entry(value) for value in values)))


def _enumerate(run: Interpreter, symbol: Symbol, arguments: Arguments, node: cst.Call) -> Value:
    if not arguments.positional:
        return UNKNOWN
    content = run.content(arguments.positional[0])
    start = arguments.get("start", 1)
    entries = []
    for position, entry in enumerate(content.entries):
        index: Value = UNKNOWN
        if start is None:
            index = Index(entry.domain) if entry.domain else Const(position)
        entries.append(Entry(_tuple((index, entry.value)), entry.domain, entry.tests))
    return Sequence("iterator", Content(tuple(entries)))


def _range(run: Interpreter, symbol: Symbol, arguments: Arguments, node: cst.Call) -> Value:
    match arguments.positional:
        case (Length(domain=domain),) | (Const(value=0), Length(domain=domain)):
            return Sequence("range", Content((Entry(Index(domain), domain),)))
        case (Const(value=int(count)),) if 0 <= count <= 8:
            return Sequence("range", Content(tuple(Entry(Const(i)) for i in range(count))))
    return Sequence("range", OPAQUE)


def _len(run: Interpreter, symbol: Symbol, arguments: Arguments, node: cst.Call) -> Value:
    return run.length_of(arguments.positional[0]) if arguments.positional else UNKNOWN


def _list(run: Interpreter, symbol: Symbol, arguments: Arguments, node: cst.Call) -> Value:
    if not arguments.positional:
        return run.new_list(node, Content())
    value = arguments.positional[0]
    content = run.content(value)
    if symbol.name == "builtins.tuple":
        return Sequence("tuple", content, *_zip_parts(value))
    result = run.new_list(node, content)
    if isinstance(value, Sequence) and value.parts:
        run.state.cells[(result, "zip")] = value
    return result


def _zip_parts(value: Value) -> tuple[tuple[Content, ...], tuple[cst.CSTNode, ...]]:
    return (value.parts, value.nodes) if isinstance(value, Sequence) else ((), ())


def _map(run: Interpreter, symbol: Symbol, arguments: Arguments, node: cst.Call) -> Value:
    if not arguments.complete or len(arguments.positional) < 2:
        return UNKNOWN
    function, *sources = arguments.positional
    parts = tuple(run.content(value) for value in sources)
    rows: list[tuple[Entry, tuple[Value, ...]]]
    if len(parts) == 1:
        rows = [(entry, (entry.value,)) for entry in parts[0].entries]
    else:
        side = _side_by_side(run, parts)
        rows = [(e, run.content(e.value).plain() or ()) for e in side.entries]
    if len(rows) > 8:
        return Sequence("iterator", OPAQUE)
    entries = tuple(
        Entry(run.call(function, Arguments(tuple(values)), node), entry.domain, entry.tests)
        for entry, values in rows
    )
    if symbol.name == "builtins.map":
        return Sequence("iterator", Content(entries))
    return run.new_list(node, Content(entries))


def _map_structure(run: Interpreter, symbol: Symbol, arguments: Arguments, node: cst.Call) -> Value:
    sources = arguments.positional[1:]
    if any(not isinstance(value, (List, Sequence)) for value in sources):
        return UNKNOWN
    return _map(run, symbol, arguments, node)


def _isinstance(run: Interpreter, symbol: Symbol, arguments: Arguments, node: cst.Call) -> Value:
    return term(symbol, arguments, node)


def _super(run: Interpreter, symbol: Symbol, arguments: Arguments, node: cst.Call) -> Value:
    cls, owner = run.current_class_and_self()
    return Super(owner, cls) if cls is not None else UNKNOWN


def _dict(run: Interpreter, symbol: Symbol, arguments: Arguments, node: cst.Call) -> Value:
    if arguments.positional or not arguments.complete:
        return UNKNOWN
    return Dict(tuple(arguments.keywords))


def _number(run: Interpreter, symbol: Symbol, arguments: Arguments, node: cst.Call) -> Value:
    """``float(2)``, ``tf.constant(2.0)``: the number itself."""
    if arguments.positional and isinstance(arguments.positional[0], Const):
        value = arguments.positional[0].value
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return Const(float(value)) if symbol.name == "builtins.float" else Const(value)
    return term(symbol, arguments, node)


def _reversed(run: Interpreter, symbol: Symbol, arguments: Arguments, node: cst.Call) -> Value:
    return Sequence("iterator", OPAQUE)


def _binary_call(operator: str) -> _Model:
    def model(run: Interpreter, symbol: Symbol, arguments: Arguments, node: cst.Call) -> Value:
        values = [arguments.get(n, i) for i, n in enumerate(("x", "y"))]
        if len(arguments.positional) + len(arguments.keywords) < 2:
            return UNKNOWN
        left, right = values[0] or UNKNOWN, values[1] or UNKNOWN
        if isinstance(left, List) or isinstance(right, List):
            return UNKNOWN
        return binary(operator, left, right, node)

    return model


def _scalar_multiply(
    run: Interpreter, symbol: Symbol, arguments: Arguments, node: cst.Call
) -> Value:
    if len(arguments.positional) != 2:
        return UNKNOWN
    return binary("Multiply", arguments.positional[1], arguments.positional[0], node)


def _negative(run: Interpreter, symbol: Symbol, arguments: Arguments, node: cst.Call) -> Value:
    value = arguments.get("x", 0) or UNKNOWN
    return multiply(value, Const(-1), node) if isinstance(value, Gradient) else UNKNOWN


def _identity(run: Interpreter, symbol: Symbol, arguments: Arguments, node: cst.Call) -> Value:
    value = arguments.positional[0] if arguments.positional else UNKNOWN
    if any(isinstance(v, Gradient) for v in alternatives(value)):
        return value
    return term(symbol, _unwrapped(run, arguments), node)


def _relu(run: Interpreter, symbol: Symbol, arguments: Arguments, node: cst.Call) -> Value:
    value = arguments.positional[0] if arguments.positional else UNKNOWN
    if isinstance(value, Gradient):
        return edited(value, Rectify(node))
    return term(symbol, arguments, node)


def _maximum(run: Interpreter, symbol: Symbol, arguments: Arguments, node: cst.Call) -> Value:
    match arguments.positional:
        case (Gradient() as gradient, Const(value=0)) | (Const(value=0), Gradient() as gradient):
            return edited(gradient, Rectify(node))
    return term(symbol, arguments, node)


def _where(run: Interpreter, symbol: Symbol, arguments: Arguments, node: cst.Call) -> Value:
    from lintkeras.meaning.operators import is_sign_mask

    if len(arguments.positional) == 3:
        condition, kept, other = arguments.positional
        zero = (isinstance(other, Const) and other.value == 0) or (
            isinstance(other, Computed)
            and isinstance(other.function, Symbol)
            and other.function.name.rpartition(".")[2] == "zeros_like"
        )
        if isinstance(kept, Gradient) and zero and is_sign_mask(condition, kept):
            return edited(kept, Rectify(node))
    return term(symbol, arguments, node)


def _strategy_run(run: Interpreter, of: Value, arguments: Arguments, node: cst.Call) -> Value:
    """``strategy.run(step, args=(x, y))`` enters the step."""
    function = arguments.get("fn", 0)
    given = arguments.get("args", 1)
    if not isinstance(function, (Function, Method)):
        run.escape(arguments)
        return UNKNOWN
    plain = run.content(given).plain() if given is not None else ()
    inner = Arguments(plain or (), (), plain is not None)
    return run.call(function, inner, node)


_Model = Callable[["Interpreter", Symbol, Arguments, cst.Call], Value]
_FUNCTIONS: dict[str, _Model] = {
    **dict.fromkeys(_TAPES, _tape),
    **dict.fromkeys(_IDENTITIES, _identity),
    **dict.fromkeys(_RELUS, _relu),
    "builtins.zip": _zip,
    "builtins.enumerate": _enumerate,
    "builtins.range": _range,
    "builtins.len": _len,
    "builtins.list": _list,
    "builtins.tuple": _list,
    "builtins.map": _map,
    "builtins.reversed": _reversed,
    "builtins.sorted": _reversed,
    "builtins.filter": _reversed,
    "builtins.super": _super,
    "builtins.dict": _dict,
    "builtins.float": _number,
    "tf.constant": _number,
    "tf.nest.map_structure": _map_structure,
    "keras.tree.map_structure": _map_structure,
    "tf.multiply": _binary_call("Multiply"),
    "keras.ops.multiply": _binary_call("Multiply"),
    "numpy.multiply": _binary_call("Multiply"),
    "tf.divide": _binary_call("Divide"),
    "tf.truediv": _binary_call("Divide"),
    "keras.ops.divide": _binary_call("Divide"),
    "keras.ops.true_divide": _binary_call("Divide"),
    "tf.scalar_mul": _scalar_multiply,
    "tf.negative": _negative,
    "keras.ops.negative": _negative,
    "tf.maximum": _maximum,
    "keras.ops.maximum": _maximum,
    "keras.backend.maximum": _maximum,
    "tf.where": _where,
    "keras.ops.where": _where,
}


# ---------------------------------------------------------------------- calls of methods


def call_method(
    run: Interpreter, of: Value, name: str, arguments: Arguments, node: cst.Call
) -> Value:
    """The result of a method that is not the user's own."""
    match of, name:
        case Either(values=values), _:
            return join_all([
                run.call(run.attribute(v, name, node.func), arguments, node) for v in values
            ])  # fmt: skip
        case List(), _:
            return _list_method(run, of, name, arguments, node)
        case Tape(), _:
            return _tape_method(run, of, name, arguments, node)
        case Dict(), "values":
            return Sequence("iterator", Content(tuple(Entry(v) for _, v in of.items)))
        case Dict(), "items":
            pairs = (Entry(_tuple((Const(k), v))) for k, v in of.items)
            return Sequence("iterator", Content(tuple(pairs)))
        case Dict(), "get":
            key = arguments.get("key", 0)
            return of.get(key.value) if isinstance(key, Const) else UNKNOWN
        case _, "run" if isinstance(arguments.get("fn", 0), (Function, Method)):
            return _strategy_run(run, of, arguments, node)
        case ((Super(owner=Instance() as owner) | (Instance() as owner)), _):
            result = _instance_method(run, owner, name, arguments, node)
            if result is not None:
                return result
    if name == "apply_gradients" or name == "apply":
        _note_step(run, of, name, arguments, node)
    if name == "save":
        run.facts.saves_models = True
    if isinstance(of, (Unknown, Member)):
        run.escape(arguments)
        return UNKNOWN
    if isinstance(of, Gradient):
        return UNKNOWN
    return term(Member(of, name), _unwrapped(run, arguments), node)


def _list_method(
    run: Interpreter, target: List, name: str, arguments: Arguments, node: cst.Call
) -> Value:
    match name, arguments.positional:
        case "append", (value,):
            run.append(target, value)
            return NONE
        case "extend", (value,):
            run.extend(target, run.content(value))
            return NONE
        case "copy", ():
            return run.new_list(node, run.content(target))
        case (("index" | "count"), _):
            return UNKNOWN
    run.set_content(target, OPAQUE)
    return UNKNOWN


def _instance_method(
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
            run.facts.saves_models = True
            return NONE
        case "add_weight" | "add_variable":
            return Weight(owner, "add_weight")
        case "build":
            return NONE
    return None


def call_layer(run: Interpreter, layer: Instance, arguments: Arguments, node: cst.Call) -> Value:
    """``layer(x)``: a term that remembers layer and inputs."""
    return term(layer, _unwrapped(run, arguments), node)


# ---------------------------------------------------------------------- tapes and optimizers


def _tape_method(
    run: Interpreter, tape: Tape, name: str, arguments: Arguments, node: cst.Call
) -> Value:
    if name == "reset":
        run.state.cells[(tape, "used")] = None
    if name not in ("gradient", "jacobian", "batch_jacobian"):
        return UNKNOWN
    _note_use(run, tape, node)
    target = arguments.get("target", 0) or UNKNOWN
    sources = arguments.get("sources", 1) or UNKNOWN
    if name != "gradient":
        return UNKNOWN
    return _gradient(run, tape, target, sources, node)


def _note_use(run: Interpreter, tape: Tape, node: cst.Call) -> None:
    """A tape that is not persistent gives one set of gradients."""
    first = run.state.find((tape, "used"))
    reuse = None
    if isinstance(first, cst.Call) and first is not node and tape.persistent is False:
        reuse = TapeReuse(node, first, tape)
    run.facts.reuses.setdefault(node, []).append(reuse)
    run.state.cells[(tape, "used")] = node


def _gradient(run: Interpreter, tape: Tape, target: Value, sources: Value, node: cst.Call) -> Value:
    match sources:
        case List() | Sequence():
            call = GradientCall(node, tape, target, sources, True)
            entries = tuple(
                Entry(Gradient(call, entry.value), entry.domain, entry.tests)
                for entry in run.content(sources).entries
            )
            result: Value = run.new_list(node, Content(entries))
        case Weight() | Instance() | Computed() | Const():
            call = GradientCall(node, tape, target, sources, False)
            result = Gradient(call, sources)
        case Dict() | Either():
            return UNKNOWN
        case _:
            call = GradientCall(node, tape, target, sources, None)
            result = Computed("gradients", Arguments((Gradient(call, UNKNOWN),)), node)
    run.facts.gradient_calls.setdefault(node, []).append(call)
    return result


def _note_step(
    run: Interpreter, optimizer: Value, name: str, arguments: Arguments, node: cst.Call
) -> None:
    """Record that an optimizer is given gradients."""
    pairs: Sequence | None = None
    if name == "apply":
        first = arguments.get("grads", 0)
        second = arguments.get("trainable_variables", 1)
        if first is None:
            return
        gradients = run.content(first)
        variables = run.content(second) if second is not None else OPAQUE
        if not any(gradients_in(entry.value) for entry in gradients.entries):
            return
    else:
        given = arguments.get("grads_and_vars", 0)
        if given is None:
            return
        content = run.content(given)
        if isinstance(given, Sequence):
            pairs = given
        elif isinstance(given, List):
            stored = run.state.find((given, "zip"))
            pairs = stored if isinstance(stored, Sequence) else None
        gradients, variables = _columns(run, content)
        if pairs is not None and len(pairs.parts) == 2:
            gradients, variables = pairs.parts
    layers, complete = _layers_behind(run, variables)
    fact = OptimizerStep(
        node, _resolved_optimizer(run, optimizer), gradients, variables, pairs, layers, complete,
        run.current_function(),
    )  # fmt: skip
    run.facts.steps.setdefault(node, []).append(fact)


def _columns(run: Interpreter, content: Content) -> tuple[Content, Content]:
    """The gradients and the variables of a list of pairs."""
    left, right = [], []
    for entry in content.entries:
        plain = run.content(entry.value).plain() if isinstance(entry.value, Sequence) else None
        first, second = plain if plain is not None and len(plain) == 2 else (UNKNOWN, UNKNOWN)
        left.append(Entry(first, entry.domain, entry.tests))
        right.append(Entry(second, entry.domain, entry.tests))
    return Content(tuple(left)), Content(tuple(right))


def _resolved_optimizer(run: Interpreter, optimizer: Value) -> Value:
    if isinstance(optimizer, Member) and optimizer.name == "optimizer":
        found = run.state.find((optimizer.of, "optimizer"))
        if found is not State.MISSING:
            return found  # type: ignore[return-value]
    return optimizer


def _layers_behind(run: Interpreter, variables: Content) -> tuple[tuple[Instance, ...], bool]:
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
