"""Which releases a project allows, and where a name that it writes belongs."""

from __future__ import annotations

import pytest

from lintkeras.keras_api.releases import Place, Releases, place_of


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("keras.layers.Dense", Place("keras", "keras.layers.Dense")),
        ("tensorflow.keras.layers.Dense", Place("tf.keras", "tf.keras.layers.Dense")),
        ("tensorflow.optimizers.Adam", Place("tf.keras", "tf.keras.optimizers.Adam")),
        ("tensorflow.compat.v2.keras.Model", Place("tf.keras", "tf.keras.Model")),
        ("tf_keras.Model", Place("tf_keras", "tf_keras.Model")),
        ("tensorflow.nn.relu", Place("tf", "tf.nn.relu")),
        ("keras.src.layers.Dense", None),
        ("tensorflow.python.keras.Model", None),
        ("tensorflow.compat.v1.keras.Model", None),
        ("kerasx.layers", None),
    ],
)
def test_places(path: str, place: Place | None) -> None:
    assert place_of(path) == place


@pytest.mark.parametrize(
    ("target", "keras", "tensorflow", "only_3"),
    [
        (None, "3.15", "2.21", True),
        ("2.15", "2.15", "2.15", False),
        ("2", "2.15", "2.15", False),
        (">=2.4", "3.15", "2.21", False),
        ("3.3", "3.3", "2.21", True),
        (">=3.1,<3.10", "3.9", "2.21", True),
        ("3.99", "3.15", "2.21", True),
    ],
)
def test_the_newest_that_is_allowed(
    target: str | None, keras: str, tensorflow: str, only_3: bool
) -> None:
    releases = Releases(target)
    assert releases.newest("keras").startswith(f"{keras}.")
    assert releases.newest("tf").startswith(f"{tensorflow}.")
    assert releases.only_keras_3() is only_3


def test_what_is_missing() -> None:
    rescaling = place_of("keras.layers.experimental.preprocessing.Rescaling")
    assert rescaling is not None
    assert Releases().missing(rescaling) == Place("keras", "keras.layers.experimental")
    assert Releases("2.15").missing(rescaling) is None
    assert not Releases(">=2.13").everywhere(rescaling)
    method = place_of("keras.Model.fit_generator")
    assert method is not None
    assert Releases().missing(method) is None  # members of classes are no paths


def test_legacy_keras_is_another_package() -> None:
    mean = place_of("tensorflow.keras.backend.learning_phase")
    assert mean is not None
    assert Releases().symbol(mean) is None
    assert Releases(legacy=True).symbol(mean) is not None
    assert Releases(legacy=True).shown(mean).startswith("tf_keras 2.")


def test_members_and_bases() -> None:
    sequential = place_of("keras.models.Sequential")
    assert sequential is not None
    now, before = Releases().class_members(sequential), Releases("2.15").class_members(sequential)
    assert now is not None and before is not None
    assert "fit" in now and "fit" in before
    assert "fit_generator" not in now and "fit_generator" in before
    assert Releases().bases(sequential)[:3] == ("models.Sequential", "Model", "Layer")
    dense = Place("keras", "keras.backend.mean")
    assert Releases().class_members(dense) is None
