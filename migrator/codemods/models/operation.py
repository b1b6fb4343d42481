"""How an operation follows the layouts of its operands."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import libcst as cst

from migrator.codemods.models import layout as lay
from migrator.codemods.models.layout import LAST, Flat, Layout, Several
from migrator.codemods.models.term import Term, rank_of
from migrator.model import Decline
from migrator.values import Api, Literal, ModuleRef, Scalar, Sequence, Value

if TYPE_CHECKING:
    from migrator.codemods.models.lower import Lowerer


@dataclass
class Plan:
    """How an operation follows its operands' layouts: which it works on, and what changes for that."""

    api: str
    terms: dict[cst.BaseExpression, Term]
    layout: Layout = LAST
    result: Layout = LAST
    exchanges: dict[cst.CSTNode, cst.CSTNode] = field(default_factory=dict)
    extra: cst.Arg | None = None

    def operand_layout(self, term: Term) -> Layout:
        if isinstance(term.layout, Several):
            return Several(each=LAST)
        return self.layout

    @staticmethod
    def of(lowerer: Lowerer, node: cst.BaseExpression) -> Plan:
        children = [c for c in operands(node) if not isinstance(lowerer.ctx.value(c), ModuleRef)]
        terms = {c: lowerer.term(c) for c in children if lowerer.structural(c)}
        value = lowerer.ctx.value(node.func) if isinstance(node, cst.Call) else None
        plan = Plan(value.name if isinstance(value, Api) else "", terms)
        spatial = next((t.layout for t in terms.values() if lay.rank(t.layout) is not None), None)
        flat = [t.layout for t in terms.values() if isinstance(t.layout, Flat)]
        if spatial is not None:
            plan._follow(lowerer, node, children, spatial)
        elif flat and len(terms) == 1 and len(children) == 1 and plan.api in lay.ELEMENTWISE:
            plan.layout = plan.result = flat[0]
        return plan

    def _follow(
        self, lowerer: Lowerer, node: cst.BaseExpression, children: list[cst.BaseExpression], spatial: Layout
    ) -> None:
        if self._elementwise(node) and self._operands_fit(lowerer, children, spatial):
            self.layout = self.result = spatial
        elif isinstance(node, cst.Call) and self.api in lay.JOINING | lay.AXIS_KEPT.keys() | lay.REDUCTIONS:
            self._along_axis(lowerer, node, children, spatial)

    def _elementwise(self, node: cst.BaseExpression) -> bool:
        if isinstance(node, cst.BinaryOperation):
            return not isinstance(node.operator, cst.MatrixMultiply)
        return isinstance(node, cst.UnaryOperation | cst.Comparison) or self.api in lay.ELEMENTWISE

    def _operands_fit(self, lowerer: Lowerer, children: list[cst.BaseExpression], spatial: Layout) -> bool:
        """Bring every other operand of the same rank along; False where one broadcasts in another way."""
        more: dict[cst.BaseExpression, Term] = {}
        for child in children:
            term = self.terms.get(child)
            if term is not None and term.layout == spatial:
                continue
            value = lowerer.ctx.value(child)
            n = rank_of(value)
            if n == lay.rank(spatial) and (term is None or term.layout == LAST):
                more[child] = term or lowerer.term(child)
            elif n != 0:
                return False
        if any(t.layout == LAST and rank_of(lowerer.ctx.value(c)) == 0 for c, t in self.terms.items()):
            return False
        self.terms.update(more)
        return True

    def _along_axis(
        self, lowerer: Lowerer, node: cst.Call, children: list[cst.BaseExpression], spatial: Layout
    ) -> None:
        bound = lowerer.ctx.rules.bind(self.api, node)
        if isinstance(bound, Decline):
            return
        given = bound.get("axis")
        axes = _axes(lowerer.ctx.value(given)) if given is not None else self._default_axes()
        n = lay.rank(spatial)
        if axes is None or n is None:
            return
        result: Layout | None = spatial
        if self.api in lay.REDUCTIONS:
            keep = _flag(lowerer, bound.get("keepdims") or bound.get("keep_dims"))
            gone = frozenset(a % n for a in axes)
            result = None if keep is None else spatial if keep else lay.reduced(gone, spatial)
        elif self.api in lay.JOINING and not self._all_join(lowerer, children, spatial, given):
            return
        if result is not None:
            self._exchange(given, axes, spatial)
            self.layout, self.result = spatial, result

    def _default_axes(self) -> tuple[int, ...] | None:
        if self.api in lay.AXIS_KEPT:
            return (lay.AXIS_KEPT[self.api],)
        return (-1,) if self.api in lay.JOINING and "layers" in self.api else None

    def _all_join(
        self, lowerer: Lowerer, children: list[cst.BaseExpression], spatial: Layout, given: cst.BaseExpression | None
    ) -> bool:
        for child in children:
            if child is given or isinstance(lowerer.ctx.value(child), Literal | Scalar):
                continue
            self.terms.setdefault(child, lowerer.term(child))
        return all(t.layout in (spatial, LAST) for t in self.terms.values())

    def _exchange(self, given: cst.BaseExpression | None, axes: tuple[int, ...], spatial: Layout) -> None:
        mapped = sorted(lay.axis(a, spatial) for a in axes)
        text = str(mapped[0]) if len(mapped) == 1 else f"({', '.join(map(str, mapped))})"
        if given is not None:
            self.exchanges[given] = cst.parse_expression(text)
        else:
            self.extra = cst.Arg(cst.parse_expression(text), keyword=cst.Name("axis"), equal=cst.AssignEqual())


def operands(node: cst.BaseExpression) -> Iterator[cst.BaseExpression]:
    """The expressions that an operation works on, those in list displays among them."""
    if isinstance(node, cst.Call):
        if isinstance(node.func, cst.Attribute):
            yield node.func.value
        for arg in node.args:
            yield from _flattened(arg.value)
    elif isinstance(node, cst.BinaryOperation | cst.BooleanOperation):
        yield from (node.left, node.right)
    elif isinstance(node, cst.UnaryOperation):
        yield node.expression
    elif isinstance(node, cst.Comparison):
        yield node.left
        yield from (target.comparator for target in node.comparisons)
    elif isinstance(node, cst.Attribute):
        yield node.value
    elif isinstance(node, cst.Subscript):
        yield node.value
        for element in node.slice:
            if isinstance(element.slice, cst.Index):
                yield element.slice.value
            elif isinstance(element.slice, cst.Slice):
                yield from (e for e in (element.slice.lower, element.slice.upper, element.slice.step) if e)
    else:
        yield from (c for c in node.children if isinstance(c, cst.BaseExpression))


def _flattened(node: cst.BaseExpression) -> Iterator[cst.BaseExpression]:
    if isinstance(node, cst.List | cst.Tuple):
        for element in node.elements:
            yield from _flattened(element.value)
    else:
        yield node


def _axes(value: Value) -> tuple[int, ...] | None:
    items = value.items if isinstance(value, Sequence) else (value,)
    if items is None:
        return None
    found = [i.value for i in items if isinstance(i, Literal) and isinstance(i.value, int)]
    return tuple(found) if len(found) == len(items) else None


def _flag(lowerer: Lowerer, node: cst.BaseExpression | None) -> bool | None:
    if node is None:
        return False
    value = lowerer.ctx.value(node)
    return value.value if isinstance(value, Literal) and isinstance(value.value, bool) else None
