"""Branches and loops: where paths part and meet."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import libcst as cst

from lintkeras.meaning import library
from lintkeras.meaning.outline import (
    Assigned,
    is_main_guard,
    names_in_pattern,
)
from lintkeras.meaning.state import Changes, State
from lintkeras.meaning.targets import assign
from lintkeras.meaning.values import (
    ANYTHING,
    OPAQUE,
    UNKNOWN,
    Const,
    Content,
    Domain,
    Entry,
    Instance,
    List,
    Test,
    Unknown,
    Value,
    join_all,
)

if TYPE_CHECKING:
    from lintkeras.meaning.interpreter import Interpreter


@dataclass
class Loop:
    """One running loop: what it runs over and how its body was left early."""

    node: cst.CSTNode
    domain: Domain
    base: State
    exits: list[Changes] = field(default_factory=list)
    grown: set[List] = field(default_factory=set)
    """The lists that its body appends to."""


def _if(run: Interpreter, node: cst.If) -> None:
    value = run.eval(node.test)
    truth = value.value if isinstance(value, Const) else None
    taken = None if not isinstance(value, Const) else bool(truth)

    def otherwise() -> None:
        if isinstance(node.orelse, cst.If):
            _if(run, node.orelse)
        elif node.orelse is not None:
            run.suite(node.orelse.body)

    def then() -> None:
        run.suite(node.body)

    if taken is not None or is_main_guard(node.test):
        chosen = then if taken is not False else otherwise
        other = otherwise if chosen is then else then
        run.branch(other)
        changes = run.branch(chosen)
        run.merge([changes])
        return
    first = run.branch(then, Test(value, True, node.test))
    second = run.branch(otherwise, Test(value, False, node.test))
    if run.loops and (first is None) != (second is None):
        # What follows in this loop body runs under the condition of the branch that stayed.
        run.tests.append(Test(value, first is not None, node.test))
    run.merge([first, second])


def _with(run: Interpreter, node: cst.With) -> None:
    outer = run.recording
    for item in node.items:
        value = run.eval(item.item)
        library.enter_context(run, value)
        if item.asname is not None:
            assign(run, item.asname.name, value)
    run.suite(node.body)
    run.recording = outer


def _try(run: Interpreter, node: cst.Try | cst.TryStar) -> None:
    paths: list[Changes | None] = []

    def body() -> None:
        run.suite(node.body)
        if node.orelse is not None and run.alive:
            run.suite(node.orelse.body)

    main = run.branch(body)
    paths.append(main)
    for handler in node.handlers:

        def handle(handler: cst.ExceptHandler | cst.ExceptStarHandler = handler) -> None:
            if handler.name is not None:
                assign(run, handler.name.name, UNKNOWN)
            run.suite(handler.body)

        paths.append(run.branch(handle))
    run.merge(paths)
    if node.finalbody is not None:
        alive, run.alive = run.alive, True
        run.suite(node.finalbody.body)
        run.alive = run.alive and alive


def _match(run: Interpreter, node: cst.Match) -> None:
    run.eval(node.subject)
    paths: list[Changes | None] = [{}]
    for case in node.cases:

        def body(case: cst.MatchCase = case) -> None:
            for name in names_in_pattern(case.pattern):
                run.bind(name, UNKNOWN)
            if case.guard is not None:
                run.eval(case.guard)
            run.suite(case.body)

        paths.append(run.branch(body))
    run.merge(paths)


def _for(run: Interpreter, node: cst.For) -> None:
    content = run.content(run.eval(node.iter))
    entries = content.entries
    if len(entries) == 1 and entries[0].domain is not None:
        item, domain = entries[0].value, entries[0].domain
        tests = entries[0].tests
    else:
        item = join_all([entry.value for entry in entries]) if entries else UNKNOWN
        domain, tests = Domain(("loop", *run.identity(node))), ()
    if item == UNKNOWN:
        item = Unknown(("element", node))
    if domain == ANYTHING:
        domain = Domain(("loop", *run.identity(node)))

    def body() -> None:
        run.tests.extend(tests)
        assign(run, node.target, item)
        run.suite(node.body)

    _loop(run, node, domain, body)
    if node.orelse is not None and run.alive:
        run.suite(node.orelse.body)


def _while(run: Interpreter, node: cst.While) -> None:
    def body() -> None:
        run.eval(node.test)
        run.suite(node.body)

    _loop(run, node, Domain(("loop", *run.identity(node))), body)
    if node.orelse is not None and run.alive:
        run.suite(node.orelse.body)


def _loop(
    run: Interpreter, node: cst.For | cst.While, domain: Domain, body: Callable[[], None]
) -> None:
    """Evaluate a loop body once, as one of its rounds.

    What the body assigns is unknown when a round begins; a list that it appends to gets one
    entry for each member of the domain. So one evaluation stands for all rounds.
    """
    with run.overlay() as overlay:
        loop = Loop(node, domain, overlay)
        _forget_assigned(run, node)
        run.loops.append(loop)
        tests = len(run.tests)
        with run.overlay() as inner:
            loop.base = inner.below  # type: ignore[assignment]
            body()
            paths = list(loop.exits)
            if run.alive:
                paths.append(inner.cells)
        del run.tests[tests:]
        run.loops.pop()
        run.alive = True
        if paths:
            overlay.merge(paths)
        _close_lists(run, overlay, node, domain)
        changes = overlay.cells
    # A list of which each entry was visited needs no round that never ran.
    visited: Changes = {
        key: cell
        for key, cell in changes.items()
        if isinstance(cell, Content) and all(e.domain == domain for e in cell.entries)
    }
    run.state.merge([visited, changes])


def _close_lists(run: Interpreter, overlay: State, node: cst.CSTNode, domain: Domain) -> None:
    """Take out the marks that stood for the entries of earlier rounds."""
    mark = Domain(("earlier", node))
    for key, cell in list(overlay.cells.items()):
        if isinstance(cell, Content):
            entries = tuple(e for e in cell.entries if e.domain != mark)
            grown = any(e.domain == domain for e in entries)
            if len(entries) < len(cell.entries):
                before = overlay.below.find(key) if overlay.below else None
                overlay.cells[key] = (
                    Content(entries)
                    if grown
                    else (before if isinstance(before, Content) else OPAQUE)
                )


def _forget_assigned(run: Interpreter, node: cst.For | cst.While) -> None:
    assigned = run.assigned.get(node)
    if assigned is None:
        assigned = run.assigned[node] = Assigned.of(node)
    for name in assigned.names:
        target = run.scope.declared.get(name, run.scope)
        if run.state.find((target, name)) is not State.MISSING:
            run.state.cells[(target, name)] = UNKNOWN
    for owner, attribute in assigned.attributes:
        value = run.lookup(owner)
        if isinstance(value, Instance):
            run.state.cells[(value, attribute)] = UNKNOWN
    for grown in (*assigned.grown, *assigned.augmented):
        held = _peek(run, grown)
        if isinstance(held, List):
            cell = run.state.find((held, "content"))
            entries = cell.entries if isinstance(cell, Content) else OPAQUE.entries
            mark = Entry(UNKNOWN, Domain(("earlier", node)))
            run.set_content(held, Content((*entries, mark)))
        elif grown in assigned.augmented and len(grown) == 1 and held is not None:
            target = run.scope.declared.get(grown[0], run.scope)
            if run.state.find((target, grown[0])) is not State.MISSING:
                run.state.cells[(target, grown[0])] = UNKNOWN


def _peek(run: Interpreter, path: tuple[str, ...]) -> Value | None:
    """The value of ``a`` or ``a.b`` without evaluating anything."""
    value = run.lookup(path[0])
    if len(path) == 1:
        return value
    if isinstance(value, Instance):
        found = run.state.find((value, path[1]))
        return found if found is not State.MISSING else None  # type: ignore[return-value]
    return None


FLOW: dict[str, Callable[..., None]] = {
    "If": _if,
    "With": _with,
    "Try": _try,
    "TryStar": _try,
    "Match": _match,
    "For": _for,
    "While": _while,
}
