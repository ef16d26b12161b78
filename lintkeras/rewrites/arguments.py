"""Arguments of a call: renamed, made keywords, left out; comments and layout stay."""

from __future__ import annotations

from collections.abc import Sequence

import libcst as cst

from lintkeras.findings import Edit
from lintkeras.rewrites.code import Code


def rename(code: Code, argument: cst.Arg, name: str) -> Edit:
    """Give an argument by another name; one that had none becomes a keyword."""
    if argument.keyword is not None:
        return code.replace(argument.keyword, name)
    start, _ = code.span(argument.value)
    return _edit(code, argument, start, start, f"{name}=")


def write(code: Code, argument: cst.Arg, text: str) -> Edit:
    """Put other text in the place of an argument."""
    first = argument.value if argument.keyword is None else argument.keyword
    return code.replace_all([first, argument.value], text)


def leave_out(code: Code, call: cst.Call, argument: cst.Arg) -> Edit | None:
    """Remove an argument with its comma; comments next to it stay.

    None where a comment inside it would go as well.
    """
    if any(code.comments(argument.value)):
        return None
    (edit,) = leave_out_all(code, call, [argument])
    return edit


def leave_out_all(code: Code, call: cst.Call, gone: Sequence[cst.Arg]) -> list[Edit]:
    """Remove arguments with their commas, neighbours together; comments next to them stay."""
    edits, run = [], list[cst.Arg]()
    for argument in call.args:
        if any(one is argument for one in gone):
            run.append(argument)
        elif run:
            edits.append(_remove(code, call, run))
            run = []
    return [*edits, _remove(code, call, run)] if run else edits


def _remove(code: Code, call: cst.Call, run: Sequence[cst.Arg]) -> Edit:
    source, first = code.source(call), next(i for i, a in enumerate(call.args) if a is run[0])
    start, end = _range(code, run[0])[0], _range(code, run[-1])[1]
    _, close = code.program.local_span(call)
    last = first + len(run) == len(call.args)
    following = close - 1 if last else _range(code, call.args[first + len(run)])[0]
    behind = source[end:following]
    comma = end + behind.partition("#")[0].find(",") + 1 if "," in behind else end
    if "#" in behind:  # the comment stays where it is
        rest = source[comma:following]
        stop = comma + len(rest) - len(rest.lstrip(" ")) if rest.lstrip(" ")[:1] == "#" else comma
        return _edit(code, call, start, stop, "")
    if not last:
        return _edit(code, call, start, following, "")
    if first == 0:
        return _edit(code, call, start, comma, "")
    _, before = _range(code, call.args[first - 1])
    if "#" in source[before:start]:
        return _edit(code, call, start, comma, "")
    return _edit(code, call, before, end, "")


def _range(code: Code, argument: cst.Arg) -> tuple[int, int]:
    """From the star or the keyword of an argument to the end of its value."""
    start, _ = code.program.local_span(argument)
    _, end = code.span(argument.value)
    return start, end


def _edit(code: Code, near: cst.CSTNode, start: int, end: int, text: str) -> Edit:
    return code.program.snippet_of(near).snippet.edit(start, end, text)
