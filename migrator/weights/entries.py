"""What a file of weights holds, whatever its format."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy.typing as npt

Format = Literal["h5", "legacy", "checkpoint"]


@dataclass(frozen=True)
class Entry:
    """One tensor of a file: its key, its shape, its dtype by NumPy's name, and where it lies."""

    key: str
    shape: tuple[int, ...]
    dtype: str
    place: str


@dataclass(frozen=True)
class Opened:
    """A file's tensors in its own order; `read` gives one of them."""

    format: Format
    entries: tuple[Entry, ...]
    read: Callable[[Entry], npt.NDArray[Any]]
