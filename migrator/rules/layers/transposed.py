"""Transposed convolutions."""
# mypy: disable-error-code="no-untyped-def, no-untyped-call"

from __future__ import annotations

from dataclasses import replace

from migrator.model import Helper, LayerCode
from migrator.rules.engine.declining import Decline
from migrator.rules.engine.registry import layer
from migrator.rules.engine.samples import S, declines, f32
from migrator.rules.layers.call import LayerArg, LayerCall
from migrator.rules.layers.call import activation as activation_of
from migrator.rules.layers.conv import kernel_and_bias, layer_code, option
from migrator.rules.layers.padding import Window, channels_last, window
from migrator.rules.layers.weights import bias_argument

DECONV_SAME = {
    dims: Helper(
        f"ConvTranspose{dims}dSame",
        f'''class ConvTranspose{dims}dSame(nn.ConvTranspose{dims}d):
    """A transposed convolution with TensorFlow's "SAME" padding: sizes grow by the stride alone."""

    def forward(self, x):
        sizes = [n * s for n, s in zip(x.shape[2:], self.stride)]
        over = [max(k - s, 0) for k, s in zip(self.kernel_size, self.stride)]
        x = super().forward(x, [n + o for n, o in zip(sizes, over)])
        for dim, (n, o) in enumerate(zip(sizes, over), start=2):
            x = x.narrow(dim, o // 2, n)
        return x
''',
        ("from torch import nn",),
    )
    for dims in (1, 2, 3)
}

_2D = [
    S(f32(2, 5, 6, 3), 4, 3),
    S(f32(2, 5, 6, 3), 4, 3, strides=2, padding="same", activation="relu"),
    S(f32(2, 5, 6, 3), 4, 4, strides=2, padding="same", use_bias=False),
    S(f32(2, 5, 6, 3), 4, 5, strides=(2, 2), padding="same"),
    S(f32(2, 5, 6, 3), 4, 3, padding="same"),
    S(f32(2, 5, 6, 3), 4, 2, strides=2),
    S(f32(2, 5, 6, 3), 4, 2, strides=3, bias_initializer="ones"),
    S(f32(2, 5, 6, 3), 4, (1, 2), strides=(2, 3), padding="same"),
    declines(f32(2, 5, 6, 3), 4, 3, strides=2, output_padding=1),
    declines(f32(2, 5, 6, 3), 4, (1, 3), strides=2, padding="same"),
]
_1D = [
    S(f32(2, 6, 3), 4, 3),
    S(f32(2, 6, 3), 4, 3, strides=2, padding="same", activation="relu"),
    S(f32(2, 6, 3), 4, 4, 2, "same", use_bias=False),
    S(f32(2, 6, 3), 4, 1, 2),
]
_3D = [S(f32(2, 3, 4, 5, 2), 3, 3), S(f32(2, 3, 4, 5, 2), 3, 3, strides=2, padding="same")]


def _transposed_code(
    dims: int,
    filters,
    kernel_size,
    strides,
    padding,
    output_padding,
    data_format,
    dilation_rate,
    activation,
    use_bias,
    kernels,
    biases,
    call: LayerCall,
) -> LayerCode:
    """SAME with an odd difference of kernel and stride is cropped."""
    channels_last(data_format)
    kernel, stride, dilation = (window(a, dims) for a in (kernel_size, strides, dilation_rate))
    if output_padding.known is not None or not dilation.is_one:
        raise Decline("output padding or dilation")
    open_ = kernel.sizes is None or stride.sizes is None
    if open_ and padding.known == "valid" and not (kernel.sizes is None and stride.is_one):
        raise Decline("`kernel_size` and `strides` must be known when rewriting")
    pad, crop = ("", "") if open_ else _transposed_padding(padding, kernel, stride)
    weights = kernel_and_bias(dims, kernels, (use_bias, *biases))
    options = option("stride", stride) + pad + bias_argument(use_bias)
    same = DECONV_SAME[dims]
    whole = same.name if open_ and padding.known == "same" else f"nn.ConvTranspose{dims}d"
    sizes = f"({call.features}, {filters.text}, kernel_size={kernel.text}"
    made = layer_code(f"{whole}{sizes}{options})", "{x}", "deconv", *activation_of(activation, call), weights, (same,))
    entry = f"{same.name}{sizes}{option('stride', stride)}{bias_argument(use_bias)})" if crop else None
    return replace(made, forward=made.forward + crop, entry=entry)


def _transposed_padding(mode: LayerArg, kernel: Window, stride: Window) -> tuple[str, str]:
    """(argument of the module, crop behind the call)."""
    assert kernel.sizes is not None
    assert stride.sizes is not None
    over = [k - s for k, s in zip(kernel.sizes, stride.sizes, strict=True)]
    if min(over) < 0:
        if max(over) > 0 and mode.known != "valid":
            raise Decline("a kernel smaller than its stride in one dimension and larger in another")
        return f", output_padding={_amounts([max(-o, 0) for o in over])}", ""
    if mode.known == "valid":
        return "", ""
    if all(o % 2 == 0 for o in over):
        return ("" if not any(over) else f", padding={_amounts([o // 2 for o in over])}"), ""
    slices = [f"{o // 2 or ''}:{-(o - o // 2) or ''}" for o in over]
    return "", f"[:, :, {', '.join(slices)}]"


def _amounts(sizes: list[int]) -> str:
    return str(sizes[0]) if len(set(sizes)) == 1 else str(tuple(sizes))


@layer("tf.keras.layers.Conv1DTranspose", samples=_1D)
def conv1d_transpose(
    filters,
    kernel_size,
    strides=1,
    padding="valid",
    output_padding=None,
    data_format=None,
    dilation_rate=1,
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
    """`nn.ConvTranspose1d`."""
    return _transposed_code(
        1,
        filters,
        kernel_size,
        strides,
        padding,
        output_padding,
        data_format,
        dilation_rate,
        activation,
        use_bias,
        (kernel_initializer, kernel_regularizer, kernel_constraint),
        (bias_initializer, bias_regularizer, bias_constraint),
        call,
    )


@layer("tf.keras.layers.Conv2DTranspose", samples=_2D)
def conv2d_transpose(
    filters,
    kernel_size,
    strides=(1, 1),
    padding="valid",
    output_padding=None,
    data_format=None,
    dilation_rate=(1, 1),
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
    """`nn.ConvTranspose2d`."""
    return _transposed_code(
        2,
        filters,
        kernel_size,
        strides,
        padding,
        output_padding,
        data_format,
        dilation_rate,
        activation,
        use_bias,
        (kernel_initializer, kernel_regularizer, kernel_constraint),
        (bias_initializer, bias_regularizer, bias_constraint),
        call,
    )


@layer("tf.keras.layers.Conv3DTranspose", samples=_3D)
def conv3d_transpose(
    filters,
    kernel_size,
    strides=(1, 1, 1),
    padding="valid",
    data_format=None,
    output_padding=None,
    dilation_rate=(1, 1, 1),
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
    """`nn.ConvTranspose3d`."""
    return _transposed_code(
        3,
        filters,
        kernel_size,
        strides,
        padding,
        output_padding,
        data_format,
        dilation_rate,
        activation,
        use_bias,
        (kernel_initializer, kernel_regularizer, kernel_constraint),
        (bias_initializer, bias_regularizer, bias_constraint),
        call,
    )
