"""Lists of weights that a layer makes itself, as `nn.ParameterList`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import libcst as cst
import libcst.matchers as m

from migrator.codemods.models.owned import Owned
from migrator.codemods.models.weights import is_add_weight, weight
from migrator.codemods.nodes import find
from migrator.model import Decline, WeightRecord

if TYPE_CHECKING:
    from migrator.codemods.models.constructor import Constructor


def makes_weights(node: cst.BaseExpression, made: Constructor) -> bool:
    """Whether an expression is a list, or a comprehension, of `add_weight` calls."""
    if isinstance(node, cst.List):
        return bool(node.elements) and all(_adds(e.value, made) for e in node.elements)
    return isinstance(node, cst.ListComp) and _adds(node.elt, made)


def appends_weight(node: cst.Call, made: Constructor) -> bool:
    """Whether a call is `self.kernels.append(self.add_weight(...))`."""
    return len(node.args) == 1 and _adds(node.args[0].value, made)


def is_filled(name: str, statements: cst.CSTNode, made: Constructor) -> bool:
    """Whether the statements append weights to a list of this name."""
    calls = [c for c in find(statements, m.Call(func=m.Attribute(attr=m.Name("append")))) if isinstance(c, cst.Call)]
    for call in calls:
        item = call.args[0].value if len(call.args) == 1 else None
        here = isinstance(call.func, cst.Attribute) and made.ctx.code(call.func.value) == name
        held = isinstance(item, cst.Name) and _holds_weight(item.value, statements, made)
        if here and item is not None and (held or _adds(item, made)):
            return True
    return False


def _holds_weight(name: str, statements: cst.CSTNode, made: Constructor) -> bool:
    """Whether a variable is `add_weight(...)` wherever it is assigned."""
    found = [n for n in find(statements, m.Assign()) if isinstance(n, cst.Assign)]
    values = [n.value for n in found if any(m.matches(t.target, m.Name(name)) for t in n.targets)]
    return bool(values) and all(_adds(value, made) for value in values)


def _adds(node: cst.BaseExpression, made: Constructor) -> bool:
    if isinstance(node, cst.Name) and node.value in made.pending:
        return True
    return isinstance(node, cst.Call) and is_add_weight(node, made.ctx)


def listed(name: str, node: cst.BaseExpression, made: Constructor) -> list[str]:
    """The lines that fill a list of weights at once."""
    if isinstance(node, cst.List):
        items = [_module(name, e.value, made) for e in node.elements]
        return [f"{name} = nn.ParameterList([{', '.join(items)}])"]
    assert isinstance(node, cst.ListComp)
    if node.for_in.inner_for_in is not None:
        made.build.needs.decline("weights in a nested comprehension", made.ctx, node)
        return []
    target = made.ctx.code(node.for_in.target)
    made.maker.loops.add(target)
    item = _module(name, node.elt, made)
    made.maker.loops.discard(target)
    tests = "".join(f" if {made.maker.static(i.test)}" for i in node.for_in.ifs)
    over = made.maker.static(node.for_in.iter)
    return [f"{name} = nn.ParameterList([{item} for {target} in {over}{tests}])"]


def appended(name: str, node: cst.BaseExpression, made: Constructor) -> list[str]:
    """The line that adds one weight to a list."""
    return [f"{name}.append({_module(name, node, made)})"]


def _module(name: str, node: cst.BaseExpression, made: Constructor) -> str:
    """The weight that a call of `add_weight` makes; how it is initialised is noted for all of the list."""
    assert isinstance(node, cst.Call)
    found = weight(node, made.ctx, made.maker, name)
    if isinstance(found, Decline) or not found.module:
        reason = found if isinstance(found, Decline) else Decline("a list of weights that are not trained")
        made.build.needs.declines.append(reason)
        return "None"
    attr = name.removeprefix("self.")
    frames = (*made.frames, f"for weight in {name}:")
    build = made.build
    noted = ((build.resets, found.init), (build.penalties, found.penalty), (build.constraints, found.constraint))
    for owned, templates in noted:
        one = Owned(templates, "weight", frames)
        others = [o for o in owned if o.target == "weight" and o.frames == frames]
        if others and one not in others:
            made.build.needs.decline(f"the weights in `{name}` are initialised in different ways", made.ctx, node)
        if templates and not others:
            owned.append(one)
    record = WeightRecord(made.build.owner, "", made.build.source, ((f"{attr}.*", f"{attr}.*", ""),))
    if record not in made.build.records:
        made.build.records.append(record)
    return found.module
