"""What the interpreter claims is true: random programs are run by Python and compared.

Each ``reveal(x, n)`` of a program is reached by Python with some values; the interpreter's claims at
that place must cover every one of them. ``unknown`` and ``flag`` are functions that it does not
know: the one changes whatever it is given, the other decides branches.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import random
import sys
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import libcst as cst
import pytest

from lintkeras.meaning.interpreter import Interpreter
from lintkeras.meaning.values import (
    OPAQUE,
    Class,
    Const,
    Content,
    Dict,
    Either,
    Function,
    Instance,
    Items,
    List,
    Sequence,
    Value,
)
from lintkeras.syntax.stack import run_with_deep_stack

PROGRAMS = int(os.environ.get("LINTKERAS_EXAMPLES", "150"))
_STEPS = 400
_LONGEST = 50


class _Enough(Exception):
    """The program ran long enough."""


@dataclass(frozen=True)
class Claim:
    """What the interpreter says of one evaluation; taken back where it was wrong."""

    node: cst.Call
    number: int
    holds: Callable[[object], bool]


class Generator:
    """Writes one random program that ends by itself."""

    def __init__(self, seed: str) -> None:
        self.pick = random.Random(seed)
        self.reveals = 0
        self.functions: list[str] = []
        self.depth = 0
        self.inside: list[str] = []

    def one(self, *choices: str) -> str:
        return self.pick.choice(choices)

    # ------------------------------------------------------------------ expressions

    def number(self) -> str:
        kind = self.pick.randrange(18)
        if self.depth > 2:
            kind = kind % 4
        self.depth += 1
        try:
            match kind:
                case 0 | 1:
                    return str(self.pick.randrange(4))
                case 2 | 3:
                    return self.one("a", "b", "c")
                case 4:
                    return f"({self.number()} {self.one('+', '-', '*')} {self.number()}) % 7"
                case 5:
                    return f"{self.sequence()}[{self.one('0', '-1', '1', self.number())}]"
                case 6:
                    return f"len({self.sequence()})"
                case 7:
                    return f"{self.mapping()}['k']"
                case 8:
                    return f"{self.mapping()}.get({self.one('0', repr('k'), repr('m'))}, {self.number()})"
                case 9:
                    return f"{self.thing()}.value"
                case 10:
                    return f"({self.number()} if {self.test()} else {self.number()})"
                case 11:
                    return f"(lambda z, w={self.number()}: z + w)({self.number()})"
                case 12 if self.functions:
                    return f"{self.pick.choice(self.functions)}({self.number()})"
                case 13:
                    return f"({self.one('a', 'b', 'c')} := {self.number()})"
                case 14:
                    return f"{self.thing()}.add({self.number()})"
                case 15:
                    return f"({self.number()} {self.one('and', 'or')} {self.number()})"
                case 16:
                    return f"{self.sequence()}.pop()"
                case 17:
                    return (
                        f"{self.mapping()}.pop({self.one(repr('k'), repr('m'))}, {self.number()})"
                    )
            return "a"
        finally:
            self.depth -= 1

    def test(self) -> str:
        return self.one(
            "flag()", "flag()", "True", "False", f"{self.number()} > {self.number()}", "a == b",
            "not xs", "'k' in d", "a in xs",
        )  # fmt: skip

    def sequence(self) -> str:
        kind = self.pick.randrange(13)
        if self.depth > 2:
            kind = 0
        self.depth += 1
        try:
            match kind:
                case 1:
                    return f"[{self.number()}, {self.number()}]"
                case 2:
                    return f"[i + {self.number()} for i in {self.sequence()}]"
                case 3:
                    return f"[i for i in {self.sequence()} if {self.one('i > 1', 'flag()')}]"
                case 4:
                    return f"({self.sequence()} + {self.sequence()})"
                case 5:
                    return f"{self.thing()}.items"
                case 6:
                    return f"list({self.one('reversed', 'list', 'tuple')}({self.sequence()}))"
                case 7:
                    return f"{self.sequence()}[{self.one('1:', ':1', '::-1', ':')}]"
                case 8:
                    return f"list(map(lambda z: z + a, {self.sequence()}))"
                case 9:
                    return f"[x + y for x, y in zip({self.sequence()}, {self.sequence()})]"
                case 10:
                    return f"list(range({self.one('3', 'a', 'len(xs)')}))"
                case 11:
                    return f"[n for n, _ in enumerate({self.sequence()})]"
                case 12:
                    return f"({self.sequence()} if {self.test()} else {self.sequence()})"
            return self.one("xs", "ys", "zs")
        finally:
            self.depth -= 1

    def mapping(self) -> str:
        return self.one("d", "d", "e", "e", "o.table", f"{{'k': {self.number()}, **d}}")

    def thing(self) -> str:
        return self.one("o", "o", "p", "p", "o.other", "Thing(a)", "(o if flag() else p)")

    def anything(self) -> str:
        return self.pick.choice(
            [self.number, self.number, self.sequence, self.mapping, self.thing]
        )()

    # ------------------------------------------------------------------ statements

    def reveal(self) -> str:
        self.reveals += 1
        what = self.one("a", "b", "c", "xs", "ys", "zs", "d", "e", "o.value", "p.value", "o.items",
                        "p.items", "o.table", "o.other.value", self.anything())  # fmt: skip
        return f"reveal({what}, {self.reveals})"

    def block(self, most: int = 3) -> str:
        lines = [self.statement() for _ in range(self.pick.randrange(1, most + 1))]
        return textwrap.indent("\n".join(lines), "    ")

    def statement(self) -> str:
        kind = self.pick.randrange(44)
        if len(self.inside) > 3:
            kind = kind % 24
        simple = self._simple(kind)
        if simple is not None:
            return simple
        self.inside.append("block")
        try:
            return self._compound(kind)
        finally:
            self.inside.pop()

    def _simple(self, kind: int) -> str | None:
        match kind:
            case 0 | 1 | 2 | 3:
                return self.reveal()
            case 4 | 5:
                return f"{self.one('a', 'b', 'c')} = {self.number()}"
            case 6:
                return f"{self.one('a', 'b', 'c')} {self.one('+=', '-=')} {self.number()}"
            case 7:
                return f"{self.one('xs', 'ys', 'zs')} = {self.sequence()}"
            case 8:
                return f"{self.sequence()}.{self.one('append', 'append', 'append', 'remove')}({self.number()})"
            case 9:
                return f"{self.one('xs', 'ys', 'o.items')} += {self.sequence()}"
            case 10:
                return (
                    f"{self.sequence()}{self.one('[0]', '[-1]', '[-1]', '[a]')} = {self.number()}"
                )
            case 11:
                return f"{self.mapping()}[{self.one(repr('k'), repr('m'), 'a')}] = {self.number()}"
            case 12:
                return f"{self.one('d', 'e')} = {self.mapping()}"
            case 13:
                return f"{self.thing()}.{self.one('value', 'value', 'late')} = {self.number()}"
            case 14:
                return f"{self.one('o', 'p')} = {self.thing()}"
            case 15:
                return f"{self.thing()}.{self.one('other', 'other')} = {self.thing()}"
            case 16:
                return f"{self.one('o', 'p')}.items = {self.sequence()}"
            case 17:
                return self.one(
                    "a, b = b, a", "a, *xs = 1, 2, 3", "a, (b, c) = c, (a, b)", "*ys, a = xs",
                    "(a, *xs), b = zs, 1", "a, b, *_ = zs", "[a, b], c = (1, c), a", "a = b = c",
                )  # fmt: skip
            case 18:
                return f"unknown({self.anything()})"
            case 19:
                return f"{self.one('a', 'b')} = unknown({self.anything()}) or {self.number()}"
            case 20:
                return f"{self.mapping()}.update({self.one('k=' + self.number(), 'd', '{1: 2}')})"
            case 21:
                return f"del {self.one('xs[0]', 'ys[-1]', 'o.items[:1]')}"
            case 22:
                return f"{self.sequence()}.{self.one('reverse()', 'clear()', 'insert(0, 5)', 'sort()')}"
            case 23:
                if "loop" in self.inside:
                    return self.one("break", "continue")
                if "function" in self.inside:
                    return f"return {self.number()}"
                return self.one("setattr(o, 'value', a)", "Thing.default = a", "it = iter(xs)")
        return None

    def _compound(self, kind: int) -> str:
        match kind:
            case 24 | 25 | 26:
                text = f"if {self.test()}:\n{self.block()}"
                if self.pick.random() < 0.3:
                    text += f"\nelif {self.test()}:\n{self.block()}"
                return text + (f"\nelse:\n{self.block()}" if self.pick.random() < 0.5 else "")
            case 27 | 28 | 29:
                self.inside.append("loop")
                text = f"for {self.one('a', 'i', 'b')} in {self.one('range(2)', self.sequence(), '(1, 2)')}:\n    tick()\n{self.block()}"
                self.inside.pop()
                return text + (f"\nelse:\n{self.block(1)}" if self.pick.random() < 0.2 else "")
            case 30:
                self.inside.append("loop")
                text = f"while {self.test()}:\n    tick()\n{self.block()}"
                self.inside.pop()
                return text
            case 31 | 32:
                return (
                    f"try:\n{self.block()}\nexcept {self.one('Exception', 'ValueError', 'LookupError')}:\n"
                    f"{self.block()}"
                    + (f"\nelse:\n{self.block(1)}" if self.pick.random() < 0.3 else "")
                    + (f"\nfinally:\n{self.block(1)}" if self.pick.random() < 0.4 else "")
                )
            case 33:
                return f"try:\n{self.block()}\nfinally:\n{self.block(1)}"
            case 34:
                return f"with manager({self.one('True', 'False')}):\n{self.block()}"
            case 35 | 36 | 37 | 38:
                return self.function()
            case 39:
                return (
                    f"match {self.one('a', 'xs', 'd')}:\n    case {self.one('1', '[x, *_]', '{' + repr('k') + ': x}')}:\n"
                    f"{textwrap.indent(self.block(), '    ')}\n    case {self.one('_', '2 | 3')}:\n"
                    f"{textwrap.indent(self.block(1), '    ')}"
                )
            case 40:
                return f"unknown(lambda: {self.one('xs', 'ys')}.append({self.number()}))"
            case 41:
                return f"[(tick(), {self.one('xs', 'ys')}.append(i)) for i in {self.sequence()}]"
            case 42:
                return f"{self.one('a', 'b')} = [f(0) for f in [lambda z, n=n: z + n for n in (1, 2)]][{self.one('0', '1')}]"
        return (
            f"raise {self.one('ValueError', 'KeyError')}"
            if self.pick.random() < 0.3
            else self.reveal()
        )

    def function(self) -> str:
        name = self.one("f", "g", "h")
        outer, self.inside = self.inside, [*self.inside, "function"]
        loops = self.inside.count("loop")
        self.inside = [one for one in self.inside if one != "loop"]
        declared = ""
        if self.pick.random() < 0.6:
            names = ", ".join(
                sorted({self.one("a", "b", "c", "xs", "ys", "zs", "d", "o") for _ in range(2)})
            )
            keyword = "nonlocal" if "function" in outer and self.pick.random() < 0.3 else "global"
            declared = f"    {keyword} {names}\n"
        decorator = self.one("", "", "", "@decorator\n", "@wrapper\n")
        kind = self.one("def", "def", "def", "async def") if not loops else "def"
        body = self.block(4)
        if self.pick.random() < 0.15:
            body += "\n    yield a"
        text = f"{decorator}{kind} {name}(z=0):\n    tick()\n{declared}{body}"
        self.inside = outer
        if name not in self.functions:
            self.functions.append(name)
        return text

    def program(self) -> str:
        lines = [textwrap.dedent(PRELUDE)]
        lines += [self.statement() for _ in range(self.pick.randrange(6, 16))]
        lines += [self.reveal() for _ in range(4)]
        return "\n".join(lines) + "\n"


PRELUDE = """\
class Base:
    default = 0
    def add(self, n):
        self.value = self.value + n
        return self.value
class Thing(Base):
    def __init__(self, value):
        self.value = value
        self.items = [value]
        self.table = {'k': value}
        self.other = self
def wrapper(function):
    def inner(*args):
        return function(*args)
    return inner
a, b, c = 1, 2, 3
xs, ys = [1, 2, 3], [3]
zs = xs
d = {'k': 1}
e = d
o, p = Thing(1), Thing(2)
f = g = h = lambda z=0: z
"""


def run_in_python(source: str, seed: int) -> dict[int, list[object]]:
    """The values that each ``reveal`` is reached with."""
    found: dict[int, list[object]] = {}
    pick = random.Random(seed)
    ticks = 0

    def tick() -> None:
        nonlocal ticks
        ticks += 1
        frame = sys._getframe(1)
        if ticks > _STEPS or any(map(_is_too_long, (*names.values(), *frame.f_locals.values()))):
            raise _Enough

    def reveal(value: object, number: int) -> object:
        tick()
        found.setdefault(number, []).append(_copied(value))
        return value

    def unknown(value: Any) -> object:
        tick()
        if isinstance(value, list):
            value.append(9)
        elif isinstance(value, dict):
            value["k"] = 9
        elif callable(value):
            value()
        elif hasattr(value, "value"):
            value.value = 9
            value.items = [9]
            value.other.value = 9
        return None

    class Manager:
        def __init__(self, swallows: bool) -> None:
            self.swallows = swallows

        def __enter__(self) -> None:
            tick()

        def __exit__(self, *error: object) -> bool:
            return self.swallows and not isinstance(error[1], _Enough)

    names: dict[str, object] = {
        "__name__": "__main__",
        "reveal": reveal, "unknown": unknown, "tick": tick, "manager": Manager,
        "flag": lambda: pick.random() < 0.5, "decorator": lambda function: function,
    }  # fmt: skip
    with contextlib.suppress(Exception, _Enough):  # what was seen until then counts
        exec(compile(source, "program", "exec"), names)
    return found


def _is_too_long(value: object, depth: int = 0) -> bool:
    """Whether a list, here or in an attribute, has grown past what is worth looking at."""
    if isinstance(value, list):
        return len(value) > _LONGEST
    inner = getattr(value, "__dict__", None) if depth < 3 else None
    return inner is not None and any(_is_too_long(one, depth + 1) for one in inner.values())


def _copied(value: object, depth: int = 0) -> object:
    """The value as it is now."""
    if depth > 4:
        return "..."
    if isinstance(value, (list, tuple)):
        return type(value)(_copied(one, depth + 1) for one in value)
    if isinstance(value, dict):
        return {key: _copied(one, depth + 1) for key, one in value.items()}
    return value


def claims(source: str) -> tuple[dict[int, list[Callable[[object], bool]]], Interpreter]:
    """What the interpreter claims at each ``reveal``, as tests of a value."""

    def reveal(node: cst.Call, value: Value, run: Interpreter) -> None:
        number = int(cst.ensure_type(node.args[1].value, cst.Integer).value)
        run.facts.note(Claim(node, number, _claim(value, run)))

    run = Interpreter(reveal)
    module = cst.parse_module(source)
    run_with_deep_stack(lambda: run.run([module], len(source)))
    found: dict[int, list[Callable[[object], bool]]] = {}
    for one in run.facts.all(Claim):
        found.setdefault(one.number, []).append(one.holds)
    return found, run


def _claim(value: Value, run: Interpreter, depth: int = 0) -> Callable[[object], bool]:
    """A test of whether a real value is what the interpreter says."""
    if depth > 4:
        return lambda real: True
    match value:
        case Const(value=constant):
            return lambda real: type(real) is type(constant) and real == constant
        case Either(values=values):
            tests = [_claim(one, run, depth + 1) for one in values]
            return lambda real: any(test(real) for test in tests)
        case List():
            inner = _sequence(run.content(value), run, depth)
            return lambda real: isinstance(real, list) and inner(real)
        case Sequence(kind="tuple", content=content):
            inner = _sequence(content, run, depth)
            return lambda real: isinstance(real, tuple) and inner(real)
        case Dict() | Items():
            held = run.items(value)
            keys = {key: _claim(one, run, depth + 1) for key, one in held.items}
            return lambda real: (
                isinstance(real, dict)
                and all(key in real and test(real[key]) for key, test in keys.items())
                and (not held.complete or list(real) == list(keys))
            )
        case Function() | Class():
            return callable
        case Instance(cls=Class(node=node)):
            return lambda real: type(real).__name__ == node.name.value
    return lambda real: True


def _sequence(content: Content, run: Interpreter, depth: int) -> Callable[[Any], bool]:
    plain = content.plain()
    if content == OPAQUE or plain is None:
        return lambda real: True
    tests = [_claim(one, run, depth + 1) for one in plain]
    return lambda real: (
        len(real) == len(tests) and all(t(one) for t, one in zip(tests, real, strict=True))
    )


def program(seed: int) -> str:
    """A random program that compiles."""
    attempts = (Generator(f"{seed}.{attempt}").program() for attempt in itertools.count())
    return next(filter(_compiles, attempts))


def _compiles(source: str) -> bool:
    try:
        compile(source, "program", "exec")
    except SyntaxError:
        return False
    return True


def lies(seed: int) -> list[str]:
    """Where the interpreter claims what is not so."""
    return lies_of(program(seed), seed)


def lies_of(source: str, seed: int) -> list[str]:
    """The same of a given program."""
    claimed, run = claims(source)
    wrong = []
    for number, values in run_in_python(source, seed).items():
        tests = claimed.get(number, [])
        for value in values:
            if not any(test(value) for test in tests) and (tests or not run.state.bottom.lost):
                wrong.append(f"reveal({number}): {value!r}")
                break
    return [source, *wrong] if wrong else []


@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited:RuntimeWarning")
@pytest.mark.parametrize("start", range(0, PROGRAMS, 50))
def test_claims_hold(start: int) -> None:
    for seed in range(start, start + 50):
        found = lies(seed)
        assert not found, f"program {seed}\n" + "\n".join(found)
