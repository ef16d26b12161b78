"""Labels that do not fit the loss or the output: their encoding, and the number of classes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import libcst as cst

from lintkeras.checks.expected import raises_on_purpose
from lintkeras.checks.heads import Pair, columns, every
from lintkeras.checks.output_words import shown, unsafe
from lintkeras.checks.registry import Context, check
from lintkeras.findings import Edit, Finding, Fix, Note
from lintkeras.meaning.calling import argument_node
from lintkeras.meaning.facts import ModelTrained
from lintkeras.meaning.labels import Labels, labels_for_validation, labels_of_data
from lintkeras.meaning.outputs import Head, Loss, Output
from lintkeras.meaning.values import Instance
from lintkeras.rewrites.losses import with_loss
from lintkeras.rewrites.outputs import with_units
from lintkeras.syntax.program import ForeignNode


@dataclass(frozen=True)
class Trained:
    """An output with its loss and the labels that ``fit`` gives it."""

    pair: Pair
    labels: Labels
    node: cst.Call

    @property
    def is_read(self) -> bool:
        """Whether the labels are read off folders, as an argument says."""
        return self.labels.mode is not None


def trained(context: Context, wrong: Callable[[Output, Loss, Labels], bool]) -> Iterator[Trained]:
    """The labels with which something is wrong, whatever way leads to a training."""
    for group in context.facts.groups(ModelTrained):
        node = group[0].node
        if raises_on_purpose(context.program, node):
            continue
        found = list(columns([one.heads for one in group]))
        if len(found) != 1:
            continue  # which labels are for which output is not known
        for read in (labels_of_data, labels_for_validation):
            labels = [read(one.arguments, one.method) for one in group]
            if (one := _wrong(found[0], labels, wrong)) is not None:
                first = labels[0]
                assert first is not None
                yield Trained(one, first, node)
                break


def _wrong(
    column: Sequence[Head],
    labels: Sequence[Labels | None],
    wrong: Callable[[Output, Loss, Labels], bool],
) -> Pair | None:
    found: list[Pair | None] = []
    for head, known in zip(column, labels, strict=True):
        if known is None:
            return None
        found.append(every([head], partial(_holds, wrong, known)))
    return found[0] if None not in found else None


def _holds(
    wrong: Callable[[Output, Loss, Labels], bool], labels: Labels, output: Output, loss: Loss
) -> bool:
    return wrong(output, loss, labels)


# ------------------------------------------------------------------ encodings


def _is_encoded_otherwise(output: Output, loss: Loss, labels: Labels) -> bool:
    """Whether the loss wants labels of the other kind."""
    if output.units == 1:
        return False
    if loss.is_sparse:
        return labels.encoding == "one-hot"
    if labels.encoding == "binarized":
        # One column for two classes, more than two for others: never the two of the output.
        return loss.is_categorical and output.units == 2
    return loss.is_categorical and labels.encoding in ("numbers", "binary")


@check("LK209")
def label_encoding(context: Context) -> Iterator[Finding]:
    """Class numbers for a loss that wants one-hot vectors, or the other way round."""

    def wrong(output: Output, loss: Loss, labels: Labels) -> bool:
        return labels.mode is None and _is_encoded_otherwise(output, loss, labels)

    for one in trained(context, wrong):
        loss, labels = one.pair.loss, one.labels
        other = "categorical_crossentropy" if loss.is_sparse else "sparse_categorical_crossentropy"
        given = (
            "one-hot vectors" if loss.is_sparse
            else _words(labels) if labels.encoding != "numbers" or not labels.classes
            else f"class numbers below {labels.classes}"
        )  # fmt: skip
        wants = "class numbers" if loss.is_sparse else "one-hot vectors"
        edits = with_loss(context.code, one.pair.head.loss_node, loss, other)
        yield Finding(
            "LK209",
            context.program.span(_place(context, one)),
            f"{loss.name} wants {wants}, and the labels are {given}, from {labels.source}; write "
            f"`{other}`",
            notes=(Note("effect", _raised(loss)),),
            related=context.related((labels.node, "the labels")),
            fixes=unsafe("loss", f"write `{other}`", edits),
        )  # fmt: skip


def _raised(loss: Loss) -> str:
    """What Keras says of labels that do not fit."""
    text = (
        "Argument `output` must have rank (ndim) `target.ndim - 1`"
        if loss.is_sparse
        else "Arguments `target` and `output` must have the same rank (ndim), or the same shape"
    )
    return f"ValueError at the first batch: {text}"


def _place(context: Context, one: Trained) -> cst.CSTNode:
    """Where the loss is given, if that is in this file; else the training."""
    places = (one.pair.place, one.pair.head.node, one.node)
    return next((place for place in places if context.program.owns(place)), one.node)


# ------------------------------------------------------------------ folders


def _is_mode_wrong(output: Output, loss: Loss, labels: Labels) -> bool:
    """Whether labels that are read off folders do not fit the output and its loss."""
    if labels.mode is None:
        return False
    if loss.is_binary and output.units is not None:
        if output.units == 1:
            return labels.encoding == "one-hot"
        return labels.encoding == "binary" or labels.encoding == "numbers"
    return _is_encoded_otherwise(output, loss, labels)


@check("LK210")
def class_mode(context: Context) -> Iterator[Finding]:
    """A generator of images whose labels do not fit the output layer."""
    said: set[cst.CSTNode] = set()
    for one in trained(context, _is_mode_wrong):
        labels, loss, output = one.labels, one.pair.loss, one.pair.output
        call, mode = labels.node, labels.mode
        if call in said or not isinstance(call, cst.Call) or mode is None:
            continue
        said.add(call)
        wanted = _mode_for(output, loss, mode)
        own = context.program.owns(call)
        argument = argument_node(call, mode, None) if own else None
        how = (
            f"`{context.code.shown(argument)}`" if argument is not None else f"the default `{mode}`"
        )
        units = f"{shown(context, output)} with {loss.name}"
        yield Finding(
            "LK210",
            context.program.span(argument or (call if own else one.node)),
            f"{labels.source}() gives {_words(labels)} ({how}), which do not fit {units}; write "
            f'`{mode}="{wanted}"`',
            notes=(Note("effect", _raised(loss)),),
            related=context.related((one.pair.place, "the loss")),
            fixes=_with_mode(context, call, mode, wanted),
        )


def _mode_for(output: Output, loss: Loss, keyword: str) -> str:
    if loss.is_sparse:
        return "sparse" if keyword == "class_mode" else "int"
    return "binary" if loss.is_binary and output.units == 1 else "categorical"


def _words(labels: Labels) -> str:
    return {
        "one-hot": "one-hot vectors",
        "numbers": "class numbers",
        "binary": "zeros and ones",
        "binarized": "a column of zeros and ones where there are two classes",
    }[labels.encoding]


def _with_mode(context: Context, call: cst.Call, keyword: str, mode: str) -> tuple[Fix, ...]:
    code = context.code
    try:
        argument = argument_node(call, keyword, None)
        if argument is None:
            edit = code.add_argument(call, f'{keyword}="{mode}"')
        elif isinstance(argument.value, cst.SimpleString) and len(argument.value.quote) == 1:
            quote = argument.value.quote
            edit = code.replace(argument.value, f"{quote}{mode}{quote}")
        else:
            return ()
    except ForeignNode:
        return ()
    return unsafe("mode", f'write `{keyword}="{mode}"`', [edit])


# ------------------------------------------------------------------ the number of classes


def _is_other_count(output: Output, loss: Loss, labels: Labels) -> bool:
    """Whether there are certainly other classes than units: with class numbers, too few units."""
    if labels.classes is None or output.units is None or _is_mode_wrong(output, loss, labels):
        return False
    if loss.is_binary and output.units == 1:
        return labels.encoding == "numbers" and labels.classes > 2
    if not loss.is_categorical or _is_encoded_otherwise(output, loss, labels) or output.units == 1:
        return False
    if labels.encoding == "one-hot":
        return labels.classes != output.units
    return labels.encoding == "numbers" and labels.classes > output.units


@check("LK211")
def class_count(context: Context) -> Iterator[Finding]:
    """An output layer with other units than there are classes."""
    for one in trained(context, _is_other_count):
        labels, loss, output = one.labels, one.pair.loss, one.pair.output
        layer = output.layer
        node = layer.node if layer is not None else None
        at = node if node is not None and context.program.owns(node) else _place(context, one)
        if loss.is_binary:
            message = (
                f"one unit for {labels.classes} classes: the labels from {labels.source} are numbers "
                f"up to {(labels.classes or 1) - 1}, and {loss.name} knows 0 and 1 only; write "
                f"`{labels.classes}` units with a softmax and sparse_categorical_crossentropy"
            )
            note = "the loss falls below 0 without end: -y log p - (1 - y) log(1 - p) for y above 1"
        else:
            message = (
                f"{shown(context, output)} has {output.units} units for {labels.classes} classes, from "
                f"{labels.source}; write `{labels.classes}`"
            )
            note = (
                "InvalidArgumentError on TensorFlow's CPU (a label outside the valid range), NaN on "
                "its GPU; on JAX these samples count as 0, silently"
                if labels.encoding == "numbers"
                else "ValueError at the first batch: Arguments `target` and `output` must have the "
                "same shape"
            )
        edits = [] if loss.is_binary else _with_count(context, layer, labels)
        yield Finding(
            "LK211",
            context.program.span(at),
            message,
            notes=(Note("effect", note),),
            related=context.related((labels.node, "the labels")),
            fixes=unsafe("units", f"write `{labels.classes}`", edits),
        )  # fmt: skip


def _with_count(context: Context, layer: Instance | None, labels: Labels) -> list[Edit]:
    if layer is None or labels.classes is None or labels.source == "the list":
        return []
    return with_units(context.code, layer, labels.classes) or []
