"""Runs a rule's proof in TensorFlow: the only module that imports it.

A proof is a program of the rule's page. Its names ``bad`` and ``fixed`` are the page's first bad
and fixed program, already executed from the same random seed: ``bad.train_step`` is what the
program defined, ``bad.exception`` what it raised (None where it ran to its end). The proof's
asserts must hold, and what it prints is shown.
"""

from __future__ import annotations

import contextlib
import importlib.util
import io
import os
import tempfile
import traceback
from collections.abc import Callable, Iterator
from types import ModuleType

from lintkeras.rulebook import Rule

_SEED = 1


class ProofUnavailable(Exception):
    """There is nothing to run, or nothing to run it with."""


def run_proof(
    rule: Rule,
    on_line: Callable[[str], None],
    *,
    bad: str = "bad",
    fixed: str = "fixed",
    target: str | None = None,
) -> bool:
    """Run the proof of a rule; whether its asserts hold.

    ``target`` asks for the proof of a page for another Keras (``proof target=2``), in an
    environment that has it.

    ``bad`` and ``fixed`` say which role's program the proof gets under these names: a proof that
    still holds with both exchanged proves nothing. Raises ProofUnavailable without a proof or
    without TensorFlow.
    """
    programs = {
        example.role: example.marked()[0]
        for example in reversed(rule.examples())
        if example.language == "python"
        and example.target == (target if example.role == "proof" else None)
    }
    if "proof" not in programs:
        raise ProofUnavailable(f"{rule.code} has no proof to run")
    if importlib.util.find_spec("tensorflow") is None:
        raise ProofUnavailable("proofs need TensorFlow: pip install 'lintkeras[prove]'")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    names = {
        "bad": execute(programs[bad], "bad"),
        "fixed": execute(programs[fixed], "fixed"),
        "print": lambda *values: on_line(" ".join(map(str, values))),
    }
    try:
        with _empty_folder():
            exec(compile(programs["proof"], "proof", "exec", dont_inherit=True), names)
    except Exception as error:
        lines = [
            f.lineno for f in traceback.extract_tb(error.__traceback__) if f.filename == "proof"
        ]
        at = programs["proof"].splitlines()[(lines[-1] or 1) - 1].strip() if lines else ""
        on_line(f"the proof fails: {type(error).__name__}: {error} ({at})")
        return False
    return True


def execute(program: str, name: str) -> ModuleType:
    """Run a program from a fixed seed, in an empty folder and in silence; its namespace.

    The attribute ``exception`` of the result is what the program raised, or None.
    """
    import keras
    import tensorflow as tf

    keras.utils.set_random_seed(_SEED)
    tf.config.run_functions_eagerly(False)  # an earlier program may have asked for it
    module = ModuleType(name)
    module.exception = None  # type: ignore[attr-defined]
    with _empty_folder(), contextlib.redirect_stdout(io.StringIO()):
        try:
            exec(compile(program, name, "exec", dont_inherit=True), module.__dict__)
        except Exception as error:
            module.exception = error  # type: ignore[attr-defined]
    return module


@contextlib.contextmanager
def _empty_folder() -> Iterator[None]:
    """Run in a folder of its own, so that what a program saves is gone afterwards."""
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        yield
