"""README's commands, run as they stand there, in a copy of the repository in a folder of its own."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from lintkeras.rulebook import load
from tests.packaging.environments import (
    ROOT,
    clean_environment,
    copy_of_the_repository,
)

README = (ROOT / "README.md").read_text(encoding="utf-8")
pytestmark = pytest.mark.network


def commands() -> list[str]:
    """The two lines that make an environment: install and examples, install and tests."""
    found = re.findall(r"^    (python3 -m venv .+)$", README, re.MULTILINE)
    assert len(found) == 2
    return found


def run(command: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-c", command],
        cwd=cwd, env=clean_environment(), capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_install_and_examples(tmp_path: Path) -> None:
    copy = copy_of_the_repository(tmp_path)
    done = run(commands()[0], copy)
    assert "exits with 1" in README
    assert done.returncode == 1, done.stderr
    found = re.findall(r"^(?:error|warning|info)\[(LK\d+)\]", done.stdout, re.MULTILINE)
    assert set(found) == {"LK101", "LK204"}
    assert "lintkeras explain LK" in done.stderr
    shown = run(".venv/bin/lintkeras explain LK101", copy).stdout
    rule = load().find("LK101")
    assert rule is not None
    assert shown == rule.page


def test_install_and_tests(tmp_path: Path) -> None:
    """Without TensorFlow, and one file of the tests, to keep it short."""
    copy = copy_of_the_repository(tmp_path)
    command = commands()[1]
    install, tests = "install -e '.[test]'", "pytest -q"
    assert command.count(install) == command.count(tests) == 1
    short = command.replace(install, "install -q -e . pytest")
    short = short.replace(tests, f"{tests} tests/test_reading.py")
    done = run(short, copy)
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"^\d+ passed", done.stdout, re.MULTILINE)
