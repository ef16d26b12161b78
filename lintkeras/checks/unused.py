"""Gradients that never arrive: changed copies that nobody applies."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import libcst as cst

from lintkeras.checks.registry import Context, check
from lintkeras.checks.steps import callee, gradient_of
from lintkeras.findings import Finding, Note
from lintkeras.meaning.facts import GradientsHeld, OptimizerStep, TapeUse
from lintkeras.meaning.values import (
    Arguments,
    Computed,
    Const,
    Gradient,
    Symbol,
    Test,
    Value,
    alternatives,
    gradients_in,
)
from lintkeras.rewrites.code import Code, names_in, target_of
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
        if function is None and not program.complete:
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
    values = [value for entry in fact.content.entries for value in alternatives(entry.value)]
    if not any(isinstance(v, Computed) or (isinstance(v, Gradient) and v.edits) for v in values):
        return frozenset()
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


# ------------------------------------------------------------------ LK116


@check("LK116")
def dropped_gradient_accumulation(context: Context) -> Iterator[Finding]:
    """gradients are computed in every step, applied in every n-th, and nothing adds them up."""
    steps = [group[0] for group in context.facts.groups(OptimizerStep)]
    for group in context.facts.groups(OptimizerStep):
        found = [_skip(context, step) for step in group]
        skip, step = found[0], group[0]
        if skip is None or any(one is None or one.node is not skip.node for one in found):
            continue
        function = context.program.enclosing_function(step.node)
        others = [
            one
            for one in steps
            if context.program.enclosing_function(one.node) is function
            and not any(test.node is skip.node for test in one.tests)
        ]
        if others or not _thrown_away(context, step, skip):
            continue
        test = " ".join(context.program.text(skip.node).split())
        yield Finding(
            "LK116",
            context.program.span(step.node),
            f"`{callee(context, step)}()` runs only {'where' if skip.holds else 'unless'} `{test}`: "
            "the gradients of the other steps are thrown away, nothing adds them up",
            notes=(Note("effect", _EVERY_NTH), Note("note", _ACCUMULATE)),
            related=context.related(
                *((call, "computed in every step") for call in _calls(step)),
                (skip.node, "applied in some"),
            ),
        )


_EVERY_NTH = "the same as training on every n-th batch alone, at the price of all of them"
_ACCUMULATE = (
    "to accumulate, add each gradient to a variable, apply the sum divided by n, and set it back "
    "to zero; or apply in every step with an optimizer that has gradient_accumulation_steps=n"
)


def _skip(context: Context, step: OptimizerStep) -> Test | None:
    """The condition under which a step runs in every n-th round only."""
    for test in step.tests:
        if _is_sparse(test.value, test.holds) and context.program.owns(test.node):
            return test
    return None


def _is_sparse(value: Value, holds: bool) -> bool:
    """Whether a condition is met in one of n rounds: ``step % n == 0``, ``not step % n``."""
    match value:
        case Computed(function="Equal", arguments=arguments):
            return holds and _is_remainder(arguments)
        case Computed(function="NotEqual", arguments=arguments):
            return not holds and _is_remainder(arguments)
        case Computed(function=Symbol(path=path), arguments=arguments):
            return holds and path.endswith(".equal") and _is_remainder(arguments)
        case Computed(function="Modulo"):
            return not holds
        case Computed(function="Not", arguments=Arguments(positional=(inner,))):
            return _is_sparse(inner, not holds)
        case Computed(function="Or", arguments=Arguments(positional=parts)):
            return holds and any(_is_sparse(part, True) for part in parts)
    return False


def _is_remainder(arguments: Arguments) -> bool:
    """Whether a remainder is compared with a number."""
    remainders = [one for one in arguments.positional if _modulo(one)]
    return len(arguments.positional) == 2 and len(remainders) == 1


def _modulo(value: Value) -> bool:
    match value:
        case Computed(function="Modulo"):
            return True
        case Computed(function=Symbol() as symbol):
            return symbol.name in ("tf.floormod", "tf.mod", "keras.ops.mod", "builtins.divmod")
    return False


def _calls(step: OptimizerStep) -> list[cst.Call]:
    values = [value for entry in step.gradients.entries for value in alternatives(entry.value)]
    found = [gradient.call.node for value in values if (gradient := gradient_of(value))]
    return list(dict.fromkeys(found))


def _thrown_away(context: Context, step: OptimizerStep, skip: Test) -> bool:
    """Whether the gradients are computed without the condition, and read under it alone."""
    calls = _calls(step)
    values = [value for entry in step.gradients.entries for value in alternatives(entry.value)]
    if not calls or any(gradient_of(v) is None and v != Const(None) for v in values):
        return False
    uses = [use for use in context.facts.all(TapeUse) if use.node in calls]
    if not uses or any(test.node is skip.node for use in uses for test in use.tests):
        return False
    carriers = [_carrier(context, call, skip) for call in calls]
    return all(one is not None and _read_under(context, one, skip) for one in carriers)


def _carrier(context: Context, call: cst.Call, skip: Test) -> cst.Call | None:
    """The call that gives the gradients in the round of the condition: the tape's own, or that of
    a function that takes them."""
    program = context.program
    tapes = [use.tape.node for use in context.facts.all(TapeUse) if use.node is call]
    if not all(map(program.owns, (call, *tapes))):
        return None
    function = program.enclosing_function(call)
    if any(program.enclosing_function(tape) is not function for tape in tapes):
        return None
    round_of_tape = {_surroundings(context, node) for node in (call, *tapes)}
    if function is program.enclosing_function(skip.node):
        return call if round_of_tape == {_surroundings(context, skip.node)} else None
    callers = context.code.callers(function) if function is not None else []
    entered = [one for one in callers if isinstance(one, cst.Call)]
    here = [one for one in entered if program.owns(one)
            and _surroundings(context, one) is _surroundings(context, skip.node)]  # fmt: skip
    return here[0] if len(here) == 1 and round_of_tape == {function} else None


def _surroundings(context: Context, node: cst.CSTNode) -> cst.CSTNode | None:
    """The innermost loop or function around a node."""
    for ancestor in context.program.ancestors(node):
        if isinstance(ancestor, (cst.For, cst.While, cst.FunctionDef, cst.Lambda)):
            return ancestor
    return None


def _read_under(context: Context, call: cst.Call, skip: Test) -> bool:
    """Whether the result of a call is read nowhere but under the condition."""
    code = context.code
    branch = context.program.parent(skip.node)
    names = _bound_to(context, call)
    if not names or not isinstance(branch, cst.If) or code.names.opaque:
        return False
    copies = {fact.node for fact in context.facts.all(GradientsHeld) if fact.is_list}
    waiting, seen = list(names), set[int]()
    while waiting:
        name = waiting.pop()
        variable = code.names.variable(name)
        if variable is None or id(variable) in seen:
            continue
        seen.add(id(variable))
        for load in variable.loads:
            if _is_under(context, load, branch, skip):
                continue
            statement = code.small_statement(load)
            pair = target_of(statement)
            made = [one for one in names_in(pair[0]) if one in copies] if pair is not None else []
            if pair is None or not made or _holds_on(code, made, pair[1], name):
                return False
            waiting += made
    return True


def _holds_on(code: Code, made: list[cst.Name], value: cst.BaseExpression, name: cst.Name) -> bool:
    """Whether a list is made of what it was before, and of the gradients ``name``: a sum."""
    targets = {id(code.names.variable(one)) for one in made}
    return any(
        id(code.names.variable(one)) in targets and one.value != name.value
        for one in names_in(value)
    )


def _bound_to(context: Context, call: cst.Call) -> list[cst.Name]:
    """The names that are given the gradients of a call; none where they go elsewhere."""
    pair = target_of(context.code.small_statement(call))
    if pair is None or pair[1] is not call:
        return []
    held = {fact.node for fact in context.facts.all(GradientsHeld)}
    return [name for name in names_in(pair[0]) if name in held]


def _is_under(context: Context, node: cst.CSTNode, branch: cst.If, skip: Test) -> bool:
    """Whether a place is reached under the condition alone."""
    code = context.code
    if skip.holds and code.inside(node, branch.body):
        return True
    if skip.holds:
        return False
    if branch.orelse is not None:
        return code.inside(node, branch.orelse)
    # `if step % n: continue`: what follows in this block
    block = context.program.parent(branch)
    return block is not None and code.inside(node, block) and code.start(branch) < code.start(node)
