"""Seconds per epoch of migrated programs, as ratios to the TensorFlow originals, Keras on torch and migrations by hand.

    python benchmarks/training.py [--threads 2] [--repeat 3]

Every program trains on the same invented data in a process of its own, one after the other, so that a loaded machine is
loaded for all of them. The first epoch (imports, tracing) is not counted; of the others the fastest is.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from migrator import resources, source, steps

LIMIT = 240.0
"""Seconds that one process may take; what takes longer has no figure."""

TIMER = """
import sys, time
import numpy as np
rng = np.random.default_rng(0)
{program}
run(1)
best = float("inf")
for _ in range(int(sys.argv[1])):
    begin = time.perf_counter()
    run(2)
    best = min(best, (time.perf_counter() - begin) / 2)
print("seconds", best)
"""


@dataclass(frozen=True)
class Program:
    """A task of the set `programs` and how it is trained: `run(epochs)`."""

    task: str
    code: str


PROGRAMS = (
    Program(
        "05_bilstm_text",
        """
import sentiment
x = rng.integers(1, 2000, (256, 40)).astype("int32")
x[:, 30:] *= rng.integers(0, 2, (256, 1)).astype("int32")
y = rng.integers(0, 2, 256)
model = sentiment.build_model(2000)
run = lambda epochs: sentiment.train(model, x, y, x[:64], y[:64], epochs=epochs)
""",
    ),
    Program(
        "08_vae_train_step",
        """
import vae
images = rng.random((256, 28, 28, 1)).astype("float32")
model = vae.VAE()
run = lambda epochs: vae.train(model, images, epochs=epochs, batch_size=64)
""",
    ),
)


def main() -> None:
    """Prints a line per program."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeat", type=int, default=3)
    options = parser.parse_args()
    print("program | original s | migrated / original | migrated / Keras on torch | migrated / by hand")
    with tempfile.TemporaryDirectory(prefix="migrator-benchmark-") as folder:
        for program in PROGRAMS:
            print(_line(program, Path(folder) / program.task, options), flush=True)


def _line(program: Program, scratch: Path, options: argparse.Namespace) -> str:
    task = resources.folder("eval_sets") / "programs" / program.task
    migrated = _migrated(task / "source", scratch)
    original = _seconds(program, task / "source", options)
    ours = _seconds(program, migrated, options)
    on_torch = _seconds(program, task / "source", options, KERAS_BACKEND="torch")
    by_hand = _seconds(program, task / "reference", options)
    first = "-" if original is None else f"{original:.2f}"
    return " | ".join([program.task, first, *_ratios(ours, original, on_torch, by_hand)])


def _ratios(ours: float | None, *others: float | None) -> Iterator[str]:
    for other in others:
        yield "-" if ours is None or other is None else f"{ours / other:.2f}"


def _migrated(folder: Path, out: Path) -> Path:
    """What the rules write; it is not checked here."""
    repo = source.read(folder, (), ())
    draft = steps.rewrite(repo, steps.know(repo), lambda *_: None)
    out.mkdir(parents=True)
    for path, file in draft.render({}).items():
        (out / path).write_text(file.text, encoding="utf-8")
    return out


def _seconds(program: Program, folder: Path, options: argparse.Namespace, **extra: str) -> float | None:
    """The fastest epoch; None where the program does not run."""
    threads = str(options.threads)
    names = ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS")
    env = {**os.environ, **dict.fromkeys(names, threads), "PYTHONPATH": str(folder), "TF_CPP_MIN_LOG_LEVEL": "3"}
    script = TIMER.replace("{program}", program.code)
    command = [sys.executable, "-c", script, str(options.repeat)]
    try:
        done = subprocess.run(command, env=env | extra, capture_output=True, text=True, timeout=LIMIT, check=False)
    except subprocess.TimeoutExpired:
        return None
    found = [line.split()[1] for line in done.stdout.splitlines() if line.startswith("seconds ")]
    return float(found[0]) if found else None


if __name__ == "__main__":
    main()
