"""Weight layouts of the layers that have a namesake in torch, for maps that nobody declared.

A proposal counts only because the forward pass with randomised weights confirms it.
"""

from __future__ import annotations

Params = tuple[tuple[str, str, str], ...]


def _conv(transform: str) -> Params:
    return (("kernel", "weight", transform), ("bias", "bias", ""))


_DENSE: Params = (("kernel", "weight", "T"), ("bias", "bias", ""))
_NORM: Params = (("gamma", "weight", ""), ("beta", "bias", ""))
_STATISTICS: Params = (("moving_mean", "running_mean", ""), ("moving_variance", "running_var", ""))
_BATCH_NORM: Params = (*_NORM, *_STATISTICS)


def _recurrent(suffix: str, layer: str = "") -> Params:
    """LSTM and SimpleRNN: the gates are in the same order; Keras has one bias."""
    return (
        (f"{layer}kernel", f"weight_ih{suffix}", "T"),
        (f"{layer}recurrent_kernel", f"weight_hh{suffix}", "T"),
        (f"{layer}bias", f"bias_ih{suffix}", ""),
    )


def _gru(suffix: str, layer: str = "") -> Params:
    """The gates are z, r, h in Keras and r, z, n in torch; both biases are there."""
    return (
        (f"{layer}kernel", f"weight_ih{suffix}", "T blocks(1,0,2)"),
        (f"{layer}recurrent_kernel", f"weight_hh{suffix}", "T blocks(1,0,2)"),
        (f"{layer}bias", f"bias_ih{suffix}", "row(0) blocks(1,0,2)"),
        (f"{layer}bias", f"bias_hh{suffix}", "row(1) blocks(1,0,2)"),
    )


_ONE = _recurrent("_l0")
_BOTH = (*_recurrent("_l0", "forward/"), *_recurrent("_l0_reverse", "backward/"))
_BOTH_GRU = (*_gru("_l0", "forward/"), *_gru("_l0_reverse", "backward/"))

_BY_CHANNEL = "transpose(2,3,0,1) merge(0) unsqueeze(1)"
_DEPTHWISE: Params = (("kernel", "weight", _BY_CHANNEL), ("depthwise_kernel", "weight", _BY_CHANNEL))  # Keras 3, 2
_SEPARABLE: Params = (
    ("depthwise_kernel", "depthwise.weight", _BY_CHANNEL),
    ("pointwise_kernel", "pointwise.weight", "transpose(3,2,0,1)"),
)

PROPOSALS: dict[str, dict[str, Params]] = {
    "Linear": {"Dense": _DENSE},
    "Conv1d": {"Conv1D": _conv("transpose(2,1,0)")},
    "Conv2d": {"Conv2D": _conv("transpose(3,2,0,1)")},
    "Conv3d": {"Conv3D": _conv("transpose(4,3,0,1,2)")},
    "ConvTranspose1d": {"Conv1DTranspose": _conv("transpose(2,1,0)")},
    "ConvTranspose2d": {"Conv2DTranspose": _conv("transpose(3,2,0,1)")},
    "ConvTranspose3d": {"Conv3DTranspose": _conv("transpose(4,3,0,1,2)")},
    "BatchNorm1d": {"BatchNormalization": _BATCH_NORM},
    "BatchNorm2d": {"BatchNormalization": _BATCH_NORM},
    "BatchNorm3d": {"BatchNormalization": _BATCH_NORM},
    "LayerNorm": {"LayerNormalization": _NORM},
    "GroupNorm": {"GroupNormalization": _NORM},
    "Embedding": {"Embedding": (("embeddings", "weight", ""),)},
    "PReLU": {"PReLU": (("alpha", "weight", "reshape(-1)"),)},
    "LSTM": {"LSTM": _ONE, "Bidirectional": _BOTH},
    "GRU": {"GRU": _gru("_l0"), "Bidirectional": _BOTH_GRU},
    "RNN": {"SimpleRNN": _ONE, "Bidirectional": _BOTH},
    "LSTMCell": {"LSTMCell": _recurrent("")},
    "GRUCell": {"GRUCell": _gru("")},
    "RNNCell": {"SimpleRNNCell": _recurrent("")},
    # Of the networks that stand for Keras's applications:
    "DepthwiseConv2d": {"DepthwiseConv2D": _DEPTHWISE},
    "ChannelNormalization": {"Normalization": (("mean", "mean", ""), ("variance", "variance", ""))},
    "SeparableConv2d": {"SeparableConv2D": _SEPARABLE},
    "ChannelLayerNorm": {"LayerNormalization": _NORM},
    "LayerScale": {"LayerScale": (("gamma", "gamma", ""),)},
    "ShiftedBatchNorm2d": {"BatchNormalization": (("beta", "bias", ""), *_STATISTICS)},
}
"""torch class → Keras class → (Keras weight, torch name, transform)."""


def is_known(qualname: str) -> bool:
    """Whether a class is torch's own ("torch.nn.modules.linear:Linear")."""
    return qualname.startswith("torch.")
