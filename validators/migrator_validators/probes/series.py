"""Batches of whatever iterates: datasets and loaders inside a result become lists of their first batches."""

from __future__ import annotations

from typing import Any, Callable, Dict, List

from . import wire

MOST = 8


def encode(value: Any, sink: wire.Sink, is_series: Callable[[Any], bool], lengths: List[Any]) -> wire.Tree:
    """A result as a tree: every series is a list of at most `MOST` batches; `lengths` are noted in order."""
    if is_series(value):
        lengths.append(length(value))
        with wire.program("iterate"):
            batches = take(value)
        return {"t": "list", "items": [wire.encode(batch, sink) for batch in batches]}
    if isinstance(value, dict):
        return {"t": "dict", "items": {str(k): encode(v, sink, is_series, lengths) for k, v in value.items()}}
    if isinstance(value, (list, tuple)) and any(is_series(item) for item in value):
        name = "tuple" if isinstance(value, tuple) else "list"
        return {"t": name, "items": [encode(item, sink, is_series, lengths) for item in value]}
    return wire.encode(value, sink)


def take(value: Any) -> List[Any]:
    """The first batches."""
    out = []
    for batch in value:
        out.append(batch)
        if len(out) == MOST:
            break
    return out


def length(value: Any) -> Any:
    """The number of batches, or None where it is unknown or infinite."""
    try:
        return len(value)
    except (TypeError, ValueError, NotImplementedError, OverflowError):
        return None


def answer(tree: wire.Tree, lengths: List[Any], streams: Any) -> Dict[str, Any]:
    """What both sides report. An order drawn by a permutation is a shuffle, whichever way the samples go."""
    drawn = any(event["kind"] == "permutation" for event in streams.events)
    return {"output": tree, "lengths": lengths, "shuffled": drawn or any(p["shuffled"] for p in streams.passes)}
