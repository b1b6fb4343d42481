"""A model that one file builds and compiles and another one trains."""

from __future__ import annotations

from pathlib import Path

import pytest

from migrator import source, steps
from migrator.model import FileRewrite

NET = """
import tensorflow as tf
from tensorflow.keras import backend as K


def dice(y_true, y_pred):
    return K.sum(K.flatten(y_true) * K.flatten(y_pred)) / K.sum(y_true + y_pred)


def dice_loss(y_true, y_pred):
    return 1.0 - dice(y_true, y_pred)


def build(units):
    model = tf.keras.Sequential([
        tf.keras.layers.Dense(units, activation="relu", input_shape=(6,)),
        tf.keras.layers.Dense(3, activation="sigmoid"),
    ])
    model.compile(OPTIMIZER, loss=dice_loss, metrics=[dice])
    return model
"""

TRAIN = """
import numpy as np
from net import build


def main():
    model = build(4)
    history = model.fit(np.ones((8, 6), "float32"), np.ones((8, 3), "float32"), epochs=2)
    print(model.evaluate(np.ones((8, 6), "float32"), np.ones((8, 3), "float32")), history.history["loss"])
"""


def rendered(folder: Path, train: str = TRAIN, optimizer: str = '"adam"', **more: str) -> dict[str, FileRewrite]:
    for name, text in {"net": NET.replace("OPTIMIZER", optimizer), "train": train, **more}.items():
        (folder / f"{name}.py").write_text(text)
    repo = source.read(folder, (), ())
    return steps.rewrite(repo, steps.know(repo), lambda *_: None).render({})


def test_the_pass_over_the_data_stands_where_it_is_used(tmp_path: Path) -> None:
    files = rendered(tmp_path)
    assert "    model.optimizer = torch.optim.Adam(" in files["net.py"].text
    assert "def run_epoch" not in files["net.py"].text
    text = files["train.py"].text
    assert "from net import build, dice, dice_loss\n" in text
    assert "loss = dice_loss(y, pred).mean()" in text
    assert 'totals["dice"] += dice(y, pred).item()' in text
    assert "run_epoch(model, loader, model.optimizer)" in text


def test_a_schedule_is_kept_beside_the_optimizer(tmp_path: Path) -> None:
    rate = "tf.keras.optimizers.Adam(tf.keras.optimizers.schedules.ExponentialDecay(0.1, 2, 0.5))"
    files = rendered(tmp_path, optimizer=rate)
    assert "    model.scheduler = LambdaLR(model.optimizer, " in files["net.py"].text
    assert "run_epoch(model, loader, model.optimizer, model.scheduler)" in files["train.py"].text


@pytest.mark.parametrize(
    ("line", "written"),
    [
        ("from net import *", "from net import *\n"),
        ("from net import build  # ours", "from net import build, dice, dice_loss  # ours\n"),
        ("from net import build, dice", "from net import build, dice, dice_loss\n"),
    ],
    ids=["star", "comment", "there"],
)
def test_what_the_loss_needs_is_imported(tmp_path: Path, line: str, written: str) -> None:
    text = rendered(tmp_path, TRAIN.replace("from net import build", line))["train.py"].text
    assert written in text
    assert text.count("dice_loss") == text.count("dice_loss(y, pred)") + written.count("dice_loss")


def test_a_name_that_means_something_else_is_declined(tmp_path: Path) -> None:
    file = rendered(tmp_path, TRAIN + "\n\ndef dice(x):\n    return x\n")["train.py"]
    reasons = [decline.reason for unit in file.units for decline in unit.declines]
    assert "model.fit: `dice` of net.py is something else in this file" in reasons


def test_two_files_that_compile_what_a_third_trains(tmp_path: Path) -> None:
    other = """
from net import build


def again():
    model = build(4)
    model.compile("sgd", loss="mse")
    return model
"""
    train = TRAIN.replace("from net import build", "from other import again").replace("build(4)", "again()")
    text = rendered(tmp_path, train, other=other)["train.py"].text
    assert "dice" not in text


def test_names_of_torch_take_the_place_of_those_of_keras(tmp_path: Path) -> None:
    head = "from tensorflow.keras.callbacks import ReduceLROnPlateau\n" + TRAIN
    text = rendered(tmp_path, head.replace("epochs=2", "epochs=2, callbacks=[ReduceLROnPlateau('loss')]"))[
        "train.py"
    ].text
    assert "from torch.optim.lr_scheduler import ReduceLROnPlateau\n" in text
    assert "tensorflow" not in text


@pytest.mark.parametrize(
    ("lines", "certain"),
    [
        ("    if rate > 0.5:\n        model.compile('sgd', loss='mse')\n", False),
        (
            "    if rate:\n        model.compile('sgd', 'mse')\n    else:\n        model.compile('sgd', 'mae')\n",
            False,
        ),
        ("    model.compile('sgd', loss='mse')\n", True),
        ("    with open('log'):\n        model.compile('sgd', loss='mse')\n", True),
    ],
    ids=["one branch", "two branches", "always", "in a context"],
)
def test_what_may_have_been_compiled_again_here_is_not_certain(tmp_path: Path, lines: str, certain: bool) -> None:
    train = TRAIN.replace("main()", "main(rate)").replace("    history", lines + "    history")
    file = rendered(tmp_path, train)["train.py"]
    reasons = [decline.reason for unit in file.units for decline in unit.declines]
    assert ("model.fit: which `compile` it belongs to is not certain" in reasons) != certain
    assert "dice" not in file.text  # what net.py compiles with is no longer what holds


def test_a_branch_here_and_what_the_builder_compiles(tmp_path: Path) -> None:
    text = NET.replace("OPTIMIZER", '"adam"') + TRAIN.replace("from net import build\n", "").replace(
        "    history", "    if np.random.rand() > 0.5:\n        model.compile('sgd', loss='mse')\n    history"
    )
    file = rendered(tmp_path, text)["train.py"]
    reasons = [decline.reason for unit in file.units for decline in unit.declines]
    assert "model.fit: which `compile` it belongs to is not certain" in reasons


def test_what_stays_keeps_the_class_of_keras_under_a_name_that_torch_has_too(tmp_path: Path) -> None:
    stays = "\n\ndef plateaus():\n    return [ReduceLROnPlateau(m) for m in ('loss', 'dice')], tf.raw_ops.Abs(x=1.0)\n"
    head = "import tensorflow as tf\nfrom tensorflow.keras.callbacks import ReduceLROnPlateau\n" + TRAIN
    train = head.replace("epochs=2", "epochs=2, callbacks=[ReduceLROnPlateau('loss')]") + stays
    text = rendered(tmp_path, train)["train.py"].text
    assert "from tensorflow.keras.callbacks import ReduceLROnPlateau" in text
    assert "from torch.optim.lr_scheduler import ReduceLROnPlateau" not in text
