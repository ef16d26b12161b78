"""The abstract interpreter: evaluates a program forward, statement by statement.

It never runs the program and never raises on one: what it does not understand is unknown. A call
of a function of the program is entered with the arguments at hand, within a depth and a budget of
steps that grows linearly with the program; functions that nobody called are entered once, at the
end, with unknown parameters. What library calls mean stands in ``library``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from collections.abc import Sequence as Seq
from contextlib import contextmanager
from functools import reduce
from typing import Any

import libcst as cst

from lintkeras.meaning import calls, deferred, environment, library, objects, uses
from lintkeras.meaning.calls import DEPTH, Frame
from lintkeras.meaning.expressions import EXPRESSIONS
from lintkeras.meaning.facts import CustomGradientCall, Facts, FunctionSummary, Operation
from lintkeras.meaning.loops import Loop
from lintkeras.meaning.modules import Modules
from lintkeras.meaning.operators import term
from lintkeras.meaning.outline import (
    Assigned,
    positional_parameters,
)
from lintkeras.meaning.state import (
    BUILTINS,
    Cell,
    Changes,
    Journal,
    Key,
    Scope,
    State,
    join_cells,
)  # fmt: skip
from lintkeras.meaning.statements import STATEMENTS
from lintkeras.meaning.values import (
    ANYTHING,
    LOST,
    OPAQUE,
    UNKNOWN,
    Arguments,
    Class,
    Computed,
    Const,
    Content,
    CustomGradient,
    Decorated,
    Dict,
    Domain,
    Either,
    Entry,
    Function,
    Gradient,
    Identity,
    Instance,
    Items,
    Length,
    List,
    Member,
    Method,
    Reads,
    Sequence,
    Symbol,
    Tape,
    Test,
    Unknown,
    Value,
    Weight,
    alternatives,
    any_of,
    bounded_content,
    join,
    join_all,
    join_content,
    lost_track,
)

_UNROLLED = 8
"""Up to this many known elements the rounds of a loop are evaluated one by one."""
_MOST_UNROLLED = 16
"""The same for loops inside each other, all their rounds together."""
_STEPS_PER_CODE_POINT = 5
"""Published code needs 0.15 on average and 1.8 at most. A step is an expression that is evaluated,
or a cell that is compared where paths meet."""
_STEPS_AT_LEAST = 50_000
_MUTATORS = frozenset({"append", "extend", "insert", "pop", "remove", "clear", "reverse", "sort"})


class Interpreter:
    """Evaluates modules that share one namespace, and collects facts."""

    def __init__(
        self,
        reveal: Callable[[cst.Call, Value, Interpreter], None] | None = None,
        modules: Modules | None = None,
    ) -> None:
        """``reveal`` is called for each ``reveal(x)`` of the program (for tests).

        ``modules`` finds the other files of the project.
        """
        self.modules = modules or Modules()
        self._bottom: State | None = None
        self.entry: cst.CSTNode | None = None
        """The call in this file that led into another file's function, if one is running."""
        self.facts = Facts()
        self.state = State()
        self.module = Scope("module")
        self.reveal = reveal
        self.scope = self.module
        self.frames: list[Frame] = []
        self.loops: list[Loop] = []
        self.loop_nodes: list[cst.CSTNode] = []
        """The same, with those whose rounds are evaluated one by one."""
        self.tests: list[Test] = []
        self.recording: tuple[Tape, ...] = ()
        """The tapes that record what is evaluated now, outermost first."""
        self.differentiates = False
        """Whether a gradient was taken so far."""
        self.alive = True
        self.steps = 0
        self.read_steps = 0
        """The steps that reading models took, which have a budget of their own: half of it."""
        self.budget = _STEPS_AT_LEAST
        self.pending: list[Function] = []
        self.classes: list[Class] = []
        self.running: list[cst.CSTNode] = []
        self.history: dict[str, Value] = {}
        self.deferred = False
        self.assigned: dict[cst.CSTNode, Assigned] = {}
        self.wanted: list[Function | CustomGradient] = []
        """Functions that are handed to Keras, to be summarized at the end."""
        self.summaries: dict[tuple[cst.CSTNode, Scope], FunctionSummary] = {}
        self.methods: dict[Class, list[Function]] = {}
        """The functions that stand in the body of each class, in order."""
        self.sets: dict[cst.CSTNode, frozenset[str]] = {}
        """The attributes of its object that each method was seen to assign."""
        self.members: dict[Class, dict[str, None]] = {}
        """The names that each class holds."""
        self.attributes: dict[Instance, dict[str, None]] = {}
        """The names that were ever set on each object."""
        self.owners: dict[str, dict[Instance, None]] = {}
        """The objects on which each name was ever set."""
        self.made_under: dict[Instance, tuple[Test, ...]] = {}
        """The conditions under which each model was made."""
        self.dataclasses: set[Class] = set()
        self.metaclasses: dict[Class | Symbol, Class] = {}
        self.constructing: list[Instance] = []
        """The objects that are being made."""
        self.reassigned: set[tuple[cst.ClassDef | None, str]] = set()
        """The attributes that were set on a finished object, by its class (None: unknown)."""
        self.unsettled: set[Key] = set()
        """What functions that nobody calls change of the state that the program leaves."""
        self.forgetting: frozenset[Value] = frozenset()
        """What is being forgotten, while functions run that it may call."""
        self.forgotten = 0
        """How many attributes were lost to unknown code."""
        self.entries: Counter[cst.CSTNode] = Counter()
        self.effects: dict[cst.CSTNode, set[Key]] = {}
        """For each function that was entered, what it changed of what was there before."""
        self.recursed: set[cst.CSTNode] = set()
        """The running functions that called themselves before their effects were known."""
        self.generators: dict[cst.CSTNode, bool] = {}
        """Whether a function that was entered is a generator."""
        self.awaited: set[cst.CSTNode] = set()
        """The calls that stand behind ``await``."""
        self.zips: dict[Domain | None, Sequence] = {}
        """The zips of parts that do not match, by what their rows run over."""
        self.journals: list[Journal] = []
        self.unstable: dict[cst.CSTNode, dict[Key, bool]] = {}
        """For each loop, what its body was seen to change, and whether item by item."""
        self.unrolling = 1
        self.patched: set[str] = set()
        """The library names that the program assigned to."""

    # ------------------------------------------------------------------ running a program

    def run(
        self, modules: Seq[cst.Module], size: int, names: Mapping[str, Value] | None = None
    ) -> Facts:
        """Evaluate ``modules`` in order; ``size`` (in code points) sets the budget.

        ``names`` are what the program finds bound when it begins.
        """
        self.budget = max(_STEPS_AT_LEAST, size * _STEPS_PER_CODE_POINT)
        self._bottom = self.state
        self.frames.append(Frame(None, self.state))
        for name, value in (names or {}).items():
            self.bind(name, value)
        for module in modules:
            self.alive = True
            self.block(module.body)
        self.alive = True
        self.deferred = True
        deferred.run_deferred(self)
        for name in self.history:
            found = self.state.find((self.module, name))
            if not isinstance(found, (Content, cst.CSTNode)) and found is not State.MISSING:
                self.facts.names[name] = found  # type: ignore[assignment]
        return self.facts

    def bound_in(self, scope: Scope) -> Iterator[tuple[str, Value]]:
        """The names of another file's namespace."""
        bottom = self._bottom or self.state
        for key, cell in list(bottom.cells.items()):
            if key[0] is scope and isinstance(key[1], str) and cell is not None:
                if not isinstance(cell, (Content, cst.CSTNode)):
                    yield key[1], cell

    def evaluate_module(self, module: cst.Module, scope: Scope) -> None:
        """Evaluate another file of the project in a namespace of its own.

        Whatever branch or function asked for it, what it binds holds for the whole run.
        """
        outer = (
            self.state, self.scope, self.frames, self.loops, self.tests, self.recording,
            self.alive, self.facts.muted,
        )  # fmt: skip
        self.state = self._bottom or self.state
        self.scope, self.frames = scope, [Frame(None, self.state)]
        self.loops, self.tests, self.recording, self.alive = [], [], (), True
        self.facts.muted = True
        try:
            self.block(module.body)
        finally:
            (
                self.state, self.scope, self.frames, self.loops, self.tests, self.recording,
                self.alive, self.facts.muted,
            ) = outer  # fmt: skip

    def summarize(
        self, function: Function, owner: Value | None = None, arguments: Arguments | None = None
    ) -> FunctionSummary:
        """Enter a function with unknown arguments, once; its results as terms of them.

        ``arguments`` says which of its parameters are given.
        """
        return deferred.summarize(self, function, owner, arguments)

    # ------------------------------------------------------------------ names, attributes, lists

    def identity(self, node: cst.CSTNode) -> Identity:
        """Which object ``node`` makes: the place, told apart by the calls that led here."""
        return (node, self.scope.calls)

    def new_list(self, node: cst.CSTNode, content: Content, tag: object = "") -> List:
        """A fresh list made at ``node``; ``tag`` tells several apart."""
        loops = tuple(loop.node for loop in self.loops)
        result = List((*self.identity(node), tag), loops, tuple(self.tests))
        self.write((result, "content"), bounded_content(content))
        return result

    def content(self, value: Value) -> Content:
        """What iterating over ``value`` gives."""
        match value:
            case List():
                if any(value in loop.grown or value in loop.rewritten for loop in self.loops):
                    return OPAQUE  # a loop that has not ended still changes it
                return self.stored(value)
            case Sequence(kind="set", content=content) if len(content.entries) > 1:
                values = [entry.value for entry in content.entries]
                return Content((Entry(join_all(values), ANYTHING),))  # in any order
            case Sequence(content=content, identity=identity, reads=reads):
                fresh = identity is None or self.state.find(("used", identity)) == Const(False)
                return content if fresh and self.unchanged(reads) else any_of(*content.entries)
            case Const(value=str(text)) if len(text) <= _UNROLLED:
                return Content(tuple(Entry(Const(letter)) for letter in text))
            case Dict() | Items():
                held = self.items(value)
                keys = tuple(Entry(Const(key)) for key, _ in held.items)
                return Content(keys) if held.complete else OPAQUE
            case Unknown(origin=origin, may_be=held) if origin is not None or held:
                domain = ANYTHING if origin is None else Domain(("of", value))
                return Content((Entry(lost_track([value]), domain),))
            case Member():
                return Content((Entry(Weight(value, "item"), Domain(("of", value))),))
            case Computed(function="gradients", arguments=arguments):
                gradient = arguments.positional[0]
                assert isinstance(gradient, Gradient)
                source = gradient.source
                domain = Domain(("of", gradient.call.node if source == UNKNOWN else source))
                return Content((Entry(gradient, domain),))
            case Either(values=values):
                return reduce(join_content, map(self.content, values))
        return OPAQUE

    def iterate(self, value: Value) -> Content:
        """What running through ``value`` gives; an iterator is used up by it."""
        content = self.content(value)
        for one in alternatives(value):
            if isinstance(one, Sequence) and one.identity is not None:
                self.write(("used", one.identity), Const(True))
            elif isinstance(one, Instance):
                objects.run_through(self, one)
        return content

    def reads(self, *values: Value) -> Reads:
        """What running through ``values`` reads while it runs, as it is now."""
        found: list[tuple[Key, object]] = []
        for value in values:
            match value:
                case List():
                    found.append(((value, "content"), self.state.find((value, "content"))))
                case Dict():
                    found.append(((value, "items"), self.state.find((value, "items"))))
                case Sequence(reads=reads):
                    found.extend(reads)
                case Either(values=inner):
                    found.extend(self.reads(*inner))
        return tuple(found)

    def unchanged(self, reads: Reads, start: int = 0) -> bool:
        """Whether cells still hold what they held; of lists the items from ``start`` on count."""
        for key, before in reads:
            now = self.state.find(key)
            match before, now:
                case Content(entries=old), Content(entries=new):
                    same = len(old) == len(new) and old[start:] == new[start:]
                case Items(items=earlier), Items(items=later):
                    same = len(earlier) == len(later) and earlier[start:] == later[start:]
                case _:
                    same = before is now or before == now
            if not same:
                return False
        return True

    def iterator(
        self,
        node: cst.CSTNode,
        kind: str,
        content: Content,
        parts: tuple[Content, ...] = (),
        nodes: tuple[cst.CSTNode, ...] = (),
        reads: Reads = (),
    ) -> Sequence:
        """A fresh iterator made at ``node``."""
        identity = self.identity(node)
        self.write(("used", identity), Const(False))
        return Sequence(kind, bounded_content(content), parts, nodes, identity, reads)

    def stored(self, value: List) -> Content:
        """What a list holds, item by item: in a loop that rewrites it, the item at hand."""
        cell = self.state.find((value, "content"))
        return cell if isinstance(cell, Content) else OPAQUE

    def exact(self, value: List) -> tuple[Value, ...] | None:
        """What a list holds, where a change of it here happens once and for certain."""
        since = any(loop.node not in value.loops for loop in self.loops)
        certain = tuple(self.tests) == value.tests[: len(self.tests)]
        return self.content(value).plain() if certain and not since else None

    def set_content(self, value: List, content: Content, *, item_of: Domain | None = None) -> None:
        """Change a list in place: its item at the running index of ``item_of``, or all of it."""
        for loop in self.loops:
            if loop.domain != item_of:
                loop.changed.add(value)
        self.write((value, "content"), bounded_content(content))
        if self.state.find((value, "zip")) is not State.MISSING:
            self.write((value, "zip"), None)

    def new_dict(self, node: cst.CSTNode, items: Items, tag: str = "") -> Dict:
        """A fresh dictionary made at ``node``."""
        result = Dict((*self.identity(node), tag))
        self.write((result, "items"), items)
        return result

    def items(self, value: Value) -> Items:
        """What a dictionary holds."""
        if isinstance(value, Items):
            return value
        found = self.state.find((value, "items"))
        return found if isinstance(found, Items) else LOST

    def lose_everything(self) -> None:
        """Code that nobody knows may have changed anything, now or later."""
        self.state.bottom.lost = True

    def write(self, key: Key, cell: Cell) -> None:
        """Change the state."""
        self.state.cells[key] = cell
        if self.journals:
            journal = self.journals[-1]
            journal[key] = join_cells([journal[key], cell]) if key in journal else cell

    @contextmanager
    def journal(self) -> Iterator[Journal]:
        """Keep all that is written meanwhile, on whatever path."""
        journal: Journal = {}
        self.journals.append(journal)
        try:
            yield journal
        finally:
            self.journals.pop()
            if self.journals:
                outer = self.journals[-1]
                for key, cell in journal.items():
                    outer[key] = join_cells([outer[key], cell]) if key in outer else cell

    def partly(self, journal: Journal) -> Changes:
        """What holds where the code behind a journal may have stopped anywhere."""
        return {key: join_cells([self.state.before(key), cell]) for key, cell in journal.items()}

    def lookup(self, name: str) -> Value:
        """The value of a name, through the enclosing scopes."""
        scope: Scope | None = self.scope
        inside = self.scope
        while inside.kind == "round" and inside.parent is not None:
            inside = inside.parent
        while scope is not None:
            target = scope.declared.get(name, scope)
            if scope.kind != "class" or scope is inside:
                found = self.state.find((target, name))
                if found is not State.MISSING:
                    if target is self.module and self.deferred:
                        found = self.history.get(name, UNKNOWN)
                    return self.modules.follow(self, found)  # type: ignore[arg-type]
            scope = scope.parent
        if name in BUILTINS:
            return Symbol(f"builtins.{name}")
        return Unknown(("free", name))

    def place_of(self, name: str) -> Key | None:
        """Where in the state the value of a name is, if the program bound it."""
        scope: Scope | None = self.scope
        while scope is not None:
            key = (scope.declared.get(name, scope), name)
            if scope.kind != "class" and self.state.find(key) is not State.MISSING:
                return key
            scope = scope.parent
        return None

    def scope_of(self, name: str) -> Scope:
        """The scope in which an assignment here binds ``name``."""
        scope = self.scope
        while scope.kind in ("round", "comprehension") and scope.parent is not None:
            scope = scope.parent
        return scope.declared.get(name, scope)

    def bind(self, name: str, value: Value, scope: Scope | None = None) -> None:
        """Assign to a name: in ``scope``, else where it belongs."""
        scope = scope or self.scope_of(name)
        self.write((scope, name), value)
        if scope.cls is not None:
            self.members.setdefault(scope.cls, {})[name] = None
        if scope is self.module:
            earlier = self.history.get(name)
            self.history[name] = value if earlier is None else join(earlier, value)

    def attribute(self, value: Value, name: str, node: cst.CSTNode | None = None) -> Value:
        """The value of ``value.name``."""
        return objects.attribute(self, value, name, node)

    def set_attribute(self, holder: Value, name: str, value: Value) -> None:
        """``holder.name = value``."""
        objects.set_attribute(self, holder, name, value)

    def attributes_of(self, instance: Instance) -> Iterator[tuple[str, Value]]:
        """The attributes that are set on an object."""
        return objects.attributes_of(self, instance)

    def find_method(self, value: Value, name: str) -> Function | None:
        """The program's own method ``name`` of an object or class."""
        return objects.find_method(self, value, name)

    def forget(self, value: Value) -> None:
        """``value`` was given to code that nobody knows."""
        objects.forget(self, value)

    def may_call(self, function: Function | Method) -> None:
        """Enter a function that unknown code was given, and may call."""
        calls.may_call(self, function)

    def imported(self, module: str, member: str | None = None) -> Value:
        """What an import binds: a project file's own name, or a library object."""
        found = self.modules.symbol(self, module, member)
        return found if found.file is not None else self.symbol(found.path)

    def symbol(self, path: str) -> Value:
        """The library object at a dotted path, unless the program replaced it."""
        result = Symbol(path)
        if self.patched:
            parts = result.name.split(".")
            if any(".".join(parts[:end]) in self.patched for end in range(1, len(parts) + 1)):
                return UNKNOWN
        return result

    def variables(self, owner: Value, attribute: str, node: cst.CSTNode | None) -> Value:
        """The list that ``owner.trainable_variables`` is, fresh each time as in Keras."""
        identified = owner if owner != UNKNOWN else Unknown(("at", node))
        weight = Weight(identified, attribute)
        content = Content((Entry(weight, Domain(("variables", identified, attribute))),))
        place = node if node is not None else cst.Name("variables")
        return self.new_list(place, content, weight)

    # ------------------------------------------------------------------ statements

    def block(self, statements: Iterable[cst.CSTNode]) -> None:
        """Evaluate statements until one of them leaves the block."""
        for statement in statements:
            if not self.alive:
                return
            if isinstance(statement, cst.SimpleStatementLine):
                for small in statement.body:
                    if self.alive:
                        self.statement(small)
            else:
                self.statement(statement)

    def suite(self, body: cst.BaseSuite) -> None:
        """Evaluate the body of a compound statement."""
        if isinstance(body, cst.SimpleStatementSuite):
            for small in body.body:
                if self.alive:
                    self.statement(small)
        else:
            self.block(body.body)

    def statement(self, node: cst.CSTNode) -> None:
        """Evaluate one statement."""
        handler = STATEMENTS.get(type(node).__name__)
        if handler is not None:
            handler(self, node)

    # ------------------------------------------------------------------ branches and loops

    @contextmanager
    def overlay(self) -> Iterator[State]:
        """Run on a fresh overlay; what it holds at the end is the caller's to merge."""
        base = self.state
        overlay = State(base)
        self.state = overlay
        try:
            yield overlay
        finally:
            self.state = base

    def branch(self, action: Callable[[], None], test: Test | None = None) -> Changes | None:
        """Run one branch; its changes, or None where it leaves the block."""
        tests = len(self.tests)
        if test is not None:
            self.tests.append(test)
        with self.overlay() as overlay:
            action()
            changes = overlay.cells if self.alive else None
        del self.tests[tests:]
        self.alive = True
        return changes

    def aside(self, action: Callable[[], None]) -> None:
        """Run what cannot happen here, for what it shows; nothing of it remains."""
        loop = self.loops[-1] if self.loops else None
        exits: list[list[Any]] = [self.frames[-1].returns]
        exits += [loop.breaks, loop.continues] if loop is not None else []
        lengths = [len(one) for one in exits]
        self.branch(action)
        for one, length in zip(exits, lengths, strict=True):
            del one[length:]

    def each(self, values: Seq[Value], action: Callable[[Value], Value]) -> Value:
        """The join of an action over the values that something may be, each on a path of its own."""
        if len(values) == 1:
            return action(values[0])
        results: list[Value] = []

        def run(value: Value) -> None:
            results.append(action(value))

        self.merge([self.branch(lambda v=value: run(v)) for value in values])  # type: ignore[misc]
        return join_all(results)

    def merge(self, paths: list[Changes | None]) -> None:
        """Go on with what holds after any of the paths that stayed in the block."""
        living = [path for path in paths if path is not None]
        self.steps += sum(map(len, living))
        if living:
            self.state.merge(living)
        else:
            self.alive = False

    # ------------------------------------------------------------------ lists that grow

    def append(self, target: List, value: Value) -> None:
        """``target.append(value)``."""
        self.extend(target, Content((Entry(value),)))

    def extend(self, target: List, added: Content) -> None:
        """Add entries; inside a loop that began after the list, one for each round."""
        cell = self.state.find((target, "content"))
        content = cell if isinstance(cell, Content) else OPAQUE
        since = [loop for loop in self.loops if loop.node not in target.loops]
        tests = tuple(self.tests)
        if tests[: len(target.tests)] == target.tests:
            tests = tests[len(target.tests) :]
        if not since:
            entries = tuple(Entry(e.value, e.domain, (*tests, *e.tests)) for e in added.entries)
        elif len(since) == 1 and added.plain() is not None and len(added.entries) == 1:
            current = Domain(("round", since[0].domain))
            entries = (Entry(added.entries[0].value, current, tests),)
            since[0].grown.add(target)
            if any(entry.domain == current for entry in content.entries):
                content, entries = Content(), OPAQUE.entries  # two in a round: they alternate
        else:
            entries = OPAQUE.entries
        self.set_content(target, Content((*content.entries, *entries)))

    # ------------------------------------------------------------------ expressions

    def eval(self, node: cst.BaseExpression) -> Value:
        """The value of an expression."""
        self.steps += 1
        handler = EXPRESSIONS.get(type(node).__name__)
        value = handler(self, node) if handler is not None else UNKNOWN
        self.record(value, node)
        return value

    def record(self, value: Value, node: cst.CSTNode) -> None:
        """Remember what the operation ``node`` computes, and which tapes record it."""
        if isinstance(value, Computed) and value.node is node:
            running = tuple(f.function for f in self.frames if f.function is not None)
            self.facts.note(Operation(node, value, running))
            self.facts.recordings.setdefault(node, set()).add(frozenset(self.recording))

    # ------------------------------------------------------------------ calls

    def call(self, function: Value, arguments: Arguments, node: cst.Call) -> Value:
        """Call a value."""
        uses.note_call(self, function, arguments, node)
        library.note_loss(self, function, arguments, node)
        library.note_metric(self, function, arguments, node)
        environment.note_call(self, function, arguments)
        return self._apply(function, arguments, node)

    def _apply(self, function: Value, arguments: Arguments, node: cst.Call) -> Value:
        match function:
            case Either(values=values):
                return self.each(values, lambda v: self.call(v, arguments, node))
            case Function():
                return self.enter(function, arguments, node)
            case Decorated(function=inner):
                self.forget(inner)
                self.escape(arguments)
                return UNKNOWN
            case CustomGradient():
                arguments = library.unwrapped(self, arguments)
                self.facts.note(CustomGradientCall(node, function, arguments))
                return term(function, arguments, node)
            case Computed(function=Symbol(path="functools.partial"), arguments=given):
                if given.positional:
                    return self.call(given.positional[0], given.followed_by(arguments), node)
            case Method(owner=owner, function=inner):
                bound = Arguments(
                    (owner, *arguments.positional), arguments.keywords, arguments.complete
                )
                return self.enter(inner, bound, node)
            case Class():
                made = objects.instantiate(self, function, arguments, node)
                if isinstance(made, Instance) and objects.is_keras(function):
                    library.note_made(self, made, node)
                return made
            case Symbol():
                return library.call_symbol(self, function, arguments, node)
            case Member(of=of, name=name):
                return library.call_method(self, of, name, arguments, node)
            case Instance():
                return self._call_instance(function, arguments, node)
            case Unknown():
                self.forget(function)
        self.escape(arguments)
        return UNKNOWN

    def escape(self, arguments: Arguments) -> None:
        """Code that nobody knows was called with these arguments."""
        for value in (*arguments.positional, *(v for _, v in arguments.keywords)):
            self.forget(value)

    def _call_instance(self, instance: Instance, arguments: Arguments, node: cst.Call) -> Value:
        own = objects.class_attribute(self, instance, "__call__")
        if own is not None:
            return self._apply(self.attribute(instance, "__call__"), arguments, node)
        inner = None
        if isinstance(instance.cls, Class):
            if not objects.is_keras(instance.cls):
                self.forget(instance)
                self.escape(arguments)
                return UNKNOWN
            if objects.class_attribute(self, instance, "call") is not None:
                inner = self._apply(self.attribute(instance, "call"), arguments, node)
        return library.call_layer(self, instance, arguments, node, inner)

    @contextmanager
    def inside(self, *place: object) -> Iterator[None]:
        """What is made now is told apart from what is made at other places of the run."""
        outer = self.scope
        self.scope = Scope("round", outer, (*outer.calls, place)[-DEPTH:], outer.function)
        try:
            yield
        finally:
            self.scope = outer

    @contextmanager
    def unrolled(self, count: int) -> Iterator[None]:
        """The rounds of a loop are evaluated one by one."""
        self.unrolling *= max(count, 1)
        try:
            yield
        finally:
            self.unrolling //= max(count, 1)

    def may_unroll(self, count: int) -> bool:
        """Whether the rounds of a loop can be evaluated one by one."""
        few = count <= _UNROLLED and self.unrolling * count <= _MOST_UNROLLED
        return few and self.steps <= self.budget

    def enter(
        self,
        function: Function,
        arguments: Arguments,
        node: cst.CSTNode | None,
        *,
        forced: bool = False,
        results: list[Value] | None = None,
    ) -> Value:
        """Evaluate the body of a function of the program; its result.

        ``forced`` enters past the budget (each function is entered at least once). ``results``
        gets the value of each return statement, before they are joined.
        """
        return calls.enter(self, function, arguments, node, forced=forced, results=results)

    # ------------------------------------------------------------------ what library code needs

    def current_function(self) -> Function | None:
        """The function that is being evaluated."""
        return self.frames[-1].function if self.frames else None

    def current_class_and_self(self) -> tuple[Class | None, Value]:
        """For ``super()``: the class of the running method and its first argument."""
        function = self.current_function()
        if function is None or function.cls is None:
            return None, UNKNOWN
        params = positional_parameters(function.node.params)
        return function.cls, (self.lookup(params[0].name.value) if params else UNKNOWN)

    def name_of(self, value: Value) -> str | None:
        """A name in sight that holds ``value``: the innermost scope's, the one bound first."""
        states: list[State] = []
        state: State | None = self.state
        while state is not None:
            states.insert(0, state)
            state = state.below
        cells = {key: cell for state in states for key, cell in state.cells.items()}
        held = [key for key, cell in cells.items() if cell is value or cell == value]
        scope: Scope | None = self.scope
        while scope is not None:
            for owner, name, *_ in held:
                if owner is scope:
                    return str(name)
            scope = scope.parent
        for owner, name, *_ in held:
            if isinstance(owner, Instance) and owner != value:
                holder = self.name_of(owner)
                if holder is not None and "." not in holder:
                    return f"{holder}.{name}"
        return None

    def statement_loops(self) -> tuple[cst.CSTNode, ...]:
        """The ``for`` and ``while`` loops that are running, outermost first."""
        return tuple(node for node in self.loop_nodes if isinstance(node, (cst.For, cst.While)))

    def length_of(self, value: Value) -> Value:
        """``len(value)``."""
        content = self.content(value)
        plain = content.plain()
        if plain is not None:
            return Const(len(plain))
        if len(content.entries) == 1 and content.entries[0].domain not in (None, ANYTHING):
            domain = content.entries[0].place
            assert domain is not None
            return Length(domain)
        return UNKNOWN


# ---------------------------------------------------------------------- reading the syntax
