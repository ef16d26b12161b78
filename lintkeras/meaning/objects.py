"""Objects and classes: attributes, methods, descriptors, construction, and what gets lost.

An attribute is looked up as Python does: properties of the class, the object's own attributes,
then the class and its bases in method resolution order. What code that nobody knows was given, it
may have changed: ``forget`` makes all of it unknown, as deep as it reaches.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import libcst as cst

from lintkeras.meaning.facts import ObjectMade
from lintkeras.meaning.operators import bounded
from lintkeras.meaning.outline import is_static, positional_parameters
from lintkeras.meaning.state import Key, State
from lintkeras.meaning.values import (
    NONE,
    OPAQUE,
    UNKNOWN,
    Arguments,
    Class,
    Computed,
    Const,
    Content,
    CustomGradient,
    Decorated,
    Dict,
    Either,
    Function,
    Gradient,
    Instance,
    Items,
    List,
    Member,
    Method,
    PerEntry,
    Sequence,
    Super,
    Symbol,
    Tape,
    Unknown,
    Value,
    Weight,
    any_of,
    join_all,
    lost_track,
)

if TYPE_CHECKING:
    from lintkeras.meaning.interpreter import Interpreter

VARIABLE_LISTS = {
    "trainable_variables": "trainable_variables",
    "trainable_weights": "trainable_variables",
    "variables": "variables",
    "weights": "variables",
    "non_trainable_variables": "non_trainable_variables",
    "non_trainable_weights": "non_trainable_variables",
}
_LAYER_VARIABLES = frozenset({
    "kernel", "bias", "gamma", "beta", "embeddings", "recurrent_kernel", "depthwise_kernel",
    "pointwise_kernel",
})  # fmt: skip
"""The attributes of Keras' own layers that hold one trainable variable."""
_PROPERTIES = frozenset({"builtins.property", "functools.cached_property"})
MADE = "made "
"""Not a name that a program can have: the mark of an object that exists."""
COMPILED = "compiled "
"""The same: what a model was compiled with."""
TRAINED = "trained "
"""The same: whether it was trained since."""
CHANGED = "changed "
"""Not a name that a program can have: the mark of a library object that was changed."""


def attribute(run: Interpreter, value: Value, name: str, node: cst.CSTNode | None) -> Value:
    """The value of ``value.name``."""
    match value:
        case Either(values=values):
            return run.each(values, lambda one: attribute(run, one, name, node))
        case Symbol(path=path, file=file, mixed=mixed):
            if file is not None:
                return run.modules.follow(run, run.modules.attribute(value, name))
            member = run.symbol(f"{path}.{name}")
            return replace(member, mixed=True) if mixed and isinstance(member, Symbol) else member
        case Instance() | Class():
            found = _object_attribute(run, value, name)
            if found is not None:
                return found
            held = run.state.find((value, "layers ")) if name == "layers" else None
            if isinstance(held, Content) and value.class_name.endswith("Sequential"):  # type: ignore[union-attr]
                return run.new_list(node or cst.Name("layers"), held, "layers")
        case Super(owner=owner, cls=cls):
            inherited = class_attribute(run, owner, name, after=cls)
            return Member(value, name) if inherited is None else _bound(run, owner, inherited)
        case Computed(function=Symbol(path=path)) if path in _PROPERTIES:
            return Member(value, name)
    if name in VARIABLE_LISTS and not isinstance(value, (Const, List, Sequence, Dict, Items)):
        return run.variables(value, VARIABLE_LISTS[name], node)
    if name in _LAYER_VARIABLES and isinstance(value, Instance) and isinstance(value.cls, Symbol):
        if value.class_name.startswith("keras.layers."):
            return Weight(value, name)
    if isinstance(value, (Gradient, Weight)) and name in ("dtype", "shape", "name"):
        return Member(Unknown(("of", value)), name)
    return bounded(Member(value, name))


def _object_attribute(run: Interpreter, value: Instance | Class, name: str) -> Value | None:
    if name == "__class__" and isinstance(value, Instance) and isinstance(value.cls, Class):
        return value.cls
    if name == "__dict__":
        run.forget(value)
        return UNKNOWN
    of_class = class_attribute(run, value, name)
    if isinstance(value, Instance):
        if of_class is not None and (_accessors(of_class) or _accessor(run, of_class, "__set__")):
            return _bound(run, value, of_class)
        if class_attribute(run, value, "__getattribute__") is not None:
            return UNKNOWN
        own = run.state.find((value, name))
        if own is not State.MISSING:
            return own  # type: ignore[return-value]
        if of_class is not None and not isinstance(of_class, Function):
            if isinstance(value.cls, Class) and not value.cls.plain:
                return UNKNOWN  # a base class that is not known may have set it
    elif of_class is not None and not value.plain and not isinstance(of_class, Function):
        return UNKNOWN  # an enumeration, say
    return None if of_class is None else _bound(run, value, of_class)


def class_attribute(
    run: Interpreter, value: Value, name: str, after: Class | None = None
) -> Value | None:
    """What the class of an object (or a class) holds under a name; None where it has none.

    With ``after``, what ``super()`` in that class finds.
    """
    cls = value.cls if isinstance(value, Instance) else value
    if not isinstance(cls, Class):
        return None
    lineage = cls.lineage
    if after is not None and after in lineage:
        lineage = lineage[lineage.index(after) + 1 :]
    for ancestor in lineage:
        if isinstance(ancestor, Class):
            found = run.state.find((ancestor.scope, name))
            if found is not State.MISSING:
                return found  # type: ignore[return-value]
    return None


def find_method(
    run: Interpreter, value: Value, name: str, after: Class | None = None
) -> Function | None:
    """The program's own method ``name`` of an object or class."""
    if isinstance(value, Instance) and after is None:
        own = run.state.find((value, name))
        if own is not State.MISSING:
            return None
    found = class_attribute(run, value, name, after)
    return found if isinstance(found, Function) else None


def _accessors(found: Value) -> tuple[Value, ...]:
    """Getter and setter of a property; nothing for anything else."""
    match found:
        case Computed(function=Symbol(path=path), arguments=arguments) if path in _PROPERTIES:
            return arguments.positional or (UNKNOWN,)
    return ()


def _accessor(run: Interpreter, found: Value | None, name: str) -> Function | None:
    """``__get__`` or ``__set__`` of an object of the program that stands in a class body."""
    if not isinstance(found, Instance):
        return None
    accessor = class_attribute(run, found, name)
    return accessor if isinstance(accessor, Function) else None


def _bound(run: Interpreter, value: Value, found: Value) -> Value:
    """What an attribute of the class gives when it is read through ``value``."""
    of_class = not isinstance(value, Instance)
    match found:
        case Function() if of_class:
            return found
        case Function():
            return Method(value, found)
        case Computed(function=Symbol(path="builtins.staticmethod"), arguments=arguments):
            return arguments.positional[0] if arguments.positional else UNKNOWN
        case Computed(function=Symbol(path="builtins.classmethod"), arguments=arguments):
            inner = arguments.positional[0] if arguments.positional else UNKNOWN
            owner = value.cls if isinstance(value, Instance) else value
            return Method(owner, inner) if isinstance(inner, Function) else UNKNOWN
        case Decorated(function=Function() as inner) if not of_class:
            return Decorated(Method(value, inner))
        case CustomGradient(function=Function() as inner, decorator=decorator) if not of_class:
            return CustomGradient(Method(value, inner), decorator)
    accessors = _accessors(found)
    if accessors and not of_class:
        getter = accessors[0]
        node = getter.node if isinstance(getter, Function) else None
        return run.enter(getter, Arguments((value,)), node) if node is not None else UNKNOWN  # type: ignore[arg-type]
    reader = _accessor(run, found, "__get__")
    if reader is not None:
        holder, cls = (value, value.cls) if isinstance(value, Instance) else (NONE, value)
        return run.enter(reader, Arguments((found, holder, cls)), reader.node)
    return found


def set_attribute(run: Interpreter, holder: Value, name: str, value: Value) -> None:
    """``holder.name = value``."""
    match holder:
        case Symbol(path=path):
            run.patched |= {Symbol(f"{path}.{name}").name, f"{holder.name}.{name}"}
        case Class():
            run.members.setdefault(holder, {})[name] = None
            run.write((holder.scope, name), value)
        case Instance():
            _set_on_object(run, holder, name, value)
        case Super(owner=owner):
            set_attribute(run, owner, name, value)
        case Either(values=values):
            for one in values:
                _may_set(run, one, name, value)
        case Unknown() | Member() | Computed() | Weight():
            # It may be any object that has such an attribute.
            run.reassigned.add((None, name))
            for one in holder.may_be if isinstance(holder, Unknown) else ():
                _may_set(run, one, name, value)
            for one in list(run.owners.get(name, ())):
                run.steps += 1
                _may_set(run, one, name, value)


def _may_set(run: Interpreter, one: Value, name: str, value: Value) -> None:
    if isinstance(one, (Instance, Class)):
        before = attribute(run, one, name, None)
        set_attribute(run, one, name, join_all([before, value]))
    elif isinstance(one, (Unknown, Member)):
        set_attribute(run, one, name, value)


def _set_on_object(run: Interpreter, holder: Instance, name: str, value: Value) -> None:
    of_class = class_attribute(run, holder, name)
    accessors = _accessors(of_class) if of_class is not None else ()
    if len(accessors) > 1:
        if isinstance(accessors[1], Function):
            run.enter(accessors[1], Arguments((holder, value)), accessors[1].node)
            return
        value = UNKNOWN
    writer = _accessor(run, of_class, "__set__")
    if writer is not None and of_class is not None:
        run.enter(writer, Arguments((of_class, holder, value)), writer.node)
        return
    if class_attribute(run, holder, "__setattr__") is not None:
        value = UNKNOWN
    keep(run, holder, name, value)
    if isinstance(holder.cls, Symbol):
        keep(run, holder, CHANGED, UNKNOWN)
    elif holder not in run.constructing:
        note_reassigned(run, holder.cls, name)


def note_reassigned(run: Interpreter, cls: Class, name: str) -> None:
    """An attribute of a finished object was set (``"*"``: any of them)."""
    run.reassigned |= {(base.node, name) for base in cls.lineage if isinstance(base, Class)}


def is_new_attribute(state: State, key: Key) -> bool:
    """Whether a key is an attribute, not set so far, of an object that exists."""
    owner = key[0]
    if not isinstance(owner, Instance) or " " in str(key[1]):
        return False  # a mark, which no program sets
    return state.find((owner, MADE)) is not State.MISSING


def data_of(run: Interpreter, cls: Class) -> Iterator[str]:
    """The names in a class body that hold no method."""
    for name in list(run.members.get(cls, ())):
        if not isinstance(run.state.find((cls.scope, name)), (Function, Computed)):
            yield name


def keep(run: Interpreter, holder: Instance, name: str, value: Value) -> None:
    """Store an attribute of an object."""
    run.attributes.setdefault(holder, {})[name] = None
    run.owners.setdefault(name, {})[holder] = None
    run.write((holder, name), value)


def attributes_of(run: Interpreter, instance: Instance) -> Iterator[tuple[str, Value]]:
    """The attributes that are set on an object."""
    for name in list(run.attributes.get(instance, ())):
        found = run.state.find((instance, name))
        if found is not State.MISSING and name not in (CHANGED, MADE):
            yield name, found  # type: ignore[misc]


def forget(run: Interpreter, value: Value) -> None:
    """``value`` was given to code that nobody knows: all that it could change is unknown.

    That code may call the functions that it is given, which may give away others: each value is
    forgotten once.
    """
    stack, seen = [value], set(run.forgetting)
    while stack:
        one = stack.pop()
        if isinstance(one, Unknown) and one.may_be:
            stack.extend(one.may_be)  # unknowns are equal, whatever they may be
        if one in seen:
            continue
        seen.add(one)
        match one:
            case Either(values=values) | PerEntry(values=values):
                stack.extend(values)
            case Sequence(content=content):
                stack.extend(entry.value for entry in content.entries)
                run.iterate(one)
            case Unknown(origin=("namespace",)):
                run.lose_everything()
            case List():
                held = run.stored(one)
                stack.extend(entry.value for entry in held.entries)
                run.set_content(one, any_of(*held.entries))
            case Items(items=pairs):
                stack.extend(item for _, item in pairs)
            case Dict():
                items = run.items(one)
                stack.extend((items.rest, *(item for _, item in items.items)))
                run.write((one, "items"), items.lost())
            case Member(of=of):
                stack.append(of)
            case Method(owner=owner):
                stack.append(owner)
                _may_call(run, one, seen)
            case Function():
                _may_call(run, one, seen)
            case Decorated(function=function):
                stack.append(function)
            case Tape():
                run.write((one, "used"), None)
                run.write((one, "escaped"), Const(True))
            case Computed(function=Symbol(path="functools.partial"), arguments=arguments):
                stack.extend(arguments.positional)
            case Instance():
                stack.extend(held for _, held in attributes_of(run, one))
                _forget_object(run, one)


def run_through(run: Interpreter, value: Instance) -> None:
    """An object of the program is run through: what its methods for that change is unknown."""
    for name in ("__iter__", "__next__", "__getitem__"):
        method = class_attribute(run, value, name)
        if isinstance(method, Function) and not is_static(method.node):
            run.may_call(Method(value, method))


def _may_call(run: Interpreter, function: Function | Method, forgotten: set[Value]) -> None:
    outer, run.forgetting = run.forgetting, frozenset(forgotten)
    run.may_call(function)
    run.forgetting = outer


def _forget_object(run: Interpreter, value: Instance) -> None:
    names = dict.fromkeys(run.attributes.get(value, ()))
    if isinstance(value.cls, Class):
        for ancestor in value.cls.lineage:
            if isinstance(ancestor, Class):
                names |= dict.fromkeys(run.members.get(ancestor, ()))
    for name in names:
        found = class_attribute(run, value, name)
        if not isinstance(found, (Function, Computed)) and name != MADE:
            keep(run, value, name, _given_away(run, *_own(run, value, name)))
    if isinstance(value.cls, Symbol):
        keep(run, value, CHANGED, _given_away(run))
    if isinstance(run.state.find((value, "layers ")), Content):
        run.write((value, "layers "), OPAQUE)
    for mark in (COMPILED, TRAINED):
        if run.state.find((value, mark)) is not State.MISSING:
            run.write((value, mark), UNKNOWN)


def _given_away(run: Interpreter, *held: Value) -> Unknown:
    """What unknown code left in an attribute: another thing each time, or what it was."""
    run.forgotten += 1
    return Unknown(("given away", run.forgotten), lost_track(held).may_be)


def _own(run: Interpreter, value: Instance, name: str) -> Iterator[Value]:
    """What an object holds under a name, if that is known."""
    found = run.state.before((value, name))
    if found is not State.MISSING:
        yield found  # type: ignore[misc]


def was_given_away(cell: object) -> bool:
    """Whether a cell was lost to code that nobody knows."""
    return isinstance(cell, Unknown) and cell.origin is not None and cell.origin[0] == "given away"


def instantiate(run: Interpreter, cls: Class, arguments: Arguments, node: cst.Call) -> Value:
    """Call a class of the program."""
    result = Instance(cls, run.identity(node), arguments, node)
    run.write((result, MADE), NONE)
    if not cls.plain or class_attribute(run, cls, "__new__") is not None:
        for value in (*arguments.positional, *(v for _, v in arguments.keywords)):
            forget(run, value)
        if class_attribute(run, cls, "__new__") is not None:
            return UNKNOWN
    init = find_method(run, result, "__init__")
    if init is not None:
        bound = Arguments((result, *arguments.positional), arguments.keywords, arguments.complete)
        run.constructing.append(result)
        run.enter(init, bound, node)
        run.constructing.pop()
    elif any(ancestor in run.dataclasses for ancestor in cls.lineage):
        _fill_fields(run, result, arguments, node)
        after = find_method(run, result, "__post_init__")
        if after is not None:
            run.enter(after, Arguments((result,)), node)
    if any(_is_called_otherwise(run, one) for one in cls.lineage):
        run.forget(result)  # a metaclass does more than that
    if is_keras(cls):
        made = ObjectMade(node, result, run.current_function(), run.statement_loops())
        run.facts.note(made)
    build = find_method(run, result, "build") if is_keras(cls) else None
    if build is not None:
        run.constructing.append(result)
        run.enter(build, Arguments((result,)), node)
        run.constructing.pop()
    return result


def _is_called_otherwise(run: Interpreter, cls: Class | Symbol) -> bool:
    """Whether the metaclass of a class, of the program too, says what calling it means."""
    metaclass = run.metaclasses.get(cls)
    return metaclass is not None and class_attribute(run, metaclass, "__call__") is not None


def is_keras(cls: Class) -> bool:
    """Whether Keras runs the methods of a class: it is a layer, model, optimizer, ..."""
    return any(isinstance(b, Symbol) and b.name.startswith("keras.") for b in cls.lineage)


def _fill_fields(
    run: Interpreter, instance: Instance, arguments: Arguments, node: cst.Call
) -> None:
    """The attributes that the ``__init__`` of a dataclass sets: fields in order."""
    assert isinstance(instance.cls, Class)
    names: dict[str, None] = {}
    for ancestor in reversed(instance.cls.lineage):
        if isinstance(ancestor, Class) and ancestor in run.dataclasses:
            names |= dict.fromkeys(_fields(ancestor.node))
    given = dict(zip(names, arguments.positional, strict=False)) | dict(arguments.keywords)
    for name in names:
        default = class_attribute(run, instance, name)
        value = given.get(name, default if arguments.complete else UNKNOWN)
        if name not in given and isinstance(value, Computed):
            value = _default_of_field(run, value, node)
        keep(run, instance, name, UNKNOWN if value is None else value)


def _default_of_field(run: Interpreter, value: Computed, node: cst.Call) -> Value:
    """``dataclasses.field(default=...)`` or ``field(default_factory=...)``."""
    if isinstance(value.function, Symbol) and value.function.name == "dataclasses.field":
        default = value.arguments.get("default")
        factory = value.arguments.get("default_factory")
        if default is not None:
            return default
        if factory is not None and isinstance(value.node, cst.Call):
            with run.inside(node):
                return run.call(factory, Arguments(), value.node)
        return UNKNOWN
    return value


def _fields(node: cst.ClassDef) -> Iterator[str]:
    """The annotated names of a class body."""
    for line in node.body.body:
        for statement in line.body if isinstance(line, cst.SimpleStatementLine) else ():
            match statement:
                case cst.AnnAssign(target=cst.Name(value=name)):
                    yield name


def unknown_parameters(function: Function, owner: Value | None = None) -> dict[str, Value]:
    """An unknown, but each time the same, value for each parameter, the starred one included."""
    params = function.node.params
    named = [*positional_parameters(params), *params.kwonly_params]
    if isinstance(params.star_arg, cst.Param):
        named.append(params.star_arg)
    names = [parameter.name.value for parameter in named]
    values: dict[str, Value] = {n: Unknown(("parameter", function.node, n)) for n in names}
    if owner is not None and names:
        values[names[0]] = owner
    return values


def unknown_arguments(function: Function, owner: Value | None = None) -> Arguments:
    """An unknown for each parameter; any number of them for a starred one."""
    params = function.node.params
    values = unknown_parameters(function, owner)
    starred = isinstance(params.star_arg, cst.Param) or params.star_kwarg is not None
    if isinstance(params.star_arg, cst.Param):
        del values[params.star_arg.name.value]
    return Arguments((), tuple(values.items()), complete=not starred)
