"""Weight layouts of the layers that have a namesake in torch, for maps that nobody declared.

A proposal counts only because the forward pass with randomised weights confirms it.
"""

from __future__ import annotations

Params = tuple[tuple[str, str, str], ...]


def _conv(transform: str) -> Params:
    return (("kernel", "weight", transform), ("bias", "bias", ""))


_DENSE: Params = (("kernel", "weight", "T"), ("bias", "bias", ""))
_NORM: Params = (("gamma", "weight", ""), ("beta", "bias", ""))
_BATCH_NORM: Params = (*_NORM, ("moving_mean", "running_mean", ""), ("moving_variance", "running_var", ""))


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
}
"""torch class → Keras class → (Keras weight, torch name, transform)."""


def is_known(qualname: str) -> bool:
    """Whether a class is torch's own ("torch.nn.modules.linear:Linear")."""
    return qualname.startswith("torch.")
