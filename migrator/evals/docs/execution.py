"""Many programs in few workers; what ends a worker is found and judged alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from migrator_validators.workers import Arrays, Side, Workers

BATCH = 40
SECONDS = 15.0
_GLOBAL = ("tf.config.", "set_floatx", "set_image_data_format", "global_policy", "enable_", "disable_", "clear_session")


@dataclass(frozen=True)
class Ran:
    """What one program bound: encoded `values` by name over `arrays`, or its `error`."""

    values: Mapping[str, Any] = field(default_factory=dict)
    arrays: Arrays = field(default_factory=dict)
    error: Mapping[str, str] | None = None
    notes: tuple[str, ...] = ()


def execute(side: Side, texts: Mapping[str, str], workers: Workers, jobs: int, seed: int = 0) -> dict[str, Ran]:
    """Run every program on one side. Those that change settings of the process run alone."""
    alone = [name for name, text in texts.items() if any(word in text for word in _GLOBAL)]
    together = [name for name in texts if name not in set(alone)]
    batches = [together[i : i + BATCH] for i in range(0, len(together), BATCH)] + [[name] for name in alone]
    with ThreadPoolExecutor(max(jobs, 1)) as pool:
        parts = pool.map(lambda names: _batch(side, names, texts, workers, seed), batches)
        return {name: ran for part in parts for name, ran in part.items()}


def execute_alone(side: Side, texts: Mapping[str, str], workers: Workers, jobs: int, seed: int = 0) -> dict[str, Ran]:
    """Run every program in a worker of its own."""
    with ThreadPoolExecutor(max(jobs, 1)) as pool:
        parts = pool.map(lambda name: _batch(side, [name], texts, workers, seed), texts)
        return {name: ran for part in parts for name, ran in part.items()}


def _batch(side: Side, names: Sequence[str], texts: Mapping[str, str], workers: Workers, seed: int) -> dict[str, Ran]:
    if not names:
        return {}
    request = {"programs": {name: texts[name] for name in names}, "seconds": SECONDS, "seed": seed}
    probe = "torch_snippets" if side == "torch" else "tf_snippets"
    reply = workers.run(side, probe, request, timeout=SECONDS * (len(names) + 1) + 60)
    if reply.status == "ok":
        return {name: _ran(found, reply.arrays) for name, found in reply.result["programs"].items()}
    guilty = _last_started(reply.output, names)
    alone = Ran(error={"type": "timeout" if _HUNG in reply.reason else reply.status, "message": reply.reason})
    return {guilty: alone, **_batch(side, [name for name in names if name != guilty], texts, workers, seed)}


_HUNG = "exited with code 1"  # as faulthandler ends a worker whose time is over


def _last_started(output: str, names: Sequence[str]) -> str:
    """The program that ran when the worker ended; every worker names a program before it runs it."""
    started = [line.removeprefix(_MARK) for line in output.splitlines() if line.startswith(_MARK)]
    return next((name for name in reversed(started) if name in names), names[0])


_MARK = "running: "


def _ran(found: Mapping[str, Any], arrays: Arrays) -> Ran:
    notes = tuple(found.get("random", {}).get("notes", ()))
    return Ran(found.get("values", {}), arrays, found.get("error"), notes)
