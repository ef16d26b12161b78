"""Derivatives written by hand: the automatic ones, and those that nothing uses."""

from __future__ import annotations

import pytest

from tests.checks.test_backward import custom, findings

SPELLINGS = [
    "dy * {d}", "{d} * dy", "tf.multiply(dy, {d})", "[dy * {d}]", "(dy * {d},)", "-dy * -({d})",
    "2.0 * dy * ({d}) / 2.0", "dy * tf.identity({d})",
]  # fmt: skip


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize(
    ("value", "slope"),
    [
        ("tf.sin(x)", "tf.cos(x)"),
        ("tf.math.cos(x)", "-tf.sin(x)"),
        ("tf.exp(x)", "tf.exp(x)"),
        ("tf.square(x)", "2.0 * x"),
        ("x * x", "(x + x)"),
        ("x ** 4", "4 * x ** 3"),
        ("tf.nn.relu(x)", "tf.cast(x > 0, x.dtype)"),
        ("tf.nn.relu(x)", "tf.where(x > 0, 1.0, 0.0)"),
        ("tf.nn.relu(x)", "tf.cast(tf.greater(x, 0.0), tf.float32)"),
        ("tf.maximum(x, 0.0)", "tf.cast(x >= 0.0, tf.float32)"),
        ("tf.sigmoid(x)", "tf.sigmoid(x) * (1 - tf.sigmoid(x))"),
        ("tf.nn.softplus(x)", "tf.sigmoid(x)"),
        ("3.0 * x + 1.0", "3.0"),
        ("tf.where(x > 0, x, 0.2 * x)", "tf.where(x > 0, 1.0, 0.2)"),
        ("tf.nn.leaky_relu(x, 0.1)", "tf.where(x > 0, tf.ones_like(x), 0.1)"),
    ],
)
def test_redundant_gradients(value: str, slope: str, spelling: str) -> None:
    grad = f"lambda dy: {spelling.format(d=slope)}"
    found = findings(custom(f"return {value}, {grad}"), "LK133", "LK123")
    assert found == [("LK133", grad)]


@pytest.mark.parametrize(
    "body",
    [
        "return tf.sin(x), lambda dy: dy * tf.cos(2.0 * x)",
        "return tf.sin(x), lambda dy: dy * dy * tf.cos(x)",
        "return tf.sin(x), lambda dy: tf.abs(dy) * tf.cos(x)",
        "return tf.nn.relu(x), lambda dy: dy * tf.cast(x >= 0, dy.dtype)",
        "return tf.nn.relu(x), lambda dy: tf.nn.relu(dy) * tf.cast(x > 0, dy.dtype)",
        "return tf.maximum(x, 0.0), lambda dy: dy * tf.cast(x > 0, dy.dtype)",
        "return tf.sin(x), lambda dy: dy * slope(x)",
        "return tf.sin(x) * gain, lambda dy: dy * tf.cos(x) * gain",
        "return tf.tanh(x), lambda dy: dy / tf.cosh(x) ** 2",
        "return tf.reduce_sum(x), lambda dy: dy * tf.ones_like(x)",
        "return tf.math.log(x), lambda dy: tf.math.divide_no_nan(dy, x)",
        "return tf.sqrt(x), lambda dy: dy * 0.5 / tf.sqrt(x + 1e-6)",
        "return x * tf.sigmoid(x), lambda dy: dy * tf.sigmoid(x) * (1 + x * (1 - tf.sigmoid(x)))",
        "def grad(dy):\n    print(dy)\n    return dy * tf.cos(x)\nreturn tf.sin(x), grad",
        "def grad(dy):\n    with tf.device('cpu'):\n        return dy * tf.cos(x)\nreturn tf.sin(x), grad",
        "def grad(dy):\n    assert dy is not None\n    return dy * tf.cos(x)\nreturn tf.sin(x), grad",
    ],
)
def test_gradients_that_are_not_redundant(body: str) -> None:
    assert findings(custom(body), "LK133") == []


DROPPING = {
    "act = keras.layers.Dense(3, activation=lambda z: f(z)[0])": True,
    "act = keras.layers.Activation(lambda z: f(z)[0])": True,
    "act = keras.layers.Lambda(lambda z: f(z)[0])": True,
    "class L(keras.layers.Layer):\n    def call(self, x):\n        return f(x)[0]": False,
    "class L(keras.layers.Layer):\n    def call(self, x):\n        y, _ = f(x)\n        return y": False,
}
"""Uses that drop the second value, and whether each stands in an activation."""


def pair(value: str, second: str, use: str) -> str:
    return f"def f(x):\n    return {value}, {second}\n\n\n{use}\n"


@pytest.mark.parametrize("use", DROPPING)
@pytest.mark.parametrize(
    ("value", "second"),
    [
        ("tf.tanh(x)", "1.0 - tf.tanh(x) ** 2"),
        ("tf.sigmoid(x)", "tf.sigmoid(x) * (1 - tf.sigmoid(x))"),
        ("tf.nn.relu(x)", "tf.cast(x > 0, x.dtype)"),
        ("tf.where(x > 0, x, 0.1 * x)", "tf.where(x > 0, 1.0, 0.1)"),
        ("x * tf.sigmoid(x)", "tf.sigmoid(x) * (1 + x * (1 - tf.sigmoid(x)))"),
        ("tf.maximum(0.0, x)", "tf.where(x >= 0, tf.ones_like(x), tf.zeros_like(x))"),
    ],
)
def test_dropped_derivatives(value: str, second: str, use: str) -> None:
    assert findings(pair(value, second, use), "LK129") == [("LK129", second)]


@pytest.mark.parametrize("use", DROPPING)
@pytest.mark.parametrize(
    ("value", "second"),
    [
        ("tf.sign(x)", "tf.cast(tf.abs(x) <= 1, x.dtype)"),
        ("tf.round(x) - x + x", "1 - tf.tanh(x) ** 2"),
        ("tf.cast(x > 0, tf.float32)", "0.3 * tf.maximum(0.0, 1 - tf.abs(x))"),
        ("tf.nn.relu(x)", "2.0 * tf.cast(x > 0, x.dtype)"),
    ],
)
def test_dropped_surrogates(value: str, second: str, use: str) -> None:
    value = value.replace("tf.round(x) - x + x", "tf.sign(x)")
    found = [("LK129", second)] if DROPPING[use] else []
    assert findings(pair(value, second, use), "LK129") == found


@pytest.mark.parametrize(
    ("value", "second", "use"),
    [
        ("tf.tanh(x)", "1 - tf.tanh(x) ** 2", "y, dy = f(z)\nprint(dy)"),
        ("tf.tanh(x)", "1 - tf.tanh(x) ** 2", "act = lambda z: f(z)[0]\ng = f"),
        ("tf.tanh(x)", "1 - tf.tanh(x) ** 2", "__all__ = ['f']\nact = keras.layers.Lambda(lambda z: f(z)[0])"),
        ("tf.tanh(x)", "1 - tf.tanh(x) ** 2", "act = keras.layers.Lambda(lambda z: f(z)[0])\ny = f(z)[1]"),
        ("tf.tanh(x)", "1 - tf.tanh(x) ** 2", "act = keras.layers.Lambda(lambda z: f(z)[i])"),
        ("tf.tanh(x)", "1 - tf.tanh(x) ** 2", "act = keras.layers.Lambda(lambda z: f(z))"),
        ("tf.tanh(x)", "1 - tf.tanh(x) ** 2", "y = f(z)[0]"),
        ("np.tanh(x)", "1 - np.tanh(x) ** 2", "act = keras.layers.Lambda(lambda z: f(z)[0])"),
        ("tf.tanh(x)", "tf.sigmoid(x)", "act = keras.layers.Lambda(lambda z: f(z)[0])"),
        ("tf.tanh(x)", "tf.tanh(x)", "act = keras.layers.Lambda(lambda z: f(z)[0])"),
        ("tf.exp(x)", "tf.exp(x)", "act = keras.layers.Lambda(lambda z: f(z)[0])"),
        ("2.0 * x", "2.0", "act = keras.layers.Lambda(lambda z: f(z)[0])"),
        ("tf.reduce_sum(x)", "tf.ones_like(x)", "act = keras.layers.Lambda(lambda z: f(z)[0])"),
        ("tf.tanh(x)", "grad(x)", "act = keras.layers.Lambda(lambda z: f(z)[0])"),
        ("tf.tanh(x)", "lambda dy: dy", "act = keras.layers.Lambda(lambda z: f(z)[0])"),
        ("tf.tanh(x) * w", "(1 - tf.tanh(x) ** 2) * w", "act = keras.layers.Lambda(lambda z: f(z)[0])"),
    ],
)  # fmt: skip
def test_second_values_that_are_used_or_no_derivatives(value: str, second: str, use: str) -> None:
    assert findings(pair(value, second, use), "LK129") == []


def test_a_derivative_of_two_parameters() -> None:
    program = """
def scaled(x, alpha):
    alpha = tf.cast(alpha, dtype=x.dtype)
    alpha = tf.broadcast_to(alpha, tf.shape(x))

    def forward(x):
        return keras.activations.relu(x) * alpha

    def backward(x):
        return tf.cast(tf.greater(x, 0), dtype=x.dtype) * alpha

    return forward(x), backward(x)


layer = keras.layers.Lambda(lambda x: scaled(x, 0.5)[0])
"""
    assert findings(program, "LK129") == [("LK129", "backward(x)")]
