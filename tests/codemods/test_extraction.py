"""Models of layers of a network of Keras: feature extractors."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from migrator import source, steps
from migrator.codemods.beside import module_text
from migrator.codemods.models.extraction import HELPER
from migrator.rules.applications.code import network
from tests.codemods.training_support import HEAD

MADE = "base = keras.applications.VGG16(include_top=False, weights=None, input_shape=(48, 48, 3))\n"
FUNCTION = """
def extractor(names):
    base = keras.applications.VGG19(include_top=False, weights=None)
    base.trainable = False
    outputs = [base.get_layer(name).output for name in names]
    return keras.Model([base.input], outputs)
"""


def files(folder: Path, text: str) -> tuple[dict[str, str], list[str]]:
    """The files that a program becomes, and why units stay."""
    (folder / "m.py").write_text(HEAD + text, encoding="utf-8")
    repo = source.read(folder, (), ())
    made = steps.rewrite(repo, steps.know(repo), lambda *_: None).render({})
    reasons = [decline.reason for file in made.values() for unit in file.units for decline in unit.declines]
    return {str(path): file.text for path, file in made.items()}, reasons


def drafted(folder: Path, text: str) -> str:
    made, reasons = files(folder, text)
    assert reasons == []
    return made["m.py"]


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (
            'model = keras.Model(base.input, base.get_layer("block4_pool").output)',
            'model = Features(base, base.layer("block4_pool"))',
        ),
        (
            'model = keras.Model(inputs=base.inputs, outputs=base.get_layer(name="block3_conv2").output)',
            'model = Features(base, base.layer("block3_conv2"))',
        ),
        (
            'model = keras.Model([base.input], [base.get_layer("block2_pool").output, base.layers[1].output])',
            'model = Features(base, base.layer("block2_pool"), base.layer("block1_conv1"))',
        ),
        (
            "net = keras.applications.VGG19(weights=None)\nmodel = keras.Model(net.input, net.layers[-2].output)",
            'net = VGG19().to(device)\nmodel = Features(net, net.layer("fc2"))',
        ),
        (
            "model = keras.Model(base.input, base.layers[-2].output)",
            'model = Features(base, base.layer("block5_conv3"))',
        ),
        (
            'layer = base.get_layer("block1_conv2")\nmodel = keras.Model(base.input, layer.output)',
            'layer = base.layer("block1_conv2")\nmodel = Features(base, layer)',
        ),
        (
            'names = ["block1_conv1", "block2_pool"]\n'
            "model = keras.Model(base.input, [base.get_layer(name).output for name in names])",
            'names = ["block1_conv1", "block2_pool"]\nmodel = Features(base, *(base.layer(name) for name in names))',
        ),
        (
            'outputs = [base.get_layer("block1_conv1").output]\nmodel = keras.Model(base.input, outputs)',
            'outputs = [base.layer("block1_conv1")]\nmodel = Features(base, *outputs)',
        ),
    ],
)
def test_script(lines: str, expected: str, tmp_path: Path) -> None:
    text = drafted(tmp_path, MADE + lines + "\n")
    moved = "" if "net" in lines else ".to(device)"  # only what models are made of
    assert f"base = VGG16(include_top=False, input_shape=(48, 48, 3)){moved}\n" in text
    assert f"\n{expected}\n" in text


def test_function(tmp_path: Path) -> None:
    assert drafted(tmp_path, FUNCTION).endswith(
        "def extractor(names):\n"
        "    base = VGG19(include_top=False).to(device)\n"
        "    base.requires_grad_(False)\n"
        "    outputs = [base.layer(name) for name in names]\n"
        "    return Features(base, *outputs)\n"
    )


def test_inside_of_another_model(tmp_path: Path) -> None:
    text = drafted(
        tmp_path,
        MADE
        + """
extractor = keras.Model(base.input, base.get_layer("block3_pool").output)
inputs = keras.Input((48, 48, 3))
x = layers.Flatten()(extractor(inputs))
model = keras.Model(inputs, layers.Dense(2)(x))
""",
    )
    assert "self.extractor = extractor\n        self.fc = nn.Linear(256 * 6 * 6, 2)\n" in text.replace(
        "9216", "256 * 6 * 6"
    )
    assert "self.extractor(x)" in text


def test_one_name_for_the_network_and_the_model(tmp_path: Path) -> None:
    """A function asks whichever of them the name has by then."""
    text = drafted(
        tmp_path,
        """
model = keras.applications.VGG16(weights=None)
model = keras.Model(inputs=model.inputs, outputs=model.layers[-2].output)

def extract(images):
    return model.predict(np.array(images), verbose=0)
""",
    )
    assert 'model = VGG16().to(device)\nmodel = Features(model, model.layer("fc2"))\n' in text
    assert text.endswith("    return predict(model, np.array(images))\n")


def test_one_name_for_models_of_other_kinds(tmp_path: Path) -> None:
    _, reasons = files(
        tmp_path,
        """
model = keras.Sequential([layers.Input((3,)), layers.Dense(2)])
model = keras.Sequential([layers.Input((3,)), layers.Dense(2, activation="softmax")])

def extract(rows):
    return model.predict(np.array(rows), verbose=0)
""",
    )
    assert reasons


ELSEWHERE = "a layer of a network of which more is made than a model that gives its output"
STAYS = [
    # more is done with what the layer gives
    ('model = keras.Model(base.input, layers.Flatten()(base.get_layer("block4_pool").output))', ""),
    ('x = base.get_layer("block4_pool").output\nprint(x)\nmodel = keras.Model(base.input, x)', ELSEWHERE),
    # the input is that of another network
    (
        "other = keras.applications.VGG16(include_top=False, weights=None, input_shape=(48, 48, 3))\n"
        'model = keras.Model(other.input, base.get_layer("block4_pool").output)',
        "a model of layers of a network that begins with the input of another",
    ),
    # which layer it is changes
    (
        "outputs = [base.layers[i].output for i in (1, 2)]\nmodel = keras.Model(base.input, outputs)",
        "`layers` of a model has no counterpart",
    ),
    # a layer that the module does not have, another form of what goes out
    ('model = keras.Model(base.input, base.get_layer("block6_conv1").output)', ""),
    (
        'model = keras.Model(base.input, (base.get_layer("block1_pool").output, base.layers[1].output))',
        "a model of the layers of a network that begins or ends elsewhere",
    ),
    (
        'model = keras.Model(base.input, {"a": base.get_layer("block1_pool").output})',
        ELSEWHERE,
    ),
    # a list that grows
    (
        'outputs = [base.get_layer("block1_pool").output]\noutputs.append(base.layers[1].output)\n'
        "model = keras.Model(base.input, outputs)",
        ELSEWHERE,
    ),
]


@pytest.mark.parametrize(("lines", "reason"), STAYS)
def test_stays(lines: str, reason: str, tmp_path: Path) -> None:
    made, reasons = files(tmp_path, MADE + lines + "\n")
    assert reasons
    assert not reason or reason in reasons
    assert "Features(" not in made["m.py"]


COMPARED = """
import sys

import numpy as np
import tensorflow as tf
import torch

sys.path.insert(0, ".")
from keras_networks import VGG16, Features

given = {"include_top": sys.argv[1] == "top", "weights": None, "input_shape": (67, 49, 3), "classes": 5}
keras_model, base = tf.keras.applications.VGG16(**given), VGG16(**given)
for layer in keras_model.layers:
    layer.set_weights([np.random.default_rng(w.size).normal(0, 0.05, w.shape) for w in layer.get_weights()])
with torch.no_grad():
    for ours, theirs in zip(base.parameters(), keras_model.weights, strict=True):
        order = {4: (3, 2, 0, 1), 2: (1, 0), 1: (0,)}[len(theirs.shape)]
        ours.copy_(torch.tensor(theirs.numpy().transpose(order)))
names = [layer.name for layer in keras_model.layers[1:] if layer.name != "predictions"]
images = np.random.default_rng(0).uniform(size=(2, 67, 49, 3)).astype("float32")
expected = tf.keras.Model(keras_model.input, [keras_model.get_layer(name).output for name in names])(images)
given = Features(base, *map(base.layer, names))(torch.tensor(images))
for name, theirs, ours in zip(names, expected, given, strict=True):
    assert tuple(theirs.shape) == tuple(ours.shape), name
    assert np.abs(theirs - ours.detach().numpy()).max() <= 1e-4 * np.abs(theirs).max(), name
turned = Features(base, *map(base.layer, names[::-1]))(torch.tensor(images))
assert all(torch.equal(one, two) for one, two in zip(given, turned[::-1], strict=True))
assert torch.equal(Features(base, base.layer(names[4]))(torch.tensor(images)), given[4])
assert len(list(Features(base, base.layer("block1_conv2"), base.layer("block1_conv1")).parameters())) == 4
assert next(Features(base, base.layer("block1_conv2")).parameters()) is next(base.parameters())
"""


@pytest.mark.parametrize("top", ["top", "none"])
def test_every_layer(top: str, tmp_path: Path) -> None:
    """Each layer gives what Keras's does, in the order that is asked for; the weights are those of the network."""
    (tmp_path / "keras_networks.py").write_text(module_text([network("vgg", "VGG16"), HELPER]), encoding="utf-8")
    done = subprocess.run([sys.executable, "-c", COMPARED, top], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
