"""Every network against Keras's: a partner for each weight, and the same outputs and gradients with random weights."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from migrator.codemods.beside import module_text
from migrator.rules.applications.code import network
from migrator.rules.ops.applications import ALIKE

FILES = {**ALIKE, "MobileNet": "mobilenet", "MobileNetV2": "mobilenet_v2"}
SIZES = ((97, 83), (75, 121))
DEFAULT = (
    ("VGG16", "pooling='max', input_shape=(33, 47, 3)"),
    ("MobileNetV2", "alpha=0.35, input_shape=(65, 49, 3)"),
    ("MobileNetV2", "alpha=0.35, include_top=True, classes=7, classifier_activation=None, input_shape=(64, 64, 3)"),
    ("MobileNet", "alpha=0.25, depth_multiplier=2, pooling='avg', input_shape=(65, 49, 3)"),
)
LARGE = [
    *((name, f"input_shape=({h}, {w}, 3)") for name in FILES for h, w in SIZES),
    ("VGG19", "include_top=True, classes=5, input_shape=(64, 96, 3)"),
    ("MobileNetV2", "alpha=1.3, input_shape=(None, None, 3)"),
    ("EfficientNetB0", "input_shape=(None, None, 3), pooling='avg'"),
    ("ResNet50", "include_top=True, classes=11, input_shape=(65, 97, 3)"),
]
PROGRAM = """
import sys, zlib
import numpy as np
import tensorflow as tf
import torch
from migrator_validators.cases import WeightMap
from migrator_validators.matching import match
from migrator_validators.probes import tf_objects, torch_objects
from migrator_validators.probes.tf_check import tf as _

sys.path.insert(0, sys.argv[1])
import keras_networks

name, options = sys.argv[2], {"weights": None, "include_top": False, **eval(f"dict({sys.argv[3]})")}
tf_objects.stamp_layers()
keras_model = getattr(tf.keras.applications, name)(**options)
module = getattr(keras_networks, name)(**options).eval()
found = match(WeightMap(), tf_objects.describe(keras_model, []), torch_objects.describe(module))
assert not found.problems, found.problems

layers = tf_objects.unadapted(keras_model)
weights = tf_objects.weights_of(keras_model)
values = []
for i, weight in enumerate(weights):
    path = str(getattr(weight, "path", None) or weight.name).split(":")[0]
    values.append(tf_objects.randomised(np.asarray(weight.numpy()), path, bool(weight.trainable), i))
    weight.assign(values[-1])
for layer in layers:
    layer.finalize_state()
torch_objects.load(module, {pair.target: pair.array(values) for pair in found.pairs})
used = {i for pair in found.pairs for i in pair.source}
left = [w for i, w in enumerate(weights) if i not in used]
assert all("count" in str(getattr(w, "path", None) or w.name) for w in left), left
state = [tensor for name, tensor in module.state_dict().items() if "num_batches" not in name]
assert sum(values[i].size for i in used) == sum(tensor.numel() for tensor in state)

height, width, channels = options["input_shape"]
rng = np.random.default_rng(zlib.crc32(name.encode()))
images = rng.uniform(0, 255 if "Efficient" in name else 1, (2, height or 75, width or 61, channels)).astype("float32")
inputs = tf.constant(images)
with tf.GradientTape() as tape:
    tape.watch(inputs)
    ours = keras_model(inputs, training=False)
    loss = tf.reduce_sum(ours**2)
theirs_in = torch.tensor(images, requires_grad=True)
theirs = module(theirs_in)
(theirs**2).sum().backward()
assert ours.shape == theirs.shape, (ours.shape, theirs.shape)
scale = float(np.abs(ours).max())
difference = float(np.abs(ours - theirs.detach().numpy()).max())
gradient = tape.gradient(loss, inputs).numpy()
slope = float(np.abs(gradient - theirs_in.grad.numpy()).max()) / max(float(np.abs(gradient).max()), 1e-30)
count = keras_model.count_params()
print(f"{name} {sys.argv[3]}: {difference:.2g} of {scale:.2g}, gradient {slope:.2g}, {count} parameters")
assert scale > 1e-4 and difference <= 2e-5 * max(scale, 1.0) and slope <= 1e-3, (difference, scale, slope)
"""


def compared(tmp_path: Path, name: str, options: str, legacy: bool = False) -> None:
    (tmp_path / "keras_networks.py").write_text(module_text([network(FILES[name], name)]), encoding="utf-8")
    (tmp_path / "compare.py").write_text(textwrap.dedent(PROGRAM), encoding="utf-8")
    environment = {**os.environ, "TF_USE_LEGACY_KERAS": "1" if legacy else "0", "TF_CPP_MIN_LOG_LEVEL": "3"}
    command = [sys.executable, "compare.py", str(tmp_path), name, options]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr[-3000:]
    print(done.stdout)


@pytest.mark.parametrize(("name", "options"), DEFAULT)
def test_network(tmp_path: Path, name: str, options: str) -> None:
    compared(tmp_path, name, options)


def test_keras_2(tmp_path: Path) -> None:
    compared(tmp_path, "MobileNetV2", "alpha=0.35, input_shape=(65, 49, 3)", legacy=True)


@pytest.mark.slow
@pytest.mark.parametrize("legacy", [False, True], ids=["keras3", "keras2"])
@pytest.mark.parametrize(("name", "options"), LARGE)
def test_large_network(tmp_path: Path, name: str, options: str, legacy: bool) -> None:
    compared(tmp_path, name, options, legacy)


def test_definitions_of_one_name_are_the_same() -> None:
    """Networks of several families stand in one module."""
    from migrator.rules.applications.code import _sources

    known: dict[str, str] = {}
    for file in set(FILES.values()):
        for name, source in _sources(file).items():
            assert known.setdefault(name, source) == source, name
