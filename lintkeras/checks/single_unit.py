"""Outputs of one unit that are taken for a distribution over classes."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from lintkeras.checks.expected import raises_on_purpose
from lintkeras.checks.heads import Pair, pairs
from lintkeras.checks.output_words import (
    added_activation,
    other_activation,
    other_loss,
    place,
    place_of_loss,
    shown,
    unsafe,
    where_made,
)
from lintkeras.checks.registry import Context, check
from lintkeras.findings import Edit, Finding, Note
from lintkeras.meaning.calling import argument_node
from lintkeras.meaning.facts import ObjectMade
from lintkeras.meaning.outputs import Activation, Output
from lintkeras.meaning.values import Const, Instance, Symbol
from lintkeras.rewrites.outputs import with_activation


@check("LK201")
def softmax_single_unit(context: Context) -> Iterator[Finding]:
    """A softmax over one unit, which is 1 whatever it is given."""
    said: set[cst.CSTNode | None] = set()
    for pair in pairs(context, "LK201"):
        activation = pair.output.last_activation
        if activation is None or activation.node in said or _is_said_there(context, activation):
            continue
        said.add(activation.node)
        if activation.layer is not None:
            said.add(activation.layer.node)
        yield _constant(context, pair.output, activation, pair)
    for group in context.facts.groups(ObjectMade):
        made, node = group[0].instance, group[0].node
        if node in said or not context.program.owns(node):
            continue
        if raises_on_purpose(context.program, node):
            continue
        if all(_is_constant(one.instance) for one in group):
            given = argument_node(node, "activation", 1)
            activation = Activation("softmax", -1, given.value if given else None, made, True)
            yield _constant(context, Output((activation,), layer=made), activation, None)


def _is_constant(layer: Instance) -> bool:
    """Whether it is ``Dense(1, activation="softmax")``, whatever it stands in."""
    given = layer.arguments
    value = given.get("activation", 1)
    named = value == Const("softmax") or (
        isinstance(value, Symbol) and value.name in ("keras.activations.softmax", "tf.softmax")
    )
    one = given.get("units", 0) == Const(1)
    return layer.class_name == "keras.layers.Dense" and given.complete and named and one


def _is_said_there(context: Context, activation: Activation) -> bool:
    """Whether the layer stands in another file, where it is found to be constant by itself."""
    layer = activation.layer
    if layer is None or layer.node is None or context.program.owns(layer.node):
        return False
    units = argument_node(layer.node, "units", 0)
    return units is not None and isinstance(units.value, cst.Integer) and _is_constant(layer)


def _constant(
    context: Context, output: Output, activation: Activation, pair: Pair | None
) -> Finding:
    if pair is not None:
        parts = [other_activation(context, pair, activation, "sigmoid")]
    elif _is_applied(context, activation):
        parts = [None]
    else:
        parts = [with_activation(context.code, activation, "sigmoid")]
    title = "write `sigmoid`"
    if pair is not None and pair.loss.is_categorical:
        parts.append(other_loss(context, pair, pair.loss.binary, from_logits=False))
        title += f" and `{pair.loss.binary}`"
    return Finding(
        "LK201",
        place(context, activation.node, *([pair.place, pair.head.node] if pair else [])),
        f"{shown(context, output)} gives 1 for every input: a softmax over one unit is "
        "exp(z) / exp(z); for one probability write `sigmoid`"
        + ("" if pair else ", for weights of steps a softmax over their axis"),
        notes=(Note("math", "softmax(z)_1 = exp(z) / exp(z) = 1, and its derivative is 0"),
               *_effects(pair)),
        related=() if pair is None else context.related((pair.place, "the loss")),
        fixes=unsafe("sigmoid", title, *parts),
    )  # fmt: skip


def _is_applied(context: Context, activation: Activation) -> bool:
    """Whether the layer is called on a tensor where it is made: what comes next is not known."""
    node = activation.layer.node if activation.layer is not None else None
    above = context.program.parent(node) if node is not None else None
    return isinstance(above, cst.Call) and above.func is node


def _effects(pair: Pair | None) -> Iterator[Note]:
    if pair is None:
        yield Note(
            "effect", "no gradient reaches the weights below, and Keras 3 warns when it runs"
        )
    elif pair.loss.is_binary:
        yield Note("effect", "every prediction is 1.0")
        yield Note(
            "backend",
            "TensorFlow: the loss falls all the same, as Keras takes it of the logits behind the "
            "softmax; JAX: it does not move",
        )
    elif pair.loss.is_categorical:
        yield Note("effect", "every prediction is 1.0, and the loss is 0 from the start")
    else:
        yield Note("effect", "every prediction is 1.0, and no weight gets a gradient")


@check("LK206")
def single_unit_categorical(context: Context) -> Iterator[Finding]:
    """A categorical cross-entropy of one unit, which is 0 whatever is predicted."""
    for pair in pairs(context, "LK206"):
        loss, output = pair.loss, pair.output
        logits = loss.from_logits is True and output.activation == "linear"
        activation = [] if logits else _sigmoid(context, pair)
        flag = None if logits else False
        what = "is 0 for class 0 and knows no class 1" if loss.is_sparse else "is 0"
        yield Finding(
            "LK206",
            place_of_loss(context, pair),
            f"{loss.name} of one unit {what}, whatever {shown(context, output)} predicts: one "
            f"class has nothing to be told apart from; for a yes or no write `{loss.binary}`",
            notes=(Note("math", "each prediction is divided by the sum over the classes, here by "
                                "itself: -log(p / p) = -log 1 = 0, with gradient 0"),
                   *_of_class_one(loss.is_sparse)),
            related=where_made(context, output),
            fixes=unsafe(
                "binary",
                f"write `{loss.binary}`" + ("" if activation == [] else " and `sigmoid`"),
                activation,
                other_loss(context, pair, loss.binary, from_logits=flag),
            ),
        )  # fmt: skip


def _of_class_one(sparse: bool) -> Iterator[Note]:
    if sparse:
        yield Note(
            "backend",
            "TensorFlow on the CPU raises `InvalidArgumentError` at a label of 1; JAX: the loss "
            "is 0 for it, too",
        )


def _sigmoid(context: Context, pair: Pair) -> list[Edit] | None:
    """Make the output that of a sigmoid."""
    activation = pair.output.last_activation
    if activation is not None:
        known = activation.name == "sigmoid"
        return [] if known else other_activation(context, pair, activation, "sigmoid")
    return added_activation(context, pair, "sigmoid") if pair.output.activation else None
