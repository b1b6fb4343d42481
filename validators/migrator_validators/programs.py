"""Programs that are run to their end: how they end, and what they print."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from migrator.model import Outcome, Rung
from migrator_validators import printing
from migrator_validators.bench import Bench
from migrator_validators.compare import Comparison, Tree, compare_trees
from migrator_validators.ladder import Ladder
from migrator_validators.printing import is_text
from migrator_validators.tolerances import TABLE
from migrator_validators.workers import Reply

SECONDS = 60.0
"""A program that takes longer is not judged by its end."""
OTHER_SEED = 1


@dataclass
class _Findings:
    """Of what is printed: how much is equal, what differs, and what cannot be compared."""

    equal: int = 0
    total: Comparison = field(default_factory=Comparison)
    wrong: str = ""
    unclear: list[str] = field(default_factory=list)


def check_program(bench: Bench, ladder: Ladder) -> None:
    """Both programs run to their end with the same exit code, and print the same numbers.

    Not compared are numbers that are others in a second run of the original, what is printed after initial values
    of weights were drawn, and other texts. Something of this kind makes the program unverifiable.
    """
    bench.timeout = min(bench.timeout or SECONDS, SECONDS)
    source = _run(bench, "source")
    if source.status in ("timeout", "killed"):
        ladder.say(Rung.SOURCE_RUNS, Outcome.UNVERIFIABLE, f"the original: {source.reason}")
        return
    if ladder.source_failed(source):
        return
    ladder.say(Rung.SOURCE_RUNS, Outcome.PASS, f"exit code {source.result['exit']}")
    target = _run(bench, "target")
    if ladder.target_failed(Rung.RUNS, target):
        return
    codes = source.result["exit"], target.result["exit"]
    if codes[0] != codes[1]:
        ladder.say(Rung.RUNS, Outcome.FAIL, f"exit code {codes[1]} instead of {codes[0]}")
        return
    _say(ladder, _compare(source, _run(bench, "source", OTHER_SEED), target))
    ladder.say(Rung.RUNS, Outcome.PASS, f"exit code {codes[1]}")


def _run(bench: Bench, side: Any, seed: int = 0) -> Reply:
    call = bench.case.call
    ref = call.source if side == "source" else call.target or call.source
    probe = "tf_program" if side == "source" else "torch_program"
    return bench.send(side, probe, {"module": ref.partition(":")[0], "seed": seed})


def _say(ladder: Ladder, found: _Findings) -> None:
    figures = {"values": float(found.equal)}
    if found.wrong:
        ladder.say(Rung.FORWARD, Outcome.FAIL, found.wrong, found.total, measured=figures)
    elif found.unclear:
        equal = f"; equal: {found.equal} values" if found.equal else ""
        detail = f"not compared: {found.unclear[0]}{equal}"
        ladder.say(Rung.FORWARD, Outcome.UNVERIFIABLE, detail, found.total, unchecked=tuple(found.unclear[1:]))
    elif found.equal:
        ladder.say(
            Rung.FORWARD,
            Outcome.PASS,
            f"{found.equal} values that it prints or has at its end",
            found.total,
            measured=figures,
        )


def _compare(source: Reply, again: Reply, target: Reply) -> _Findings:
    """What both sides print and have at their end; `again` is the original once more, with other random numbers."""
    found = _Findings()
    if source.result["more"] or target.result["more"]:
        found.unclear.append("it prints too much")
    _see_printed(found, source, again, target)
    _see_names(found, source, again, target)
    if source.result["drawn"] or target.result["drawn"]:
        found.unclear.append("what it does with weights that it makes itself")
    return found


def _see_printed(found: _Findings, source: Reply, again: Reply, target: Reply) -> None:
    ours, theirs = source.result["printed"], target.result["printed"]
    others = again.result["printed"] if again.status == "ok" else []
    if len(ours) != len(theirs):
        found.unclear.append(f"{len(theirs)} lines instead of {len(ours)}")
        return
    if len(ours) != len(others):
        found.unclear.append("it prints more or less from run to run")
        return
    for one, other, their in zip(ours, others, theirs, strict=True):
        place = f"line {one['line']}"
        if len(one["items"]) != len(their["items"]):
            found.unclear.append(f"{place}: {len(their['items'])} values instead of {len(one['items'])}")
            continue
        drawn = one["drawn"] or their["drawn"]
        for a, b, c in zip(one["items"], other["items"], their["items"], strict=False):
            same = not compare_trees(a, source.arrays, b, again.arrays, TABLE["exact"]).differences
            stable = same and (not drawn or c.get("of") == "sizes")
            _value(found, _Value(f"what {place} of the original prints", a, c, source, target, stable))


def _see_names(found: _Findings, source: Reply, again: Reply, target: Reply) -> None:
    """Numbers that both modules have at their end; what has no value of its own is left to other checks."""
    ours, theirs = source.result["names"], target.result["names"]
    others = again.result["names"] if again.status == "ok" else {}
    drawn = source.result["drawn"] or target.result["drawn"]
    for name in ours:
        trees = [names.get(name) for names in (ours, theirs, others)]
        one, their, other = trees
        if one is None or their is None or other is None or "opaque" in _kinds(one) | _kinds(their) or is_text(one):
            continue
        stable = not drawn and not compare_trees(one, source.arrays, other, again.arrays, TABLE["exact"]).differences
        _value(found, _Value(name, one, their, source, target, stable))


@dataclass(frozen=True)
class _Value:
    """One argument of a `print`, or a variable, on both sides; `stable`: it is no matter of chance."""

    place: str
    ours: Tree
    theirs: Tree
    source: Reply
    target: Reply
    stable: bool

    def compared(self, tolerance: str) -> Comparison:
        return compare_trees(self.ours, self.source.arrays, self.theirs, self.target.arrays, TABLE[tolerance])


def _value(found: _Findings, value: _Value) -> None:
    if is_text(value.ours) and is_text(value.theirs):
        _text(found, value)
        return
    if is_text(value.ours) or is_text(value.theirs) or "opaque" in _kinds(value.ours) | _kinds(value.theirs):
        found.unclear.append(f"{value.place}: something without a value")
        return
    close, far = value.compared("forward"), value.compared("loose")
    if not value.stable:
        what = "shapes differ" if far.shapes_differ else "a matter of chance, or of initial values"
        found.unclear.append(f"{value.place}: {what}")
    elif far.differences:
        found.total.add(far)
        if any(d.kind in ("shape", "value") for d in far.differences):
            found.wrong = found.wrong or f"{value.place}: {far.first()}"
        else:
            found.unclear.append(f"{value.place}: {far.first()}")
    elif close.differences:
        found.unclear.append(f"{value.place}: {close.first()}")
    else:
        found.total.add(replace(close, differences=[]))
        found.equal += close.leaves


def _text(found: _Findings, value: _Value) -> None:
    """Numbers in texts that are the same but for them, to the places that are shown."""
    ours, theirs = (printing.plain(str(side["v"])) for side in (value.ours, value.theirs))
    if ours == theirs and not printing.numbers(ours):
        return
    if not value.stable:
        found.unclear.append(f"{value.place}: a matter of chance, or of initial values")
    elif printing.skeleton(ours) != printing.skeleton(theirs):
        found.unclear.append(f"{value.place}: {_short(theirs)} instead of {_short(ours)}")
    else:
        pairs = list(zip(printing.numbers(ours), printing.numbers(theirs), strict=True))
        if any(not printing.near(a, b, TABLE["loose"].relative) for a, b in pairs):
            found.wrong = found.wrong or f"{value.place}: {_short(theirs)} instead of {_short(ours)}"
        elif any(not printing.near(a, b, TABLE["forward"].relative) for a, b in pairs):
            found.unclear.append(f"{value.place}: {_short(theirs)} instead of {_short(ours)}")
        else:
            found.equal += len(pairs)


def _kinds(tree: Tree) -> set[str]:
    items = tree.get("items", ())
    parts: Iterator[Tree] = iter(items.values() if isinstance(items, dict) else items)
    return {tree["t"]}.union(*map(_kinds, parts))


def _short(text: str) -> str:
    return repr(text if len(text) <= 60 else text[:57] + "...")
