"""Whether a name still stands for what it stood for at an earlier call."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst
import libcst.matchers as m

from migrator.codemods.context import Context
from migrator.codemods.nodes import ancestors, find
from migrator.codemods.training.scope import Holder


def rebound(name: str, earlier: cst.Call, later: cst.Call, holder: Holder, ctx: Context) -> bool:
    """Whether a scope may bind a name again between two of its calls, in the order in which they run.

    A loop around the later call alone may bind it anywhere in its body: the next round finds it so.
    """
    loops = [n for n in ancestors(later, ctx.tree) if isinstance(n, cst.For | cst.While)]
    again = [ctx.spans[loop] for loop in loops if not find_same(loop, earlier)]
    first, last = ctx.spans[earlier], ctx.spans[later]
    for node in bindings(name, holder):
        span = ctx.spans.get(node)
        if span is not None and (first < span < last or any(s <= span and span.end_line <= s.end_line for s in again)):
            return True
    return False


def find_same(around: cst.CSTNode, node: cst.CSTNode) -> bool:
    """Whether a node stands below another."""
    return any(each is node for each in find(around, m.Call()))


def bindings(name: str, holder: Holder) -> Iterator[cst.Name]:
    """The places at which a scope binds a name: assignments, loops, contexts, `:=` and imports."""
    targets = [
        *find(holder, m.AssignTarget()),
        *find(holder, m.AnnAssign()),
        *find(holder, m.AugAssign()),
        *find(holder, m.NamedExpr()),
        *find(holder, m.For()),
        *find(holder, m.AsName()),
    ]
    for node in targets:
        target = node.name if isinstance(node, cst.AsName) else getattr(node, "target", None)
        if isinstance(target, cst.Name) and target.value == name:
            yield target
        elif isinstance(target, cst.Tuple | cst.List):
            yield from (n for n in find(target, m.Name(name)) if isinstance(n, cst.Name))
