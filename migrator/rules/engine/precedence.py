"""Where an expression needs parentheses to stand in another one."""

from __future__ import annotations

from typing import TypeVar

import libcst as cst

ATOM = 100
POWER_LEFT = 91  # the base of ** binds tighter than a unary minus
UNARY = 80
COMPARISON = 40
ARGUMENT = 5

_BINARY: dict[type[cst.BaseBinaryOp], int] = {
    cst.Power: 90,
    cst.Multiply: 70,
    cst.Divide: 70,
    cst.FloorDivide: 70,
    cst.Modulo: 70,
    cst.MatrixMultiply: 70,
    cst.Add: 65,
    cst.Subtract: 65,
    cst.LeftShift: 60,
    cst.RightShift: 60,
    cst.BitAnd: 55,
    cst.BitXor: 50,
    cst.BitOr: 45,
}


def precedence(node: cst.BaseExpression) -> int:
    """How tightly the outermost operator of an expression binds; higher is tighter."""
    if getattr(node, "lpar", ()):
        return ATOM
    if isinstance(node, cst.BinaryOperation):
        return _BINARY[type(node.operator)]
    if isinstance(node, cst.UnaryOperation):
        return 35 if isinstance(node.operator, cst.Not) else UNARY
    if isinstance(node, cst.Comparison):
        return COMPARISON
    if isinstance(node, cst.BooleanOperation):
        return 30 if isinstance(node.operator, cst.And) else 25
    if isinstance(node, cst.IfExp):
        return 20
    if isinstance(node, cst.Lambda):
        return 15
    if isinstance(node, cst.Await):
        return 95
    if isinstance(node, (cst.Tuple, cst.Yield, cst.NamedExpr, cst.GeneratorExp)):
        return 0
    return ATOM


def parenthesised(node: cst.BaseExpression) -> cst.BaseExpression:
    """The same expression in parentheses."""
    wrapped: cst.BaseExpression = node.with_changes(
        lpar=[cst.LeftParen(), *node.lpar], rpar=[*node.rpar, cst.RightParen()]
    )
    return wrapped


def fit(node: cst.BaseExpression, need: int) -> cst.BaseExpression:
    """The expression, in parentheses if it binds less tightly than `need`."""
    return parenthesised(node) if precedence(node) < need else node


class Parenthesise(cst.CSTTransformer):
    """Keeps the meaning of parents whose children were replaced below them."""

    def leave_BinaryOperation(
        self, original_node: cst.BinaryOperation, updated_node: cst.BinaryOperation
    ) -> cst.BaseExpression:
        own = _BINARY[type(updated_node.operator)]
        if isinstance(updated_node.operator, cst.Power):
            left, right = POWER_LEFT, UNARY
        else:
            left, right = own, own + 1
        if original_node.left is not updated_node.left:
            updated_node = updated_node.with_changes(left=fit(updated_node.left, left))
        if original_node.right is not updated_node.right:
            updated_node = updated_node.with_changes(right=fit(updated_node.right, right))
        return updated_node

    def leave_UnaryOperation(
        self, original_node: cst.UnaryOperation, updated_node: cst.UnaryOperation
    ) -> cst.BaseExpression:
        need = 35 if isinstance(updated_node.operator, cst.Not) else UNARY
        return _fitted(updated_node, expression=need)

    def leave_Attribute(self, original_node: cst.Attribute, updated_node: cst.Attribute) -> cst.BaseExpression:
        if isinstance(updated_node.value, cst.Integer):
            return updated_node.with_changes(value=parenthesised(updated_node.value))
        return _fitted(updated_node, value=ATOM)

    def leave_Subscript(self, original_node: cst.Subscript, updated_node: cst.Subscript) -> cst.BaseExpression:
        return _fitted(updated_node, value=ATOM)

    def leave_Call(self, original_node: cst.Call, updated_node: cst.Call) -> cst.BaseExpression:
        return _fitted(updated_node, func=ATOM)

    def leave_Comparison(self, original_node: cst.Comparison, updated_node: cst.Comparison) -> cst.BaseExpression:
        return _fitted(updated_node, left=COMPARISON + 1)

    def leave_ComparisonTarget(
        self, original_node: cst.ComparisonTarget, updated_node: cst.ComparisonTarget
    ) -> cst.ComparisonTarget:
        return _fitted(updated_node, comparator=COMPARISON + 1)

    def leave_BooleanOperation(
        self, original_node: cst.BooleanOperation, updated_node: cst.BooleanOperation
    ) -> cst.BaseExpression:
        own = 30 if isinstance(updated_node.operator, cst.And) else 25
        return _fitted(updated_node, left=own, right=own + 1)

    def leave_IfExp(self, original_node: cst.IfExp, updated_node: cst.IfExp) -> cst.BaseExpression:
        return _fitted(updated_node, test=21, body=21)

    def leave_Arg(self, original_node: cst.Arg, updated_node: cst.Arg) -> cst.Arg:
        if isinstance(updated_node.value, _LOOSE) and original_node.value is updated_node.value:
            return updated_node
        if isinstance(updated_node.value, cst.GeneratorExp):
            return updated_node
        return _fitted(updated_node, value=45 if updated_node.star else ARGUMENT)

    def leave_Element(self, original_node: cst.Element, updated_node: cst.Element) -> cst.BaseElement:
        return _fitted(updated_node, value=ARGUMENT)

    def leave_StarredElement(
        self, original_node: cst.StarredElement, updated_node: cst.StarredElement
    ) -> cst.BaseExpression:
        return _fitted(updated_node, value=45)


_LOOSE = (cst.Tuple, cst.Yield, cst.NamedExpr, cst.GeneratorExp)
_Node = TypeVar("_Node", bound=cst.CSTNode)


def _fitted(node: _Node, **needs: int) -> _Node:
    """The node with its named children in parentheses where they bind less tightly than they need."""
    changes = {}
    for name, need in needs.items():
        child = getattr(node, name)
        if precedence(child) < need:
            changes[name] = parenthesised(child)
    return node.with_changes(**changes) if changes else node
