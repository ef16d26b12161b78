"""LK104's fix: an operator that was applied to a list goes to each gradient in it."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from lintkeras.findings import Applicability, Fix
from lintkeras.meaning.facts import ListArithmetic
from lintkeras.rewrites.code import Code

_OPERATORS = {"Multiply": "*", "Divide": "/", "FloorDivide": "//", "Subtract": "-", "Minus": "-"}


def each_gradient(code: Code, fact: ListArithmetic, *, repeats: bool) -> Iterator[Fix]:
    """Apply the operator to each gradient.

    ``repeats``: the code ran, because ``list * 2`` repeats a list. Anything else must raise, so
    that the fix is safe.
    """
    operator = _OPERATORS.get(fact.operator)
    if operator is None:
        return
    name = code.text(fact.gradients)
    each = code.fresh("g", fact.node)
    term = _term(code, fact, operator, each)
    if term is None or any(code.comments(fact.node)):
        return
    text = f"[None if {each} is None else {term} for {each} in {name}]"
    node: cst.CSTNode = fact.node
    if isinstance(node, cst.AugAssign):
        edit = code.program.replace(node, f"{name} = {text}")
    else:
        edit = code.replace(node, text)
    safety = Applicability.UNSAFE if repeats else Applicability.SAFE
    yield Fix("each-gradient", "apply the operator to each gradient", safety, (edit,))


def _term(code: Code, fact: ListArithmetic, operator: str, each: str) -> str | None:
    """The operation on one gradient, its operands in their order."""
    match fact.node:
        case cst.UnaryOperation():
            return f"-{each}"
        case cst.AugAssign(value=other):
            return f"{each} {operator} {_operand(code, other)}"
        case cst.BinaryOperation(left=left, right=right):
            if left is fact.gradients:
                return f"{each} {operator} {_operand(code, right)}"
            return f"{_operand(code, left)} {operator} {each}"
    return None


def _operand(code: Code, node: cst.BaseExpression) -> str:
    text = code.text(node)
    if isinstance(node, cst.UnaryOperation) and isinstance(node.operator, cst.Minus):
        node = node.expression  # binds closer than any operator but a power
    closed = isinstance(
        node, (cst.Name, cst.Attribute, cst.Call, cst.Subscript, cst.Integer, cst.Float)
    )
    return text if closed or node.lpar else f"({text})"
