"""Pooling as functions, NHWC as the callers have them."""
# mypy: disable-error-code="no-untyped-def, no-untyped-call, misc, operator"

from __future__ import annotations

from typing import TYPE_CHECKING

from migrator.model import Helper
from migrator.rules.engine.asked import is_integer
from migrator.rules.engine.declining import Decline
from migrator.rules.engine.kinds import Tensor
from migrator.rules.engine.registry import legacy, rule
from migrator.rules.engine.samples import S, block, declines, f32, no_grad
from migrator.rules.ops.conv import check, mode, same_pad, spatial

if TYPE_CHECKING:
    import torch.nn.functional as F

avg_pool_same = Helper(
    "avg_pool_same",
    '''def avg_pool_same(x, size, stride):
    """Average pooling of (N, C, …) with "SAME" padding that does not count."""
    n = x.dim() - 2
    sizes, strides = ((v,) * n if isinstance(v, int) else v for v in (size, stride))
    pads = []
    for length, k, s in zip(x.shape[2:], sizes, strides, strict=True):
        total = max((-(-length // s) - 1) * s + k - length, 0)
        pads = [total // 2, total - total // 2, *pads]
    pool = (F.avg_pool1d, F.avg_pool2d, F.avg_pool3d)[n - 1]
    return pool(F.pad(x, pads), size, stride) / pool(F.pad(torch.ones_like(x[:1, :1]), pads), size, stride)
''',
    ("import torch", "import torch.nn.functional as F"),
)
_POOLS = [
    S(f32(2, 6, 8, 3), 2, 2, "VALID"),
    S(f32(2, 7, 9, 3), [1, 3, 3, 1], [1, 2, 2, 1], "VALID"),
    S(f32(2, 5, 7, 3), 2, 2, "SAME"),
    S(f32(2, 6, 8, 3), 3, 2, "SAME"),
    S(f32(2, 5, 7, 3), [1, 3, 2, 1], [1, 1, 2, 1], padding="SAME"),
    S(f32(2, 5, 7, 3), 2, 1, "SAME"),
    S(f32(2, 4, 5, 3), 2, 3, "SAME"),
]
_NCHW = declines(f32(2, 3, 6, 8), 2, 2, "VALID", "NCHW")


def pool_mode(size: object, step: object, padding: object, data_format: object) -> str:
    """valid, ceil (torch's own rounding does the same) or pad."""
    check(data_format)
    how = mode(padding, 2)
    if how == "explicit":
        raise Decline("explicit padding")
    return "ceil" if how == "pad" and size == 2 and step == 2 else how


def images(rank: int | None) -> None:
    """Declines what is not known to be a batch of images."""
    if rank != 4:
        raise Decline("whether these are images is not known")


def finite(dtype: str | None) -> None:
    """Declines integers, which have no infinity to pad with."""
    if is_integer(dtype):
        raise Decline("pooling of integers")


_OPEN = no_grad(
    block(
        "h = int(tf.shape(x)[1])\nreturn tf.nn.max_pool2d(x, [1, h - 1, 2, 1], [1, 1, 1, 1], 'VALID')",
        x=f32(2, 5, 7, 3),
    )
)


@rule("tf.nn.max_pool2d", samples=[*_POOLS, _NCHW, _OPEN])
def max_pool2d(input: Tensor, ksize, strides, padding, data_format="NHWC", name=None, *, dtype):
    size = spatial(ksize)
    step = spatial(strides)
    finite(dtype)
    how = pool_mode(size, step, padding, data_format)
    image = input.permute(0, 3, 1, 2)
    if how == "ceil":
        return F.max_pool2d(image, size, stride=step, ceil_mode=True).permute(0, 2, 3, 1)
    if how == "pad":
        padded = same_pad(image, size, step, value=float("-inf"))
        return F.max_pool2d(padded, size, stride=step).permute(0, 2, 3, 1)
    return F.max_pool2d(image, size, stride=step).permute(0, 2, 3, 1)


@rule("tf.nn.max_pool", samples=_POOLS)
def max_pool(input: Tensor, ksize, strides, padding, data_format=None, name=None, *, rank, dtype):
    images(rank)
    size = spatial(ksize)
    step = spatial(strides)
    finite(dtype)
    how = pool_mode(size, step, padding, data_format)
    image = input.permute(0, 3, 1, 2)
    if how == "ceil":
        return F.max_pool2d(image, size, stride=step, ceil_mode=True).permute(0, 2, 3, 1)
    if how == "pad":
        padded = same_pad(image, size, step, value=float("-inf"))
        return F.max_pool2d(padded, size, stride=step).permute(0, 2, 3, 1)
    return F.max_pool2d(image, size, stride=step).permute(0, 2, 3, 1)


@rule("tf.nn.avg_pool2d", samples=[*_POOLS, _NCHW])
def avg_pool2d(input: Tensor, ksize, strides, padding, data_format="NHWC", name=None):
    size = spatial(ksize)
    step = spatial(strides)
    how = pool_mode(size, step, padding, data_format)
    image = input.permute(0, 3, 1, 2)
    if how == "ceil":
        return F.avg_pool2d(image, size, stride=step, ceil_mode=True).permute(0, 2, 3, 1)
    if how == "pad":
        return avg_pool_same(image, size, step).permute(0, 2, 3, 1)
    return F.avg_pool2d(image, size, stride=step).permute(0, 2, 3, 1)


@rule("tf.nn.avg_pool", samples=_POOLS)
def avg_pool(input: Tensor, ksize, strides, padding, data_format=None, name=None, *, rank):
    images(rank)
    size = spatial(ksize)
    step = spatial(strides)
    how = pool_mode(size, step, padding, data_format)
    image = input.permute(0, 3, 1, 2)
    if how == "ceil":
        return F.avg_pool2d(image, size, stride=step, ceil_mode=True).permute(0, 2, 3, 1)
    if how == "pad":
        return avg_pool_same(image, size, step).permute(0, 2, 3, 1)
    return F.avg_pool2d(image, size, stride=step).permute(0, 2, 3, 1)


_V1 = "value, ksize, strides, padding, data_format='NHWC', name=None, input=None"
_OLD_POOLS = [
    S(f32(2, 7, 9, 3), [1, 3, 3, 1], [1, 2, 2, 1], "SAME"),
    S(value=f32(2, 6, 8, 3), ksize=2, strides=2, padding="VALID"),
]
for _name in ("max", "avg"):
    legacy(f"tf.compat.v1.nn.{_name}_pool", _V1, of=f"tf.nn.{_name}_pool", old={"value": "input"}, samples=_OLD_POOLS)

_ROWS = [S(f32(2, 8, 3), 2, 2, "VALID"), S(f32(2, 7, 3), 3, 2, "SAME"), S(f32(2, 7, 3), [2], [1], padding="SAME")]
_VOLUMES = [S(f32(1, 4, 6, 5, 2), 2, 2, "VALID"), S(f32(1, 4, 5, 7, 2), 3, [1, 2, 2, 2, 1], padding="SAME")]


@rule("tf.nn.max_pool1d", samples=_ROWS)
def max_pool1d(input: Tensor, ksize, strides, padding, data_format="NWC", name=None):
    size = spatial(ksize, 1)
    step = spatial(strides, 1)
    if pool_mode(size, step, padding, data_format) == "valid":
        return F.max_pool1d(input.permute(0, 2, 1), size, stride=step).permute(0, 2, 1)
    padded = same_pad(input.permute(0, 2, 1), size, step, value=float("-inf"))
    return F.max_pool1d(padded, size, stride=step).permute(0, 2, 1)


@rule("tf.nn.avg_pool1d", samples=_ROWS)
def avg_pool1d(input: Tensor, ksize, strides, padding, data_format="NWC", name=None):
    size = spatial(ksize, 1)
    step = spatial(strides, 1)
    if pool_mode(size, step, padding, data_format) == "valid":
        return F.avg_pool1d(input.permute(0, 2, 1), size, stride=step).permute(0, 2, 1)
    return avg_pool_same(input.permute(0, 2, 1), size, step).permute(0, 2, 1)


@rule("tf.nn.max_pool3d", samples=_VOLUMES)
def max_pool3d(input: Tensor, ksize, strides, padding, data_format="NDHWC", name=None):
    size = spatial(ksize, 3)
    step = spatial(strides, 3)
    if pool_mode(size, step, padding, data_format) == "valid":
        return F.max_pool3d(input.permute(0, 4, 1, 2, 3), size, stride=step).permute(0, 2, 3, 4, 1)
    padded = same_pad(input.permute(0, 4, 1, 2, 3), size, step, value=float("-inf"))
    return F.max_pool3d(padded, size, stride=step).permute(0, 2, 3, 4, 1)


@rule("tf.nn.avg_pool3d", samples=_VOLUMES)
def avg_pool3d(input: Tensor, ksize, strides, padding, data_format="NDHWC", name=None):
    size = spatial(ksize, 3)
    step = spatial(strides, 3)
    if pool_mode(size, step, padding, data_format) == "valid":
        return F.avg_pool3d(input.permute(0, 4, 1, 2, 3), size, stride=step).permute(0, 2, 3, 4, 1)
    return avg_pool_same(input.permute(0, 4, 1, 2, 3), size, step).permute(0, 2, 3, 4, 1)
