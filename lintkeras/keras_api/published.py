"""Reads out of a released package where each of its public names is defined, for ``build``."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from lintkeras import keras_api
from lintkeras.keras_api.extract import Tree, star_names


def render(tree: Tree, package: keras_api.Name) -> str:
    """The data file of a package, out of the release that the API data has as its newest."""
    public = _public(tree, package)
    lines = []
    for module in sorted(_modules(tree, f"{package}.src")):
        pairs = dict(_pairs(tree, module, public))
        if pairs:
            shown = module.removeprefix(f"{package}.src")
            names = " ".join(f"{name}={path}" for name, path in sorted(pairs.items()))
            lines.append(f"{shown}\t{names}\n")
    return "".join(lines)


def _public(tree: Tree, package: keras_api.Name) -> dict[tuple[str, str], list[str]]:
    """The public paths of each definition, without the package's name."""
    found: dict[tuple[str, str], list[str]] = {}
    space = keras_api.space(package)
    for path in space.paths():
        symbol = space.symbol(path)
        module, _, name = path.rpartition(".")
        if symbol is None or symbol.kind == "module":
            continue
        defined = tree.resolve(module, name)
        if defined is not None:
            inside = path.removeprefix(f"{package}.")
            found.setdefault((defined.module, defined.name), []).append(inside)
    return found


def _modules(tree: Tree, package: str) -> Iterator[str]:
    yield package
    for name in tree.submodules(package):
        yield from _modules(tree, f"{package}.{name}")


def _pairs(
    tree: Tree, module: str, public: dict[tuple[str, str], list[str]]
) -> Iterator[tuple[str, str]]:
    """What a module defines, and of a package also what it gathers."""
    for name in dict.fromkeys(_bound(tree, module)):
        if name.startswith("_") or name == "*":
            continue
        defined = tree.resolve(module, name)
        if len(tree.bindings(module).get(name, ())) > 1 or tree.file_of(f"{module}.{name}"):
            continue  # which one it is, the run decides (that of a backend), or it is a module
        if defined is None or (defined.module != module and not tree.is_package(module)):
            continue
        paths = public.get((defined.module, defined.name), ())
        if (defined.module, defined.name) != (module, name):
            paths = [path for path in paths if path.rpartition(".")[2] == name]
        if paths:
            family = module.split(".")[2:3]
            yield name, min(paths, key=lambda path: _distance(path, name, family))


def _bound(tree: Tree, module: str) -> Iterator[str]:
    """The names that a module binds, by star imports too."""
    yield from tree.bindings(module)
    for star in tree.bindings(module).get("*", []):
        assert isinstance(star, ast.ImportFrom)
        yield from star_names(tree, tree.absolute(module, star))


def _distance(path: str, name: str, family: list[str]) -> tuple[bool, bool, int, str]:
    """How far a public path is from a private one: another name, another family, deeper."""
    parts = path.split(".")
    return parts[-1] != name, parts[:-1][:1] != family, len(parts), path
