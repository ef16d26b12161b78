"""Rounds of fixes: what is applied together, what waits, what is taken back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from lintkeras import engine
from lintkeras.documents import read
from lintkeras.engine import FileReport
from lintkeras.findings import Applicability, Edit, Finding, Fix, Span
from lintkeras.fixes import Choice, Consent, Fixed, fix, removed_comments
from lintkeras.rulebook import load
from tests.cli.command import REUSE

SAFE = Consent()


def edit(text: str, old: str, new: str) -> Edit:
    start = text.index(old)
    return Edit(Span(start, start + len(old)), new)


def finding(
    *edits: Edit, rule: str = "LK110", name: str = "x", target: str | None = None
) -> Finding:
    fixes = (Fix(name, "t", Applicability.SAFE, edits, target),)
    return Finding(rule, edits[0].span, "m", fixes=fixes)


def linter(find: Callable[[str], list[Finding]]) -> Callable[[bytes], FileReport]:
    """A linter with made-up findings, besides what the engine finds itself."""

    def lint(data: bytes) -> FileReport:
        report = engine.lint("x.py", data, "python", ())
        document = read("x.py", data, "python")
        return replace(report, document=document, findings=(*find(document.text), *report.findings))

    return lint


def test_fixes_that_do_not_meet_are_made_together() -> None:
    rounds: list[str] = []

    def find(text: str) -> list[Finding]:
        rounds.append(text)
        return [finding(edit(text, old, "0")) for old in ("1", "2") if old in text]

    assert fix(b"a = 1\nb = 2\n", SAFE, linter(find)) == Fixed(b"a = 0\nb = 0\n", 2)
    assert len(rounds) == 2


def test_fixes_that_meet_wait_for_the_next_round() -> None:
    def find(text: str) -> list[Finding]:
        return [finding(edit(text, old, old.upper())) for old in ("ab", "bc", "c") if old in text]

    assert fix(b"abcd\n", SAFE, linter(find)) == Fixed(b"ABCd\n", 2)

    def insert(text: str) -> list[Finding]:
        return [
            finding(Edit(Span(0, 0), "def f(): pass\n"), edit(text, old, "f"))
            for old in ("g", "h")
            if old in text and text.count("def") < 2
        ]

    assert fix(b"x = g, h\n", SAFE, linter(insert)).data.count(b"def f") == 2


def test_a_fix_that_breaks_the_parse_is_taken_back_and_the_others_stay() -> None:
    def find(text: str) -> list[Finding]:
        wanted = {"1": "(", "2": "0", "3": "0"}
        return [finding(edit(text, old, new)) for old, new in wanted.items() if old in text]

    done = fix(b"import keras\na = 1\nb = 2\nc = 3\n", SAFE, linter(find))
    assert (done.data, done.made) == (b"import keras\na = 1\nb = 0\nc = 0\n", 2)
    assert done.troubles == (
        "the fix of LK110 in line 2 was taken back: the result does not parse",
    )


def test_a_fence_that_no_longer_parses_counts_as_well() -> None:
    page = b"```python\nimport keras\na = 1\n```\n\n```python\n=\n```\n"

    def lint(data: bytes) -> FileReport:
        report = engine.lint("x.md", data, "markdown", ("LK110",))
        text = data.decode()
        found = (finding(edit(text, "1", "(")),) if "1" in text else ()
        return replace(report, findings=(*found, *report.findings), unparsed=_unparsed(data))

    def _unparsed(data: bytes) -> int:
        return engine.lint("x.md", data + b"GradientTape", "markdown", ("LK110",)).unparsed

    done = fix(page, SAFE, lint)
    assert (done.data, done.made) == (page, 0)
    assert "does not parse" in done.troubles[0]


def test_a_new_error_is_taken_back() -> None:
    def find(text: str) -> list[Finding]:
        first = [finding(edit(text, "1", "2"), rule="LK101")] if "1" in text else []
        second = [Finding("LK104", Span(0, 1), "m")] if "2" in text else []
        return first + second

    done = fix(b"a = 1\n", SAFE, linter(find))
    assert (done.data, done.made) == (b"a = 1\n", 0)
    assert "it brings a new error, LK104" in done.troubles[0]


def test_a_lost_comment_is_taken_back_but_for_that_of_a_removed_statement() -> None:
    text = "a = 1  # one\n# above\nb = 2  # two\n"

    def dropping(old: str, new: str = "") -> Fixed:
        lint = linter(lambda t: [finding(edit(t, old, new))] if old in t else [])
        return fix(text.encode(), SAFE, lint)

    assert dropping("b = 2  # two\n").made == 1
    assert "loses the comment '# two'" in dropping("b = 2  # two\n", "b = 3\n").troubles[0]
    assert "loses the comment '# above'" in dropping("# above\n").troubles[0]
    assert "loses the comment '# above'" in dropping("# above\nb = 2  # two\n").troubles[0]
    assert dropping("b = 2  # two\n", "b = 3  # two\n").made == 1


def test_what_the_encoding_lacks_is_taken_back() -> None:
    data = b"# coding: ascii\na = 1\n"
    done = fix(
        data, SAFE, linter(lambda t: [finding(edit(t, "1", "'\u00e9'"))] if "1" in t else [])
    )
    assert (done.data, done.made) == (data, 0)
    assert "codec can't encode" in done.troubles[0]


def test_bytes_that_do_not_come_back_are_not_touched() -> None:
    data = b"# coding: utf-7\na = '+AGE-'  # 1\n"
    done = fix(data, SAFE, linter(lambda t: [finding(edit(t, "1", "2"))]))
    assert (done.data, done.made) == (data, 0)
    assert "byte for byte" in done.troubles[0]


def test_ten_rounds_are_the_end() -> None:
    done = fix(b"a = 1\n", SAFE, linter(lambda t: [finding(edit(t, "1", "11"))]))
    assert (done.data, done.made) == (b"a = " + b"1" * 11 + b"\n", 10)
    assert done.troubles == ("more fixes were left after 10 rounds; run it again",)


def test_consent() -> None:
    fixes = tuple(
        Fix(name, "t", applicability, (), target)
        for name, applicability, target in (
            ("sketch", Applicability.DISPLAY, "a"),
            ("sketch", Applicability.DISPLAY, "b"),
            ("unsafe", Applicability.UNSAFE, None),
            ("safe", Applicability.SAFE, None),
        )
    )
    found = Finding("LK101", Span(0, 0), "m", fixes=fixes)
    assert Consent().pick(found) == fixes[3]
    assert Consent(unsafe=True).pick(found) == fixes[2]
    assert Consent(True, (Choice("LK103", "safe"),)).pick(found) == fixes[2]
    assert Consent(True, (Choice("LK101", "sketch", "b"),)).pick(found) == fixes[1]
    assert Consent(True, (Choice("LK101", "sketch"),)).pick(found) is None
    assert Consent(True, (Choice("LK101", "none"),)).pick(found) is None


def test_the_engine_fixes_the_real_thing() -> None:
    def lint(data: bytes) -> FileReport:
        return engine.lint("x.py", data, "python", ("LK110",))

    done = fix(REUSE.encode(), SAFE, lint)
    assert (done.made, done.troubles) == (1, ())
    assert fix(done.data, SAFE, lint) == Fixed(done.data)


def test_titles_announce_the_comments_that_go() -> None:
    announced = 0
    for rule in load().rules:
        for example in rule.examples():
            if example.role != "bad":
                continue
            document = read("x", example.text.encode(), example.language)
            report = engine.lint("x", example.text.encode(), example.language, (rule.code,))
            for one in (one for found in report.findings for one in found.fixes):
                removed = removed_comments(document, list(one.edits))
                assert ("comment" in one.title) >= bool(removed), one
                announced += bool(removed)
    assert announced


def test_a_name_that_gets_its_meaning_back_may_reveal_an_error_elsewhere() -> None:
    def find(text: str) -> list[Finding]:
        if "1" in text:
            return [finding(edit(text, "1", "2"), rule="LK601")]
        at = text.index(shown)
        return [Finding("LK104", Span(at, at + 1), "m")]

    shown = "b"
    assert fix(b"a = 1\nb = 0\n", SAFE, linter(find)) == Fixed(b"a = 2\nb = 0\n", 1)
    shown = "2"
    done = fix(b"a = 1\nb = 0\n", SAFE, linter(find))
    assert (done.data, done.made) == (b"a = 1\nb = 0\n", 0)
    assert "it brings a new error, LK104" in done.troubles[0]
