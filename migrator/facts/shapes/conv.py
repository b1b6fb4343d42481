"""Convolution, pooling, padding, cropping and resizing layers, all on channels_last data."""

from __future__ import annotations

from dataclasses import replace

from migrator.facts import dims
from migrator.facts.arithmetic import dim_of, dims_of
from migrator.facts.shapes.layers import channels_first, floating, given, layer, sizes
from migrator.values import Dim, Instance, Literal, Sequence, Shape, Tensor, Unknown, Value


def window(size: Dim, kernel: Dim, stride: Dim, padding: object, dilation: Dim = 1) -> Dim:
    """Output size of a sliding window (TF's "valid", "same" and "causal")."""
    if padding in ("same", "causal"):
        return dims.ceil_divide(size, stride)
    if padding != "valid":
        return None
    reach = dims.add(dims.multiply(dims.subtract(kernel, 1), dilation), 1)
    return dims.add(dims.floor_divide(dims.subtract(size, reach), stride), 1)


def transposed(size: Dim, kernel: Dim, stride: Dim, padding: object) -> Dim:
    """Output size of a transposed convolution without output_padding."""
    grown = dims.multiply(size, stride)
    if padding == "same":
        return grown
    if padding != "valid":
        return None
    if isinstance(kernel, int) and isinstance(stride, int):
        return dims.add(grown, max(kernel - stride, 0))
    return None


def padding_of(instance: Instance) -> object:
    """The layer's padding in lower case, None when it is not known."""
    found = given(instance, "padding", "valid")
    return found.lower() if isinstance(found, str) else None


def _windows(instance: Instance, x: Tensor, rank: int, kernel: str, stride_default: str | None, last: Dim) -> Value:
    if x.shape is None or len(x.shape) != rank + 2 or channels_first(instance):
        return floating(x, (None,) * (rank + 1) + (last,) if not channels_first(instance) else None, last)
    kernels = sizes(instance, kernel, rank, 2 if stride_default else 1)
    given_strides = instance.arg("strides")
    if stride_default and (given_strides is None or given_strides == Literal(None)):
        strides = kernels
    else:
        strides = sizes(instance, "strides", rank, 1)
    dilations = sizes(instance, "dilation_rate", rank, 1)
    padding = padding_of(instance)
    spatial = tuple(map(window, x.shape[1:-1], kernels, strides, [padding] * rank, dilations))
    result = floating(x, (x.shape[0], *spatial, last))
    return Tensor(result.shape, result.dtype, result.origin, "channels_last")


@layer("Conv1D", "SeparableConv1D", "LocallyConnected1D")
def conv1d(instance: Instance, x: Tensor) -> Value:
    return _windows(instance, x, 1, "kernel_size", None, dim_of(instance.arg("filters")))


@layer("Conv2D", "SeparableConv2D", "LocallyConnected2D")
def conv2d(instance: Instance, x: Tensor) -> Value:
    return _windows(instance, x, 2, "kernel_size", None, dim_of(instance.arg("filters")))


@layer("Conv3D")
def conv3d(instance: Instance, x: Tensor) -> Value:
    return _windows(instance, x, 3, "kernel_size", None, dim_of(instance.arg("filters")))


@layer("ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D")
def conv_lstm(instance: Instance, x: Tensor) -> Value:
    """A convolution of each step, of the last one where not all are asked for; open where states are."""
    sequences, states = given(instance, "return_sequences", False), given(instance, "return_state", False)
    count = int(instance.api[-2])
    if sequences is None or states is not False:
        return Unknown("the outputs and states of a ConvLSTM")
    step = None if x.shape is None or len(x.shape) != count + 3 else (x.shape[0], *x.shape[2:])
    made = _windows(instance, replace(x, shape=step), count, "kernel_size", None, dim_of(instance.arg("filters")))
    if not sequences or not isinstance(made, Tensor) or made.shape is None or x.shape is None:
        return made if not sequences else Tensor(None, "float32", last=dim_of(instance.arg("filters")))
    return replace(made, shape=(made.shape[0], x.shape[1], *made.shape[1:]), layout=None)


@layer("DepthwiseConv1D")
def depthwise1d(instance: Instance, x: Tensor) -> Value:
    return _windows(instance, x, 1, "kernel_size", None, _depthwise(instance, x))


@layer("DepthwiseConv2D")
def depthwise2d(instance: Instance, x: Tensor) -> Value:
    return _windows(instance, x, 2, "kernel_size", None, _depthwise(instance, x))


def _depthwise(instance: Instance, x: Tensor) -> Dim:
    multiplier = instance.arg("depth_multiplier")
    return dims.multiply(x.channels, 1 if multiplier is None else dim_of(multiplier))


@layer("MaxPooling1D", "AveragePooling1D")
def pool1d(instance: Instance, x: Tensor) -> Value:
    return _windows(instance, x, 1, "pool_size", "pool_size", x.channels)


@layer("MaxPooling2D", "AveragePooling2D")
def pool2d(instance: Instance, x: Tensor) -> Value:
    return _windows(instance, x, 2, "pool_size", "pool_size", x.channels)


@layer("MaxPooling3D", "AveragePooling3D")
def pool3d(instance: Instance, x: Tensor) -> Value:
    return _windows(instance, x, 3, "pool_size", "pool_size", x.channels)


@layer(
    *(f"Global{kind}Pooling{rank}D" for kind in ("Average", "Max") for rank in (1, 2, 3)),
)
def global_pool(instance: Instance, x: Tensor) -> Value:
    """One value a channel; `keepdims` keeps the spatial axes as ones."""
    if channels_first(instance):
        return floating(x, None)
    rank = int(instance.api[-2])
    batch = x.shape[0] if x.shape is not None else None
    keep = given(instance, "keepdims", False)
    if keep is None or (x.shape is not None and len(x.shape) != rank + 2):
        return floating(x, None, x.channels)
    return floating(x, (batch, *((1,) * rank if keep else ()), x.channels))


@layer("Conv1DTranspose", "Conv2DTranspose", "Conv3DTranspose")
def conv_transpose(instance: Instance, x: Tensor) -> Value:
    rank, last = int(instance.api.rsplit("Conv", 1)[1][0]), dim_of(instance.arg("filters"))
    if x.shape is None or len(x.shape) != rank + 2 or channels_first(instance):
        return floating(x, None if channels_first(instance) else (None,) * (rank + 1) + (last,))
    kernels, strides = sizes(instance, "kernel_size", rank, None), sizes(instance, "strides", rank, 1)
    extra = instance.arg("output_padding")
    if extra is not None and extra != Literal(None):
        spatial: Shape = (None,) * rank
    else:
        spatial = tuple(map(transposed, x.shape[1:-1], kernels, strides, [padding_of(instance)] * rank))
    found = floating(x, (x.shape[0], *spatial, last))
    return Tensor(found.shape, found.dtype, found.origin, "channels_last")


@layer("UpSampling1D", "UpSampling2D", "UpSampling3D")
def upsampling(instance: Instance, x: Tensor) -> Value:
    rank = int(instance.api[-2])
    if x.shape is None or len(x.shape) != rank + 2 or channels_first(instance):
        return floating(x, None, x.channels)
    factors = sizes(instance, "size", rank, 2)
    spatial = tuple(map(dims.multiply, x.shape[1:-1], factors))
    return Tensor((x.shape[0], *spatial, x.shape[-1]), x.dtype, floating(x, None).origin, "channels_last")


def _borders(instance: Instance, name: str, rank: int) -> Shape:
    """Total padding or cropping of each spatial axis."""
    value = instance.arg(name)
    if value is None:
        return (2 if name == "padding" else 0,) * rank
    if isinstance(value, Sequence) and value.items is not None and rank > 1:
        if any(isinstance(item, Sequence) for item in value.items):
            pairs = [dims_of(item) for item in value.items]
            return tuple(None if p is None or len(p) != 2 else dims.add(p[0], p[1]) for p in pairs)
        return tuple(dims.multiply(2, dim_of(item)) for item in value.items)
    found = dims_of(value)
    if found is None:
        return (None,) * rank
    if rank == 1 and len(found) == 2:
        return (dims.add(found[0], found[1]),)
    return (dims.multiply(2, found[0]),) * rank


@layer("ZeroPadding1D", "ZeroPadding2D", "ZeroPadding3D")
def zero_padding(instance: Instance, x: Tensor) -> Value:
    return _bordered(instance, x, "padding", 1)


@layer("Cropping1D", "Cropping2D", "Cropping3D")
def cropping(instance: Instance, x: Tensor) -> Value:
    return _bordered(instance, x, "cropping", -1)


def _bordered(instance: Instance, x: Tensor, name: str, sign: int) -> Value:
    rank = int(instance.api[-2])
    if x.shape is None or len(x.shape) != rank + 2 or channels_first(instance):
        return floating(x, None, x.channels)
    borders = _borders(instance, name, rank)
    if len(borders) != rank:
        return floating(x, None, x.channels)
    combine = dims.add if sign > 0 else dims.subtract
    spatial = tuple(map(combine, x.shape[1:-1], borders))
    return Tensor((x.shape[0], *spatial, x.shape[-1]), x.dtype, floating(x, None).origin, "channels_last")


@layer("Resizing", "CenterCrop", "RandomCrop")
def resizing(instance: Instance, x: Tensor) -> Value:
    height, width = dim_of(instance.arg("height")), dim_of(instance.arg("width"))
    if x.shape is None or len(x.shape) not in (3, 4):
        return floating(x, None, x.channels)
    return floating(x, (*x.shape[:-3], height, width, x.shape[-1]))
