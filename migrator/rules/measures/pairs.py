"""Labels and predictions lined up as Keras does it, as helpers of migrated files."""

from __future__ import annotations

from typing import Any

from migrator.model import Helper

same_rank: Any = Helper(
    "same_rank",
    '''def same_rank(a, b):
    """Both with as many axes, where one has a last axis of size one more."""
    if a.dim() == b.dim() + 1 and a.shape[-1] == 1:
        return (a, b[..., None]) if b.dim() == 1 else (a.squeeze(-1), b)
    if b.dim() == a.dim() + 1 and b.shape[-1] == 1:
        return (a[..., None], b) if a.dim() == 1 else (a, b.squeeze(-1))
    return a, b
''',
)
floats: Any = Helper(
    "floats",
    '''def floats(y_true, y_pred):
    """Labels and predictions, of whatever kind, as floats of the predictions' width."""
    y_pred = torch.as_tensor(y_pred)
    y_pred = y_pred if y_pred.is_floating_point() else y_pred.to(torch.get_default_dtype())
    return torch.as_tensor(y_true, dtype=y_pred.dtype, device=y_pred.device), y_pred
''',
    ("import torch",),
)
paired: Any = Helper(
    "paired",
    '''def paired(y_true, y_pred):
    """Labels and predictions, of whatever kind, as floats of one rank."""
    return same_rank(*floats(y_true, y_pred))
''',
    (),
    (same_rank, floats),
)
samplewise: Any = Helper(
    "samplewise",
    '''def samplewise(values, weights=None):
    """Values as one a sample, the mean over all other axes, and their weights; a weight that is a row counts as one."""
    values = values.to(torch.get_default_dtype())
    if weights is not None:
        values, weights = same_rank(values, torch.as_tensor(weights).to(values))
        rank = weights.dim()
        values = values.flatten(rank).mean(dim=rank) if values.dim() > rank else values
        weights = torch.broadcast_to(weights, values.shape)
        values = values * weights
        weights = weights.flatten(1).mean(dim=1) if rank > 1 else weights
    return values.flatten(1).mean(dim=1) if values.dim() > 1 else values, weights
''',
    ("import torch",),
    (same_rank,),
)
