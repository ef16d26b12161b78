"""Each proof holds in TensorFlow - and fails when what it says is false."""

from __future__ import annotations

import pytest

from lintkeras.proofs import execute, run_proof
from lintkeras.rulebook import Example, Rule, load

RULES = load().rules
PROVEN = [rule for rule in RULES if any(e.role == "proof" for e in rule.examples())]
pytestmark = pytest.mark.tensorflow
# What needs nothing but TensorFlow runs; bad programs may raise, that is what their pages say.
RUNNING = [
    pytest.param(example, id=f"{rule.code}-{number}-{example.role}")
    for rule in RULES
    for number, example in enumerate(rule.examples())
    if example.role in ("fixed", "good", "control") and example.language == "python"
    if "no-run" not in example.words and example.target is None
]


@pytest.mark.parametrize("rule", PROVEN, ids=lambda r: r.code)
def test_the_proof_holds(rule: Rule) -> None:
    lines: list[str] = []
    assert run_proof(rule, lines.append), lines
    assert lines, "a proof shows numbers"


@pytest.mark.parametrize("rule", PROVEN, ids=lambda r: r.code)
def test_the_proof_can_fail(rule: Rule) -> None:
    if rule.symmetric is None:
        assert not run_proof(rule, lambda line: None, bad="fixed", fixed="bad")
    else:
        assert not run_proof(rule, lambda line: None, bad="control")


@pytest.mark.parametrize("example", RUNNING)
def test_the_examples_run(example: Example) -> None:
    exception = execute(example.text, "example").exception
    assert exception is None, exception
