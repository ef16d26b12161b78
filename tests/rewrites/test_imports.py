"""Imports that fixes add: where they stand, what they are called, when there are none."""

from __future__ import annotations

import pytest

from lintkeras.documents import read
from lintkeras.meaning.interpreter import Interpreter
from lintkeras.meaning.symbols import Flavour
from lintkeras.rewrites.code import Code
from lintkeras.rewrites.imports import insert, keras, library
from lintkeras.syntax.edits import apply
from lintkeras.syntax.parse import parse_snippet
from lintkeras.syntax.program import Program


def code(source: str, kind: str = "python") -> Code:
    document = read("x", source.encode(), kind)
    program = Program(document, tuple(parse_snippet(s) for s in document.snippets))
    return Code(program, Interpreter().run(program.modules, len(source)))


def last(one: Code) -> object:
    return one.program.modules[-1].body[-1]


REACHED = {
    "import tensorflow as tf\nx = 1\n": ("tf", "tf.keras", None),
    "import tensorflow\nx = 1\n": ("tensorflow", "tensorflow.keras", None),
    "import tensorflow.keras\nx = 1\n": ("tensorflow", "tensorflow.keras", None),
    "import tensorflow as tf\nfrom tensorflow import keras\nx = 1\n": ("tf", "keras", None),
    "import tensorflow as tf\nimport tensorflow.keras as K\nx = 1\n": ("tf", "K", None),
    "try:\n    import tensorflow as tf\nexcept ImportError:\n    raise\nx = 1\n": ("tf", "tf.keras", None),
    "from tensorflow.keras import layers\nx = 1\n": ("tf", "tf.keras", "import tensorflow as tf"),
    "def f():\n    import tensorflow as tf\nx = 1\n": ("tf", "tf.keras", "import tensorflow as tf"),
    "if x:\n    import tensorflow as tf\nx = 1\n": ("tf", "tf.keras", "import tensorflow as tf"),
    "tf = 1\nx = 1\n": ("tf_2", "tf_2.keras", "import tensorflow as tf_2"),
    "import tensorflow as tf\ntf = 2\nx = 1\n": ("tf_2", "tf_2.keras", "import tensorflow as tf_2"),
    "import tensorflow as tf\ndel tf\nx = 1\n": ("tf_2", "tf_2.keras", "import tensorflow as tf_2"),
}  # fmt: skip


@pytest.mark.parametrize("source", REACHED)
def test_how_a_library_is_reached(source: str) -> None:
    one = code(source)
    tf, k, missing = REACHED[source]
    found = library(one, "tensorflow", last(one))  # type: ignore[arg-type]
    assert (found.expression, found.missing) == (tf, missing)
    assert keras(one, "tf.keras", last(one)).expression == k  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("source", "flavour", "expected"),
    [
        ("import keras\nx = 1\n", "keras", ("keras", None)),
        ("from tensorflow import keras\nx = 1\n", "keras", ("keras_2", "import keras as keras_2")),
        ("import tf_keras as keras\nx = 1\n", "tf_keras", ("keras", None)),
        ("from tf_keras import layers\nx = 1\n", "tf_keras", ("tf_keras", "import tf_keras")),
        ("import keras.ops\nx = 1\n", "keras", ("keras", None)),
        ("import keras.ops as K\nx = 1\n", "keras", ("keras", "import keras")),
    ],
)
def test_how_each_keras_is_reached(
    source: str, flavour: Flavour, expected: tuple[str, str | None]
) -> None:
    one = code(source)
    found = keras(one, flavour, last(one))  # type: ignore[arg-type]
    assert (found.expression, found.missing) == expected


PLACES = {
    "x = 1\n": "import keras\n\nx = 1\n",
    "# about x\nx = 1\n": "import keras\n\n# about x\nx = 1\n",
    "#!/bin/env python\n# coding: utf-8\n# about x\nx = 1\n": (
        "#!/bin/env python\n# coding: utf-8\nimport keras\n\n# about x\nx = 1\n"
    ),
    '"""Doc."""\nx = 1\n': '"""Doc."""\nimport keras\nx = 1\n',
    '"""Doc."""\n\nfrom __future__ import annotations\n\nx = 1\n': (
        '"""Doc."""\n\nfrom __future__ import annotations\nimport keras\n\nx = 1\n'
    ),
    "import numpy as np\nfrom keras.layers import Dense\n\nx = 1\n": (
        "import keras\nimport numpy as np\nfrom keras.layers import Dense\n\nx = 1\n"
    ),
    "import abc\n\nimport numpy as np\nfrom keras.layers import Dense\n\nx = 1\n": (
        "import abc\n\nimport keras\nimport numpy as np\nfrom keras.layers import Dense\n\nx = 1\n"
    ),
    "import abc\nfrom keras.layers import (  # all\n    Dense,\n)\nx = 1\n": (
        "import abc\nimport keras\nfrom keras.layers import (  # all\n    Dense,\n)\nx = 1\n"
    ),
    "# one\nfrom keras import layers\nx = 1\n": "# one\nimport keras\nfrom keras import layers\nx = 1\n",
    "import os; import sys\nx = 1\n": "import keras\nimport os; import sys\nx = 1\n",
}  # fmt: skip


@pytest.mark.parametrize("source", PLACES)
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_where_an_import_is_put(source: str, newline: str) -> None:
    text = source.replace("\n", newline)
    one = code(text)
    edits = insert(one, last(one), [], ["import keras", "import keras"])  # type: ignore[arg-type]
    assert apply(text, edits) == PLACES[source].replace("\n", newline)


def test_in_the_fence_that_needs_it() -> None:
    page = "```python\nimport os\n```\n\n- so:\n  ```python\n  # here\n  x = 1\n  ```\n"
    one = code(page, "markdown")
    edits = insert(one, last(one), [], ["import keras"])  # type: ignore[arg-type]
    assert apply(page, edits) == page.replace("  # here", "  import keras\n\n  # here")
