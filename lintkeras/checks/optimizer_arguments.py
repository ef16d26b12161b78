"""Arguments of optimizers that have no effect, or exclude each other."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from lintkeras.checks.calls import Called, calls_of_keras
from lintkeras.checks.keywords import Verdict, source_of, verdicts
from lintkeras.checks.registry import Context, check
from lintkeras.findings import Applicability, Edit, Finding, Fix, Note
from lintkeras.meaning.values import Const, Symbol, Value
from lintkeras.rewrites.arguments import leave_out
from lintkeras.rewrites.imports import insert, reach

_STEPS = 10_000
_RATES = ("learning_rate", "lr")


# ------------------------------------------------------------------ decay


@check("LK606")
def ignored_argument(context: Context) -> Iterator[Finding]:
    """decay= of an optimizer, which is accepted and does nothing."""
    for one in context.once(verdicts):
        if one.entry is None or one.entry.rule != "LK606":
            continue
        shown = context.releases.shown(one.called.callee.place)
        name = f"`{one.called.callee.name}()`"
        decay, rate = _number(one.value), _rate(one.called)
        if one.what == "ignored":
            says = f"{name} ignores `decay=` in {shown}: the learning rate stays as it is"
        else:
            says = f"{name} does not take `decay=` in {shown}, which raises ValueError"
        if one.what == "ignored" and rate is not None and decay:
            old = rate / (1 + decay * _STEPS)
            says = (
                f"{name} ignores `decay=` in {shown}: the learning rate stays {rate:g}, and would "
                f"be {old:.3g} after {_STEPS:,} steps"
            )
        notes = (
            Note("math", "until Keras 2.10: learning_rate / (1 + decay * steps), step by step"),
            Note("note", "for a decay of the weights, give `weight_decay=` to the optimizer"),
        )
        yield Finding(
            "LK606",
            context.program.span(one.argument or one.called.node),
            says,
            notes=notes,
            fixes=context.fixes(_as_schedule, context, one),
        )


def _number(value: Value | None) -> float | None:
    if isinstance(value, Const) and type(value.value) in (int, float):
        return float(value.value)  # type: ignore[arg-type]
    return None


def _rate(called: Called) -> float | None:
    """The learning rate of an optimizer: the one given, else the default of its class."""
    if not called.arguments.complete:
        return None
    for name in _RATES:
        given = called.arguments.get(name, 0)
        if given is not None:
            return _number(given)
    text = _default_rate(called)
    return float(text) if text else None


def _default_rate(called: Called) -> str:
    parameters = {p.name: p.default for p in called.signature.parameters}
    return parameters.get("learning_rate") or ""


def _as_schedule(context: Context, one: Verdict) -> Iterator[Fix]:
    """``InverseTimeDecay`` in the place of the learning rate; no decay needs none."""
    called, code, argument = one.called, context.code, one.argument
    if argument is None or not isinstance(called.function, Symbol):
        return
    gone = leave_out(code, called.node, argument)
    if gone is None:
        return
    if _number(one.value) == 0.0:
        yield Fix("schedule", "leave out `decay=`", Applicability.SAFE, (gone,))
        return
    given = [a for a in (called.argument(name) for name in _RATES) if a is not None]
    given += list(called.positional or ())[:1]
    rate = code.text(given[0].value) if given else _default_rate(called)
    if len(given) > 1 or not rate or (given and not _may_be_number(called)) or called.partial:
        return
    top = code.program.top_level_statement(called.node)
    root = called.function.path.partition(".optimizers.")[0]
    root = "tensorflow.keras" if root == "tensorflow" else root
    library = reach(code, f"{root}.optimizers.schedules", top)
    schedule = (
        f"{library.expression}.InverseTimeDecay({rate}, decay_steps=1, "
        f"decay_rate={code.text(argument.value)})"
    )
    edits: list[Edit] = insert(code, top, [], [library.missing]) if library.missing else []
    if given:
        edits += [code.replace(given[0].value, schedule), gone]
    else:
        edits.append(code.replace_all([_head(argument), argument.value],
                                      f"learning_rate={schedule}"))  # fmt: skip
    title = f"write `InverseTimeDecay({code.shown(given[0].value) if given else rate}, ...)`"
    yield Fix("schedule", title, Applicability.UNSAFE, tuple(edits))


def _head(argument: cst.Arg) -> cst.CSTNode:
    return argument.value if argument.keyword is None else argument.keyword


def _may_be_number(called: Called) -> bool:
    """Whether the learning rate is not a schedule or a function already, as far as is known."""
    for name in _RATES:
        value = called.arguments.get(name, 0)
        if value is not None:
            return isinstance(value, Const)
    return True


# ------------------------------------------------------------------ clipping


@check("LK415")
def multiple_clip_arguments(context: Context) -> Iterator[Finding]:
    """more than one of clipnorm, clipvalue and global_clipnorm on one optimizer."""
    for called in context.once(calls_of_keras):
        names = called.callee.names(context.releases)
        if called.callee.method or "optimizers.Optimizer" not in names:
            continue
        given = [(n, v) for n in ("clipnorm", "clipvalue", "global_clipnorm")
                 if (v := dict(called.keywords).get(n)) is not None
                 and _number(v) is not None]  # fmt: skip
        if len(given) < 2:
            continue
        arguments = [a for n, _ in given if (a := called.argument(n)) is not None]
        said = " and ".join(f"`{n}={source_of(v)}`" for n, v in given)
        place = called.callee.place
        shown = context.releases.shown(place)
        if context.releases.is_keras_3(place):
            effect = (
                "ValueError: Only one of `clipnorm`, `clipvalue` and `global_clipnorm` can be set"
            )
        elif {n for n, _ in given} >= {"clipnorm", "global_clipnorm"}:
            effect = "which raises ValueError"
        elif context.releases.release_of(place)[:2] >= (2, 11):
            effect = f"which clips by {_winner(given)} alone"
        else:
            effect = "which clips by the one, then by the other"
        yield Finding(
            "LK415",
            context.program.span(arguments[-1] if arguments else called.node),
            f"`{called.callee.name}()` is given {said} in {shown}, {effect}",
            label="a second way to clip",
            related=context.related(*((a, "the first") for a in arguments[:-1])),
        )


def _winner(given: list[tuple[str, Value]]) -> str:
    names = [name for name, _ in given]
    return next(n for n in ("clipnorm", "global_clipnorm", "clipvalue") if n in names)
