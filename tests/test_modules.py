"""Imports from the project's own files are followed; nothing else is."""

from __future__ import annotations

from pathlib import Path

import pytest

from lintkeras import engine
from lintkeras.modules import ProjectModules
from lintkeras.rulebook import load

CODES = load().select(["ALL"])

STEP = """import tensorflow as tf
{imports}

dense = tf.keras.layers.Dense(1)
optimizer = tf.keras.optimizers.Adam()


def step(x):
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(dense(x))
    grads = tape.gradient(loss, dense.trainable_variables)
    grads = {edit}
    optimizer.apply_gradients(zip(grads, dense.trainable_variables))
"""

HELPER = """FACTOR = 3.0


def scale(gradients):
    return [FACTOR * g for g in gradients]


def clip(gradients):
    import tensorflow as tf

    return [tf.clip_by_norm(g, 1.0) for g in gradients]
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    package = tmp_path / "src" / "pkg"
    (package / "sub").mkdir(parents=True)
    (tmp_path / "pyproject.toml").write_text("")
    for folder in (package, package / "sub"):
        (folder / "__init__.py").write_text("")
    (package / "helpers.py").write_text(HELPER)
    (package / "sub" / "__init__.py").write_text("from ..helpers import scale as rescale\n")
    return package


def found(file: Path, imports: str, edit: str) -> list[tuple[str, int]]:
    source = STEP.format(imports=imports, edit=edit)
    file.write_text(source)
    report = engine.lint(str(file), source.encode(), "python", CODES)
    assert report.document is not None
    return [(f.rule, report.document.position(f.span.start)[0]) for f in report.findings]


@pytest.mark.parametrize(
    ("imports", "edit"),
    [
        ("from .helpers import scale", "scale(grads)"),
        ("from . import helpers", "helpers.scale(grads)"),
        ("from pkg.helpers import scale", "scale(grads)"),
        ("from pkg import helpers as h", "h.scale(grads)"),
        ("import pkg.helpers", "pkg.helpers.scale(grads)"),
        ("from .sub import rescale", "rescale(grads)"),
        ("from .helpers import *", "scale(grads)"),
        ("from .helpers import FACTOR", "[g * FACTOR for g in grads]"),
    ],
)
def test_helpers_of_the_project_are_followed(project: Path, imports: str, edit: str) -> None:
    rules = [rule for rule, _ in found(project / "train.py", imports, edit)]
    assert rules == ["LK103"]
    assert found(project / "train.py", imports.replace("scale", "clip"), "clip(grads)") == []


@pytest.mark.parametrize(
    ("imports", "edit"),
    [
        ("from .missing import scale", "scale(grads)"),
        ("from elsewhere import scale", "scale(grads)"),
        ("from .helpers import absent as scale", "scale(grads)"),
        ("from .helpers import clip", "clip(grads)"),
        ("from json import dumps as scale", "scale(grads)"),
    ],
)
def test_what_is_not_found_is_unknown(project: Path, imports: str, edit: str) -> None:
    assert found(project / "train.py", imports, edit) == []


def test_a_circle_of_imports_ends(project: Path) -> None:
    (project / "one.py").write_text("from .two import a as b\n")
    (project / "two.py").write_text("from .one import b as a\nfrom .train import step\n")
    assert found(project / "train.py", "from .one import b", "b(grads)") == []


def test_bad_files_are_passed_over(project: Path) -> None:
    (project / "helpers.py").write_bytes(b"\xff\xfe = = (")
    assert found(project / "train.py", "from .helpers import scale", "scale(grads)") == []


def test_a_step_in_another_file_is_reported_where_it_is_called(project: Path) -> None:
    (project / "base.py").write_text(
        "import tensorflow as tf\n\n\nclass Trainer:\n    def apply(self, grads, variables):\n"
        "        self.optimizer.apply_gradients(zip([g * 2 for g in grads], variables))\n"
    )
    source = (
        "import tensorflow as tf\nfrom .base import Trainer\n\n\nclass Mine(Trainer):\n"
        "    def __init__(self):\n        self.optimizer = tf.keras.optimizers.Adam()\n"
        "        self.dense = tf.keras.layers.Dense(1)\n\n"
        "    def step(self, x):\n        with tf.GradientTape() as tape:\n"
        "            loss = tf.reduce_sum(self.dense(x))\n"
        "        grads = tape.gradient(loss, self.dense.trainable_variables)\n"
        "        self.apply(grads, self.dense.trainable_variables)\n"
    )
    file = project / "mine.py"
    file.write_text(source)
    report = engine.lint(str(file), source.encode(), "python", CODES)
    (finding,) = report.findings
    assert (finding.rule, source[finding.span.start :][:10]) == ("LK103", "self.apply")
    assert finding.fixes == ()


def test_installed_packages_are_not_the_project(tmp_path: Path) -> None:
    site = tmp_path / "site-packages"
    for name in ("one", "two"):
        (site / name).mkdir(parents=True)
        (site / name / "__init__.py").write_text("")
    (site / "one" / "sub").mkdir()
    (site / "one" / "sub" / "__init__.py").write_text("")
    modules = ProjectModules()
    importer = str(site / "one" / "sub" / "a.py")
    (site / "one" / "sub" / "a.py").write_text("")
    assert modules.locate("one.sub.a", importer) == str(site / "one" / "sub" / "a.py")
    assert modules.locate("two", importer) is None


def test_the_package_of_a_file(tmp_path: Path) -> None:
    inner = tmp_path / "keras" / "src" / "tests" / "data"
    inner.mkdir(parents=True)
    (tmp_path / "setup.py").touch()
    for folder in (tmp_path / "keras", tmp_path / "keras" / "src"):
        (folder / "__init__.py").touch()
    modules = ProjectModules()
    assert modules.package(str(tmp_path / "keras" / "src" / "ops.py")) == "keras"
    assert modules.package(str(inner / "test_ops.py")) == "keras"
    assert modules.package(str(tmp_path / "train.py")) == ""
    assert modules.package(str(tmp_path / "keras" / "__init__.py")) == "keras"


def test_the_sources_of_keras_know_better(tmp_path: Path) -> None:
    """What is part of a package is not told where that has its names."""
    (tmp_path / "keras").mkdir()
    (tmp_path / "keras" / "__init__.py").touch()
    source = (
        b"from keras.src import ops\nfrom keras.layers.core import Dense\nimport keras.nothing\n"
    )
    codes = {"LK601", "LK609", "LK611"}

    def found(path: Path) -> set[str]:
        report = engine.lint(str(path), source, "python", codes)
        return {finding.rule for finding in report.findings}

    assert found(tmp_path / "keras" / "x.py") == set()
    assert found(tmp_path / "x.py") == codes
