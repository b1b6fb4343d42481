"""Recurrent layers: torch's own where it computes the same, a small module of loops where it does not."""
# mypy: disable-error-code="no-untyped-def, no-untyped-call"

from __future__ import annotations

from migrator.model import LayerCode
from migrator.rules.engine.registry import layer
from migrator.rules.engine.samples import S, boolean, declines, f32, src
from migrator.rules.layers.call import LayerCall
from migrator.rules.layers.recurrent_code import Recurrent, layer_code

_X = f32(3, 5, 3)
_STATE = src("(x, h)", x=_X, h=f32(3, 4))
_STATES = src("(x, [h, c])", x=_X, h=f32(3, 4), c=f32(3, 4))
_KEYWORD = src("(x, dict(initial_state=[h, c]))", x=_X, h=f32(3, 4), c=f32(3, 4))
_MASK = src("(x, dict(mask=m))", x=_X, m=boolean(3, 5))
_BOTH = src("(x, dict(mask=m, initial_state=h))", x=_X, h=f32(3, 4), m=boolean(3, 5))


def _spec(kind: str, given: dict[str, object]) -> Recurrent:
    """The layer that a rule's own parameters describe."""
    call = given.pop("call")
    return Recurrent(kind, given, call).checked()  # type: ignore[arg-type]


@layer(
    "tf.keras.layers.LSTM",
    samples=[
        S(_X, 4),
        S(_X, 4, return_sequences=True),
        S(_X, 4, return_sequences=True, return_state=True),
        S(_X, 4, return_state=True, go_backwards=True),
        S(_X, 4, use_bias=False, kernel_initializer="he_normal"),
        S(_X, 4, unit_forget_bias=False, kernel_regularizer="l2"),
        S(_X, 4, activation="relu", return_sequences=True),
        S(_X, 4, "elu", "hard_sigmoid", use_bias=False, return_state=True),
        S(_X, 4, dropout=0.0),
        S(_STATES, 4, return_sequences=True, return_state=True),
        S(_KEYWORD, 4, activation=None),
        S(_MASK, 4),
        S(_MASK, 4, return_sequences=True, return_state=True),
        declines(_X, 4, bias_initializer="ones"),
    ],
)
def lstm(
    units,
    activation="tanh",
    recurrent_activation="sigmoid",
    use_bias=True,
    kernel_initializer="glorot_uniform",
    recurrent_initializer="orthogonal",
    bias_initializer="zeros",
    unit_forget_bias=True,
    kernel_regularizer=None,
    recurrent_regularizer=None,
    bias_regularizer=None,
    activity_regularizer=None,
    kernel_constraint=None,
    recurrent_constraint=None,
    bias_constraint=None,
    dropout=0.0,
    recurrent_dropout=0.0,
    seed=None,
    return_sequences=False,
    return_state=False,
    go_backwards=False,
    stateful=False,
    unroll=False,
    use_cudnn="auto",
    *,
    call: LayerCall,
) -> LayerCode:
    """`nn.LSTM` with the second bias frozen at zero."""
    return layer_code(_spec("LSTM", dict(locals())))


@layer(
    "tf.keras.layers.GRU",
    samples=[
        S(_X, 4),
        S(_X, 4, return_sequences=True),
        S(_X, 4, return_state=True, use_bias=False),
        S(_X, 4, reset_after=False, return_sequences=True),
        S(_X, 4, activation="relu", recurrent_activation="hard_sigmoid"),
        S(_STATE, 4, return_sequences=True, return_state=True),
        S(_STATE, 4, reset_after=False, use_bias=False),
        S(_MASK, 4, return_sequences=True),
        S(_BOTH, 4, return_sequences=True, return_state=True),
        declines(_X, 4, bias_regularizer="l2"),
    ],
)
def gru(
    units,
    activation="tanh",
    recurrent_activation="sigmoid",
    use_bias=True,
    kernel_initializer="glorot_uniform",
    recurrent_initializer="orthogonal",
    bias_initializer="zeros",
    kernel_regularizer=None,
    recurrent_regularizer=None,
    bias_regularizer=None,
    activity_regularizer=None,
    kernel_constraint=None,
    recurrent_constraint=None,
    bias_constraint=None,
    dropout=0.0,
    recurrent_dropout=0.0,
    seed=None,
    return_sequences=False,
    return_state=False,
    go_backwards=False,
    stateful=False,
    unroll=False,
    reset_after=True,
    use_cudnn="auto",
    *,
    call: LayerCall,
) -> LayerCode:
    """`nn.GRU`; the gates are z, r, h in Keras and r, z, n in torch."""
    return layer_code(_spec("GRU", dict(locals())))


@layer(
    "tf.keras.layers.SimpleRNN",
    samples=[
        S(_X, 4),
        S(_X, 4, "relu", return_sequences=True),
        S(_X, 4, activation="sigmoid", use_bias=False, return_state=True),
        S(_STATE, 4, go_backwards=True),
        S(_STATE, 4, activation="softsign"),
        S(_MASK, 4, return_sequences=True),
    ],
)
def simple_rnn(
    units,
    activation="tanh",
    use_bias=True,
    kernel_initializer="glorot_uniform",
    recurrent_initializer="orthogonal",
    bias_initializer="zeros",
    kernel_regularizer=None,
    recurrent_regularizer=None,
    bias_regularizer=None,
    activity_regularizer=None,
    kernel_constraint=None,
    recurrent_constraint=None,
    bias_constraint=None,
    dropout=0.0,
    recurrent_dropout=0.0,
    return_sequences=False,
    return_state=False,
    go_backwards=False,
    stateful=False,
    unroll=False,
    seed=None,
    *,
    call: LayerCall,
) -> LayerCode:
    """`nn.RNN` with the second bias frozen at zero."""
    return layer_code(_spec("RNN", dict(locals())))
