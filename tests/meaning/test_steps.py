"""What reaches the optimizer: the gradients of a step, in many spellings."""

from __future__ import annotations

import libcst as cst
import pytest

from lintkeras.meaning.facts import OptimizerStep
from lintkeras.meaning.interpreter import Interpreter
from lintkeras.meaning.values import Computed, Const, Gradient, Instance, Rectify, Scale, walk

HEAD = """
import tensorflow as tf
from tensorflow.keras import layers
dense = layers.Dense(1)
optimizer = tf.keras.optimizers.Adam(learning_rate=0.01)
def step(x, y):
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean((dense(x) - y) ** 2)
    grads = tape.gradient(loss, dense.trainable_variables)
"""


def steps(source: str) -> list[OptimizerStep]:
    facts = Interpreter().run([cst.parse_module(source)], len(source))
    return list(facts.all(OptimizerStep))


def scales(step: OptimizerStep) -> list[object]:
    """The constant factors of every gradient; None for any other edit or value."""
    found: list[object] = []
    for entry in step.gradients.entries:
        assert isinstance(entry.value, Gradient), entry.value
        for edit in entry.value.edits:
            constant = isinstance(edit, Scale) and isinstance(edit.factor, Const)
            found.append(edit.factor.value if constant else None)  # type: ignore[union-attr]
    return found


@pytest.mark.parametrize(
    "body",
    [
        "grads = [g * 2 for g in grads]",
        "grads = [2 * g for g in grads]",
        "grads = [tf.multiply(g, 2) for g in grads]",
        "grads = list(map(lambda g: g * 2, grads))",
        "grads = [None if g is None else g * 2 for g in grads]\n    grads = [g for g in grads]",
        "out = []\n    for g in grads:\n        out.append(g * 2)\n    grads = out",
        "for i, g in enumerate(grads):\n        grads[i] = g * 2",
        "for i in range(len(grads)):\n        grads[i] = grads[i] * 2",
        "k = 2\n    grads = [g * k for g in grads]",
        "double = lambda gs: [g * 2 for g in gs]\n    grads = double(grads)",
        "grads = tf.nest.map_structure(lambda g: g * 2, grads)",
    ],
)
def test_every_spelling_of_a_constant_factor(body: str) -> None:
    source = (
        HEAD + f"    {body}\n    optimizer.apply_gradients(zip(grads, dense.trainable_variables))\n"
    )
    (step,) = steps(source)
    if "None if" in body:
        return
    assert scales(step) == [2]
    assert isinstance(step.optimizer, Instance)
    assert step.optimizer.class_name == "keras.optimizers.Adam"
    assert [layer.class_name for layer in step.layers] == ["keras.layers.Dense"]


@pytest.mark.parametrize(
    "pairs",
    [
        "zip([g * 2 for g in grads], dense.trainable_variables)",
        "[(g * 2, v) for g, v in zip(grads, dense.trainable_variables)]",
        "((g * 2, v) for g, v in zip(grads, dense.trainable_variables))",
        "list(zip([g * 2 for g in grads], dense.trainable_weights))",
    ],
)
def test_inline_in_the_step(pairs: str) -> None:
    (step,) = steps(HEAD + f"    optimizer.apply_gradients({pairs})\n")
    assert scales(step) == [2]


def test_train_step_with_the_compiled_optimizer() -> None:
    source = """
import keras, tensorflow as tf
class M(keras.Model):
    def __init__(self):
        super().__init__()
        self.dense = keras.layers.Dense(1)
    def call(self, x):
        return self.dense(x)
    def train_step(self, data):
        x, y = data
        with tf.GradientTape() as tape:
            loss = self.compute_loss(y=y, y_pred=self(x))
        grads = tape.gradient(loss, self.trainable_variables)
        self.optimizer.apply([g * 3 for g in grads], self.trainable_variables)
        return {}
m = M()
m.compile(optimizer="adam", loss="mse")
m.fit(x, y)
"""
    found = steps(source)
    assert found
    assert all(isinstance(step.optimizer, Computed) for step in found)
    assert all(Const("adam") in walk(step.optimizer) for step in found)
    assert all(scales(step) == [3] for step in found)


@pytest.mark.parametrize(
    "body",
    [
        "if flag:\n        grads = [g * 2 for g in grads]",
        "grads = unknown(grads)",
        "grads = [g + n for g, n in zip(grads, noise)]",
        "grads = [tf.clip_by_norm(g, 1.0) for g in grads]",
        "grads, _ = tf.clip_by_global_norm(grads, 1.0)",
    ],
)
def test_what_is_no_plain_edit_is_not_one(body: str) -> None:
    source = (
        HEAD + f"    {body}\n    optimizer.apply_gradients(zip(grads, dense.trainable_variables))\n"
    )
    (step,) = steps(source)
    for entry in step.gradients.entries:
        assert not (isinstance(entry.value, Gradient) and entry.value.edits)


def test_rectified_gradients() -> None:
    source = HEAD + (
        "    grads = [tf.where(g > 0, g, tf.zeros_like(g)) for g in grads]\n"
        "    optimizer.apply_gradients(zip(grads, dense.trainable_variables))\n"
    )
    (step,) = steps(source)
    (entry,) = step.gradients.entries
    assert isinstance(entry.value, Gradient)
    assert [type(edit) for edit in entry.value.edits] == [Rectify]


def test_filter_keeps_the_condition() -> None:
    source = HEAD + (
        "    grads = filter(lambda g: g is not None, grads)\n"
        "    optimizer.apply_gradients(zip(grads, dense.trainable_variables))\n"
    )
    (step,) = steps(source)
    (entry,) = step.gradients.entries
    assert [test.holds for test in entry.tests] == [True]


SHARED = """
import keras, tensorflow as tf
optimizer = keras.optimizers.SGD(0.1)
def train(x, y):
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(model(x))
    grads = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(grads, model.trainable_variables))
"""


@pytest.mark.parametrize(
    ("model", "layers"),
    [
        ("model = keras.Sequential([keras.layers.Dense(4), keras.layers.ReLU()])", "Dense ReLU"),
        (
            "x = keras.Input((3,))\n"
            "y = keras.layers.ReLU()(keras.layers.Dense(4)(x))\n"
            "model = keras.Model(x, tf.tanh(y))",
            "Dense ReLU",
        ),
        (
            "class M(keras.Model):\n"
            "    def __init__(self):\n"
            "        super().__init__()\n"
            "        self.first = keras.layers.Dense(4)\n"
            "        self.mean = keras.metrics.Mean()\n"
            "        self.width = 4\n"
            "    def call(self, x):\n"
            "        return tf.nn.relu(self.first(x))\n"
            "model = M()",
            "Dense",
        ),
        (
            "class M(keras.Model):\n"
            "    def __init__(self, other):\n"
            "        super().__init__()\n"
            "        self.first = keras.layers.Dense(4)\n"
            "        self.other = other\n"
            "model = M(unknown())",
            "Dense ...",
        ),
        (
            "class M(keras.Model):\n"
            "    def __init__(self):\n"
            "        super().__init__()\n"
            "        self.first = keras.layers.Dense(4)\n"
            "        self.own = self.add_weight()\n"
            "model = M()",
            "Dense ...",
        ),
    ],
)
def test_the_layers_behind_the_variables(model: str, layers: str) -> None:
    (step,) = steps(f"import keras, tensorflow as tf\n{model}\n{SHARED}")
    found = [layer.class_name.rpartition(".")[2] for layer in step.layers]
    assert " ".join([*found, *([] if step.layers_complete else ["..."])]) == layers


def test_the_variables_of_a_layer_by_name() -> None:
    body = (
        "    k, b = tape.gradient(loss, [dense.kernel, dense.bias])\n"
        "    optimizer.apply_gradients(zip([k * 2, b * 3], [dense.kernel, dense.bias]))\n"
    )
    (step,) = steps(HEAD + body)
    assert scales(step) == [2, 3]
    assert [layer.class_name for layer in step.layers] == ["keras.layers.Dense"]


def test_a_tensor_constant_as_a_factor_is_its_number() -> None:
    body = "    k = tf.constant(2.0)\n    grads = [g * k for g in grads]\n"
    tail = "    optimizer.apply_gradients(zip(grads, dense.trainable_variables))\n"
    (step,) = steps(HEAD + body + tail)
    assert scales(step) == [2.0]
