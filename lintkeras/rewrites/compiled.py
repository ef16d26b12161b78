"""What takes the place of ``compiled_loss`` and ``compiled_metrics``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import libcst as cst

from lintkeras.findings import Applicability, Fix
from lintkeras.rewrites.code import Code
from lintkeras.syntax.tree import nodes

if TYPE_CHECKING:
    from lintkeras.checks.registry import Context

_LOSS = ("y", "y_pred", "sample_weight", "regularization_losses")
_METRICS = ("y", "y_pred", "sample_weight")
_NAMES = {"y_true": "y"}


def of_loss(
    context: Context,
    node: cst.Attribute,
    call: cst.Call | None,
    function: cst.FunctionDef,
    *,
    own: bool,
) -> Iterator[Fix]:
    """``compute_loss`` with the same arguments; ``own`` says whether the class has one itself."""
    code = context.code
    given = _given(call, _LOSS) if call is not None else None
    if call is None or given is None or not {"y", "y_pred"} <= {*given}:
        return
    if any(code.comments(call)):
        return
    added = given.pop("regularization_losses", None)
    inside = function.name.value == "compute_loss"
    holder = "super()" if inside else code.text(node.value)
    first = "x=None, " if own and not inside else ""
    rest = ", ".join(f"{name}={code.text(value)}" for name, value in given.items())
    same = context.releases.only_keras_3() or added is not None
    yield Fix(
        "compute-loss",
        f"write `{holder}.compute_loss(...)`",
        Applicability.SAFE if same and not _may_lack(context) else Applicability.UNSAFE,
        (code.replace(call, f"{holder}.compute_loss({first}{rest})"),),
    )


def _may_lack(context: Context) -> bool:
    """Whether a release that the project allows has no ``compute_loss`` yet."""
    return any(context.code.may_run_on(2, minor) for minor in range(_FIRST_MINOR))


_FIRST_MINOR = 9
"""``Model.compute_loss`` came with Keras 2.9."""


def of_metrics(context: Context, node: cst.Attribute, function: cst.FunctionDef) -> Iterator[Fix]:
    """The loop of the Keras guide: the loss to its tracker, the predictions to the others."""
    code = context.code
    method = context.program.parent(node)
    call = context.program.parent(method) if method is not None else None
    if not isinstance(call, cst.Call) or not context.releases.only_keras_3():
        return
    statement = code.small_statement(call)
    line = context.program.parent(statement) if statement is not None else None
    given, loss = _given(call, _METRICS), _loss_above(code, function, call)
    if not isinstance(statement, cst.Expr) or statement.value is not call or given is None:
        return
    if not isinstance(line, cst.SimpleStatementLine) or len(line.body) != 1 or loss is None:
        return
    if any(code.comments(call)) or not {"y", "y_pred"} <= {*given}:
        return
    start, _ = context.program.local_span(statement)
    source = code.source(statement)
    indent = source[source.rfind("\n", 0, start) + 1 : start]
    name = code.fresh("metric", function)
    arguments = ", ".join(code.text(given[one]) for one in ("y", "y_pred"))
    if "sample_weight" in given:
        arguments += f", sample_weight={code.text(given['sample_weight'])}"
    lines = [
        f"for {name} in {code.text(node.value)}.metrics:",
        f'    if {name}.name == "loss":',
        f"        {name}.update_state({loss})",
        "    else:",
        f"        {name}.update_state({arguments})",
    ]
    yield Fix(
        "each-metric",
        "update the loss and the metrics one by one",
        Applicability.UNSAFE,
        (code.replace(statement, f"\n{indent}".join(lines)),),
    )


def _loss_above(code: Code, function: cst.FunctionDef, call: cst.Call) -> str | None:
    """The one name that is given the loss above a call."""
    found = set()
    for node in nodes(function):
        match node:
            case cst.Assign(
                targets=[cst.AssignTarget(target=cst.Name(value=name))],
                value=cst.Call(func=cst.Attribute(attr=cst.Name(value=method))),
            ) if method in ("compiled_loss", "compute_loss") and code.start(node) < code.start(
                call
            ):
                found.add(name)
    return found.pop() if len(found) == 1 else None


def _given(call: cst.Call, order: tuple[str, ...]) -> dict[str, cst.BaseExpression] | None:
    """The arguments of a call by name, in order; None where there are others."""
    found: dict[str, cst.BaseExpression] = {}
    for index, argument in enumerate(call.args):
        if argument.star or (argument.keyword is None and index >= len(order)):
            return None
        name = argument.keyword.value if argument.keyword is not None else order[index]
        name = _NAMES.get(name, name)
        if name not in order:
            return None
        found[name] = argument.value
    return found
