"""Regularisers that are handed on: functions that give the penalty of a weight."""
# mypy: disable-error-code="no-untyped-def, no-untyped-call, misc, operator"

from __future__ import annotations

from migrator.model import Helper
from migrator.rules.engine.declining import Decline
from migrator.rules.engine.registry import rule
from migrator.rules.engine.samples import block, declines, f32


def _helper(name: str, params: str, doc: str, made: str) -> Helper:
    source = f'''def {name}({params}):
    """{doc}"""

    def penalty(weight):
        return {made}

    return penalty
'''
    return Helper(name, source)


l1_penalty = _helper(
    "l1_penalty", "factor=0.01", "Makes `factor` times the sum of a weight's sizes.", "factor * weight.abs().sum()"
)
l2_penalty = _helper(
    "l2_penalty", "factor=0.01", "Makes `factor` times the sum of a weight's squares.", "factor * weight.square().sum()"
)
l1_l2_penalty = _helper(
    "l1_l2_penalty",
    "l1=0.0, l2=0.0",
    "Makes `l1` times the sum of a weight's sizes and `l2` times that of its squares.",
    "l1 * weight.abs().sum() + l2 * weight.square().sum()",
)
orthogonal_penalty = Helper(
    "orthogonal_penalty",
    '''def orthogonal_penalty(factor=0.01, mode="rows"):
    """Makes `factor` times the mean size of the cosines between the rows, or columns, of a matrix."""

    def penalty(weight):
        units = F.normalize(weight if mode == "rows" else weight.T, dim=1)
        cosines = torch.triu(units @ units.T, diagonal=1)
        return factor * cosines.abs().sum() / (len(units) * (len(units) - 1) / 2)

    return penalty
''',
    ("import torch", "import torch.nn.functional as F"),
)
penalty_named = Helper(
    "penalty_named",
    '''def penalty_named(identifier):
    """The penalty of this name; a function stays itself, None stays None."""
    if identifier is None or callable(identifier):
        return identifier
    return {"l1": l1_penalty(), "l2": l2_penalty()}[identifier.lower()]
''',
    needs=(l1_penalty, l2_penalty),
)

_PENALTY = "penalty = {}\nreturn penalty(w)"


@rule(
    "tf.keras.regularizers.L1",
    samples=[block(_PENALTY.format(f"tf.keras.regularizers.L1({a})"), w=f32(3, 4)) for a in ("", "0.3", "l1=2.0")],
)
def l1(l1=0.01):
    return l1_penalty(l1)


@rule(
    "tf.keras.regularizers.L2",
    samples=[
        *(block(_PENALTY.format(f"tf.keras.regularizers.L2({a})"), w=f32(3, 4)) for a in ("", "0.3", "l2=2.0")),
        block(_PENALTY.format("tf.keras.regularizers.l2(1e-3)"), w=f32(2, 3, 4)),
    ],
)
def l2(l2=0.01):
    return l2_penalty(l2)


@rule(
    "tf.keras.regularizers.L1L2",
    samples=[
        block(_PENALTY.format(f"tf.keras.regularizers.L1L2({a})"), w=f32(3, 4)) for a in ("0.1, 0.2", "l2=0.5", "")
    ],
)
def l1_l2(l1=0.0, l2=0.0):
    return l1_l2_penalty(l1, l2)


@rule(
    "tf.keras.regularizers.OrthogonalRegularizer",
    samples=[
        block(_PENALTY.format(f"tf.keras.regularizers.OrthogonalRegularizer({a})"), w=f32(3, 4))
        for a in ("", "0.3, mode='columns'", "factor=2.0")
    ],
)
def orthogonal(factor=0.01, mode="rows"):
    return orthogonal_penalty(factor, mode)


@rule(
    "tf.keras.regularizers.get",
    samples=[
        block(_PENALTY.format("tf.keras.regularizers.get('l2')"), w=f32(3, 4)),
        block(_PENALTY.format("tf.keras.regularizers.get('L1')"), w=f32(3, 4)),
        block(_PENALTY.format("tf.keras.regularizers.get(tf.keras.regularizers.L2(0.1))"), w=f32(3, 4)),
        block("return tf.keras.regularizers.get(None) is None"),
        declines(3.0),
    ],
)
def get(identifier, *, kind):
    if kind not in ("string", "none", None):
        raise Decline("a regularizer that is not a name or a function")
    return penalty_named(identifier)
