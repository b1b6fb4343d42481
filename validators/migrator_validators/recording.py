"""Recorded calls: the source program is run for a short while, and its calls become cases.

`record` runs the entry points in a sandboxed worker; `cases` turns what they did into `Case` values.
"""

from __future__ import annotations

import ast
import json
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from migrator_validators.cases import Case
from migrator_validators.workers import Arrays, Reply, Side, Workers, pack_tree

SECONDS = 90.0
BUDGET = 600.0
"""Seconds for one entry point, and for all of them."""


@dataclass(frozen=True)
class RecordedCall:
    """One call of the source program.

    `name` is "module:qualname". `on`, `args`, `kwargs` are argument trees as `cases.Arg` in JSON,
    where "made" refers to an earlier call by `label` (and `path` into its result), "spec" is a
    symbolic tensor and "opaque" something without a recipe. `result` describes the result without its
    values. `steps`: optimizer steps made inside. `uses`: inputs that a made model or layer was called
    with. `raised`: name of the exception it ended with. `params`: its parameter names, in order. `again`: it is like
    an earlier one, and known only for the object that it made. `left`: it changed plain attributes of its object, or
    containers that it was given.
    """

    label: str
    name: str
    on: dict[str, Any] | None
    args: tuple[dict[str, Any], ...]
    kwargs: dict[str, dict[str, Any]]
    params: tuple[str, ...]
    parent: str | None
    steps: int
    uses: tuple[dict[str, Any], ...]
    result: dict[str, Any] | None
    raised: str | None
    again: bool = False
    left: bool = False


@dataclass(frozen=True)
class Recording:
    """All calls of all entry points, the arrays they refer to, what was printed and how each run ended.

    `scripts`: modules whose own top-level code trains and can be run again as a whole.
    """

    calls: tuple[RecordedCall, ...] = ()
    arrays: Arrays = field(default_factory=dict)
    stdout: str = ""
    error: str = ""
    scripts: tuple[str, ...] = ()

    def inside(self) -> dict[str, tuple[str, ...]]:
        """For each callable the recorded ones that it ran inside of, the nearest first."""
        by_label = {call.label: call for call in self.calls}
        found: dict[str, dict[str, None]] = {}
        for call in self.calls:
            above = found.setdefault(call.name, {})
            parent = call.parent
            while parent is not None and parent in by_label:
                above[by_label[parent].name] = None
                parent = by_label[parent].parent
        return {name: tuple(above) for name, above in found.items()}

    def save(self, folder: Path) -> None:
        """Write `recording.json` and `recording.npz`."""
        folder.mkdir(parents=True, exist_ok=True)
        ends = {"stdout": self.stdout, "error": self.error, "scripts": self.scripts}
        data = {"calls": [asdict(c) for c in self.calls], **ends}
        (folder / "recording.json").write_text(json.dumps(data, indent=1), encoding="utf-8")
        np.savez(folder / "recording.npz", **self.arrays)  # type: ignore[arg-type]

    @classmethod
    def load(cls, folder: Path) -> Recording:
        """Read what `save` wrote."""
        data = json.loads((folder / "recording.json").read_text(encoding="utf-8"))
        with np.load(folder / "recording.npz", allow_pickle=False) as stored:
            arrays = dict(stored)
        return cls(
            tuple(_call(c, "") for c in data["calls"]), arrays, data["stdout"], data["error"], tuple(data["scripts"])
        )


def entry_points(tree: Path) -> tuple[str, ...]:
    """Files that do something when run: a `__main__` guard, or calls and loops at top level. Tests are left out."""
    found = []
    for path in sorted(tree.rglob("*.py")):
        relative = path.relative_to(tree)
        names = [*relative.parts[:-1], relative.stem]
        if any(n.startswith((".", "test_", "tests")) or n in ("setup", "conftest") for n in names):
            continue
        try:
            module = ast.parse(path.read_bytes())
        except (SyntaxError, ValueError):
            continue
        rank = _effects(module)
        if rank:
            found.append((-rank, relative.as_posix()))
    return tuple(name for _, name in sorted(found))


def _effects(module: ast.Module) -> int:
    """2 for a `__main__` guard, 1 for other effects at top level, 0 for none."""
    if any(isinstance(s, ast.If) and "__name__" in ast.unparse(s.test) for s in module.body):
        return 2
    loops = any(isinstance(s, ast.For | ast.While | ast.With) for s in module.body)
    calls = any(isinstance(s, ast.Expr) and isinstance(s.value, ast.Call) for s in module.body)
    return 1 if loops or calls else 0


def record(
    tree: Path,
    workers: Workers,
    *,
    entries: Sequence[str] | None = None,
    argv: Sequence[str] = (),
    modules: Mapping[str, str] | None = None,
    keras: int = 3,
    seconds: float = SECONDS,
    budget: float = BUDGET,
    package: str = "",
    roots: tuple[str, ...] = ("",),
    foreign: Iterable[str] = (),
) -> Recording:
    """Run the entry points of a source tree (all that `entry_points` finds by default), each in its own worker.

    `modules` gives the import name of a file where it is not its path; `package`, `roots` and `foreign`
    are those of `pack_tree`. No entry is begun after `budget` seconds. Failures of the program are
    part of the answer: `error` says in a line per entry how it ended, if not well.
    """
    packed, prefix = pack_tree(tree, package, roots, foreign=foreign), f"{package}/" if package else ""
    names = {prefix + path: name for path, name in (modules or {}).items()}
    started = time.monotonic()
    side: Side = "tf2" if keras == 2 else "tf"
    calls: list[RecordedCall] = []
    arrays: Arrays = {}
    output, errors, scripts = [], [], []
    for number, entry in enumerate(entry_points(tree) if entries is None else entries):
        if time.monotonic() - started > budget:
            errors.append(f"{entry}: not run, the time for recording was over")
            continue
        request = {"entry": prefix + entry, "argv": list(argv), "modules": names, "seconds": seconds}
        reply = workers.run(side, "recorder", request, tree=packed, timeout=seconds + 20)
        mark = f"e{number}."
        calls += [_call(c, mark) for c in reply.result.get("calls", ())]
        arrays.update({mark + name: value for name, value in reply.arrays.items()})
        output.append(reply.output)
        errors.append(_ending(entry, reply))
        scripts += [reply.result["module"]] if reply.result.get("trains") else []
    return Recording(tuple(calls), arrays, "".join(output), "\n".join(e for e in errors if e), tuple(scripts))


def _ending(entry: str, reply: Reply) -> str:
    if reply.status != "ok":
        return f"{entry}: {reply.reason}"
    error = reply.result.get("error")
    return f"{entry}: {error['type']}: {error['message']} {error['where']}".strip() if error else ""


def _call(data: Mapping[str, Any], mark: str) -> RecordedCall:
    """A call from JSON; labels and array names get the entry's mark."""

    def marked(tree: Any) -> Any:
        if isinstance(tree, list | tuple):
            return [marked(t) for t in tree]
        if not isinstance(tree, dict):
            return tree
        out = {key: marked(value) for key, value in tree.items()}
        kind = tree.get("kind")
        if kind == "made":
            out["label"] = mark + tree["label"]
        if kind == "array":
            out["npz"] = mark + tree["npz"]
        return out

    return RecordedCall(
        label=mark + data["label"],
        name=data["name"],
        on=marked(data["on"]),
        args=tuple(marked(data["args"])),
        kwargs=marked(data["kwargs"]),
        params=tuple(data["params"]),
        parent=mark + data["parent"] if data["parent"] else None,
        steps=data["steps"],
        uses=tuple(marked(data["uses"])),
        result=data["result"],
        raised=data["raised"],
        again=data.get("again", False),
        left=data.get("left", False),
    )


def cases(recording: Recording, folder: Path) -> tuple[Case, ...]:
    """The cases that a recording gives (see `recorded_cases.cases`)."""
    from migrator_validators import recorded_cases

    return recorded_cases.cases(recording, folder)
