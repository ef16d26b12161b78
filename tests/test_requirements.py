"""The Keras that a project's requirements ask for."""

from __future__ import annotations

from pathlib import Path

import pytest

from lintkeras.requirements import target_of
from lintkeras.target import parse

CASES: dict[str, list[tuple[str, str | None]]] = {
    "requirements.txt": [
        ("keras==2.15.0\n", "2.15"),
        ("keras>=3.1,<4 ; python_version > '3.9'\n", ">=3.1,<4"),
        ("# keras==2.3\nnumpy\n", None),
        ("tensorflow==2.13.1\n", "2.13"),
        ("tensorflow>=2.16\n", ">=3"),
        ("tensorflow<2.16\n", "<3"),
        ("tensorflow>=2.10,<2.14\n", ">=2.10,<2.14"),
        ("tensorflow-cpu~=2.17.0\n", ">=3"),
        ("tensorflow==2.16.1\ntf_keras\n", "2"),
        ("Keras == 2.2.*\n", "2.2"),
        ("tensorflow\n", None),
        ("-e .\n-r other.txt\nkeras[extra] >= 3 # why\n", ">=3"),
        ("tensorflow-probability==0.20\n", None),
        ("\x00\x01", None),
    ],
    "pyproject.toml": [
        ('[project]\ndependencies = ["keras>=3.3"]\n', ">=3.3"),
        ('[project.optional-dependencies]\ntf = ["tensorflow>=2.18"]\n', ">=3"),
        ('[tool.poetry.dependencies]\npython = "^3.9"\nkeras = "^2.12"\n', ">=2.12,<3"),
        ('[tool.poetry.dependencies]\ntensorflow = { version = "2.11.0" }\n', "2.11"),
        ('[dependency-groups]\ndev = ["keras==3.8.*", {include-group = "x"}]\n', "3.8"),
        ('[tool.poetry.dependencies]\nkeras = [{ version = "2.9.0", python = "<3.9" }]\n', "2.9"),
        ('[tool.poetry.group.dev.dependencies]\nkeras = "*"\ntf-keras = "*"\n', "2"),
        ('[tool.poetry.dependencies]\nkeras = "~2.9"\n', ">=2.9,<2.10"),
        ('[tool.poetry.dev-dependencies]\nkeras = "2.6.0"\n', "2.6"),
        ('[tool.pdm.dev-dependencies]\ntest = ["keras==2.13.1"]\n', "2.13"),
        ('[tool.uv]\ndev-dependencies = ["keras>=3.2"]\n', ">=3.2"),
        (
            '[project]\ndependencies = ["tensorflow>=2.16"]\n'
            '[tool.pytest.ini_options]\nenv = ["TF_USE_LEGACY_KERAS=1"]\n',
            "2",
        ),
        ("[tool.pytest_env]\nTF_USE_LEGACY_KERAS = 1\n", "2"),
        ('[tool.hatch.envs.default.env-vars]\nTF_USE_LEGACY_KERAS = "0"\n', None),
        ("[project]\ndependencies = 3\n", None),
        ("no toml [", None),
    ],
    "setup.cfg": [
        ("[options]\ninstall_requires =\n    keras>=2.6\n    numpy\n", ">=2.6"),
        ("[options.extras_require]\ntf = tensorflow>=2.16\n", ">=3"),
        ("no ini", None),
    ],
    "setup.py": [
        (
            "from setuptools import setup\nsetup(install_requires=['keras>=2.2,<2.4'])\n",
            ">=2.2,<2.4",
        ),
        (
            "import setuptools as s\nREQ = ['numpy']\nTF = ('tensorflow==2.11.0',)\n"
            "s.setup(install_requires=REQ + ['six'], extras_require={'tf': TF})\n",
            "2.11",
        ),
        ("setup(install_requires=open('r.txt').read().split() + ['tf-keras'])\n", "2"),
        ("print(install_requires=['keras==2.1'])\n", None),
        ("A = A\nsetup(install_requires=A)\n", None),
        ("setup(install_requires=", None),
    ],
    "Pipfile": [
        ('[packages]\nkeras = "==2.8.0"\n', "2.8"),
        ('[dev-packages]\ntensorflow = ">=2.17"\n', ">=3"),
    ],
    "poetry.lock": [('[[package]]\nname = "keras"\nversion = "2.11.0"\n', "2.11")],
    "pdm.lock": [('[[package]]\nname = "tensorflow-cpu"\nversion = "2.16.1"\n', "3")],
    "pylock.toml": [('[[packages]]\nname = "keras"\nversion = "3.8.0"\n', "3.8")],
    ".env": [
        ("TF_USE_LEGACY_KERAS=1\n", "2"),
        ("export TF_USE_LEGACY_KERAS=true # for the old code\n", "2"),
        ("# TF_USE_LEGACY_KERAS=1\n", None),
        ("TF_USE_LEGACY_KERAS=0\n", None),
        ("NOT_TF_USE_LEGACY_KERAS=1\n", None),
    ],
    "Dockerfile": [
        ("FROM x\nENV TF_USE_LEGACY_KERAS=1\n", "2"),
        ('ENV A=1 TF_USE_LEGACY_KERAS="True"\n', "2"),
        ("ENV TF_USE_LEGACY_KERAS 1\n", "2"),
        ("RUN pip install tf-keras\n", None),
    ],
    "tox.ini": [("[testenv]\nsetenv =\n    TF_USE_LEGACY_KERAS = 1\n", "2")],
    "uv.lock": [
        ('[[package]]\nname = "keras"\nversion = "3.5.0"\n', "3.5"),
        ('[[package]]\nname = "tensorflow"\nversion = "2.12.0"\n', "2.12"),
        ("[[package]]\nname = 3\n", None),
    ],
    "Pipfile.lock": [('{"default": {"keras": {"version": "==2.4.3"}}}', "2.4"), ("[]", None)],
    "environment.yml": [
        ("dependencies:\n  - python=3.9\n  - conda-forge::keras=2.10\n", "2.10"),
        ("dependencies:\n  - pip:\n      - tensorflow>=2.16\n", ">=3"),
        ("dependencies:\n  - keras=2.3.1=0\n", "2.3"),
        ("variables:\n  TF_USE_LEGACY_KERAS: '1'\ndependencies:\n  - tensorflow>=2.16\n", "2"),
    ],
}


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [(name, text, expected) for name, cases in CASES.items() for text, expected in cases],
)
def test_files(tmp_path: Path, name: str, text: str, expected: str | None) -> None:
    (tmp_path / name).write_text(text)
    found = target_of(tmp_path)
    assert found == expected
    if found is not None:
        parse(found)


def test_a_lock_counts_over_bounds(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[project]\ndependencies = ["keras>=2"]\n')
    (tmp_path / "poetry.lock").write_text('[[package]]\nname = "keras"\nversion = "2.9.0"\n')
    assert target_of(tmp_path) == "2.9"


def test_keras_2_by_a_variable_does_not_change_a_pinned_keras(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("TF_USE_LEGACY_KERAS=1\n")
    (tmp_path / "requirements.txt").write_text("tensorflow==2.18.0\n")
    assert target_of(tmp_path) == "2"
    (tmp_path / "requirements.txt").write_text("keras>=3.1\ntensorflow==2.18.0\n")
    assert target_of(tmp_path) == ">=3.1"


def test_nothing_says_nothing(tmp_path: Path) -> None:
    assert target_of(tmp_path) is None
    assert target_of(tmp_path / "missing") is None


def test_a_setting_counts_over_requirements(tmp_path: Path) -> None:
    from lintkeras.project import Project

    (tmp_path / "inner" / "deep").mkdir(parents=True)
    (tmp_path / "pyproject.toml").write_text("[tool.lintkeras]\n")
    (tmp_path / "requirements.txt").write_text("keras==2.15.0\n")
    (tmp_path / "inner" / "requirements.txt").write_text("keras>=3\n")

    def target(folder: Path) -> str | None:
        settings = Project(lambda settings: settings, print).settings(folder)
        assert settings is not None
        return settings.target_keras

    assert target(tmp_path) == "2.15"
    assert target(tmp_path / "inner" / "deep") == ">=3"
    (tmp_path / "pyproject.toml").write_text('[tool.lintkeras]\ntarget-keras = "3.8"\n')
    assert target(tmp_path / "inner" / "deep") == "3.8"
    (tmp_path / "pyproject.toml").write_text("[tool.lintkeras]\n")
    (tmp_path / "requirements.txt").write_text("keras==1.2.2\n")
    assert target(tmp_path) is None
