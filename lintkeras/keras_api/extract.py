"""Reads the public API of a released package out of its wheel or sdist, without importing it.

Every module is parsed, never run. A name is followed through imports, star imports, assignments
and decorators to its definition; the constructor's signature is that of the nearest ``__init__``
in the method resolution order, and ``**kwargs`` is followed to the keywords that are read from it.
"""

from __future__ import annotations

import ast
import re
import tarfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

_DEPTH = 40


@dataclass(frozen=True)
class Definition:
    """Where a name is defined: a class, a function, a module, or anything else (``node`` None)."""

    module: str
    name: str
    node: ast.AST | None

    @property
    def kind(self) -> str:
        """``class``, ``function``, ``module`` or ``value``."""
        match self.node:
            case ast.ClassDef():
                return "class"
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.Lambda():
                return "function"
            case ast.Module():
                return "module"
        return "value"


@dataclass(frozen=True)
class Entry:
    """One public symbol: what it is, how it is called, what a class has."""

    kind: str
    signature: str = ""
    keywords: tuple[str, ...] = ()
    """Keywords that travel through ``**kwargs``."""
    closed: bool = False
    """Whether an unknown keyword is an error."""
    base: str = ""
    """Of a class: the nearest base that is public, by its path."""
    members: tuple[str, ...] = ()
    """Of a class: its own methods and properties, ``name(signature`` or ``name@``."""

    def line(self) -> str:
        """The entry as one line of the data file."""
        closed = "1" if self.closed else ""
        fields = (self.kind, self.signature, " ".join(self.keywords), closed, self.base)
        return "\t".join((*fields, *self.members)).rstrip("\t")


class Tree:
    """The Python files of a wheel or sdist."""

    def __init__(self, path: Path) -> None:
        self._files: dict[str, bytes] = dict(_python_files(path))
        self._parsed: dict[str, ast.Module | None] = {}
        self._bound: dict[str, dict[str, list[ast.AST]]] = {}

    def file_of(self, module: str) -> str | None:
        """The file of a module."""
        base = module.replace(".", "/")
        for name in (f"{base}/__init__.py", f"{base}.py"):
            if name in self._files:
                return name
        return None

    def is_package(self, module: str) -> bool:
        """Whether a module is a package."""
        return (self.file_of(module) or "").endswith("__init__.py")

    def parse(self, module: str) -> ast.Module | None:
        """The syntax tree of a module; None where there is none."""
        if module not in self._parsed:
            file = self.file_of(module)
            tree = None
            if file is not None:
                try:
                    tree = ast.parse(self._files[file])
                except (SyntaxError, ValueError):
                    tree = _parse_python_2(self._files[file])
            self._parsed[module] = tree
        return self._parsed[module]

    def submodules(self, module: str) -> Iterator[str]:
        """The names of the modules directly in a package."""
        prefix = module.replace(".", "/") + "/"
        seen: set[str] = set()
        for name in self._files:
            if name.startswith(prefix):
                rest = name[len(prefix) :].split("/")
                first = rest[0].removesuffix(".py") if len(rest) == 1 else rest[0]
                package = len(rest) == 1 or f"{prefix}{first}/__init__.py" in self._files
                if first != "__init__" and package and first not in seen:
                    seen.add(first)
                    yield first

    def bindings(self, module: str) -> dict[str, list[ast.AST]]:
        """What each name of a module is bound to, in the order of the file.

        A star import stands under ``*``. Of a condition the first branch comes first.
        """
        if module not in self._bound:
            found: dict[str, list[ast.AST]] = {}
            tree = self.parse(module)
            if tree is not None:
                _bind(tree.body, found)
            self._bound[module] = found
        return self._bound[module]

    def resolve(self, module: str, name: str, depth: int = 0) -> Definition | None:
        """Follow a name of a module to its definition."""
        if depth > _DEPTH:
            return None
        for node in reversed(self.bindings(module).get(name, [])):
            found = self._follow(module, name, node, depth)
            if found is not None:
                return found
        for star in self.bindings(module).get("*", []):
            assert isinstance(star, ast.ImportFrom)
            source = self.absolute(module, star)
            if source != module and self.exports(source, name):
                found = self.resolve(source, name, depth + 1)
                if found is not None:
                    return found
        if self.is_package(module) and self.file_of(f"{module}.{name}"):
            return Definition(f"{module}.{name}", name, self.parse(f"{module}.{name}"))
        return None

    def exports(self, module: str, name: str) -> bool:
        """Whether ``from module import *`` binds a name."""
        listed = self._all(module)
        return name in listed if listed is not None else not name.startswith("_")

    def _all(self, module: str) -> set[str] | None:
        names: set[str] | None = None
        for node in self.bindings(module).get("__all__", []):
            if isinstance(node, ast.Assign) and isinstance(node.value, (ast.List, ast.Tuple)):
                names = set(_strings(node.value))
        return names

    def absolute(self, module: str, node: ast.ImportFrom) -> str:
        """The module that an import is from."""
        if not node.level:
            return node.module or ""
        parts = module.split(".")
        drop = node.level - (1 if self.is_package(module) else 0)
        parts = parts[: len(parts) - drop] if drop else parts
        return ".".join([*parts, *((node.module or "").split(".") if node.module else [])])

    def _follow(self, module: str, name: str, node: ast.AST, depth: int) -> Definition | None:
        match node:
            case ast.ClassDef() | ast.FunctionDef() | ast.AsyncFunctionDef():
                return Definition(module, name, node)
            case ast.ImportFrom():
                source = self.absolute(module, node)
                original = next(a.name for a in node.names if (a.asname or a.name) == name)
                if source == module and original == name:
                    return None
                return self.resolve(source, original, depth + 1)
            case ast.Import():
                for alias in node.names:
                    target = alias.name if alias.asname else alias.name.split(".")[0]
                    if (alias.asname or target) == name and self.file_of(target):
                        return Definition(target, name, self.parse(target))
                return None
            case ast.Assign(value=value) | ast.AnnAssign(value=value) if value is not None:
                return self._value(module, name, value, depth)
        return Definition(module, name, None)

    def _value(self, module: str, name: str, value: ast.AST, depth: int) -> Definition | None:
        match value:
            case ast.Name(id=other) if other != name:
                return self.resolve(module, other, depth + 1)
            case ast.Attribute(value=inner, attr=attribute):
                holder = self._value(module, "", inner, depth + 1)
                if holder is not None and holder.kind == "module":
                    return self.resolve(holder.module, attribute, depth + 1)
                return Definition(module, name, None)
            case ast.Lambda():
                return Definition(module, name, value)
            case ast.Call(func=ast.Call(), args=[argument]):  # decorator(...)(function)
                return self._value(module, name, argument, depth + 1)
        return Definition(module, name, None)

    # ------------------------------------------------------------------ classes

    def bases(self, found: Definition) -> list[Definition]:
        """The base classes that are defined in the package."""
        assert isinstance(found.node, ast.ClassDef)
        result = []
        for base in found.node.bases:
            one = self._value(found.module, "", base, 0)
            if (
                one is not None
                and isinstance(one.node, ast.ClassDef)
                and one.node is not found.node
            ):
                result.append(one)
        return result

    def lineage(self, found: Definition, depth: int = 0) -> list[Definition]:
        """The method resolution order (C3; depth first where that does not exist)."""
        if depth > _DEPTH:
            return [found]
        bases = self.bases(found)
        sequences = [self.lineage(base, depth + 1) for base in bases] + [list(bases)]
        merged = [found]
        sequences = [s for s in sequences if s]
        while sequences:
            head = next(
                (
                    s[0]
                    for s in sequences
                    if not any(s[0].node in [d.node for d in o[1:]] for o in sequences)
                ),
                sequences[0][0],
            )
            merged.append(head)
            sequences = [[d for d in s if d.node is not head.node] for s in sequences]
            sequences = [s for s in sequences if s]
        return merged

    def describe(self, found: Definition, public: dict[ast.AST, str]) -> Entry:
        """The entry of a definition; ``public`` has the path of each public class."""
        if found.kind == "function":
            assert isinstance(found.node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
            keywords = tuple(sorted(_read_from_kwargs(found.node)))
            return Entry("function", _signature(found.node.args), keywords,
                         found.node.args.kwarg is None)  # fmt: skip
        if found.kind != "class":
            return Entry(found.kind)
        assert isinstance(found.node, ast.ClassDef)
        lineage = self.lineage(found)
        signature, keywords, closed = self._constructor(lineage)
        base = next((public[d.node] for d in lineage[1:] if d.node in public), "")
        return Entry("class", signature, keywords, closed, base, self._own(lineage, public))

    def _own(self, lineage: list[Definition], public: dict[ast.AST, str]) -> tuple[str, ...]:
        """The members that a class has and its nearest public base has not.

        Those of the private classes between them count (``fit`` is a method of a trainer).
        """
        base = next((d for d in lineage[1:] if d.node in public), None)
        inherited = [d.node for d in self.lineage(base)] if base is not None else []
        own: dict[str, str] = {}
        for one in lineage:
            assert isinstance(one.node, ast.ClassDef)
            if one is lineage[0] or (one.node not in public and one.node not in inherited):
                for member in _members(one.node):
                    own.setdefault(re.split(r"[(@=~!]", member, maxsplit=1)[0], member)
        return tuple(sorted(own.values()))

    def _constructor(self, lineage: list[Definition]) -> tuple[str, tuple[str, ...], bool]:
        """Signature of the nearest ``__init__``, the keywords behind its ``**kwargs``, closed?"""
        signature: str | None = None
        keywords: set[str] = set()
        own: set[str] = set()
        for one in lineage:
            assert isinstance(one.node, ast.ClassDef)
            init = next(
                (
                    n
                    for n in one.node.body
                    if isinstance(n, ast.FunctionDef) and n.name == "__init__"
                ),
                None,
            )
            if init is None:
                continue
            names = [
                a.arg for a in (*init.args.posonlyargs, *init.args.args, *init.args.kwonlyargs)
            ]
            if signature is None:
                signature = _signature(init.args, method=True)
                own = set(names[1:])
            else:
                keywords.update(names[1:])
            keywords |= _read_from_kwargs(init)
            if init.args.kwarg is None:
                return signature, tuple(sorted(keywords - own)), True
            if not _passes_kwargs(init):
                closed = _rejects_rest(init)
                return signature, tuple(sorted(keywords - own)), closed
        return signature or "", tuple(sorted(keywords - own)), signature is None


def _python_files(path: Path) -> Iterator[tuple[str, bytes]]:
    """The modules of an archive, by their path below its root."""
    if path.suffix == ".whl" or path.suffix == ".zip":
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                if name.endswith(".py"):
                    yield name, archive.read(name)
        return
    with tarfile.open(path) as tar:
        for member in tar.getmembers():
            stream = tar.extractfile(member) if member.name.endswith(".py") else None
            if stream is not None:
                yield member.name.partition("/")[2], stream.read()


def _parse_python_2(data: bytes) -> ast.Module | None:
    """Old releases hold a few print statements; without these lines they parse."""
    lines = data.decode("utf-8", "replace").split("\n")
    for _ in range(200):
        try:
            return ast.parse("\n".join(lines))
        except SyntaxError as error:
            number = (error.lineno or 1) - 1
            if not 0 <= number < len(lines):
                return None
            indent = lines[number][: len(lines[number]) - len(lines[number].lstrip())]
            if lines[number].strip() == "pass":
                return None
            lines[number] = indent + "pass"
        except ValueError:
            return None
    return None


def _bind(body: list[ast.stmt], found: dict[str, list[ast.AST]]) -> None:
    for node in body:
        match node:
            case ast.ClassDef() | ast.FunctionDef() | ast.AsyncFunctionDef():
                found.setdefault(node.name, []).append(node)
            case ast.ImportFrom():
                for alias in node.names:
                    found.setdefault(alias.asname or alias.name, []).append(node)
            case ast.Import():
                for alias in node.names:
                    name = alias.asname or alias.name.split(".")[0]
                    found.setdefault(name, []).append(node)
            case ast.Assign():
                for target in node.targets:
                    for name in _names(target):
                        found.setdefault(name, []).append(node)
            case ast.AnnAssign():
                for name in _names(node.target):
                    found.setdefault(name, []).append(node)
            case ast.AugAssign():
                continue
            case ast.If() | ast.Try():
                branches = [node.body]
                if isinstance(node, ast.Try):
                    branches += [handler.body for handler in node.handlers]
                branches.append(node.orelse)
                for branch in reversed(branches):  # the last binding wins: the first branch
                    _bind(branch, found)
            case ast.With():
                _bind(node.body, found)


def _names(target: ast.AST) -> Iterator[str]:
    match target:
        case ast.Name(id=name):
            yield name
        case ast.Tuple(elts=elements) | ast.List(elts=elements):
            for element in elements:
                yield from _names(element)


def _signature(arguments: ast.arguments, *, method: bool = False) -> str:
    """``units,activation=None,*,x=1,**kwargs``; of a method without its first parameter."""
    plain = [*arguments.posonlyargs, *arguments.args]
    defaults: list[ast.expr | None] = [None] * (len(plain) - len(arguments.defaults))
    defaults += arguments.defaults
    parts = [_parameter(a, d) for a, d in zip(plain, defaults, strict=True)]
    if method:
        parts = parts[1:]
    if arguments.posonlyargs:
        parts.insert(len(arguments.posonlyargs) - int(method), "/")
    if arguments.vararg is not None:
        parts.append(f"*{arguments.vararg.arg}")
    elif arguments.kwonlyargs:
        parts.append("*")
    parts += [
        _parameter(a, d) for a, d in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
    ]
    if arguments.kwarg is not None:
        parts.append(f"**{arguments.kwarg.arg}")
    return ",".join(parts)


def _parameter(argument: ast.arg, default: ast.expr | None) -> str:
    return argument.arg if default is None else f"{argument.arg}={_text(default)}"


def _text(node: ast.expr) -> str:
    """A default as text on one line."""
    return " ".join(ast.unparse(node).split())


def _members(node: ast.ClassDef) -> Iterator[str]:
    """The public members that a class itself defines, and the attributes that its methods set."""
    seen: set[str] = set()
    for item in node.body:
        match item:
            case ast.FunctionDef(name=name, args=arguments, decorator_list=decorators):
                if name.startswith("_") or name in seen:
                    continue
                seen.add(name)
                words = {ast.unparse(d).rpartition(".")[2].partition("(")[0] for d in decorators}
                if words & {"property", "cached_property", "setter"}:
                    yield f"{name}@"
                elif "staticmethod" in words:
                    yield f"{name}!({_signature(arguments)}"
                else:
                    sign = "~" if "classmethod" in words else ""
                    yield f"{name}{sign}({_signature(arguments, method=True)}"
            case ast.Assign(targets=[ast.Name(id=name)]) if not name.startswith("_"):
                if name not in seen:
                    seen.add(name)
                    yield f"{name}="
    for part in ast.walk(node):
        match part:
            case ast.Attribute(value=ast.Name(id="self"), attr=name, ctx=ast.Store()):
                if not name.startswith("_") and name not in seen:
                    seen.add(name)
                    yield f"{name}="


def _read_from_kwargs(function: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> set[str]:
    """The keywords that a function reads out of its ``**kwargs``."""
    if function.args.kwarg is None:
        return set()
    kwargs = function.args.kwarg.arg
    found: set[str] = set()
    for node in ast.walk(function):
        match node:
            case ast.Call(
                func=ast.Attribute(value=ast.Name(id=name), attr="pop" | "get" | "setdefault"),
                args=[ast.Constant(value=str(key)), *_],
            ) if name == kwargs:
                found.add(key)
            case ast.Subscript(value=ast.Name(id=name), slice=ast.Constant(value=str(key))):
                if name == kwargs:
                    found.add(key)
            case ast.Compare(
                left=ast.Constant(value=str(key)), ops=[ast.In() | ast.NotIn()],
                comparators=[ast.Name(id=name)],
            ) if name == kwargs:  # fmt: skip
                found.add(key)
            case ast.Call(
                args=[ast.Name(id=name), (ast.Set() | ast.List() | ast.Tuple()) as keys, *_]
            ):
                if name == kwargs and "kwargs" in ast.unparse(node.func):
                    found |= set(_strings(keys))
            case ast.Assign(
                targets=[ast.Name(id=name)], value=(ast.Set() | ast.List() | ast.Tuple()) as keys
            ) if "allowed" in name and "kwargs" in name:
                found |= set(_strings(keys))
    return found


def _strings(node: ast.Set | ast.List | ast.Tuple) -> Iterator[str]:
    """The strings in a display."""
    for element in node.elts:
        if isinstance(element, ast.Constant) and isinstance(element.value, str):
            yield element.value


def _passes_kwargs(init: ast.FunctionDef) -> bool:
    """Whether the constructor hands its ``**kwargs`` on."""
    assert init.args.kwarg is not None
    kwargs = init.args.kwarg.arg
    for node in ast.walk(init):
        if isinstance(node, ast.Call):
            for keyword in node.keywords:
                if keyword.arg is None and isinstance(keyword.value, ast.Name):
                    if keyword.value.id == kwargs:
                        return True
    return False


def _rejects_rest(init: ast.FunctionDef) -> bool:
    """Whether what is left in ``**kwargs`` is an error."""
    assert init.args.kwarg is not None
    kwargs = init.args.kwarg.arg
    for node in ast.walk(init):
        match node:
            case ast.If(test=ast.Name(id=name)) if name == kwargs:
                return any(isinstance(n, ast.Raise) for n in ast.walk(node))
            case ast.Call(func=function) if "validate_kwargs" in ast.unparse(function):
                return True
            case ast.For(iter=ast.Name(id=name)) if name == kwargs:
                return any(isinstance(n, ast.Raise) for n in ast.walk(node))
    return False


@dataclass
class Space:
    """The symbols of one namespace in one release, by path."""

    entries: dict[str, Entry] = field(default_factory=dict)


def public(
    tree: Tree, root: str, shown: str, internal: tuple[str, ...] = (), *, aliases: bool = True
) -> Space:
    """The public API below the module ``root``, under the name ``shown``.

    A module's public names are those without an underscore that it binds, and its submodules but
    those below one of the ``internal`` modules. With ``aliases`` a module that it imports counts
    as one of them, as in generated packages; in a tree of sources that is no API.
    """
    package = root.partition(".")[0]
    found: dict[str, Definition] = {}
    queue = [(root, shown)]
    seen: set[str] = set()
    while queue:
        module, path = queue.pop()
        if module in seen or len(path.split(".")) > 8:
            continue
        seen.add(module)
        found[path] = Definition(module, path, tree.parse(module))
        names = dict.fromkeys(n for n in tree.bindings(module) if n != "*")
        for star in tree.bindings(module).get("*", []):
            assert isinstance(star, ast.ImportFrom)
            source = tree.absolute(module, star)
            names |= dict.fromkeys(star_names(tree, source))
        if tree.is_package(module):
            names |= dict.fromkeys(tree.submodules(module))
        for name in names:
            if name.startswith("_"):
                continue
            one = tree.resolve(module, name)
            if one is None:
                continue
            if one.kind == "module":
                own = one.module.partition(".")[0] == package
                if not aliases and one.module != f"{module}.{name}":
                    continue
                if own and not f"{one.module}.".startswith(tuple(f"{i}." for i in internal)):
                    queue.append((one.module, f"{path}.{name}"))
                continue
            found[f"{path}.{name}"] = one
    classes: dict[ast.AST, str] = {}
    for path, one in sorted(found.items(), key=lambda item: (len(item[0]), item[0])):
        if one.node is not None and one.kind == "class":
            classes.setdefault(one.node, path)
    return Space({path: tree.describe(one, classes) for path, one in found.items()})


def star_names(tree: Tree, module: str, depth: int = 0) -> Iterator[str]:
    """The names that ``from module import *`` binds."""
    if depth > 6:
        return
    for name in tree.bindings(module):
        if name == "*":
            for star in tree.bindings(module)["*"]:
                assert isinstance(star, ast.ImportFrom)
                yield from star_names(tree, tree.absolute(module, star), depth + 1)
        elif tree.exports(module, name):
            yield name
