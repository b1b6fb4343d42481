"""Verdicts by content: what a case's outcome depends on as one key, and the outcome as JSON.

A verdict may be used again only where nothing that could change it has changed: the case, what it
can reach on either side, its stored arrays, the permitted interface changes and weight records that
speak of what it reaches, the interpreters, and the verifier itself.
"""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from migrator.model import InterfaceChange, Outcome, Rung, Verdict
from migrator_validators.cases import Case, WeightPair
from migrator_validators.check import Checked
from migrator_validators.inputs import arrays_of
from migrator_validators.reach import ReachableCode, Reached, references


@dataclass(frozen=True)
class Setting:
    """What is the same for all cases of a run.

    `folder`: where stored arrays lie. `same`: the interpreters, the verifier and whatever else an
    outcome depends on. `keras`, `up_to`, `changes`: as `check_case` takes them.
    """

    folder: Path
    same: Mapping[str, Any]
    keras: int = 3
    up_to: Rung = Rung.RUNS
    changes: Sequence[InterfaceChange] = ()


def case_key(case: Case, source: ReachableCode, target: ReachableCode, setting: Setting) -> str:
    """The key of a case's outcome; the unit that it speaks for is no part of it."""
    ours, theirs = source.of(references(case, target=False)), target.of(references(case, target=True))
    parts = {
        "case": _relevant(case, theirs).model_copy(update={"unit": ""}).model_dump(mode="json", by_alias=True),
        "arrays": sorted(_stored(case, setting.folder)),
        "changes": [asdict(c) for c in setting.changes if ours.mentions(c.qualname) or theirs.mentions(c.qualname)],
        "source": ours.digest,
        "target": theirs.digest,
        "keras": setting.keras,
        "up to": setting.up_to.value,
        "same": setting.same,
    }
    return digest(parts)


def digest(parts: Mapping[str, Any]) -> str:
    """SHA-256 of a value that JSON can hold."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()


def _relevant(case: Case, reached: Reached) -> Case:
    """The case with only those weight records whose owner the target can make; no other is ever looked at."""
    records = tuple(r for r in case.weights.records if reached.mentions(r.owner))
    return case.model_copy(update={"weights": case.weights.model_copy(update={"records": records})})


def _stored(case: Case, folder: Path) -> Iterator[str]:
    """The content of each array that the case keeps in a file; a missing file is said by the check itself."""
    for ref in {array.npz for array in arrays_of(case) if array.npz is not None}:
        name, _, key = ref.partition("#")
        try:
            with np.load(folder / name, allow_pickle=False) as stored:
                array = stored if isinstance(stored, np.ndarray) else stored[key or stored.files[0]]
            content = hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()
            yield f"{ref} {array.dtype} {array.shape} {content}"
        except (OSError, KeyError, ValueError):
            yield f"{ref} missing"


@functools.cache
def verifier() -> str:
    """Digest of the verifier's own code: another verifier may judge otherwise."""
    found = hashlib.sha256()
    folder = Path(__file__).parent
    for path in sorted(folder.rglob("*.py")):
        found.update(path.relative_to(folder).as_posix().encode() + path.read_bytes())
    return found.hexdigest()


# --- as JSON ---------------------------------------------------------------------------------------------


def finished(checked: Checked) -> bool:
    """Whether the outcome is about the programs: a failure of ours says nothing and is tried again."""
    return all(v.outcome is not Outcome.INFRA for v in checked.verdicts)


def to_json(checked: Checked) -> dict[str, Any]:
    """A checked case as JSON."""
    return {
        "case": checked.case,
        "verdicts": [asdict(v) for v in checked.verdicts],
        "weights": [[label, [pair.model_dump() for pair in pairs]] for label, pairs in checked.weights],
        "reached": sorted(checked.reached),
    }


def from_json(data: Mapping[str, Any]) -> Checked:
    """What `to_json` wrote. Raises KeyError, TypeError or ValueError for anything else."""
    return Checked(
        case=str(data["case"]),
        verdicts=tuple(verdict_from_json(v) for v in data["verdicts"]),
        weights=tuple((label, tuple(WeightPair(**pair) for pair in pairs)) for label, pairs in data["weights"]),
        reached=frozenset(data["reached"]),
    )


def verdict_from_json(data: Mapping[str, Any]) -> Verdict:
    """A verdict from `asdict`, its figures and notes as tuples again."""
    made = Verdict(Rung(data["rung"]), Outcome(data["outcome"]), str(data["detail"]))
    figures = {name: tuple((str(k), float(v)) for k, v in data[name]) for name in ("measured", "allowed")}
    return replace(
        made,
        inputs=data["inputs"],
        unchecked=tuple(data["unchecked"]),
        repro=data["repro"],
        diverges=data["diverges"],
        limit=data["limit"],
        **figures,  # type: ignore[arg-type]
    )
