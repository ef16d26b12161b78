"""LK001 and LK002: what cannot be read, and what lintkeras itself gets wrong."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType

import pytest

from lintkeras import engine
from lintkeras.checks import registry
from lintkeras.checks.registry import Check, Context, check
from lintkeras.findings import Finding
from lintkeras.meaning.interpreter import Interpreter
from lintkeras.rulebook import load
from lintkeras.syntax.parse import NotAnalyzed
from tests.pages import CODES

UNREADABLE = [
    (b"import keras\n# \xff\n", "cannot be decoded as utf-8: byte 0xff at offset 15"),
    (b"# coding: utf-99\nimport keras\n", "cannot be decoded: unknown encoding: utf-99"),
    (b"import keras\n\0\n", "source code cannot contain null bytes"),
    (b"import keras\nprint((1)\n", "'(' was never closed"),
    (b"import keras\nif True\n    pass\n", "expected ':'"),
    (
        b"import keras\nprint 'loss'\n",
        "Missing parentheses in call to 'print'. Did you mean print(...)?",
    ),
    (
        b"import keras\nx = " + b"(" * 2000 + b")" * 2000 + b"\n",
        "cannot be analyzed: more than 200 nested brackets",
    ),
    (
        b"import keras\nx = a" + b" + a" * 20_000 + b"\n",
        "cannot be analyzed: more than 1000 links in a chain",
    ),
    (
        b"import keras\nx = (" + b"'a'" * 3500 + b")\n",
        "cannot be analyzed: more than 3000 strings side by side",
    ),
    (
        b"import keras\n"
        + b"".join(b" " * depth + b"if x:\n" for depth in range(150))
        + b" " * 150
        + b"pass\n",
        "cannot be analyzed: more than 100 nested blocks",
    ),
]


def messages(data: bytes) -> list[tuple[str, str]]:
    return [(f.rule, f.message) for f in engine.lint("x.py", data, "python", CODES).findings]


@pytest.mark.parametrize(("data", "message"), UNREADABLE, ids=[text for _, text in UNREADABLE])
def test_what_cannot_be_read(data: bytes, message: str) -> None:
    assert messages(data) == [("LK001", message)]


def test_the_page_lists_every_outcome() -> None:
    rule = load().find("LK001")
    assert rule is not None
    listed = re.findall(r"`([^`]+)`", rule.page.split("## Example")[0])
    assert {message for _, message in UNREADABLE} <= {*listed}
    assert "cannot be analyzed: nested too deeply" in listed


@pytest.mark.parametrize("data", [b"", b"def f(:\n", b"import numpy\n\xff\n"])
def test_what_is_not_read_is_no_error(data: bytes) -> None:
    assert messages(data) == []


def test_a_fence_that_does_not_parse_is_passed_over() -> None:
    page = b"```python\nimport keras\nmodel = keras.Sequential([...\n```\n"
    assert engine.lint("x.md", page, "markdown", CODES).findings == ()


PROGRAM = b"""import tensorflow as tf
x = tf.Variable(3.0)
with tf.GradientTape() as tape:
    y = x * x
a = tape.gradient(y, x)
b = tape.gradient(y, x)
"""


@check("LK104")
def failing(context: Context) -> Iterator[Finding]:
    """a check with a bug."""
    yield from ()
    raise ValueError("some text")


def test_a_check_that_raises_is_a_finding_and_the_others_run(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    usual = registry.checks()
    assert messages(PROGRAM)[0][0] == "LK110"

    def with_a_bug() -> Mapping[str, Check]:
        return MappingProxyType({**usual, "LK104": failing})

    monkeypatch.setattr(registry, "checks", with_a_bug)
    found = messages(PROGRAM)
    assert ("LK002", "the check LK104 failed: ValueError: some text") in found
    assert "LK110" in [rule for rule, _ in found]
    report = engine.lint("x.py", PROGRAM, "python", CODES - {"LK104"})
    assert [f.rule for f in report.findings] == ["LK110"]


@pytest.mark.parametrize(
    ("error", "finding"),
    [
        (KeyError("x"), ("LK002", "the analysis failed: KeyError: 'x'")),
        (RecursionError(), ("LK001", "cannot be analyzed: nested too deeply")),
    ],
)
def test_an_analysis_that_raises_is_a_finding(
    monkeypatch: pytest.MonkeyPatch, error: Exception, finding: tuple[str, str]
) -> None:
    def broken(*args: object) -> None:
        raise error

    monkeypatch.setattr(Interpreter, "run", broken)
    assert messages(PROGRAM) == [finding]


def test_its_page_shows_both_texts() -> None:
    rule = load().find("LK002")
    assert rule is not None
    assert "the check LK104 failed: ValueError: some text" in rule.page
    assert "the analysis failed: KeyError: 'x'" in rule.page


@pytest.mark.parametrize("error", [RecursionError(), NotAnalyzed("libcst fails")])
def test_code_that_is_out_of_reach_is_no_fault_of_a_check(
    monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def check(context: Context) -> Iterator[Finding]:
        raise error

    monkeypatch.setattr(registry, "checks", lambda: MappingProxyType({"LK104": check}))
    found = engine.lint("x.py", b"import keras  # GradientTape\n", "python", CODES).findings
    assert [f.rule for f in found] == ["LK001"]
    assert found[0].message.startswith("cannot be analyzed: ")
