"""Calls of parts: Keras layers on tensors, modules of the repository on their arguments."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import libcst as cst
from libcst.helpers import get_full_name_for_node

from migrator.codemods.models import layout as lay
from migrator.codemods.models.forms import Forms
from migrator.codemods.models.lambdas import Lambdas
from migrator.codemods.models.layout import LAST, Flat, Layout, Several
from migrator.codemods.models.masks import OTHERWISE_IN_KERAS_2, PASSES_MASK, READS_MASK
from migrator.codemods.models.modes import OVERRIDDEN, is_false, note_call, told_to_infer
from migrator.codemods.models.part import FUNCTION, Part, is_output
from migrator.codemods.models.term import Bound, Term, rank_of
from migrator.codemods.models.text import fill, fresh, holes
from migrator.values import Literal

if TYPE_CHECKING:
    from migrator.codemods.models.lower import Lowerer


@dataclass
class Applying:
    """Applies parts in the method that a lowerer works on."""

    lower: Lowerer

    def apply(self, bound: Bound, node: cst.Call) -> Term:
        """The call of a part."""
        part = bound.part
        if part.stateful:
            infers = told_to_infer(node)
            if infers and self.lower.overrides_training:
                self.lower.build.needs.note(OVERRIDDEN)
            why = note_call(self.lower.build, bound.target, infers and not self.lower.overrides_training)
            if why:
                self.lower.build.needs.decline(why, self.lower.ctx, node, part.api)
        if part.arguments:
            return self._module_call(bound, node)
        if part.function is not None:
            return Lambdas(self.lower).apply(part, node)
        if part.code.form is not None or part.code.masked is not None:
            return Forms(self).apply(bound, node)
        args = self._inputs(node, part, bound.target)
        if args is None:
            return Term("None")
        return self.applied(bound, [self.lower.term(a) for a in args], args)

    def applied(self, bound: Bound, terms: list[Term], args: list[cst.BaseExpression]) -> Term:
        """A Keras layer on terms; `args` are the original's expressions for them."""
        part = bound.part
        if part.flattens and len(terms) == 1:
            return self._flatten(part, terms[0], args[0])
        if len(terms) == 1 and isinstance(terms[0].layout, Several):
            return self._on_list(bound, terms[0], args[0])
        target = part.takes if part.takes is not None else self._common(terms, args)
        if isinstance(terms[0].layout, Flat) and len(terms) == 1:
            terms, target = self._on_flat(bound, terms[0])
        texts = [self.lower.to(t, target, a) for t, a in zip(terms, args, strict=True)]
        gives = part.gives if part.gives is not None else target
        made = self.giving_mask(part, texts)
        found = self._filled(part, bound.target, texts, target, gives, terms[0].text)
        return replace(found, mask=made or self._passed(part, terms))

    def _on_list(self, bound: Bound, term: Term, node: cst.BaseExpression) -> Term:
        """A merging layer on a list that is not written out: `Concatenate()(features)`."""
        part, held = bound.part, term.layout
        assert isinstance(held, Several)
        if held.items and held.each is None and term.text.isidentifier():
            items = [Term(f"{term.text}[{i}]", layout) for i, layout in enumerate(held.items)]
            if part.joins is None or len(set(held.items)) > 1:
                return self.applied(bound, items, [node] * len(items))
        if part.joins is None:
            reason = "a list of an open number of tensors goes into a layer"
            self.lower.build.needs.decline(reason, self.lower.ctx, node, part.api)
            return Term("None")
        self.lower.build.needs.imports.add("import torch")
        return Term(f"torch.cat({term.text}, dim={lay.axis(part.joins, held.uniform)})", held.uniform)

    def giving_mask(self, part: Part, texts: list[str]) -> str:
        """The variable with the mask that a layer makes, for what follows; "" for others. Names its input."""
        if part.code.mask is None:
            return ""
        if not texts[0].isidentifier():
            name = fresh("inputs", {*self.lower.layouts, *self.lower.maker.scope})
            self.lower.pre.append(f"{name} = {texts[0]}")
            self.lower.layouts[name] = LAST
            texts[0] = name
        mask = fresh("mask", {*self.lower.layouts, *self.lower.masks.values(), *self.lower.maker.scope})
        self.lower.pre.append(f"{mask} = {fill(part.code.mask, {'x': texts[0]})}")
        return mask

    def _passed(self, part: Part, terms: list[Term]) -> str:
        """The mask of a layer's result."""
        masks = [t.mask for t in terms]
        if not any(masks):
            return ""
        name = part.api.rpartition(".")[2]
        if name in READS_MASK or (name == "TimeDistributed" and "over_time" in part.code.forward):
            self.lower.build.needs.decline(f"a mask reaches {name}", self.lower.ctx, None, part.api)
        if name not in PASSES_MASK:
            return ""
        if name in OTHERWISE_IN_KERAS_2 and self.lower.ctx.rules.keras == 2:
            self.lower.build.needs.decline(f"a mask of Keras 2 reaches {name}", self.lower.ctx, None, part.api)
        if len(set(masks)) > 1:
            self.lower.build.needs.decline("inputs of one layer with different masks", self.lower.ctx, None, part.api)
        return masks[0]

    def _filled(
        self, part: Part, target: str, texts: list[str], takes: Layout, gives: Layout, source: str = ""
    ) -> Term:
        filling = {"self": target, "x": texts[0], **{f"x{i}": t for i, t in enumerate(texts)}}
        if part.joins is not None:
            dim = lay.axis(part.joins, takes)
            text = f"torch.cat([{', '.join(texts)}], dim={dim})"
            self.lower.build.needs.imports.add("import torch")
        else:
            template = part.code.forward
            wanted = [h for h in holes(template) if h not in filling]
            if wanted:
                self.lower.build.needs.decline(f"{part.api} is called with too few inputs", self.lower.ctx)
                return Term("None")
            if source.isidentifier():  # the batch is the first axis in every layout
                template = template.replace("{x}.shape[0]", f"{source}.shape[0]")
            text = fill(template, filling)
        activation = part.activation(gives)
        if part.code.activation_name == FUNCTION and gives != LAST:
            reason = "an activation that only the run knows, on channels that come first"
            self.lower.build.needs.decline(reason, self.lower.ctx, None, part.api)
        name = part.code.activation_name or ""
        if activation is None:
            if is_output(name) and part.code.module is None and part.code.forward.count("{x}") == 1:
                return Term(text, gives, texts[0], (part.code.forward, name))
            return Term(text, gives)
        done = fill(activation, {"x": text})
        return Term(done, gives, text, (activation, name)) if is_output(name) else Term(done, gives)

    def _inputs(self, node: cst.Call, part: Part, target: str) -> list[cst.BaseExpression] | None:
        """The tensors that a Keras layer is called with."""
        inputs: list[cst.BaseExpression] = []
        for arg in node.args:
            keyword = arg.keyword.value if arg.keyword else ""
            if keyword == "training":
                self.training(arg.value, part, target)
            elif keyword == "mask" and isinstance(self.lower.ctx.value(arg.value), Literal):
                continue
            elif keyword in ("", "inputs", "x") and not arg.star:
                inputs.append(arg.value)
            else:
                self.lower.build.needs.decline(
                    f"argument `{keyword or arg.star}` of a layer's call", self.lower.ctx, node, part.api
                )
                return None
        if len(inputs) == 1 and isinstance(inputs[0], cst.List | cst.Tuple):
            inputs = [element.value for element in inputs[0].elements]
        elif len(inputs) == 2 and "{x1}" not in part.code.forward:
            self.training(inputs.pop(), part)
        if not inputs:
            self.lower.build.needs.decline("a layer called with nothing", self.lower.ctx, node, part.api)
            return None
        return inputs

    def training(self, node: cst.BaseExpression, part: Part, target: str = "") -> None:
        """`training=training` is what a module does by itself; anything else is declined."""
        name = get_full_name_for_node(node) if isinstance(node, cst.Name | cst.Attribute) else None
        value = self.lower.ctx.value(node)
        if name is not None and self.lower.rename.get(name) == "self.training":
            return
        if is_false(node) and target:
            return  # the module says so in its `train`
        if isinstance(value, Literal) and value.value is None:
            return
        if part.api.rpartition(".")[2] in ("Dense", "Conv2D", "Conv1D", "ReLU", "Flatten", "MaxPooling2D"):
            return
        self.lower.build.needs.decline("a layer is told whether to train", self.lower.ctx, node, part.api)

    def _common(self, terms: list[Term], args: list[cst.BaseExpression]) -> Layout:
        """The layout in which inputs of one layer meet."""
        layouts = [t.layout for t in terms]
        if len(set(layouts)) == 1:
            return layouts[0]
        spatial = next((x for x in layouts if lay.rank(x) is not None), LAST)
        ranks = [lay.rank(t.layout) or rank_of(self.lower.ctx.value(a)) for t, a in zip(terms, args, strict=True)]
        return spatial if all(r == lay.rank(spatial) for r in ranks) else LAST

    def _flatten(self, part: Part, term: Term, node: cst.BaseExpression) -> Term:
        n = lay.rank(term.layout)
        if n is None:
            return self._filled(part, "", [self.lower.to(term, LAST)], LAST, LAST)
        shape = getattr(self.lower.ctx.value(node), "shape", None) or part.shape
        sizes = tuple(d for d in shape[1:] if isinstance(d, int)) if shape else ()
        if len(sizes) == n - 1 and (all(d == 1 for d in sizes[:-1]) or sizes[-1] == 1):
            return self._filled(part, "", [term.text], LAST, LAST)
        if len(sizes) == n - 1 and not self.lower.flatten_last:
            return self._filled(part, "", [term.text], LAST, Flat(sizes))
        return self._filled(part, "", [self.lower.to(term, LAST, node)], LAST, LAST)

    def _on_flat(self, bound: Bound, term: Term) -> tuple[list[Term], Layout]:
        """A layer on a flattened image: Dense takes its kernel's rows in another order."""
        flat = term.layout
        assert isinstance(flat, Flat)
        if bound.part.takes is None:
            return [term], flat
        if bound.part.api == "tf.keras.layers.Dense":
            self._spell_out(bound, flat.sizes)
            self.lower.build.reweigh(bound.path, tuple(reordered(p, flat.sizes) for p in bound.part.code.params))
            return [replace(term, layout=LAST)], LAST
        self.lower.unflattened = True
        return [term], LAST

    def _spell_out(self, bound: Bound, sizes: tuple[int, ...]) -> None:
        """`nn.Linear(64 * 6 * 6, 10)` rather than the product."""
        product = " * ".join(map(str, (sizes[-1], *sizes[:-1])))
        total = math.prod(sizes)
        for lines in (self.lower.build.init, self.lower.made_lines):
            for index, line in enumerate(lines):
                if line.startswith(f"{bound.target} = nn.Linear({total},"):
                    lines[index] = line.replace(f"nn.Linear({total},", f"nn.Linear({product},", 1)

    def _module_call(self, bound: Bound, node: cst.Call) -> Term:
        """The call of a module of the repository, with the arguments of the original."""
        texts = []
        for arg in node.args:
            keyword = arg.keyword.value if arg.keyword else ""
            if keyword == "training":
                self.training(arg.value, bound.part, bound.target)
                continue
            if self._is_training(arg.value):
                continue
            if keyword == "mask" and not self._takes_mask(bound.part):
                if self.lower.ctx.value(arg.value) != Literal(None):
                    self.lower.build.needs.decline("a mask for a module that takes none", self.lower.ctx, node)
                continue
            term = self.lower.term(arg.value)
            if term.mask:
                self.lower.build.needs.decline("a masked tensor goes into a module", self.lower.ctx, arg.value)
            text = self.lower.to(term, self._wanted(bound.part, term, arg.value), arg.value)
            texts.append(f"{arg.star}{keyword}={text}" if keyword else f"{arg.star}{text}")
        return Term(f"{bound.target}({', '.join(texts)})", bound.part.gives or LAST)

    def _takes_mask(self, part: Part) -> bool:
        """Whether `call` of a class of the repository has a parameter for the mask, which is no more than that here."""
        known = self.lower.ctx.facts.cls(part.api)
        return known is not None and any(name == "mask" for name, _ in known.call_inputs)

    def _is_training(self, node: cst.BaseExpression) -> bool:
        return isinstance(node, cst.Name) and self.lower.rename.get(node.value) == "self.training"

    def _wanted(self, part: Part, term: Term, node: cst.BaseExpression) -> Layout:
        """The layout that a repository module wants an argument in: images as it works on them, the rest as it is."""
        if isinstance(term.layout, Several):
            return Several(tuple(self._each(part, x) for x in term.layout.items), term.layout.each)
        if part.takes in (None, LAST):
            return LAST
        n = lay.rank(term.layout) or rank_of(self.lower.ctx.value(node))
        if n is None and part.takes is not None:
            return part.takes
        return part.takes if part.takes is not None and lay.rank(part.takes) == n else LAST

    def _each(self, part: Part, held: Layout) -> Layout:
        return held if part.takes not in (None, LAST) and held == part.takes else LAST


def reordered(param: tuple[str, str, str], sizes: tuple[int, ...]) -> tuple[str, str, str]:
    """A Dense kernel whose rows count (H, W, C) as a Linear weight whose columns count (C, H, W)."""
    keras, torch, _transform = param
    if keras != "kernel":
        return param
    dims = ",".join(map(str, sizes))
    order = [len(sizes), len(sizes) - 1, *range(len(sizes) - 1)]
    total = math.prod(sizes)
    return keras, torch, f"reshape({dims},-1) transpose({','.join(map(str, order))}) reshape(-1,{total})"
