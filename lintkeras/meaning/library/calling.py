"""What the library models share: their type, terms of calls, the syntax of an argument."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import libcst as cst

from lintkeras.meaning.operators import bounded
from lintkeras.meaning.values import (
    Arguments,
    Content,
    Dict,
    Entry,
    List,
    Sequence,
    Symbol,
    Value,
)

if TYPE_CHECKING:
    from lintkeras.meaning.interpreter import Interpreter

Model = Callable[["Interpreter", Symbol, Arguments, cst.Call], Value]
"""What a call of a library function gives."""


def unwrapped(run: Interpreter, arguments: Arguments) -> Arguments:
    """Lists and dictionaries as they are at this moment, so that a term does not change later."""

    def frozen(value: Value) -> Value:
        match value:
            case List():
                return Sequence("list", run.content(value))
            case Dict():
                return run.items(value)
            case Sequence(identity=identity) if identity is not None:
                return Sequence(value.kind, run.iterate(value), value.parts, value.nodes)
        return value

    return Arguments(
        tuple(frozen(value) for value in arguments.positional),
        tuple((name, frozen(value)) for name, value in arguments.keywords),
        arguments.complete,
    )


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
