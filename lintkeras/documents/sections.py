"""What a docstring documents: the arguments and their defaults, each with its place in the text.

Google style as Keras writes it, NumPy style, and the fields of Sphinx.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

Role = Literal["arguments", "call"]

_HEADER = re.compile(
    r"(?P<indent>[ \t]*)(?P<call>[Cc]all )?(?:[Aa]rgs|[Aa]rguments|Parameters):\s*"
)
_NAME = r"\*{0,2}[A-Za-z_]\w*"
_NAMES = rf"`{{0,2}}{_NAME}`{{0,2}}(?:,[ ]*`{{0,2}}{_NAME}`{{0,2}})*"
_GOOGLE = re.compile(
    rf"[ \t]*(?:[-*][ ])?(?P<names>{_NAMES})"
    r"(?:[ ]*\((?:[^()\n]|\([^()\n]*\))*\))?[ ]*:(?=\s|$)"
)
_NUMPY_HEADER = re.compile(r"(?P<indent>[ \t]*)Parameters\s*")
_NUMPY = re.compile(rf"[ \t]*(?P<names>{_NAMES})(?:[ ]*:.*)?\s*")
_UNDERLINE = re.compile(r"[ \t]*-{3,}\s*")
_FIELD = re.compile(rf"[ \t]*:param[ ](?:[^:\n]*[ ])?(?P<names>{_NAME})[ ]*:")
_ANY_FIELD = re.compile(r"[ \t]*:[a-z]+(?:[ ][^:\n]*)?:")
_DEFAULT = re.compile(
    r"\b(?:[Dd]efaults\s+to|[Dd]efault:|[Dd]efault\s+is|[Dd]efault=)\s*"
    r"(?:(?P<ticks>`{1,2})(?P<quoted>[^`\n]+)(?P=ticks)"
    r"|(?P<bare>\"[^\"\n]*\"|'[^'\n]*'|None\b|True\b|False\b|-?\d[\w.+-]*\w|-?\d))"
    r"(?P<end>\.(?:\s|$)|[);]|\s*$)"
)
_SAYS = re.compile(r"\bdefault", re.IGNORECASE)


@dataclass(frozen=True)
class Default:
    """The literal that a text says an argument defaults to, and where it stands."""

    text: str
    start: int


@dataclass(frozen=True)
class Documented:
    """An argument that a docstring documents; ``**kwargs`` and the like are none."""

    name: str
    start: int
    role: Role
    default: Default | None


def documented(text: str) -> Iterator[Documented]:
    """Every argument that a docstring documents, in order."""
    lines = text.splitlines(keepends=True)
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line))
    for number, line in enumerate(lines):
        google = _HEADER.fullmatch(line)
        numpy = _NUMPY_HEADER.fullmatch(line)
        field = _FIELD.match(line)
        if google is not None:
            role: Role = "call" if google["call"] else "arguments"
            body = _body(lines, number + 1, len(google["indent"]) + 1)
            yield from _entries(lines, starts, body, _GOOGLE, role)
        elif (
            numpy is not None
            and number + 1 < len(lines)
            and _UNDERLINE.fullmatch(lines[number + 1])
        ):
            body = _body(lines, number + 2, len(numpy["indent"]))
            yield from _entries(lines, starts, body, _NUMPY, "arguments")
        elif field is not None:
            end = number + 1
            while end < len(lines) and lines[end].strip() and not _ANY_FIELD.match(lines[end]):
                end += 1
            yield from _entry(text, starts[number], field, starts[end], "arguments")


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" \t"))


def _body(lines: list[str], first: int, least: int) -> range:
    """The lines of a section: all that are indented enough, up to the next title."""
    end = first
    while end < len(lines):
        underlined = end + 1 < len(lines) and _UNDERLINE.fullmatch(lines[end + 1])
        if lines[end].strip() and (_indent(lines[end]) < least or underlined):
            break
        end += 1
    return range(first, end)


def _entries(
    lines: list[str], starts: list[int], body: range, pattern: re.Pattern[str], role: Role
) -> Iterator[Documented]:
    filled = [number for number in body if lines[number].strip()]
    if not filled:
        return
    level = _indent(lines[filled[0]])
    if any(_indent(lines[number]) < level for number in filled):
        return  # which lines begin an entry cannot be seen
    text = "".join(lines)
    heads = [
        (number, match)
        for number in filled
        if _indent(lines[number]) == level and (match := pattern.match(lines[number]))
    ]
    if pattern is _NUMPY and any(not pattern.fullmatch(lines[n].rstrip()) for n, _ in heads):
        return
    for index, (number, match) in enumerate(heads):
        end = heads[index + 1][0] if index + 1 < len(heads) else body.stop
        yield from _entry(text, starts[number], match, starts[end], role)


def _entry(
    text: str, start: int, match: re.Match[str], end: int, role: Role
) -> Iterator[Documented]:
    names = list(re.finditer(r"(?<![*\w])[A-Za-z_]\w*", match["names"]))
    default = _default(text, start + match.end("names"), end) if len(names) == 1 else None
    for name in names:
        yield Documented(name.group(), start + match.start("names") + name.start(), role, default)


def _default(text: str, start: int, end: int) -> Default | None:
    """The default that an entry states once and without a condition."""
    found = list(_DEFAULT.finditer(text[start:end]))
    if len(found) != 1 or len(_SAYS.findall(text[start:end])) != 1:
        return None
    group = "quoted" if found[0]["quoted"] is not None else "bare"
    return Default(found[0][group], start + found[0].start(group))
