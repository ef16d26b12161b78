"""What IPython adds to Python: ``%magics``, ``!commands`` and ``help?`` in the cells of notebooks.

They are masked, character by character, so that what is left is Python and stands where it stood.
"""

from __future__ import annotations

import ast
import re
import warnings

_PYTHON_CELLS = frozenset({"time", "timeit", "capture", "prun", "python", "python3", "pypy"})
"""Cell magics behind which the cell is Python."""
_PYTHON_LINES = frozenset({"time", "timeit", "prun", "memit", "mprun", "lprun"})
"""Line magics behind which the line is Python."""
_MAGIC = re.compile(r"[ \t]*(?:(?P<word>%[A-Za-z_][\w.]*)|[%!?])")
_ASSIGNED = re.compile(r"[ \t]*[A-Za-z_][\w., \t]*=[ \t]*(?P<magic>[!%].*)")
_HELP = re.compile(r"[ \t]*%?[A-Za-z_][\w.]*\?{1,2}[ \t]*;?[ \t]*")
_SHELL = re.compile(r"(?:ls|ll|cd|pwd|cat|mkdir|rmdir|cp|mv|rm|pip|conda|less|more|man|clear|cls)"
                    r"(?:[ \t]+[^=(\s].*)?")  # fmt: skip
"""Commands that IPython takes without a sign in front."""
_NAME = "_"
"""A magic becomes a name of that letter, which stands for something unknown."""


def masked(source: str) -> str | None:
    """A cell as Python of the same length; None where it is in another language."""
    head = source.lstrip()
    if head.startswith("%%"):
        word = re.match(r"%%(\w+)", head)
        if word is None or word.group(1) not in _PYTHON_CELLS:
            return None
        first = len(source) - len(head)
        end = source.find("\n", first)
        end = len(source) if end < 0 else end
        source = source[:first] + _name(source[first:end]) + source[end:]
    if not _has_magics(source) or _parses(source):
        return source
    lines = source.split("\n")
    state = _State()
    for number, line in enumerate(lines):
        if state.outside:
            lines[number] = _line(line, state)
        state.read(lines[number])
    return "\n".join(lines)


def _has_magics(source: str) -> bool:
    return any(
        _MAGIC.match(line)
        or _HELP.fullmatch(line)
        or _ASSIGNED.fullmatch(line)
        or _SHELL.fullmatch(line)
        for line in source.split("\n")
    )


def _parses(source: str) -> bool:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


def _name(text: str) -> str:
    """A name as long as a text, with its indentation."""
    blank = len(text) - len(text.lstrip())
    return text[:blank] + _NAME * len(text[blank:])


def _line(line: str, state: _State) -> str:
    """A line of Python at which a statement begins, without its magic."""
    if state.command:  # a command that goes on behind a backslash
        state.command = line.rstrip().endswith("\\")
        return " " * len(line)
    ending = "\r" if line.endswith("\r") else ""
    line = line.removesuffix("\r")
    assigned = _ASSIGNED.fullmatch(line)
    magic = _MAGIC.match(line)
    if assigned is not None and not line[assigned.start("magic") :].startswith("%="):
        start = assigned.start("magic")
        state.command = line.endswith("\\")
        return line[:start] + _name(line[start:]) + ending
    if magic is not None:
        word = (magic["word"] or "").removeprefix("%")
        rest = line[magic.end() :]
        if word in _PYTHON_LINES and rest.strip() and not rest.lstrip().startswith("-"):
            blank = len(line) - len(line.lstrip())
            return line[:blank] + _NAME * (magic.end() - blank) + ";" + rest[1:] + ending
        state.command = line.endswith("\\")
        return _name(line) + ending
    if _HELP.fullmatch(line) or _SHELL.fullmatch(line):
        return _name(line) + ending
    return line + ending


class _State:
    """Whether the next line begins a statement: outside of strings and brackets."""

    def __init__(self) -> None:
        self.quote = ""
        self.depth = 0
        self.continued = False
        self.command = False

    @property
    def outside(self) -> bool:
        return self.command or not (self.quote or self.depth or self.continued)

    def read(self, line: str) -> None:
        """Follow a line of Python."""
        at = 0
        self.continued = False
        while at < len(line):
            letter = line[at]
            if self.quote:
                if letter == "\\":
                    at += 1
                elif line.startswith(self.quote, at):
                    at += len(self.quote) - 1
                    self.quote = ""
            elif letter == "#":
                break
            elif letter in "'\"":
                self.quote = letter * 3 if line.startswith(letter * 3, at) else letter
                at += len(self.quote) - 1
            elif letter in "([{":
                self.depth += 1
            elif letter in ")]}":
                self.depth = max(self.depth - 1, 0)
            elif letter == "\\" and at == len(line) - 1:
                self.continued = True
            at += 1
        if len(self.quote) == 1 and not line.endswith("\\"):
            self.quote = ""  # a string of one line that nobody closed
