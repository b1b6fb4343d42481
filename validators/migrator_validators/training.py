"""The training kind: both training functions run from the same weights on the same batches.

The source runs first, under `probes/tf_training`, then the target, under `probes/torch_training`,
which is given the source's first weights and nothing else. Gradients, parameters after each step,
learning rates, the order of data, the last weights and the returned history are compared here,
outside the sandbox.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from migrator.model import Outcome, Rung, Verdict
from migrator_validators.cases import Call, Case, Items, Made, WeightMap
from migrator_validators.cases import Mapping as MappingArg
from migrator_validators.graph_order import GRAPH
from migrator_validators.inputs import Inputs, sizes_of
from migrator_validators.ladder import broken_limit, raised_by
from migrator_validators.longer import longer
from migrator_validators.matching import Matching, match
from migrator_validators.training_compare import Difference, Trace, compare
from migrator_validators.training_rounding import decided, own_distance
from migrator_validators.workers import Arrays, Reply, Side, Tree, Workers, as_tree

Code = Path | Tree | Mapping[str, str | bytes]
"""A folder, a packed tree, or texts by relative path."""

SECONDS = 120.0
INTERVENTION = "sgd-velocity"
"""Removed wherever the harness itself changes the rate: the program would never show that difference. Not of the
optimizers of TensorFlow 1 (`MomentumOptimizer`), whose velocity holds no rate, as torch's."""


@dataclass(frozen=True)
class _Setting:
    """One way to run both sides: with which gaps removed, and in which precision."""

    gaps: tuple[str, ...] = ()
    floatx: str = "float32"


@dataclass(frozen=True)
class _Outcome:
    """A run of both sides: differences by rung, or the reason why there is none."""

    differences: tuple[Difference, ...] = ()
    stopped: Verdict | None = None
    unchecked: tuple[str, ...] = ()


def check_training(
    case: Case,
    source: Code,
    target: Code,
    workers: Workers,
    *,
    folder: Path = Path(),
    keras: int = 3,
    repro: str = "",
    sources: dict[str, Reply] | None = None,
) -> tuple[Verdict, ...]:
    """Verdicts of the rungs gradients, steps and training for one case.

    `folder` is where the case's stored arrays lie; `sources` keeps the source's replies between calls
    with the same case and source. As shipped first; where that differs and the case has documented
    gaps, again with those removed; where little still differs, in float64.
    """
    if case.training.epochs:
        more = longer(as_tree(source), as_tree(target), case.training.epochs)
        if more is None:
            return (Verdict(Rung.SOURCE_RUNS, Outcome.UNVERIFIABLE, "both sides state no common number of epochs"),)
        source, target = more
    runner = _Runner(case, source, target, workers, folder, keras, {} if sources is None else sources)
    shipped = runner.run(_Setting())
    if shipped.stopped is not None:
        return (replace(shipped.stopped, inputs=case.inputs_from, repro=repro),)
    exact = shipped
    if case.gaps and _failed(shipped):
        removed = runner.run(_Setting(gaps=case.gaps))
        exact = removed if removed.stopped is None else shipped
    if _failed(exact) and all(d.equal or math.isfinite(d.measured) for d in exact.differences):
        double = runner.run(_Setting(gaps=case.gaps, floatx="float64"))
        if double.stopped is None:
            found = decided(exact.differences, double.differences, runner.own_distance())
            exact = replace(exact, differences=found)
    verdicts = _verdicts(shipped, exact, case.gaps)
    unchecked = tuple(dict.fromkeys((*case.unchecked, *shipped.unchecked)))
    ran = Verdict(Rung.SOURCE_RUNS, Outcome.PASS, "")
    return tuple(replace(v, inputs=case.inputs_from, unchecked=unchecked, repro=repro) for v in (ran, *verdicts))


def _failed(outcome: _Outcome) -> bool:
    return outcome.stopped is not None or any(not d.equal for d in outcome.differences)


# --- verdicts -----------------------------------------------------------------------------------------


def _verdicts(shipped: _Outcome, exact: _Outcome, gaps: tuple[str, ...]) -> list[Verdict]:
    by_rung = {d.rung: d for d in shipped.differences}
    return [_verdict(by_rung.get(d.rung, d), d, gaps) for d in exact.differences]


def _verdict(shipped: Difference, exact: Difference, gaps: tuple[str, ...]) -> Verdict:
    allowed = (("difference", exact.allowed),)
    if not exact.equal:
        return Verdict(exact.rung, Outcome.FAIL, exact.detail, (("difference", exact.measured),), allowed)
    if shipped.equal:
        return Verdict(exact.rung, Outcome.PASS, shipped.detail, (("difference", shipped.measured),), allowed)
    if exact.rounding is not None and not gaps:
        figures = (("difference", exact.measured), ("float32", exact.rounding))
        detail = f"{exact.detail}; the float32 difference is rounding"
        return Verdict(exact.rung, Outcome.PASS, detail, figures, allowed)
    measured = (("as shipped", shipped.measured), ("gap removed", exact.measured))
    detail = f"{exact.detail} with {', '.join(gaps)} removed; as shipped: {shipped.detail}"
    return Verdict(exact.rung, Outcome.GAP, detail, measured, allowed)


# --- runs ---------------------------------------------------------------------------------------------


class _Runner:
    """Runs both sides of one case under a setting."""

    def __init__(
        self,
        case: Case,
        source: Code,
        target: Code,
        workers: Workers,
        folder: Path,
        keras: int,
        sources: dict[str, Reply],
    ) -> None:
        self.case, self.source, self.target = case, source, target
        self.workers, self.folder, self.keras = workers, folder, keras
        self._sources = sources
        self._matchings: list[Matching] | None = None
        self._widen = False
        self._idle: list[int] = []

    def run(self, setting: _Setting) -> _Outcome:
        """Both sides, compared; or why one of them did not run."""
        source = self._source(setting.floatx)
        if source.status != "ok":
            return _Outcome(stopped=_source_stopped(source))
        roots = source.result["roots"]
        if not any(o["rates"] for o in source.result["optimizers"]):
            return _Outcome(
                stopped=Verdict(Rung.SOURCE_RUNS, Outcome.UNVERIFIABLE, "the source made no optimizer step")
            )
        maps = self._maps(setting, source)
        if isinstance(maps, Verdict):
            return _Outcome(stopped=maps)
        states, arrays = _states(maps, roots, source.arrays)
        reply = self._target(setting, source, states, arrays)
        if reply.status != "ok":
            return _Outcome(stopped=_target_stopped(reply, source))
        differences, unchecked = compare(
            Trace(source.result, source.arrays),
            Trace(reply.result, reply.arrays),
            maps,
            setting.floatx,
            self.case.training.history,
        )
        widened = ("int32 inputs were given as int64",) if self._widen else ()
        return _Outcome(differences, unchecked=(*widened, *unchecked))

    def own_distance(self) -> tuple[Difference, ...]:
        """How far the source's float32 run is from its float64 run, both having ended well."""
        single, double = (Trace(r.result, r.arrays) for r in (self._source("float32"), self._source("float64")))
        return own_distance(single, double, self._matchings or [], self.case.training.history)

    def _source(self, floatx: str) -> Reply:
        if floatx not in self._sources:
            inputs = self._inputs(floatx)
            training = self.case.training
            request = {
                "call": inputs.call(self.case.call, "source"),
                "roots": [{"label": m.label, "paths": _paths(m.map or self.case.weights)} for m in self._made()],
                "inside": _paths(self.case.weights),
                "steps": training.steps,
                "most": training.most,
                "hold": training.hold,
                "kept": list(training.kept),
                "times": training.times,
                "parts": sum(record.keras == GRAPH for record in self.case.weights.records) > 1,
                "lr_change": training.lr_change,
                "lr_factor": training.lr_factor,
                "float64": floatx == "float64",
            }
            side: Side = "tf2" if self.keras == 2 else "tf"
            arrays = {**inputs.arrays, **self._starts(floatx)}
            self._sources[floatx] = self.workers.run(
                side, "tf_training", request, arrays, tree=self.source, timeout=SECONDS
            )
        return self._sources[floatx]

    def _starts(self, floatx: str) -> Arrays:
        """What the run in float64 begins with, so that only its rounding differs from the run in float32."""
        single = self._sources.get("float32") if floatx == "float64" else None
        if single is None or single.status != "ok":
            return {}
        return {f"given/{key}": value for key, value in single.arrays.items() if key.startswith("start/")}

    def _target(
        self, setting: _Setting, source: Reply, states: list[dict[str, str]], arrays: Arrays, models: int = 0
    ) -> Reply:
        """The target's run; only until it has trained `models` models, where that is given."""
        inputs = self._inputs(setting.floatx)
        inputs.call(self.case.call, "source")  # so that both sides number equal arrays alike
        inputs.side()
        call = inputs.call(self.case.call, "target")
        made = self._made()
        padded = [*states, *({} for _ in range(len(made) - len(states)))]
        changes = [o["changed"] for o in source.result["optimizers"]]
        shown = any(o["changed"] and not o["class"].endswith("Optimizer") for o in source.result["optimizers"])
        gaps = tuple(dict.fromkeys((*setting.gaps, INTERVENTION))) if shown else setting.gaps
        given = [output and output["given"] for output in source.result.get("outputs", ())] if not models else []
        inside = {tree["key"]: source.arrays[tree["key"]] for trees in given for tree in trees or ()}
        request = {
            "call": call,
            "given": given,
            "roots": [{"label": m.label, "state": state} for m, state in zip(made, padded, strict=False)],
            "inside": padded[len(made) :],
            "gaps": list(gaps),
            "keras": self.keras,
            "steps": self.case.training.steps,
            "most": self.case.training.most,
            "models": models,
            "whole": any(root.get("session") for root in source.result["roots"]),
            "hold": self.case.training.hold,
            "kept": list(self.case.training.kept),
            "times": self.case.training.times,
            "lr_changes": changes,
            "far": [list(o.get("far", ())) for o in source.result["optimizers"] if o["rates"]],
            "lr_factor": self.case.training.lr_factor,
            "float64": setting.floatx == "float64",
            "widen": self._widen,
            "idle": list(self._idle),
        }
        return self.workers.run(
            "torch", "torch_training", request, {**inputs.arrays, **arrays, **inside}, tree=self.target, timeout=SECONDS
        )

    def _inputs(self, floatx: str) -> Inputs:
        return Inputs(sizes_of(self.case, 0), folder=self.folder, floatx=floatx)

    def _made(self) -> list[Made]:
        return list(made_objects(self.case.call))

    def _maps(self, setting: _Setting, source: Reply) -> list[Matching] | Verdict:
        """The resolved weight map of each model, or what is wrong. The target runs up to the first step of the last
        model for it: a program may train one after another."""
        if self._matchings is not None:
            return self._matchings
        models = len(source.result["roots"])
        probe = self._target(setting, source, [], {}, models)
        if probe.status == "error":
            self._widen = True  # a tensor of int32 is int64 among migrated callers
            again = self._target(setting, source, [], {}, models)
            self._widen = again.status == "ok"
            probe = again if self._widen else probe
        if probe.status != "ok":
            return _target_stopped(probe, source)
        self._idle = [root["idle"] for root in probe.result["roots"] if root["idle"] is not None]
        ours = source.result["roots"]
        theirs = [root for root in probe.result["roots"] if root["idle"] is None]
        if len(ours) != len(theirs):
            detail = f"the target trains {len(theirs)} model(s), the source {len(ours)}"
            return Verdict(Rung.WEIGHTS, Outcome.FAIL, detail)
        by_label = {m.label: m.map for m in self._made()}
        maps = []
        for one, other in zip(ours, theirs, strict=True):
            matching = match(by_label.get(one["label"]) or self.case.weights, one["described"], other["described"])
            if matching.problems:
                return Verdict(Rung.WEIGHTS, Outcome.FAIL, "; ".join(matching.problems[:3]))
            maps.append(matching)
        self._matchings = maps
        return maps


def made_objects(call: Call) -> Iterator[Made]:
    """The objects of a call whose weights are carried over, each label once, in the order they are made."""
    seen: set[str] = set()

    def walk(arg: Any) -> Iterator[Made]:
        if isinstance(arg, Items):
            for item in arg.items:
                yield from walk(item)
        elif isinstance(arg, MappingArg):
            for item in arg.items.values():
                yield from walk(item)
        elif isinstance(arg, Made):
            yield from inside(arg.call)
            if arg.weights and arg.label not in seen:
                seen.add(arg.label)
                yield arg

    def inside(call: Call) -> Iterator[Made]:
        for arg in (*call.args, *call.kwargs.values(), call.on):
            yield from walk(arg)

    return inside(call)


def _paths(weights: WeightMap) -> list[str]:
    """The source paths of the explicit pairs."""
    return [path for pair in weights.pairs for path in ([pair.source] if isinstance(pair.source, str) else pair.source)]


def _states(maps: list[Matching], roots: list[dict[str, Any]], arrays: Arrays) -> tuple[list[dict[str, str]], Arrays]:
    """For each root the target's first state, as array keys by name, and those arrays."""
    states: list[dict[str, str]] = []
    out: Arrays = {}
    for number, (matching, root) in enumerate(zip(maps, roots, strict=True)):
        state: dict[str, str] = {}
        weights = [arrays["start/" + name] for name in root["weights"]]
        for pair in matching.pairs:
            key = f"weight/{number}/{pair.target}"
            out[key] = pair.array(weights)
            state[pair.target] = key
        states.append(state)
    return states, out


def _source_stopped(reply: Reply) -> Verdict:
    ours = reply.status in ("infra", "timeout", "killed")
    return Verdict(Rung.SOURCE_RUNS, Outcome.INFRA if ours else Outcome.UNVERIFIABLE, f"the original: {reply.reason}")


def _target_stopped(reply: Reply, source: Reply) -> Verdict:
    """A target that did not come to its end: at which rung, and whose fault."""
    if reply.needs_tensorflow:
        return Verdict(Rung.STEPS, Outcome.UNVERIFIABLE, f"it needs what is still TensorFlow: {reply.reason}")
    if reply.lacks_library:
        return Verdict(Rung.STEPS, Outcome.UNVERIFIABLE, reply.reason)
    stage = reply.error.get("stage", "")
    rung = Rung.IMPORTS if stage.startswith("import ") else Rung.WEIGHTS if stage.startswith("load ") else Rung.STEPS
    outcome = Outcome.INFRA if reply.status in ("infra", "timeout", "killed") else Outcome.FAIL
    limit = broken_limit(reply, source.seconds)
    return Verdict(rung, outcome, reply.reason, diverges=raised_by(reply), limit=limit)
