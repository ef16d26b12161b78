"""reStructuredText: code of directives and sessions as snippets, paragraphs as prose.

Read line by line: what stands where is all that matters here, and every project has directives and
roles of its own, which a full parser would have to be taught. A block belongs to the directive
above it by its indentation; what no reader sees (comments, options, tables of contents) is left out.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass, field

from lintkeras.documents.markdown import fence_language
from lintkeras.documents.model import (
    PROMPT,
    Document,
    Mark,
    Prose,
    ProseKind,
    Snippet,
    aligned,
    in_runs,
    newline_of,
)
from lintkeras.documents.python import decode
from lintkeras.findings import Span

_DIRECTIVE = re.compile(r"\.\.[ \t]+(?:\|[^|]+\|[ \t]+)?([\w:.+-]+?)::(?:[ \t]+(.*)|[ \t]*)")
_CODE = frozenset({"code-block", "sourcecode", "code", "ipython", "code-cell", "jupyter-execute"})
_TESTS = frozenset({"testcode", "testsetup", "testcleanup"})
_READ = frozenset({
    "note", "warning", "tip", "hint", "important", "attention", "caution", "danger", "error",
    "seealso", "admonition", "versionadded", "versionchanged", "deprecated", "topic", "sidebar",
    "container", "tab-item", "dropdown", "only", "compound", "rubric", "epigraph", "highlights",
    "py:class", "py:function", "py:method", "py:module", "class", "function", "method", "list-table",
})  # fmt: skip
"""Directives whose body is running text."""
_QUOTING = frozenset({"epigraph", "highlights", "pull-quote"})
_OPTION = re.compile(r"[ \t]*:[\w-]+:")
_ITEM = re.compile(r"(?:[-*+•]|\(?(?:\d{1,3}|[a-zA-Z#])[.)])[ \t]+")
_FIELD = re.compile(r":[^:\s][^:]*:(?:[ \t]+|$)")
_RULE = re.compile(r"([=\-~^\"'`#*+.:_<>])\1{2,}")
_GRID = re.compile(r"[+|].*[+|]|=+( +=+)+|-+( +-+)+")
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n|\Z)")


def read(path: str, data: bytes) -> Document:
    """Read a page. Raises DocumentError where it is not UTF-8."""
    bom = codecs.BOM_UTF8 if data.startswith(codecs.BOM_UTF8) else b""
    text = decode(data[len(bom) :], "utf-8", len(bom))
    reader = _Reader(text)
    reader.read()
    return Document(
        path, "rst", text, "utf-8", bom, tuple(reader.snippets), tuple(reader.prose),
        marks=tuple(reader.marks),
    )  # fmt: skip


@dataclass
class _Reader:
    """Walks down the lines of a page."""

    text: str
    snippets: list[Snippet] = field(default_factory=list)
    prose: list[Prose] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)
    styles: list[str] = field(default_factory=list)
    """The underlines of titles in the order of their first use: the levels."""

    def __post_init__(self) -> None:
        whole = [match.group() for match in _LINE.finditer(self.text) if match.group()]
        self.lines = [line.rstrip("\r\n") for line in whole]
        self.endings = [len(a) - len(b) for a, b in zip(whole, self.lines, strict=True)]
        self.starts = [0]
        for line in whole:
            self.starts.append(self.starts[-1] + len(line))

    def read(self) -> None:
        """The whole page."""
        self._blocks(0, len(self.lines), "paragraph")

    def _indent(self, number: int) -> int:
        line = self.lines[number]
        return len(line) - len(line.lstrip(" \t"))

    def _blank(self, number: int) -> bool:
        return not self.lines[number].strip()

    def _body(self, number: int, end: int, indent: int) -> int:
        """Where the lines end that are indented more than ``indent``."""
        last = number
        while number < end:
            if not self._blank(number):
                if self._indent(number) <= indent:
                    break
                last = number + 1
            number += 1
        return last

    def _blocks(self, number: int, end: int, kind: ProseKind) -> None:
        while number < end:
            if self._blank(number):
                number += 1
                continue
            indent = self._indent(number)
            line = self.lines[number].strip()
            if line.startswith("..") and (line == ".." or line[2] in " \t"):
                number = self._explicit(number, end, kind)
            elif PROMPT.match(self.lines[number]) and line.startswith(">>>"):
                number = self._session(number, end)
            elif self._is_title(number, end):
                number = self._title(number)
            elif _GRID.fullmatch(line):
                while number < end and not self._blank(number):
                    number += 1
            else:
                number = self._paragraph(number, end, indent, kind)

    def _explicit(self, number: int, end: int, kind: ProseKind) -> int:
        """A directive, a target or a comment, with what belongs to it."""
        indent = self._indent(number)
        line = self.lines[number].strip()
        last = self._body(number + 1, end, indent)
        match = _DIRECTIVE.fullmatch(line)
        if match is None:
            if line.startswith((".. lintkeras:", "..  lintkeras:")):
                at = self.starts[number] + indent
                self.marks.append(Mark(Span(at, at + len(line)), line[2:].strip()))
            return max(last, number + 1)
        name, argument = match[1].lower(), (match[2] or "").strip()
        first = number + 1
        while first < last and _OPTION.match(self.lines[first]) and not self._blank(first):
            first += 1
        if name in _CODE or name in _TESTS or name == "doctest":
            python = name in _TESTS or name == "doctest" or fence_language(argument or "python")
            if python is not None and (argument or name != "code"):
                self._code(first, last, session=name == "doctest" or argument.lower() == "pycon")
        elif name in _READ:
            if argument and name in ("note", "warning", "tip", "hint", "important", "rubric"):
                at = self.starts[number] + self.lines[number].index(argument)
                self._say(argument, Span(at, at + len(argument)), kind)
            self._blocks(first, last, "quote" if name in _QUOTING else kind)
        return max(last, number + 1)

    def _code(self, first: int, last: int, *, session: bool) -> None:
        """The lines of a directive as code, without their common indentation."""
        numbers = [n for n in range(first, last) if not self._blank(n)]
        if not numbers:
            return
        if session or self.lines[numbers[0]].strip().startswith(">>>"):
            self._prompts([n for n in numbers if PROMPT.match(self.lines[n])])
            return
        indent = min(map(self._indent, numbers))
        lines = [(n, min(indent, len(self.lines[n]))) for n in range(numbers[0], last)]
        self._snippet(lines, self.lines[numbers[0]][:indent])

    def _session(self, number: int, end: int) -> int:
        """A session that stands in the text: up to the next empty line."""
        first = number
        while number < end and not self._blank(number):
            number += 1
        self._prompts([n for n in range(first, number) if PROMPT.match(self.lines[n])])
        return number

    def _prompts(self, numbers: list[int]) -> None:
        if numbers:
            lines = [(n, match.end()) for n in numbers if (match := PROMPT.match(self.lines[n]))]
            self._snippet(lines, self.lines[numbers[0]][: self._indent(numbers[0])] + "... ")

    def _snippet(self, lines: list[tuple[int, int]], prefix: str) -> None:
        runs = [
            (self.starts[n] + cut, self.text[self.starts[n] + cut : self.starts[n + 1]])
            for n, cut in lines
        ]
        snippet = in_runs(runs, prefix, newline_of(self.text))
        if snippet is not None:
            self.snippets.append(snippet)

    def _is_title(self, number: int, end: int) -> bool:
        """A line over a rule, perhaps also under one."""
        line = self.lines[number].rstrip()
        if _RULE.fullmatch(line.strip()) and number + 2 < end:
            return self.lines[number + 2].strip() == line.strip() and not self._blank(number + 1)
        if number + 1 >= end or line[:1].isspace():
            return False
        below = self.lines[number + 1].rstrip()
        return bool(_RULE.fullmatch(below)) and len(below) >= len(line.strip())

    def _title(self, number: int) -> int:
        over = bool(_RULE.fullmatch(self.lines[number].strip()))
        at = number + over
        style = self.lines[at + 1].strip()[:1] * (1 + over)
        if style not in self.styles:
            self.styles.append(style)
        level = min(self.styles.index(style) + 1, 6)
        span = Span(self.starts[at], self.starts[at] + len(self.lines[at]))
        self._say(self.lines[at].strip(), span, "heading", level)
        return at + 2

    def _paragraph(self, number: int, end: int, indent: int, kind: ProseKind) -> int:
        """Running text up to an empty line; a literal block may follow it."""
        first = number
        text = [self.lines[number].strip()]
        item = _ITEM.match(text[0])
        number += 1
        while number < end and not self._blank(number):
            if item is not None and self._indent(number) <= indent:
                break  # the next item of the list, or text that is no longer in it
            line = self.lines[number].strip()
            if _ITEM.match(line) and self._indent(number) == indent and item is not None:
                break
            text.append(line)
            number += 1
        if item is not None:
            text[0] = text[0][item.end() :]
            kind = "list-item" if kind == "paragraph" else kind
        name = _FIELD.match(text[0])
        if name is not None:
            text[0] = text[0][name.end() :]
        start = self.starts[first] + indent
        stop = self.starts[number - 1] + len(self.lines[number - 1])
        joined = " ".join(line for line in text if line)
        literal = joined.endswith("::")
        if literal:
            joined = joined[:-1] if joined != "::" and not joined.endswith(" ::") else joined[:-2]
        self._say(joined.strip(), Span(start, stop), kind)
        if literal:
            return max(self._body(number, end, indent), number)
        if item is not None:  # what belongs to the item
            last = self._body(number, end, indent)
            self._blocks(number, last, kind)
            return max(last, number)
        return number

    def _say(self, text: str, span: Span, kind: ProseKind, level: int = 0) -> None:
        plain = " ".join(_plain(text).split())
        if plain:
            pieces = aligned(plain, self.text, span)
            self.prose.append(Prose(plain, span, kind, level, pieces))


_ROLE = re.compile(r"(?::[\w:+-]+:)`(?P<role>[^`]+)`")
_LITERAL = re.compile(r"``(?P<code>.+?)``(?!`)")
_LINK = re.compile(r"`(?P<link>[^`]+?)`__?")
_INTERPRETED = re.compile(r"(?<![\w`])`(?P<text>[^`]+)`(?![`_])")
_EMPHASIS = re.compile(r"(?<![\w*])(\*\*?)(?=\S)(.+?)(?<=\S)\1(?![\w*])")
_TARGET = re.compile(r"\s*<[^>]*>$")


def _plain(text: str) -> str:
    """What a reader sees of running text; code and names keep one backtick on each side."""
    kept: list[str] = []

    def keep(words: str) -> str:
        kept.append(words)
        return f"\0{len(kept) - 1}\0"

    def role(match: re.Match[str]) -> str:
        name = _TARGET.sub("", match["role"]).lstrip("~!")
        return keep(f"`{name}`")

    text = _LITERAL.sub(lambda match: keep(f"`{match['code']}`"), text)
    text = _ROLE.sub(role, text)
    text = _LINK.sub(lambda match: _TARGET.sub("", match["link"]), text)
    text = _INTERPRETED.sub(lambda match: keep(f"`{match['text']}`"), text)
    text = _EMPHASIS.sub(lambda match: match[2], text)
    return re.sub("\0(\\d+)\0", lambda match: kept[int(match[1])], text)
