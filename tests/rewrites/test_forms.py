"""Every generated activation holds when it is run, in TensorFlow."""

from __future__ import annotations

import itertools
import math
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from lintkeras import engine
from lintkeras.rewrites.activations import (
    LINEAR,
    SURROGATES,
    Activation,
    Backward,
    Factor,
    Form,
    Guided,
    Spelling,
    synthesize,
)
from lintkeras.rulebook import load

pytestmark = pytest.mark.tensorflow

PORTABLE = Spelling("keras", None, "keras.saving.register_keras_serializable")
TENSORFLOW = Spelling("tf.keras", "tf", "tf.keras.utils.register_keras_serializable")
FACTORS = (Factor(2, "2"), Factor(0.5, "0.5"), Factor(3, "3", divides=True))
LEAKY = SURROGATES["leaky_relu"].__class__(
    "leaky_relu",
    SURROGATES["leaky_relu"].derivative,
    SURROGATES["leaky_relu"].primitive,
    slope="0.2",
)
TYPES = ("float32", "float16", "bfloat16")


@dataclass(frozen=True)
class Case:
    """One generated function and what it promises."""

    forward: str
    backward: Backward
    form: Form
    portable: bool

    def __str__(self) -> str:
        shape, factor = self.backward.shape, self.backward.factor
        words = [self.forward, getattr(shape, "label", "guided" if shape else "own")]
        words += [factor.slug] if factor else []
        return "-".join([*words, self.form, "ops" if self.portable else "tf"])


def cases() -> list[Case]:
    forwards = ("linear", "relu", "tanh", "sigmoid", "gelu", "own")
    backwards: list[tuple[str, Backward]] = [
        *((f, Backward(k)) for f in forwards for k in FACTORS[:1]),
        *(("relu", Backward(k)) for k in FACTORS[1:]),
        *(("relu", Backward(None, s)) for s in (*SURROGATES.values(), LEAKY) if s.label != "relu" and (s.slope or s.label != "leaky_relu")),
        ("tanh", Backward(None, SURROGATES["relu"])),
        ("own", Backward(FACTORS[0], SURROGATES["tanh"])),
        ("linear", Backward(FACTORS[2], SURROGATES["sigmoid"])),
        ("relu", Backward(None, Guided())),
    ]  # fmt: skip
    return [
        Case(forward, backward, form, portable)
        for forward, backward in backwards
        for form in ("custom-gradient", "stop-gradient")
        for portable in (False, True)
        if not (isinstance(backward.shape, Guided) and form == "stop-gradient")
    ]


CASES = cases()


@cache
def made(case: Case) -> tuple[Callable[[Any], Any], Callable[[Any], Any]]:
    """The generated function, and the plain activation that it must equal forward."""
    import keras
    import tensorflow as tf

    def own(z: Any) -> Any:
        return z * tf.sigmoid(z)

    spelling = PORTABLE if case.portable else TENSORFLOW
    names: dict[str, Any] = {"tf": tf, "keras": keras, "own": own}
    call = "own" if case.forward == "own" else f"{spelling.keras}.activations.{case.forward}"
    forward = LINEAR if case.forward == "linear" else Activation(case.forward, call)
    definitions = synthesize(forward, case.backward, spelling, case.form)
    for one in definitions:
        exec(one.source, names)
        lines = one.source.splitlines()
        assert max(map(len, lines)) <= 100, lines
    plain = own if case.forward == "own" else keras.activations.get(case.forward)
    return names[definitions[-1].name], plain


def promised(case: Case) -> Callable[[Any], Any]:
    """A function whose true derivative is the promised one."""
    import keras
    import tensorflow as tf

    shape, factor = case.backward.shape, case.backward.factor
    if isinstance(shape, Guided):
        primitive = tf.nn.relu  # with an upstream gradient that is positive
    elif shape is None:
        primitive = made(case)[1]
    elif shape.label == "leaky_relu":

        def primitive(z: Any) -> Any:
            return tf.nn.leaky_relu(z, 0.2)
    else:
        primitive = keras.activations.get(shape.label)
    k = factor.value if factor is not None else 1.0
    return lambda z: k * primitive(z)


def derivatives(function: Callable[[Any], Any], z: Any) -> tuple[Any, Any, Any]:
    """Value, first and second derivative at ``z``."""
    import tensorflow as tf

    with tf.GradientTape() as outer:
        outer.watch(z)
        with tf.GradientTape() as tape:
            tape.watch(z)
            y = function(z)
        first = tape.gradient(y, z)
    second = outer.gradient(first, z)
    return y, first, tf.zeros_like(z) if second is None else second


def points(dtype: str) -> Any:
    import numpy as np
    import tensorflow as tf

    grid = np.linspace(-4, 4, 40)  # without 0, where derivatives have corners
    return tf.constant(grid, dtype)


def special(dtype: str) -> Any:
    import tensorflow as tf

    return tf.constant([0.0, -0.0, math.inf, -math.inf, math.nan, 1e-7, -1e-7, 6e4, -6e4], dtype)


def bits(tensor: Any) -> Any:
    """The bits of a tensor, with one pattern for every NaN."""
    import numpy as np
    import tensorflow as tf

    whole = tf.bitcast(tensor, tf.uint32 if tensor.dtype == tf.float32 else tf.uint16)
    return np.where(np.isnan(tf.cast(tensor, tf.float32)), -1, whole.numpy().astype("int64"))


def assert_close(actual: Any, expected: Any, tolerance: float, note: object = "") -> None:
    import numpy as np

    one, other = np.float32(actual), np.float32(expected)
    np.testing.assert_allclose(one, other, rtol=tolerance, atol=tolerance, err_msg=str(note))


def tolerance(dtype: str) -> float:
    return {"float32": 2e-6, "float16": 5e-3, "bfloat16": 4e-2}[dtype]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_forward_is_the_same_bit_for_bit(case: Case) -> None:
    function, plain = made(case)
    for dtype in TYPES:
        for z in (points(dtype), special(dtype)):
            y, expected = function(z), plain(z)
            assert y.dtype == expected.dtype
            assert (bits(y) == bits(expected)).all(), (dtype, y, expected)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_backward_is_what_was_promised_and_can_be_differentiated(case: Case) -> None:

    function, _ = made(case)
    for dtype in TYPES:
        z = points(dtype)
        _, first, second = derivatives(function, z)
        _, expected, expected_second = derivatives(promised(case), z)
        assert first.dtype == z.dtype
        assert_close(first, expected, tolerance(dtype))
        if dtype == "float32":
            assert_close(second, expected_second, 1e-5)


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("jit", [False, True], ids=["graph", "jit_compile"])
def test_compiled_functions_do_the_same(dtype: str, jit: bool) -> None:
    import tensorflow as tf

    functions = [made(case)[0] for case in CASES]

    def everything(z: Any) -> Any:
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(z)
            values = [function(z) for function in functions]
        return values, [tape.gradient(y, z) for y in values]

    z = points(dtype)
    values, gradients = tf.function(everything, jit_compile=jit)(z)
    expected, expected_gradients = everything(z)
    for one, other in itertools.chain(
        zip(values, expected, strict=True), zip(gradients, expected_gradients, strict=True)
    ):
        assert_close(one, other, tolerance(dtype))


@pytest.mark.parametrize("case", CASES, ids=str)
def test_generated_code_has_no_findings_and_is_formatted(case: Case) -> None:
    spelling = PORTABLE if case.portable else TENSORFLOW
    call = "bend" if case.forward == "own" else f"{spelling.keras}.activations.{case.forward}"
    forward = LINEAR if case.forward == "linear" else Activation(case.forward, call)
    definitions = synthesize(forward, case.backward, spelling, case.form)
    source = (
        "import keras\nimport tensorflow as tf\n\n\n"
        "def bend(z):\n    return z * tf.sigmoid(z)\n\n\n"
        + "\n\n".join(one.source for one in definitions)
        + f"\n\nlayer = {spelling.keras}.layers.Dense(4, activation={definitions[-1].name})\n"
        'keras.Sequential([layer]).save("model.keras")\n'
    )
    codes = load().select(["ALL"])
    assert engine.lint("x.py", source.encode(), "python", codes).findings == ()
    done = subprocess.run(
        [sys.executable, "-m", "ruff", "format", "--isolated", "--line-length", "100", "-"],
        input=source.encode(), capture_output=True, check=True,
    )  # fmt: skip
    assert done.stdout.decode() == source


def test_guided_gradients_pass_only_where_all_is_positive() -> None:
    import tensorflow as tf

    for portable in (False, True):
        function, _ = made(Case("relu", Backward(None, Guided()), "custom-gradient", portable))
        z = tf.constant([1.0, 1.0, -1.0, -1.0])
        with tf.GradientTape() as tape:
            tape.watch(z)
            y = function(z)
        upstream = tf.constant([3.0, -3.0, 3.0, -3.0])
        assert tape.gradient(y, z, upstream).numpy().tolist() == [3.0, 0.0, 0.0, 0.0]


IN_MODELS = [
    case
    for case in CASES
    if (case.forward, case.backward)
    in (("relu", Backward(FACTORS[1])), ("relu", Backward(None, SURROGATES["tanh"])))
    or str(case) == "linear-own-times_2-custom-gradient-tf"
]


@pytest.mark.parametrize(("policy", "jit"), [("float32", False), ("mixed_float16", True)])
def test_inside_layers_fit_makes_the_promised_step(policy: str, jit: bool, tmp_path: Path) -> None:
    """Dense, Conv2D and Activation: W1 - W0 = -lr x^T (upstream * promised derivative)."""
    import keras
    import numpy as np
    import tensorflow as tf

    rng = np.random.default_rng(0)
    x = rng.normal(size=(8, 3)).astype("float32")
    upstream = rng.uniform(0.5, 1.5, size=(8, 2)).astype("float32")
    keras.mixed_precision.set_global_policy(policy)
    try:
        given = keras.Input((3,))
        pixels = keras.layers.Reshape((1, 1, 3))(given)
        outputs, layers = [], []
        for case in IN_MODELS:
            function, _ = made(case)
            dense = keras.layers.Dense(2, activation=function)
            conv = keras.layers.Conv2D(2, 1, activation=function)
            plain = keras.layers.Dense(2)
            layers.append((case, (dense, conv, plain)))
            outputs += [
                dense(given),
                keras.layers.Reshape((2,))(conv(pixels)),
                keras.layers.Activation(function)(plain(given)),
            ]
        model = keras.Model(given, keras.layers.Add()(outputs))
        model.compile(
            keras.optimizers.SGD(0.1),
            lambda y, p: tf.reduce_sum(y * tf.cast(p, y.dtype), -1),
            jit_compile=jit,
            auto_scale_loss=False,
        )
        before = [[tf.identity(layer.kernel) for layer in three] for _, three in layers]
        model.fit(x, upstream, batch_size=8, verbose=0)
        for (case, three), kernels in zip(layers, before, strict=True):
            for layer, kernel in zip(three, kernels, strict=True):
                weights = tf.reshape(kernel, (3, 2))
                z = tf.constant(x) @ weights
                _, slope, _ = derivatives(promised(case), z)
                step = tf.transpose(tf.constant(x)) @ (upstream / 8 * slope)
                change = tf.reshape(layer.kernel - kernel, (3, 2))
                atol = 1e-6 if policy == "float32" else 2e-3
                assert_close(change, -0.1 * step, atol, case)
        path = tmp_path / "model.keras"
        model.save(path)
        loaded = keras.models.load_model(path, compile=False)
        assert len(loaded.layers) == len(model.layers)
        z = tf.constant(x)
        for one, other in zip(derivatives(loaded, z), derivatives(model, z), strict=True):
            assert_close(one, other, tolerance("float16"))
    finally:
        keras.mixed_precision.set_global_policy("float32")


@pytest.mark.parametrize("case", [c for c in CASES if c.form == "stop-gradient" and c.portable and c.forward != "own"], ids=str)  # fmt: skip
def test_stop_gradient_holds_on_keras_tensors(case: Case, tmp_path: Path) -> None:
    import keras

    function, plain = made(case)
    inputs = keras.Input((40,))
    model = keras.Model(inputs, function(inputs))
    z = points("float32")[None]
    assert (bits(model(z)) == bits(plain(z))).all()
    _, first, _ = derivatives(model, z)
    _, expected, _ = derivatives(promised(case), z)
    assert_close(first, expected, 2e-6)
    if case.backward.factor == FACTORS[0]:
        model.save(tmp_path / "model.keras")
        loaded = keras.models.load_model(tmp_path / "model.keras")
        _, again, _ = derivatives(loaded, z)
        assert (again.numpy() == first.numpy()).all()
