"""Simple statements, definitions and imports: one function a kind of node."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import libcst as cst

from lintkeras.meaning import library, special
from lintkeras.meaning.expressions import combine, defaults, item_of, note_list_arithmetic
from lintkeras.meaning.flow import FLOW
from lintkeras.meaning.outline import dotted
from lintkeras.meaning.state import Scope, State
from lintkeras.meaning.targets import assign, delete, index_of, note_gradients, store_item
from lintkeras.meaning.uses import note_attribute, note_given, note_import
from lintkeras.meaning.values import (
    NONE,
    OPAQUE,
    UNKNOWN,
    Class,
    Computed,
    Dict,
    Either,
    Function,
    List,
    Sequence,
    Symbol,
    Unknown,
    Value,
    gradients_in,
)

if TYPE_CHECKING:
    from lintkeras.meaning.interpreter import Interpreter


def _expr(run: Interpreter, node: cst.Expr) -> None:
    value = run.eval(node.value)
    if isinstance(value, Sequence) and value.kind == "tuple" and value.content.entries:
        value = value.content.entries[0].value  # as of tf.clip_by_global_norm
    note_gradients(run, node, value)


def _assign(run: Interpreter, node: cst.Assign) -> None:
    value = run.eval(node.value)
    for target in node.targets:
        assign(run, target.target, value)


def _ann_assign(run: Interpreter, node: cst.AnnAssign) -> None:
    if node.value is not None:
        assign(run, node.target, run.eval(node.value))


def _place(run: Interpreter, target: cst.BaseExpression) -> tuple[Value, Callable[[Value], None]]:
    """What a target holds, and how it is set: what stands in it is evaluated once."""
    match target:
        case cst.Attribute(value=owner, attr=cst.Name(value=name)):
            holder = run.eval(owner)
            before = run.attribute(holder, name, target)
            note_attribute(run, target, holder, before)
            return before, lambda value: run.set_attribute(holder, name, value)
        case cst.Subscript(value=owner):
            holder, index = run.eval(owner), index_of(run, target)
            before = item_of(run, holder, index, target)
            return before, lambda value: store_item(run, holder, index, target, value)
    return run.eval(target), lambda value: assign(run, target, value)


def _aug_assign(run: Interpreter, node: cst.AugAssign) -> None:
    before, store = _place(run, node.target)
    other = run.eval(node.value)
    operator = type(node.operator).__name__.removesuffix("Assign")
    if isinstance(before, List) and operator == "Add":
        run.extend(before, run.iterate(other))
        return
    own = special.in_place(run, operator, before, other, node)
    if own is not None:
        store(own)
        return
    note_list_arithmetic(run, node, operator, before, node.target, other, node.value)
    match before, operator:
        case Unknown(may_be=held), _ if held:
            run.forget(before)
            store(before)
        case List(), _:
            run.set_content(before, OPAQUE)
        case Dict(), "BitOr":
            run.write((before, "items"), run.items(before).updated(run.items(other)))
        case Either(), _ if not gradients_in(before):
            run.forget(before)
            store(UNKNOWN)
        case _:
            value = combine(run, operator, before, other, node)
            run.record(value, node)
            store(value)


def _delete(run: Interpreter, node: cst.Del) -> None:
    delete(run, node.target)


def _return(run: Interpreter, node: cst.Return) -> None:
    value = run.eval(node.value) if node.value is not None else NONE
    note_given(run, node, value)
    frame = run.frames[-1]
    frame.returns.append((value, run.state.changes_since(frame.base)))
    run.alive = False


def _raise(run: Interpreter, node: cst.Raise) -> None:
    value = run.eval(node.exc) if node.exc is not None else UNKNOWN
    raised = value.function if isinstance(value, Computed) else value
    if raised == Symbol("builtins.NotImplementedError"):
        run.frames[-1].abstract = True
    run.alive = False


def _assert(run: Interpreter, node: cst.Assert) -> None:
    run.eval(node.test)
    if node.msg is not None:
        run.eval(node.msg)


def _leave_loop(run: Interpreter, node: cst.Break | cst.Continue) -> None:
    if run.loops:
        loop = run.loops[-1]
        left = loop.breaks if isinstance(node, cst.Break) else loop.continues
        left.append(run.state.changes_since(loop.base))
    run.alive = False


def _global(run: Interpreter, node: cst.Global) -> None:
    for item in node.names:
        run.scope.declared[item.name.value] = run.scope.module


def _nonlocal(run: Interpreter, node: cst.Nonlocal) -> None:
    for item in node.names:
        scope = run.scope.parent
        while scope is not None:
            if run.state.find((scope, item.name.value)) is not State.MISSING:
                run.scope.declared[item.name.value] = scope
                break
            scope = scope.parent


def _import(run: Interpreter, node: cst.Import) -> None:
    for alias in node.names:
        path = dotted(alias.name)
        note_import(run, alias, path)
        if alias.asname is not None:
            assign(run, alias.asname.name, run.imported(path))
        else:
            root = path.split(".")[0]
            run.bind(root, run.imported(root))


def _import_from(run: Interpreter, node: cst.ImportFrom) -> None:
    module = dotted(node.module) if node.module is not None else ""
    if node.relative:
        module = "." * len(node.relative) + module
    note_import(run, node, module)
    if isinstance(node.names, cst.ImportStar):
        _import_star(run, module)
        return
    for alias in node.names:
        name = dotted(alias.name)
        note_import(run, alias, module, name)
        target = alias.asname.name if alias.asname is not None else alias.name
        assign(run, target, run.imported(module, name))


def _import_star(run: Interpreter, module: str) -> None:
    """Bind what the module certainly exports; it may also hide what was bound before.

    The classes of a library module can only hide classes. The names of root packages stay: no
    module calls another thing ``tf``.
    """
    own = run.modules.names(run, module)
    if own is not None:
        for name, value in own.items():
            run.bind(name, value)
        return
    exported = library.exported_by(module)
    for name in list(run.history):
        held = run.lookup(name)
        root = isinstance(held, Symbol) and "." not in held.path
        if not root and (name[:1].isupper() or not exported):
            run.bind(name, UNKNOWN)
    for name in exported:
        run.bind(name, run.symbol(f"{module}.{name}"))


def _function_def(run: Interpreter, node: cst.FunctionDef) -> None:
    cls = run.scope.cls
    function = Function(node, run.scope, cls, defaults(run, node.params))
    if cls is None:
        if run.scope.module is run.module:
            run.pending.append(function)
    else:
        run.methods.setdefault(cls, []).append(function)
    value: Value = function
    for decorator in reversed(node.decorators):
        value = library.decorate(run, run.eval(decorator.decorator), value, decorator)
    run.bind(node.name.value, value)


def _class_def(run: Interpreter, node: cst.ClassDef) -> None:
    bases = tuple(run.eval(argument.value) for argument in node.bases)
    metaclass: Value = UNKNOWN
    for keyword in node.keywords:
        given = run.eval(keyword.value)
        metaclass = given if keyword.keyword and keyword.keyword.value == "metaclass" else metaclass
        if not (isinstance(given, Symbol) and given.name == "abc.ABCMeta"):
            bases = (*bases, UNKNOWN)  # a metaclass can do what a base class can
    scope = Scope("class", run.scope, run.scope.calls)
    cls = scope.cls = Class(node, scope, bases)
    if isinstance(metaclass, Class):
        run.metaclasses[cls] = metaclass
    outer, run.scope = run.scope, scope
    if scope.module is run.module:
        run.classes.append(cls)
    try:
        run.suite(node.body)
    finally:
        run.scope = outer
    value: Value = cls
    for decorator in reversed(node.decorators):
        value = library.decorate(run, run.eval(decorator.decorator), value, decorator)
    run.bind(node.name.value, value)


STATEMENTS: dict[str, Callable[..., None]] = {
    **FLOW,
    "Expr": _expr,
    "Assign": _assign,
    "AnnAssign": _ann_assign,
    "AugAssign": _aug_assign,
    "Del": _delete,
    "Assert": _assert,
    "Return": _return,
    "Raise": _raise,
    "Break": _leave_loop,
    "Continue": _leave_loop,
    "Global": _global,
    "Nonlocal": _nonlocal,
    "Import": _import,
    "ImportFrom": _import_from,
    "FunctionDef": _function_def,
    "ClassDef": _class_def,
}
