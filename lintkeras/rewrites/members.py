"""What to write instead of a method or an attribute that is gone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import libcst as cst

from lintkeras import keras_api
from lintkeras.findings import Applicability, Edit, Fix
from lintkeras.meaning.facts import MemberUse
from lintkeras.rewrites.code import Code

if TYPE_CHECKING:
    from lintkeras.checks.members import Gone
    from lintkeras.checks.registry import Context

_SIMPLE = (cst.Name, cst.Attribute, cst.Call, cst.Subscript)


def of_method(
    context: Context, use: MemberUse, gone: Gone, call: cst.Call | None, head: str | None
) -> Iterator[Fix]:
    """The fixes of a method; ``head`` says how classes are read off the predictions."""
    match gone.entry.get("form"):
        case "classes" if call is not None:
            yield from _classes(context.code, use.node, call, head)
        case "states" if call is not None:
            yield from _states(context.code, use.node, call)
        case "minimize" if call is not None:
            yield from _minimize(context.code, use.node, call)
        case "update" if call is not None:
            yield from _update(context.code, call)
        case "name first" if call is not None:
            yield from _named(context.code, use.node, gone, call)
        case None if "new" in gone.entry:
            yield from _renamed(context, use.node, gone, call)
        case None if "template" in gone.entry and call is not None:
            yield from _instead_of_call(context, use.node, gone, call)


def of_attribute(context: Context, use: MemberUse, gone: Gone, *, together: bool) -> Iterator[Fix]:
    """The fixes of an attribute; ``together`` with an assignment that has no effect any more.

    Where it is assigned too, a name that can be read again would hide that the assignment does
    nothing: both change, or none.
    """
    entry, code, node = gone.entry, context.code, use.node
    if entry.get("form") == "called":
        call = context.program.parent(node)
        if isinstance(call, cst.Call) and call.func is node and not call.args:
            if not code.comments_lost(call, node):
                text = code.text(node)
                yield Fix("drop-call", f"read `{text}`", _safety(context, gone), (
                    code.replace(call, text),
                ))  # fmt: skip
    elif (outer := _value_call(code, node)) is not None and "new" in entry:
        yield from _value(code, node, entry["new"], outer)
    elif "new" in entry:
        title = f"write `.{entry['new']}`"
        safety = Applicability.UNSAFE if together else _safety(context, gone)
        yield Fix("rename", title, safety, (code.replace(node.attr, entry["new"]),))
    elif "template" in entry and not use.written and isinstance(node.value, _SIMPLE):
        text = entry["template"].format(owner=code.text(node.value))
        if not code.comments_lost(node, node.value):
            yield Fix("rename", f"write `{' '.join(text.split())}`", _safety(context, gone), (
                code.replace(node, text),
            ))  # fmt: skip


def _value_call(code: Code, node: cst.Attribute) -> cst.Call | None:
    """``K.set_value(x.lr, ...)`` or ``K.get_value(x.lr)`` around the attribute."""
    argument = code.program.parent(node)
    call = code.program.parent(argument) if isinstance(argument, cst.Arg) else None
    if not isinstance(call, cst.Call) or call.args[0] is not argument:
        return None
    function = code.symbol(call.func)
    return call if function is not None and function.name in _VALUES else None


_VALUES = {"keras.backend.get_value": 1, "keras.backend.set_value": 2}
"""How many arguments they take."""


def _value(code: Code, node: cst.Attribute, new: str, call: cst.Call) -> Iterator[Fix]:
    """The value of the attribute, or an assignment to it, without ``keras.backend``."""
    function = code.symbol(call.func)
    plain = all(a.keyword is None and not a.star for a in call.args)
    if function is None or not plain or len(call.args) != _VALUES[function.name]:
        return
    if any(code.comments(call)):
        return
    held = f"{code.text(node.value)}.{new}"
    if len(call.args) == 1:
        edit = code.replace(call, f"float({held})")
        yield Fix("value", f"write `float({held})`", Applicability.SAFE, (edit,))
        return
    statement = code.small_statement(call)
    if isinstance(statement, cst.Expr) and statement.value is call:
        text = f"{held} = {code.text(call.args[1].value)}"
        edit = code.replace(statement, text)
        yield Fix("value", f"assign `{held}`", Applicability.SAFE, (edit,))


def of_shape(code: Code, call: cst.Call, shape: cst.Name) -> Iterator[Fix]:
    """``list(shape)`` for ``shape.as_list()``."""
    if not any(code.comments(call)):
        text = f"list({shape.value})"
        yield Fix("list", f"write `{text}`", Applicability.SAFE, (code.replace(call, text),))


def _safety(context: Context, gone: Gone) -> Applicability:
    """Safe where all allowed releases have what is written, and it does the same there."""
    entry, releases = gone.entry, context.releases
    if "unsafe" in entry or not releases.since(gone.place, entry.get("since", "0")):
        return Applicability.UNSAFE
    return Applicability.SAFE


def _renamed(
    context: Context, node: cst.Attribute, gone: Gone, call: cst.Call | None
) -> Iterator[Fix]:
    """Another method of the same object, with the arguments as that one names them."""
    entry, code = gone.entry, context.code
    edits: list[Edit] = [code.replace(node.attr, entry["new"])]
    safety = _safety(context, gone)
    if "arguments" in entry:
        if call is None:
            return
        mapped = _arguments(context, gone, call)
        if mapped is None:
            return
        edits += mapped
        counted = {*entry.get("counts_samples", ())}
        if any(a.keyword is not None and a.keyword.value in counted for a in call.args):
            safety = Applicability.DISPLAY  # steps are batches; how large one is, is not known
    yield Fix("rename", f"write `.{entry['new']}(...)`", safety, tuple(edits))


def _arguments(context: Context, gone: Gone, call: cst.Call) -> list[Edit] | None:
    """Edits that give a call the arguments of the new method; None where that is not certain."""
    entry, code = gone.entry, context.code
    if any(argument.star for argument in call.args):
        return None
    members = context.releases.class_members(gone.place) or {}
    accepted = {p.name for p in keras_api.parameters_of(members[entry["new"]].lstrip("(~!"))}
    names = [p.name for p in gone.parameters]
    of_keras_1 = {*entry["renamed"]} - {names[0]}
    old = any(a.keyword is not None and a.keyword.value in of_keras_1 for a in call.args)
    edits: list[Edit] = []
    for index, argument in enumerate(call.args):
        written = argument.keyword.value if argument.keyword is not None else None
        if written is None and index and (old or index >= _SETTLED):
            return None  # the releases differ in what stands there
        name = written or names[index]
        name = entry["renamed"].get(name, name)
        if name not in accepted:
            removed = _removed(code, call, index) if name in entry["dropped"] else None
            if removed is None:
                return None
            edits.append(removed)
        elif written is None and index:
            edits.append(_insert_before(code, argument.value, f"{name}="))
        elif argument.keyword is not None and name != written:
            edits.append(code.replace(argument.keyword, name))
    return edits


_SETTLED = 7
"""From this position on the generator methods of several releases have other parameters."""


def _insert_before(code: Code, node: cst.CSTNode, text: str) -> Edit:
    start, _ = code.span(node)
    one = code.program.snippet_of(node).snippet
    return one.edit(start, start, text)


def _removed(code: Code, call: cst.Call, index: int) -> Edit | None:
    """Remove an argument and the comma before it; None where a comment goes with it."""
    if index == 0:
        return None
    _, start = code.span(call.args[index - 1].value)
    _, end = code.span(call.args[index].value)
    if "#" in code.source(call)[start:end]:
        return None
    return code.program.snippet_of(call).snippet.edit(start, end, "")


def _instead_of_call(
    context: Context, node: cst.Attribute, gone: Gone, call: cst.Call
) -> Iterator[Fix]:
    """An expression in the place of the call."""
    entry, code = gone.entry, context.code
    given = [code.text(a.value) for a in call.args if a.keyword is None and not a.star]
    wanted = 1 if "argument" in entry or "{0}" in entry["template"] else 0
    if len(call.args) != wanted or len(given) != wanted or not isinstance(node.value, _SIMPLE):
        return
    if given and given[0] != entry.get("argument", given[0]):
        return
    text = entry["template"].format(*given, owner=code.text(node.value))
    kept = call.args[0].value if "{0}" in entry["template"] else node.value
    if not code.comments_lost(call, kept):
        title = f"write `{' '.join(text.split())}`"
        yield Fix("rename", title, _safety(context, gone), (code.replace(call, text),))


def _classes(code: Code, node: cst.Attribute, call: cst.Call, head: str | None) -> Iterator[Fix]:
    """``predict_classes``: the largest of several probabilities, or one above one half."""
    _, end = code.span(call)
    start, _ = code.span(call)
    one = code.program.snippet_of(call).snippet
    renamed = code.replace(node.attr, "predict")
    argmax = Fix(
        "argmax",
        "take the most probable of several classes",
        Applicability.SAFE if head == "argmax" else Applicability.DISPLAY,
        (renamed, one.edit(end, end, ".argmax(axis=-1)")),
    )
    threshold = Fix(
        "threshold",
        "compare the one probability with one half",
        Applicability.SAFE if head == "threshold" else Applicability.DISPLAY,
        (one.edit(start, start, "("), renamed, one.edit(end, end, ' > 0.5).astype("int32")')),
    )
    known = {"argmax": (argmax,), "threshold": (threshold,)}
    yield from known.get(head or "", (argmax, threshold))


def _named(code: Code, node: cst.Attribute, gone: Gone, call: cst.Call) -> Iterator[Fix]:
    """A method whose arguments stand in another order now: all by name."""
    order: list[str] = gone.entry["order"]
    plain = [a for a in call.args if a.keyword is None]
    if len(plain) > len(order) or any(argument.star for argument in call.args):
        return
    edits = [code.replace(node.attr, gone.entry["new"])]
    for name, argument in zip(order, plain, strict=False):
        edits.append(_insert_before(code, argument.value, f"{name}="))
    new = gone.entry["new"]
    yield Fix("rename", f"write `.{new}(name=...)`", Applicability.SAFE, tuple(edits))


def _states(code: Code, node: cst.Attribute, call: cst.Call) -> Iterator[Fix]:
    """``model.reset_states()``: what it did, layer by layer."""
    statement = code.small_statement(call)
    if call.args or not isinstance(statement, cst.Expr) or statement.value is not call:
        return
    owner = code.text(node.value)
    layer = code.fresh("layer", code.module(call))
    lines = [
        f"for {layer} in {owner}.layers:",
        f'    if getattr({layer}, "stateful", False) and hasattr({layer}, "reset_states"):',
        f"        {layer}.reset_states()",
    ]
    edit = _statements(code, statement, lines)
    if edit is not None:
        yield Fix("layers", "reset the layers one by one", Applicability.SAFE, (edit,))


def _minimize(code: Code, node: cst.Attribute, call: cst.Call) -> Iterator[Fix]:
    """``optimizer.minimize(loss, variables, tape=tape)``."""
    statement = code.small_statement(call)
    given = _by_name(call, ("loss", "var_list"), ("tape",))
    if not isinstance(statement, cst.Expr) or statement.value is not call or given is None:
        return
    if set(given) != {"loss", "var_list", "tape"}:
        return
    if not all(isinstance(one, (cst.Name, cst.Attribute)) for one in given.values()):
        return
    loss, variables, tape = (code.text(given[name]) for name in ("loss", "var_list", "tape"))
    name = code.fresh("gradients", code.module(call))
    lines = [
        f"{name} = {tape}.gradient({loss}, {variables})",
        f"{code.text(node.value)}.apply_gradients(zip({name}, {variables}))",
    ]
    edit = _statements(code, statement, lines)
    if edit is not None:
        yield Fix("gradients", "take the gradients and apply them", Applicability.SAFE, (edit,))


def _update(code: Code, call: cst.Call) -> Iterator[Fix]:
    """``self.add_update(variable.assign(x))``: the assignment itself."""
    statement = code.small_statement(call)
    values = [a.value for a in call.args if a.keyword is None or a.keyword.value == "updates"]
    if not isinstance(statement, cst.Expr) or statement.value is not call or len(values) != 1:
        return
    (value,) = values
    updates: Sequence[cst.BaseExpression] = (value,)
    if isinstance(value, (cst.List, cst.Tuple)):
        updates = [element.value for element in value.elements]
    if updates and all(isinstance(one, cst.Call) for one in updates):
        edit = _statements(code, statement, [code.text(one) for one in updates])
        if edit is not None:
            yield Fix("assign", "assign the variable", Applicability.SAFE, (edit,))


def _by_name(
    call: cst.Call, positional: tuple[str, ...], keywords: tuple[str, ...]
) -> dict[str, cst.BaseExpression] | None:
    """The arguments of a call by name; None where there are others."""
    found: dict[str, cst.BaseExpression] = {}
    for index, argument in enumerate(call.args):
        name = argument.keyword.value if argument.keyword is not None else None
        if argument.star or (name is None and index >= len(positional)):
            return None
        name = name or positional[index]
        if name not in (*positional, *keywords):
            return None
        found[name] = argument.value
    return found


def _statements(code: Code, statement: cst.BaseSmallStatement, lines: list[str]) -> Edit | None:
    """Several lines in the place of a statement that has its line to itself."""
    line = code.program.parent(statement)
    if not isinstance(line, cst.SimpleStatementLine) or len(line.body) != 1:
        return None
    if any(code.comments(statement)) or not code.has_own_line(statement):
        return None
    start, _ = code.program.local_span(statement)
    source = code.source(statement)
    indent = source[source.rfind("\n", 0, start) + 1 : start]
    return code.replace(statement, f"\n{indent}".join(lines))
