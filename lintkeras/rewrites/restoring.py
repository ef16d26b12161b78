"""Taking edits of gradients back: the gradients reach the optimizer as the tape gave them.

An edit is an operation on a gradient, so taking it back puts the operand in the place of the
operation. What then does nothing any more goes too: a comprehension that only repeats a list, an
assignment of a name to itself, a loop with nothing in it, a variable that only the factor read.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

import libcst as cst

from lintkeras.findings import Edit
from lintkeras.meaning.facts import OptimizerStep
from lintkeras.meaning.library import argument_node
from lintkeras.meaning.values import Gradient, GradientEdit, alternatives
from lintkeras.rewrites.code import Code, names_in, same, target_of
from lintkeras.rewrites.removal import Removal

_OPERATIONS = frozenset({
    "multiply", "divide", "truediv", "true_divide", "scalar_mul", "relu", "maximum", "where",
})  # fmt: skip
_MUTATORS = frozenset({"append", "extend", "insert", "pop", "remove", "clear", "reverse", "sort"})


@dataclass(frozen=True)
class Restored:
    """The edits, and what a title must add about what else goes."""

    edits: tuple[Edit, ...]
    note: str = ""


def ways(code: Code, step: OptimizerStep) -> list[OptimizerStep]:
    """The step in all ways in which it is reached: a function may be called with other objects."""
    return [one for one in code.facts.all(OptimizerStep) if one.node is step.node]


def edits_of(step: OptimizerStep) -> tuple[GradientEdit, ...]:
    """All edits of the gradients of a step, each once."""
    found: dict[cst.CSTNode, GradientEdit] = {}
    for entry in step.gradients.entries:
        for value in alternatives(entry.value):
            if isinstance(value, Gradient):
                for edit in value.edits:
                    found.setdefault(edit.node, edit)
    return tuple(found.values())


def restore(code: Code, step: OptimizerStep) -> Restored | None:
    """Take back every edit of a step's gradients; None where that is not certain."""
    work = _Restoration(code, step)
    edits = {edit.node: edit for way in ways(code, step) for edit in edits_of(way)}.values()
    if not edits or code.names.opaque or not all(work.take_back(edit) for edit in edits):
        return None
    return work.result()


def is_list(code: Code, node: cst.CSTNode, step: OptimizerStep, depth: int = 4) -> bool:
    """Whether an expression is certainly a Python list: of gradients, or made as one."""
    match node:
        case cst.ListComp() | cst.List():
            return True
        case cst.Call(func=cst.Name("list") as function):
            variable = code.names.variable(function)
            return variable is not None and not variable.stores
        case cst.Call():
            calls = {g.call.node for e in step.gradients.entries
                     for g in alternatives(e.value) if isinstance(g, Gradient) and g.call.is_list}  # fmt: skip
            return node in calls
        case cst.Name() if depth > 0:
            variable = code.names.variable(node)
            stores = variable.stores if variable is not None else []
            if len(stores) == 1 and isinstance(code.program.parent(stores[0]), cst.Param):
                given = _argument(code, stores[0])
                return given is not None and is_list(code, given, step, depth - 1)
            here = code.small_statement(node)
            # A statement that reads the name does not change what it reads.
            others = [store for store in stores if code.small_statement(store) is not here]
            values = [_value_of(code, store) for store in others]
            return bool(values) and all(
                value is not None and is_list(code, value, step, depth - 1) for value in values
            )
    return False


def _argument(code: Code, parameter: cst.Name) -> cst.BaseExpression | None:
    """What the only call of a function gives a parameter."""
    function = code.function(parameter)
    callers = code.callers(function) if function is not None else []
    if function is None or len(callers) != 1 or not isinstance(callers[0], cst.Call):
        return None
    names = [p.name for p in (*function.params.posonly_params, *function.params.params)]
    bound = isinstance(callers[0].func, cst.Attribute) and code.is_method(function)
    position = next((i for i, name in enumerate(names[bound:]) if name is parameter), None)
    argument = argument_node(callers[0], parameter.value, position)
    return argument.value if argument is not None and not argument.star else None


def _value_of(code: Code, store: cst.Name) -> cst.BaseExpression | None:
    """What an assignment to a name alone gives it."""
    statement = code.small_statement(store)
    pair = target_of(statement)
    return pair[1] if pair is not None and pair[0] is store else None


@dataclass
class _Restoration:
    """The work on one step: which part of each operation is kept, which statements go."""

    code: Code
    step: OptimizerStep
    kept: dict[cst.CSTNode, cst.CSTNode] = field(default_factory=dict)
    """What takes the place of a node: a part of it."""
    copies: set[cst.CSTNode] = field(default_factory=set)
    """Kept lists of which a copy was made, and is changed later."""
    renamed: dict[cst.Name, str] = field(default_factory=dict)

    @cached_property
    def removal(self) -> Removal:
        """The statements that go."""
        return Removal(self.code)

    # -------------------------------------------------------------- one edit

    def take_back(self, edit: GradientEdit) -> bool:
        """Note what taking one edit back changes; whether that can be done."""
        node = edit.node
        if not self._reaches_this_step_alone(node):
            return False
        if isinstance(node, cst.AugAssign):
            self.removal.drop(node)
            return edit.operand == 0
        operand = _operand(edit)
        if operand is None:
            return False
        chain = list(self._climb(node, operand))
        top = chain[-1]
        statement = self.code.small_statement(top)
        if statement is not None and self._does_nothing(statement, top):
            self.removal.drop(statement)
            return True
        while len(chain) > 1 and self.code.comments_lost(chain[-1], self._resolved(chain[-1])):
            del self.kept[chain.pop()]
        return not self.code.comments_lost(chain[-1], self._resolved(chain[-1]))

    def _reaches_this_step_alone(self, node: cst.CSTNode) -> bool:
        """Whether the edit is made for this step: in its function, or in one called once."""
        function = self.code.function(node)
        if function is None or self.code.inside(self.step.node, function):
            return True
        variable = self.code.names.variable(function.name)
        mentions = len(self.code.names.attribute_uses(function.name.value))
        mentions += len(variable.loads) if variable is not None else 0
        return mentions <= 1 and len(self.code.callers(function)) <= 1

    def _resolved(self, node: cst.CSTNode) -> cst.CSTNode:
        while node in self.kept:
            node = self.kept[node]
        return node

    def _climb(self, node: cst.CSTNode, operand: cst.CSTNode) -> Iterator[cst.CSTNode]:
        """The operation, then what around it does nothing but repeat what is left of it."""
        self.kept[node] = operand
        yield node
        while True:
            around = self._repeats(node)
            if around is None:
                return
            node, self.kept[around[0]] = around
            yield node

    def _repeats(self, node: cst.CSTNode) -> tuple[cst.CSTNode, cst.CSTNode] | None:
        """The expression around a node that only repeats a part of it, and that part."""
        value, parent = self._resolved(node), self.code.program.parent(node)
        match parent:
            case cst.IfExp() if _guards_none(parent, node, value):
                return parent, value
            case cst.ListComp() | cst.GeneratorExp() if parent.elt is node:
                return self._comprehension(parent, value)
            case cst.Element():
                pair = self.code.program.parent(parent)
                comprehension = self.code.program.parent(pair) if pair is not None else None
                if isinstance(pair, cst.Tuple) and isinstance(
                    comprehension, (cst.ListComp, cst.GeneratorExp)
                ):
                    return self._pairs(comprehension, pair)
            case cst.Lambda(params=cst.Parameters(params=[parameter])) if parent.body is node:
                argument = self.code.program.parent(parent)
                call = self.code.program.parent(argument) if argument is not None else None
                if isinstance(call, cst.Call) and same(parameter.name, value):
                    return self._mapped(call, argument)
            case cst.Arg():
                call = self.code.program.parent(parent)
                if isinstance(call, cst.Call) and self.code.is_builtin(call.func, "list"):
                    if len(call.args) == 1 and is_list(self.code, value, self.step):
                        return call, value
        return None

    def _comprehension(
        self, node: cst.ListComp | cst.GeneratorExp, value: cst.CSTNode
    ) -> tuple[cst.CSTNode, cst.CSTNode] | None:
        clause = node.for_in
        if clause.ifs or clause.inner_for_in is not None or not same(clause.target, value):
            return None
        source = self._resolved(clause.iter)
        if isinstance(node, cst.ListComp) and not is_list(self.code, source, self.step):
            if self.code.names.is_bound("list"):
                return None
            self.copies.add(source)
        return node, clause.iter

    def _pairs(
        self, node: cst.ListComp | cst.GeneratorExp, pair: cst.Tuple
    ) -> tuple[cst.CSTNode, cst.CSTNode] | None:
        """``[(g, v) for g, v in zip(gs, vs)]``, where the step is given it directly."""
        clause = node.for_in
        argument = self.code.program.parent(node)
        if node.elt is not pair or clause.ifs or clause.inner_for_in is not None:
            return None
        if argument is None or self.code.program.parent(argument) is not self.step.node:
            return None
        target = clause.target
        alike = isinstance(target, cst.Tuple) and len(target.elements) == len(pair.elements)
        if not alike or not isinstance(target, cst.Tuple):
            return None
        for one, other in zip(pair.elements, target.elements, strict=True):
            if not same(self._resolved(one.value), other.value):
                return None
        return node, clause.iter

    def _mapped(
        self, call: cst.Call, argument: cst.CSTNode | None
    ) -> tuple[cst.CSTNode, cst.CSTNode] | None:
        """``map(lambda g: g, gs)``."""
        if len(call.args) != 2 or call.args[0] is not argument or call.args[1].keyword is not None:
            return None
        known = self.code.is_builtin(call.func, "map") or (
            isinstance(call.func, cst.Attribute) and call.func.attr.value == "map_structure"
        )
        source = call.args[1].value
        return (call, source) if known and is_list(self.code, source, self.step) else None

    # -------------------------------------------------------------- statements

    def _does_nothing(self, statement: cst.BaseSmallStatement, value: cst.CSTNode) -> bool:
        """Whether an assignment of what is left only repeats what the target holds."""
        pair = target_of(statement)
        if pair is None or pair[1] is not value:
            return False
        target, kept = pair[0], self._resolved(value)
        if same(target, kept):
            return True
        if isinstance(target, cst.Subscript):
            return self._is_item(target, kept)
        if isinstance(target, cst.Name) and isinstance(kept, cst.Name):
            return self._merge(statement, target, kept)
        return False

    def _is_item(self, target: cst.Subscript, kept: cst.CSTNode) -> bool:
        """``gs[i] = g`` below ``for i, g in enumerate(gs)``."""
        match target.slice:
            case [cst.SubscriptElement(slice=cst.Index(value=index))]:
                pass
            case _:
                return False
        for loop in self.code.program.ancestors(target):
            match loop:
                case cst.For(
                    target=cst.Tuple(elements=[cst.Element(value=i), cst.Element(value=g)]),
                    iter=cst.Call(func=func, args=[cst.Arg(value=source, keyword=None, star="")]),
                ) if self.code.is_builtin(func, "enumerate"):
                    if same(i, index) and same(g, kept) and same(source, target.value):
                        return True
                case cst.FunctionDef():
                    return False
        return False

    def _merge(self, statement: cst.BaseSmallStatement, target: cst.Name, source: cst.Name) -> bool:
        """Whether every later use of ``target`` can read ``source`` instead; notes the renaming."""
        names = self.code.names
        copy, original = names.variable(target), names.variable(source)
        if copy is None or original is None or copy.scope is not original.scope:
            return False
        here = self.code.start(statement)
        once = copy.stores == [target] and not copy.deleted and not original.deleted
        before = all(self.code.start(store) < here for store in original.stores)
        later = [load for load in original.loads if self.code.start(load) > here]
        if any(self._mutates(load) for load in (*copy.loads, *later)):
            self.copies.add(source)
            return False
        if not once or not before:
            return False
        if not all(self._follows(load, statement) and names.sees(load, original)
                   for load in copy.loads):  # fmt: skip
            return False
        self.renamed.update(dict.fromkeys(copy.loads, original.name))
        return True

    def _follows(self, node: cst.CSTNode, statement: cst.CSTNode) -> bool:
        """Whether a node runs only after a statement: it stands below, in the same block."""
        line = self.code.program.parent(statement)
        block = self.code.program.parent(line) if line is not None else None
        return (
            line is not None
            and block is not None
            and self.code.inside(node, block)
            and self.code.start(node) > self.code.start(statement)
        )

    def _mutates(self, node: cst.Name) -> bool:
        """Whether a use of a list changes it in place."""
        parent = self.code.program.parent(node)
        if isinstance(parent, cst.Attribute):
            return parent.attr.value in _MUTATORS
        if isinstance(parent, cst.Subscript) and parent.value is node:
            around = self.code.program.parent(parent)
            return isinstance(around, (cst.AssignTarget, cst.AugAssign, cst.Del, cst.AnnAssign))
        return False

    def _removed_names(self) -> Iterator[cst.Name]:
        yield from self.removal.names()
        for node in self._outermost():
            held = set(names_in(self._resolved(node)))
            yield from (name for name in names_in(node) if name not in held)

    # -------------------------------------------------------------- the result

    def _outermost(self) -> list[cst.CSTNode]:
        """The replaced nodes that stand in no other and in no statement that goes."""
        return [node for node in self.kept if not self._is_inside_of_another(node)]

    def _is_inside_of_another(self, node: cst.CSTNode) -> bool:
        return any(
            around in self.kept or self.removal.goes(around)
            for around in self.code.program.ancestors(node)
        )

    def result(self) -> Restored | None:
        """The edits of everything noted; None where they do not fit together."""
        self.removal.drop_unread(set(self._removed_names()), set(self.renamed.values()))
        self.removal.drop_empty_blocks()
        removed = self.removal.edits()
        if removed is None:
            return None
        edits, comment = removed
        edits += [self._replacement(node) for node in self._outermost()]
        edits += [
            self.code.replace(name, new)
            for name, new in self.renamed.items()
            if not self._is_inside_of_another(name)
        ]
        edits.sort()
        if any(b.span.start < a.span.end for a, b in itertools.pairwise(edits)):
            return None
        return Restored(tuple(edits), self._note(comment))

    def _note(self, comments: bool) -> str:
        note = "; the comment on the removed line goes too" if comments else ""
        if self.removal.left:
            names = ", ".join(f"`{name}`" for name in self.removal.left)
            note += f"; {names} {'is' if len(self.removal.left) == 1 else 'are'} no longer read"
        return note

    def _replacement(self, node: cst.CSTNode) -> Edit:
        kept = self._resolved(node)
        text = self._written(kept)
        if kept in self.copies:
            text = f"list({text})"
        atom = isinstance(kept, (cst.Name, cst.Attribute, cst.Call, cst.Subscript, cst.List))
        if atom or not getattr(node, "lpar", ()):
            return self.code.replace(node, text)
        return self.code.program.replace(node, text)  # its parentheses stay

    def _written(self, node: cst.CSTNode) -> str:
        """The text of a node in which other edits are taken back too."""
        if isinstance(node, cst.Name) and node in self.renamed:
            return self.renamed[node]
        inner = [
            part
            for part in (*self.kept, *self.renamed)
            if part is not node
            and self.code.inside(part, node)
            and not any(
                around in self.kept
                for around in self.code.program.ancestors(part)
                if self.code.inside(around, node) and around is not node
            )
        ]
        start, end = self.code.span(node)
        source, text, position = self.code.source(node), "", start
        for part in sorted(inner, key=self.code.start):
            first, last = self.code.span(part)
            text += source[position:first] + self._written(self._resolved(part))
            position = last
        return text + source[position:end]


def _operand(edit: GradientEdit) -> cst.CSTNode | None:
    """The syntax of the gradient in an operation."""
    node = edit.node
    if isinstance(node, cst.BinaryOperation):
        return node.left if edit.operand == 0 else node.right
    if isinstance(node, cst.Call):
        function = node.func.attr if isinstance(node.func, cst.Attribute) else node.func
        if isinstance(function, cst.Name) and function.value in _OPERATIONS:
            keyword = ("x", "y")[edit.operand] if edit.operand < 2 else ""
            argument = argument_node(node, keyword, edit.operand)
            return argument.value if argument is not None and not argument.star else None
    return None


def _guards_none(node: cst.IfExp, part: cst.CSTNode, value: cst.CSTNode) -> bool:
    """``g if g is not None else None``, or the other way round."""
    match node.test:
        case cst.Comparison(
            left=left,
            comparisons=[cst.ComparisonTarget(operator=operator, comparator=cst.Name("None"))],
        ) if same(left, value):
            kept = node.body if isinstance(operator, cst.IsNot) else node.orelse
            other = node.orelse if isinstance(operator, cst.IsNot) else node.body
            known = isinstance(operator, (cst.Is, cst.IsNot)) and kept is part
            return known and (same(other, value) or same(other, cst.Name("None")))
    return False
