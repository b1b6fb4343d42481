"""The rungs of data functions."""

from __future__ import annotations

from migrator.model import Outcome, Rung
from migrator_validators.bench import Bench
from migrator_validators.compare import compare_trees, says_something
from migrator_validators.ladder import Ladder
from migrator_validators.tolerances import TABLE
from migrator_validators.workers import Reply


def check_data(bench: Bench, ladder: Ladder) -> None:
    """Both sides' first batches: structure, then values, lengths, and whether a shuffle was asked for."""
    source = bench.run("source", "tf_data")
    if ladder.source_failed(source):
        return
    ladder.say(Rung.SOURCE_RUNS, Outcome.PASS)
    target = bench.run("target", "torch_data")
    if ladder.target_failed(Rung.BATCHES, target):
        return
    ladder.say(Rung.IMPORTS, Outcome.PASS)
    problem = _unequal(source, target)
    if problem:
        ladder.say(Rung.BATCHES, Outcome.FAIL, problem)
        return
    tolerance = TABLE[bench.case.tolerance or "data"]
    found = compare_trees(source.result["output"], source.arrays, target.result["output"], target.arrays, tolerance)
    if found.shapes_differ:
        ladder.say(Rung.SPEC, Outcome.FAIL, found.first(structural=True))
        return
    ladder.say(Rung.SPEC, Outcome.PASS, unchecked=tuple(sorted(found.notes)))
    if found.differences:
        ladder.say(Rung.BATCHES, Outcome.FAIL, found.first(), found)
    elif not found.leaves or not says_something([(source.result["output"], source.arrays)], False):
        ladder.say(Rung.BATCHES, Outcome.UNVERIFIABLE, "the batches are empty or all the same", found)
    else:
        order = ("the order that a shuffle gives",) if source.result["shuffled"] else ()
        ladder.say(Rung.BATCHES, Outcome.PASS, f"{found.leaves} arrays", found, unchecked=order)


def _unequal(source: Reply, target: Reply) -> str:
    """What differs besides values: lengths that both sides know, and shuffling."""
    for ours, theirs in zip(source.result["lengths"], target.result["lengths"], strict=False):
        if ours is not None and theirs is not None and ours != theirs:
            return f"{theirs} batches instead of {ours}"
    if source.result["shuffled"] != target.result["shuffled"]:
        verb = "does not shuffle" if source.result["shuffled"] else "shuffles"
        return f"the migrated data {verb}, the original {'does' if source.result['shuffled'] else 'does not'}"
    return ""
