"""What assignments change: names, attributes, items, several at once."""

from __future__ import annotations

from collections.abc import Sequence as Seq
from typing import TYPE_CHECKING

import libcst as cst

from lintkeras.meaning.operators import bounded
from lintkeras.meaning.values import (
    LOST,
    OPAQUE,
    UNKNOWN,
    Const,
    Content,
    Dict,
    Either,
    Entry,
    Index,
    List,
    Unknown,
    Value,
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
            run.bind(name, value, scope)
        case cst.Attribute(value=owner, attr=cst.Name(value=name)):
            run.set_attribute(run.eval(owner), name, value)
        case cst.Subscript(value=owner):
            _assign_item(run, run.eval(owner), target, value)
        case cst.Tuple(elements=elements) | cst.List(elements=elements):
            _unpack(run, elements, value, scope)
        case cst.StarredElement(value=inner):
            assign(run, inner, value, scope)


def delete(run: Interpreter, target: cst.BaseExpression) -> None:
    """``del target``."""
    match target:
        case cst.Name(value=name):
            run.bind(name, UNKNOWN)
        case cst.Attribute(value=owner, attr=cst.Name(value=name)):
            run.set_attribute(run.eval(owner), name, UNKNOWN)
        case cst.Subscript(value=owner):
            holder, index = run.eval(owner), index_of(run, target)
            if isinstance(holder, Dict) and isinstance(index, Const):
                run.write((holder, "items"), run.items(holder).without(index.value))
            else:
                run.forget(holder)
        case cst.Tuple(elements=elements) | cst.List(elements=elements):
            for element in elements:
                delete(run, element.value)


def _unpack(
    run: Interpreter, elements: Seq[cst.BaseElement], value: Value, scope: Scope | None
) -> None:
    content = run.content(value)
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
    for position, element in enumerate(elements):
        item = each
        if isinstance(element, cst.StarredElement):
            item = UNKNOWN
        elif each == UNKNOWN and isinstance(value, Unknown) and value.origin is not None:
            item = UNKNOWN if starred else bounded(Unknown(("item", value, Const(position))))
        assign(run, element.value, item, scope)


def _assign_item(run: Interpreter, holder: Value, target: cst.Subscript, value: Value) -> None:
    """``holder[index] = value``."""
    index = index_of(run, target)
    match holder:
        case List():
            domain = index.domain if isinstance(index, Index) else None
            run.set_content(holder, _with_item(run.stored(holder), index, value), item_of=domain)
        case Dict():
            items = run.items(holder).put(index.value, value) if isinstance(index, Const) else LOST
            run.write((holder, "items"), items)
        case Either():
            run.forget(holder)


def _with_item(content: Content, index: Value, value: Value) -> Content:
    entries = list(content.entries)
    plain = content.plain() is not None
    match index:
        case Index(domain=domain) if len(entries) == 1 and entries[0].domain == domain:
            return Content((Entry(value, domain, entries[0].tests),))
        case Const(value=int(i)) if plain and -len(entries) <= i < len(entries):
            entries[i] = Entry(value)
            return Content(tuple(entries))
    return OPAQUE


def index_of(run: Interpreter, node: cst.Subscript) -> Value:
    """The index of a subscript; unknown for slices and several indices."""
    if len(node.slice) == 1 and isinstance(node.slice[0].slice, cst.Index):
        return run.eval(node.slice[0].slice.value)
    for element in node.slice:
        part = element.slice
        if isinstance(part, cst.Index):
            run.eval(part.value)
        elif isinstance(part, cst.Slice):
            for bound in (part.lower, part.upper, part.step):
                if bound is not None:
                    run.eval(bound)
    return UNKNOWN
