"""``merge(layers, mode=...)`` of Keras 1 as the function of its mode."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import libcst as cst

from lintkeras.findings import Edit
from lintkeras.rewrites.arguments import leave_out_all, rename
from lintkeras.rewrites.code import Code

_INPUTS, _MODE = 0, 1


@dataclass(frozen=True)
class Merging:
    """A call of ``merge`` whose mode is known."""

    node: cst.Call
    name: str
    """The function that does it now."""
    rename: Mapping[str, str]
    add: Mapping[str, str]


def merged(code: Code, call: Merging, others: Mapping[cst.Call, Merging]) -> list[Edit] | None:
    """The edits of a call; of an imported name, those of all its calls and of the import."""
    match call.node.func:
        case cst.Attribute(attr=attr):
            edits = _arguments(code, call)
            return None if edits is None else [*edits, code.replace(attr, call.name)]
        case cst.Name() as name:
            return _everywhere(code, name, others)
    return None


def _arguments(code: Code, call: Merging) -> list[Edit] | None:
    node = call.node
    plain = [a for a in node.args if a.keyword is None]
    if any(a.star for a in node.args) or len(plain) > _MODE + 1:
        return None
    gone = plain[_MODE:]
    edits: list[Edit] = []
    taken: set[str] = set()
    for argument in node.args:
        if argument.keyword is None:
            continue
        name = argument.keyword.value
        if name == "mode":
            gone.append(argument)
        elif name in call.rename:
            edits.append(rename(code, argument, call.rename[name]))
            taken.add(call.rename[name])
        elif name not in ("name", "inputs"):
            return None
    more = [text for name, text in call.add.items() if name not in taken]
    if not more:
        return [*edits, *leave_out_all(code, node, gone)]
    if len(gone) != 1 or any(code.comments(gone[0])):
        return None
    (mode,) = gone
    first = mode.value if mode.keyword is None else mode.keyword
    return [*edits, code.replace_all([first, mode.value], ", ".join(more))]


def _everywhere(
    code: Code, name: cst.Name, others: Mapping[cst.Call, Merging]
) -> list[Edit] | None:
    variable = code.names.variable(name)
    if variable is None or len(variable.stores) != 1 or variable.deleted:
        return None
    alias = code.program.parent(variable.stores[0])
    statement = code.program.parent(alias) if isinstance(alias, cst.ImportAlias) else None
    if not isinstance(alias, cst.ImportAlias) or not isinstance(statement, cst.ImportFrom):
        return None
    edits: list[Edit] = []
    new: list[str] = []
    for load in variable.loads:
        user = code.program.parent(load)
        call = others.get(user) if isinstance(user, cst.Call) and user.func is load else None
        more = _arguments(code, call) if call is not None else None
        if call is None or more is None:
            return None
        edits += [*more, code.replace(load, call.name)]
        if call.name not in new:
            new.append(call.name)
    if alias.asname is not None or any(one in code.names.all for one in new) or not new:
        return None
    return [code.replace(alias.name, ", ".join(new)), *edits]
