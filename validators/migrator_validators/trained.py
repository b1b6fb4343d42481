"""Trained weights of an original: where Keras keeps them, and what both programs compute with them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from migrator.errors import EnvironmentMissing, UsageError
from migrator_validators.bench import SELF, Bench, Sides
from migrator_validators.cases import Case, WeightMap, WeightPair
from migrator_validators.compare import Comparison, compare_trees
from migrator_validators.matching import Matching, match
from migrator_validators.tolerances import TABLE
from migrator_validators.workers import Reply, Tree, Workers

Arrays = dict[str, npt.NDArray[Any]]
Format = Literal["h5", "legacy", "checkpoint"]


@dataclass(frozen=True)
class Weight:
    """A weight of the original's object, in Keras's order."""

    name: str
    shape: tuple[int, ...]
    dtype: str


@dataclass(frozen=True)
class Layout:
    """The weights of an object, and for each key of a file which weight is there (None: state that is none)."""

    weights: tuple[Weight, ...]
    places: tuple[tuple[str, int | None], ...]


@dataclass
class Trained:
    """One model of both programs. `case`: how it is made; `pairs`: its weight map, where the run resolved one.

    All methods raise UsageError where a program or a file does not fit, and EnvironmentMissing for mistakes of ours.
    """

    case: Case
    sides: Sides
    workers: Workers
    pairs: tuple[WeightPair, ...] = ()
    bench: Bench = field(init=False)

    def __post_init__(self) -> None:
        weights = WeightMap(pairs=self.pairs) if self.pairs else self.case.weights
        case = self.case.model_copy(update={"init": False, "weights": weights})
        self.bench = Bench(case, self.sides, self.workers)

    def layout(self, format: Format) -> Layout:
        """Where Keras keeps the weights in files of a format."""
        result = self._ask({"do": "layout", "format": format}).result
        weights = tuple(Weight(w["name"], tuple(w["shape"]), w["dtype"]) for w in result["weights"])
        return Layout(weights, tuple((key, index) for key, index in result["places"]))

    def matching(self) -> tuple[Matching, Arrays]:
        """The weight map on the live objects, and the rest of the target's state, which stays as it is made."""
        source = _sound(self.bench.source("plain"), "the original")
        initial = Bench(self.bench.case.model_copy(update={"init": True}), self.sides, self.workers)
        described = _sound(initial.target("describe"), "the migrated program")
        theirs = described.result["objects"][SELF]
        found = match(self.bench.case.weights, source.result["objects"][SELF], theirs)
        if found.problems:
            raise UsageError(f"the weights of both models do not fit: {found.problems[0]}")
        made = {pair.target for pair in found.pairs}
        left = [entry["name"] for entry in theirs["state"] if entry["name"] not in made]
        return found, {name: described.arrays[f"i.{SELF}.0.{name}"] for name in left}

    def loaded_by_keras(self, path: Path, files: Sequence[Path]) -> list[npt.NDArray[Any]]:
        """The weights after Keras itself has loaded a file."""
        reply = self._ask({"do": "load", "name": path.name}, _contents(files))
        return [reply.arrays[f"w.{i}"] for i in range(len(reply.arrays))]

    def forward(self, weights: Sequence[npt.NDArray[Any]], state: Mapping[str, npt.NDArray[Any]]) -> Comparison:
        """Outputs of the original with its weights, and of the migrated model with its state."""
        given = {f"w.{SELF}.{i}": weight for i, weight in enumerate(weights)}
        source = _sound(self.bench.source("plain", arrays=given), "the original")
        loaded = {f"s.{SELF}.{name}": array for name, array in state.items()}
        target = _sound(self.bench.target("plain", arrays=loaded), "the migrated program")
        found = Comparison()
        ours = [seen for seen in source.result["batches"] if "error" not in seen]  # it takes no image of another size
        theirs = {seen["number"]: seen for seen in target.result["batches"]}
        for a in ours:
            b = theirs.get(a["number"], {})
            if "output" not in b:
                raise UsageError(f"the migrated program fails: {b.get('error', 'a batch is missing')}")
            found.add(compare_trees(a["output"], source.arrays, b["output"], target.arrays, TABLE["forward"]))
        return found

    def _ask(self, request: Mapping[str, Any], arrays: Arrays | None = None) -> Reply:
        base, inputs = self.bench.request("plain", "source", "float32")
        reply = self.bench.send("source", "tf_weights", {**base, **request}, {**inputs, **(arrays or {})})
        return _sound(reply, "the original")


def read_checkpoint(name: str, files: Sequence[Path], workers: Workers, keras: int) -> Arrays:
    """The tensors of a TensorFlow checkpoint by key; numbers alone. Raises UsageError where it cannot be read."""
    request = {"do": "read", "name": name}
    reply = workers.run("tf2" if keras == 2 else "tf", "tf_weights", request, _contents(files), tree=Tree())
    found = _sound(reply, f"{name}:")
    return {key: found.arrays[f"k.{i}"] for i, key in enumerate(found.result["names"])}


def _contents(files: Sequence[Path]) -> Arrays:
    return {f"file.{path.name}": np.fromfile(path, np.uint8) for path in files}


def _sound(reply: Reply, whose: str) -> Reply:
    if reply.status == "ok":
        return reply
    if reply.status == "infra":
        raise EnvironmentMissing(f"{whose} could not be run: {reply.reason}")
    raise UsageError(f"{whose} fails: {reply.reason}")
