"""Where each node of a module stands: one pass of libcst's own code generation.

libcst gives almost every file back as it was. It does not keep the blanks in ``except Error :``,
for one; there its offsets are put right by the source.
"""

from __future__ import annotations

import bisect
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import libcst as cst
from libcst._nodes.internal import CodegenState

from lintkeras.syntax.parse import NotAnalyzed

_BLANKS = re.compile(r"[ \t\f\\\r\n]*")


@dataclass(frozen=True)
class Layout:
    """The syntactic range of each node in the source of its module, and its parent, by id."""

    spans: dict[int, tuple[int, int]]
    parents: dict[int, cst.CSTNode]


def lay_out(module: cst.Module, source: str) -> Layout:
    """The layout of a module. Raises NotAnalyzed where libcst does not give its source back."""
    pass_ = _Pass(module)
    module._codegen(pass_)
    code = "".join(pass_.tokens)
    if code == source:
        return Layout(pass_.spans, pass_.parents)
    shifts = lost_blanks(code, source)
    spans = {node: _shifted(span, shifts) for node, span in pass_.spans.items()}
    return Layout(spans, pass_.parents)


class _Pass(CodegenState):
    """Counts offsets while the code is generated."""

    def __init__(self, module: cst.Module) -> None:
        super().__init__(module.default_indent, module.default_newline)
        self.spans: dict[int, tuple[int, int]] = {}
        self.parents: dict[int, cst.CSTNode] = {}
        self._offset = 0
        self._open: list[cst.CSTNode] = []

    def add_token(self, value: str) -> None:
        self.tokens.append(value)
        self._offset += len(value)

    def add_indent_tokens(self) -> None:
        self.tokens.extend(self.indent_tokens)
        self._offset += sum(map(len, self.indent_tokens))

    def pop_trailing_newline(self) -> None:
        if self.tokens:
            self._offset -= len(self.tokens.pop())

    def before_codegen(self, node: cst.CSTNode) -> None:
        if self._open:
            self.parents[id(node)] = self._open[-1]
        self._open.append(node)
        self.spans[id(node)] = (self._offset, self._offset)

    def after_codegen(self, node: cst.CSTNode) -> None:
        self._open.pop()
        start, end = self.spans[id(node)]
        if start == end:
            self.spans[id(node)] = (start, self._offset)

    @contextmanager
    def record_syntactic_position(
        self,
        node: cst.CSTNode,
        *,
        start_node: cst.CSTNode | None = None,
        end_node: cst.CSTNode | None = None,
    ) -> Iterator[None]:
        start = self._offset
        yield
        end = self._offset
        if start_node is not None:
            start = self.spans[id(start_node)][0]
        if end_node is not None:
            end = self.spans[id(end_node)][1]
        self.spans[id(node)] = (start, end)


def lost_blanks(code: str, source: str) -> list[tuple[int, int]]:
    """Offsets of ``code`` from which on ``source`` is ahead, and by how much; ascending.

    Raises NotAnalyzed where the two differ in more than blanks that ``code`` lacks.
    """
    shifts = [(0, 0)]
    at = 0
    while True:
        ahead = shifts[-1][1]
        at += _common(code, at, source, at + ahead)
        rest = at + ahead
        if at == len(code) and rest == len(source):
            return shifts
        blanks = _BLANKS.match(source, rest)
        assert blanks is not None
        ends = range(rest + 1, blanks.end() + 1)
        end = next((end for end in ends if source[end : end + 1] == code[at : at + 1]), None)
        if end is None:
            raise NotAnalyzed("libcst does not give this code back", rest)
        shifts.append((at, end - at))


def _common(one: str, i: int, two: str, j: int) -> int:
    """The length of what two texts have in common from two offsets on."""
    longest = min(len(one) - i, len(two) - j)
    done, size = 0, 64
    while done < longest and one[i + done : i + done + size] == two[j + done : j + done + size]:
        done, size = done + size, 2 * size
    done = min(done, longest)
    while size > 1:
        size //= 2
        if one[i + done : i + done + size] == two[j + done : j + done + size]:
            done = min(done + size, longest)
    return done


def _shifted(span: tuple[int, int], shifts: list[tuple[int, int]]) -> tuple[int, int]:
    """A range of the code as one of the source: lost blanks stand behind what ends there."""
    start, end = span
    first = start + shifts[bisect.bisect(shifts, start, key=_offset) - 1][1]
    if end == start:
        return first, first
    return first, end + shifts[bisect.bisect_left(shifts, end, key=_offset) - 1][1]


def _offset(shift: tuple[int, int]) -> int:
    return shift[0]
