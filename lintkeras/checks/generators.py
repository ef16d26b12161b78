"""What generators and datasets of the program give to ``fit``, ``evaluate`` and ``predict``."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Sequence as Seq
from dataclasses import dataclass
from typing import Literal

import libcst as cst

from lintkeras.checks.fallbacks import is_guarded
from lintkeras.checks.registry import Context, check
from lintkeras.findings import Applicability, Edit, Finding, Fix, Note
from lintkeras.keras_api.releases import place_of
from lintkeras.meaning.facts import Given, ModelAsked, ModelTrained
from lintkeras.meaning.kinds import class_of, is_model
from lintkeras.meaning.values import (
    Class,
    Computed,
    Instance,
    Items,
    Member,
    Sequence,
    Symbol,
    Value,
    alternatives,
)

_TAKES = {
    "fit": (("x", 0), ("validation_data", 7)),
    "evaluate": (("x", 0),),
    "predict": (("x", 0),),
}
_DATASETS = frozenset({"keras.utils.Sequence", "keras.utils.PyDataset"})
_ARRAYS = frozenset({
    "array", "arange", "asarray", "concatenate", "empty", "expand_dims", "eye", "full", "linspace",
    "ones", "ones_like", "repeat", "reshape", "stack", "tile", "vstack", "zeros", "zeros_like",
    "random.normal", "random.rand", "random.randint", "random.randn", "random.random",
    "random.uniform", "constant", "convert_to_tensor",
})  # fmt: skip
"""Functions of NumPy and TensorFlow that give one array."""
_KEEPS = frozenset({"astype", "reshape", "copy", "numpy"})
_ARITHMETIC = frozenset({"Add", "Subtract", "Multiply", "Divide", "Minus", "Subscript"})
Shape = Literal["list", "dict", "array", "nested"]


@dataclass(frozen=True)
class Use:
    """Where a model is given the function's values."""

    call: cst.Call
    method: str
    release: str


@check("LK621")
def generator_yields_list(context: Context) -> Iterator[Finding]:
    """A generator yields a list or a bare array, or a batch holds a list of arrays."""
    used = dict(_used(context))
    for group in context.facts.groups(Given):
        node, function = group[0].node, group[0].function
        use = used.get(function)
        shapes = {_shape(one) for one in group}
        shape = shapes.pop() if len(shapes) == 1 else None
        if use is None or shape is None or not context.program.owns(node):
            continue
        if isinstance(node, cst.Return) and shape != "nested":
            continue
        if is_guarded(context, node) or is_guarded(context, use.call):
            continue
        written = node.value
        assert isinstance(written, cst.BaseExpression)
        yield Finding(
            "LK621",
            context.program.span(written),
            _message(use, shape, isinstance(node, cst.Yield)),
            notes=(_BACKEND,) if shape == "nested" else (),
            related=context.related((use.call, f"given to {use.method}() here")),
            fixes=context.fixes(_fixes, context, written, shape),
        )


_BACKEND = Note("backend", "this is so on TensorFlow, where Keras makes a tf.data.Dataset of it")


def _message(use: Use, shape: Shape, yields: bool) -> str:
    if shape == "nested":
        what = "the generator" if yields else "`__getitem__`"
        return (
            f"{what} gives a list inside of a tuple: {use.method}() of {use.release} raises "
            "TypeError: `output_signature` must contain objects that are subclass of `tf.TypeSpec` "
            "but found <class 'list'> which is not (ValueError for a list of numbers); write a tuple "
            "for several arrays, an array for one"
        )
    what = {"list": "a list", "dict": "a dictionary", "array": "an array"}[shape]
    advice = "a tuple" if shape == "list" else "`(x,)`"
    return (
        f"the generator yields {what}: {use.method}() of {use.release} raises ValueError: When "
        f"passing a Python generator to a Keras model, the generator must return a tuple; yield "
        f"{advice}"
    )


# ---------------------------------------------------------------------- who is given to a model


def _used(context: Context) -> Iterator[tuple[cst.FunctionDef, Use]]:
    """The functions whose values a model of Keras 3 is given, and where."""
    for kind in (ModelTrained, ModelAsked):
        for fact in context.facts.all(kind):
            assert isinstance(fact, (ModelTrained, ModelAsked))
            cls = class_of(fact.model)
            place = place_of(cls.path) if cls is not None and is_model(fact.model) else None
            if place is None or not context.releases.is_keras_3(place):
                continue
            for name, position in _TAKES.get(fact.method, ()):
                value = fact.arguments.get(name, position)
                function = _function(value) if value is not None else None
                if function is not None:
                    yield function, Use(fact.node, fact.method, context.releases.shown(place))


def _function(value: Value) -> cst.FunctionDef | None:
    """The generator function of a generator, or the ``__getitem__`` of a dataset."""
    match value:
        case Sequence(kind="generator", nodes=(cst.FunctionDef() as node,)):
            return node
        case Instance(cls=Class(plain=True) as cls):
            if any(base in _DATASETS for base in value.library_bases()):
                for one in cls.lineage:
                    for part in one.node.body.body if isinstance(one, Class) else ():
                        if isinstance(part, cst.FunctionDef) and part.name.value == "__getitem__":
                            return part
    return None


# ---------------------------------------------------------------------- what they give


def _shape(given: Given) -> Shape | None:
    """What is wrong with a value; None where it is right or not known."""
    shapes = {_shape_of(one) for one in alternatives(given.value)}
    return shapes.pop() if len(shapes) == 1 else None


def _shape_of(value: Value) -> Shape | None:
    match value:
        case Sequence(kind="list"):
            return "list"
        case Sequence(kind="tuple", content=content):
            plain = content.plain() or ()
            return "nested" if any(_is_list(part) for part in plain) else None
        case Items():
            return "dict"
    return "array" if _is_array(value) else None


def _is_list(value: Value) -> bool:
    return isinstance(value, Sequence) and value.kind == "list"


def _is_array(value: Value) -> bool:
    """Whether a value is certainly one array."""
    match value:
        case Computed(function=Symbol(name=name)):
            package, _, rest = name.partition(".")
            return package in ("numpy", "tf") and rest in _ARRAYS
        case Computed(function=Member(of=owner, name=name)):
            return name in _KEEPS and _is_array(owner)
        case Computed(function=str(name), arguments=arguments):
            return name in _ARITHMETIC and any(map(_is_array, arguments.positional))
    return False


# ---------------------------------------------------------------------- fixes


def _fixes(context: Context, written: cst.BaseExpression, shape: Shape) -> Iterator[Fix]:
    code = context.code
    if shape == "list" and isinstance(written, cst.List):
        edits = tuple(_as_tuple(context, written))
    elif shape == "list":
        edits = (code.replace(written, f"tuple({code.text(written)})"),)
    elif shape == "nested":
        parts = written.elements if isinstance(written, cst.Tuple) else ()
        edits = tuple(
            edit
            for part in parts
            if isinstance(part.value, cst.List)
            for edit in _as_tuple(context, part.value)
        )
        if any(isinstance(one.value, cst.BaseNumber) for part in parts for one in _inside(part)):
            return
    else:
        edits = (code.replace(written, f"({code.text(written)},)"),)
    if edits:
        yield Fix("tuple", "make a tuple of it", Applicability.UNSAFE, edits)


def _inside(part: cst.BaseElement) -> Seq[cst.BaseElement]:
    return part.value.elements if isinstance(part.value, cst.List) else ()


def _as_tuple(context: Context, node: cst.List) -> Iterator[Edit]:
    """Parentheses for the brackets of a list, and the comma that a single element needs."""
    start, end = context.program.local_span(node)
    snippet = context.program.snippet_of(node).snippet
    yield snippet.edit(start, start + 1, "(")
    last = node.elements[-1] if node.elements else None
    alone = len(node.elements) == 1 and last is not None
    needs_comma = alone and not isinstance(getattr(last, "comma", None), cst.Comma)
    yield snippet.edit(end - 1, end, ",)" if needs_comma else ")")
