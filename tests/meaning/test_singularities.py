"""Guards, regions, and the places where derivatives are infinite (checked in TensorFlow)."""

from __future__ import annotations

from math import inf

import libcst as cst
import pytest

from lintkeras.meaning.facts import Operation
from lintkeras.meaning.interpreter import Interpreter
from lintkeras.meaning.regions import Interval, Region, affine, guards, holds, range_of
from lintkeras.meaning.singularities import singularities, traps
from lintkeras.meaning.values import Computed, Value


def term(expression: str) -> Computed:
    """The term of an expression of ``x`` and ``y``."""
    source = (
        f"import tensorflow as tf\nfrom keras import ops\ndef f(x, y):\n    return {expression}\n"
    )
    module = cst.parse_module(source)
    (function,) = [node for node in module.body if isinstance(node, cst.FunctionDef)]
    (statement,) = function.body.body
    assert isinstance(statement, cst.SimpleStatementLine)
    assert isinstance(statement.body[0], cst.Return)
    facts = Interpreter().run([module], len(source))
    return next(o.term for o in facts.all(Operation) if o.node is statement.body[0].value)


def is_x(value: Value) -> bool:
    return getattr(value, "origin", (None,) * 3)[2] == "x"


@pytest.mark.parametrize(
    ("condition", "where_it_holds", "where_it_fails"),
    [
        ("x > 0", [1], [0, -1]),
        ("0 <= x", [0, 1], [-1]),
        ("tf.less(x, 2.0)", [0], [2, 3]),
        ("x != 0", [-1, 1], [0]),
        ("tf.equal(x, tf.constant(3.0))", [3], [2, 4]),
        ("tf.logical_not(x > 0)", [0, -1], [1]),
        ("~(x == 0)", [-1, 1], [0]),
        ("tf.abs(x) < 1", [0, 0.5, -0.5], [1, -1, 2]),
        ("tf.abs(2 * x - 1) >= 1", [0, 1, 2, -1], [0.5, 0.25]),
        ("2 * x + 1 > 0", [0, -0.25], [-0.5, -1]),
        ("tf.logical_and(x > 0, y > 0)", [], [0, -1]),
        ("(x < 0) | (y > 0)", [-1], []),
        ("ops.greater_equal(x, 1)", [1], [0]),
    ],
)
def test_what_conditions_say(
    condition: str, where_it_holds: list[float], where_it_fails: list[float]
) -> None:
    (guard,) = [g for g in guards(term(condition)) if is_x(g.value)]
    for number in (-2, -1, -0.5, -0.25, 0, 0.25, 0.5, 1, 2, 3, 4):
        if number in where_it_holds:
            assert holds(guard.holds, number)
        if number in where_it_fails:
            assert holds(guard.fails, number)
        assert not (holds(guard.holds, number) and holds(guard.fails, number))


@pytest.mark.parametrize(
    "condition", ["x > y", "tf.reduce_all(x > 0)", "x + 0", "tf.greater(x, y)"]
)
def test_conditions_that_say_nothing_of_a_number(condition: str) -> None:
    assert list(guards(term(condition))) == []


@pytest.mark.parametrize(
    ("expression", "inside", "outside"),
    [
        ("tf.maximum(x, 0.1)", [0.1, 5], [0, -1]),
        ("tf.minimum(x, 2.0)", [2, -5], [3]),
        ("tf.clip_by_value(x, -1.0, 1.0)", [-1, 1], [2, -2]),
        ("tf.nn.relu(x)", [0, 1], [-1]),
        ("tf.nn.relu(x) + 1", [1, 2], [0.5]),
        ("1 - tf.sigmoid(x)", [0.5], [-1, 2]),
        ("x ** 2 + tf.exp(y)", [1], [0, -1]),
        ("tf.maximum(x, y)", [-5, 5], []),
        ("x * 2", [-5, 5], []),
    ],
)
def test_ranges(expression: str, inside: list[float], outside: list[float]) -> None:
    found = range_of(term(expression))
    assert all(holds(found, number) for number in inside)
    assert not any(holds(found, number) for number in outside)


def test_intervals_meet() -> None:
    assert Interval(0, 2, True).meet(Interval(2, 3, True)) is None
    assert Interval(0, 2, True, True).meet(Interval(2, 3, True)) == Interval(2, 2, True, True)
    assert Interval(-inf, 1).image(-2, 1) == Interval(-1, inf)


OPERATIONS = [
    "tf.math.log(x)", "tf.math.log1p(x)", "1 / x", "x ** 0.5", "x ** -1.0", "tf.pow(x, -2)",
    "x ** 1.5", "tf.exp(x)", "tf.math.expm1(x)", "tf.sinh(x)", "tf.cosh(x)", "tf.asin(x)",
    "tf.acos(x)", "tf.acosh(x)", "tf.atanh(x)", "ops.log2(x)", "ops.log10(x)", "ops.arccos(x)",
    "1 / tf.sqrt(x)", "1 / (x * x)", "tf.math.log(tf.abs(x))", "tf.math.log(2 * x - 1)",
    "tf.exp(100 * x)",
]  # fmt: skip
FINITE = [
    "tf.sqrt(x)", "tf.math.rsqrt(x)", "tf.math.reciprocal(x)", "x ** 2", "x ** 3", "tf.tanh(x)",
    "tf.math.divide_no_nan(1.0, x)", "tf.nn.softplus(x)", "tf.tan(x)", "ops.sqrt(x)",
]  # fmt: skip
NUMBERS = (-100.0, -2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0, 100.0)


@pytest.mark.tensorflow
@pytest.mark.parametrize("expression", [*OPERATIONS, *FINITE])
def test_where_0_times_the_derivative_is_nan(expression: str) -> None:
    import numpy as np
    import tensorflow as tf
    from keras import ops

    regions: list[Region] = []
    for one in singularities(term(expression)):
        line = affine(one.value)
        if line is not None and is_x(line.value):
            regions.append(line.preimage(one.region))
    for number in NUMBERS:
        x = tf.constant(number)
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = eval(expression, {"tf": tf, "ops": ops, "x": x})
        gradient = tape.gradient(y, x, output_gradients=tf.constant(0.0))
        if any(holds(region, number) for region in regions):
            assert np.isnan(gradient), number
        elif expression in FINITE:
            assert np.isfinite(gradient), number


@pytest.mark.parametrize(
    ("expression", "count"),
    [
        ("tf.where(x > 0, tf.math.log(x), 0.0)", 1),
        ("tf.where(x <= 0, 0.0, tf.math.log(x))", 1),
        ("tf.where(x > 0, 0.0, tf.math.log(x))", 0),
        ("tf.where(x > 0, tf.math.log(x) / x, 0.0)", 2),
        ("tf.where(x > 0, tf.round(tf.math.log(x)), 0.0)", 0),
        ("tf.where(x > 0, tf.stop_gradient(tf.math.log(x)), 0.0)", 0),
        ("tf.where(x > 1, tf.math.log(x), 0.0)", 0),
        ("tf.where(tf.math.is_finite(x / y), x / y, 0.0)", 1),
        ("tf.where(tf.math.is_nan(x / y), 0.0, x / y)", 1),
        ("tf.where(tf.math.is_nan(x / y), x / y, 0.0)", 0),
        ("tf.where(tf.math.is_nan(x / (y + 1)), 0.0, x / (y + 1))", 0),
        ("tf.where(tf.math.is_nan(tf.math.log(x)), 0.0, tf.math.log(x))", 0),
        ("tf.where(tf.math.is_nan(x), 0.0, x)", 0),
        ("tf.where(x > 0)", 0),
    ],
)
def test_traps(expression: str, count: int) -> None:
    assert len(list(traps(term(expression)))) == count
