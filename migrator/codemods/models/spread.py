"""Options kept in a dict, `Conv2D(64, **options)`: the arguments are written out where the dict is."""

from __future__ import annotations

from collections.abc import Sequence

import libcst as cst
import libcst.matchers as m

from migrator.codemods.context import Context
from migrator.codemods.nodes import find
from migrator.values import Span

_EQUAL = cst.AssignEqual(cst.SimpleWhitespace(""), cst.SimpleWhitespace(""))
_SPREAD = m.Arg(star="**", value=m.Name())


def written_out(node: cst.Call, ctx: Context) -> cst.Call:
    """The call with what `**name` holds as keywords; the call as it is where that is not written in the file."""
    args: list[cst.Arg] = []
    for arg in node.args:
        held = _held(arg, node, ctx) if m.matches(arg, _SPREAD) else None
        if held is None:
            args.append(arg)
        else:
            args += [cst.Arg(value, keyword=cst.Name(name), equal=_EQUAL) for name, value in held.items()]
    return node if all(arg in node.args for arg in args) else node.with_changes(args=args)


def only_spread(statement: cst.BaseSmallStatement, ctx: Context) -> bool:
    """Whether a statement makes a dict of which nothing is left once its options are written out."""
    if not m.matches(statement, m.Assign([m.AssignTarget(m.Name())])):
        return False
    assert isinstance(statement, cst.Assign)
    target = statement.targets[0].target
    assert isinstance(target, cst.Name)
    scope = _around(statement, ctx)
    return scope is not None and _assigned(target.value, scope) == [statement] and _options(statement.value) is not None


def _held(arg: cst.Arg, call: cst.Call, ctx: Context) -> dict[str, cst.BaseExpression] | None:
    assert isinstance(arg.value, cst.Name)
    name, scope = arg.value.value, _around(call, ctx)
    for where in [scope, ctx.tree] if scope is not None else []:
        made = _assigned(name, where)
        if made is None:
            return None
        if made:
            return _options(made[0].value) if len(made) == 1 and _beside(made[0], where, ctx) else None
    return None


def _around(node: cst.CSTNode, ctx: Context) -> cst.BaseStatement | None:
    """The statement of the file that a node stands in."""
    at = ctx.spans.get(node)
    if at is None:
        return None
    return next((s for s in ctx.tree.body if s in ctx.spans and _within(at, ctx.spans[s])), None)


def _within(one: Span, other: Span) -> bool:
    inside = (other.line, other.column) <= (one.line, one.column)
    return inside and (one.end_line, one.end_column) <= (other.end_line, other.end_column)


def _assigned(name: str, where: cst.CSTNode) -> list[cst.Assign] | None:
    """The assignments of a name; None where it is used for anything but being written out."""
    targets = [a for a in find(where, m.Assign([m.AssignTarget(m.Name(name))])) if isinstance(a, cst.Assign)]
    spreads = find(where, m.Arg(star="**", value=m.Name(name)))
    params = find(where, m.Param(name=m.Name(name)))
    keywords = find(where, m.Arg(keyword=m.Name(name)))
    attributes = find(where, m.Attribute(attr=m.Name(name)))
    named = len(find(where, m.Name(name))) - len(keywords) - len(attributes)
    return targets if not params and named == len(targets) + len(spreads) else None


def _beside(made: cst.Assign, where: cst.CSTNode, ctx: Context) -> bool:
    """Whether the dict is made on the way to every use: by a statement of the function or file, not in a branch."""
    bodies: Sequence[cst.CSTNode] = find(where, m.FunctionDef()) if where is not ctx.tree else [where]
    lines = [s for b in bodies for s in _statements(b)]
    return any(isinstance(line, cst.SimpleStatementLine) and made in line.body for line in lines)


def _statements(node: cst.CSTNode) -> Sequence[cst.CSTNode]:
    body = node.body if isinstance(node, cst.Module) else getattr(getattr(node, "body", None), "body", ())
    return list(body)


def _options(node: cst.BaseExpression) -> dict[str, cst.BaseExpression] | None:
    """Name → value of `{"strides": 2}` or `dict(strides=2)`."""
    if m.matches(node, m.Call(func=m.Name("dict"))):
        assert isinstance(node, cst.Call)
        named = {a.keyword.value: a.value for a in node.args if a.keyword is not None}
        return named if len(named) == len(node.args) else None
    if not isinstance(node, cst.Dict):
        return None
    found: dict[str, cst.BaseExpression] = {}
    for element in node.elements:
        key = element.key if isinstance(element, cst.DictElement) else None
        if not isinstance(key, cst.SimpleString):
            return None
        found[str(key.evaluated_value)] = element.value
    return found
