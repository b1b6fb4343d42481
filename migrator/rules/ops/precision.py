"""The policies by which layers compute in other types than their weights have."""
# mypy: disable-error-code="no-untyped-def, no-untyped-call"

from __future__ import annotations

from migrator.rules.engine.declining import Decline
from migrator.rules.engine.registry import rule
from migrator.rules.engine.samples import block, declines

_WHY = (
    "mixed precision: Keras chooses a type for each layer, torch.autocast for each operation, so that the two agree to "
    "the width of float16 alone, too coarse to tell a right rewrite from a wrong one; migrate in float32, then add "
    "torch.autocast and torch.amp.GradScaler"
)


@rule(
    "tf.keras.mixed_precision.set_global_policy",
    samples=[
        block('tf.keras.mixed_precision.set_global_policy("float32")\nreturn 1'),
        declines("mixed_float16"),
        declines("mixed_bfloat16"),
        declines("float64"),
    ],
)
def set_global_policy(policy):
    if policy == "float32":
        return None  # noqa: RET501
    if policy == "float64":
        raise Decline("a policy of float64")
    raise Decline(_WHY)


@rule("tf.keras.mixed_precision.Policy", samples=[declines("mixed_float16"), declines("float32")])
def policy(name):
    if name == "float32":
        raise Decline("a policy as an object")
    raise Decline(_WHY)
