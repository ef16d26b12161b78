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
    Const,
    Dict,
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


def note_environment(run: Interpreter, name: Value, value: Value) -> None:
    """Record that the program sets a variable of its environment."""
    match name:
        case Const(value=str() as text):
            run.facts.environment.setdefault(text, []).append(value)


def note_call(run: Interpreter, function: Value, arguments: Arguments, node: cst.Call) -> None:
    """Record a call into a library."""
    match function:
        case Symbol(path="os.environ.setdefault" | "os.putenv") if len(arguments.positional) > 1:
            note_environment(run, *arguments.positional[:2])
        case Symbol(path="os.environ.update"):
            for given in arguments.positional:
                for key, value in run.items(given).items if isinstance(given, Dict) else ():
                    note_environment(run, Const(key), value)
            for key, value in arguments.keywords:
                note_environment(run, Const(key), value)
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
