"""Labels where they are in view: how they are encoded, and how many classes there are.

``to_categorical(y, 10)`` gives one-hot vectors of 10 classes, ``mnist.load_data()`` class numbers
below 10, ``flow_from_directory(class_mode="binary")`` zeros and ones.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

import libcst as cst

from lintkeras.meaning.values import (
    Arguments,
    Computed,
    Const,
    Instance,
    Member,
    Sequence,
    Slice,
    Symbol,
    Value,
    integer,
)

Encoding = Literal["numbers", "one-hot", "binary", "binarized"]
"""Class numbers from 0 on, one-hot vectors, one zero or one a sample; or what ``LabelBinarizer``
gives of a number of classes that is not known: one column for two, one-hot vectors for more."""


@dataclass(frozen=True, slots=True)
class Labels:
    """What is known of labels. ``classes`` is None where their number is not known."""

    encoding: Encoding
    classes: int | None
    node: cst.CSTNode = field(compare=False)
    """The call that makes them."""
    source: str = field(default="", compare=False)
    """Where they come from, in words."""
    mode: str | None = field(default=None, compare=False)
    """The argument of ``node`` that says the encoding: ``class_mode``, ``label_mode``."""


_DATASETS = {
    "mnist": 10,
    "fashion_mnist": 10,
    "cifar10": 10,
    "cifar100": 100,
    "imdb": 2,
    "reuters": 46,
}
"""The class counts of ``keras.datasets``."""
_COARSE = 20
"""Of ``cifar100.load_data(label_mode="coarse")``."""
_ALIKE = frozenset({
    "numpy.array", "numpy.asarray", "numpy.squeeze", "numpy.ravel", "numpy.reshape", "numpy.int32",
    "numpy.int64", "numpy.float32", "numpy.expand_dims", "tf.cast", "tf.constant",
    "tf.convert_to_tensor", "tf.squeeze", "tf.reshape", "keras.ops.cast",
    "keras.ops.convert_to_tensor", "sklearn.model_selection.train_test_split",
})  # fmt: skip
"""Functions that give the labels that they are given, or a part of them."""
_ALIKE_METHODS = frozenset({
    "astype", "reshape", "copy", "flatten", "ravel", "squeeze", "numpy", "to_numpy", "tolist",
})  # fmt: skip
_ALIKE_DATASETS = frozenset({
    "batch", "shuffle", "repeat", "prefetch", "cache", "take", "skip", "with_options", "unbatch",
})  # fmt: skip
"""Methods of a ``tf.data.Dataset`` that leave its elements as they are."""
_FROM_FILES = frozenset({"flow_from_directory", "flow_from_dataframe"})
_MODES: dict[object, Encoding] = {
    "categorical": "one-hot", "sparse": "numbers", "int": "numbers", "binary": "binary",
}  # fmt: skip


def labels_of_data(arguments: Arguments, method: str = "fit") -> Labels | None:
    """The labels that ``fit(...)`` is given: as ``y``, or in the data set that is its ``x``."""
    labels = arguments.get("y", 1) if method != "fit_generator" else None
    if labels is not None and labels != Const(None):
        return labels_of(labels)
    data = arguments.get("x", 0) or arguments.get("generator", 0)
    return labels_in(data) if data is not None else None


def labels_for_validation(arguments: Arguments, method: str = "fit") -> Labels | None:
    """The labels in ``validation_data=``."""
    data = arguments.get("validation_data")
    plain = data.content.plain() if isinstance(data, Sequence) else None
    if plain is not None:
        return labels_of(plain[1]) if len(plain) in (2, 3) else None
    return labels_in(data) if data is not None else None


def labels_of(value: Value) -> Labels | None:
    """What is known of an array of labels."""
    match value:
        case Computed(function="Subscript", arguments=Arguments(positional=(holder, index))):
            return _of_part(value, holder, index)
        case Computed(function=Symbol() as symbol, arguments=given, node=node):
            return _of_function(symbol.name, given, node)
        case Computed(function=Member(of=of, name=name), arguments=given, node=node):
            if name in _ALIKE_METHODS:
                return labels_of(of)
            if name in ("fit_transform", "transform") and isinstance(of, Computed):
                return _of_encoder(of, given, node)
        case Sequence(kind="list", content=content):
            return _of_list(content.plain())
    return None


def _of_part(value: Computed, holder: Value, index: Value) -> Labels | None:
    """A part of labels; the labels of a data set; ``numpy.eye(10)[numbers]``."""
    match holder, index:
        case (
            Computed(
                function="Subscript",
                arguments=Arguments(positional=(Computed(function=Symbol() as loader) as call, _)),
            ),
            Const(value=1),
        ):
            return _of_dataset(loader, call)
        case Computed(function=Symbol(name="numpy.eye"), arguments=given), _:
            if not isinstance(index, Slice):
                return Labels("one-hot", _number(given, "N", 0), value.node, "numpy.eye")
    return labels_of(holder) if isinstance(index, Slice) else None


def _of_dataset(loader: Symbol, call: Computed) -> Labels | None:
    if not loader.name.startswith("keras.datasets.") or not loader.name.endswith(".load_data"):
        return None
    name = loader.name.split(".")[2]
    classes = _DATASETS.get(name)
    mode = call.arguments.get("label_mode", 0) if name == "cifar100" else None
    if mode is not None:
        classes = {"fine": 100, "coarse": _COARSE}.get(str(getattr(mode, "value", None)))
    return None if classes is None else Labels("numbers", classes, call.node, name)


def _of_function(name: str, given: Arguments, node: cst.CSTNode) -> Labels | None:
    last = name.rpartition(".")[2]
    if name in _ALIKE and given.positional:
        return labels_of(given.positional[0])
    if name in ("keras.utils.to_categorical", "keras.utils.np_utils.to_categorical"):
        inner = labels_of(given.positional[0]) if given.positional else None
        declared = given.get("num_classes", 1) or given.get("nb_classes")
        if declared is not None and declared != Const(None):
            return Labels("one-hot", integer(declared), node, last)
        return Labels("one-hot", inner.classes if inner is not None else None, node, last)
    if name in ("tf.one_hot", "keras.ops.one_hot"):
        if given.get("axis") in (None, Const(-1)):
            return Labels(
                "one-hot",
                _number(given, "depth" if name[0] == "t" else "num_classes", 1),
                node,
                last,
            )
    if name == "pandas.get_dummies":
        return Labels("one-hot", None, node, last)
    if name == "numpy.random.randint":
        low, high = given.get("low", 0), given.get("high", 1)
        if high in (None, Const(None)):
            low, high = Const(0), low
        if low == Const(0) and isinstance(high, Const):
            return Labels("numbers", integer(high), node, last)
    return None


def _of_encoder(encoder: Computed, given: Arguments, node: cst.CSTNode) -> Labels | None:
    inner = labels_of(given.positional[0]) if given.positional else None
    match encoder.function:
        case Symbol(name="sklearn.preprocessing.LabelBinarizer"):
            classes = inner.classes if inner is not None else None
            if classes is not None and classes > 2:
                return Labels("one-hot", classes, node, "LabelBinarizer")
            return Labels(
                "binary" if classes == 2 else "binarized", classes, node, "LabelBinarizer"
            )
        case Symbol(name="sklearn.preprocessing.LabelEncoder"):
            return Labels("numbers", None, node, "LabelEncoder")
        case Symbol(name="sklearn.preprocessing.OneHotEncoder"):
            return Labels("one-hot", None, node, "OneHotEncoder")
    return None


def _of_list(plain: tuple[Value, ...] | None) -> Labels | None:
    """Labels that the program spells out."""
    if not plain:
        return None
    rows = [one.content.plain() if isinstance(one, Sequence) else None for one in plain]
    numbers = [integer(one) for one in plain]
    place = cst.Name("labels")
    if None not in numbers and all(n is not None and n >= 0 for n in numbers):
        return Labels("numbers", max(n for n in numbers if n is not None) + 1, place, "the list")
    vectors = [None if row is None else [integer(one) for one in row] for row in rows]
    if all(v is not None and set(v) == {0, 1} and v.count(1) == 1 for v in vectors):
        lengths = {len(v) for v in vectors if v is not None}
        if len(lengths) == 1 and min(lengths) > 1:
            return Labels("one-hot", lengths.pop(), place, "the list")
    return None


def labels_in(value: Value) -> Labels | None:
    """What is known of the labels in a data set, a generator of images, or their like."""
    match value:
        case Computed(function=Member(of=of, name=name), arguments=given, node=node):
            if isinstance(of, Instance) and of.class_name.endswith(".ImageDataGenerator"):
                if name in _FROM_FILES:
                    return _of_mode(given, node, name, "class_mode", "categorical")
                if name == "flow" and (labels := given.get("y", 1)) is not None:
                    return labels_of(labels)
            if name in _ALIKE_DATASETS:
                return labels_in(of)
        case Computed(function=Symbol() as symbol, arguments=given, node=node):
            if symbol.name.startswith(("keras.utils.", "keras.preprocessing.")):
                last = symbol.name.rpartition(".")[2]
                if last in ("image_dataset_from_directory", "text_dataset_from_directory",
                            "audio_dataset_from_directory"):  # fmt: skip
                    if given.get("labels", 1) in (None, Const("inferred")):
                        return _of_mode(given, node, last, "label_mode", "int")
            if symbol.name == "tf.data.Dataset.from_tensor_slices" and given.positional:
                pair = given.positional[0]
                plain = pair.content.plain() if isinstance(pair, Sequence) else None
                return labels_of(plain[1]) if plain is not None and len(plain) == 2 else None
    return None


def _of_mode(
    given: Arguments, node: cst.CSTNode, source: str, keyword: str, default: str
) -> Labels | None:
    """The labels that are read off folders, as an argument says."""
    mode = given.get(keyword)
    if not given.complete:
        return None
    encoding = _MODES.get(default if mode is None else getattr(mode, "value", None))
    names = given.get("classes") if keyword == "class_mode" else given.get("class_names")
    plain = names.content.plain() if isinstance(names, Sequence) else None
    classes = len(plain) if plain else None
    if encoding is None:
        return None
    found = Labels(encoding, classes, node, source, keyword)
    return replace(found, classes=2) if encoding == "binary" else found


def _number(given: Arguments, keyword: str, position: int) -> int | None:
    value = given.get(keyword, position)
    return None if value is None else integer(value)
