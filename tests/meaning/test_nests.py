"""How many tensors a structure has, and what depends on what."""

from __future__ import annotations

import libcst as cst
import pytest

from lintkeras.meaning.backends import other_backends
from lintkeras.meaning.facts import BackwardPass
from lintkeras.meaning.interpreter import Interpreter
from lintkeras.meaning.nests import depends, flat_size, is_one_tensor, is_zero
from lintkeras.meaning.values import Value
from lintkeras.syntax.tree import nodes

HEAD = "import tensorflow as tf\nimport numpy as np\nfrom keras import ops\n"


def result(expression: str) -> tuple[Value, frozenset[Value]]:
    """The value of an expression of ``x`` and ``dy``, and the value of ``dy``."""
    source = f"{HEAD}f = tf.custom_gradient(lambda x: (x - 1, lambda dy: {expression}))\n"
    facts = Interpreter().run([cst.parse_module(source)], len(source))
    ((_, grad),) = [pair for pair in next(facts.all(BackwardPass)).pairs if pair]
    assert grad is not None
    return grad.results[0], frozenset({grad.parameter("dy")})


@pytest.mark.parametrize(
    ("expression", "size"),
    [
        ("None", 1),
        ("3.0", 1),
        ("dy", 1),
        ("dy * x", 1),
        ("x * 2", None),
        ("x * 2.0", 1),
        ("x + x", None),
        ("x - x", 1),
        ("x @ x", 1),
        ("dy[0]", 1),
        ("x[0]", None),
        ("(dy, None)", 2),
        ("[dy, [x - 1, x - 2]]", 3),
        ("{'a': dy, 'b': (dy, dy)}", 3),
        ("[None] * 3", 3),
        ("[dy] + [None] * 2", 3),
        ("[dy] + [None] * n", None),
        ("[dy for _ in x]", None),
        ("tf.exp(x)", 1),
        ("tf.where(x > 0, dy, 0.0)", 1),
        ("tf.reduce_sum(dy, axis=0)", 1),
        ("tf.split(dy, 2)", None),
        ("tf.unstack(dy)", None),
        ("tf.linalg.svd(dy)", None),
        ("np.sin(dy)", 1),
        ("ops.matmul(dy, x)", 1),
        ("other(dy)", None),
        ("dy / 2 if flag else x - 1", 1),
        ("dy if flag else (dy, dy)", None),
    ],
)
def test_flat_size(expression: str, size: int | None) -> None:
    value, upstream = result(expression)
    assert flat_size(value, upstream.__contains__) == size


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("dy", True),
        ("tf.exp(x) * dy", True),
        ("tf.exp(x)", False),
        ("x", False),
        ("tf.zeros_like(dy)", False),
        ("tf.cast(x, dy.dtype)", False),
        ("tf.ones(tf.shape(dy)) * x", False),
        ("tf.reshape(dy, x.shape)", True),
        ("g(x)", None),
        ("tf.cond(x > 0, lambda: dy, lambda: x)", None),
        ("tf.exp(x) if flag else dy", None),
        ("tf.concat([x, dy], 0)", True),
    ],
)
def test_depends(expression: str, expected: bool | None) -> None:
    assert depends(*result(expression)) is expected


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("None", True),
        ("0", True),
        ("0.0 * g(x)", True),
        ("tf.zeros_like(x)", True),
        ("tf.cast(tf.zeros(3), x.dtype)", True),
        ("tf.where(x > 0, 0.0, tf.zeros_like(x))", True),
        ("tf.where(x > 0, 1.0, 0.0)", False),
        ("1.0", False),
        ("tf.cos(x)", False),
        ("g(x)", None),
        ("g(x) * 2.0", None),
    ],
)
def test_is_zero(expression: str, expected: bool | None) -> None:
    assert is_zero(result(expression)[0]) is expected


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("dy - 1", True),
        ("tf.exp(dy)", True),
        ("dy * 2", False),
        ("dy * 2.0", True),
        ("dy[0] - dy[1]", False),
        ("tf.concat(dy, 0)", False),
        ("tf.exp(dy) + g(dy)", False),
        ("x", False),
    ],
)
def test_is_one_tensor(expression: str, expected: bool) -> None:
    value, (dy,) = result(expression)
    assert is_one_tensor(dy, [value]) is expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("import tensorflow as tf\nimport keras\n", set()),
        ("import jax.numpy as jnp\n", {"jax"}),
        ("from torch import nn\n", {"torch"}),
        ("from .torch import nn\n", set()),
        ("import os\nos.environ['KERAS_BACKEND'] = 'jax'\n", {"jax"}),
        ("if keras.backend.backend() == 'torch': pass\n", {"torch"}),
        ("y, state = model.stateless_call(v, n, x)\n", {"jax"}),
        ("jax = 'a jacket'\n", set()),
    ],
)
def test_other_backends(source: str, expected: set[str]) -> None:
    assert other_backends(nodes(cst.parse_module(source))) == expected
