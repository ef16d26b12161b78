"""What an optimizer is given: pairs of gradients and variables."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import libcst as cst

from lintkeras.checks.expected import raises_on_purpose
from lintkeras.checks.registry import Context, check
from lintkeras.findings import Finding, Fix, Note
from lintkeras.meaning.facts import OptimizerStep
from lintkeras.meaning.library import argument_node
from lintkeras.meaning.values import (
    Class,
    Computed,
    Const,
    Entry,
    Gradient,
    Instance,
    Member,
    Sequence,
    Symbol,
    Value,
    Weight,
    alternatives,
    gradients_in,
)
from lintkeras.rewrites import pairs

_ARITHMETIC = frozenset({"Add", "Subtract", "Multiply", "Divide", "Power", "Minus"})
# Functions of TensorFlow and Keras (by their last name) that give back one tensor of that shape.
_ELEMENTWISE = frozenset({
    "add", "cast", "clip", "clip_by_average_norm", "clip_by_global_norm", "clip_by_norm",
    "clip_by_value", "divide", "identity", "l2_normalize", "maximum", "minimum", "multiply",
    "negative", "sign", "subtract", "where",
})  # fmt: skip


def gradient_of(value: Value) -> Gradient | None:
    """The gradient that a value is, or was computed from entry by entry."""
    match value:
        case Gradient():
            return value
        case Computed(function=function, arguments=arguments):
            keeps = (
                function in _ARITHMETIC
                if isinstance(function, str)
                else isinstance(function, Symbol)
                and function.flavour != "other"
                and function.name.rpartition(".")[2] in _ELEMENTWISE
            )
            found = [g for one in arguments.positional for g in gradients_in(one)] if keeps else []
            return found[0] if found else None
    return None


def is_variable(value: Value) -> bool:
    """Whether a value is certainly a variable (of a layer, or a ``tf.Variable``)."""
    match value:
        case Weight():
            return True
        case Instance():
            return value.class_name == "tf.Variable"
        case Member(of=Instance(cls=Symbol(name=name)), name="kernel" | "bias"):
            return name.startswith("keras.layers.")
    return False


def is_keras_optimizer(value: Value) -> bool:
    """Whether a value is certainly an optimizer of Keras, or a subclass that steps as those do."""
    match value:
        case Instance(cls=cls):
            known = not isinstance(cls, Class) or cls.plain
            return known and any(
                base.startswith("keras.optimizers.") or base.endswith(".LossScaleOptimizer")
                for base in value.library_bases()
            )
        case Member(of=Instance(cls=Class(plain=True)) as model, name="optimizer"):
            return "keras.models.Model" in model.library_bases()
        case Computed(function=Symbol() as symbol):
            return symbol.name in ("keras.optimizers.get", "keras.optimizers.deserialize")
        case Const(value=str()):
            return True  # compile(optimizer="adam")
    found = alternatives(value)
    return len(found) > 1 and all(is_keras_optimizer(one) for one in found)


# ------------------------------------------------------------------ LK115


@dataclass(frozen=True)
class _Misuse:
    """How the arguments of a step are wrong."""

    form: str
    says: str
    effect: str
    gradients: tuple[Gradient, ...] = ()


_TAKES = "it takes (gradient, variable) pairs, as zip() makes them"
_BARE = (
    "each gradient is taken for a (gradient, variable) pair: an error, which one depends on its "
    "shape (AttributeError: ... object has no attribute '_unique_id', ValueError: too many values "
    "to unpack (expected 2), not enough values to unpack (expected 2, got 1))"
)
_UNIQUE_ID = "AttributeError: ... object has no attribute '_unique_id'"


def _misuse(step: OptimizerStep) -> _Misuse | None:
    """What is wrong with the arguments; None where nothing is, or it is not certain."""
    if not is_keras_optimizer(step.optimizer):
        return None
    if step.method == "apply":
        return _misuse_of_apply(step)
    first = step.given.get("grads_and_vars", 0)
    second = step.given.positional[1] if len(step.given.positional) > 1 else None
    if first is None or not step.given.complete:
        return None
    bare = _all_gradients(first)
    if bare and second is not None and _all_variables(second):
        says = f"is given gradients and variables as two arguments: {_TAKES}"
        effect = "TypeError: apply_gradients() takes 2 positional arguments but 3 were given"
        return _Misuse("two arguments", says, effect)
    if second is not None:
        return None
    if bare:
        single = all(isinstance(one, Gradient) for one in alternatives(first))
        what = "a bare gradient" if single else "a bare list of gradients"
        says = f"is given {what}: {_TAKES}"
        return _Misuse("gradient" if single else "bare", says, _BARE, bare)
    return _misuse_of_sequence(first) if isinstance(first, Sequence) else None


def _misuse_of_apply(step: OptimizerStep) -> _Misuse | None:
    first = step.given.get("grads", 0)
    second = step.given.get("trainable_variables", 1)
    if first is None:
        return None
    if second is not None and _all_variables(first) and _all_gradients(second):
        says = "is given the variables first: it takes the gradients, then the variables"
        return _Misuse("apply swapped", says, _UNIQUE_ID)
    if isinstance(first, Sequence) and first.kind == "zip" and len(first.parts) == 2:
        if second is None and _gradient_entries(first.parts[0].entries):
            says = "is given pairs: it takes a list of gradients and a list of variables"
            return _Misuse("apply zip", says, "TypeError: object of type 'zip' has no len()")
    return None


def _misuse_of_sequence(given: Sequence) -> _Misuse | None:
    if given.kind == "zip" and len(given.parts) == 1:
        (part,) = given.parts
        inner = part.plain()
        two = inner is not None and len(inner) == 2 and _is_two_lists(*inner)
        bare = _gradient_entries(part.entries)
        says = f"is given the zip of a single argument: {_TAKES}"
        effect = "ValueError: not enough values to unpack (expected 2, got 1)"
        form = "zip of two lists" if two else "zip of one"
        return _Misuse(form, says, effect, () if two else bare) if two or bare else None
    if given.kind == "zip" and len(given.parts) == 2:
        left, right = given.parts
        if _gradient_entries(right.entries) and not _gradient_entries(left.entries):
            known = all(is_variable(entry.value) for entry in left.entries)
            return _swapped("zip swapped" if known else "swapped")
        return None
    plain = given.content.plain()
    if plain is not None and len(plain) == 2:
        if _is_two_lists(*plain):
            says = f"is given a list of gradients and a list of variables: {_TAKES}"
            return _Misuse("two lists", says, _BARE.replace("gradient is", "list is"))
        if given.kind == "tuple" and gradient_of(plain[0]) and is_variable(plain[1]):
            says = "is given one (gradient, variable) pair: it takes a list of pairs"
            return _Misuse("one pair", says, _BARE)
    columns = [_pair(entry) for entry in given.content.entries]
    if columns and all(pair and gradient_of(pair[1]) for pair in columns):
        if all(pair and is_variable(pair[0]) for pair in columns):
            return _swapped("swapped")
    return None


def _swapped(form: str) -> _Misuse:
    says = "is given (variable, gradient) pairs: in each pair it takes the gradient first"
    return _Misuse(form, says, _UNIQUE_ID)


def _pair(entry: Entry) -> tuple[Value, Value] | None:
    plain = entry.value.content.plain() if isinstance(entry.value, Sequence) else None
    return (plain[0], plain[1]) if plain is not None and len(plain) == 2 else None


def _is_two_lists(first: Value, second: Value) -> bool:
    lists = isinstance(first, Sequence) and isinstance(second, Sequence)
    return lists and bool(_all_gradients(first)) and _all_variables(second)


def _all_gradients(value: Value) -> tuple[Gradient, ...]:
    """The gradients that a value holds, where it certainly holds nothing else."""
    match value:
        case Computed(function="gradients", arguments=arguments):
            return tuple(one for one in arguments.positional if isinstance(one, Gradient))
        case Sequence(kind=kind, content=content) if kind != "zip":
            return _gradient_entries(content.entries)
    return _gradient_entries((Entry(value),))


def _gradient_entries(entries: tuple[Entry, ...]) -> tuple[Gradient, ...]:
    found: list[Gradient] = []
    for entry in entries:
        for value in alternatives(entry.value):
            gradient = gradient_of(value)
            if gradient is not None:
                found.append(gradient)
            elif value != Const(None):
                return ()
    return tuple(found)


def _all_variables(value: Value) -> bool:
    if isinstance(value, Sequence):
        entries = value.content.entries
        return bool(entries) and all(is_variable(entry.value) for entry in entries)
    return is_variable(value)


@check("LK115")
def gradients_not_zipped(context: Context) -> Iterator[Finding]:
    """an optimizer is given something else than (gradient, variable) pairs."""
    for group in context.facts.groups(OptimizerStep):
        found = [_misuse(step) for step in group]
        forms = {one.form if one is not None else "" for one in found}
        first, step = found[0], group[0]
        if first is None or len(forms) != 1 or not is_called_here(step):
            continue
        if raises_on_purpose(context.program, step.node):
            continue
        calls = list(dict.fromkeys(gradient.call.node for gradient in first.gradients))
        yield Finding(
            "LK115",
            context.program.span(step.node),
            f"`{callee(context, step)}()` {first.says}",
            notes=(Note("effect", first.effect),),
            related=context.related(*((call, "these are gradients alone") for call in calls)),
            fixes=context.fixes(_paired, context, step, first),
        )


def is_called_here(step: OptimizerStep) -> bool:
    """Whether the step stands at this place, not in another file's function called here."""
    match step.node.func:
        case cst.Attribute(attr=cst.Name(value=name)):
            return name == step.method
    return False


def callee(context: Context, step: OptimizerStep) -> str:
    """The method that a step calls, as the program writes it."""
    text = context.program.text(step.node.func)
    return text if "\n" not in text else step.method


def _paired(context: Context, step: OptimizerStep, found: _Misuse) -> Iterator[Fix]:
    """The same call with what it takes."""
    name = "grads" if step.method == "apply" else "grads_and_vars"
    argument = argument_node(step.node, name, 0)
    if argument is None:
        return
    if not found.gradients:
        yield from pairs.rearranged(context.code, step.node, argument.value, found.form)
        return
    sources = _sources(step, found)
    if sources is not None:
        code = context.code
        yield from pairs.zipped(code, step.node, argument.value, found.form, sources)


def _sources(step: OptimizerStep, found: _Misuse) -> cst.BaseExpression | None:
    """The variables that bare gradients were taken of, where they match one by one."""
    calls = {gradient.call for gradient in found.gradients}
    call = calls.pop()
    given = step.given.get("grads_and_vars", 0)
    entries = given.content.entries if isinstance(given, Sequence) else ()
    filtered = any(entry.tests for entry in entries)
    if calls or filtered or (entries and len(found.gradients) != len(entries)):
        return None
    sources = argument_node(call.node, "sources", 1)
    return None if sources is None else sources.value
