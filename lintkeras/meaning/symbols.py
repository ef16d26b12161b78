"""Canonical names: one name for one thing, however it was imported.

``tf.keras.layers.Dense``, ``keras.layers.Dense``, ``tf_keras.layers.Dense`` and
``tensorflow.python.keras.layers.Dense`` are all ``keras.layers.Dense`` here; which Keras it came
from is its flavour, because ``keras`` and ``tf.keras`` are different namespaces in Keras 3.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Literal

from lintkeras.keras_api import HOMES

Flavour = Literal["keras", "tf.keras", "tf_keras", "tf", "other"]

_KERAS_ROOTS: tuple[tuple[str, Flavour], ...] = (
    ("tensorflow.python.keras", "tf.keras"),
    ("tensorflow_core.python.keras", "tf.keras"),
    ("tensorflow.compat.v1.keras", "tf.keras"),
    ("tensorflow.compat.v2.keras", "tf.keras"),
    ("tensorflow.keras", "tf.keras"),
    ("tf_keras", "tf_keras"),
    ("keras", "keras"),
)

# Private or transitional packages between the root and the public name.
_TRANSPARENT = frozenset({"src", "legacy", "experimental", "_tf_keras", "api", "_v2"})

# Second names that TensorFlow gives to the same function.
_TENSORFLOW_MODULES = {
    "tf.math": "tf",
    "tf.nn": "tf",
    "tf.compat.v2": "tf",
    "tf.optimizers": "keras.optimizers",
    "tf.losses": "keras.losses",
    "tf.metrics": "keras.metrics",
    "tf.initializers": "keras.initializers",
}
_PLURALS = frozenset({"layers", "optimizers", "models", "activations", "losses", "metrics"})


@lru_cache(maxsize=4096)
def canonical(path: str) -> tuple[str, Flavour]:
    """The canonical name and the flavour of a dotted import path.

    Inside the module families of Keras only the family and the last part count, so
    ``keras.src.optimizers.adam.Adam`` is ``keras.optimizers.Adam``.
    """
    for root, flavour in _KERAS_ROOTS:
        if path == root or path.startswith(root + "."):
            parts = [part for part in path[len(root) :].split(".") if part]
            parts = [part for part in parts if part not in _TRANSPARENT]
            if len(parts) > 2 and parts[0] in _PLURALS and parts[-1][:1].isupper():
                parts = [parts[0], parts[-1]]
            if len(parts) == 1 and parts[0] in HOMES:
                parts = [HOMES[parts[0]], parts[0]]
            elif parts[:2] in (["engine", "training"], ["engine", "sequential"]):
                parts = ["models", *parts[2:]]
            elif parts[:2] == ["engine", "base_layer"]:
                parts = ["layers", *parts[2:]]
            elif parts == ["layers", "Input"]:
                parts = ["Input"]
            return ".".join(["keras", *parts]), flavour
    if path == "tensorflow" or path.startswith("tensorflow."):
        name = "tf" + path[len("tensorflow") :]
        for module, replacement in _TENSORFLOW_MODULES.items():
            if name.startswith(module + "."):
                name = replacement + name[len(module) :]
                break
        return name, ("tf.keras" if name.startswith("keras.") else "tf")
    return path, "other"
