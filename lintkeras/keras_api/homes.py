"""What is gone from a release, since when, and where it is now.

The data of the releases decides that a name is gone; ``replacements/symbols.toml`` and
``replacements/modules.toml`` say what stands in its place.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from lintkeras import keras_api
from lintkeras.keras_api import Name
from lintkeras.keras_api.releases import Place, Releases
from lintkeras.keras_api.replacements import by_name

_KERAS: tuple[Name, ...] = ("keras", "tf.keras", "tf_keras")


@dataclass(frozen=True)
class Gone:
    """A part of a path that the newest allowed release does not have, and older ones had.

    ``last`` is the newest older release of the same namespace that has it, if one is known;
    ``raises`` the exception, where it is not that of a name that is not there.
    """

    place: Place
    is_module: bool
    last: str | None
    raises: str | None = None


@dataclass(frozen=True)
class Home:
    """Where a name is now. ``safe``: the very same, and in every release that is allowed."""

    place: Place
    safe: bool


def gone(releases: Releases, place: Place, *, is_module: bool | None = None) -> Gone | None:
    """The first part of a path that is gone; None where all is there or nothing was there ever.

    ``is_module`` says what the program takes it for, where it has been both in its time.
    """
    part = releases.missing(place)
    if part is None or part.space not in _KERAS or not part.inside:
        return None
    found = kinds(releases, part)
    if not found:
        return None
    module = "module" in found and (found == {"module"} or is_module is not False)
    return Gone(part, module, _last(releases, part, module))


def kinds(releases: Releases, place: Place) -> set[str]:
    """What a path stood for in the releases up to the newest allowed one, by any root."""
    newest = releases.newest(place.space)
    found: set[str] = set()
    for root in _KERAS:
        space = keras_api.space(root)
        path = Place(root, root).beside(place.inside).path
        for version, entry in space.history(path):
            symbol = space.symbol(path, version) if entry is not None else None
            if symbol is not None and _numbers(version) <= _numbers(newest):
                found.add(symbol.kind)
    return found


def stub_error(releases: Releases, place: Place) -> str | None:
    """What calling a class raises that is only there to say that it is gone."""
    entry = by_name("modules").get(place.inside.rpartition(".")[0])
    symbol = releases.symbol(place)
    if entry is None or "stub" not in entry or not releases.is_keras_3(place):
        return None
    return str(entry["stub"]) if symbol is not None and symbol.kind == "class" else None


def stub(releases: Releases, place: Place) -> Gone:
    """A class that is there in name only, as something that is gone."""
    keras_2 = [v for v in keras_api.space(place.space).versions if _numbers(v) < (3,)]
    error = stub_error(releases, place)
    return Gone(place, False, keras_2[-1] if keras_2 else None, error)


def not_loaded(releases: Releases, place: Place) -> Place | None:
    """The part of a path that is there for an import, and not as an attribute."""
    if not releases.is_keras_3(place):
        return None
    for part in releases.settle(place).prefixes():
        entry = by_name("modules").get(part.inside)
        if entry is not None and entry.get("lazy") == part.space:
            return part if releases.symbol(part) is not None else None
    return None


def is_known(place: Place) -> bool:
    """Whether any known release of Keras, by any of its roots, has a path."""
    return any(
        keras_api.space(root).history(Place(root, root).beside(place.inside).path)
        for root in _KERAS
    )


def home(releases: Releases, place: Place) -> Home | None:
    """Where a name that is gone is now, in the same root or in the one that kept it."""
    return _listed(releases, place) or _in_tensorflow(releases, place)


def _listed(releases: Releases, place: Place) -> Home | None:
    """Where the tables say that it is."""
    entry = by_name("symbols").get(place.inside)
    if entry is not None:
        found = place.beside(entry["new"]) if entry["new"] else None
        if found is None or releases.symbol(found) is None:
            return None
        return Home(found, _is_safe(releases, entry, found))
    around = module_entry(place.inside.rpartition(".")[0])
    for module in around["new"] if around is not None else ():
        assert around is not None
        found = place.beside(f"{module}.{place.last}".lstrip("."))
        symbol = releases.symbol(found)
        if symbol is None:
            further = _listed(releases, found) if found.inside in by_name("symbols") else None
            if further is not None:
                return Home(further.place, further.safe and bool(around.get("safe", True)))
            if around.get("onward") and kinds(releases, found):
                return Home(found, _is_safe(releases, around, place.beside(module)))
        elif symbol.kind != "module":
            return Home(found, _is_safe(releases, around, found))
    return None


def value_of(place: Place) -> str | None:
    """The code that says the same as a constant of a class that is gone."""
    entry = by_name("symbols").get(place.inside.rpartition(".")[0])
    found = entry.get("values", {}).get(place.last) if entry is not None else None
    return found if isinstance(found, str) else None


def module_homes(releases: Releases, place: Place) -> list[Home]:
    """The modules that may have the names of one that is gone, the best one first."""
    entry = module_entry(place.inside)
    if entry is None:
        return []
    places = [place.beside(module) for module in entry["new"]]
    found = [
        Home(one, _is_safe(releases, entry, one))
        for one in places
        if (symbol := releases.symbol(one)) is not None and symbol.kind == "module"
    ]
    kept = _in_tensorflow(releases, place)
    return [*found, kept] if kept is not None else found


def module_entry(inside: str) -> dict[str, Any] | None:
    """The entry of ``modules.toml`` that speaks for a module: its own or of the nearest above."""
    while inside:
        entry = by_name("modules").get(inside)
        if entry is not None:
            return entry
        inside = inside.rpartition(".")[0]
    return None


def advice(place: Place) -> str | None:
    """What the tables say where no name stands in the place of another."""
    entry = by_name("symbols").get(place.inside) or module_entry(place.inside)
    note = entry.get("note") if entry is not None else None
    return note if isinstance(note, str) else None


def keepers(releases: Releases, place: Place) -> list[Place]:
    """The other roots of Keras whose newest release still has a path."""
    others = [
        Place(root, root).beside(place.inside)
        for root in ("tf.keras", "tf_keras")
        if root != releases.settle(place).space
    ]
    return [one for one in others if keras_api.space(one.space).symbol(one.path) is not None]


def _is_safe(releases: Releases, entry: dict[str, Any], found: Place) -> bool:
    return bool(entry.get("safe", True)) and releases.everywhere(found)


def _in_tensorflow(releases: Releases, place: Place) -> Home | None:
    """The same path below ``tf.keras``, which kept what ``keras`` dropped in Keras 3."""
    if place.space != "keras" or not releases.is_keras_3(place):
        return None
    found = Place("tf.keras", "tf.keras").beside(place.inside)
    return Home(found, safe=False) if releases.symbol(found) is not None else None


def _last(releases: Releases, place: Place, is_module: bool) -> str | None:
    """The newest release of the namespace before the allowed ones that has a path."""
    space = keras_api.space(place.space)
    newest = releases.newest(place.space)
    for version in reversed(space.versions):
        symbol = space.symbol(place.path, version)
        if _numbers(version) < _numbers(newest) and symbol is not None:
            if is_module == (symbol.kind == "module"):
                return version
    return None


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))
