"""Calls of Keras layers with more than their input: initial states, masks, keys and values."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import libcst as cst

from migrator.codemods.models.layout import LAST
from migrator.codemods.models.masks import RECURRENT
from migrator.codemods.models.part import Part
from migrator.codemods.models.term import Bound, Term
from migrator.codemods.models.text import fill
from migrator.model import CallForm
from migrator.values import Literal, Sequence, Tensor

if TYPE_CHECKING:
    from migrator.codemods.models.applying import Applying


@dataclass
class Forms:
    """Applies parts whose call has a form of its own."""

    applying: Applying

    def apply(self, bound: Bound, node: cst.Call) -> Term:
        """The call of a part, in the form that its arguments ask for."""
        lower, code = self.applying.lower, bound.part.code
        form = code.form or code.masked
        assert form is not None
        given = self._given(form, node, bound.part)
        first = None if given is None else given.pop(form.params[0], None)
        if given is None or first is None:
            lower.build.needs.decline("a layer called in an unknown way", lower.ctx, node, bound.part.api)
            return Term("None")
        term = lower.term(first)
        texts = self._texts(form, given)
        mask = given.get("mask")
        masked = lower.to(lower.term(mask), LAST, mask) if mask is not None else term.mask
        if masked:
            return self._masked(bound, term, first, texts, masked)
        if not texts and not given:
            return self.applying.applied(bound, [term], [first])
        return self._filled(bound, form, lower.to(term, LAST, first), texts, set(given))

    def _masked(self, bound: Bound, term: Term, first: cst.BaseExpression, texts: dict[str, str], mask: str) -> Term:
        lower, form = self.applying.lower, bound.part.code.masked
        if form is None:
            lower.build.needs.decline("a mask reaches this layer", lower.ctx, first, bound.part.api)
            return Term("None")
        if lower.ctx.rules.keras == 2 and bound.part.api.rpartition(".")[2] not in RECURRENT:
            lower.build.needs.decline("masks of Keras 2", lower.ctx, first, bound.part.api)
        found = self._filled(bound, form, lower.to(term, LAST, first), {**texts, "mask": mask}, {*texts, "mask"})
        output = bound.part.output
        if isinstance(output, Tensor):
            return replace(found, mask=mask if output.rank == 3 else "")
        if isinstance(output, Sequence) and output.items and getattr(output.items[0], "rank", 3) == 2:
            return found
        lower.build.needs.decline("an output with a mask beside states", lower.ctx, first, bound.part.api)
        return found

    def _given(self, form: CallForm, node: cst.Call, part: Part) -> dict[str, cst.BaseExpression] | None:
        """The arguments that say something, by Keras's names."""
        found: dict[str, cst.BaseExpression] = {}
        for index, arg in enumerate(node.args):
            if arg.star or (arg.keyword is None and index >= len(form.params)):
                return None
            name = arg.keyword.value if arg.keyword else form.params[index]
            if name == "training":
                self.applying.training(arg.value, part)
            elif self.applying.lower.ctx.value(arg.value) not in (Literal(None), Literal(False)):
                found[name] = arg.value
        return found

    def _texts(self, form: CallForm, given: dict[str, cst.BaseExpression]) -> dict[str, str]:
        """The texts of the holes of a form."""
        lower, texts = self.applying.lower, {}
        for name, template in form.given:
            if name == "mask" or name not in given:
                continue
            value = self._alone(given[name]) if "{one}" in template else given[name]
            term = lower.term(value)
            if term.mask:
                lower.build.needs.decline("a mask beside the input", lower.ctx, value)
            text = lower.to(term, LAST, value)
            if "{one}" in template and value is given[name] and isinstance(lower.ctx.value(value), Sequence):
                text = f"{text}[0]"
            texts[name] = fill(template.replace("{one}", "{x}").replace("{v}", "{x}"), {"x": text})
        return texts

    def _alone(self, node: cst.BaseExpression) -> cst.BaseExpression:
        """The only element of a list that is written out."""
        single = isinstance(node, cst.List | cst.Tuple) and len(node.elements) == 1
        return node.elements[0].value if single else node  # type: ignore[attr-defined]

    def _filled(self, bound: Bound, form: CallForm, x: str, texts: dict[str, str], wanted: set[str]) -> Term:
        lower, code = self.applying.lower, bound.part.code
        unknown = wanted - {name for name, _ in form.given}
        if unknown:
            reason = f"argument `{min(unknown)}` of a layer's call"
            lower.build.needs.decline(reason, lower.ctx, None, bound.part.api)
        text = form.forward
        for name, _ in form.given:
            if name not in texts:
                text = re.sub(rf", (\w+=)?\{{given_{name}\}}", "", text)
        for helper in form.helpers:
            lower.build.needs.helpers.setdefault(helper.name, helper)
            lower.build.needs.imports |= set(helper.imports)
        holes = {"x": x, "self": bound.target, **{f"given_{name}": t for name, t in texts.items()}}
        done = fill(text, holes)
        return Term(done if code.activation is None else fill(code.activation, {"x": done}), LAST)
