"""A unit and its contract, for the tests of the gate and the loop."""

from __future__ import annotations

from migrator.llm.fragment import Contract, Definition, Parameter

SOURCE = '''
class Scale(tf.keras.layers.Layer):
    """Scales its input."""

    def __init__(self, units, bias=True, **kwargs):
        super().__init__(**kwargs)
        self.units = units

    def build(self, input_shape):
        self.alpha = self.add_weight(name="alpha", shape=(self.units,))

    def call(self, x, training=None):
        return tf.nn.relu(x * self.alpha)
'''

RIGHT = '''
class Scale(nn.Module):
    """Scales its input."""

    def __init__(self, units, bias=True):
        super().__init__()
        self.units = units
        self.alpha = nn.Parameter(torch.empty(units))
        self.reset_parameters()

    def reset_parameters(self):
        bound = (3 / self.units) ** 0.5
        nn.init.uniform_(self.alpha, -bound, bound)

    def forward(self, x):
        return F.relu(x * self.alpha)
'''

IMPORTS = ("import torch", "import torch.nn.functional as F", "from torch import nn")

CONTRACT = Contract(
    SOURCE,
    definitions=(
        Definition(
            "Scale",
            "class",
            (Parameter("units"), Parameter("bias", default="True"), Parameter("kwargs", "varkw")),
            methods=(("forward", (Parameter("x"), Parameter("training", default="None"))),),
        ),
    ),
    taken=frozenset({"build_model", "train"}),
    imports=("import tensorflow as tf", "import numpy as np", "import os", "from shop.tools import pad"),
    tf_names=frozenset({"tf"}),
    repository=frozenset({"shop"}),
)
