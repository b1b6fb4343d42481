"""`tf.keras.activations`: functions of a tensor, and looking them up."""
# mypy: disable-error-code="no-untyped-def, no-untyped-call, misc, operator"

from __future__ import annotations

from typing import TYPE_CHECKING

from migrator.rules.engine.declining import Decline
from migrator.rules.engine.kinds import Tensor
from migrator.rules.engine.registry import rule, same
from migrator.rules.engine.samples import S, f32
from migrator.rules.ops.math import EDGES

if TYPE_CHECKING:
    import torch.nn.functional as F

_ANY = [S(f32(2, 3)), S(f32(4, 1, 2)), S(f32(0, 3)), S(EDGES)]
for _tf, _torch in (
    ("relu6", "F.relu6"),
    ("selu", "F.selu"),
    ("sigmoid", "torch.sigmoid"),
    ("tanh", "torch.tanh"),
    ("softplus", "F.softplus"),
    ("softsign", "F.softsign"),
    ("exponential", "torch.exp"),
    ("mish", "F.mish"),
    ("silu", "F.silu"),
):
    same(f"tf.keras.activations.{_tf}", _torch, "x: Tensor", samples=_ANY)

same("tf.keras.activations.linear", "x", "x: Tensor", samples=_ANY)
same("tf.keras.activations.hard_sigmoid", "F.hardsigmoid", "x: Tensor", samples=_ANY, keras=3)
same("tf.keras.activations.hard_sigmoid", "(0.2 * x + 0.5).clamp(0.0, 1.0)", "x: Tensor", samples=(), keras=2)


@rule("tf.keras.activations.relu", samples=[*_ANY, S(f32(3), negative_slope=0.1), S(f32(8), max_value=1.0)], keras=3)
def keras_relu(x: Tensor, negative_slope=0.0, max_value=None, threshold=0.0):
    if threshold != 0:
        raise Decline("`threshold` is given")
    if max_value is None:
        return F.relu(x) if negative_slope == 0 else F.leaky_relu(x, negative_slope)
    if negative_slope != 0:
        raise Decline("max_value together with negative_slope")
    return F.relu6(x) if max_value == 6 else x.clamp(0.0, max_value)


@rule("tf.keras.activations.elu", samples=[*_ANY, S(f32(4), 0.5)])
def keras_elu(x: Tensor, alpha=1.0):
    return F.elu(x, alpha=alpha)


@rule("tf.keras.activations.gelu", samples=[*_ANY[:-1], S(f32(4), True)], gaps=["at infinity torch may give NaN"])
def keras_gelu(x: Tensor, approximate=False):
    if approximate:
        return F.gelu(x, approximate="tanh")
    return F.gelu(x)


@rule("tf.keras.activations.softmax", samples=[S(f32(2, 3)), S(f32(2, 3, 4), axis=1)])
def keras_softmax(x: Tensor, axis=-1):
    return F.softmax(x, dim=axis)
