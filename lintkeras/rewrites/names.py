"""Which variable a name stands for: Python's scopes over the syntax, as fixes need them."""

from __future__ import annotations

import builtins
from collections.abc import Iterator
from dataclasses import dataclass, field

import libcst as cst

from lintkeras.syntax.program import Program

_COMPREHENSIONS = (cst.ListComp, cst.SetComp, cst.GeneratorExp, cst.DictComp)
_OPAQUE = frozenset({"exec", "eval", "locals", "globals", "vars"})


@dataclass(eq=False)
class Scope:
    """A namespace and the names that are bound in it."""

    node: cst.CSTNode | None
    parent: Scope | None
    bound: set[str] = field(default_factory=set)
    elsewhere: dict[str, Scope | None] = field(default_factory=dict)
    """Names declared ``global`` or ``nonlocal``: the scope to look in."""


@dataclass(eq=False)
class Variable:
    """One variable: where it is bound and where it is read, in the order of the code."""

    name: str
    scope: Scope
    stores: list[cst.Name] = field(default_factory=list)
    loads: list[cst.Name] = field(default_factory=list)
    deleted: bool = False


class Names:
    """The variables of a program; the snippets of a document share one module scope."""

    def __init__(self, program: Program) -> None:
        self.module = Scope(None, None)
        self.all: set[str] = set()
        """Every identifier of the program, whatever it stands for."""
        self._attributes: dict[str, list[cst.Attribute]] = {}
        self.opaque = False
        """Whether names may be read by their spelling (``eval``, ``locals``)."""
        self._found: list[tuple[cst.Name, Scope, str]] = []
        for module in program.modules:
            self._read(module)
        self._variables: dict[tuple[Scope, str], Variable] = {}
        self._by_node: dict[cst.Name, Variable] = {}
        self._places = {node: scope for node, scope, _ in self._found}
        self._resolve()

    def variable(self, node: cst.Name) -> Variable | None:
        """The variable that a name stands for; None for one that is no variable."""
        return self._by_node.get(node)

    def sees(self, node: cst.Name, variable: Variable) -> bool:
        """Whether the variable's name, written in the place of ``node``, would mean it."""
        return self._home(variable.name, self._places[node]) is variable.scope

    def attribute_uses(self, name: str) -> list[cst.Attribute]:
        """Every ``x.name`` of the program, whatever x is."""
        return self._attributes.get(name, [])

    def is_bound(self, name: str) -> bool:
        """Whether any scope of the program binds the name."""
        return any(n == name and v.stores for (_, n), v in self._variables.items())

    def find(self, name: str) -> Variable | None:
        """The module's variable of a name."""
        return self._variables.get((self.module, name))

    def unbound(self) -> list[str]:
        """The names that are read and that nothing in view binds, builtins aside, in order."""
        return [
            name
            for (scope, name), variable in self._variables.items()
            if scope is self.module and variable.loads and not variable.stores
            if not hasattr(builtins, name)
        ]

    # -------------------------------------------------------------- reading

    def _read(self, module: cst.Module) -> None:
        stack: list[tuple[cst.CSTNode, Scope]] = [(module, self.module)]
        while stack:
            node, scope = stack.pop()
            stack.extend(reversed(list(self._inside(node, scope))))

    def _inside(self, node: cst.CSTNode, scope: Scope) -> Iterator[tuple[cst.CSTNode, Scope]]:
        """Note what a node says about names; the parts to read next."""
        match node:
            case cst.Name():
                self.all.add(node.value)
                self.opaque = self.opaque or node.value in _OPAQUE
                self._found.append((node, scope, "load"))
            case cst.Attribute():
                self.all.add(node.attr.value)
                self._attributes.setdefault(node.attr.value, []).append(node)
                yield node.value, scope
            case cst.Arg():
                yield node.value, scope
            case cst.FunctionDef() | cst.Lambda():
                yield from self._function(node, scope)
            case cst.ClassDef():
                self._bind(node.name, scope)
                inner = Scope(node, scope)
                for part in (*node.decorators, *node.bases, *node.keywords):
                    yield part, scope
                yield node.body, inner
            case cst.ListComp() | cst.SetComp() | cst.GeneratorExp() | cst.DictComp():
                inner = Scope(node, scope)
                yield from self._clause(node.for_in, scope, inner)
                if isinstance(node, cst.DictComp):
                    yield node.key, inner
                    yield node.value, inner
                else:
                    yield node.elt, inner
            case cst.Import() | cst.ImportFrom():
                self._imported(node, scope)
            case cst.Global() | cst.Nonlocal():
                where = self.module if isinstance(node, cst.Global) else scope.parent
                for item in node.names:
                    scope.elsewhere[item.name.value] = where
            case cst.NamedExpr():
                holder = scope
                while isinstance(holder.node, _COMPREHENSIONS) and holder.parent is not None:
                    holder = holder.parent
                yield from self._target(node.target, holder)
                yield node.value, scope
            case cst.Del():
                yield from self._target(node.target, scope, "delete")
            case cst.MatchAs() | cst.MatchStar() | cst.MatchMapping():
                bound = node.rest if isinstance(node, cst.MatchMapping) else node.name
                if bound is not None:
                    self._bind(bound, scope)
                for child in node.children:
                    if child is not bound:
                        yield child, scope
            case cst.AssignTarget() | cst.AnnAssign() | cst.AugAssign() | cst.For() | cst.AsName():
                target = node.name if isinstance(node, cst.AsName) else node.target
                for child in node.children:
                    if child is target:
                        yield from self._target(target, scope)
                    else:
                        yield child, scope
            case _:
                for child in node.children:
                    yield child, scope

    def _function(
        self, node: cst.FunctionDef | cst.Lambda, scope: Scope
    ) -> Iterator[tuple[cst.CSTNode, Scope]]:
        inner = Scope(node, scope)
        if isinstance(node, cst.FunctionDef):
            self._bind(node.name, scope)
            for decorator in node.decorators:
                yield decorator, scope
            if node.returns is not None:
                yield node.returns, scope
        for parameter in _parameters(node.params):
            self._bind(parameter.name, inner)
            for part in (parameter.annotation, parameter.default):
                if part is not None:
                    yield part, scope
        yield node.body, inner

    def _clause(
        self, clause: cst.CompFor, outer: Scope, inner: Scope
    ) -> Iterator[tuple[cst.CSTNode, Scope]]:
        yield clause.iter, outer
        yield from self._target(clause.target, inner)
        for condition in clause.ifs:
            yield condition, inner
        if clause.inner_for_in is not None:
            yield from self._clause(clause.inner_for_in, inner, inner)

    def _imported(self, node: cst.Import | cst.ImportFrom, scope: Scope) -> None:
        if isinstance(node.names, cst.ImportStar):
            return
        for alias in node.names:
            bound: cst.CSTNode = alias.asname.name if alias.asname is not None else alias.name
            while isinstance(bound, cst.Attribute):
                bound = bound.value
            if isinstance(bound, cst.Name):
                self._bind(bound, scope)

    def _target(
        self, node: cst.CSTNode, scope: Scope, kind: str = "store"
    ) -> Iterator[tuple[cst.CSTNode, Scope]]:
        """A target of an assignment: its names are bound, its other parts are read."""
        match node:
            case cst.Name():
                self._bind(node, scope, kind)
            case cst.Tuple(elements=elements) | cst.List(elements=elements):
                for element in elements:
                    yield from self._target(element.value, scope, kind)
            case cst.StarredElement(value=value):
                yield from self._target(value, scope, kind)
            case _:
                yield node, scope

    def _bind(self, name: cst.Name, scope: Scope, kind: str = "store") -> None:
        self.all.add(name.value)
        scope.bound.add(name.value)
        self._found.append((name, scope, kind))

    # -------------------------------------------------------------- resolving

    def _resolve(self) -> None:
        for node, scope, kind in self._found:
            home = self._home(node.value, scope)
            key = (home, node.value)
            variable = self._variables.setdefault(key, Variable(node.value, home))
            (variable.loads if kind == "load" else variable.stores).append(node)
            variable.deleted = variable.deleted or kind == "delete"
            self._by_node[node] = variable

    def _home(self, name: str, scope: Scope) -> Scope:
        current: Scope | None = scope
        while current is not None:
            if name in current.elsewhere:
                current = current.elsewhere[name]
                continue
            visible = current is scope or not isinstance(current.node, cst.ClassDef)
            if visible and name in current.bound:
                return current
            current = current.parent
        return self.module


def _parameters(params: cst.Parameters) -> Iterator[cst.Param]:
    yield from params.posonly_params
    yield from params.params
    if isinstance(params.star_arg, cst.Param):
        yield params.star_arg
    yield from params.kwonly_params
    if params.star_kwarg is not None:
        yield params.star_kwarg
