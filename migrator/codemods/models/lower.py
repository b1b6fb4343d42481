"""Expressions of `forward`: layers applied, layouts followed, everything else to the rules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import libcst as cst
import libcst.matchers as m
from libcst.helpers import get_full_name_for_node

from migrator.codemods.context import Context
from migrator.codemods.models import layout as lay
from migrator.codemods.models import own_calls
from migrator.codemods.models.applying import Applying
from migrator.codemods.models.build import ModuleBuild
from migrator.codemods.models.create import Maker
from migrator.codemods.models.layout import LAST, Flat, Layout, Several
from migrator.codemods.models.operation import Plan
from migrator.codemods.models.part import ELEMENTWISE, is_output
from migrator.codemods.models.swap import Both, rewrite, swapped
from migrator.codemods.models.term import Bound, Term
from migrator.codemods.models.text import atom, fill, fresh, names, substitute
from migrator.codemods.nodes import find
from migrator.syntax import walk
from migrator.values import Choice, Instance, Literal, ShapeOf, Span, Value


@dataclass
class Lowerer:
    """Lowers the expressions of one method.

    `bound`: names ("self.conv1", "conv") that stand for parts; `lists`: names of module lists, with
    their elements' part. `layouts`: every tensor variable whose layout is not "last", and all the
    tensor variables of the method. `rename`: names that read differently (`training`).
    `pre`: statements to go before the one being lowered.
    """

    ctx: Context
    build: ModuleBuild
    maker: Maker
    bound: dict[str, Bound] = field(default_factory=dict)
    lists: dict[str, Bound] = field(default_factory=dict)
    layouts: dict[str, Layout] = field(default_factory=dict)
    rename: dict[str, str] = field(default_factory=dict)
    keeps: bool = False  # names of the constructor's scope are read from self
    flatten_last: bool = False  # permute back before flattening
    rebinds: bool = True  # a variable may be permuted in a statement of its own
    pre: list[str] = field(default_factory=list)
    unflattened: bool = False
    permutes: int = 0
    masks: dict[str, str] = field(default_factory=dict)  # of tensor variables that carry a mask of Keras
    flagged: Mapping[str, cst.FunctionDef] = field(default_factory=dict)  # methods that are told whether they train
    infers: bool = False  # the method predicts wherever nothing says that it trains

    # --- expressions ---

    def term(self, node: cst.BaseExpression) -> Term:
        """The expression in the generated code."""
        name = get_full_name_for_node(node) if isinstance(node, cst.Name | cst.Attribute) else None
        if name is not None and name in self.layouts:
            return Term(self.rename.get(name, name), self.layouts[name], mask=self.masks.get(name, ""))
        if not self.structural(node):
            return Term(self.finished(self.build.needs.text(node, self.ctx)))
        if isinstance(node, cst.Tuple | cst.List):
            return self._several(node)
        if isinstance(node, cst.Dict):
            return self._mapping(node)
        if isinstance(node, cst.Call):
            return self.call(node)
        if isinstance(node, cst.Subscript):
            return self.subscript(node)
        if isinstance(node, cst.IfExp):
            return self._choice(node)
        if isinstance(node, cst.ListComp | cst.GeneratorExp):
            return self._comprehension(node)
        return self.operation(node)

    def finished(self, text: str) -> str:
        """The text with renamed names, and the constructor's read from `self`."""
        text = substitute(text, self.rename)
        return self.maker.keep(text) if self.keeps else text

    def located(self, spans: dict[cst.CSTNode, Span]) -> _Located:
        """Positions for nodes that the original does not have, while they are lowered."""
        return _Located(self, spans)

    def structural(self, node: cst.CSTNode) -> bool:
        """Whether something below is not the rules' business: a part, a permuted tensor, a renamed name."""
        finder = _Finder(self)
        walk(node, finder)
        return finder.found

    def special(self, node: cst.CSTNode) -> bool:
        """Whether this very node makes an expression structural."""
        if isinstance(node, cst.Name | cst.Attribute):
            name = get_full_name_for_node(node) or ""
            known = name in self.bound or name in self.lists or name in self.rename
            return known or self.layouts.get(name, LAST) != LAST
        if not isinstance(node, cst.Call):
            return False
        if _is_super_call(node.func) and "super().call" in self.bound:
            return True
        if own_calls.told(node, self.flagged, self.ctx) is not None:
            return True
        return self.makes(node) or getattr(self.ctx.value(node.func), "name", "") in _FUNCTIONS

    @property
    def overrides_training(self) -> bool:
        """Whether the model's own mode takes the place of `training=False` in a call."""
        return False

    @property
    def made_lines(self) -> list[str]:
        """Constructor lines that are not in the class yet."""
        return []

    def makes(self, node: cst.Call) -> bool:
        """Whether a call creates a part on the spot: in a graph that calls build any, else one without weights."""
        if not isinstance(node.func, cst.Call) or self.maker.kind(node.func) != "keras":
            return False
        return getattr(self.ctx.value(node.func), "api", "").rpartition(".")[2] in _FUNCTIONS_ONLY

    def made(self, node: cst.Call) -> Bound | None:
        """The part that a call creates on the spot."""
        assert isinstance(node.func, cst.Call)
        part = self.maker.part(node.func)
        if part is not None and part.stateful:
            self.build.needs.decline("a layer with a state that is made where it is called", self.ctx, node)
        return None if part is None or part.stateful else Bound(part, "", "")

    def _several(self, node: cst.Tuple | cst.List) -> Term:
        terms = [self.term(element.value) for element in node.elements]
        texts = ", ".join(t.text for t in terms)
        comma = "," if isinstance(node, cst.Tuple) and len(terms) == 1 else ""
        bracketed = isinstance(node, cst.List)
        parens = isinstance(node, cst.Tuple) and (node.lpar or comma)
        text = f"[{texts}]" if bracketed else f"({texts}{comma})" if parens else texts
        return Term(text, Several(tuple(t.layout for t in terms)))

    def _mapping(self, node: cst.Dict) -> Term:
        """Tensors by name, each as callers know it."""
        kept, self.rebinds = self.rebinds, False
        found = []
        for element in node.elements:
            text = self.to(self.term(element.value), LAST, element.value)
            found.append(
                f"{self.term(element.key).text}: {text}" if isinstance(element, cst.DictElement) else f"**{text}"
            )
        self.rebinds = kept
        return Term(f"{{{', '.join(found)}}}")

    def _choice(self, node: cst.IfExp) -> Term:
        test = self.term(node.test)
        then, other = self.term(node.body), self.term(node.orelse)
        target = then.layout if then.layout == other.layout else LAST
        return Term(f"{self.to(then, target)} if {test.text} else {self.to(other, target)}", target)

    def _comprehension(self, node: cst.ListComp | cst.GeneratorExp) -> Term:
        loop = node.for_in
        if loop.ifs or loop.inner_for_in or not self.enter(loop.target, loop.iter):
            return self.operation(node)
        kept, self.rebinds = self.rebinds, False
        each = self.term(node.elt)
        self.rebinds = kept
        over = self.term(loop.iter).text if not self.is_list(loop.iter) else self.iterated(loop.iter)
        text = f"{each.text} for {self.ctx.code(loop.target)} in {over}"
        return Term(f"[{text}]" if isinstance(node, cst.ListComp) else f"({text})", Several(each=each.layout))

    # --- loops over modules ---

    def is_list(self, node: cst.BaseExpression) -> bool:
        name = get_full_name_for_node(node) if isinstance(node, cst.Name | cst.Attribute) else None
        return name in self.lists

    def iterated(self, node: cst.BaseExpression) -> str:
        name = get_full_name_for_node(node) or ""
        return self.lists[name].target if name in self.lists else self.term(node).text

    def enter(self, target: cst.BaseExpression, over: cst.BaseExpression) -> bool:
        """Bind the variables of a loop over modules or tensors; False when it is neither."""
        if isinstance(over, cst.Call) and isinstance(over.func, cst.Name):
            inner = [a.value for a in over.args]
            if over.func.value in ("reversed", "list", "tuple") and len(inner) == 1:
                return self.enter(target, inner[0])
            if over.func.value in ("enumerate", "zip") and isinstance(target, cst.Tuple):
                targets = [e.value for e in target.elements]
                pairs = zip(targets[1:] if over.func.value == "enumerate" else targets, inner, strict=False)
                entered = [self.enter(t, o) for t, o in pairs]
                return any(entered)
        if isinstance(over, cst.Subscript) and isinstance(over.slice[0].slice, cst.Slice) and len(over.slice) == 1:
            return self.enter(target, over.value)
        name = get_full_name_for_node(over) if isinstance(over, cst.Name | cst.Attribute) else None
        if not isinstance(target, cst.Name) or name is None:
            return False
        if name in self.lists:
            listed = self.lists[name]
            self.bound[target.value] = Bound(listed.part, target.value, listed.path)
            return True
        held = self.layouts.get(name)
        if isinstance(held, Several):
            self.layouts[target.value] = held.uniform
            return True
        return False

    # --- calls ---

    def call(self, node: cst.Call) -> Term:
        """A call: of a part, of an operation, or of anything else with ordinary tensors."""
        if self.makes(node):
            bound = self.made(node)
            return Term(self.ctx.code(node)) if bound is None else self.apply(bound, node)  # for the draft to show
        bound = self.callee(node.func)
        if bound is not None:
            return self.apply(bound, node)
        some = self._container_slice(node)
        if some is not None:
            return some
        if isinstance(node.func, cst.Name) and len(node.args) == 1 and _is_elementwise(self.ctx.value(node.func)):
            inner = self.term(node.args[0].value)  # a module that the constructor was given
            return Term(f"{self.finished(node.func.value)}({inner.text})", inner.layout)
        if isinstance(node.func, cst.Attribute) and node.func.attr.value == "compute_mask":
            given = self.callee(node.func.value)
            if given is not None and given.part.code.mask is not None and len(node.args) == 1:
                return Term(fill(given.part.code.mask, {"x": self.to(self.term(node.args[0].value), LAST)}))
        layer = _FUNCTIONS.get(getattr(self.ctx.value(node.func), "name", ""))
        if layer is not None and node.args and node.args[0].keyword is None:
            made = self.maker.merge(layer, node)
            return Term(self.ctx.code(node)) if made is None else self.apply(Bound(made, "", ""), _first_only(node))
        if isinstance(node.func, cst.Attribute) and isinstance(node.func.value, cst.Name):
            held = self.layouts.get(node.func.value.value)
            if isinstance(held, Several):
                return self._container(node, node.func, held)
        method = own_calls.told(node, self.flagged, self.ctx)
        if method is not None:
            plain = own_calls.without_flag(node, method, self)
            with self.located({plain: self.ctx.spans[node]}):
                return self.operation(plain)
        return self.operation(node)

    def _container(self, node: cst.Call, func: cst.Attribute, held: Several) -> Term:
        """`skips.append(x)`, `skips.pop()`."""
        assert isinstance(func.value, cst.Name)
        name, method = func.value.value, func.attr.value
        if method == "append" and len(node.args) == 1:
            item = self.term(node.args[0].value)
            if held.each is None and not held.items:
                self.layouts[name] = Several(each=item.layout)
                return Term(f"{name}.append({item.text})")
            return Term(f"{name}.append({self.to(item, held.uniform)})")
        if method == "pop":
            inner = ", ".join(self.term(a.value).text for a in node.args)
            return Term(f"{name}.pop({inner})", held.uniform)
        return self.operation(node)

    def callee(self, func: cst.BaseExpression) -> Bound | None:
        """The part that is called."""
        if isinstance(func, cst.Subscript):
            name = get_full_name_for_node(func.value)
            if name in self.lists:
                listed = self.lists[name]
                index = ", ".join(self.finished(self.build.needs.text(e.slice, self.ctx)) for e in func.slice)
                return Bound(listed.part, f"{listed.target}[{index}]", listed.path)
            return None
        if _is_super_call(func):
            return self.bound.get("super().call")
        name = get_full_name_for_node(func) if isinstance(func, cst.Name | cst.Attribute) else None
        return self.bound.get(name) if name is not None else None

    def apply(self, bound: Bound, node: cst.Call) -> Term:
        """The call of a part."""
        return Applying(self).apply(bound, node)

    # --- layouts ---

    def to(self, term: Term, target: Layout, node: cst.BaseExpression | None = None) -> str:
        """The expression brought to a layout."""
        if term.layout == target:
            return term.text
        if isinstance(term.layout, Several) or isinstance(target, Several | Flat):
            return self._items_to(term, target)
        if term.layout != LAST and target != LAST:
            self.build.needs.decline(f"a tensor of layout {term.layout} is needed as {target}", self.ctx, node)
            return term.text
        if isinstance(term.layout, Flat):
            self.unflattened = True
        self.permutes += 1
        text, note = lay.permute(atom(term.text), term.layout, target)
        if target != LAST and self.rebinds and self.layouts.get(term.text) == term.layout:
            self.pre.append(f"{term.text} = {text}  # {note}")
            self.layouts[term.text] = target
            return term.text
        return text

    def _items_to(self, term: Term, target: Layout) -> str:
        held = term.layout
        wanted = {target.uniform} if isinstance(target, Several) else {target}
        if isinstance(held, Several) and wanted == {LAST}:
            if held.uniform == LAST and (held.each is not None or set(held.items) <= {LAST}):
                return term.text
            if held.each is not None or len(set(held.items)) == 1:
                each, _ = lay.permute("t", held.uniform, LAST)
                self.permutes += 1
                return f"[{each} for t in {term.text}]"
        self.build.needs.decline("tensors of different layouts in one container", self.ctx)
        return term.text

    # --- operations ---

    def operation(self, node: cst.BaseExpression) -> Term:
        """An operation of the rules, with its structural operands lowered first."""
        plan = Plan.of(self, node)
        if self.ctx.rules.keras == 2 and any(term.mask for term in plan.terms.values()):
            self.build.needs.decline("a mask that an operation of Keras 2 passes on", self.ctx, node)
        holes_of = {child: f"__hole_x{i}__" for i, child in enumerate(plan.terms)}
        new: dict[cst.CSTNode, cst.CSTNode] = {c: cst.Name(h) for c, h in holes_of.items()}
        new.update(plan.exchanges)
        swap, spans = swapped(node, new, self.ctx.spans)
        if plan.extra is not None and isinstance(swap, cst.Call):
            longer = swap.with_changes(args=[*swap.args, plan.extra])
            spans[longer] = spans.get(swap, Span(0, 0, 0, 0))
            swap = longer
        for child, name in new.items():
            if child in holes_of and child in self.ctx.spans:
                spans[name] = self.ctx.spans[child]
        rewritten = rewrite(self.ctx, swap, spans, [self.ctx.spans.get(c) for c in new])
        self.build.needs.take(rewritten)
        text = self.finished(self.ctx.code(rewritten.node).strip())
        filling = {holes_of[c]: self.to(t, plan.operand_layout(t), c) for c, t in plan.terms.items()}
        return self._activated(node, plan, substitute(text, self._hoisted(text, filling)), text, filling)

    def _hoisted(self, text: str, filling: Mapping[str, str]) -> dict[str, str]:
        """Operands that the rule uses twice get a name, unless repeating them costs nothing."""
        counts = names(text)
        result = {}
        for hole, operand in filling.items():
            if counts.get(hole, 0) > 1 and "(" in operand:
                name = fresh("value", {*self.layouts, *self.maker.scope})
                self.pre.append(f"{name} = {operand}")
                result[hole] = name
            else:
                result[hole] = operand
        return result

    def _activated(
        self, node: cst.BaseExpression, plan: Plan, done: str, text: str, filling: Mapping[str, str]
    ) -> Term:
        name = plan.api.rpartition(".")[2]
        if is_output(name) and len(filling) == 1 and isinstance(node, cst.Call):
            ((hole, operand),) = filling.items()
            if names(text).get(hole) == 1:
                return Term(done, plan.result, operand, (text.replace(hole, "{x}"), name))
        return Term(done, plan.result)

    # --- items ---

    def subscript(self, node: cst.Subscript) -> Term:
        """An item: of a shape, of a container of tensors, or of a tensor."""
        index = _index(node)
        if isinstance(self.ctx.value(node.value), ShapeOf):
            return self._size(node, index)
        name = get_full_name_for_node(node.value) if isinstance(node.value, cst.Name | cst.Attribute) else None
        held = self.layouts.get(name) if name else None
        whole = self._container_slice(node)
        if whole is not None:
            return whole
        if isinstance(held, Several) and not isinstance(node.slice[0].slice, cst.Slice):
            inner = self.finished(self.build.needs.text(node.slice[0].slice, self.ctx))
            return Term(f"{self.rename.get(name or '', name)}[{inner}]", held.at(index))
        return self.operation(node)

    def _container_slice(self, node: cst.BaseExpression) -> Term | None:
        """A container of tensors of one layout, or some of it: `skips`, `skips[:-1]`, `reversed(skips[1:])`."""
        if isinstance(node, cst.Name):
            held = self.layouts.get(node.value)
            alike = isinstance(held, Several) and len({*held.items, held.each} - {None}) <= 1
            return Term(self.rename.get(node.value, node.value), held) if held is not None and alike else None
        if isinstance(node, cst.Subscript) and isinstance(node.slice[0].slice, cst.Slice) and len(node.slice) == 1:
            of = None if find(node.slice[0], m.Call()) else self._container_slice(node.value)
            cut = self.ctx.code(node.slice[0].slice)
            return None if of is None else Term(self.finished(f"{of.text}[{cut}]"), self._some(of))
        name = node.func.value if isinstance(node, cst.Call) and isinstance(node.func, cst.Name) else ""
        if isinstance(node, cst.Call) and name in ("reversed", "list", "tuple") and len(node.args) == 1:
            of = self._container_slice(node.args[0].value)
            return None if of is None else Term(f"{name}({of.text})", self._some(of))
        return None

    def _some(self, container: Term) -> Layout:
        held = container.layout
        assert isinstance(held, Several)
        return Several(each=held.uniform) if held.items or held.each is not None else held

    def _size(self, node: cst.Subscript, index: int | None) -> Term:
        source = node.value
        tensor = source.value if isinstance(source, cst.Attribute) else None
        if isinstance(source, cst.Call) and len(source.args) == 1:
            tensor = source.args[0].value
        if tensor is None or index is None or not isinstance(tensor, cst.Name):
            return self.operation(node)
        term = self.term(tensor)
        return Term(f"{term.text}.shape[{lay.axis(index, term.layout)}]")


_RANKS = [f"{rank}D" for rank in (1, 2, 3)]
_FUNCTIONS_ONLY = frozenset(
    {"Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum", "Concatenate", "Dot"}
    | {"Activation", "ReLU", "LeakyReLU", "ELU", "Softmax", "Flatten", "Reshape", "Permute", "RepeatVector"}
    | {f"{name}{rank}" for name in ("UpSampling", "ZeroPadding", "Cropping") for rank in _RANKS}
    | {f"{size}{kind}Pooling{rank}" for size in ("", "Global") for kind in ("Max", "Average") for rank in _RANKS}
)
"""Layers that are functions: made where they are called, they leave nothing behind."""

_FUNCTIONS = {
    f"tf.keras.layers.{name}": f"tf.keras.layers.{name.capitalize()}"
    for name in ("add", "subtract", "multiply", "average", "maximum", "minimum", "concatenate", "dot")
}
"""The merging layers in their spelling as functions."""


def _is_elementwise(value: Value) -> bool:
    """Whether a value is a layer, or one of several, each of which changes every number by itself."""
    if isinstance(value, Choice):
        options = [option for option in value.options if option != Literal(None)]
        return bool(options) and all(map(_is_elementwise, options))
    if not isinstance(value, Instance) or value.api not in ELEMENTWISE:
        return False
    named = value.arg("activation")
    return not value.api.endswith(".Activation") or (isinstance(named, Literal) and named.value in _BY_NUMBER)


_BY_NUMBER = (
    "relu",
    "relu6",
    "sigmoid",
    "tanh",
    "elu",
    "selu",
    "gelu",
    "silu",
    "swish",
    "softplus",
    "softsign",
    "linear",
)


def _is_super_call(func: cst.BaseExpression) -> bool:
    """`super().call`, `super(Block, self).call`."""
    if not isinstance(func, cst.Attribute) or func.attr.value not in ("call", "__call__"):
        return False
    base = func.value
    return isinstance(base, cst.Call) and isinstance(base.func, cst.Name) and base.func.value == "super"


class _Located:
    def __init__(self, lower: Lowerer, spans: dict[cst.CSTNode, Span]) -> None:
        self.lower, self.spans = lower, spans

    def __enter__(self) -> None:
        self.kept = self.lower.ctx
        self.lower.ctx = replace(self.kept, spans=Both(self.spans, self.kept.spans))

    def __exit__(self, *_: object) -> None:
        self.lower.ctx = self.kept


def _first_only(node: cst.Call) -> cst.Call:
    return node.with_changes(args=node.args[:1])


class _Finder(cst.CSTVisitor):
    def __init__(self, lowerer: Lowerer) -> None:
        super().__init__()
        self.lowerer = lowerer
        self.found = False

    def on_visit(self, node: cst.CSTNode) -> bool:
        if isinstance(node, cst.Arg):
            self.found = self.found or _below(node.value, self)
            return False
        if isinstance(node, cst.Name | cst.Attribute | cst.Call) and self.lowerer.special(node):
            self.found = True
        if isinstance(node, cst.Attribute):
            self.found = self.found or _below(node.value, self)
            return False
        return not self.found


def _below(node: cst.CSTNode, finder: _Finder) -> bool:
    walk(node, finder)
    return finder.found


def _index(node: cst.Subscript) -> int | None:
    if len(node.slice) != 1 or not isinstance(node.slice[0].slice, cst.Index):
        return None
    text = cst.Module([]).code_for_node(node.slice[0].slice.value).replace(" ", "")
    return int(text) if text.lstrip("-").isdigit() else None
