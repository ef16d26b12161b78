"""From a snippet to its CST, on any input.

libcst's native parser overflows the C stack on deeply nested code and kills the process, so the
depth is measured lexically first, in one pass that does not recurse.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

from lintkeras.documents.model import Snippet

if TYPE_CHECKING:
    import libcst as cst

MOST_BRACKETS = 200
"""CPython's own limit of nested brackets."""
MOST_LINKS = 1000
"""Operators, attributes, calls and brackets on one way down, or ``elif`` in one chain."""
MOST_STRINGS = 3000
"""Strings side by side; with some more libcst takes valid code for a syntax error."""
MOST_INDENTS = 100
"""CPython's own limit of nested blocks."""

_TOKEN = re.compile(
    r"""
    (?P<string>(?i:[rbuft]{0,2})(?:
        \"\"\"(?:\\.|[^\\])*?(?:\"\"\"|\Z)
        |'''(?:\\.|[^\\])*?(?:'''|\Z)
        |"(?:\\(?:\r\n|.)|[^"\\\r\n])*(?:"|(?=[\r\n])|\Z)
        |'(?:\\(?:\r\n|.)|[^'\\\r\n])*(?:'|(?=[\r\n])|\Z)))
    |(?P<comment>\#[^\n\r]*)
    |(?P<newline>\\?(?:\r\n|\r|\n)[ \t\f]*)
    |(?P<open>[(\[{])
    |(?P<close>[)\]}])
    |(?P<comma>,)
    |(?P<semicolon>;)
    |(?P<colon>:(?!=))
    |(?P<number>\.?\d[\w.]*)
    |(?P<link>[<>=!:]=|->|\*\*|//|<<|>>|[-+*/%@&|^~<>=.]|\b(?:and|or|not|in|is|else|await)\b)
    |(?P<word>\w+)
    """,
    re.VERBOSE | re.DOTALL,
)


class ParseFailure(Exception):
    """The snippet cannot be parsed; ``offset`` is where, in the snippet."""

    def __init__(self, message: str, offset: int = 0) -> None:
        super().__init__(message)
        self.offset = offset


class NotAnalyzed(ParseFailure):
    """The snippet may be Python, but it is out of this program's reach."""

    def __init__(self, reason: str, offset: int = 0) -> None:
        super().__init__(f"cannot be analyzed: {reason}", offset)


@dataclass(frozen=True)
class ParsedSnippet:
    """A snippet and its CST."""

    snippet: Snippet
    module: cst.Module


def parse_snippet(snippet: Snippet) -> ParsedSnippet:
    """The CST of a snippet. Raises ParseFailure where there is none."""
    source = snippet.source
    if "\0" in source:
        raise ParseFailure("source code cannot contain null bytes", source.index("\0"))
    measure_depth(source)
    import libcst as cst

    try:
        return ParsedSnippet(snippet, cst.parse_module(source))
    except cst.ParserSyntaxError as error:
        raise _failure(source, error.raw_line, error.raw_column) from error
    except BaseException as error:  # a panic of the native parser is no Exception
        if isinstance(error, (KeyboardInterrupt, SystemExit)):
            raise
        raise NotAnalyzed(f"libcst fails with {type(error).__name__}") from error


def parses(snippet: Snippet) -> bool:
    """Whether the running Python can parse it: a quick yes that needs no CST."""
    return outline(snippet.source) is not None


@lru_cache(maxsize=2)
def outline(source: str) -> ast.Module | None:
    """What the running Python reads in code, without a CST; None where it cannot.

    The last ones are kept: several readers of one file ask, one after the other.
    """
    try:
        measure_depth(source)
        return _ask_python(source)
    except (SyntaxError, ValueError, MemoryError, RecursionError, ParseFailure):
        return None


def _ask_python(source: str) -> ast.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the user's code: invalid escapes and the like
        return ast.parse(source)


def _failure(source: str, line: int, column: int) -> ParseFailure:
    """What Python itself says of the code, else the place where libcst stopped."""
    starts = [0, *(m.end() for m in re.finditer(r"\r\n|\r|\n", source)), len(source)]

    def offset(line: int, column: int) -> int:
        line = max(min(line, len(starts) - 1), 1)
        end = max(starts[line] - 1, starts[line - 1]) if line < len(starts) - 1 else len(source)
        return min(starts[line - 1] + max(column, 0), end)

    try:
        _ask_python(source)
    except SyntaxError as error:
        message = error.msg or "invalid syntax"
        return ParseFailure(message, offset(error.lineno or 1, (error.offset or 1) - 1))
    except (ValueError, MemoryError, RecursionError):
        return ParseFailure("invalid syntax", offset(line, column))
    return NotAnalyzed("libcst does not know this syntax", offset(line, column))


def comments(source: str) -> Iterator[tuple[int, str]]:
    """Offset and text of each comment, also in code that does not parse."""
    for match in _TOKEN.finditer(source):
        if match.lastgroup == "comment":
            yield match.start(), match.group()


@dataclass(slots=True)
class _Level:
    """What is known of one open bracket, or of the statement outside of all."""

    links: int = 0
    """In the chain since the last comma."""
    inner: int = 0
    """The depth of the deepest bracket in that chain."""
    deepest: int = 0
    """The depth of the deepest chain before it."""
    clauses: int = 0
    """``for`` of a comprehension; each is nested in the one before, whatever the commas."""
    lambdas: int = 0
    """``lambda`` whose colon is still to come: the commas of its parameters end no chain."""
    strings: int = 0
    """Side by side."""

    def depth(self) -> int:
        return self.clauses + max(self.deepest, self.links + self.inner)

    def comma(self) -> None:
        if not self.lambdas:
            self.deepest = max(self.deepest, self.links + self.inner)
            self.links = self.inner = 0


@dataclass(slots=True)
class _Depth:
    """The levels that are open, and the blocks."""

    levels: list[_Level] = field(default_factory=lambda: [_Level()])
    outer: int = 0
    """Links and clauses of the levels around the last one."""
    blocks: list[tuple[int, int]] = field(default_factory=lambda: [(0, 0)])
    """Indentation, and how many ``elif`` and ``else`` follow each other there."""

    def line(self, width: int) -> None:
        """A logical line with something on it begins."""
        self.levels, self.outer = [_Level()], 0
        while self.blocks[-1][0] > width:
            self.blocks.pop()
        if width > self.blocks[-1][0]:
            self.blocks.append((width, 0))

    def first(self, word: str) -> None:
        """The first word of a logical line."""
        width, chain = self.blocks[-1]
        self.blocks[-1] = (width, chain + 1 if word in ("elif", "else") else 0)

    def open(self) -> None:
        level = self.levels[-1]
        self.outer += level.links + level.clauses
        self.levels.append(_Level())

    def close(self) -> None:
        if len(self.levels) > 1:
            closed, level = self.levels.pop(), self.levels[-1]
            self.outer -= level.links + level.clauses
            level.links += 1
            level.inner = max(level.inner, closed.depth())


def measure_depth(source: str) -> None:
    """Raise NotAnalyzed where brackets, chains or blocks are nested too deeply.

    An upper bound: the depth of an expression is counted by its operators since the last comma.
    """
    depth = _Depth()
    fresh = True
    for match in _TOKEN.finditer(source):
        kind, level = match.lastgroup, depth.levels[-1]
        if kind == "comment":
            continue
        if kind == "newline":
            if len(depth.levels) == 1 and not match.group().startswith("\\"):
                fresh = True
                if source[match.end() : match.end() + 1] not in ("", "\r", "\n", "#"):
                    depth.line(len(match.group().lstrip("\r\n")))
            continue
        if fresh:
            depth.first(match.group())
            fresh = False
            _check(depth, match.start())
        if kind != "string":
            level.strings = 0
        match kind:
            case "comma":
                level.comma()
                continue
            case "semicolon":
                level.lambdas = 0
                level.comma()
                continue
            case "colon":
                level.lambdas = max(level.lambdas - 1, 0)
                continue
            case "open":
                depth.open()
            case "close":
                depth.close()
            case "link":
                level.links += 1
            case "word" if match.group() == "lambda":
                level.links += 1
                level.lambdas += 1
            case "word" if match.group() == "for":
                level.clauses += 1
            case "string":
                level.strings += 1
                if "{" in match.group() and _formatted(match.group()):
                    measure_depth(_fields(match.group()))
            case _:
                continue
        _check(depth, match.start())


def _formatted(string: str) -> bool:
    prefix = string[: len(string) - len(string.lstrip("rbuftRBUFT"))].lower()
    return "f" in prefix or "t" in prefix


def _fields(string: str) -> str:
    """The replacement fields of an f-string, as if they were elements of a list."""
    kept: list[str] = []
    depth = 0
    for part in re.findall(r"\{\{|\}\}|[{}]|[^{}]+", string):
        if not depth and part != "{":
            continue  # text, or a brace that stands for itself
        depth = max(depth + part.count("{") - part.count("}"), 0)
        kept.append(part if depth else "},")
    return "".join(kept)


def _check(depth: _Depth, offset: int) -> None:
    level = depth.levels[-1]
    if len(depth.levels) - 1 > MOST_BRACKETS:
        raise NotAnalyzed(f"more than {MOST_BRACKETS} nested brackets", offset)
    if max(depth.outer + level.depth(), depth.blocks[-1][1]) > MOST_LINKS:
        raise NotAnalyzed(f"more than {MOST_LINKS} links in a chain", offset)
    if level.strings > MOST_STRINGS:
        raise NotAnalyzed(f"more than {MOST_STRINGS} strings side by side", offset)
    if len(depth.blocks) - 1 > MOST_INDENTS:
        raise NotAnalyzed(f"more than {MOST_INDENTS} nested blocks", offset)
