"""Whole programs of Keras 1 and 2: the command of docs/migration.md leaves nothing to do."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from lintkeras import engine
from lintkeras.fixes import Consent, fix
from lintkeras.proofs import execute
from lintkeras.rulebook import load

PAGE = (Path(__file__).parent / "migrations.md").read_text(encoding="utf-8")
CODES = load().select(["LK6", "LK405", "LK415", "LK416", "LK705"])
PROGRAMS = {
    title: re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    for title, text in re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL)
}
by_title = pytest.mark.parametrize("title", PROGRAMS)


@by_title
def test_what_becomes_of_a_program(title: str) -> None:
    before, after = PROGRAMS[title]
    made = fix(
        before.encode(),
        Consent(unsafe=True),
        lambda data: engine.lint("x.py", data, "python", CODES),
    )
    assert made.data.decode() == after
    assert engine.lint("x.py", after.encode(), "python", CODES).findings == ()


@pytest.mark.tensorflow
@by_title
def test_it_runs_in_keras_3_afterwards(title: str) -> None:
    before, after = PROGRAMS[title]
    assert execute(before, "before").exception is not None
    assert execute(after, "after").exception is None
