"""Calls of layers of the repository outside of models, and of what is called where it is made.

Keras runs these as it would predict, unless it is told otherwise; a fresh module of PyTorch trains.
"""

from __future__ import annotations

import libcst as cst

from migrator.codemods.context import Context
from migrator.codemods.training.random_layers import mode_without_flag
from migrator.values import (
    Api,
    DType,
    External,
    Instance,
    Literal,
    ModuleRef,
    RepoInstance,
    Scalar,
    Sequence,
    ShapeOf,
    Tensor,
    Value,
)

_LAYERS = "tf.keras.layers."
_TWO_MODES = (
    "Dropout", "SpatialDropout", "AlphaDropout", "Gaussian", "BatchNormalization", "Random", "LSTM", "GRU", "SimpleRNN",
    "ConvLSTM", "RNN", "Bidirectional", "StackedRNNCells", "TimeDistributed", "MultiHeadAttention", "Attention",
    "AdditiveAttention", "SpectralNormalization", "Wrapper", "Solarization", "Equalization", "GroupQueryAttention",
)  # fmt: skip

_RECURRENT = ("LSTM", "GRU", "SimpleRNN", "LSTMCell", "GRUCell", "SimpleRNNCell")
"""They drop something in training where they are told to."""
_WITHOUT_MODE = (Literal, Scalar, Tensor, ShapeOf, DType, Api, External, ModuleRef)


def layer_call(call: cst.Call, ctx: Context) -> str:
    """ "layer" where a layer of the repository is called, "model" where a model is in the place that makes it.

    "" for a layer that does the same in either mode, unless the call says whether it trains.
    """
    value = ctx.value(call.func)
    if not isinstance(value, RepoInstance) or not isinstance(call.func, cst.Name | cst.Attribute | cst.Call):
        return ""
    if value.kind == "model" and isinstance(call.func, cst.Call):
        return "model"
    if value.kind != "layer" or (flag_of(call, ctx) is None and not has_two_modes(value, ctx)):
        return ""
    return "layer"


def flag_of(call: cst.Call, ctx: Context) -> cst.Arg | None:
    """The argument for `training`, by name or by its place in the `call` of a class of the repository."""
    named = next((a for a in call.args if a.keyword is not None and a.keyword.value == "training"), None)
    value = ctx.value(call.func)
    if named is not None or not isinstance(value, RepoInstance):
        return named
    params = [name for name, _ in _params(value, ctx)]
    if "training" not in params or any(a.star for a in call.args):
        return None
    place = params.index("training")
    return call.args[place] if place < len(call.args) and call.args[place].keyword is None else None


def mode_of(call: cst.Call, ctx: Context) -> str:
    """The mode of a call that does not say whether it trains: "train", "eval", or "" for a mixture."""
    value = ctx.value(call.func)
    if not isinstance(value, RepoInstance):
        return mode_without_flag(value, ctx)
    flag = dict(_params(value, ctx)).get("training")
    if isinstance(flag, Scalar) and flag.default == Literal(True):
        return "train"
    return mode_without_flag(value, ctx)


def without_modes(call: cst.Call, ctx: Context) -> str | None:
    """The mode in which gradients are taken of what does the same in either; None where that is not sure.

    "" for any; "train" for recurrent layers, of which cuDNN has no gradients while they predict.
    """
    value = ctx.value(call.func)
    if flag_of(call, ctx) is not None or has_two_modes(value, ctx):
        return None
    return "train" if _is_recurrent(value, ctx, frozenset()) else ""


def _is_recurrent(value: Value, ctx: Context, seen: frozenset[str]) -> bool:
    if isinstance(value, Instance):
        return value.api.removeprefix(_LAYERS) in _RECURRENT
    if isinstance(value, Sequence):
        return any(_is_recurrent(item, ctx, seen) for item in value.items or (value.element,))
    facts = ctx.facts.cls(value.qualname) if isinstance(value, RepoInstance) and value.qualname not in seen else None
    attrs = () if facts is None else facts.attrs
    return any(_is_recurrent(item, ctx, seen | {facts.qualname} if facts else seen) for _, item in attrs)


def has_two_modes(value: Value, ctx: Context) -> bool:
    """Whether a layer may do something else in training; without a doubt no otherwise."""
    return _has_two_modes(value, ctx, frozenset())


def _has_two_modes(value: Value, ctx: Context, seen: frozenset[str]) -> bool:
    if isinstance(value, Instance):
        name = value.api.removeprefix(_LAYERS)
        if not value.api.startswith("tf.keras."):
            return True
        if name in _RECURRENT:
            return any(given != Literal(0.0) for arg, given in value.args if "dropout" in arg)
        return value.api.startswith(_LAYERS) and name.startswith(_TWO_MODES)
    if isinstance(value, Sequence):
        return value.items is None or any(_has_two_modes(item, ctx, seen) for item in value.items)
    if not isinstance(value, RepoInstance):
        return not isinstance(value, _WITHOUT_MODE)
    if value.qualname in seen:
        return False
    facts = ctx.facts.cls(value.qualname)
    if facts is None or "training" in [name for name, _ in _params(value, ctx)]:
        return True
    return any(_has_two_modes(item, ctx, seen | {value.qualname}) for _, item in facts.attrs)


def _params(value: RepoInstance, ctx: Context) -> tuple[tuple[str, Value], ...]:
    """Parameters of a class's `call`, without `self`."""
    function = ctx.facts.function(f"{value.qualname}.call")
    if function is None:
        return ()
    return tuple(p for p in function.params if p[0] != "self")
