"""Random numbers. Streams never agree between the frameworks; shapes, ranges and spreads do."""
# mypy: disable-error-code="no-untyped-def, no-untyped-call, misc, operator"

from __future__ import annotations

from typing import TYPE_CHECKING

from migrator.rules.engine.args import NOTHING, Arg, literal
from migrator.rules.engine.declining import Decline
from migrator.rules.engine.kinds import Ignored, Tensor
from migrator.rules.engine.registry import rule, same
from migrator.rules.engine.samples import f32, random, src
from migrator.rules.engine.template import device_here
from migrator.rules.ops.pieces import dtype_name, on_arguments, torch_dtype

if TYPE_CHECKING:
    import torch
    import torch.nn.functional as F
    from torch import nn

_SEED = ["the seed of the call is dropped: streams differ anyway"]

same("tf.random.set_seed", "torch.manual_seed(seed)", "seed", samples=())
same("tf.keras.utils.set_random_seed", "torch.manual_seed(seed)", "seed", samples=())


@on_arguments
def is_integer_dtype(arg: object) -> bool:
    """Whether a draw is of integers."""
    return "int" in (dtype_name(arg) or "")


@on_arguments
def is_number(arg: object, number: float) -> bool:
    """Whether a bound is known to be this number; one that only the run knows is written out."""
    found = literal(arg.node, arg.value) if isinstance(arg, Arg) else arg
    return found is not NOTHING and found == number


@rule(
    "tf.random.normal",
    samples=[random([300, 20]), random([6000], 2.0, 0.5), random((50, 80), stddev=0.1), random([60, 80], 1.5)],
    gaps=_SEED,
)
def normal(shape, mean=0.0, stddev=1.0, dtype="float32", seed: Ignored = None, name=None):
    target = torch_dtype(dtype)
    if dtype_name(dtype) != "float32":
        draw = torch.randn(shape, dtype=target, device=device_here)
    else:
        draw = torch.randn(shape, device=device_here)
    if is_number(mean, 0) and is_number(stddev, 1):
        return draw
    if is_number(mean, 0):
        return draw * stddev
    if is_number(stddev, 1):
        return draw + mean
    return draw * stddev + mean


@rule(
    "tf.random.uniform",
    samples=[
        random([300, 20]),
        random([6000], -1.0, 1.0),
        random([6000], maxval=5.0),
        random([6000], 0.0, src("2 * np.pi")),
        random([6000], src("-np.pi"), src("np.pi * 1.0")),
    ],
    gaps=_SEED,
)
def uniform(shape, minval=0, maxval=None, dtype="float32", seed: Ignored = None, name=None):
    target = torch_dtype(dtype)
    if is_integer_dtype(dtype):
        if maxval is None:
            raise Decline("integers without `maxval`")
        return torch.randint(minval, maxval, shape, dtype=target, device=device_here)
    if dtype_name(dtype) != "float32":
        raise Decline("a dtype other than float32")
    if maxval is None:
        return (
            torch.rand(shape, device=device_here)
            if is_number(minval, 0)
            else torch.empty(shape, device=device_here).uniform_(minval, 1)
        )
    if is_number(minval, 0) and is_number(maxval, 1):
        return torch.rand(shape, device=device_here)
    return torch.empty(shape, device=device_here).uniform_(minval, maxval)


@rule("tf.random.truncated_normal", samples=[random([300, 20]), random([6000], stddev=0.1)], gaps=_SEED)
def truncated_normal(shape, mean=0.0, stddev=1.0, dtype="float32", seed: Ignored = None, name=None):
    if dtype_name(dtype) != "float32" or mean != 0:
        raise Decline("a mean or a dtype is given")
    return nn.init.trunc_normal_(torch.empty(shape, device=device_here), std=stddev, a=-2 * stddev, b=2 * stddev)


@rule("tf.random.shuffle", samples=[random(f32(3000))], gaps=_SEED)
def shuffle(value: Tensor, seed: Ignored = None, name=None):
    return value[torch.randperm(value.shape[0], device=value.device)]


@rule("tf.random.categorical", samples=[random(f32(1, 4), 5000), random(f32(1, 4), 5000, dtype="int32")], gaps=_SEED)
def categorical(logits: Tensor, num_samples, dtype=None, seed: Ignored = None, name=None):
    if dtype is not None and dtype_name(dtype) == "int32":
        return torch.multinomial(F.softmax(logits, dim=-1), num_samples, replacement=True).int()
    if dtype is not None and dtype != "int64":
        raise Decline("a dtype other than int32 and int64")
    return torch.multinomial(F.softmax(logits, dim=-1), num_samples, replacement=True)
