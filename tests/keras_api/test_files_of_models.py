"""The tables of files: what they say of Keras 3 is what the installed one does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lintkeras.keras_api.replacements import table

pytestmark = pytest.mark.tensorflow
RELEASE = (3, 8)
"""From here on the rows with the highest ``since`` hold."""


def _model() -> Any:
    import keras

    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    model.compile("sgd", "mean_squared_error")
    return model


def _call(name: str, path: Path, what: str, **more: object) -> object:
    """Write or read a file through the function, method or class of a name inside Keras."""
    import keras

    owner, _, last = name.rpartition(".")
    if owner == "models.Model":
        return getattr(_model(), last)(str(path), **more)
    if name == "callbacks.ModelCheckpoint":
        return keras.callbacks.ModelCheckpoint(
            str(path), save_weights_only=what == "weights", **more
        )
    function = getattr(getattr(keras, owner), last)
    return (
        function(str(path), **more)
        if last == "load_model"
        else function(_model(), str(path), **more)
    )


def _newest(rows: tuple[dict[str, Any], ...]) -> list[dict[str, Any]]:
    kept = {(tuple(row["old"]), row["writes"]): row for row in rows}
    return list(kept.values())


@pytest.mark.parametrize(
    "row", _newest(table("paths")), ids=lambda r: f"{r['old'][0]}-{r['writes']}"
)
def test_ends_of_paths(row: dict[str, Any], tmp_path: Path) -> None:
    assert row["new"] in row["ends"]
    for name in row["old"]:
        for end in row["ends"]:
            _call(name, tmp_path / f"file{end}", row["writes"])
        others = {".keras", ".h5", ".hdf5", ".H5", ".ckpt", ""} - set(row["ends"])
        for end in others:
            with pytest.raises(ValueError) as caught:
                _call(name, tmp_path / f"file{end}", row["writes"])
            assert row["raises"] in str(caught.value)


@pytest.mark.parametrize("row", table("saving"), ids=lambda r: f"{r['of'][0]}-{r['old']}")
def test_arguments(row: dict[str, Any], tmp_path: Path) -> None:
    for name in row["of"]:
        last = name.rpartition(".")[2]
        what = "weights" if "weights" in last else "model"
        suffix = ".weights.h5" if what == "weights" else ".keras"
        path = tmp_path / f"file{suffix}"
        if last == "load_weights":
            _call("models.Model.save_weights", path, what)
        elif last == "load_model":
            _call("models.Model.save", path, what)
        given: dict[str, Any] = {row["old"]: False if "default" in row else None}
        given = {"save_format": "h5"} if row["old"] == "save_format" else given
        given = {"by_name": True} if row["old"] == "by_name" else given
        for end in row.get("takes", ()):
            _call(name, tmp_path / f"file{end}", what, **given)
        if not row["raises"]:
            continue
        kind, _, text = row["raises"].partition(": ")
        refused = tmp_path / "file" if "takes" in row else path
        with pytest.raises((TypeError, ValueError)) as caught:
            _call(name, refused, what, **given)
        assert type(caught.value).__name__ == kind
        for part in text.split("..."):
            assert part in str(caught.value)
