"""Layers that only move values: reshaping, padding, cropping, resizing."""
# mypy: disable-error-code="no-untyped-def, no-untyped-call"

from __future__ import annotations

from migrator.model import LayerCode
from migrator.rules.engine.declining import Decline
from migrator.rules.engine.registry import layer
from migrator.rules.engine.samples import S, f32
from migrator.rules.layers.call import LayerArg, LayerCall
from migrator.rules.layers.padding import channels_last, literal_pads


def _stateless(forward: str, layout: str, stem: str = "x") -> LayerCode:
    return LayerCode(module=None, forward=forward, stem=stem, layout=layout)


@layer("tf.keras.layers.Flatten", samples=[S(f32(2, 3, 4, 5)), S(f32(2, 6))])
def flatten(data_format=None, *, call: LayerCall) -> LayerCode:
    """`torch.flatten(x, 1)`; of an image the order of the values is torch's."""
    channels_last(data_format)
    return _stateless("torch.flatten({x}, 1)", "flatten", "flat")


def _sizes(shape: LayerArg) -> list[str]:
    """The sizes of a shape argument as source texts."""
    import ast

    tree = ast.parse(shape.text, mode="eval").body
    if isinstance(tree, (ast.Tuple, ast.List)):
        return [ast.unparse(e) for e in tree.elts]
    known = shape.known
    return [str(n) for n in known] if isinstance(known, (tuple, list)) else [shape.text]


@layer("tf.keras.layers.Reshape", samples=[S(f32(2, 6), (2, 3)), S(f32(2, 3, 4), (-1,)), S(f32(2, 12), (2, -1, 3))])
def reshape(target_shape, *, call: LayerCall) -> LayerCode:
    """`x.reshape`, behind the batch."""
    sizes = _sizes(target_shape)
    batch = "{x}.shape[0]" if any(s.replace(" ", "") == "-1" for s in sizes) else "-1"
    return _stateless(f"{{x}}.reshape({', '.join([batch, *sizes])})", "last")


@layer("tf.keras.layers.Permute", samples=[S(f32(2, 3, 4), (2, 1)), S(f32(2, 3, 4, 5), dims=(3, 1, 2))])
def permute(dims, *, call: LayerCall) -> LayerCode:
    """`x.permute`, behind the batch."""
    return _stateless(f"{{x}}.permute({', '.join(['0', *_sizes(dims)])})", "last")


@layer("tf.keras.layers.RepeatVector", samples=[S(f32(2, 3), 4)])
def repeat_vector(n, *, call: LayerCall) -> LayerCode:
    """The vector at every time step."""
    return _stateless(f"{{x}}.unsqueeze(1).repeat(1, {n.text}, 1)", "last")


def _pairs(amounts: object, dims: int) -> list[tuple[int, int]]:
    """Keras's padding or cropping argument as (before, after) pairs."""
    if isinstance(amounts, int):
        return [(amounts, amounts)] * dims
    rows = list(amounts) if isinstance(amounts, (tuple, list)) else []
    if dims == 1 and len(rows) == 2 and all(isinstance(r, int) for r in rows):
        return [(rows[0], rows[1])]
    if len(rows) != dims:
        raise Decline("amounts that do not fit")
    return [(r, r) if isinstance(r, int) else (r[0], r[1]) for r in rows]


@layer(
    "tf.keras.layers.ZeroPadding2D",
    samples=[
        S(f32(2, 4, 5, 3)),
        S(f32(2, 4, 5, 3), (1, 2)),
        S(f32(2, 4, 5, 3), ((1, 0), (2, 3))),
        S(f32(2, 4, 5, 3), 2),
    ],
)
def zero_padding2d(padding=(1, 1), data_format=None, *, call: LayerCall) -> LayerCode:
    """`F.pad`, width first."""
    channels_last(data_format)
    return _stateless(f"F.pad({{x}}, {literal_pads(_pairs(padding.known, 2))})", "nchw")


@layer(
    "tf.keras.layers.ZeroPadding3D",
    samples=[S(f32(2, 2, 3, 4, 2)), S(f32(2, 2, 3, 4, 2), ((1, 0), (2, 3), (0, 1))), S(f32(2, 2, 3, 4, 2), (1, 2, 0))],
)
def zero_padding3d(padding=((1, 1), (1, 1), (1, 1)), data_format=None, *, call: LayerCall) -> LayerCode:
    """`F.pad`, width first."""
    channels_last(data_format)
    return _stateless(f"F.pad({{x}}, {literal_pads(_pairs(padding.known, 3))})", "nchw")


@layer("tf.keras.layers.ZeroPadding1D", samples=[S(f32(2, 4, 3)), S(f32(2, 4, 3), (1, 2))])
def zero_padding1d(padding=1, data_format=None, *, call: LayerCall) -> LayerCode:
    """`F.pad` over time."""
    channels_last(data_format)
    return _stateless(f"F.pad({{x}}, {literal_pads(_pairs(padding.known, 1))})", "nchw")


def _cut(pair: tuple[int, int]) -> str:
    return f"{pair[0] or ''}:{-pair[1] or ''}"


@layer(
    "tf.keras.layers.Cropping3D",
    samples=[S(f32(2, 4, 5, 6, 2)), S(f32(2, 4, 5, 6, 2), ((1, 0), (0, 2), (1, 1))), S(f32(2, 4, 5, 6, 2), 1)],
)
def cropping3d(cropping=((1, 1), (1, 1), (1, 1)), data_format=None, *, call: LayerCall) -> LayerCode:
    """Slices."""
    channels_last(data_format)
    cuts = ", ".join(_cut(p) for p in _pairs(cropping.known, 3))
    return _stateless(f"{{x}}[:, :, {cuts}]", "nchw")


@layer("tf.keras.layers.Cropping2D", samples=[S(f32(2, 6, 7, 3), ((1, 2), (0, 3))), S(f32(2, 6, 7, 3), 1)])
def cropping2d(cropping=((0, 0), (0, 0)), data_format=None, *, call: LayerCall) -> LayerCode:
    """Slices."""
    channels_last(data_format)
    cuts = ", ".join(_cut(p) for p in _pairs(cropping.known, 2))
    return _stateless(f"{{x}}[:, :, {cuts}]", "nchw")


@layer("tf.keras.layers.Cropping1D", samples=[S(f32(2, 6, 3)), S(f32(2, 6, 3), (0, 2))])
def cropping1d(cropping=(1, 1), data_format=None, *, call: LayerCall) -> LayerCode:
    """A slice over time."""
    channels_last(data_format)
    return _stateless(f"{{x}}[:, :, {_cut(_pairs(cropping.known, 1)[0])}]", "nchw")


@layer(
    "tf.keras.layers.UpSampling2D",
    samples=[S(f32(2, 3, 4, 3)), S(f32(2, 3, 4, 3), (2, 3)), S(f32(2, 3, 4, 3), 2, interpolation="bilinear")],
)
def up_sampling2d(size=(2, 2), data_format=None, interpolation="nearest", *, call: LayerCall) -> LayerCode:
    """`F.interpolate`."""
    channels_last(data_format)
    if interpolation.known not in ("nearest", "bilinear"):
        raise Decline(f"interpolation {interpolation.known!r}")
    return _stateless(f'F.interpolate({{x}}, scale_factor={_factor(size)}, mode="{interpolation.known}")', "nchw")


def _factor(size: LayerArg) -> str:
    """The factors of an upsampling, as one number where they agree."""
    if not size.is_written:
        return size.text
    factors = size.known if isinstance(size.known, int) else tuple(size.known)
    return str(factors if isinstance(factors, int) or len(set(factors)) > 1 else factors[0])


@layer("tf.keras.layers.UpSampling3D", samples=[S(f32(2, 2, 3, 4, 2)), S(f32(2, 2, 3, 4, 2), (1, 2, 3))])
def up_sampling3d(size=(2, 2, 2), data_format=None, *, call: LayerCall) -> LayerCode:
    """`F.interpolate`."""
    channels_last(data_format)
    return _stateless(f'F.interpolate({{x}}, scale_factor={_factor(size)}, mode="nearest")', "nchw")


@layer("tf.keras.layers.UpSampling1D", samples=[S(f32(2, 3, 4)), S(f32(2, 3, 4), 3)])
def up_sampling1d(size=2, *, call: LayerCall) -> LayerCode:
    """Every time step `size` times."""
    return _stateless(f"{{x}}.repeat_interleave({size.text}, dim=1)", "last")
