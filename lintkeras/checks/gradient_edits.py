"""Edits of weight gradients between the tape and the optimizer, each under the one rule for it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import libcst as cst

from lintkeras.checks.optimizers import Effect, Optimizer, effect, optimizer_of
from lintkeras.checks.registry import Context
from lintkeras.checks.words import passages
from lintkeras.claims.intent import Intent, stated_intent
from lintkeras.meaning.facts import CompiledModel, Facts, LayerCall, OptimizerStep
from lintkeras.meaning.sums import summands
from lintkeras.meaning.values import (
    Class,
    Computed,
    Const,
    CustomGradient,
    Function,
    Gradient,
    GradientEdit,
    Instance,
    Member,
    PerEntry,
    Rectify,
    Scale,
    Symbol,
    Value,
    Weight,
    alternatives,
    walk,
)

# LK103 speaks of no smaller factor: what was measured ends here.
_SMALLEST_FACTOR = 0.01
_SILENCING = ("scale", "accum", "batch", "size", "num", "n_", "len", "world", "replica", "step",
              "count")  # fmt: skip
_ACTIVATIONS = frozenset({
    "tanh", "sigmoid", "relu", "softplus", "elu", "selu", "gelu", "swish", "silu", "softsign",
})  # fmt: skip


@dataclass(frozen=True)
class GradientChange:
    """One edit of gradients that reaches an optimizer."""

    code: str
    """The rule that speaks for it; empty where none does."""
    step: OptimizerStep
    gradient: Gradient
    """The first gradient that was edited."""
    edit: GradientEdit
    """The last edit of it."""
    optimizer: Optimizer | None
    factors: tuple[float, ...] = ()
    """The constant factor; several where each variable has its own; none for any other edit."""
    intent: Intent | None = None

    @property
    def factor(self) -> float | None:
        """The one constant factor of all gradients."""
        return self.factors[0] if len(self.factors) == 1 else None

    @property
    def effect(self) -> Effect | None:
        """What the factor does with this optimizer."""
        return None if self.factor is None else effect(self.optimizer, self.factor)

    @property
    def rectifies(self) -> bool:
        """Whether negative gradients were set to zero."""
        return any(isinstance(edit, Rectify) for edit in self.gradient.edits)


def changes(context: Context) -> Iterator[GradientChange]:
    """Each edited step under the one rule that speaks for it: LK101, LK108, LK103 or LK102."""
    for group in context.facts.groups(OptimizerStep):
        found = [one for step in group if (one := _classify(context, step)) is not None]
        agreed = _agreed(found) if len(found) == len(group) else None
        if agreed is not None and agreed.code:
            yield agreed


def _agreed(found: list[GradientChange]) -> GradientChange | None:
    """What holds in all ways in which the step is reached.

    That a factor changes no derivative needs no optimizer; what it does with one needs just one.
    """
    first = found[0]
    if len({(one.code, one.edit.node) for one in found}) > 1:
        return None
    same_factors = len({one.factors for one in found}) == 1
    same_optimizer = len({one.optimizer and one.optimizer.text for one in found}) == 1
    if first.code in ("LK101", "LK108"):
        step = first.step
        if len({one.step.layers for one in found}) > 1:
            step = replace(step, layers=(), layers_complete=False)
        return replace(
            first,
            step=step,
            optimizer=first.optimizer if same_optimizer else None,
            factors=first.factors if same_factors else (),
        )
    return first if same_factors and same_optimizer else None


def gradients_of(value: Value) -> tuple[Gradient, ...] | None:
    """The gradients that a value may be, where it can be nothing else (but None)."""
    found = [v for v in alternatives(value) if v != Const(None)]
    gradients = tuple(v for v in found if isinstance(v, Gradient))
    return gradients if gradients and len(gradients) == len(found) else None


def number_of(value: Value) -> float | None:
    """The number that a value is known to be."""
    if isinstance(value, Const) and type(value.value) in (int, float):
        return float(value.value)  # type: ignore[arg-type]
    return None


def _classify(context: Context, step: OptimizerStep) -> GradientChange | None:
    gradients = _gradients(step)
    edited = [g for g in gradients if g.edits]
    if not edited:
        return None
    factors = _factors(gradients)
    found = GradientChange(
        "", step, edited[0], edited[0].edits[-1],
        optimizer_of(context.program, _optimizer(context.facts, step)), factors,
    )  # fmt: skip
    if any(factor <= 0 for factor in factors) or _undoes_loss_scale(found):
        return None
    weights = all(_of_weights(g) for g in edited)
    if weights and _may_be_meant_as_derivative(found):
        own = context.program.owns(found.edit.node)  # it may be made in another file
        intent = stated_intent(passages(context, found.edit.node if own else found.step.node))
        if intent is not None and not _has_own_backward(context.facts, found):
            return replace(found, code="LK101", intent=intent)
    if found.rectifies:
        only = all(isinstance(e, Rectify) for g in edited for e in g.edits)
        rule = found.optimizer.rule if found.optimizer is not None else None
        lowers = rule is None or rule.keeps_signs
        return replace(found, code="LK108" if weights and only and lowers else "")
    if weights and factors and not _silenced(context, found) and not _shared(context, found):
        return replace(found, code=_factor_rule(found))
    return found


def _optimizer(facts: Facts, step: OptimizerStep) -> Value:
    """The optimizer; inside a model's own methods the one that its objects are compiled with."""
    match step.optimizer:
        case Member(of=Instance(cls=Class() as cls), name="optimizer"):
            compiled = {
                model.optimizer
                for model in facts.all(CompiledModel)
                if isinstance(model.model, Instance) and model.model.cls == cls
            }
            if len(compiled) == 1:
                return compiled.pop() or step.optimizer
    return step.optimizer


def _gradients(step: OptimizerStep) -> list[Gradient]:
    """The gradients of a step; none where one is unknown or was edited on one branch only."""
    columns = [gradients_of(entry.value) for entry in step.gradients.entries]
    known = [column for column in columns if column is not None]
    if len(known) < len(columns):
        return []
    if any(len({tuple(edit.node for edit in g.edits) for g in column}) > 1 for column in known):
        return []
    return [gradient for column in known for gradient in column]


def _factors(gradients: list[Gradient]) -> tuple[float, ...]:
    """The constant factors of all gradients; none where any has another edit."""
    found: list[tuple[float, ...]] = []
    for gradient in gradients:
        own: tuple[float, ...] = (1.0,)
        for edit in gradient.edits:
            numbers = _numbers(edit.factor) if isinstance(edit, Scale) else ()
            if not numbers or (len(own) > 1 and len(numbers) not in (1, len(own))):
                return ()
            assert isinstance(edit, Scale)
            if edit.divides and 0.0 in numbers:
                return ()
            size = max(len(own), len(numbers))
            pairs = zip(own * size, numbers * size, strict=False)
            own = tuple(a / b if edit.divides else a * b for a, b in pairs)[:size]
        found.append(own)
    if len(set(found)) == 1:
        return found[0]
    return tuple(factor for factors in found for factor in factors)


def _numbers(value: Value) -> tuple[float, ...]:
    numbers = [number_of(v) for v in (value.values if isinstance(value, PerEntry) else (value,))]
    known = tuple(number for number in numbers if number is not None)
    return known if len(known) == len(numbers) else ()


def _may_be_meant_as_derivative(found: GradientChange) -> bool:
    factors = bool(found.factors) and set(found.factors) != {1.0}
    edits = found.gradient.edits
    derivative = any(isinstance(e, Scale) and is_derivative(e.factor) for e in edits)
    return factors or found.rectifies or derivative


def is_derivative(value: Value) -> bool:
    """Whether a factor is computed from an activation: ``1 - tf.tanh(z) ** 2``."""
    return any(
        isinstance(part, Computed)
        and isinstance(part.function, Symbol)
        and part.function.name.startswith(("tf.", "keras.", "numpy."))
        and part.function.name.rpartition(".")[2] in _ACTIVATIONS
        for part in walk(value)
    )


def _of_weights(gradient: Gradient) -> bool:
    """Whether it is the gradient of a layer's or a list of variables, not of an input."""
    return gradient.call.is_list is True and all(
        isinstance(source, Weight)
        or (isinstance(source, Instance) and source.class_name == "tf.Variable")
        for source in alternatives(gradient.source)
    )


def _has_own_backward(facts: Facts, found: GradientChange) -> bool:
    """Whether a custom_gradient takes part in what the tape has recorded."""
    waiting: list[Value] = [found.gradient.call.target, *found.step.layers]
    outputs: dict[cst.CSTNode, list[Value]] = {}
    for call in facts.all(LayerCall):
        outputs.setdefault(call.node, []).append(call.output)
    seen: set[int] = set()
    while waiting:
        for value in walk(waiting.pop()):
            if id(value) in seen:
                continue
            seen.add(id(value))
            if isinstance(value, CustomGradient):
                return True
            if isinstance(value, Instance):
                waiting += [*value.arguments.positional, *dict(value.arguments.keywords).values()]
                waiting.append(value.cls)
            if isinstance(value, Computed) and not isinstance(value.function, str):
                waiting.append(value.function)
                waiting += outputs.get(value.node, ())
            if isinstance(value, (Function, Class)):
                for name in _names_in(value.node):
                    if name == "custom_gradient":  # defined inside
                        return True
                    if isinstance(facts.names.get(name), (CustomGradient, Function, Class)):
                        waiting.append(facts.names[name])
    return False


def _names_in(node: cst.CSTNode) -> Iterator[str]:
    stack = [node]
    while stack:
        part = stack.pop()
        if isinstance(part, cst.Name):
            yield part.value
        stack.extend(part.children)


def _factor_rule(found: GradientChange) -> str:
    """LK103 where every factor cancels, LK102 where one factor is another learning rate."""
    optimizer = found.optimizer
    if optimizer is None:
        return ""
    effects = [effect(optimizer, factor) for factor in found.factors]
    if all(one.verdict == "cancels" for one in effects) and min(found.factors) >= _SMALLEST_FACTOR:
        # Factors of their own also shift the weight of each variable in a norm over all.
        mixed = len(found.factors) > 1 and optimizer.is_given("global_clipnorm")
        return "" if mixed else "LK103"
    return "LK102" if len(effects) == 1 and effects[0].verdict == "rescales" else ""


def _silenced(context: Context, found: GradientChange) -> bool:
    """Whether the factor's spelling says that it belongs to averaging or loss scaling."""
    return any(
        any(part in name.lower() for part in _SILENCING)
        for edit in found.gradient.edits
        for name in _names_in(edit.node)
    )


def _undoes_loss_scale(found: GradientChange) -> bool:
    """Whether the loss was multiplied by what the gradients are divided by."""
    factor = found.factor
    if factor is None or factor == 1.0:
        return False
    return all(
        math.isclose(one.factor * factor, 1.0) for one in summands(found.gradient.call.target)
    )


def _shared(context: Context, found: GradientChange) -> bool:
    """Whether another step gives the same optimizer gradients with other factors.

    Then a factor sets the weight of one loss against another, which no optimizer takes back.
    """
    if found.optimizer is None or found.optimizer.node is None:
        return False
    for other in context.facts.all(OptimizerStep):
        if other.node is not found.step.node and other.optimizer == found.step.optimizer:
            gradients = _gradients(other)
            if not gradients or _factors(gradients) != found.factors:
                return True
    return False
