"""What runs later: functions and methods that nobody called in the program.

They can run in any order and any number of times. So each is entered with the state that the
program leaves, on an overlay of its own, and what it changes of that state is unknown to all; where
that is news, all are entered again, until nothing new is changed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from lintkeras.meaning import calls, library, objects
from lintkeras.meaning.facts import FORWARD, GRADIENTS, FunctionSummary, LayerClass
from lintkeras.meaning.loops import differs
from lintkeras.meaning.outline import attributes_set, is_static
from lintkeras.meaning.state import Key, State
from lintkeras.meaning.values import (
    NONE,
    Arguments,
    Class,
    CustomGradient,
    Function,
    Instance,
    Symbol,
    Unknown,
    Value,
)

if TYPE_CHECKING:
    from lintkeras.meaning.interpreter import Interpreter

_MOST_PASSES = 5
_DEEPEST = 3
"""Functions that are defined this deep inside functions nobody calls are entered once only."""
_MOST_CLOSURES = 4
"""How many closures of one function are entered."""
_STRAIGHT_METHODS = ("__init__", "build")


def run_deferred(run: Interpreter, level: int = 0) -> set[Key]:
    """Enter what nobody called, and summarize what Keras will call; what that changes."""
    functions, run.pending = run.pending, []
    classes, run.classes = run.classes, []
    wanted, run.wanted = run.wanted, []
    mark = run.facts.mark()
    summaries = dict(run.summaries), dict(run.facts.summaries)
    passes = _MOST_PASSES if level == 0 else 2 if level < _DEEPEST else 1
    known: set[Key] = set()
    for number in range(passes):
        if number:
            run.facts.rollback(mark)
            run.summaries, run.facts.summaries = dict(summaries[0]), dict(summaries[1])
        if number == passes - 1 and number > 1:
            run.lose_everything()
        before = dict(run.history), len(run.reassigned)
        with run.overlay():
            changed = _one_pass(run, functions, classes, wanted, level)
        known |= changed
        if changed <= run.unsettled and before == (run.history, len(run.reassigned)):
            break
        calls.lose(run, {key for key in changed if _exists(run, key)})
        run.unsettled |= changed
    else:
        if level >= _DEEPEST:
            run.facts.rollback(mark)
    return known


def _one_pass(
    run: Interpreter,
    functions: list[Function],
    classes: list[Class],
    wanted: list[Function | CustomGradient],
    level: int,
) -> set[Key]:
    """Enter each once; what they change of what was there before."""
    changed: set[Key] = set()
    entered: Counter[object] = Counter()
    for cls in classes:
        changed |= _enter_class(run, cls, level)
    for function in functions:
        if not _was_called(run, function) and entered[function.node] < _MOST_CLOSURES:
            entered[function.node] += 1
            changed |= _later(run, lambda f=function: _enter(run, f), level)  # type: ignore[misc]
    for value in wanted:
        changed |= _later(run, lambda v=value: _summarize_wanted(run, v), level)  # type: ignore[misc]
    return changed


def _was_called(run: Interpreter, function: Function) -> bool:
    return any(call is not None for call in run.facts.entered.get(function.node, ()))


def _later(run: Interpreter, action: Callable[[], None], level: int) -> set[Key]:
    """Run on an overlay that is dropped; what was changed of the state below it."""
    lists = run.pending, run.classes, run.wanted
    run.pending, run.classes, run.wanted = [], [], []
    with run.overlay() as overlay:
        action()
        inner = run_deferred(run, level + 1) if run.pending or run.classes or run.wanted else set()
    run.alive = True
    run.pending, run.classes, run.wanted = lists
    return _changed(run, overlay) | {key for key in inner if _exists(run, key)}


def _changed(run: Interpreter, overlay: State) -> set[Key]:
    """What differs from the state below; names of the module have a history of their own.

    What unknown code was given, it may change while it runs; here, as for all code outside of the
    program, it is taken to leave it alone later.
    """
    return {
        key
        for key, cell in overlay.cells.items()
        if key[0] is not run.module
        and differs(run.state, key, cell)
        and not objects.was_given_away(cell)
    }


def _exists(run: Interpreter, key: Key) -> bool:
    return run.state.find(key) is not State.MISSING


def _enter(run: Interpreter, function: Function, owner: Value | None = None) -> None:
    run.enter(function, objects.unknown_arguments(function, owner), None, forced=True)


def _enter_class(run: Interpreter, cls: Class, level: int) -> set[Key]:
    """Enter the methods of a class that were not called, on an object of its own.

    Attributes that are set anywhere but in ``__init__`` and ``build`` are unknown to the methods
    (though the same thing each time), since nothing says what runs before them.
    """
    owner = Instance(cls, ("self", cls.node))
    own = run.methods.get(cls, [])
    is_layer = library.has_keras_base(owner)
    if all(_was_called(run, method) for method in own) and not is_layer:
        return set()
    with run.overlay() as overlay:
        run.write((owner, objects.MADE), NONE)
        run.constructing.append(owner)
        for name in _STRAIGHT_METHODS:
            method = objects.find_method(run, owner, name)
            if method is not None:
                _enter(run, method, owner)
        run.constructing.pop()
        _unsettle(run, owner)
    changed = _changed(run, overlay)
    run.state.cells.update(overlay.cells)
    changed |= run_deferred(run, level + 1)
    if is_layer:
        _note_layer(run, cls, owner)
    for method in own:
        if method.name not in _STRAIGHT_METHODS and not _was_called(run, method):
            holder = None if is_static(method.node) else owner
            changed |= _later(run, lambda m=method, h=holder: _enter(run, m, h), level)  # type: ignore[misc]
    with run.inside(cls.node):
        for method in _inherited(run, cls):
            if not calls.refuses(run, method):
                holder = None if is_static(method.node) else owner
                changed |= _later(run, lambda m=method, h=holder: _enter(run, m, h), level)  # type: ignore[misc]
    return changed


def _unsettle(run: Interpreter, owner: Instance) -> None:
    """Make unknown what other code may have done to the object."""
    assert isinstance(owner.cls, Class)
    lineage = [ancestor for ancestor in owner.cls.lineage if isinstance(ancestor, Class)]
    methods = [method for ancestor in lineage for method in run.methods.get(ancestor, [])]
    names = {
        name
        for method in methods
        if method.name not in _STRAIGHT_METHODS
        for name in _attributes_set(run, method)
    }
    names |= {str(key[1]) for key in run.unsettled if key[0] == owner}
    node = owner.cls.node
    held = {name for name, _ in objects.attributes_of(run, owner)}
    held |= {name for ancestor in lineage for name in objects.data_of(run, ancestor)}
    for name in held:
        if {(node, name), (None, name), (None, "*"), (node, "*")} & run.reassigned:
            names.add(name)
    for name in names:
        objects.keep(run, owner, name, Unknown(("attribute", owner, name)))
    calls.lose(run, {key for key in run.unsettled if _exists(run, key) and key[0] != owner})


def _attributes_set(run: Interpreter, method: Function) -> frozenset[str]:
    """The attributes that a method assigns; classes that inherit it ask again and again."""
    if method.node not in run.sets:
        run.sets[method.node] = frozenset(attributes_set(method.node))
    return run.sets[method.node]


def _inherited(run: Interpreter, cls: Class) -> Iterable[Function]:
    """The methods that a class has from other classes of the program."""
    for ancestor in cls.lineage[1:]:
        for method in run.methods.get(ancestor, []) if isinstance(ancestor, Class) else ():
            if method.name not in _STRAIGHT_METHODS:
                if objects.class_attribute(run, cls, method.name) == method:
                    yield method


def _note_layer(run: Interpreter, cls: Class, owner: Instance) -> None:
    """Record what a layer or model class of the program is made of."""
    lineage = cls.lineage
    methods = [m for c in lineage if isinstance(c, Class) for m in run.methods.get(c, [])]
    call = next((m for m in methods if m.name == "call"), None)
    own = call is not None and call.cls is cls
    run.facts.note(
        LayerClass(
            cls.node,
            cls,
            tuple(base.name for base in lineage if isinstance(base, Symbol)),
            owner,
            tuple(objects.attributes_of(run, owner)),
            tuple((m.name, m) for m in methods),
            summarize(run, call, owner) if own and call is not None else None,
            tuple(
                summarize(run, method, owner)
                for method in run.methods.get(cls, [])
                if method.name in (FORWARD, *GRADIENTS) and not is_static(method.node)
            ),
        )
    )


def summarize(
    run: Interpreter,
    function: Function,
    owner: Value | None = None,
    arguments: Arguments | None = None,
) -> FunctionSummary:
    """Enter a function with unknown arguments, once; its results as terms of them.

    A function that was defined several times (inside of one that was called several times) is
    another function each time.
    """
    known = run.summaries.get((function.node, function.scope))
    if known is not None:
        return known
    results: list[Value] = []
    given = objects.unknown_arguments(function, owner) if arguments is None else arguments
    run.enter(function, given, None, forced=True, results=results)
    frozen = dict.fromkeys(library.frozen(run, result) for result in results)
    parameters = tuple(objects.unknown_parameters(function, owner).items())
    summary = FunctionSummary(function.node, function, parameters, tuple(frozen))
    run.summaries[(function.node, function.scope)] = summary
    run.facts.summaries.setdefault(function.node, summary)
    return summary


def _summarize_wanted(run: Interpreter, value: Function | CustomGradient) -> None:
    if isinstance(value, Function):
        summarize(run, value)
    elif (found := library.backward_pass(run, value)) is not None:
        run.facts.note(found)
