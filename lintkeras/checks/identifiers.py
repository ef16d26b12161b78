"""Strings that name a loss, a metric, an optimizer ... and that no release of Keras knows."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import libcst as cst

from lintkeras import keras_api
from lintkeras.checks.calls import Called, calls_of_keras
from lintkeras.checks.parts import parts
from lintkeras.checks.registry import Context, check
from lintkeras.findings import Applicability, Finding, Fix
from lintkeras.keras_api.arguments import KERAS
from lintkeras.keras_api.looked_up import FAMILIES
from lintkeras.keras_api.releases import Place
from lintkeras.keras_api.replacements import table
from lintkeras.meaning.facts import CallMade
from lintkeras.meaning.outline import dotted
from lintkeras.meaning.values import Const, Symbol

_COMPILE = {
    "loss": "losses", "metrics": "metrics", "weighted_metrics": "metrics",
    "optimizer": "optimizers",
}  # fmt: skip
_ENDS = {
    "activation": "activations", "initializer": "initializers", "regularizer": "regularizers",
    "constraint": "constraints",
}  # fmt: skip
_SPECIAL = frozenset({"accuracy", "acc", "crossentropy", "ce"})
"""Metrics that ``compile`` makes something of before it looks them up."""
_ONE = {
    "losses": "loss", "metrics": "metric", "optimizers": "optimizer", "activations": "activation",
    "initializers": "initializer", "regularizers": "regularizer", "constraints": "constraint",
}  # fmt: skip
_REGISTERS = frozenset({
    "custom_object_scope", "CustomObjectScope", "get_custom_objects",
    "register_keras_serializable",
})  # fmt: skip
_BRIEF, _LONG = 3, 6
"""Names of fewer letters resemble everything; from so many on, two letters may be wrong."""
_MOST_EDITS = 2
_KNOWN = frozenset({
    *sys.stdlib_module_names, "keras", "tensorflow", "tf_keras", "numpy", "pandas", "matplotlib",
    "sklearn", "scipy", "seaborn", "PIL", "cv2", "tqdm", "jax", "torch", "pytest", "absl",
})  # fmt: skip
"""Libraries that give Keras no names to look up."""


@dataclass(frozen=True)
class _Given:
    """A string that Keras will look up."""

    called: Called
    family: str
    text: str
    node: cst.BaseExpression
    """The expression that is the string, or the argument that holds it somewhere."""
    written: cst.BaseExpression | None


@check("LK214")
def unknown_loss_or_metric(context: Context) -> Iterator[Finding]:
    """A string that no release looks up."""
    found = list(_given(context))
    unknown = [one for one in found if _is_unknown(one)]
    if not unknown or _registers(context):
        return
    imports = [n for n in context.program.nodes if isinstance(n, (cst.Import, cst.ImportFrom))]
    closed = bool(imports) and all(map(_is_known_import, imports))  # and no part of a program
    for one in unknown:
        near = _nearest(context, one)
        if near is not None or closed:
            yield _finding(context, one, near)


def _is_known_import(node: cst.CSTNode) -> bool:
    """Whether a node does not import code that may register names of its own."""
    match node:
        case cst.ImportFrom(module=None) | cst.ImportFrom(relative=[_, *_]):
            return False
        case cst.ImportFrom(module=module) if module is not None:
            return dotted(module).partition(".")[0] in _KNOWN
        case cst.Import(names=names):
            return all(dotted(one.name).partition(".")[0] in _KNOWN for one in names)
    return True


def _registers(context: Context) -> bool:
    """Whether the program gives Keras names of its own to look up."""
    return any(
        isinstance(node, (cst.Name)) and node.value in _REGISTERS for node in context.program.nodes
    ) or any(
        isinstance(one.function, Symbol) and one.function.path.rpartition(".")[2] in _REGISTERS
        for one in context.facts.all(CallMade)
    )


# ------------------------------------------------------------------ what is looked up


def _given(context: Context) -> Iterator[_Given]:
    for called in context.once(calls_of_keras):
        for parameter, family in _looked_up(context, called):
            argument, value = called.expression(parameter), called.value(parameter)
            if argument is None or argument.star or value is None:
                continue
            for part in parts(argument.value, value):
                text = part.value.value if isinstance(part.value, Const) else None
                if not isinstance(text, str):
                    continue
                if family == "metrics" and called.callee.method and text in _SPECIAL:
                    continue
                literal = part.itself and isinstance(part.node, cst.SimpleString)
                yield _Given(called, family, text, part.node, part.node if literal else None)


def _looked_up(context: Context, called: Called) -> Iterator[tuple[str, str]]:
    """The parameters whose strings are looked up, and in which family."""
    callee = called.callee
    names = callee.names(context.releases)
    if callee.method:
        if callee.method == "compile" and "models.Model.compile" in names:
            yield from _COMPILE.items()
        return
    family, _, last = callee.place.inside.partition(".")
    if last == "get" and family in FAMILIES:
        yield "identifier", family
    elif "layers.Layer" in names:
        for parameter in called.signature.parameters:
            found = _ENDS.get(parameter.name.rpartition("_")[2])
            if found is not None:
                yield parameter.name, found
        for keyword in called.signature.keywords:
            found = _ENDS.get(keyword.rpartition("_")[2])
            if found is not None:
                yield keyword, found


# ------------------------------------------------------------------ what is known


def _is_unknown(one: _Given) -> bool:
    """Whether no release has it: not the one that is asked, and no other either.

    A registered name has a package in front (``Addons>mish``).
    """
    text = one.text.lower() if one.family == "optimizers" else one.text
    return bool(text) and ">" not in text and text not in _ever(one.family)


@cache
def _ever(family: str) -> frozenset[str]:
    """All strings that any release looks up in a family, and those that have another name now."""
    prefix = f"{family}."
    known = {
        path.removeprefix(prefix)
        for name in KERAS
        for path in keras_api.strings(name).paths()
        if path.startswith(prefix)
    }
    return frozenset(known | {row["old"] for row in table("strings") if row["family"] == family})


def _accepted(context: Context, place: Place, family: str) -> list[str]:
    """The strings to choose from: those of the newest Keras 3 that the release has as well."""
    releases, newest = context.releases, keras_api.strings("keras")
    there = keras_api.strings(place.space)
    version = releases.newest(place.space)
    return [
        name
        for name in newest.names_in(family)
        if there.symbol(f"{family}.{name}", version) is not None
    ]


def _nearest(context: Context, one: _Given) -> str | None:
    """The string that a misspelt one resembles; None where two do so as much."""
    place = context.releases.settle(one.called.callee.place)
    known = _accepted(context, place, one.family)
    if one.family == "metrics" and one.called.callee.method:
        known = [*known, "accuracy"]
    plain: dict[str, str] = {}
    for name in sorted(known, key=lambda n: (n != n.lower(), n)):
        plain.setdefault(_plain(name), name)
    text = _plain(one.text)
    if text in plain:
        return plain[text]
    turned = [name for key, name in plain.items() if sorted(key) == sorted(text)]
    if len(turned) == 1:
        return turned[0]
    edits = {key: _edits(text, key) for key in plain if not text.endswith(key)}
    least = min(edits.values())
    close = [key for key, number in edits.items() if number == least]
    if len(text) < _BRIEF or least > (1 if len(text) < _LONG else 2) or len(close) > 1:
        return None
    return plain[close[0]]


def _edits(one: str, other: str) -> int:
    """How many letters were put in, left out, replaced or exchanged with their neighbour."""
    if abs(len(one) - len(other)) > _MOST_EDITS:
        return _MOST_EDITS + 1
    before, row = [0] * (len(other) + 1), list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        older, before, row = before, row, [i]
        for j, b in enumerate(other, 1):
            least = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (a != b))
            if i > 1 and j > 1 and a == other[j - 2] and one[i - 2] == b:
                least = min(least, older[j - 2] + 1)
            row.append(least)
    return row[-1]


def _plain(text: str) -> str:
    return text.replace("_", "").replace("-", "").replace(" ", "").lower()


# ------------------------------------------------------------------ what is said


def _finding(context: Context, one: _Given, near: str | None) -> Finding:
    place = one.called.callee.place
    hint = f'; did you mean "{near}"' if near else ""
    return Finding(
        "LK214",
        context.program.span(one.node),
        f'"{one.text}" names no {_ONE[one.family]} in {context.releases.shown(place)} or any other '
        f"release, {_error(context, one)}{hint}",
        fixes=context.fixes(_renamed, context, one, near) if near else (),
    )


def _error(context: Context, one: _Given) -> str:
    """What the newest allowed release raises, and when."""
    place, family = one.called.callee.place, one.family
    compiled = one.called.callee.method == "compile" and family != "optimizers"
    when = " in fit()" if compiled else ""
    if context.releases.is_keras_3(place):
        kind = "activation function" if family == "activations" else _ONE[family]
        return f"ValueError{when}: Could not interpret {kind} identifier: {one.text}"
    if family in ("metrics", "regularizers"):
        return f"and the string itself is called{when or ' later'}, TypeError: 'str' object is not callable"
    if family == "activations":
        return f"ValueError: Unknown activation function '{one.text}' cannot be deserialized"
    kind = {"losses": "loss function"}.get(family, _ONE[family])
    return f"ValueError{when}: Unknown {kind}: '{one.text}'"


def _renamed(context: Context, one: _Given, near: str) -> Iterator[Fix]:
    node = one.written
    if not isinstance(node, cst.SimpleString) or node.prefix or one.text not in node.value:
        return
    written = node.value.replace(one.text, near)
    edit = context.code.replace(node, written)
    yield Fix("rename", f"write `{written}`", Applicability.UNSAFE, (edit,))
