"""NumPy where tensors have no numbers yet: in functions that are traced into a graph."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from collections.abc import Sequence as Seq

import libcst as cst

from lintkeras.checks.graphs import eager_on_purpose, is_given_arrays, is_used_in_graph
from lintkeras.checks.passes import fails_on_purpose, head, known_pairs, named, passes
from lintkeras.checks.registry import Context, check
from lintkeras.findings import Finding, Note, Severity
from lintkeras.meaning.backends import other_backends
from lintkeras.meaning.facts import BackwardPass, Operation
from lintkeras.meaning.nests import holds_tensor
from lintkeras.meaning.outline import own_nodes
from lintkeras.meaning.values import Computed, Member, Symbol, Value
from lintkeras.rewrites.custom_gradients import with_tensors

_OF_TYPES = frozenset({
    "shape", "ndim", "dtype", "finfo", "iinfo", "issubdtype", "result_type", "promote_types",
    "can_cast", "isscalar", "iterable", "testing",
})  # fmt: skip
"""The functions of NumPy that do not ask a tensor for its numbers."""


@check("LK124")
def custom_gradient_numpy(context: Context) -> Iterator[Finding]:
    """NumPy is applied to tensors in a function under a custom gradient, or in its grad."""
    groups = list(passes(context))
    if not groups or eager_on_purpose(context) or other_backends(context.program.nodes):
        return
    reported: set[cst.CSTNode] = set()
    operations = {
        group[0].node: [one.term for one in group] for group in context.facts.groups(Operation)
    }
    for group in groups:
        if is_given_arrays(context, group[0].node) or fails_on_purpose(context, group[0]):
            continue
        places = [dict(_on_arrays(context, one, operations)) for one in group]
        for place, tensor in places[0].items():
            if place not in reported and all(place in others for others in places):
                reported.add(place)
                yield _array_finding(context, group[0], place, tensor)


def _array_finding(
    context: Context, one: BackwardPass, place: cst.Call, tensor: cst.BaseExpression
) -> Finding:
    program = context.program
    function, given = (" ".join(program.text(node).split()) for node in (place.func, tensor))
    if function == f"{given}.numpy":
        message = f"`{function}()` asks a tensor for its numbers in {named(one.summary)}"
        error = "AttributeError: 'SymbolicTensor' object has no attribute 'numpy'"
    else:
        message = f"`{function}` is applied to the tensor `{given}` in {named(one.summary)}"
        error = "NotImplementedError: Cannot convert a symbolic tf.Tensor to a numpy array"
    traced = is_used_in_graph(context, one.node)
    return Finding(
        "LK124",
        program.span(place),
        f"{message}, which fails in a graph",
        severity=None if traced else Severity.WARNING,
        label="while a graph is traced this tensor has no numbers",
        notes=(
            Note("effect", f"works eagerly; under tf.function and in fit() {error}"),
            Note("note", "write it with TensorFlow's own functions"),
        ),
        related=context.related((head(one.summary), "has a custom gradient")),
        fixes=context.fixes(with_tensors, context.code, one, place),
    )


def _on_arrays(
    context: Context, one: BackwardPass, operations: Mapping[cst.CSTNode, Seq[Computed]]
) -> Iterator[tuple[cst.Call, cst.BaseExpression]]:
    """The calls of NumPy that are given a tensor, with that tensor, in both passes of a function.

    Tensors are the inputs (those with a default may be left out, and stay numbers), the upstream
    gradients, and what is computed from them.
    """
    summaries = [one.summary, *(grad for _, grad in known_pairs(context, one) or ())]
    tensors = frozenset(
        summary.parameter(parameter.name.value)
        for summary in summaries
        for parameter in summary.inputs
        if parameter.default is None
    )
    for summary in summaries:
        for node in own_nodes(summary.node):
            terms = operations.get(node)
            if isinstance(node, cst.Call) and terms:
                given = {_array_argument(term, node, tensors) for term in terms}
                argument = given.pop()
                if argument is not None and not given:
                    yield node, argument


def _array_argument(
    term: Computed, node: cst.Call, tensors: frozenset[Value]
) -> cst.BaseExpression | None:
    """The tensor that a function of NumPy is applied to."""
    match term.function:
        case Member(of=of, name="numpy") if isinstance(node.func, cst.Attribute):
            return node.func.value if holds_tensor(of, tensors) else None
        case Symbol() as symbol if symbol.name.startswith("numpy."):
            if symbol.name.rpartition(".")[2] in _OF_TYPES or symbol.name.count(".") > 2:
                return None
            plain = [a for a in node.args if not a.star and a.keyword is None]
            for argument, value in zip(plain, term.arguments.positional, strict=False):
                if holds_tensor(value, tensors):
                    return argument.value
    return None
