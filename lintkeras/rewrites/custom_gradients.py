"""Fixes of functions with a backward pass of their own."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from lintkeras.findings import Applicability, Edit, Fix
from lintkeras.meaning.facts import BackwardPass, FunctionSummary
from lintkeras.meaning.outline import dotted, nodes, returned
from lintkeras.meaning.values import Symbol
from lintkeras.rewrites.code import Code


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
        root, _, rest = dotted(decorator.decorator).partition(".")
        held = code.facts.names.get(root)
        if isinstance(held, Symbol):
            found = Symbol(f"{held.path}.{rest}") if rest else held
            if found.name == symbol.name:
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
