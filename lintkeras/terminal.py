"""Text for the streams of a terminal: safe, encodable, in colour where it is wanted."""

from __future__ import annotations

import os
import unicodedata
from typing import TextIO

_COLORS = {"error": "1;31", "warning": "1;33", "info": "1;36", "added": "32", "removed": "31"}


def clean(text: str) -> str:
    """A line without control characters and bidirectional marks: they are shown, not sent."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(map(_shown, text))


def _shown(character: str) -> str:
    if character.isprintable() or unicodedata.category(character) == "Zs":
        return character
    if character == "\t":
        return "    "
    return character.encode("unicode_escape").decode("ascii")


def cells(text: str) -> int:
    """How many cells of a terminal a clean text takes."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.category(c) in ("Mn", "Me")
        else 2 if unicodedata.east_asian_width(c) in "WF" else 1
        for c in text
    )  # fmt: skip


def wants_color(stream: TextIO | None) -> bool:
    """Whether a stream is a terminal that shows colours, and nobody said NO_COLOR."""
    if stream is None or os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return False
    return stream.isatty()


def paint(text: str, role: str, color: bool) -> str:
    """Text in the colour of its role, if colours are wanted."""
    code = _COLORS.get(role)
    return f"\x1b[{code}m{text}\x1b[0m" if color and code else text


def write(stream: TextIO | None, text: str) -> None:
    """Write a line, whatever the stream can encode (and if there is one)."""
    if stream is not None:
        encoding = stream.encoding or "utf-8"
        stream.write(text.encode(encoding, "backslashreplace").decode(encoding) + "\n")


def write_bytes(stream: TextIO | None, line: bytes) -> None:
    """Write a line as it is, but to a terminal only what is clean."""
    if stream is not None and stream.isatty():
        write(stream, clean(line.decode("utf-8", "replace").rstrip("\r\n")))
    elif stream is not None:
        stream.buffer.write(line)
