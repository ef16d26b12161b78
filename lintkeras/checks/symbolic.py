"""Symbolic tensors of Keras 3 where only real ones can go; TensorFlow where any backend may run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import libcst as cst

from lintkeras import keras_api
from lintkeras.checks.backend import entry_of
from lintkeras.checks.fallbacks import is_guarded
from lintkeras.checks.registry import Context, check
from lintkeras.findings import Applicability, Finding, Fix, Note
from lintkeras.keras_api.releases import place_of
from lintkeras.keras_api.replacements import by_name
from lintkeras.meaning.backends import other_backends
from lintkeras.meaning.facts import CallMade, LayerClass, MemberUse, Operation
from lintkeras.meaning.symbolic import symbolic_source
from lintkeras.meaning.values import Arguments, Class, Function, Member, Symbol, Value, walk
from lintkeras.rewrites.calls import Entry, Rewriting, Writer, rewrite_call
from lintkeras.rewrites.imports import add
from lintkeras.syntax.tree import nodes

_TENSORFLOW = "A KerasTensor cannot be used as input to a TensorFlow function"
_NUMPY = "A KerasTensor is symbolic: it's a placeholder for a shape an a dtype"
_TAKES_SYMBOLS = frozenset({"int_shape", "get_value", "get_variable_shape", "eval", "to_dense"})
"""Functions of tf.keras.backend that can be given one."""


@dataclass(frozen=True)
class Place:
    """A call of a library function, and each time it was reached: the arguments, what ran."""

    node: cst.Call
    symbol: Symbol
    given: tuple[Arguments, ...]
    running: tuple[tuple[Function, ...], ...]
    tests: tuple[CallMade, ...]


@check("LK612")
def tf_op_on_keras_tensor(context: Context) -> Iterator[Finding]:
    """A function of TensorFlow or NumPy is given a symbolic tensor of Keras 3."""
    for place in _calls(context):
        entry = _entry(place.symbol)
        if entry is None or not place.given:
            continue
        sources = [_source(arguments) for arguments in place.given]
        if not _fails(context, sources) or any(_is_inside(context, r) for r in place.running):
            continue
        if not context.program.owns(place.node):
            continue
        if any(is_guarded(context, place.node, made.tests) for made in place.tests):
            continue
        written = context.program.text(place.node.func)
        shown = context.releases.shown(_required(sources[0]))
        yield Finding(
            "LK612",
            context.program.span(place.node),
            f"`{written}` is given a KerasTensor, {_error(place.symbol)} in {shown}"
            f"{_advice(entry)}",
            label="this tensor has no numbers before the model runs",
            notes=_notes(entry),
            fixes=context.fixes(_fixes, context, place.node, entry),
        )
    yield from _shape_methods(context)


@check("LK616")
def backend_specific_op(context: Context) -> Iterator[Finding]:
    """TensorFlow inside of ``call`` in a project that shows several backends."""
    if not other_backends(context.program.nodes):
        return
    methods = {
        summary.node: layer
        for layer in context.facts.all(LayerClass)
        if (summary := layer.call) is not None and _is_standalone(layer.cls)
    }
    for place in _calls(context):
        entry = _entry(place.symbol)
        if entry is None or place.symbol.flavour != "tf" or not context.program.owns(place.node):
            continue
        function = context.program.enclosing_function(place.node)
        if function not in methods:
            continue
        if any(is_guarded(context, place.node, made.tests) for made in place.tests):
            continue
        if any(_asks_backend(test.value) for made in place.tests for test in made.tests):
            continue
        modules = context.program.together(place.node)
        backends = other_backends(node for module in modules for node in nodes(module))
        if not backends:
            continue
        written = context.program.text(place.node.func)
        name = methods[function].node.name.value
        others = " and ".join({"jax": "JAX", "torch": "PyTorch"}[one] for one in sorted(backends))
        yield Finding(
            "LK616",
            context.program.span(place.node),
            f"`{written}` in `{name}.call` ties the layer to TensorFlow, in a program that also "
            f"runs on {others}{_advice(entry)}",
            notes=_notes(entry),
            fixes=context.fixes(_fixes, context, place.node, entry),
        )


# ---------------------------------------------------------------------------- what is called


def _calls(context: Context) -> Iterator[Place]:
    """The calls of functions that the tables know."""
    operations = {
        group[0].node: group
        for group in context.facts.groups(Operation)
        if isinstance(group[0].node, cst.Call)
    }
    made = {group[0].node: group for group in context.facts.groups(CallMade)}
    for node, group in operations.items():
        assert isinstance(node, cst.Call)
        calls = tuple(made.get(node, ()))
        symbols = {one.term.function for one in group if isinstance(one.term.function, Symbol)}
        if len(symbols) != 1:
            symbols = {one.function for one in calls if isinstance(one.function, Symbol)}
        if len(symbols) == 1:
            given = tuple(one.term.arguments for one in group)
            (symbol,) = symbols
            yield Place(node, symbol, given, tuple(one.functions for one in group), calls)


def _entry(symbol: Symbol) -> Entry | None:
    """What the tables say of a function of TensorFlow, NumPy or tf.keras.backend."""
    if symbol.flavour == "tf.keras":
        inside = symbol.name.removeprefix("keras.")
        if not inside.startswith("backend.") or inside.count(".") != 1:
            return None
        found = entry_of(inside)
        known = found is not None and bool(found.templates)
        return found if known and inside.rpartition(".")[2] not in _TAKES_SYMBOLS else None
    if symbol.flavour == "tf" or symbol.path.startswith("numpy."):
        return _tensor_function(symbol.path, symbol.name)
    return None


@cache
def _tensor_function(path: str, name: str) -> Entry | None:
    data = by_name("tensorflow").get(name.removeprefix("tf."))
    if data is None:
        return None
    if "parameters" in data:
        parameters = tuple(keras_api.Parameter(p, "positional") for p in data["parameters"])
        return Entry(data, parameters)
    place = place_of(path)
    found = keras_api.space("tf").symbol(place.path) if place is not None else None
    return Entry(data, found.parameters) if found is not None else None


# ---------------------------------------------------------------------------- what is given


def _source(given: Arguments) -> Symbol | None:
    """What a symbolic tensor among the arguments goes back to."""
    values = [*given.positional, *(value for _, value in given.keywords)]
    return next((found for one in values if (found := symbolic_source(one)) is not None), None)


def _fails(context: Context, sources: list[Symbol | None]) -> bool:
    """Whether each time a symbolic tensor of Keras 3 is given."""
    for source in sources:
        place = place_of(source.path) if source is not None and not source.mixed else None
        if place is None or not context.releases.is_keras_3(place):
            return False
    return bool(sources)


def _required(source: Symbol | None) -> keras_api.releases.Place:
    assert source is not None
    place = place_of(source.path)
    assert place is not None
    return place


def _is_inside(context: Context, running: tuple[Function, ...]) -> bool:
    """Whether Keras calls the code itself, with tensors: a layer, a Lambda, a loss, a metric."""
    for function in running:
        if function.node in context.facts.summaries or function.node in context.facts.staged:
            return True
        if function.cls is not None and function.name != "__init__":
            if any(isinstance(base, Symbol) for base in function.cls.lineage):
                return True
    return False


def _asks_backend(value: Value) -> bool:
    """Whether a condition asks which backend runs."""
    return any(
        isinstance(part, Symbol) and part.name in ("keras.backend.backend", "keras.config.backend")
        for part in walk(value)
    )


def _is_standalone(cls: Class) -> bool:
    """Whether all library bases of a class are of the package ``keras``."""
    flavours = {base.flavour for base in cls.lineage if isinstance(base, Symbol)}
    return flavours == {"keras"}


# ---------------------------------------------------------------------------- what is said


def _error(symbol: Symbol) -> str:
    if symbol.flavour == "tf.keras":
        return "and takes only tensors with numbers"
    text = _NUMPY if symbol.path.startswith("numpy.") else _TENSORFLOW
    return f"which raises ValueError ({text})"


def _advice(entry: Entry) -> str:
    if entry.templates:
        return f"; write `{entry.templates[0].shown}`"
    return f"; {entry.text('note')}"


def _notes(entry: Entry) -> tuple[Note, ...]:
    reason = entry.text("unsafe") or entry.text("changes")
    return (Note("effect", reason.replace("`K.", "`tf.keras.backend.")),) if reason else ()


def _fixes(context: Context, call: cst.Call, entry: Entry) -> Iterator[Fix]:
    anchor: cst.BaseExpression = call.func
    while isinstance(anchor, cst.Attribute):
        anchor = anchor.value
    if not isinstance(anchor, cst.Name):
        return
    writer = Writer(context.code, context.releases, anchor)
    made = rewrite_call(writer, call, entry, entry.templates)
    if made is not None:
        whole = not isinstance(context.program.parent(call), cst.Subscript)
        reason = entry.text("changes") or (entry.text("unsafe") and whole)
        title = f"write `{made.template.shown}` for `{context.code.shown(call.func)}`"
        yield _fix(context, call, made, title, safe=not reason)


def _fix(context: Context, node: cst.CSTNode, made: Rewriting, title: str, *, safe: bool) -> Fix:
    top = context.program.top_level_statement(node)
    added = [context.code.insert(one) for one in add(context.code, sorted(made.lines), top)]
    sure = Applicability.SAFE if safe and made.everywhere else Applicability.UNSAFE
    return Fix("ops", title, sure, (*made.edits, *added))


# ---------------------------------------------------------------------------- shapes


def _shape_methods(context: Context) -> Iterator[Finding]:
    """``x.get_shape()`` and ``x.shape.as_list()``: the shape of a KerasTensor is a tuple."""
    for group in context.facts.groups(MemberUse):
        node = group[0].node
        name = node.attr.value
        owners = [_with_shape(use.owner, name) for use in group]
        tensors = [owner for owner in owners if owner is not None]
        if len(tensors) < len(owners) or any(use.written for use in group):
            continue
        sources = [symbolic_source(owner) for owner in tensors]
        if not _fails(context, sources) or not context.program.owns(node):
            continue
        if any(_is_inside(context, use.functions) for use in group):
            continue
        if any(is_guarded(context, node, use.tests) for use in group):
            continue
        shown = context.releases.shown(_required(sources[0]))
        kind = "KerasTensor" if name == "get_shape" else "tuple"
        yield Finding(
            "LK612",
            context.program.span(node),
            f"`{context.program.text(node)}` raises AttributeError in {shown} ('{kind}' object has "
            f"no attribute '{name}'); the shape of a KerasTensor is the tuple `shape`",
            label="no longer there",
            fixes=context.fixes(_shape_fixes, context, node),
        )


def _with_shape(owner: Value, name: str) -> Value | None:
    """The tensor whose shape is asked for in the old way."""
    if name == "get_shape":
        return owner
    if name == "as_list" and isinstance(owner, Member) and owner.name == "shape":
        return owner.of
    return None


def _shape_fixes(context: Context, node: cst.Attribute) -> Iterator[Fix]:
    code = context.code
    call = context.program.parent(node)
    if not isinstance(call, cst.Call) or call.func is not node or call.args:
        return
    if any(code.comments(call)):
        return
    tensor = code.text(node.value)
    if node.attr.value == "as_list":
        edit = code.replace(call, f"list({tensor})")
        yield Fix("shape", f"write `list({code.shown(node.value)})`", Applicability.SAFE, (edit,))
        return
    outer = context.program.parent(call)
    listed = isinstance(outer, cst.Attribute) and outer.attr.value == "as_list"
    around = context.program.parent(outer) if listed and outer is not None else None
    if isinstance(around, cst.Call) and around.func is outer and not around.args:
        edit = code.replace(around, f"list({tensor}.shape)")
        title = f"write `list({code.shown(node.value)}.shape)`"
    else:
        edit = code.replace(call, f"{tensor}.shape")
        title = f"write `{code.shown(node.value)}.shape`"
    yield Fix("shape", title, Applicability.SAFE, (edit,))
