"""Stand-ins for downloaded data sets: both sides read the same, and nothing is downloaded."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from migrator.rules.ops import keras_datasets as rules

HELPERS = {
    "mnist.load_data()": rules.read_mnist,
    "fashion_mnist.load_data()": rules.read_fashion_mnist,
    "cifar10.load_data()": rules.read_cifar10,
    "cifar100.load_data('coarse')": rules.read_cifar100,
    "imdb.load_data(num_words=500, maxlen=80)": rules.read_imdb,
    "reuters.load_data(test_split=0.3)": rules.read_reuters,
    "boston_housing.load_data(seed=3)": rules.read_boston_housing,
    "california_housing.load_data('small')": rules.read_california_housing,
}
KERAS = """
import pickle, sys
from validators.migrator_validators.probes import known_data, tf_known_data
import tensorflow as tf
tf_known_data.install()
pickle.dump([eval("tf.keras.datasets." + call) for call in sys.argv[2:]], open(sys.argv[1], "wb"))
"""
OURS = """
import pickle, sys
from pathlib import Path
from validators.migrator_validators.probes import known_data
import urllib.request
urllib.request.urlretrieve = None  # nothing may be downloaded
source = Path("program.py").read_text()
known_data.prepare("torch", ".")
scope = {}
exec(source, scope)
pickle.dump([eval("read_" + call, scope) for call in sys.argv[2:]], open(sys.argv[1], "wb"))
"""


def _source() -> str:
    """A migrated program with every helper."""
    found, lines = {}, set()
    queue = list(HELPERS.values())
    while queue:
        helper = queue.pop()
        found[helper.name] = helper.source
        lines |= set(helper.imports)
        queue += helper.needs
    return "\n\n".join(["\n".join(sorted(lines)), *found.values()])


def _run(script: str, folder: Path, calls: list[str]) -> list[object]:
    here = Path(__file__).resolve().parents[2]
    env = {**os.environ, "HOME": str(folder), "PYTHONPATH": str(here), "CUDA_VISIBLE_DEVICES": "-1"}
    env.pop("KERAS_HOME", None)
    out = folder / "out.pickle"
    subprocess.run([sys.executable, "-c", script, str(out), *calls], cwd=folder, env=env, check=True)
    found: list[object] = pickle.loads(out.read_bytes())
    return found


def _same(one: object, other: object) -> bool:
    if isinstance(one, tuple) and isinstance(other, tuple):
        return len(one) == len(other) and all(map(_same, one, other))
    a, b = np.asarray(one), np.asarray(other)
    return a.dtype == b.dtype and a.shape == b.shape and a.tolist() == b.tolist()


@pytest.mark.slow
def test_both_sides_read_the_same(tmp_path: Path) -> None:
    folders = [tmp_path / "keras", tmp_path / "ours"]
    for folder in folders:
        folder.mkdir()
    (folders[1] / "program.py").write_text(_source())
    calls = list(HELPERS)
    expected = _run(KERAS, folders[0], calls)
    measured = _run(OURS, folders[1], [call.replace(".load_data", "") for call in calls])
    for call, theirs, ours in zip(calls, expected, measured, strict=True):
        assert _same(theirs, ours), call
