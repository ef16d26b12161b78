"""Which backends besides TensorFlow a program shows that it runs on.

What is true of TensorFlow alone must not be said of code that is written for JAX or PyTorch.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import libcst as cst

from lintkeras.meaning.outline import dotted

Backend = Literal["jax", "torch"]

_PACKAGES: dict[str, Backend] = {
    "jax": "jax", "flax": "jax", "optax": "jax", "torch": "torch", "lightning": "torch",
}  # fmt: skip


def other_backends(nodes: Iterable[cst.CSTNode]) -> frozenset[Backend]:
    """The other backends that a program imports, chooses or asks for by name."""
    found = {backend for node in nodes if (backend := _backend_of(node)) is not None}
    return frozenset(found)


def _backend_of(node: cst.CSTNode) -> Backend | None:
    match node:
        case cst.Import(names=names):
            for alias in names:
                root = dotted(alias.name).partition(".")[0]
                if root in _PACKAGES:
                    return _PACKAGES[root]
        case cst.ImportFrom(module=cst.BaseExpression() as module, relative=()):
            return _PACKAGES.get(dotted(module).partition(".")[0])
        case cst.SimpleString():
            value = node.evaluated_value
            return _PACKAGES.get(value) if isinstance(value, str) else None
        case cst.Attribute(attr=cst.Name(value="stateless_call" | "stateless_apply")):
            return "jax"
    return None
