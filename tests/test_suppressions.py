"""``# lintkeras: ignore[..]``: what a comment silences."""

from __future__ import annotations

import pytest

from lintkeras import engine
from lintkeras.documents import read as read_document
from lintkeras.rulebook import load
from lintkeras.syntax.parse import parse_snippet
from lintkeras.syntax.program import Program
from lintkeras.syntax.suppressions import read
from tests.cli.command import STEP

CODES = load().select(["ALL"])


def silenced(source: str, path: str = "x.py", kind: str = "python") -> dict[str, list[str]]:
    """For each rule in a comment the stripped pieces of source that it silences."""
    document = read_document(path, source.encode(), kind)
    program = Program(document, tuple(map(parse_snippet, document.snippets)))
    found: dict[str, list[str]] = {}
    for span, rules in read(program).ranges:
        for rule in sorted(rules):
            found.setdefault(rule, []).append(document.text[span.start : span.end].strip())
    return found


@pytest.mark.parametrize(
    ("comment", "rules"),
    [
        ("# lintkeras: ignore[LK103] because", ["lk103"]),
        ("#lintkeras:ignore[LK103,LK102]", ["lk102", "lk103"]),
        ("# lintkeras: ignore[ lk103 , tape-reused ] both", ["lk103", "tape-reused"]),
        ("# LINTKERAS: Ignore[LK103]", ["lk103"]),
        ("# lintkeras: ignore LK103 because, LK102", ["lk103"]),
        ("# lintkeras: ignore LK103, LK102 because", ["lk102", "lk103"]),
        ("# lintkeras: ignore LK103 LK102 because", ["lk102", "lk103"]),
        ("# lintkeras: ignore tape-reused because", ["tape-reused"]),
        ("# type: ignore  # lintkeras: ignore[LK103]", ["lk103"]),
        ("# lintkeras: ignore[LK103]  # lintkeras: ignore[LK102]", ["lk102", "lk103"]),
        ("# lintkeras: ignore", []),
        ("# lintkeras: ignore[]", []),
        ("# lintkeras: ignored LK103", []),
        ("# ignore[LK103]", []),
        ("# noqa: LK103", []),
    ],
)
def test_the_rules_of_a_comment(comment: str, rules: list[str]) -> None:
    assert sorted(silenced(f"x = 1  {comment}\n")) == rules
    assert sorted(silenced(f"{comment}\nx = 1\n")) == rules


PROGRAM = '''# licence
# lintkeras: ignore A-1 the first statement

import a
b = f(
    1,  # lintkeras: ignore[a-2]
    # lintkeras: ignore[a-3]
    2,
)  # lintkeras: ignore[a-4]
c = 1; d = 2  # lintkeras: ignore[a-5]


@decorator  # lintkeras: ignore[b-1]
# lintkeras: ignore[b-2]
def f(
    x,  # lintkeras: ignore[b-3]
):  # lintkeras: ignore[b-4]
    # lintkeras: ignore[b-5]
    """# lintkeras: ignore[no-1]"""
    y = "# lintkeras: ignore[no-2]"

    # lintkeras: ignore[b-6] the next statement, wherever it is
if (a and  # lintkeras: ignore[c-1]
    b): pass  # lintkeras: ignore[c-2]
elif c:  # lintkeras: ignore[c-3]
    z = 2
else:  # lintkeras: ignore[c-4]
    z = 3
with a as b, \\
        c as d:  # lintkeras: ignore[c-5]
    pass
try:  # lintkeras: ignore[c-6]
    pass
except (A,  # lintkeras: ignore[c-7]
        B):
    pass
finally:  # lintkeras: ignore[c-8]
    pass
match a:  # lintkeras: ignore[d-1]
    case 1:  # lintkeras: ignore[d-2]
        pass
class C(
    B,  # lintkeras: ignore[d-3]
):
    pass
# lintkeras: ignore[no-3] nothing follows
'''


def test_the_place_of_a_comment() -> None:
    call = "b = f(\n    1,  # lintkeras: ignore[a-2]\n    # lintkeras: ignore[a-3]\n    2,\n)  # linter"
    found = silenced(PROGRAM)
    assert found.keys() == {
        "a-1", *(f"a-{i}" for i in range(2, 6)), *(f"b-{i}" for i in range(1, 7)),
        *(f"c-{i}" for i in range(1, 9)), "d-1", "d-2", "d-3",
    }  # fmt: skip
    first = {rule: texts[0].splitlines()[0] for rule, texts in found.items()}
    assert first["a-1"] == "import a"
    assert {first[f"a-{i}"] for i in (2, 3, 4)} == {call.splitlines()[0]}
    assert found["a-2"] == found["a-3"] == found["a-4"]
    assert found["a-4"][0].endswith("ignore[a-4]")
    assert first["a-5"] == "c = 1; d = 2  # lintkeras: ignore[a-5]"
    for number in range(1, 5):
        assert first[f"b-{number}"].startswith("@decorator")
        assert found[f"b-{number}"][0].endswith("ignore[b-4]")
    assert first["b-5"].startswith('"""')
    assert first["b-6"].startswith("if (a and")
    assert found["c-1"] == found["c-2"]
    assert first["c-3"].startswith("elif c:")
    assert found["c-3"][0].count("\n") == 0
    assert first["c-4"].startswith("else:")
    assert first["c-5"].startswith("with a as b")
    assert first["c-6"].startswith("try:")
    assert first["c-7"].startswith("except (A,")
    assert first["c-8"].startswith("finally:")
    assert first["d-1"].startswith("match a:")
    assert first["d-2"].startswith("case 1:")
    assert found["d-3"][0].startswith("class C(")


def codes(source: str, path: str = "x.py", kind: str = "python") -> list[str]:
    return [finding.rule for finding in engine.lint(path, source.encode(), kind, CODES).findings]


@pytest.mark.parametrize(
    "comment",
    [
        "  # lintkeras: ignore[LK103] why", "  # lintkeras: ignore[ineffective-gradient-scale]",
        "  # lintkeras: ignore[lk102, LK103]", "  # lintkeras: ignore LK103",
    ],
)  # fmt: skip
def test_a_finding_is_silenced(comment: str) -> None:
    assert codes(STEP.format(comment=comment)) == []
    assert (
        codes(STEP.format(comment="").replace("    grads = [", f"  {comment}\n    grads = [")) == []
    )
    long = STEP.format(comment=")").replace("[g * 2", f"(\n        [g{comment}\n         * 2")
    assert codes(long) == []
    page = f"> ```python\n{''.join(f'> {line}' for line in STEP.format(comment=comment).splitlines(True))}> ```\n"
    assert codes(page, "x.md", "markdown") == []


@pytest.mark.parametrize(
    "comment",
    [
        "", "  # lintkeras: ignore[LK102]", '\n    "# lintkeras: ignore[LK103]"',
        "\n    # lintkeras: ignore[LK103]", "  # lintkeras: ignore[ALL]",
        "  # lintkeras: ignore[gradients]", "  # lintkeras: ignore[LK1]",
    ],
)  # fmt: skip
def test_a_finding_is_not_silenced(comment: str) -> None:
    assert codes(STEP.format(comment=comment)) == ["LK103"]


def test_the_header_of_a_block_is_not_its_body() -> None:
    source = STEP.format(comment="").replace(
        "def step(x):", "def step(x):  # lintkeras: ignore[LK103]"
    )
    assert codes(source) == ["LK103"]
