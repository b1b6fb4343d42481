"""Seconds per epoch of migrated programs, as ratios to the TensorFlow originals, Keras on torch and migrations by hand.

    python benchmarks/training.py [--threads 2] [--repeat 3] [--rounds 3]

Every program trains on the same invented data in a process of its own, one after the other, in several rounds, so that
a loaded machine is loaded for all of them. The first epoch (imports, tracing) is not counted; of the others, over all
rounds, the fastest is.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from migrator import source, steps

ROOT = Path(__file__).resolve().parent.parent

LIMIT = 240.0
"""Seconds that one process may take; what takes longer has no figure."""

TIMER = """
import sys, tempfile, time
import numpy as np
side = sys.argv[2]
rng = np.random.default_rng(0)

def batches(*arrays, size=32):
    "The same batches for either side, in the same order every epoch."
    if side == "original":
        import tensorflow as tf
        data = arrays if len(arrays) > 1 else arrays[0]
        return tf.data.Dataset.from_tensor_slices(data).batch(size)
    import torch
    rows = [[torch.as_tensor(a[i : i + size]) for a in arrays] for i in range(0, len(arrays[0]), size)]
    return [tuple(row) if len(row) > 1 else row[0] for row in rows]

class Passes:
    "Data that notes when a pass over it begins: for a program that can be called once only."

    def __init__(self, data):
        self.data, self.begun = data, []

    def __iter__(self):
        self.begun.append(time.perf_counter())
        return iter(self.data)

passes = None
{program}
repeat = int(sys.argv[1])
if passes is None:
    run(1)
    times = []
    for _ in range(repeat):
        begin = time.perf_counter()
        run(2)
        times.append((time.perf_counter() - begin) / 2)
else:
    run(2 * repeat + 2)
    times = np.diff(passes.begun)[1:]
print("seconds", min(times))
"""


@dataclass(frozen=True)
class Program:
    """How a folder of `root` (the first word of `name`) is trained: `run(epochs)`, as the interface of `side` asks.

    `side`: "original", "migrated" or "hand". Where `run` works once only, `passes` notes the epochs.
    """

    name: str
    code: str
    root: str = "eval_sets/programs"

    @property
    def source(self) -> Path:
        return self.folder / "source" if self.root == "eval_sets/programs" else self.folder

    @property
    def folder(self) -> Path:
        return ROOT / self.root / self.name.split(" ")[0]


PROGRAMS = (
    Program(
        "02_sequential_cnn",
        """
import digits
x, y = rng.random((512, 28, 28, 1)).astype("float32"), rng.integers(0, 10, 512)
model = digits.build_model()
run = lambda epochs: digits.train(model, x, y, x[:64], y[:64], batch_size=64, epochs=epochs)
""",
    ),
    Program(
        "03_functional_resnet",
        """
import resnet
x, y = rng.random((128, 32, 32, 3)).astype("float32"), np.eye(10, dtype="float32")[rng.integers(0, 10, 128)]
model = resnet.build_resnet()
data = batches(x, y)
if side == "hand":
    optimizer = resnet.make_optimizer(model)
    run = lambda epochs: resnet.train(model, optimizer, data, epochs=epochs)
else:
    resnet.compile_model(model)
    run = lambda epochs: resnet.train(model, data, epochs=epochs)
""",
    ),
    Program(
        "04_subclassed_custom_layer",
        """
import crossnet
x, y = rng.random((2048, 24)).astype("float32"), rng.random((2048, 1)).astype("float32")
model = crossnet.CrossNet(24)
run = lambda epochs: crossnet.train(model, x, y, epochs=epochs)
""",
    ),
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
        "06_gru_seq2seq_tape",
        """
import translator
texts = [rng.integers(3, 60, (128, 12)).astype("int64") for _ in range(2)]
trained = translator.Translator(60)
data = batches(*texts)
run = lambda epochs: trained.fit(data, epochs)
""",
    ),
    Program(
        "07_transformer_schedule",
        """
import tagger
x = rng.integers(1, 500, (256, 24)).astype("int64")
x[:, 18:] *= rng.integers(0, 2, (256, 1))
y = rng.integers(0, 6, (256, 24)) * (x > 0)
model = tagger.Tagger(vocab_size=500, num_labels=6, maxlen=24)
data = batches(x, y)
if side == "original":
    optimizer = tagger.make_optimizer()
    run = lambda epochs: tagger.train(model, optimizer, data, epochs=epochs)
elif side == "migrated":
    optimizer = tagger.make_optimizer(model)
    run = lambda epochs: tagger.train(model, optimizer, data, epochs=epochs)
else:
    optimizer, scheduler = tagger.make_optimizer(model)
    run = lambda epochs: tagger.train(model, optimizer, scheduler, data, epochs=epochs)
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
    Program(
        "09_gan_two_optimizers",
        """
import gan
images = rng.random((128, 28, 28, 1)).astype("float32") * 2 - 1
trained = gan.GAN(gan.make_generator(), gan.make_discriminator())
data = batches(images)
run = lambda epochs: trained.train(data, epochs)
""",
    ),
    Program(
        "11_callbacks_fit",
        """
import tabular
x, y = rng.random((1024, 20)).astype("float32"), rng.integers(0, 3, 1024)
model = tabular.build_model(20, 3)
path = tempfile.mkdtemp() + ("/best.weights.h5" if side == "original" else "/best.pt")
run = lambda epochs: tabular.train(model, x, y, path, epochs=epochs)
""",
    ),
    Program(
        "11_callbacks_fit finetune",
        """
import tabular
x, y, w = rng.random((1024, 20)).astype("float32"), rng.integers(0, 3, 1024), rng.random(1024).astype("float32")
model = tabular.build_model(20, 3)
run = lambda epochs: tabular.finetune(model, x, y, w, epochs=epochs)
""",
    ),
    Program(
        "digits fit",
        """
from digits import data, model as models, train
x, y = data.load_digits(512)
model = models.build_model()
run = lambda epochs: train.train(model, x, y, x[:64], y[:64], epochs=epochs)
""",
        root="examples",
    ),
    Program(
        "digits own loop",
        """
from digits import data, model as models, train_custom
x, y = data.load_digits(512)
model = models.build_model()
passes = Passes(data.make_dataset(x, y, 32, training=True))
run = lambda epochs: train_custom.train(model, passes, epochs=epochs)
""",
        root="examples",
    ),
)


def main() -> None:
    """Prints a line per program."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default="", help="programs with this in their name")
    parser.add_argument("--why", action="store_true", help="say why a program did not run")
    options = parser.parse_args()
    print("program | original s | migrated / original | migrated / Keras on torch | migrated / by hand")
    with tempfile.TemporaryDirectory(prefix="migrator-benchmark-") as folder:
        for program in PROGRAMS:
            if options.only in program.name:
                print(_line(program, Path(folder) / program.name.replace(" ", "_"), options), flush=True)


def _line(program: Program, scratch: Path, options: argparse.Namespace) -> str:
    migrated = _migrated(program.source, scratch)
    sides = (
        _Side("original", program.source),
        _Side("migrated", migrated),
        _Side("original", program.source, "torch"),
        _Side("hand", program.folder / "reference"),
    )
    rounds = [[_seconds(program, side, options) for side in sides] for _ in range(options.rounds)]
    original, ours, on_torch, by_hand = (_best(times) for times in zip(*rounds, strict=True))
    first = "-" if original is None else f"{original:.2f}"
    return " | ".join([program.name, first, *_ratios(ours, original, on_torch, by_hand)])


@dataclass(frozen=True)
class _Side:
    """One of the programs that are compared: its interface, where it lies, the backend of Keras if it is set."""

    name: str
    folder: Path
    backend: str = ""


def _best(times: Iterable[float | None]) -> float | None:
    return min((t for t in times if t is not None), default=None)


def _ratios(ours: float | None, *others: float | None) -> Iterator[str]:
    for other in others:
        yield "-" if ours is None or other is None else f"{ours / other:.2f}"


def _migrated(folder: Path, out: Path) -> Path:
    """What the rules write, and beside it what needs no change; it is not checked here."""
    shutil.copytree(folder, out)
    repo = source.read(folder, (), ())
    draft = steps.rewrite(repo, steps.know(repo), lambda *_: None)
    for path, file in draft.render({}).items():
        (out / path).parent.mkdir(parents=True, exist_ok=True)
        (out / path).write_text(file.text, encoding="utf-8")
    return out


def _seconds(program: Program, side: _Side, options: argparse.Namespace) -> float | None:
    """The fastest epoch; None where there is no such side, or the program does not run."""
    if not side.folder.is_dir():
        return None
    threads = str(options.threads)
    names = ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS")
    env = {**os.environ, **dict.fromkeys(names, threads), "PYTHONPATH": str(side.folder), "TF_CPP_MIN_LOG_LEVEL": "3"}
    if side.backend:
        env["KERAS_BACKEND"] = side.backend
    script = TIMER.replace("{program}", program.code)
    command = [sys.executable, "-c", script, str(options.repeat), side.name]
    try:
        done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=LIMIT, check=False)
    except subprocess.TimeoutExpired:
        return None
    found = [line.split()[1] for line in done.stdout.splitlines() if line.startswith("seconds ")]
    if not found and options.why:
        print(program.name, side.name, side.backend, done.stderr.strip().splitlines()[-1:], file=sys.stderr)
    return float(found[0]) if found else None


if __name__ == "__main__":
    main()
