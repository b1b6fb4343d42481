"""Initialisers that are called by hand: functions that make a tensor of a shape."""
# mypy: disable-error-code="no-untyped-def, no-untyped-call, misc, operator"

from __future__ import annotations

from dataclasses import replace

from migrator.model import Helper
from migrator.rules.engine.declining import Decline
from migrator.rules.engine.kinds import Ignored
from migrator.rules.engine.registry import rule
from migrator.rules.engine.samples import Sample, block

_TYPED = "dtype = getattr(torch, dtype) if isinstance(dtype, str) else dtype or torch.float32"


def _helper(name: str, params: str, doc: str, made: str, before: str = "") -> Helper:
    source = f'''def {name}({params}):
    """{doc}"""

    def initialize(shape, dtype=None):
        {_TYPED}
{before}        return {made}

    return initialize
'''
    return Helper(name, source, ("import torch",))


zeros_initializer = _helper("zeros_initializer", "", "Makes zeros of a shape.", "torch.zeros(shape, dtype=dtype)")
ones_initializer = _helper("ones_initializer", "", "Makes ones of a shape.", "torch.ones(shape, dtype=dtype)")
constant_initializer = _helper(
    "constant_initializer",
    "value=0.0",
    "Makes tensors of a shape that hold `value`, which may be an array.",
    "filled.broadcast_to(tuple(shape)).clone()",
    before="""        filled = torch.as_tensor(value, dtype=dtype)
        if filled.numel() == torch.Size(shape).numel():
            return filled.reshape(tuple(shape)).clone()
""",
)
normal_initializer = _helper(
    "normal_initializer",
    "mean=0.0, std=0.05",
    "Makes normally distributed tensors.",
    "torch.empty(shape, dtype=dtype).normal_(mean, std)",
)
uniform_initializer = _helper(
    "uniform_initializer",
    "low=-0.05, high=0.05",
    "Makes uniformly distributed tensors.",
    "torch.empty(shape, dtype=dtype).uniform_(low, high)",
)
truncated_initializer = Helper(
    "truncated_initializer",
    f'''def truncated_initializer(mean=0.0, std=0.05):
    """Makes normally distributed tensors without what is more than two deviations away."""

    def initialize(shape, dtype=None):
        {_TYPED}
        weight = torch.empty(shape, dtype=dtype)
        return nn.init.trunc_normal_(weight, mean=mean, std=std, a=mean - 2 * std, b=mean + 2 * std)

    return initialize
''',
    ("import torch", "from torch import nn"),
)
scaling_initializer = Helper(
    "scaling_initializer",
    f'''def scaling_initializer(scale=1.0, mode="fan_in", distribution="truncated_normal"):
    """Makes tensors (…, inputs, outputs) whose variance is `scale` over the number of inputs, outputs or their mean."""

    def initialize(shape, dtype=None):
        {_TYPED}
        weight = torch.empty(shape, dtype=dtype)
        field = weight[..., 0, 0].numel() if weight.dim() > 1 else 1
        fan_in, fan_out = ((*weight.shape, *weight.shape) if weight.dim() == 1 else weight.shape)[-2:]
        fans = {{"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}}
        std = (scale / max(1.0, fans[mode] * field)) ** 0.5
        if distribution == "uniform":
            return weight.uniform_(-(3.0**0.5) * std, 3.0**0.5 * std)
        if distribution == "untruncated_normal":
            return weight.normal_(0.0, std)
        std = std / 0.87962566103423978  # keeps the variance after truncation
        return nn.init.trunc_normal_(weight, std=std, a=-2 * std, b=2 * std)

    return initialize
''',
    ("import torch", "from torch import nn"),
)


def _calls(made: str, *shapes: str) -> list[Sample]:
    return [replace(block(f"init = {made}\nreturn {call}"), grad=False) for call in shapes]


def _draws(made: str, *shapes: str) -> list[Sample]:
    return [replace(sample, random=True) for sample in _calls(made, *shapes)]


_SHAPES = ("init(shape=(3, 4))", "init([2, 3], dtype=tf.int32)", "init((3,), dtype='float64')")
_LARGE = ("init([300, 20])", "init(shape=(20, 300), dtype=tf.float32)")
_SEED = ["the seed is dropped: random streams differ anyway"]


def only_float32(dtype: object) -> None:
    """Declines a dtype of its own, which the old initialisers have."""
    if dtype != "float32":
        raise Decline("a dtype other than float32")


@rule("tf.zeros_initializer", samples=_calls("tf.zeros_initializer()", *_SHAPES))
def zeros():
    return zeros_initializer()


@rule("tf.ones_initializer", samples=_calls("tf.ones_initializer()", *_SHAPES))
def ones():
    return ones_initializer()


@rule(
    "tf.constant_initializer",
    samples=[
        *_calls("tf.constant_initializer(0.1)", *_SHAPES[::2]),
        *_calls("tf.constant_initializer([1.0, 2.0])", "init((2,))"),
        *_calls("tf.constant_initializer([1, 2, 3, 4, 5, 6])", "init([2, 3], tf.float32)"),
    ],
)
def constant(value=0, support_partition: Ignored = False):
    return constant_initializer(value)


@rule(
    "tf.random_normal_initializer",
    samples=[
        *_draws("tf.random_normal_initializer(0.0, 0.5)", *_LARGE),
        *_draws("tf.random_normal_initializer()", *_LARGE),
    ],
    gaps=_SEED,
)
def random_normal(mean=0.0, stddev=0.05, seed: Ignored = None):
    return normal_initializer(mean, stddev)


@rule(
    "tf.random_uniform_initializer",
    samples=[*_draws("tf.random_uniform_initializer(-1.0, 3.0)", *_LARGE)],
    gaps=_SEED,
)
def random_uniform(minval=-0.05, maxval=0.05, seed: Ignored = None):
    return uniform_initializer(minval, maxval)


@rule("tf.keras.initializers.Zeros", samples=_calls("tf.keras.initializers.Zeros()", *_SHAPES))
def keras_zeros():
    return zeros_initializer()


@rule("tf.keras.initializers.Ones", samples=_calls("tf.keras.initializers.Ones()", *_SHAPES))
def keras_ones():
    return ones_initializer()


@rule("tf.keras.initializers.Constant", samples=_calls("tf.keras.initializers.Constant(2.0)", *_SHAPES))
def keras_constant(value=0.0):
    return constant_initializer(value)


@rule(
    "tf.keras.initializers.RandomNormal",
    samples=_draws("tf.keras.initializers.RandomNormal(stddev=0.02)", *_LARGE),
    gaps=_SEED,
)
def keras_normal(mean=0.0, stddev=0.05, seed: Ignored = None):
    return normal_initializer(mean, stddev)


@rule(
    "tf.keras.initializers.RandomUniform",
    samples=_draws("tf.keras.initializers.RandomUniform(-0.5, 0.5)", *_LARGE),
    gaps=_SEED,
)
def keras_uniform(minval=-0.05, maxval=0.05, seed: Ignored = None):
    return uniform_initializer(minval, maxval)


@rule(
    "tf.keras.initializers.TruncatedNormal",
    samples=_draws("tf.keras.initializers.TruncatedNormal(0.5, 0.02)", *_LARGE),
    gaps=_SEED,
)
def keras_truncated(mean=0.0, stddev=0.05, seed: Ignored = None):
    return truncated_initializer(mean, stddev)


def known_distribution(name: object) -> object:
    """Today's name of a distribution."""
    names = {"normal": "truncated_normal"}
    found = names.get(str(name), name)
    if found not in ("truncated_normal", "untruncated_normal", "uniform"):
        raise Decline("a distribution that is not known")
    return found


@rule(
    "tf.keras.initializers.VarianceScaling",
    samples=_draws("tf.keras.initializers.VarianceScaling(2.0, 'fan_out', 'uniform')", *_LARGE),
    gaps=_SEED,
)
def keras_scaling(
    scale=1.0, mode="fan_in", distribution="truncated_normal", seed: Ignored = None, input_axes=None, output_axes=None
):
    default_axes(input_axes, output_axes)
    kind = known_distribution(distribution)
    return scaling_initializer(scale, mode, kind)


@rule(
    "tf.keras.initializers.GlorotUniform", samples=_draws("tf.keras.initializers.GlorotUniform()", *_LARGE), gaps=_SEED
)
def glorot_uniform(seed: Ignored = None, input_axes=None, output_axes=None):
    default_axes(input_axes, output_axes)
    return scaling_initializer(1.0, "fan_avg", "uniform")


@rule("tf.keras.initializers.GlorotNormal", samples=_draws("tf.keras.initializers.GlorotNormal()", *_LARGE), gaps=_SEED)
def glorot_normal(seed: Ignored = None, input_axes=None, output_axes=None):
    default_axes(input_axes, output_axes)
    return scaling_initializer(1.0, "fan_avg")


@rule("tf.keras.initializers.HeUniform", samples=_draws("tf.keras.initializers.HeUniform()", *_LARGE), gaps=_SEED)
def he_uniform(seed: Ignored = None, input_axes=None, output_axes=None):
    default_axes(input_axes, output_axes)
    return scaling_initializer(2.0, "fan_in", "uniform")


@rule(
    "tf.keras.initializers.HeNormal",
    samples=_draws("tf.keras.initializers.HeNormal(seed=3)", *_LARGE, "init([3, 3, 20, 30])"),
    gaps=_SEED,
)
def he_normal(seed: Ignored = None, input_axes=None, output_axes=None):
    default_axes(input_axes, output_axes)
    return scaling_initializer(2.0)


def default_axes(*axes: object) -> None:
    """Declines axes of its own."""
    if any(a is not None for a in axes):
        raise Decline("axes of inputs or outputs are given")


@rule(
    "tf.compat.v1.truncated_normal_initializer",
    samples=_draws("tf.compat.v1.truncated_normal_initializer(stddev=0.1)", *_LARGE),
    gaps=_SEED,
)
def truncated_v1(mean=0.0, stddev=1.0, seed: Ignored = None, dtype="float32"):
    only_float32(dtype)
    return truncated_initializer(mean, stddev)


@rule(
    "tf.compat.v1.random_normal_initializer",
    samples=_draws("tf.compat.v1.random_normal_initializer(0.0, 0.1)", *_LARGE),
    gaps=_SEED,
)
def normal_v1(mean=0.0, stddev=1.0, seed: Ignored = None, dtype="float32"):
    only_float32(dtype)
    return normal_initializer(mean, stddev)


@rule(
    "tf.compat.v1.variance_scaling_initializer",
    samples=_draws("tf.compat.v1.variance_scaling_initializer(2.0)", *_LARGE),
    gaps=_SEED,
)
def scaling_v1(scale=1.0, mode="fan_in", distribution="truncated_normal", seed: Ignored = None, dtype="float32"):
    only_float32(dtype)
    kind = known_distribution(distribution)
    return scaling_initializer(scale, mode, kind)


@rule(
    "tf.compat.v1.glorot_uniform_initializer",
    samples=_draws("tf.compat.v1.glorot_uniform_initializer()", *_LARGE),
    gaps=_SEED,
)
def glorot_uniform_v1(seed: Ignored = None, dtype="float32"):
    only_float32(dtype)
    return scaling_initializer(1.0, "fan_avg", "uniform")


@rule(
    "tf.compat.v1.glorot_normal_initializer",
    samples=_draws("tf.compat.v1.glorot_normal_initializer()", *_LARGE),
    gaps=_SEED,
)
def glorot_normal_v1(seed: Ignored = None, dtype="float32"):
    only_float32(dtype)
    return scaling_initializer(1.0, "fan_avg")
