"""The benchmark prints a line for each stage and for libcst alone."""

from __future__ import annotations

import os
import re
import subprocess
import sys

from tests.cli.command import ROOT


def test_the_benchmark_runs() -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "benchmarks" / "stages.py", "mdurl"],
        env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    head, *stages = done.stdout.splitlines()
    assert re.fullmatch(r"mdurl: \d+ files, \d+ lines", head)
    rates = [re.fullmatch(r"(\S.*?) +([\d,]+) lines/s +[\d.]+ s", line) for line in stages]
    names = [match.group(1) for match in rates if match]
    assert len(names) == len(stages)
    assert {"read", "screen", "libcst.parse_module", "meaning and checks", "lint"} <= {*names}
