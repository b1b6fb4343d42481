"""Layers that change images at random while training: flips, turns, zooms, moves, contrast, brightness."""
# mypy: disable-error-code="no-untyped-def, no-untyped-call"

from __future__ import annotations

import ast
from collections.abc import Mapping
from functools import cache

from migrator.model import Helper, LayerCode
from migrator.rules.engine.args import NOTHING
from migrator.rules.engine.declining import Decline
from migrator.rules.engine.registry import layer
from migrator.rules.engine.samples import S, declines, f32, unit
from migrator.rules.layers import random_image_code as code
from migrator.rules.layers.call import LayerArg, LayerCall
from migrator.rules.layers.padding import channels_last
from migrator.values import Tensor


def made(helper: Helper, call: LayerCall, stem: str, *args: LayerArg, **named: LayerArg) -> LayerCode:
    """The module of a helper, given what differs from its defaults."""
    given = [a.text for a in args] + [f"{n}={a.text}" for n, a in named.items() if not is_default(a, helper)]
    return LayerCode(
        f"{helper.name}({', '.join(given)})",
        f"{{self}}({images(call)})",
        stem,
        layout="nchw",
        helpers=(*helper.needs, helper),
    )


def images(call: LayerCall) -> str:
    """The input as floats, which images that are integers become in Keras too. Raises `Decline`."""
    floats = call.inputs and isinstance(call.inputs[0], Tensor) and (call.inputs[0].dtype or "").startswith("float")
    if call.rank != 4:
        raise Decline("an image that is not one of a batch")
    return "{x}" if floats else "{x}.float()"


def is_default(arg: LayerArg, helper: Helper) -> bool:
    """Whether an argument is what the helper takes by default."""
    return arg.is_known and arg.known == _defaults(helper.source).get(arg.name, NOTHING)


@cache
def _defaults(source: str) -> Mapping[str, object]:
    """The defaults of the parameters of a helper, as its source has them."""
    function = next(n for n in ast.walk(ast.parse(source)) if isinstance(n, ast.FunctionDef))
    args = function.args
    names = [a.arg for a in args.args[len(args.args) - len(args.defaults) :]]
    return {name: ast.literal_eval(value) for name, value in zip(names, args.defaults, strict=True)}


def reading(
    fill_mode: LayerArg, interpolation: LayerArg, fill_value: LayerArg, data_format: LayerArg
) -> dict[str, LayerArg]:
    """How pixels between and beyond those of the image are read, as the modules take it."""
    channels_last(data_format)
    if fill_mode.known not in ("reflect", "wrap", "constant", "nearest"):
        raise Decline("the fill mode is not known")
    if interpolation.known not in ("bilinear", "nearest"):
        raise Decline("the interpolation is not known")
    return {"fill_mode": fill_mode, "interpolation": interpolation, "fill_value": fill_value}


_IMAGES = f32(5, 7, 6, 3)


@layer(
    "tf.keras.layers.RandomFlip",
    keras=3,
    samples=[S(_IMAGES), S(_IMAGES, "horizontal"), S(_IMAGES, mode="vertical"), declines(f32(7, 6, 3))],
)
def random_flip(mode="horizontal_and_vertical", seed=None, data_format=None, *, call: LayerCall) -> LayerCode:
    """A small module: the seed is dropped, since random streams differ anyway."""
    channels_last(data_format)
    if mode.known not in ("horizontal", "vertical", "horizontal_and_vertical"):
        raise Decline("the direction is not known")
    return made(code.random_flip, call, "flip", mode=mode)


@layer(
    "tf.keras.layers.RandomRotation",
    keras=3,
    samples=[
        S(_IMAGES, 0.2),
        S(_IMAGES, (-0.3, 0.1), fill_mode="constant", fill_value=0.5),
        S(_IMAGES, 0.1, "wrap"),
        S(_IMAGES, 0.1, "nearest", "nearest"),
    ],
)
def random_rotation(
    factor,
    fill_mode="reflect",
    interpolation="bilinear",
    seed=None,
    fill_value=0.0,
    data_format=None,
    *,
    call: LayerCall,
) -> LayerCode:
    """A small module that reads every pixel where TensorFlow does."""
    named = reading(fill_mode, interpolation, fill_value, data_format)
    return made(code.random_rotation, call, "rotation", factor, **named)


@layer(
    "tf.keras.layers.RandomZoom",
    keras=3,
    samples=[
        S(_IMAGES, 0.2),
        S(_IMAGES, (-0.3, -0.1), (0.1, 0.4), "constant"),
        S(_IMAGES, 0.5, width_factor=0.3, fill_mode="wrap"),
    ],
)
def random_zoom(
    height_factor,
    width_factor=None,
    fill_mode="reflect",
    interpolation="bilinear",
    seed=None,
    fill_value=0.0,
    data_format=None,
    *,
    call: LayerCall,
) -> LayerCode:
    """A small module that reads every pixel where TensorFlow does."""
    named = reading(fill_mode, interpolation, fill_value, data_format)
    return made(code.random_zoom, call, "zoom", height_factor, width_factor=width_factor, **named)


@layer(
    "tf.keras.layers.RandomTranslation",
    keras=3,
    samples=[S(_IMAGES, 0.2, 0.3), S(_IMAGES, (-0.5, -0.1), (0.1, 1.0), fill_mode="constant")],
)
def random_translation(
    height_factor,
    width_factor,
    fill_mode="reflect",
    interpolation="bilinear",
    seed=None,
    fill_value=0.0,
    data_format=None,
    *,
    call: LayerCall,
) -> LayerCode:
    """A small module that reads every pixel where TensorFlow does."""
    named = reading(fill_mode, interpolation, fill_value, data_format)
    return made(code.random_translation, call, "translation", height_factor, width_factor, **named)


@layer(
    "tf.keras.layers.RandomContrast",
    keras=3,
    samples=[S(unit(5, 7, 6, 3), 0.5), S(unit(5, 7, 6, 3), (0.2, 0.9), value_range=(0.0, 1.0))],
)
def random_contrast(factor, value_range=(0, 255), seed=None, *, call: LayerCall) -> LayerCode:
    """A small module around the mean of each channel."""
    return made(code.random_contrast, call, "contrast", factor, value_range=value_range)


@layer(
    "tf.keras.layers.RandomBrightness",
    keras=3,
    samples=[S(unit(5, 7, 6, 3), 0.5, value_range=(0, 1)), S(unit(5, 7, 6, 3), (-0.2, 0.4))],
)
def random_brightness(factor, value_range=(0, 255), seed=None, *, call: LayerCall) -> LayerCode:
    """A small module that adds to all pixels."""
    return made(code.random_brightness, call, "brightness", factor, value_range=value_range)
