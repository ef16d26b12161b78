"""What docstrings document, in each style, and what classes take."""

from __future__ import annotations

import ast
import importlib
import importlib.util
import inspect
import json
import logging
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lintkeras import engine
from lintkeras.documents.docstrings import docstrings
from lintkeras.documents.sections import documented
from lintkeras.fixes import Consent, fix
from lintkeras.rulebook import load

GOOGLE = """Title.

Args:
    a, b: Two.
    c (int): One. Defaults to `3`.
        nested: no entry.
    *args: More.
    d: Text (default: "x").
    e: Defaults to `2` if c is given.

Call arguments:
    inputs: A tensor.

Returns:
    x: no argument.
"""
NUMPY = """Title.

Parameters
----------
a : int
    One. Defaults to 3.
b
    Two.

Returns
-------
c : int
"""
SPHINX = """Title.

:param a: One. Default: 3
:param int b: Two.
:returns: c
"""


def test_styles() -> None:
    def found(text: str) -> list[tuple[str, str, str | None]]:
        entries = list(documented(text))
        assert all(text.startswith(one.name, one.start) for one in entries)
        for one in entries:
            if one.default is not None:
                assert text.startswith(one.default.text, one.default.start)
        return [(e.name, e.role, e.default.text if e.default else None) for e in entries]

    assert found(GOOGLE) == [
        ("a", "arguments", None),
        ("b", "arguments", None),
        ("c", "arguments", "3"),
        ("d", "arguments", '"x"'),
        ("e", "arguments", None),
        ("inputs", "call", None),
    ]
    assert found(NUMPY) == [("a", "arguments", "3"), ("b", "arguments", None)]
    assert found(SPHINX) == [("a", "arguments", "3"), ("b", "arguments", None)]
    assert found("Args:\n") == []
    assert found("Args:\n    just a text\n") == []


CLASS = '''
import keras
from elsewhere import Unknown

class Base(keras.layers.Layer):
    def __init__(self, rate, **kwargs):
        self.old = kwargs.pop("old", None)
        super().__init__(**kwargs)

class Own({base}):
    """Text.

    Args:
        {name}: Text.
    """
    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
'''


@pytest.mark.parametrize(
    ("base", "name", "found"),
    [
        ("Base", "rate", False),
        ("Base", "old", False),
        ("Base", "trainable", False),
        ("Base", "gone", True),
        ("keras.layers.Dense", "kernel_initializer", False),
        ("keras.layers.Dense", "gone", True),
        ("Unknown", "gone", False),
        ("keras.Model", "gone", False),
        ("keras.layers.Layer, Unknown", "gone", False),
    ],
)
def test_bases(base: str, name: str, found: bool) -> None:
    text = CLASS.format(base=base, name=name)
    report = engine.lint("x.py", text.encode(), "python", {"LK803"})
    assert [one.rule for one in report.findings] == ["LK803"] * found


def test_a_constructor_under_a_condition_is_not_known() -> None:
    text = CLASS.format(base="keras.layers.Layer", name="gone")
    text = text.rpartition("    def __init__")[0] + (
        "    if keras.__version__ > '3':\n        def __init__(self, gone):\n            pass\n"
    )
    assert engine.lint("x.py", text.encode(), "python", {"LK803"}).findings == ()


WRONG = '''import keras


class Scale(keras.layers.Layer):
    """Multiplies its inputs. 🎈

    Args:
        {name}: é {{}}. Defaults to `{said}`.
    """

    def __init__(self, factor="mean", **kwargs):
        super().__init__(**kwargs)
'''


def lint(path: str, text: str, kind: str, codes: set[str] | None = None) -> engine.FileReport:
    return engine.lint(path, text.encode(), kind, codes or {"LK803", "LK804", "LK805"})


def fixed(path: str, text: str, kind: str) -> str:
    consent = Consent(unsafe=False)
    return fix(text.encode(), consent, lambda new: lint(path, new.decode(), kind)).data.decode()


def shown(report: engine.FileReport) -> list[str]:
    assert report.document is not None
    text = report.document.text
    return [text[one.span.start : one.span.end] for one in report.findings]


def in_notebook(code: str) -> str:
    lines = code.splitlines(keepends=True)
    cells: list[dict[str, object]] = [
        {"cell_type": "code", "execution_count": None, "metadata": {}, "outputs": [], "source": s}
        for s in (lines[:1], lines[1:])
    ]
    page = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(page, indent=1, ensure_ascii=False)


def in_page(code: str) -> str:
    first, _, other = code.partition("\n")
    item = "".join("  " + line for line in other.strip("\n").splitlines(keepends=True))
    return f"```python\n{first}\n```\n\n- A layer:\n\n  ```python\n{item}\n  ```\n"


def in_rst(code: str) -> str:
    body = "".join("    " + line for line in code.splitlines(keepends=True))
    return f"Text.\n\n.. code-block:: python\n\n{body}"


@pytest.mark.parametrize(
    ("path", "kind", "page"),
    [
        ("x.py", "python", str),
        ("x.py", "python", lambda code: code.replace("\n", "\r\n")),
        ("x.py", "python", lambda code: code.replace('"""M', 'r"""M')),
        ("x.ipynb", "notebook", in_notebook),
        ("x.md", "markdown", in_page),
        ("x.rst", "rst", in_rst),
    ],
)
def test_every_document(path: str, kind: str, page: Callable[[str], str]) -> None:
    gone = page(WRONG.format(name="alpha", said="x"))
    assert shown(lint(path, gone, kind)) == ["alpha"]
    right = page(WRONG.format(name="factor", said="'mean'"))
    wrong = page(WRONG.format(name="factor", said="'x'"))
    assert shown(lint(path, wrong, kind)) == ["'x'"]
    assert fixed(path, wrong, kind) == right
    assert lint(path, right, kind).findings == ()


@pytest.mark.parametrize(
    ("docstring", "repaired"),
    [
        (
            '"""Args:\n    a: Defaults to "x".\n    """',
            '"""Args:\n    a: Defaults to "y".\n    """',
        ),
        (
            "'''Args:\n    a: Defaults to 'x'.\n    '''",
            "'''Args:\n    a: Defaults to 'y'.\n    '''",
        ),
        ('"""Args:\n    a: Defaults to None"""', None),  # four quotation marks
        ('"""Args:\\n    a: Defaults to "\\x78"."""', None),
        ("\"Args:\\n    a: Defaults to 'x'.\"", None),
    ],
)
def test_what_can_be_rewritten(docstring: str, repaired: str | None) -> None:
    text = f'import keras\n\n\ndef f(a="y"):\n    {docstring}\n    return a\n'
    assert [one.rule for one in lint("x.py", text, "python").findings] == ["LK805"]
    expected = text.replace(docstring, repaired) if repaired is not None else text
    assert fixed("x.py", text, "python") == expected


def test_titles_are_no_arguments() -> None:
    text = (
        'import keras\n\n\ndef f(optional, arguments=1):\n    """F.\n\n    Args:\n'
        "        optional: O.\n        arguments, optional: Defaults to 2.\n"
        '        returns: A tensor.\n        Note: nothing.\n        other: O.\n    """\n'
    )
    assert shown(lint("x.py", text, "python")) == ["2", "other"]


def test_comments_in_examples_are_no_obstacle() -> None:
    """The repaired file is not looked into any more, and so are not its examples."""
    text = (
        'import keras\n\n\ndef f(a=1):\n    """F.\n\n    Args:\n        a: Defaults to `2`.\n\n'
        '    Example:\n\n    ```python\n    # A comment.\n    f()\n    ```\n    """\n'
    )
    assert fixed("x.py", text, "python") == text.replace("`2`", "`1`")


@pytest.mark.parametrize(
    ("said", "real", "found"),
    [
        ("Defaults to `1`", "2", True),
        ("Defaults to `1`.", "1.0", False),
        ("(default: 1)", "2", True),
        ("default=1.", "2", True),
        ("Default is `True`, which helps.", "False", True),
        ("Default value is `True`.", "False", True),
        ("Defaults to `None`.", "'x'", True),
        ("Defaults to `'a'` (the first letter).", "'b'", True),
        ("either `'a'` (default) or `'b'`", "'b'", True),
        ("Defaults to `1`, or `2` if it is cold.", "2", False),
        ("Defaults to `1` if it is cold.", "2", False),
        ("Defaults to `1` (if it is cold).", "2", False),
        ("When it is cold, defaults to `1`.", "2", False),
        ("Defaults to 1,000.", "1000", False),
        ("Defaults to 1e-3.", "0.001", False),
        ("Defaults to -1.", "-1", False),
        ("Defaults to 1D.", "2", False),
        ("Defaults to the value of `b`.", "2", False),
        ("Defaults to `b`.", "'c'", False),
        ("Defaults to `b()`.", "2", False),
        ("Defaults to `1`.", "None", False),
        ("Defaults to `1`.", "SOME", False),
        ("Defaults to `1`.", "'auto'", False),
        ("Defaults to `1`.", "(1, 1)", False),
        ("Defaults to `[1, 1]`.", "(1, 1)", False),
        ("Defaults to `None`.", "()", False),
        ("Defaults to `1`. By default all.", "2", False),
    ],
)
def test_wordings_of_defaults(said: str, real: str, found: bool) -> None:
    text = (
        f'import keras\n\n\ndef f(a={real}):\n    """F.\n\n    Args:\n        a: {said}\n    """\n'
    )
    report = lint("x.py", text, "python")
    assert [one.rule for one in report.findings] == ["LK805"] * found


@pytest.mark.parametrize(
    ("type_and_text", "real", "found"),
    [
        ("int, default 1\n        A.", "2", True),
        ("int, default: 1\n        A.", "2", True),
        ("int, optional, default=1\n        A.", "2", True),
        ("{'a', 'b'}, default 'a'\n        A.", "'b'", True),
        ("int, default 2\n        A.", "2", False),
        ("int, default 1 if it is cold\n        A.", "2", False),
        ("int, default 1\n        By default it is chosen.", "2", False),
        ("int\n        The default 1\n        is gone.", "2", False),
    ],
)
def test_defaults_beside_a_type(type_and_text: str, real: str, found: bool) -> None:
    text = (
        f'import keras\n\n\ndef f(a={real}):\n    """F.\n\n    Parameters\n    ----------\n'
        f'    a : {type_and_text}\n    """\n'
    )
    report = lint("x.py", text, "python")
    assert [one.rule for one in report.findings] == ["LK805"] * found


@pytest.mark.parametrize(
    ("head", "found"),
    [
        ("", True),
        ("@tf.function\n", True),
        ("@keras.saving.register_keras_serializable(package='x')\n", True),
        ("@unknown\n", False),
        ("@unknown(other)\n", False),
    ],
)
def test_decorators(head: str, found: bool) -> None:
    text = (
        f"import keras\nimport tensorflow as tf\nfrom other import unknown\n\n\n{head}"
        'def f(a):\n    """F.\n\n    Args:\n        b: B.\n    """\n'
    )
    assert [one.rule for one in lint("x.py", text, "python").findings] == ["LK803"] * found


def test_bases_in_other_files(tmp_path: Path) -> None:
    package = tmp_path / "package"
    (package / "inner").mkdir(parents=True)
    (tmp_path / "pyproject.toml").touch()
    for folder in (package, package / "inner"):
        (folder / "__init__.py").touch()
    (package / "backend.py").write_text("import keras\n")
    (package / "inner" / "base.py").write_text(
        "from ..backend import keras\n\n\nclass Base(keras.layers.Layer):\n"
        "    def __init__(self, rate, **kwargs):\n        super().__init__(**kwargs)\n"
    )
    (package / "inner" / "__init__.py").write_text("from package.inner.base import Base as Root\n")
    (package / "at_a_loss.py").write_text("class Broken(:\n")
    file = package / "x.py"
    for heading, base, found in [
        ("from package import inner", "inner.Root", ["gone"]),
        ("from .inner import Root", "Root", ["gone"]),
        ("from .inner.base import Base", "Base", ["gone"]),
        ("from .backend import keras", "keras.layers.Layer", ["gone", "rate"]),
        ("from .at_a_loss import Broken", "Broken", []),
        ("from .nowhere import Broken", "Broken", []),
    ]:
        text = (
            f"import tensorflow\n{heading}\n\n\nclass A({base}):\n    '''A.\n\n    Args:\n"
            "        gone: G.\n        rate: R.\n        trainable: T.\n    '''\n\n"
            "    def __init__(self, **kwargs):\n        super().__init__(**kwargs)\n"
        )
        file.write_text(text)
        assert shown(lint(str(file), text, "python")) == found, base


def examples() -> list[tuple[str, str]]:
    rules = [rule for rule in load().rules if rule.reads == "docstrings"]
    return [(rule.code, one.marked()[0]) for rule in rules for one in rule.examples()
            if one.role in ("bad", "fixed", "good")]  # fmt: skip


@pytest.mark.parametrize(("code", "text"), examples())
def test_the_screen_errs_on_the_safe_side(
    monkeypatch: pytest.MonkeyPatch, code: str, text: str
) -> None:
    """What is found is found without the screen too, and nothing else is parsed to a CST."""
    import lintkeras.screen as screen
    import lintkeras.syntax.parse as parse

    def parsed(snippet: object) -> None:
        raise AssertionError("parsed to a CST")

    for source in (text, f"import os\nos.environ['TF_USE_LEGACY_KERAS'] = '1'\n{text}"):
        with monkeypatch.context() as without:
            without.setattr(screen, "worth_parsing", lambda document, codes, *more: codes)
            expected = lint("x.py", source, "python", {code}).findings
        assert lint("x.py", source, "python", {code}).findings == expected
        if not expected:
            with monkeypatch.context() as never:
                never.setattr(parse, "parse_snippet", parsed)
                assert lint("x.py", source, "python", {code}).findings == ()


def test_a_clean_run_needs_no_heavy_library() -> None:
    program = (
        "import sys\nfrom lintkeras import engine\n"
        f"engine.lint('x.py', {WRONG.format(name='factor', said='1')!r}.encode(), 'python', "
        "{'LK803', 'LK804', 'LK805'})\nprint('libcst' in sys.modules)\n"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert run.stdout == "False\n", run.stderr


STYLES = {"google": GOOGLE, "numpy": NUMPY, "sphinx": SPHINX}


@pytest.mark.parametrize("style", STYLES)
def test_griffe_reads_the_same(style: str) -> None:
    griffe = pytest.importorskip("griffe")
    text = STYLES[style].replace("    a, b: Two.\n", "    a: One.\n    b: Two.\n")
    theirs = [name for name in _by_griffe(griffe, text, style) if name != "args"]
    assert [one.name for one in documented(text) if one.role == "arguments"] == theirs


def test_griffe_reads_the_same_in_keras() -> None:
    """Sections whose entries cannot be told from their text are passed over; those are few."""
    griffe = pytest.importorskip("griffe")
    found = importlib.util.find_spec("keras")
    assert found is not None and found.submodule_search_locations
    same = other = passed = 0
    for file in sorted(Path(found.submodule_search_locations[0], "src", "layers").rglob("*.py")):
        for one in docstrings(file.read_text(encoding="utf-8")):
            theirs = _by_griffe(griffe, inspect.cleandoc(one.text), "google")
            ours = [e.name for e in documented(one.text) if e.role == "arguments"]
            plain = [name for name in theirs if name not in ("args", "kwargs")]
            passed += bool(plain) and not ours
            same += bool(ours) and plain == ours
            other += bool(ours and plain) and plain != ours
    assert same > 100
    assert other <= same / 50, (same, other)
    assert passed <= same / 20, (same, passed)


def _by_griffe(griffe: Any, text: str, style: str) -> list[str]:
    logging.getLogger("griffe").setLevel(logging.CRITICAL)
    sections = griffe.Docstring(text, lineno=1).parse(style)
    parameters = [one.value for one in sections if one.kind.value == "parameters"]
    return [one.name.lstrip("*") for section in parameters for one in section]


DATACLASS = '''
import dataclasses
from dataclasses import dataclass, field
from typing import ClassVar

import keras


@dataclass
class Base:
    rate: float = 0.5


class Mixin:
    pass


{maker}
class Setting({bases}):
    """A setting.

    Args:
        rate: Defaults to 0.1.
        size: Defaults to 2.
        kept: None.
        shared: None.
    """

    size: int = field(default=3)
    kept: list[int] = field(init=False)
    shared: ClassVar[int] = 1
'''


@pytest.mark.parametrize(
    ("maker", "bases", "found"),
    [
        ("@dataclass", "Base", ["0.1", "2", "kept", "shared"]),
        ("@dataclasses.dataclass(frozen=True)", "Mixin, Base", ["0.1", "2", "kept", "shared"]),
        ("@dataclass", "", ["rate", "2", "kept", "shared"]),
        ("@dataclass(init=False)", "Base", []),
        ("@dataclass", "keras.Model", []),
        ("@other", "Base", []),
        ("@other\n@dataclass", "Base", []),
    ],
)
def test_dataclasses(maker: str, bases: str, found: list[str]) -> None:
    text = DATACLASS.format(maker=maker, bases=bases)
    assert shown(lint("x.py", text, "python", {"LK803", "LK805"})) == found


@pytest.mark.tensorflow
def test_what_is_found_in_keras_is_so() -> None:
    """Each name that no signature has is refused by it, each default is what the signature says."""
    import keras

    root = Path(keras.__file__).parent
    found: set[str] = set()
    for folder in ("callbacks", "layers", "ops", "optimizers", "quantizers", "saving", "utils"):
        for file in sorted(root.glob(f"src/{folder}/**/*.py")):
            report = lint(str(file), file.read_text(encoding="utf-8"), "python", {"LK803", "LK805"})
            for one in report.findings:
                dotted = ".".join(file.relative_to(root.parent).with_suffix("").parts)
                if dotted.endswith("_test"):
                    continue
                words = one.message.split("`")
                what, name = (words[1], words[3]) if one.rule == "LK803" else (words[3], words[1])
                thing: Any = importlib.import_module(dotted)
                for part in what.split("."):
                    thing = getattr(thing, part)
                if one.rule == "LK805":
                    real = inspect.signature(thing).parameters[name].default
                    assert repr(real) == repr(ast.literal_eval(words[5])), one.message
                else:
                    with pytest.raises((TypeError, ValueError), match=name):
                        thing(**{name: 1}, **_required(thing))
                found.add(f"{what} {name}")
    assert len(found) > 5
    if keras.__version__ == "3.15.1":
        assert found >= {
            "ProgbarLogger count_mode",
            "GPTQQuantizer weight_bits",
            "GPTQQuantizer per_channel",
            "GPTQQuantizer symmetric",
            "GPTQQuantizer group_size",
            "MaxNumBoundingBoxes padding_value",
        }
    assert not any(one.startswith(("ConvLSTM", "Functional")) for one in found)


def _required(thing: Any) -> dict[str, object]:
    """Something for each argument that has to be given."""
    taken = inspect.signature(thing).parameters.values()
    return {one.name: None for one in taken if one.default is one.empty and one.kind not in (
        one.VAR_POSITIONAL, one.VAR_KEYWORD)}  # fmt: skip
