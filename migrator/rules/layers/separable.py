"""Depthwise and separable convolutions."""
# mypy: disable-error-code="no-untyped-def, no-untyped-call"

from __future__ import annotations

from dataclasses import replace

from migrator.model import LayerCode
from migrator.rules.engine.declining import Decline
from migrator.rules.engine.registry import layer
from migrator.rules.engine.samples import S, f32
from migrator.rules.layers.call import LayerArg, LayerCall
from migrator.rules.layers.call import activation as activation_of
from migrator.rules.layers.conv import KERNEL, layer_code, no_stride_with_dilation, option, padding_of
from migrator.rules.layers.padding import Window, channels_last, window
from migrator.rules.layers.weights import Weights, bias_argument, bias_weights, weight


def _multiplied(channels: str, multiplier: LayerArg) -> str:
    """The channels that a depthwise convolution gives."""
    if multiplier.is_known:
        if multiplier.known == 1:
            return channels
        return str(int(channels) * multiplier.known) if channels.isdigit() else f"{channels} * {multiplier.text}"
    return f"{channels} * {multiplier.text}"


def _depthwise_code(
    dims: int,
    kernel_size,
    strides,
    padding,
    depth_multiplier,
    data_format,
    dilation_rate,
    activation,
    use_bias,
    how,
    biases,
    call: LayerCall,
) -> LayerCode:
    channels_last(data_format)
    kernel, stride, dilation = (window(a, dims) for a in (kernel_size, strides, dilation_rate))
    no_stride_with_dilation(stride, dilation)
    pad, source, helpers = padding_of(padding, kernel, stride, dilation, call)
    name = "depthwise_kernel" if call.keras == 2 else "kernel"
    weights = _depthwise(call.features, depth_multiplier, kernel, how, name) + bias_weights(use_bias, *biases)
    options = option("stride", stride) + pad + option("dilation", dilation)
    module = (
        f"nn.Conv{dims}d({call.features}, {_multiplied(call.features, depth_multiplier)}, kernel_size={kernel.text}"
        f"{options}, groups={call.features}{bias_argument(use_bias)})"
    )
    return layer_code(module, source, "depthwise", *activation_of(activation, call), weights, helpers)


def _depthwise(channels: str, multiplier: LayerArg, kernel: Window, how, keras: str, path: str = "weight") -> Weights:
    """The kernel (h, w, C, M) as torch's (C * M, 1, h, w); Keras counts its fans on C and M."""
    if not multiplier.is_known:
        raise Decline("`depth_multiplier` must be known when rewriting")
    if kernel.sizes is None:
        raise Decline("`kernel_size` must be known when rewriting")
    dims = len(kernel.sizes)
    order = ",".join(map(str, (dims, dims + 1, *range(dims))))
    if multiplier.known == 1:
        view, transform = ".transpose(0, 1)", f"transpose({order})"
    else:
        view = f".unflatten(0, ({channels}, {multiplier.text})).squeeze(2).transpose(0, 1)"
        transform = f"transpose({order}) reshape(-1,1,{','.join(map(str, kernel.sizes))})"
    return weight(keras, path, transform, *how, view=view)


def _separable_code(
    dims: int,
    filters,
    kernel_size,
    strides,
    padding,
    data_format,
    dilation_rate,
    depth_multiplier,
    activation,
    use_bias,
    depthwise,
    pointwise,
    biases: tuple[LayerArg, LayerArg, LayerArg],
    call: LayerCall,
) -> LayerCode:
    channels_last(data_format)
    kernel, stride, dilation = (window(a, dims) for a in (kernel_size, strides, dilation_rate))
    no_stride_with_dilation(stride, dilation)
    pad, source, helpers = padding_of(padding, kernel, stride, dilation, call)
    weights = _in_sequence(
        _depthwise(call.features, depth_multiplier, kernel, depthwise, "depthwise_kernel", "0.weight")
    )
    weights += _in_sequence(weight("pointwise_kernel", "1.weight", KERNEL[dims], *pointwise))
    weights += _in_sequence(bias_weights(use_bias, *biases, name="1.bias"))
    middle = _multiplied(call.features, depth_multiplier)
    options = option("stride", stride) + pad + option("dilation", dilation)
    module = (
        f"nn.Sequential(nn.Conv{dims}d({call.features}, {middle}, kernel_size={kernel.text}{options}, "
        f"groups={call.features}, bias=False), nn.Conv{dims}d({middle}, {filters.text}, kernel_size=1"
        f"{bias_argument(use_bias)}))"
    )
    return layer_code(module, source, "separable", *activation_of(activation, call), weights, helpers)


def _in_sequence(weights: Weights) -> Weights:
    """`{self}.0.weight` is the name in the state dict; in code it is `{self}[0].weight`."""

    def code(text: str) -> str:
        return text.replace("{self}.0.", "{self}[0].").replace("{self}.1.", "{self}[1].")

    init, penalty, constraint = (tuple(map(code, t)) for t in (weights.init, weights.penalty, weights.constraint))
    return replace(weights, init=init, penalty=penalty, constraint=constraint)


@layer(
    "tf.keras.layers.DepthwiseConv1D",
    samples=[
        S(f32(2, 9, 3), 3),
        S(f32(2, 9, 3), 3, padding="same", depth_multiplier=2, activation="relu"),
        S(f32(2, 8, 3), 4, strides=2, padding="same", use_bias=False),
    ],
)
def depthwise_conv1d(
    kernel_size,
    strides=1,
    padding="valid",
    depth_multiplier=1,
    data_format=None,
    dilation_rate=1,
    activation=None,
    use_bias=True,
    depthwise_initializer="glorot_uniform",
    bias_initializer="zeros",
    depthwise_regularizer=None,
    bias_regularizer=None,
    activity_regularizer=None,
    depthwise_constraint=None,
    bias_constraint=None,
    *,
    call: LayerCall,
) -> LayerCode:
    """`nn.Conv1d` with a group for each channel."""
    return _depthwise_code(
        1,
        kernel_size,
        strides,
        padding,
        depth_multiplier,
        data_format,
        dilation_rate,
        activation,
        use_bias,
        (depthwise_initializer, depthwise_regularizer, depthwise_constraint),
        (bias_initializer, bias_regularizer, bias_constraint),
        call,
    )


@layer(
    "tf.keras.layers.DepthwiseConv2D",
    samples=[
        S(f32(2, 7, 9, 3), 3),
        S(f32(2, 7, 9, 3), 3, padding="same", depth_multiplier=2, activation="relu"),
        S(f32(2, 8, 9, 3), (3, 3), strides=2, padding="same", use_bias=False),
    ],
)
def depthwise_conv2d(
    kernel_size,
    strides=(1, 1),
    padding="valid",
    depth_multiplier=1,
    data_format=None,
    dilation_rate=(1, 1),
    activation=None,
    use_bias=True,
    depthwise_initializer="glorot_uniform",
    bias_initializer="zeros",
    depthwise_regularizer=None,
    bias_regularizer=None,
    activity_regularizer=None,
    depthwise_constraint=None,
    bias_constraint=None,
    *,
    call: LayerCall,
) -> LayerCode:
    """`nn.Conv2d` with a group for each channel."""
    return _depthwise_code(
        2,
        kernel_size,
        strides,
        padding,
        depth_multiplier,
        data_format,
        dilation_rate,
        activation,
        use_bias,
        (depthwise_initializer, depthwise_regularizer, depthwise_constraint),
        (bias_initializer, bias_regularizer, bias_constraint),
        call,
    )


@layer(
    "tf.keras.layers.SeparableConv1D",
    samples=[
        S(f32(2, 9, 3), 4, 3),
        S(f32(2, 9, 3), 4, 3, padding="same", dilation_rate=2),
        S(f32(2, 8, 3), 5, 3, strides=2, padding="same", activation="relu", depth_multiplier=2),
    ],
)
def separable_conv1d(
    filters,
    kernel_size,
    strides=1,
    padding="valid",
    data_format=None,
    dilation_rate=1,
    depth_multiplier=1,
    activation=None,
    use_bias=True,
    depthwise_initializer="glorot_uniform",
    pointwise_initializer="glorot_uniform",
    bias_initializer="zeros",
    depthwise_regularizer=None,
    pointwise_regularizer=None,
    bias_regularizer=None,
    activity_regularizer=None,
    depthwise_constraint=None,
    pointwise_constraint=None,
    bias_constraint=None,
    *,
    call: LayerCall,
) -> LayerCode:
    """A depthwise and a pointwise convolution with one bias."""
    return _separable_code(
        1,
        filters,
        kernel_size,
        strides,
        padding,
        data_format,
        dilation_rate,
        depth_multiplier,
        activation,
        use_bias,
        (depthwise_initializer, depthwise_regularizer, depthwise_constraint),
        (pointwise_initializer, pointwise_regularizer, pointwise_constraint),
        (bias_initializer, bias_regularizer, bias_constraint),
        call,
    )


@layer(
    "tf.keras.layers.SeparableConv2D",
    samples=[
        S(f32(2, 7, 9, 3), 4, 3),
        S(f32(2, 8, 9, 3), 5, 3, strides=(2, 2), padding="same", activation="relu", depth_multiplier=2),
    ],
)
def separable_conv2d(
    filters,
    kernel_size,
    strides=(1, 1),
    padding="valid",
    data_format=None,
    dilation_rate=(1, 1),
    depth_multiplier=1,
    activation=None,
    use_bias=True,
    depthwise_initializer="glorot_uniform",
    pointwise_initializer="glorot_uniform",
    bias_initializer="zeros",
    depthwise_regularizer=None,
    pointwise_regularizer=None,
    bias_regularizer=None,
    activity_regularizer=None,
    depthwise_constraint=None,
    pointwise_constraint=None,
    bias_constraint=None,
    *,
    call: LayerCall,
) -> LayerCode:
    """A depthwise and a pointwise convolution with one bias."""
    return _separable_code(
        2,
        filters,
        kernel_size,
        strides,
        padding,
        data_format,
        dilation_rate,
        depth_multiplier,
        activation,
        use_bias,
        (depthwise_initializer, depthwise_regularizer, depthwise_constraint),
        (pointwise_initializer, pointwise_regularizer, pointwise_constraint),
        (bias_initializer, bias_regularizer, bias_constraint),
        call,
    )
