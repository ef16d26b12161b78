"""What a docstring documents: the arguments and their defaults, each with its place in the text.

Google style as Keras writes it (also under ``# Arguments``, and as a list under ``**Arguments**``),
NumPy style, and the fields of Sphinx. Libraries that read these styles say in which line none of
the entries stands, so that nothing could be shown or rewritten; the tests compare with one of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

Role = Literal["arguments", "call"]

_TITLE = r"(?P<call>[Cc]all )?(?:[Aa]rgs|[Aa]rguments|Parameters)"
_HEADER = re.compile(
    rf"(?P<indent>[ \t]*)(?:{_TITLE}:|(?P<mark>\#+[ ]|\*\*){_TITLE.replace('call', 'marked')}:?(?:\*\*)?:?)\s*"
)
_NAME = r"\*{0,2}[A-Za-z_]\w*"
_NAMES = rf"`{{0,2}}{_NAME}`{{0,2}}(?:,[ ]*`{{0,2}}{_NAME}`{{0,2}})*"
_ITEM = re.compile(r"[ \t]*[-*][ ]")
_GOOGLE = re.compile(
    rf"[ \t]*(?:[-*][ ])?(?P<names>{_NAMES})"
    r"(?:[ ]*\((?:[^()\n]|\([^()\n]*\))*\))?[ ]*:(?=\s|$)"
)
_NUMPY_HEADER = re.compile(r"(?P<indent>[ \t]*)Parameters\s*")
_NUMPY = re.compile(rf"[ \t]*(?P<names>{_NAMES})(?:[ ]*:.*)?\s*")
_UNDERLINE = re.compile(r"[ \t]*-{3,}\s*")
_FIELD = re.compile(rf"[ \t]*:param[ ](?:[^:\n]*[ ])?(?P<names>{_NAME})[ ]*:")
_ANY_FIELD = re.compile(r"[ \t]*:[a-z]+(?:[ ][^:\n]*)?:")
_LITERAL = (
    r"(?:(?P<ticks>`{1,2})(?P<quoted>[^`\n]+)(?P=ticks)"
    r"|(?P<bare>\"[^\"\n]*\"|'[^'\n]*'|None\b|True\b|False\b|-?\d[\w.+-]*\w|-?\d))"
)
_END = (
    r"(?:\.(?:\s|$)|[);]|\s*$|,\s+(?=[a-z])(?!or\b|and\b|but\b|if\b|when\b|unless\b|except\b"
    r"|otherwise\b|else\b)|\s+\((?!if\b|when\b|or\b|unless\b|for\b|in\b|on\b))"
)
_DEFAULT = re.compile(
    rf"\b(?:[Dd]efaults?\s+(?:value\s+)?(?:to|is|of)|[Dd]efault\s*[:=]|(?<=[(,] )[Dd]efault|(?<=\()[Dd]efault)"
    rf"\s*{_LITERAL}{_END}"
)
_MARKED = re.compile(rf"{_LITERAL}\s+\((?:the\s+)?default\)")
_FILLED_IN = re.compile(r"\s*(?:\{\{\w+\}\}|%\(\w+\)s|\$?\{\w+\})\s*")
"""A line in the place of which something puts entries."""
_SAYS = re.compile(r"\bdefault", re.IGNORECASE)
_CONDITION = re.compile(r"\b(?:if|when|unless|where|in case|otherwise)\b", re.IGNORECASE)
_CHOICE = re.compile(r"\b(?:one of|either)\b", re.IGNORECASE)
_SENTENCE = re.compile(r"[.;]\s|\n[ \t]*\n")


@dataclass(frozen=True)
class Default:
    """The literal that a text says an argument defaults to, and where it stands."""

    text: str
    start: int
    chosen: bool = False
    """Whether it is one of several values of which it is marked as the default."""


@dataclass(frozen=True)
class Documented:
    """An argument that a docstring documents; ``**kwargs`` and the like are none."""

    name: str
    start: int
    role: Role
    default: Default | None


def documented(text: str) -> Iterator[Documented]:
    """Every argument that a docstring documents, in order."""
    yield from _Text(text).documented()


class _Text:
    """The lines of a docstring."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.lines = text.splitlines(keepends=True)
        self.starts = [0]
        for line in self.lines:
            self.starts.append(self.starts[-1] + len(line))
        further = [_indent(line) for line in self.lines[1:] if line.strip()]
        self.margin = min(further, default=0)

    def documented(self) -> Iterator[Documented]:
        for number, line in enumerate(self.lines):
            indent = _indent(line)
            if number and indent > self.margin:
                continue  # a section in something else: what a callback takes, an example
            google = _HEADER.fullmatch(line)
            field = _FIELD.match(line)
            if google is not None:
                role: Role = "call" if google["call"] or google["marked"] else "arguments"
                body = self._body(number + 1, indent + 1)
                if google["mark"] and not any(self.lines[n].strip() for n in body):
                    body = self._beneath(number + 1, indent, google["mark"])
                yield from self._entries(body, _GOOGLE, role)
            elif _NUMPY_HEADER.fullmatch(line) and self._is_underlined(number):
                yield from self._entries(self._body(number + 2, indent), _NUMPY, "arguments")
            elif field is not None:
                end = number + 1
                while end < len(self.lines) and not _ANY_FIELD.match(self.lines[end]):
                    if not self.lines[end].strip():
                        break
                    end += 1
                yield from self._entry(number, field, end, "arguments")

    def _is_underlined(self, number: int) -> bool:
        below = self.lines[number + 1 : number + 2]
        return bool(below) and _UNDERLINE.fullmatch(below[0]) is not None

    def _body(self, first: int, least: int) -> range:
        """The lines of a section: all that are indented enough, up to the next title."""
        end = first
        while end < len(self.lines):
            line = self.lines[end]
            if line.strip() and (_indent(line) < least or self._is_underlined(end)):
                break
            end += 1
        return range(first, end)

    def _beneath(self, first: int, indent: int, mark: str) -> range:
        """The lines of a section that are not indented: a list, or all up to the next title."""
        end = first
        for number in range(first, len(self.lines)):
            line = self.lines[number]
            if line.strip() and _indent(line) <= indent:
                begins = _ITEM.match(line) if mark == "**" else _GOOGLE.match(line)
                if not begins:
                    break
            end = number + 1
        return range(first, end)

    def _entries(self, body: range, pattern: re.Pattern[str], role: Role) -> Iterator[Documented]:
        lines = self.lines
        filled = [number for number in body if lines[number].strip()]
        if not filled:
            return
        level = _indent(lines[filled[0]])
        if any(_indent(lines[number]) < level for number in filled):
            return  # which lines begin an entry cannot be seen
        heads = [
            (number, match)
            for number in filled
            if _indent(lines[number]) == level and (match := pattern.match(lines[number]))
        ]
        if pattern is _NUMPY and any(not pattern.fullmatch(lines[n].rstrip()) for n, _ in heads):
            return
        for index, (number, match) in enumerate(heads):
            end = heads[index + 1][0] if index + 1 < len(heads) else body.stop
            yield from self._entry(number, match, end, role)

    def _entry(self, line: int, match: re.Match[str], end: int, role: Role) -> Iterator[Documented]:
        names = [
            name
            for name in re.finditer(r"(?<![*\w])[A-Za-z_]\w*", match["names"])
            if name.start() == 0 or name.group() != "optional"
        ]
        start = self.starts[line]
        default = None
        if len(names) == 1:
            behind, until = start + match.end("names"), self.starts[end]
            head = start + len(match.group()) if match.re is _NUMPY else until
            default = self._default(behind, until, head)
        for name in names:
            at = start + match.start("names") + name.start()
            yield Documented(name.group(), at, role, default)

    def _default(self, start: int, end: int, head: int) -> Default | None:
        """The default that an entry states once and without a condition.

        ``head`` is where the line of its type ends, in the style that has one: what is said there
        ends there.
        """
        text = self.text[start:end]
        found = [*_DEFAULT.finditer(text), *_MARKED.finditer(text)]
        if not found:
            found = [*_DEFAULT.finditer(text[: head - start])]
        if len(found) != 1 or len(_SAYS.findall(text)) != 1:
            return None
        before = _SENTENCE.split(text[: found[0].start()])[-1]
        if _CONDITION.search(before) and not before.rstrip().endswith("("):
            return None
        chosen = found[0].re is _MARKED
        if chosen and not _CHOICE.search(before):
            return None  # of another argument, maybe
        group = "quoted" if found[0]["quoted"] is not None else "bare"
        return Default(found[0][group], start + found[0].start(group), chosen)


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" \t"))
