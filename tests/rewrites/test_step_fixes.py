"""Fixes of optimizer steps, lists, filters, tapes and bare custom gradients."""

from __future__ import annotations

from textwrap import dedent, indent

import pytest

from lintkeras import engine
from lintkeras.findings import Applicability, Finding, Fix
from lintkeras.fixes import Consent, fix
from lintkeras.rulebook import load
from lintkeras.syntax.edits import apply

CODES = load().select(["ALL"])
HEAD = """import tensorflow as tf
from tensorflow import keras

dense = keras.layers.Dense(4)
"""
STEP = """

def train_step(x, y):
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean((dense(x) - y) ** 2)
    grads = tape.gradient(loss, dense.trainable_variables)
"""


def finding(source: str, rule: str) -> Finding:
    report = engine.lint("x.py", source.encode(), "python", CODES)
    (found,) = [one for one in report.findings if one.rule == rule]
    return found


def fixed(source: str, rule: str) -> tuple[str, Fix] | None:
    """The source with the rule's first fix, which leaves none of it; None without a fix."""
    found = finding(source, rule).fixes
    if not found:
        return None
    new = apply(source, list(found[0].edits))
    compile(new, "fixed", "exec")
    report = engine.lint("x.py", new.encode(), "python", CODES)
    assert rule not in [one.rule for one in report.findings]
    return new, found[0]


def step(body: str, optimizer: str = "optimizer = keras.optimizers.SGD(0.1)") -> str:
    return HEAD + optimizer + "\n" + STEP + indent(dedent(body).strip("\n"), "    ") + "\n"


# ---------------------------------------------------------------------------- LK102

SCALED = """
    grads = [g * {} for g in grads]
    optimizer.apply_gradients(zip(grads, dense.trainable_variables))
"""
RATES = {
    ("SGD(0.1)", "2"): "SGD(0.2)",
    ("SGD(learning_rate=0.1)", "3"): "SGD(learning_rate=0.3)",
    ("SGD(1e-3, momentum=0.9)", "0.5"): "SGD(0.0005, momentum=0.9)",
    ("SGD(1)", "0.5"): "SGD(0.5)",
    ("SGD()", "2"): "SGD(learning_rate=0.02)",
    ("SGD(momentum=0.9, nesterov=True)", "2"): "SGD(momentum=0.9, nesterov=True, learning_rate=0.02)",
    ("SGD(0.1, clipnorm=None)", "2"): "SGD(0.2, clipnorm=None)",
    ("SGD(RATE)", "2"): "SGD(RATE * 2)",
    ("SGD(RATE / 10)", "2"): "SGD((RATE / 10) * 2)",
}  # fmt: skip


@pytest.mark.parametrize(("optimizer", "factor"), RATES)
def test_a_factor_moves_into_the_learning_rate(optimizer: str, factor: str) -> None:
    made = "RATE = 0.1\noptimizer = keras.optimizers."
    done = fixed(step(SCALED.format(factor), made + optimizer), "LK102")
    assert done is not None
    assert f"optimizer = keras.optimizers.{RATES[optimizer, factor]}\n" in done[0]
    assert "    grads = [" not in done[0]
    assert done[1].applicability is Applicability.UNSAFE


@pytest.mark.parametrize(
    "optimizer",
    [
        "optimizer = keras.optimizers.SGD(0.1, weight_decay=0.01)",
        "optimizer = keras.optimizers.SGD(keras.optimizers.schedules.CosineDecay(0.1, 10))",
        "optimizer = keras.optimizers.SGD(0.1)\noptimizer.learning_rate = 0.2",
        "optimizer = keras.optimizers.SGD(0.1)\nkeep(optimizer)",
        "optimizer = keras.optimizers.SGD(0.1)\nother = optimizer",
        "optimizer = keras.optimizers.SGD(0.1)\nif x:\n    optimizer = keras.optimizers.SGD(0.1)",
        "optimizer = keras.optimizers.SGD(0.1)\nmodel = keras.Sequential([dense])\n"
        "model.compile(optimizer, 'mse')",
        "optimizer = keras.optimizers.SGD(0.1)\n\n\ndef other_step(x):\n"
        "    with tf.GradientTape() as tape:\n        loss = tf.reduce_mean(dense(x))\n"
        "    grads = tape.gradient(loss, dense.trainable_variables)\n"
        "    grads = [g * 2 for g in grads]\n"
        "    optimizer.apply_gradients(zip(grads, dense.trainable_variables))",
    ],
)
def test_not_into_a_rate_that_is_not_this_steps_alone(optimizer: str) -> None:
    source = step(SCALED.format("2"), optimizer)
    report = engine.lint("x.py", source.encode(), "python", CODES)
    assert [one.fixes for one in report.findings if one.rule == "LK102"] in ([], [()], [(), ()])


@pytest.mark.tensorflow
def test_both_programs_train_alike() -> None:
    import numpy as np
    import tensorflow as tf

    source = step(SCALED.format("2"), "optimizer = keras.optimizers.SGD(0.1, momentum=0.9)")
    done = fixed(source, "LK102")
    assert done is not None
    x, y = tf.ones((2, 3)), tf.zeros((2, 4))
    results = []
    for text in (source, done[0]):
        names: dict[str, object] = {}
        tf.keras.utils.set_random_seed(1)
        exec(compile(text, "program", "exec"), names)
        for _ in range(5):
            names["train_step"](x, y)  # type: ignore[operator]
        results.append(names["dense"].kernel.numpy())  # type: ignore[attr-defined]
    np.testing.assert_allclose(results[0], results[1], rtol=1e-6)


# ---------------------------------------------------------------------------- LK104

LISTS = {
    "grads = grads * 2.0": ("grads = [None if g is None else g * 2.0 for g in grads]", "safe"),
    "grads = 0.5 * grads": ("grads = [None if g is None else 0.5 * g for g in grads]", "safe"),
    "grads = grads / 2": ("grads = [None if g is None else g / 2 for g in grads]", "safe"),
    "grads = -grads": ("grads = [None if g is None else -g for g in grads]", "safe"),
    "grads *= 0.5": ("grads = [None if g is None else g * 0.5 for g in grads]", "safe"),
    "grads = grads * 2": ("grads = [None if g is None else g * 2 for g in grads]", "unsafe"),
    "grads = 2 * grads": ("grads = [None if g is None else 2 * g for g in grads]", "unsafe"),
    "grads *= 2": ("grads = [None if g is None else g * 2 for g in grads]", "unsafe"),
    "g = 0.5; grads = grads * g": (
        "g = 0.5; grads = [None if g_2 is None else g_2 * g for g_2 in grads]", "safe",
    ),
    "grads = grads * (1 / 3)": ("grads = [None if g is None else g * (1 / 3) for g in grads]", "safe"),
    "grads = (grads) * 2.0": ("grads = [None if g is None else g * 2.0 for g in (grads)]", "safe"),
}  # fmt: skip


@pytest.mark.parametrize("body", LISTS)
def test_an_operator_goes_to_each_gradient(body: str) -> None:
    tail = "\noptimizer.apply_gradients(zip(grads, dense.trainable_variables))\n"
    adagrad = "optimizer = keras.optimizers.Adagrad(0.1)"
    done = fixed(step(body + tail, adagrad), "LK104")
    assert done is not None
    expected, safety = LISTS[body]
    assert done[0] == step(expected + tail, adagrad)
    assert done[1].applicability == safety


@pytest.mark.tensorflow
@pytest.mark.parametrize("body", [body for body in LISTS if LISTS[body][1] == "safe"])
def test_a_safe_fix_repairs_what_must_raise(body: str) -> None:
    import tensorflow as tf

    tail = "\noptimizer.apply_gradients(zip(grads, dense.trainable_variables))\n"
    source = step(body + tail, "optimizer = keras.optimizers.Adagrad(0.1)")
    done = fixed(source, "LK104")
    assert done is not None
    x, y = tf.ones((2, 3)), tf.zeros((2, 4))
    for text, raises in ((source, True), (done[0], False)):
        names: dict[str, object] = {}
        exec(compile(text, "program", "exec"), names)
        try:
            names["train_step"](x, y)  # type: ignore[operator]
        except TypeError:
            assert raises
        else:
            assert not raises


# ---------------------------------------------------------------------------- LK105

APPLY = "optimizer.apply_gradients(zip({}, dense.trainable_variables))"
PAIRS = "optimizer.apply_gradients([(g, v) for g, v in zip(grads, dense.trainable_variables) if g is not None])"
FILTERS = {
    "a statement": (
        f"grads = [g for g in grads if g is not None]  # drop\n{APPLY.format('grads')}", PAIRS,
    ),
    "another name": (
        f"found = [g for g in grads if g is not None]\nprint(grads)\n{APPLY.format('found')}",
        f"print(grads)\n{PAIRS}",
    ),
    "inline": (APPLY.format("[g for g in grads if g is not None]"), PAIRS),
    "a generator": (APPLY.format("(g for g in grads if g is not None)"), PAIRS),
    "filter": (APPLY.format("filter(lambda g: g is not None, grads)"), PAIRS),
    "filter, a list of it": (
        f"found = list(filter(lambda g: g is not None, grads))\n{APPLY.format('found')}", PAIRS,
    ),
    "a loop": (
        f"found = []\nfor g in grads:\n    if g is not None:\n        found.append(g)  # one\n{APPLY.format('found')}",
        PAIRS,
    ),
    "a loop with continue": (
        f"found = []\nfor g in grads:\n    if g is None:\n        continue\n    found.append(g)\n{APPLY.format('found')}",
        PAIRS,
    ),
    "straight from the tape": (
        f"found = [g for g in tape.gradient(loss, dense.trainable_variables) if g is not None]\n{APPLY.format('found')}",
        f"found = tape.gradient(loss, dense.trainable_variables)\n{PAIRS.replace('grads', 'found')}",
    ),
    "with something done to each": (
        f"found = [g * 2 for g in grads if g is not None]\n{APPLY.format('found')}",
        PAIRS.replace("(g, v)", "(g * 2, v)"),
    ),
    "apply": (
        "grads = [g for g in grads if g is not None]\noptimizer.apply(grads, dense.trainable_variables)",
        PAIRS,
    ),
    "a name that is taken": (
        "v = dense.trainable_variables\nfound = [g for g in grads if g is not None]\n"
        "optimizer.apply_gradients(zip(found, v))",
        "v = dense.trainable_variables\n"
        "optimizer.apply_gradients([(g, v_2) for g, v_2 in zip(grads, v) if g is not None])",
    ),
    "a list of pairs": (
        "found = [g for g in grads if g is not None]\npairs = list(zip(found, dense.trainable_variables))\n"
        "optimizer.apply_gradients(pairs)",
        "pairs = list([(g, v) for g, v in zip(grads, dense.trainable_variables) if g is not None])\n"
        "optimizer.apply_gradients(pairs)",
    ),
    "used elsewhere": (
        f"found = [g for g in grads if g is not None]\nprint(len(found))\n{APPLY.format('found')}", None,
    ),
    "a comment in the loop": (
        f"found = []\nfor g in grads:\n    # only these\n    if g is not None:\n        found.append(g)\n{APPLY.format('found')}",
        None,
    ),
    "the source is bound again": (
        f"found = [g for g in grads if g is not None]\ngrads = None\n{APPLY.format('found')}", None,
    ),
    "a loop that does more": (
        f"found = []\nfor g in grads:\n    if g is not None:\n        print(g)\n        found.append(g)\n{APPLY.format('found')}",
        None,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FILTERS)
def test_pairs_are_filtered(name: str) -> None:
    body, expected = FILTERS[name]
    adagrad = "optimizer = keras.optimizers.Adagrad(0.1)"
    done = fixed(step(body, adagrad), "LK105")
    if expected is None:
        assert done is None
    else:
        assert done is not None
        assert done[0] == step(expected, adagrad)
        assert ("comment" in done[1].title) == ("#" in body)


# ---------------------------------------------------------------------------- LK108

RELU = """import tensorflow as tf
from tensorflow import keras

dense = keras.layers.Dense(4, activation="{}")
optimizer = keras.optimizers.SGD(0.1)
"""


@pytest.mark.parametrize(
    "rectified",
    [
        "tf.nn.relu(g)", "tf.maximum(g, 0.0)", "tf.maximum(0.0, g)",
        "tf.where(g > 0, g, tf.zeros_like(g))", "g * tf.cast(g > 0, g.dtype)",
    ],
)  # fmt: skip
def test_a_guided_relu_is_sketched(rectified: str) -> None:
    body = f"    grads = [{rectified} for g in grads]\n    {APPLY.format('grads')}\n"
    done = fixed(RELU.format("relu") + STEP + body, "LK108")
    assert done is not None
    assert (done[1].id, done[1].applicability, done[1].target) == (
        "guided-relu",
        "display",
        "dense",
    )
    assert "upstream * tf.cast(upstream > 0, z.dtype) * tf.cast(z > 0, z.dtype)" in done[0]
    assert f"    grads = tape.gradient(loss, dense.trainable_variables)\n    {APPLY.format('grads')}\n" in done[0]  # fmt: skip
    assert fixed(RELU.format("tanh") + STEP + body, "LK108") is None


# ---------------------------------------------------------------------------- LK110

TAPES = {
    "tf.GradientTape()": "tf.GradientTape(persistent=True)",
    "tf.GradientTape(persistent=False)": "tf.GradientTape(persistent=True)",
    "tf.GradientTape(False)": "tf.GradientTape(True)",
    "tf.GradientTape(watch_accessed_variables=True)": (
        "tf.GradientTape(watch_accessed_variables=True, persistent=True)"
    ),
}


@pytest.mark.parametrize("tape", TAPES)
def test_a_tape_is_made_persistent(tape: str) -> None:
    source = HEAD + STEP.replace("tf.GradientTape()", tape) + "    return grads, tape.gradient(loss, x)\n"  # fmt: skip
    done = fixed(source, "LK110")
    assert done is not None
    assert done[0] == source.replace(tape, TAPES[tape])
    assert done[1].applicability is Applicability.SAFE


# ---------------------------------------------------------------------------- LK134

BARE = """import tensorflow as tf
from {keras} import layers


@tf.custom_gradient
def twice(z):
    def grad(upstream):
        return 2 * upstream

    return z, grad


# the layer
layer = layers.Dense(4, activation=twice)
"""


@pytest.mark.parametrize(
    ("keras", "imported", "register"),
    [
        ("keras", "import keras\n", "keras.saving"),
        ("tensorflow.keras", "", "tf.keras.utils"),
        ("tf_keras", "import tf_keras\n", "tf_keras.utils"),
    ],
)
def test_a_plain_function_around_a_bare_custom_gradient(
    keras: str, imported: str, register: str
) -> None:
    source = BARE.format(keras=keras)
    done = fixed(source, "LK134")
    assert done is not None
    wrapper = (
        f'@{register}.register_keras_serializable(package="custom")\n'
        "def twice_activation(z):\n"
        "    # a plain function: a bare custom_gradient object cannot be loaded again\n"
        "    return twice(z)\n\n\n"
    )
    expected = source.replace("# the layer\n", wrapper + "# the layer\n")
    expected = expected.replace("activation=twice)", "activation=twice_activation)")
    expected = imported + expected
    assert done[0] == expected
    assert done[1].applicability is Applicability.SAFE


def test_inside_the_function_that_defines_it() -> None:
    head, _, tail = BARE.format(keras="keras").partition("\n\n@tf")
    function = indent("@tf" + tail, "    ").replace("    \n", "\n")
    source = head + "\n\ndef build():\n" + function + "    return layer\n"
    done = fixed(source, "LK134")
    assert done is not None
    assert (
        "        return z, grad\n\n\n"
        '    @keras.saving.register_keras_serializable(package="custom")\n'
        "    def twice_activation(z):\n"
        "        # a plain function: a bare custom_gradient object cannot be loaded again\n"
        "        return twice(z)\n\n"
        "    # the layer\n"
        "    layer = layers.Dense(4, activation=twice_activation)\n"
    ) in done[0]
    assert done[0].startswith("import keras\nimport tensorflow as tf\n")
    assert "registered whenever `build` runs" in done[1].title


@pytest.mark.tensorflow
@pytest.mark.parametrize("local", [False, True])
def test_the_wrapped_activation_is_loaded_again(local: bool, tmp_path: object) -> None:
    import keras
    import numpy as np

    text = BARE.format(keras="keras")
    if local:
        head, _, tail = text.partition("\n\n@tf")
        body = indent("@tf" + tail, "    ")
        text = f"{head}\n\ndef build():\n{body}    return layer\n\n\nlayer = build()\n"
    done = fixed(text, "LK134")
    assert done is not None
    names: dict[str, object] = {}
    exec(compile(done[0], "program", "exec"), names)
    model = keras.Sequential([keras.Input((3,)), names["layer"]])
    path = f"{tmp_path}/model.keras"
    model.save(path)
    x = np.ones((2, 3), "float32")
    assert (keras.models.load_model(path)(x) == model(x)).numpy().all()


def test_all_fixes_together_end() -> None:
    """Several findings in one file: rounds of fixes come to an end, with every finding gone."""
    source = step(
        """
        found = [g for g in grads if g is not None]
        optimizer.apply_gradients(zip(found, dense.trainable_variables))
        return tape.gradient(loss, x)
        """,
        "optimizer = keras.optimizers.Adagrad(0.1)",
    )
    done = fix(
        source.encode(), Consent(True), lambda data: engine.lint("x.py", data, "python", CODES)
    )
    report = engine.lint("x.py", done.data, "python", CODES)
    assert (done.made, done.troubles, report.findings) == (2, (), ())
