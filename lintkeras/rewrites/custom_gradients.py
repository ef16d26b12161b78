"""Fixes of functions with a backward pass of their own."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from lintkeras.findings import Applicability, Edit, Fix
from lintkeras.meaning.facts import BackwardPass, FunctionSummary
from lintkeras.meaning.outline import dotted, returned
from lintkeras.meaning.values import Symbol
from lintkeras.rewrites.code import Code
from lintkeras.syntax.tree import nodes


def drop(code: Code, one: BackwardPass, grad: FunctionSummary) -> Iterator[Fix]:
    """LK133: take away the decorator and the grad function, so that the value is all that is left.

    Only where both stand in the function itself and hold no comment.
    """
    function = one.node
    if not isinstance(function, cst.FunctionDef):
        return
    places = returned(function)
    decorator = _decorator(code, function, one.gradient.decorator)
    if len(places) != 1 or decorator is None:
        return
    match places[0]:
        case cst.Tuple(elements=[cst.Element(value=value), cst.Element(value=given)]) as pair:
            pass
        case _:
            return
    removed = _definition(code, function, given, grad.node)
    if removed is None or code.comments_lost(pair, value):
        return
    line = code.delete_decorator(decorator)
    if line is None:
        return
    edits = (line, *removed, code.replace(pair, code.text(value)))
    name = function.name.value
    yield Fix("drop", f"let `{name}` be differentiated automatically", Applicability.UNSAFE, edits)


def _decorator(code: Code, function: cst.FunctionDef, symbol: Symbol) -> cst.Decorator | None:
    """The decorator that gives a function its backward pass."""
    for decorator in function.decorators:
        found = _symbol(code, decorator.decorator)
        if found is not None and found.name == symbol.name:
            return decorator
    return None


def _definition(
    code: Code,
    function: cst.FunctionDef,
    given: cst.BaseExpression,
    grad: cst.FunctionDef | cst.Lambda,
) -> tuple[Edit, ...] | None:
    """The edits that take away the grad function; None where it stands elsewhere."""
    if given is grad:
        return ()
    own = isinstance(grad, cst.FunctionDef) and code.program.parent(grad) is function.body
    if not own or not isinstance(grad, cst.FunctionDef) or any(code.comments(grad)):
        return None
    named = [n for n in nodes(function) if isinstance(n, cst.Name) and n.value == grad.name.value]
    if len(named) != 2:  # its definition and the pair
        return None
    edit = code.delete_definition(grad)
    return None if edit is None else (edit,)


# For functions of NumPy, the twin in TensorFlow that takes the same positional arguments.
_TWINS = {
    "abs": "abs", "absolute": "abs", "arccos": "acos", "arcsin": "asin", "arctan": "atan",
    "arctan2": "atan2", "cos": "cos", "cosh": "cosh", "exp": "exp", "expm1": "math.expm1",
    "floor": "floor", "ceil": "math.ceil", "log": "math.log", "log1p": "math.log1p",
    "logical_and": "logical_and", "logical_not": "logical_not", "logical_or": "logical_or",
    "maximum": "maximum", "minimum": "minimum", "multiply": "multiply", "power": "pow",
    "rint": "math.rint", "round": "round", "sign": "sign", "sin": "sin", "sinh": "sinh",
    "sqrt": "sqrt", "square": "square", "subtract": "subtract", "add": "add", "divide": "divide",
    "tan": "tan", "tanh": "tanh", "where": "where", "clip": "clip_by_value",
    "ones_like": "ones_like", "zeros_like": "zeros_like", "sum": "reduce_sum",
    "mean": "reduce_mean", "max": "reduce_max", "min": "reduce_min", "prod": "reduce_prod",
    "array": "convert_to_tensor", "asarray": "convert_to_tensor", "greater": "greater",
    "less": "less", "negative": "negative", "reciprocal": "math.reciprocal",
}  # fmt: skip
_OPERANDS = {"clip": 3, "where": 3}
_TWO = frozenset({
    "arctan2", "logical_and", "logical_or", "maximum", "minimum", "multiply", "power", "subtract",
    "add", "divide", "greater", "less",
})  # fmt: skip
_REDUCTIONS = frozenset({"sum", "mean", "max", "min", "prod"})


def with_tensors(code: Code, one: BackwardPass, call: cst.Call) -> Iterator[Fix]:
    """LK124: call the twin of a NumPy function in the library of the decorator."""
    symbol = _symbol(code, call.func)
    if symbol is None or not symbol.path.startswith("numpy."):
        return
    name = symbol.path.removeprefix("numpy.")
    keras = one.gradient.decorator.name.startswith("keras.")
    twin = name if keras else _TWINS.get(name)
    if name not in _TWINS or twin is None or not _same_arguments(name, call):
        return
    library = _library(code, one)
    if library is None:
        return
    function = f"{library}.{twin}"
    title = f"call `{function}`"
    yield Fix("tensors", title, Applicability.UNSAFE, (code.replace(call.func, function),))


def _same_arguments(name: str, call: cst.Call) -> bool:
    """Whether a call says nothing that the twin would read otherwise."""
    if any(argument.star for argument in call.args):
        return False
    plain = [argument for argument in call.args if argument.keyword is None]
    named = {argument.keyword.value for argument in call.args if argument.keyword is not None}
    if name in _REDUCTIONS:
        return len(plain) in (1, 2) and named <= {"axis", "keepdims"}
    return not named and len(plain) == _OPERANDS.get(name, 2 if name in _TWO else 1)


def _symbol(code: Code, node: cst.CSTNode) -> Symbol | None:
    """The library object that a dotted name of the module stands for."""
    root, _, rest = dotted(node).partition(".")
    held = code.facts.names.get(root)
    if not isinstance(held, Symbol):
        return None
    return Symbol(f"{held.path}.{rest}") if rest else held


def _library(code: Code, one: BackwardPass) -> str | None:
    """How the program writes the library whose ``custom_gradient`` it uses."""
    for node in (
        one.node,
        *(d.decorator for d in getattr(one.node, "decorators", ())),
        *code.program.ancestors(one.node),
    ):
        function = node.func if isinstance(node, cst.Call) else node
        symbol = _symbol(code, function)
        if symbol is not None and symbol.name == one.gradient.decorator.name:
            if isinstance(function, cst.Attribute):
                return code.program.text(function.value)
    return None
