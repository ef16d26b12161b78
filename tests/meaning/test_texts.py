"""How the paths of programs end."""

from __future__ import annotations

import libcst as cst
import pytest

from lintkeras.meaning.facts import CallMade
from lintkeras.meaning.interpreter import Interpreter
from lintkeras.meaning.texts import Tail, tail_of

CASES = {
    '"a/w.h5"': Tail("a/w.h5", True),
    "name": Tail(""),
    'name + ".h5"': Tail(".h5"),
    '"w" + name': Tail(""),
    'f"{name}.h5"': Tail(".h5"),
    'f"{name}_{number:02d}.h5"': Tail(".h5"),
    'f"a/{KNOWN}.h5"': Tail("a/known.h5", True),
    'f"{name!r}"': Tail(""),
    'f"a/{{epoch}}.h5"': Tail("a/{epoch}.h5", True),
    '"%s.h5" % name': Tail(".h5"),
    '"%(a)s-%(b).2f.h5" % name': Tail(".h5"),
    '"100%%.h5" % name': Tail(""),
    '"{}.h5".format(name)': Tail(".h5"),
    '"{}.h5 or {}".format(name, 2)': Tail(""),
    '"{".format(name)': Tail(""),
    'os.path.join(name, "w.h5")': Tail("/w.h5"),
    'os.path.join("a", KNOWN + ".h5")': Tail("a/known.h5", True),
    'os.path.join("a", "/b")': Tail("/b", True),
    'os.path.join(name, f"{number}.h5")': Tail(".h5"),
    'os.path.abspath("w.h5")': Tail("/w.h5"),
    'Path(name) / "w.h5"': Tail("/w.h5"),
    'Path("a") / "b" / "w.h5"': Tail("a/b/w.h5", True),
    'str(Path(name, "w.h5"))': Tail("/w.h5"),
    'Path(name).joinpath("w.h5").as_posix()': Tail("/w.h5"),
    'Path(name).with_suffix(".h5")': Tail(".h5"),
    'Path("w.h5").resolve()': Tail("/w.h5"),
    "number / 2": Tail(""),
    "3": Tail(""),
    "unknown(name)": Tail(""),
}


@pytest.mark.parametrize(("written", "expected"), CASES.items())
def test_the_end_of_a_path(written: str, expected: Tail) -> None:
    program = f"""
import os
from pathlib import Path
import keras
KNOWN = "known"
def f(name, number, unknown):
    keras.models.load_model({written})
"""
    facts = Interpreter().run((cst.parse_module(program),), len(program))
    call = [one for one in facts.all(CallMade) if one.arguments.positional][-1]
    assert tail_of(call.arguments.positional[0]) == expected


def test_ends_that_are_known() -> None:
    assert Tail("w.h5", True).ends_with(".weights.h5") is False
    assert Tail(".weights.h5").ends_with(".weights.h5") is True
    assert Tail("s.h5").ends_with(".weights.h5") is None
    assert Tail(".h5").ends_with(".weights.h5") is False, "known from a dot on"
    assert Tail("").ends_with(".h5") is None
    assert Tail("", True).ends_with(".h5") is False
    assert Tail("a/b", True).last == Tail("/b").last == "b"
    assert Tail("b").last is None
