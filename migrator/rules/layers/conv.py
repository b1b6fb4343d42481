"""Convolutions."""
# mypy: disable-error-code="no-untyped-def, no-untyped-call"

from __future__ import annotations

from dataclasses import replace

from migrator.model import Helper, LayerCode
from migrator.rules.engine.declining import Decline
from migrator.rules.engine.registry import layer
from migrator.rules.engine.samples import S, declines, f32
from migrator.rules.layers.call import LayerArg, LayerCall
from migrator.rules.layers.call import activation as activation_of
from migrator.rules.layers.padding import PAD_SAME, Window, channels_last, padded, same_pads, widened, window
from migrator.rules.layers.weights import Weights, bias_argument, bias_weights, weight

_KERNEL = {1: "transpose(2,1,0)", 2: "transpose(3,2,0,1)", 3: "transpose(4,3,0,1,2)"}


def option(name: str, value: Window) -> str:
    """`, stride=2` where it is not torch's default."""
    return "" if value.is_one else f", {name}={value.text}"


def _padding(
    mode: LayerArg, kernel: Window, stride: Window, dilation: Window, call: LayerCall
) -> tuple[str, str, tuple[Helper, ...]]:
    """(argument of the module, input of the module, helpers) for a padding mode."""
    wide = widened(kernel, dilation)
    if mode.known == "valid" or wide.is_one:
        return "", "{x}", ()
    if mode.known == "causal":
        if wide.sizes is None:
            raise Decline("causal padding of unknown size")
        return "", f"F.pad({{x}}, ({wide.sizes[0] - 1}, 0))", ()
    if mode.known != "same":
        raise Decline(f"padding {mode.known!r}")
    if stride.is_one:
        return ', padding="same"', "{x}", ()
    pads = same_pads(wide, stride, call)
    if pads is None:
        return "", padded(None, wide, stride), (PAD_SAME,)
    if all(before == after for before, after in pads):
        amounts = {before for before, _ in pads}
        text = str(pads[0][0]) if len(amounts) == 1 else str(tuple(before for before, _ in pads))
        return ("" if amounts == {0} else f", padding={text}"), "{x}", ()
    return "", padded(pads, wide, stride), ()


def _positive(stride: Window, dilation: Window) -> None:
    if not stride.is_one and not dilation.is_one:
        raise Decline("strides and dilation together")


def layer_code(module, source, stem, template, name, weights: Weights, helpers: tuple[Helper, ...]) -> LayerCode:
    """The code of a convolution around its texts."""
    return LayerCode(
        module=module,
        forward="{self}(" + source + ")",
        stem=stem,
        layout="nchw",
        activation=None if template is None else template.replace("dim=-1", "dim=1"),
        activation_name=name,
        init=weights.init,
        penalty=weights.penalty,
        params=weights.params,
        helpers=weights.helpers + helpers,
    )


def _convolution(
    dims: int,
    filters,
    kernel_size,
    strides,
    padding,
    data_format,
    dilation_rate,
    groups,
    activation,
    use_bias,
    weights: Weights,
    call: LayerCall,
) -> LayerCode:
    channels_last(data_format)
    kernel, stride, dilation = (window(a, dims) for a in (kernel_size, strides, dilation_rate))
    _positive(stride, dilation)
    pad, source, helpers = _padding(padding, kernel, stride, dilation, call)
    grouped = "" if groups.is_known and groups.known == 1 else f", groups={groups.text}"
    options = option("stride", stride) + pad + option("dilation", dilation) + grouped + bias_argument(use_bias)
    module = f"nn.Conv{dims}d({call.features}, {filters.text}, kernel_size={kernel.text}{options})"
    return layer_code(module, source, "conv", *activation_of(activation, call), weights, helpers)


def kernel_and_bias(dims: int, kernel, bias) -> Weights:
    """The weights of a convolution over `dims` dimensions."""
    return weight("kernel", "weight", _KERNEL[dims], *kernel) + bias_weights(*bias)


@layer(
    "tf.keras.layers.Conv1D",
    samples=[
        S(f32(2, 9, 3), 4, 3),
        S(f32(2, 9, 3), 4, 3, padding="same", activation="relu"),
        S(f32(2, 9, 3), 4, 3, padding="causal", dilation_rate=2),
        S(f32(2, 9, 3), 4, 4, strides=2, padding="same"),
    ],
)
def conv1d(
    filters,
    kernel_size,
    strides=1,
    padding="valid",
    data_format=None,
    dilation_rate=1,
    groups=1,
    activation=None,
    use_bias=True,
    kernel_initializer="glorot_uniform",
    bias_initializer="zeros",
    kernel_regularizer=None,
    bias_regularizer=None,
    activity_regularizer=None,
    kernel_constraint=None,
    bias_constraint=None,
    *,
    call: LayerCall,
) -> LayerCode:
    """`nn.Conv1d`."""
    weights = kernel_and_bias(
        1,
        (kernel_initializer, kernel_regularizer, kernel_constraint),
        (use_bias, bias_initializer, bias_regularizer, bias_constraint),
    )
    return _convolution(
        1,
        filters,
        kernel_size,
        strides,
        padding,
        data_format,
        dilation_rate,
        groups,
        activation,
        use_bias,
        weights,
        call,
    )


@layer(
    "tf.keras.layers.Conv2D",
    samples=[
        S(f32(2, 7, 9, 3), 4, 3),
        S(f32(2, 7, 9, 3), 4, (3, 2), padding="same", activation="relu"),
        S(f32(2, 7, 9, 3), 4, 4, padding="same", use_bias=False),
        S(f32(2, 8, 9, 3), 4, 3, strides=2, padding="same"),
        S(f32(2, 7, 9, 3), 4, 3, strides=(2, 2), padding="same"),
        S(f32(2, 7, 9, 3), 4, 1, 2, "same"),
        S(f32(2, 7, 9, 4), 6, 3, groups=2, dilation_rate=2, kernel_initializer="he_normal"),
        S(f32(2, 7, 9, 3), 4, 3, activation="softmax"),
        declines(f32(2, 7, 9, 3), 4, 3, data_format="channels_first"),
    ],
)
def conv2d(
    filters,
    kernel_size,
    strides=(1, 1),
    padding="valid",
    data_format=None,
    dilation_rate=(1, 1),
    groups=1,
    activation=None,
    use_bias=True,
    kernel_initializer="glorot_uniform",
    bias_initializer="zeros",
    kernel_regularizer=None,
    bias_regularizer=None,
    activity_regularizer=None,
    kernel_constraint=None,
    bias_constraint=None,
    *,
    call: LayerCall,
) -> LayerCode:
    """`nn.Conv2d`."""
    weights = kernel_and_bias(
        2,
        (kernel_initializer, kernel_regularizer, kernel_constraint),
        (use_bias, bias_initializer, bias_regularizer, bias_constraint),
    )
    return _convolution(
        2,
        filters,
        kernel_size,
        strides,
        padding,
        data_format,
        dilation_rate,
        groups,
        activation,
        use_bias,
        weights,
        call,
    )


@layer("tf.keras.layers.Conv3D", samples=[S(f32(2, 5, 6, 7, 2), 3, 3, padding="same"), S(f32(2, 5, 6, 7, 2), 3, 2)])
def conv3d(
    filters,
    kernel_size,
    strides=(1, 1, 1),
    padding="valid",
    data_format=None,
    dilation_rate=(1, 1, 1),
    groups=1,
    activation=None,
    use_bias=True,
    kernel_initializer="glorot_uniform",
    bias_initializer="zeros",
    kernel_regularizer=None,
    bias_regularizer=None,
    activity_regularizer=None,
    kernel_constraint=None,
    bias_constraint=None,
    *,
    call: LayerCall,
) -> LayerCode:
    """`nn.Conv3d`."""
    weights = kernel_and_bias(
        3,
        (kernel_initializer, kernel_regularizer, kernel_constraint),
        (use_bias, bias_initializer, bias_regularizer, bias_constraint),
    )
    return _convolution(
        3,
        filters,
        kernel_size,
        strides,
        padding,
        data_format,
        dilation_rate,
        groups,
        activation,
        use_bias,
        weights,
        call,
    )


def _multiplied(channels: str, multiplier: LayerArg) -> str:
    """The channels that a depthwise convolution gives."""
    if multiplier.is_known:
        if multiplier.known == 1:
            return channels
        return str(int(channels) * multiplier.known) if channels.isdigit() else f"{channels} * {multiplier.text}"
    return f"{channels} * {multiplier.text}"


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
    channels_last(data_format)
    kernel, stride, dilation = (window(a, 2) for a in (kernel_size, strides, dilation_rate))
    _positive(stride, dilation)
    pad, source, helpers = _padding(padding, kernel, stride, dilation, call)
    how = (depthwise_initializer, depthwise_regularizer, depthwise_constraint)
    name = "depthwise_kernel" if call.keras == 2 else "kernel"
    weights = _depthwise(call.features, depth_multiplier, kernel, how, name)
    weights += bias_weights(use_bias, bias_initializer, bias_regularizer, bias_constraint)
    options = option("stride", stride) + pad + option("dilation", dilation)
    module = (
        f"nn.Conv2d({call.features}, {_multiplied(call.features, depth_multiplier)}, kernel_size={kernel.text}"
        f"{options}, groups={call.features}{bias_argument(use_bias)})"
    )
    return layer_code(module, source, "depthwise", *activation_of(activation, call), weights, helpers)


def _depthwise(channels: str, multiplier: LayerArg, kernel: Window, how, keras: str, path: str = "weight") -> Weights:
    """The kernel (h, w, C, M) as torch's (C * M, 1, h, w); Keras counts its fans on C and M."""
    if not multiplier.is_known:
        raise Decline("`depth_multiplier` must be known when rewriting")
    if multiplier.known == 1:
        view, transform = ".transpose(0, 1)", "transpose(2,3,0,1)"
    else:
        if kernel.sizes is None:
            raise Decline("`kernel_size` must be known when rewriting")
        view = f".unflatten(0, ({channels}, {multiplier.text})).squeeze(2).transpose(0, 1)"
        transform = f"transpose(2,3,0,1) reshape(-1,1,{kernel.sizes[0]},{kernel.sizes[1]})"
    return weight(keras, path, transform, *how, view=view)


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
    """A depthwise and a 1x1 convolution with one bias."""
    channels_last(data_format)
    kernel, stride, dilation = (window(a, 2) for a in (kernel_size, strides, dilation_rate))
    _positive(stride, dilation)
    pad, source, helpers = _padding(padding, kernel, stride, dilation, call)
    depthwise = (depthwise_initializer, depthwise_regularizer, depthwise_constraint)
    weights = _in_sequence(
        _depthwise(call.features, depth_multiplier, kernel, depthwise, "depthwise_kernel", "0.weight")
    )
    pointwise = (pointwise_initializer, pointwise_regularizer, pointwise_constraint)
    weights += _in_sequence(weight("pointwise_kernel", "1.weight", _KERNEL[2], *pointwise))
    weights += _in_sequence(bias_weights(use_bias, bias_initializer, bias_regularizer, bias_constraint, name="1.bias"))
    middle = _multiplied(call.features, depth_multiplier)
    options = option("stride", stride) + pad + option("dilation", dilation)
    module = (
        f"nn.Sequential(nn.Conv2d({call.features}, {middle}, kernel_size={kernel.text}{options}, "
        f"groups={call.features}, bias=False), nn.Conv2d({middle}, {filters.text}, kernel_size=1"
        f"{bias_argument(use_bias)}))"
    )
    return layer_code(module, source, "separable", *activation_of(activation, call), weights, helpers)


def _in_sequence(weights: Weights) -> Weights:
    """`{self}.0.weight` is the name in the state dict; in code it is `{self}[0].weight`."""

    def code(text: str) -> str:
        return text.replace("{self}.0.", "{self}[0].").replace("{self}.1.", "{self}[1].")

    return replace(weights, init=tuple(map(code, weights.init)), penalty=tuple(map(code, weights.penalty)))
