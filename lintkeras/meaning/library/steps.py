"""Optimizer steps: where gradients reach an optimizer."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import libcst as cst

from lintkeras.meaning.calling import unwrapped
from lintkeras.meaning.facts import OptimizerStep, TapeUse
from lintkeras.meaning.library.variables import holdings, layers_behind
from lintkeras.meaning.objects import CHANGED
from lintkeras.meaning.operators import binary
from lintkeras.meaning.state import State
from lintkeras.meaning.values import (
    OPAQUE,
    UNKNOWN,
    Arguments,
    Const,
    Content,
    Domain,
    Entry,
    Function,
    Gradient,
    Instance,
    List,
    Member,
    Method,
    Sequence,
    Value,
    Weight,
    alternatives,
    gradients_in,
    join_all,
    parts_beside,
)

if TYPE_CHECKING:
    from lintkeras.meaning.interpreter import Interpreter


def note_step(
    run: Interpreter, optimizer: Value, name: str, arguments: Arguments, node: cst.Call
) -> None:
    """Record that an optimizer is given gradients."""
    pairs: Sequence | None = None
    taken = unwrapped(run, arguments)
    if name == "apply":
        first = taken.get("grads", 0)
        second = taken.get("trainable_variables", 1)
        if first is None:
            return
        gradients = run.content(first)
        variables = run.content(second) if second is not None else OPAQUE
        entries = (*gradients.entries, *variables.entries)
        if not any(gradients_in(entry.value) for entry in entries):
            return
    else:
        given = arguments.get("grads_and_vars", 0)
        held = taken.get("grads_and_vars", 0)
        if given is None or held is None:
            return
        if isinstance(held, Sequence) and held.parts:
            pairs = held
        elif isinstance(given, List):
            stored = run.state.find((given, "zip"))
            pairs = stored if isinstance(stored, Sequence) else None
        content = run.content(held)
        gradients, variables = _columns(run, content)
        if pairs is None and len(content.entries) == 1:
            (pair,) = content.entries
            pairs = (
                run.zips.get(pair.domain) if gradients.entries[0].domain != pair.domain else None
            )
        elif pairs is not None and len(pairs.parts) == 2 and content != OPAQUE:
            gradients, variables = pairs.parts
    layers, complete = layers_behind(run, variables)
    owners = {v.owner for item in variables.entries for v in alternatives(item.value)
              if isinstance(v, Weight)}  # fmt: skip
    frozen = any(_is_frozen(run, one) for one in (*layers, *owners))
    fact = OptimizerStep(
        node, _resolved_optimizer(run, optimizer), gradients, variables, pairs, layers, complete,
        run.current_function(), run.statement_loops(), tuple(run.tests),
        frozen, taken, name, holdings(run, gradients, variables),
    )  # fmt: skip
    run.facts.note(fact)
    entry = run.entry
    if run.facts.muted and isinstance(entry, cst.Call):
        made = [g for item in gradients.entries for g in gradients_in(item.value)]
        if made and all(run.facts.holds(TapeUse, gradient.call.node) for gradient in made):
            # Another file applies what was computed here: nothing there can know the gradients.
            run.facts.note_at(entry, replace(fact, node=entry))


def _is_frozen(run: Interpreter, owner: Value) -> bool:
    """Whether ``trainable`` was set on a layer or model, to anything but True."""
    cell = run.state.find((owner, "trainable"))
    given = owner.arguments.get("trainable") if isinstance(owner, Instance) else None
    return cell not in (State.MISSING, Const(True)) or given not in (None, Const(True))


def _columns(run: Interpreter, content: Content) -> tuple[Content, Content]:
    """The gradients and the variables of a list of pairs."""
    left, right = [], []
    for entry in content.entries:
        pairs = [
            run.content(pair).plain() if isinstance(pair, Sequence) else None
            for pair in alternatives(entry.value)
        ]
        known = [pair for pair in pairs if pair is not None and len(pair) == 2]
        first: Value = UNKNOWN
        second: Value = UNKNOWN
        if len(known) == len(pairs):
            first, second = (join_all(list(column)) for column in zip(*known, strict=True))
        one, other = _unzipped(entry, first), _unzipped(entry, second)
        apart = one is not None and other is not None and one != other
        left.append(one if apart and one else Entry(first, entry.domain, entry.tests))
        right.append(other if apart and other else Entry(second, entry.domain, entry.tests))
    return Content(tuple(left)), Content(tuple(right))


def _unzipped(entry: Entry, value: Value) -> Entry | None:
    """For pairs made in a loop over a ``zip`` whose parts do not match: the part it comes from."""
    for place, held in parts_beside(None if entry.tests else entry.domain):
        if value == held or any(
            isinstance(held, Gradient) and (found.call, found.source) == (held.call, held.source)
            for found in gradients_in(value)
        ):
            match place:
                case Domain(identity=("kept", Domain() as domain, tuple() as tests)):
                    return Entry(value, domain, tests)
            return Entry(value, place)
    return None


def _resolved_optimizer(run: Interpreter, optimizer: Value) -> Value:
    if isinstance(optimizer, Member) and optimizer.name == "optimizer":
        found = run.state.find((optimizer.of, "optimizer"))
        if found is not State.MISSING:
            optimizer = found  # type: ignore[assignment]
    if isinstance(optimizer, Instance):
        if run.state.find((optimizer, CHANGED)) is not State.MISSING:
            return UNKNOWN
    return optimizer


def unscaled(run: Interpreter, optimizer: Value, arguments: Arguments, node: cst.Call) -> Value:
    """``optimizer.get_unscaled_gradients(gradients)``: each divided by the loss scale."""
    given = arguments.get("grads", 0)
    if given is None:
        return UNKNOWN
    scale = Member(optimizer, "loss_scale")
    entries = tuple(
        Entry(binary("Divide", entry.value, scale, node), entry.domain, entry.tests)
        for entry in run.content(given).entries
    )
    return run.new_list(node, Content(entries), "unscaled")


def strategy_run(run: Interpreter, of: Value, arguments: Arguments, node: cst.Call) -> Value:
    """``strategy.run(step, args=(x, y))`` enters the step."""
    function = arguments.get("fn", 0)
    given = arguments.get("args", 1)
    if not isinstance(function, (Function, Method)):
        run.escape(arguments)
        return UNKNOWN
    plain = run.content(given).plain() if given is not None else ()
    inner = Arguments(plain or (), (), plain is not None)
    return run.call(function, inner, node)
