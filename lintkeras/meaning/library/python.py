"""Python's builtins, and the methods of lists and dictionaries."""

from __future__ import annotations

from typing import TYPE_CHECKING

import libcst as cst

from lintkeras.meaning.calling import Model, tuple_of, unwrapped
from lintkeras.meaning.facts import GradientZip
from lintkeras.meaning.library.variables import holdings
from lintkeras.meaning.loops import rounds
from lintkeras.meaning.objects import note_reassigned
from lintkeras.meaning.operators import term
from lintkeras.meaning.values import (
    ANYTHING,
    LOST,
    NAMESPACE,
    NONE,
    OPAQUE,
    UNKNOWN,
    Arguments,
    Class,
    Const,
    Content,
    Dict,
    Domain,
    Entry,
    Function,
    Index,
    Instance,
    Items,
    Length,
    List,
    Member,
    Method,
    PerEntry,
    Sequence,
    Super,
    Symbol,
    Test,
    Unknown,
    Value,
    gradients_in,
    integer,
    join_all,
    parts_beside,
    reversed_content,
)

if TYPE_CHECKING:
    from lintkeras.meaning.interpreter import Interpreter

_LONGEST_RANGE = 8
"""Up to this length the numbers of a ``range`` are known one by one."""


def _zip(run: Interpreter, symbol: Symbol, arguments: Arguments, node: cst.Call) -> Value:
    if arguments.rest is not None and len(node.args) == 1:
        return run.iterator(node, "zip", _columns(run, run.iterate(arguments.rest)))
    if not arguments.complete or not arguments.positional:
        return run.iterator(node, "zip", OPAQUE)
    parts = tuple(run.iterate(value) for value in arguments.positional)
    nodes = (node, *(a.value for a in node.args))
    if len(parts) == 2 and any(gradients_in(e.value) for part in parts for e in part.entries):
        run.facts.note(GradientZip(node, (parts[0], parts[1]), holdings(run, *parts)))
    reads = run.reads(*arguments.positional)
    result = run.iterator(node, "zip", _side_by_side(run, parts), parts, nodes, reads)
    for entry in result.content.entries:
        if parts_beside(entry.domain):
            run.zips[entry.domain] = result
    return result


def _columns(run: Interpreter, rows: Content) -> Content:
    """``zip(*pairs)``: the first of all pairs, the second of all pairs."""
    if len(rows.entries) != 1:
        return OPAQUE
    (row,) = rows.entries
    values = run.content(row.value).plain() if isinstance(row.value, Sequence) else None
    return Content(tuple(
        Entry(Sequence("tuple", Content((Entry(value, row.domain, row.tests),))))
        for value in values
    )) if values is not None else OPAQUE  # fmt: skip


def _side_by_side(run: Interpreter, parts: tuple[Content, ...]) -> Content:
    """The entries of a ``zip``, which ends with its shortest part."""
    plain = [part.plain() for part in parts]
    known = [p for p in plain if p is not None]
    if len(known) == len(parts):
        return Content(tuple(Entry(tuple_of(row)) for row in zip(*known, strict=False)))
    if len({len(part.entries) for part in parts}) == 1:
        rows = list(zip(*(part.entries for part in parts), strict=True))
        if all(len({(e.place, e.tests if e.place is None else ()) for e in r}) == 1 for r in rows):
            return Content(tuple(
                Entry(tuple_of(tuple(e.value for e in row)), row[0].domain, row[0].tests)
                for row in rows
            ))  # fmt: skip
    values = tuple(
        PerEntry(p) if p else join_all([entry.value for entry in part.entries])
        for p, part in zip(plain, parts, strict=True)
    )
    domains = [part.entries[0].domain for part in parts if len(part.entries) == 1]
    domain = domains[0] if known and domains else None
    return Content((Entry(tuple_of(values), domain or _beside(parts)),))


def _beside(parts: tuple[Content, ...]) -> Domain:
    """What rows run over whose parts do not match: each part by its place and what it holds."""
    places = [(e.place, e.value) for part in parts for e in part.entries]
    known = all(p is not None and p.identity[0] not in ("anything", "beside") for p, _ in places)
    return Domain(("beside", *places)) if known and len(places) == len(parts) else ANYTHING


def _enumerate(run: Interpreter, symbol: Symbol, arguments: Arguments, node: cst.Call) -> Value:
    if not arguments.positional:
        return UNKNOWN
    content = run.iterate(arguments.positional[0])
    start = arguments.get("start", 1)
    plain = content.plain() is not None
    entries = []
    for position, entry in enumerate(content.entries):
        index: Value = UNKNOWN
        if start is None and entry.place is not None:
            index = Index(entry.place)
        elif plain and start is None:
            index = Const(position)
        elif plain and isinstance(start, Const) and isinstance(start.value, int):
            index = Const(start.value + position)
        entries.append(Entry(tuple_of((index, entry.value)), entry.domain, entry.tests))
    reads = run.reads(arguments.positional[0])
    return run.iterator(node, "iterator", Content(tuple(entries)), reads=reads)


def _range(run: Interpreter, symbol: Symbol, arguments: Arguments, node: cst.Call) -> Value:
    match arguments.positional:
        case (Length(domain=domain),) | (Const(value=0), Length(domain=domain)):
            whole = domain
            if domain.identity[0] == "kept":
                return Sequence(
                    "range", Content((Entry(Index(whole), Domain(("counted", whole))),))
                )
            return Sequence("range", Content((Entry(Index(domain), domain),)))
    numbers = [integer(value) for value in arguments.positional]
    if 1 <= len(numbers) <= 3 and None not in numbers and 0 not in numbers[2:]:
        counted = range(*(number for number in numbers if number is not None))
        if len(counted) <= _LONGEST_RANGE:
            return Sequence("range", Content(tuple(Entry(Const(n)) for n in counted)))
    return Sequence("range", OPAQUE)


def _len(run: Interpreter, symbol: Symbol, arguments: Arguments, node: cst.Call) -> Value:
    return run.length_of(arguments.positional[0]) if arguments.positional else UNKNOWN


def _list(run: Interpreter, symbol: Symbol, arguments: Arguments, node: cst.Call) -> Value:
    if not arguments.positional:
        return run.new_list(node, Content())
    value = arguments.positional[0]
    content = run.iterate(value)
    if symbol.name == "builtins.tuple":
        return Sequence("tuple", content, *_zip_parts(value))
    result = run.new_list(node, content)
    if isinstance(value, Sequence) and value.parts:
        run.write((result, "zip"), value)
    return result


def _zip_parts(value: Value) -> tuple[tuple[Content, ...], tuple[cst.CSTNode, ...]]:
    return (value.parts, value.nodes) if isinstance(value, Sequence) else ((), ())


def map_calls(run: Interpreter, symbol: Symbol, arguments: Arguments, node: cst.Call) -> Value:
    """``map(f, xs)``: one call of ``f`` for each entry."""
    if not arguments.complete or len(arguments.positional) < 2:
        return UNKNOWN
    function, *sources = arguments.positional
    parts = tuple(run.iterate(value) for value in sources)
    rows: list[tuple[Entry, tuple[Value, ...]]]
    if len(parts) == 1:
        rows = [(entry, (entry.value,)) for entry in parts[0].entries]
    else:
        side = _side_by_side(run, parts)
        rows = [(e, run.content(e.value).plain() or ()) for e in side.entries]
    if len(rows) > 8:
        return run.iterator(node, "iterator", OPAQUE)
    results: list[Entry] = []

    def one(entry: Entry, values: tuple[Value, ...]) -> None:
        results.append(
            Entry(run.call(function, Arguments(values), node), entry.domain, entry.tests)
        )

    for number, (entry, values) in enumerate(rows):
        if entry.domain is None:
            with run.inside(node, number):
                one(entry, values)
        else:
            at = len(results)

            def body(
                entry: Entry = entry, values: tuple[Value, ...] = values, at: int = at
            ) -> None:
                del results[at:]
                one(entry, values)

            rounds(run, node, entry.domain, body)
    entries = tuple(results)
    if symbol.name == "builtins.map":
        return run.iterator(node, "iterator", Content(entries), reads=run.reads(*sources))
    return run.new_list(node, Content(entries))


def _filter(run: Interpreter, symbol: Symbol, arguments: Arguments, node: cst.Call) -> Value:
    """``filter(f, xs)``: the entries for which ``f`` holds."""
    if not arguments.complete or len(arguments.positional) != 2:
        return run.iterator(node, "iterator", OPAQUE)
    function, source = arguments.positional
    entries = run.iterate(source).entries
    if not isinstance(function, (Function, Method)) or len(entries) != 1:
        return run.iterator(node, "iterator", OPAQUE)
    entry = entries[0]
    test = Test(run.call(function, Arguments((entry.value,)), node), True, node)
    kept = Entry(entry.value, entry.domain, (*entry.tests, test))
    return run.iterator(node, "iterator", Content((kept,)), reads=run.reads(source))


def _super(run: Interpreter, symbol: Symbol, arguments: Arguments, node: cst.Call) -> Value:
    cls, owner = run.current_class_and_self()
    return Super(owner, cls) if cls is not None else UNKNOWN


def _dict(run: Interpreter, symbol: Symbol, arguments: Arguments, node: cst.Call) -> Value:
    given = Items(arguments.keywords, arguments.complete)
    if arguments.positional:
        given = _pairs(run, arguments.positional[0]).updated(given)
    return run.new_dict(node, given)


def _pairs(run: Interpreter, value: Value) -> Items:
    """What a dictionary that is made from ``value`` holds."""
    if isinstance(value, (Dict, Items)):
        return run.items(value)
    held = Items()
    for item in run.iterate(value).plain() or (UNKNOWN,):
        match run.content(item).plain():
            case (Const(value=key), one):
                held = held.put(key, one)
            case _:
                return LOST
    return held


def dict_method(
    run: Interpreter, target: Dict | Items, name: str, arguments: Arguments, node: cst.Call
) -> Value:
    """The methods of a dictionary."""
    held = run.items(target)
    known, key = None, arguments.get("key", 0)
    if isinstance(key, Const):
        known = held.get(key.value)
    other = arguments.get("default", 1)
    reads = run.reads(target)
    match name:
        case "get" if isinstance(key, Const):
            return known if known is not None else other or NONE
        case "get":
            return UNKNOWN
        case "keys":
            return Sequence("view", run.content(target), reads=reads)
        case "values" | "items" if not held.complete:
            return Sequence("view", OPAQUE)
        case "values":
            return Sequence("view", Content(tuple(Entry(v) for _, v in held.items)), reads=reads)
        case "items":
            pairs = (Entry(tuple_of((Const(k), v))) for k, v in held.items)
            return Sequence("view", Content(tuple(pairs)), reads=reads)
        case "copy":
            return run.new_dict(node, held)
    if isinstance(target, Items):
        return UNKNOWN
    result: Value = UNKNOWN
    match name:
        case "update":
            keywords = Items(arguments.keywords, arguments.complete)
            added = _pairs(run, arguments.positional[0]) if arguments.positional else Items()
            held, result = held.updated(added).updated(keywords), NONE
        case "pop" if isinstance(key, Const):
            held, result = held.without(key.value), known or other or UNKNOWN
        case "setdefault" if isinstance(key, Const) and known is None:
            result = other or NONE
            held = held.put(key.value, result)
        case "setdefault" if isinstance(key, Const) and known != UNKNOWN:
            result = known or UNKNOWN
        case "clear":
            held, result = Items(), NONE
        case _:
            held = LOST
    run.write((target, "items"), held)
    return result


def number(run: Interpreter, symbol: Symbol, arguments: Arguments, node: cst.Call) -> Value:
    """``float(2)``: the number itself."""
    if arguments.positional and isinstance(arguments.positional[0], Const):
        value = arguments.positional[0].value
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return Const(float(value))
    return term(symbol, arguments, node)


def _reversed(run: Interpreter, symbol: Symbol, arguments: Arguments, node: cst.Call) -> Value:
    if len(arguments.positional) != 1:
        return run.iterator(node, "iterator", OPAQUE)
    (turned,) = arguments.positional
    reads = run.reads(turned)
    return run.iterator(node, "iterator", reversed_content(run.iterate(turned)), reads=reads)


def _sorted(run: Interpreter, symbol: Symbol, arguments: Arguments, node: cst.Call) -> Value:
    return run.new_list(node, OPAQUE)


def _getattr(run: Interpreter, symbol: Symbol, arguments: Arguments, node: cst.Call) -> Value:
    match arguments.positional:
        case (holder, Const(value=str(name)), *default):
            found = run.attribute(holder, name)
            missing = isinstance(found, Member) and not isinstance(holder, (Member, Unknown))
            return UNKNOWN if missing and default else found
    return UNKNOWN


def _type(run: Interpreter, symbol: Symbol, arguments: Arguments, node: cst.Call) -> Value:
    match arguments.positional:
        case (Instance(cls=Class() as cls),):
            return cls
    return term(symbol, unwrapped(run, arguments), node)


def _exec(run: Interpreter, symbol: Symbol, arguments: Arguments, node: cst.Call) -> Value:
    """``exec(code)`` can bind any name; with a namespace of its own it binds them there."""
    if len(arguments.positional) > 1:
        run.escape(arguments)
    else:
        run.lose_everything()
    return NONE


def _namespace(run: Interpreter, symbol: Symbol, arguments: Arguments, node: cst.Call) -> Value:
    """``globals()``, ``locals()``, ``vars()``: to be read; who writes there can bind any name."""
    run.escape(arguments)
    return UNKNOWN if arguments.positional else NAMESPACE


def _setattr(run: Interpreter, symbol: Symbol, arguments: Arguments, node: cst.Call) -> Value:
    match arguments.positional:
        case (holder, Const(value=str(name)), *given):
            run.set_attribute(holder, name, given[0] if given else UNKNOWN)
        case (holder, *_):
            run.forget(holder)
            if not isinstance(holder, Instance):
                run.reassigned.add((None, "*"))
            elif isinstance(holder.cls, Class) and holder not in run.constructing:
                note_reassigned(run, holder.cls, "*")
    return NONE


def list_method(
    run: Interpreter, target: List, name: str, arguments: Arguments, node: cst.Call
) -> Value:
    """The methods of a list."""
    match name, arguments.positional:
        case "append", (value,):
            run.append(target, value)
            return NONE
        case "extend", (value,):
            run.extend(target, run.iterate(value))
            return NONE
        case "copy", ():
            return run.new_list(node, run.content(target))
        case (("index" | "count"), _):
            return UNKNOWN
        case (("clear" | "sort" | "remove" | "reverse" | "insert"), _):
            result: Value = NONE
        case _:
            result = UNKNOWN
    content = OPAQUE
    plain = run.exact(target)
    if plain is not None:
        changed = list(plain)
        match name, arguments.positional:
            case "insert", (Const(value=int(at)), value):
                changed.insert(at, value)
                content = _plain(changed)
            case "pop", () if changed:
                result, content = changed.pop(), _plain(changed)
            case "pop", (Const(value=int(at)),) if -len(changed) <= at < len(changed):
                result = changed.pop(at)
                content = _plain(changed)
            case "clear", ():
                content = Content()
            case "reverse", ():
                content = _plain(changed[::-1])
    run.set_content(target, content)
    return result


def _plain(values: list[Value]) -> Content:
    return Content(tuple(Entry(value) for value in values))


FUNCTIONS: dict[str, Model] = {
    "builtins.zip": _zip,
    "builtins.enumerate": _enumerate,
    "builtins.range": _range,
    "builtins.len": _len,
    "builtins.list": _list,
    "builtins.tuple": _list,
    "builtins.map": map_calls,
    "builtins.reversed": _reversed,
    "builtins.sorted": _sorted,
    "builtins.filter": _filter,
    "builtins.super": _super,
    "builtins.dict": _dict,
    "builtins.float": number,
    "builtins.getattr": _getattr,
    "builtins.setattr": _setattr,
    "builtins.delattr": _setattr,
    "builtins.object.__setattr__": _setattr,
    "builtins.object.__delattr__": _setattr,
    "builtins.type": _type,
    "builtins.exec": _exec,
    "builtins.globals": _namespace,
    "builtins.locals": _namespace,
    "builtins.vars": _namespace,
}
