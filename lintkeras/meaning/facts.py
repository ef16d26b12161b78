"""What the interpreter establishes, offered to the checks.

A fact names a place in the code and what holds there. The same place can be reached several times
(a function called from two places): its facts come as a group, and a check speaks only where the
whole group agrees.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, TypeVar

import libcst as cst

from lintkeras.meaning.values import (
    Content,
    CustomGradient,
    Function,
    GradientCall,
    Instance,
    Sequence,
    Tape,
    Value,
)


@dataclass(frozen=True, slots=True)
class OptimizerStep:
    """``optimizer.apply_gradients(pairs)``, or Keras 3's ``optimizer.apply(gradients, variables)``.

    ``gradients`` and ``variables`` are the two sides; ``pairs`` is the zip they came in, if any.
    ``layers`` are the layers behind the variables, as far as they are known.
    """

    node: cst.Call
    optimizer: Value
    gradients: Content
    variables: Content
    pairs: Sequence | None = None
    layers: tuple[Instance, ...] = ()
    layers_complete: bool = False
    """Whether ``layers`` are all the layers whose variables are trained here."""
    function: Function | None = None
    """The function in which the step stands."""


@dataclass(frozen=True, slots=True)
class ListArithmetic:
    """An arithmetic operator applied to the Python list that ``tape.gradient`` returned."""

    node: cst.BinaryOperation | cst.UnaryOperation | cst.AugAssign
    operator: str
    gradients: cst.BaseExpression
    other: Value | None
    other_node: cst.BaseExpression | None
    call: GradientCall


@dataclass(frozen=True, slots=True)
class TapeUse:
    """``tape.gradient``, ``jacobian`` or ``batch_jacobian``."""

    node: cst.Call
    tape: Tape
    first: cst.Call | None
    """An earlier use of the same recording, where one came before on this path."""


@dataclass(frozen=True, slots=True)
class ActivationUse:
    """A custom_gradient object given to a layer as its activation."""

    node: cst.BaseExpression
    activation: CustomGradient
    layer: Instance


@dataclass(frozen=True, slots=True)
class LayerCall:
    """A model or layer that is made of layers is called; ``output`` says what that computes.

    Of a class of the program it is what ``call`` returns, of a Sequential its layers in a row, of
    a functional model its outputs.
    """

    node: cst.Call
    layer: Instance
    output: Value


@dataclass(frozen=True, slots=True)
class CompiledModel:
    """``model.compile(...)``: what the model is given for its training."""

    node: cst.Call
    model: Instance
    optimizer: Value | None
    loss: Value | None


@dataclass(frozen=True, slots=True)
class ModelSaved:
    """A model is saved here: ``save``, ``save_model``, ``ModelCheckpoint``."""

    node: cst.CSTNode


Fact = TypeVar(
    "Fact",
    OptimizerStep, ListArithmetic, TapeUse, ActivationUse, LayerCall, CompiledModel, ModelSaved,
)  # fmt: skip


@dataclass
class Facts:
    """All facts of one program, each kind grouped by place."""

    entered: dict[cst.CSTNode, set[cst.CSTNode | None]] = field(default_factory=dict)
    """For each function, the calls that entered it."""
    names: dict[str, Value] = field(default_factory=dict)
    """What the module's names hold at its end."""
    _groups: dict[type, dict[cst.CSTNode, list[Any]]] = field(default_factory=dict)

    def note(self, fact: Fact) -> None:
        """Record a fact at its place."""
        self._groups.setdefault(type(fact), {}).setdefault(fact.node, []).append(fact)

    def groups(self, kind: type[Fact]) -> Iterator[list[Fact]]:
        """The facts of one kind, place by place: all the ways in which the place was reached."""
        yield from self._groups.get(kind, {}).values()

    def all(self, kind: type[Fact]) -> Iterator[Fact]:
        """The facts of one kind."""
        for group in self.groups(kind):
            yield from group
