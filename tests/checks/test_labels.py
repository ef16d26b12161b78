"""Labels in view, and models that other files build: LK209, LK210, LK211."""

from __future__ import annotations

from pathlib import Path

import pytest

from lintkeras import engine

CODES = frozenset({"LK209", "LK210", "LK211"})
HEAD = """import keras
import numpy as np
import pandas as pd
import tensorflow as tf
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import LabelBinarizer, LabelEncoder, OneHotEncoder
from tensorflow.keras.utils import to_categorical
(x, y), (x_test, y_test) = keras.datasets.reuters.load_data()
def model(units, activation, loss):
    made = keras.Sequential([keras.layers.Dense(units, activation=activation)])
    made.compile("adam", loss)
    return made
one = model(1, "sigmoid", "binary_crossentropy")
two = model(2, "softmax", "categorical_crossentropy")
vectors = model(46, "softmax", "categorical_crossentropy")
numbers = model(46, "softmax", "sparse_categorical_crossentropy")
three = model(3, "softmax", "sparse_categorical_crossentropy")
"""


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("vectors.fit(x, y)", ["LK209"]),
        ("vectors.fit(x, to_categorical(y))", []),
        ("vectors.fit(x, to_categorical(y, num_classes=46)[:1000])", []),
        ("vectors.fit(x, tf.one_hot(y, 46))", []),
        ("vectors.fit(x, np.eye(46)[y])", []),
        ("vectors.fit(x, np.eye(40)[y])", ["LK211"]),
        ("vectors.fit(x, keras.ops.one_hot(y, num_classes=45))", ["LK211"]),
        ("vectors.fit(x, pd.get_dummies(y))", []),
        ("vectors.fit(x, y_unknown)", []),
        ("vectors.fit(x, y.astype('float32').reshape(-1, 1))", ["LK209"]),
        ("vectors.fit(x, np.squeeze(y[1000:]))", ["LK209"]),
        ("vectors.fit(x, LabelEncoder().fit_transform(names))", ["LK209"]),
        ("vectors.fit(x, OneHotEncoder().fit_transform(names))", []),
        ("vectors.fit(x, LabelBinarizer().fit_transform(y))", []),
        ("numbers.fit(x, LabelBinarizer().fit_transform(y))", ["LK209"]),
        ("numbers.fit(x, LabelBinarizer().fit_transform(names))", []),
        ("lb = LabelBinarizer()\ntwo.fit(x, lb.fit_transform(names))", ["LK209"]),
        ("two.fit(x, to_categorical(LabelEncoder().fit_transform(names)))", []),
        ("a, b, c, d = train_test_split(x, y)\nvectors.fit(a, c)", ["LK209"]),
        ("a, b, c, d = train_test_split(x, y)\nnumbers.fit(a, c)", []),
        ("a, b, c, d = train_test_split(x, y)\nvectors.fit(a, to_categorical(c))", []),
        ("numbers.fit(x, y)", []),
        ("numbers.fit(x, to_categorical(y))", ["LK209"]),
        ("numbers.fit(x, y, validation_data=(x_test, to_categorical(y_test)))", ["LK209"]),
        ("numbers.train_on_batch(x, to_categorical(y))", ["LK209"]),
        ("three.fit(x, y)", ["LK211"]),
        ("three.fit(x, np.array([0, 1, 2, 1]))", []),
        ("three.fit(x, np.array([0, 1, 2, 3]))", ["LK211"]),
        ("three.fit(x, np.array([[1, 0, 0], [0, 1, 0]]))", ["LK209"]),
        ("three.fit(x, np.random.randint(3, size=10))", []),
        ("three.fit(x, np.random.randint(0, 4, 10))", ["LK211"]),
        ("one.fit(x, y)", ["LK211"]),
        ("one.fit(x, np.random.randint(2, size=10))", []),
        ("y[y > 2] = 2\nthree.fit(x, y)", []),
        ("three.fit(x, y // 20)", []),
        ("three.fit(x, (y > 20).astype(int))", []),
        ("data = tf.data.Dataset.from_tensor_slices((x, y)).batch(3)\nvectors.fit(data)", ["LK209"]),
        ("data = tf.data.Dataset.from_tensor_slices((x, y)).map(f)\nvectors.fit(data)", []),
        ("vectors.fit(generator, 100)", []),
        ("if flag:\n    y = to_categorical(y)\nvectors.fit(x, y)", []),
        ("with pytest.raises(ValueError):\n    vectors.fit(x, y)", []),
    ],
)  # fmt: skip
def test_labels(line: str, found: list[str]) -> None:
    report = engine.lint("x.py", (HEAD + line).encode(), "python", CODES)
    assert [f.rule for f in report.findings] == found


MODELS = """import keras


def build(classes):
    model = keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(classes, "softmax")])
    model.compile("adam", "categorical_crossentropy")
    return model


def network(classes):
    image = keras.Input((28, 28))
    return keras.Model(image, keras.layers.Dense(classes)(keras.layers.Flatten()(image)))
"""
TRAIN = """import keras
from models import build, network

(x, y), _ = keras.datasets.mnist.load_data()
"""


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ("build(10).fit(x, y)", [(5, "LK209")]),
        ("build(10).fit(x, keras.utils.to_categorical(y, 10))", []),
        ("build(9).fit(x, keras.utils.to_categorical(y, 10))", [(5, "LK211")]),
        (
            'model = network(9)\nmodel.compile("adam", "sparse_categorical_crossentropy")\nmodel.fit(x, y)',
            [(6, "LK211")],
        ),
    ],
)
def test_a_model_of_another_file(tmp_path: Path, body: str, found: list[tuple[int, str]]) -> None:
    (tmp_path / "pyproject.toml").write_text("")
    (tmp_path / "models.py").write_text(MODELS)
    path = tmp_path / "train.py"
    path.write_text(TRAIN + body + "\n")
    report = engine.lint(str(path), path.read_bytes(), "python", CODES)
    assert report.document is not None
    assert [(report.document.position(f.span.start)[0], f.rule) for f in report.findings] == found
    assert all(not finding.fixes for finding in report.findings)
