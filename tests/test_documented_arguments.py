"""What docstrings document, in each style, and what classes take."""

from __future__ import annotations

import pytest

from lintkeras import engine
from lintkeras.documents.sections import documented

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
