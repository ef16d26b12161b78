"""Which words stand next to an edit, and so may state an intent."""

from __future__ import annotations

import pytest

from tests.pages import lint

FENCE = """```python
import tensorflow as tf
layer = tf.keras.layers.Dense(1)
optimizer = tf.keras.optimizers.Ftrl()

def step(x, y):
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean((layer(x) - y) ** 2)
    grads = tape.gradient(loss, layer.trainable_variables)
    grads = [g * 2 for g in grads]
    optimizer.apply_gradients(zip(grads, layer.trainable_variables))
```
"""
OTHER = "```python\nimport tensorflow as tf\nx = tf.ones(3)\n```\n"
SAYS = "Here we double the derivative of the activation.\n"


def found(page: str) -> bool:
    codes = [code for _, _, code in lint(page, "markdown")]
    assert codes in ([], ["LK101"])
    return bool(codes)


@pytest.mark.parametrize(
    "page",
    [
        f"{SAYS}\n{FENCE}",
        f"{SAYS}\nThen the code.\n\n{FENCE}",
        f"- an item\n- {SAYS}\n{FENCE}",
        f"# Changing the derivative of an activation\n\n{FENCE}",
        f"# Changing the derivative of an activation\n\nFirst this:\n\n{OTHER}\nThen\n\n{FENCE}",
        f"Look:\n\n{FENCE}\nThis doubles the derivative of the activation.\n",
        f"The *derivative* of the `relu` is **doubled** here.\n\n{FENCE}",
        FENCE.replace("grads]\n", "grads]  # double the derivative of the activation\n"),
        FENCE.replace(
            "    grads = [g", "    # double the\n    # derivative of relu\n    grads = [g"
        ),
        FENCE.replace("def step", "def double_relu_derivative"),
        FENCE.replace("y):\n", 'y):\n    """Doubles the derivative of the relu."""\n'),
    ],
)
def test_what_is_read(page: str) -> None:
    assert found(page)


@pytest.mark.parametrize(
    "page",
    [
        FENCE,
        f"{SAYS}\n{OTHER}\n{FENCE}",
        f"> {SAYS}\n{FENCE}",
        f"# Changing the derivative of an activation\n\n# Training\n\n{FENCE}",
        f"{FENCE}\nNothing more.\n\nThis doubles the derivative of the activation.\n",
        f"{FENCE}\n# The next part\n\nThis doubles the derivative of the activation.\n",
        f"Do we double the derivative of the activation here?\n\n{FENCE}",
        f'They wrote "here we double the derivative of the activation".\n\n{FENCE}',
        f"---\ntitle: Here we double the derivative of the activation\n---\n\n{FENCE}",
        FENCE.replace(
            "    loss =", "    # double the derivative of the activation\n        loss ="
        ),
        FENCE.replace("    grads = [g", "    # double the derivative of relu\n\n    grads = [g"),
        FENCE.replace("```python\n", "```python\n# double the derivative of the activation\n", 1),
    ],
)
def test_what_is_not(page: str) -> None:
    assert not found(page)


def test_the_comment_behind_a_function_of_one_line() -> None:
    lines = FENCE.splitlines()[1:-1]
    scale = "def scale(grads): return [g * 2 for g in grads]  # double the derivative of the relu"
    edit = lines.index("    grads = [g * 2 for g in grads]")
    lines[edit] = "    grads = scale(grads)"
    source = "\n".join([*lines[:4], scale, *lines[4:], ""])
    assert [(line, code) for line, _, code in lint(source, "python")] == [(5, "LK101")]
