"""PyTorch side of a data case: the first batches of what `call` returns. Shuffles are sequential and noted."""

from __future__ import annotations

from typing import Any, Dict, Tuple

import numpy as np
import torch
from torch.utils.data import DataLoader, IterableDataset

from . import series, torch_check, wire


def is_series(value: Any) -> bool:
    """Whatever iterates over batches: no tensor, no container, no text."""
    if isinstance(value, (DataLoader, IterableDataset)):
        return True
    plain = isinstance(value, (torch.Tensor, np.ndarray, list, tuple, dict, str, bytes, type))
    return not plain and (hasattr(value, "__iter__") or (hasattr(value, "__getitem__") and hasattr(value, "__len__")))


def run(request: Dict[str, Any], arrays: wire.Arrays) -> Tuple[Dict[str, Any], wire.Arrays]:
    injection: Any = torch_check.prepare(dict(request, inject=True))
    check = torch_check.Check(request, arrays)
    out: wire.Arrays = {}
    value = check.program.call(request["batches"][0]["call"])
    injection.start_step()
    lengths: list = []  # type: ignore[type-arg]
    tree = series.encode(value, wire.Sink(out, "o"), is_series, lengths)
    return series.answer(tree, lengths, injection.STREAMS), out
