"""The straight-through estimator, ``s + stop_gradient(h - s)``, written in place."""

from __future__ import annotations

import libcst as cst

from lintkeras.findings import Applicability, Edit, Fix
from lintkeras.meaning.regions import constant
from lintkeras.meaning.sums import same, totals
from lintkeras.meaning.values import Computed, Const, Member, Symbol, Value, walk
from lintkeras.rewrites.code import Code
from lintkeras.rewrites.imports import library
from lintkeras.rewrites.terms import operands, written

_TIGHT = (cst.Name, cst.Attribute, cst.Call, cst.Subscript, cst.Integer, cst.Float)
_LOOSE = (cst.Return, cst.Assign, cst.AnnAssign, cst.Arg, cst.Lambda)
"""Where an expression stands alone."""
_ROUNDINGS = frozenset({"round", "sign", "floor", "ceil", "rint", "trunc"})
_FAMILIES = ("keras.ops", "keras.backend")


def estimate(code: Code, term: Computed, hard: Value, soft: Value) -> tuple[Fix, ...]:
    """LK127: put the estimator in the place of the sum ``term``.

    Only where both values are written in it.
    """
    stop = stop_gradient(code, term.node, hard)
    if stop is None:
        return ()
    edits = _stop_difference(code, term, hard, soft, stop)
    edits = edits or _rewrite(code, term, hard, soft, stop)
    if not edits:
        return ()
    target = written(term, soft)
    to = f" to `{code.program.text(target)}`" if target is not None else ""
    title = f"let the gradient go straight through{to}"
    return (Fix("stop-gradient", title, Applicability.UNSAFE, edits),)


def _stop_difference(
    code: Code, term: Computed, hard: Value, soft: Value, stop: str
) -> tuple[Edit, ...]:
    """``s + (h - s)``: the difference is put under ``stop_gradient`` as it stands."""
    for value, node in operands(term):
        found = {one.forward: one.value for one in totals(value)}
        if set(found) == {1.0, -1.0} and same(found[1.0], hard) and same(found[-1.0], soft):
            if term.function == "Add":
                if node.lpar:
                    return (code.program.replace(node.lpar[0], f"{stop}("),)
                return (code.replace(node, f"{stop}({code.text(node)})"),)
    return ()


def _rewrite(code: Code, term: Computed, hard: Value, soft: Value, stop: str) -> tuple[Edit, ...]:
    """The whole sum anew, where both values are written in it."""
    node = term.node
    first, second = written(term, hard), written(term, soft)
    if first is None or second is None or not isinstance(node, cst.BaseExpression):
        return ()
    if any(code.comments(node)):
        return ()
    h, s = _operand(code, first), _operand(code, second)
    text = f"{s} + {stop}({h} - {s})"
    return (code.replace(node, f"({text})" if node.lpar else text),)


def let_through(code: Code, cut: Computed, whole: Computed) -> tuple[Fix, ...]:
    """LK126: ``f(x)`` becomes ``x + stop_gradient(f(x) - x)``.

    ``whole`` is the operation ``cut``, or the cast or ``where`` around it. Only for operations that
    keep the shape and give real numbers, on something that can be written twice.
    """
    x, place = _argument(cut, whole), whole.node
    stop = stop_gradient(code, place, whole)
    if x is None or stop is None or not isinstance(place, cst.BaseExpression):
        return ()
    if any(code.comments(place)) or not isinstance(x, (cst.Name, cst.Attribute, cst.Subscript)):
        return ()
    text = f"{code.text(x)} + {stop}({code.text(place)} - {code.text(x)})"
    alone = isinstance(code.program.parent(place), _LOOSE)
    title = f"let the gradient go straight through to `{code.text(x)}`"
    edit = code.replace(place, text if alone else f"({text})")
    return (Fix("stop-gradient", title, Applicability.UNSAFE, (edit,)),)


def _argument(cut: Computed, whole: Computed) -> cst.BaseExpression | None:
    """What a rounding is applied to, or what a comparison compares with a number."""
    parts = operands(cut)
    name = cut.function.name.rpartition(".")[2] if isinstance(cut.function, Symbol) else ""
    if name in _ROUNDINGS:
        return parts[0][1] if len(parts) == 1 else None
    variable = [node for value, node in parts if constant(value) is None]
    if len(parts) == 2 and len(variable) == 1 and whole is not cut:
        if len(whole.arguments.positional) > 1 and all(
            _is_real(value) for value in whole.arguments.positional[1:]
        ):
            return variable[0]
    return None


def _is_real(value: Value) -> bool:
    """Whether a number, or a dtype, is one of real numbers, or that of another tensor."""
    match value:
        case Const(value=float()):
            return True
        case Const(value=str() as name):
            return name.startswith(("float", "bfloat"))
        case Symbol() as symbol:
            return symbol.name.startswith(("tf.float", "tf.bfloat"))
        case Member(name="dtype"):
            return True
        case Computed(function=Symbol() as symbol):
            return symbol.name.rpartition(".")[2] in ("floatx", "ones_like", "zeros_like")
    return False


def stop_gradient(code: Code, at: cst.CSTNode, value: Value) -> str | None:
    """How the file writes ``stop_gradient`` of the library that ``value`` is computed with."""
    for part in walk(value):
        match part:
            case Computed(function=Symbol() as symbol, node=cst.Call(func=cst.Attribute() as func)):
                if symbol.name.rpartition(".")[0] in _FAMILIES:
                    return f"{code.program.text(func.value)}.stop_gradient"
    found = library(code, "tensorflow", code.program.top_level_statement(at))
    return f"{found.expression}.stop_gradient" if found.missing is None else None


def _operand(code: Code, node: cst.BaseExpression) -> str:
    text = code.text(node)
    return text if node.lpar or isinstance(node, _TIGHT) else f"({text})"
