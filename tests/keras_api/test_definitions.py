"""The way from where Keras defines a thing to where it is public, against the installed Keras."""

from __future__ import annotations

import importlib

import pytest

from lintkeras.keras_api import definitions
from lintkeras.keras_api.definitions import public_path


@pytest.mark.parametrize(
    ("private", "public"),
    [
        ("keras.src.layers.core.dense.Dense", "keras.layers.Dense"),
        ("keras.src.layers.Dense", "keras.layers.Dense"),
        ("keras.src.layers.layer.Layer", "keras.layers.Layer"),
        ("keras.src.Model", "keras.Model"),
        ("keras.src.ops.zeros", "keras.ops.zeros"),
        ("keras.src.losses.losses.mean_squared_error", "keras.losses.mean_squared_error"),
        ("keras.src.engine.base_layer.Layer", "keras.layers.Layer"),  # of Keras 2.15
        ("tf_keras.src.engine.training.Model", "tf_keras.Model"),
        ("keras.src.backend.numpy.mean", None),
        ("keras.src.utils.tracking.Tracker", None),
        ("keras.src.layers", None),
        ("keras.layers.Dense", None),
        ("torch.src.nn.Linear", None),
    ],
)
def test_public_paths(private: str, public: str | None) -> None:
    assert public_path(private) == public


@pytest.mark.tensorflow
def test_both_paths_lead_to_the_same_object() -> None:
    count, absent = 0, []
    for module, names in definitions._read("keras").items():
        try:
            private = importlib.import_module(f"keras.{module}")
        except ModuleNotFoundError as error:  # a backend that is not installed
            assert error.name in ("jax", "torch", "openvino", "mlx")
            continue
        for name, path in names.items():
            parent, _, public = f"keras.{path}".rpartition(".")
            found = getattr(importlib.import_module(parent), public)
            if not hasattr(private, name):
                absent.append(f"{module}.{name}")
                continue
            assert getattr(private, name) is found, f"{module}.{name}"
            count += 1
    assert absent == ["src.backend.is_nnx_enabled"]  # only with the backend JAX
    assert count > 1500
