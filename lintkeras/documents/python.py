"""Python files: one snippet, the whole text."""

from __future__ import annotations

import codecs
import io
import tokenize
from collections.abc import Collection

from lintkeras.documents.model import (
    Document,
    DocumentError,
    Piece,
    Snippet,
    line_feeds,
    newline_of,
)


def read(path: str, data: bytes, languages: Collection[str] = ()) -> Document:
    """Decode by byte-order mark or coding comment (PEP 263), else as UTF-8.

    Raises DocumentError where the bytes are not in that encoding.
    """
    bom = codecs.BOM_UTF8 if data.startswith(codecs.BOM_UTF8) else b""
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
    except SyntaxError as error:
        decode(data[len(bom) :], "utf-8", len(bom))  # the byte that does not fit says more
        raise DocumentError(f"cannot be decoded: {error.msg}") from error
    encoding = "utf-8" if encoding == "utf-8-sig" else encoding
    text = decode(data[len(bom) :], encoding, len(bom))
    whole = (Piece(0, 0, len(text)),)
    snippet = Snippet(line_feeds(text), whole, newline=newline_of(text), strict=True)
    return Document(path, "python", text, encoding, bom, (snippet,))


def decode(data: bytes, encoding: str, offset: int = 0) -> str:
    """``data`` as text; raises DocumentError with the first byte that does not fit.

    ``offset`` is where in the file ``data`` begins.
    """
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        at = error.start + offset
        message = f"cannot be decoded as {encoding}: byte 0x{data[error.start]:02x} at offset {at}"
        raise DocumentError(message, at) from error
    except (LookupError, ValueError) as error:  # a codec that is not for text, or its own failure
        raise DocumentError(f"cannot be decoded as {encoding}: {error}") from error
