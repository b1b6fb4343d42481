"""Pooling: functions, since they have no state."""
# mypy: disable-error-code="no-untyped-def, no-untyped-call"

from __future__ import annotations

from dataclasses import replace

from migrator.model import CallForm, Helper, LayerCode
from migrator.rules.engine.declining import Decline
from migrator.rules.engine.registry import layer
from migrator.rules.engine.samples import S, boolean, declines, f32, src
from migrator.rules.layers.call import LayerCall
from migrator.rules.layers.padding import MAX_POOL_SAME, PAD_SAME, Window, channels_last, padded, same_pads, window

AVG_POOL_SAME = Helper(
    "avg_pool_same",
    '''def avg_pool_same(x, kernel_size, stride):
    """Average pooling with TensorFlow's "SAME": padding does not count."""
    pool = (F.avg_pool1d, F.avg_pool2d, F.avg_pool3d)[x.dim() - 3]
    counts = pool(pad_same(torch.ones_like(x[:1, :1]), kernel_size, stride), kernel_size, stride)
    return pool(pad_same(x, kernel_size, stride), kernel_size, stride) / counts
''',
    ("import torch", "import torch.nn.functional as F"),
)


def _pool(function: str, dims: int, pool_size, strides, padding, data_format, call: LayerCall) -> LayerCode:
    channels_last(data_format)
    kernel = window(pool_size, dims)
    own = strides.is_known and strides.known is None
    stride = kernel if own else window(strides, dims)
    step = "" if stride == kernel else f", stride={stride.text}"
    name = f"F.{function}_pool{dims}d"
    if padding.known == "valid":
        return _code(f"{name}({{x}}, {kernel.text}{step})", ())
    if padding.known != "same":
        raise Decline(f"padding {padding.known!r}")
    return _same(function, name, kernel, stride, step, call)


def _same(function: str, name: str, kernel: Window, stride: Window, step: str, call: LayerCall) -> LayerCode:
    average = function == "avg"
    pads = same_pads(kernel, stride, call)
    outside = ", count_include_pad=False" if average else ""
    if _nothing_before(kernel, stride, pads, call):
        exact = pads is not None and all(after == 0 for _, after in pads)
        return _code(f"{name}({{x}}, {kernel.text}{step}{'' if exact else ', ceil_mode=True'})", ())
    if pads is not None and all(b == a and 2 * b <= k for (b, a), k in zip(pads, kernel.sizes or (), strict=True)):
        amounts = tuple(b for b, _ in pads)
        amount = str(amounts[0]) if len(set(amounts)) == 1 else str(amounts)
        return _code(f"{name}({{x}}, {kernel.text}{step or f', stride={stride.text}'}, padding={amount}{outside})", ())
    if average:
        return _code(f"avg_pool_same({{x}}, {kernel.text}, {stride.text})", (PAD_SAME, AVG_POOL_SAME))
    whole = f"{name}({padded(pads, kernel, stride, '-torch.inf')}, {kernel.text}{step})"
    same = MAX_POOL_SAME[len(call.shape) - 2]
    code = _code(whole, (same,) if pads is not None else (PAD_SAME, same))
    return replace(code, entry=f"{same.name}({kernel.text}{step})")


def _nothing_before(kernel: Window, stride: Window, pads: list[tuple[int, int]] | None, call: LayerCall) -> bool:
    """Whether SAME pads at most behind, and `ceil_mode` gives the same windows."""
    if kernel.sizes is None or stride.sizes is None:
        return False
    if pads is None:
        return kernel.sizes == stride.sizes and all(k <= 2 for k in kernel.sizes)
    sizes = [n for n in call.shape[1:-1] if isinstance(n, int)]
    windows = all(
        -(-(n - k) // s) + 1 == -(-n // s) for n, k, s in zip(sizes, kernel.sizes, stride.sizes, strict=False)
    )
    return windows and all(before == 0 for before, _ in pads)


def _code(forward: str, helpers: tuple[Helper, ...]) -> LayerCode:
    return LayerCode(module=None, forward=forward, stem="pool", layout="nchw", helpers=helpers)


_2D = [
    S(f32(2, 7, 9, 3)),
    S(f32(2, 7, 9, 3), 3, 2),
    S(f32(2, 7, 9, 3), padding="same"),
    S(f32(2, 8, 10, 3), 3, 2, "same"),
    S(f32(2, 7, 9, 3), 3, 2, "same"),
    S(f32(2, 8, 9, 3), 3, 2, "same"),
    S(f32(2, 7, 9, 3), (3, 3), strides=(1, 1), padding="same"),
    S(f32(2, 7, 9, 3), 2, strides=1, padding="SAME"),
    S(f32(2, 8, 10, 3), 2, padding="VALID"),
    declines(f32(2, 7, 9, 3), data_format="channels_first"),
]
_1D = [S(f32(2, 9, 3)), S(f32(2, 9, 3), 3, 2), S(f32(2, 9, 3), padding="same"), S(f32(2, 8, 3), 3, 2, "same")]


@layer("tf.keras.layers.MaxPooling2D", samples=_2D)
def max_pooling2d(pool_size=(2, 2), strides=None, padding="valid", data_format=None, *, call: LayerCall) -> LayerCode:
    """`F.max_pool2d`; padding is minus infinity."""
    return _pool("max", 2, pool_size, strides, padding, data_format, call)


@layer(
    "tf.keras.layers.AveragePooling2D", samples=[S(f32(2, 7, 9, 3), 2), S(f32(2, 7, 9, 3), 2, padding="same"), *_2D[3:]]
)
def average_pooling2d(
    pool_size=(2, 2), strides=None, padding="valid", data_format=None, *, call: LayerCall
) -> LayerCode:
    """`F.avg_pool2d`; padding does not count."""
    return _pool("avg", 2, pool_size, strides, padding, data_format, call)


@layer("tf.keras.layers.MaxPooling1D", samples=_1D)
def max_pooling1d(pool_size=2, strides=None, padding="valid", data_format=None, *, call: LayerCall) -> LayerCode:
    """`F.max_pool1d`."""
    return _pool("max", 1, pool_size, strides, padding, data_format, call)


@layer(
    "tf.keras.layers.AveragePooling1D", samples=[S(f32(2, 9, 3), 2), S(f32(2, 9, 3), 2, padding="same"), _1D[1], _1D[3]]
)
def average_pooling1d(pool_size=2, strides=None, padding="valid", data_format=None, *, call: LayerCall) -> LayerCode:
    """`F.avg_pool1d`."""
    return _pool("avg", 1, pool_size, strides, padding, data_format, call)


@layer("tf.keras.layers.MaxPooling3D", samples=[S(f32(2, 4, 6, 5, 2)), S(f32(2, 4, 6, 5, 2), padding="same")])
def max_pooling3d(
    pool_size=(2, 2, 2), strides=None, padding="valid", data_format=None, *, call: LayerCall
) -> LayerCode:
    """`F.max_pool3d`."""
    return _pool("max", 3, pool_size, strides, padding, data_format, call)


@layer(
    "tf.keras.layers.AveragePooling3D",
    samples=[S(f32(2, 4, 6, 5, 2), 2), S(f32(2, 4, 6, 5, 2), 2, padding="same"), S(f32(2, 4, 6, 5, 2), 3, 2, "same")],
)
def average_pooling3d(
    pool_size=(2, 2, 2), strides=None, padding="valid", data_format=None, *, call: LayerCall
) -> LayerCode:
    """`F.avg_pool3d`; padding does not count."""
    return _pool("avg", 3, pool_size, strides, padding, data_format, call)


def _global(reduction: str, dims: str, layout: str, data_format, keepdims) -> LayerCode:
    channels_last(data_format)
    kept = ", keepdim=True" if keepdims.known else ""
    return LayerCode(module=None, forward=f"{{x}}.{reduction}(dim={dims}{kept})", stem="pool", layout=layout)


_GLOBAL = [S(f32(2, 5, 7, 3)), S(f32(2, 5, 7, 3), keepdims=True)]


@layer("tf.keras.layers.GlobalAveragePooling2D", samples=_GLOBAL)
def global_average_pooling2d(data_format=None, keepdims=False, *, call: LayerCall) -> LayerCode:
    """A mean over the image."""
    return _global("mean", "(2, 3)", "nchw", data_format, keepdims)


@layer("tf.keras.layers.GlobalMaxPooling2D", samples=_GLOBAL)
def global_max_pooling2d(data_format=None, keepdims=False, *, call: LayerCall) -> LayerCode:
    """A maximum over the image; ties share the gradient, as in Keras."""
    return _global("amax", "(2, 3)", "nchw", data_format, keepdims)


_STEPS = src("(x, dict(mask=m))", x=f32(4, 5, 3), m=boolean(4, 5))


@layer(
    "tf.keras.layers.GlobalAveragePooling1D",
    samples=[S(f32(2, 5, 3)), S(_STEPS), S(f32(2, 5, 3), keepdims=True)],
)
def global_average_pooling1d(data_format=None, keepdims=False, *, call: LayerCall) -> LayerCode:
    """A mean over time, over the steps that a mask leaves."""
    kept = ", keepdim=True" if keepdims.known else ""
    weight = "{given_mask}.unsqueeze(-1)"
    text = f"({{x}} * {weight}).sum(dim=1{kept}) / {weight}.sum(dim=1{kept})"
    form = CallForm(("inputs", "mask"), text, (("mask", "{v}"),))
    return replace(_global("mean", "1", "last", data_format, keepdims), masked=form)


@layer("tf.keras.layers.GlobalMaxPooling1D", samples=[S(f32(2, 5, 3))])
def global_max_pooling1d(data_format=None, keepdims=False, *, call: LayerCall) -> LayerCode:
    """A maximum over time."""
    return _global("amax", "1", "last", data_format, keepdims)


_GLOBAL_3D = [S(f32(2, 3, 4, 5, 2)), S(f32(2, 3, 4, 5, 2), keepdims=True)]


@layer("tf.keras.layers.GlobalAveragePooling3D", samples=_GLOBAL_3D)
def global_average_pooling3d(data_format=None, keepdims=False, *, call: LayerCall) -> LayerCode:
    """A mean over the volume."""
    return _global("mean", "(2, 3, 4)", "nchw", data_format, keepdims)


@layer("tf.keras.layers.GlobalMaxPooling3D", samples=_GLOBAL_3D)
def global_max_pooling3d(data_format=None, keepdims=False, *, call: LayerCall) -> LayerCode:
    """A maximum over the volume; ties share the gradient, as in Keras."""
    return _global("amax", "(2, 3, 4)", "nchw", data_format, keepdims)
