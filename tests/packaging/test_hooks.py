"""The hooks, tried by pre-commit itself: it builds their environment from a copy of the project."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.command import REUSE, REUSE_FIXED, STEP
from tests.packaging.environments import ROOT, clean_environment, copy_of_the_repository

UNSAFE = STEP.format(comment="")
AUTHOR = ["-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]


def git(*arguments: str, cwd: Path) -> None:
    subprocess.run(["git", *AUTHOR, *arguments], cwd=cwd, check=True, capture_output=True)


def committed(folder: Path) -> Path:
    git("init", "--quiet", cwd=folder)
    git("add", "--all", "--force", cwd=folder)
    git("commit", "--quiet", "--message", "all", cwd=folder)
    return folder


def test_the_hooks_of_the_interface() -> None:
    text = (ROOT / ".pre-commit-hooks.yaml").read_text()
    assert re.findall(r"^- id: (.+)$", text, re.MULTILINE) == [
        "lintkeras", "lintkeras-fix", "lintkeras-docs",
    ]  # fmt: skip
    for line in ("language: python", "require_serial: true", 'minimum_pre_commit_version: "2.9.2"'):
        assert text.count(f"  {line}\n") == 3


@pytest.mark.network
def test_pre_commit_runs_the_hooks(tmp_path: Path) -> None:
    hooks = committed(copy_of_the_repository(tmp_path))
    user = tmp_path / "user"
    user.mkdir()
    (user / "train.py").write_text(UNSAFE)
    (user / "generated.py").write_text(UNSAFE)
    (user / "safe.py").write_text(REUSE)
    (user / "page.md").write_text(f"# Page\n\n```python\n{UNSAFE}```\n")
    (user / "other.txt").write_text(UNSAFE)
    (user / "pyproject.toml").write_text('[tool.lintkeras]\nexclude = ["generated.py"]\n')
    committed(user)

    def try_hook(name: str) -> tuple[int, str]:
        done = subprocess.run(
            [
                sys.executable, "-m", "pre_commit", "try-repo", hooks, name, "--all-files",
                "--verbose", "--color", "never",
            ],
            cwd=user, env=clean_environment(PRE_COMMIT_HOME=str(tmp_path / "home")),
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        return done.returncode, done.stdout + done.stderr

    code, out = try_hook("lintkeras")
    assert (code, "exit code: 1" in out) == (1, True), out
    assert re.findall(r"--> (\S+?):", out) == ["safe.py", "train.py"]
    code, out = try_hook("lintkeras-docs")
    assert (code, re.findall(r"--> (\S+?):", out)) == (1, ["page.md"]), out
    code, out = try_hook("lintkeras-fix")
    assert (code, "files were modified by this hook" in out) == (1, True), out
    assert (user / "safe.py").read_text() == REUSE_FIXED
    assert (user / "train.py").read_text() == UNSAFE
    (user / "train.py").unlink()
    git("add", "--all", cwd=user)
    assert try_hook("lintkeras-fix")[0] == 0
    code, out = try_hook("lintkeras")
    assert (code, "Passed" in out) == (0, True), out
