"""Edits of the arguments of a call."""

from __future__ import annotations

import libcst as cst

from lintkeras.findings import Edit
from lintkeras.rewrites.code import Code


def without(code: Code, call: cst.Call, argument: cst.Arg) -> Edit | None:
    """Remove an argument; None where a comment would go with it."""
    index = next(i for i, one in enumerate(call.args) if one is argument)
    if any(code.comments(argument)):
        return None
    start, end = _span(code, argument)
    if index > 0:
        start = _span(code, call.args[index - 1])[1]
    elif len(call.args) > 1:
        end = _span(code, call.args[1])[0]
    return code.program.snippet_of(call).snippet.edit(start, end, "")


def _span(code: Code, argument: cst.Arg) -> tuple[int, int]:
    """The range of an argument without the comma behind it."""
    first = argument.keyword if argument.keyword is not None else argument.value
    return code.span(first)[0], code.span(argument.value)[1]
