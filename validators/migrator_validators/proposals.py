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
_LSTM: Params = (
    ("kernel", "weight_ih_l0", "T"),
    ("recurrent_kernel", "weight_hh_l0", "T"),
    ("bias", "bias_ih_l0", ""),
)

PROPOSALS: dict[str, dict[str, Params]] = {
    "Linear": {"Dense": _DENSE},
    "Conv1d": {"Conv1D": _conv("transpose(2,1,0)")},
    "Conv2d": {"Conv2D": _conv("transpose(3,2,0,1)")},
    "Conv3d": {"Conv3D": _conv("transpose(4,3,0,1,2)")},
    "ConvTranspose2d": {"Conv2DTranspose": _conv("transpose(3,2,0,1)")},
    "BatchNorm1d": {"BatchNormalization": _BATCH_NORM},
    "BatchNorm2d": {"BatchNormalization": _BATCH_NORM},
    "BatchNorm3d": {"BatchNormalization": _BATCH_NORM},
    "LayerNorm": {"LayerNormalization": _NORM},
    "GroupNorm": {"GroupNormalization": _NORM},
    "Embedding": {"Embedding": (("embeddings", "weight", ""),)},
    "LSTM": {"LSTM": _LSTM},
}
"""torch class → Keras class → (Keras weight, torch name, transform)."""


def is_known(qualname: str) -> bool:
    """Whether a class is torch's own ("torch.nn.modules.linear:Linear")."""
    return qualname.startswith("torch.")
