"""The words next to a place in the code, as passages for the readers of prose."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import libcst as cst

from lintkeras.checks.registry import Context
from lintkeras.claims.intent import Passage


def passages(context: Context, node: cst.CSTNode) -> list[Passage]:
    """What stands next to ``node``: comments, the enclosing function's name and docstring, and
    in a document the title of the section and the text between the fences."""
    program = context.program
    found = [Passage("comment", text) for text in _joined(program.comments_of(node))]
    function = program.enclosing_function(node)
    for ancestor in program.ancestors(node):
        if isinstance(ancestor, cst.FunctionDef):
            break
        if isinstance(ancestor, cst.For):
            found += [Passage("comment", text) for text in _joined(_above(ancestor))]
    if function is not None:
        found.append(Passage("name", function.name.value))
        docstring = function.get_docstring()
        if docstring:
            found.append(Passage("docstring", docstring))
    return [*found, *_around_the_fence(context, node)]


def _above(statement: cst.For) -> Iterator[str]:
    """The comments right above a statement."""
    lines = [line.comment.value if line.comment else "" for line in statement.leading_lines]
    after_blank = len(lines) - lines[::-1].index("") if "" in lines else 0
    return (line.lstrip("#").strip() for line in lines[after_blank:])


def _joined(lines: Iterable[str]) -> list[str]:
    """Comment lines as texts: a line that begins in lower case goes on with the one above."""
    texts: list[str] = []
    for line in lines:
        if texts and line[:1].islower() and texts[-1][-1:] not in ".!?:":
            texts[-1] += f" {line}"
        else:
            texts.append(line)
    return [text for text in texts if text]


def _around_the_fence(context: Context, node: cst.CSTNode) -> Iterator[Passage]:
    """The title of the section, the text between the fences, and the paragraph behind."""
    if not context.prose:
        return
    at = context.program.span(node).start
    fences = sorted(s.pieces[0].document for s in context.program.document.snippets if s.pieces)
    own = max((start for start in fences if start <= at), default=0)
    earlier = max((start for start in fences if start < own), default=-1)
    later = min((start for start in fences if start > own), default=None)
    headings = [p for p in context.prose if p.kind == "heading" and p.span.start < own]
    if headings:
        yield Passage("heading", headings[-1].text)
    behind = None
    for prose in context.prose:
        if prose.kind == "quote":
            continue
        if earlier < prose.span.start < own and prose.kind != "heading":
            yield Passage("sentence", prose.text)
        elif prose.span.start > at and (later is None or prose.span.start < later):
            behind = behind or prose
    if behind is not None and behind.kind != "heading":
        yield Passage("following", behind.text)
