"""``compiled_loss`` and ``compiled_metrics`` in a training step of one's own."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from lintkeras.checks.fallbacks import is_guarded
from lintkeras.checks.registry import Context, check
from lintkeras.findings import Finding, Fix, Note, Severity
from lintkeras.keras_api.releases import place_of
from lintkeras.meaning.facts import LayerClass, MemberUse
from lintkeras.meaning.kinds import class_of, is_model
from lintkeras.meaning.values import Class, Instance, Member, Super, Value
from lintkeras.rewrites import compiled as rewrites
from lintkeras.syntax.tree import nodes

_NAMES = frozenset({"compiled_loss", "compiled_metrics"})


@check("LK614")
def compiled_loss(context: Context) -> Iterator[Finding]:
    """What Keras 3 left of ``compiled_loss`` and ``compiled_metrics``."""
    for group in context.facts.groups(MemberUse):
        use = group[0]
        name = use.node.attr.value
        if name not in _NAMES or use.written or not all(_is_shim(context, one) for one in group):
            continue
        if any(is_guarded(context, one.node, one.tests) for one in group):
            continue
        cls = _class(use.owner)
        function = context.program.enclosing_function(use.node)
        if cls is not None and function is not None:
            find = _loss if name == "compiled_loss" else _metrics
            yield find(context, use, cls, function)


def _is_shim(context: Context, use: MemberUse) -> bool:
    """Whether it is what Keras 3 has under that name, for a class of the program."""
    cls = _class(use.owner)
    symbol = class_of(use.owner)
    if cls is None or symbol is None or not isinstance(use.found, Member) or not cls.plain:
        return False
    owner = use.owner.owner if isinstance(use.owner, Super) else use.owner
    place = place_of(symbol.path)
    return is_model(owner) and place is not None and context.releases.is_keras_3(place)


def _class(owner: Value) -> Class | None:
    match owner:
        case Instance(cls=Class() as cls) | Super(cls=cls):
            return cls
    return None


def _release(context: Context, owner: Value) -> str:
    symbol = class_of(owner)
    place = place_of(symbol.path) if symbol is not None else None
    return context.releases.shown(place) if place is not None else "Keras 3"


def _loss(context: Context, use: MemberUse, cls: Class, function: cst.FunctionDef) -> Finding:
    """``self.compiled_loss``: a method that warns and calls ``compute_loss``."""
    owner, release = context.code.shown(use.node.value), _release(context, use.owner)
    parent = context.program.parent(use.node)
    call = parent if isinstance(parent, cst.Call) and parent.func is use.node else None
    severity: Severity | None = None
    if isinstance(parent, cst.Attribute):
        happens = (
            f"is a method in {release}: reading `{parent.attr.value}` raises AttributeError: "
            f"'function' object has no attribute '{parent.attr.value}'"
        )
    elif function.name.value == "compute_loss":
        happens = f"calls `compute_loss` in {release}, which calls it again: RecursionError"
    else:
        severity = Severity.WARNING
        happens = (
            f"is deprecated in {release}: it warns, calls `compute_loss` and ignores "
            "`regularization_losses`"
        )
    notes = [Note("backend", "on JAX and PyTorch it does not exist: AttributeError")]
    if call is not None and _adds_losses(function, call):
        notes.append(
            Note(
                "effect",
                "in Keras 3 the result holds the losses of the layers already: what is added here "
                "as `self.losses` counts twice",
            )
        )
    own = any(_defines(one, "compute_loss") for one in cls.lineage if isinstance(one, Class))
    return Finding(
        "LK614",
        context.program.span(use.node.attr),
        f"`{owner}.compiled_loss` {happens}; write `compute_loss(y=..., y_pred=...)`",
        severity=severity,
        notes=tuple(notes),
        fixes=context.fixes(rewrites.of_loss, context, use.node, call, function, own=own),
    )


def _metrics(context: Context, use: MemberUse, cls: Class, function: cst.FunctionDef) -> Finding:
    """``self.compiled_metrics``: an object whose ``update_state`` feeds predictions to means."""
    owner, release = context.code.shown(use.node.value), _release(context, use.owner)
    parent = context.program.parent(use.node)
    method = parent.attr.value if isinstance(parent, cst.Attribute) else ""
    own_list = any(_defines(one, "metrics") for one in cls.lineage if isinstance(one, Class))
    severity: Severity | None = None
    if method == "update_state":
        reported = any(
            isinstance(n, cst.Attribute) and n.attr.value == "metrics" for n in nodes(function)
        )
        severity = None if reported else Severity.WARNING
        what = "each Mean among the metrics" if own_list else "the loss that fit() reports"
        happens = f"makes {what} a mean of the predictions in {release}"
    elif method:
        happens = (
            f"has only `update_state` left in {release}: AttributeError: "
            f"'DeprecatedCompiledMetric' object has no attribute '{method}'"
        )
    else:
        happens = f"is deprecated in {release}: it warns and has only `update_state`"
        severity = Severity.WARNING
    fixes: tuple[Fix, ...] = ()
    if method == "update_state" and not own_list and not _has_metrics(context, cls):
        fixes = context.fixes(rewrites.of_metrics, context, use.node, function)
    return Finding(
        "LK614",
        context.program.span(use.node.attr),
        f"`{owner}.compiled_metrics` {happens}; update the metrics of `{owner}.metrics` one by one",
        severity=severity,
        notes=(Note("backend", "on JAX and PyTorch it does not exist: AttributeError"),),
        fixes=fixes,
    )


def _adds_losses(function: cst.FunctionDef, call: cst.Call) -> bool:
    """Whether a function reads ``self.losses`` outside of the call."""
    inside = {id(node) for node in nodes(call)}
    return any(
        isinstance(node, cst.Attribute) and node.attr.value == "losses" and id(node) not in inside
        for node in nodes(function)
    )


def _defines(cls: Class, name: str) -> bool:
    return any(
        isinstance(part, cst.FunctionDef) and part.name.value == name for part in cls.node.body.body
    )


def _has_metrics(context: Context, cls: Class) -> bool:
    """Whether objects of a class keep metrics of their own, which ``metrics`` lists too."""
    for layer in context.facts.all(LayerClass):
        if layer.cls == cls:
            return any(
                isinstance(value, Instance)
                and any(base.startswith("keras.metrics.") for base in value.library_bases())
                for _, value in layer.attributes
            )
    return True
