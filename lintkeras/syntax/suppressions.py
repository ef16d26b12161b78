"""``# lintkeras: ignore[LK103] reason`` in comments.

Read from comment tokens, never from strings, and only in files that hold the words.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import libcst as cst

from lintkeras.findings import Span
from lintkeras.syntax.program import Program

_MARK = "lintkeras:"
_TRAILING = re.compile(r"#\s*lintkeras:\s*ignore\[([^\]]+)\]")
_OWN_LINE = re.compile(r"#\s*lintkeras:\s*ignore(?:\[([^\]]+)\]|\s+([\w,-]+))")


@dataclass(frozen=True)
class Suppressions:
    """Rules (codes or names) that are silenced in ranges of the document."""

    ranges: tuple[tuple[Span, frozenset[str]], ...]

    def covers(self, code: str, name: str, span: Span) -> bool:
        """Whether a finding of this rule that begins in ``span`` is silenced."""
        return any(
            range_.start <= span.start < range_.end and not rules.isdisjoint((code, name))
            for range_, rules in self.ranges
        )


def read(program: Program) -> Suppressions:
    """The suppressions of a program: whole simple statements, headers of compound ones."""
    found: list[tuple[Span, frozenset[str]]] = []
    for one in program.parsed:
        if _MARK not in one.snippet.source:
            continue
        stack: list[cst.CSTNode] = [one.module]
        while stack:
            node = stack.pop()
            stack.extend(node.children)
            if not isinstance(node, (cst.SimpleStatementLine, cst.BaseCompoundStatement)):
                continue
            rules: set[str] = set()
            header = getattr(getattr(node, "body", None), "header", None)
            own = [line.comment.value for line in node.leading_lines if line.comment]
            if isinstance(node, cst.SimpleStatementLine):
                trailing = _comments(node)
            else:
                trailing = [header.comment.value] if header is not None and header.comment else []
            for comment in trailing:
                rules |= _rules(_TRAILING.search(comment))
            for comment in own:
                rules |= _rules(_OWN_LINE.search(comment))
            if rules:
                span = program.span(node)
                if isinstance(node, cst.BaseCompoundStatement):
                    span = Span(span.start, program.span(node.body).start)
                found.append((span, frozenset(rules)))
    return Suppressions(tuple(found))


def _comments(node: cst.SimpleStatementLine) -> list[str]:
    found: list[str] = []
    stack: list[cst.CSTNode] = [*node.body, node.trailing_whitespace]
    while stack:
        part = stack.pop()
        if isinstance(part, cst.Comment):
            found.append(part.value)
        stack.extend(part.children)
    return found


def _rules(match: re.Match[str] | None) -> set[str]:
    if match is None:
        return set()
    text = next(group for group in match.groups() if group)
    return {rule.strip() for rule in text.split(",") if rule.strip()}
