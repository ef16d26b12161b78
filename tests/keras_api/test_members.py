"""What the table of members says is so in the data, and what it tells to write runs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from lintkeras.checks.members import gone
from lintkeras.keras_api import replacements, space
from lintkeras.keras_api.releases import Place, Releases, place_of
from lintkeras.meaning.values import Symbol
from lintkeras.rulebook import load

TABLE = replacements.table("members")
NEWEST = Releases()
BASES = ("models.Model", "models.Sequential", "layers.Layer", "optimizers.Optimizer")
EXPRESSION = re.compile(r"[a-z_]+(\.[a-z_]+)*")


def members(root: str, inside: str) -> Iterator[tuple[str, str]]:
    """Each member that a class ever had, and what the newest release that had it says of it."""
    place = place_of(f"{root}.{inside}")
    assert place is not None
    seen: dict[str, str] = {}
    for version in space(place.space).versions:
        seen |= NEWEST.class_members(place, version) or {}
    yield from seen.items()


def lost(root: str, inside: str) -> set[str]:
    """The public methods that a class has lost since Keras 2."""
    place = place_of(f"{root}.{inside}")
    assert place is not None
    now = NEWEST.class_members(place)
    assert now is not None
    then = [v for v in space(place.space).versions if (2, 3) <= version(v) < (3,)]
    return {
        name
        for release in then
        for name, text in (NEWEST.class_members(place, release) or {}).items()
        if name not in now and text[:1] in ("(", "~") and text
    }


def version(text: str) -> tuple[int, ...]:
    return tuple(map(int, text.split(".")))


@pytest.mark.parametrize("entry", TABLE, ids=lambda e: e["old"])
def test_entries(entry: dict[str, Any]) -> None:
    assert len(entry["source"]) > 10
    inside, _, name = entry["old"].rpartition(".")
    had = {root: dict(members(root, inside)) for root in ("keras", "tensorflow.keras")}
    if "private" in entry:
        assert name.startswith("_")
    elif "kept" not in entry:
        assert any(name in one for one in had.values()), "no release has it"
    if "new" in entry:
        now = NEWEST.class_members(Place("keras", f"keras.{inside}"))
        assert now is not None and entry["new"] in now
    assert {"new", "template", "hint", "kept", "form"} & {*entry}


@pytest.mark.parametrize("root", ["keras", "tensorflow.keras"])
@pytest.mark.parametrize("inside", BASES)
def test_every_method_that_is_gone_has_an_entry(root: str, inside: str) -> None:
    known = {entry["old"].rpartition(".")[2] for entry in TABLE}
    layers_of_keras_2 = {"apply", "add_weight"}  # words of clean code that hardly ever were methods
    assert lost(root, inside) - known <= layers_of_keras_2


def test_the_screen_knows_all_names() -> None:
    book = load()
    words = [
        word.decode()
        for code in ("LK603", "LK608")
        for rule in [book.find(code)]
        if rule is not None
        for group in rule.needs
        for word in group
    ]
    for entry in TABLE:
        name = entry["old"].rpartition(".")[2]
        if "kept" not in entry:
            assert any(word.strip(".()") == name for word in words), name


def test_what_is_gone() -> None:
    def found(path: str, name: str, *, exact: bool = True, target: str | None = None) -> str | None:
        one = gone(Releases(target), Symbol(path), name, exact=exact)
        return one.last if one is not None else None

    assert found("keras.Sequential", "fit_generator") == "2.15.0"
    assert found("tensorflow.keras.Sequential", "predict_classes") == "2.5"
    assert found("keras.models.Model", "predict_classes") is None
    assert found("keras.models.Model", "predict_classes", exact=False) == "2.3.1"
    assert found("keras.Sequential", "fit_generator", target="2.15") is None
    assert found("tf_keras.Sequential", "fit_generator") is None
    assert found("tensorflow.compat.v1.keras.Sequential", "fit_generator") is None
    assert found("keras.Sequential", "fit") is None
    assert found("keras.Sequential", "no_such_thing") is None
    assert found("keras.layers.LSTM", "reset_states") is None
    assert found("keras.layers.Layer", "stateful") == "2.15.0"
    assert found("keras.layers.Layer", "stateful", exact=False) is None  # it may be an LSTM
    assert found("keras.layers.core.Dense", "output_shape") == "2.15.0"
    assert found("keras.Model", "output_shape") is None
    assert found("keras.Model", "_make_predict_function") == "2.3"
    assert found("tensorflow.keras.optimizers.legacy.Adam", "get_slot") is None


# ---------------------------------------------------------------------- the installed Keras


@pytest.fixture(scope="module")
def objects() -> dict[str, Any]:
    """One object of each class of the table, used so that all that it ever has is there."""
    import keras
    import numpy as np

    x, y = np.ones((4, 3)), np.ones((4, 1))
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    model.fit(x, y, verbose=0)
    inputs = keras.Input((3,))
    functional = keras.Model(inputs, keras.layers.Dense(1)(inputs))
    functional.compile("sgd", "mse")
    functional.fit(x, y, verbose=0)
    return {
        "models.Sequential": model,
        "models.Model": functional,
        "layers.Layer": functional.layers[-1],
        "optimizers.Optimizer": model.optimizer,
        "metrics.Metric": keras.metrics.Mean(),
        "callbacks.Callback": keras.callbacks.Callback(),
        "mixed_precision.LossScaleOptimizer": keras.mixed_precision.LossScaleOptimizer(
            keras.optimizers.SGD()
        ),
    }


@pytest.mark.tensorflow
@pytest.mark.parametrize("entry", TABLE, ids=lambda e: e["old"])
def test_what_the_table_says_runs(entry: dict[str, Any], objects: dict[str, Any]) -> None:
    inside, _, name = entry["old"].rpartition(".")
    one = objects[inside]
    there = "changed" in entry or "kept" in entry or entry.get("form") in ("called", "name first")
    assert hasattr(one, name) == there
    if "new" in entry:
        assert hasattr(one, entry["new"])
    if "template" in entry:
        written = entry["template"].format("x", owner="one")
        eval(written, {"one": one, "x": 1.0})


@pytest.mark.tensorflow
def test_what_the_data_says_is_gone_is_gone(objects: dict[str, Any]) -> None:
    """Of all members that the classes ever had: only what the table keeps is there all the same."""
    kept = {entry["old"] for entry in TABLE if "kept" in entry}
    for inside, one in objects.items():
        now = NEWEST.class_members(Place("keras", f"keras.{inside}"))
        assert now is not None
        for root in ("keras", "tensorflow.keras"):
            for name, _ in members(root, inside):
                if name not in now:
                    assert (
                        not hasattr(one, name)
                        or {f"{inside}.{name}", f"models.Model.{name}"} & kept
                    )
