"""Code that is written for several releases at once: what it asks before it uses a name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import libcst as cst

from lintkeras.checks.registry import Context
from lintkeras.meaning.outline import dotted
from lintkeras.meaning.values import Computed, Member, Symbol, Test, Value, walk
from lintkeras.syntax.tree import nodes

_EXPECTED = frozenset({
    "ImportError", "ModuleNotFoundError", "AttributeError", "Exception", "BaseException",
    "TypeError", "ValueError",
})  # fmt: skip
"""What a name, an argument or a method that is not there raises."""
_ASKED = frozenset({"hasattr", "getattr", "find_spec", "signature", "getfullargspec", "parameters"})
_VERSIONS = frozenset({
    "__version__", "VERSION", "version", "version_info", "TYPE_CHECKING", "parse_version",
    "LooseVersion", "StrictVersion", "Version", "tf2", "executing_eagerly",
})  # fmt: skip


_TRACEBACK = "Traceback (most recent call last)"
_NEAR = 200
"""How many characters below a statement its output begins at the latest."""


def is_guarded(context: Context, node: cst.CSTNode, tests: Iterable[Test] = ()) -> bool:
    """Whether code is reached on some releases only, or its failure is expected.

    It stands in a ``try`` that catches what a missing name raises (or in what answers that), under
    a test of a version, of ``hasattr`` or of TYPE_CHECKING, behind one that leaves, or where a
    test shows that it must fail.
    """
    if any(_asks(test.value) for test in tests) or _shows_a_traceback(context, node):
        return True
    inner: cst.CSTNode = node
    for ancestor in context.program.ancestors(node):
        match ancestor:
            case cst.Try() | cst.TryStar():
                if any(map(_expects, ancestor.handlers)):
                    return True
            case cst.If() | cst.IfExp():
                if _is_version_test(ancestor.test) or _asks_for_a_name(ancestor):
                    return True
            case cst.With():
                if any(_expects_failure(item.item) for item in ancestor.items):
                    return True
            case cst.Module() | cst.IndentedBlock():
                if any(map(_leaves, _earlier(ancestor, inner))):
                    return True
            case cst.FunctionDef() | cst.ClassDef():
                if any(_is_version_test(one.decorator) for one in ancestor.decorators):
                    return True  # ``@pytest.mark.skipif(...)``
        inner = ancestor
    return False


def _shows_a_traceback(context: Context, node: cst.CSTNode) -> bool:
    """Whether it stands in a session, and what that printed below is an exception."""
    program = context.program
    statement = program.statement(node) if program.owns(node) else None
    if statement is None:
        return False
    end = program.span(statement).end
    below = program.document.text[end : end + _NEAR].lstrip("\r\n \t.>#")
    return below.startswith(_TRACEBACK)


def _expects(handler: cst.ExceptHandler | cst.ExceptStarHandler) -> bool:
    if handler.type is None:
        return True
    return any(
        isinstance(one, cst.Name) and one.value in _EXPECTED
        for one in (handler.type, *nodes(handler.type))
    )


def _expects_failure(item: cst.BaseExpression) -> bool:
    """``with pytest.raises(...)``, ``self.assertRaises(...)``, ``suppress(...)``."""
    name = item.func if isinstance(item, cst.Call) else item
    last = name.attr.value if isinstance(name, cst.Attribute) else dotted_name(name)
    return last in ("suppress", "raises") or last.startswith(("assertRaises", "assert_raises"))


def dotted_name(node: cst.CSTNode) -> str:
    """A dotted name as text; empty for anything else."""
    if isinstance(node, cst.Name):
        return node.value
    if isinstance(node, cst.Attribute):
        return dotted(node)
    return ""


def _asks(value: Value) -> bool:
    """Whether a condition asks for a version or for what an object has."""
    for part in walk(value):
        match part:
            case Symbol(path=path):
                words = set(path.split("."))
            case Member(name=name):
                words = {name}
            case Computed(function=str(name)):
                words = {name}
            case _:
                continue
        if words & (_ASKED | _VERSIONS):
            return True
    return False


def _is_version_test(test: cst.BaseExpression) -> bool:
    """The same of a condition as it is written: any name for it counts here, it only silences."""
    return any(
        isinstance(part, cst.Name)
        and (part.value in _ASKED | _VERSIONS or _names_a_version(part.value))
        for part in nodes(test)
    )


def _asks_for_a_name(branch: cst.If | cst.IfExp) -> bool:
    """``if "steps_per_execution" in parameters:`` above a branch that uses this name."""
    asked = {
        str(part.left.evaluated_value)
        for part in nodes(branch.test)
        if isinstance(part, cst.Comparison) and isinstance(part.left, cst.SimpleString)
        if any(isinstance(one.operator, (cst.In, cst.NotIn)) for one in part.comparisons)
    }
    if not asked:
        return False
    for part in nodes(branch):
        match part:
            case cst.Arg(keyword=cst.Name(value=name)) | cst.Attribute(attr=cst.Name(value=name)):
                if name in asked:
                    return True
    return False


def _names_a_version(name: str) -> bool:
    word = name.lower()
    return any(
        one in word
        for one in (
            "version",
            "keras_2",
            "keras2",
            "keras_3",
            "keras3",
            "legacy",
            "tf_2",
            "is_tf",
            "use_tf",
        )
    )


def _earlier(block: cst.CSTNode, inner: cst.CSTNode) -> Iterator[cst.CSTNode]:
    """The statements of a block above the one that holds the code."""
    body = getattr(block, "body", ())
    if isinstance(body, cst.BaseSuite):
        body = body.body
    for statement in body:
        if statement is inner:
            return
        yield statement


def _leaves(statement: cst.CSTNode) -> bool:
    """Whether a statement leaves under a test of a version."""
    return (
        isinstance(statement, cst.If)
        and _is_version_test(statement.test)
        and any(
            isinstance(part, (cst.Return, cst.Raise, cst.Continue)) for part in nodes(statement)
        )
    )
