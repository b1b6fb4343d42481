"""From a template's output to a libcst expression with the arguments in place."""

from __future__ import annotations

import ast
from collections import Counter
from functools import lru_cache

import libcst as cst

from migrator.rules.engine.declining import Decline
from migrator.rules.engine.plain import is_plain
from migrator.rules.engine.precedence import Parenthesise
from migrator.rules.engine.template import Output


def build(output: Output) -> cst.BaseExpression:
    """The expression; raises `Decline` where an argument with effects would be evaluated twice."""
    uses = Counter(n.id for n in ast.walk(output.expr) if isinstance(n, ast.Name))
    for mark, arg in output.args.items():
        if uses[mark] > 1 and not is_plain(arg.node):
            raise Decline(f"`{arg.name}` would be evaluated twice")
    return filled(output)


def filled(output: Output) -> cst.BaseExpression:
    """The expression with the arguments put in, in parentheses where they need them."""
    skeleton = _parsed(ast.unparse(output.expr))
    if not output.args:
        return skeleton.deep_clone()
    made = skeleton.visit(_Fill({mark: arg.node for mark, arg in output.args.items()}))
    assert isinstance(made, cst.BaseExpression)
    return made


class _Fill(Parenthesise):
    def __init__(self, nodes: dict[str, cst.BaseExpression]) -> None:
        super().__init__()
        self.nodes = nodes
        self.used: set[str] = set()

    def leave_Name(self, original_node: cst.Name, updated_node: cst.Name) -> cst.BaseExpression:
        node = self.nodes.get(updated_node.value)
        if node is None:
            return updated_node
        if updated_node.value in self.used:
            return node.deep_clone()
        self.used.add(updated_node.value)
        return node

    def leave_Arg(self, original_node: cst.Arg, updated_node: cst.Arg) -> cst.Arg:
        fitted = super().leave_Arg(original_node, updated_node)
        if fitted.keyword is not None and fitted.keyword.value == "dim" and isinstance(fitted.value, cst.List):
            return fitted.with_changes(value=_as_tuple(fitted.value))
        return fitted

    def leave_Call(self, original_node: cst.Call, updated_node: cst.Call) -> cst.BaseExpression:
        fitted = super().leave_Call(original_node, updated_node)
        assert isinstance(fitted, cst.Call)
        if not any(_spreads(a) for a in fitted.args):
            return fitted
        args = [new for a in fitted.args for new in (_spread(a.value) if _spreads(a) else [a])]
        return fitted.with_changes(args=[a.with_changes(comma=cst.MaybeSentinel.DEFAULT) for a in args])


def _as_tuple(node: cst.List) -> cst.BaseExpression:
    """`dim=(1, 2)` for `[1, 2]`, `dim=1` for `[1]`; only where all items are literals."""
    items = [e.value for e in node.elements]
    if not items or not all(isinstance(i, (cst.Integer, cst.UnaryOperation)) for i in items):
        return node
    if len(items) == 1:
        return items[0]
    return cst.Tuple([cst.Element(i) for i in items])


def _spreads(arg: cst.Arg) -> bool:
    """Whether `*[a, b]` can be written `a, b`."""
    return arg.star == "*" and isinstance(arg.value, (cst.Tuple, cst.List))


def _spread(node: cst.BaseExpression) -> list[cst.Arg]:
    assert isinstance(node, (cst.Tuple, cst.List))
    return [cst.Arg(e.value, star="*" if isinstance(e, cst.StarredElement) else "") for e in node.elements]


class _Spelling(cst.CSTTransformer):
    """Double quotes, and `1e-6` for `1e-06`."""

    def leave_Float(self, original_node: cst.Float, updated_node: cst.Float) -> cst.Float:
        return updated_node.with_changes(value=updated_node.value.replace("e-0", "e-"))

    def leave_SimpleString(self, original_node: cst.SimpleString, updated_node: cst.SimpleString) -> cst.SimpleString:
        text = updated_node.value
        if text.startswith("'") and not text.startswith("'''") and '"' not in text and "\\" not in text:
            return updated_node.with_changes(value=f'"{text[1:-1]}"')
        return updated_node


@lru_cache(maxsize=4096)
def _parsed(text: str) -> cst.BaseExpression:
    made = cst.parse_expression(text).visit(_Spelling())
    assert isinstance(made, cst.BaseExpression)
    return made
