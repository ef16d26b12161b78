"""What stands in the place of names that Keras removed: the tables of ``replacements/``, read once.

Each entry names its ``source``; paths are inside Keras (``backend.mean``), since the same name may
have gone from ``keras``, from ``tf.keras`` or from both: that is for the data of the releases to say.
"""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "replacements"


@cache
def table(name: str) -> tuple[dict[str, Any], ...]:
    """The entries of ``replacements/<name>.toml``, in order."""
    data = tomllib.loads((FOLDER / f"{name}.toml").read_text(encoding="utf-8"))
    return tuple(data["entry"])


@cache
def by_name(name: str) -> dict[str, dict[str, Any]]:
    """The same by what each entry replaces (``old``)."""
    return {entry["old"]: entry for entry in table(name)}
