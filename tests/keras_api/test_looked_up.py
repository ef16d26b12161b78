"""The strings of the data against the ``get`` functions of real releases."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from lintkeras import keras_api
from lintkeras.keras_api.arguments import KERAS
from lintkeras.keras_api.looked_up import FAMILIES, snake_case
from tests.keras_2 import KINDS, LAST_PYTHON, Offline, environment

# Prints what ``get`` finds of the names that it is given, and of all that its module holds.
ASK = """
import json, sys
import keras

found = {}
for family, names in json.load(sys.stdin).items():
    module = getattr(keras, family)
    for name in {*names, *dir(module), *dir(keras.layers)}:
        try:
            one = module.get(name)
        except Exception as error:
            if "Could not interpret" in str(error) or "Unknown" in str(error):
                continue  # it was not found; anything else is about making it
        else:
            if one is None or isinstance(one, str):
                continue
        if not name.startswith("_"):
            found.setdefault(family, []).append(name)
print(json.dumps([keras.__version__, found]))
"""


def every_string() -> dict[str, list[str]]:
    found: dict[str, set[str]] = {family: set() for family in FAMILIES}
    for space in KERAS:
        for path in keras_api.strings(space).paths():
            family, _, name = path.partition(".")
            found[family].add(name)
    return {family: sorted(names) for family, names in found.items()}


def asked(python: Path, variables: dict[str, str]) -> tuple[str, dict[str, set[str]]]:
    done = subprocess.run(
        [python, "-c", ASK], input=json.dumps(every_string()), capture_output=True, text=True,
        check=True, env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", **variables},
    )  # fmt: skip
    version, found = json.loads(done.stdout.splitlines()[-1])
    names: dict[str, set[str]] = {family: set(found[family]) for family in FAMILIES}
    names["optimizers"] = {name.lower() for name in names["optimizers"]}
    return version, names


def known(space: keras_api.Name, version: str) -> dict[str, set[str]]:
    data = keras_api.strings(space)
    return {family: set(data.names_in(family, version)) for family in FAMILIES}


@pytest.mark.tensorflow
def test_keras_3_finds_just_these() -> None:
    version, found = asked(Path(sys.executable), {})
    versions = keras_api.strings("keras").versions
    if version.split(".")[:2] not in [one.split(".")[:2] for one in versions]:
        pytest.skip(f"keras {version} is newer than the data")
    assert known("keras", version) == known("tf.keras", version) == found


@pytest.mark.network
@pytest.mark.tensorflow
@pytest.mark.parametrize("kind", KINDS)
def test_keras_2_finds_nothing_else(kind: str, tmp_path_factory: Any) -> None:
    if kind == "keras-2.15" and sys.version_info[:2] > LAST_PYTHON:
        pytest.skip("TensorFlow 2.15 does not run on this Python")
    kept = os.environ.get("LINTKERAS_KERAS_2")
    folder = Path(kept) / kind if kept else tmp_path_factory.mktemp(kind)
    try:
        version, found = asked(*environment(kind, folder))
    except Offline as error:
        pytest.skip(str(error))
    spaces: list[keras_api.Name] = ["tf_keras"] if kind == "tf-keras" else ["keras", "tf.keras"]
    for space in spaces:
        data = known(space, version)
        for family, names in found.items():
            assert names <= data[family], family
            assert names, family


@pytest.mark.parametrize("space", KERAS)
def test_the_data_has_every_release(space: keras_api.Name) -> None:
    assert keras_api.strings(space).versions == keras_api.space(space).versions
    for version in keras_api.strings(space).versions:
        names = known(space, version)
        assert {"mse", "mean_squared_error"} <= names["losses"]
        assert {"adam", "sgd"} <= names["optimizers"]
        assert {"relu", "softmax"} <= names["activations"]
        assert "l2" in names["regularizers"]


def test_names_of_classes_as_keras_writes_them() -> None:
    assert snake_case("AUC") == "auc"
    assert snake_case("MeanSquaredError") == "mean_squared_error"
    assert snake_case("L1L2") == "l1l2"
    assert snake_case("TopKCategoricalAccuracy") == "top_k_categorical_accuracy"
