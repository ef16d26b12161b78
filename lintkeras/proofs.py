"""Runs a rule's proof in TensorFlow: the only module that imports it.

A proof is a program of the rule's page. It sees ``bad`` and ``fixed``, which run the page's first
bad and fixed program in a fresh namespace and give that namespace; its asserts must hold.
"""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Callable
from typing import Any

from lintkeras.rulebook import Rule


class ProofUnavailable(Exception):
    """There is nothing to run, or nothing to run it with."""


def run_proof(rule: Rule, on_line: Callable[[str], None], *, swapped: bool = False) -> bool:
    """Run the proof of a rule; whether its asserts hold.

    ``swapped`` exchanges the bad and the fixed program: a proof that still holds proves nothing.
    Raises ProofUnavailable without a proof or without TensorFlow.
    """
    texts = {e.role: e.marked()[0] for e in reversed(rule.examples())}
    if "proof" not in texts:
        raise ProofUnavailable(f"{rule.code} has no proof to run")
    if importlib.util.find_spec("tensorflow") is None:
        raise ProofUnavailable("proofs need TensorFlow: pip install 'lintkeras[prove]'")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import keras

    def program(role: str) -> Callable[[], dict[str, Any]]:
        def run() -> dict[str, Any]:
            keras.utils.set_random_seed(1)
            names: dict[str, Any] = {}
            exec(compile(texts[role], role, "exec"), names)
            return names

        return run

    roles = ("fixed", "bad") if swapped else ("bad", "fixed")
    names = {"bad": program(roles[0]), "fixed": program(roles[1]), "print": on_line}
    try:
        exec(compile(texts["proof"], "proof", "exec"), names)
    except Exception as error:
        on_line(f"the proof fails: {type(error).__name__}: {error}")
        return False
    return True
