"""Fixed programs are what the fixes make, and each proof holds - and fails when swapped."""

from __future__ import annotations

import itertools

import pytest

from lintkeras import engine
from lintkeras.fixes import Consent, Fixed, fix
from lintkeras.proofs import run_proof
from lintkeras.rulebook import Rule, load

RULES = load().rules
CODES = load().select(["ALL"])
PROVEN = [r for r in RULES if any(e.role == "proof" for e in r.examples())]
# What LK102 and LK103 say is that two programs do the same; LK104 shows the list itself.
SYMMETRIC = {"LK103", "LK104"}


def lint(data: bytes) -> engine.FileReport:
    return engine.lint("x.py", data, "python", CODES)


@pytest.mark.parametrize("rule", RULES, ids=lambda r: r.code)
def test_the_fix_of_bad_is_fixed_to_the_letter(rule: Rule) -> None:
    examples = rule.examples()
    for bad, fixed in itertools.pairwise(examples):
        if bad.role == "bad":
            source = bad.marked()[0].encode()
            done = fix(source, Consent(unsafe=True), lint)
            assert bool(done.made) == (fixed.role == "fixed")
            if done.made:
                assert done.data.decode() == fixed.text
                assert fix(done.data, Consent(unsafe=True), lint) == Fixed(done.data)


@pytest.mark.tensorflow
@pytest.mark.parametrize("rule", PROVEN, ids=lambda r: r.code)
def test_the_proof_holds(rule: Rule) -> None:
    lines: list[str] = []
    assert run_proof(rule, lines.append), lines
    assert lines


@pytest.mark.tensorflow
@pytest.mark.parametrize(
    "rule", [r for r in PROVEN if r.code not in SYMMETRIC], ids=lambda r: r.code
)
def test_the_proof_fails_when_swapped(rule: Rule) -> None:
    assert not run_proof(rule, lambda line: None, swapped=True)
