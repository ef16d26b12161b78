"""Probabilities of one kind in a loss for another."""

from __future__ import annotations

from collections.abc import Iterator

from lintkeras.checks.heads import pairs
from lintkeras.checks.output_words import (
    of_units,
    other_activation,
    other_loss,
    place_of_loss,
    unsafe,
    where_made,
)
from lintkeras.checks.registry import Context, check
from lintkeras.findings import Finding, Note


@check("LK202")
def softmax_with_binary(context: Context) -> Iterator[Finding]:
    """A softmax that is trained with a loss for independent yes-or-no questions."""
    for pair in pairs(context, "LK202"):
        loss, units = pair.loss, pair.output.units
        other = loss.categorical
        if units == 2:
            math = ("p2 = 1 - p1: of probabilities both terms of the mean are the same, and it is "
                    "categorical_crossentropy; of logits it is not")  # fmt: skip
        else:
            math = ("mean over k of -y_k log p_k - (1 - y_k) log(1 - p_k): a question for each of "
                    f"{units or 'the'} classes, of which the softmax lets one be true")  # fmt: skip
        yield Finding(
            "LK202",
            place_of_loss(context, pair),
            f"{loss.name} with a softmax{of_units(pair.output)}: the loss takes each class for a "
            f"yes or no of its own; write `{other}`, or a sigmoid where several may hold at once",
            notes=(Note("math", math),
                   Note("effect", "it trains, and ranks the classes"),
                   Note("backend", "TensorFlow: Keras takes the logits behind the softmax for those "
                                   "of sigmoids, so that what predict() gives is overconfident; "
                                   "JAX: it takes the probabilities, and that is not so")),
            related=where_made(context, pair.output),
            fixes=(*unsafe("categorical", f"write `{other}`, for one class a sample",
                           other_loss(context, pair, other)),
                   *unsafe("sigmoid", "write `sigmoid`, for classes that may hold together",
                           other_activation(context, pair, pair.output.last_activation, "sigmoid"))),
        )  # fmt: skip


@check("LK203")
def sigmoid_with_categorical(context: Context) -> Iterator[Finding]:
    """Sigmoids that are trained with a loss for one class among several."""
    for pair in pairs(context, "LK203"):
        loss, units = pair.loss, pair.output.units
        activation = pair.output.last_activation
        number = f"{units} " if units else ""
        binary = () if loss.is_sparse else unsafe(
            "binary", f"write `{loss.binary}`, for classes that may hold together",
            other_loss(context, pair, loss.binary),
        )  # fmt: skip
        yield Finding(
            "LK203",
            place_of_loss(context, pair),
            f"{loss.name} with {number}sigmoid outputs: the predictions of a sample do not sum to "
            "1; write `softmax` for one class among several",
            notes=(Note("math", "the loss divides by the sum, p_k / (p_1 + ... + p_K); predict() "
                                "does not"),
                   Note("effect", "it trains; the largest output is the class, but none is its "
                                  "probability"),
                   Note("backend", "TensorFlow: Keras takes the logits behind the sigmoids, so it "
                                   "trains as with a softmax; JAX: it takes p_k / (p_1 + ... + p_K)"
                                   )),
            related=where_made(context, pair.output),
            fixes=(*unsafe("softmax", "write `softmax`, for one class a sample",
                           other_activation(context, pair, activation, "softmax")), *binary),
        )  # fmt: skip


@check("LK217")
def softmax_with_regression(context: Context) -> Iterator[Finding]:
    """A softmax that is trained with a distance."""
    for pair in pairs(context, "LK217"):
        if pair.head.model is None:  # a loss that is called: both sides may be predictions
            continue
        loss, other = pair.loss, "categorical_crossentropy"
        yield Finding(
            "LK217",
            place_of_loss(context, pair),
            f"{loss.name} with a softmax{of_units(pair.output)}: the gradient vanishes where a "
            f"prediction is certain and wrong; write `{other}` for classes",
            notes=(Note("math", "dL/dz = J dL/dp with J = diag(p) - p p^T, and J goes to 0 where p "
                                "is certain, right or wrong; of the cross-entropy dL/dz = p - y"),
                   Note("effect", "it learns, slowly where it starts out wrong; as a Brier score it "
                                  "may be meant")),
            related=where_made(context, pair.output),
            fixes=unsafe("categorical", f"write `{other}`",
                         other_loss(context, pair, other)),
        )  # fmt: skip
