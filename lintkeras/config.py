"""Settings: one table of options, read from ``[tool.lintkeras]`` or ``lintkeras.toml``."""

from __future__ import annotations

import difflib
import tomllib
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

DEFAULT_EXCLUDE = (
    ".git", ".hg", ".svn", ".venv", "venv", ".tox", ".nox", ".mypy_cache", ".pytest_cache",
    ".ruff_cache", "__pycache__", "node_modules", "build", "dist", "site-packages",
)  # fmt: skip
FAIL_ON = ("error", "warning", "info", "never")


class ConfigError(Exception):
    """A setting that cannot be used: file, key and reason."""


@dataclass(frozen=True)
class Settings:
    """The resolved settings of one file. ``root`` is where its patterns are relative to."""

    select: tuple[str, ...] = ("ALL",)
    ignore: tuple[str, ...] = ()
    exclude: tuple[str, ...] = DEFAULT_EXCLUDE
    extension: dict[str, str] = field(default_factory=dict)
    fail_on: str = "warning"
    target_keras: str | None = None
    root: Path = field(default_factory=Path)


_KINDS: dict[str, type] = {
    "select": list, "ignore": list, "exclude": list, "extension": dict, "fail-on": str,
    "target-keras": str,
}  # fmt: skip


def find(start: Path) -> Settings:
    """The settings of the nearest configuration file above ``start``."""
    for folder in (start, *start.parents):
        own = folder / "lintkeras.toml"
        if own.is_file():
            return from_table(_load(own), own)
        project = folder / "pyproject.toml"
        if project.is_file():
            table = _load(project).get("tool", {}).get("lintkeras")
            if table is not None:
                return from_table(table, project)
    return Settings(root=start)


def _load(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{path}: {error}") from error


def from_table(table: object, path: Path) -> Settings:
    """Check a table of settings. Raises ConfigError with the key and a suggestion."""
    if not isinstance(table, dict):
        raise ConfigError(f"{path}: tool.lintkeras is no table")
    values: dict[str, Any] = {}
    for key, value in table.items():
        if key not in _KINDS:
            close = difflib.get_close_matches(key, _KINDS, 1)
            hint = f"; did you mean {close[0]}?" if close else ""
            raise ConfigError(f"{path}: unknown setting {key!r}{hint}")
        kind = _KINDS[key]
        items = value if kind is list else value.values() if isinstance(value, dict) else ()
        if not isinstance(value, kind) or not all(isinstance(item, str) for item in items):
            raise ConfigError(f"{path}: {key} must be a {kind.__name__} of strings")
        values[key.replace("-", "_")] = tuple(value) if isinstance(value, list) else value
    if values.get("fail_on", "warning") not in FAIL_ON:
        raise ConfigError(f"{path}: fail-on must be one of {', '.join(FAIL_ON)}")
    settings = replace(Settings(root=path.parent), **values)
    return replace(settings, extension=extensions(settings.extension, str(path)))


def extensions(given: dict[str, str], where: str) -> dict[str, str]:
    """Extensions without dots, each with a kind that exists."""
    from lintkeras.documents import KINDS

    for extension, kind in given.items():
        if kind not in KINDS:
            raise ConfigError(
                f"{where}: extension {extension}: no kind {kind!r} ({', '.join(KINDS)})"
            )
    return {extension.removeprefix(".").lower(): kind for extension, kind in given.items()}
