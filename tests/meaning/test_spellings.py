"""The verdict does not depend on the spelling: one program, written in hundreds of ways.

Known defects (LK103, LK101, LK105) and known legitimate edits (clipping, accumulation) are composed
of independent choices: how things are imported, where the step stands, how the list is built, how
it reaches the optimizer. Each combination must get the same verdict.
"""

from __future__ import annotations

import itertools
import random
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from lintkeras.rulebook import load
from tests.pages import lint

_EACH = 200
_GRADIENT_EDITS = load().select(["LK101", "LK102", "LK103", "LK104", "LK105", "LK108"])

IMPORTS = {
    "tf.keras": ("import tensorflow as tf\n", "tf", "tf.keras"),
    "tensorflow": ("import tensorflow\n", "tensorflow", "tensorflow.keras"),
    "keras": ("import keras\nimport tensorflow as tf\n", "tf", "keras"),
    "from": ("import tensorflow as tf\nfrom tensorflow import keras as K\n", "tf", "K"),
    "try": (
        "import tensorflow as tf\ntry:\n    import keras\n"
        "except ImportError:\n    from tensorflow import keras\n",
        "tf",
        "keras",
    ),
    "assigned": ("import tensorflow\ntf = tensorflow\nkeras = tf.keras\n", "tf", "keras"),
    "compat": ("import tensorflow.compat.v2 as tf\nfrom tensorflow import keras\n", "tf", "keras"),
}
MODELS = {
    "dense": "model = KERAS.layers.Dense(3)\n",
    "sequential": "model = KERAS.Sequential([KERAS.layers.Dense(3)])\n",
    "functional": "i = KERAS.Input((2,))\nmodel = KERAS.Model(i, KERAS.layers.Dense(3)(i))\n",
    "subclass": (
        "class Net(KERAS.Model):\n    def __init__(self):\n        super().__init__()\n"
        "        self.dense = KERAS.layers.Dense(3)\n    def call(self, x):\n"
        "        return self.dense(x)\nmodel = Net()\n"
    ),
    "made": "def make():\n    return KERAS.Sequential([KERAS.layers.Dense(3)])\nmodel = make()\n",
}
OPTIMIZERS = {
    "object": "OPT = KERAS.optimizers.Adam(0.01)\n",
    "class": "Adam = KERAS.optimizers.Adam\nOPT = Adam(learning_rate=0.01)\n",
    "made": "def optimizer_of(rate):\n    return KERAS.optimizers.Adam(rate)\nOPT = optimizer_of(0.01)\n",
    "table": "table = {'adam': KERAS.optimizers.Adam, 'sgd': KERAS.optimizers.SGD}\nOPT = table['adam'](0.01)\n",
    "legacy": "OPT = KERAS.optimizers.legacy.Adam(0.01)\n",
}  # fmt: skip
TAPES = {
    "with": "with TF.GradientTape() as tape:\n    loss = TF.reduce_mean(model(x))\n",
    "named": "tape = TF.GradientTape()\nwith tape:\n    loss = TF.reduce_mean(model(x))\n",
    "persistent": "with TF.GradientTape(persistent=True) as t:\n    y = model(x)\n    loss = TF.reduce_mean(y)\ntape = t\n",
}  # fmt: skip
SOURCES = {
    "direct": "GRADS = tape.gradient(loss, model.trainable_variables)\nVARS = model.trainable_variables\n",
    "named": "VARS = model.trainable_variables\nGRADS = tape.gradient(loss, VARS)\n",
    "weights": "VARS = model.trainable_weights\nGRADS = tape.gradient(sources=VARS, target=loss)\n",
    "list": "VARS = list(model.trainable_variables)\nGRADS = tape.gradient(loss, VARS)\n",
    "comprehension": "VARS = [v for v in model.trainable_variables]\nGRADS = tape.gradient(loss, VARS)\n",
}  # fmt: skip
# How EDIT(g) is made of every gradient.
LISTS = {
    "comprehension": "GRADS = [EDIT(g) for g in GRADS]\n",
    "new name": "changed = [EDIT(g) for g in GRADS]\nGRADS = changed\n",
    "append": "changed = []\nfor g in GRADS:\n    changed.append(EDIT(g))\nGRADS = changed\n",
    "plus": "changed = []\nfor g in GRADS:\n    changed += [EDIT(g)]\nGRADS = changed\n",
    "in two lines": "changed = []\nfor g in GRADS:\n    h = EDIT(g)\n    changed.append(h)\nGRADS = changed\n",
    "map": "GRADS = list(map(lambda g: EDIT(g), GRADS))\n",
    "map structure": "GRADS = TF.nest.map_structure(lambda g: EDIT(g), GRADS)\n",
    "in place": "GRADS = list(GRADS)\nfor k, g in enumerate(GRADS):\n    GRADS[k] = EDIT(g)\n",
    "by index": "for k in range(len(GRADS)):\n    GRADS[k] = EDIT(GRADS[k])\n",
    "zip": "GRADS = [EDIT(g) for g, v in zip(GRADS, VARS)]\n",
    "generator": "GRADS = list(EDIT(g) for g in GRADS)\n",
    "local function": "def edit(g):\n    return EDIT(g)\nGRADS = [edit(g) for g in GRADS]\n",
    "function of the list": "def edited(gs):\n    return [EDIT(g) for g in gs]\nGRADS = edited(GRADS)\n",
    "lambda of the list": "edited = lambda gs: [EDIT(g) for g in gs]\nGRADS = edited(GRADS)\n",
    "extend": "changed = []\nchanged.extend(EDIT(g) for g in GRADS)\nGRADS = changed\n",
    "star": "GRADS = [*(EDIT(g) for g in GRADS)]\n",
    "walrus": "GRADS = [(h := EDIT(g)) for g in GRADS]\n",
    "missing ones": "GRADS = [EDIT(g) if g is not None else None for g in GRADS]\n",
}  # fmt: skip
APPLIES = {
    "zip": "OPT.apply_gradients(zip(GRADS, VARS))\n",
    "list": "OPT.apply_gradients(list(zip(GRADS, VARS)))\n",
    "named": "pairs = zip(GRADS, VARS)\nOPT.apply_gradients(pairs)\n",
    "keyword": "OPT.apply_gradients(grads_and_vars=zip(GRADS, VARS))\n",
    "pairs": "OPT.apply_gradients([(g, v) for g, v in zip(GRADS, VARS)])\n",
    "generator": "OPT.apply_gradients((g, v) for g, v in zip(GRADS, VARS))\n",
    "append": "pairs = []\nfor g, v in zip(GRADS, VARS):\n    pairs.append((g, v))\nOPT.apply_gradients(pairs)\n",
    "apply": "OPT.apply(GRADS, VARS)\n",
    "method": "give = OPT.apply_gradients\ngive(zip(GRADS, VARS))\n",
    "function": "def give(gs, vs):\n    OPT.apply_gradients(zip(gs, vs))\ngive(GRADS, VARS)\n",
}  # fmt: skip
PLACES = {
    "script": "x = TF.ones((2, 2))\nBODY",
    "loop": "for x in data:\n    BODY",
    "function": "def run(x):\n    BODY\n    return loss\n",
    "compiled": "@TF.function\ndef run(x):\n    BODY\n    return loss\n",
    "wrapped": "def run(x):\n    BODY\nrun = TF.function(run)\nfor x in data:\n    run(x)\n",
    "method": "class Trainer:\n    def run(self, x):\n        BODY\n        return loss\n",
    "held": (
        "class Trainer:\n    def __init__(self, model, optimizer):\n        self.model = model\n"
        "        self.optimizer = optimizer\n    def run(self, x):\n        model = self.model\n"
        "        BODY\nTrainer(model, OPT).run(x)\n"
    ),
    "main": "def main():\n    for x in data:\n        BODY\nif __name__ == '__main__':\n    main()\n",
    "distributed": (
        "strategy = TF.distribute.MirroredStrategy()\ndef run(x):\n    BODY\n"
        "@TF.function\ndef all_of_them(x):\n    strategy.run(run, args=(x,))\n"
    ),
    "branch": "def run(x, training=True):\n    if training:\n        BODY\n        return loss\n    return None\n",
    "try": "def run(x):\n    try:\n        BODY\n    except ValueError:\n        raise\n",
}  # fmt: skip
FACTORS = {
    "literal": ("", "2.0"),
    "constant": ("FACTOR = 2.0\n", "FACTOR"),
    "folded": ("HALF = 0.5\n", "(1 / HALF)"),
    "tensor": ("", "TF.constant(2.0)"),
    "attribute": ("class Config:\n    factor = 2.0\n", "Config.factor"),
    "dictionary": ("config = {'factor': 2.0}\n", "config['factor']"),
}


@dataclass(frozen=True)
class Edit:
    """What is done to each gradient, ``{g}``; ``before`` stands in front of the program."""

    text: str
    before: str = ""


def scaled() -> Iterator[Edit]:
    """Ways to multiply by two."""
    forms = (
        "{g} * {k}",
        "{k} * {g}",
        "TF.multiply({g}, {k})",
        "{g} / (1 / {k})",
        "{g} * {k} * 1.0",
    )
    for form, (before, factor) in itertools.product(forms, FACTORS.values()):
        if "constant" not in factor or "/" not in form:
            yield Edit(form.replace("{k}", factor), before)


CLIPS = (
    Edit("TF.clip_by_norm({g}, 1.0)"),
    Edit("TF.clip_by_value({g}, -1.0, 1.0)"),
    Edit("2.0 * TF.clip_by_norm({g}, 1.0)"),
    Edit("{g} * TF.minimum(1.0, 2.0 / TF.norm({g}))"),
    Edit("{g} / TF.norm({g})"),
    Edit("{g} + TF.random.normal(TF.shape({g}))"),
    Edit("clip({g})", "def clip(g):\n    return TF.clip_by_norm(g, 0.5)\n"),
)
ACCUMULATIONS = (
    "GRADS = [(old + g) / 2.0 for old, g in zip(before, GRADS)]\n",
    "total = GRADS\nfor _ in range(3):\n    total = [t + g for t, g in zip(total, GRADS)]\nGRADS = [t / 4.0 for t in total]\n",
    "GRADS = [0.9 * m + 0.1 * g for m, g in zip(moments, GRADS)]\n",
    "GRADS = [TF.add_n([g, h]) * 0.5 for g, h in zip(GRADS, others)]\n",
    "for s, g in zip(sums, GRADS):\n    s.assign_add(g)\nGRADS = [s * 0.25 for s in sums]\n",
    "a = tape.gradient(loss, VARS)\nGRADS = [0.5 * g + 0.5 * h for g, h in zip(GRADS, a)]\n",
    "factor = compute()\nGRADS = [g * factor for g in GRADS]\n",
    "if x is not None:\n    GRADS = [g * 2.0 for g in GRADS]\n",
)  # fmt: skip
FILTERS = (
    "GRADS = [g for g in GRADS if g is not None]\n",
    "kept = []\nfor g in GRADS:\n    if g is not None:\n        kept.append(g)\nGRADS = kept\n",
    "kept = []\nfor g in GRADS:\n    if g is None:\n        continue\n    kept.append(g)\nGRADS = kept\n",
    "GRADS = list(filter(lambda g: g is not None, GRADS))\n",
    "def kept(gs):\n    return [g for g in gs if g is not None]\nGRADS = kept(GRADS)\n",
    "GRADS = [g for g, v in zip(GRADS, VARS) if g is not None]\n",
)  # fmt: skip
BOTH = (
    "pairs = [(g, v) for g, v in zip(GRADS, VARS) if g is not None]\nGRADS, VARS = [g for g, v in pairs], [v for g, v in pairs]\n",
    "kept, theirs = [], []\nfor g, v in zip(GRADS, VARS):\n    if g is not None:\n        kept.append(g)\n        theirs.append(v)\nGRADS, VARS = kept, theirs\n",
    "VARS = [v for g, v in zip(GRADS, VARS) if g is not None]\nGRADS = [g for g in GRADS if g is not None]\n",
    "GRADS = [TF.zeros_like(v) if g is None else g for g, v in zip(GRADS, VARS)]\n",
)  # fmt: skip


def program(pick: random.Random, edit: str, before: str = "") -> tuple[str, str]:
    """One spelling of a step with ``edit`` between tape and optimizer, and its description."""
    chosen = {
        name: pick.choice(sorted(choices))
        for name, choices in (
            ("imports", IMPORTS), ("model", MODELS), ("optimizer", OPTIMIZERS), ("tape", TAPES),
            ("sources", SOURCES), ("apply", APPLIES), ("place", PLACES),
        )
    }  # fmt: skip
    imports, tf, keras = IMPORTS[chosen["imports"]]
    apply = APPLIES[chosen["apply"]]
    optimizer = OPTIMIZERS[chosen["optimizer"]]
    place = PLACES[chosen["place"]]
    if chosen["place"] == "held":
        apply = apply.replace("OPT", "self.optimizer")
    body = TAPES[chosen["tape"]] + SOURCES[chosen["sources"]] + edit + apply
    line = next(line for line in place.split("\n") if line.strip() == "BODY")
    indent = line.removesuffix("BODY")
    text = imports + before + MODELS[chosen["model"]] + optimizer
    text += place.replace(line, textwrap.indent(body, indent).rstrip("\n"))
    names = {
        "TF": tf, "KERAS": keras, "OPT": pick.choice(("optimizer", "opt", "adam")),
        "GRADS": pick.choice(("grads", "gradients", "dw")),
        "VARS": pick.choice(("variables", "weights", "vs")),
    }  # fmt: skip
    for placeholder, name in names.items():
        text = text.replace(placeholder, name)
    return text, ", ".join(f"{name}: {choice}" for name, choice in chosen.items())


def with_edit(pick: random.Random, edit: Edit, comment: str = "") -> tuple[str, str]:
    """One spelling with the edit applied to each gradient, the comment above that line."""
    style = pick.choice(sorted(LISTS))
    text = LISTS[style]
    while "EDIT(" in text:
        start = text.index("EDIT(")
        end = text.index(")", start)
        gradient = text[start + len("EDIT(") : end]
        line = text.rfind("\n", 0, start) + 1
        indent = text[line : len(text) - len(text[line:].lstrip())]
        above = indent + comment if comment else ""
        changed = edit.text.replace("{g}", gradient)
        text = text[:line] + above + text[line:start] + changed + text[end + 1 :]
    source, description = program(pick, text, edit.before)
    return source, f"{description}, list: {style}, edit: {edit.text}"


def codes(source: str) -> set[str]:
    """The findings about gradient edits."""
    compile(source, "spelling", "exec")
    return {code for _, _, code in lint(source, "python")} & _GRADIENT_EDITS


def check(spellings: Iterator[tuple[str, str]], expected: set[str]) -> None:
    """Every spelling gets the same verdict; at least two hundred are tried."""
    wrong = []
    seen = set()
    for source, description in spellings:
        seen.add(source)
        found = codes(source)
        if found != expected:
            wrong.append(f"{sorted(found)}: {description}")
    assert len(seen) >= _EACH
    assert not wrong, "\n".join([f"{len(wrong)} of {len(seen)}", *wrong[:20]])


def test_a_factor_that_cancels() -> None:
    pick = random.Random(103)
    edits = list(scaled())
    check((with_edit(pick, pick.choice(edits)) for _ in range(_EACH + 8)), {"LK103"})


def test_a_factor_that_is_taken_for_a_derivative() -> None:
    pick = random.Random(101)
    edits = list(scaled())
    comments = (
        "# change the derivative of the activation\n",
        "# double the gradient of the relu in the backward pass\n",
    )
    check(
        (with_edit(pick, pick.choice(edits), pick.choice(comments)) for _ in range(_EACH + 8)),
        {"LK101"},
    )


def test_clipping_and_noise() -> None:
    pick = random.Random(3)
    check((with_edit(pick, pick.choice(CLIPS)) for _ in range(_EACH + 8)), set())


def test_accumulation_and_other_lists() -> None:
    pick = random.Random(5)
    check((program(pick, pick.choice(ACCUMULATIONS)) for _ in range(_EACH + 8)), set())


def test_gradients_filtered_alone() -> None:
    pick = random.Random(105)
    check((program(pick, pick.choice(FILTERS)) for _ in range(_EACH + 8)), {"LK105"})


def test_pairs_filtered_together() -> None:
    pick = random.Random(7)
    check((program(pick, pick.choice(BOTH)) for _ in range(_EACH + 8)), set())


@pytest.mark.parametrize(
    "edit",
    [
        "GRADS = [g.numpy() * 2.0 for g in GRADS]\n",
        "GRADS = other_module.double(GRADS)\n",
        "GRADS = [double(g) for g in GRADS]\n",
        "GRADS = [eval('g * 2.0') for g in GRADS]\n",
        "GRADS = dict(enumerate(GRADS))\nGRADS = [GRADS[k] * 2.0 for k in GRADS]\n",
        "exec('GRADS = [g * 2.0 for g in GRADS]')\n",
        "GRADS = [getattr(g, name)(2.0) for g in GRADS]\n",
        "GRADS = [g.__mul__(2.0) for g in GRADS]\n",
    ],
)
def test_what_is_not_followed_is_not_judged(edit: str) -> None:
    pick = random.Random(edit)
    for _ in range(5):
        source, description = program(pick, edit)
        assert codes(source) == set(), description
