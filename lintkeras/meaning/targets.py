"""What assignments change: names, attributes, items, several at once."""

from __future__ import annotations

from collections.abc import Sequence as Seq
from typing import TYPE_CHECKING

import libcst as cst

from lintkeras.meaning import environment, special
from lintkeras.meaning.facts import GradientsHeld
from lintkeras.meaning.operators import bounded
from lintkeras.meaning.uses import note_attribute
from lintkeras.meaning.values import (
    NONE,
    OPAQUE,
    UNKNOWN,
    Computed,
    Const,
    Content,
    Dict,
    Either,
    Entry,
    Index,
    List,
    Member,
    Sequence,
    Slice,
    Symbol,
    Unknown,
    Value,
    gradients_in,
    member_at,
)

if TYPE_CHECKING:
    from lintkeras.meaning.interpreter import Interpreter
    from lintkeras.meaning.state import Scope


def assign(
    run: Interpreter, target: cst.BaseExpression, value: Value, scope: Scope | None = None
) -> None:
    """Bind a target: a name (in ``scope``, else where it belongs), an attribute, an item, several."""
    match target:
        case cst.Name(value=name):
            note_gradients(run, target, value)
            run.bind(name, value, scope)
        case cst.Attribute(value=owner, attr=cst.Name(value=name)):
            holder = run.eval(owner)
            note_attribute(run, target, holder, Member(holder, name), written=True, value=value)
            run.set_attribute(holder, name, value)
        case cst.Subscript(value=owner):
            holder = run.eval(owner)
            store_item(run, holder, index_of(run, target), target, value)
        case cst.Tuple(elements=elements) | cst.List(elements=elements):
            _unpack(run, elements, value, scope)
        case cst.StarredElement(value=inner):
            assign(run, inner, value, scope)


def note_gradients(run: Interpreter, node: cst.Name | cst.Expr, value: Value) -> None:
    """Record that a name is given, or a statement drops, what gradients take part in."""
    if run.differentiates:
        is_list = isinstance(value, (List, Sequence))
        content = run.content(value) if is_list else Content((Entry(value),))
        if any(gradients_in(entry.value) for entry in content.entries):
            run.facts.note(GradientsHeld(node, content, is_list))


def delete(run: Interpreter, target: cst.BaseExpression) -> None:
    """``del target``."""
    match target:
        case cst.Name(value=name):
            run.bind(name, UNKNOWN)
        case cst.Attribute(value=owner, attr=cst.Name(value=name)):
            run.set_attribute(run.eval(owner), name, UNKNOWN)
        case cst.Subscript(value=owner):
            holder, index = run.eval(owner), index_of(run, target)
            if special.call(run, holder, "delitem", (index,), target) is not None:
                return
            if isinstance(holder, Dict) and isinstance(index, Const):
                run.write((holder, "items"), run.items(holder).without(index.value))
            elif isinstance(holder, List) and isinstance(index, (Const, Slice)):
                run.set_content(holder, _without_item(run, holder, index))
            else:
                run.forget(holder)
        case cst.Tuple(elements=elements) | cst.List(elements=elements):
            for element in elements:
                delete(run, element.value)


def _unpack(
    run: Interpreter, elements: Seq[cst.BaseElement], value: Value, scope: Scope | None
) -> None:
    content = run.iterate(value)
    plain = content.plain()
    starred = [n for n, e in enumerate(elements) if isinstance(e, cst.StarredElement)]
    if plain is not None and not starred and len(plain) == len(elements):
        for element, item in zip(elements, plain, strict=True):
            assign(run, element.value, item, scope)
        return
    if plain is not None and len(starred) == 1 and len(plain) >= len(elements) - 1:
        (at,) = starred
        behind = len(elements) - at - 1
        middle = plain[at : len(plain) - behind]
        for element, item in zip(elements[:at], plain, strict=False):
            assign(run, element.value, item, scope)
        rest = run.new_list(elements[at], Content(tuple(Entry(item) for item in middle)))
        assign(run, elements[at].value, rest, scope)
        for element, item in zip(elements[at + 1 :], plain[len(plain) - behind :], strict=True):
            assign(run, element.value, item, scope)
        return
    each = content.entries[0].value if len(content.entries) == 1 else UNKNOWN
    filtered = len(content.entries) == 1 and content.entries[0].tests
    for position, element in enumerate(elements):
        item = each if starred or filtered else member_at(each, position)
        if isinstance(element, cst.StarredElement):
            item = UNKNOWN
        elif each == UNKNOWN and isinstance(value, Unknown) and value.origin is not None:
            item = UNKNOWN if starred else bounded(Unknown(("item", value, Const(position))))
        assign(run, element.value, item, scope)


def store_item(
    run: Interpreter, holder: Value, index: Value, target: cst.Subscript, value: Value
) -> None:
    """``holder[index] = value``."""
    if special.call(run, holder, "setitem", (index, value), target) is not None:
        return
    match holder:
        case List():
            content = run.stored(holder)
            domain = None
            if isinstance(index, Index) and len(content.entries) == 1:
                domain = content.entries[0].domain
            run.set_content(holder, _with_item(content, index, value), item_of=domain)
        case Dict():
            items = run.items(holder)
            put = isinstance(index, Const) and items.put(index.value, value)
            run.write((holder, "items"), put or items.lost(value))
        case Symbol(path=environment.ENVIRONMENT):
            environment.note_set(run, index, value)
        case Either() | Unknown(origin=("namespace",)):
            run.forget(holder)
        case Unknown(may_be=held) if held:
            run.forget(holder)
        case Unknown() | Computed() if isinstance(target.value, cst.Name):
            run.bind(target.value.value, UNKNOWN)  # an array that is changed in place


def _without_item(run: Interpreter, holder: List, index: Const | Slice) -> Content:
    plain = run.exact(holder)
    if plain is None or not isinstance(index, Const) or type(index.value) is not int:
        return OPAQUE
    if not -len(plain) <= index.value < len(plain):
        return OPAQUE
    kept = list(plain)
    del kept[index.value]
    return Content(tuple(Entry(value) for value in kept))


def _with_item(content: Content, index: Value, value: Value) -> Content:
    entries = list(content.entries)
    plain = content.plain() is not None
    match index:
        case Index(domain=domain) if len(entries) == 1 and entries[0].place == domain:
            return Content((Entry(value, entries[0].domain, entries[0].tests),))
        case Const(value=int(i)) if plain and -len(entries) <= i < len(entries):
            entries[i] = Entry(value)
            return Content(tuple(entries))
    return OPAQUE


def index_of(run: Interpreter, node: cst.Subscript) -> Value:
    """The index of a subscript; a tuple for several."""
    indices = [_index(run, element.slice) for element in node.slice]
    if len(indices) == 1:
        return indices[0]
    return bounded(Sequence("tuple", Content(tuple(Entry(index) for index in indices))))


def _index(run: Interpreter, node: cst.BaseSlice) -> Value:
    if isinstance(node, cst.Index):
        return run.eval(node.value)
    if isinstance(node, cst.Slice):
        bounds = (node.lower, node.upper, node.step)
        return Slice(*(NONE if bound is None else run.eval(bound) for bound in bounds))
    return UNKNOWN
