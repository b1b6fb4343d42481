"""Which entry of a file is which weight of the model: nothing may be missing, and nothing left over."""

from __future__ import annotations

from collections.abc import Sequence

from migrator.errors import UsageError
from migrator.weights.entries import Entry, Opened

NOT_OF_THE_MODEL = (
    "optimizer",
    "_optimizer",
    "optimizer_weights",
    "metrics",
    "compile_metrics",
    "save_counter",
    "keras_api",
)
"""Parts of a file that training needs and the model does not."""

Place = tuple[str, int | None]
"""A key and the weight that is there, None for state that is no weight."""


def entries(opened: Opened, places: Sequence[Place], shapes: Sequence[tuple[int, ...]], path: str) -> list[Entry]:
    """The entry of each weight, by the weight's index.

    Raises UsageError with the first place that does not fit: the file is of another model.
    """
    found = _in_order(opened, places, path) if opened.format == "legacy" else _by_key(opened, places, path)
    missing = [i for i in range(len(shapes)) if i not in found]
    if missing:
        raise UsageError(f"{path}: it has nothing for weight {missing[0]} of the model (of {len(missing)} in all)")
    for index, shape in enumerate(shapes):
        entry = found[index]
        if entry.shape != shape:
            raise UsageError(f"{path}: {entry.key} has shape {entry.shape}, the model's weight has {shape}")
    return [found[index] for index in range(len(shapes))]


def _in_order(opened: Opened, places: Sequence[Place], path: str) -> dict[int, Entry]:
    """Keras 2's files go by order, as Keras itself reads them: names of layers count on from model to model."""
    if len(opened.entries) != len(places):
        raise UsageError(f"{path}: it has {len(opened.entries)} tensors, the model has {len(places)}")
    pairs = zip(opened.entries, places, strict=True)
    return {index: entry for entry, (_, index) in pairs if index is not None}


def _by_key(opened: Opened, places: Sequence[Place], path: str) -> dict[int, Entry]:
    if any(entry.key.startswith("_all_variables/") for entry in opened.entries):
        raise UsageError(f"{path}: a model exported for serving does not say which weight is which; use its checkpoint")
    known = dict(places)
    prefix = _prefix(opened, [key for key, index in places if index is not None])
    found: dict[int, Entry] = {}
    for entry in opened.entries:
        key = entry.key.removeprefix(prefix)
        index = known.get(key)
        if index is not None and entry.key.startswith(prefix):
            found[index] = entry
        elif key not in known and not _is_other(entry.key):
            raise UsageError(f"{path}: the model has nothing for {entry.key}")
    return found


def _prefix(opened: Opened, keys: Sequence[str]) -> str:
    """What stands before the model's keys where a checkpoint holds it under a name ("model/")."""
    names = [entry.key for entry in opened.entries]
    if not keys or opened.format != "checkpoint" or keys[0] in names:
        return ""
    return min((n[: -len(keys[0])] for n in names if n.endswith("/" + keys[0])), key=len, default="")


def _is_other(key: str) -> bool:
    parts = key.split("/")
    # slots of an optimizer lie below the variable that they belong to
    return parts[0] in NOT_OF_THE_MODEL or any(p in NOT_OF_THE_MODEL for p in parts[1:3]) or ".OPTIMIZER_SLOT" in key
