"""Functions with a backward pass of their own: what ``tf.custom_gradient`` asks of them."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from lintkeras.checks.passes import (
    calls,
    fails_on_purpose,
    head,
    known_pairs,
    named,
    named_grad,
    passes,
)
from lintkeras.checks.registry import Context, check
from lintkeras.findings import Finding, Note
from lintkeras.meaning.backends import other_backends
from lintkeras.meaning.facts import (
    BackwardPass,
    FunctionSummary,
)
from lintkeras.meaning.library.backward import VARIABLES
from lintkeras.meaning.nests import (
    depends,
    flat_size,
    is_one_tensor,
    is_zero,
    keeps_entries,
    library_name,
)
from lintkeras.meaning.outline import (
    all_parameters,
    names_read,
    own_nodes,
    positional_parameters,
    returned,
)
from lintkeras.meaning.training import LAYERS_WITH_WEIGHTS, VARIABLE_CLASSES, freezes
from lintkeras.meaning.values import (
    NONE,
    UNKNOWN,
    Computed,
    Const,
    CustomGradient,
    Either,
    Function,
    Instance,
    Member,
    Method,
    Sequence,
    Value,
    Weight,
    alternatives,
    walk,
)
from lintkeras.rewrites.terms import written

_KERNELS = frozenset({"kernel", "depthwise_kernel", "pointwise_kernel", "embeddings"})


def _count(number: int, noun: str) -> str:
    return f"{number or 'no'} {noun}{'' if number == 1 else 's'}"


def _upstreams(grad: FunctionSummary) -> tuple[cst.Param, ...]:
    """The parameters that get an upstream gradient by position."""
    return tuple(p for p in grad.inputs if p.name.value != VARIABLES)


def _takes_variables(grad: FunctionSummary) -> bool:
    params = grad.node.params
    named = any(p.name.value == VARIABLES for p in all_parameters(params))
    return named or params.star_kwarg is not None


@check("LK121")
def custom_gradient_arity(context: Context) -> Iterator[Finding]:
    """the grad function gives or takes another number of gradients than there are tensors."""
    for group in passes(context):
        found = [_wrong_arity(context, one) for one in group]
        if (
            all(found)
            and not fails_on_purpose(context, group[0])
            and (finding := found[0]) is not None
        ):
            yield finding


def _wrong_arity(context: Context, one: BackwardPass) -> Finding | None:
    pairs = known_pairs(context, one)
    if pairs is None:
        return None
    wanted = [_wrong_parameters(context, one, value, grad) for value, grad in pairs]
    if all(wanted):
        return wanted[0]
    given = [_wrong_returns(context, one, grad) for _, grad in pairs]
    if not all(given) or _unannounced(context, one) is not None:
        return None  # with the variables another number is right: LK122
    return given[0]


def _wrong_parameters(
    context: Context, one: BackwardPass, value: Value, grad: FunctionSummary
) -> Finding | None:
    """The grad function cannot be called with one upstream gradient for each output."""
    params = grad.node.params
    decorator = one.gradient.decorator
    if decorator.name.startswith("keras.") or isinstance(params.star_arg, cst.Param):
        return None  # what keras.ops hands over depends on the backend
    takes = _upstreams(grad)
    required = [p for p in takes if p.default is None]
    gets = flat_size(value)
    if takes and (gets is None or len(required) <= gets <= len(takes)):
        return None
    outputs = _count(gets, "output") if gets is not None else "one or more outputs"
    return Finding(
        "LK121",
        context.program.span(head(grad)),
        f"{named_grad(grad)} takes {_count(len(takes), 'upstream gradient')}, but "
        f"{named(one.summary)} has {outputs}",
        label="is called with one upstream gradient for each output",
        notes=(Note("effect", "back-propagation stops with TypeError: wrong number of arguments"),),
        related=context.related((head(one.summary), "has its gradient from here")),
    )


def _wrong_returns(context: Context, one: BackwardPass, grad: FunctionSummary) -> Finding | None:
    """The grad function returns another number of gradients than the function has inputs."""
    params = one.node.params
    if _takes_variables(grad) or isinstance(params.star_arg, cst.Param) or not grad.results:
        return None
    inputs = one.inputs
    least = len([p for p in inputs if p.default is None])
    if any(
        call.arguments.keywords or not call.arguments.complete for call in calls(context, one.node)
    ):
        return None  # eagerly, a tensor given by keyword is owed no gradient
    upstream = frozenset(value for name, value in grad.parameters if name != VARIABLES)
    sizes = {flat_size(result, upstream.__contains__) for result in grad.results}
    if None in sizes or any(least <= size <= len(inputs) for size in sizes if size is not None):
        return None
    size = min(size for size in sizes if size is not None)
    if size > len(inputs) and not all(_is_tensor(one, p) for p in inputs):
        return None
    names = ", ".join(f"`{p.name.value}`" for p in inputs)
    return Finding(
        "LK121",
        context.program.span((*returned(grad.node), grad.node)[0]),
        f"{named_grad(grad)} returns {_count(size, 'gradient')}, but {named(one.summary)} has "
        f"{_count(len(inputs), 'input')}" + (f": {names}" if names else ""),
        label="one gradient is owed for each input, None where there is none",
        notes=(
            Note(
                "effect",
                f"ValueError: custom_gradient function expected to return {len(inputs)} gradients, "
                f"but returned {size} instead (InternalError inside a tf.function)",
            ),
        ),
        related=context.related((head(one.summary), _count(len(inputs), "input"))),
    )


def _is_tensor(one: BackwardPass, parameter: cst.Param) -> bool:
    """Whether the function uses an input as a single tensor."""
    value = one.summary.parameter(parameter.name.value)
    return is_one_tensor(value, [pair[0] for pair in one.pairs if pair is not None])


@check("LK122")
def custom_gradient_variables(context: Context) -> Iterator[Finding]:
    """a variable is read in the forward pass, the grad function has no ``variables``."""
    groups = list(passes(context))
    if not groups or freezes(context.program.modules):
        return
    for group in groups:
        found = [_unannounced(context, one) for one in group]
        if (
            all(found)
            and not fails_on_purpose(context, group[0])
            and (finding := found[0]) is not None
        ):
            yield finding


def _unannounced(context: Context, one: BackwardPass) -> Finding | None:
    pairs = known_pairs(context, one)
    if pairs is None or any(_takes_variables(grad) for _, grad in pairs):
        return None
    if one.gradient.decorator.name.startswith("keras.") and other_backends(context.program.nodes):
        return None
    reads = [read for value, grad in pairs for read in _reads(context, one, grad, value)]
    if not reads:
        return None
    operation, variable = reads[0]
    grad = pairs[0][1]
    upstream = ", ".join(p.name.value for p in _upstreams(grad)) or "upstream"
    name = _variable_name(context, operation, variable)
    places: list[tuple[cst.CSTNode, str]] = [(head(grad), "takes no `variables`")]
    made = _made_by(variable)
    if made is not None:
        places.append((made, "made here"))
    return Finding(
        "LK122",
        context.program.span(operation.node),
        f"{named(one.summary)} reads {name}, but {named_grad(grad)} takes no `variables`",
        label="a trainable variable is read here",
        notes=(
            Note(
                "effect",
                "TypeError: @tf.custom_gradient grad_fn must accept keyword argument 'variables', "
                "since function uses variables",
            ),
            Note(
                "note",
                f"write `def grad({upstream}, variables=None)` and return the gradients of the "
                "inputs and, as a second value, a list with one gradient for each variable; or "
                "give the variable to the function as one more input",
            ),
        ),
        related=context.related(*places),
    )


def _reads(
    context: Context, one: BackwardPass, grad: FunctionSummary, value: Value
) -> Iterator[tuple[Computed, Value]]:
    """The operations of the forward pass that certainly read a trainable variable."""
    for part in walk(value):
        if not isinstance(part, Computed):
            continue
        operands = [part.function, *part.arguments.positional]
        variable = next((v for v in operands if not isinstance(v, str) and _trains(v)), None)
        if variable is not None:
            around = list(context.program.ancestors(part.node))
            if one.node in around and grad.node not in around:
                yield part, variable


def _trains(value: Value) -> bool:
    """Whether a value is a trainable variable, or a layer that certainly has one."""
    match value:
        case Weight(owner=Instance() as owner, attribute="add_weight", trainable=trainable):
            return trainable is True and any(b.startswith("keras.") for b in owner.library_bases())
        case Instance(arguments=arguments) if _is_layer(value) or _is_variable(value):
            position = VARIABLE_CLASSES.get(value.class_name)
            given = arguments.get("trainable", position)
            bare = any(arguments.get(part) is not None for part in ("center", "scale"))
            return given in (None, NONE, Const(True)) and not bare
        case (
            Member(of=Instance() as owner, name=name)
            | Weight(owner=Instance() as owner, attribute=name)
        ) if name in _KERNELS:
            given = owner.arguments.get("trainable")
            kernel = any(_has_weights(base) for base in owner.library_bases())
            return kernel and given in (None, Const(True))
    return False


def _is_variable(value: Instance) -> bool:
    return value.class_name in VARIABLE_CLASSES


def _is_layer(value: Instance) -> bool:
    return _has_weights(value.class_name)


def _has_weights(class_name: str) -> bool:
    module, _, name = class_name.rpartition(".")
    return module == "keras.layers" and name in LAYERS_WITH_WEIGHTS


def _variable_name(context: Context, operation: Computed, variable: Value) -> str:
    """How an operation writes the variable that it reads, or the layer that it calls."""
    node = written(operation, variable)
    if variable == operation.function and isinstance(operation.node, cst.Call):
        node = operation.node.func
    kind = "layer" if isinstance(variable, Instance) and _is_layer(variable) else "variable"
    if isinstance(node, (cst.Name, cst.Attribute)):
        return f"the {kind} `{context.program.text(node)}`"
    return f"a trainable {kind}"


def _made_by(variable: Value) -> cst.Call | None:
    match variable:
        case Member(of=of) | Weight(owner=of, made_by=None):
            return _made_by(of)
        case Weight(made_by=call):
            return call
        case Instance(node=call):
            return call
    return None


@check("LK123")
def custom_gradient_ignores_upstream(context: Context) -> Iterator[Finding]:
    """the grad function returns a gradient that its upstream gradient takes no part in."""
    for group in passes(context):
        found = [_cut_chain(context, one) for one in group]
        if all(found) and (finding := found[0]) is not None:
            yield finding


def _cut_chain(context: Context, one: BackwardPass) -> Finding | None:
    pairs = known_pairs(context, one)
    if pairs is None or len({grad.node for _, grad in pairs}) > 1:
        return None
    inputs = frozenset(one.summary.parameter(p.name.value) for p in one.inputs)
    if not all(_passes_entries(value, inputs) for value, _ in pairs):
        return None  # a scalar may be the loss itself, and its upstream gradient 1
    if any(_hands_over(value, result, inputs) for value, g in pairs for result in g.results):
        return None
    grad = pairs[0][1]
    upstream = [p for p in all_parameters(grad.node.params) if p.name.value != VARIABLES]
    if bound := len(positional_parameters(grad.node.params)) - len(grad.inputs):
        upstream = upstream[bound:]
    if isinstance(grad.node.params.star_arg, cst.Param):
        upstream.append(grad.node.params.star_arg)
    if not upstream:
        return None  # it cannot even be called: LK121
    if not any(p.name.value in names_read(grad.node.body) for p in upstream):
        if not grad.results or not all(_some_nonzero(result) for result in grad.results):
            return None
        names = ", ".join(f"`{p.name.value}`" for p in upstream)
        return _chain_ends(
            context,
            one,
            upstream[0].name,
            f"{named_grad(grad)} never uses the upstream gradient{'s' if len(upstream) > 1 else ''} "
            f"{names}, so the chain rule ends at {named(one.summary)}",
        )
    given = frozenset(grad.parameter(p.name.value) for p in upstream)
    reads = any(True for value, _ in pairs for _ in _reads(context, one, grad, value))
    for place, of, value in _gradients(one, grad, reads and _takes_variables(grad)):
        if depends(value, given) is False and is_zero(value) is False:
            return _chain_ends(
                context,
                one,
                place,
                f"the gradient that {named_grad(grad)} returns for {of} does not depend on the upstream "
                "gradient",
            )
    return None


def _hands_over(value: Value, result: Value, inputs: frozenset[Value]) -> bool:
    """Whether a function is the identity of one input, with another one for its gradient.

    That is how a gradient that was found elsewhere is put into a model.
    """
    while isinstance(value, Computed) and library_name(value.function) == "identity":
        value = value.arguments.positional[0] if value.arguments.positional else UNKNOWN
    parts = result.content.plain() if isinstance(result, Sequence) else (result,)
    return value in inputs and any(part in inputs - {value} for part in parts or ())


def _gradients(
    one: BackwardPass, grad: FunctionSummary, with_variables: bool
) -> Iterator[tuple[cst.CSTNode, str, Value]]:
    """Where each gradient is returned, what it is for, the gradient.

    ``with_variables`` says that a second value is the list of the variables' gradients.
    """
    places = returned(grad.node)
    if len(grad.results) != 1 or len(places) != 1:
        return
    parts = _parts(places[0], grad.results[0])
    names = [f"`{parameter.name.value}`" for parameter in one.inputs]
    if with_variables:
        if len(parts) != 2:
            return
        (place, first), (other, second) = parts
        for part, value in _parts(other, second):
            yield part, "a variable", value
        parts = _parts(place, first)
    if len(parts) == len(names):
        for (part, value), name in zip(parts, names, strict=True):
            yield part, name, value


def _parts(place: cst.BaseExpression, value: Value) -> list[tuple[cst.BaseExpression, Value]]:
    """The items of a tuple or list with their syntax; any other value is its only part."""
    values = value.content.plain() if isinstance(value, Sequence) else (value,)
    if values is None:
        return []
    if isinstance(place, (cst.Tuple, cst.List)) and len(place.elements) == len(values):
        return [(e.value, v) for e, v in zip(place.elements, values, strict=True)]
    return [(place, one) for one in values]


def _chain_ends(context: Context, one: BackwardPass, place: cst.CSTNode, message: str) -> Finding:
    return Finding(
        "LK123",
        context.program.span(place),
        message,
        label="dL/dy is dropped here",
        notes=(
            Note(
                "math",
                "dL/dx = dL/dy * dy/dx: grad gets dL/dy and must return the product; dy/dx alone "
                "is right only where dL/dy is 1",
            ),
            Note(
                "effect",
                "no error: the layers above, the weights of the losses and loss scaling no longer "
                "count in the gradients of what lies below",
            ),
        ),
        related=context.related((head(one.summary), "its gradient is wrong")),
    )


def _passes_entries(value: Value, inputs: frozenset[Value]) -> bool:
    """Whether entries of an input become entries of the value, one by one or in groups.

    Not so for a sum over all of them, and not known for what is not known.
    """
    if value in inputs:
        return True
    match value:
        case Computed(function=function, arguments=arguments):
            operands = (*arguments.positional, *(v for _, v in arguments.keywords))
            layer = isinstance(function, Instance) and _mixes_entries(function)
            if layer or keeps_entries(function):
                return any(_passes_entries(operand, inputs) for operand in operands)
        case Sequence(content=content):
            return any(_passes_entries(entry.value, inputs) for entry in content.entries)
    return False


def _mixes_entries(layer: Instance) -> bool:
    """Whether a layer of Keras gives more than one number for each example."""
    module, _, name = layer.class_name.rpartition(".")
    return module == "keras.layers" and not name.startswith("Global")


def _some_nonzero(value: Value) -> bool:
    """Whether a returned gradient certainly is something else than zero or None."""
    if isinstance(value, Sequence) and value.content.plain() is not None:
        return any(_some_nonzero(entry.value) for entry in value.content.entries)
    return is_zero(value) is False


@check("LK125")
def custom_gradient_not_a_pair(context: Context) -> Iterator[Finding]:
    """a function under custom_gradient does not return its value and a grad function."""
    for group in passes(context):
        found = [_no_pair(context, one) for one in group]
        if (
            all(found)
            and not fails_on_purpose(context, group[0])
            and (finding := found[0]) is not None
        ):
            yield finding


def _no_pair(context: Context, one: BackwardPass) -> Finding | None:
    reasons = [_why_no_pair(result) for result in one.summary.results]
    if not reasons or any(reason is None for reason in reasons) or _is_sketch(one.node):
        return None
    what, effect = reasons[0] or ("", "")
    places = returned(one.node)
    return Finding(
        "LK125",
        context.program.span(places[0] if places else head(one.summary)),
        f"{named(one.summary)} returns {what}, but custom_gradient needs its value and a grad "
        "function",
        label="value, grad",
        notes=(
            Note("effect", effect),
            Note(
                "note",
                "write `def grad(upstream)` inside, which returns upstream times the derivative, "
                "and `return value, grad`",
            ),
        ),
        related=context.related((head(one.summary), "has a custom gradient")),
    )


_FUNCTIONS = (Function, Method, CustomGradient)
_UNPACKED = "the first call raises: `result, grad_fn = f(...)` cannot be unpacked"
_NO_FUNCTION = "the first call raises TypeError: unsupported callable"


def _why_no_pair(result: Value) -> tuple[str, str] | None:
    """What a result is and what comes of it, where it is no pair of a value and a function."""
    match result:
        case Either(values=values):
            reasons = [_why_no_pair(value) for value in values]
            return reasons[0] if all(reasons) else None
        case Const(value=None):
            return "nothing", "the first call raises TypeError: cannot unpack NoneType"
        case Function() | Method() | CustomGradient():
            return "only a function", _UNPACKED
        case Sequence(kind="tuple" | "list", content=content):
            plain = content.plain()
            if plain is None:
                return None
            if len(plain) != 2:
                return _count(len(plain), "value"), _UNPACKED
            if flat_size(plain[1]) is None or _may_be_function(plain[1]):
                return None
            if isinstance(plain[0], Function):
                return "its grad function first", _NO_FUNCTION
            return "two values, the second no function", _NO_FUNCTION
    return ("its value alone", _UNPACKED) if flat_size(result) == 1 else None


def _may_be_function(value: Value) -> bool:
    return any(isinstance(one, _FUNCTIONS) for one in alternatives(value))


def _is_sketch(node: cst.FunctionDef | cst.Lambda) -> bool:
    """Whether a body says that it is not written out: ``...``, ``pass``, a docstring alone."""
    if isinstance(node, cst.Lambda):
        return False
    own = list(own_nodes(node))
    written = any(
        isinstance(n, (cst.BaseSmallStatement, cst.BaseCompoundStatement))
        and not isinstance(n, (cst.Pass, cst.Expr))
        for n in own
    )
    return not written or any(isinstance(n, cst.Ellipsis) for n in own)
