"""Which derivative a factor is."""

from __future__ import annotations

import pytest

from lintkeras.documents import read
from lintkeras.meaning.facts import OptimizerStep
from lintkeras.meaning.interpreter import Interpreter
from lintkeras.meaning.values import Scale
from lintkeras.rewrites.restoring import edits_of
from lintkeras.rewrites.surrogates import backward_of
from lintkeras.syntax.parse import parse_snippet

PROGRAM = """
import keras
import numpy as np
import tensorflow as tf
from keras import ops
from tensorflow.keras import backend as K
dense = keras.layers.Dense(4)
optimizer = keras.optimizers.SGD(0.1)
def step(x, z, other):
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(dense(x))
    {}
    optimizer.apply_gradients([(g, v) for g, v in zip(grads, dense.trainable_variables)])
"""
RECOGNISED = {
    "(1 - tf.tanh(z) ** 2)": "tanh",
    "(1.0 - tf.square(tf.math.tanh(z)))": "tanh",
    "(1 - tf.pow(tf.nn.tanh(z), 2))": "tanh",
    "(1 - ops.tanh(z) * ops.tanh(z))": "tanh",
    "tf.subtract(1.0, K.square(K.tanh(z)))": "tanh",
    "(1 - tf.tanh(z)) * (1 + tf.tanh(z))": "tanh",
    "tf.sigmoid(z) * (1 - tf.sigmoid(z))": "sigmoid",
    "(1 - ops.sigmoid(z)) * ops.sigmoid(z)": "sigmoid",
    "(keras.activations.sigmoid(z) - keras.activations.sigmoid(z) ** 2)": "sigmoid",
    "tf.cast(z > 0, tf.float32)": "relu",
    "ops.cast(0 < z, 'float32')": "relu",
    "tf.cast(tf.greater(z, 0), z.dtype)": "relu",
    "tf.where(z > 0, 1.0, 0.0)": "relu",
    "tf.where(z > 0, tf.ones_like(z), tf.zeros_like(z))": "relu",
    "tf.where(z > 0, 1.0, 0.2)": "leaky_relu 0.2",
    "tf.where(z > 0, 1.0, tf.exp(z))": "elu",
    "tf.sigmoid(z)": "softplus",
    "ops.exp(z)": "exponential",
    "2 * (1 - tf.tanh(z) ** 2)": "2 tanh",
    "(0.5 * tf.cast(z > 0, tf.float32))": "0.5 relu",
    "tf.sigmoid(z) / 4": "0.25 softplus",
    "3": "3",
    "2 * 1.5": "3.0",
}
UNKNOWN = [
    "tf.tanh(z)",
    "(1 - tf.tanh(z))",
    "(2 - tf.tanh(z) ** 2)",
    "(1 - tf.tanh(z) ** 3)",
    "(1 - np.tanh(z) ** 2)",
    "tf.sigmoid(z) * (1 - tf.sigmoid(other))",
    "tf.sigmoid(unknown()) * (1 - tf.sigmoid(unknown()))",
    "tf.cast(z > 1, tf.float32)",
    "tf.where(z > 0, 1.0, tf.exp(other))",
    "tf.where(z > 0, 2.0, 0.0)",
    "tf.where(z > 0, 1.0, 2.0)",
    "-tf.sigmoid(z)",
    "-2",
    "0",
    "1",
    "tf.norm(z) * (1 - tf.tanh(z) ** 2)",
]


def recognised(statements: str) -> str | None:
    source = PROGRAM.format(statements)
    document = read("x.py", source.encode(), "python")
    modules = [parse_snippet(s).module for s in document.snippets]
    (step,) = Interpreter().run(modules, len(source)).all(OptimizerStep)
    scales = [edit for edit in edits_of(step) if isinstance(edit, Scale)]
    found = backward_of(tuple(scales))
    if found is None:
        return None
    words = [f"{found.factor.value:g}" if found.factor.divides else found.factor.text] if found.factor else []  # fmt: skip
    shape = found.shape
    if shape is not None:
        words.append(getattr(shape, "label", "guided"))
        words += [getattr(shape, "slope", "")] if getattr(shape, "slope", "") else []
    return " ".join(words)


GRADS = "grads = [{} for g in tape.gradient(loss, dense.trainable_variables)]"


@pytest.mark.parametrize("factor", RECOGNISED)
def test_derivatives_and_constants(factor: str) -> None:
    assert recognised(GRADS.format(f"g * {factor}")) == RECOGNISED[factor]


@pytest.mark.parametrize("factor", UNKNOWN)
def test_what_is_none_is_unknown(factor: str) -> None:
    assert recognised(GRADS.format(f"g * {factor}")) is None


def test_through_names_and_in_steps() -> None:
    names = "t = tf.tanh(z); slope = 1 - t * t; " + GRADS.format("slope * g")
    assert recognised(names) == "tanh"
    unknown = "s = tf.sigmoid(unknown()); " + GRADS.format("g * s * (1 - s)")
    assert recognised(unknown) == "sigmoid"
    steps = GRADS.format("g * 2") + "; grads = [g * (1 - tf.tanh(z) ** 2) for g in grads]"
    assert recognised(steps) == "2 tanh"
    assert recognised(GRADS.format("g / (1 - tf.tanh(z) ** 2)")) is None
