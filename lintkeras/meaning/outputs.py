"""What is known of a tensor that a model computes: its last activation, its shape, its layer.

``Dense(10, activation="softmax")`` gives an ``Output`` whose last activation is the softmax, over
the last axis, of which there are 10 entries. ``None`` always means: not known.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import libcst as cst

from lintkeras.meaning.values import Computed, Const, Instance, Value


@dataclass(frozen=True, slots=True)
class Shape:
    """The sizes of the axes of a tensor, the batch first; None where a size is not known.

    Where it is not ``exact``, these are the last axes only, of any number.
    """

    sizes: tuple[int | None, ...] = ()
    exact: bool = False

    @property
    def rank(self) -> int | None:
        """How many axes there are, the batch included."""
        return len(self.sizes) if self.exact else None

    @property
    def units(self) -> int | None:
        """The size of the last axis."""
        return self.sizes[-1] if self.sizes else None

    def with_units(self, units: int | None) -> Shape:
        """With another size of the last axis."""
        if not self.sizes:
            return Shape((units,))
        return replace(self, sizes=(*self.sizes[:-1], units))


ANY_SHAPE = Shape()


@dataclass(frozen=True, slots=True)
class Activation:
    """A function that was applied to the tensor.

    ``node`` is where the program says so: the argument ``activation="softmax"`` of ``layer``, the
    call that makes a ``layer`` of its own (``Softmax()``), or a call of the function.
    """

    name: str
    axis: int | None = -1
    """Of a softmax: the axis over which it is taken."""
    node: cst.CSTNode | None = field(default=None, compare=False)
    layer: Instance | None = field(default=None, compare=False)
    argument: bool = field(default=False, compare=False)
    """Whether it is an argument of a layer that does more than that."""


@dataclass(frozen=True, slots=True)
class Output:
    """What is known of one tensor.

    ``activations`` are those that were applied one right after the other, the last one last:
    empty where the values are those of a linear layer as it gives them.
    """

    activations: tuple[Activation, ...] | None = None
    shape: Shape = ANY_SHAPE
    layer: Instance | None = field(default=None, compare=False)
    """The layer with weights that computed it (``Dense(10)``), activations aside."""
    last: Instance | None = field(default=None, compare=False)
    """The layer that came last."""
    dtype: Value | None = field(default=None, compare=False)
    """The ``dtype`` of the layer that came last: as it was given, else the policy in force."""

    @property
    def activation(self) -> str | None:
        """The name of the last activation; ``linear`` where there is none."""
        if self.activations is None:
            return None
        return self.activations[-1].name if self.activations else "linear"

    @property
    def last_activation(self) -> Activation | None:
        """The last activation; None where there is none, or it is not known."""
        return self.activations[-1] if self.activations else None

    @property
    def is_softmax(self) -> bool:
        """Whether it is a softmax over the last axis."""
        if not self.activations or self.activations[-1].name != "softmax":
            return False
        axis, rank = self.activations[-1].axis, self.shape.rank
        return axis == -1 or (axis is not None and rank is not None and axis == rank - 1)

    @property
    def units(self) -> int | None:
        """The size of the last axis."""
        return self.shape.units


UNKNOWN_OUTPUT = Output()


@dataclass(frozen=True, slots=True)
class Loss:
    """A loss of Keras, by the name of its function: ``binary_crossentropy``."""

    name: str
    from_logits: bool | None = False
    """Whether it is told to expect logits."""
    axis: int | None = -1
    """The axis of the classes."""
    of_keras: bool = True
    """Whether it is one of Keras and not of TensorFlow."""
    value: Value = field(default=Const(None), compare=False)
    """As the program gives it: a string, a function, an object of a loss class."""

    @property
    def made(self) -> cst.Call | None:
        """Where the object of a loss class is made."""
        match self.value:
            case Instance(node=node) | Computed(function=Instance(node=node)):
                return node
        return None

    @property
    def binary(self) -> str:
        """The loss of its kind for a yes or no."""
        return "binary_focal_crossentropy" if "focal" in self.name else "binary_crossentropy"

    @property
    def categorical(self) -> str:
        """The loss of its kind for one class among several, with one-hot labels."""
        return self.binary.replace("binary", "categorical")

    @property
    def is_binary(self) -> bool:
        """Whether it compares each entry of the output with a yes or no of its own."""
        return self.name in _BINARY

    @property
    def is_sparse(self) -> bool:
        """Whether it wants class numbers as labels."""
        return self.name == "sparse_categorical_crossentropy"

    @property
    def is_categorical(self) -> bool:
        """Whether it wants a distribution over the last axis: one-hot labels or class numbers."""
        return self.is_sparse or self.name in _ONE_HOT

    @property
    def is_regression(self) -> bool:
        """Whether it measures the distance of numbers."""
        return self.name in _REGRESSION


_BINARY = frozenset({"binary_crossentropy", "binary_focal_crossentropy"})
_ONE_HOT = frozenset({"categorical_crossentropy", "categorical_focal_crossentropy"})
_REGRESSION = frozenset({
    "mean_squared_error", "mean_absolute_error", "mean_absolute_percentage_error",
    "mean_squared_logarithmic_error", "huber", "log_cosh",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Head:
    """One output of a model and what it is trained with, or a call of a loss on a tensor.

    ``outputs`` and ``losses`` are what they may be, where branches meet; empty where one of them is
    not known. ``metrics`` is None where they are not known.
    """

    node: cst.Call = field(compare=False)
    """``compile(...)``, ``fit(...)`` or the call of the loss."""
    outputs: tuple[Output, ...]
    losses: tuple[Loss, ...]
    loss_node: cst.BaseExpression | None = field(default=None, compare=False)
    """What the program writes for the loss of this output, where that stands in one place."""
    metrics: tuple[Value, ...] | None = None
    name: object = None
    """Which of several outputs it is: its name, or its number; None of a single one."""
    model: Value | None = field(default=None, compare=False)
    labels: Value | None = field(default=None, compare=False)
    """What the output is compared with, where it is given with it."""
