"""`keras.ops` that leave NaN out."""
# mypy: disable-error-code="no-untyped-def, no-untyped-call, misc, operator"

from __future__ import annotations

from typing import TYPE_CHECKING

from migrator.model import Helper
from migrator.rules.engine.asked import is_float, is_integer
from migrator.rules.engine.declining import Decline
from migrator.rules.engine.kinds import Tensor
from migrator.rules.engine.registry import rule
from migrator.rules.engine.samples import S, declines, f32, i32, loud, no_grad, src
from migrator.rules.ops.reduce import not_empty

if TYPE_CHECKING:
    import math

    import torch

_HOLES = src("tf.math.log(a)", a=f32(3, 8))
_NAN = [S(_HOLES), S(_HOLES, axis=1), S(_HOLES, 0, True), S(f32(2, 3), -1)]
_NAN_ONLY = S(src("tf.constant([[1.0, float('nan')], [float('nan'), float('nan')]])"), 1)


@rule("tf.keras.ops.nansum", samples=[*map(no_grad, _NAN), S(f32(2, 3), 1), _NAN_ONLY])
def nansum(x: Tensor, axis=None, keepdims=False):
    not_empty(axis)
    return torch.nansum(x, dim=axis, keepdim=keepdims)


@rule("tf.keras.ops.nanmean", samples=[*map(no_grad, _NAN), _NAN_ONLY, loud(i32(3))])
def nanmean(x: Tensor, axis=None, keepdims=False, *, dtype):
    not_empty(axis)
    if is_integer(dtype):
        return torch.mean(x.float(), dim=axis, keepdim=keepdims)
    return torch.nanmean(x, dim=axis, keepdim=keepdims)


extreme_without_nan = Helper(
    "extreme_without_nan",
    '''def extreme_without_nan(reduce, x, worst, dim=None, keepdim=False):
    """`reduce` (amax or amin) of what is not NaN, which `worst` stands for; NaN where nothing else is."""
    dims = tuple(range(x.ndim)) if dim is None else dim
    found = reduce(torch.where(x.isnan(), worst, x), dim=dims, keepdim=keepdim)
    gone = x.isnan().all() if dim is None else x.isnan().all(dim=dim, keepdim=keepdim)
    return torch.where(gone, torch.nan, found)
''',
    ("import torch",),
)


@rule("tf.keras.ops.nanmax", samples=[*map(no_grad, _NAN), _NAN_ONLY])
def nanmax(x: Tensor, axis=None, keepdims=False, *, dtype):
    if not is_float(dtype) and dtype is not None:
        raise Decline("integers have no NaN")
    return extreme_without_nan(torch.amax, x, -math.inf, dim=axis, keepdim=keepdims)


@rule("tf.keras.ops.nanmin", samples=[*map(no_grad, _NAN), _NAN_ONLY])
def nanmin(x: Tensor, axis=None, keepdims=False, *, dtype):
    if not is_float(dtype) and dtype is not None:
        raise Decline("integers have no NaN")
    return extreme_without_nan(torch.amin, x, math.inf, dim=axis, keepdim=keepdims)


@rule("tf.keras.ops.nanprod", samples=[*map(no_grad, _NAN), _NAN_ONLY, declines(f32(2, 3), (0, 1))])
def nanprod(x: Tensor, axis=None, keepdims=False):
    if axis is None:
        if keepdims:
            raise Decline("a product of all with its dimensions kept")
        return torch.nan_to_num(x, nan=1.0, posinf=math.inf, neginf=-math.inf).prod()
    if not isinstance(axis, int):
        raise Decline("several axes")
    return torch.nan_to_num(x, nan=1.0, posinf=math.inf, neginf=-math.inf).prod(dim=axis, keepdim=keepdims)


variance_without_nan = Helper(
    "variance_without_nan",
    '''def variance_without_nan(x, dim=None, keepdim=False):
    """The population variance of what is not NaN."""
    deviation = x - torch.nanmean(x, dim=dim, keepdim=True)
    return torch.nanmean(deviation.square(), dim=dim, keepdim=keepdim)
''',
    ("import torch",),
)


@rule("tf.keras.ops.nanvar", samples=[*map(no_grad, _NAN), _NAN_ONLY])
def nanvar(x: Tensor, axis=None, keepdims=False):
    not_empty(axis)
    return variance_without_nan(x, dim=axis, keepdim=keepdims)


@rule("tf.keras.ops.nanstd", samples=[*map(no_grad, _NAN), no_grad(_NAN_ONLY)])
def nanstd(x: Tensor, axis=None, keepdims=False):
    not_empty(axis)
    return torch.sqrt(variance_without_nan(x, dim=axis, keepdim=keepdims))


@rule("tf.keras.ops.nanmedian", samples=[*map(no_grad, _NAN), no_grad(_NAN_ONLY)])
def nanmedian(x: Tensor, axis=None, keepdims=False):
    if axis is not None and not isinstance(axis, int):
        raise Decline("several axes")
    return torch.nanquantile(x, 0.5, dim=axis, keepdim=keepdims)


place_without_nan = Helper(
    "place_without_nan",
    '''def place_without_nan(find, x, worst, dim=None, keepdim=False):
    """`find` (argmax or argmin) among what is not NaN, which `worst` stands for; -1 where nothing else is."""
    found = find(torch.where(x.isnan(), worst, x), dim=dim, keepdim=keepdim)
    gone = x.isnan().all() if dim is None else x.isnan().all(dim=dim, keepdim=keepdim)
    return torch.where(gone, -1, found)
''',
    ("import torch",),
)


@rule("tf.keras.ops.nanargmax", samples=[*map(no_grad, _NAN), no_grad(_NAN_ONLY), declines(i32(3))])
def nanargmax(x: Tensor, axis=None, keepdims=False, *, dtype):
    if (axis is None and keepdims) or is_integer(dtype):
        raise Decline("integers, or the place in the whole tensor with its dimensions kept")
    return place_without_nan(torch.argmax, x, -math.inf, dim=axis, keepdim=keepdims)


@rule("tf.keras.ops.nanargmin", samples=[*map(no_grad, _NAN), no_grad(_NAN_ONLY), declines(i32(3))])
def nanargmin(x: Tensor, axis=None, keepdims=False, *, dtype):
    if (axis is None and keepdims) or is_integer(dtype):
        raise Decline("integers, or the place in the whole tensor with its dimensions kept")
    return place_without_nan(torch.argmin, x, math.inf, dim=axis, keepdim=keepdims)


_SCANNED = [S(_HOLES, axis=1), S(_HOLES), S(f32(5), 0)]


@rule("tf.keras.ops.nancumsum", samples=[*map(no_grad, _SCANNED)])
def nancumsum(x: Tensor, axis=None, dtype=None):
    if dtype is not None:
        raise Decline("`dtype` is given")
    if axis is None:
        return torch.cumsum(torch.nan_to_num(x, nan=0.0, posinf=math.inf, neginf=-math.inf).flatten(), dim=0)
    return torch.cumsum(torch.nan_to_num(x, nan=0.0, posinf=math.inf, neginf=-math.inf), dim=axis)


@rule("tf.keras.ops.nancumprod", samples=[*map(no_grad, _SCANNED)])
def nancumprod(x: Tensor, axis=None, dtype=None):
    if dtype is not None:
        raise Decline("`dtype` is given")
    if axis is None:
        return torch.cumprod(torch.nan_to_num(x, nan=1.0, posinf=math.inf, neginf=-math.inf).flatten(), dim=0)
    return torch.cumprod(torch.nan_to_num(x, nan=1.0, posinf=math.inf, neginf=-math.inf), dim=axis)
