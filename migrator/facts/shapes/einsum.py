"""EinsumDense, layers that pool to a given size, and other layers of Keras 3."""

from __future__ import annotations

import math
import re

from migrator.facts import dims
from migrator.facts.arithmetic import dim_of
from migrator.facts.shapes.layers import channels_first, embedding, floating, given, layer, sizes
from migrator.values import Dim, Instance, Sequence, Shape, Tensor, Value

_EQUATION = re.compile(r"(\.\.\.)?([A-Za-z]+)(\.\.\.)?,[A-Za-z]+->(?:\.\.\.)?([A-Za-z]+)(?:\.\.\.)?")


@layer("EinsumDense")
def einsum_dense(instance: Instance, x: Tensor) -> Value:
    """The axes that the equation keeps, and the sizes that are written for the others."""
    found = _EQUATION.fullmatch(str(given(instance, "equation", "")).replace(" ", ""))
    if x.shape is None or found is None:
        return floating(x, None)
    left, axes, right, result = found.groups()
    elided = len(x.shape) - len(axes)
    if elided < 0 or (elided and not left and not right):
        return floating(x, None)
    own = x.shape[elided:] if left else x.shape[: len(axes)]
    known: dict[str, Dim] = dict(zip(axes, own, strict=True))
    written = _written(instance)
    known |= {a: d for a, d in zip(result[-len(written) :], written, strict=False) if d is not None}
    kept = tuple(known.get(axis) for axis in result)
    return floating(x, (*x.shape[:elided], *kept) if left else (*kept, *x.shape[len(axes) :]))


def _written(instance: Instance) -> Shape:
    value = instance.arg("output_shape")
    if isinstance(value, Sequence):
        return tuple(map(dim_of, value.items or ()))
    return (dim_of(value),)


@layer(*(f"Adaptive{kind}Pooling{rank}D" for kind in ("Average", "Max") for rank in (1, 2, 3)))
def adaptive_pool(instance: Instance, x: Tensor) -> Value:
    """The size that is asked for, whatever that of the input."""
    rank = int(instance.api[-2])
    if channels_first(instance):
        return floating(x, None)
    batch = x.shape[0] if x.shape else None
    made = floating(x, (batch, *sizes(instance, "output_size", rank, None), x.channels))
    return Tensor(made.shape, made.dtype, made.origin, "channels_last")


@layer("ReversibleEmbedding")
def reversible_embedding(instance: Instance, x: Tensor) -> Value:
    """As an embedding for ids; floats may go the other way."""
    return embedding(instance, x) if (x.dtype or "").startswith(("int", "uint")) else floating(x, None)


@layer("MelSpectrogram")
def mel_spectrogram(instance: Instance, x: Tensor) -> Value:
    """(..., time) to (..., bands, frames)."""
    bands = 128 if instance.arg("num_mel_bins") is None else dim_of(instance.arg("num_mel_bins"))
    return floating(x, None if x.shape is None else (*x.shape[:-1], bands, None))


@layer("STFTSpectrogram")
def stft_spectrogram(instance: Instance, x: Tensor) -> Value:
    """(N, time, C) to (N, frames, C * frequencies), or with an axis for each where `expand_dims`."""
    frame, expanded = given(instance, "frame_length", 256), given(instance, "expand_dims", False)
    length = given(instance, "fft_length") or (2 ** math.ceil(math.log2(frame)) if isinstance(frame, int) else None)
    if not isinstance(length, int) or x.shape is None or expanded is None or channels_first(instance):
        return floating(x, None)
    bins = (length // 2 + 1) * (2 if given(instance, "mode", "log") == "stft" else 1)
    last = (bins, x.channels) if expanded else (dims.multiply(bins, x.channels),)
    return floating(x, (x.shape[0], None, *last))
