"""Objects that are made in a step: the verdicts in many spellings."""

from __future__ import annotations

import textwrap

import pytest

from tests.pages import lint

HEAD = """
import tensorflow as tf
from tensorflow import keras
m = keras.Sequential([keras.layers.Dense(3, activation="relu"), keras.layers.Dense(1)])
"""
STEP = """
with tf.GradientTape() as tape:
    loss = tf.reduce_mean((m(x) - y) ** 2)
g = tape.gradient(loss, m.trainable_variables)
opt.apply_gradients(zip(g, m.trainable_variables))
"""


def codes(source: str) -> list[str]:
    return [code for _, _, code in lint(source, "python") if code == "LK119"]


def function(made: str, head: str = "def step(x, y):", step: str = STEP) -> str:
    return f"{head}\n{textwrap.indent(f'{made}{step}', '    ')}\n"


@pytest.mark.parametrize(
    "made",
    [
        "opt = keras.optimizers.Adam()",
        "opt = tf.keras.optimizers.SGD(0.1)",
        "opt = tf.optimizers.Adam(1e-3)",
        "from tensorflow.keras.optimizers import RMSprop\nopt = RMSprop(learning_rate=1e-3)",
        "opt = keras.optimizers.Adam(keras.optimizers.schedules.ExponentialDecay(0.1, 9, 0.9))",
        "def make():\n    return keras.optimizers.Adam()\nopt = make()",
        "with tf.name_scope('step'):\n    opt = keras.optimizers.Adam()",
    ],
)
@pytest.mark.parametrize(
    "wrap",
    [
        "@tf.function\n{}",
        "@tf.function(jit_compile=True)\n{}",
        "{}\nstep = tf.function(step)\n",
        "{}\ntf.function(step)(1.0, 2.0)\n",
        "@tf.function\n{}\nstep(1.0, 2.0)\n",
    ],
)
def test_an_optimizer_in_a_graph(made: str, wrap: str) -> None:
    assert codes(HEAD + wrap.format(function(made))) == ["LK119"]


@pytest.mark.parametrize("method", ["train_step", "test_step", "predict_step"])
@pytest.mark.parametrize(
    "base", ["keras.Model", "tf.keras.models.Model", "keras.Sequential", "Base"]
)
def test_a_step_that_keras_calls(method: str, base: str) -> None:
    classes = "class Base(keras.Model):\n    pass\n\n\n"
    body = function("mean = keras.metrics.Mean()", f"def {method}(self, data):", "\nmean(data)\n")
    source = f"{HEAD}{classes}class M({base}):\n{textwrap.indent(body, '    ')}"
    assert codes(source) == ["LK119"]


def test_a_helper_of_a_step_that_keras_calls() -> None:
    source = """
class M(keras.Model):
    def train_step(self, data):
        self.measure(data)
        return {}

    def measure(self, data):
        mean = keras.metrics.Mean()
        mean(data)
"""
    assert codes(HEAD + source) == ["LK119"]
    assert codes(HEAD + source.replace("self.measure(data)\n", "pass\n")) == []


LOOPS = [
    "for x, y in data:\n{}",
    "for epoch in range(9):\n    for x, y in data:\n    {}",
    "while True:\n    x, y = next(data)\n{}",
]


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("called", [False, True])
@pytest.mark.parametrize(
    ("made", "expected"),
    [
        ("opt = keras.optimizers.Adam()", 1),
        ("opt = keras.optimizers.SGD(0.1, momentum=0.9)", 1),
        ("opt = keras.optimizers.SGD(keras.optimizers.schedules.CosineDecay(0.1, 9))", 1),
        ("opt = keras.optimizers.SGD(0.1)", 0),
        ("opt = keras.optimizers.SGD(0.1, momentum=0.0)", 0),
        ("opt = keras.optimizers.Adam(rate())", 0),
        ("opt = unknown()", 0),
        ("if x is None:\n    opt = keras.optimizers.Adam()", 0),
        ("m.load_weights('start')\nopt = keras.optimizers.Adam()", 0),
        ("m = keras.Sequential([keras.layers.Dense(1)])\nopt = keras.optimizers.Adam()", 0),
        ("m = keras.Sequential([keras.layers.Dense(1)])\nopt = last", 1),
        ("m = elsewhere.model()\nopt = keras.optimizers.Adam()", 0),
    ],
)
def test_in_a_loop(loop: str, called: bool, made: str, expected: int) -> None:
    before = "last = keras.optimizers.Adam()\n"
    if called:
        before += function(made)
        body = "    step(x, y)\n"
    else:
        body = textwrap.indent(f"{made}{STEP}", "    ")
    inner = textwrap.indent(body, "    ").lstrip(" ") if "range" in loop else body
    inner = inner if "range" not in loop else "    " + inner
    assert len(codes(HEAD + before + loop.format(inner))) == expected


@pytest.mark.parametrize(
    "source",
    [
        function("opt = keras.optimizers.Adam()"),  # nobody calls it
        "opt = keras.optimizers.Adam()\nfor x, y in data:\n" + textwrap.indent(STEP, "    "),
        "@tf.function\n" + function("if m.opt is None:\n    m.opt = keras.optimizers.Adam()\nopt = m.opt"),
        "@tf.function\n" + function("opt = m.opt or keras.optimizers.Adam()"),
        "@tf.function\n" + function("opt = m.opt if m.built else keras.optimizers.Adam()"),
        "@tf.function\n" + function("if m.opt:\n    return\nopt = keras.optimizers.Adam()"),
        "@tf.function\n" + function("loss_fn = keras.losses.MeanSquaredError()\nopt = o"),
        "@tf.function\n" + function("rate = keras.optimizers.schedules.CosineDecay(0.1, 9)\nopt = o"),
        "@elsewhere.computation\n@tf.function\n" + function("opt = keras.optimizers.Adam()"),
        "@tf.function\n"
        + function("with tf.init_scope():\n    opt = keras.optimizers.Adam()"),
        "import jax\n@tf.function\n" + function("opt = keras.optimizers.Adam()"),
        "class M(Elsewhere):\n"
        + textwrap.indent(function("opt = keras.optimizers.Adam()", "def train_step(self, x, y):"), "    "),
        "class M(Mixin, keras.Model):\n"
        + textwrap.indent(function("opt = keras.optimizers.Adam()", "def train_step(self, x, y):"), "    "),
        "class M(keras.Model):\n"
        + textwrap.indent(function("opt = keras.optimizers.Adam()", "def fit_batch(self, x, y):"), "    "),
        "@tf.function\n" + function("opt = keras.optimizers.Adam()")
        + "with self.assertRaises(ValueError):\n    step(1, 2)\n",
        "def fit(x, y):\n    opt = keras.optimizers.Adam()\n"
        + textwrap.indent("@tf.function\n" + function("pass"), "    "),
        "for fold in folds:\n    opt = keras.optimizers.Adam()\n    for x, y in fold:\n"
        + textwrap.indent(STEP, "        "),
        "for rate in (0.1, 0.01):\n    opt = keras.optimizers.Adam(rate)\n" + textwrap.indent(STEP, "    "),
    ],
)  # fmt: skip
def test_where_it_is_fine_or_not_known(source: str) -> None:
    assert codes(HEAD + source) == []
