"""LK101's fix, on pages and programs of our own, proven in TensorFlow."""

from __future__ import annotations

from typing import Any

import pytest

from lintkeras import engine
from lintkeras.fixes import Choice, Consent, Fixed, fix
from lintkeras.rulebook import load

CODES = load().select(["ALL"])

PAGE = """# Changing a derivative

```python
import tensorflow as tf
model = tf.keras.Sequential([tf.keras.layers.Dense(4, activation="relu")])
```

Now the experiment:

```python
import tensorflow as tf
from tensorflow.keras import layers

tf.keras.utils.set_random_seed(1)
# the layer
dense = layers.Dense(1)
optimizer = tf.keras.optimizers.Adam(learning_rate=0.01)
x = tf.constant([[1.0], [2.0]])
y = tf.constant([[2.0], [4.0]])

def train_step(x, y):
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        loss = tf.reduce_mean((dense(x) - y) ** 2)
    gradients = tape.gradient(loss, dense.trainable_variables)
    # keep this comment
    changed = [g * 2 for g in gradients]  # double the derivative of the activation
    optimizer.apply_gradients(zip(changed, dense.trainable_variables))
    return loss, tape.gradient(loss, x)

loss, dx = train_step(x, y)
```

The end.
"""

AUTOENCODER = """import tensorflow as tf

tf.keras.utils.set_random_seed(2)
encoder = tf.keras.layers.Dense(3, activation="relu")
optimizer = tf.keras.optimizers.SGD(0.1)
x = tf.constant([[1.0, -2.0]])


def train_step(x):
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        loss = tf.reduce_sum(encoder(x) ** 2)
    z = tf.matmul(x, encoder.kernel)
    grads = tape.gradient(loss, encoder.trainable_variables)
    # backward pass with the derivative of tanh instead of relu
    grads = [g * (1 - tf.tanh(z) ** 2) for g in grads]
    optimizer.apply_gradients(zip(grads, encoder.trainable_variables))
    return z, tape.gradient(loss, x)
"""


def fixed(text: str, kind: str, **choose: str) -> str:
    name = "page.md" if kind == "markdown" else "x.py"
    consent = Consent(True, tuple(Choice(rule, form) for rule, form in choose.items()))

    def lint(data: bytes) -> engine.FileReport:
        return engine.lint(name, data, kind, CODES)

    fixed = fix(text.encode(), consent, lint)
    assert (fixed.made, fixed.troubles) == (1, ())
    assert fix(fixed.data, consent, lint) == Fixed(fixed.data)
    assert lint(fixed.data).findings == ()
    return fixed.data.decode()


def run(source: str) -> dict[str, Any]:
    names: dict[str, Any] = {}
    exec(compile(source, "example", "exec"), names)
    return names


def third(page: str) -> str:
    return page.split("```python\n")[2].split("```")[0]


def test_nothing_outside_the_fence_changes() -> None:
    new = fixed(PAGE, "markdown")
    assert new.replace(third(new), "") == PAGE.replace(third(PAGE), "")
    assert "# keep this comment" in new
    assert "zip(gradients, dense.trainable_variables)" in new
    assert "changed" not in third(new)


@pytest.mark.tensorflow
@pytest.mark.parametrize("form", ["custom-gradient", "stop-gradient"])
def test_the_backward_pass_is_doubled_inside_the_layer(form: str) -> None:
    before = run(third(PAGE))
    after = run(third(fixed(PAGE, "markdown", LK101=form)))
    assert before["loss"].numpy() == after["loss"].numpy()
    assert (after["dx"].numpy() == 2 * before["dx"].numpy()).all()


@pytest.mark.tensorflow
def test_relu_forward_with_the_derivative_of_tanh() -> None:
    import tensorflow as tf

    names = run(fixed(AUTOENCODER, "python"))
    kernel, x = None, names["x"]
    names["encoder"].build(x.shape)
    kernel = tf.identity(names["encoder"].kernel)
    z, dx = names["train_step"](x)
    z = tf.matmul(x, kernel)
    expected = tf.matmul(2 * tf.nn.relu(z) * (1 - tf.tanh(z) ** 2), kernel, transpose_b=True)
    tf.debugging.assert_near(dx, expected, atol=1e-6)
