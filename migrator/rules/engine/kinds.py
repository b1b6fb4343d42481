"""Annotations of rule parameters: what the argument has to be on torch's side."""

from __future__ import annotations

from typing import Any, TypeAlias

Tensor: TypeAlias = Any
"""A torch tensor: numbers, arrays and lists are wrapped, as TF does by itself."""

Tensors: TypeAlias = Any
"""A list of torch tensors; declined when an item is known to be something else."""

Ignored: TypeAlias = Any
"""Without effect on the result: dropped."""
