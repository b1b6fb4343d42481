"""The rungs of what is called with arrays: functions, models and layers."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from migrator.model import InterfaceChange, Outcome, Rung
from migrator_validators import gradients
from migrator_validators.bench import SELF, Bench, both_ran, numbered, refusals, state_arrays, weight_arrays
from migrator_validators.compare import Comparison, Difference, compare_trees, says_something
from migrator_validators.distributions import compare_initial
from migrator_validators.divergence import first_divergence
from migrator_validators.effects import compare_effects, effects_of, shown
from migrator_validators.inputs import varies
from migrator_validators.ladder import Ladder
from migrator_validators.left_behind import added_to_loss, changed, compare_left, left_changed, returns_none, writes
from migrator_validators.matching import Matching, match
from migrator_validators.rounding import Runs, output_pairs
from migrator_validators.signatures import signature_problem
from migrator_validators.tolerances import TABLE, Tolerance
from migrator_validators.variations import FIRST
from migrator_validators.workers import Reply

OTHER_SEED = 1
EXPLAINED = frozenset({Rung.SPEC, Rung.FORWARD, Rung.TRAIN_FORWARD})
"""Failures in what a program computes going forward."""


class ObjectCheck:
    """The rungs of one case that calls something: function, model or layer."""

    def __init__(self, bench: Bench, ladder: Ladder, changes: Sequence[InterfaceChange]) -> None:
        self.bench, self.ladder, self.changes = bench, ladder, changes
        self.case = bench.case
        self.matchings: dict[str, Matching] = {}
        self.settings: dict[str, Any] = {"train_mode": False}
        self.plain = Reply("infra")  # the source's first run

    def explained(self) -> str:
        """Where the sides first differ, after a failure of outputs; "" where that cannot be said."""
        failed = next((v.rung for v in self.ladder.verdicts if v.outcome is Outcome.FAIL), None)
        if failed not in EXPLAINED or self.plain.status != "ok":
            return ""
        training = failed is Rung.TRAIN_FORWARD
        settings = {**self.settings, "train_mode": training or self.settings["train_mode"]}
        weights = weight_arrays(self.plain.arrays)
        return first_divergence(self.bench, self.matchings, "train" if training else "plain", weights, settings)

    def run(self) -> None:
        """Climb until a rung ends it."""
        source = self.plain = self._plain_source()
        if self.ladder.source_failed(source):
            return
        self.bench.measure(source)
        refused = [seen["number"] for seen in source.result["batches"] if "error" in seen]
        self.bench.dropped |= set(refused) - refusals(source).keys()
        ran = len(source.result["batches"]) - len(refused)
        varied = len(self.bench.variations) - sum(n in self.bench.variations for n in refused)
        more = f", {varied} of them variations" if varied else ""
        self.ladder.say(Rung.SOURCE_RUNS, Outcome.PASS, f"{ran} batches{more}")
        if self.ladder.ended:
            return
        if self.bench.also:
            target = self._plain_target(source)
            if target.status == "ok":
                self._pure(source, target)
                return
            self.bench.also = 0  # a function may refuse inputs that ask for gradients
        described = self.bench.target("describe")
        if self.ladder.target_failed(Rung.SPEC, described):
            return
        self.ladder.say(Rung.IMPORTS, Outcome.PASS, "TensorFlow is not importable there")
        self._weights(source, described)
        if self.ladder.ended:
            return
        target = self._plain_target(source)
        if self.ladder.target_failed(Rung.FORWARD, target):
            return
        self._spec(source, target, described)
        for rung in (self._weights_verdict, self._initial):
            if not self.ladder.ended:
                rung(source, described)
        if not self.ladder.ended:
            self._forward(source, target)
        if not self.ladder.ended:
            gradients.TrainingMode(self).run(source)

    def _plain_source(self) -> Reply:
        """The original's plain run; without variations where one of them ends the whole process."""
        reply = self.bench.source("plain")
        if reply.status in ("crashed", "timeout", "infra") and self.bench.variations:
            self.bench.dropped |= set(self.bench.variations)
            reply = self.bench.source("plain")
        return reply

    def _pure(self, source: Reply, target: Reply) -> None:
        """The rungs of a function without objects: one run of each side says it all."""
        self.ladder.say(Rung.IMPORTS, Outcome.PASS, "TensorFlow is not importable there")
        self._spec(source, target, target)
        if not self.ladder.ended:
            self._forward(source, target)
        if not self.ladder.ended:
            gradients.TrainingMode(self).judge_gradients(source, target, {})

    # --- weights ---

    def _weights(self, source: Reply, described: Reply) -> None:
        """Resolve the maps; a failure is said at once, a success after the spec."""
        for label, weights in self.bench.maps().items():
            ours = source.result["objects"].get(label)
            theirs = described.result["objects"].get(label)
            if ours is None or theirs is None or not (ours["weights"] or theirs["state"]):
                continue
            matching = match(weights, ours, theirs)
            if label not in self.case.held or not matching.problems:
                self.matchings[label] = matching
        problems = [p for m in self.matchings.values() for p in m.problems]
        if problems:
            more = f" (and {len(problems) - 3} more)" if len(problems) > 3 else ""
            self.ladder.say(
                Rung.WEIGHTS, Outcome.FAIL, "; ".join(problems[:3]) + more, measured={"problems": float(len(problems))}
            )

    def _weights_verdict(self, source: Reply, described: Reply) -> None:
        if not self.matchings:
            self.ladder.say(Rung.WEIGHTS, Outcome.NOT_APPLICABLE, "no weights")
            return
        pairs = sum(len(m.pairs) for m in self.matchings.values())
        notes = tuple(note for m in self.matchings.values() for note in m.notes)
        how = (
            ", matched by class and order; the forward pass decides"
            if any(m.proposed for m in self.matchings.values())
            else ""
        )
        self.ladder.say(
            Rung.WEIGHTS,
            Outcome.PASS,
            f"{pairs} tensors, nothing left over{how}",
            measured={"tensors": float(pairs)},
            unchecked=notes,
        )

    # --- forward ---

    def _plain_target(self, source: Reply) -> Reply:
        """The target on the same batches; functions that take modules in either mode, whichever the source means."""
        state = state_arrays(self.matchings, source.arrays)
        modes = (False,) if self.bench.subject == "object" or not self.matchings else (False, True)
        reply = Reply("infra")
        for widened in (False, True):
            for mode in modes:
                settings: dict[str, Any] = {"train_mode": mode, "widen": widened}
                reply = self.bench.target("plain", arrays=state, **settings)
                self.settings = settings
                if reply.status == "ok" and not self.compare(source, reply, TABLE["forward"]).differences:
                    return reply
            if reply.status != "error":
                return reply
        return reply

    def tolerance(self, rung: str) -> Tolerance:
        """The row of a rung, or the looser one that the case names with its reason."""
        return TABLE[self.case.tolerance] if self.case.tolerance else TABLE[rung]

    def compare(self, source: Reply, target: Reply, tolerance: Tolerance) -> Comparison:
        """The outputs of every batch that the source ran."""
        found = Comparison()
        refused = refusals(source)
        for seen in target.result["batches"]:
            if "error" in seen or seen["number"] in refused:
                self._refused(seen, refused.get(seen["number"], ""), found)
        half_way = self.bench.dropped | refused.keys()  # what was refused half-way has left something, too
        until = min(half_way, default=math.inf)
        for a, b in both_ran(source, target):
            batch = compare_trees(a["output"], source.arrays, b["output"], target.arrays, tolerance)
            if a["written"] != b["written"]:
                batch.add(writes(bool(b["written"])))
            if a["number"] < until:
                batch.add(compare_left(a["left"], source.arrays, b["left"], target.arrays, tolerance))
            effects = effects_of(a), source.arrays, effects_of(b), target.arrays
            batch.add(compare_effects(*effects, tolerance))
            shown = self._of_variation(a["number"], batch)
            until = min(until, a["number"]) if batch.differences and not shown.differences else until
            found.add(shown)
        return found

    def _refused(self, seen: Mapping[str, Any], refusal: str, found: Comparison) -> None:
        """A variation that only one side refuses; one that runs into what is still TensorFlow says nothing.

        `refusal`: what the original raises by a statement of its own, which is part of what it does.
        """
        varied = self.bench.variations[seen["number"]]
        raises = seen["type"] if "error" in seen else "nothing"
        if raises == "StillTensorFlow":
            found.notes.add(f"{varied.name}: it needs what is still TensorFlow")
        if raises in ("StillTensorFlow", refusal):
            return
        said = f"{raises}: {seen['error']}".strip(": ") if "error" in seen else "it raises nothing"
        raised = Difference("", "value", f"{said} where the original raises {refusal}" if refusal else said)
        found.add(self._of_variation(seen["number"], Comparison(math.inf, 0.0, math.inf, differences=[raised])))

    def _of_variation(self, number: int, batch: Comparison) -> Comparison:
        """What was found in a batch, named where it is of a variation; of a weak one a footnote."""
        varied = self.bench.variations.get(number)
        if varied is None or not batch.differences:
            return batch
        if varied.weak:
            return Comparison(notes={f"{varied.name} among the inputs: the results differ"})
        batch.differences = [Difference(d.path, d.kind, f"{d.detail} (with {varied.name})") for d in batch.differences]
        return batch

    def _spec(self, source: Reply, target: Reply, described: Reply) -> None:
        ours, theirs = source.result["signature"], described.result["signature"]
        problem = signature_problem(ours, theirs, self.case.call, self.changes)
        problem = problem or self._trained(source, described) or left_changed(source, target)
        if problem:
            self.ladder.say(Rung.SPEC, Outcome.FAIL, problem)
            return
        found = self.compare(source, target, self.tolerance("forward"))
        if found.shapes_differ:
            self.ladder.say(Rung.SPEC, Outcome.FAIL, found.first(structural=True))
            return
        found.notes |= added_to_loss(source, target, self.tolerance("forward")).notes
        widened = ("int32 inputs were given as int64",) if self.settings.get("widen") else ()
        figures = {"results": float(found.leaves), **self._counts(source, described)}
        self.ladder.say(
            Rung.SPEC,
            Outcome.PASS,
            "structure, shapes and dtypes agree",
            measured=figures,
            unchecked=(*widened, *sorted(found.notes)),
        )

    def _trained(self, source: Reply, described: Reply) -> str:
        """What an optimizer would be given on one side only; "" where both sides agree on every tensor."""
        if SELF not in self.matchings:
            return ""
        weights = source.result["objects"][SELF]["weights"]
        state = {entry["name"]: entry for entry in described.result["objects"][SELF]["state"]}
        for pair in self.matchings[SELF].pairs:
            ours = any(weights[i]["trainable"] for i in pair.source)
            theirs = state[pair.target]["parameter"] and state[pair.target]["grad"]
            if ours != theirs:
                return (
                    f"{pair.target} is {'' if theirs else 'not '}trained, the original's is{' not' if theirs else ''}"
                )
        return ""

    def _counts(self, source: Reply, described: Reply) -> dict[str, float]:
        if SELF not in self.matchings:
            return {}
        count = sum(_size(w["shape"]) for w in source.result["objects"][SELF]["weights"] if w["trainable"])
        return {"trainable parameters": float(count)}

    def _forward(self, source: Reply, target: Reply) -> None:
        own = [seen for seen in source.result["batches"] if "error" not in seen]
        weak = {number for number, varied in self.bench.variations.items() if varied.weak}
        told = [seen for seen in own if seen["number"] not in weak]
        ours = [
            (tree, source.arrays) for seen in told for tree in (seen["output"], *changed(seen["left"]), *shown(seen))
        ]
        nothing = Outcome.NOT_APPLICABLE if returns_none(own) else Outcome.UNVERIFIABLE
        takes_arrays = any(seen.get("inputs") for seen in source.result["batches"]) or self.bench.subject == "object"
        found = self._forward_figures(source, target)
        if not found.leaves:
            self.ladder.say(Rung.FORWARD, nothing, "it returns nothing that can be compared", found)
        elif found.differences:
            self._differs(found, source, target)
        elif takes_arrays and not says_something(ours, varies(self.case)):
            self.ladder.say(Rung.FORWARD, nothing, "the output does not depend on the input", found)
        elif not self._same_in_training_mode(source):
            detail = "the original predicts in inference mode; this one depends on the mode the model is left in"
            self.ladder.say(Rung.FORWARD, Outcome.FAIL, detail, found)
        else:
            one = () if varies(self.case) else ("other inputs than the one given",)
            self.ladder.say(Rung.FORWARD, Outcome.PASS, f"{len(own)} batches", found, unchecked=one)

    def _same_in_training_mode(self, source: Reply) -> bool:
        """Where the source uses `predict` or `evaluate`, the target must choose evaluation mode itself."""
        if self.bench.subject != "function" or not source.result.get("inference") or not self.matchings:
            return True
        settings = {**self.settings, "train_mode": True}
        reply = self.bench.target("plain", arrays=state_arrays(self.matchings, source.arrays), **settings)
        return reply.status == "ok" and not self.compare(source, reply, TABLE["forward"]).differences

    def _differs(self, found: Comparison, source: Reply, target: Reply) -> None:
        """Values differ: a documented gap, or rounding, which float64 tells from meaning; else a failure."""
        without = self._without_gaps(source)
        if without is not None and not (removed := self._forward_figures(source, without)).differences:
            both_figures = {"max difference as shipped": found.measured}
            detail = f"equal but for {', '.join(self.case.gaps)}"
            self.ladder.say(Rung.FORWARD, Outcome.GAP, detail, removed, measured=both_figures)
            return
        both = self.in_float64()
        wide = None if both is None else self._forward_figures(*both, row="float64")
        more = {} if wide is None else {"max difference in float64": wide.measured}
        if both is not None and wide is not None:
            single, double = output_pairs(source, target), output_pairs(*both)
            if Runs(found, wide, single, double, self.tolerance("forward")).is_rounding():
                detail = "differs by rounding in float32, agrees in float64"
                self.ladder.say(Rung.FORWARD, Outcome.PASS, detail, found, measured=more)
                return
        if self._by_chance(source):
            detail = "a matter of chance: the original gives something else from run to run"
            self.ladder.say(Rung.FORWARD, Outcome.UNVERIFIABLE, detail, found, measured=more)
            return
        self.ladder.say(Rung.FORWARD, Outcome.FAIL, found.first(), found, measured=more)

    def _by_chance(self, source: Reply) -> bool:
        """Whether a function of the original draws what its results depend on, such as first weights of a model that it
        makes itself: from another seed it gives others."""
        if self.bench.subject != "function":
            return False
        other = replace(self.bench, seed=OTHER_SEED, seeds=(OTHER_SEED,))
        again = other.source("plain", arrays=weight_arrays(source.arrays))
        if again.status != "ok":
            return False
        arrays, tolerance = (source.arrays, again.arrays), self.tolerance("forward")
        runs = both_ran(source, again)
        found = [compare_trees(a["output"], arrays[0], b["output"], arrays[1], tolerance) for a, b in runs]
        return any(batch.differences for batch in found)

    def _forward_figures(self, source: Reply, target: Reply, row: str = "") -> Comparison:
        """The outputs, and the state that the calls left behind."""
        found = self.compare(source, target, TABLE[row] if row else self.tolerance("forward"))
        tolerance = TABLE[row] if row else self.tolerance("train-forward")
        weights = weight_arrays(source.arrays)
        found.add(added_to_loss(source, target, TABLE[row] if row else self.tolerance("forward")))
        found.add(gradients.states_afterwards(self.matchings, source, target, weights, tolerance))
        return found

    def _without_gaps(self, source: Reply) -> Reply | None:
        """The target with its documented gaps removed, where it has any."""
        if not self.case.gaps or not self.matchings:
            return None
        settings = {**self.settings, "gaps": list(self.case.gaps)}
        reply = self.bench.target("plain", arrays=state_arrays(self.matchings, source.arrays), **settings)
        return reply if reply.status == "ok" else None

    def in_float64(self) -> tuple[Reply, Reply] | None:
        """Both sides' plain runs in float64, or None where either cannot run so."""
        source = self.bench.source("plain", "float64")
        if source.status != "ok" or not _is_wide(source):
            return None
        settings = {**self.settings, "gaps": list(self.case.gaps)}
        target = self.bench.target("plain", "float64", state_arrays(self.matchings, source.arrays), **settings)
        if target.status != "ok":
            return None
        ran = {a["number"] for a, _ in both_ran(source, target)}
        if any(seen["number"] not in ran for seen in target.result["batches"] if seen["number"] < FIRST):
            return None
        return None if self.compare(source, target, TABLE["float64"]).shapes_differ else (source, target)

    # --- initial values ---

    def _initial(self, source: Reply, described: Reply) -> None:
        if not self.case.init or SELF not in self.matchings:
            return
        checked = 0
        runs = [numbered(source.arrays, f"i.{SELF}.{n}.") for n in range(_runs(source.arrays))]
        for pair in self.matchings[SELF].pairs:
            ours = [pair.array(values) for values in runs]
            theirs = [described.arrays[f"i.{SELF}.{n}.{pair.target}"] for n in range(len(runs))]
            fit = compare_initial(ours, theirs)
            checked += 1
            if not fit.ok:
                figures, limits = {fit.statistic: fit.measured}, {fit.statistic: fit.allowed}
                self.ladder.say(
                    Rung.INIT, Outcome.FAIL, f"{pair.target}: {fit.detail}", measured=figures, allowed=limits
                )
                return
        self.ladder.say(
            Rung.INIT, Outcome.PASS, f"{checked} tensors over {len(runs)} seeds", measured={"tensors": float(checked)}
        )


def _runs(arrays: Mapping[str, Any]) -> int:
    count = 0
    while any(name.startswith(f"i.{SELF}.{count}.") for name in arrays):
        count += 1
    return count


def _size(shape: Sequence[int]) -> int:
    total = 1
    for n in shape:
        total *= n
    return total


def _is_wide(reply: Reply) -> bool:
    """Whether the source really computed in float64: a cast in it would make the repeat worthless."""
    return not any(a.dtype == "float32" for name, a in reply.arrays.items() if name.startswith("o."))
