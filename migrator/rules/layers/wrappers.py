"""Layers around other layers."""
# mypy: disable-error-code="no-untyped-def, no-untyped-call"

from __future__ import annotations

from dataclasses import replace

from migrator.model import Helper, LayerCode
from migrator.rules.engine.declining import Decline
from migrator.rules.engine.registry import layer
from migrator.rules.engine.samples import S, boolean, declines, f32, src
from migrator.rules.layers.call import LayerArg, LayerCall, wrapped
from migrator.rules.layers.recurrent_code import Recurrent, layer_code
from migrator.values import Tensor

KINDS = {"tf.keras.layers.LSTM": "LSTM", "tf.keras.layers.GRU": "GRU", "tf.keras.layers.SimpleRNN": "RNN"}
_X = f32(3, 5, 3)
_MASK = src("(x, dict(mask=m))", x=_X, m=boolean(3, 5))


def _inner(text: str):
    return src(f"layers.{text}")


@layer(
    "tf.keras.layers.Bidirectional",
    samples=[
        S(_X, _inner("LSTM(4)")),
        S(_X, _inner("LSTM(4, return_sequences=True)"), merge_mode="sum"),
        S(_X, _inner("LSTM(4, return_sequences=True, return_state=True)")),
        S(_X, _inner("LSTM(4, return_state=True)")),
        S(_X, _inner("GRU(4, return_sequences=True)"), "ave"),
        S(_X, _inner("GRU(4, return_state=True)")),
        S(_X, _inner("GRU(4)"), merge_mode="mul"),
        S(_X, _inner("SimpleRNN(4, activation='relu', use_bias=False)")),
        S(_X, _inner("GRU(4, return_sequences=True)"), merge_mode=None),
        S(_MASK, _inner("LSTM(4)")),
        S(_MASK, _inner("LSTM(4, return_sequences=True)")),
        S(_MASK, _inner("GRU(4, return_sequences=True, return_state=True)")),
        S(_X, _inner("LSTM(4, activation='relu')")),
        S(_X, _inner("GRU(4, reset_after=False, return_sequences=True, return_state=True)")),
        S(_X, _inner("SimpleRNN(4, activation='sigmoid', kernel_regularizer='l2')"), "ave"),
        S(_X, _inner("LSTM(4, dropout=0.0, recurrent_activation='hard_sigmoid', return_state=True)")),
        declines(_X, _inner("LSTM(4, go_backwards=True)")),
        declines(_X, _inner("Dense(4)")),
    ],
)
def bidirectional(layer, merge_mode="concat", weights=None, backward_layer=None, *, call: LayerCall) -> LayerCode:
    """torch's layer with `bidirectional=True`."""
    if backward_layer.known is not None or weights.known is not None:
        raise Decline("a backward layer, or weights, of its own")
    rule, args = wrapped(layer, call.keras)
    if rule.api not in KINDS:
        raise Decline(f"both directions of {rule.api}")
    return layer_code(Recurrent(KINDS[rule.api], args, call).checked(), merge_mode.known, both=True)


OVER_TIME = Helper(
    "over_time",
    '''def over_time(layer, x):
    """Applies a layer to every step of [batch, time, ...]."""
    return layer(x.flatten(0, 1)).unflatten(0, x.shape[:2])
''',
)


@layer(
    "tf.keras.layers.TimeDistributed",
    samples=[
        S(_X, _inner("Dense(4, activation='softmax')")),
        S(f32(2, 3, 6, 5, 3), _inner("Conv2D(4, 3, activation='relu', padding='same')")),
        S(f32(2, 3, 6, 5, 3), _inner("MaxPooling2D()")),
        S(f32(2, 3, 6, 5, 3), _inner("GlobalAveragePooling2D()")),
        S(f32(2, 3, 5, 3), _inner("Flatten()")),
        S(f32(2, 3, 5, 3), _inner("LSTM(4)")),
        declines(f32(2, 3, 5, 3), _inner("BatchNormalization()")),
        declines(_X, _inner("LSTM(4, return_state=True)")),
    ],
)
def time_distributed(layer, *, call: LayerCall) -> LayerCode:
    """The layer on all steps as one batch; what works on the last axis alone needs nothing."""
    step = replace(call, inputs=(_step(call),))
    rule, args = wrapped(layer, call.keras)
    if rule.api == "tf.keras.layers.BatchNormalization":
        raise Decline("batch normalisation of each step apart")
    made = rule.build(**args, call=step)
    if rule.api in ("tf.keras.layers.Dense", "tf.keras.layers.Activation") or made.layout == "any":
        return made
    if "return_state" in args and args["return_state"].known:
        raise Decline("states of every step")
    text = made.forward.replace("{x}", "t") if made.activation is None else _activated(made)
    if made.layout == "nchw" and step.rank > 2:
        text = _permuted(text, step.rank, keeps="dim=(2" not in made.forward or "keepdim" in made.forward)
    function = "{self}" if text == "{self}(t)" else f"lambda t: {text}"
    return replace(
        made,
        forward=f"over_time({function}, {{x}})",
        activation=None,
        activation_name=None,
        layout="last",
        helpers=(*made.helpers, OVER_TIME),
        form=None,
        masked=None,
    )


def _activated(made: LayerCode) -> str:
    return (made.activation or "{x}").replace("{x}", made.forward.replace("{x}", "t"))


def _permuted(text: str, rank: int, keeps: bool) -> str:
    """The text for a step whose channels come last."""
    into = ", ".join(map(str, (0, rank - 1, *range(1, rank - 1))))
    back = ", ".join(map(str, (0, *range(2, rank), 1)))
    inner = text.replace("t", f"t.permute({into})") if text == "t" else _with_step(text, f"t.permute({into})")
    return f"{inner}.permute({back})" if keeps else inner


def _with_step(text: str, step: str) -> str:
    import re

    return re.sub(r"\bt\b", step, text)


def _step(call: LayerCall) -> Tensor:
    value = call.inputs[0] if call.inputs else None
    if not isinstance(value, Tensor) or value.shape is None or len(value.shape) < 3:
        raise Decline("the rank of its input is unknown")
    return replace(value, shape=(None, *value.shape[2:]))


__all__ = ["KINDS", "OVER_TIME", "LayerArg"]
