"""Code for several versions of TensorFlow: what the one that runs does is written, and the rest goes."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst
import libcst.matchers as m

from migrator.rules.engine import versions
from migrator.rules.engine.leaving import Leaving
from migrator.rules.engine.registry import find
from migrator.rules.engine.removal import Statements
from migrator.values import Literal, Value


class OneVersion(Leaving):
    """The part of the rewriter that leaves out what other versions of TensorFlow would run."""

    keras: int

    def __init__(self) -> None:
        super().__init__()
        self.decided: dict[cst.CSTNode, bool] = {}  # tests of the version, and what is made of them alone
        self.shown: set[cst.CSTNode] = set()  # what is only shown as text
        self.ends: dict[cst.CSTNode, cst.CSTNode] = {}  # a statement after which its block is left → its last line

    def value(self, node: cst.CSTNode) -> Value:
        """What the facts know of a node."""
        raise NotImplementedError

    def note_test(self, node: cst.Comparison | cst.Call) -> None:
        """Take note of a test of the version, and of how it ends."""
        found = [n for n in m.findall(node, _VERSION) if isinstance(n, cst.Attribute)]
        asked: list[cst.CSTNode] = [n for n in found if (self.names.canonical(n) or "") in versions.VERSIONS]
        if m.matches(node, _FOR_NAME):
            asked = [*m.findall(node, m.Name())]
        known = self.value(node) if asked else None
        if isinstance(known, Literal) and isinstance(known.value, bool):
            self.decided[node] = known.value
            self.shown.update(asked)

    def visit_Comparison(self, node: cst.Comparison) -> None:
        self.note_test(node)

    def leave_UnaryOperation(
        self, original_node: cst.UnaryOperation, updated_node: cst.UnaryOperation
    ) -> cst.BaseExpression:
        known = self.decided.get(original_node.expression)
        if known is None or not isinstance(original_node.operator, cst.Not):
            return super().leave_UnaryOperation(original_node, updated_node)
        self.decided[original_node] = not known
        return cst.Name(str(not known))

    def leave_BooleanOperation(
        self, original_node: cst.BooleanOperation, updated_node: cst.BooleanOperation
    ) -> cst.BaseExpression:
        known = self.decided.get(original_node.left)
        stops = isinstance(original_node.operator, cst.Or)
        if known is None:
            return super().leave_BooleanOperation(original_node, updated_node)
        if known is not stops:
            if original_node.right in self.decided:
                self.decided[original_node] = self.decided[original_node.right]
            return updated_node.right
        self.forget(original_node.right)
        self.decided[original_node] = known
        return cst.Name(str(known))

    def leave_IfExp(self, original_node: cst.IfExp, updated_node: cst.IfExp) -> cst.BaseExpression:
        known = self.decided.get(original_node.test)
        if known is None:
            return super().leave_IfExp(original_node, updated_node)
        self.forget(original_node.orelse if known else original_node.body)
        return updated_node.body if known else updated_node.orelse

    def leave_Assert(self, original_node: cst.Assert, updated_node: cst.Assert) -> cst.Assert:
        if self.decided.get(original_node.test):
            self.idle.add(original_node)
        return updated_node

    def leave_If(  # type: ignore[override]
        self, original_node: cst.If, updated_node: cst.If
    ) -> Statements:
        known = self.decided.get(original_node.test)
        other = original_node.orelse
        if known is None:
            return super().leave_If(original_node, updated_node)
        self.forget(original_node.test)
        if not known and other is None:
            self.forget(original_node)
            return self.removal.drop(updated_node.leading_lines)
        for gone in (other,) if known else (original_node.body,):
            if gone is not None:
                self.forget_all(gone)
        if not known and isinstance(updated_node.orelse, cst.If):
            return updated_node.orelse.with_changes(leading_lines=updated_node.leading_lines)
        taken = updated_node if known else updated_node.orelse
        assert isinstance(taken, cst.If | cst.Else)
        made = self.removal.inlined(taken, (), updated_node.leading_lines)
        if made is None:
            self.refuse("a test of the version on one line", "", original_node)
            return updated_node
        last = made.nodes[-1] if isinstance(made, cst.FlattenSentinel) else made
        if m.matches(last, m.SimpleStatementLine(body=[m.ZeroOrMore(), m.Return() | m.Raise()])):
            self.ends[original_node] = last
        return made

    def leave_Try(self, original_node: cst.Try, updated_node: cst.Try) -> Statements:  # type: ignore[override]
        """`try` around what another version calls in another way: one way is left of several that became the same."""
        if original_node.orelse is not None or original_node.finalbody is not None or not original_node.handlers:
            return super().leave_Try(original_node, updated_node)
        ways: list[cst.Try | cst.ExceptHandler] = [updated_node, *updated_node.handlers]
        chosen = ways[0] if len({_text(way.body) for way in ways}) == 1 else self._handler(original_node, updated_node)
        made = None if chosen is None else self.removal.inlined(chosen, (), updated_node.leading_lines)
        if made is None:
            return super().leave_Try(original_node, updated_node)
        if chosen is not updated_node:
            self.forget_all(original_node.body)
        return made

    def _handler(self, original: cst.Try, updated: cst.Try) -> cst.ExceptHandler | None:
        """The handler that runs, as what is tried calls what TensorFlow 2 has not, or as it does not take it."""
        body, handler = original.body.body, original.handlers[0]
        if len(body) != 1 or handler.name is not None or len(original.handlers) > 1:
            return None
        called = next((c for c in m.findall(body[0], m.Call()) if isinstance(c, cst.Call)), None)
        if called is None:
            return None
        lacking = m.matches(handler, _LACKING) and self._is_gone(called)
        unfit = m.matches(handler, _UNFIT) and self._is_unfit(called)
        return updated.handlers[0] if lacking or unfit else None

    def _is_gone(self, call: cst.Call) -> bool:
        """Whether a function is only there under `compat.v1`, which is not how it is called."""
        written = cst.helpers.get_full_name_for_node(call.func) or ""
        old = (self.names.canonical(call.func) or "").startswith("tf.compat.v1.")
        root = self.names.here.canonical(written.partition(".")[0], self.spans.get(call.func))
        return old and ".compat." not in written and root == "tf"

    def _is_unfit(self, call: cst.Call) -> bool:
        """Whether a function of TensorFlow 2 is given an argument that it does not take."""
        rule = find(self.names.canonical(call.func) or "", self.keras)
        if rule is None or rule.api.startswith("tf.compat.v1.") or any(arg.star for arg in call.args):
            return False
        return any(arg.keyword is not None and arg.keyword.value not in rule.signature.names for arg in call.args)

    def leave_IndentedBlock(
        self, original_node: cst.IndentedBlock, updated_node: cst.IndentedBlock
    ) -> cst.IndentedBlock:
        end = next((i for i, statement in enumerate(original_node.body) if statement in self.ends), None)
        if end is not None:
            for statement in original_node.body[end + 1 :]:
                self.forget(statement)
            last = [i for i, new in enumerate(updated_node.body) if new is self.ends[original_node.body[end]]][-1]
            updated_node = updated_node.with_changes(body=updated_node.body[: last + 1])
        return super().leave_IndentedBlock(original_node, updated_node)

    def forget_all(self, node: cst.CSTNode) -> None:
        """Takes back the declines about the statements below a node, which may have no place of its own."""
        for statement in _statements(node):
            self.forget(statement)


def _text(suite: cst.BaseSuite) -> str:
    """What a block does, whatever its comments say."""
    bare = suite.visit(_Bare())
    assert isinstance(bare, cst.CSTNode)
    return cst.Module([]).code_for_node(bare).strip()


class _Bare(cst.CSTTransformer):
    def leave_EmptyLine(
        self, original_node: cst.EmptyLine, updated_node: cst.EmptyLine
    ) -> cst.EmptyLine | cst.RemovalSentinel:
        return cst.RemoveFromParent()

    def leave_TrailingWhitespace(
        self, original_node: cst.TrailingWhitespace, updated_node: cst.TrailingWhitespace
    ) -> cst.TrailingWhitespace:
        return cst.TrailingWhitespace()


_LACKING = m.ExceptHandler(type=m.Name("AttributeError"))
_UNFIT = m.ExceptHandler(type=m.Name("TypeError"))
_FOR_NAME = m.Call(func=m.Name("hasattr"), args=[m.Arg(m.Name()), m.Arg(m.SimpleString())])
_VERSION = m.Attribute(attr=m.Name("__version__") | m.Name("VERSION"))


def _statements(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    for child in node.children:
        if isinstance(child, cst.BaseStatement | cst.BaseSmallStatement | cst.BaseExpression):
            yield child
        else:
            yield from _statements(child)
