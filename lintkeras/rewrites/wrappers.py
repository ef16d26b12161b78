"""LK134's fix: a plain registered function around a custom_gradient object."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from lintkeras.findings import Applicability, Edit, Fix
from lintkeras.meaning.facts import ActivationUse
from lintkeras.meaning.values import Symbol
from lintkeras.rewrites.code import Code, Insertion
from lintkeras.rewrites.imports import insert, keras


def wrap(code: Code, use: ActivationUse) -> Iterator[Fix]:
    """Give the layer a plain function; run-time behaviour stays as it is."""
    node = use.node
    if not isinstance(node, cst.Name) or not isinstance(use.layer.cls, Symbol):
        return
    variable = code.names.variable(node)
    if variable is None or len(variable.stores) != 1 or variable.deleted:
        return
    top = code.program.top_level_statement(node)
    reached = keras(code, use.layer.cls.flavour, top)
    if code.interactive(top):
        return
    three = use.layer.cls.flavour == "keras" and not code.may_run_on(2)
    register = f"{reached.expression}.{'saving' if three else 'utils'}.register_keras_serializable"
    name = code.unused(f"{node.value}_activation")
    text = (
        f'@{register}(package="custom")\n'
        f"def {name}(z):\n"
        f"    # a plain function: a bare custom_gradient object cannot be loaded again\n"
        f"    return {node.value}(z)\n"
    )
    missing = [reached.missing] if reached.missing is not None else []
    if variable.scope is code.names.module:
        edits = insert(code, top, [text], missing)
        where = ""
    else:
        local = _insert_locally(code, variable.scope.node, node, text)
        if local is None:
            return
        edits = [*insert(code, top, [], missing), local]
        where = f", registered whenever {_name(variable.scope.node)} runs"
    title = f"give the layer a plain function, {name}{where}"
    made = (*edits, code.replace(node, name))
    yield Fix("wrapper", title, Applicability.SAFE, made, group="definitions")


def _insert_locally(
    code: Code, function: cst.CSTNode | None, node: cst.CSTNode, text: str
) -> Edit | None:
    """The function above the statement of ``node``, in the function that knows its name."""
    if not isinstance(function, cst.FunctionDef) or code.function(node) is not function:
        return None
    statement = code.program.statement(node)
    if not isinstance(statement, cst.SimpleStatementLine):
        return None
    if code.program.parent(statement) is not function.body:
        return None
    line = code.first_line(statement)
    start, _ = code.program.local_span(statement)
    indent = code.source(statement)[code.line_start(statement) : start]
    if indent.strip():
        return None
    lines = "".join(f"{indent}{part}\n" for part in text.splitlines())
    before = code.source(statement)[:line].rstrip(" \t")
    gap = "" if before.endswith(("\n\n", ":\n", "\r\n\r\n", ":\r\n")) else "\n"
    return code.insert(Insertion(statement, line, f"{gap}{lines}\n"))


def _name(node: cst.CSTNode | None) -> str:
    return f"`{node.name.value}`" if isinstance(node, cst.FunctionDef) else "it"
