"""The fast walk gives what libcst's own gives, but for whitespace, marks and comments."""

from __future__ import annotations

from pathlib import Path

import libcst as cst
import pytest

import lintkeras
from lintkeras.syntax.tree import _TRIVIA, children, comments

FILES = sorted(Path(lintkeras.__file__).parent.glob("meaning/*.py"))
RARE = """
@a
@b(c, *d, **e)  # one
async def f(x, /, y: int = 1, *z, k=2, **w) -> int:  # two
    async with a as b, c: pass
    async for i in j: await k
    else: del l, m
    return [n async for o, n in p if q if r], {s: t for u in v}, {*w}, {**x, y: z}
@dataclass
class C(D, metaclass=E):
    x: int = (yield)
    match f(x):
        case [1, *a] | {"k": b, **c} | D(e, f=g) | (h as i) if j: k = l if m else n
        case None | -1j: raise o from p
    try: global q; x[1:2, ::3] += (y := 1)
    except* E as f: nonlocal r
    else: assert s, t
    finally: print(f"{u!r:>{v}}" "w", not a < b <= c is not d)
from ..m import (n as o, p)
import q.r as s, t
lambda *, a: -a ** ~b @ c
"""


@pytest.mark.parametrize("path", [None, *FILES], ids=lambda p: p.name if p else "rare")
def test_children(path: Path | None) -> None:
    module = cst.parse_module(RARE if path is None else path.read_text())
    stack: list[cst.CSTNode] = [module]
    while stack:
        node = stack.pop()
        expected = [child for child in node.children if not isinstance(child, _TRIVIA)]
        found = children(node)
        assert len(found) == len(expected)
        assert all(a is b for a, b in zip(found, expected, strict=True))
        stack.extend(expected)


def test_comments() -> None:
    function = cst.parse_module(RARE).body[0]
    assert [comment.value for comment in comments(function)] == ["# one", "# two"]
