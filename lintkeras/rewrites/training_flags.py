"""LK335's fixes: a subclass whose ``call`` fixes the flag, a frozen base."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from lintkeras.findings import Applicability, Edit, Fix
from lintkeras.meaning.facts import FlaggedCall
from lintkeras.meaning.values import Symbol
from lintkeras.rewrites.arguments import leave_out
from lintkeras.rewrites.code import Code, Insertion
from lintkeras.rewrites.imports import insert, keras, visible
from lintkeras.syntax.tree import nodes


def always_active(code: Code, call: FlaggedCall) -> Iterator[Fix]:
    """``Dropout(0.5)(x, training=True)``: a subclass of the layer that is always active."""
    made = call.layer.node
    if made is None or call.node.func is not made or not isinstance(call.layer.cls, Symbol):
        return
    flag = _flag(call)
    gone = leave_out(code, call.node, flag) if flag is not None else None
    top = code.program.top_level_statement(made)
    if gone is None or code.interactive(top):
        return
    base = call.layer.class_name.rpartition(".")[2]
    known = _known(code, f"Always{base}", top)
    name = known or code.unused(f"Always{base}")
    edits: list[Edit] = []
    if known is None:
        flavour = call.layer.cls.flavour
        reached = keras(code, flavour, top)
        three = flavour == "keras" and not code.may_run_on(2)
        register = f"{reached.expression}.{'saving' if three else 'utils'}"
        text = (
            f"@{register}.register_keras_serializable()\n"
            f"class {name}({reached.expression}.layers.{base}):\n"
            f"    # active in predict() and evaluate() as well\n"
            f"    def call(self, inputs, training=None):\n"
            f"        return super().call(inputs, training=True)\n"
        )
        edits = insert(code, top, [text], [reached.missing] if reached.missing else [])
    yield Fix(
        "subclass",
        f"write a subclass, {name}, whose call is always active",
        Applicability.UNSAFE,
        (*edits, code.replace(made.func, name), gone),
        group="definitions",
    )


def _known(code: Code, name: str, top: cst.CSTNode) -> str | None:
    """The subclass that an earlier fix has written."""
    there = any(
        isinstance(node, cst.ClassDef) and node.name.value == name and _fixes_flag(node)
        for node in code.module(top).body
    )
    return name if there and visible(code, name, top) else None


def _fixes_flag(cls: cst.ClassDef) -> bool:
    """Whether a class hands ``training=True`` on."""
    return any(
        isinstance(node, cst.Arg)
        and node.keyword is not None
        and node.keyword.value == "training"
        and isinstance(node.value, cst.Name)
        and node.value.value == "True"
        for node in nodes(cls)
    )


def freeze_layer(code: Code, call: FlaggedCall) -> Iterator[Fix]:
    """``BatchNormalization()(x, training=False)``: ``trainable=False`` for the layer."""
    made = call.layer.node
    if made is None or call.node.func is not made:
        return
    if any(a.star or (a.keyword is not None and a.keyword.value == "trainable") for a in made.args):
        return
    yield Fix(
        "freeze",
        "freeze the layer: it then runs in inference mode, and its scale and offset stay",
        Applicability.UNSAFE,
        (code.add_argument(made, "trainable=False"),),
    )


def freeze_base(code: Code, call: FlaggedCall) -> Iterator[Fix]:
    """``base(x, training=False)``: ``base.trainable = False`` in the line before."""
    func, statement = call.node.func, code.program.statement(call.node)
    if not isinstance(func, (cst.Name, cst.Attribute)):
        return
    if not isinstance(statement, cst.SimpleStatementLine) or not code.has_own_line(statement):
        return
    if code.interactive(statement):
        return
    name = code.text(func)
    start, _ = code.program.local_span(statement)
    indent = code.source(statement)[code.line_start(statement) : start]
    line = Insertion(statement, code.line_start(statement), f"{indent}{name}.trainable = False\n")
    yield Fix(
        "freeze",
        f"set `{name}.trainable = False` before: a frozen BatchNormalization runs in inference mode",
        Applicability.UNSAFE,
        (code.insert(line),),
    )


def _flag(call: FlaggedCall) -> cst.Arg | None:
    return next(
        (a for a in call.node.args if a.keyword is not None and a.keyword.value == "training"), None
    )
