"""Whether labels may name classes, as far as the program shows how they come about."""

from __future__ import annotations

from lintkeras.meaning.values import (
    Computed,
    Const,
    Instance,
    Member,
    Sequence,
    Symbol,
    Value,
    walk,
)

_COMPARISONS = frozenset({
    "LessThan", "LessThanEqual", "GreaterThan", "GreaterThanEqual", "Equal", "NotEqual",
})  # fmt: skip
_CLASS_SETS = frozenset({
    "mnist", "fashion_mnist", "cifar10", "cifar100", "imdb", "reuters", "load_iris", "load_digits",
    "load_breast_cancer", "load_wine", "make_classification", "make_moons", "make_circles",
    "make_blobs", "image_dataset_from_directory", "text_dataset_from_directory",
    "flow_from_directory", "flow_from_dataframe", "to_categorical", "one_hot", "LabelEncoder",
    "LabelBinarizer", "OneHotEncoder", "MultiLabelBinarizer",
})  # fmt: skip
"""Data sets, readers and encoders by a part of their dotted path: they give class labels."""
_DRAWS = ("randint", "random_integers", "integers")
_NUMBERS = frozenset({
    "boston_housing", "california_housing", "fetch_california_housing", "load_boston",
    "load_diabetes", "load_linnerud", "make_regression", "make_friedman1", "normal", "rand",
    "randn", "uniform", "standard_normal", "random_sample", "linspace", "sin", "cos",
})  # fmt: skip
"""Data sets and functions that give numbers between the whole ones."""
_ROUNDS = frozenset({
    "round", "rint", "floor", "ceil", "sign", "where", "argmax", "argsort", "digitize", "cut",
    "astype", "cast", "int", "heaviside", "sigmoid", "choice", "binomial", "greater", "less",
    "greater_equal", "less_equal", "equal", "bool", "map", "select",
})  # fmt: skip
"""What may make classes of them."""


def may_be_classes(labels: Value) -> bool:
    """Whether something in the way that labels come about says that they name classes."""
    numbers = [one.value for one in walk(labels) if isinstance(one, Const)]
    if isinstance(labels, Computed) and _is_array(labels) and numbers:
        values = [one for one in numbers if isinstance(one, (int, float))]
        if values and all(one in (0, 1) for one in values):
            return True
    if isinstance(labels, Sequence):
        return bool(numbers) and all(one in (0, 1) for one in numbers)
    return any(_names_classes(part) for part in walk(labels))


def are_numbers(labels: Value) -> bool:
    """Whether labels are certainly something else than zeros and ones, for the most part."""
    if may_be_classes(labels):
        return False
    numbers = [one.value for one in walk(labels) if isinstance(one, Const)]
    if isinstance(labels, Sequence) or (isinstance(labels, Computed) and _is_array(labels)):
        return any(type(one) in (int, float) and one not in (0, 1) for one in numbers)
    words = {word for part in walk(labels) for word in _words(part)}
    return bool(words & _NUMBERS) and not words & _ROUNDS


def _words(part: Value) -> tuple[str, ...]:
    match part:
        case Computed(function=Symbol() as symbol):
            return tuple(symbol.path.split("."))
        case Computed(function=Member(name=name)):
            return (name,)
    return ()


def _is_array(value: Computed) -> bool:
    """Whether it is an array of the numbers that stand in it."""
    match value.function:
        case Symbol() as symbol:
            return symbol.name.rpartition(".")[2] in (
                "array", "asarray", "constant", "convert_to_tensor",
            )  # fmt: skip
        case Member(of=Computed() as of, name="astype" | "reshape"):
            return _is_array(of)
    return False


def _names_classes(part: Value) -> bool:
    match part:
        case Computed(function=str() as name):
            return name in _COMPARISONS
        case Computed(function=Symbol() as symbol, arguments=given):
            words = set(symbol.path.split("."))
            draw = words & set(_DRAWS)
            bounds = [v.value for v in given.positional[:2] if isinstance(v, Const)]
            return bool(words & _CLASS_SETS) or (bool(draw) and bounds in ([2], [0, 2]))
        case Computed(function=Member(name=name)):
            return name in _CLASS_SETS
        case Instance(cls=Symbol() as cls):
            return cls.path.rpartition(".")[2] in _CLASS_SETS
    return False
