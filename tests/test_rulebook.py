"""The rule book is executed: each page's examples give what the page says."""

from __future__ import annotations

import pytest

from lintkeras.checks import check_program
from lintkeras.checks.registry import checks
from lintkeras.documents import read
from lintkeras.findings import Edit, Finding
from lintkeras.rulebook import Example, Rule, UnknownRule, load
from lintkeras.syntax.edits import apply
from lintkeras.syntax.parse import parse_snippet
from lintkeras.syntax.program import Program

CASES = [(r, e) for r in load().rules for e in r.examples() if e.role in ("bad", "good")]


def lint(source: str) -> list[tuple[int, str, str]]:
    return [
        (read("x.py", source.encode(), "python").position(f.span.start)[0],
         (f.severity or severity(f)).label, f.rule)
        for f in findings(source)
    ]  # fmt: skip


def severity(finding: Finding):  # type: ignore[no-untyped-def]
    rule = load().find(finding.rule)
    assert rule is not None
    return rule.severity


def findings(source: str) -> list[Finding]:
    document = read("x.py", source.encode(), "python")
    program = Program(document, tuple(parse_snippet(s) for s in document.snippets))
    return list(check_program(program, document.prose, checks()))


@pytest.mark.parametrize(("rule", "example"), CASES)
def test_examples_give_exactly_the_marked_findings(rule: Rule, example: Example) -> None:
    source, marked = example.marked()
    assert lint(source) == marked
    assert bool(marked) == (example.role == "bad")
    assert all(code == rule.code for _, _, code in marked)


@pytest.mark.parametrize(("rule", "example"), [c for c in CASES if c[1].role == "bad"])
def test_fixes_leave_no_finding_of_the_rule(rule: Rule, example: Example) -> None:
    source, _ = example.marked()
    for finding in findings(source):
        for fix in finding.fixes:
            fixed = apply(source, list(fix.edits))
            compile(fixed, "fixed", "exec")
            assert [f for f in lint(fixed) if f[2] == rule.code] == []


def test_every_check_has_a_page_and_codes_are_unique() -> None:
    rules = load().rules
    assert len({r.code for r in rules}) == len({r.name for r in rules}) == len(rules)
    assert {r.code for r in rules} == {*checks(), "LK001", "LK002"}
    for rule in rules:
        assert rule.path.name == f"{rule.code}-{rule.name}.md"
        assert rule.path.parent.name == rule.family


def test_selectors() -> None:
    book = load()
    assert book.select(["LK1"]) == book.select(["gradients"])
    assert book.select(["tape-reused"]) == {"LK110"}
    with pytest.raises(UnknownRule, match="tape-reused"):
        book.select(["tape-reusd"])


def test_overlapping_edits_are_refused() -> None:
    from lintkeras.findings import Span

    with pytest.raises(ValueError, match="overlap"):
        apply("abc", [Edit(Span(0, 2), ""), Edit(Span(1, 3), "")])
