"""Layer classes: methods that Keras never calls, weights that never learn."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from lintkeras.checks.registry import Context, check
from lintkeras.findings import Finding, Note, Severity
from lintkeras.meaning.backends import other_backends
from lintkeras.meaning.differentiation import connection
from lintkeras.meaning.facts import (
    FORWARD,
    GRADIENTS,
    LayerClass,
    ModelTrained,
    ObjectMade,
    OptimizerStep,
    TapeUse,
)
from lintkeras.meaning.training import Layers, adds_losses, is_it
from lintkeras.meaning.values import Class, Function, Instance, Weight
from lintkeras.rewrites.layers import custom_gradient_call, rename_to_call
from lintkeras.syntax.tree import nodes
from lintkeras.target import parse

_METHODS = frozenset({
    "build", "get_config", "from_config", "compute_output_shape", "compute_output_spec",
    "compute_mask", "get_build_config", "build_from_config", FORWARD, *GRADIENTS,
})  # fmt: skip
_BARE = frozenset({"keras.layers.Layer", "keras.models.Model"})


@check("LK128")
def layer_method_never_called(context: Context) -> Iterator[Finding]:
    """``forward`` without ``call``, or a ``backward`` method that nobody calls."""
    mentioned = _mentioned(context)
    for layer in context.facts.all(LayerClass):
        if not layer.cls.plain:
            continue
        for summary in layer.foreign:
            method = summary.function
            if method.name in mentioned or _is_left_open(method):
                continue
            if method.name == FORWARD:
                used = _is_made(context, layer.cls) or _speaks_keras(layer)
                if used and not _has_call(context, layer):
                    yield _forward(context, layer, method)
            elif _is_made(context, layer.cls) and FORWARD not in mentioned:
                yield _backward(context, layer, method)


def _forward(context: Context, layer: LayerClass, method: Function) -> Finding:
    assert isinstance(method.node, cst.FunctionDef)
    name = layer.node.name.value
    return Finding(
        "LK128",
        context.program.span(method.node.name),
        f"`{name}.forward` is never called: Keras calls `call`, and `{name}` has none; so it "
        f"{_without_call(context, layer)}",
        notes=(
            Note("note", "`forward` is the method of PyTorch and TensorLayer; rename it to `call`"),
        ),
        fixes=context.fixes(rename_to_call, context.code, layer),
    )


def _without_call(context: Context, layer: LayerClass) -> str:
    """What a layer without ``call`` does when it is called."""
    old, new = "passes its input on unchanged", "raises NotImplementedError"
    if "keras.models.Model" in layer.bases:
        return new
    if context.target is not None:
        target = parse(context.target)
        two, three = target.allows((2, 15)), target.allows((3, 0))
        if two != three:
            return old if two else new
    return f"{new} (in Keras 2 it {old})"


def _backward(context: Context, layer: LayerClass, method: Function) -> Finding:
    assert isinstance(method.node, cst.FunctionDef)
    name = f"{layer.node.name.value}.{method.name}"
    facts = context.facts
    trains = any(True for kind in (ModelTrained, OptimizerStep) for _ in facts.groups(kind))
    return Finding(
        "LK128",
        context.program.span(method.node.name),
        f"`{name}` is never called: Keras differentiates what `call` computes",
        severity=None if trains else Severity.WARNING,
        notes=(
            Note(
                "note",
                "another backward pass is a tf.custom_gradient (or keras.ops.custom_gradient) "
                "inside `call`",
            ),
        ),
        fixes=context.fixes(custom_gradient_call, context.code, layer, method),
    )


def _speaks_keras(layer: LayerClass) -> bool:
    """Whether a class has no public methods but those that Keras knows, and ``forward``.

    Others may belong to a protocol of its own, by which ``forward`` is called elsewhere.
    """
    own = {f.name for _, f in layer.methods if f.cls is layer.cls}
    return all(name.startswith("_") or name in _METHODS for name in own)


def _has_call(context: Context, layer: LayerClass) -> bool:
    """Whether the class, a base or a class below it says what calling it computes.

    PyTorch would call ``forward`` where Keras runs on it.
    """
    if not set(layer.bases) <= _BARE | {b for b in layer.bases if not b.startswith("keras.")}:
        return True
    if "torch" in other_backends(context.program.nodes):
        return True
    family = [one for one in context.facts.all(LayerClass) if layer.cls in one.cls.lineage]
    classes = {c for one in family for c in one.cls.lineage if isinstance(c, Class)}
    return any({"call", "__call__"} & set(_members(cls)) for cls in classes)


def _members(cls: Class) -> Iterator[str]:
    """The names that stand in the body of a class."""
    for node in cls.node.body.body:
        if isinstance(node, (cst.FunctionDef, cst.ClassDef)):
            yield node.name.value
        elif isinstance(node, cst.SimpleStatementLine):
            for part in nodes(node):
                if isinstance(part, cst.AssignTarget) and isinstance(part.target, cst.Name):
                    yield part.target.value
        else:
            yield from (
                part.name.value for part in nodes(node) if isinstance(part, cst.FunctionDef)
            )


def _is_made(context: Context, cls: Class) -> bool:
    """Whether the program makes an object of a class or of one below it."""
    return any(
        isinstance(made.instance, Instance)
        and isinstance(made.instance.cls, Class)
        and cls in made.instance.cls.lineage
        for made in context.facts.all(ObjectMade)
    )


def _is_left_open(method: Function) -> bool:
    """Whether a method is abstract, decorated, or has no body of its own."""
    node = method.node
    if not isinstance(node, cst.FunctionDef) or node.decorators:
        return True
    if not isinstance(node.body, cst.IndentedBlock):
        return False
    return all(
        isinstance(line, cst.SimpleStatementLine)
        and all(
            isinstance(one, (cst.Pass, cst.Raise))
            or (isinstance(one, cst.Expr) and not isinstance(one.value, cst.Call))
            for one in line.body
        )
        for line in node.body.body
    )


def _mentioned(context: Context) -> frozenset[str]:
    """Attributes and strings of the program: by these names a method may be called.

    ``tape.gradient`` is a method of a tape.
    """
    tapes = {fact.node.func for fact in context.facts.all(TapeUse)}
    names: set[str] = set()
    for node in context.program.nodes:
        match node:
            case cst.Attribute() if node not in tapes:
                names.add(node.attr.value)
            case cst.SimpleString():
                value = node.evaluated_value
                if isinstance(value, str):
                    names.add(value)
            case cst.ClassDef():
                names.update(_aliased(node))
    return frozenset(names)


def _aliased(node: cst.ClassDef) -> Iterator[str]:
    """The names that the body of a class gives another name to: ``call = forward``."""
    for line in node.body.body:
        for statement in line.body if isinstance(line, cst.SimpleStatementLine) else ():
            if isinstance(statement, (cst.Assign, cst.AnnAssign)) and statement.value is not None:
                yield from (n.value for n in nodes(statement.value) if isinstance(n, cst.Name))


@check("LK131")
def trainable_under_stop_gradient(context: Context) -> Iterator[Finding]:
    """A trainable weight that ``call`` only reads under ``stop_gradient``."""
    program, layers = context.program, Layers(context.facts)
    if adds_losses(program.modules):
        return
    for layer in context.facts.all(LayerClass):
        if layer.plain_call is None or not layer.cls.plain:
            continue
        for name, weight in layer.attributes:
            if not isinstance(weight, Weight) or not layers.is_trainable(weight):
                continue
            ways = [connection(result, is_it(weight)) for result in layer.plain_call.results]
            cuts = [cut for way in ways for cut in way.cuts]
            if not cuts or any(way.reaches is not False for way in ways):
                continue
            if {cut.reason for cut in cuts} != {"stop"} or layers.is_read_elsewhere(
                program.modules, layer, name
            ):
                continue
            node = cuts[0].at.node
            made = [] if weight.made_by is None else [(weight.made_by, "made trainable here")]
            yield Finding(
                "LK131",
                program.span(node),
                f"`self.{name}` is trainable, but `call` only reads it under stop_gradient, so it "
                "never learns; leave it out of the stop, or make it with trainable=False",
                notes=(
                    Note(
                        "math",
                        "the derivative of stop_gradient(f(w, x)) with respect to w is 0 by "
                        "definition",
                    ),
                ),
                related=context.related(*made),
            )
