"""Units that refer to each other, and replies for both at once."""

from __future__ import annotations

from tests.llm.scripted_server import Step, answers

CIRCLE = '''import tensorflow as tf


def even(x, depth):
    """Goes down through `odd`."""
    if depth == 0:
        return tf.raw_ops.Relu6(features=x)
    return odd(x * 2.0, depth - 1)


def odd(x, depth):
    if depth == 0:
        return tf.raw_ops.Rint(x=x)
    return even(x + 1.0, depth - 1)


def total(x):
    return tf.raw_ops.Relu6(features=even(x, 3)) + odd(x, 2)


if __name__ == "__main__":
    print(total(tf.random.normal([3, 5])).shape, even(tf.random.normal([2, 3]), 2), odd(tf.random.normal([2, 3]), 2))
'''

BOTH = '''def even(x, depth):
    """Goes down through `odd`."""
    if depth == 0:
        return F.relu6(x)
    return odd(x * 2.0, depth - 1)


def odd(x, depth):
    if depth == 0:
        return torch.round(x)
    return even(x + 1.0, depth - 1)
'''

IMPORTS = ["import torch", "import torch.nn.functional as F"]
TOTAL = "def total(x):\n    return F.relu6(even(x, 3)) + odd(x, 2)\n"

CIRCLE_SCRIPT: dict[str, list[Step]] = {
    "Rewrite `even, odd`": [
        answers(BOTH.replace("torch.round", "torch.floor"), imports=IMPORTS),
        answers(BOTH, imports=IMPORTS),
    ],
    "`total` (function)": [answers(TOTAL, imports=IMPORTS)],
}
