"""Documents: what a file holds, by kind. A new kind of file is a new reader here."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePath

from lintkeras.documents.model import Document, DocumentError, Piece, Prose, Snippet

__all__ = ["KINDS", "Document", "DocumentError", "Piece", "Prose", "Snippet", "kind_of", "read"]

KINDS = ("python", "markdown")
_EXTENSIONS = {"py": "python", "pyi": "python", "md": "markdown", "markdown": "markdown"}


def kind_of(path: str, extensions: Mapping[str, str]) -> str | None:
    """The kind of a file by its extension; ``extensions`` adds to the known ones."""
    suffix = PurePath(path).suffix.removeprefix(".").lower()
    return extensions.get(suffix) or _EXTENSIONS.get(suffix)


def read(path: str, data: bytes, kind: str) -> Document:
    """Read a file of a known kind. Raises DocumentError where its bytes are no such file."""
    if kind == "python":
        from lintkeras.documents.python import read as read_python

        return read_python(path, data)
    from lintkeras.documents.markdown import read as read_markdown

    return read_markdown(path, data)
