"""What layers do with their weights: initialise, regularise, map."""

from __future__ import annotations

from dataclasses import dataclass

from migrator.model import Helper
from migrator.rules.engine.declining import Decline
from migrator.rules.initializers import initializer
from migrator.rules.layers.call import LayerArg
from migrator.rules.regularizers import penalty
from migrator.values import Literal, Unknown, Value


@dataclass(frozen=True)
class Weights:
    """Statements, penalties and the map of a layer's weights; `+` joins two."""

    init: tuple[str, ...] = ()
    penalty: tuple[str, ...] = ()
    params: tuple[tuple[str, str, str], ...] = ()
    helpers: tuple[Helper, ...] = ()

    def __add__(self, other: Weights) -> Weights:
        return Weights(
            self.init + other.init,
            self.penalty + other.penalty,
            self.params + other.params,
            self.helpers + other.helpers,
        )


def value_of(arg: LayerArg) -> Value:
    """The abstract value of an argument, or the literal that is written."""
    if isinstance(arg.value, Unknown) and arg.is_written:
        return Literal(arg.known)
    return arg.value


def weight(
    keras: str,
    name: str,
    transform: str,
    initial: LayerArg,
    regularizer: LayerArg | None = None,
    constraint: LayerArg | None = None,
    *,
    view: str = "",
    unless_none: bool = False,
) -> Weights:
    """One weight: `keras` name, torch `name` below the submodule, transform, initialiser, regulariser.

    `view` is put behind the weight in the initialiser, where Keras counts fans on another layout.
    """
    if constraint is not None and value_of(constraint) != Literal(None):
        raise Decline(f"`{constraint.name}` is given")
    target = f"{{self}}.{name}"
    made = initializer(value_of(initial))
    statement = made.at(target + view)
    if unless_none:
        statement = f"if {target} is not None:\n    {statement}"
    terms = () if regularizer is None else penalty(value_of(regularizer), target)
    return Weights((statement,), terms, ((keras, name, transform),), made.helpers)


def bias_weights(
    use_bias: LayerArg, initial: LayerArg, regularizer: LayerArg, constraint: LayerArg, name: str = "bias"
) -> Weights:
    """The bias, if there is one; `use_bias` may be an expression."""
    if use_bias.is_known and not use_bias.known:
        return Weights()
    return weight("bias", name, "", initial, regularizer, constraint, unless_none=not use_bias.is_known)


def bias_argument(use_bias: LayerArg) -> str:
    """`, bias=…` where it is not torch's default."""
    return "" if use_bias.is_known and use_bias.known is True else f", bias={use_bias.text}"
