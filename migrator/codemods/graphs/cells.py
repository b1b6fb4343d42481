"""Cells of recurrent networks and what applies them to sequences: each becomes a recurrent layer of Keras.

The kernel of such a cell is one matrix for the input and the state, and the forget bias of an LSTM is added when it
runs; `weights` says how these become the weights of the layer.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from migrator.codemods.graphs.features import features
from migrator.codemods.graphs.graph import Cell, Piece, State, local
from migrator.codemods.graphs.program import NotUnderstood, Program, key_of, keys_read
from migrator.codemods.graphs.tables import RECURRENT, bound, text

if TYPE_CHECKING:
    from migrator.codemods.graphs.reading import Reader

_LSTM = "num_units use_peepholes cell_clip initializer num_proj proj_clip num_unit_shards num_proj_shards forget_bias"
_CELLS = {
    "tf.nn.rnn_cell.BasicLSTMCell": ("LSTM", "basic_lstm_cell", ("num_units", "forget_bias", "state_is_tuple")),
    "tf.nn.rnn_cell.LSTMCell": ("LSTM", "lstm_cell", (*_LSTM.split(), "state_is_tuple")),
    "tf.nn.rnn_cell.BasicRNNCell": ("SimpleRNN", "basic_rnn_cell", ("num_units",)),
}
"""Name → (Keras layer, name in those of variables, parameters)."""
_GATES = {"LSTM": 4, "SimpleRNN": 1}
_USUAL = {"forget_bias": ("1.0", "1"), "state_is_tuple": ("True",)}
_IDLE = frozenset({"parallel_iterations", "swap_memory"})


def cell_of(node: ast.expr, program: Program) -> Cell | None:
    """The cell that an expression makes; None for none. Raises `NotUnderstood` for one with options."""
    api = program.api(node)
    if not api.startswith("tf.nn.rnn_cell.") or not isinstance(node, ast.Call):
        return None
    if api not in _CELLS:
        raise NotUnderstood(f"no layer is known for {api}")
    keras, name, params = _CELLS[api]
    args = bound(node, params) or {}
    odd = [n for n, v in args.items() if n != "num_units" and text(v) not in _USUAL.get(n, ())]
    if "num_units" not in args or odd:
        raise NotUnderstood(f"arguments of {api.rpartition('.')[2]} that are not known")
    return Cell(keras, text(args["num_units"]), name)


def zero_state(node: ast.expr, reader: Reader) -> bool:
    """Whether an expression is the state from which a cell starts by itself."""
    func = node.func if isinstance(node, ast.Call) else None
    if key_of(node) in reader.graph.zero_states:
        return True
    return isinstance(func, ast.Attribute) and func.attr == "zero_state" and key_of(func.value) in reader.graph.cells


def unstacked(statement: ast.Assign, reader: Reader) -> bool:
    """Whether a statement only lists the steps of a sequence for `static_rnn`: that takes the sequence itself then."""
    value, key = statement.value, key_of(statement.targets[0])
    if reader.program.api(value) != "tf.unstack" or not isinstance(value, ast.Call) or len(statement.targets) > 1:
        return False
    args = bound(value, ("value", "num", "axis", "name")) or {}
    uses = [n for n in ast.walk(reader.program.tree) if reader.program.api(n) == "tf.nn.static_rnn"]
    if not uses or text(args.get("axis", value)) != "1" or not key:
        return False
    if any(key_of(n.args[1]) != key for n in uses if isinstance(n, ast.Call) and len(n.args) > 1):
        return False
    reader.graph.unstacked[key] = args["value"]
    return True


def read_applied(statement: ast.Assign, reader: Reader, comments: tuple[str, ...]) -> bool:
    """Enter `outputs, state = tf.nn.dynamic_rnn(cell, x, …)`; False for other statements. Raises `NotUnderstood`."""
    call, target = statement.value, statement.targets[0]
    api = reader.program.api(call)
    if api not in RECURRENT or not isinstance(call, ast.Call):
        return False
    keys = [key_of(t) for t in target.elts] if isinstance(target, ast.Tuple) else []
    if len(keys) != 2 or not all(keys) or len(statement.targets) > 1 or reader.turns:
        raise NotUnderstood("what a cell computes, under other names than those of its outputs and its state")
    cell, sequence, scope = _arguments(call, api, reader)
    outputs, state = keys
    if api == "tf.nn.static_rnn" and outputs != "_":
        reader.graph.sequences[outputs] = outputs = reader.training.free("sequence")
    made = _targets(outputs, state, cell, reader)
    gives = ["return_sequences=True"] * (outputs in made or len(made) > 1) + ["return_state=True"] * (len(made) > 1)
    attribute = enter(cell, sequence, (scope,), gives, reader)
    line = f"{', '.join(made)} = {reader.module}.{attribute}({text(sequence)})"
    reader.compute(ast.parse(line).body[0], list(made), comments)
    return True


def odd(args: Mapping[str, ast.expr]) -> set[str]:
    """The arguments of what applies cells that say more than what is so anyway."""
    usual = {"time_major": "False", "dtype": "float32"}
    said = {n for n, v in args.items() if n in usual and text(v).endswith(usual[n])}
    return args.keys() - said - _IDLE


def _arguments(call: ast.Call, api: str, reader: Reader) -> tuple[Cell, ast.expr, str]:
    """The cell, the sequence and the scope of the variables."""
    args = bound(call, RECURRENT[api])
    if args is None or not {"cell", "inputs"} <= args.keys():
        raise NotUnderstood(f"arguments of {api} that are not known")
    if "initial_state" in args and zero_state(args["initial_state"], reader):
        del args["initial_state"]
    more = odd(args) - {"cell", "inputs", "scope"}
    if more:
        raise NotUnderstood(f"`{min(more)}` of {api}")
    cell = reader.graph.cells.pop(key_of(args["cell"]), None) or cell_of(args["cell"], reader.program)
    reader.graph.other.add(key_of(args["cell"]))
    if cell is None:
        raise NotUnderstood(f"the cell `{text(args['cell'])}`")
    sequence = args["inputs"]
    if api == "tf.nn.static_rnn":
        if key_of(sequence) not in reader.graph.unstacked:
            raise NotUnderstood(f"the steps `{text(sequence)}` of a sequence")
        sequence = reader.graph.unstacked.pop(key_of(sequence))
    return cell, sequence, reader.part_of(args["scope"]) if "scope" in args else "rnn"


def _targets(outputs: str, state: str, cell: Cell, reader: Reader) -> tuple[str, ...]:
    """Names of what the layer gives: states only where something reads them, and the last output alone for `h`."""
    reads = [] if state == "_" else list(_reads(state, reader.program.tree))
    if not reads:
        return (outputs,)
    alone = outputs == "_"
    if cell.keras == "SimpleRNN":
        return (state,) if alone else (outputs, state)
    found = State(reader.training.free(f"{local(state)}_h"), reader.training.free(f"{local(state)}_c"))
    reader.graph.states[state] = found
    if alone and {_part(node, state) for node in ast.walk(reader.program.tree)} <= {"", "h"}:
        return (found.h,)
    return reader.training.free("outputs") if alone else outputs, found.h, found.c


def _part(node: ast.AST, key: str) -> str:
    """The part of a state that an expression reads, "c" or "h"; "" for other expressions."""
    if isinstance(node, ast.Attribute) and key_of(node.value) == key:
        return node.attr
    if isinstance(node, ast.Subscript) and key_of(node.value) == key:
        return {"1": "h", "-1": "h"}.get(text(node.slice), "c")
    return ""


def _reads(key: str, tree: ast.Module) -> Iterator[ast.AST]:
    """Where the file reads a name."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name | ast.Attribute) and key_of(node) == key and isinstance(node.ctx, ast.Load):
            yield node


def enter(cell: Cell, sequence: ast.expr, scopes: tuple[str, ...], gives: list[str], reader: Reader) -> str:
    """Enter the layer, which has two directions where there are two scopes; its attribute."""
    size = features(sequence, reader.graph)
    if not size:
        raise NotUnderstood(f"a cell whose input `{text(sequence)}` has features that are not seen")
    attribute = reader.attribute("rnn" if cell.keras == "SimpleRNN" else "lstm")
    room, limit = f"{reader.program.tf}.keras", _limit(size, cell)
    start = f"{room}.initializers.RandomUniform(-{limit}, {limit})"
    given = ", ".join([*gives, f"kernel_initializer={start}, recurrent_initializer={start}"])
    layer = f"{room}.layers.{cell.keras}({cell.units}, {given})"
    layer = f"{room}.layers.Bidirectional({layer})" if len(scopes) > 1 else layer
    names = tuple(reader.named(scope, cell.name, kind) for scope in scopes for kind in ("kernel", "bias"))
    reader.makes_new()
    made = ast.parse(f"{reader.module}.{attribute} = {layer}").body[0]
    reader.graph.pieces.append(Piece(attribute, made, names=names))
    return attribute


def _limit(size: str, cell: Cell) -> str:
    """The bound of Glorot's initial values for the one kernel of a cell: [input + state, gates of the state]."""
    count = _GATES[cell.keras] + 1
    if size.isdigit() and cell.units.isdigit():
        return f"(6 / {int(size) + count * int(cell.units)}) ** 0.5"
    total = ast.parse(f"({size}) + {count} * ({cell.units})", mode="eval").body
    return f"(6 / ({text(total)})) ** 0.5"


class States(ast.NodeTransformer):
    """Names in the place of parts of states, and the last step in that of the last entry of a list of steps."""

    def __init__(self, reader: Reader) -> None:
        self.graph, self.program = reader.graph, reader.program

    def visit_Call(self, node: ast.Call) -> ast.AST:
        from migrator.codemods.graphs.bidirectional import concatenates

        name = self.graph.concatenated.get(concatenates(node, self.program))
        return self.generic_visit(node) if name is None else ast.copy_location(ast.Name(name, ast.Load()), node)

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        state = self.graph.states.get(key_of(node.value))
        if state is not None and node.attr in ("h", "c"):
            return ast.copy_location(ast.Name(getattr(state, node.attr), node.ctx), node)
        self._whole(node)
        return self.generic_visit(node)

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        key, at = key_of(node.value), text(node.slice)
        if key in self.graph.states and at in ("0", "1", "-1"):
            state = self.graph.states[key]
            return ast.copy_location(ast.Name(state.c if at == "0" else state.h, node.ctx), node)
        if key in self.graph.sequences and at == "-1":
            step = ast.parse(f"{self.graph.sequences[key]}[:, -1]", mode="eval").body
            return ast.copy_location(step, node)
        return self.generic_visit(node)

    def visit_Name(self, node: ast.Name) -> ast.AST:
        self._whole(node)
        return node

    def _whole(self, node: ast.Name | ast.Attribute) -> None:
        if isinstance(node.ctx, ast.Load) and key_of(node) in self.graph.of_cells:
            raise NotUnderstood(f"`{text(node)}`, the state or the outputs of a cell, as a whole")


def rewired(statement: ast.stmt, reader: Reader) -> ast.stmt:
    """A statement that reads parts of states by their names."""
    if not set(keys_read(statement)) & reader.graph.of_cells:
        return statement
    found = States(reader).visit(ast.parse(text(statement)).body[0])
    assert isinstance(found, ast.stmt)
    return ast.fix_missing_locations(found)
