"""Sessions and graphs of TensorFlow 1 in programs with Keras."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from lintkeras.checks.backend import backend_module
from lintkeras.checks.fallbacks import is_guarded
from lintkeras.checks.registry import Context, check
from lintkeras.findings import Finding
from lintkeras.keras_api.releases import Place, place_of
from lintkeras.keras_api.replacements import by_name
from lintkeras.meaning.facts import CallMade, SymbolUse
from lintkeras.meaning.values import Symbol

_FIRST_WITHOUT_SESSIONS = (2, 6)
"""The first Keras that runs on TensorFlow 2 alone."""
_STEP = "`tf.data.Dataset` only supports Python-style iteration in eager mode or within tf.function"


@check("LK617")
def tf1_session(context: Context) -> Iterator[Finding]:
    """A session, a placeholder or a graph of TensorFlow 1 next to Keras."""
    groups = [
        group for group in context.facts.groups(SymbolUse) if _note(group[0].symbol) is not None
    ]
    if not groups or _allows_tensorflow_1(context):
        return
    used = _keras(context)
    calls = {group[0].node.func for group in context.facts.groups(CallMade)}
    for group in groups:
        node, symbol = group[0].node, group[0].symbol
        if isinstance(node, cst.ImportFrom) or any(u.symbol.path != symbol.path for u in group):
            continue
        note = _note(symbol)
        if note is None or not context.program.owns(node):
            continue
        if any(is_guarded(context, node, use.tests) for use in group):
            continue
        keras = next((used[m] for m in context.program.together(node) if m in used), None)
        if keras is None:
            continue
        written = context.program.text(node)
        if symbol.name.rpartition(".")[2].startswith("disable_"):
            if node not in calls or not context.releases.is_keras_3(keras):
                continue
            shown = context.releases.shown(keras)
            error = f"`fit` raises RuntimeError in {shown} ({_STEP})"
            message = f"after `{written}` {error}; {note}"
        else:
            gone = _gone(context, symbol)
            if gone is None:
                continue
            if isinstance(node, cst.ImportAlias):
                name = symbol.path.rpartition(".")[2]
                message = f"importing `{name}` raises ImportError in {gone[0]}; {note}"
            else:
                text = f" ({gone[1]})" if gone[1] else ""
                message = f"`{written}` raises AttributeError in {gone[0]}{text}; {note}"
        yield Finding("LK617", context.program.span(node), message, label="of TensorFlow 1")


def _keras(context: Context) -> dict[cst.Module, Place]:
    """The modules that use Keras, and where they take it from."""
    found: dict[cst.Module, Place] = {}
    for use in context.facts.all(SymbolUse):
        place = _keras_place(use.symbol)
        if place is not None and context.program.owns(use.node):
            found.setdefault(context.program.snippet_of(use.node).module, place)
    return found


def _keras_place(symbol: Symbol) -> Place | None:
    if symbol.path.startswith("tensorflow.compat.v1.keras"):
        return Place("tf.keras", "tf.keras" + symbol.path[len("tensorflow.compat.v1.keras") :])
    place = place_of(symbol.path)
    return place if place is not None and place.space in ("keras", "tf.keras") else None


def _allows_tensorflow_1(context: Context) -> bool:
    """Whether the project is written for a Keras that also runs on TensorFlow 1."""
    newest = tuple(int(part) for part in context.releases.newest("keras").split(".")[:2])
    return newest < _FIRST_WITHOUT_SESSIONS


def _note(symbol: Symbol) -> str | None:
    """What the table says of a name."""
    name = symbol.name.removeprefix("keras.")
    found = by_name("sessions").get(name)
    return None if found is None else str(found["note"])


def _gone(context: Context, symbol: Symbol) -> tuple[str, str] | None:
    """The release that lacks a name, and its error where that is known; None where it has it."""
    place = _keras_place(symbol) or place_of(symbol.path)
    if place is None:
        return None
    if context.releases.missing(place) != context.releases.settle(place):
        return None
    shown, name = context.releases.shown(place), symbol.path.rpartition(".")[2]
    module = "tensorflow" if place.space == "tf" else backend_module(context, place)
    return shown, f"module '{module}' has no attribute '{name}'" if module else ""
