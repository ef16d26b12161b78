"""Documents, positions and the guards against bad input."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import libcst as cst
import pytest
from libcst.metadata import PositionProvider

from lintkeras.documents import DocumentError, read
from lintkeras.syntax.layout import lost_blanks
from lintkeras.syntax.parse import ParseFailure, parse_snippet
from lintkeras.syntax.program import Program

PAGE = """---
title: "not prose"
---
# Heading *one*

Text with [a link](x) and `code`.

- item
  ```python
  x = "é😀"
  y = x
  ```

> ```py
> z = 1
> ```

~~~text
no = python
~~~

```python
last = 2
"""


def program(text: str, kind: str = "markdown") -> Program:
    document = read("page", text.encode(), kind)
    return Program(document, tuple(parse_snippet(s) for s in document.snippets))


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_fences_map_back_to_the_file(newline: str) -> None:
    text = PAGE.replace("\n", newline)
    found = program(text)
    assert [s.source.replace(newline, "\n") for s in found.document.snippets] == [
        'x = "é😀"\ny = x\n', "z = 1\n", "last = 2\n",
    ]  # fmt: skip
    for snippet in found.document.snippets:
        for offset, character in enumerate(snippet.source):
            assert text[snippet.offset(offset)] == character
    names = [n for m in found.modules for n in _names(m)]
    assert [text[slice(*_range(found, n))] for n in names] == [n.value for n in names]


def _names(module: cst.CSTNode) -> list[cst.Name]:
    own = [module] if isinstance(module, cst.Name) else []
    return own + [name for child in module.children for name in _names(child)]


def _range(found: Program, node: cst.CSTNode) -> tuple[int, int]:
    span = found.span(node)
    return span.start, span.end


def test_prose_without_front_matter_and_markup() -> None:
    prose = program(PAGE).document.prose
    assert [(p.kind, p.text) for p in prose][:2] == [
        ("heading", "Heading one"), ("paragraph", "Text with a link and `code`."),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        "<Note>\nOne *two*.\n</Note>\n",
        "<Tabs>\n  <Tab title='a'>\n  One two.\n  </Tab>\n</Tabs>\n",
        "<details open>\nOne two.\n</details>\n",
        "<Icon name='x' />\nOne two.\n",
        ":::note\nOne two.\n:::\n",
    ],
)
def test_text_between_lines_that_only_frame_it(text: str) -> None:
    assert [(p.kind, p.text) for p in program(text).document.prose] == [("paragraph", "One two.")]


def test_insertions_carry_the_prefix_of_the_block() -> None:
    found = program(PAGE)
    edit = found.replace(_names(found.modules[1])[0], "a\nb")
    assert edit.text == "a\n> b"


def test_positions_agree_with_libcst_on_the_standard_library() -> None:
    import textwrap

    source = Path(textwrap.__file__).read_text(encoding="utf-8")
    found = program(source, "python")
    wrapper = cst.MetadataWrapper(found.modules[0], unsafe_skip_copy=True)
    lines = source.splitlines(keepends=True)
    for node, place in wrapper.resolve(PositionProvider).items():
        if isinstance(node, (cst.BaseExpression, cst.BaseSmallStatement)):
            start = sum(map(len, lines[: place.start.line - 1])) + place.start.column
            end = sum(map(len, lines[: place.end.line - 1])) + place.end.column
            assert found.local_span(node) == (start, end), type(node)


DEEP = {
    "brackets": "(" * 20_000 + "1" + ")" * 20_000,
    "few brackets": "(" * 2_000 + "1" + ")" * 2_000,
    "sum": "a" + " + a" * 20_000,
    "attributes": "a" + ".b" * 20_000,
    "calls": "a" + "()" * 20_000,
    "not": "not " * 20_000 + "a",
    "elif": "if a: pass\n" + "elif a: pass\n" * 20_000,
    "lambda": "lambda: " * 20_000 + "a",
    "blocks": "".join(" " * i + "if a:\n" for i in range(3_000)) + " " * 3_000 + "pass",
}


@pytest.mark.parametrize("name", DEEP)
def test_deep_code_is_refused_and_the_process_lives(name: str) -> None:
    code = (
        "import sys\n"
        "from lintkeras.documents import read\n"
        "from lintkeras.syntax.parse import parse_snippet, ParseFailure\n"
        "from lintkeras.syntax.stack import run_with_deep_stack as run\n"
        "document = read('x', sys.stdin.buffer.read(), 'python')\n"
        "try:\n    run(lambda: parse_snippet(document.snippets[0]))\n"
        "except ParseFailure as failure:\n    print(failure)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], input=DEEP[name].encode(), capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr[-500:]
    assert b"cannot be analyzed" in done.stdout


def test_ordinary_long_code_is_not_too_deep() -> None:
    program("x = [" + "a.b(c) + 1, " * 5_000 + "]\n" + "y = 1\n" * 50_000, "python")


def test_failures_are_clear() -> None:
    with pytest.raises(DocumentError, match="0xff"):
        read("x.py", b"import keras\n\xff", "python")
    with pytest.raises(ParseFailure) as failure:
        program("import keras\nx = = 1\n", "python")
    assert failure.value.offset == len("import keras\nx = ")


def test_blanks_that_libcst_loses_shift_nothing() -> None:
    source = (
        "try:\n    a = 1\nexcept  ( B , C )   :\n    d = 2\nexcept E as f\t:\n    g = 3\n"
        'finally :\n    h = """i :"""\nj = k\n'
    )
    found = program(source, "python")
    assert found.modules[0].code != source
    names = _names(found.modules[0])
    assert sorted(name.value for name in names) == list("BCEadfghjk")
    assert [found.text(name) for name in names] == [name.value for name in names]
    handler = next(n for n in found.nodes if isinstance(n, cst.ExceptHandler))
    assert found.text(handler) == "except  ( B , C )   :\n    d = 2"


@pytest.mark.parametrize(
    ("code", "source", "shifts"),
    [
        ("ab", "ab", [(0, 0)]),
        ("ab", "a b", [(0, 0), (1, 1)]),
        ("a b c", "a  b \\\n c", [(0, 0), (2, 1), (4, 4)]),
        ("ab", "ab\n", [(0, 0), (2, 1)]),
        ("x" * 999 + ":", "x" * 999 + "  :", [(0, 0), (999, 2)]),
    ],
)
def test_lost_blanks(code: str, source: str, shifts: list[tuple[int, int]]) -> None:
    assert lost_blanks(code, source) == shifts


@pytest.mark.parametrize(
    ("code", "source"), [("ab", "ac"), ("a b", "ab"), ("ab", "a"), ("a", "ab")]
)
def test_code_that_does_not_come_back_is_refused(code: str, source: str) -> None:
    with pytest.raises(ParseFailure, match="does not give this code back"):
        lost_blanks(code, source)
