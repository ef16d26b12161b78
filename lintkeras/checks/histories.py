"""The keys of ``history.history``."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from lintkeras.checks.fallbacks import is_guarded
from lintkeras.checks.registry import Context, check
from lintkeras.findings import Applicability, Finding, Fix
from lintkeras.keras_api.releases import place_of
from lintkeras.meaning.facts import ItemRead, ModelTrained
from lintkeras.meaning.kinds import class_of
from lintkeras.meaning.values import Arguments, Const, Instance, Sequence, Symbol, Value

_ACCURACY = ("acc", "accuracy")
_SCHEDULES = frozenset({
    "keras.callbacks.LearningRateScheduler", "keras.callbacks.ReduceLROnPlateau",
})  # fmt: skip
"""The callbacks of Keras that write the learning rate into the logs."""


@check("LK619")
def renamed_history_key(context: Context) -> Iterator[Finding]:
    """A key that ``fit`` writes under another name."""
    trained = {group[0].node: group for group in context.facts.groups(ModelTrained)}
    for group in context.facts.groups(ItemRead):
        found = {_renamed(context, read, trained) for read in group}
        if len(found) != 1 or None in found:
            continue
        if any(is_guarded(context, one.node, one.tests) for one in group):
            continue
        new, why, release = found.pop() or ("", "", "")
        old = group[0].index.value if isinstance(group[0].index, Const) else ""
        yield Finding(
            "LK619",
            context.program.span(group[0].node),
            f"KeyError: '{old}': {why}; the key is \"{new}\" in {release}",
            fixes=context.fixes(_fixes, context, group[0].node, str(old), new),
        )


def _renamed(
    context: Context, read: ItemRead, trained: dict[cst.Call, list[ModelTrained]]
) -> tuple[str, str, str] | None:
    """The key that has the place of the one that is read, why, and in which release."""
    holder = read.holder.of
    cls = class_of(holder)
    if read.holder.name != "history" or cls is None or not isinstance(read.index, Const):
        return None
    if cls.name != "keras.callbacks.History" or not isinstance(holder, Instance):
        return None
    place, key = place_of(cls.path), read.index.value
    fits = trained.get(holder.node) if holder.node is not None else None
    if place is None or not isinstance(key, str) or not fits:
        return None
    release = context.releases.shown(place)
    if key == "lr" and context.releases.is_keras_3(place):
        if all(_writes_rate(fit.arguments) for fit in fits):
            return "learning_rate", "the callback writes the rate under its new name", release
        return None
    start = "val_" if key.startswith("val_") else ""
    if key.removeprefix("val_") not in _ACCURACY:
        return None
    names = {_metric(fit.compiled, key.removeprefix("val_")) for fit in fits}
    name = names.pop() if len(names) == 1 else None
    if name is None:
        return None
    return start + name, f'compile() was given the metric "{name}"', release


def _metric(compiled: Arguments | None, key: str) -> str | None:
    """The accuracy among the metrics, where there is one and it has another name than ``key``."""
    metrics = compiled.get("metrics") if compiled is not None and compiled.complete else None
    plain = metrics.content.plain() if isinstance(metrics, Sequence) else None
    names = [_name(value) for value in plain or ()]
    if compiled is None or len(compiled.positional) > _MOST_POSITIONAL or None in names:
        return None
    found = [name for name in names if name in _ACCURACY]
    return found[0] if len(found) == 1 and key not in names else None


_MOST_POSITIONAL = 2
"""What stands behind optimizer and loss differs between the releases."""


def _name(metric: Value) -> str | None:
    """The name that a metric has in the logs, where it is plain."""
    match metric:
        case Const(value=str(name)):
            return name
        case Instance(cls=Symbol(name=name), arguments=arguments):
            given = arguments.get("name")
            if isinstance(given, Const) and isinstance(given.value, str):
                return given.value
            if given is None and name.startswith("keras.metrics."):
                return name  # a name with "accuracy" in it, perhaps, but neither of the two
    return None


def _writes_rate(arguments: Arguments) -> bool:
    """Whether, of the callbacks of ``fit``, only those of Keras write the learning rate."""
    callbacks = arguments.get("callbacks", 5)
    plain = callbacks.content.plain() if isinstance(callbacks, Sequence) else None
    if plain is None or not all(
        isinstance(one, Instance) and isinstance(one.cls, Symbol) for one in plain
    ):
        return False
    return any(isinstance(one, Instance) and one.class_name in _SCHEDULES for one in plain)


def _fixes(context: Context, node: cst.Subscript, old: str, new: str) -> Iterator[Fix]:
    """Another text between the same quotes."""
    match node.slice:
        case [cst.SubscriptElement(slice=cst.Index(value=cst.SimpleString() as text))]:
            written = context.code.text(text)
            if written.count(old) == 1:
                safe = new != "learning_rate" or not context.code.may_run_on(2)
                yield Fix(
                    "rename",
                    f'read the key "{new}"',
                    Applicability.SAFE if safe else Applicability.UNSAFE,
                    (context.code.replace(text, written.replace(old, new)),),
                )
