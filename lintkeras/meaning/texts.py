"""How a text ends: paths that are put together from known and unknown parts."""

from __future__ import annotations

import string
from dataclasses import dataclass

from lintkeras.meaning.values import Computed, Const, Member, Symbol, Value

_JOINED = frozenset({"os.path.join", "posixpath.join", "ntpath.join"})
_PATHS = frozenset({
    "pathlib.Path", "pathlib.PurePath", "pathlib.PosixPath", "pathlib.PurePosixPath",
})  # fmt: skip
_SAME = frozenset({"builtins.str", "os.fspath", "os.path.normpath"})
"""Functions that give the path that they are given."""
_ELSEWHERE = frozenset({
    "os.path.abspath", "os.path.realpath", "os.path.expanduser", "os.path.expandvars",
})  # fmt: skip
"""Functions that change how a path begins."""
_SAME_PATH = frozenset({"as_posix", "__str__", "__fspath__"})
_PATH_ELSEWHERE = frozenset({"absolute", "resolve", "expanduser"})
_CONVERSIONS = "diouxXeEfFgGcrsa"


@dataclass(frozen=True, slots=True)
class Tail:
    """The end of a text; ``whole`` where nothing stands before it."""

    text: str
    whole: bool = False

    def ends_with(self, *ends: str) -> bool | None:
        """Whether the text ends in one of these; None where that is not known.

        What is known from a dot on is taken as the whole end: ``f"{name}.h5"`` is no ``.weights.h5``.
        """
        if any(self.text.endswith(end) for end in ends):
            return True
        open_ended = not self.whole and not self.text.startswith(".")
        return None if open_ended and any(end.endswith(self.text) for end in ends) else False

    @property
    def last(self) -> str | None:
        """The last part of a path; None where it is not known where that begins."""
        _, slash, name = self.text.rpartition("/")
        return name if slash or self.whole else None

    def after(self, other: Tail) -> Tail:
        """This text behind another one."""
        return Tail(other.text + self.text, other.whole) if self.whole else self

    def below(self, folder: Tail) -> Tail:
        """This path inside a folder."""
        if not self.whole or self.text.startswith("/"):
            return self
        if folder.whole and folder.text.rstrip("/"):
            return Tail(f"{folder.text.rstrip('/')}/{self.text}", True)
        return Tail("/" + self.text)


_UNKNOWN = Tail("")


def tail_of(value: Value) -> Tail:
    """How the text (or the path) ends that a value is; an empty tail where nothing is known."""
    match value:
        case Const(value=str() as text):
            return Tail(text, True)
        case Computed(function="Add", arguments=arguments):
            left, right = map(tail_of, arguments.positional)
            return right.after(left)
        case Computed(function="FormattedString", arguments=arguments):
            return _joined(list(arguments.positional))
        case Computed(function="Modulo", arguments=arguments):
            match arguments.positional[0]:
                case Const(value=str() as template):
                    return Tail(_behind_percent(template))
        case Computed(function="Divide", arguments=arguments):
            left, right = map(tail_of, arguments.positional)
            return right.below(left) if right.text else _UNKNOWN
        case Computed(function=Symbol(path=path), arguments=arguments) if arguments.complete:
            return _of_function(path, list(map(tail_of, arguments.positional)))
        case Computed(function=Member(of=owner, name=name), arguments=arguments):
            return _of_method(owner, name, arguments.positional)
    return _UNKNOWN


def _joined(parts: list[Value]) -> Tail:
    found = Tail("", True)
    for part in reversed(parts):
        found = found.after(tail_of(part))
        if not found.whole:
            break
    return found


def _of_function(path: str, given: list[Tail]) -> Tail:
    if not given:
        return _UNKNOWN
    if path in _JOINED or path in _PATHS:
        found = given[0]
        for part in given[1:]:
            found = part.below(found)
        return found
    if path in _SAME and len(given) == 1:
        return given[0]
    if path in _ELSEWHERE:
        return given[0].below(_UNKNOWN)
    return _UNKNOWN


def _of_method(owner: Value, name: str, given: tuple[Value, ...]) -> Tail:
    match owner:
        case Const(value=str() as template) if name == "format":
            return Tail(_behind_fields(template))
    if name in _SAME_PATH and not given:
        return tail_of(owner)
    if name in _PATH_ELSEWHERE:
        return tail_of(owner).below(_UNKNOWN)
    if name == "joinpath" and given:
        return tail_of(given[-1]).below(_UNKNOWN)
    if name == "with_suffix" and len(given) == 1:
        return Tail(tail_of(given[0]).text)
    return _UNKNOWN


def _behind_percent(template: str) -> str:
    """What stands behind the last ``%`` conversion of a template."""
    rest = template[template.rfind("%") + 1 :]
    if "%" not in template or "%%" in template:
        return "" if "%" in template else template
    if rest.startswith("("):
        rest = rest[rest.find(")") + 1 :]
    at = next((i for i, c in enumerate(rest) if c in _CONVERSIONS), None)
    return "" if at is None else rest[at + 1 :]


def _behind_fields(template: str) -> str:
    """What stands behind the last field of a template of ``str.format``."""
    try:
        parts = list(string.Formatter().parse(template))
    except ValueError:
        return ""
    text = ""
    for literal, field, _, _ in parts:
        text = "" if field is not None else text + literal
    return text
