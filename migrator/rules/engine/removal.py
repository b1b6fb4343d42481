"""Statements that say nothing in PyTorch: lines, blocks and contexts that go, and where their comments stay."""

from __future__ import annotations

from collections.abc import Sequence

import libcst as cst

from migrator.rules.engine.operators import under_no_grad
from migrator.rules.engine.plain import is_plain

Statements = cst.BaseStatement | cst.FlattenSentinel[cst.BaseStatement]


def nothing(node: cst.CSTNode) -> bool:
    """Whether a call became `None`: what it did has no counterpart and no effect."""
    return isinstance(node, cst.Name) and node.value == "None"


class Removal:
    """Remembers the statements that are gone until the block around them is put together."""

    def __init__(self) -> None:
        self._gone: set[cst.CSTNode] = set()

    def drop(self, lines: Sequence[cst.EmptyLine], trailing: cst.TrailingWhitespace | None = None) -> cst.BaseStatement:
        """A stand-in for a statement that goes, with the comments that were above and behind it."""
        comments = [line for line in lines if line.comment is not None]
        if trailing is not None and trailing.comment is not None:
            comments.append(cst.EmptyLine(comment=trailing.comment))
        stand_in = cst.SimpleStatementLine([cst.Pass()], leading_lines=comments)
        self._gone.add(stand_in)
        return stand_in

    def is_gone(self, node: object) -> bool:
        return node in self._gone

    def settle(self, body: Sequence[cst.BaseStatement]) -> tuple[list[cst.BaseStatement], list[cst.EmptyLine]]:
        """The statements that stay, each under the comments of those gone before it; and comments left over."""
        kept: list[cst.BaseStatement] = []
        comments: list[cst.EmptyLine] = []
        for statement in body:
            lines = list(getattr(statement, "leading_lines", ()))
            if statement in self._gone:
                comments += lines
            elif comments:
                kept.append(statement.with_changes(leading_lines=[*comments, *lines]))
                comments = []
            else:
                kept.append(statement)
        return kept, comments

    def block(self, updated: cst.IndentedBlock) -> cst.IndentedBlock:
        """The block without what is gone; one that had nothing else stands for something gone itself."""
        if not any(statement in self._gone for statement in updated.body):
            return updated
        kept, comments = self.settle(updated.body)
        if kept:
            return updated.with_changes(body=kept, footer=[*comments, *updated.footer])
        return updated.with_changes(body=[self.drop(comments)])

    def is_empty(self, suite: cst.BaseSuite) -> bool:
        return len(suite.body) == 1 and suite.body[0] in self._gone

    def inlined(
        self,
        block: cst.With | cst.If | cst.Else | cst.Try | cst.ExceptHandler,
        before: Sequence[cst.BaseStatement],
        above: Sequence[cst.EmptyLine] | None = None,
    ) -> Statements | None:
        """The statements of a block without its header, after `before`; None where it is all on one line.

        `above`: the lines over the first of them, where they are not those over the block.
        """
        body = block.body
        if not isinstance(body, cst.IndentedBlock):
            return None
        header = [cst.EmptyLine(comment=body.header.comment)] if body.header.comment is not None else []
        first, *rest = [*before, *body.body]
        lines = block.leading_lines if above is None else above
        new = first.with_changes(leading_lines=[*lines, *header, *getattr(first, "leading_lines", ())])
        if first in self._gone:
            self._gone.add(new)
        made: list[cst.BaseStatement] = [new, *rest]
        if any(line.comment for line in body.footer):
            made.append(self.drop(body.footer))
        return cst.FlattenSentinel(made)

    def without(self, node: cst.If | cst.For | cst.Try) -> cst.BaseStatement:
        """The compound statement, or a stand-in where nothing is left in it and its head has no effect."""
        if not self.is_empty(node.body) or not _is_idle(node):
            return node
        return self.drop([*node.leading_lines, *_comments_of(node.body)])


def _is_idle(node: cst.If | cst.For | cst.Try) -> bool:
    if isinstance(node, cst.If):
        return node.orelse is None and harmless(node.test)
    if isinstance(node, cst.For):
        return node.orelse is None and harmless(node.iter)
    return node.orelse is None and node.finalbody is None


def _comments_of(suite: cst.BaseSuite) -> list[cst.EmptyLine]:
    header = getattr(suite, "header", None)
    own = [cst.EmptyLine(comment=header.comment)] if header is not None and header.comment is not None else []
    inner = [line for statement in suite.body for line in getattr(statement, "leading_lines", ())]
    return [line for line in (*own, *inner, *getattr(suite, "footer", ())) if line.comment is not None]


_IDLE_CALLS = frozenset({"len", "bool", "range", "str", "int", "isinstance", "torch.device", "torch.cuda.device_count"})
_MAY_ACT = (cst.Await, cst.Yield, cst.NamedExpr)


class _Acts(cst.CSTVisitor):
    def __init__(self) -> None:
        self.found = False

    def visit_Call(self, node: cst.Call) -> None:
        name = cst.helpers.get_full_name_for_node(node.func) or ""
        formats = isinstance(node.func, cst.Attribute) and node.func.attr.value in ("format", "join")
        self.found = self.found or not (formats or name in _IDLE_CALLS)

    def on_visit(self, node: cst.CSTNode) -> bool:
        self.found = self.found or isinstance(node, _MAY_ACT)
        return super().on_visit(node) and not self.found


def harmless(node: cst.CSTNode) -> bool:
    """Whether evaluating an expression does nothing but give a value."""
    acts = _Acts()
    node.visit(acts)
    return not acts.found


# --- contexts ---------------------------------------------------------------------------------------------


def left_of(context: cst.BaseExpression, assigns: bool) -> list[cst.BaseStatement]:
    """What stays of a context that goes, as statements: the parts of its list that do something.

    `assigns`: some part changes a variable, which torch allows under `no_grad` only.
    """
    parts = [e.value for e in context.elements] if isinstance(context, (cst.List, cst.Tuple)) else [context]
    acting = [part for part in parts if not is_plain(part)]
    lines = [cst.SimpleStatementLine([cst.Expr(part)]) for part in acting]
    return [under_no_grad(lines)] if assigns else list(lines)


def mentions(node: cst.CSTNode, name: str) -> bool:
    """Whether a variable of this name is read or written below a node."""
    found = _Mentions(name)
    node.visit(found)
    return found.found


class _Mentions(cst.CSTVisitor):
    def __init__(self, name: str) -> None:
        self.name, self.found = name, False

    def visit_Name(self, node: cst.Name) -> None:
        self.found = self.found or node.value == self.name

    def visit_Attribute(self, node: cst.Attribute) -> bool:
        node.value.visit(self)
        return False

    def visit_Arg(self, node: cst.Arg) -> bool:
        node.value.visit(self)
        return False
