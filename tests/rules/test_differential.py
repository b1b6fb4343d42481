"""Every sample of every rule: the call text is rewritten, both texts run, the results are compared."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from programs import Program, programs, reasons
from running import with_helpers

from migrator.rules import rulebook
from migrator.rules.engine.records import Rule
from migrator.rules.engine.registry import all_rules
from migrator.rules.engine.samples import Sample, f32

rulebook()
CASES = [
    pytest.param(rule, sample, id=f"{rule.api}-{index}")
    for rule in all_rules()
    for index, sample in enumerate(rule.samples)
]


class Oracle:
    """What TensorFlow says to the call of a sample, run once for each width."""

    def __init__(self, program: Program, sample: Sample) -> None:
        self.program, self.sample = program, sample
        self.answers: dict[bool, Any] = {}
        self.seen: set[str] = set()

    def difference(self, torch_source: str) -> str:
        """What differs between the two programs; float32 first, float64 before it counts."""
        if torch_source in self.seen:
            return ""
        problem = ""
        for wide in (False, True):
            problem = self._at(torch_source, wide)
            if not problem:
                self.seen.add(torch_source)
                return ""
            if "differs by" not in problem:  # not a matter of rounding
                return problem
        return problem

    def _at(self, torch_source: str, wide: bool) -> str:
        from running import difference, in_empty_folder, make, run_tf, run_torch, same_draws, to_numpy

        source, grad = self.program.source, self.sample.grad
        if self.sample.random:
            same_draws()
        arrays = [make(a, seed, wide) for seed, a in enumerate(self.program.arrays.values())]
        if wide not in self.answers:
            self.answers[wide] = in_empty_folder(lambda: run_tf(source, arrays, grad))
        (want, want_grads), want_files = self.answers[wide]
        (have, have_grads), have_files = in_empty_folder(lambda: run_torch(torch_source, arrays, grad))
        if self.sample.random:
            return _same_distribution(want, have)
        files = difference([to_numpy(f) for f in want_files], [to_numpy(f) for f in have_files])
        return difference(want, have) or difference(want_grads, have_grads) or files


def _same_distribution(want: list[Any], have: list[Any]) -> str:
    """Shape, dtype, and the mean, spread and ends of a few thousand draws."""
    for w, h in zip(want, have, strict=True):
        if w.shape != h.shape or (w.dtype != h.dtype and w.dtype.kind == "f"):
            return f"{w.shape} {w.dtype} expected, {h.shape} {h.dtype} found"
        scale = float(w.std()) + 1e-9
        for what, limit in ((np.mean, 0.1), (np.std, 0.1), (np.min, 1.5), (np.max, 1.5)):
            if abs(float(what(w)) - float(what(h))) > limit * scale:
                return f"{what.__name__}: {what(w)} expected, {what(h)} found"
    return ""


@pytest.mark.parametrize(("rule", "sample"), CASES)
def test_sample(rule: Rule, sample: Sample) -> None:
    spellings = programs(rule, sample)
    oracle = Oracle(spellings[0], sample)
    for program in spellings:
        source, made = program.rewritten()
        if sample.declines:
            assert made.declines, f"{program.source}\nwas to be declined, became\n{source}"
            continue
        assert not made.declines, f"{program.source}\n{reasons(made.declines)}"
        problem = oracle.difference(with_helpers(source, made))
        text = f"{program.source}\n{source}\n{problem}"
        assert bool(problem) == bool(sample.gap), text
        if rule.kind == "function" and not sample.gap and program is spellings[0]:
            _without_facts(program, oracle)


EXACT = [case for case in CASES if case.values[0].closes_gaps]  # type: ignore[attr-defined]


@pytest.mark.parametrize(("rule", "sample"), EXACT)
def test_exact_spelling(rule: Rule, sample: Sample) -> None:
    """With `--fidelity exact` nothing differs, known gaps of the other spelling included."""
    for program in programs(rule, sample):
        source, made = program.rewritten(exact=True)
        assert bool(made.declines) == sample.declines, f"{program.source}\n{reasons(made.declines)}"
        problem = "" if sample.declines else Oracle(program, sample).difference(with_helpers(source, made))
        assert not problem, f"{program.source}\n{source}\n{problem}"
        assert not made.notes


def test_a_gap_that_could_be_closed_is_told() -> None:
    program = Program("def f(x, y):\n    return tf.maximum(x, y)\n", {"x": f32(3), "y": f32(3)})
    assert [note.partition(":")[0] for note in program.rewritten()[1].notes] == ["tf.maximum"]


def _without_facts(program: Program, oracle: Oracle) -> None:
    """With nothing known of its arguments, a call is declined or right, or torch refuses it where that is known."""
    source, made = program.rewritten(facts=False)
    if oracle.sample.loud:
        assert not made.declines
        with pytest.raises((RuntimeError, TypeError)):
            oracle.difference(with_helpers(source, made))
    elif not made.declines:
        problem = oracle.difference(with_helpers(source, made))
        assert not problem, f"without facts:\n{program.source}\n{source}\n{problem}"
