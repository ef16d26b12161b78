"""Values in words: short, stable, and in the user's own names where there are names.

``Gradients(of=loss, wrt=dense.trainable_variables, scaled by 2)`` is what the specification in
``tests/meaning`` shows and what a message can quote.
"""

from __future__ import annotations

from typing import Protocol

import libcst as cst

from lintkeras.meaning.facts import OptimizerStep
from lintkeras.meaning.outputs import UNKNOWN_OUTPUT, Head, Output
from lintkeras.meaning.values import (
    OPAQUE,
    Arguments,
    Class,
    Computed,
    Const,
    Content,
    CustomGradient,
    Decorated,
    Dict,
    Domain,
    Either,
    Entry,
    Function,
    Gradient,
    GradientEdit,
    Index,
    Instance,
    Items,
    Length,
    List,
    Member,
    Method,
    PerEntry,
    Scale,
    Sequence,
    Super,
    Symbol,
    Tape,
    Test,
    Unknown,
    Value,
    Weight,
    parts_beside,
)

_OPERATORS = {
    "Add": "+", "Subtract": "-", "Multiply": "*", "Divide": "/", "FloorDivide": "//",
    "Modulo": "%", "Power": "**", "MatrixMultiply": "@", "Equal": "==", "NotEqual": "!=",
    "LessThan": "<", "LessThanEqual": "<=", "GreaterThan": ">", "GreaterThanEqual": ">=",
    "Is": "is", "IsNot": "is not", "In": "in", "NotIn": "not in", "And": "and", "Or": "or",
    "BitAnd": "&", "BitOr": "|", "BitXor": "^", "LeftShift": "<<", "RightShift": ">>",
    "Not": "not ", "Minus": "-", "Plus": "+", "BitInvert": "~",
}  # fmt: skip
_OPPOSITES = {"IsNot": "Is", "NotEqual": "Equal", "NotIn": "In"}
_SINGLE = {
    "trainable_variables": "trainable variable",
    "non_trainable_variables": "non-trainable variable",
    "variables": "variable",
    "add_weight": "variable",
    "item": "item",
}
_LONGEST = 60
"""Code points of a constant that are shown."""


class View(Protocol):
    """What a description needs besides the value."""

    def name_of(self, value: Value) -> str | None:
        """A name of the program that holds the value."""

    def content(self, value: Value) -> Content:
        """What iterating over the value gives."""

    def items(self, value: Value) -> Items:
        """What a dictionary holds."""


def describe(value: Value, view: View) -> str:
    """The value in words; an object of the program by its name where it has one."""
    return _Words(view).of(value)


def describe_head(head: Head) -> str:
    """One output with its loss: ``softmax of 10 for sparse_categorical_crossentropy``."""
    name = f"{head.name}: " if head.name is not None else ""
    outputs = " or ".join(map(describe_output, head.outputs))
    losses = " or ".join(
        f"{loss.name}{'' if loss.from_logits is False else ' of logits' if loss.from_logits else ' of ?'}"
        for loss in head.losses
    )
    return f"{name}{outputs} for {losses or 'unknown'}"


def describe_output(output: Output) -> str:
    """``softmax of 10``; the whole shape where it is known: ``relu of (?, 8, 8, 16)``."""
    if output == UNKNOWN_OUTPUT:
        return "unknown"
    shown = "unknown"
    if output.activations is not None:
        shown = (
            " after ".join(
                a.name
                if a.axis in (-1, None) or a.name != "softmax"
                else f"{a.name} over axis {a.axis}"
                for a in reversed(output.activations)
            )
            or "linear"
        )
    sizes = ", ".join("?" if size is None else str(size) for size in output.shape.sizes)
    if output.shape.exact:
        return f"{shown} of ({sizes})"
    return f"{shown} of {sizes}" if sizes not in ("", "?") else shown


def describe_step(step: OptimizerStep, view: View) -> str:
    """Which optimizer applies which gradients to which variables."""
    words = _Words(view)
    gradients = words.sequence(step.gradients, "[", "]")
    variables = words.sequence(step.variables, "[", "]")
    return f"{words.of(step.optimizer)} applies {gradients} to {variables}"


class _Words:
    def __init__(self, view: View) -> None:
        self.view = view
        self.inside: list[Value] = []
        self.tested: Gradient | None = None
        """Inside the conditions of a list of gradients: the one that is tested."""

    def named(self, value: Value) -> str:
        """The name of a value, else what it is."""
        if self.tested is not None and value == self.tested:
            return "gradient"
        if value == Unknown() or isinstance(value, (Const, Symbol, Function, Class)):
            return self.of(value)
        if isinstance(value, Weight) and value.attribute in _SINGLE and value.made_by is None:
            return self.of(value)
        return self.view.name_of(value) or self.of(value)

    def of(self, value: Value) -> str:
        if any(value is outer for outer in self.inside):
            return "..."  # a list that holds itself
        self.inside.append(value)
        try:
            return self._of(value)
        finally:
            self.inside.pop()

    def _of(self, value: Value) -> str:
        match value:
            case Unknown(origin=("parameter", _, str() as name)):
                return f"parameter {name}"
            case Unknown(origin=("attribute", owner, str() as name)):
                return f"{self.named(owner)}.{name}"  # type: ignore[arg-type]
            case Unknown(origin=("free", str() as name)):
                return f"unbound {name}"
            case Unknown(origin=("of", of)):
                return self.named(of)  # type: ignore[arg-type]
            case Unknown(origin=("item", of, index)):
                return f"{self.named(of)}[{self.named(index)}]"  # type: ignore[arg-type]
            case Const(value=constant):
                text = repr(constant)
                return text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "..."
            case Symbol():
                return _symbol(value)
            case Function(name=name):
                return "lambda" if name == "<lambda>" else f"function {name}"
            case CustomGradient(function=function):
                return f"custom_gradient({self.named(function)})"
            case Decorated(function=function):
                return f"{self.named(function)}, decorated"
            case Class(node=node):
                return f"class {node.name.value}"
            case Instance():
                name = value.class_name.rpartition(".")[2]
                return f"{name}({self.arguments(value.arguments)})"
            case Member(of=of, name=name):
                return f"{self.named(of)}.{name}"
            case Method(owner=owner, function=function):
                return f"{self.named(owner)}.{function.name}"
            case Super(owner=owner):
                return f"super of {self.named(owner)}"
            case List():
                return self.sequence(self.view.content(value), "[", "]")
            case Sequence(kind="zip", parts=parts) if parts:
                return f"zip({', '.join(self.sequence(part, '[', ']') for part in parts)})"
            case Sequence(kind="tuple", content=content):
                plain = content.plain()
                return self.sequence(content, "(", ",)" if plain and len(plain) == 1 else ")")
            case Sequence(kind="list", content=content):
                return self.sequence(content, "[", "]")
            case Sequence(kind=kind, content=content):
                return f"{kind} {self.sequence(content, '[', ']')}"
            case Dict() | Items():
                held = self.view.items(value)
                shown = [f"{key!r}: {self.named(v)}" for key, v in held.items]
                return "{" + ", ".join(shown if held.complete else [*shown, "..."]) + "}"
            case Index(domain=domain):
                return f"index of {self.domain(domain.identity)}"
            case Length(domain=domain):
                return f"length of {self.domain(domain.identity)}"
            case PerEntry(values=values):
                return f"{' or '.join(self.named(v) for v in values)}, entry by entry"
            case Tape(persistent=persistent):
                return {True: "persistent Tape", False: "Tape", None: "Tape, persistent or not"}[
                    persistent
                ]
            case Weight(owner=owner, attribute=attribute, index=int() as index):
                return f"{self.named(owner)}.{attribute}[{index}]"
            case Weight(owner=owner, attribute=attribute):
                single = _SINGLE.get(attribute)
                if single is None:
                    return f"{self.named(owner)}.{attribute}"
                return f"{single} of {self.named(owner)}"
            case Gradient():
                return f"Gradient({self.gradient(value)})"
            case Computed(function="gradients", arguments=arguments):
                (gradient,) = arguments.positional
                assert isinstance(gradient, Gradient)
                return f"Gradients({self.gradient(gradient)})"
            case Computed():
                return self.computed(value)
            case Either(values=values):
                return " | ".join(self.of(v) for v in values)
        return "unknown"

    def arguments(self, arguments: Arguments) -> str:
        parts = [self.named(v) for v in arguments.positional]
        parts += [f"{name}={self.named(v)}" for name, v in arguments.keywords]
        return ", ".join(parts if arguments.complete else [*parts, "..."])

    def computed(self, value: Computed) -> str:
        given = value.arguments.positional
        if value.function == "FormattedString":
            return "f-string of " + ", ".join(self.named(v) for v in given)
        if isinstance(value.function, str):
            operator = _OPERATORS.get(value.function, value.function)
            if len(given) == 1:
                return f"{operator}{self.operand(given[0])}"
            return f" {operator} ".join(self.operand(v) for v in given)
        return f"{self.callee(value.function)}({self.arguments(value.arguments)})"

    def callee(self, function: Value) -> str:
        match function:
            case Symbol():
                return function.name.removeprefix("builtins.")  # without its package
            case Instance():
                name = self.view.name_of(function)
                return name or f"{self.of(function)}"
        return self.named(function)

    def operand(self, value: Value) -> str:
        text = self.named(value)
        operator = isinstance(value, Computed) and isinstance(value.function, str)
        return f"({text})" if operator and " " in text else text

    # ------------------------------------------------------------------ gradients

    def gradient(self, value: Gradient, tests: tuple[Test, ...] = (), of_list: bool = False) -> str:
        call = value.call
        target = self.view.name_of(call.target) or _argument(call.node, "target", 0)
        source = call.sources if of_list or value.source == Unknown() else value.source
        wrt = self.sources(source, call.node)
        parts = [f"of={target}", f"wrt={wrt}", *(self.edit(edit) for edit in value.edits)]
        outer, self.tested = self.tested, Gradient(call, value.source)
        parts.extend(self.conditions(tests))
        self.tested = outer
        return ", ".join(parts)

    def sources(self, sources: Value, call: cst.Call) -> str:
        if isinstance(sources, Unknown) and sources.origin is None:
            return _argument(call, "sources", 1)
        if isinstance(sources, List):
            entries = self.view.content(sources).entries
            if entries == OPAQUE.entries:
                return _argument(call, "sources", 1)
            if len(entries) == 1:  # its conditions are those of the gradients
                entries = (Entry(entries[0].value, entries[0].domain),)
            return self.sequence(Content(entries), "[", "]")
        return self.named(sources)

    def edit(self, edit: GradientEdit) -> str:
        if isinstance(edit, Scale):
            if edit.divides:
                return f"divided by {self.named(edit.factor)}"
            if edit.factor == Const(-1):
                return "negated"
            return f"scaled by {self.named(edit.factor)}"
        return "negative entries set to zero"

    # ------------------------------------------------------------------ sequences

    def sequence(self, content: Content, left: str, right: str) -> str:
        if content == OPAQUE:
            return f"{left}...{right}"
        if len(content.entries) == 1 and content.entries[0].domain is not None:
            (entry,) = content.entries
            whole = self.whole(entry)
            if whole is not None:
                return whole
        return left + ", ".join(self.entry(entry) for entry in content.entries) + right

    def whole(self, entry: Entry) -> str | None:
        """A list of variables or gradients as one thing."""
        match entry.value:
            case Gradient(source=source) as gradient if _runs_over(entry, source):
                return f"Gradients({self.gradient(gradient, entry.tests, of_list=True)})"
            case Weight(owner=owner, attribute=attribute) if _runs_over(entry, entry.value):
                conditions = "".join(f" {text}" for text in self.conditions(entry.tests))
                return f"{self.named(owner)}.{attribute}{conditions}"
            case Weight(owner=owner, attribute="item") if not entry.tests:
                return self.named(owner)
        return None

    def entry(self, entry: Entry) -> str:
        single = isinstance(entry.value, (Gradient, Weight))
        text = self.of(entry.value) if single else self.named(entry.value)
        if entry.domain is not None:
            text = f"{text} for each of {self.domain(entry.domain.identity)}"
        return " ".join([text, *self.conditions(entry.tests)])

    def conditions(self, tests: tuple[Test, ...]) -> list[str]:
        return [f"where {self.condition(test.value, test.holds)}" for test in tests]

    def condition(self, value: Value, holds: bool) -> str:
        match value:
            case Computed(function="Not", arguments=arguments):
                return self.condition(arguments.positional[0], not holds)
            case Computed(function=str() as name) if not holds:
                for one, other in _OPPOSITES.items():
                    if name in (one, other):
                        flipped = other if name == one else one
                        return self.computed(Computed(flipped, value.arguments, value.node))
        text = self.named(value)
        return text if holds else f"not {text}"

    def domain(self, identity: tuple[object, ...]) -> str:
        match identity:
            case ("variables", owner, str() as attribute):
                return f"{self.named(owner)}.{attribute}"  # type: ignore[arg-type]
            case ("of", (Unknown() | Member()) as value):
                return self.named(value)
            case ("of", cst.Call() as call):
                return _argument(call, "sources", 1)
            case ("kept", Domain(identity=inner), tuple() as tests):
                return " ".join([self.domain(inner), *self.conditions(tests)])
            case ("beside", *_):
                parts = parts_beside(Domain(identity))
                return " beside ".join(self.domain(place.identity) for place, _ in parts)
            case ("reversed", Domain(identity=inner)):
                return f"{self.domain(inner)} reversed"
            case ("anything",):
                return "any number"
            case ("loop" | "earlier", *_):
                return "the loop's rounds"
        return "the same list"


def _runs_over(entry: Entry, source: Value) -> bool:
    """Whether a list has one entry for each of the variables that ``source`` is any of."""
    assert entry.domain is not None
    match source:
        case Weight(owner=owner, attribute=attribute, index=None):
            return entry.domain.identity == ("variables", owner, attribute)
        case Unknown() | Member():
            return entry.domain.identity[0] == "of"
    return False


def _argument(call: cst.Call, keyword: str, position: int) -> str:
    """The text of an argument as the user wrote it."""
    for index, argument in enumerate(call.args):
        own = argument.keyword.value if argument.keyword is not None else None
        if own == keyword or (own is None and index == position and not argument.star):
            text = " ".join(cst.Module([]).code_for_node(argument.value).split())
            return text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "..."
    return "unknown"


def _symbol(value: Symbol) -> str:
    """The canonical name, and for Keras from which package it comes."""
    if value.flavour in ("keras", "tf.keras", "tf_keras"):
        return f"{value.name} [{value.flavour}]"
    return value.name.removeprefix("builtins.")
