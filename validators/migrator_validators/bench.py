"""A case on the bench: the same requests to both sides, and what came back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np

from migrator_validators.cases import Case, Made, WeightMap
from migrator_validators.inputs import Inputs, Side, Tree, scales, sizes_of, varies, widen
from migrator_validators.matching import Matching
from migrator_validators.variations import FIRST, Variation, variations
from migrator_validators.workers import Arrays, Reply, Workers
from migrator_validators.workers import Tree as CodeTree

SEEDS = tuple(range(11, 35))
"""Of initial values, the last first: so many as tell small weights apart, fewer where weights are large."""
SELF = "self"
LARGE = 4_000_000
"""Parameters from which on a model is large: its initial values are drawn once (a tensor of it has draws
enough), and gradients are taken of the first batch alone."""
FEW, DRAWS = 3, 20_000
"""Objects are made with `FEW` seeds at least, and with more until they have drawn so many numbers in all."""
Mode = Literal["plain", "train", "describe"]


@dataclass(frozen=True)
class Sides:
    """Both trees and the Keras that the source means."""

    source: CodeTree
    target: CodeTree
    keras: int = 3
    folder: Path = Path()


@dataclass
class Bench:
    """Builds requests for a case and sends them. `subject` is "object" for models and layers."""

    case: Case
    sides: Sides
    workers: Workers
    timeout: float | None = None
    dropped: set[int] = field(default_factory=set)  # optional batches that the source refuses
    also: int = 0  # batches of a plain run whose gradients are taken at once
    seeds: tuple[int, ...] = SEEDS  # of the initial values that are compared
    graded: int = 2  # batches of a training run whose gradients are taken

    varied: bool = True  # whether the case's variations are run
    seed: int = 0  # set before the program is imported

    def __post_init__(self) -> None:
        pure = self.subject == "function" and not made_objects(self.case) and not self.case.held
        self.also = 2 if pure and self.case.grad else 0

    def measure(self, source: Reply) -> None:
        """Learn from the source's plain run how large its objects are."""
        described = source.result["objects"].values()
        count = sum(int(np.prod(w["shape"])) for found in described for w in found["weights"])
        if count > LARGE:
            self.graded = 1
        builds = {name.split(".")[2] for name in source.arrays if name.startswith("i.")}
        self.seeds = SEEDS[-max(len(builds), 1) :]

    @property
    def subject(self) -> str:
        return (
            "object"
            if self.case.kind in ("model", "layer")
            else "constant"
            if self.case.kind == "constant"
            else "function"
        )

    def maps(self) -> dict[str, WeightMap]:
        """The weight map of every object with weights, by label."""
        out = {SELF: self.case.weights} if self.subject == "object" else {}
        for made in made_objects(self.case):
            if made.weights:
                out[made.label] = made.map or self.case.weights
        return out | dict.fromkeys(self.case.held, self.case.weights)

    def source(self, mode: Mode, floatx: str = "float32", arrays: Mapping[str, Any] | None = None) -> Reply:
        """Run the original. `arrays`: weights `w.<label>.<i>` to load instead of random ones."""
        request, inputs = self.request(mode, "source", floatx)
        return self.send("source", "tf_check", request, {**inputs, **_cast(arrays or {}, floatx)})

    def target(
        self, mode: Mode, floatx: str = "float32", arrays: Mapping[str, Any] | None = None, **settings: Any
    ) -> Reply:
        """Run the migrated program. `arrays`: state `s.<label>.<name>` to load; `settings`: gaps, train_mode, widen."""
        request, inputs = self.request(mode, "target", floatx)
        return self.send("target", "torch_check", {**request, **settings}, {**inputs, **_cast(arrays or {}, floatx)})

    def steps(self, side: Side, mode: Mode, floatx: str, arrays: Mapping[str, Any], **settings: Any) -> Reply:
        """What a side does on the first batch, step by step. `arrays` and `settings` as in `source` and `target`."""
        request, inputs = self.request(mode, side, floatx)
        first = {**request, **settings, "batches": request["batches"][:1], "initial": False, "seeds": SEEDS[-1:]}
        probe = "tf_steps" if side == "source" else "torch_steps"
        return self.send(side, probe, first, {**inputs, **_cast(arrays, floatx)})

    def run(self, side: Side, probe: str) -> Reply:
        """Run another probe on the first batch of the case."""
        request, inputs = self.request("plain", side, "float32")
        return self.send(side, probe, request, inputs)

    def send(self, side: Side, probe: str, request: Mapping[str, Any], arrays: Arrays | None = None) -> Reply:
        """Send a request to a side's worker."""
        worker: Literal["tf", "tf2", "torch"] = (
            "torch" if side == "target" else "tf2" if self.sides.keras == 2 else "tf"
        )
        tree = self.sides.source if side == "source" else self.sides.target
        return self.workers.run(worker, probe, request, arrays, tree=tree, timeout=self.timeout)

    def request(self, mode: Mode, side: Side, floatx: str) -> tuple[dict[str, Any], Arrays]:
        """The request of one side and the arrays it refers to: those of both sides are the same."""
        arrays: Arrays = {}
        inputs = Inputs(sizes_of(self.case, 0), folder=self.sides.folder, floatx=floatx, arrays=arrays)
        initial = self.case.init and (mode == "describe" or (mode == "plain" and side == "source"))
        sources = {label: _sources(weights) for label, weights in self.maps().items()}
        request = {
            "kind": self.subject,
            "mode": mode,
            "call": inputs.call(self.case.call, side),
            "batches": self.batches(mode, side, floatx, arrays),
            "seeds": self.seeds if initial else self.seeds[-1:],
            "initial": initial,
            "large": LARGE,
            "draws": (FEW, DRAWS),
            "sources": sources,
            "floatx": floatx,
            "grad": self.case.grad,
            "graded": self.graded if mode == "train" else self.also if mode == "plain" else 0,
            "inject": mode == "train"
            or self.case.random
            or (self.subject == "function" and bool(made_objects(self.case) or self.case.held)),
            "gaps": [],
            "train_mode": mode == "train",
            "widen": False,
            "layout": self.case.layout,
            "names": self.case.names,
            "held": self.case.held,
            "seed": self.seed,
        }
        return request, arrays

    def batches(self, mode: Mode, side: Side, floatx: str, arrays: Arrays) -> list[Tree]:
        """The trees of each batch: three plain ones, two in training; tiny and large inputs for functions."""
        if self.case.kind == "constant":
            return []
        plans = [(i, "plain") for i in range(self._count(mode))]
        if mode == "plain" and self.subject == "function" and scales(self.case):
            plans += [(len(plans), "tiny"), (len(plans) + 1, "large")]
        out = []
        for number, variant in plans:
            if number in self.dropped:
                continue
            inputs = Inputs(sizes_of(self.case, number), number, variant, self.sides.folder, floatx, arrays)  # type: ignore[arg-type]
            tree = self._batch(self.case, inputs, side)
            out.append({**tree, "optional": variant != "plain", "number": number})
        return out + (self._variations(side, floatx, arrays) if mode == "plain" else [])

    @cached_property
    def variations(self) -> dict[int, Variation]:
        """The variations of the case by the number of their batch."""
        found = variations(self.case) if self.varied else ()
        return dict(enumerate(found, FIRST))

    def _variations(self, side: Side, floatx: str, arrays: Arrays) -> list[Tree]:
        out = []
        near = self.case.hints.near if self.case.hints else ()
        for number, varied in self.variations.items():
            if number not in self.dropped:
                sizes = sizes_of(varied.case, number)
                inputs = Inputs(sizes, number, varied.change, self.sides.folder, floatx, arrays, near)
                tree = self._batch(varied.case, inputs, side)
                graded = varied.graded and bool(self.also)
                out.append({**tree, "optional": True, "varied": True, "graded": graded, "number": number})
        return out

    def _count(self, mode: Mode) -> int:
        """Plain batches: inputs that never change need no second one."""
        if not varies(self.case):
            return 1
        return 2 if mode == "train" else max(3, self.case.batches)

    def _batch(self, case: Case, inputs: Inputs, side: Side) -> Tree:
        if self.subject == "function":
            return {"call": inputs.call(case.call, side)}
        return {
            "args": [inputs.tree(arg, side) for arg in case.inputs],
            "kwargs": {name: inputs.tree(arg, side) for name, arg in case.input_kwargs.items()},
        }


def both_ran(source: Reply, target: Reply) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """What was seen of each batch that neither side refused."""
    theirs = {seen["number"]: seen for seen in target.result["batches"] if "error" not in seen}
    ours = [seen for seen in source.result["batches"] if "error" not in seen]
    return [(seen, theirs[seen["number"]]) for seen in ours if seen["number"] in theirs]


def refusals(source: Reply) -> dict[int, str]:
    """What the original raises by statements of its own, by the number of the variation."""
    batches = (seen for seen in source.result["batches"] if seen["number"] >= FIRST)
    return {seen["number"]: seen["refusal"] for seen in batches if seen.get("refusal")}


def _cast(arrays: Mapping[str, Any], floatx: str) -> Arrays:
    return {name: widen(array) for name, array in arrays.items()} if floatx == "float64" else dict(arrays)


def _sources(weights: WeightMap) -> list[str]:
    """Every place of the source that a map names."""
    out: list[str] = list(weights.unmapped_source)
    for pair in weights.pairs:
        out += [pair.source] if isinstance(pair.source, str) else list(pair.source)
    return out


def made_objects(case: Case) -> list[Made]:
    """The objects that a case's calls make first, each label once."""
    found: dict[str, Made] = {}
    stack: list[Any] = [case.call, *case.inputs, *case.input_kwargs.values()]
    while stack:
        value = stack.pop()
        if isinstance(value, Made):
            found.setdefault(value.label, value)
        if hasattr(value, "__pydantic_fields__"):
            stack.extend(getattr(value, name) for name in type(value).model_fields)
        elif isinstance(value, tuple | list):
            stack.extend(value)
        elif isinstance(value, dict):
            stack.extend(value.values())
    return list(found.values())


# --- weights over the wire ---------------------------------------------------------------------------


def state_arrays(matchings: Mapping[str, Matching], arrays: Mapping[str, Any], prefix: str = "w") -> Arrays:
    """The target's state `s.<label>.<name>` from the source's arrays `<prefix>.<label>.<i>`."""
    out: Arrays = {}
    for label, matching in matchings.items():
        sources = numbered(arrays, f"{prefix}.{label}.")
        for pair in matching.pairs:
            out[f"s.{label}.{pair.target}"] = pair.array(sources)
    return out


def weight_arrays(arrays: Mapping[str, Any]) -> Arrays:
    """The source's own weights out of a reply."""
    return {name: array for name, array in arrays.items() if name.startswith("w.")}


def numbered(arrays: Mapping[str, Any], prefix: str) -> list[Any]:
    """Arrays `<prefix>0`, `<prefix>1` … as a list."""
    out: list[Any] = []
    while f"{prefix}{len(out)}" in arrays:
        out.append(arrays[f"{prefix}{len(out)}"])
    return out
