"""Layers that merge several inputs."""
# mypy: disable-error-code="no-untyped-def, no-untyped-call"

from __future__ import annotations

from migrator.model import LayerCode
from migrator.rules.engine.declining import Decline
from migrator.rules.engine.registry import layer
from migrator.rules.engine.samples import S, declines, f32, src
from migrator.rules.layers.call import LayerCall
from migrator.values import Tensor


def _inputs(call: LayerCall) -> list[str]:
    if len(call.inputs) < 2:
        raise Decline("the inputs of a merge are not known")
    return [f"{{x{i}}}" for i in range(len(call.inputs))]


def _merged(forward: str, call: LayerCall) -> LayerCode:
    shapes = {v.shape and len(v.shape) for v in call.inputs if isinstance(v, Tensor)}
    if len(shapes) != 1:
        raise Decline("inputs of different or unknown rank")
    return LayerCode(module=None, forward=forward, stem="merge", layout="any")


_TWO = src("[a, b]", a=f32(2, 3), b=f32(2, 3))
_IMAGES = src("[a, b]", a=f32(2, 4, 5, 3), b=f32(2, 4, 5, 2))


@layer("tf.keras.layers.Add", samples=[S(_TWO), S(src("[a, b, c]", a=f32(2, 3), b=f32(2, 3), c=f32(2, 3)))])
def add(*, call: LayerCall) -> LayerCode:
    """A sum."""
    return _merged(" + ".join(_inputs(call)), call)


@layer("tf.keras.layers.Subtract", samples=[S(_TWO)])
def subtract(*, call: LayerCall) -> LayerCode:
    """A difference of two."""
    return _merged(" - ".join(_inputs(call)), call)


@layer("tf.keras.layers.Multiply", samples=[S(_TWO)])
def multiply(*, call: LayerCall) -> LayerCode:
    """A product."""
    return _merged(" * ".join(_inputs(call)), call)


@layer("tf.keras.layers.Average", samples=[S(_TWO)])
def average(*, call: LayerCall) -> LayerCode:
    """A mean of the inputs."""
    return _merged(f"({' + '.join(_inputs(call))}) / {len(call.inputs)}", call)


def _nested(function: str, call: LayerCall) -> LayerCode:
    first, *rest = _inputs(call)
    for other in rest:
        first = f"{function}({first}, {other})"
    return _merged(first, call)


@layer("tf.keras.layers.Maximum", samples=[S(_TWO)])
def maximum(*, call: LayerCall) -> LayerCode:
    """`torch.maximum`."""
    return _nested("torch.maximum", call)


@layer("tf.keras.layers.Minimum", samples=[S(_TWO)])
def minimum(*, call: LayerCall) -> LayerCode:
    """`torch.minimum`."""
    return _nested("torch.minimum", call)


@layer("tf.keras.layers.Concatenate", samples=[S(_TWO), S(_IMAGES), S(_TWO, axis=1)])
def concatenate(axis=-1, *, call: LayerCall) -> LayerCode:
    """`torch.cat`; of images the axis is that of channels first."""
    names = _inputs(call)
    first = call.inputs[0]
    if not isinstance(first, Tensor) or first.rank is None:
        raise Decline("input size unknown")
    position = axis.known % first.rank
    if first.rank < 4:
        return _joined(names, "-1" if axis.known == -1 else str(axis.known), "last")
    return _joined(names, "0" if position == 0 else "1" if position == first.rank - 1 else str(position + 1), "nchw")


def _joined(names: list[str], dim: str, layout: str) -> LayerCode:
    return LayerCode(module=None, forward=f"torch.cat([{', '.join(names)}], dim={dim})", stem="merge", layout=layout)


_VECTORS = src("[a, b]", a=f32(4, 3), b=f32(4, 3))
_SERIES = src("[a, b]", a=f32(2, 4, 3), b=f32(2, 5, 3))
_CROSSED = src("[a, b]", a=f32(2, 4, 3), b=f32(2, 3, 5))


@layer(
    "tf.keras.layers.Dot",
    samples=[
        S(_VECTORS, 1),
        S(_VECTORS, -1, normalize=True),
        S(_SERIES, 2),
        S(_SERIES, (2, 2), True),
        S(_CROSSED, axes=(2, 1)),
        S(src("[a, b]", a=f32(2, 4, 3), b=f32(2, 5, 4)), axes=[1, 2]),
        declines(src("[a, b]", a=f32(2, 4, 3, 2), b=f32(2, 4, 3, 2)), 1),
    ],
)
def dot(axes, normalize=False, *, call: LayerCall) -> LayerCode:
    """A batched product over one axis of each."""
    first, second = _inputs(call) if len(call.inputs) == 2 else ("", "")
    ranks = [v.rank if isinstance(v, Tensor) else None for v in call.inputs]
    given = axes.known if isinstance(axes.known, (tuple, list)) else (axes.known, axes.known)
    if ranks not in ([2, 2], [3, 3]) or len(given) != 2:
        raise Decline("a product of other than two vectors or two series")
    rank = 2 if ranks == [2, 2] else 3
    one, two = (int(a) % rank for a in given)
    if 0 in (one, two):
        raise Decline("a product over the batch")
    if normalize.known:
        first, second = (f"F.normalize({x}, dim={a}, eps=1e-6)" for x, a in ((first, one), (second, two)))
    if ranks == [2, 2]:
        return LayerCode(None, f"({first} * {second}).sum(dim=1, keepdim=True)", "merge", layout="last")
    left = first if one == 2 else f"{first}.transpose(1, 2)"
    right = second if two == 1 else f"{second}.transpose(1, 2)"
    return LayerCode(None, f"{left} @ {right}", "merge", layout="last")
