"""Functions of TensorFlow and keras.ops on tensors."""

from __future__ import annotations

from typing import TYPE_CHECKING

import libcst as cst

from lintkeras.meaning.calling import Model, tuple_of, unwrapped
from lintkeras.meaning.library.python import map_calls
from lintkeras.meaning.operators import binary, edited, term, unary
from lintkeras.meaning.values import (
    UNKNOWN,
    Arguments,
    Computed,
    Const,
    Content,
    Entry,
    Gradient,
    List,
    Rectify,
    Sequence,
    Symbol,
    Value,
    alternatives,
)

if TYPE_CHECKING:
    from lintkeras.meaning.interpreter import Interpreter

IDENTITIES = frozenset({
    "tf.identity", "tf.convert_to_tensor", "tf.cast", "tf.stop_gradient", "tf.debugging.check_numerics",
    "keras.ops.cast", "keras.ops.convert_to_tensor", "keras.ops.stop_gradient", "keras.backend.cast",
})  # fmt: skip
RELUS = frozenset({"tf.relu", "keras.activations.relu", "keras.ops.relu", "keras.backend.relu"})


def _map_structure(run: Interpreter, symbol: Symbol, arguments: Arguments, node: cst.Call) -> Value:
    sources = arguments.positional[1:]
    if any(not isinstance(value, (List, Sequence)) for value in sources):
        return UNKNOWN
    return map_calls(run, symbol, arguments, node)


def _binary_call(operator: str) -> Model:
    def model(run: Interpreter, symbol: Symbol, arguments: Arguments, node: cst.Call) -> Value:
        values = [arguments.get(n, i) for i, n in enumerate(("x", "y"))]
        if len(arguments.positional) + len(arguments.keywords) < 2:
            return UNKNOWN
        left, right = values[0] or UNKNOWN, values[1] or UNKNOWN
        if isinstance(left, List) or isinstance(right, List):
            return UNKNOWN
        return binary(operator, left, right, node)

    return model


def _divide_no_nan(run: Interpreter, symbol: Symbol, arguments: Arguments, node: cst.Call) -> Value:
    """A division, where the divisor is certainly not 0."""
    match arguments.get("y", 1):
        case Const(value=int() | float() as divisor) if divisor:
            return _binary_call("Divide")(run, symbol, arguments, node)
    return term(symbol, unwrapped(run, arguments), node)


def _scalar_multiply(
    run: Interpreter, symbol: Symbol, arguments: Arguments, node: cst.Call
) -> Value:
    if len(arguments.positional) != 2:
        return UNKNOWN
    return binary("Multiply", arguments.positional[0], arguments.positional[1], node)


def _negative(run: Interpreter, symbol: Symbol, arguments: Arguments, node: cst.Call) -> Value:
    value = arguments.get("x", 0) or UNKNOWN
    return UNKNOWN if isinstance(value, List) else unary("Minus", value, node)


def _identity(run: Interpreter, symbol: Symbol, arguments: Arguments, node: cst.Call) -> Value:
    value = arguments.positional[0] if arguments.positional else UNKNOWN
    if any(isinstance(v, Gradient) for v in alternatives(value)):
        return value
    return term(symbol, unwrapped(run, arguments), node)


def _relu(run: Interpreter, symbol: Symbol, arguments: Arguments, node: cst.Call) -> Value:
    value = arguments.positional[0] if arguments.positional else UNKNOWN
    if isinstance(value, Gradient):
        return edited(value, Rectify(node))
    return term(symbol, arguments, node)


def _maximum(run: Interpreter, symbol: Symbol, arguments: Arguments, node: cst.Call) -> Value:
    match arguments.positional:
        case Gradient() as gradient, Const(value=0):
            return edited(gradient, Rectify(node))
        case Const(value=0), Gradient() as gradient:
            return edited(gradient, Rectify(node, operand=1))
    return term(symbol, arguments, node)


def _where(run: Interpreter, symbol: Symbol, arguments: Arguments, node: cst.Call) -> Value:
    from lintkeras.meaning.operators import is_sign_mask

    if len(arguments.positional) == 3:
        condition, kept, other = arguments.positional
        zero = (isinstance(other, Const) and other.value == 0) or (
            isinstance(other, Computed)
            and isinstance(other.function, Symbol)
            and other.function.name.rpartition(".")[2] == "zeros_like"
        )
        if isinstance(kept, Gradient) and zero and is_sign_mask(condition, kept):
            return edited(kept, Rectify(node, operand=1))
    return term(symbol, arguments, node)


def _clip_all(run: Interpreter, symbol: Symbol, arguments: Arguments, node: cst.Call) -> Value:
    """``tf.clip_by_global_norm(tensors, norm)``: the clipped tensors, and the norm they had."""
    given = arguments.get("t_list", 0)
    if given is None:
        return UNKNOWN
    rest = tuple(v for v in (arguments.get("clip_norm", 1), arguments.get("use_norm", 2)) if v)
    content = run.content(given)
    entries = tuple(
        Entry(term(symbol, Arguments((e.value, *rest)), node), e.domain, e.tests)
        for e in content.entries
    )
    norm = term(
        Symbol("tensorflow.linalg.global_norm"), Arguments((Sequence("list", content),)), node
    )
    return tuple_of((run.new_list(node, Content(entries), "clipped"), norm))


FUNCTIONS: dict[str, Model] = {
    **dict.fromkeys(IDENTITIES, _identity),
    **dict.fromkeys(RELUS, _relu),
    "tf.nest.map_structure": _map_structure,
    "keras.tree.map_structure": _map_structure,
    "tf.add": _binary_call("Add"),
    "keras.ops.add": _binary_call("Add"),
    "tf.subtract": _binary_call("Subtract"),
    "keras.ops.subtract": _binary_call("Subtract"),
    "tf.multiply": _binary_call("Multiply"),
    "keras.ops.multiply": _binary_call("Multiply"),
    "numpy.multiply": _binary_call("Multiply"),
    "tf.divide": _binary_call("Divide"),
    "tf.truediv": _binary_call("Divide"),
    "tf.divide_no_nan": _divide_no_nan,
    "keras.ops.divide": _binary_call("Divide"),
    "keras.ops.true_divide": _binary_call("Divide"),
    "tf.scalar_mul": _scalar_multiply,
    "tf.negative": _negative,
    "keras.ops.negative": _negative,
    "tf.maximum": _maximum,
    "keras.ops.maximum": _maximum,
    "keras.backend.maximum": _maximum,
    "tf.clip_by_global_norm": _clip_all,
    "tf.where": _where,
    "keras.ops.where": _where,
}
