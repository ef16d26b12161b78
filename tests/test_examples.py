"""What is found in examples/, and what the fixes make of it, run in TensorFlow."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.command import ROOT, check

FOUND = {
    "page.md": ("LK101", "    steeper = [g * 3 for g in weight_gradients]"),
    "sparse_autoencoder.py": (
        "LK101", "    gradients = [g * (1 - tf.tanh(z) ** 2) for g in gradients]"),
    "steeper_gradients.py": ("LK101", "    gradients = [3.0 * gradient for gradient in gradients]"),
    "three_classes.py": ("LK204", 'model.compile(optimizer="adam", loss=loss, metrics=["accuracy"])'),
}  # fmt: skip
"""The files with a finding: its rule and its line. The other files show what is right."""


def code(path: Path) -> str:
    """A program, or the fences of a page, which share their names."""
    text = path.read_text()
    return (
        text
        if path.suffix == ".py"
        else "\n".join(re.findall(r"```python\n(.*?)```", text, re.DOTALL))
    )


def run(path: Path) -> dict[str, Any]:
    names: dict[str, Any] = {"__name__": "example"}
    exec(compile(code(path), path.name, "exec"), names)
    return names


def test_what_is_found() -> None:
    done = check("examples", cwd=ROOT)
    found = {}
    for line in done.out.splitlines():
        path, number, *_ = line.split(":")
        text = (ROOT / path).read_text().splitlines()[int(number) - 1]
        found[Path(path).name] = (line[-6:-1], text)
    assert found == FOUND
    assert len(list((ROOT / "examples").iterdir())) > len(FOUND)


@pytest.fixture(scope="module")
def fixed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    copy = Path(shutil.copytree(ROOT / "examples", tmp_path_factory.mktemp("fixed") / "examples"))
    done = check("--fix", "--unsafe-fixes", "examples", cwd=copy.parent)
    assert (done.code, done.out, done.err) == (0, "", "Fixed 4 findings in 4 files.\n")
    return copy


def test_only_what_was_found_changes(fixed: Path) -> None:
    for path in (ROOT / "examples").iterdir():
        old, new = path.read_text().splitlines(), (fixed / path.name).read_text().splitlines()
        assert (old == new) is (path.name not in FOUND)
        if path.name in FOUND:
            gone = [line for line in old if line not in new]
            code, line = FOUND[path.name]
            assert line in gone or code != "LK101"
            assert 1 <= len(gone) <= 4


@pytest.mark.tensorflow
@pytest.mark.parametrize("name", sorted(path.name for path in (ROOT / "examples").iterdir()))
def test_the_fixed_examples_run(fixed: Path, name: str) -> None:
    import tensorflow as tf

    names = run(fixed / name)
    backward: Callable[[Any], Any]
    match name:
        case "page.md":
            losses = [names["train_step"](tf.ones((2, 4)), tf.zeros((2, 1))) for _ in range(3)]
            assert losses[2] < losses[0]
            layer, backward = names["head"], lambda z: tf.fill(z.shape, 3.0)
        case "sparse_autoencoder.py":
            names["train_step"](tf.random.normal((4, 4)))
            layer, backward = names["encoder"], lambda z: 1 - tf.tanh(z) ** 2
        case "steeper_gradients.py":
            names["train_step"]()
            layer, backward = names["readout"], lambda z: 3 * (1 - tf.tanh(z) ** 2)
        case _:
            return
    z = tf.constant([-1.5, -0.25, 0.5, 2.0])
    with tf.GradientTape() as tape:
        tape.watch(z)
        y = layer.activation(z)
    tf.debugging.assert_near(tape.gradient(y, z), backward(z))


@pytest.mark.tensorflow
@pytest.mark.parametrize("name", sorted(path.name for path in (ROOT / "examples").glob("*.py")))
def test_the_examples_run_as_they_are(name: str) -> None:
    import tensorflow as tf

    names = run(ROOT / "examples" / name)
    if name == "sparse_autoencoder.py":
        names["train_step"](tf.random.normal((4, 4)))
