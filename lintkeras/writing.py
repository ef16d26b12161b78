"""What fixes leave behind: a file replaced as a whole, or a unified diff."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path


def replace_file(path: Path, data: bytes) -> None:
    """Replace a file (or what a link leads to) at once, keeping its mode. Raises OSError."""
    import tempfile

    target = os.path.realpath(path)
    if not os.access(target, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), target)
    handle, temporary = tempfile.mkstemp(dir=os.path.dirname(target), prefix=".lintkeras-")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
        os.chmod(temporary, os.stat(target).st_mode)
        os.replace(temporary, target)
    except BaseException:
        os.unlink(temporary)
        raise


def unified_diff(name: str, old: bytes, new: bytes) -> Iterator[bytes]:
    """The lines of a diff, each with its newline; the bytes of the lines stay as they are."""
    import difflib

    header = os.fsencode(name)
    for line in difflib.diff_bytes(difflib.unified_diff, _lines(old), _lines(new), header, header):
        if line.endswith(b"\n"):
            yield line
        else:
            yield line + b"\n\\ No newline at end of file\n"


def _lines(data: bytes) -> list[bytes]:
    lines = [line + b"\n" for line in data.split(b"\n")]
    lines[-1] = lines[-1][:-1]
    return lines if lines[-1] else lines[:-1]
