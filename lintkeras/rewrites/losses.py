"""Other losses: edits that keep the spelling of the program, its imports and its names."""

from __future__ import annotations

import libcst as cst

from lintkeras.findings import Edit
from lintkeras.meaning.outputs import Loss
from lintkeras.meaning.values import Computed, Instance, Symbol
from lintkeras.rewrites.arguments import leave_out
from lintkeras.rewrites.code import Code, target_of
from lintkeras.rewrites.imports import insert, reach
from lintkeras.rewrites.outputs import Edits, in_this_file, named

_CLASSES = {
    "binary_crossentropy": "BinaryCrossentropy",
    "categorical_crossentropy": "CategoricalCrossentropy",
    "sparse_categorical_crossentropy": "SparseCategoricalCrossentropy",
    "binary_focal_crossentropy": "BinaryFocalCrossentropy",
    "categorical_focal_crossentropy": "CategoricalFocalCrossentropy",
}
_COMMON = frozenset({"from_logits", "label_smoothing", "axis", "reduction", "name", "dtype",
                     "gamma"})  # fmt: skip
"""Arguments that mean the same in all of them that have them; the sparse one has fewer."""


@in_this_file
def with_loss(
    code: Code,
    node: cst.BaseExpression | None,
    loss: Loss,
    name: str,
    *,
    from_logits: bool | None = None,
) -> Edits:
    """Write another loss in the place of one; ``from_logits`` None leaves that as it is.

    None where that is not plain to do.
    """
    value = loss.value
    flag = None if from_logits == loss.from_logits else from_logits
    if isinstance(value, Instance):
        return _of_object(code, value.node, loss, name, flag)
    if isinstance(value, Computed):
        match value.function, value.node:
            case Instance(node=made), _:
                return _of_object(code, made, loss, name, flag)
            case Symbol(), cst.Call() as call:
                return _of_call(code, call, loss, name, flag)
        return None
    if isinstance(node, cst.Name) and not isinstance(value, Symbol):
        node = _only_value(code, node)
    if isinstance(node, cst.SimpleString):
        if flag is True:
            return _as_object(code, node, f"{_root(code)}.losses", name)
        return named(code, node, name)
    if isinstance(value, Symbol) and node is not None:
        if flag is True:
            return _as_object(code, node, value.path.rpartition(".")[0], name)
        return _renamed(code, node, name)
    return None


def _only_value(code: Code, node: cst.Name) -> cst.BaseExpression | None:
    """The value of a variable that has one, and is read in one place: there it can be changed."""
    variable = code.names.variable(node)
    if variable is None or len(variable.stores) != 1 or len(variable.loads) != 1:
        return None
    statement = code.small_statement(variable.stores[0])
    given = target_of(statement) if statement is not None else None
    if given is None or given[0] is not variable.stores[0]:
        return None
    return given[1]


def _of_object(
    code: Code, call: cst.Call | None, loss: Loss, name: str, flag: bool | None
) -> Edits:
    """``keras.losses.BinaryCrossentropy(...)`` made another class, or told of other values."""
    if call is None:
        return None
    edits: Edits = []
    if name != loss.name:
        keywords = {a.keyword.value for a in call.args if a.keyword is not None}
        plain = [a for a in call.args if a.keyword is None]
        if name not in _CLASSES or plain or not keywords <= _COMMON:
            return None
        edits = _renamed(code, call.func, _CLASSES[name])
    told = [] if flag is None else _flag(code, call, flag, 0)
    return None if edits is None or told is None else [*edits, *told]


def _of_call(code: Code, call: cst.Call, loss: Loss, name: str, flag: bool | None) -> Edits:
    """``keras.losses.binary_crossentropy(y, p)`` made another function, or told of other values."""
    if not loss.of_keras:
        return None
    edits = [] if name == loss.name else _renamed(code, call.func, name)
    told = [] if flag is None else _flag(code, call, flag, 2)
    return None if edits is None or told is None else [*edits, *told]


def _flag(code: Code, call: cst.Call, wanted: bool, position: int) -> Edits:
    """``from_logits=`` of a loss; ``position`` is how many arguments stand before it."""
    given = next(
        (a for a in call.args if a.keyword is not None and a.keyword.value == "from_logits"), None
    )
    plain = [a for a in call.args if a.keyword is None]
    if given is None and len(plain) == position + 1:
        given = plain[position]
    if given is None:
        if len(plain) > position:
            return None
        return [code.add_argument(call, "from_logits=True")] if wanted else []
    if not wanted:
        edit = leave_out(code, call, given)
        return None if edit is None else [edit]
    return [code.replace(given.value, "True")]


def _as_object(code: Code, node: cst.BaseExpression, module: str, name: str) -> Edits:
    """``keras.losses.X(from_logits=True)`` in the place of a string or a function."""
    cls = _CLASSES.get(name)
    if cls is None:
        return None
    if isinstance(node, cst.Attribute) and module.endswith(".losses"):
        return [code.replace(node.attr, f"{cls}(from_logits=True)")]
    top = code.program.top_level_statement(node)
    found = reach(code, module, top)
    edits = insert(code, top, [], [found.missing]) if found.missing else []
    return [*edits, code.replace(node, f"{found.expression}.{cls}(from_logits=True)")]


def _root(code: Code) -> str:
    """The Keras that a program uses: ``tensorflow.keras`` where it knows only that one."""
    flavours = {v.flavour for v in code.facts.names.values() if isinstance(v, Symbol)}
    if "keras" in flavours:
        return "keras"
    return "tf_keras" if "tf_keras" in flavours else "tensorflow.keras"


def _renamed(code: Code, node: cst.BaseExpression, name: str) -> Edits:
    """Another thing of the same module in the place of one; its import follows."""
    if isinstance(node, cst.Attribute):
        return [code.replace(node.attr, name)]
    if not isinstance(node, cst.Name):
        return None
    variable, symbol = code.names.variable(node), code.symbol(node)
    if variable is None or symbol is None or len(variable.stores) != 1:
        return None
    alias = code.program.parent(variable.stores[0])
    if not isinstance(alias, cst.ImportAlias) or alias.asname is not None:
        return None
    use = code.replace(node, name)
    if code.names.find(name) is not None:
        held = code.facts.names.get(name)
        same_module = isinstance(held, Symbol) and held.path == _beside(symbol, name)
        return [use] if same_module else None
    if len(variable.loads) == 1:
        return [use, code.replace(alias.name, name)]
    top = code.program.top_level_statement(node)
    module = symbol.path.rpartition(".")[0]
    added: list[Edit] = insert(code, top, [], [f"from {module} import {name}"])
    return [*added, use]


def _beside(symbol: Symbol, name: str) -> str:
    return f"{symbol.path.rpartition('.')[0]}.{name}"
