"""``training=`` that is given to a layer or model inside a functional model, where Keras 3 loses it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import libcst as cst

from lintkeras.checks.expected import raises_on_purpose
from lintkeras.checks.fallbacks import is_guarded
from lintkeras.checks.registry import Context, check
from lintkeras.findings import Finding, Fix, Note
from lintkeras.keras_api.releases import place_of
from lintkeras.meaning.facts import CallMade, FlaggedCall, MemberUse, ModelTrained
from lintkeras.meaning.kinds import class_of, is_model
from lintkeras.meaning.modes import Minding, Mode, minding
from lintkeras.meaning.symbolic import symbolic_source
from lintkeras.meaning.training import is_forward
from lintkeras.meaning.values import UNKNOWN, Const, Instance, Symbol
from lintkeras.rewrites.training_flags import always_active, freeze_base, freeze_layer
from lintkeras.syntax.tree import nodes

_KERAS = ("keras.layers.", "keras.models.")
_TRAINS = frozenset({"fit", "fit_generator", "train_on_batch", "compile"})
_ASKS = frozenset({"predict", "predict_generator", "predict_on_batch", "evaluate", "evaluate_generator",
                   "test_on_batch"})  # fmt: skip


@check("LK335")
def lost_training_flag(context: Context) -> Iterator[Finding]:
    """``layer(x, training=...)`` on a symbolic tensor."""
    for group in context.facts.groups(FlaggedCall):
        call = group[0]
        if not context.program.owns(call.node) or not all(_is_baked(context, one) for one in group):
            continue
        if len({one.training for one in group}) != 1 or not isinstance(call.training, Const):
            continue
        if raises_on_purpose(context.program, call.node) or any(
            is_guarded(context, one.node, one.tests) for one in group
        ):
            continue
        ways = [_lost(context, one) for one in group]
        if not all(ways) or not _is_run(context, flag=bool(call.training.value)):
            continue
        yield _finding(context, call, ways[0])


def _is_baked(context: Context, call: FlaggedCall) -> bool:
    """Whether the call becomes a part of a functional model of Keras 3."""
    place = place_of(call.symbolic.path) if call.symbolic is not None else None
    own = class_of(call.layer)
    of_layer = place_of(own.path) if own is not None else None
    return (
        place is not None
        and of_layer is not None
        and context.releases.is_keras_3(place)
        and context.releases.is_keras_3(of_layer)
        and not any(is_forward(function, _KERAS) for function in call.functions)
    )


def _lost(context: Context, call: FlaggedCall) -> Sequence[Minding]:
    """The layers that mind the flag and lose it."""
    if not isinstance(call.training, Const) or not isinstance(call.training.value, bool):
        return ()
    found = minding(context.facts, call) or ()
    if any(one.mode == "statistics" for one in found):
        frozen = _is_frozen(context, call)
        found = tuple(
            one for one in found
            if one.mode == "noise" or not (frozen or _is_frozen_itself(one.layer))
        )  # fmt: skip
    return found


def _is_frozen_itself(layer: Instance) -> bool:
    return layer.arguments.get("trainable") not in (None, Const(True))


def _is_frozen(context: Context, call: FlaggedCall) -> bool:
    """Whether the layer is frozen while it is trained, or may be.

    It does not matter whether that is before the call or after it. What is set True again, and
    trained after that, is not.
    """
    layer = call.layer
    if not call.kept or _escapes(context, call):
        return True
    written = context.once(_written)
    if written is None:
        return True
    own = [use for use in written if use.owner == layer]
    others = [use for use in written if use.owner != layer and _may_hold(use.owner)]
    if any(use.value != Const(True) for use in others):
        return True
    if not own:
        return layer.arguments.get("trainable") not in (None, Const(True))
    if not all(use.value in (Const(True), Const(False)) for use in own):
        return True
    last = max(own, key=lambda use: context.code.start(use.node))
    if last.value != Const(True):
        return True
    trained = [one.node for one in context.facts.all(ModelTrained)]
    start = context.code.start(last.node)
    after = any(context.program.owns(n) and context.code.start(n) > start for n in trained)
    return not after and any(use.value == Const(False) for use in own)


def _may_hold(owner: object) -> bool:
    """Whether a layer that is made elsewhere may be a part of it."""
    return not (isinstance(owner, Instance) and owner.class_name.startswith("keras.applications."))


def _written(context: Context) -> list[MemberUse] | None:
    """Where ``trainable`` is set; None where it is set on something that is not known."""
    uses = [
        use
        for use in context.facts.all(MemberUse)
        if use.written and use.node.attr.value == "trainable"
    ]
    known = {id(use.node) for use in uses if isinstance(use.owner, Instance)}
    for module in (one.module for one in context.program.parsed):
        for node in nodes(module):
            match node:
                case cst.AssignTarget(target=cst.Attribute(attr=cst.Name(value="trainable")) as at):
                    if id(at) not in known:
                        return None
                case cst.Call(func=cst.Name(value="setattr")):
                    return None
    return uses


def _escapes(context: Context, call: FlaggedCall) -> bool:
    """Whether the layer is given to a function that is not known, which may freeze it."""
    func = call.node.func
    if not isinstance(func, (cst.Name, cst.Attribute)):
        return False
    text = context.code.text(func)
    return any(
        isinstance(argument.value, (cst.Name, cst.Attribute))
        and context.program.owns(argument.value)
        and context.code.text(argument.value) == text
        for node in context.facts.strangers
        if isinstance(node, cst.Call) and context.program.owns(node)
        for argument in node.args
    )


def _is_run(context: Context, *, flag: bool) -> bool:
    """Whether models are run by the methods that override the flag, as far as is to be seen.

    A model that is called directly and without a flag, ``model(x)``, keeps those that are in it.
    """
    methods = context.once(_methods)
    return bool(methods & (_ASKS if flag else _TRAINS)) or not context.once(_calls_directly)


def _methods(context: Context) -> frozenset[str]:
    """The methods that the program calls, by name."""
    return frozenset(
        node.func.attr.value
        for one in context.program.parsed
        for node in nodes(one.module)
        if isinstance(node, cst.Call) and isinstance(node.func, cst.Attribute)
    )


def _calls_directly(context: Context) -> bool:
    """Whether a model is called without a flag on something that is no symbolic tensor."""
    return any(
        isinstance(one.function, Instance)
        and is_model(one.function)
        and "training" not in dict(one.arguments.keywords)
        and symbolic_source(one.arguments.get("inputs", 0) or UNKNOWN) is None
        for one in context.facts.all(CallMade)
    )


# ---------------------------------------------------------------------- what is said


def _finding(context: Context, call: FlaggedCall, found: Sequence[Minding]) -> Finding:
    assert isinstance(call.training, Const)
    assert call.symbolic is not None
    place = place_of(call.symbolic.path)
    assert place is not None
    flag, modes = bool(call.training.value), {one.mode for one in found}
    shown = context.code.shown(call.node.func)
    name = f"`{shown}`" if len(shown) <= 50 else call.layer.class_name.rpartition(".")[2]
    argument = next(
        (a for a in call.node.args if a.keyword is not None and a.keyword.value == "training"), None
    )
    layers = [
        (one.layer.node, "this one minds")
        for one in found[:3]
        if one.layer.node is not None and one.layer is not call.layer
    ]
    return Finding(
        "LK335",
        context.program.span(argument if argument is not None else call.node),
        f"`training={flag}` for {name} is lost in {context.releases.shown(place)}: "
        f"{_effect(flag, modes)}; {_advice(flag, modes)}",
        notes=(
            Note(
                "effect",
                "fit() runs a functional model with training=True, predict() and evaluate() with "
                "training=False, and that goes to every layer in it; only a direct call, "
                "`model(x)`, leaves the flags as they were written. In Keras 2 they held",
            ),
        ),
        related=context.related(*layers),
        fixes=_fixes(context, call, flag, modes),
    )


def _effect(flag: bool, modes: set[Mode]) -> str:
    """What happens instead."""
    noise, statistics = "noise" in modes, "statistics" in modes
    if flag:
        first = "drop nothing and add no noise" if noise else ""
        second = "normalize with the moving statistics" if statistics else ""
        return f"predict() and evaluate() {' and '.join(filter(None, (first, second)))}"
    first = "normalizes with the batch and moves the moving statistics" if statistics else ""
    second = "drops at random" if noise else ""
    return f"fit() {' and '.join(filter(None, (first, second)))}"


def _advice(flag: bool, modes: set[Mode]) -> str:
    if not flag and modes == {"statistics"}:
        return "set `trainable = False`, with which BatchNormalization runs in inference mode"
    return "fix the flag in the `call` of a subclass"


def _fixes(context: Context, call: FlaggedCall, flag: bool, modes: set[Mode]) -> tuple[Fix, ...]:
    code, is_layer = context.code, isinstance(call.layer.cls, Symbol) and not is_model(call.layer)
    if flag and is_layer and modes == {"noise"}:
        if any(word in call.layer.class_name for word in ("Dropout", "Noise")):
            return context.fixes(always_active, code, call)
    if not flag and modes == {"statistics"}:
        own = [u for u in context.once(_written) or () if u.owner == call.layer]
        if is_layer:
            return context.fixes(freeze_layer, code, call)
        if not own:
            return context.fixes(freeze_base, code, call)
    return ()
