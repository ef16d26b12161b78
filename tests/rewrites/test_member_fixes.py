"""Fixes of members that stand beside other findings, so that no page shows them."""

from __future__ import annotations

import pytest

from lintkeras import engine
from lintkeras.syntax.edits import apply
from tests.pages import KINDS

HEAD = """import keras
from keras import backend as K

model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
model.compile("sgd", "mse")
"""


def fixed(code: str, line: str, target: str | None = None) -> list[tuple[str, str]]:
    """What the fixes make of the last line, and how safe they are."""
    source = HEAD + line + "\n"
    report = engine.lint(*KINDS["python"](source), {code}, target=target)
    return [
        (apply(source, list(fix.edits)).removeprefix(HEAD).strip(), str(fix.applicability))
        for finding in report.findings
        for fix in finding.fixes
    ]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("K.set_value(model.optimizer.lr, 0.1)", "model.optimizer.learning_rate = 0.1"),
        ("print(K.get_value(model.optimizer.lr))", "print(float(model.optimizer.learning_rate))"),
        ("rate = model.optimizer.lr", "rate = model.optimizer.learning_rate"),
        ("model.optimizer.lr *= 0.1", "model.optimizer.learning_rate *= 0.1"),
    ],
)
def test_values_of_the_learning_rate(line: str, expected: str) -> None:
    assert fixed("LK608", line) == [(expected, "safe")]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ("g, 5", "g, steps_per_epoch=5"),
        ("g, 5, 2, 0", "g, steps_per_epoch=5, epochs=2, verbose=0"),
        ("generator=g, steps_per_epoch=5", "x=g, steps_per_epoch=5"),
        ("g, epochs=2, workers=4, use_multiprocessing=True", "g, epochs=2"),
        ("g, epochs=2, max_q_size=10, nb_worker=1", "g, epochs=2"),
        ("g, steps_per_epoch=5, nb_epoch=2", "g, steps_per_epoch=5, epochs=2"),
        ("g, steps_per_epoch=(\n    5\n)", "g, steps_per_epoch=(\n    5\n)"),
    ],
)
def test_arguments_of_fit_generator(arguments: str, expected: str) -> None:
    found = fixed("LK603", f"model.fit_generator({arguments})")
    assert found == [(f"model.fit({expected})", "safe")]


def test_sample_counts_of_keras_1_are_only_shown() -> None:
    found = fixed("LK603", "model.fit_generator(g, samples_per_epoch=100, nb_epoch=2)")
    assert found == [("model.fit(g, steps_per_epoch=100, epochs=2)", "display")]


@pytest.mark.parametrize(
    "arguments",
    ["g, 100, nb_epoch=2", "*arguments", "g, **options", "g, 1, 2, 0, None, None, None, None"],
)
def test_arguments_that_are_not_certain_have_no_fix(arguments: str) -> None:
    assert fixed("LK603", f"model.fit_generator({arguments})") == []


def test_comments_stay() -> None:
    assert fixed("LK603", "model.fit_generator(\n    g,  # data\n    workers=4,\n)") == []


def test_a_method_that_is_handed_on_is_not_called() -> None:
    assert fixed("LK603", "train = model.fit_generator") == []
    assert fixed("LK603", "reset = keras.metrics.Mean().reset_states") == [
        ("reset = keras.metrics.Mean().reset_state", "safe")
    ]


def test_a_name_that_is_assigned_and_read_changes_in_both_places_or_in_none() -> None:
    found = fixed("LK608", "model.optimizer.lr = model.optimizer.lr / 2")
    assert [safety for _, safety in found] == ["unsafe", "unsafe"]
