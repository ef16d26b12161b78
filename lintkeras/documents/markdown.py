"""Markdown pages: fenced Python as snippets, everything else as prose."""

from __future__ import annotations

import codecs
import re

from lintkeras.documents.model import Document, Piece, Prose, Snippet
from lintkeras.documents.python import decode
from lintkeras.findings import Span

_LANGUAGES = frozenset({"python", "py", "python3", "pycon", "{python}", "{code-cell}"})
_FRONT_MATTER = re.compile(r"\A(---|\+\+\+)[ \t]*\r?\n(?:.*?\r?\n)?\1[ \t]*(?:\r?\n|\Z)", re.DOTALL)
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n|\Z)")
_LINK = re.compile(r"!?\[([^\]\[]*)\]\([^()\s]*\)")
_EMPHASIS = re.compile(r"(?<!\w)(\*{1,3}|_{1,3})(?=\S)(.+?)(?<=\S)\1(?!\w)")
_PROMPT = re.compile(r"(?:>>>|\.\.\.)(?: |$)")


def read(path: str, data: bytes) -> Document:
    """Read a page. Raises DocumentError where it is not UTF-8."""
    from markdown_it import MarkdownIt

    bom = codecs.BOM_UTF8 if data.startswith(codecs.BOM_UTF8) else b""
    text = decode(data[len(bom) :], "utf-8", len(bom))
    lines = [match.group() for match in _LINE.finditer(text) if match.group()]
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line))
    front = _FRONT_MATTER.match(text)
    skipped = text[: front.end()].count("\n") if front else 0
    # markdown-it normalises newlines, one for one, so its line numbers are the file's.
    body = "".join("\n" for _ in lines[:skipped]) + "".join(
        line.rstrip("\r\n") + "\n" for line in lines[skipped:]
    )
    snippets: list[Snippet] = []
    prose: list[Prose] = []
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
            words = token.info.split()
            language = words[0].lower() if words else ""
            if language in _LANGUAGES:
                snippets.append(_snippet(lines, starts, first + 1, token.content, language))
        elif token.type == "inline":
            tag = containers[-1] if containers else "p"
            heading = re.fullmatch(r"h([1-6])", tag)
            plain = _EMPHASIS.sub(r"\2", _LINK.sub(r"\1", " ".join(token.content.split())))
            level = int(heading.group(1)) if heading else 0
            kind = "heading" if heading else "quote" if "blockquote" in containers else "paragraph"
            prose.append(Prose(plain, span, kind, level))  # type: ignore[arg-type]
    return Document(path, "markdown", text, "utf-8", bom, tuple(snippets), tuple(prose))


def _snippet(
    lines: list[str], starts: list[int], first: int, content: str, language: str
) -> Snippet:
    """The code of a fence whose content begins on line ``first`` (from 0)."""
    code = content.split("\n")[:-1] if content.endswith("\n") else content.split("\n")
    interactive = language == "pycon" or any(line.startswith(">>>") for line in code)
    source: list[str] = []
    pieces: list[Piece] = []
    length = 0
    prefix = None
    for number, stripped in enumerate(code, start=first):
        if number >= len(lines):
            break
        line = lines[number]
        bare = line.rstrip("\r\n")
        ending = line[len(bare) :] or "\n"
        column = len(bare) - len(stripped) if bare.endswith(stripped) else 0
        kept = stripped
        if interactive:
            prompt = _PROMPT.match(stripped)
            if prompt is None:
                continue
            column += prompt.end()
            kept = stripped[prompt.end() :]
        if prefix is None and kept.strip():
            prefix = bare[:column]
        pieces.append(Piece(length, starts[number] + column, len(kept) + len(ending)))
        source.append(kept + ending)
        length += len(kept) + len(ending)
    indent = prefix or ""
    if interactive:
        indent = indent.replace(">>>", "...")
    return Snippet("".join(source), tuple(pieces), indent, language)
