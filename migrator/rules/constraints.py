"""Keras constraints as statements that put a weight back into its bounds after a step of the optimizer."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from migrator.model import Helper
from migrator.rules.engine.args import from_facts
from migrator.rules.engine.declining import Decline
from migrator.rules.spelling import of_value
from migrator.values import Instance, Literal, Value

_PREFIX = "tf.keras.constraints."
_NAMES = {"maxnorm": "MaxNorm", "nonneg": "NonNeg", "unitnorm": "UnitNorm", "minmaxnorm": "MinMaxNorm"} | {
    "radialconstraint": "RadialConstraint"
}
radial: Any = Helper(
    "radial",
    '''def radial(kernels):
    """Kernels (..., size, size) with one value on each ring around the centre, taken from the diagonal."""
    size = kernels.shape[-1]
    places = (2 * torch.arange(size) - size + 1).abs() // 2
    rings = torch.maximum(places[:, None], places)
    diagonal = torch.where(rings == 0, size // 2 - 1, size // 2 + rings - size % 2)
    return kernels[..., diagonal, diagonal]
''',
    ("import torch",),
)


@dataclass(frozen=True)
class Bounded:
    """A weight that is constrained: its text, its rank where it is known, and where Keras's axes are in torch.

    `axes`: Keras's axis → torch's. None: the weight has another form in torch, so that only what works
    on every number apart can be said of it.
    """

    text: str
    axes: tuple[int, ...] | None

    @classmethod
    def of(cls, text: str, transform: str, rank: int) -> Bounded:
        """The weight that `transform` (as in `WeightRecord`) makes of Keras's."""
        order = re.fullmatch(r"transpose\(([\d,]+)\)", transform)
        if order is not None:
            found = [int(axis) for axis in order.group(1).split(",")]
            return cls(text, tuple(found.index(axis) for axis in range(len(found))))
        if transform == "T" or re.fullmatch(r"T blocks\([\d,]+\)", transform):
            return cls(text, (1, 0))
        return cls.same(text, rank if re.fullmatch(r"(blocks\([\d,]+\))?", transform) else None)

    @classmethod
    def same(cls, text: str, rank: int | None) -> Bounded:
        """A weight whose axes are Keras's."""
        return cls(text, None if rank is None else tuple(range(rank)))

    def dims(self, axis: Value | None) -> tuple[int, ...]:
        """The torch axes of Keras's `axis`, in order."""
        found = 0 if axis is None else from_facts(axis)
        items = found if isinstance(found, (list, tuple)) else [found]
        listed = [each for each in items if isinstance(each, int)]
        if len(listed) < len(items):
            raise Decline("the axis of a constraint is not known when rewriting")
        if self.axes is None:
            raise Decline("a constraint of norms on a weight that has another form in torch")
        rank = len(self.axes)
        if not all(-rank <= each < rank for each in listed):
            raise Decline("the axis of a constraint is none of the weight's")
        return tuple(sorted(self.axes[each] for each in listed))

    def only_other(self, dims: tuple[int, ...]) -> int | None:
        """The one torch axis that is not among `dims`, or None."""
        others = set(range(len(self.axes or ()))) - set(dims)
        return others.pop() if len(others) == 1 else None


_Args = Mapping[str, Value]


def constraint(value: Value, bounded: Bounded) -> tuple[str, ...]:
    """The statements, under `torch.no_grad()`, that do to the weight what a constraint does. Raises `Decline`.

    Keras multiplies by bound / (norm + 1e-7) where a norm is within its bounds too: rounding, which torch leaves out.
    """
    if isinstance(value, Literal) and value.value is None:
        return ()
    name, args = _named(value)
    make = _STATEMENTS.get(_NAMES.get(name.lower().replace("_", ""), name))
    if make is None:
        raise Decline(f"constraint `{name}` is not known")
    return make(args, bounded)


def _named(value: Value) -> tuple[str, _Args]:
    if isinstance(value, Literal) and isinstance(value.value, str):
        return value.value, {}
    if isinstance(value, Instance) and value.api.startswith(_PREFIX):
        return value.api.removeprefix(_PREFIX), dict(value.args)
    raise Decline("the constraint is not known when rewriting")


def _non_neg(args: _Args, bounded: Bounded) -> tuple[str, ...]:
    return (f"{bounded.text}.clamp_(min=0.0)",)


def _max_norm(args: _Args, bounded: Bounded) -> tuple[str, ...]:
    dims, limit = bounded.dims(args.get("axis")), of_value(args.get("max_value", args.get("m")), 2)
    other = bounded.only_other(dims)
    if other is not None:
        return (f"{bounded.text}.renorm_(p=2, dim={other}, maxnorm={limit})",)
    return _scaled(bounded.text, dims, f"norm.clamp(max={limit})")


def _unit_norm(args: _Args, bounded: Bounded) -> tuple[str, ...]:
    dims = bounded.dims(args.get("axis"))
    return (f"{bounded.text}.copy_(F.normalize({bounded.text}, dim={_spelled(dims)}))",)


def _min_max_norm(args: _Args, bounded: Bounded) -> tuple[str, ...]:
    dims, rate = bounded.dims(args.get("axis")), of_value(args.get("rate"), 1.0)
    low, high = of_value(args.get("min_value"), 0.0), of_value(args.get("max_value"), 1.0)
    wanted = f"norm.clamp({low}, {high})"
    if rate not in ("1", "1.0"):
        wanted = f"({rate} * {wanted} + (1 - {rate}) * norm)"
    return _scaled(bounded.text, dims, wanted)


def _radial(args: _Args, bounded: Bounded) -> tuple[str, ...]:
    """Keras 2 takes the value of the centre from beside it, and the others from one step further in than they are."""
    if bounded.axes is None or bounded.axes[:2] != (2, 3):
        raise Decline("a radial constraint on what is not the kernel of a convolution over images")
    return (f"{bounded.text}.copy_(radial({bounded.text}))",)


def _scaled(weight: str, dims: tuple[int, ...], wanted: str) -> tuple[str, ...]:
    return (f"norm = {weight}.norm(dim={_spelled(dims)}, keepdim=True)", f"{weight}.mul_({wanted} / (norm + 1e-7))")


def _spelled(dims: tuple[int, ...]) -> str:
    return str(dims[0]) if len(dims) == 1 else repr(dims)


_STATEMENTS: Mapping[str, Callable[[_Args, Bounded], tuple[str, ...]]] = {
    "NonNeg": _non_neg,
    "MaxNorm": _max_norm,
    "UnitNorm": _unit_norm,
    "MinMaxNorm": _min_max_norm,
    "RadialConstraint": _radial,
}
APIS = tuple(_PREFIX + name for name in _STATEMENTS)
