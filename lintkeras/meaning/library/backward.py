"""Functions with a backward pass of their own: ``tf.custom_gradient`` and its Keras twin."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lintkeras.meaning.facts import BackwardPass, FunctionSummary
from lintkeras.meaning.outline import is_static, positional_parameters
from lintkeras.meaning.values import CustomGradient, Function, Instance, Sequence, Value

if TYPE_CHECKING:
    from lintkeras.meaning.interpreter import Interpreter


def backward_pass(run: Interpreter, gradient: CustomGradient, function: Function) -> BackwardPass:
    """Both passes of a function, each summarized for unknown arguments."""
    is_method = function.cls is not None and not is_static(function.node)
    owner = Instance(function.cls, ("self", function.cls.node)) if function.cls else None
    summary = run.summarize(function, owner if is_method else None)
    inputs = tuple(positional_parameters(function.node.params)[1 if is_method else 0 :])
    pairs = tuple(_pair(run, result) for result in summary.results)
    return BackwardPass(function.node, gradient, summary, inputs, pairs, is_method)


def _pair(run: Interpreter, result: Value) -> tuple[Value, FunctionSummary | None] | None:
    """The two halves of a result, where it is a pair."""
    plain = result.content.plain() if isinstance(result, Sequence) else None
    if plain is None or len(plain) != 2:
        return None
    value, grad = plain
    return value, run.summarize(grad) if isinstance(grad, Function) else None
