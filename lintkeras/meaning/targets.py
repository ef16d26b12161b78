"""What assignments change: names, attributes, items, several at once."""

from __future__ import annotations

from collections.abc import Sequence as Seq
from typing import TYPE_CHECKING

import libcst as cst

from lintkeras.meaning.operators import bounded
from lintkeras.meaning.values import (
    OPAQUE,
    UNKNOWN,
    Const,
    Content,
    Dict,
    Entry,
    Index,
    List,
    Unknown,
    Value,
)

if TYPE_CHECKING:
    from lintkeras.meaning.interpreter import Interpreter


def assign(run: Interpreter, target: cst.BaseExpression, value: Value) -> None:
    """Bind a target: a name, an attribute, an item, or several."""
    match target:
        case cst.Name(value=name):
            run.bind(name, value)
        case cst.Attribute(value=owner, attr=cst.Name(value=name)):
            run.set_attribute(run.eval(owner), name, value)
        case cst.Subscript(value=owner):
            _assign_item(run, run.eval(owner), target, value)
        case cst.Tuple(elements=elements) | cst.List(elements=elements):
            _unpack(run, elements, value)
        case cst.StarredElement(value=inner):
            assign(run, inner, value)


def _unpack(run: Interpreter, elements: Seq[cst.BaseElement], value: Value) -> None:
    content = run.content(value)
    plain = content.plain()
    starred = any(isinstance(e, cst.StarredElement) for e in elements)
    if plain is not None and len(plain) == len(elements) and not starred:
        for element, item in zip(elements, plain, strict=True):
            assign(run, element.value, item)
        return
    each = content.entries[0].value if len(content.entries) == 1 else UNKNOWN
    for position, element in enumerate(elements):
        item = each
        if isinstance(element, cst.StarredElement):
            item = UNKNOWN
        elif each == UNKNOWN and isinstance(value, Unknown) and value.origin is not None:
            item = UNKNOWN if starred else bounded(Unknown(("item", value, Const(position))))
        assign(run, element.value, item)


def _assign_item(run: Interpreter, holder: Value, target: cst.Subscript, value: Value) -> None:
    index = index_of(run, target)
    if isinstance(holder, List):
        content = run.content(holder)
        entries = list(content.entries)
        match index:
            case Index(domain=domain) if len(entries) == 1 and entries[0].domain == domain:
                entries[0] = Entry(value, domain, entries[0].tests)
            case Const(value=int(i)) if content.plain() is not None and -len(entries) <= i < len(
                entries
            ):
                entries[i] = Entry(value)
            case _:
                entries = list(OPAQUE.entries)
        run.set_content(holder, Content(tuple(entries)))
    elif isinstance(holder, Dict) and isinstance(target.value, cst.Name):
        key = index.value if isinstance(index, Const) else None
        if key is None:
            run.bind(target.value.value, UNKNOWN)
        else:
            kept = tuple((k, v) for k, v in holder.items if k != key)
            run.bind(target.value.value, Dict((*kept, (key, value))))


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
