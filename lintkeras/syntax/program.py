"""The code of one document: parsed snippets that share one namespace, with lazy positions."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

import libcst as cst

from lintkeras.documents.model import Document
from lintkeras.findings import Edit, Span
from lintkeras.syntax.layout import Layout, lay_out
from lintkeras.syntax.parse import ParsedSnippet
from lintkeras.syntax.tree import nodes

Statement = cst.SimpleStatementLine | cst.BaseCompoundStatement
Suite = cst.SimpleStatementSuite


class ForeignNode(LookupError):
    """A place was asked for that stands in another file: what needs it cannot be said here."""


class Program:
    """All code of a document. Positions are computed once, by the first question for one."""

    def __init__(
        self, document: Document, parsed: tuple[ParsedSnippet, ...], *, complete: bool = True
    ) -> None:
        self.document = document
        self.parsed = parsed
        self.complete = complete
        """Whether no part of it is left out because it does not parse."""

    @property
    def modules(self) -> tuple[cst.Module, ...]:
        """The modules in the order of the document."""
        return tuple(one.module for one in self.parsed)

    @cached_property
    def nodes(self) -> tuple[cst.CSTNode, ...]:
        """All nodes in the order of the document, without whitespace and marks."""
        return tuple(node for module in self.modules for node in nodes(module))

    @cached_property
    def _own(self) -> frozenset[int]:
        """The identities of ``nodes``: known long before anything is laid out."""
        return frozenset(map(id, self.nodes))

    @cached_property
    def _layouts(self) -> list[Layout]:
        return [lay_out(one.module, one.snippet.source) for one in self.parsed]

    def _where(self, node: cst.CSTNode) -> tuple[ParsedSnippet, Layout]:
        for one, layout in zip(self.parsed, self._layouts, strict=True):
            if id(node) in layout.spans:
                return one, layout
        raise ForeignNode(f"{type(node).__name__} is no part of this program")

    def owns(self, node: cst.CSTNode) -> bool:
        """Whether a node stands in this program, not in another file that was followed."""
        return id(node) in self._own or any(id(node) in layout.spans for layout in self._layouts)

    def snippet_of(self, node: cst.CSTNode) -> ParsedSnippet:
        """The snippet that a node belongs to."""
        return self._where(node)[0]

    def together(self, node: cst.CSTNode) -> tuple[cst.Module, ...]:
        """The modules that certainly run with a node: all cells of a notebook, else its own.

        The fences of a document share their names, but are often programs for themselves.
        """
        own = self.snippet_of(node)
        return self.modules if own.snippet.quoting == ("json",) else (own.module,)

    def local_span(self, node: cst.CSTNode) -> tuple[int, int]:
        """The syntactic range of a node in its snippet."""
        return self._where(node)[1].spans[id(node)]

    def span(self, node: cst.CSTNode) -> Span:
        """The syntactic range of a node in the document."""
        one, layout = self._where(node)
        return one.snippet.span(*layout.spans[id(node)])

    def text(self, node: cst.CSTNode) -> str:
        """The source text of a node, also of one of another file."""
        if not self.owns(node):
            return cst.Module(()).code_for_node(node).strip()
        one, layout = self._where(node)
        start, end = layout.spans[id(node)]
        return one.snippet.source[start:end]

    def parent(self, node: cst.CSTNode) -> cst.CSTNode | None:
        """The node that holds this one."""
        return self._where(node)[1].parents.get(id(node))

    def ancestors(self, node: cst.CSTNode) -> Iterator[cst.CSTNode]:
        """The nodes around this one, innermost first."""
        parents = self._where(node)[1].parents
        current = parents.get(id(node))
        while current is not None:
            yield current
            current = parents.get(id(current))

    def statement(self, node: cst.CSTNode) -> Statement | None:
        """The statement that a node stands in."""
        for ancestor in (node, *self.ancestors(node)):
            if isinstance(ancestor, (cst.SimpleStatementLine, cst.BaseCompoundStatement)):
                return ancestor
        return None

    def enclosing_function(self, node: cst.CSTNode) -> cst.FunctionDef | None:
        """The function that a node stands in."""
        for ancestor in self.ancestors(node):
            if isinstance(ancestor, cst.FunctionDef):
                return ancestor
        return None

    def top_level_statement(self, node: cst.CSTNode) -> cst.CSTNode:
        """The statement of the module that contains a node."""
        last = node
        for ancestor in self.ancestors(node):
            if isinstance(ancestor, cst.Module):
                break
            last = ancestor
        return last

    def comments_of(self, node: cst.CSTNode) -> tuple[str, ...]:
        """The comments right above the statement of ``node`` and on its lines, without ``#``."""
        statement = self.statement(node)
        if statement is None:
            return ()
        above: list[str] = []
        for line in statement.leading_lines:
            if line.comment is None:
                above.clear()
            else:
                above.append(line.comment.value.lstrip("#").strip())
        inside: list[str] = []
        # A suite is the line behind the colon of a header: `def f(x): return x  # why`.
        own = next(a for a in (node, *self.ancestors(node)) if isinstance(a, (Statement, Suite)))
        if isinstance(own, (cst.SimpleStatementLine, Suite)):
            stack: list[cst.CSTNode] = [*own.body, own.trailing_whitespace]
            while stack:
                part = stack.pop()
                if isinstance(part, cst.Comment):
                    inside.append(part.value.lstrip("#").strip())
                stack.extend(part.children)
        return (*above, *inside)

    def replace(self, node: cst.CSTNode, text: str) -> Edit:
        """An edit that puts ``text`` in the place of a node."""
        one, layout = self._where(node)
        return one.snippet.edit(*layout.spans[id(node)], text)
