"""Text that is read line by line, and the code that stands in some of its lines.

reStructuredText and docstrings are read so: a block of code is marked by indentation, by prompts
or by a directive above it.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, replace

from lintkeras.documents.magics import masked
from lintkeras.documents.model import Snippet, in_runs, newline_of

LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n|\Z)")
"""A line with its end."""
_PROMPT = re.compile(r"[ \t]*(?P<sign>>>>|\.\.\.)(?: |$)")
_OPTION = re.compile(r"[ \t]*:[\w-]+:")
_DIRECTIVE = re.compile(r"\.\.[ \t]+(?:\|[^|]+\|[ \t]+)?([\w:.+-]+?)::(?:[ \t]+(.*)|[ \t]*)")
_CODE = frozenset({"code-block", "sourcecode", "code", "ipython", "code-cell", "jupyter-execute"})
_TESTS = frozenset({"testcode", "testsetup", "testcleanup", "doctest"})
_INFO = re.compile(r"(\{?)\.?([\w+-]+)\}?\s*([\w-]*)")
_LANGUAGES = frozenset({"python", "py", "python3", "pycon"})


def fence_language(info: str, languages: Collection[str] = ()) -> str | None:
    """The kind of Python that a fence says it holds: ``python title=..``, ``{code-cell} ipython``."""
    match = _INFO.match(info.strip().lower())
    if match is None:
        return None
    brace, language, argument = match.groups()
    if brace and (language in _CODE or language in _TESTS):
        return code_language(language, argument, languages)
    return language if language in _LANGUAGES or language in languages else None


def code_language(directive: str, argument: str, languages: Collection[str] = ()) -> str | None:
    """The kind of Python that a directive holds; None where it is not Python."""
    if directive == "doctest":
        return "pycon"
    if directive in _TESTS or (not argument and directive in _CODE - {"code"}):
        return "python"
    if directive not in _CODE:
        return None
    if directive in ("code-cell", "jupyter-execute") and "python" in argument:
        return "python"
    return argument if argument in _LANGUAGES or argument in languages else None


@dataclass(frozen=True)
class Directive:
    """A directive: ``.. name:: argument``, its options left out of the lines of its body."""

    name: str
    argument: str
    body: range

    @property
    def is_code(self) -> bool:
        """Whether its body is code of some language."""
        return self.name in _CODE or self.name in _TESTS

    def language(self, languages: Collection[str] = ()) -> str | None:
        """The kind of Python that it holds."""
        return code_language(self.name, self.argument.lower(), languages)


class Lines:
    """The lines of a text without their ends, and where each of them begins."""

    def __init__(self, text: str) -> None:
        self.text = text
        whole = [match.group() for match in LINE.finditer(text) if match.group()]
        self.lines = [line.rstrip("\r\n") for line in whole]
        self.starts = [0]
        for line in whole:
            self.starts.append(self.starts[-1] + len(line))

    def __len__(self) -> int:
        """How many lines there are."""
        return len(self.lines)

    def __getitem__(self, number: int) -> str:
        """A line, without its end."""
        return self.lines[number]

    def indent(self, number: int) -> int:
        """How many blanks a line begins with."""
        line = self.lines[number]
        return len(line) - len(line.lstrip(" \t"))

    def hide(self, number: int, width: int) -> None:
        """Read the first characters of a line as more of its indentation."""
        line, deep = self.lines[number], self.indent(number)
        self.lines[number] = line[:deep] + " " * width + line[deep + width :]

    def blank(self, number: int) -> bool:
        """Whether nothing stands on a line."""
        return not self.lines[number].strip()

    def body(self, number: int, end: int, indent: int) -> int:
        """Where the lines end that are indented more than ``indent``."""
        last = number
        while number < end:
            if not self.blank(number):
                if self.indent(number) <= indent:
                    break
                last = number + 1
            number += 1
        return last

    def paragraph(self, number: int, end: int) -> int:
        """Where the lines end that stand together, without a blank one."""
        while number < end and not self.blank(number):
            number += 1
        return number

    def directive(self, number: int, end: int) -> Directive | None:
        """The directive that begins on a line."""
        match = _DIRECTIVE.fullmatch(self.lines[number].strip())
        if match is None:
            return None
        last = self.body(number + 1, end, self.indent(number))
        first = number + 1
        while first < last and _OPTION.match(self.lines[first]):
            first += 1
        return Directive(match[1].lower(), (match[2] or "").strip(), range(first, last))

    def begins_session(self, number: int) -> bool:
        """Whether a line begins with ``>>>``."""
        prompt = _PROMPT.match(self.lines[number])
        return prompt is not None and prompt["sign"] == ">>>"

    def code(self, numbers: range, language: str = "python") -> Iterator[Snippet]:
        """The code of some lines, of which the least indented tell how far all are."""
        filled = [n for n in numbers if not self.blank(n)]
        if not filled:
            return
        if language == "pycon" or self.begins_session(filled[0]):
            yield from self.session(numbers)
            return
        margin = min(filled, key=self.indent)
        yield from self.block(
            range(filled[0], numbers.stop), self.lines[margin][: self.indent(margin)]
        )

    def block(self, numbers: range, prefix: str) -> Iterator[Snippet]:
        """The lines without the indentation of the block."""
        cuts = []
        for number in numbers:
            deep = self.lines[number].startswith(prefix)
            cuts.append((number, len(prefix) if deep else self.indent(number)))
        yield from self._cut(cuts, prefix, masked)

    def session(self, numbers: range) -> Iterator[Snippet]:
        """What a session was told, without its prompts and what it said.

        A line of dots goes on with the line above it; elsewhere it is an output.
        """
        cuts: list[tuple[int, int]] = []
        last = -1
        for number in numbers:
            prompt = _PROMPT.match(self.lines[number])
            if prompt is not None and (prompt["sign"] == ">>>" or last == number - 1 >= 0):
                cuts.append((number, prompt.end()))
                last = number
        if cuts:
            first = cuts[0][0]
            yield from self._cut(cuts, self.lines[first][: self.indent(first)] + "... ")

    def literal(self, numbers: range) -> Iterator[Snippet]:
        """The code of a literal block, which may be anything: what reads as Python that does something."""
        for snippet in self.code(numbers):
            if _does_something(snippet.source):
                yield snippet

    def _cut(
        self, cuts: Iterable[tuple[int, int]], prefix: str, read: Callable[[str], str | None] = str
    ) -> Iterator[Snippet]:
        runs = [
            (self.starts[n] + cut, self.text[self.starts[n] + cut : self.starts[n + 1]])
            for n, cut in cuts
        ]
        snippet = in_runs(runs, prefix, newline_of(self.text))
        source = read(snippet.source) if snippet is not None else None
        if snippet is not None and source:
            yield replace(snippet, source=source)


def _does_something(source: str) -> bool:
    """Whether a text is Python that is more than names and numbers."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            body = ast.parse(source).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return any(
        not isinstance(one, ast.Expr) or isinstance(one.value, (ast.Call, ast.Await))
        for one in body
    )
