"""The children of a node, fast.

``node.children`` of libcst visits and copies: a walk over a file costs ten times its parse. Here
the fields of each kind of node are learned once, from libcst's own visit, in the order of the code.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import libcst as cst

_TRIVIA = (
    cst.BaseParenthesizableWhitespace, cst.TrailingWhitespace, cst.EmptyLine, cst.Comment,
    cst.Newline, cst.LeftParen, cst.RightParen, cst.LeftSquareBracket, cst.RightSquareBracket,
    cst.LeftCurlyBrace, cst.RightCurlyBrace, cst.Comma, cst.Colon, cst.Semicolon, cst.Dot,
    cst.AssignEqual,
)  # fmt: skip
_TRIVIAL_FIELDS = (
    "whitespace", "leading_lines", "lines_after", "header", "footer", "trailing_whitespace", "lpar",
    "rpar", "lbracket", "rbracket", "lbrace", "rbrace", "comma", "semicolon", "equal", "dot",
    "colon", "relative",
)  # fmt: skip
"""How the fields begin that hold nothing else."""
_fields: dict[type, tuple[str, ...]] = {}
_is_trivia: dict[type, bool | None] = {}
"""For each type seen: whether it is trivia; None where it is no node."""


class _FieldNames(cst.CSTVisitor):
    """Notes the fields of one node as libcst visits them."""

    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []

    def on_visit(self, node: cst.CSTNode) -> bool:
        return False

    def on_visit_attribute(self, node: cst.CSTNode, attribute: str) -> None:
        self.names.append(attribute)


def _learn(node: cst.CSTNode) -> tuple[str, ...]:
    visitor = _FieldNames()
    node._visit_and_replace_children(visitor)
    others = [  # libcst visits some only where they are set
        field.name for field in dataclasses.fields(node) if field.type not in (str, bool)
    ]
    names = [n for n in [*visitor.names, *others] if not n.startswith(_TRIVIAL_FIELDS)]
    return _fields.setdefault(type(node), tuple(dict.fromkeys(names)))


def _kind(value: object) -> bool | None:
    kind = type(value)
    known = isinstance(value, _TRIVIA) if isinstance(value, cst.CSTNode) else None
    return _is_trivia.setdefault(kind, known)


def children(node: cst.CSTNode) -> list[cst.CSTNode]:
    """The nodes right inside ``node`` in the order of the code, without whitespace and marks."""
    found: list[cst.CSTNode] = []
    names = _fields.get(type(node))
    for name in _learn(node) if names is None else names:
        value = getattr(node, name)
        kind = type(value)
        if kind is list or kind is tuple:
            found += [one for one in value if not _known(one)]
        elif not _known(value):
            found.append(value)
    return found


def _known(value: object) -> bool:
    """Whether a value is trivia, or no node at all."""
    kind = type(value)
    known = _is_trivia[kind] if kind in _is_trivia else _kind(value)
    return known is not False


def nodes(root: cst.CSTNode) -> Iterator[cst.CSTNode]:
    """A node and all nodes inside it, in the order of the code."""
    stack = [root]
    while stack:
        node = stack.pop()
        yield node
        stack.extend(reversed(children(node)))


def comments(node: cst.CSTNode) -> Iterator[cst.Comment]:
    """The comments inside a node."""
    stack = [node]
    while stack:
        part = stack.pop()
        if isinstance(part, cst.Comment):
            yield part
        stack.extend(reversed(part.children))
