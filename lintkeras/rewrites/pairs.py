"""The fixes of LK115 and LK107: the pairs of gradients and variables that are meant."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from lintkeras.findings import Applicability, Edit, Fix
from lintkeras.rewrites.code import Code, names_in


def rearranged(
    code: Code, call: cst.Call, argument: cst.BaseExpression, form: str
) -> Iterator[Fix]:
    """The call with the pairs that it takes, from the gradients and variables that it is given."""
    match form, call, argument:
        case "two arguments", cst.Call(
            args=[cst.Arg(keyword=None), cst.Arg(keyword=None) as last]
        ), _:
            text = f"zip({code.text(argument)}, {code.text(last.value)})"
            yield from _written(code, call, f"{code.text(call.func)}({text})", text)
        case "apply swapped", cst.Call(
            args=[cst.Arg(keyword=None), cst.Arg(keyword=None) as last]
        ), _:
            yield from _exchanged(code, argument, last.value)
        case "apply zip", cst.Call(func=cst.Attribute(attr=method)), _:
            yield from _written(code, method, "apply_gradients")
        case "one pair", _, _:
            yield from _written(code, argument, f"[{code.text(argument)}]")
        case "zip swapped", _, cst.Call(
            args=[cst.Arg(keyword=None) as one, cst.Arg(keyword=None) as other]
        ):
            yield from _exchanged(code, one.value, other.value)
        case "two lists", _, (cst.List(elements=[one, other]) | cst.Tuple(elements=[one, other])):
            yield from _written(
                code, argument, f"zip({code.text(one.value)}, {code.text(other.value)})"
            )
        case "zip of two lists", _, cst.Call(
            args=[cst.Arg(value=cst.List(elements=[one, other]) as both)]
        ):
            yield from _written(code, both, f"{code.text(one.value)}, {code.text(other.value)}")


def zipped(
    code: Code, call: cst.Call, argument: cst.BaseExpression, form: str, sources: cst.BaseExpression
) -> Iterator[Fix]:
    """Bare gradients zipped with the variables that they were taken of."""
    inner = argument
    if form == "zip of one":
        match argument:
            case cst.Call(args=[cst.Arg(keyword=None, star="") as only]):
                inner = only.value
            case _:
                return
    if means_the_same(code, sources, call):
        both = f"{code.text(inner)}, {code.text(sources)}"
        text = f"[({both})]" if form == "gradient" else f"zip({both})"
        yield from _written(code, argument, text)


def zip_with(
    code: Code,
    call: cst.Call,
    variables: cst.BaseExpression | None,
    sources: cst.BaseExpression | None,
) -> Iterator[Fix]:
    """LK107: the variables that the gradients were taken of, instead of others."""
    if variables is None or sources is None or any(code.comments(variables)):
        return
    if code.inside(variables, call) and means_the_same(code, sources, call):
        text = code.text(sources)
        title = f"apply them to {text}, which they were taken of"
        edit = code.replace(variables, text)
        yield Fix("own-variables", title, Applicability.UNSAFE, (edit,))


def means_the_same(code: Code, node: cst.BaseExpression, here: cst.CSTNode) -> bool:
    """Whether an expression has the same value ``here`` as at its own place.

    Only what is put together from names and attributes, of variables that are not bound between.
    """
    place = next((one for one in names_in(here) if code.names.variable(one)), None)
    if place is None or code.names.opaque or not all(isinstance(p, _SIMPLE) for p in _parts(node)):
        return False
    begin, end = sorted((code.start(node), code.start(here)))
    together = code.function(node) is code.function(here)
    for name in (part for part in _parts(node) if isinstance(part, cst.Name)):
        variable = code.names.variable(name)
        if variable is None or not code.names.sees(place, variable):
            return False
        if together and any(begin < code.start(store) < end for store in variable.stores):
            return False
        if not together and len(variable.stores) > 1:
            return False
    return not any(code.comments(node))


_SIMPLE = (
    cst.Name, cst.Attribute, cst.List, cst.Tuple, cst.Element, cst.BinaryOperation, cst.Add,
    cst.Comma, cst.Dot, cst.SimpleWhitespace, cst.LeftSquareBracket, cst.RightSquareBracket,
    cst.LeftParen, cst.RightParen,
)  # fmt: skip


def _parts(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    """A node and what it is made of; of an attribute only what it is read from."""
    yield node
    for child in [node.value] if isinstance(node, cst.Attribute) else node.children:
        yield from _parts(child)


def _written(code: Code, node: cst.BaseExpression, text: str, title: str = "") -> Iterator[Fix]:
    """One expression written anew: what raised before now runs."""
    if not any(code.comments(node)):
        yield _fix(f"write {title or text}", code.replace(node, text))


def _exchanged(code: Code, one: cst.BaseExpression, other: cst.BaseExpression) -> Iterator[Fix]:
    """Two expressions that change places."""
    first, second = code.text(one), code.text(other)
    yield _fix(f"write {second}, {first}", code.replace(one, second), code.replace(other, first))


def _fix(title: str, *edits: Edit) -> Fix:
    return Fix("pairs", title, Applicability.SAFE, edits)
