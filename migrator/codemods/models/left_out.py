"""Builders that make an `Input` where callers give none, and callers that never do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import libcst as cst
import libcst.matchers as m

from migrator.codemods.context import Context
from migrator.codemods.models.forward import body_of
from migrator.codemods.models.graph import assigned
from migrator.codemods.nodes import find, variables
from migrator.values import Literal, RepoFunction

_NONE = Literal(None)


def never_given(node: cst.FunctionDef, ctx: Context) -> tuple[str, ...]:
    """Parameters of a builder in whose place it always makes an `Input` of its own."""
    facts = ctx.facts.function(f"{ctx.module}:{node.name.value}")
    known = dict(facts.params) if facts is not None else {}
    params = (*node.params.params, *node.params.kwonly_params)
    optional = (p.name.value for p in params if m.matches(p, m.Param(default=m.Name("None"))))
    return tuple(name for name in optional if known.get(name) == _NONE)


def given_none(node: cst.FunctionDef, gone: Sequence[str], ctx: Context) -> bool:
    """Whether a call of the repository says None for one of these parameters, or what it says is not written out."""
    found = False
    for there in (ctx, *(other for other in ctx.siblings.values() if other.path != ctx.path)):
        there.begin()
        for call in find(there.tree, m.Call()):
            callee = there.value(call.func) if isinstance(call, cst.Call) else None
            if isinstance(callee, RepoFunction) and callee.qualname == f"{ctx.module}:{node.name.value}":
                assert isinstance(call, cst.Call)
                found = found or _gives(call, node, gone)
    ctx.begin()
    return found


def _gives(call: cst.Call, node: cst.FunctionDef, gone: Sequence[str]) -> bool:
    names = [p.name.value for p in node.params.params]
    first = min((names.index(name) for name in gone if name in names), default=len(names))
    plain = [a for a in call.args if a.keyword is None and not a.star]
    told = {a.keyword.value for a in call.args if a.keyword is not None}
    return len(plain) > first or bool(told & set(gone)) or any(a.star for a in call.args)


def body_without(node: cst.FunctionDef, gone: Sequence[str], ctx: Context) -> list[cst.BaseStatement] | None:
    """The body with what is done where these parameters are None; None where they are still read otherwise."""
    body = [s for statement in body_of(node) for s in _settled(statement, gone, ctx)] if gone else body_of(node)
    made: set[str] = set()
    for statement in body:
        if any(name in gone and name not in made for name in _reads(statement)):
            return None
        made |= set(assigned(statement))
    return body


def _reads(statement: cst.BaseStatement) -> list[str]:
    part = statement.body[0] if isinstance(statement, cst.SimpleStatementLine) else None
    return variables(part.value) if isinstance(part, cst.Assign) else variables(statement)


def _settled(statement: cst.BaseStatement, gone: Sequence[str], ctx: Context) -> Iterator[cst.BaseStatement]:
    """A statement, or those of the branch that is taken."""
    if isinstance(statement, cst.If) and _asks(statement.test, gone):
        known = ctx.value(statement.test)
        if isinstance(known, Literal) and isinstance(known.value, bool):
            yield from _with_comments(
                statement, [s for b in _branch(statement, known.value) for s in _settled(b, gone, ctx)]
            )
            return
    part = statement.body[0] if isinstance(statement, cst.SimpleStatementLine) and len(statement.body) == 1 else None
    value = _chosen(part.value, gone, ctx) if isinstance(part, cst.Assign) else None
    if isinstance(part, cst.Assign) and isinstance(statement, cst.SimpleStatementLine) and value is not None:
        statement = statement.with_changes(body=[part.with_changes(value=value)])
    if not (isinstance(part, cst.Assign) and m.matches(part, m.Assign(value=m.Name("None")))):
        yield statement


def _branch(node: cst.If, taken: bool) -> Sequence[cst.BaseStatement]:
    if taken:
        return body_of(node)
    if isinstance(node.orelse, cst.If):
        return [node.orelse]
    return body_of(node.orelse) if isinstance(node.orelse, cst.Else) else []


def _with_comments(node: cst.If, taken: list[cst.BaseStatement]) -> list[cst.BaseStatement]:
    """The statements under the comments of the condition."""
    lines = [line for line in node.leading_lines if line.comment is not None]
    if lines and taken and isinstance(taken[0], cst.SimpleStatementLine | cst.BaseCompoundStatement):
        taken[0] = taken[0].with_changes(leading_lines=[*lines, *taken[0].leading_lines])
    return taken


def _chosen(node: cst.BaseExpression, gone: Sequence[str], ctx: Context) -> cst.BaseExpression | None:
    """What an expression comes to where the parameters are None; None for any other."""
    if isinstance(node, cst.BooleanOperation) and isinstance(node.operator, cst.Or) and _asks(node.left, gone):
        return node.right
    if isinstance(node, cst.IfExp) and _asks(node.test, gone):
        known = ctx.value(node.test)
        if isinstance(known, Literal) and isinstance(known.value, bool):
            return node.body if known.value else node.orelse
    return None


def _asks(test: cst.BaseExpression, gone: Sequence[str]) -> bool:
    """Whether a condition asks for one of the parameters alone."""
    names = set(variables(test)) - {"None"}
    return len(names) == 1 and names <= set(gone) and not find(test, m.Call())


def without_params(node: cst.FunctionDef, gone: Sequence[str]) -> cst.FunctionDef:
    """The function without these parameters."""
    spec = node.params
    params = [p for p in spec.params if p.name.value not in gone]
    others = [p for p in spec.kwonly_params if p.name.value not in gone]
    star = spec.star_arg if others or isinstance(spec.star_arg, cst.Param) else cst.MaybeSentinel.DEFAULT
    if params and not others and star is cst.MaybeSentinel.DEFAULT and spec.star_kwarg is None:
        params[-1] = params[-1].with_changes(comma=cst.MaybeSentinel.DEFAULT)
    return node.with_changes(params=spec.with_changes(params=params, kwonly_params=others, star_arg=star))
