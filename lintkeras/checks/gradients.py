"""The gradient family: what happens between the tape and the optimizer."""

from __future__ import annotations

import math
from collections.abc import Iterator

import libcst as cst

from lintkeras.checks.expected import raises_on_purpose
from lintkeras.checks.gradient_edits import GradientChange, changes, number_of
from lintkeras.checks.optimizers import effect
from lintkeras.checks.registry import Context, check
from lintkeras.findings import Finding, Fix, Note, Related, Severity
from lintkeras.meaning.facts import (
    ActivationUse,
    ListArithmetic,
    ModelSaved,
    OptimizerStep,
    TapeUse,
)
from lintkeras.meaning.values import (
    ANYTHING,
    Const,
    CustomGradient,
    Entry,
    Rectify,
    Scale,
    Test,
    gradients_in,
)
from lintkeras.rewrites.derivatives import fixes, guided_fixes
from lintkeras.rewrites.filters import filter_pairs
from lintkeras.rewrites.lists import each_gradient
from lintkeras.rewrites.steps import drop_factor, move_factor
from lintkeras.rewrites.tapes import make_persistent
from lintkeras.rewrites.wrappers import wrap

_LONGEST_QUOTE = 80


@check("LK101")
def rescaled_gradient_as_derivative(context: Context) -> Iterator[Finding]:
    """weight gradients changed after the tape to change an activation's derivative."""
    for found in changes(context):
        if found.code != "LK101" or found.intent is None:
            continue
        words = found.intent.sentence
        if len(words) > _LONGEST_QUOTE:
            words = words[:_LONGEST_QUOTE].rsplit(" ", 1)[0] + " ..."
        where = _WHERE[found.intent.passage.kind]
        notes = [
            Note(
                "math",
                "dL/dW = sum over the batch of delta a^T, delta = (W_next^T delta_next) * f'(z): "
                "f' was used inside, unit by unit and example by example, and has been summed away",
            ),
            Note("effect", _effect(found)),
            Note("note", _inside_the_layers(context, found)),
            Note("note", _remedy(found)),
            Note("note", f'{where} says: "{words}"'),
        ]
        yield Finding(
            "LK101",
            context.program.span(_place(context, found)),
            f"{_doing(context, found)} does not change any activation's derivative",
            label="only the optimizer sees this",
            notes=tuple(notes),
            related=_tape_note(context, found),
            fixes=context.fixes(fixes, context.code, found.step),
        )


_WHERE = {
    "comment": "the comment",
    "docstring": "the docstring",
    "name": "the function's name",
    "heading": "the heading",
    "sentence": "the text above",
    "following": "the text below",
}


def _doing(context: Context, found: GradientChange) -> str:
    """What is done to the gradients, in a noun phrase: ``scaling the weight gradients by 2``."""
    if found.factor is not None:
        verb, by = _by(context, found)
        return f"{'scaling' if verb == 'multiplying' else verb} the weight gradients by {by}"
    if found.factors:
        return f"scaling the weight gradients by {_shown(found.factors)}"
    if found.rectifies:
        return "setting the negative weight gradients to zero"
    operand = _other_operand(found.edit)
    by = f" by `{context.program.text(operand)}`" if operand is not None else ""
    verb = "dividing" if isinstance(found.edit, Scale) and found.edit.divides else "multiplying"
    return f"{verb} the weight gradients{by}"


def _by(context: Context, found: GradientChange) -> tuple[str, str]:
    """The user's own operation and number: ``multiplying``, ``2 (K)``."""
    edits = found.gradient.edits
    factor, verb = found.factor or 1.0, "multiplying"
    if len(edits) > 1 or not isinstance(edits[0], Scale):
        return verb, f"{factor:g}"
    if edits[0].divides:
        factor, verb = 1 / factor, "dividing"
    operand = _other_operand(edits[0])
    named = isinstance(operand, (cst.Name, cst.Attribute))
    name = f" ({context.program.text(operand)})" if named and operand is not None else ""
    return verb, f"{factor:g}{name}"


def _other_operand(edit: Scale | Rectify) -> cst.BaseExpression | None:
    """What the gradient is multiplied with, where that is written as an operator."""
    node = edit.node
    if isinstance(node, cst.BinaryOperation):
        return node.right if edit.operand == 0 else node.left
    return node.value if isinstance(node, cst.AugAssign) else None


def _shown(factors: tuple[float, ...]) -> str:
    return ", ".join(f"{factor:g}" for factor in factors[:4]) + (", ..." if factors[4:] else "")


def _effect(found: GradientChange) -> str:
    """What the edit does instead, with this optimizer."""
    if found.effect is not None:
        return found.effect.text
    if found.factors:
        return effect(found.optimizer, max(found.factors, key=lambda k: abs(math.log(k)))).text
    if found.rectifies:
        rule = found.optimizer.rule if found.optimizer is not None else None
        if rule is None or rule.keeps_signs:
            return "gradient steps can then only lower a weight, whatever the examples say"
        return "the optimizer sees only half of what the examples say"
    return (
        "f'(z) has a value for each example and unit, dL/dW one for each weight, the examples "
        "summed: no product of the two is the gradient of another activation"
    )


def _inside_the_layers(context: Context, found: GradientChange) -> str:
    """What the same change would do where it belongs."""
    layers = found.step.layers
    bare = [
        layer
        for layer in layers
        if layer.class_name == "keras.layers.Dense"
        and layer.arguments.get("activation", 1) in (None, Const(None))
    ]
    all_bare = found.step.layers_complete and len(layers) == len(bare) > 0
    if all_bare and len(bare) > 1:
        return "none of the layers has an activation, so f'(z) = 1 in each"
    if all_bare and bare[0].node is not None:
        text = " ".join(context.program.text(bare[0].node).split())
        name = next((n for n, value in context.facts.names.items() if value == bare[0]), None)
        made = f"`{name} = {text}`" if name is not None else f"`{text}`"
        return f"{made} has no activation, so f'(z) = 1"
    if found.factor is not None and found.factor != 1:
        k = found.factor
        return (
            f"with {k:g} f' instead of f' inside, the gradient of a layer is multiplied once for "
            f"each such activation between it and the loss: by {k:g}, {k**2:g}, {k**3:g} and so on"
        )
    return "f' acts on each example and unit, on the way to all layers below"


def _remedy(found: GradientChange) -> str:
    """How to write what is meant."""
    if found.rectifies:
        return (
            "guided back-propagation belongs into each relu, an activation with "
            "tf.custom_gradient: upstream * (upstream > 0) * (z > 0)"
        )
    other = "y + (k - 1) * (y - tf.stop_gradient(y))"
    if not found.factors:
        other = "tf.stop_gradient(f) + (g - tf.stop_gradient(g)), which is f forward and g backward"
    return (
        "another backward pass belongs into the layer: an activation with tf.custom_gradient, "
        f"or {other}"
    )


def _place(context: Context, found: GradientChange) -> cst.CSTNode:
    """The comprehension around the edit, else the edit itself."""
    if not context.program.owns(found.edit.node):
        return found.step.node  # the edit is made in another file
    for ancestor in context.program.ancestors(found.edit.node):
        if isinstance(ancestor, (cst.ListComp, cst.GeneratorExp)):
            return ancestor
        if isinstance(ancestor, (cst.BaseSmallStatement, cst.Lambda)):
            break
    return found.edit.node


def _tape_note(context: Context, found: GradientChange) -> tuple[Related, ...]:
    return context.related((found.gradient.call.node, "back-propagation ends here"))


@check("LK108")
def rectified_weight_gradient(context: Context) -> Iterator[Finding]:
    """relu or ``where(g > 0)`` on weight gradients."""
    for found in changes(context):
        if found.code == "LK108":
            yield Finding(
                "LK108",
                context.program.span(_place(context, found)),
                "the negative weight gradients are set to zero, so a step can only lower a weight",
                label="acts on weights, not on activations",
                notes=(
                    Note(
                        "math",
                        "guided back-propagation masks the upstream gradient inside each "
                        "activation, upstream * (upstream > 0) * (z > 0), and looks at dL/dx; "
                        "under w <- w - lr * max(g, 0) no weight ever grows",
                    ),
                    Note("effect", _no_step_up(found)),
                ),
                related=_tape_note(context, found),
                fixes=context.fixes(guided_fixes, context.code, found.step),
            )


def _no_step_up(found: GradientChange) -> str:
    """What is left of the optimizer's steps without negative gradients."""
    optimizer = found.optimizer
    if optimizer is None or optimizer.rule is None:
        return "an optimizer that steps against the gradient can then raise no weight"
    if optimizer.name == "adamw" or optimizer.is_given("weight_decay"):
        return f"with {optimizer.text} only the weight decay can raise a weight, towards zero"
    return f"with {optimizer.text} no step raises a weight"


@check("LK103")
def ineffective_gradient_scale(context: Context) -> Iterator[Finding]:
    """a constant factor in front of an optimizer that divides it out again."""
    for found in changes(context):
        if found.code != "LK103" or found.optimizer is None:
            continue
        text = found.optimizer.text
        if found.factor is None:
            doing = f"giving each gradient its own factor ({_shown(found.factors)})"
        else:
            doing = "{} all gradients by {}".format(*_by(context, found))
        result = f"has {'almost ' if found.optimizer.nearly else ''}no effect with {text}"
        if found.optimizer.clips:
            result = f"does not scale the steps of {text}"
        notes = [Note("effect", _effect(found))]
        rate = found.optimizer.number("learning_rate")
        if found.factor is None:
            notes.append(Note("note", "rates of their own need an optimizer for each group"))
        elif rate is not None and found.factor != 1:
            wanted = (
                f"steps {found.factor:g} times as large are learning_rate={rate * found.factor:g}"
            )
            notes.append(Note("note", wanted))
        yield Finding(
            "LK103",
            context.program.span(_place(context, found)),
            f"{doing} {result}",
            label="this factor cancels" if found.factor is not None else "these factors cancel",
            notes=tuple(notes),
            related=_tape_note(context, found),
            fixes=context.fixes(_drop_factor, context, found),
        )


@check("LK102")
def constant_gradient_scale(context: Context) -> Iterator[Finding]:
    """every gradient times a constant is another learning rate."""
    for found in changes(context):
        if found.code != "LK102" or found.optimizer is None or found.factor is None:
            continue
        text = found.optimizer.text
        if found.optimizer.clips:
            result = f"is another learning rate and another clipping threshold for {text}"
        elif found.optimizer.is_given("weight_decay"):
            result = f"is another learning rate and another weight decay for {text}"
        else:
            result = f"is a learning rate {found.factor:g} times as large for {text}"
        yield Finding(
            "LK102",
            context.program.span(_place(context, found)),
            "{} all gradients by {} {}".format(*_by(context, found), result),
            label="write it in learning_rate",
            notes=(Note("effect", _effect(found)),),
            related=_tape_note(context, found),
            fixes=context.fixes(move_factor, context.code, found.step, found.factor),
        )


def _drop_factor(context: Context, found: GradientChange) -> Iterator[Fix]:
    """Apply the gradients as they are; not where the factor also moves a clipping threshold."""
    clips = found.optimizer is not None and found.optimizer.clips
    if not clips and found.factor is not None:
        yield from drop_factor(context.code, found.step, f"{found.factor:g}")


@check("LK104")
def gradient_list_arithmetic(context: Context) -> Iterator[Finding]:
    """an operator applied to the Python list of gradients."""
    for group in context.facts.groups(ListArithmetic):
        fact = group[0]
        operator = {"Multiply": "*", "Divide": "/", "FloorDivide": "//", "Subtract": "-",
                    "Minus": "-"}.get(fact.operator)  # fmt: skip
        number = number_of(fact.other) if fact.other is not None else None
        if operator is None or (fact.operator != "Minus" and number is None):
            continue
        name = context.program.text(fact.gradients)
        integer = isinstance(fact.other, Const) and isinstance(fact.other.value, int)
        repeats = fact.operator == "Multiply" and integer
        if not repeats and raises_on_purpose(context.program, fact.node):
            continue
        effect = _of_a_list(fact, operator, number, name)
        yield Finding(
            "LK104",
            context.program.span(fact.node),
            f"`{operator}` is applied to the Python list `{name}`, not to the gradients in it",
            notes=(Note("effect", effect),),
            related=context.related((fact.call.node, "this returns a Python list")),
            fixes=context.fixes(each_gradient, context.code, fact, repeats=repeats),
        )


def _of_a_list(fact: ListArithmetic, operator: str, number: float | None, name: str) -> str:
    """What Python does with the operator and a list."""
    if fact.operator == "Minus" or fact.other is None or number is None:
        return "TypeError: bad operand type for unary -: 'list'"
    kind = type(fact.other.value).__name__ if isinstance(fact.other, Const) else "float"
    if operator != "*":
        reversed_operands = (
            isinstance(fact.node, cst.BinaryOperation) and fact.node.right is fact.gradients
        )
        kinds = f"'{kind}' and 'list'" if reversed_operands else f"'list' and '{kind}'"
        return f"TypeError: unsupported operand type(s) for {operator}: {kinds}"
    if kind != "int":
        return f"TypeError: can't multiply sequence by non-int of type '{kind}'"
    if number <= 0:
        return f"a list times {number:g} is empty: no variable is trained"
    if number == 1:
        return "a list times 1 is the same list: the factor does nothing"
    return (
        f"`{name}` is repeated {number:g} times; zipped with the variables it gives the gradients "
        "as they were"
    )


@check("LK105")
def misaligned_gradient_filter(context: Context) -> Iterator[Finding]:
    """entries dropped from the gradients but not from the variables."""
    for group in context.facts.groups(OptimizerStep):
        if all(_misaligned(step) for step in group):
            step = group[0]
            entry = step.gradients.entries[0]
            test: Test = entry.tests[0]
            yield Finding(
                "LK105",
                context.program.span(step.node),
                "gradients were filtered but the variables were not, so they no longer match",
                label="zip pairs them by position",
                notes=(
                    Note(
                        "effect",
                        "from the first dropped entry on each gradient meets a variable in front of "
                        "its own: a shape error at best, silent damage at worst",
                    ),
                ),
                related=context.related((test.node, "entries are dropped here")),
                fixes=context.fixes(filter_pairs, context.code, step),
            )


def _misaligned(step: OptimizerStep) -> bool:
    """Whether each gradient is kept under a condition, and each variable always."""
    gradients, variables = step.gradients.entries, step.variables.entries
    own = step.pairs is None or len(step.pairs.parts) == 2
    return (
        own
        and 0 < len(gradients) == len(variables)
        and all(map(_kept_under_condition, gradients, variables))
    )


def _kept_under_condition(gradient: Entry, variable: Entry) -> bool:
    sources = [found.source for found in gradients_in(gradient.value)]
    if not sources or not gradient.tests or variable.tests:
        return False
    if gradient.domain is None:
        return variable.domain is None and variable.value in sources
    return gradient.domain == variable.domain != ANYTHING


@check("LK110")
def tape_reused(context: Context) -> Iterator[Finding]:
    """a second gradient of a tape that is not persistent."""
    for group in context.facts.groups(TapeUse):
        fact = group[0]
        if any(use.first is None or use.tape.persistent is not False for use in group):
            continue
        if fact.first is None or raises_on_purpose(context.program, fact.node):
            continue
        yield Finding(
            "LK110",
            context.program.span(fact.node),
            f"{_tape_name(context, fact.node)} was already used, and a tape that is not persistent "
            "gives one set of gradients",
            notes=(
                Note(
                    "effect",
                    "RuntimeError: A non-persistent GradientTape can only be used to compute one "
                    "set of gradients (or jacobians)",
                ),
            ),
            related=context.related((fact.first, "first used here")),
            fixes=context.fixes(make_persistent, context.code, fact.tape.node),
        )


def _tape_name(context: Context, call: cst.Call) -> str:
    """The tape as the user calls it."""
    func = call.func
    return (
        f"`{context.program.text(func.value)}`" if isinstance(func, cst.Attribute) else "this tape"
    )


@check("LK134")
def unserializable_custom_gradient(context: Context) -> Iterator[Finding]:
    """a bare custom_gradient object as an activation."""
    for group in context.facts.groups(ActivationUse):
        if not all(isinstance(use.activation, CustomGradient) for use in group):
            continue
        saved = any(context.facts.all(ModelSaved))
        yield Finding(
            "LK134",
            context.program.span(group[0].node),
            f"`{context.program.text(group[0].node)}` is a bare custom_gradient object: the layer "
            "can be saved but not loaded again",
            severity=None if saved else Severity.INFO,
            notes=(
                Note(
                    "effect",
                    "load_model raises TypeError (Expected 'config' to be a dict for Bind, instead "
                    "got <class 'str'>); registering it or custom_objects do not help, a plain "
                    "registered function that calls it does",
                ),
            ),
            fixes=context.fixes(wrap, context.code, group[0]),
        )
