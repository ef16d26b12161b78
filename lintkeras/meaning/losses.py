"""The losses of Keras under all their names, and which loss is for which output."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import libcst as cst

from lintkeras.meaning.calling import argument_node, frozen
from lintkeras.meaning.outputs import Head, Loss, Output
from lintkeras.meaning.values import (
    Arguments,
    Const,
    Dict,
    Items,
    List,
    Sequence,
    Symbol,
    Value,
    integer,
)

if TYPE_CHECKING:
    from lintkeras.meaning.interpreter import Interpreter
    from lintkeras.meaning.models import Reader

_MODULES = ("keras.losses", "keras.metrics", "keras.ops", "keras.backend")
_TENSORFLOW = {
    "tf.softmax_cross_entropy_with_logits": "categorical_crossentropy",
    "tf.sparse_softmax_cross_entropy_with_logits": "sparse_categorical_crossentropy",
    "tf.sigmoid_cross_entropy_with_logits": "binary_crossentropy",
}
"""The losses of TensorFlow that expect logits."""
_SECOND_NAMES = {
    "bce": "binary_crossentropy", "mse": "mean_squared_error", "mae": "mean_absolute_error",
    "mape": "mean_absolute_percentage_error", "msle": "mean_squared_logarithmic_error",
    "logcosh": "log_cosh", "huber_loss": "huber",
}  # fmt: skip
_LOSSES = frozenset({
    "binary_crossentropy", "binary_focal_crossentropy", "categorical_crossentropy",
    "categorical_focal_crossentropy", "sparse_categorical_crossentropy", "mean_squared_error",
    "mean_absolute_error", "mean_absolute_percentage_error", "mean_squared_logarithmic_error",
    "huber", "log_cosh", "hinge", "squared_hinge", "categorical_hinge", "poisson", "kl_divergence",
    "cosine_similarity",
})  # fmt: skip
_POSITIONS = {"BinaryCrossentropy": 0, "CategoricalCrossentropy": 0,
              "SparseCategoricalCrossentropy": 0, "BinaryFocalCrossentropy": 3,
              "CategoricalFocalCrossentropy": 2}  # fmt: skip
"""Where the constructors take ``from_logits``."""
_WORD = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def loss_of_text(text: str) -> Loss | None:
    """The loss that a string names."""
    name = _name(text)
    return None if name is None else Loss(name, value=Const(text))


def loss_of_symbol(
    symbol: Symbol, given: Arguments, value: Value, *, called: bool = False
) -> Loss | None:
    """The loss that a function or class of Keras or TensorFlow is, with its arguments.

    ``called`` says that ``given`` are those of a call of the function on tensors.
    """
    module, _, last = symbol.name.rpartition(".")
    if symbol.name in _TENSORFLOW:
        return Loss(_TENSORFLOW[symbol.name], from_logits=True, of_keras=False, value=value)
    name = _name(last)
    if module not in _MODULES or name is None or not given.complete:
        return None
    is_class = last[:1].isupper()
    if is_class and module != "keras.losses":
        return None
    position = _POSITIONS.get(last) if is_class else 2 if called else None
    flag, axis = given.get("from_logits", position), given.get("axis")
    known = flag.value if isinstance(flag, Const) and isinstance(flag.value, bool) else None
    return Loss(
        name,
        from_logits=False if flag is None else known,
        axis=-1 if axis is None else integer(axis),
        value=value,
    )


def _name(text: str) -> str | None:
    snake = _WORD.sub("_", text).lower()
    name = _SECOND_NAMES.get(snake, snake)
    return name if name in _LOSSES else None


def heads_of_losses(
    run: Interpreter,
    reader: Reader,
    outputs: list[tuple[object, tuple[Output, ...]]],
    compiled: Arguments,
    compile_node: cst.Call,
    node: cst.Call,
    model: Value,
    labels: Value | None,
) -> tuple[Head, ...]:
    """Each output with its own loss, metrics and labels."""
    loss = compiled.get("loss", 1)
    argument = argument_node(compile_node, "loss", 1)
    written = argument.value if argument is not None else None
    metrics = compiled.get("metrics", 3)
    found: list[Head] = []
    for number, (name, tensor) in enumerate(outputs):
        own = name if len(outputs) > 1 or name is not None else None
        value, place = _for_output(run, loss, written, number, name, len(outputs))
        measured, _ = _for_output(run, metrics, None, number, name, len(outputs), several=True)
        truth, _ = _for_output(run, labels, None, number, name, len(outputs))
        if len(outputs) == 1:
            truth = labels
        found.append(
            Head(
                node,
                tensor,
                reader.losses(value) if value is not None else (),
                place,
                _metrics(run, measured),
                own,
                model,
                truth,
            )
        )
    return tuple(found)


def _for_output(
    run: Interpreter,
    value: Value | None,
    written: cst.BaseExpression | None,
    number: int,
    name: object,
    count: int,
    *,
    several: bool = False,
) -> tuple[Value | None, cst.BaseExpression | None]:
    """The part of a setting that is for one output, and where it stands.

    ``several`` says that a plain list is for one output already (metrics of a single output).
    """
    match value:
        case Dict() | Items():
            items = run.items(value)
            if not items.complete:
                return None, None
            found = next((v for k, v in items.items if k == name), None)
            if found is None and count == 1 and len(items.items) == 1:
                found = items.items[0][1]
            return found, _entry(written, name, count)
        case List() | Sequence():
            plain = run.content(value).plain()
            if several and count == 1:
                inner = plain[0] if plain is not None and len(plain) == 1 else None
                return (inner if isinstance(inner, (List, Sequence)) else value), None
            if plain is None or len(plain) != count:
                return None, None
            return plain[number], _element(written, number)
    return value, written


def _entry(
    written: cst.BaseExpression | None, name: object, count: int
) -> cst.BaseExpression | None:
    """The value beside a key in a dictionary that stands in the call itself."""
    if not isinstance(written, cst.Dict):
        return None
    for element in written.elements:
        if isinstance(element, cst.DictElement) and isinstance(element.key, cst.SimpleString):
            if element.key.evaluated_value == name or (count == 1 and len(written.elements) == 1):
                return element.value
    return None


def _element(written: cst.BaseExpression | None, number: int) -> cst.BaseExpression | None:
    if isinstance(written, (cst.List, cst.Tuple)) and number < len(written.elements):
        element = written.elements[number]
        return element.value if isinstance(element, cst.Element) else None
    return None


def _metrics(run: Interpreter, value: Value | None) -> tuple[Value, ...] | None:
    """The metrics of one output, flat; None where they are not known."""
    match value:
        case None | Const(value=None):
            return ()
        case List() | Sequence():
            plain = run.content(value).plain()
            return None if plain is None else tuple(frozen(run, one) for one in plain)
        case Dict() | Items():
            return None
    return (value,)
