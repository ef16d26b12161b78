"""How a check is registered, and what it may ask."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property, partial
from types import MappingProxyType
from typing import Any, ParamSpec, TypeVar

import libcst as cst

from lintkeras.documents.model import Prose
from lintkeras.findings import Finding, Fix, Related
from lintkeras.keras_api.releases import Releases
from lintkeras.meaning.facts import Facts
from lintkeras.modules import ProjectModules
from lintkeras.rewrites.code import Code
from lintkeras.syntax.program import ForeignNode, Program

P = ParamSpec("P")
T = TypeVar("T")
_TRUE = ("1", "true", "True")
"""What TensorFlow takes for a yes in TF_USE_LEGACY_KERAS (util/lazy_loader.py)."""


@dataclass(frozen=True)
class Context:
    """What a check may ask: the program, the prose around it, the facts.

    ``target`` is the Keras version that the project targets, None for the newest.
    """

    program: Program
    prose: tuple[Prose, ...]
    facts: Facts
    target: str | None = None
    modules: ProjectModules = field(default_factory=ProjectModules, compare=False, repr=False)
    """Finds the other files of the project."""
    _found: dict[object, Any] = field(default_factory=dict, compare=False, repr=False)

    def once(self, make: Callable[[Context], T]) -> T:
        """What ``make`` finds in the program, made once for all the checks that ask."""
        if make not in self._found:
            self._found[make] = make(self)
        return self._found[make]  # type: ignore[no-any-return]

    @cached_property
    def package(self) -> str:
        """The outermost package that the file is part of; empty where it is in none."""
        return self.modules.package(self.program.document.path)

    @cached_property
    def code(self) -> Code:
        """The program as fixes see it."""
        return Code(self.program, self.facts, self.target)

    @cached_property
    def releases(self) -> Releases:
        """The releases of Keras that the program is written for, and what they have."""
        return Releases(self.target, legacy=self.facts.sets("TF_USE_LEGACY_KERAS", *_TRUE))

    def related(self, *places: tuple[cst.CSTNode, str]) -> tuple[Related, ...]:
        """The places that stand in this file (others may be in a file that was followed)."""
        return tuple(
            Related(self.program.span(node), label)
            for node, label in places
            if self.program.owns(node)
        )

    def fixes(
        self, make: Callable[P, Iterable[Fix]], *arguments: P.args, **options: P.kwargs
    ) -> tuple[Fix, ...]:
        """The fixes that ``make(...)`` gives; none where they would have to change another file."""
        try:
            return tuple(make(*arguments, **options))
        except ForeignNode:
            return ()


Check = Callable[[Context], Iterator[Finding]]
Checks = Callable[[Context, str], Iterator[Finding]]


def check(code: str) -> Callable[[Check], Check]:
    """Register a function as the check of the rule ``code``."""

    def register(function: Check) -> Check:
        function.code = code  # type: ignore[attr-defined]
        return function

    return register


def checks_of(codes: Iterable[str]) -> Callable[[Checks], Checks]:
    """Register a function as the check of several rules; it is told of which it is asked."""

    def register(function: Checks) -> Checks:
        function.codes = tuple(codes)  # type: ignore[attr-defined]
        return function

    return register


@cache
def checks() -> Mapping[str, Check]:
    """Every check of the modules beside this one, by code."""
    import lintkeras.checks

    found: dict[str, Check] = {}
    for module in pkgutil.iter_modules(lintkeras.checks.__path__, "lintkeras.checks."):
        for value in vars(importlib.import_module(module.name)).values():
            if not callable(value) or getattr(value, "__module__", None) != module.name:
                continue
            code = getattr(value, "code", None)
            several: tuple[str, ...] = getattr(value, "codes", ())
            own = {code: value} if isinstance(code, str) else {}
            for one, function in (*own.items(), *((c, partial(value, code=c)) for c in several)):
                if one in found:
                    raise ValueError(f"two checks for {one}")
                found[one] = function
    return MappingProxyType(dict(sorted(found.items())))
