"""Layers that mix the images of a batch, or several changes of them, while training."""
# mypy: disable-error-code="no-untyped-def, no-untyped-call"

from __future__ import annotations

from dataclasses import replace

from migrator.model import LayerCode
from migrator.rules.engine.declining import Decline
from migrator.rules.engine.registry import layer
from migrator.rules.engine.samples import S, declines, unit
from migrator.rules.layers import mixing_code as code
from migrator.rules.layers.call import LayerArg, LayerCall
from migrator.rules.layers.padding import channels_last
from migrator.rules.layers.random_colours import rgb
from migrator.rules.layers.random_images import made

_UNIT = unit(5, 7, 6, 3)


@layer("tf.keras.layers.MixUp", samples=[S(_UNIT), S(_UNIT, alpha=0.6)])
def mix_up(alpha=0.2, data_format=None, seed=None, *, call: LayerCall) -> LayerCode:
    """A small module over a random order of the batch."""
    return replace(made(code.mix_up, call, "mix_up", alpha=alpha), layout="any")


@layer(
    "tf.keras.layers.CutMix", samples=[S(_UNIT), S(_UNIT, (0.2, 0.9)), declines(_UNIT, data_format="channels_first")]
)
def cut_mix(factor=1.0, seed=None, data_format=None, *, call: LayerCall) -> LayerCode:
    """A small module over a random order of the batch."""
    channels_last(data_format)
    return made(code.cut_mix, call, "cut_mix", factor=factor)


@layer(
    "tf.keras.layers.RandAugment",
    samples=[S(_UNIT, (0, 1)), S(_UNIT, value_range=(0, 1), num_ops=3, factor=0.8), declines(unit(5, 7, 6, 1))],
)
def rand_augment(
    value_range=(0, 255),
    num_ops=2,
    factor=0.5,
    interpolation="bilinear",
    seed=None,
    data_format=None,
    *,
    call: LayerCall,
) -> LayerCode:
    """The modules of its parts, some of which are drawn; one drawn twice draws its own strength twice."""
    rgb(data_format, call)
    _known_interpolation(interpolation)
    named = {"value_range": value_range, "num_ops": num_ops, "factor": factor, "interpolation": interpolation}
    return made(code.rand_augment, call, "augment", **named)


@layer(
    "tf.keras.layers.AugMix",
    samples=[
        S(_UNIT, (0, 1)),
        S(_UNIT, (0, 1), 2, 2, (0.1, 0.7), alpha=0.5, all_ops=False),
        declines(unit(5, 7, 6, 1)),
    ],
)
def aug_mix(
    value_range=(0, 255),
    num_chains=3,
    chain_depth=3,
    factor=0.3,
    alpha=1.0,
    all_ops=True,
    interpolation="bilinear",
    seed=None,
    data_format=None,
    *,
    call: LayerCall,
) -> LayerCode:
    """Chains of the modules of its parts; Keras chooses these once, where the layer is in a graph of TensorFlow."""
    rgb(data_format, call)
    _known_interpolation(interpolation)
    named = {
        "value_range": value_range,
        "num_chains": num_chains,
        "chain_depth": chain_depth,
        "factor": factor,
        "alpha": alpha,
        "all_ops": all_ops,
        "interpolation": interpolation,
    }
    return made(code.aug_mix, call, "augment", **named)


def _known_interpolation(interpolation: LayerArg) -> None:
    if interpolation.known not in ("bilinear", "nearest"):
        raise Decline("the interpolation is not known")
