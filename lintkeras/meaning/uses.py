"""What a program uses of Keras and TensorFlow: names, attributes of objects, calls."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeGuard

import libcst as cst

from lintkeras.meaning import library, objects
from lintkeras.meaning.facts import (
    CallMade,
    Given,
    ItemRead,
    MemberUse,
    PartialMade,
    SymbolUse,
)
from lintkeras.meaning.kinds import class_of, classes_of, is_sequential
from lintkeras.meaning.values import (
    Arguments,
    Class,
    Computed,
    Either,
    Instance,
    Member,
    Super,
    Symbol,
    Unknown,
    Value,
    Weight,
)

if TYPE_CHECKING:
    from lintkeras.meaning.interpreter import Interpreter

_PARTIAL = Symbol("functools.partial")


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
    run: Interpreter,
    node: cst.Attribute,
    owner: Value,
    found: Value,
    *,
    written: bool = False,
    value: Value | None = None,
) -> None:
    """Record ``owner.name``, of a library module or of an object.

    What the program puts into a class of a library (``Model.predict_classes = ...``) is its own.
    """
    if run.patched and any(f"{c.name}.{node.attr.value}" in run.patched for c in classes_of(owner)):
        return
    match owner:
        case Symbol(file=None, mixed=False):
            if isinstance(found, Symbol) and found.flavour != "other" and not written:
                run.facts.note(SymbolUse(node, found, tuple(run.tests)))
        case Instance() | Member() | Computed() | Super():
            running = tuple(f.function for f in run.frames if f.function is not None)
            run.facts.note(MemberUse(node, owner, found, written, tuple(run.tests), running, value))
            if node.attr.value in ("input", "output") and isinstance(owner, Instance):
                if isinstance(found, Member) and is_sequential(owner) and not written:
                    library.note_end(run, node, owner)
        case Either() | Unknown() | Weight() if classes_of(owner):
            run.facts.note(MemberUse(node, owner, found, written, tuple(run.tests)))


def note_call(run: Interpreter, function: Value, arguments: Arguments, node: cst.Call) -> None:
    """Record a call into a library, and the calls of anything else as strangers to it."""
    if isinstance(function, Either):
        if not all(map(_is_of_library, function.values)):
            run.facts.strangers.add(node)
    elif _is_of_library(function):
        held = library.unwrapped(run, arguments, runs=False)
        run.facts.note(CallMade(node, function, arguments, tuple(run.tests), held))
    elif function == _PARTIAL and arguments.positional and _is_of_library(arguments.positional[0]):
        given = Arguments(arguments.positional[1:], arguments.keywords, complete=False)
        run.facts.note(PartialMade(node, arguments.positional[0], given, tuple(run.tests)))
    elif not _is_partial(function):
        run.facts.strangers.add(node)


def _is_partial(function: Value) -> bool:
    """Whether it is a ``functools.partial``: the call of what it holds is recorded by itself."""
    return isinstance(function, Computed) and function.function == _PARTIAL


def _is_of_library(function: Value) -> TypeGuard[Symbol | Member | Class | Instance]:
    match function:
        case Symbol(file=None, mixed=False):
            return function.flavour != "other"
        case Member(of=Instance() | Member() | Computed() | Super()):
            return True
        case Class():
            return objects.is_keras(function)
        case Instance(cls=Symbol() as cls):
            return cls.name.startswith("keras.")
        case Instance(cls=Class() as own):
            return objects.is_keras(own)
    return False


def note_item(run: Interpreter, node: cst.Subscript, holder: Value, index: Value) -> None:
    """Record ``holder[index]`` of an attribute of a library object."""
    if isinstance(holder, Member) and class_of(holder.of) is not None:
        run.facts.note(ItemRead(node, holder, index, tuple(run.tests)))


def note_given(run: Interpreter, node: cst.Yield | cst.Return, value: Value) -> None:
    """Record what a generator yields, or what ``__getitem__`` returns."""
    function = run.current_function()
    if function is not None and isinstance(function.node, cst.FunctionDef):
        if isinstance(node, cst.Yield) or function.name == "__getitem__":
            run.facts.note(Given(node, function.node, library.frozen(run, value)))
