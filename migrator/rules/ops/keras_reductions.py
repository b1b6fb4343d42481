"""`keras.ops` that reduce, scan, sort and look for values."""
# mypy: disable-error-code="no-untyped-def, no-untyped-call, misc, operator"

from __future__ import annotations

from typing import TYPE_CHECKING

from migrator.model import Helper
from migrator.rules.engine.asked import is_float
from migrator.rules.engine.declining import Decline
from migrator.rules.engine.kinds import Tensor
from migrator.rules.engine.registry import rule
from migrator.rules.engine.samples import S, boolean, declines, f32, i32, no_grad, pos, src
from migrator.rules.engine.template import device_here
from migrator.rules.ops.reduce import not_empty, prod_over

if TYPE_CHECKING:
    import torch

_AXES = [
    *(S(f32(2, 3)), S(f32(2, 3), axis=-1), S(f32(2, 3, 4), 1, True), S(f32(2, 3, 4), axis=(0, 2))),
    *(S(f32()), S([[1.0, 2.5], [-1.0, 4.0]], 0)),
]
_BOOLEAN = [
    *(S(boolean(2, 3)), S(boolean(2, 3), axis=1), S(boolean(2, 3, 2), axis=(0, 2), keepdims=True)),
    *(S(i32(4, 3, low=0, high=2), 0), S(boolean(2, 3), keepdims=True)),
]


@rule("tf.keras.ops.all", samples=_BOOLEAN)
def all_true(x: Tensor, axis=None, keepdims=False):
    not_empty(axis)
    return torch.all(x, dim=axis, keepdim=keepdims)


@rule("tf.keras.ops.any", samples=_BOOLEAN)
def any_true(x: Tensor, axis=None, keepdims=False):
    not_empty(axis)
    return torch.any(x, dim=axis, keepdim=keepdims)


_TIED = S(src("tf.round(a)", a=f32(3, 8)), 1)


@rule("tf.keras.ops.amax", samples=[*_AXES, _TIED])
def amax(x: Tensor, axis=None, keepdims=False):
    not_empty(axis)
    if axis is None:
        return torch.amax(x, keepdim=keepdims)
    return torch.amax(x, dim=axis, keepdim=keepdims)


@rule("tf.keras.ops.amin", samples=[*_AXES, _TIED])
def amin(x: Tensor, axis=None, keepdims=False):
    not_empty(axis)
    if axis is None:
        return torch.amin(x, keepdim=keepdims)
    return torch.amin(x, dim=axis, keepdim=keepdims)


spread_of = Helper(
    "spread_of",
    '''def spread_of(x, dim=None, keepdim=False):
    """The difference of the largest and the smallest element."""
    dims = tuple(range(x.ndim)) if dim is None else dim
    return torch.amax(x, dim=dims, keepdim=keepdim) - torch.amin(x, dim=dims, keepdim=keepdim)
''',
    ("import torch",),
)


@rule("tf.keras.ops.ptp", samples=[*_AXES, _TIED])
def ptp(x: Tensor, axis=None, keepdims=False):
    not_empty(axis)
    return spread_of(x, dim=axis, keepdim=keepdims)


_PLACES = [
    *(S(f32(3, 4)), S(f32(3, 4), 0), S(f32(3, 4), axis=-1, keepdims=True), S(i32(9, low=0, high=3))),
    S(i32(4, 9, low=0, high=3), 1),
]


@rule("tf.keras.ops.argmin", samples=_PLACES)
def argmin(x: Tensor, axis=None, keepdims=False):
    if axis is None:
        if keepdims:
            raise Decline("the place in the whole tensor with its dimensions kept")
        return torch.argmin(x)
    return torch.argmin(x, dim=axis, keepdim=keepdims)


@rule("tf.keras.ops.count_nonzero", samples=[S(i32(4, 3)), S(i32(4, 3), axis=1), S(boolean(2, 3, 2), (0, 2))])
def count_nonzero(x: Tensor, axis=None):
    not_empty(axis)
    return torch.count_nonzero(x, dim=axis)


@rule("tf.keras.ops.logsumexp", samples=[*_AXES, S(src("a * 100.0", a=f32(3, 4)), -1), S(f32(2, 3), keepdims=True)])
def logsumexp(x: Tensor, axis=None, keepdims=False):
    not_empty(axis)
    if axis is None:
        if keepdims:
            return torch.logsumexp(x, dim=tuple(range(x.ndim)), keepdim=True)
        return torch.logsumexp(x.flatten(), dim=0)
    return torch.logsumexp(x, dim=axis, keepdim=keepdims)


@rule("tf.keras.ops.prod", samples=[*_AXES, S(i32(4, 2, low=1, high=4), (0, 1)), S(f32(2, 3), dtype="float32")])
def prod(x: Tensor, axis=None, keepdims=False, dtype=None, *, dtype_x):
    if dtype is not None and dtype != dtype_x:
        raise Decline("`dtype` is given")
    if axis is None:
        if keepdims:
            return prod_over(x, keepdim=True)
        return torch.prod(x)
    if isinstance(axis, (list, tuple)):
        return prod_over(x, axis, keepdim=keepdims) if keepdims else prod_over(x, axis)
    return torch.prod(x, dim=axis, keepdim=keepdims)


@rule("tf.keras.ops.cumprod", samples=[S(f32(3, 4), 1), S(f32(5), axis=0), S(i32(5), 0), S(f32(2, 3)), S(f32(3), -1)])
def cumprod(x: Tensor, axis=None, dtype=None):
    if dtype is not None:
        raise Decline("`dtype` is given")
    if axis is None:
        return torch.cumprod(x.flatten(), dim=0)
    return torch.cumprod(x, dim=axis)


@rule(
    "tf.keras.ops.average",
    samples=[
        *(S(f32(2, 3)), S(f32(2, 3), axis=1), S(f32(3, 4), weights=pos(3, 4)), S(f32(3, 4), 0, pos(3, 4))),
        *(S(f32(4), weights=pos(4)), declines(f32(3, 4), 0, pos(3)), declines(i32(4))),
    ],
)
def average(x: Tensor, axis=None, weights=None, *, dtype, rank, rank_weights, kind_weights):
    not_empty(axis)
    if not is_float(dtype):
        raise Decline("whether these are integers is not known")
    if weights is None:
        return torch.mean(x, dim=axis)
    if kind_weights != "tensor" or rank != rank_weights:
        raise Decline("weights of another rank, or in a list")
    if axis is None:
        return (x * weights).sum() / weights.sum()
    return (x * weights).sum(axis) / weights.sum(axis)


@rule(
    "tf.keras.ops.moments",
    samples=[S(f32(2, 3, 4), (0, 1)), S(f32(2, 3), axes=[1], keepdims=True), S(f32(4, 3), axes=[0])],
)
def moments(x: Tensor, axes, keepdims=False, synchronized=False):
    if synchronized:
        raise Decline("moments over several devices")
    return torch.var_mean(x, dim=axes, correction=0, keepdim=keepdims)[::-1]


# --- quantiles

quantile_of = Helper(
    "quantile_of",
    '''def quantile_of(x, q, dim=None, keepdim=False):
    """The quantiles over one dimension, several or all; those of several `q` come first."""
    q = torch.as_tensor(q, dtype=x.dtype, device=x.device)
    if dim is None or isinstance(dim, int):
        return torch.quantile(x, q, dim=dim, keepdim=keepdim)
    dims = sorted(d % x.ndim for d in dim)
    rest = [d for d in range(x.ndim) if d not in dims]
    found = torch.quantile(x.permute(*rest, *dims).flatten(len(rest)), q, dim=-1)
    for d in dims if keepdim else ():
        found = found.unsqueeze(d + q.ndim)
    return found
''',
    ("import torch",),
)
_QUANTILES = [
    *(
        S(f32(9), 0.3),
        S(f32(3, 5), 0.5, axis=1),
        S(f32(3, 5), 0.25, 0, "linear", True),
        S(f32(3, 5), [0.1, 0.8], axis=-1),
    ),
    *(S(f32(3, 5), 0.5), S(f32(2, 3, 4), [0.5, 0.75], axis=(0, 2)), declines(f32(6), 0.4, method="lower")),
    *(declines(f32(6), 0.4, method="higher"), declines(f32(6), 0.5, method="nearest"), declines(i32(6), 0.5)),
    S(f32(2, 3, 4), [0.5, 0.75], axis=(0, 2), keepdims=True),
]


def quantile_method(method: object, dtype: object) -> None:
    """Declines quantiles without interpolation, and integers, which Keras makes floating."""
    if method != "linear":
        raise Decline("a quantile without interpolation, which rounding may move by one place")
    if dtype is not None and not is_float(dtype if isinstance(dtype, str) else None):
        raise Decline("the quantile of integers")


@rule("tf.keras.ops.quantile", samples=[no_grad(s) if not s.declines else s for s in _QUANTILES])
def quantile(x: Tensor, q, axis=None, method="linear", keepdims=False, *, dtype_x):
    quantile_method(method, dtype_x)
    return quantile_of(x, q, dim=axis, keepdim=keepdims)


@rule(
    "tf.keras.ops.percentile",
    samples=[no_grad(S(f32(9), 30.0)), no_grad(S(f32(3, 5), 50, axis=1)), declines(f32(3), [1, 2])],
)
def percentile(x: Tensor, q, axis=None, method="linear", keepdims=False, *, dtype_x):
    quantile_method(method, dtype_x)
    if not isinstance(q, (int, float)):
        raise Decline("percentiles in a list or a tensor")
    return quantile_of(x, q / 100.0, dim=axis, keepdim=keepdims)


_MEDIANS = [
    *(S(f32(9)), S(f32(3, 5), axis=1), S(f32(3, 4), 0), S(f32(3, 4), axis=(0, 1)), S(f32(3, 4), 1, True)),
    S(f32(3, 4), keepdims=True),
]


@rule("tf.keras.ops.median", samples=[*map(no_grad, _MEDIANS), declines(i32(6))])
def median(x: Tensor, axis=None, keepdims=False, *, dtype):
    quantile_method("linear", dtype)
    return quantile_of(x, 0.5, dim=axis, keepdim=keepdims)


# --- order


@rule("tf.keras.ops.sort", samples=[S(f32(2, 6)), S(f32(4, 3), axis=0), S(i32(9)), S(f32(2, 3), axis=None)])
def sort(x: Tensor, axis=-1):
    if axis is None:
        return torch.sort(x.flatten()).values
    return torch.sort(x, dim=axis).values


@rule(
    "tf.keras.ops.argsort",
    samples=[S(f32(2, 6)), S(i32(9, low=0, high=3)), S(f32(4, 3), axis=0), S(f32(2, 3), axis=None)],
)
def argsort(x: Tensor, axis=-1):
    if axis is None:
        return torch.argsort(x.flatten(), stable=True)
    return torch.argsort(x, dim=axis, stable=True)


_SORTED = src("tf.sort(a)", a=f32(6))


@rule("tf.keras.ops.searchsorted", samples=[S(_SORTED, f32(4)), S(_SORTED, f32(4), side="right")])
def searchsorted(sorted_sequence: Tensor, values: Tensor, side="left"):
    if side == "right":
        return torch.searchsorted(sorted_sequence, values, right=True)
    return torch.searchsorted(sorted_sequence, values)


@rule(
    "tf.keras.ops.digitize", samples=[S(f32(2, 9), [-1.0, 0.0, 1.0]), S(i32(9), [0, 3]), S([0.0, 1.0, 1.5], [0.0, 1.0])]
)
def digitize(x: Tensor, bins, *, kind_bins):
    if kind_bins != "sequence":
        raise Decline("the edges are not written in a list")
    return torch.bucketize(x, torch.tensor(bins, device=device_here), right=True)


@rule(
    "tf.keras.ops.bincount",
    samples=[
        S(i32(9, low=0, high=4)),
        S(i32(9, low=0, high=4), minlength=6),
        no_grad(S(i32(9, low=0, high=4), f32(9))),
    ],
)
def bincount(x: Tensor, weights=None, minlength=0, sparse=False, *, rank, dtype_weights):
    if sparse or (rank is not None and rank != 1):
        raise Decline("counts of several rows, or a sparse result")
    if rank is None:
        raise Decline("the rank is not known")
    if weights is None:
        return torch.bincount(x, minlength=minlength)
    if dtype_weights != "float32":
        raise Decline("weights that are not known to be float32")
    return torch.bincount(x, weights, minlength=minlength).float()


@rule(
    "tf.keras.ops.in_top_k", samples=[S(i32(4, low=0, high=5), f32(4, 5), 2), S(i32(4, low=0, high=5), f32(4, 5), k=1)]
)
def in_top_k(targets: Tensor, predictions: Tensor, k):
    return within_top_k(targets, predictions, k)


within_top_k = Helper(
    "within_top_k",
    '''def within_top_k(targets, predictions, k):
    """Whether fewer than `k` scores are above that of the target; ties count as within."""
    score = predictions.gather(1, targets.long()[:, None])
    return ((predictions > score).sum(1) < k) & score[:, 0].isfinite()
''',
)
