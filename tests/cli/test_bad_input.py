"""Whatever a file holds, its process lives and says what it is, and the others are checked."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.cli.command import STEP, check

K = STEP.format(comment="")
FOUND = "LK103"
PAGE = f"```python\n{K}```\n"


def x(expression: str) -> str:
    return f"{K}x = {expression}\n"


NOT_READ: dict[str, tuple[str | bytes, str]] = {
    "no Python": ("import keras\nthis is no Python\n", "bad.py:2:12: error: invalid syntax"),
    "Python 2": ("import keras\nprint 'x'\n", "bad.py:2:1: error: Missing parentheses"),
    "no end": ("import keras\nx = (1,\n", "bad.py:2:5: error: '(' was never closed"),
    "bad indent": ("import keras\nif 1:\nx\n", "bad.py:3:1: error: expected an indented block"),
    "no UTF-8": (b"import keras\nx = '\xe9'\n", "bad.py:2:6: error: cannot be decoded as utf-8: byte 0xe9"),
    "a lone surrogate": (b"import keras\n'\xed\xa0\x80'\n", "bad.py:2:2: error: cannot be decoded as utf-8: byte 0xed"),
    "UTF-16": (K.encode("utf-16"), "bad.py:1:1: error: cannot be decoded as utf-8: byte 0xff"),
    "UTF-16 without a mark": (K.encode("utf-16-le"), "error: source code cannot contain null bytes"),
    "a null byte": (b"import keras\nx\0 = 1\n", "bad.py:2:2: error: source code cannot contain null bytes"),
    "unknown coding": (b"# coding: foo\nimport keras\n", "error: cannot be decoded: unknown encoding: foo"),
    "no text coding": (b"# coding: rot13\nimport keras\n", "error: cannot be decoded as rot13"),
    "undefined coding": (b"# coding: undefined\nimport keras\n", "error: cannot be decoded as undefined"),
    "2,000 parentheses": (x("(" * 2_000 + "1" + ")" * 2_000), "more than 200 nested brackets"),
    "20,000 parentheses": (x("(" * 20_000 + "1" + ")" * 20_000), "more than 200 nested brackets"),
    "unclosed parentheses": (x("(" * 20_000), "more than 200 nested brackets"),
    "20,000 terms": (x("a" + " + a" * 20_000), "more than 1000 links in a chain"),
    "20,000 attributes": (x("a" + ".b" * 20_000), "more than 1000 links in a chain"),
    "20,000 calls": (x("a" + "()" * 20_000), "more than 1000 links in a chain"),
    "5,000 methods": (x("a" + ".b(1, c=2)" * 5_000), "more than 1000 links in a chain"),
    "20,000 not": (x("not " * 20_000 + "a"), "more than 1000 links in a chain"),
    "20,000 lambda": (x("lambda a, b: " * 20_000 + "a"), "more than 1000 links in a chain"),
    "20,000 for": (x("[a " + "for a, b in c " * 20_000 + "]"), "more than 1000 links in a chain"),
    "prefixes in brackets": (x(("-" * 500 + "(") * 150 + "a" + ")" * 150), "more than 1000 links"),
    "sums in brackets": (x("(" * 150 + "a" + (" + a" * 20 + ")") * 150), "more than 1000 links"),
    "20,000 elif": (K + "if a: pass\n" + "elif a:\n    for b in c: pass\n" * 20_000, "1000 links in a chain"),
    "3,000 blocks": (K + "".join(" " * i + "if a:\n" for i in range(3_000)), "more than 100 nested blocks"),
    "20,000 strings": (x("(" + "'a' " * 20_000 + ")"), "more than 3000 strings side by side"),
    "brackets in an f-string": (x("f'{" + "(" * 3_000 + "a" + ")" * 3_000 + "}'"), "200 nested brackets"),
    "prefixes in an f-string": (x("f'''{" + "-" * 20_000 + "a}'''"), "more than 1000 links in a chain"),
    "braces in an f-string": (x("f'" + "{a:" * 3_000 + "}" * 3_000 + "'"), "200 nested brackets"),
}  # fmt: skip


@pytest.mark.parametrize("name", NOT_READ)
def test_a_file_that_cannot_be_read(tmp_path: Path, name: str) -> None:
    text, message = NOT_READ[name]
    (tmp_path / "bad.py").write_bytes(text if isinstance(text, bytes) else text.encode())
    (tmp_path / "good.py").write_text(K)
    done = check(".", cwd=tmp_path)
    assert done.code == 1
    bad, good = done.out.splitlines()
    assert bad.startswith("bad.py:")
    assert message in bad
    assert bad.endswith("[LK001]")
    assert good.endswith(f"[{FOUND}]")
    fixed = check("--fix", "--unsafe-fixes", "bad.py", cwd=tmp_path)
    assert fixed.code == 1
    assert (tmp_path / "bad.py").read_bytes() == (
        text if isinstance(text, bytes) else text.encode()
    )


READ: dict[str, str | bytes] = {
    "latin-1": b"# -*- coding: latin-1 -*-\nx = '\xe9'\n" + K.encode(),
    "byte-order mark": b"\xef\xbb\xbf" + K.encode(),
    "bare carriage returns": K.replace("\n", "\r"),
    "CRLF": K.replace("\n", "\r\n"),
    "mixed newlines": K.replace("\n", "\r\n", 3)
    .replace("    loss", "\tloss", 0)
    .replace("\n", "\r", 1),
    "form feeds": "\f" + K.replace("\n\n", "\n\f\n"),
    "tabs": K.replace("    ", "\t"),
    "no newline at the end": K.rstrip(),
    "emoji": K.replace("grads = [", "'😀学'; grads = ["),
    "a surrogate in a string": K + "y = '\\ud800'\n",
    "invalid escapes": "x = '\\d'\nassert (x, 1)\n" + K,
    "200 parentheses": x("(" * 200 + "1" + ")" * 200),
    "900 terms": x("a" + " + a" * 900),
    "900 attributes": x("a" + ".b" * 900),
    "450 methods": x("a" + ".b(1, c=2)" * 450),
    "900 elif": K + "if a: pass\n" + "elif a: pass\n" * 900,
    "900 prefixes": x("-" * 900 + "a"),
    "900 conditions": x("a if b else " * 900 + "c"),
    "2,900 strings": x("(" + "'{a}(' " * 2_900 + ")"),
    "3,000 fields of an f-string": x("f'" + "{a} {{" * 3_000 + "'"),
    "a big dictionary": x("{" + "'a': [1, -2.5, f(b.c)], " * 3_000 + "}"),
    "a long string": x("'''" + "SELECT (a.b) FROM c -- 'd'\n" * 20_000 + "'''"),
    "lambdas in a list": x("[" + "lambda a, b: a + b, " * 2_000 + "]"),
    "many decorators": "".join(f"@a.b({i})\n" for i in range(2_000)) + "def f(): pass\n" + K,
    "a line of 100,000 characters": K.replace("    grads = [", f"    '{'a' * 100_000}'; grads = ["),
}


@pytest.mark.parametrize("name", READ)
def test_an_odd_file_that_can_be_read(tmp_path: Path, name: str) -> None:
    text = READ[name]
    (tmp_path / "odd.py").write_bytes(text if isinstance(text, bytes) else text.encode())
    done = check(".", cwd=tmp_path)
    (line,) = done.out.splitlines()
    assert line.startswith("odd.py:")
    assert line.endswith(f"[{FOUND}]")
    assert done.code == 1


PAGES: dict[str, tuple[str | bytes, list[str]]] = {
    "an unclosed fence": (f"# x\n\n```python\n{K}", ["page.md:14:13"]),
    "an unclosed fence before prose": (f"```python\n{K}```\n\n```python\nimport keras\n\nEnd of it.\n", ["page.md:12:13"]),
    "a fence that does not parse": (f"```python\nx = = 1\n```\n\n{PAGE}", ["page.md:16:13"]),
    "a fence with a null byte": (f"```python\nx = \0\n```\n\n{PAGE}", ["page.md:16:13"]),
    "a fence that is too deep": (f"```python\nx = {'(' * 3000}\n```\n\n{PAGE}", ["page.md:2:205", "page.md:16:13"]),
    "placeholders": (f"```python\nmodel = ...\n{{{{ code }}}}\n```\n\n{PAGE}", ["page.md:17:13"]),
    "bare carriage returns": (PAGE.replace("\n", "\r"), ["page.md:12:13"]),
    "CRLF and a mark": (b"\xef\xbb\xbf" + PAGE.replace("\n", "\r\n").encode(), ["page.md:12:13"]),
    "no UTF-8": (b"keras \xff\n" + PAGE.encode(), ["page.md:1:7"]),
    "UTF-16": (PAGE.encode("utf-16"), ["page.md:1:1"]),
    "2,000 quotes": (f"{PAGE}\n{'> ' * 2000}keras\n", ["page.md:12:13"]),
    "20,000 brackets": (f"{PAGE}\n{'[' * 20_000}\n", ["page.md:12:13"]),
    "20,000 stars": (f"{PAGE}\n{'*a ' * 20_000}\n", ["page.md:12:13"]),
    "5,000 fences": (PAGE + "```python\ny = 1\n```\n" * 5_000, ["page.md:12:13"]),
    "an empty page": ("", []),
}  # fmt: skip


@pytest.mark.parametrize("name", PAGES)
def test_an_odd_page(tmp_path: Path, name: str) -> None:
    text, found = PAGES[name]
    (tmp_path / "page.md").write_bytes(text if isinstance(text, bytes) else text.encode())
    done = check(".", cwd=tmp_path)
    assert [line.split(": ")[0] for line in done.out.splitlines()] == found
    assert done.code == bool(found)


@pytest.mark.parametrize("text", ["", "\n", " \t\f\n# keras\n", "\ufeff"])
def test_an_empty_file(tmp_path: Path, text: str) -> None:
    (tmp_path / "x.py").write_text(text, encoding="utf-8")
    done = check(".", cwd=tmp_path)
    assert (done.code, done.out, done.err) == (0, "", "")


def test_a_file_of_50_000_lines(tmp_path: Path) -> None:
    functions = "".join(
        f"def f{i}(a, b):\n    c = tf.add(a, b)\n    return c * {i}\n\n\n" for i in range(10_000)
    )
    (tmp_path / "long.py").write_text(f"{functions}{K}")
    start = time.monotonic()
    done = check("long.py", cwd=tmp_path)
    print(f"50,000 lines in {time.monotonic() - start:.1f} s")
    assert done.out.startswith("long.py:50011:13: warning: ")
    assert done.code == 1
