"""What is printed, in each format, and where."""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path

import pytest

from lintkeras.reports import FORMATS
from tests.cli.command import REUSE, ROOT, STEP, check, run

FULL = """\
warning[LK103]: multiplying all gradients by 2 has no effect with Adam()
  --> src/train.py:11:13  ineffective-gradient-scale
   |
10 |     grads = tape.gradient(loss, dense.trainable_variables)
   |             ---------------------------------------------- back-propagation ends here
11 |     grads = [g * 2 for g in grads]
   |             ^^^^^^^^^^^^^^^^^^^^^^ this factor cancels
   |
   = effect: with Adam() a constant factor cancels: m -> 2 m, sqrt(v) -> 2 sqrt(v), only epsilon
             becomes epsilon/2
help: drop the factor 2 (unsafe: changes training or results)
   |
11 | -    grads = [g * 2 for g in grads]
   |

"""


def test_a_ci_job(project: Path) -> None:
    done = run("check", "src/", cwd=project, CI="true")
    assert (done.code, done.out) == (1, FULL)
    assert done.err == (
        "Found 1 warning in 1 file (1 py). 0 fixable with --fix, 1 with --unsafe-fixes.   "
        "lintkeras explain LK103\n"
    )
    done = run("check", "src/clean.py", cwd=project)
    assert (done.code, done.out, done.err) == (0, "", "Found nothing in 1 file (1 py).\n")


def test_what_fails_a_job(project: Path) -> None:
    for arguments, code in (
        (["--exit-zero"], 0),
        (["--fail-on", "error"], 0),
        (["--fail-on", "warning"], 1),
        (["--fail-on", "info"], 1),
        (["--fail-on", "never"], 0),
        (["--ignore", "LK1"], 0),
        (["--select", "tape-reused"], 0),
    ):
        assert check("src/", *arguments, cwd=project).code == code, arguments
    assert "LK103" in check("src/", "--exit-zero", cwd=project).out


def test_concise_output_reads_in_vim_and_vs_code(project: Path) -> None:
    (line,) = check("src", cwd=project).out.splitlines()
    vscode = re.match(r"^([^\s].*):(\d+):(\d+):\s+(warning|error|info):\s+(.*)$", line)
    assert vscode is not None
    assert vscode.groups()[:4] == ("src/train.py", "11", "13", "warning")
    vim = re.match(r"^(.+?):(\d+):(\d+):(.*)$", line)  # %f:%l:%c:%m of the default errorformat
    assert vim is not None
    assert vim.groups()[:3] == ("src/train.py", "11", "13")
    assert vim.group(4).endswith("[LK103]")


def test_json_names_places_and_edits(project: Path) -> None:
    (project / "src/train.py").write_text(
        STEP.format(comment="").replace("grads =", "'😀'; grads =")
    )
    done = run("check", "src", "--output-format", "json", cwd=project)
    envelope = json.loads(done.out)
    assert (done.err, envelope["version"], envelope["tool"]["name"]) == ("", 1, "lintkeras")
    (finding,) = envelope["findings"]
    place = {key: finding[key] for key in ("path", "line", "column", "end_line", "end_column")}
    assert place == {
        "path": "src/train.py", "line": 11, "column": 18, "end_line": 11, "end_column": 40,
    }  # fmt: skip
    assert finding["severity"] == "warning"
    assert finding["related"][0]["line"] == 10
    (fix,) = finding["fixes"]
    assert (fix["id"], fix["applicability"], fix["target"]) == ("drop-factor", "unsafe", None)
    (edit,) = fix["edits"]
    assert edit["text"] in ("", "grads", "g")
    again = run("check", "src", "--output-format", "json", cwd=project)
    assert again.raw == done.raw


@pytest.mark.parametrize(
    "paths", [["src/clean.py"], ["nowhere"], ["nowhere", "src/clean.py"], ["bad"]]
)
def test_json_is_valid_without_findings(project: Path, paths: list[str]) -> None:
    (project / "bad").mkdir()
    (project / "bad" / "lintkeras.toml").write_text("selekt = 1")
    (project / "bad" / "x.py").write_text("import keras")
    done = run("check", "--output-format", "json", *paths, cwd=project)
    assert json.loads(done.out)["findings"] == []
    assert done.code == (0 if paths == ["src/clean.py"] else 2)


def test_nothing_of_the_code_steers_the_terminal(tmp_path: Path) -> None:
    nasty = "  # \x1b[31mred\x07 \u202eevil\u2066 \x9b2J"
    name = "n\x1b[2Jx\n.py"
    (tmp_path / name).write_text(STEP.format(comment=nasty), encoding="utf-8")
    for form in FORMATS:
        done = run("check", ".", "--output-format", form, cwd=tmp_path)
        assert done.code == 1
        assert not re.search(
            r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", done.out + done.err
        )
    assert "\\x1b[31mred" in run("check", ".", cwd=tmp_path).out


def test_columns_of_wide_characters_and_tabs(tmp_path: Path) -> None:
    text = STEP.format(comment="").replace("    grads = [", "\t'学习😀é'; grads = [")
    (tmp_path / "x.py").write_text(text.replace("\n    ", "\n\t"), encoding="utf-8")
    lines = run("check", "x.py", cwd=tmp_path).out.splitlines()
    at = next(i for i, line in enumerate(lines) if line.startswith("11 |"))
    shown, marks = lines[at], lines[at + 1]
    before = shown[: shown.index("[g * 2")]
    width = len(before) + sum(c in "学习😀" for c in before)
    assert marks.index("^") == width
    assert check("x.py", cwd=tmp_path).out.startswith("x.py:11:18: ")


def test_a_very_long_line_is_cut_around_the_finding(tmp_path: Path) -> None:
    text = STEP.format(comment="").replace("    grads = [", f"    '{'a' * 5000}'; grads = [")
    (tmp_path / "x.py").write_text(text)
    out = run("check", "x.py", cwd=tmp_path).out
    code = out.partition("help:")[0].splitlines()
    assert max(map(len, code)) < 250
    at = next(i for i, line in enumerate(code) if line.startswith("11 |"))
    assert code[at][code[at + 1].index("^") :].startswith("[g * 2 for g in grads]")


def test_ascii_output_does_not_crash(project: Path) -> None:
    text = STEP.format(comment="  # 学習 😀")
    (project / "src/train.py").write_text(text, encoding="utf-8")
    for encoding in ("ascii", "cp1252"):
        assert run("check", "src", cwd=project, PYTHONIOENCODING=encoding).code == 1


def test_after_three_findings_of_a_rule_the_reasons_are_short(tmp_path: Path) -> None:
    for number in range(5):
        (tmp_path / f"{number}.py").write_text(STEP.format(comment=""))
    done = run("check", ".", cwd=tmp_path)
    assert done.out.count("a constant factor cancels") == 3
    assert done.out.count("see `lintkeras explain LK103`") == 2
    assert done.out.count("help: drop the factor") == 5


def test_the_summary_counts_by_severity_and_kind(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(REUSE)
    (tmp_path / "b.md").write_text(f"```python\n{STEP.format(comment='')}```\n")
    (tmp_path / "c.md").write_text(f"```python\n{STEP.format(comment='')}```\n")
    err = run("check", ".", cwd=tmp_path).err
    assert err.startswith("Found 1 error and 2 warnings in 3 files (2 md, 1 py). 1 fixable with")
    assert "1 fixable with --fix, 2 with --unsafe-fixes." in err
    err = run("check", ".", "--unsafe-fixes", cwd=tmp_path).err
    assert "3 fixable with --fix, 0 with --unsafe-fixes." in err


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
@pytest.mark.parametrize(
    ("environment", "colored"),
    [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)],
)
def test_colours_only_on_a_terminal(
    project: Path, environment: dict[str, str], colored: bool
) -> None:
    import pty
    import subprocess

    ours, theirs = pty.openpty()
    base = {k: v for k, v in os.environ.items() if k != "NO_COLOR"}
    with subprocess.Popen(
        [sys.executable, "-m", "lintkeras", "check", "src"],
        cwd=project, stdout=theirs, stderr=subprocess.DEVNULL,
        env={**base, "TERM": "xterm", "PYTHONPATH": str(ROOT), **environment},
    ):  # fmt: skip
        os.close(theirs)
        out = b""
        while b"help" not in out:
            out += os.read(ours, 65536)
    assert out.startswith(b"\x1b[1;33mwarning[LK103]\x1b[0m: " if colored else b"warning[LK103]: ")
    assert (b"\x1b" in out) is colored
    os.close(ours)


def test_the_readme_shows_what_is_printed() -> None:
    shown = re.search(r"```text\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert shown is not None
    done = run("check", "examples/page.md", cwd=ROOT)
    assert done.code == 1
    assert shown.group(1) == done.out + done.err
