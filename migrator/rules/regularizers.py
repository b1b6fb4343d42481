"""Keras regularisers as expressions added to the loss."""

from __future__ import annotations

from migrator.rules.engine.declining import Decline
from migrator.rules.spelling import of_value
from migrator.values import Instance, Literal, Value

NAMED_LATE = Instance("tf.keras.regularizers.get")
"""A regulariser of which only the run knows whether there is one, and which."""

_DEFAULTS = {"L1": {"l1": 0.01}, "L2": {"l2": 0.01}, "L1L2": {"l1": 0.0, "l2": 0.0}}
APIS = tuple(f"tf.keras.regularizers.{name}" for name in _DEFAULTS)
_NAMES = {"l1": "L1", "l2": "L2", "l1_l2": "L1L2", "l1l2": "L1L2"}
_TERMS = {"l1": "{c} * {w}.abs().sum()", "l2": "{c} * {w}.square().sum()"}


def penalty(value: Value, weight: str, text: str = "") -> tuple[str, ...]:
    """The terms that a regulariser adds for `weight`. Raises `Decline` when it is unknown.

    Where only the run knows it, `text` is the object, which may be None: then the term stands under an `if`.
    """
    if value == NAMED_LATE and text:
        return (f"if {text} is not None:\n    {text}({weight})",)
    found = factors(value)
    return tuple(_TERMS[part].replace("{c}", factor).replace("{w}", weight) for part, factor in found.items())


def factors(value: Value) -> dict[str, str]:
    """The factors, as source, of a regulariser's sums: of absolute values (`l1`), of squares (`l2`)."""
    if isinstance(value, Literal) and value.value is None:
        return {}
    name, args = _named(value)
    kind = _NAMES.get(name.lower(), name)
    if kind not in _DEFAULTS:
        raise Decline(f"regularizer `{name}` is not known")
    found = {part: of_value(args.get(part) or args.get("l"), default) for part, default in _DEFAULTS[kind].items()}
    return {part: factor for part, factor in found.items() if factor not in ("0", "0.0")}


def _named(value: Value) -> tuple[str, dict[str, Value]]:
    if isinstance(value, Literal) and isinstance(value.value, str):
        return value.value, {}
    if isinstance(value, Instance):
        return value.api.rpartition(".")[2], dict(value.args)
    raise Decline("the regularizer is not known when rewriting")
