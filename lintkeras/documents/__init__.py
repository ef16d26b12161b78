"""Documents: what a file holds, by kind. A new kind of file is a new reader here."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from importlib import import_module
from pathlib import PurePath

from lintkeras.documents.model import Document, DocumentError, Piece, Prose, Snippet

__all__ = ["KINDS", "Document", "DocumentError", "Piece", "Prose", "Snippet", "kind_of", "read"]

KINDS = ("python", "markdown", "notebook", "rst")
_EXTENSIONS = {
    "py": "python", "pyi": "python", "md": "markdown", "markdown": "markdown",
    "ipynb": "notebook", "rst": "rst",
}  # fmt: skip


def kind_of(path: str, extensions: Mapping[str, str]) -> str | None:
    """The kind of a file by its extension; ``extensions`` adds to the known ones."""
    suffix = PurePath(path).suffix.removeprefix(".").lower()
    return extensions.get(suffix) or _EXTENSIONS.get(suffix)


def read(path: str, data: bytes, kind: str, languages: Collection[str] = ()) -> Document:
    """Read a file of a known kind. Raises DocumentError where its bytes are no such file.

    ``languages`` are further names of Python on the fences of pages.
    """
    reader = import_module(f"lintkeras.documents.{kind}")
    return reader.read(path, data, languages)  # type: ignore[no-any-return]
