"""``[tool.lintkeras]``, ``lintkeras.toml`` and the options that stand for them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from textwrap import indent

import pytest

from lintkeras.config import ConfigError, Docs, Settings, from_table, in_folder
from lintkeras.rulebook import load
from lintkeras.target import TargetError, parse
from tests.cli.command import REUSE, STEP, check

UNSAFE = STEP.format(comment="")


def codes(out: str) -> list[str]:
    return [line.rsplit("[", 1)[1].rstrip("]") for line in out.splitlines()]


@pytest.fixture
def both(tmp_path: Path) -> Path:
    """LK110 in a.py, LK103 in b.py."""
    (tmp_path / "a.py").write_text(REUSE)
    (tmp_path / "b.py").write_text(UNSAFE)
    return tmp_path


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        ([], ["LK110", "LK103"]),
        (["--select", "LK103"], ["LK103"]),
        (["--select", "lk103"], ["LK103"]),
        (["--select", "tape-reused"], ["LK110"]),
        (["--select", "LK11"], ["LK110"]),
        (["--select", "gradients"], ["LK110", "LK103"]),
        (["--select", "ALL"], ["LK110", "LK103"]),
        (["--select", "LK103,LK110"], ["LK110", "LK103"]),
        (["--select", "LK103", "--select", "tape-reused, LK104"], ["LK110", "LK103"]),
        (["--ignore", "LK103"], ["LK110"]),
        (["--ignore", "gradients"], []),
        (["--select", "LK1", "--ignore", "LK11"], ["LK103"]),
        (["--select", "tool"], []),
    ],
)
def test_selectors(both: Path, arguments: list[str], found: list[str]) -> None:
    assert codes(check(*arguments, ".", cwd=both).out) == found


def test_settings_and_options(both: Path) -> None:
    (both / "pyproject.toml").write_text(
        '[tool.lintkeras]\nselect = ["LK1"]\nignore = ["LK110"]\nfail-on = "error"\n'
    )
    done = check(".", cwd=both)
    assert (done.code, codes(done.out)) == (0, ["LK103"])
    assert codes(check(".", "--ignore", "LK103", cwd=both).out) == []
    assert codes(check(".", "--select", "LK110", cwd=both).out) == ["LK110"]
    assert check(".", "--fail-on", "warning", cwd=both).code == 1


def test_the_nearest_settings_win_file_by_file(both: Path) -> None:
    (both / "pyproject.toml").write_text('[tool.lintkeras]\nignore = ["LK103"]\n')
    inner = both / "inner" / "deeper"
    inner.mkdir(parents=True)
    for name in ("a.py", "b.py"):
        (inner / name).write_text((both / name).read_text())
    (both / "inner" / "lintkeras.toml").write_text('ignore = ["LK110"]\n')
    (both / "inner" / "pyproject.toml").write_text('[tool.lintkeras]\nignore = ["ALL"]\n')
    (inner / "pyproject.toml").write_text("[tool.other]\n")
    out = check(".", cwd=both).out
    assert [line.split(":")[0] for line in out.splitlines()] == ["a.py", "inner/deeper/b.py"]
    assert codes(check("b.py", cwd=inner).out) == ["LK103"]


def test_severities_count_by_each_file_s_own_settings(both: Path) -> None:
    (both / "strict").mkdir()
    (both / "strict" / "b.py").write_text(UNSAFE)
    (both / "a.py").unlink()
    (both / "pyproject.toml").write_text('[tool.lintkeras]\nfail-on = "error"\n')
    assert check(".", cwd=both).code == 0
    (both / "strict" / "lintkeras.toml").write_text('fail-on = "info"\n')
    assert check(".", cwd=both).code == 1


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("selekt = []", "tool.lintkeras.selekt: unknown setting; did you mean select?"),
        ("xyz = []", "tool.lintkeras.xyz: unknown setting"),
        ('select = "LK1"', "tool.lintkeras.select: must be a list of strings"),
        ("select = [1]", "tool.lintkeras.select: must be a list of strings"),
        ('select = ["LK1O3"]', "tool.lintkeras.select: unknown rule 'LK1O3'; did you mean LK1"),
        ('ignore = ["xyz"]', "unknown rule 'xyz'; `lintkeras rules` lists them"),
        ("exclude = 3", "tool.lintkeras.exclude: must be a list of strings"),
        ('extension = ["txt"]', "tool.lintkeras.extension: must be a table of strings"),
        ('extension.txt = "markdwn"', "txt: no kind 'markdwn'; did you mean markdown?"),
        ('fail-on = "eror"', "tool.lintkeras.fail-on: must be one of error, warning, info, never"),
        ("fail-on = 1", "tool.lintkeras.fail-on: must be one of"),
        ("target-keras = 3", "tool.lintkeras.target-keras: must be a string"),
        ('target-keras = "three"', "tool.lintkeras.target-keras: 'three' is no version such as"),
        ('kinds = ["doc"]', "tool.lintkeras.kinds: must be one of code, docstrings, notebooks, docs"),
        ('per-file-ignores = ["a"]', "tool.lintkeras.per-file-ignores: must be a table of lists"),
        ('per-file-ignores.a = ["xyz"]', "tool.lintkeras.per-file-ignores: unknown rule 'xyz'"),
        ("docs = 1", "tool.lintkeras.docs: must be a table"),
        ('docs.language = ["x"]', "docs.language: unknown setting; did you mean languages?"),
        ('docs.shared-namespace = "pages"', "docs.shared-namespace: must be one of page, block"),
        ("[tool", "Expected ']'"),
    ],
)  # fmt: skip
def test_settings_that_cannot_be_used(both: Path, table: str, message: str) -> None:
    bad = both / "sub"
    bad.mkdir()
    (bad / "c.py").write_text(UNSAFE)
    (bad / "pyproject.toml").write_text(f"[tool.lintkeras]\n{table}\n")
    done = check(".", cwd=both)
    assert done.code == 2
    assert f"{bad / 'pyproject.toml'}: " in done.err
    assert message in done.err
    assert done.err.count("pyproject.toml") == 1
    assert codes(done.out) == ["LK110", "LK103"]  # the other folders are still checked


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--select", "LK1O3"], "unknown rule 'LK1O3'; did you mean LK1"),
        (["--ignore", "tape-reusd"], "did you mean tape-reused?"),
        (["--extension", "txt"], "must be EXT:KIND"),
        (["--extension", "txt:org"], "txt: no kind 'org'; there are"),
        (["--fail-on", "eror"], "eror"),
        (["--output-format", "xml"], "'concise', 'full', 'json'"),
        (["--no-such-option"], "No such option"),
    ],
)
def test_options_that_cannot_be_used(both: Path, arguments: list[str], message: str) -> None:
    done = check(*arguments, ".", cwd=both)
    assert (done.code, done.out) == (2, "")
    assert message in done.err


def test_a_pyproject_that_is_not_about_us_may_be_broken(both: Path) -> None:
    (both / "pyproject.toml").write_text("[tool.other\n")
    assert check(".", cwd=both).code == 1
    (both / "pyproject.toml").write_bytes(b"\xff # lintkeras")
    assert check(".", cwd=both).code == 2


def test_extensions(both: Path) -> None:
    (both / "a.py").rename(both / "a.tpl")
    (both / "page.txt").write_text(f"```python\n{UNSAFE}```\n")
    assert codes(check(".", cwd=both).out) == ["LK103"]
    out = check("--extension", "txt:markdown,.TPL:python", ".", cwd=both).out
    assert [line.split(":")[0] for line in out.splitlines()] == ["a.tpl", "b.py", "page.txt"]
    (both / "lintkeras.toml").write_text('extension = {".txt" = "markdown"}\n')
    assert codes(check("page.txt", cwd=both).out) == ["LK103"]
    done = check("page.txt", "a.tpl", cwd=both)
    assert done.code == 2
    assert "error: a.tpl: no kind of file that lintkeras reads" in done.err


def test_a_rule_that_its_page_turns_off_must_be_selected(
    both: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from lintkeras import run

    book = load()
    rules = tuple(replace(rule, default=rule.code != "LK103") for rule in book.rules)
    monkeypatch.setattr(run, "load", lambda: replace(book, rules=rules))
    monkeypatch.chdir(both)
    for select, found in (((), ["LK110"]), (("ALL",), ["LK110", "LK103"]), (("LK10",), ["LK103"])):
        run.Run(run.Options(select=select, output_format="concise")).go(["."])
        assert codes(capsys.readouterr().out) == found


def test_kinds_of_text(both: Path) -> None:
    docstring = indent(f"```python\n{UNSAFE}```\n", "    ")
    (both / "c.py").write_text(f'{UNSAFE}\n\ndef f():\n    """F.\n\n{docstring}    """\n')
    (both / "page.md").write_text(f"```python\n{UNSAFE}```\n")
    found = {}
    for kind in ("code", "docstrings", "docs"):
        (both / "lintkeras.toml").write_text(f'select = ["LK103"]\nkinds = ["{kind}"]\n')
        out = check(".", cwd=both).out
        found[kind] = [":".join(line.split(":")[:2]) for line in out.splitlines()]
    lines = len(UNSAFE.splitlines())
    assert found["docs"] == ["page.md:" + found["docs"][0].split(":")[1]]
    assert [one.split(":")[0] for one in found["code"]] == ["b.py", "c.py"]
    assert [one.split(":")[0] for one in found["docstrings"]] == ["c.py"]
    assert int(found["code"][1].split(":")[1]) <= lines < int(found["docstrings"][0].split(":")[1])


def test_rules_that_are_left_out_of_some_files(both: Path) -> None:
    (both / "lintkeras.toml").write_text('per-file-ignores = {"b.*" = ["LK103"], "x" = ["LK1"]}\n')
    assert codes(check(".", cwd=both).out) == ["LK110"]


def test_how_pages_are_read(both: Path) -> None:
    first, second = REUSE.split("b = ")
    page = (
        f"```python\n{first}```\n\n```keras\nb = {second}```\n\n```python\nmodel = keras.(\n```\n"
    )
    (both / "page.md").write_text(page)

    def found(*docs: str) -> list[str]:
        table = "\n".join(("[docs]", *docs))
        (both / "lintkeras.toml").write_text(f'select = ["LK110", "LK801"]\n{table}\n')
        return codes(check("page.md", cwd=both).out)

    languages = 'languages = ["keras"]'
    assert found() == ["LK801"]
    assert found(languages) == ["LK110", "LK801"]
    assert found(languages, 'on-syntax-error = "ignore"') == ["LK110"]
    assert found(languages, 'shared-namespace = "block"') == ["LK801"]


def test_every_setting_of_a_folder(tmp_path: Path) -> None:
    (tmp_path / "lintkeras.toml").write_text(
        'select = ["LK1"]\nignore = ["LK110"]\nexclude = ["x"]\nextension = {txt = "markdown"}\n'
        'fail-on = "info"\ntarget-keras = ">=2.15,<4"\nkinds = ["code", "docs"]\n'
        'per-file-ignores = {"a/*.md" = ["LK103"]}\n[docs]\nlanguages = ["keras"]\n'
        'shared-namespace = "block"\non-syntax-error = "ignore"\n'
    )
    assert in_folder(tmp_path) == Settings(
        ("LK1",), ("LK110",), ("x",), {"txt": "markdown"}, "info", ">=2.15,<4", ("code", "docs"),
        {"a/*.md": ("LK103",)}, Docs(("keras",), "block", "ignore"), tmp_path,
    )  # fmt: skip
    assert in_folder(tmp_path / "nowhere") is None
    with pytest.raises(ConfigError, match="must be a table"):
        from_table(3, "tool.lintkeras.", tmp_path)


@pytest.mark.parametrize(
    ("text", "allowed", "refused"),
    [
        ("2", [(2, 4), (2, 15)], [(3, 0)]),
        ("3", [(3, 0), (3, 15, 1)], [(2, 15)]),
        ("2.15", [(2, 15), (2, 15, 3)], [(2, 1), (2, 16)]),
        ("==3.10.0", [(3, 10, 0)], [(3, 10, 1)]),
        (">=3.1", [(3, 1), (3, 1, 1), (3, 15)], [(3, 0), (2, 15)]),
        (">3.1", [(3, 2)], [(3, 1), (3, 1, 1)]),
        ("<=3.1", [(2, 4), (3, 1, 9)], [(3, 2)]),
        (">= 2.4 , < 3", [(2, 4), (2, 15)], [(3, 0)]),
        ("<4", [(2, 4), (3, 99)], []),
    ],
)
def test_targets(text: str, allowed: list[tuple[int, ...]], refused: list[tuple[int, ...]]) -> None:
    target = parse(text)
    assert all(target.allows(version) for version in allowed)
    assert not any(target.allows(version) for version in refused)


@pytest.mark.parametrize(
    "text", ["", "three", "3.x", "33", "1", ">=4", ">=3,<2", "~=3.1", "3,", "3.1.2.3", "-3"]
)
def test_no_targets(text: str) -> None:
    with pytest.raises(TargetError):
        parse(text)


def test_the_target_reaches_the_checks(
    both: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import lintkeras.checks
    from lintkeras.run import Options, Run

    targets: list[object] = []

    def spy(
        program: object,
        facts: object,
        prose: object,
        codes: object,
        target: object,
        package: object,
    ) -> list[object]:
        targets.append(target)
        return []

    monkeypatch.setattr(lintkeras.checks, "check_program", spy)
    monkeypatch.chdir(both)
    Run(Options()).go(["a.py"])
    (both / "lintkeras.toml").write_text('target-keras = "2.15"\n')
    Run(Options()).go(["a.py"])
    assert targets == [None, "2.15"]
