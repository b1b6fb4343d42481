"""Constants: dtypes, and names that are values."""

from __future__ import annotations

from migrator.rules.engine.registry import constant
from migrator.rules.engine.versions import VERSIONS
from migrator.rules.ops.pieces import DTYPES

for _name in sorted(DTYPES):
    constant(f"tf.{_name}", f"torch.{_name}")

constant("tf.newaxis", "None")
constant("tf.Tensor", "torch.Tensor")
constant("tf.DType", "torch.dtype")
constant("tf.TensorShape", "torch.Size")

for _mode, _word in (("TRAIN", "train"), ("EVAL", "eval"), ("PREDICT", "infer")):
    constant(f"tf.estimator.ModeKeys.{_mode}", f'"{_word}"')
for _mode, _word in (("TRAIN", "train"), ("EVAL", "eval"), ("INFER", "infer")):
    constant(f"tf.contrib.learn.ModeKeys.{_mode}", f'"{_word}"')

for _version in sorted(VERSIONS):
    constant(_version, "torch.__version__")
