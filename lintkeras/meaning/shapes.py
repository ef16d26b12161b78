"""What the layers of Keras make of the shape of a tensor (``compute_output_shape`` of each).

One function a family of layers, found by the name of the class. A layer that is not listed gives a
tensor of any shape.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from lintkeras.meaning.outputs import ANY_SHAPE, Shape
from lintkeras.meaning.values import (
    NONE,
    Arguments,
    Const,
    Instance,
    Value,
    integer,
)  # fmt: skip
from lintkeras.meaning.values import (
    Sequence as Tuple,
)

Sizes = tuple[int | None, ...]


def shape_after(layer: Instance, inputs: Sequence[Shape]) -> Shape:
    """The shape of what a layer of Keras computes of tensors of these shapes."""
    name = plain_name(layer)
    function = _LAYERS.get(name)
    if function is None or not layer.arguments.complete:
        return ANY_SHAPE
    return function(name, layer.arguments, tuple(inputs) or (ANY_SHAPE,))


def plain_name(layer: Instance) -> str:
    """The name of the class of a layer of Keras; its first name where it has several."""
    name = layer.class_name.rpartition(".")[2]
    for second, first in _SECOND_NAMES.items():
        name = name.replace(second, first)
    return name


_SECOND_NAMES = {"Pool1D": "Pooling1D", "Pool2D": "Pooling2D", "Pool3D": "Pooling3D",
                 "AvgPooling": "AveragePooling", "Convolution": "Conv"}  # fmt: skip


def shape_of_input(layer: Instance) -> Shape:
    """The shape that ``Input(...)``, ``InputLayer(...)`` or a layer's ``input_shape=`` declares."""
    given = layer.arguments
    batch = integer(given.get("batch_size") or NONE)
    is_input = layer.class_name in ("keras.Input", "keras.layers.Input")
    shape = given.get("shape", 0) if is_input else given.get("input_shape")
    if shape is None and layer.class_name.endswith("InputLayer"):
        shape = given.get("shape", 0)
    sizes = None if shape is None else sizes_of(shape)
    if sizes is not None:
        return Shape((batch, *sizes), exact=True)
    for keyword in ("batch_shape", "batch_input_shape"):
        whole = given.get(keyword)
        sizes = None if whole is None else sizes_of(whole)
        if sizes is not None:
            return Shape(sizes, exact=True)
    size = given.get("input_dim")
    if size is not None and layer.class_name.endswith("Dense"):
        return Shape((batch, integer(size)), exact=True)
    return ANY_SHAPE


def sizes_of(value: Value) -> Sizes | None:
    """A tuple or list of sizes; None where its length is not known."""
    if isinstance(value, Tuple) and value.kind in ("tuple", "list"):
        plain = value.content.plain()
        return None if plain is None else tuple(integer(one) for one in plain)
    return None


# ------------------------------------------------------------------ families


def _same(name: str, given: Arguments, inputs: tuple[Shape, ...]) -> Shape:
    return inputs[0]


def _units(name: str, given: Arguments, inputs: tuple[Shape, ...]) -> Shape:
    return inputs[0].with_units(integer(given.get("units", 0) or NONE))


def _embedding(name: str, given: Arguments, inputs: tuple[Shape, ...]) -> Shape:
    size = integer(given.get("output_dim", 1) or NONE)
    return Shape((*inputs[0].sizes, size), inputs[0].exact)


def _recurrent(name: str, given: Arguments, inputs: tuple[Shape, ...]) -> Shape:
    units = integer(given.get("units", 0) or NONE)
    sequences = given.get("return_sequences")
    sizes = inputs[0].sizes if inputs[0].exact and len(inputs[0].sizes) == 3 else (None,) * 3
    if given.get("return_state") not in (None, Const(False)):
        return ANY_SHAPE
    if sequences in (None, Const(False)):
        return Shape((sizes[0], units), exact=True)
    return Shape((*sizes[:2], units), exact=True) if sequences == Const(True) else ANY_SHAPE


def _flatten(name: str, given: Arguments, inputs: tuple[Shape, ...]) -> Shape:
    if not inputs[0].exact:
        return Shape((None, None), exact=True)
    batch, *rest = inputs[0].sizes
    return Shape((batch, _product(rest)), exact=True)


def _reshape(name: str, given: Arguments, inputs: tuple[Shape, ...]) -> Shape:
    target = sizes_of(given.get("target_shape", 0) or NONE)
    if target is None:
        return ANY_SHAPE
    batch = inputs[0].sizes[0] if inputs[0].exact else None
    if -1 not in target:
        return Shape((batch, *target), exact=True)
    whole = _product(inputs[0].sizes[1:]) if inputs[0].exact else None
    others = _product([size for size in target if size != -1])
    missing = whole // others if whole is not None and others else None
    return Shape((batch, *(missing if size == -1 else size for size in target)), exact=True)


def _permute(name: str, given: Arguments, inputs: tuple[Shape, ...]) -> Shape:
    dims, sizes = sizes_of(given.get("dims", 0) or NONE), inputs[0].sizes
    if dims is None or not inputs[0].exact or len(dims) + 1 != len(sizes):
        return ANY_SHAPE
    moved = [sizes[d] if d is not None and 0 < d < len(sizes) else None for d in dims]
    return Shape((sizes[0], *moved), exact=True)


def _repeated(name: str, given: Arguments, inputs: tuple[Shape, ...]) -> Shape:
    batch, size = inputs[0].sizes[-2:] if len(inputs[0].sizes) > 1 else (None, inputs[0].units)
    return Shape((batch, integer(given.get("n", 0) or NONE), size), exact=True)


def _global_pool(name: str, given: Arguments, inputs: tuple[Shape, ...]) -> Shape:
    rank = _dimensions(name) + 2
    sizes = inputs[0].sizes if inputs[0].exact and len(inputs[0].sizes) == rank else None
    first = _is_channels_first(given)
    if first is None or given.get("keepdims") not in (None, Const(False)):
        return ANY_SHAPE
    batch = sizes[0] if sizes else None
    channels = sizes[1 if first else -1] if sizes else None if first else inputs[0].units
    return Shape((batch, channels), exact=True)


def _convolution(name: str, given: Arguments, inputs: tuple[Shape, ...]) -> Shape:
    """Convolutions, transposed ones and pooling: channels, then each spatial axis."""
    count = _dimensions(name)
    first = _is_channels_first(given)
    if first is None:
        return ANY_SHAPE
    pools = "Pooling" in name
    sizes = inputs[0].sizes if inputs[0].exact and len(inputs[0].sizes) == count + 2 else None
    before = (sizes[1] if first else sizes[-1]) if sizes else None if first else inputs[0].units
    channels = before if pools else _channels(name, given, before)
    kernel = _each(given.get("pool_size" if pools else "kernel_size", 0 if pools else 1), count)
    if pools and given.get("pool_size", 0) is None:
        kernel = (2,) * count
    strides = given.get("strides", 1 if pools else 2)
    stride = (
        (kernel if pools else (1,) * count) if strides in (None, NONE) else _each(strides, count)
    )
    dilation = _each(given.get("dilation_rate") or Const(1), count)
    padding = given.get("padding", 2 if pools else 3)
    how = "valid" if padding is None else padding.value if isinstance(padding, Const) else None
    plain = sizes is not None and "Transpose" not in name and isinstance(how, str)
    spatial: Sizes = (None,) * count
    if plain and sizes is not None:
        places = sizes[2:] if first else sizes[1:-1]
        spatial = tuple(
            _window(size, k, s, d, str(how).lower())
            for size, k, s, d in zip(places, kernel, stride, dilation, strict=True)
        )
    batch = sizes[0] if sizes else None
    whole = (batch, channels, *spatial) if first else (batch, *spatial, channels)
    return Shape(whole, exact=True)


def _channels(name: str, given: Arguments, before: int | None) -> int | None:
    if not name.startswith("Depthwise"):
        return integer(given.get("filters", 0) or NONE)
    factor = given.get("depth_multiplier")
    number = 1 if factor is None else integer(factor)
    return None if before is None or number is None else before * number


def _window(
    size: int | None, kernel: int | None, stride: int | None, dilation: int | None, how: str
) -> int | None:
    """The number of places of a window on an axis."""
    if size is None or not stride or kernel is None or dilation is None:
        return None
    if how in ("same", "causal"):
        return math.ceil(size / stride)
    return (size - (kernel - 1) * dilation - 1) // stride + 1 if how == "valid" else None


def _spatial(name: str, given: Arguments, inputs: tuple[Shape, ...]) -> Shape:
    """Cropping, padding and upsampling change the spatial axes only."""
    count, first, shape = _dimensions(name), _is_channels_first(given), inputs[0]
    if first is None or (first and not shape.exact):
        return ANY_SHAPE
    if not shape.exact or len(shape.sizes) != count + 2:
        return Shape((None,) * (count + 1) + (shape.units,), exact=True)
    batch, channels = shape.sizes[0], shape.sizes[1 if first else -1]
    places = shape.sizes[2:] if first else shape.sizes[1:-1]
    spatial: Sizes = (None,) * count
    if name.startswith("UpSampling"):
        factors = _each(given.get("size", 0) or Const(2), count)
        spatial = tuple(
            None if size is None or factor is None else size * factor
            for size, factor in zip(places, factors, strict=True)
        )
    whole = (batch, channels, *spatial) if first else (batch, *spatial, channels)
    return Shape(whole, exact=True)


def _elementwise(name: str, given: Arguments, inputs: tuple[Shape, ...]) -> Shape:
    known = [shape for shape in inputs if shape.exact]
    if len(known) != len(inputs) or len({len(shape.sizes) for shape in known}) != 1:
        units = {shape.units for shape in inputs}
        same = len(units) == 1 and None not in units
        return Shape((units.pop(),)) if same else ANY_SHAPE
    columns = zip(*(shape.sizes for shape in known), strict=True)
    return Shape(tuple(_broadcast(column) for column in columns), exact=True)


def _broadcast(sizes: tuple[int | None, ...]) -> int | None:
    larger = {size for size in sizes if size != 1}
    if not larger:
        return 1
    return larger.pop() if len(larger) == 1 else None


def _concatenate(name: str, given: Arguments, inputs: tuple[Shape, ...]) -> Shape:
    axis = integer(given.get("axis", 0) or Const(-1))
    last = axis == -1 or all(s.exact and axis == len(s.sizes) - 1 for s in inputs)
    if axis is None or not last:
        rank = {s.rank for s in inputs}
        units = {s.units for s in inputs}
        if axis is None or len(rank) != 1 or len(units) != 1:
            return ANY_SHAPE
        size, units_size = rank.pop(), units.pop()
        return ANY_SHAPE if size is None else Shape((None,) * (size - 1) + (units_size,), True)
    known = [s.units for s in inputs]
    whole = None if None in known else sum(size for size in known if size is not None)
    return inputs[0].with_units(whole)


def _product(sizes: Sequence[int | None]) -> int | None:
    return None if None in sizes else math.prod(size for size in sizes if size is not None)


def _each(value: Value | None, count: int) -> Sizes:
    """A size for each axis, given as one number or as a tuple."""
    if value is None:
        return (None,) * count
    if (number := integer(value)) is not None:
        return (number,) * count
    sizes = sizes_of(value)
    return sizes if sizes is not None and len(sizes) == count else (None,) * count


def _dimensions(name: str) -> int:
    """``Conv2D`` has 2 spatial axes."""
    return next((int(letter) for letter in name if letter.isdigit()), 0)


def _is_channels_first(given: Arguments) -> bool | None:
    """Whether the channels are the second axis; by default they are the last one."""
    form = given.get("data_format")
    if form in (None, NONE, Const("channels_last")):
        return False
    return True if form == Const("channels_first") else None


_Layer = Callable[[str, Arguments, tuple[Shape, ...]], Shape]
_LAYERS: dict[str, _Layer] = {
    **dict.fromkeys(
        ("Activation", "ReLU", "LeakyReLU", "PReLU", "ELU", "ThresholdedReLU", "Softmax", "Dropout",
         "SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D", "GaussianDropout",
         "GaussianNoise", "AlphaDropout", "ActivityRegularization", "Masking", "Identity",
         "InputLayer", "BatchNormalization", "LayerNormalization", "GroupNormalization",
         "UnitNormalization", "SpectralNormalization", "Normalization", "Rescaling"),
        _same,
    ),
    "Dense": _units,
    "Embedding": _embedding,
    **dict.fromkeys(("LSTM", "GRU", "SimpleRNN", "CuDNNLSTM", "CuDNNGRU"), _recurrent),
    "Flatten": _flatten,
    "Reshape": _reshape,
    "Permute": _permute,
    "RepeatVector": _repeated,
    **{f"Global{kind}Pooling{n}D": _global_pool for kind in ("Average", "Max") for n in (1, 2, 3)},
    **{f"{kind}Conv{n}D": _convolution for kind in ("", "Separable", "Depthwise") for n in (1, 2, 3)},
    **{f"Conv{n}DTranspose": _convolution for n in (1, 2, 3)},
    **{f"{kind}Pooling{n}D": _convolution for kind in ("Max", "Average") for n in (1, 2, 3)},
    **{f"{kind}{n}D": _spatial for kind in ("Cropping", "ZeroPadding", "UpSampling") for n in (1, 2, 3)},
    **dict.fromkeys(("Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum"), _elementwise),
    "Concatenate": _concatenate,
}  # fmt: skip
