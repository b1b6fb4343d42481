"""Convolutions and pooling as functions, NHWC as the callers have them."""
# mypy: disable-error-code="no-untyped-def, no-untyped-call, misc, operator"

from __future__ import annotations

from typing import TYPE_CHECKING

from migrator.rules.engine.declining import Decline
from migrator.rules.engine.kinds import Tensor
from migrator.rules.engine.registry import rule
from migrator.rules.engine.samples import S, declines, f32, no_grad

if TYPE_CHECKING:
    import torch.nn.functional as F


def spatial(amount: object, dims: int = 2) -> object:
    """The spatial part of `[1, s, s, 1]`, as one number where all are the same."""
    if amount is None:
        return 1
    if isinstance(amount, int):
        return amount
    if not isinstance(amount, (list, tuple)) or len(amount) not in (1, dims, dims + 2):
        raise Decline("strides that do not fit")
    inner = tuple(amount[1:-1]) if len(amount) == dims + 2 else tuple(amount) * (dims if len(amount) == 1 else 1)
    return inner[0] if len(set(inner)) == 1 else inner


def check(data_format: object, padding: object, stride: object) -> None:
    """Declines channels first, explicit padding, and SAME with strides."""
    if data_format not in (None, "NHWC", "NWC"):
        raise Decline("channels first")
    if not isinstance(padding, str) or padding.upper() not in ("SAME", "VALID"):
        raise Decline("explicit padding")
    if padding.upper() == "SAME" and stride != 1:
        raise Decline("SAME padding with strides")


def mode(padding: str) -> object:
    """torch's padding argument."""
    return "same" if padding.upper() == "SAME" else 0


@rule(
    "tf.nn.conv2d",
    samples=[
        S(f32(2, 5, 6, 3), f32(3, 2, 3, 4), 1, "SAME"),
        S(f32(2, 5, 6, 3), f32(3, 3, 3, 4), strides=[1, 2, 2, 1], padding="VALID"),
        no_grad(S(f32(2, 7, 8, 3), f32(3, 3, 3, 4), [1, 1, 1, 1], "VALID", dilations=2)),
        declines(f32(2, 5, 6, 3), f32(3, 3, 3, 4), 2, "SAME"),
    ],
)
def conv2d(input: Tensor, filters: Tensor, strides, padding, data_format="NHWC", dilations=None, name=None):
    stride = spatial(strides)
    check(data_format, padding, stride)
    dilation = spatial(dilations)
    pad = mode(padding)
    return F.conv2d(
        input.permute(0, 3, 1, 2), filters.permute(3, 2, 0, 1), stride=stride, padding=pad, dilation=dilation
    ).permute(0, 2, 3, 1)


@rule("tf.nn.conv1d", samples=[S(f32(2, 7, 3), f32(3, 3, 4), 1, "SAME"), S(f32(2, 7, 3), f32(3, 3, 4), 2, "VALID")])
def conv1d(input: Tensor, filters: Tensor, stride, padding, data_format="NWC", dilations=None, name=None):
    step = spatial(stride, 1)
    check(data_format, padding, step)
    dilation = spatial(dilations, 1)
    pad = mode(padding)
    return F.conv1d(
        input.permute(0, 2, 1), filters.permute(2, 1, 0), stride=step, padding=pad, dilation=dilation
    ).permute(0, 2, 1)


@rule(
    "tf.nn.depthwise_conv2d",
    samples=[
        S(f32(2, 5, 6, 3), f32(3, 3, 3, 1), [1, 1, 1, 1], "VALID"),
        S(f32(2, 5, 6, 3), f32(3, 2, 3, 2), [1, 1, 1, 1], "SAME"),
    ],
)
def depthwise_conv2d(input: Tensor, filter: Tensor, strides, padding, data_format=None, dilations=None, name=None):
    stride = spatial(strides)
    check(data_format, padding, stride)
    dilation = spatial(dilations)
    pad = mode(padding)
    return F.conv2d(
        input.permute(0, 3, 1, 2),
        filter.permute(2, 3, 0, 1).flatten(0, 1).unsqueeze(1),
        stride=stride,
        padding=pad,
        dilation=dilation,
        groups=filter.shape[2],
    ).permute(0, 2, 3, 1)


_POOLS = [
    S(f32(2, 6, 8, 3), 2, 2, "VALID"),
    S(f32(2, 7, 9, 3), [1, 3, 3, 1], [1, 2, 2, 1], "VALID"),
    S(f32(2, 5, 7, 3), 2, 2, "SAME"),
    declines(f32(2, 6, 8, 3), 3, 2, "SAME"),
]


def pool_mode(size: object, step: object, padding: object, data_format: object) -> bool:
    """Whether a pool needs `ceil_mode`; declines SAME where torch pads elsewhere."""
    if data_format not in (None, "NHWC"):
        raise Decline("channels first")
    if not isinstance(padding, str) or padding.upper() not in ("SAME", "VALID"):
        raise Decline("explicit padding")
    if padding.upper() == "VALID":
        return False
    if size != 2 or step != 2:
        raise Decline("SAME padding of a pool other than 2x2")
    return True


@rule("tf.nn.max_pool2d", samples=_POOLS)
def max_pool2d(input: Tensor, ksize, strides, padding, data_format="NHWC", name=None):
    size = spatial(ksize)
    step = spatial(strides)
    ceil = pool_mode(size, step, padding, data_format)
    if ceil:
        return F.max_pool2d(input.permute(0, 3, 1, 2), size, stride=step, ceil_mode=True).permute(0, 2, 3, 1)
    return F.max_pool2d(input.permute(0, 3, 1, 2), size, stride=step).permute(0, 2, 3, 1)


@rule(
    "tf.nn.max_pool",
    samples=[S(f32(2, 6, 8, 3), 2, 2, "VALID"), S(f32(2, 5, 7, 3), [1, 2, 2, 1], [1, 2, 2, 1], "SAME")],
)
def max_pool(input: Tensor, ksize, strides, padding, data_format=None, name=None, *, rank):
    if rank != 4:
        raise Decline("whether these are images is not known")
    size = spatial(ksize)
    step = spatial(strides)
    ceil = pool_mode(size, step, padding, data_format)
    if ceil:
        return F.max_pool2d(input.permute(0, 3, 1, 2), size, stride=step, ceil_mode=True).permute(0, 2, 3, 1)
    return F.max_pool2d(input.permute(0, 3, 1, 2), size, stride=step).permute(0, 2, 3, 1)


@rule("tf.nn.avg_pool2d", samples=_POOLS)
def avg_pool2d(input: Tensor, ksize, strides, padding, data_format="NHWC", name=None):
    size = spatial(ksize)
    step = spatial(strides)
    ceil = pool_mode(size, step, padding, data_format)
    if ceil:
        return F.avg_pool2d(input.permute(0, 3, 1, 2), size, stride=step, ceil_mode=True).permute(0, 2, 3, 1)
    return F.avg_pool2d(input.permute(0, 3, 1, 2), size, stride=step).permute(0, 2, 3, 1)
