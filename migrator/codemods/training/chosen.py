"""A loss function that only the run tells, `loss=get_loss(args.loss)`: a variable of the scope that compiles."""

from __future__ import annotations

from typing import Any

import libcst.matchers as m

from migrator.codemods.nodes import find
from migrator.codemods.training.objectives import CHOSEN
from migrator.codemods.training.owners import Compiled
from migrator.codemods.training.scope import Holder, count, names_in
from migrator.codemods.training.writer import Unfit, Writer, configured


def chosen_before(compiled: Compiled, writer: Writer) -> list[str]:
    """The line that keeps the loss where the model is compiled; none where a variable holds it already."""
    made = configured(compiled).loss.chosen
    if not made or _given(compiled, writer) == [made]:
        return []
    return [f"{CHOSEN} = {made}"]


def chosen_args(compiled: Compiled, writer: Writer) -> list[str]:
    """What a pass over the data is given behind the batches."""
    return _given(compiled, writer) if configured(compiled).loss.chosen else []


def _given(compiled: Compiled, writer: Writer) -> list[str]:
    """Raises `Unfit` where the pass over the data does not see the loss that the model was compiled with."""
    made = configured(compiled).loss.chosen
    if not compiled.local or writer.holder is not compiled.holder:
        raise Unfit("a loss that only the run tells, of a model that is compiled in another function")
    if made.isidentifier() and _bindings(compiled.holder, made) == 1:
        return [made]
    if CHOSEN in names_in(compiled.holder):
        raise Unfit(f"a loss that only the run tells, where `{CHOSEN}` is something else")
    return [CHOSEN]


def _bindings(holder: Holder, name: str) -> int:
    """How many parameters and statements of a function give a variable its value."""
    kinds = m.AssignTarget() | m.AugAssign() | m.AnnAssign() | m.NamedExpr() | m.For() | m.AsName() | m.Param()
    bound: list[Any] = [getattr(node, "target", None) or getattr(node, "name", node) for node in find(holder, kinds)]
    return sum(count(node, name) for node in bound)
