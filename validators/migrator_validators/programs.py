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
    figures = {"printed values": float(found.equal)}
    if found.wrong:
        ladder.say(Rung.FORWARD, Outcome.FAIL, found.wrong, found.total, measured=figures)
    elif found.unclear:
        equal = f"; equal: {found.equal} printed values" if found.equal else ""
        detail = f"of what it prints not compared: {found.unclear[0]}{equal}"
        ladder.say(Rung.FORWARD, Outcome.UNVERIFIABLE, detail, found.total, unchecked=tuple(found.unclear[1:]))
    elif found.equal:
        ladder.say(Rung.FORWARD, Outcome.PASS, f"{found.equal} printed values", found.total, measured=figures)


def _compare(source: Reply, again: Reply, target: Reply) -> _Findings:
    """What both sides print, call by call; `again` is the original once more, with other random numbers."""
    found = _Findings()
    ours, theirs = source.result["printed"], target.result["printed"]
    others = again.result["printed"] if again.status == "ok" else []
    if source.result["more"] or target.result["more"]:
        found.unclear.append("it prints too much")
    if len(ours) != len(theirs):
        found.unclear.append(f"{len(theirs)} lines instead of {len(ours)}")
        return found
    if len(ours) != len(others):
        found.unclear.append("it prints more or less from run to run")
        return found
    for one, other, their in zip(ours, others, theirs, strict=True):
        if len(one["items"]) != len(their["items"]):
            found.unclear.append(f"line {one['line']}: {len(their['items'])} values instead of {len(one['items'])}")
            continue
        drawn = one["drawn"] or their["drawn"]
        for a, b, c in zip(one["items"], other["items"], their["items"], strict=False):
            same = not compare_trees(a, source.arrays, b, again.arrays, TABLE["exact"]).differences
            stable = same and (not drawn or c.get("of") == "sizes")
            _value(found, _Value(one["line"], a, c, source, target, stable))
        if found.wrong:
            break
    return found


@dataclass(frozen=True)
class _Value:
    """One argument of a `print` on both sides; `stable`: it is no matter of chance."""

    line: int
    ours: Tree
    theirs: Tree
    source: Reply
    target: Reply
    stable: bool

    def compared(self, tolerance: str) -> Comparison:
        return compare_trees(self.ours, self.source.arrays, self.theirs, self.target.arrays, TABLE[tolerance])


def _value(found: _Findings, value: _Value) -> None:
    if printing.is_text(value.ours) and printing.is_text(value.theirs):
        _text(found, value)
        return
    if (
        printing.is_text(value.ours)
        or printing.is_text(value.theirs)
        or "opaque" in _kinds(value.ours) | _kinds(value.theirs)
    ):
        found.unclear.append(f"line {value.line}: something without a value")
        return
    close, far = value.compared("forward"), value.compared("loose")
    if not value.stable:
        what = "shapes differ" if far.shapes_differ else "a matter of chance, or of initial values"
        found.unclear.append(f"line {value.line}: {what}")
    elif far.differences:
        found.total.add(far)
        if any(d.kind in ("shape", "value") for d in far.differences):
            found.wrong = f"what line {value.line} of the original prints: {far.first()}"
        else:
            found.unclear.append(f"line {value.line}: {far.first()}")
    elif close.differences:
        found.unclear.append(f"line {value.line}: {close.first()}")
    else:
        found.total.add(replace(close, differences=[]))
        found.equal += close.leaves


def _text(found: _Findings, value: _Value) -> None:
    """Numbers in texts that are the same but for them, to the places that are shown."""
    ours, theirs = (printing.plain(str(side["v"])) for side in (value.ours, value.theirs))
    if ours == theirs and not printing.numbers(ours):
        return
    if not value.stable:
        found.unclear.append(f"line {value.line}: a matter of chance, or of initial values")
    elif printing.skeleton(ours) != printing.skeleton(theirs):
        found.unclear.append(f"line {value.line}: {_short(theirs)} instead of {_short(ours)}")
    else:
        pairs = list(zip(printing.numbers(ours), printing.numbers(theirs), strict=True))
        if any(not printing.near(a, b, TABLE["loose"].relative) for a, b in pairs):
            found.wrong = f"line {value.line} of the original prints {_short(ours)}, the migrated one {_short(theirs)}"
        elif any(not printing.near(a, b, TABLE["forward"].relative) for a, b in pairs):
            found.unclear.append(f"line {value.line}: {_short(theirs)} instead of {_short(ours)}")
        else:
            found.equal += len(pairs)


def _kinds(tree: Tree) -> set[str]:
    items = tree.get("items", ())
    parts: Iterator[Tree] = iter(items.values() if isinstance(items, dict) else items)
    return {tree["t"]}.union(*map(_kinds, parts))


def _short(text: str) -> str:
    return repr(text if len(text) <= 60 else text[:57] + "...")
