"""Layers whose methods Keras never calls: ``call``, and a backward pass that takes part in it."""

from __future__ import annotations

from dataclasses import dataclass

import libcst as cst

from lintkeras.findings import Applicability, Edit, Fix
from lintkeras.meaning.differentiation import METADATA
from lintkeras.meaning.facts import FORWARD, FunctionSummary, LayerClass
from lintkeras.meaning.nests import depends
from lintkeras.meaning.outline import positional_parameters
from lintkeras.meaning.values import (
    Computed,
    Const,
    Function,
    Member,
    Symbol,
    Unknown,
    Value,
    walk,
)
from lintkeras.rewrites.code import Code
from lintkeras.rewrites.imports import add, library
from lintkeras.syntax.tree import nodes

_INNER = "with_own_gradient"


def rename_to_call(code: Code, layer: LayerClass) -> tuple[Fix, ...]:
    """LK128: ``forward`` becomes ``call``."""
    method = layer.method(FORWARD)
    if method is None or not isinstance(method.node, cst.FunctionDef):
        return ()
    edit = code.replace(method.node.name, "call")
    return (Fix("call", "rename `forward` to `call`", Applicability.UNSAFE, (edit,)),)


def custom_gradient_call(code: Code, layer: LayerClass, backward: Function) -> tuple[Fix, ...]:
    """LK128: ``call`` computes the same and goes back through the method ``backward``.

    Only where the layer has one input and no weights take part, and where the method's shape says
    what its parameters are: a product of the upstream gradient with something of the input.
    """
    own = {summary.function.name: summary for summary in layer.foreign}
    forward = layer.plain_call if layer.call is not None else own.get(FORWARD)
    gradient = own.get(backward.name)
    if forward is None or gradient is None:
        return ()
    name = _only_input(forward.node)
    body = _body(code, forward)
    if name is None or body is None or not _is_plain(forward) or not _is_plain(gradient):
        return ()
    expression = _expression(gradient, name)
    if expression is None:
        return ()
    edits = _wrapped(code, forward, body, name, expression)
    title = f"go back through `{backward.name}`: a custom gradient inside `call`"
    return (Fix("custom-gradient", title, Applicability.UNSAFE, edits),)


def _only_input(node: cst.FunctionDef | cst.Lambda) -> str | None:
    """The one parameter besides ``self``, where it has no default."""
    params = node.params
    if (
        params.star_kwarg is not None
        or params.kwonly_params
        or isinstance(params.star_arg, cst.Param)
    ):
        return None
    parameters = positional_parameters(params)
    if len(parameters) != 2 or parameters[1].default is not None:
        return None
    return parameters[1].name.value


def _is_plain(summary: FunctionSummary) -> bool:
    """Whether every result is a term of parameters, numbers and library functions alone."""
    return bool(summary.results) and all(
        isinstance(result, Computed) and all(map(_is_pure, walk(result)))
        for result in summary.results
    )


def _is_pure(part: Value) -> bool:
    match part:
        case Const() | Symbol() | Computed(function=str() | Symbol()):
            return True
        case Member(name=name):
            return name in METADATA
        case Unknown(origin=origin):
            return origin is not None and origin[0] == "parameter"
    return False


# ------------------------------------------------------------------ what the method computes


def _expression(gradient: FunctionSummary, x: str) -> str | None:
    """The gradient as an expression of ``x`` and ``upstream``; None where roles are not certain."""
    parameters = positional_parameters(gradient.node.params)[1:]
    if any(p.default is not None for p in parameters) or gradient.node.params.kwonly_params:
        return None
    (result,) = gradient.results if len(gradient.results) == 1 else (Unknown(),)
    values = [gradient.parameter(p.name.value) for p in parameters]
    linear = [_is_factor(result, value) for value in values]
    method = f"self.{gradient.function.name}"
    of_upstream = gradient.function.name.startswith("back")
    match linear:
        case [True] if of_upstream:
            return f"{method}({_upstream(x)})"
        case [False] if not of_upstream and values[0] in walk(result):
            return f"{_upstream(x)} * {method}({x})"
        case [True, False]:
            return f"{method}({_upstream(x)}, {x})"
        case [False, True]:
            return f"{method}({x}, {_upstream(x)})"
    return None


def _upstream(x: str) -> str:
    return "upstream" if x != "upstream" else "gradient"


def _is_factor(value: Value, parameter: Value) -> bool:
    """Whether ``value`` is ``parameter`` times something in which it does not occur."""
    match value:
        case Computed(function="Multiply", arguments=arguments):
            left, right = arguments.positional
            return (_is_factor(left, parameter) and _is_free_of(right, parameter)) or (
                _is_factor(right, parameter) and _is_free_of(left, parameter)
            )
        case Computed(function="Divide", arguments=arguments):
            dividend, divisor = arguments.positional
            return _is_factor(dividend, parameter) and _is_free_of(divisor, parameter)
        case Computed(function="Minus", arguments=arguments):
            return _is_factor(arguments.positional[0], parameter)
    return value == parameter


def _is_free_of(value: Value, parameter: Value) -> bool:
    return depends(value, frozenset({parameter})) is False


# ------------------------------------------------------------------ the text


@dataclass(frozen=True)
class _Body:
    """The statements of a method behind its docstring; the last one returns."""

    first: cst.CSTNode
    last: cst.SimpleStatementLine
    value: cst.BaseExpression
    """What is returned."""
    documented: bool
    """Whether the docstring stands right above."""


def _body(code: Code, summary: FunctionSummary) -> _Body | None:
    """The body of a method, where it runs straight through to its one return."""
    node = summary.node
    if not isinstance(node, cst.FunctionDef) or not isinstance(node.body, cst.IndentedBlock):
        return None
    lines = list(node.body.body)
    documented = node.get_docstring() is not None
    if documented:
        lines = lines[1:]
    straight = all(isinstance(line, cst.SimpleStatementLine) for line in lines)
    returns = [part for part in nodes(node.body) if isinstance(part, cst.Return)]
    if not straight or len(returns) != 1 or code.interactive(node):
        return None
    match lines[-1] if lines else None:
        case (
            cst.SimpleStatementLine(body=[cst.Return(value=cst.BaseExpression() as value)]) as last
        ):
            if isinstance(value, cst.Tuple):
                return None
            texts = [p for line in lines for p in nodes(line) if isinstance(p, cst.SimpleString)]
            if any("\n" in text.value for text in texts):
                return None
            return _Body(lines[0], last, value, documented)
    return None


def _wrapped(
    code: Code, summary: FunctionSummary, body: _Body, x: str, expression: str
) -> tuple[Edit, ...]:
    """Put the body into a function with a backward pass of its own, and call that."""
    module, imports = _module_of(code, summary)
    source = code.source(body.first)
    start, (at, _) = code.first_line(body.first), code.program.local_span(body.first)
    outer = source[code.line_start(body.first) : at]
    inner = outer + code.module(body.first).default_indent
    returning = code.line_start(body.last)
    _, value_end = code.span(body.value)
    newline = source.find("\n", value_end)
    end = len(source) if newline < 0 else newline
    if module.endswith("ops"):
        grad, gives = _portable_grad(_upstream(x), expression), "grad"
    else:
        grad, gives = [], f"lambda {_upstream(x)}: {expression}"
    before = source[start:returning]
    if grad and before.strip() and not before.replace("\r\n", "\n").endswith("\n\n"):
        grad = ["", *grad]
    lines = [
        *([""] if body.documented and not source[:start].endswith(("\n\n", "\n\r\n")) else []),
        f"{outer}@{module}.custom_gradient",
        f"{outer}def {_INNER}({x}):",
        *_indented(before, inner[len(outer) :]),
        *(inner + line if line else "" for line in grad),
        *_indented(source[returning:value_end] + f", {gives}", inner[len(outer) :]),
    ]
    text = "\n".join(lines) + source[value_end:end].rstrip("\r")
    text += f"\n\n{outer}return {_INNER}({x})"
    if "\r\n" in source:
        text = text.replace("\n", "\r\n")
    wrapped = code.program.snippet_of(body.first).snippet.edit(start, end, text)
    return (*imports, wrapped)


def _indented(text: str, by: str) -> list[str]:
    return [by + line if line.strip() else line for line in text.splitlines()]


def _portable_grad(upstream: str, expression: str) -> list[str]:
    """A grad function for every backend: PyTorch gives the upstream gradient by keyword."""
    return [
        f"def grad(*args, {upstream}=None):",
        f"    if {upstream} is None:",
        f"        ({upstream},) = args",
        f"    return {expression}",
        "",
    ]


def _module_of(code: Code, summary: FunctionSummary) -> tuple[str, list[Edit]]:
    """How the file writes the library whose ``custom_gradient`` fits, and imports to add."""
    parts = [p for r in summary.results for p in walk(r) if isinstance(p, Computed)]
    names = {p.function.name for p in parts if isinstance(p.function, Symbol)}
    portable = any(name.startswith("keras.ops.") for name in names)
    if portable and not any(name.startswith("tf.") for name in names):
        for part in parts:
            match part:
                case Computed(
                    function=Symbol() as symbol, node=cst.Call(func=cst.Attribute() as f)
                ):
                    if symbol.name.startswith("keras.ops."):
                        return code.text(f.value), []
    top = code.program.top_level_statement(summary.node)
    found = library(code, "tensorflow", top)
    missing = [] if found.missing is None else add(code, [found.missing], top)
    return found.expression, [code.insert(one) for one in missing]
