"""The values of the abstract interpreter: what is known of a run-time value.

Values are immutable and compare by structure; places in the code (``node``) do not take part in
comparison. What can change at run time (the content of a list, an attribute) is kept in the state
under the identity of its owner, so two names of one list see the same changes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeVar, Union

import libcst as cst

from lintkeras.meaning.symbols import Flavour, canonical

if TYPE_CHECKING:
    from lintkeras.meaning.state import Scope

Identity = tuple[object, ...]
Reads = tuple[tuple[Identity, object], ...]
"""Cells of the state, each with what it held."""
_T = TypeVar("_T")


class _Hashed:
    """Room for the hash of a value, which is computed once: values are deep, and keys of the state."""

    __slots__ = ("_hash",)


def _keeps_hash(cls: type[_T]) -> type[_T]:
    compute = cls.__hash__

    def kept(self: Any) -> int:
        try:
            return self._hash  # type: ignore[no-any-return]
        except AttributeError:
            value = compute(self)
            object.__setattr__(self, "_hash", value)
            return value

    cls.__hash__ = kept  # type: ignore[method-assign]
    return cls


@_keeps_hash
@dataclass(frozen=True, slots=True)
class Unknown(_Hashed):
    """Nothing is known, except (with an ``origin``) that it is the same thing each time.

    A parameter, a free name and an imported object of another module have an origin. What is done
    to it may be done to the objects that it ``may_be``, or that they hold.
    """

    origin: Identity | None = None
    may_be: tuple[Value, ...] = field(default=(), compare=False)


UNKNOWN = Unknown()


NAMESPACE = Unknown(("namespace",))
"""The dictionary behind ``globals()``."""


@dataclass(frozen=True, slots=True)
class Const:
    """A Python constant: number, string, bytes, boolean, None, Ellipsis."""

    value: object
    kind: type = field(init=False)
    """Part of the identity, since 1 == 1.0 == True."""

    def __post_init__(self) -> None:
        """Derive ``kind``."""
        object.__setattr__(self, "kind", type(self.value))


NONE = Const(None)


@dataclass(frozen=True, slots=True)
class Symbol:
    """A module, class or function of a library or of another file, by its dotted import path.

    ``file`` is the project file that it comes from, where there is one: ``member`` of it, or the
    module itself.
    """

    path: str
    file: str | None = field(default=None, compare=False)
    member: str | None = field(default=None, compare=False)
    mixed: bool = field(default=False, compare=False)
    """Whether it may come from another namespace too: from ``keras`` or from ``tf.keras``."""

    @property
    def name(self) -> str:
        """The canonical name: the same for every import style."""
        return canonical(self.path)[0]

    @property
    def flavour(self) -> Flavour:
        """Which Keras (or TensorFlow, or other library) it was imported from."""
        return canonical(self.path)[1]


@_keeps_hash
@dataclass(frozen=True, slots=True)
class Function(_Hashed):
    """A function or lambda of the program, with the scope that it closes over."""

    node: cst.FunctionDef | cst.Lambda
    scope: Scope
    cls: Class | None = None
    defaults: tuple[tuple[str, Value], ...] = ()
    """The defaults of its parameters, evaluated where it was defined."""

    @property
    def name(self) -> str:
        """The name it was defined with."""
        return self.node.name.value if isinstance(self.node, cst.FunctionDef) else "<lambda>"


@dataclass(frozen=True, slots=True)
class Decorated:
    """What a decorator that nobody knows makes of a function: calling it may call the function."""

    function: Value


@dataclass(frozen=True, slots=True)
class CustomGradient:
    """The object that ``tf.custom_gradient`` or ``keras.ops.custom_gradient`` makes."""

    function: Value
    decorator: Symbol


@_keeps_hash
@dataclass(frozen=True, slots=True)
class Class(_Hashed):
    """A class of the program."""

    node: cst.ClassDef
    scope: Scope
    bases: tuple[Value, ...] = field(default=(), compare=False)
    lineage: tuple[Class | Symbol, ...] = field(init=False, compare=False)
    """The class, then its bases in method resolution order (library classes as symbols)."""
    plain: bool = field(init=False, compare=False)
    """Whether all its bases are known."""

    def __post_init__(self) -> None:
        """Derive ``lineage`` and ``plain``."""
        known = [b for b in self.bases if isinstance(b, (Class, Symbol))]
        lines: list[list[Class | Symbol]] = [
            list(b.lineage) if isinstance(b, Class) else [b] for b in known
        ]
        lineage = (self, *_merged([*lines, list(known)]))
        object.__setattr__(self, "lineage", lineage[:_LONGEST_LINEAGE])
        plain = all(b.plain if isinstance(b, Class) else _is_plain(b) for b in self.bases)
        object.__setattr__(self, "plain", plain and len(lineage) <= _LONGEST_LINEAGE)


_LONGEST_LINEAGE = 16
_PLAIN_BASES = frozenset({
    "tf.Module", "abc.ABC", "typing.Generic", "typing.Protocol", "builtins.object",
    "tf.test.TestCase", "unittest.TestCase", "absl.testing.parameterized.TestCase",
})  # fmt: skip


def _is_plain(base: Value) -> bool:
    """Whether a library class leaves the attributes alone that its subclasses set."""
    return isinstance(base, Symbol) and (
        base.name.startswith("keras.") or base.name in _PLAIN_BASES
    )


def _merged(lines: list[list[Class | Symbol]]) -> Iterator[Class | Symbol]:
    """Python's C3 linearization; bases that contradict each other come as they stand."""
    while lines := [line for line in lines if line]:
        heads = [line[0] for line in lines]
        head = next((h for h in heads if not any(h in line[1:] for line in lines)), heads[0])
        yield head
        lines = [[one for one in line if one != head] for line in lines]


@dataclass(frozen=True, slots=True)
class Arguments:
    """The arguments of one call. ``complete`` is false behind ``*args`` or ``**kwargs``.

    ``rest`` is what stood behind the first ``*``, where its length is not known.
    """

    positional: tuple[Value, ...] = ()
    keywords: tuple[tuple[str, Value], ...] = ()
    complete: bool = True
    rest: Value | None = None

    def followed_by(self, others: Arguments) -> Arguments:
        """For ``functools.partial(f, ...)(...)``: the arguments that ``f`` gets."""
        keywords = dict(self.keywords) | dict(others.keywords)
        complete = self.complete and others.complete
        positional = (*self.positional[1:], *others.positional)
        return Arguments(positional, tuple(keywords.items()), complete)

    def get(self, name: str, position: int | None = None) -> Value | None:
        """The argument given by keyword or position; None where it was not given."""
        for keyword, value in self.keywords:
            if keyword == name:
                return value
        if position is not None and position < len(self.positional):
            return self.positional[position]
        return None if self.complete else UNKNOWN


@_keeps_hash
@dataclass(frozen=True, slots=True)
class Instance(_Hashed):
    """An object made by calling a class; ``identity`` is where and under which calls."""

    cls: Class | Symbol
    identity: Identity
    arguments: Arguments = field(default=Arguments(), compare=False)
    node: cst.Call | None = field(default=None, compare=False)

    @property
    def class_name(self) -> str:
        """The canonical name of its class (the plain name of a user class)."""
        return self.cls.name if isinstance(self.cls, Symbol) else self.cls.node.name.value

    def library_bases(self) -> Iterator[str]:
        """The canonical names of its library classes."""
        if isinstance(self.cls, Symbol):
            yield self.cls.name
        else:
            for base in self.cls.lineage:
                if isinstance(base, Symbol):
                    yield base.name


@_keeps_hash
@dataclass(frozen=True, slots=True)
class Member(_Hashed):
    """An attribute that is not resolved further: a library method, a field of an unknown."""

    of: Value
    name: str


@_keeps_hash
@dataclass(frozen=True, slots=True)
class Method(_Hashed):
    """A user function bound to its object."""

    owner: Value
    function: Function


@dataclass(frozen=True, slots=True)
class Super:
    """What ``super()`` gives inside a method of ``cls``."""

    owner: Value
    cls: Class


@_keeps_hash
@dataclass(frozen=True, slots=True)
class Domain(_Hashed):
    """What a sequence runs over; two sequences of one domain have matching entries."""

    identity: Identity


@dataclass(frozen=True, slots=True)
class Test:
    """A condition under which an entry is kept."""

    value: Value
    holds: bool
    node: cst.CSTNode = field(compare=False)


@_keeps_hash
@dataclass(frozen=True, slots=True)
class Entry(_Hashed):
    """One element of a sequence, or (with a domain) one for each member of the domain."""

    value: Value
    domain: Domain | None = None
    tests: tuple[Test, ...] = ()

    @property
    def may_be_missing(self) -> bool:
        """Whether it says itself when it is there: under conditions, or as often as a loop ran.

        In a round that has not ended, an entry that only some paths add is there for unknown
        reasons.
        """
        ended = self.domain is not None and self.domain.identity[0] != "round"
        return bool(self.tests) or ended

    @property
    def place(self) -> Domain | None:
        """What its running index counts: the members of the domain that pass the tests."""
        if self.domain is None or not self.tests:
            return self.domain
        return Domain(("kept", self.domain, self.tests))


@_keeps_hash
@dataclass(frozen=True, slots=True)
class Content(_Hashed):
    """What a sequence holds, in order. An entry of unknown domain stands for any number."""

    entries: tuple[Entry, ...] = ()

    def plain(self) -> tuple[Value, ...] | None:
        """The values, where every entry is exactly one element."""
        if all(entry.domain is None and not entry.tests for entry in self.entries):
            return tuple(entry.value for entry in self.entries)
        return None


ANYTHING = Domain(("anything",))
OPAQUE = Content((Entry(UNKNOWN, ANYTHING),))


def any_of(*entries: Entry) -> Content:
    """Any number of anything, these entries among it."""
    held = lost_track(entry.value for entry in entries)
    return Content((Entry(held, ANYTHING),)) if held.may_be else OPAQUE


_MOST_ENTRIES = 1000


def bounded_content(content: Content) -> Content:
    """The content; unknown where it is so long that doubling it a few times would fill memory."""
    return any_of(*content.entries) if len(content.entries) > _MOST_ENTRIES else content


@_keeps_hash
@dataclass(frozen=True, slots=True)
class List(_Hashed):
    """A Python list; its content is in the state, under this identity."""

    identity: Identity
    loops: tuple[cst.CSTNode, ...] = field(default=(), compare=False)
    """The loops that were running when it was made."""
    tests: tuple[Test, ...] = field(default=(), compare=False)
    """The conditions under which it was made."""


@_keeps_hash
@dataclass(frozen=True, slots=True)
class Sequence(_Hashed):
    """A tuple, or an iterator such as ``zip``, ``map`` and a generator expression make."""

    kind: str
    content: Content
    parts: tuple[Content, ...] = field(default=(), compare=False)
    """Of a ``zip``: the contents that it runs through side by side."""
    nodes: tuple[cst.CSTNode, ...] = field(default=(), compare=False)
    """Of a ``zip``: the call, then the expressions of its parts."""
    identity: Identity | None = field(default=None, compare=False)
    """Of an iterator, which can be run through once."""
    reads: Reads = field(default=(), compare=False)
    """What is read of lists and names only when it is run through, as it was when it was made."""


@_keeps_hash
@dataclass(frozen=True, slots=True)
class Items(_Hashed):
    """What a dictionary holds under constant keys, in order.

    Where it is not ``complete`` there may be other keys.
    """

    items: tuple[tuple[object, Value], ...] = ()
    complete: bool = True
    rest: Unknown = field(default=UNKNOWN, compare=False)
    """What the other keys hold."""

    def get(self, key: object) -> Value | None:
        """The value under a constant key; None where there is certainly none."""
        for known, value in self.items:
            if known == key:
                return value
        return None if self.complete else self.rest

    def put(self, key: object, value: Value) -> Items:
        """With one key set."""
        if any(known == key for known, _ in self.items):
            replaced = tuple((k, value if k == key else v) for k, v in self.items)
            return replace(self, items=replaced)
        return replace(self, items=(*self.items, (key, value)))

    def without(self, key: object) -> Items:
        """With one key removed."""
        return replace(self, items=tuple((k, v) for k, v in self.items if k != key))

    def lost(self, *more: Value) -> Items:
        """Of which nothing is known, but that it may hold the same things, and ``more``."""
        return Items((), False, lost_track((self.rest, *(v for _, v in self.items), *more)))

    def updated(self, other: Items) -> Items:
        """With all that ``other`` holds; of the rest nothing is known where that is incomplete."""
        result = self if other.complete else self.lost(other.rest)
        for key, value in other.items:
            result = result.put(key, value)
        return result


LOST = Items((), False)
"""A dictionary of which nothing is known."""


@_keeps_hash
@dataclass(frozen=True, slots=True)
class Dict(_Hashed):
    """A Python dictionary; its items are in the state, under this identity."""

    identity: Identity


@dataclass(frozen=True, slots=True)
class Index:
    """The running index over a domain (``enumerate``, ``range(len(...))``)."""

    domain: Domain


@dataclass(frozen=True, slots=True)
class Length:
    """``len`` of something that runs over a domain."""

    domain: Domain


@dataclass(frozen=True, slots=True)
class Slice:
    """An index ``start:stop:step``; None where a bound is left out."""

    start: Value
    stop: Value
    step: Value


@dataclass(frozen=True, slots=True)
class PerEntry:
    """Another constant for each entry: ``zip(gradients, [0.1, 1.0])``."""

    values: tuple[Value, ...]


@_keeps_hash
@dataclass(frozen=True, slots=True)
class Tape(_Hashed):
    """A ``tf.GradientTape``."""

    identity: Identity
    persistent: bool | None
    node: cst.Call = field(compare=False)
    watches: bool | None = field(default=True, compare=False)
    """Whether it watches trainable variables by itself (``watch_accessed_variables``)."""


@_keeps_hash
@dataclass(frozen=True, slots=True)
class Weight(_Hashed):
    """One variable of a layer or model.

    ``attribute`` is the list it was read from (``trainable_variables``), or ``add_weight`` for one
    that ``made_by`` made.
    """

    owner: Value
    attribute: str
    made_by: cst.Call | None = None
    trainable: bool | None = field(default=None, compare=False)
    index: object = None
    """Which of the list it is, where that is known; None: any of them."""


@_keeps_hash
@dataclass(frozen=True, slots=True)
class GradientCall(_Hashed):
    """One ``tape.gradient(target, sources)``."""

    node: cst.Call
    tape: Tape
    target: Value = field(compare=False)
    sources: Value = field(compare=False)
    is_list: bool | None = None
    """Whether the result is a Python list; None where the sources are unknown."""


@dataclass(frozen=True, slots=True)
class Scale:
    """The gradient was multiplied (or divided) by something that is no gradient.

    It was the operand number ``operand`` of the operation ``node``.
    """

    factor: Value
    node: cst.CSTNode
    divides: bool = False
    operand: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Rectify:
    """The negative entries of the gradient, operand number ``operand``, were set to zero."""

    node: cst.CSTNode
    operand: int = field(default=0, compare=False)


GradientEdit = Scale | Rectify


@_keeps_hash
@dataclass(frozen=True, slots=True)
class Gradient(_Hashed):
    """A gradient of a tape with respect to one source, and what was done to it since."""

    call: GradientCall
    source: Value
    edits: tuple[GradientEdit, ...] = ()


@_keeps_hash
@dataclass(frozen=True, slots=True)
class Computed(_Hashed):
    """The result of a library function or operator on known arguments.

    ``size`` counts the operations in it, each as often as it occurs. It bounds such terms (larger
    ones become unknown), so that comparing and walking them stays cheap.
    """

    function: Value | str
    arguments: Arguments
    node: cst.CSTNode = field(compare=False)
    size: int = field(default=1, compare=False)


@dataclass(frozen=True, slots=True)
class Either:
    """One of a few values: where branches meet."""

    values: tuple[Value, ...]


Value = Union[
    Unknown, Const, Symbol, Function, CustomGradient, Decorated, Class, Instance, Member, Method, Super, List,
    Sequence, Dict, Items, Index, Slice, Length, PerEntry, Tape, Weight, Gradient, Computed, Either,
]  # fmt: skip

_MOST_ALTERNATIVES = 4
_MOST_OBJECTS = 64


def alternatives(value: Value) -> tuple[Value, ...]:
    """The values that it may be: one, unless branches met."""
    return value.values if isinstance(value, Either) else (value,)


def join(first: Value, second: Value) -> Value:
    """What is known of a value that is one of two."""
    if first is second or (first == second and not isinstance(first, Unknown | Symbol)):
        return first
    if isinstance(first, Symbol) and isinstance(second, Symbol) and first.name == second.name:
        mixed = first.mixed or second.mixed or first.flavour != second.flavour
        return replace(first, mixed=mixed)
    merged = list(alternatives(first))
    for value in alternatives(second):
        if value not in merged:
            merged.append(value)
    if len(merged) > _MOST_ALTERNATIVES or any(isinstance(value, Unknown) for value in merged):
        return lost_track(merged)
    return Either(tuple(merged))


def lost_track(values: Iterable[Value]) -> Unknown:
    """The unknown that is one of ``values``."""
    held: dict[Value, None] = {}
    stack = list(values)
    while stack and len(held) < _MOST_OBJECTS:
        match stack.pop():
            case Unknown(may_be=may_be):
                held |= dict.fromkeys(may_be)
            case Either(values=inner):
                stack.extend(inner)
            case Sequence(content=content):
                stack.extend(entry.value for entry in content.entries)
            case List() | Dict() | Instance() | Function() | Method() | Decorated() as one:
                held[one] = None
    return Unknown(may_be=tuple(held)) if held else UNKNOWN


def join_all(values: list[Value]) -> Value:
    """The join of any number of values; unknown for none."""
    if not values:
        return UNKNOWN
    result = values[0]
    for value in values[1:]:
        result = join(result, value)
    return result


def join_content(first: Content, second: Content) -> Content:
    """What a list holds where two paths meet.

    An entry that already says when it is present (by its tests, or by running over a domain) may
    be missing on the other path; two entries under opposite conditions become one.
    """
    if first == second:
        return first
    short, long = sorted((first.entries, second.entries), key=len)
    if long[: len(short)] == short and all(e.may_be_missing for e in long[len(short) :]):
        return Content(long)
    if len(short) == len(long) and short and short[:-1] == long[:-1]:
        one, other = short[-1], long[-1]
        if one.domain == other.domain and one.tests and other.tests:
            *shared, last = one.tests
            *shared_too, last_too = other.tests
            opposite = last.value == last_too.value and last.holds != last_too.holds
            if shared == shared_too and opposite:
                merged = Entry(join(one.value, other.value), one.domain, tuple(shared))
                return Content((*short[:-1], merged))
    if [(e.domain, e.tests) for e in short] == [(e.domain, e.tests) for e in long]:
        pairs = zip(short, long, strict=True)
        return Content(tuple(Entry(join(a.value, b.value), a.domain, a.tests) for a, b in pairs))
    return any_of(*short, *long)


def member_at(value: Value, index: object) -> Value:
    """The member number ``index`` of what ``value`` says of each member of a list."""
    match value:
        case Weight(index=None):
            return replace(value, index=index)
        case Gradient(source=Unknown(origin=origin) as source) if origin is not None:
            return replace(value, source=Unknown(("item", source, Const(index))))
        case Gradient(source=source):
            return replace(value, source=member_at(source, index))
        case Either(values=values):
            return Either(tuple(member_at(one, index) for one in values))
    return value


def parts_beside(domain: Domain | None) -> tuple[tuple[Domain, Value], ...]:
    """The parts of a ``zip`` that do not match, of which a domain has the rows."""
    if domain is None or domain.identity[0] != "beside":
        return ()
    return domain.identity[1:]  # type: ignore[return-value]


def reversed_content(content: Content) -> Content:
    """The entries from last to first."""

    def turned(place: Domain | None) -> Domain | None:
        match place:
            case None | Domain(identity=("anything",)):
                return place
            case Domain(identity=("reversed", Domain() as inner)):
                return inner
        return Domain(("reversed", place))

    return Content(tuple(
        Entry(e.value, turned(e.place), e.tests if e.domain is None else ())
        for e in reversed(content.entries)
    ))  # fmt: skip


def integer(value: Value) -> int | None:
    """The value of an integer constant."""
    if isinstance(value, Const) and type(value.value) is int:
        return value.value
    return None


def join_items(first: Items, second: Items) -> Items:
    """What a dictionary holds where two paths meet."""
    if first == second:
        return first
    others = dict(second.items)
    shared = tuple((k, join(v, others[k])) for k, v in first.items if k in others)
    same = len(shared) == len(first.items) == len(others)
    if same and first.complete and second.complete:
        return Items(shared)
    return Items(shared, False, first.lost(second.lost().rest).rest)


def walk(value: Value) -> Iterator[Value]:
    """The value and, for computed ones, all that it was computed from."""
    yield value
    match value:
        case Computed(function=function, arguments=arguments):
            if not isinstance(function, str):
                yield from walk(function)
            for argument in arguments.positional:
                yield from walk(argument)
            for _, argument in arguments.keywords:
                yield from walk(argument)
        case Either(values=values) | PerEntry(values=values):
            for item in values:
                yield from walk(item)
        case Sequence(content=content):
            for entry in content.entries:
                yield from walk(entry.value)
        case Items(items=items):
            for _, item in items:
                yield from walk(item)
        case Slice(start=start, stop=stop, step=step):
            for bound in (start, stop, step):
                yield from walk(bound)
        case Member(of=of):
            yield from walk(of)


def gradients_in(value: Value) -> list[Gradient]:
    """Every gradient that takes part in a value."""
    return [part for part in walk(value) if isinstance(part, Gradient)]
