"""Methods and attributes of Keras objects that newer releases do not have."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import libcst as cst

from lintkeras import keras_api
from lintkeras.checks.fallbacks import is_guarded
from lintkeras.checks.registry import Context, check
from lintkeras.findings import Finding, Note, Severity
from lintkeras.keras_api import replacements
from lintkeras.keras_api.releases import Place, Releases, place_of
from lintkeras.meaning.facts import LayerClass, MemberUse, ModelAsked
from lintkeras.meaning.kinds import class_of, classes_of, general
from lintkeras.meaning.objects import VARIABLE_LISTS
from lintkeras.meaning.outline import positional_parameters
from lintkeras.meaning.values import (
    Class,
    Computed,
    Const,
    Instance,
    List,
    Member,
    Super,
    Symbol,
    Value,
    Weight,
    alternatives,
    integer,
)
from lintkeras.rewrites import members as rewrites
from lintkeras.syntax.tree import nodes

_METHOD = "(~!"
"""How the data marks a method of any sort."""


@dataclass(frozen=True)
class Gone:
    """A member that a class had in an earlier release and has not in the newest allowed one."""

    place: Place
    """The class."""
    name: str
    text: str
    """What the data says of it: its signature, or that it is an attribute."""
    last: str
    """The last release that had it."""
    entry: dict[str, Any]
    """What stands in the table of replacements; empty where nothing does."""

    @cached_property
    def is_method(self) -> bool:
        """Whether it is called."""
        return self.text[:1] != "" and self.text[0] in _METHOD

    @property
    def is_misread(self) -> bool:
        """Whether it is still there and takes its arguments in another order."""
        return self.entry.get("form") == "name first"

    @property
    def parameters(self) -> tuple[keras_api.Parameter, ...]:
        """The parameters of the method."""
        return keras_api.parameters_of(self.text.lstrip(_METHOD)) if self.is_method else ()


@check("LK603")
def removed_method(context: Context) -> Iterator[Finding]:
    """A method that the target's Keras has not, or that always raises there."""
    asked = {group[0].node: group for group in context.facts.groups(ModelAsked)}
    for use, found in _uses(context):
        gone = found[0]
        place = use.node
        parent = context.program.parent(place)
        call = parent if isinstance(parent, cst.Call) and parent.func is place else None
        if use.written or not gone.is_method or (gone.is_misread and not _names_first(call)):
            continue
        head = None
        if call is not None:
            heads = {head_of(one.output) for one in asked.get(call, ())}
            head = heads.pop() if len(heads) == 1 else None
        yield Finding(
            "LK603",
            context.program.span(place.attr),
            _message(context, use, gone, head),
            label=f"last in {gone.last}" if gone.last else "",
            notes=tuple(_notes(gone)),
            fixes=context.fixes(rewrites.of_method, context, use, gone, call, head),
        )


@check("LK608")
def renamed_attribute(context: Context) -> Iterator[Finding]:
    """An attribute that the target's Keras has not, or that means something else there."""
    uses = [(use, found[0]) for use, found in _uses(context)]
    assigned = {gone.name for use, gone in uses if use.written}
    for use, gone in uses:
        if gone.is_method or (use.written and "set" not in gone.entry):
            continue
        if gone.entry.get("form") == "called" and not _is_called(context, use):
            continue
        yield Finding(
            "LK608",
            context.program.span(use.node.attr),
            _message(context, use, gone),
            severity=Severity.WARNING if "changed" in gone.entry else None,
            label=f"last in {gone.last}" if gone.last else "",
            notes=tuple(_notes(gone)),
            fixes=context.fixes(
                rewrites.of_attribute, context, use, gone, together=gone.name in assigned
            ),
        )
    yield from _shapes(context)


def _is_called(context: Context, use: MemberUse) -> bool:
    call = context.program.parent(use.node)
    return isinstance(call, cst.Call) and call.func is use.node


def _shapes(context: Context) -> Iterator[Finding]:
    """``input_shape.as_list()`` of the tuple that Keras 3 gives to ``build``."""
    for layer in context.facts.all(LayerClass):
        base = class_of(layer.owner)
        place = place_of(base.path) if base is not None else None
        if place is None or not layer.cls.plain or not context.releases.is_keras_3(place):
            continue
        for function in layer.node.body.body:
            if isinstance(function, cst.FunctionDef) and function.name.value in _GIVEN_SHAPES:
                for call, shape in _as_list(context, function):
                    if not is_guarded(context, call):
                        yield Finding(
                            "LK608",
                            context.program.span(call),
                            f"`{shape.value}` is a tuple in {context.releases.shown(place)}: it "
                            "raises AttributeError: 'tuple' object has no attribute 'as_list'; "
                            f"write `list({shape.value})`",
                            fixes=context.fixes(rewrites.of_shape, context.code, call, shape),
                        )


_GIVEN_SHAPES = frozenset({"build", "compute_output_shape"})
"""What Keras calls with the shape of the inputs."""


def _as_list(context: Context, function: cst.FunctionDef) -> Iterator[tuple[cst.Call, cst.Name]]:
    """The calls of ``as_list()`` of the shape that a function is given, untested and unchanged."""
    given = positional_parameters(function.params)[1:2]
    for node in nodes(function) if given else ():
        match node:
            case cst.Call(func=cst.Attribute(value=cst.Name() as name, attr=attr), args=[]):
                variable = context.code.names.variable(name)
                if attr.value != "as_list" or variable is None or len(variable.stores) != 1:
                    continue
                if variable.stores[0] is given[0].name and not _is_tested(context, node, name):
                    yield node, name


def _is_tested(context: Context, node: cst.CSTNode, name: cst.Name) -> bool:
    """Whether code is under a test of what a name is."""
    return any(
        isinstance(ancestor, (cst.If, cst.IfExp))
        and any(isinstance(n, cst.Name) and n.value == name.value for n in nodes(ancestor.test))
        for ancestor in context.program.ancestors(node)
    )


def _names_first(call: cst.Call | None) -> bool:
    """Whether the first argument of a call is a text."""
    return call is not None and any(
        index == 0 and argument.keyword is None and isinstance(argument.value, cst.SimpleString)
        for index, argument in enumerate(call.args)
    )


# ---------------------------------------------------------------------- what is gone


def _uses(context: Context) -> Iterator[tuple[MemberUse, list[Gone]]]:
    """The uses of members that are gone from every class that the object may have."""
    named = {entry["old"].rpartition(".")[2] for entry in replacements.table("members")}
    for group in context.facts.groups(MemberUse):
        use = group[0]
        if use.node.attr.value not in named:
            continue
        found = [gone for one in group for gone in _gone_from(context, one)]
        complete = all(_gone_from(context, one) for one in group)
        if complete and not any(is_guarded(context, one.node, one.tests) for one in group):
            yield use, found


def _gone_from(context: Context, use: MemberUse) -> list[Gone]:
    """What is gone of each class that the object may have; empty where one may still have it."""
    found = [
        gone(context.releases, symbol, use.node.attr.value, exact=isinstance(one, Instance))
        for one, symbol in zip(alternatives(use.owner), classes_of(use.owner), strict=False)
    ]
    if not found or not all(map(_has_no_other, alternatives(use.owner))):
        return []
    if not all(map(_is_of_keras, alternatives(use.found))):
        return []  # the program itself sets it
    return [] if None in found else [one for one in found if one is not None]


def _is_of_keras(found: Value) -> bool:
    """Whether the program has not set an attribute: it is the library's, or a list of variables."""
    match found:
        case Member():
            return True
        case List(identity=(*_, Weight(attribute=attribute))):
            return attribute in VARIABLE_LISTS.values()
    return False


def _has_no_other(owner: Value) -> bool:
    """Whether all that an object has is known: nothing comes from a base that is not known."""
    if not isinstance(owner, (Instance, Super)) or not isinstance(owner.cls, Class):
        return True
    own = {
        part.name.value
        for base in owner.cls.lineage
        if isinstance(base, Class)
        for part in base.node.body.body
        if isinstance(part, cst.FunctionDef)
    }
    return owner.cls.plain and not own & {"__getattr__", "__getattribute__"}


def gone(releases: Releases, symbol: Symbol, name: str, *, exact: bool = True) -> Gone | None:
    """What the newest allowed release has no more under a name; None where it has, or never had.

    Without ``exact`` the object may be of a subclass that was there then and still has it.
    """
    if ".legacy." in symbol.path:
        return None  # the class itself is gone in Keras 3
    place = _place(releases, symbol)
    now = releases.class_members(place) if place is not None else None
    if place is None or now is None:
        return None
    entry = _entry(symbol, name, exact)
    if "kept" in entry:
        return None
    if name in now:
        return _changed(releases, place, name, now[name], entry)
    classes = [place, *([] if exact else _below(symbol, place))]
    for version in reversed(releases.known(place)):
        for one in classes:
            text = (releases.class_members(one, version) or {}).get(name)
            if text is not None:
                if not exact and any(name in m for m in _subclasses(releases, place, version)):
                    return None
                return Gone(place, name, text, version, entry)
    if "private" in entry:
        return Gone(place, name, "(", entry["private"], entry)
    return None


def _changed(
    releases: Releases, place: Place, name: str, text: str, entry: dict[str, Any]
) -> Gone | None:
    """A member that is still there, but is not what it was before Keras 3."""
    if not releases.is_keras_3(place):
        return None
    if "changed" not in entry and entry.get("form") not in ("called", "name first"):
        return None
    return Gone(place, name, text, "", entry)


def _place(releases: Releases, symbol: Symbol) -> Place | None:
    """The class as the newest allowed release has it, also where its module has moved."""
    place = place_of(symbol.path)
    if place is None or releases.class_members(place) is not None:
        return place
    return place.beside(symbol.name.removeprefix("keras."))


def _entry(symbol: Symbol, name: str, exact: bool) -> dict[str, Any]:
    """The entry of the class, or of the nearest base that has one."""
    table = replacements.by_name("members")
    below = ("models.Sequential",) if symbol.name == "keras.models.Model" and not exact else ()
    for kind in (symbol.name.removeprefix("keras."), *below, *general(symbol)):
        entry = table.get(f"{kind}.{name}")
        if entry is not None:
            return entry
    return {}


def _below(symbol: Symbol, place: Place) -> list[Place]:
    """What an object that is only known to be a model may be besides."""
    return [place.beside("models.Sequential")] if symbol.name == "keras.models.Model" else []


def _subclasses(releases: Releases, place: Place, then: str) -> Iterator[dict[str, str]]:
    """The members of the classes beside a class that inherit from it and were there then."""
    module = place.inside.rpartition(".")[0]
    settled = releases.settle(place)
    space = keras_api.space(settled.space)
    for name in space.names_in(settled.beside(module).path, then):
        one = settled.beside(f"{module}.{name}")
        bases = [base.rpartition(".")[2] for base in releases.bases(one)]
        if one != settled and settled.last in bases:
            yield releases.class_members(one) or {}


# ---------------------------------------------------------------------- what is said


def _message(context: Context, use: MemberUse, gone: Gone, head: str | None = None) -> str:
    name, entry = gone.name, gone.entry
    owner = shown(context, use.node.value)
    release = context.releases.shown(gone.place)
    if entry.get("form") == "called":
        return (
            f"`{owner}.{name}` is a list in {release}: calling it raises TypeError: 'list' object "
            f"is not callable; write `{owner}.{name}`"
        )
    if gone.is_misread:
        return (
            f"the first argument of `{owner}.{name}` is the shape in {release}, not the name: it "
            f"raises TypeError or ValueError; write `{owner}.{entry['new']}(name=...)`"
        )
    if "changed" in entry:
        return f"`{owner}.{name}` {entry['changed']} in {release}; {entry['hint']}"
    advice = _advice(owner, gone, head)
    if use.written:
        return (
            f"`{owner}.{name} = ...` only makes an attribute of its own in {release}, which "
            f"nothing reads: {entry['set']}{advice}"
        )
    cls = _runtime_class(context, use.owner, gone)
    text = f": '{cls}' object has no attribute '{name}'" if cls else ""
    return f"`{owner}.{name}` is gone in {release}: it raises AttributeError{text}{advice}"


def _advice(owner: str, gone: Gone, head: str | None) -> str:
    """What to write; ``head`` says how classes are read off predictions."""
    entry = gone.entry
    if entry.get("form") == "classes" and head is not None:
        return f"; write `{_CLASSES[head].format(owner=owner)}`"
    if "hint" in entry:
        return f"; {entry['hint']}"
    call = "(...)" if gone.is_method else ""
    if "new" in entry:
        return f"; write `{owner}.{entry['new']}{call}`"
    if "template" in entry:
        argument = "x" if gone.is_method else ""
        return f"; write `{entry['template'].format(argument, owner=owner)}`"
    return ""


_CLASSES = {
    "argmax": "{owner}.predict(...).argmax(axis=-1)",
    "threshold": '({owner}.predict(...) > 0.5).astype("int32")',
}


def _notes(gone: Gone) -> Iterator[Note]:
    if "unsafe" in gone.entry:
        yield Note("note", gone.entry["unsafe"])


def shown(context: Context, node: cst.BaseExpression) -> str:
    """An expression on one line, cut where it is long."""
    text = context.code.shown(node)
    return text if len(text) <= _LONGEST else "..."


_LONGEST = 40


def _runtime_class(context: Context, owner: Value, gone: Gone) -> str:
    """The name of the class that Python's message says; empty where it is not known."""
    if not isinstance(owner, Instance):
        return ""
    if isinstance(owner.cls, Class):
        return owner.cls.node.name.value
    functional = owner.class_name == "keras.models.Model" or "applications" in owner.class_name
    if functional and context.releases.is_keras_3(gone.place):
        return "Functional"
    return owner.class_name.rpartition(".")[2]


# ---------------------------------------------------------------------- the output layer


def head_of(output: Value | None) -> str | None:
    """How a class is read off a prediction: ``argmax`` or ``threshold``; None: not known."""
    activation: Value | None = None
    while isinstance(output, Computed) and isinstance(output.function, Instance):
        layer = output.function
        if activation is None:
            activation = layer.arguments.get("activation", _POSITION.get(layer.class_name))
        if layer.class_name == "keras.layers.Dense":
            units = layer.arguments.get("units", 0)
            count = None if units is None else integer(units)
            if count is not None:
                return "argmax" if count > 1 else "threshold"
            break
        if layer.class_name not in _KEEPS_UNITS:
            break
        output = output.arguments.positional[0] if output.arguments.positional else None
    return "argmax" if _is_softmax(activation) else None


_POSITION = {"keras.layers.Dense": 1, "keras.layers.Activation": 0}
_KEEPS_UNITS = frozenset({
    "keras.layers.Activation", "keras.layers.Softmax", "keras.layers.Dropout",
    "keras.layers.BatchNormalization",
})  # fmt: skip


def _is_softmax(value: Value | None) -> bool:
    match value:
        case Const(value="softmax"):
            return True
        case Symbol(name=name):
            return name == "keras.activations.softmax"
    return False
