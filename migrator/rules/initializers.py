"""Keras initialisers as statements of `reset_parameters`.

The normal ones of Keras are cut at two standard deviations; He, Glorot and Lecun also divide by
0.8796 so that the variance is right after the cut (measured, see `docs/rules.md`).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from migrator.model import Helper
from migrator.rules.engine.declining import Decline
from migrator.rules.spelling import of_value
from migrator.values import Api, Instance, Literal, Value


@dataclass(frozen=True)
class Init:
    """A statement that fills `{w}`, and what it needs."""

    statement: str
    helpers: tuple[Helper, ...] = ()

    def at(self, weight: str) -> str:
        """The statement for one weight; braces of other marks stay."""
        return self.statement.replace("{w}", weight)


def _scaled(name: str, keras: str, fans: str, variance: str) -> Helper:
    source = f'''def {name}(weight):
    """Keras "{keras}": a normal truncated at two standard deviations."""
    {fans} = nn.init._calculate_fan_in_and_fan_out(weight)
    std = ({variance}) ** 0.5 / 0.87962566103423978  # keeps the variance after truncation
    return nn.init.trunc_normal_(weight, std=std, a=-2 * std, b=2 * std)
'''
    return Helper(name, source, ("from torch import nn",))


HE_NORMAL = _scaled("he_normal_", "he_normal", "fan_in, _", "2.0 / fan_in")
LECUN_NORMAL = _scaled("lecun_normal_", "lecun_normal", "fan_in, _", "1.0 / fan_in")
GLOROT_NORMAL = _scaled("glorot_normal_", "glorot_normal", "fan_in, fan_out", "2.0 / (fan_in + fan_out)")

VARIANCE_SCALING = Helper(
    "variance_scaling_",
    '''def variance_scaling_(weight, scale=1.0, mode="fan_in", distribution="truncated_normal"):
    """Keras "VarianceScaling"."""
    fan_in, fan_out = nn.init._calculate_fan_in_and_fan_out(weight)
    fan = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}[mode]
    std = (scale / max(1.0, fan)) ** 0.5
    if distribution == "uniform":
        return nn.init.uniform_(weight, -(3.0**0.5) * std, 3.0**0.5 * std)
    if distribution == "untruncated_normal":
        return nn.init.normal_(weight, std=std)
    std = std / 0.87962566103423978  # keeps the variance after truncation
    return nn.init.trunc_normal_(weight, std=std, a=-2 * std, b=2 * std)
''',
    ("from torch import nn",),
)

IDENTITY = Helper(
    "scaled_identity_",
    '''def scaled_identity_(weight, gain):
    """`gain` on the diagonal, zeros elsewhere."""
    with torch.no_grad():
        return nn.init.eye_(weight).mul_(gain)
''',
    ("import torch", "from torch import nn"),
)
_Maker = Callable[[dict[str, Value]], Init]


def _plain(statement: str, *helpers: Helper) -> _Maker:
    return lambda _: Init(statement, helpers)


def _constant(args: dict[str, Value]) -> Init:
    return Init(f"nn.init.constant_({{w}}, {of_value(args.get('value'), 0)})")


def _normal(args: dict[str, Value]) -> Init:
    mean, std = of_value(args.get("mean"), 0.0), of_value(args.get("stddev"), 0.05)
    return Init(f"nn.init.normal_({{w}}, {'' if mean == '0.0' else f'mean={mean}, '}std={std})")


def _truncated(args: dict[str, Value]) -> Init:
    mean, std = of_value(args.get("mean"), 0.0), args.get("stddev", Literal(0.05))
    if mean not in ("0.0", "0"):
        raise Decline("a truncated normal that is not around zero")
    text = of_value(std, 0)
    if isinstance(std, Literal) and isinstance(std.value, (int, float)):
        cut = of_value(Literal(2 * std.value), 0)
    else:
        cut = f"2 * {text}" if re.fullmatch(r"[\w.]+", text) else f"2 * ({text})"
    return Init(f"nn.init.trunc_normal_({{w}}, std={text}, a=-{cut}, b={cut})")


def _uniform(args: dict[str, Value]) -> Init:
    low, high = of_value(args.get("minval"), -0.05), of_value(args.get("maxval"), 0.05)
    return Init(f"nn.init.uniform_({{w}}, {low}, {high})")


def _orthogonal(args: dict[str, Value]) -> Init:
    gain = of_value(args.get("gain"), 1.0)
    return Init("nn.init.orthogonal_({w})" if gain in ("1.0", "1") else f"nn.init.orthogonal_({{w}}, gain={gain})")


def _identity(args: dict[str, Value]) -> Init:
    gain = of_value(args.get("gain"), 1.0)
    if gain in ("1.0", "1"):
        return Init("nn.init.eye_({w})")
    return Init(f"scaled_identity_({{w}}, {gain})", (IDENTITY,))


def _variance_scaling(args: dict[str, Value]) -> Init:
    given = [f"scale={of_value(args.get('scale'), 1.0)}"]
    for name, known in (
        ("mode", ("fan_in", "fan_out", "fan_avg")),
        ("distribution", ("truncated_normal", "normal", "uniform", "untruncated_normal")),
    ):
        if name in args:
            value = args[name]
            if not isinstance(value, Literal) or value.value not in known:
                raise Decline(f"`{name}` of VarianceScaling is not known")
            text = "truncated_normal" if value.value == "normal" else value.value
            given.append(f'{name}="{text}"')
    return Init(f"variance_scaling_({{w}}, {', '.join(given)})", (VARIANCE_SCALING,))


_MAKERS: dict[str, _Maker] = {
    "GlorotUniform": _plain("nn.init.xavier_uniform_({w})"),
    "GlorotNormal": _plain("glorot_normal_({w})", GLOROT_NORMAL),
    "HeUniform": _plain('nn.init.kaiming_uniform_({w}, nonlinearity="relu")'),
    "HeNormal": _plain("he_normal_({w})", HE_NORMAL),
    "LecunUniform": _plain('nn.init.kaiming_uniform_({w}, nonlinearity="linear")'),
    "LecunNormal": _plain("lecun_normal_({w})", LECUN_NORMAL),
    "Zeros": _plain("nn.init.zeros_({w})"),
    "Ones": _plain("nn.init.ones_({w})"),
    "Constant": _constant,
    "RandomNormal": _normal,
    "TruncatedNormal": _truncated,
    "RandomUniform": _uniform,
    "Orthogonal": _orthogonal,
    "VarianceScaling": _variance_scaling,
    "Identity": _identity,
}
APIS = tuple(f"tf.keras.initializers.{name}" for name in _MAKERS)
_NAMES = {
    **{name.lower(): name for name in _MAKERS},
    "glorot_uniform": "GlorotUniform",
    "glorot_normal": "GlorotNormal",
    "he_uniform": "HeUniform",
    "he_normal": "HeNormal",
    "lecun_uniform": "LecunUniform",
    "lecun_normal": "LecunNormal",
    "zero": "Zeros",
    "one": "Ones",
    "normal": "RandomNormal",
    "random_normal": "RandomNormal",
    "truncated_normal": "TruncatedNormal",
    "uniform": "RandomUniform",
    "random_uniform": "RandomUniform",
    "variance_scaling": "VarianceScaling",
    "glorot_normal_initializer": "GlorotNormal",
    "glorot_uniform_initializer": "GlorotUniform",
    "zeros_initializer": "Zeros",
    "ones_initializer": "Ones",
    "constant_initializer": "Constant",
    "random_normal_initializer": "RandomNormal",
    "random_uniform_initializer": "RandomUniform",
    "identityinitializer": "Identity",
}


def initializer(value: Value) -> Init:
    """The initialiser that an argument names or makes. Raises `Decline` when it is unknown."""
    name, args = _named(value)
    found = _MAKERS.get(_NAMES.get(name.lower(), name))
    if found is None:
        raise Decline(f"initializer `{name}` is not known")
    return found(args)


_BY_FANS = ("xavier", "kaiming", "he_normal_", "lecun_normal_", "glorot_normal_", "variance_scaling_")


def goes_by_fans(value: Value) -> bool:
    """Whether an initialiser's spread depends on how many inputs and outputs a weight has. Raises `Decline`."""
    statement = initializer(value).statement
    return any(word in statement for word in _BY_FANS)


def no_orthogonal(value: Value) -> None:
    """Declines an orthogonal weight where torch has its axes in another order, of which it cannot fill a view."""
    if "orthogonal" in initializer(value).statement:
        raise Decline("an orthogonal weight of more than two axes")


def is_identity(value: Value) -> bool:
    """Whether an initialiser's values depend on their place, so that it asks for the weight in Keras's order."""
    said = isinstance(value, Literal) and isinstance(value.value, str)
    named = _named(value)[0] if said or isinstance(value, Instance | Api) else ""
    return _NAMES.get(named.lower()) == "Identity"


def _named(value: Value) -> tuple[str, dict[str, Value]]:
    if isinstance(value, Literal) and isinstance(value.value, str):
        return value.value, {}
    if isinstance(value, Literal) and value.value is None:
        return "glorot_uniform", {}
    if isinstance(value, Instance):
        return value.api.rpartition(".")[2], dict(value.args)
    if isinstance(value, Api):
        return value.name.rpartition(".")[2], {}
    raise Decline("the initializer is not known when rewriting")
