"""What is said about a factor on all gradients: the sentences, and that training agrees."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

from lintkeras.checks.optimizers import STEP_RULES, Optimizer, effect
from lintkeras.meaning.values import UNKNOWN, Arguments, Const

FACTORS = (0.001, 0.5, 1.0, 2.0, 10.0)


def optimizer(name: str, **arguments: object) -> Optimizer:
    shown = ", ".join(f"{key}={value}" for key, value in arguments.items())
    keywords = tuple((key, Const(value)) for key, value in arguments.items())
    return Optimizer(name.lower(), f"{name}({shown})", Arguments((), keywords))


# Every class of Keras, and every argument that changes what is said.
TABLE: tuple[tuple[str, dict[str, Any]], ...] = (
    ("SGD", {}),
    ("SGD", {"learning_rate": 0.05}),
    ("SGD", {"learning_rate": 0.02, "momentum": 0.9, "nesterov": True}),
    ("SGD", {"learning_rate": 0.05, "weight_decay": 0.1}),
    ("SGD", {"learning_rate": 0.05, "clipnorm": 0.3}),
    ("SGD", {"learning_rate": 0.05, "global_clipnorm": 0.3, "weight_decay": 0.1}),
    ("SGD", {"learning_rate": 0.05, "clipvalue": 0.05}),
    ("Adam", {"learning_rate": 0.01}),
    ("Adam", {"learning_rate": 0.01, "epsilon": 1e-5}),
    ("Adam", {"learning_rate": 0.01, "epsilon": 1.0}),
    ("Adam", {"learning_rate": 0.01, "clipnorm": 0.3}),
    ("AdamW", {"learning_rate": 0.01, "weight_decay": 0.1}),
    ("Nadam", {"learning_rate": 0.01}),
    ("Adamax", {"learning_rate": 0.01}),
    ("Lamb", {"learning_rate": 0.01}),
    ("RMSprop", {"learning_rate": 0.01}),
    ("RMSprop", {"learning_rate": 0.01, "momentum": 0.9}),
    ("Adadelta", {"learning_rate": 1.0}),
    ("Adafactor", {"learning_rate": 0.01}),
    ("Lion", {"learning_rate": 0.01}),
    ("Lion", {"learning_rate": 0.01, "clipnorm": 0.3}),
    ("Muon", {"learning_rate": 0.01}),
    ("Adagrad", {"learning_rate": 0.1}),
    ("Adagrad", {"learning_rate": 0.1, "initial_accumulator_value": 0.5}),
    ("Ftrl", {"learning_rate": 0.1}),
)
IDS = [f"{name}-{'-'.join(map(str, arguments))}" for name, arguments in TABLE]


@pytest.mark.parametrize(
    ("name", "arguments", "factor", "expected"),
    [
        ("SGD", {"learning_rate": 0.1}, 2, "it is the same as learning_rate=0.2 instead of 0.1"),
        ("SGD", {}, 0.5, "it is the same as learning_rate=0.005 instead of 0.01"),
        (
            "SGD",
            {"learning_rate": 0.1, "weight_decay": 0.01, "clipnorm": 1},
            2,
            "it is the same as learning_rate=0.2 instead of 0.1, weight_decay=0.005 instead of "
            "0.01 and clipnorm=0.5 instead of 1",
        ),
        (
            "Adam",
            {"learning_rate": 0.01},
            2,
            "a constant factor cancels: m -> 2 m, sqrt(v) -> 2 sqrt(v), only epsilon becomes "
            "epsilon/2",
        ),
        (
            "Adam",
            {"clipnorm": 1.0},
            4,
            "a constant factor cancels: m -> 4 m, sqrt(v) -> 4 sqrt(v), only epsilon becomes "
            "epsilon/4; what remains is the same as clipnorm=0.25 instead of 1",
        ),
        ("Adam", {"epsilon": 1.0}, 2, "it is the same as epsilon=0.5 instead of 1"),
        ("Adam", {}, 0.001, "it is the same as epsilon times 1000"),
        ("AdamW", {}, 1, "a factor of 1 changes nothing"),
        (
            "RMSprop",
            {},
            10,
            "a constant factor cancels: g -> 10 g, sqrt(v) -> 10 sqrt(v), only epsilon becomes "
            "epsilon/100",
        ),
        ("RMSprop", {}, 0.5, "it is the same as epsilon times 4"),
        (
            "Lion",
            {},
            2,
            "a constant factor cancels: only the sign of the momentum counts",
        ),
        (
            "Adagrad",
            {},
            2,
            "it is the same as initial_accumulator_value divided by 4 and epsilon divided by 4",
        ),
        ("Ftrl", {"clipnorm": 1.0}, 2, "it can change the size of the step, not any derivative"),
        ("LossScaleOptimizer", {}, 2, "it can change the size of the step, not any derivative"),
    ],
)
def test_sentences(name: str, arguments: dict[str, Any], factor: float, expected: str) -> None:
    one = optimizer(name, **arguments)
    assert effect(one, factor).text == f"with {one.text} {expected}"


def test_an_optimizer_that_is_not_known() -> None:
    assert effect(None, 2).verdict is None
    assert "Adam" in effect(None, 2).text


def test_a_learning_rate_that_is_not_a_number() -> None:
    scheduled = Optimizer("sgd", "SGD(schedule)", Arguments((UNKNOWN,)))
    assert effect(scheduled, 3).text.endswith("the same as learning_rate times 3")


def test_positional_arguments_count() -> None:
    numbers = tuple(Const(number) for number in (0.001, 0.9, 0.999, 1.0))
    assert effect(Optimizer("adam", "Adam(...)", Arguments(numbers)), 2).verdict is None


def test_an_epsilon_that_is_not_a_number_may_count() -> None:
    unknown = Optimizer("adam", "Adam(...)", Arguments((), (("epsilon", UNKNOWN),)))
    assert effect(unknown, 2).verdict is None


def test_the_old_name_of_the_learning_rate() -> None:
    assert effect(optimizer("SGD", lr=0.1), 2).text.endswith("learning_rate=0.2 instead of 0.1")


@pytest.mark.parametrize(("name", "arguments"), TABLE, ids=IDS)
@pytest.mark.parametrize("factor", FACTORS)
def test_sentences_are_whole(name: str, arguments: dict[str, Any], factor: float) -> None:
    found = effect(optimizer(name, **arguments), factor)
    assert found.text.startswith(f"with {name}(")
    assert not found.text.endswith((".", " ", ":", "and", "as"))
    assert "None" not in found.text and "{" not in found.text
    # What is the same with other arguments says which, and only of arguments that act.
    for clip in ("clipnorm", "clipvalue", "global_clipnorm"):
        if clip not in arguments:
            assert f" {clip}" not in found.text


# ------------------------------------------------------------------ what training says


@cache
def trained(name: str, arguments: tuple[tuple[str, Any], ...], factor: float) -> Any:
    """By how much 8 steps move the weights of a small network."""
    import keras
    import numpy as np
    import tensorflow as tf

    keras.utils.set_random_seed(3)
    numbers = np.random.default_rng(0)
    x = tf.constant(numbers.normal(size=(16, 5)), tf.float32)
    y = tf.constant(numbers.normal(size=(16, 3)), tf.float32)
    layer = keras.layers.Dense(3, bias_initializer="ones")
    layer.build((None, 5))
    before = [v.numpy() for v in layer.trainable_variables]
    chosen = getattr(keras.optimizers, name)(**dict(arguments))
    for _ in range(8):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean((layer(x) - y) ** 2)
        gradients = tape.gradient(loss, layer.trainable_variables)
        scaled = [factor * g for g in gradients]
        chosen.apply_gradients(zip(scaled, layer.trainable_variables, strict=True))
    moved = zip(layer.trainable_variables, before, strict=True)
    return np.concatenate([np.ravel(v.numpy() - w) for v, w in moved])


def distance(one: Any, other: Any) -> float:
    import numpy as np

    return float(np.linalg.norm(one - other) / np.linalg.norm(other))


@pytest.mark.tensorflow
@pytest.mark.parametrize(("name", "arguments"), TABLE, ids=IDS)
@pytest.mark.parametrize("factor", [k for k in FACTORS if k != 1])
def test_training_agrees(name: str, arguments: dict[str, Any], factor: float) -> None:
    import keras

    plain = tuple(arguments.items())
    found = effect(optimizer(name, **arguments), factor)
    scaled = trained(name, plain, factor)
    if found.verdict == "cancels" and "what remains" not in found.text:
        assert distance(scaled, trained(name, plain, 1.0)) < (0.01 if name == "Adadelta" else 1e-3)
    if found.verdict == "rescales" and not any("clip" in argument for argument in arguments):
        assert distance(scaled, trained(name, plain, 1.0)) > 0.1
    if found.changed is not None:
        config = getattr(keras.optimizers, name)(**arguments).get_config()
        others = {
            key: config[key] * times
            for key, times in found.changed.items()
            if config.get(key) is not None
        }
        equal = trained(name, tuple({**arguments, **others}.items()), 1.0)
        assert distance(scaled, equal) < 2e-4


@pytest.mark.tensorflow
def test_parameters_stand_where_keras_has_them() -> None:
    import inspect

    import keras

    classes = {name.lower(): value for name, value in vars(keras.optimizers).items()}
    for name, rule in STEP_RULES.items():
        parameters = list(inspect.signature(classes[name].__init__).parameters.values())[1:]
        assert tuple(p.name for p in parameters[: len(rule.parameters)]) == rule.parameters
        assert parameters[0].default == rule.rate


@pytest.mark.tensorflow
@pytest.mark.parametrize("name", sorted(STEP_RULES))
def test_steps_of_rectified_gradients_raise_no_weight(name: str) -> None:
    import keras
    import numpy as np
    import tensorflow as tf

    if not STEP_RULES[name].keeps_signs:
        return
    classes = {key.lower(): value for key, value in vars(keras.optimizers).items()}
    chosen = classes[name](0.1)
    weight = keras.Variable(np.linspace(-1.0, 1.0, 12).reshape(4, 3).astype("float32"))
    if name == "adamw":
        chosen.weight_decay = None
    numbers = np.random.default_rng(1)
    for _ in range(5):
        before = weight.numpy()
        gradient = tf.nn.relu(tf.constant(numbers.normal(size=(4, 3)), tf.float32))
        chosen.apply_gradients([(gradient, weight)])
        assert (weight.numpy() <= before + 1e-7).all()
