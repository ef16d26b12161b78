"""Losses: what of them has no gradient."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from lintkeras.checks.registry import Context, check
from lintkeras.findings import Finding, Note
from lintkeras.meaning.differentiation import Cut, connection
from lintkeras.meaning.facts import CompiledModel, FunctionSummary
from lintkeras.meaning.library import argument_node
from lintkeras.meaning.outline import positional_parameters
from lintkeras.meaning.training import is_flat, is_it
from lintkeras.meaning.values import Function, Method, Value

_ARRAYS = frozenset({"numpy", "predict"})


@check("LK135")
def nondifferentiable_loss(context: Context) -> Iterator[Finding]:
    """A loss in which every way to ``y_pred`` leads through an operation without a gradient."""
    seen: dict[cst.CSTNode, tuple[CompiledModel, FunctionSummary, str, Cut]] = {}
    for group in context.facts.groups(CompiledModel):
        for compiled in group:
            for loss in compiled.losses:
                found = _without_gradient(context, loss)
                if found is not None:
                    seen.setdefault(found[2].at.node, (compiled, *found))
    program = context.program
    for node, (compiled, summary, y_pred, cut) in seen.items():
        if program.owns(node):
            place, text = node, f"`{' '.join(program.text(node).split())}`"
        else:  # the loss stands in another file
            argument = argument_node(compiled.node, "loss", 1)
            place, text = compiled.node if argument is None else argument.value, "it"
        yield Finding(
            "LK135",
            program.span(place),
            f"{_name(summary.function)} has no gradient with respect to `{y_pred}`: {text} "
            f"{_what(cut)}",
            notes=(
                Note("effect", _effect(cut)),
                Note(
                    "note",
                    "keep such a function as a metric, and train with a smooth loss: "
                    "probabilities instead of decisions",
                ),
            ),
            related=context.related((compiled.node, "the model is trained with it")),
        )


def _without_gradient(context: Context, loss: Value) -> tuple[FunctionSummary, str, Cut] | None:
    """The summary of a loss, the name of its ``y_pred``, and what cuts that off."""
    function = loss.function if isinstance(loss, Method) else loss
    if not isinstance(function, Function):
        return None
    summary = context.facts.summaries.get(function.node)
    position = 2 if isinstance(loss, Method) else 1
    parameters = positional_parameters(function.node.params)
    if summary is None or not summary.results or len(parameters) <= position:
        return None
    name = parameters[position].name.value
    y_pred = summary.parameter(name)
    cuts: list[Cut] = []
    for result in summary.results:
        way = connection(result, is_it(y_pred))
        if way.reaches is not False or not way.cuts:
            return None
        cuts.extend(way.cuts)
    if not all(is_flat(cut) or cut.reason in _ARRAYS for cut in cuts):
        return None
    return summary, name, cuts[0]


def _name(function: Function) -> str:
    """What a loss is called."""
    if function.cls is not None:
        return f"the loss `{function.cls.node.name.value}`"
    return "the loss" if isinstance(function.node, cst.Lambda) else f"the loss `{function.name}`"


def _what(cut: Cut) -> str:
    """What an operation does to the gradient."""
    if cut.reason in _ARRAYS:
        return "leaves TensorFlow"
    return "has the derivative 0" if cut.reason == "zero" else "is piecewise constant"


def _effect(cut: Cut) -> str:
    if cut.reason in _ARRAYS:
        return (
            "fit() raises, since a symbolic tensor has no NumPy array; run eagerly it raises "
            '"No gradients provided for any variable"'
        )
    if cut.reason == "zero":
        return "the gradients are all 0: training runs, and no weight moves"
    return 'fit() raises "No gradients provided for any variable"'
