"""On any program the interpreter ends within its budget and raises nothing."""

from __future__ import annotations

import os
import time

import libcst as cst
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lintkeras.meaning.interpreter import Interpreter
from lintkeras.rulebook import load
from lintkeras.syntax.stack import run_with_deep_stack
from tests.meaning.programs import is_valid, mutations, programs

EXAMPLES = tuple(
    source
    for rule in load().rules
    for example in rule.examples()
    if example.role in ("bad", "good", "fixed") and example.language == "python"
    if is_valid(source := example.marked()[0])
)
MANY = settings(
    max_examples=int(os.environ.get("LINTKERAS_EXAMPLES", "60")),
    deadline=None,
    derandomize="LINTKERAS_EXAMPLES" not in os.environ,
    suppress_health_check=list(HealthCheck),
)
_PASSES = 5
"""What runs later is run a few times, whatever is left of the budget."""


def run(source: str) -> Interpreter:
    """Interpret a program; the cost is bounded by the size of the program."""
    module = cst.parse_module(source)
    interpreter = Interpreter()
    run_with_deep_stack(lambda: interpreter.run([module], len(source)))
    assert interpreter.steps <= interpreter.budget + _PASSES * len(source)
    return interpreter


@MANY
@given(programs)
def test_any_program(source: str) -> None:
    run(source)


@MANY
@given(mutations(EXAMPLES))
def test_programs_that_are_nearly_those_of_the_rule_book(source: str) -> None:
    run(source)


@MANY
@given(st.lists(st.sampled_from(EXAMPLES), min_size=2, max_size=4))
def test_programs_behind_each_other(sources: list[str]) -> None:
    run("\n".join(sources))


@pytest.mark.parametrize("source", ["", "\n", "# nothing", "x", "(" * 50 + ")" * 50, "a = b = c\n"])
def test_small_things(source: str) -> None:
    run(source)


@pytest.mark.parametrize(
    "doubled",
    [
        "xs = xs + xs", "xs += xs", "xs = [*xs, *xs]", "xs.extend(xs)", "xs[:0] = xs", "xs = xs * 16",
        "xs = (*xs, *xs)", "xs = {*xs, *xs}", "xs = [xs, xs]", "xs = (xs, xs)", "xs = twice(*xs)",
        "xs = [x for x in xs for _ in (1, 2)]", "xs = list(zip(xs + xs, xs + xs))",
        "xs = {**xs, 'a': xs} if flag else {'a': xs, 'b': xs}", "xs = str(xs) + str(xs)",
        "xs = list(map(lambda x: (x, x), xs + xs))", "xs = xs if flag else [xs, xs]",
    ],
)  # fmt: skip
def test_lists_that_are_doubled_all_the_time(doubled: str) -> None:
    many = 40  # 2 ** 40 entries fill any memory
    start = "xs = [1]\ndef twice(*args):\n    return both(*args, *args)\ndef both(*args):\n    return args\n"
    began = time.process_time()
    for lines in (
        f"{doubled}\n" * many,
        "for _ in range(8):\n    " + f"{doubled}\n    " * 5 + "\n",
    ):
        run(start + lines)
    assert time.process_time() - began < 10
