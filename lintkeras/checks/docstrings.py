"""Docstrings against the signatures that they document (LK803 to LK805)."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from lintkeras.checks.accepted import (
    Accepted,
    Function,
    Scope,
    Signatures,
    parameters,
    registers,
    scope_of,
)
from lintkeras.checks.registry import Context, check
from lintkeras.documents.docstrings import Docstring, docstrings
from lintkeras.documents.model import line_feeds, place
from lintkeras.documents.sections import Documented, Role, documented
from lintkeras.findings import Applicability, Edit, Finding, Fix, Span

_SEQUENCES = (list, tuple)
_ByPlace = Mapping[tuple[int, str], Docstring]


@dataclass(frozen=True)
class Described:
    """What one docstring documents of one signature."""

    docstring: Docstring
    what: str
    """How messages call it: ``Scale``, ``Scale.call``."""
    entries: tuple[Documented, ...]
    accepted: Accepted
    elsewhere: frozenset[str] = frozenset()
    """Names that the same docstring may speak of, being those of another signature."""

    def span(self, start: int, length: int) -> Span:
        """Where a run of the docstring stands in the file."""
        pieces = self.docstring.pieces
        return Span(place(pieces, start), place(pieces, start + length, end=True))


@check("LK803")
def documented_argument_unknown(context: Context) -> Iterator[Finding]:
    """An argument that is documented and not taken."""
    for one in context.once(_described):
        known = one.accepted.names | one.elsewhere
        by_position = one.entries[0] if one.entries[0].role == "call" else None
        for entry in one.entries:
            if entry is by_position:
                continue  # the inputs, whatever they are called
            if entry.name not in known and not entry.name[0].isupper():
                message = f"`{one.what}` takes no argument `{entry.name}`, which is documented"
                span = one.span(entry.start, len(entry.name))
                yield Finding("LK803", span, message, label="not in the signature")


@check("LK804")
def argument_undocumented(context: Context) -> Iterator[Finding]:
    """An argument that is left out where the others are documented."""
    for one in context.once(_described):
        names = {entry.name for entry in one.entries}
        if names - one.accepted.names - one.elsewhere:
            continue  # it may be documented by an older name: LK803
        left = [n for n in one.accepted.own if n not in names and not n.startswith("_")]
        if left:
            first = one.entries[0]
            listed = ", ".join(f"`{name}`" for name in left)
            message = f"the arguments of `{one.what}` are documented without {listed}"
            yield Finding("LK804", one.span(first.start, len(first.name)), message)


@check("LK805")
def documented_default_differs(context: Context) -> Iterator[Finding]:
    """A documented default that is another value than that of the signature."""
    for one in context.once(_described):
        for entry in one.entries:
            actual = one.accepted.own.get(entry.name)
            if entry.default is None or actual is None:
                continue
            try:
                said, real = ast.literal_eval(entry.default.text), ast.literal_eval(actual)
            except (ValueError, SyntaxError, TypeError, MemoryError):
                continue
            if real is None or _same(said, real):
                continue  # what stands for None is decided in the body
            if said is not None and isinstance(said, _SEQUENCES) != isinstance(real, _SEQUENCES):
                continue  # a number may be short for a range
            written = ast.unparse(actual)
            if isinstance(real, str) and "'" not in entry.default.text and '"' not in real:
                written = f'"{real}"'
            span = one.span(entry.default.start, len(entry.default.text))
            message = (
                f"`{entry.name}` of `{one.what}` defaults to `{written}`, "
                f"documented is `{entry.default.text}`"
            )
            yield Finding("LK805", span, message, fixes=_fixes(context, one, span, written))


def _fixes(context: Context, one: Described, span: Span, written: str) -> tuple[Fix, ...]:
    text = context.program.document.text
    opening = text[max(one.docstring.pieces[0].document - 3, 0) : one.docstring.pieces[0].document]
    if opening not in ('"""', "'''") or "\\" in written:
        return ()
    title = f"document the default `{written}`"
    return (Fix("default", title, Applicability.SAFE, (Edit(span, written),)),)


def _same(said: object, real: object) -> bool:
    if isinstance(said, _SEQUENCES) and isinstance(real, _SEQUENCES):
        return list(said) == list(real)
    return said == real or (not said and not real)


def _described(context: Context) -> tuple[Described, ...]:
    return tuple(_describe(context))


def _describe(context: Context) -> Iterator[Described]:
    document = context.program.document
    if document.kind != "python" or any(one.snippet.space for one in context.program.parsed):
        return
    found = list(docstrings(document.text))
    tree = next((one.node for one in found if isinstance(one.node, ast.Module)), None)
    try:
        tree = tree or ast.parse(line_feeds(document.text))
    except (SyntaxError, ValueError):
        return
    scope = scope_of(document.path, tree)
    if not scope.uses_keras:
        return
    by_place = {_key(one.node): one for one in found}
    signatures = Signatures(context.releases)
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and scope.classes.get(node.name) is not None:
            if signatures.is_keras_class(node, scope):
                yield from _of_class(node, by_place, signatures, scope)
        elif isinstance(node, Function) and not node.name.startswith("_"):
            yield from _of_function(node, by_place, node.name, bound=False)


def _key(node: ast.AST) -> tuple[int, str]:
    return getattr(node, "lineno", 0), getattr(node, "name", "")


def _of_class(
    node: ast.ClassDef, by_place: _ByPlace, signatures: Signatures, scope: Scope
) -> Iterator[Described]:
    docstring = by_place.get(_key(node))
    if docstring is not None:
        init, call = signatures.of_class(node, scope), signatures.of_call(node, scope)
        others = call.names if call is not None else frozenset()
        if init is not None:
            yield from _entries(docstring, node.name, "arguments", init, others)
        if call is not None:
            yield from _entries(docstring, f"{node.name}.call", "call", call)
    for one in node.body:
        if isinstance(one, Function) and not one.name.startswith("_"):
            yield from _of_function(one, by_place, f"{node.name}.{one.name}", bound=True)


def _of_function(
    node: Function, by_place: _ByPlace, what: str, *, bound: bool
) -> Iterator[Described]:
    docstring = by_place.get(_key(node))
    if docstring is None or node.args.kwarg is not None or node.args.vararg is not None:
        return
    plain = [d for d in node.decorator_list if not registers(d)]
    match plain:
        case []:
            pass
        case [ast.Name(id="classmethod" | "staticmethod" as kind)] if bound:
            bound = kind == "classmethod"
        case _:
            return
    yield from _entries(docstring, what, "arguments", Accepted(parameters(node, bound=bound)))


def _entries(
    docstring: Docstring,
    what: str,
    role: Role,
    accepted: Accepted,
    others: frozenset[str] = frozenset(),
) -> Iterator[Described]:
    entries = tuple(one for one in documented(docstring.text) if one.role == role)
    if entries:
        yield Described(docstring, what, entries, accepted, others)
