"""Copies of the repository and environments of their own, made without the network."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).parents[2]
_LEFT_OUT = shutil.ignore_patterns(
    ".git", ".venv", "dist", "build", "__pycache__", "*.egg-info", ".*_cache", ".hypothesis"
)


def copy_of_the_repository(folder: Path) -> Path:
    """The project's own files, outside the repository."""
    return Path(shutil.copytree(ROOT, folder / "lintkeras", ignore=_LEFT_OUT))


def clean_environment(**more: str) -> dict[str, str]:
    """The environment without what would let a process find this repository."""
    kept = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "VIRTUAL_ENV")}
    return {**kept, **more}


class Environment:
    """A virtual environment that sees the dependencies of this one, but not its lintkeras."""

    def __init__(self, folder: Path) -> None:
        venv.create(folder, with_pip=False, symlinks=os.name != "nt")
        self.scripts = folder / ("Scripts" if os.name == "nt" else "bin")
        self.python = self.scripts / "python"
        (site,) = folder.glob("[Ll]ib/**/site-packages")
        packages = [path for path in sys.path if path.endswith("site-packages")]
        (site / "dependencies.pth").write_text("\n".join(packages))

    def install(self, *what: str | os.PathLike[str]) -> None:
        """``pip install`` without the package index."""
        subprocess.run(
            [
                sys.executable, "-m", "pip", "--python", self.python, "install", "--quiet",
                "--no-index", "--no-deps", "--no-build-isolation", *what,
            ],
            check=True, env=clean_environment(),
        )  # fmt: skip

    def run(self, *command: str | os.PathLike[str], cwd: Path) -> subprocess.CompletedProcess[str]:
        """Run a script of the environment in a folder."""
        first, *others = command
        return subprocess.run(
            [self.scripts / first, *others],
            cwd=cwd, env=clean_environment(), capture_output=True, text=True, check=False,
        )  # fmt: skip
