"""Every sample of every rule: the call text is rewritten, both texts run, the results are compared."""

from __future__ import annotations

import pytest
from programs import Program, programs, reasons

from migrator.rules import rulebook
from migrator.rules.engine.records import Rule
from migrator.rules.engine.registry import all_rules
from migrator.rules.engine.samples import Sample

rulebook()
CASES = [
    pytest.param(rule, sample, id=f"{rule.api}-{index}")
    for rule in all_rules()
    for index, sample in enumerate(rule.samples)
]


def compare(program: Program, sample: Sample, torch_source: str) -> str:
    """What differs between the two programs; float32 first, float64 before it counts."""
    from running import difference, make, run_tf, run_torch

    problem = ""
    for wide in (False, True):
        arrays = [make(a, seed, wide) for seed, a in enumerate(program.arrays.values())]
        want, want_grads = run_tf(program.source, arrays, sample.grad)
        have, have_grads = run_torch(torch_source, arrays, sample.grad)
        if sample.random:
            want, have = [w.astype("float64") * 0 for w in want], [h.astype("float64") * 0 for h in have]
        problem = difference(want, have) or difference(want_grads, have_grads)
        if not problem:
            return ""
    return problem


@pytest.mark.parametrize(("rule", "sample"), CASES)
def test_sample(rule: Rule, sample: Sample) -> None:
    for program in programs(rule, sample):
        source, made = program.rewritten()
        if sample.declines:
            assert made.declines, f"{program.source}\nwas to be declined, became\n{source}"
            continue
        assert not made.declines, f"{program.source}\n{reasons(made.declines)}"
        problem = compare(program, sample, _with_helpers(source, made))
        text = f"{program.source}\n{source}\n{problem}"
        assert not problem if not sample.gap else problem, text
        if rule.kind == "function":
            _without_facts(program, sample)


def _without_facts(program: Program, sample: Sample) -> None:
    """With nothing known of its arguments, a call is declined or right."""
    source, made = program.rewritten(facts=False)
    if made.declines or sample.gap:
        return
    problem = compare(program, sample, _with_helpers(source, made))
    assert not problem, f"without facts:\n{program.source}\n{source}\n{problem}"


def _with_helpers(source: str, made: object) -> str:
    helpers = getattr(made, "helpers", ())
    imports = "\n".join(line for h in helpers for line in h.imports)
    return "\n".join([imports, source, *(h.source for h in helpers)])
