"""Sums: what is left of them in the forward and in the backward pass."""

from __future__ import annotations

import libcst as cst
import pytest

from lintkeras.meaning.facts import Facts, Operation
from lintkeras.meaning.interpreter import Interpreter
from lintkeras.meaning.sums import totals
from lintkeras.meaning.values import Computed

HEAD = """
import tensorflow as tf
from tensorflow import keras
import keras.ops as ops

def f(x, y, k):
    h = tf.round(x)
"""


def terms_at(facts: Facts, node: cst.CSTNode) -> list[Computed]:
    """What the operation at a place computed."""
    return [one.term for one in facts.all(Operation) if one.node is node]


def sums(expression: str) -> dict[str, tuple[float, float]]:
    """The factors of x, h, y and another value in the forward and the backward pass."""
    source = HEAD + f"    values = x * 1, h * 1, y * 1\n    return {expression}\n"
    module = cst.parse_module(source)
    facts = Interpreter().run([module], len(source))
    (function,) = [node for node in module.body if isinstance(node, cst.FunctionDef)]
    assignment, result = function.body.body[1:]
    assert isinstance(assignment, cst.SimpleStatementLine)
    assert isinstance(result, cst.SimpleStatementLine)
    assert isinstance(assignment.body[0], cst.Assign)
    assert isinstance(assignment.body[0].value, cst.Tuple)
    assert isinstance(result.body[0], cst.Return) and result.body[0].value is not None
    names = {}
    for name, element in zip("xhy", assignment.body[0].value.elements, strict=True):
        names[terms_at(facts, element.value)[0].arguments.positional[0]] = name
    (term,) = terms_at(facts, result.body[0].value)
    return {names.get(t.value, "?"): (t.forward, t.backward) for t in totals(term)}


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("x + tf.stop_gradient(h - x)", {"x": (0, 1), "h": (1, 0)}),
        ("x + tf.stop_gradient(-x + h)", {"x": (0, 1), "h": (1, 0)}),
        ("x - tf.stop_gradient(x - h)", {"x": (0, 1), "h": (1, 0)}),
        ("h + (x - h)", {"x": (1, 1), "h": (0, 0)}),
        ("tf.subtract(tf.add(h, x), h)", {"x": (1, 1), "h": (0, 0)}),
        ("ops.add(x, tf.negative(h)) + h", {"x": (1, 1), "h": (0, 0)}),
        ("h + tf.stop_gradient(x - h)", {"x": (1, 0), "h": (0, 1)}),
        ("2 * (x - y) / 4 + y", {"x": (0.5, 0.5), "y": (0.5, 0.5)}),
        ("x * 2 + tf.stop_gradient(x) * (1 - 2)", {"x": (1, 2)}),
        ("tf.identity(x) + 0.1 * y - y", {"x": (1, 1), "y": (-0.9, -0.9)}),
        ("tf.round(x) - h + y", {"h": (0, 0), "y": (1, 1)}),
        ("k * x - x", {"?": (1, 1), "x": (-1, -1)}),
    ],
)
def test_totals(expression: str, expected: dict[str, tuple[float, float]]) -> None:
    assert sums(expression) == expected


@pytest.mark.parametrize(
    ("first", "second", "equal"),
    [
        ("tf.round(x[:, 0])", "tf.round(x[:, 0])", True),
        ("tf.round(x[:, 0])", "tf.round(x[:, 1])", False),
        ("tf.round(x[:, i])", "tf.round(x[:, i])", True),
        ("tf.round(x[:, g(1)])", "tf.round(x[:, g(1)])", False),
        ("tf.random.normal([3])", "tf.random.normal([3])", False),
        ("tf.round(g(x))", "tf.round(g(x))", False),
        ("keras.layers.Dense(1)(x)", "keras.layers.Dense(1)(x)", False),
    ],
)
def test_two_terms_are_equal_only_if_nothing_in_them_is_unknown(
    first: str, second: str, equal: bool
) -> None:
    source = (
        "import tensorflow as tf\nfrom tensorflow import keras\n\n"
        f"def f(x, i):\n    return {first} - {second}\n"
    )
    module = cst.parse_module(source)
    facts = Interpreter().run([module], len(source))
    found = [one.term for one in facts.all(Operation) if one.term.function == "Subtract"]
    assert [len(totals(term)) for term in found] == ([1] if equal else [2])


def test_an_unknown_argument_is_the_same_thing_in_the_function_that_got_it() -> None:
    source = "def f(a, b):\n    return a - a + b\n\nf(g(1), g(2))\nf(g(3), g(4))\n"
    facts = Interpreter().run([cst.parse_module(source)], len(source))
    found = [one.term for one in facts.all(Operation) if one.term.function == "Add"]
    assert len(found) == 2
    for term in found:
        first, second = totals(term)
        assert (first.forward, second.forward) == (0, 1)
    assert found[0] != found[1]
