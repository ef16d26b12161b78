"""What a program uses of Keras and TensorFlow: names, attributes of objects, calls."""

from __future__ import annotations

from typing import TYPE_CHECKING

import libcst as cst

from lintkeras.meaning import objects
from lintkeras.meaning.facts import CallMade, MemberUse, SymbolUse
from lintkeras.meaning.values import (
    Arguments,
    Class,
    Computed,
    Instance,
    Member,
    Super,
    Symbol,
    Value,
)

if TYPE_CHECKING:
    from lintkeras.meaning.interpreter import Interpreter


def note_import(
    run: Interpreter,
    node: cst.ImportFrom | cst.ImportAlias,
    module: str,
    member: str | None = None,
) -> None:
    """Record the import of a library module or of a name in it."""
    path = module if member is None else f"{module}.{member}"
    if Symbol(path).flavour == "other":
        return
    if run.modules.symbol(run, module, member).file is None:
        run.facts.note(SymbolUse(node, Symbol(path), tuple(run.tests)))


def note_attribute(
    run: Interpreter, node: cst.Attribute, owner: Value, found: Value, *, written: bool = False
) -> None:
    """Record ``owner.name``, of a library module or of an object."""
    match owner:
        case Symbol(file=None):
            if isinstance(found, Symbol) and found.flavour != "other" and not written:
                run.facts.note(SymbolUse(node, found, tuple(run.tests)))
        case Instance() | Member() | Computed() | Super():
            run.facts.note(MemberUse(node, owner, found, written, tuple(run.tests)))


def note_call(run: Interpreter, function: Value, arguments: Arguments, node: cst.Call) -> None:
    """Record a call into a library."""
    match function:
        case Symbol(file=None) if function.flavour != "other":
            pass
        case Member(of=Instance() | Member() | Computed() | Super()):
            pass
        case Class() if objects.is_keras(function):
            pass
        case _:
            return
    run.facts.note(CallMade(node, function, arguments, tuple(run.tests)))
