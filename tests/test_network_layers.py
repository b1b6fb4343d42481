"""The table of the layers of Keras's applications, and the expressions for their modules."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from migrator.codemods.beside import module_text
from migrator.network_layers import NetworkLayer, layers_of, modules
from migrator.rules.applications.code import network
from migrator.rules.ops.applications import FILES

LINES = [line for line in Path("migrator/network_layers.txt").read_text().splitlines() if line[0] != "#"]
PROGRAM = r"""
import os, re, sys
import tensorflow as tf
from migrator_validators.cases import WeightMap
from migrator_validators.matching import match
from migrator_validators.probes import tf_objects, tf_stamps, torch_objects

sys.path.insert(0, sys.argv[1])
import keras_networks

name = sys.argv[2]
KINDS = "conv2d batch_normalization activation add concatenate max_pooling2d average_pooling2d lambda rescaling "
KINDS += "normalization input_layer re_lu separable_conv2d custom_scale_layer"
COUNTED = rf"({'|'.join(KINDS.split())})(_\d+)?"
tf_stamps.stamp_layers()
model = getattr(tf.keras.applications, name)(weights=None, include_top=False)
module = getattr(keras_networks, name)(weights=None, include_top=False)
found = match(WeightMap(), tf_objects.describe(model, []), torch_objects.describe(module))
assert not found.problems
weights = tf_objects.weights_of(model)
owners = {i: layer.name for layer in model.layers for w in layer.weights for i, x in enumerate(weights) if x is w}
targets = {}
for pair in found.pairs:
    for i in pair.source:
        targets.setdefault(owners[i], set()).add(pair.target.split("/")[-1])
state = [key for key in module.state_dict() if "num_batches" not in key]
entries = [name]
for layer in model.layers:
    mine, path = targets.get(layer.name, set()), "-"
    if mine:
        path = ".".join(os.path.commonprefix([key.split(".")[:-1] for key in mine]))
        assert {key for key in state if key.startswith(path + ".")} == mine, (layer.name, path)
    counted = re.fullmatch(COUNTED, layer.name)
    entries.append(("-" if counted else layer.name) + ":" + path)
print("ENTRIES", *entries)
"""


def computed(name: str, folder: Path) -> str:
    """The line of a network."""
    (folder / "keras_networks.py").write_text(module_text([network(FILES[name], name)]), encoding="utf-8")
    command = [sys.executable, "-c", PROGRAM, str(folder), name]
    done = subprocess.run(command, env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    return next(line[8:] for line in done.stdout.splitlines() if line.startswith("ENTRIES"))


def checked(line: str, folder: Path) -> None:
    assert computed(line.split()[0], folder) == line


@pytest.mark.parametrize("line", [line for line in LINES if line.startswith("VGG16 ")])
def test_table(line: str, tmp_path: Path) -> None:
    checked(line, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("line", LINES, ids=lambda line: line.split()[0])
def test_whole_table(line: str, tmp_path: Path) -> None:
    checked(line, tmp_path)


def test_layers() -> None:
    assert layers_of("VGG16")[:2] == (NetworkLayer("", ""), NetworkLayer("block1_conv1", "blocks.0.0"))
    assert layers_of("VGG11") == ()


LAYERS = tuple(
    NetworkLayer("", path) for path in ("stem.0", "stem.1", *(f"blocks.{i}.{p}" for i in range(4) for p in "ab"))
)


@pytest.mark.parametrize(
    ("paths", "expected"),
    [
        ({layer.path for layer in LAYERS}, ["base"]),
        ({"stem.0"}, ["base.stem[0]"]),
        ({"stem.0", "stem.1", "blocks.0.a", "blocks.0.b"}, ["base.stem", "base.blocks[0]"]),
        ({f"blocks.{i}.{p}" for i in (0, 1) for p in "ab"} | {"blocks.2.b"}, ["*base.blocks[:2]", "base.blocks[2].b"]),
        ({f"blocks.{i}.{p}" for i in (1, 2) for p in "ab"}, ["*base.blocks[1:3]"]),
        ({f"blocks.{i}.{p}" for i in (2, 3) for p in "ab"}, ["*base.blocks[2:]"]),
        ({f"blocks.{i}.{p}" for i in range(4) for p in "ab"}, ["base.blocks"]),
        ({"blocks.0.a", "blocks.2.b"}, ["base.blocks[0].a", "base.blocks[2].b"]),
    ],
)
def test_fewest_expressions(paths: set[str], expected: list[str]) -> None:
    assert modules("base", paths, LAYERS) == expected
