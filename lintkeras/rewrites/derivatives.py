"""LK101's fix: the derivative goes into the layer, the gradients stay as they are."""

from __future__ import annotations

import libcst as cst

from lintkeras.findings import Applicability, Edit, Fix, Span
from lintkeras.meaning.facts import Facts, OptimizerStep
from lintkeras.meaning.library import argument_node
from lintkeras.meaning.values import (
    Computed,
    Const,
    Gradient,
    Instance,
    Scale,
    Symbol,
    Value,
)
from lintkeras.rewrites.activations import ELEMENTWISE, Backward, Form, synthesize
from lintkeras.syntax.program import Program

_POSITIONS = {"Dense": 1, "Activation": 0}
_WITH_ACTIVATION = frozenset({
    "Dense", "Activation", "Conv1D", "Conv2D", "Conv3D", "Conv2DTranspose", "DepthwiseConv2D",
    "SeparableConv2D",
})  # fmt: skip
_HIDES_LOGITS = frozenset({"sigmoid", "softmax"})


def fixes(program: Program, facts: Facts, step: OptimizerStep, gradient: Gradient) -> list[Fix]:
    """The fixes of one edited step: one layer is fixed, several are sketched."""
    factor = _one_factor(gradient)
    restored = restore(program, facts, gradient)
    tf = name_of(facts, "tensorflow")
    if factor is None or restored is None or tf is None:
        return []
    candidates = [layer for layer in step.layers if _fits(layer)]
    alone = step.layers_complete and len(step.layers) == len(candidates) == 1
    found: list[Fix] = []
    for layer in candidates:
        forms: tuple[Form, ...] = ("custom-gradient", "stop-gradient")
        for form in forms:
            fix = _fix(program, facts, layer, factor, tf, form, restored, alone)
            if fix is not None:
                found.append(fix)
    return found


def _fits(layer: Instance) -> bool:
    name = layer.class_name.rpartition(".")[2]
    return name in _WITH_ACTIVATION and layer.node is not None and layer.arguments.complete


def _one_factor(gradient: Gradient) -> Scale | None:
    """The only edit, where it is a multiplication."""
    if len(gradient.edits) == 1 and isinstance(gradient.edits[0], Scale):
        return gradient.edits[0]
    return None


def _fix(
    program: Program, facts: Facts, layer: Instance, scale: Scale, tf: str, form: Form,
    restored: list[Edit], alone: bool,
) -> Fix | None:  # fmt: skip
    assert layer.node is not None and isinstance(layer.cls, Symbol)
    short = layer.class_name.rpartition(".")[2]
    position = _POSITIONS.get(short)
    forward = _activation_name(layer.arguments.get("activation", position))
    if forward is None:
        return None
    backward = _backward(scale, forward)
    if backward is None:
        return None
    keras = f"{tf}.keras"
    if layer.cls.flavour in ("keras", "tf_keras"):
        own = name_of(facts, layer.cls.flavour)
        if own is None:
            return None
        keras = own
    definition = synthesize(
        forward, backward, tf=tf, keras=keras, taken=facts.names.keys(), form=form
    )
    if definition is None:
        return None
    top = program.top_level_statement(layer.node)
    insertion = insert_above(program, top, definition.source + "\n\n")
    argument = argument_node(layer.node, "activation", position)
    if argument is not None:
        give = program.replace(argument.value, definition.name)
    else:
        give = _add_argument(program, layer.node, f"activation={definition.name}")
    sketch = forward in _HIDES_LOGITS or not alone
    target = None if alone else definition.name
    for name, value in facts.names.items():
        if value == layer and not alone:
            target = name
    return Fix(
        form,
        f"give `{program.text(layer.node)}` the activation {definition.name}"
        f"{', written with stop_gradient' if form == 'stop-gradient' else ''}"
        f"{removed_comment(program, restored)}",
        Applicability.DISPLAY if sketch else Applicability.UNSAFE,
        (insertion, give, *restored),
        target,
    )


def _activation_name(value: Value | None) -> str | None:
    match value:
        case None | Const(value=None):
            return "linear"
        case Const(value=str(name)) if name in ELEMENTWISE:
            return name
        case Symbol() as symbol if symbol.name.startswith(("tf.", "keras.activations.")):
            name = symbol.name.rpartition(".")[2]
            return name if name in ELEMENTWISE else None
    return None


def _backward(scale: Scale, forward: str) -> Backward | None:
    """The derivative that the factor stands for."""
    match scale.factor:
        case Const(value=int() | float() as number):
            return Backward(forward, repr(1 / number if scale.divides else number))
        case Computed() if scale.divides:
            return None
        case Computed(function="Subtract", arguments=arguments):
            one, square = arguments.positional
            if _number_is(one, 1) and isinstance(square, Computed):
                if square.function == "Power" and _number_is(square.arguments.positional[1], 2):
                    if _called(square.arguments.positional[0]) == "tanh":
                        return Backward("tanh")
        case Computed(function="Multiply", arguments=arguments):
            for one, other in (arguments.positional, arguments.positional[::-1]):
                if _called(one) == "sigmoid" and isinstance(other, Computed):
                    inner = other.arguments.positional
                    if other.function == "Subtract" and _number_is(inner[0], 1):
                        return Backward("sigmoid") if inner[1] == one else None
    return None


def _number_is(value: Value, number: int) -> bool:
    return isinstance(value, Const) and value.value == number


def _called(value: Value) -> str | None:
    if isinstance(value, Computed) and isinstance(value.function, Symbol):
        return value.function.name.rpartition(".")[2]
    return None


def name_of(facts: Facts, module: str) -> str | None:
    """The name under which a module is imported."""
    for name, value in facts.names.items():
        if value == Symbol(module):
            return name
    return None


def insert_above(program: Program, statement: cst.CSTNode, text: str) -> Edit:
    """An insertion on own lines above a statement of the module and its comments."""
    one = program.snippet_of(statement)
    start, _ = program.local_span(statement)
    source = one.snippet.source
    line = source.rfind("\n", 0, start) + 1
    while line > 0:
        previous = source.rfind("\n", 0, line - 1) + 1
        if not source[previous:line].lstrip().startswith("#"):
            break
        line = previous
    if line > 0 and source[:line].strip() and not source[:line].endswith("\n\n\n"):
        text = "\n" + text if source[:line].endswith("\n\n") else "\n\n" + text
    if "\r\n" in source:
        text = text.replace("\n", "\r\n")
    return one.snippet.edit(line, line, text)


def _add_argument(program: Program, call: cst.Call, text: str) -> Edit:
    """An insertion of one more keyword argument at the end of a call."""
    one = program.snippet_of(call)
    if not call.args:
        _, end = program.local_span(call)
        return one.snippet.edit(end - 1, end - 1, text)
    _, end = program.local_span(call.args[-1].value)
    return one.snippet.edit(end, end, f", {text}")


def removed_comment(program: Program, edits: list[Edit]) -> str:
    """What a fix's title says where a removed statement takes its comment with it."""
    texts = [program.document.text[e.span.start : e.span.end] for e in edits if not e.text]
    return "; the comment on the removed line goes too" if any("#" in t for t in texts) else ""


def restore(program: Program, facts: Facts, gradient: Gradient) -> list[Edit] | None:
    """Edits that take every change of the gradient back; None where that is not one place."""
    edits: list[Edit] = []
    for edit in gradient.edits:
        node = edit.node
        if not isinstance(node, cst.BinaryOperation) or not isinstance(edit, Scale):
            return None
        function = program.enclosing_function(node)
        if function is not None and len(facts.entered.get(function, ())) > 1:
            return None
        kept = _operand(facts, node, edit.divides)
        if kept is None:
            return None
        edits.extend(_take_back(program, node, kept))
    return edits


def _operand(facts: Facts, node: cst.BinaryOperation, divides: bool) -> cst.Name | None:
    """The side of ``g * 2`` that is the gradient, where that is certain."""
    if divides:
        return node.left if isinstance(node.left, cst.Name) else None
    sides = [side for side in (node.left, node.right) if isinstance(side, cst.Name)]
    if len(sides) == 2:
        sides = [s for s in sides if not isinstance(facts.names.get(s.value), Const)]
    return sides[0] if len(sides) == 1 else None


def _take_back(program: Program, node: cst.BinaryOperation, kept: cst.Name) -> list[Edit]:
    """Without the factor; a comprehension that does nothing else goes as a whole."""
    parent = program.parent(node)
    if not (
        isinstance(parent, cst.ListComp)
        and isinstance(parent.for_in.target, cst.Name)
        and parent.for_in.target.value == kept.value
        and isinstance(parent.for_in.iter, cst.Name)
        and not parent.for_in.ifs
        and parent.for_in.inner_for_in is None
    ):
        return [program.replace(node, kept.value)]
    source = parent.for_in.iter.value
    statement = program.statement(node)
    match statement:
        case cst.SimpleStatementLine(
            body=[cst.Assign(targets=[cst.AssignTarget(target=cst.Name(value=name))], value=value)]
        ) if value is parent:
            later = uses(program, statement, name)
            block = program.parent(statement)
            if later is not None and len(getattr(block, "body", ())) > 1:
                renamed = [program.replace(use, source) for use in later if name != source]
                return [delete(program, statement), *renamed]
    return [program.replace(parent, source)]


def uses(program: Program, statement: cst.CSTNode, name: str) -> list[cst.Name] | None:
    """The later uses of a name in its block; None where it is assigned again."""
    block = program.parent(statement)
    body = list(getattr(block, "body", ()))
    if statement not in body:
        return None
    found: list[cst.Name] = []
    stack: list[cst.CSTNode] = list(reversed(body[body.index(statement) + 1 :]))
    while stack:
        node = stack.pop()
        if isinstance(node, cst.AssignTarget) and isinstance(node.target, cst.Name):
            if node.target.value == name:
                return None
        if isinstance(node, cst.Name) and node.value == name:
            holder = program.parent(node)
            is_attribute = isinstance(holder, cst.Attribute) and holder.attr is node
            is_keyword = isinstance(holder, cst.Arg) and holder.keyword is node
            if not is_attribute and not is_keyword:
                found.append(node)
        stack.extend(reversed(node.children))
    return found


def delete(program: Program, statement: cst.SimpleStatementLine) -> Edit:
    """Remove a statement with its line and the comment on it."""
    one = program.snippet_of(statement)
    source = one.snippet.source
    start, end = program.local_span(statement)
    start = source.rfind("\n", 0, start) + 1
    newline = source.find("\n", end)
    end = len(source) if newline < 0 else newline + 1
    first = one.snippet.offset(start)
    return Edit(Span(first, max(first, one.snippet.offset(end))), "")
