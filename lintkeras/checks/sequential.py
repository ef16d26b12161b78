"""``model.input`` and ``model.output`` of Sequential models."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from lintkeras.checks.fallbacks import is_guarded
from lintkeras.checks.registry import Context, check
from lintkeras.findings import Applicability, Finding, Fix, Note
from lintkeras.keras_api.releases import place_of
from lintkeras.meaning.facts import ModelEnds, Operation
from lintkeras.meaning.kinds import class_of
from lintkeras.meaning.values import Class, Instance, Value

_SHAPES = ("input_shape", "input_dim", "batch_input_shape", "batch_shape")


@check("LK620")
def sequential_input_output(context: Context) -> Iterator[Finding]:
    """A Sequential has no ``input`` and ``output`` in Keras 3 before it is called."""
    groups = list(context.facts.groups(ModelEnds))
    called = {one.term.function for one in context.facts.all(Operation)} if groups else set()
    for group in groups:
        if not all(_raises(context, ends) for ends in group):
            continue
        ends = group[0]
        if any(one.model in called for one in group):
            continue  # in a function that may have run before
        cls = class_of(ends.model)
        place = place_of(cls.path) if cls is not None else None
        if place is None or any(is_guarded(context, one.node, one.tests) for one in group):
            continue
        name, owner = ends.node.attr.value, context.code.shown(ends.node.value)
        added = any(one.added for one in group)
        yield Finding(
            "LK620",
            context.program.span(ends.node),
            f"`{owner}` is a Sequential that was never called: `{owner}.{name}` raises "
            f"{_error(context, place.space)} in {context.releases.shown(place)}; write "
            f"`{owner}.{name}s[0]`",
            notes=(_ADDED,) if added and name == "output" else (),
            fixes=context.fixes(_fixes, context, ends.node) if all(map(_has_input, group)) else (),
        )


_ADDED = Note(
    "effect",
    "in a model whose layers were added one by one, the outputs of its inner layers "
    "(`get_layer(name).output`) do not lead to `outputs[0]`: the gradient of Grad-CAM is None "
    "without an error; make the model of a list of layers",
)


def _raises(context: Context, ends: ModelEnds) -> bool:
    cls = class_of(ends.model)
    place = place_of(cls.path) if cls is not None else None
    known = not isinstance(ends.model.cls, Class) or (ends.model.cls.plain and _is_made(ends.model))
    return (
        place is not None
        and known
        and not ends.called
        and ends.layers is not None
        and context.releases.is_keras_3(place)
    )


def _is_made(model: Instance) -> bool:
    """Whether an object of a class of the program is one that is made in view."""
    return model.node is not None


def _error(context: Context, space: str) -> str:
    """The exception, which was another one up to Keras 3.3."""
    releases = context.releases
    newest = releases.newest("tf.keras") if space == "tf.keras" else releases.newest("keras")
    release = tuple(map(int, newest.split(".")))
    return "ValueError" if release[:2] <= (3, 3) else "AttributeError"


def _has_input(ends: ModelEnds) -> bool:
    """Whether the model is built, so that it has ``inputs`` and ``outputs``."""
    first = ends.layers[0] if ends.layers else None
    return first is not None and _gives_shape(first)


def _gives_shape(layer: Value) -> bool:
    if not isinstance(layer, Instance):
        return False
    if layer.class_name in ("keras.Input", "keras.layers.InputLayer"):
        return True
    return any(name in _SHAPES for name, _ in layer.arguments.keywords)


def _fixes(context: Context, node: cst.Attribute) -> Iterator[Fix]:
    new = f"{node.attr.value}s[0]"
    safe = context.releases.only_keras_3() or context.code.may_run_on(2)
    yield Fix(
        "indexed",
        f"write `.{new}`",
        Applicability.SAFE if safe else Applicability.UNSAFE,
        (context.code.replace(node.attr, new),),
    )
