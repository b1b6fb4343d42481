"""`get_weights` and `set_weights` that carry all weights from one model to another, or keep them for later."""

from __future__ import annotations

import libcst as cst
import libcst.matchers as m

from migrator.codemods.context import Context
from migrator.codemods.nodes import ancestors, below
from migrator.codemods.training.models import module_text
from migrator.codemods.training.scope import Holder
from migrator.codemods.training.writer import Writer

GET, SET = "get_weights", "set_weights"


def copies_weights(call: cst.Call, ctx: Context, known: frozenset[str], holder: Holder) -> bool:
    """Whether a call gets or sets weights that nothing but another such call reads: a state_dict will do."""
    if _is(call, SET, ctx, known) and len(call.args) == 1:
        value = call.args[0].value
        return _is(value, GET, ctx, known) or _is_state(value, ctx, known, holder)
    if not _is(call, GET, ctx, known) or call.args:
        return False
    parent, above = _above(call, ctx)
    if isinstance(parent, cst.Arg):
        return _is(above, SET, ctx, known)
    if not isinstance(parent, cst.Assign) or len(parent.targets) > 1:
        return False
    return _is_state(parent.targets[0].target, ctx, known, holder)


def weights_text(call: cst.Call, writer: Writer) -> str:
    """The call as one of a state_dict; what is kept for later is a copy."""
    assert isinstance(call.func, cst.Attribute)
    owner = writer.ctx.code(call.func.value).strip()
    if call.func.attr.value == SET:
        return f"{owner}.load_state_dict({writer.text(call.args[0].value)})"
    if isinstance(_above(call, writer.ctx)[0], cst.Arg):
        return f"{owner}.state_dict()"
    writer.sink.imports.add("import copy")
    return f"copy.deepcopy({owner}.state_dict())"


def _above(node: cst.CSTNode, ctx: Context) -> tuple[cst.CSTNode, cst.CSTNode]:
    around = ancestors(node, ctx.tree)
    return around[1], around[2]


def _is(node: cst.CSTNode, method: str, ctx: Context, known: frozenset[str]) -> bool:
    if not isinstance(node, cst.Call) or not isinstance(node.func, cst.Attribute) or node.func.attr.value != method:
        return False
    return module_text(node.func.value, ctx, known) is not None


def _is_state(node: cst.BaseExpression, ctx: Context, known: frozenset[str], holder: Holder) -> bool:
    """Whether a name or attribute holds nothing but weights, and is only set as weights or compared with None."""
    if not isinstance(node, cst.Name | cst.Attribute):
        return False
    text = ctx.code(node).strip()
    where = ctx.tree if isinstance(node, cst.Attribute) else holder
    uses = [n for n in below(where, (cst.Name, cst.Attribute)) if ctx.code(n).strip() == text]
    return all(_fits(use, ctx, known) for use in uses)


def _fits(use: cst.CSTNode, ctx: Context, known: frozenset[str]) -> bool:
    parent, above = _above(use, ctx)
    if isinstance(parent, cst.AssignTarget) and isinstance(above, cst.Assign) and len(above.targets) == 1:
        return _is(above.value, GET, ctx, known) or m.matches(above.value, m.Name("None"))
    if isinstance(parent, cst.Arg):
        return _is(above, SET, ctx, known)
    return isinstance(parent, cst.Comparison) and m.matches(parent.comparisons[0].comparator, m.Name("None"))
