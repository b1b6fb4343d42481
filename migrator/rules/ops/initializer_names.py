"""`initializers.get`: the initialiser of a name that only the run knows."""
# mypy: disable-error-code="no-untyped-def, no-untyped-call, misc, operator"

from __future__ import annotations

from dataclasses import replace

from migrator.model import Helper
from migrator.rules.engine.declining import Decline
from migrator.rules.engine.kinds import Ignored
from migrator.rules.engine.registry import rule
from migrator.rules.engine.samples import Sample, block, declines
from migrator.rules.ops.initializer_objects import (
    default_axes,
    normal_initializer,
    ones_initializer,
    scaling_initializer,
    truncated_initializer,
    uniform_initializer,
    zeros_initializer,
)

orthogonal_initializer = Helper(
    "orthogonal_initializer",
    '''def orthogonal_initializer(gain=1.0):
    """Makes orthogonal matrices; all axes but the last count as one."""

    def initialize(shape, dtype=None):
        dtype = getattr(torch, dtype) if isinstance(dtype, str) else dtype or torch.float32
        weight = torch.empty(shape, dtype=dtype)
        nn.init.orthogonal_(weight.view(-1, weight.shape[-1]), gain=gain)
        return weight

    return initialize
''',
    ("import torch", "from torch import nn"),
)
identity_initializer = Helper(
    "identity_initializer",
    '''def identity_initializer(gain=1.0):
    """Makes matrices with `gain` on the diagonal and zeros elsewhere."""

    def initialize(shape, dtype=None):
        dtype = getattr(torch, dtype) if isinstance(dtype, str) else dtype or torch.float32
        return gain * torch.eye(*shape, dtype=dtype)

    return initialize
''',
    ("import torch",),
)
initializer_named = Helper(
    "initializer_named",
    '''def initializer_named(identifier):
    """The initialiser of this name, which makes a tensor of a shape; a function stays itself, None stays None."""
    if identifier is None or callable(identifier):
        return identifier
    named = {
        "zeros": zeros_initializer(),
        "ones": ones_initializer(),
        "glorotuniform": scaling_initializer(1.0, "fan_avg", "uniform"),
        "glorotnormal": scaling_initializer(1.0, "fan_avg"),
        "heuniform": scaling_initializer(2.0, "fan_in", "uniform"),
        "henormal": scaling_initializer(2.0),
        "lecununiform": scaling_initializer(1.0, "fan_in", "uniform"),
        "lecunnormal": scaling_initializer(1.0),
        "randomnormal": normal_initializer(),
        "normal": normal_initializer(),
        "randomuniform": uniform_initializer(),
        "uniform": uniform_initializer(),
        "truncatednormal": truncated_initializer(),
        "orthogonal": orthogonal_initializer(),
    }
    return named[identifier.lower().replace("_", "")]
''',
    needs=(
        zeros_initializer,
        ones_initializer,
        scaling_initializer,
        normal_initializer,
        uniform_initializer,
        truncated_initializer,
        orthogonal_initializer,
    ),
)


def _exact(made: str, *shapes: str) -> list[Sample]:
    return [replace(block(f"init = {made}\nreturn {call}"), grad=False) for call in shapes]


def _draws(made: str, *shapes: str) -> list[Sample]:
    return [replace(sample, random=True) for sample in _exact(made, *shapes)]


_NAMES = (
    "zeros",
    "ones",
    "glorot_uniform",
    "glorot_normal",
    "he_uniform",
    "he_normal",
    "lecun_uniform",
    "lecun_normal",
    "random_normal",
    "random_uniform",
    "truncated_normal",
    "GlorotUniform",
)


@rule(
    "tf.keras.initializers.get",
    samples=[
        *(s for name in _NAMES for s in _draws(f"tf.keras.initializers.get({name!r})", "init([300, 20])")),
        *_draws("tf.keras.initializers.get('he_normal')", "init([3, 3, 20, 30])", "init((4000,))"),
        *_draws("tf.keras.initializers.get('orthogonal')", "init([60, 40])", "init([3, 5, 40, 20])"),
        *_draws("tf.keras.initializers.get(tf.keras.initializers.RandomNormal(0.5, 0.02))", "init([300, 20])"),
        block("return tf.keras.initializers.get(None) is None"),
        declines([1.0, 2.0]),
    ],
)
def get(identifier, *, kind):
    if kind not in ("string", "none", None):
        raise Decline("an initialiser that is not a name or a function")
    return initializer_named(identifier)


@rule(
    "tf.keras.initializers.Identity",
    samples=[
        *_exact("tf.keras.initializers.Identity()", "init((3, 4))", "init([4, 3], dtype='float64')"),
        *_exact("tf.keras.initializers.Identity(gain=0.5)", "init(shape=(3, 3))"),
    ],
)
def identity(gain=1.0):
    return identity_initializer(gain)


@rule("tf.keras.initializers.LecunUniform", samples=_draws("tf.keras.initializers.LecunUniform()", "init([300, 20])"))
def lecun_uniform(seed: Ignored = None, input_axes=None, output_axes=None):
    default_axes(input_axes, output_axes)
    return scaling_initializer(1.0, "fan_in", "uniform")


@rule("tf.keras.initializers.LecunNormal", samples=_draws("tf.keras.initializers.LecunNormal()", "init([20, 300])"))
def lecun_normal(seed: Ignored = None, input_axes=None, output_axes=None):
    default_axes(input_axes, output_axes)
    return scaling_initializer(1.0)


@rule(
    "tf.keras.initializers.Orthogonal",
    samples=_draws("tf.keras.initializers.Orthogonal(gain=2.0)", "init([60, 40])", "init([40, 60])"),
)
def orthogonal(gain=1.0, seed: Ignored = None):
    return orthogonal_initializer(gain)
