"""Jacobians of a tape: torch takes the gradient of one number at a time."""

from __future__ import annotations

from collections.abc import Collection

import libcst as cst

from migrator.codemods.context import Context
from migrator.codemods.training.models import variable
from migrator.values import Tensor


def jacobian(call: cst.Call, graph: str, watched: Collection[str], v: str, ctx: Context) -> str | None:
    """`tape.jacobian(y, x)` or `tape.batch_jacobian(y, x)` of two names; None for any other form.

    `graph`: the option that keeps the graph; `v`: a free name for one number of `y`.
    """
    nodes = [arg.value for arg in call.args if arg.keyword is None and not arg.star]
    if len(nodes) != 2 or len(call.args) != 2 or not isinstance(call.func, cst.Attribute):
        return None
    first, second = nodes
    if not isinstance(first, cst.Name) or not isinstance(second, cst.Name):
        return None
    if variable(second, ctx) is None and second.value not in watched:
        return None
    y, x = first.value, second.value
    row = f"torch.autograd.grad({v}, {x}, {graph})[0]"
    if call.func.attr.value == "jacobian":
        return f"torch.stack([{row} for {v} in {y}.flatten()]).reshape({y}.shape + {x}.shape)"
    value = ctx.value(first)
    rows_alone = isinstance(value, Tensor) and value.rank == 2
    # a row of y depends on its own row of x, so one sum over the rows has all their gradients
    return f"torch.stack([{row} for {v} in {y}.sum(dim=0)], dim=1)" if rows_alone else None
