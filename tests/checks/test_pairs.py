"""What an optimizer is given, in many spellings."""

from __future__ import annotations

import textwrap

import pytest

from tests.pages import lint

HEAD = """
import tensorflow as tf
from tensorflow import keras
m = keras.Sequential([keras.layers.Dense(3, activation="relu"), keras.layers.Dense(1)])
w, b = tf.Variable(1.0), tf.Variable(2.0)
"""


def step(body: str, *, opt: str = "keras.optimizers.Adam()", sources: str = "m.trainable_weights",
         before: str = "", parameters: str = "x, y") -> str:  # fmt: skip
    """A training step that ends with ``body``."""
    lines = "\n".join([
        "with tf.GradientTape(persistent=True) as tape:",
        "    loss = tf.reduce_mean((m(x) - y) ** 2) + w * b",
        f"g = tape.gradient(loss, {sources})",
        body,
    ])  # fmt: skip
    return f"{HEAD}{before}\nopt = {opt}\n\n\ndef step({parameters}):\n{textwrap.indent(lines, '    ')}\n"


def codes(source: str, code: str) -> list[str]:
    return [found for _, _, found in lint(source, "python") if found == code]


@pytest.mark.parametrize(
    "body",
    [
        "opt.apply_gradients(g)",
        "opt.apply_gradients(list(g))",
        "opt.apply_gradients(tuple(g))",
        "opt.apply_gradients([q for q in g])",
        "opt.apply_gradients([2 * q for q in g])",
        "opt.apply_gradients([tf.clip_by_value(q, -1.0, 1.0) for q in g])",
        "g, _ = tf.clip_by_global_norm(g, 1.0)\nopt.apply_gradients(g)",
        "grads = []\nfor q in g:\n    grads.append(q)\nopt.apply_gradients(grads)",
        "opt.apply_gradients(zip(m.trainable_weights, g))",
        "opt.apply_gradients(list(zip(m.trainable_weights, g)))",
        "opt.apply_gradients(zip(m.trainable_weights, [q / 2 for q in g]))",
        "variables = m.trainable_weights\nopt.apply_gradients(zip(variables, g))",
        "opt.apply_gradients([(v, q) for q, v in zip(g, m.trainable_weights)])",
        "opt.apply_gradients((v, q) for v, q in zip(m.trainable_weights, g))",
        "opt.apply_gradients([g, m.trainable_weights])",
        "opt.apply_gradients((g, m.trainable_weights))",
        "opt.apply_gradients(g, m.trainable_weights)",
        "opt.apply_gradients(zip(g))",
        "opt.apply_gradients(zip([g, m.trainable_weights]))",
        "opt.apply(m.trainable_weights, g)",
        "opt.apply(zip(g, m.trainable_weights))",
        "slope = tape.gradient(loss, w)\nopt.apply_gradients((slope, w))",
        "slope = tape.gradient(loss, w)\nopt.apply_gradients(slope)",
        "slopes = tape.gradient(loss, [w, b])\nopt.apply_gradients(slopes)",
        "slopes = tape.gradient(loss, (w, b))\nopt.apply_gradients(slopes)",
        "dw, db = tape.gradient(loss, [w, b])\nopt.apply_gradients([(w, dw), (b, db)])",
        "dw, db = tape.gradient(loss, [w, b])\nopt.apply_gradients([dw, db])",
    ],
)
def test_no_pairs(body: str) -> None:
    assert codes(step(body), "LK115") == ["LK115"]


@pytest.mark.parametrize(
    "opt",
    [
        'keras.optimizers.get("sgd")',
        "tf.optimizers.SGD(0.1)",
        "tf.keras.optimizers.legacy.SGD(0.1)",
        "tf.keras.mixed_precision.LossScaleOptimizer(keras.optimizers.Adam())",
        "(keras.optimizers.Adam if tf.executing_eagerly() else keras.optimizers.SGD)(0.1)",
    ],
)
def test_optimizers_of_keras(opt: str) -> None:
    assert codes(step("opt.apply_gradients(g)", opt=opt), "LK115") == ["LK115"]


@pytest.mark.parametrize(
    "body",
    [
        "opt.apply_gradients(zip(g, m.trainable_weights))",
        "opt.apply_gradients(grads_and_vars=list(zip(g, m.trainable_weights)))",
        "opt.apply_gradients(enumerated for enumerated in zip(g, m.trainable_weights))",
        "opt.apply_gradients(map(lambda q, v: (q, v), g, m.trainable_weights))",
        "opt.apply_gradients([*zip(g, m.trainable_weights)])",
        "opt.apply_gradients(zip(g, x))",
        "opt.apply_gradients(pairs(g))",
        "opt.apply_gradients(*args)",
        "opt.apply_gradients(g, **options)",
        "opt.apply(g, m.trainable_weights)",
        "opt.apply(g)",
        "opt.apply(grads=g, trainable_variables=m.trainable_weights)",
        "slope = tape.gradient(loss, w)\nopt.apply_gradients([(slope, w)])",
        "dw, db = tape.gradient(loss, [w, b])\nopt.apply_gradients([(dw, w), (db, b)])",
        "dw, db = tape.gradient(loss, [w, b])\nopt.apply_gradients(((dw, w), (db, b)))",
        "g = list(zip(g, m.trainable_weights))\nopt.apply_gradients(g)",
        "if y is None:\n    g = zip(g, m.trainable_weights)\nopt.apply_gradients(g)",
        "try:\n    opt.apply_gradients(g)\nexcept Exception:\n    print('as it must')",
    ],
)
def test_pairs(body: str) -> None:
    assert codes(step(body), "LK115") == []


@pytest.mark.parametrize(
    "opt",
    [
        "make_optimizer()",
        "Own()",
        "Half()",
        "horovod.DistributedOptimizer(keras.optimizers.Adam())",
        "tfa.optimizers.AdamW(1e-4)",
    ],
)
def test_optimizers_that_may_take_gradients_alone(opt: str) -> None:
    before = """
import horovod
import tensorflow_addons as tfa
from elsewhere import Mixin, make_optimizer


class Own(keras.optimizers.Optimizer):
    def apply_gradients(self, gradients):
        super().apply_gradients(zip(gradients, m.trainable_weights))


class Half(Mixin, keras.optimizers.Adam):
    pass

"""
    assert codes(step("opt.apply_gradients(g)", opt=opt, before=before), "LK115") == []
