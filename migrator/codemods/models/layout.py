"""Where the channels of a tensor stand, and how operations follow them.

A layout is what a tensor of the generated code looks like beside the Keras tensor it stands for:
"last" is the same; the others have the channels at axis 1.
"""

from __future__ import annotations

from dataclasses import dataclass

LAST = "last"
_PERMUTED = {"ncl": 3, "nchw": 4, "ncdhw": 5}
_TO_FIRST = {
    "ncl": ("transpose(1, 2)", "NLC -> NCL"),
    "nchw": ("permute(0, 3, 1, 2)", "NHWC -> NCHW"),
    "ncdhw": ("permute(0, 4, 1, 2, 3)", "NDHWC -> NCDHW"),
}
_TO_LAST = {
    "ncl": ("transpose(1, 2)", "NCL -> NLC"),
    "nchw": ("permute(0, 2, 3, 1)", "NCHW -> NHWC"),
    "ncdhw": ("permute(0, 2, 3, 4, 1)", "NCDHW -> NDHWC"),
}


@dataclass(frozen=True)
class Flat:
    """Two axes: the second is a flattened (C, H, W) where Keras has (H, W, C); `sizes` are Keras's."""

    sizes: tuple[int, ...]


@dataclass(frozen=True)
class Several:
    """A list or tuple of tensors: the layout of each, or of all where the length is open."""

    items: tuple[Layout, ...] = ()
    each: Layout | None = None

    def at(self, index: int | None) -> Layout:
        if self.each is not None:
            return self.each
        if index is not None and -len(self.items) <= index < len(self.items):
            return self.items[index]
        return LAST

    @property
    def uniform(self) -> Layout:
        """The layout of every item, or "last" when they differ."""
        if self.each is not None:
            return self.each
        return self.items[0] if self.items and len(set(self.items)) == 1 else LAST


Layout = str | Flat | Several


def first(rank: int | None) -> str | None:
    """The channels-first layout of a rank, or None."""
    return next((name for name, n in _PERMUTED.items() if n == rank), None)


def rank(layout: Layout) -> int | None:
    """The rank that a layout implies; None for "last"."""
    return _PERMUTED.get(layout) if isinstance(layout, str) else None


def permute(text: str, source: Layout, target: Layout) -> tuple[str, str]:
    """(expression, comment) that brings an atom from one layout to another; one of them is "last"."""
    if source == LAST and isinstance(target, str):
        method, note = _TO_FIRST[target]
    elif target == LAST and isinstance(source, str):
        method, note = _TO_LAST[source]
    elif isinstance(source, Flat) and target == LAST:
        sizes = (source.sizes[-1], *source.sizes[:-1])
        back = permute("", first(len(sizes) + 1) or "nchw", LAST)[0]
        return f"{text}.unflatten(1, {sizes}){back}.flatten(1)", ""
    else:
        raise ValueError(f"no way from {source} to {target}")
    return f"{text}.{method}", note


def axis(value: int, layout: Layout) -> int:
    """The position in the generated tensor of an axis of the Keras tensor."""
    n = rank(layout)
    if n is None:
        return value
    at = value + n if value < 0 else value
    return 0 if at == 0 else 1 if at == n - 1 else at + 1


def reduced(axes: frozenset[int], layout: Layout) -> Layout | None:
    """The layout once these axes (Keras's, not negative) are gone; None when no name fits."""
    n = rank(layout)
    if n is None:
        return LAST
    physical = [0, n - 1, *range(1, n - 1)]  # the Keras axis at each position
    left = [a for a in physical if a not in axes]
    if left == sorted(left):
        return LAST
    kept = sorted(left)
    return first(len(left)) if left == [kept[0], kept[-1], *kept[1:-1]] and kept[0] == 0 else None


_ELEMENTWISE = """
abs add subtract multiply divide square sqrt exp sigmoid tanh negative pow maximum minimum identity
stop_gradient cast clip_by_value zeros_like ones_like sign floor round add_n math.log math.abs math.add
math.subtract math.multiply math.divide math.square math.sqrt math.exp math.sigmoid math.tanh math.softplus
math.rsqrt math.reciprocal math.log1p math.add_n math.pow math.maximum math.minimum math.divide_no_nan math.sin
math.cos math.erf nn.relu nn.relu6 nn.elu nn.selu nn.gelu nn.silu nn.swish nn.leaky_relu nn.softplus nn.softsign
nn.sigmoid nn.tanh keras.activations.relu keras.activations.relu6 keras.activations.elu keras.activations.selu
keras.activations.gelu keras.activations.swish keras.activations.silu keras.activations.sigmoid
keras.activations.tanh keras.activations.softplus keras.activations.softsign keras.activations.mish
keras.activations.hard_sigmoid keras.activations.linear keras.activations.leaky_relu
keras.activations.exponential keras.layers.add keras.layers.subtract keras.layers.multiply keras.layers.average
keras.layers.maximum keras.layers.minimum keras.backend.relu keras.backend.sigmoid keras.backend.tanh
keras.backend.square keras.backend.sqrt keras.backend.exp keras.backend.abs keras.backend.clip
"""
ELEMENTWISE = frozenset(f"tf.{name}" for name in _ELEMENTWISE.split())
"""Operations that act on each element alone, so that no layout matters to them (operands broadcast)."""

JOINING = frozenset(
    {"tf.concat", "tf.keras.layers.concatenate", "tf.keras.backend.concatenate", "tf.keras.layers.Concatenate"}
)
"""Operations that join tensors along `axis`."""

AXIS_KEPT = {"tf.nn.softmax": -1, "tf.nn.log_softmax": -1, "tf.keras.activations.softmax": -1, "tf.cumsum": 0}
"""Operations along one axis that keep the shape, with TF's default axis."""

_REDUCTIONS = """
reduce_sum reduce_mean reduce_max reduce_min reduce_prod reduce_any reduce_all math.reduce_sum math.reduce_mean
math.reduce_max math.reduce_min math.reduce_prod math.reduce_std math.reduce_variance math.reduce_logsumexp
keras.backend.mean keras.backend.sum keras.backend.max keras.backend.min
"""
REDUCTIONS = frozenset(f"tf.{name}" for name in _REDUCTIONS.split())
"""Operations that remove axes (`axis`, `keepdims`)."""
