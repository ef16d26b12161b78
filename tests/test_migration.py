"""docs/migration.md: its commands do what it says, and its program trains afterwards."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from lintkeras.proofs import execute
from tests.cli.command import ROOT, check

PAGE = (ROOT / "docs" / "migration.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^    lintkeras check (.+) src/$", PAGE, re.MULTILINE)
BEFORE, AFTER = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
(REPORT,) = re.findall(r"```text\n(.*?)```", PAGE, re.DOTALL)


def migrate(folder: Path, command: str) -> tuple[str, str]:
    """The program after a command, and the last lines of the report."""
    file = folder / "train.py"
    file.write_text(BEFORE)
    done = check(*command.split(), "train.py", cwd=folder)
    return file.read_text(), done.err


def test_the_command_of_the_page(tmp_path: Path) -> None:
    text, report = migrate(tmp_path, COMMANDS[0])
    assert text == AFTER
    assert report == REPORT


def test_step_by_step_it_comes_to_the_same(tmp_path: Path) -> None:
    look, diff, safe, all_of_them = COMMANDS[1:]
    assert migrate(tmp_path, look)[0] == BEFORE
    assert migrate(tmp_path, diff)[0] == BEFORE
    first, _ = migrate(tmp_path, safe)
    assert first not in (BEFORE, AFTER)
    (tmp_path / "train.py").write_text(first)
    check(*all_of_them.split(), "train.py", cwd=tmp_path)
    assert (tmp_path / "train.py").read_text() == AFTER


@pytest.mark.tensorflow
def test_the_program_trains_afterwards() -> None:
    assert isinstance(execute(BEFORE, "before").exception, (ImportError, AttributeError))
    after = execute(AFTER, "after")
    assert after.exception is None
    assert len(after.history.history["loss"]) == 2
