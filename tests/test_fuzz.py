"""Any bytes and any text: linting, reporting and fixing never raise, and fixed code parses."""

from __future__ import annotations

import contextlib
import json
import random
import re
import textwrap

import libcst as cst
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lintkeras import engine, reports
from lintkeras.documents import DocumentError, read
from lintkeras.documents.model import line_feeds
from lintkeras.engine import FileReport
from lintkeras.fixes import Choice, Consent, fix
from lintkeras.rulebook import load
from lintkeras.syntax.parse import ParseFailure, parse_snippet
from lintkeras.syntax.program import Program
from lintkeras.writing import unified_diff
from tests.cli.command import REUSE, STEP

CODES = load().select(["ALL"])
SLOW = [HealthCheck.too_slow]
KINDS = ("python", "markdown")
SEEDS = [
    e.marked()[0] for rule in load().rules for e in rule.examples() if e.role in ("bad", "good")
] + [REUSE, STEP.format(comment="  # lintkeras: ignore[LK102]")]
FRAGMENTS = [
    "\n", "\r\n", "\r", "\f", "\t", "    ", "\ufeff", "\0", "\x1b[0m", "é", "學", "😀", "\u202e", "\u2028",
    "(", ")", "[", "]", "{", "}", '"', "'", '"""', "#", "\\", ":", ",", "=", "*", "@", "`", "```",
    "```python\n", "~~~", "> ", "- ", "---\n", "+++\n", ">>> ", "... ", "lambda: ", "f'{", "if 1:\n",
    "# lintkeras: ignore[LK103]", "# lintkeras:", "# coding: latin-1\n", "# coding: utf-7\n",
    "import keras\n", "GradientTape", "tape.gradient", "None", "yield ", "await ", "async ", "del ",
]  # fmt: skip


def check(data: bytes, kind: str) -> None:
    """All that a run does with a file."""

    def lint(new: bytes) -> FileReport:
        return engine.lint("x", new, kind, CODES)

    report = lint(data)
    assert all(finding.rule != "LK002" for finding in report.findings), report.findings
    choices = tuple(
        Choice.of(finding, one) for finding in report.findings for one in finding.fixes[-1:]
    )
    for form in reports.FORMATS:
        lines = list(reports.writer(form)([report], True))
        if form == "json":
            json.loads("\n".join(lines))
    for consent in (Consent(unsafe=True), Consent(choices=choices)):
        done = fix(data, consent, lint)
        assert (done.data != data) <= bool(done.made)
        if done.made:
            after = lint(done.data)
            assert not {f.rule for f in after.findings} & {"LK001", "LK002"}
            assert after.unparsed <= report.unparsed
            list(unified_diff("x", data, done.data))


def mutated(seed: str, chance: random.Random) -> str:
    """A program with a few pieces cut, doubled, moved or put in."""
    text = seed
    for _ in range(chance.randrange(1, 6)):
        at = chance.randrange(len(text) + 1)
        lines = text.splitlines(keepends=True)
        one, two = (chance.randrange(len(lines)) if lines else 0 for _ in range(2))
        match chance.randrange(6):
            case 0:
                text = text[:at] + text[at + chance.randrange(6) :]
            case 1:
                text = text[:at] + chance.choice(FRAGMENTS) + text[at:]
            case 2:
                text = text[:at] + text[at : at + chance.randrange(80)] + text[at:]
            case 3 if lines:
                lines[one], lines[two] = lines[two], lines[one]
                text = "".join(lines)
            case 4:
                text = "".join(lines[:one] + lines[one + 1 :])
            case _:
                text = text.replace("\n", chance.choice(["\r\n", "\r", "\n\n", "\n  "]), 3)
    return text


@pytest.mark.parametrize("kind", KINDS)
@given(
    data=st.binary(max_size=400), front=st.sampled_from([b"", b"import keras\n", b"```python\n"])
)
@settings(max_examples=100, deadline=None, suppress_health_check=SLOW)
def test_any_bytes(kind: str, data: bytes, front: bytes) -> None:
    check(front + data + b"\n# keras GradientTape custom_gradient", kind)


@pytest.mark.parametrize("kind", KINDS)
@given(parts=st.lists(st.sampled_from(FRAGMENTS) | st.text(max_size=8), max_size=30))
@settings(max_examples=150, deadline=None, suppress_health_check=SLOW)
def test_any_text(kind: str, parts: list[str]) -> None:
    text = "keras GradientTape\n" if kind == "markdown" else "# keras GradientTape\n"
    check((text + "".join(parts)).encode("utf-8", "surrogatepass"), kind)


@pytest.mark.parametrize("kind", KINDS)
@given(seed=st.sampled_from(SEEDS), number=st.integers(0, 2**32))
@settings(max_examples=100, deadline=None, suppress_health_check=SLOW)
def test_programs_with_typing_errors(kind: str, seed: str, number: int) -> None:
    page = f"# Keras\n\n> - ```python\n{textwrap.indent(seed, '>   ', bool)}>   ```\n"
    text = seed if kind == "python" else page
    check(mutated(text, random.Random(number)).encode(), kind)


@given(seed=st.sampled_from(SEEDS), number=st.integers(0, 2**32))
@settings(max_examples=200, deadline=None, suppress_health_check=SLOW)
def test_names_stand_where_they_are_said_to_stand(seed: str, number: int) -> None:
    chance = random.Random(number)
    source = re.sub(
        r"(?<=[\w)]) (?=[\w(=*-])",
        lambda _: chance.choice([" ", "  ", " \t", "\f ", " \\\n ", " \\\r\n"]),
        seed,
    )
    document = read("x.py", f"try :\n  y\nexcept  Z :\n  pass\n{source}".encode(), "python")
    try:
        program = Program(document, (parse_snippet(document.snippets[0]),))
    except ParseFailure:
        return
    for node in program.nodes:
        if isinstance(node, cst.Name):
            assert program.text(node) == node.value


@given(parts=st.lists(st.sampled_from([*FRAGMENTS, "x = 1\n", "  y\n", "\t- z\n"]), max_size=40))
@settings(max_examples=300, deadline=None, suppress_health_check=SLOW)
def test_snippets_map_back_to_their_page(parts: list[str]) -> None:
    text = "".join(parts)
    try:
        document = read("x.md", text.encode(), "markdown")
    except DocumentError:
        return
    for snippet in document.snippets:
        for piece in snippet.pieces:
            code = snippet.source[piece.snippet : piece.snippet + piece.length]
            place = document.text[piece.document : piece.document + piece.length]
            assert code == line_feeds(place)
        mapped = sum(piece.length for piece in snippet.pieces)
        assert mapped <= len(snippet.source)
        for offset in range(len(snippet.source) + 1):
            assert 0 <= snippet.offset(offset) <= len(document.text)
        with contextlib.suppress(ParseFailure):
            parse_snippet(snippet)
