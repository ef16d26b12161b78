"""What the tables say of arguments, against what the installed Keras does with them."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable
from typing import Any

import pytest

from lintkeras import keras_api
from lintkeras.keras_api.arguments import (
    Callee,
    Entry,
    accepted_until,
    by_callable,
    entry_of,
    is_open,
    keras1_signature,
    old_default,
    swallows,
)
from lintkeras.keras_api.releases import Place, Releases
from lintkeras.keras_api.replacements import table

NEWEST = Releases()
NO_KEYWORD = "surely_no_keyword"

# What must be given to make or call something, where a number does not do.
GIVEN: dict[str, Any] = {
    "units": 2, "filters": 2, "kernel_size": 2, "rate": 0.5, "input_dim": 4, "output_dim": 2,
    "n": 2, "target_shape": (2,), "dims": (1,), "size": 2, "function": abs, "activation": "relu",
    "axes": 1, "height": 2, "width": 2, "factor": 0.1, "stddev": 0.1, "num_heads": 2, "key_dim": 2,
    "num_bins": 3, "scale": 1.0, "learning_rate": 0.1, "equation": "ab,bc->ac", "output_shape": 3,
    "num_classes": 2, "target_class_ids": [0], "filepath": "x.keras", "schedule": abs, "name": "x",
    "fn": abs, "initial_learning_rate": 0.1, "decay_steps": 1, "decay_rate": 0.1,
    "first_decay_steps": 2, "boundaries": [1], "values": [1.0, 2.0], "backup_dir": "backup",
    "padding": 1, "cropping": 1, "pool_size": 2, "sequences": [[1]], "bin_boundaries": [0.0],
    "num_tokens": 3,
}  # fmt: skip
# A value for an argument that is a new name.
VALUES: dict[str, Any] = {
    "learning_rate": 0.1, "negative_slope": 0.1, "batch_shape": (2, 3), "shape": (3,),
    "num_tokens": 3, "max_tokens": 5, "mask_token": 0, "oov_token": -1, "bin_boundaries": [0.0],
    "min_delta": 0.1, "l2": 0.1, "l1": 0.1, "x": [0, 1],
}  # fmt: skip


def thing(path: str) -> Any:
    """The object at a path inside Keras."""
    import keras

    found: Any = keras
    for part in path.split("."):
        found = getattr(found, part)
    return found


def callee(path: str) -> Callee:
    """A class, a function, or a method of a class."""
    parent, _, last = path.rpartition(".")
    if NEWEST.symbol(Place("keras", f"keras.{path}")) is None:
        return Callee(Place("keras", f"keras.{parent}"), last)
    return Callee(Place("keras", f"keras.{path}"))


ROWS = [
    pytest.param(entry, of, id=f"{of}-{entry.old}")
    for name in ("arguments", "keras1")
    for entries in [by_callable(name)]
    for of, ones in entries.items()
    for entry in ones
]


@pytest.mark.parametrize(("entry", "of"), ROWS)
def test_what_a_table_names_exists(entry: Entry, of: str) -> None:
    signature = callee(of).signature(NEWEST)
    assert signature is not None, "what is gone altogether is no matter of its arguments"
    assert entry.source and (
        entry.new or entry.drop or entry.note or entry.default or entry.ignored
    )
    plain = [p.name for p in signature.parameters]
    if entry.old in plain:
        assert entry.refused or entry.without
    generic = entry.new and of in ("layers.Layer", "optimizers.Optimizer", "models.Model")
    if entry.new and not generic:
        assert signature.accepts(entry.new) is True
    ignored = entry.ignored == ">=3"
    assert not (entry.warns or ignored) or signature.accepts(entry.old) is not False


def test_every_new_name_is_taken_by_some_class_that_had_the_old_one() -> None:
    space = keras_api.space("keras")
    paths = [line.partition("\t")[0] for line in space._lines]
    pairs = [(space.symbol(path, "1.2.2"), space.symbol(path)) for path in paths]
    for row in table("keras1_classes"):
        pairs.append(
            (space.symbol(f"keras.{row['old']}", "1.2.2"), space.symbol(f"keras.{row['new']}"))
        )
    both = [(old, new) for old, new in pairs if old is not None and new is not None]
    for entry in (e for ones in by_callable("keras1").values() for e in ones if e.new):
        if not any(of.startswith("models.Model") for of in entry.of):
            assert any(old.accepts(entry.old) and new.accepts(entry.new) for old, new in both), (
                entry
            )


def test_classes_of_keras_1() -> None:
    space = keras_api.space("keras")
    for row in table("keras1_classes"):
        old = space.symbol(f"keras.{row['old']}", "1.2.2")
        new = space.symbol(f"keras.{row['new']}")
        assert old is not None and new is not None
        for whole, parts in row.get("parts", {}).items():
            names = [p.name for p in old.parameters]
            start = names.index(parts[0])
            assert names[start : start + len(parts)] == parts
            assert new.accepts(whole)


def test_history() -> None:
    adam = Callee(Place("keras", "keras.optimizers.Adam"))
    assert (accepted_until(NEWEST, adam, "lr") or ("", ""))[1].startswith("2.12")
    assert accepted_until(NEWEST, adam, NO_KEYWORD) is None
    checkpoint = Callee(Place("tf.keras", "tf.keras.callbacks.ModelCheckpoint"))
    assert old_default(NEWEST, checkpoint, "period") == "1"
    fit = Callee(Place("keras", "keras.Sequential"), "fit")
    assert (entry_of(fit.names(NEWEST), "workers") or ROWS).drop  # type: ignore[union-attr]
    assert (keras1_signature(NEWEST, fit) or ROWS).accepts("nb_epoch")  # type: ignore[union-attr]
    assert Callee(Place("keras", "keras.layers.LSTM")).names(NEWEST)[:3] == (
        "layers.LSTM", "layers.RNN", "layers.Layer",
    )  # fmt: skip


# ---------------------------------------------------------------------------- in Keras


@pytest.fixture
def old_and_new() -> Callable[..., tuple[str, list[str]]]:
    """What a call raises, and what it warns of; in a folder of its own."""

    def run(call: Callable[..., Any], **arguments: Any) -> tuple[str, list[str]]:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                call(**arguments)
                error = ""
            except Exception as problem:
                error = f"{type(problem).__name__}: {problem}"
        return error, [str(one.message) for one in caught]

    return run


def needed(call: Callable[..., Any], path: str) -> dict[str, Any] | None:
    """What must be given to a call; None where that is not known here."""
    signature = callee(path).signature(NEWEST)
    assert signature is not None
    given: dict[str, Any] = {}
    for parameter in signature.parameters:
        if parameter.kind in ("positional", "keyword") and parameter.default is None:
            if parameter.name not in GIVEN:
                return None
            given[parameter.name] = GIVEN[parameter.name]
    return given


CLASSES = [
    pytest.param(entry, of, id=f"{of}-{entry.old}")
    for of, ones in by_callable("arguments").items()
    for entry in ones
    if not callee(of).method and of not in ("optimizers.Optimizer", "layers.Layer", "losses.Loss")
]
CONCRETE = {"layers.RNN": "layers.LSTM"}


@pytest.mark.tensorflow
@pytest.mark.parametrize(("entry", "of"), CLASSES)
def test_arguments_of_classes_and_functions(
    entry: Entry, of: str, old_and_new: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = CONCRETE.get(of, of)
    call, given = thing(path), needed(thing(path), path)
    if of in ("Input", "layers.Input"):
        given = {} if entry.old == "batch_input_shape" else {"shape": (3,)}
    if given is None or "load_data" in of or "image" in of or "load_img" in of:
        assert entry.new in ("", *inspect.signature(call).parameters)
        if "**" not in (callee(of).signature(NEWEST) or ROWS).signature:  # type: ignore[union-attr]
            with pytest.raises(TypeError, match=f"keyword argument '{entry.old}'"):
                call(**{entry.old: 1})
        return
    value = VALUES.get(entry.new, 1)
    base = {key: v for key, v in given.items() if key != entry.new}
    error, warned = old_and_new(call, **base, **{entry.old: value})
    if entry.warns:
        assert not error and any(entry.warns in text for text in warned)
    elif entry.ignored:
        assert not error
    else:
        assert error, "the old argument is refused"
    if entry.new:
        error, warned = old_and_new(call, **base, **{entry.new: value})
        assert not error and not warned
    else:
        assert old_and_new(call, **given) == ("", [])


@pytest.mark.tensorflow
def test_arguments_of_optimizers_layers_losses(old_and_new: Any) -> None:
    import keras

    optimizer, dense = keras.optimizers.Adam, keras.layers.Dense
    assert "Argument(s) not recognized: {'lr': 0.1}" in old_and_new(optimizer, lr=0.1)[0]
    assert old_and_new(optimizer, learning_rate=0.1) == ("", [])
    for name in ("jit_compile", "gradient_aggregator", "gradient_transformers", "mesh"):
        assert "Argument(s) not recognized" in old_and_new(optimizer, **{name: None})[0]
    assert any("ignored" in text for text in old_and_new(optimizer, decay=0.1)[1])
    for name in ("batch_input_shape", "weights", "dynamic", "implementation"):
        error, _ = old_and_new(dense, units=2, **{name: None})
        assert "Unrecognized keyword arguments passed to Dense" in error
    assert "cannot contain character `/`" in old_and_new(dense, units=2, name="a/b")[0]
    auto = old_and_new(keras.losses.MeanSquaredError, reduction="auto")[0]
    assert "Invalid value for argument `reduction`" in auto
    assert old_and_new(keras.losses.MeanSquaredError) == ("", [])


@pytest.mark.tensorflow
def test_epsilon_none_fails_in_the_first_step(old_and_new: Any) -> None:
    import keras
    import numpy as np

    def train(**arguments: Any) -> None:
        model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
        model.compile(keras.optimizers.Adam(**arguments), "mse")
        model.fit(np.ones((2, 2)), np.ones((2, 1)), verbose=0)

    assert "None values not supported" in old_and_new(train, epsilon=None)[0]
    assert old_and_new(train)[0] == ""


METHODS = [
    pytest.param(entry, of, id=f"{of}-{entry.old}")
    for of, ones in by_callable("arguments").items()
    for entry in ones
    if callee(of).method
]


@pytest.mark.tensorflow
@pytest.mark.parametrize(("entry", "of"), METHODS)
def test_arguments_of_methods(entry: Entry, of: str, old_and_new: Any) -> None:
    import keras
    import numpy as np

    def model() -> Any:
        made = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
        made.compile("sgd", "mse")
        return made

    data = {"x": np.ones((2, 2)), "y": np.ones((2, 1))}
    cls, _, method = of.rpartition(".")
    made: Any
    given: dict[str, Any]
    match cls:
        case "models.Model":
            made, given = model(), data if method != "compile" else {"loss": "mse"}
        case "optimizers.Optimizer":
            made, given = keras.optimizers.SGD(), {"grads_and_vars": []}
        case "layers.Layer":
            made, given = keras.layers.Dropout(0.5), {}
        case "layers.StackedRNNCells":
            made, given = (
                keras.layers.StackedRNNCells([keras.layers.LSTMCell(2)]),
                {"batch_size": 2},
            )
        case _:
            made, given = thing(cls)(2), {"batch_size": 2}
    if method == "predict":
        given = {"x": data["x"]}
    call = getattr(made, method)
    error, _ = old_and_new(call, **given, **{entry.old: 1})
    assert entry.old in error and ("unexpected keyword" in error or "not recognized" in error)
    if entry.new:
        assert "unexpected keyword" not in old_and_new(call, **given, **{entry.new: 1})[0]
    elif cls not in ("optimizers.Optimizer", "layers.Layer"):
        assert old_and_new(call, **given)[0] == ""


@pytest.mark.tensorflow
def test_what_is_closed_and_what_swallows(
    old_and_new: Any, tmp_path: Any, monkeypatch: Any
) -> None:
    """One object of each class, with a keyword that cannot exist."""
    import keras

    monkeypatch.chdir(tmp_path)
    minor = keras.__version__.split(".")[:2]
    if keras_api.space("keras").versions[-1].split(".")[:2] != minor:
        pytest.skip(f"keras {keras.__version__} is not the newest that is known")
    tried = 0
    for line in keras_api.space("keras")._lines:
        path = line.partition("\t")[0].partition(".")[2]
        symbol = NEWEST.symbol(Place("keras", f"keras.{path}")) if path else None
        if symbol is None or symbol.kind != "class" or "legacy" in path:
            continue
        given = needed(thing(path), path)
        if given is None or old_and_new(thing(path), **given)[0]:
            continue
        tried += 1
        refused = bool(old_and_new(thing(path), **given, **{NO_KEYWORD: 1})[0])
        names = Callee(Place("keras", f"keras.{path}")).names(NEWEST)
        assert not (refused and swallows(names)), path
        if symbol.closed and not is_open(names) and symbol.signature:
            assert refused, path
    assert tried > 250
    assert old_and_new(keras.callbacks.ReduceLROnPlateau, **{NO_KEYWORD: 1}) == ("", [])
    assert old_and_new(keras.callbacks.LambdaCallback, **{NO_KEYWORD: 1}) == ("", [])
    assert old_and_new(keras.layers.HashedCrossing, num_bins=3, **{NO_KEYWORD: 1}) == ("", [])


@pytest.mark.tensorflow
def test_lambda_callback_takes_every_hook_of_a_callback() -> None:
    import keras

    seen: list[str] = []
    callback = keras.callbacks.LambdaCallback(on_predict_end=lambda logs: seen.append("predict"))
    callback.on_predict_end({})
    assert seen == ["predict"]
