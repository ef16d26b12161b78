"""Which arguments a class or a function takes, read from the source and the data of Keras.

Classes are followed to their bases: in the file, in other files of the project, and to public
classes of Keras. What is not known is None.
"""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from lintkeras.keras_api.releases import Releases, place_of
from lintkeras.modules import ProjectModules

Function = ast.FunctionDef | ast.AsyncFunctionDef
_KERAS = ("keras", "tf_keras", "tensorflow.keras")
_DEEPEST = 12


@dataclass(frozen=True)
class Accepted:
    """The names that may be given. ``own`` are those of the signature itself, with defaults."""

    own: Mapping[str, ast.expr | None]
    further: frozenset[str] = frozenset()

    @property
    def names(self) -> frozenset[str]:
        """All of them."""
        return frozenset(self.own) | self.further


@dataclass(frozen=True)
class Scope:
    """The classes and imports of a file, as far as each name is bound once."""

    path: str
    classes: Mapping[str, ast.ClassDef]
    imports: Mapping[str, str]

    @property
    def uses_keras(self) -> bool:
        """Whether it imports Keras."""
        return any(is_keras(path) for path in self.imports.values())

    def dotted(self, node: ast.expr) -> str | None:
        """The path of an imported name; None where it is no such name."""
        match node:
            case ast.Name(id=name):
                return self.imports.get(name)
            case ast.Attribute(value=value, attr=name):
                path = self.dotted(value)
                return f"{path}.{name}" if path is not None else None
        return None


def is_keras(path: str) -> bool:
    """Whether a dotted path is one of Keras, public or private."""
    return any(path == root or path.startswith(root + ".") for root in _KERAS)


def scope_of(path: str, tree: ast.Module) -> Scope:
    """What the statements of a module bind."""
    bound: dict[str, int] = {}
    classes: dict[str, ast.ClassDef] = {}
    imports: dict[str, str] = {}
    for node in tree.body:
        match node:
            case ast.ClassDef(name=name):
                classes[name] = node
                names = [name]
            case ast.ImportFrom(module=module, names=aliases, level=level):
                names = []
                for alias in aliases:
                    dots = "." * level
                    head = dots + (module or "")
                    joint = "" if head.endswith(".") or not head else "."
                    imports[alias.asname or alias.name] = f"{head}{joint}{alias.name}"
                    names.append(alias.asname or alias.name)
            case ast.Import(names=aliases):
                for alias in aliases:
                    top = alias.name.partition(".")[0]
                    imports[alias.asname or top] = alias.name if alias.asname else top
                names = [alias.asname for alias in aliases if alias.asname]
            case _:
                names = [
                    inner.id if isinstance(inner, ast.Name) else inner.name
                    for inner in _outer(node)
                    if isinstance(inner, (Function, ast.ClassDef))
                    or (isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Store))
                ]
        for name in names:
            bound[name] = bound.get(name, 0) + 1
    once = {name for name in (*classes, *imports) if bound.get(name, 0) <= 1}
    return Scope(
        path,
        {name: node for name, node in classes.items() if name in once},
        {name: target for name, target in imports.items() if name in once},
    )


def _outer(node: ast.AST) -> Iterator[ast.AST]:
    """A node and what is in it, but not inside functions and classes."""
    yield node
    if not isinstance(node, (Function, ast.ClassDef, ast.Lambda)):
        for child in ast.iter_child_nodes(node):
            yield from _outer(child)


def registers(decorator: ast.expr) -> bool:
    """Whether a decorator is a call that gets nothing but text: it registers a name."""
    if not isinstance(decorator, ast.Call):
        return False
    try:
        given = [ast.literal_eval(one) for one in decorator.args]
        given += [ast.literal_eval(one.value) for one in decorator.keywords]
    except ValueError:
        return False
    return bool(given) and all(isinstance(one, (str, list, tuple)) for one in given)


def method(node: ast.ClassDef, name: str) -> Function | None:
    """The last function of a class body that has a name."""
    found = [one for one in node.body if isinstance(one, Function) and one.name == name]
    return found[-1] if found else None


def _may_bind(node: ast.ClassDef, name: str) -> bool:
    """Whether a statement of a class body gives a name a value, also under a condition."""
    inner = [one for child in node.body for one in _outer(child)]
    return any(
        (one.id if isinstance(one, ast.Name) else one.name) == name
        for one in inner
        if isinstance(one, (Function, ast.Name))
    )


@dataclass
class Signatures:
    """Follows the classes of one file."""

    releases: Releases
    modules: ProjectModules = field(default_factory=ProjectModules)
    _scopes: dict[str, Scope | None] = field(default_factory=dict)

    def ancestors(self, node: ast.ClassDef, scope: Scope) -> Iterator[tuple[ast.ClassDef, Scope]]:
        """The class and its bases whose source is at hand."""
        seen: list[ast.ClassDef] = []
        waiting = [(node, scope)]
        while waiting and len(seen) < _DEEPEST:
            one, where = waiting.pop(0)
            if one in seen:
                continue
            seen.append(one)
            yield one, where
            found = [self._source(base, where) for base in one.bases]
            waiting += [pair for pair in found if pair is not None]

    def is_keras_class(self, node: ast.ClassDef, scope: Scope) -> bool:
        """Whether a base is a class of Keras, or a decorator of Keras registers it."""
        for one, where in self.ancestors(node, scope):
            heads = [d.func for d in one.decorator_list if isinstance(d, ast.Call)]
            paths = [where.dotted(head) for head in (*one.bases, *heads)]
            if any(path is not None and is_keras(path) for path in paths):
                return True
        return False

    def of_class(self, node: ast.ClassDef, scope: Scope, depth: int = 0) -> Accepted | None:
        """What calling a class takes."""
        dataclass_like = [d for d in node.decorator_list if not registers(d)]
        if depth > _DEEPEST or node.keywords or (method(node, "__new__") is not None and not depth):
            return None
        if dataclass_like:
            return self._of_dataclass(node, scope)
        init = method(node, "__init__")
        if init is None:
            if len(node.bases) != 1 or _may_bind(node, "__init__"):
                return None
            return self._of_base(node.bases[0], scope, depth)
        if init.decorator_list or init.args.vararg is not None:
            return None
        own = parameters(init, bound=True)
        kwarg = init.args.kwarg
        if kwarg is None:
            return Accepted(own)
        further = _keywords(init, kwarg.arg)
        if further is None:
            return None
        names, forwarded = further
        names.add(kwarg.arg)  # written without stars
        if forwarded:
            if not node.bases:
                return None
            for base in node.bases:
                inherited = self._of_base(base, scope, depth)
                if inherited is None:
                    return None
                names |= inherited.names
        return Accepted(own, frozenset(names))

    def of_call(self, node: ast.ClassDef, scope: Scope) -> Accepted | None:
        """What calling an object of a class takes: its ``call``, and what ``__call__`` names."""
        own: Accepted | None = None
        further = {"training", "mask"}  # every layer's __call__ looks for these
        for one, _ in self.ancestors(node, scope):
            call, outer = method(one, "call"), method(one, "__call__")
            if call is not None and own is None:
                if call.decorator_list or call.args.vararg or call.args.kwarg:
                    return None
                own = Accepted(parameters(call, bound=True))
            if outer is not None:
                further |= set(parameters(outer, bound=True))
        return Accepted(own.own, frozenset(further)) if own is not None else None

    def _of_dataclass(self, node: ast.ClassDef, scope: Scope) -> Accepted | None:
        heads = [d.func if isinstance(d, ast.Call) else d for d in node.decorator_list]
        if len(heads) != 1 or scope.dotted(heads[0]) != "dataclasses.dataclass" or node.bases:
            return None
        if method(node, "__init__") is not None:
            return None
        fields = {
            one.target.id: one.value
            for one in node.body
            if isinstance(one, ast.AnnAssign) and isinstance(one.target, ast.Name)
        }
        return Accepted(fields)

    def _of_base(self, base: ast.expr, scope: Scope, depth: int) -> Accepted | None:
        source = self._source(base, scope)
        if source is not None:
            return self.of_class(*source, depth + 1)
        path = scope.dotted(base)
        place = place_of(path) if path is not None else None
        symbol = self.releases.symbol(place) if place is not None else None
        if symbol is None or symbol.kind != "class" or not symbol.closed:
            return None
        if any(one.kind == "*" for one in symbol.parameters):
            return None
        named = {one.name for one in symbol.parameters if one.kind != "**"}
        return Accepted({}, frozenset(named | symbol.keywords))

    def _source(self, base: ast.expr, scope: Scope) -> tuple[ast.ClassDef, Scope] | None:
        """The class that a base names, where its source is part of the project."""
        if isinstance(base, ast.Name) and base.id in scope.classes:
            return scope.classes[base.id], scope
        path = scope.dotted(base)
        for _ in range(_DEEPEST):
            if path is None:
                return None
            module, _, name = path.rpartition(".")
            if path.startswith(".") and not path.strip(".").count("."):
                module = path[: len(path) - len(path.lstrip("."))] + module.lstrip(".")
            file = self.modules.locate(module, scope.path) if module else None
            found = self._load(file) if file is not None else None
            if found is None:
                return None
            if name in found.classes:
                return found.classes[name], found
            path, scope = found.imports.get(name), found
        return None

    def _load(self, file: str) -> Scope | None:
        if file not in self._scopes:
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    tree = ast.parse(Path(file).read_bytes())
            except (OSError, SyntaxError, ValueError, RecursionError):
                self._scopes[file] = None
            else:
                self._scopes[file] = scope_of(file, tree)
        return self._scopes[file]


def parameters(node: Function, *, bound: bool) -> dict[str, ast.expr | None]:
    """The named parameters of a function and their defaults; ``bound``: without the first."""
    given = node.args
    plain = [*given.posonlyargs, *given.args]
    defaults: list[ast.expr | None] = [None] * (len(plain) - len(given.defaults))
    pairs = list(zip(plain, [*defaults, *given.defaults], strict=True))[1 if bound else 0 :]
    pairs += zip(given.kwonlyargs, given.kw_defaults, strict=True)
    return {one.arg: default for one, default in pairs}


def _keywords(init: Function, kwargs: str) -> tuple[set[str], bool] | None:
    """The keywords that are taken out of ``**kwargs``, and whether the rest goes to the base.

    None where the keywords may go elsewhere.
    """
    names: set[str] = set()
    forwarded = False
    allowed: set[ast.AST] = set()
    for node in ast.walk(init):
        match node:
            case ast.Call(
                func=ast.Attribute(value=ast.Call(func=ast.Name(id="super")), attr="__init__")
            ):
                for one in node.keywords:
                    if one.arg is None and isinstance(one.value, ast.Name):
                        forwarded |= one.value.id == kwargs
                        allowed.add(one.value)
            case ast.Call(
                func=ast.Attribute(value=ast.Name() as name, attr="pop" | "get" | "setdefault"),
                args=[ast.Constant(value=str(key)), *_],
            ):
                if name.id == kwargs:
                    names.add(key)
                    allowed.add(name)
            case ast.Subscript(value=ast.Name() as name, slice=ast.Constant(value=str(key))):
                if name.id == kwargs and isinstance(node.ctx, ast.Load):
                    names.add(key)
                allowed.add(name)
            case ast.Compare(left=ast.Constant(value=str(key)), comparators=[ast.Name() as name]):
                if name.id == kwargs:
                    names.add(key)
                    allowed.add(name)
            case ast.If(test=ast.Name() as name):
                allowed.add(name)
            case ast.Raise():
                allowed.update(ast.walk(node))
    for node in ast.walk(init):
        if isinstance(node, ast.Name) and node.id == kwargs and node not in allowed:
            return None
    return names, forwarded
