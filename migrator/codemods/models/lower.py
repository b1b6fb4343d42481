"""Expressions of `forward`: layers applied, layouts followed, everything else to the rules."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

import libcst as cst
from libcst.helpers import get_full_name_for_node

from migrator.codemods.context import Context
from migrator.codemods.models import layout as lay
from migrator.codemods.models.build import ModuleBuild
from migrator.codemods.models.create import Maker
from migrator.codemods.models.layout import LAST, Flat, Layout, Several
from migrator.codemods.models.part import Part, is_output
from migrator.codemods.models.swap import rewrite, swapped
from migrator.codemods.models.text import atom, fill, fresh, holes, names, substitute
from migrator.model import Decline
from migrator.values import Api, Literal, Scalar, Sequence, ShapeOf, Span, Tensor, Value

_DROPPED = frozenset({"training", "mask"})


@dataclass(frozen=True)
class Term:
    """An expression of the generated code.

    `before` and `activation` (template, Keras's name) are set where it ends in an activation that
    a loss may want to do without.
    """

    text: str
    layout: Layout = LAST
    before: str | None = None
    activation: tuple[str, str] | None = None


@dataclass(frozen=True)
class Bound:
    """A part that a name of the code stands for; `path` is where its weights are."""

    part: Part
    target: str
    path: str


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

    # --- expressions ---

    def term(self, node: cst.BaseExpression) -> Term:
        """The expression in the generated code."""
        name = get_full_name_for_node(node) if isinstance(node, cst.Name | cst.Attribute) else None
        if name is not None and name in self.layouts:
            return Term(self.rename.get(name, name), self.layouts[name])
        if not self.structural(node):
            return Term(self.finished(self.build.needs.text(node, self.ctx)))
        if isinstance(node, cst.Tuple | cst.List):
            return self._several(node)
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

    def structural(self, node: cst.CSTNode) -> bool:
        """Whether something below is not the rules' business: a part, a permuted tensor, a renamed name."""
        finder = _Finder(self)
        node.visit(finder)
        return finder.found

    def special(self, node: cst.CSTNode) -> bool:
        """Whether this very node makes an expression structural."""
        if isinstance(node, cst.Name | cst.Attribute):
            name = get_full_name_for_node(node) or ""
            known = name in self.bound or name in self.lists or name in self.rename
            return known or self.layouts.get(name, LAST) != LAST
        return isinstance(node, cst.Call) and self.makes(node)

    def makes(self, node: cst.Call) -> bool:
        """Whether a call creates a part on the spot (where the graph is built by calls)."""
        return False

    def made(self, node: cst.Call) -> Bound | None:
        """The part that a call creates on the spot."""
        return None

    def _several(self, node: cst.Tuple | cst.List) -> Term:
        terms = [self.term(element.value) for element in node.elements]
        texts = ", ".join(t.text for t in terms)
        comma = "," if isinstance(node, cst.Tuple) and len(terms) == 1 else ""
        bracketed = isinstance(node, cst.List)
        parens = isinstance(node, cst.Tuple) and (node.lpar or comma)
        text = f"[{texts}]" if bracketed else f"({texts}{comma})" if parens else texts
        return Term(text, Several(tuple(t.layout for t in terms)))

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
            if over.func.value == "reversed" and len(inner) == 1:
                return self.enter(target, inner[0])
            if over.func.value in ("enumerate", "zip") and isinstance(target, cst.Tuple):
                targets = [e.value for e in target.elements]
                pairs = zip(targets[1:] if over.func.value == "enumerate" else targets, inner, strict=False)
                return any(self.enter(t, o) for t, o in pairs)
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
            return Term("None") if bound is None else self.apply(bound, node)
        bound = self.callee(node.func)
        if bound is not None:
            return self.apply(bound, node)
        if isinstance(node.func, cst.Attribute) and isinstance(node.func.value, cst.Name):
            held = self.layouts.get(node.func.value.value)
            if isinstance(held, Several):
                return self._container(node, node.func, held)
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
        name = get_full_name_for_node(func) if isinstance(func, cst.Name | cst.Attribute) else None
        return self.bound.get(name) if name is not None else None

    def apply(self, bound: Bound, node: cst.Call) -> Term:
        """The call of a part."""
        part = bound.part
        if part.arguments:
            return self._module_call(bound, node)
        args = self._inputs(node, part)
        if args is None:
            return Term("None")
        return self.applied(bound, [self.term(a) for a in args], args)

    def applied(self, bound: Bound, terms: list[Term], args: list[cst.BaseExpression]) -> Term:
        """A Keras layer on terms; `args` are the original's expressions for them."""
        part = bound.part
        if part.flattens and len(terms) == 1:
            return self._flatten(part, terms[0], args[0])
        target = part.takes if part.takes is not None else self._common(terms, args)
        if isinstance(terms[0].layout, Flat) and len(terms) == 1:
            terms, target = self._on_flat(bound, terms[0])
        texts = [self.to(t, target, a) for t, a in zip(terms, args, strict=True)]
        gives = part.gives if part.gives is not None else target
        return self._filled(part, bound.target, texts, target, gives)

    def _filled(self, part: Part, target: str, texts: list[str], takes: Layout, gives: Layout) -> Term:
        filling = {"self": target, "x": texts[0], **{f"x{i}": t for i, t in enumerate(texts)}}
        if part.joins is not None:
            dim = lay.axis(part.joins, takes)
            text = f"torch.cat([{', '.join(texts)}], dim={dim})"
            self.build.needs.imports.add("import torch")
        else:
            template = part.code.forward
            wanted = [h for h in holes(template) if h not in filling]
            if wanted:
                self.build.needs.decline(f"{part.api} is called with too few inputs", self.ctx)
                return Term("None")
            text = fill(template, filling)
        activation = part.activation(gives)
        name = part.code.activation_name or ""
        if activation is None:
            if is_output(name) and part.code.module is None and part.code.forward.count("{x}") == 1:
                return Term(text, gives, texts[0], (part.code.forward, name))
            return Term(text, gives)
        done = fill(activation, {"x": text})
        return Term(done, gives, text, (activation, name)) if is_output(name) else Term(done, gives)

    def _inputs(self, node: cst.Call, part: Part) -> list[cst.BaseExpression] | None:
        """The tensors that a Keras layer is called with."""
        inputs: list[cst.BaseExpression] = []
        for arg in node.args:
            keyword = arg.keyword.value if arg.keyword else ""
            if keyword == "training":
                self._training(arg.value, part)
            elif keyword == "mask" and isinstance(self.ctx.value(arg.value), Literal):
                continue
            elif keyword in ("", "inputs", "x") and not arg.star:
                inputs.append(arg.value)
            else:
                self.build.needs.decline(
                    f"argument `{keyword or arg.star}` of a layer's call", self.ctx, node, part.api
                )
                return None
        if len(inputs) == 1 and isinstance(inputs[0], cst.List | cst.Tuple):
            inputs = [element.value for element in inputs[0].elements]
        elif len(inputs) == 2 and "{x1}" not in part.code.forward:
            self._training(inputs.pop(), part)
        if not inputs:
            self.build.needs.decline("a layer called with nothing", self.ctx, node, part.api)
            return None
        return inputs

    def _training(self, node: cst.BaseExpression, part: Part) -> None:
        """`training=training` is what a module does by itself; anything else is declined."""
        name = get_full_name_for_node(node) if isinstance(node, cst.Name | cst.Attribute) else None
        value = self.ctx.value(node)
        if name is not None and self.rename.get(name) == "self.training":
            return
        if isinstance(value, Literal) and value.value is None:
            return
        if part.api.rpartition(".")[2] in ("Dense", "Conv2D", "Conv1D", "ReLU", "Flatten", "MaxPooling2D"):
            return
        self.build.needs.decline("a layer is told to train or not, whatever the model does", self.ctx, node, part.api)

    def _common(self, terms: list[Term], args: list[cst.BaseExpression]) -> Layout:
        """The layout in which inputs of one layer meet."""
        layouts = [t.layout for t in terms]
        if len(set(layouts)) == 1:
            return layouts[0]
        spatial = next((x for x in layouts if lay.rank(x) is not None), LAST)
        ranks = [lay.rank(t.layout) or _rank(self.ctx.value(a)) for t, a in zip(terms, args, strict=True)]
        return spatial if all(r == lay.rank(spatial) for r in ranks) else LAST

    def _flatten(self, part: Part, term: Term, node: cst.BaseExpression) -> Term:
        n = lay.rank(term.layout)
        if n is None:
            return self._filled(part, "", [self.to(term, LAST)], LAST, LAST)
        shape = getattr(self.ctx.value(node), "shape", None) or part.shape
        sizes = tuple(d for d in shape[1:] if isinstance(d, int)) if shape else ()
        if len(sizes) == n - 1 and (all(d == 1 for d in sizes[:-1]) or sizes[-1] == 1):
            return self._filled(part, "", [term.text], LAST, LAST)
        if len(sizes) == n - 1 and not self.flatten_last:
            return self._filled(part, "", [term.text], LAST, Flat(sizes))
        return self._filled(part, "", [self.to(term, LAST, node)], LAST, LAST)

    def _on_flat(self, bound: Bound, term: Term) -> tuple[list[Term], Layout]:
        """A layer on a flattened image: Dense takes its kernel's rows in another order."""
        flat = term.layout
        assert isinstance(flat, Flat)
        if bound.part.takes is None:
            return [term], flat
        if bound.part.api == "tf.keras.layers.Dense":
            self.build.reweigh(bound.path, tuple(reordered(p, flat.sizes) for p in bound.part.code.params))
            return [replace(term, layout=LAST)], LAST
        self.unflattened = True
        return [term], LAST

    def _module_call(self, bound: Bound, node: cst.Call) -> Term:
        """The call of a module of the repository, with the arguments of the original."""
        texts = []
        for arg in node.args:
            keyword = arg.keyword.value if arg.keyword else ""
            if keyword in _DROPPED:
                if keyword == "training":
                    self._training(arg.value, bound.part)
                continue
            if self._is_training(arg.value):
                continue
            term = self.term(arg.value)
            text = self.to(term, self._wanted(bound.part, term, arg.value), arg.value)
            texts.append(f"{arg.star}{keyword}={text}" if keyword else f"{arg.star}{text}")
        return Term(f"{bound.target}({', '.join(texts)})", bound.part.gives or LAST)

    def _is_training(self, node: cst.BaseExpression) -> bool:
        return isinstance(node, cst.Name) and self.rename.get(node.value) == "self.training"

    def _wanted(self, part: Part, term: Term, node: cst.BaseExpression) -> Layout:
        """The layout that a repository module wants an argument in: images as it works on them, the rest as it is."""
        if isinstance(term.layout, Several):
            return Several(tuple(self._each(part, x) for x in term.layout.items), term.layout.each)
        if part.takes in (None, LAST):
            return LAST
        n = lay.rank(term.layout) or _rank(self.ctx.value(node))
        if n is None and part.takes is not None:
            return part.takes
        return part.takes if part.takes is not None and lay.rank(part.takes) == n else LAST

    def _each(self, part: Part, held: Layout) -> Layout:
        return held if part.takes not in (None, LAST) and held == part.takes else LAST

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
        plan = _Plan.of(self, node)
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
        rewritten = rewrite(self.ctx, swap, spans)
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
        self, node: cst.BaseExpression, plan: _Plan, done: str, text: str, filling: Mapping[str, str]
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
        if isinstance(held, Several) and not isinstance(node.slice[0].slice, cst.Slice):
            inner = self.finished(self.build.needs.text(node.slice[0].slice, self.ctx))
            return Term(f"{name}[{inner}]", held.at(index))
        return self.operation(node)

    def _size(self, node: cst.Subscript, index: int | None) -> Term:
        source = node.value
        tensor = source.value if isinstance(source, cst.Attribute) else None
        if isinstance(source, cst.Call) and len(source.args) == 1:
            tensor = source.args[0].value
        if tensor is None or index is None or not isinstance(tensor, cst.Name):
            return self.operation(node)
        term = self.term(tensor)
        return Term(f"{term.text}.shape[{lay.axis(index, term.layout)}]")


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
    node.visit(finder)
    return finder.found


@dataclass
class _Plan:
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
    def of(lowerer: Lowerer, node: cst.BaseExpression) -> _Plan:
        children = list(operands(node))
        terms = {c: lowerer.term(c) for c in children if lowerer.structural(c)}
        value = lowerer.ctx.value(node.func) if isinstance(node, cst.Call) else None
        plan = _Plan(value.name if isinstance(value, Api) else "", terms)
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
            n = _rank(value)
            if n == lay.rank(spatial) and (term is None or term.layout == LAST):
                more[child] = term or lowerer.term(child)
            elif n != 0:
                return False
        if any(t.layout == LAST and _rank(lowerer.ctx.value(c)) == 0 for c, t in self.terms.items()):
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


def _rank(value: Value) -> int | None:
    if isinstance(value, Tensor):
        return value.rank
    return (
        0
        if isinstance(value, Scalar) or (isinstance(value, Literal) and isinstance(value.value, int | float))
        else None
    )


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


def _index(node: cst.Subscript) -> int | None:
    if len(node.slice) != 1 or not isinstance(node.slice[0].slice, cst.Index):
        return None
    text = cst.Module([]).code_for_node(node.slice[0].slice.value).replace(" ", "")
    return int(text) if text.lstrip("-").isdigit() else None


def reordered(param: tuple[str, str, str], sizes: tuple[int, ...]) -> tuple[str, str, str]:
    """A Dense kernel whose rows count (H, W, C) as a Linear weight whose columns count (C, H, W)."""
    keras, torch, _transform = param
    if keras != "kernel":
        return param
    dims = ",".join(map(str, sizes))
    order = [len(sizes), len(sizes) - 1, *range(len(sizes) - 1)]
    total = 1
    for size in sizes:
        total *= size
    return keras, torch, f"reshape({dims},-1) transpose({','.join(map(str, order))}) reshape(-1,{total})"
