"""LK801 and LK802: names and examples in running text, with their places."""

from __future__ import annotations

import json

import pytest

from lintkeras import engine
from lintkeras.fixes import Consent, fix

CODES = ("LK801", "LK802")


def found(text: str, kind: str, target: str | None = None) -> list[str]:
    """What the text of each finding is."""
    report = engine.lint("x", text.encode(), kind, CODES, target=target)
    assert report.document is not None
    return [report.document.text[f.span.start : f.span.end] for f in report.findings]


def fixed(text: str, kind: str, target: str | None = None) -> str:
    """What the safe fixes make of a text."""
    lint = lambda data: engine.lint("x", data, kind, CODES, target=target)  # noqa: E731
    return fix(text.encode(), Consent(unsafe=False), lint).data.decode()


ROLES = """Losses
======

The class :class:`keras.layers.Desne` and :func:`~keras.losses.mse`,
:func:`the mean <keras.backend.mean>` and ``tf.keras.optimizers.Adm``.

* A :class:`Layer <keras.layers.Layer>`, https://keras.io/keras.layers.Dnse
"""


def test_roles_of_sphinx() -> None:
    names = ["keras.layers.Desne", "keras.losses.mse", "keras.backend.mean"]
    assert found(ROLES, "rst") == [*names, "tf.keras.optimizers.Adm"]
    assert fixed(ROLES, "rst") == ROLES.replace("losses.mse", "losses.mean_squared_error")


def test_a_cell_of_a_notebook() -> None:
    source = ["# Loss\n", "\n", "It is *the* `keras.losses.mse`,\n", "or \\`keras.losses.mae`."]
    cell = {"cell_type": "markdown", "metadata": {}, "source": source}
    text = json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [cell]})
    assert found(text, "notebook")[0] == "keras.losses.mse"
    assert "`keras.losses.mean_squared_error`" in fixed(text, "notebook")
    json.loads(fixed(text, "notebook"))


@pytest.mark.parametrize(
    "text",
    [
        "Call `keras.losses.mse(x, y)`.",
        "`keras.backend.mean` is one.",
        "`keras.layers.CuDNNLSTM` is one.",
    ],
)
def test_no_fix_where_more_would_have_to_change(text: str) -> None:
    assert len(found(text, "markdown")) == 1
    assert fixed(text, "markdown") == text


def test_the_target_decides() -> None:
    text = "Use `keras.losses.mse` and `tf.keras.ops.mean`."
    assert found(text, "markdown") == ["keras.losses.mse"]
    assert found(text, "markdown", target="2.15") == []


def test_a_name_that_another_root_had() -> None:
    assert found("Use `tf.keras.layers.CuDNNLSTM`.", "markdown") == ["tf.keras.layers.CuDNNLSTM"]


@pytest.mark.parametrize("name", ["keras.io", "keras.json", "keras.layer", "keras.__version__"])
def test_no_names(name: str) -> None:
    assert found(f"See `{name}` and {name}.", "markdown") == []


def test_comments_and_docstrings() -> None:
    text = (
        "import keras\n\n"
        "# Ends in keras.layers.Desne, see there.\n"
        "# x = keras.layers.Desne\n"
        "# model.add(keras.layers.Desne(3))\n"
        "def f():\n"
        '    """Like `keras.losses.mse`.\n\n    >>> keras.layers.Desne\n    """\n'
    )
    assert found(text, "python") == ["keras.layers.Desne", "keras.losses.mse"]


def test_text_in_another_script() -> None:
    assert found("`keras.layers.Desne`是层,`keras.losses.mse`是函数。", "markdown") == [
        "keras.layers.Desne"
    ]


def test_a_page_that_is_nothing_but_an_example() -> None:
    text = "```python\nimport keras\nx = keras.ops.mean((1, 2)\n```\n"
    report = engine.lint("x", text.encode(), "markdown", CODES)
    assert report.document is not None
    (finding,) = report.findings
    assert finding.rule == "LK801"
    assert finding.message.endswith("'(' was never closed")
    assert report.document.position(finding.span.start) == (3, 19)


def test_a_directive() -> None:
    text = "Keras\n=====\n\n.. code-block:: python\n\n   model = keras.Model(\n\n.. code:: text\n\n   a b\n"
    report = engine.lint("x", text.encode(), "rst", CODES)
    assert [finding.rule for finding in report.findings] == ["LK801"]
