"""Losses and metrics that Keras cannot call: their parameters, what they return, what was passed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import libcst as cst

from lintkeras import keras_api
from lintkeras.checks.calls import Called, calls_of_keras, place_in
from lintkeras.checks.parts import parts
from lintkeras.checks.registry import Context, check
from lintkeras.findings import Applicability, Finding, Fix, Note
from lintkeras.keras_api.looked_up import snake_case
from lintkeras.keras_api.releases import Place
from lintkeras.meaning.facts import FunctionSummary
from lintkeras.meaning.outline import is_generator, is_static, positional_parameters
from lintkeras.meaning.values import (
    Class,
    Computed,
    Function,
    Instance,
    Member,
    Method,
    Symbol,
    Value,
    walk,
)
from lintkeras.syntax.tree import children, nodes

_PARAMETERS = {"loss": "loss", "metrics": "metric", "weighted_metrics": "metric"}
_OWN = frozenset({"compile", "compute_loss", "compiled_loss", "train_step", "test_step", "fit"})
"""Methods with which a model may make something else of what it is compiled with."""
_TRUE, _PRED = "y_true", "y_pred"
_LOGARITHMS = frozenset({"log", "log1p", "log2", "log10"})
_ONE_WAY = frozenset({
    "kl_divergence", "kullback_leibler_divergence", "kld", "KLD", "KLDivergence", "poisson",
    "Poisson", "mean_absolute_percentage_error", "mape", "MAPE", "MeanAbsolutePercentageError",
    "hinge", "Hinge", "squared_hinge", "SquaredHinge", "categorical_hinge", "CategoricalHinge",
    "tversky", "Tversky",
})  # fmt: skip
"""Losses, besides the cross-entropies, that are not the same with their arguments exchanged."""


@dataclass(frozen=True)
class _Passed:
    """What ``compile`` is given as a loss or a metric."""

    called: Called
    kind: str
    value: Value
    node: cst.BaseExpression
    itself: bool
    """Whether ``node`` is just that expression, not the argument that holds it somewhere."""


@check("LK215")
def loss_signature(context: Context) -> Iterator[Finding]:
    """A loss or metric that Keras cannot call, or that was called instead of passed."""
    seen: set[cst.CSTNode] = set()
    for passed in _passed(context):
        yield from _already_called(context, passed)
        yield from _class_passed(context, passed)
        function, bound = _function(passed)
        if function is None or function.node in seen:
            continue
        seen.add(function.node)
        finding = _wrong_arity(context, passed, function, bound) or _returns_nothing(
            context, passed, function
        )
        if finding is not None:
            yield finding
        elif passed.kind == "loss":
            yield from _swapped(context, passed, function, bound)


# ------------------------------------------------------------------ what is passed


def _passed(context: Context) -> Iterator[_Passed]:
    for called in context.once(calls_of_keras):
        if called.callee.method != "compile" or called.partial:
            continue
        if "models.Model.compile" not in called.callee.names(context.releases):
            continue
        if not _is_trained_by_keras(called.function):
            continue
        for parameter, kind in _PARAMETERS.items():
            argument, value = called.expression(parameter), called.value(parameter)
            if argument is not None and value is not None and not argument.star:
                for part in parts(argument.value, value):
                    yield _Passed(called, kind, part.value, part.node, part.itself)


def _is_trained_by_keras(function: Value) -> bool:
    """Whether ``compile`` is that of a model whose losses Keras itself calls."""
    if not isinstance(function, Member):
        return False
    match function.of:
        case Instance(cls=Class() as cls):
            return cls.plain and not any(_OWN & {*_methods(one)} for one in _own_classes(cls))
        case Instance() | Computed():
            return True
    return False


def _own_classes(cls: Class) -> Iterator[Class]:
    return (one for one in cls.lineage if isinstance(one, Class))


def _methods(cls: Class) -> Mapping[str, cst.FunctionDef]:
    return {
        node.name.value: node for node in cls.node.body.body if isinstance(node, cst.FunctionDef)
    }


def _function(passed: _Passed) -> tuple[Function | None, int]:
    """The function that Keras calls, and how many of its parameters are bound before."""
    match passed.value:
        case Function() as function:
            return function, 0
        case Method(function=function):
            return function, 0 if is_static(function.node) else 1
        case Instance(cls=Class() as cls) if passed.kind == "loss" and _is_loss(cls):
            for one in _own_classes(cls):
                call = _methods(one).get("call")
                if call is not None and not call.decorators:
                    return Function(call, one.scope, one), 1
                if call is not None:
                    break
    return None, 0


def _is_loss(cls: Class) -> bool:
    """Whether a class of the program is a loss whose ``__call__`` is that of Keras."""
    bases = [one for one in cls.lineage if isinstance(one, Symbol)]
    return (
        cls.plain
        and any(base.name.startswith("keras.losses.") for base in bases)
        and not any("__call__" in _methods(one) for one in _own_classes(cls))
    )


def _name(function: Function, kind: str) -> str:
    if isinstance(function.node, cst.Lambda):
        return f"the {kind}"
    if function.cls is not None:
        return f"`{function.cls.node.name.value}.{function.name}`"
    return f"the {kind} `{function.name}`"


def _place(context: Context, passed: _Passed, function: Function) -> cst.CSTNode:
    """Where the function is named; where it was passed, if it is of another file."""
    node = function.node
    if not context.program.owns(node):
        return passed.node
    return node.name if isinstance(node, cst.FunctionDef) else node


# ------------------------------------------------------------------ how many arguments


def _wrong_arity(
    context: Context, passed: _Passed, function: Function, bound: int
) -> Finding | None:
    params = function.node.params
    if isinstance(function.node, cst.FunctionDef) and function.node.decorators:
        return None
    plain = positional_parameters(params)[bound:]
    required = [p.name.value for p in plain if p.default is None]
    alone = [p.name.value for p in params.kwonly_params if p.default is None]
    least_bound = len(positional_parameters(params)) < bound
    open_ended = isinstance(params.star_arg, cst.Param)
    called = function.name if function.cls is None else f"{_class_name(function)}.{function.name}"
    called = "<lambda>" if isinstance(function.node, cst.Lambda) else called
    if least_bound and not open_ended:
        return None
    if len(plain) < 2 and not open_ended:
        most, given = len(plain) + bound, 2 + bound
        counted = f"{most} positional argument{'' if most == 1 else 's'}"
        error = f"{called}() takes {counted} but {given} were given"
        needs = f"takes {_count(len(plain))}"
    elif len(required) > 2:
        error = f"{called}() missing {_missing(required[2:], 'positional')}"
        needs = f"needs {_count(len(required))}"
    elif alone:
        error = f"{called}() missing {_missing(alone, 'keyword-only')}"
        needs = f"needs {', '.join(f'`{one}=`' for one in alone)}"
    else:
        return None
    rest = required[2:] or alone
    advice = ""
    if rest and len(plain) >= 2:
        advice = f"; give {_listed(rest)} by a function that returns the {passed.kind}"
    return Finding(
        "LK215",
        context.program.span(_place(context, passed, function)),
        f"{_name(function, passed.kind)} {needs}, and Keras calls it with two, the labels and the "
        f"predictions: TypeError in fit(): {error}{advice}",
        label=f"called as ({_TRUE}, {_PRED})",
        related=context.related((passed.node, f"passed as a {passed.kind} here")),
    )


def _class_name(function: Function) -> str:
    return function.cls.node.name.value if function.cls is not None else ""


def _count(number: int) -> str:
    words = {0: "no argument", 1: "one argument"}
    return words.get(number, f"{number} arguments")


def _missing(names: list[str], kind: str) -> str:
    many = "s" if len(names) > 1 else ""
    quoted = [f"'{name}'" for name in names]
    listed = quoted[0]
    if len(quoted) == 2:
        listed = " and ".join(quoted)
    elif len(quoted) > 2:
        listed = f"{', '.join(quoted[:-1])}, and {quoted[-1]}"
    return f"{len(names)} required {kind} argument{many}: {listed}"


def _listed(names: list[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


# ------------------------------------------------------------------ what it returns


def _returns_nothing(context: Context, passed: _Passed, function: Function) -> Finding | None:
    node = function.node
    if not isinstance(node, cst.FunctionDef) or is_generator(node) or node.asynchronous:
        return None
    if node.decorators or _gives_something(node.body):
        return None
    keras_3 = context.releases.is_keras_3(passed.called.callee.place)
    error = "ValueError in fit(): None values not supported"
    if passed.kind == "metric" and not keras_3:
        error = "RuntimeError in fit(): The output of a metric function can only be a single Tensor"
    return Finding(
        "LK215",
        context.program.span(_place(context, passed, function)),
        f"{_name(function, passed.kind)} returns nothing, {error}; return the value",
        label="no return",
        related=context.related((passed.node, f"passed as a {passed.kind} here")),
    )


def _gives_something(body: cst.BaseSuite) -> bool:
    """Whether a function returns a value somewhere, or raises: it may be abstract."""
    stack: list[cst.CSTNode] = [body]
    while stack:
        node = stack.pop()
        match node:
            case cst.Return(value=value) if value is not None:
                if not (isinstance(value, cst.Name) and value.value == "None"):
                    return True
            case cst.Raise():
                return True
            case cst.FunctionDef() | cst.ClassDef() | cst.Lambda():
                continue
        stack.extend(children(node))
    return False


# ------------------------------------------------------------------ (y_pred, y_true)


def _swapped(
    context: Context, passed: _Passed, function: Function, bound: int
) -> Iterator[Finding]:
    """Parameters named in the wrong order, in a function that uses them by their names."""
    plain = positional_parameters(function.node.params)[bound:]
    if [p.name.value for p in plain[:2]] != [_PRED, _TRUE]:
        return
    summary = context.facts.summaries.get(function.node)
    if summary is None or not context.program.owns(function.node):
        return
    used = _use(summary)
    if used is None:
        return
    program = context.program
    yield Finding(
        "LK215",
        program.span(plain[0]),
        f"{_name(function, passed.kind)} takes `{_PRED}` first, and Keras gives the labels first: "
        f"{used}",
        label="gets the labels",
        notes=(Note("effect", "no error: the model is trained with another function"),),
        related=context.related((passed.node, f"passed as a {passed.kind} here")),
        fixes=context.fixes(_exchanged, context, function, plain),
    )


def _use(summary: FunctionSummary) -> str | None:
    """What goes wrong, where the function uses its parameters as their names say.

    None where it does not show how it uses them, or shows it to be the other way round.
    """
    true, pred = summary.parameter(_TRUE), summary.parameter(_PRED)
    found = {
        use
        for result in summary.results
        for part in walk(result)
        if isinstance(part, Computed) and (use := _use_of(part, true, pred)) is not None
    }
    return found.pop() or None if len(found) == 1 else None


def _use_of(term: Computed, true: Value, pred: Value) -> str | None:
    """What a part of a loss does wrong; empty if it takes the parameters in their places."""
    function, given = term.function, term.arguments
    name = ""
    match function:
        case Symbol():
            name = function.name
        case Instance(cls=Symbol() as cls):
            name = cls.name
    last = name.rpartition(".")[2]
    if last in _LOGARITHMS and name.startswith(("tf.", "keras.")) and given.positional:
        inside = given.positional[0]
        if _is_of(inside, true):
            return ""
        return "it takes the logarithm of the labels" if _is_of(inside, pred) else None
    one_way = "crossentropy" in last.lower() or last in _ONE_WAY
    if name.startswith(("keras.losses.", "keras.metrics.", "keras.backend.")) and one_way:
        first, second = given.get(_TRUE, 0), given.get(_PRED, 1)
        if first is None or second is None:
            return None
        straight = _is_of(first, true) and _is_of(second, pred)
        crossed = _is_of(first, pred) or _is_of(second, true)
        return f"`{last}` gets the predictions as labels" if straight and not crossed else ""
    return None


def _is_of(value: Value, parameter: Value) -> bool:
    return any(part == parameter for part in walk(value))


def _exchanged(context: Context, function: Function, plain: list[cst.Param]) -> Iterator[Fix]:
    """Exchange the names, where nobody else calls the function."""
    node = function.node
    if isinstance(node, cst.FunctionDef) and context.code.callers(node):
        return
    if any(one.annotation is not None or one.default is not None for one in plain[:2]):
        return
    first, second = plain[0].name, plain[1].name
    yield Fix(
        "order",
        f"write `({_TRUE}, {_PRED})`",
        Applicability.UNSAFE,
        (context.code.replace(first, _TRUE), context.code.replace(second, _PRED)),
    )


# ------------------------------------------------------------------ called instead of passed


def _already_called(context: Context, passed: _Passed) -> Iterator[Finding]:
    node = passed.node
    if not passed.itself or not isinstance(node, cst.Call):
        return
    own = [function for function, calls in context.facts.entered.items() if node in calls]
    if own and not node.args and len(own) == 1:
        yield from _own_called(context, passed, node, own[0])
    for called in context.once(calls_of_keras):
        if called.node is node and called.signature.kind == "function":
            yield from _library_called(context, passed, called)
    match passed.value:
        case Computed(function=Instance() as instance) if _is_loss_object(instance):
            if len(node.args) >= 2:
                yield _number(context, passed, context.code.shown(node.func), ())


def _is_loss_object(instance: Instance) -> bool:
    return any(
        base.startswith(("keras.losses.", "keras.metrics.")) for base in instance.library_bases()
    )


def _own_called(
    context: Context, passed: _Passed, node: cst.Call, function: cst.CSTNode
) -> Iterator[Finding]:
    """``loss=my_loss()`` of a function that takes the labels and the predictions."""
    if not isinstance(function, cst.FunctionDef) or function.decorators:
        return
    if not context.program.owns(function):
        return
    params = function.params
    required = [p.name.value for p in positional_parameters(params) if p.default is None]
    if not required or context.code.is_method(function):
        return
    name = context.code.shown(node.func)
    inner = any(isinstance(n, (cst.FunctionDef, cst.Lambda)) for n in nodes(function.body))
    two = len(required) == 2 and not inner  # else it is the one that makes the loss
    yield Finding(
        "LK215",
        context.program.span(node),
        f"`{name}` is called here, TypeError: {function.name.value}() missing "
        f"{_missing(required, 'positional')}"
        + (f"; pass the function itself, `{name}`" if two else ""),
        label="called, not passed",
        fixes=context.fixes(_not_called, context, node, safe=True) if two else (),
    )


def _library_called(context: Context, passed: _Passed, called: Called) -> Iterator[Finding]:
    """``loss=keras.losses.mse()``, ``loss=keras.losses.mse(y, model.output)``."""
    place, node = called.callee.place, called.node
    family, _, last = place.inside.partition(".")
    if family not in ("losses", "metrics") or called.names[:2] != [_TRUE, _PRED]:
        return
    name, missing = context.code.shown(node.func), called.missing()
    if not missing:
        only = all(a.keyword is None for a in node.args) and len(node.args) == 2
        fixes = context.fixes(_not_called, context, node, safe=False) if only else ()
        yield _number(context, passed, name, fixes)
        return
    if missing != [_TRUE, _PRED]:
        return
    cls = _class_of(context, place, [n for n, _ in called.arguments.keywords])
    fixes = ()
    advice = ""
    if not node.args:
        advice = f"; pass the function itself, `{name}`"
        fixes = context.fixes(_not_called, context, node, safe=True)
    elif cls is not None:
        advice = f"; the settings go into the class, `{cls}(...)`"
        fixes = context.fixes(_as_class, context, node, cls)
    yield Finding(
        "LK215",
        context.program.span(node),
        f"`{name}` is called here, TypeError: {last}() missing {_missing(missing, 'positional')}"
        f"{advice}",
        label="called, not passed",
        fixes=fixes,
    )


def _number(context: Context, passed: _Passed, name: str, fixes: tuple[Fix, ...]) -> Finding:
    return Finding(
        "LK215",
        context.program.span(passed.node),
        f"`{name}` is called here, and its value is no {passed.kind}: Keras needs the function, to "
        f"call it with each batch, ValueError: Could not interpret {passed.kind} identifier; pass "
        f"`{name}`",
        label="called, not passed",
        fixes=fixes,
    )


def _class_of(context: Context, place: Place, keywords: list[str]) -> str | None:
    """The class of losses that a function belongs to, where it takes these settings."""
    space = keras_api.space(place.space)
    version = context.releases.newest(place.space)
    for name in space.names_in(f"{place.space}.losses", version):
        symbol = space.symbol(f"{place.space}.losses.{name}", version)
        if symbol is None or symbol.kind != "class" or snake_case(name) != place.last:
            continue
        if all(symbol.accepts(keyword) for keyword in keywords):
            return name
    return None


def _not_called(context: Context, node: cst.Call, *, safe: bool) -> Iterator[Fix]:
    if any(context.code.comments(node)):
        return
    name = context.code.text(node.func)
    edit = context.code.replace(node, name)
    sure = Applicability.SAFE if safe else Applicability.UNSAFE
    yield Fix("pass", f"write `{name}`", sure, (edit,))


def _as_class(context: Context, node: cst.Call, cls: str) -> Iterator[Fix]:
    """``keras.losses.binary_crossentropy(from_logits=True)`` with the name of the class."""
    if isinstance(node.func, cst.Attribute) and all(a.keyword is not None for a in node.args):
        edit = context.code.replace(node.func.attr, cls)
        yield Fix("class", f"write `{cls}`", Applicability.SAFE, (edit,))


# ------------------------------------------------------------------ a class of losses


def _class_passed(context: Context, passed: _Passed) -> Iterator[Finding]:
    """``loss=MeanSquaredError``, which Keras 2 does not make an object of."""
    value = passed.value
    if passed.kind != "loss" or not isinstance(value, (Symbol, Class)):
        return
    place = passed.called.callee.place
    required = _required(context, value)
    if required is None or (context.releases.is_keras_3(place) and not required):
        return
    name = context.code.shown(passed.node) if passed.itself else _class_text(value)
    shown = context.releases.shown(place)
    if context.releases.is_keras_3(place):
        says = (
            f"`{name}` is a class that {shown} makes an object of without arguments, TypeError in "
            f"fit(): __init__() missing {_missing(required, 'positional')}; pass an object"
        )
    else:
        says = (
            f"`{name}` is a class, and {shown} takes it for a function of the labels and the "
            f"predictions, which raises TypeError in fit(); pass an object, `{name}()`"
        )
    fixable = passed.itself and not required and isinstance(passed.node, (cst.Name, cst.Attribute))
    yield Finding(
        "LK215",
        context.program.span(passed.node),
        says,
        label="no object yet",
        fixes=context.fixes(_made, context, passed.node) if fixable else (),
    )


def _class_text(value: Symbol | Class) -> str:
    return value.node.name.value if isinstance(value, Class) else value.path.rpartition(".")[2]


def _required(context: Context, value: Symbol | Class) -> list[str] | None:
    """The arguments without which a class of losses cannot be made; None where it is none."""
    if isinstance(value, Symbol):
        place = None if value.mixed or value.file is not None else place_in(context, value)
        if place is None or not place.inside.startswith("losses."):
            return None
        symbol = context.releases.symbol(place)
        if symbol is None or symbol.kind != "class":
            return None
        return [p.name for p in symbol.parameters if p.kind == "positional" and p.default is None]
    if not _is_loss(value):
        return None
    for one in _own_classes(value):
        init = _methods(one).get("__init__")
        if init is not None:
            plain = positional_parameters(init.params)[1:]
            return [p.name.value for p in plain if p.default is None]
    return []


def _made(context: Context, node: cst.BaseExpression) -> Iterator[Fix]:
    _, end = context.code.span(node)
    edit = context.code.replace_range(node, end, end, "()")
    title = f"write `{context.code.shown(node)}()`"
    yield Fix("object", title, Applicability.SAFE, (edit,))
