"""What is found in published packages, against the verdicts of those who read each finding.

    python tests/corpus/unpack.py FOLDER
    LINTKERAS_CORPUS=FOLDER pytest -q tests/corpus

``verdicts.tsv`` has a line for each finding, judged in its source. A ``true`` one must be found, a
``false`` one must not (it once was, and the analysis was mended), an ``unsure`` one may, and so may
a ``missed`` one: true, and no longer found since the analysis asks for more. What is found beyond
them has to be read and judged first.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import pytest

from lintkeras import engine, screen
from lintkeras.modules import ProjectModules
from lintkeras.rulebook import load
from tests.corpus.unpack import pinned

CORPUS = os.environ.get("LINTKERAS_CORPUS")
VERDICTS = Path(__file__).with_name("verdicts.tsv")
COLUMNS = ["package", "version", "file", "line", "code", "verdict", "reason"]
CODES = load().select(["ALL"])
EVERYWHERE = load().select(["LK1", "LK2", "LK3", "LK803", "LK805"]) & load().defaults()
CURRENT = frozenset({"keras", "keras-hub", "keras-tuner", "tf-models-official"})
"""Packages of today, where every rule is judged; in the others those of ``EVERYWHERE``.

What an old package uses of Keras 1 and 2 is found in hundreds of places.
"""
SLOWEST = 10.0
"""Seconds of processor time that no file may take."""


class Place(NamedTuple):
    """Where a rule finds something in a package."""

    file: str
    line: int
    code: str


@dataclass(frozen=True)
class Verdict:
    """What a reader says of a finding."""

    package: str
    version: str
    place: Place
    verdict: str
    reason: str


def verdicts() -> list[Verdict]:
    header, *rows = (line.split("\t") for line in VERDICTS.read_text().splitlines())
    assert header == COLUMNS
    return [
        Verdict(package, version, Place(file, int(line), code), verdict, reason)
        for package, version, file, line, code, verdict, reason in rows
    ]


def test_the_verdicts_are_in_order() -> None:
    found = verdicts()
    assert found == sorted(found, key=lambda v: (v.package, v.place))
    assert len({(v.package, v.place) for v in found}) == len(found)
    versions = dict(pinned())
    for verdict in found:
        assert versions[verdict.package] == verdict.version
        assert verdict.verdict in ("true", "false", "unsure", "missed")
        assert verdict.place.code in CODES
        assert verdict.reason.strip()


def files(folder: Path) -> Iterator[tuple[Path, bytes]]:
    for path in sorted(folder.rglob("*.py")):
        yield path, path.read_bytes()


@pytest.mark.corpus
@pytest.mark.skipif(CORPUS is None, reason="LINTKERAS_CORPUS names no folder")
@pytest.mark.parametrize(("name", "version"), pinned())
def test_package(name: str, version: str, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = Path(str(CORPUS), f"{name}-{version}")
    assert folder.is_dir(), "python tests/corpus/unpack.py"
    with_screen = screen.candidates
    monkeypatch.setattr(screen, "candidates", lambda _, codes: frozenset(codes))
    codes = load().defaults() if name in CURRENT else EVERYWHERE
    modules = ProjectModules()
    found: set[Place] = set()
    for path, data in files(folder):
        start = time.process_time()
        report = engine.lint(str(path), data, "python", codes, modules=modules)
        assert time.process_time() - start < SLOWEST, path
        file = path.relative_to(folder).as_posix()
        for finding in report.findings:
            assert report.document is not None
            line, _ = report.document.position(finding.span.start)
            found.add(Place(file, line, finding.rule))
        rules = {finding.rule for finding in report.findings} - engine.ALWAYS
        assert not rules or rules <= with_screen(data, codes), f"the screen passes over {path}"
    judged = {v.place: v.verdict for v in verdicts() if v.package == name}
    expected = {place for place, verdict in judged.items() if verdict == "true"}
    assert found - judged.keys() == set(), "to be read and judged"
    assert {place for place in found if judged[place] == "false"} == set(), "mended, and back"
    assert expected - found == set(), "no longer found"
