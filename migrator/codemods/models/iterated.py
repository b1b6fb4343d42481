"""Loops in loops, and layers made under conditions in a loop: lists of modules that `forward` takes one after another.

The constructor appends in the order in which the original creates; `forward` goes through the same loops and conditions
with an iterator over each list.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import libcst as cst

from migrator.codemods.models import layout as lay
from migrator.codemods.models.forward import Line, body_of, comments
from migrator.codemods.models.graph import GraphLowerer, assigned
from migrator.codemods.models.layout import LAST, Several
from migrator.codemods.models.loops import creates, starts, updates
from migrator.codemods.models.text import indent
from migrator.syntax import walk

if TYPE_CHECKING:
    from migrator.codemods.models.graph import Split


def is_nested(split: Split, node: cst.For) -> bool:
    """Whether layers are made in loops or under conditions inside of a loop."""
    finder = _Compound()
    walk(node, finder)
    return any(creates(split, inner) for inner in finder.found if inner is not node)


class _Compound(cst.CSTVisitor):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[cst.For | cst.If] = []

    def visit_For(self, node: cst.For) -> None:
        self.found.append(node)

    def visit_If(self, node: cst.If) -> None:
        self.found.append(node)


def outermost(split: Split, node: cst.For) -> tuple[list[str], list[Line]]:
    """(constructor lines, lines of `forward`) of the loop with all that is in it."""
    lower = split.lower
    lower.series = {}
    before = dict(lower.layouts)
    init, forward = inside(split, node)
    enter: list[str] = []
    changed = {n: x for n in before if (x := lower.layouts.get(n)) is not None and x != before[n]}
    if changed:
        lower.layouts = {**before, **changed}
        enter = _entered(lower, changed, before, node)
        _, forward = inside(split, node)
        if any(lower.layouts.get(n) != x for n, x in changed.items()):
            lower.build.needs.decline("layouts change over a loop", lower.ctx, node)
    lists, lower.series = list(dict.fromkeys(lower.series.values())), None
    made = [f"self.{attr} = nn.ModuleList()" for attr in lists]
    taken = [f"{attr} = iter(self.{attr})" for attr in lists]
    return [*comments(node), *made, *init], [Line([*comments(node), *enter, *taken]), *forward]


def _entered(
    lower: GraphLowerer, changed: dict[str, lay.Layout], before: dict[str, lay.Layout], node: cst.For
) -> list[str]:
    """The tensors brought before the loop to the layout in which it leaves them."""
    lines = []
    for name, target in changed.items():
        if before[name] == Several():
            continue  # a list that the loop fills
        if lay.rank(target) is None or before[name] != LAST:
            lower.build.needs.decline("layouts change over a loop", lower.ctx, node)
            continue
        text, note = lay.permute(name, LAST, target)
        lines.append(f"{name} = {text}  # {note}")
    return lines


def inside(split: Split, node: cst.For) -> tuple[list[str], list[Line]]:
    """One of the loops: the same header on both sides."""
    lower = split.lower
    over = lower.maker.static(node.iter)
    targets = set(assigned(cst.For(node.target, node.iter, cst.IndentedBlock([]))))
    kept = lower.maker.loops - targets
    header = f"for {lower.ctx.code(node.target)} in"
    repeated = lower.maker.keep(over)
    lower.maker.loops, lower.maker.scope = kept, lower.maker.scope - targets
    first = starts(lower, node)
    init, forward = split.block(body_of(node))
    texts = [text for line in forward for text in line.text]
    made = [*first, f"{header} {over}:", *indent([*init, *updates(lower, node)] or ["pass"])]
    return made, [Line([f"{header} {repeated}:", *indent(texts)])] if texts else []
