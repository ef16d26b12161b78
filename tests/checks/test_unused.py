"""Gradients that never arrive: the verdicts in many spellings."""

from __future__ import annotations

import textwrap

import pytest

from tests.pages import lint

HEAD = """
import tensorflow as tf
from tensorflow import keras
m = keras.Sequential([keras.layers.Dense(3, activation="relu"), keras.layers.Dense(1)])
opt = keras.optimizers.SGD(0.1)
"""
TAPE = """
with tf.GradientTape() as tape:
    loss = tf.reduce_mean((m(x) - y) ** 2)
g = tape.gradient(loss, m.trainable_variables)
"""
APPLY = "opt.apply_gradients(zip(g, m.trainable_variables))"


def function(body: str, tape: str = TAPE) -> str:
    return f"{HEAD}\n\ndef step(x, y, flag):\n{textwrap.indent(f'{tape}{body}', '    ')}\n"


def codes(source: str, code: str, language: str = "python") -> list[str]:
    return [found for _, _, found in lint(source, language) if found == code]


UNUSED = [
    f"c = [tf.clip_by_norm(q, 1.0) for q in g]\n{APPLY}",
    f"c = [q * 0.5 + 0.1 for q in g]\n{APPLY}",
    f"c = [-q + q for q in g]\n{APPLY}",
    f"c = list(map(lambda q: tf.clip_by_norm(q, 1.0), g))\n{APPLY}",
    f"c = [tf.where(tf.math.is_nan(q), tf.zeros_like(q), q) for q in g]\n{APPLY}",
    f"c = [None if q is None else tf.clip_by_norm(q, 1.0) for q in g]\n{APPLY}",
    f"c, n = tf.clip_by_global_norm(g, 1.0)\nprint(n)\n{APPLY}",
    f"c: list = [tf.clip_by_norm(q, 1.0) for q in g]\n{APPLY}",
    f"for q in g:\n    q = tf.clip_by_norm(q, 1.0)\n{APPLY}",
    f"for q in g:\n    q *= 2.0\n{APPLY}",
    f"for i, q in enumerate(g):\n    q = tf.clip_by_norm(q, 1.0)\n{APPLY}",
    f"for q, v in zip(g, m.trainable_variables):\n    q = q + 0.1 * v\n{APPLY}",
    f"for q in g:\n    if q is not None:\n        q = tf.clip_by_norm(q, 1.0)\n{APPLY}",
    f"for i in range(len(g)):\n    q = tf.clip_by_norm(g[i], 1.0)\n{APPLY}",
    f"tf.clip_by_global_norm(g, 1.0)\n{APPLY}",
    f"[tf.clip_by_norm(q, 1.0) for q in g]\n{APPLY}",
    f"tf.nest.map_structure(lambda q: q + 0.1, g)\n{APPLY}",
    f"{APPLY}\ng = [tf.clip_by_norm(q, 1.0) for q in g]",
    "c = [tf.clip_by_norm(q, 1.0) for q in g]\nopt.apply(g, m.trainable_variables)",
    "c = [q + 0.1 for q in g]\nopt.apply_gradients((q, v) for q, v in zip(g, m.trainable_variables))",
    f"if flag:\n    c = [tf.clip_by_norm(q, 1.0) for q in g]\n{APPLY}",
]


@pytest.mark.parametrize("body", UNUSED)
def test_a_changed_copy_that_is_not_applied(body: str) -> None:
    assert codes(function(body), "LK109") == ["LK109"]


@pytest.mark.parametrize("body", UNUSED[:10])
def test_at_the_top_level_of_a_script(body: str) -> None:
    loop = f"for x, y in data:\n{textwrap.indent(f'{TAPE}{body}', '    ')}\n"
    assert codes(f"{HEAD}{loop}", "LK109") == ["LK109"]


@pytest.mark.parametrize(
    "body",
    [
        "c = [tf.clip_by_norm(q, 1.0) for q in g]\n"
        "opt.apply_gradients(zip(c, m.trainable_variables))",
        f"c = [tf.clip_by_norm(q, 1.0) for q in g]\n{APPLY}\nreturn c",
        f"c = [tf.clip_by_norm(q, 1.0) for q in g]\nprint(c)\n{APPLY}",
        f"_ = [tf.clip_by_norm(q, 1.0) for q in g]\n{APPLY}",
        f"_clipped, n = tf.clip_by_global_norm(g, 1.0)\nprint(n)\n{APPLY}",
        f"c = [tf.norm(q) for q in g]\n{APPLY}",
        f"c = [q for q in g]\n{APPLY}",
        f"c = [tf.cast(q, tf.float32) for q in g]\n{APPLY}",
        f"g = [tf.clip_by_norm(q, 1.0) for q in g]\n{APPLY}",
        f"for i in range(len(g)):\n    g[i] = tf.clip_by_norm(g[i], 1.0)\n{APPLY}",
        f"for q in g:\n    q = tf.clip_by_norm(q, 1.0)\n    print(q)\n{APPLY}",
        f"for q in g:\n    q = tf.clip_by_norm(q, 1.0)\n    seen.append(q)\n{APPLY}",
        f"self.c = [tf.clip_by_norm(q, 1.0) for q in g]\n{APPLY}",
        f"c = [tf.clip_by_norm(q, 1.0) for q in g]\n{APPLY}\nlog(**locals())",
        f"c = [tf.clip_by_norm(q, 1.0) for q in g]\nh = lambda: c\n{APPLY}\nreturn h",
        "c = [tf.clip_by_norm(q, 1.0) for q in g]",
        "c = [tf.clip_by_norm(q, 1.0) for q in g]\ng = [q * flag for q in g]\n" + APPLY,
        "c = [tf.clip_by_norm(q, 1.0) for q in g]\nunknown(g)\n" + APPLY,
        f"[print(2.0 * q) for q in g]\n{APPLY}",
        f"unknown([2.0 * q for q in g])\n{APPLY}",
        "c = [tf.clip_by_norm(q, 1.0) for q in tape.gradient(loss, x)]\n" + APPLY,
    ],
)
def test_copies_that_are_used_or_are_none(body: str) -> None:
    assert codes(function(body), "LK109") == []


def test_what_another_fence_may_read() -> None:
    step = f"{HEAD}{TAPE}c = [tf.clip_by_norm(q, 1.0) for q in g]\n{APPLY}\n"
    fence = "```python\n{}```\n"
    assert codes(fence.format(step), "LK109", "markdown") == ["LK109"]
    reads = fence.format(step) + fence.format("print(c)\n")
    assert codes(reads, "LK109", "markdown") == []
    broken = fence.format(step) + fence.format("print(c\n")
    assert codes(broken, "LK109", "markdown") == []


# ---------------------------------------------------------------------------- LK116

LOOPS = [
    "for i, (x, y) in enumerate(data):",
    "for i in range(1000):",
    "while True:",
]


def loop(head: str, body: str) -> str:
    lines = textwrap.indent(f"i += 1\nx, y = next(data)\n{TAPE}{body}", "    ")
    return f"{HEAD}\n\ndef train(data, n, i=0):\n{textwrap.indent(f'{head}{chr(10)}{lines}', '    ')}\n"


@pytest.mark.parametrize("head", LOOPS)
@pytest.mark.parametrize(
    "body",
    [
        f"if i % n == 0:\n    {APPLY}",
        f"if (i + 1) % n == 0:\n    {APPLY}",
        f"if not i % n:\n    {APPLY}",
        f"if 0 == i % 4:\n    {APPLY}",
        f"if i % n == n - 1:\n    {APPLY}",
        f"if tf.equal(i % n, 0):\n    {APPLY}",
        f"if tf.math.floormod(i, n) == 0:\n    {APPLY}",
        f"if (i + 1) % n == 0 or last:\n    {APPLY}",
        f"if i % n != 0:\n    continue\n{APPLY}",
        f"if i % n:\n    continue\n{APPLY}",
        f"if i % n:\n    pass\nelse:\n    {APPLY}",
        f"g, _ = tf.clip_by_global_norm(g, 1.0)\nif i % n == 0:\n    {APPLY}",
        "c = [q / n for q in g]\nif i % n == 0:\n"
        "    opt.apply_gradients(zip(c, m.trainable_variables))",
        f"if i % n == 0:\n    g = [q / n for q in g]\n    {APPLY}",
        "if i % n == 0:\n    opt.apply(g, m.trainable_variables)",
    ],
)
def test_gradients_that_are_thrown_away(head: str, body: str) -> None:
    assert codes(loop(head, body), "LK116") == ["LK116"]


@pytest.mark.parametrize(
    "body",
    [
        APPLY,
        f"if x is None:\n    {APPLY}",
        f"if i > n:\n    {APPLY}",
        f"if i % n != 0:\n    {APPLY}",  # in all rounds but one
        f"if i % n == 0:\n    print(i)\n{APPLY}",
        f"total += g\nif i % n == 0:\n    {APPLY}",
        f"total = [t + q for t, q in zip(total, g)]\nif i % n == 0:\n    {APPLY}",
        f"for t, q in zip(total, g):\n    t.assign_add(q)\nif i % n == 0:\n    {APPLY}",
        f"seen.append(g)\nif i % n == 0:\n    {APPLY}",
        f"accumulator(g)\nif i % n == 0:\n    {APPLY}",
        f"self.g = g\nif i % n == 0:\n    {APPLY}",
        f"last = g\nif i % n == 0:\n    {APPLY}\nprint(last)",
        f"if i % n == 0:\n    {APPLY}\nelse:\n    other.{APPLY}",
        f"other.{APPLY}\nif i % n == 0:\n    {APPLY}",
        f"if i % n == 0:\n    {APPLY}\nreturn g",
        f"def later():\n    return g\nif i % n == 0:\n    {APPLY}",
    ],
)
def test_rhythms_that_are_fine_or_not_known(body: str) -> None:
    assert codes(loop(LOOPS[0], body), "LK116") == []


def test_gradients_that_are_computed_under_the_condition() -> None:
    *tape, gradient = TAPE.strip().splitlines()
    body = "\n".join([*tape, "if i % n == 0:", f"    {gradient}", f"    {APPLY}"])
    source = loop(LOOPS[0], "pass").replace("    pass", textwrap.indent(body, "        "))
    assert codes(source, "LK116") == []
