"""Which variable a name stands for."""

from __future__ import annotations

import libcst as cst
import pytest

from lintkeras.documents import read
from lintkeras.rewrites.code import names_in
from lintkeras.rewrites.names import Names
from lintkeras.syntax.parse import parse_snippet
from lintkeras.syntax.program import Program


def program(source: str, kind: str = "python") -> Program:
    document = read("x", source.encode(), kind)
    return Program(document, tuple(parse_snippet(s) for s in document.snippets))


def described(source: str) -> dict[str, tuple[int, int]]:
    """For each variable, ``scope.name``: how often it is bound and read."""
    parsed = program(source)
    names = Names(parsed)
    found = {}
    for node in {name for module in parsed.modules for name in names_in(module)}:
        variable = names.variable(node)
        if variable is not None:
            home = variable.scope.node
            where = home.name.value if isinstance(home, (cst.FunctionDef, cst.ClassDef)) else (
                "" if home is None else type(home).__name__
            )  # fmt: skip
            found[f"{where}.{variable.name}"] = (len(variable.stores), len(variable.loads))
    return found


CASES = {
    "x = 1\nx = x + y\n": {".x": (2, 1), ".y": (0, 1)},
    "def f(a, *b, c=d, **e):\n    return a, b, c, d, e\n": {
        ".f": (1, 0), "f.a": (1, 1), "f.b": (1, 1), "f.c": (1, 1), ".d": (0, 2), "f.e": (1, 1),
    },
    "x = 1\ndef f():\n    x = 2\n    def g():\n        return x\n    return g\n": {
        ".x": (1, 0), ".f": (1, 0), "f.x": (1, 1), "f.g": (1, 1),
    },
    "x = 1\nclass A:\n    x = 2\n    y = x\n    def f(self):\n        return x\n": {
        ".x": (1, 1), ".A": (1, 0), "A.x": (1, 1), "A.y": (1, 0), "A.f": (1, 0), "f.self": (1, 0),
    },
    "g = 1\nr = [g for g in g if g]\n": {
        ".g": (1, 1), ".r": (1, 0), "ListComp.g": (1, 2),
    },
    "def f():\n    global x\n    x = 1\n    def h():\n        nonlocal y\n        y = x\n    y = 2\n": {
        ".f": (1, 0), ".x": (1, 1), "f.h": (1, 0), "f.y": (2, 0),
    },
    "import a.b, c as d\nfrom e import f as g, h\n": {
        ".a": (1, 0), ".d": (1, 0), ".g": (1, 0), ".h": (1, 0),
    },
    "with a as b, c as (d, e):\n    pass\ntry:\n    pass\nexcept a as f:\n    pass\n": {
        ".a": (0, 2), ".b": (1, 0), ".c": (0, 1), ".d": (1, 0), ".e": (1, 0), ".f": (1, 0),
    },
    "for i, (j, *k) in i:\n    i += 1\ndel j\n": {".i": (2, 1), ".j": (2, 0), ".k": (1, 0)},
    "print([z := 1 for _ in x], z, lambda q: q + z)\n": {
        ".print": (0, 1), ".z": (1, 2), "ListComp._": (1, 0), ".x": (0, 1), "Lambda.q": (1, 1),
    },
    "match a:\n    case [b, *c] as d:\n        pass\n    case {'k': e, **f}:\n        pass\n": {
        ".a": (0, 1), ".b": (1, 0), ".c": (1, 0), ".d": (1, 0), ".e": (1, 0), ".f": (1, 0),
    },
    "f(a=b).c.d[e].g = 1\n": {".f": (0, 1), ".b": (0, 1), ".e": (0, 1)},
    "print(f'{x!r:>{w}}')\n": {".print": (0, 1), ".x": (0, 1), ".w": (0, 1)},
}  # fmt: skip


@pytest.mark.parametrize("source", CASES)
def test_scopes(source: str) -> None:
    assert described(source) == CASES[source]


def test_python_agrees_on_what_is_local() -> None:
    """``symtable`` is Python's own opinion."""
    import symtable

    for source in (one for one in CASES if "global" not in one and ":=" not in one):
        table = symtable.symtable(source, "x", "exec")
        bound = {s.get_name() for s in table.get_symbols() if s.is_assigned() or s.is_imported()}
        module = {k[1:] for k, (stores, _) in described(source).items() if k[0] == "." and stores}
        assert module == bound, source


def test_the_blocks_of_a_page_share_their_names() -> None:
    parsed = program("```python\nx = 1\n```\n\n```python\nprint(x)\n```\n", "markdown")
    variable = Names(parsed).find("x")
    assert variable is not None
    assert (len(variable.stores), len(variable.loads)) == (1, 1)


def test_what_another_name_would_mean() -> None:
    parsed = program("a = b = 1\ndef f(b):\n    return a\nprint(a)\n")
    names = Names(parsed)
    one, other = names.find("a"), names.find("b")
    assert one is not None and other is not None
    assert [names.sees(load, other) for load in one.loads] == [False, True]
    assert not names.opaque
    assert Names(program("print(vars())")).opaque
