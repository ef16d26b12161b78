"""``# lintkeras: ignore[LK103] reason`` in comments, ``<!-- lintkeras: ignore LK811 -->`` in pages.

Read from comment tokens, never from strings, and only in files that hold the words. In a page a
comment speaks for the block that it stands in, else for the next one; ``disable`` speaks for all
that follows, up to ``enable`` of the same rule.
"""

from __future__ import annotations

import bisect
import re
from dataclasses import dataclass

import libcst as cst

from lintkeras.documents.model import Document
from lintkeras.findings import Span
from lintkeras.syntax.parse import ParsedSnippet
from lintkeras.syntax.program import Program

MARK = "lintkeras:"
"""What a file must hold, in any case, to have a suppression."""
_RULE = r"[A-Za-z][\w-]*"
_NAMED = rf"(?:\s*\[([^\]]*)\]|\s+({_RULE}(?:(?:\s*,\s*{_RULE})|(?:\s+LK\d+\b))*))"
_COMMENT = re.compile(rf"#\s*{MARK}\s*ignore{_NAMED}", re.IGNORECASE)
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
    for number, mark in enumerate(document.marks):
        match = _REMARK.match(mark.text)
        rules = _words(match[2], match[3]) if match is not None else frozenset()
        if match is None or not rules:
            continue
        if match[1].lower() == "ignore":
            around = [b for b in blocks if b.start <= mark.span.start and mark.span.end <= b.end]
            later = [b for b in blocks if b.start >= mark.span.end]
            found += [(block, rules) for block in (around[-1:] or later[:1])]
        elif match[1].lower() == "disable":
            for rule in rules:
                ends = (
                    other.span.start
                    for other in document.marks[number + 1 :]
                    if (enabled := _REMARK.match(other.text)) is not None
                    and enabled[1].lower() == "enable"
                    and rule in _words(enabled[2], enabled[3])
                )
                end = next(ends, len(document.text) + 1)
                found.append((Span(mark.span.end, end), frozenset({rule})))
    return Suppressions(tuple(found))


def read(program: Program) -> Suppressions:
    """The suppressions of a program: whole simple statements, headers of compound ones."""
    found: list[tuple[Span, frozenset[str]]] = []
    for one in program.parsed:
        if MARK in one.snippet.source.lower():
            found += _in_snippet(program, one)
    return Suppressions(tuple(found))


def _in_snippet(program: Program, one: ParsedSnippet) -> list[tuple[Span, frozenset[str]]]:
    """A comment speaks for the lines that it stands on or in, else for the next ones."""
    lines: list[tuple[int, int]] = []
    comments: list[tuple[int, frozenset[str]]] = []
    stack: list[cst.CSTNode] = [one.module]
    while stack:
        node = stack.pop()
        stack.extend(node.children)
        if isinstance(node, cst.Comment):
            rules = _rules(node.value)
            if rules:
                comments.append((program.local_span(node)[0], rules))
            continue
        last = _end_of_lines(node)
        if last is not None:
            decorators = getattr(node, "decorators", ())
            first = decorators[0] if decorators else node
            lines.append((program.local_span(first)[0], program.local_span(last)[1]))
    lines.sort()
    found: list[tuple[Span, frozenset[str]]] = []
    for offset, rules in comments:
        after = bisect.bisect(lines, (offset, offset))
        inside = after > 0 and offset < lines[after - 1][1]
        if inside or after < len(lines):
            found.append((one.snippet.span(*lines[after - inside]), rules))
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
