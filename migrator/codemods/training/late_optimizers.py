"""Optimizers that are made before the model that they train: PyTorch's are given its parameters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import libcst as cst
import libcst.matchers as m

from migrator.codemods.context import Context
from migrator.codemods.nodes import find
from migrator.codemods.training.definitions import Definition, definition
from migrator.codemods.training.optimizer_uses import Uses
from migrator.codemods.training.plan import FilePlan
from migrator.codemods.training.scope import Holder, count, names_in

Late = Mapping[cst.BaseStatement, tuple[Definition, ...]]


def late_optimizers(holder: Holder, plan: FilePlan, ctx: Context) -> Late:
    """The optimizers of a scope that have to be made later than they are, by the statement behind which."""
    if holder not in plan.late:
        plan.late[holder] = _found(holder, plan, ctx)
    return plan.late[holder]


def _found(holder: Holder, plan: FilePlan, ctx: Context) -> Late:
    found: dict[cst.BaseStatement, tuple[Definition, ...]] = {}
    body = _body(holder)
    for index, line in enumerate(body):
        made = definition(line, ctx) if isinstance(line, cst.SimpleStatementLine) else None
        if made is None or made.kind != "optimizer" or not isinstance(made.target, cst.Name):
            continue
        place = _place(made, made.target.value, body[index + 1 :], Uses(made, holder, plan, ctx))
        if place is not None:
            found[place] = (*found.get(place, ()), made)
    return found


def _place(
    made: Definition, name: str, behind: Sequence[cst.BaseStatement], uses: Uses
) -> cst.SimpleStatementLine | None:
    """The line that makes the last of what an optimizer trains, where nothing needs the optimizer before."""
    parts = uses.trained()
    late = {part.owner for part in parts if not uses.bound_before(part.owner)} if not isinstance(parts, str) else set()
    places = [i for i, line in enumerate(behind) if late & set(_bound(line))]
    bound = find(uses.holder, m.AssignTarget(target=m.Name(name)))
    if not late or len(places) != len(late) or len(bound) != 1:
        return None
    between = [s for s in behind[: places[-1] + 1] if not isinstance(s, cst.FunctionDef | cst.ClassDef)]
    given = names_in(made.call)
    changed = {name for s in between for name in _targets(s)}
    if any(count(s, name) for s in between) or given & changed:
        return None
    line = behind[places[-1]]
    return line if isinstance(line, cst.SimpleStatementLine) else None


def _body(holder: Holder) -> Sequence[cst.BaseStatement]:
    body = holder.body if isinstance(holder, cst.Module) else holder.body.body
    return [s for s in body if isinstance(s, cst.BaseStatement)]


def _bound(line: cst.BaseStatement) -> Iterator[str]:
    """The name that a plain assignment binds."""
    part = line.body[0] if isinstance(line, cst.SimpleStatementLine) and len(line.body) == 1 else None
    if isinstance(part, cst.Assign) and len(part.targets) == 1 and isinstance(part.targets[0].target, cst.Name):
        yield part.targets[0].target.value


def _targets(statement: cst.BaseStatement) -> Iterator[str]:
    """Names that a statement assigns anywhere below."""
    for target in find(statement, m.AssignTarget()):
        assert isinstance(target, cst.AssignTarget)
        yield from names_in(target.target)
