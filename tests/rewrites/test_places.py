"""Which layer gets the activation, and whether that is certain."""

from __future__ import annotations

from pathlib import Path
from textwrap import indent

import pytest

from lintkeras import engine
from lintkeras.findings import Fix
from lintkeras.fixes import Choice, Consent, fix
from lintkeras.rulebook import load
from lintkeras.syntax.edits import apply

CODES = load().select(["LK101"])
HEAD = "import keras\nimport tensorflow as tf\nfrom keras import layers\n\n"
STEP = """
optimizer = keras.optimizers.Adam()


def train_step(x, y):
    with tf.GradientTape() as tape:
        loss = {loss}
    grads = tape.gradient(loss, {variables})
    # {why}
    grads = [g * {factor} for g in grads]
    optimizer.apply_gradients(zip(grads, {variables}))
"""


def program(
    model: str,
    *,
    loss: str = "tf.reduce_mean((model(x) - y) ** 2)",
    variables: str = "model.trainable_variables",
    factor: str = "2",
    why: str = "double the derivative of the activation",
    head: str = HEAD,
) -> str:
    return head + model + STEP.format(loss=loss, variables=variables, factor=factor, why=why)


def fixes(source: str, target: str | None = None) -> tuple[Fix, ...]:
    report = engine.lint("x.py", source.encode(), "python", CODES, target=target)
    (finding,) = report.findings
    return finding.fixes


def offered(source: str) -> list[str]:
    """The fixes as ``name: applicability``, the default form alone."""
    return list(dict.fromkeys(f"{one.target}: {one.applicability}" for one in fixes(source)))


MODELS = {
    "one layer": ("model = layers.Dense(4)", ["model: unsafe"]),
    "one with layers that have no variables": (
        "model = keras.Sequential([layers.Flatten(), layers.Dense(4), layers.Dropout(0.1)])",
        ["dense: unsafe"],
    ),
    "followed by its activation": (
        'model = keras.Sequential([layers.Dense(4), layers.Activation("relu")])',
        ["activation: unsafe"],
    ),
    "followed across a layer": (
        "model = keras.Sequential([layers.Dense(4), layers.Dropout(0.1), layers.ReLU()])",
        ["re_lu: unsafe"],
    ),
    "two layers": (
        'model = keras.Sequential([layers.Dense(4, "relu"), layers.Dense(1)])',
        ["dense: display", "dense_2: display"],
    ),
    "two with activations of their own": (
        "model = keras.Sequential()\nmodel.add(layers.Dense(4, name='first'))\nmodel.add(layers.ReLU())\n"
        "model.add(layers.Dense(1))\nmodel.add(layers.Activation('tanh', name='last'))",
        ["re_lu: display", "last: display"],
    ),
    "variables that are no activation's": (
        "model = keras.Sequential([layers.Dense(4), layers.BatchNormalization(), layers.ReLU()])",
        ["re_lu: display"],
    ),
    "an unknown layer beside it": (
        "model = keras.Sequential([layers.Embedding(3, 4), layers.Dense(4)])",
        ["dense: display"],
    ),
    "a model with unknown parts": (
        "model = keras.Sequential([layers.Dense(4), unknown()])", ["dense: display"],
    ),
    "layers of a helper called once": (
        "def block():\n    return layers.Dense(4)\n\n\nmodel = keras.Sequential([block()])",
        ["dense: unsafe"],
    ),
    "layers of a helper called twice": (
        "def block():\n    return layers.Dense(4)\n\n\nmodel = keras.Sequential([block(), block()])",
        ["dense: display"],
    ),
    "layers of a loop": (
        "model = keras.Sequential([layers.Dense(4) for _ in range(2)])", ["dense: display"],
    ),
    "attributes of a model": (
        "class Net(keras.Model):\n    def __init__(self):\n        super().__init__()\n"
        "        self.first = layers.Dense(4)\n        self.bend = layers.ReLU()\n"
        "        self.second = layers.Dense(1)\n\n    def call(self, x):\n"
        "        return self.second(self.bend(self.first(x)))\n\n\nmodel = Net()",
        ["bend: display", "second: display"],
    ),
    "a function called in a model": (
        "class Net(keras.Model):\n    def __init__(self):\n        super().__init__()\n"
        "        self.first = layers.Dense(4)\n\n    def call(self, x):\n"
        "        return keras.activations.relu(self.first(x))\n\n\nmodel = Net()",
        ["relu: unsafe"],
    ),
    "one activation for two layers": (
        "class Net(keras.Model):\n    def __init__(self):\n        super().__init__()\n"
        "        self.first = layers.Dense(4)\n        self.bend = layers.ReLU()\n"
        "        self.second = layers.Dense(1)\n\n    def call(self, x):\n"
        "        return self.bend(self.second(self.bend(self.first(x))))\n\n\nmodel = Net()",
        ["bend: display"],
    ),
    "an output that is read twice": (
        "class Net(keras.Model):\n    def __init__(self):\n        super().__init__()\n"
        "        self.first = layers.Dense(4)\n\n    def call(self, x):\n"
        "        z = self.first(x)\n        return z + tf.nn.relu(z)\n\n\nmodel = Net()",
        ["relu: display", "first: display"],
    ),
    "functional": (
        'x = keras.Input((3,))\nh = layers.Dense(4, activation="relu")(x)\n'
        "model = keras.Model(x, layers.Dense(1)(h))",
        ["dense: display", "dense_2: display"],
    ),
    "functional, a function on a KerasTensor": (
        "x = keras.Input((3,))\nmodel = keras.Model(x, keras.ops.relu(layers.Dense(4)(x)))",
        ["relu: unsafe"],
    ),
    "an activation that cannot be written down": (
        "model = layers.Dense(4, activation=lambda z: z * 2)", [],
    ),
    "an activation that is a layer with arguments": (
        "model = keras.Sequential([layers.Dense(4), layers.LeakyReLU(0.1)])", [],
    ),
    "arguments that are given as a dictionary": (
        'model = layers.Dense(4, **{"activation": "relu"})', [],
    ),
    "arguments that are given as a list": ('model = layers.Dense(*[4, "relu"])', []),
    "arguments that are not known": ("model = layers.Dense(4, **unknown())", []),
}  # fmt: skip


@pytest.mark.parametrize("name", MODELS)
def test_places(name: str) -> None:
    model, expected = MODELS[name]
    assert offered(program(model)) == expected


def applied(source: str, number: int = 0, target: str | None = None) -> str:
    new = apply(source, list(fixes(source, target)[number].edits))
    compile(new, "fixed", "exec")
    return new


GIVEN = {
    "layers.Dense(4)": "layers.Dense(4, activation=linear_gradient_times_2)",
    "layers.Dense(units=4, )": "layers.Dense(units=4, activation=linear_gradient_times_2, )",
    "layers.Dense(4, None)": "layers.Dense(4, linear_gradient_times_2)",
    "layers.Dense(\n    4,\n)": "layers.Dense(\n    4, activation=linear_gradient_times_2,\n)",
    'layers.Dense(4, "relu")': "layers.Dense(4, relu_gradient_times_2)",
    'layers.Dense(4, activation="swish")': "layers.Dense(4, activation=swish_gradient_times_2)",
    "layers.Dense(4, activation=tf.nn.elu)": "layers.Dense(4, activation=elu_gradient_times_2)",
    'layers.Conv1D(4, 3, 1, "same", None, 1, 1, "relu")': (
        'layers.Conv1D(4, 3, 1, "same", None, 1, 1, relu_gradient_times_2)'
    ),
    'keras.Sequential([layers.Dense(4), layers.ReLU(name="bend")])': (
        'keras.Sequential([layers.Dense(4), layers.Activation(relu_gradient_times_2, name="bend")])'
    ),
}  # fmt: skip


@pytest.mark.parametrize("layer", GIVEN)
def test_how_a_layer_is_given_its_activation(layer: str) -> None:
    assert f"model = {GIVEN[layer]}\n" in applied(program(f"model = {layer}"))


def test_a_layer_that_becomes_an_activation_is_imported_as_one() -> None:
    model = "model = keras.Sequential([Dense(4), ReLU(name='bend')])"
    for before, after in (
        ("import Dense, ReLU", "import Activation, Dense"),
        ("import ReLU, Dense", "import Activation, Dense"),
        (
            "import (\n    Dense,  # one\n    ReLU,\n)",
            "import (\n    Dense,  # one\n    Activation,\n)",
        ),
        ("import Activation as A, Dense, ReLU", "import Activation as A, Dense, Activation"),
    ):
        head = f"import keras\nimport tensorflow as tf\nfrom keras.layers {before}\n\n"
        new = applied(program(model, head=head))
        assert f"from keras.layers {after}\n" in new
        assert "Activation(relu_gradient_times_2, name='bend')" in new
    twice = "import keras\nimport tensorflow as tf\nfrom keras.layers import Dense, ReLU\n\nother = ReLU()\n"
    new = applied(program(model, head=twice))
    assert "import Dense, ReLU\n" in new
    assert "keras.layers.Activation(relu_gradient_times_2, name='bend')" in new


FORWARDS = {
    '"relu"': "keras.activations.relu(z)",
    '"silu"': 'keras.activations.get("silu")(z)',
    "tf.nn.relu": "tf.nn.relu(z)",
    "keras.activations.tanh": "keras.activations.tanh(z)",
    'keras.activations.get("tanh")': "keras.activations.tanh(z)",
    "NAME": "keras.activations.sigmoid(z)",
    "bend": "bend(z)",
    "None": "_gradient_times_2(z)",
}


@pytest.mark.parametrize("activation", FORWARDS)
def test_the_forward_pass_is_written_as_the_user_did(activation: str) -> None:
    before = 'NAME = "sigmoid"\n\n\ndef bend(z):\n    return z / (1 + abs(z))\n\n\n'
    new = applied(program(f"{before}model = layers.Dense(4, activation={activation})"))
    assert FORWARDS[activation] in new


def test_no_custom_gradient_around_a_function_that_reads_variables() -> None:
    before = "scale = tf.Variable(2.0)\n\n\ndef bend(z):\n    return scale * z\n\n\n"
    source = program(
        f"{before}model = layers.Dense(4, activation=bend)",
        factor="(1 - tf.tanh(x) ** 2)",
        why="the derivative of tanh in the backward pass",
    )
    assert [one.id for one in fixes(source)] == ["stop-gradient"]
    again = program(f"{before}model = layers.Dense(4, activation=bend)")
    assert [one.id for one in fixes(again)] == ["custom-gradient", "stop-gradient"]


LOGITS = {
    "keras.losses.BinaryCrossentropy()(y, model(x))": "display",
    "keras.losses.BinaryCrossentropy(from_logits=True)(y, model(x))": "unsafe",
    "keras.losses.binary_crossentropy(y, model(x))": "display",
    "keras.losses.MeanSquaredError()(y, model(x))": "unsafe",
    "tf.reduce_mean((model(x) - y) ** 2)": "unsafe",
}


@pytest.mark.parametrize("loss", LOGITS)
def test_a_sigmoid_whose_logits_keras_reads_is_sketched(loss: str) -> None:
    source = program('model = layers.Dense(1, activation="sigmoid")', loss=loss)
    assert offered(source) == [f"model: {LOGITS[loss]}"]


@pytest.mark.parametrize(
    ("read", "expected"),
    [
        ("tf.reduce_mean((model(x) - y) ** 2)", "unsafe"),
        ("keras.losses.mean_squared_error(y, model(x))", "unsafe"),
        ("tf.reduce_mean(layers.Dense(1)(model(x)))", "unsafe"),
        ("tf.reduce_mean(tf.maximum(model(x), 0.0))", "display"),
        ("tf.reduce_mean(model(x) * x)", "display"),
        ("tf.reduce_mean(unknown(model(x)))", "display"),
        ("unknown(model(x))", "display"),
    ],
)
def test_a_surrogate_of_a_bare_layer_needs_a_loss_that_reads_it_plainly(
    read: str, expected: str
) -> None:
    """Else what reads the output may be the activation, and keeps its own derivative."""
    source = program(
        "model = layers.Dense(4)",
        loss=read,
        factor="(1 - tf.tanh(x) ** 2)",
        why="the derivative of tanh in the backward pass",
    )
    assert offered(source) == [f"model: {expected}"]
    assert offered(program("model = layers.Dense(4)", loss=read)) == ["model: unsafe"]


def test_the_loss_of_compile_counts() -> None:
    text = """class Net(keras.Model):
    def __init__(self):
        super().__init__()
        self.out = layers.Dense(1, activation="sigmoid")

    def call(self, x):
        return self.out(x)

    def train_step(self, data):
        x, y = data
        with tf.GradientTape() as tape:
            loss = self.compute_loss(x, y, self(x))
        grads = tape.gradient(loss, self.trainable_variables)
        # double the derivative of the activation
        grads = [g * 2 for g in grads]
        self.optimizer.apply_gradients(zip(grads, self.trainable_variables))
        return {}


net = Net()
net.compile("adam", loss=LOSS)
net.fit(1, 2)
"""
    assert offered(HEAD + text.replace("LOSS", '"binary_crossentropy"')) == ["out: display"]
    assert offered(HEAD + text.replace("LOSS", '"mse"')) == ["out: unsafe"]


TRAINER = """class Trainer:
    def __init__(self, model):
        self.model = model

    def step(self, x, y, k=2):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean((self.model(x) - y) ** 2)
        grads = tape.gradient(loss, self.model.trainable_variables)
        # double the derivative of the activation
        grads = [g * k for g in grads]
        optimizer.apply_gradients(zip(grads, self.model.trainable_variables))


optimizer = keras.optimizers.Adam()
one, other = layers.Dense(4), layers.Dense(4)
"""


def test_a_step_that_is_reached_in_several_ways() -> None:
    def offers(*calls: str) -> list[str]:
        source = HEAD + TRAINER + "".join(f"Trainer({call[0]}).step({call[1]})\n" for call in map(str.split, calls))  # fmt: skip
        report = engine.lint("x.py", source.encode(), "python", CODES)
        return [f"{x.target}: {x.applicability}" for f in report.findings for x in f.fixes][::2]

    assert offers("one x,y") == ["dense: unsafe"]
    assert offers("one x,y", "one y,x") == ["dense: unsafe"]
    assert offers("one x,y", "other x,y") == ["dense: display", "dense_2: display"]
    assert offers("one x,y", "one x,y,3") == []
    assert offers("one x,y", "unknown() x,y") in ([], ["dense: display"])


def test_softmax_is_never_elementwise() -> None:
    model = 'model = layers.Dense(4, activation="softmax")'
    assert offered(program(model)) == ["model: display"]
    assert fixes(program(model, factor="tf.sigmoid(x)", why="the derivative of softplus in the backward pass")) == ()  # fmt: skip


def test_its_own_derivative_needs_no_new_activation() -> None:
    source = program(
        'model = layers.Dense(4, activation="tanh")',
        factor="(1 - tf.tanh(x) ** 2)",
        why="the derivative of tanh in the backward pass",
    )
    (one,) = fixes(source)
    assert one.title.startswith("apply the gradients as they are")
    assert 'activation="tanh"' in applied(source)


SYMBOLIC = "x = keras.Input((3,))\nmodel = keras.Model(x, {}(layers.Dense(4)(x)))"
TF_HEAD = "import tensorflow as tf\nfrom tensorflow import keras\nfrom tensorflow.keras import layers\n\n"  # fmt: skip


@pytest.mark.parametrize(
    ("head", "target", "function", "expected"),
    [
        (HEAD, None, "keras.activations.relu", "keras.ops.stop_gradient(y)"),
        (HEAD, None, "tf.nn.relu", "y = keras.activations.relu(z)"),
        (HEAD, "2.15", "tf.nn.relu", "tf.stop_gradient(y)"),
        (TF_HEAD, None, "keras.activations.relu", "keras.ops.stop_gradient(y)"),
        (TF_HEAD, "2.15", "keras.activations.relu", "tf.stop_gradient(y)"),
        (TF_HEAD, None, "tf.nn.relu", "tf.stop_gradient(y)"),
    ],
)
def test_on_a_keras_tensor_the_stop_gradient_form_is_the_default(
    head: str, target: str | None, function: str, expected: str
) -> None:
    source = program(SYMBOLIC.format(function), head=head)
    found = fixes(source, target)
    assert [one.id for one in found] == ["stop-gradient", "custom-gradient"]
    assert expected in applied(source, 0, target)
    assert "keras.Model(x, relu_gradient_times_2(layers" in applied(source, 0, target)
    assert "layers.Activation(relu_gradient_times_2)(layers" in applied(source, 1, target)


@pytest.mark.parametrize(
    ("target", "forms", "decorator"),
    [
        (None, 2, "@keras.ops.custom_gradient\n"),
        (">=3.1", 2, "@keras.ops.custom_gradient\n"),
        ("3.0", 1, "@keras.saving.register"),
        ("2.15", 2, "@tf.custom_gradient\n"),
        (">=2.12", 2, "@tf.custom_gradient\n"),
    ],
)
def test_the_target_decides_which_functions_there_are(
    target: str | None, forms: int, decorator: str
) -> None:
    source = program("model = layers.Dense(4)")
    assert len(fixes(source, target)) == forms
    assert decorator in applied(source, 0, target)
    assert ("keras.saving" in applied(source, 0, target)) == (decorator[1:9] != "tf.custo")


def test_a_choice_needs_the_name_of_one_place() -> None:
    source = program('model = keras.Sequential([layers.Dense(4, "relu"), layers.Dense(1)])')

    def made(*choices: Choice, unsafe: bool = False) -> str | None:
        done = fix(
            source.encode(),
            Consent(unsafe, choices),
            lambda data: engine.lint("x.py", data, "python", CODES),
        )
        return done.data.decode() if done.made else None

    assert made(unsafe=True) is None
    assert made(Choice("LK101", "custom-gradient")) is None
    second = made(Choice("LK101", "custom-gradient", "dense_2"))
    assert second is not None and "layers.Dense(1, activation=linear_gradient_times_2)" in second
    first = made(Choice("LK101", "stop-gradient", "dense"))
    assert first is not None and "layers.Dense(4, relu_gradient_times_2)" in first


def test_two_findings_share_their_functions_and_imports() -> None:
    step = STEP.partition("def train_step")[2].format(
        loss="tf.reduce_mean((NAME(x) - y) ** 2)", variables="NAME.trainable_variables",
        factor="2", why="double the derivative of the activation",
    )  # fmt: skip
    source = (
        "import tensorflow as tf\nfrom keras.layers import Dense\nfrom keras.optimizers import Adam\n\n"
        'one = Dense(4, "relu")\nother = Dense(4, activation="relu")\nthird = Dense(4, "tanh")\n'
        "optimizer = Adam()\n"
        + "".join(f"\n\ndef step_{n}{step.replace('NAME', n)}" for n in ("one", "other", "third"))
    )
    done = fix(
        source.encode(), Consent(True), lambda data: engine.lint("x.py", data, "python", CODES)
    )
    new = done.data.decode()
    assert (done.made, done.troubles) == (3, ())
    assert [new.count(text) for text in (
        "import keras\n", "def _gradient_times_2(", "def relu_gradient_times_2(",
        "def tanh_gradient_times_2(", "Dense(4, relu_gradient", "activation=relu_gradient",
    )] == [1, 1, 1, 1, 1, 1]  # fmt: skip


def test_any_number_of_findings_takes_few_rounds() -> None:
    step = STEP.partition("def train_step")[2].format(
        loss="tf.reduce_mean((NAME(x) - y) ** 2)", variables="NAME.trainable_variables",
        factor="2", why="double the derivative of the activation",
    )  # fmt: skip
    names = [f"layer_{i}" for i in range(15)]
    source = (
        HEAD
        + "optimizer = keras.optimizers.Adam()\n"
        + "".join(
            f"{name} = layers.Dense(4)\n\n\ndef step_{name}{step.replace('NAME', name)}"
            for name in names
        )
    )
    done = fix(
        source.encode(), Consent(True), lambda data: engine.lint("x.py", data, "python", CODES)
    )
    assert (done.made, done.troubles) == (15, ())
    assert done.data.count(b"def linear_gradient_times_2") == 1


def test_names_that_are_taken() -> None:
    before = "_gradient_times_2 = 1\n\n\ndef relu_gradient_times_2():\n    pass\n\n\n"
    new = applied(program(f'{before}model = layers.Dense(4, "relu")'))
    assert "def _gradient_times_2_2(z)" in new
    assert "def relu_gradient_times_2_2(z)" in new
    assert "return _gradient_times_2_2(keras.activations.relu(z))" in new
    assert "layers.Dense(4, relu_gradient_times_2_2)" in new


def test_not_in_a_session_with_prompts() -> None:
    lines = program("model = layers.Dense(4)").splitlines()
    session = "".join(
        f"{'...' if line.startswith(' ') or not line else '>>>'} {line}\n" for line in lines
    )
    page = f"Double the derivative:\n\n```pycon\n{session}```\n"
    report = engine.lint("x.md", page.encode(), "markdown", CODES)
    assert [(f.rule, f.fixes) for f in report.findings] == [("LK101", ())]


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_in_a_block_of_a_list_and_of_a_quotation(newline: str) -> None:
    layer = "import tensorflow as tf\n\nmodel = tf.keras.layers.Dense(4)\n"
    step = program("\n").removeprefix(HEAD).replace("keras.opt", "tf.keras.opt")
    page = (
        "- The layer:\n\n  ```python\n"
        + indent(layer, "  ")
        + "  ```\n\nDouble the derivative of the activation:\n\n> ```python\n"
        + "".join(f"> {line}".rstrip() + "\n" for line in step.splitlines())
        + "> ```\n"
    ).replace("\n", newline)
    done = fix(
        page.encode(), Consent(True), lambda data: engine.lint("x.md", data, "markdown", CODES)
    )
    new = done.data.decode()
    assert (done.made, done.troubles) == (1, ())
    assert "\n" not in new.replace("\r\n", "") or newline == "\n"
    text = new.replace("\r\n", "\n")
    assert "  import tensorflow as tf\n\n\n  @tf.custom_gradient\n" in text
    assert "      return z, grad\n\n\n  @tf" in text
    assert "  model = tf.keras.layers.Dense(4, activation=linear_gradient_times_2)\n  ```\n" in text
    assert not [line for line in text.splitlines() if line != line.rstrip()]
    assert all(line.startswith(">") for line in text.partition("> ```python")[2].splitlines()[1:])


def test_decorators_and_comments_above_the_layer_stay_on_it() -> None:
    source = program(
        "@keras.saving.register_keras_serializable()\nclass Net(keras.Model):\n    def __init__(self):\n"
        "        super().__init__()\n        self.first = layers.Dense(4)\n\n"
        "    def call(self, x):\n        return self.first(x)\n\n\nmodel = Net()"
    )
    new = applied(source)
    assert (
        "return _gradient_times_2(z)\n\n\n@keras.saving.register_keras_serializable()\nclass Net"
        in new
    )
    commented = program("# the\n# layer\nmodel = layers.Dense(4)  # here")
    assert "return _gradient_times_2(z)\n\n\n# the\n# layer\nmodel = layers.Dense(4, a" in (
        applied(commented)
    )


def test_a_value_that_may_do_something_is_left_and_named() -> None:
    source = program(
        'model = layers.Dense(4, "relu")\nprobe = layers.Dense(4)',
        factor="(1 - tf.tanh(z) ** 2)",
        why="the derivative of tanh in the backward pass",
    ).replace("    # the", "    z = probe(x)\n    # the")
    (one, _) = fixes(source)
    assert one.title.endswith("; `z` is no longer read")
    assert "    z = probe(x)\n" in applied(source)


def test_a_layer_of_another_file_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("")
    (tmp_path / "parts.py").write_text(
        "from keras import layers\n\n\ndef head():\n    return layers.Dense(1)\n"
        '\n\ndef twice(gs):\n    """Doubles the derivative of the activation."""\n'
        "    return [g * 2 for g in gs]\n"
    )

    def offers(model: str, edit: str) -> list[str]:
        source = program(model, head=HEAD + "from parts import head, twice\n")
        source = source.replace("[g * 2 for g in grads]", edit)
        report = engine.lint(str(tmp_path / "x.py"), source.encode(), "python", CODES)
        return [f"{x.target}: {x.applicability}" for f in report.findings for x in f.fixes][::2]

    local = "[g * 2 for g in grads]"
    assert offers("model = layers.Dense(4)", local) == ["model: unsafe"]
    both = 'model = keras.Sequential([layers.Dense(4, "relu"), head()])'
    assert offers(both, local) == ["dense: display"]
    assert offers("model = head()", local) == []
    assert offers("model = layers.Dense(4)", "twice(grads)") == []
