"""What layers do with their weights: initialise, regularise, map."""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass

from migrator.model import Helper
from migrator.rules.constraints import Bounded
from migrator.rules.constraints import constraint as constrained
from migrator.rules.engine.declining import Decline
from migrator.rules.initializers import Init, initializer, is_identity
from migrator.rules.layers.call import LayerArg
from migrator.rules.ops.initializer_names import initializer_named
from migrator.rules.regularizers import NAMED_LATE, penalty
from migrator.values import Instance, Literal, RepoFunction, RepoInstance, Scalar, Unknown, Value


@dataclass(frozen=True)
class Weights:
    """Statements, penalties, constraints and the map of a layer's weights; `+` joins two."""

    init: tuple[str, ...] = ()
    penalty: tuple[str, ...] = ()
    constraint: tuple[str, ...] = ()
    params: tuple[tuple[str, str, str], ...] = ()
    helpers: tuple[Helper, ...] = ()

    def __add__(self, other: Weights) -> Weights:
        return Weights(
            self.init + other.init,
            self.penalty + other.penalty,
            self.constraint + other.constraint,
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
    rank: int = 1,
) -> Weights:
    """One weight: `keras` name, torch `name` below the submodule, transform, initialiser, regulariser, constraint.

    `view` is put behind the weight in the initialiser, where Keras counts fans on another layout. `rank`: of a
    weight that is the same in torch.
    """
    target = f"{{self}}.{name}"
    if (is_named_late(initial) or is_own(initial)) and not view:
        made = named_late(initial.text, initial.value)
        statement = made.at(target + _keras_view(transform))
    else:
        made = initializer(value_of(initial))
        statement = made.at(target + view)
        if is_identity(value_of(initial)) and transform not in ("", "T"):
            raise Decline("an identity as the initial value of a weight that torch keeps in another order")
    terms = () if regularizer is None else _penalty(regularizer, target, transform)
    bounds = () if constraint is None else _bounds(constraint, target, transform, rank)
    if unless_none:
        statement = _unless_none(target, statement)
        bounds = (_unless_none(target, "\n".join(bounds)),) if bounds else ()
    return Weights((statement,), terms, bounds, ((keras, name, transform),), made.helpers)


def _unless_none(target: str, statement: str) -> str:
    return f"if {target} is not None:\n{textwrap.indent(statement, '    ')}"


def _penalty(regularizer: LayerArg, target: str, transform: str) -> tuple[str, ...]:
    if is_own(regularizer):
        return (f"{regularizer.text}({target}{_keras_view(transform)})",)
    if value_of(regularizer) == NAMED_LATE:
        return penalty(NAMED_LATE, target + _keras_view(transform), regularizer.text)
    return penalty(value_of(regularizer), target)


def _bounds(constraint: LayerArg, target: str, transform: str, rank: int) -> tuple[str, ...]:
    if is_own(constraint):
        seen = target + _keras_view(transform)
        return (f"{seen}.copy_({constraint.text}({seen}))",)
    return constrained(value_of(constraint), Bounded.of(target, transform, rank))


def is_own(arg: LayerArg) -> bool:
    """Whether an argument is an object or function of the repository: it is called with the weight as Keras has it."""
    return isinstance(arg.value, RepoInstance | RepoFunction)


def is_named_late(initial: LayerArg) -> bool:
    """Whether only the run says which initialiser it is: an argument of the constructor, or what `get` made of it."""
    value = initial.value
    if re.fullmatch(r"(self\.)?\w+", initial.text) and (_is_string(value) or _is_parameter(value)):
        return True
    return isinstance(value, Instance) and value.api == "tf.keras.initializers.get"


def _is_string(value: Value) -> bool:
    return isinstance(value, Scalar) and value.type == "str"


def _is_parameter(value: Value) -> bool:
    """Whether nothing is known of a value but the parameter that it is."""
    return isinstance(value, Unknown) and value.sym is not None and value.sym.text.isidentifier()


def named_late(text: str, value: Value) -> Init:
    """The statement that fills a weight, seen as Keras has it, by an initialiser that is an object of the run."""
    if isinstance(value, RepoInstance | RepoFunction):  # Keras says which type as well
        return Init(f"with torch.no_grad():\n    {{w}}.copy_({text}({{w}}.shape, dtype={{w}}.dtype))")
    called, helpers = text, tuple[Helper, ...]()
    if isinstance(value, Scalar | Unknown):
        called, helpers = f"initializer_named({text})", (initializer_named,)
    return Init(f"with torch.no_grad():\n    {{w}}.copy_({called}({{w}}.shape))", helpers)


def _keras_view(transform: str) -> str:
    """A torch weight with its axes in Keras's order. Raises `Decline` where that is no mere order of axes."""
    if transform in ("", "T"):
        return ".T" if transform else ""
    found = re.fullmatch(r"transpose\(([\d,]+)\)", transform)
    if found is None:
        raise Decline("an object of the repository or of the run, for a weight that has another form in torch")
    order = [int(axis) for axis in found.group(1).split(",")]
    back = sorted(range(len(order)), key=order.__getitem__)
    return f".permute({', '.join(map(str, back))})"


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
