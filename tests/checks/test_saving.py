"""Renamed files: who follows, what stays, and when that is safe."""

from __future__ import annotations

import pytest

from lintkeras import engine
from lintkeras.findings import Applicability
from lintkeras.fixes import Consent, fix
from lintkeras.rulebook import load

CODES = {"LK405", "LK613", "LK705"}
HEAD = """\
import os
import keras
from keras.models import load_model
model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
"""


def fixed(program: str, *, unsafe: bool, target: str | None = None) -> str:
    done = fix(
        (HEAD + program).encode(),
        Consent(unsafe=unsafe),
        lambda new: engine.lint("x.py", new, "python", CODES, target=target),
    )
    return done.data.decode().removeprefix(HEAD) if done.made else program


# Each program, and what the safe fixes alone make of it.
SAFE = {
    "the same literal": (
        'model.save("m")\nload_model("m").save_weights("m.h5")\nmodel.load_weights("m.h5")\n',
        'model.save("m.keras")\nload_model("m.keras").save_weights("m.weights.h5")\n'
        'model.load_weights("m.weights.h5")\n',
    ),
    "the same constant": (
        'P = "out/" + "m"\nmodel.save(P)\nif os.path.exists(P):\n    load_model(P)\n',
        'P = "out/" + "m.keras"\nmodel.save(P)\nif os.path.exists(P):\n    load_model(P)\n',
    ),
    "a function of os": (
        'model.save("m")\nos.path.exists("m")\n',
        'model.save("m.keras")\nos.path.exists("m.keras")\n',
    ),
    "the same expression": (
        'd = input()\nmodel.save_weights(os.path.join(d, "w"))\n'
        'model.load_weights(os.path.join(d, "w"))\n',
        'd = input()\nmodel.save_weights(os.path.join(d, "w.weights.h5"))\n'
        'model.load_weights(os.path.join(d, "w.weights.h5"))\n',
    ),
    "the name of a layer": (
        'keras.layers.Dense(1, name="m")\nmodel.save("m")\n',
        'keras.layers.Dense(1, name="m")\nmodel.save("m.keras")\n',
    ),
    "quotes and prefixes": (
        "model.save(r'm')\nmodel.save_weights('''w''')\nmodel.save(\"a\" 'b')\n",
        "model.save(r'm.keras')\nmodel.save_weights('''w.weights.h5''')\nmodel.save(\"a\" 'b.keras')\n",
    ),
    "a dot in the name": ('model.save("v1.2")\n', 'model.save("v1.2.keras")\n'),
    "a folder": ('model.save("m/")\n', 'model.save("m.keras")\n'),
    "capitals": ('model.save_weights("W.HDF5")\n', 'model.save_weights("W.weights.h5")\n'),
    "the other kind keeps its name": (
        'model.save("m")\nmodel.save_weights("m")\n',
        'model.save("m.keras")\nmodel.save_weights("m.weights.h5")\n',
    ),
    "a stem": (
        'S = "m"\nlog = f"{S}.csv"\nmodel.save(S)\nload_model(S)\n',
        'S = "m"\nlog = f"{S}.csv"\nmodel.save(S + ".keras")\nload_model(S + ".keras")\n',
    ),
}
# Each program, and what all fixes make of it; the safe ones leave it alone.
UNSAFE = {
    "another function reads it": (
        'P = "w.h5"\ndef predict():\n    model.load_weights(P)\nmodel.save_weights(P)\n',
        'P = "w.weights.h5"\ndef predict():\n    model.load_weights(P)\nmodel.save_weights(P)\n',
    ),
    "read before": (
        'if os.path.exists("w.h5"):\n    model.load_weights("w.h5")\nmodel.save_weights("w.h5")\n',
        'if os.path.exists("w.weights.h5"):\n    model.load_weights("w.weights.h5")\n'
        'model.save_weights("w.weights.h5")\n',
    ),
    "written out elsewhere": (
        'model.save("m")\nupload("m")\n',
        'model.save("m.keras")\nupload("m")\n',
    ),
    "behind a condition": (
        'if input():\n    model.save_weights("w.h5")\nmodel.load_weights("w.h5")\n',
        'if input():\n    model.save_weights("w.weights.h5")\nmodel.load_weights("w.weights.h5")\n',
    ),
}  # fmt: skip
# Found, and left to a person.
LEFT = {
    "two kinds of file under one constant": 'P = "m"\nmodel.save(P)\nmodel.save_weights(P)\n',
    "bound twice": 'p = "m"\nif input():\n    p = "n"\nmodel.save(p)\n',
    "escapes": 'model.save("a\\x62")\n',
    "no name": 'model.save("/")\nmodel.save_weights(".h5")\n',
}


@pytest.mark.parametrize(("program", "expected"), SAFE.values(), ids=SAFE)
def test_safe(program: str, expected: str) -> None:
    assert fixed(program, unsafe=False) == expected
    assert fixed(program, unsafe=True) == expected


@pytest.mark.parametrize(("program", "expected"), UNSAFE.values(), ids=UNSAFE)
def test_unsafe(program: str, expected: str) -> None:
    assert fixed(program, unsafe=False) == program
    assert fixed(program, unsafe=True) == expected


def test_where_keras_2_is_allowed_nothing_is_safe() -> None:
    program = 'model.save("m")\n'
    assert fixed(program, unsafe=False, target=">=2.10") == program
    assert fixed(program, unsafe=True, target=">=2.10") == 'model.save("m.keras")\n'
    assert fixed(program, unsafe=True, target="2.15") == program


@pytest.mark.parametrize("program", LEFT.values(), ids=LEFT)
def test_left_to_a_person(program: str) -> None:
    report = engine.lint("x.py", (HEAD + program).encode(), "python", CODES)
    assert report.findings
    renamings = [one for f in report.findings for one in f.fixes if one.id == "rename"]
    assert not [one for one in renamings if one.applicability is Applicability.SAFE]


def test_the_place_that_stays_is_named() -> None:
    program = (HEAD + 'model.save("m")\nupload("m")\n').encode()
    (finding,) = engine.lint("x.py", program, "python", CODES).findings
    assert any("line 6" in note.text for note in finding.notes)


SETS = [
    'os.environ["TF_USE_LEGACY_KERAS"] = "1"',
    'os.environ.setdefault("TF_USE_LEGACY_KERAS", "true")',
    'os.environ.update({"TF_USE_LEGACY_KERAS": "True"})',
    'os.environ.update(TF_USE_LEGACY_KERAS="1")',
    'os.putenv("TF_USE_LEGACY_KERAS", "1")',
    'from os import environ\nenviron["TF_USE_LEGACY_KERAS"] = "1"',
]
SETS_NOT = [
    "",
    'os.environ["TF_USE_LEGACY_KERAS"] = "0"',
    'os.environ["KERAS_BACKEND"] = "1"',
    'environ = {}\nenviron["TF_USE_LEGACY_KERAS"] = "1"',
]


@pytest.mark.parametrize("line", [*SETS, *SETS_NOT])
def test_a_file_that_asks_for_keras_2(line: str) -> None:
    program = f"import os\n{line}\nfrom tensorflow import keras\nkeras.Sequential().save('m')\n"
    report = engine.lint("x.py", program.encode(), "python", CODES)
    assert bool(report.findings) == (line in SETS_NOT)
    program = program.replace("from tensorflow import keras", "import keras")
    assert engine.lint("x.py", program.encode(), "python", CODES).findings


def test_arguments_of_files_are_found_by_one_rule() -> None:
    program = HEAD + (
        'model.save("m.keras", options=None)\n'
        'model.save_weights("w.weights.h5", save_format="h5")\n'
        'load_model("m.keras", options=None)\n'
        'keras.callbacks.ModelCheckpoint("m.keras", options=None)\n'
        'model.load_weights("w.weights.h5", by_name=True)\n'
    )
    codes = load().select(["LK6", "LK4", "LK7"])
    found = engine.lint("x.py", program.encode(), "python", codes).findings
    assert [one.rule for one in found] == ["LK613"] * 5
