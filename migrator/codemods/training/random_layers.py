"""Layers that change images at random unless they are told not to: Keras's default for them is training."""

from __future__ import annotations

from migrator.codemods.context import Context
from migrator.values import Instance, ModelValue, Value

_LAYERS = "tf.keras.layers."
# Layers that work alike in both modes, as stand beside random ones.
_ALIKE = frozenset({"Rescaling", "Resizing", "CenterCrop", "InputLayer", "Identity", "Activation", "Lambda", "Reshape"})


def is_random(api: str) -> bool:
    """Whether a layer changes images at random."""
    return api.startswith(f"{_LAYERS}Random")


def mode_without_flag(value: Value, ctx: Context) -> str:
    """The mode in which Keras runs a model that is called without `training`: "train", "eval", or "" for a mixture."""
    layers = _layers(value)
    if layers is None:
        used = (api for here in ctx.facts.modules.values() for api, _ in here.uses())
        return "" if any(map(is_random, used)) else "eval"
    if not any(map(is_random, layers)):
        return "eval"
    plain = all(is_random(api) or api.removeprefix(_LAYERS) in _ALIKE for api in layers)
    return "train" if plain else ""


def _layers(value: Value) -> list[str] | None:
    """The layers of a model by name, where all are known."""
    if not isinstance(value, ModelValue) or value.layers is None:
        return None
    found: list[str] = []
    for layer in value.layers:
        inner = [layer.api] if isinstance(layer, Instance) else _layers(layer)
        if inner is None:
            return None
        found += inner
    return found
