"""An ``Input`` in front of the first layer of a Sequential, for what that layer was told itself."""

from __future__ import annotations

from collections.abc import Sequence

import libcst as cst

from lintkeras.findings import Edit
from lintkeras.rewrites.arguments import leave_out_all
from lintkeras.rewrites.code import Code
from lintkeras.rewrites.imports import Library, insert, reach


def put_in_front(
    code: Code,
    layer: cst.Call,
    place: cst.Element | cst.Call,
    root: str,
    given: str,
    gone: Sequence[cst.Arg],
) -> list[Edit]:
    """The edits that put ``Input(given)`` before a layer and take arguments out of that.

    ``place`` is the element of the list that holds the layer, or the call of ``add``.
    """  # fmt: skip
    top = code.program.top_level_statement(layer)
    found = _input(code, root, top)
    text = f"{found.expression}({given})"
    imports = insert(code, top, [], [found.missing]) if found.missing else []
    one = code.program.snippet_of(layer).snippet
    source = code.source(layer)
    start, _ = code.program.local_span(place)
    line = source.rfind("\n", 0, start) + 1
    before = source[line:start]
    own_line = not before.strip()
    if isinstance(place, cst.Call):
        assert isinstance(place.func, cst.Attribute)
        owner = code.text(place.func.value)
        new = one.edit(line, line, f"{before}{owner}.add({text})\n")
    else:
        new = one.edit(start, start, f"{text},\n{before}" if own_line else f"{text}, ")
    return [*imports, new, *leave_out_all(code, layer, gone)]


def _input(code: Code, root: str, before: cst.CSTNode) -> Library:
    """How the code can write ``Input``: as it writes the other layers, else by an import."""
    choices = [reach(code, f"{root}.{path}", before) for path in ("Input", "layers.Input")]
    there = [one for one in choices if one.missing is None]
    return min(there, key=lambda one: len(one.expression)) if there else choices[1]
