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


# ---------------------------------------------------------------------------- LK107

MODELS = """
encoder = keras.Sequential([keras.layers.Dense(3), keras.layers.Dense(2)])
decoder = keras.Sequential([keras.layers.Dense(3), keras.layers.Dense(4)])
other_encoder = keras.Sequential([keras.layers.Dense(3), keras.layers.Dense(2)])
whole = keras.Sequential([encoder, decoder])
normalized = keras.Sequential(
    [keras.layers.Dense(3), keras.layers.BatchNormalization(), keras.layers.Dense(3)]
)
inputs = keras.Input((4,))
functional = keras.Model(inputs, keras.layers.Dense(2)(keras.layers.Dense(5)(inputs)))


class Block(keras.layers.Layer):
    def __init__(self, units):
        super().__init__()
        self.dense = keras.layers.Dense(units)

    def call(self, x):
        return self.dense(x)


class Net(keras.Model):
    def __init__(self, units=2):
        super().__init__()
        self.one, self.two = Block(8), Block(units)


class Deep(Net):
    def __init__(self):
        super().__init__()
        self.three = Block(3)


net, twin, wide, deep = Net(), Net(), Net(9), Deep()
"""


def pairs(sources: str, variables: str, form: str = "opt.apply_gradients(zip(g, {}))") -> str:
    return step(form.format(variables), sources=sources, before=MODELS)


@pytest.mark.parametrize(
    ("sources", "variables"),
    [
        ("encoder.trainable_weights", "decoder.trainable_weights"),
        ("whole.trainable_weights", "decoder.trainable_weights"),
        ("decoder.trainable_weights", "whole.trainable_weights"),
        ("normalized.trainable_weights", "normalized.weights"),
        ("normalized.variables", "normalized.trainable_variables"),
        ("functional.trainable_weights", "encoder.trainable_weights"),
        ("net.trainable_weights", "wide.trainable_weights"),
        ("net.trainable_weights", "deep.trainable_weights"),
        ("[w, b]", "[b, w]"),
        ("[w, b]", "(b, w)"),
        ("m.trainable_weights + [w]", "[w] + m.trainable_weights"),
        (
            "encoder.trainable_weights + decoder.trainable_weights",
            "decoder.trainable_weights + encoder.trainable_weights",
        ),
        (
            "encoder.trainable_weights + other_encoder.trainable_weights",
            "other_encoder.trainable_weights + encoder.trainable_weights",
        ),
        (
            "encoder.trainable_weights + decoder.trainable_weights",
            "encoder.trainable_weights + net.trainable_weights",
        ),
    ],
)
@pytest.mark.parametrize(
    "form",
    [
        "opt.apply_gradients(zip(g, {}))",
        "opt.apply(g, {})",
        "opt.apply_gradients([(q, v) for q, v in zip(g, {}) if q is not None])",
        "v = {}\ng, _ = tf.clip_by_global_norm(g, 1.0)\nopt.apply_gradients(zip(g, v))",
        "for v, q in zip({}, g):\n    v.assign_sub(0.1 * q)",
    ],
)
def test_other_variables(sources: str, variables: str, form: str) -> None:
    assert codes(pairs(sources, variables, form), "LK107") == ["LK107"]


@pytest.mark.parametrize(
    ("sources", "variables"),
    [
        ("encoder.trainable_weights", "encoder.trainable_variables"),
        ("encoder.trainable_weights", "other_encoder.trainable_weights"),
        ("net.trainable_weights", "twin.trainable_weights"),
        ("whole.trainable_weights", "encoder.trainable_weights"),
        ("encoder.trainable_weights", "whole.trainable_weights"),
        ("encoder.trainable_weights", "encoder.weights"),
        ("encoder.trainable_weights", "unknown.trainable_weights"),
        ("unknown.trainable_weights", "unknown.weights"),
        ("x.trainable_weights", "y.trainable_weights"),
        ("[w, b]", "[w, unknown]"),
        ("[w, b]", "[tf.Variable(1.0), tf.Variable(2.0)]"),
        ("keras.models.load_model('a').trainable_weights", "encoder.trainable_weights"),
        ("keras.models.clone_model(encoder).trainable_weights", "decoder.trainable_weights"),
        (
            "(encoder if x else decoder).trainable_weights",
            "(decoder if x else encoder).trainable_weights",
        ),
    ],
)
def test_variables_that_may_match(sources: str, variables: str) -> None:
    assert codes(pairs(sources, variables), "LK107") == []


# ---------------------------------------------------------------------------- LK106


@pytest.mark.parametrize(
    ("sources", "body"),
    [
        ("[w, b]", "opt.apply_gradients(zip(g, [w]))"),
        ("[w]", "opt.apply_gradients(zip(g, [w, b]))"),
        ("[w, b]", "opt.apply(g, [w])"),
        ("[w, b]", "opt.apply_gradients([(q, v) for q, v in zip(g, [w])])"),
        ("[w, b]", "opt.apply_gradients(zip([q / 2 for q in g], [w]))"),
        ("[w, b]", "for v, q in zip([w], g):\n    v.assign_sub(q)"),
        ("m.trainable_weights", "opt.apply_gradients(zip(g, [w]))"),
        ("m.trainable_weights + [w]", "opt.apply_gradients(zip(g, [*m.trainable_weights, w, b]))"),
        (
            "m.trainable_weights",
            "g = [q * k for q, k in zip(g, [1.0, 2.0])]\n"
            "opt.apply_gradients(zip(g, m.trainable_weights))",
        ),
    ],
)
def test_another_length(sources: str, body: str) -> None:
    assert "LK106" in codes(step(body, sources=sources), "LK106")


@pytest.mark.parametrize(
    ("sources", "body"),
    [
        ("[w, b]", "opt.apply_gradients(zip(g, [w, b]))"),
        ("[w, b]", "opt.apply_gradients(zip(g, [w]))\nprint(g[1])"),
        ("[w, b]", "opt.apply_gradients(zip(g, [w]))\nother.apply_gradients(zip(g[1:], [b]))"),
        ("[w, b]", "dw, db = g\nopt.apply_gradients(zip(g, [w]))"),
        ("[w, x]", "opt.apply_gradients(zip(g, [w]))"),
        ("[w, b]", "opt.apply_gradients(zip(g, [w], strict=True))"),
        ("[w, b]", "opt.apply_gradients(zip(g, variables))"),
        ("variables", "opt.apply_gradients(zip(g, [w]))"),
        ("[w, b]", "for q, name in zip(g, ['w']):\n    print(name, q)"),
        ("[w, b]", "for q, i in zip(g, [0]):\n    print(i, q)"),
        ("m.trainable_weights", "m.trainable = False\nopt.apply_gradients(zip(g, [w]))"),
        ("m.trainable_weights", "opt.apply_gradients(zip(g[:2], [w]))"),
    ],
)
def test_lengths_that_agree_or_are_not_known(sources: str, body: str) -> None:
    assert codes(step(body, sources=sources), "LK106") == []
