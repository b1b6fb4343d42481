"""Layers that change the colours of images, most of them at random while training, and cut or cover parts of them."""
# mypy: disable-error-code="no-untyped-def, no-untyped-call"

from __future__ import annotations

from dataclasses import replace

from migrator.model import LayerCode
from migrator.rules.engine.declining import Decline
from migrator.rules.engine.registry import layer
from migrator.rules.engine.samples import S, declines, f32, unit
from migrator.rules.layers import random_colour_code as code
from migrator.rules.layers import random_image_code
from migrator.rules.layers.call import LayerArg, LayerCall
from migrator.rules.layers.padding import channels_last
from migrator.rules.layers.random_images import images, is_default, made, reading

_UNIT = unit(5, 7, 6, 3)
_SEVEN = unit(7, 6, 5, 3)


def rgb(data_format: LayerArg, call: LayerCall) -> None:
    channels_last(data_format)
    if call.rank != 4 or call.shape[-1] != 3:
        raise Decline("images that are not known to have three channels")


@layer("tf.keras.layers.RandomGrayscale", samples=[S(_UNIT), S(_UNIT, 0.9), declines(unit(5, 7, 6, 1))])
def random_grayscale(factor=0.5, data_format=None, seed=None, *, call: LayerCall) -> LayerCode:
    """A small module that makes some images grey."""
    rgb(data_format, call)
    return made(code.random_grayscale, call, "grayscale", factor)


@layer(
    "tf.keras.layers.RandomColorDegeneration",
    samples=[S(_UNIT, 0.8), S(_UNIT, (0.2, 0.9), value_range=(0.0, 1.0)), declines(unit(5, 7, 6, 1), 0.5)],
)
def random_color_degeneration(
    factor, value_range=(0, 255), data_format=None, seed=None, *, call: LayerCall
) -> LayerCode:
    """A small module that moves images towards grey."""
    rgb(data_format, call)
    return made(code.random_color_degeneration, call, "degeneration", factor, value_range=value_range)


@layer("tf.keras.layers.RandomInvert", samples=[S(_SEVEN), S(_UNIT, (0.4, 0.9), (0, 1))])
def random_invert(factor=1.0, value_range=(0, 255), seed=None, data_format=None, *, call: LayerCall) -> LayerCode:
    """A small module that inverts some images."""
    channels_last(data_format)
    return made(code.random_invert, call, "invert", factor, value_range=value_range)


@layer(
    "tf.keras.layers.RandomSaturation",
    samples=[S(_UNIT, (0.1, 0.4)), S(_UNIT, 0.9, value_range=(0, 1)), declines(unit(5, 7, 6, 1), 0.5)],
)
def random_saturation(factor, value_range=(0, 255), data_format=None, seed=None, *, call: LayerCall) -> LayerCode:
    """A small module over hue, saturation and value."""
    rgb(data_format, call)
    return made(code.random_saturation, call, "saturation", factor, value_range=value_range)


@layer(
    "tf.keras.layers.RandomHue",
    samples=[S(_UNIT, 0.8, (0, 1)), S(_UNIT, (0.2, 0.9), value_range=(0.0, 2.0)), declines(unit(5, 7, 6, 1), 0.5)],
)
def random_hue(factor, value_range=(0, 255), data_format=None, seed=None, *, call: LayerCall) -> LayerCode:
    """A small module over hue, saturation and value."""
    rgb(data_format, call)
    return made(code.random_hue, call, "hue", factor, value_range=value_range)


@layer(
    "tf.keras.layers.RandomSharpness",
    samples=[S(_UNIT, 0.9), S(f32(5, 7, 6, 2), (0.7, 1.0), value_range=(-1.0, 1.0))],
)
def random_sharpness(factor, value_range=(0, 255), data_format=None, seed=None, *, call: LayerCall) -> LayerCode:
    """A small module around a convolution."""
    channels_last(data_format)
    return made(code.random_sharpness, call, "sharpness", factor, value_range=value_range)


@layer("tf.keras.layers.RandomPosterization", samples=[S(_UNIT, 3, (0, 1)), S(_UNIT, (1, 4), value_range=(0, 1))])
def random_posterization(factor, value_range=(0, 255), data_format=None, seed=None, *, call: LayerCall) -> LayerCode:
    """A small module that rounds values down."""
    channels_last(data_format)
    return made(code.random_posterization, call, "posterization", factor, value_range=value_range)


@layer(
    "tf.keras.layers.Solarization",
    samples=[S(_UNIT, 0.1, 0.9, (0, 1)), S(_UNIT, value_range=(0, 1), threshold_factor=(0.3, 0.6))],
)
def solarization(
    addition_factor=0.0, threshold_factor=0.0, value_range=(0, 255), seed=None, *, call: LayerCall
) -> LayerCode:
    """A small module that inverts what is bright."""
    named = {"addition_factor": addition_factor, "threshold_factor": threshold_factor, "value_range": value_range}
    return made(code.random_solarization, call, "solarization", **named)


@layer(
    "tf.keras.layers.RandomErasing",
    samples=[S(_UNIT, fill_value=0.5), S(_UNIT, (0.5, 1.0), 0.8, value_range=(0, 1)), S(_UNIT, fill_value=[1, 2, 3])],
)
def random_erasing(
    factor=1.0,
    scale=(0.02, 0.33),
    fill_value=None,
    value_range=(0, 255),
    seed=None,
    data_format=None,
    *,
    call: LayerCall,
) -> LayerCode:
    """A small module that fills rectangles."""
    channels_last(data_format)
    named = {"scale": scale, "fill_value": fill_value, "value_range": value_range}
    return made(code.random_erasing, call, "erasing", factor, **named)


@layer(
    "tf.keras.layers.RandomGaussianBlur",
    samples=[S(_SEVEN), S(_UNIT, (0.5, 1.0), 5, (0.3, 0.9)), declines(_UNIT, kernel_size=(3, 5))],
)
def random_gaussian_blur(
    factor=1.0, kernel_size=3, sigma=1.0, value_range=(0, 255), data_format=None, seed=None, *, call: LayerCall
) -> LayerCode:
    """A small module around a convolution."""
    channels_last(data_format)
    if isinstance(kernel_size.known, tuple | list):
        raise Decline("a kernel given by two sizes")
    named = {"kernel_size": kernel_size, "sigma": sigma, "value_range": value_range}
    return made(code.random_gaussian_blur, call, "blur", factor, **named)


@layer(
    "tf.keras.layers.RandomShear",
    samples=[S(f32(5, 7, 6, 3), 0.4, 0.2), S(f32(5, 7, 6, 3), (0.1, 0.5), fill_mode="constant", fill_value=0.5)],
)
def random_shear(
    x_factor=0.0,
    y_factor=0.0,
    interpolation="bilinear",
    fill_mode="reflect",
    fill_value=0.0,
    data_format=None,
    seed=None,
    *,
    call: LayerCall,
) -> LayerCode:
    """A small module that reads every pixel where TensorFlow does."""
    named = reading(fill_mode, interpolation, fill_value, data_format)
    return made(code.random_shear, call, "shear", x_factor, y_factor, **named)


@layer(
    "tf.keras.layers.RandomPerspective",
    samples=[
        S(unit(7, 6, 5, 3), scale=0.5),
        S(unit(5, 7, 6, 3), (0.5, 1.0), 0.8, fill_value=0.5),
        S(unit(5, 7, 6, 3), (0.5, 1.0), 0.8, "nearest"),
        declines(unit(5, 7, 6, 3), interpolation="bicubic"),
    ],
)
def random_perspective(
    factor=1.0, scale=1.0, interpolation="bilinear", fill_value=0.0, seed=None, data_format=None, *, call: LayerCall
) -> LayerCode:
    """A small module that reads every pixel where TensorFlow does."""
    channels_last(data_format)
    if interpolation.known not in ("bilinear", "nearest"):
        raise Decline("the interpolation is not known")
    named = {"scale": scale, "interpolation": interpolation, "fill_value": fill_value}
    return made(code.random_perspective, call, "perspective", factor, **named)


@layer("tf.keras.layers.RandomCrop", keras=3, samples=[S(_UNIT, 4, 3), declines(_UNIT, 7, 3)])
def random_crop(height, width, seed=None, data_format=None, *, call: LayerCall) -> LayerCode:
    """A small module; Keras 3 cuts nothing in evaluation."""
    channels_last(data_format)
    for size, wanted in zip(call.shape[-3:-1], (height, width), strict=True):
        if not isinstance(size, int) or size <= wanted.known:
            raise Decline("images that may be no larger than the part")
    return made(code.random_crop, call, "crop", height, width)


@layer("tf.keras.layers.Equalization", samples=[S(_UNIT, (0, 1)), S(_UNIT, value_range=(0.0, 2.0), bins=50)])
def equalization(value_range=(0, 255), bins=256, data_format=None, *, call: LayerCall) -> LayerCode:
    """A small module around a table of counts."""
    channels_last(data_format)
    return made(code.equalization, call, "equalization", value_range=value_range, bins=bins)


@layer("tf.keras.layers.AutoContrast", samples=[S(_UNIT, (0, 1)), S(f32(2, 5, 6, 1), value_range=(-1.0, 3.0))])
def auto_contrast(value_range=(0, 255), *, call: LayerCall) -> LayerCode:
    """A function of the ends of each channel."""
    option = "" if is_default(value_range, code.auto_contrast) else f", {value_range.text}"
    text = f"auto_contrast({images(call)}{option})"
    return LayerCode(None, text, "x", layout="nchw", helpers=(code.auto_contrast,))


@layer(
    "tf.keras.layers.RandomColorJitter",
    samples=[
        S(_UNIT, (0, 1), brightness_factor=0.3, contrast_factor=0.5, saturation_factor=(0.1, 0.4), hue_factor=0.5),
        S(_UNIT, (0, 1), contrast_factor=0.7),
        declines(_UNIT),
    ],
)
def random_color_jitter(
    value_range=(0, 255),
    brightness_factor=None,
    contrast_factor=None,
    saturation_factor=None,
    hue_factor=None,
    seed=None,
    data_format=None,
    *,
    call: LayerCall,
) -> LayerCode:
    """The modules of its parts, one after the other."""
    rgb(data_format, call)
    helpers = (
        (random_image_code.random_brightness, brightness_factor),
        (random_image_code.random_contrast, contrast_factor),
        (code.random_saturation, saturation_factor),
        (code.random_hue, hue_factor),
    )
    parts = [made(h, call, "jitter", f, value_range=value_range) for h, f in helpers if f.known is not None]
    if not parts:
        raise Decline("nothing is changed")
    modules = ", ".join(part.module or "" for part in parts)
    needs = tuple(dict.fromkeys(h for part in parts for h in part.helpers))
    return replace(parts[0], module=f"nn.Sequential({modules})" if len(parts) > 1 else modules, helpers=needs)
