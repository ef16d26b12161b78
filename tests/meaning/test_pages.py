"""The specification of the analyzer: the pages beside this file, executed.

A fence of Python that calls ``reveal(x)`` says in a comment on the line what the analyzer knows of
``x`` there; a line that gives gradients to an optimizer says what that step is. Each heading starts
a new program; the fences below it are one program.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import libcst as cst
import pytest
from libcst.metadata import MetadataWrapper, PositionProvider

from lintkeras.documents import read
from lintkeras.meaning.describe import describe, describe_head, describe_step
from lintkeras.meaning.facts import CompiledModel, LossCall, OptimizerStep
from lintkeras.meaning.interpreter import Interpreter
from lintkeras.meaning.values import Value
from lintkeras.syntax.stack import run_with_deep_stack

PAGES = sorted(Path(__file__).parent.glob("*.md"))
_REVEALED = re.compile(r"  # (?:revealed|step|heads): (.*)$")
_REVEAL = re.compile(r"\breveal\(")


@dataclass(frozen=True)
class Section:
    """The program below one heading: the fences, each with its first line in the page."""

    heading: str
    fences: tuple[tuple[int, str], ...]

    @property
    def expected(self) -> dict[int, str]:
        """What the page says, by its line."""
        found: dict[int, str] = {}
        for start, source in self.fences:
            for number, line in enumerate(source.split("\n"), start):
                if match := _REVEALED.search(line):
                    found[number] = match.group(1)
                else:
                    assert not _REVEAL.search(line), f"line {number} says nothing: {line}"
        return found

    def revealed(self) -> dict[int, str]:
        """What the analyzer knows: by line, each way in which the line was reached."""
        modules = [cst.parse_module(source) for _, source in self.fences]
        lines: dict[cst.CSTNode, int] = {}
        for module, (start, _) in zip(modules, self.fences, strict=True):
            wrapper = MetadataWrapper(module, unsafe_skip_copy=True)
            places = wrapper.resolve(PositionProvider)
            lines |= {n: p.start.line + start - 1 for n, p in places.items()}
        found: dict[int, dict[object, str]] = {}
        texts: dict[int, str] = {}

        def reveal(node: cst.Call, value: Value, run: Interpreter) -> None:
            found.setdefault(lines[node], {})[(node, run.scope.calls)] = describe(value, run)

        run = Interpreter(reveal)
        note_at = run.facts.note_at

        def note(node: cst.CSTNode, fact: object) -> None:
            if isinstance(fact, OptimizerStep):
                texts[id(fact)] = describe_step(fact, run)
            note_at(node, fact)  # type: ignore[type-var]

        run.facts.note_at = note  # type: ignore[method-assign]
        run.run(modules, sum(len(source) for _, source in self.fences))
        kept = [(one.node, one.heads) for one in run.facts.all(CompiledModel)]
        kept += [(one.node, one.heads) for one in run.facts.all(LossCall)]
        for node, heads in kept:
            said = ", ".join(map(describe_head, heads)) or "unknown"
            found.setdefault(lines[node], {})[heads] = said
        for fact in run.facts.all(OptimizerStep):
            found.setdefault(lines[fact.node], {})[id(fact)] = texts[id(fact)]
        return {n: "; then ".join(dict.fromkeys(ways.values())) for n, ways in found.items()}


def sections(page: Path) -> list[Section]:
    """The programs of a page."""
    document = read(page.name, page.read_bytes(), "markdown")
    headings = [p for p in document.prose if p.kind == "heading"]
    fences: dict[str, list[tuple[int, str]]] = {}
    for snippet in document.snippets:
        at = snippet.pieces[0].document
        heading = next((h.text for h in reversed(headings) if h.span.start < at), "")
        line, _ = document.position(at)
        fences.setdefault(heading, []).append((line, snippet.source))
    assert len({h.text for h in headings}) == len(headings), "two headings are the same"
    return [Section(heading, tuple(found)) for heading, found in fences.items()]


@pytest.mark.parametrize(
    ("page", "section"),
    [
        pytest.param(page, section, id=f"{page.stem}-{section.heading}")
        for page in PAGES
        for section in sections(page)
    ],
)
def test_the_analyzer_knows_what_the_page_says(page: Path, section: Section) -> None:
    revealed = run_with_deep_stack(section.revealed)
    reached = {line: revealed.get(line, "not reached") for line in section.expected}
    assert reached == section.expected, "\n".join(
        f"{page.name}:{line}: {text}"
        for line, text in reached.items()
        if text != section.expected[line]
    )


def test_every_fence_shows_something() -> None:
    for page in PAGES:
        assert all(section.expected for section in sections(page)), page
