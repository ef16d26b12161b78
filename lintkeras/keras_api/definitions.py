"""Where the public names of Keras are defined: the way from a private path to the public one.

``data/<package>.definitions`` has a line for each module behind the API: its path, a tab, and
``name=public`` for each name of it that is public (``public`` without the package's name).
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from lintkeras import keras_api

_DATA = Path(__file__).parent / "data"
PACKAGES: tuple[keras_api.Name, ...] = ("keras", "tf_keras")
"""The packages that keep their sources below ``<package>.src``."""


def public_path(path: str) -> str | None:
    """The public path of what stands at a private one (``keras.src.layers.Dense``).

    None where nothing public is that very thing. The sources of Keras 2.13 to 2.15 are those of
    tf_keras.
    """
    package, _, rest = path.partition(".")
    if package not in PACKAGES:
        return None
    module, _, name = rest.rpartition(".")
    for known in (package, "tf_keras"):
        found = _read(known).get(module, {}).get(name)
        if found is not None:
            return f"{package}.{found}"
    return None


@cache
def _read(package: str) -> dict[str, dict[str, str]]:
    found = {}
    text = (_DATA / f"{package}.definitions").read_text(encoding="utf-8")
    for line in text.splitlines():
        module, _, names = line.partition("\t")
        pairs = (pair.split("=") for pair in names.split(" "))
        found[f"src{module}"] = {pair[0]: pair[1] for pair in pairs}
    return found
