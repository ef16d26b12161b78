"""Terms and the syntax that they were computed from, side by side."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from lintkeras.meaning.sums import same
from lintkeras.meaning.values import Computed, Value

Written = tuple[Value, cst.BaseExpression]


def operands(term: Value) -> tuple[Written, ...]:
    """The operands of an operation, with their syntax."""
    match term:
        case Computed(node=cst.BinaryOperation() as node):
            nodes: tuple[cst.BaseExpression, ...] = (node.left, node.right)
        case Computed(node=cst.UnaryOperation() as node):
            nodes = (node.expression,)
        case Computed(node=cst.Comparison(comparisons=[one]) as node):
            nodes = (node.left, one.comparator)
        case Computed(node=cst.Call() as node) if not any(a.star or a.keyword for a in node.args):
            nodes = tuple(argument.value for argument in node.args)
        case _:
            return ()
    values = term.arguments.positional
    return tuple(zip(values, nodes, strict=True)) if len(values) == len(nodes) else ()


def leaves(term: Value) -> Iterator[Written]:
    """The operands of an operation and of the operations written in it, outermost first."""
    for value, node in operands(term):
        yield value, node
        if isinstance(value, Computed) and value.node is node:
            yield from leaves(value)


def written(term: Value, value: Value) -> cst.BaseExpression | None:
    """The part of what ``term`` is written as that is ``value``."""
    return next((node for one, node in leaves(term) if same(one, value)), None)
