"""The contract of a custom gradient, in the spellings that people use."""

from __future__ import annotations

import textwrap

import pytest

from lintkeras import engine

HEAD = """\
import functools
import numpy as np
import tensorflow as tf
import keras
from keras import ops
"""


def findings(program: str, *codes: str) -> list[tuple[str, str]]:
    """Code and text of every finding of these rules, the text being what the range covers."""
    source = HEAD + textwrap.dedent(program)
    report = engine.lint("x.py", source.encode(), "python", {*codes, "LK001", "LK002"})
    return [(f.rule, source[f.span.start : f.span.end]) for f in report.findings]


def custom(body: str, decorator: str = "@tf.custom_gradient", head: str = "def f(x):") -> str:
    return f"{decorator}\n{head}\n{textwrap.indent(textwrap.dedent(body), '    ')}\n"


@pytest.mark.parametrize(
    ("program", "found"),
    [
        ("@tf.custom_gradient\ndef f(x, k):\n  return x * k, lambda dy: dy * k\n", "dy * k"),
        ("@tf.custom_gradient\ndef f(x, k):\n  return x * k, lambda dy: (dy * k, None)\n", None),
        ("@tf.custom_gradient\ndef f(x, k):\n  return x * k, lambda dy: [dy * k, None]\n", None),
        ("@tf.custom_gradient\ndef f(x, k):\n  return x * k, lambda dy: [dy * k]\n", "[dy * k]"),
        ("@tf.custom_gradient\ndef f(x, k=2.0):\n  return x * k, lambda dy: dy * k\n", None),
        ("@tf.custom_gradient\ndef f(x, *, k):\n  return x * k, lambda dy: dy * k\n", None),
        ("@tf.custom_gradient\ndef f(*x):\n  return tf.add_n(x), lambda dy: (dy, dy)\n", None),
        ("@tf.custom_gradient\ndef f(x):\n  return x - 1, lambda dy: (dy,)\n", None),
        ("@tf.custom_gradient\ndef f(x):\n  return x - 1, lambda dy: (dy, dy)\n", "dy, dy"),
        ("@tf.custom_gradient\ndef f(x):\n  return x[0] - x[1], lambda dy: (dy, -dy)\n", None),
        ("@tf.custom_gradient\ndef f(x):\n  return g(x), lambda dy: (dy, -dy)\n", None),
        ("@tf.custom_gradient\ndef f(x):\n  return tf.exp(x), lambda dy: dy + [None]\n", None),
        ("@tf.custom_gradient\ndef f(x):\n  return tf.exp(x), lambda dy: [dy] * 2\n", "[dy] * 2"),
        ("@tf.custom_gradient\ndef f(x, y):\n  return x - y, lambda dy: [dy] * 2\n", None),
        ("@tf.custom_gradient\ndef f(x, y):\n  return x - y, lambda dy: h(dy)\n", None),
        ("@tf.custom_gradient\ndef f(x, y):\n  return x - y, lambda dy: None\n", "None"),
        ("@tf.custom_gradient\ndef f(x, y):\n  return x - y, lambda dy: (tf.split(dy, 2), 0)\n", None),
        ("@tf.custom_gradient\ndef f(x, y):\n  return x - y, lambda dy, variables=None: dy\n", None),
        ("@tf.custom_gradient\ndef f(x, y):\n  return x - y, lambda dy, **kw: dy\n", None),
        ("@tf.custom_gradient\ndef f(x, y):\n  return x - y, lambda dy, z=x: dy\n", "dy"),
        ("def f(x, y):\n  return x - y, lambda dy: -dy\ng = tf.custom_gradient(f)\n", "-dy"),
        ("g = tf.custom_gradient(lambda x, y: (x - y, lambda dy: -dy))\n", "-dy"),
        ("g = tf.compat.v1.custom_gradient(lambda x, y: (x - y, lambda dy: -dy))\n", "-dy"),
        ("@tf.custom_gradient\ndef f(x):\n  return x ** 2, lambda dy: (dy * x, lambda dd: dd)\n", "dy * x, lambda dd: dd"),
        ("w = tf.Variable(1.0)\n@tf.custom_gradient\ndef f(x):\n  return x ** w, lambda dy: (dy, dy)\n", None),
        ("g = jax.custom_gradient(lambda x, y: (x - y, lambda dy: -dy))\n", None),
        ("g = ops.custom_gradient(lambda x, y: (x - y, lambda dy: -dy))\n", "-dy"),
        ("g = tf.custom_gradient(lambda x: (tf.sign(x), lambda: 1.0))\n", "lambda: 1.0"),
        ("g = ops.custom_gradient(lambda x: (ops.sign(x), lambda: 1.0))\n", None),
        ("g = tf.custom_gradient(lambda x: ((x - 1, x + 1.0), lambda a, b: a + b))\n", None),
        ("g = tf.custom_gradient(lambda x: (h(x), lambda a, b: a - b))\n", None),
        ("g = tf.custom_gradient(lambda x: (tf.sign(x), lambda a, b: a - b))\n", "lambda a, b: a - b"),
        ("g = tf.custom_gradient(lambda x: (tf.sign(x), lambda a, b=1: a * b))\n", None),
        ("@tf.custom_gradient\ndef f(x, k):\n  return x * k, lambda dy: dy * k\nf(1.0, k=2)\n", None),
        ("@tf.custom_gradient\ndef f(x, k):\n  return x * k, lambda dy: dy * k\nf(1.0, 2)\n", "dy * k"),
        ("@tf.function\n@tf.custom_gradient\ndef f(x, k):\n  return x * k, lambda dy: dy * k\n", "dy * k"),
        ("@tf.custom_gradient\n@tf.function\ndef f(x, k):\n  return x * k, lambda dy: dy * k\n", "dy * k"),
    ],
)  # fmt: skip
def test_arity(program: str, found: str | None) -> None:
    assert findings(program, "LK121") == ([("LK121", found)] if found else [])


@pytest.mark.parametrize(
    ("program", "found"),
    [
        # one of two returns has the right number
        (
            """
            @tf.custom_gradient
            def f(x, k):
                def grad(dy):
                    if training:
                        return dy * k
                    return dy * k, None
                return x * k, grad
            """,
            None,
        ),
        (
            """
            @tf.custom_gradient
            def f(x, k):
                def grad(dy):
                    if training:
                        return dy * k
                    return (dy * k,)
                return x * k, grad
            """,
            "dy * k",
        ),
        # a factory: each function that it makes is looked at
        (
            """
            def make(second):
                @tf.custom_gradient
                def f(x, k):
                    def grad(dy):
                        return (dy * k, None) if second else dy * k
                    return x * k, grad
                return f
            make(True), make(False)
            """,
            None,
        ),
        (
            """
            class Op:
                def grad(self, dy):
                    return dy
                @tf.custom_gradient
                def f(self, x, k):
                    return x - k, self.grad
            """,
            "dy",
        ),
        (
            """
            class Op:
                @staticmethod
                @tf.custom_gradient
                def f(x, k):
                    return x - k, lambda dy: (dy, None)
                @classmethod
                def make(cls):
                    return tf.custom_gradient(cls.f)
            """,
            None,
        ),
        (
            """
            class Op:
                def forward(self, x, k):
                    def grad(dy):
                        return -dy
                    return x - k, grad
                def __init__(self):
                    self.op = tf.custom_gradient(self.forward)
            """,
            "-dy",
        ),
    ],
)
def test_arity_of_other_definitions(program: str, found: str | None) -> None:
    assert findings(program, "LK121") == ([("LK121", found)] if found else [])


LAYER = """
class Layer({base}):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        {init}
    def build(self, shape):
        {build}
    def call(self, x):
        {before}
        @{decorator}
        def f(x):
            return {value}, lambda dy{variables}: dy
        return f(x)
"""


def layer(value: str, **parts: str) -> str:
    given = {
        "base": "keras.layers.Layer", "init": "pass", "build": "pass", "before": "pass",
        "decorator": "tf.custom_gradient", "variables": "", "value": value, **parts,
    }  # fmt: skip
    return LAYER.format(**given)


WEIGHT = {"build": "self.w = self.add_weight(shape=(1,))"}
DENSE = {"init": "self.dense = keras.layers.Dense(3)"}


@pytest.mark.parametrize(
    ("program", "found"),
    [
        (layer("x * self.w", **WEIGHT), "x * self.w"),
        (layer("tf.matmul(x, self.w)", **WEIGHT), "tf.matmul(x, self.w)"),
        (layer("tf.nn.relu(x * self.w)", **WEIGHT), "x * self.w"),
        (layer("x * self.w", build="self.w = self.add_weight('w', (1,), trainable=False)"), None),
        (layer("x * self.w", build="self.w = self.add_weight('w', trainable=flag)"), None),
        (layer("x * self.w", init="self.w = 3.0"), None),
        (layer("x * self.w", init="self.w = tf.Variable(3.0)"), "x * self.w"),
        (layer("x * self.w", init="self.w = tf.Variable(3.0, False)"), None),
        (layer("x * self.w", init="self.w = keras.Variable(3.0)"), "x * self.w"),
        (layer("x * self.w", **WEIGHT, variables=", variables=None"), None),
        (layer("x * self.w", **WEIGHT, variables=", **kwargs"), None),
        (layer("x * self.w", **WEIGHT, base="Base"), None),
        (layer("x * self.w", **WEIGHT, decorator="ops.custom_gradient"), "x * self.w"),
        ("import jax\n" + layer("x * self.w", **WEIGHT, decorator="ops.custom_gradient"), None),
        ("import jax\n" + layer("x * self.w", **WEIGHT), "x * self.w"),
        (layer("x * w", **WEIGHT, before="w = self.w"), "x * w"),
        (layer("x * w", **WEIGHT, before="w = tf.identity(self.w)"), None),
        (layer("x * w", **WEIGHT, before="w = self.w * 2.0"), None),
        (layer("self.dense(x)", **DENSE), "self.dense(x)"),
        (layer("self.dense(x)", init="self.dense = keras.layers.Dense(3, trainable=False)"), None),
        (layer("self.dense(x)", init="self.dense = keras.layers.Flatten()"), None),
        (layer("self.dense(x)", init="self.dense = make()"), None),
        (layer("x @ self.dense.kernel", **DENSE), "x @ self.dense.kernel"),
        (layer("tf.matmul(x, self.kernel)", base="keras.layers.Dense"), "tf.matmul(x, self.kernel)"),
        (layer("tf.matmul(x, self.kernel)", base="keras.layers.Layer"), None),
        (layer("x + self.bias", base="keras.layers.Dense"), None),
        (layer("self.dense(x)", **DENSE) + "Layer().trainable = False\n", None),
        ("w = tf.Variable(1.0)\n@tf.custom_gradient\ndef f(x): return x * w, lambda dy: dy\n", "x * w"),
        ("w = tf.Variable(1.0)\n@tf.custom_gradient\ndef f(x, w): return x * w, lambda dy: (dy, None)\n", None),
        ("w = tf.Variable(1.0)\n@tf.custom_gradient\ndef f(x): return x - 1, lambda dy: dy * w\n", None),
        ("w = tf.constant(1.0)\n@tf.custom_gradient\ndef f(x): return x * w, lambda dy: dy\n", None),
    ],
)  # fmt: skip
def test_variables(program: str, found: str | None) -> None:
    assert findings(program, "LK122") == ([("LK122", found)] if found else [])


@pytest.mark.parametrize(
    ("value", "name"),
    [
        ("x * self.w", "the variable `self.w`"),
        ("tf.matmul(x, w)", "the variable `w`"),
        ("self.dense(x)", "the layer `self.dense`"),
        ("x * self.dense.kernel", "the variable `self.dense.kernel`"),
        ("tf.nn.relu(features=x) * tf.identity(self.w)", "the variable `self.w`"),
    ],
)
def test_variables_have_the_names_of_the_program(value: str, name: str) -> None:
    program = HEAD + layer(value, **WEIGHT, **DENSE, before="w = self.w")
    report = engine.lint("x.py", program.encode(), "python", {"LK122"})
    assert [f.message for f in report.findings] == [
        f"`f` reads {name}, but the grad lambda takes no `variables`"
    ]


@pytest.mark.parametrize(
    ("program", "found"),
    [
        ("f = tf.custom_gradient(lambda x: (tf.sign(x), lambda dy: 1.0))", "dy"),
        ("f = tf.custom_gradient(lambda x: (tf.sign(x), lambda dy: tf.ones_like(x)))", "dy"),
        ("f = tf.custom_gradient(lambda x: (tf.sign(x), lambda _: tf.ones_like(x)))", "_"),
        ("f = tf.custom_gradient(lambda x: (tf.sign(x), lambda *dy: tf.ones_like(x)))", "dy"),
        ("f = tf.custom_gradient(lambda x: (tf.sign(x), lambda dy: 0.0))", None),
        ("f = tf.custom_gradient(lambda x: (tf.sign(x), lambda dy: None))", None),
        ("f = tf.custom_gradient(lambda x: (tf.sign(x), lambda dy: [None]))", None),
        ("f = tf.custom_gradient(lambda x: (tf.sign(x), lambda dy: tf.zeros(tf.shape(x))))", None),
        ("f = tf.custom_gradient(lambda x: (tf.sign(x), lambda dy: 0.0 * tf.cos(x)))", None),
        ("f = tf.custom_gradient(lambda x: (tf.sign(x), lambda dy: g(x)))", None),
        ("f = tf.custom_gradient(lambda x: (tf.sign(x), lambda dy: unknown))", None),
        ("f = tf.custom_gradient(lambda x: (tf.reduce_sum(x ** 2), lambda dy: 2.0 * x))", None),
        ("f = tf.custom_gradient(lambda x: (tf.reduce_sum(x, -1), lambda dy: 2.0 * x))", None),
        ("f = tf.custom_gradient(lambda x: (log_prob(x), lambda dy: 2.0 * x))", None),
        ("f = tf.custom_gradient(lambda x: (2.0 * x, lambda dy: tf.shape(dy)[0] * x))", "tf.shape(dy)[0] * x"),
        ("f = tf.custom_gradient(lambda x: (x ** 2, lambda dy: (lambda u: u * x)(dy)))", None),
        ("f = tf.custom_gradient(lambda x, y: (x * y, lambda dy: (dy * y, x)))", "x"),
        ("f = tf.custom_gradient(lambda x, y: (x, lambda dy: (y, None)))", None),
        ("f = tf.custom_gradient(lambda x, y: (tf.identity(x), lambda dy: (y, None)))", None),
        ("f = tf.custom_gradient(lambda x, y: (x * 1.0, lambda dy: (y, None)))", "dy"),
        ("f = tf.custom_gradient(lambda x: (x ** 2 / 2.0, lambda dy: x))", "dy"),
        ("f = tf.custom_gradient(lambda x, y: (x * y, lambda dy: (dy * y, 0 * x)))", None),
        ("f = tf.custom_gradient(lambda x, y: (x * y, lambda dy: (dy * y, g(x))))", None),
        ("f = tf.custom_gradient(lambda x, y: ((x, y - x), lambda a, b: (b, b - x)))", None),
        ("f = tf.custom_gradient(lambda x, y: ((x, y - x), lambda a, b: (x, 2.0 * y)))", "a"),
        ("r = keras.layers.ReLU()\nf = tf.custom_gradient(lambda x: (r(x), lambda dy: tf.ones_like(x)))", "dy"),
        ("f = ops.custom_gradient(lambda x: (ops.sign(x), lambda *args, upstream=None: ops.ones_like(x)))", "upstream"),
    ],
)  # fmt: skip
def test_upstream(program: str, found: str | None) -> None:
    assert findings(program + "\n", "LK123") == ([("LK123", found)] if found else [])


@pytest.mark.parametrize(
    ("program", "found"),
    [
        (custom("return tf.sign(x)"), "tf.sign(x)"),
        (custom("return x * 2.0"), "x * 2.0"),
        (custom("return x"), None),
        (custom("return x, lambda dy: dy"), None),
        (custom("return [x, lambda dy: dy]"), None),
        (custom("return x, 1.0"), "x, 1.0"),
        (custom("return x, None"), "x, None"),
        (custom("return x, grad"), None),
        (custom("return x, lambda dy: dy, 3"), "x, lambda dy: dy, 3"),
        (custom("return (lambda dy: dy), tf.sign(x)"), "(lambda dy: dy), tf.sign(x)"),
        (custom("return lambda dy: dy"), "lambda dy: dy"),
        (custom("y = x * x"), "f"),
        (custom("y = x * x\n..."), None),
        (custom("pass"), None),
        (custom('"""Not yet."""'), None),
        (custom("raise NotImplementedError"), None),
        (custom("return helper(x)"), None),
        (custom("return tf.cond(x > 0, a, b)"), None),
        (custom("if flag:\n    return x, lambda dy: dy\nreturn None"), None),
        (custom("if flag:\n    return tf.sign(x)\nreturn None"), "tf.sign(x)"),
        (custom("return x, functools.partial(h, x)"), None),
        (custom("yield x"), None),
        (custom("return tf.sign(x)", "@tf.function"), None),
        (custom("return ops.sign(x)", "@ops.custom_gradient"), "ops.sign(x)"),
        (custom("pair = x - 1, lambda dy: dy\nreturn pair"), None),
        (custom("return tuple([x, lambda dy: dy])"), None),
    ],
)
def test_pairs(program: str, found: str | None) -> None:
    assert findings(program, "LK125") == ([("LK125", found)] if found else [])


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ("return np.sin(x), lambda dy: dy", ["np.sin(x)"]),
        ("return tf.sign(x), lambda dy: dy * np.cos(x)", ["np.cos(x)"]),
        ("return tf.sign(x), lambda dy: np.sign(dy)", ["np.sign(dy)"]),
        ("return tf.sign(x), lambda dy: dy * np.mean(tf.abs(x))", ["np.mean(tf.abs(x))"]),
        ("return tf.sign(x), lambda dy: dy * np.mean([x, x])", ["np.mean([x, x])"]),
        ("return tf.sign(x), lambda dy: dy * np.mean(x[0])", ["np.mean(x[0])"]),
        ("return tf.sign(x), lambda dy: dy * np.prod(x.shape)", []),
        ("return tf.sign(x), lambda dy: dy * np.prod(x.get_shape().as_list())", []),
        ("return tf.sign(x), lambda dy: dy * np.prod(tf.shape(x))", ["np.prod(tf.shape(x))"]),
        ("return tf.sign(x), lambda dy: dy * np.shape(x)[0]", []),
        ("return tf.sign(x), lambda dy: dy * np.pi * np.sqrt(2.0)", []),
        ("return tf.sign(x), lambda dy: dy * np.float32(0.5)", []),
        ("return tf.sign(x), lambda dy: dy * np.float32(x)", ["np.float32(x)"]),
        ("return tf.sign(x), lambda dy: dy * np.sqrt(width)", []),
        ("return tf.sign(x), lambda dy: tf.cast(dy, np.float32)", []),
        ("return tf.sign(x), lambda dy: dy * x.numpy()", ["x.numpy()"]),
        ("return tf.sign(x), lambda dy: dy * table.numpy()", []),
        ("return tf.py_function(lambda a: np.sin(a), [x], tf.float32), lambda dy: dy", []),
        ("if tf.executing_eagerly():\n    y = np.sin(x)\nreturn tf.sign(x), lambda dy: dy", []),
        ("return tf.sign(x), lambda dy: dy * np.linalg.norm(x)", ["np.linalg.norm(x)"]),
    ],
)  # fmt: skip
def test_numpy(body: str, found: list[str]) -> None:
    assert findings(custom(body), "LK124") == [("LK124", text) for text in found]


@pytest.mark.parametrize(
    ("after", "severity"),
    [
        ("", "warning"),
        ("y = f(tf.ones(3))", "warning"),
        ("layer = keras.layers.Dense(3, activation=f)", "error"),
        ("layer = keras.layers.Activation(lambda x: f(x))", "error"),
        ("@tf.function\ndef step(x):\n    return f(x)", "error"),
        ("class L(keras.layers.Layer):\n    def call(self, x):\n        return f(x)", "error"),
        ("class L(nn.Layer):\n    def call(self, x):\n        return f(x)", "warning"),
    ],
)
def test_numpy_is_an_error_in_a_graph(after: str, severity: str) -> None:
    program = custom("return np.sin(x), lambda dy: dy") + after + "\n"
    report = engine.lint("x.py", (HEAD + program).encode(), "python", {"LK124"})
    assert [engine.severity_of(f).label for f in report.findings] == [severity]


@pytest.mark.parametrize(
    "use",
    [
        "def test():\n    with pytest.raises(ValueError):\n        f(x)",
        "class T:\n    def test(self):\n        y = f(x)\n        with self.assertRaises(ValueError):\n            tape.gradient(y, x)",
        "class T:\n    def test(self):\n        self.assertRaisesRegex(TypeError, 'two', f, f(x))",
        "try:\n    f(x)\nexcept TypeError as error:\n    print(error)",
    ],
)
@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("return tf.sign(x), lambda dy: (dy, dy)", "LK121"),
        ("return tf.sign(x) * w, lambda dy: dy", "LK122"),
        ("return np.sign(x), lambda dy: dy", "LK124"),
        ("return tf.sign(x)", "LK125"),
    ],
)
def test_tests_that_wait_for_the_exception(body: str, code: str, use: str) -> None:
    program = f"import pytest\nw = tf.Variable(1.0)\n{custom(body)}\n"
    assert [found for found, _ in findings(program, code)] == [code]
    assert findings(f"{program}\n{use}\n", code) == []


@pytest.mark.parametrize(
    ("gradients", "found"),
    [
        ("dy * w, [tf.reduce_sum(dy * x)]", None),
        ("w, [tf.reduce_sum(x)]", "dy"),
        ("w, [tf.reduce_sum(dy * x)]", "w"),
        ("dy * w, [tf.reduce_sum(x)]", "tf.reduce_sum(x)"),
        ("dy * w, [None]", None),
        ("dy * w, [tf.zeros_like(w)]", None),
        ("dy * w, [unknown(x)]", None),
        ("[dy * w], [x * dy]", None),
    ],
)
def test_upstream_of_variables(gradients: str, found: str | None) -> None:
    body = f"return x * w, lambda dy, variables=None: ({gradients})"
    program = f"w = tf.Variable(2.0)\n{custom(body)}"
    assert findings(program, "LK123") == ([("LK123", found)] if found else [])
