"""Whether code runs eagerly or while a graph is traced."""

from __future__ import annotations

import libcst as cst

from lintkeras.checks.passes import calls, decorated
from lintkeras.checks.registry import Context
from lintkeras.meaning.facts import ActivationUse, LayerClass, Operation
from lintkeras.meaning.values import Symbol, walk

_TRACED_METHODS = frozenset({
    "call", "train_step", "test_step", "predict_step", "compute_loss", "compute_metrics",
})  # fmt: skip
_EAGER_NAMES = frozenset({
    "run_eagerly", "run_functions_eagerly", "experimental_run_functions_eagerly",
    "executing_eagerly", "inside_function", "enable_numpy_behavior",
})  # fmt: skip
_RUN_EAGERLY = frozenset({
    "tf.py_function", "tf.numpy_function", "tf.py_func", "tf.compat.v1.py_func",
})  # fmt: skip


def eager_on_purpose(context: Context) -> bool:
    """Whether the program asks for eager execution somewhere, or asks which one it is in."""
    return any(
        isinstance(node, cst.Name) and node.value in _EAGER_NAMES for node in context.program.nodes
    )


def is_traced(context: Context, node: cst.CSTNode) -> bool:
    """Whether a node stands in a function that certainly becomes a graph.

    Under ``tf.function``, or a method of a layer or model that ``fit`` traces.
    """
    layers = {one.node for one in context.facts.all(LayerClass)}
    inside = [node, *context.program.ancestors(node)]
    for index, ancestor in enumerate(inside):
        if ancestor in context.facts.staged:
            return True
        if isinstance(ancestor, cst.FunctionDef) and ancestor.name.value in _TRACED_METHODS:
            if any(isinstance(a, cst.ClassDef) and a in layers for a in inside[index : index + 3]):
                return True
    return False


def is_given_arrays(context: Context, function: cst.CSTNode) -> bool:
    """Whether a function is called by ``tf.py_function`` and the like, which run eagerly."""
    return any(
        isinstance(one.term.function, Symbol)
        and one.term.function.name in _RUN_EAGERLY
        and any(decorated(part) is function for part in walk(one.term))
        for one in context.facts.all(Operation)
    )


def is_used_in_graph(context: Context, function: cst.CSTNode) -> bool:
    """Whether a function under a custom gradient is certainly called in a graph."""
    if is_traced(context, function):
        return True
    places = [call.node for call in calls(context, function)]
    if any(is_traced(context, place) for place in places):
        return True
    for use in context.facts.all(ActivationUse):
        activation = decorated(use.activation)
        if activation is function:
            return True
        if activation is not None and any(
            activation in context.program.ancestors(place) for place in places
        ):
            return True
    return False
