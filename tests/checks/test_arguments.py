"""What is said of the arguments of calls, in many spellings; and what becomes of them."""

from __future__ import annotations

import pytest

from lintkeras import engine
from lintkeras.findings import Applicability
from lintkeras.fixes import Consent, fix
from tests.pages import CODES

RULES = frozenset({"LK415", "LK605", "LK606", "LK607", "LK610", "LK615", "LK618"})
HEAD = """
import functools
import keras
import tensorflow as tf
from keras import Input, Model, Sequential, layers, optimizers
from keras.callbacks import LambdaCallback, ReduceLROnPlateau
from keras.layers import Conv2D, Convolution2D, Dense, Dropout
from keras.optimizers import SGD, Adam
"""


def codes(source: str, target: str | None = None) -> list[str]:
    report = engine.lint("x.py", (HEAD + source).encode(), "python", RULES, target=target)
    return [finding.rule for finding in report.findings]


def fixed(source: str, *, unsafe: bool = True, target: str | None = None) -> str:
    done = fix(
        (HEAD + source).encode(),
        Consent(unsafe=unsafe),
        lambda new: engine.lint("x.py", new, "python", RULES - {"LK615"}, target=target),
    )
    return done.data.decode().removeprefix(HEAD)


FOUND = [
    ("Adam(lr=1)", "LK605"),
    ("tf.optimizers.Adam(lr=1)", "LK605"),
    ("tf.keras.optimizers.Adam(**{'lr': 1})", "LK605"),
    ("given = dict(lr=1)\nAdam(**given)", "LK605"),
    ("make = optimizers.Adam\nmake(lr=1)", "LK605"),
    ("makers = {'adam': Adam, 'sgd': SGD}\nfor name in makers:\n    Adam(lr=1)", "LK605"),
    ("functools.partial(Adam, lr=1)", "LK605"),
    ("class Own(Adam):\n    pass\nOwn(lr=1)", "LK605"),
    ("class Own(Adam):\n    def __init__(self):\n        super().__init__(lr=1)", "LK605"),
    ("def build(lr):\n    return SGD(lr=lr)", "LK605"),
    ("def train(model):\n    model.fit(1, workers=2)\ntrain(Sequential())", "LK605"),
    ("class Net(Model):\n    def go(self, x):\n        self.fit(x, workers=2)", "LK605"),
    ("keras.models.load_model('x').predict(1, workers=2)", "LK605"),
    ("model = keras.applications.VGG16()\nmodel.fit(1, max_queue_size=2)", "LK605"),
    ("Dense(1, weights=[1])", "LK605"),
    ("Dense(1, dynamic=True)", "LK605"),
    ("layers.TimeDistributed(Dense(1), batch_input_shape=(1, 2, 3))", "LK605"),
    ("layers.RNN(layers.LSTMCell(2), time_major=True)", "LK605"),
    ("Input(batch_input_shape=(1, 2))", "LK605"),
    ("Adam(epsilon=None)", "LK605"),
    ("keras.losses.Huber(reduction='auto')", "LK605"),
    ("layers.LSTMCell(2).get_initial_state(inputs=None, batch_size=3)", "LK605"),
    ("keras.utils.to_categorical(y=[1])", "LK605"),
    ("layers.LSTM(2)(Input((3, 2)), None, True)", "LK605"),
    ("Input(tensor=tf.constant([1.0]))", "LK605"),
    ("Dense(1, name='block/dense')", "LK605"),
    ("layers.ReLU(alpha=0.1)", "LK605"),
    ("SGD(decay=1e-6)", "LK606"),
    ("Convolution2D(8, 3, 3)", "LK607"),
    ("Conv2D(8, 3, 3, border_mode='same')", "LK607"),
    ("Sequential().fit(1, 2, nb_epoch=3)", "LK607"),
    ("layers.AtrousConvolution2D(8, 3, 3)", "LK607"),
    ("keras.constraints.MaxNorm(m=2)", "LK607"),
    ("Dense(1, p=0.5)", "LK610"),
    ("Dropout(rates=0.5)", "LK610"),
    ("class Own(layers.Layer):\n    pass\nOwn(units=3)", "LK610"),
    ("Sequential().compile(optimiser='sgd')", "LK610"),
    ("Sequential().evaluate(1, werkers=2)", "LK610"),
    ("keras.applications.VGG16(weigths=None)", "LK610"),
    ("ReduceLROnPlateau(epsilon=1)", "LK618"),
    ("ReduceLROnPlateau(cooldwn=1)", "LK618"),
    ("LambdaCallback(on_epoch_finish=print)", "LK618"),
    ("SGD(clipnorm=1.0, global_clipnorm=2.0)", "LK415"),
    ("Sequential([Dense(1, input_shape=(4,))])", "LK615"),
]


@pytest.mark.parametrize(("source", "code"), FOUND)
def test_found(source: str, code: str) -> None:
    assert codes(source) == [code]


SILENT = [
    "import torch\ntorch.optim.Adam(lr=1)",
    "from elsewhere import Adam\nAdam(lr=1)",
    "def make(cls):\n    return cls(lr=1)",
    "def make(cls):\n    return cls(lr=1)\nmake(Adam)\nmake(object())",
    "cls = Adam if flag else Other\ncls(lr=1)",
    "class Own(Adam):\n    def __init__(self, lr):\n        super().__init__(lr)\nOwn(lr=1)",
    "class Own(Adam, Mixin):\n    pass\nOwn(lr=1)",
    "class Own(layers.Dense):\n    def __new__(cls, *args, **kwargs):\n"
    "        return object.__new__(cls)\nOwn(gain=1)",
    "class Own(Adam):\n    def __init__(self, **kwargs):\n        super().__init__(**kwargs)\nOwn(lr=1)",
    "class Net(Model):\n    def fit(self, x, workers):\n        pass\nNet().fit(1, workers=2)",
    "class Net(Model):\n    pass\nNet(name='n', trainable=False)",
    "i = Input((2,))\nModel(inputs=i, outputs=Dense(1)(i), name='n', trainable=True)",
    "model.fit(1, workers=2)",
    "def train(model):\n    model.fit(1, workers=2)",
    "try:\n    Adam(learning_rate=1)\nexcept TypeError:\n    Adam(lr=1)",
    "if keras.__version__ < '3':\n    Adam(lr=1)",
    "import inspect\nif 'lr' in inspect.signature(Adam).parameters:\n    Adam(lr=1)",
    "import pytest\nwith pytest.raises(ValueError):\n    Adam(lr=1)",
    "keras.optimizers.legacy.Adam(lr=1, decay=2)",
    "tf.compat.v1.train.AdamOptimizer(learning_rate=1)",
    "tf.compat.v1.keras.optimizers.Adam(lr=1)",
    "Sequential().save_weights('x.weights.h5', options=None)",
    "keras.models.load_model('x', options=None)",
    "Conv2D(8, 3, 3)",
    "Convolution2D(8, (3, 3))",
    "Convolution2D(8, 3, 3.0)",
    "layers.Embedding(3, 2, weights=[1])",
    "Dense(1, name='d', dtype='float32', trainable=False, activity_regularizer='l2', autocast=True)",
    "layers.LSTM(2, implementation=1, name='x')",
    "layers.MultiHeadAttention(2, 2, name='a')",
    "SGD(clipnorm=1.0, clipvalue=None)",
    "def make(a=None, b=None):\n    return SGD(clipnorm=a, clipvalue=b)",
    "LambdaCallback(on_predict_end=print, on_batch_end=print)",
    "Dropout(0.5)(Input((2,)), training=True)",
    "class Scale(layers.Layer):\n    def build(self, s):\n"
    "        self.w = self.add_weight((2,), 'ones', name='w')",
    "class Scale(layers.Layer):\n    def add_weight(self, name, shape):\n        pass\n"
    "    def build(self, s):\n        self.w = self.add_weight('w', (2,))",
    "class Own(layers.Layer):\n    def __call__(self, x, flag):\n        return x\nOwn()(1, True)",
    "layers.Lambda(lambda x: x, arguments={'lr': 1})",
    "Input((4,))\nInput(shape=[4])\nInput(shape=n)",
]


@pytest.mark.parametrize("source", SILENT)
def test_silent(source: str) -> None:
    assert codes(source) == []


@pytest.mark.parametrize(
    ("source", "target", "code"),
    [
        ("Adam(lr=1)", "2.10", None),
        ("Adam(lr=1)", "2.15", "LK605"),
        ("SGD(decay=1e-6)", "2.10", None),
        ("SGD(decay=1e-6)", "2.15", "LK606"),
        ("Sequential().fit(1, workers=2)", "2.15", None),
        ("Sequential().fit(1, workers=2)", ">=2.15", "LK605"),
        ("ReduceLROnPlateau(epsilon=1)", "2.15", None),
        ("Dense(1, weights=[1])", "2.15", None),
        ("Dense(1, foo=1)", "2.15", "LK610"),
        ("Convolution2D(8, 3, 3, border_mode='same')", "2.3", None),
        ("Convolution2D(8, 3, 3, border_mode='same')", "2.15", "LK607"),
        ("Sequential([Dense(1, input_shape=(4,))])", "2.15", None),
        ("SGD(clipnorm=1.0, clipvalue=0.5)", "2.15", "LK415"),
    ],
)
def test_targets(source: str, target: str, code: str | None) -> None:
    assert codes(source, target) == ([] if code is None else [code])


@pytest.mark.parametrize(
    ("target", "safe"),
    [(None, True), ("3", True), (">=2.15", False), (">=2.4", False), ("2.15", False)],
)
def test_renaming_lr_is_safe_where_it_raised(target: str | None, safe: bool) -> None:
    source = (HEAD + "Adam(lr=1)").encode()
    (finding,) = engine.lint("x.py", source, "python", RULES, target=target).findings
    (one,) = finding.fixes
    assert (one.applicability is Applicability.SAFE) == safe


FIXED = [
    ("Adam(lr=1, beta_1=2)", "Adam(learning_rate=1, beta_1=2)"),
    ("Adam(lr=1, learning_rate=2)", "Adam(lr=1, learning_rate=2)"),
    ("Adam(0.1, lr=1)", "Adam(0.1, lr=1)"),
    ("Adam(\n    lr=1,  # rate\n)", "Adam(\n    learning_rate=1,  # rate\n)"),
    (
        "m = Sequential()\nm.fit(\n    1,\n    workers=2,  # processes\n    epochs=3,\n)",
        "m = Sequential()\nm.fit(\n    1,\n    # processes\n    epochs=3,\n)",
    ),
    (
        "m = Sequential()\nm.fit(1, workers=2, use_multiprocessing=True, max_queue_size=3)",
        "m = Sequential()\nm.fit(1)",
    ),
    (
        "m = Sequential()\nm.fit(\n    1,\n    epochs=3,\n    workers=2,\n)",
        "m = Sequential()\nm.fit(\n    1,\n    epochs=3,\n)",
    ),
    ("layers.BatchNormalization(fused=True)", "layers.BatchNormalization()"),
    ("layers.BatchNormalization(fused=True,)", "layers.BatchNormalization()"),
    (
        "SGD(lr=0.1, decay=1e-6, momentum=0.9)",
        "SGD(learning_rate=optimizers.schedules.InverseTimeDecay(0.1, decay_steps=1, "
        "decay_rate=1e-6), momentum=0.9)",
    ),
    ("rate = schedule()\nSGD(rate, decay=1e-6)", "rate = schedule()\nSGD(rate, decay=1e-6)"),
    (
        "x = Convolution2D(\n    8, 3, 3,  # kernel\n    border_mode='same',  # padding\n)",
        "x = Convolution2D(\n    8, (3, 3),  # kernel\n    padding='same',  # padding\n)",
    ),
    (
        "layers.Convolution2D(8, 3, 3, 'uniform', 'relu', bias=False)",
        "layers.Conv2D(8, (3, 3), kernel_initializer='uniform', activation='relu', use_bias=False)",
    ),
    (
        "layers.Convolution2D(nb_filter=8, nb_row=3, nb_col=5)",
        "layers.Conv2D(filters=8, kernel_size=(3, 5))",
    ),
    ("Dense(output_dim=3, units=4)", "Dense(output_dim=3, units=4)"),
    (
        "layers.AtrousConvolution2D(8, 3, 3, atrous_rate=(2, 2))",
        "layers.Conv2D(8, (3, 3), dilation_rate=(2, 2))",
    ),
    (
        "layers.LSTM(3, consume_less='gpu', forget_bias_init='one')",
        "layers.LSTM(3)",
    ),
    ("layers.Dropout(p=0.5)", "layers.Dropout(rate=0.5)"),
    (
        "m = Sequential([layers.LSTM(2, input_dim=3, input_length=7)])",
        "m = Sequential([Input(shape=(7, 3)), layers.LSTM(2)])",
    ),
    (
        "if flag:\n    m = Sequential()\n    # first\n    m.add(Dense(2, batch_input_shape=(1, 4)))",
        "if flag:\n    m = Sequential()\n    # first\n    m.add(Input(batch_shape=(1, 4)))\n"
        "    m.add(Dense(2))",
    ),
]


@pytest.mark.parametrize(("source", "expected"), FIXED)
def test_fixed(source: str, expected: str) -> None:
    made = fixed(source)
    if "Convolution2D" in source and "layers." not in source:
        made = made.replace("x = Conv2D(", "x = Convolution2D(")  # the import went with it
        done = fix(
            (HEAD + source).encode(),
            Consent(),
            lambda new: engine.lint("x.py", new, "python", RULES),
        ).data.decode()
        assert "from keras.layers import Conv2D, Dense, Dropout\n" in done
        assert done.endswith(expected.replace("Convolution2D", "Conv2D"))
        return
    assert made == expected


def test_all_rules_are_here() -> None:
    assert RULES <= CODES
