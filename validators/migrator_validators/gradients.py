"""The rungs in training mode: outputs with injected randomness, buffers afterwards, and every gradient."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from migrator.model import Outcome, Rung
from migrator_validators.bench import SELF, both_ran, numbered, state_arrays, weight_arrays
from migrator_validators.compare import Comparison, Difference, compare_arrays, leaves
from migrator_validators.matching import Matching
from migrator_validators.rounding import SHAKES, Pairs, Runs, nudged, output_pairs
from migrator_validators.tolerances import TABLE, Tolerance
from migrator_validators.variations import FIRST
from migrator_validators.workers import Reply

if TYPE_CHECKING:
    from migrator_validators.objects import ObjectCheck

Figures = Callable[[Reply, Reply, Mapping[str, Any], str], Comparison]


class TrainingMode:
    """One run of both sides in training mode, judged twice: what comes out and stays behind, and gradients."""

    def __init__(self, check: ObjectCheck) -> None:
        self.check, self.bench, self.ladder = check, check.bench, check.ladder
        self.settings = {
            **check.settings,
            "train_mode": check.bench.subject == "object" or bool(check.settings["train_mode"]),
        }
        self._without_gaps: Reply | None = None
        self._in_float64: tuple[Reply, Reply] | None = None
        self._from_moved: Reply | None = None

    def run(self, plain: Reply) -> None:
        """Say "train-forward" and "gradients"; functions without modules have gradients only."""
        case = self.check.case
        if self.bench.subject == "function" and not case.grad:
            return
        weights = weight_arrays(plain.arrays)
        source = self.bench.source("train", arrays=weights)
        if source.status != "ok":
            self._source_refuses(source)
            return
        state = state_arrays(self.check.matchings, weights)
        target = self._target(source, state)
        if self.ladder.target_failed(Rung.TRAIN_FORWARD if self.bench.subject == "object" else Rung.GRADIENTS, target):
            return
        if self.check.matchings:
            self._judge(Rung.TRAIN_FORWARD, source, target, weights, self._output_figures)
        if case.grad and not self.ladder.ended:
            self.judge_gradients(source, target, weights)

    def _source_refuses(self, reply: Reply) -> None:
        ours = reply.status in ("infra", "timeout", "killed")
        rung = Rung.TRAIN_FORWARD if self.bench.subject == "object" else Rung.GRADIENTS
        self.ladder.say(
            rung, Outcome.INFRA if ours else Outcome.NOT_APPLICABLE, f"the original in training mode: {reply.reason}"
        )

    def _target(self, source: Reply, state: Mapping[str, Any], floatx: str = "float32", **more: Any) -> Reply:
        return self.bench.target("train", floatx, state, **{**self.settings, **more})

    # --- outputs and buffers ---

    def _output_figures(self, source: Reply, target: Reply, weights: Mapping[str, Any], row: str) -> Comparison:
        """Training outputs and the state afterwards."""
        tolerance = TABLE["float64"] if row == "float64" else self.check.tolerance("train-forward")
        found = self.check.compare(source, target, tolerance)
        found.add(states_afterwards(self.check.matchings, source, target, weights, tolerance))
        return found

    def judge_gradients(self, source: Reply, target: Reply, weights: Mapping[str, Any]) -> None:
        """Say "gradients" of two replies that carry them."""
        compared = sum(sum(group.values()) for seen, _ in self._graded(source, target) for group in _groups(seen))
        if not compared:
            self.ladder.say(
                Rung.GRADIENTS, Outcome.NOT_APPLICABLE, "no gradient reaches an input or weight in the original"
            )
            return
        self._judge(Rung.GRADIENTS, source, target, weights, self._gradient_figures, {"gradients": float(compared)})

    def _pairs(self, rung: Rung, source: Reply, target: Reply, weights: Mapping[str, Any]) -> Pairs:
        """The arrays that a rung compares, but for states: these follow from what the outputs follow from."""
        if rung is Rung.TRAIN_FORWARD:
            return output_pairs(source, target)
        return self._gradient_pairs(source, target, weights)

    def _gradient_pairs(self, source: Reply, target: Reply, weights: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
        """Name with its batch → gradients of both sides."""
        out = {}
        for a, b in self._graded(source, target):
            for name, pair in self._batch_gradients(a, b, source, target, weights).items():
                out[f"{a['number']} {name}"] = pair
        return out

    def _graded(self, source: Reply, target: Reply) -> list[tuple[dict[str, Any], dict[str, Any]]]:
        """Batches whose gradients say something: a variation whose result is not finite has none."""
        pairs = both_ran(source, target)
        return [(a, b) for a, b in pairs if a["number"] < FIRST or _finite(a["output"], source.arrays)]

    def _batch_gradients(
        self, a: Mapping[str, Any], b: Mapping[str, Any], source: Reply, target: Reply, weights: Mapping[str, Any]
    ) -> dict[str, tuple[Any, Any]]:
        if "grads" not in a:
            return {}
        pairs = _input_gradients(a["number"], a, b, source, target)
        for label, matching in self.check.matchings.items():
            before = numbered(weights, f"w.{label}.")
            pairs |= _weight_gradients(a["number"], label, matching, a, b, source, target, before)
        return pairs

    def _gradient_figures(self, source: Reply, target: Reply, weights: Mapping[str, Any], row: str) -> Comparison:
        tolerance = TABLE["float64-gradients"] if row == "float64" else self.check.tolerance("gradients")
        found = Comparison()
        for a, b in self._graded(source, target):
            pairs = self._batch_gradients(a, b, source, target, weights)
            if a.get("grads", {}).get("estimated"):
                found.notes.add("gradients of the inputs: TensorFlow's own are an estimate where images are turned")
            floor = 1e-3 * max((float(np.max(np.abs(x), initial=0.0)) for x, _ in pairs.values()), default=0.0)
            for name, (x, y) in pairs.items():
                found.add(_named(name, compare_arrays(x, y, tolerance, max(floor, 1e-12))))
                found.leaves += 1
        return found

    # --- judging ---

    def _judge(
        self,
        rung: Rung,
        source: Reply,
        target: Reply,
        weights: Mapping[str, Any],
        figures: Figures,
        more: Mapping[str, float] | None = None,
    ) -> None:
        """Pass as shipped, or with documented gaps removed, or in float64; else fail."""
        found = figures(source, target, weights, "float32")
        detail = f"{len(target.result['batches'])} batches"
        if not found.differences:
            self.ladder.say(rung, Outcome.PASS, detail, found, measured=more or {})
            return
        state = state_arrays(self.check.matchings, weights)
        if self.check.case.gaps and self._gap(rung, source, state, weights, found, figures):
            return
        wide = self._wide(weights, figures)
        if wide is not None and self._runs(rung, found, wide, source, target, weights).is_rounding():
            outcome, detail = self._rounding_verdict(source, weights, found, figures)
            self.ladder.say(rung, outcome, detail, found, measured={"max difference in float64": wide.measured})
            return
        extra = {} if wide is None else {"max difference in float64": wide.measured}
        named = self._wrong_gradients(found, source, target, weights) if rung is Rung.GRADIENTS else ""
        self.ladder.say(rung, Outcome.FAIL, found.first() + self._untold(), found, measured=extra, diverges=named)

    def _untold(self) -> str:
        """Why float64 did not tell whether a difference is rounding, where it was to."""
        stopped = [reply for reply in self._in_float64 or () if reply.status not in ("ok", "infra")]
        return f"; float64, which tells rounding, did not run: {stopped[0].reason}" if stopped else ""

    def _wrong_gradients(self, found: Comparison, source: Reply, target: Reply, weights: Mapping[str, Any]) -> str:
        """Which gradients differ and which agree: what lies between is where the backward pass goes wrong."""
        wrong = dict.fromkeys(d.detail.partition(":")[0] for d in found.differences)
        every = dict.fromkeys(name.partition(" ")[2] for name in self._gradient_pairs(source, target, weights))
        right = [name for name in every if name not in wrong]
        return f"{_listed(wrong)} differ" + (f"; {_listed(right)} agree" if right else "; none agrees")

    def _rounding_verdict(
        self, source: Reply, weights: Mapping[str, Any], shipped: Comparison, figures: Figures
    ) -> tuple[Outcome, str]:
        """A pass, or where removing the documented gaps took most of the difference away, a gap."""
        again = self._without_gaps
        if again is not None and again.status == "ok":
            removed = figures(source, again, weights, "float32")
            if removed.relative < shipped.relative / 2:
                return Outcome.GAP, f"equal but for {', '.join(self.check.case.gaps)} and rounding"
        return Outcome.PASS, "differs by rounding in float32, agrees in float64"

    def _runs(
        self,
        rung: Rung,
        found: Comparison,
        wide: Comparison,
        source: Reply,
        target: Reply,
        weights: Mapping[str, Any],
    ) -> Runs:
        assert self._in_float64 is not None
        double = self._pairs(rung, *self._in_float64, weights)
        shown = target if self._without_gaps is None or self._without_gaps.status != "ok" else self._without_gaps
        single = self._pairs(rung, source, shown, weights)
        floor = 1e-3 * max((float(np.max(np.abs(x), initial=0.0)) for x, _ in double.values()), default=0.0)
        row = "train-forward" if rung is Rung.TRAIN_FORWARD else "gradients"
        tolerance = self.check.tolerance(row)
        moved, shaken = partial(self._moved, rung, weights), partial(self._shaken, rung, weights)
        return Runs(found, wide, single, double, tolerance, max(floor, 1e-12), moved, shaken)

    def _shaken(self, rung: Rung, weights: Mapping[str, Any]) -> Iterator[Pairs]:
        """The source in float64 from weights that are off by float32's rounding."""
        assert self._in_float64 is not None
        for number, amount in enumerate(SHAKES):
            reply = self.bench.source("train", "float64", nudged(weights, amount, number + 1))
            if reply.status == "ok":
                yield self._pairs(rung, reply, self._in_float64[1], weights)

    def _moved(self, rung: Rung, weights: Mapping[str, Any]) -> Pairs | None:
        """The source in float64 from weights moved by a little; both rungs share the run."""
        assert self._in_float64 is not None
        if self._from_moved is None:
            self._from_moved = self.bench.source("train", "float64", nudged(weights))
        if self._from_moved.status != "ok":
            return None
        return self._pairs(rung, self._from_moved, self._in_float64[1], weights)

    def _gap(
        self,
        rung: Rung,
        source: Reply,
        state: Mapping[str, Any],
        weights: Mapping[str, Any],
        shipped: Comparison,
        figures: Figures,
    ) -> bool:
        if self._without_gaps is None:
            self._without_gaps = self._target(source, state, gaps=list(self.check.case.gaps))
        if self._without_gaps.status != "ok":
            return False
        found = figures(source, self._without_gaps, weights, "float32")
        if found.differences:
            return False
        both = {"max difference as shipped": shipped.measured}
        self.ladder.say(rung, Outcome.GAP, f"equal but for {', '.join(self.check.case.gaps)}", found, measured=both)
        return True

    def _wide(self, weights: Mapping[str, Any], figures: Figures) -> Comparison | None:
        """The figures in float64; both rungs share the runs."""
        if self._in_float64 is None:
            source = self.bench.source("train", "float64", weights)
            target = Reply("infra")
            if source.status == "ok" and not _has_float32(source):
                state = state_arrays(self.check.matchings, weights)
                target = self._target(source, state, "float64", gaps=list(self.check.case.gaps))
            self._in_float64 = source, target
        source, target = self._in_float64
        return figures(source, target, weights, "float64") if target.status == "ok" else None


def _finite(output: Mapping[str, Any], arrays: Mapping[str, Any]) -> bool:
    return all(bool(np.isfinite(x).all()) for _, x in leaves(output, arrays) if x.dtype.kind in "fc")


def _has_float32(source: Reply) -> bool:
    """Whether the source casts what it computes: then its float64 run says nothing of rounding."""
    return any(a.dtype == "float32" for name, a in source.arrays.items() if name.startswith("o."))


def states_afterwards(
    matchings: Mapping[str, Matching],
    source: Reply,
    target: Reply,
    weights: Mapping[str, Any],
    tolerance: Tolerance,
) -> Comparison:
    """The mapped state after every call that both sides observed. `weights`: the source's before it; a side
    sends what a call changed and nothing else."""
    found = Comparison()
    for number in (seen["number"] for seen in target.result["batches"]):
        for label, matching in matchings.items():
            before = numbered(weights, f"w.{label}.")
            for pair in matching.pairs:
                ours = {i: source.arrays.get(f"a.{number}.{label}.{i}") for i in pair.source}
                theirs = target.arrays.get(f"a.{number}.{label}.{pair.target}")
                if theirs is None and all(array is None for array in ours.values()):
                    continue
                after: list[Any] = [before[i] if ours.get(i) is None else ours[i] for i in range(len(before))]
                theirs = pair.array(before) if theirs is None else theirs
                figures = compare_arrays(pair.array(after), theirs, tolerance)
                found.add(_named(f"state {pair.target} afterwards", figures))
    return found


def _named(name: str, found: Comparison) -> Comparison:
    found.differences = [Difference("", d.kind, f"{name}: {d.detail}") for d in found.differences]
    return found


def _listed(names: Iterable[str], most: int = 6) -> str:
    shown = list(names)
    return ", ".join(shown[:most]) + (f" and {len(shown) - most} more" if len(shown) > most else "")


def _groups(seen: Mapping[str, Any]) -> list[Mapping[str, bool]]:
    grads = seen.get("grads") or {"inputs": {}, "weights": {}}
    return [grads["inputs"], grads["weights"]]


def _input_gradients(
    number: int, a: Mapping[str, Any], b: Mapping[str, Any], source: Reply, target: Reply
) -> dict[str, tuple[Any, Any]]:
    """Name → (source's, target's) gradients of the float inputs; unconnected is zero."""
    out = {}
    ours, theirs = _groups(a)[0], _groups(b)[0]
    for position, key in enumerate(ours):
        name = f"gi.{number}.{key}"
        if key not in theirs or not (ours[key] or theirs[key]):
            continue
        out[f"gradient of input {position}"] = _or_zero(source.arrays.get(name), target.arrays.get(name))
    return out


def _weight_gradients(
    number: int,
    label: str,
    matching: Matching,
    a: Mapping[str, Any],
    b: Mapping[str, Any],
    source: Reply,
    target: Reply,
    weights: Sequence[Any],
) -> dict[str, tuple[Any, Any]]:
    """The same for the weights, in the target's shapes. Zeros stand for a side that does not train a weight."""
    out = {}
    ours, theirs = _groups(a)[1], _groups(b)[1]
    for pair in matching.pairs:
        trained = [f"{label}.{i}" in ours for i in pair.source]
        if not any(trained) and f"{label}.{pair.target}" not in theirs:
            continue
        parts: list[Any] = list(weights)
        for i in pair.source:
            found = source.arrays.get(f"gw.{number}.{label}.{i}")
            parts[i] = np.zeros_like(weights[i]) if found is None else found
        x = pair.array(parts, gradient=True)
        out[f"gradient of {'' if label == SELF else label + '.'}{pair.target}"] = _or_zero(
            x, target.arrays.get(f"gw.{number}.{label}.{pair.target}")
        )
    return out


def _or_zero(x: Any, y: Any) -> tuple[Any, Any]:
    """None is zero: an unconnected gradient moves nothing."""
    x = np.zeros_like(y) if x is None else x
    return x, (np.zeros_like(x) if y is None else y)
