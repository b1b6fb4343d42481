"""Preprocessing layers that compute the same in training and evaluation."""
# mypy: disable-error-code="no-untyped-def, no-untyped-call"

from __future__ import annotations

from migrator.model import LayerCode
from migrator.rules.engine.declining import Decline
from migrator.rules.engine.registry import layer
from migrator.rules.engine.samples import S, declines, f32, u8
from migrator.rules.layers.call import LayerArg, LayerCall
from migrator.rules.layers.padding import channels_last
from migrator.values import Tensor


def _dtype(call: LayerCall) -> str:
    value = call.inputs[0] if call.inputs else None
    if not isinstance(value, Tensor) or value.dtype is None:
        raise Decline("the dtype of its input is unknown")
    return value.dtype


@layer(
    "tf.keras.layers.Rescaling",
    samples=[
        S(f32(2, 3, 4, 3), 0.5),
        S(f32(2, 3), scale=2.0, offset=-1.0),
        S(f32(2, 3), 1.0 / 255),
        S(u8(2, 3, 4, 3), 0.25, 1),
    ],
)
def rescaling(scale, offset=0.0, *, call: LayerCall) -> LayerCode:
    """`x * scale + offset`; integers become floats by themselves, where the factor is a float."""
    plain = offset.is_known and offset.known == 0
    factor = scale.text if scale.text.replace(".", "").isalnum() else f"({scale.text})"
    whole = scale.is_known and isinstance(scale.known, int)
    source = "{x}.float()" if whole and not _dtype(call).startswith("float") else "{x}"
    text = f"{source} * {factor}" + ("" if plain else f" + {offset.text}").replace("+ -", "- ")
    return LayerCode(module=None, forward=text, stem="x")


@layer(
    "tf.keras.layers.Resizing",
    samples=[
        S(f32(2, 5, 7, 3), 4, 9),
        S(f32(2, 5, 7, 3), 10, 3, interpolation="nearest"),
        declines(u8(2, 5, 7, 3), 8, 8),
        declines(f32(2, 5, 7, 3), 4, 9, interpolation="bicubic"),
        declines(f32(2, 5, 7, 3), 4, 9, crop_to_aspect_ratio=True),
    ],
)
def resizing(
    height,
    width,
    interpolation="bilinear",
    crop_to_aspect_ratio=False,
    pad_to_aspect_ratio=False,
    fill_mode="constant",
    fill_value=0.0,
    antialias=False,
    data_format=None,
    *,
    call: LayerCall,
) -> LayerCode:
    """`F.interpolate`; both take the centres of pixels."""
    channels_last(data_format)
    if crop_to_aspect_ratio.known or pad_to_aspect_ratio.known or antialias.known:
        raise Decline("the aspect ratio is kept, or edges are smoothed")
    mode = {"bilinear": "bilinear", "nearest": "nearest-exact"}.get(interpolation.known)
    if mode is None:
        raise Decline(f"interpolation {interpolation.known!r}")
    if not _dtype(call).startswith("float"):
        raise Decline("images of integers keep their type")
    size = height.text if height.text == width.text else f"({height.text}, {width.text})"
    text = f'F.interpolate({{x}}, size={size}, mode="{mode}")'
    return LayerCode(module=None, forward=text, stem="x", layout="nchw")


@layer(
    "tf.keras.layers.CenterCrop",
    samples=[S(f32(2, 7, 8, 3), 4, 5), S(f32(2, 7, 8, 3), 7, 3), declines(f32(2, 7, 8, 3), 9, 5)],
)
def center_crop(height, width, data_format=None, *, call: LayerCall) -> LayerCode:
    """A slice, where the image is known to be large enough."""
    channels_last(data_format)
    cuts = [_centred(size, arg) for size, arg in zip(call.shape[-3:-1], (height, width), strict=True)]
    return LayerCode(None, f"{{x}}[:, :, {', '.join(cuts)}]", "x", layout="nchw")


def _centred(size: object, wanted: LayerArg) -> str:
    if not isinstance(size, int) or size < wanted.known:
        raise Decline("an image that may be smaller than the crop")
    start = (size - wanted.known) // 2
    return f"{start or ''}:{start + wanted.known}"
