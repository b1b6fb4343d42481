"""Sizes of images that calls show and the class does not say: it takes others as well."""

from __future__ import annotations

from dataclasses import replace

import libcst as cst
import libcst.matchers as m

from migrator.codemods.nodes import find
from migrator.values import Tensor, Value

_WINDOWS = (
    "Conv1D", "Conv2D", "Conv3D", "Pool1D", "Pool2D", "Pool3D", "Pooling1D", "Pooling2D", "Pooling3D",
    "TimeDistributed", "SpectralNormalization",
)  # fmt: skip


def takes_every_size(node: cst.ClassDef) -> bool:
    """Whether no layer of a class is given an input shape, so that images of all sizes may come."""
    names = (a.keyword.value for a in find(node, m.Arg(keyword=m.Name())) if isinstance(a, cst.Arg) and a.keyword)
    return not any(name.startswith(("input_", "batch_")) for name in names)


def any_size(api: str, inputs: tuple[Value, ...]) -> tuple[Value, ...]:
    """The inputs of a layer whose padding depends on their sizes, without those between batch and channels."""
    if not api.endswith(_WINDOWS) or ".Global" in api:
        return inputs
    return tuple(
        replace(value, shape=(value.shape[0], *(None for _ in value.shape[1:-1]), value.shape[-1]))
        if isinstance(value, Tensor) and value.shape is not None and len(value.shape) > 2
        else value
        for value in inputs
    )
