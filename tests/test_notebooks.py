"""Notebooks: cells as Python with exact places, magics, edits that leave every other byte alone."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lintkeras import engine
from lintkeras.documents import Document, DocumentError, read
from lintkeras.documents.cells import in_cell
from lintkeras.documents.magics import masked
from lintkeras.fixes import Consent, fix
from lintkeras.reports import concise
from lintkeras.rulebook import load
from lintkeras.syntax.edits import apply

CODES = load().select(["ALL"])
STEP = """\
def step(x, y):
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean((model(x) - y) ** 2)  # "squares" \\ é
    first = tape.gradient(loss, model.trainable_variables)
    return first, tape.gradient(loss, x)
"""


def cell(source: str | list[str], kind: str = "code", **more: Any) -> dict[str, Any]:
    return {"cell_type": kind, "metadata": {}, "outputs": [], "source": source, **more}


def notebook(*cells: dict[str, Any], language: str = "python", **options: Any) -> bytes:
    content = {
        "cells": list(cells), "metadata": {"kernelspec": {"language": language}},
        "nbformat": 4, "nbformat_minor": 5,
    }  # fmt: skip
    return json.dumps(content, **{"indent": 1, "ensure_ascii": False, **options}).encode()


def lines(source: str) -> list[str]:
    return source.splitlines(keepends=True)


def sources(document: Document) -> list[str]:
    return [snippet.source for snippet in document.snippets]


def lint(data: bytes) -> engine.FileReport:
    return engine.lint("x.ipynb", data, "notebook", CODES)


IMPORTS = cell(
    ["%matplotlib inline\n", "import tensorflow as tf\n", "model = tf.keras.Sequential()"]
)
FORMS = [
    pytest.param(lines(STEP), {}, id="lines"),
    pytest.param(STEP, {}, id="string"),
    pytest.param(lines(STEP), {"indent": None}, id="one-line"),
    pytest.param(lines(STEP), {"ensure_ascii": True}, id="escaped"),
    pytest.param(STEP, {"ensure_ascii": True, "indent": 4}, id="escaped-string"),
]


@pytest.mark.parametrize(("source", "options"), FORMS)
def test_names_are_shared_and_places_are_those_of_the_cell(
    source: Any, options: dict[str, Any]
) -> None:
    data = notebook(cell("# A title", "markdown"), IMPORTS, cell(source), **options)
    (line,) = concise.write([lint(data)], color=False)
    assert line.startswith("x.ipynb:cell 3:5:19: error: `tape` was already used")


@pytest.mark.parametrize(("source", "options"), FORMS)
def test_a_fix_changes_nothing_else(source: Any, options: dict[str, Any]) -> None:
    data = notebook(IMPORTS, cell(source), **options)
    fixed = fix(data, Consent(), lint).data
    expected = json.loads(data)
    content = json.loads(fixed)
    assert "".join(content["cells"][1]["source"]) == STEP.replace(
        "GradientTape()", "GradientTape(persistent=True)"
    )
    content["cells"][1]["source"] = expected["cells"][1]["source"]
    assert content == expected
    assert fixed.replace(b"persistent=True", b"") == data
    assert lint(fixed).findings == ()


def test_whole_lines_are_whole_strings() -> None:
    data = notebook(cell(["a = 1\n", "b = 'é'\n", "c = 3"]))
    document = read("x.ipynb", data, "notebook")
    (snippet,) = document.snippets
    removed = apply(document.text, [snippet.edit(6, 14, "")])
    assert json.loads(removed)["cells"][0]["source"] == ["a = 1\n", "c = 3"]
    added = apply(document.text, [snippet.edit(6, 6, 'x = "\\n"\ny = 2\n')])
    assert json.loads(added)["cells"][0]["source"] == [
        "a = 1\n", 'x = "\\n"\n', "y = 2\n", "b = 'é'\n", "c = 3",
    ]  # fmt: skip
    replaced = apply(document.text, [snippet.edit(6, 14, "b = 4\nd = 5\n")])
    assert json.loads(replaced)["cells"][0]["source"] == ["a = 1\n", "b = 4\n", "d = 5\n", "c = 3"]


def test_what_is_put_into_a_line_is_quoted() -> None:
    data = notebook(cell(["a = 'x'\n", "b = 3"]))
    document = read("x.ipynb", data, "notebook")
    (snippet,) = document.snippets
    changed = apply(document.text, [snippet.edit(4, 7, '"\\n"')])
    assert json.loads(changed)["cells"][0]["source"] == ['a = "\\n"\n', "b = 3"]


def test_a_finding_is_shown_in_its_cell() -> None:
    report = lint(notebook(IMPORTS, cell(lines(STEP), execution_count=1)))
    (finding,) = report.findings
    assert report.document is not None
    shown, inside = in_cell(report.document, finding)
    assert shown.path == "x.ipynb:cell 2"
    assert shown.text == STEP
    assert shown.text[inside.span.start : inside.span.end] == "tape.gradient(loss, x)"
    (related,) = inside.related
    assert shown.text[related.span.start :].startswith("tape.gradient(loss, model")
    (edit,) = inside.fixes[0].edits
    assert apply(shown.text, [edit]) == STEP.replace("Tape()", "Tape(persistent=True)")


def test_markdown_cells() -> None:
    page = "# The *title*\n\nSome text.\n\n- a list\n\n  ```python\n  x = 1\n  ```\n"
    document = read("x.ipynb", notebook(cell(lines(page), "markdown")), "notebook")
    assert [(p.kind, p.text) for p in document.prose] == [
        ("heading", "The title"), ("paragraph", "Some text."), ("list-item", "a list"),
    ]  # fmt: skip
    (snippet,) = document.snippets
    assert (snippet.source, snippet.prefix) == ("x = 1\n", "  ")
    span = snippet.span(0, 5)
    assert document.text[span.start : span.end] == "x = 1"
    changed = apply(document.text, [snippet.edit(5, 5, "\ny = 2")])
    assert "".join(json.loads(changed)["cells"][0]["source"]) == page.replace(
        "x = 1\n", "x = 1\n  y = 2\n"
    )
    span = document.prose[1].span
    assert "Some text." in document.text[span.start : span.end]


def test_nbformat_3() -> None:
    old = {
        "worksheets": [{"cells": [
            {"cell_type": "heading", "level": 1, "source": ["T"]},
            {"cell_type": "code", "language": "python", "input": ["x = 1\n", "y = 2"]},
            {"cell_type": "code", "language": "julia", "input": ["x ^= 1"]},
        ]}],
        "metadata": {}, "nbformat": 3,
    }  # fmt: skip
    document = read("x.ipynb", json.dumps(old).encode(), "notebook")
    assert sources(document) == ["x = 1\ny = 2"]


def test_other_languages_are_left_alone() -> None:
    assert sources(read("x.ipynb", notebook(cell("x <- 1"), language="R"), "notebook")) == []
    foreign = cell("SELECT 1", metadata={"vscode": {"languageId": "sql"}})
    assert sources(read("x.ipynb", notebook(foreign, cell("x")), "notebook")) == ["x"]


MAGICS = [
    ("%matplotlib inline\nx = 1", "__________________\nx = 1"),
    ("x = 10 % 3", "x = 10 % 3"),
    ("x = (10\n% 3)", "x = (10\n% 3)"),
    ("s = '''\n%time\n!ls\n'''", "s = '''\n%time\n!ls\n'''"),
    ("!pip install a \\\n  b\ny = 1", "________________\n   \ny = 1"),
    ("if x:\n    !ls\nelse:\n    y", "if x:\n    ___\nelse:\n    y"),
    ("files = !ls *.png", "files = _________"),
    ("n = %timeit -o f()", "n = ______________"),
    ("%time model.fit(x)", "_____;model.fit(x)"),
    ("%%time\nx = 1", "______\nx = 1"),
    ("%%timeit -n 3\nx = 1", "_____________\nx = 1"),
    ("model.fit?", "__________"),
    ("?model\nx", "______\nx"),
    ("model??", "_______"),
    ("pip install keras", "_________________"),
    ("ls = 3\nls", "ls = 3\nls"),
    ("x = 'a?'\n!ls", "x = 'a?'\n___"),
    ("# 50%!\n%cd x", "# 50%!\n_____"),
    ("%%bash\nls", None),
    ("%%writefile a.py\nx = 1", None),
    ("%%javascript\nalert()", None),
]  # fmt: skip


@pytest.mark.parametrize(("source", "expected"), MAGICS)
def test_magics_are_masked(source: str, expected: str | None) -> None:
    assert masked(source) == expected
    if expected is not None:
        compile(expected, "cell", "exec")


def test_an_indented_cell_is_python() -> None:
    source = ["  with tf.GradientTape() as tape:\n", "    y = 1\n", "\n", "  z = 2"]
    data = notebook(IMPORTS, cell(source))
    assert lint(data).findings == ()
    document = read("x.ipynb", data, "notebook")
    snippet = document.snippets[1]
    assert snippet.source.startswith("with tf.")
    changed = apply(document.text, [snippet.edit(0, 0, "a = 0\n")])
    assert json.loads(changed)["cells"][1]["source"][:2] == ["  a = 0\n", source[0]]


def test_what_does_not_parse_is_an_error() -> None:
    (finding,) = lint(notebook(IMPORTS, cell("x = = 1"))).findings
    assert finding.rule == "LK001"
    page = cell("```python\nmodel = ...(\n```", "markdown")
    assert lint(notebook(IMPORTS, page)).findings == ()


@pytest.mark.parametrize(
    "data",
    [
        b"", b"{", b"[]", b"{}", b"1", b'"keras"', b'{"cells": 3}', b'{"cells": [1, {"source": 2}]}x',
        b'{"keras": ' + b"[" * 100_000, b"\xff\xfe{}", b'{"worksheets": [3]}',
    ],
)  # fmt: skip
def test_whatever_is_no_notebook_says_so(data: bytes) -> None:
    with pytest.raises(DocumentError):
        read("x.ipynb", data, "notebook")
    report = engine.lint("x.ipynb", data + b" keras", "notebook", CODES)
    assert [finding.rule for finding in report.findings] == ["LK001"]


@pytest.mark.parametrize(
    "content",
    [
        b'{"cells": []}', b'{"cells": [{}, 3, {"cell_type": "code"}]}',
        b'{"cells": [{"cell_type": "code", "source": [1, "x"]}]}',
        b'{"cells": [{"cell_type": "code", "source": ""}]}',
        b'{"cells": [{"cell_type": "code", "source": []}], "metadata": 3}',
    ],
)  # fmt: skip
def test_odd_notebooks_have_nothing_to_find(content: bytes) -> None:
    assert engine.lint("x.ipynb", content + b"\n", "notebook", CODES).findings == ()


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=12), min_size=1, max_size=5),
    st.sampled_from([None, 1, "\t"]), st.booleans(), st.booleans(), st.randoms(),
)  # fmt: skip
def test_every_place_maps_back(
    texts: list[str], indent: Any, ascii_only: bool, whole: bool, pick: random.Random
) -> None:
    source: Any = "\n".join(texts) if whole else [f"{text}\n" for text in texts]
    data = notebook(cell(source), indent=indent, ensure_ascii=ascii_only)
    document = read("x.ipynb", data, "notebook")
    joined = "".join(source)
    if not document.cells:
        assert joined == ""
        return
    (found,) = document.cells
    assert found.text == joined
    for piece in found.pieces:
        raw = document.text[piece.document : piece.end]
        plain = joined[piece.snippet : piece.snippet + piece.length]
        assert json.loads(f'"{raw}"') == plain
        assert found.position(piece.document) == piece.snippet
    for snippet in document.snippets:
        start = pick.randrange(len(snippet.source) + 1)
        edit = snippet.edit(start, start, 'x"\\\né')
        content = json.loads(apply(document.text, [edit]))
        inserted = 'x"\\\n' + snippet.prefix + "é"
        assert inserted in "".join(content["cells"][0]["source"])
