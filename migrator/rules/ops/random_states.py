"""Random numbers of a state of their own: `tf.random.Generator`, and `tf.random.stateless_…`, whose seed is all."""
# mypy: disable-error-code="no-untyped-def, no-untyped-call, misc, operator"

from __future__ import annotations

from typing import TYPE_CHECKING

from migrator.model import Helper
from migrator.rules.engine.declining import Decline
from migrator.rules.engine.kinds import Ignored
from migrator.rules.engine.registry import method, rule
from migrator.rules.engine.samples import Sample, block, declined_block, declines, random
from migrator.rules.engine.template import device_here
from migrator.rules.ops.pieces import dtype_name

if TYPE_CHECKING:
    import torch
    from torch import nn

_STREAMS = ["the numbers of a seed are torch's"]

seeded = Helper(
    "seeded",
    '''def seeded(seed, device=None):
    """A generator for a seed of two integers: the same seed gives the same numbers."""
    first, second = (int(part) for part in seed)
    return torch.Generator(device or "cpu").manual_seed((first * 0x9E3779B97F4A7C15 + second) % 2**63)
''',
    ("import torch",),
)


def _repeated(api: str) -> Sample:
    """The same seed gives the same numbers, another one others."""
    draw = f"tf.random.{api}([50], seed=[{{}}, 7])"
    same, other = draw.format(1), draw.format(2)
    return block(f"a, b, c = {same}, {same}, {other}\nreturn tf.reduce_all(a == b), tf.reduce_all(a == c)")


@rule(
    "tf.random.stateless_normal",
    samples=[
        random([300, 20], [1, 2]),
        random((6000,), seed=(3, 4), mean=2.0, stddev=0.5),
        random([5000], [0, 1], stddev=3.0),
        _repeated("stateless_normal"),
        declines([3], [1, 2], dtype="float64"),
    ],
    gaps=_STREAMS,
)
def stateless_normal(shape, seed, mean=0.0, stddev=1.0, dtype="float32", name=None, alg: Ignored = "auto_select"):
    if dtype_name(dtype) != "float32":
        raise Decline("a dtype other than float32")
    draw = torch.randn(shape, generator=seeded(seed, device=device_here), device=device_here)
    if mean == 0 and stddev == 1:
        return draw
    return draw * stddev if mean == 0 else draw * stddev + mean


@rule(
    "tf.random.stateless_uniform",
    samples=[
        random([300, 20], [1, 2]),
        random((6000,), seed=(3, 4), minval=-1.0, maxval=5.0),
        random([6000], [0, 1], maxval=3.0),
        random([6000], [0, 1], -2, 7, "int32"),
        _repeated("stateless_uniform"),
        declines([3], [1, 2], None, None, "int32"),
    ],
    gaps=_STREAMS,
)
def stateless_uniform(shape, seed, minval=0, maxval=None, dtype="float32", name=None, alg: Ignored = "auto_select"):
    wanted = dtype_name(dtype)
    if wanted in ("int32", "int64"):
        if maxval is None:
            raise Decline("integers without `maxval`")
        width = torch.int32 if wanted == "int32" else torch.int64
        return torch.randint(
            minval, maxval, shape, generator=seeded(seed, device=device_here), dtype=width, device=device_here
        )
    if wanted != "float32":
        raise Decline("a dtype other than float32")
    draw = torch.rand(shape, generator=seeded(seed, device=device_here), device=device_here)
    top = 1 if maxval is None else maxval
    if minval == 0:
        return draw if top == 1 else draw * top
    return draw * (top - minval) + minval


@rule(
    "tf.random.Generator.from_seed",
    samples=[
        block("g = tf.random.Generator.from_seed(1)\nx = g.normal([4, 3])\nreturn x.shape"),
        block("a = tf.random.Generator.from_seed(seed=5)\nb = tf.random.Generator.from_seed(5)\n"
              "x, y = a.normal([9]), b.normal([9])\nreturn tf.reduce_all(x == y), tf.reduce_all(a.normal([9]) == y)"),
    ],
    gaps=_STREAMS,
)  # fmt: skip
def from_seed(seed, alg: Ignored = None):
    return torch.Generator(device=device_here).manual_seed(seed)


def _drawn(call: str) -> list[Sample]:
    """Shape and dtype of a draw, and its mean and spread in steps of a half, of 40,000 numbers."""
    body = f"g = tf.random.Generator.from_seed(3)\nx = tf.cast({call}, tf.float32)\n"
    return [
        block(f"{body}return x.shape, tf.round(tf.reduce_mean(x) * 2.0), tf.round(tf.math.reduce_std(x) * 2.0)"),
        block(f"g = tf.random.Generator.from_seed(3)\nx = {call}\nreturn x * 0"),
    ]


@method(
    "tf.random.Generator.normal",
    samples=[*_drawn("g.normal([200, 200])"), *_drawn("g.normal((40000,), mean=3.0, stddev=2.0)")],
    gaps=_STREAMS,
)
def normal(self, shape, mean=0.0, stddev=1.0, dtype="float32", name=None):
    if dtype_name(dtype) != "float32":
        raise Decline("a dtype other than float32")
    draw = torch.randn(shape, generator=self, device=self.device)
    if mean == 0 and stddev == 1:
        return draw
    return draw * stddev if mean == 0 else draw * stddev + mean


@method(
    "tf.random.Generator.uniform",
    samples=[
        *_drawn("g.uniform([200, 200])"),
        *_drawn("g.uniform((40000,), minval=-2.0, maxval=6.0)"),
        *_drawn("g.uniform([40000], maxval=9, dtype=tf.int32)"),
        declined_block("g = tf.random.Generator.from_seed(3)\nreturn g.uniform([3], dtype=tf.int32)"),
    ],
    gaps=_STREAMS,
)
def uniform(self, shape, minval=0, maxval=None, dtype="float32", name=None):
    wanted = dtype_name(dtype)
    if wanted in ("int32", "int64"):
        if maxval is None:
            raise Decline("integers without `maxval`")
        width = torch.int32 if wanted == "int32" else torch.int64
        return torch.randint(minval, maxval, shape, generator=self, dtype=width, device=self.device)
    if wanted != "float32":
        raise Decline("a dtype other than float32")
    draw = torch.rand(shape, generator=self, device=self.device)
    top = 1 if maxval is None else maxval
    if minval == 0:
        return draw if top == 1 else draw * top
    return draw * (top - minval) + minval


@method(
    "tf.random.Generator.truncated_normal",
    samples=[*_drawn("g.truncated_normal([200, 200])"), *_drawn("g.truncated_normal([200, 200], stddev=2.0)")],
    gaps=_STREAMS,
)
def truncated_normal(self, shape, mean=0.0, stddev=1.0, dtype="float32", name=None):
    if dtype_name(dtype) != "float32" or mean != 0:
        raise Decline("a mean or a dtype is given")
    return nn.init.trunc_normal_(
        torch.empty(shape, device=self.device), std=stddev, a=-2 * stddev, b=2 * stddev, generator=self
    )
