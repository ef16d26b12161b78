"""Reports: one module an output format, from the same findings.

A format is a module here with a function ``write(reports, color)`` that yields lines; its name is
the name of the format.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from lintkeras.engine import FileReport

    Writer = Callable[[Iterable[FileReport], bool], Iterator[str]]

FORMATS = tuple(sorted(module.name for module in pkgutil.iter_modules(__path__)))


def writer(name: str) -> Writer:
    """The function that writes a format: reports and whether colours are wanted -> lines."""
    return cast("Writer", importlib.import_module(f"{__name__}.{name}").write)
