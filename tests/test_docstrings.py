"""Examples in docstrings: exact places, names of their own, fixes that leave the rest alone."""

from __future__ import annotations

import ast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lintkeras import engine
from lintkeras.documents import Document, read
from lintkeras.documents.docstrings import docstrings, with_examples
from lintkeras.fixes import Consent, fix
from lintkeras.rulebook import load
from lintkeras.syntax.edits import apply

CODES = load().select(["ALL"])
BAD = """\
with tf.GradientTape() as tape:
    loss = model(x)
first = tape.gradient(loss, x)
second = tape.gradient(loss, model.trainable_variables)
print(second)
"""
HEAD = "import tensorflow as tf\n\n\n"


def document(source: str) -> Document:
    return with_examples(read("x.py", source.encode(), "python"))


def examples(source: str) -> list[str]:
    return [snippet.source for snippet in document(source).snippets[1:]]


def lint(data: bytes) -> engine.FileReport:
    return engine.lint("x.py", data, "python", CODES)


def indented(code: str, prefix: str = "    ") -> str:
    return "".join(prefix + line for line in code.splitlines(keepends=True))


def in_fence(code: str, quotes: str = '"""') -> str:
    inner = indented(f"```python\n{code}```\n")
    return f"{HEAD}def f():\n    {quotes}Does it.\n\n    Example:\n\n{inner}    {quotes}\n    return 1\n"


def in_session(code: str) -> str:
    prompts = "".join(
        ("... " if line.startswith(" ") else ">>> ") + line for line in code.splitlines(True)
    )
    inner = indented(prompts + "<output>\n")
    return f'{HEAD}class A:\n    """Does it.\n\n{inner}    """\n'


def test_fences_and_sessions() -> None:
    source = (
        '"""Module.\n\n```python\na = 1\n```\n\n```\nno = 1\n```\n\n```bash\nls\n```\n"""\n'
        "class A:\n    '''Class.\n\n    >>> b = 1\n    >>> for x in y:\n    ...     b\n    1\n\n"
        "    Text.\n\n    ~~~py\n    c = 1\n\n      d = 2\n    ~~~\n    '''\n"
        '    def f(self):\n        r"""F.\n\n        ```python\n        >>> e = \'\\d\'\n        3\n        ```"""\n'
    )
    assert examples(source) == [
        "a = 1\n", "b = 1\nfor x in y:\n    b\n", "c = 1\n\n  d = 2\n", "e = '\\d'\n",
    ]  # fmt: skip
    assert [s.space for s in document(source).snippets] == [0, 1, 2, 2, 3]


@pytest.mark.parametrize("source", [in_fence(BAD), in_session(BAD), in_fence(BAD, "'''")])
def test_findings_and_fixes(source: str) -> None:
    (finding,) = lint(source.encode()).findings
    assert finding.rule == "LK110"
    at = source.index("second = tape") + len("second = ")
    assert (finding.span.start, source[at:].split("(")[0]) == (at, "tape.gradient")
    fixed = fix(source.encode(), Consent(), lint).data.decode()
    assert fixed == source.replace("GradientTape()", "GradientTape(persistent=True)")


def test_each_docstring_has_its_own_names() -> None:
    first, second = BAD.split("second", 1)
    source = in_fence(first) + "\n\n" + in_fence("second" + second).replace(HEAD, "")
    assert lint(source.encode()).findings == ()
    both = HEAD + 'def f():\n    """F.\n\n' + indented(f"```python\n{first}```\n")
    both += indented(f"\nThen:\n\n```python\nsecond{second}```\n") + '    """\n'
    assert [f.rule for f in lint(both.encode()).findings] == ["LK110"]


def test_the_names_that_the_file_imports_are_known() -> None:
    assert (
        lint(in_fence(BAD).replace("import tensorflow as tf", "tf = tensorflow").encode()).findings
        == ()
    )


def test_partial_code_is_no_error() -> None:
    assert lint(in_fence("model = Sequential([...\n").encode()).findings == ()


def test_a_comment_behind_the_quotes_silences() -> None:
    source = in_fence(BAD).replace(
        '    """\n    return', '    """  # lintkeras: ignore[LK110]\n    return'
    )
    assert lint(source.encode()).findings == ()


def test_escapes() -> None:
    source = 'def f():\n    """F \\x41.\n\n    ```python\n    s = \'a\\\\nb\'\n    t = 1\n    ```\n    """\n'
    (snippet,) = document(source).snippets[1:]
    assert snippet.source == "s = 'a\\nb'\nt = 1\n"
    start = snippet.source.index("t = 1")
    span = snippet.span(start, start + 5)
    assert source[span.start : span.end] == "t = 1"
    one_line = apply(source, [snippet.edit(start, start + 5, "t = '\\n'")])
    assert document(one_line).snippets[1].source == "s = 'a\\nb'\nt = '\\n'\n"
    changed = apply(source, [snippet.edit(start, start + 5, "t = '\\n'\nu = 2")])
    (again,) = document(changed).snippets[1:]
    assert again.source == "s = 'a\\nb'\nt = '\\n'\nu = 2\n"


@pytest.mark.parametrize(
    "source",
    [
        "def f():\n    ''' ```python\n", 'def f():\n    "a" " >>> x"\n', 'f""" >>> x"""\n',
        'b""" >>> x"""\n', "x = 1\n''' >>> y'''\n", '"""\n```python\n```\n>>>\n"""\n', '""">>>"""',
        '"""\\N{BULLET}\n>>> \n"""\n', "\x0c'''\n>>> x\n'''\n", "'''\n>>> x\x0c\n'''\n",
    ],
)  # fmt: skip
def test_odd_docstrings(source: str) -> None:
    found = document(source)
    for snippet in found.snippets[1:]:
        for piece in snippet.pieces:
            there = found.text[piece.document : piece.document + piece.length]
            assert (
                piece.width is not None or there == snippet.source[piece.snippet :][: piece.length]
            )


@settings(max_examples=200, deadline=None)
@given(st.text(st.sampled_from("ab \\\n'\"é😀\t\r{}N0x>`"), max_size=30), st.booleans())
def test_what_python_reads_is_what_is_read(text: str, raw: bool) -> None:
    source = f"def é(x='é'):\n    {'r' if raw else ''}'''{text}'''\n"
    try:
        expected = ast.parse(source.replace("\r\n", "\n").replace("\r", "\n"))
    except (SyntaxError, ValueError):
        assert list(docstrings(source)) == []
        return
    for docstring in docstrings(source):
        (function,) = expected.body
        assert isinstance(function, ast.FunctionDef)
        value = docstring.text.replace("\r\n", "\n").replace("\r", "\n")
        assert value == ast.get_docstring(function, clean=False)
        for piece in docstring.pieces:
            if piece.width is None:
                there = source[piece.document : piece.document + piece.length]
                assert there == docstring.text[piece.snippet : piece.snippet + piece.length]
