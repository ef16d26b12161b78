"""Putting the name of an activation where the code says which one is applied."""

from __future__ import annotations

import libcst as cst

from lintkeras.findings import Edit
from lintkeras.meaning.values import Symbol
from lintkeras.rewrites.activations import Form, Spelling
from lintkeras.rewrites.code import Code
from lintkeras.rewrites.places import Place


def give(code: Code, place: Place, name: str, form: Form, spelling: Spelling) -> list[Edit] | None:
    """The edits that put the activation's name in its place."""
    match place.kind:
        case "argument":
            if place.argument is not None:
                return [code.replace(place.argument, name)]
            if any(argument.star for argument in place.node.args):
                return None  # it may be given among them
            return [code.add_argument(place.node, f"activation={name}")]
        case "layer":
            return _as_activation_layer(code, place.node, name, spelling)
        case _:
            if place.symbolic and form == "custom-gradient":
                return [
                    code.replace(place.node.func, f"{spelling.keras}.layers.Activation({name})")
                ]
            return [code.replace(place.node.func, name)]


def _as_activation_layer(
    code: Code, node: cst.Call, name: str, spelling: Spelling
) -> list[Edit] | None:
    """``ReLU()`` becomes ``Activation(name)``."""
    arguments = ", ".join([name, *(code.program.text(argument) for argument in node.args)])
    match node.func:
        case cst.Attribute(value=owner):
            return [code.replace(node, f"{code.text(owner)}.Activation({arguments})")]
        case cst.Name() as function:
            held = code.facts.names.get("Activation")
            if isinstance(held, Symbol) and held.name == "keras.layers.Activation":
                return [code.replace(node, f"Activation({arguments})")]
            variable = code.names.variable(function)
            alias = code.program.parent(variable.stores[0]) if variable is not None else None
            once = variable is not None and len(variable.stores) == len(variable.loads) == 1
            if once and isinstance(alias, cst.ImportAlias) and alias.asname is None:
                if "Activation" not in code.names.all:
                    return [
                        _imported_instead(code, alias, "Activation"),
                        code.replace(node, f"Activation({arguments})"),
                    ]
            return [code.replace(node, f"{spelling.keras}.layers.Activation({arguments})")]
    return None


def _imported_instead(code: Code, alias: cst.ImportAlias, name: str) -> Edit:
    """Import another name; names that were sorted stay so."""
    statement = code.program.parent(alias)
    match statement:
        case cst.ImportFrom(names=[*aliases], lpar=None) if not any(one.asname for one in aliases):
            written = [one.evaluated_name for one in aliases]
            if written == sorted(written):
                new = sorted({*written, name} - {alias.evaluated_name})
                return code.replace_all([one.name for one in aliases], ", ".join(new))
    return code.replace(alias.name, name)
