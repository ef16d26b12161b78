"""What a program is seen to use of Keras: names, members, calls; and what kind an object is."""

from __future__ import annotations

import pytest

from lintkeras.checks.fallbacks import is_guarded
from lintkeras.checks.registry import Context
from lintkeras.documents import read
from lintkeras.meaning.facts import CallMade, MemberUse, PartialMade, SymbolUse
from lintkeras.meaning.interpreter import Interpreter
from lintkeras.meaning.kinds import class_of, classes_of, is_model
from lintkeras.meaning.values import Const, Instance, Member, Symbol
from lintkeras.syntax.parse import parse_snippet
from lintkeras.syntax.program import Program


def context(source: str) -> Context:
    document = read("x.py", source.encode(), "python")
    program = Program(document, tuple(map(parse_snippet, document.snippets)))
    return Context(program, (), Interpreter().run(program.modules, len(source)))


def paths(source: str) -> set[str]:
    return {use.symbol.path for use in context(source).facts.all(SymbolUse)}


def test_names() -> None:
    assert paths("from keras.layers.core import Dense as D") == {
        "keras.layers.core", "keras.layers.core.Dense",
    }  # fmt: skip
    assert paths("import keras.layers.core as c\nc.Dense(1)") == {
        "keras.layers.core", "keras.layers.core.Dense",
    }  # fmt: skip
    assert "tensorflow.keras.backend.mean" in paths(
        "import tensorflow as tf\nK = tf.keras.backend\n\n\ndef f(x):\n    return K.mean(x)\n"
    )
    assert paths("import torch\nfrom . import keras\nkeras.layers.Dense") == set()


def test_a_name_that_may_be_two_things_is_not_used() -> None:
    source = (
        "try:\n    from keras import backend as K\nexcept ImportError:\n    import other as K\n"
        "K.mean(1)\n"
    )
    assert "keras.backend.mean" not in paths(source)


def test_members_and_calls() -> None:
    found = context(
        "import keras\n\n\nclass Net(keras.Model):\n    def run(self, x):\n"
        "        self.fit_generator(x)\n        self.optimizer.lr = 1\n\n\n"
        "model = keras.Sequential()\nmodel.predict_classes(1)\n"
        "keras.models.load_model('m').fit_generator(2)\nother.fit_generator(3)\n"
    ).facts
    used = {(use.node.attr.value, use.written) for use in found.all(MemberUse)}
    assert {("fit_generator", False), ("lr", True), ("predict_classes", False)} <= used
    kinds = {
        (use.node.attr.value, str(kind.path))
        for use in found.all(MemberUse)
        if (kind := class_of(use.owner)) is not None
    }
    assert ("fit_generator", "keras.Model") in kinds
    assert ("fit_generator", "keras.models.Model") in kinds
    assert ("lr", "keras.optimizers.Optimizer") in kinds
    assert ("predict_classes", "keras.Sequential") in kinds
    called = [c.function for c in found.all(CallMade) if isinstance(c.function, Member)]
    assert sum(one.name == "fit_generator" for one in called) == 2
    assert all(is_model(one.of) for one in called if one.name == "fit_generator")
    assert any(isinstance(c.function, Symbol) for c in found.all(CallMade))


KNOWN = [
    ("import keras\nkeras.applications.VGG16().lr", "keras.models.Model"),
    ("import keras\nm = keras.models.load_model('m')\nm.layers[0].lr", "keras.layers.Layer"),
    ("import keras\nfor l in keras.Model(1, 2).layers:\n    l.lr", "keras.layers.Layer"),
    ("import keras\nm = keras.Model(1, 2)\nm.compile('sgd')\nm.optimizer.lr",
     "keras.optimizers.Optimizer"),
    ("import tensorflow as tf\nclass C(tf.keras.callbacks.CSVLogger):\n    def f(self):\n"
     "        self.model.lr", "tensorflow.keras.models.Model"),
    ("import keras\nm = keras.Model(1, 2)\nm.fit(1, 2).lr", "keras.callbacks.History"),
    ("import keras\nm = keras.Model(1) if x else keras.models.load_model('m')\nm.lr",
     "keras.Model"),
]  # fmt: skip


@pytest.mark.parametrize(("source", "path"), KNOWN)
def test_kinds(source: str, path: str) -> None:
    (use,) = [u for u in context(source).facts.all(MemberUse) if u.node.attr.value == "lr"]
    assert path in [symbol.path for symbol in classes_of(use.owner)]


@pytest.mark.parametrize("owner", ["unknown", "keras.models.load_model('m').unknown", "[1][0]"])
def test_what_is_not_known_has_no_kind(owner: str) -> None:
    found = context(f"import keras\n({owner}).lr\n").facts
    for use in found.all(MemberUse):
        if use.node.attr.value == "lr":
            assert classes_of(use.owner) == []


GUARDED = [
    "try:\n    from keras.layers.core import Dense\nexcept ImportError:\n    Dense = None\n",
    "try:\n    import keras.ops\nexcept ImportError:\n    from keras.layers.core import Dense\n",
    "import keras\nif keras.__version__ < '3':\n    from keras.layers.core import Dense\n",
    "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from keras.layers.core import Dense\n",
    "def f(version):\n    if version >= 3:\n        return 1\n    from keras.layers.core import Dense\n",
    "import pytest\nwith pytest.raises(ImportError):\n    from keras.layers.core import Dense\n",
]
GUARDED += [
    "import inspect\nimport x\nnames = list(inspect.signature(x.f).parameters)\n"
    "if 'units' in names:\n    x.f(units=1)\nelse:\n    from keras.layers.core import Dense\n",
]
PLAIN = [
    "def f(kinds, x):\n    if 'conv' in kinds:\n        x.f(units=1)\n"
    "        from keras.layers.core import Dense\n",
    "from keras.layers.core import Dense\n",
    "def f(flag):\n    if flag:\n        from keras.layers.core import Dense\n",
    "try:\n    from keras.layers.core import Dense\nexcept KeyError:\n    pass\n",
    "with open('x'):\n    from keras.layers.core import Dense\n",
]


@pytest.mark.parametrize(
    ("source", "guarded"), [*((s, True) for s in GUARDED), *((s, False) for s in PLAIN)]
)
def test_guards(source: str, guarded: bool) -> None:
    found = context(source)
    (use,) = [u for u in found.facts.all(SymbolUse) if u.symbol.path == "keras.layers.core.Dense"]
    assert is_guarded(found, use.node, use.tests) is guarded


def test_places_where_something_else_may_be_called() -> None:
    found = context(
        "import keras\nfrom functools import partial\n\n\ndef make(cls):\n    return cls(1)\n\n\n"
        "make(keras.layers.Dense)\nmake(Other)\nboth = keras.layers.Dense if flag else Other\n"
        "both(2)\nlayer = keras.layers.Dense(3)\nlayer(4)\nsgd = partial(keras.optimizers.SGD, lr=5)\n"
        "sgd(momentum=6)\npartial(Other, 7)\n"
    ).facts
    made = [group[0] for group in found.calls(CallMade)]
    assert [kind.path for c in made if isinstance(kind := c.function, Symbol)] == [
        "keras.layers.Dense", "keras.optimizers.SGD",
    ]  # fmt: skip
    assert [c.arguments.positional for c in made if isinstance(c.function, Instance)] == [
        (Const(4),)
    ]
    ((one,),) = found.calls(PartialMade)
    assert one.function == Symbol("keras.optimizers.SGD")
    assert one.arguments.keywords == (("lr", Const(5)),) and not one.arguments.complete


def test_a_layer_of_the_program_is_called_as_one_thing() -> None:
    found = context(
        "import keras\n\n\nclass Twice(keras.layers.Layer):\n    def call(self, x, flag):\n"
        "        return x\n\n\nTwice()(1, True)\n"
    ).facts
    called = [g[0].function for g in found.calls(CallMade)]
    assert any(isinstance(one, Instance) for one in called)
