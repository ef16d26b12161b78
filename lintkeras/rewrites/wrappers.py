"""LK134's fix: a plain registered function around a custom_gradient object."""

from __future__ import annotations

import libcst as cst

from lintkeras.findings import Applicability, Fix
from lintkeras.meaning.facts import ActivationUse, Facts
from lintkeras.meaning.values import Symbol
from lintkeras.rewrites.activations import unique_name
from lintkeras.rewrites.derivatives import insert_above, name_of
from lintkeras.syntax.program import Program


def wrap(program: Program, facts: Facts, use: ActivationUse) -> tuple[Fix, ...]:
    """Give the layer a plain function; run-time behaviour stays as it is."""
    if not isinstance(use.node, cst.Name) or not isinstance(use.layer.cls, Symbol):
        return ()
    if facts.names.get(use.node.value) != use.activation:
        return ()
    keras = name_of(facts, "keras") if use.layer.cls.flavour == "keras" else None
    for module, suffix in (("tensorflow", ".keras"), ("tensorflow.keras", "")):
        found = name_of(facts, module)
        if keras is None and found is not None and use.layer.cls.flavour == "tf.keras":
            keras = found + suffix
    if keras is None:
        return ()
    name = unique_name(f"{use.node.value}_activation", facts.names.keys())
    text = (
        f'@{keras}.utils.register_keras_serializable(package="custom")\n'
        f"def {name}(z):\n"
        f"    return {use.node.value}(z)  # a plain function: a bare custom_gradient cannot be loaded\n"
        "\n\n"
    )
    edits = (
        insert_above(program, program.top_level_statement(use.node), text),
        program.replace(use.node, name),
    )
    return (Fix("wrapper", f"give the layer a plain function, {name}", Applicability.SAFE, edits),)
