"""Conditions on Keras's image format, which is "channels_last": the branch that is taken stays, the test goes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import libcst as cst
import libcst.matchers as m

from migrator.codemods.context import Draft
from migrator.codemods.nodes import find

FORMAT = '"channels_last"'
"""What the rule makes of `image_data_format()`."""


def without_format(draft: Draft | None) -> Draft | None:
    """The draft without tests of the image format."""
    if draft is None or FORMAT not in draft.text + draft.hoisted:
        return draft
    return replace(draft, text=settled(draft.text), hoisted=settled(draft.hoisted))


def settled(text: str) -> str:
    """A text without its comparisons of "channels_last" with another string."""
    if f"{FORMAT} " not in text and f" {FORMAT}" not in text:
        return text
    tree = cst.parse_module(text)
    changed = tree.visit(_Settling())
    return text if changed.deep_equals(tree) else changed.code


class _Settling(cst.CSTTransformer):
    def __init__(self) -> None:
        super().__init__()
        self.known: dict[cst.CSTNode, bool] = {}
        self.elifs: set[cst.CSTNode] = set()
        self.chosen: list[set[str]] = [set()]  # names that a settled condition gives a value, by function

    def visit_If(self, node: cst.If) -> None:
        if isinstance(node.orelse, cst.If):
            self.elifs.add(node.orelse)

    def leave_Comparison(self, original_node: cst.Comparison, updated_node: cst.Comparison) -> cst.BaseExpression:
        ours = m.Comparison(
            left=m.SimpleString(), comparisons=[m.ComparisonTarget(m.Equal() | m.NotEqual(), m.SimpleString())]
        )
        if not m.matches(updated_node, ours):
            return updated_node
        left, right = updated_node.left, updated_node.comparisons[0].comparator
        assert isinstance(left, cst.SimpleString)
        assert isinstance(right, cst.SimpleString)
        if FORMAT not in (left.value, right.value):
            return updated_node
        same = left.evaluated_value == right.evaluated_value
        return self._constant(same == isinstance(updated_node.comparisons[0].operator, cst.Equal))

    def _constant(self, value: bool) -> cst.Name:
        node = cst.Name(str(value))
        self.known[node] = value
        return node

    def leave_UnaryOperation(
        self, original_node: cst.UnaryOperation, updated_node: cst.UnaryOperation
    ) -> cst.BaseExpression:
        known = self.known.get(updated_node.expression)
        return updated_node if known is None else self._constant(not known)

    def leave_BooleanOperation(
        self, original_node: cst.BooleanOperation, updated_node: cst.BooleanOperation
    ) -> cst.BaseExpression:
        left = self.known.get(updated_node.left)
        if left is None:
            return updated_node
        decides = left == isinstance(updated_node.operator, cst.Or)
        return updated_node.left if decides else updated_node.right

    def leave_IfExp(self, original_node: cst.IfExp, updated_node: cst.IfExp) -> cst.BaseExpression:
        known = self.known.get(updated_node.test)
        if known is None:
            return updated_node
        chosen = updated_node.body if known else updated_node.orelse
        return (
            chosen
            if chosen.lpar or not updated_node.lpar
            else chosen.with_changes(lpar=updated_node.lpar, rpar=updated_node.rpar)
        )

    def leave_If(  # type: ignore[override]  # an `elif` may become an `else`
        self, original_node: cst.If, updated_node: cst.If
    ) -> cst.BaseStatement | cst.Else | cst.FlattenSentinel[cst.BaseStatement] | cst.RemovalSentinel:
        known = self.known.get(updated_node.test)
        if known is None:
            return updated_node
        rest = updated_node.orelse
        if original_node in self.elifs:
            return cst.Else(body=updated_node.body) if known else rest or cst.RemoveFromParent()
        if not known and isinstance(rest, cst.If):
            return rest.with_changes(leading_lines=updated_node.leading_lines)
        suite = updated_node.body if known else rest.body if rest is not None else None
        body = [] if suite is None else _statements(suite)
        self.chosen[-1].update(name for statement in body for name in _assigned(statement))
        return cst.FlattenSentinel(_led(body, updated_node.leading_lines)) if body else cst.RemoveFromParent()

    def leave_IndentedBlock(
        self, original_node: cst.IndentedBlock, updated_node: cst.IndentedBlock
    ) -> cst.IndentedBlock:
        return updated_node if updated_node.body else updated_node.with_changes(body=[cst.parse_statement("pass")])

    def visit_FunctionDef(self, node: cst.FunctionDef) -> None:
        self.chosen.append(set())

    def leave_Assign(self, original_node: cst.Assign, updated_node: cst.Assign) -> cst.Assign:
        if isinstance(original_node.value, cst.IfExp) and not isinstance(updated_node.value, cst.IfExp):
            self.chosen[-1].update(_targets(updated_node))
        return updated_node

    def leave_FunctionDef(self, original_node: cst.FunctionDef, updated_node: cst.FunctionDef) -> cst.FunctionDef:
        """What only a layer of Keras was told (`axis=channel_axis`) is needed no more."""
        names = self.chosen.pop()
        bound = [
            n.target.value
            for n in find(updated_node, m.AssignTarget(target=m.Name()))
            if isinstance(n, cst.AssignTarget) and isinstance(n.target, cst.Name)
        ]
        every = [n.value for n in find(updated_node, m.Name()) if isinstance(n, cst.Name)]
        unread = {name for name in names if every.count(name) == bound.count(name)}
        made = updated_node.visit(_Unread(unread)) if unread else updated_node
        assert isinstance(made, cst.FunctionDef)
        return made


class _Unread(cst.CSTTransformer):
    """Takes out assignments of constants to names that nothing reads."""

    def __init__(self, names: set[str]) -> None:
        super().__init__()
        self.names = names

    def leave_SimpleStatementLine(
        self, original_node: cst.SimpleStatementLine, updated_node: cst.SimpleStatementLine
    ) -> cst.SimpleStatementLine | cst.RemovalSentinel:
        only = updated_node.body[0] if len(updated_node.body) == 1 else None
        constant = isinstance(only, cst.Assign) and m.matches(
            only.value, m.Integer() | m.SimpleString() | m.UnaryOperation(expression=m.Integer())
        )
        gone = constant and isinstance(only, cst.Assign) and set(_targets(only)) <= self.names and bool(_targets(only))
        return cst.RemoveFromParent() if gone else updated_node

    def leave_IndentedBlock(
        self, original_node: cst.IndentedBlock, updated_node: cst.IndentedBlock
    ) -> cst.IndentedBlock:
        return updated_node if updated_node.body else updated_node.with_changes(body=[cst.parse_statement("pass")])


def _targets(node: cst.Assign) -> list[str]:
    names = [t.target.value for t in node.targets if isinstance(t.target, cst.Name)]
    return names if len(names) == len(node.targets) else []


def _assigned(statement: cst.BaseStatement) -> list[str]:
    if not isinstance(statement, cst.SimpleStatementLine):
        return []
    return [name for small in statement.body if isinstance(small, cst.Assign) for name in _targets(small)]


def _statements(suite: cst.BaseSuite) -> list[cst.BaseStatement]:
    if isinstance(suite, cst.IndentedBlock):
        return list(suite.body)
    return [cst.SimpleStatementLine([small]) for small in suite.body if isinstance(small, cst.BaseSmallStatement)]


def _led(body: Sequence[cst.BaseStatement], lines: Sequence[cst.EmptyLine]) -> list[cst.BaseStatement]:
    """Statements under the lines that stood above the condition."""
    first, *rest = body
    return [first.with_changes(leading_lines=[*lines, *getattr(first, "leading_lines", ())]), *rest]
