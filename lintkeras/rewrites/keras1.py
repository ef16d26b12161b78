"""Calls in the manner of Keras 1, as Keras 2 and 3 write them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import libcst as cst

from lintkeras.findings import Edit
from lintkeras.keras_api import Symbol as Signature
from lintkeras.keras_api.arguments import Entry
from lintkeras.rewrites.arguments import leave_out_all, rename
from lintkeras.rewrites.code import Code
from lintkeras.rewrites.imports import reach
from lintkeras.rewrites.names import Variable


@dataclass(frozen=True)
class OldCall:
    """A call as Keras 1 took it.

    ``values`` are the constants given, as source, by argument; ``entry`` says what an old
    parameter is called now.
    """

    node: cst.Call
    parameters: Sequence[str]
    """The parameters of Keras 1, in order; none where the order has not changed."""
    new: Signature
    name: str
    """The name of the class or function now."""
    parts: Mapping[str, Sequence[str]]
    entry: Callable[[str], Entry | None]
    values: Mapping[str, str]

    def changed(self, name: str) -> Entry | None:
        """What became of a parameter; None for one that there still is."""
        return None if any(p.name == name for p in self.new.parameters) else self.entry(name)

    def parameter(self, name: str) -> str:
        """What a parameter is called now."""
        found = self.changed(name)
        return found.new if found is not None and found.new else name


def arguments_of(code: Code, call: OldCall) -> list[Edit] | None:
    """The edits that give the arguments as they are given now; None where that is not certain.

    Arguments with a name that have nothing in their place stay.
    """
    node = call.node
    if any(a.star for a in node.args):
        return None
    plain = [a for a in node.args if a.keyword is None]
    positional = _positional(code, call, plain)
    if positional is None:
        return None
    edits, taken = positional
    gone: list[cst.Arg] = []
    named = [a for a in node.args if a.keyword is not None]
    joined = _joined(code, call, named)
    if joined is None:
        return None
    edits += joined[0]
    for argument in named:
        assert argument.keyword is not None
        name = argument.keyword.value
        if any(argument is one for one in joined[1]):
            continue
        entry = call.changed(name)
        text = call.values.get(name, "")
        if entry is None:
            taken.append(name)
        elif entry.drop or (text and text == entry.default):
            gone.append(argument)
        elif text in entry.write:
            new = entry.write[text]
            edits.append(code.replace_all([argument.keyword, argument.value], new))
            taken.append(new.partition("=")[0])
        elif not entry.new or (entry.values and text not in entry.values):
            taken.append(name)  # that is for a person to do
        else:
            edits.append(rename(code, argument, entry.new))
            if entry.values:
                edits.append(code.replace(argument.value, entry.values[text]))
            taken.append(entry.new)
    taken += joined[2]
    if len({*taken}) < len(taken):
        return None
    return [*edits, *leave_out_all(code, node, gone)]


def _positional(
    code: Code, call: OldCall, plain: Sequence[cst.Arg]
) -> tuple[list[Edit], list[str]] | None:
    """The edits of the arguments without a name, and the parameters that they are now."""
    edits: list[Edit] = []
    if not call.parameters:
        return edits, [str(index) for index in range(len(plain))]
    taken: list[str] = []
    now = [p.name for p in call.new.parameters if p.kind == "positional"]
    index, named = 0, False
    while index < len(plain):
        if index >= len(call.parameters):
            return None
        old = call.parameters[index]
        whole = next((k for k, names in call.parts.items() if names and names[0] == old), None)
        count = 1 if whole is None else len(call.parts[whole])
        group = plain[index : index + count]
        new = call.parameter(old) if whole is None else whole
        entry = call.changed(old)
        if len(group) < count or (entry is not None and (entry.values or not entry.new)):
            return None
        named = named or len(taken) >= len(now) or now[len(taken)] != new
        start, _ = code.span(group[0].value)
        _, end = code.span(group[-1].value)
        snippet = code.program.snippet_of(call.node).snippet
        before = (f"{new}=" if named else "") + ("(" if whole is not None else "")
        if before:
            edits.append(snippet.edit(start, start, before))
        if whole is not None:
            edits.append(snippet.edit(end, end, ")"))
        taken.append(new)
        index += count
    return edits, taken


def _joined(
    code: Code, call: OldCall, named: Sequence[cst.Arg]
) -> tuple[list[Edit], list[cst.Arg], list[str]] | None:
    """Named arguments that are one now (``nb_row=3, nb_col=3``)."""
    by_name = {a.keyword.value: a for a in named if a.keyword is not None}
    edits: list[Edit] = []
    used: list[cst.Arg] = []
    new: list[str] = []
    for whole, names in call.parts.items():
        there = [by_name[name] for name in names if name in by_name]
        if not there:
            continue
        places = [next(i for i, a in enumerate(call.node.args) if a is one) for one in there]
        together = places == list(range(places[0], places[0] + len(names)))
        if not together or any(any(code.comments(one)) for one in there):
            return None
        text = ", ".join(code.text(one.value) for one in there)
        first = there[0].keyword
        assert first is not None
        edits.append(code.replace_all([first, there[-1].value], f"{whole}=({text})"))
        used += there
        new.append(whole)
    return edits, used, new


def whole_call(
    code: Code, call: OldCall, others: Mapping[cst.Call, OldCall], root: str, *, gone: bool
) -> list[Edit] | None:
    """The edits of a call with the name of what it calls.

    A name that is imported for such calls alone is imported by its new name, and all of them are
    rewritten at once. ``gone`` says whether Keras still has the old name.
    """
    edits = arguments_of(code, call)
    if edits is None:
        return None
    match call.node.func:
        case cst.Attribute(attr=attr):
            return edits if attr.value == call.name else [*edits, code.replace(attr, call.name)]
        case cst.Name(value=name) as func:
            if name == call.name:
                return edits
            variable = code.names.variable(func)
            together = variable and _by_its_new_name(code, variable, call, others)
            if together:
                return together
            if not gone:
                return edits
            library = reach(code, f"{root}.{call.name}", code.program.top_level_statement(func))
            if library.missing is None:
                return [*edits, code.replace(func, library.expression)]
    return None


def _by_its_new_name(
    code: Code, variable: Variable, call: OldCall, others: Mapping[cst.Call, OldCall]
) -> list[Edit] | None:
    """The import and all uses of a name, rewritten."""
    if len(variable.stores) != 1 or variable.deleted or not code.program.owns(variable.stores[0]):
        return None
    alias = code.program.parent(variable.stores[0])
    if not isinstance(alias, cst.ImportAlias) or alias.asname is not None:
        return None
    imported = _imported_instead(code, alias, call.name)
    if imported is None:
        return None
    edits = [imported]
    for load in variable.loads:
        user = code.program.parent(load)
        if not isinstance(user, cst.Call) or user.func is not load:
            return None
        other = others.get(user)
        more = arguments_of(code, other) if other is not None else []
        if more is None or (other is not None and other.name != call.name):
            return None
        edits += [*more, code.replace(load, call.name)]
    return edits


def _imported_instead(code: Code, alias: cst.ImportAlias, name: str) -> Edit | None:
    """Import another name in the place of one; none where the other one is there already."""
    statement = code.program.parent(alias)
    if not isinstance(statement, cst.ImportFrom) or isinstance(statement.names, cst.ImportStar):
        return None
    there = [one for one in statement.names if one.evaluated_name == name and one.asname is None]
    if not there:
        return None if name in code.names.all else code.replace(alias.name, name)
    names = list(statement.names)
    index = next(i for i, one in enumerate(names) if one is alias)
    start, end = code.program.local_span(alias)
    if index + 1 < len(names):
        end, _ = code.program.local_span(names[index + 1])
    else:
        _, start = code.program.local_span(names[index - 1])
    if "#" in code.source(alias)[start:end]:
        return None
    return code.program.snippet_of(alias).snippet.edit(start, end, "")
