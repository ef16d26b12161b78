"""Another metric in the place of one, or none: edits of the ``metrics`` of a ``compile``."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from lintkeras.findings import Edit
from lintkeras.meaning.calling import argument_node
from lintkeras.meaning.outputs import Head
from lintkeras.meaning.values import Const, Instance, Value
from lintkeras.rewrites.arguments import leave_out
from lintkeras.rewrites.code import Code
from lintkeras.syntax.tree import nodes

_READERS = frozenset({"evaluate", "test_on_batch", "train_on_batch", "metrics_names"})
"""What gives the values of the metrics by their number."""


def written(head: Head, metric: Value) -> cst.BaseExpression | None:
    """Where the ``compile`` itself writes a metric, where that is one place only."""
    argument = argument_node(head.node, "metrics", 3)
    found = [
        node
        for node in (_elements(argument.value, head.name) if argument is not None else ())
        if _is(node, metric)
    ]
    return found[0] if len(found) == 1 else None


def _is(node: cst.BaseExpression, metric: Value) -> bool:
    match node, metric:
        case cst.SimpleString(), Const(value=value):
            return node.evaluated_value == value
        case cst.Call(), Instance(node=made):
            return made is node
    return isinstance(node, (cst.Name, cst.Attribute)) and not isinstance(metric, (Const, Instance))


def _elements(node: cst.BaseExpression, name: object) -> Iterator[cst.BaseExpression]:
    """The metrics in lists and dictionaries that are written out, of one output."""
    match node:
        case cst.List(elements=elements) | cst.Tuple(elements=elements):
            for element in elements:
                if isinstance(element, cst.Element):
                    yield from _elements(element.value, name)
        case cst.Dict(elements=entries):
            for entry in entries:
                if isinstance(entry, cst.DictElement) and isinstance(entry.key, cst.SimpleString):
                    if name is None or entry.key.evaluated_value == name:
                        yield from _elements(entry.value, name)
        case _:
            yield node


def replaced(code: Code, node: cst.BaseExpression, name: str) -> Edit:
    """The name of a metric in the place of one."""
    quote = '"'
    strings = [part for part in nodes(code.module(node)) if isinstance(part, cst.SimpleString)]
    if isinstance(node, cst.SimpleString):
        quote = node.quote[:1]
    elif strings and not any(part.quote == '"' for part in strings):
        quote = "'"
    return code.replace(node, f"{quote}{name}{quote}")


def removed(code: Code, call: cst.Call, node: cst.BaseExpression) -> Edit | None:
    """The ``compile`` without a metric; None where that is not plain to do."""
    argument = argument_node(call, "metrics", 3)
    if argument is None or argument.keyword is None or not isinstance(argument.value, cst.List):
        return None
    elements = argument.value.elements
    if not any(one.value is node for one in elements) or any(code.comments(argument.value)):
        return None
    if len(elements) == 1:
        return leave_out(code, call, argument)
    rest = ", ".join(code.text(one.value) for one in elements if one.value is not node)
    if "\n" in code.text(argument.value) or any(not isinstance(e, cst.Element) for e in elements):
        return None
    return code.replace(argument.value, f"[{rest}]")


def is_read(code: Code, name: str) -> bool:
    """Whether the program reads a metric by its name, or a value of it by its number."""
    names = {name, f"val_{name}"}
    told = sum(
        isinstance(node, cst.SimpleString)
        and isinstance(node.evaluated_value, str)
        and node.evaluated_value in names
        for node in code.program.nodes
    )
    return told > 1 or any(
        isinstance(node, cst.Attribute) and node.attr.value in _READERS
        for node in code.program.nodes
    )
