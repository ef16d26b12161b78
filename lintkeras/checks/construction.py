"""Objects that are made anew in every step, though their state is to last."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import libcst as cst

from lintkeras.checks.expected import raises_on_purpose
from lintkeras.checks.registry import Context, check
from lintkeras.findings import Finding, Note
from lintkeras.meaning.backends import other_backends
from lintkeras.meaning.facts import LayerClass, ObjectMade, OptimizerStep
from lintkeras.meaning.values import (
    Arguments,
    Class,
    Const,
    Instance,
    Member,
    Symbol,
    Unknown,
    Value,
    Weight,
    alternatives,
)

_STEPS = ("train_step", "test_step", "predict_step")
_MODELS = {"keras.models.Model", "keras.models.Sequential"}
_SCHEDULES = ".schedules."


@dataclass(frozen=True)
class _Step:
    """The function that is run once for each batch."""

    node: cst.FunctionDef | cst.Lambda
    by_keras: bool
    """Whether Keras calls it, as the ``train_step`` of a model."""

    @property
    def text(self) -> str:
        """What a message calls it."""
        name = self.node.name.value if isinstance(self.node, cst.FunctionDef) else "a lambda"
        return (
            f"{name}(), which Keras runs for every batch"
            if self.by_keras
            else f"the tf.function {name}"
        )


@check("LK119")
def optimizer_created_in_step(context: Context) -> Iterator[Finding]:
    """an optimizer, metric or model is made inside the step that uses it."""
    if other_backends(context.program.nodes):
        return
    found: dict[cst.CSTNode, Finding] = {}
    for node, finding in (*_in_graphs(context), *_in_loops(context)):
        found.setdefault(node, finding)
    yield from found.values()


# ------------------------------------------------------------------ in a graph


def _in_graphs(context: Context) -> Iterator[tuple[cst.CSTNode, Finding]]:
    by_keras = _steps_of_keras(context)
    for group in _lasting(context):
        steps = {_graph_around(context, one, by_keras) for one in group}
        step = steps.pop()
        if step is not None and not steps:
            yield group[0].node, _in_a_graph(context, group[0], step)


def _lasting(context: Context) -> Iterator[Sequence[ObjectMade]]:
    """Where something is made that has variables of its own."""
    trained = _trained(context)
    for group in context.facts.groups(ObjectMade):
        if all(_has_state(one.instance) or one.instance in trained for one in group):
            yield group


def _has_state(instance: Instance) -> bool:
    """Whether it is an optimizer or a metric of Keras."""
    if not isinstance(instance.cls, Symbol) or _SCHEDULES in instance.cls.path:
        return False
    return instance.class_name.startswith(("keras.optimizers.", "keras.metrics."))


def _trained(context: Context) -> set[Instance]:
    """The layers and models whose variables an optimizer is given."""
    return {
        value.owner
        for step in context.facts.all(OptimizerStep)
        for entry in step.variables.entries
        for value in alternatives(entry.value)
        if isinstance(value, Weight) and isinstance(value.owner, Instance)
    }


def _graph_around(
    context: Context, made: ObjectMade, by_keras: frozenset[cst.CSTNode]
) -> _Step | None:
    """The function that a graph is made of, in which something is made each time it is traced."""
    for index, node in enumerate(made.running):
        step = _step_of(context, node, by_keras)
        if step is None:
            continue
        if not context.program.owns(node):
            return None
        inside = made.running[index:]
        conditional = any(
            context.program.owns(test.node) and _inside(context, test.node, function)
            for test in made.tests
            for function in inside
        )
        if conditional or not _runs_always(context, made, inside):
            return None
        calls = [call for call in context.facts.entered.get(node, ()) if call is not None]
        if any(raises_on_purpose(context.program, c) for c in calls if context.program.owns(c)):
            return None
        return step
    return None


def _step_of(context: Context, node: cst.CSTNode, by_keras: frozenset[cst.CSTNode]) -> _Step | None:
    if not isinstance(node, (cst.FunctionDef, cst.Lambda)):
        return None
    if node in context.facts.staged:
        alone = isinstance(node, cst.Lambda) or len(node.decorators) < 2
        return _Step(node, by_keras=False) if alone else None  # another decorator may run it
    return _Step(node, by_keras=True) if node in by_keras else None


def _steps_of_keras(context: Context) -> frozenset[cst.CSTNode]:
    """The methods of the program's models that Keras runs for each batch."""
    return frozenset(
        method.node
        for one in context.facts.all(LayerClass)
        for name, method in one.methods
        if name in _STEPS and one.cls.plain and _MODELS & set(one.bases)
    )


def _inside(context: Context, node: cst.CSTNode, outer: cst.CSTNode) -> bool:
    return context.program.owns(outer) and context.code.inside(node, outer)


def _runs_always(context: Context, made: ObjectMade, functions: Sequence[cst.CSTNode]) -> bool:
    """Whether the object is made whenever the first of these functions is entered."""
    calls = [part for part in made.instance.identity[1:] if isinstance(part, tuple)]
    places = [one for call in calls for one in call if isinstance(one, cst.CSTNode)]
    for place in (made.node, *places):
        if not context.program.owns(place):
            return False
        if not any(_inside(context, place, function) for function in functions):
            continue
        if _is_guarded(context, place):
            return False
    return True


def _is_guarded(context: Context, node: cst.CSTNode) -> bool:
    """Whether something in its function may keep an expression from being evaluated."""
    program, below = context.program, node
    for ancestor in program.ancestors(node):
        if isinstance(ancestor, (cst.FunctionDef, cst.Lambda)):
            return False
        if isinstance(ancestor, (cst.BooleanOperation, cst.IfExp, cst.If, cst.Try, cst.Match)):
            return True
        if isinstance(ancestor, cst.With) and any(_lifts(item.item) for item in ancestor.items):
            return True
        if isinstance(ancestor, cst.IndentedBlock):
            above = ancestor.body[: ancestor.body.index(below)]
            if any(_may_leave(statement) for statement in above):
                return True
        below = ancestor
    return False


def _lifts(manager: cst.BaseExpression) -> bool:
    """``tf.init_scope()``: what is made there is made in the graph around, if there is one."""
    match manager:
        case cst.Call(func=cst.Attribute(attr=cst.Name("init_scope")) | cst.Name("init_scope")):
            return True
    return False


def _may_leave(statement: cst.CSTNode) -> bool:
    """Whether a statement holds one that leaves the function or the loop."""
    stack: list[cst.CSTNode] = [statement]
    while stack:
        part = stack.pop()
        if isinstance(part, (cst.Return, cst.Raise, cst.Break, cst.Continue)):
            return True
        if not isinstance(part, (cst.FunctionDef, cst.ClassDef, cst.Lambda)):
            stack.extend(part.children)
    return False


_SINGLETON = (
    "ValueError: tf.function only supports singleton tf.Variables created on the first call; run "
    "eagerly, its state is lost from batch to batch"
)


def _in_a_graph(context: Context, made: ObjectMade, step: _Step) -> Finding:
    return Finding(
        "LK119",
        context.program.span(made.node),
        f"{_what(made.instance)} is made inside of {step.text}: make it once, outside",
        notes=(Note("effect", _SINGLETON),),
        related=context.related((_head(step.node), "runs once for each batch")),
    )


def _head(node: cst.FunctionDef | cst.Lambda) -> cst.CSTNode:
    return node.name if isinstance(node, cst.FunctionDef) else node


def _what(instance: Instance) -> str:
    name = instance.class_name.rpartition(".")[2]
    if instance.class_name.startswith("keras.optimizers."):
        return f"the optimizer {name}"
    if instance.class_name.startswith("keras.metrics."):
        return f"the metric {name}"
    return (
        f"the layer {name}"
        if instance.class_name.startswith("keras.layers.")
        else f"the model {name}"
    )


# ------------------------------------------------------------------ in a loop


class _Made:
    """What the program makes, by the object and by the place."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.of: dict[Instance, list[ObjectMade]] = {}
        self.at: dict[cst.CSTNode, list[ObjectMade]] = {}
        for one in context.facts.all(ObjectMade):
            self.of.setdefault(one.instance, []).append(one)
            self.at.setdefault(one.node, []).append(one)


def _in_loops(context: Context) -> Iterator[tuple[cst.CSTNode, Finding]]:
    made = _Made(context)
    for group in context.facts.groups(OptimizerStep):
        for search in (_optimizer_of_the_round, _model_of_the_round):
            found = [search(made, step) for step in group]
            one = found[0]
            if one is not None and all(other and other.node is one.node for other in found):
                yield one.node, _in_a_loop(context, one, group[0])


def _optimizer_of_the_round(made: _Made, step: OptimizerStep) -> ObjectMade | None:
    """The optimizer of a step, where each round of the loop makes one for this single step."""
    optimizer = step.optimizer
    if not isinstance(optimizer, Instance) or not _has_state(optimizer):
        return None
    found = _made_each_round(made, step, optimizer)
    if found is None or not _keeps_state(optimizer):
        return None
    arguments = {one.instance.arguments for one in made.at[found.node]}
    if len(arguments) != 1 or not _is_fixed(arguments.pop()):
        return None  # another one in each round: a search for the best
    outlive = [_outlives(made, owner, step.loops) for owner in _owners(step)]
    lasting = bool(outlive) and all(outlive)
    places = (step.loops[-1], *found.running)
    return found if lasting and not _starts_over(made.context, places) else None


def _model_of_the_round(made: _Made, step: OptimizerStep) -> ObjectMade | None:
    """The model that is trained, where each round makes one for an optimizer that lasts."""
    optimizer = step.optimizer
    owners = list(dict.fromkeys(_owners(step)))
    if not isinstance(optimizer, Instance) or not _has_state(optimizer) or len(owners) != 1:
        return None
    (owner,) = owners
    if not isinstance(owner, Instance) or owner.class_name == "tf.Variable":
        return None
    if not _outlives(made, optimizer, step.loops):
        return None
    return _made_each_round(made, step, owner)


def _owners(step: OptimizerStep) -> list[Value]:
    """What holds the variables that are trained: layers, models, the variables themselves."""
    return [
        value.owner if isinstance(value, Weight) else value
        for entry in step.variables.entries
        for value in alternatives(entry.value)
    ]


def _made_each_round(made: _Made, step: OptimizerStep, instance: Instance) -> ObjectMade | None:
    """Where an object is made in each round of the loop that the step stands in."""
    found = made.of.get(instance)
    if not found or not step.loops or any(one.loops != step.loops for one in found):
        return None
    one, program = found[0], made.context.program
    owned = program.owns(step.loops[-1]) and program.owns(one.node)
    if not owned or not set(one.tests) <= set(step.tests):
        return None
    return None if _is_guarded(made.context, one.node) else one


def _keeps_state(optimizer: Instance) -> bool:
    """Whether the next step of an optimizer depends on the steps before."""
    if not optimizer.class_name.endswith(".SGD"):
        return True
    momentum = optimizer.arguments.get("momentum", 1)
    rate = optimizer.arguments.get("learning_rate", 0)
    plain = momentum is None or (isinstance(momentum, Const) and not momentum.value)
    return not plain or isinstance(rate, Instance)


def _is_fixed(arguments: Arguments) -> bool:
    """Whether arguments are the same each time: constants, or made of constants."""
    values = [*arguments.positional, *(value for _, value in arguments.keywords)]
    return arguments.complete and all(
        isinstance(value, (Const, Symbol))
        or (isinstance(value, Instance) and _is_fixed(value.arguments))
        for value in values
    )


def _outlives(made: _Made, owner: Value, loops: tuple[cst.CSTNode, ...]) -> bool:
    """Whether an object is certainly the same in all rounds of the innermost loop."""
    match owner:
        case Instance(identity=("self", _)):
            return True
        case Instance():
            found = made.of.get(owner, [])
            before = [loops[: len(one.loops)] == one.loops != loops for one in found]
            return bool(before) and all(before)
        case Member(of=of):
            return _outlives(made, of, loops)
        case Unknown(origin=("parameter", node, _)):
            return isinstance(node, cst.CSTNode) and _inside(made.context, loops[-1], node)
        case Unknown(origin=("attribute", of, _)):
            return _outlives(made, of, loops)  # type: ignore[arg-type]
        case Unknown(origin=("free", _)) | Symbol() | Class():
            return True
    return False


def _starts_over(context: Context, places: Sequence[cst.CSTNode]) -> bool:
    """Whether a round may put the weights back: then each is an experiment of its own."""
    names = ("set_weights", "load_weights", "restore", "read", "assign", "load_state_dict")
    uses = [use for name in names for use in context.code.names.attribute_uses(name)]
    return any(_inside(context, use, place) for use in uses for place in places)


def _in_a_loop(context: Context, made: ObjectMade, step: OptimizerStep) -> Finding:
    name = made.instance.class_name.rpartition(".")[2]
    model = not _has_state(made.instance)
    return Finding(
        "LK119",
        context.program.span(made.node),
        f"{_what(made.instance)} is made anew for every step: make it once, before the loop",
        notes=(Note("effect", _UNKNOWN if model else _FORGETS.get(name, _FORGETS_ALL)),),
        related=context.related(
            (step.node, "the only step that it takes" if not model else "its only step")
        ),
    )


_UNKNOWN = (
    "what a step has learned is gone with the next round, and the optimizer refuses variables that "
    "it was not built for: ValueError or KeyError (since Keras 2.11)"
)
_FORGETS_ALL = "its moving averages and its step counter start at zero every time"
_FORGETS = {
    **dict.fromkeys(
        ("Adam", "AdamW", "Nadam", "Adamax", "Lamb"),
        "the first step of it divides the gradient by its own size: every step is lr * sign(g)",
    ),
    "RMSprop": (
        "the first step of it divides the gradient by sqrt(1 - rho) times its own size: every step "
        "is lr / sqrt(1 - rho) * sign(g)"
    ),
    "SGD": "its momentum and its schedule start at zero every time",
}
