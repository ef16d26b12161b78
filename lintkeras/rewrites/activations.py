"""Activations with a backward pass of their own, as source text.

What a layer gets is a plain function, registered for saving: the object that ``custom_gradient``
makes can be saved with a model, but not loaded again. Two forms hold, each where the other does
not reach:

- ``custom-gradient``: a factor is a custom gradient around the value of the activation, a surrogate
  derivative one around the activation itself;
- ``stop-gradient``: ``f - (stop(g) - g)``, which is exactly f forward (the difference is +0, also
  for -0; infinities are masked) and has the derivative of g. It also holds on a KerasTensor.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

Form = Literal["custom-gradient", "stop-gradient"]
LOCAL_NAMES = frozenset({"z", "y", "f", "g", "s", "zero", "grad", "args", "upstream"})
"""The names that generated functions use for themselves."""


@dataclass(frozen=True, slots=True)
class Spelling:
    """How the file writes what generated code needs.

    ``keras`` reaches Keras, ``tf`` TensorFlow. Without ``tf`` the code is for every backend: it
    uses ``keras.ops``.
    """

    keras: str
    tf: str | None
    register: str
    """The decorator that registers a function for saving."""

    @property
    def ops(self) -> str:
        """Where the operations are."""
        return self.tf or f"{self.keras}.ops"

    @property
    def isfinite(self) -> str:
        """The test for finite numbers."""
        return f"{self.tf}.math.is_finite" if self.tf else f"{self.keras}.ops.isfinite"


@dataclass(frozen=True, slots=True)
class Activation:
    """A forward pass: what it is called, and how ``f(z)`` is written (``z`` where it is nothing)."""

    label: str
    call: str

    @property
    def applied(self) -> str:
        """The value at ``z``."""
        return "z" if self.call == "" else f"{self.call}(z)"


LINEAR = Activation("linear", "")


@dataclass(frozen=True, slots=True)
class Factor:
    """A constant in front of the derivative, as it was written: a multiplier or a divisor."""

    number: float
    text: str
    divides: bool = False

    @property
    def value(self) -> float:
        """What the derivative is multiplied with."""
        return 1 / self.number if self.divides else self.number

    def applied(self, text: str) -> str:
        """The factor times (a term written as) ``text``."""
        return f"{text} / {self.text}" if self.divides else f"{self.text} * {text}"

    @property
    def described(self) -> str:
        """In words: ``2 times``, ``1/3 of``."""
        return f"1/{self.text} of" if self.divides else f"{self.text} times"

    @property
    def slug(self) -> str:
        """As a part of a name: ``times_2``, ``times_0_5``, ``over_3``."""
        number = "".join(c if c.isalnum() else "_" for c in f"{self.number:g}")
        return f"{'over' if self.divides else 'times'}_{number}"


@dataclass(frozen=True, slots=True)
class Surrogate:
    """Another function whose derivative the backward pass takes.

    ``derivative`` is what ``upstream`` becomes, ``primitive`` the function, both as templates over
    {ops}, {keras} and {slope}; ``first`` is a line that comes before.
    """

    label: str
    derivative: str
    primitive: str
    first: str = ""
    slope: str = ""

    def written(self, template: str, spelling: Spelling) -> str:
        """A template in the words of the file."""
        return template.format(
            ops=spelling.ops,
            keras=spelling.keras,
            slope=self.slope,
            leaky=f"{spelling.tf}.nn" if spelling.tf else f"{spelling.keras}.ops",
        )


SURROGATES = {
    one.label: one
    for one in (
        Surrogate("relu", "upstream * {ops}.cast(z > 0, z.dtype)", "{keras}.activations.relu(z)"),
        Surrogate("tanh", "upstream * (1 - {ops}.tanh(z) ** 2)", "{keras}.activations.tanh(z)"),
        Surrogate(
            "sigmoid", "upstream * s * (1 - s)", "{keras}.activations.sigmoid(z)",
            first="s = {ops}.sigmoid(z)",
        ),
        Surrogate("softplus", "upstream * {ops}.sigmoid(z)", "{keras}.activations.softplus(z)"),
        Surrogate("exponential", "upstream * {ops}.exp(z)", "{keras}.activations.exponential(z)"),
        Surrogate("elu", "upstream * {ops}.exp({ops}.minimum(z, 0))", "{keras}.activations.elu(z)"),
        Surrogate(
            "leaky_relu", "{ops}.where(z > 0, upstream, {slope} * upstream)",
            "{leaky}.leaky_relu(z, {slope})",
        ),
    )
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Guided:
    """Guided back-propagation: only positive upstream gradients pass, and only where z > 0."""


@dataclass(frozen=True, slots=True)
class Backward:
    """The backward pass to give: the activation's own derivative or another, times a constant."""

    factor: Factor | None = None
    shape: Surrogate | Guided | None = None


@dataclass(frozen=True, slots=True)
class Definition:
    """A function definition: its name and its text, with a final newline."""

    name: str
    source: str


def synthesize(
    forward: Activation,
    backward: Backward,
    spelling: Spelling,
    form: Form,
    names: Mapping[str, str] = MappingProxyType({}),
) -> tuple[Definition, ...]:
    """The functions that give ``forward`` the backward pass; the last one is the activation.

    ``names`` gives functions another name. Empty where the form cannot express it.
    """
    name = _name(forward, backward)
    name = names.get(name, name)
    if form == "custom-gradient":
        inner, returned = _custom_gradient(forward, backward, spelling, names)
        comment = "# a plain function: a bare custom_gradient object cannot be loaded again"
        body = f"    {comment}\n    return {returned}\n"
        return inner, Definition(name, _registered(name, forward, backward, spelling, body))
    if isinstance(backward.shape, Guided):
        return ()
    body = _stop_gradient(forward, backward, spelling)
    return (Definition(name, _registered(name, forward, backward, spelling, body)),)


def _registered(
    name: str, forward: Activation, backward: Backward, spelling: Spelling, body: str
) -> str:
    return (
        f'@{spelling.register}(package="custom")\n'
        f"def {name}(z):\n"
        f'    """Forward: {forward.label}. Backward: {_described(backward)}."""\n'
        f"{body}"
    )


def _custom_gradient(
    forward: Activation, backward: Backward, spelling: Spelling, names: Mapping[str, str]
) -> tuple[Definition, str]:
    """A function with a custom gradient, and the activation's value by it."""
    shape, factor = backward.shape, backward.factor
    if shape is None:
        assert factor is not None
        name = f"_gradient_{factor.slug}"
        name = names.get(name, name)
        inner = _decorated(name, "z", (), factor.applied("upstream"), spelling)
        return inner, f"{name}({forward.applied})"
    name = f"_{_name(forward, backward)}"
    name = names.get(name, name)
    first: tuple[str, ...] = ()
    if isinstance(shape, Guided):
        cast = f"{spelling.ops}.cast"
        passed = f"{cast}(upstream > 0, z.dtype) * {cast}(z > 0, z.dtype)"
        derivative = f"upstream * {passed}"
    else:
        derivative = shape.written(shape.derivative, spelling)
        first = (shape.written(shape.first, spelling),) if shape.first else ()
    if factor is not None:
        derivative = factor.applied(derivative)
    return _decorated(name, forward.applied, first, derivative, spelling), f"{name}(z)"


def _decorated(
    name: str, value: str, first: tuple[str, ...], derivative: str, spelling: Spelling
) -> Definition:
    if spelling.tf:
        lines = [f"@{spelling.tf}.custom_gradient", f"def {name}(z):", "    def grad(upstream):"]
    else:
        lines = [
            f"@{spelling.keras}.ops.custom_gradient",
            f"def {name}(z):",
            "    def grad(*args, upstream=None):",
            "        if upstream is None:",
            "            (upstream,) = args",
        ]
    lines += [f"        {line}" for line in first]
    lines += [f"        return {derivative}", "", f"    return {value}, grad", ""]
    return Definition(name, "\n".join(lines))


def _stop_gradient(forward: Activation, backward: Backward, spelling: Spelling) -> str:
    shape, factor, stop = backward.shape, backward.factor, f"{spelling.ops}.stop_gradient"

    def zero(of: str, difference: str) -> str:
        where = f"{spelling.ops}.where({spelling.isfinite}({of}), {difference}, 0.0)"
        return (
            f"    # 0, but with a derivative (where: an infinity stays one)\n    zero = {where}\n"
        )

    if isinstance(shape, Surrogate):
        scaled = factor.applied("zero") if factor is not None else "zero"
        return (
            f"    f = {forward.applied}\n"
            f"    g = {shape.written(shape.primitive, spelling)}\n"
            f"{zero('g', f'{stop}(g) - g')}"
            f"    return {stop}(f) - {scaled}\n"
        )
    assert factor is not None
    number = f"1 / {factor.text}" if factor.divides else factor.text
    if factor.value > 1:
        missing, difference = f"({number} - 1)", f"{stop}(y) - y"
    else:
        missing, difference = f"(1 - {number})", f"y - {stop}(y)"
    return f"    y = {forward.applied}\n{zero('y', difference)}    return y - {missing} * zero\n"


def _name(forward: Activation, backward: Backward) -> str:
    match backward.shape:
        case Guided():
            name = f"guided_{forward.label}"
        case Surrogate(label=label):
            name = f"{forward.label}_with_{label}_gradient"
        case _:
            name = f"{forward.label}_gradient"
    return f"{name}_{backward.factor.slug}" if backward.factor is not None else name


def _described(backward: Backward) -> str:
    match backward.shape:
        case Guided():
            words = "guided, positive gradients of positive units alone"
        case Surrogate(label=label):
            words = f"the derivative of {label}"
        case _:
            words = "its derivative"
    return f"{backward.factor.described} {words}" if backward.factor is not None else words
