"""Losses, layers and functions that stand in another file of the project."""

from __future__ import annotations

from pathlib import Path

import pytest

from lintkeras import engine

CODES = frozenset({"LK126", "LK127", "LK128", "LK131", "LK132", "LK135"})
PARTS = """import tensorflow as tf
from tensorflow import keras


def hard_loss(y_true, y_pred):
    return tf.reduce_mean(tf.abs(y_true - tf.round(y_pred)))


def soft_loss(y_true, y_pred):
    return tf.reduce_mean(tf.abs(y_true - y_pred))


def rounded(x):
    return tf.round(x)


class Base(keras.layers.Layer):
    def call(self, x):
        return x


class Plain:
    def call(self, x):
        return x
"""
HEAD = """import tensorflow as tf
from tensorflow import keras
from parts import Base, Plain, hard_loss, rounded, soft_loss

"""


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ('keras.Sequential().compile("adam", loss=hard_loss)', [(5, "LK135")]),
        ('keras.Sequential().compile("adam", loss=soft_loss)', []),
        (
            "class Q(Base):\n    def call(self, x):\n        return rounded(x) + (x - rounded(x))",
            [(7, "LK127")],
        ),
        ("def f(x):\n    return x + tf.stop_gradient(rounded(x) - x)", []),
        ("class A(Base):\n    def forward(self, x):\n        return x", []),
        ("class A(Plain):\n    def forward(self, x):\n        return x", []),
        (
            "class A(keras.layers.Layer):\n    def forward(self, x):\n        return rounded(x)",
            [(6, "LK128")],
        ),
    ],
)
def test_what_is_imported_is_known(tmp_path: Path, body: str, found: list[tuple[int, str]]) -> None:
    (tmp_path / "pyproject.toml").write_text("", encoding="utf-8")
    (tmp_path / "parts.py").write_text(PARTS, encoding="utf-8")
    main = tmp_path / "main.py"
    main.write_text(HEAD + body + "\n", encoding="utf-8")
    report = engine.lint(str(main), main.read_bytes(), "python", CODES)
    assert report.document is not None
    assert [
        (report.document.position(one.span.start)[0], one.rule) for one in report.findings
    ] == found
