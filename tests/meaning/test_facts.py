"""Facts about tapes, layers and backward passes."""

from __future__ import annotations

import libcst as cst
import pytest

from lintkeras.meaning.differentiation import connection, sources
from lintkeras.meaning.facts import (
    BackwardPass,
    Facts,
    LayerClass,
    ModelTrained,
    ObjectMade,
    TapeUse,
)
from lintkeras.meaning.interpreter import Interpreter
from lintkeras.meaning.values import Computed, Weight

HEAD = """
import numpy as np
import tensorflow as tf
model = tf.keras.Sequential([tf.keras.layers.Dense(1)])
"""


def facts_of(source: str) -> Facts:
    return Interpreter().run([cst.parse_module(source)], len(source))


def reaches(body: str) -> tuple[bool | None, list[str]]:
    """Whether the first gradient call's target is connected, and why not."""
    facts = facts_of(HEAD + body)
    use = next(facts.all(TapeUse))
    found = connection(
        use.target,
        sources(use.entries),
        lambda term: facts.recorded(term.node, use.tape),
    )
    return found.reaches, list(dict.fromkeys(cut.reason for cut in found.cuts))


STEP = """
def step(x, y):
{before}    with tf.GradientTape() as tape:
{inside}
{after}    return tape.gradient(loss, model.trainable_variables)
"""


@pytest.mark.parametrize(
    ("before", "inside", "after", "expected"),
    [
        ("", "loss = tf.reduce_mean(model(x) - y)", "", (True, [])),
        ("", "p = model(x)", "loss = tf.reduce_mean(p - y)", (False, ["outside"])),
        ("", "p = tf.reduce_mean(model(x))", "loss = tf.cast(p, y.dtype)", (True, [])),
        ("", "p = tf.reduce_mean(model(x))", "loss = tf.convert_to_tensor(p)", (True, [])),
        ("", "p = model(x)", "loss = tf.sqrt(tf.cast(p, y.dtype))", (False, ["outside"])),
        ("p = model(x)", "loss = tf.reduce_mean(p - y)", "", (False, ["outside"])),
        ("", "loss = tf.reduce_mean(model(x).numpy() - y)", "", (False, ["numpy"])),
        ("", "loss = tf.constant(np.mean(model(x)))", "", (False, ["constant", "numpy"])),
        ("", "loss = tf.reduce_mean(model.predict(x) - y)", "", (False, ["predict"])),
        ("", "loss = tf.reduce_mean(tf.argmax(model(x), 1))", "", (False, ["none"])),
        ("", "loss = tf.reduce_mean(tf.cast(model(x), tf.int32))", "", (False, ["none"])),
        ("", "loss = tf.reduce_mean(tf.cast(model(x), tf.float32))", "", (True, [])),
        ("", "loss = tf.reduce_mean(tf.stop_gradient(model(x)) * model(x))", "", (True, [])),
        ("", "loss = helper(model(x))", "", (None, [])),
        ("", "loss = tf.keras.losses.MeanSquaredError()(y, model(x))", "", (True, [])),
        ("", "with tape.stop_recording():\n            p = model(x)\n        loss = p * 2", "",
         (False, ["outside"])),
    ],
)  # fmt: skip
def test_connections(
    before: str, inside: str, after: str, expected: tuple[bool | None, list[str]]
) -> None:
    body = STEP.format(
        before=f"    {before}\n" if before else "",
        inside=f"        {inside}",
        after=f"    {after}\n" if after else "",
    )
    assert reaches(body) == expected


def test_tape_uses() -> None:
    source = """
def f(x):
    with tf.GradientTape() as outer:
        with tf.GradientTape(persistent=True) as inner:
            inner.watch(x)
            y = x * x
            inside = inner.gradient(y, x)
        first = inner.gradient(y, x)
    helper(outer)
    return outer.gradient(first, x)
"""
    inside, first, second = facts_of(HEAD + source).all(TapeUse)
    assert (inside.recording, len(inside.others)) == (True, 1)
    assert (first.recording, len(first.others)) == (False, 1)
    assert len(inside.watched.entries) == 1
    assert (second.recording, second.others, second.certain) == (False, (), False)
    assert second.watched.entries == ()
    assert inside.certain


def test_backward_passes() -> None:
    source = """
@tf.custom_gradient
def f(x, k):
    def grad(upstream, variables=None):
        return upstream * k, None
    return tf.sign(x), grad

class Layer(tf.keras.layers.Layer):
    @tf.custom_gradient
    def quantize(self, x):
        return tf.round(x), lambda upstream: upstream

    def call(self, inputs):
        return self.quantize(inputs)
"""
    f, method = facts_of(HEAD + source).all(BackwardPass)
    ((value, grad),) = [pair for pair in f.pairs if pair]
    assert isinstance(value, Computed)
    assert [p.name.value for p in f.inputs] == ["x", "k"]
    assert grad is not None
    assert [name for name, _ in grad.parameters] == ["upstream", "variables"]
    assert [p.name.value for p in method.inputs] == ["x"]


def test_layer_classes() -> None:
    source = """
class Base(tf.keras.layers.Layer):
    def build(self, shape):
        self.w = self.add_weight(shape=(1,), trainable=False)
        self.v = self.add_weight(shape=(1,))

class Own(Base):
    def call(self, x):
        return x * self.w + self.v

class Other:
    def call(self, x):
        return x
"""
    base, own = facts_of(HEAD + source).all(LayerClass)
    assert base.bases == own.bases == ("keras.layers.Layer",)
    weights = [value for _, value in own.attributes if isinstance(value, Weight)]
    assert [weight.trainable for weight in weights] == [False, True]
    assert own.call is not None
    assert isinstance(own.call.results[0], Computed)
    assert base.call is None


def test_training_and_objects() -> None:
    source = """
for epoch in range(3):
    optimizer = tf.keras.optimizers.Adam()
model.compile("adam", "mse")
model.fit(x, y)
"""
    facts = facts_of(HEAD + source)
    assert [group[0].instance.class_name for group in facts.groups(ObjectMade)] == [
        "keras.layers.Dense", "keras.models.Sequential", "keras.optimizers.Adam",
    ]  # fmt: skip
    assert [len(group[0].loops) for group in facts.groups(ObjectMade)] == [0, 0, 1]
    assert [trained.method for trained in facts.all(ModelTrained)] == ["fit"]
