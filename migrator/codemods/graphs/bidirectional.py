"""Cells that go through a sequence in both directions: one layer of Keras, whose outputs are concatenated."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from migrator.codemods.graphs.cells import cell_of, enter, odd
from migrator.codemods.graphs.graph import Cell
from migrator.codemods.graphs.program import NotUnderstood, Program, key_of
from migrator.codemods.graphs.tables import BOTH_WAYS, bound, text

if TYPE_CHECKING:
    from migrator.codemods.graphs.reading import Reader

_PARAMS = (
    "cell_fw cell_bw inputs sequence_length initial_state_fw initial_state_bw dtype parallel_iterations swap_memory "
    "time_major scope"
)


def read_both(statement: ast.Assign, reader: Reader, comments: tuple[str, ...]) -> bool:
    """Enter `outputs, _ = tf.nn.bidirectional_dynamic_rnn(…)`, of which the program concatenates the outputs; False
    for other statements. Raises `NotUnderstood`."""
    call, target = statement.value, statement.targets[0]
    if reader.program.api(call) != BOTH_WAYS or not isinstance(call, ast.Call):
        return False
    if not isinstance(target, ast.Tuple) or len(target.elts) != 2 or len(statement.targets) > 1 or reader.turns:
        raise NotUnderstood("what two cells compute, under other names than those of their outputs and their states")
    outputs, states = target.elts
    if _is_read(states, reader.program.tree):
        raise NotUnderstood("the states of cells in both directions")
    args = bound(call, _PARAMS.split()) or {}
    if odd(args) - {"scope"} != {"cell_fw", "cell_bw", "inputs"}:
        raise NotUnderstood(f"arguments of {BOTH_WAYS} that are not known")
    cells = [_taken(args[name], reader) for name in ("cell_fw", "cell_bw")]
    if cells[0] != cells[1] or cells[0].keras != "LSTM":
        raise NotUnderstood("cells that differ by their direction, or have no state of their own")
    scope = reader.part_of(args["scope"]) if "scope" in args else "bidirectional_rnn"
    attribute = enter(cells[0], args["inputs"], (f"{scope}/fw", f"{scope}/bw"), ["return_sequences=True"], reader)
    name = _named(outputs, reader)
    reader.graph.concatenated[text(outputs)] = name
    reader.compute(ast.parse(f"{name} = {reader.module}.{attribute}({text(args['inputs'])})").body[0], [name], comments)
    return True


def _taken(node: ast.expr, reader: Reader) -> Cell:
    cell = reader.graph.cells.pop(key_of(node), None) or cell_of(node, reader.program)
    reader.graph.other.add(key_of(node))
    if cell is None:
        raise NotUnderstood(f"the cell `{text(node)}`")
    return cell


def _is_read(target: ast.expr, tree: ast.Module) -> bool:
    keys = {key_of(n) for n in ast.walk(target)} - {"", "_"}
    loads = (n for n in ast.walk(tree) if isinstance(n, ast.Name | ast.Attribute) and isinstance(n.ctx, ast.Load))
    return any(key_of(n) in keys for n in loads)


def _named(outputs: ast.expr, reader: Reader) -> str:
    """What the program calls the concatenated outputs."""
    assigned = (n for n in ast.walk(reader.program.tree) if isinstance(n, ast.Assign) and len(n.targets) == 1)
    for node in assigned:
        target = node.targets[0]
        named = isinstance(target, ast.Name) and target.id not in reader.repeated
        if named and concatenates(node.value, reader.program) == text(outputs):
            return text(target)
    return reader.training.free("both")


def concatenates(node: ast.expr, program: Program) -> str:
    """The source of the pair that an expression concatenates by its features; "" for other expressions."""
    args = bound(node, ("values", "axis", "name")) if isinstance(node, ast.Call) else None
    if args is None or program.api(node) != "tf.concat" or text(args.get("axis", node)) not in ("2", "-1"):
        return ""
    values = args.get("values", node)
    return text(ast.Tuple(values.elts, ast.Load())) if isinstance(values, ast.List | ast.Tuple) else text(values)
