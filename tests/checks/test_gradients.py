"""The verdicts of the gradient rules in many spellings, and their silences."""

from __future__ import annotations

import textwrap

import pytest

from lintkeras import engine
from tests.pages import lint

HEAD = """
import tensorflow as tf
from tensorflow import keras
m = keras.Sequential([keras.layers.Dense(3, activation="relu"), keras.layers.Dense(1)])
"""
APPLY = "opt.apply_gradients(zip(g, m.trainable_variables))"
DOUBLE = "g = [q * 2 for q in g]"
MEANT = "# double the derivative of the activation\n"


RULES = {"LK101", "LK102", "LK103", "LK104", "LK105", "LK108", "LK110", "LK134"}


def codes(source: str) -> list[str]:
    """The findings of the rules that are meant here."""
    return [code for _, _, code in lint(source, "python") if code in RULES]


def step(
    edit: str, *, opt: str = "keras.optimizers.Adam(1e-3)", apply: str = APPLY, before: str = "",
    sources: str = "m.trainable_variables", parameters: str = "x, y",
) -> str:  # fmt: skip
    """A training step with an edit between the tape and the optimizer."""
    body = "\n".join([
        "with tf.GradientTape() as tape:",
        "    loss = tf.reduce_mean((m(x) - y) ** 2)",
        f"g = tape.gradient(loss, {sources})",
        edit,
        apply,
    ])  # fmt: skip
    function = f"def step({parameters}):\n{textwrap.indent(body, '    ')}\n"
    return f"{HEAD}{before}\nopt = {opt}\n\n\n{function}"


def trainer(optimizers: str) -> str:
    return f"""{HEAD}
class Trainer:
    def __init__(self, optimizer):
        self.optimizer = optimizer

    def step(self, x):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(m(x) ** 2)
        g = [2 * q for q in tape.gradient(loss, m.trainable_variables)]
        self.optimizer.apply_gradients(zip(g, m.trainable_variables))

{optimizers}
"""


FACTORS = {
    "a string resolved by Keras": (step(DOUBLE, opt="keras.optimizers.get('adam')"), ["LK103"]),
    "a dictionary resolved by Keras": (
        step(DOUBLE, opt="keras.optimizers.get({'class_name': 'Adam', 'config': {}})"), []),
    "a legacy optimizer": (step(DOUBLE, opt="tf.keras.optimizers.legacy.Adam()"), ["LK103"]),
    "a class under another name": (
        step(DOUBLE, opt="O()", before="O = keras.optimizers.Nadam"), ["LK103"]),
    "arguments that nobody sees": (step(DOUBLE, opt="keras.optimizers.Adam(**settings)"), []),
    "one of two optimizers": (
        step(DOUBLE, opt="keras.optimizers.Adam() if m else keras.optimizers.SGD()"), []),
    "TensorFlow 1": (step(DOUBLE, opt="tf.compat.v1.train.AdamOptimizer(1e-3)"), []),
    "a compiled model": (
        step(DOUBLE, opt="m.compile('adam')", apply=APPLY.replace("opt.", "m.optimizer.")),
        ["LK103"]),
    "a schedule": (
        step(DOUBLE, opt="keras.optimizers.SGD(keras.optimizers.schedules.CosineDecay(0.1, 9))"),
        ["LK102"]),
    "clipping by the norm of all": (
        step(DOUBLE, opt="keras.optimizers.SGD(0.1, global_clipnorm=1.0)"), ["LK102"]),
    "epsilon by position": (
        step(DOUBLE, opt="keras.optimizers.Adam(1e-3, 0.9, 0.999, 1.0)"), []),
    "weight decay by position": (
        step(DOUBLE, opt="keras.optimizers.AdamW(1e-3, 1e-2)"), ["LK103"]),
    "below 1, RMSprop": (
        step("g = [q * 0.5 for q in g]", opt="keras.optimizers.RMSprop()"), []),
    "0.01, Adam": (step("g = [q * 0.01 for q in g]"), ["LK103"]),
    "0.001, Adam": (step("g = [q * 0.001 for q in g]"), []),
    "1, Adam": (step("g = [q * 1 for q in g]"), ["LK103"]),
    "1, SGD": (step("g = [q * 1 for q in g]", opt="keras.optimizers.SGD(0.1)"), []),
    "0": (step("g = [q * 0 for q in g]"), []),
    "negative": (step("g = [q * -2.0 for q in g]"), []),
    "a leading minus": (step("g = [-q for q in g]"), []),
    "two factors": (step("g = [q * 2 for q in g]\ng = [q * 3 for q in g]"), ["LK103"]),
    "a lambda": (step("g = list(map(lambda q: q * 2, g))"), ["LK103"]),
    "None is kept": (step("g = [q * 2 if q is not None else None for q in g]"), ["LK103"]),
    "None becomes zeros": (
        step("g = [tf.zeros_like(v) if q is None else q for q, v in zip(g, m.trainable_variables)]"),
        []),
    "converted first": (step("g = [tf.convert_to_tensor(q) * 2 for q in g]"), ["LK103"]),
    "a parameter": (step("g = [q * k for q in g]", parameters="x, y, k=2.0"), []),
    "a command line argument": (
        step("g = [q * args.k for q in g]", before="args = parse()"), []),
    "one of two factors": (step("k = 2 if x is None else 3\ng = [q * k for q in g]"), []),
    "under a condition": (step("if x is None:\n    g = [q * 2 for q in g]"), []),
    "one entry": (step("g[0] = g[0] * 2"), []),
    "an average over steps": (step("n_steps = 4\ng = [q / n_steps for q in g]"), []),
    "an average over workers": (step("num_workers = 4\ng = [q / num_workers for q in g]"), []),
    "an average over replicas": (
        step("g = [q / strategy.num_replicas_in_sync for q in g]"), []),
    "an average over examples": (step("g = [q / len(x) for q in g]"), []),
    "clipped behind it": (step("g = [tf.clip_by_norm(q * 10.0, 1.0) for q in g]"), []),
    "clipped together behind it": (
        step("g = [q * 10.0 for q in g]\ng, _ = tf.clip_by_global_norm(g, 1.0)"), []),
    "clipped in front of it": (
        step("g, _ = tf.clip_by_global_norm(g, 1.0)\ng = [q * 10.0 for q in g]"), []),
    "noise": (step("g = [2 * (q + tf.random.normal(q.shape)) for q in g]"), []),
    "dropout": (step("g = [tf.nn.dropout(q, 0.5) for q in g]"), []),
    "no edit": (step("", apply="opt.minimize(loss, m.trainable_variables, tape=tape)"), []),
    "an unknown optimizer": (step(DOUBLE, opt="make_optimizer()"), []),
    "given to a class": (trainer("t = Trainer(keras.optimizers.Adam())\nt.step(1)"), ["LK103"]),
    "given to a class that nobody makes": (trainer(""), []),
    "given twice, and it matters": (
        trainer(
            "Trainer(keras.optimizers.Adam()).step(1)\nTrainer(keras.optimizers.SGD(0.1)).step(1)"
        ), []),
    "given twice, and it does not": (
        trainer(
            "Trainer(keras.optimizers.Adam()).step(1)\nTrainer(keras.optimizers.Adam()).step(1)"
        ), ["LK103"]),
    "each variable, SGD": (
        step("g = [q * k for q, k in zip(g, [0.1, 1.0])]", opt="keras.optimizers.SGD(0.1)"), []),
    "each variable, Adam": (step("g = [q * k for q, k in zip(g, [0.1, 1.0])]"), ["LK103"]),
    "each variable, one of them frozen": (
        step("g = [q * k for q, k in zip(g, [0.0, 1.0])]"), []),
    "each variable, clipped together": (
        step(
            "g = [q * k for q, k in zip(g, [0.1, 1.0])]",
            opt="keras.optimizers.Adam(global_clipnorm=1.0)",
        ), []),
}  # fmt: skip

INTENT = {
    "with Adam": (step(MEANT + DOUBLE), ["LK101"]),
    "with an unknown optimizer": (step(MEANT + DOUBLE, opt="make_optimizer()"), ["LK101"]),
    "with a factor that LK103 leaves alone": (
        step(MEANT + "g = [q * 0.001 for q in g]"), ["LK101"]),
    "each variable": (step(MEANT + "g = [q * k for q, k in zip(g, [0.5, 2.0])]"), ["LK101"]),
    "on a loop": (
        step(f"out = []\n{MEANT}for q in g:\n    out.append(q * 2)\ng = out"), ["LK101"]),
    "above another statement": (
        step(f"{MEANT}out = []\nfor q in g:\n    out.append(q * 2)\ng = out"), ["LK103"]),
    "a factor of 1": (step(MEANT + "g = [q * 1 for q in g]"), ["LK103"]),
    "a negative factor": (step(MEANT + "g = [q * -1 for q in g]"), []),
    "set right": (
        step("# scales the step, the derivative of the relu is unchanged\n" + DOUBLE), ["LK103"]),
    "gradient descent by hand": (
        step(
            MEANT + DOUBLE,
            apply="for v, q in zip(m.trainable_variables, g): v.assign_sub(q)",
        ), []),
    "the gradient of an input": (step(MEANT + "g = g * 2", sources="x", apply="return g"), []),
    "clipped": (step(MEANT + "g = [tf.clip_by_norm(q * 2, 1.0) for q in g]"), []),
    "rectified": (step("# guided backprop\ng = [tf.nn.relu(q) for q in g]"), ["LK101"]),
    "rectified, nothing said": (step("g = [tf.nn.relu(q) for q in g]"), ["LK108"]),
    "rectified and scaled": (step("g = [2 * tf.nn.relu(q) for q in g]"), []),
    "clipped to be positive": (step("g = [tf.clip_by_value(q, 0.0, 1.0) for q in g]"), []),
}  # fmt: skip

CUSTOM_GRADIENT = """
import tensorflow as tf

@tf.custom_gradient
def act(z):
    return tf.nn.relu(z), lambda upstream: 2 * upstream

class Layer(tf.keras.layers.Layer):
    def build(self, shape):
        self.w = self.add_weight(shape=(3, 3))

    def call(self, x):
        return act(x @ self.w)

layer = Layer()
opt = tf.keras.optimizers.Ftrl()

def step(x):
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(layer(x))
    # double the derivative of the activation
    g = [q * 2 for q in tape.gradient(loss, layer.trainable_variables)]
    opt.apply_gradients(zip(g, layer.trainable_variables))
"""

LISTS = {
    "from the left": (step("g = 2 * g"), ["LK104"]),
    "a tuple of sources": (
        step("g = g * 2.0", sources="(m.layers[0].kernel, m.layers[0].bias)"), ["LK104"]),
    "one source": (
        step("g = g * 2.0", sources="w", before="w = tf.Variable(1.0)", apply="return g"), []),
    "unknown sources": (step("g = g * 2.0", sources="v", parameters="x, y, v"), []),
    "an array": (
        step("g = np.array(g, dtype=object) * 2", before="import numpy as np"), []),
    "another list": (step("n = [0] * len(g)"), []),
    "one entry": (step("q = g[0] * 2"), []),
    "integer division": (step("g = g // 2"), ["LK104"]),
    "a helper function": (
        step("g = scale(g, 0.5)", before="def scale(gs, k):\n    return gs * k\n"), ["LK104"]),
    "a test of the error": (
        step("with self.assertRaises(TypeError):\n    g / 2", parameters="self, x, y"), []),
    "filter()": (step("g = list(filter(lambda q: q is not None, g))"), ["LK105"]),
    "filtered by the variables' names": (
        step("g = [q for q, v in zip(g, m.trainable_variables) if 'kernel' in v.name]"),
        ["LK105"]),
    "both filtered by names": (
        step(
            "vs = [v for v in m.trainable_variables if 'kernel' in v.name]\n"
            "g = [q for q, v in zip(g, m.trainable_variables) if 'kernel' in v.name]",
            apply="opt.apply_gradients(zip(g, vs))",
        ), []),
    "variables filtered before the tape": (
        step(
            "",
            sources="vs",
            before="vs = [v for v in m.trainable_variables if 'kernel' in v.name]\n",
            apply="opt.apply_gradients(zip(g, vs))",
        ), []),
    "pairs filtered and taken apart": (
        step(
            "pairs = [(q, v) for q, v in zip(g, m.trainable_variables) if q is not None]\n"
            "g, vs = zip(*pairs)",
            apply="opt.apply_gradients(zip(g, vs))",
        ), []),
    "filtered under a condition": (step("if x is None:\n    g = [q for q in g if q is not None]"), []),
    "other variables": (
        step(
            "g = [q for q in g if q is not None]",
            apply="opt.apply_gradients(zip(g, other.trainable_variables))",
        ), []),
}  # fmt: skip

RECORD = "w = tf.Variable(1.0)\nwith tf.GradientTape() as t:\n    y = w * w\n"
TAPES = {
    "a jacobian": (RECORD + "t.gradient(y, w)\nt.jacobian(y, w)\n", ["LK110"]),
    "under another name": (RECORD + "s = t\nt.gradient(y, w)\ns.gradient(y, w)\n", ["LK110"]),
    "inside the recording": (RECORD + "    t.gradient(y, w)\nt.gradient(y, w)\n", ["LK110"]),
    "through a function": (
        "def slope(t, y):\n    return t.gradient(y, w)\n" + RECORD
        + "a = t.gradient(y, w)\nb = slope(t, y)\n", ["LK110"]),
    "an attribute": (
        "w = tf.Variable(1.0)\nclass A:\n    def f(self):\n"
        "        with tf.GradientTape() as self.t:\n            y = w * w\n"
        "        self.t.gradient(y, w)\n        return self.t.gradient(y, w)\n", ["LK110"]),
    "persistent": (RECORD.replace("()", "(True)") + "t.gradient(y, w)\nt.gradient(y, w)\n", []),
    "perhaps persistent": (
        RECORD.replace("()", "(persistent=flag)") + "t.gradient(y, w)\nt.gradient(y, w)\n", []),
    "perhaps the first": (
        RECORD + "if flag:\n    t.gradient(y, w)\nt.gradient(y, w)\n", []),
    "either": (RECORD + "a = t.gradient(y, w) if flag else t.gradient(2 * y, w)\n", []),
    "an early return": (
        "w = tf.Variable(1.0)\ndef f(c):\n    with tf.GradientTape() as t:\n        y = w * w\n"
        "    if c:\n        return t.gradient(y, w)\n    return t.gradient(2 * y, w)\n", []),
    "entered again": (
        "w = tf.Variable(1.0)\nt = tf.GradientTape()\nwith t:\n    y = w * w\nt.gradient(y, w)\n"
        "with t:\n    y = w * w\nt.gradient(y, w)\n", []),
    "an outer tape": (
        "w = tf.Variable(1.0)\nwith tf.GradientTape() as o:\n    with tf.GradientTape() as t:\n"
        "        y = w * w\n    a = t.gradient(y, w)\nb = o.gradient(a, w)\n", []),
    "caught": (
        RECORD + "t.gradient(y, w)\ntry:\n    t.gradient(y, w)\nexcept RuntimeError:\n    pass\n",
        []),
    "in a handler": (
        RECORD + "t.gradient(y, w)\ntry:\n    f()\nexcept ValueError:\n    t.gradient(y, w)\n",
        ["LK110"]),
    "expected by a test": (
        RECORD + "t.gradient(y, w)\nwith pytest.raises(RuntimeError):\n    t.gradient(y, w)\n", []),
}  # fmt: skip

ACTIVATION = (
    "from tensorflow import keras\n@tf.custom_gradient\ndef f(z):\n"
    "    return tf.nn.relu(z), lambda upstream: upstream\n"
)
ACTIVATIONS = {
    "by position": (ACTIVATION + "keras.layers.Dense(3, f)\n", ["LK134"]),
    "by keyword": (ACTIVATION + "keras.layers.Conv2D(3, 3, activation=f)\n", ["LK134"]),
    "under another name": (ACTIVATION + "h = f\nkeras.layers.Activation(h)\n", ["LK134"]),
    "decorated by a call": (
        ACTIVATION.replace("@tf.custom_gradient\n", "")
        + "h = tf.custom_gradient(f)\nkeras.layers.Activation(h)\n", ["LK134"]),
    "wrapped": (ACTIVATION + "keras.layers.Dense(3, activation=lambda z: f(z))\n", []),
    "a Lambda layer": (ACTIVATION + "keras.layers.Lambda(f)\n", []),
    "another argument": (ACTIVATION + "keras.layers.Dense(3, kernel_initializer=f)\n", []),
    "called": (ACTIVATION + "y = f(tf.ones(3))\n", []),
}  # fmt: skip


def table(cases: dict[str, tuple[str, list[str]]]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize(
        ("source", "expected"), [pytest.param(*case, id=name) for name, case in cases.items()]
    )


@table(FACTORS)
def test_factors(source: str, expected: list[str]) -> None:
    assert codes(source) == expected


@table(INTENT)
def test_the_rule_that_speaks_for_an_edit(source: str, expected: list[str]) -> None:
    assert codes(source) == expected


def test_a_custom_gradient_in_the_call_path() -> None:
    assert codes(CUSTOM_GRADIENT) == []
    plain = CUSTOM_GRADIENT.replace("act(x @ self.w)", "tf.nn.relu(x @ self.w)")
    assert codes(plain) == ["LK101"]


def test_what_is_said_holds_in_all_ways_a_step_is_reached() -> None:
    source = trainer(
        "Trainer(keras.optimizers.Adam()).step(1)\nTrainer(keras.optimizers.SGD(0.1)).step(1)"
    ).replace("        g = [2", f"        {MEANT}        g = [2")
    (finding,) = engine.lint("x.py", source.encode(), "python", {"LK101"}).findings
    assert [note.text for note in finding.notes if note.kind == "effect"] == [
        "it changes what the optimizer is given, not any derivative: with SGD that is another "
        "learning rate, with Adam it cancels"
    ]


@pytest.mark.parametrize(
    ("opt", "said"),
    [
        ("Adam(0.01)", "has no effect with Adam(0.01)"),
        ("Adam(0.01, epsilon=1e-5)", "has almost no effect with Adam(0.01, epsilon=1e-5)"),
        ("Adadelta(1.0)", "has almost no effect with Adadelta(1.0)"),
        ("Adam(clipnorm=1.0)", "does not scale the steps of Adam(clipnorm=1.0)"),
    ],
)
def test_how_much_a_factor_does(opt: str, said: str) -> None:
    source = step(DOUBLE, opt=f"keras.optimizers.{opt}")
    (finding,) = engine.lint("x.py", source.encode(), "python", {"LK103"}).findings
    assert finding.message == f"multiplying all gradients by 2 {said}"


@table(LISTS)
def test_lists(source: str, expected: list[str]) -> None:
    assert codes(source) == expected


@table(TAPES)
def test_tapes(source: str, expected: list[str]) -> None:
    assert codes("import tensorflow as tf\n" + source) == expected


@table(ACTIVATIONS)
def test_activations(source: str, expected: list[str]) -> None:
    assert codes("import tensorflow as tf\n" + source) == expected
