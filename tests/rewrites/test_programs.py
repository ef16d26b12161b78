"""Many programs, each written in another way: what the fix makes of them is sound."""

from __future__ import annotations

import json
import random
import re
import subprocess
import sys
import tokenize
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from lintkeras import engine
from lintkeras.findings import Applicability
from lintkeras.fixes import Consent, fix
from lintkeras.rulebook import load

CODES = load().select(["ALL"])


@dataclass(frozen=True)
class Style:
    """A way to import: the lines, and how layers, activations and others are written then."""

    imports: str
    layer: str
    keras: str
    optimizer: str
    tape: str = "tf.GradientTape"
    square: str = "tf.reduce_mean((model(x) - y) ** 2)"


STYLES = {
    "tf": Style("import tensorflow as tf", "tf.keras.layers.{}", "tf.keras.{}", "tf.keras.optimizers.{}"),
    "from-tf": Style(
        '"""Doc."""\n\nfrom __future__ import annotations\n\n'
        "import numpy as np\nimport tensorflow as tf\nfrom tensorflow import keras\n\nprint(np.pi)",
        "keras.layers.{}", "keras.{}", "keras.optimizers.{}",
    ),
    "tf-layers": Style(
        "import tensorflow as tf\nfrom tensorflow.keras import layers, optimizers",
        "layers.{}", "tf.keras.{}", "optimizers.{}",
    ),
    "tf-names": Style(
        "from tensorflow import GradientTape, reduce_mean\n"
        "from tensorflow.keras import Model, Sequential\n"
        "from tensorflow.keras.layers import Activation, Dense, Input, ReLU\n"
        "from tensorflow.keras.optimizers import SGD, Adam",
        "{}", "{}", "{}", "GradientTape", "reduce_mean((model(x) - y) ** 2)",
    ),
    "keras": Style("import keras\nimport tensorflow as tf", "keras.layers.{}", "keras.{}", "keras.optimizers.{}"),
    "keras-layers": Style(
        "#!/usr/bin/env python\n# trains\nimport tensorflow as tf\nfrom keras import Model, Sequential, layers\nfrom keras.optimizers import SGD, Adam",
        "layers.{}", "{}", "{}",
    ),
    "keras-names": Style(
        "from keras.layers import Activation, Dense, Input, ReLU\n"
        "from keras.models import Model, Sequential\n"
        "from keras.ops import mean\n"
        "from keras.optimizers import SGD, Adam\n"
        "from tensorflow import GradientTape as Tape",
        "{}", "{}", "{}", "Tape", "mean((model(x) - y) ** 2)",
    ),
    "alias": Style("import keras as K\nimport tensorflow as tensor", "K.layers.{}", "K.{}", "K.optimizers.{}",
                   "tensor.GradientTape", "tensor.reduce_mean((model(x) - y) ** 2)"),
}  # fmt: skip

# What the model is; {layer:X} is a layer's class, {keras:X} something of Keras.
MODELS = {
    "bare": "model = {layer:Dense}(4)",
    "string": 'model = {layer:Dense}(4, activation="relu")  # the layer',
    "position": 'model = {layer:Dense}(4, "tanh", name="hidden")',
    "several lines": 'model = {layer:Dense}(\n    4,\n    activation="sigmoid",  # keep this too\n)',
    "own function": "def bend(z):\n    return z / (1 + abs(z))\n\n\nmodel = {layer:Dense}(4, activation=bend)",
    "followed": 'model = {keras:Sequential}([{layer:Dense}(4), {layer:Activation}("relu")])',
    "added": "model = {keras:Sequential}()\nmodel.add({layer:Dense}(4))\nmodel.add({layer:ReLU}())",
    "functional": (
        'inputs = {layer:Input}((3,))\nhidden = {layer:Dense}(4, activation="softplus")\n'
        "model = {keras:Model}(inputs, hidden(inputs))"
    ),
    "functional, followed": (
        "inputs = {layer:Input}((3,))\nhidden = {layer:Dense}(4)(inputs)\n"
        "outputs = {layer:ReLU}()(hidden)\nmodel = {keras:Model}(inputs, outputs)"
    ),
    "class": (
        "class Net({keras:Model}):\n    def __init__(self):\n        super().__init__()\n"
        '        self.hidden = {layer:Dense}(4, activation="elu")\n\n'
        "    def call(self, x):\n        return self.hidden(x)\n\n\nmodel = Net()"
    ),
}  # fmt: skip

# How the gradients are edited, given `grads` and `model`; {apply} gives them to the optimizer.
EDITS = {
    "comprehension": "# {why}\n{apply:[g * 2 for g in grads]}",
    "other name": "# {why}\nscaled = [2.0 * g for g in grads]  # twice\n{apply:scaled}",
    "same name": "grads = [g * 2 for g in grads]  # {why}\n{apply:grads}",
    "several lines": "# {why}\nscaled = [\n    g * 2\n    for g in grads\n]\n# and then\n{apply:scaled}",
    "constant": "factor = 2\n# {why}\nscaled = [g * factor for g in grads]\n{apply:scaled}",
    "division": "# {why}\nscaled = [g / 0.5 for g in grads]\n{apply:scaled}",
    "without None": "# {why}\nscaled = [g * 2 if g is not None else None for g in grads]\n{apply:scaled}",
    "generator": "# {why}\n{apply:(g * 2 for g in grads)}",
    "pairs": "# {why}\noptimizer.apply_gradients([(g * 2, v) for g, v in zip(grads, model.trainable_variables)])",
    "pairs in a list": "# {why}\npairs = [(g * 2, v) for g, v in zip(grads, model.trainable_variables)]\noptimizer.apply_gradients(pairs)",
    "append": "scaled = []\nfor g in grads:\n    # {why}\n    scaled.append(g * 2)\n{apply:scaled}",
    "in place": "for i in range(len(grads)):\n    grads[i] = grads[i] * 2  # {why}\n{apply:grads}",
    "enumerate": "for i, g in enumerate(grads):\n    grads[i] = 2 * g  # {why}\n{apply:grads}",
    "augmented": "for i in range(len(grads)):\n    grads[i] *= 2  # {why}\n{apply:grads}",
    "map": "# {why}\nscaled = list(map(lambda g: g * 2, grads))\n{apply:scaled}",
    "bare map": "# {why}\n{apply:map(lambda g: g * 2, grads)}",
    "twice": "# {why}\nscaled = [g * 4 * 0.5 for g in grads]\n{apply:scaled}",
    "semicolon": "grads = [g * 2 for g in grads]; print(len(grads))  # {why}\n{apply:grads}",
    "used again": "# {why}\nscaled = [g * 2 for g in grads]\nprint([g.shape for g in scaled], len(scaled))\n{apply:scaled}",
    "changed later": "# {why}\nscaled = [g * 2 for g in grads]\n{apply:scaled}\nscaled.clear()\nprint(len(grads))",
}  # fmt: skip
WHY = "double the derivative of the activation"


def written(text: str, style: Style) -> str:
    """A template in the words of a style."""
    text = re.sub(r"\{layer:(\w+)\}", lambda m: style.layer.format(m[1]), text)
    return re.sub(r"\{keras:(\w+)\}", lambda m: style.keras.format(m[1]), text)


def program(style: Style, model: str, edit: str, *, sgd: bool, apply: bool) -> str:
    """A whole program."""

    def applied(match: re.Match[str]) -> str:
        if apply:
            return f"optimizer.apply({match[1]}, model.trainable_variables)"
        return f"optimizer.apply_gradients(zip({match[1]}, model.trainable_variables))"

    edit = re.sub(r"\{apply:(.*)\}", applied, edit).replace("{why}", WHY)
    optimizer = (
        style.optimizer.format("SGD") + "(0.1)" if sgd else style.optimizer.format("Adam") + "()"
    )
    body = "".join(f"    {line}\n" for line in edit.splitlines())
    return (
        f"{style.imports}\n\n{written(model, style)}\noptimizer = {optimizer}\n\n\n"
        f"def train_step(x, y):\n    with {style.tape}() as tape:\n"
        f"        loss = {style.square}\n"
        f"    grads = tape.gradient(loss, model.trainable_variables)\n{body}    return loss\n"
    )  # fmt: skip


def sample() -> dict[str, str]:
    """Every style, model and edit several times, in combinations drawn by a fixed seed."""
    rng = random.Random(7)
    chosen = {
        (rng.choice([*STYLES]), rng.choice([*MODELS]), edit) for edit in EDITS for _ in range(3)
    }
    chosen |= {(style, model, rng.choice([*EDITS])) for style in STYLES for model in MODELS}
    found = {}
    for style, model, edit in sorted(chosen):
        if edit in ("generator", "bare map") or "pairs" in edit:
            apply = False
        else:
            apply = style.startswith("keras") and rng.random() < 0.5
        source = program(
            STYLES[style], MODELS[model], EDITS[edit], sgd=rng.random() < 0.5, apply=apply
        )
        found[f"{style}, {model}, {edit}"] = source
    return found


PROGRAMS = sample()


def fixed(source: str) -> tuple[str, int]:
    done = fix(
        source.encode(),
        Consent(unsafe=True),
        lambda data: engine.lint("x.py", data, "python", CODES),
    )
    assert done.troubles == ()
    return done.data.decode(), done.made


def comments(source: str) -> list[str]:
    tokens = tokenize.tokenize(BytesIO(source.encode()).readline)
    return [token.string for token in tokens if token.type == tokenize.COMMENT]


FIXED: dict[str, str] = {}


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_fix_parses_is_clean_and_final(name: str) -> None:
    source = PROGRAMS[name]
    report = engine.lint("x.py", source.encode(), "python", CODES)
    (finding,) = report.findings
    assert finding.rule == "LK101"
    assert {one.id for one in finding.fixes} == {"custom-gradient", "stop-gradient"}
    assert {one.applicability for one in finding.fixes} == {Applicability.UNSAFE}
    new, made = fixed(source)
    assert made == 1
    FIXED[name] = new
    compile(new, name, "exec")
    assert engine.lint("x.py", new.encode(), "python", CODES).findings == ()
    assert fixed(new) == (new, 0)
    lost = [text for text in comments(source) if text not in comments(new)]
    if lost:  # only on a removed line, and said
        assert len(lost) == 1 and "comment on the removed line" in finding.fixes[0].title
        assert all(
            not line.strip().startswith("#") for line in source.splitlines() if lost[0] in line
        )
    assert not re.search(r" [*/] (2|factor|0\.5)\b", new.partition("def train_step")[2])


def test_no_name_is_undefined_unused_or_defined_twice(tmp_path: Path) -> None:
    for number, (name, source) in enumerate(PROGRAMS.items()):
        (tmp_path / f"before_{number}.py").write_text(source)
        (tmp_path / f"after_{number}.py").write_text(FIXED.get(name) or fixed(source)[0])
    done = subprocess.run(
        [sys.executable, "-m", "ruff", "check", "--isolated", "--select", "F,E3,W", "--preview",
         "--output-format", "json", "--no-cache", "."],
        cwd=tmp_path, capture_output=True, check=False,
    )  # fmt: skip
    found = {"before": set[tuple[str, str]](), "after": set[tuple[str, str]]()}
    for one in json.loads(done.stdout):
        when, _, index = Path(one["filename"]).stem.partition("_")
        found[when].add((index, one["code"]))
    names = [*PROGRAMS]
    new = [(names[int(index)], code) for index, code in found["after"] - found["before"]]
    assert new == []


def values(source: str) -> tuple[Any, Any]:
    """The loss of the model, and its gradient with respect to the input, before training."""
    import keras
    import numpy as np
    import tensorflow as tf

    keras.utils.set_random_seed(3)
    names: dict[str, Any] = {"__name__": "program"}
    exec(compile(source, "program", "exec"), names)
    x = tf.constant(np.linspace(-1, 1, 15).reshape(5, 3), tf.float32)
    y = tf.ones((5, 4))
    model = names["model"]
    with tf.GradientTape() as tape:
        tape.watch(x)
        loss = tf.reduce_mean((model(x) - y) ** 2)
    result = loss.numpy(), tape.gradient(loss, x).numpy()
    stepped = tf.function(names["train_step"])(x, y)
    assert stepped.numpy() == pytest.approx(float(loss))
    return result


@pytest.mark.tensorflow
@pytest.mark.parametrize("name", [*PROGRAMS][::9])
def test_the_backward_pass_is_doubled(name: str) -> None:
    loss, gradient = values(PROGRAMS[name])
    new_loss, new_gradient = values(FIXED.get(name) or fixed(PROGRAMS[name])[0])
    assert loss == new_loss
    assert abs(new_gradient - 2 * gradient).max() < 1e-6
    assert abs(gradient).max() > 1e-3
