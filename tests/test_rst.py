"""reStructuredText pages: code in place, prose as a reader sees it, comments that silence."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lintkeras import engine
from lintkeras.documents import Document, read
from lintkeras.fixes import Consent, fix
from lintkeras.rulebook import load
from lintkeras.syntax.edits import apply

CODES = load().select(["ALL"])
BAD = """\
import tensorflow as tf

with tf.GradientTape() as tape:
    loss = model(x)
first = tape.gradient(loss, x)
second = tape.gradient(loss, model.trainable_variables)
print(second)
"""


def page(text: str) -> Document:
    return read("x.rst", text.encode(), "rst")


def sources(text: str) -> list[str]:
    return [snippet.source for snippet in page(text).snippets]


def lint(data: bytes) -> engine.FileReport:
    return engine.lint("x.rst", data, "rst", CODES)


def block(code: str, head: str = ".. code-block:: python\n\n", indent: str = "   ") -> str:
    lines = (indent + line if line.strip() else line for line in code.splitlines(keepends=True))
    return head + "".join(lines) + "\n"


CODE = [
    (".. code-block:: python\n\n   x = 1\n\n   y = 2\n\nText\n", ["x = 1\n\ny = 2\n"]),
    (".. code-block:: python\n   :caption: A\n   :linenos:\n\n     x = 1\n       \n", ["x = 1\n"]),
    (".. sourcecode:: python3\n\n   x = 1\n", ["x = 1\n"]),
    (".. code:: python\n\n   x = 1\n", ["x = 1\n"]),
    (".. code::\n\n   x = 1\n", []),
    (".. code-block:: bash\n\n   ls\n", []),
    (".. testcode:: group\n\n   x = 1\n\n.. testoutput::\n\n   1\n", ["x = 1\n"]),
    (".. doctest::\n\n   >>> x = 1\n   >>> x\n   1\n", ["x = 1\nx\n"]),
    (">>>\n\n.. code-block:: python\n\n   >>>\n", []),
    ("Text\n\n>>> for x in y:\n...     x\n1\n\nText\n", ["for x in y:\n    x\n"]),
    ("- item\n\n  .. code-block:: python\n\n     x = 1\n", ["x = 1\n"]),
    (".. note:: Text\n\n   .. code-block:: python\n\n      x = 1\n", ["x = 1\n"]),
    ("Shown as it is::\n\n   .. code-block:: python\n\n      x = 1\n", []),
    (".. a comment\n\n   .. code-block:: python\n\n      x = 1\n", []),
    (".. code-block:: rst\n\n   .. code-block:: python\n\n      x = 1\n", []),
    (".. image:: a.png\n   :alt: x\n\n.. code-block:: python\n\n   x = 1", ["x = 1"]),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), CODE)
def test_code(text: str, expected: list[str]) -> None:
    document = page(text)
    assert sources(text) == expected
    for snippet in document.snippets:
        for piece in snippet.pieces:
            there = document.text[piece.document : piece.document + piece.length]
            assert there == snippet.source[piece.snippet : piece.snippet + piece.length]


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_names_are_shared_and_fixes_change_nothing_else(newline: str) -> None:
    first, second = BAD.split("second", 1)
    text = "Title\n=====\n\nText.\n\n" + block(first) + "Then:\n\n"
    text += block("second" + second, "* a list\n\n  .. code-block:: python\n\n", "     ")
    text = text.replace("\n", newline)
    (finding,) = lint(text.encode()).findings
    assert finding.rule == "LK110"
    assert text[finding.span.start :].startswith("tape.gradient(loss, model.trainable")
    fixed = fix(text.encode(), Consent(), lint).data.decode()
    assert fixed == text.replace("GradientTape()", "GradientTape(persistent=True)")


def test_an_insertion_is_indented() -> None:
    text = block("x = 1\n")
    document = page(text)
    edit = document.snippets[0].edit(0, 0, "import keras\n")
    assert apply(text, [edit]) == text.replace("   x", "   import keras\n   x")


def test_prose() -> None:
    text = (
        "=====\nTitle\n=====\n\nThe *first* ``code`` and :class:`~keras.layers.Dense`, a `link\n"
        "<https://x>`_ to **it**.\n\nPart\n----\n\n- one\n  goes on\n- two ``x``\n\n  more\n\n"
        "1. three\n\n.. warning:: Care.\n\n   More of it.\n\n.. toctree::\n\n   a\n\n"
        ".. epigraph::\n\n   They say so.\n\n+---+\n| a |\n+---+\n\n:param x: what it is\n\n"
        "Code follows::\n\n   no prose\n\nEnd.\n"
    )
    assert [(p.kind, p.level, p.text) for p in page(text).prose] == [
        ("heading", 1, "Title"),
        ("paragraph", 0, "The first `code` and `keras.layers.Dense`, a link to it."),
        ("heading", 2, "Part"),
        ("list-item", 0, "one goes on"), ("list-item", 0, "two `x`"), ("list-item", 0, "more"),
        ("list-item", 0, "three"),
        ("paragraph", 0, "Care."), ("paragraph", 0, "More of it."),
        ("quote", 0, "They say so."),
        ("paragraph", 0, "what it is"), ("paragraph", 0, "Code follows:"), ("paragraph", 0, "End."),
    ]  # fmt: skip
    document = page(text)
    for prose in document.prose:
        assert (
            prose.text.split()[-1].strip("`.~") in document.text[prose.span.start : prose.span.end]
        )


def test_comments_silence() -> None:
    body = block(BAD)
    assert lint(f".. lintkeras: ignore LK110 reason\n\n{body}".encode()).findings == ()
    assert lint(f".. lintkeras: disable LK110\n\nText\n\n{body}".encode()).findings == ()
    off_and_on = ".. lintkeras: disable LK110\n\nText\n\n.. lintkeras: enable LK110\n\n"
    assert len(lint(f"{off_and_on}{body}".encode()).findings) == 1
    assert len(lint(f".. lintkeras: ignore LK103\n\n{body}".encode()).findings) == 1
    assert len(lint(f".. lintkeras: ignore LK110\n\nText\n\n{body}".encode()).findings) == 1


def test_comments_silence_in_markdown() -> None:
    fence = f"```python\n{BAD}```\n"

    def found(text: str) -> int:
        return len(engine.lint("x.md", text.encode(), "markdown", CODES).findings)

    assert found(fence) == 1
    assert found(f"<!-- lintkeras: ignore LK110 reason -->\n\n{fence}") == 0
    assert found("- <!-- lintkeras: ignore[LK110] -->\n\n" + fence) == 0
    assert found(f"<!-- lintkeras: disable LK110 -->\n\nText\n\n{fence}") == 0
    assert found(f"`<!-- lintkeras: disable LK110 -->`\n\n{fence}") == 1
    assert found(f"```html\n<!-- lintkeras: disable LK110 -->\n```\n\n{fence}") == 1


def test_cells_and_items_stand_alone() -> None:
    rows = "   * - Old\n     - New\n   * - A\n     - B\n\n"
    items = "* One\n* - Two\n  - Three\n"
    document = page(f".. list-table::\n   :header-rows: 1\n\n{rows}{items}")
    assert [(one.kind, one.text) for one in document.prose] == [
        *(("table", text) for text in ("Old", "New", "A", "B")),
        *(("list-item", text) for text in ("One", "Two", "Three")),
    ]
    for one in document.prose:
        place = one.place(0, len(one.text))
        assert document.text[place.start : place.end] == one.text


def test_a_comment_that_an_item_begins_with() -> None:
    code = block(BAD, indent="     ", head="  .. code-block:: python\n\n")
    assert len(lint(f"* .. lintkeras: ignore LK110\n\n{code}".encode()).findings) == 0
    assert len(lint(f"* .. lintkeras: ignore LK120\n\n{code}".encode()).findings) == 1


def test_marks_of_items_without_end_are_a_page() -> None:
    assert page("- " * 20_000 + "\n").snippets == ()


@settings(max_examples=200, deadline=None)
@given(st.text(st.sampled_from(" \n\r\t.:>-=*`_abé|+#1"), max_size=60))
def test_any_text_is_a_page(text: str) -> None:
    document = page(text)
    for snippet in document.snippets:
        assert snippet.source
    for prose in document.prose:
        assert 0 <= prose.span.start <= prose.span.end <= len(text)
