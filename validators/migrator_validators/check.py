"""From a case to verdicts: the ladder of its kind, lowest rung first.

Each rung either lets the next one speak or ends the ladder. The source failing makes the unit
unverifiable; a mistake of ours is an infra-error; neither ever counts as a pass or a fail.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from migrator.errors import UsageError
from migrator.model import InterfaceChange, Outcome, Rung, Verdict
from migrator_validators.bench import Bench, Sides
from migrator_validators.cases import Case, WeightPair
from migrator_validators.constants import check_constant
from migrator_validators.devices import device_verdict
from migrator_validators.kinds import check_data
from migrator_validators.ladder import ORDER, Ladder
from migrator_validators.objects import ObjectCheck
from migrator_validators.programs import check_program
from migrator_validators.training import check_training
from migrator_validators.workers import Tree, Workers, as_tree


@dataclass(frozen=True)
class Checked:
    """The verdicts of a case (iterating gives them), and the resolved weight maps by label ("self": the subject)."""

    case: str
    verdicts: tuple[Verdict, ...]
    weights: tuple[tuple[str, tuple[WeightPair, ...]], ...] = ()
    reached: frozenset[str] = frozenset()  # what ran, as `Workers.take_reached` names it

    def __iter__(self) -> Iterator[Verdict]:
        return iter(self.verdicts)


def check_case(
    case: Case,
    source: Path | Tree,
    target: Path | Tree,
    workers: Workers,
    *,
    keras: int = 3,
    folder: Path = Path(),
    changes: Sequence[InterfaceChange] = (),
    up_to: Rung = Rung.RUNS,
    timeout: float | None = None,
    repro: str = "",
    explain: bool = False,
) -> Checked:
    """Run one case on both trees and climb the ladder of its kind, no higher than `up_to`.

    `explain`: run both sides again after a failure, to say of it where they first differ.

    `folder` is where the case's stored arrays lie; `changes` are the permitted changes of interfaces.
    A case that cannot be made (no size for a dim, a missing file) is an infra-error.
    """
    workers.take_reached()
    ladder = Ladder(case, repro, up_to)
    sides = Sides(as_tree(source), as_tree(target), keras, folder)
    bench = Bench(case, sides, workers, timeout)
    check = ObjectCheck(bench, ladder, changes)
    try:
        if case.kind == "training":
            ladder.verdicts += check_training(case, source, target, workers, folder=folder, keras=keras, repro=repro)
        elif case.kind == "constant":
            check_constant(bench, ladder)
        elif case.kind == "data":
            check_data(bench, ladder)
        elif case.kind == "script":
            check_program(bench, ladder)
        else:
            check.run()
            ladder.explain(check.explained() if explain else "")
        _see_device(bench, ladder)
    except UsageError as error:
        ladder.say(Rung.SOURCE_RUNS, Outcome.INFRA, f"the case cannot be made: {error}")
    maps = tuple((label, matching.explicit()) for label, matching in check.matchings.items())
    return Checked(case.id, tuple(ladder.verdicts), maps, workers.take_reached())


def _see_device(bench: Bench, ladder: Ladder) -> None:
    """Where everything else is equal: whether the code keeps to one device."""
    found = {verdict.outcome for verdict in ladder.verdicts}
    if found <= {Outcome.PASS, Outcome.GAP, Outcome.NOT_APPLICABLE} and ORDER.index(ladder.up_to) > ORDER.index(
        Rung.DEVICE
    ):
        verdict = device_verdict(bench)
        place = sum(ORDER.index(v.rung) < ORDER.index(Rung.DEVICE) for v in ladder.verdicts)
        ladder.verdicts[place:place] = [] if verdict is None else [replace(verdict, repro=ladder.repro)]


def check_import(
    module: str,
    target: Path | Tree,
    workers: Workers,
    *,
    tf_remains: bool = False,
    foreign: Collection[str] = (),
) -> Verdict:
    """Rung "imports" of a module: importing it, where TensorFlow cannot be.

    `foreign`: other libraries that the original imports. One that is not installed says nothing about a rewrite.
    """
    if tf_remains:
        return Verdict(Rung.IMPORTS, Outcome.NOT_APPLICABLE, "units of the original remain in this file")
    reply = workers.run("torch", "tf_script", {"module": module}, tree=as_tree(target))
    if reply.status == "ok":
        return Verdict(Rung.IMPORTS, Outcome.PASS, "TensorFlow is not importable there")
    missing = _MISSING.match(reply.reason)
    if missing is not None and missing.group(1) in foreign:
        advice = "is not installed where PyTorch is (--torch-python), and the original imports it"
        return Verdict(Rung.IMPORTS, Outcome.UNVERIFIABLE, f"{missing.group(1)} {advice}")
    outcome = Outcome.INFRA if reply.status in ("infra", "timeout", "killed") else Outcome.FAIL
    return Verdict(Rung.IMPORTS, outcome, reply.reason)


_MISSING = re.compile(r"ModuleNotFoundError: No module named '(\w+)")
