"""Wheel, sdist and editable install: each carries the pages and works outside the repository."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from lintkeras import __version__
from lintkeras.rulebook import load
from tests.cli.command import STEP
from tests.packaging.environments import (
    ROOT,
    Environment,
    clean_environment,
    copy_of_the_repository,
)

PAGES = {path.relative_to(ROOT).as_posix() for path in (ROOT / "rules").rglob("*.md")}


def build(source: Path, target: str, out: Path) -> Path:
    """The wheel or the sdist of a source tree."""
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", target, "-d", out],
        cwd=source, env=clean_environment(), check=True, capture_output=True,
    )  # fmt: skip
    (built,) = out.iterdir()
    return built


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_of_the_repository(tmp_path_factory.mktemp("source"))


@pytest.fixture(scope="module")
def wheel(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(source, "wheel", tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def sdist(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(source, "sdist", tmp_path_factory.mktemp("sdist"))


def test_what_a_wheel_carries(wheel: Path) -> None:
    assert wheel.name == f"lintkeras-{__version__}-py3-none-any.whl"
    with zipfile.ZipFile(wheel) as file:
        names = set(file.namelist())
        metadata = file.read(f"lintkeras-{__version__}.dist-info/METADATA").decode()
    assert {name.removeprefix("lintkeras/") for name in names if "/rules/" in name} == PAGES
    assert "lintkeras/py.typed" in names
    assert any(name.endswith("LICENSE") for name in names)
    modules = {path.relative_to(ROOT).as_posix() for path in (ROOT / "lintkeras").rglob("*.py")}
    assert {name for name in names if name.endswith(".py")} == modules
    assert "Requires-Dist: libcst" in metadata
    needed = [line for line in metadata.splitlines() if line.startswith("Requires-Dist")]
    assert not any("tensorflow" in line and "extra" not in line for line in needed)


def test_what_an_sdist_carries(sdist: Path, wheel: Path, tmp_path: Path) -> None:
    with tarfile.open(sdist) as file:
        names = {name.partition("/")[2] for name in file.getnames()}
        file.extractall(tmp_path, filter="data")
    assert names >= PAGES | {"README.md", "CHANGELOG.md", "LICENSE", "pyproject.toml"}
    assert {"examples/page.md", "benchmarks/stages.py", ".pre-commit-hooks.yaml"} <= names
    assert "tests/packaging/test_installs.py" in names
    (unpacked,) = tmp_path.iterdir()
    (tmp_path / "out").mkdir()
    again = build(unpacked, "wheel", tmp_path / "out")
    with zipfile.ZipFile(again) as one, zipfile.ZipFile(wheel) as two:
        assert sorted(one.namelist()) == sorted(two.namelist())


@pytest.mark.parametrize("kind", ["wheel", "sdist", "editable"])
def test_an_install_works_outside_the_repository(
    kind: str, source: Path, wheel: Path, sdist: Path, tmp_path: Path
) -> None:
    environment = Environment(tmp_path / "venv")
    what: dict[str, list[str | Path]] = {
        "wheel": [wheel], "sdist": [sdist], "editable": ["--editable", source],
    }  # fmt: skip
    environment.install(*what[kind])
    away = tmp_path / "away"
    away.mkdir()
    (away / "train.py").write_text(STEP.format(comment=""))
    where = environment.run("python", "-c", "import lintkeras; print(lintkeras.__file__)", cwd=away)
    assert Path(where.stdout.strip()).is_relative_to(source if kind == "editable" else tmp_path)
    for command in (["lintkeras"], ["python", "-m", "lintkeras"]):
        done = environment.run(*command, "--version", cwd=away)
        assert (done.returncode, done.stdout.split()[-1]) == (0, __version__), done.stderr
        done = environment.run(*command, "explain", "LK101", cwd=away)
        assert done.stdout.startswith("# LK101 rescaled-gradient-as-derivative\n"), done.stderr
        assert "## Why it is wrong" in done.stdout
        done = environment.run(*command, "rules", cwd=away)
        assert len(done.stdout.splitlines()) == len(load().rules)
        done = environment.run(*command, "check", cwd=away)
        assert done.returncode == 1
        assert done.stdout.startswith("warning[LK103]: ")
    done = environment.run("lintkeras", "check", "--fix", "--unsafe-fixes", ".", cwd=away)
    assert (done.returncode, "g * 2" in (away / "train.py").read_text()) == (0, False)
