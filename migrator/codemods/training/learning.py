"""Models of which every variable learns, so that `variables` and `weights` are `parameters()`."""

from __future__ import annotations

from migrator.codemods.context import Context
from migrator.values import Instance, Literal, ModelValue, RepoInstance, Scalar, Value

_PLAIN = frozenset(
    {f"tf.keras.layers.{name}" for name in ("Dense", "Embedding", "LayerNormalization", "PReLU", "InputLayer")}
    | {f"tf.keras.layers.{kind}{n}D" for n in (1, 2, 3) for kind in ("Conv", "MaxPooling", "AveragePooling")}
    | {f"tf.keras.layers.{kind}{n}D" for n in (1, 2, 3) for kind in ("GlobalMaxPooling", "GlobalAveragePooling")}
    | {f"tf.keras.layers.{name}" for name in ("Flatten", "Reshape", "Activation", "ReLU", "LeakyReLU", "Softmax")}
    | {f"tf.keras.layers.{name}" for name in ("Add", "Concatenate", "Multiply", "Average", "Subtract", "Permute")}
)
"""Layers whose variables all learn, one parameter each. Left out: statistics (normalisation), the second bias of
recurrent layers, and the seeds that Keras 3 counts for layers that draw."""


def all_learn(value: Value, ctx: Context) -> bool:
    """Whether a model or layer has no variable but parameters that learn."""
    if isinstance(value, Instance):
        frozen = value.arg("trainable") not in (None, Literal(True))
        return value.api in _PLAIN and not frozen
    if isinstance(value, ModelValue):
        return bool(value.layers) and all(all_learn(layer, ctx) for layer in value.layers or ())
    if not isinstance(value, RepoInstance) or value.kind not in ("model", "layer"):
        return False
    known = ctx.facts.cls(value.qualname)
    own = [held for _, held in known.attrs] if known is not None else []
    parts = [held for held in own if not isinstance(held, Literal | Scalar)]
    return bool(parts) and not (known and known.parents) and all(all_learn(part, ctx) for part in parts)
