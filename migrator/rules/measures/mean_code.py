"""The base of metrics that are means over samples, as helpers of migrated files."""

from __future__ import annotations

from typing import Any

from migrator.model import Helper
from migrator.rules.measures.pairs import same_rank, samplewise

_HEAD = '''class MeanMetric:
    """The mean of `values` over the samples since the last reset{what}."""

    def __init__(self, name=None):
        self.name = name or self.name
        self.reset_state()

    def reset_state(self):
        self.total, self.count = torch.tensor(0.0), torch.tensor(0.0)

'''
_TAIL = """    def result(self):
        return torch.where(self.count == 0, torch.zeros_like(self.total), self.total / self.count)

    def __call__(self, *args, **kwargs):
        self.update_state(*args, **kwargs)
        return self.result()
"""
_PLAIN = """    def update_state(self, y_true, y_pred):
        values = self.values(torch.as_tensor(y_true), torch.as_tensor(y_pred)).detach().float()
{rows}        self.total = self.total.to(values.device) + values.sum()
        self.count = self.count.to(values.device) + values.numel()

"""
_SAMPLES = "        values = values.flatten(1).mean(dim=1) if values.dim() > 1 else values\n"
mean_metric: Any = Helper(
    "MeanMetric",
    _HEAD.format(what=", weighted where weights are given")
    + """    def update_state(self, y_true, y_pred, sample_weight=None):
        values = self.values(torch.as_tensor(y_true), torch.as_tensor(y_pred)).detach()
        values, weights = samplewise(values, sample_weight)
        self.total = self.total.to(values.device) + values.sum()
        count = values.new_tensor(values.numel()) if weights is None else weights.sum()
        self.count = self.count.to(values.device) + count

"""
    + _TAIL,
    ("import torch",),
    (same_rank, samplewise),
    Helper("MeanMetric", _HEAD.format(what="") + _PLAIN.format(rows=_SAMPLES) + _TAIL, ("import torch",)),
)
element_metric: Any = Helper(
    "MeanMetric", _HEAD.format(what="") + _PLAIN.format(rows="") + _TAIL, ("import torch",), (same_rank,)
)
