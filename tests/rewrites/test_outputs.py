"""Edits of losses and activations in the spellings that the pages do not show."""

from __future__ import annotations

import textwrap

import pytest

from lintkeras.rulebook import load
from tests.pages import fixed_text, lint


def fixed(code: str, source: str, *words: str) -> str | None:
    """What the fix of a rule makes of a program."""
    rule = load().find(code)
    assert rule is not None
    text = textwrap.dedent(source)
    assert code in [found for _, _, found in lint(text, "python")]
    return fixed_text(rule, text, "python", *words)


def test_a_class_that_is_used_elsewhere_stays_imported() -> None:
    made = fixed(
        "LK202",
        """\
        import keras
        from keras.losses import BinaryCrossentropy

        spam = keras.Sequential([keras.layers.Dense(1, "sigmoid")])
        spam.compile(loss=BinaryCrossentropy())
        kind = keras.Sequential([keras.layers.Dense(3, "softmax")])
        kind.compile(loss=BinaryCrossentropy())
        """,
    )
    assert made is not None
    assert "from keras.losses import BinaryCrossentropy\n" in made
    assert "from keras.losses import CategoricalCrossentropy\n" in made
    assert made.count("loss=CategoricalCrossentropy()") == 1


def test_a_function_that_is_imported_by_name_becomes_an_object() -> None:
    made = fixed(
        "LK204",
        """\
        import keras
        from keras.losses import categorical_crossentropy

        model = keras.Sequential([keras.layers.Dense(3)])
        model.compile(loss=categorical_crossentropy)
        """,
    )
    assert made is not None
    assert "loss=keras.losses.CategoricalCrossentropy(from_logits=True)" in made


def test_the_quotes_and_comments_of_the_program_stay() -> None:
    made = fixed(
        "LK204",
        """\
        from tensorflow.keras import layers, models

        LOSS = 'categorical_crossentropy'  # one-hot
        model = models.Sequential([
            layers.Dense(3),  # classes
        ])
        model.compile(loss=LOSS)
        """,
        "softmax",
    )
    assert made is not None
    assert "layers.Dense(3, activation='softmax'),  # classes" in made
    assert "LOSS = 'categorical_crossentropy'  # one-hot" in made


def test_a_variable_with_one_use_is_changed_where_it_is_set() -> None:
    made = fixed(
        "LK203",
        """\
        from keras import layers, models

        loss = 'categorical_crossentropy'  # one-hot
        model = models.Sequential([layers.Dense(3, "sigmoid")])
        model.compile(loss=loss)
        """,
        "binary",
    )
    assert made is not None
    assert "loss = 'binary_crossentropy'  # one-hot" in made


@pytest.mark.parametrize(
    "use",
    ['def name(loss="binary_crossentropy"):\n    model.compile(loss=loss)\n\n\nname()',
     'LOSS = "binary_crossentropy"\nmodel.compile(loss=LOSS)\nprint(LOSS)'],
)  # fmt: skip
def test_values_that_others_read_stay(use: str) -> None:
    source = (
        "from keras import layers, models\n\n"
        "kind = dict(a=1)\n"
        'model = models.Sequential([layers.Dense(3, "softmax")])\n' + use + "\n"
    )
    made = fixed("LK202", source)
    assert made is not None and made.count('"binary_crossentropy"') == 1
    assert 'Dense(3, "sigmoid")' in made, "the other fix is left"


def test_a_module_without_the_other_function_is_left_alone() -> None:
    made = fixed(
        "LK207",
        """\
        import tensorflow as tf

        layer = tf.keras.layers.Dense(3, activation=tf.tanh)
        model = tf.keras.Sequential([layer])
        model.compile(loss="categorical_crossentropy")
        """,
    )
    assert made is None, "there is no tf.softmax"


def test_a_softmax_behind_a_comment_stays() -> None:
    made = fixed(
        "LK205",
        """\
        import keras

        model = keras.Sequential([
            keras.layers.Dense(3),
            # probabilities
            keras.layers.Softmax(),
        ])
        model.compile(loss=keras.losses.CategoricalCrossentropy(from_logits=True))
        """,
        "logits",
    )
    assert made is None
