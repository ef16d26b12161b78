"""Layers, losses and strings that are not what Keras needs: programs of many kinds, and their findings."""

from __future__ import annotations

import pytest

from lintkeras import engine

CODES = {"LK214", "LK215", "LK309", "LK310", "LK313"}
HEAD = """\
import functools
import keras
import numpy as np
import tensorflow as tf
from keras import layers, losses, ops
from keras.layers import *
from keras.models import Model, Sequential

def new_model():
    return Sequential([keras.Input((4,)), layers.Dense(3)])

model = new_model()
a, b = keras.Input((4,)), keras.Input((4,))

def mse(y_true, y_pred):
    return ops.mean(ops.square(y_true - y_pred), axis=-1)

"""


def findings(source: str, target: str | None = None) -> list[str]:
    report = engine.lint("x.py", (HEAD + source).encode(), "python", CODES, target=target)
    return [finding.rule for finding in report.findings]


LAYERS = [
    # as a builder of blocks
    ("def block(n, pool=layers.MaxPooling2D):\n    return [layers.Conv2D(n, 3), pool()]\nSequential(block(3))", 0),
    ("m = Sequential()\nfor part in (layers.Dense(3), layers.ReLU()):\n    m.add(part)", 0),
    ("m = Sequential()\nfor part in (layers.Flatten, layers.ReLU):\n    m.add(part())", 0),
    ("m = Sequential()\nm.add(layers.Flatten() if a is b else layers.ReLU())", 0),
    ("m = Sequential()\nm.add(layers.Flatten)", 1),
    ("m = Sequential()\nkind = layers.Flatten\nm.add(kind)", 1),
    ("m = Sequential()\nkind = layers.Flatten if a is b else layers.ReLU()\nm.add(kind)", 0),
    ("parts = [layers.Dense(3)]\nparts.append(layers.Flatten)\nSequential(parts)", 1),
    ("parts = [layers.Dense(3)]\nparts.append(layers.Flatten())\nSequential(parts)", 0),
    ("Sequential([layers.Dense(3), *[layers.ReLU() for _ in range(3)]])", 0),
    ("Sequential((layers.Dense(3), layers.ReLU))", 1),
    ("tf.keras.Sequential([tf.keras.layers.Flatten])", 1),
    ("class Own(layers.Layer):\n    def call(self, x):\n        return x\nmodel.add(Own)", 1),
    ("class Own(layers.Dense):\n    pass\nmodel.add(Own)", 1),
    ("class Own:\n    pass\nmodel.add(Own)", 0),
    ("import other\nmodel.add(other.Flatten)", 0),
    ("from other import Flatten\nmodel.add(Flatten)", 0),
    ("class Models:\n    def add(self, layer):\n        self.made = layer()\nModels().add(layers.Flatten)", 0),
    ("class Builder(Sequential):\n    def add(self, layer):\n        super().add(layer() if isinstance(layer, type) else layer)\nBuilder().add(layers.Flatten)", 0),
    ("def add_all(model, *kinds):\n    for kind in kinds:\n        model.add(kind())\nadd_all(Sequential(), layers.Flatten)", 0),
    ("layers.Bidirectional(layers.LSTM)", 1),
    ("layers.Bidirectional(layers.LSTM(3), backward_layer=layers.LSTM)", 1),
    ("layers.Bidirectional(layer=layers.LSTM(3))", 0),
    ("layers.RNN([layers.LSTMCell(3), layers.GRUCell(3)])", 0),
    ("layers.RNN([layers.LSTMCell(3), layers.GRUCell])", 1),
    ("class Cell(layers.Layer):\n    state_size = 3\nlayers.RNN(Cell)", 0),
    ("layers.Dense(3, activation=layers.LeakyReLU)", 1),
    ("layers.Dense(3, layers.LeakyReLU)", 1),
    ("layers.Dense(3, activation=functools.partial(ops.relu))", 0),
    ("layers.Conv2D(3, 3, activation=layers.ReLU(6))", 0),
    ("layers.Flatten(a)", 1),
    ("def f(x):\n    return layers.Flatten(x)\nf('channels_last')", 0),
    ("def f(x):\n    return layers.Flatten(x)\nf(a)", 1),
    ("layers.Dense(a.shape[-1])(a)", 0),
    ("layers.Reshape(a.shape[1:])(a)", 0),
    ("layers.Dense(layers.Dense(3)(a).shape[1])", 0),
    ("layers.RepeatVector(keras.ops.shape(a)[1])", 0),
    ("layers.Lambda(lambda x: x * a)(b)", 0),
    ("try:\n    model.add(layers.Flatten)\nexcept ValueError:\n    pass", 0),
    ("x = layers.Dropout(layers.Dense(3)(a))", 1),
]  # fmt: skip

MERGES = [
    ("layers.Add()([a, b])", 0),
    ("layers.Add([a, b])", 1),
    ("layers.Add(name='sum')([a, b])", 0),
    ("tensors = [a, b]\nlayers.Add(tensors)", 1),
    ("tensors = [a, b]\nlayers.Add()(tensors)", 0),
    ("layers.Add(*[a, b])", 0),
    ("args = ()\nlayers.Concatenate(*args)([a, b])", 0),
    ("layers.Concatenate(1)([a, b])", 0),
    ("layers.Concatenate([a, b])", 1),
    ("layers.Concatenate((a, b))", 1),
    ("layers.Concatenate(axis=1)([a, b])", 0),
    ("layers.Concatenate(a)", 1),
    ("def f(x):\n    return layers.Concatenate(x)\nf(1)", 0),
    ("def f(xs):\n    return layers.Concatenate(xs)\nf([a, b])", 1),
    ("layers.concatenate([a, b], 1)", 0),
    ("layers.concatenate([a, b], axis=1)", 0),
    ("layers.concatenate(a, b)", 1),
    ("layers.concatenate(layers.Dense(3)(a), layers.Dense(3)(b))", 1),
    ("def f(x, axis):\n    return layers.concatenate(x, axis)", 0),
    ("layers.add(a, b)", 1),
    ("layers.add(inputs=[a, b])", 0),
    ("ops.add(a, b)", 0),
    ("ops.concatenate([a, b], 1)", 0),
    ("tf.add(1, 2); np.add(1, 2); np.concatenate([[1], [2]], 0)", 0),
    ("layers.Dot(1)([a, b])", 0),
    ("layers.Dot([1, 1])([a, b])", 0),
    ("layers.Dot((1, 1), True)([a, b])", 0),
    ("axes = [1, 1]\nlayers.Dot(axes)([a, b])", 0),
    ("layers.Dot([a, b])", 1),
    ("layers.Dot(a, b)", 1),
    ("layers.dot([a, b], 1)", 0),
    ("layers.dot(a, b)", 1),
    ("layers.Multiply()(a, b)", 1),
    ("merge = layers.Multiply()\nmerge(a, b)", 1),
    ("class Own(layers.Add):\n    def call(self, x, y):\n        return x + y\nOwn()(a, b)", 0),
    ("class Net(Model):\n    def __init__(self):\n        super().__init__()\n        self.merge = layers.Add()\n    def call(self, x):\n        return self.merge([x, x])", 0),
    ("class Net(Model):\n    def __init__(self):\n        super().__init__()\n        self.merge = layers.Add()\n    def call(self, x):\n        return self.merge(x, x)", 1),
    ("layers.Attention()([a, b])", 0),
    ("import torch\ntorch.add(a, b)", 0),
    ("seen = set()\nseen.add(a)\nseen.add(b)", 0),
]  # fmt: skip

RATES = [
    ("layers.Dropout(0.2)", 0),
    ("layers.Dropout(0)", 0),
    ("layers.Dropout(1)", 1),
    ("layers.Dropout(rate=50)", 1),
    ("layers.Dropout(-1)", 1),
    ("layers.Dropout(0.9)", 1),
    ("layers.SpatialDropout1D(0.9)", 0),
    ("layers.GaussianDropout(0.9)", 0),
    ("layers.Dropout(50 / 100)", 0),
    ("keep = 0.9\nlayers.Dropout(1 - keep)", 0),
    ("keep = 1.0\nlayers.Dropout(1 - keep)", 0),
    ("def f(rate=0.5):\n    return layers.Dropout(rate)\nf(0.3)", 0),
    ("def f(rate):\n    return layers.Dropout(rate)\nf(30)", 1),
    ("def f(rate):\n    return layers.Dropout(rate)\nf(30); f(0.3)", 0),
    ("for rate in (0.1, 0.2):\n    layers.Dropout(rate)", 0),
    ("import args\nlayers.Dropout(args.rate)", 0),
    ("import sys\nlayers.Dropout(float(sys.argv[1]))", 0),
    ("layers.LSTM(3, dropout=1)", 1),
    ("layers.LSTM(3, dropout=0.9)", 0),
    ("layers.LSTM(3, dropout=20, recurrent_dropout=20)", 2),
    ("layers.MultiHeadAttention(2, 2, dropout=5)", 1),
    ("layers.MultiHeadAttention(2, 2, 20)", 0),
    ("tf.nn.dropout(a, 0.5)", 0),
    ("tf.nn.dropout(a, rate=2)", 1),
    ("tf.nn.dropout(a, rate=tf.constant(0.3))", 0),
    ("keras.random.dropout(a, 3)", 1),
    ("class Own(layers.Dropout):\n    def call(self, x):\n        return x\nOwn(20)", 0),
    ("class Own(layers.Dropout):\n    pass\nOwn(20)", 1),
    ("class Dropout:\n    def __init__(self, rate): ...\nDropout(20)", 0),
    ("from torch.nn import Dropout\nDropout(20)", 0),
    ("layers.Dropout(True)", 0),
    ("layers.Dropout(None)", 0),
]  # fmt: skip

STRINGS = [
    ("model.compile('adam', 'mse', ['acc'])", 0),
    ("model.compile('adma', 'mse', ['acc'])", 1),
    ("model.compile(loss=['mse', 'mae'], metrics=[['mse'], ['mae', 'accuracy']])", 0),
    ("model.compile(loss=['mse', 'maee'], metrics=[['mse'], ['mae', 'acuracy']])", 2),
    ("model.compile(loss={'x': 'mse', 'y': 'meansquarederror'})", 1),
    ("kind = 'mse' if a is b else 'msee'\nmodel.compile(loss=kind)", 0),
    ("kinds = ['mse']\nkinds.append('accuracyy')\nmodel.compile(metrics=kinds)", 1),
    ("def f(loss):\n    model.compile(loss=loss)\nf('mse'); f('msee')", 0),
    ("def f(loss):\n    model.compile(loss=loss)\nf('mean_sq_error')", 1),
    ("model.compile(loss='kullback_leibler_divergence')", 0),
    ("model.compile(loss='logcosh', optimizer='RMSPROP')", 0),
    ("layers.Dense(3, 'relu'); layers.Dense(3, activation='swish')", 0),
    ("layers.Dense(3, 'Relu')", 1),
    ("layers.Dense(3, activation=None, kernel_initializer='GlorotUniform')", 0),
    ("layers.Dense(3, name='reul')", 0),
    ("layers.Conv2D(3, 3, padding='sam')", 0),
    ("layers.LSTM(3, recurrent_initializer='ortogonal')", 1),
    ("keras.activations.get('sigmod')", 1),
    ("keras.optimizers.get({'class_name': 'Adma', 'config': {}})", 1),
    ("keras.metrics.get('acc')", 0),
    ("keras.utils.get_custom_objects()['reul'] = ops.relu\nlayers.Dense(3, 'reul')", 0),
    ("from keras.utils import get_custom_objects as known\nknown().update(reul=ops.relu)\nlayers.Dense(3, 'reul')", 0),
    ("@keras.saving.register_keras_serializable()\ndef reul(x):\n    return x\nlayers.Dense(3, 'reul')", 0),
    ("import tensorflow_addons\nlayers.Dense(3, 'Addons>mish')", 0),
    ("import mine\nlayers.Dense(3, 'my_act')", 0),
    ("import mine\nlayers.Dense(3, 'prelu')", 0),
    ("layers.Dense(3, 'my_act')", 1),
    ("from .act import something\nlayers.Dense(3, 'my_act')", 0),
    ("class Own(layers.Layer):\n    def __init__(self, activation):\n        super().__init__()\nOwn('reul')", 0),
    ("class Trainer(Model):\n    def compile(self, loss):\n        super().compile()\nTrainer().compile(loss='wgan')", 0),
    ("class Thing:\n    def compile(self, loss): ...\nThing().compile(loss='msee')", 0),
    ("def f(model):\n    model.compile(loss='msee')", 0),
    ("import torch\ntorch.compile(loss='msee')", 0),
    ("try:\n    model.compile(optimizer='adma')\nexcept ValueError:\n    pass", 0),
    ("model.compile(loss='')", 0),
]  # fmt: skip

LOSSES = [
    ("model.compile(loss=mse)", 0),
    ("model.compile(loss=lambda t, p: ops.mean(t - p))", 0),
    ("model.compile(loss=lambda t: ops.mean(t))", 1),
    ("model.compile(loss=lambda t, p, w: ops.mean(t))", 1),
    ("model.compile(loss=lambda t, p, w=1: ops.mean(t))", 0),
    ("model.compile(loss=lambda *both: ops.mean(both[0]))", 0),
    ("model.compile(loss=functools.partial(lambda w, t, p: w * mse(t, p), 2.0))", 0),
    ("def make(w):\n    return lambda t, p: w * mse(t, p)\nmodel.compile(loss=make(2))", 0),
    ("def make(w):\n    def loss(t, p):\n        return w * mse(t, p)\n    return loss\nmodel.compile(loss=make)", 1),
    ("def make(gamma, alpha):\n    return lambda t, p: gamma * alpha * mse(t, p)\nmodel.compile(loss=make(1, 2))", 0),
    ("model.compile(loss=mse())", 1),
    ("model.compile(loss=losses.mean_squared_error())", 1),
    ("model.compile(loss=losses.MeanSquaredError())", 0),
    ("model.compile(loss=losses.MeanSquaredError)", 0),
    ("model.compile(loss=losses.MeanSquaredError()(a, b))", 1),
    ("class Own(losses.Loss):\n    def call(self, y_true, y_pred):\n        return mse(y_true, y_pred)\nmodel.compile(loss=Own())", 0),
    ("class Own(losses.Loss):\n    def call(self, y_pred):\n        return ops.mean(y_pred)\nmodel.compile(loss=Own())", 1),
    ("class Own(losses.Loss):\n    def __call__(self, y_true, y_pred, sample_weight=None):\n        return self.call(y_pred)\n    def call(self, y_pred):\n        return ops.mean(y_pred)\nmodel.compile(loss=Own())", 0),
    ("class Own(losses.Loss):\n    def __init__(self, w):\n        super().__init__()\n    def call(self, y_true, y_pred):\n        return mse(y_true, y_pred)\nmodel.compile(loss=Own)", 1),
    ("class Own:\n    def __call__(self, t, p):\n        return mse(t, p)\nmodel.compile(loss=Own())", 0),
    ("class Own:\n    def loss(self, t, p):\n        return mse(t, p)\n    def bad(self, t):\n        return t\no = Own()\nmodel.compile(loss=o.loss)\nnew_model().compile(loss=o.bad)", 1),
    ("class Own:\n    @staticmethod\n    def loss(t, p):\n        return mse(t, p)\nmodel.compile(loss=Own.loss)\nmodel.compile(loss=Own().loss)", 0),
    ("class Own:\n    @classmethod\n    def loss(cls, t, p):\n        return mse(t, p)\nmodel.compile(loss=Own.loss)", 0),
    ("@tf.function\ndef loss(t, p):\n    return mse(t, p)\nmodel.compile(loss=loss)", 0),
    ("import wrap\n@wrap.with_weights\ndef loss(t, p, w):\n    return mse(t, p)\nmodel.compile(loss=loss)", 0),
    ("def loss(t, p):\n    mse(t, p)\nmodel.compile(loss=loss)", 1),
    ("def loss(t, p):\n    if a is b:\n        return mse(t, p)\nmodel.compile(loss=loss)", 0),
    ("def loss(t, p):\n    raise NotImplementedError\nmodel.compile(loss=loss)", 0),
    ("def loss(y_pred, y_true):\n    return ops.mean(ops.abs(y_true - y_pred))\nmodel.compile(loss=loss)", 0),
    ("def loss(y_pred, y_true):\n    return -ops.mean(y_true * ops.log(y_pred))\nmodel.compile(loss=loss)", 1),
    ("def loss(y_pred, y_true):\n    return -ops.mean(y_pred * ops.log(y_true))\nmodel.compile(loss=loss)", 0),
    ("def loss(y_pred, y_true):\n    return losses.mean_squared_error(y_true, y_pred)\nmodel.compile(loss=loss)", 0),
    ("def loss(y_pred, y_true):\n    return losses.kl_divergence(y_true, y_pred)\nmodel.compile(loss=loss)", 1),
    ("def loss(prediction, label):\n    return -ops.mean(label * ops.log(prediction))\nmodel.compile(loss=loss)", 0),
    ("model.compile(loss='mse', metrics=[mse, 'mae', keras.metrics.AUC()])", 0),
    ("model.compile(loss='mse', metrics=[lambda p: ops.mean(p)])", 1),
    ("class Net(Model):\n    def train_step(self, data):\n        return {'loss': self.given(data)}\nNet().compile(loss=lambda p: ops.mean(p))", 0),
    ("def f(anything):\n    anything.compile(loss=lambda p: ops.mean(p))", 0),
    ("def loss(t, p): return ops.mean(p)\ndef other(loss):\n    model.compile(loss=loss)\nother(mse)", 0),
    ("import pytest\nwith pytest.raises(TypeError):\n    model.compile(loss=lambda p: p)", 0),
]  # fmt: skip

CASES = [
    pytest.param(code, source, count, id=f"{code}-{index}")
    for code, programs in (
        ("LK309", LAYERS), ("LK310", MERGES), ("LK313", RATES), ("LK214", STRINGS), ("LK215", LOSSES),
    )
    for index, (source, count) in enumerate(programs)
]  # fmt: skip


@pytest.mark.parametrize(("code", "source", "count"), CASES)
def test_findings(code: str, source: str, count: int) -> None:
    assert findings(source) == [code] * count


def test_the_release_decides() -> None:
    program = "model.compile(loss=losses.MeanSquaredError)\nlayers.GaussianDropout(2)"
    assert findings(program) == ["LK313"]
    assert findings(program, "2.15") == ["LK215", "LK313"]
    assert findings("keras.random.dropout(a, 3)", "2.15") == []
