"""gradient_override_map, in the contexts in which it has an effect and in those where it has none."""

from __future__ import annotations

import pytest

from tests.checks.test_backward import findings

DEFAULT = "tf.compat.v1.get_default_graph()"
OVERRIDE = 'with {graph}.gradient_override_map({{"Relu": "Guided"}}):'
IN_STEP = """
@tf.function
def step(x):
    with tf.GradientTape() as tape:
        tape.watch(x)
        {override}
            y = tf.nn.relu(x)
    return tape.gradient(y, x)
"""
IN_FUNCTION = """
def activation(x):
    {override}
        return tf.nn.relu(x)
"""
IN_GRAPH = "@tf.function" + IN_FUNCTION
IN_LAYER = """
class Guided(keras.layers.Layer):
    def call(self, x):
        {override}
            return tf.nn.relu(x)
"""
IN_MODULE = """
{override}
    y = tf.nn.relu(x)
"""
TAPE = """
with tf.GradientTape() as tape:
    y = model(x)
print(tape.gradient(y, x))
"""
FIT = 'model = keras.Sequential([Guided()])\nmodel.compile("sgd", "mse")\nmodel.fit(x, y)\n'


@pytest.mark.parametrize(
    ("program", "graph", "found"),
    [
        (IN_MODULE, DEFAULT, True),
        (IN_MODULE, "tf.Graph()", True),
        (IN_MODULE, "graph", False),
        (IN_MODULE, "keras.backend.get_graph()", False),
        (IN_FUNCTION, DEFAULT, False),
        (IN_FUNCTION, "tf.Graph()", True),
        (IN_FUNCTION + TAPE, DEFAULT, True),
        (IN_FUNCTION + "print(activation(x).numpy())\n", DEFAULT, True),
        (IN_FUNCTION + "y = tf.py_function(f, [x], tf.float32)\n", DEFAULT, True),
        (IN_FUNCTION + TAPE + "step = tf.function(train)\n", DEFAULT, True),
        (IN_FUNCTION + TAPE + "@tf.function\ndef step(x):\n    return x\n", DEFAULT, False),
        (IN_FUNCTION + "@tf.function\ndef step(x):\n    return activation(x)\n", DEFAULT, False),
        (IN_STEP, DEFAULT, True),
        (IN_GRAPH, DEFAULT, False),
        (IN_GRAPH, "tf.Graph()", True),
        (IN_GRAPH + TAPE, DEFAULT, False),
        (IN_LAYER, DEFAULT, False),
        (IN_LAYER + FIT, DEFAULT, True),
        ("tf.compat.v1.disable_eager_execution()\n" + IN_MODULE, DEFAULT, False),
        (IN_MODULE + "sess = tf.compat.v1.Session()\n", DEFAULT, False),
        ("g = tf.Graph()\nwith g.as_default():\n    pass\n" + IN_MODULE, "g", False),
        (IN_MODULE + "print(tf.gradients(y, x))\n", DEFAULT, False),
        (IN_FUNCTION + "gradients = 3\n" + TAPE, DEFAULT, True),
        ("class Graph:\n    def gradient_override_map(self, m): ...\n" + IN_MODULE, "Graph()", False),
    ],
)  # fmt: skip
def test_overrides(program: str, graph: str, found: bool) -> None:
    source = program.replace("{override}", OVERRIDE.format(graph=graph))
    text = OVERRIDE.format(graph=graph).removeprefix("with ").removesuffix(":")
    assert findings(source, "LK130") == ([("LK130", text)] if found else [])
