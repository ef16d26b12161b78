"""The command line as its users meet it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
STEP = """import tensorflow as tf

dense = tf.keras.layers.Dense(1)
optimizer = tf.keras.optimizers.Adam()


def step(x):
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(dense(x))
    grads = tape.gradient(loss, dense.trainable_variables)
    grads = [g * 2 for g in grads]{comment}
    optimizer.apply_gradients(zip(grads, dense.trainable_variables))
"""
REUSE = """import tensorflow as tf
x = tf.Variable(1.0)
with tf.GradientTape() as tape:
    y = x * x
a = tape.gradient(y, x)
b = tape.gradient(y, x)  # kept
"""


def run(
    *arguments: str, cwd: Path, text: bytes = b"", **environment: str
) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "lintkeras", *arguments],
        cwd=cwd, input=text, capture_output=True, check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
    )  # fmt: skip


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "train.py").write_text(STEP.format(comment=""))
    (tmp_path / "src" / "clean.py").write_text("import keras\n")
    (tmp_path / "pyproject.toml").write_text("[tool.lintkeras]\n")
    return tmp_path


def test_a_ci_job(project: Path) -> None:
    done = run("check", "src/", cwd=project, CI="true")
    assert done.returncode == 1
    assert done.stdout.startswith(b"warning[LK103]: multiplying all gradients by 2")
    assert b"\x1b" not in done.stdout
    assert run("check", "src/", "--exit-zero", cwd=project).returncode == 0
    assert run("check", "src/", "--fail-on", "error", cwd=project).returncode == 0
    assert run("check", "src/", "--ignore", "LK1", cwd=project).returncode == 0
    assert run("check", "src/", "--select", "tape-reused", cwd=project).returncode == 0


def test_concise_output_reads_in_vim_and_vs_code(project: Path) -> None:
    done = run("check", "src", "--output-format", "concise", cwd=project)
    (line,) = done.stdout.decode().splitlines()
    vscode = re.match(r"^([^\s].*):(\d+):(\d+):\s+(warning|error|info):\s+(.*)$", line)
    assert vscode is not None
    assert vscode.groups()[:4] == ("src/train.py", "11", "13", "warning")
    vim = re.match(r"^(.+?):(\d+):(\d+):(.*)$", line)  # %f:%l:%c:%m of the default errorformat
    assert vim is not None
    assert vim.groups()[:3] == ("src/train.py", "11", "13")


def test_json_is_valid_with_and_without_findings(project: Path) -> None:
    done = run("check", "src", "--output-format", "json", cwd=project)
    (finding,) = json.loads(done.stdout)["findings"]
    assert (finding["line"], finding["column"], finding["end_column"]) == (11, 13, 35)
    done = run("check", "src/clean.py", "--output-format", "json", cwd=project)
    assert json.loads(done.stdout)["findings"] == []


@pytest.mark.parametrize("comment", ["ignore[LK103] why", "ignore[ineffective-gradient-scale]"])
def test_suppressions(project: Path, comment: str) -> None:
    (project / "src/train.py").write_text(STEP.format(comment=f"  # lintkeras: {comment}"))
    assert run("check", "src", cwd=project).returncode == 0
    (project / "src/train.py").write_text(STEP.format(comment='\n    "# lintkeras: ignore[LK103]"'))
    assert run("check", "src", cwd=project).returncode == 1


def test_fixes(tmp_path: Path) -> None:
    file = tmp_path / "x.py"
    file.write_text(REUSE.replace("\n", "\r\n"), newline="")
    done = run("check", "x.py", "--diff", cwd=tmp_path)
    assert b"+with tf.GradientTape(persistent=True) as tape:" in done.stdout
    assert b"persistent" not in file.read_bytes()
    done = run("check", "x.py", "--fix", "--exit-non-zero-on-fix", cwd=tmp_path)
    assert done.returncode == 1
    new = file.read_bytes()
    assert new == REUSE.replace("Tape()", "Tape(persistent=True)").replace("\n", "\r\n").encode()
    assert run("check", "x.py", "--fix", cwd=tmp_path).returncode == 0
    assert file.read_bytes() == new
    done = run("check", "-", "--fix", "--stdin-filename", "x.py", cwd=tmp_path, text=REUSE.encode())
    assert done.stdout.decode() == REUSE.replace("Tape()", "Tape(persistent=True)")


def test_bad_input(project: Path) -> None:
    done = run("check", "nowhere", "src", cwd=project)
    assert done.returncode == 2
    assert b"nowhere" in done.stderr
    assert b"LK103" in done.stdout
    (project / "empty").mkdir()
    done = run("check", "empty", cwd=project)
    assert (done.returncode, done.stdout) == (0, b"")
    assert b"no files" in done.stderr
    (project / "bad.py").write_bytes(b"import keras\nx = = 1\n")
    done = run("check", "bad.py", "--output-format", "concise", cwd=project)
    assert done.stdout.startswith(b"bad.py:2:5: error: ")
    (project / "bad.py").write_bytes(b"import keras\n\xff\n")
    assert b"LK001" in run("check", "bad.py", cwd=project).stdout
    (project / "page.md").write_text(
        "```python\nimport keras\nx = = 1\n```\n\n```py\nimport keras\n"
    )
    assert run("check", "page.md", cwd=project).returncode == 0
    assert run("check", "--select", "LK999", cwd=project).returncode == 2
    assert run("check", "--no-such-option", cwd=project).returncode == 2
    (project / "pyproject.toml").write_text("[tool.lintkeras]\nselekt = []\n")
    done = run("check", "src", cwd=project)
    assert done.returncode == 2
    assert b"did you mean select?" in done.stderr


def test_ascii_output_does_not_crash(project: Path) -> None:
    text = STEP.format(comment="  # 学習 😀")
    (project / "src/train.py").write_text(text, encoding="utf-8")
    assert run("check", "src", cwd=project, PYTHONIOENCODING="ascii").returncode == 1


def test_excludes_hold_for_named_files(project: Path) -> None:
    (project / "pyproject.toml").write_text('[tool.lintkeras]\nexclude = ["src/train.py"]\n')
    assert run("check", "src/train.py", cwd=project).returncode == 0


def test_a_run_without_keras_imports_nothing_heavy(tmp_path: Path) -> None:
    (tmp_path / "x.py").write_text("x = 1\n")
    code = (
        "import sys\nsys.argv = ['lintkeras', 'check', 'x.py']\n"
        "from lintkeras.cli import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "print(sorted({'libcst', 'rich', 'markdown_it', 'tensorflow', 'keras'} & {*sys.modules}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.stdout.strip() == b"[]", done.stderr


def test_the_readme_shows_what_is_printed() -> None:
    shown = re.search(r"```text\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert shown is not None
    done = run("check", "examples/page.md", cwd=ROOT)
    assert done.returncode == 1
    assert shown.group(1) == (done.stdout + done.stderr).decode()
    done = run("check", "examples", "--output-format", "concise", cwd=ROOT)
    assert re.findall(r"\[(LK\d+)\]$", done.stdout.decode(), re.MULTILINE) == ["LK101", "LK101"]


def test_explain(tmp_path: Path) -> None:
    for rule in ("LK101", "rescaled-gradient-as-derivative", "x.py:1:2: error: m [LK101]"):
        assert b"delta_l" in run("explain", rule, cwd=tmp_path).stdout
    assert run("explain", "LK999", cwd=tmp_path).returncode == 2
