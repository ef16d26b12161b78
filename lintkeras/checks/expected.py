"""Code that is there to be seen failing."""

from __future__ import annotations

import libcst as cst

from lintkeras.syntax.program import Program
from lintkeras.syntax.tree import nodes


def raises_on_purpose(program: Program, node: cst.CSTNode) -> bool:
    """Whether an exception here would be caught, or is expected by a test.

    In the body of a ``try`` with a handler, or under ``with pytest.raises(...)``,
    ``self.assertRaises(...)`` and their like.
    """
    below = node
    for ancestor in program.ancestors(node):
        if isinstance(ancestor, (cst.FunctionDef, cst.Lambda)):
            return False
        if isinstance(ancestor, (cst.Try, cst.TryStar)):
            if ancestor.body is below and ancestor.handlers:
                return True
        if isinstance(ancestor, cst.With) and any(_expects(item.item) for item in ancestor.items):
            return True
        below = ancestor
    return False


def is_expected_none(program: Program, node: cst.CSTNode) -> bool:
    """Whether a value is claimed to be None: ``assert x is None``, ``self.assertIsNone(x)``.

    Of a value with a name, such a claim about the name in the same function is enough.
    """
    whole: cst.CSTNode = node
    values: list[cst.CSTNode] = [node]
    for ancestor in program.ancestors(node):
        if isinstance(ancestor, cst.Assign):
            values += [target.target for target in ancestor.targets]
        whole = ancestor
        if isinstance(ancestor, (cst.FunctionDef, cst.Lambda)):
            break
    return any(
        claimed.deep_equals(value)
        for part in nodes(whole)
        for claimed in _claimed_none(part)
        for value in values
    )


def _claimed_none(node: cst.CSTNode) -> tuple[cst.BaseExpression, ...]:
    match node:
        case cst.Assert(
            test=cst.Comparison(
                left=left,
                comparisons=[cst.ComparisonTarget(cst.Is(), cst.Name(value="None"))],
            )
        ):
            return (left, left.value) if isinstance(left, cst.Subscript) else (left,)
        case cst.Call(func=cst.Attribute(attr=cst.Name(value="assertIsNone")), args=[first, *_]):
            return (first.value,)
    return ()


def waits_for_exception(function: cst.CSTNode) -> bool:
    """Whether a function (a test) waits for an exception somewhere, in whatever form."""
    return any(isinstance(node, cst.Call) and _expects(node) for node in nodes(function))


def _expects(manager: cst.BaseExpression) -> bool:
    """Whether a context manager is called something like ``raises``."""
    if not isinstance(manager, cst.Call):
        return False
    func = manager.func
    name = func.attr if isinstance(func, cst.Attribute) else func
    return isinstance(name, cst.Name) and "raises" in name.value.lower()
