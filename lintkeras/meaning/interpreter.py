"""The abstract interpreter: evaluates a program forward, statement by statement.

It never runs the program and never raises on one: what it does not understand is unknown. A call
of a function of the program is entered with the arguments at hand, within a depth and a budget of
steps that grows linearly with the program; functions that nobody called are entered once, at the
end, with unknown parameters. What library calls mean stands in ``library``.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Callable, Iterable, Iterator
from collections.abc import Sequence as Seq
from contextlib import contextmanager
from dataclasses import dataclass, field

import libcst as cst

from lintkeras.meaning import library
from lintkeras.meaning.facts import Facts, ListArithmetic
from lintkeras.meaning.operators import binary, compare, unary
from lintkeras.meaning.state import Changes, Key, Scope, State
from lintkeras.meaning.values import (
    ANYTHING,
    NONE,
    OPAQUE,
    UNKNOWN,
    Arguments,
    Class,
    Computed,
    Const,
    Content,
    CustomGradient,
    Dict,
    Domain,
    Either,
    Entry,
    Function,
    Gradient,
    Identity,
    Index,
    Instance,
    Length,
    List,
    Member,
    Method,
    PerEntry,
    Sequence,
    Super,
    Symbol,
    Test,
    Unknown,
    Value,
    Weight,
    join,
    join_all,
    join_content,
)

_DEPTH = 12
"""How many calls of the program's own functions are entered inside each other."""
_ENTRIES = 16
"""How often one function is entered."""
_STEPS_PER_NODE = 40
_STEPS_AT_LEAST = 50_000
_UNROLLED = 8
"""Up to this many known elements a comprehension is evaluated one by one."""

VARIABLE_LISTS = {
    "trainable_variables": "trainable_variables",
    "trainable_weights": "trainable_variables",
    "variables": "variables",
    "weights": "variables",
    "non_trainable_variables": "non_trainable_variables",
    "non_trainable_weights": "non_trainable_variables",
}
_MUTATORS = frozenset({"append", "extend", "insert", "pop", "remove", "clear", "reverse", "sort"})
_BUILTINS = frozenset(dir(builtins))
_STRAIGHT_METHODS = ("__init__", "build")


@dataclass
class _Frame:
    """One running function call, or the module."""

    function: Function | None
    base: State
    returns: list[tuple[Value, Changes]] = field(default_factory=list)
    yields: bool = False


@dataclass
class _Loop:
    """One running loop: what it runs over and how its body was left early."""

    node: cst.CSTNode
    domain: Domain
    base: State
    exits: list[Changes] = field(default_factory=list)
    grown: set[List] = field(default_factory=set)
    """The lists that its body appends to."""


class Interpreter:
    """Evaluates modules that share one namespace, and collects facts."""

    def __init__(self, reveal: Callable[[cst.Call, Value, Interpreter], None] | None = None):
        """``reveal`` is called for each ``reveal(x)`` of the program (for tests)."""
        self.facts = Facts()
        self.state = State()
        self.module = Scope("module")
        self.reveal = reveal
        self._scope = self.module
        self._frames: list[_Frame] = []
        self._loops: list[_Loop] = []
        self._tests: list[Test] = []
        self._alive = True
        self._steps = 0
        self._budget = _STEPS_AT_LEAST
        self._pending: list[Function] = []
        self._classes: list[Class] = []
        self._running: list[cst.CSTNode] = []
        self._history: dict[str, Value] = {}
        self._deferred = False
        self._assigned: dict[cst.CSTNode, _Assigned] = {}

    # ------------------------------------------------------------------ running a program

    def run(self, modules: Seq[cst.Module], size: int) -> Facts:
        """Evaluate ``modules`` in order; ``size`` (in code points) sets the budget."""
        self._budget = max(_STEPS_AT_LEAST, size * _STEPS_PER_NODE // 4)
        frame = _Frame(None, self.state)
        self._frames.append(frame)
        for module in modules:
            self._alive = True
            self.block(module.body)
        self._alive = True
        self._deferred = True
        self._run_pending()
        for name in self._history:
            found = self.state.find((self.module, name))
            if not isinstance(found, (Content, cst.CSTNode)) and found is not State.MISSING:
                self.facts.names[name] = found  # type: ignore[assignment]
        return self.facts

    def _run_pending(self) -> None:
        """Enter what nobody called: methods with an object of their class, then functions."""
        done = 0
        while done < len(self._classes) or self._pending:
            while done < len(self._classes):
                self._run_class(self._classes[done])
                done += 1
            waiting, self._pending = self._pending, []
            for function in waiting:
                if function.node not in self.facts.entered:
                    self.enter(function, self._unknown_arguments(function), None, forced=True)

    def _unknown_arguments(self, function: Function, owner: Value | None = None) -> Arguments:
        """An unknown, but for each parameter always the same, value."""
        names = [p.name.value for p in _positional(function.node.params)]
        names += [p.name.value for p in function.node.params.kwonly_params]
        keywords = [(n, Unknown(("parameter", function.node, n))) for n in names]
        if owner is not None and keywords:
            keywords[0] = (keywords[0][0], owner)  # type: ignore[assignment]
        return Arguments((), tuple(keywords))

    def _run_class(self, cls: Class) -> None:
        """Enter the methods of a class that were not called, on an object of its own.

        Attributes that methods other than ``__init__`` and ``build`` set are unknown to the
        others, since nothing says in which order methods run.
        """
        owner = Instance(cls, ("self", cls.node))
        methods = list(self._methods(cls))
        fresh = [m for m in methods if m.node not in self.facts.entered]
        if not fresh:
            return
        for name in _STRAIGHT_METHODS:
            method = self._find_method(owner, name)
            if method is not None:
                self.enter(method, self._unknown_arguments(method, owner), None, forced=True)
        for method in methods:
            if method.name not in _STRAIGHT_METHODS:
                for attribute in _attributes_set(method.node):
                    self.state.cells[(owner, attribute)] = UNKNOWN
        for method in fresh:
            if method.name not in _STRAIGHT_METHODS and method.node not in self.facts.entered:
                own = None if _is_static(method.node) else owner
                self.enter(method, self._unknown_arguments(method, own), None, forced=True)

    def _methods(self, cls: Class) -> Iterator[Function]:
        body = cls.node.body
        for statement in body.body if isinstance(body, cst.IndentedBlock) else ():
            if isinstance(statement, cst.FunctionDef):
                yield Function(statement, cls.scope, cls)

    # ------------------------------------------------------------------ names, attributes, lists

    def identity(self, node: cst.CSTNode) -> Identity:
        """Which object ``node`` makes: the place, told apart by the calls that led here."""
        return (node, self._scope.calls)

    def new_list(self, node: cst.CSTNode, content: Content, tag: str = "") -> List:
        """A fresh list made at ``node``."""
        result = List((*self.identity(node), tag), tuple(loop.node for loop in self._loops))
        self.state.cells[(result, "content")] = content
        return result

    def content(self, value: Value) -> Content:
        """What iterating over ``value`` gives."""
        match value:
            case List():
                cell = self.state.find((value, "content"))
                if not isinstance(cell, Content):
                    return OPAQUE
                if any(value in loop.grown for loop in self._loops):
                    return OPAQUE  # it is still growing in a loop that has not ended
                return cell
            case Sequence(content=content):
                return content
            case Dict(items=items):
                return Content(tuple(Entry(Const(key)) for key, _ in items))
            case Unknown(origin=origin) if origin is not None:
                return Content((Entry(UNKNOWN, Domain(("of", value))),))
            case Member():
                return Content((Entry(Weight(value, "item"), Domain(("of", value))),))
            case Computed(function="gradients", arguments=arguments):
                gradient = arguments.positional[0]
                assert isinstance(gradient, Gradient)
                sources = gradient.call.sources
                identified = isinstance(sources, Member) or (
                    isinstance(sources, Unknown) and sources.origin is not None
                )
                domain = Domain(("of", sources if identified else gradient.call.node))
                return Content((Entry(gradient, domain),))
            case Either(values=values):
                contents = [self.content(v) for v in values]
                return contents[0] if all(c == contents[0] for c in contents) else OPAQUE
        return OPAQUE

    def set_content(self, value: List, content: Content) -> None:
        """Change a list in place."""
        self.state.cells[(value, "content")] = content

    def lookup(self, name: str) -> Value:
        """The value of a name, through the enclosing scopes."""
        scope: Scope | None = self._scope
        inside = scope
        while scope is not None:
            target = scope.declared.get(name, scope)
            if scope.kind != "class" or scope is inside:
                found = self.state.find((target, name))
                if found is not State.MISSING:
                    if target is self.module and self._deferred:
                        return self._history.get(name, UNKNOWN)
                    return found  # type: ignore[return-value]
            scope = scope.parent
        if name in _BUILTINS:
            return Symbol(f"builtins.{name}")
        return Unknown(("free", name))

    def bind(self, name: str, value: Value) -> None:
        """Assign to a name."""
        scope = self._scope
        while scope.kind == "comprehension" and scope.parent is not None:
            scope = scope.parent
        scope = scope.declared.get(name, scope)
        self.state.cells[(scope, name)] = value
        if scope is self.module:
            earlier = self._history.get(name)
            self._history[name] = value if earlier is None else join(earlier, value)

    def attribute(self, value: Value, name: str, node: cst.CSTNode | None = None) -> Value:
        """The value of ``value.name``."""
        match value:
            case Either(values=values):
                return join_all([self.attribute(v, name, node) for v in values])
            case Symbol(path=path):
                return Symbol(f"{path}.{name}")
            case Instance() | Class():
                found = self.state.find((value, name))
                if found is not State.MISSING:
                    return found  # type: ignore[return-value]
                method = self._find_method(value, name)
                if method is not None:
                    return self._bound(value, method)
                stored = self._class_attribute(value, name)
                if stored is not None:
                    return stored
            case Super(owner=owner, cls=cls):
                method = self._find_method(owner, name, after=cls)
                return Method(owner, method) if method else Member(value, name)
            case Unknown(origin=None):
                value = UNKNOWN
        if name in VARIABLE_LISTS and not isinstance(value, (Const, List, Sequence, Dict)):
            return self._variables(value, VARIABLE_LISTS[name], node)
        if isinstance(value, (Gradient, Weight)) and name in ("dtype", "shape", "name"):
            return Member(Unknown(("of", value)), name)
        return Member(value, name)

    def _variables(self, owner: Value, attribute: str, node: cst.CSTNode | None) -> Value:
        identified = owner if owner != UNKNOWN else Unknown(("at", node))
        weight = Weight(identified, attribute)
        content = Content((Entry(weight, Domain(("variables", identified, attribute))),))
        place = node if node is not None else cst.Name("variables")
        return self.new_list(place, content, attribute)

    def _bound(self, value: Instance | Class, method: Function) -> Value:
        node = method.node
        assert isinstance(node, cst.FunctionDef)
        if _is_static(node):
            return method
        if any(_decorator_name(d) in ("property", "cached_property") for d in node.decorators):
            return self.enter(method, Arguments((value,)), node)
        return Method(value, method)

    def _find_method(self, value: Value, name: str, after: Class | None = None) -> Function | None:
        cls = value.cls if isinstance(value, Instance) else value
        if not isinstance(cls, Class):
            return None
        lineage = list(cls.lineage())
        if after is not None and after in lineage:
            lineage = lineage[lineage.index(after) + 1 :]
        for ancestor in lineage:
            if isinstance(ancestor, Class):
                for method in self._methods(ancestor):
                    if method.name == name:
                        return method
        return None

    def _class_attribute(self, value: Instance | Class, name: str) -> Value | None:
        cls = value.cls if isinstance(value, Instance) else value
        if isinstance(cls, Class):
            for ancestor in cls.lineage():
                if isinstance(ancestor, Class):
                    found = self.state.find((ancestor.scope, name))
                    if found is not State.MISSING:
                        return found  # type: ignore[return-value]
        return None

    # ------------------------------------------------------------------ statements

    def block(self, statements: Iterable[cst.CSTNode]) -> None:
        """Evaluate statements until one of them leaves the block."""
        for statement in statements:
            if not self._alive:
                return
            if isinstance(statement, cst.SimpleStatementLine):
                for small in statement.body:
                    if self._alive:
                        self.statement(small)
            else:
                self.statement(statement)

    def suite(self, body: cst.BaseSuite) -> None:
        """Evaluate the body of a compound statement."""
        if isinstance(body, cst.SimpleStatementSuite):
            for small in body.body:
                if self._alive:
                    self.statement(small)
        else:
            self.block(body.body)

    def statement(self, node: cst.CSTNode) -> None:
        """Evaluate one statement."""
        handler = _STATEMENTS.get(type(node).__name__)
        if handler is not None:
            handler(self, node)

    def _expr(self, node: cst.Expr) -> None:
        self.eval(node.value)

    def _assign(self, node: cst.Assign) -> None:
        value = self.eval(node.value)
        for target in node.targets:
            self.assign(target.target, value)

    def _ann_assign(self, node: cst.AnnAssign) -> None:
        if node.value is not None:
            self.assign(node.target, self.eval(node.value))

    def _aug_assign(self, node: cst.AugAssign) -> None:
        before = self.eval(node.target)
        other = self.eval(node.value)
        operator = type(node.operator).__name__.removesuffix("Assign")
        if isinstance(before, List) and operator == "Add":
            self.extend(before, self.content(other))
            return
        self.note_list_arithmetic(node, operator, before, node.target, other, node.value)
        self.assign(node.target, binary(operator, before, other, node))

    def assign(self, target: cst.BaseExpression, value: Value) -> None:
        """Bind a target: a name, an attribute, an item, or several."""
        match target:
            case cst.Name(value=name):
                self.bind(name, value)
            case cst.Attribute(value=owner, attr=cst.Name(value=name)):
                holder = self.eval(owner)
                if isinstance(holder, (Instance, Class)):
                    self.state.cells[(holder, name)] = value
            case cst.Subscript(value=owner):
                self._assign_item(self.eval(owner), target, value)
            case cst.Tuple(elements=elements) | cst.List(elements=elements):
                self._unpack(elements, value)
            case cst.StarredElement(value=inner):
                self.assign(inner, value)

    def _unpack(self, elements: Seq[cst.BaseElement], value: Value) -> None:
        content = self.content(value)
        plain = content.plain()
        starred = any(isinstance(e, cst.StarredElement) for e in elements)
        if plain is not None and len(plain) == len(elements) and not starred:
            for element, item in zip(elements, plain, strict=True):
                self.assign(element.value, item)
            return
        each = content.entries[0].value if len(content.entries) == 1 else UNKNOWN
        for element in elements:
            starred_one = isinstance(element, cst.StarredElement)
            self.assign(element.value, UNKNOWN if starred_one else each)

    def _assign_item(self, holder: Value, target: cst.Subscript, value: Value) -> None:
        index = self._index(target)
        if isinstance(holder, List):
            content = self.content(holder)
            entries = list(content.entries)
            match index:
                case Index(domain=domain) if len(entries) == 1 and entries[0].domain == domain:
                    entries[0] = Entry(value, domain, entries[0].tests)
                case Const(value=int(i)) if content.plain() is not None and -len(
                    entries
                ) <= i < len(entries):
                    entries[i] = Entry(value)
                case _:
                    entries = list(OPAQUE.entries)
            self.set_content(holder, Content(tuple(entries)))
        elif isinstance(holder, Dict) and isinstance(target.value, cst.Name):
            key = index.value if isinstance(index, Const) else None
            if key is None:
                self.bind(target.value.value, UNKNOWN)
            else:
                kept = tuple((k, v) for k, v in holder.items if k != key)
                self.bind(target.value.value, Dict((*kept, (key, value))))

    def _index(self, node: cst.Subscript) -> Value:
        if len(node.slice) == 1 and isinstance(node.slice[0].slice, cst.Index):
            return self.eval(node.slice[0].slice.value)
        for element in node.slice:
            part = element.slice
            if isinstance(part, cst.Index):
                self.eval(part.value)
            elif isinstance(part, cst.Slice):
                for bound in (part.lower, part.upper, part.step):
                    if bound is not None:
                        self.eval(bound)
        return UNKNOWN

    def _delete(self, node: cst.Del) -> None:
        if isinstance(node.target, cst.Name):
            self.bind(node.target.value, UNKNOWN)

    def _return(self, node: cst.Return) -> None:
        value = self.eval(node.value) if node.value is not None else NONE
        frame = self._frames[-1]
        frame.returns.append((value, self.state.changes_since(frame.base)))
        self._alive = False

    def _raise(self, node: cst.Raise) -> None:
        if node.exc is not None:
            self.eval(node.exc)
        self._alive = False

    def _leave_loop(self, node: cst.Break | cst.Continue) -> None:
        if self._loops:
            loop = self._loops[-1]
            loop.exits.append(self.state.changes_since(loop.base))
        self._alive = False

    def _global(self, node: cst.Global) -> None:
        for item in node.names:
            self._scope.declared[item.name.value] = self.module

    def _nonlocal(self, node: cst.Nonlocal) -> None:
        for item in node.names:
            scope = self._scope.parent
            while scope is not None:
                if self.state.find((scope, item.name.value)) is not State.MISSING:
                    self._scope.declared[item.name.value] = scope
                    break
                scope = scope.parent

    def _import(self, node: cst.Import) -> None:
        for alias in node.names:
            path = _dotted(alias.name)
            if alias.asname is not None:
                self.assign(alias.asname.name, Symbol(path))
            else:
                root = path.split(".")[0]
                self.bind(root, Symbol(root))

    def _import_from(self, node: cst.ImportFrom) -> None:
        module = _dotted(node.module) if node.module is not None else ""
        if node.relative:
            module = "." * len(node.relative) + module
        if isinstance(node.names, cst.ImportStar):
            for name in library.exported_by(module):
                self.bind(name, Symbol(f"{module}.{name}"))
            return
        for alias in node.names:
            name = _dotted(alias.name)
            target = alias.asname.name if alias.asname is not None else alias.name
            separator = "" if module.endswith(".") else "."
            self.assign(target, Symbol(f"{module}{separator}{name}"))

    def _function_def(self, node: cst.FunctionDef) -> None:
        cls = self._classes[-1] if self._scope.kind == "class" and self._classes else None
        function = Function(node, self._scope, cls)
        for parameter in _parameters(node.params):
            if parameter.default is not None:
                self.state.cells[("default", parameter)] = self.eval(parameter.default)
        if cls is None:
            self._pending.append(function)
        value: Value = function
        for decorator in reversed(node.decorators):
            value = self._decorate(decorator, value)
        self.bind(node.name.value, value)

    def _decorate(self, decorator: cst.Decorator, value: Value) -> Value:
        name = _decorator_name(decorator)
        if name in ("staticmethod", "classmethod", "property", "cached_property"):
            return value
        applied = self.eval(decorator.decorator)
        return library.decorate(applied, value)

    def _class_def(self, node: cst.ClassDef) -> None:
        bases = tuple(self.eval(argument.value) for argument in node.bases)
        scope = Scope("class", self._scope, self._scope.calls)
        cls = Class(node, scope, bases)
        outer, self._scope = self._scope, scope
        self._classes.append(cls)
        try:
            self.suite(node.body)
        finally:
            self._scope = outer
        value: Value = cls
        for decorator in reversed(node.decorators):
            value = self._decorate(decorator, value)
        self.bind(node.name.value, value)

    # ------------------------------------------------------------------ branches and loops

    @contextmanager
    def _overlay(self) -> Iterator[State]:
        """Run on a fresh overlay; what it holds at the end is the caller's to merge."""
        base = self.state
        overlay = State(base)
        self.state = overlay
        try:
            yield overlay
        finally:
            self.state = base

    def _branch(self, action: Callable[[], None], test: Test | None = None) -> Changes | None:
        """Run one branch; its changes, or None where it leaves the block."""
        tests = len(self._tests)
        if test is not None:
            self._tests.append(test)
        with self._overlay() as overlay:
            action()
            changes = overlay.cells if self._alive else None
        del self._tests[tests:]
        self._alive = True
        return changes

    def _merge(self, paths: list[Changes | None]) -> None:
        living = [path for path in paths if path is not None]
        if living:
            self.state.merge(living)
        else:
            self._alive = False

    def _if(self, node: cst.If) -> None:
        value = self.eval(node.test)
        truth = value.value if isinstance(value, Const) else None
        taken = None if not isinstance(value, Const) else bool(truth)

        def otherwise() -> None:
            if isinstance(node.orelse, cst.If):
                self._if(node.orelse)
            elif node.orelse is not None:
                self.suite(node.orelse.body)

        def then() -> None:
            self.suite(node.body)

        if taken is not None or _is_main_guard(node.test):
            chosen = then if taken is not False else otherwise
            other = otherwise if chosen is then else then
            self._branch(other)
            changes = self._branch(chosen)
            self._merge([changes])
            return
        first = self._branch(then, Test(value, True, node.test))
        second = self._branch(otherwise, Test(value, False, node.test))
        if self._loops and (first is None) != (second is None):
            # What follows in this loop body runs under the condition of the branch that stayed.
            self._tests.append(Test(value, first is not None, node.test))
        self._merge([first, second])

    def _with(self, node: cst.With) -> None:
        for item in node.items:
            value = self.eval(item.item)
            library.enter_context(self, value)
            if item.asname is not None:
                self.assign(item.asname.name, value)
        self.suite(node.body)

    def _try(self, node: cst.Try | cst.TryStar) -> None:
        paths: list[Changes | None] = []

        def body() -> None:
            self.suite(node.body)
            if node.orelse is not None and self._alive:
                self.suite(node.orelse.body)

        main = self._branch(body)
        paths.append(main)
        for handler in node.handlers:

            def handle(handler: cst.ExceptHandler | cst.ExceptStarHandler = handler) -> None:
                if handler.name is not None:
                    self.assign(handler.name.name, UNKNOWN)
                self.suite(handler.body)

            paths.append(self._branch(handle))
        self._merge(paths)
        if node.finalbody is not None:
            alive, self._alive = self._alive, True
            self.suite(node.finalbody.body)
            self._alive = self._alive and alive

    def _match(self, node: cst.Match) -> None:
        self.eval(node.subject)
        paths: list[Changes | None] = [{}]
        for case in node.cases:

            def body(case: cst.MatchCase = case) -> None:
                for name in _names_in_pattern(case.pattern):
                    self.bind(name, UNKNOWN)
                if case.guard is not None:
                    self.eval(case.guard)
                self.suite(case.body)

            paths.append(self._branch(body))
        self._merge(paths)

    def _for(self, node: cst.For) -> None:
        content = self.content(self.eval(node.iter))
        entries = content.entries
        if len(entries) == 1 and entries[0].domain is not None:
            item, domain = entries[0].value, entries[0].domain
            tests = entries[0].tests
        else:
            item = join_all([entry.value for entry in entries]) if entries else UNKNOWN
            domain, tests = Domain(("loop", *self.identity(node))), ()
        if domain == ANYTHING:
            domain = Domain(("loop", *self.identity(node)))

        def body() -> None:
            self._tests.extend(tests)
            self.assign(node.target, item)
            self.suite(node.body)

        self._loop(node, domain, body)
        if node.orelse is not None and self._alive:
            self.suite(node.orelse.body)

    def _while(self, node: cst.While) -> None:
        def body() -> None:
            self.eval(node.test)
            self.suite(node.body)

        self._loop(node, Domain(("loop", *self.identity(node))), body)
        if node.orelse is not None and self._alive:
            self.suite(node.orelse.body)

    def _loop(self, node: cst.For | cst.While, domain: Domain, body: Callable[[], None]) -> None:
        """Evaluate a loop body once, as one of its rounds.

        What the body assigns is unknown when a round begins; a list that it appends to gets one
        entry for each member of the domain. So one evaluation stands for all rounds.
        """
        with self._overlay() as overlay:
            loop = _Loop(node, domain, overlay)
            self._forget_assigned(node)
            self._loops.append(loop)
            tests = len(self._tests)
            with self._overlay() as inner:
                loop.base = inner.below  # type: ignore[assignment]
                body()
                paths = list(loop.exits)
                if self._alive:
                    paths.append(inner.cells)
            del self._tests[tests:]
            self._loops.pop()
            self._alive = True
            if paths:
                overlay.merge(paths)
            self._close_lists(overlay, node, domain)
            changes = overlay.cells
        # A list of which each entry was visited needs no round that never ran.
        visited: Changes = {
            key: cell
            for key, cell in changes.items()
            if isinstance(cell, Content) and all(e.domain == domain for e in cell.entries)
        }
        self.state.merge([visited, changes])

    def _close_lists(self, overlay: State, node: cst.CSTNode, domain: Domain) -> None:
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

    def _forget_assigned(self, node: cst.For | cst.While) -> None:
        assigned = self._assigned.get(node)
        if assigned is None:
            assigned = self._assigned[node] = _Assigned.of(node)
        for name in assigned.names:
            target = self._scope.declared.get(name, self._scope)
            if self.state.find((target, name)) is not State.MISSING:
                self.state.cells[(target, name)] = UNKNOWN
        for owner, attribute in assigned.attributes:
            value = self.lookup(owner)
            if isinstance(value, Instance):
                self.state.cells[(value, attribute)] = UNKNOWN
        for grown in (*assigned.grown, *assigned.augmented):
            held = self._peek(grown)
            if isinstance(held, List):
                cell = self.state.find((held, "content"))
                entries = cell.entries if isinstance(cell, Content) else OPAQUE.entries
                mark = Entry(UNKNOWN, Domain(("earlier", node)))
                self.set_content(held, Content((*entries, mark)))
            elif grown in assigned.augmented and len(grown) == 1 and held is not None:
                target = self._scope.declared.get(grown[0], self._scope)
                if self.state.find((target, grown[0])) is not State.MISSING:
                    self.state.cells[(target, grown[0])] = UNKNOWN

    def _peek(self, path: tuple[str, ...]) -> Value | None:
        """The value of ``a`` or ``a.b`` without evaluating anything."""
        value = self.lookup(path[0])
        if len(path) == 1:
            return value
        if isinstance(value, Instance):
            found = self.state.find((value, path[1]))
            return found if found is not State.MISSING else None  # type: ignore[return-value]
        return None

    # ------------------------------------------------------------------ lists that grow

    def append(self, target: List, value: Value) -> None:
        """``target.append(value)``."""
        self.extend(target, Content((Entry(value),)))

    def extend(self, target: List, added: Content) -> None:
        """Add entries; inside a loop that began after the list, one for each round."""
        cell = self.state.find((target, "content"))
        content = cell if isinstance(cell, Content) else OPAQUE
        since = [loop for loop in self._loops if loop.node not in target.loops]
        tests = tuple(self._tests)
        if not since:
            entries = tuple(Entry(e.value, e.domain, (*tests, *e.tests)) for e in added.entries)
        elif len(since) == 1 and added.plain() is not None and len(added.entries) == 1:
            entries = (Entry(added.entries[0].value, since[0].domain, tests),)
            since[0].grown.add(target)
        else:
            entries = OPAQUE.entries
        self.set_content(target, Content((*content.entries, *entries)))

    # ------------------------------------------------------------------ expressions

    def eval(self, node: cst.BaseExpression) -> Value:
        """The value of an expression."""
        self._steps += 1
        handler = _EXPRESSIONS.get(type(node).__name__)
        return handler(self, node) if handler is not None else UNKNOWN

    def _name(self, node: cst.Name) -> Value:
        match node.value:
            case "None":
                return NONE
            case "True":
                return Const(True)
            case "False":
                return Const(False)
        return self.lookup(node.value)

    def _literal(self, node: cst.BaseExpression) -> Value:
        text = getattr(node, "value", "")
        try:
            return Const(ast.literal_eval(text))
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            return UNKNOWN

    def _concatenated(self, node: cst.ConcatenatedString) -> Value:
        left, right = self.eval(node.left), self.eval(node.right)
        if isinstance(left, Const) and isinstance(right, Const):
            return binary("Add", left, right, node)
        return UNKNOWN

    def _formatted(self, node: cst.FormattedString) -> Value:
        for part in node.parts:
            if isinstance(part, cst.FormattedStringExpression):
                self.eval(part.expression)
        return UNKNOWN

    def _attribute(self, node: cst.Attribute) -> Value:
        return self.attribute(self.eval(node.value), node.attr.value, node)

    def _subscript(self, node: cst.Subscript) -> Value:
        holder = self.eval(node.value)
        index = self._index(node)
        match holder, index:
            case Dict(), Const(value=key):
                return holder.get(key)
            case ((List() | Sequence()), _):
                content = self.content(holder)
                plain = content.plain()
                match index:
                    case Const(value=int(i)) if plain is not None and -len(plain) <= i < len(plain):
                        return plain[i]
                    case Const(value=int()) if len(content.entries) == 1:
                        return content.entries[0].value
                    case Index(domain=domain):
                        for entry in content.entries:
                            if entry.domain == domain and not entry.tests:
                                return entry.value
                return UNKNOWN
            case Computed(function="gradients"), (Const(value=int()) | Index()):
                return self.content(holder).entries[0].value
        if isinstance(holder, (Member, Weight)) or (
            isinstance(holder, Unknown) and holder.origin is not None
        ):
            return Unknown(("item", holder, index)) if isinstance(index, Const) else UNKNOWN
        return UNKNOWN

    def _display(self, node: cst.List | cst.Tuple | cst.Set) -> Value:
        entries: list[Entry] = []
        for element in node.elements:
            value = self.eval(element.value)
            if isinstance(element, cst.StarredElement):
                entries.extend(self.content(value).entries)
            else:
                entries.append(Entry(value))
        content = Content(tuple(entries))
        if isinstance(node, cst.List):
            return self.new_list(node, content)
        return Sequence("tuple" if isinstance(node, cst.Tuple) else "set", content)

    def _dict(self, node: cst.Dict) -> Value:
        items: dict[object, Value] = {}
        known = True
        for element in node.elements:
            value = self.eval(element.value)
            if isinstance(element, cst.DictElement):
                key = self.eval(element.key)
                if isinstance(key, Const):
                    items[key.value] = value
                else:
                    known = False
            else:
                known = known and isinstance(value, Dict)
                if isinstance(value, Dict):
                    items.update(value.items)
        return Dict(tuple(items.items())) if known else UNKNOWN

    def _lambda(self, node: cst.Lambda) -> Value:
        for parameter in _parameters(node.params):
            if parameter.default is not None:
                self.state.cells[("default", parameter)] = self.eval(parameter.default)
        return Function(node, self._scope)

    def _if_exp(self, node: cst.IfExp) -> Value:
        test = self.eval(node.test)
        if isinstance(test, Const):
            return self.eval(node.body if test.value else node.orelse)
        return join(self.eval(node.body), self.eval(node.orelse))

    def _binary(self, node: cst.BinaryOperation) -> Value:
        left, right = self.eval(node.left), self.eval(node.right)
        operator = type(node.operator).__name__
        if operator == "Add" and isinstance(left, (List, Sequence)):
            if isinstance(right, (List, Sequence)):
                joined = (*self.content(left).entries, *self.content(right).entries)
                return self.new_list(node, Content(joined))
            return UNKNOWN
        self.note_list_arithmetic(node, operator, left, node.left, right, node.right)
        self.note_list_arithmetic(node, operator, right, node.right, left, node.left)
        return binary(operator, left, right, node)

    def _unary(self, node: cst.UnaryOperation) -> Value:
        value = self.eval(node.expression)
        operator = type(node.operator).__name__
        if operator == "Minus":
            self.note_list_arithmetic(node, operator, value, node.expression, None, None)
        return unary(operator, value, node)

    def note_list_arithmetic(
        self,
        node: cst.BinaryOperation | cst.UnaryOperation | cst.AugAssign,
        operator: str,
        gradients: Value,
        gradients_node: cst.BaseExpression,
        other: Value | None,
        other_node: cst.BaseExpression | None,
    ) -> None:
        """Record an operator that is applied to a list of gradients as a whole."""
        if not isinstance(gradients, List):
            return
        entries = self.content(gradients).entries
        calls = [e.value.call for e in entries if isinstance(e.value, Gradient)]
        if calls and len(calls) == len(entries):
            fact = ListArithmetic(node, operator, gradients_node, other, other_node, calls[0])
            self.facts.arithmetic.setdefault(node, []).append(fact)

    def _boolean(self, node: cst.BooleanOperation) -> Value:
        left, right = self.eval(node.left), self.eval(node.right)
        if isinstance(left, Const):
            shortcut = bool(left.value) == isinstance(node.operator, cst.Or)
            return left if shortcut else right
        return Computed(type(node.operator).__name__, Arguments((left, right)), node)

    def _comparison(self, node: cst.Comparison) -> Value:
        left = self.eval(node.left)
        rights = [(type(c.operator).__name__, self.eval(c.comparator)) for c in node.comparisons]
        if len(rights) != 1:
            return UNKNOWN
        return compare(rights[0][0], left, rights[0][1], node)

    def _comprehension(self, node: cst.ListComp | cst.GeneratorExp | cst.SetComp) -> Value:
        content = self._comprehend(node.for_in, node.elt)
        if isinstance(node, cst.ListComp):
            return self.new_list(node, content)
        kind = "iterator" if isinstance(node, cst.GeneratorExp) else "set"
        return Sequence(kind, content, nodes=(node,))

    def _comprehend(self, clause: cst.CompFor, element: cst.BaseExpression) -> Content:
        content = self.content(self.eval(clause.iter))
        outer = self._scope
        self._scope = Scope("function", outer, outer.calls, outer.function)
        try:
            if len(content.entries) > _UNROLLED:
                values = join_all([entry.value for entry in content.entries])
                content = Content((Entry(values, ANYTHING),))
            results: list[Entry] = []
            for entry in content.entries:
                self.assign(clause.target, entry.value)
                tests = list(entry.tests)
                keep = True
                for condition in clause.ifs:
                    value = self.eval(condition.test)
                    if isinstance(value, Const):
                        keep = keep and bool(value.value)
                    else:
                        tests.append(Test(value, True, condition.test))
                if clause.inner_for_in is not None:
                    inner = self._comprehend(clause.inner_for_in, element)
                    if entry.domain is None and not tests:
                        results.extend(inner.entries if keep else ())
                    else:
                        results.extend(Entry(e.value, ANYTHING, e.tests) for e in inner.entries)
                else:
                    value = self.eval(element)
                    if keep:
                        results.append(Entry(value, entry.domain, tuple(tests)))
            return Content(tuple(results))
        finally:
            self._scope = outer

    def _dict_comp(self, node: cst.DictComp) -> Value:
        self._comprehend(node.for_in, node.value)
        return UNKNOWN

    def _named(self, node: cst.NamedExpr) -> Value:
        value = self.eval(node.value)
        self.assign(node.target, value)
        return value

    def _await(self, node: cst.Await) -> Value:
        return self.eval(node.expression)

    def _yield(self, node: cst.Yield) -> Value:
        if self._frames:
            self._frames[-1].yields = True
        if isinstance(node.value, cst.From):
            self.eval(node.value.item)
        elif node.value is not None:
            self.eval(node.value)
        return UNKNOWN

    def _ellipsis(self, node: cst.Ellipsis) -> Value:
        return Const(...)

    # ------------------------------------------------------------------ calls

    def _call(self, node: cst.Call) -> Value:
        function = self.eval(node.func)
        arguments = self._arguments(node)
        if self.reveal is not None and function == Unknown(("free", "reveal")):
            self.reveal(node, arguments.positional[0], self)
        return self.call(function, arguments, node)

    def _arguments(self, node: cst.Call) -> Arguments:
        positional: list[Value] = []
        keywords: list[tuple[str, Value]] = []
        complete = True
        for argument in node.args:
            value = self.eval(argument.value)
            if argument.star == "*":
                plain = self.content(value).plain()
                if plain is None:
                    # zip(*x): the callee sees that something came this way.
                    complete = False
                else:
                    positional.extend(plain)
            elif argument.star == "**":
                if isinstance(value, Dict):
                    keywords.extend((k, v) for k, v in value.items if isinstance(k, str))
                else:
                    complete = False
            elif argument.keyword is not None:
                keywords.append((argument.keyword.value, value))
            elif complete:
                positional.append(value)
        return Arguments(tuple(positional), tuple(keywords), complete)

    def call(self, function: Value, arguments: Arguments, node: cst.Call) -> Value:
        """Call a value."""
        match function:
            case Either(values=values):
                first = values[0]
                if all(isinstance(v, Symbol) and isinstance(first, Symbol) for v in values):
                    return join_all([self.call(v, arguments, node) for v in values])
                return join_all([self.call(v, arguments, node) for v in values[:2]])
            case Function():
                return self.enter(function, arguments, node)
            case CustomGradient(function=inner):
                return Computed(function, arguments, node)
            case Method(owner=owner, function=inner):
                bound = Arguments(
                    (owner, *arguments.positional), arguments.keywords, arguments.complete
                )
                return self.enter(inner, bound, node)
            case Class():
                return self._instantiate(function, arguments, node)
            case Symbol():
                return library.call_symbol(self, function, arguments, node)
            case Member(of=of, name=name):
                return library.call_method(self, of, name, arguments, node)
            case Instance():
                return self._call_instance(function, arguments, node)
        self.escape(arguments)
        return UNKNOWN

    def escape(self, arguments: Arguments) -> None:
        """Lists given to code that nobody knows may have been changed by it."""
        for value in (*arguments.positional, *(v for _, v in arguments.keywords)):
            if isinstance(value, List):
                self.set_content(value, OPAQUE)

    def _instantiate(self, cls: Class, arguments: Arguments, node: cst.Call) -> Value:
        result = Instance(cls, self.identity(node), arguments, node)
        init = self._find_method(result, "__init__")
        if init is not None:
            bound = Arguments((result, *arguments.positional), arguments.keywords,
                              arguments.complete)  # fmt: skip
            self.enter(init, bound, node)
            build = self._find_method(result, "build")
            if build is not None:
                self.enter(build, Arguments((result,)), node)
        elif not any(isinstance(base, Symbol) for base in cls.lineage()) and any(
            not isinstance(base, (Class, Symbol)) for base in cls.bases
        ):
            self.escape(arguments)
        return result

    def _call_instance(self, instance: Instance, arguments: Arguments, node: cst.Call) -> Value:
        for name in ("__call__", "call"):
            method = self._find_method(instance, name)
            if method is not None:
                bound = Arguments((instance, *arguments.positional), arguments.keywords,
                                  arguments.complete)  # fmt: skip
                inner = self.enter(method, bound, node)
                if inner != UNKNOWN and name == "__call__":
                    return inner
                break
        return library.call_layer(self, instance, arguments, node)

    def enter(
        self,
        function: Function,
        arguments: Arguments,
        node: cst.CSTNode | None,
        *,
        forced: bool = False,
    ) -> Value:
        """Evaluate the body of a function of the program; its result.

        ``forced`` enters past the budget (each function is entered at least once).
        """
        entered = self.facts.entered.get(function.node, set())
        refused = (
            self._steps > self._budget or len(self._frames) > _DEPTH or len(entered) >= _ENTRIES
        )
        if function.node in self._running or (refused and not forced):
            self.escape(arguments)
            return UNKNOWN
        self.facts.entered.setdefault(function.node, set()).add(node)
        is_coroutine = isinstance(function.node, cst.FunctionDef) and function.node.asynchronous
        scope = Scope(
            "function", function.scope, (*self._scope.calls, node)[-_DEPTH:], function.node
        )
        outer, loops, tests = self._scope, self._loops, self._tests
        self._running.append(function.node)
        try:
            with self._overlay() as overlay:
                frame = _Frame(function, overlay)
                self._frames.append(frame)
                with self._overlay() as inner:
                    self._scope, self._tests = scope, list(tests)
                    self._bind_parameters(function, arguments)
                    if isinstance(function.node, cst.Lambda):
                        value = self.eval(function.node.body)
                        frame.returns.append((value, inner.cells))
                    else:
                        self.suite(function.node.body)
                        if self._alive:
                            frame.returns.append((NONE, inner.cells))
                self._alive = True
                changes = [path for _, path in frame.returns]
                if changes:
                    overlay.merge(changes)
        finally:
            self._frames.pop()
            self._running.pop()
            self._scope, self._loops, self._tests = outer, loops, tests
        self.state.cells.update(overlay.cells)
        if not frame.returns:
            self._alive = forced  # it always raises
            return UNKNOWN
        if frame.yields or is_coroutine:
            return UNKNOWN
        return self._join_results(frame.returns, node)

    def _join_results(
        self, returns: list[tuple[Value, Changes]], node: cst.CSTNode | None
    ) -> Value:
        """The result of a call with several returns; lists are joined by their content."""
        values = [value for value, _ in returns]
        if len(values) > 1 and all(isinstance(v, List) for v in values):
            contents = [self.content(v) for v in values]
            joined = contents[0]
            for content in contents[1:]:
                joined = join_content(joined, content)
            if node is not None:
                return self.new_list(node, joined, "result")
        return join_all(values)

    def _bind_parameters(self, function: Function, arguments: Arguments) -> None:
        params = function.node.params
        positional = list(arguments.positional)
        keywords = dict(arguments.keywords)
        for index, parameter in enumerate(_positional(params)):
            name = parameter.name.value
            if index < len(positional):
                value = positional[index]
            elif name in keywords:
                value = keywords.pop(name)
            else:
                value = self._default(parameter, arguments)
            self.bind(name, value)
        for parameter in params.kwonly_params:
            name = parameter.name.value
            given = keywords.pop(name, None)
            self.bind(name, self._default(parameter, arguments) if given is None else given)
        if isinstance(params.star_arg, cst.Param):
            rest = positional[len(_positional(params)) :] if arguments.complete else None
            content = OPAQUE if rest is None else Content(tuple(Entry(v) for v in rest))
            self.bind(params.star_arg.name.value, Sequence("tuple", content))
        if params.star_kwarg is not None:
            value = Dict(tuple(keywords.items())) if arguments.complete else UNKNOWN
            self.bind(params.star_kwarg.name.value, value)

    def _default(self, parameter: cst.Param, arguments: Arguments) -> Value:
        if parameter.default is None or not arguments.complete:
            return UNKNOWN
        found = self.state.find(("default", parameter))
        return UNKNOWN if found is State.MISSING else found  # type: ignore[return-value]

    # ------------------------------------------------------------------ what library code needs

    def current_function(self) -> Function | None:
        """The function that is being evaluated."""
        return self._frames[-1].function if self._frames else None

    def current_class_and_self(self) -> tuple[Class | None, Value]:
        """For ``super()``: the class of the running method and its first argument."""
        function = self.current_function()
        if function is None or function.cls is None:
            return None, UNKNOWN
        params = _positional(function.node.params)
        return function.cls, (self.lookup(params[0].name.value) if params else UNKNOWN)

    def find_method(self, value: Value, name: str) -> Function | None:
        """The user's own method ``name`` of an object, through the user's base classes."""
        return self._find_method(value, name)

    def attributes_of(self, instance: Instance) -> Iterator[tuple[str, Value]]:
        """The attributes that are set on an object."""
        seen: set[Key] = set()
        state: State | None = self.state
        while state is not None:
            for key, cell in state.cells.items():
                if key[0] == instance and key not in seen and isinstance(key[1], str):
                    seen.add(key)
                    if not isinstance(cell, (Content, cst.CSTNode)) and cell is not None:
                        yield key[1], cell
            state = state.below

    def in_branch_or_loop(self) -> bool:
        """Whether the statement at hand may run any number of times."""
        return bool(self._loops or self._tests)

    def per_entry(self, values: tuple[Value, ...]) -> Value:
        """One value where all are the same, else another one for each entry."""
        return values[0] if len(set(values)) == 1 else PerEntry(values)

    def length_of(self, value: Value) -> Value:
        """``len(value)``."""
        content = self.content(value)
        plain = content.plain()
        if plain is not None:
            return Const(len(plain))
        if len(content.entries) == 1 and content.entries[0].domain not in (None, ANYTHING):
            domain = content.entries[0].domain
            assert domain is not None
            return Length(domain)
        return UNKNOWN


# ---------------------------------------------------------------------- reading the syntax


@dataclass(frozen=True)
class _Assigned:
    """What a loop body assigns, read from its syntax."""

    names: frozenset[str]
    attributes: frozenset[tuple[str, str]]
    grown: frozenset[tuple[str, ...]]
    augmented: frozenset[tuple[str, ...]]

    @staticmethod
    def of(loop: cst.For | cst.While) -> _Assigned:
        names: set[str] = set()
        attributes: set[tuple[str, str]] = set()
        grown: set[tuple[str, ...]] = set()
        augmented: set[tuple[str, ...]] = set()

        def target(node: cst.CSTNode) -> None:
            match node:
                case cst.Name(value=name):
                    names.add(name)
                case cst.Attribute(value=cst.Name(value=owner), attr=cst.Name(value=name)):
                    attributes.add((owner, name))
                case cst.Tuple(elements=elements) | cst.List(elements=elements):
                    for element in elements:
                        target(element.value)

        stack: list[cst.CSTNode] = [loop.body]
        if isinstance(loop, cst.For):
            target(loop.target)
        while stack:
            node = stack.pop()
            match node:
                case cst.Assign():
                    for assigned in node.targets:
                        target(assigned.target)
                case cst.AnnAssign() | cst.NamedExpr():
                    target(node.target)
                case cst.AugAssign():
                    path = _path(node.target)
                    if path:
                        augmented.add(path)
                        if len(path) == 2:
                            attributes.add((path[0], path[1]))
                case cst.For():
                    target(node.target)
                case cst.AsName():
                    target(node.name)
                case cst.FunctionDef() | cst.ClassDef():
                    names.add(node.name.value)
                    continue
                case cst.Call(func=cst.Attribute(value=owner, attr=cst.Name(value=method))):
                    if method in _MUTATORS and (path := _path(owner)):
                        grown.add(path)
            stack.extend(node.children)
        attributes -= {(p[0], p[1]) for p in grown if len(p) == 2}
        return _Assigned(
            frozenset(names), frozenset(attributes), frozenset(grown), frozenset(augmented)
        )


def _path(node: cst.CSTNode) -> tuple[str, ...]:
    """``("a",)`` or ``("a", "b")`` for a name or one attribute of a name."""
    match node:
        case cst.Name(value=name):
            return (name,)
        case cst.Attribute(value=cst.Name(value=owner), attr=cst.Name(value=name)):
            return (owner, name)
    return ()


def _dotted(node: cst.CSTNode) -> str:
    parts: list[str] = []
    while isinstance(node, cst.Attribute):
        parts.append(node.attr.value)
        node = node.value
    if isinstance(node, cst.Name):
        parts.append(node.value)
    return ".".join(reversed(parts))


def _positional(params: cst.Parameters) -> list[cst.Param]:
    return [*params.posonly_params, *params.params]


def _parameters(params: cst.Parameters) -> list[cst.Param]:
    return [*_positional(params), *params.kwonly_params]


def _decorator_name(decorator: cst.Decorator) -> str:
    node = decorator.decorator
    return node.value if isinstance(node, cst.Name) else ""


def _is_static(node: cst.FunctionDef | cst.Lambda) -> bool:
    return isinstance(node, cst.FunctionDef) and any(
        _decorator_name(d) == "staticmethod" for d in node.decorators
    )


def _is_main_guard(test: cst.BaseExpression) -> bool:
    match test:
        case cst.Comparison(left=cst.Name(value="__name__")):
            return True
    return False


def _attributes_set(function: cst.FunctionDef | cst.Lambda) -> set[str]:
    """The attributes of its first parameter that a method assigns."""
    params = _positional(function.params)
    if not params:
        return set()
    own = params[0].name.value
    found: set[str] = set()
    stack: list[cst.CSTNode] = [function.body]
    while stack:
        node = stack.pop()
        targets: list[cst.CSTNode] = []
        match node:
            case cst.Assign():
                targets = [t.target for t in node.targets]
            case cst.AnnAssign() | cst.AugAssign():
                targets = [node.target]
        while targets:
            target = targets.pop()
            match target:
                case cst.Attribute(value=cst.Name(value=name), attr=cst.Name(value=attribute)):
                    if name == own:
                        found.add(attribute)
                case cst.Tuple(elements=elements) | cst.List(elements=elements):
                    targets.extend(element.value for element in elements)
        stack.extend(node.children)
    return found


def _names_in_pattern(pattern: cst.CSTNode) -> Iterator[str]:
    stack: list[cst.CSTNode] = [pattern]
    while stack:
        node = stack.pop()
        if isinstance(node, (cst.MatchAs, cst.MatchStar)) and node.name is not None:
            yield node.name.value
        stack.extend(node.children)


_Handler = Callable[[Interpreter, "cst.CSTNode"], None]
_STATEMENTS: dict[str, Callable[..., None]] = {
    "Expr": Interpreter._expr,
    "Assign": Interpreter._assign,
    "AnnAssign": Interpreter._ann_assign,
    "AugAssign": Interpreter._aug_assign,
    "Del": Interpreter._delete,
    "Return": Interpreter._return,
    "Raise": Interpreter._raise,
    "Break": Interpreter._leave_loop,
    "Continue": Interpreter._leave_loop,
    "Global": Interpreter._global,
    "Nonlocal": Interpreter._nonlocal,
    "Import": Interpreter._import,
    "ImportFrom": Interpreter._import_from,
    "FunctionDef": Interpreter._function_def,
    "ClassDef": Interpreter._class_def,
    "If": Interpreter._if,
    "With": Interpreter._with,
    "Try": Interpreter._try,
    "TryStar": Interpreter._try,
    "Match": Interpreter._match,
    "For": Interpreter._for,
    "While": Interpreter._while,
}
_EXPRESSIONS: dict[str, Callable[..., Value]] = {
    "Name": Interpreter._name,
    "Integer": Interpreter._literal,
    "Float": Interpreter._literal,
    "Imaginary": Interpreter._literal,
    "SimpleString": Interpreter._literal,
    "ConcatenatedString": Interpreter._concatenated,
    "FormattedString": Interpreter._formatted,
    "Attribute": Interpreter._attribute,
    "Subscript": Interpreter._subscript,
    "List": Interpreter._display,
    "Tuple": Interpreter._display,
    "Set": Interpreter._display,
    "Dict": Interpreter._dict,
    "Lambda": Interpreter._lambda,
    "IfExp": Interpreter._if_exp,
    "BinaryOperation": Interpreter._binary,
    "UnaryOperation": Interpreter._unary,
    "BooleanOperation": Interpreter._boolean,
    "Comparison": Interpreter._comparison,
    "ListComp": Interpreter._comprehension,
    "GeneratorExp": Interpreter._comprehension,
    "SetComp": Interpreter._comprehension,
    "DictComp": Interpreter._dict_comp,
    "Call": Interpreter._call,
    "NamedExpr": Interpreter._named,
    "Await": Interpreter._await,
    "Yield": Interpreter._yield,
    "Ellipsis": Interpreter._ellipsis,
}
