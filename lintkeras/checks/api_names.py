"""Names of Keras that the releases of a project do not have: moved, removed, or never there."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import libcst as cst

from lintkeras import keras_api
from lintkeras.checks.fallbacks import dotted_name, is_guarded
from lintkeras.checks.registry import Context, check
from lintkeras.checks.strings import removed_strings
from lintkeras.findings import Applicability, Edit, Finding, Fix, Note
from lintkeras.keras_api import homes
from lintkeras.keras_api.homes import Gone, Home
from lintkeras.keras_api.releases import Place, place_of
from lintkeras.keras_api.replacements import by_name
from lintkeras.meaning.facts import CallMade, SymbolUse
from lintkeras.meaning.values import Symbol, Test
from lintkeras.rewrites.moves import (
    Imported,
    Move,
    dotted_edits,
    import_path,
    moved,
)

_ROOTS = ("keras", "tf_keras", "tensorflow.keras", "tensorflow.compat.v2.keras")


@dataclass(frozen=True)
class Reach:
    """A place of Keras, and how a program asks for it.

    ``node`` is the ``from`` statement (asking for its module), a name of an import, or the
    attribute at which a dotted name leaves what there is.
    """

    node: cst.ImportFrom | cst.ImportAlias | cst.Attribute
    place: Place
    tests: tuple[Test, ...] = ()

    @property
    def is_read(self) -> bool:
        """Whether an attribute is read, which raises AttributeError."""
        return isinstance(self.node, cst.Attribute)


def reached(context: Context) -> Iterator[Reach]:
    """Everything of the public Keras that a program asks for, whatever happens."""
    for group in context.facts.groups(SymbolUse):
        use = group[0]
        path = use.symbol.path
        if any(one.symbol.path != path for one in group):
            continue
        place = place_of(path)
        if place is None or not place.inside or not _is_rooted(path, _ROOTS):
            continue
        if not context.program.owns(use.node) or is_own(context, path):
            continue
        tests = tuple(test for one in group for test in one.tests)
        yield Reach(use.node, place, tests)


def is_own(context: Context, path: str) -> bool:
    """Whether a file is part of the package that a path begins with: then it knows better."""
    return bool(context.package) and path.partition(".")[0] == context.package


def _is_rooted(path: str, roots: Sequence[str]) -> bool:
    return any(path == root or path.startswith(root + ".") for root in roots)


# ------------------------------------------------------------------ what is gone


@dataclass(frozen=True)
class Missing:
    """Something that is gone, asked for at one place, and where it is now.

    ``asked`` are the names that the place gives to the program: those of a ``from`` statement, of
    a module, or the one thing that is read.
    """

    reach: Reach
    gone: Gone
    at: cst.CSTNode
    """The code that the finding is about."""
    asked: tuple[tuple[Place, Home | None], ...]
    moves: tuple[Move, ...] = ()
    edits: tuple[Edit, ...] = ()
    """How a dotted name or an ``import`` changes."""
    wanted: str = ""
    """What these edits make of it."""

    @property
    def homes(self) -> list[Home]:
        """The homes that are known."""
        return [home for _, home in self.asked if home is not None]


class Survey:
    """What is gone of the names that a program asks for, and the moves that mend it."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.releases = context.releases
        self.reached = list(reached(context))
        self.places = {one.node: one.place for one in self.reached}

    @cached_property
    def called(self) -> frozenset[str]:
        """The paths that the program calls."""
        groups = self.context.facts.groups(CallMade)
        return frozenset(
            one.function.path for group in groups if isinstance((one := group[0]).function, Symbol)
        )

    @cached_property
    def led_through(self) -> frozenset[str]:
        """The paths that the program goes on from."""
        return frozenset(
            prefix for place in self.places.values() for prefix in _prefixes(place.path)[:-1]
        )

    @cached_property
    def imported(self) -> frozenset[str]:
        """The paths that an import loads: its own, and all that it leads through."""
        paths = {one.place.path for one in self.reached if not one.is_read}
        return frozenset(prefix for path in paths for prefix in _prefixes(path))

    def _gone(self, reach: Reach) -> Gone | None:
        """What is gone of what a place asks for, and was not missed before it."""
        place = reach.place
        if self._begins(reach):
            found = homes.gone(self.releases, place, is_module=place.path in self.led_through)
            if found is not None:
                return found
        if isinstance(reach.node, cst.Attribute) and self._is_unloaded(reach):
            return Gone(place, is_module=True, last=None)
        called = import_path(place) in self.called
        if called and homes.stub_error(self.releases, place) is not None:
            return homes.stub(self.releases, place)
        return None

    def _is_unloaded(self, reach: Reach) -> bool:
        """Whether a module is read as an attribute that only an import would find."""
        if homes.not_loaded(self.releases, reach.place) != self.releases.settle(reach.place):
            return False
        return reach.place.path not in self.imported

    def missing(self) -> Iterator[Missing]:
        """Everything that is asked for and gone, in the order of the facts."""
        for reach in self.reached:
            gone = self._gone(reach)
            if gone is None or _is_left_to_another(gone) or is_expected(self.context, reach):
                continue
            match reach.node:
                case cst.ImportFrom():
                    yield from self._statement(reach, reach.node, gone)
                case cst.Attribute():
                    yield self._read(reach, reach.node, gone)
                case _ if isinstance(self._statement_of(reach.node), cst.ImportFrom):
                    yield self._name(reach, reach.node, gone)
                case _:
                    yield self._import(reach, reach.node, gone)

    def unknown(self) -> Iterator[tuple[Reach, Place]]:
        """Everything that is asked for and was never there."""
        for reach in self.reached:
            if self._begins(reach):
                part = self.releases.missing(reach.place)
                if part is not None and not homes.is_known(part):
                    yield reach, part

    def _statement_of(self, node: cst.CSTNode) -> cst.CSTNode | None:
        return self.context.program.parent(node)

    def _begins(self, reach: Reach) -> bool:
        """Whether what is missing is missed here first, not in what this is a part of."""
        parent = reach.place.path.rpartition(".")[0]
        owner = Place(reach.place.space, parent)
        statement = self._statement_of(reach.node)
        if isinstance(reach.node, cst.Attribute) or isinstance(statement, cst.ImportFrom):
            return self.releases.missing(owner) is None
        return True

    # -------------------------------------------------------------- the ways to ask

    def _statement(self, reach: Reach, node: cst.ImportFrom, gone: Gone) -> Iterator[Missing]:
        """``from gone import names``: the names that moved together, the others one by one."""
        assert node.module is not None
        if isinstance(node.names, cst.ImportStar):
            yield self._star(reach, node, gone)
            return
        found = [(alias, self._moved(node, alias, reach.place)) for alias in node.names]
        known = [(alias, one) for alias, one in found if one.homes]
        if known:
            asked = tuple(pair for _, one in known for pair in one.asked)
            moves = tuple(move for _, one in known for move in one.moves)
            yield Missing(reach, gone, node.module, asked, moves)
        for alias, one in found:
            if not one.homes:
                yield Missing(reach, gone, alias, one.asked)

    def _name(self, reach: Reach, alias: cst.ImportAlias, gone: Gone) -> Missing:
        """``from there import gone``."""
        node = self._statement_of(alias)
        assert isinstance(node, cst.ImportFrom)
        found = self._moved(node, alias, Place(reach.place.space, _parent(reach.place)))
        return Missing(reach, gone, alias, found.asked, found.moves)

    def _moved(self, node: cst.ImportFrom, alias: cst.ImportAlias, module: Place) -> _Moved:
        """Where a name of a ``from`` import is now."""
        place = Place(module.space, f"{module.path}.{dotted_name(alias.name)}")
        local = alias.asname.name if alias.asname is not None else alias.name
        assert isinstance(local, cst.Name)
        kinds = homes.kinds(self.releases, place)
        if "module" in kinds:
            uses = self._uses(local, place)
            if uses or kinds == {"module"}:
                return self._moved_module(alias, local, place, uses)
        home = homes.home(self.releases, place)
        if home is None:
            return _Moved(((place, None),))
        name = _imported(home.place, local.value)
        moves = (Move(alias, (name,), home.safe),) if name is not None else ()
        return _Moved(((place, home),), moves)

    def _moved_module(
        self, alias: cst.ImportAlias, local: cst.Name, place: Place, uses: list[_Use] | None
    ) -> _Moved:
        """Where a module that a ``from`` import names is now: its names, as far as it is used."""
        if uses is None:
            return _Moved(((place, None),))
        asked = tuple(dict.fromkeys((use.place, use.home) for use in uses))
        if any(home is None for _, home in asked):
            return _Moved(tuple((one, home) for one, home in asked))
        safe = all(home.safe for _, home in asked if home is not None)
        names = self.context.code.names
        wanted = [(use, home.place) for use in uses if (home := use.home) is not None]
        if wanted and alias.asname is None:
            imported = [_imported(home, home.last) for _, home in wanted]
            free = not any(names.is_bound(home.last) for _, home in wanted)
            plain = [one for one in imported if one is not None]
            if free and len(plain) == len(wanted):
                edits = tuple(
                    self.context.program.replace(use.node, home.last) for use, home in wanted
                )
                return _Moved(asked, (Move(alias, tuple(dict.fromkeys(plain)), safe, edits),))
        found = self._module_home(place, [home for _, home in wanted])
        name = _imported(found.place, local.value) if found is not None else None
        if found is None or name is None:
            return _Moved(asked or ((place, None),))
        renamed = tuple(
            self.context.program.replace(use.node.attr, home.last)
            for use, home in wanted
            if use.node.attr.value != home.last
        )
        move = Move(alias, (name,), safe and found.safe, renamed)
        return _Moved(asked or ((place, found),), (move,))

    def _module_home(self, place: Place, used: Sequence[Place]) -> Home | None:
        """The one module that has all names that are used of one that is gone."""
        for found in homes.module_homes(self.releases, place):
            if all(_parent(one) == found.place.path for one in used):
                return found
        return None

    def _uses(self, local: cst.Name, place: Place) -> list[_Use] | None:
        """The names that are read of an imported module; None where it is also used otherwise."""
        code = self.context.code
        variable = code.names.variable(local)
        if variable is None or len(variable.stores) > 1 or code.names.opaque:
            return None
        uses = []
        for load in variable.loads:
            outer = self._outermost(load, place)
            if outer is None:
                return None
            uses.append(outer)
        return uses

    def _outermost(self, name: cst.CSTNode, place: Place) -> _Use | None:
        """The longest dotted name from ``name`` on that has a home, else that of a module."""
        found: _Use | None = None
        node = self.context.program.parent(name)
        while isinstance(node, cst.Attribute) and node in self.places:
            below = self.places[node]
            if not below.path.startswith(place.path + "."):
                break
            home = homes.home(self.releases, below)
            is_module = "module" in homes.kinds(self.releases, below)
            if home is not None or found is None or (found.home is None and is_module):
                found = _Use(node, below, home)
            node = self.context.program.parent(node)
        return found

    def _whole_module(self, place: Place) -> Home | None:
        """The module that has all names that the program reads of one that is gone."""
        if homes.kinds(self.releases, place) != {"module"}:
            return None
        below = [one.place for one in self.reached if one.place.path.startswith(place.path + ".")]
        wanted = [homes.home(self.releases, one) for one in below]
        used = [home.place for home in wanted if home is not None]
        return self._module_home(place, used) if len(used) == len(below) else None

    def _star(self, reach: Reach, node: cst.ImportFrom, gone: Gone) -> Missing:
        """``from gone import *``: what the program takes of it is imported by name."""
        assert node.module is not None
        names = self.context.code.names
        taken = [
            (place, homes.home(self.releases, place))
            for name in names.unbound()
            if homes.is_known(place := Place(reach.place.space, f"{reach.place.path}.{name}"))
        ]
        found = [(place, home) for place, home in taken if home is not None]
        pieces = [_imported(home.place, place.last) for place, home in found]
        listed = [one for one in pieces if one is not None]
        texts = [
            f"from {module} import " + ", ".join(n.text for n in listed if n.module == module)
            for module in dict.fromkeys(one.module for one in listed)
        ]
        home = self._module_home(reach.place, [])
        if not texts and home is not None:
            texts = [f"from {import_path(home.place)} import *"]
            found = [(reach.place, home)]
        code = self.context.code
        if not texts or (len(texts) > 1 and not code.has_own_line(node)):
            return Missing(reach, gone, node.module, tuple(found) or ((reach.place, None),))
        start = self.context.program.local_span(node)[0]
        source = code.source(node)
        indent = source[source.rfind("\n", 0, start) + 1 : start]
        edit = code.replace(node, f"\n{indent}".join(texts))
        return Missing(reach, gone, node.module, tuple(found), (), (edit,), "; ".join(texts))

    def _import(self, reach: Reach, alias: cst.ImportAlias, gone: Gone) -> Missing:
        """``import gone``, ``import gone as name``."""
        below = [
            (one.node, homes.home(self.releases, one.place))
            for one in self.reached
            if isinstance(one.node, cst.Attribute)
            and one.place.path.startswith(reach.place.path + ".")
        ]
        wanted = [home.place for _, home in below if home is not None]
        found = self._module_home(reach.place, wanted) if len(wanted) == len(below) else None
        text = import_path(found.place) if found is not None else ""
        root = dotted_name(alias.name).partition(".")[0]
        if found is None or (alias.asname is None and text.partition(".")[0] != root):
            return Missing(reach, gone, alias, ((reach.place, None),))
        renamed = [
            self.context.code.replace(node.attr, home.place.last)
            for node, home in below
            if alias.asname is not None and home is not None and node.attr.value != home.place.last
        ]
        edits = (self.context.code.replace(alias.name, text), *renamed)
        return Missing(reach, gone, alias, ((reach.place, found),), (), edits, text)

    def _read(self, reach: Reach, node: cst.Attribute, gone: Gone) -> Missing:
        """``there.gone``, and what is read of that in the same expression."""
        use = self._outermost(node, reach.place)
        whole, place = node, reach.place
        value = homes.value_of(use.place) if use is not None else None
        if use is not None and value is not None:
            found = ((use.place, Home(use.place, safe=True)),)
            edit = self.context.code.replace(use.node, value)
            return Missing(reach, gone, use.node, found, (), (edit,), value)
        home = use.home if use is not None else None
        if use is not None and (home is not None or gone.is_module):
            whole, place = use.node, use.place
        home = home or homes.home(self.releases, place) or self._whole_module(place)
        if home is None:
            return Missing(reach, gone, whole, ((place, None),))
        made = dotted_edits(self.context.code, whole, import_path(home.place))
        text, edits = made if made is not None else ("", [])
        return Missing(reach, gone, whole, ((place, home),), (), tuple(edits), text)


def _prefixes(path: str) -> list[str]:
    """A dotted path and all that it leads through, outermost first."""
    parts = path.split(".")
    return [".".join(parts[:end]) for end in range(1, len(parts) + 1)]


@dataclass(frozen=True)
class _Use:
    """A dotted name that reads something of a module, and where that is now."""

    node: cst.Attribute
    place: Place
    home: Home | None


@dataclass(frozen=True)
class _Moved:
    """What a name of an import asks for, and how it moves."""

    asked: tuple[tuple[Place, Home | None], ...]
    moves: tuple[Move, ...] = ()

    @property
    def homes(self) -> bool:
        """Whether all that is asked for has a home."""
        return all(home is not None for _, home in self.asked)


def _imported(place: Place, local: str) -> Imported | None:
    """The import of a place under a local name; None for a root, which no ``from`` imports."""
    module, _, name = import_path(place).rpartition(".")
    return Imported(module, name, local) if module else None


def _parent(place: Place) -> str:
    return parent_path(place.path)


def parent_path(path: str) -> str:
    """The path of the module that a dotted path leads through last."""
    return path.rpartition(".")[0]


def _is_left_to_another(gone: Gone) -> bool:
    """What another rule says more about: functions of the backend, a call that must be rewritten."""
    if gone.place.inside.startswith("backend."):
        return not gone.is_module
    return "rule" in by_name("symbols").get(gone.place.inside, {})


def is_expected(context: Context, reach: Reach) -> bool:
    """Whether the program knows that a name may not be there, or sets it itself."""
    if is_guarded(context, reach.node, reach.tests) or comes_guarded(context, reach.node):
        return True
    set_here = context.code.names.attribute_uses(reach.place.last)
    return any(_is_set(context, node) for node in set_here)


def comes_guarded(context: Context, node: cst.CSTNode) -> bool:
    """Whether a dotted name begins with one that is bound in several ways, for several releases."""
    while isinstance(node, cst.Attribute):
        node = node.value
    variable = context.code.names.variable(node) if isinstance(node, cst.Name) else None
    return variable is not None and any(is_guarded(context, one) for one in variable.stores)


def _is_set(context: Context, node: cst.Attribute) -> bool:
    parent = context.program.parent(node)
    match parent:
        case cst.AssignTarget():
            return True
        case cst.AnnAssign(target=target) | cst.AugAssign(target=target):
            return target is node
    return False


# ------------------------------------------------------------------ LK601, LK602


@check("LK601")
def removed_module(context: Context) -> Iterator[Finding]:
    """a module of Keras that is gone is imported or read."""
    yield from _findings(context, modules=True)


@check("LK602")
def removed_symbol(context: Context) -> Iterator[Finding]:
    """a class or function of Keras that is gone is imported or read, or named in a string."""
    yield from _findings(context, modules=False)
    yield from removed_strings(context)


def _missing(context: Context) -> list[Missing]:
    return list(context.once(Survey).missing())


def _findings(context: Context, *, modules: bool) -> Iterator[Finding]:
    found = [one for one in context.once(_missing) if one.gone.is_module == modules]
    fixes = import_fixes(context, [move for one in found for move in one.moves])
    for one in found:
        made = [fixes[move.alias] for move in one.moves if move.alias in fixes]
        if one.edits:
            made = [_fix(f"write `{one.wanted}`", one.homes, one.edits)]
        yield Finding(
            (modules and "LK601") or "LK602",
            context.program.span(one.at),
            _says(context, one),
            notes=tuple(_notes(context, one)),
            fixes=tuple(sorted(dict.fromkeys(made), key=lambda fix: fix.applicability))[:1],
        )


def import_fixes(context: Context, moves: Sequence[Move]) -> dict[cst.ImportAlias, Fix]:
    """For each name of an import the fix that moves it, together with its neighbours."""
    fixes: dict[cst.ImportAlias, Fix] = {}
    for safe in (True, False):
        for cluster, edits in moved(context.code, [one for one in moves if one.safe == safe]):
            names = [name for move in cluster for name in move.names]
            title = "; ".join(
                f"import {listed(_texts(names, module))} from `{module}`"
                for module in dict.fromkeys(name.module for name in names)
            )
            applicability = Applicability.SAFE if safe else Applicability.UNSAFE
            fix = Fix("move", title, applicability, tuple(edits))
            fixes |= {move.alias: fix for move in cluster}
    return fixes


def _texts(names: Sequence[Imported], module: str) -> list[str]:
    return list(dict.fromkeys(f"`{name.text}`" for name in names if name.module == module))


def _fix(title: str, found: Sequence[Home], edits: Sequence[Edit]) -> Fix:
    safe = all(home.safe for home in found)
    return Fix("move", title, Applicability.SAFE if safe else Applicability.UNSAFE, tuple(edits))


def listed(words: Sequence[str]) -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} and {words[-1]}"


# ------------------------------------------------------------------ what is said


def _says(context: Context, one: Missing) -> str:
    gone = one.gone
    releases = context.releases
    single = one.asked[0][0] if len(one.asked) == 1 else gone.place
    name = gone.place if gone.is_module or one.moves else single
    was = f"{_product(gone.place)} {_line(gone.last)} was the last with it" if gone.last else ""
    text = f"`{name.path}` is gone, {was}" if was else f"there is no `{name.path}`"
    if gone.raises is not None:
        text = f"`{name.path}` is an empty name since Keras 3"
    if name == gone.place and not one.homes and single != gone.place and gone.is_module:
        text += f", and `{single.last}` is nowhere else"
    text += f": {_raises(context, one.reach, gone)} in {releases.shown(gone.place)}"
    now = _now(one)
    return f"{text}; {now}" if now else text


def _product(place: Place) -> str:
    return "tf_keras" if place.space == "tf_keras" else "Keras"


def _line(version: str) -> str:
    return ".".join(version.split(".")[:2])


def _raises(context: Context, reach: Reach, gone: Gone) -> str:
    """What the release says where the name is asked for."""
    if gone.raises is not None:
        return f"calling it raises {gone.raises}"
    path = import_path(gone.place)
    parent, _, last = path.rpartition(".")
    if reach.is_read:
        module = _module_name(context, gone.place)
        said = f" (module '{module}' has no attribute '{last}')" if module else ""
        return f"AttributeError{said}"
    if isinstance(context.program.parent(reach.node), cst.ImportFrom):
        return f"ImportError (cannot import name '{last}' from '{parent}')"
    return f"ModuleNotFoundError (No module named '{path}')"


def _module_name(context: Context, gone: Place) -> str | None:
    """What the module that lacks a name calls itself; None where that is not known."""
    releases = context.releases
    settled = releases.settle(gone)
    if not releases.is_keras_3(gone):
        return None
    parent = _parent(settled)
    if settled.space == "tf.keras":
        return "keras._tf_keras." + parent.removeprefix("tf.")
    newest = releases.newest("keras")
    folder = "keras.api" if (3, 3) <= tuple(map(int, newest.split(".")))[:2] < (3, 10) else "keras"
    return folder + parent.removeprefix("keras")


def _now(one: Missing) -> str:
    """Where the names are now."""
    pairs = [(place, home.place) for place, home in one.asked if home is not None]
    if len(pairs) == 1 and pairs[0][0] == pairs[0][1]:
        return f"it is `{one.wanted}`"
    if len(pairs) == 1 and pairs[0][0] == one.gone.place and one.gone.is_module:
        return f"its names are in `{pairs[0][1].path}`"
    texts = []
    for target in dict.fromkeys(_parent(now) for _, now in pairs):
        same = [
            f"`{old.last}`" for old, now in pairs if _parent(now) == target and old.last == now.last
        ]
        if same:
            texts.append(f"{listed(same)} {'is' if len(same) == 1 else 'are'} in `{target}`")
    texts += [f"`{old.last}` is `{now.path}`" for old, now in pairs if old.last != now.last]
    return ", ".join(texts)


def _notes(context: Context, one: Missing) -> Iterator[Note]:
    lost = [place for place, home in one.asked if home is None]
    for text in dict.fromkeys(filter(None, (homes.advice(place) for place, _ in one.asked))):
        if lost or not all(home.safe for home in one.homes):
            yield Note("note", text)
    for place in lost:
        kept = [f"`{other.path}`" for other in homes.keepers(context.releases, place)]
        if kept:
            yield Note("note", f"{listed(kept)} still {'exists' if len(kept) == 1 else 'exist'}")


# ------------------------------------------------------------------ LK609

_GENERATED = (2, 13)
"""Since this release the modules of ``keras`` hold the public API and nothing else."""


@check("LK609")
def unknown_symbol(context: Context) -> Iterator[Finding]:
    """a name below ``keras`` that no known release has."""
    for reach, part in context.once(Survey).unknown():
        if not _is_certain(context, part) or is_expected(context, reach):
            continue
        near = _nearest(context, part)
        if not near and part.inside.startswith("backend."):
            continue  # Keras 1 and 2 showed there what their backends imported: K.tf, K.np
        yield Finding(
            "LK609",
            context.program.span(_place_of(reach)),
            f"there is no `{part.path}` in {context.releases.shown(part)}, nor in the API of any other "
            f"known release: {_raises(context, reach, Gone(part, False, None))}",
            notes=tuple(Note("note", f"is `{one}` meant?") for one in near),
        )


def _is_certain(context: Context, part: Place) -> bool:
    """Whether all names of the module that lacks this one are known."""
    releases = context.releases
    newest = tuple(map(int, releases.newest(releases.settle(part).space).split(".")))
    private = any(name.startswith("_") for name in part.path.split("."))
    return not private and (part.space != "keras" or newest[:2] >= _GENERATED)


def _place_of(reach: Reach) -> cst.CSTNode:
    match reach.node:
        case cst.ImportFrom(module=cst.BaseExpression() as module):
            return module
    return reach.node


def _nearest(context: Context, part: Place) -> list[str]:
    """The public name that one is nearest to, where one is near."""
    settled = context.releases.settle(part)
    space = keras_api.space(settled.space)
    names = space.names_in(_parent(settled), context.releases.newest(settled.space))
    found = difflib.get_close_matches(part.last, names, 1, 0.75)
    return [f"{_parent(part)}.{name}" for name in found]
