"""What of TensorFlow's statements goes: contexts, decorators, and calls that a rule made nothing of."""

from __future__ import annotations

from collections.abc import Mapping

import libcst as cst

from migrator.model import Decline
from migrator.rules.engine.names import Names
from migrator.rules.engine.precedence import Parenthesise
from migrator.rules.engine.removal import Removal, Statements, left_of, mentions, nothing
from migrator.values import Span

_IDLE_DECORATORS = frozenset(
    {
        "tf.function",
        "tf.autograph.experimental.do_not_convert",
        "tf.keras.utils.register_keras_serializable",
    }
)


def _within(span: Span, other: Span) -> bool:
    start, end = (span.line, span.column), (span.end_line, span.end_column)
    return (other.line, other.column) <= start and end <= (other.end_line, other.end_column)


class Leaving(Parenthesise):
    """The half of the rewriter that decides about whole statements."""

    names: Names
    spans: Mapping[cst.CSTNode, Span]
    declines: list[Decline]
    imports: set[str]
    no_grad: bool

    def __init__(self) -> None:
        super().__init__()
        self.removal = Removal()
        self.entered: set[cst.CSTNode] = set()  # what a `with` opens
        self.left: set[cst.CSTNode] = set()  # contexts of those that go
        self.careful: set[cst.CSTNode] = set()  # items that assign to variables
        self.idle: set[cst.CSTNode] = set()  # statements that a rule made nothing of

    def refuse(self, reason: str, api: str, node: cst.CSTNode | None) -> None:
        """Notes why something is left as it is."""
        raise NotImplementedError

    def leave_Decorator(
        self, original_node: cst.Decorator, updated_node: cst.Decorator
    ) -> cst.Decorator | cst.RemovalSentinel:
        inner = original_node.decorator
        name = self.names.canonical(inner.func if isinstance(inner, cst.Call) else inner)
        if name not in _IDLE_DECORATORS:
            return updated_node
        self.forget(original_node)
        return cst.RemoveFromParent()

    def forget(self, node: cst.CSTNode) -> None:
        """Takes back the declines about something that goes as a whole."""
        span = self.spans.get(node)
        if span is not None:
            self.declines = [d for d in self.declines if d.span is None or not _within(d.span, span)]

    def visit_WithItem(self, node: cst.WithItem) -> None:
        self.entered.add(node.item)

    def leave_WithItem(self, original_node: cst.WithItem, updated_node: cst.WithItem) -> cst.WithItem:
        if self.no_grad:
            self.no_grad = False
            self.careful.add(original_node)
            if original_node.item not in self.left:
                self.refuse("the result of an assignment to a variable is used", "tf.Variable", original_node.item)
        return updated_node

    def leave_With(self, original_node: cst.With, updated_node: cst.With) -> Statements:
        """A block whose contexts say nothing in torch stays without its header."""
        pairs = list(zip(original_node.items, updated_node.items, strict=True))
        gone = [(old, new) for old, new in pairs if old.item in self.left]
        if not gone:
            return updated_node
        for old, new in gone:
            name = new.asname.name if new.asname is not None else None
            if isinstance(name, cst.Name) and mentions(updated_node.body, name.value):
                self.refuse(f"`{name.value}` is used inside of the context", "", old.item)
        before = [line for old, new in gone for line in left_of(new.item, old in self.careful)]
        if any(old in self.careful for old, _ in gone):
            self.imports.add("import torch")
        kept = [new for old, new in pairs if old.item not in self.left]
        if kept:
            if before:
                self.refuse("a context among others", "", original_node)
            return updated_node.with_changes(items=[*kept[:-1], kept[-1].with_changes(comma=cst.MaybeSentinel.DEFAULT)])
        made = self.removal.inlined(updated_node, before)
        if made is None:
            self.refuse("a context with its block on one line", "", original_node)
        return updated_node if made is None else made

    def leave_IndentedBlock(
        self, original_node: cst.IndentedBlock, updated_node: cst.IndentedBlock
    ) -> cst.IndentedBlock:
        return self.removal.block(updated_node)

    def leave_Module(self, original_node: cst.Module, updated_node: cst.Module) -> cst.Module:
        kept, comments = self.removal.settle(updated_node.body)
        return updated_node.with_changes(body=kept, footer=[*comments, *updated_node.footer])

    def leave_If(self, original_node: cst.If, updated_node: cst.If) -> cst.BaseStatement:
        if isinstance(updated_node.orelse, cst.Else) and self.removal.is_empty(updated_node.orelse.body):
            updated_node = updated_node.with_changes(orelse=None)
        return self.removal.without(updated_node)

    def leave_For(self, original_node: cst.For, updated_node: cst.For) -> cst.BaseStatement:
        return self.removal.without(updated_node)

    def leave_Try(self, original_node: cst.Try, updated_node: cst.Try) -> cst.BaseStatement:
        return self.removal.without(updated_node)

    def leave_Expr(self, original_node: cst.Expr, updated_node: cst.Expr) -> cst.Expr:
        if isinstance(original_node.value, cst.Call) and nothing(updated_node.value):
            self.idle.add(original_node)
        return updated_node

    def leave_Assign(self, original_node: cst.Assign, updated_node: cst.Assign) -> cst.Assign:
        """`flags = tf.flags` would say `flags = flags`: the import binds the name already."""
        target, value = updated_node.targets[0].target, updated_node.value
        renamed = isinstance(value, cst.Name) and not isinstance(original_node.value, cst.Name)
        if renamed and len(updated_node.targets) == 1 and target.deep_equals(value):
            self.idle.add(original_node)
        return updated_node

    def whole(self, made: object) -> cst.CSTNode:
        """What the visited node became; statements that went or became several come as a module."""
        if isinstance(made, cst.FlattenSentinel):
            body, comments = self.removal.settle(list(made.nodes))
            return cst.Module(body, footer=comments)  # type: ignore[arg-type]
        assert isinstance(made, cst.CSTNode)
        if self.removal.is_gone(made):
            return cst.Module([], footer=made.leading_lines)  # type: ignore[attr-defined]
        return made
