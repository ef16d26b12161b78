"""What the library models share: their type, terms of calls, the syntax of an argument."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import libcst as cst

from lintkeras.meaning.operators import MOST_OPERATIONS, bounded
from lintkeras.meaning.values import (
    OPAQUE,
    UNKNOWN,
    Arguments,
    Content,
    Dict,
    Either,
    Entry,
    Items,
    List,
    Sequence,
    Symbol,
    Value,
    join_all,
)

if TYPE_CHECKING:
    from lintkeras.meaning.interpreter import Interpreter

Model = Callable[["Interpreter", Symbol, Arguments, cst.Call], Value]
"""What a call of a library function gives."""


def unwrapped(run: Interpreter, arguments: Arguments, *, runs: bool = True) -> Arguments:
    """Lists and dictionaries as they are at this moment, so that a term does not change later."""
    return Arguments(
        tuple(frozen(run, value, runs=runs) for value in arguments.positional),
        tuple((name, frozen(run, value, runs=runs)) for name, value in arguments.keywords),
        arguments.complete,
    )


def frozen(run: Interpreter, value: Value, *, runs: bool = True) -> Value:
    """A list or a dictionary as it is at this moment, and what is inside of it too.

    Unknown where it is too large to be compared cheaply (or holds itself). An iterator is run
    through, unless ``runs`` is false: then it stays as it is.
    """
    room = MOST_OPERATIONS

    def freeze(one: Value) -> Value:
        nonlocal room
        match one:
            case List():
                return Sequence("list", freeze_content(run.content(one)))
            case Dict():
                items = run.items(one)
                room -= len(items.items)
                kept = tuple((k, freeze(v)) for k, v in items.items) if room >= 0 else ()
                return Items(kept, items.complete)
            case Sequence(identity=identity) if identity is not None and not runs:
                return one
            case Sequence(kind=kind, parts=parts, nodes=nodes):
                content = run.iterate(one) if one.identity is not None else one.content
                return Sequence(
                    kind, freeze_content(content), tuple(map(freeze_content, parts)), nodes
                )
            case Either(values=values):
                return join_all([freeze(alternative) for alternative in values])
        return one

    def freeze_content(content: Content) -> Content:
        nonlocal room
        room -= len(content.entries)
        if room < 0:
            return OPAQUE
        return Content(tuple(replace(e, value=freeze(e.value)) for e in content.entries))

    result = freeze(value)
    return bounded(result) if room >= 0 else UNKNOWN


def tuple_of(values: tuple[Value, ...]) -> Value:
    """A tuple of single values."""
    return bounded(Sequence("tuple", Content(tuple(Entry(value) for value in values))))


def argument_node(call: cst.Call, keyword: str, position: int | None) -> cst.Arg | None:
    """The syntax of an argument given by keyword or position."""
    for argument in call.args:
        if argument.keyword is not None and argument.keyword.value == keyword:
            return argument
    plain = [a for a in call.args if a.keyword is None]
    if position is not None and position < len(plain) and not any(a.star for a in plain):
        return plain[position]
    return None
