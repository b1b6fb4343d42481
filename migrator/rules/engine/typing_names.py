"""Classes of TensorFlow in annotations, where nothing is called: what they say of a value in torch."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst
import libcst.matchers as m

TYPES = {
    "tf.data.Dataset": ("Iterable", "from collections.abc import Iterable"),
    "tf.keras.Model": ("nn.Module", "from torch import nn"),
    "tf.keras.Sequential": ("nn.Module", "from torch import nn"),
    "tf.keras.layers.Layer": ("nn.Module", "from torch import nn"),
    "tf.keras.optimizers.Optimizer": ("torch.optim.Optimizer", "import torch"),
    "tf.Variable": ("torch.Tensor", "import torch"),
}
"""Text and import. A dataset is whatever gives samples or batches: a loader, a dataset, a list, a tensor."""


def named(node: cst.Annotation) -> Iterator[cst.CSTNode]:
    """The names in an annotation."""
    return iter(m.findall(node.annotation, m.Attribute() | m.Name()))
