"""Recurrent layers.

Keras has one bias where torch has two: the second is zero and frozen, or the effective learning
rate of the bias would double.
"""
# mypy: disable-error-code="no-untyped-def, no-untyped-call"

from __future__ import annotations

from dataclasses import replace

from migrator.model import Helper, LayerCode
from migrator.rules.engine.declining import Decline
from migrator.rules.engine.registry import layer
from migrator.rules.engine.samples import S, declines, f32
from migrator.rules.layers.call import LayerCall
from migrator.rules.layers.weights import value_of
from migrator.rules.regularizers import penalty

INIT_LSTM = Helper(
    "init_lstm",
    '''def init_lstm(lstm):
    """Keras's initial values: Glorot, orthogonal, and a forget bias of one."""
    for name, weight in lstm.named_parameters():
        if name.startswith("weight_ih"):
            nn.init.xavier_uniform_(weight)
        elif name.startswith("weight_hh"):
            nn.init.orthogonal_(weight)
        elif name.startswith("bias_ih"):
            nn.init.zeros_(weight)
            nn.init.ones_(weight[lstm.hidden_size : 2 * lstm.hidden_size])
        else:  # Keras has one bias: the other stays zero
            nn.init.zeros_(weight.requires_grad_(False))
''',
    ("from torch import nn",),
)
INIT_GRU = Helper(
    "init_gru",
    '''def init_gru(gru):
    """Keras's initial values: Glorot, orthogonal, zero biases."""
    for name, weight in gru.named_parameters():
        if name.startswith("weight_ih"):
            nn.init.xavier_uniform_(weight)
        elif name.startswith("weight_hh"):
            nn.init.orthogonal_(weight)
        else:
            nn.init.zeros_(weight)
''',
    ("from torch import nn",),
)
INIT_RNN = Helper(
    "init_rnn",
    '''def init_rnn(rnn):
    """Keras's initial values: Glorot, orthogonal, zero biases."""
    for name, weight in rnn.named_parameters():
        if name.startswith("weight_ih"):
            nn.init.xavier_uniform_(weight)
        elif name.startswith("weight_hh"):
            nn.init.orthogonal_(weight)
        else:
            nn.init.zeros_(weight)
            weight.requires_grad_(name.startswith("bias_ih"))  # Keras has one bias: the other stays zero
''',
    ("from torch import nn",),
)


def _only(expected: dict[str, object], **given) -> None:
    """Declines arguments that torch's fused layers cannot honour."""
    for name, arg in given.items():
        if arg.known not in (expected.get(name), None) and arg.known != expected.get(name):
            raise Decline(f"`{name}` is {arg.text}")
        if arg.known is None and expected.get(name) is not None:
            raise Decline(f"`{name}` is None")


_STANDARD = {
    "activation": "tanh",
    "recurrent_activation": "sigmoid",
    "kernel_initializer": "glorot_uniform",
    "recurrent_initializer": "orthogonal",
    "bias_initializer": "zeros",
    "unit_forget_bias": True,
    "dropout": 0.0,
    "recurrent_dropout": 0.0,
    "return_state": False,
    "stateful": False,
    "unroll": False,
    "go_backwards": False,
    "zero_output_for_mask": False,
    "reset_after": True,
    "use_bias": True,
}


def _recurrent(kind: str, units, return_sequences, call: LayerCall, params, helper: Helper, regularizers) -> LayerCode:
    terms = tuple(t for arg, name in regularizers for t in penalty(value_of(arg), f"{{self}}.{name}"))
    return LayerCode(
        module=f"nn.{kind}({call.features}, {units.text}, batch_first=True)",
        forward="{self}({x})[0]" + ("" if return_sequences.known else "[:, -1]"),
        stem=kind.lower(),
        layout="last",
        init=(f"{helper.name}({{self}})",),
        penalty=terms,
        params=params,
        helpers=(helper,),
    )


_LSTM = (("kernel", "weight_ih_l0", "T"), ("recurrent_kernel", "weight_hh_l0", "T"), ("bias", "bias_ih_l0", ""))
_GRU = (
    ("kernel", "weight_ih_l0", "T blocks(1,0,2)"),
    ("recurrent_kernel", "weight_hh_l0", "T blocks(1,0,2)"),
    ("bias", "bias_ih_l0", "row(0) blocks(1,0,2)"),
    ("bias", "bias_hh_l0", "row(1) blocks(1,0,2)"),
)


@layer(
    "tf.keras.layers.LSTM",
    samples=[
        S(f32(2, 5, 3), 4),
        S(f32(2, 5, 3), 4, return_sequences=True),
        declines(f32(2, 5, 3), 4, activation="relu"),
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
    _only(
        _STANDARD,
        activation=activation,
        recurrent_activation=recurrent_activation,
        use_bias=use_bias,
        kernel_initializer=kernel_initializer,
        recurrent_initializer=recurrent_initializer,
        bias_initializer=bias_initializer,
        unit_forget_bias=unit_forget_bias,
        dropout=dropout,
        recurrent_dropout=recurrent_dropout,
        return_state=return_state,
        go_backwards=go_backwards,
        stateful=stateful,
    )
    no_constraints(kernel_constraint, recurrent_constraint, bias_constraint)
    regularizers = (
        (kernel_regularizer, "weight_ih_l0"),
        (recurrent_regularizer, "weight_hh_l0"),
        (bias_regularizer, "bias_ih_l0"),
    )
    return _recurrent("LSTM", units, return_sequences, call, _LSTM, INIT_LSTM, regularizers)


def no_constraints(*constraints) -> None:
    """Declines constraints on weights."""
    for arg in constraints:
        if arg.known is not None:
            raise Decline(f"`{arg.name}` is given")


@layer(
    "tf.keras.layers.GRU",
    samples=[
        S(f32(2, 5, 3), 4),
        S(f32(2, 5, 3), 4, return_sequences=True),
        declines(f32(2, 5, 3), 4, reset_after=False),
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
    _only(
        _STANDARD,
        activation=activation,
        recurrent_activation=recurrent_activation,
        use_bias=use_bias,
        kernel_initializer=kernel_initializer,
        recurrent_initializer=recurrent_initializer,
        bias_initializer=bias_initializer,
        dropout=dropout,
        recurrent_dropout=recurrent_dropout,
        return_state=return_state,
        go_backwards=go_backwards,
        stateful=stateful,
        reset_after=reset_after,
    )
    no_constraints(kernel_constraint, recurrent_constraint, bias_constraint, bias_regularizer)
    regularizers = ((kernel_regularizer, "weight_ih_l0"), (recurrent_regularizer, "weight_hh_l0"))
    return _recurrent("GRU", units, return_sequences, call, _GRU, INIT_GRU, regularizers)


@layer(
    "tf.keras.layers.SimpleRNN",
    samples=[S(f32(2, 5, 3), 4), S(f32(2, 5, 3), 4, "relu", return_sequences=True)],
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
    _only(
        _STANDARD,
        use_bias=use_bias,
        kernel_initializer=kernel_initializer,
        recurrent_initializer=recurrent_initializer,
        bias_initializer=bias_initializer,
        dropout=dropout,
        recurrent_dropout=recurrent_dropout,
        return_state=return_state,
        go_backwards=go_backwards,
        stateful=stateful,
    )
    no_constraints(kernel_constraint, recurrent_constraint, bias_constraint)
    if activation.known not in ("tanh", "relu"):
        raise Decline(f"`activation` is {activation.text}")
    regularizers = (
        (kernel_regularizer, "weight_ih_l0"),
        (recurrent_regularizer, "weight_hh_l0"),
        (bias_regularizer, "bias_ih_l0"),
    )
    made = _recurrent("RNN", units, return_sequences, call, _LSTM, INIT_RNN, regularizers)
    if activation.known == "relu":
        return replace(made, module=(made.module or "").replace("batch_first", 'nonlinearity="relu", batch_first'))
    return made
