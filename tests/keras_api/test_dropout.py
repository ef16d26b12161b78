"""What the table says of rates that are no share, in the installed Keras, and that it is whole."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from lintkeras import keras_api
from lintkeras.keras_api.replacements import table

RATES: dict[str, list[float]] = {"below": [-0.1, -1], "one": [1, 1.0], "above": [1.5, 20]}
CASES = [
    pytest.param(path, argument, entry["keras3"][region], rate, id=f"{path}-{argument}-{rate}")
    for entry in table("dropout")
    for path in entry["of"]
    for argument in entry["argument"]
    for region, rates in RATES.items()
    for rate in rates
]


def _made(path: str, argument: str, rate: float) -> Callable[[Any, bool], Any]:
    """What applies it to a tensor, in training or not."""
    import keras
    import tensorflow as tf

    name = path.rpartition(".")[2]
    if path.startswith("tf."):
        extras: dict[str, dict[str, Any]] = {
            "stateless_dropout": {"seed": [1, 2]},
            "general_dropout": {"uniform_sampler": lambda **k: tf.random.uniform(k["shape"])},
        }
        extra = extras.get(name, {})
        function = getattr(tf.nn if path.count(".") == 2 else tf.nn.experimental, name)
        return lambda x, training: function(x, rate=rate, **extra)
    if path == "random.dropout":
        return lambda x, training: keras.random.dropout(x, rate)
    sizes: dict[str, tuple[int, ...]] = {
        "MultiHeadAttention": (2, 4), "GroupQueryAttention": (4, 4, 2), "ConvLSTM1D": (2, 2),
        "ConvLSTM2D": (2, 2), "ConvLSTM3D": (2, 2),
    }  # fmt: skip
    recurrent = (3,) if re.search("LSTM|GRU|RNN", name) else ()
    bias: dict[str, Any] = (
        {"use_bias": False} if name in ("MultiHeadAttention", "GroupQueryAttention") else {}
    )
    made = getattr(keras.layers, name)(*sizes.get(name, recurrent), **{argument: rate}, **bias)
    layer = keras.layers.RNN(made) if name.endswith("Cell") else made
    if name in ("Attention", "AdditiveAttention"):
        return lambda x, training: layer([x, x], training=training)
    twice = name in ("MultiHeadAttention", "GroupQueryAttention")
    return lambda x, training: layer(*(x, x)[: 1 + twice], training=training)


def _input(path: str) -> Any:
    import numpy as np

    name = path.rpartition(".")[2]
    rank = int(name[-2]) if re.search(r"\dD$", name) else 1
    shape = (2, 3, *(5,) * rank, 2) if name.startswith("Conv") else (2, *(5,) * rank, 4)
    return np.random.default_rng(1).normal(2.0, 1.0, size=shape).astype("float32")


@pytest.mark.tensorflow
@pytest.mark.parametrize(("path", "argument", "effect", "rate"), CASES)
def test_keras_3_does_what_the_table_says(
    path: str, argument: str, effect: str, rate: float
) -> None:
    import numpy as np

    x = _input(path)
    raises = re.match(r"raises (\w+)[^:]*(?:: (.*))?$", effect.format(rate=rate))
    if raises:
        with pytest.raises((ValueError, ZeroDivisionError)) as caught:
            _made(path, argument, rate)(x, True)
        assert caught.type.__name__ == raises[1]
        assert (raises[2] or "") in str(caught.value)
        return
    apply = _made(path, argument, rate)
    result, inferred = np.asarray(apply(x, True)), np.asarray(apply(x, False))
    if "drops nothing" in effect:
        assert np.allclose(result, inferred)
    elif "RNN" not in path:
        assert not result.any()
    elif argument == "dropout":
        assert np.allclose(result, apply(0 * x, False))
    else:  # the state: the first step has none
        assert not np.allclose(result, inferred)
        assert np.allclose(result, apply(x[:, -1:], False))


@pytest.mark.parametrize("name", ["keras", "tf.keras"])
def test_every_rate_of_keras_is_in_the_table(name: keras_api.Name) -> None:
    known = {(path, a) for e in table("dropout") for path in e["of"] for a in e["argument"]}
    space = keras_api.space(name)
    for layer in space.names_in(f"{name}.layers"):
        symbol = space.symbol(f"{name}.layers.{layer}")
        assert symbol is not None
        for parameter in symbol.parameters:
            if parameter.name in ("dropout", "recurrent_dropout") or (
                parameter.name == "rate" and "Dropout" in layer
            ):
                assert (f"layers.{layer}", parameter.name) in known
