"""Outputs that do not fit their loss: what each pair really does, in numbers of the model."""

from __future__ import annotations

import math
from collections.abc import Iterator

import libcst as cst

from lintkeras.checks.heads import BOUNDED, Pair, every, heads, pairs, rule_of
from lintkeras.checks.registry import Context, check
from lintkeras.findings import Applicability, Edit, Finding, Fix, Note, Severity
from lintkeras.meaning.facts import ObjectMade
from lintkeras.meaning.outputs import Activation, Loss, Output
from lintkeras.meaning.values import Const, Instance, Symbol
from lintkeras.rewrites.outputs import (
    add_activation,
    all_of,
    with_activation,
    with_loss,
    without_activation,
)

Edits = tuple[Edit, ...] | None


# ------------------------------------------------------------------ one unit


@check("LK201")
def softmax_single_unit(context: Context) -> Iterator[Finding]:
    """A softmax over one unit, which is 1 whatever it is given."""
    said: set[cst.CSTNode] = set()
    for pair in pairs(context, "LK201"):
        activation = _last(pair.output)
        if activation is None or activation.node in said:
            continue
        said.add(activation.node or pair.head.node)
        if activation.layer is not None and activation.layer.node is not None:
            said.add(activation.layer.node)
        loss = "binary_crossentropy" if pair.loss.is_categorical else pair.loss.name
        yield _constant(context, pair.output, pair, loss)
    for group in context.facts.groups(ObjectMade):
        made = group[0].instance
        if made.node in said or not all(_is_constant(one.instance) for one in group):
            continue
        activation = Activation("softmax", -1, _activation_node(made), made, argument=True)
        yield _constant(context, Output((activation,), layer=made), None, "")


def _is_constant(layer: Instance) -> bool:
    """Whether it is ``Dense(1, activation="softmax")``, whatever it stands in."""
    given = layer.arguments
    value = given.get("activation", 1)
    named = value == Const("softmax") or (
        isinstance(value, Symbol) and value.name in ("keras.activations.softmax", "tf.softmax")
    )
    one = given.get("units", 0) == Const(1)
    return layer.class_name == "keras.layers.Dense" and given.complete and named and one


def _activation_node(layer: Instance) -> cst.CSTNode | None:
    plain = [a for a in layer.node.args if a.keyword is None] if layer.node is not None else []
    named = [
        a for a in (layer.node.args if layer.node is not None else ())
        if a.keyword is not None and a.keyword.value == "activation"
    ]  # fmt: skip
    return named[0].value if named else plain[1].value if len(plain) > 1 else None


def _constant(context: Context, output: Output, pair: Pair | None, loss: str) -> Finding:
    activation = _last(output)
    assert activation is not None
    at = _owned(context, activation.node, pair.place if pair else None)
    other = pair is not None and loss != pair.loss.name
    edits = all_of(
        with_activation(context.code, activation, "sigmoid"),
        with_loss(context.code, pair.head.loss_node, pair.loss, loss) if pair and other else [],
    )
    effect = "every prediction is 1.0 and no gradient reaches the weights of the layer"
    if pair is not None and pair.loss.is_binary:
        effect += (
            "; the loss that Keras prints may fall all the same, as it is taken from the logits"
        )
    return Finding(
        "LK201",
        context.program.span(at),
        f"{_of(context, output)} gives 1 for every input: a softmax over one unit is "
        "exp(z) / exp(z); for one probability write `sigmoid`",
        notes=(Note("math", "softmax(z)_1 = exp(z) / exp(z) = 1, and its derivative is 0"),
               Note("effect", effect)),
        related=() if pair is None else context.related((pair.place, "the loss")),
        fixes=_fixes(("sigmoid", "write `sigmoid`" + (f" and `{loss}`" if loss else ""), edits)),
    )  # fmt: skip


@check("LK206")
def single_unit_categorical(context: Context) -> Iterator[Finding]:
    """A categorical cross-entropy of one unit, which is 0 whatever is predicted."""
    for pair in pairs(context, "LK206"):
        code, loss = context.code, pair.loss
        edits = all_of(
            _sigmoid(context, pair.output),
            with_loss(code, pair.head.loss_node, loss, "binary_crossentropy", from_logits=False),
        )
        what = (
            "is 0 for class 0, and class 1 does not exist"
            if loss.is_sparse
            else "is 0 whatever is predicted"
        )
        yield Finding(
            "LK206",
            context.program.span(_owned(context, pair.place, pair.head.node)),
            f"{loss.name} of one unit {what}: {_of(context, pair.output)} is the only class; for "
            "a yes or no write `binary_crossentropy` with a sigmoid",
            notes=(Note("math", "Keras divides each prediction by the sum over the classes, here "
                                "by itself: -log(p / p) = -log 1 = 0, with gradient 0"),),
            related=_layer_of(context, pair.output),
            fixes=_fixes(("binary", "write `binary_crossentropy` and `sigmoid`", edits)),
        )  # fmt: skip


def _sigmoid(context: Context, output: Output) -> list[Edit] | None:
    """Make the output that of a sigmoid."""
    activation = _last(output)
    if activation is not None:
        known = activation.name == "sigmoid"
        return [] if known else with_activation(context.code, activation, "sigmoid")
    if output.layer is None or output.activation != "linear":
        return None
    return add_activation(context.code, output.layer, "sigmoid")


# ------------------------------------------------------------------ probabilities of another kind


@check("LK202")
def softmax_with_binary(context: Context) -> Iterator[Finding]:
    """A softmax that is trained with a loss for independent yes-or-no questions."""
    for pair in pairs(context, "LK202"):
        code, loss, units = context.code, pair.loss, pair.output.units
        activation = _last(pair.output)
        two = units == 2
        other = "categorical_crossentropy"
        said = (
            "two units, where it equals categorical_crossentropy for one-hot labels"
            if two
            else (f"{units or 'several'} units that share one sum of 1")
        )
        math_note = (
            "with p2 = 1 - p1 and one-hot labels both terms of the mean are the same: the value is "
            "that of categorical_crossentropy"
            if two
            else "mean over k of -y_k log p_k - (1 - y_k) log(1 - p_k): each class is a question of "
            "its own, but a softmax couples them, so this is no likelihood of one class among "
            f"{units or 'K'}"
        )
        fixes = [
            ("categorical", f"write `{other}`, for one class a sample",
             all_of(with_loss(code, pair.head.loss_node, loss, other))),
            ("sigmoid", "write `sigmoid`, for classes that do not exclude each other",
             all_of(with_activation(code, activation, "sigmoid")) if activation else None),
        ]  # fmt: skip
        yield Finding(
            "LK202",
            context.program.span(_owned(context, pair.place, pair.head.node)),
            f"{loss.name} with a softmax of {said}; write `{other}`, or a sigmoid where several "
            "classes may hold at once",
            severity=Severity.INFO if two else None,
            notes=(Note("math", math_note),
                   Note("effect", "it trains, with a loss smaller than the log-likelihood and an "
                                  "`accuracy` that Keras takes entry by entry")),
            related=_layer_of(context, pair.output),
            fixes=_fixes(*fixes),
        )  # fmt: skip


@check("LK203")
def sigmoid_with_categorical(context: Context) -> Iterator[Finding]:
    """Sigmoids that are trained with a loss for one class among several."""
    for pair in pairs(context, "LK203"):
        code, loss, units = context.code, pair.loss, pair.output.units
        activation = _last(pair.output)
        number = f"{units} " if units else ""
        fixes = [
            ("softmax", "write `softmax`, for one class a sample",
             all_of(with_activation(code, activation, "softmax")) if activation else None),
        ]  # fmt: skip
        if not loss.is_sparse:
            fixes.append(
                ("binary", "write `binary_crossentropy`, for classes that do not exclude each other",
                 all_of(with_loss(code, pair.head.loss_node, loss, "binary_crossentropy")))
            )  # fmt: skip
        yield Finding(
            "LK203",
            context.program.span(_owned(context, pair.place, pair.head.node)),
            f"{loss.name} with {number}sigmoid outputs: the predictions of a sample do not sum to "
            "1; write `softmax` for one class among several",
            notes=(Note("math", "Keras divides by the sum, p_k / (p_1 + ... + p_K), in the loss and "
                                "not in predict()"),
                   Note("effect", "it trains; what predict() gives are no probabilities of classes "
                                  "that exclude each other")),
            related=_layer_of(context, pair.output),
            fixes=_fixes(*fixes),
        )  # fmt: skip


@check("LK217")
def softmax_with_regression(context: Context) -> Iterator[Finding]:
    """A softmax that is trained with a distance."""
    for pair in pairs(context, "LK217"):
        code, loss = context.code, pair.loss
        other = "categorical_crossentropy"
        edits = all_of(with_loss(code, pair.head.loss_node, loss, other))
        yield Finding(
            "LK217",
            context.program.span(_owned(context, pair.place, pair.head.node)),
            f"{loss.name} with a softmax{_units(pair.output)}: the gradient vanishes where the "
            f"prediction is most wrong; write `{other}` for classes",
            notes=(Note("math", "dL/dz = J(p) (p - y) * 2/K with J = diag(p) - p p^T, and J goes to "
                                "0 where p is certain, right or wrong; cross-entropy gives p - y"),
                   Note("effect", "it learns, slower where it starts out wrong; as a Brier score it "
                                  "may be meant")),
            related=_layer_of(context, pair.output),
            fixes=_fixes(("categorical", f"write `{other}`", edits)),
        )  # fmt: skip


# ------------------------------------------------------------------ logits


@check("LK204")
def logits_without_from_logits(context: Context) -> Iterator[Finding]:
    """Logits in a cross-entropy that expects probabilities."""
    for pair in pairs(context, "LK204"):
        code, loss, layer = context.code, pair.loss, pair.output.layer
        told = with_loss(code, pair.head.loss_node, loss, loss.name, from_logits=True)
        fixes = [
            ("from-logits", "tell the loss: `from_logits=True`", all_of(told)),
            ("softmax", "give the layer a softmax",
             all_of(add_activation(code, layer, "softmax")) if layer is not None else None),
        ]  # fmt: skip
        yield Finding(
            "LK204",
            context.program.span(_owned(context, pair.place, pair.head.node)),
            f"{loss.name} expects probabilities and gets logits: {_of(context, pair.output)} has "
            "no softmax; write `from_logits=True`, or give it one",
            notes=(Note("math", "z is clipped to [1e-7, 1 - 1e-7] before the logarithm: below 0 and "
                                "above 1 the gradient is 0"),
                   Note("effect", "no warning; the loss moves, and the model learns little or "
                                  "nothing")),
            related=_layer_of(context, pair.output),
            fixes=_fixes(*fixes),
        )  # fmt: skip


@check("LK205")
def activation_with_from_logits(context: Context) -> Iterator[Finding]:
    """Probabilities in a loss that is told to expect logits."""
    for pair in pairs(context, "LK205"):
        code, loss = context.code, pair.loss
        activation = _last(pair.output)
        assert activation is not None
        dropped = all_of(without_activation(code, activation))
        flag = with_loss(code, pair.head.loss_node, loss, loss.name, from_logits=False)
        fixes = [("probabilities", "leave out `from_logits=True`", all_of(flag) or None),
                 ("logits", f"leave out the {activation.name}", dropped)]  # fmt: skip
        yield Finding(
            "LK205",
            context.program.span(_owned(context, pair.place, pair.head.node)),
            f"{loss.name} is told to expect logits and gets the probabilities of a "
            f"{activation.name}{_units(pair.output)}: {_floor(pair.output, loss)}; leave out one "
            "of the two",
            notes=(Note("math", _twice(pair.output, loss)),
                   Note("backend", "TensorFlow: Keras finds the logits behind an activation of its "
                                   "own, uses them and warns; JAX and PyTorch: nothing is said")),
            related=_layer_of(context, pair.output),
            fixes=_fixes(*fixes),
        )  # fmt: skip


def _floor(output: Output, loss: Loss) -> str:
    """The smallest loss that is left, in words."""
    if loss.is_binary:
        return "taken twice, the loss cannot fall below 0.313 for a yes and 0.693 for a no"
    if output.units is None or output.units < 2:
        return "taken twice, the loss cannot go to 0"
    value = math.log(1 + (output.units - 1) / math.e)
    return f"taken twice, the loss cannot fall below {value:.3f}"


def _twice(output: Output, loss: Loss) -> str:
    if loss.is_binary:
        return (
            "sigmoid(p) for p in [0, 1] lies in [0.5, 0.731]: -log 0.731 = 0.313, -log 0.5 = 0.693"
        )
    k = str(output.units) if output.units else "K"
    return f"softmax of a one-hot vector: e / (e + {k} - 1), so the loss is log(1 + ({k} - 1) / e)"


# ------------------------------------------------------------------ neither


@check("LK207")
def rectified_with_crossentropy(context: Context) -> Iterator[Finding]:
    """The output of a relu or a tanh in a cross-entropy."""
    for pair in pairs(context, "LK207"):
        code, loss, output = context.code, pair.loss, pair.output
        activation = _last(output)
        assert activation is not None
        right = "sigmoid" if loss.is_binary else "softmax"
        if loss.from_logits:
            wanted = all_of(without_activation(code, activation))
            fixes = [("logits", f"leave out the {activation.name}", wanted)]
            advice = f"leave out the {activation.name}"
        else:
            wanted = all_of(with_activation(code, activation, right))
            fixes = [(right, f"write `{right}`", wanted)]
            advice = f"write `{right}`"
        yield Finding(
            "LK207",
            context.program.span(_owned(context, pair.place, pair.head.node)),
            f"{loss.name} gets the output of a {activation.name}{_units(output)}, "
            f"{_range(activation.name, output, loss)}; {advice}",
            notes=(Note("effect", "" "no warning; the loss is stuck, infinite or NaN for some samples"
                        if not loss.from_logits else "no warning; the loss stays away from 0"),),
            related=_layer_of(context, output),
            fixes=_fixes(*fixes),
        )  # fmt: skip


def _range(name: str, output: Output, loss: Loss) -> str:
    """What is wrong with the values of an activation for a loss."""
    if loss.from_logits and name in BOUNDED and loss.is_binary:
        return "and no logit beyond -1 and 1: no probability below 0.269 or above 0.731"
    if loss.from_logits and name in BOUNDED:
        units = output.units
        most = f" {1 / (1 + (units - 1) * math.exp(-2)):.3f}" if units else " a bound"
        return f"and no logit beyond -1 and 1: no probability above{most}"
    if loss.from_logits:
        return "and no logit below 0: no probability below 0.5"
    if name in ("relu", "relu6", "thresholded_relu"):
        return "which is 0 or any positive number, not a probability"
    return "which may be negative, not a probability"


_SQUASHED = frozenset({"relu", "relu6", "sigmoid", "tanh", "softmax", "softsign", "hard_tanh",
                       "hard_sigmoid"})  # fmt: skip


@check("LK208")
def double_activation(context: Context) -> Iterator[Finding]:
    """Two activations in a row at the output."""
    for column in context.once(heads):
        found = every(
            column, lambda output, loss: _is_double(output) and rule_of(output, loss) is None
        )
        if found is None:
            continue
        first, second = found.output.activations[-2:]  # type: ignore[index]
        yield Finding(
            "LK208",
            context.program.span(_owned(context, first.node, found.head.node)),
            f"two activations in a row at the output: {_limits(first.name, second.name, found.output)}"
            f"; leave out the {first.name}",
            notes=(Note("effect", "it trains, towards predictions that it cannot reach"),),
            related=context.related(*(((second.node, f"the {second.name}"),) if second.node else ())),
            fixes=_fixes(("single", f"leave out the {first.name}",
                          all_of(without_activation(context.code, first)))),
        )  # fmt: skip


def _is_double(output: Output) -> bool:
    if not output.activations or len(output.activations) < 2:
        return False
    first, second = output.activations[-2:]
    return first.name in _SQUASHED and second.name in ("softmax", "sigmoid")


def _limits(first: str, second: str, output: Output) -> str:
    """What the second activation can still give of the values of the first."""
    units = output.units
    low = {"tanh": -1.0, "softsign": -1.0, "hard_tanh": -1.0}.get(first, 0.0)
    high = math.inf if first == "relu" else 6.0 if first == "relu6" else 1.0
    if second == "sigmoid":
        top = "" if high == math.inf else f" or above {1 / (1 + math.exp(-high)):.3f}"
        return f"a sigmoid of a {first} gives nothing below {1 / (1 + math.exp(-low)):.3f}{top}"
    if high == math.inf:
        return "a softmax of a relu cannot tell negative scores apart, and gives them no gradient"
    if units is None or units < 2:
        return f"a softmax of a {first} is nearly uniform"
    most = 1 / (1 + (units - 1) * math.exp(low - high))
    return f"a softmax of a {first} over {units} classes gives no probability above {most:.3f}"


# ------------------------------------------------------------------ in words


def _last(output: Output) -> Activation | None:
    return output.activations[-1] if output.activations else None


def _units(output: Output) -> str:
    return f" of {output.units} units" if output.units is not None else ""


def _of(context: Context, output: Output) -> str:
    """The output in the words of the program: the layer that computes it."""
    layer = output.layer
    if layer is not None and layer.node is not None and context.program.owns(layer.node):
        shown = context.code.shown(layer.node)
        if len(shown) <= 60:
            return f"`{shown}`"
    return "the output"


def _layer_of(context: Context, output: Output):  # type: ignore[no-untyped-def]
    """Where the output is made."""
    activation = _last(output)
    node = activation.node if activation is not None else None
    node = node or (output.layer.node if output.layer is not None else None)
    return context.related((node, "the output")) if node is not None else ()


def _owned(context: Context, *nodes: cst.CSTNode | None) -> cst.CSTNode:
    """The first place that stands in this file."""
    found = [node for node in nodes if node is not None]
    return next((node for node in found if context.program.owns(node)), found[-1])


def _fixes(*named: tuple[str, str, Edits]) -> tuple[Fix, ...]:
    return tuple(
        Fix(name, title, Applicability.UNSAFE, edits) for name, title, edits in named if edits
    )
