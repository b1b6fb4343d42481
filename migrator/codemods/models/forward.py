"""Statements of `forward`: one line for one line of the original, with its comments."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import libcst as cst
import libcst.matchers as m
from libcst.helpers import get_full_name_for_node

from migrator.codemods.models import layout as lay
from migrator.codemods.models.layout import LAST, Flat, Layout, Several
from migrator.codemods.models.losses import ATTRIBUTE, argument
from migrator.codemods.models.lower import Lowerer
from migrator.codemods.models.swap import Both
from migrator.codemods.models.term import Term, rank_of
from migrator.codemods.models.text import indent, otherwise
from migrator.codemods.nodes import find
from migrator.values import Span, Tensor


@dataclass(frozen=True)
class Line:
    """The lines that a statement became. `name` and `term`: what it assigns, where that is one variable."""

    text: list[str]
    name: str | None = None
    term: Term | None = None
    returns: Term | None = None


@dataclass
class Body:
    """Lowers the statements of one method. `result`: the layout in which images are returned."""

    lower: Lowerer
    result: Layout = LAST
    alone: Callable[[], bool] = bool  # nothing calls the model: only its training asks for the mask of what goes out
    mask: str = ""  # the variable with that mask
    returned: list[Layout] = field(default_factory=list)
    adds_once: bool = False  # one statement of the class adds to the loss

    def block(self, statements: Sequence[cst.BaseStatement]) -> list[Line]:
        """The statements of a block, in order."""
        return [line for statement in statements for line in self.statement(statement)]

    def text(self, statements: Sequence[cst.BaseStatement]) -> list[str]:
        return [text for line in self.block(statements) for text in line.text]

    def statement(self, node: cst.BaseStatement) -> list[Line]:
        """What one statement becomes, after the comments above it."""
        kept, self.lower.pre = self.lower.pre, []
        masks = dict(self.lower.masks)
        if isinstance(node, cst.SimpleStatementLine):
            lines = [line for small in node.body for line in self.small(small)]
            lines = _with_comment(lines, node.trailing_whitespace)
        else:
            lines = [Line(self.compound(node))]
            if self.lower.masks != masks:
                self.lower.build.needs.decline("a mask that changes in a branch or loop", self.lower.ctx, node)
        head = [*comments(node), *self.lower.pre]
        self.lower.pre = kept
        return [Line(head), *lines] if head else lines

    # --- simple statements ---

    def small(self, node: cst.BaseSmallStatement) -> list[Line]:
        if isinstance(node, cst.Assign) and len(node.targets) == 1:
            if m.matches(node.targets[0].target, _PHASE):
                return []
            return [self.assign(node.targets[0].target, node.value)]
        if isinstance(node, cst.Assign) and all(isinstance(t.target, cst.Name) for t in node.targets):
            return self.chained(node)
        if isinstance(node, cst.AnnAssign) and node.value is not None:
            return [self.assign(node.target, node.value)]
        if isinstance(node, cst.AugAssign):
            return [self.augmented(node)]
        if isinstance(node, cst.Return) and node.value is not None:
            return [self.returning(node.value)]
        added = argument(node.value) if isinstance(node, cst.Expr) else None
        if added is not None:
            before = "" if self.adds_once else f"self.{ATTRIBUTE} + "
            return [Line([f"self.{ATTRIBUTE} = {before}{self.lower.term(added).text}"])]
        if isinstance(node, cst.Expr):
            text = code_of(node) if _is_string(node.value) else self.lower.term(node.value).text
            return [Line([text] if text != "None" else [])]
        if self.lower.structural(node):
            return self._other(node)
        return [Line([self.lower.finished(self.lower.build.needs.text(node, self.lower.ctx))])]

    def _other(self, node: cst.BaseSmallStatement) -> list[Line]:
        if isinstance(node, cst.Assert):
            return [Line([f"assert {self.lower.term(node.test).text}"])]
        self.lower.build.needs.decline(f"statement {type(node).__name__} in forward", self.lower.ctx, node)
        return []

    def assign(self, target: cst.BaseExpression, value: cst.BaseExpression) -> Line:
        term = self.lower.term(value)
        name = get_full_name_for_node(target) if isinstance(target, cst.Name | cst.Attribute) else None
        if name is not None and name.startswith("self.") and term.layout != LAST:
            text = self.lower.to(term, LAST, value)
            return Line([f"{name} = {text}"])
        if name is not None:
            self.lower.layouts[name] = self._held(term, value)
            self._mask(name, term)
            return Line([f"{name} = {term.text}"], name, term)
        if isinstance(target, cst.Tuple | cst.List):
            self._unpack(target, term)
            return Line([f"{self.lower.ctx.code(target)} = {term.text}"])
        if self.lower.structural(target):
            self.lower.build.needs.decline("a part of a tensor or container is assigned", self.lower.ctx, target)
        return Line([f"{self.lower.ctx.code(target)} = {self.lower.to(term, LAST, value)}"])

    def chained(self, node: cst.Assign) -> list[Line]:
        """`x = skip = layer(x)`."""
        names = [t.target.value for t in node.targets if isinstance(t.target, cst.Name)]
        term = self.lower.term(node.value)
        for name in names:
            self.lower.layouts[name] = self._held(term, node.value)
            self._mask(name, term)
        return [Line([f"{' = '.join(names)} = {term.text}"])]

    def _mask(self, name: str, term: Term) -> None:
        """Remember or forget the mask of a variable."""
        self.lower.masks.pop(name, None)
        if term.mask:
            self.lower.masks[name] = term.mask

    def _held(self, term: Term, value: cst.BaseExpression) -> Layout:
        if isinstance(value, cst.List) and not value.elements:
            return Several()
        return term.layout

    def _unpack(self, target: cst.Tuple | cst.List, term: Term) -> None:
        for index, element in enumerate(target.elements):
            if isinstance(element.value, cst.Name):
                held = term.layout.at(index) if isinstance(term.layout, Several) else term.layout
                # an unpacked result of an operation (split) keeps the layout of the operand
                self.lower.layouts[element.value.value] = held
            elif term.layout != LAST:
                self.lower.build.needs.decline("nested unpacking of tensors", self.lower.ctx, target)

    def augmented(self, node: cst.AugAssign) -> Line:
        """`x += y` as `x = x + y`: autograd may have saved the old value."""
        operator = type(node.operator).__name__.replace("Assign", "")
        value = self.lower.ctx.value(node.target)
        plain = getattr(cst, operator, None)
        if not isinstance(value, Tensor) or plain is None or not isinstance(node.target, cst.Name):
            if self.lower.structural(node.value):
                self.lower.build.needs.decline(
                    "an augmented assignment of what is not a tensor variable", self.lower.ctx, node
                )
            return Line([self.lower.finished(self.lower.build.needs.text(node, self.lower.ctx))])
        right = (
            node.value
            if _tight(node.value)
            else node.value.with_changes(lpar=[cst.LeftParen()], rpar=[cst.RightParen()])
        )
        both = cst.BinaryOperation(node.target, plain(), right)
        spans: dict[cst.CSTNode, Span] = {node.target: self.lower.ctx.spans[node.target]}
        if right is not node.value:
            spans[right] = self.lower.ctx.spans[node.value]
        with self.lower.located(spans):
            term = self.lower.operation(both)
        self.lower.layouts[node.target.value] = term.layout
        return Line([f"{node.target.value} = {term.text}"], node.target.value, term)

    def returning(self, node: cst.BaseExpression) -> Line:
        term = self.lower.term(node)
        if term.mask and self.lower.ctx.rules.keras == 2:
            self.lower.build.needs.decline("an output with a mask, of Keras 2", self.lower.ctx, node)
        if term.mask and self.alone():
            self.mask = term.mask
        elif term.mask:
            self.lower.build.needs.decline(
                "what is returned carries a mask, which Keras hands on", self.lower.ctx, node
            )
        text = self._outward(term, node)
        changed = Term(text, LAST, term.before, term.activation)
        if term.before is not None and text != term.text:
            before = self._outward(Term(term.before, term.layout), node)
            changed = Term(text, LAST, before, term.activation)
        return Line([f"return {text}"], None, None, changed)

    def _outward(self, term: Term, node: cst.BaseExpression) -> str:
        """The returned tensors in the layout that callers know."""
        kept, self.lower.rebinds = self.lower.rebinds, False
        try:
            if isinstance(term.layout, Several) and isinstance(node, cst.Tuple | cst.List):
                parts = [self._outward(self.lower.term(e.value), e.value) for e in node.elements]
                inner = ", ".join(parts)
                return f"[{inner}]" if isinstance(node, cst.List) else f"({inner})" if node.lpar else inner
            if isinstance(term.layout, Several):
                return self.lower.to(term, Several(each=LAST), node) if self.result == LAST else term.text
            wanted = self.result if lay.rank(self.result) == self._rank(term, node) else LAST
            return self.lower.to(term, wanted, node)
        finally:
            self.lower.rebinds = kept

    def _rank(self, term: Term, node: cst.BaseExpression) -> int | None:
        if lay.rank(term.layout) is not None:
            return lay.rank(term.layout)
        return getattr(self.lower.ctx.value(node), "rank", None)

    # --- compound statements ---

    def compound(self, node: cst.BaseStatement) -> list[str]:
        if isinstance(node, cst.If):
            return self.branch(node, "if")
        if isinstance(node, cst.For) and node.orelse is None:
            return self.loop(node)
        if isinstance(node, cst.With) and _is_idle(self.lower, node):
            return self.text(body_of(node))
        if isinstance(node, cst.Try) and (lines := self._either(node)) is not None:
            return lines
        if not self.lower.structural(node) and not isinstance(node, cst.FunctionDef | cst.ClassDef):
            return self.lower.finished(self.lower.build.needs.text(node, self.lower.ctx)).splitlines()
        self.lower.build.needs.decline(f"statement {type(node).__name__} in forward", self.lower.ctx, node)
        return []

    def _either(self, node: cst.Try) -> list[str] | None:
        """`try` around a call that some layers take in another way: what is left of both, where that is the same."""
        needs, layouts = self.lower.build.needs, self.lower.layouts
        declines = list(needs.declines)
        ways = []
        tried: list[cst.Try | cst.ExceptHandler] = [node, *node.handlers]
        for way in tried:
            self.lower.layouts = dict(layouts)
            ways.append((self.text(_unshown(body_of(way))), self.lower.layouts))
        if node.handlers and not node.orelse and not node.finalbody and all(way == ways[0] for way in ways):
            return ways[0][0]
        needs.declines, self.lower.layouts = declines, layouts
        return None

    def branch(self, node: cst.If, word: str) -> list[str]:
        if isinstance(self.lower.ctx.value(node.test), Tensor):
            self.lower.build.needs.decline("a condition on a tensor", self.lower.ctx, node.test)
        test = self.lower.term(node.test).text
        if test in ("True", "False") and code_of(node.test).strip() != test:  # a test of TensorFlow's version
            return self.text(body_of(node)) if test == "True" else self._otherwise(node)
        before = dict(self.lower.layouts)
        then = self.text(body_of(node))
        after_then, self.lower.layouts = self.lower.layouts, dict(before)
        other = self._otherwise(node)
        after_other = self.lower.layouts
        then_more, other_more = self._join(node, before, after_then, after_other, _leaves(body_of(node)))
        then += then_more
        lines = [f"{word} {test}:", *indent(then or ["pass"])]
        return [*lines, *(otherwise([*other, *other_more]) if other or other_more else [])]

    def _otherwise(self, node: cst.If) -> list[str]:
        if isinstance(node.orelse, cst.If):
            return self.branch(node.orelse, "if")
        return self.text(body_of(node.orelse)) or ["pass"] if isinstance(node.orelse, cst.Else) else []

    def _join(
        self,
        node: cst.If,
        before: dict[str, Layout],
        then: dict[str, Layout],
        other: dict[str, Layout],
        leaves: bool,
    ) -> tuple[list[str], list[str]]:
        """Statements that end the branches so that every variable has one layout after them."""
        if leaves:
            self.lower.layouts = other
            return [], []
        more_then: list[str] = []
        more_other: list[str] = []
        joined = {**then, **other}
        for name in then.keys() & other.keys():
            one, two = then[name], other[name]
            if one == two:
                continue
            target = one if lay.rank(one) is not None else two
            if lay.rank(target) is None or LAST not in (one, two):
                self.lower.build.needs.decline(f"`{name}` has two layouts after a branch", self.lower.ctx)
                continue
            if self._is_flattened(name, node, target):
                (more_other if one == LAST else more_then).append(_permuted(name, target, LAST))
                joined[name] = LAST
                continue
            (more_then if one == LAST else more_other).append(_permuted(name, LAST, target))
            joined[name] = target
        self.lower.layouts = joined
        return more_then, more_other

    def _is_flattened(self, name: str, node: cst.If, layout: Layout) -> bool:
        """Whether a branch gives a variable another rank than images of a layout have."""
        pattern = m.Assign(targets=[m.AssignTarget(target=m.Name(name))])
        made = [part for part in find(node, pattern) if isinstance(part, cst.Assign)]
        ranks = {rank_of(self.lower.ctx.value(part.value)) for part in made}
        return not ranks <= {None, lay.rank(layout)}

    def loop(self, node: cst.For) -> list[str]:
        """A loop over modules, sizes or tensors: the body is lowered until its layouts are those it began with."""
        lower = self.lower
        over = lower.iterated(node.iter) if lower.is_list(node.iter) else None
        entered = lower.enter(node.target, node.iter)
        header = over if over is not None else self._iterator(node.iter, entered)
        before = dict(lower.layouts)
        permutes, declines = lower.permutes, list(lower.build.needs.declines)
        lines = self.text(body_of(node))
        head: list[str] = []
        changed = {n: lower.layouts[n] for n in before if lower.layouts.get(n) != before[n]}
        if changed:
            lower.permutes, lower.build.needs.declines = permutes, declines
            lower.layouts = {**before, **changed}
            moved = {n: x for n, x in changed.items() if not _is_plain(before[n], x)}
            head = [_permuted(n, before[n], x) for n, x in moved.items() if _can(before[n], x)]
            if len(head) != len(moved):
                lower.build.needs.decline("layouts change over a loop", lower.ctx, node)
            lower.pre += head
            lines = self.text(body_of(node))
            if any(lower.layouts.get(n) != x for n, x in moved.items()):
                lower.build.needs.decline("layouts change over a loop", lower.ctx, node)
        return [f"for {lower.ctx.code(node.target)} in {header}:", *indent(lines or ["pass"])]

    def _iterator(self, node: cst.BaseExpression, entered: bool) -> str:
        """`zip(self.convs, self.norms)` and the like, with the lists as they are."""
        if entered and isinstance(node, cst.Call) and isinstance(node.func, cst.Name):
            inner = [
                self.lower.iterated(a.value) if self.lower.is_list(a.value) else self._iterator(a.value, entered)
                for a in node.args
            ]
            return f"{node.func.value}({', '.join(inner)})"
        return self.lower.term(node).text


def _is_plain(source: Layout, target: Layout) -> bool:
    """Whether nothing is to be permuted: containers of tensors as callers know them, or one that is empty before."""
    if source == Several():
        return True
    return all(x == LAST or (isinstance(x, Several) and {*x.items, x.each} <= {LAST, None}) for x in (source, target))


def _can(source: Layout, target: Layout) -> bool:
    return (
        LAST in (source, target) and not isinstance(source, Several | Flat) and not isinstance(target, Several | Flat)
    )


def _permuted(name: str, source: Layout, target: Layout) -> str:
    text, note = lay.permute(name, source, target)
    return f"{name} = {text}" + (f"  # {note}" if note else "")


def _leaves(statements: Sequence[cst.BaseStatement]) -> bool:
    last = statements[-1] if statements else None
    return isinstance(last, cst.SimpleStatementLine) and isinstance(
        last.body[-1], cst.Return | cst.Raise | cst.Continue
    )


def _is_idle(lower: Lowerer, node: cst.With) -> bool:
    """Whether the contexts say nothing in PyTorch (`tf.name_scope(...)`): the rules leave only the block."""
    bare = node.with_changes(body=cst.IndentedBlock([cst.SimpleStatementLine([cst.Pass()])]))
    made = lower.ctx.rules.rewrite(bare, lower.ctx.here, Both({bare: lower.ctx.spans[node]}, lower.ctx.spans))
    return isinstance(made.node, cst.Module) and len(made.node.body) == 1


def _is_string(node: cst.BaseExpression) -> bool:
    return isinstance(node, cst.SimpleString | cst.ConcatenatedString)


def _tight(node: cst.BaseExpression) -> bool:
    return isinstance(node, cst.Name | cst.Call | cst.Attribute | cst.Subscript | cst.Integer | cst.Float) or bool(
        getattr(node, "lpar", ())
    )


_PHASE = m.Attribute(attr=m.Name("_uses_learning_phase"))
"""A mark on tensors by which Keras knew of layers that do otherwise in training."""


def _unshown(statements: Sequence[cst.BaseStatement]) -> list[cst.BaseStatement]:
    """The statements without those that print."""
    shown = m.SimpleStatementLine(body=[m.Expr(m.Call(func=m.Name("print")))])
    return [statement for statement in statements if not m.matches(statement, shown)]


_Block = cst.If | cst.Else | cst.For | cst.With | cst.Try | cst.ExceptHandler | cst.FunctionDef | cst.ClassDef


def body_of(node: _Block) -> list[cst.BaseStatement]:
    """The statements below a header; `if x: y` on one line counts as well."""
    if isinstance(node.body, cst.IndentedBlock):
        return list(node.body.body)
    return [cst.SimpleStatementLine(list(node.body.body))] if isinstance(node.body, cst.SimpleStatementSuite) else []


def comments(node: cst.BaseStatement) -> list[str]:
    """Blank lines and comments above a statement."""
    lines = getattr(node, "leading_lines", ())
    return [line.comment.value if line.comment else "" for line in lines]


def code_of(node: cst.CSTNode) -> str:
    return cst.Module([]).code_for_node(node)


def _with_comment(lines: list[Line], white: cst.TrailingWhitespace) -> list[Line]:
    if not lines or white.comment is None or not lines[-1].text:
        return lines
    last = lines[-1]
    text = [*last.text[:-1], f"{last.text[-1]}  {white.comment.value}"]
    return [*lines[:-1], Line(text, last.name, last.term, last.returns)]
