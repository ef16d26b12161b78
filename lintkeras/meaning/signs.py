"""What can be said of all numbers in a tensor: that none is negative, that they are no integers."""

from __future__ import annotations

from lintkeras.meaning.values import Arguments, Computed, Const, Symbol, Unknown, Value, walk

_NONNEGATIVE = frozenset({
    "square", "abs", "exp", "sigmoid", "softplus", "softmax", "hard_sigmoid", "var", "std",
    "reduce_variance", "reduce_std", "epsilon", "sqrt",
})  # fmt: skip
_KEEP_SIGN = frozenset({
    "sum", "mean", "max", "min", "prod", "reduce_sum", "reduce_mean", "reduce_max", "reduce_min",
    "reduce_prod", "expand_dims", "squeeze", "reshape", "flatten", "transpose", "cast", "identity",
    "stop_gradient", "permute_dimensions", "cumsum", "repeat", "repeat_elements", "tile", "gather",
})  # fmt: skip
_FLOATS = frozenset({
    "exp", "log", "sqrt", "sigmoid", "hard_sigmoid", "softmax", "softplus", "softsign", "tanh",
    "elu", "l2_normalize", "binary_crossentropy", "categorical_crossentropy",
    "sparse_categorical_crossentropy", "cast_to_floatx", "epsilon", "random_normal",
    "random_uniform", "truncated_normal", "var", "std",
    "equal", "not_equal", "greater", "greater_equal", "less", "less_equal", "all", "any",
    "in_top_k",
})  # fmt: skip
"""Functions that give floating-point numbers, or truth values (whose mean is one)."""
_KEEP_TYPE = frozenset({
    "square", "abs", "sign", "round", "sum", "max", "min", "prod", "mean", "maximum", "minimum",
    "clip", "pow", "dot", "batch_dot", "expand_dims", "squeeze", "reshape", "flatten", "transpose",
    "batch_flatten", "permute_dimensions", "cumsum", "cumprod", "repeat", "repeat_elements", "tile",
    "stop_gradient", "relu", "switch", "identity",
})  # fmt: skip
_ARITHMETIC = frozenset({"Add", "Subtract", "Multiply", "Power"})


def is_nonnegative(value: Value) -> bool:
    """Whether no number of a tensor is negative."""
    match value:
        case Const(value=int() | float() as number):
            return number >= 0
        case Computed(function=str(operator), arguments=Arguments(positional=(left, right))):
            if operator in ("Add", "Multiply", "Divide"):
                squared = operator == "Multiply" and left == right and _is_one_thing(left)
                return squared or (is_nonnegative(left) and is_nonnegative(right))
            return operator == "Power" and isinstance(right, Const) and right.value in (2, 4)
        case Computed(function=Symbol() as symbol, arguments=given) if symbol.flavour != "other":
            name = symbol.name.rpartition(".")[2]
            if name in _NONNEGATIVE:
                return True
            values = given.positional
            if name in _KEEP_SIGN:
                return bool(values) and is_nonnegative(values[0])
            if name == "maximum":
                return any(map(is_nonnegative, values))
            if name == "clip":
                least = given.get("min_value", 1)
                return least is not None and is_nonnegative(least)
    return False


def _is_one_thing(value: Value) -> bool:
    """Whether all that it is made of is the same thing each time."""
    return not any(isinstance(part, Unknown) and part.origin is None for part in walk(value))


def is_floating(value: Value) -> bool:
    """Whether a tensor holds floating-point numbers (or truth values), not integers."""
    match value:
        case Const():
            return isinstance(value.value, float)
        case Computed(function="Divide"):
            return True
        case Computed(function="Minus", arguments=Arguments(positional=(inner,))):
            return is_floating(inner)
        case Computed(function=str(operator), arguments=Arguments(positional=(left, right))):
            return operator in _ARITHMETIC and (is_floating(left) or is_floating(right))
        case Computed(function=Symbol() as symbol, arguments=given) if symbol.flavour != "other":
            name = symbol.name.rpartition(".")[2]
            if name in _FLOATS:
                return True
            if name == "cast":
                return _is_float_type(given.get("dtype", 1))
            return name in _KEEP_TYPE and any(map(is_floating, given.positional))
    return False


def _is_float_type(value: Value | None) -> bool:
    match value:
        case Const(value=str(name)):
            return name.startswith(("float", "bfloat")) or name == "bool"
        case Symbol() as symbol:
            return symbol.name.rpartition(".")[2].startswith(("float", "bfloat"))
        case Computed(function=Symbol() as symbol):
            return symbol.name.rpartition(".")[2] == "floatx"
    return False
