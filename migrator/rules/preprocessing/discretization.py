"""Discretization: numbers to the bin that they fall into."""
# mypy: disable-error-code="no-untyped-def, no-untyped-call, misc, operator"

from __future__ import annotations

from typing import Any

from migrator.model import Helper
from migrator.rules.engine.registry import also_keras_2, attribute, method, rule
from migrator.rules.engine.samples import block, declined_block, f32, i32, no_grad
from migrator.rules.preprocessing.encoding import encode_ids, float_only, mode_of, no_extras

Discretization: Any = Helper(
    "Discretization",
    '''class Discretization(nn.Module):
    """The bins that numbers fall into, between given boundaries or the quantiles of data."""

    def __init__(self, bin_boundaries=None, num_bins=None, epsilon=0.01, output_mode="int"):
        super().__init__()
        self.bin_boundaries, self.num_bins, self.epsilon = bin_boundaries, num_bins, epsilon
        self.output_mode = output_mode

    def adapt(self, data, steps=None):
        """Takes quantiles as boundaries, estimated within `epsilon` from an array or an iterable of batches."""
        whole = isinstance(data, (np.ndarray, torch.Tensor))
        summary = np.zeros((2, 0), "float32")
        for batch in [data] if whole else itertools.islice(data, steps):
            values = np.sort(np.asarray(torch.as_tensor(batch).cpu(), "float32"), axis=None)
            step = max(values.size * self.epsilon, 1)
            values = values[int(step - 1) :: int(step)]
            merged = np.concatenate([[values, np.full_like(values, step)], summary], axis=1)
            summary = self.compressed(merged[:, np.argsort(merged[0])], self.epsilon)
        self.bin_boundaries = self.compressed(summary, 1.0 / self.num_bins)[0, :-1].tolist()

    @staticmethod
    def compressed(summary, epsilon):
        """A summary (values, weights) as one of `1 / epsilon` values, its weights interpolated."""
        if summary.shape[1] * epsilon < 1:
            return summary
        shares = epsilon + np.arange(0.0, 1.0, epsilon)
        weights = summary[1].cumsum()
        values = np.interp(shares, weights / weights[-1], summary[0])
        weights = np.interp(shares, weights / weights[-1], weights)
        return np.stack([values, np.diff(weights, prepend=0)]).astype("float32")

    def forward(self, inputs):
        x = torch.as_tensor(inputs)
        bins = torch.bucketize(x, torch.tensor(self.bin_boundaries, device=x.device), right=True)
        bins = encode_ids(bins, len(self.bin_boundaries) + 1, self.output_mode)
        return bins if self.output_mode == "int" else bins.float()
''',
    ("import itertools", "import numpy as np", "import torch", "from torch import nn"),
    (encode_ids,),
)
_D = "tf.keras.layers.Discretization"


def _given(arguments: str, **arrays: Any) -> Any:
    return no_grad(block(f"d = {_D}({arguments})\nreturn d(a)", **arrays))


def _adapted(arguments: str, data: str, **arrays: Any) -> Any:
    return no_grad(block(f"d = {_D}({arguments})\nd.adapt({data})\nreturn d(b), d.bin_boundaries", **arrays))


MODES = ("int", "one_hot", "multi_hot", "count")


@rule(
    _D,
    keras=3,
    samples=[
        *(
            _given(f"[-1.0, 0.0, 0.5], output_mode='{m}'", a=f32(4, 3))
            for m in ("int", "one_hot", "multi_hot", "count")
        ),
        _given("bin_boundaries=[-2.0, 0.0, 3.0]", a=i32(2, 5)),
        no_grad(block(f"return {_D}([0.0, 1.0])(np.array([0.0, 1.0, np.inf, -np.inf, np.nan]))")),
        _adapted("num_bins=4", "a", a=f32(50), b=f32(7)),
        _adapted("num_bins=3, epsilon=0.2", "a.numpy()", a=f32(40, 2), b=f32(7, 2)),
        _adapted("num_bins=4, epsilon=0.1, name='d'", "[a, b]", a=f32(301, 2), b=f32(70, 2)),
        _adapted("num_bins=2, output_mode='one_hot'", "a", a=f32(5), b=f32(7, 1)),
        declined_block(f"return {_D}([0.0], sparse=True, output_mode='count')(a)", a=f32(2, 3)),
    ],
)
def discretization(
    bin_boundaries=None,
    num_bins=None,
    epsilon=0.01,
    output_mode="int",
    sparse=False,
    dtype=None,
    name=None,
):
    mode = mode_of(output_mode, MODES)
    no_extras(sparse=sparse)
    float_only(dtype)
    return Discretization(bin_boundaries=bin_boundaries, num_bins=num_bins, epsilon=epsilon, output_mode=mode)


attribute(f"{_D}.bin_boundaries", "x.bin_boundaries")


@method(f"{_D}.adapt", samples=(), keras=3)
def adapt(self, data, steps=None):
    return self.adapt(data) if steps is None else self.adapt(data, steps=steps)


also_keras_2("tf.keras.layers.Discretization", MODES=("int",))  # there only ids have this type
