"""The same model in every style in which it can be built: what is known of it is the same."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from dataclasses import dataclass, replace

import libcst as cst
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lintkeras.checks.heads import rule_of
from lintkeras.meaning.facts import CompiledModel
from lintkeras.meaning.interpreter import Interpreter
from lintkeras.syntax.stack import run_with_deep_stack

HEAD = """\
import functools
import keras
import tensorflow as tf
from keras import layers
from tensorflow.keras.layers import Dense as D
"""
ACTIVATIONS = (None, "softmax", "sigmoid", "relu", "tanh")
HIDDEN = (None, "relu", "tanh", "sigmoid")
LOSSES = ("binary_crossentropy", "categorical_crossentropy", "sparse_categorical_crossentropy",
          "mean_squared_error")  # fmt: skip
CLASSES = {"binary_crossentropy": "BinaryCrossentropy",
           "categorical_crossentropy": "CategoricalCrossentropy",
           "sparse_categorical_crossentropy": "SparseCategoricalCrossentropy",
           "mean_squared_error": "MeanSquaredError"}  # fmt: skip


@dataclass(frozen=True)
class Spec:
    """A stack of dense layers, the last activation, the loss."""

    hidden: tuple[tuple[int, str | None], ...]
    units: int
    activation: str | None
    loss: str
    from_logits: bool

    def expected(self) -> tuple[str, int, str, bool]:
        """What there is to know."""
        return self.activation or "linear", self.units, self.loss, self.from_logits


specs = st.builds(
    Spec,
    st.lists(st.tuples(st.sampled_from((8, 16)), st.sampled_from(HIDDEN)), max_size=3).map(tuple),
    st.sampled_from((1, 2, 5)),
    st.sampled_from(ACTIVATIONS),
    st.sampled_from(LOSSES),
    st.booleans(),
).map(lambda s: replace(s, from_logits=s.from_logits and s.loss != "mean_squared_error"))


# ------------------------------------------------------------------ one layer, in many spellings

Layer = tuple[int, str | None]


def as_argument(layer: Layer) -> list[str]:
    return [f"layers.Dense({layer[0]}, activation={layer[1]!r})"]


def by_position(layer: Layer) -> list[str]:
    return [f"D({layer[0]}, {layer[1]!r})"]


def as_function(layer: Layer) -> list[str]:
    name = f"keras.activations.{layer[1]}" if layer[1] else "keras.activations.linear"
    return [f"keras.layers.Dense(units={layer[0]}, activation={name})"]


def of_tensorflow(layer: Layer) -> list[str]:
    return [f"D({layer[0]}, activation={f'tf.nn.{layer[1]}' if layer[1] else 'None'})"]


def as_lambda(layer: Layer) -> list[str]:
    body = f"keras.ops.{layer[1]}(t)" if layer[1] else "t"
    return [f"layers.Dense({layer[0]}, activation=lambda t: {body})"]


def as_layer(layer: Layer) -> list[str]:
    return [f"layers.Dense({layer[0]})", f"layers.Activation({layer[1] or 'linear'!r})"]


def as_class(layer: Layer) -> list[str]:
    classes = {"softmax": "layers.Softmax()", "relu": "layers.ReLU()"}
    other = f"layers.Activation(keras.activations.{layer[1] or 'linear'})"
    return [f"layers.Dense({layer[0]})", classes.get(layer[1] or "", other)]


def as_lambda_layer(layer: Layer) -> list[str]:
    body = f"tf.nn.{layer[1]}(t)" if layer[1] else "tf.identity(t)"
    return [f"layers.Dense({layer[0]})", f"layers.Lambda(lambda t: {body})"]


SPELLINGS: tuple[Callable[[Layer], list[str]], ...] = (
    as_argument, by_position, as_function, of_tensorflow, as_lambda, as_layer, as_class,
    as_lambda_layer,
)  # fmt: skip


# ------------------------------------------------------------------ one model, in many styles


def listed(parts: list[str]) -> str:
    return f"model = keras.Sequential([keras.Input((4,)), {', '.join(parts)}])"


def added(parts: list[str]) -> str:
    return "\n".join(["model = keras.Sequential()", *(f"model.add({part})" for part in parts)])


def in_a_loop(parts: list[str]) -> str:
    return f"model = keras.Sequential()\nfor part in [{', '.join(parts)}]:\n    model.add(part)"


def comprehended(parts: list[str]) -> str:
    makers = ", ".join(f"lambda: {part}" for part in parts)
    return f"model = keras.Sequential([make() for make in ({makers},)])"


def chained(parts: list[str]) -> str:
    lines = ["x = inputs = keras.Input((4,))", *(f"x = {part}(x)" for part in parts)]
    return "\n".join([*lines, "model = keras.Model(inputs, x)"])


def looped(parts: list[str]) -> str:
    return textwrap.dedent(f"""\
        inputs = keras.Input((4,))
        x = inputs
        for part in ({", ".join(parts)},):
            x = part(x)
        model = keras.Model(inputs=[inputs], outputs=[x])""")


def reduced(parts: list[str]) -> str:
    nested = "inputs"
    for part in parts:
        nested = f"{part}({nested})"
    return f"inputs = keras.Input((4,))\nmodel = keras.Model(inputs, {nested})"


def subclassed(parts: list[str]) -> str:
    made = "\n".join(f"        self.part{n} = {part}" for n, part in enumerate(parts))
    called = "\n".join(f"        x = self.part{n}(x)" for n in range(len(parts)))
    return (
        "class Mine(keras.Model):\n    def __init__(self):\n        super().__init__()\n"
        f"{made}\n\n    def call(self, x, training=None):\n{called}\n        return x\n\n\n"
        "model = Mine()"
    )


def nested(parts: list[str]) -> str:
    return (
        f"inner = keras.Sequential([{', '.join(parts)}])\ninputs = keras.Input((4,))\n"
        "model = keras.Model(inputs, inner(inputs))"
    )


def split(parts: list[str]) -> str:
    return (
        f"first = keras.Sequential([{', '.join(parts[:-1])}])\n"
        f"model = keras.Sequential([first, {parts[-1]}])"
    )


def built(parts: list[str]) -> str:
    lines = ["x = inputs", *(f"x = {part}(x)" for part in parts)]
    body = textwrap.indent("\n".join(lines), "    ")
    return (
        f"def build(size):\n    inputs = keras.Input((size,))\n{body}\n"
        "    return keras.Model(inputs, x)\n\n\nmodel = build(4)"
    )


def held(parts: list[str]) -> str:
    return f"{listed(parts)}\nmodels = {{'one': [model]}}\nmodel = models['one'][0]"


def owned(parts: list[str]) -> str:
    return (
        "class Agent:\n    def __init__(self):\n"
        f"        self.network = keras.Sequential([{', '.join(parts)}])\n\n\n"
        "model = Agent().network"
    )


def cloned(parts: list[str]) -> str:
    return f"{listed(parts)}\nmodel = keras.models.clone_model(model)"


def branched(parts: list[str]) -> str:
    return (
        f"if deep:\n{textwrap.indent(listed(parts), '    ')}\n"
        f"else:\n{textwrap.indent(added(parts), '    ')}"
    )


STYLES: tuple[Callable[[list[str]], str], ...] = (
    listed, added, in_a_loop, comprehended, chained, looped, reduced, subclassed, nested, split,
    built, held, owned, cloned, branched,
)  # fmt: skip


# ------------------------------------------------------------------ one loss, in many spellings


def by_string(spec: Spec) -> str:
    if spec.from_logits:
        return by_object(spec)
    return f"model.compile('adam', {spec.loss!r})"


def by_object(spec: Spec) -> str:
    flag = "from_logits=True" if spec.from_logits else ""
    return f"loss = keras.losses.{CLASSES[spec.loss]}({flag})\nmodel.compile(loss=loss)"


def by_function(spec: Spec) -> str:
    function = f"keras.losses.{spec.loss}"
    if spec.from_logits:
        function = f"functools.partial({function}, from_logits=True)"
    return f"model.compile(loss=[{function}], metrics=['accuracy'])"


def by_lambda(spec: Spec) -> str:
    flag = ", from_logits=True" if spec.from_logits else ""
    return f"model.compile(loss=lambda y, p: tf.keras.losses.{spec.loss}(y, p{flag}))"


COMPILED: tuple[Callable[[Spec], str], ...] = (by_string, by_object, by_function, by_lambda)


def known(program: str) -> set[tuple[str | None, int | None, str, bool | None]]:
    """What is known of the outputs and losses that a program compiles."""

    def run() -> list[CompiledModel]:
        interpreter = Interpreter()
        return list(interpreter.run([cst.parse_module(program)], len(program)).all(CompiledModel))

    return {
        (output.activation, output.units, loss.name, loss.from_logits)
        for fact in run_with_deep_stack(run)
        for head in fact.heads
        for output in head.outputs
        for loss in head.losses
    }


@settings(max_examples=150, deadline=None)
@given(
    specs,
    st.sampled_from(SPELLINGS),
    st.sampled_from(SPELLINGS),
    st.sampled_from(STYLES),
    st.sampled_from(COMPILED),
)
def test_the_same_model_in_every_style(
    spec: Spec,
    hidden: Callable[[Layer], list[str]],
    last: Callable[[Layer], list[str]],
    style: Callable[[list[str]], str],
    compiled: Callable[[Spec], str],
) -> None:
    parts = [part for layer in spec.hidden for part in hidden(layer)]
    parts += last((spec.units, spec.activation))
    program = f"{HEAD}\n{style(parts)}\n{compiled(spec)}\n"
    assert known(program) == {spec.expected()}, program


@pytest.mark.parametrize("style", STYLES, ids=lambda s: s.__name__)
@pytest.mark.parametrize("spelling", SPELLINGS, ids=lambda s: s.__name__)
def test_every_style_once(
    style: Callable[[list[str]], str], spelling: Callable[[Layer], list[str]]
) -> None:
    spec = Spec(((8, "relu"),), 3, "sigmoid", "categorical_crossentropy", False)
    parts = [*spelling((8, "relu")), *spelling((3, "sigmoid"))]
    program = f"{HEAD}\n{style(parts)}\n{by_string(spec)}\n"
    assert known(program) == {spec.expected()}, program


@pytest.mark.parametrize(
    ("activation", "units", "loss", "from_logits", "rule"),
    [
        ("softmax", 1, "binary_crossentropy", False, "LK201"),
        ("softmax", 3, "binary_crossentropy", False, "LK202"),
        ("sigmoid", 3, "sparse_categorical_crossentropy", False, "LK203"),
        (None, 3, "categorical_crossentropy", False, "LK204"),
        ("softmax", 3, "categorical_crossentropy", True, "LK205"),
        ("sigmoid", 1, "categorical_crossentropy", False, "LK206"),
        ("relu", 3, "categorical_crossentropy", False, "LK207"),
        ("softmax", 3, "mean_squared_error", False, "LK217"),
        (None, 1, "binary_crossentropy", False, None),
        (None, 3, "sparse_categorical_crossentropy", True, None),
        ("softmax", 3, "sparse_categorical_crossentropy", False, None),
        ("sigmoid", 1, "binary_crossentropy", False, None),
        ("relu", 1, "mean_squared_error", False, None),
    ],
)
def test_the_verdict(
    activation: str | None, units: int, loss: str, from_logits: bool, rule: str | None
) -> None:
    spec = Spec((), units, activation, loss, from_logits)
    program = f"{HEAD}\n{listed(as_argument((units, activation)))}\n{by_object(spec)}\n"

    def run() -> set[str | None]:
        facts = Interpreter().run([cst.parse_module(program)], len(program))
        heads = [head for fact in facts.all(CompiledModel) for head in fact.heads]
        return {rule_of(o, one) for h in heads for o in h.outputs for one in h.losses}

    assert run_with_deep_stack(run) == {rule}
