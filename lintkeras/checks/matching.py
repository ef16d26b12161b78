"""Which variable each gradient meets: lists of another length, of other variables."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import libcst as cst

from lintkeras.checks.registry import Context, check
from lintkeras.checks.steps import gradient_of, is_called_here, is_variable
from lintkeras.findings import Finding, Note
from lintkeras.meaning.facts import GradientZip, Held, Holding, Holdings, OptimizerStep
from lintkeras.meaning.library import argument_node
from lintkeras.meaning.values import (
    Const,
    Content,
    Entry,
    Gradient,
    Instance,
    Member,
    PerEntry,
    Scale,
    Value,
    Weight,
    alternatives,
    gradients_in,
)
from lintkeras.rewrites.code import Code, names_in
from lintkeras.rewrites.pairs import zip_with


def _sources_of(gradients: Content) -> list[Value] | None:
    """What the gradients were taken of, in order; None where that is not certain."""
    found: list[Value] = []
    for entry in gradients.entries:
        values = [value for value in alternatives(entry.value) if value != Const(None)]
        sources = {gradient.source for value in values for gradient in gradients_in(value)}
        if entry.tests or len(sources) != 1 or any(gradient_of(v) is None for v in values):
            return None
        found.append(sources.pop())
    return found


def _calls(gradients: Content) -> list[cst.Call]:
    """The calls that gave these gradients."""
    values = [value for entry in gradients.entries for value in alternatives(entry.value)]
    found = [gradient.call.node for value in values if (gradient := gradient_of(value))]
    return list(dict.fromkeys(found))


# ------------------------------------------------------------------ LK107


@dataclass(frozen=True)
class _Meeting:
    """A list of gradients beside a list of variables."""

    gradients: Content
    variables: Content
    holdings: Holdings


@dataclass(frozen=True)
class _Mismatch:
    """The first place where a gradient certainly meets a variable that it was not taken of."""

    kind: str
    """``models``, ``lists`` of one model, or ``order``."""
    source: Value
    variable: Value


def _of_step(context: Context, step: OptimizerStep) -> _Mismatch | None:
    return _mismatch(context, _Meeting(step.gradients, step.variables, step.holdings))


def _of_zip(context: Context, fact: GradientZip) -> _Mismatch | None:
    for gradients, variables in (fact.parts, fact.parts[::-1]):
        if _calls(gradients) and not _calls(variables):
            return _mismatch(context, _Meeting(gradients, variables, fact.holdings))
    return None


def _may_freeze(context: Context) -> bool:
    """Whether the program may have taken variables out of the lists of trainable ones."""
    return bool(context.code.names.attribute_uses("trainable"))


def _mismatch(context: Context, meeting: _Meeting) -> _Mismatch | None:
    """Where gradients and variables part, walking through both lists as ``zip`` does."""
    sources = _sources_of(meeting.gradients)
    variables = [entry.value for entry in meeting.variables.entries]
    if sources is None or any(entry.tests for entry in meeting.variables.entries):
        return None
    permuted = len(sources) == len(variables) and set(sources) == set(variables)
    rows = zip(sources, meeting.gradients.entries, meeting.variables.entries, strict=False)
    for source, one, other in rows:
        variable = other.value
        if source == variable and one.domain == other.domain:
            continue
        moved = source != variable or _is_reversed(one, other)
        if permuted and moved and _is_known(source) and _is_known(variable):
            return _Mismatch("order", source, variable)
        if isinstance(source, Weight) and isinstance(variable, Weight) and _is_whole(one, other):
            return _of_lists(context, meeting, source, variable)
        return None
    return None


def _is_reversed(one: Entry, other: Entry) -> bool:
    """Whether one of two entries goes through what the other goes through, from its end."""
    first, second = one.domain, other.domain
    return any(
        a is not None and a.identity == ("reversed", b)
        for a, b in ((first, second), (second, first))
    )


def _is_known(value: Value) -> bool:
    """Whether a variable is told apart from every other one of the program."""
    match value:
        case Weight(owner=owner):
            return isinstance(owner, Instance)
        case Instance():
            return True
        case Member(of=of):
            return isinstance(of, Instance) and is_variable(value)
    return False


def _is_whole(*entries: Entry) -> bool:
    """Whether each entry stands for all variables of a layer or model."""
    return all(entry.domain and entry.domain.identity[0] == "variables" for entry in entries)


def _of_lists(
    context: Context, meeting: _Meeting, source: Weight, variable: Weight
) -> _Mismatch | None:
    """Two lists of variables that certainly do not match one by one."""
    one, other = meeting.holdings.of(source.owner), meeting.holdings.of(variable.owner)
    kind = "lists" if source.owner == variable.owner else "models"
    if {held.layer for held in one.layers} & {held.layer for held in other.layers}:
        first, second = _slots(one, source.attribute), _slots(other, variable.attribute)
        if first is None or second is None:
            return None
        differ = any(a != b for a, b in zip(first, second, strict=False))
        return _Mismatch(kind, source, variable) if differ and not _may_freeze(context) else None
    if kind == "lists" or source.attribute != variable.attribute:
        return None
    known = one.complete and other.complete and one.layers and other.layers
    return _Mismatch(kind, source, variable) if known and not _may_match(one, other) else None


def _slots(holding: Holding, attribute: str) -> list[tuple[Instance, str, int]] | None:
    """Each variable of a list, in order; None where one is not known."""
    if not holding.complete or not holding.ordered:
        return None
    found: list[tuple[Instance, str, int]] = []
    for held in holding.layers:
        for kind, number in _numbers(held, attribute):
            if number is None:
                return None
            found += [(held.layer, kind, i) for i in range(number)]
    return found


def _numbers(held: Held, attribute: str) -> list[tuple[str, int | None]]:
    """How many trainable and other variables a layer adds to a list."""
    trained = [("trainable", held.trainable)] if attribute != "non_trainable_variables" else []
    others = [("other", held.others)] if attribute != "trainable_variables" else []
    return trained + others


# The arguments that give the variables of a layer their shapes, with their positions.
_SHAPES = (("units", 0), ("filters", 0), ("input_dim", 0), ("output_dim", 1), ("kernel_size", 1))


def _may_match(one: Holding, other: Holding) -> bool:
    """Whether the variables of two models may correspond, as those of two copies do."""
    first = [held for held in one.layers if held.trainable != 0]
    second = [held for held in other.layers if held.trainable != 0]
    if len(first) != len(second):
        # A layer whose variables cannot be counted may have none.
        return any(held.trainable is None for held in (*first, *second))
    return all(_alike(a, b) for a, b in zip(first, second, strict=True))


def _alike(one: Held, other: Held) -> bool:
    """Whether two layers may have variables of the same shapes."""
    if one.layer.cls != other.layer.cls and one.layer.class_name != other.layer.class_name:
        return False
    for name, position in _SHAPES:
        first = one.layer.arguments.get(name, position)
        second = other.layer.arguments.get(name, position)
        if isinstance(first, Const) and isinstance(second, Const) and first != second:
            return False
    return True


@check("LK107")
def mismatched_variable_list(context: Context) -> Iterator[Finding]:
    """gradients of one list of variables are applied to another."""
    steps = list(context.facts.groups(OptimizerStep))
    paired = {node for group in steps for step in group for node in _zip_of(step)}
    mismatched = list(_mismatched_zips(context, paired))
    inside = {
        ancestor
        for _, node in mismatched
        if context.program.owns(node)
        for ancestor in context.program.ancestors(node)
    }
    for group in steps:
        step = group[0]
        if step.node in inside:
            continue  # the zip in its argument is the place
        nodes = step.node, _variables_node(step)
        found = [_of_step(context, one) for one in group]
        yield from _of_mismatches(context, nodes, found, _calls(step.gradients), "applied to")
    yield from (finding for finding, _ in mismatched)


def _mismatched_zips(
    context: Context, paired: set[cst.CSTNode]
) -> Iterator[tuple[Finding, cst.CSTNode]]:
    """What is wrong with each zip of its own, and where it stands."""
    for zips in context.facts.groups(GradientZip):
        fact = zips[0]
        if fact.node not in paired and len(fact.node.args) == 2:
            one, other = (argument.value for argument in fact.node.args)
            second = bool(_calls(fact.parts[0]))
            found = [_of_zip(context, each) for each in zips]
            calls = _calls(fact.parts[0 if second else 1])
            nodes = fact.node, other if second else one
            for finding in _of_mismatches(context, nodes, found, calls, "zipped with"):
                yield finding, fact.node


def _zip_of(step: OptimizerStep) -> tuple[cst.CSTNode, ...]:
    """The zip that a step is given."""
    return step.pairs.nodes[:1] if step.pairs is not None else ()


def _of_mismatches(
    context: Context,
    nodes: tuple[cst.Call, cst.BaseExpression | None],
    found: list[_Mismatch | None],
    calls: list[cst.Call],
    verb: str,
) -> Iterator[Finding]:
    """What is wrong where gradients meet variables, if all ways that lead there agree."""
    node, variables = nodes
    first = found[0]
    if first is None or any(one is None for one in found):
        return
    sources = [argument_node(call, "sources", 1) for call in calls]
    own = sources[0].value if len(sources) == 1 and sources[0] is not None else None
    given = _written(context, own, first.source)
    taken = _written(context, variables, first.variable)
    why = {
        "models": "",
        "lists": ", which hold other variables",
        "order": ", the same variables in another order",
    }[first.kind]
    places = [(call, "these gradients") for call in calls]
    yield Finding(
        "LK107",
        context.program.span(node),
        f"gradients of {given} are {verb} {taken}{why}",
        notes=(Note("effect", _EFFECT),),
        related=context.related(
            *places, *([(variables, "meet these variables")] if variables is not None else [])
        ),
        fixes=context.fixes(zip_with, context.code, node, variables, own),
    )


_EFFECT = (
    "zip() pairs them by position, so a gradient moves a variable that it says nothing about: "
    "InvalidArgumentError where the shapes do not fit, silent damage where they do or broadcast"
)


def _variables_node(step: OptimizerStep) -> cst.BaseExpression | None:
    """Where a step says which variables it trains."""
    if not is_called_here(step):
        return None
    if step.method == "apply":
        given = argument_node(step.node, "trainable_variables", 1)
        return None if given is None else given.value
    node = step.pairs.nodes[2] if step.pairs is not None and len(step.pairs.nodes) == 3 else None
    return node if isinstance(node, cst.BaseExpression) else None


def _written(context: Context, node: cst.BaseExpression | None, value: Value) -> str:
    """A list of variables as the program writes it, else whose it is."""
    if node is not None:
        text = " ".join(context.program.text(node).split())
        return f"`{text}`"
    owner = value.owner if isinstance(value, Weight) else value
    names = [name for name, held in context.facts.names.items() if held == owner]
    if names:
        return f"the variables of `{names[0]}`"
    kind = owner.class_name.rpartition(".")[2] if isinstance(owner, Instance) else "another model"
    return f"the variables of {kind}"


# ------------------------------------------------------------------ LK106


@dataclass(frozen=True)
class _Lengths:
    """How many gradients meet how many of something else, where these are not the same."""

    gradients: int
    others: int
    kind: str
    """What they meet: ``variable`` or ``factor``."""


@check("LK106")
def gradient_zip_length(context: Context) -> Iterator[Finding]:
    """gradients are zipped with a list of another length."""
    steps = list(context.facts.groups(OptimizerStep))
    elsewhere = {
        node
        for group in steps
        for step in group
        if _of_step(context, step)
        for node in (step.node, *_zip_of(step))
    }
    for zips in context.facts.groups(GradientZip):
        call = zips[0].node
        mismatched = call in elsewhere or any(_of_zip(context, one) for one in zips)
        if len(call.args) == 2 and not mismatched:
            nodes = (call.args[0].value, call.args[1].value)
            found = {_lengths(context, one.parts, nodes, one.holdings) for one in zips}
            yield from _of_lengths(context, call, "zip()", found)
    for group in steps:
        step = group[0]
        given = argument_node(step.node, "grads", 0), _variables_node(step)
        if step.method == "apply" and given[0] and given[1] and step.node not in elsewhere:
            nodes = (given[0].value, given[1])
            found = {
                _lengths(context, (one.gradients, one.variables), nodes, one.holdings)
                for one in group
            }
            yield from _of_lengths(context, step.node, f"{step.method}()", found)


def _lengths(
    context: Context,
    parts: tuple[Content, Content],
    nodes: tuple[cst.BaseExpression, cst.BaseExpression],
    holdings: Holdings,
) -> _Lengths | None:
    """How many gradients meet how many others, where that is known and not the same."""
    for gradients, other, node in ((*parts, nodes[0]), (*parts[::-1], nodes[1])):
        sources = _sources_of(gradients)
        if sources and other.entries and all(is_variable(source) for source in sources):
            kind = _kind(context, other, parts)
            both = (*gradients.entries, *other.entries)
            if kind is None or (len(both) == 2 and _is_whole(*both)):
                return None  # a model and a part of it: that may be meant
            one, two = _count(gradients, holdings), _count(other, holdings)
            if one is None or two is None or one == two:
                return None
            if any(entry.domain for entry in both) and _may_freeze(context):
                return None
            if _taken_apart(context.code, node):
                return None
            return _Lengths(one, two, kind)
    return None


def _kind(context: Context, other: Content, parts: tuple[Content, Content]) -> str | None:
    """What the gradients meet; None for anything but variables and factors."""
    if all(is_variable(entry.value) for entry in other.entries):
        return "variable"
    factors = other.plain() or ()
    numbers = [isinstance(v, Const) and isinstance(v.value, (int, float)) for v in factors]
    scaled = PerEntry(factors) if factors and all(numbers) else None
    for step in context.facts.all(OptimizerStep):
        for entry in step.gradients.entries:
            for gradient in alternatives(entry.value):
                edits = gradient.edits if isinstance(gradient, Gradient) else ()
                if any(isinstance(edit, Scale) and edit.factor == scaled for edit in edits):
                    return "factor"
    return None


def _count(content: Content, holdings: Holdings) -> int | None:
    """The length of a list of variables, or of the gradients of some."""
    total = 0
    for entry in content.entries:
        if entry.tests:
            return None
        if entry.domain is None:
            total += 1
            continue
        gradient = gradient_of(entry.value)
        weight = gradient.source if gradient is not None else entry.value
        if not isinstance(weight, Weight) or not _is_whole(entry):
            return None
        count = _number(holdings.of(weight.owner), weight.attribute)
        if count is None:
            return None
        total += count
    return total


def _number(holding: Holding, attribute: str) -> int | None:
    """How many variables an object has; None where that is not known."""
    numbers = [n for held in holding.layers for _, n in _numbers(held, attribute)]
    known = [number for number in numbers if number is not None]
    return sum(known) if holding.complete and len(known) == len(numbers) else None


def _taken_apart(code: Code, node: cst.BaseExpression) -> bool:
    """Whether a list of gradients goes to several places, each of which may take a part of it."""
    return any(_goes_elsewhere(code, name) for name in names_in(node))


def _goes_elsewhere(code: Code, node: cst.Name) -> bool:
    """Whether what a name holds here is also indexed, unpacked or paired up elsewhere."""
    variable = code.names.variable(node)
    if variable is None:
        return False
    here = code.start(node)
    stores = [_bound_at(code, store) for store in variable.stores]
    begin = max((at for at in stores if at <= here), default=here)
    end = min((at for at in stores if at > here), default=None)
    for load in variable.loads:
        if not (begin <= code.start(load) and (end is None or code.start(load) < end)):
            continue
        match code.program.parent(load):
            case cst.Subscript(value=value) if value is load:
                return True
            case cst.StarredElement() | cst.Assign(targets=[cst.AssignTarget(target=cst.Tuple())]):
                return True
            case cst.Arg(star=star) as argument if load is not node:
                call = code.program.parent(argument)
                if star or (isinstance(call, cst.Call) and _pairs_up(call)):
                    return True
    return False


def _bound_at(code: Code, store: cst.Name) -> tuple[int, int]:
    """From where on a name holds what it is bound to: behind the value of an assignment."""
    statement = code.small_statement(store)
    if statement is None:
        return code.start(store)
    return code.start(store)[0], code.program.local_span(statement)[1]


def _pairs_up(call: cst.Call) -> bool:
    name = call.func.attr if isinstance(call.func, cst.Attribute) else call.func
    return isinstance(name, cst.Name) and name.value in ("zip", "apply", "apply_gradients")


def _of_lengths(
    context: Context, node: cst.Call, what: str, found: set[_Lengths | None]
) -> Iterator[Finding]:
    if len(found) != 1:
        return
    lengths = found.pop()
    if lengths is None:
        return
    one, two, kind = lengths.gradients, lengths.others, lengths.kind
    rest = abs(one - two)
    noun, what_becomes = ("gradient", "dropped") if one > two else (kind, f"never {_USED[kind]}")
    last = f"last {noun} is" if rest == 1 else f"last {rest} {noun}s are"
    yield Finding(
        "LK106",
        context.program.span(node),
        f"{what} pairs {_counted(one, 'gradient')} with {_counted(two, kind)}: the {last} {what_becomes}",
        notes=(
            Note("effect", "it ends with the shorter list, without an error or a warning"),
            Note("note", "zip(..., strict=True) compares the lengths and raises ValueError"),
        ),
    )


_USED = {"variable": "trained", "factor": "used"}


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
