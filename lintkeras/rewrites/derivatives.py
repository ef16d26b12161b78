"""LK101's fix: the derivative goes into the layer, the gradients stay as they are."""

from __future__ import annotations

from typing import NamedTuple

import libcst as cst

from lintkeras.findings import Applicability, Edit, Fix
from lintkeras.meaning.facts import OptimizerStep
from lintkeras.meaning.values import (
    Const,
    Function,
    Gradient,
    Rectify,
    Scale,
    Symbol,
    alternatives,
)
from lintkeras.rewrites.activations import (
    LINEAR,
    Activation,
    Backward,
    Definition,
    Form,
    Guided,
    Spelling,
    Surrogate,
    synthesize,
)
from lintkeras.rewrites.code import Code, names_in
from lintkeras.rewrites.giving import give
from lintkeras.rewrites.imports import Library, insert, keras, library
from lintkeras.rewrites.places import Place, find
from lintkeras.rewrites.restoring import Restored, edits_of, restore, ways
from lintkeras.rewrites.surrogates import backward_of

_WITHOUT_CUSTOM_GRADIENT = (3, 0)
"""The release line whose ``keras.ops`` has no ``custom_gradient``."""
_NOT_ELEMENTWISE = frozenset({"softmax", "log_softmax", "sparsemax", "glu"})
_WITH_LOGITS = frozenset({"softmax", "sigmoid"})


def fixes(code: Code, step: OptimizerStep) -> list[Fix]:
    """The fixes of one edited step: one layer is fixed, several are sketched."""
    meant = [_backward(one) for one in ways(code, step)]
    backward = meant[0] if meant else None
    if backward is None or any(one != backward for one in meant):
        return []
    return _fixes(code, step, backward, guided=False)


def guided_fixes(code: Code, step: OptimizerStep) -> list[Fix]:
    """LK108's sketch: a relu whose backward pass is guided, instead of rectified gradients."""
    return _fixes(code, step, Backward(None, Guided()), guided=True)


def _backward(step: OptimizerStep) -> Backward | None:
    """What the edits of the gradients were meant to be inside the activation."""
    edits = edits_of(step)
    scales = tuple(edit for edit in edits if isinstance(edit, Scale))
    if any(isinstance(edit, Rectify) for edit in edits):
        return Backward(None, Guided()) if not scales else None
    return backward_of(scales) if _alike(step) else None


def _alike(step: OptimizerStep) -> bool:
    """Whether every gradient of the step was edited, and in the same way."""
    ways = {
        tuple((edit.factor, edit.divides) for edit in value.edits if isinstance(edit, Scale))
        for entry in step.gradients.entries
        for value in alternatives(entry.value)
        if isinstance(value, Gradient)
    }
    return len(ways) == 1


def _fixes(code: Code, step: OptimizerStep, backward: Backward, *, guided: bool) -> list[Fix]:
    restored = restore(code, step)
    if restored is None:
        return []
    found = find(code, ways(code, step))
    fixed: list[Fix] = []
    for place in found.places:
        fixed += _fixes_of(code, place, backward, restored, found.alone, guided)
    return fixed


def _fixes_of(
    code: Code, place: Place, backward: Backward, restored: Restored, alone: bool, guided: bool
) -> list[Fix]:
    """The forms that hold at one place, the default first."""
    forward = place.forward
    if forward is None or not _fits(forward, backward):
        return []
    if isinstance(backward.shape, Surrogate) and backward.shape.label == forward.label:
        backward = Backward(backward.factor)  # its own derivative, after all
    surrogate = isinstance(backward.shape, Surrogate)
    sketch = (
        guided
        or not alone
        or forward.label == "softmax"
        or (place.hides_logits and forward.label in _WITH_LOGITS)
        or (surrogate and forward == LINEAR and place.bent)
    )
    safety = Applicability.DISPLAY if sketch else Applicability.UNSAFE
    forms: tuple[Form, ...] = ("custom-gradient", "stop-gradient")
    found = []
    for form in forms[::-1] if place.symbolic else forms:
        given = _given(code, place, forward, backward, form)
        if given is None:
            continue
        edits = (*given.inserted, *given.edits, *restored.edits)
        title = f"{given.title}{restored.note}"
        group = "definitions" if given.inserted else None
        name = "guided-relu" if guided else form
        found.append(Fix(name, title, safety, edits, place.name, group))
    return found


def _fits(forward: Activation, backward: Backward) -> bool:
    """Whether the backward pass makes sense for the activation."""
    match backward.shape:
        case Guided():
            return forward.label == "relu"
        case Surrogate():
            return forward.label not in _NOT_ELEMENTWISE
    return True


class _Given(NamedTuple):
    """An activation that is given to a place: what is defined above it, and what changes there."""

    inserted: list[Edit]
    edits: list[Edit]
    title: str


def _given(
    code: Code, place: Place, forward: Activation, backward: Backward, form: Form
) -> _Given | None:
    """The edits that give a place its activation; None where the form does not hold there."""
    if backward == Backward():
        title = f"apply the gradients as they are: {forward.label} has this derivative already"
        return _Given([], [], title) if form == "custom-gradient" else None
    inside = form == "custom-gradient" and backward.shape is not None
    if inside and place.function is not None and not _is_closed(code, place.function):
        return None  # a custom gradient around variables needs their gradients too
    top = code.program.top_level_statement(place.node)
    spelled = _spelling(code, place, form, top)
    if spelled is None or code.interactive(top):
        return None
    spelling, libraries = spelled
    definitions = _definitions(code, forward, backward, spelling, form, top)
    if not definitions:
        return None
    name = definitions[-1].name
    edits = give(code, place, name, form, spelling)
    if edits is None:
        return None
    missing = [one.missing for one in libraries if one.missing is not None]
    new = [one.source for one in definitions if one.source]
    how = ", written with stop_gradient" if form == "stop-gradient" else ""
    title = f"give `{code.shown(place.node)}` the activation {name}{how}"
    return _Given(insert(code, top, new, missing), edits, title)


def _is_closed(code: Code, function: Function, depth: int = 4) -> bool:
    """Whether a function reads nothing but its arguments, libraries, constants and such functions."""
    for name in names_in(function.node):
        variable = code.names.variable(name)
        if variable is None or not variable.stores or variable.scope is not code.names.module:
            continue
        match code.facts.names.get(name.value):
            case Symbol() | Const():
                pass
            case Function() as other if other == function or (
                depth and _is_closed(code, other, depth - 1)
            ):
                pass
            case _:
                return False
    return True


def _spelling(
    code: Code, place: Place, form: Form, top: cst.CSTNode
) -> tuple[Spelling, list[Library]] | None:
    """How the file writes what the form needs, and the libraries that takes."""
    reached = keras(code, place.flavour, top)
    three = not code.may_run_on(2)
    if place.flavour == "keras" and three:
        if form == "custom-gradient" and code.may_run_on(*_WITHOUT_CUSTOM_GRADIENT):
            return None
        register = f"{reached.expression}.saving.register_keras_serializable"
        return Spelling(reached.expression, None, register), [reached]
    register = f"{reached.expression}.utils.register_keras_serializable"
    on_symbols = place.symbolic and not place.of_tensorflow and form == "stop-gradient"
    if place.flavour == "tf.keras" and three and on_symbols:
        return Spelling(reached.expression, None, register), [reached]
    tensorflow = library(code, "tensorflow", top)
    spelling = Spelling(reached.expression, tensorflow.expression, register)
    return spelling, [reached, tensorflow]


def _definitions(
    code: Code, forward: Activation, backward: Backward, spelling: Spelling, form: Form,
    top: cst.CSTNode,
) -> list[Definition]:  # fmt: skip
    """The functions, under free names; without text where the program has them already."""
    names: dict[str, str] = {}
    present: set[str] = set()
    for one in synthesize(forward, backward, spelling, form):
        if _is_defined(code, one, top):
            present.add(one.name)
        else:
            names[one.name] = code.unused(one.name, names.values())
    found = synthesize(forward, backward, spelling, form, names)
    return [Definition(one.name, "" if one.name in present else one.source) for one in found]


def _is_defined(code: Code, one: Definition, top: cst.CSTNode) -> bool:
    """Whether the module has this very function above a statement."""
    variable = code.names.find(one.name)
    if variable is None or len(variable.stores) != 1:
        return False
    function = code.program.top_level_statement(variable.stores[0])
    if not isinstance(function, cst.FunctionDef) or code.start(function) > code.start(top):
        return False
    _, end = code.program.local_span(function)
    text = code.source(function)[code.line_start(function) : end].replace("\r\n", "\n")
    return text.rstrip() == one.source.rstrip()
