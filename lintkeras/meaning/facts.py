"""What the interpreter establishes, offered to the checks.

A fact names a place in the code and what holds there. The same place can be reached several times
(a function called from two places): its facts come as a group, and a check speaks only where the
whole group agrees.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import libcst as cst

from lintkeras.meaning.values import (
    Content,
    CustomGradient,
    Function,
    Gradient,
    GradientCall,
    Instance,
    List,
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
class TapeReuse:
    """A second gradient of a tape that is not persistent, on a path that took the first."""

    node: cst.Call
    first: cst.Call
    tape: Tape


@dataclass(frozen=True, slots=True)
class ActivationUse:
    """A custom_gradient object given to a layer as its activation."""

    node: cst.BaseExpression
    activation: CustomGradient
    layer: Instance


@dataclass
class Facts:
    """All facts of one program, each kind grouped by place."""

    steps: dict[cst.CSTNode, list[OptimizerStep]] = field(default_factory=dict)
    arithmetic: dict[cst.CSTNode, list[ListArithmetic]] = field(default_factory=dict)
    reuses: dict[cst.CSTNode, list[TapeReuse | None]] = field(default_factory=dict)
    """None: the call was reached with a fresh tape."""
    activations: dict[cst.CSTNode, list[ActivationUse]] = field(default_factory=dict)
    gradient_calls: dict[cst.CSTNode, list[GradientCall]] = field(default_factory=dict)
    optimizers: dict[cst.Call, int] = field(default_factory=dict)
    """For each place that makes an optimizer, how many different steps use it."""
    saves_models: bool = False
    """Whether the program saves a model (``save``, ``save_model``, ``ModelCheckpoint``)."""
    entered: dict[cst.CSTNode, set[cst.CSTNode | None]] = field(default_factory=dict)
    """For each function, the calls that entered it."""
    names: dict[str, Value] = field(default_factory=dict)
    """What the module's names hold at its end."""

    def step_groups(self) -> Iterator[list[OptimizerStep]]:
        """The optimizer steps, grouped by call."""
        yield from self.steps.values()


__all__ = [
    "ActivationUse",
    "Facts",
    "Gradient",
    "List",
    "ListArithmetic",
    "OptimizerStep",
    "TapeReuse",
]
