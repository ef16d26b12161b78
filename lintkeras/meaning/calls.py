"""Calls of the program's own functions: entered with the arguments at hand, within bounds."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import reduce
from typing import TYPE_CHECKING

import libcst as cst

from lintkeras.meaning import objects
from lintkeras.meaning.nests import keeps_entries
from lintkeras.meaning.outline import is_generator, positional_parameters
from lintkeras.meaning.state import Changes, Key, Scope, State, lost
from lintkeras.meaning.values import (
    NONE,
    OPAQUE,
    UNKNOWN,
    Arguments,
    Computed,
    Content,
    Entry,
    Function,
    Items,
    List,
    Method,
    Sequence,
    Unknown,
    Value,
    bounded_content,
    join_all,
    join_content,
)

if TYPE_CHECKING:
    from lintkeras.meaning.interpreter import Interpreter

DEPTH = 16
"""How many calls of the program's own functions are entered inside each other."""
_ENTRIES = 20
"""How often one function is entered."""


@dataclass
class Frame:
    """One running function call, or the module."""

    function: Function | None
    base: State
    returns: list[tuple[Value, Changes]] = field(default_factory=list)
    abstract: bool = False
    """It raises NotImplementedError: a subclass that nobody sees does the work."""


def enter(
    run: Interpreter,
    function: Function,
    arguments: Arguments,
    node: cst.CSTNode | None,
    *,
    forced: bool = False,
    results: list[Value] | None = None,
) -> Value:
    """Evaluate the body of a function of the program; its result."""
    if function.node in run.running or (not forced and refuses(run, function)):
        _refuse(run, function, arguments)
        return UNKNOWN
    run.facts.entered.setdefault(function.node, set()).add(node)
    run.entries[function.node] += 1
    run.recursed.discard(function.node)
    frame, overlay = _evaluate(run, function, arguments, node)
    if function.node in run.recursed:
        # An inner call was refused: once more, with what the function is now known to change.
        frame, overlay = _evaluate(run, function, arguments, node)
    changed = run.effects[function.node]
    runs_later = _is_generator(run, function.node) or (
        _is_coroutine(function) and node not in run.awaited
    )
    if runs_later:
        lose(run, changed)
    if results is not None:
        results.extend(UNKNOWN if runs_later else value for value, _ in frame.returns)
    if not frame.returns:
        run.alive = forced or frame.abstract or runs_later  # else it always raises
    if runs_later and not _is_coroutine(function) and node is not None:
        return run.iterator(node, "generator", OPAQUE, (), (function.node,))
    if runs_later or not frame.returns:
        return UNKNOWN
    if node is not None and all(_is_elementwise_pair(value) for value, _ in frame.returns):
        run.wanted.append(function)
    before = run.state.find
    fresh = all(
        isinstance(v, List) and before((v, "content")) is State.MISSING for v, _ in frame.returns
    )
    run.state.cells.update(overlay.cells)
    if fresh and len(frame.returns) > 1 and node is not None:
        # Nobody else has these lists: what is known of each entry is kept.
        joined = reduce(join_content, [run.content(value) for value, _ in frame.returns])
        return run.new_list(node, joined, "result")
    return join_all([value for value, _ in frame.returns])


def _is_elementwise_pair(value: Value) -> bool:
    """Whether a function returns two tensors: a value, perhaps, and its derivative."""
    plain = value.content.plain() if isinstance(value, Sequence) else None
    return (
        plain is not None
        and len(plain) == 2
        and all(isinstance(one, Computed) and keeps_entries(one.function) for one in plain)
    )


def _is_generator(run: Interpreter, node: cst.FunctionDef | cst.Lambda) -> bool:
    if node not in run.generators:
        run.generators[node] = is_generator(node)
    return run.generators[node]


def _is_coroutine(function: Function) -> bool:
    return isinstance(function.node, cst.FunctionDef) and function.node.asynchronous is not None


def refuses(run: Interpreter, function: Function) -> bool:
    """Whether the function is not entered, for want of budget."""
    return (
        run.steps > run.budget or len(run.frames) > DEPTH or run.entries[function.node] >= _ENTRIES
    )


def _refuse(run: Interpreter, function: Function, arguments: Arguments) -> None:
    """A function was called but not entered: what it may have changed is unknown."""
    if run.steps > run.budget:
        run.lose_everything()
        return
    run.escape(arguments)
    known = run.effects.get(function.node)
    if known is not None:
        lose(run, known)
    elif function.node in run.running:
        run.recursed.add(function.node)
    else:
        run.lose_everything()


def lose(run: Interpreter, keys: set[Key]) -> None:
    """Make cells unknown."""
    run.steps += len(keys)
    for key in keys:
        cell = run.state.before(key)
        if cell is not State.MISSING:
            run.write(key, lost(cell))  # type: ignore[arg-type]
        elif objects.is_new_attribute(run.state, key):
            objects.keep(run, key[0], str(key[1]), UNKNOWN)  # type: ignore[arg-type]


def _evaluate(
    run: Interpreter, function: Function, arguments: Arguments, node: cst.CSTNode | None
) -> tuple[Frame, State]:
    """Run the body once, above the state as it is."""
    calls = (*run.scope.calls, node)[-DEPTH:]
    scope = Scope("function", function.scope, calls, function.node)
    outer = run.scope, run.loops, run.tests, run.facts.muted, run.entry
    run.facts.muted = scope.module is not run.module
    if run.facts.muted and not outer[3]:
        run.entry = node
    run.running.append(function.node)
    try:
        with run.overlay() as overlay:
            frame = Frame(function, overlay)
            run.frames.append(frame)
            with run.overlay() as inner:
                run.scope, run.tests = scope, list(run.tests)
                bind_parameters(run, function, arguments)
                if isinstance(function.node, cst.Lambda):
                    value = run.eval(function.node.body)
                    frame.returns.append((value, inner.cells))
                else:
                    run.suite(function.node.body)
                    if run.alive:
                        frame.returns.append((NONE, inner.cells))
            run.alive = True
            if frame.returns:
                run.steps += sum(len(path) for _, path in frame.returns)
                overlay.merge(path for _, path in frame.returns)
    finally:
        run.frames.pop()
        run.running.pop()
        run.scope, run.loops, run.tests, run.facts.muted, run.entry = outer
    known = run.effects.setdefault(function.node, set())
    changed = {key for key in overlay.cells if _is_shared(run.state, key)}
    if changed <= known:
        run.recursed.discard(function.node)
    known |= changed
    return frame, overlay


def _is_shared(state: State, key: Key) -> bool:
    """Whether a cell belongs to something that was there before the call."""
    return state.before(key) is not State.MISSING or objects.is_new_attribute(state, key)


def may_call(run: Interpreter, function: Function | Method) -> None:
    """Enter a function that unknown code was given, and may call with anything."""
    owner = function.owner if isinstance(function, Method) else None
    inner = function.function if isinstance(function, Method) else function
    known = run.effects.get(inner.node)
    if known is not None and None in run.facts.entered.get(inner.node, ()):
        lose(run, known)  # once with unknown arguments is enough
        return
    arguments = objects.unknown_arguments(inner, owner)

    def action() -> None:
        enter(run, inner, arguments, None)

    run.merge([run.branch(action), {}])
    lose(run, run.effects.get(inner.node, set()))  # it may be called again


def bind_parameters(run: Interpreter, function: Function, arguments: Arguments) -> None:
    """Bind the parameters of a function in its own scope."""
    params = function.node.params
    positional = list(arguments.positional)
    keywords = dict(arguments.keywords)
    for index, parameter in enumerate(positional_parameters(params)):
        name = parameter.name.value
        if index < len(positional):
            value = positional[index]
        elif name in keywords:
            value = keywords.pop(name)
        else:
            value = _default(function, name, arguments)
        run.bind(name, _one_thing(run, function, name, value))
    for parameter in params.kwonly_params:
        name = parameter.name.value
        given = keywords.pop(name, None)
        value = _default(function, name, arguments) if given is None else given
        run.bind(name, _one_thing(run, function, name, value))
    if isinstance(params.star_arg, cst.Param):
        rest = positional[len(positional_parameters(params)) :] if arguments.complete else None
        content = OPAQUE if rest is None else Content(tuple(Entry(v) for v in rest))
        run.bind(params.star_arg.name.value, Sequence("tuple", bounded_content(content)))
    if params.star_kwarg is not None:
        others = Items(tuple(keywords.items()), arguments.complete)
        run.bind(params.star_kwarg.name.value, run.new_dict(params.star_kwarg, others))


def _one_thing(run: Interpreter, function: Function, name: str, value: Value) -> Value:
    """An argument that nothing is known of is the same thing wherever the parameter is read."""
    if value == UNKNOWN:
        held = value.may_be if isinstance(value, Unknown) else ()
        return Unknown(("argument", function.node, name, run.scope.calls), held)
    return value


def _default(function: Function, name: str, arguments: Arguments) -> Value:
    """The default of a parameter that was not given."""
    return dict(function.defaults).get(name, UNKNOWN) if arguments.complete else UNKNOWN
