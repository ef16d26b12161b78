from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.command import STEP


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with one finding (LK103, a warning, in src/train.py) and one clean file."""
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "train.py").write_text(STEP.format(comment=""))
    (tmp_path / "src" / "clean.py").write_text("import keras\n")
    (tmp_path / "pyproject.toml").write_text("[tool.lintkeras]\n")
    return tmp_path
