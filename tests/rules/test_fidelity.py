"""`--fidelity`: torch's own optimizer and normalisation, with their documented gap, or code of our own without it."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from migrator import source
from migrator import steps as steps_of
from migrator.config import Fidelity
from migrator.model import Helper, LayerCode, OptimizerCode
from migrator.rules import rulebook
from migrator.rules.objects import Objects
from migrator.values import Literal, Tensor

OPTIMIZERS = (
    ("Adam", {}, "adam-epsilon"),
    ("Adam", {"beta_2": 0.9, "amsgrad": True, "epsilon": 1e-4}, "adam-epsilon"),
    ("Adam", {"weight_decay": 0.05}, "adam-epsilon"),
    ("AdamW", {"epsilon": 1e-3}, "adam-epsilon"),
    ("SGD", {"momentum": 0.9}, "sgd-velocity"),
    ("SGD", {"momentum": 0.9, "nesterov": True}, "sgd-velocity"),
)


def executed(call: str, helpers: tuple[Helper, ...], **names: Any) -> Any:
    scope = {"torch": torch, "nn": nn, "F": F, **names}
    for helper in helpers:
        exec(helper.source, scope)
    return eval(call, scope)


def steps(name: str, arguments: dict[str, object], exact: bool) -> float:
    """The largest difference of the weights after steps, some gradients tiny, and across a change of the rate."""
    import keras

    values = {key: Literal(value) for key, value in arguments.items()}
    texts = {key: repr(value) for key, value in arguments.items()}
    code = Objects(exact).optimizer(f"tf.keras.optimizers.{name}", texts, values)
    assert isinstance(code, OptimizerCode)
    rng = np.random.default_rng(5)
    start = rng.normal(size=(3, 4)).astype("float32")
    theirs, ours = keras.Variable(start), torch.nn.Parameter(torch.tensor(start))
    optimizer = getattr(keras.optimizers, name)(**arguments)
    model = SimpleNamespace(parameters=lambda: iter([ours]))
    mine = executed(code.call.format(params="model.parameters()"), code.helpers, model=model)
    for index in range(9):
        if index == 5:
            optimizer.learning_rate.assign(float(optimizer.learning_rate) * 0.1)
            mine.param_groups[0]["lr"] *= 0.1
        grad = (rng.normal(size=(3, 4)) * [1e-7, 1e-5, 1.0, 2.0]).astype("float32")
        optimizer.apply_gradients([(keras.ops.convert_to_tensor(grad), theirs)])
        ours.grad = torch.tensor(grad)
        mine.step()
    assert bool(code.gaps) is not exact
    return float(np.abs(theirs.numpy() - ours.detach().numpy()).max())


@pytest.mark.parametrize(("name", "arguments", "gap"), OPTIMIZERS, ids=str)
def test_optimizers(name: str, arguments: dict[str, object], gap: str) -> None:
    assert steps(name, arguments, exact=False) > 1e-5, f"{gap} does not show"
    assert steps(name, arguments, exact=True) < 2e-6


def test_an_exact_adam_goes_on_from_its_state() -> None:
    code = Objects(True).optimizer("adam", {}, {})
    assert isinstance(code, OptimizerCode)
    weights = [torch.nn.Parameter(torch.ones(3)) for _ in range(2)]
    first, second = (executed(code.call.format(params="[w]"), code.helpers, w=w) for w in weights)
    for weight in weights:
        weight.grad = torch.tensor([1e-6, 1.0, -2.0])
    for _ in range(3):
        first.step()
        second.step()
    resumed = executed(code.call.format(params="[w]"), code.helpers, w=weights[1])
    resumed.load_state_dict(second.state_dict())
    first.step()
    resumed.step()
    assert torch.equal(*weights)


def test_optimizers_without_a_gap_stay_as_they_are() -> None:
    for name in ("Adagrad", "Nadam", "RMSprop", "SGD"):
        plain, exact = (Objects(e).optimizer(f"tf.keras.optimizers.{name}", {}, {}) for e in (False, True))
        assert plain == exact


def normalised(exact: bool, shape: tuple[int, ...], keras_version: int = 3) -> LayerCode:
    x = Tensor((None, *shape[1:]), "float32")
    code = rulebook(keras_version, exact).layer("tf.keras.layers.BatchNormalization", {}, {}, (x,))
    assert isinstance(code, LayerCode)
    return code


@pytest.mark.parametrize("shape", [(5, 3), (3, 4, 3), (2, 3, 5, 3), (2, 3, 2, 2, 3)], ids=str)
@pytest.mark.parametrize("exact", [False, True])
def test_batch_normalization(shape: tuple[int, ...], exact: bool) -> None:
    import keras

    code = normalised(exact, shape)
    theirs, ours = keras.layers.BatchNormalization(), executed(code.module or "", code.helpers)
    rng = np.random.default_rng(1)
    for _ in range(4):
        x = (rng.normal(size=shape) * 3 + 1).astype("float32")
        y = theirs(x, training=True)
        mine = ours(torch.tensor(np.moveaxis(x, -1, 1)))
        np.testing.assert_allclose(np.moveaxis(mine.detach().numpy(), 1, -1), y, rtol=2e-4, atol=2e-5)
    np.testing.assert_allclose(ours.running_mean, theirs.moving_mean.numpy(), rtol=1e-5, atol=1e-6)
    difference = np.abs(ours.running_var.numpy() - theirs.moving_variance.numpy()).max()
    assert difference < 1e-5 if exact else difference > 1e-4
    assert bool(code.gaps) is not exact
    ours.eval()
    assert ours.num_batches_tracked == 4
    assert ours(torch.tensor(np.moveaxis(x, -1, 1))).shape == mine.shape


def test_images_of_keras_2_have_torchs_own_variance() -> None:
    assert normalised(True, (2, 3, 5, 3), 2).module == normalised(False, (2, 3, 5, 3), 2).module
    assert normalised(True, (5, 3), 2).module != normalised(False, (5, 3), 2).module


PROGRAM = """
import tensorflow as tf


def build():
    return tf.keras.Sequential(
        [tf.keras.Input((4, 5, 3)), tf.keras.layers.Conv2D(2, 3), tf.keras.layers.BatchNormalization()]
    )


def train(x, y):
    model = build()
    model.compile(tf.keras.optimizers.Adam(0.01), "mse")
    return model.fit(x, y, epochs=2)


def best(x, y):
    return tf.math.top_k(tf.maximum(x, y), 3)
"""


@pytest.mark.parametrize("fidelity", ["idiomatic", "exact"])
def test_a_program(fidelity: Fidelity, tmp_path: Path) -> None:
    (tmp_path / "net.py").write_text(PROGRAM)
    repo = source.read(tmp_path, (), ())
    file = steps_of.rewrite(repo, steps_of.know(repo), lambda *_: None, fidelity).render({})["net.py"]
    assert all(unit.text is not None for unit in file.units), [unit.declines for unit in file.units]
    own = ("class Adam(", "class BatchNorm2d(", "def larger(", "def first_top_k(")
    assert [text in file.text for text in own] == [fidelity == "exact"] * 4
    gaps = {gap for unit in file.units for gap in unit.gaps}
    notes = [note.partition(":")[0] for unit in file.units for note in unit.notes]
    assert gaps == (set() if fidelity == "exact" else {"adam-epsilon", "batchnorm-variance"})
    assert notes == ([] if fidelity == "exact" else ["tf.maximum", "tf.nn.top_k"])
