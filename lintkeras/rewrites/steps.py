"""Fixes of an optimizer step: a factor dropped, or moved into the learning rate."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from lintkeras.findings import Applicability, Edit, Fix
from lintkeras.meaning.facts import CompiledModel, OptimizerStep
from lintkeras.meaning.library import argument_node
from lintkeras.meaning.values import Class, Const, Instance
from lintkeras.rewrites.code import Code
from lintkeras.rewrites.restoring import restore

_HARMLESS = frozenset({"learning_rate", "momentum", "nesterov", "name"})
"""Arguments of SGD beside which a factor on the gradients is one on the learning rate."""
_DEFAULT_RATE = 0.01
_USES = frozenset({"apply_gradients", "apply", "iterations", "variables", "build"})
_RATES = frozenset({"learning_rate", "lr", "LearningRateScheduler", "ReduceLROnPlateau"})


def drop_factor(code: Code, step: OptimizerStep, shown: str) -> Iterator[Fix]:
    """LK103: apply the gradients as they are."""
    restored = restore(code, step)
    if restored is not None:
        title = f"drop the factor {shown}{restored.note}"
        yield Fix("drop-factor", title, Applicability.UNSAFE, restored.edits)


def move_factor(code: Code, step: OptimizerStep, factor: float) -> Iterator[Fix]:
    """LK102: multiply the learning rate instead of the gradients.

    Only where both do the same: plain SGD with a constant rate, made for this step alone.
    """
    optimizer = step.optimizer
    if not isinstance(optimizer, Instance) or optimizer.node is None:
        return
    if optimizer.class_name != "keras.optimizers.SGD" or not _is_plain(optimizer):
        return
    if not _steps_alone(code, step, optimizer):
        return
    restored = restore(code, step)
    moved = _moved(code, optimizer, factor)
    if restored is not None and moved is not None:
        edit, text = moved
        title = f"learning_rate={text}{restored.note}"
        yield Fix("learning-rate", title, Applicability.UNSAFE, (edit, *restored.edits))


def _is_plain(optimizer: Instance) -> bool:
    """Whether nothing but the rate and the momentum is set."""
    arguments = optimizer.arguments
    return (
        arguments.complete
        and len(arguments.positional) <= 3
        and all(name in _HARMLESS or value == Const(None) for name, value in arguments.keywords)
    )


def _moved(code: Code, optimizer: Instance, factor: float) -> tuple[Edit, str] | None:
    """The edit that multiplies the learning rate, and how it is written then."""
    assert optimizer.node is not None
    value = optimizer.arguments.get("learning_rate", 0)
    if value is None:
        text = _decimal(_DEFAULT_RATE * factor)
        return code.add_argument(optimizer.node, f"learning_rate={text}"), text
    rate = argument_node(optimizer.node, "learning_rate", 0)
    if rate is None or not isinstance(value, Const) or type(value.value) not in (int, float):
        return None
    if isinstance(rate.value, (cst.Integer, cst.Float)):
        text = _decimal(value.value * factor)  # type: ignore[operator]
    else:
        atom = isinstance(rate.value, (cst.Name, cst.Attribute, cst.Call, cst.Subscript))
        written = code.text(rate.value)
        text = f"{written if atom else f'({written})'} * {_decimal(factor)}"
    return code.replace(rate.value, text), text


def _decimal(number: float) -> str:
    return f"{number:.12g}"


def _steps_alone(code: Code, step: OptimizerStep, optimizer: Instance) -> bool:
    """Whether the optimizer takes no step but this one, with the rate that it was made with."""
    for group in code.facts.groups(OptimizerStep):
        for other in group:
            made = other.optimizer.node if isinstance(other.optimizer, Instance) else None
            if (made is optimizer.node) != (other.node is step.node):
                return False
    if code.names.all & _RATES:
        return False
    models = [f.model for f in code.facts.all(CompiledModel) if f.optimizer == optimizer]
    owner = step.function.cls if step.function is not None else None
    if any(not isinstance(m, Instance) or not _trains_in(m, owner) for m in models):
        return False
    return _held_by(code, optimizer.node, bool(models))


def _trains_in(model: Instance, owner: Class | None) -> bool:
    """Whether a compiled model trains by the method of a class of the program."""
    return owner is not None and isinstance(model.cls, Class) and owner in model.cls.lineage


def _held_by(code: Code, made: cst.Call | None, compiled: bool) -> bool:
    """Whether all uses of the optimizer are in view: one name or attribute, asked for its steps."""
    if made is None or code.names.opaque:
        return False
    parent = code.program.parent(made)
    match parent:
        case cst.Assign(targets=[cst.AssignTarget(target=target)]) | cst.AnnAssign(target=target):
            if isinstance(target, cst.Name):
                variable = code.names.variable(target)
                return (
                    variable is not None
                    and variable.stores == [target]
                    and all(_only_steps(code, load, compiled) for load in variable.loads)
                )
            if isinstance(target, cst.Attribute):
                return all(
                    one is target or _only_steps(code, one, compiled)
                    for one in code.names.attribute_uses(target.attr.value)
                )
        case cst.Arg():
            return compiled and _is_compile(code, parent)
    return False


def _only_steps(code: Code, use: cst.BaseExpression, compiled: bool) -> bool:
    parent = code.program.parent(use)
    if isinstance(parent, cst.Attribute):
        return parent.attr.value in _USES
    return compiled and isinstance(parent, cst.Arg) and _is_compile(code, parent)


def _is_compile(code: Code, argument: cst.Arg) -> bool:
    call = code.program.parent(argument)
    return any(fact.node is call for fact in code.facts.all(CompiledModel))
