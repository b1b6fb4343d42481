"""What is asked of a dataset or its iterator by name, outside of a pipeline."""
# mypy: disable-error-code="no-untyped-def, no-untyped-call, misc, operator"

from __future__ import annotations

from typing import TYPE_CHECKING

from migrator.rules.engine.registry import method, rule
from migrator.rules.engine.samples import block, no_grad

if TYPE_CHECKING:
    import torch


@method(
    "tf.data.Iterator.get_next",
    samples=[no_grad(block("numbers = iter(tf.constant([1, 2]))\nreturn next(numbers)"))],
)
def get_next(self, name=None):
    return next(self)


@rule(
    "tf.data.experimental.cardinality",
    samples=(),
    gaps=["a dataset of unknown length raises TypeError, where TensorFlow says -2"],
)
def cardinality(dataset):
    return torch.tensor(len(dataset))


@rule("tf.data.experimental.get_single_element", samples=())
def single(dataset):
    return next(iter(dataset))
