"""The names that TensorFlow 1 had, as ``tf.compat.v1`` of TensorFlow 2 keeps them, for ``build``."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from lintkeras.keras_api.extract import Tree

_ROOT = "tensorflow._api.v2.compat.v1"
_OTHER = frozenset({"keras", "raw_ops", "compat"})
"""Modules that have data of their own, or are too large to be named in text."""


def render(tree: Tree) -> str:
    """The data file: a line for each module, its dotted path and a tab before the names in it."""
    return "".join(f"{module}\t{' '.join(names)}\n" for module, names in _modules(tree, _ROOT, ""))


def _modules(tree: Tree, path: str, shown: str) -> Iterator[tuple[str, list[str]]]:
    below = sorted(m for m in tree.submodules(path) if not m.startswith("_") and m not in _OTHER)
    yield shown, sorted({*below, *_names(tree.parse(path))})
    for name in below:
        yield from _modules(tree, f"{path}.{name}", f"{shown}.{name}".lstrip("."))


def _names(module: ast.Module | None) -> Iterator[str]:
    for node in module.body if module is not None else ():
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                name = alias.asname or alias.name
                if not name.startswith("_") and name != "*":
                    yield name
