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
from migrator.rules.ops.applications import FILES


def _options(name: str) -> str:
    """Deep networks with random weights multiply the rounding of what Keras does to pixels."""
    return ", include_preprocessing=False" if "EfficientNetV2" in name else ""


SIZES = ((43, 35), (51, 65))
LARGER = ((75, 83), (97, 79))  # the smallest that Keras takes are 71 and 75
FIXED = ("MobileNetV2", "MobileNetV3Small", "MobileNetV3Large", "EfficientNetB0", "NASNetMobile", "NASNetLarge")
"""Of these Keras lays the padding out for the size that they are built for."""
NOT_ANY = ("NASNetMobile", "NASNetLarge")
DEFAULT = (
    ("VGG16", "pooling='max', input_shape=(33, 47, 3)"),
    ("MobileNetV2", "alpha=0.35, input_shape=(65, 49, 3)"),
    ("MobileNetV2", "alpha=0.35, include_top=True, classes=7, classifier_activation=None, input_shape=(64, 64, 3)"),
    ("MobileNetV3Small", "minimalistic=True, alpha=0.75, input_shape=(65, 49, 3), include_preprocessing=False"),
    ("MobileNetV3Small", "include_top=True, classes=7, alpha=1.5, dropout_rate=0, input_shape=(65, 33, 3)"),
    ("MobileNet", "alpha=0.25, depth_multiplier=2, pooling='avg', input_shape=(65, 49, 3)"),
)
LARGE = [
    *((name, f"input_shape=(None, None, 3){_options(name)}") for name in FILES if name not in NOT_ANY),
    *((name, f"input_shape=({h}, {w}, 3)") for name in FIXED for h, w in SIZES),
    ("VGG19", "include_top=True, classes=5, input_shape=(64, 96, 3)"),
    ("MobileNetV2", "alpha=1.3, input_shape=(None, None, 3)"),
    ("MobileNetV3Large", "include_top=True, classes=9, minimalistic=True, input_shape=(None, None, 3)"),
    ("ResNet50", "include_top=True, classes=11, input_shape=(65, 97, 3)"),
    ("EfficientNetV2B0", "include_top=True, classes=5, input_shape=(33, 35, 3)"),
    ("EfficientNetV2B0", "input_shape=(33, 35, 1), pooling='max'"),
    ("NASNetMobile", "include_top=True, classes=5, input_shape=(33, 48, 3), classifier_activation=None"),
    ("ConvNeXtTiny", "include_top=True, classes=5, input_shape=(33, 35, 3)"),
    ("ConvNeXtTiny", "input_shape=(35, 39, 3), pooling='max', include_preprocessing=False"),
    ("ConvNeXtTiny", "input_shape=(35, 39, 1), pooling='avg'"),
    ("InceptionResNetV2", "include_top=True, classes=5, input_shape=(77, 75, 3)"),
]
PROGRAM = """
import sys, zlib
import numpy as np
import tensorflow as tf
import torch
from migrator.facts.shapes import applications
from migrator.values import Literal, Tensor
from migrator_validators.cases import WeightMap
from migrator_validators.matching import match
from migrator_validators.probes import tf_objects, tf_stamps, torch_objects
from migrator_validators.probes.tf_check import tf as _

sys.path.insert(0, sys.argv[1])
import keras_networks

name, options = sys.argv[2], {"weights": None, "include_top": False, **eval(f"dict({sys.argv[3]})")}
# Deep networks with random weights multiply rounding; what we did wrong float64 does not make smaller.
tf.keras.backend.set_floatx("float64")
tf_stamps.stamp_layers()
keras_model = getattr(tf.keras.applications, name)(**options)
module = getattr(keras_networks, name)(**options).double().eval()
found = match(WeightMap(), tf_objects.describe(keras_model, []), torch_objects.describe(module))
assert not found.problems, found.problems

layers = tf_objects.unadapted(keras_model)
weights = tf_objects.weights_of(keras_model)
values = []
for i, weight in enumerate(weights):
    path = str(getattr(weight, "path", None) or weight.name).split(":")[0]
    values.append(tf_objects.randomised(np.asarray(weight.numpy()), path, bool(weight.trainable), i))
    if "Efficient" in name:  # deep enough for what grows from block to block to multiply the rounding of the first
        values[-1] = weight.numpy() + 0.1 * (values[-1] - weight.numpy())
        if values[-1].ndim == 4 and values[-1].shape[3] > 1:  # start by how many units go out; now by how many go in
            values[-1] = values[-1] * (values[-1].shape[3] / values[-1].shape[2]) ** 0.5
    if "layer_scale" in path:  # 1e-6, with which the blocks would do next to nothing
        values[-1] = values[-1] * 1e6
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
gradients = "NeXt" not in name or "Tiny" in name  # minutes, for the blocks that the smallest has too
sizes = [(height, width)] if height else eval(sys.argv[4])
count = keras_model.count_params()
rng = np.random.default_rng(zlib.crc32(name.encode()))
largest = 255 if "Efficient" in name or "NeXt" in name else 1
for height, width in sizes:
    images = rng.uniform(0, largest, (2, height, width, channels))
    inputs = tf.constant(images)
    with tf.GradientTape() as tape:
        if gradients:
            tape.watch(inputs)
        ours = keras_model(inputs, training=False)
        loss = tf.reduce_sum(ours**2)
    theirs_in = torch.tensor(images, requires_grad=True)
    theirs = module(theirs_in)
    assert ours.shape == theirs.shape, (ours.shape, theirs.shape)
    if options["input_shape"][0]:
        args = {key: Literal(value) for key, value in options.items()}
        known = applications.output_of(name, args, Tensor((None, height, width, channels), "float64", "keras"))
        assert known.shape[1:] == tuple(ours.shape[1:]), (known.shape, ours.shape)
    scale = float(np.abs(ours).max())
    difference = float(np.abs(ours - theirs.detach().numpy()).max()) / scale
    print(f"{name} {sys.argv[3]} {height}x{width}: {difference:.1e}, {count} parameters")
    assert scale > 1e-4 and difference <= 1e-7, (difference, scale)
    if not gradients:
        continue
    (theirs**2).sum().backward()
    gradient = tape.gradient(loss, inputs).numpy()
    slope = float(np.abs(gradient - theirs_in.grad.numpy()).max()) / max(float(np.abs(gradient).max()), 1e-30)
    print(f"gradient {slope:.1e}")
    assert slope <= 1e-6, slope
"""


def compared(tmp_path: Path, name: str, options: str, legacy: bool = False) -> None:
    (tmp_path / "keras_networks.py").write_text(module_text([network(FILES[name], name)]), encoding="utf-8")
    (tmp_path / "compare.py").write_text(textwrap.dedent(PROGRAM), encoding="utf-8")
    environment = {**os.environ, "TF_USE_LEGACY_KERAS": "1" if legacy else "0", "TF_CPP_MIN_LOG_LEVEL": "3"}
    sizes = LARGER if "ception" in name else SIZES
    command = [sys.executable, "compare.py", str(tmp_path), name, options, str(sizes)]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr[-3000:]
    print(done.stdout)


@pytest.mark.parametrize(("name", "options"), DEFAULT)
def test_network(tmp_path: Path, name: str, options: str) -> None:
    compared(tmp_path, name, options)


def test_keras_2(tmp_path: Path) -> None:
    compared(tmp_path, "MobileNetV2", "alpha=0.35, input_shape=(65, 49, 3)", legacy=True)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "options"), LARGE)
def test_large_network(tmp_path: Path, name: str, options: str) -> None:
    compared(tmp_path, name, options)


@pytest.mark.slow
@pytest.mark.parametrize("name", {FILES[name]: name for name in reversed(FILES)}.values())
def test_family_of_keras_2(tmp_path: Path, name: str) -> None:
    size = "(75, 83, 3)" if "ception" in name else "(43, 35, 3)"
    compared(tmp_path, name, f"input_shape={size}{_options(name)}", legacy=True)


def test_definitions_of_one_name_are_the_same() -> None:
    """Networks of several families stand in one module."""
    from migrator.rules.applications.code import _sources

    known: dict[str, str] = {}
    for file in set(FILES.values()):
        for name, source in _sources(file).items():
            assert known.setdefault(name, source) == source, name
