"""Markdown pages: fenced Python as snippets, everything else as prose."""

from __future__ import annotations

import bisect
import codecs
import itertools
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lintkeras.documents.lines import LINE, fence_language
from lintkeras.documents.magics import masked
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
    from markdown_it.rules_block import StateBlock
    from markdown_it.token import Token

TEXT = frozenset({
    "note", "warning", "tip", "hint", "important", "attention", "caution", "danger", "error",
    "seealso", "admonition", "versionadded", "versionchanged", "deprecated", "topic", "sidebar",
    "container", "div", "tab-set", "tab-item", "tabs", "tab", "group-tab", "dropdown", "collapse",
    "toggle", "details", "grid", "grid-item", "grid-item-card", "card", "margin", "aside",
    "exercise", "solution", "only", "compound", "rubric", "epigraph", "highlights", "list-table",
    "py:class", "py:function", "py:method", "py:module", "class", "function", "method",
})  # fmt: skip
"""Directives whose body is running text."""
_FRONT_MATTER = re.compile(r"\A(---|\+\+\+)[ \t]*\r?\n(?:.*?\r?\n)?\1[ \t]*(?:\r?\n|\Z)", re.DOTALL)
_WORD = re.compile(r"\S+")
_COMMENT = re.compile(
    r"<!--\s*(lintkeras:.*?)\s*-->|\{/\*\s*(lintkeras:.*?)\s*\*/\}", re.DOTALL | re.IGNORECASE
)
"""A comment of HTML, or of MDX."""
_MKDOCS = re.compile(r"""(?:!!!|\?\?\?\+?)\s*[\w"'].*|===[!+]*\s+["'].*""")
"""What an indented block of MkDocs stands under: an admonition or a tab."""
_COLONS = re.compile(r":{3,}\s*(?:[\w{.#].*)?")
"""The first or last line of a block of MyST, Quarto or Docusaurus."""
_COMPONENT = re.compile(r"</?(?:[A-Z][\w.]*|details)(?:\s[^<]*)?>")
"""A line of MDX that opens or ends a component, or one of HTML that folds text away."""
_DIRECTIVE = re.compile(r"(?P<ticks>`{3,}|~{3,})\{(?P<name>[\w:+.-]+)\}.*")
_ALERT = re.compile(r"\[!\w+\]\s*")
"""What a quotation begins with that is no quotation: a note of GitHub or Obsidian."""
_ROLE = re.compile(r"\{[\w:+-]+\}$")
_OPTION = re.compile(r":[\w-]+:")
_PROMPT = re.compile(r"(?:>>>|\.\.\.)(?: |$)")


def read(path: str, data: bytes, languages: Collection[str] = ()) -> Document:
    """Read a page. Raises DocumentError where it is not UTF-8."""
    bom = codecs.BOM_UTF8 if data.startswith(codecs.BOM_UTF8) else b""
    text = decode(data[len(bom) :], "utf-8", len(bom))
    page = parse(text, languages)
    return Document(
        path, "markdown", text, "utf-8", bom, page.snippets, page.prose, marks=page.marks
    )


@dataclass(frozen=True)
class Page:
    """What a Markdown text holds."""

    snippets: tuple[Snippet, ...]
    prose: tuple[Prose, ...]
    marks: tuple[Mark, ...]


def parse(text: str, languages: Collection[str] = ()) -> Page:
    """The code, the prose and the remarks of a Markdown text."""
    from markdown_it import MarkdownIt

    lines = [match.group() for match in LINE.finditer(text) if match.group()]
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
    reader = MarkdownIt("commonmark").enable("table")
    reader.block.ruler.before("fence", "admonition", _admonition, {"alt": _INTERRUPTED})
    for token in reader.parse(body):
        if token.type.endswith("_open"):
            containers.append(token.tag)
        elif token.type.endswith("_close"):
            containers.pop()
        if token.map is None:
            continue
        first, last = token.map
        span = Span(starts[min(first, len(lines))], starts[min(last, len(lines))])
        if token.type == "fence":
            language = fence_language(token.info, languages)
            if language is not None:
                snippet = _snippet(lines, starts, first + 1, token.content, language)
                snippets += [snippet] if snippet is not None else []
        elif token.type == "html_block":
            marks += _marks(text, span)
        elif token.type == "inline":
            children = token.children or ()
            if any(one.type == "html_inline" or "{/*" in one.content for one in children):
                marks += _marks(text, span)
            if containers[-2:] == ["blockquote", "p"] and _ALERT.match(token.content):
                containers[-2] = "alert"
            heading = re.fullmatch(r"h([1-6])", containers[-1] if containers else "")
            level = int(heading.group(1)) if heading else 0
            kind = "heading" if heading else _kind(containers)
            if not _COMMENT.fullmatch(token.content.strip()):
                prose.append(_prose(text, token, span, kind, level))
    return Page(tuple(snippets), tuple(prose), tuple(marks))


def _marks(text: str, span: Span) -> Iterator[Mark]:
    """The comments for lintkeras in a range of HTML or running text."""
    for match in _COMMENT.finditer(text, span.start, span.end):
        yield Mark(Span(*match.span()), match[1] or match[2])


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
    children = token.children or []
    for child, follows in zip(children, [*children[1:], None], strict=False):
        content, written = _plain(child)
        if child is children[0] and kind != "quote":
            content = _ALERT.sub("", content, count=1)
        if follows is not None and follows.type == "code_inline":
            content = _ROLE.sub("", content)  # MyST: {class}`keras.Layer`
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


_INTERRUPTED = ["paragraph", "reference", "blockquote", "list"]
"""What a block may begin in the middle of."""


def _admonition(state: StateBlock, first: int, end: int, silent: bool) -> bool:
    """A rule for markdown-it: blocks of running text that CommonMark takes for something else.

    That is what is indented under ``!!! note`` or ``=== "Tab"``, what stands between lines of colons
    or tags such as ``<Note>`` (which are left out), and the body of a fence such as ``{note}``.
    """
    if state.is_code_block(first):
        return False
    line = state.src[state.bMarks[first] + state.tShift[first] : state.eMarks[first]].rstrip()
    deeper = 0
    fence = _DIRECTIVE.fullmatch(line)
    if _COLONS.fullmatch(line):
        body = last = _options(state, first + 1, end)
    elif _COMPONENT.fullmatch(line):
        body = last = first + 1
    elif _MKDOCS.fullmatch(line):
        body, deeper = first + 1, 4
        last = _indented(state, first, end)
    elif fence is not None and fence["name"] in TEXT:
        body = _options(state, first + 1, end)
        last = next((n for n in range(body, end) if _closes(state, n, fence["ticks"])), end)
    else:
        return False
    if silent:
        return True
    indent, until, parent = state.blkIndent, state.lineMax, state.parentType
    state.push("admonition_open", "div", 1)
    state.blkIndent = state.sCount[first] + deeper
    state.lineMax = last
    state.md.block.tokenize(state, body, last)
    state.blkIndent, state.lineMax, state.parentType = indent, until, parent
    state.push("admonition_close", "div", -1)
    state.line = last if fence is None else min(last + 1, end)
    return True


def _options(state: StateBlock, number: int, end: int) -> int:
    """The first line behind the options of a directive."""
    while number < end and _OPTION.match(
        state.src, state.bMarks[number] + state.tShift[number], state.eMarks[number]
    ):
        number += 1
    return number


def _indented(state: StateBlock, first: int, end: int) -> int:
    """Where the lines end that are indented under a line."""
    last = first + 1
    for number in range(first + 1, end):
        if not state.isEmpty(number):
            if state.sCount[number] < state.sCount[first] + 4:
                break
            last = number + 1
    return last


def _closes(state: StateBlock, number: int, ticks: str) -> bool:
    line = state.src[state.bMarks[number] + state.tShift[number] : state.eMarks[number]].strip()
    return line.startswith(ticks) and not line.strip(ticks[0])


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


def _snippet(
    lines: list[str], starts: list[int], first: int, content: str, language: str
) -> Snippet | None:
    """The code of a fence whose content begins on line ``first`` (from 0); None if it is no Python."""
    code = content.removesuffix("\n").split("\n") if content else []
    opening = next((line for line in code if line.strip()), "")
    interactive = language == "pycon" or opening.startswith(">>>")
    options = _of_directive(code)
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
    python = masked(line_feeds("".join(source)))
    return Snippet(python, tuple(pieces), indent, language, newline) if python is not None else None


def _of_directive(code: list[str]) -> int:
    """How many lines of a fence are the options of a directive and no code."""
    if code and code[0].strip() == "---" and "---" in (rest := [line.strip() for line in code[1:]]):
        return rest.index("---") + 2
    return len(list(itertools.takewhile(_OPTION.match, code)))


def _ends_with(line: str, code: str) -> bool:
    return line.replace("\0", "\ufffd").endswith(code)
