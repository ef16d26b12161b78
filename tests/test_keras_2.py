"""What the pages say of Keras 2 holds there - and no longer in Keras 3."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from lintkeras.proofs import run_proof
from lintkeras.rulebook import Rule
from tests.keras_2 import (
    KINDS,
    LAST_PYTHON,
    PROVEN,
    TARGET,
    Offline,
    Outcome,
    environment,
    outcomes,
)

by_rule = pytest.mark.parametrize("rule", PROVEN, ids=lambda r: r.code)


@pytest.fixture(scope="module", params=KINDS)
def proofs(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Outcome]:
    """The proofs by rule; environments are kept in the folder LINTKERAS_KERAS_2, if it is set."""
    kind = str(request.param)
    if kind == "keras-2.15" and sys.version_info[:2] > LAST_PYTHON:
        pytest.skip("TensorFlow 2.15 does not run on this Python")
    kept = os.environ.get("LINTKERAS_KERAS_2")
    folder = Path(kept) / kind if kept else tmp_path_factory.mktemp(kind)
    try:
        return outcomes(*environment(kind, folder))
    except Offline as error:
        pytest.skip(str(error))


@pytest.mark.network
@pytest.mark.tensorflow
@by_rule
def test_the_proof_holds_in_keras_2(rule: Rule, proofs: dict[str, Outcome]) -> None:
    assert proofs[rule.code]["holds"], proofs[rule.code]["lines"]
    assert proofs[rule.code]["lines"], "a proof shows what it saw"


@pytest.mark.tensorflow
@by_rule
def test_it_does_not_hold_in_keras_3(rule: Rule) -> None:
    assert not run_proof(rule, lambda line: None, target=TARGET)
