"""Between the tape and the loss: what was recorded, what is watched, what cuts the way."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import libcst as cst

from lintkeras.checks.expected import is_expected_none, raises_on_purpose
from lintkeras.checks.registry import Context, check
from lintkeras.findings import Finding, Note
from lintkeras.meaning.differentiation import Connection, Reason, connection, sources
from lintkeras.meaning.facts import LayerCall, Operation, OptimizerStep, TapeUse
from lintkeras.meaning.library import argument_node
from lintkeras.meaning.outline import all_parameters
from lintkeras.meaning.training import is_forward
from lintkeras.meaning.values import (
    UNKNOWN,
    Arguments,
    Class,
    Computed,
    Const,
    Content,
    Either,
    Entry,
    Gradient,
    Instance,
    Member,
    Symbol,
    Unknown,
    Value,
    Weight,
    alternatives,
    walk,
)
from lintkeras.rewrites.recording import add_losses, add_training, move_out, watch

_MAKERS = frozenset({
    "tf.constant", "tf.zeros", "tf.ones", "tf.fill", "tf.eye", "tf.range", "tf.linspace",
    "tf.random.normal", "tf.random.uniform", "tf.random.truncated_normal", "tf.random.gamma",
    "tf.random.poisson", "keras.random.normal", "keras.random.uniform", "keras.ops.zeros",
    "keras.ops.ones", "keras.ops.linspace", "keras.ops.arange",
})  # fmt: skip
"""Functions whose result is a new tensor that depends on nothing."""
_DETACHES: dict[Reason, str] = {
    "numpy": "leaves TensorFlow for NumPy",
    "predict": "is a NumPy array: predict() records nothing",
    "constant": "copies the value into a constant",
}
_STOCHASTIC = ("Dropout", "BatchNormalization", "GaussianNoise", "GaussianDropout",
               "AlphaDropout", "SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D")  # fmt: skip


def _connections(context: Context, group: Sequence[TapeUse]) -> list[Connection]:
    """How each way in which a gradient call was reached ties its target to its sources."""
    return [_path(context, use, use.entries) for use in group]


def _path(context: Context, use: TapeUse, entries: Content) -> Connection:
    """How the target of a gradient call is tied to some of its sources."""
    return connection(
        use.target,
        sources(entries),
        lambda term: context.facts.recorded(term.node, use.tape),
    )


def _cut_uses(context: Context) -> Iterator[tuple[TapeUse, Connection]]:
    """The gradient calls whose every way from target to sources is cut, for certain."""
    for group in context.facts.groups(TapeUse):
        found = _connections(context, group)
        if _takes_none(context, group[0]):
            continue
        if all(use.certain for use in group) and len(set(found)) == 1:
            if found[0].reaches is False and found[0].cuts:
                yield group[0], found[0]


def _takes_none(context: Context, use: TapeUse) -> bool:
    """Whether the program is prepared for a missing gradient: it wants 0 then, or shows the None."""
    wants_zero = argument_node(use.node, "unconnected_gradients", 3) is not None
    told = (is_expected_none, raises_on_purpose)
    return wants_zero or any(expected(context.program, use.node) for expected in told)


@check("LK111")
def forward_pass_outside_tape(context: Context) -> Iterator[Finding]:
    """The loss, or the forward pass behind it, is computed where the tape does not record."""
    for use, found in _cut_uses(context):
        outside = [cut for cut in found.cuts if cut.reason == "outside"]
        if not outside:
            continue
        place = next((c.at for c in outside if context.program.owns(c.at.node)), None)
        if place is None:
            continue
        name = _short(context, place.node)
        whole = _short(context, use.node)
        yield Finding(
            "LK111",
            context.program.span(place.node),
            f"`{name}` is computed outside the tape, so `{whole}` gives None",
            label="no tape records this",
            notes=(
                Note(
                    "math",
                    "the tape differentiates what ran inside its `with` block and knows nothing "
                    "else: the chain rule needs every step from the variables to the loss",
                ),
                Note(
                    "effect",
                    "each gradient is None; apply_gradients then raises ValueError: No gradients "
                    "provided for any variable",
                ),
            ),
            related=context.related(
                (use.tape.node, "the tape records only inside this `with`"),
                (use.node, "asked for here"),
            ),
        )


@check("LK113")
def detached_inside_tape(context: Context) -> Iterator[Finding]:
    """NumPy, ``predict`` or ``tf.constant`` cut the way from the variables to the loss."""
    for use, found in _cut_uses(context):
        if any(cut.reason == "outside" for cut in found.cuts):
            continue
        cuts = [c for c in found.cuts if c.reason in _DETACHES and context.program.owns(c.at.node)]
        if not cuts:
            continue
        # the innermost: what stands nearest to the variables
        cut = min(cuts, key=lambda c: c.at.size)
        yield Finding(
            "LK113",
            context.program.span(cut.at.node),
            f"`{_short(context, cut.at.node)}` {_DETACHES[cut.reason]}, so no gradient comes "
            f"through to `{_sources_text(context, use)}`",
            label="the way back ends here",
            notes=(
                Note(
                    "math",
                    "back-propagation follows TensorFlow operations; an array that was taken out "
                    "of them is a constant, and the derivative of a constant is missing",
                ),
                Note("effect", f"`{_short(context, use.node)}` gives None"),
            ),
            related=context.related((use.node, "asked for here")),
        )


@check("LK112")
def unwatched_tensor(context: Context) -> Iterator[Finding]:
    """A gradient with respect to a plain tensor that nobody watches."""
    for group in context.facts.groups(TapeUse):
        unwatched = [_unwatched(context, use) for use in group]
        if _takes_none(context, group[0]):
            continue
        if not unwatched[0] or any(one != unwatched[0] for one in unwatched):
            continue
        use, (source, *_) = group[0], unwatched[0]
        name = _source_name(context, use, source)
        yield Finding(
            "LK112",
            context.program.span(use.node),
            f"`{name}` is a tensor that the tape does not watch: its gradient is None",
            label="None",
            notes=(
                Note(
                    "effect",
                    "a tape watches trainable variables by itself; a tensor has to be given to "
                    "`tape.watch` before it is used",
                ),
            ),
            related=context.related((source.node, "a plain tensor")),
            fixes=context.fixes(watch, context.program, use, source),
        )


def _unwatched(context: Context, use: TapeUse) -> tuple[Computed, ...]:
    """The sources that are tensors nobody watched, where all is known."""
    values = [entry.value for entry in use.entries.entries]
    watched = [entry.value for entry in use.watched.entries]
    if not use.certain or any(isinstance(value, Unknown) for value in watched):
        return ()
    if any(entry.domain is not None for entry in use.watched.entries):
        return ()
    found = []
    for value in values:
        if not isinstance(value, Computed) or value in watched:
            continue
        seen = context.facts.recorded(value.node, use.tape)
        made = isinstance(value.function, Symbol) and value.function.name in _MAKERS
        if not (made or (seen is False and _is_tensor(value))) or (seen is not False and not made):
            continue
        if _path(context, use, Content((Entry(value),))).reaches:
            found.append(value)
    return tuple(found)


def _is_tensor(value: Value) -> bool:
    """Whether a value is certainly a tensor of TensorFlow and no variable."""
    match value:
        case Computed(function=Symbol() as symbol, arguments=Arguments(positional=positional)):
            if symbol.name in _MAKERS:
                return True
            passes = symbol.name in ("tf.cast", "tf.reshape", "tf.expand_dims", "tf.abs", "tf.tile",
                                     "tf.convert_to_tensor", "keras.ops.convert_to_tensor")  # fmt: skip
            return passes and bool(positional) and not isinstance(positional[0], (Weight, Instance))
        case Computed(function=str() as operator, arguments=Arguments(positional=positional)):
            arithmetic = operator in ("Add", "Subtract", "Multiply", "Divide", "Power", "Minus")
            return arithmetic and any(_is_tensor(part) for part in positional)
    return False


def _source_name(context: Context, use: TapeUse, source: Computed) -> str:
    for argument in use.node.args[1:2]:
        if use.sources == source:
            return context.program.text(argument.value)
    return _short(context, source.node)


@check("LK114")
def gradient_inside_own_tape(context: Context) -> Iterator[Finding]:
    """``gradient()`` inside the ``with`` block of the same tape, for no higher order."""
    uses = list(context.facts.all(TapeUse))
    higher = {
        part.call.node for use in uses for part in walk(use.target) if isinstance(part, Gradient)
    }
    for group in context.facts.groups(TapeUse):
        use = group[0]
        inside = all(one.recording and not one.others and one.certain for one in group)
        if not inside or use.node in higher or _in_loop_inside(context, use):
            continue
        if not _is_computed_before(use):
            continue
        persistent = use.tape.persistent is not False
        effect = (
            "a persistent tape then records the gradient computation as well: TensorFlow warns "
            "that this is significantly less efficient"
            if persistent
            else "the tape stops recording here, so what follows in the block is not differentiated"
        )
        yield Finding(
            "LK114",
            context.program.span(use.node),
            f"`{_short(context, use.node)}` stands inside the `with` block of its own tape",
            label="belongs behind the block",
            notes=(Note("effect", effect),),
            related=context.related((use.tape.node, "this tape still records")),
            fixes=context.fixes(move_out, context.program, use),
        )


def _is_computed_before(use: TapeUse) -> bool:
    """Whether the target has a name: one that the call itself computes must be recorded there."""
    target = argument_node(use.node, "target", 0)
    return target is not None and isinstance(target.value, (cst.Name, cst.Attribute))


def _in_loop_inside(context: Context, use: TapeUse) -> bool:
    """Whether a loop stands between the ``with`` block and the call, or a function."""
    for ancestor in context.program.ancestors(use.node):
        if isinstance(ancestor, cst.With):
            return not any(item.item is use.tape.node for item in ancestor.items)
        if isinstance(ancestor, (cst.For, cst.While, cst.FunctionDef, cst.Lambda, cst.CompFor)):
            return True
    return True


# ---------------------------------------------------------------------- what a step leaves out


def _target(step: OptimizerStep) -> Value | None:
    """The loss that the gradients of a step are of, where there is one."""
    found = {
        value.call.node: value.call.target
        for entry in step.gradients.entries
        for value in alternatives(entry.value)
        if isinstance(value, Gradient)
    }
    return next(iter(found.values())) if len(found) == 1 else None


def _is_known(value: Value) -> bool:
    """Whether nothing unknown takes part: every operation is Keras', TensorFlow's or a layer's."""
    for part in walk(value):
        match part:
            case Unknown(origin=None) | Either():
                return False
            case Computed(function=Symbol() as symbol) if symbol.flavour == "other":
                return False
            case Computed(function=Member(name=name)) if name not in ("mean", "sum"):
                return False
            case Computed(arguments=Arguments(complete=False)):
                return False
    return value != UNKNOWN


def _owners(step: OptimizerStep) -> frozenset[Value]:
    return frozenset(
        value.owner
        for entry in step.variables.entries
        for value in alternatives(entry.value)
        if isinstance(value, Weight)
    )


@check("LK117")
def regularization_losses_ignored(context: Context) -> Iterator[Finding]:
    """A custom loop that never adds the losses of the model's regularizers."""
    for group in context.facts.groups(OptimizerStep):
        found = [_regularized(step) for step in group]
        if any(one is None for one in found) or found[0] is None:
            continue
        step, layer = group[0], found[0]
        name = next(
            name
            for name, value in layer.arguments.keywords
            if name.endswith("_regularizer") and value != Const(None)
        )
        short = layer.class_name.rpartition(".")[2]
        yield Finding(
            "LK117",
            context.program.span(step.node),
            f"{name} of the {short} layer has no effect: the loss never adds the model's `losses`",
            label="trained without the penalty",
            notes=(
                Note(
                    "math",
                    "a regularizer adds lambda * R(W) to the loss; fit() does that, a loop of your "
                    "own must: loss = data loss + sum(model.losses)",
                ),
            ),
            related=context.related(*(((layer.node, "regularized here"),) if layer.node else ())),
            fixes=context.fixes(add_losses, context.program, context.facts, step),
        )


def _regularized(step: OptimizerStep) -> Instance | None:
    """A layer with a regularizer whose penalty is not in the loss."""
    target = _target(step)
    if target is None or not _is_known(target):
        return None
    for part in walk(target):
        match part:
            case Member(name=name) if "loss" in name:
                return None
            case Weight():
                return None  # a penalty written by hand
            case Instance() if part.class_name.startswith("keras.regularizers."):
                return None
    owners = _owners(step)
    if not any(isinstance(p, Computed) and p.function in owners for p in walk(target)):
        return None
    for layer in step.layers:
        for name, value in layer.arguments.keywords:
            if name.endswith("_regularizer") and isinstance(value, (Const, Instance, Symbol)):
                if value != Const(None):
                    return layer
    return None


@check("LK118")
def training_flag_missing(context: Context) -> Iterator[Finding]:
    """A training step calls a model that has Dropout or BatchNormalization without the flag."""
    if any(_sets_phase(one.term) for one in context.facts.all(Operation)):
        return
    for group in context.facts.groups(OptimizerStep):
        found = [_without_flag(context, step) for step in group]
        if any(one is None for one in found) or found[0] is None:
            continue
        call, layer = found[0]
        if not context.program.owns(call.node):
            continue
        short = layer.class_name.rpartition(".")[2]
        what = (
            "normalizes with the moving statistics and does not update them"
            if short == "BatchNormalization"
            else "lets everything through"
        )
        text = _short(context, call.node)
        yield Finding(
            "LK118",
            context.program.span(call.node),
            f"`{text}` runs in inference mode while it is trained: {short} {what}",
            label="training=True is missing",
            notes=(
                Note(
                    "effect",
                    "outside fit() a model is called with training=False unless the call says "
                    "otherwise",
                ),
            ),
            related=context.related(*(((layer.node, "this layer"),) if layer.node else ())),
            fixes=context.fixes(add_training, context.program, call.node),
        )


def _sets_phase(term: Computed) -> bool:
    """Whether training is switched on for all calls, as Keras 2 could."""
    name = term.function.name if isinstance(term.function, Symbol) else ""
    return name.endswith((".set_learning_phase", ".learning_phase_scope"))


def _without_flag(context: Context, step: OptimizerStep) -> tuple[Computed, Instance] | None:
    """The call of the trained model without ``training``, and a layer that minds."""
    target = _target(step)
    owners = _owners(step)
    if target is None or step.frozen or len(owners) != 1 or not step.layers_complete:
        return None
    calls = [p for p in walk(target) if isinstance(p, Computed) and p.function in owners]
    if not calls or not all(_is_plain_call(context, call) for call in calls):
        return None
    layer = next(_inferring(context, calls[0]), None)
    return (calls[0], layer) if layer is not None else None


def _is_plain_call(context: Context, call: Computed) -> bool:
    """Whether a model is called with an input alone, where Keras knows of no training.

    In the ``call`` of a layer or model it may: the flag is handed on to the layers inside.
    """
    plain = call.arguments.complete and len(call.arguments.positional) == 1
    if not plain or "training" in dict(call.arguments.keywords):
        return False
    return isinstance(call.node, cst.Call) and not any(
        is_forward(function, ("keras.layers.", "keras.models."))
        for one in context.facts.all(Operation)
        if one.node is call.node
        for function in one.functions
    )


def _inferring(context: Context, call: Computed) -> Iterator[Instance]:
    """The layers that behave otherwise in training and that ``call`` runs without the flag."""
    if not isinstance(call.function, Instance) or _trains_by_default(call.function):
        return
    for one in context.facts.all(LayerCall):
        if one.node is not call.node or one.layer != call.function:
            continue
        for part in walk(one.output):
            if not isinstance(part, Computed) or not isinstance(part.function, Instance):
                continue
            if part.node is not call.node and not _is_off(part.arguments.get("training", 1)):
                continue
            if part.function.class_name.rpartition(".")[2] in _STOCHASTIC:
                if part.function.arguments.get("rate", 0) != Const(0.0):
                    yield part.function
            elif part.node is not call.node:
                yield from _inferring(context, part)


def _is_off(training: Value | None) -> bool:
    return training is None or training in (Const(None), Const(False))


def _trains_by_default(model: Instance) -> bool:
    """Whether the ``call`` of a class of the program may take training to be True by itself."""
    lineage = model.cls.lineage if isinstance(model.cls, Class) else ()
    defaults = (
        parameter.default
        for cls in lineage
        if isinstance(cls, Class)
        for method in cls.node.body.body
        if isinstance(method, cst.FunctionDef) and method.name.value == "call"
        for parameter in all_parameters(method.params)
        if parameter.name.value == "training"
    )
    return any(
        default is not None
        and not (isinstance(default, cst.Name) and default.value in ("None", "False"))
        for default in defaults
    )


# ---------------------------------------------------------------------- texts


def _short(context: Context, node: cst.CSTNode) -> str:
    """The source of a node on one line, shortened."""
    text = " ".join(context.program.text(node).split())
    return text if len(text) <= 60 else text[:57] + "..."


def _sources_text(context: Context, use: TapeUse) -> str:
    for argument in use.node.args[1:2]:
        return _short(context, argument.value)
    return "the sources"
