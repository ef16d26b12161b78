"""The verdict on a training step depends on what it does, not on how it is spelled.

Training steps are put together at random: how the libraries are imported, where the step stands,
what things are called, whether helpers compute and apply, what stands in between. Around a known
defect the same rule must speak each time; around a legitimate edit none may.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from dataclasses import dataclass

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.pages import lint

RULES = {"LK106", "LK107", "LK109", "LK115", "LK116", "LK119"}


@dataclass(frozen=True)
class Spelling:
    """How a program is written."""

    imports: str
    tf: str
    layers: str
    optimizers: str
    sequential: str
    model: str
    optimizer: str
    gradients: str
    tape: str
    weights: str
    frame: str
    """Where the step stands: ``function``, ``method``, ``loop``, ``traced``."""
    helper: bool
    """Whether a function of its own computes the gradients."""
    noise: tuple[str, ...]
    """Statements in between that change nothing."""


IMPORTS = [
    ("import tensorflow as tf\nfrom tensorflow import keras", "tf", "keras.layers",
     "keras.optimizers", "keras.Sequential"),
    ("import tensorflow as tf", "tf", "tf.keras.layers", "tf.keras.optimizers",
     "tf.keras.models.Sequential"),
    ("import tensorflow\nimport keras", "tensorflow", "keras.layers", "keras.optimizers",
     "keras.Sequential"),
    ("import tensorflow as flow\nimport tf_keras as k", "flow", "k.layers", "k.optimizers",
     "k.models.Sequential"),
    ("import tensorflow as tf\nfrom tensorflow.keras import layers as L, optimizers as O\n"
     "from tensorflow.keras.models import Sequential as S", "tf", "L", "O", "S"),
    ("import tensorflow as tf\nimport keras\nfrom keras import layers, optimizers", "tf", "layers",
     "optimizers", "keras.Sequential"),
]  # fmt: skip
NAMES = st.sampled_from(["net", "actor", "my_model", "f", "G"])
spellings = st.builds(
    lambda imported, *rest: Spelling(*imported, *rest),
    st.sampled_from(IMPORTS),
    NAMES,
    st.sampled_from(["opt", "optimizer", "adam", "o"]),
    st.sampled_from(["grads", "gradients", "g", "dw"]),
    st.sampled_from(["tape", "t", "gradient_tape"]),
    st.sampled_from(["trainable_variables", "trainable_weights"]),
    st.sampled_from(["function", "method", "loop", "traced"]),
    st.booleans(),
    st.lists(
        st.sampled_from(["print(loss)", "history.append(float(loss))", "# a comment", "count = 1"]),
        max_size=3,
    ).map(tuple),
)

Edit = Callable[[Spelling], list[str]]


def program(s: Spelling, edit: Edit) -> str:
    """A training step with an edit between the tape and the optimizer."""
    net = f"{s.sequential}([{s.layers}.Dense(4, activation='relu'), {s.layers}.Dense(2)])"
    head = [
        s.imports,
        f"{s.model} = {net}",
        f"other = {s.sequential}([{s.layers}.Dense(7), {s.layers}.Dense(3), {s.layers}.Dense(1)])",
        f"{s.optimizer} = {s.optimizers}.SGD(0.1, momentum=0.9)",
        "history = []",
    ]
    variables = f"{s.model}.{s.weights}"
    taken = [
        f"with {s.tf}.GradientTape() as {s.tape}:",
        f"    loss = {s.tf}.reduce_mean(({s.model}(x) - y) ** 2)",
    ]
    if s.helper:
        compute = [*taken, f"return loss, {s.tape}.gradient(loss, {variables})"]
        head += ["def compute(x, y):", *indented(compute)]
        body = [f"loss, {s.gradients} = compute(x, y)"]
    else:
        body = [*taken, f"{s.gradients} = {s.tape}.gradient(loss, {variables})"]
    body += [*s.noise, *edit(s)]
    return "\n".join([*head, *framed(s, body)]) + "\n"


def framed(s: Spelling, body: list[str]) -> list[str]:
    match s.frame:
        case "function":
            return ["def step(x, y, i):", *indented(body)]
        case "method":
            method = ["def step(self, x, y, i):", *indented(body)]
            return ["class Trainer:", *indented(method), "Trainer().step(a, b, c)"]
        case "traced":
            return [f"@{s.tf}.function", "def step(x, y, i):", *indented(body)]
    return ["for i, (x, y) in enumerate(data):", *indented(body)]


def indented(lines: list[str]) -> list[str]:
    return textwrap.indent("\n".join(lines), "    ").splitlines()


def apply(s: Spelling, gradients: str = "", variables: str = "") -> str:
    pairs = f"zip({gradients or s.gradients}, {variables or f'{s.model}.{s.weights}'})"
    return f"{s.optimizer}.apply_gradients({pairs})"


DEFECTS: dict[str, tuple[str, list[Edit]]] = {
    "bare": (
        "LK115",
        [
            lambda s: [f"{s.optimizer}.apply_gradients({s.gradients})"],
            lambda s: [f"{s.optimizer}.apply_gradients(list({s.gradients}))"],
            lambda s: [apply(s, f"{s.model}.{s.weights}", s.gradients)],
            lambda s: [f"{s.optimizer}.apply_gradients([{s.gradients}, {s.model}.{s.weights}])"],
        ],
    ),
    "other model": (
        "LK107",
        [
            lambda s: [apply(s, variables=f"other.{s.weights}")],
            lambda s: [f"chosen = other.{s.weights}", apply(s, variables="chosen")],
            lambda s: [f"q = [2.5 + d for d in {s.gradients}]", apply(s, "q", f"other.{s.weights}")],
        ],
    ),
    "too few": (
        "LK106",
        [
            lambda s: [f"some = {s.tf}.Variable(1.0)", apply(s, variables="[some]")],
            lambda s: [f"q = [d * k for d, k in zip({s.gradients}, [0.1, 1.0])]", apply(s, "q")],
        ],
    ),
    "copy": (
        "LK109",
        [
            lambda s: [f"c = [{s.tf}.clip_by_norm(q, 1.0) for q in {s.gradients}]", apply(s)],
            lambda s: [f"for q in {s.gradients}:", f"    q = {s.tf}.clip_by_norm(q, 1.0)", apply(s)],
            lambda s: [f"{s.tf}.clip_by_global_norm({s.gradients}, 1.0)", apply(s)],
            lambda s: [apply(s), f"c, _ = {s.tf}.clip_by_global_norm({s.gradients}, 1.0)"],
        ],
    ),
    "skipped": (
        "LK116",
        [
            lambda s: ["if i % 4 == 0:", f"    {apply(s)}"],
            lambda s: ["if not (i + 1) % 8:", f"    {apply(s)}"],
        ],
    ),
}  # fmt: skip
FINE: list[Edit] = [
    lambda s: [apply(s)],
    lambda s: [f"pairs = list(zip({s.gradients}, {s.model}.{s.weights}))",
               f"{s.optimizer}.apply_gradients(pairs)"],
    lambda s: [f"{s.gradients}, _ = {s.tf}.clip_by_global_norm({s.gradients}, 1.0)", apply(s)],
    lambda s: [f"c = [{s.tf}.clip_by_norm(q, 1.0) for q in {s.gradients}]", apply(s, "c")],
    lambda s: [f"weights = {s.model}.{s.weights}", apply(s, variables="weights")],
    lambda s: [apply(s), f"history.extend({s.tf}.norm(q) for q in {s.gradients})"],
    lambda s: [f"history.append({s.gradients})", "if i % 4 == 0:", f"    {apply(s)}"],
    lambda s: [f"for q, v in zip({s.gradients}, {s.model}.{s.weights}):", "    v.assign_sub(q)"],
    lambda s: [apply(s, variables=f"unknown.{s.weights}")],
]  # fmt: skip


def codes(source: str) -> list[str]:
    return [code for _, _, code in lint(source, "python") if code in RULES]


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(s=spellings, name=st.sampled_from(sorted(DEFECTS)), number=st.integers(0, 3))
def test_a_defect_is_found_however_it_is_spelled(s: Spelling, name: str, number: int) -> None:
    code, edits = DEFECTS[name]
    source = program(s, edits[number % len(edits)])
    assert codes(source) == [code], source


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(s=spellings, edit=st.sampled_from(FINE))
def test_a_legitimate_step_is_fine_however_it_is_spelled(s: Spelling, edit: Edit) -> None:
    source = program(s, edit)
    assert codes(source) == [], source


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(s=spellings)
def test_where_the_optimizer_is_made(s: Spelling) -> None:
    made = f"{s.optimizer} = {s.optimizers}.SGD(0.1, momentum=0.9)"
    source = program(s, lambda s: [made, apply(s)])
    assert codes(source) == (["LK119"] if s.frame in ("loop", "traced") else []), source
