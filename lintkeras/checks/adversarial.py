"""Two models that are trained in turns, one of them inside the other."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from lintkeras.checks.fallbacks import is_guarded
from lintkeras.checks.registry import Context, check
from lintkeras.findings import Applicability, Edit, Finding, Fix, Note
from lintkeras.keras_api.releases import place_of
from lintkeras.meaning.facts import ModelTrained
from lintkeras.meaning.kinds import class_of, is_model
from lintkeras.meaning.values import Computed, Value, walk

_MATH = Note(
    "math",
    "Keras 3 makes the training step at the first training, for the weights that are trainable "
    "then: none. Up to Keras 2.15 compile() had settled which these are",
)


@check("LK416")
def frozen_discriminator(context: Context) -> Iterator[Finding]:
    """A model that is compiled, frozen for another one, and then trained on its own."""
    groups = list(context.facts.groups(ModelTrained))
    for group in groups:
        fact = group[0]
        cls = class_of(fact.model)
        place = place_of(cls.path) if cls is not None and is_model(fact.model) else None
        if place is None or not context.releases.is_keras_3(place):
            continue
        if not all(one.frozen_since and one.model == fact.model for one in group):
            continue
        if any(is_guarded(context, one.node, one.tests) for one in group):
            continue
        if not context.program.owns(fact.node):
            continue
        around = [other for other in groups if all(_holds(one, fact.model) for one in other)]
        if not around:
            continue
        func = fact.node.func
        name = context.code.shown(func.value) if isinstance(func, cst.Attribute) else "the model"
        yield Finding(
            "LK416",
            context.program.span(fact.node),
            f"`{name}` was frozen after compile() and before its first training: in "
            f"{context.releases.shown(place)} `{fact.method}` trains nothing of it; set "
            f"`{name}.trainable` to True around its own training",
            notes=(_MATH,),
            related=context.related(
                *(
                    (one[0].node, "the model that it was frozen for is trained here")
                    for one in around
                )
            ),
            fixes=context.fixes(_fixes, context, fact, around),
        )


def _holds(trained: ModelTrained, model: Value) -> bool:
    """Whether what is trained computes its output with another model."""
    if trained.model == model or trained.output is None or trained.compiled is None:
        return False
    return any(
        isinstance(part, Computed) and part.function == model for part in walk(trained.output)
    )


def _fixes(context: Context, fact: ModelTrained, around: list[list[ModelTrained]]) -> Iterator[Fix]:
    """``trainable`` set before each training, as Keras 3 reads it at the first of each."""
    code, node = context.code, fact.node
    function = context.program.enclosing_function(node)
    if not isinstance(node.func, cst.Attribute) or not isinstance(
        node.func.value, (cst.Name, cst.Attribute)
    ):
        return
    name = code.text(node.func.value)
    own = _edit(context, node, f"{name}.trainable = True")
    edits: list[Edit | None] = [own]
    blocks = set()
    for group in around:
        if context.program.enclosing_function(group[0].node) is not function:
            return
        statement = context.program.statement(group[0].node)
        block = context.program.parent(statement) if statement is not None else None
        if block not in blocks:
            blocks.add(block)
            edits.append(_edit(context, group[0].node, f"{name}.trainable = False"))
    found = [edit for edit in edits if edit is not None]
    if len(found) == len(edits):
        yield Fix(
            "toggle",
            f"set `{name}.trainable` before each training",
            Applicability.UNSAFE,
            tuple(found),
        )


def _edit(context: Context, node: cst.Call, text: str) -> Edit | None:
    """A line above the statement of a call."""
    statement = context.program.statement(node)
    if not isinstance(statement, cst.SimpleStatementLine) or not context.code.has_own_line(
        statement
    ):
        return None
    line = context.code.first_line(statement)
    source = context.code.source(statement)
    start, _ = context.program.local_span(statement)
    indent = source[source.rfind("\n", 0, start) + 1 : start]
    snippet = context.program.snippet_of(statement).snippet
    return snippet.edit(line, line, f"{indent}{text}\n")
