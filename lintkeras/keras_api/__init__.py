"""What each release of Keras exports: data made by ``build``, loaded when it is first asked.

``keras``, ``tf.keras``, ``tf_keras`` and ``tf`` are spaces of their own: in Keras 3 the same path
may exist in one and not in the other. A look-up is a binary search; entries are read on demand.
"""

from __future__ import annotations

import bisect
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Literal

Name = Literal["keras", "tf.keras", "tf_keras", "tf"]
HOMES = {
    "Model": "models", "Sequential": "models", "Layer": "layers", "Optimizer": "optimizers",
    "Loss": "losses", "Metric": "metrics", "Initializer": "initializers",
    "Regularizer": "regularizers",
}  # fmt: skip
"""Classes that Keras also exports at its top level, and the modules that they belong to."""
_DATA = Path(__file__).parent / "data"


@dataclass(frozen=True)
class Parameter:
    """One parameter of a signature; ``default`` is its source text."""

    name: str
    kind: Literal["positional", "keyword", "*", "**"]
    default: str | None = None


@dataclass(frozen=True)
class Symbol:
    """What a path stands for in one release."""

    kind: str
    """``class``, ``function``, ``module`` or ``value``."""
    signature: str
    keywords: frozenset[str]
    """Further keywords that are accepted through ``**kwargs``."""
    closed: bool
    """Whether an unknown keyword is an error."""
    base: str
    """Of a class: the nearest public base."""
    own: tuple[str, ...]

    @cached_property
    def parameters(self) -> tuple[Parameter, ...]:
        """The signature, parameter by parameter."""
        return parameters_of(self.signature)

    @cached_property
    def members(self) -> dict[str, str]:
        """Of a class: its own members; ``(signature`` of a method, ``@`` of a property."""
        found = {}
        for text in self.own:
            end = next((i for i, c in enumerate(text) if c in "(@=~!"), len(text))
            found[text[:end]] = text[end:]
        return found

    def accepts(self, keyword: str) -> bool | None:
        """Whether a keyword may be given; None where that cannot be said."""
        named = [p for p in self.parameters if p.kind in ("positional", "keyword")]
        if keyword in self.keywords or any(p.name == keyword for p in named):
            return True
        return False if self.closed else None


class Space:
    """All releases of one namespace."""

    def __init__(self, text: str) -> None:
        head, self._payloads = text.split("\n\n", 1)
        first, *lines = head.split("\n")
        self.versions: tuple[str, ...] = tuple(first.split(" "))
        self._lines = lines
        self._positions: dict[str, int] = {}
        self._read: dict[int, Symbol] = {}

    @cached_property
    def _entries(self) -> list[str]:
        return self._payloads.split("\n")

    def history(self, path: str) -> tuple[tuple[str, int | None], ...]:
        """``(version, entry)`` for each release in which the symbol changed, oldest first."""
        place = bisect.bisect_left(self._lines, path + "\t")
        if place == len(self._lines) or not self._lines[place].startswith(path + "\t"):
            return ()
        runs = self._lines[place].partition("\t")[2].split(" ")
        pairs = [run.split(":") for run in runs]
        return tuple(
            (self.versions[int(index)], None if entry == "-" else int(entry))
            for index, entry in pairs
        )

    def symbol(self, path: str, version: str | None = None) -> Symbol | None:
        """The symbol at a path in a release (default: the newest); None where there is none."""
        found: int | None = None
        last = len(self.versions) if version is None else self.position(version) + 1
        for changed, entry in self.history(path):
            if self.versions.index(changed) < last:
                found = entry
        return None if found is None else self._symbol(found)

    def _symbol(self, number: int) -> Symbol:
        if number not in self._read:
            self._read[number] = self._entry(number)
        return self._read[number]

    def _entry(self, number: int) -> Symbol:
        kind, *fields = self._entries[number].split("\t")
        signature, keywords, closed, base, *members = [*fields, "", "", "", ""][
            : max(len(fields), 4)
        ]
        return Symbol(
            kind, signature, frozenset(keywords.split()), closed == "1", base, tuple(members)
        )

    def position(self, version: str) -> int:
        """The newest known release that is not newer than ``version``."""
        if version not in self._positions:
            wanted = _numbers(version)[:2]
            known = [index for index, v in enumerate(self.versions) if _numbers(v)[:2] <= wanted]
            self._positions[version] = known[-1] if known else 0
        return self._positions[version]

    def last_seen(self, path: str) -> str | None:
        """The newest release that still has a path; None for a path that no release has."""
        newest = None
        history = self.history(path)
        if not history:
            return None
        for (_, entry), (until, _) in zip(history, [*history[1:], ("", None)], strict=True):
            if entry is not None:
                newest = (
                    self.versions[self.versions.index(until) - 1] if until else self.versions[-1]
                )
        return newest

    def first_seen(self, path: str) -> str | None:
        """The oldest known release that has a path."""
        return next((version for version, entry in self.history(path) if entry is not None), None)

    def paths(self) -> Iterator[str]:
        """Every path that any release has, sorted."""
        return (line.partition("\t")[0] for line in self._lines)

    def names_in(self, module: str, version: str | None = None) -> list[str]:
        """The names directly in a module."""
        prefix = module + "."
        place = bisect.bisect_left(self._lines, prefix)
        found = []
        while place < len(self._lines) and self._lines[place].startswith(prefix):
            path = self._lines[place].partition("\t")[0]
            rest = path[len(prefix) :]
            if "." not in rest and self.symbol(path, version) is not None:
                found.append(rest)
            place += 1
        return found


@cache
def space(name: Name) -> Space:
    """The data of a namespace, read once."""
    return Space((_DATA / f"{name}.api").read_text(encoding="utf-8"))


@cache
def strings(name: Name) -> Space:
    """The strings that each release looks up, as ``losses.mse``, read once."""
    return Space((_DATA / f"{name}.strings").read_text(encoding="utf-8"))


@cache
def tensorflow_1() -> frozenset[str]:
    """The names of TensorFlow 1 that ``tf.compat.v1`` has, without that prefix, read once."""
    lines = (_DATA / "tf.v1").read_text(encoding="utf-8").splitlines()
    pairs = (line.split("\t") for line in lines)
    return frozenset(f"{m}.{name}".lstrip(".") for m, names in pairs for name in names.split())


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdigit())


@cache
def parameters_of(signature: str) -> tuple[Parameter, ...]:
    """The parameters of a signature as the data has it (``x,y=None``)."""
    import ast

    if not signature:
        return ()
    (function,) = ast.parse(f"def f({signature}): ...").body
    assert isinstance(function, ast.FunctionDef)
    given = function.args
    plain = [*given.posonlyargs, *given.args]
    defaults: list[ast.expr | None] = [None] * (len(plain) - len(given.defaults))
    defaults += given.defaults
    found = [
        Parameter(a.arg, "positional", None if d is None else ast.unparse(d))
        for a, d in zip(plain, defaults, strict=True)
    ]
    if given.vararg is not None:
        found.append(Parameter(given.vararg.arg, "*"))
    found += [
        Parameter(a.arg, "keyword", None if d is None else ast.unparse(d))
        for a, d in zip(given.kwonlyargs, given.kw_defaults, strict=True)
    ]
    if given.kwarg is not None:
        found.append(Parameter(given.kwarg.arg, "**"))
    return tuple(found)
