"""The calls of Keras' functions, classes and methods, with what a release takes there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import libcst as cst

from lintkeras.checks.fallbacks import is_guarded
from lintkeras.checks.registry import Context
from lintkeras.keras_api import Symbol as Signature
from lintkeras.keras_api.arguments import KERAS, Callee
from lintkeras.keras_api.releases import Place, place_of
from lintkeras.meaning.facts import CallMade, PartialMade
from lintkeras.meaning.kinds import class_of
from lintkeras.meaning.values import (
    UNKNOWN,
    Arguments,
    Class,
    Instance,
    Member,
    Super,
    Symbol,
    Value,
)
from lintkeras.syntax.tree import nodes

_CONSTRUCTORS = frozenset({"__init__", "__new__"})


@dataclass(frozen=True)
class Called:
    """One call whose callee is certain, and not meant for other releases."""

    node: cst.Call
    callee: Callee
    signature: Signature
    """How it is called in the newest release that the project allows."""
    arguments: Arguments
    """What is given, where it is the same each time."""
    function: Symbol | Member | Class | Instance
    partial: bool = False
    """Whether it is a ``functools.partial``, so that more arguments may follow."""
    passed_on: bool = False
    """Whether the function around it passes on the keywords that it was given itself."""
    held: Arguments = field(default=Arguments())
    """``arguments``, with lists and dictionaries as they were at that moment."""

    @property
    def keywords(self) -> tuple[tuple[str, Value], ...]:
        """The keywords that are written in the call, or certainly come out of a ``**``."""
        written = {a.keyword.value for a in self.node.args if a.keyword is not None}
        stars = any(a.star == "**" for a in self.node.args) and not self.passed_on
        return tuple(pair for pair in self.arguments.keywords if stars or pair[0] in written)

    @property
    def given(self) -> tuple[cst.Arg, ...]:
        """The arguments in the call; of a ``functools.partial``, those of the function."""
        return tuple(self.node.args[1 if self.partial else 0 :])

    @property
    def positional(self) -> tuple[cst.Arg, ...] | None:
        """The arguments without a name; None behind a ``*``."""
        if any(one.star == "*" for one in self.given):
            return None
        return tuple(one for one in self.given if one.keyword is None and not one.star)

    def argument(self, keyword: str) -> cst.Arg | None:
        """The argument with that name in the call."""
        for one in self.given:
            if one.keyword is not None and one.keyword.value == keyword:
                return one
        return None

    @property
    def names(self) -> list[str]:
        """The parameters that can be given by position."""
        return [p.name for p in self.signature.parameters if p.kind == "positional"]

    def value(self, name: str) -> Value | None:
        """What a parameter is given, lists as the tuples that they held; None where nothing."""
        names = self.names
        return self.held.get(name, names.index(name) if name in names else None)

    def expression(self, name: str) -> cst.Arg | None:
        """The argument in the call that a parameter is given by name or by position."""
        found, names = self.argument(name), self.names
        if found is not None or name not in names or self.positional is None:
            return found
        index = names.index(name)
        return self.positional[index] if index < len(self.positional) else None

    def gives(self, name: str) -> bool:
        """Whether an argument is given, by its name or its position, or may be."""
        if not self.arguments.complete and not self.partial:
            return True
        return (
            any(keyword == name for keyword, _ in self.arguments.keywords)
            or name in self.names[: len(self.arguments.positional)]
        )

    def missing(self) -> list[str]:
        """The required arguments that are certainly not given."""
        if self.partial or not self.arguments.complete:
            return []
        required = (p.name for p in self.signature.parameters if p.kind == "positional"
                    and p.default is None)  # fmt: skip
        return [name for name in required if not self.gives(name)]


def calls_of_keras(context: Context) -> tuple[Called, ...]:
    """All calls of functions, classes and methods of Keras that a release is known to have."""
    return tuple(_calls(context))


def _calls(context: Context) -> Iterator[Called]:
    facts = context.facts
    groups: list[Sequence[CallMade | PartialMade]] = [*facts.calls(CallMade)]
    groups += facts.calls(PartialMade)
    for group in groups:
        node = group[0].node
        callees = {callee_of(context, one.function) for one in group}
        callee = callees.pop()
        if callee is None or callees or not context.program.owns(node):
            continue
        signature = callee.signature(context.releases)
        if signature is None or any(is_guarded(context, node, one.tests) for one in group):
            continue
        partial = isinstance(group[0], PartialMade)
        arguments = _shared([one.arguments for one in group])
        passed_on = _passes_on(context, node)
        held = _shared([one.held if isinstance(one, CallMade) else one.arguments for one in group])
        yield Called(
            node, callee, signature, arguments, group[0].function, partial, passed_on, held
        )


def _passes_on(context: Context, node: cst.Call) -> bool:
    """Whether ``**kwargs`` in a call is that of the function around it."""
    names = {a.value.value for a in node.args if a.star == "**" and isinstance(a.value, cst.Name)}
    function = context.program.enclosing_function(node) if names else None
    rest = function.params.star_kwarg if function is not None else None
    return rest is not None and rest.name.value in names


def _shared(given: list[Arguments]) -> Arguments:
    """What is the same each time; a value that is not is unknown."""
    first, *others = given
    if all(one == first for one in others):
        return first
    count = min(len(one.positional) for one in given)
    positional = tuple(
        first.positional[i] if all(o.positional[i] == first.positional[i] for o in others)
        else UNKNOWN
        for i in range(count)
    )  # fmt: skip
    keywords = tuple(
        (name, value if all(dict(o.keywords).get(name) == value for o in others) else UNKNOWN)
        for name, value in first.keywords
        if all(name in dict(o.keywords) for o in others)
    )
    same = all(len(one.positional) == count and len(one.keywords) == len(keywords) for one in given)
    return Arguments(positional, keywords, same and all(one.complete for one in given))


def callee_of(context: Context, function: Value) -> Callee | None:
    """What is called, as the data of the releases know it; None where that is not certain."""
    match function:
        case Symbol():
            place = place_in(context, function)
            return None if place is None else Callee(place)
        case Class():
            return _constructor(context, function, function.lineage)
        case Member(of=Super(cls=cls), name="__init__"):
            return _constructor(context, cls, cls.lineage[1:])
        case Member(of=owner, name=name):
            return _method(context, owner, name)
    return None


def place_in(context: Context, symbol: Symbol) -> Place | None:
    """Where a name of Keras is; for one of an old module, where its public name is."""
    place = place_of(symbol.path)
    if place is None or place.space not in KERAS:
        return None
    place = context.releases.settle(place)
    if context.releases.symbol(place) is not None or "legacy" in place.path.split("."):
        return place
    return place.beside(symbol.name.removeprefix("keras.").removeprefix("keras"))


def _constructor(
    context: Context, cls: Class, lineage: tuple[Class | Symbol, ...]
) -> Callee | None:
    """The library class whose constructor is called; None where the program has its own."""
    if not cls.plain or len(cls.bases) != 1:
        return None
    for one in lineage:
        if isinstance(one, Symbol):
            place = place_in(context, one)
            return None if place is None else Callee(place)
        if len(one.bases) != 1 or _CONSTRUCTORS & {*_defined(one)}:
            return None
    return None


def _defined(cls: Class) -> Iterator[str]:
    """The names of the functions in the body of a class, also under a test."""
    for node in nodes(cls.node.body):
        if isinstance(node, cst.FunctionDef):
            yield node.name.value


def _method(context: Context, owner: Value, name: str) -> Callee | None:
    cls = owner.cls if isinstance(owner, (Instance, Super)) else None
    if isinstance(cls, Class) and not cls.plain:
        return None
    symbol = class_of(owner)
    place = None if symbol is None else place_in(context, symbol)
    return None if place is None else Callee(place, name)
