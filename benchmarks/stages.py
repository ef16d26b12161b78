"""Lines per second of each stage on an installed package, and of ``libcst.parse_module`` alone.

Usage: ``python benchmarks/stages.py [PACKAGE]`` (default: keras).
"""

from __future__ import annotations

import importlib.util
import sys
import time
from collections.abc import Callable
from pathlib import Path

import libcst

from lintkeras.checks import check_program
from lintkeras.checks.registry import checks
from lintkeras.documents import read
from lintkeras.screen import candidates
from lintkeras.syntax.parse import measure_depth, parse_snippet, parses
from lintkeras.syntax.program import Program
from lintkeras.syntax.stack import run_with_deep_stack


def main(package: str) -> None:
    """Time every stage over all files of an installed package."""
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise SystemExit(f"{package} is not installed")
    files = [(str(p), p.read_bytes()) for p in sorted(Path(spec.origin).parent.rglob("*.py"))]
    documents = [read(path, data, "python") for path, data in files]
    lines = sum(document.text.count("\n") for document in documents)
    print(f"{package}: {len(files)} files, {lines} lines")

    def timed(name: str, action: Callable[[], object]) -> None:
        start = time.perf_counter()
        action()
        seconds = time.perf_counter() - start
        print(f"{name:<24}{lines / seconds:>12,.0f} lines/s{seconds:>9.2f} s")

    parsed = [parse_snippet(document.snippets[0]) for document in documents]
    programs = [Program(d, (one,)) for d, one in zip(documents, parsed, strict=True)]
    timed("read", lambda: [read(path, data, "python") for path, data in files])
    timed("screen", lambda: [candidates(data, checks()) for _, data in files])
    timed("depth", lambda: [*map(measure_depth, (d.text for d in documents))])
    timed("depth and ast", lambda: [parses(d.snippets[0]) for d in documents])
    timed("libcst.parse_module", lambda: [libcst.parse_module(d.text) for d in documents])
    timed("parse", lambda: [parse_snippet(d.snippets[0]) for d in documents])
    timed("meaning and checks", lambda: [list(check_program(p, (), checks())) for p in programs])


if __name__ == "__main__":
    run_with_deep_stack(lambda: main(sys.argv[1] if len(sys.argv) > 1 else "keras"))
