"""From a snippet to its CST, on any input.

libcst's native parser overflows the C stack on deeply nested code and kills the process, so the
depth is measured lexically first, in one pass that does not recurse.
"""

from __future__ import annotations

import ast
import gc
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lintkeras.documents.model import Snippet

if TYPE_CHECKING:
    import libcst as cst

MOST_BRACKETS = 200
"""CPython's own limit of nested brackets."""
MOST_LINKS = 1000
"""Operators, attributes, calls and ``elif`` in one chain."""
MOST_INDENTS = 100
"""CPython's own limit of nested blocks."""

_TOKEN = re.compile(
    r"""
    (?P<string>(?i:[rbuft]{0,2})(?:\"\"\"(?:\\.|[^\\])*?(?:\"\"\"|\Z)|'''(?:\\.|[^\\])*?(?:'''|\Z)
        |"(?:\\.|[^"\\\n])*(?:"|$)|'(?:\\.|[^'\\\n])*(?:'|$)))
    |(?P<comment>\#[^\n\r]*)
    |(?P<open>[(\[{])|(?P<close>[)\]}])
    |(?P<newline>\\?(?:\r\n|\r|\n)[ \t\f]*)
    |(?P<reset>[,;])
    |(?P<link>\b(?:and|or|not|in|is|if|else|elif|lambda|await|for)\b|\*\*|//|<<|>>|[-+*/%@&|^~<>=!.])
    |\w+
    """,
    re.VERBOSE | re.DOTALL | re.MULTILINE,
)


class ParseFailure(Exception):
    """The snippet cannot be parsed or analyzed; ``offset`` is where, in the snippet."""

    def __init__(self, message: str, offset: int = 0) -> None:
        super().__init__(message)
        self.offset = offset


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

    # libcst does not give back a bare carriage return; a line feed keeps every offset.
    text = re.sub(r"\r(?!\n)", "\n", source)
    enabled = gc.isenabled()
    gc.disable()
    try:
        return ParsedSnippet(snippet, cst.parse_module(text))
    except cst.ParserSyntaxError as error:
        raise _failure(source, error.raw_line, error.raw_column) from error
    except Exception as error:
        raise ParseFailure(f"cannot be analyzed: {type(error).__name__}") from error
    finally:
        if enabled:
            gc.enable()


def parses(snippet: Snippet) -> bool:
    """Whether the running Python can parse it: a quick yes that needs no CST."""
    try:
        measure_depth(snippet.source)
        ast.parse(snippet.source)
    except (SyntaxError, ValueError, MemoryError, RecursionError, ParseFailure):
        return False
    return True


def _failure(source: str, line: int, column: int) -> ParseFailure:
    """What Python itself says of the code, else the place where libcst stopped."""
    starts = [0, *(m.end() for m in re.finditer(r"\r\n|\r|\n", source))]

    def offset(line: int, column: int) -> int:
        return min(starts[max(min(line, len(starts)) - 1, 0)] + max(column, 0), len(source))

    try:
        ast.parse(source)
    except SyntaxError as error:
        message = error.msg or "invalid syntax"
        return ParseFailure(message, offset(error.lineno or 1, (error.offset or 1) - 1))
    except (ValueError, MemoryError, RecursionError):
        pass
    return ParseFailure("invalid syntax", offset(line, column))


def measure_depth(source: str) -> None:
    """Raise ParseFailure where brackets, chains or blocks are nested too deeply.

    An upper bound: the chain of an expression is counted by its operators since the last comma.
    """
    brackets: list[int] = []
    links = elifs = 0
    indents = [0]
    fresh = True
    for match in _TOKEN.finditer(source):
        kind = match.lastgroup
        if kind == "comment":
            continue
        if kind == "newline":
            if not brackets and not match.group().startswith("\\"):
                links, fresh = 0, True
                width = len(match.group().lstrip("\r\n"))
                following = source[match.end() : match.end() + 1]
                if following not in ("", "\r", "\n", "#"):
                    while indents[-1] > width:
                        indents.pop()
                    if width > indents[-1]:
                        indents.append(width)
                        if len(indents) > MOST_INDENTS:
                            raise _too_deep("nested blocks", len(indents), MOST_INDENTS, match)
            continue
        if kind == "open":
            brackets.append(links + 1)
            links = 0
            if len(brackets) > MOST_BRACKETS:
                raise _too_deep("nested brackets", len(brackets), MOST_BRACKETS, match)
        elif kind == "close":
            links = brackets.pop() if brackets else links
        elif kind == "reset":
            links = 0
        elif kind == "link":
            links += 1
            if fresh:
                elifs = elifs + 1 if match.group() in ("elif", "else") else 0
        elif kind == "string":
            links += 1
            if match.group()[:2].lower().strip("rbu\"'"):
                inner = match.group()
                depth = max(inner.count("{"), inner.count("("))
                if depth > MOST_LINKS:
                    raise _too_deep("parts of an f-string", depth, MOST_LINKS, match)
        if max(links, elifs) > MOST_LINKS:
            raise _too_deep("links in a chain", max(links, elifs), MOST_LINKS, match)
        fresh = False


def _too_deep(what: str, count: int, limit: int, match: re.Match[str]) -> ParseFailure:
    return ParseFailure(f"cannot be analyzed: more than {limit} {what}", match.start())
