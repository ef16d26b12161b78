"""What can be read off the syntax without evaluating it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import libcst as cst

from lintkeras.syntax.tree import children

_MUTATORS = frozenset({"append", "extend", "insert", "pop", "remove", "clear", "reverse", "sort"})


@dataclass(frozen=True)
class Assigned:
    """What a loop body assigns, read from its syntax."""

    names: frozenset[str]
    attributes: frozenset[tuple[str, str]]
    grown: frozenset[tuple[str, ...]]
    augmented: frozenset[tuple[str, ...]]
    used: frozenset[str]
    """Names through which something could be changed: ``x.a``, ``x[i]``, ``f(x)``."""

    @staticmethod
    def of(loop: cst.For | cst.While) -> Assigned:
        """The names, attributes and lists that a loop body changes."""
        names: set[str] = set()
        attributes: set[tuple[str, str]] = set()
        grown: set[tuple[str, ...]] = set()
        augmented: set[tuple[str, ...]] = set()
        used: set[str] = set()

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
                case (
                    cst.Attribute(value=cst.Name(value=name))
                    | cst.Subscript(value=cst.Name(value=name))
                    | cst.Arg(value=cst.Name(value=name))
                ):
                    used.add(name)
            match node:
                case cst.Assign():
                    for assigned in node.targets:
                        target(assigned.target)
                case cst.AnnAssign() | cst.NamedExpr():
                    target(node.target)
                case cst.AugAssign():
                    path = path_of(node.target)
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
                    if method in _MUTATORS and (path := path_of(owner)):
                        grown.add(path)
            stack.extend(children(node))
        attributes -= {(p[0], p[1]) for p in grown if len(p) == 2}
        return Assigned(
            frozenset(names), frozenset(attributes), frozenset(grown), frozenset(augmented),
            frozenset(used),
        )  # fmt: skip


def leaves_early(body: cst.BaseSuite) -> bool:
    """Whether a loop body has a ``break`` or ``continue`` of its own."""
    stack: list[cst.CSTNode] = [body]
    while stack:
        node = stack.pop()
        if isinstance(node, (cst.Break, cst.Continue)):
            return True
        if isinstance(node, (cst.For, cst.While)):
            stack.extend([node.orelse] if node.orelse is not None else [])
        elif not isinstance(node, (cst.FunctionDef, cst.ClassDef)):
            stack.extend(children(node))
    return False


def may_change(expression: cst.BaseExpression) -> bool:
    """Whether evaluating an expression may change anything: it calls or names something."""
    stack: list[cst.CSTNode] = [expression]
    while stack:
        node = stack.pop()
        if isinstance(node, (cst.Call, cst.NamedExpr)):
            return True
        stack.extend(children(node))
    return False


def path_of(node: cst.CSTNode) -> tuple[str, ...]:
    """``("a",)`` or ``("a", "b")`` for a name or one attribute of a name."""
    match node:
        case cst.Name(value=name):
            return (name,)
        case cst.Attribute(value=cst.Name(value=owner), attr=cst.Name(value=name)):
            return (owner, name)
    return ()


def dotted(node: cst.CSTNode) -> str:
    """``a.b.c`` as text."""
    parts: list[str] = []
    while isinstance(node, cst.Attribute):
        parts.append(node.attr.value)
        node = node.value
    if isinstance(node, cst.Name):
        parts.append(node.value)
    return ".".join(reversed(parts))


def positional_parameters(params: cst.Parameters) -> list[cst.Param]:
    """The parameters that can be given by position."""
    return [*params.posonly_params, *params.params]


def all_parameters(params: cst.Parameters) -> list[cst.Param]:
    """All parameters but the starred ones."""
    return [*positional_parameters(params), *params.kwonly_params]


def decorator_name(decorator: cst.Decorator) -> str:
    """The plain name of a decorator; empty for a call or an attribute."""
    node = decorator.decorator
    return node.value if isinstance(node, cst.Name) else ""


def is_static(node: cst.FunctionDef | cst.Lambda) -> bool:
    """Whether a function is a static method."""
    return isinstance(node, cst.FunctionDef) and any(
        decorator_name(d) == "staticmethod" for d in node.decorators
    )


def is_main_guard(test: cst.BaseExpression) -> bool:
    """``__name__ == "__main__"``."""
    match test:
        case cst.Comparison(left=cst.Name(value="__name__")):
            return True
    return False


@lru_cache(maxsize=1024)
def attributes_set(function: cst.FunctionDef | cst.Lambda) -> frozenset[str]:
    """The attributes of its first parameter that a method assigns."""
    params = positional_parameters(function.params)
    if not params:
        return frozenset()
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
        stack.extend(children(node))
    return frozenset(found)


def returned(function: cst.FunctionDef | cst.Lambda) -> list[cst.BaseExpression]:
    """The expressions that a function returns, in the order of the code."""
    if isinstance(function, cst.Lambda):
        return [function.body]
    return [
        node.value
        for node in own_nodes(function)
        if isinstance(node, cst.Return) and node.value is not None
    ]


def is_generator(function: cst.FunctionDef | cst.Lambda) -> bool:
    """Whether calling a function runs nothing of it yet, since it yields."""
    return any(isinstance(node, cst.Yield) for node in own_nodes(function))


def own_nodes(function: cst.FunctionDef | cst.Lambda) -> Iterator[cst.CSTNode]:
    """The nodes of a function's body, without those of functions and classes inside it."""
    stack: list[cst.CSTNode] = [function.body]
    while stack:
        node = stack.pop()
        yield node
        if not isinstance(node, (cst.FunctionDef, cst.Lambda, cst.ClassDef)):
            stack.extend(reversed(children(node)))


def names_read(node: cst.CSTNode) -> set[str]:
    """The names that occur in a node other than as what is deleted, an attribute or a keyword."""
    found: set[str] = set()
    stack: list[cst.CSTNode] = [node]
    while stack:
        node = stack.pop()
        match node:
            case cst.Name(value=name):
                found.add(name)
            case cst.Attribute(value=value):
                stack.append(value)
            case cst.Arg(value=value):
                stack.append(value)
            case cst.Del():
                pass
            case _:
                stack.extend(children(node))
    return found


def names_in_pattern(pattern: cst.CSTNode) -> Iterator[str]:
    """The names that a ``case`` pattern binds."""
    stack: list[cst.CSTNode] = [pattern]
    while stack:
        node = stack.pop()
        if isinstance(node, (cst.MatchAs, cst.MatchStar)) and node.name is not None:
            yield node.name.value
        stack.extend(children(node))
