"""Strings that Keras 3 does not look up any more, and those that it does, in the installed Keras."""

from __future__ import annotations

from typing import Any

import pytest

from lintkeras.keras_api.replacements import table


@pytest.mark.tensorflow
@pytest.mark.parametrize("entry", table("strings"), ids=lambda e: f"{e['family']}-{e['old']}")
def test_the_old_one_raises_and_the_new_one_is_found(entry: dict[str, Any]) -> None:
    import keras

    get = getattr(keras, entry["family"]).get
    with pytest.raises(ValueError, match=f"identifier: {entry['old']}"):
        get(entry["old"])
    assert get(entry["new"]) is not None
    assert len(entry["source"]) > 10
