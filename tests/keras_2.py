"""Environments with Keras 2, and the proofs of the pages (``proof target=2``) that run in them.

As a script it runs all these proofs in the environment of its interpreter and prints what became of
them as JSON: ``{"LK601": {"holds": true, "lines": [...]}}``.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import venv
from pathlib import Path
from typing import TypedDict

from lintkeras.rulebook import Rule, load

ROOT = Path(__file__).parents[1]
TARGET = "2"
"""Behind ``proof target=``: the proofs for an environment with Keras 2."""
PROVEN = [
    rule
    for rule in load().rules
    if any(e.role == "proof" and e.target == TARGET for e in rule.examples())
]
LAST_PYTHON = (3, 11)
"""The newest Python that TensorFlow 2.15, the last one with Keras 2, runs on."""
KINDS = ["keras-2.15", "tf-keras"]
_OFFLINE = ("from versions: none", "NewConnectionError", "Temporary failure in name resolution")


class Offline(Exception):
    """The packages cannot be had."""


class Outcome(TypedDict):
    """What became of a proof, and what it printed."""

    holds: bool
    lines: list[str]


def environment(kind: str, folder: Path) -> tuple[Path, dict[str, str]]:
    """An interpreter with Keras 2 and the variables that it needs; installed in ``folder`` once.

    ``keras-2.15`` is TensorFlow 2.15 with its own Keras. ``tf-keras`` is this environment's
    TensorFlow with the package tf_keras, which goes by the name ``keras`` there too. Raises Offline
    where the packages cannot be had.
    """
    made = folder / "complete"
    if kind == "keras-2.15":
        python = folder / ("Scripts" if os.name == "nt" else "bin") / "python"
        if not made.exists():
            venv.create(folder, with_pip=False, symlinks=os.name != "nt")
            name = "tensorflow" if sys.platform == "darwin" else "tensorflow-cpu"
            _install("--python", python, "install", f"{name}==2.15.*", "keras==2.15.*")
            made.touch()
        return python, {}
    if not made.exists():
        version = ".".join(_version("tensorflow").split(".")[:2])
        _install("install", "--no-deps", "--target", folder, f"tf-keras=={version}.*")
        alias = folder / "keras" / "__init__.py"
        alias.parent.mkdir()
        alias.write_text("import sys\nimport tf_keras\nsys.modules['keras'] = tf_keras\n")
        made.touch()
    return Path(sys.executable), {"TF_USE_LEGACY_KERAS": "1", "PYTHONPATH": str(folder)}


def outcomes(python: Path, variables: dict[str, str]) -> dict[str, Outcome]:
    """All proofs for Keras 2, run by an interpreter that has it."""
    kept = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "VIRTUAL_ENV")}
    path = [*filter(None, [variables.get("PYTHONPATH")]), str(ROOT)]
    done = subprocess.run(
        [python, "-m", "tests.keras_2"], cwd=ROOT, capture_output=True, text=True, check=False,
        env={**kept, "TF_CPP_MIN_LOG_LEVEL": "3", **variables, "PYTHONPATH": os.pathsep.join(path)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found: dict[str, Outcome] = json.loads(done.stdout.splitlines()[-1])
    return found


def _install(*arguments: str | Path) -> None:
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        if any(sign in done.stderr for sign in _OFFLINE):
            raise Offline(f"no packages of Keras 2 for this Python: {done.stderr.splitlines()[-1]}")
        raise RuntimeError(done.stderr)


def _version(package: str) -> str:
    from importlib.metadata import version

    return version(package)


def _outcome(rule: Rule) -> Outcome:
    from lintkeras.proofs import run_proof

    lines: list[str] = []
    return {"holds": run_proof(rule, lines.append, target=TARGET), "lines": lines}


if __name__ == "__main__":
    print(json.dumps({rule.code: _outcome(rule) for rule in PROVEN}))
