"""Branches and loops: where paths part and meet."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import libcst as cst

from lintkeras.meaning import library, special
from lintkeras.meaning.loops import rounds
from lintkeras.meaning.outline import (
    is_main_guard,
    leaves_early,
    may_change,
    names_in_pattern,
)
from lintkeras.meaning.state import Changes, Journal, join_cells
from lintkeras.meaning.targets import assign
from lintkeras.meaning.values import (
    ANYTHING,
    UNKNOWN,
    Const,
    Domain,
    Tape,
    Test,
    Unknown,
    Value,
    any_of,
    join_all,
    lost_track,
)

if TYPE_CHECKING:
    from lintkeras.meaning.interpreter import Interpreter


def _if(run: Interpreter, node: cst.If) -> None:
    """``if``, its ``elif`` and ``else``: each test holds where all before it do not."""
    paths: list[Changes | None] = []
    tests = len(run.tests)
    branch: cst.If | cst.Else | None = node
    with run.overlay() as chain:
        while isinstance(branch, cst.If):
            value = run.eval(branch.test)
            taken = bool(value.value) if isinstance(value, Const) else None
            body = branch.body
            if taken is False:
                run.aside(lambda body=body: run.suite(body))  # type: ignore[misc]
            else:
                then = run.branch(
                    lambda body=body: run.suite(body),  # type: ignore[misc]
                    None if taken else Test(value, True, branch.test),
                )
                paths.append(None if then is None else {**chain.cells, **then})
                if taken or is_main_guard(branch.test):
                    _aside(run, branch.orelse)
                    break
                run.tests.append(Test(value, False, branch.test))
            branch = branch.orelse
        else:
            paths.append(_otherwise(run, branch, dict(chain.cells)))
    negative = run.tests[tests:]
    del run.tests[tests:]
    precise = None
    if len(paths) == 2 and len(negative) == 1:
        (test,) = negative
        precise = test if paths[0] is None else Test(test.value, True, test.node)
    narrow(run, node, paths, precise)
    run.merge(paths)


def _otherwise(run: Interpreter, orelse: cst.Else | None, before: Changes) -> Changes | None:
    """The path on which no test of a chain holds."""
    if orelse is None:
        return before
    changes = run.branch(lambda: run.suite(orelse.body))
    return None if changes is None else {**before, **changes}


def _aside(run: Interpreter, rest: cst.If | cst.Else | None) -> None:
    """Look at what is not reached, for what it shows."""
    if isinstance(rest, cst.If):
        run.aside(lambda: _if(run, rest))
    elif rest is not None:
        run.aside(lambda: run.suite(rest.body))


def narrow(
    run: Interpreter, node: cst.CSTNode, paths: list[Changes | None], precise: Test | None = None
) -> None:
    """What follows in a loop body runs under the condition that a path stayed in it."""
    if (
        run.loops
        and any(path is None for path in paths)
        and any(path is not None for path in paths)
    ):
        unknown = Test(Unknown(("path", *run.identity(node))), True, node)
        run.tests.append(precise or unknown)


def _with(run: Interpreter, node: cst.With) -> None:
    """The body; behind a context manager that nobody knows it may have stopped anywhere."""
    outer = run.recording
    managers: list[Value] = []
    for item in node.items:
        manager = run.eval(item.item)
        managers.append(manager)
        library.enter_context(run, manager)
        entered = special.call(run, manager, "enter", (), item)
        if entered is None:
            entered = manager if isinstance(manager, Tape) else UNKNOWN
        if item.asname is not None:
            assign(run, item.asname.name, entered)
    if all(map(library.lets_errors_pass, managers)):
        run.suite(node.body)
    else:
        with run.journal() as journal:
            whole = run.branch(lambda: run.suite(node.body))
        run.merge([whole, run.partly(journal)])
    run.recording = outer
    for manager in reversed(managers):
        special.call(run, manager, "exit", (UNKNOWN, UNKNOWN, UNKNOWN), node)


def _try(run: Interpreter, node: cst.Try | cst.TryStar) -> None:
    """A handler starts from any point of the body; so does ``finally`` where no path is left."""
    frame, loop = run.frames[-1], run.loops[-1] if run.loops else None
    exits: list[list[Any]] = [frame.returns]
    exits += [loop.breaks, loop.continues] if loop is not None else []
    earlier = [len(one) for one in exits]
    started: Journal = {}

    def body() -> None:
        with run.journal() as journal:
            run.suite(node.body)
        started.update(journal)
        if node.orelse is not None and run.alive:
            run.suite(node.orelse.body)

    def handle(handler: cst.ExceptHandler | cst.ExceptStarHandler) -> None:
        run.state.cells.update(run.partly(started))
        if handler.type is not None:
            run.eval(handler.type)
        if handler.name is not None:
            assign(run, handler.name.name, UNKNOWN)
        run.suite(handler.body)

    with run.journal() as everything:
        paths = [run.branch(body)]
        paths += [run.branch(lambda h=handler: handle(h)) for handler in node.handlers]  # type: ignore[misc]
    narrow(run, node, paths)
    run.merge(paths)
    if node.finalbody is None:
        return
    alive, run.alive = run.alive, True
    if not alive:
        run.state.cells.update(run.partly(everything))
    with run.journal() as final:
        run.suite(node.finalbody.body)
    run.alive = run.alive and alive
    for one, count in zip(exits, earlier, strict=True):
        for left in one[count:]:
            changes = left[1] if isinstance(left, tuple) else left
            for key, cell in final.items():
                before = changes.get(key, run.state.find(key))
                changes[key] = join_cells([before, cell])


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
    narrow(run, node, paths)
    run.merge(paths)


def _for(run: Interpreter, node: cst.For) -> None:
    iterated = run.eval(node.iter)
    content = run.iterate(iterated)
    reads = run.reads(iterated)
    plain = content.plain()
    if plain is not None and run.may_unroll(len(plain)) and not leaves_early(node.body):
        run.loop_nodes.append(node)
        with run.unrolled(len(plain)):
            for number, value in enumerate(plain):
                with run.inside(node, number):
                    if run.alive and run.unchanged(reads, number):
                        assign(run, node.target, value)
                        run.suite(node.body)
        run.loop_nodes.pop()
        if not run.alive:
            return
        if run.unchanged(reads, len(plain)):
            if node.orelse is not None:
                run.suite(node.orelse.body)
            return
        content, plain = any_of(*content.entries), None  # the body changed what it runs through
    entries = content.entries
    if len(entries) == 1 and entries[0].domain is not None:
        item, domain = entries[0].value, entries[0].domain
        tests = entries[0].tests
    else:
        item = join_all([entry.value for entry in entries]) if entries else UNKNOWN
        domain, tests = Domain(("loop", *run.identity(node))), ()
    if domain == ANYTHING:
        domain = Domain(("loop", *run.identity(node)))
    if item == UNKNOWN:
        # The same thing for a whole round, of which nothing is known but that it is data.
        is_data = isinstance(iterated, Unknown) or not isinstance(node.iter, cst.Name)
        held = lost_track([item, iterated]).may_be
        item = Unknown(("element", *run.identity(node)), held) if is_data else item

    def body() -> None:
        run.tests.extend(tests)
        assign(run, node.target, item if run.unchanged(reads) else lost_track([item, iterated]))
        run.suite(node.body)

    rounds(run, node, domain, body, _else_of(run, node), certain=bool(plain))


def _else_of(run: Interpreter, node: cst.For | cst.While) -> Callable[[], None] | None:
    orelse = node.orelse
    return None if orelse is None else lambda: run.suite(orelse.body)


def _while(run: Interpreter, node: cst.While) -> None:
    forever = False

    def body() -> None:
        nonlocal forever
        test = run.eval(node.test)
        forever = isinstance(test, Const) and bool(test.value)
        run.suite(node.body)

    orelse = _else_of(run, node)

    def ended() -> None:
        run.eval(node.test)  # once more than the body
        if orelse is not None:
            orelse()

    domain = Domain(("loop", *run.identity(node)))
    changes = may_change(node.test)
    rounds(run, node, domain, body, ended if changes else orelse, endless=lambda: forever)


FLOW: dict[str, Callable[..., None]] = {
    "If": _if,
    "With": _with,
    "Try": _try,
    "TryStar": _try,
    "Match": _match,
    "For": _for,
    "While": _while,
}
