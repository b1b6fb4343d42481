"""Activation functions as arguments of layers: names, functions, None."""

from __future__ import annotations

from migrator.model import Helper
from migrator.rules.engine.declining import Decline
from migrator.values import Api, Instance, Literal, Scalar, Value

# Keras's name → torch expression. `{x}` is the input; softmax is over the last axis.
TEMPLATES = {
    "relu": "F.relu({x})",
    "sigmoid": "torch.sigmoid({x})",
    "tanh": "torch.tanh({x})",
    "softmax": "F.softmax({x}, dim=-1)",
    "log_softmax": "F.log_softmax({x}, dim=-1)",
    "elu": "F.elu({x})",
    "selu": "F.selu({x})",
    "gelu": "F.gelu({x})",
    "silu": "F.silu({x})",
    "swish": "F.silu({x})",
    "mish": "F.mish({x})",
    "softplus": "F.softplus({x})",
    "softsign": "F.softsign({x})",
    "relu6": "F.relu6({x})",
    "exponential": "torch.exp({x})",
    "leaky_relu": "F.leaky_relu({x}, 0.2)",
    "hard_sigmoid": "F.hardsigmoid({x})",
    "hard_silu": "F.hardswish({x})",
    "hard_swish": "F.hardswish({x})",
}
FUNCTION = "function"
"""Of an activation that is a function of the run: it works on tensors as Keras lays them out."""

_KERAS_2 = {"hard_sigmoid": "torch.clamp(0.2 * {x} + 0.5, 0.0, 1.0)"}
_ONLY_KERAS_3 = frozenset({"log_softmax", "silu", "relu6", "leaky_relu", "hard_silu", "hard_swish"})
_LINEAR = frozenset({"linear"})
NAMED = "named"  # in the place of a name that only the run knows

_APIS = {
    "tf.sigmoid": "sigmoid",
    "tf.tanh": "tanh",
    "tf.exp": "exponential",
    **{
        f"tf.nn.{n}": n
        for n in ("relu", "softmax", "log_softmax", "elu", "selu", "gelu", "silu", "softplus", "softsign")
    },
    "tf.compat.v1.nn.softmax": "softmax",
    "tf.compat.v1.nn.log_softmax": "log_softmax",
    "tf.nn.swish": "silu",
    "tf.nn.relu6": "relu6",
    "tf.nn.leaky_relu": "leaky_relu",
    "tf.nn.sigmoid": "sigmoid",
    "tf.nn.tanh": "tanh",
    "tf.math.softplus": "softplus",
    "tf.math.tanh": "tanh",
    "tf.math.sigmoid": "sigmoid",
}


def of_value(value: Value, keras: int = 3) -> tuple[str, str] | None:
    """(template with `{x}`, Keras's name) of an activation argument; None for linear.

    Raises `Decline` when it is unknown.
    """
    name = _name(value)
    if name is None or name in _LINEAR:
        return None
    if keras == 2 and name in _KERAS_2:
        return _KERAS_2[name], name
    if name not in TEMPLATES:
        raise Decline(f"activation `{name}` is not known")
    return TEMPLATES[name], name


def _name(value: Value) -> str | None:
    if isinstance(value, Literal):
        if value.value is None:
            return None
        if isinstance(value.value, str):
            return value.value
    if isinstance(value, (Api, Instance)):
        api = value.name if isinstance(value, Api) else value.api
        if api in _APIS:
            return _APIS[api]
        if api.startswith("tf.keras.activations.") and isinstance(value, Api):
            return api.removeprefix("tf.keras.activations.")
    raise Decline("the activation is not known when rewriting")


def is_named_at_run_time(value: Value) -> bool:
    """Whether an activation is a parameter that callers give as a name."""
    return isinstance(value, Scalar) and value.type in ("str", None) and value.sym is not None


activation_named = Helper(
    "activation_named",
    '''def activation_named(identifier, dim=-1):
    """The activation of this name; a function stays itself, None is the identity. `dim`: the axis of channels."""
    if identifier is None or callable(identifier):
        return identifier or linear
    return partial(F.softmax, dim=dim) if identifier == "softmax" else ACTIVATIONS[identifier]


def linear(x):
    return x


ACTIVATIONS = {
    "linear": linear,
    "relu": F.relu,
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "elu": F.elu,
    "selu": F.selu,
    "gelu": F.gelu,
    "swish": F.silu,
    "silu": F.silu,
    "softplus": F.softplus,
    "softsign": F.softsign,
    "exponential": torch.exp,
    "relu6": F.relu6,
}
''',
    ("import torch", "import torch.nn.functional as F", "from functools import partial"),
)
