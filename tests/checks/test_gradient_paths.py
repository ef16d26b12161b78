"""What gradients pass through: programs with the findings that they have to give."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from lintkeras.rulebook import Example
from tests.pages import lint

PAGE = Path(__file__).with_name("gradient-paths.md").read_text(encoding="utf-8")
CODES = {"LK126", "LK127", "LK128", "LK131", "LK132", "LK135"}
PROGRAMS = [
    Example("python", "program", text)
    for text in re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
]


@pytest.mark.parametrize("program", PROGRAMS, ids=range(len(PROGRAMS)))
def test_programs_give_exactly_the_marked_findings(program: Example) -> None:
    source, marked = program.marked()
    found = [one for one in lint(source, "python") if one[2] in CODES]
    assert found == marked
