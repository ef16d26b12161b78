"""Functions with a backward pass of their own: ``tf.custom_gradient`` and its Keras twin."""

from __future__ import annotations

from typing import TYPE_CHECKING

import libcst as cst

from lintkeras.meaning.facts import BackwardPass, FunctionSummary
from lintkeras.meaning.nests import flat_size
from lintkeras.meaning.objects import unknown_parameters
from lintkeras.meaning.outline import is_static, positional_parameters
from lintkeras.meaning.values import (
    Arguments,
    Class,
    Const,
    CustomGradient,
    Function,
    Instance,
    Method,
    Sequence,
    Unknown,
    Value,
)

if TYPE_CHECKING:
    from lintkeras.meaning.interpreter import Interpreter

VARIABLES = "variables"
"""The keyword under which a grad function gets the variables that the forward pass read."""
CUSTOM_GRADIENTS = frozenset({
    "tf.custom_gradient", "tf.compat.v1.custom_gradient",
    "tf.python.ops.custom_gradient.custom_gradient", "keras.ops.custom_gradient",
})  # fmt: skip


def backward_pass(run: Interpreter, gradient: CustomGradient) -> BackwardPass | None:
    """Both passes of a function of this file, each summarized for unknown arguments."""
    found = _function(gradient.function)
    if found is None or found[0].scope.module is not run.module:
        return None
    summary = run.summarize(*found)
    pairs = tuple(_pair(run, result) for result in summary.results)
    return BackwardPass(summary.node, gradient, summary, pairs)


def _function(value: Value) -> tuple[Function, Value | None] | None:
    """A function of the program, with the object that it is bound to."""
    match value:
        case Method(owner=owner, function=function):
            return function, owner
        case Function(cls=Class() as cls) if not is_static(value.node):
            return value, Instance(cls, ("self", cls.node))
        case Function():
            return value, None
    return None


def _pair(run: Interpreter, result: Value) -> tuple[Value, FunctionSummary | None] | None:
    """The two halves of a result, where it is a pair."""
    plain = result.content.plain() if isinstance(result, Sequence) else None
    if plain is None or len(plain) != 2:
        return None
    value, grad = plain
    found = _function(grad)
    if found is None:
        return value, None
    return value, run.summarize(*found, _upstream(*found, flat_size(value)))


def _upstream(function: Function, owner: Value | None, outputs: int | None) -> Arguments | None:
    """What a grad function is called with: a gradient for each output, ``variables`` perhaps.

    All other parameters keep their defaults. The portable form, ``grad(*args, upstream=None)``,
    belongs to a function with one output.
    """
    params = function.node.params
    star = params.star_arg.name.value if isinstance(params.star_arg, cst.Param) else None
    if star is not None and any(p.name.value == "upstream" for p in params.kwonly_params):
        outputs = 1
    if outputs is None or params.star_kwarg is not None:
        return None
    values = unknown_parameters(function, owner)
    names = [p.name.value for p in positional_parameters(params)]
    bound = names[: 1 if owner is not None else 0]
    free = [name for name in names if name not in (*bound, VARIABLES)]
    taken = [values[name] for name in (*bound, *free[:outputs])]
    if star is not None and VARIABLES not in names:
        rest = range(outputs - len(free[:outputs]))
        taken += [Unknown(("item", values[star], Const(i))) for i in rest]
    keywords = ((VARIABLES, values[VARIABLES]),) if VARIABLES in values else ()
    return Arguments(tuple(taken), keywords)
