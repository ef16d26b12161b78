"""Dotted names of Keras and TensorFlow in running text: inline code, cross-references, headings, comments."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from lintkeras.documents.commentary import commentary
from lintkeras.documents.model import Document, Prose, Snippet
from lintkeras.findings import Span

_NAME = re.compile(
    r"(?<![\w./@:$%{<>\\-])(?P<role>:[\w:+-]+:`(?:[^`<]*<)?[~!]?)?(?P<tilde>~)?"
    r"(?P<path>(?P<root>(?:tf\.|tensorflow\.)?keras|tf|tensorflow)(?:\.[A-Za-z_]\w*)+)"
    r"(?P<behind>\(\)|\([^()`]+\)?|[\w/*{<@:$%\\-]|\.[\w*{<])?",
    re.ASCII,
)
_ASIDE = re.compile(
    r"(?<=<)(?P<root>(?:tf\.|tensorflow\.)?keras|tf|tensorflow)(?:\.[A-Za-z_]\w*)+(?=>`)"
)
"""What a role points at: ``:func:`the mean <keras.ops.mean>```."""
_CODE_BEFORE = re.compile(r"(?:[\w\])][(\[]|[={+*|&]\s*|@)$")
_STATEMENT = re.compile(r"\b(?:return|import|from|with|class|in|not|del|raise)\s*$")
_FILE = re.compile(r"\.(?:py|pyi|ipynb|md|rst|html|txt|json|ya?ml|toml|h5|hdf5|pb|zip|keras)$")
_OPEN = re.compile(r"`+[^`]*`+")


@dataclass(frozen=True)
class Mention:
    """A dotted name in a block of text: what it is in the text, and where in the document."""

    path: str
    root: str
    """How the name begins: ``tf.keras``."""
    span: Span
    called: bool
    """Whether arguments stand behind it."""


@dataclass(frozen=True)
class Passage:
    """A block of text that names something of Keras, and what it stands under."""

    prose: Prose
    mentions: tuple[Mention, ...]
    above: str
    """The headings over it, and the sentence that leads to its list."""


def passages(document: Document, snippets: Iterable[Snippet]) -> Iterator[Passage]:
    """The blocks of a document's prose, and of the comments and docstrings of its code."""
    yield from _passages(document, document.prose)
    for snippet in snippets:
        blocks = tuple(commentary(snippet, _worth))
        for block in blocks:
            mentions = tuple(
                one for one in mentions_of(document, block) if not _is_put_aside(document, one)
            )
            if mentions:
                yield Passage(block, mentions, _beside(block, blocks))


def _worth(text: str) -> bool:
    return "keras." in text or "tf." in text or "tensorflow." in text


_PATH = re.compile(r"(?<!\w)(?:tf|tensorflow|keras)(?:\.[A-Za-z_]\w*)+", re.ASCII)


def paths_in(text: str) -> frozenset[str]:
    """Every dotted path in a text that may be a name of Keras or TensorFlow, in code or not."""
    return frozenset(_PATH.findall(text))


def _beside(block: Prose, blocks: Sequence[Prose]) -> str:
    """What the paragraphs say that stand close to one of a comment or docstring."""
    near = [one for one in blocks if one is not block and _distance(one.span, block.span) < 200]
    return " ".join(one.text for one in near)


def _distance(one: Span, other: Span) -> int:
    return max(one.start - other.end, other.start - one.end)


def _passages(document: Document, prose: Sequence[Prose]) -> Iterator[Passage]:
    headings: dict[int, str] = {}
    lead = ""
    for block in prose:
        if block.kind == "heading":
            headings = {level: text for level, text in headings.items() if level < block.level}
            headings[block.level] = block.text
            lead = ""
        elif block.kind == "paragraph":
            lead = block.text
        if _worth(block.text):
            mentions = tuple(mentions_of(document, block))
            if mentions:
                yield Passage(block, mentions, " ".join((*headings.values(), lead)))


def mentions_of(document: Document, block: Prose) -> Iterator[Mention]:
    """The dotted names of Keras in a block."""
    if block.pieces and document.kind != "rst":
        text, offset = block.text, None
    else:  # a role hides what it points at: what is written is read, not what is shown
        text, offset = document.text[block.span.start : block.span.end], block.span.start
    code = [match.span() for match in _OPEN.finditer(text)]
    for match in _NAME.finditer(text):
        behind = match["behind"] or ""
        if (behind and not behind.startswith("(")) or _FILE.search(match["path"]):
            continue
        start, end = match.span("path")
        marked = any(first < start and end < last for first, last in code)
        before = text[text.rfind("`", 0, start) + 1 : start] if marked else text[:start]
        is_reference = before.endswith("][") and not marked  # [text][keras.layers.Dense]
        if not is_reference and _is_in_code(before, behind, marked=marked):
            continue
        span = Span(offset + start, offset + end) if offset is not None else block.place(start, end)
        if document.text[span.start : span.end] == match["path"]:
            called = behind not in ("", "()")
            yield Mention(match["path"], match["root"], span, called)
    if offset is not None:
        for match in _ASIDE.finditer(text):
            at = Span(offset + match.start(), offset + match.end())
            yield Mention(match.group(), match["root"], at, called=False)


def _is_in_code(before: str, behind: str, *, marked: bool) -> bool:
    """Whether a name is part of code, which has names of its own to be read first."""
    if _CODE_BEFORE.search(before):
        return True
    return bool(_STATEMENT.search(before)) if marked else behind not in ("", "()")


def _is_put_aside(document: Document, mention: Mention) -> bool:
    """Whether the line of a comment or docstring is a statement: code that was put aside."""
    number, _ = document.position(mention.span.start)
    span = document.line_span(number)
    line = document.text[span.start : span.end].strip().lstrip("#").strip("\"' ")
    try:
        body = ast.parse(line).body
    except (SyntaxError, ValueError):
        return False
    named = (ast.Name, ast.Attribute)
    return not any(isinstance(one, ast.Expr) and isinstance(one.value, named) for one in body)
