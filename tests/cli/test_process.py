"""The command as a process: exit codes, streams that fail, interrupts, start-up."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.cli.command import ROOT, STEP, check, run

ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT)}
COMMAND = [sys.executable, "-m", "lintkeras"]
posix = pytest.mark.skipif(os.name == "nt", reason="POSIX signals and files")


def imported(code: str, cwd: Path) -> set[str]:
    """The heavy modules that a program has imported at its end."""
    heavy = {
        "libcst", "rich", "markdown_it", "click", "tomllib", "difflib", "json", "tensorflow",
        "keras", "numpy", "tempfile",
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", f"import sys\n{code}\nprint(*sorted({heavy!r} & set(sys.modules)))"],
        cwd=cwd, capture_output=True, check=True, env=ENVIRONMENT, text=True,
    )  # fmt: skip
    return set(done.stdout.splitlines()[-1].split())


def command(*arguments: str) -> str:
    return (
        f"sys.argv = {['lintkeras', *arguments]!r}\n"
        "from lintkeras.cli import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass"
    )


def test_start_up_imports_nothing_heavy(tmp_path: Path) -> None:
    (tmp_path / "x.py").write_text("x = 1\n")
    (tmp_path / "page.md").write_text("# x\n")
    light = {"click", "tomllib"}
    assert imported(command("--version"), tmp_path) <= light
    assert imported(command("--help"), tmp_path) <= light
    assert imported(command("check", "--help"), tmp_path) <= light
    assert imported(command("check", "."), tmp_path) <= light
    (tmp_path / "x.py").write_text("import keras\n")
    assert "libcst" not in imported(command("check", "."), tmp_path)
    (tmp_path / "x.py").write_text(STEP.format(comment=""))
    assert "markdown_it" not in imported(command("check", "."), tmp_path)
    (tmp_path / "page.md").write_text("keras\n")
    found = imported(command("check", "."), tmp_path)
    assert found >= {"libcst", "markdown_it"}
    assert not found & {"rich", "tensorflow", "keras", "numpy"}


def test_the_library_needs_no_click(tmp_path: Path) -> None:
    assert "click" not in imported(
        "import lintkeras.run, lintkeras.engine, lintkeras.fixes", tmp_path
    )


def test_a_crash_is_no_finding(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from lintkeras import cli, run

    def crash(self: object, paths: object) -> int:
        raise ZeroDivisionError("oh")

    monkeypatch.setattr(run.Run, "go", crash)
    monkeypatch.setattr(sys, "argv", ["lintkeras", "check", str(project)])
    with pytest.raises(SystemExit) as exit_:
        cli.main()
    assert exit_.value.code == 2
    assert capsys.readouterr() == ("", "error: internal error: ZeroDivisionError: oh\n")


@pytest.mark.parametrize("where", ["check_program", "documents.read"])
def test_a_fault_in_one_file_is_lk002_and_exit_2(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], where: str
) -> None:
    import lintkeras.checks
    from lintkeras import engine
    from lintkeras.run import Options, Run

    def crash(*_: object) -> None:
        raise ZeroDivisionError("oh")

    if where == "check_program":
        monkeypatch.setattr(lintkeras.checks, where, crash)
    else:
        monkeypatch.setattr(engine, "read", crash)
    monkeypatch.chdir(project)
    (project / "src" / "train.py").write_text(STEP.format(comment="  # lintkeras: ignore[LK002]"))
    for options in (Options(output_format="concise"), Options(("LK103",), output_format="concise")):
        assert Run(options).go(["src/train.py"]) == 2
        out, _ = capsys.readouterr()
        assert out.startswith("src/train.py:1:1: error: the analysis failed: ZeroDivisionError: oh")
    assert Run(Options(ignore=("LK002",), output_format="concise")).go(["src/train.py"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "warning: not checked: src/train.py:1:1: error: the analysis failed" in err


def test_a_file_that_was_not_read_is_told_whatever_is_selected(project: Path) -> None:
    (project / "bad.py").write_text("import keras\nx = = 1  # lintkeras: ignore[LK001]\n")
    done = check("--select", "LK103", "bad.py", cwd=project)
    assert (done.code, done.out) == (1, "bad.py:2:5: error: invalid syntax [LK001]\n")
    done = check("--ignore", "LK001", "bad.py", cwd=project)
    assert (done.code, done.out) == (0, "")
    assert done.err == "warning: not checked: bad.py:2:5: error: invalid syntax [LK001]\n"


@posix
@pytest.mark.parametrize("form", ["full", "concise", "json"])
def test_a_broken_pipe_is_silent(project: Path, form: str) -> None:
    for number in range(30):
        (project / f"{number}.py").write_text(STEP.format(comment=""))
    with subprocess.Popen(
        [*COMMAND, "check", ".", "--output-format", form],
        cwd=project, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as process:  # fmt: skip
        assert process.stdout is not None and process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait() == 2


@posix
def test_output_that_cannot_be_written(project: Path) -> None:
    for arguments in (["check", "src"], ["explain", "LK101"], ["rules"]):
        with open("/dev/full", "w") as full:
            done = subprocess.run(
                [*COMMAND, *arguments], cwd=project, env=ENVIRONMENT, check=False,
                stdout=full, stderr=subprocess.PIPE, text=True,
            )  # fmt: skip
        assert (done.returncode, done.stderr) == (2, "error: No space left on device\n")


@posix
@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", ">&- 2>&-"])
def test_closed_streams(project: Path, closed: str) -> None:
    line = f'"{sys.executable}" -m lintkeras check src {closed}'
    done = subprocess.run(["sh", "-c", line], cwd=project, env=ENVIRONMENT, check=False)
    assert done.returncode == 1


@posix
def test_an_interrupt(tmp_path: Path) -> None:
    for number in range(300):
        (tmp_path / f"{number:03}.py").write_text(STEP.format(comment=""))
    # A shell starts what runs in the background with this signal ignored.
    code = (
        "import signal, sys\nsignal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "from lintkeras.cli import main\nmain()"
    )
    arguments = ["check", "--fix", "--unsafe-fixes", "."]
    with subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        cwd=tmp_path, env=ENVIRONMENT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
    ) as process:  # fmt: skip
        while process.poll() is None and "g * 2" in (tmp_path / "000.py").read_text():
            time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=120)
    assert process.returncode == 130
    assert b"Traceback" not in err
    assert "g * 2" in (tmp_path / "299.py").read_text()
    assert {path.suffix for path in tmp_path.iterdir()} == {".py"}


def test_explain(tmp_path: Path) -> None:
    for rule in ("LK101", "lk101", "rescaled-gradient-as-derivative", "x.py:1:2: error: m [LK101]"):
        done = run("explain", rule, cwd=tmp_path)
        assert (done.code, done.err) == (0, "")
        assert done.out.startswith("# LK101 rescaled-gradient-as-derivative\n")
    done = run("explain", "tape-reusd", cwd=tmp_path)
    assert (done.code, done.out) == (2, "")
    assert "unknown rule 'tape-reusd'; did you mean tape-reused?" in done.err


def test_rules_and_version(tmp_path: Path) -> None:
    from lintkeras import __version__
    from lintkeras.rulebook import load

    lines = run("rules", cwd=tmp_path).out.splitlines()
    assert [line.split()[:2] for line in lines] == [[r.code, r.name] for r in load().rules]
    assert run("--version", cwd=tmp_path).out.split()[-1] == __version__
    assert run(cwd=tmp_path).code == 2
    assert "Did you mean 'check'?" in run("chek", cwd=tmp_path).err
