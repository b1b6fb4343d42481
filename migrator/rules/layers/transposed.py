"""Transposed convolutions."""
# mypy: disable-error-code="no-untyped-def, no-untyped-call"

from __future__ import annotations

from dataclasses import replace

from migrator.model import LayerCode
from migrator.rules.engine.declining import Decline
from migrator.rules.engine.registry import layer
from migrator.rules.engine.samples import S, declines, f32
from migrator.rules.layers.call import LayerArg, LayerCall
from migrator.rules.layers.call import activation as activation_of
from migrator.rules.layers.conv import kernel_and_bias, layer_code, option
from migrator.rules.layers.padding import Window, channels_last, window
from migrator.rules.layers.weights import bias_argument


@layer(
    "tf.keras.layers.Conv2DTranspose",
    samples=[
        S(f32(2, 5, 6, 3), 4, 3),
        S(f32(2, 5, 6, 3), 4, 3, strides=2, padding="same", activation="relu"),
        S(f32(2, 5, 6, 3), 4, 4, strides=2, padding="same", use_bias=False),
        S(f32(2, 5, 6, 3), 4, 5, strides=(2, 2), padding="same"),
        S(f32(2, 5, 6, 3), 4, 3, padding="same"),
        S(f32(2, 5, 6, 3), 4, 2, strides=2),
        declines(f32(2, 5, 6, 3), 4, 2, strides=3),
    ],
)
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
    """`nn.ConvTranspose2d`; SAME with an odd difference of kernel and stride is cropped."""
    channels_last(data_format)
    kernel, stride, dilation = (window(a, 2) for a in (kernel_size, strides, dilation_rate))
    if output_padding.known is not None or not dilation.is_one:
        raise Decline("output padding or dilation")
    pad, crop = _transposed_padding(padding, kernel, stride)
    kernels = (kernel_initializer, kernel_regularizer, kernel_constraint)
    weights = kernel_and_bias(2, kernels, (use_bias, bias_initializer, bias_regularizer, bias_constraint))
    options = option("stride", stride) + pad + bias_argument(use_bias)
    module = f"nn.ConvTranspose2d({call.features}, {filters.text}, kernel_size={kernel.text}{options})"
    made = layer_code(module, "{x}", "deconv", *activation_of(activation, call), weights, ())
    return replace(made, forward=made.forward + crop)


def _transposed_padding(mode: LayerArg, kernel: Window, stride: Window) -> tuple[str, str]:
    """(argument of the module, crop behind the call)."""
    if kernel.sizes is None or stride.sizes is None:
        raise Decline("`kernel_size` and `strides` must be known when rewriting")
    over = [k - s for k, s in zip(kernel.sizes, stride.sizes, strict=True)]
    if min(over) < 0:
        raise Decline("a kernel smaller than its stride")
    if mode.known == "valid":
        return "", ""
    if all(o % 2 == 0 for o in over):
        amounts = tuple(o // 2 for o in over)
        text = str(amounts[0]) if len(set(amounts)) == 1 else str(amounts)
        return ("" if amounts == (0, 0) else f", padding={text}"), ""
    slices = [f"{o // 2 or ''}:{-(o - o // 2) or ''}" for o in over]
    return "", f"[:, :, {', '.join(slices)}]"
