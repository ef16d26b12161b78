"""Statements that go, and what goes with them because it does nothing any more.

A variable of a function that only the removed code read goes with it, where computing it does
nothing else; so does a loop or a condition with nothing left in it. Comments on lines of their own
stay.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

import libcst as cst

from lintkeras.findings import Edit
from lintkeras.rewrites.code import Code, names_in, target_of
from lintkeras.rewrites.names import Variable

_PURE = frozenset({
    "abs", "add", "cast", "constant", "divide", "elu", "exp", "greater", "identity", "less",
    "matmul", "maximum", "minimum", "multiply", "ones_like", "pow", "relu", "sigmoid", "softplus",
    "square", "stop_gradient", "subtract", "tanh", "where", "zeros_like",
})  # fmt: skip
_ITERATORS = frozenset({"range", "enumerate", "zip", "len"})
_COMPOUND = (cst.For, cst.If)


class Removal:
    """The statements that go. Their edits are made at the end, when all are known."""

    def __init__(self, code: Code) -> None:
        self._code = code
        self._dropped: dict[cst.CSTNode, None] = {}
        self._passed: set[cst.CSTNode] = set()
        """Statements that leave ``pass`` behind."""
        self.left: list[str] = []
        """Variables that nothing reads any more, but whose values may do something."""

    def drop(self, statement: cst.BaseSmallStatement) -> None:
        """Let a statement go."""
        self._dropped[statement] = None

    def goes(self, node: cst.CSTNode) -> bool:
        """Whether a statement goes, with or without a ``pass`` in its place."""
        return node in self._dropped or node in self._passed

    def names(self) -> Iterator[cst.Name]:
        """The names in all that goes."""
        for statement in self._dropped:
            yield from names_in(statement)

    # -------------------------------------------------------------- variables

    def drop_unread(self, removed: set[cst.Name], kept: Collection[str]) -> None:
        """Variables of functions that only ``removed`` names read; those in ``kept`` stay."""
        again = True
        while again:
            again = False
            for variable in {self._code.names.variable(name) for name in removed}:
                if variable is None or variable.name in kept or not self._unread(variable, removed):
                    continue
                statement = self._code.small_statement(variable.stores[0])
                if statement is None or statement in self._dropped:
                    continue
                pair = target_of(statement)
                if pair is not None and pair[0] is variable.stores[0] and self._pure(pair[1]):
                    self.drop(statement)
                    removed.update(names_in(pair[1]))
                    again = True
                elif variable.name not in self.left:
                    self.left.append(variable.name)

    def _unread(self, variable: Variable, removed: set[cst.Name]) -> bool:
        local = isinstance(variable.scope.node, cst.FunctionDef) and not variable.deleted
        assigned = len(variable.stores) == 1 and not isinstance(
            self._code.program.parent(variable.stores[0]), (cst.Param, cst.FunctionDef)
        )
        return local and assigned and all(load in removed for load in variable.loads)

    def _pure(self, node: cst.CSTNode) -> bool:
        """Whether evaluating an expression does nothing but compute."""
        stack = [node]
        while stack:
            part = stack.pop()
            if isinstance(part, cst.Call):
                symbol = self._code.symbol(part.func)
                if symbol is None or symbol.name.rpartition(".")[2] not in _PURE:
                    return False
                stack += [argument.value for argument in part.args]
            elif isinstance(part, (cst.Await, cst.Yield, cst.NamedExpr)):
                return False
            else:
                stack += part.children
        return True

    # -------------------------------------------------------------- blocks

    def drop_empty_blocks(self) -> None:
        """Loops and conditions with nothing left in them go; other blocks keep a ``pass``."""
        while self._drop_one_block():
            pass

    def _drop_one_block(self) -> bool:
        program = self._code.program
        for statement in self._dropped:
            line = statement
            if not isinstance(statement, _COMPOUND):
                line = program.parent(statement) or statement
            block = program.parent(line)
            if not isinstance(block, (cst.IndentedBlock, cst.SimpleStatementSuite)):
                continue
            owner = program.parent(block)
            if owner in self._dropped or not all(map(self._is_gone, block.body)):
                continue
            if isinstance(owner, _COMPOUND) and self._may_go(owner, block):
                self._dropped[owner] = None
            else:
                self._passed.add(statement)
                del self._dropped[statement]
            return True
        return False

    def _is_gone(self, line: cst.CSTNode) -> bool:
        if isinstance(line, cst.SimpleStatementLine):
            return all(one in self._dropped for one in line.body)
        return line in self._dropped

    def _may_go(self, owner: cst.For | cst.If, block: cst.CSTNode) -> bool:
        """Whether an empty loop or condition can go as a whole, comments considered."""
        header = owner.iter if isinstance(owner, cst.For) else owner.test
        if owner.orelse is not None or not self._is_pure_header(header):
            return False
        if isinstance(owner, cst.If):
            is_elif = isinstance(self._code.program.parent(owner), cst.If)
            return not is_elif and not _has_comments(block)
        targets = [self._code.names.variable(name) for name in names_in(owner.target)]
        return not _has_comments(block) and all(
            variable is not None and all(self._code.inside(load, owner) for load in variable.loads)
            for variable in targets
        )

    def _is_pure_header(self, node: cst.CSTNode) -> bool:
        match node:
            case cst.Call(func=cst.Name(value=name)) if name in _ITERATORS:
                return self._code.is_builtin(node.func, name) and all(
                    self._is_pure_header(argument.value) for argument in node.args
                )
        return self._pure(node)

    # -------------------------------------------------------------- edits

    def edits(self) -> tuple[list[Edit], bool] | None:
        """The edits, and whether a comment on a statement goes; None where that cannot be done."""
        edits: list[Edit | None] = []
        comment = False
        for statement in self._dropped:
            if any(around in self._dropped for around in self._code.program.ancestors(statement)):
                continue
            line: cst.CSTNode = statement
            if isinstance(statement, cst.BaseSmallStatement):
                line = self._code.program.parent(statement) or statement
                edits.append(self._code.delete(statement))
            elif isinstance(statement, _COMPOUND):
                edits.append(self._code.delete_block(statement))
            if self._is_gone(line):
                begin = self._code.start(statement)
                comment = comment or any(
                    self._code.start(one) > begin for one in self._code.comments(line)
                )
        edits += [self._code.replace(statement, "pass") for statement in self._passed]
        done = [edit for edit in edits if edit is not None]
        if len(done) < len(edits) or any(map(self._code.interactive, self._dropped)):
            return None
        return done, comment


def _has_comments(block: cst.CSTNode) -> bool:
    """Whether there are comments between the statements of a block."""
    return any(line.comment is not None for line in _own_lines(block))


def _own_lines(block: cst.CSTNode) -> Iterable[cst.EmptyLine]:
    """The lines between the statements of a block."""
    for line in getattr(block, "body", ()):
        yield from getattr(line, "leading_lines", ())
    yield from getattr(block, "footer", ())
