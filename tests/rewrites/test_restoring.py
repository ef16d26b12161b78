"""Taking edits of gradients back: the statement around them, the names after them, the comments."""

from __future__ import annotations

from textwrap import dedent, indent
from typing import Any

import pytest

from lintkeras import engine
from lintkeras.findings import Fix
from lintkeras.rulebook import load
from lintkeras.syntax.edits import apply

CODES = load().select(["LK103"])
HEAD = """import tensorflow as tf
from tensorflow import keras

dense = keras.layers.Dense(4)
optimizer = keras.optimizers.Adam()


"""
STEP = """def train_step(x, y):
    with tf.GradientTape() as tape:
        z = dense(x)
        loss = tf.reduce_mean((z - y) ** 2)
    grads = tape.gradient(loss, dense.trainable_variables)
"""


def fixes(source: str) -> tuple[Fix, ...]:
    report = engine.lint("x.py", source.encode(), "python", CODES)
    (finding,) = report.findings
    return finding.fixes


def restored(source: str) -> str | None:
    """The source with its one LK103 fix; None where there is none."""
    found = fixes(source)
    if not found:
        return None
    (one,) = found
    new = apply(source, list(one.edits))
    compile(new, "fixed", "exec")
    assert engine.lint("x.py", new.encode(), "python", CODES).findings == ()
    return new


def step(body: str) -> str:
    return HEAD + STEP + indent(dedent(body).strip("\n"), "    ") + "\n"


BODIES = {
    "a copy that is changed stays a copy": (
        """
        scaled = [g * 2 for g in grads]
        optimizer.apply_gradients(zip(scaled, dense.trainable_variables))
        scaled.append(None)
        """,
        """
        scaled = list(grads)
        optimizer.apply_gradients(zip(scaled, dense.trainable_variables))
        scaled.append(None)
        """,
    ),
    "the original is changed later": (
        """
        scaled = [g * 2 for g in grads]
        grads.clear()
        optimizer.apply_gradients(zip(scaled, dense.trainable_variables))
        """,
        """
        scaled = list(grads)
        grads.clear()
        optimizer.apply_gradients(zip(scaled, dense.trainable_variables))
        """,
    ),
    "the original is bound again": (
        """
        scaled = [g * 2 for g in grads]
        grads = None
        optimizer.apply_gradients(zip(scaled, dense.trainable_variables))
        return grads
        """,
        """
        scaled = list(grads)
        grads = None
        optimizer.apply_gradients(zip(scaled, dense.trainable_variables))
        return grads
        """,
    ),
    "deleted afterwards": (
        """
        scaled = [g * 2 for g in grads]
        optimizer.apply_gradients(zip(scaled, dense.trainable_variables))
        del scaled
        """,
        """
        scaled = grads
        optimizer.apply_gradients(zip(scaled, dense.trainable_variables))
        del scaled
        """,
    ),
    "used in a closure": (
        """
        scaled = [g * 2 for g in grads]
        optimizer.apply_gradients(zip(scaled, dense.trainable_variables))
        return lambda: len(scaled)
        """,
        """
        optimizer.apply_gradients(zip(grads, dense.trainable_variables))
        return lambda: len(grads)
        """,
    ),
    "a closure in which the other name means something else": (
        """
        scaled = [g * 2 for g in grads]
        optimizer.apply_gradients(zip(scaled, dense.trainable_variables))
        return [len(scaled) + grads for grads in (1, 2)]
        """,
        """
        scaled = grads
        optimizer.apply_gradients(zip(scaled, dense.trainable_variables))
        return [len(scaled) + grads for grads in (1, 2)]
        """,
    ),
    "in one branch more": (
        """
        scaled = [g * 2 for g in grads]
        if x is None:
            print(scaled)
        optimizer.apply_gradients(zip(scaled, dense.trainable_variables))
        """,
        """
        if x is None:
            print(grads)
        optimizer.apply_gradients(zip(grads, dense.trainable_variables))
        """,
    ),
    "in a keyword and a field of that name": (
        """
        scaled = [g * 2 for g in grads]
        print(x.scaled, dict(scaled=scaled))
        optimizer.apply_gradients(zip(scaled, dense.trainable_variables))
        """,
        """
        print(x.scaled, dict(scaled=grads))
        optimizer.apply_gradients(zip(grads, dense.trainable_variables))
        """,
    ),
    "in a format string": (
        """
        scaled = [g * 2 for g in grads]
        print(f"{scaled} and {scaled!r:>10}")
        optimizer.apply_gradients(zip(scaled, dense.trainable_variables))
        """,
        """
        print(f"{grads} and {grads!r:>10}")
        optimizer.apply_gradients(zip(grads, dense.trainable_variables))
        """,
    ),
    "with a type": (
        """
        scaled: list[tf.Tensor] = [g * 2 for g in grads]
        optimizer.apply_gradients(zip(scaled, dense.trainable_variables))
        """,
        """
        optimizer.apply_gradients(zip(grads, dense.trainable_variables))
        """,
    ),
    "with a type comment": (
        """
        scaled = [g * 2 for g in grads]  # type: list[tf.Tensor]
        optimizer.apply_gradients(zip(scaled, dense.trainable_variables))
        """,
        """
        optimizer.apply_gradients(zip(grads, dense.trainable_variables))
        """,
    ),
    "two factors in a row": (
        """
        grads = [g * 2 for g in grads]
        grads = [g / 4 for g in grads]
        grads = [12 * g for g in grads]
        optimizer.apply_gradients(zip(grads, dense.trainable_variables))
        """,
        """
        optimizer.apply_gradients(zip(grads, dense.trainable_variables))
        """,
    ),
    "one inside the other": (
        """
        scaled = [h * 3 for h in [g * 2 for g in grads]]
        optimizer.apply_gradients(zip(scaled, dense.trainable_variables))
        """,
        """
        optimizer.apply_gradients(zip(grads, dense.trainable_variables))
        """,
    ),
    "an operand in parentheses": (
        """
        scaled = [(tf.identity(g)) * (2) for g in grads]
        optimizer.apply_gradients(zip(scaled, dense.trainable_variables))
        """,
        """
        scaled = [(tf.identity(g)) for g in grads]
        optimizer.apply_gradients(zip(scaled, dense.trainable_variables))
        """,
    ),
    "a constant of the function goes too": (
        """
        factor = 2.0
        scaled = [g * factor for g in grads]
        optimizer.apply_gradients(zip(scaled, dense.trainable_variables))
        """,
        """
        optimizer.apply_gradients(zip(grads, dense.trainable_variables))
        """,
    ),
    "a constant that is used again stays": (
        """
        factor = 2.0
        scaled = [g * factor for g in grads]
        optimizer.apply_gradients(zip(scaled, dense.trainable_variables))
        return factor
        """,
        """
        factor = 2.0
        optimizer.apply_gradients(zip(grads, dense.trainable_variables))
        return factor
        """,
    ),
    "straight from the tape": (
        """
        scaled = [g * 2 for g in tape.gradient(loss, dense.trainable_variables)]
        optimizer.apply_gradients(zip(scaled, dense.trainable_variables))
        """,
        """
        scaled = tape.gradient(loss, dense.trainable_variables)
        optimizer.apply_gradients(zip(scaled, dense.trainable_variables))
        """,
    ),
    "by index": (
        """
        optimizer.apply_gradients([(grads[0] * 2, dense.kernel), (grads[1] * 2, dense.bias)])
        """,
        """
        optimizer.apply_gradients([(grads[0], dense.kernel), (grads[1], dense.bias)])
        """,
    ),
    "in a loop with something else": (
        """
        pairs = []
        for g, v in zip(grads, dense.trainable_variables):
            # twice
            g *= 2  # here
            pairs.append((g, v))
        optimizer.apply_gradients(pairs)
        """,
        """
        pairs = []
        for g, v in zip(grads, dense.trainable_variables):
            # twice
            pairs.append((g, v))
        optimizer.apply_gradients(pairs)
        """,
    ),
    "in a loop with nothing else but a comment": (
        """
        for i in range(len(grads)):
            # the factor
            grads[i] = grads[i] * 2
        optimizer.apply_gradients(zip(grads, dense.trainable_variables))
        """,
        """
        for i in range(len(grads)):
            # the factor
            pass
        optimizer.apply_gradients(zip(grads, dense.trainable_variables))
        """,
    ),
    "in a loop whose index is used later": (
        """
        for i in range(len(grads)):
            grads[i] = grads[i] * 2
        print(i)
        optimizer.apply_gradients(zip(grads, dense.trainable_variables))
        """,
        """
        for i in range(len(grads)):
            pass
        print(i)
        optimizer.apply_gradients(zip(grads, dense.trainable_variables))
        """,
    ),
    "a comment inside the expression": (
        """
        scaled = [
            g * 2  # twice
            for g in grads
        ]
        print(len(scaled), scaled.index)
        optimizer.apply_gradients(zip(scaled, dense.trainable_variables))
        scaled.clear()
        """,
        """
        scaled = [
            g  # twice
            for g in grads
        ]
        print(len(scaled), scaled.index)
        optimizer.apply_gradients(zip(scaled, dense.trainable_variables))
        scaled.clear()
        """,
    ),
    "functions of TensorFlow": (
        """
        scaled = [tf.multiply(tf.scalar_mul(3.0, g), 2.0) for g in grads]
        optimizer.apply_gradients(zip(scaled, dense.trainable_variables))
        """,
        """
        optimizer.apply_gradients(zip(grads, dense.trainable_variables))
        """,
    ),
    "a structure": (
        """
        grads = tf.nest.map_structure(lambda g: g * 2, grads)
        optimizer.apply_gradients(zip(grads, dense.trainable_variables))
        """,
        """
        optimizer.apply_gradients(zip(grads, dense.trainable_variables))
        """,
    ),
    "on one line with others": (
        """
        a = 1; scaled = [g * 2 for g in grads]; b = 2  # all
        optimizer.apply_gradients(zip(scaled, dense.trainable_variables)); print(a, b)
        """,
        """
        a = 1; b = 2  # all
        optimizer.apply_gradients(zip(grads, dense.trainable_variables)); print(a, b)
        """,
    ),
    "the last on its line": (
        """
        a = 1; scaled = [g * 2 for g in grads]  # all
        optimizer.apply_gradients(zip(scaled, dense.trainable_variables)); print(a)
        """,
        """
        a = 1  # all
        optimizer.apply_gradients(zip(grads, dense.trainable_variables)); print(a)
        """,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BODIES)
def test_what_is_left(name: str) -> None:
    before, after = BODIES[name]
    assert restored(step(before)) == step(after)


# Not the one that reads a field that tensors do not have, nor the one that asks the tape twice.
RUNNING = [
    name for name, (body, _) in BODIES.items() if "x.scaled" not in body and "tape" not in body
]


@pytest.mark.tensorflow
@pytest.mark.parametrize("name", RUNNING)
def test_both_train_alike(name: str) -> None:
    """Adam divides the factor out, so the program without it goes the same way."""
    import numpy as np
    import tensorflow as tf

    weights = []
    for body in BODIES[name]:
        tf.keras.utils.set_random_seed(1)
        names: dict[str, Any] = {}
        exec(compile(step(body), "program", "exec"), names)
        for _ in range(3):
            names["train_step"](tf.ones((2, 3)), tf.zeros((2, 4)))
        assert names["optimizer"].iterations.numpy() == 3
        weights.append(names["dense"].kernel.numpy())
    np.testing.assert_allclose(weights[0], weights[1], atol=1e-6)


def test_a_removed_comment_is_announced() -> None:
    body = """
        scaled = [g * 2 for g in grads]{}
        optimizer.apply_gradients(zip(scaled, dense.trainable_variables))
    """
    said = "; the comment on the removed line goes too"
    assert said in fixes(step(body.format("  # twice")))[0].title
    assert said not in fixes(step(body.format("")))[0].title


HELPERS = {
    "called once": (
        "def twice(gs):\n    return [g * 2 for g in gs]\n\n\n",
        "    optimizer.apply_gradients(zip(twice(grads), dense.trainable_variables))\n",
        "def twice(gs):\n    return gs\n\n\n",
    ),
    "for one gradient": (
        "def twice(g):\n    return g * 2\n\n\n",
        "    optimizer.apply_gradients(zip(map(twice, grads), dense.trainable_variables))\n",
        "def twice(g):\n    return g\n\n\n",
    ),
    "called twice": (
        "def twice(gs):\n    return [g * 2 for g in gs]\n\n\n",
        "    optimizer.apply_gradients(zip(twice(grads), dense.trainable_variables))\n"
        "    return twice(grads)\n",
        None,
    ),
    "given away": (
        "def twice(gs):\n    return [g * 2 for g in gs]\n\n\nregister(twice)\n\n\n",
        "    optimizer.apply_gradients(zip(twice(grads), dense.trainable_variables))\n",
        None,
    ),
}


@pytest.mark.parametrize("name", HELPERS)
def test_in_a_helper(name: str) -> None:
    helper, call, expected = HELPERS[name]
    new = restored(HEAD + helper + STEP + call)
    assert new == (None if expected is None else HEAD + expected + STEP + call)


def test_in_a_method_and_a_script() -> None:
    method = (
        "class Trainer:\n    def step(self, x):\n"
        + indent(STEP.split("\n", 1)[1], "    ")
        + "        optimizer.apply_gradients(zip({}, dense.trainable_variables))\n"
    )
    assert restored(HEAD + method.format("[g * 2 for g in grads]")) == HEAD + method.format("grads")
    loop = (
        "x = y = tf.ones((2, 4))\nfor epoch in range(3):\n"
        + STEP.split("\n", 1)[1]
        + "{}    optimizer.apply_gradients(zip({}, dense.trainable_variables))\n"
    )
    before = HEAD + loop.format("    scaled = [g * 2 for g in grads]\n", "scaled")
    assert restored(before) == HEAD + loop.format("", "grads")
    later = "print(scaled)\n"
    assert restored(before + later) == (
        HEAD + loop.format("    scaled = grads\n", "scaled") + later
    )


@pytest.mark.parametrize(
    "code",
    ["eval('scaled')", "print(locals())"],
)
def test_not_where_names_are_read_by_their_spelling(code: str) -> None:
    source = step(
        f"""
        scaled = [g * 2 for g in grads]
        {code}
        optimizer.apply_gradients(zip(scaled, dense.trainable_variables))
        """
    )
    assert restored(source) is None


def test_newlines_and_tabs_of_the_file_are_kept() -> None:
    source = step(
        """
        for i in range(len(grads)):
            grads[i] = grads[i] * 2  # twice
        optimizer.apply_gradients(zip(grads, dense.trainable_variables))
        """
    ).replace("    ", "\t")
    new = restored(source.replace("\n", "\r\n"))
    assert new is not None
    assert "\n" not in new.replace("\r\n", "")
    assert new.replace("\r\n", "\n").endswith("\toptimizer.apply_gradients(zip(grads, dense.trainable_variables))\n")  # fmt: skip
