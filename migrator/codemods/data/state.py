"""How far a dataset is, and what of its elements is known."""

from __future__ import annotations

from dataclasses import dataclass

import libcst as cst

from migrator.codemods.context import Context
from migrator.values import Dataset, Dict, Sequence, Tensor, Value


@dataclass(frozen=True)
class State:
    """What the expression of a dataset is in torch.

    Neither `batched` nor `stream`: samples that are read by number. `batched`: a loader of batches. `stream`:
    anything that iterates. `shuffle` ("True", a condition, or None): samples whose order the loader is to draw, with
    `seed` and `buffer` as they were given. `mapped`: texts of the functions mapped so far. `open`: samples whose
    structure shows at run time only.
    """

    batched: bool = False
    stream: bool = False
    shuffle: str | None = None
    seed: cst.BaseExpression | None = None
    buffer: cst.BaseExpression | None = None
    mapped: tuple[str, ...] = ()
    open: bool = False

    @property
    def rows(self) -> bool:
        """Whether samples are read by number."""
        return not self.batched and not self.stream

    @property
    def plain(self) -> bool:
        """Whether samples are read by number, in their own order."""
        return self.rows and not self.shuffle


def has_text(dataset: cst.BaseExpression, ctx: Context) -> bool | None:
    """Whether the elements of a dataset hold text; None where that is not known."""
    value = ctx.value(dataset)
    return _text(value.element) if isinstance(value, Dataset) else None


def _text(value: Value) -> bool | None:
    if isinstance(value, Tensor):
        return value.dtype == "string"
    items: list[Value] | None = None
    if isinstance(value, Sequence) and value.items is not None:
        items = list(value.items)
    elif isinstance(value, Dict) and value.items is not None:
        items = [item for _, item in value.items]
    if items is None:
        return None
    found = [_text(item) for item in items]
    return True if True in found else None if None in found else False


def source_of(name: str, ctx: Context) -> str:
    """The text of a function of the file, or of the expression itself."""
    for statement in ctx.tree.body:
        if isinstance(statement, cst.FunctionDef) and statement.name.value == name:
            return ctx.code(statement)
    return f"{name} random" if name.isidentifier() else name  # elsewhere: it may be


def is_random(state: State, ctx: Context) -> bool:
    """Whether a function mapped so far may draw random numbers."""
    return any("random" in source_of(name, ctx) for name in state.mapped)
