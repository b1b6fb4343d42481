"""Models of which every variable learns, so that `variables` and `weights` are `parameters()`."""

from __future__ import annotations

from migrator.codemods.context import Context
from migrator.values import Instance, Literal, ModelValue, RepoInstance, Scalar, Value

_WITHOUT = frozenset(
    {
        f"tf.keras.layers.{kind}Pooling{n}D"
        for n in (1, 2, 3)
        for kind in ("Max", "Average", "GlobalMax", "GlobalAverage")
    }
    | {f"tf.keras.layers.{name}" for name in ("Flatten", "Reshape", "Activation", "ReLU", "LeakyReLU", "Softmax")}
    | {f"tf.keras.layers.{name}" for name in ("Add", "Concatenate", "Multiply", "Average", "Subtract", "Permute")}
    | {"tf.keras.layers.InputLayer"}
)
"""Layers without variables."""
PLAIN = _WITHOUT | frozenset(
    {f"tf.keras.layers.{name}" for name in ("Dense", "Embedding", "LayerNormalization", "PReLU")}
    | {f"tf.keras.layers.Conv{n}D" for n in (1, 2, 3)}
)
"""Layers whose variables all learn, one parameter each. Left out: statistics (normalisation), the second bias of
recurrent layers, and the seeds that Keras 3 counts for layers that draw."""


_SEEDED = tuple(f"tf.keras.layers.{name}" for name in ("Dropout", "SpatialDropout", "GaussianNoise", "GaussianDropout"))


def is_weightless(layer: Value) -> bool:
    """Whether a layer has nothing to train and nothing to keep, but for the seed of what it draws."""
    return isinstance(layer, Instance) and (layer.api in _WITHOUT or layer.api.startswith(_SEEDED))


def all_learn(value: Value, ctx: Context) -> bool:
    """Whether a model or layer has no variable but parameters that learn."""
    if isinstance(value, Instance):
        frozen = value.arg("trainable") not in (None, Literal(True))
        return value.api in PLAIN and not frozen
    if isinstance(value, ModelValue):
        return bool(value.layers) and all(all_learn(layer, ctx) for layer in value.layers or ())
    if not isinstance(value, RepoInstance) or value.kind not in ("model", "layer"):
        return False
    known = ctx.facts.cls(value.qualname)
    own = [held for _, held in known.attrs] if known is not None else []
    parts = [held for held in own if not isinstance(held, Literal | Scalar)]
    return bool(parts) and not (known and known.parents) and all(all_learn(part, ctx) for part in parts)


def counts_alike(value: Value, ctx: Context) -> bool:
    """Whether Keras counts as many numbers in the weights of a model or layer as its module has parameters."""
    if isinstance(value, Instance):
        return value.api in PLAIN or is_weightless(value)
    if isinstance(value, ModelValue):
        return bool(value.layers) and all(counts_alike(layer, ctx) for layer in value.layers or ())
    return all_learn(value, ctx)
