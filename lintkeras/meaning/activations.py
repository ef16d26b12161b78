"""The names of activations, and the functions of Keras and TensorFlow behind them."""

from __future__ import annotations

from lintkeras.meaning.values import Symbol

ACTIVATIONS = frozenset({
    "celu", "elu", "exponential", "gelu", "glu", "hard_shrink", "hard_sigmoid", "hard_silu",
    "hard_swish", "hard_tanh", "leaky_relu", "linear", "log_sigmoid", "log_softmax", "mish", "relu",
    "relu6", "selu", "sigmoid", "silu", "soft_shrink", "softmax", "softplus", "softsign",
    "sparse_plus", "sparse_sigmoid", "sparsemax", "squareplus", "swish", "tanh", "tanh_shrink",
    "threshold", "prelu", "thresholded_relu",
})  # fmt: skip
"""What ``keras.activations.get`` knows, and the activations that are layers only."""
_ALONG_AXIS = frozenset({"softmax", "log_softmax", "sparsemax", "glu"})
ELEMENTWISE = ACTIVATIONS - _ALONG_AXIS
"""The activations that look at each entry alone."""
KEEPS_VALUES = frozenset({
    "tf.identity", "tf.cast", "tf.convert_to_tensor", "tf.ensure_shape", "tf.stop_gradient",
    "keras.ops.cast", "keras.ops.convert_to_tensor", "keras.ops.stop_gradient", "keras.ops.identity",
    "keras.backend.cast", "keras.backend.stop_gradient", "keras.backend.identity",
    "keras.activations.linear",
})  # fmt: skip
"""Functions that give the values that they are given."""
_MODULES = ("keras.activations.", "keras.ops.", "keras.backend.", "tf.")
_SECOND_NAMES = {"leakyrelu": "leaky_relu", "swish": "silu", "hard_swish": "hard_silu",
                 "thresholdedrelu": "thresholded_relu", "leaky_re_lu": "leaky_relu"}  # fmt: skip


def named(text: str) -> str | None:
    """The activation that a string or the name of a class stands for; None where that is none."""
    name = text.lower()
    name = _SECOND_NAMES.get(name, name)
    return name if name in ACTIVATIONS else None


def of_function(symbol: Symbol) -> str | None:
    """The activation that a function of Keras or TensorFlow computes; None where it is no such."""
    module, _, last = symbol.name.rpartition(".")
    if f"{module}." not in _MODULES or last == "linear" or last == "threshold":
        return None
    return named(last) if last == last.lower() else None
