"""Loops: one evaluation of the body that stands for all rounds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import libcst as cst

from lintkeras.meaning import objects
from lintkeras.meaning.outline import Assigned
from lintkeras.meaning.state import Cell, Changes, Key, State, lost
from lintkeras.meaning.values import (
    LOST,
    OPAQUE,
    UNKNOWN,
    Content,
    Dict,
    Domain,
    Entry,
    Instance,
    Items,
    List,
    Unknown,
    Value,
)

if TYPE_CHECKING:
    from lintkeras.meaning.interpreter import Interpreter


@dataclass
class Loop:
    """One running loop: what it runs over and how its body was left early."""

    node: cst.CSTNode
    domain: Domain
    base: State
    breaks: list[Changes] = field(default_factory=list)
    continues: list[Changes] = field(default_factory=list)
    grown: set[List] = field(default_factory=set)
    """The lists that its body appends to."""
    changed: set[List] = field(default_factory=set)
    """The lists that its body changes, other than item by item (``xs[i] = ...``)."""
    rewritten: set[List] = field(default_factory=set)
    """The lists that it changes item by item: so far some items are old and some are new."""


_MOST_ATTEMPTS = 8


def rounds(
    run: Interpreter,
    node: cst.CSTNode,
    domain: Domain,
    body: Callable[[], None],
    ended: Callable[[], None] | None = None,
    *,
    certain: bool = False,
    endless: Callable[[], bool] = lambda: False,
) -> None:
    """Evaluate a loop body once, as one of its rounds.

    What the body changes is unknown when a round begins; a list that it appends to gets one entry
    for each member of the domain. So one evaluation stands for all rounds. What is changed is read
    from the syntax; where the evaluation shows more (a helper changed it), it is repeated.
    ``certain``: at least one round runs. ``endless``: only ``break`` leaves the loop. ``ended`` is
    what runs where no ``break`` left it.
    """
    unstable = run.unstable.setdefault(node, {})
    returned = len(run.frames[-1].returns)
    mark = run.facts.mark()
    for attempt in range(_MOST_ATTEMPTS + 1):
        start, loop, end = _round(run, node, domain, body, unstable)
        changed = {
            key
            for changes in (*loop.breaks, *loop.continues, end or {})
            for key, cell in changes.items()
            if differs(start, key, cell)
            and (key not in unstable or (unstable[key] and key[0] in loop.changed))
        }
        if not changed:
            break
        for key in changed:
            unstable[key] = isinstance(key[0], List) and key[0] not in loop.changed
        if attempt == _MOST_ATTEMPTS:
            run.lose_everything()
        else:
            del run.frames[-1].returns[returned:]
            run.facts.rollback(mark)
    ends = [*loop.continues, *([end] if end is not None else [])]
    normal = _after(run, start, ends, loop, whole=True)
    broken = _after(run, start, loop.breaks, loop, whole=False)
    # A list of which each entry was visited needs no round that never ran.
    visited: Changes = {
        key: cell
        for key, cell in (normal or {}).items()
        if isinstance(cell, Content) and all(e.domain == domain for e in cell.entries)
    }
    skipped = None if certain and normal is not None else visited
    if endless():
        normal = skipped = None
    if ended is None:
        run.merge([skipped, normal, broken])
        return
    unbroken = ended

    def behind() -> None:
        run.merge([skipped, normal])
        if run.alive:
            unbroken()

    run.merge([run.branch(behind), broken])


def _round(
    run: Interpreter,
    node: cst.CSTNode,
    domain: Domain,
    body: Callable[[], None],
    unstable: dict[Key, bool],
) -> tuple[State, Loop, Changes | None]:
    """One evaluation of the body: the state it started from, its exits, its end."""
    with run.overlay() as start:
        if isinstance(node, (cst.For, cst.While)):
            _forget_assigned(run, node)
        loop = Loop(node, domain, start)
        for key, item_by_item in unstable.items():
            if item_by_item:
                loop.rewritten.add(key[0])  # type: ignore[arg-type]
            else:
                _lose(run, key, node)
        run.loops.append(loop)
        run.loop_nodes.append(node)
        tests = len(run.tests)
        with run.overlay() as inner:
            body()
            end = inner.cells if run.alive else None
        del run.tests[tests:]
        run.loops.pop()
        run.loop_nodes.pop()
        run.alive = True
    return start, loop, end


def differs(start: State, key: Key, cell: Cell) -> bool:
    """Whether a cell differs from what was known there before."""
    before = start.before(key)
    if key[1] == objects.MADE:
        return False
    if before is State.MISSING:
        return objects.is_new_attribute(start, key)
    if before is None or isinstance(before, (cst.CSTNode, Unknown)):
        return False
    if isinstance(before, Content):
        marked = any(
            e.domain is not None and e.domain.identity[0] == "earlier" for e in before.entries
        )
        return before != cell and before != OPAQUE and not marked
    return before != cell and before != LOST


def _lose(run: Interpreter, key: Key, node: cst.CSTNode) -> None:
    """Make unknown what an earlier round may have changed; a list may just have grown."""
    cell = run.state.find(key)
    if cell is State.MISSING:
        cell = run.state.inherited(key)
    if isinstance(cell, Content) and isinstance(key[0], List):
        mark = Entry(UNKNOWN, Domain(("earlier", node)))
        run.write(key, Content((*cell.entries, mark)))
    elif isinstance(cell, Content):
        run.write(key, OPAQUE)
    elif isinstance(cell, Items):
        run.write(key, cell.lost())
    elif cell is State.MISSING:
        if objects.is_new_attribute(run.state, key):
            objects.keep(run, key[0], str(key[1]), UNKNOWN)  # type: ignore[arg-type]
    elif cell is not None and not isinstance(cell, cst.CSTNode):
        run.write(key, lost(cell))  # type: ignore[arg-type]


def _after(
    run: Interpreter, start: State, paths: list[Changes], loop: Loop, *, whole: bool
) -> Changes | None:
    """What holds behind a loop that ended in one of these ways, after all its rounds or not."""
    if not paths:
        return None
    run.steps += sum(map(len, paths))
    merged = State(start)
    merged.merge(paths)
    cells = {**start.cells, **merged.cells}
    return {
        key: _closed(cell, loop, whole) if isinstance(cell, Content) else cell
        for key, cell in cells.items()
    }


def _closed(content: Content, loop: Loop, whole: bool) -> Content:
    """A list behind the loop: what was appended in a round was appended in each."""
    mark, current = Domain(("earlier", loop.node)), Domain(("round", loop.domain))
    grown = any(entry.domain == current for entry in content.entries)
    if not grown and all(entry.domain != mark for entry in content.entries):
        return content
    if not grown or not whole:
        return OPAQUE
    return Content(tuple(
        Entry(e.value, loop.domain, e.tests) if e.domain == current else e
        for e in content.entries
        if e.domain != mark
    ))  # fmt: skip


def _forget_assigned(run: Interpreter, node: cst.For | cst.While) -> None:
    assigned = run.assigned.get(node)
    if assigned is None:
        assigned = run.assigned[node] = Assigned.of(node)
    for name in assigned.names:
        target = run.scope_of(name)
        held = run.state.find((target, name))
        if held is not State.MISSING:
            if name in assigned.used and isinstance(held, (List, Dict, Instance)):
                run.forget(held)  # in later rounds the name may mean another thing
            run.write((target, name), lost(held))  # type: ignore[arg-type]
    for owner, attribute in assigned.attributes:
        value = run.lookup(owner)
        if isinstance(value, Instance):
            objects.keep(run, value, attribute, UNKNOWN)
    for grown in (*assigned.grown, *assigned.augmented):
        held = _peek(run, grown)
        if isinstance(held, List):
            cell = run.state.find((held, "content"))
            entries = cell.entries if isinstance(cell, Content) else OPAQUE.entries
            mark = Entry(UNKNOWN, Domain(("earlier", node)))
            run.set_content(held, Content((*entries, mark)))
        elif grown in assigned.augmented and len(grown) == 1 and held is not None:
            target = run.scope_of(grown[0])
            if run.state.find((target, grown[0])) is not State.MISSING:
                run.write((target, grown[0]), UNKNOWN)


def _peek(run: Interpreter, path: tuple[str, ...]) -> Value | None:
    """The value of ``a`` or ``a.b`` without evaluating anything."""
    value = run.lookup(path[0])
    if len(path) == 1:
        return value
    if isinstance(value, Instance):
        found = run.state.find((value, path[1]))
        return found if found is not State.MISSING else None  # type: ignore[return-value]
    return None
