"""Which files a run reads: paths, folders, excludes, links, standard input."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from lintkeras.project import Project
from tests.cli.command import STEP, check, run

UNSAFE = STEP.format(comment="")


def paths(out: str) -> list[str]:
    return [line.split(":")[0] for line in out.splitlines()]


def make(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(UNSAFE)


def test_a_missing_path_does_not_stop_the_others(project: Path) -> None:
    done = check("nowhere", "src", "", cwd=project)
    assert (done.code, paths(done.out)) == (2, ["src/train.py"])
    assert "error: nowhere: no such file or directory\n" in done.err
    assert "error: : no such file or directory\n" in done.err


def test_a_folder_without_files(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "data.csv").write_text("keras")
    for folder in ("empty", "other"):
        done = run("check", folder, cwd=tmp_path)
        assert (done.code, done.out) == (0, "")
        assert done.err.startswith(f"warning: no files to check in {folder}\n")


def test_every_file_once_in_a_stable_order(tmp_path: Path) -> None:
    make(tmp_path, "b.py", "a/z.py", "a/b.pyi", "c.txt", "B.PY")
    done = check("b.py", "./b.py", ".", "a", str(tmp_path / "b.py"), cwd=tmp_path)
    assert paths(done.out) == ["b.py", "B.PY", "a/b.pyi", "a/z.py"]


def found(*named: str) -> list[str]:
    """The files that paths stand for, in this process."""
    project = Project(lambda settings: settings, pytest.fail)
    return [source.path.as_posix() for path in named for source in project.sources(path)]


@pytest.mark.parametrize(
    ("patterns", "kept"),
    [
        (["src/a.py"], ["d_pb2.py", "docs/c.py", "src/deep/gen/e.py", "src/gen/b.py"]),
        (["gen"], ["d_pb2.py", "docs/c.py", "src/a.py"]),
        (["src/gen/", "docs/**"], ["d_pb2.py", "src/a.py", "src/deep/gen/e.py"]),
        (["*_pb2.py", "**/gen/*"], ["docs/c.py", "src/a.py"]),
        (["./src"], ["d_pb2.py", "docs/c.py"]),
        ([], ["d_pb2.py", "docs/c.py", "src/a.py", "src/deep/gen/e.py", "src/gen/b.py"]),
    ],
)
def test_excludes_hold_for_named_files_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, patterns: list[str], kept: list[str]
) -> None:
    names = ["d_pb2.py", "docs/c.py", "src/a.py", "src/deep/gen/e.py", "src/gen/b.py"]
    make(tmp_path, *names)
    (tmp_path / "lintkeras.toml").write_text(f"exclude = {patterns}".replace("'", '"'))
    monkeypatch.chdir(tmp_path)
    assert found(*names) == kept
    assert sorted(found(".")) == kept
    assert found(*(str(tmp_path / name) for name in names)) == [
        (tmp_path / name).as_posix() for name in kept
    ]
    monkeypatch.chdir(tmp_path / "src")
    assert sorted(f"src/{path}" for path in found(".")) == [p for p in kept if p[:3] == "src"]


def test_an_excluded_file_is_not_checked(project: Path) -> None:
    (project / "pyproject.toml").write_text('[tool.lintkeras]\nexclude = ["src/train.py"]\n')
    for path in ("src/train.py", "src", "."):
        assert check(path, cwd=project).code == 0


def test_folders_of_tools_are_passed_over_unless_named(tmp_path: Path) -> None:
    make(tmp_path, "a.py", ".venv/lib/b.py", "env/lib/c.py", "build/d.py", "node_modules/e.py")
    (tmp_path / "env" / "pyvenv.cfg").write_text("")
    assert paths(check(".", cwd=tmp_path).out) == ["a.py"]
    assert paths(check("build", "env/lib/c.py", cwd=tmp_path).out) == ["build/d.py", "env/lib/c.py"]


@pytest.mark.skipif(os.name == "nt", reason="links and pipes")
def test_links_and_special_files(tmp_path: Path) -> None:
    make(tmp_path, "real/a.py")
    (tmp_path / "real" / "loop").symlink_to(tmp_path / "real")
    (tmp_path / "real" / "self.py").symlink_to(tmp_path / "real" / "self.py")
    (tmp_path / "real" / "dangling.py").symlink_to(tmp_path / "nowhere.py")
    (tmp_path / "real" / "same.py").symlink_to(tmp_path / "real" / "a.py")
    os.mkfifo(tmp_path / "real" / "pipe.py")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    done = check("real", "link", cwd=tmp_path)
    assert (done.code, paths(done.out), done.err.count("\n")) == (1, ["real/a.py"], 1)
    done = check("real/self.py", "real/dangling.py", "real/pipe.py", cwd=tmp_path)
    assert (done.code, done.err.count("error: ")) == (2, 3)


def test_unreadable_files_do_not_stop_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from lintkeras.run import Options, Run

    make(tmp_path, "a.py", "b.py")
    read = Path.read_bytes

    def refuse(self: Path) -> bytes:
        if self.name == "a.py":
            raise PermissionError(13, "Permission denied")
        return read(self)

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(Path, "read_bytes", refuse)
    assert Run(Options(output_format="concise")).go(["."]) == 2
    out, err = capsys.readouterr()
    assert paths(out) == ["b.py"]
    assert "error: a.py: Permission denied\n" in err


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may read everything")
def test_an_unreadable_folder(tmp_path: Path) -> None:
    make(tmp_path, "a/x.py", "b/x.py")
    (tmp_path / "a").chmod(0)
    try:
        done = check(".", cwd=tmp_path)
    finally:
        (tmp_path / "a").chmod(0o755)
    assert (done.code, paths(done.out)) == (2, ["b/x.py"])


def test_standard_input(project: Path) -> None:
    text = UNSAFE.encode()
    done = check("-", cwd=project, text=text)
    assert (done.code, paths(done.out)) == (1, ["<stdin>"])
    done = check("-", "--stdin-filename", "src/new.py", cwd=project, text=text)
    assert (done.code, paths(done.out)) == (1, ["src/new.py"])
    page = f"# x\n\n```python\n{UNSAFE}```\n".encode()
    done = check("-", "--stdin-filename", "page.md", cwd=project, text=page)
    assert done.out.startswith("page.md:14:13: ")
    done = check("-", "--stdin-filename", "page.txt", cwd=project, text=page)
    assert (done.code, done.out) == (2, "")
    done = check(
        "-", "--stdin-filename", "p.txt", "--extension", "txt:markdown", cwd=project, text=page
    )
    assert paths(done.out) == ["p.txt"]
    done = check("-", "src", "-", cwd=project, text=text)
    assert paths(done.out) == ["<stdin>", "src/train.py"]


def test_standard_input_has_the_settings_of_its_name(project: Path) -> None:
    text = UNSAFE.encode()
    (project / "src" / "lintkeras.toml").write_text('ignore = ["LK103"]\nexclude = ["gen"]\n')
    assert check("-", cwd=project, text=text).code == 1
    assert check("-", "--stdin-filename", "src/x.py", cwd=project, text=text).code == 0
    (project / "src" / "lintkeras.toml").write_text('exclude = ["gen"]\n')
    assert check("-", "--stdin-filename", "src/x.py", cwd=project, text=text).code == 1
    done = check("-", "--stdin-filename", "src/gen/x.py", "--fix", cwd=project, text=text)
    assert (done.code, done.raw) == (0, text)
