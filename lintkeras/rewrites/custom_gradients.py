"""Fixes of functions with a backward pass of their own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import libcst as cst

from lintkeras.findings import Applicability, Edit, Fix
from lintkeras.meaning.facts import BackwardPass, FunctionSummary
from lintkeras.meaning.outline import dotted, returned
from lintkeras.meaning.values import Symbol
from lintkeras.rewrites.code import Code, Insertion
from lintkeras.rewrites.imports import library
from lintkeras.syntax.tree import nodes

_TIGHT = (cst.Name, cst.Attribute, cst.Call, cst.Subscript, cst.Integer, cst.Float)


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
    """The library object that a dotted name of the module stands for, NumPy's included."""
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


@dataclass(frozen=True, slots=True)
class Drop:
    """A call of which only the first of two results is used, and how it is taken."""

    call: cst.Call
    taken: cst.Subscript | cst.Tuple
    """``f(x)[0]``, or the target of ``y, _ = f(x)``."""


def first_taken(code: Code, function: cst.FunctionDef) -> tuple[Drop, ...]:
    """The calls of a function, where each takes the first of its two results and no other.

    None at all where the function is used in any other way, or can be.
    """
    variable = code.names.variable(function.name)
    if variable is None or len(variable.stores) != 1 or function.decorators:
        return ()
    if code.names.opaque or code.is_method(function) or _is_exported(code, function.name.value):
        return ()
    drops = [_drop(code, load) for load in variable.loads]
    return tuple(one for one in drops if one is not None) if all(drops) else ()


def _drop(code: Code, load: cst.Name) -> Drop | None:
    call = code.program.parent(load)
    if not isinstance(call, cst.Call) or call.func is not load:
        return None
    match code.program.parent(call):
        case (
            cst.Subscript(
                slice=[cst.SubscriptElement(slice=cst.Index(value=cst.Integer(value="0")))]
            ) as taken
        ):
            return Drop(call, taken)
        case cst.Assign(
            targets=[cst.AssignTarget(target=cst.Tuple(elements=[_, second]) as taken)]
        ):
            other = second.value
            unused = code.names.variable(other) if isinstance(other, cst.Name) else None
            if unused is not None and not unused.loads:
                return Drop(call, taken)
    return None


def _is_exported(code: Code, name: str) -> bool:
    """Whether the module names it in ``__all__``."""
    exported = code.names.find("__all__")
    if exported is None:
        return False
    return any(
        isinstance(node, cst.SimpleString) and node.evaluated_value == name
        for module in code.program.modules
        for node in nodes(module)
    )


def use_derivative(
    code: Code, summary: FunctionSummary, drops: tuple[Drop, ...], automatic: bool
) -> Iterator[Fix]:
    """LK129: return the value alone, or (``custom-gradient``) go back with the derivative."""
    function = summary.node
    places = returned(function)
    if not isinstance(function, cst.FunctionDef) or len(places) != 1:
        return
    match places[0]:
        case cst.Tuple(elements=[cst.Element(value=value), cst.Element(value=second)]) as pair:
            pass
        case _:
            return
    if code.comments_lost(pair, value):
        return
    calls = [edit for drop in drops for edit in _take_value(code, drop)]
    name = function.name.value
    if automatic:
        edits = (code.replace(pair, code.text(value)), *calls)
        yield Fix("value", f"let `{name}` return its value alone", Applicability.UNSAFE, edits)
        return
    statement = code.program.statement(pair)
    library_ = library(code, "tensorflow", code.program.top_level_statement(function))
    params = function.params
    plain = not (params.kwonly_params or params.star_kwarg or params.posonly_params) and not (
        isinstance(params.star_arg, cst.Param) or any(p.default for p in params.params)
    )
    given = all(
        argument.keyword is None and not argument.star for d in drops for argument in d.call.args
    )
    own_line = statement is not None and code.has_own_line(statement)
    if library_.missing is not None or not plain or not given or not own_line:
        return
    assert statement is not None
    derivative = code.text(second)
    if not isinstance(second, _TIGHT) and not second.lpar:
        derivative = f"({derivative})"
    rest = ", None" * (len(summary.inputs) - 1)
    indent = _indentation(code, statement)
    step = code.module(function).default_indent
    grad = code.fresh("grad", function)
    upstream = code.fresh("upstream", function)
    definition = (
        f"{indent}def {grad}({upstream}):\n{indent}{step}return {upstream} * {derivative}{rest}\n\n"
    )
    above = code.source(statement)[: code.first_line(statement)].splitlines()
    if above[-1].strip() and function.body.body[0] is not statement:
        definition = "\n" + definition
    outer = _indentation(code, function)
    decorator = f"{outer}@{library_.expression}.custom_gradient\n"
    edits = (
        code.insert(Insertion(function, code.line_start(function), decorator)),
        code.insert(Insertion(statement, code.first_line(statement), definition)),
        code.replace(pair, f"{code.text(value)}, {grad}"),
        *calls,
    )
    title = f"let `{name}` go back with its second value"
    yield Fix("custom-gradient", title, Applicability.UNSAFE, edits)


def _indentation(code: Code, statement: cst.CSTNode) -> str:
    """What stands before a statement on its first line."""
    start, _ = code.program.local_span(statement)
    return code.source(statement)[code.line_start(statement) : start]


def _take_value(code: Code, drop: Drop) -> Iterator[Edit]:
    """The edits that use a call's only result."""
    if isinstance(drop.taken, cst.Subscript):
        yield code.replace(drop.taken, code.text(drop.call))
    else:
        yield code.replace(drop.taken, code.text(drop.taken.elements[0].value))
