"""Which project file an import names, found on disk without importing anything.

Only files of the project count: what the file at hand can reach by a relative import, in its own
package, beside it, or below the project's root. Installed packages are never followed.
"""

from __future__ import annotations

import ast
import os
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    import libcst as cst

    from lintkeras.documents import Snippet

T = TypeVar("T")

_ROOT_MARKS = ("pyproject.toml", "setup.py", "setup.cfg", "lintkeras.toml", ".git")
_LARGEST = 400_000
"""Bytes; a larger module is not followed."""
_KEPT = 48
"""Parsed modules of each kind that are kept for the next file that imports them."""


class _Latest(Generic[T]):
    """What ``make`` makes of a path, kept for the paths that were asked for last."""

    def __init__(self, make: Callable[[str], T | None]) -> None:
        self._make = make
        self._made: OrderedDict[str, T | None] = OrderedDict()

    def __call__(self, path: str) -> T | None:
        if path in self._made:
            self._made.move_to_end(path)
        else:
            self._made[path] = self._make(path)
            if len(self._made) > _KEPT:
                self._made.popitem(last=False)
        return self._made[path]


class ProjectModules:
    """Finds and parses the modules of a project; one for each run."""

    def __init__(self) -> None:
        self._search_paths: dict[str, tuple[str, ...]] = {}
        self._found: dict[tuple[str, str], str | None] = {}
        self._parsed: _Latest[cst.Module] = _Latest(_parse)
        self._outlines: _Latest[ast.Module] = _Latest(_outline)

    def locate(self, module: str, importer: str) -> str | None:
        """The file of ``module`` (with leading dots where relative) as ``importer`` imports it."""
        folder = os.path.dirname(os.path.abspath(importer))
        key = (module, folder)
        if key not in self._found:
            self._found[key] = self._search(module, folder)
        return self._found[key]

    def _search(self, module: str, folder: str) -> str | None:
        name = module.lstrip(".")
        dots = len(module) - len(name)
        if dots:
            for _ in range(dots - 1):
                folder = os.path.dirname(folder)
            return _file_of(folder, name)
        path = self._search_path(folder)
        own = os.path.relpath(folder, path[0]).partition(os.sep)[0]
        rooted = any(os.path.exists(os.path.join(path[-1], mark)) for mark in _ROOT_MARKS)
        if not rooted and own != "." and own != name.partition(".")[0]:
            return None  # an installed package: what lies beside it is no part of it
        for root in path:
            found = _file_of(root, name)
            if found is not None:
                return found
        return None

    def _search_path(self, folder: str) -> tuple[str, ...]:
        """The folders in which an absolute import of the project begins, nearest first."""
        if folder not in self._search_paths:
            top = Path(folder)
            while (top / "__init__.py").is_file() and top.parent != top:
                top = top.parent
            places = [top]
            for place in top.parents:
                if any((places[-1] / mark).exists() for mark in _ROOT_MARKS):
                    break
                places.append(place)
            else:  # no project around it
                places = [top]
            self._search_paths[folder] = tuple(map(str, places))
        return self._search_paths[folder]

    def package(self, path: str) -> str:
        """The outermost package that a file is part of, also from a folder in it that is none.

        Empty where it is in none.
        """
        folder = Path(os.path.dirname(os.path.abspath(path)))
        for inner in (folder, *folder.parents):
            if (inner / "__init__.py").is_file():
                top = self._search_path(str(inner))[0]
                return os.path.relpath(inner, top).partition(os.sep)[0]
            if any((inner / mark).exists() for mark in _ROOT_MARKS):
                break
        return ""

    def parse(self, path: str) -> cst.Module | None:
        """The CST of a project file; None where it cannot be read or parsed."""
        return self._parsed(path)

    def outline(self, path: str) -> ast.Module | None:
        """What Python itself reads in a project file; None where it cannot be read or parsed."""
        return self._outlines(path)


def _file_of(folder: str, name: str) -> str | None:
    """``folder/a/b.py`` or ``folder/a/b/__init__.py`` for ``a.b``."""
    base = os.path.join(folder, *name.split(".")) if name else folder
    package = os.path.join(base, "__init__.py")
    for path in [f"{base}.py", package] if name else [package]:
        if os.path.isfile(path):
            return os.path.realpath(path)
    return None


def _parse(path: str) -> cst.Module | None:
    from lintkeras.syntax.parse import ParseFailure, parse_snippet

    snippet = _read(path)
    try:
        return parse_snippet(snippet).module if snippet is not None else None
    except ParseFailure:
        return None


def _outline(path: str) -> ast.Module | None:
    from lintkeras.syntax.parse import outline

    snippet = _read(path)
    return outline(snippet.source) if snippet is not None else None


def _read(path: str) -> Snippet | None:
    """The code of a project file; None where it is too large or cannot be read."""
    from lintkeras.documents import DocumentError, read

    try:
        if os.path.getsize(path) > _LARGEST:
            return None
        return read(path, Path(path).read_bytes(), "python").snippets[0]
    except (OSError, DocumentError):
        return None
