"""lintkeras on its own documents: findings only where a page shows what is wrong."""

from __future__ import annotations

import re
import tomllib

import pytest

from lintkeras import engine
from lintkeras.cli import cli
from lintkeras.config import Settings, from_table
from lintkeras.engine import FileReport
from lintkeras.rulebook import Rule, load
from tests.cli.command import ROOT

CODES = load().select(["ALL"])


def lint(path: str, text: str) -> FileReport:
    return engine.lint(path, text.encode(), "markdown", CODES)


@pytest.mark.parametrize("name", ["README.md", "CHANGELOG.md", "rules/README.md"])
def test_nothing_is_found_in_the_documents(name: str) -> None:
    assert lint(name, (ROOT / name).read_text(encoding="utf-8")).findings == ()


@pytest.mark.parametrize("rule", load().rules, ids=lambda rule: rule.code)
def test_a_page_read_as_one_document(rule: Rule) -> None:
    """All its programs share their names: the good ones stay good, the fixed ones fixed.

    Those that are written for another Keras are not for this reading.
    """
    report = lint(str(rule.path), rule.page)
    for finding in report.findings:
        (example,) = (e for e in rule.examples() if e.at <= finding.span.start < e.at + len(e.text))
        if example.target is not None:
            continue
        assert example.role != "good", finding
        assert example.role != "fixed" or finding.rule != rule.code, finding


README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_settings_in_the_readme_are_valid() -> None:
    (text,) = re.findall(r"```toml\n(.*?)```", README, re.DOTALL)
    table = tomllib.loads(text)["tool"]["lintkeras"]
    assert from_table(table, "tool.lintkeras.", ROOT).ignore == ("LK103",)
    assert {key.replace("-", "_") for key in table} | {"root"} == set(Settings.__dataclass_fields__)


def test_the_options_in_the_readme_exist() -> None:
    known = {
        option
        for command in cli.commands.values()
        for parameter in command.params
        for option in parameter.opts
        if option.startswith("--")
    }
    assert known == set(re.findall(r"--[a-z][a-z-]+", README))


def test_the_hooks_in_the_readme_exist() -> None:
    hooks = (ROOT / ".pre-commit-hooks.yaml").read_text()
    ids = re.findall(r"- id: (\S+)", hooks)
    assert re.findall(r"- id: (\S+)", README) == ids


def test_no_figure_of_speed_is_quoted() -> None:
    for name in ("README.md", "CHANGELOG.md"):
        assert not re.search(
            r"\d\s*(lines/s|ms\b|seconds|lines a second)", (ROOT / name).read_text()
        )
