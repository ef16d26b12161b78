"""``# lintkeras: ignore[LK103] reason`` in comments, ``<!-- lintkeras: ignore LK811 -->`` in pages.

Read from comment tokens, never from strings, and only in files that hold the words. In a page a
comment speaks for the block that it stands in, else for the next one. In both, ``disable`` speaks
for all that follows, up to ``enable`` of the same rule.
"""

from __future__ import annotations

import bisect
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import libcst as cst

from lintkeras.documents.model import Document, Mark
from lintkeras.findings import Span
from lintkeras.syntax.parse import ParsedSnippet, comments
from lintkeras.syntax.program import Program

MARK = "lintkeras:"
"""What a file must hold, in any case, to have a suppression."""
_RULE = r"[A-Za-z][\w-]*"
_NAMED = rf"(?:\s*\[([^\]]*)\]|\s+({_RULE}(?:(?:\s*,\s*{_RULE})|(?:\s+LK\d+\b))*))"
_COMMENT = re.compile(rf"#\s*{MARK}\s*ignore{_NAMED}", re.IGNORECASE)
_OWN_REMARK = re.compile(rf"#\s*({MARK}.*)", re.IGNORECASE)
_REMARK = re.compile(rf"{MARK}\s*(ignore|disable|enable){_NAMED}", re.IGNORECASE)


@dataclass(frozen=True)
class Suppressions:
    """Rules (codes or names, in lower case) that are silenced in ranges of the document."""

    ranges: tuple[tuple[Span, frozenset[str]], ...]

    def covers(self, code: str, name: str, span: Span) -> bool:
        """Whether a finding of this rule that begins in ``span`` is silenced."""
        return any(
            range_.start <= span.start < range_.end and not rules.isdisjoint((code.lower(), name))
            for range_, rules in self.ranges
        )


def in_page(document: Document) -> Suppressions:
    """What the comments of a page silence."""
    blocks = [prose.span for prose in document.prose]
    blocks += [
        Span(snippet.pieces[0].document, snippet.pieces[-1].end)
        for snippet in document.snippets
        if snippet.pieces
    ]
    blocks.sort()
    found: list[tuple[Span, frozenset[str]]] = []
    for mark in document.marks:
        if rules := _named(mark, "ignore"):
            around = [b for b in blocks if b.start <= mark.span.start and mark.span.end <= b.end]
            later = [b for b in blocks if b.start >= mark.span.end]
            found += [(block, rules) for block in (around[-1:] or later[:1])]
    return Suppressions((*found, *_switched(document.marks)))


def _switched(marks: Sequence[Mark]) -> Iterator[tuple[Span, frozenset[str]]]:
    """The ranges from a ``disable`` to the next ``enable`` of the same rule."""
    for number, mark in enumerate(marks):
        for rule in _named(mark, "disable"):
            ends = (one.span.start for one in marks[number + 1 :] if rule in _named(one, "enable"))
            yield Span(mark.span.end, next(ends, sys.maxsize)), frozenset({rule})


def _named(mark: Mark, word: str) -> frozenset[str]:
    """The rules that a remark names, if it is one of this word."""
    match = _REMARK.match(mark.text)
    said = match is not None and match[1].lower() == word
    return _words(match[2], match[3]) if said and match is not None else frozenset()


def read(program: Program) -> Suppressions:
    """The suppressions of a program: whole simple statements, headers of compound ones."""
    found: list[tuple[Span, frozenset[str]]] = []
    marks: list[Mark] = []
    for one in program.parsed:
        if MARK in one.snippet.source.lower():
            found += _in_snippet(program, one)
            for start, comment in comments(one.snippet.source):
                if (match := _OWN_REMARK.match(comment)) is not None:
                    marks.append(Mark(one.snippet.span(start, start + len(comment)), match[1]))
    return Suppressions((*found, *_switched(marks)))


def _in_snippet(program: Program, one: ParsedSnippet) -> list[tuple[Span, frozenset[str]]]:
    """A comment speaks for the lines that it stands on or in, else for the next ones."""
    lines: list[tuple[int, int]] = []
    remarks: list[tuple[int, frozenset[str]]] = []
    stack: list[cst.CSTNode] = [one.module]
    while stack:
        node = stack.pop()
        stack.extend(node.children)
        if isinstance(node, cst.Comment):
            rules = _rules(node.value)
            if rules:
                remarks.append((program.local_span(node)[0], rules))
            continue
        last = _end_of_lines(node)
        if last is not None:
            decorators = getattr(node, "decorators", ())
            first = decorators[0] if decorators else node
            lines.append((program.local_span(first)[0], program.local_span(last)[1]))
    lines.sort()
    found: list[tuple[Span, frozenset[str]]] = []
    for offset, rules in remarks:
        after = bisect.bisect(lines, (offset, offset))
        inside = after > 0 and offset < lines[after - 1][1]
        if inside or after < len(lines):
            start, end = lines[after - inside]
            found.append((one.snippet.span(start, end), rules))
            if offset < start:  # and for the comments up to the statement
                found.append((one.snippet.span(offset, start), rules))
    return found


def _end_of_lines(node: cst.CSTNode) -> cst.TrailingWhitespace | None:
    """The end of a simple statement, or of the header of a compound one."""
    if isinstance(node, cst.SimpleStatementLine):
        return node.trailing_whitespace
    if isinstance(node, cst.Match):
        return node.whitespace_after_colon
    match getattr(node, "body", None):
        case cst.IndentedBlock(header=header):
            return header
        case cst.SimpleStatementSuite(trailing_whitespace=end):
            return end
    return None


def _rules(comment: str) -> frozenset[str]:
    found = (_words(brackets, words) for brackets, words in _COMMENT.findall(comment))
    return frozenset(rule for rules in found for rule in rules)


def _words(brackets: str | None, words: str | None) -> frozenset[str]:
    """The rules that a comment names, with brackets or without."""
    return frozenset(re.findall(_RULE, (brackets or words or "").lower()))
