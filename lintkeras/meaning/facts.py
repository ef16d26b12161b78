"""What the interpreter establishes, offered to the checks.

A fact names a place in the code and what holds there. The same place can be reached several times
(a function called from two places): its facts come as a group, and a check speaks only where the
whole group agrees.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

import libcst as cst

from lintkeras.meaning.outline import is_static, positional_parameters
from lintkeras.meaning.outputs import Head, Output
from lintkeras.meaning.values import (
    OPAQUE,
    UNKNOWN,
    Arguments,
    Class,
    Computed,
    Const,
    Content,
    CustomGradient,
    Function,
    GradientCall,
    Instance,
    Member,
    Sequence,
    Symbol,
    Tape,
    Test,
    Value,
)


@dataclass(frozen=True, slots=True)
class Held:
    """A layer, and how many variables it has (None: not known): trainable ones and others."""

    layer: Instance
    trainable: int | None
    others: int | None


@dataclass(frozen=True, slots=True)
class Holding:
    """The layers whose variables an object holds."""

    layers: tuple[Held, ...]
    complete: bool
    """Whether these are all."""
    ordered: bool
    """Whether they stand in the order of the variables."""


@dataclass(frozen=True, slots=True)
class Holdings:
    """What the owners of some variables hold."""

    items: tuple[tuple[Value, Holding], ...] = ()

    def of(self, owner: Value) -> Holding:
        """What an owner holds; nothing that is known where it is none of these."""
        return dict(self.items).get(owner, Holding((), False, False))


_NO_HOLDINGS = Holdings()


@dataclass(frozen=True, slots=True)
class GradientZip:
    """``zip`` runs through two lists side by side, one of them a list of gradients."""

    node: cst.Call
    parts: tuple[Content, Content]
    holdings: Holdings
    """What the owners of the variables hold, on both sides."""


@dataclass(frozen=True, slots=True)
class OptimizerStep:
    """``optimizer.apply_gradients(pairs)``, or Keras 3's ``optimizer.apply(gradients, variables)``.

    ``gradients`` and ``variables`` are the two sides; ``pairs`` is the zip they came in, if any.
    ``layers`` are the layers behind the variables, as far as they are known.
    """

    node: cst.Call
    optimizer: Value
    gradients: Content
    variables: Content
    pairs: Sequence | None = None
    layers: tuple[Instance, ...] = ()
    layers_complete: bool = False
    """Whether ``layers`` are all the layers whose variables are trained here."""
    function: Function | None = None
    """The function in which the step stands."""
    loops: tuple[cst.CSTNode, ...] = ()
    """The loops that were running, outermost first, those of the callers included."""
    tests: tuple[Test, ...] = ()
    """The conditions under which it is reached."""
    frozen: bool = False
    """Whether ``trainable`` was set to something on one of the layers or models behind."""
    given: Arguments = field(default=Arguments())
    """The arguments as they were, lists as the tuples that they held."""
    method: str = "apply_gradients"
    """``apply_gradients`` or ``apply``."""
    holdings: Holdings = _NO_HOLDINGS
    """What the owners of the variables hold, on both sides."""


@dataclass(frozen=True, slots=True)
class ListArithmetic:
    """An arithmetic operator applied to the Python list that ``tape.gradient`` returned."""

    node: cst.BinaryOperation | cst.UnaryOperation | cst.AugAssign
    operator: str
    gradients: cst.BaseExpression
    other: Value | None
    other_node: cst.BaseExpression | None
    call: GradientCall


@dataclass(frozen=True, slots=True)
class GradientsHeld:
    """A name is given a value that gradients take part in, or a statement drops such a value."""

    node: cst.Name | cst.Expr
    content: Content
    """The entries of the list; the one value where it is none."""
    is_list: bool


@dataclass(frozen=True, slots=True)
class TapeUse:
    """``tape.gradient``, ``jacobian`` or ``batch_jacobian``."""

    node: cst.Call
    tape: Tape
    first: cst.Call | None
    """An earlier use of the same recording, where one came before on this path."""
    target: Value = UNKNOWN
    sources: Value = UNKNOWN
    entries: Content = OPAQUE
    """What ``sources`` holds, where it is a list; else the one source."""
    watched: Content = OPAQUE
    """What was given to ``tape.watch`` (opaque where that is not certain)."""
    recording: bool = False
    """Whether this tape still records, so that its ``with`` block was not left."""
    others: tuple[Tape, ...] = ()
    """Other tapes that record at this moment (higher-order gradients)."""
    certain: bool = True
    """Whether all that was done with the tape is known (it never went to unknown code)."""
    loops: tuple[cst.CSTNode, ...] = ()
    tests: tuple[Test, ...] = ()


@dataclass(frozen=True, slots=True)
class ActivationUse:
    """A function (or a custom_gradient object) given to a layer as its activation."""

    node: cst.BaseExpression
    activation: Function | CustomGradient
    layer: Instance


@dataclass(frozen=True, slots=True)
class LayerCall:
    """A model or layer that is made of layers is called; ``output`` says what that computes.

    Of a class of the program it is what ``call`` returns, of a Sequential its layers in a row, of
    a functional model its outputs.
    """

    node: cst.Call
    layer: Instance
    output: Value


@dataclass(frozen=True, slots=True)
class FlaggedCall:
    """A layer or model is called with a ``training`` of its own.

    ``symbolic`` is the class that its input goes back to, where that is a symbolic tensor; it is
    ``kept`` where the layer never went to unknown code before.
    """

    node: cst.Call
    layer: Instance
    training: Value
    inputs: Value
    symbolic: Symbol | None
    kept: bool
    functions: tuple[Function, ...] = ()
    """The functions that were running, outermost first."""
    tests: tuple[Test, ...] = ()


@dataclass(frozen=True, slots=True)
class CompiledModel:
    """``model.compile(...)``: what the model is given for its training."""

    node: cst.Call
    model: Value
    optimizer: Value | None
    loss: Value | None
    losses: tuple[Value, ...] = ()
    """The one loss, or those of the outputs; of a loss class of the program its ``call``."""
    heads: tuple[Head, ...] = ()
    """The outputs of the model, each with its loss; empty where they are not known."""
    tests: tuple[Test, ...] = ()


@dataclass(frozen=True, slots=True)
class LossCall:
    """A loss of Keras or TensorFlow is called on labels and a tensor."""

    node: cst.Call
    heads: tuple[Head, ...]
    tests: tuple[Test, ...] = ()


@dataclass(frozen=True, slots=True)
class MetricUpdated:
    """A metric of Keras is updated with labels and a tensor: ``update_state``, or a call of it."""

    node: cst.Call
    metric: Instance
    outputs: tuple[Output, ...]
    """What the tensor may be."""
    tests: tuple[Test, ...] = ()


@dataclass(frozen=True, slots=True)
class ModelTrained:
    """``fit``, ``fit_generator``, ``train_on_batch``."""

    node: cst.Call
    model: Value
    method: str
    output: Value | None = None
    """What the model computes, where it is made of layers in view."""
    arguments: Arguments = field(default=Arguments())
    """The arguments as they were, lists as the tuples that they held."""
    compiled: Arguments | None = None
    """What ``compile`` was given, where that is certain."""
    frozen_since: bool = False
    """Whether it was frozen after compile() and never trained before (certainly)."""
    tests: tuple[Test, ...] = ()
    heads: tuple[Head, ...] = ()
    """Its outputs, each with its loss and labels; empty where they are not known."""


@dataclass(frozen=True, slots=True)
class ModelAsked:
    """``predict`` and its kin, ``evaluate``; the rest as for ``ModelTrained``."""

    node: cst.Call
    model: Value
    method: str
    output: Value | None = None
    arguments: Arguments = field(default=Arguments())


@dataclass(frozen=True, slots=True)
class ModelEnds:
    """``model.input`` or ``model.output`` of a Sequential model is read.

    ``called`` says whether it may have been called on a symbolic tensor before, ``layers`` what it
    is made of, where that is known, and ``added`` whether some were added one by one.
    """

    node: cst.Attribute
    model: Instance
    called: bool
    layers: tuple[Value, ...] | None
    added: bool
    tests: tuple[Test, ...] = ()


@dataclass(frozen=True, slots=True)
class ItemRead:
    """``holder[index]`` of an attribute of a library object (``history.history["acc"]``)."""

    node: cst.Subscript
    holder: Member
    index: Value
    tests: tuple[Test, ...] = ()


@dataclass(frozen=True, slots=True)
class Given:
    """A ``yield`` of a generator function, or a ``return`` of ``__getitem__``, and its value.

    Lists are the tuples that they hold, of the kind ``list``.
    """

    node: cst.Yield | cst.Return
    function: cst.FunctionDef
    value: Value


@dataclass(frozen=True, slots=True)
class ObjectMade:
    """An optimizer, metric, model, layer or variable is made: one of Keras, or of a subclass."""

    node: cst.Call
    instance: Instance
    function: Function | None
    loops: tuple[cst.CSTNode, ...]
    tests: tuple[Test, ...] = ()
    """The conditions under which it is made."""
    running: tuple[cst.CSTNode, ...] = ()
    """The functions that are running, outermost first."""


@dataclass(frozen=True, slots=True)
class FunctionSummary:
    """What a function gives for unknown arguments: its results as terms of its parameters.

    A parameter ``x`` is ``Unknown(("parameter", node, "x"))`` in them (a method's first parameter
    is its object). Results that nothing is known of are unknown.
    """

    node: cst.FunctionDef | cst.Lambda
    function: Function
    parameters: tuple[tuple[str, Value], ...]
    results: tuple[Value, ...]

    def parameter(self, name: str) -> Value:
        """The value that stands for a parameter."""
        return dict(self.parameters).get(name, UNKNOWN)

    @property
    def inputs(self) -> tuple[cst.Param, ...]:
        """The parameters that a caller gives by position (without ``self``)."""
        bound = self.function.cls is not None and not is_static(self.node)
        return tuple(positional_parameters(self.node.params)[1 if bound else 0 :])


@dataclass(frozen=True, slots=True)
class BackwardPass:
    """A function under ``tf.custom_gradient`` or ``keras.ops.custom_gradient``.

    ``pairs`` has, for each result of the function, its two halves where it is a pair: the forward
    value and the summary of the grad function (None where that is not a function of the program).
    """

    node: cst.FunctionDef | cst.Lambda
    gradient: CustomGradient
    summary: FunctionSummary
    pairs: tuple[tuple[Value, FunctionSummary | None] | None, ...]

    @property
    def inputs(self) -> tuple[cst.Param, ...]:
        """The parameters that a gradient is owed for (without ``self``)."""
        return self.summary.inputs


@dataclass(frozen=True, slots=True)
class CustomGradientCall:
    """A function with a backward pass of its own is called."""

    node: cst.Call
    gradient: CustomGradient
    arguments: Arguments


FORWARD = "forward"
GRADIENTS = frozenset({
    "backward", "backward_pass", "backprop", "backpropagate", "gradient", "gradients", "grad",
    "derivative", "get_gradient", "get_gradients", "compute_gradient", "compute_gradients",
})  # fmt: skip
"""Methods that PyTorch, TensorLayer or Caffe would call, and Keras does not (measured)."""


@dataclass(frozen=True, slots=True)
class LayerClass:
    """A class of the program that has a Keras base (a layer or a model).

    ``owner`` stands for one of its objects; ``attributes`` is what that holds after ``__init__``
    and ``build``; ``call`` is the summary of its own ``call`` method.
    """

    node: cst.ClassDef
    cls: Class
    bases: tuple[str, ...]
    """The canonical names of its library bases."""
    owner: Instance
    attributes: tuple[tuple[str, Value], ...]
    methods: tuple[tuple[str, Function], ...]
    """Its own methods and those of its bases in the program, nearest first."""
    call: FunctionSummary | None
    foreign: tuple[FunctionSummary, ...] = ()
    """The summaries of its own methods that go by a name of another library (``forward``)."""

    @property
    def plain_call(self) -> FunctionSummary | None:
        """``call``, where no decorator makes something else of it (``tf.custom_gradient``)."""
        node = self.call.node if self.call is not None else None
        return None if isinstance(node, cst.FunctionDef) and node.decorators else self.call

    def method(self, name: str) -> Function | None:
        """The nearest method of that name."""
        return next((f for n, f in self.methods if n == name), None)


@dataclass(frozen=True, slots=True)
class Operation:
    """An operator or a function of a library, and what it computed this time."""

    node: cst.CSTNode
    term: Computed
    functions: tuple[Function, ...] = ()
    """The functions that were running, outermost first."""


@dataclass(frozen=True, slots=True)
class SymbolUse:
    """A name of Keras or TensorFlow is imported, or read as an attribute of another one.

    ``symbol`` has the path as the program reached it; an ``import from`` gives one use for the
    module (its node is the statement) and one for each name.
    """

    node: cst.ImportFrom | cst.ImportAlias | cst.Attribute
    symbol: Symbol
    tests: tuple[Test, ...] = ()
    """The conditions under which it is reached."""


@dataclass(frozen=True, slots=True)
class MemberUse:
    """An attribute of an object is read, called or (``written``) set.

    ``found`` is what it gives: a ``Member`` of the object where the program itself has not set it.
    """

    node: cst.Attribute
    owner: Value
    found: Value
    written: bool = False
    tests: tuple[Test, ...] = ()
    functions: tuple[Function, ...] = ()
    """The functions that were running, outermost first."""
    value: Value | None = None
    """What it is set to, where it is ``written``."""


@dataclass(frozen=True, slots=True)
class CallMade:
    """A function, class or method of Keras or TensorFlow is called, or a subclass is made.

    ``function`` is the Symbol, the Member (of an object, of ``super()``), the program's Class or,
    of a layer or model that is called, its Instance. ``Facts.calls`` leaves out the places where
    something else may be called as well.
    """

    node: cst.Call
    function: Symbol | Member | Class | Instance
    arguments: Arguments
    tests: tuple[Test, ...] = ()
    held: Arguments = field(default=Arguments())
    """The arguments with lists and dictionaries as they were at that moment."""


@dataclass(frozen=True, slots=True)
class PartialMade:
    """``functools.partial(function, ...)`` of what a ``CallMade`` can be about.

    ``arguments`` are those of the function; more may follow.
    """

    node: cst.Call
    function: Symbol | Member | Class | Instance
    arguments: Arguments
    tests: tuple[Test, ...] = ()


@dataclass(frozen=True, slots=True)
class ModelSaved:
    """A model is saved here: ``save``, ``save_model``, ``ModelCheckpoint``."""

    node: cst.CSTNode


class _Placed(Protocol):
    @property
    def node(self) -> cst.CSTNode: ...


Fact = TypeVar("Fact", bound=_Placed)


@dataclass
class Facts:
    """All facts of one program, each kind grouped by place."""

    entered: dict[cst.CSTNode, set[cst.CSTNode | None]] = field(default_factory=dict)
    """For each function, the calls that entered it."""
    names: dict[str, Value] = field(default_factory=dict)
    """What the module's names hold at its end."""
    summaries: dict[cst.CSTNode, FunctionSummary] = field(default_factory=dict)
    """For functions that Keras calls (activations, losses, ``call``), custom gradients, grads."""
    recordings: dict[cst.CSTNode, set[frozenset[Tape]]] = field(default_factory=dict)
    """For each operation, the tapes that recorded it, once for each time it was reached."""
    muted: bool = False
    """Whether another file of the project is evaluated: its facts are its own."""
    environment: dict[str, list[Value]] = field(default_factory=dict)
    """The variables of the environment that the program sets, and to what."""
    staged: set[cst.CSTNode] = field(default_factory=set)
    """The functions under ``tf.function``."""
    strangers: set[cst.CSTNode] = field(default_factory=set)
    """The calls of something that is not of Keras or TensorFlow, or not known, at least once."""
    _groups: dict[type, dict[cst.CSTNode, list[Any]]] = field(default_factory=dict)
    _log: list[tuple[type, cst.CSTNode]] = field(default_factory=list)

    def sets(self, variable: str, *values: str) -> bool:
        """Whether the program sets a variable of its environment to one of these texts."""
        return any(
            isinstance(value, Const) and value.value in values
            for value in self.environment.get(variable, ())
        )

    def note(self, fact: Fact) -> None:
        """Record a fact at its place."""
        if not self.muted:
            self.note_at(fact.node, fact)

    def note_at(self, node: cst.CSTNode, fact: Fact) -> None:
        """Record a fact of another file's function at the place that called it."""
        self._groups.setdefault(type(fact), {}).setdefault(node, []).append(fact)
        self._log.append((type(fact), node))

    def mark(self) -> int:
        """A point to come back to."""
        return len(self._log)

    def rollback(self, mark: int) -> None:
        """Take back the facts since a mark: what they were read from turned out to be wrong."""
        while len(self._log) > mark:
            kind, node = self._log.pop()
            group = self._groups[kind][node]
            group.pop()
            if not group:
                del self._groups[kind][node]

    def holds(self, kind: type[Fact], node: cst.CSTNode) -> bool:
        """Whether a fact of that kind was recorded at a place."""
        return node in self._groups.get(kind, {})

    def groups(self, kind: type[Fact]) -> Iterator[list[Fact]]:
        """The facts of one kind, place by place: all the ways in which the place was reached."""
        yield from self._groups.get(kind, {}).values()

    def calls(self, kind: type[Fact]) -> Iterator[list[Fact]]:
        """The groups of ``CallMade`` or ``PartialMade`` where nothing else is ever called."""
        for group in self.groups(kind):
            if group[0].node not in self.strangers:
                yield group

    def all(self, kind: type[Fact]) -> Iterator[Fact]:
        """The facts of one kind."""
        for group in self.groups(kind):
            yield from group

    def recorded(self, node: cst.CSTNode, tape: Tape) -> bool | None:
        """Whether a tape recorded an operation; None where that differs or is not known."""
        seen = {tape in tapes for tapes in self.recordings.get(node, ())}
        return seen.pop() if len(seen) == 1 else None
