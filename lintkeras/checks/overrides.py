"""The gradient table of a graph, which nothing reads when operations run eagerly."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from lintkeras.checks.registry import Context, check
from lintkeras.findings import Finding, Note
from lintkeras.meaning.facts import CompiledModel, ModelTrained, Operation, TapeUse
from lintkeras.meaning.outline import dotted
from lintkeras.meaning.values import Computed, Instance, Member, Symbol, Value

_DEFAULT_GRAPHS = frozenset({
    "tf.compat.v1.get_default_graph", "tf.python.framework.ops.get_default_graph",
})  # fmt: skip
# Words of programs that build graphs and run them in sessions, or choose the graph themselves.
_GRAPH_PROGRAMS = frozenset({
    "Session", "InteractiveSession", "get_session", "placeholder", "ConfigProto", "as_default",
    "disable_eager_execution", "disable_v2_behavior", "global_variables_initializer", "contrib",
    "gradients", "import_graph_def", "wrap_function", "tensorflow.compat.v1",
})  # fmt: skip
_EAGER_WORDS = frozenset({"numpy", "py_function", "numpy_function"})


@check("LK130")
def gradient_override_in_eager(context: Context) -> Iterator[Finding]:
    """gradient_override_map where no gradient is taken from the graph that it belongs to."""
    groups = [g for g in context.facts.groups(Operation) if _overridden(g[0]) is not None]
    if not groups or _builds_graphs(context):
        return
    for group in groups:
        node = group[0].node
        if not context.program.owns(node):
            continue
        reasons = {_why_in_vain(context, one) for one in group}
        reason = reasons.pop()
        if reason is None or reasons:
            continue
        yield Finding(
            "LK130",
            context.program.span(node),
            f"gradient_override_map has no effect here: {reason}",
            label="the registered gradient is never called",
            notes=(
                Note(
                    "effect",
                    "no error: gradients are those of the operations themselves, as if the `with` "
                    "were not there; in fit() and train_on_batch() likewise",
                ),
                Note(
                    "note",
                    "put the other gradient into the function, with tf.custom_gradient; in a "
                    "model that exists already, replace the activation and clone the model",
                ),
            ),
        )


def _overridden(operation: Operation) -> Value | None:
    """The graph of which an operation changes the gradient table."""
    match operation.term.function:
        case Member(of=graph, name="gradient_override_map"):
            return graph
    return None


def _why_in_vain(context: Context, operation: Operation) -> str | None:
    """Why the override reaches no gradient, this time; None where it may, or is not known."""
    graph = _overridden(operation)
    if graph is None:
        return None
    if isinstance(graph, Instance) and graph.class_name == "tf.Graph":
        return "no operation is built in this new graph"
    if not _is_default_graph(graph):
        return None
    staged = [f.node for f in operation.functions if f.node in context.facts.staged]
    if staged:
        function = staged[-1]
        tapes = context.facts.recordings.get(operation.node, set())
        inside = [
            bool(recording)
            and all(function in context.program.ancestors(tape.node) for tape in recording)
            for recording in tapes
        ]
        alone = inside and all(inside)
        return "the tape records inside the same tf.function" if alone else None
    if not operation.functions:
        return "operations that run eagerly are not looked up in a graph"
    outermost = operation.functions[0].node
    called = None not in context.facts.entered.get(outermost, {None})
    if (called or not context.facts.staged) and _is_eager(context):
        return "operations that run eagerly are not looked up in a graph"
    return None


def _is_default_graph(value: Value) -> bool:
    return (
        isinstance(value, Computed)
        and isinstance(value.function, Symbol)
        and value.function.name in _DEFAULT_GRAPHS
    )


def _is_eager(context: Context) -> bool:
    """Whether the program takes gradients with a tape, trains with Keras, or reads arrays."""
    facts = context.facts
    if any(next(iter(facts.all(kind)), None) for kind in (TapeUse, ModelTrained, CompiledModel)):
        return True
    return bool(_attributes(context) & _EAGER_WORDS)


def _builds_graphs(context: Context) -> bool:
    """Whether the program builds graphs by itself, in the manner of TensorFlow 1."""
    nodes = context.program.nodes
    imported = {dotted(node.name) for node in nodes if isinstance(node, cst.ImportAlias)}
    return bool((_attributes(context) | imported) & _GRAPH_PROGRAMS)


def _attributes(context: Context) -> set[str]:
    """The names of all attributes that the program reads."""
    return {node.attr.value for node in context.program.nodes if isinstance(node, cst.Attribute)}
