"""``--fix``, ``--unsafe-fixes``, ``--choose`` and ``--diff`` on files."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

from tests.cli.command import REUSE, REUSE_FIXED, STEP, check, run

UNSAFE = STEP.format(comment="")
UNSAFE_FIXED = UNSAFE.replace("    grads = [g * 2 for g in grads]\n", "")
LAYERS = """import tensorflow as tf
from tensorflow import keras

a = keras.layers.Dense(1)
b = keras.layers.Dense(2)
model = keras.Sequential([a, b])
optimizer = keras.optimizers.Adam()


def step(x):
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(model(x))
    grads = tape.gradient(loss, model.trainable_variables)
    # double the activation's derivative
    grads = [g * 2 for g in grads]
    optimizer.apply_gradients(zip(grads, model.trainable_variables))
"""
"""LK101 with four sketches: two forms for each of two layers."""


def test_safe_fixes_are_applied_and_unsafe_ones_wait(tmp_path: Path) -> None:
    (tmp_path / "safe.py").write_text(REUSE)
    (tmp_path / "unsafe.py").write_text(UNSAFE)
    done = check("--unsafe-fixes", ".", cwd=tmp_path)
    assert done.code == 1
    assert (tmp_path / "safe.py").read_text() == REUSE
    done = check("--fix", ".", cwd=tmp_path)
    assert (done.code, done.out.count("LK")) == (1, 1)
    assert done.err.startswith("Fixed 1 finding in 1 file.\nFound 1 warning in 1 file (1 py).")
    assert (tmp_path / "safe.py").read_text() == REUSE_FIXED
    assert (tmp_path / "unsafe.py").read_text() == UNSAFE
    done = check("--fix", "--unsafe-fixes", ".", cwd=tmp_path)
    assert (done.code, done.out, done.err) == (0, "", "Fixed 1 finding in 1 file.\n")
    assert (tmp_path / "unsafe.py").read_text() == UNSAFE_FIXED
    done = check("--fix", "--unsafe-fixes", ".", cwd=tmp_path)
    assert (done.code, done.err) == (0, "")


def test_exit_code_of_a_fixing_hook(tmp_path: Path) -> None:
    (tmp_path / "x.py").write_text(REUSE)
    assert check("--fix", "--exit-non-zero-on-fix", "x.py", cwd=tmp_path).code == 1
    assert check("--fix", "--exit-non-zero-on-fix", "x.py", cwd=tmp_path).code == 0


@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("end", ["", "\n"])
def test_bytes_around_a_fix_stay(tmp_path: Path, bom: bytes, newline: str, end: str) -> None:
    def written(text: str) -> bytes:
        return bom + (text.rstrip() + end).replace("\n", newline).encode()

    file = tmp_path / "x.py"
    file.write_bytes(written("# é 😀\t\n\f\n" + REUSE))
    assert check("--fix", "x.py", cwd=tmp_path).code == 0
    assert file.read_bytes() == written("# é 😀\t\n\f\n" + REUSE_FIXED)


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_inserted_lines_end_like_the_others(tmp_path: Path, newline: str) -> None:
    file = tmp_path / "x.py"
    file.write_bytes(LAYERS.replace("\n", newline).encode())
    assert check("--fix", "--choose", "LK101=custom-gradient@a", "x.py", cwd=tmp_path).code == 0
    new = file.read_bytes().decode()
    assert "@tf.custom_gradient" + newline in new
    assert not set("\r\n") & set(new.replace(newline, ""))


def test_the_encoding_of_the_coding_comment_stays(tmp_path: Path) -> None:
    file = tmp_path / "x.py"
    file.write_bytes(("# coding: latin-1\n# é\n" + REUSE).encode("latin-1"))
    assert check("--fix", "x.py", cwd=tmp_path).code == 0
    assert file.read_bytes() == ("# coding: latin-1\n# é\n" + REUSE_FIXED).encode("latin-1")


def test_only_the_fence_changes_in_a_page(tmp_path: Path) -> None:
    quoted = "".join(f"> {line}\n" for line in REUSE.splitlines())
    page = f"# Éxample *x*\r\n\r\n> ```python\n{quoted}> ```\n\ttext  \n"
    (tmp_path / "x.md").write_bytes(page.encode())
    assert check("--fix", "x.md", cwd=tmp_path).code == 0
    new = (tmp_path / "x.md").read_bytes().decode()
    assert new == page.replace("Tape()", "Tape(persistent=True)")


@pytest.mark.skipif(os.name == "nt", reason="POSIX modes")
def test_mode_and_links_stay(tmp_path: Path) -> None:
    real = tmp_path / "real.py"
    real.write_text(REUSE)
    real.chmod(0o754)
    (tmp_path / "link.py").symlink_to(real)
    assert check("--fix", "link.py", cwd=tmp_path).code == 0
    assert (tmp_path / "link.py").is_symlink()
    assert real.read_text() == REUSE_FIXED
    assert stat.S_IMODE(real.stat().st_mode) == 0o754
    assert {path.name for path in tmp_path.iterdir()} == {"real.py", "link.py"}


def test_a_file_that_cannot_be_written_leaves_the_others_fixed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from lintkeras.fixes import Consent
    from lintkeras.run import Options, Run

    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "x.py").write_text(REUSE)
    replace = os.replace

    def refuse(source: str, target: str) -> None:
        if "a" in Path(target).parts:
            raise PermissionError(13, "Permission denied")
        replace(source, target)

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(os, "replace", refuse)
    assert Run(Options(fix=True, consent=Consent(), output_format="concise")).go(["."]) == 2
    out, err = capsys.readouterr()
    assert "error: a/x.py: cannot be written: Permission denied" in err
    assert "Fixed 1 finding in 1 file." in err
    assert out.startswith("a/x.py:6:5: error")
    assert (tmp_path / "a/x.py").read_text() == REUSE
    assert (tmp_path / "b/x.py").read_text() == REUSE_FIXED
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["x.py"]


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write everywhere")
def test_an_unwritable_folder(tmp_path: Path) -> None:
    (tmp_path / "x.py").write_text(REUSE)
    tmp_path.chmod(0o555)
    try:
        assert check("--fix", "x.py", cwd=tmp_path).code == 2
    finally:
        tmp_path.chmod(0o755)
    assert (tmp_path / "x.py").read_text() == REUSE


@pytest.mark.parametrize(
    "choice", ["LK101=custom-gradient@b", "rescaled-gradient-as-derivative=custom-gradient@b"]
)
def test_a_choice_is_consent(tmp_path: Path, choice: str) -> None:
    (tmp_path / "x.py").write_text(LAYERS)
    assert check("--choose", choice, "x.py", cwd=tmp_path).code == 1
    assert (tmp_path / "x.py").read_text() == LAYERS
    done = check("--fix", "--choose", choice, "x.py", cwd=tmp_path)
    assert (done.code, done.err) == (0, "Fixed 1 finding in 1 file.\n")
    new = (tmp_path / "x.py").read_text()
    assert "a = keras.layers.Dense(1)\n" in new
    assert "b = keras.layers.Dense(2, activation=linear_gradient_times_2)\n" in new


def test_a_choice_is_for_its_rule_alone(tmp_path: Path) -> None:
    (tmp_path / "x.py").write_text(LAYERS)
    (tmp_path / "unsafe.py").write_text(UNSAFE)
    done = check("--fix", "--choose", "LK101=stop-gradient@a", ".", cwd=tmp_path)
    assert done.err.startswith("Fixed 1 finding in 1 file.")
    assert (tmp_path / "unsafe.py").read_text() == UNSAFE


@pytest.mark.parametrize(
    ("choice", "warning"),
    [
        ("LK101=custom-gradent@a", "no finding offers it; did you mean LK101=custom-gradient@a?"),
        ("LK101=x", "no finding offers it; there are LK101=custom-gradient@a, "),
        ("LK103=drop-factor", "no finding offers it: LK103 was not found"),
        (
            "LK101=custom-gradient",
            "means several: LK101=custom-gradient@a, LK101=custom-gradient@b",
        ),
    ],
)
def test_a_choice_that_means_nothing_is_told(tmp_path: Path, choice: str, warning: str) -> None:
    (tmp_path / "x.py").write_text(LAYERS)
    done = check("--fix", "--unsafe-fixes", "--choose", choice, "x.py", cwd=tmp_path)
    assert done.code == 1
    assert warning in done.err
    assert (tmp_path / "x.py").read_text() == LAYERS


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        ("LK101", "must be RULE=FIX_ID"), ("LK101=", "must be RULE=FIX_ID"),
        ("=x", "must be RULE=FIX_ID"), ("LK101=x@", "must be RULE=FIX_ID"),
        ("tape-reusd=x", "did you mean tape-reused?"),
    ],
)  # fmt: skip
def test_a_malformed_choice_is_a_usage_error(tmp_path: Path, choice: str, message: str) -> None:
    done = check("--choose", choice, ".", cwd=tmp_path)
    assert (done.code, done.out) == (2, "")
    assert message in done.err


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("end", ["", "\n"])
def test_a_diff_can_be_applied(tmp_path: Path, newline: str, end: str) -> None:
    git = shutil.which("git")
    if git is None:
        pytest.skip("needs git")
    text = REUSE.replace("  # kept", "").rstrip() if end else "x = 1\n" + REUSE.rstrip()
    text = (text + end).replace("\n", newline)
    (tmp_path / "x.py").write_bytes(text.encode())
    done = check("--diff", "x.py", cwd=tmp_path)
    assert (done.code, done.err) == (1, "Would fix 1 finding in 1 file.\n")
    assert (tmp_path / "x.py").read_bytes() == text.encode()
    subprocess.run([git, "apply", "-p0"], cwd=tmp_path, input=done.raw, check=True)
    new = text.replace("Tape()", "Tape(persistent=True)")
    assert (tmp_path / "x.py").read_bytes() == new.encode()
    done = check("--diff", "x.py", cwd=tmp_path)
    assert (done.code, done.out, done.err) == (0, "", "Nothing to fix.\n")


def test_a_diff_of_the_last_line_without_newline(tmp_path: Path) -> None:
    last = REUSE.partition("a = ")[0] + "a = [tape.gradient(y, x), tape.gradient(y, x)]"
    (tmp_path / "x.py").write_text(last + "\nz = 1")
    done = check("--diff", "x.py", cwd=tmp_path)
    assert done.out.endswith(" z = 1\n\\ No newline at end of file\n")


def test_a_diff_says_what_was_not_read(tmp_path: Path) -> None:
    (tmp_path / "x.py").write_text("import keras\nx = = 1\n")
    done = check("--diff", "x.py", cwd=tmp_path)
    assert (done.code, done.out) == (0, "")
    assert "warning: not checked: x.py:2:5: error: invalid syntax [LK001]" in done.err


def test_standard_input_is_fixed_to_standard_output(tmp_path: Path) -> None:
    for text in (REUSE, "x = 1\n", "import keras\nx = = 1", ""):
        done = check("--fix", "-", cwd=tmp_path, text=text.encode())
        assert done.raw.decode() == (REUSE_FIXED if text == REUSE else text)
        assert ("LK001" in done.err) is ("= =" in text)
    done = check("--fix", "-", "--stdin-filename", "x.py", cwd=tmp_path, text=UNSAFE.encode())
    assert (done.code, done.out) == (1, UNSAFE)
    assert done.err.startswith("x.py:11:13: warning: ")
    done = check("--diff", "-", cwd=tmp_path, text=REUSE.encode())
    assert (done.code, done.out.splitlines()[0]) == (1, "--- <stdin>")


def test_help_describes_every_option(tmp_path: Path) -> None:
    out = run("check", "--help", cwd=tmp_path).out
    for option in ("--fix", "--unsafe-fixes", "--choose", "--diff", "--exit-non-zero-on-fix"):
        assert f"{option} " in out
