"""The double ``where``: the argument is replaced by a safe value where the result is not used."""

from __future__ import annotations

from collections.abc import Sequence

import libcst as cst

from lintkeras.findings import Applicability, Edit, Fix
from lintkeras.meaning.regions import holds
from lintkeras.meaning.singularities import Trap
from lintkeras.meaning.sums import same
from lintkeras.meaning.values import Computed
from lintkeras.rewrites.code import Code, Insertion
from lintkeras.rewrites.terms import leaves, operands

_SAFE = (1.0, 0.0, -1.0, 2.0, -2.0, 0.5, -0.5)
_REPEATABLE = (cst.Name, cst.Attribute, cst.Subscript)


def double_where(code: Code, traps: Sequence[Trap]) -> tuple[Fix, ...]:
    """LK132: guard the argument of every operation in the branches, where all stand in the call."""
    edits: list[Edit] = []
    for branch in (1, 2):
        here = [trap for trap in traps if trap.branch == branch]
        if here:
            made = _guarded(code, here)
            if not made:
                return ()
            edits.extend(made)
    title = "replace the argument by a safe value where the branch is not chosen"
    return (Fix("double-where", title, Applicability.UNSAFE, tuple(edits)),) if edits else ()


def _guarded(code: Code, traps: Sequence[Trap]) -> list[Edit]:
    """Edits of one branch; none where they cannot be made in place."""
    where, branch, guard = traps[0].where, traps[0].branch, traps[0].guard
    call, safe = where.node, _safe_value(traps)
    if guard is None or safe is None or any(trap.guard != guard for trap in traps):
        return []
    if not isinstance(call, cst.Call) or not isinstance(call.func, cst.Attribute):
        return []
    places: dict[cst.BaseExpression, None] = {}
    for trap in traps:
        found = _places(trap)
        if not found or not all(code.inside(place, call) for place in found):
            return []
        places |= dict.fromkeys(found)
    first = next(iter(places))
    x = code.text(first)
    other = _filled(code.text(call.func.value), safe, x)
    pair = f"{x}, {other}" if branch == 1 else f"{other}, {x}"
    condition = code.text(operands(where)[0][1])
    guarded = f"{code.text(call.func)}({condition}, {pair})"
    if len(places) == 1:
        return [code.replace(first, guarded)]
    return _named(code, call, f"safe_{x}", guarded, list(places))


def _named(
    code: Code, call: cst.Call, name: str, guarded: str, places: Sequence[cst.BaseExpression]
) -> list[Edit]:
    """The safe value gets a name in a statement of its own, where there can be one."""
    statement = code.program.statement(call)
    if not isinstance(statement, cst.SimpleStatementLine) or not code.has_own_line(statement):
        return []
    if not all(isinstance(place, cst.Name) for place in places):
        return []
    if any(isinstance(a, (cst.Lambda, cst.CompFor)) for a in code.program.ancestors(call)):
        return []
    name = code.unused(name)
    line = code.line_start(statement)
    start, _ = code.program.local_span(statement)
    indent = code.source(statement)[line:start]
    above = code.insert(Insertion(statement, line, f"{indent}{name} = {guarded}\n"))
    return [above, *(code.replace(place, name) for place in places)]


def _places(trap: Trap) -> list[cst.BaseExpression]:
    """Where the guarded value is written in the operand of the operation."""
    assert trap.guard is not None
    value = trap.guard.value
    found: list[cst.BaseExpression] = []
    for operand, node in operands(trap.singularity.term):
        if operand is trap.singularity.operand:
            inner = (
                leaves(operand) if isinstance(operand, Computed) and operand.node is node else ()
            )
            parts = [node for one, node in ((operand, node), *inner) if same(one, value)]
            found.extend(part for part in parts if isinstance(part, _REPEATABLE))
    return found


def _safe_value(traps: Sequence[Trap]) -> float | None:
    """A number for which all operations of the branch have a finite derivative."""
    for number in _SAFE:
        if not any(holds(trap.infinite, number) for trap in traps):
            return number
    return None


def _filled(module: str, number: float, x: str) -> str:
    match number:
        case 1.0:
            return f"{module}.ones_like({x})"
        case 0.0:
            return f"{module}.zeros_like({x})"
    return f"{number:g} * {module}.ones_like({x})"
