"""The precision that probabilities are computed in."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from lintkeras.checks.heads import heads
from lintkeras.checks.registry import Context, check
from lintkeras.findings import Applicability, Edit, Finding, Fix, Note
from lintkeras.keras_api.releases import place_of
from lintkeras.meaning.calling import argument_node
from lintkeras.meaning.outputs import Activation, Loss, Output
from lintkeras.meaning.values import Const, Instance, Symbol, Value

_POLICIES = frozenset({
    "keras.mixed_precision.Policy", "keras.mixed_precision.DTypePolicy", "keras.DTypePolicy",
    "keras.dtype_policies.DTypePolicy",
})  # fmt: skip


@check("LK216")
def half_precision_softmax(context: Context) -> Iterator[Finding]:
    """A softmax of a model's output under the policy ``mixed_float16``."""
    said: set[cst.CSTNode] = set()
    for column in context.once(heads):
        outputs = [output for head in column for output in head.outputs]
        if not outputs or not all(map(_is_half_softmax, outputs)):
            continue
        if not all(head.outputs for head in column):
            continue
        activation = (outputs[0].activations or ())[-1]
        node = _place(activation)
        if node is None or node in said or not context.program.owns(node):
            continue
        said.add(node)
        losses = [loss for head in column for loss in head.losses]
        yield Finding(
            "LK216",
            context.program.span(node),
            "the softmax is computed in float16 under `mixed_float16`: probabilities below 3e-8 "
            'become 0, and below 6e-5 they lose digits; give its layer `dtype="float32"`',
            notes=_notes(context, activation, losses),
            fixes=context.fixes(_fix, context, activation),
        )


def _is_half_softmax(output: Output) -> bool:
    return output.is_softmax and _is_mixed_half(output.dtype)


def _is_mixed_half(dtype: Value | None) -> bool:
    """Whether a layer with this ``dtype`` computes in float16 and keeps float32 variables."""
    if isinstance(dtype, Instance) and dtype.class_name in _POLICIES:
        dtype = dtype.arguments.get("name", 0)
    return dtype == Const("mixed_float16")


def _place(activation: Activation) -> cst.CSTNode | None:
    layer = activation.layer.node if activation.layer is not None else None
    return layer if layer is not None else activation.node


def _notes(context: Context, activation: Activation, losses: list[Loss]) -> tuple[Note, ...]:
    """What was measured of the loss, where it is one of these."""
    layer = activation.layer
    place = (
        place_of(layer.cls.path) if layer is not None and isinstance(layer.cls, Symbol) else None
    )
    plain = losses and all(loss.is_categorical and loss.from_logits is False for loss in losses)
    if place is None or not plain or not context.releases.is_keras_3(place):
        return ()
    return (
        Note(
            "effect",
            "fit() clips the probabilities to 1e-7 or more, and where that of the true class is "
            "below, its gradient is 0; in float32 on TensorFlow Keras takes the loss from the "
            "logits, and the sample is learned",
        ),
    )


def _fix(context: Context, activation: Activation) -> Iterator[Fix]:
    """``dtype="float32"`` for the layer that computes the softmax."""
    layer, code = activation.layer, context.code
    if layer is None or layer.node is None or any(a.star for a in layer.node.args):
        return
    quote = '"'
    if any(isinstance(a.value, cst.SimpleString) and a.value.quote == "'" for a in layer.node.args):
        quote = "'"
    given = argument_node(layer.node, "dtype", None)
    text = f"{quote}float32{quote}"
    edit: Edit = (
        code.add_argument(layer.node, f"dtype={text}")
        if given is None
        else code.replace(given.value, text)
    )
    yield Fix("float32", "compute the softmax in float32", Applicability.SAFE, (edit,))
