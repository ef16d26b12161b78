"""Classes of layers where a layer is wanted, and layers that are made of a tensor."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import libcst as cst

from lintkeras.checks.calls import Called, calls_of_keras, place_in
from lintkeras.checks.merging import is_merge
from lintkeras.checks.parts import parts
from lintkeras.checks.registry import Context, check
from lintkeras.findings import Applicability, Finding, Fix, Note
from lintkeras.keras_api.arguments import Callee
from lintkeras.meaning.symbolic import symbolic_source
from lintkeras.meaning.values import Class, Items, Sequence, Symbol

_LAYERS = frozenset({"layer", "layers", "backward_layer"})
_CELLS = frozenset({"cell", "cells"})
_ACTIVATIONS = frozenset({"activation", "recurrent_activation"})
_NAMED = frozenset({"Bidirectional", "TimeDistributed"})
"""The layers whose error is quoted."""
_INPUTS = frozenset({"layers.InputLayer", "layers.Input", "Input"})


@dataclass(frozen=True)
class _Given:
    """A class that is given where an object is wanted."""

    called: Called
    parameter: str
    value: Symbol | Class
    node: cst.BaseExpression
    """The expression that is the class, or the argument that holds it somewhere."""
    itself: bool


@check("LK309")
def layer_not_instantiated(context: Context) -> Iterator[Finding]:
    """A class of layers where a layer is wanted, or one that is made of a tensor."""
    for called in context.once(calls_of_keras):
        if called.partial:
            continue
        for given in _given(context, called):
            yield _class_given(context, given)
        yield from _made_of_a_tensor(context, called)


# ------------------------------------------------------------------ a class for a layer


def _given(context: Context, called: Called) -> Iterator[_Given]:
    for parameter in _wanting(context, called):
        argument, value = called.expression(parameter), called.value(parameter)
        if argument is None or argument.star or value is None:
            continue
        for part in parts(argument.value, value):
            one = part.value
            if not isinstance(one, (Symbol, Class)) or not _is_layer_class(context, one):
                continue
            if isinstance(one, Class) and parameter in _CELLS | _ACTIVATIONS:
                continue  # what a class of the program does with that is its own affair
            yield _Given(called, parameter, one, part.node, part.itself)


def _wanting(context: Context, called: Called) -> Iterator[str]:
    """The parameters that take a layer."""
    names = called.callee.names(context.releases)
    if called.callee.method:
        if "models.Sequential.add" in names:
            yield "layer"
        return
    if "layers.Layer" not in names:
        return
    if names[0].startswith("models.") and "models.Sequential" not in names:
        return
    known = {p.name for p in called.signature.parameters}
    yield from sorted(known & (_LAYERS | _CELLS | _ACTIVATIONS))


def _is_layer_class(context: Context, value: Symbol | Class) -> bool:
    """Whether a value is a class whose objects are layers of Keras."""
    if isinstance(value, Class):
        symbols = [one for one in value.lineage if isinstance(one, Symbol)]
        return value.plain and any(_is_layer_class(context, one) for one in symbols)
    place = None if value.mixed or value.file is not None else place_in(context, value)
    symbol = None if place is None else context.releases.symbol(place)
    if place is None or symbol is None or symbol.kind != "class":
        return False
    return "layers.Layer" in Callee(place).names(context.releases)


def _class_given(context: Context, given: _Given) -> Finding:
    called, code = given.called, context.code
    plain = given.itself and isinstance(given.node, (cst.Name, cst.Attribute))
    name = code.shown(given.node) if plain else _name_of(given.value)
    missing = _required(context, given.value)
    makes = f"`{name}()`" if not missing else f"`{name}({', '.join(f'{m}=...' for m in missing)})`"
    fixes = context.fixes(_call_it, context, given.node) if plain and missing == [] else ()
    written = f"`{code.shown(given.node)}`" if given.itself else f"`{name}`"
    article = "layers" if called.callee.method or given.parameter == "layers" else "a layer"
    where = f"`{called.callee.name}()`"
    wants = {
        **dict.fromkeys(_CELLS, f"{where} takes a cell"),
        **dict.fromkeys(_ACTIVATIONS, f"`{given.parameter}=` takes a function or a layer"),
    }.get(given.parameter, f"{where} takes {article}")
    return Finding(
        "LK309",
        context.program.span(given.node),
        f"{written} is a class, and {wants}, {_error(context, given)}; write {makes}",
        label="no layer yet",
        notes=(Note("effect", _CALLED),) if given.parameter in _ACTIVATIONS else (),
        fixes=fixes,
    )


_CALLED = (
    "a class is called with the tensor when the model is built or trained: that makes a layer "
    "with the tensor as an argument, and no tensor"
)


def _error(context: Context, given: _Given) -> str:
    """What the newest allowed release raises."""
    callee = given.called.callee
    names, keras_3 = callee.names(context.releases), context.releases.is_keras_3(callee.place)
    if any(name.startswith("models.Sequential") for name in names):
        if keras_3:
            return "ValueError: Only instances of `keras.Layer` can be added to a Sequential model"
        return "TypeError: The added layer must be an instance of class Layer"
    if given.parameter in _ACTIVATIONS:
        return "which fails when the model runs"
    if callee.name in _NAMED:
        layer = "keras.layers.Layer" if keras_3 else "tf.keras.layers.Layer"
        return f"ValueError: Please initialize `{callee.name}` layer with a `{layer}` instance"
    return "which raises ValueError"


def _name_of(value: Symbol | Class) -> str:
    return value.node.name.value if isinstance(value, Class) else value.path.rpartition(".")[2]


def _required(context: Context, value: Symbol | Class) -> list[str] | None:
    """The arguments without which it cannot be made; None where that is not known."""
    lineage = value.lineage if isinstance(value, Class) else (value,)
    for one in lineage:
        if isinstance(one, Class):
            found = _own_constructor(one)
            if found is not None:
                return None if found.decorators else _without_default(found)
            continue
        place = place_in(context, one)
        signature = None if place is None else Callee(place).signature(context.releases)
        if signature is None:
            return None
        named = [p for p in signature.parameters if p.kind in ("positional", "keyword")]
        return [p.name for p in named if p.default is None]
    return None


def _own_constructor(cls: Class) -> cst.FunctionDef | None:
    for statement in cls.node.body.body:
        if isinstance(statement, cst.FunctionDef) and statement.name.value == "__init__":
            return statement
    return None


def _without_default(function: cst.FunctionDef) -> list[str]:
    params = function.params
    plain = [*params.posonly_params, *params.params][1:]
    return [p.name.value for p in (*plain, *params.kwonly_params) if p.default is None]


def _call_it(context: Context, node: cst.BaseExpression) -> Iterator[Fix]:
    _, end = context.code.span(node)
    edit = context.code.replace_range(node, end, end, "()")
    title = f"write `{context.code.shown(node)}()`"
    yield Fix("call", title, Applicability.SAFE, (edit,))


# ------------------------------------------------------------------ a layer made of a tensor


def _made_of_a_tensor(context: Context, called: Called) -> Iterator[Finding]:
    """``Flatten(x)``: what is given when a layer is made are its settings."""
    values, positional = called.arguments.positional, called.positional
    if called.callee.method or not values or not positional:
        return
    names = called.callee.names(context.releases)
    if "layers.Layer" not in names or names[0].startswith("models."):
        return
    if names[0] in _INPUTS or is_merge(context, called.callee.place):
        return
    if isinstance(values[0], (Sequence, Items)) or symbolic_source(values[0]) is None:
        return
    parent = context.program.parent(called.node)
    if isinstance(parent, cst.Call) and parent.func is called.node:
        return
    name, tensor = context.code.shown(called.node.func), context.code.shown(positional[0].value)
    parameters = called.names
    read_as = f" and is read as its `{parameters[0]}=`" if parameters else ""
    settings = [a for a in called.given if a is not positional[0]]
    missing = [n for n in _required_of(called) if called.argument(n) is None]
    shown = ", ".join(
        [*(context.code.shown(a).rstrip(", ") for a in settings), *(f"{m}=..." for m in missing)]
    )
    plain = len(positional) == 1
    advice = f"; write `{name}({shown})({tensor})`" if plain else ""
    yield Finding(
        "LK309",
        context.program.span(called.node),
        f"`{name}` is given the tensor `{tensor}` when it is made{read_as}; a layer gets its "
        f"tensors when it is called{advice}",
        label="a layer, not a tensor",
        fixes=context.fixes(_called_with_it, context, called) if plain and not missing else (),
    )


def _required_of(called: Called) -> list[str]:
    named = [p for p in called.signature.parameters if p.kind in ("positional", "keyword")]
    return [p.name for p in named if p.default is None]


def _called_with_it(context: Context, called: Called) -> Iterator[Fix]:
    code, (first, *rest) = context.code, called.node.args
    if any(code.comments(called.node)) or first.keyword is not None or any(a.star for a in rest):
        return
    settings = ", ".join(f"{code.text(a.keyword)}={code.text(a.value)}" for a in rest if a.keyword)
    tensor, name = code.text(first.value), code.text(called.node.func)
    new = f"{name}({settings})({tensor})"
    yield Fix("call", f"write `{new}`", Applicability.SAFE, (code.replace(called.node, new),))
