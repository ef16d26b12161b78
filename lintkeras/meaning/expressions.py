"""Expressions: one function a kind of node, found by its name."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import TYPE_CHECKING

import libcst as cst

from lintkeras.meaning.facts import ListArithmetic
from lintkeras.meaning.operators import binary, bounded, compare, term, unary
from lintkeras.meaning.outline import (
    all_parameters,
)
from lintkeras.meaning.state import Scope
from lintkeras.meaning.targets import assign, index_of
from lintkeras.meaning.values import (
    ANYTHING,
    NONE,
    UNKNOWN,
    Arguments,
    Computed,
    Const,
    Content,
    Dict,
    Entry,
    Function,
    Gradient,
    Index,
    List,
    Member,
    Sequence,
    Test,
    Unknown,
    Value,
    Weight,
    alternatives,
    join,
    join_all,
)

if TYPE_CHECKING:
    from lintkeras.meaning.interpreter import Interpreter

_UNROLLED = 8
"""Up to this many known elements a comprehension is evaluated one by one."""


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
    text = getattr(node, "value", "")
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
    for part in node.parts:
        if isinstance(part, cst.FormattedStringExpression):
            run.eval(part.expression)
    return UNKNOWN


def _attribute(run: Interpreter, node: cst.Attribute) -> Value:
    return run.attribute(run.eval(node.value), node.attr.value, node)


def _subscript(run: Interpreter, node: cst.Subscript) -> Value:
    holder = run.eval(node.value)
    index = index_of(run, node)
    return join_all([_item(run, one, index, node) for one in alternatives(holder)])


def _item(run: Interpreter, holder: Value, index: Value, node: cst.Subscript) -> Value:
    """``holder[index]``."""
    match holder, index:
        case Dict(), Const(value=key):
            return holder.get(key)
        case ((List() | Sequence()), _):
            content = run.content(holder)
            plain = content.plain()
            match index:
                case Const(value=int(i)) if plain is not None and -len(plain) <= i < len(plain):
                    return plain[i]
                case Const(value=int()) if len(content.entries) == 1:
                    return content.entries[0].value
                case Index(domain=domain):
                    for entry in content.entries:
                        if entry.domain == domain and not entry.tests:
                            return entry.value
            return UNKNOWN
        case Computed(function="gradients"), (Const(value=int()) | Index()):
            return run.content(holder).entries[0].value
        case Computed(), _:
            part = Unknown(("slice", node)) if index == UNKNOWN else index
            return term("Subscript", Arguments((holder, part)), node)
    if isinstance(holder, (Member, Weight)) or (
        isinstance(holder, Unknown) and holder.origin is not None
    ):
        return bounded(Unknown(("item", holder, index))) if isinstance(index, Const) else UNKNOWN
    return UNKNOWN


def _display(run: Interpreter, node: cst.List | cst.Tuple | cst.Set) -> Value:
    entries: list[Entry] = []
    for element in node.elements:
        value = run.eval(element.value)
        if isinstance(element, cst.StarredElement):
            entries.extend(run.content(value).entries)
        else:
            entries.append(Entry(value))
    content = Content(tuple(entries))
    if isinstance(node, cst.List):
        return run.new_list(node, content)
    return bounded(Sequence("tuple" if isinstance(node, cst.Tuple) else "set", content))


def _dict(run: Interpreter, node: cst.Dict) -> Value:
    items: dict[object, Value] = {}
    known = True
    for element in node.elements:
        value = run.eval(element.value)
        if isinstance(element, cst.DictElement):
            key = run.eval(element.key)
            if isinstance(key, Const):
                items[key.value] = value
            else:
                known = False
        else:
            known = known and isinstance(value, Dict)
            if isinstance(value, Dict):
                items.update(value.items)
    return bounded(Dict(tuple(items.items()))) if known else UNKNOWN


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
    return join(run.eval(node.body), run.eval(node.orelse))


def _binary(run: Interpreter, node: cst.BinaryOperation) -> Value:
    left, right = run.eval(node.left), run.eval(node.right)
    operator = type(node.operator).__name__
    if operator == "Add" and isinstance(left, (List, Sequence)):
        joined = Content((*run.content(left).entries, *run.content(right).entries))
        if isinstance(left, Sequence):
            return bounded(Sequence("tuple", joined))
        return run.new_list(node, joined)
    note_list_arithmetic(run, node, operator, left, node.left, right, node.right)
    note_list_arithmetic(run, node, operator, right, node.right, left, node.left)
    return binary(operator, left, right, node)


def _unary(run: Interpreter, node: cst.UnaryOperation) -> Value:
    value = run.eval(node.expression)
    operator = type(node.operator).__name__
    if operator == "Minus":
        note_list_arithmetic(run, node, operator, value, node.expression, None, None)
    return unary(operator, value, node)


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
    calls = [e.value.call for e in entries if isinstance(e.value, Gradient)]
    if calls and len(calls) == len(entries):
        fact = ListArithmetic(node, operator, gradients_node, other, other_node, calls[0])
        run.facts.note(fact)


def _boolean(run: Interpreter, node: cst.BooleanOperation) -> Value:
    left, right = run.eval(node.left), run.eval(node.right)
    if isinstance(left, Const):
        shortcut = bool(left.value) == isinstance(node.operator, cst.Or)
        return left if shortcut else right
    return term(type(node.operator).__name__, Arguments((left, right)), node)


def _comparison(run: Interpreter, node: cst.Comparison) -> Value:
    left = run.eval(node.left)
    rights = [(type(c.operator).__name__, run.eval(c.comparator)) for c in node.comparisons]
    if len(rights) != 1:
        return UNKNOWN
    return compare(rights[0][0], left, rights[0][1], node)


def _comprehension(run: Interpreter, node: cst.ListComp | cst.GeneratorExp | cst.SetComp) -> Value:
    content = _comprehend(run, node.for_in, node.elt)
    if isinstance(node, cst.ListComp):
        return run.new_list(node, content)
    kind = "iterator" if isinstance(node, cst.GeneratorExp) else "set"
    return Sequence(kind, content, nodes=(node,))


def _comprehend(run: Interpreter, clause: cst.CompFor, element: cst.BaseExpression) -> Content:
    content = run.content(run.eval(clause.iter))
    outer = run.scope
    run.scope = Scope("function", outer, outer.calls, outer.function)
    try:
        if len(content.entries) > _UNROLLED:
            values = join_all([entry.value for entry in content.entries])
            content = Content((Entry(values, ANYTHING),))
        results: list[Entry] = []
        for entry in content.entries:
            assign(run, clause.target, entry.value)
            tests = list(entry.tests)
            keep = True
            for condition in clause.ifs:
                value = run.eval(condition.test)
                if isinstance(value, Const):
                    keep = keep and bool(value.value)
                else:
                    tests.append(Test(value, True, condition.test))
            if clause.inner_for_in is not None:
                inner = _comprehend(run, clause.inner_for_in, element)
                if entry.domain is None and not tests:
                    results.extend(inner.entries if keep else ())
                else:
                    results.extend(Entry(e.value, ANYTHING, e.tests) for e in inner.entries)
            else:
                value = run.eval(element)
                if keep:
                    results.append(Entry(value, entry.domain, tuple(tests)))
        return Content(tuple(results))
    finally:
        run.scope = outer


def _dict_comp(run: Interpreter, node: cst.DictComp) -> Value:
    _comprehend(run, node.for_in, node.value)
    return UNKNOWN


def _named(run: Interpreter, node: cst.NamedExpr) -> Value:
    value = run.eval(node.value)
    assign(run, node.target, value)
    return value


def _await(run: Interpreter, node: cst.Await) -> Value:
    return run.eval(node.expression)


def _yield(run: Interpreter, node: cst.Yield) -> Value:
    if run.frames:
        run.frames[-1].yields = True
    if isinstance(node.value, cst.From):
        run.eval(node.value.item)
    elif node.value is not None:
        run.eval(node.value)
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
            plain = run.content(value).plain()
            if plain is None:
                complete, rest = False, rest or value
            else:
                positional.extend(plain)
        elif argument.star == "**":
            if isinstance(value, Dict):
                keywords.extend((k, v) for k, v in value.items if isinstance(k, str))
            else:
                complete = False
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
