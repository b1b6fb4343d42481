"""Factories that stay functions: they return modules that are defined elsewhere, or an `nn.Sequential`."""

from __future__ import annotations

import libcst as cst

from migrator.codemods.context import Context, Draft
from migrator.codemods.models.build import ModuleBuild, without_spent
from migrator.codemods.models.constructor import Constructor
from migrator.codemods.models.create import Maker
from migrator.codemods.models.forward import body_of
from migrator.codemods.models.layout import LAST, Layout
from migrator.codemods.models.owned import reset_lines
from migrator.codemods.models.params import param_text
from migrator.codemods.models.sizes import gained, size_change, with_sizes
from migrator.codemods.models.text import indent
from migrator.model import UnitKind
from migrator.values import Api, ModelValue, RepoInstance


def plain_factory(node: cst.FunctionDef, ctx: Context) -> Draft:
    """A function that returns modules, statement by statement."""
    qualname = f"{ctx.module}:{node.name.value}"
    facts = ctx.facts.function(qualname)
    sizes = [s.name for s in gained(ctx.facts, qualname)]
    build = ModuleBuild(node.name.value, qualname, sizes=frozenset(sizes))
    maker = Maker(ctx, build)
    constructor = _Factory(ctx, build, maker, local=True)
    constructor.often = set()
    whole = facts is not None and facts.role == "model-factory"
    constructor.whole = whole
    lines = without_spent(constructor.block(body_of(node)))
    _check_layout(node, constructor, ctx.layouts.get(qualname, LAST))
    if build.resets:
        lines = _withreset_lines(lines, build)
    params = with_sizes(_params(node, ctx), sizes, [])
    head = f"def {node.name.value}({', '.join(params)}):"
    if node.returns is not None:
        build.needs.notes.setdefault(f"the annotation of what {node.name.value} returns is gone")
    needs = build.needs
    change = size_change(ctx.facts, qualname)
    text = "\n".join([head, *indent(lines)]) + "\n"
    return Draft(
        text,
        UnitKind.MODEL if whole else UnitKind.LAYER,
        declines=tuple(needs.declines),
        imports=frozenset(needs.imports | {"import torch", "import torch.nn.functional as F"}),
        helpers=needs.helpers_of(text),
        changes=(change,) if change else (),
        weights=tuple(build.records),
        gaps=frozenset(needs.gaps),
        notes=tuple(needs.notes),
        needs_device=constructor.used_device,
    )


def _check_layout(node: cst.FunctionDef, constructor: _Factory, planned: Layout) -> None:
    """Decline a chain that works on another layout than its callers were told."""
    for name, chain in constructor.chains.items():
        takes = chain.takes if chain.takes is not None else planned
        if takes != planned:
            reason = f"`{name}` works on {takes} tensors, where {planned} was planned"
            constructor.build.needs.decline(reason, constructor.ctx, node)
    for name, bound in constructor.bound.items():
        if bound.part.takes not in (None, planned):
            constructor.build.needs.decline(f"`{name}` works on {bound.part.takes} tensors", constructor.ctx, node)


class _Factory(Constructor):
    whole: bool = False
    used_device: bool = False

    def small(self, node: cst.BaseSmallStatement, adds: object) -> list[str] | None:
        if isinstance(node, cst.Return) and node.value is not None:
            return self._returned(node.value)
        if isinstance(node, cst.Expr) and isinstance(node.value, cst.Call):
            told = self._about_model(node.value)
            if told is not None:
                return told
        return super().small(node, adds)  # type: ignore[arg-type]

    def _returned(self, node: cst.BaseExpression) -> list[str] | None:
        if isinstance(node, cst.Call) and self._is_sequential(node):
            lines = self._sequential("layers", node, ())
            return [*lines, "return layers"]
        if isinstance(node, cst.Call) and self.maker.kind(node) == "keras":
            part = self.maker.part(node)
            return [] if part is None else [*self.keep("layer", part), "return layer"]
        if isinstance(node, cst.Call) and self.maker.is_layer(node):
            part = self.maker.part(node)
            if part is None:
                return []
            made_here = isinstance(self.ctx.value(node.func), Api) and self.maker.kind(node) != "application"
            end = ".to(device)" if self.whole and not made_here else ""
            self.used_device = self.used_device or bool(end)
            return [f"return {part.code.module}{end}"]
        return None

    def _about_model(self, node: cst.Call) -> list[str] | None:
        """`model.build(...)` says nothing here; `model.summary()` prints it."""
        if not isinstance(node.func, cst.Attribute) or not isinstance(node.func.value, cst.Name):
            return None
        value = self.ctx.value(node.func.value)
        if not isinstance(value, ModelValue | RepoInstance):
            return None
        if node.func.attr.value == "build":
            return []
        if node.func.attr.value == "summary" and not node.args:
            return [f"print({node.func.value.value})"]
        return None


def _params(node: cst.FunctionDef, ctx: Context) -> list[str]:
    p = node.params
    found = [param_text(x, "", ctx) for x in [*p.posonly_params, *p.params]]
    if isinstance(p.star_arg, cst.Param):
        found.append(param_text(p.star_arg, "*", ctx))
    elif p.kwonly_params:
        found.append("*")
    found += [param_text(x, "", ctx) for x in p.kwonly_params]
    return [*found, param_text(p.star_kwarg, "**", ctx)] if p.star_kwarg else found


def _withreset_lines(lines: list[str], build: ModuleBuild) -> list[str]:
    """Initialisation before the `return` that ends the function."""
    if not lines or not lines[-1].startswith("return"):
        return lines
    return [*lines[:-1], *reset_lines(build.resets), lines[-1]]
