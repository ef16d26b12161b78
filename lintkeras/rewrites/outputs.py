"""Other activations of an output layer: edits that keep the spelling of the program."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import ParamSpec

import libcst as cst

from lintkeras.findings import Edit
from lintkeras.keras_api import space
from lintkeras.keras_api.releases import place_of
from lintkeras.meaning.calling import argument_node
from lintkeras.meaning.outputs import Activation
from lintkeras.meaning.values import Instance
from lintkeras.rewrites.arguments import leave_out
from lintkeras.rewrites.code import Code
from lintkeras.syntax.program import ForeignNode

P = ParamSpec("P")
Edits = list[Edit] | None


def in_this_file(make: Callable[P, Edits]) -> Callable[P, Edits]:
    """None where the edits would have to change another file of the project."""

    @wraps(make)
    def made(*arguments: P.args, **options: P.kwargs) -> Edits:
        try:
            return make(*arguments, **options)
        except ForeignNode:
            return None

    return made


@in_this_file
def with_activation(code: Code, activation: Activation | None, name: str) -> Edits:
    """Write another activation in the place of one; None where that is not plain to do."""
    if activation is None:
        return None
    node, layer = activation.node, activation.layer
    if not isinstance(node, cst.Call):
        return named(code, node, name)
    if activation.argument or layer is None or node is not layer.node:
        return named(code, node.func, name)
    given = argument_node(node, "activation", 0)
    if given is not None:
        return named(code, given.value, name)
    if isinstance(node.func, cst.Attribute) and not node.args:
        return [code.replace(node.func.attr, "Activation"),
                code.add_argument(node, quoted(code, node, name))]  # fmt: skip
    return None


@in_this_file
def without_activation(code: Code, activation: Activation) -> Edits:
    """Leave an activation out: its argument goes, or the layer that does nothing else."""
    layer, node = activation.layer, activation.node
    if activation.argument and layer is not None and layer.node is not None:
        given = next((a for a in layer.node.args if a.value is node), None)
        edit = leave_out(code, layer.node, given) if given is not None and given.keyword else None
        return None if edit is None else [edit]
    if not isinstance(node, cst.Call):
        return None
    if layer is None:  # the function is called on the tensor
        return _only_argument(code, node, node)
    above = code.program.parent(node)
    match above:
        case cst.Call(func=func) if func is node:
            return _only_argument(code, above, above)
        case cst.Element():
            return _without_element(code, above)
        case cst.Arg():
            statement = code.small_statement(node)
            call = code.program.parent(above)
            added = (
                isinstance(call, cst.Call)
                and isinstance(call.func, cst.Attribute)
                and call.func.attr.value == "add"
            )
            if added and isinstance(statement, cst.Expr) and statement.value is call:
                edit = code.delete(statement)
                return None if edit is None else [edit]
    return None


def _without_element(code: Code, element: cst.Element) -> Edits:
    """A list without one of its elements."""
    whole = code.program.parent(element)
    if not isinstance(whole, cst.List) or len(whole.elements) < 2:
        return None
    at = next(i for i, one in enumerate(whole.elements) if one is element)
    start, end = code.span(element.value)
    if at + 1 < len(whole.elements):
        end, _ = code.span(whole.elements[at + 1].value)
    else:
        _, start = code.span(whole.elements[at - 1].value)
    if "#" in code.source(element)[start:end]:
        return None
    return [code.replace_range(element, start, end, "")]


def _only_argument(code: Code, call: cst.Call, whole: cst.CSTNode) -> Edits:
    """Put the argument of a call in its place."""
    if len(call.args) != 1 or call.args[0].star or code.comments_lost(whole, call.args[0].value):
        return None
    return [code.replace(whole, code.text(call.args[0].value))]


@in_this_file
def add_activation(code: Code, layer: Instance, name: str) -> Edits:
    """Give an activation to a layer that has none."""
    if layer.node is None:
        return None
    given = argument_node(layer.node, "activation", None)
    if given is not None:
        return named(code, given.value, name)
    return [code.add_argument(layer.node, f"activation={quoted(code, layer.node, name)}")]


def quoted(code: Code, near: cst.CSTNode, text: str) -> str:
    """A string in the quotes that the program uses most."""
    source = code.source(near)
    quote = "'" if source.count("'") > source.count('"') else '"'
    return f"{quote}{text}{quote}"


def named(code: Code, node: cst.CSTNode | None, name: str) -> Edits:
    """Another activation in the place of one: of a string, a name, the end of a dotted name."""
    match node:
        case cst.SimpleString(prefix="") if len(node.quote) == 1:
            return [code.replace(node, f"{node.quote}{name}{node.quote}")]
        case cst.Attribute(attr=attr):
            return [code.replace(attr, name)] if _has(code, node, name) else None
        case cst.Name():
            variable = code.names.variable(node)
            stores = variable.stores if variable is not None else []
            if any(isinstance(code.program.parent(store), cst.Param) for store in stores):
                return None
            return [code.replace(node, quoted(code, node, name))]
    return None


def _has(code: Code, node: cst.Attribute, name: str) -> bool:
    """Whether the module of a dotted name has another thing (``tf.sigmoid``, but no softmax)."""
    symbol = code.symbol(node)
    place = None if symbol is None else place_of(f"{symbol.path.rpartition('.')[0]}.{name}")
    return place is None or space(place.space).last_seen(place.path) is not None


def all_of(*parts: Sequence[Edit] | None) -> tuple[Edit, ...] | None:
    """Edits that belong together; None where one of them cannot be made."""
    if any(part is None for part in parts):
        return None
    return tuple(edit for part in parts if part is not None for edit in part)


@in_this_file
def with_units(code: Code, layer: Instance, units: int) -> Edits:
    """Another number of units, where it is written as a number."""
    if layer.node is None or not layer.class_name.endswith(".Dense"):
        return None
    given = argument_node(layer.node, "units", 0)
    if given is None or not isinstance(given.value, cst.Integer):
        return None
    return [code.replace(given.value, str(units))]
