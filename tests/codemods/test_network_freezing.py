"""Loops over the layers of a network of Keras that say which of them learn."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

import pytest

from migrator import source, steps
from tests.codemods.training_support import HEAD

PROGRAM = """
base = keras.applications.{network}(include_top=False, weights=None, input_shape=(32, 32, 3){more})
{before}
{loop}

model = keras.Sequential([base, layers.Flatten(), layers.Dense(1)])
model.compile("sgd", "mse")
"""
BLOCKS = "for layer in (base.blocks[0], base.blocks[1][0]):\n    layer.requires_grad_(False)"
BLOCKS_1_TO_4 = "for layer in base.blocks[:4]:\n    layer.requires_grad_(False)"
FLAG = """
learns = False
for layer in base.layers:
    if layer.name == "block5_conv1":
        learns = True
    if learns:
        layer.trainable = True
    else:
        layer.trainable = False
"""


def drafted(folder: Path, loop: str, network: str = "VGG16", before: str = "", more: str = "") -> tuple[str, list[str]]:
    """What becomes of a loop, with what stands before it, and why units stay."""
    text = HEAD + PROGRAM.format(network=network, before=before, loop=loop, more=more)
    (folder / "m.py").write_text(text, encoding="utf-8")
    repo = source.read(folder, (), ())
    made = steps.rewrite(repo, steps.know(repo), lambda *_: None).render({})["m.py"]
    after = made.text.partition("\nbase = ")[2].partition("\n")[2].partition("model = ")[0]
    after = re.sub(r"class Model.*?\n\n\n", "", after, flags=re.DOTALL)
    return after.strip(), [decline.reason for unit in made.units for decline in unit.declines]


@pytest.mark.parametrize(
    ("loop", "expected"),
    [
        ("for layer in base.layers[:5]:\n    layer.trainable = False", BLOCKS),
        ("for layer in base.layers[:-4]:\n    layer.trainable = False", BLOCKS_1_TO_4),
        ("cut = 5\nfor layer in base.layers[:cut]:\n    layer.trainable = False", BLOCKS),
        ("for i, layer in enumerate(base.layers):\n    if i < 5:\n        layer.trainable = False", BLOCKS),
        (
            "for layer in base.layers[15:]:\n    layer.trainable = True",
            "base.blocks[4].requires_grad_(True)",
        ),
        (FLAG, "base.requires_grad_(False)\nbase.blocks[4].requires_grad_(True)"),
        (
            'for layer in base.layers:\n    layer.trainable = layer.name in ["block1_conv1", "block5_conv3"]',
            "base.requires_grad_(False)\nfor layer in (base.blocks[0][0], base.blocks[4][4]):\n"
            "    layer.requires_grad_(True)",
        ),
        (
            'for layer in base.layers:\n    if layer.name != "block5_conv3":\n        layer.trainable = False',
            "for layer in (*base.blocks[:4], *base.blocks[4][:3]):\n    layer.requires_grad_(False)",
        ),
        ("print(len(base.layers))", "print(19)"),
    ],
)
def test_loop(loop: str, expected: str, tmp_path: Path) -> None:
    text, declines = drafted(tmp_path, loop)
    assert not declines
    assert text == expected


def test_normalisation_stays_as_it_is(tmp_path: Path) -> None:
    """`fit` keeps frozen normalisation in its mode."""
    text, declines = drafted(tmp_path, "for layer in base.layers[:100]:\n    layer.trainable = False", "MobileNetV2")
    assert not declines
    frozen = "(base.stem, *base.blocks[:11], base.blocks[11].expand)"
    assert textwrap.dedent(text) == f"for layer in {frozen}:\n    layer.requires_grad_(False)"


def test_a_pooling_is_the_last_layer(tmp_path: Path) -> None:
    loop = "for layer in base.layers[:-5]:\n    layer.trainable = False"
    assert drafted(tmp_path, loop, more=', pooling="avg"')[0] == BLOCKS_1_TO_4


@pytest.mark.parametrize(
    "parts",
    [
        {"loop": "for layer in base.layers[:5]:\n    layer.trainable = False", "network": "NASNetMobile"},
        {"loop": "for layer in base.layers[::2]:\n    layer.trainable = False"},
        {"loop": "for layer in base.layers:\n    layer.trainable = bool(layer.weights)"},
        {"loop": 'for layer in base.layers:\n    if "input" in layer.name:\n        layer.trainable = False'},
        {"loop": 'for layer in base.layers:\n    if layer.name == "input_1":\n        layer.trainable = False'},
        {"loop": "for layer in base.layers[15:]:\n    layer.trainable = True", "before": "base.trainable = False"},
    ],
)
def test_what_is_not_known(parts: dict[str, str], tmp_path: Path) -> None:
    assert drafted(tmp_path, **parts)[1]


FURTHER = """
base = keras.applications.VGG16(include_top=False, weights=None, input_shape=(32, 32, 3))
y = layers.Dense(4, activation="relu")(layers.Flatten()(base.output))
model = keras.Model({inputs}, layers.Dense(1)(y))
{loop}
model.compile("sgd", "mse")
"""


def further(folder: Path, loop: str, inputs: str = "base.input") -> tuple[str, list[str]]:
    """The same of a model whose graph goes on from that of a network."""
    (folder / "m.py").write_text(HEAD + FURTHER.format(loop=loop, inputs=inputs), encoding="utf-8")
    repo = source.read(folder, (), ())
    made = steps.rewrite(repo, steps.know(repo), lambda *_: None).render({})["m.py"]
    text = made.text.partition(".to(device)\n")[2].partition("optimizer = ")[0].strip()
    return text, [decline.reason for unit in made.units for decline in unit.declines]


@pytest.mark.parametrize("inputs", ["base.input", "[base.input]", "base.inputs"])
def test_a_model_that_goes_on_from_a_network(inputs: str, tmp_path: Path) -> None:
    loops = "for layer in model.layers[:5]:\n    layer.trainable = False\n"
    loops += "for layer in model.layers[5:]:\n    layer.trainable = True\n"
    text, declines = further(tmp_path, loops, inputs)
    assert not declines
    rest = "(base.blocks[1][2], *base.blocks[2:])"
    assert text == f"{BLOCKS}\nfor layer in {rest}:\n    layer.requires_grad_(True)"


@pytest.mark.parametrize(
    "loop",
    [
        "for layer in model.layers[:-2]:\n    layer.trainable = False",  # how many stand behind the network is open
        "for layer in model.layers[:21]:\n    layer.trainable = False",
        "for layer in model.layers[5:]:\n    layer.trainable = False",
        "for i, layer in enumerate(model.layers):\n    layer.trainable = i > 5",
        "model.trainable = False\nfor layer in model.layers[5:]:\n    layer.trainable = True",
    ],
)
def test_layers_behind_the_network(loop: str, tmp_path: Path) -> None:
    assert further(tmp_path, loop)[1]


def test_a_network_that_the_loop_does_not_see(tmp_path: Path) -> None:
    """It is a name of the function that makes the model."""
    made = "".join(
        f"    {line}\n" for line in FURTHER.split("{loop}")[0].format(inputs="base.input").strip().split("\n")
    )
    loop = "for layer in model.layers[:5]:\n    layer.trainable = False"
    text = f'{HEAD}\ndef build():\n{made}    return model\n\n\nmodel = build()\n{loop}\nmodel.compile("sgd", "mse")\n'
    (tmp_path / "m.py").write_text(text, encoding="utf-8")
    repo = source.read(tmp_path, (), ())
    made_file = steps.rewrite(repo, steps.know(repo), lambda *_: None).render({})["m.py"]
    assert any(unit.declines for unit in made_file.units)
