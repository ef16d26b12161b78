"""Each replacement of a function of TensorFlow: the old one fails on a KerasTensor, the new one runs.

On real tensors both compute the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from lintkeras import engine
from lintkeras.checks.backend import entry_of
from lintkeras.checks.symbolic import _TAKES_SYMBOLS
from lintkeras.fixes import Consent, fix
from lintkeras.keras_api.replacements import table

TABLE = table("tensorflow")
UNARY = ("x", "x=x")
BINARY = ("x, y", "x, 0.5", "y=y, x=x")
REDUCED = ("x, 1", "img, axis=[1, 2], keepdims=True", "axis=-1, input_tensor=x", "img, (1, 2)")
MATHS = {"log", "log1p", "expm1", "rsqrt", "ceil", "negative", "reciprocal", "floormod", "floordiv",
         "squared_difference", "l2_normalize", "top_k", "reduce_std", "reduce_variance", "atan2",
         "add_n", "cumprod"}  # fmt: skip
NN = {"relu", "elu", "selu", "softplus", "softsign", "relu6", "leaky_relu", "gelu", "silu", "swish",
      "softmax", "log_softmax"}  # fmt: skip
CASES: dict[str, Sequence[str]] = {
    **dict.fromkeys(["abs", "exp", "sqrt", "square", "tanh", "sin", "cos", "sign", "round",
                     "floor", "sigmoid", "log", "log1p", "expm1", "rsqrt", "ceil", "negative",
                     "reciprocal"], UNARY),
    "logical_not": ("x > 0", "x=x > 0"),
    **dict.fromkeys(["relu", "elu", "selu", "softplus", "softsign", "relu6", "silu", "swish"],
                    ("x", "features=x")),
    "leaky_relu": ("x", "x, 0.1", "features=x, alpha=0.3"),
    "gelu": ("x", "x, True", "features=x, approximate=True"),
    **dict.fromkeys(["softmax", "log_softmax"], ("x", "x, 1", "logits=img, axis=2")),
    **dict.fromkeys(["add", "subtract", "multiply", "divide", "truediv", "maximum", "minimum",
                     "equal", "not_equal", "greater", "greater_equal", "less", "less_equal",
                     "floormod", "floordiv", "squared_difference"], BINARY),
    "pow": ("x, 2.0", "x, y=3", "x * x, y"),
    "atan2": ("x, y", "y=x, x=y"),
    **dict.fromkeys(["logical_and", "logical_or"], ("x > 0, y > 0", "y=y > 0, x=x > 0")),
    "add_n": ("[x, y]", "inputs=[x, y, x]"),
    **dict.fromkeys(["reduce_sum", "reduce_mean", "reduce_max", "reduce_min", "reduce_prod",
                     "reduce_logsumexp", "reduce_std", "reduce_variance"], REDUCED),
    **dict.fromkeys(["reduce_any", "reduce_all"], ("x > 0, 1", "input_tensor=x > 0, axis=-1")),
    "concat": ("[x, y], 1", "[x, y], axis=-1", "axis=1, values=[x, x]"),
    "stack": ("[x, y], 1", "values=[x, y], axis=-1"),
    "unstack": ("x, 3, 1", "x, axis=1", "x, num=3, axis=-1"),
    "expand_dims": ("x, 1", "x, axis=-1", "axis=1, input=x"),
    "squeeze": ("img[:, :1], 1", "img[..., :1], axis=[3]"),
    "reshape": ("img, (-1, 18)", "tensor=x, shape=[-1, 3, 1]"),
    "transpose": ("img, [0, 3, 1, 2]", "img, perm=(0, 2, 1, 3)"),
    "tile": ("x, [1, 2]", "input=x, multiples=(1, 3)"),
    "repeat": ("x, 2, 1", "x, repeats=3, axis=1"),
    "reverse": ("x, [1]", "img, axis=[1, 2]"),
    "roll": ("x, 1, 1", "img, shift=2, axis=2"),
    "cast": ("x, 'int32'", "x, tf.float16", "ints, dtype=tf.float32", "x > 0, 'float32'"),
    "gather": ("x, [2, 0], axis=1", "img, indices=1, axis=2", "x, [0]"),
    "one_hot": ("ints, 4", "indices=ints, depth=2"),
    **dict.fromkeys(["matmul", "linalg.matmul"], ("img, weights", "a=x, b=weights")),
    "tensordot": ("x, weights, 1", "x, weights, axes=[[1], [0]]"),
    "pad": ("x, [[0, 0], [1, 2]]", "x, [[0, 0], [1, 1]], 'REFLECT'", "x, paddings=[[0, 0], [1, 0]], constant_values=2.0", "img, [[0, 0], [1, 1], [1, 1], [0, 0]], mode='SYMMETRIC'", "x, [[0, 0], [1, 1]], mode='CONSTANT'"),
    "shape": ("=tf.shape(x)[1]", "=tf.shape(input=img)[-1]", "x"),
    "clip_by_value": ("x, -0.5, 0.5", "x, clip_value_max=0.1, clip_value_min=-0.1"),
    "where": ("x > 0, x, y", "x > 0, x=x, y=0.0"),
    **dict.fromkeys(["argmax", "argmin"], ("x, 1", "x", "input=img, axis=-1")),
    **dict.fromkeys(["zeros_like", "ones_like"], ("x", "x, 'int32'", "input=x, dtype=tf.float32")),
    **dict.fromkeys(["cumsum", "cumprod"], ("x, 1", "x", "x=x, axis=-1")),
    **dict.fromkeys(["norm", "linalg.norm"], ("x, axis=1", "tensor=x, axis=-1, keepdims=True")),
    **dict.fromkeys(["l2_normalize", "linalg.l2_normalize"], ("x, 1", "x, axis=-1", "x * 1e-9, axis=1")),
    "stop_gradient": ("x", "input=x"),
    "top_k": ("x, 2", "x, k=1", "input=x, k=2, sorted=True"),
    "image.resize": ("img, (3, 4)", "img, size=(7, 9), method='nearest'", "images=img, size=[10, 12]"),
    **{f"numpy.{name}": ("x",) for name in ("exp", "log", "sqrt", "square", "abs", "sign", "sin", "cos", "tanh")},
    **{f"numpy.{name}": ("x, y", "x, 0.5") for name in ("add", "subtract", "divide", "power", "maximum", "minimum")},
    **{f"numpy.{name}": ("x, 1", "img, axis=(1, 2)") for name in ("sum", "mean", "max", "min", "prod", "std", "var")},
    "numpy.matmul": ("img, weights",), "numpy.dot": ("x, weights",),
    "numpy.concatenate": ("[x, y], 1", "[x, y], axis=-1"), "numpy.stack": ("[x, y], 1", "[x, y], axis=-1"),
    "numpy.expand_dims": ("x, 1", "x, axis=-1"), "numpy.reshape": ("img, (-1, 18)",),
    "numpy.transpose": ("img, (0, 3, 1, 2)", "img, axes=(0, 2, 1, 3)"),
    "numpy.clip": ("x, -0.5, 0.5", "x, a_min=-0.1, a_max=0.1"),
}  # fmt: skip
HEAD = """\
import keras
import numpy
import tensorflow as tf
x = keras.Input((3,))
y = keras.Input((3,))
img = keras.Input((6, 6, 3))
ints = keras.Input((2,), dtype="int32")
"""


def test_every_replacement_has_a_case() -> None:
    assert {entry["old"] for entry in TABLE if "new" in entry} == set(CASES)
    assert all("; " in entry["source"] and ("new" in entry or "note" in entry) for entry in TABLE)


def _call(name: str, given: str) -> str:
    if given.startswith("="):
        return given[1:]
    if name.startswith("numpy."):
        return f"{name}({given})"
    return f"tf.{'math.' if name in MATHS else 'nn.' if name in NN else ''}{name}({given})"


def _real() -> dict[str, Any]:
    import keras
    import numpy
    import tensorflow as tf

    draw = numpy.random.default_rng(5)

    def tensor(*shape: int) -> Any:
        return tf.constant(draw.normal(size=shape).astype("float32"))

    weights = tensor(3, 2)
    return {
        "keras": keras, "ops": keras.ops, "numpy": numpy, "tf": tf, "weights": weights, "x": tensor(2, 3),
        "y": tensor(2, 3), "img": tensor(2, 6, 6, 3), "ints": tf.constant([[0, 1], [1, 3]]),
    }  # fmt: skip


@pytest.mark.tensorflow
@pytest.mark.parametrize("name", list(CASES))
def test_the_new_call_computes_the_same(name: str) -> None:
    import numpy as np

    for given in CASES[name]:
        call = _call(name, given)
        program = f"{HEAD}weights = numpy.ones((3, 2), 'float32')\nresult = {call}\n"
        with pytest.raises(ValueError, match="KerasTensor"):
            exec(compile(program, "old", "exec"), {})
        done = fix(
            program.encode(),
            Consent(unsafe=True),
            lambda new: engine.lint("x.py", new, "python", {"LK612"}),
        )
        made = done.data.decode()
        assert done.made == 1 and call.partition("(")[0] not in made, made
        symbolic: dict[str, Any] = {}
        exec(compile(made, "new", "exec"), symbolic)
        old, new = _real(), _real()
        exec(f"result = {call}", old)
        exec(made.splitlines()[-1], new)
        results = zip(_flat(old["result"]), _flat(new["result"]), strict=True)
        for one, other in results:
            assert np.shape(one) == np.shape(other), made
            np.testing.assert_allclose(
                np.asarray(other), np.asarray(one), rtol=2e-5, atol=1e-6, err_msg=made
            )


def _flat(value: Any) -> list[Any]:
    return (
        list(value) if isinstance(value, (list, tuple)) and hasattr(value[0], "shape") else [value]
    )


@pytest.mark.tensorflow
def test_functions_of_the_backend_take_no_symbols() -> None:
    """Which of tf.keras.backend fail on a KerasTensor, tried one by one."""
    import keras
    import numpy as np
    import tensorflow as tf

    from tests.keras_api import test_backend

    symbols = {
        "x": keras.Input((3,)), "y": keras.Input((3,)), "pos": keras.Input((3,)),
        "special": keras.Input((3,)), "img": keras.Input((5, 6, 3)), "seq": keras.Input((5, 3)),
        "seq2": keras.Input((3, 5)), "probs": keras.Input((3,)), "vol": keras.Input((4, 4, 4, 3)),
    }  # fmt: skip
    real = test_backend._namespace()
    fine = set()
    for name, cases in test_backend.CASES.items():
        found = entry_of(f"backend.{name}")
        first = cases[0]
        if found is None or not hasattr(tf.keras.backend, name) or "x" not in first:
            continue
        try:
            eval(f"K.{name}({first})", {**real, **symbols, "np": np, "K": tf.keras.backend})
        except (AttributeError, ValueError, TypeError, NotImplementedError):
            continue
        fine.add(name)
    assert fine <= set(_TAKES_SYMBOLS)
