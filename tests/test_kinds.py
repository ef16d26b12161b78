"""Every kind of document, in the shapes that authors give it: code, prose, places, fixes, comments."""

from __future__ import annotations

import json
from textwrap import indent

import pytest

from lintkeras import engine
from lintkeras.documents import read
from lintkeras.fixes import Consent, fix
from lintkeras.rulebook import load

CODES = load().select(["ALL"])
FIRST = """\
import tensorflow as tf

with tf.GradientTape() as tape:
    loss = model(x)
"""
SECOND = """\
first = tape.gradient(loss, x)
second = tape.gradient(loss, model.trainable_variables)
"""
CODE = FIRST + SECOND
CLAIM = "Keras does not allow a different activation in the backward pass."


def fence(code: str = CODE, info: str = "python", ticks: str = "```", deep: int = 0) -> str:
    return indent(f"{ticks}{info}\n{code}{ticks}\n", " " * deep)


def session(code: str = CODE, deep: int = 0) -> str:
    lines = code.splitlines()
    return "".join(
        " " * deep + f"{'...' if line.startswith(' ') else '>>>'} {line}\n"
        for line in lines
        if line
    )


def block(name: str, code: str = CODE, deep: int = 0) -> str:
    return indent(f".. {name}\n\n{indent(code, '   ')}\n", " " * deep)


def notebook(*cells: tuple[str, str], **more: object) -> str:
    return json.dumps({
        "cells": [
            {"cell_type": kind, "metadata": {"tags": ["hide"]}, "source": text.splitlines(True)}
            for kind, text in cells
        ],
        "nbformat": 4, "nbformat_minor": 5, "metadata": {}, **more,
    }, indent=1)  # fmt: skip


def docstring(text: str) -> str:
    return f'def f():\n    """Does it.\n\n{indent(text, "    ")}    """\n'


MARKDOWN = {
    "list": f"1. One\n\n   - Two\n\n{fence(deep=5)}",
    "list and quote": "- One\n  > Two\n  >\n" + indent(fence(), "  > ", lambda line: True),
    "quote and list": indent(f"- One\n\n{fence(deep=2)}", "> ", lambda line: True),
    "table above": f"| a | `b` |\n|---|---|\n| c | d |\n\n{fence()}",
    "shared": f"{fence(FIRST)}\nand then\n\n- in a list\n\n{fence(SECOND, deep=2)}",
    "tildes": fence(info="py title='x'", ticks="~~~~"),
    "braces": fence(info="{.python .numberLines}"),
    "braces after": fence(info="python {highlight: [1]}"),
    "upper": fence(info="Python"),
    "ipython cell": fence(info="{code-cell} ipython3").replace("3\n", "3\n:tags: [hide-input]\n\n"),
    "yaml of a cell": fence(info="{code-cell}").replace("}\n", "}\n---\ntags: [a]\n---\n"),
    "code-block": fence(info="{code-block} python").replace("python\n", "python\n:linenos:\n"),
    "testcode": fence(info="{testcode}"),
    "doctest": fence(session(), info="{doctest}"),
    "pycon": fence(session(), info="pycon"),
    "python of a prompt": fence(session()),
    "admonition": f'!!! note "Title"\n    Text.\n\n{fence(deep=4)}',
    "admonition at once": f"Text\n!!! note\n{fence(deep=4)}",
    "collapsed": f"???+ warning\n\n    - item\n\n{fence(deep=8)}\nText\n",
    "admonition in a list": f"- item\n\n    !!! tip inline end\n\n{fence(deep=8)}",
    "tabs": f'=== "One"\n\n    Text\n\n=== "Two"\n\n{fence(deep=4)}',
    "tab in an admonition": f'!!! note\n\n    === "One"\n\n{fence(deep=8)}',
    "colons": f":::{{note}}\nText\n{fence()}:::\n",
    "nested colons": f"::::{{tab-set}}\n:::{{tab-item}} One\n:sync: a\n{fence()}:::\n::::\n",
    "docusaurus": f":::note Title\n\n{fence()}\n:::\n",
    "quarto": f"::: {{.callout-note}}\n{fence(info='{python}')}:::\n",
    "directive": f"````{{admonition}} Title\n:class: tip\n\nText\n{fence()}````\n",
    "directives": f"`````{{tab-set}}\n````{{tab-item}} One\n{fence()}````\n`````\n{fence('x = 1')}",
    "directive in a list": f"- item\n\n{indent(f'````{{note}}{chr(10)}{fence()}````', '  ')}\n",
    "front matter": f"---\ntitle: x\n---\n\n{fence()}",
    "toml front matter": f"+++\ntitle = 'x'\n+++\n{fence()}",
    "mdx": f"import Tabs from '@theme/Tabs';\n\nexport const a = {{}};\n\n<Tabs items={{[1]}}>\n  "
    f"<Tab value='a'>\n\n{fence()}\n  </Tab>\n</Tabs>\n",
    "mdx at once": f"<Tabs>\n<Tab title='a'>\nText\n{fence()}</Tab>\n</Tabs>\n",
    "html": f"<details>\n<summary>More</summary>\n\n{fence()}\n</details>\n",
    "alert": indent(f"[!NOTE]\nText\n\n{fence()}", "> ", lambda line: True),
    "magics": fence("%matplotlib inline\n!pip install x \\\n  y\n" + CODE),
    "odd letters": f"# 標題 🎈\n\n- é\tà\n\n{fence('s = ' + repr('漢字🎈') + chr(10) + CODE, deep=2)}",
    "tabs before": "-\tx\n\n" + indent(fence(), "\t"),
    "docstring in a fence": fence(docstring(fence(FIRST + SECOND))),
}  # fmt: skip
RST = {
    "code-block": block("code-block:: python\n   :linenos:"),
    "sourcecode": block("sourcecode:: python3"),
    "code": block("code:: python"),
    "testcode": block("testcode::"),
    "doctest": block("doctest::", session()),
    "session": session(),
    "literal": f"Like this::\n\n{indent(CODE, '    ')}\nText\n",
    "literal session": f"Like this ::\n\n{session(deep=4)}\nText\n",
    "note": f".. note::\n\n{block('code-block:: python', deep=3)}",
    "note beside": f".. note:: Text\n   goes on\n\n{block('code-block:: python', deep=3)}",
    "admonition": f".. admonition:: Title\n   :class: tip\n\n{block('code:: python', deep=3)}",
    "tabs": f".. tabs::\n\n   .. group-tab:: One\n\n{block('code-block:: python', deep=6)}",
    "tab-set": f".. tab-set::\n\n    .. tab-item:: A\n        :sync: a\n\n{block('code:: py', deep=8)}",
    "unknown": f".. my-directive:: x\n   :y: z\n\n{block('code-block:: python', deep=3)}",
    "list": f"* One\n\n  #. Two\n\n{block('code-block:: python', deep=5)}",
    "beside an item": f"#. {block('code-block:: python', deep=3).lstrip()}\n#. Text\n",
    "beside items": f"* - A\n  - {block('code-block:: python', deep=4).lstrip()}",
    "session beside an item": f"* {session(deep=2).lstrip()}",
    "definition": f"term\n   Its meaning:\n\n{block('code-block:: python', deep=3)}",
    "substitution": f"|x| is\n\n{block('code-block:: python')}\n.. |x| replace:: y\n",
    "shared": block("code-block:: python", FIRST) + "Text\n\n" + block("testcode:: a", SECOND),
    "autodoc": f".. py:class:: A(b)\n\n{block('code-block:: python', deep=3)}",
    "docstring": block("code-block:: python", docstring(session())),
    "odd letters": "é 🎈\n\n" + block("code-block:: python", "s = '漢字'\n" + CODE),
    "magics": block("ipython::", "%matplotlib inline\n" + CODE),
}
NOTEBOOK = {
    "cells": notebook(("code", FIRST), ("markdown", "# T"), ("code", "%%time\n" + SECOND)),
    "magics": notebook(("code", "!pip install x\n%cd a\nmodel?\nfiles = !ls\n" + CODE)),
    "markdown": notebook(("code", FIRST), ("markdown", f"- Then\n\n{fence(SECOND, deep=2)}")),
    "admonition": notebook(("markdown", f"!!! note\n\n{fence(deep=4)}")),
    "docstring": notebook(("code", "import tensorflow as tf\n"), ("code", docstring(fence()))),
    "docstring raw": notebook(("code", docstring(session()).replace('"""D', 'r"""D'))),
    "odd letters": notebook(("code", "s = '\\n\t\"漢字🎈é'\n" + CODE)),
    "version 3": json.dumps({
        "worksheets": [{"cells": [
            {"cell_type": "heading", "level": 1, "source": ["A"]},
            {"cell_type": "code", "language": "python", "input": CODE.splitlines(True)},
        ]}], "nbformat": 3,
    }),
}  # fmt: skip
PYTHON = {
    "fence": docstring(fence()),
    "session": docstring(session()),
    "session with outputs": docstring(session(FIRST) + "...\n<x>\n" + session(SECOND)),
    "two fences": docstring(fence(FIRST) + "\nThen\n\n- item\n\n" + fence(SECOND, deep=2)),
    "directive": docstring(block("code-block:: python\n   :caption: A")),
    "literal": docstring("Example::\n\n" + indent(CODE, "    ") + "\nText.\n"),
    "literal fence": docstring("Example::\n\n" + fence(deep=2) + "\n"),
    "escapes": docstring(fence("s = '\\\\n'\n" + CODE)),
    "class": 'class A:\n    def f(self):\n        r"""F.\n\n' + fence(deep=8) + '        """\n',
    "module": f'"""Module.\n\n{fence()}"""\n',
}
EVERY = [
    *(("x.md", "markdown", name, text) for name, text in MARKDOWN.items()),
    *(("x.rst", "rst", name, text) for name, text in RST.items()),
    *(("x.ipynb", "notebook", name, text) for name, text in NOTEBOOK.items()),
    *(("x.py", "python", name, text) for name, text in PYTHON.items()),
]


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize(
    ("path", "kind", "name", "text"), EVERY, ids=[f"{e[1]}: {e[2]}" for e in EVERY]
)
def test_code_is_found_and_mended(path: str, kind: str, name: str, text: str, newline: str) -> None:
    text = text.replace("\n", newline)

    def lint(data: bytes) -> engine.FileReport:
        return engine.lint(path, data, kind, CODES)

    (finding,) = lint(text.encode()).findings
    assert finding.rule == "LK110"
    assert text[finding.span.start :].startswith("tape.gradient(loss, model.trainable_variables)")
    fixed = fix(text.encode(), Consent(), lint).data.decode()
    assert fixed == text.replace("GradientTape()", "GradientTape(persistent=True)")
    assert lint(fixed.encode()).findings == ()


NO_CODE = [
    ("x.md", "markdown", fence(info="{r}")),
    ("x.md", "markdown", fence(info="{code-block} rst")),
    ("x.md", "markdown", fence(info="{mermaid}")),
    ("x.md", "markdown", fence("%%bash\n" + CODE)),
    ("x.md", "markdown", f"    !!! note\n\n{fence(deep=8)}"),
    ("x.rst", "rst", f".. highlight:: bash\n\nLike this::\n\n{indent(CODE, '    ')}"),
    ("x.rst", "rst", block("parsed-literal::", block("code-block:: python"))),
    ("x.rst", "rst", block("code-block:: bash")),
    ("x.ipynb", "notebook", notebook(("raw", CODE))),
    ("x.ipynb", "notebook", notebook(("code", "%%html\n" + CODE))),
    ("x.py", "python", docstring(fence(info="text"))),
]


@pytest.mark.parametrize(("path", "kind", "text"), NO_CODE)
def test_what_is_no_python(path: str, kind: str, text: str) -> None:
    assert engine.lint(path, text.encode(), kind, CODES).findings == ()


PROSE = [
    ("markdown", f"!!! note\n    {CLAIM}\n"),
    ("markdown", f'=== "Tab"\n\n    - {CLAIM}\n'),
    ("markdown", f":::{{note}}\n{CLAIM}\n:::\n"),
    ("markdown", f":::tip\n{CLAIM}\n:::\n"),
    ("markdown", f"```{{admonition}} Title\n:class: x\n{CLAIM}\n```\n"),
    ("markdown", f"> [!NOTE]\n> {CLAIM}\n"),
    ("markdown", f"<Tabs>\n\n{CLAIM}\n\n</Tabs>\n"),
    ("markdown", CLAIM.replace("activation", "{term}`activation`")),
    ("rst", f".. note::\n\n   {CLAIM}\n"),
    ("rst", f".. note:: {CLAIM}\n"),
    ("rst", f".. tab-set::\n\n   .. tab-item:: A\n\n      {CLAIM}\n"),
    ("rst", f"* {CLAIM}\n"),
    ("rst", f".. py:function:: f(x)\n\n   {CLAIM}\n"),
    ("notebook", notebook(("markdown", f"!!! note\n    {CLAIM}\n"))),
    ("notebook", notebook(("code", f"import keras\n# {CLAIM}\nx = 1\n"))),
    ("notebook", notebook(("code", docstring(CLAIM + "\n")))),
    ("python", f"import keras\n\n{docstring(CLAIM + chr(10))}"),
]


def found(kind: str, text: str) -> list[str]:
    findings = engine.lint("x", text.encode(), kind, CODES).findings
    return [text[one.span.start : one.span.end] for one in findings if one.rule == "LK811"]


@pytest.mark.parametrize(("kind", "text"), PROSE)
def test_prose_is_read(kind: str, text: str) -> None:
    (sentence,) = found(kind, text)
    assert sentence.startswith("Keras does") and sentence.endswith("pass.")


IGNORE = "<!-- lintkeras: ignore LK811 reason -->"
SILENT = [
    ("markdown", f"{IGNORE}\n{CLAIM}\n"),
    ("markdown", f"{IGNORE}\n\n{CLAIM}\n"),
    ("markdown", f"- {CLAIM} {IGNORE}\n"),
    ("markdown", f"- One\n\n  {IGNORE}\n\n  {CLAIM}\n"),
    ("markdown", f"!!! note\n\n    {IGNORE}\n\n    {CLAIM}\n"),
    ("markdown", f"> [!NOTE]\n> {IGNORE}\n> {CLAIM}\n"),
    ("markdown", f":::{{note}}\n{IGNORE}\n{CLAIM}\n:::\n"),
    ("markdown", f"{{/* lintkeras: ignore LK811 */}}\n\n{CLAIM}\n"),
    ("markdown", f"<!-- lintkeras: disable LK811 -->\n\n- {CLAIM}\n\n> x\n\n{CLAIM}\n"),
    ("markdown", f"| a |\n|---|\n| <!-- lintkeras: disable LK811 --> |\n\n{CLAIM}\n"),
    ("rst", f".. lintkeras: ignore LK811 reason\n\n{CLAIM}\n"),
    ("rst", f"* One\n\n  .. lintkeras: ignore LK811\n\n  {CLAIM}\n"),
    ("rst", f".. note::\n\n   .. lintkeras: ignore LK811\n\n   {CLAIM}\n"),
    ("notebook", notebook(("markdown", f"{IGNORE}\n\n{CLAIM}\n"))),
    (
        "notebook",
        notebook(("code", f"import keras\n# lintkeras: ignore[LK811] why\n# {CLAIM}\nx = 1\n")),
    ),
    ("python", f"import keras\n# lintkeras: disable LK811\n# {CLAIM}\nx = 1\n"),
    (
        "python",
        f"import keras\n# lintkeras: disable LK811\nx = 1\n# {CLAIM}\n# lintkeras: enable LK811\n",
    ),
]


@pytest.mark.parametrize(("kind", "text"), SILENT)
def test_comments_silence(kind: str, text: str) -> None:
    assert found(kind, text) == []
    assert len(found(kind, text.replace("LK811", "LK812"))) >= 1


def test_a_setting_makes_other_files_pages() -> None:
    from lintkeras.documents import kind_of

    assert kind_of("a.mdx", {"mdx": "markdown"}) == "markdown"
    document = read("a.mdx", MARKDOWN["mdx"].encode(), "markdown")
    assert [one.source for one in document.snippets] == [CODE]
