"""Gradients that never arrive: changed copies that nobody applies."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import libcst as cst

from lintkeras.checks.registry import Context, check
from lintkeras.checks.steps import callee, gradient_of
from lintkeras.findings import Finding, Note
from lintkeras.meaning.facts import GradientsHeld, OptimizerStep
from lintkeras.meaning.values import Const, Gradient, Value, alternatives, gradients_in
from lintkeras.rewrites.copies import apply_the_copy
from lintkeras.syntax.liveness import unread

# ------------------------------------------------------------------ LK109


@check("LK109")
def modified_gradient_unused(context: Context) -> Iterator[Finding]:
    """a changed copy of the gradients is made, the original is applied."""
    unused = _Unread(context)
    for group in context.facts.groups(GradientsHeld):
        fact = group[0]
        originals = [_originals(context, one) for one in group]
        if not all(originals) or not unused.holds(fact.node):
            continue
        step = _step_of(context, fact, originals)
        if step is None:
            continue
        yield Finding(
            "LK109",
            context.program.span(context.code.small_statement(fact.node) or fact.node),
            _says(context, fact, step),
            notes=(Note("effect", "the step is the same as without this line"),),
            related=context.related((step.node, "applies the gradients as they were")),
            fixes=context.fixes(apply_the_copy, context.code, fact, step),
        )


@dataclass
class _Unread:
    """Which bindings of the program nobody reads; computed for the functions that are asked for."""

    context: Context
    _known: dict[cst.CSTNode | None, frozenset[cst.Name]] = field(default_factory=dict)

    def holds(self, node: cst.Name | cst.Expr) -> bool:
        """Whether a name is not read after this binding; a value that is dropped never is."""
        program = self.context.program
        function = program.enclosing_function(node)
        if isinstance(node, cst.Expr):
            return function is not None or not self._is_shown(node)
        if node.value.startswith("_"):
            return False
        if function is None and len(program.parsed) < len(program.document.snippets):
            return False  # a part that does not parse may read it
        if function not in self._known:
            body = program.modules if function is None else function
            self._known[function] = unread(body)
        return node in self._known[function]

    def _is_shown(self, node: cst.Expr) -> bool:
        """Whether a notebook or a session shows the value of an expression."""
        line = self.context.program.parent(node)
        block = self.context.program.parent(line) if line is not None else None
        return isinstance(block, cst.Module)


def _originals(context: Context, fact: GradientsHeld) -> frozenset[Gradient]:
    """What the gradients were before this statement; nothing where it does not change them all."""
    statement = context.code.small_statement(fact.node)
    found: set[Gradient] = set()
    if statement is None:
        return frozenset()
    for entry in fact.content.entries:
        for value in alternatives(entry.value):
            original = _original(context, statement, value)
            if original is not None:
                found.add(original)
            elif value != Const(None):
                return frozenset()
    return frozenset(found)


def _original(context: Context, statement: cst.CSTNode, value: Value) -> Gradient | None:
    """The gradient that this statement made a changed one of; None where it did not."""
    if gradient_of(value) is None:
        return None
    before = {
        Gradient(
            one.call,
            one.source,
            tuple(edit for edit in one.edits if not _is_inside(context, edit.node, statement)),
        )
        for one in gradients_in(value)
    }
    return before.pop() if len(before) == 1 and value not in before else None


def _is_inside(context: Context, node: cst.CSTNode, statement: cst.CSTNode) -> bool:
    program = context.program
    return program.owns(node) and context.code.inside(node, statement)


def _step_of(
    context: Context, fact: GradientsHeld, originals: Sequence[frozenset[Gradient]]
) -> OptimizerStep | None:
    """The step of the same function that applies what the copy was made from, and only that."""
    function = context.program.enclosing_function(fact.node)
    for group in context.facts.groups(OptimizerStep):
        step = group[0]
        if context.program.enclosing_function(step.node) is not function:
            continue
        applied = [_applied(one) for one in group]
        if all(any(one <= other for other in applied) for one in originals) and all(applied):
            return step
    return None


def _applied(step: OptimizerStep) -> frozenset[Gradient]:
    """The gradients that a step applies; nothing where one is not known."""
    values = [value for entry in step.gradients.entries for value in alternatives(entry.value)]
    found = [value for value in values if value != Const(None)]
    gradients = [value for value in found if isinstance(value, Gradient)]
    return frozenset(gradients) if len(gradients) == len(found) else frozenset()


def _says(context: Context, fact: GradientsHeld, step: OptimizerStep) -> str:
    call = f"`{callee(context, step)}()`"
    late = context.code.start(step.node) < context.code.start(fact.node)
    gets = f"{call} has applied them unchanged" if late else f"{call} gets them unchanged"
    match fact.node:
        case cst.Name(value=name) if fact.is_list:
            return f"`{name}`, a changed copy of the gradients, is never used: {gets}"
        case cst.Name(value=name):
            return f"`{name}` is changed and then forgotten, the list of gradients is not: {gets}"
    return f"a changed copy of the gradients is thrown away: {gets}"
