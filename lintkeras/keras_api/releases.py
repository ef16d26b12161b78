"""The releases of Keras that a project is written for, and what they have.

A path as a program reaches it belongs to a namespace of its own: ``keras.losses.mse`` is not
``tensorflow.keras.losses.mse`` in Keras 3. What cannot be told apart is not in any of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from lintkeras import keras_api
from lintkeras.keras_api import Name, Space, Symbol
from lintkeras.target import Target, parse

_ROOTS: tuple[tuple[str, Name], ...] = (
    ("tensorflow.compat.v2.keras", "tf.keras"),
    ("tensorflow.keras", "tf.keras"),
    ("tensorflow.losses", "tf.keras"),
    ("tensorflow.metrics", "tf.keras"),
    ("tensorflow.optimizers", "tf.keras"),
    ("tensorflow.initializers", "tf.keras"),
    ("tensorflow.compat.v2", "tf"),
    ("tensorflow", "tf"),
    ("tf_keras", "tf_keras"),
    ("keras", "keras"),
)
_PRIVATE = ("tensorflow.python", "tensorflow.compat.v1", "tensorflow.core", "tensorflow._api",
            "keras.src", "keras.api", "keras._tf_keras", "tf_keras.src", "tf_keras.api")  # fmt: skip
"""No public namespace, or one of which nothing is known here."""
_LAZY = frozenset({"losses", "metrics", "optimizers", "initializers"})
KERAS_2_TENSORFLOW = (2, 15)
"""The last TensorFlow that brings Keras 2."""


@dataclass(frozen=True)
class Place:
    """A path of a public namespace, as its data spells it (``tf.keras.layers.Dense``)."""

    space: Name
    path: str

    @property
    def inside(self) -> str:
        """The path inside Keras: ``layers.Dense``."""
        return self.path[len(self.space) :].removeprefix(".")

    @property
    def last(self) -> str:
        """The name itself."""
        return self.path.rpartition(".")[2]

    def beside(self, inside: str) -> Place:
        """Another path of the same namespace."""
        return Place(self.space, f"{self.space}.{inside}" if inside else self.space)

    def prefixes(self) -> Iterator[Place]:
        """The place itself and all that it is reached through, outermost first."""
        parts = self.path.split(".")
        for end in range(self.space.count(".") + 1, len(parts) + 1):
            yield Place(self.space, ".".join(parts[:end]))


def place_of(path: str) -> Place | None:
    """Where the dotted path of an import belongs; None where that is no public namespace."""
    if any(path == one or path.startswith(one + ".") for one in _PRIVATE):
        return None
    for root, space in _ROOTS:
        if path == root or path.startswith(root + "."):
            rest = path[len(root) :]
            family = root.rpartition(".")[2]
            return Place(space, space + ("." + family if family in _LAZY else "") + rest)
    return None


@dataclass(frozen=True)
class Releases:
    """The releases that a project allows, in each namespace.

    ``target`` is the text of ``target-keras`` (None: the newest); with ``legacy`` (the variable
    TF_USE_LEGACY_KERAS) ``tf.keras`` is the Keras 2 of the package tf_keras.
    """

    target: str | None = None
    legacy: bool = False

    @cached_property
    def _target(self) -> Target | None:
        return parse(self.target) if self.target is not None else None

    def allowed(self, name: Name) -> tuple[str, ...]:
        """The known releases of a namespace that the project allows, oldest first; never empty."""
        space = keras_api.space(name)
        if self._target is None or name == "tf_keras":
            return space.versions[-1:]
        lines = [version for version in space.versions if self._allows(name, version)]
        return tuple(lines) or self._nearest(space, name)

    def _allows(self, name: Name, version: str) -> bool:
        assert self._target is not None
        if name == "tf" and keras_of(name, version)[0] >= 3:  # with any Keras 3
            return keras_of("keras", self.newest("keras"))[0] >= 3
        return self._target.allows(keras_of(name, version))

    def _nearest(self, space: Space, name: Name) -> tuple[str, ...]:
        """The newest release that is older than all that is allowed, else the oldest."""
        assert self._target is not None
        least = min(bound for _, bound in self._target.conditions)
        older = [v for v in space.versions if keras_of(name, v)[: len(least)] <= least]
        return (older[-1],) if older else space.versions[:1]

    def newest(self, name: Name) -> str:
        """The newest allowed release: what an installation without a lock gets."""
        return self.allowed(name)[-1]

    def settle(self, place: Place) -> Place:
        """The place where the program finds it: with ``legacy``, ``tf.keras`` is ``tf_keras``."""
        if self.legacy and place.space == "tf.keras":
            return Place("tf_keras", "tf_keras" + place.path[len("tf.keras") :])
        return place

    def symbol(self, place: Place) -> Symbol | None:
        """What stands at a place in the newest allowed release."""
        place = self.settle(place)
        return keras_api.space(place.space).symbol(place.path, self.newest(place.space))

    def known(self, place: Place) -> tuple[str, ...]:
        """All known releases of the namespace up to the newest allowed one, oldest first."""
        place = self.settle(place)
        versions = keras_api.space(place.space).versions
        return versions[: versions.index(self.newest(place.space)) + 1]

    def since(self, place: Place, release: str) -> bool:
        """Whether all allowed releases of the namespace are of a release line or later."""
        least = tuple(map(int, release.split(".")))
        oldest = self.allowed(self.settle(place).space)[0]
        return tuple(map(int, oldest.split(".")))[: len(least)] >= least

    def everywhere(self, place: Place) -> bool:
        """Whether every allowed release has it."""
        place = self.settle(place)
        space = keras_api.space(place.space)
        return all(space.symbol(place.path, v) is not None for v in self.allowed(place.space))

    def shown(self, place: Place) -> str:
        """The release that a message speaks of: ``Keras 3.15``, ``TensorFlow 2.21``."""
        place = self.settle(place)
        version = ".".join(self.newest(place.space).split(".")[:2])
        product = {"tf": "TensorFlow", "tf_keras": "tf_keras"}.get(place.space, "Keras")
        return f"{product} {version}"

    def is_keras_3(self, place: Place) -> bool:
        """Whether the newest allowed release of the namespace is Keras 3."""
        place = self.settle(place)
        if place.space == "tf_keras":
            return False
        return keras_of(place.space, self.newest(place.space))[0] >= 3

    def release_of(self, place: Place) -> tuple[int, ...]:
        """The Keras of the newest allowed release of a namespace, as numbers."""
        place = self.settle(place)
        return keras_of(place.space, self.newest(place.space))

    def only_keras_3(self) -> bool:
        """Whether every allowed release is Keras 3."""
        return all(keras_of("keras", version)[0] >= 3 for version in self.allowed("keras"))

    def missing(self, place: Place) -> Place | None:
        """The first part of a path that the newest allowed release does not have.

        None where all is there, and below what is no module: members of classes are not paths.
        """
        settled = self.settle(place)
        for part in settled.prefixes():
            found = self.symbol(part)
            if found is None:
                return part
            if found.kind != "module":
                return None
        return None

    def class_members(self, place: Place, version: str | None = None) -> dict[str, str] | None:
        """All members of a public class, inherited ones too; None where it is no such class."""
        place = self.settle(place)
        space = keras_api.space(place.space)
        found = space.symbol(place.path, version or self.newest(place.space))
        if found is None or found.kind != "class":
            return None
        members = dict(found.members)
        seen = {place.path}
        while found is not None and found.base and found.base not in seen:
            seen.add(found.base)
            found = space.symbol(found.base, version or self.newest(place.space))
            for name, text in (found.members if found is not None else {}).items():
                members.setdefault(name, text)
        return members

    def bases(self, place: Place, version: str | None = None) -> tuple[str, ...]:
        """The public classes that a class inherits from, itself first, as paths inside Keras."""
        place = self.settle(place)
        space = keras_api.space(place.space)
        path, found = place.path, []
        while path and path not in found:
            found.append(path)
            symbol = space.symbol(path, version or self.newest(place.space))
            path = symbol.base if symbol is not None else ""
        return tuple(one[len(place.space) + 1 :] for one in found)


def keras_of(name: Name, version: str) -> tuple[int, ...]:
    """The Keras of a release: for TensorFlow, the one that it brings."""
    numbers = tuple(int(part) for part in version.split(".") if part.isdigit())
    if name == "tf" and numbers[:2] > KERAS_2_TENSORFLOW:
        return (3, 99, 99)
    return (*numbers[:2], 99)
