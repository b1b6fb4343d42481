"""`Lambda` layers: their function, applied where the layer is called."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import libcst as cst

from migrator.codemods.models.layout import Several
from migrator.codemods.models.part import Part
from migrator.codemods.models.term import Term
from migrator.codemods.models.text import fresh, names
from migrator.model import Decline, LayerCode
from migrator.values import Literal

if TYPE_CHECKING:
    from migrator.codemods.context import Context
    from migrator.codemods.models.lower import Lowerer

API = "tf.keras.layers.Lambda"
_PARAMETERS = ("function", "output_shape", "mask", "arguments")


def lambda_part(node: cst.Call, ctx: Context) -> Part | Decline:
    """The part that `Lambda(function, …)` makes; `output_shape` says nothing in PyTorch."""
    given: dict[str, cst.BaseExpression] = {}
    for index, arg in enumerate(node.args):
        if arg.star or (arg.keyword is None and index >= len(_PARAMETERS)):
            return Decline("* or ** arguments", API)
        given[arg.keyword.value if arg.keyword else _PARAMETERS[index]] = arg.value
    if "mask" in given and ctx.value(given["mask"]) != Literal(None):
        return Decline("a Lambda with a mask", API)
    left = set(given) - {*_PARAMETERS, "name", "input_shape", "batch_input_shape", "trainable"}
    if left or "function" not in given:
        return Decline(f"argument `{min(left, default='function')}` of a Lambda", API)
    more = given.get("arguments")
    if more is not None and not isinstance(more, cst.Dict):
        return Decline("the arguments of a Lambda are not written out", API)
    return Part(API, LayerCode(None, "{x}", "x"), function=given["function"], options=more)


@dataclass
class Lambdas:
    """Applies functions of Lambda layers in the method that a lowerer works on."""

    lower: Lowerer

    def apply(self, part: Part, node: cst.Call) -> Term:
        """The function's result for the call's argument."""
        given = [a.value for a in node.args if not (a.keyword and a.keyword.value == "training")]
        if len(given) != 1 or part.function is None:
            self.lower.build.needs.decline("a Lambda called in an unknown way", self.lower.ctx, node, API)
            return Term("None")
        more = self._options(part.options)
        if isinstance(part.function, cst.Lambda):
            return self._inlined(part.function, given[0], more)
        return self._called(part.function, given[0], more)

    def _options(self, node: cst.BaseExpression | None) -> dict[str, cst.BaseExpression]:
        elements = node.elements if isinstance(node, cst.Dict) else ()
        found = {}
        for element in elements:
            key = element.key if isinstance(element, cst.DictElement) else None
            if not isinstance(key, cst.SimpleString):
                self.lower.build.needs.decline(
                    "the arguments of a Lambda are not written out", self.lower.ctx, node, API
                )
                continue
            found[str(key.evaluated_value)] = element.value
        return found

    def _called(self, function: cst.BaseExpression, x: cst.BaseExpression, more: dict[str, cst.BaseExpression]) -> Term:
        """A function by name, called in the ordinary way."""
        keywords = [cst.Arg(value, keyword=cst.Name(name), equal=_EQUAL) for name, value in more.items()]
        return self.lower.term(cst.Call(function, [cst.Arg(x), *keywords]))

    def _inlined(self, function: cst.Lambda, x: cst.BaseExpression, more: dict[str, cst.BaseExpression]) -> Term:
        """The body of a lambda with the input in place of its parameter."""
        lower, params = self.lower, [*function.params.params, *function.params.kwonly_params]
        if not params or isinstance(function.params.star_arg, cst.Param) or function.params.star_kwarg:
            lower.build.needs.decline("a lambda of an unknown number of arguments", lower.ctx, function, API)
            return Term("None")
        first, *rest = [p.name.value for p in params]
        term = lower.term(x)
        uses = names(function.body).get(first, 0)
        kept = (dict(lower.rename), dict(lower.layouts), dict(lower.masks))
        lower.rename[first] = self._named(term, uses)
        lower.layouts[first] = term.layout
        lower.masks.pop(first, None)
        for param in params[1:]:
            value = more.get(param.name.value, param.default)
            if value is None:
                lower.build.needs.decline(f"`{param.name.value}` of a lambda is not given", lower.ctx, function, API)
            else:
                lower.rename[param.name.value] = lower.maker.static(value)
        try:
            found = lower.term(function.body)
            text = found.text if lower.keeps else lower.maker.keep(found.text)
        finally:
            lower.rename, lower.layouts, lower.masks = kept
        if set(more) - {*rest}:
            lower.build.needs.decline("arguments that the lambda does not take", lower.ctx, function, API)
        return Term(text, found.layout, found.before, found.activation)

    def _named(self, term: Term, uses: int) -> str:
        """The input as something that may stand where the parameter stood."""
        if term.text.isidentifier() or (uses == 1 and not isinstance(term.layout, Several)):
            return term.text
        name = fresh("inputs", {*self.lower.layouts, *self.lower.maker.scope})
        self.lower.pre.append(f"{name} = {term.text}")
        self.lower.layouts[name] = term.layout
        return name


_EQUAL = cst.AssignEqual(cst.SimpleWhitespace(""), cst.SimpleWhitespace(""))
