"""The interpreter's cost grows with the size of the program, not with its paths or calls.

Cost is counted, not timed: evaluated expressions, and cells that are copied or compared where paths
meet. A program four times as long may cost a little more than four times as much.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import libcst as cst
import pytest

from lintkeras.meaning.interpreter import Interpreter
from lintkeras.meaning.state import Changes, State
from lintkeras.syntax.stack import run_with_deep_stack


def lines(pattern: str, n: int, start: int = 0) -> str:
    """The pattern for each number; ``<`` and ``>`` stand around the one before and after."""
    return "".join(pattern.replace("#-", str(i - 1)).replace("#", str(i)) for i in range(start, n))


def nested(opening: str, inner: str, n: int) -> str:
    """Blocks inside each other."""
    return "".join("    " * i + opening.replace("#", str(i)) + "\n" for i in range(n)) + (
        "    " * n + inner + "\n"
    )


PROGRAMS: dict[str, Callable[[int], str]] = {
    "assignments": lambda n: lines("x# = [#, (#, 'a'), {'k': #}]\n", n),
    "one name again and again": lambda n: lines("x = x + # if x else f(x)\n", n),
    "sums of unknowns": lambda n: "x = a" + lines(" + b#", n) + "\n" + lines("y = x * x\n", n),
    "ifs behind each other": lambda n: lines("if c#:\n    x = #\n    y# = x\n", n),
    "ifs that change one list": lambda n: "xs = []\n" + lines("if c#:\n    xs.append(#)\n", n),
    "elifs": lambda n: "if a:\n    x = 0\n" + lines("elif c#:\n    x = #\n    y# = 1\n", n),
    "conditional expressions": lambda n: lines("x = (1 if a else 2, x if b and c else [x])\n", n),
    "returns": lambda n: "def f(x):\n" + lines("    if x == #:\n        y# = x\n        return y#\n", n) + "f(y)\n",
    "ifs inside each other": lambda n: nested("if a#:", "x = 1", 40) * (n // 20),
    "loops behind each other": lambda n: lines("for i in xs:\n    x = i\n    ys.append(x)\n    y# = x\n", n),
    "loops inside each other": lambda n: nested("for i# in a#:", "x = helper(x)", 18) * (n // 20)
    + "def helper(y):\n    seen.append(y)\n    return y\nseen = []\n",
    "loops over known elements": lambda n: nested("for i# in (1, 2, 3):", "x = x + 1", 18) * (n // 20),
    "comprehensions inside each other": lambda n: ("[" * 12 + "x" + " for y in range(8)]" * 12 + "\n") * (n // 8),
    "lambdas inside each other": lambda n: ("f = " + "(lambda: " * 12 + "x" + ")()" * 12 + "\n") * (n // 8),
    "whiles and trys": lambda n: lines("while c#:\n    try:\n        x = x + 1\n    except E:\n        y = x\n    finally:\n        z = y\n", n),
    "finally inside finally": lambda n: nested("try:\n" + "    x = 1\nfinally:", "x = 1", 1) * n,
    "withs": lambda n: lines("with manager(#) as m#:\n    x# = m#\n    x = x#\n", n),
    "appends": lambda n: "xs = []\n" + lines("xs.append(#)\n", n) + "for x in xs:\n    y = x\n",
    "keys": lambda n: "d = {}\n" + lines("d['k#'] = #\n", n) + "for k, v in d.items():\n    y = v\n",
    "a long list": lambda n: "xs = [" + lines("#, ", n) + "]\nys = [x * 2 for x in xs]\nif a:\n    xs.append(1)\nzs = xs + ys\n",
    "functions": lambda n: lines("def f#(x, y=#):\n    z = x + y\n    return [z, y]\n", n),
    "calls of one function": lambda n: "def f(x):\n    seen.append(x)\n    return x + 1\nseen = []\n" + lines("x# = f(#)\n", n),
    "each calls the one before": lambda n: "def f0(x):\n    return x\n" + lines("def f#(x):\n    return f#-(x) + 1\n", n, 1) + lines("f#(1)\n", n),
    "each calls the one before twice": lambda n: "def f0(x):\n    return x\n" + lines("def f#(x):\n    return f#-(x) + f#-(x)\n", n, 1) + f"y = f{n - 1}(1)\n",
    "each calls the next twice": lambda n: lines("def f#-(x):\n    return f#(x) + f#(f#(x))\n", n, 1) + f"def f{n - 1}(x):\n    return x\ny = f0(1)\n",
    "all call each other": lambda n: lines("def f#(x):\n    global g#\n    g# = x\n    return h(x, f#)\n", n) + "def h(x, f):\n    return f(x) if x else f(1)\n",
    "functions inside each other": lambda n: (nested("def f#(x#):", "return x0", 20) + "f0(1)\n") * (n // 20),
    "later functions that change what all see": lambda n: "box = {}\nlog = []\n" + lines("def f#(x):\n    log.append(box)\n    box['k#'] = x\n    return log\n", n),
    "classes": lambda n: lines("class A#:\n    k = #\n    def __init__(self, x):\n        self.x = x\n    def m(self, y):\n        self.z = self.x + y\n        return self\na# = A#(#).m(1)\n", n),
    "classes from each other": lambda n: "class A0:\n    def m(self):\n        return 1\n" + lines("class A#(A#-):\n    def m(self):\n        return super().m()\n    def n#(self):\n        return self.m()\n", n, 1),
    "methods that call each other": lambda n: "class A:\n    def __init__(self):\n        self.s0 = 0\n" + lines("    def m#(self, x):\n        self.s# = self.m#-(x)\n        self.log.append(x)\n        return self.s#\n", n, 1),
    "attributes": lambda n: "class A:\n    pass\na = A()\n" + lines("a.x# = #\nb = a\nunknown(a.x#)\n", n),
    "objects given away": lambda n: "class A:\n    pass\na = A()\n" + lines("a.x# = [a]\nunknown(a)\n", n),
    "attributes of unknown objects": lambda n: "class A:\n    def __init__(self):\n        self.x = 1\n" + lines("a# = A()\n", n) + lines("u#.x = #\n", n),
    "tapes and steps": lambda n: "import tensorflow as tf\nd = tf.keras.layers.Dense(1)\no = tf.keras.optimizers.Adam()\n" + lines("with tf.GradientTape() as t:\n    l = d(x)\ng = t.gradient(l, d.trainable_variables)\no.apply_gradients(zip([2 * v for v in g], d.trainable_variables))\n", n),
    "layers": lambda n: "import keras\nx = i = keras.Input((1,))\n" + lines("x = keras.layers.Dense(#)(x)\n", n) + "m = keras.Model(i, x)\n",
    "layers that are added": lambda n: "import keras\nm = keras.Sequential()\n" + lines("m.add(keras.layers.Dense(#))\n", n) + "m(x)\n",
    "decorators": lambda n: "def d(f):\n    def w(*a, **k):\n        return f(*a, **k)\n    return w\n" + lines("@d\ndef f#(x):\n    return x\nf#(1)\n", n),
    "properties": lambda n: "class A:\n" + lines("    @property\n    def p#(self):\n        return self.p#-\n", n, 1) + f"A().p{n - 1}\n",
    "imports": lambda n: lines("from keras.layers import Dense as D#\nimport tensorflow as tf#\nfrom m# import *\n", n),
    "matches": lambda n: lines("match x:\n    case [a#, *b]:\n        y = a#\n    case {'k': c} if c:\n        y = c\n", n),
    "globals": lambda n: lines("def f#():\n    global g#\n    g# = f#-\n    return g#\n", n, 1),
    "generators": lambda n: lines("def f#(x):\n    for y in f#-(x):\n        yield y\n", n, 1),
}  # fmt: skip


GIVEN_UP = frozenset({
    "each calls the one before twice", "each calls the next twice", "methods that call each other",
    "properties",
})  # fmt: skip
"""More calls inside each other than are followed: nothing is known from there on."""


def cost(name: str, size: int, monkeypatch: pytest.MonkeyPatch) -> int:
    """What it takes to interpret a program."""
    cells = 0
    merge, since = State.merge, State.changes_since

    def counted_merge(state: State, paths: Iterable[Changes]) -> None:
        nonlocal cells
        paths = list(paths)
        cells += sum(map(len, paths))
        merge(state, paths)

    def counted_since(state: State, base: State) -> Changes:
        nonlocal cells
        changes = since(state, base)
        cells += len(changes)
        return changes

    run = Interpreter()
    source = PROGRAMS[name](size)
    module = cst.parse_module(source)
    with monkeypatch.context() as patch:
        patch.setattr(State, "merge", counted_merge)
        patch.setattr(State, "changes_since", counted_since)
        run_with_deep_stack(lambda: run.run([module], len(source)))
    assert run.state.bottom.lost == (name in GIVEN_UP)
    return run.steps + cells


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_cost_is_linear(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    factor = len(PROGRAMS[name](240)) / len(PROGRAMS[name](60))
    small, large = cost(name, 60, monkeypatch), cost(name, 240, monkeypatch)
    assert large <= 1.3 * factor * small + 2_000
