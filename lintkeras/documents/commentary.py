"""What the comments and docstrings of a document's code say, as prose.

Read from the source alone, without a CST: most files say nothing that any rule asks for.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from lintkeras.documents.docstrings import docstrings
from lintkeras.documents.model import Piece, Prose, ProseKind, Snippet, through
from lintkeras.syntax.parse import comments

_MARKS = re.compile(r"#+[:!]?[ \t]*")
_LINE = re.compile(r"[^\r\n]+|(?<=[\r\n])(?=[\r\n])")
_WORD = re.compile(r"\S+")
_FENCE = re.compile(r"\s*(`{3,}|~{3,})")
_ITEM = re.compile(r"\s*(?:[-*+]|\d+[.)])\s+")
_ENTRY = re.compile(r"\s*\**`?[A-Za-z_]\w*`?(?:\s*\([^()]*\))?\s?:\s+")
# The words with which a comment begins anew, although the line above has no full stop.
_OPENING = re.compile(
    r"(?:An?|The|This|These|It|If|We|You|There|In|For|Note|When|To|Here|So|But|However|With|By)\b"
)
_CAPITAL = re.compile(r"[`A-Z]")
_SHORT = 50
"""Columns of a comment's line that ends there although it could go on."""
_CODE_ABOVE = re.compile(r"::\s*$")

Line = tuple[int, str]
"""Where a line of text begins in its snippet, and the text."""


def commentary(snippet: Snippet, worth: Callable[[str], bool]) -> Iterator[Prose]:
    """The comments and docstrings of a snippet, a paragraph at a time.

    ``worth`` says of a raw text whether it is worth being read; most is not.
    """
    source = snippet.source
    for block in _comments(source):
        if worth("\n".join(text for _, text in block)):
            yield from _paragraphs(snippet, block, "comment")
    for one in docstrings(source):
        if worth(one.text):
            text = replace(snippet, source=one.text, pieces=through(one.pieces, snippet.pieces))
            lines = [(line.start(), line.group()) for line in _LINE.finditer(one.text)]
            yield from _paragraphs(text, lines, "docstring")


def _comments(source: str) -> Iterator[list[Line]]:
    """Comments on lines of their own that stand together are one text."""
    block: list[Line] = []
    column = -1
    last = -1
    for start, comment in comments(source):
        begin = source.rfind("\n", 0, start) + 1
        alone = not source[begin:start].strip()
        if block and not (alone and start - begin == column and begin <= last + 1):
            yield block
            block = []
        mark = _MARKS.match(comment)
        assert mark is not None
        block.append((start + mark.end(), comment[mark.end() :]))
        last = start + len(comment) + 1
        column = start - begin if alone else -1
    if block:
        yield block


def _paragraphs(snippet: Snippet, lines: Iterable[Line], kind: ProseKind) -> Iterator[Prose]:
    """Runs of lines without code, blank lines and beginnings of items between them."""
    run: list[Line] = []
    fence = ""
    code_from: int | None = None
    for start, text in lines:
        indent = len(text) - len(text.lstrip())
        mark = _FENCE.match(text)
        if fence:
            fence = "" if mark is not None and mark.group(1).startswith(fence) else fence
            continue
        if code_from is not None and text.strip():
            if indent > code_from:
                continue
            code_from = None
        if mark is not None or not text.strip() or text.lstrip().startswith((">>>", "...")):
            yield from _joined(snippet, run, kind)
            run = []
            fence = mark.group(1) if mark is not None else ""
            continue
        above = run[-1][1] if run else ""
        anew = kind == "comment" and (
            _OPENING.match(text) or (len(above) < _SHORT and _CAPITAL.match(text))
        )
        if _ITEM.match(text) or _ENTRY.match(text) or anew:
            yield from _joined(snippet, run, kind)
            run = []
        item = _ITEM.match(text)
        shift = item.end() if item is not None else indent
        run.append((start + shift, text[shift:].rstrip()))
        if _CODE_ABOVE.search(text) and kind == "docstring":
            code_from = indent
    yield from _joined(snippet, run, kind)


def _joined(snippet: Snippet, run: list[Line], kind: ProseKind) -> Iterator[Prose]:
    """Lines as one text."""
    words: list[str] = []
    pieces: list[Piece] = []
    length = 0
    for start, text in run:
        for word in _WORD.finditer(text):
            if words:
                length += 1
            words.append(word.group())
            at = snippet.offset(start + word.start())
            pieces.append(Piece(length, at, len(word.group())))
            length += len(word.group())
    if words:
        first, last = run[0][0], run[-1][0] + len(run[-1][1])
        yield Prose(" ".join(words), snippet.span(first, last), kind, 0, tuple(pieces))
