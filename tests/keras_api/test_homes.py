"""Every name that Keras dropped: found however it is asked for, with what is said and what is new."""

from __future__ import annotations

import importlib
import re
from typing import Any

import pytest

from lintkeras import engine, keras_api
from lintkeras.findings import Finding
from lintkeras.keras_api import homes
from lintkeras.keras_api.releases import Place, Releases
from lintkeras.keras_api.replacements import table
from lintkeras.rewrites.moves import import_path

NEWEST = Releases()
ROOTS = ["keras", "tf.keras"]


def dropped(root: Any) -> list[Place]:
    """What Keras 2.15 has and the newest release has not; functions of the backend aside."""
    space = keras_api.space(root)
    gone = [p for p in space.paths() if space.symbol(p, "2.15.0") and not space.symbol(p)]
    places = [Place(root, path) for path in gone]
    return [p for p in places if not re.match(r"backend\.[^.]+$", p.inside) or is_module(p)]


def is_module(place: Place) -> bool:
    symbol = keras_api.space(place.space).symbol(place.path, "2.15.0")
    return symbol is not None and symbol.kind == "module"


def lint(source: str) -> dict[int, Finding]:
    """The findings of the two rules by line."""
    report = engine.lint("x.py", source.encode(), "python", {"LK601", "LK602"})
    assert report.document is not None
    return {report.document.position(f.span.start)[0]: f for f in report.findings}


def import_from(place: Place) -> str:
    module, _, name = import_path(place).rpartition(".")
    return f"from {module} import {name}"


def test_how_many() -> None:
    assert len(dropped("keras")) > 180
    assert len(dropped("tf.keras")) > 140


@pytest.mark.parametrize("root", ROOTS)
def test_each_is_found_in_an_import(root: str) -> None:
    places = dropped(root)
    found = lint("\n".join(map(import_from, places)))
    assert [place.path for i, place in enumerate(places, 1) if i not in found] == []


@pytest.mark.parametrize("root", ROOTS)
def test_each_is_found_in_a_dotted_name(root: str) -> None:
    places = dropped(root)
    head = "import keras\nimport tensorflow as tf\n"
    found = lint(head + "\n".join(place.path for place in places))
    assert [place.path for i, place in enumerate(places, 3) if i not in found] == []
    assert all(root in finding.message for finding in found.values())


@pytest.mark.parametrize("root", ROOTS)
def test_each_is_found_through_an_alias(root: str) -> None:
    """``import keras.losses as a; a.mse``: at the alias where that is gone, else at the name."""
    missed = []
    for place in dropped(root):
        module, _, name = import_path(place).rpartition(".")
        if module:
            found = lint(f"import {module} as alias\nx = alias.{name}\n")
            missed += [place.path] if not found else []
    assert missed == []


def test_each_is_left_alone_where_it_is_there() -> None:
    """In the package tf_keras, and for a target that has it."""
    for root in ROOTS:
        source = "\n".join(map(import_from, dropped(root)))
        report = engine.lint("x.py", source.encode(), "python", {"LK601", "LK602"}, target="2.15")
        assert report.findings == ()
    space = keras_api.space("tf_keras")
    source = "\n".join(import_from(Place("tf_keras", p)) for p in space.paths() if "." in p)
    assert lint(source) == {}


@pytest.mark.parametrize("name", ["modules", "symbols"])
def test_the_tables(name: str) -> None:
    entries = table(name)
    assert len({entry["old"] for entry in entries}) == len(entries)
    known = {"old", "new", "safe", "note", "source", "onward", "stub", "lazy", "values", "rule"}
    for entry in entries:
        assert set(entry) <= known
        assert len(entry["source"]) > 10
        assert homes.is_known(Place("keras", "keras").beside(entry["old"])), entry["old"]
        news = [entry["new"]] if isinstance(entry["new"], str) else entry["new"]
        places = [
            Place(root, root).beside(new) for new in news if new for root in ("keras", "tf.keras")
        ]
        shown = {place.inside for place in places if NEWEST.symbol(place)}
        assert shown == {new for new in news if new}, entry["old"]


def test_a_symbol_that_moved_is_not_there_any_more() -> None:
    """An entry for a name that both roots have would never be read."""
    for entry in table("symbols"):
        places = [Place(root, root).beside(entry["old"]) for root in ("keras", "tf.keras")]
        assert not all(NEWEST.symbol(place) for place in places), entry["old"]


# ------------------------------------------------------------------ in the installed Keras


def moved() -> list[tuple[Place, Place]]:
    """Every name of any release that is gone and has a home, and that home."""
    pairs = []
    for root in ROOTS:
        space = keras_api.space(root)
        for path in space.paths():
            place = Place(root, path)  # type: ignore[arg-type]
            if homes.gone(NEWEST, place) is not None and not place.inside.startswith("backend."):
                home = homes.home(NEWEST, place)
                pairs += [(place, home.place)] if home is not None else []
    return pairs


@pytest.mark.tensorflow
def test_every_home_can_be_imported() -> None:
    pairs = moved()
    assert len(pairs) > 1000
    for place, home in pairs:
        module, _, name = import_path(home).rpartition(".")
        assert hasattr(importlib.import_module(module), name), place.path


@pytest.mark.tensorflow
@pytest.mark.parametrize("root", ROOTS)
@pytest.mark.parametrize("dotted", [False, True])
def test_what_is_said_of_each_is_what_keras_says(root: str, dotted: bool) -> None:
    head = "import keras\nimport tensorflow as tf\n"
    for place in dropped(root):
        line = place.path if dotted else import_from(place)
        (finding,) = lint(head + line).values()
        said = re.search(r": (\w+Error) \((.*)\) in Keras", finding.message)
        assert said is not None, finding.message
        with pytest.raises(Exception) as raised:
            exec(head + line, {})
        assert type(raised.value).__name__ == said[1], place.path
        text = str(raised.value)
        if root == "tf.keras" and dotted:  # an import by the other tests renames its module
            text = text.replace("'tensorflow.keras", "'keras._tf_keras.keras")
        assert text.startswith(said[2]), place.path


@pytest.mark.tensorflow
@pytest.mark.parametrize("root", ROOTS)
def test_nothing_that_is_there_is_reported(root: str) -> None:
    """Whatever the modules of the installed Keras hold, the data knows it or says nothing of it."""
    space = keras_api.space(root)
    names = []
    for path in space.paths():
        place = Place(root, path)  # type: ignore[arg-type]
        symbol = NEWEST.symbol(place)
        if (
            symbol is not None
            and symbol.kind == "module"
            and homes.not_loaded(NEWEST, place) is None
        ):
            module = importlib.import_module(import_path(place))
            inner = [Place(root, f"{path}.{name}") for name in dir(module)]  # type: ignore[arg-type]
            names += [one.path for one in inner if homes.not_loaded(NEWEST, one) is None]
    assert len(names) > 2000
    source = "import keras\nimport tensorflow as tf\n" + "\n".join(names)
    codes = {"LK601", "LK602", "LK609"}
    report = engine.lint("x.py", source.encode(), "python", codes)
    assert [finding.message for finding in report.findings] == []
