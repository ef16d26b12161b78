"""What calls of Python's builtins, TensorFlow and Keras mean to the interpreter.

One function a subject, found by canonical name. A function that is not listed gives a term of its
name and arguments (``Computed``), which later stages may still recognise, and changes nothing.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import libcst as cst

from lintkeras.meaning.calling import Model, argument_node, frozen, unwrapped
from lintkeras.meaning.facts import ModelSaved
from lintkeras.meaning.library import python, tapes, tensors
from lintkeras.meaning.library.backward import CUSTOM_GRADIENTS, backward_pass
from lintkeras.meaning.library.models import (
    POLICIES,
    call_layer,
    construct,
    has_keras_base,
    instance_method,
    load_data,
    note_end,
    note_loss,
    note_made,
    note_method,
    note_metric,
    set_policy,
    train_test_split,
)
from lintkeras.meaning.library.python import dict_method, list_method
from lintkeras.meaning.library.steps import note_step, strategy_run, unscaled
from lintkeras.meaning.library.tapes import enter_context, lets_errors_pass, tape_method
from lintkeras.meaning.objects import keep
from lintkeras.meaning.operators import term
from lintkeras.meaning.values import (
    NAMESPACE,
    NONE,
    UNKNOWN,
    Arguments,
    Class,
    Computed,
    Const,
    CustomGradient,
    Decorated,
    Dict,
    Either,
    Function,
    Gradient,
    Instance,
    Items,
    List,
    Member,
    Method,
    Super,
    Symbol,
    Tape,
    Unknown,
    Value,
)

if TYPE_CHECKING:
    from lintkeras.meaning.interpreter import Interpreter

_TRANSPARENT_DECORATORS = frozenset({
    "tf.function", "keras.saving.register_keras_serializable", "keras.utils.register_keras_serializable",
    "tf.autograph.experimental.do_not_convert", "functools.wraps", "functools.lru_cache", "functools.cache",
    "typing.no_type_check", "typing.final", "typing.override",
})  # fmt: skip
_DESCRIPTORS = frozenset({
    "builtins.property", "functools.cached_property", "builtins.staticmethod",
    "builtins.classmethod",
})  # fmt: skip
_CHANGE_ARGUMENTS = frozenset({"bisect", "heapq", "operator"})
_SAVERS = frozenset({
    "keras.callbacks.ModelCheckpoint", "keras.models.save_model", "keras.saving.save_model",
})  # fmt: skip
_STAR_EXPORTS = {
    "tensorflow.keras.layers": "layers", "keras.layers": "layers", "tf_keras.layers": "layers",
}  # fmt: skip
_LAYERS = ("Dense", "Conv1D", "Conv2D", "Conv3D", "Activation", "Dropout", "Flatten", "Input",
           "ReLU", "LeakyReLU", "Softmax", "BatchNormalization", "MaxPooling2D", "Embedding",
           "LSTM", "GRU", "Layer", "Lambda", "Reshape", "Concatenate")  # fmt: skip
_FUNCTIONS: dict[str, Model] = {
    **python.FUNCTIONS,
    **tensors.FUNCTIONS,
    **tapes.FUNCTIONS,
    **dict.fromkeys(POLICIES, set_policy),
    "sklearn.model_selection.train_test_split": train_test_split,
}

__all__ = [
    "CUSTOM_GRADIENTS",
    "argument_node",
    "backward_pass",
    "call_layer",
    "call_method",
    "call_symbol",
    "decorate",
    "enter_context",
    "exported_by",
    "frozen",
    "has_keras_base",
    "is_class",
    "lets_errors_pass",
    "note_end",
    "note_loss",
    "note_made",
    "note_metric",
    "unwrapped",
]


def exported_by(module: str) -> tuple[str, ...]:
    """The names that ``from module import *`` certainly binds (the common layers)."""
    return _LAYERS if _STAR_EXPORTS.get(module) == "layers" else ()


def is_class(name: str) -> bool:
    """Whether a canonical library name is a class, by the naming rule that Keras keeps."""
    last = name.rpartition(".")[2]
    return last[:1].isupper() and name.startswith(("keras.", "tf."))


def decorate(run: Interpreter, decorator: Value, value: Value, node: cst.CSTNode) -> Value:
    """The result of a decorator."""
    if isinstance(decorator, Computed) and isinstance(value, Class):
        decorator = decorator.function if isinstance(decorator.function, Symbol) else decorator
    match decorator:
        case Symbol() as symbol if symbol.name in CUSTOM_GRADIENTS:
            run.wanted.append(gradient := CustomGradient(value, symbol))
            return gradient
        case Symbol(path=path) as symbol if path in _DESCRIPTORS:
            return term(symbol, Arguments((value,)), cst.Name("decorator"))
        case Member(of=Computed(function=Symbol() as symbol, arguments=given), name="setter"):
            if symbol.path in _DESCRIPTORS:
                return term(symbol, Arguments((given.positional[0], value)), cst.Name("setter"))
        case Symbol(path="dataclasses.dataclass") if isinstance(value, Class):
            run.dataclasses.add(value)
            return value
        case Symbol() as symbol if symbol.name in _TRANSPARENT_DECORATORS:
            return _transparent(run, symbol, value)
        case Computed(function=Symbol() as symbol) if symbol.name in _TRANSPARENT_DECORATORS:
            return _transparent(run, symbol, value)
        case Computed(function=Symbol(path="functools.partial"), arguments=given):
            if given.positional and len(given.positional) == 1:
                return decorate(run, given.positional[0], value, node)
        case Function():
            return run.enter(decorator, Arguments((value,)), node)
        case Method(owner=owner, function=function):
            return run.enter(function, Arguments((owner, value)), node)
    return Decorated(value) if isinstance(value, (Function, Decorated)) else UNKNOWN


def _transparent(run: Interpreter, symbol: Symbol, value: Value) -> Value:
    """What a decorator gives that leaves a function as it is; ``tf.function`` is remembered."""
    inner = value.function if isinstance(value, CustomGradient) else value
    inner = inner.function if isinstance(inner, Method) else inner
    if symbol.name == "tf.function" and isinstance(inner, Function):
        run.facts.staged.add(inner.node)
    return value


def call_symbol(run: Interpreter, symbol: Symbol, arguments: Arguments, node: cst.Call) -> Value:
    """The result of calling a library function or class."""
    name = symbol.name
    model = _FUNCTIONS.get(name)
    if model is not None:
        return model(run, symbol, arguments, node)
    if name.startswith("keras.datasets.") and name.endswith(".load_data"):
        return load_data(run, symbol, arguments, node)
    if name in CUSTOM_GRADIENTS and arguments.positional:
        run.wanted.append(gradient := CustomGradient(arguments.positional[0], symbol))
        return gradient
    if name == "functools.wraps":
        return term(symbol, arguments, node)
    if name in _TRANSPARENT_DECORATORS and len(arguments.positional) == 1:
        value = arguments.positional[0]
        if isinstance(value, (Function, Method, CustomGradient)):
            return _transparent(run, symbol, value)
    if name in _SAVERS:
        run.facts.note(ModelSaved(node))
    if is_class(name) and symbol.flavour != "other":
        return construct(run, symbol, arguments, node)
    _may_call_back(run, arguments)
    result = term(symbol, unwrapped(run, arguments), node)
    if not _leaves_arguments_alone(symbol):
        run.escape(arguments)
    return result


def _leaves_arguments_alone(symbol: Symbol) -> bool:
    """Whether a function changes nothing of what it is given: most of Python, NumPy, TensorFlow."""
    package, *path = symbol.name.split(".")
    if path[-1:] == ["shuffle"] or package in _CHANGE_ARGUMENTS:
        return False
    harmless = package in ("numpy", "scipy", "jax") or package in sys.stdlib_module_names
    return symbol.flavour != "other" or harmless


def _may_call_back(run: Interpreter, arguments: Arguments) -> None:
    """A library was given functions of the program: it may call them."""
    for value in (*arguments.positional, *(v for _, v in arguments.keywords)):
        if isinstance(value, (Function, Method)):
            run.may_call(value)


def call_method(
    run: Interpreter, of: Value, name: str, arguments: Arguments, node: cst.Call
) -> Value:
    """The result of a method that is not the user's own."""
    note_method(run, of.owner if isinstance(of, Super) else of, name, arguments, node)
    match of, name:
        case Either(values=values), _:
            return run.each(
                values, lambda v: run.call(run.attribute(v, name, node.func), arguments, node)
            )
        case List(), _:
            return list_method(run, of, name, arguments, node)
        case Tape(), _:
            return tape_method(run, of, name, arguments, node)
        case ((Dict() | Items()), _):
            return dict_method(run, of, name, arguments, node)
        case _, "run" if isinstance(arguments.get("fn", 0), (Function, Method)):
            return strategy_run(run, of, arguments, node)
        case ((Super(owner=Instance() as owner) | (Instance() as owner)), "__setattr__"):
            match arguments.positional:
                case (Const(value=str(attribute)), value):
                    keep(run, owner, attribute, value)
                case _:
                    run.forget(owner)
            return NONE
        case ((Super(owner=Instance() as owner) | (Instance() as owner)), _):
            result = instance_method(run, owner, name, arguments, node)
            if result is not None:
                return result
            if isinstance(owner.cls, Class) and not owner.cls.plain:
                run.forget(owner)
                run.escape(arguments)
                return UNKNOWN
    if name == "apply_gradients" or name == "apply":
        note_step(run, of, name, arguments, node)
    if name == "get_unscaled_gradients":
        return unscaled(run, of, arguments, node)
    if name == "save":
        run.facts.note(ModelSaved(node))
    if isinstance(of, (Unknown, Member)):
        if name == "numpy" and of != UNKNOWN:
            return term(Member(of, name), arguments, node)
        root: Value = of
        while isinstance(root, Member):
            root = root.of
        if isinstance(root, Unknown):
            run.forget(root)  # the objects that it may be
        if name != "apply_gradients":  # an optimizer leaves its gradients alone
            run.escape(arguments)
        if of == NAMESPACE and name not in ("get", "keys", "items", "values", "copy"):
            run.lose_everything()
        return UNKNOWN
    if isinstance(of, Gradient):
        return UNKNOWN
    _may_call_back(run, arguments)
    if isinstance(of, Computed) and not _is_harmless(of.function):
        run.escape(arguments)
    return term(Member(of, name), unwrapped(run, arguments), node)


def _is_harmless(function: Value | str) -> bool:
    """Whether what a function gives can change no list or tape given to its methods."""
    if isinstance(function, Member):
        return _is_harmless(function.of.function) if isinstance(function.of, Computed) else True
    if not isinstance(function, Symbol):
        return True
    package = function.name.partition(".")[0]
    return function.flavour != "other" or package in ("numpy", "scipy", "jax", "builtins")
