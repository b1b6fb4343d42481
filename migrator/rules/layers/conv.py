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
from migrator.rules.layers.padding import (
    CONV_SAME,
    PAD_SAME,
    Window,
    channels_last,
    padded,
    reach,
    same_pads,
    widened,
    window,
)
from migrator.rules.layers.weights import Weights, bias_argument, bias_weights, weight

KERNEL = {1: "transpose(2,1,0)", 2: "transpose(3,2,0,1)", 3: "transpose(4,3,0,1,2)"}


def option(name: str, value: Window) -> str:
    """`, stride=2` where it is not torch's default."""
    return "" if value.is_one else f", {name}={value.text}"


def padding_of(
    mode: LayerArg, kernel: Window, stride: Window, dilation: Window, call: LayerCall
) -> tuple[str, str, tuple[Helper, ...]]:
    """(argument of the module, input of the module, helpers) for a padding mode."""
    if not mode.is_known:
        return _decided_later(mode, kernel, stride, dilation, call)
    if mode.known == "valid" or (kernel.is_one and mode.known in ("same", "causal") and stride.is_one):
        return "", "{x}", ()
    if mode.known == "causal":
        return "", f"F.pad({{x}}, ({reach(kernel, dilation)}, 0))", ()
    if mode.known != "same":
        raise Decline(f"padding {mode.known!r}")
    if stride.is_one:
        return ', padding="same"', "{x}", ()
    wide = widened(kernel, dilation)
    if wide.is_one:
        return "", "{x}", ()
    pads = same_pads(wide, stride, call)
    if pads is None:
        return "", padded(None, wide, stride), (PAD_SAME,)
    if all(before == after for before, after in pads):
        amounts = {before for before, _ in pads}
        text = str(pads[0][0]) if len(amounts) == 1 else str(tuple(before for before, _ in pads))
        return ("" if amounts == {0} else f", padding={text}"), "{x}", ()
    return "", padded(pads, wide, stride), ()


PAD_STEPS = Helper(
    "pad_steps",
    '''def pad_steps(x, kernel_size, stride, dilation, padding):
    """Pads [batch, channels, time] as Keras's Conv1D does: "causal" in front, "same" around, the extra step last."""
    kernel_size, stride, dilation = (n if isinstance(n, int) else n[0] for n in (kernel_size, stride, dilation))
    steps, reach = x.shape[-1], (kernel_size - 1) * dilation
    if padding.lower() == "causal":
        return F.pad(x, (reach, 0))
    if padding.lower() == "same":
        total = max((-(-steps // stride) - 1) * stride + reach + 1 - steps, 0)
        return F.pad(x, (total // 2, total - total // 2))
    return x
''',
    ("import torch.nn.functional as F",),
)


def _decided_later(
    mode: LayerArg, kernel: Window, stride: Window, dilation: Window, call: LayerCall
) -> tuple[str, str, tuple[Helper, ...]]:
    """A padding mode that only the run knows."""
    if call.rank == 3:
        return "", f"pad_steps({{x}}, {kernel.text}, {stride.text}, {dilation.text}, {mode.text})", (PAD_STEPS,)
    if stride.is_one:
        return f", padding={mode.text}", "{x}", ()
    wide = widened(kernel, dilation)
    test = f'{mode.text}.lower() == "same"'
    return "", f"{padded(None, wide, stride)} if {test} else {{x}}", (PAD_SAME,)


def no_stride_with_dilation(stride: Window, dilation: Window) -> None:
    """Declines strides with dilation where both are known: Keras forbids it."""
    if stride.sizes and dilation.sizes and not stride.is_one and not dilation.is_one:
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
        constraint=weights.constraint,
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
    no_stride_with_dilation(stride, dilation)
    pad, source, helpers = padding_of(padding, kernel, stride, dilation, call)
    grouped = "" if groups.is_known and groups.known == 1 else f", groups={groups.text}"
    options = option("stride", stride) + pad + option("dilation", dilation) + grouped + bias_argument(use_bias)
    module = f"nn.Conv{dims}d({call.features}, {filters.text}, kernel_size={kernel.text}{options})"
    made = layer_code(module, source, "conv", *activation_of(activation, call), weights, helpers)
    return padding_itself(made, dims) if source.startswith("pad_same(") and dilation.is_one else made


def padding_itself(code: LayerCode, dims: int) -> LayerCode:
    """The code of a padded convolution with the module that a chain of modules can have."""
    same = CONV_SAME[dims]
    assert code.module is not None
    entry = code.module.replace(f"nn.Conv{dims}d(", f"{same.name}(", 1)
    return replace(code, entry=entry, helpers=(*code.helpers, same))


def kernel_and_bias(dims: int, kernel, bias) -> Weights:
    """The weights of a convolution over `dims` dimensions."""
    return weight("kernel", "weight", KERNEL[dims], *kernel) + bias_weights(*bias)


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
        S(f32(2, 7, 9, 3), 4, 3, 2, "SAME", data_format="CHANNELS_LAST"),
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
