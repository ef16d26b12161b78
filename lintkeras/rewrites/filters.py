"""LK105's fix: pairs are dropped, not gradients alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import libcst as cst

from lintkeras.findings import Applicability, Edit, Fix
from lintkeras.meaning.facts import OptimizerStep
from lintkeras.rewrites.code import Code, target_of
from lintkeras.rewrites.names import Variable


@dataclass(frozen=True)
class _Filter:
    """How the gradients were filtered: ``value`` for ``target`` in ``source`` where ``condition``.

    ``whole`` is what makes the filtered list: an expression, or the loop that fills it.
    """

    target: cst.Name
    source: cst.BaseExpression
    value: cst.BaseExpression
    condition: str
    whole: cst.CSTNode


def filter_pairs(code: Code, step: OptimizerStep) -> Iterator[Fix]:
    """Drop the pairs whose gradient is None, instead of gradients alone."""
    tests = step.gradients.entries[0].tests
    if len(tests) != 1 or code.names.opaque:
        return
    found = _filter(code, tests[0].node, tests[0].holds)
    place = _place(code, step)
    if found is None or place is None:
        return
    call, gradients, variables, prefix = place
    reached = _unfiltered(code, found, gradients, call)
    if reached is None or any(code.interactive(one) for one in (call, found.whole)):
        return
    source, edits, note = reached
    written = _pairs(code, found, source, variables)
    edit = code.replace(call, f"{prefix}({written})" if prefix else written)
    yield Fix("filter-pairs", f"filter the pairs{note}", Applicability.UNSAFE, (*edits, edit))


def _filter(code: Code, test: cst.CSTNode, holds: bool) -> _Filter | None:
    """The filter that a test belongs to."""
    program = code.program
    for around in (test, *program.ancestors(test)):
        match around:
            case cst.ListComp(elt=elt, for_in=clause) | cst.GeneratorExp(elt=elt, for_in=clause):
                target = clause.target
                if len(clause.ifs) != 1 or clause.inner_for_in is not None:
                    return None
                if not isinstance(target, cst.Name) or clause.ifs[0].test is not test:
                    return None
                return _Filter(target, clause.iter, elt, code.text(test), around)
            case cst.Call(func=cst.Name("filter"), args=[cst.Arg(value=function), source]):
                if isinstance(function, cst.Lambda) and around is test:
                    parameters = function.params.params
                    if len(parameters) == 1 and isinstance(function.body, cst.Comparison):
                        name = parameters[0].name
                        return _Filter(name, source.value, name, code.text(function.body), around)
                return None
            case cst.For():
                return _loop(code, around, test, holds)
            case cst.BaseSmallStatement() | cst.FunctionDef():
                return None
    return None


def _loop(code: Code, loop: cst.For, test: cst.CSTNode, holds: bool) -> _Filter | None:
    """``for g in gs: if g is not None: kept.append(g)``, or with ``continue``."""
    if not isinstance(loop.target, cst.Name) or not isinstance(loop.body, cst.IndentedBlock):
        return None
    appended: cst.BaseExpression | None = None
    match loop.body.body:
        case [cst.If(test=condition, body=cst.IndentedBlock(body=[inner]), orelse=None)]:
            appended = _appended(inner) if holds and condition is test else None
        case [cst.If(test=condition, body=body, orelse=None), last]:
            skips = not holds and condition is test and _continues(body)
            appended = _appended(last) if skips else None
    if appended is None:
        return None
    condition_text = code.text(test) if holds else _negated(code, test)
    return _Filter(loop.target, loop.iter, appended, condition_text, loop)


def _appended(line: cst.CSTNode) -> cst.BaseExpression | None:
    match line:
        case cst.SimpleStatementLine(
            body=[
                cst.Expr(
                    value=cst.Call(
                        func=cst.Attribute(value=cst.Name(), attr=cst.Name("append")),
                        args=[cst.Arg(value=value, keyword=None, star="")],
                    )
                )
            ]
        ):
            return value
    return None


def _continues(body: cst.BaseSuite) -> bool:
    match body:
        case cst.IndentedBlock(body=[cst.SimpleStatementLine(body=[cst.Continue()])]):
            return True
        case cst.SimpleStatementSuite(body=[cst.Continue()]):
            return True
    return False


def _negated(code: Code, test: cst.CSTNode) -> str:
    match test:
        case cst.Comparison(
            left=left, comparisons=[cst.ComparisonTarget(operator=cst.Is(), comparator=right)]
        ):
            return f"{code.text(left)} is not {code.text(right)}"
    return f"not ({code.text(test)})"


def _place(
    code: Code, step: OptimizerStep
) -> tuple[cst.CSTNode, cst.BaseExpression, cst.BaseExpression, str] | None:
    """What is replaced by the pairs, the two expressions in it, and the call around the pairs."""
    if step.pairs is not None:
        if len(step.pairs.nodes) != 3 or not isinstance(step.pairs.nodes[0], cst.Call):
            return None
        call, gradients, variables = step.pairs.nodes
        if isinstance(gradients, cst.BaseExpression) and isinstance(variables, cst.BaseExpression):
            return call, gradients, variables, ""
        return None
    match step.node:
        case cst.Call(
            func=cst.Attribute(value=owner, attr=cst.Name("apply")),
            args=[cst.Arg(value=gradients), cst.Arg(value=variables)],
        ):
            return step.node, gradients, variables, f"{code.text(owner)}.apply_gradients"
    return None


def _pairs(code: Code, found: _Filter, source: str, variables: cst.BaseExpression) -> str:
    """``[(g, v) for g, v in zip(gs, vs) if g is not None]``."""
    name, value = found.target.value, code.text(found.value)
    variable = code.fresh("v", found.value, found.source, variables, found.whole)
    return (
        f"[({value}, {variable}) for {name}, {variable} in "
        f"zip({source}, {code.text(variables)}) if {found.condition}]"
    )


def _unfiltered(
    code: Code, found: _Filter, gradients: cst.BaseExpression, call: cst.CSTNode
) -> tuple[str, list[Edit], str] | None:
    """How the call reaches the unfiltered list, the edits for that, and a note for the title."""
    if code.inside(found.whole, gradients):
        return (code.text(found.source), [], "") if not any(code.comments(call)) else None
    kept = code.names.variable(gradients) if isinstance(gradients, cst.Name) else None
    statements = _statements(code, found, kept) if kept is not None else None
    if kept is None or statements is None or code.function(found.whole) is not code.function(call):
        return None
    begin, end = code.start(statements[0]), code.start(call)
    later = [load for load in kept.loads if code.start(load) > begin]
    if [load for load in later if not any(code.inside(load, one) for one in statements)] != [
        gradients
    ]:
        return None
    if not isinstance(found.source, cst.Name):
        if len(statements) > 1 or code.comments_lost(found.whole, found.source):
            return None
        whole = code.replace(_value(statements[0]) or found.whole, code.text(found.source))
        return kept.name, [whole], ""
    source = code.names.variable(found.source)
    if source is None or any(
        begin < code.start(store) < end
        for store in source.stores
        if not any(code.inside(store, one) for one in statements)
    ):
        return None
    return _removed(code, statements, source)


def _removed(
    code: Code, statements: list[cst.CSTNode], source: Variable
) -> tuple[str, list[Edit], str] | None:
    """The edits that remove the statements which made the filtered list."""
    edits: list[Edit] = []
    comment = False
    for statement in statements:
        line: cst.CSTNode = statement
        if isinstance(statement, cst.For):
            removed = code.delete_block(statement)
        elif isinstance(statement, cst.BaseSmallStatement):
            removed, line = code.delete(statement), code.program.parent(statement) or statement
        else:
            return None
        begin = code.start(statement)
        comments = [one for one in code.comments(line) if code.start(one) > begin]
        if removed is None or any(code.has_own_line(one) for one in comments):
            return None
        comment = comment or bool(comments)
        edits.append(removed)
    note = "; the comment on the removed line goes too" if comment else ""
    return source.name, edits, note


def _statements(code: Code, found: _Filter, kept: Variable) -> list[cst.CSTNode] | None:
    """The statements that make the filtered list and nothing else."""
    if isinstance(found.whole, cst.For):
        made = [code.small_statement(store) for store in kept.stores]
        match [target_of(one) for one in made]:
            case [(cst.Name(), cst.List(elements=[]))] if made[0] is not None:
                return [made[0], found.whole]
        return None
    statement = code.small_statement(found.whole)
    pair = target_of(statement)
    if statement is None or pair is None or _value(statement) is None:
        return None
    plain = isinstance(pair[0], cst.Name) and code.names.variable(pair[0]) is kept
    inner = pair[1]
    match inner:
        case cst.Call(func=cst.Name("list"), args=[cst.Arg(value=value)]):
            inner = value
    return [statement] if plain and inner is found.whole else None


def _value(statement: cst.CSTNode) -> cst.BaseExpression | None:
    pair = target_of(statement)
    return pair[1] if pair is not None else None
