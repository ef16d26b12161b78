"""The straight-through estimator, ``s + stop_gradient(h - s)``, written in place."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from lintkeras.findings import Applicability, Edit, Fix
from lintkeras.meaning.facts import Facts
from lintkeras.meaning.sums import same, totals
from lintkeras.meaning.values import Computed, Symbol, Value, walk
from lintkeras.rewrites.terms import operands, written
from lintkeras.syntax.program import Program

_TIGHT = (cst.Name, cst.Attribute, cst.Call, cst.Subscript, cst.Integer, cst.Float)
_FAMILIES = ("keras.ops", "keras.backend")


def estimate(
    program: Program, facts: Facts, term: Computed, hard: Value, soft: Value
) -> tuple[Fix, ...]:
    """LK127: put the estimator in the place of the sum ``term``.

    Only where both values are written in it.
    """
    stop = stop_gradient(program, facts, hard)
    if stop is None:
        return ()
    edits = _stop_difference(program, term, hard, soft, stop)
    edits = edits or _rewrite(program, term, hard, soft, stop)
    if not edits:
        return ()
    target = written(term, soft)
    to = f" to `{program.text(target)}`" if target is not None else ""
    title = f"let the gradient go straight through{to}"
    return (Fix("stop-gradient", title, Applicability.UNSAFE, edits),)


def _stop_difference(
    program: Program, term: Computed, hard: Value, soft: Value, stop: str
) -> tuple[Edit, ...]:
    """``s + (h - s)``: the difference is put under ``stop_gradient`` as it stands."""
    for value, node in operands(term):
        found = {one.forward: one.value for one in totals(value)}
        if set(found) == {1.0, -1.0} and same(found[1.0], hard) and same(found[-1.0], soft):
            if term.function == "Add":
                if node.lpar:
                    return (program.replace(node.lpar[0], f"{stop}("),)
                return (program.replace(node, f"{stop}({program.text(node)})"),)
    return ()


def _rewrite(
    program: Program, term: Computed, hard: Value, soft: Value, stop: str
) -> tuple[Edit, ...]:
    """The whole sum anew, where both values are written in it."""
    node = term.node
    first, second = written(term, hard), written(term, soft)
    if first is None or second is None or not isinstance(node, cst.BaseExpression):
        return ()
    if any(isinstance(part, cst.Comment) for part in _parts(node)):
        return ()
    h, s = _operand(program, first), _operand(program, second)
    return (program.replace(node, f"{s} + {stop}({h} - {s})"),)


def stop_gradient(program: Program, facts: Facts, value: Value) -> str | None:
    """How the file writes ``stop_gradient`` of the library that ``value`` is computed with."""
    for part in walk(value):
        match part:
            case Computed(function=Symbol() as symbol, node=cst.Call(func=cst.Attribute() as func)):
                if symbol.name.rpartition(".")[0] in _FAMILIES:
                    return f"{program.text(func.value)}.stop_gradient"
    name = name_of(facts, "tensorflow")
    return f"{name}.stop_gradient" if name is not None else None


def _operand(program: Program, node: cst.BaseExpression) -> str:
    text = program.text(node)
    return text if isinstance(node, _TIGHT) else f"({text})"


def _parts(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    stack = [node]
    while stack:
        part = stack.pop()
        yield part
        stack.extend(part.children)


def name_of(facts: Facts, module: str) -> str | None:
    """The name under which a module is imported."""
    for name, value in facts.names.items():
        if value == Symbol(module):
            return name
    return None
