"""Which arguments a class or a function takes, read from the source and the data of Keras.

Classes are followed to their bases: in the file, in other files of the project, and to public
classes of Keras. What is not known is None.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from lintkeras import keras_api
from lintkeras.keras_api.releases import Releases, place_of
from lintkeras.modules import ProjectModules

Function = ast.FunctionDef | ast.AsyncFunctionDef
_OURS = frozenset({"keras", "tf_keras", "tensorflow", "tf"})
_DEEPEST = 12
_PLAIN = frozenset({"layers.Layer", "Layer", "Model", "models.Model"})
"""Those of which ``__call__`` takes what ``call`` does; a recurrent layer takes more."""
_KEEP_THE_SIGNATURE = frozenset({
    "abc.abstractmethod", "functools.cache", "functools.lru_cache", "gin.configurable",
    "tensorflow.__internal__.dispatch.add_dispatch_support",
    "tensorflow.__internal__.tracking.no_automatic_dependency_tracking", "tensorflow.function",
    "tensorflow.python.trackable.base.no_automatic_dependency_tracking",
    "tensorflow.python.util.dispatch.add_dispatch_support", "typeguard.typechecked",
    "typing.final", "typing.override", "typing_extensions.override",
})  # fmt: skip
"""Decorators by which a function takes what it took."""


@dataclass(frozen=True)
class Accepted:
    """The names that may be given. ``own`` are those of the signature itself, with defaults."""

    own: Mapping[str, ast.expr | None]
    further: frozenset[str] = frozenset()
    closed: bool = True
    """Whether these are all."""
    function: Function | None = None
    """Whose signature it is."""
    inherited: frozenset[str] = frozenset()
    """What the constructors of the bases take as well."""

    @property
    def names(self) -> frozenset[str]:
        """All that are known."""
        return frozenset(self.own) | self.further

    def replaces(self, name: str) -> bool:
        """Whether the function may put another value in the place of a default."""
        return self.function is not None and any(
            _replaces(node, name) for node in ast.walk(self.function)
        )


def _replaces(node: ast.AST, name: str) -> bool:
    match node:
        case ast.Name(id=found, ctx=ast.Store()):
            return found == name
        case ast.BoolOp(op=ast.Or(), values=[ast.Name(id=found), *_]):
            return found == name
        case ast.IfExp(test=test):
            return any(isinstance(one, ast.Name) and one.id == name for one in ast.walk(test))
    return False


@dataclass(frozen=True)
class Scope:
    """The classes and imports of a file, as far as each name is bound once."""

    path: str
    classes: Mapping[str, ast.ClassDef]
    imports: Mapping[str, str]

    @property
    def uses_keras(self) -> bool:
        """Whether it imports Keras or TensorFlow, be it by a module of the project."""
        return any(part in _OURS for path in self.imports.values() for part in path.split("."))

    def dotted(self, node: ast.expr) -> str | None:
        """The path of an imported name; None where it is no such name."""
        match node:
            case ast.Name(id=name):
                path = self.imports.get(name)
                return "tensorflow" if path == "tensorflow.compat.v2" else path
            case ast.Attribute(value=value, attr=name):
                path = self.dotted(value)
                return f"{path}.{name}" if path is not None else None
        return None


def scope_of(path: str, statements: Iterable[ast.stmt]) -> Scope:
    """What the statements of a file bind; a page may bind a name to the same again."""
    bound: dict[str, set[object]] = {}
    classes: dict[str, ast.ClassDef] = {}
    imports: dict[str, str] = {}
    for node in statements:
        match node:
            case ast.ClassDef(name=name):
                classes[name] = node
                bound.setdefault(name, set()).add(node)
            case ast.Import(names=aliases) | ast.ImportFrom(names=aliases):
                for alias in aliases:
                    name, target = _imported(node, alias)
                    imports[name] = target
                    bound.setdefault(name, set()).add(target)
            case _:
                for inner in _outer(node):
                    if (found := _stored(inner)) is not None:
                        bound.setdefault(found, set()).add(inner)
    once = {name for name, what in bound.items() if len(what) == 1}
    return Scope(
        path,
        {name: node for name, node in classes.items() if name in once},
        {name: target for name, target in imports.items() if name in once},
    )


def _imported(node: ast.Import | ast.ImportFrom, alias: ast.alias) -> tuple[str, str]:
    """The name that an import binds, and the path of what it is."""
    if isinstance(node, ast.Import):
        top = alias.name.partition(".")[0]
        return alias.asname or top, alias.name if alias.asname else top
    head = "." * node.level + (node.module or "")
    joint = "" if not head or head.endswith(".") else "."
    return alias.asname or alias.name, f"{head}{joint}{alias.name}"


def _stored(node: ast.AST) -> str | None:
    """The name that a node binds, imports left aside."""
    match node:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            return name
        case ast.Name(id=name, ctx=ast.Store()):
            return name
    return None


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
    modules: ProjectModules
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

    def of_class(self, node: ast.ClassDef, scope: Scope, depth: int = 0) -> Accepted | None:
        """What calling a class takes."""
        if depth > _DEEPEST or node.keywords or (method(node, "__new__") is not None and not depth):
            return None
        init = method(node, "__init__")
        if init is None:
            if any(not registers(one) for one in node.decorator_list):
                return self._of_dataclass(node, scope, depth)
            if len(node.bases) != 1 or _may_bind(node, "__init__"):
                return None
            return self._of_base(node.bases[0], scope, depth)
        accepted = of_function(init, scope, bound=True)
        if accepted is None:
            return None
        bases = [self._of_base(base, scope, depth) for base in node.bases]
        inherited = frozenset[str]().union(*(one.names for one in bases if one is not None))
        accepted = replace(accepted, inherited=inherited)
        kwarg = init.args.kwarg
        further = _keywords(init, kwarg.arg) if kwarg is not None else None
        if further is None or init.args.vararg is not None:
            return accepted
        names, forwarded = further
        closed = not forwarded or (bool(bases) and all(one and one.closed for one in bases))
        names |= inherited if forwarded else set()
        return replace(accepted, further=accepted.further | names, closed=closed)

    def of_call(self, node: ast.ClassDef, scope: Scope) -> Accepted | None:
        """What calling an object of a class takes: its ``call``, and what ``__call__`` names."""
        own: Accepted | None = None
        further = {"training", "mask"}  # every layer's __call__ looks for these
        closed = True
        for one, where in self.ancestors(node, scope):
            closed &= all(self._calls_plainly(base, where) for base in one.bases)
            call, outer = method(one, "call"), method(one, "__call__")
            if call is not None and own is None:
                own = of_function(call, where, bound=True)
                if own is None:
                    return None
            if outer is not None:
                further |= set(parameters(outer, bound=True))
        if own is None:
            return None
        return replace(own, further=own.further | further, closed=own.closed and closed)

    def _calls_plainly(self, base: ast.expr, scope: Scope) -> bool:
        """Whether a base is known, and its ``__call__`` takes nothing but what ``call`` does."""
        if self._source(base, scope) is not None:
            return True
        path, _ = self._followed(base, scope)
        place = place_of(path) if path is not None else None
        return path == "object" or (place is not None and place.inside in _PLAIN)

    def _of_dataclass(self, node: ast.ClassDef, scope: Scope, depth: int) -> Accepted | None:
        """What the constructor takes that ``dataclasses.dataclass`` makes of the fields."""
        (*others, maker) = [d for d in node.decorator_list if not registers(d)]
        head = maker.func if isinstance(maker, ast.Call) else maker
        options = maker.keywords if isinstance(maker, ast.Call) else []
        if others or scope.dotted(head) != "dataclasses.dataclass":
            return None
        if any(one.arg in ("init", None) for one in options):
            return None
        fields: dict[str, ast.expr | None] = {}
        for base in node.bases:
            source = self._source(base, scope)
            if source is None or depth > _DEEPEST:
                return None
            if any(not registers(one) for one in source[0].decorator_list):
                inherited = self._of_dataclass(*source, depth + 1)
                if inherited is None:
                    return None
                fields |= inherited.own
        for statement in node.body:
            match statement:
                case ast.AnnAssign(target=ast.Name(id=name), annotation=kind, value=value):
                    if "ClassVar" not in ast.unparse(kind) and name != "_":
                        fields |= _field(name, value)
        return Accepted(fields)

    def _of_base(self, base: ast.expr, scope: Scope, depth: int) -> Accepted | None:
        source = self._source(base, scope)
        if source is not None:
            return self.of_class(*source, depth + 1)
        path, _ = self._followed(base, scope)
        place = place_of(path) if path is not None else None
        if place is None or self.releases.symbol(place) is None:
            return None
        space = keras_api.space(self.releases.settle(place).space)
        inside = self.releases.settle(place).path
        known = [one for v in space.versions if (one := space.symbol(inside, v)) is not None]
        newest = self.releases.symbol(place)
        if newest is None or newest.kind != "class":
            return None
        closed = newest.closed and all(one.kind != "*" for one in newest.parameters)
        # What another release takes may be documented.
        named = frozenset(p.name for one in known for p in one.parameters if "*" not in p.kind)
        return Accepted({}, named.union(*(one.keywords for one in known)), closed)

    def _source(self, base: ast.expr, scope: Scope) -> tuple[ast.ClassDef, Scope] | None:
        """The class that a base names, where its source is part of the project."""
        if isinstance(base, ast.Name) and base.id in scope.classes:
            return scope.classes[base.id], scope
        path, where = self._followed(base, scope)
        found = where.classes.get(path) if path is not None else None
        return (found, where) if found is not None else None

    def _followed(self, base: ast.expr, scope: Scope) -> tuple[str | None, Scope]:
        """What a base is called outside of the project, else in the file that defines it."""
        path = scope.dotted(base)
        for _ in range(_DEEPEST):
            found = self._defined(path, scope) if path is not None else None
            if path is None or found is None:
                break
            where, name, *rest = found
            target = where.imports.get(name)
            if target is None:
                return (name if not rest else None), where
            path, scope = ".".join([target, *rest]), where
        return path, scope

    def _defined(self, path: str, scope: Scope) -> tuple[Scope, str, *tuple[str, ...]] | None:
        """The project file that the first parts of a path name, and the other parts."""
        dots = path[: len(path) - len(path.lstrip("."))]
        parts = path.lstrip(".").split(".")
        for length in range(len(parts) - 1, 0 if not dots else -1, -1):
            file = self.modules.locate(dots + ".".join(parts[:length]), scope.path)
            if file is not None:
                found = self._load(file)
                return (found, parts[length], *parts[length + 1 :]) if found is not None else None
        return None

    def _load(self, file: str) -> Scope | None:
        if file not in self._scopes:
            tree = self.modules.outline(file)
            self._scopes[file] = scope_of(file, tree.body) if tree is not None else None
        return self._scopes[file]


def of_function(node: Function, scope: Scope, *, bound: bool) -> Accepted | None:
    """What a function takes; None where a decorator may change it.

    ``bound``: it stands in a class.
    """
    for one in node.decorator_list:
        match one:
            case ast.Name(id="classmethod") if bound:
                pass
            case ast.Name(id="staticmethod") if bound:
                bound = False
            case _:
                head = one.func if isinstance(one, ast.Call) else one
                if not registers(one) and scope.dotted(head) not in _KEEP_THE_SIGNATURE:
                    return None
    starred = [one.arg for one in (node.args.vararg, node.args.kwarg) if one is not None]
    own = parameters(node, bound=bound)
    first = [one.arg for one in (*node.args.posonlyargs, *node.args.args)][:1] if bound else []
    # All of these are also written without stars and underscores, and ``self`` is not wrong.
    further = {*starred, *first, *(name.strip("_") for name in own)}
    return Accepted(own, frozenset(further), not starred and "" not in further, node)


def parameters(node: Function, *, bound: bool) -> dict[str, ast.expr | None]:
    """The named parameters of a function and their defaults; ``bound``: without the first."""
    given = node.args
    plain = [*given.posonlyargs, *given.args]
    defaults: list[ast.expr | None] = [None] * (len(plain) - len(given.defaults))
    pairs = list(zip(plain, [*defaults, *given.defaults], strict=True))[1 if bound else 0 :]
    pairs += zip(given.kwonlyargs, given.kw_defaults, strict=True)
    return {one.arg: default for one, default in pairs}


def _field(name: str, value: ast.expr | None) -> dict[str, ast.expr | None]:
    """The argument that a field of a dataclass makes, if it makes one."""
    match value:
        case ast.Call(func=ast.Name(id="field") | ast.Attribute(attr="field"), keywords=keywords):
            given = {one.arg: one.value for one in keywords}
            match given.get("init"):
                case None | ast.Constant(value=True):
                    return {name: given.get("default")}
            return {}
    return {name: value}


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
