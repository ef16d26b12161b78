"""The API data against the installed Keras, symbol by symbol, and as its readers use it."""

from __future__ import annotations

import collections.abc
import inspect
import time
import types
from collections.abc import Iterator
from typing import Any

import pytest

from lintkeras import keras_api
from lintkeras.keras_api.build import render
from lintkeras.keras_api.extract import Entry
from lintkeras.keras_api.releases import Place, Releases

# Classes without a constructor of their own: introspection shows object's.
NO_CONSTRUCTOR = ["*args", "**kwargs"]
# Its base is a class of TensorFlow, chosen at run time.
OTHER_SIGNATURE = {"keras.name_scope"}
# A folder of the wheel that the package does not import by itself: reachable by an import only.
NOT_AN_ATTRIBUTE = "tf.keras.saving"


def walk(module: Any, path: str, seen: set[int]) -> Iterator[tuple[str, Any]]:
    for name in dir(module):
        value = getattr(module, name, None)
        if name.startswith("_") or value is None:
            continue
        if isinstance(value, types.ModuleType):
            # (an `import tensorflow.keras` anywhere gives them these names)
            own = value.__name__.startswith(("keras", "tensorflow.keras"))
            own = own and ".src" not in value.__name__
            if own and id(value) not in seen:
                seen.add(id(value))
                yield f"{path}.{name}", value
                yield from walk(value, f"{path}.{name}", seen)
        else:
            yield f"{path}.{name}", value


@pytest.fixture(scope="module")
def installed() -> str:
    import keras

    minor = keras.__version__.split(".")[:2]
    known = [v for v in keras_api.space("keras").versions if v.split(".")[:2] == minor]
    if not known:
        pytest.skip(f"keras {keras.__version__} is newer than the data")
    return known[0]


def runtime(name: str) -> dict[str, Any]:
    import keras
    import tensorflow as tf

    root = keras if name == "keras" else tf.keras
    _ = root.layers  # tf.keras is loaded by its first use
    return {name: root, **dict(walk(root, name, {id(root)}))}


@pytest.mark.tensorflow
@pytest.mark.parametrize("name", ["keras", "tf.keras"])
def test_every_symbol(installed: str, name: Any) -> None:
    data = keras_api.space(name)
    static = {p for p in paths(data) if data.symbol(p, installed)}
    static = {p for p in static if not p.startswith(NOT_AN_ATTRIBUTE)}
    assert static == set(runtime(name))


def paths(data: keras_api.Space) -> list[str]:
    return [line.partition("\t")[0] for line in data._lines]


@pytest.mark.tensorflow
def test_every_signature(installed: str) -> None:
    data = keras_api.space("keras")
    different = []
    for path, value in runtime("keras").items():
        symbol = data.symbol(path, installed)
        assert symbol is not None, path
        if symbol.kind not in ("class", "function") or path in OTHER_SIGNATURE:
            continue
        try:
            called = value.__init__ if inspect.isclass(value) else value
            given = list(inspect.signature(called).parameters.values())
        except (TypeError, ValueError):
            continue
        stars: dict[Any, str] = {
            inspect.Parameter.VAR_POSITIONAL: "*",
            inspect.Parameter.VAR_KEYWORD: "**",
        }
        names = [stars.get(p.kind, "") + p.name for p in given]
        names = names[1:] if inspect.isclass(value) else names
        own = [p.kind * p.kind.startswith("*") + p.name for p in symbol.parameters]
        if names != own and not (names == NO_CONSTRUCTOR and not own):
            different.append((path, names, own))
    assert different == []


# They are dictionaries, of whose own methods the data knows nothing.
OF_A_DICTIONARY = set(dir(collections.abc.MutableMapping))


@pytest.mark.tensorflow
def test_every_member(installed: str) -> None:
    """What a class has, those of its bases included; attributes of objects come on top."""
    data = keras_api.space("keras")
    releases = Releases(".".join(installed.split(".")[:2]))
    different = []
    for path, value in runtime("keras").items():
        symbol = data.symbol(path, installed)
        if symbol is None or symbol.kind != "class":
            continue
        members = releases.class_members(Place("keras", path)) or {}
        has = {name for name in dir(value) if not name.startswith("_")}
        has -= OF_A_DICTIONARY if issubclass(value, collections.abc.MutableMapping) else set()
        of_class = {name for name, text in members.items() if not text.startswith("=")}
        if not of_class <= has <= members.keys():
            different.append((path, sorted(of_class - has), sorted(has - members.keys())))
    assert different == []


@pytest.mark.tensorflow
def test_unknown_keywords_are_errors_where_the_data_says_so(installed: str) -> None:
    import keras

    data = keras_api.space("keras")
    cases: dict[str, dict[str, Any]] = {
        "keras.layers.Dense": {"units": 1}, "keras.layers.Conv2D": {"filters": 1, "kernel_size": 1},
        "keras.layers.LSTM": {"units": 1}, "keras.layers.Dropout": {"rate": 0.5},
        "keras.optimizers.Adam": {}, "keras.optimizers.SGD": {}, "keras.losses.MeanSquaredError": {},
        "keras.callbacks.ModelCheckpoint": {"filepath": "x.keras"}, "keras.metrics.Mean": {},
        "keras.callbacks.EarlyStopping": {}, "keras.callbacks.ReduceLROnPlateau": {},
        "keras.layers.BatchNormalization": {}, "keras.layers.Embedding": {"input_dim": 1, "output_dim": 1},
    }  # fmt: skip
    for path, arguments in cases.items():
        symbol = data.symbol(path, installed)
        assert symbol is not None
        cls = keras
        for part in path.split(".")[1:]:
            cls = getattr(cls, part)
        assert symbol.accepts("surely_no_keyword") is (False if symbol.closed else None)
        if symbol.closed:
            with pytest.raises((TypeError, ValueError)):
                cls(**arguments, surely_no_keyword=1)
        else:
            cls(**arguments, surely_no_keyword=1)


def test_the_two_spaces_differ() -> None:
    keras, tf_keras = keras_api.space("keras"), keras_api.space("tf.keras")
    assert keras.symbol("keras.backend.maximum", "2.15.0") is not None
    assert keras.symbol("keras.backend.maximum") is None
    assert tf_keras.symbol("tf.keras.backend.maximum") is not None
    assert keras.symbol("keras.ops.custom_gradient", "3.0.5") is None
    assert keras.symbol("keras.ops.custom_gradient", "3.1") is not None
    assert keras.symbol("keras.layers.Convolution2D", "1.2.2") is not None
    assert keras.last_seen("keras.utils.np_utils.to_categorical") == "2.12.0"
    assert keras.first_seen("keras.ops.maximum") == "3.0.5"
    assert keras.symbol("keras.layers.Foo") is None
    assert keras.history("keras.layers.Foo") == ()


def test_look_ups_are_quick() -> None:
    data = keras_api.space("keras")
    start = time.perf_counter()
    for _ in range(1000):
        data.symbol("keras.layers.Dense")
    assert (time.perf_counter() - start) / 1000 < 1e-3


def test_rendering_and_reading() -> None:
    old, new = Entry("function", "x,y=1"), Entry("class", "units,**kwargs", ("name",), True)
    text = render({"1.0": {"k.a": old, "k.b": old}, "2.0": {"k.a": new}})
    data = keras_api.Space(text)
    assert data.versions == ("1.0", "2.0")
    assert data.history("k.b") == (("1.0", 0), ("2.0", None))
    assert data.symbol("k.b") is None
    symbol = data.symbol("k.a", "2.7")
    assert symbol is not None
    assert [p.name for p in symbol.parameters] == ["units", "kwargs"]
    assert (symbol.accepts("units"), symbol.accepts("name"), symbol.accepts("z")) == (
        True, True, False,
    )  # fmt: skip
    assert data.names_in("k", "1.0") == ["a", "b"]
    assert data.last_seen("k.b") == "1.0"
