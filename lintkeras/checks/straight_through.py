"""Straight-through estimators: operations without a gradient, and the detours around them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

import libcst as cst

from lintkeras.checks.registry import Context, check
from lintkeras.findings import Finding, Note, Severity
from lintkeras.meaning.differentiation import Cut, connection, is_cast, sources, stops, within
from lintkeras.meaning.facts import (
    FORWARD,
    CompiledModel,
    LayerCall,
    LayerClass,
    ModelTrained,
    Operation,
    TapeUse,
)
from lintkeras.meaning.library import argument_node
from lintkeras.meaning.singularities import is_where
from lintkeras.meaning.sums import reproducible, summands, totals
from lintkeras.meaning.training import (
    Layers,
    adds_losses,
    flat_cut,
    freezes,
    is_flat,
    overrides_gradients,
    trained_models,
)
from lintkeras.meaning.values import (
    Class,
    Computed,
    Const,
    Instance,
    Symbol,
    Value,
    Weight,
    walk,
)
from lintkeras.rewrites.straight_through import estimate, let_through
from lintkeras.rewrites.terms import written
from lintkeras.syntax.program import Program

_SUMS = frozenset({"Add", "Subtract"})


@dataclass(frozen=True)
class _Cancelled:
    """A sum of which one summand is left: ``what`` of it is lost.

    ``hard`` is the result of the operation without a gradient, ``soft`` what the gradient should
    go to.
    """

    term: Computed
    hard: Value
    soft: Value
    cut: Cut
    what: Literal["value", "gradient"]


@check("LK127")
def straight_through_cancels(context: Context) -> Iterator[Finding]:
    """``a + (b - a)`` around an operation without a gradient, where stop_gradient is missing."""
    program, layers = context.program, Layers(context.facts)
    if not _is_about_gradients(context):
        return
    for group in context.facts.groups(Operation):
        found = _agreed(_cancelled(layers, operation.term) for operation in group)
        if found is None:
            continue
        node = found.term.node
        hard, soft = _name(program, found, found.hard), _name(program, found, found.soft)
        text = " ".join(program.text(node).split())
        if found.what == "value":
            message = f"`{text}` is just `{soft}` in the forward pass: `{hard}` cancels"
            lost = "the operation has no effect on what the model computes"
        else:
            message = f"`{text}` is just `{hard}`, through which no gradient passes"
            lost = (
                f"the derivatives of `{soft}` cancel too: what it is computed from is not trained"
            )
        yield Finding(
            "LK127",
            program.span(node),
            f"{message}; write `{soft} + stop_gradient({hard} - {soft})`",
            notes=(
                Note(
                    "math",
                    "the straight-through estimator is s + stop_gradient(h - s): forward "
                    "s + h - s = h, backward ds + 0; it needs the stop to keep the two apart",
                ),
                Note("effect", lost),
            ),
            fixes=context.fixes(estimate, context.code, found.term, found.hard, found.soft),
        )


def _is_about_gradients(context: Context) -> bool:
    """Whether a program trains, has a layer of its own, or says ``stop_gradient``.

    Elsewhere ``floor(x) + (x - floor(x))`` may be no more than arithmetic.
    """
    facts = context.facts
    kinds = (TapeUse, ModelTrained, CompiledModel)
    return (
        any(True for kind in kinds for _ in facts.groups(kind))
        or any(layer.method("call") is not None for layer in facts.all(LayerClass))
        or any(stops(operation.term) == "stop" for operation in facts.all(Operation))
    )


def _name(program: Program, found: _Cancelled, value: Value) -> str:
    """How the sum writes one of its summands."""
    node: cst.CSTNode | None = written(found.term, value)
    if node is None and isinstance(value, Computed):
        node = value.node
    if node is None:
        return "h" if value is found.hard else "x"
    return " ".join(program.text(node).split())


def _agreed(found: Iterable[_Cancelled | Literal[False] | None]) -> _Cancelled | None:
    """What all decided evaluations of one place say."""
    decided = [one for one in found if one is not None]
    if not decided or any(one is False for one in decided):
        return None
    first, *others = [one for one in decided if one is not False]
    return first if all(other.what == first.what for other in others) else None


def _cancelled(layers: Layers, term: Computed) -> _Cancelled | Literal[False] | None:
    """What cancels in a sum; False where nothing does, None where that cannot be known."""
    if term.function not in _SUMS:
        return None
    signs = [one.factor > 0 for one in summands(term)]
    if len(signs) < 3 or all(signs):
        return False
    found = totals(term)
    left = [one for one in found if one.forward]
    gone = [one for one in found if not one.forward]
    if len(left) != 1 or left[0].forward != 1 or not gone:
        return False if all(reproducible(one.value) for one in found) else None
    (rest,) = left
    for one in gone:
        cut = _flat(layers, one.value, rest.value)
        if cut is not None:
            return _Cancelled(term, one.value, rest.value, cut, "value")
        if one.free > 1 and not one.backward:
            cut = _flat(layers, rest.value, one.value)
            if cut is not None:
                return _Cancelled(term, rest.value, one.value, cut, "gradient")
    return False


def _flat(layers: Layers, hard: Value, soft: Value) -> Cut | None:
    """The operation without a gradient by which ``hard`` depends on what ``soft`` depends on.

    Both have to be tensors of real numbers: ``(end - start) // 2`` may be an index.
    """
    found = layers.way(hard, within(soft))
    if found.reaches is not False or not _on_tensors(hard):
        return None
    if (
        connection(soft, lambda leaf: not isinstance(leaf, (Const, Symbol, Computed))).reaches
        is False
    ):
        return None
    return next(filter(is_flat, found.cuts), None)


def _on_tensors(value: Value) -> bool:
    """Whether a function of TensorFlow or Keras takes part (a cast, where there is a comparison)."""
    parts = [part for part in walk(value) if isinstance(part, Computed)]
    compares = any(isinstance(part.function, str) and stops(part) == "none" for part in parts)
    return any(
        isinstance(part.function, Symbol)
        and part.function.name.startswith(("tf.", "keras."))
        and (not compares or is_cast(part) or is_where(part))
        for part in parts
    )


@check("LK126")
def nondifferentiable_on_trainable_path(context: Context) -> Iterator[Finding]:
    """An operation without a gradient between the loss and what is to be trained."""
    lost: dict[cst.CSTNode, dict[str, cst.CSTNode | None]] = {}
    cuts: dict[cst.CSTNode, Cut] = {}
    for cut, name, made in _cut_off(context):
        cuts.setdefault(cut.at.node, cut)
        lost.setdefault(cut.at.node, {}).setdefault(name, made)
    program = context.program
    trains = trained_models(context.facts) or any(True for _ in context.facts.groups(TapeUse))
    # a layer with a backward pass that Keras never calls is LK128's
    own = {layer.node for layer in context.facts.all(LayerClass) if _has_backward(layer)}
    for node, names in lost.items():
        if not program.owns(node) or not own.isdisjoint(program.ancestors(node)):
            continue
        cut = cuts[node]
        whole = _whole(context, cut)
        if whole is cut.at and isinstance(whole.function, str):
            continue  # a comparison alone may be one of Python values
        text = " ".join(program.text(whole.node).split())
        what = " and ".join(names) if len(names) < 3 else f"{', '.join(list(names)[:2])} and others"
        places = [(made, "not trained") for made in names.values() if made is not None]
        yield Finding(
            "LK126",
            program.span(whole.node),
            f"no gradient passes through `{text}`, so nothing trains {what}",
            severity=None if trains else Severity.INFO,
            notes=(
                Note("math", _derivative(cut)),
                Note("effect", _warning(cut)),
                Note(
                    "note",
                    "to pass the gradient on as if nothing was done: "
                    "x + tf.stop_gradient(f(x) - x), the straight-through estimator",
                ),
            ),
            related=context.related(*places),
            fixes=context.fixes(let_through, context.code, cut.at, whole),
        )


def _has_backward(layer: LayerClass) -> bool:
    """Whether a class has a method that is meant as its backward pass."""
    return any(summary.function.name != FORWARD for summary in layer.foreign)


def _derivative(cut: Cut) -> str:
    if cut.reason == "zero":
        return "the derivative of sign is 0 everywhere (and taken to be 0 at 0)"
    return "a piecewise constant function has the derivative 0, and TensorFlow returns None for it"


def _warning(cut: Cut) -> str:
    if cut.reason == "zero":
        return "TensorFlow's gradient is a tensor of zeros, so Keras does not warn"
    return (
        'Keras warns "Gradients do not exist for variables", or raises "No gradients provided for '
        'any variable" where nothing is left to train'
    )


def _cut_off(context: Context) -> Iterator[tuple[Cut, str, cst.CSTNode | None]]:
    """Each operation that cuts something off, what that is called and where it is made."""
    facts, modules = context.facts, context.program.modules
    layers, trained = Layers(facts), trained_models(facts)
    for uses in facts.groups(TapeUse):
        yield from _of_tape(context, uses)
    if adds_losses(modules) or overrides_gradients(modules):
        return
    frozen = freezes(modules)
    for layer in facts.all(LayerClass):
        if layer.plain_call is not None and _takes_part(layer, trained):
            for one in layers.untrained(layer.plain_call.results):
                name = _attribute_name(layer, one.source)
                if frozen and isinstance(one.source, Instance):
                    continue
                if name is not None and not layers.is_read_elsewhere(modules, layer, name):
                    yield one.cut, f"`self.{name}`", _made(one.source)
    if frozen:
        return
    for group in facts.groups(ModelTrained):
        outputs = [fact.output for fact in group]
        if all(output is not None for output in outputs):
            yield from _of_model(context, layers, tuple(o for o in outputs if o is not None))
    for call in facts.all(LayerCall):
        if call.layer in trained and not isinstance(call.layer.cls, Class):
            yield from _of_model(context, layers, (call.output,))


def _of_model(
    context: Context, layers: Layers, outputs: tuple[Value, ...]
) -> Iterator[tuple[Cut, str, cst.CSTNode | None]]:
    for one in layers.untrained(outputs):
        made = _made(one.source)
        if made is not None and context.program.owns(made):
            text = " ".join(context.program.text(made).split())
            yield one.cut, f"`{text}`", made


def _of_tape(
    context: Context, uses: list[TapeUse]
) -> Iterator[tuple[Cut, str, cst.CSTNode | None]]:
    """Between the loss and the variables of ``tape.gradient``."""
    ways = [
        connection(
            use.target,
            sources(use.entries),
            lambda term, tape=use.tape: context.facts.recorded(term.node, tape),  # type: ignore[misc]
        )
        for use in uses
        if use.certain and all(isinstance(entry.value, Weight) for entry in use.entries.entries)
    ]
    cut = flat_cut(ways) if len(ways) == len(uses) else None
    argument = argument_node(uses[0].node, "sources", 1)
    if cut is not None and argument is not None and uses[0].entries.entries:
        yield cut, f"`{context.program.text(argument.value)}`", uses[0].node


def _takes_part(layer: LayerClass, trained: frozenset[Value]) -> bool:
    """Whether a class can be part of a training: a layer can, a model only if it is trained."""
    if not any(base.startswith("keras.models.") for base in layer.bases):
        return True
    return any(isinstance(m, Instance) and m.cls == layer.cls for m in trained)


def _attribute_name(layer: LayerClass, source: Weight | Instance) -> str | None:
    return next((name for name, value in layer.attributes if value == source), None)


def _made(source: Weight | Instance) -> cst.CSTNode | None:
    return source.made_by if isinstance(source, Weight) else source.node


def _whole(context: Context, cut: Cut) -> Computed:
    """The operation as it is written: a comparison together with the cast or ``where`` around it."""
    whole, program = cut.at, context.program
    while isinstance(argument := program.parent(whole.node), cst.Arg):
        call = program.parent(argument)
        around = [one.term for one in context.facts.all(Operation) if one.node is call]
        if not around or not all(is_cast(term) or stops(term) == "none" for term in around):
            break
        whole = around[0]
    return whole
