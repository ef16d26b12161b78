"""Expressions: one function a kind of node, found by its name."""

from __future__ import annotations

import ast
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING

import libcst as cst

from lintkeras.meaning import special
from lintkeras.meaning.facts import ListArithmetic
from lintkeras.meaning.loops import rounds
from lintkeras.meaning.operators import binary, bounded, compare, term, unary
from lintkeras.meaning.outline import (
    all_parameters,
    names_read,
)
from lintkeras.meaning.state import Scope
from lintkeras.meaning.targets import assign, index_of
from lintkeras.meaning.uses import note_attribute, note_given, note_item
from lintkeras.meaning.values import (
    ANYTHING,
    LOST,
    NONE,
    OPAQUE,
    UNKNOWN,
    Arguments,
    Computed,
    Const,
    Content,
    Dict,
    Domain,
    Entry,
    Function,
    Gradient,
    Index,
    Instance,
    Items,
    List,
    Member,
    Reads,
    Sequence,
    Slice,
    Test,
    Unknown,
    Value,
    Weight,
    alternatives,
    any_of,
    gradients_in,
    integer,
    join_all,
    lost_track,
    member_at,
    reversed_content,
    walk,
)

if TYPE_CHECKING:
    from lintkeras.meaning.interpreter import Interpreter

_MOST_REPEATED = 16
"""Up to this length ``[x] * n`` is known."""


def _name(run: Interpreter, node: cst.Name) -> Value:
    match node.value:
        case "None":
            return NONE
        case "True":
            return Const(True)
        case "False":
            return Const(False)
    return run.lookup(node.value)


def _literal(run: Interpreter, node: cst.BaseExpression) -> Value:
    return _constant(getattr(node, "value", ""))


@lru_cache(maxsize=2048)
def _constant(text: str) -> Value:
    """The value of a literal; programs repeat few of them often."""
    try:
        return Const(ast.literal_eval(text))
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return UNKNOWN


def _concatenated(run: Interpreter, node: cst.ConcatenatedString) -> Value:
    left, right = run.eval(node.left), run.eval(node.right)
    if isinstance(left, Const) and isinstance(right, Const):
        return binary("Add", left, right, node)
    return UNKNOWN


def _formatted(run: Interpreter, node: cst.FormattedString) -> Value:
    parts: list[Value] = []
    for part in node.parts:
        if isinstance(part, cst.FormattedStringText):
            parts.append(_text(part.value, node.prefix))
        else:
            assert isinstance(part, cst.FormattedStringExpression)
            value = run.eval(part.expression)
            plain = part.conversion is None and part.format_spec is None and part.equal is None
            parts.append(value if plain else UNKNOWN)
    if all(isinstance(part, Const) and isinstance(part.value, (str, int)) for part in parts):
        return Const("".join(str(part.value) for part in parts if isinstance(part, Const)))
    return term("FormattedString", Arguments(tuple(parts)), node)


def _text(text: str, prefix: str) -> Value:
    """The text between the fields of an f-string."""
    raw = text.replace("{{", "{").replace("}}", "}")
    if "\\" not in raw or "r" in prefix.lower():
        return Const(raw)
    return UNKNOWN  # escapes


def _attribute(run: Interpreter, node: cst.Attribute) -> Value:
    owner = run.eval(node.value)
    found = run.attribute(owner, node.attr.value, node)
    note_attribute(run, node, owner, found)
    return found


def _subscript(run: Interpreter, node: cst.Subscript) -> Value:
    holder = run.eval(node.value)
    index = index_of(run, node)
    note_item(run, node, holder, index)
    return item_of(run, holder, index, node)


def item_of(run: Interpreter, holder: Value, index: Value, node: cst.Subscript) -> Value:
    """``holder[index]``, for each thing that the holder may be."""
    found = run.each(alternatives(holder), lambda one: _item(run, one, index, node))
    return lost_track([holder]) if found == UNKNOWN and isinstance(holder, Unknown) else found


def _item(run: Interpreter, holder: Value, index: Value, node: cst.Subscript) -> Value:
    """``holder[index]``."""
    own = special.call(run, holder, "getitem", (index,), node)
    if own is not None:
        return own
    match holder, index:
        case ((Dict() | Items()), _):
            found = run.items(holder).get(index.value) if isinstance(index, Const) else None
            return UNKNOWN if found is None else found
        case List(), Index(domain=domain):
            held = run.stored(holder).entries
            return held[0].value if len(held) == 1 and held[0].place == domain else UNKNOWN
        case ((List() | Sequence()), Slice()):
            return _like(run, holder, _sliced(run.content(holder), index), node)
        case ((List() | Sequence()), _):
            content = run.content(holder)
            plain = content.plain()
            match index:
                case Const(value=int(i)) if plain is not None and -len(plain) <= i < len(plain):
                    return plain[i]
                case Const(value=int(i)) if len(content.entries) == 1:
                    (entry,) = content.entries
                    return member_at(entry.value, (entry.tests, i) if entry.tests else i)
                case Index(domain=domain):
                    if len(content.entries) == 1 and content.entries[0].place == domain:
                        return content.entries[0].value
            return UNKNOWN
        case Computed(function="gradients"), Index():
            return run.content(holder).entries[0].value
        case Computed(function="gradients"), Const(value=int(i)):
            return member_at(run.content(holder).entries[0].value, i)
        case Computed(), _:
            return _part(run, holder, index, node)
        case Instance(), _ if holder.class_name == "keras.Input":
            return _part(run, holder, index, node)
    if isinstance(holder, (Member, Weight)) or (
        isinstance(holder, Unknown) and holder.origin is not None
    ):
        if isinstance(index, Const):
            return bounded(Unknown(("item", holder, index)))
        if isinstance(index, (Slice, Sequence)):
            return _part(run, holder, index, node)
    return UNKNOWN


def _part(run: Interpreter, holder: Value, index: Value, node: cst.Subscript) -> Value:
    """A part of a tensor; what is not known of its index is one thing in this evaluation."""
    known = all(part != UNKNOWN for part in walk(index))
    part = index if known else Unknown(("index", *run.identity(node)))
    return term("Subscript", Arguments((holder, part)), node)


def _sliced(content: Content, part: Slice) -> Content:
    """The entries that a slice takes."""
    bounds = [part.start, part.stop, part.step]
    numbers = [integer(bound) for bound in bounds]
    if any(n is None and bound != NONE for n, bound in zip(numbers, bounds, strict=True)):
        return OPAQUE
    if content.plain() is not None and numbers[2] != 0:
        return Content(content.entries[slice(*numbers)])
    if numbers in ([None, None, None], [0, None, None]):
        return content
    return reversed_content(content) if numbers == [None, None, -1] else OPAQUE


def _display(run: Interpreter, node: cst.List | cst.Tuple | cst.Set) -> Value:
    entries: list[Entry] = []
    for element in node.elements:
        value = run.eval(element.value)
        if isinstance(element, cst.StarredElement):
            entries.extend(run.iterate(value).entries)
        else:
            entries.append(Entry(value))
    content = Content(tuple(entries))
    if isinstance(node, cst.List):
        return run.new_list(node, content)
    return bounded(Sequence("tuple" if isinstance(node, cst.Tuple) else "set", content))


def _dict(run: Interpreter, node: cst.Dict) -> Value:
    items = Items()
    for element in node.elements:
        if isinstance(element, cst.DictElement):
            key = run.eval(element.key)
            value = run.eval(element.value)
            items = items.put(key.value, value) if isinstance(key, Const) else LOST
        else:
            items = items.updated(run.items(run.eval(element.value)))
    return run.new_dict(node, items)


def _lambda(run: Interpreter, node: cst.Lambda) -> Value:
    function = Function(node, run.scope, None, defaults(run, node.params))
    run.pending.append(function)
    return function


def defaults(run: Interpreter, params: cst.Parameters) -> tuple[tuple[str, Value], ...]:
    """The defaults of parameters, evaluated here and now."""
    return tuple(
        (parameter.name.value, run.eval(parameter.default))
        for parameter in all_parameters(params)
        if parameter.default is not None
    )


def _if_exp(run: Interpreter, node: cst.IfExp) -> Value:
    test = run.eval(node.test)
    if isinstance(test, Const):
        return run.eval(node.body if test.value else node.orelse)
    results: list[Value] = []

    def side(expression: cst.BaseExpression) -> None:
        results.append(run.eval(expression))

    first = run.branch(lambda: side(node.body), Test(test, True, node.test))
    second = run.branch(lambda: side(node.orelse), Test(test, False, node.test))
    run.merge([first, second])
    return join_all(results)


def _binary(run: Interpreter, node: cst.BinaryOperation) -> Value:
    left, right = run.eval(node.left), run.eval(node.right)
    operator = type(node.operator).__name__
    if not (operator == "Add" and isinstance(left, (List, Sequence))):
        note_list_arithmetic(run, node, operator, left, node.left, right, node.right)
        note_list_arithmetic(run, node, operator, right, node.right, left, node.left)
    return combine(run, operator, left, right, node)


def combine(run: Interpreter, operator: str, left: Value, right: Value, node: cst.CSTNode) -> Value:
    """``left operator right``, where either may be a list, a tuple, a dictionary, an object."""
    found = special.binary(run, operator, left, right, node)
    if found is not None:
        return found
    match operator, left, right:
        case "Add", (List() | Sequence()), _:
            joined = Content((*run.content(left).entries, *run.content(right).entries))
            return _like(run, left, joined, node)
        case ("Multiply", (List() | Sequence()) as one, Const(value=int(count))) | (
            "Multiply", Const(value=int(count)), (List() | Sequence()) as one,
        ):  # fmt: skip
            plain = run.content(one).plain()
            few = plain is not None and len(plain) * count <= _MOST_REPEATED
            entries = run.content(one).entries * count if few else OPAQUE.entries
            return _like(run, one, Content(entries), node)
        case (_, (List() | Sequence()), Const()) | (_, Const(), (List() | Sequence())):
            return UNKNOWN  # it raises
        case "BitOr", (Dict() | Items()), (Dict() | Items()):
            return run.new_dict(node, run.items(left).updated(run.items(right)))
    return binary(operator, left, right, node)


def _like(run: Interpreter, value: Value, content: Content, node: cst.CSTNode) -> Value:
    """A new list for a list, a new tuple for a tuple."""
    if isinstance(value, Sequence):
        return bounded(Sequence("tuple", content))
    return run.new_list(node, content)


def _unary(run: Interpreter, node: cst.UnaryOperation) -> Value:
    value = run.eval(node.expression)
    operator = type(node.operator).__name__
    if operator == "Minus":
        note_list_arithmetic(run, node, operator, value, node.expression, None, None)
        if isinstance(value, (List, Sequence)):
            return UNKNOWN  # it raises
    found = special.unary(run, operator, value, node)
    return unary(operator, value, node) if found is None else found


def note_list_arithmetic(
    run: Interpreter,
    node: cst.BinaryOperation | cst.UnaryOperation | cst.AugAssign,
    operator: str,
    gradients: Value,
    gradients_node: cst.BaseExpression,
    other: Value | None,
    other_node: cst.BaseExpression | None,
) -> None:
    """Record an operator that is applied to a list of gradients as a whole."""
    if not isinstance(gradients, List):
        return
    entries = run.content(gradients).entries
    calls = [found[0].call for e in entries if (found := _plain_gradients(e.value))]
    if calls and len(calls) == len(entries):
        fact = ListArithmetic(node, operator, gradients_node, other, other_node, calls[0])
        run.facts.note(fact)


def _plain_gradients(value: Value) -> list[Gradient]:
    """The gradient that an entry is, or what stands for it where its source is not known."""
    unknown = isinstance(value, Computed) and value.function == "gradients"
    return gradients_in(value) if unknown or isinstance(value, Gradient) else []


def _boolean(run: Interpreter, node: cst.BooleanOperation) -> Value:
    left = run.eval(node.left)
    operator = type(node.operator).__name__
    if isinstance(left, Const):
        shortcut = bool(left.value) == (operator == "Or")
        return left if shortcut else run.eval(node.right)
    rights: list[Value] = []

    def side() -> None:
        rights.append(run.eval(node.right))

    run.merge([run.branch(side, Test(left, operator == "And", node.left)), {}])
    if lost_track([left, *rights]).may_be:
        return join_all([left, *rights])  # what is done to it is done to one of the two
    return term(operator, Arguments((left, *rights)), node)


def _comparison(run: Interpreter, node: cst.Comparison) -> Value:
    left = run.eval(node.left)
    rights = [(type(c.operator).__name__, run.eval(c.comparator)) for c in node.comparisons]
    if len(rights) != 1:
        return UNKNOWN
    operator, right = rights[0]
    found = special.binary(run, operator, left, right, node)
    if found is not None:
        return found
    if operator in ("In", "NotIn") and isinstance(left, Const):
        if isinstance(right, (Dict, Items)) and not run.items(right).complete:
            return UNKNOWN
        values = run.content(right).plain()
        if values is not None and all(isinstance(value, Const) for value in values):
            held = any(isinstance(v, Const) and v.value == left.value for v in values)
            return Const(held == (operator == "In"))
    return compare(operator, left, right, node)


def _comprehension(run: Interpreter, node: cst.ListComp | cst.GeneratorExp | cst.SetComp) -> Value:
    content = _comprehend(run, node.for_in, node.elt)
    if isinstance(node, cst.ListComp):
        return run.new_list(node, content)
    if isinstance(node, cst.SetComp):
        return Sequence("set", content, nodes=(node,))
    return run.iterator(node, "iterator", content, nodes=(node,), reads=_read_later(run, node))


def _read_later(run: Interpreter, node: cst.GeneratorExp) -> Reads:
    """What a generator expression reads only when it is run through: all but what it runs over."""
    clause = node.for_in
    parts = [node.elt, *(test.test for test in clause.ifs)]
    if clause.inner_for_in is not None:
        parts.append(clause.inner_for_in)  # type: ignore[arg-type]
    found: Reads = ()
    for name in set().union(*map(names_read, parts)):
        key = run.place_of(name)
        if key is not None:
            value = run.state.find(key)
            found = (*found, (key, value), *run.reads(value))  # type: ignore[arg-type]
    return found


def _comprehend(run: Interpreter, clause: cst.CompFor, element: cst.BaseExpression) -> Content:
    """What the clauses of a comprehension give, entry by entry."""
    iterated = run.eval(clause.iter)
    content = run.iterate(iterated)
    reads = run.reads(iterated)
    outer = run.scope
    scope = run.scope = Scope("comprehension", outer, outer.calls, outer.function)
    results: list[Entry] = []
    try:
        if not run.may_unroll(len(content.entries)):
            values = join_all([entry.value for entry in content.entries])
            content = Content((Entry(values, ANYTHING),))
        for number, entry in enumerate(content.entries):
            changed = not run.unchanged(reads, number)
            if changed:  # by the element itself: what is left runs over anything
                (entry,) = any_of(*content.entries[number:], Entry(iterated)).entries
            if entry.domain is None:
                with run.inside(clause, number), run.unrolled(len(content.entries)):
                    results.extend(_one_round(run, scope, clause, element, entry))
            else:
                domain = entry.domain
                if domain == ANYTHING:
                    domain = Domain(("loop", *run.identity(clause)))
                found: list[Entry] = []

                def body(entry: Entry = entry, found: list[Entry] = found) -> None:
                    if not run.unchanged(reads):
                        entry = Entry(lost_track([entry.value]), ANYTHING)
                    found[:] = _one_round(run, scope, clause, element, entry)

                rounds(run, clause, domain, body)
                results.extend(found)
            if changed:
                break
        return Content(tuple(results))
    finally:
        run.scope = outer


def _one_round(
    run: Interpreter, scope: Scope, clause: cst.CompFor, element: cst.BaseExpression, entry: Entry
) -> list[Entry]:
    assign(run, clause.target, entry.value, scope)
    conditions: list[Test] = []
    for condition in clause.ifs:
        value = run.eval(condition.test)
        if not isinstance(value, Const):
            conditions.append(Test(value, True, condition.test))
        elif not value.value:
            return []
    found: list[Entry] = []
    tests = (*entry.tests, *conditions)

    def side() -> None:
        run.tests.extend(tests)
        if clause.inner_for_in is None:
            found.append(Entry(run.eval(element), entry.domain, tests))
            return
        inner = _comprehend(run, clause.inner_for_in, element).entries
        single = entry.domain is None and not tests
        found.extend(inner if single else (Entry(e.value, ANYTHING, e.tests) for e in inner))

    if tests:
        run.merge([run.branch(side), {}])
    else:
        side()
    return found


def _dict_comp(run: Interpreter, node: cst.DictComp) -> Value:
    pair = cst.Tuple([cst.Element(node.key), cst.Element(node.value)])
    items = Items()
    for entry in _comprehend(run, node.for_in, pair).entries:
        key, value = run.content(entry.value).plain() or (UNKNOWN, UNKNOWN)
        certain = isinstance(key, Const) and entry.domain is None and not entry.tests
        items = items.put(key.value, value) if certain and isinstance(key, Const) else LOST
    return run.new_dict(node, items)


def _named(run: Interpreter, node: cst.NamedExpr) -> Value:
    value = run.eval(node.value)
    assign(run, node.target, value)
    return value


def _await(run: Interpreter, node: cst.Await) -> Value:
    run.awaited.add(node.expression)
    return run.eval(node.expression)


def _yield(run: Interpreter, node: cst.Yield) -> Value:
    if isinstance(node.value, cst.From):
        run.eval(node.value.item)
    elif node.value is not None:
        note_given(run, node, run.eval(node.value))
    return UNKNOWN


def _ellipsis(run: Interpreter, node: cst.Ellipsis) -> Value:
    return Const(...)


def _call(run: Interpreter, node: cst.Call) -> Value:
    function = run.eval(node.func)
    arguments = _arguments(run, node)
    if run.reveal is not None and function == Unknown(("free", "reveal")):
        run.reveal(node, arguments.positional[0], run)
        return arguments.positional[0]
    return run.call(function, arguments, node)


def _arguments(run: Interpreter, node: cst.Call) -> Arguments:
    positional: list[Value] = []
    keywords: list[tuple[str, Value]] = []
    complete = True
    rest: Value | None = None
    for argument in node.args:
        value = run.eval(argument.value)
        if argument.star == "*":
            plain = run.iterate(value).plain()
            if plain is None:
                complete, rest = False, rest or value
            else:
                positional.extend(plain)
        elif argument.star == "**":
            held = run.items(value)
            keywords.extend((k, v) for k, v in held.items if isinstance(k, str))
            complete = complete and held.complete
        elif argument.keyword is not None:
            keywords.append((argument.keyword.value, value))
        elif complete:
            positional.append(value)
    return Arguments(tuple(positional), tuple(keywords), complete, rest)


EXPRESSIONS: dict[str, Callable[..., Value]] = {
    "Name": _name,
    "Integer": _literal,
    "Float": _literal,
    "Imaginary": _literal,
    "SimpleString": _literal,
    "ConcatenatedString": _concatenated,
    "FormattedString": _formatted,
    "Attribute": _attribute,
    "Subscript": _subscript,
    "List": _display,
    "Tuple": _display,
    "Set": _display,
    "Dict": _dict,
    "Lambda": _lambda,
    "IfExp": _if_exp,
    "BinaryOperation": _binary,
    "UnaryOperation": _unary,
    "BooleanOperation": _boolean,
    "Comparison": _comparison,
    "ListComp": _comprehension,
    "GeneratorExp": _comprehension,
    "SetComp": _comprehension,
    "DictComp": _dict_comp,
    "Call": _call,
    "NamedExpr": _named,
    "Await": _await,
    "Yield": _yield,
    "Ellipsis": _ellipsis,
}
