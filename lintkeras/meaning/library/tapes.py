"""Gradient tapes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import libcst as cst

from lintkeras.meaning.facts import TapeUse
from lintkeras.meaning.library.calling import Model
from lintkeras.meaning.values import (
    UNKNOWN,
    Arguments,
    Computed,
    Const,
    Content,
    Dict,
    Either,
    Entry,
    Gradient,
    GradientCall,
    Instance,
    List,
    Sequence,
    Symbol,
    Tape,
    Value,
    Weight,
)

if TYPE_CHECKING:
    from lintkeras.meaning.interpreter import Interpreter

TAPES = frozenset({"tf.GradientTape"})


def _tape(run: Interpreter, symbol: Symbol, arguments: Arguments, node: cst.Call) -> Value:
    value = arguments.get("persistent", 0)
    persistent: bool | None = False
    if value is not None:
        persistent = bool(value.value) if isinstance(value, Const) else None
    tape = Tape(run.identity(node), persistent, node)
    run.state.cells[(tape, "used")] = None
    return tape


def enter_context(run: Interpreter, value: Value) -> None:
    """``with value:``: a tape records afresh."""
    if isinstance(value, Tape):
        run.state.cells[(value, "used")] = None


def tape_method(
    run: Interpreter, tape: Tape, name: str, arguments: Arguments, node: cst.Call
) -> Value:
    """The methods of a tape."""
    if name == "reset":
        run.state.cells[(tape, "used")] = None
    if name not in ("gradient", "jacobian", "batch_jacobian"):
        return UNKNOWN
    _note_use(run, tape, node)
    target = arguments.get("target", 0) or UNKNOWN
    sources = arguments.get("sources", 1) or UNKNOWN
    if name != "gradient":
        return UNKNOWN
    return _gradient(run, tape, target, sources, node)


def _note_use(run: Interpreter, tape: Tape, node: cst.Call) -> None:
    """A tape that is not persistent gives one set of gradients."""
    first = run.state.find((tape, "used"))
    again = isinstance(first, cst.Call) and first is not node
    run.facts.note(TapeUse(node, tape, first if again and isinstance(first, cst.Call) else None))
    run.state.cells[(tape, "used")] = node


def _gradient(run: Interpreter, tape: Tape, target: Value, sources: Value, node: cst.Call) -> Value:
    match sources:
        case List() | Sequence():
            call = GradientCall(node, tape, target, sources, True)
            entries = tuple(
                Entry(Gradient(call, entry.value), entry.domain, entry.tests)
                for entry in run.content(sources).entries
            )
            result: Value = run.new_list(node, Content(entries))
        case Weight() | Instance() | Computed() | Const():
            call = GradientCall(node, tape, target, sources, False)
            result = Gradient(call, sources)
        case Dict() | Either():
            return UNKNOWN
        case _:
            call = GradientCall(node, tape, target, sources, None)
            result = Computed("gradients", Arguments((Gradient(call, UNKNOWN),)), node)
    return result


FUNCTIONS: dict[str, Model] = {
    **dict.fromkeys(TAPES, _tape),
}
