"""Derivatives of elementwise terms are those that TensorFlow's tape gives, point by point."""

from __future__ import annotations

import libcst as cst
import pytest

from lintkeras.meaning.calculus import POINTS, derivative, evaluate, same
from lintkeras.meaning.facts import BackwardPass
from lintkeras.meaning.interpreter import Interpreter

HEAD = "import numpy as np\nimport tensorflow as tf\nimport keras\nfrom keras import ops\n"
EXPRESSIONS = [
    "x", "3.0", "-x", "x + 2", "2 - x", "x - 1.5", "3.0 * x", "x / 4", "1 / x", "x * x", "x ** 2",
    "x ** 3", "x ** 0.5", "2.0 ** x", "x ** -1", "tf.square(x)", "tf.sqrt(x)", "tf.math.rsqrt(x)",
    "tf.math.reciprocal(x)", "tf.exp(x)", "tf.exp(-x)", "tf.math.expm1(x)", "tf.math.log(x)",
    "tf.math.log1p(x)", "tf.sin(x)", "tf.cos(x)", "tf.tan(x)", "tf.atan(x)", "tf.sinh(x)",
    "tf.cosh(x)", "tf.tanh(x)", "tf.sigmoid(x)", "tf.nn.softplus(x)", "tf.math.log_sigmoid(x)",
    "tf.nn.softsign(x)", "tf.nn.relu(x)", "tf.nn.relu6(x)", "tf.nn.elu(x)", "tf.nn.selu(x)",
    "tf.nn.silu(x)", "tf.nn.leaky_relu(x)", "tf.nn.leaky_relu(x, alpha=0.3)", "tf.math.erf(x)",
    "tf.abs(x)", "tf.sign(x)", "tf.maximum(x, 0.0)", "tf.maximum(0.0, x)", "tf.minimum(x, 1.0)",
    "tf.clip_by_value(x, -1.0, 1.0)", "tf.where(x > 0, x, 0.1 * x)",
    "tf.where(x > 0, tf.math.log(x), 0.0)", "tf.where(x < 1, tf.exp(100.0 * x), x)",
    "x * tf.cast(x > 0, x.dtype)", "x * tf.sigmoid(x)", "1 / (1 + tf.exp(-x))",
    "tf.math.log(1 + tf.exp(x))", "tf.exp(x) / (1 + tf.exp(x)) ** 2",
    "tf.stop_gradient(tf.sign(x)) * x", "x + tf.stop_gradient(tf.sign(x) - x)",
    "tf.multiply(tf.add(x, 1.0), tf.subtract(x, 1.0))", "tf.zeros_like(x) + tf.ones_like(x)",
    "tf.identity(x) * tf.constant(2.0)", "tf.negative(x)", "keras.activations.relu(x)",
    "keras.activations.relu(x, max_value=2.0)", "keras.activations.leaky_relu(x)",
    "keras.activations.silu(x)", "keras.activations.softsign(x)", "ops.tanh(x)", "ops.relu(x)",
    "ops.where(x > 0.0, x, 0.0)", "ops.square(x) + ops.abs(x)", "ops.softplus(x)",
    "tf.math.divide_no_nan(1.0, x)", "tf.math.divide_no_nan(x, 2.0)",
    "np.tanh(x) * x",
    "tf.cast((x > -1) & (x < 1), tf.float32) * x",
]  # fmt: skip
UNSUPPORTED = [
    "tf.reduce_sum(x)", "other(x)", "tf.matmul(x, x)", "x[0]", "tf.cast(x, tf.int32)", "y * x",
    "tf.nn.relu(x, extra=1)", "tf.cumsum(x)", "tf.random.normal(x.shape) * x", "x.numpy()",
]  # fmt: skip


def at_points(expression: str) -> list[tuple[float | None, float | None]]:
    """Value and derivative of an expression of ``x``."""
    source = f"{HEAD}f = tf.custom_gradient(lambda x: ({expression}, lambda dy: dy))\n"
    facts = Interpreter().run([cst.parse_module(source)], len(source))
    one = next(facts.all(BackwardPass))
    ((value, _),) = [pair for pair in one.pairs if pair]
    x = one.summary.parameter("x")
    return [
        (evaluate(value, {x: point}), derivative(value, x, {x: point}, 0.5)) for point in POINTS
    ]


@pytest.mark.tensorflow
@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_values_and_derivatives_are_those_of_tensorflow(expression: str) -> None:
    import keras
    import numpy as np
    import tensorflow as tf

    names = {"tf": tf, "keras": keras, "ops": keras.ops, "np": np}
    function = eval(f"lambda x: {expression}", names)
    for point, (value, slope) in zip(POINTS, at_points(expression), strict=True):
        x = tf.constant(point)
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = tf.convert_to_tensor(function(x))
        expected = tape.gradient(y, x, output_gradients=tf.constant(0.5))
        assert value is not None and slope is not None
        assert same(value, float(y)), (point, value, float(y))
        number = 0.0 if expected is None else float(expected)
        assert same(slope, number), (point, slope, number)


@pytest.mark.parametrize("expression", UNSUPPORTED)
def test_what_is_not_elementwise_is_not_evaluated(expression: str) -> None:
    assert set(at_points(expression)) == {(None, None)}


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_never_raises(expression: str) -> None:
    assert all(None not in found for found in at_points(expression))
