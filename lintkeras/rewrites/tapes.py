"""LK110's fix: a tape that is used again is made persistent."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from lintkeras.findings import Applicability, Fix
from lintkeras.meaning.library import argument_node
from lintkeras.rewrites.code import Code


def make_persistent(code: Code, tape: cst.Call) -> Iterator[Fix]:
    """Give the tape ``persistent=True``: what must raise now runs."""
    if any(argument.star for argument in tape.args):
        return
    given = argument_node(tape, "persistent", 0)
    if given is not None:
        edit = code.replace(given.value, "True")
    else:
        edit = code.add_argument(tape, "persistent=True")
    yield Fix("persistent", "make the tape persistent", Applicability.SAFE, (edit,))
