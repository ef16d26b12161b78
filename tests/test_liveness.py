"""Assignments that nobody reads."""

from __future__ import annotations

import textwrap

import libcst as cst
import pytest

from lintkeras.syntax.liveness import unread


def found(body: str) -> list[str]:
    """The unread targets of a function with that body."""
    module = cst.parse_module(f"def f(a, b):\n{textwrap.indent(body, '    ')}\n")
    function = module.body[0]
    assert isinstance(function, cst.FunctionDef)
    return sorted(name.value for name in unread(function))


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("x = a", ["x"]),
        ("x = a\nreturn x", []),
        ("x = a\nx = b\nreturn x", ["x"]),
        ("x = a\nx = x + b\nreturn x", []),
        ("x = a\nx += b", ["x"]),
        ("x, y = a\nprint(y)", ["x"]),
        ("(x, *y) = a", ["x", "y"]),
        ("x: int = a", ["x"]),
        ("x.y = a\nz[x] = b", []),
        ("x = a\nx.y = b", []),
        ("x = a\nif b:\n    print(x)", []),
        ("x = a\nif b:\n    x = 1\nelse:\n    x = 2\nprint(x)", ["x"]),
        ("x = a\nif b:\n    x = 1\nprint(x)", []),
        ("x = a\nif a:\n    return 1\nelif b:\n    return x", []),
        ("for g in a:\n    g = g * 2", ["g"]),
        ("for g in a:\n    g *= 2", ["g"]),
        ("for g in a:\n    g = g * 2\n    print(g)", []),
        ("for g in a:\n    g = g * 2\nprint(g)", []),
        ("for g, v in zip(a, b):\n    g = g + v", ["g"]),
        ("for i in a:\n    x = x + i", []),  # read in the next round
        ("for i in a:\n    x = i\n    if b:\n        break\n    x = 0", ["x", "x"]),
        ("for i in a:\n    x = i\n    if b:\n        continue\n    print(x)", []),
        ("for i in a:\n    x = i\n    if b:\n        break\nelse:\n    x = 0\nprint(x)", []),
        ("x = a\nwhile x:\n    x = x - 1", []),
        ("x = a\nwhile b:\n    x = 1\n    break\nprint(x)", []),
        ("x = a\nwhile b:\n    y = x\n    x = 1", ["y"]),
        ("for i in a:\n    for g in b:\n        g = g + i", ["g"]),
        ("x = [g for g in a]\nprint([g for g in b])", ["x"]),
        ("g = a\nprint([g for g in b])", ["g"]),
        ("g = a\nprint([g for x in b])", []),
        ("g = a\nprint([x for x in g])", []),
        ("g = a\nprint({g: 1 for g in g})", []),
        ("g = a\nprint(lambda g: g)", []),  # the same word, in a function of its own
        ("g = a\ndef h():\n    return g", []),
        ("g = a\nh = lambda: g\ng = b\nreturn h", []),
        ("x = a\ntry:\n    x = b()\n    x = 1\nexcept Error:\n    print(x)", ["x"]),
        ("try:\n    x = a\nfinally:\n    print(b)", ["x"]),
        ("try:\n    x = a\n    return 1\nfinally:\n    print(x)", []),
        ("try:\n    x = a\nexcept Error:\n    pass\nelse:\n    print(x)", []),
        ("with a as x:\n    y = b", ["x", "y"]),
        ("with a:\n    x = b\n    x = 1\nprint(x)", []),  # `a` may end the block between the two
        ("x = a\ndel x", ["x"]),
        ("global x\nx = a", []),
        ("x = a\nreturn locals()", []),
        ("x = a\nreturn f'{x}'", []),
        ("x = a\nprint(x=b)", ["x"]),
        ("x = a\nprint(b.x)", ["x"]),
        ("x = a\nassert x", []),
        ("x = a\nraise x", []),
        ("x = a\nimport x\nprint(x)", ["x"]),
        ("x = a\nmatch b:\n    case 1:\n        print(x)", []),
        ("x = a\nif (x := b):\n    print(x)", []),
        ("async def g():\n    pass\nx = a\nawait x", []),
    ],
)
def test_functions(body: str, expected: list[str]) -> None:
    assert found(body) == expected


def test_modules_follow_each_other() -> None:
    modules = [cst.parse_module("x = 1\ny = 2\n"), cst.parse_module("print(x)\n")]
    assert [name.value for name in unread(modules)] == ["y"]


def test_nested_loops_stay_cheap() -> None:
    depth = 18
    lines = [f"{'    ' * i}for i{i} in a:" for i in range(depth)] + ["    " * depth + "x = a"]
    assert "x" not in found("\n".join(lines))
