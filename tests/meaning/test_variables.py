"""What the owners of variables hold: layers, their order, how many variables each has."""

from __future__ import annotations

import libcst as cst
import pytest

from lintkeras.meaning.facts import Holding, OptimizerStep
from lintkeras.meaning.interpreter import Interpreter
from lintkeras.meaning.values import Weight

HEAD = """
import tensorflow as tf
import keras
from keras import layers
optimizer = keras.optimizers.SGD()
"""
STEP = """
def step(x):
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(model(x))
    gradients = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(gradients, model.trainable_variables))
"""


def holding(model: str) -> Holding:
    source = f"{HEAD}\n{model}\n{STEP}"
    facts = Interpreter().run([cst.parse_module(source)], len(source))
    (step,) = facts.all(OptimizerStep)
    (entry,) = step.variables.entries
    assert isinstance(entry.value, Weight)
    return step.holdings.of(entry.value.owner)


def counts(model: str) -> str:
    """``Dense 2+0, ...``: trainable and other variables of each layer."""
    found = holding(model)
    texts = [
        f"{held.layer.class_name.rpartition('.')[2]} {held.trainable}+{held.others}".replace(
            "None", "?"
        )
        for held in found.layers
    ]
    return ", ".join([*texts, *([] if found.complete else ["..."])])


@pytest.mark.parametrize(
    ("layer", "expected"),
    [
        ("layers.Dense(3)", "Dense 2+0"),
        ("layers.Dense(3, 'relu', False)", "Dense 1+0"),
        ("layers.Dense(3, use_bias=bias)", "Dense ?+0"),
        ("layers.Dense(3, trainable=False)", "Dense ?+?"),
        ("layers.Dense(3, **options)", "Dense ?+?"),
        ("layers.Conv2D(3, 5, use_bias=False)", "Conv2D 1+0"),
        ("layers.SeparableConv2D(3, 5)", "SeparableConv2D 3+0"),
        ("layers.BatchNormalization()", "BatchNormalization 2+2"),
        ("layers.BatchNormalization(-1, 0.9, 1e-3, False)", "BatchNormalization 1+2"),
        ("layers.LSTM(4)", "LSTM 3+?"),
        ("layers.Dropout(0.5)", "Dropout 0+?"),
        ("layers.Flatten()", "Flatten 0+0"),
        ("layers.Bidirectional(layers.LSTM(4))", "Bidirectional ?+?"),
    ],
)
def test_layers_of_keras(layer: str, expected: str) -> None:
    assert counts(f"model = {layer}") == expected


def test_a_layer_that_is_frozen_later() -> None:
    assert counts("model = layers.Dense(1)\nmodel.trainable = False") == "Dense ?+?"
    assert counts("model = keras.Sequential([layers.Dense(1)])\nmodel.trainable = False") == (
        "Dense ?+?"
    )


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        (
            "model = keras.Sequential([layers.Dense(2), layers.ReLU(), layers.Dense(1)])",
            "Dense 2+0, ReLU 0+0, Dense 2+0",
        ),
        (
            "x = keras.Input((3,))\nmodel = keras.Model(x, layers.Dense(1)(layers.Dense(2)(x)))",
            "Dense 2+0, Dense 2+0",
        ),
        ("model = keras.Sequential([*unknown, layers.Dense(1)])", "Dense 2+0, ..."),
        (
            "class M(keras.Model):\n"
            "    def __init__(self):\n"
            "        super().__init__()\n"
            "        self.blocks = [layers.Dense(2), layers.BatchNormalization()]\n"
            "        self.loss_fn = keras.losses.MeanSquaredError()\n"
            "model = M()",
            "Dense 2+0, BatchNormalization 2+2",
        ),
        (
            "class Scale(layers.Layer):\n"
            "    def build(self, shape):\n"
            "        self.a = self.add_weight(shape=shape[-1:])\n"
            "        self.b = self.add_weight(shape=shape[-1:], trainable=False)\n"
            "model = keras.Sequential([Scale(), layers.Dense(1)])",
            "Scale 1+1, Dense 2+0",
        ),
        (
            "class M(elsewhere.Model):\n"
            "    def __init__(self):\n"
            "        self.head = layers.Dense(2)\n"
            "model = M()",
            "...",
        ),
        ("model = keras.models.load_model('a')", "..."),
        (
            "model = keras.Sequential([keras.models.load_model('a'), layers.Dense(1)])",
            "Dense 2+0, ...",
        ),
        ("import tensorflow_hub as hub\nmodel = keras.Sequential([hub.KerasLayer('a')])", "..."),
        (
            "x = keras.Input((3,))\nmodel = keras.Model(x, tf.abs(2 * layers.Dense(1)(x)))",
            "Dense 2+0",
        ),
    ],
)
def test_models(model: str, expected: str) -> None:
    assert counts(model) == expected


def test_where_branches_meet_the_order_is_not_known() -> None:
    chain = "x = keras.Input((3,))\nmodel = keras.Model(x, layers.Dense(1)(layers.Dense(2)(x)))"
    assert holding(chain).ordered
    merged = (
        "x = keras.Input((3,))\n"
        "model = keras.Model(x, layers.Add()([layers.Dense(2)(x), layers.Dense(2)(x)]))"
    )
    assert holding(merged).complete and not holding(merged).ordered
