"""Settings: one table of options, read from ``[tool.lintkeras]`` or ``lintkeras.toml``."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

KINDS_OF_TEXT = ("code", "docstrings", "notebooks", "docs")
FAIL_ON = ("error", "warning", "info", "never")


class ConfigError(Exception):
    """A setting that cannot be used: place, reason and a suggestion."""


@dataclass(frozen=True)
class Docs:
    """How pages are read."""

    languages: tuple[str, ...] = ()
    """Further names of Python on the fences of pages."""
    shared_namespace: str = "page"
    """What shares its names: the blocks of a ``page``, or only the lines of a ``block``."""
    on_syntax_error: str = "report"
    """What is done with an example that is no Python: ``report`` (LK801) or ``ignore``."""


@dataclass(frozen=True)
class Settings:
    """The resolved settings of one file. ``root`` is where its patterns are relative to."""

    select: tuple[str, ...] = ()
    """None: the rules that their pages turn on."""
    ignore: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    extension: Mapping[str, str] = field(default_factory=dict)
    fail_on: str = "warning"
    target_keras: str | None = None
    kinds: tuple[str, ...] = KINDS_OF_TEXT
    per_file_ignores: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    docs: Docs = field(default_factory=lambda: Docs())
    root: Path = field(default_factory=Path)


def in_folder(folder: Path) -> Settings | None:
    """The settings that stand in a folder itself. Raises ConfigError."""
    own, project = folder / "lintkeras.toml", folder / "pyproject.toml"
    if own.is_file():
        return from_table(_load(own), f"{own}: ", folder)
    if project.is_file():
        table = _load(project).get("tool", {}).get("lintkeras")
        if table is not None:
            return from_table(table, f"{project}: tool.lintkeras.", folder)
    return None


def _load(path: Path) -> dict[str, Any]:
    try:
        data = path.read_bytes()
        if path.name == "pyproject.toml" and b"lintkeras" not in data:
            return {}  # whatever it holds: it is not about us
        import tomllib

        return tomllib.loads(data.decode("utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path}: {getattr(error, 'strerror', None) or error}") from error


def from_table(table: object, where: str, root: Path) -> Settings:
    """Check a table of settings. Raises ConfigError with the key and a suggestion."""
    return replace(Settings(root=root), **_checked(table, _OPTIONS, where))


def _checked(
    table: object, options: Mapping[str, Callable[[object], object]], where: str
) -> dict[str, Any]:
    """The values of a table, by the names that they have here."""
    if not isinstance(table, dict):
        raise ConfigError(f"{where.rstrip('.')}: must be a table" if where else "must be a table")
    values: dict[str, Any] = {}
    for key, value in table.items():
        if key not in options:
            raise ConfigError(f"{where}{key}: unknown setting{did_you_mean(key, options)}")
        try:
            values[key.replace("-", "_")] = options[key](value)
        except ConfigError as error:
            inside = isinstance(value, dict) and options[key] is docs
            raise ConfigError(f"{where}{key}{'.' if inside else ': '}{error}") from error
    return values


def did_you_mean(word: str, known: Collection[str]) -> str:
    """A suggestion to end a message with, where something known is close."""
    from difflib import SequenceMatcher, get_close_matches

    spelled = {one.lower(): one for one in known}

    def closeness(one: str) -> tuple[float, int]:  # of equally close ones, what begins alike
        matcher = SequenceMatcher(None, one, word.lower())
        block = matcher.get_matching_blocks()[0]
        return matcher.ratio(), 0 if block.a or block.b else block.size

    close = get_close_matches(word.lower(), spelled, 8)
    return f"; did you mean {spelled[max(close, key=closeness)]}?" if close else ""


def rules(value: object) -> tuple[str, ...]:
    """Selectors that stand for rules."""
    from lintkeras.rulebook import UnknownRule, load

    try:
        load().select(selectors := strings(value))
    except UnknownRule as error:
        raise ConfigError(str(error)) from error
    return selectors


def strings(value: object) -> tuple[str, ...]:
    """A list of strings."""
    if not isinstance(value, (list, tuple)) or not all(isinstance(item, str) for item in value):
        raise ConfigError("must be a list of strings")
    return tuple(value)


def extensions(value: object) -> dict[str, str]:
    """Extensions without dots, each with a kind that exists."""
    from lintkeras.documents import KINDS

    if not isinstance(value, dict) or not all(isinstance(kind, str) for kind in value.values()):
        raise ConfigError("must be a table of strings")
    for extension, kind in value.items():
        if kind not in KINDS:
            known = f"there are {' and '.join(KINDS)}"
            raise ConfigError(
                f"{extension}: no kind {kind!r}{did_you_mean(kind, KINDS) or f'; {known}'}"
            )
    return {extension.removeprefix(".").lower(): kind for extension, kind in value.items()}


def kinds(value: object) -> tuple[str, ...]:
    """Kinds of text that are read."""
    for kind in (known := strings(value)):
        one_of(KINDS_OF_TEXT)(kind)
    return known


def per_file_ignores(value: object) -> dict[str, tuple[str, ...]]:
    """Patterns of paths, each with rules."""
    if not isinstance(value, dict):
        raise ConfigError("must be a table of lists")
    return {pattern: rules(selectors) for pattern, selectors in value.items()}


def one_of(known: tuple[str, ...]) -> Callable[[object], str]:
    """A word of a few."""

    def check(value: object) -> str:
        if not isinstance(value, str) or value not in known:
            raise ConfigError(f"must be one of {', '.join(known)}{did_you_mean(str(value), known)}")
        return value

    return check


def docs(value: object) -> Docs:
    """The table of how pages are read."""
    return Docs(**_checked(value, _OF_DOCS, ""))


def target_keras(value: object) -> str:
    """A version, or conditions on it, as a text."""
    from lintkeras.target import TargetError, parse

    if not isinstance(value, str):
        raise ConfigError('must be a string such as "3" or ">=3.1"')
    try:
        parse(value)
    except TargetError as error:
        raise ConfigError(str(error)) from error
    return value


_OPTIONS: dict[str, Callable[[object], object]] = {
    "select": rules, "ignore": rules, "exclude": strings, "extension": extensions,
    "fail-on": one_of(FAIL_ON), "target-keras": target_keras, "kinds": kinds,
    "per-file-ignores": per_file_ignores, "docs": docs,
}  # fmt: skip
_OF_DOCS: dict[str, Callable[[object], object]] = {
    "languages": strings, "shared-namespace": one_of(("page", "block")),
    "on-syntax-error": one_of(("report", "ignore")),
}  # fmt: skip
