"""The arguments of functions, classes and methods, release by release.

What has become of an argument that is gone, is ignored or is read differently is in the table
``replacements/arguments.toml``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from types import MappingProxyType
from typing import Any

from lintkeras import keras_api
from lintkeras.keras_api import HOMES, Name, Symbol
from lintkeras.keras_api.releases import Place, Releases, keras_of
from lintkeras.keras_api.replacements import table
from lintkeras.target import parse

KERAS: tuple[Name, ...] = ("keras", "tf.keras", "tf_keras")
"""The namespaces whose arguments are known here."""

_KERAS_1 = "1.2.2"


@dataclass(frozen=True, slots=True)
class Callee:
    """What is called: a function, a class, or a method of one."""

    place: Place
    method: str = ""

    @property
    def name(self) -> str:
        """What a message calls it: ``Adam``, ``fit``."""
        return self.method or self.place.last

    def signature(self, releases: Releases, version: str | None = None) -> Symbol | None:
        """How it is called in a release (default: the newest that the project allows).

        None where the release has no such thing. Of a method what is behind ``**kwargs`` is not
        known, unless the table says that nothing is.
        """
        space = keras_api.space(self.place.space)
        version = version or releases.newest(self.place.space)
        found = space.symbol(self.place.path, version)
        if found is None or not self.method:
            return found if found is None or found.kind in ("class", "function") else None
        text = (releases.class_members(self.place, version) or {}).get(self.method, "")
        mark, _, signature = text.partition("(")
        if "(" not in text or mark == "!":
            return None
        closed = "**" not in signature or any(n in _closed() for n in self.names(releases))
        return Symbol("method", signature, frozenset(), closed, "", ())

    def names(self, releases: Releases, version: str | None = None) -> tuple[str, ...]:
        """Its names in the tables, those of the bases of a class behind its own."""
        bases = releases.bases(self.place, version) or (self.place.inside,)
        ends = f".{self.method}" if self.method else ""
        return tuple(dict.fromkeys(f"{_home(base)}{ends}" for base in bases))


def _home(inside: str) -> str:
    """``Layer`` is ``layers.Layer`` in the tables."""
    return f"{HOMES[inside]}.{inside}" if inside in HOMES else inside


@dataclass(frozen=True)
class Entry:
    """What has become of an argument (``old``) of some callables (``of``)."""

    of: tuple[str, ...]
    old: str
    source: str
    new: str = ""
    """The argument that has its meaning now."""
    drop: bool = False
    """Whether it can be left out, whatever its value."""
    default: str = ""
    """The value, as source, with which it could always be left out (that of old signatures too)."""
    values: Mapping[str, str] = field(default_factory=dict)
    """For values, as source, what stands there now."""
    write: Mapping[str, str] = field(default_factory=dict)
    """For values, as source, the argument to write instead."""
    refused: tuple[str, ...] = ()
    """Values, as source, that an argument which is still there does not take any more."""
    without: str = ""
    """What a string that an argument takes may not hold any more."""
    refusal: str = ""
    """What it raises then."""
    warns: str = ""
    """What Keras 3 says of it where it still takes it."""
    ignored: str = ""
    """The releases that take it and do not read it."""
    refuses: str = ""
    """Releases that do not take it, where the signature does not show that."""
    needs: str = ""
    """An argument without which the call cannot do if this one goes."""
    unsafe: bool = False
    """Whether the new call does something else than the old one did."""
    note: str = ""
    """What to do about it where that is not all."""
    rule: str = "LK605"

    def refuses_value(self, text: str) -> bool:
        """Whether a value, as source, is not taken any more."""
        held = bool(self.without) and text[:1] in ("'", '"') and self.without in text
        return text in self.refused or held

    def is_ignored(self, place: Place, version: str) -> bool:
        """Whether a release takes the argument and does nothing with it."""
        return _allows(self.ignored, place, version)

    def is_refused(self, place: Place, version: str) -> bool:
        """Whether a release does not take it, though its signature does not show that."""
        return _allows(self.refuses, place, version)


def _allows(condition: str, place: Place, version: str) -> bool:
    return bool(condition) and parse(condition).allows(keras_of(place.space, version))


@cache
def entries() -> Mapping[str, tuple[Entry, ...]]:
    """The entries of the table by what they are about."""
    return by_callable("arguments")


@cache
def by_callable(name: str) -> Mapping[str, tuple[Entry, ...]]:
    """The entries of a table of arguments by what they are about."""
    found: dict[str, list[Entry]] = {}
    for row in table(name):
        one = _entry(row)
        for of in one.of:
            found.setdefault(of, []).append(one)
    return MappingProxyType({of: tuple(ones) for of, ones in found.items()})


def _entry(row: dict[str, Any]) -> Entry:
    lists = {key: tuple(value) for key, value in row.items() if isinstance(value, list)}
    return Entry(**(row | lists))


def entry_of(
    names: tuple[str, ...], keyword: str, rows: Mapping[str, tuple[Entry, ...]] | None = None
) -> Entry | None:
    """The entry of an argument: that of the nearest class."""
    for name in names:
        for one in (entries() if rows is None else rows).get(name, ()):
            if one.old == keyword:
                return one
    return None


def is_of_files(names: tuple[str, ...], keyword: str) -> bool:
    """Whether an argument is about the format of a file: those have a table of their own."""
    return any(row["old"] == keyword and {*names} & {*row["of"]} for row in table("saving"))


@cache
def _closed() -> frozenset[str]:
    """Methods with ``**kwargs`` that refuse what they do not know."""
    return frozenset(_lists()["closed"])


def swallows(names: tuple[str, ...]) -> bool:
    """Whether a callable takes any keyword and reads none of those that it does not know."""
    return bool(names) and names[0] in _lists()["swallows"]


def is_open(names: tuple[str, ...]) -> bool:
    """Whether what a callable takes depends on how it is called."""
    return bool(names) and any(name in _lists()["open"] for name in names)


@cache
def _lists() -> Mapping[str, tuple[str, ...]]:
    return MappingProxyType(
        {
            kind: tuple(row["of"] for row in table("callables") if row["kind"] == kind)
            for kind in ("closed", "swallows", "open")
        }
    )


def keras1_signature(releases: Releases, callee: Callee) -> Symbol | None:
    """How Keras 1 took the same call; None where it had no such thing.

    ``fit`` is also what ``fit_generator`` was. A class may have had another name.
    """
    space = keras_api.space("keras")
    if not callee.method:
        rows = table("keras1_classes")
        home = _home(callee.place.inside)
        others = [row["old"] for row in rows if row["new"] == home]
        found = (space.symbol(f"keras.{one}", _KERAS_1) for one in (home, *others))
        return next((one for one in found if one is not None), None)
    if not any(name.startswith("models.Model.") for name in callee.names(releases)):
        return None
    names = {
        parameter.name
        for method in (callee.method, f"{callee.method}_generator")
        for cls in ("Model", "Sequential")
        for parameter in _keras1_method(releases, cls, method)
    }
    return Symbol("method", "", frozenset(names), False, "", ())


def _keras1_method(releases: Releases, cls: str, method: str) -> tuple[keras_api.Parameter, ...]:
    members = releases.class_members(Place("keras", f"keras.models.{cls}"), _KERAS_1) or {}
    signature = members.get(method, "").lstrip("(")
    return Symbol("method", signature, frozenset(), False, "", ()).parameters


def accepted_until(releases: Releases, callee: Callee, keyword: str) -> tuple[Place, str] | None:
    """The newest release of Keras 2 or 3 that takes a keyword, and where; None if none does."""
    for name in KERAS:
        place = Place(name, f"{name}.{callee.place.inside}")
        for version in reversed(keras_api.space(place.space).versions):
            if version.startswith("1."):
                continue
            signature = Callee(place, callee.method).signature(releases, version)
            if signature is not None and signature.accepts(keyword):
                return place, version
    return None


def old_default(releases: Releases, callee: Callee, keyword: str) -> str | None:
    """The default that an argument had when it was last one, as source."""
    for name in KERAS:
        place = Place(name, f"{name}.{callee.place.inside}")
        for version in reversed(keras_api.space(place.space).versions):
            signature = Callee(place, callee.method).signature(releases, version)
            for one in signature.parameters if signature is not None else ():
                if one.name == keyword and one.default is not None:
                    return one.default
    return None


def parameters(signature: Symbol) -> Iterator[str]:
    """The names of all keywords that a signature shows."""
    yield from (p.name for p in signature.parameters if p.kind in ("positional", "keyword"))
    yield from sorted(signature.keywords)
