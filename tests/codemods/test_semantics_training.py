"""Differences of training that change numbers without a sound: the migrated program agrees, the obvious one does not.

The obvious spelling is the migrated text with one thing as torch has it by default. Each case is named after its entry
in the list of measured differences between TensorFlow and PyTorch; that the migrated programs themselves agree is
tested with the programs.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
torch = pytest.importorskip("torch")
keras = pytest.importorskip("keras")

from migrator.codemods.context import Draft  # noqa: E402
from tests.codemods.test_training_numeric import agree  # noqa: E402
from tests.codemods.training_programs import PROGRAMS  # noqa: E402
from tests.codemods.training_support import draft, torch_module  # noqa: E402


@dataclass(frozen=True)
class Case:
    """`program`: whose text is changed; `old`: what it writes; `new`: the obvious text."""

    entry: str
    program: str
    old: str
    new: str


BOUNDED = "optimizer.register_step_post_hook(model.constrain_weights)"
WEIGHTED, LOADED = ".mean(dim=-1) * weight).mean()", "loader = make_loader(x, y, batch_size=8)"
CASES = [
    Case("5.1 softmax before a loss of scores", "classifier", "logits = model.logits(x)", "logits = model(x)"),
    Case(
        "5.13 division by the weights",
        "weighted and own metrics",
        WEIGHTED,
        ".mean(dim=-1) * weight).sum() / weight.sum()",
    ),
    Case(
        "5.14 division by the class weights",
        "weights and callbacks",
        WEIGHTED,
        ".mean(dim=-1) * weight).sum() / weight.sum()",
    ),
    Case("5.16 Huber", "regression", "F.huber_loss(pred, y)", "F.smooth_l1_loss(pred, y, beta=0.5)"),
    Case("5.24 penalties are part of the loss", "classifier", " + model.regularization_loss()", ""),
    Case("activity is part of the loss", "sparse activity", " + added_losses(model)", ""),
    Case("6.19 constraints follow every step of fit", "bounded weights", BOUNDED, ""),
    Case("6.19 constraints follow every step of a tape", "bounded weights by a tape", BOUNDED, ""),
    Case(
        "6.2 epsilon inside the root",
        "schedule",
        'torch.rsqrt(square_avg + group["eps"])',
        '(1 / (square_avg.sqrt() + group["eps"] * 1e5))',
    ),
    Case(
        "6.9 decay of every weight",
        "classifier",
        "SGD(model.parameters(), lr=0.01)",
        "SGD(model.parameters(), lr=0.01, weight_decay=2e-2)",
    ),
    Case(
        "6.11 joint norm",
        "regression",
        "for p in model.parameters():  # each tensor is clipped on its own\n"
        "                    torch.nn.utils.clip_grad_norm_(p, max_norm=0.5)",
        "torch.nn.utils.clip_grad_norm_(model.parameters(), max_norm=0.5)",
    ),
    Case("6.13 gradients add up", "classifier", "                optimizer.zero_grad()\n", ""),
    Case("7.1 a schedule of epochs", "schedule", "                scheduler.step()\n", ""),
    Case("7.6 relative threshold", "weights and callbacks", 'threshold=1e-4, threshold_mode="abs"', "threshold=0.3"),
    Case("8.1 size of a batch", "classifier", "make_loader(x, y, batch_size=8)", "make_loader(x, y, batch_size=1)"),
    Case(
        "8.1 the last batch",
        "classifier",
        "batch_size=batch_size, shuffle=shuffle)",
        "batch_size=batch_size, drop_last=len(x) > 16)",
    ),
    Case(
        "8.2 the last part is held out",
        "compiled elsewhere",
        "make_loader(x[split:], y[split:], ",
        "make_loader(x[:-split], y[:-split], ",
    ),
    Case(
        "8.3 mean of means",
        "classifier",
        'totals["loss"] += loss.item() * len(x)',
        'totals["loss"] += loss.item() * count / max(len(x), 1)',
    ),
]


def changed(made: Draft, old: str, new: str) -> Draft:
    """The draft with one text for another in what it writes and in its helpers."""
    helpers = tuple(replace(helper, source=helper.source.replace(old, new)) for helper in made.helpers)
    return replace(made, text=None if made.text is None else made.text.replace(old, new), helpers=helpers)


def both(name: str, old: str, new: str) -> tuple[Any, Any]:
    """What the original and the changed program give for the same data and weights."""
    program = next(p for p in PROGRAMS if p.name == name)
    made = draft(program.source)
    wrong = changed(made, old, new)
    assert wrong != made, f"{old!r} is not written"
    theirs: dict[str, Any] = {}
    keras.utils.clear_session()
    exec(program.source, theirs)
    keras.utils.set_random_seed(0)
    source, target = theirs["build_model"](), torch_module(wrong, program.model)
    model = target["build_model"]()
    with torch.no_grad():
        for parameter, weight in zip(model.parameters(), source.get_weights(), strict=True):
            parameter.copy_(torch.tensor(weight.T.copy()))
    rng = np.random.default_rng(0)
    x, x_val = rng.normal(size=(30, 6)).astype("float32"), rng.normal(size=(11, 6)).astype("float32")
    data = (x, rng.integers(0, 4, 30), x_val, rng.integers(0, 4, 11))
    return theirs["main"](data, source), target["main"](data, model)


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.entry)
def test_the_obvious_spelling_is_wrong(case: Case) -> None:
    expected, got = both(case.program, case.old, case.new)
    with pytest.raises(AssertionError):
        agree(expected, got)


def test_7_6_patience_of_the_plateau() -> None:
    """Keras counts the epoch that it acts on: with the same patience torch waits one epoch more."""
    losses = [1.0, 0.9, 0.95, 0.92, 0.91, 0.93, 0.5, 0.6, 0.7, 0.8, 0.9]
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(1.0))
    callback = keras.callbacks.ReduceLROnPlateau(monitor="loss", factor=0.5, patience=2)
    callback.set_model(model)
    callback.on_train_begin()
    expected = []
    for epoch, loss in enumerate(losses):
        callback.on_epoch_end(epoch, {"loss": loss})
        expected.append(float(model.optimizer.learning_rate))
    assert expected == _plateau(losses, patience=1)
    assert expected != _plateau(losses, patience=2)


def _plateau(losses: list[float], patience: int) -> list[float]:
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    kept = {"factor": 0.5, "threshold": 1e-4, "threshold_mode": "abs"}
    scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, patience=patience, **kept)
    rates = []
    for loss in losses:
        scheduler.step(loss)
        rates.append(optimizer.param_groups[0]["lr"])
    return rates
