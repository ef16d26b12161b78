"""The gradient family: what happens between the tape and the optimizer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import libcst as cst

from lintkeras.checks.registry import Context, check
from lintkeras.claims.intent import Intent, Passage, stated_intent
from lintkeras.findings import Applicability, Finding, Fix, Note, Related, Severity
from lintkeras.meaning.facts import (
    ActivationUse,
    ListArithmetic,
    ModelSaved,
    OptimizerStep,
    TapeUse,
)
from lintkeras.meaning.values import (
    Computed,
    Const,
    CustomGradient,
    Gradient,
    Instance,
    Rectify,
    Scale,
    Symbol,
    Test,
    Value,
    Weight,
    alternatives,
    walk,
)
from lintkeras.rewrites.derivatives import fixes, removed_comment, restore
from lintkeras.rewrites.steps import filter_pairs, move_factor
from lintkeras.rewrites.wrappers import wrap
from lintkeras.syntax.program import Program

# Measured: for these a constant factor cancels (20 steps, ratio 1.0000 +- 0.0001).
_CANCELS = frozenset({
    "adam", "adamw", "nadam", "adamax", "rmsprop", "adadelta", "adafactor", "lamb", "lion", "muon",
})  # fmt: skip
# Of these also down to a factor of 0.01; the others have an epsilon that bites early.
_CANCELS_BELOW_ONE = frozenset({"adam", "adamw", "nadam", "adamax", "lion"})
_SMALLEST_FACTOR = 0.01
_LARGEST_EPSILON = 1e-3
_CLIPS = ("clipnorm", "clipvalue", "global_clipnorm")
_SILENCING = ("scale", "accum", "batch", "size", "num", "n_", "len", "world", "replica", "step",
              "count")  # fmt: skip
_ACTIVATIONS = frozenset({
    "tanh", "sigmoid", "relu", "softplus", "elu", "selu", "gelu", "swish", "silu", "softsign",
})  # fmt: skip


@dataclass(frozen=True)
class _Optimizer:
    """What matters of an optimizer: its class and whether its arguments are the usual ones."""

    name: str
    text: str
    node: cst.Call | None
    clips: bool
    unusual: bool


@dataclass(frozen=True)
class _Edit:
    """One edit of weight gradients that reaches an optimizer."""

    code: str
    step: OptimizerStep
    gradient: Gradient
    edit: Scale | Rectify
    optimizer: _Optimizer | None
    intent: Intent | None
    factor: float | None


def _gradients(value: Value) -> tuple[Gradient, ...] | None:
    """The gradients a value may be, where it can be nothing else (but None)."""
    found = [v for v in alternatives(value) if v != Const(None)]
    gradients = tuple(v for v in found if isinstance(v, Gradient))
    return gradients if gradients and len(gradients) == len(found) else None


def _optimizer(program: Program, value: Value) -> _Optimizer | None:
    """The optimizer, where it is one of Keras' own with known arguments."""
    if isinstance(value, Computed) and isinstance(value.function, Symbol):
        if value.function.name == "keras.optimizers.get" and value.arguments.positional:
            value = value.arguments.positional[0]
    if isinstance(value, Const) and isinstance(value.value, str):
        return _Optimizer(value.value.lower(), f'"{value.value}"', None, False, False)
    if not isinstance(value, Instance) or not isinstance(value.cls, Symbol):
        return None
    family, _, name = value.class_name.rpartition(".")
    if family != "keras.optimizers" or not value.arguments.complete:
        return None
    epsilon = value.arguments.get("epsilon")
    usual_epsilon = epsilon is None or (
        isinstance(epsilon, Const)
        and isinstance(epsilon.value, (int, float))
        and epsilon.value < _LARGEST_EPSILON
    )
    clips = any(value.arguments.get(clip) not in (None, Const(None)) for clip in _CLIPS)
    text = program.text(value.node) if value.node is not None else name
    text = name + text[text.find("(") :] if "(" in text else name
    return _Optimizer(name.lower(), " ".join(text.split()), value.node, clips, not usual_epsilon)


def _number(value: Value) -> float | None:
    if isinstance(value, Const) and type(value.value) in (int, float):
        return float(value.value)  # type: ignore[arg-type]
    return None


def _factor(gradient: Gradient) -> float | None:
    """The constant that the gradient was multiplied with; None for any other edit."""
    product = 1.0
    for edit in gradient.edits:
        number = _number(edit.factor) if isinstance(edit, Scale) else None
        if number is None or (isinstance(edit, Scale) and edit.divides and number == 0):
            return None
        assert isinstance(edit, Scale)
        product = product / number if edit.divides else product * number
    return product if gradient.edits else None


def _is_derivative(value: Value) -> bool:
    """Whether a factor is computed from an activation: ``1 - tf.tanh(z) ** 2``."""
    return any(
        isinstance(part, Computed)
        and isinstance(part.function, Symbol)
        and part.function.name.startswith(("tf.", "keras."))
        and part.function.name.rpartition(".")[2] in _ACTIVATIONS
        for part in walk(value)
    )


def _of_weights(gradient: Gradient) -> bool:
    """Whether it is the gradient of a layer's or a list of variables, not of an input."""
    return gradient.call.is_list is True and all(
        isinstance(source, Weight)
        or (isinstance(source, Instance) and source.class_name == "tf.Variable")
        for source in alternatives(gradient.source)
    )


def _passages(context: Context, node: cst.CSTNode) -> list[Passage]:
    """The words next to an edit: comments, function name and docstring, text around a fence."""
    program = context.program
    found = [Passage("comment", text) for text in (" ".join(program.comments_of(node)),) if text]
    function = program.enclosing_function(node)
    if function is not None:
        found.append(Passage("name", function.name.value))
        docstring = function.get_docstring()
        if docstring:
            found.append(Passage("docstring", docstring))
    span = program.span(node)
    fences = sorted(s.pieces[0].document for s in program.document.snippets if s.pieces)
    before = [p for p in context.prose if p.span.end <= span.start]
    start = max((f for f in fences if f <= span.start), default=0)
    earlier = max((f for f in fences if f < start), default=-1)
    for prose in before:
        if earlier < prose.span.start < start:
            found.append(Passage("heading" if prose.kind == "heading" else "sentence", prose.text))
    return found


def _edits(context: Context) -> Iterator[_Edit]:
    """Each edited step under the one rule that speaks for it: LK101, LK108, LK103 or LK102."""
    for group in context.facts.groups(OptimizerStep):
        found = [_classify(context, step) for step in group]
        codes = {one.code if one else "" for one in found}
        if len(codes) == 1 and found[0] is not None:
            yield found[0]


def _classify(context: Context, step: OptimizerStep) -> _Edit | None:
    columns = [_gradients(entry.value) for entry in step.gradients.entries]
    gradients = [g for column in columns if column for g in column]
    if not gradients or any(column is None for column in columns):
        return None
    if any(len(set(_edit_nodes(g) for g in c)) > 1 for c in columns if c):
        return None  # the edit was made on one branch only
    edited = [g for g in gradients if g.edits]
    if not edited:
        return None
    gradient, edit = edited[0], edited[0].edits[-1]
    optimizer = _optimizer(context.program, step.optimizer)
    factor = _factor(gradient)
    if factor is not None and factor <= 0:
        return None
    base = _Edit("", step, gradient, edit, optimizer, None, factor)
    rectified = any(isinstance(e, Rectify) for e in gradient.edits)
    derivative = any(isinstance(e, Scale) and _is_derivative(e.factor) for e in gradient.edits)
    weights = all(_of_weights(g) for g in edited)
    if weights and (factor not in (None, 1.0) or rectified or derivative):
        intent = stated_intent(_passages(context, edit.node))
        if intent is not None:
            return replace(base, code="LK101", intent=intent)
    if rectified:
        only = all(isinstance(e, Rectify) for e in gradient.edits)
        return replace(base, code="LK108") if weights and only else None
    whole = len(edited) == len(gradients) and len({_factor(g) for g in edited}) == 1
    if optimizer is None or factor is None or not whole or _silenced(context, gradient):
        return None
    if optimizer.name in _CANCELS and not optimizer.unusual and not optimizer.clips:
        low = _SMALLEST_FACTOR if optimizer.name in _CANCELS_BELOW_ONE else 1.0
        return replace(base, code="LK103") if factor >= low else None
    if optimizer.name == "sgd" and not optimizer.clips and factor != 1.0:
        return replace(base, code="LK102")
    return None


def _edit_nodes(gradient: Gradient) -> tuple[cst.CSTNode, ...]:
    return tuple(edit.node for edit in gradient.edits)


def _silenced(context: Context, gradient: Gradient) -> bool:
    """Whether the factor's spelling says that it belongs to averaging or loss scaling."""
    for edit in gradient.edits:
        stack: list[cst.CSTNode] = [edit.node]
        while stack:
            node = stack.pop()
            if isinstance(node, cst.Name) and any(s in node.value.lower() for s in _SILENCING):
                return True
            stack.extend(node.children)
    return False


def _place(context: Context, found: _Edit) -> cst.CSTNode:
    """The comprehension around the edit, else the edit itself."""
    for ancestor in context.program.ancestors(found.edit.node):
        if isinstance(ancestor, (cst.ListComp, cst.GeneratorExp)):
            return ancestor
        if isinstance(ancestor, (cst.BaseSmallStatement, cst.Lambda)):
            break
    return found.edit.node


def _show(number: float | None) -> str:
    return "another derivative" if number is None else f"{number:g}"


def _tape_note(context: Context, found: _Edit) -> Related:
    return Related(context.program.span(found.gradient.call.node), "back-propagation ends here")


def _effect(found: _Edit) -> str:
    optimizer, k = found.optimizer, found.factor
    if optimizer is None or k is None:
        return "the edit changes the step that the optimizer takes, for all its layers alike"
    if optimizer.name in _CANCELS and not optimizer.unusual and not optimizer.clips:
        if optimizer.name == "lion":
            return f"with {optimizer.text} only the sign of the momentum counts: {k:g} cancels"
        return (
            f"with {optimizer.text} a constant factor cancels: m -> {k:g} m, "
            f"sqrt(v) -> {k:g} sqrt(v), only epsilon becomes epsilon/{k:g}"
        )
    if optimizer.name == "sgd" and not optimizer.clips:
        return f"with {optimizer.text} it is the same as a learning rate {k:g} times as large"
    return f"with {optimizer.text} it changes the size of the update, not any derivative"


@check("LK101")
def rescaled_gradient_as_derivative(context: Context) -> Iterator[Finding]:
    """weight gradients changed after the tape to change an activation's derivative."""
    for found in _edits(context):
        if found.code != "LK101" or found.intent is None:
            continue
        what = "scaling" if found.factor is not None else "changing"
        by = f" by {_show(found.factor)}" if found.factor is not None else ""
        notes = [
            Note(
                "math",
                "dL/dW = sum over the batch of delta a^T, delta = (W_next^T delta_next) * f'(z): "
                "f' was used inside, unit by unit and example by example, and has been summed away",
            ),
            Note("effect", _effect(found)),
        ]
        bare = [
            layer
            for layer in found.step.layers
            if layer.class_name == "keras.layers.Dense"
            and layer.arguments.get("activation", 1) in (None, Const(None))
        ]
        if found.step.layers_complete and len(found.step.layers) == len(bare) == 1:
            text = " ".join(context.program.text(bare[0].node).split()) if bare[0].node else "Dense"
            notes.append(Note("note", f"`{text}` has no activation, so f'(z) = 1"))
        notes.append(
            Note(
                "note",
                "another backward pass belongs into the layer: an activation with "
                "tf.custom_gradient, or y + (k - 1) * (y - tf.stop_gradient(y))",
            )
        )
        yield Finding(
            "LK101",
            context.program.span(_place(context, found)),
            f"{what} the weight gradients{by} does not change any activation's derivative",
            label="only the optimizer sees this",
            notes=tuple(notes),
            related=(_tape_note(context, found),),
            fixes=tuple(fixes(context.program, context.facts, found.step, found.gradient)),
        )


@check("LK108")
def rectified_weight_gradient(context: Context) -> Iterator[Finding]:
    """relu or ``where(g > 0)`` on weight gradients."""
    for found in _edits(context):
        if found.code == "LK108":
            yield Finding(
                "LK108",
                context.program.span(found.edit.node),
                "the negative weight gradients are set to zero, so a weight can only decrease",
                label="acts on weights, not on activations",
                notes=(
                    Note(
                        "math",
                        "guided back-propagation masks the upstream gradient inside each "
                        "activation, upstream * (upstream > 0) * (z > 0), and looks at dL/dx; "
                        "under w <- w - lr * max(g, 0) no weight ever grows",
                    ),
                ),
                related=(_tape_note(context, found),),
            )


@check("LK103")
def ineffective_gradient_scale(context: Context) -> Iterator[Finding]:
    """a constant factor in front of an optimizer that divides it out again."""
    for found in _edits(context):
        if found.code == "LK103" and found.optimizer is not None:
            yield Finding(
                "LK103",
                context.program.span(_place(context, found)),
                f"multiplying all gradients by {_show(found.factor)} has no effect with "
                f"{found.optimizer.text}",
                label="this factor cancels",
                notes=(Note("effect", _effect(found)),),
                related=(_tape_note(context, found),),
                fixes=_drop_factor(context, found),
            )


@check("LK102")
def constant_gradient_scale(context: Context) -> Iterator[Finding]:
    """every gradient times a constant is another learning rate."""
    for found in _edits(context):
        if found.code == "LK102" and found.optimizer is not None:
            yield Finding(
                "LK102",
                context.program.span(_place(context, found)),
                f"multiplying all gradients by {_show(found.factor)} is a learning rate "
                f"{_show(found.factor)} times as large for {found.optimizer.text}",
                label="write it in learning_rate",
                notes=(Note("effect", _effect(found)),),
                related=(_tape_note(context, found),),
                fixes=move_factor(
                    context.program, context.facts, found.step, found.gradient, found.factor or 1.0
                ),
            )


def _drop_factor(context: Context, found: _Edit) -> tuple[Fix, ...]:
    """Apply the gradients as they are."""
    edits = restore(context.program, context.facts, found.gradient)
    if edits is None:
        return ()
    title = f"drop the factor {_show(found.factor)}{removed_comment(context.program, edits)}"
    return (Fix("drop-factor", title, Applicability.UNSAFE, tuple(edits)),)


@check("LK104")
def gradient_list_arithmetic(context: Context) -> Iterator[Finding]:
    """an operator applied to the Python list of gradients."""
    for group in context.facts.groups(ListArithmetic):
        fact = group[0]
        operator = {"Multiply": "*", "Divide": "/", "FloorDivide": "//", "Subtract": "-",
                    "Minus": "-"}.get(fact.operator)  # fmt: skip
        number = _number(fact.other) if fact.other is not None else None
        if operator is None or (fact.operator != "Minus" and number is None):
            continue
        name = context.program.text(fact.gradients)
        integer = isinstance(fact.other, Const) and isinstance(fact.other.value, int)
        if fact.operator == "Multiply" and integer:
            effect = f"list * {number:g} repeats the list; zip then drops the tail"
            if number is not None and number <= 0:
                effect = f"list * {number:g} is an empty list: nothing is trained"
        else:
            effect = f"`{operator}` raises TypeError on a list"
        repairs: tuple[Fix, ...] = ()
        node = fact.node
        elementwise = fact.operator in ("Multiply", "Divide") and fact.other_node is not None
        left = isinstance(node, cst.BinaryOperation) and node.left is fact.gradients
        if (
            isinstance(node, cst.BinaryOperation)
            and elementwise
            and (left or fact.operator == "Multiply")
        ):
            assert fact.other_node is not None
            other = context.program.text(fact.other_node)
            new = f"[None if g is None else g {operator} {other} for g in {name}]"
            safety = Applicability.UNSAFE if integer and operator == "*" else Applicability.SAFE
            title = "apply the operator to each gradient"
            repairs = (Fix("each-gradient", title, safety, (context.program.replace(node, new),)),)
        yield Finding(
            "LK104",
            context.program.span(node),
            f"`{operator}` is applied to the Python list `{name}`, not to the gradients in it",
            notes=(Note("effect", effect),),
            related=(Related(context.program.span(fact.call.node), "this returns a Python list"),),
            fixes=repairs,
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
                        "after the first dropped entry each gradient is applied to the variable "
                        "before its own: a shape error at best, silent damage at worst",
                    ),
                ),
                related=(Related(context.program.span(test.node), "entries are dropped here"),),
                fixes=filter_pairs(context.program, step),
            )


def _misaligned(step: OptimizerStep) -> bool:
    left, right = step.gradients.entries, step.variables.entries
    if len(left) != 1 or len(right) != 1 or _gradients(left[0].value) is None:
        return False
    own = step.pairs is None or len(step.pairs.parts) == 2
    return (
        own
        and bool(left[0].tests)
        and not right[0].tests
        and left[0].domain is not None
        and left[0].domain == right[0].domain
    )


@check("LK110")
def tape_reused(context: Context) -> Iterator[Finding]:
    """a second gradient of a tape that is not persistent."""
    for group in context.facts.groups(TapeUse):
        fact = group[0]
        if any(use.first is None or use.tape.persistent is not False for use in group):
            continue
        assert fact.first is not None
        call = fact.tape.node
        repairs: tuple[Fix, ...] = ()
        if not call.args:
            new = context.program.text(call.func) + "(persistent=True)"
            title = "make the tape persistent"
            edit = context.program.replace(call, new)
            repairs = (Fix("persistent", title, Applicability.SAFE, (edit,)),)
        yield Finding(
            "LK110",
            context.program.span(fact.node),
            "this tape was already used: a tape that is not persistent gives one set of gradients",
            notes=(
                Note(
                    "effect",
                    "RuntimeError: A non-persistent GradientTape can only be used to compute one "
                    "set of gradients (or jacobians)",
                ),
            ),
            related=(Related(context.program.span(fact.first), "first used here"),),
            fixes=repairs,
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
                    "load_model fails; give the layer a plain function that calls it, registered "
                    "with register_keras_serializable",
                ),
            ),
            fixes=wrap(context.program, context.facts, group[0]),
        )
