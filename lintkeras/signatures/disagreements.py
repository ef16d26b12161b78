"""Docstrings that say another thing of the arguments than the signature: LK803 to LK805.

Nothing here needs a CST, so that a file whose docstrings are right is never parsed to one.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

from lintkeras.documents.docstrings import Docstring, docstrings
from lintkeras.documents.model import Document, Snippet, place
from lintkeras.documents.sections import Documented, Role, documented
from lintkeras.findings import Applicability, Edit, Finding, Fix, Span
from lintkeras.keras_api.releases import Releases
from lintkeras.modules import ProjectModules
from lintkeras.signatures.accepted import (
    Accepted,
    Function,
    Scope,
    Signatures,
    of_function,
    scope_of,
)
from lintkeras.syntax.parse import outline

CODES = ("LK803", "LK804", "LK805")
_SEQUENCES = (list, tuple)
_TITLES = frozenset({
    "args", "arguments", "example", "examples", "note", "notes", "raise", "raises", "reference",
    "references", "return", "returns", "see", "todo", "usage", "warning", "yield", "yields",
})  # fmt: skip
"""Titles that stand in a line as the name of an argument does."""
_WORD = re.compile(r"\w+")
_ELSEWHERE = re.compile(
    r"\{\w+\}|%\(\w+\)s|\b(?:see|refer to|same (?:as|arguments|args|parameters))\b", re.IGNORECASE
)
"""Where a decorator or a tool puts text into a docstring, or the reader is sent elsewhere."""


@dataclass(frozen=True)
class Text:
    """A docstring and the code that it stands in."""

    docstring: Docstring
    snippet: Snippet

    def inside(self, start: int, end: int) -> tuple[int, int]:
        """Where a range of the text stands in the code."""
        pieces = self.docstring.pieces
        return place(pieces, start), place(pieces, end, end=True)

    def span(self, start: int, length: int) -> Span:
        """Where a run of the text stands in the file."""
        return self.snippet.span(*self.inside(start, start + length))


@dataclass(frozen=True)
class Described:
    """What one docstring documents of one signature."""

    text: Text
    what: str
    """How messages call it: ``Scale``, ``Scale.call``."""
    entries: tuple[Documented, ...]
    accepted: Accepted
    elsewhere: frozenset[str] = frozenset()
    """Names that the same docstring may speak of, being those of another signature."""


def disagreements(
    document: Document, releases: Releases, modules: ProjectModules
) -> Iterator[Finding]:
    """What the docstrings of a document say of arguments and is not so."""
    for one in _described(document, releases, modules):
        yield from _unknown(one)
        yield from _left_out(one)
        yield from _defaults(one)


def _unknown(one: Described) -> Iterator[Finding]:
    """An argument that is documented and not taken."""
    if not one.accepted.closed:
        return
    known = one.accepted.names | one.elsewhere
    for number, entry in enumerate(one.entries):
        if entry.role == "call" and not number:
            continue  # the inputs, whatever they are called
        if entry.name in known or entry.name[0].isupper() or entry.name in _TITLES:
            continue
        message = f"`{one.what}` takes no argument `{entry.name}`, which is documented"
        span = one.text.span(entry.start, len(entry.name))
        yield Finding("LK803", span, message, label="not in the signature")


def _left_out(one: Described) -> Iterator[Finding]:
    """An argument that is nowhere named where the others are documented."""
    names = {entry.name for entry in one.entries}
    text = one.text.docstring.text
    if names - one.accepted.names - one.elsewhere or _ELSEWHERE.search(text):
        return  # it may be documented by an older name (LK803), or in another place
    words = {*_WORD.findall(text), "self", "cls"}
    if one.what.endswith(".call"):
        words |= {"training", "mask"}  # every layer's: Keras describes them
    left = [
        name
        for name in one.accepted.own
        if not {name, name.strip("_")} & words
        and not name.startswith("_")
        and name not in one.accepted.inherited
    ]
    if left:
        first = one.entries[0]
        listed = ", ".join(f"`{name}`" for name in left)
        message = f"the arguments of `{one.what}` are documented without {listed}"
        yield Finding("LK804", one.text.span(first.start, len(first.name)), message)


def _defaults(one: Described) -> Iterator[Finding]:
    """A documented default that is another value than that of the signature."""
    for entry in one.entries:
        actual = one.accepted.own.get(entry.name)
        if entry.default is None or actual is None:
            continue
        try:
            said, real = ast.literal_eval(entry.default.text), ast.literal_eval(actual)
        except (ValueError, SyntaxError, TypeError, MemoryError):
            continue
        if not _differ(said, real) or one.accepted.replaces(entry.name):
            continue
        written = ast.unparse(actual)
        if isinstance(real, str) and not entry.default.text.startswith("'") and '"' not in real:
            written = f'"{real}"'
        span = one.text.span(entry.default.start, len(entry.default.text))
        message = (
            f"`{entry.name}` of `{one.what}` defaults to `{written}`, "
            f"documented is `{entry.default.text}`"
        )
        yield Finding("LK805", span, message, fixes=_fixes(one.text, entry, written))


def _fixes(text: Text, entry: Documented, written: str) -> tuple[Fix, ...]:
    default = entry.default
    assert default is not None
    source = text.snippet.source
    start, end = text.inside(default.start, default.start + len(default.text))
    first = text.docstring.pieces[0].document
    quotes = source[max(first - 3, 0) : first]
    if default.chosen or quotes not in ('"""', "'''") or "\\" in written:
        return ()
    if source[start:end] != default.text or quotes in written + source[end : end + 3]:
        return ()  # it is written by escapes, or the docstring might end too early
    edit: Edit = text.snippet.edit(start, end, written)
    return (Fix("default", f"document the default `{written}`", Applicability.SAFE, (edit,)),)


def _differ(said: object, real: object) -> bool:
    """Whether two values are certainly not meant to be one."""
    if real is None or (not said and not real):
        return False  # what stands for nothing is decided in the body
    if said is None:
        return True
    if isinstance(said, _SEQUENCES) and isinstance(real, _SEQUENCES):
        return list(said) != list(real)
    if isinstance(said, (int, float)) and isinstance(real, (int, float)):
        return said != real
    return type(said) is type(real) and said != real  # a string may stand for a number


def _described(
    document: Document, releases: Releases, modules: ProjectModules
) -> Iterator[Described]:
    parsed = [
        (snippet, tree)
        for snippet in document.snippets
        if not snippet.space and (tree := outline(snippet.source)) is not None
    ]
    scope = scope_of(document.path, [node for _, tree in parsed for node in tree.body])
    if not scope.uses_keras:
        return
    signatures = Signatures(releases, modules)
    for snippet, tree in parsed:
        texts: dict[ast.AST, Text] = {
            one.node: Text(one, snippet) for one in docstrings(snippet.source, tree)
        }
        if texts:
            yield from _Reader(signatures, scope, texts).read(tree)


@dataclass(frozen=True)
class _Reader:
    """Goes through the classes and functions of one snippet."""

    signatures: Signatures
    scope: Scope
    texts: dict[ast.AST, Text]

    def read(self, tree: ast.Module) -> Iterator[Described]:
        given = {name for node in tree.body for name in _changed(node)}
        for node in tree.body:
            if not isinstance(node, (ast.ClassDef, Function)) or node.name in given:
                continue
            if isinstance(node, ast.ClassDef):
                yield from self._of_class(node)
            elif not node.name.startswith("_"):
                yield from self._of_function(node, node.name, bound=False)

    def _of_class(self, node: ast.ClassDef) -> Iterator[Described]:
        init = self.signatures.of_class(node, self.scope)
        call = self.signatures.of_call(node, self.scope)
        others = call.names if call is not None else frozenset()
        if init is not None:
            yield from self._entries(node, node.name, "arguments", init, others)
        if call is not None:
            yield from self._entries(node, f"{node.name}.call", "call", call)
        for one in node.body:
            if not isinstance(one, Function):
                continue
            if one.name == "__init__" and init is not None:
                yield from self._entries(one, node.name, "arguments", init, others)
            elif not one.name.startswith("_") or one.name == "__call__":
                yield from self._of_function(one, f"{node.name}.{one.name}", bound=True)

    def _of_function(self, node: Function, what: str, *, bound: bool) -> Iterator[Described]:
        if node in self.texts:
            accepted = of_function(node, self.scope, bound=bound)
            if accepted is not None:
                yield from self._entries(node, what, "arguments", accepted)

    def _entries(
        self, node: ast.AST, what: str, role: Role, accepted: Accepted,
        others: frozenset[str] = frozenset(),
    ) -> Iterator[Described]:  # fmt: skip
        text = self.texts.get(node)
        if text is not None:
            found = documented(text.docstring.text)
            entries = tuple(one for one in found if one.role == role)
            if entries:
                yield Described(text, what, entries, accepted, others)


def _changed(node: ast.stmt) -> Iterator[str]:
    """What is replaced after its definition, or gets another docstring or signature."""
    for target in node.targets if isinstance(node, ast.Assign) else ():
        match target:
            case ast.Name(id=name):
                yield name
            case ast.Attribute(value=ast.Name(id=name), attr="__doc__" | "__signature__"):
                yield name
