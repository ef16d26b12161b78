"""Random small programs: every construct of Python that the interpreter has a page for."""

from __future__ import annotations

import ast
import textwrap

from hypothesis import strategies as st

NAMES = ("a", "b", "xs", "d", "f", "g", "K", "model", "opt", "tape", "grads", "dense", "self")
ATTRIBUTES = ("value", "scale", "optimizer", "trainable_variables", "layers", "gradient", "append",
              "extend", "pop", "insert", "clear", "update", "get", "items", "apply_gradients", "apply",
              "add", "compile", "fit", "call", "build", "__dict__", "__class__", "numpy", "setter")  # fmt: skip
LIBRARY = ("tf.GradientTape()", "tf.GradientTape(persistent=True)", "keras.layers.Dense(2)",
           "keras.optimizers.Adam()", "keras.Sequential([])", "tf.Variable(1.0)", "tf.constant(2)",
           "tf.multiply(a, 2)", "tf.where(a > 0, a, 0)", "tf.nest.map_structure(f, xs)",
           "tape.gradient(a, xs)", "tape.gradient(a, dense.trainable_variables)", "zip(grads, xs)",
           "enumerate(xs)", "range(3)", "len(xs)", "range(len(xs))", "map(f, xs)", "filter(f, xs)",
           "reversed(xs)", "sorted(xs)", "list(xs)", "tuple(xs)", "dict(d)", "set(xs)", "iter(xs)",
           "globals()", "vars(a)", "setattr(a, 'scale', 3)", "getattr(a, 'scale', 3)", "exec('a=1')",
           "super()", "functools.partial(f, 1)", "tf.function(f)", "property(f)", "f()", "unknown(xs)",
           "tf.clip_by_global_norm(grads, 1.0)", "opt.minimize(f, xs)")  # fmt: skip
OPERATORS = ("+", "-", "*", "/", "//", "%", "**", "@", "&", "|", "<<")
COMPARISONS = ("==", "!=", "<", ">", "is", "is not", "in", "not in")
HEAD = """\
import dataclasses
import functools
import enum
import keras
import tensorflow as tf
from helpers import unknown
"""

names = st.sampled_from(NAMES)
literals = st.sampled_from(("0", "1", "2", "-1", "0.5", "None", "True", "'a'", "b'x'", "...", "1j"))
leaves = st.one_of(names, names, literals, st.sampled_from(LIBRARY))


def _join(*parts: object) -> st.SearchStrategy[str]:
    strategies = [st.just(p) if isinstance(p, str) else p for p in parts]
    return st.tuples(*strategies).map("".join)


def _several(item: st.SearchStrategy[str], most: int = 3) -> st.SearchStrategy[str]:
    return st.lists(item, max_size=most).map(", ".join)


def _compound(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    starred = st.one_of(inner, _join("*", inner))
    argument = st.one_of(inner, _join("*", inner), _join("**", inner), _join(names, "=", inner))
    clause = _join(" for ", st.one_of(names, st.just("a, b")), " in ", inner,
                   st.one_of(st.just(""), _join(" if ", inner)))  # fmt: skip
    clauses = st.one_of(clause, _join(clause, clause))
    return st.one_of(
        _join("(", inner, " ", st.sampled_from(OPERATORS), " ", inner, ")"),
        _join("(", inner, " ", st.sampled_from(COMPARISONS), " ", inner, ")"),
        _join("(", inner, st.sampled_from((" and ", " or ")), inner, ")"),
        _join("(", st.sampled_from(("-", "not ", "+", "~")), inner, ")"),
        _join("(", inner, " if ", inner, " else ", inner, ")"),
        _join("(", names, " := ", inner, ")"),
        _join("(lambda ", _several(names, 2), ": ", inner, ")"),
        _join("(lambda a, b=", inner, ", *xs, **d: ", inner, ")"),
        _join("[", _several(starred), "]"),
        _join("(", starred, ", ", starred, ")"),
        _join("{", inner, ", ", starred, "}"),
        _join("{", inner, ": ", inner, ", **", inner, "}"),
        _join("[", inner, clauses, "]"),
        _join("{", inner, ": ", inner, clauses, "}"),
        _join("{", inner, clauses, "}"),
        _join("list(", inner, clauses, ")"),
        _join(inner, ".", st.sampled_from(ATTRIBUTES)),
        _join(inner, ".", st.sampled_from(ATTRIBUTES), "(", _several(argument, 2), ")"),
        _join(names, "(", _several(argument), ")"),
        _join(inner, "[", inner, "]"),
        _join(inner, "[", inner, ":", inner, "]"),
        _join("f'{", names, "!r:>{", names, "}}'"),
    )


expressions = st.recursive(leaves, _compound, max_leaves=6)
targets = st.one_of(
    names,
    _join(names, ".", st.sampled_from(ATTRIBUTES)),
    _join(names, "[", expressions, "]"),
    _join(names, "[", literals, ":", names, "]"),
    st.just("a, b"),
    st.just("a, *xs"),
    st.just("(a, [b, g.value])"),
)
imports = st.sampled_from((
    "import keras", "from tensorflow import keras", "import tensorflow as tf", "from .a import f",
    "from keras.layers import *", "from helpers import *", "from keras.layers import Dense as f",
    "import keras.layers as a", "from . import b", "import numpy as np",
))  # fmt: skip
simple = st.one_of(
    expressions,
    _join(targets, " = ", expressions),
    _join(targets, " = ", expressions),
    _join(names, " = ", targets, " = ", expressions),
    _join(names, st.sampled_from((" += ", " *= ", " |= ", " -= ")), expressions),
    _join(names, ".value += ", expressions),
    _join(names, "[", literals, "] *= ", expressions),
    _join(names, ": int = ", expressions),
    _join("del ", targets),
    _join("assert ", expressions, ", ", expressions),
    _join("return ", expressions),
    _join("yield ", expressions),
    _join("await ", expressions),
    _join("raise ", expressions),
    _join("global ", names),
    _join("nonlocal ", names),
    st.sampled_from(("pass", "break", "continue", "return", "raise", "raise NotImplementedError")),
    imports,
)


def _block(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    body = st.lists(inner, min_size=1, max_size=3).map(
        lambda lines: textwrap.indent("\n".join(lines), "    ")
    )
    parameters = st.sampled_from(("", "a", "self", "a, b=2", "a, *xs, K=1, **d", "self, x, /, y"))
    decorators = st.sampled_from((
        "", "", "@tf.function\n", "@staticmethod\n", "@classmethod\n", "@property\n", "@unknown\n",
        "@f\n", "@functools.wraps(f)\n", "@tf.custom_gradient\n", "@g.setter\n",
    ))  # fmt: skip
    bases = st.sampled_from((
        "", "(object)", "(keras.Model)", "(keras.layers.Layer)", "(a)", "(f, g)", "(unknown.Base)",
        "(enum.Enum)", "(metaclass=f)",
    ))  # fmt: skip
    methods = st.one_of(names, st.sampled_from((
        "__init__", "build", "call", "train_step", "__call__", "__new__", "__setattr__",
        "__getattribute__", "__enter__", "__exit__", "__post_init__",
    )))  # fmt: skip
    return st.one_of(
        _join("if ", expressions, ":\n", body),
        _join("if ", expressions, ":\n", body, "\nelif ", expressions, ":\n", body, "\nelse:\n", body),
        _join("for ", targets, " in ", expressions, ":\n", body),
        _join("for ", names, " in ", expressions, ":\n", body, "\nelse:\n", body),
        _join("while ", expressions, ":\n", body),
        _join("while True:\n", body, "\nelse:\n", body),
        _join("try:\n", body, "\nexcept ", names, " as ", names, ":\n", body),
        _join("try:\n", body, "\nfinally:\n", body),
        _join("try:\n", body, "\nexcept:\n", body, "\nelse:\n", body, "\nfinally:\n", body),
        _join("with ", expressions, " as ", targets, ", ", expressions, ":\n", body),
        _join("match ", expressions, ":\n    case [a, *xs] if b:\n", body.map(_deeper),
              "\n    case {'k': g} | tf.Variable(value=g):\n", body.map(_deeper)),
        _join(decorators, "def ", methods, "(", parameters, "):\n", body),
        _join("async def ", names, "(", parameters, "):\n", body),
        _join(st.sampled_from(("", "@dataclasses.dataclass\n", "@f\n")), "class ", names, bases,
              ":\n", body),
    )  # fmt: skip


def _deeper(text: str) -> str:
    return textwrap.indent(text, "    ")


statements = st.recursive(simple, lambda inner: st.one_of(_block(inner), inner), max_leaves=6)


def is_valid(source: str) -> bool:
    """Whether it is a program by its syntax alone."""
    try:
        ast.parse(source)
    except (SyntaxError, ValueError):
        return False
    return True


programs = (
    st.lists(statements, min_size=1, max_size=8)
    .map(lambda lines: HEAD + "\n".join(lines) + "\n")
    .filter(is_valid)
)


@st.composite
def mutations(draw: st.DrawFn, sources: tuple[str, ...]) -> str:
    """A program that somebody wrote, with a few lines moved, lost, doubled, or put elsewhere."""
    lines = draw(st.sampled_from(sources)).split("\n")
    for _ in range(draw(st.integers(1, 4))):
        place = draw(st.integers(0, len(lines) - 1))
        other = draw(st.integers(0, len(lines) - 1))
        indent = lines[place][: len(lines[place]) - len(lines[place].lstrip())]
        changed = list(lines)
        match draw(st.sampled_from(("drop", "swap", "double", "statement", "nest", "rename"))):
            case "drop":
                del changed[place]
            case "swap":
                changed[place], changed[other] = changed[other], changed[place]
            case "double":
                changed.insert(other, changed[place])
            case "statement":
                changed.insert(place, textwrap.indent(draw(statements), indent))
            case "nest":
                opening = draw(st.sampled_from(("if a:", "for a in xs:", "try:", "with tape:")))
                closing = [f"{indent}finally:\n{indent}    pass"] if opening == "try:" else []
                nested = [indent + opening, "    " + changed[place], *closing]
                changed[place : place + 1] = nested
            case "rename":
                words = changed[place].split("=")[0].strip()
                if words.isidentifier():
                    changed = [line.replace(words, draw(names)) for line in changed]
        if changed and is_valid("\n".join(changed)):
            lines = changed
    return "\n".join(lines)
