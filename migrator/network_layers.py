"""The layers of Keras's applications without their top, in Keras's order, and the modules that have their weights."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from pathlib import Path

_TABLE = Path(__file__).with_name("network_layers.txt")


@dataclass(frozen=True)
class NetworkLayer:
    """A layer: its name, "" where Keras counts the layers of its kind, and its module's path, "" without weights."""

    name: str
    path: str


def layers_of(network: str) -> tuple[NetworkLayer, ...]:
    """The layers of a network by the name of its function ("VGG16"); empty for one that is not in the table."""
    return _table().get(network, ())


@cache
def _table() -> dict[str, tuple[NetworkLayer, ...]]:
    lines = [line.split() for line in _TABLE.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    return {name: tuple(_layer(entry) for entry in entries) for name, *entries in lines}


def _layer(entry: str) -> NetworkLayer:
    name, _, path = entry.partition(":")
    return NetworkLayer(name.removeprefix("-"), path.removeprefix("-"))


def modules(owner: str, paths: Collection[str], of: Sequence[NetworkLayer]) -> list[str]:
    """The fewest expressions for the modules at `paths` of a network, and for no other of its modules with weights.

    Parts of a list are starred: `*base.blocks[:4]`, `base.blocks[4].expand`.
    """
    known = [layer.path.split(".") for layer in of if layer.path]
    return list(_below(owner, [], {path for path in paths if path}, known))


def _below(text: str, place: list[str], wanted: Collection[str], known: list[list[str]]) -> Iterator[str]:
    """Expressions for what is wanted below a module."""
    depth = len(place)
    own = [path for path in known if path[:depth] == place]
    if all(".".join(path) in wanted for path in own):
        yield text
        return
    children = list(dict.fromkeys(path[depth] for path in own if len(path) > depth))
    whole = {c: all(".".join(p) in wanted for p in own if p[depth : depth + 1] == [c]) for c in children}
    for done, run in groupby(children, lambda c: c.isdigit() and whole[c]):
        entries = list(run)
        if done and len(entries) > 1:
            yield f"*{text}[{_slice(entries, children)}]"
            continue
        for child in entries:
            inner = f"{text}[{child}]" if child.isdigit() else f"{text}.{child}"
            if any(".".join(p) in wanted for p in own if p[depth] == child):
                yield from _below(inner, [*place, child], wanted, known)


def _slice(entries: Sequence[str], children: Sequence[str]) -> str:
    """The bounds of a run of entries of a list; open where it begins or ends with the list."""
    first = "" if entries[0] == children[0] else entries[0]
    last = "" if entries[-1] == children[-1] else str(int(entries[-1]) + 1)
    return f"{first}:{last}"
