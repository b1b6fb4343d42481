"""Factories of blocks, read: their docstring, their tensors and the statements that build the block."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import libcst as cst
import libcst.matchers as m

from migrator.codemods.context import Context
from migrator.codemods.models.forward import body_of
from migrator.codemods.models.submodels import inlined
from migrator.codemods.models.swap import Both
from migrator.values import Span, Tensor


@dataclass(frozen=True)
class Block:
    """`tensors`: the parameters that become those of `forward`. `spans`: of statements that had to be made again."""

    doc: list[str]
    tensors: tuple[str, ...]
    statements: list[cst.BaseStatement]
    spans: dict[cst.CSTNode, Span] = field(default_factory=dict)


def block_of(node: cst.FunctionDef, ctx: Context) -> Block | None:
    """The block that a factory builds; None where its tensors are not plain parameters."""
    doc, statements = split_doc(body_of(node), ctx)
    facts = ctx.facts.function(f"{ctx.module}:{node.name.value}")
    inner = returned_function(statements) if facts is not None and facts.inner else None
    tensors = _tensors(inner or node, ctx, dict(facts.params) if facts is not None else {})
    if not tensors or _starred(node) or (inner is not None and len(tensors) != len(all_params(inner))):
        return None
    spans: dict[cst.CSTNode, Span] = {}
    if inner is None:
        return Block(doc, tensors, inlined(statements, tensors, ctx, spans), spans)
    own, body = split_doc(body_of(inner), ctx)
    before = [s for s in statements[:-1] if s is not inner]
    body = _under(inner, inlined(body, tensors, ctx, spans), Both(spans, ctx.spans), spans)
    return Block(doc or own, tensors, [*before, *body], spans)


def returned_function(statements: Sequence[cst.BaseStatement]) -> cst.FunctionDef | None:
    """The nested function that the last statement returns."""
    last = statements[-1] if statements else None
    nested = [s for s in statements if isinstance(s, cst.FunctionDef)]
    return next((f for f in nested if last is not None and m.matches(last, _returning(f.name.value))), None)


def _returning(name: str) -> m.SimpleStatementLine:
    return m.SimpleStatementLine([m.Return(m.Name(name))])


def _tensors(node: cst.FunctionDef, ctx: Context, values: dict[str, object]) -> tuple[str, ...]:
    return tuple(p.name.value for p in all_params(node) if isinstance(values.get(p.name.value), Tensor))


def _starred(node: cst.FunctionDef) -> bool:
    return node.params.star_arg is not cst.MaybeSentinel.DEFAULT or node.params.star_kwarg is not None


def _under(
    inner: cst.FunctionDef,
    body: list[cst.BaseStatement],
    known: Mapping[cst.CSTNode, Span],
    spans: dict[cst.CSTNode, Span],
) -> list[cst.BaseStatement]:
    """The statements of the nested function, with the comments that stand above it."""
    above = [line for line in inner.leading_lines if line.comment]
    if not above or not body:
        return body
    first = body[0].with_changes(leading_lines=[*above, *getattr(body[0], "leading_lines", ())])
    spans[first] = known[body[0]]
    return [first, *body[1:]]


def split_doc(statements: Sequence[cst.BaseStatement], ctx: Context) -> tuple[list[str], list[cst.BaseStatement]]:
    """(lines of the docstring, the other statements)."""
    if statements and m.matches(statements[0], m.SimpleStatementLine([m.Expr(m.SimpleString())])):
        first = statements[0]
        lines = ctx.code(first.with_changes(leading_lines=())).strip().splitlines()
        dedented = [lines[0], *(line[4:] if line.startswith("    ") else line for line in lines[1:])]
        return dedented, list(statements[1:])
    return [], list(statements)


def all_params(node: cst.FunctionDef) -> list[cst.Param]:
    """Every named parameter of a function."""
    return [*node.params.posonly_params, *node.params.params, *node.params.kwonly_params]
