"""The straight-through estimator, ``s + stop_gradient(h - s)``, written in place."""

from __future__ import annotations

import libcst as cst

from lintkeras.findings import Applicability, Edit, Fix
from lintkeras.meaning.sums import same, totals
from lintkeras.meaning.values import Computed, Symbol, Value, walk
from lintkeras.rewrites.code import Code
from lintkeras.rewrites.imports import library
from lintkeras.rewrites.terms import operands, written

_TIGHT = (cst.Name, cst.Attribute, cst.Call, cst.Subscript, cst.Integer, cst.Float)
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
