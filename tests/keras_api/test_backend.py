"""Each replacement of a function of the backend is run, and computes what the old one did."""

from __future__ import annotations

import inspect
import re
from collections.abc import Sequence
from typing import Any

import pytest

from lintkeras import engine, keras_api
from lintkeras.checks.backend import entry_of
from lintkeras.fixes import Consent, fix
from lintkeras.keras_api.replacements import table

TABLE = table("backend")
NAMES = [entry["old"].removeprefix("backend.") for entry in TABLE]
VARIABLES = {
    "update": ["1.5", "new_x=x[0, 0]"],
    "update_add": ["1.5", "increment=x[0, 0]"],
    "update_sub": ["1.5", "decrement=x[0, 0]"],
    "moving_average_update": ["2.0, 0.9", "momentum=0.5, value=x[0, 0] + 1.0"],
    "set_value": ["2.5", "value=np.float64(3)"],
}
CASES: dict[str, Sequence[str]] = {
    **dict.fromkeys(["abs", "square", "sign", "round", "sin", "cos", "tanh", "exp", "softplus",
                     "softsign", "sigmoid", "elu", "hard_sigmoid", "transpose", "stop_gradient"],
                    ("x", "x * 10.0", "special", "x[0]")),
    **dict.fromkeys(["log"], ("x", "special", "pos")),
    "sqrt": ["x", "special", "x=x", "K.square(x)", "K.sum(K.square(x), axis=-1)", "K.maximum(x, K.epsilon())"],
    **dict.fromkeys(["max", "min", "prod", "sum", "std", "var", "mean"],
                    ("x", "x, 1", "x, axis=-1", "x, axis=[0, 1]", "x, -1, True", "x, keepdims=True",
                     "img, axis=(1, 2)", "axis=0, x=x")),
    "logsumexp": ["x", "x, 1", "x, axis=-1, keepdims=True"],
    **dict.fromkeys(["any", "all"], ("x > 0", "x > 0, 1", "x, axis=-1", "x > 0, keepdims=True")),
    **dict.fromkeys(["argmax", "argmin"], ("x", "x, 0", "x, axis=1", "img", "x=img, axis=-2")),
    **dict.fromkeys(["cumsum", "cumprod"], ("x", "x, 1", "x, axis=-1")),
    "arange": ["4", "1, 5", "0, 9, 2", "0, 3, dtype='float32'", "start=2, stop=5"],
    **dict.fromkeys(["equal", "not_equal", "greater", "greater_equal", "less", "less_equal",
                     "maximum", "minimum"],
                    ("x, y", "x, 0.5", "y=y, x=x", "x, x", "special, y")),
    "pow": ["pos, 2", "pos, y", "x, 3.0", "a=2, x=x", "x=x, a=2"],
    "dot": ["x, K.transpose(y)", "img[0], kernel[0, 0]", "x=x, y=kernel[0, 0]", "seq, kernel[0, 0]", "img, kernel[0, 0]"],
    "batch_dot": ["seq, seq2, axes=(2, 1)", "seq, seq, axes=2", "x, y, axes=1", "seq, seq, axes=(1, 1)", "x=seq, y=seq2, axes=[2, 1]"],
    "clip": ["x, -0.2, 0.5", "x, min_value=-0.2, max_value=0.5", "x, 0.5, -0.2", "max_value=0.1, x=x, min_value=0.0", "special, 0.0, 1.0"],
    "concatenate": ["[x, y]", "[x, y], 0", "[x, y], axis=1", "tensors=[x, y]", "(img, img)"],
    "stack": ["[x, y]", "[x, y], 1", "x=[x, y], axis=-1"],
    "expand_dims": ["x", "x, 0", "x, axis=1", "axis=-2, x=x"],
    "squeeze": ["x[:, :1], 1", "x[:1], axis=0", "x[:, :1], -1"],
    "reshape": ["x, (3, 2)", "x, shape=(-1,)", "x, [6]", "x=x, shape=(1, 2, 3)"],
    "flatten": ["x", "img", "x=img"],
    "batch_flatten": ["img", "x", "x[0]", "x=seq"],
    "permute_dimensions": ["img, (0, 3, 1, 2)", "img, pattern=[0, 2, 1, 3]", "pattern=(1, 0), x=x"],
    "repeat": ["x, 2", "x=x, n=3"],
    "repeat_elements": ["x, 2, 1", "x, rep=3, axis=0", "x, axis=-1, rep=2"],
    "tile": ["x, [1, 2]", "x, n=(2, 1)", "x[0], 2"],
    "reverse": ["x, 1", "x, axes=0", "img, [1, 2]", "axes=-1, x=x"],
    "gather": ["x, [1, 0]", "x, 1", "reference=x, indices=ints", "indices=ints, reference=x"],
    "one_hot": ["ints, 3", "indices=ints, num_classes=2", "ints + 2, 3"],
    "cast": ["x, 'int32'", "ints, dtype='float32'", "x, 'bool'", "x * 3, 'float64'", "ints, tf.float16", "dtype='float32', x=x > 0"],
    "cast_to_floatx": ["x", "np.ones(2)", "x=ints"],
    "constant": ["3", "[1.0, 2.0]", "3, dtype='int32'", "value=[[1, 2]], name='c'", "np.ones(3)"],
    "variable": ["1.0", "np.ones((2, 2))", "3, dtype='int32'", "value=[1, 2], name='v'"],
    **dict.fromkeys(["zeros", "ones"], ("(2, 3)", "(2,), 'int32'", "shape=(1, 2), dtype='float32', name='z'")),
    "eye": ["3", "size=2, dtype='int32'"],
    **dict.fromkeys(["zeros_like", "ones_like"], ("x", "x, 'int32'", "x=ints, dtype='float32', name='z'")),
    "shape": ["x", "img", "=K.shape(x)[0]", "=K.shape(img)[-1]"],
    "int_shape": ["x", "img", "=K.int_shape(x)[1]", "=K.int_shape(img)[-1]", "=K.int_shape(x + y)[0]", "=K.int_shape(x=img)[2]"],
    "get_variable_shape": ["x", "=K.get_variable_shape(img)[1]"],
    "ndim": ["x", "img", "x=seq"],
    "size": ["x", "img, name='n'"],
    "slice": ["x, [0, 1], [2, 2]", "x, [1, 0], size=[1, 3]"],
    "count_params": ["x", "img"],
    "dtype": ["x", "ints", "x > 0"],
    "is_tensor": ["x", "3"],
    "to_dense": ["x", "tf.sparse.from_dense(x)"],
    "eval": ["x", "x[0, 0]"],
    "get_value": ["x", "tf.Variable(1.5)", "tf.Variable([1.5, 2.0])", "opt.lr"],
    "batch_get_value": ["[tf.Variable(1.5), tf.Variable([1.0, 2.0])]"],
    "batch_set_value": ["[(v, 2.5), (w, 0.5)]"],
    **{name: [f"v, {one}" for one in given] for name, given in VARIABLES.items()},
    "switch": ["x > 0, x, y", "then_expression=x, condition=x > 0, else_expression=y"],
    "map_fn": ["lambda one: one * 2, x", "fn=lambda one: K.sum(one), elems=x, name='m'"],
    "relu": ["x", "x, 0.1", "x, max_value=0.3", "x, alpha=0.2, max_value=0.3, threshold=0.1", "x=x, threshold=0.2", "special"],
    "softmax": ["x", "x, 0", "x, axis=-1", "img, axis=1"],
    "l2_normalize": ["x", "x, 1", "x, axis=-1", "x, axis=0", "x * 1e-8, axis=-1", "x * 1e-8", "x * 0.0, axis=-1", "x * 1e8, -1", "img, axis=(1, 2)"],
    "in_top_k": ["probs, [0, 1], 1", "predictions=probs, targets=[2, 1], k=2"],
    "binary_crossentropy": ["truth, probs", "truth, x, True", "output=probs, target=truth", "truth, x, from_logits=True"],
    "categorical_crossentropy": ["truth, probs", "truth, x, True", "truth, x, from_logits=True, axis=-1", "truth, probs * 3.0", "truth, K.round(probs)", "img, K.abs(img) + 0.1, axis=1"],
    "sparse_categorical_crossentropy": ["ints[:2], probs", "[2, 1], x, True", "target=ints[:2], output=probs", "[0, 1], K.round(probs)", "[[0], [1]], probs", "[1.0, 0.0], probs"],
    "bias_add": ["img, y[0]", "x, bias=y[0]"],
    "conv1d": ["seq, kernel[0]", "seq, kernel[0], 2, 'same'", "seq, kernel=kernel[0], padding='same'", "seq, kernel[0], dilation_rate=1"],
    "conv2d": ["img, kernel", "img, kernel, (2, 2), 'same'", "img, kernel, padding='valid', strides=(2, 1)", "img, kernel, data_format='channels_last'", "img, kernel, dilation_rate=(2, 2)"],
    "conv3d": ["vol, kernel3", "vol, kernel3, (1, 1, 1), 'same'", "vol, kernel=kernel3, strides=(2, 2, 2)"],
    "depthwise_conv2d": ["img, kernel", "img, kernel, padding='same'", "img, depthwise_kernel=kernel, strides=(2, 2)"],
    "separable_conv2d": ["img, kernel, point", "img, kernel, point, padding='same'", "img, kernel, pointwise_kernel=point, strides=(2, 2)"],
    "pool2d": ["img, (2, 2)", "img, (2, 2), (2, 2)", "img, pool_size=(2, 2), padding='same'", "img, (2, 2), strides=(1, 2)"],
    "pool3d": ["vol, (2, 2, 2)", "vol, (2, 2, 2), strides=(2, 2, 2), padding='same'"],
    "resize_images": ["img, 2, 3, 'channels_last'", "img, 2, 2, 'channels_last', interpolation='bilinear'", "data_format='channels_last', x=img, height_factor=2, width_factor=1"],
    "resize_volumes": ["vol, 2, 1, 3, 'channels_last'"],
    "temporal_padding": ["seq", "seq, (2, 1)", "seq, padding=(0, 3)"],
    "spatial_2d_padding": ["img", "img, ((1, 0), (2, 3))", "img, data_format='channels_last', padding=((1, 1), (0, 2))"],
    "spatial_3d_padding": ["vol", "vol, ((1, 0), (2, 3), (0, 1))"],
    "batch_normalization": ["img, y[0], pos[0], y[1], pos[1]", "img, y[0], pos[0], y[1], pos[1], epsilon=0.1", "x, mean=y[0], var=pos[0], beta=None, gamma=None"],
    "dropout": ["x, 0.0", "x, level=0.0, noise_shape=(2, 1)"],
    "lesser": ["x, y"], "lesser_equal": ["x, y"],
    "set_image_dim_ordering": ["'tf'", "dim_ordering='tf'"],
    "image_dim_ordering": [""],
    "name_scope": ["'scope'", "name='scope'"],
    "random_normal": ["(2000,)", "(2000,), 3.0, 2.0", "shape=(2000,), stddev=0.5, dtype='float64'"],
    "random_uniform": ["(2000,)", "(2000,), 1.0, 3.0", "shape=(2000,), maxval=4.0"],
    "truncated_normal": ["(2000,)", "(2000,), mean=1.0, stddev=0.5"],
    "random_bernoulli": ["(2000,), 0.3", "(2000,), p=0.8, dtype='float64'"],
    "random_binomial": ["(2000,), 0.3"],
    "random_normal_variable": ["(2000,), 1.0, 2.0", "(2000,), mean=0.0, scale=1.0"],
    "random_uniform_variable": ["(2000,), 1.0, 2.0", "(2000,), low=0.0, high=1.0"],
}  # fmt: skip
OTHER = {
    "get_variable_shape": "K.int_shape",
    "size": "tf.size",
    "slice": "tf.slice",
    "is_tensor": "tf.is_tensor",
    "logsumexp": "tf.reduce_logsumexp",
    "random_binomial": "K.random_bernoulli",
    "lesser": "K.less",
    "lesser_equal": "K.less_equal",
}
"""What computes the same as a function that tf.keras.backend does not have."""
TYPES = frozenset({"argmax", "argmin", "cast_to_floatx", "shape", "count_params", "size"})
"""Functions whose result has another integer type, or is a tensor, now."""
HEAD = "import keras\nfrom keras import backend as K\n"
RATE = "opt = keras.optimizers.Adam(0.25)\n"
WITHOUT = ("batch_set_value", "set_image_dim_ordering", "image_dim_ordering", "name_scope")
"""What gives nothing, or something else."""


# ---------------------------------------------------------------------------- the table


def test_every_function_that_keras_3_lost_is_known() -> None:
    space = keras_api.space("keras")
    lost = set(space.names_in("keras.backend", "2.15.0")) - set(space.names_in("keras.backend"))
    lost -= {"experimental"}
    assert lost <= set(NAMES)


@pytest.mark.parametrize("entry", TABLE, ids=lambda e: e["old"])
def test_entries_are_whole(entry: dict[str, Any]) -> None:
    found = entry_of(entry["old"])
    assert found is not None and found.names is not None
    assert "; " in entry["source"]
    assert "new" in entry or "note" in entry
    for wanted in found.templates:
        assert set(wanted.parameters) <= set(found.names)
    assert set(entry.get("needs", [])) | set(entry.get("drop", [])) <= set(found.names)
    assert ("then" in entry) <= ("unless" in entry) <= ("changes" in entry)


def test_every_replacement_has_a_case() -> None:
    assert {name for entry in TABLE if "new" in entry for name in [entry["old"][8:]]} == set(CASES)


# ---------------------------------------------------------------------------- numbers


def migrated(source: str) -> str:
    """What the fixes make of a program."""
    codes = {"LK604", "LK622"}
    done = fix(
        source.encode(),
        Consent(unsafe=True),
        lambda new: engine.lint("x.py", new, "python", codes),
    )
    assert not done.troubles
    return done.data.decode()


def _namespace() -> dict[str, Any]:
    import keras
    import numpy as np
    import tensorflow as tf

    tf.keras.utils.set_random_seed(3)
    draw = np.random.default_rng(7)

    def tensor(*shape: int) -> Any:
        return tf.constant(draw.normal(size=shape).astype("float32"))

    x = tensor(2, 3)
    return {
        "np": np, "tf": tf, "x": x, "y": tensor(2, 3), "pos": tf.abs(tensor(2, 3)) + 0.1,
        "special": tf.constant([[np.nan, np.inf, -np.inf], [0.0, -0.0, 1e-30]]),
        "ints": tf.constant([1, 0, 1]), "img": tensor(2, 5, 6, 3), "seq": tensor(2, 5, 3),
        "seq2": tensor(2, 3, 5), "vol": tensor(1, 4, 4, 4, 3), "kernel": tensor(2, 2, 3, 3),
        "kernel3": tensor(2, 2, 2, 3, 2), "point": tensor(1, 1, 9, 2), "probs": tf.nn.softmax(x),
        "truth": tf.constant([[0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]),
        "v": keras.Variable(1.0), "w": keras.Variable(2.0),
    }  # fmt: skip


@pytest.mark.tensorflow
@pytest.mark.parametrize("name", [name for name in CASES if name not in (*VARIABLES, *WITHOUT)])
def test_the_new_call_computes_the_same(name: str) -> None:
    import numpy as np
    import tensorflow as tf

    for given in CASES[name]:
        call = given[1:] if given.startswith("=") else f"K.{name}({given})"
        rate = RATE if "opt" in given else ""
        made = migrated(f"{HEAD}{rate}result = {call}\n")
        assert f"K.{name}(" not in made, given
        names = _namespace()
        exec(compile(made, "new", "exec"), names)
        rate_then = type("Optimizer", (), {"lr": tf.Variable(0.25)})
        before = {**_namespace(), "K": tf.keras.backend, "opt": rate_then}
        text = call.replace(f"K.{name}(", OTHER.get(name, f"K.{name}") + "(")
        _same(eval(text, before), names["result"], name, given, np)


def _same(old: Any, new: Any, name: str, given: str, np: Any) -> None:
    if isinstance(old, (list, tuple)) and old and hasattr(old[0], "shape"):
        for one, other in zip(old, new, strict=True):
            _same(one, other, name, given, np)
        return
    if isinstance(old, str):
        assert str(new) == old
        return
    one, other = np.asarray(old), np.asarray(new)
    if name.startswith(("random", "truncated")):
        assert one.dtype == other.dtype and one.shape == other.shape
        assert abs(one.mean() - other.mean()) < 0.25 and abs(one.std() - other.std()) < 0.25
        assert abs(one.max() - other.max()) < 2.5
        return
    assert one.shape == other.shape, given
    assert one.dtype == other.dtype or name in TYPES or "opt" in given, given
    np.testing.assert_allclose(other, one, rtol=2e-5, atol=1e-6, err_msg=f"{name}({given})")


@pytest.mark.tensorflow
@pytest.mark.parametrize("name", [*VARIABLES, "batch_set_value"])
def test_variables_are_assigned(name: str) -> None:
    for given in CASES[name]:
        names = _namespace()
        exec(compile(migrated(f"{HEAD}K.{name}({given})\n"), "new", "exec"), names)
        old = _namespace()
        import tensorflow as tf

        old |= {"v": tf.Variable(1.0), "w": tf.Variable(2.0), "K": tf.keras.backend}
        eval(f"K.{name}({given})", old)
        for variable in "vw":
            assert float(names[variable]) == pytest.approx(float(old[variable]))


@pytest.mark.tensorflow
def test_settings_of_keras_1() -> None:
    for call in ("K.set_image_dim_ordering('tf')", "K.set_image_dim_ordering(dim_ordering='tf')"):
        names = _namespace()
        made = migrated(f"{HEAD}{call}\nresult = K.image_dim_ordering()\n")
        exec(compile(made, "new", "exec"), names)
        assert names["result"] == "channels_last"
    made = migrated(f"{HEAD}with K.name_scope(name='outer'):\n    pass\n")
    exec(compile(made, "new", "exec"), _namespace())
    assert "keras.name_scope('outer')" in made or "keras.name_scope(name='outer')" in made


@pytest.mark.tensorflow
def test_keywords_are_in_the_order_of_the_new_function() -> None:
    """An argument that was given by position stays at its position."""
    import keras

    for entry in TABLE:
        found = entry_of(entry["old"])
        assert found is not None
        for wanted in found.templates:
            for function, keywords in _calls(wanted.text):
                owner: Any = keras
                for part in function.split(".")[1:]:
                    owner = getattr(owner, part)
                parameters = list(inspect.signature(owner).parameters)
                first, *rest = keywords
                assert int(first) <= len(parameters)
                places = [parameters.index(keyword) for keyword in rest]
                assert places[:1] in ([], [int(first)]) or places == sorted(places), wanted.text


def _calls(text: str) -> list[tuple[str, list[str]]]:
    """The calls of keras functions in a template: how many arguments by position, the keywords."""
    import ast

    found = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Call) and re.fullmatch(r"keras(\.\w+)+", ast.unparse(node.func)):
            keywords = [keyword.arg or "" for keyword in node.keywords]
            found.append((ast.unparse(node.func), [str(len(node.args)), *keywords]))
    return found
