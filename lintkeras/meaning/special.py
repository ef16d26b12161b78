"""Special methods: what operators, indices and ``with`` mean for objects of the program."""

from __future__ import annotations

from typing import TYPE_CHECKING

import libcst as cst

from lintkeras.meaning import objects
from lintkeras.meaning.values import (
    UNKNOWN,
    Arguments,
    Class,
    Function,
    Instance,
    Value,
    alternatives,
)

if TYPE_CHECKING:
    from lintkeras.meaning.interpreter import Interpreter

_BINARY = {
    "Add": "add", "Subtract": "sub", "Multiply": "mul", "Divide": "truediv",
    "FloorDivide": "floordiv", "Modulo": "mod", "Power": "pow", "MatrixMultiply": "matmul",
    "BitAnd": "and", "BitOr": "or", "BitXor": "xor", "LeftShift": "lshift", "RightShift": "rshift",
}  # fmt: skip
_COMPARISONS = {
    "Equal": "eq", "NotEqual": "ne", "LessThan": "lt", "LessThanEqual": "le", "GreaterThan": "gt",
    "GreaterThanEqual": "ge",
}  # fmt: skip
_UNARY = {"Minus": "neg", "Plus": "pos", "BitInvert": "invert"}


def call(
    run: Interpreter, value: Value, name: str, arguments: tuple[Value, ...], node: cst.CSTNode
) -> Value | None:
    """The result of ``type(value).__name__(value, ...)``; None where no class defines it."""
    for one in alternatives(value):
        if isinstance(one, Instance) and isinstance(one.cls, Class):
            method = objects.class_attribute(run, one, f"__{name}__")
            if isinstance(method, Function) and one is value:
                return run.enter(method, Arguments((value, *arguments)), node)
            if method is not None:
                run.forget(one)
                return UNKNOWN
    return None


def binary(
    run: Interpreter, operator: str, left: Value, right: Value, node: cst.CSTNode
) -> Value | None:
    """``left operator right`` where one of them is an object that says what it means."""
    if operator in ("In", "NotIn"):
        return None if call(run, right, "contains", (left,), node) is None else UNKNOWN
    if operator in _COMPARISONS:
        return call(run, left, _COMPARISONS[operator], (right,), node)
    name = _BINARY.get(operator)
    if name is None:
        return None
    found = call(run, left, name, (right,), node)
    return call(run, right, f"r{name}", (left,), node) if found is None else found


def in_place(
    run: Interpreter, operator: str, left: Value, right: Value, node: cst.CSTNode
) -> Value | None:
    """``left operator= right`` where the object itself changes."""
    name = _BINARY.get(operator)
    return None if name is None else call(run, left, f"i{name}", (right,), node)


def unary(run: Interpreter, operator: str, value: Value, node: cst.CSTNode) -> Value | None:
    """``-value`` of an object that says what it means."""
    name = _UNARY.get(operator)
    return None if name is None else call(run, value, name, (), node)
