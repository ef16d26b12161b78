"""Fixes of an optimizer step: filtered pairs, a factor moved into the learning rate."""

from __future__ import annotations

import libcst as cst

from lintkeras.findings import Applicability, Fix
from lintkeras.meaning.facts import Facts, OptimizerStep
from lintkeras.meaning.library import argument_node
from lintkeras.meaning.values import Const, Gradient, Instance
from lintkeras.rewrites.derivatives import delete, removed_comment, restore, uses
from lintkeras.syntax.program import Program

_CHANGES_THE_RATE = ("weight_decay", "clipnorm", "clipvalue", "global_clipnorm", "decay")


def filter_pairs(program: Program, step: OptimizerStep) -> tuple[Fix, ...]:
    """LK105: drop the pairs whose gradient is None, instead of gradients alone.

    Only where the filter is ``[g for g in gradients if g is not None]``, a statement of its own.
    """
    test = step.gradients.entries[0].tests[0].node
    comprehension = next((a for a in program.ancestors(test) if isinstance(a, cst.ListComp)), None)
    if comprehension is None or step.pairs is None or len(step.pairs.nodes) != 3:
        return ()
    target, source = comprehension.for_in.target, comprehension.for_in.iter
    statement = program.statement(comprehension)
    call, _, variables = step.pairs.nodes
    plain = (
        isinstance(target, cst.Name)
        and isinstance(source, cst.Name)
        and isinstance(comprehension.elt, cst.Name)
        and comprehension.elt.value == target.value
        and len(comprehension.for_in.ifs) == 1
        and comprehension.for_in.inner_for_in is None
    )
    match statement:
        case cst.SimpleStatementLine(
            body=[cst.Assign(targets=[cst.AssignTarget(target=cst.Name(value=name))], value=value)]
        ) if plain and value is comprehension:
            later = uses(program, statement, name)
            if later is None or len(later) != 1 or program.text(target) == "v":
                return ()
            pairs = (
                f"[({program.text(target)}, v) for {program.text(target)}, v in "
                f"zip({program.text(source)}, {program.text(variables)}) "
                f"if {program.text(test)}]"
            )
            edits = (delete(program, statement), program.replace(call, pairs))
            title = f"filter the pairs{removed_comment(program, list(edits))}"
            return (Fix("filter-pairs", title, Applicability.UNSAFE, edits),)
    return ()


def move_factor(
    program: Program, facts: Facts, step: OptimizerStep, gradient: Gradient, factor: float
) -> tuple[Fix, ...]:
    """LK102: multiply a literal learning rate instead of the gradients.

    Not with weight decay, clipping, a schedule, or an optimizer that several steps share.
    """
    optimizer = step.optimizer
    edits = restore(program, facts, gradient)
    if edits is None or not isinstance(optimizer, Instance) or optimizer.node is None:
        return ()
    if any(optimizer.arguments.get(name) is not None for name in _CHANGES_THE_RATE):
        return ()
    users = [
        group
        for group in facts.groups(OptimizerStep)
        if any(s.optimizer == optimizer for s in group)
    ]
    rate = argument_node(optimizer.node, "learning_rate", 0)
    value = optimizer.arguments.get("learning_rate", 0)
    literal = rate is not None and isinstance(rate.value, (cst.Float, cst.Integer))
    if len(users) != 1 or not literal or not isinstance(value, Const) or rate is None:
        return ()
    assert isinstance(value.value, (int, float))
    new = f"{value.value * factor:.12g}"
    give = program.replace(rate.value, new)
    title = f"learning_rate={new}{removed_comment(program, edits)}"
    return (Fix("learning-rate", title, Applicability.UNSAFE, (give, *edits)),)
