"""Constants: dtypes, and names that are values."""

from __future__ import annotations

from migrator.rules.engine.registry import constant
from migrator.rules.ops.pieces import DTYPES

for _name in sorted(DTYPES):
    constant(f"tf.{_name}", f"torch.{_name}")

constant("tf.newaxis", "None")
constant("tf.Tensor", "torch.Tensor")
constant("tf.DType", "torch.dtype")
constant("tf.TensorShape", "torch.Size")
