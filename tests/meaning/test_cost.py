"""The interpreter's cost: doubling a value again and again must not double the work."""

from __future__ import annotations

import libcst as cst
import pytest

from lintkeras.meaning.interpreter import Interpreter

DOUBLINGS = {
    "sum": "x = x + x",
    "call": "x = tf.add(x, x)",
    "tuple": "x = (x, x)",
    "dict": "x = {'a': x, 'b': x}",
    "list": "x = [x, x]",
    "zip": "x = tuple(zip(x, x))",
    "method": "x = x.concat(x)",
    "lambda": "x = (lambda z: (z, z))(x)",
    "item": "x = x[0]",
    "attribute": "x = x.next",
}


@pytest.mark.parametrize("kind", DOUBLINGS)
def test_values_stay_small(kind: str) -> None:
    line = f"    {DOUBLINGS[kind]}\n"
    branch = f"    if c:\n        y = x\n    else:\n    {line}        y = x\n    z = {{x, y}}\n"
    source = f"import tensorflow as tf\ndef f(x, c):\n{line * 300}{branch}    return x\n"
    run = Interpreter()
    run.run([cst.parse_module(source)], len(source))
    assert run.steps < 20_000


def test_methods_that_hold_each_other_and_are_given_away() -> None:
    methods = "".join(
        f"    def m{i}(self):\n        self.a{i} = self.m{(i + 1) % 30}\n        give(self.a{i})\n"
        for i in range(30)
    )
    source = f"import tensorflow as tf\nfrom other import give\nclass A:\n{methods}\nA().m0()\n"
    run = Interpreter()
    run.run([cst.parse_module(source)], len(source))
    assert run.steps < 20_000
