"""Nested structures: how many tensors a value is, as ``tf.nest.flatten`` counts them."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from lintkeras.meaning.values import (
    NONE,
    Computed,
    Const,
    CustomGradient,
    Dict,
    Either,
    Function,
    Gradient,
    Instance,
    Items,
    List,
    Member,
    Method,
    Sequence,
    Symbol,
    Unknown,
    Value,
    Weight,
    alternatives,
    walk,
)

_MODULES = frozenset({
    "tf", "tf.linalg", "tf.compat.v1", "tf.compat.v1.math", "tf.compat.v1.nn", "keras.ops",
    "keras.ops.numpy", "keras.ops.nn", "keras.ops.linalg", "keras.backend", "keras.activations",
    "numpy", "numpy.linalg",
})  # fmt: skip
_VARIABLES = frozenset({"tf.Variable", "keras.Variable"})
_ELEMENTWISE = frozenset({
    "abs", "acos", "acosh", "add", "angle", "arccos", "arcsin", "arctan", "asin", "asinh",
    "atan", "atan2", "atanh", "cast", "ceil", "clip", "clip_by_value", "conj", "cos", "cosh",
    "digamma", "divide", "divide_no_nan", "elu", "equal", "erf", "erfc", "erfinv", "exp",
    "exp2", "expm1", "exponential", "floor", "floordiv", "floormod", "gelu", "greater",
    "greater_equal", "hard_sigmoid", "hard_silu", "hard_swish", "hard_tanh", "imag",
    "is_finite", "is_inf", "is_nan", "isfinite", "isinf", "isnan", "leaky_relu", "less",
    "less_equal", "lgamma", "log", "log10", "log1p", "log2", "log_sigmoid", "logical_and",
    "logical_not", "logical_or", "logical_xor", "maximum", "minimum", "mish", "mod", "multiply",
    "multiply_no_nan", "negative", "not_equal", "ones_like", "polygamma", "pow", "power",
    "real", "real_div", "realdiv", "reciprocal", "reciprocal_no_nan", "relu", "relu6", "rint",
    "round", "rsqrt", "scalar_mul", "selu", "sigmoid", "sign", "silu", "sin", "sinh",
    "softplus", "softsign", "sqrt", "square", "squared_difference", "stop_gradient", "subtract",
    "swish", "tan", "tanh", "true_divide", "truediv", "xdivy", "xlog1py", "xlogy", "zeros_like",
    "zeta",
})  # fmt: skip
_WHOLE = frozenset({
    "all", "any", "argmax", "argmin", "argsort", "batch_flatten", "bias_add", "bincount",
    "boolean_mask", "broadcast_to", "cholesky", "clip_by_norm", "complex", "conv1d", "conv2d",
    "conv2d_transpose", "conv3d", "conv3d_transpose", "cross", "cumprod", "cumsum",
    "depthwise_conv2d", "det", "diag", "diag_part", "dot", "dropout", "embedding_lookup",
    "expand_dims", "eye", "fill", "flip", "gather", "gather_nd", "inv", "l2_loss",
    "l2_normalize", "linspace", "log_softmax", "logsumexp", "matmul", "matrix_transpose",
    "matvec", "max", "mean", "min", "norm", "one_hot", "ones", "pad", "permute_dimensions",
    "prod", "range", "rank", "reduce_all", "reduce_any", "reduce_logsumexp", "reduce_max",
    "reduce_mean", "reduce_min", "reduce_prod", "reduce_std", "reduce_sum", "reduce_variance",
    "repeat", "reshape", "reverse", "roll", "searchsorted", "separable_conv2d", "size",
    "softmax", "solve", "sort", "squeeze", "std", "sum", "take_along_axis",
    "tensor_scatter_nd_add", "tensor_scatter_nd_sub", "tensor_scatter_nd_update", "tensordot",
    "tile", "trace", "transpose", "tril", "triu", "var", "zeros",
})  # fmt: skip
_OF_SEVERAL = frozenset({
    "add_n", "array", "concat", "concatenate", "constant", "convert_to_tensor", "einsum",
    "identity", "shape", "stack", "where",
})  # fmt: skip
_KEEPING = frozenset({
    "broadcast_to", "conv1d", "conv2d", "conv3d", "depthwise_conv2d", "expand_dims", "identity",
    "log_softmax", "matmul", "reshape", "separable_conv2d", "softmax", "squeeze", "tile",
    "transpose", "where",
})  # fmt: skip
_STRICT_OPERATORS = frozenset({
    "Subtract", "Divide", "Power", "MatrixMultiply", "Minus", "FloorDivide", "Modulo",
    "LessThan", "LessThanEqual", "GreaterThan", "GreaterThanEqual",
})  # fmt: skip
_OPERATORS = _STRICT_OPERATORS | {"Add", "Multiply", "Equal", "NotEqual"}


def library_name(function: Value | str) -> str:
    """The name of a function on tensors in TensorFlow, ``keras.ops`` or NumPy; else empty."""
    if isinstance(function, Symbol):
        module, _, last = function.name.rpartition(".")
        return last if module in _MODULES else ""
    return ""


def keeps_entries(function: Value | str) -> bool:
    """Whether an operation gives as many entries as it gets, or mixes them in groups.

    A sum over a whole tensor does not.
    """
    name = library_name(function)
    return function in _OPERATORS or name in _ELEMENTWISE or name in _KEEPING


def is_zero(value: Value) -> bool | None:
    """Whether a tensor is zero (or None) everywhere; None where that is not known."""
    match value:
        case Const(value=None | 0):
            return True
        case Const() | Weight() | Gradient():
            return False
        case Instance():
            return False if value.class_name in _VARIABLES else None
        case Either(values=values):
            known = {is_zero(one) for one in values}
            return known.pop() if len(known) == 1 else None
        case Unknown(origin=("parameter", *_)):
            return False
        case Computed(function=function, arguments=arguments):
            parts = [is_zero(one) for one in arguments.positional]
            name = library_name(function)
            if name in ("zeros", "zeros_like"):
                return True
            if not parts or name in ("ones", "ones_like"):
                return False
            if function == "Multiply" or name in ("multiply", "multiply_no_nan"):
                return True if True in parts else None if None in parts else False
            if name == "where":
                return parts[1] if len(set(parts[1:])) == 1 else None if None in parts else False
            if name in _KEEPING or name in ("cast", "constant", "fill", "stop_gradient"):
                return parts[-1 if name == "fill" else 0]
            return None if None in parts else False
    return None


def holds_tensor(value: Value, tensors: frozenset[Value]) -> bool:
    """Whether a value is certainly a tensor computed from ``tensors``, or a list with one.

    A static shape or dtype is none.
    """
    if value in tensors:
        return True
    match value:
        case Unknown(origin=("item", Unknown() as holder, *_)):
            return holds_tensor(holder, tensors)
        case Either(values=values):
            return all(holds_tensor(one, tensors) for one in values)
        case Sequence(content=content):
            return any(holds_tensor(entry.value, tensors) for entry in content.entries)
        case Computed(function=function, arguments=arguments):
            known = function in _OPERATORS or function == "Subscript" or library_name(function)
            if known or isinstance(function, (CustomGradient, Instance)):
                return any(holds_tensor(one, tensors) for one in arguments.positional)
    return False


def depends(value: Value, on: frozenset[Value]) -> bool | None:
    """Whether the numbers in a tensor depend on those of others; None where that is not known.

    A shape or a dtype does not count.
    """
    if value in on:
        return True
    match value:
        case Const() | Symbol() | Weight() | Instance():
            return False
        case Unknown(origin=("parameter" | "free", *_)):
            return False
        case Unknown(origin=("item" | "of", Unknown() as holder, *_)):
            return depends(holder, on)
        case Member(of=of, name=name):
            return False if name in ("dtype", "shape", "name", "ndim") else depends(of, on)
        case Either(values=values):
            known = {depends(one, on) for one in values}
            return known.pop() if len(known) == 1 else None
        case Sequence(content=content):
            plain = content.plain()
            return None if plain is None else _any(depends(one, on) for one in plain)
        case Computed(function=function, arguments=arguments):
            if library_name(function) in ("zeros_like", "ones_like", "shape", "size", "rank"):
                return False
            parts = [*arguments.positional, *(given for _, given in arguments.keywords)]
            known = {depends(one, on) for one in parts}
            if not isinstance(function, (str, Symbol)):
                known.add(depends(function, on))
            return _any(known) if arguments.complete else None
    return None


def _any(known: Iterable[bool | None]) -> bool | None:
    """``any`` of answers that may be unknown."""
    answers = set(known)
    return True if True in answers else None if None in answers else False


def flat_size(value: Value, is_tensor: Callable[[Value], bool] = lambda value: False) -> int | None:
    """How many tensors a structure flattens to; None where that is not known.

    ``None``, numbers and functions count as one, as in ``tf.nest.flatten``. ``is_tensor`` says of
    an unknown whether it is known to be one tensor.
    """
    if is_tensor(value):
        return 1
    match value:
        case Const() | Weight() | Function() | Method() | CustomGradient():
            return 1
        case Unknown(origin=("item", holder, *_)):
            return 1 if is_tensor(holder) else None  # type: ignore[arg-type]
        case Instance():
            return 1 if value.class_name in _VARIABLES else None
        case Sequence(kind="tuple" | "list", content=content):
            plain = content.plain()
            return None if plain is None else _total(plain, is_tensor)
        case Items(items=items, complete=True):
            return _total((item for _, item in items), is_tensor)
        case Gradient(call=call):
            return 1 if call.is_list is False else None
        case Either(values=values):
            sizes = {flat_size(one, is_tensor) for one in values}
            return sizes.pop() if len(sizes) == 1 else None
        case Computed():
            return _computed_size(value, is_tensor)
    return None


def _total(values: Iterable[Value], is_tensor: Callable[[Value], bool]) -> int | None:
    total = 0
    for value in values:
        size = flat_size(value, is_tensor)
        if size is None:
            return None
        total += size
    return total


def _computed_size(value: Computed, is_tensor: Callable[[Value], bool]) -> int | None:
    operands = value.arguments.positional
    name = library_name(value.function)
    if name in _ELEMENTWISE or name in _WHOLE or name in _OF_SEVERAL:
        return 1
    if value.function == "Subscript":
        return 1 if flat_size(operands[0], is_tensor) == 1 and operands[0] != NONE else None
    if value.function not in _OPERATORS:
        return None
    if any(isinstance(one, (List, Sequence, Dict, Items)) for one in operands):
        return None
    if value.function in _STRICT_OPERATORS:
        return 1
    # `+` and `*` also work on lists, so one operand must be known to be a tensor.
    known = any(
        flat_size(one, is_tensor) == 1 and not isinstance(one, Const) for one in operands
    ) or any(isinstance(one, Const) and isinstance(one.value, float) for one in operands)
    return 1 if known else None


def is_one_tensor(value: Value, seen_in: Iterable[Value]) -> bool:
    """Whether an unknown is used in ``seen_in`` as only one tensor can be used.

    It could as well be a list of tensors where it is indexed, iterated over or given to code that
    takes lists.
    """
    evidence = False
    for whole in seen_in:
        for part in walk(whole):
            match part:
                case Unknown(origin=None | ("item", *_)):
                    return False
                case Computed(function=function, arguments=arguments):
                    operands = arguments.positional
                    if not any(value in alternatives(one) for one in operands):
                        continue
                    name = library_name(function)
                    if function in _STRICT_OPERATORS or name in _ELEMENTWISE or name in _WHOLE:
                        evidence = True
                    elif function in _OPERATORS:
                        evidence = evidence or any(
                            flat_size(one) == 1 and not (isinstance(one, Const) and
                                                         isinstance(one.value, int))
                            for one in operands
                        )  # fmt: skip
                    else:
                        return False
    return evidence
