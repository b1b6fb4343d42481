"""How long a check takes with warm workers, against one that starts its interpreters first.

    python benchmarks/validators.py [--json FILE] [--repeat N]

Cold: both interpreters are started in the sandbox, import their framework and run one case. Warm: the
same case again on the started workers. The cases are small ones of the evaluation sets.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from pathlib import Path

from migrator_validators.cases import Case
from migrator_validators.check import check_case
from migrator_validators.workers import Workers

from migrator import resources
from migrator.evals.task import load_task, reference_cases

CASES = (("mutants", "ops", "huber"), ("mutants", "mlp_fit", "model"), ("mutants", "mlp_fit", "train"))
"""Set, task and case: a function, a model, a training function."""


def chosen() -> list[tuple[str, Path, Case]]:
    """Label, folder and case of what is timed."""
    out = []
    for name, task, wanted in CASES:
        folder = resources.folder("eval_sets") / name / task
        case = next(c for c in reference_cases(load_task(folder)) if c.id == wanted)
        out.append((f"{task}/{wanted} ({case.kind})", folder, case))
    return out


def once(case: Case, folder: Path, workers: Workers) -> float:
    """Seconds of one check."""
    started = time.perf_counter()
    check_case(case, folder / "source", folder / "right", workers)
    return time.perf_counter() - started


def measure(case: Case, folder: Path, repeat: int) -> tuple[float, float]:
    """Seconds of a cold check and the median of `repeat` warm ones."""
    started = time.perf_counter()
    with Workers() as workers:
        once(case, folder, workers)
        cold = time.perf_counter() - started
        warm = statistics.median(once(case, folder, workers) for _ in range(repeat))
    return cold, warm


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--repeat", type=int, default=5)
    args = parser.parse_args()
    rows = {}
    for label, folder, case in chosen():
        cold, warm = measure(case, folder, args.repeat)
        rows[label] = {"cold": round(cold, 3), "warm": round(warm, 3), "ratio": round(warm / cold, 4)}
        print(f"{label:32s} cold {cold:7.2f} s   warm {warm:7.3f} s   warm/cold 1/{cold / warm:.1f}")
    if args.json:
        args.json.write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
