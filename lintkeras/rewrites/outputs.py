"""Other activations of an output layer, other losses: edits that keep the spelling of the program."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import ParamSpec

import libcst as cst

from lintkeras.findings import Edit
from lintkeras.meaning.calling import argument_node
from lintkeras.meaning.outputs import Activation, Loss
from lintkeras.meaning.values import Instance, Symbol
from lintkeras.rewrites.arguments import leave_out
from lintkeras.rewrites.code import Code
from lintkeras.rewrites.imports import insert, reach
from lintkeras.syntax.program import ForeignNode

_CLASSES = {
    "binary_crossentropy": "BinaryCrossentropy",
    "categorical_crossentropy": "CategoricalCrossentropy",
    "sparse_categorical_crossentropy": "SparseCategoricalCrossentropy",
}

P = ParamSpec("P")
Edits = list[Edit] | None


def _in_this_file(make: Callable[P, Edits]) -> Callable[P, Edits]:
    """None where the edits would have to change another file of the project."""

    @wraps(make)
    def made(*arguments: P.args, **options: P.kwargs) -> Edits:
        try:
            return make(*arguments, **options)
        except ForeignNode:
            return None

    return made


@_in_this_file
def with_activation(code: Code, activation: Activation, name: str) -> Edits:
    """Write another activation in the place of one; None where that is not plain to do."""
    node = activation.node
    if isinstance(node, cst.Call):
        if (
            activation.layer is not None
            and node is activation.layer.node
            and not activation.argument
        ):
            given = argument_node(node, "activation", 0)
            return None if given is None else _named(code, given.value, name)
        return _named(code, node.func, name)
    return _named(code, node, name) if isinstance(node, cst.BaseExpression) else None


@_in_this_file
def without_activation(code: Code, activation: Activation) -> Edits:
    """Leave an activation out: the argument goes, a layer of its own becomes linear."""
    layer, node = activation.layer, activation.node
    if activation.argument and layer is not None and layer.node is not None:
        given = next((a for a in layer.node.args if a.value is node), None)
        edit = leave_out(code, layer.node, given) if given is not None and given.keyword else None
        return None if edit is None else [edit]
    return with_activation(code, activation, "linear")


@_in_this_file
def add_activation(code: Code, layer: Instance, name: str) -> Edits:
    """Give an activation to a layer that has none."""
    if layer.node is None or argument_node(layer.node, "activation", None) is not None:
        return None
    quote = '"'
    if any(isinstance(a.value, cst.SimpleString) and a.value.quote == "'" for a in layer.node.args):
        quote = "'"
    return [code.add_argument(layer.node, f"activation={quote}{name}{quote}")]


@_in_this_file
def with_loss(
    code: Code,
    node: cst.BaseExpression | None,
    loss: Loss,
    name: str,
    *,
    from_logits: bool | None = None,
) -> Edits:
    """Write another loss in the place of one; ``from_logits`` None leaves that as it is."""
    value = loss.value
    if isinstance(node, cst.SimpleString):
        if from_logits is True:
            return _as_object(code, node, loss, name)
        return _named(code, node, name)
    call = value.node if isinstance(value, Instance) else None
    if call is not None:
        edits = [] if name == loss.name else _named(code, call.func, _CLASSES.get(name, ""))
        flag = [] if from_logits is None else _flag(code, call, from_logits)
        return None if edits is None or flag is None else [*edits, *flag]
    if isinstance(value, Symbol) and node is not None and from_logits is None:
        return _named(code, node, name)
    return None


def _flag(code: Code, call: cst.Call, wanted: bool) -> Edits:
    """``from_logits=`` of a loss object."""
    given = next(
        (a for a in call.args if a.keyword is not None and a.keyword.value == "from_logits"), None
    )
    if given is None:
        if any(a.keyword is None for a in call.args):
            return None
        return [code.add_argument(call, "from_logits=True")] if wanted else []
    if not wanted:
        edit = leave_out(code, call, given)
        return None if edit is None else [edit]
    return [code.replace(given.value, "True")]


def _as_object(code: Code, node: cst.SimpleString, loss: Loss, name: str) -> Edits:
    """``keras.losses.X(from_logits=True)`` in the place of a string."""
    cls = _CLASSES.get(name)
    top = code.program.top_level_statement(node)
    if cls is None:
        return None
    module = reach(code, f"{_root(code)}.losses", top)
    edits = insert(code, top, [], [module.missing]) if module.missing else []
    return [*edits, code.replace(node, f"{module.expression}.{cls}(from_logits=True)")]


def _root(code: Code) -> str:
    """The Keras that a program uses: ``tensorflow.keras`` where it knows only that one."""
    flavours = {v.flavour for v in code.facts.names.values() if isinstance(v, Symbol)}
    if "keras" in flavours:
        return "keras"
    return "tf_keras" if "tf_keras" in flavours else "tensorflow.keras"


def _named(code: Code, node: cst.CSTNode, name: str) -> Edits:
    """Another name in the place of one: of a string, or of the last part of a dotted name."""
    if not name:
        return None
    match node:
        case cst.SimpleString(prefix="") if len(node.quote) == 1:
            return [code.replace(node, f"{node.quote}{name}{node.quote}")]
        case cst.Attribute(attr=attr):
            return [code.replace(attr, name)]
    return None


def all_of(*parts: Sequence[Edit] | None) -> tuple[Edit, ...] | None:
    """Edits that belong together; None where one of them cannot be made."""
    if any(part is None for part in parts):
        return None
    return tuple(edit for part in parts if part is not None for edit in part)


@_in_this_file
def with_units(code: Code, layer: Instance, units: int) -> Edits:
    """Another number of units, where it is written as a number."""
    if layer.node is None or not layer.class_name.endswith(".Dense"):
        return None
    given = argument_node(layer.node, "units", 0)
    if given is None or not isinstance(given.value, cst.Integer):
        return None
    return [code.replace(given.value, str(units))]
