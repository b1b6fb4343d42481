"""Expressions of the generated code, and the parts that names stand for."""

from __future__ import annotations

from dataclasses import dataclass

from migrator.codemods.models.layout import LAST, Layout
from migrator.codemods.models.part import Part
from migrator.values import Literal, Scalar, Tensor, Value


@dataclass(frozen=True)
class Term:
    """An expression of the generated code.

    `before` and `activation` (template, Keras's name) are set where it ends in an activation that
    a loss may want to do without. `mask`: the variable that tells which steps of it Keras means, or "".
    """

    text: str
    layout: Layout = LAST
    before: str | None = None
    activation: tuple[str, str] | None = None
    mask: str = ""


@dataclass(frozen=True)
class Bound:
    """A part that a name of the code stands for; `path` is where its weights are."""

    part: Part
    target: str
    path: str


def rank_of(value: Value) -> int | None:
    """The rank of a tensor or number, where it is known."""
    if isinstance(value, Tensor):
        return value.rank
    number = isinstance(value, Scalar) or (isinstance(value, Literal) and isinstance(value.value, int | float))
    return 0 if number else None
