"""Fixes around a tape: watch a tensor, leave the block, add the model's losses, train for real."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from lintkeras.findings import Applicability, Edit, Fix
from lintkeras.meaning.facts import Facts, OptimizerStep, TapeUse
from lintkeras.meaning.values import Computed, Gradient, Value, alternatives
from lintkeras.syntax.program import Program


def watch(program: Program, use: TapeUse, source: Computed) -> Iterator[Fix]:
    """LK112: watch a tensor where the tape begins, or behind the line that makes it."""
    block = _with_of(program, use)
    if block is None:
        return
    with_, tape = block
    name = _source_text(program, use, source)
    if name is None or _assigned(with_, name):
        within = _statement_in(program, with_, source.node)
        if name is None or within is None:
            return
        edit = _insert_behind(program, within, f"{tape}.watch({name})")
    else:
        edit = _insert_first(program, with_, f"{tape}.watch({name})")
    yield Fix("watch", f"watch `{name}`", Applicability.SAFE, (edit,))


def _with_of(program: Program, use: TapeUse) -> tuple[cst.With, str] | None:
    """The ``with`` block that makes a tape, and its name in there."""
    for ancestor in program.ancestors(use.tape.node):
        if isinstance(ancestor, cst.With):
            for item in ancestor.items:
                named = item.asname.name if item.asname is not None else None
                if item.item is use.tape.node and isinstance(named, cst.Name):
                    block = isinstance(ancestor.body, cst.IndentedBlock)
                    return (ancestor, named.value) if block else None
    return None


def _source_text(program: Program, use: TapeUse, source: Value) -> str | None:
    """How the gradient call names one of its sources."""
    if len(use.node.args) < 2:
        return None
    given = use.node.args[1].value
    nodes = [given]
    if isinstance(given, (cst.List, cst.Tuple)):
        nodes = [element.value for element in given.elements]
    values = [entry.value for entry in use.entries.entries]
    if len(nodes) != len(values):
        return None
    for node, value in zip(nodes, values, strict=True):
        if value == source and isinstance(node, (cst.Name, cst.Attribute)):
            return program.text(node)
    return None


def _assigned(with_: cst.With, name: str) -> bool:
    """Whether a name is assigned inside a block."""
    stack: list[cst.CSTNode] = [with_.body]
    while stack:
        node = stack.pop()
        if isinstance(node, cst.AssignTarget) and isinstance(node.target, cst.Name):
            if node.target.value == name:
                return True
        stack.extend(node.children)
    return False


def _statement_in(program: Program, with_: cst.With, node: cst.CSTNode) -> cst.CSTNode | None:
    """The statement directly in a block that holds a node."""
    chain = [node, *program.ancestors(node)]
    return next((one for one in chain if one in with_.body.body), None)


def _insert_first(program: Program, with_: cst.With, text: str) -> Edit:
    one = program.snippet_of(with_)
    start, _ = program.local_span(with_.body.body[0])
    source = one.snippet.source
    indent = source[source.rfind("\n", 0, start) + 1 : start]
    line = _with_comments(source, start) + len(indent)
    return one.snippet.edit(line, line, f"{text}{_newline(source)}{indent}")


def _insert_behind(program: Program, statement: cst.CSTNode, text: str) -> Edit:
    one = program.snippet_of(statement)
    source = one.snippet.source
    start, end = program.local_span(statement)
    indent = source[source.rfind("\n", 0, start) + 1 : start]
    stop = source.find("\n", end)
    stop = len(source) if stop < 0 else stop
    stop -= source[:stop].endswith("\r")
    return one.snippet.edit(stop, stop, f"{_newline(source)}{indent}{text}")


def _with_comments(source: str, position: int) -> int:
    """The start of the line at a position, or of the comments right above it."""
    line = source.rfind("\n", 0, position) + 1
    while line > 0:
        above = source.rfind("\n", 0, line - 1) + 1
        if not source[above:line].strip().startswith("#"):
            break
        line = above
    return line


def _newline(source: str) -> str:
    return "\r\n" if "\r\n" in source else "\n"


def move_out(program: Program, use: TapeUse) -> Iterator[Fix]:
    """LK114: put the gradient call, and all that follows it in the block, behind the block."""
    block = _with_of(program, use)
    if block is None:
        return
    with_, _ = block
    body = with_.body.body
    first = _statement_in(program, with_, use.node)
    if not isinstance(first, cst.SimpleStatementLine) or first is body[0]:
        return
    moved = body[list(body).index(first) :]
    one = program.snippet_of(with_)
    source = one.snippet.source
    start, _ = program.local_span(with_)
    outer = source[source.rfind("\n", 0, start) + 1 : start]
    begin, _ = program.local_span(moved[0])
    inner = source[source.rfind("\n", 0, begin) + 1 : begin]
    if outer.strip() or inner.strip() or not inner.startswith(outer) or _spans_lines(moved):
        return
    extra = len(inner) - len(outer)
    _, end = program.local_span(moved[-1])
    edits = []
    line = _with_comments(source, begin)
    while line < end:
        stop = source.find("\n", line)
        stop = len(source) if stop < 0 else stop
        if source[line:stop].strip():
            cut = line + len(outer)
            if source[cut : cut + extra].strip():
                return  # a continuation that stands further left
            edits.append(one.snippet.edit(cut, cut + extra, ""))
        line = stop + 1
    yield Fix("behind-the-block", "leave the block first", Applicability.SAFE, tuple(edits))


def _spans_lines(statements: object) -> bool:
    """Whether a string runs over several lines, which a shift would change."""
    stack: list[cst.CSTNode] = list(statements)  # type: ignore[call-overload]
    while stack:
        node = stack.pop()
        if isinstance(node, cst.SimpleString) and "\n" in node.value:
            return True
        if isinstance(node, cst.FormattedStringText) and "\n" in node.value:
            return True
        stack.extend(node.children)
    return False


def add_losses(program: Program, facts: Facts, step: OptimizerStep) -> Iterator[Fix]:
    """LK117: ``loss += sum(model.losses)`` behind the line of the tape's block that makes it."""
    calls = {
        value.call.node: value.call
        for entry in step.gradients.entries
        for value in alternatives(entry.value)
        if isinstance(value, Gradient)
    }
    call = next(iter(calls.values()))
    if len(calls) != 1 or len(call.node.args) < 2:
        return
    loss, listed = call.node.args[0].value, call.node.args[1].value
    tape = call.tape.node
    with_ = next((a for a in program.ancestors(tape) if isinstance(a, cst.With)), None)
    attribute = isinstance(listed, cst.Attribute)
    if with_ is None or not isinstance(loss, cst.Name) or not attribute:
        return
    assert isinstance(listed, cst.Attribute)
    makes = [s for s in with_.body.body if _makes(s, loss.value)]
    if len(makes) != 1:
        return
    owner = program.text(listed.value)
    edit = _insert_behind(program, makes[0], f"{loss.value} += sum({owner}.losses)")
    yield Fix("add-losses", f"add sum({owner}.losses) to the loss", Applicability.UNSAFE, (edit,))


def _makes(statement: cst.CSTNode, name: str) -> bool:
    """Whether a statement is ``name = ...``."""
    match statement:
        case cst.SimpleStatementLine(
            body=[cst.Assign(targets=[cst.AssignTarget(target=cst.Name(value=target))])]
        ):
            return target == name
    return False


def add_training(program: Program, call: cst.CSTNode) -> Iterator[Fix]:
    """LK118: ``training=True`` at the end of a call."""
    if not isinstance(call, cst.Call) or not call.args:
        return
    one = program.snippet_of(call)
    _, end = program.local_span(call.args[-1].value)
    edit = one.snippet.edit(end, end, ", training=True")
    yield Fix("training", "call it with training=True", Applicability.UNSAFE, (edit,))
