"""Which files a run reads."""

from __future__ import annotations

import os
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

from lintkeras.config import Settings
from lintkeras.documents import kind_of


def files(path: Path, settings: Settings) -> Iterator[Path]:
    """The files below ``path`` that can be read, in a stable order, without the excluded."""
    if path.is_file():
        if not excluded(path, settings):
            yield path
        return
    for folder, folders, names in os.walk(path):
        here = Path(folder)
        folders[:] = sorted(name for name in folders if not excluded(here / name, settings))
        for name in sorted(names):
            file = here / name
            if kind_of(name, settings.extension) and not excluded(file, settings):
                yield file


def excluded(path: Path, settings: Settings) -> bool:
    """Whether a pattern matches the path or a folder of it, relative to the settings' root."""
    absolute = Path(os.path.abspath(path))
    try:
        relative = absolute.relative_to(os.path.abspath(settings.root))
    except ValueError:
        relative = Path(absolute.name)
    parents = [relative, *relative.parents][:-1]
    return any(
        fnmatch(part.as_posix(), pattern.rstrip("/")) or fnmatch(part.name, pattern.rstrip("/"))
        for part in parents
        for pattern in settings.exclude
    )
