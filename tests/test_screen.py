"""The screen errs on the safe side alone: what it passes over has no finding."""

from __future__ import annotations

import importlib.util
import sysconfig
from pathlib import Path

import pytest

from lintkeras import engine, screen
from lintkeras.modules import ProjectModules
from lintkeras.rulebook import Example, load
from tests.pages import CODES, KINDS

EXAMPLES = [
    pytest.param(example, id=f"{rule.code}-{number}")
    for rule in load().rules
    for number, example in enumerate(rule.examples())
    if example.role in ("bad", "good", "fixed")
]
SCREEN = screen.candidates
KERAS = Path(sysconfig.get_paths()["purelib"], "keras")


def found(path: str, data: bytes, kind: str) -> set[str]:
    """The rules that find something, the screen included."""
    report = engine.lint(path, data, kind, CODES, modules=ProjectModules())
    return {finding.rule for finding in report.findings}


@pytest.fixture
def unscreened(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every rule is a candidate for every file."""
    monkeypatch.setattr(screen, "candidates", lambda _, codes: frozenset(codes))


@pytest.mark.parametrize("example", EXAMPLES)
@pytest.mark.usefixtures("unscreened")
def test_examples(example: Example) -> None:
    source, _ = example.marked()
    _, data, kind = KINDS[example.language](source)
    rules = found("example", data, kind) - engine.ALWAYS
    assert rules <= SCREEN(data, CODES)


@pytest.mark.skipif(importlib.util.find_spec("keras") is None, reason="keras is not installed")
@pytest.mark.usefixtures("unscreened")
def test_installed_keras() -> None:
    passed_over = 0
    for path in sorted(KERAS.rglob("*.py")):
        data = path.read_bytes()
        if not SCREEN(data, CODES):
            passed_over += 1
            assert not found(str(path), data, "python"), path
    assert passed_over > 0
