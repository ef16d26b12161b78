"""The insides of Keras, imported past its public API."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import libcst as cst

from lintkeras.checks.api_names import comes_guarded, import_fixes, is_own, listed, parent_path
from lintkeras.checks.fallbacks import dotted_name, is_guarded
from lintkeras.checks.registry import Context, check
from lintkeras.findings import Applicability, Edit, Finding, Fix, Note
from lintkeras.keras_api import homes
from lintkeras.keras_api.definitions import PACKAGES, public_path
from lintkeras.keras_api.homes import Home
from lintkeras.keras_api.releases import Place, Releases, place_of
from lintkeras.meaning.facts import SymbolUse
from lintkeras.rewrites.moves import Imported, Move, dotted_edits, import_path

_COPIES = ("tensorflow.python.keras", "tensorflow_core.python.keras")
"""Keras 2 as it was when it left TensorFlow."""
_TREES = ("keras.src", "tf_keras.src")
_LISTS = {
    "keras.api": "keras",
    "keras._tf_keras.keras": "tensorflow.keras",
    "keras._tf_keras": "tensorflow",
    "tf_keras.api": "tf_keras",
}
"""Folders in which the public API is listed, and the package that shows them."""


@check("LK611")
def private_import(context: Context) -> Iterator[Finding]:
    """something of Keras is imported from where it is defined, not from where it is public."""
    found = list(_private(context))
    fixes = import_fixes(context, [move for one in found for move in one.moves])
    for one in found:
        made = [fixes[move.alias] for move in one.moves if move.alias in fixes]
        made += [one.fix] if one.fix is not None else []
        yield Finding(
            "LK611",
            context.program.span(one.at),
            _says(one),
            notes=(Note("note", _STALE if _is_copy(one.path) else _MOVES),),
            fixes=tuple(sorted(dict.fromkeys(made), key=lambda fix: fix.applicability))[:1],
        )


_STALE = (
    "TensorFlow keeps this copy of Keras 2 for its own tests: its layers, models and optimizers are "
    "other classes than those of `tf.keras`, and they do not work together"
)
_MOVES = "what is private moves from one release to the next, and nothing says so"


@dataclass(frozen=True)
class _Private:
    """A private path of Keras that a program imports or reads."""

    path: str
    at: cst.CSTNode
    names: tuple[tuple[str, Home | None], ...]
    """What is wanted of it, and where that is public."""
    moves: tuple[Move, ...] = ()
    fix: Fix | None = None


def _is_copy(path: str) -> bool:
    return _below(path, _COPIES)


def _below(path: str, roots: tuple[str, ...]) -> bool:
    return any(path == root or path.startswith(root + ".") for root in roots)


def _is_private(path: str) -> bool:
    return _below(path, (*_COPIES, *_TREES, *_LISTS))


def _private(context: Context) -> Iterator[_Private]:
    """The private paths that a program asks for: each import, and where a dotted name gets there."""
    paths: dict[cst.CSTNode, str] = {
        group[0].node: group[0].symbol.path
        for group in context.facts.groups(SymbolUse)
        if all(one.symbol.path == group[0].symbol.path for one in group)
    }
    for group in context.facts.groups(SymbolUse):
        node, path = group[0].node, paths.get(group[0].node, "")
        if not _is_private(path) or is_own(context, path) or not context.program.owns(node):
            continue
        tests = tuple(test for one in group for test in one.tests)
        if is_guarded(context, node, tests) or comes_guarded(context, node):
            continue
        statement = context.program.parent(node)
        match node:
            case cst.ImportFrom(module=cst.BaseExpression() as module):
                yield _statement(context, node, module, paths)
            case cst.ImportAlias() if isinstance(statement, cst.ImportFrom):
                if not _is_private(parent_path(path)):
                    yield _Private(path, node, ())  # ``from keras import src``
            case cst.ImportAlias():
                yield _import(context, node, paths)
            case cst.Attribute() if not _is_private(parent_path(path)):
                yield _read(context, node, paths)


def _statement(
    context: Context,
    node: cst.ImportFrom,
    module: cst.BaseExpression,
    paths: Mapping[cst.CSTNode, str],
) -> _Private:
    """``from private import names``."""
    path = paths[node]
    if isinstance(node.names, cst.ImportStar):
        return _Private(path, module, ())
    names = []
    moves = []
    for alias in node.names:
        name = dotted_name(alias.name)
        home = _home(context.releases, f"{path}.{name}", paths)
        names.append((name, home))
        move = _move(alias, home)
        moves += [move] if move is not None else []
    return _Private(path, module, tuple(names), tuple(moves))


def _import(context: Context, alias: cst.ImportAlias, paths: Mapping[cst.CSTNode, str]) -> _Private:
    """``import private``, ``import private as name``."""
    path = paths[alias]
    home = _home(context.releases, path, paths)
    if home is None or alias.asname is None:
        return _Private(path, alias, ())
    text = import_path(home.place)
    fix = _fix(text, home, [context.code.replace(alias.name, text)])
    return _Private(path, alias, ((path.rpartition(".")[2], home),), (), fix)


def _fix(text: str, home: Home, edits: list[Edit]) -> Fix:
    applicability = Applicability.SAFE if home.safe else Applicability.UNSAFE
    return Fix("move", f"write `{text}`", applicability, tuple(edits))


def _home(releases: Releases, path: str, paths: Mapping[cst.CSTNode, str]) -> Home | None:
    """Where a name is public; for a module, if all that the program takes of it is public there."""
    home = public(releases, path) or _public_module(releases, path)
    symbol = releases.symbol(home.place) if home is not None else None
    if home is None or symbol is None or symbol.kind != "module":
        return home
    depth = path.count(".") + 2
    read = [one for node, one in paths.items() if isinstance(node, cst.Attribute)]
    taken = {".".join(one.split(".")[:depth]) for one in read if one.startswith(path + ".")}
    home = Home(home.place, home.safe and bool(taken))
    for one in taken:
        inner = public(releases, one)
        if inner is None or parent_path(inner.place.path) != home.place.path:
            return None
        home = Home(home.place, home.safe and inner.safe)
    return home


def _public_module(releases: Releases, path: str) -> Home | None:
    """The public module that a module of the sources goes by."""
    for tree in _TREES:
        if path.startswith(tree + "."):
            home = _there(releases, place_of(tree.partition(".")[0] + path[len(tree) :]))
            symbol = releases.symbol(home.place) if home is not None else None
            return home if symbol is not None and symbol.kind == "module" else None
    return None


def _move(alias: cst.ImportAlias, home: Home | None) -> Move | None:
    """The import of a name from where it is public."""
    if home is None:
        return None
    module, _, name = import_path(home.place).rpartition(".")
    local = alias.asname.name if alias.asname is not None else alias.name
    return Move(alias, (Imported(module, name, dotted_name(local)),), home.safe) if module else None


def _read(context: Context, node: cst.Attribute, paths: Mapping[cst.CSTNode, str]) -> _Private:
    """``keras.src.layers.Dense``: the longest dotted name that is public elsewhere."""
    path = paths[node]
    outer: cst.CSTNode | None = node
    found: tuple[cst.Attribute, str, Home] | None = None
    while isinstance(outer, cst.Attribute) and outer in paths:
        home = public(context.releases, paths[outer])
        if home is not None:
            found = (outer, paths[outer], home)
        outer = context.program.parent(outer)
    if found is None:
        return _Private(path, node, ())
    whole, wanted, home = found
    made = dotted_edits(context.code, whole, import_path(home.place))
    fix = None
    if made is not None:
        fix = _fix(made[0], home, made[1])
    return _Private(parent_path(wanted), whole, ((whole.attr.value, home),), (), fix)


def public(releases: Releases, path: str) -> Home | None:
    """Where a thing is public that stands at a private path; None where that is not known."""
    for folder, package in _LISTS.items():
        if path.startswith(folder + "."):
            return _there(releases, place_of(package + path[len(folder) :]))
    for copy in _COPIES:
        if path.startswith(copy + "."):
            place = Place("tf.keras", "tf.keras" + path[len(copy) :])
            found = _there(releases, place) or homes.home(releases, place)
            return Home(found.place, safe=False) if found is not None else None
    shown = public_path(path)
    if shown is not None:
        return _there(releases, place_of(shown))
    package, _, inside = path.partition(".src.")
    before = place_of(f"{package}.{inside}") if package in PACKAGES and inside else None
    if before is None or homes.gone(releases, before) is None:
        return None  # the sources were not private once, and their paths known
    found = homes.home(releases, before)
    return Home(found.place, safe=False) if found is not None else None


def _there(releases: Releases, place: Place | None) -> Home | None:
    """A place as a home, if the newest allowed release has it."""
    if place is None or releases.symbol(place) is None:
        return None
    return Home(place, releases.everywhere(place))


def _says(one: _Private) -> str:
    kind = "an old copy of Keras 2 inside TensorFlow" if _is_copy(one.path) else "private"
    text = f"`{one.path}` is {kind}"
    places = [(name, home.place) for name, home in one.names if home is not None]
    said = [
        f"{listed([f'`{n}`' for n, p in places if parent_path(p.path) == module and n == p.last])}"
        f" from `{module}`"
        for module in dict.fromkeys(parent_path(p.path) for n, p in places if n == p.last)
    ]
    said += [f"`{name}` as `{place.path}`" for name, place in places if name != place.last]
    lost = [f"`{name}`" for name, home in one.names if home is None]
    if said:
        text += f": take {', '.join(said)}"
    if lost:
        text += f"; {listed(lost)} {'has' if len(lost) == 1 else 'have'} no public name"
    return text
