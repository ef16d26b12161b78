"""Assignments that nobody reads: live names, backwards through structured code.

A name is live where some way on from there reads it before it is bound again. What is not certain
counts as read: names that a nested function, a lambda or a generator may read later, names declared
``global``, every name where one is read by its spelling (``locals``, ``eval``).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import libcst as cst

_OPAQUE = frozenset({"exec", "eval", "locals", "globals", "vars"})
_DEEPEST_LOOP = 6
Live = frozenset[str]
_Bound = frozenset[str]
_NONE: Live = frozenset()


def unread(body: cst.FunctionDef | Sequence[cst.Module]) -> frozenset[cst.Name]:
    """The targets of assignments in a function (or in the modules of a program, one behind the
    other) whose value is never read. Nested functions are not searched."""
    nodes: Sequence[cst.CSTNode] = [body.body] if isinstance(body, cst.FunctionDef) else body
    kept = _Kept.of(nodes)
    if kept.names & _OPAQUE:
        return frozenset()
    flow = _Flow(kept.names)
    live: Live = frozenset()
    for node in reversed(nodes):
        live = flow.suite(node, live)
    return frozenset(name for name, dead in flow.dead.items() if dead)


@dataclass
class _Kept:
    """The names that may be read at any time."""

    names: set[str] = field(default_factory=set)

    @staticmethod
    def of(nodes: Iterable[cst.CSTNode]) -> _Kept:
        kept = _Kept()
        stack: list[tuple[cst.CSTNode, bool]] = [(node, False) for node in nodes]
        while stack:
            node, later = stack.pop()
            later = later or isinstance(
                node, (cst.FunctionDef, cst.ClassDef, cst.Lambda, cst.GeneratorExp)
            )
            if isinstance(node, (cst.Global, cst.Nonlocal)):
                kept.names.update(item.name.value for item in node.names)
            elif isinstance(node, cst.Name) and (later or node.value in _OPAQUE):
                kept.names.add(node.value)
            stack.extend((child, later) for child in node.children)
        return kept


class _Flow:
    """One pass backwards; ``dead`` says of each target whether its value goes unread."""

    def __init__(self, kept: Iterable[str]) -> None:
        self.kept = frozenset(kept)
        self.dead: dict[cst.Name, bool] = {}
        self.raised: Live = _NONE
        """What is live where an exception is caught."""
        self.left: Live = _NONE
        """What is live where the function is left."""
        self.loops: list[tuple[Live, Live]] = []
        """For each loop: what is live behind ``break`` and behind ``continue``."""

    # -------------------------------------------------------------- statements

    def suite(self, body: cst.CSTNode, live: Live) -> Live:
        """What is live in front of a block, from what is live behind it."""
        for statement in reversed(getattr(body, "body", ())):
            if isinstance(statement, cst.SimpleStatementLine):
                for small in reversed(statement.body):
                    live = self.small(small, live) | self.raised
            elif isinstance(statement, cst.BaseSmallStatement):
                live = self.small(statement, live) | self.raised
            else:
                live = self.compound(statement, live) | self.raised
        return live

    def small(self, node: cst.CSTNode, live: Live) -> Live:
        match node:
            case cst.Assign(targets=targets, value=value):
                for target in reversed(targets):
                    live = self.bind(target.target, live)
                return live | reads(value)
            case cst.AnnAssign(target=target, value=cst.BaseExpression() as value):
                return self.bind(target, live) | reads(value)
            case cst.AugAssign(target=target, value=value):
                return self.bind(target, live) | reads(target) | reads(value)
            case cst.Return():
                return self.left | reads(node)
            case cst.Raise():
                return self.raised | reads(node)
            case cst.Break() if self.loops:
                return self.loops[-1][0]
            case cst.Continue() if self.loops:
                return self.loops[-1][1]
            case cst.Del(target=target):
                return self.bind(target, live, deleted=True)
            case cst.Import(names=names) | cst.ImportFrom(names=[*names]):
                return live - {alias.evaluated_alias or alias.evaluated_name for alias in names}
        return live | reads(node)

    def bind(self, target: cst.CSTNode, live: Live, *, deleted: bool = False) -> Live:
        """In front of a binding: its names are not live, what its other parts read is."""
        names = list(_targets(target))
        for name in names:
            if not deleted:
                self.dead[name] = name.value not in live and name.value not in self.kept
        bound = {name.value for name in names}
        return (live - bound) | _other_reads(target)

    def compound(self, node: cst.CSTNode, live: Live) -> Live:
        match node:
            case cst.If(test=test, body=body, orelse=orelse):
                other = live if orelse is None else self.branch(orelse, live)
                return reads(test) | self.suite(body, live) | other
            case cst.For(target=target, iter=iterable, body=body, orelse=orelse):
                after = live if orelse is None else self.suite(orelse.body, live)
                names = {name.value for name in _targets(target)}
                head = self.loop(body, live, after, names, _other_reads(target))
                return reads(iterable) | head
            case cst.While(test=test, body=body, orelse=orelse):
                after = live if orelse is None else self.suite(orelse.body, live)
                return self.loop(body, live, after | reads(test), set(), reads(test))
            case cst.With(items=items, body=body):
                # The manager may end the block at any time, and go on behind it.
                outer, self.raised = self.raised, self.raised | live
                live = self.suite(body, live)
                self.raised = outer
                for item in reversed(items):
                    if item.asname is not None:
                        live = self.bind(item.asname.name, live)
                    live |= reads(item.item)
                return live
            case cst.Try() | cst.TryStar():
                return self.tried(node, live)
            case cst.Match(subject=subject, cases=cases):
                found = [self.suite(case.body, live) for case in cases]
                guards = [reads(case.guard) for case in cases if case.guard is not None]
                patterns = [reads(case.pattern) for case in cases]
                return reads(subject).union(live, *found, *guards, *patterns)
            case cst.FunctionDef() | cst.ClassDef():
                return live | reads(node)
        return live | reads(node)

    def branch(self, node: cst.CSTNode, live: Live) -> Live:
        """``elif`` or ``else``."""
        return self.compound(node, live) if isinstance(node, cst.If) else self.suite(
            node.body, live  # type: ignore[attr-defined]
        )  # fmt: skip

    def loop(
        self, body: cst.CSTNode, live: Live, after: Live, targets: set[str], head: Live
    ) -> Live:
        """What is live where a loop decides whether to go round once more."""
        if len(self.loops) >= _DEEPEST_LOOP:
            return live | after | reads(body)
        again = after | head
        for _ in range(2):  # what a round needs of the round before comes with the second
            self.loops.append((live, again))
            again = after | head | (self.suite(body, again) - targets)
            self.loops.pop()
        return again

    def tried(self, node: cst.Try | cst.TryStar, live: Live) -> Live:
        outer = self.raised, self.left
        final = live
        if node.finalbody is not None:
            final = self.suite(node.finalbody.body, live | self.left | self.raised)
            self.left = self.raised = final
        handlers: list[Live] = []
        for handler in node.handlers:
            inner = self.suite(handler.body, final)
            handlers.append(inner | (reads(handler.type) if handler.type is not None else _NONE))
        self.raised = self.raised.union(*handlers, final if node.finalbody else _NONE)
        after = final if node.orelse is None else self.suite(node.orelse.body, final)
        live = self.suite(node.body, after)
        self.raised, self.left = outer
        return live | live.union(*handlers)


# ------------------------------------------------------------------ names in expressions


def reads(node: cst.CSTNode) -> Live:
    """The names that evaluating a node reads, without those that it binds for itself alone."""
    found: set[str] = set()
    stack: list[tuple[cst.CSTNode, _Bound]] = [(node, _NONE)]
    while stack:
        part, bound = stack.pop()
        match part:
            case cst.Name(value=name):
                if name not in bound:
                    found.add(name)
            case cst.Attribute(value=value) | cst.Arg(value=value):
                stack.append((value, bound))
            case cst.NamedExpr(value=value):
                stack.append((value, bound))
            case cst.Param(default=default, annotation=annotation):
                stack.extend((p, bound) for p in (default, annotation) if p is not None)
            case cst.Lambda(params=params, body=body):
                names = {p.name.value for p in _parameters(params)}
                stack += [(params, bound), (body, bound | names)]
            case cst.ListComp() | cst.SetComp() | cst.GeneratorExp() | cst.DictComp():
                stack.extend(_of_comprehension(part, bound))
            case _:
                stack.extend((child, bound) for child in part.children)
    return frozenset(found)


def _of_comprehension(
    node: cst.ListComp | cst.SetComp | cst.GeneratorExp | cst.DictComp, bound: _Bound
) -> Iterator[tuple[cst.CSTNode, _Bound]]:
    clause: cst.CompFor | None = node.for_in
    outer = bound
    while clause is not None:
        yield clause.iter, bound
        bound = bound | {name.value for name in _targets(clause.target)}
        for condition in clause.ifs:
            yield condition.test, bound
        clause = clause.inner_for_in
    parts = (node.key, node.value) if isinstance(node, cst.DictComp) else (node.elt,)
    for part in parts:
        yield part, bound
    yield node.for_in.iter, outer


def _parameters(params: cst.Parameters) -> Iterator[cst.Param]:
    yield from (*params.posonly_params, *params.params, *params.kwonly_params)
    for star in (params.star_arg, params.star_kwarg):
        if isinstance(star, cst.Param):
            yield star


def _targets(target: cst.CSTNode) -> Iterator[cst.Name]:
    """The names that a target binds."""
    match target:
        case cst.Name():
            yield target
        case cst.Tuple(elements=elements) | cst.List(elements=elements):
            for element in elements:
                yield from _targets(element.value)
        case cst.StarredElement(value=value):
            yield from _targets(value)


def _other_reads(target: cst.CSTNode) -> Live:
    """What a target reads: of ``a.b`` and ``a[i]`` the names a and i."""
    match target:
        case cst.Name():
            return _NONE
        case cst.Tuple(elements=elements) | cst.List(elements=elements):
            return _NONE.union(*(_other_reads(element.value) for element in elements))
        case cst.StarredElement(value=value):
            return _other_reads(value)
    return reads(target)
