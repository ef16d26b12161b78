"""Metrics that do not fit what a model gives: an accuracy of numbers, equality of floats."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import libcst as cst

from lintkeras.checks.expected import raises_on_purpose
from lintkeras.checks.heads import heads
from lintkeras.checks.registry import Context, check
from lintkeras.findings import Applicability, Finding, Fix, Note
from lintkeras.meaning.class_labels import are_numbers
from lintkeras.meaning.facts import MetricUpdated, ModelTrained
from lintkeras.meaning.outputs import Head, Output
from lintkeras.meaning.values import Const, Instance, Symbol, Value
from lintkeras.rewrites.metrics import is_read, removed, replaced, written

_FLOATS = ("sigmoid", "softmax", "linear")
"""Activations whose values meet a label by chance only."""
_EXACT = "keras.metrics.Accuracy"


@check("LK212")
def accuracy_on_regression(context: Context) -> Iterator[Finding]:
    """An accuracy beside a regression loss and one linear unit."""
    said: set[cst.CSTNode] = set()
    for column in context.once(heads):
        head = column[0]
        if not all(map(_is_regression, column)) or not _has_numbers(context, column):
            continue
        for metric in head.metrics or ():
            meaning = _accuracy(metric)
            if meaning is None or not all(metric in (one.metrics or ()) for one in column):
                continue
            node = written(head, metric)
            at = _owned(context, node, head.node)
            if at is None or at in said:
                continue
            said.add(at)
            shown = context.code.shown(node) if node is not None else _plain(metric)
            yield Finding(
                "LK212",
                context.program.span(at),
                f"{shown} of a regression {meaning}: with {head.losses[0].name} and one "
                f"{head.outputs[0].activation} unit it says nothing of the error; write `mae`",
                notes=(
                    Note("effect", "it is 0 for labels that are no such numbers, however good "
                                   "the model is; training does not depend on it"),
                ),
                fixes=context.fixes(_without, context, head, metric, node),
            )  # fmt: skip


def _is_regression(head: Head) -> bool:
    return (
        bool(head.outputs)
        and bool(head.losses)
        and all(loss.is_regression for loss in head.losses)
        and all(o.units == 1 and o.activation in ("linear", "relu") for o in head.outputs)
    )


def _accuracy(metric: Value) -> str | None:
    """What an accuracy computes for one unit; None where it is another metric."""
    match metric:
        case Const(value=str(name)):
            if name.lower() in ("accuracy", "acc") or name in ("binary_accuracy", "BinaryAccuracy"):
                return "counts how often the label equals `prediction > 0.5`, 0 or 1"
        case (
            Instance(class_name="keras.metrics.BinaryAccuracy")
            | Symbol(name="keras.metrics.BinaryAccuracy" | "keras.metrics.binary_accuracy")
        ):
            return "counts how often the label equals 0 or 1, as the prediction passes a threshold"
        case Instance(class_name="keras.metrics.Accuracy") | Symbol(name="keras.metrics.Accuracy"):
            return "counts how often label and prediction are equal to the last bit"
    return None


def _has_numbers(context: Context, column: Sequence[Head]) -> bool:
    """Whether a model is trained on numbers, and nowhere on what may be classes.

    Least squares for a yes or no is usual enough that labels which are not known say nothing.
    """
    models = [head.model for head in column]
    labels = [
        trained.arguments.get("y", 1)
        for trained in context.facts.all(ModelTrained)
        if trained.model in models
    ]
    known = [one for one in labels if one is not None]
    return bool(known) and len(known) == len(labels) and all(map(are_numbers, known))


def _without(
    context: Context, head: Head, metric: Value, node: cst.BaseExpression | None
) -> Iterator[Fix]:
    """The metric goes, or ``mae`` takes its place; nothing where the program reads it."""
    code, name = context.code, _name(metric)
    if node is None or name is None or is_read(code, name):
        return
    edit = removed(code, head.node, node)
    if edit is not None:
        yield Fix("remove", "leave the metric out", Applicability.UNSAFE, (edit,))
    if Const("mae") not in (head.metrics or ()):
        edit = replaced(code, node, "mae")
        yield Fix("mae", "write `mae`", Applicability.UNSAFE, (edit,))


# ------------------------------------------------------------------ equality of floats


@check("LK213")
def exact_accuracy_metric(context: Context) -> Iterator[Finding]:
    """``Accuracy()`` on probabilities or logits."""
    said: set[cst.CSTNode] = set()
    for column in context.once(heads):
        if all(map(_is_regression, column)):
            continue  # another rule's
        outputs = [output for head in column for output in head.outputs]
        if not all(head.outputs for head in column) or not _are_floats(outputs):
            continue
        head = column[0]
        for metric in head.metrics or ():
            if not _is_exact(metric) or not all(metric in (one.metrics or ()) for one in column):
                continue
            node = written(head, metric)
            made = metric.node if isinstance(metric, Instance) else None
            at = _owned(context, node, made, head.node)
            if at is None or at in said:
                continue
            said.add(at)
            yield _exact(context, at, outputs[0], _fix_exact(context, head, metric, node), head)
    for group in context.facts.groups(MetricUpdated):
        update = group[0]
        outputs = [output for one in group for output in one.outputs]
        if not all(one.metric.class_name == _EXACT for one in group) or not _are_floats(outputs):
            continue
        if raises_on_purpose(context.program, update.node) or update.node in said:
            continue
        if context.program.owns(update.node):
            yield _exact(context, update.node, outputs[0], (), None)


def _is_exact(metric: Value) -> bool:
    if isinstance(metric, Instance):
        return metric.class_name == _EXACT
    return isinstance(metric, Symbol) and metric.name == _EXACT


def _are_floats(outputs: Sequence[Output]) -> bool:
    return bool(outputs) and all(output.activation in _FLOATS for output in outputs)


def _exact(
    context: Context,
    at: cst.CSTNode,
    output: Output,
    fixes: tuple[Fix, ...],
    head: Head | None,
) -> Finding:
    kind = {"sigmoid": "sigmoid", "softmax": "softmax", "linear": "linear"}[output.activation or ""]
    number = "" if output.units is None else f" of {output.units}"
    several = output.units is not None and output.units > 1
    advice = (
        'write "accuracy"' if head is not None
        else "use `BinaryAccuracy`" if output.units == 1
        else "use `CategoricalAccuracy` or `SparseCategoricalAccuracy`"
    )  # fmt: skip
    notes = [
        Note(
            "effect",
            "floats meet a label by chance only: the metric stays at 0.0, whatever is learned",
        )
    ]
    if several:
        notes.append(
            Note("effect", f"class numbers of shape (n,) do not fit the {output.units} columns: "
                           "ValueError, unless they happen to broadcast")
        )  # fmt: skip
    return Finding(
        "LK213",
        context.program.span(at),
        f"`Accuracy()` counts how often label and prediction are equal, and a {kind} output{number} "
        f"gives floats, no classes; {advice}",
        notes=tuple(notes),
        fixes=fixes,
    )


def _fix_exact(
    context: Context, head: Head, metric: Value, node: cst.BaseExpression | None
) -> tuple[Fix, ...]:
    """``"accuracy"``, which Keras makes the accuracy that fits the output and the loss."""
    name = _name(metric)
    fitting = bool(head.losses) and all(
        loss.is_binary or loss.is_categorical for loss in head.losses
    )
    if node is None or name not in ("accuracy", "acc") or not fitting:
        return ()
    return context.fixes(_accuracy_by_name, context, node, name)


def _accuracy_by_name(context: Context, node: cst.BaseExpression, name: str) -> Iterator[Fix]:
    edit = replaced(context.code, node, name)
    yield Fix("accuracy", f'write "{name}"', Applicability.UNSAFE, (edit,))


# ------------------------------------------------------------------ metrics in words


def _name(metric: Value) -> str | None:
    """The key under which a metric is reported, where nothing else is said of it."""
    match metric:
        case Const(value=str(name)):
            return name
        case Instance(cls=Symbol() as cls, arguments=given):
            others = [n for n, _ in given.keywords if n != "name"]
            if given.positional or others or not given.complete:
                return None
            told = given.get("name")
            if told is None:
                return "accuracy" if cls.name == _EXACT else None
            return told.value if isinstance(told, Const) and isinstance(told.value, str) else None
        case Symbol(name="keras.metrics.Accuracy"):
            return "accuracy"
    return None


def _plain(metric: Value) -> str:
    return repr(metric.value) if isinstance(metric, Const) else _name(metric) or "accuracy"


def _owned(context: Context, *nodes: cst.CSTNode | None) -> cst.CSTNode | None:
    """The first place that stands in this file."""
    return next((n for n in nodes if n is not None and context.program.owns(n)), None)
