"""Weight maps of graphs: their variables have no layers, but an order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from migrator.model import WeightRecord

GRAPH = "tf.Graph"
_MOVING = ("moving_mean", "moving_variance")


def graph_records(
    records: Sequence[WeightRecord], pieces: Mapping[str, Sequence[str]], module: str
) -> tuple[WeightRecord, ...]:
    """The records with those of a graph's modules as one each: number of the weight → state entry.

    `pieces`: by class the attributes of its layers and variables as the graph makes them. The numbers count the
    trainable weights in that order, then the moving averages.
    """
    found = [r for r in records if r.owner.rpartition(":")[2] not in pieces]
    for name, attributes in pieces.items():
        owner = f"{module}:{name}"
        own = [r for r in records if r.owner == owner]
        if own:
            entries = [entry for a in attributes for entry in _entries(a, own)]
            trained = [e for e in entries if e[0] not in _MOVING]
            ordered = [*trained, *(e for e in entries if e[0] in _MOVING)]
            params = tuple((str(n), place, transform) for n, (_, place, transform) in enumerate(ordered))
            found.append(WeightRecord(owner, "", GRAPH, params))
    return tuple(found)


def _entries(attribute: str, records: Sequence[WeightRecord]) -> Iterator[tuple[str, str, str]]:
    """(Keras's name, state entry, transform) of the weights of a layer, or of a variable."""
    for record in records:
        for keras, name, transform in record.params:
            if record.path == attribute:
                yield keras, f"{attribute}.{name}", transform
            elif not record.path and keras == attribute:
                yield keras, name, transform
