"""What a constant factor on all gradients does to the step of a Keras optimizer.

Each step rule answers a factor k on its gradients just as it answers other arguments: SGD's
``w - lr * (k * g)`` is the step of a learning rate ``k * lr``; Adam's ``m / (sqrt(v) + epsilon)``
of k times the gradients is the step of ``epsilon / k``; a gradient that is clipped at c behind the
factor is clipped at ``c / k`` in front of it. So whatever is said about a factor is an equation
between two optimizers, and the tests check it by training with both.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import libcst as cst

from lintkeras.meaning.values import Arguments, Computed, Const, Instance, Symbol, Value
from lintkeras.syntax.program import Program

Verdict = Literal["cancels", "rescales"]

_CLIPS = {"clipnorm": -1, "clipvalue": -1, "global_clipnorm": -1}
_SHARED = ("weight_decay", *_CLIPS)
_BETAS = ("learning_rate", "beta_1", "beta_2")
_NO_ARGUMENTS = Arguments()
_ADAM = "m -> {k} m, sqrt(v) -> {k} sqrt(v)"


@dataclass(frozen=True, slots=True)
class StepRule:
    """One optimizer class of Keras."""

    parameters: tuple[str, ...]
    """The parameters that may be given by position, in order."""
    law: Mapping[str, int] | None
    """With which power of the factor each argument must be multiplied for the same step without
    it. Clipping is the same for all: its threshold is divided by the factor. None: no arguments
    make that step."""
    cancels: str = ""
    """Why a factor cancels, in the terms of the step rule; {k} stands for the factor."""
    down_to: float = 1.0
    """The smallest factor for which it was measured to cancel."""
    largest_epsilon: float = 1e-3
    """An epsilon of this size is no longer small against the gradients: then the factor counts."""
    nearly: bool = False
    """Whether it cancels but for a few per cent: its own epsilon is not small against its steps."""
    keeps_signs: bool = True
    """Whether gradients without negative entries give a step that raises no weight."""
    rate: float = 0.001
    """The default learning rate."""


def _adam_like(
    *parameters: str, cancels: str = _ADAM, down_to: float = 0.01, largest_epsilon: float = 1e-3
) -> StepRule:
    return StepRule(parameters, {"epsilon": -1}, cancels, down_to, largest_epsilon)


STEP_RULES: Mapping[str, StepRule] = {
    "sgd": StepRule(
        ("learning_rate", "momentum", "nesterov", *_SHARED),
        {"learning_rate": 1, "weight_decay": -1},
        rate=0.01,
    ),
    "adam": _adam_like(*_BETAS, "epsilon", "amsgrad", *_SHARED),
    "adamw": _adam_like("learning_rate", "weight_decay", "beta_1", "beta_2", "epsilon", "amsgrad"),
    "nadam": _adam_like(*_BETAS, "epsilon", *_SHARED),
    "adamax": _adam_like(*_BETAS, "epsilon", *_SHARED, cancels="m -> {k} m, u -> {k} u"),
    "lamb": _adam_like(*_BETAS, "epsilon", *_SHARED, down_to=1.0),
    "rmsprop": StepRule(
        ("learning_rate", "rho", "momentum", "epsilon", "centered", *_SHARED),
        {"epsilon": -2},
        "g -> {k} g, sqrt(v) -> {k} sqrt(v)",
        largest_epsilon=1e-6,
    ),
    "adadelta": StepRule(
        ("learning_rate", "rho", "epsilon", *_SHARED),
        None,
        "g -> {k} g, RMS(g) -> {k} RMS(g), but for the epsilon in the roots",
        largest_epsilon=1e-6,
        nearly=True,
    ),
    "adafactor": StepRule(
        ("learning_rate", "beta_2_decay", "epsilon_1", "epsilon_2", "clip_threshold",
         "relative_step", *_SHARED),
        {"epsilon_1": -2},
        "g -> {k} g, sqrt(v) -> {k} sqrt(v)",
        largest_epsilon=1e-6,
    ),
    "lion": StepRule((*_BETAS, *_SHARED), {}, "only the sign of the momentum counts", down_to=0.0),
    "muon": StepRule(
        ("learning_rate", "adam_beta_1", "adam_beta_2", "adam_weight_decay", "epsilon", *_SHARED),
        None,
        "it orthogonalizes matrices, whatever their size, and takes Adam's steps for the rest",
        keeps_signs=False,
    ),
    "adagrad": StepRule(
        ("learning_rate", "initial_accumulator_value", "epsilon", *_SHARED),
        {"initial_accumulator_value": -2, "epsilon": -2},
    ),
    "ftrl": StepRule(("learning_rate",), None, keeps_signs=False),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Optimizer:
    """One of Keras' optimizers, as the program makes it."""

    name: str
    """The class in lower case, as Keras' strings name it."""
    text: str
    """As the user wrote it: ``Adam(learning_rate=0.01)``."""
    arguments: Arguments = _NO_ARGUMENTS
    node: cst.Call | None = None

    @property
    def rule(self) -> StepRule | None:
        """Its step rule, where it is one that was measured."""
        return STEP_RULES.get(self.name)

    @property
    def clips(self) -> bool:
        """Whether it clips the gradients that it is given."""
        return any(self.is_given(clip) for clip in _CLIPS)

    @property
    def nearly(self) -> bool:
        """Whether a factor cancels only nearly."""
        return self.is_given("epsilon") or (self.rule is not None and self.rule.nearly)

    def argument(self, name: str) -> Value:
        """An argument; ``Const(None)`` where it was not given."""
        if name == "learning_rate" and "lr" in dict(self.arguments.keywords):
            name = "lr"
        parameters = self.rule.parameters if self.rule is not None else ()
        position = parameters.index(name) if name in parameters else None
        value = self.arguments.get(name, position)
        return Const(None) if value is None else value

    def is_given(self, name: str) -> bool:
        """Whether an argument was given, and not as None."""
        return self.argument(name) != Const(None)

    def number(self, name: str) -> float | None:
        """The number that an argument is known to be."""
        value = self.argument(name)
        known = isinstance(value, Const) and type(value.value) in (int, float)
        return float(value.value) if known else None  # type: ignore[arg-type,union-attr]

    @property
    def epsilon_counts(self) -> bool:
        """Whether its epsilon is, or may be, so large that a factor on the gradients matters."""
        for name in ("epsilon", "epsilon_1"):
            if self.rule is not None and self.is_given(name):
                value = self.number(name)
                if value is None or value >= self.rule.largest_epsilon:
                    return True
        return False


@dataclass(frozen=True, slots=True)
class Effect:
    """What a factor on all gradients does."""

    verdict: Verdict | None
    """``cancels``: nothing worth the name; ``rescales``: another learning rate; None: neither."""
    text: str
    """The sentence for the user."""
    changed: Mapping[str, float] | None = None
    """The same step without the factor: what each argument must be multiplied with."""


def optimizer_of(program: Program, value: Value) -> Optimizer | None:
    """The optimizer, where it is one of Keras' own and all its arguments are in view."""
    if isinstance(value, Computed) and isinstance(value.function, Symbol):
        if value.function.name == "keras.optimizers.get" and value.arguments.positional:
            value = value.arguments.positional[0]
    if isinstance(value, Const) and isinstance(value.value, str):
        return Optimizer(value.value.lower(), f'"{value.value}"')
    if not isinstance(value, Instance) or not isinstance(value.cls, Symbol):
        return None
    family, _, name = value.class_name.rpartition(".")
    if family != "keras.optimizers" or not value.arguments.complete:
        return None
    text = name
    if value.node is not None:
        written = program.text(value.node)
        text += " ".join(written[written.index("(") :].split())
    return Optimizer(name.lower(), text, value.arguments, value.node)


def effect(optimizer: Optimizer | None, factor: float) -> Effect:
    """What multiplying all gradients by ``factor`` (a number above 0) does."""
    if optimizer is None:
        return Effect(None, _ANY)
    rule = optimizer.rule
    if rule is None:
        return Effect(None, f"with {optimizer.text} {_SOMETHING}")
    verdict = _verdict(optimizer, rule, factor)
    text = f"with {optimizer.text} {_text(optimizer, rule, factor, verdict)}"
    if rule.law is None:
        return Effect(verdict, text)
    return Effect(verdict, text, {name: factor**p for name, p in {**rule.law, **_CLIPS}.items()})


_ANY = (
    "it changes what the optimizer is given, not any derivative: with SGD that is another "
    "learning rate, with Adam it cancels"
)
_SOMETHING = "it can change the size of the step, not any derivative"


def _verdict(optimizer: Optimizer, rule: StepRule, factor: float) -> Verdict | None:
    if rule.law is not None and "learning_rate" in rule.law:
        return "rescales" if factor != 1 else None
    if rule.cancels and not optimizer.epsilon_counts and factor >= rule.down_to:
        return "cancels"
    return None


def _text(optimizer: Optimizer, rule: StepRule, factor: float, verdict: Verdict | None) -> str:
    if factor == 1:
        return "a factor of 1 changes nothing"
    if verdict == "cancels":
        parts = [rule.cancels.format(k=f"{factor:g}")]
        if rule.law and "epsilon" in rule.law and not optimizer.is_given("epsilon"):
            parts.append(f"only epsilon becomes epsilon/{factor ** -rule.law['epsilon']:g}")
        rest = [_same(optimizer, name, factor**power)
                for name, power in {**(rule.law or {}), **_CLIPS}.items()
                if optimizer.is_given(name)]  # fmt: skip
        tail = f"; what remains is the same as {_listed(rest)}" if rest else ""
        return f"a constant factor cancels: {', '.join(parts)}{tail}"
    if rule.law is None:
        return _SOMETHING
    same = [_same(optimizer, name, factor**power)
            for name, power in {**rule.law, **_CLIPS}.items()
            if optimizer.is_given(name) or (name in rule.law and name != "weight_decay")]  # fmt: skip
    return f"it is the same as {_listed(same)}"


def _same(optimizer: Optimizer, name: str, times: float) -> str:
    """One argument of the optimizer that makes the same step without the factor."""
    value = optimizer.number(name)
    if name == "learning_rate" and not optimizer.is_given(name) and optimizer.rule is not None:
        value = optimizer.rule.rate
    if value is not None:
        return f"{name}={value * times:g} instead of {value:g}"
    return f"{name} times {times:g}" if times > 1 else f"{name} divided by {1 / times:g}"


def _listed(parts: list[str]) -> str:
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)
