"""LK109's fix: the changed gradients are the ones that are applied."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from lintkeras.findings import Applicability, Edit, Fix
from lintkeras.meaning.facts import GradientsHeld, OptimizerStep
from lintkeras.meaning.library import argument_node
from lintkeras.meaning.values import Computed, Symbol
from lintkeras.rewrites.code import Code, names_in
from lintkeras.rewrites.names import Variable


def apply_the_copy(code: Code, fact: GradientsHeld, step: OptimizerStep) -> Iterator[Fix]:
    """Give the step the changed gradients, where the change is made in front of it."""
    given = _given(step)
    variable = code.names.variable(given) if isinstance(given, cst.Name) else None
    if variable is None or code.names.opaque or not isinstance(given, cst.Name):
        return
    made = _made(code, fact)
    if made is None or not _runs_before(code, made, step.node):
        return
    edit: Edit | None = None
    match fact.node, made:
        case cst.Name(value=name), cst.BaseSmallStatement() if fact.is_list:
            kept = code.names.variable(fact.node)
            if kept is not None and kept is not variable and _is_kept(code, kept, fact.node, given):
                edit = code.replace(given, name)
                yield _fix(f"apply `{name}`", edit)
            return
        case cst.Expr(value=value), _:
            edit = _bound(code, fact, variable, value)
        case cst.Name(), cst.For():
            edit = _as_a_list(code, variable, made, fact.node)
    if edit is not None and not _bound_between(code, variable, made, given):
        yield _fix(f"keep the change in `{variable.name}`", edit)


def _fix(title: str, edit: Edit) -> Fix:
    return Fix("apply-the-copy", title, Applicability.UNSAFE, (edit,))


def _given(step: OptimizerStep) -> cst.CSTNode | None:
    """What a step is given as gradients."""
    if step.method == "apply":
        argument = argument_node(step.node, "grads", 0)
        return None if argument is None else argument.value
    return step.pairs.nodes[1] if step.pairs is not None and len(step.pairs.nodes) == 3 else None


def _made(code: Code, fact: GradientsHeld) -> cst.CSTNode | None:
    """What makes the changed gradients: a statement, or a loop over the list."""
    statement = code.small_statement(fact.node)
    if fact.is_list or statement is None:
        return statement
    line = code.program.parent(statement)
    block = code.program.parent(line) if line is not None else None
    loop = code.program.parent(block) if block is not None else None
    match loop:
        case cst.For(body=cst.IndentedBlock(body=[cst.SimpleStatementLine(body=[only])])):
            return loop if only is statement and loop.orelse is None else None
    return None


def _runs_before(code: Code, made: cst.CSTNode, step: cst.CSTNode) -> bool:
    """Whether a statement certainly runs in front of the step: it stands above, in its block or
    around it."""
    outer: cst.CSTNode = made
    if not isinstance(made, cst.BaseCompoundStatement):
        outer = code.program.parent(made) or made
    block = code.program.parent(outer)
    around = block is not None and any(one is block for one in code.program.ancestors(step))
    return around and code.start(made) < code.start(step)


def _bound_between(code: Code, variable: Variable, made: cst.CSTNode, given: cst.Name) -> bool:
    begin, end = code.start(made), code.start(given)
    return any(begin < code.start(store) < end for store in variable.stores)


def _is_kept(code: Code, variable: Variable, bound: cst.Name, given: cst.Name) -> bool:
    """Whether a name still holds at the step what it is bound to here."""
    begin, end = code.start(bound), code.start(given)
    others = [store for store in variable.stores if store is not bound]
    return code.names.sees(given, variable) and not any(
        begin < code.start(store) < end for store in others
    )


def _bound(
    code: Code, fact: GradientsHeld, variable: Variable, value: cst.BaseExpression
) -> Edit | None:
    """``grads, _ = tf.clip_by_global_norm(grads, 1.0)``, where the result was dropped."""
    lazy = isinstance(value, cst.Call) and isinstance(value.func, cst.Name)  # map, filter
    if lazy or not any(code.names.variable(name) is variable for name in names_in(value)):
        return None
    entry = fact.content.entries[0].value
    norm = (
        isinstance(entry, Computed)
        and isinstance(entry.function, Symbol)
        and entry.function.name == "tf.clip_by_global_norm"
    )
    rest = ", _" if norm else ""
    return code.replace(value, f"{variable.name}{rest} = {code.text(value)}")


def _as_a_list(code: Code, variable: Variable, loop: cst.For, name: cst.Name) -> Edit | None:
    """The loop as a comprehension that makes the list anew."""
    statement = code.small_statement(name)
    match statement:
        case cst.Assign(targets=[_], value=value):
            text = code.text(value)
        case cst.AugAssign(value=value):
            operator = code.text(statement.operator).removesuffix("=")
            text = f"{name.value} {operator} {code.text(value)}"
            if isinstance(value, (cst.BinaryOperation, cst.IfExp)) and not value.lpar:
                text = f"{name.value} {operator} ({code.text(value)})"
        case _:
            return None
    own = _list_of(loop.iter)
    if not isinstance(own, cst.Name) or code.names.variable(own) is not variable:
        return None
    if not isinstance(value, _EXPRESSIONS) or any(code.comments(loop)) or loop.asynchronous:
        return None
    return code.replace(
        loop,
        f"{variable.name} = [{text} for {code.text(loop.target)} in {code.text(loop.iter)}]",
    )


_EXPRESSIONS = (cst.BinaryOperation, cst.UnaryOperation, cst.Call, cst.IfExp, cst.Name,
                cst.Integer, cst.Float, cst.Attribute, cst.Subscript)  # fmt: skip


def _list_of(iterable: cst.BaseExpression) -> cst.BaseExpression | None:
    """The list whose items a loop runs through first: of ``zip(grads, variables)`` the first."""
    match iterable:
        case cst.Name():
            return iterable
        case cst.Call(func=cst.Name("zip"), args=[cst.Arg(value=first, star="", keyword=None), *_]):
            return first
    return None
