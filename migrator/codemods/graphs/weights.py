"""Weight maps of graphs: their variables have no layers, but an order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from migrator.codemods.graphs.graph import PieceRef
from migrator.model import WeightRecord

GRAPH = "tf.Graph"
_LSTM = (
    ("trained", "weight_ih_l0", "T blocks(0,2,1,3) inputs(4)"),
    ("also", "weight_hh_l0", "T blocks(0,2,1,3) states(4)"),
    ("trained", "bias_ih_l0", "blocks(0,2,1,3) lift(1,4,1.0)"),
)
_GATES = {
    "tf.keras.layers.LSTM": _LSTM,
    "tf.keras.layers.Bidirectional": (*_LSTM, *((kind, f"{name}_reverse", change) for kind, name, change in _LSTM)),
    "tf.keras.layers.SimpleRNN": (
        ("trained", "weight_ih_l0", "T inputs(1)"),
        ("also", "weight_hh_l0", "T states(1)"),
        ("trained", "bias_ih_l0", ""),
    ),
}
"""Of a cell of TensorFlow 1: one kernel for input and state, gates i, g, f, o, and a forget bias that is added."""
_MOVING = ("moving_mean", "moving_variance")


def graph_records(
    records: Sequence[WeightRecord], pieces: Mapping[str, Sequence[PieceRef]], module: str
) -> tuple[WeightRecord, ...]:
    """The records with those of a graph's modules as one each, whose entries are in the order of the graph.

    `pieces`: by class its layers and variables as the graph makes them. An entry is a kind, a place and a transform:
    "trained" and "moving" are weights, "also" is another part of the weight before, "inside" is a module with a record
    of its own; `*` in the place stands for each entry of a list, and a number behind the kind ("trained@1") ties
    entries that one turn of a loop makes.
    """
    found = [r for r in records if r.owner.rpartition(":")[2] not in pieces]
    for name, refs in pieces.items():
        owner = f"{module}:{name}"
        own = [r for r in records if r.owner == owner]
        if own or any(inside for _, _, inside in refs):
            params = tuple(entry for ref in refs for entry in _entries(ref, own))
            found.append(WeightRecord(owner, "", GRAPH, params))
    return tuple(found)


def _entries(ref: PieceRef, records: Sequence[WeightRecord]) -> Iterator[tuple[str, str, str]]:
    attribute, each, inside = ref
    place = f"{attribute}.*" if each else attribute
    tie = f"@{each}" if each else ""
    if inside:
        yield f"inside{tie}", place, ""
    for record in records:
        gates = _GATES.get(record.keras)
        if gates is not None and record.path == place:
            yield from ((f"{kind}{tie}", f"{place}.{name}", transform) for kind, name, transform in gates)
            continue
        for keras, name, transform in record.params:
            kind = f"moving{tie}" if keras in _MOVING else f"trained{tie}"
            if record.path == place:
                yield kind, f"{place}.{name}", transform
            elif not record.path and keras == place:
                yield kind, name, transform
