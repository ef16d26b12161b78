"""Markdown pages: fenced Python as snippets, everything else as prose."""

from __future__ import annotations

import bisect
import codecs
import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lintkeras.documents.model import (
    Document,
    Mark,
    Piece,
    Prose,
    ProseKind,
    Snippet,
    line_feeds,
    newline_of,
)
from lintkeras.documents.python import decode
from lintkeras.findings import Span

if TYPE_CHECKING:
    from markdown_it.token import Token

_LANGUAGES = frozenset({"python", "py", "python3", "pycon"})
_INFO = re.compile(r"(\{?)\.?([\w+-]+)\}?\s*(\w*)")
_FRONT_MATTER = re.compile(r"\A(---|\+\+\+)[ \t]*\r?\n(?:.*?\r?\n)?\1[ \t]*(?:\r?\n|\Z)", re.DOTALL)
_WORD = re.compile(r"\S+")
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n|\Z)")
_COMMENT = re.compile(r"<!--\s*(lintkeras:.*?)\s*-->", re.DOTALL | re.IGNORECASE)
_OPTION = re.compile(r":[\w-]+:")
_PROMPT = re.compile(r"(?:>>>|\.\.\.)(?: |$)")


def read(path: str, data: bytes) -> Document:
    """Read a page. Raises DocumentError where it is not UTF-8."""
    bom = codecs.BOM_UTF8 if data.startswith(codecs.BOM_UTF8) else b""
    text = decode(data[len(bom) :], "utf-8", len(bom))
    page = parse(text)
    return Document(
        path, "markdown", text, "utf-8", bom, page.snippets, page.prose, marks=page.marks
    )


@dataclass(frozen=True)
class Page:
    """What a Markdown text holds."""

    snippets: tuple[Snippet, ...]
    prose: tuple[Prose, ...]
    marks: tuple[Mark, ...]


def parse(text: str) -> Page:
    """The code, the prose and the remarks of a Markdown text."""
    from markdown_it import MarkdownIt

    lines = [match.group() for match in _LINE.finditer(text) if match.group()]
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line))
    front = _FRONT_MATTER.match(text)
    skipped = bisect.bisect_left(starts, front.end()) if front else 0
    # markdown-it normalises newlines, one for one, so its line numbers are the file's.
    body = "".join("\n" for _ in lines[:skipped]) + "".join(
        line.rstrip("\r\n") + "\n" for line in lines[skipped:]
    )
    snippets: list[Snippet] = []
    prose: list[Prose] = []
    marks: list[Mark] = []
    containers: list[str] = []
    for token in MarkdownIt("commonmark").enable("table").parse(body):
        if token.type.endswith("_open"):
            containers.append(token.tag)
        elif token.type.endswith("_close"):
            containers.pop()
        if token.map is None:
            continue
        first, last = token.map
        span = Span(starts[min(first, len(lines))], starts[min(last, len(lines))])
        if token.type == "fence":
            language = fence_language(token.info)
            if language is not None:
                snippets.append(_snippet(lines, starts, first + 1, token.content, language))
        elif token.type == "html_block":
            marks += _marks(text, span)
        elif token.type == "inline":
            if any(child.type == "html_inline" for child in token.children or ()):
                marks += _marks(text, span)
            heading = re.fullmatch(r"h([1-6])", containers[-1] if containers else "")
            level = int(heading.group(1)) if heading else 0
            kind = "heading" if heading else _kind(containers)
            prose.append(_prose(text, token, span, kind, level))
    return Page(tuple(snippets), tuple(prose), tuple(marks))


def _marks(text: str, span: Span) -> Iterator[Mark]:
    """The comments for lintkeras in a range of HTML or running text."""
    for match in _COMMENT.finditer(text, span.start, span.end):
        yield Mark(Span(*match.span()), match[1])


def _kind(containers: list[str]) -> ProseKind:
    """What running text is, by the tags around it."""
    if "blockquote" in containers:
        return "quote"
    if "table" in containers:
        return "table"
    return "list-item" if "li" in containers else "paragraph"


def _prose(text: str, token: Token, span: Span, kind: ProseKind, level: int) -> Prose:
    """Running text as a reader sees it, and where its words stand."""
    words: list[str] = []
    pieces: list[Piece] = []
    length, at, apart = 0, span.start, False
    for child in token.children or ():
        content, written = _plain(child)
        run = text.find(content, at, span.end) if content.strip() else -1
        for word in _WORD.finditer(content):
            if (apart or word.start()) and words:
                words.append(" ")
                length += 1
            shown = written or word.group()
            found = run + word.start() if run >= 0 else text.find(shown, at, span.end)
            if found >= 0:
                width = len(shown) if written else None
                pieces.append(Piece(length, found, len(word.group()), width))
                at = found + len(shown)
            words.append(word.group())
            length += len(word.group())
            apart = word.end() < len(content)
        apart = apart or (content.isspace() and bool(content))
    return Prose("".join(words), span, kind, level, tuple(pieces))


def _plain(token: Token) -> tuple[str, str]:
    """What a reader sees of a piece of running text, and how it is written if otherwise.

    Code keeps its backticks.
    """
    match token.type:
        case "text" | "image":
            return token.content, ""
        case "text_special":
            return token.content, token.markup
        case "code_inline":
            return f"`{token.content}`", ""
        case "softbreak" | "hardbreak":
            return " ", ""
    return "", ""


def fence_language(info: str) -> str | None:
    """The kind of Python that a fence says it holds: ``python title=..``, ``{code-cell} ipython``."""
    match = _INFO.match(info.strip().lower())
    if match is None:
        return None
    brace, language, kernel = match.groups()
    if brace and language == "code-cell" and (not kernel or "python" in kernel):
        return "python"
    return language if language in _LANGUAGES else None


def _snippet(
    lines: list[str], starts: list[int], first: int, content: str, language: str
) -> Snippet:
    """The code of a fence whose content begins on line ``first`` (from 0)."""
    code = content.removesuffix("\n").split("\n") if content else []
    opening = next((line for line in code if line.strip()), "")
    interactive = language == "pycon" or opening.startswith(">>>")
    options = len(list(itertools.takewhile(_OPTION.match, code)))  # of a directive: no code
    source: list[str] = []
    pieces: list[Piece] = []
    length = 0
    prefix: str | None = None
    for number, text in enumerate(code[options:], start=first + options):
        bare = lines[number].rstrip("\r\n")
        ending = lines[number][len(bare) :]
        kept = text
        if interactive:
            prompt = _PROMPT.match(text)
            if prompt is None:
                continue
            kept = text[prompt.end() :]
        # markdown-it shows a null byte as U+FFFD and a tab that it cuts through as spaces.
        real = kept if _ends_with(bare, kept) else kept.lstrip(" ")
        column = len(bare) - len(real)
        if prefix is None and kept.strip():
            prefix = bare[: max(len(bare) - len(kept), 0)]
        length += len(kept) - len(real)
        pieces.append(Piece(length, starts[number] + column, len(real) + len(ending)))
        source.append(kept[: len(kept) - len(real)] + bare[column:] + (ending or "\n"))
        length += len(real) + len(ending or "\n")
    indent = prefix or ""
    if interactive:
        indent = indent.replace(">>>", "...")
    newline = newline_of("".join(lines[first : first + 2]))
    return Snippet(line_feeds("".join(source)), tuple(pieces), indent, language, newline)


def _ends_with(line: str, code: str) -> bool:
    return line.replace("\0", "\ufffd").endswith(code)
