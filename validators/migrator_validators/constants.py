"""The rungs of values: one that a case names, or all that a group of statements binds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from migrator.model import Outcome, Rung
from migrator_validators.bench import Bench
from migrator_validators.compare import Comparison, compare_trees
from migrator_validators.ladder import Ladder
from migrator_validators.tolerances import TABLE
from migrator_validators.workers import Reply

OTHER_SEED = 1


def check_constant(bench: Bench, ladder: Ladder) -> None:
    """A value of both modules."""
    if bench.case.names:
        _check_names(bench, ladder)
        return
    source = bench.source("plain")
    if ladder.source_failed(source):
        return
    ladder.say(Rung.SOURCE_RUNS, Outcome.PASS)
    target = bench.target("plain")
    if ladder.target_failed(Rung.SPEC, target):
        return
    ladder.say(Rung.IMPORTS, Outcome.PASS)
    tolerance = TABLE[bench.case.tolerance or "constant"]
    found = compare_trees(source.result["output"], source.arrays, target.result["output"], target.arrays, tolerance)
    if found.shapes_differ:
        ladder.say(Rung.SPEC, Outcome.FAIL, found.first(structural=True))
    elif not found.leaves:
        ladder.say(Rung.FORWARD, Outcome.UNVERIFIABLE, "it is nothing that can be compared", found)
    else:
        ladder.say(Rung.SPEC, Outcome.PASS)
        ladder.say(Rung.FORWARD, Outcome.FAIL if found.differences else Outcome.PASS, found.first(), found)


def _check_names(bench: Bench, ladder: Ladder) -> None:
    """Every name that both modules bind to something that has a value; what draws random numbers has none.

    A pass means that all of them were compared; else other checks have to speak for the rest.
    """
    source = bench.source("plain")
    if source.status != "ok":
        ladder.say(Rung.SOURCE_RUNS, Outcome.UNVERIFIABLE, f"the original: {source.reason}")
        return
    target = bench.target("plain")
    if target.status != "ok":
        ladder.say(Rung.IMPORTS, Outcome.UNVERIFIABLE, f"the migrated module: {target.reason}")
        return
    found = {name: one for name, one in _by_name(source, target).items() if one is not None}
    if any(one.differences for one in found.values()):
        found = {name: one for name, one in found.items() if not one.differences or not _is_random(bench, source, name)}
    compared = {name: one for name, one in found.items() if one.leaves}
    total = Comparison()
    for name, one in found.items():
        total.add(Comparison(one.measured, one.allowed, one.relative, one.leaves, one.differences))
        if one.differences:
            ladder.say(Rung.FORWARD, Outcome.FAIL, f"{name}: {one.first()}", total)
            return
    rest = [name for name in bench.case.names if name not in compared]
    if rest:
        said = f"{', '.join(rest)} cannot be compared by value"
        also = f"; equal: {', '.join(compared)}" if compared else ""
        ladder.say(Rung.FORWARD, Outcome.UNVERIFIABLE, said + also, total)
    else:
        ladder.say(Rung.FORWARD, Outcome.PASS, f"equal: {', '.join(compared)}", total)


def _by_name(source: Reply, target: Reply) -> dict[str, Comparison | None]:
    """What differs by name; None for one that a side does not have, or that is a thing on either side."""
    ours, theirs = source.result["output"]["items"], target.result["output"]["items"]
    return {
        name: None
        if name not in theirs or _has_thing(ours[name]) or _has_thing(theirs[name])
        else compare_trees(ours[name], source.arrays, theirs[name], target.arrays, TABLE["constant"])
        for name in ours
    }


def _has_thing(tree: Mapping[str, Any]) -> bool:
    """Is there a model, a function or the like in it, which has no value of its own?"""
    items = tree.get("items", ())
    parts = items.values() if isinstance(items, Mapping) else items
    return tree["t"] == "opaque" or any(map(_has_thing, parts))


def _is_random(bench: Bench, first: Reply, name: str) -> bool:
    """Whether the original itself gives another value under another seed."""
    bench.seed = OTHER_SEED
    again = bench.source("plain")
    bench.seed = 0
    if again.status != "ok" or name not in again.result["output"]["items"]:
        return False
    one, other = first.result["output"]["items"][name], again.result["output"]["items"][name]
    return bool(compare_trees(one, first.arrays, other, again.arrays, TABLE["exact"]).differences)
