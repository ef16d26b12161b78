"""A program as a fix sees it: its text, its facts, its names, and edits of its statements."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import libcst as cst

from lintkeras.findings import Edit, Span
from lintkeras.meaning.facts import Facts
from lintkeras.meaning.values import Symbol
from lintkeras.rewrites.names import Names
from lintkeras.syntax.program import Program
from lintkeras.syntax.tree import nodes
from lintkeras.target import parse


@dataclass(frozen=True, slots=True)
class Insertion:
    """Text to insert at an offset of the snippet that ``near`` stands in."""

    near: cst.CSTNode
    offset: int
    text: str


@dataclass(frozen=True)
class Code:
    """What a fix needs to know. ``target`` says for which releases of Keras the project is."""

    program: Program
    facts: Facts
    target: str | None = None

    @cached_property
    def names(self) -> Names:
        """The variables of the program."""
        return Names(self.program)

    def may_run_on(self, *release: int) -> bool:
        """Whether the project is also written for a release line of Keras (or for a major one).

        A project that says nothing is written for the newest.
        """
        if self.target is None:
            return False
        target = parse(self.target)
        lines = [release] if len(release) > 1 else [(*release, minor) for minor in range(100)]
        return any(target.allows(line) for line in lines)

    # -------------------------------------------------------------- text

    def text(self, node: cst.CSTNode) -> str:
        """The source text of a node with its own parentheses."""
        start, end = self.span(node)
        return self.source(node)[start:end]

    def shown(self, node: cst.CSTNode) -> str:
        """The source text of a node on one line, without comments: for titles."""
        start, end = self.program.local_span(node)
        text, position = "", start
        for comment in self.comments(node):
            first, last = self.program.local_span(comment)
            text, position = text + self.source(node)[position:first], last
        text = " ".join((text + self.source(node)[position:end]).split())
        return text.replace("( ", "(").replace(", )", ")").replace(" )", ")")

    def span(self, node: cst.CSTNode) -> tuple[int, int]:
        """The range of a node with its own parentheses, in its snippet."""
        start, end = self.program.local_span(node)
        left = getattr(node, "lpar", ())
        right = getattr(node, "rpar", ())
        if left and right:
            start = self.program.local_span(left[0])[0]
            end = self.program.local_span(right[-1])[1]
        return start, end

    def is_parenthesized(self, node: cst.CSTNode) -> bool:
        """Whether a node has parentheses of its own."""
        return bool(getattr(node, "lpar", ()))

    def source(self, node: cst.CSTNode) -> str:
        """The snippet that a node stands in."""
        return self.program.snippet_of(node).snippet.source

    def start(self, node: cst.CSTNode) -> tuple[int, int]:
        """Where a node stands in the order of the program: snippet, then offset."""
        one = self.program.snippet_of(node)
        return self.program.parsed.index(one), self.program.local_span(node)[0]

    def unused(self, name: str, taken: Collection[str] = ()) -> str:
        """The name, with a number where the program already says it."""
        number, result = 2, name
        while result in self.names.all or result in taken:
            result, number = f"{name}_{number}", number + 1
        return result

    def fresh(self, name: str, *nodes: cst.CSTNode) -> str:
        """The name, with a number where one of the nodes says it."""
        said = {one.value for node in nodes for one in names_in(node)}
        number, result = 2, name
        while result in said:
            result, number = f"{name}_{number}", number + 1
        return result

    def is_builtin(self, node: cst.CSTNode, name: str) -> bool:
        """Whether a name is Python's own function of that name."""
        if not isinstance(node, cst.Name) or node.value != name:
            return False
        variable = self.names.variable(node)
        return variable is not None and not variable.stores

    def symbol(self, node: cst.CSTNode) -> Symbol | None:
        """The thing of TensorFlow or Keras that a dotted name of the module stands for."""
        parts: list[str] = []
        while isinstance(node, cst.Attribute):
            parts.append(node.attr.value)
            node = node.value
        variable = self.names.variable(node) if isinstance(node, cst.Name) else None
        if variable is None or variable.scope is not self.names.module:
            return None
        held = self.facts.names.get(variable.name)
        if not isinstance(held, Symbol):
            return None
        symbol = Symbol(".".join([held.path, *reversed(parts)]))
        return symbol if symbol.flavour != "other" else None

    def has_own_line(self, node: cst.CSTNode) -> bool:
        """Whether nothing stands before a node on its line."""
        start, _ = self.program.local_span(node)
        source = self.source(node)
        return not source[source.rfind("\n", 0, start) + 1 : start].strip()

    # -------------------------------------------------------------- structure

    def inside(self, node: cst.CSTNode, outer: cst.CSTNode) -> bool:
        """Whether a node is a part of another (or that itself)."""
        return node is outer or any(one is outer for one in self.program.ancestors(node))

    def small_statement(self, node: cst.CSTNode) -> cst.BaseSmallStatement | None:
        """The simple statement that a node is a part of."""
        for ancestor in (node, *self.program.ancestors(node)):
            if isinstance(ancestor, cst.BaseSmallStatement):
                return ancestor
            if isinstance(ancestor, (cst.BaseCompoundStatement, cst.BaseSuite)):
                return None
        return None

    def function(self, node: cst.CSTNode) -> cst.FunctionDef | None:
        """The function that a node is a part of."""
        return self.program.enclosing_function(node)

    def is_method(self, function: cst.FunctionDef) -> bool:
        """Whether a function is defined in the body of a class."""
        block = self.program.parent(function)
        return block is not None and isinstance(self.program.parent(block), cst.ClassDef)

    def callers(self, function: cst.FunctionDef) -> list[cst.CSTNode]:
        """The calls of the program that enter a function."""
        return [call for call in self.facts.entered.get(function, ()) if call is not None]

    def module(self, node: cst.CSTNode) -> cst.Module:
        """The module that a node stands in."""
        return self.program.snippet_of(node).module

    def interactive(self, node: cst.CSTNode) -> bool:
        """Whether a node stands in a session with prompts and output between the lines."""
        return self.program.snippet_of(node).snippet.prefix.strip().startswith("...")

    # -------------------------------------------------------------- edits

    def replace(self, node: cst.CSTNode, text: str) -> Edit:
        """An edit that puts ``text`` in the place of a node and its own parentheses."""
        return self._edit(node, *self.span(node), text)

    def replace_all(self, nodes: Sequence[cst.CSTNode], text: str) -> Edit:
        """An edit that puts ``text`` in the place of neighbours and what stands between them."""
        return self._edit(nodes[0], self.span(nodes[0])[0], self.span(nodes[-1])[1], text)

    def replace_range(self, near: cst.CSTNode, start: int, end: int, text: str) -> Edit:
        """An edit of a range of the snippet that ``near`` stands in."""
        return self._edit(near, start, end, text)

    def insert(self, one: Insertion) -> Edit:
        """The edit that makes an insertion.

        Blank lines before it belong to the line above, or they would be indented with its block.
        """
        offset, text, source = one.offset, one.text, self.source(one.near)
        if text.startswith("\n") and source[:offset].endswith("\n"):
            offset -= 2 if source[:offset].endswith("\r\n") else 1
            text = "\n" + text.removesuffix("\n")
        return self._edit(one.near, offset, offset, text)

    def _edit(self, node: cst.CSTNode, start: int, end: int, text: str) -> Edit:
        one = self.program.snippet_of(node)
        return one.snippet.edit(start, end, text)

    def line_start(self, statement: cst.CSTNode) -> int:
        """Where the first line of a statement begins (its decorators included)."""
        first = statement
        if isinstance(statement, (cst.FunctionDef, cst.ClassDef)) and statement.decorators:
            first = statement.decorators[0]
        start, _ = self.program.local_span(first)
        return self.source(statement).rfind("\n", 0, start) + 1

    def first_line(self, statement: cst.CSTNode) -> int:
        """Where a statement begins together with the comments right above it."""
        source = self.source(statement)
        line = self.line_start(statement)
        while line > 0:
            previous = source.rfind("\n", 0, line - 1) + 1
            if not source[previous:line].lstrip().startswith("#"):
                break
            line = previous
        return line

    def above(self, statement: cst.CSTNode, text: str) -> Insertion:
        """An insertion of whole lines above a statement and the comments on it.

        Below other code two blank lines come first, as around a function of the module.
        """
        source = self.source(statement)
        line = self.first_line(statement)
        before = source[:line].replace("\r\n", "\n")
        if before.strip() and not before.endswith("\n\n\n"):
            text = ("\n" if before.endswith("\n\n") else "\n\n") + text
        return Insertion(statement, line, text)

    def add_argument(self, call: cst.Call, text: str) -> Edit:
        """An insertion of one more keyword argument at the end of a call."""
        if not call.args:
            _, end = self.program.local_span(call)
            return self._edit(call, end - 1, end - 1, text)
        last = call.args[-1]
        _, end = self.span(last.value)
        return self._edit(call, end, end, f", {text}")

    def delete(self, statement: cst.BaseSmallStatement) -> Edit | None:
        """Remove a simple statement, and the line and the comment on it where it stands alone.

        None where that would leave a block empty.
        """
        line = self.program.parent(statement)
        if not isinstance(line, (cst.SimpleStatementLine, cst.SimpleStatementSuite)):
            return None
        source = self.source(statement)
        start, end = self.program.local_span(statement)
        if len(line.body) > 1:
            index = line.body.index(statement)
            if index + 1 < len(line.body):
                end, _ = self.program.local_span(line.body[index + 1])
            else:
                _, start = self.program.local_span(line.body[index - 1])
            return self._edit(statement, start, end, "")
        return self._delete_lines(line, source.rfind("\n", 0, start) + 1, end)

    def delete_block(self, statement: cst.BaseCompoundStatement) -> Edit | None:
        """Remove a compound statement with its lines. None where that leaves a block empty."""
        _, end = self.program.local_span(statement)
        return self._delete_lines(statement, self.line_start(statement), end)

    def delete_definition(self, function: cst.FunctionDef) -> Edit | None:
        """Remove a function and the empty lines below it. None where that leaves a block empty."""
        edit = self.delete_block(function)
        if edit is None:
            return None
        one = self.program.snippet_of(function).snippet
        _, end = self.program.local_span(function)
        rest = one.source[end:].split("\n")[1:]
        empty = 0
        while empty < len(rest) and not rest[empty].strip():
            end, empty = one.source.find("\n", end) + 1, empty + 1
        if not empty:
            return edit
        newline = one.source.find("\n", end)
        last = len(one.source) if newline < 0 else newline + 1
        return Edit(Span(edit.span.start, one.offset(last)), "")

    def delete_decorator(self, decorator: cst.Decorator) -> Edit | None:
        """Remove a decorator with its line; None where that holds a comment."""
        if any(self.comments(decorator)):
            return None
        source = self.source(decorator)
        start, end = self.program.local_span(decorator)
        start, newline = source.rfind("\n", 0, start) + 1, source.find("\n", end)
        return self._edit(decorator, start, newline + 1, "")

    def _delete_lines(self, statement: cst.CSTNode, start: int, end: int) -> Edit | None:
        block = self.program.parent(statement)
        if isinstance(statement, cst.SimpleStatementSuite) or (
            not isinstance(block, cst.Module) and len(getattr(block, "body", ())) < 2
        ):
            return None
        source = self.source(statement)
        newline = source.find("\n", end)
        end = len(source) if newline < 0 else newline + 1
        one = self.program.snippet_of(statement).snippet
        first = one.offset(start)
        return Edit(Span(first, max(first, one.offset(end))), "")

    def comments(self, node: cst.CSTNode) -> Iterator[cst.Comment]:
        """The comments inside a node."""
        stack = [node]
        while stack:
            part = stack.pop()
            if isinstance(part, cst.Comment):
                yield part
            stack.extend(reversed(part.children))

    def comments_lost(self, node: cst.CSTNode, kept: cst.CSTNode) -> bool:
        """Whether putting ``kept``, a part of ``node``, in its place loses a comment."""
        held = {id(comment) for comment in self.comments(kept)}
        return any(id(comment) not in held for comment in self.comments(node))


def names_in(node: cst.CSTNode) -> Iterator[cst.Name]:
    """Every name in a node."""
    return (part for part in nodes(node) if isinstance(part, cst.Name))


def same(one: cst.CSTNode, other: cst.CSTNode) -> bool:
    """Whether two expressions are written alike (spaces and parentheses aside)."""
    match one, other:
        case cst.Name(value=first), cst.Name(value=second):
            return first == second
        case cst.Attribute(), cst.Attribute():
            return one.attr.value == other.attr.value and same(one.value, other.value)
        case cst.Integer(), cst.Integer():
            return one.value == other.value
        case cst.Subscript(), cst.Subscript():
            return same(one.value, other.value) and (
                len(one.slice) == len(other.slice) == 1
                and isinstance(one.slice[0].slice, cst.Index)
                and isinstance(other.slice[0].slice, cst.Index)
                and same(one.slice[0].slice.value, other.slice[0].slice.value)
            )
        case cst.Tuple(), cst.Tuple():
            return len(one.elements) == len(other.elements) and all(
                same(a.value, b.value) for a, b in zip(one.elements, other.elements, strict=True)
            )
    return False


def target_of(
    statement: cst.CSTNode | None,
) -> tuple[cst.BaseExpression, cst.BaseExpression] | None:
    """Target and value of a statement that assigns once."""
    match statement:
        case cst.Assign(targets=[cst.AssignTarget(target=target)], value=value):
            return target, value
        case cst.AnnAssign(target=target, value=cst.BaseExpression() as value):
            return target, value
    return None
