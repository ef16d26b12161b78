"""What becomes of a model between compile() and training: its arguments, whether it is frozen.

Keras 3 makes the training step at the first training, for the weights that are trainable then;
a model that was frozen before never trains, whatever ``compile`` saw.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import libcst as cst

from lintkeras.meaning.calling import unwrapped
from lintkeras.meaning.objects import COMPILED, TRAINED
from lintkeras.meaning.state import State
from lintkeras.meaning.values import (
    NONE,
    UNKNOWN,
    Arguments,
    Computed,
    Const,
    Content,
    Instance,
    Value,
)

if TYPE_CHECKING:
    from lintkeras.meaning.interpreter import Interpreter

_NEVER = Const(False)


def compile_model(run: Interpreter, model: Value, arguments: Arguments, node: cst.Call) -> None:
    """``model.compile(...)``."""
    if isinstance(model, Instance):
        run.write((model, COMPILED), Computed("compile", unwrapped(run, arguments), node))
        run.write((model, TRAINED), _NEVER if _is_frozen(run, model) is False else UNKNOWN)


def train(run: Interpreter, model: Value) -> None:
    """``model.fit(...)`` and the like: the step is made, unless nothing can be trained."""
    if isinstance(model, Instance) and _is_frozen(run, model) is not True:
        run.write((model, TRAINED), NONE)


def compiled_with(run: Interpreter, model: Value) -> Arguments | None:
    """What ``compile`` was given, where that is certain."""
    found = run.state.find((model, COMPILED)) if isinstance(model, Instance) else None
    return found.arguments if isinstance(found, Computed) else None


def was_frozen(run: Interpreter, model: Value) -> bool:
    """Whether a model was frozen after ``compile`` and not trained before, for certain."""
    if not isinstance(model, Instance) or compiled_with(run, model) is None:
        return False
    return run.state.find((model, TRAINED)) == _NEVER and _is_frozen(run, model) is True


def _is_frozen(run: Interpreter, model: Instance) -> bool | None:
    """Whether ``trainable`` is False of a model, or of all its layers; None: not known."""
    own = _trainable(run, model)
    if own is not True:
        return None if own is None else True
    content = run.state.find((model, "layers "))
    plain = content.plain() if isinstance(content, Content) else ()
    if not plain:
        return False
    each = [_trainable(run, one) if isinstance(one, Instance) else None for one in plain]
    if all(one is False for one in each):
        return True
    return None if None in each else False


def _trainable(run: Interpreter, layer: Instance) -> bool | None:
    found = run.state.find((layer, "trainable"))
    if found is State.MISSING:
        return True
    return found.value if isinstance(found, Const) and isinstance(found.value, bool) else None
