"""Gradient tapes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import libcst as cst

from lintkeras.meaning.calling import Model
from lintkeras.meaning.facts import TapeUse
from lintkeras.meaning.operators import term
from lintkeras.meaning.state import State
from lintkeras.meaning.values import (
    NONE,
    OPAQUE,
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
    Items,
    List,
    Member,
    Sequence,
    Symbol,
    Tape,
    Unknown,
    Value,
    Weight,
    alternatives,
)

if TYPE_CHECKING:
    from lintkeras.meaning.interpreter import Interpreter

TAPES = frozenset({"tf.GradientTape", "tf.compat.v1.GradientTape"})
_TENSORS = frozenset({
    "Variable", "cast", "clip_by_value", "concat", "concatenate", "constant", "convert_to_tensor",
    "expand_dims", "gather", "identity", "linspace", "ones", "ones_like", "normal", "pad", "random",
    "range", "repeat", "reshape", "resize", "squeeze", "stack", "tile", "transpose",
    "truncated_normal", "uniform", "zeros", "zeros_like",
})  # fmt: skip
"""Functions of TensorFlow and Keras (by their last name) that return one tensor, never a list."""


def _tape(run: Interpreter, symbol: Symbol, arguments: Arguments, node: cst.Call) -> Value:
    tape = Tape(
        run.identity(node),
        _flag(arguments.get("persistent", 0), False),
        node,
        _flag(arguments.get("watch_accessed_variables", 1), True),
    )
    run.write((tape, "used"), None)
    run.write((tape, "watched"), Content())
    return tape


def _flag(value: Value | None, default: bool) -> bool | None:
    """A boolean argument; None where it is not known."""
    if value is None:
        return default
    return bool(value.value) if isinstance(value, Const) else None


def enter_context(run: Interpreter, value: Value) -> None:
    """``with value:``: a tape records afresh, or stops for a while (``stop_recording``)."""
    match value:
        case Tape():
            run.write((value, "used"), None)
            run.recording = (*run.recording, value)
        case Computed(function=Member(of=Tape() as tape, name="stop_recording")):
            run.recording = tuple(other for other in run.recording if other != tape)


def lets_errors_pass(manager: Value) -> bool:
    """Whether a context manager is known not to swallow exceptions."""
    while isinstance(manager, (Computed, Member)):
        inner = manager.function if isinstance(manager, Computed) else manager.of
        manager = UNKNOWN if isinstance(inner, str) else inner
    if isinstance(manager, Symbol):
        return manager.flavour != "other" or manager.path in (
            "builtins.open",
            "contextlib.nullcontext",
        )
    library_object = isinstance(manager, Instance) and isinstance(manager.cls, Symbol)
    return library_object or isinstance(manager, Tape)


def tape_method(
    run: Interpreter, tape: Tape, name: str, arguments: Arguments, node: cst.Call
) -> Value:
    """The methods of a tape."""
    match name:
        case "reset":
            run.write((tape, "used"), None)
        case "watch":
            _watch(run, tape, arguments)
            return NONE
        case "stop_recording":
            return term(Member(tape, name), Arguments(), node)
        case "watched_variables":
            return UNKNOWN
        case "gradient" | "jacobian" | "batch_jacobian":
            return _differentiate(run, tape, name, arguments, node)
        case _:
            run.write((tape, "escaped"), Const(True))
    return UNKNOWN


def _watch(run: Interpreter, tape: Tape, arguments: Arguments) -> None:
    value = arguments.get("tensor", 0)
    before = run.state.find((tape, "watched"))
    known = before if isinstance(before, Content) else OPAQUE
    added = OPAQUE
    if value is not None and not (isinstance(value, Unknown) and value.origin is None):
        lists = isinstance(value, (List, Sequence))
        added = run.content(value) if lists else Content((Entry(value),))
    run.write((tape, "watched"), Content((*known.entries, *added.entries)))


def _differentiate(
    run: Interpreter, tape: Tape, name: str, arguments: Arguments, node: cst.Call
) -> Value:
    target = arguments.get("target", 0) or UNKNOWN
    sources = arguments.get("sources", 1) or UNKNOWN
    first = run.state.find((tape, "used"))
    again = isinstance(first, cst.Call) and first is not node
    watched = run.state.find((tape, "watched"))
    lists = isinstance(sources, (List, Sequence))
    run.facts.note(
        TapeUse(
            node,
            tape,
            first if again and isinstance(first, cst.Call) else None,
            target,
            sources,
            run.content(sources) if lists else Content((Entry(sources),)),
            watched if isinstance(watched, Content) else OPAQUE,
            tape in run.recording,
            tuple(other for other in run.recording if other != tape),
            run.state.find((tape, "escaped")) is State.MISSING,
            run.statement_loops(),
            tuple(run.tests),
        )
    )
    run.write((tape, "used"), node)
    return _gradient(run, tape, target, sources, node) if name == "gradient" else UNKNOWN


def _is_tensor(value: Value) -> bool:
    """Whether a source is certainly a single tensor or variable, not a list of them."""
    match value:
        case Weight() | Instance() | Const():
            return True
        case Computed(function=Symbol() as symbol) if symbol.flavour != "other":
            return symbol.name.rpartition(".")[2] in _TENSORS
        case Computed(function=str() as operator):
            return operator in ("Subtract", "Divide", "Power", "MatrixMultiply", "Minus")
        case Either(values=values):
            return all(_is_tensor(one) for one in values)
    return False


def _gradient(run: Interpreter, tape: Tape, target: Value, sources: Value, node: cst.Call) -> Value:
    """The gradients, in the structure of the sources."""
    run.differentiates = True
    is_list = all(isinstance(one, (List, Sequence)) for one in alternatives(sources))
    known = is_list or isinstance(sources, (Dict, Items)) or _is_tensor(sources)
    call = GradientCall(node, tape, target, sources, is_list if known else None)
    return _in_structure(run, call, sources, "gradients")


def _in_structure(run: Interpreter, call: GradientCall, sources: Value, path: str) -> Value:
    """What stands in the result of ``tape.gradient`` where ``sources`` stood in its argument."""
    if _is_tensor(sources):
        return Gradient(call, sources)
    if all(isinstance(one, (List, Sequence)) for one in alternatives(sources)):
        entries = tuple(
            Entry(
                Gradient(call, entry.value)
                if entry.domain is not None
                else _in_structure(run, call, entry.value, f"{path}.{index}"),
                entry.domain,
                entry.tests,
            )
            for index, entry in enumerate(run.content(sources).entries)
        )
        return run.new_list(call.node, Content(entries), path)
    if isinstance(sources, (Dict, Items)):
        held = run.items(sources)
        gradients = (
            (key, _in_structure(run, call, value, f"{path}.{key}")) for key, value in held.items
        )
        return run.new_dict(call.node, Items(tuple(gradients), held.complete), path)
    identified = isinstance(sources, Member) or (
        isinstance(sources, Unknown) and sources.origin is not None
    )
    gradient = Gradient(call, sources if identified else UNKNOWN)
    return Computed("gradients", Arguments((gradient,)), call.node)


def _averaged(run: Interpreter, symbol: Symbol, arguments: Arguments, node: cst.Call) -> Value:
    """Horovod's tape gives what the tape would, averaged over the workers."""
    return arguments.get("gradtape", 0) or UNKNOWN


FUNCTIONS: dict[str, Model] = {
    "horovod.tensorflow.DistributedGradientTape": _averaged,
    **dict.fromkeys(TAPES, _tape),
}
