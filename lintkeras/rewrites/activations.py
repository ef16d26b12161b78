"""Activations with a backward pass of their own, as source text.

The function that a layer gets is a plain one, registered for saving: the object that
``tf.custom_gradient`` makes can be saved with a model, but not loaded again.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

Form = Literal["custom-gradient", "stop-gradient"]

# The derivative of each activation in closed form, readable and itself differentiable.
# {tf} is how the file at hand writes TensorFlow.
_DERIVATIVES = {
    "linear": "",
    "relu": "{tf}.cast(z > 0, z.dtype)",
    "tanh": "(1 - {tf}.tanh(z) ** 2)",
    "sigmoid": "{tf}.sigmoid(z) * (1 - {tf}.sigmoid(z))",
    "softplus": "{tf}.sigmoid(z)",
    "exponential": "{tf}.exp(z)",
    "softsign": "1 / (1 + {tf}.abs(z)) ** 2",
}
ELEMENTWISE = frozenset({
    *_DERIVATIVES, "elu", "selu", "gelu", "silu", "swish", "relu6", "hard_sigmoid", "mish",
})  # fmt: skip
"""The Keras activations that have one derivative for each unit (softmax has not)."""


@dataclass(frozen=True, slots=True)
class Backward:
    """The derivative to use: that of ``activation``, times ``factor``."""

    activation: str
    factor: str | None = None
    """Source text of a number."""


@dataclass(frozen=True, slots=True)
class Definition:
    """A function definition to insert: its name and its text, with a final newline."""

    name: str
    source: str


def synthesize(
    forward: str,
    backward: Backward,
    *,
    tf: str,
    keras: str,
    taken: Collection[str],
    form: Form = "custom-gradient",
) -> Definition | None:
    """An activation that computes ``forward`` and goes back as ``backward`` says.

    ``tf`` and ``keras`` are the expressions that reach the two libraries in the file, ``taken``
    its names. None where an activation is not elementwise.
    """
    if forward not in ELEMENTWISE or backward.activation not in ELEMENTWISE:
        return None
    name = unique_name(_name(forward, backward), taken)
    back = _describe(forward, backward)
    register = f'@{keras}.utils.register_keras_serializable(package="custom")\n'
    if form == "stop-gradient":
        body = _stop_gradient(forward, backward, tf, keras)
        source = f"{register}def {name}(z):\n    # forward: {forward}; backward: {back}\n{body}"
        return Definition(name, source)
    source = (
        f"@{tf}.custom_gradient\n"
        f"def _{name}(z):\n"
        f"    # forward: {forward}; backward: {back}\n"
        f"    def grad(upstream):\n"
        f"{_grad(backward, tf, keras)}"
        f"\n"
        f"    return {_apply(forward, tf, keras)}, grad\n"
        f"\n\n"
        f"{register}"
        f"def {name}(z):\n"
        f"    return _{name}(z)  # a plain function: a bare custom_gradient cannot be loaded\n"
    )
    return Definition(name, source)


def _apply(activation: str, tf: str, keras: str) -> str:
    return f"{tf}.identity(z)" if activation == "linear" else f"{keras}.activations.{activation}(z)"


def _grad(backward: Backward, tf: str, keras: str) -> str:
    scale = f"{backward.factor} * " if backward.factor else ""
    closed = _DERIVATIVES.get(backward.activation)
    if closed is not None:
        tail = f" * {closed.format(tf=tf)}" if closed else ""
        return f"        return {scale}upstream{tail}\n"
    return (
        f"        with {tf}.GradientTape() as tape:\n"
        f"            tape.watch(z)\n"
        f"            y = {keras}.activations.{backward.activation}(z)\n"
        f"        return {scale}tape.gradient(y, z, upstream)\n"
    )


def _stop_gradient(forward: str, backward: Backward, tf: str, keras: str) -> str:
    stop = f"{tf}.stop_gradient"
    lines = [f"y = {_apply(forward, tf, keras)}"]
    if backward.activation == forward:
        lines.append(f"return y + ({backward.factor} - 1) * (y - {stop}(y))")
    else:
        lines.append(f"g = {_apply(backward.activation, tf, keras)}")
        scale = f"{backward.factor} * " if backward.factor else ""
        lines.append(f"return {stop}(y) + {scale}(g - {stop}(g))")
    return "".join(f"    {line}\n" for line in lines)


def _name(forward: str, backward: Backward) -> str:
    if backward.activation != forward:
        return f"{forward}_with_{backward.activation}_gradient"
    factor = "".join(c if c.isalnum() else "_" for c in backward.factor or "1")
    return f"{forward}_gradient_times_{factor}"


def _describe(forward: str, backward: Backward) -> str:
    derivative = "its derivative" if backward.activation == forward else (
        f"the derivative of {backward.activation}"
    )  # fmt: skip
    return f"{backward.factor} times {derivative}" if backward.factor else derivative


def unique_name(name: str, taken: Collection[str]) -> str:
    """The name, with a number where it is taken."""
    number, unique = 2, name
    while unique in taken or f"_{unique}" in taken:
        unique, number = f"{name}_{number}", number + 1
    return unique
