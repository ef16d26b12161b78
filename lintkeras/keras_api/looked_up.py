"""Reads out of a released package which strings its ``get`` functions look up, for ``build``.

Keras 3 has a dictionary for each family, and it is read exactly. Keras 1 and 2 look a string up
among all that a module (or a package) holds, so that what is read of them may be more than what
they take, and never less.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from lintkeras.keras_api.extract import Entry, Tree, star_names

FAMILIES = (
    "losses", "metrics", "optimizers", "activations", "initializers", "regularizers", "constraints",
)  # fmt: skip
_ALL, _TABLE = "ALL_OBJECTS", "ALL_OBJECTS_DICT"
_OTHER_HOMES = {
    "losses": ("objectives",),
    "initializers": ("initializations",),
    "activations": ("layers.activation", "layers.advanced_activations"),
}
"""Further modules in which a string is looked up, or by which a family went before."""
_FOUND = Entry("name")


def looked_up(tree: Tree, package: str) -> dict[str, Entry]:
    """The strings that a package looks up, as ``family.string``."""
    root = f"{package}.src" if tree.file_of(f"{package}.src") else package
    found: dict[str, Entry] = {}
    for family in FAMILIES:
        module = f"{root}.{family}"
        names = _of_keras_3(tree, module) or set(_of_keras_2(tree, root, family))
        if family == "optimizers":
            names = {name.lower() for name in names}  # case does not count there
        found |= {f"{family}.{name}": _FOUND for name in sorted(names)}
    return found


def snake_case(name: str) -> str:
    """The string that Keras makes of the name of a class (``keras/src/utils/naming.py``)."""
    name = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", re.sub(r"\W+", "", name))
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()


# ------------------------------------------------------------------ Keras 3


def _of_keras_3(tree: Tree, module: str) -> set[str]:
    """The keys of ``ALL_OBJECTS_DICT``, statement by statement."""
    held: list[str] = []
    keys: set[str] = set()
    parsed = tree.parse(module)
    for statement in parsed.body if parsed is not None else ():
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Set(elts=members)) if (
                name == _ALL
            ):
                held = [_defined(tree, module, one) for one in members]
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if name == _TABLE:
                keys |= set(_keys(value, held))
            case ast.Assign(
                targets=[ast.Subscript(value=ast.Name(id=name), slice=ast.Constant(value=key))]
            ) if name == _TABLE:
                keys.add(str(key))
            case ast.Expr(
                value=ast.Call(
                    func=ast.Attribute(value=ast.Name(id=name), attr="update"), args=[value]
                )
            ) if name == _TABLE:
                keys |= set(_keys(value, held))
    return keys


def _defined(tree: Tree, module: str, node: ast.expr) -> str:
    """The ``__name__`` of what a name stands for."""
    assert isinstance(node, ast.Name)
    found = tree.resolve(module, node.id)
    return found.name if found is not None else node.id


def _keys(value: ast.expr, held: list[str]) -> Iterator[str]:
    match value:
        case ast.Dict(keys=keys):
            yield from (str(key.value) for key in keys if isinstance(key, ast.Constant))
        case ast.DictComp(key=key):
            make = ast.unparse(key)
            for name in held:
                if make.startswith("to_snake_case"):
                    yield snake_case(name)
                else:
                    yield name.lower() if make.endswith(".lower()") else name


# ------------------------------------------------------------------ Keras 1 and 2


def _of_keras_2(tree: Tree, root: str, family: str) -> Iterator[str]:
    """The classes and functions that a family's module holds, and the strings of its tables."""
    for home in (family, *_OTHER_HOMES.get(family, ())):
        module = f"{root}.{home}"
        inner = [f"{module}.{name}" for name in tree.submodules(module)]
        for one in (module, *inner):
            if not one.endswith("_test"):
                yield from _held(tree, one)


def _held(tree: Tree, module: str) -> Iterator[str]:
    parsed = tree.parse(module)
    if parsed is None:
        return
    for name in {*tree.bindings(module), *star_names(tree, module)} - {"*"}:
        if name.startswith("_"):
            continue
        found = tree.resolve(module, name)
        elsewhere = any(map(_of_tensorflow, tree.bindings(module).get(name, ())))
        if elsewhere or (found is not None and found.kind in ("class", "function")):
            yield name
            yield snake_case(name)
    for node in ast.walk(parsed):
        match node:
            case ast.Dict(keys=keys):
                constants = [key.value for key in keys if isinstance(key, ast.Constant)]
            case ast.Assign(targets=[ast.Subscript(slice=ast.Constant(value=key))]):
                constants = [key]
            case _:
                continue
        yield from (text for text in constants if isinstance(text, str) and text.isidentifier())


def _of_tensorflow(node: ast.AST) -> bool:
    """``silu = tf.nn.silu``."""
    return isinstance(node, ast.Assign) and isinstance(node.value, ast.Attribute)
