"""Which files a run reads, and with which settings."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path, PurePath

from lintkeras.config import ConfigError, Settings, in_folder
from lintkeras.documents import kind_of
from lintkeras.requirements import target_of

_NOT_WALKED = frozenset({
    ".git", ".hg", ".svn", ".venv", "venv", ".tox", ".nox", ".mypy_cache", ".pytest_cache",
    ".ruff_cache", "__pycache__", "node_modules", "build", "dist", "site-packages",
})  # fmt: skip
"""Folders that a walk from above passes over. What is named is read."""


_KINDS = {
    "python": ("code", "docstrings"), "notebook": ("notebooks",), "markdown": ("docs",),
    "rst": ("docs",),
}  # fmt: skip
"""The words of the setting ``kinds`` for each kind of file."""


@dataclass(frozen=True)
class Source:
    """A file to check: its path as the user wrote it, its kind and its settings."""

    path: Path
    kind: str
    settings: Settings


class Project:
    """Finds files and the nearest settings above each of them.

    ``amend`` puts the command line on top of settings; ``complain`` is told what cannot be read.
    """

    def __init__(
        self, amend: Callable[[Settings], Settings], complain: Callable[[str], None]
    ) -> None:
        self._amend = amend
        self._complain = complain
        self._settings: dict[Path, Settings | None] = {}
        self._inferred: set[Path] = set()
        """Folders whose settings name no ``target-keras``."""

    def sources(self, path: str) -> Iterator[Source]:
        """The files that a path of the command line stands for, in a stable order."""
        if os.path.isdir(path):
            for file in self._walk(Path(path)):
                settings = self.settings(file.parent)
                kind = settings and kind_of(file.name, settings.extension)
                if settings and kind and _wanted(kind, settings) and not excluded(file, settings):
                    yield Source(file, kind, settings)
        elif not os.path.exists(path):
            self._complain(f"{path}: no such file or directory")
        elif not os.path.isfile(path):
            self._complain(f"{path}: neither a file nor a directory")
        elif source := self.source(Path(path)):
            yield source

    def source(self, path: Path) -> Source | None:
        """A file that is named; None where it is excluded or of no known kind."""
        settings = self.settings(path.parent)
        if settings is None or excluded(path, settings):
            return None
        kind = kind_of(path.name, settings.extension)
        if kind is None:
            known = f"--extension {path.suffix.removeprefix('.') or 'EXT'}:markdown"
            self._complain(f"{path}: no kind of file that lintkeras reads (say it by {known})")
            return None
        return Source(path, kind, settings) if _wanted(kind, settings) else None

    def settings(self, folder: Path) -> Settings | None:
        """The settings of the files in a folder; None (and a complaint) where they are wrong."""
        return self._resolve(Path(os.path.abspath(folder)))

    def _resolve(self, folder: Path) -> Settings | None:
        if folder not in self._settings:
            try:
                own = in_folder(folder)
            except ConfigError as error:
                self._complain(str(error))
                self._settings[folder] = None
                return None
            if own is None and folder.parent != folder:
                settings = self._resolve(folder.parent)
                inferred = folder.parent in self._inferred
            else:
                settings = self._amend(own or Settings(root=folder))
                inferred = settings.target_keras is None
            if inferred:
                # what no setting says, the nearest requirements say
                self._inferred.add(folder)
                target = target_of(folder)
                if settings is not None and target is not None:
                    settings = replace(settings, target_keras=target)
            self._settings[folder] = settings
        return self._settings[folder]

    def _walk(self, path: Path) -> Iterator[Path]:
        def trouble(error: OSError) -> None:
            self._complain(f"{error.filename}: {error.strerror}")

        for folder, folders, names in os.walk(path, onerror=trouble):
            here = Path(folder)
            settings = self.settings(here)
            folders[:] = sorted(
                name
                for name in folders
                if name not in _NOT_WALKED
                and not os.path.exists(here / name / "pyvenv.cfg")
                and not (settings and excluded(here / name, settings))
            )
            yield from (here / name for name in sorted(names) if os.path.isfile(here / name))


def _wanted(kind: str, settings: Settings) -> bool:
    """Whether the settings want files of a kind."""
    return any(one in settings.kinds for one in _KINDS[kind])


def excluded(path: PurePath, settings: Settings) -> bool:
    """Whether a path is left out.

    A pattern with a slash is matched against the path from the settings' folder, another one
    against each name in it.
    """
    return any(fits(path, pattern, settings) for pattern in settings.exclude)


def fits(path: PurePath, pattern: str, settings: Settings) -> bool:
    """Whether a pattern of the settings matches a path or a folder of it."""
    try:
        relative = Path(os.path.abspath(path)).relative_to(os.path.abspath(settings.root))
    except ValueError:
        return False
    return any(_matches(part, pattern) for part in [relative, *relative.parents][:-1])


def _matches(path: PurePath, pattern: str) -> bool:
    pattern = pattern.rstrip("/").removeprefix("./")
    if "/" not in pattern:
        return fnmatchcase(path.name, pattern)
    anywhere = pattern.removeprefix("**/")
    return any(fnmatchcase(path.as_posix(), p.lstrip("/")) for p in (pattern, anywhere))
