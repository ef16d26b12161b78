"""Which Keras a project is written for, read from its requirements.

Lock files say it exactly, requirement lists with bounds. ``tensorflow`` brings its own Keras: up
to 2.15 the release of the same number, from 2.16 on Keras 3, unless ``tf-keras`` is required too or
the project sets TF_USE_LEGACY_KERAS where it keeps its variables.
"""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lintkeras.target import TargetError, parse

_LOCKS = ("uv.lock", "poetry.lock", "pdm.lock", "pylock.toml", "Pipfile.lock")
_TENSORFLOWS = frozenset({
    "tensorflow", "tensorflow-cpu", "tensorflow-gpu", "tensorflow-macos", "tensorflow-intel",
    "tf-nightly",
})  # fmt: skip
_REQUIREMENT = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)\s*(?:\[[^\]]*\])?\s*\(?([^;#)]*)")
_CONDITION = re.compile(r"(==|~=|>=|<=|!=|>|<|=|\^|~|)\s*v?(\d+(?:\.\d+)*)(\.\*)?")
_BUILD = re.compile(r"^([\w.-]+=[\w.*]+)=[\w.]+$")
"""Conda's ``name=version=build``."""
_KERAS_3 = (2, 16)
"""The first TensorFlow that brings Keras 3."""
_LEGACY = re.compile(r"""\bTF_USE_LEGACY_KERAS\b["']?\s*[=: ]\s*["']?(?:1|[Tt]rue)\b""")
_VARIABLES = (".env", "Dockerfile", "pyproject.toml", "tox.ini", "setup.cfg", "pytest.ini",
              "environment*.yml", "environment*.yaml", ".env.*")  # fmt: skip
"""Where projects keep the variables of their environment."""


@dataclass(frozen=True)
class Requirement:
    """A required package with its bounds, as text of the grammar of ``target-keras``."""

    name: str
    conditions: tuple[tuple[str, tuple[int, ...]], ...]


def target_of(folder: Path) -> str | None:
    """The releases of Keras that the project in a folder allows; None where nothing says it.

    Never raises: a file that cannot be read says nothing.
    """
    for source in (_locked, _required):
        found: dict[str, Requirement] = {}
        for requirement in source(folder):
            found.setdefault(requirement.name, requirement)
        target = _target(found, lambda: _sets_legacy_keras(folder))
        if target is not None:
            try:
                parse(target)
            except TargetError:
                continue  # a release before Keras 2, or bounds that allow none
            return target
    return "2" if _sets_legacy_keras(folder) else None


def _sets_legacy_keras(folder: Path) -> bool:
    """Whether the project asks TensorFlow for Keras 2, in a line that is no comment."""
    return any(
        _LEGACY.search(line.partition("#")[0])
        for pattern in _VARIABLES
        for path in folder.glob(pattern)
        if path.is_file()
        for line in (_read(path) or "").splitlines()
        if "TF_USE_LEGACY_KERAS" in line
    )


def _target(found: dict[str, Requirement], legacy: Callable[[], bool]) -> str | None:
    keras = found.get("keras")
    if keras is not None and keras.conditions:
        return _text(keras.conditions)
    if "tf-keras" in found or (found.keys() & _TENSORFLOWS and legacy()):
        return "2"
    for name in sorted(_TENSORFLOWS):
        if name in found:
            return _text(_keras_of(found[name].conditions))
    return None


def _keras_of(
    conditions: tuple[tuple[str, tuple[int, ...]], ...],
) -> tuple[tuple[str, tuple[int, ...]], ...]:
    """The bounds on TensorFlow as bounds on the Keras that it brings."""
    result: list[tuple[str, tuple[int, ...]]] = []
    for sign, version in conditions:
        line = version[:2]
        if line < _KERAS_3:
            result.append((sign, line))
        elif sign == "<" and line == _KERAS_3 and not any(version[2:]):
            result.append(("<", (3,)))
        elif sign in ("", ">=", ">"):
            result.append(("" if sign == "" else ">=", (3,)))
    return tuple(result)


def _text(conditions: tuple[tuple[str, tuple[int, ...]], ...]) -> str | None:
    texts = [sign + ".".join(map(str, version[:3])) for sign, version in conditions]
    return ",".join(texts) or None


def requirement(text: str) -> Requirement | None:
    """Read ``keras>=3.1,<4; python_version > "3.9"``; None for anything else."""
    match = _REQUIREMENT.match(text)
    if match is None or text.lstrip().startswith(("-", "#")):
        return None
    name = re.sub(r"[-_.]+", "-", match.group(1)).lower()
    return Requirement(name, tuple(_conditions(match.group(2))))


def _conditions(text: str) -> Iterator[tuple[str, tuple[int, ...]]]:
    for part in text.split(","):
        match = _CONDITION.fullmatch(part.strip())
        if match is None:
            continue
        sign, number, star = match.groups()
        version = tuple(map(int, number.split(".")))
        if sign in ("==", "=", "") or star:
            yield "", version[:2] if sign != "" or len(version) > 2 else version
        elif sign == "~=":
            yield ">=", version
            yield "<", (version[0] + 1,) if len(version) < 3 else (version[0], version[1] + 1)
        elif sign == "^":
            yield ">=", version
            yield "<", (version[0] + 1,)
        elif sign == "~":
            yield ">=", version
            yield "<", (version[0] + 1,) if len(version) < 2 else (version[0], version[1] + 1)
        elif sign != "!=":
            yield sign, version


# ---------------------------------------------------------------------- the files


def _locked(folder: Path) -> Iterator[Requirement]:
    for name in _LOCKS:
        text = _read(folder / name)
        if text is None:
            continue
        import json

        try:
            data = json.loads(text) if name.startswith("Pipfile") else tomllib.loads(text)
        except (ValueError, RecursionError):
            continue
        if name.startswith("Pipfile"):
            packages = data.get("default") if isinstance(data, dict) else None
            for package, entry in packages.items() if isinstance(packages, dict) else ():
                if isinstance(entry, dict):
                    yield from _from(f"{package}{entry.get('version', '')}")
            continue
        for entry in _list(data.get("package", data.get("packages"))):
            if isinstance(entry, dict):
                yield from _from(f"{entry.get('name', '')}=={entry.get('version', '')}")


def _required(folder: Path) -> Iterator[Requirement]:
    yield from _pyproject(folder / "pyproject.toml")
    yield from _setup_cfg(folder / "setup.cfg")
    yield from _setup_py(folder / "setup.py")
    yield from _pipfile(folder / "Pipfile")
    for path in sorted((*folder.glob("requirements*.txt"), *folder.glob("requirements/*.txt"))):
        for line in (_read(path) or "").splitlines():
            yield from _from(line)
    for path in sorted((*folder.glob("environment*.yml"), *folder.glob("environment*.yaml"))):
        for line in (_read(path) or "").splitlines():
            bare = line.strip()
            if bare.startswith("- "):
                package = bare[2:].partition(" #")[0].strip().strip("\"'").rpartition("::")[2]
                yield from _from(_BUILD.sub(r"\1", package))


def _pyproject(path: Path) -> Iterator[Requirement]:
    text = _read(path)
    try:
        data = tomllib.loads(text) if text is not None else {}
    except (ValueError, RecursionError):
        return
    project, tool = _table(data.get("project")), _table(data.get("tool"))
    for line in _list(project.get("dependencies")):
        yield from _from(line)
    for extra in _table(project.get("optional-dependencies")).values():
        for line in _list(extra):
            yield from _from(line)
    for group in _table(data.get("dependency-groups")).values():
        for line in _list(group):
            yield from _from(line)
    poetry = _table(tool.get("poetry"))
    groups = [_table(group).get("dependencies") for group in _table(poetry.get("group")).values()]
    for table in (poetry.get("dependencies"), poetry.get("dev-dependencies"), *groups):
        yield from _bounds(table)
    for lines in _table(_table(tool.get("pdm")).get("dev-dependencies")).values():
        for line in _list(lines):
            yield from _from(line)
    for line in _list(_table(tool.get("uv")).get("dev-dependencies")):
        yield from _from(line)


def _bounds(table: object) -> Iterator[Requirement]:
    """``keras = "^2.12"``, ``keras = { version = "2.11.0" }``, or several of these in a list."""
    for name, bound in _table(table).items():
        first = bound[0] if isinstance(bound, list) and bound else bound
        version = first.get("version", "") if isinstance(first, dict) else first
        if isinstance(version, str):
            bare = version if version[:1] in "<>=~^!" else f"=={version}"
            yield from _from(name if version in ("", "*") else f"{name}{bare}")


def _pipfile(path: Path) -> Iterator[Requirement]:
    try:
        data = tomllib.loads(_read(path) or "")
    except (ValueError, RecursionError):
        return
    yield from _bounds(data.get("packages"))
    yield from _bounds(data.get("dev-packages"))


def _setup_py(path: Path) -> Iterator[Requirement]:
    """What ``setup(install_requires=[...], extras_require={...})`` writes out; nothing is run."""
    try:
        module = ast.parse(_read(path) or "")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    named = {
        target.id: statement.value
        for statement in module.body
        if isinstance(statement, ast.Assign)
        for target in statement.targets
        if isinstance(target, ast.Name)
    }
    for node in ast.walk(module):
        if not isinstance(node, ast.Call) or not _is_setup(node.func):
            continue
        for keyword in node.keywords:
            if keyword.arg in ("install_requires", "extras_require"):
                for line in _texts(keyword.value, named):
                    yield from _from(line)


def _is_setup(node: ast.expr) -> bool:
    name = node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")
    return name == "setup"


def _texts(node: ast.expr, named: dict[str, ast.expr], depth: int = 0) -> Iterator[str]:
    """The texts of a literal list or dictionary, and of the names in it that hold one."""
    match node:
        case ast.Constant(value=str() as text):
            yield text
        case ast.Name(id=name) if name in named and depth < 8:
            yield from _texts(named[name], named, depth + 1)
        case ast.List(elts=items) | ast.Tuple(elts=items) | ast.Set(elts=items):
            for item in items:
                yield from _texts(item, named, depth)
        case ast.Dict(values=items):
            for item in items:
                yield from _texts(item, named, depth)
        case ast.BinOp(left=left, right=right) if isinstance(node.op, ast.Add):
            yield from _texts(left, named, depth)
            yield from _texts(right, named, depth)


def _setup_cfg(path: Path) -> Iterator[Requirement]:
    import configparser

    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read_string(_read(path) or "")
    except configparser.Error:
        return
    for section, key in (("options", "install_requires"),):
        for line in parser.get(section, key, fallback="").splitlines():
            yield from _from(line)
    if parser.has_section("options.extras_require"):
        for _, text in parser.items("options.extras_require"):
            for line in text.splitlines():
                yield from _from(line)


def _from(line: object) -> Iterator[Requirement]:
    found = requirement(line) if isinstance(line, str) else None
    if found is not None:
        yield found


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None


def _table(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
