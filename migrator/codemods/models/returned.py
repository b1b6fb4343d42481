"""Builders that return one of several models of the same inputs: `if training: return Model(inputs, outputs)`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import libcst as cst
import libcst.matchers as m

from migrator.codemods.context import Context
from migrator.codemods.models.ends import MODEL, ends
from migrator.codemods.models.swap import swapped
from migrator.codemods.models.text import code
from migrator.codemods.nodes import find
from migrator.values import Api, Span


@dataclass(frozen=True)
class Returned:
    """The statements of a builder with the outputs in place of the models that it returns.

    `call`: one of the models, whose inputs are those of all.
    """

    statements: list[cst.BaseStatement]
    call: cst.Call
    spans: dict[cst.CSTNode, Span]


def find_returned(statements: Sequence[cst.BaseStatement], ctx: Context) -> Returned | None:
    """The models that the statements return, two or more; None where anything else is returned or made besides."""
    returns = [r for s in statements for r in find(s, m.Return()) if isinstance(r, cst.Return)]
    calls = [c for s in statements for c in find(s, m.Call()) if isinstance(c, cst.Call) and _is_model(c, ctx)]
    bounds = [ends(call) for call in calls]
    if len(returns) < 2 or [r.value for r in returns] != calls or None in bounds:
        return None
    if len({code(bound[0]) for bound in bounds if bound is not None}) != 1:
        return None
    outputs: dict[cst.CSTNode, cst.CSTNode] = {c: b[1] for c, b in zip(calls, bounds, strict=True) if b is not None}
    spans: dict[cst.CSTNode, Span] = {}
    made: list[cst.BaseStatement] = []
    for statement in statements:
        new, moved = swapped(statement, outputs, ctx.spans)
        assert isinstance(new, cst.SimpleStatementLine | cst.BaseCompoundStatement)
        spans.update(moved)
        made.append(new)
    return Returned(made, calls[0], spans)


def _is_model(call: cst.Call, ctx: Context) -> bool:
    callee = ctx.value(call.func)
    return isinstance(callee, Api) and callee.name in MODEL
