"""Convolutions as functions, NHWC as the callers have them."""
# mypy: disable-error-code="no-untyped-def, no-untyped-call, misc, operator"

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from migrator.model import Helper
from migrator.rules.engine.args import Arg, Code, Dynamic
from migrator.rules.engine.declining import Decline
from migrator.rules.engine.kinds import Tensor
from migrator.rules.engine.registry import legacy, rule
from migrator.rules.engine.samples import S, declines, f32, no_grad
from migrator.rules.ops.pieces import elements, on_arguments, rows, text

if TYPE_CHECKING:
    import torch.nn.functional as F

same_pad = Helper(
    "same_pad",
    '''def same_pad(x, kernel, stride, dilation=1, value=0.0):
    """`x` (N, C, …) padded as "SAME" says: for ceil(size / stride) outputs, the odd element behind."""
    pads, n = [], x.dim() - 2
    kernel, stride, dilation = (v if isinstance(v, (tuple, list)) else (v,) * n for v in (kernel, stride, dilation))
    for size, k, s, d in zip(x.shape[2:], kernel, stride, dilation, strict=True):
        total = max((-(-size // s) - 1) * s + (k - 1) * d + 1 - size, 0)
        pads = [total // 2, total - total // 2, *pads]
    return F.pad(x, pads, value=value)
''',
    ("import torch.nn.functional as F",),
)


def spatial(amount: object, dims: int = 2) -> object:
    """The spatial part of `[1, s, s, 1]`, as one number where all are the same."""
    if amount is None:
        return 1
    if isinstance(amount, int):
        return amount
    if isinstance(amount, Dynamic):
        return _open(amount.arg, dims)
    if not isinstance(amount, (list, tuple)) or len(amount) not in (1, dims, dims + 2):
        raise Decline("strides that do not fit")
    if len(amount) == dims + 2 and (amount[0] != 1 or amount[-1] != 1):
        raise Decline("strides over the batch or the channels")
    inner = tuple(amount[1:-1]) if len(amount) == dims + 2 else tuple(amount) * (dims if len(amount) == 1 else 1)
    return inner[0] if len(set(inner)) == 1 else inner


def _open(amount: Arg, dims: int) -> Code:
    """The spatial part of `[1, h, w, 1]` whose sizes only the run knows."""
    items = [text(item) for item in elements(amount) or ()]
    if len(items) != dims + 2 or {items[0], items[-1]} != {"1"}:
        raise Decline("strides that do not fit")
    inner = items[1:-1]
    source = inner[0] if len(set(inner)) == 1 else "(" + ", ".join(inner) + ")"
    return Code(source, covers=(amount.name,))


def check(data_format: object) -> None:
    """Declines channels first."""
    if data_format not in (None, "NHWC", "NWC", "NDHWC"):
        raise Decline("channels first")


def mode(padding: object, stride: object) -> str:
    """same (torch pads), pad (we do), valid, or explicit."""
    if isinstance(padding, (list, tuple)):
        return "explicit"
    name = str(padding).upper()
    if name not in ("SAME", "VALID"):
        raise Decline("a padding that is not known")
    return "valid" if name == "VALID" else "same" if stride == 1 else "pad"


@on_arguments
def outer(padding: object) -> Any:
    """`[[0, 0], [t, b], [l, r], [0, 0]]` as torch's `(l, r, t, b)`."""
    found = rows(padding)
    if not isinstance(padding, Arg) or found is None or found[0] != ("0", "0") or found[-1] != ("0", "0"):
        raise Decline("paddings that are not written out")
    return Code("(" + ", ".join(f"{a}, {b}" for a, b in reversed(found[1:-1])) + ")", covers=(padding.name,))


_CONV2D = [
    S(f32(2, 5, 6, 3), f32(3, 2, 3, 4), 1, "SAME"),
    S(f32(2, 5, 6, 3), f32(3, 3, 3, 4), strides=[1, 2, 2, 1], padding="VALID"),
    no_grad(S(f32(2, 7, 8, 3), f32(3, 3, 3, 4), [1, 1, 1, 1], "VALID", dilations=2)),
    S(f32(2, 5, 6, 3), f32(3, 3, 3, 4), 2, "SAME"),
    S(f32(2, 7, 5, 3), f32(3, 2, 3, 4), [1, 3, 2, 1], padding="SAME"),
    S(f32(2, 4, 6, 3), f32(2, 2, 3, 4), 3, "SAME"),
    S(f32(2, 5, 6, 3), f32(3, 3, 3, 4), 2, [[0, 0], [1, 1], [2, 0], [0, 0]]),
    no_grad(S(f32(2, 7, 8, 3), f32(3, 3, 3, 4), 1, "SAME", dilations=[1, 2, 2, 1])),
]


@rule("tf.nn.conv2d", samples=[*_CONV2D, declines(f32(2, 3, 6, 5), f32(3, 3, 3, 4), 1, "SAME", "NCHW")])
def conv2d(input: Tensor, filters: Tensor, strides, padding, data_format="NHWC", dilations=None, name=None):
    stride = spatial(strides)
    check(data_format)
    dilation = spatial(dilations)
    how = mode(padding, stride)
    kernel = filters.permute(3, 2, 0, 1)
    image = input.permute(0, 3, 1, 2)
    if how == "pad":
        padded = (
            same_pad(image, filters.shape[:2], stride, dilation)
            if dilation != 1
            else same_pad(image, filters.shape[:2], stride)
        )
        return F.conv2d(padded, kernel, stride=stride, dilation=dilation).permute(0, 2, 3, 1)
    if how == "explicit":
        border = outer(padding)
        return F.conv2d(F.pad(image, border), kernel, stride=stride, dilation=dilation).permute(0, 2, 3, 1)
    pad = "same" if how == "same" else 0
    return F.conv2d(image, kernel, stride=stride, padding=pad, dilation=dilation).permute(0, 2, 3, 1)


legacy(
    "tf.compat.v1.nn.conv2d",
    "input, filter=None, strides=None, padding=None, use_cudnn_on_gpu=True, data_format='NHWC', dilations=None, "
    "name=None, filters=None",
    of="tf.nn.conv2d",
    old={"filter": "filters", "use_cudnn_on_gpu": ""},
    samples=[*_CONV2D[:2], S(f32(2, 5, 6, 3), filter=f32(3, 3, 3, 4), strides=[1, 2, 2, 1], padding="SAME")],
)


@rule(
    "tf.nn.conv1d",
    samples=[
        *(S(f32(2, 7, 3), f32(3, 3, 4), 1, "SAME"), S(f32(2, 7, 3), f32(3, 3, 4), 2, "VALID")),
        *(S(f32(2, 8, 3), f32(3, 3, 4), 2, "SAME"), S(f32(2, 7, 3), f32(2, 3, 4), [1, 3, 1], padding="SAME")),
    ],
)
def conv1d(input: Tensor, filters: Tensor, stride, padding, data_format="NWC", dilations=None, name=None):
    step = spatial(stride, 1)
    check(data_format)
    dilation = spatial(dilations, 1)
    how = mode(padding, step)
    kernel = filters.permute(2, 1, 0)
    signal = input.permute(0, 2, 1)
    if how == "explicit":
        raise Decline("explicit padding")
    if how == "pad":
        if dilation != 1:
            raise Decline("SAME padding with strides and dilations")
        return F.conv1d(same_pad(signal, filters.shape[0], step), kernel, stride=step).permute(0, 2, 1)
    pad = "same" if how == "same" else 0
    return F.conv1d(signal, kernel, stride=step, padding=pad, dilation=dilation).permute(0, 2, 1)


@rule(
    "tf.nn.conv3d",
    samples=[
        S(f32(1, 4, 5, 6, 2), f32(2, 3, 3, 2, 3), [1, 1, 1, 1, 1], "SAME"),
        S(f32(1, 4, 5, 6, 2), f32(2, 3, 3, 2, 3), [1, 2, 2, 2, 1], padding="SAME"),
        S(f32(1, 4, 5, 6, 2), f32(2, 2, 2, 2, 3), [1, 2, 1, 1, 1], "VALID"),
    ],
)
def conv3d(input: Tensor, filters: Tensor, strides, padding, data_format="NDHWC", dilations=None, name=None):
    stride = spatial(strides, 3)
    check(data_format)
    if spatial(dilations, 3) != 1:
        raise Decline("dilations in three dimensions")
    how = mode(padding, stride)
    kernel = filters.permute(4, 3, 0, 1, 2)
    volume = input.permute(0, 4, 1, 2, 3)
    if how == "explicit":
        raise Decline("explicit padding")
    if how == "pad":
        return F.conv3d(same_pad(volume, filters.shape[:3], stride), kernel, stride=stride).permute(0, 2, 3, 4, 1)
    pad = "same" if how == "same" else 0
    return F.conv3d(volume, kernel, stride=stride, padding=pad).permute(0, 2, 3, 4, 1)


_DEPTHWISE = [
    S(f32(2, 5, 6, 3), f32(3, 3, 3, 1), [1, 1, 1, 1], "VALID"),
    S(f32(2, 5, 6, 3), f32(3, 2, 3, 2), [1, 1, 1, 1], "SAME"),
    S(f32(2, 5, 6, 3), f32(3, 2, 3, 2), [1, 2, 2, 1], "SAME"),
]


@rule(
    "tf.nn.depthwise_conv2d",
    samples=[*_DEPTHWISE, no_grad(S(f32(2, 7, 8, 3), f32(3, 3, 3, 1), [1, 1, 1, 1], "SAME", dilations=[2, 2]))],
)
def depthwise_conv2d(input: Tensor, filter: Tensor, strides, padding, data_format=None, dilations=None, name=None):
    stride = spatial(strides)
    check(data_format)
    dilation = spatial(dilations)
    how = mode(padding, stride)
    kernel = filter.permute(2, 3, 0, 1).flatten(0, 1).unsqueeze(1)
    image = input.permute(0, 3, 1, 2)
    if how == "explicit":
        raise Decline("explicit padding")
    if how == "pad":
        if dilation != 1:
            raise Decline("SAME padding with strides and dilations")
        padded = same_pad(image, filter.shape[:2], stride)
        return F.conv2d(padded, kernel, stride=stride, groups=filter.shape[2]).permute(0, 2, 3, 1)
    pad = "same" if how == "same" else 0
    return F.conv2d(image, kernel, stride=stride, padding=pad, dilation=dilation, groups=filter.shape[2]).permute(
        0, 2, 3, 1
    )


legacy(
    "tf.compat.v1.nn.depthwise_conv2d",
    "input, filter, strides, padding, rate=None, name=None, data_format=None, dilations=None",
    of="tf.nn.depthwise_conv2d",
    old={"rate": "dilations"},
    samples=_DEPTHWISE,
)


@rule(
    "tf.nn.separable_conv2d",
    samples=[
        S(f32(2, 5, 6, 3), f32(3, 2, 3, 2), f32(1, 1, 6, 4), [1, 1, 1, 1], "SAME"),
        S(f32(2, 5, 6, 3), f32(3, 3, 3, 2), f32(1, 1, 6, 4), [1, 2, 2, 1], padding="SAME"),
        S(f32(2, 5, 6, 3), f32(3, 3, 3, 1), f32(1, 1, 3, 4), [1, 1, 1, 1], "VALID"),
    ],
)
def separable_conv2d_rule(
    input: Tensor,
    depthwise_filter: Tensor,
    pointwise_filter: Tensor,
    strides,
    padding,
    data_format=None,
    dilations=None,
    name=None,
):
    stride = spatial(strides)
    check(data_format)
    how = mode(padding, stride)
    if how == "explicit" or spatial(dilations) != 1:
        raise Decline("explicit padding or dilations")
    kernel = depthwise_filter.permute(2, 3, 0, 1).flatten(0, 1).unsqueeze(1)
    mix = pointwise_filter.permute(3, 2, 0, 1)
    image = input.permute(0, 3, 1, 2)
    groups = depthwise_filter.shape[2]
    if how == "pad":
        padded = same_pad(image, depthwise_filter.shape[:2], stride)
        return F.conv2d(F.conv2d(padded, kernel, stride=stride, groups=groups), mix).permute(0, 2, 3, 1)
    pad = "same" if how == "same" else 0
    return F.conv2d(F.conv2d(image, kernel, stride=stride, padding=pad, groups=groups), mix).permute(0, 2, 3, 1)


@rule(
    "tf.nn.atrous_conv2d",
    samples=[
        no_grad(S(f32(2, 7, 8, 3), f32(3, 3, 3, 4), 2, "SAME")),
        no_grad(S(f32(2, 7, 8, 3), f32(3, 3, 3, 4), 2, padding="VALID")),
    ],
)
def atrous_conv2d(value: Tensor, filters: Tensor, rate, padding, name=None):
    pad = "same" if mode(padding, 1) == "same" else 0
    kernel = filters.permute(3, 2, 0, 1)
    return F.conv2d(value.permute(0, 3, 1, 2), kernel, padding=pad, dilation=rate).permute(0, 2, 3, 1)


conv_transpose = Helper(
    "conv_transpose",
    '''def conv_transpose(x, kernel, output_shape, stride, same):
    """Transposed convolution of (N, …, C) with a kernel (…, out, in), cut or extended to `output_shape`."""
    n = x.dim() - 2
    stride = stride if isinstance(stride, (tuple, list)) else (stride,) * n
    apply = (F.conv_transpose1d, F.conv_transpose2d, F.conv_transpose3d)[n - 1]
    y = apply(x.movedim(-1, 1), kernel.permute(n + 1, n, *range(n)), stride=stride)
    for i, size in enumerate(int(v) for v in output_shape[1:-1]):
        extra = (x.shape[i + 1] - 1) * stride[i] + kernel.shape[i] - size
        before = max(extra, 0) // 2 if same else 0
        pad = [0] * 2 * n
        pad[2 * (n - 1 - i) + 1] = max(size + before - y.shape[i + 2], 0)
        y = F.pad(y, pad).narrow(i + 2, before, size)
    return y.movedim(1, -1)
''',
    ("import torch.nn.functional as F",),
)
_TRANSPOSED = [
    S(f32(2, 3, 4, 5), f32(3, 3, 2, 5), [2, 6, 8, 2], 2, "SAME"),
    S(f32(2, 3, 4, 5), f32(3, 2, 2, 5), [2, 5, 7, 2], [1, 2, 2, 1], padding="SAME"),
    S(f32(2, 3, 4, 5), f32(3, 3, 2, 5), [2, 7, 9, 2], strides=2, padding="VALID"),
    S(f32(2, 3, 4, 5), f32(1, 2, 2, 5), [2, 9, 12, 2], strides=3, padding="SAME"),
]


@rule("tf.nn.conv2d_transpose", samples=_TRANSPOSED)
def conv2d_transpose(
    input: Tensor,
    filters: Tensor,
    output_shape,
    strides,
    padding="SAME",
    data_format="NHWC",
    dilations=None,
    name=None,
):
    stride = spatial(strides)
    check(data_format)
    how = mode(padding, 1)
    if how == "explicit" or spatial(dilations) != 1:
        raise Decline("explicit padding or dilations")
    return conv_transpose(input, filters, output_shape, stride, same=how == "same")


legacy(
    "tf.compat.v1.nn.conv2d_transpose",
    "value=None, filter=None, output_shape=None, strides=None, padding='SAME', data_format='NHWC', name=None, "
    "input=None, filters=None, dilations=None",
    of="tf.nn.conv2d_transpose",
    old={"value": "input", "filter": "filters"},
    samples=_TRANSPOSED[:2],
)


@rule(
    "tf.nn.conv1d_transpose",
    samples=[
        S(f32(2, 4, 5), f32(3, 2, 5), [2, 8, 2], 2),
        S(f32(2, 4, 5), f32(3, 2, 5), [2, 9, 2], strides=2, padding="VALID"),
    ],
)
def conv1d_transpose(
    input: Tensor, filters: Tensor, output_shape, strides, padding="SAME", data_format="NWC", dilations=None, name=None
):
    stride = spatial(strides, 1)
    check(data_format)
    how = mode(padding, 1)
    if how == "explicit" or spatial(dilations, 1) != 1:
        raise Decline("explicit padding or dilations")
    return conv_transpose(input, filters, output_shape, stride, same=how == "same")


@rule("tf.nn.conv3d_transpose", samples=[S(f32(1, 2, 3, 2, 3), f32(2, 3, 3, 2, 3), [1, 4, 6, 3, 2], [1, 2, 2, 2, 1])])
def conv3d_transpose(
    input: Tensor,
    filters: Tensor,
    output_shape,
    strides,
    padding="SAME",
    data_format="NDHWC",
    dilations=None,
    name=None,
):
    stride = spatial(strides, 3)
    check(data_format)
    how = mode(padding, 1)
    if how == "explicit" or spatial(dilations, 3) != 1:
        raise Decline("explicit padding or dilations")
    return conv_transpose(input, filters, output_shape, stride, same=how == "same")
