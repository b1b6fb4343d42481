"""The rungs in training mode: outputs with injected randomness, buffers afterwards, and every gradient."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from migrator.model import Outcome, Rung
from migrator_validators.bench import SELF, numbered, state_arrays, weight_arrays
from migrator_validators.compare import Comparison, Difference, compare_arrays
from migrator_validators.matching import Matching
from migrator_validators.tolerances import TABLE, Tolerance
from migrator_validators.workers import Reply

if TYPE_CHECKING:
    from migrator_validators.objects import ObjectCheck

ROUNDING = 1e3
"""How many times its tolerance a float32 difference may be and still be called rounding."""
Figures = Callable[[Reply, Reply, str], Comparison]


class TrainingMode:
    """One run of both sides in training mode, judged twice: what comes out and stays behind, and gradients."""

    def __init__(self, check: ObjectCheck) -> None:
        self.check, self.bench, self.ladder = check, check.bench, check.ladder
        self.settings = {
            **check.settings,
            "train_mode": check.bench.subject == "object" or bool(check.settings["train_mode"]),
        }

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
            self._judge(Rung.TRAIN_FORWARD, source, target, weights, self._outputs)
        if case.grad and not self.ladder.ended:
            self.judge_gradients(source, target, weights)

    def _source_refuses(self, reply: Reply) -> None:
        ours = reply.status in ("infra", "timeout")
        rung = Rung.TRAIN_FORWARD if self.bench.subject == "object" else Rung.GRADIENTS
        self.ladder.say(
            rung, Outcome.INFRA if ours else Outcome.NOT_APPLICABLE, f"the original in training mode: {reply.reason}"
        )

    def _target(self, source: Reply, state: Mapping[str, Any], floatx: str = "float32", **more: Any) -> Reply:
        return self.bench.target("train", floatx, state, **{**self.settings, **more})

    # --- outputs and buffers ---

    def _outputs(self, source: Reply, target: Reply, row: str) -> Comparison:
        """Training outputs and the state afterwards."""
        tolerance = TABLE["float64"] if row == "float64" else self.check.tolerance("train-forward")
        found = self.check.compare(source, target, tolerance)
        found.add(states_afterwards(self.check.matchings, source, target, tolerance))
        return found

    def judge_gradients(self, source: Reply, target: Reply, weights: Mapping[str, Any]) -> None:
        """Say "gradients" of two replies that carry them."""
        compared = sum(sum(group.values()) for seen in source.result["batches"] for group in _groups(seen))
        if not compared:
            self.ladder.say(
                Rung.GRADIENTS, Outcome.NOT_APPLICABLE, "no gradient reaches an input or weight in the original"
            )
            return
        self._judge(Rung.GRADIENTS, source, target, weights, self._gradient_figures, {"gradients": float(compared)})

    def _gradient_figures(self, source: Reply, target: Reply, row: str) -> Comparison:
        tolerance = TABLE["float64-gradients"] if row == "float64" else self.check.tolerance("gradients")
        found = Comparison()
        for a, b in zip(source.result["batches"], target.result["batches"], strict=True):
            if "grads" not in a:
                continue
            number = a["number"]
            pairs = _input_gradients(number, a, b, source, target)
            for label, matching in self.check.matchings.items():
                pairs |= _weight_gradients(number, label, matching, a, b, source, target)
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
        found = figures(source, target, "float32")
        detail = f"{len(target.result['batches'])} batches"
        if not found.differences:
            self.ladder.say(rung, Outcome.PASS, detail, found, measured=more or {})
            return
        state = state_arrays(self.check.matchings, weights)
        if self.check.case.gaps and self._gap(rung, source, state, found, figures):
            return
        wide = self._wide(weights, figures)
        if wide is not None and not wide.differences and found.relative < ROUNDING:
            self.ladder.say(
                rung,
                Outcome.PASS,
                "differs by rounding in float32, agrees in float64",
                found,
                measured={"max difference in float64": wide.measured},
            )
            return
        extra = {} if wide is None else {"max difference in float64": wide.measured}
        self.ladder.say(rung, Outcome.FAIL, found.first(), found, measured=extra)

    def _gap(self, rung: Rung, source: Reply, state: Mapping[str, Any], shipped: Comparison, figures: Figures) -> bool:
        target = self._target(source, state, gaps=list(self.check.case.gaps))
        if target.status != "ok":
            return False
        found = figures(source, target, "float32")
        if found.differences:
            return False
        both = {"max difference as shipped": shipped.measured}
        self.ladder.say(rung, Outcome.GAP, f"equal but for {', '.join(self.check.case.gaps)}", found, measured=both)
        return True

    def _wide(self, weights: Mapping[str, Any], figures: Figures) -> Comparison | None:
        source = self.bench.source("train", "float64", weights)
        if source.status != "ok" or any(a.dtype == "float32" for n, a in source.arrays.items() if n.startswith("o.")):
            return None
        target = self._target(
            source, state_arrays(self.check.matchings, weights), "float64", gaps=list(self.check.case.gaps)
        )
        return figures(source, target, "float64") if target.status == "ok" else None


def states_afterwards(
    matchings: Mapping[str, Matching], source: Reply, target: Reply, tolerance: Tolerance
) -> Comparison:
    """The mapped state after every call that both sides observed."""
    found = Comparison()
    for number in (seen["number"] for seen in target.result["batches"]):
        for label, matching in matchings.items():
            if f"a.{number}.{label}.0" in source.arrays:
                found.add(_states(number, label, matching, source, target, tolerance))
    return found


def _states(
    number: int, label: str, matching: Matching, source: Reply, target: Reply, tolerance: Tolerance
) -> Comparison:
    """The state after a training call."""
    found = Comparison()
    ours = numbered(source.arrays, f"a.{number}.{label}.")
    for pair in matching.pairs:
        theirs = target.arrays[f"a.{number}.{label}.{pair.target}"]
        found.add(_named(f"state {pair.target} afterwards", compare_arrays(pair.array(ours), theirs, tolerance)))
    return found


def _named(name: str, found: Comparison) -> Comparison:
    found.differences = [Difference("", d.kind, f"{name}: {d.detail}") for d in found.differences]
    return found


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
) -> dict[str, tuple[Any, Any]]:
    """The same for the weights, in the target's shapes. Zeros stand for a side that does not train a weight."""
    out = {}
    ours, theirs = _groups(a)[1], _groups(b)[1]
    weights = numbered(source.arrays, f"a.{number}.{label}.")
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
