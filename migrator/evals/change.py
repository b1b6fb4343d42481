"""Changes of a right migration: wrong variants that have to be refused, right ones in another style."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

from migrator_validators.cases import WeightMap, WeightPair
from pydantic import Field

from migrator.errors import UsageError
from migrator.evals.task import Strict, Task


class Patch(Strict):
    """A piece of a file that stands there exactly once, and what takes its place.

    `file` is relative to the migrated tree; empty for the task's own module.
    """

    file: str = ""
    search: str
    replace: str


class Change(Strict):
    """A variant of a migration: patches of its text, and of its weight maps.

    `rung`: where a wrong one is expected to fail; `case`: the case tried first. By label of the
    map: `maps` replace whole maps, `renames` old target names, `transforms` those of a target,
    `extra_pairs` are added.
    """

    id: str = ""
    reason: str
    rung: str = ""
    case: str = ""
    patches: tuple[Patch, ...] = ()
    maps: dict[str, WeightMap] = Field(default_factory=dict)
    renames: dict[str, dict[str, str]] = Field(default_factory=dict)
    transforms: dict[str, dict[str, str]] = Field(default_factory=dict)
    extra_pairs: dict[str, tuple[WeightPair, ...]] = Field(default_factory=dict)


class Mutants(Strict):
    """The wrong migrations of one base."""

    mutant: tuple[Change, ...]


def apply_patches(tree: Path, change: Change, module: str, out: Path) -> None:
    """Writes a copy of `tree` with the patches of `change` to `out`.

    Raises UsageError when the text to replace is not there exactly once.
    """
    shutil.copytree(tree, out, ignore=shutil.ignore_patterns("__pycache__"))
    for patch in change.patches:
        path = out / (patch.file or f"{module}.py")
        text = path.read_text(encoding="utf-8")
        if text.count(patch.search) != 1:
            raise UsageError(f"{change.id}: stands {text.count(patch.search)} times in {path.name}: {patch.search!r}")
        path.write_text(text.replace(patch.search, patch.replace), encoding="utf-8")


def changed_maps(task: Task, change: Change) -> Mapping[str, WeightMap]:
    """The weight maps of the task's migration as `change` leaves them."""
    maps = {**task.reference.maps, **change.maps}
    return {label: _changed(label, weights, change) for label, weights in maps.items()}


def _changed(label: str, weights: WeightMap, change: Change) -> WeightMap:
    renames, transforms = change.renames.get(label, {}), change.transforms.get(label, {})
    pairs = (pair.model_copy(update={"target": renames.get(pair.target, pair.target)}) for pair in weights.pairs)
    pairs = (pair.model_copy(update={"transform": transforms.get(pair.target, pair.transform)}) for pair in pairs)
    unmapped = {renames.get(name, name): why for name, why in weights.unmapped_target.items()}
    added = change.extra_pairs.get(label, ())
    for pair in added:
        unmapped.pop(pair.target, None)
    return weights.model_copy(update={"pairs": (*pairs, *added), "unmapped_target": unmapped})
