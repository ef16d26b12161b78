"""Lines per second of each stage on an installed package, and of ``libcst.parse_module`` alone.

Usage: ``python benchmarks/stages.py [PACKAGE]`` (default: keras). Every stage is given all files;
the last line is what ``lintkeras check`` does with them, where most files stop at the screen.
"""

from __future__ import annotations

import importlib.util
import sys
import time
from collections.abc import Callable
from pathlib import Path

import libcst

from lintkeras.checks import check_program, understand
from lintkeras.documents import read
from lintkeras.engine import lint
from lintkeras.rulebook import load
from lintkeras.screen import candidates
from lintkeras.syntax.parse import ParseFailure, measure_depth, parse_snippet, parses
from lintkeras.syntax.program import Program
from lintkeras.syntax.stack import run_with_deep_stack


def main(package: str) -> None:
    """Time every stage over all files of an installed package."""
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise SystemExit(f"{package} is not installed")
    codes = load().select(["ALL"])
    files: list[tuple[str, bytes]] = []
    programs: list[Program] = []
    for path in sorted(Path(spec.origin).parent.rglob("*.py")):
        document = read(str(path), path.read_bytes(), "python")
        try:
            programs.append(Program(document, (parse_snippet(document.snippets[0]),)))
        except ParseFailure as failure:
            print(f"left out: {path}: {failure}")
        else:
            files.append((document.path, path.read_bytes()))
    sources = [program.document.snippets[0] for program in programs]
    lines = sum(source.source.count("\n") for source in sources)
    print(f"{package}: {len(files)} files, {lines} lines")

    def timed(name: str, action: Callable[[], object]) -> None:
        start = time.perf_counter()
        action()
        seconds = time.perf_counter() - start
        print(f"{name:<22}{lines / seconds:>12,.0f} lines/s{seconds:>9.2f} s")

    timed("read", lambda: [read(path, data, "python") for path, data in files])
    timed("screen", lambda: [candidates(data, codes) for _, data in files])
    timed("depth", lambda: [*map(measure_depth, (source.source for source in sources))])
    timed("depth and ast", lambda: [parses(source) for source in sources])
    timed("libcst.parse_module", lambda: [libcst.parse_module(s.source) for s in sources])
    timed("depth and libcst", lambda: [parse_snippet(source) for source in sources])
    timed(
        "meaning and checks",
        lambda: [list(check_program(p, understand(p), (), codes)) for p in programs],
    )
    timed("lint", lambda: [lint(path, data, "python", codes) for path, data in files])


if __name__ == "__main__":
    run_with_deep_stack(lambda: main(sys.argv[1] if len(sys.argv) > 1 else "keras"))
