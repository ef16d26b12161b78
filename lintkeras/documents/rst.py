"""reStructuredText: code of directives and sessions as snippets, paragraphs as prose.

Read line by line: what stands where is all that matters here, and every project has directives and
roles of its own, which a full parser would have to be taught. A block belongs to the directive
above it by its indentation; what no reader sees (comments, options, tables of contents) is left out.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Collection
from dataclasses import dataclass, field

from lintkeras.documents.lines import Lines
from lintkeras.documents.markdown import TEXT
from lintkeras.documents.model import Document, Mark, Prose, ProseKind, Snippet, aligned
from lintkeras.documents.python import decode
from lintkeras.findings import Span

_VERBATIM = frozenset({"raw", "parsed-literal", "math", "prompt", "literalinclude", "toctree"})
"""Directives whose body is shown as it stands."""
_WITH_TEXT = frozenset({"note", "warning", "tip", "hint", "important", "rubric"})
"""Directives whose text may begin beside their name."""
_PYTHON = frozenset({"python", "python3", "py", "default"})
_REMARK = re.compile(r"\.\.\s+lintkeras:")
_QUOTING = frozenset({"epigraph", "highlights", "pull-quote"})
_ITEM = re.compile(r"(?:[-*+•]|\(?(?:\d{1,3}|[a-zA-Z#])[.)])[ \t]+")
_BESIDE = re.compile(rf"\.\.[ \t]|>>>|{_ITEM.pattern}")
"""What begins beside the mark of an item and is more than its text: a directive, another item."""
_DEEPEST = 60
"""The indentation of items that are followed so; what is deeper is no list."""
_FIELD = re.compile(r":[^:\s][^:]*:(?:[ \t]+|$)")
_RULE = re.compile(r"([=\-~^\"'`#*+.:_<>])\1{2,}")
_GRID = re.compile(r"[+|].*[+|]|=+( +=+)+|-+( +-+)+")


def read(path: str, data: bytes, languages: Collection[str] = ()) -> Document:
    """Read a page. Raises DocumentError where it is not UTF-8."""
    bom = codecs.BOM_UTF8 if data.startswith(codecs.BOM_UTF8) else b""
    text = decode(data[len(bom) :], "utf-8", len(bom))
    reader = _Reader(text, languages)
    reader.read()
    return Document(
        path, "rst", text, "utf-8", bom, tuple(reader.snippets), tuple(reader.prose),
        marks=tuple(reader.marks),
    )  # fmt: skip


@dataclass
class _Reader:
    """Walks down the lines of a page."""

    text: str
    languages: Collection[str] = ()
    snippets: list[Snippet] = field(default_factory=list)
    prose: list[Prose] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)
    styles: list[str] = field(default_factory=list)
    """The underlines of titles in the order of their first use: the levels."""
    literal: bool = True
    """Whether blocks behind ``::`` can be Python, as ``.. highlight::`` says."""

    def __post_init__(self) -> None:
        self.lines = Lines(self.text)

    def read(self) -> None:
        """The whole page."""
        self._blocks(0, len(self.lines), "paragraph")

    def _blocks(self, number: int, end: int, kind: ProseKind) -> None:
        while number < end:
            if self.lines.blank(number):
                number += 1
                continue
            indent = self.lines.indent(number)
            line = self.lines[number].strip()
            if line.startswith("..") and (line == ".." or line[2] in " \t"):
                number = self._explicit(number, end, kind)
            elif self.lines.begins_session(number):
                first, number = number, self.lines.paragraph(number, end)
                self.snippets += self.lines.session(range(first, number))
            elif self._is_title(number, end):
                number = self._title(number)
            elif _GRID.fullmatch(line):
                number = self.lines.paragraph(number, end)
            else:
                number = self._paragraph(number, end, indent, kind)

    def _explicit(self, number: int, end: int, kind: ProseKind) -> int:
        """A directive, a target or a comment, with what belongs to it."""
        lines = self.lines
        indent = lines.indent(number)
        line = lines[number].strip()
        directive = lines.directive(number, end)
        if directive is None:
            if _REMARK.match(line):
                at = lines.starts[number] + indent
                self.marks.append(Mark(Span(at, at + len(line)), line[2:].strip()))
            return max(lines.body(number + 1, end, indent), number + 1)
        name, body = directive.name, directive.body
        if directive.is_code:
            if (language := directive.language(self.languages)) is not None:
                self.snippets += lines.code(body, language)
        elif name == "highlight":
            self.literal = directive.argument.lower() in _PYTHON
        elif name in TEXT:
            if directive.argument and name in _WITH_TEXT:
                at = lines.starts[number] + lines[number].index(directive.argument)
                self._say(directive.argument, Span(at, at + len(directive.argument)), kind)
            inside: ProseKind = "quote" if name in _QUOTING else kind
            self._blocks(body.start, body.stop, "table" if name == "list-table" else inside)
        elif name not in _VERBATIM:  # of a directive that is not known, only the code is read
            known = len(self.prose)
            self._blocks(body.start, body.stop, kind)
            del self.prose[known:]
        return max(body.stop, number + 1)

    def _is_title(self, number: int, end: int) -> bool:
        """A line over a rule, perhaps also under one."""
        line = self.lines[number].rstrip()
        if _RULE.fullmatch(line.strip()) and number + 2 < end:
            return self.lines[number + 2].strip() == line.strip() and not self.lines.blank(
                number + 1
            )
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
        span = Span(self.lines.starts[at], self.lines.starts[at] + len(self.lines[at]))
        self._say(self.lines[at].strip(), span, "heading", level)
        return at + 2

    def _paragraph(self, number: int, end: int, indent: int, kind: ProseKind) -> int:
        """Running text up to an empty line; a literal block may follow it."""
        first = number
        text = [self.lines[number].strip()]
        item = _ITEM.match(text[0])
        if item is not None and _BESIDE.match(text[0], item.end()) and indent < _DEEPEST:
            self.lines.hide(number, item.end())
            last = max(self.lines.body(number + 1, end, indent), number + 1)
            self._blocks(number, last, "list-item" if kind == "paragraph" else kind)
            return last
        number += 1
        while number < end and not self.lines.blank(number):
            if item is not None and self.lines.indent(number) <= indent:
                break  # the next item of the list, or text that is no longer in it
            line = self.lines[number].strip()
            if _ITEM.match(line) and self.lines.indent(number) == indent and item is not None:
                break
            text.append(line)
            number += 1
        if item is not None:
            text[0] = text[0][item.end() :]
            kind = "list-item" if kind == "paragraph" else kind
        name = _FIELD.match(text[0])
        if name is not None:
            text[0] = text[0][name.end() :]
        start = self.lines.starts[first] + indent
        stop = self.lines.starts[number - 1] + len(self.lines[number - 1])
        joined = " ".join(line for line in text if line)
        literal = joined.endswith("::")
        if literal:
            joined = joined[:-1] if joined != "::" and not joined.endswith(" ::") else joined[:-2]
        self._say(joined.strip(), Span(start, stop), kind)
        if literal:
            last = max(self.lines.body(number, end, indent), number)
            if self.literal:
                self.snippets += self.lines.literal(range(number, last))
            return last
        if item is not None:  # what belongs to the item
            last = self.lines.body(number, end, indent)
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
