"""The rule book is executed: each page's examples give what the page says."""

from __future__ import annotations

import ast
import re

import pytest

from lintkeras import engine
from lintkeras.checks.registry import checks
from lintkeras.findings import Edit, Finding, Severity, Span
from lintkeras.rulebook import Example, Rule, UnknownRule, load
from lintkeras.syntax.edits import apply
from tests.pages import KINDS, blocks, fixed_text, lint

RULES = load().rules
CODES = {rule.code for rule in RULES}
SECTIONS = [
    "What it does", "Why it is wrong", "What you will observe", "Example", "When it is fine",
    "How it decides", "Fix safety", "Proof",
]  # fmt: skip
CASES = [
    pytest.param(rule, example, id=f"{rule.code}-{number}-{example.role}")
    for rule in RULES
    for number, example in enumerate(rule.examples())
    if example.role in ("bad", "good")
]
BLOCKS = [
    pytest.param(rule, bad, fixed, id=f"{rule.code}-{number}")
    for rule in RULES
    for number, (bad, fixed) in enumerate(blocks(rule))
]
by_code = pytest.mark.parametrize("rule", RULES, ids=lambda r: r.code)


# ---------------------------------------------------------------------------- the examples


@pytest.mark.parametrize(("rule", "example"), CASES)
def test_examples_give_exactly_the_marked_findings(rule: Rule, example: Example) -> None:
    source, marked = example.marked()
    assert lint(source, example.language, example.target) == marked
    assert bool(marked) == (example.role == "bad")
    assert all(code == rule.code for _, _, code in marked)


@pytest.mark.parametrize(("rule", "bad", "fixed"), BLOCKS)
def test_the_fix_of_bad_is_fixed_to_the_letter(
    rule: Rule, bad: Example, fixed: list[Example]
) -> None:
    source, _ = bad.marked()
    by_hand = [example for example in fixed if "by-hand" in example.words]
    if not fixed or by_hand:
        assert fixed_text(rule, source, bad.language, *bad.words) is None
    for example in fixed:
        if example not in by_hand:
            made = fixed_text(rule, source, bad.language, *example.words)
            assert made == example.text
            again = fixed_text(rule, made, bad.language, *example.words)
            assert again is None, "a second round of fixes changes more"
        assert rule.code not in [
            code for _, _, code in lint(example.text, bad.language, bad.target)
        ]


@pytest.mark.parametrize(("rule", "bad", "fixed"), BLOCKS)
def test_every_alternative_removes_its_finding(
    rule: Rule, bad: Example, fixed: list[Example]
) -> None:
    source, marked = bad.marked()
    report = engine.lint(*KINDS[bad.language](source), CODES, target=bad.target)
    for finding in report.findings:
        for fix in finding.fixes:
            made = apply(source, list(fix.edits))
            if bad.language == "python":
                compile(made, "fixed", "exec")
            left = [code for _, _, code in lint(made, bad.language, bad.target)]
            assert left.count(rule.code) < len(marked)


@pytest.mark.parametrize(("rule", "example"), [c for c in CASES if "bad" in str(c.id)])
def test_messages_stand_alone(rule: Rule, example: Example) -> None:
    report = engine.lint(
        *KINDS[example.language](example.marked()[0]), CODES, target=example.target
    )
    for finding in report.findings:
        texts = [finding.message, *(note.text for note in finding.notes)]
        texts += [finding.label, *(one.label for one in finding.related)]
        texts += [fix.title for fix in finding.fixes]
        for text in texts:
            assert text == " ".join(text.split())
            assert not text.endswith((".", ":", ","))
        assert finding.message[0] in "`'\"" or not finding.message.split()[0].istitle()


@by_code
def test_examples_are_python(rule: Rule) -> None:
    for example in rule.examples():
        if example.language == "python":
            ast.parse(example.text)


# ---------------------------------------------------------------------------- the pages


def test_every_check_has_a_page_and_every_page_a_check() -> None:
    assert {*checks(), "LK001", "LK002"} == CODES
    assert len(CODES) == len({rule.name for rule in RULES}) == len(RULES)


@by_code
def test_front_matter(rule: Rule) -> None:
    assert re.fullmatch(r"LK\d{3}", rule.code)
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", rule.name)
    assert rule.path.name == f"{rule.code}-{rule.name}.md"
    assert rule.path.parent.name == rule.family
    assert isinstance(rule.severity, Severity)
    assert rule.fix in ("none", "safe", "unsafe")
    assert re.fullmatch(r"\d+\.\d+\.\d+", rule.since)
    assert re.fullmatch(r"any|(>=|<=|<|>|==)\d+(\.\d+)*(, ?(>=|<=|<|>|==)\d+(\.\d+)*)*", rule.keras)
    assert all(isinstance(word, bytes) and word for group in rule.needs for word in group)
    assert rule.references or rule.family == "tool"
    for reference in rule.references:
        assert reference.strip() == reference and len(reference) > 10
        assert "pypi" not in reference.lower()
    assert rule.symmetric is None or len(rule.symmetric) > 20


@by_code
def test_sections(rule: Rule) -> None:
    assert rule.page.startswith(f"# {rule.code} {rule.name}\n")
    expected = SECTIONS if rule.family != "tool" else SECTIONS[:-1]
    assert rule.sections() == expected
    for text in re.split(r"^## .+$", rule.prose(), flags=re.MULTILINE)[1:]:
        assert text.strip() or "Example" in rule.sections(), "an empty section"


@by_code
def test_lines_fit_a_terminal(rule: Rule) -> None:
    assert max(map(len, rule.prose().splitlines())) <= 100


@by_code
def test_only_codes_that_exist_are_mentioned(rule: Rule) -> None:
    assert set(re.findall(r"LK\d{3}", rule.page)) <= CODES


@by_code
def test_the_page_shows_both_sides(rule: Rule) -> None:
    roles = [example.role for example in rule.examples() if example.target is None]
    if rule.family != "tool":
        assert roles.count("proof") == 1
        assert {"bad", "fixed", "good"} <= {*roles}, "write a fixed program by-hand without a fix"
        assert ("control" in roles) == (rule.symmetric is not None)
        fixable = any("by-hand" not in e.words for e in rule.examples() if e.role == "fixed")
        assert fixable == (rule.fix != "none")


@by_code
def test_proofs_ask_the_executed_programs(rule: Rule) -> None:
    for example in rule.examples():
        if example.role == "proof":
            nodes = list(ast.walk(ast.parse(example.text)))
            assert any(isinstance(node, ast.Assert) for node in nodes)
            called = [
                n.func.id for n in nodes if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)
            ]
            assert not {"bad", "fixed"} & {*called}, "write bad.name, the programs have been run"
            assert {"bad"} <= {node.id for node in nodes if isinstance(node, ast.Name)}


# ---------------------------------------------------------------------------- the tools


def test_selectors() -> None:
    book = load()
    assert book.select(["LK1"]) == book.select(["gradients"])
    assert book.select(["tape-reused"]) == {"LK110"}
    with pytest.raises(UnknownRule, match="tape-reused"):
        book.select(["tape-reusd"])


def test_overlapping_edits_are_refused() -> None:
    with pytest.raises(ValueError, match="overlap"):
        apply("abc", [Edit(Span(0, 2), ""), Edit(Span(1, 3), "")])


def test_severity_of_a_finding() -> None:
    assert engine.severity_of(Finding("LK110", Span(0, 0), "m")) is Severity.ERROR
    assert engine.severity_of(Finding("LK110", Span(0, 0), "m", Severity.INFO)) is Severity.INFO
