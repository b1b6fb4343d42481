"""`RNN` around a cell of the repository: a loop over the steps."""

from __future__ import annotations

from typing import TYPE_CHECKING

import libcst as cst
import libcst.matchers as m

from migrator.codemods.models.layout import LAST
from migrator.codemods.models.part import Part
from migrator.codemods.nodes import find
from migrator.model import CallForm, Decline, Helper, LayerCode
from migrator.values import Instance, Literal, RepoClass, RepoInstance

if TYPE_CHECKING:
    from migrator.codemods.models.create import Maker

API = "tf.keras.layers.RNN"
STACKED = "tf.keras.layers.StackedRNNCells"
_CELLS = (STACKED, *(f"tf.keras.layers.{name}" for name in ("LSTMCell", "GRUCell", "SimpleRNNCell")))
_FLAGS = ("return_sequences", "return_state", "go_backwards", "stateful", "zero_output_for_mask")
CELL_RNN = Helper(
    "CellRNN",
    '''class CellRNN(nn.Module):
    """Runs a cell over the steps of [batch, time, features]; gives the outputs and the last states."""

    def __init__(self, cell):
        super().__init__()
        self.cell = cell

    def forward(self, x, states=None):
        if states is None:
            states = [torch.zeros(len(x), size, device=x.device) for size in self.listed(self.cell.state_size)]
        outputs = []
        for step in x.unbind(1):
            output, states = self.cell(step, self.listed(states))
            outputs.append(output)
        return torch.stack(outputs, dim=1), self.listed(states)

    @staticmethod
    def listed(states):
        return list(states) if isinstance(states, (list, tuple)) else [states]
''',
    ("import torch", "from torch import nn"),
)
LAST_OUTPUT = Helper(
    "last_output_and_states_of_cell",
    '''def last_output_and_states_of_cell(result):
    """The last output and the last states."""
    outputs, states = result
    return outputs[:, -1], *states
''',
)
OUTPUTS = Helper(
    "outputs_and_states_of_cell",
    '''def outputs_and_states_of_cell(result):
    """The outputs and the last states."""
    outputs, states = result
    return outputs, *states
''',
)


def cell_of(given: dict[str, cst.BaseExpression], maker: Maker) -> cst.BaseExpression | None:
    """The cell among the arguments of `RNN`, where it is of a class of the repository."""
    cell = given.get("cell")
    return cell if cell is not None and isinstance(maker.ctx.value(cell), RepoInstance) else None


def running(
    node: cst.Call, cell: cst.BaseExpression, given: dict[str, cst.BaseExpression], maker: Maker
) -> Part | Decline:
    """The part that runs a cell of the repository."""
    made = _made(cell, maker)
    if isinstance(made, Decline):
        return made
    known = {name: _flag(given[name], maker) if name in given else False for name in _FLAGS}
    unknown = next((name for name, value in known.items() if value is None), None)
    if unknown or known["stateful"] or known["zero_output_for_mask"]:
        return Decline(f"`{unknown or 'stateful'}` around a cell of the repository", API)
    source = "{x}.flip(1)" if known["go_backwards"] else "{x}"
    result = "{run}[0]" + ("" if known["return_sequences"] else "[:, -1]")
    helpers: tuple[Helper, ...] = (CELL_RNN,)
    if known["return_state"]:
        helper = OUTPUTS if known["return_sequences"] else LAST_OUTPUT
        result, helpers = f"{helper.name}({{run}})", (CELL_RNN, helper)
    code = LayerCode(
        module=f"CellRNN({made})",
        forward=result.replace("{run}", f"{{self}}({source})"),
        stem="rnn",
        layout="last",
        helpers=helpers,
        imports=("import torch", "from torch import nn"),
        form=CallForm(
            ("sequence", "initial_state", "mask", "training"),
            result.replace("{run}", f"{{self}}({source}, {{given_initial_state}})"),
            (("initial_state", "{v}"),),
        ),
    )
    maker.build.needs.take(code)
    use = maker.use(node)
    return Part(API, code, LAST, LAST, output=use[1] if use else None)


def _made(cell: cst.BaseExpression, maker: Maker) -> str | Decline:
    """The expression that makes the cell."""
    value = maker.ctx.value(cell)
    assert isinstance(value, RepoInstance)
    cell = written(cell, maker)
    if not isinstance(cell, cst.Call) or not isinstance(maker.ctx.value(cell.func), RepoClass):
        return Decline("a cell that is not made where it is handed over", API)
    known = maker.ctx.facts.cls(value.qualname)
    if known is None or maker.ctx.layouts.get(value.qualname) not in (None, LAST):
        return Decline("a cell of images", API)
    if value.qualname in maker.ctx.penalised | maker.ctx.constrained | maker.ctx.adding:
        return Decline("a cell with penalties or constraints of its own", API)
    if maker.ctx.facts.function(f"{value.qualname}.get_initial_state") is not None:
        return Decline("a cell that makes its own first states", API)
    return maker.construction(cell, value.qualname)


def written(cell: cst.BaseExpression, maker: Maker) -> cst.BaseExpression:
    """The expression that makes a cell, or some, also where a name stands for it that nothing else reads."""
    if not isinstance(cell, cst.Name):
        return cell
    for assign in _scope(cell, maker)[1]:
        if handed_over(assign, maker):
            return assign.value
    return cell


def handed_over(assign: cst.BaseSmallStatement, maker: Maker) -> bool:
    """Whether a statement names cells for one layer that runs them, and for nothing else."""
    if not isinstance(assign, cst.Assign) or not _makes_cells(assign.value, maker):
        return False
    name = assign.targets[0].target
    if len(assign.targets) > 1 or not isinstance(name, cst.Name):
        return False
    names, _ = _scope(name, maker)
    calls = [c for c in find(maker.ctx.tree, m.Call()) if isinstance(c, cst.Call)]
    runs = [c for c in calls if c.args and c.args[0].value in names]
    if len(names) != 2 or len(runs) != 1 or getattr(maker.ctx.value(runs[0]), "api", "") not in (API, STACKED):
        return False
    return _may_move(assign.value, names, maker)


def _may_move(made: cst.BaseExpression, names: list[cst.CSTNode], maker: Maker) -> bool:
    """Whether an expression gives the same where its name is read, and is made as often there."""
    for loop in find(maker.ctx.tree, m.For() | m.While() | m.ListComp()):
        if len([n for n in find(loop, m.Name()) if n in names]) == 1:
            return False
    read = {n.value for n in find(made, m.Name()) if isinstance(n, cst.Name)}
    around = _around(names[0], maker)
    again = find(around, m.AssignTarget(m.Name()) | m.AugAssign(m.Name())) if around is not None else []
    changed = [n.target.value for n in again if isinstance(n, cst.AssignTarget | cst.AugAssign)]  # type: ignore[attr-defined]
    return not any(changed.count(name) > 1 for name in read) and not _given_again(around, read & set(changed))


def _given_again(around: cst.CSTNode | None, changed: set[str]) -> bool:
    """Whether a parameter of the function is among the names that get other values."""
    params = find(around, m.Param()) if around is not None else []
    return any(isinstance(p, cst.Param) and p.name.value in changed for p in params)


def _makes_cells(node: cst.BaseExpression, maker: Maker) -> bool:
    """Whether an expression makes a cell, or a list of some."""
    if isinstance(node, cst.List | cst.Tuple):
        return all(_makes_cells(e.value, maker) for e in node.elements)
    if isinstance(node, cst.ListComp):
        return _makes_cells(node.elt, maker)
    value = maker.ctx.value(node)
    return isinstance(value, RepoInstance) or (isinstance(value, Instance) and value.api in _CELLS)


def _scope(name: cst.Name, maker: Maker) -> tuple[list[cst.CSTNode], list[cst.Assign]]:
    """The uses of a name in the innermost function around it, and the statements there that give it a value."""
    around = _around(name, maker)
    if around is None:
        return [], []
    assigned = find(around, m.Assign(targets=[m.AssignTarget(m.Name(name.value))]))
    return find(around, m.Name(name.value)), [a for a in assigned if isinstance(a, cst.Assign)]


def _around(name: cst.CSTNode, maker: Maker) -> cst.CSTNode | None:
    """The innermost function around a name."""
    found = [f for f in find(maker.ctx.tree, m.FunctionDef()) if any(n is name for n in find(f, m.Name()))]
    return found[-1] if found else None


def _flag(node: cst.BaseExpression, maker: Maker) -> bool | None:
    value = maker.ctx.value(node)
    return bool(value.value) if isinstance(value, Literal) else None
