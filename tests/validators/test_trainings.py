"""Other ways of a training: what two short epochs do not reach is found."""

from __future__ import annotations

import ast
from collections.abc import Sequence

import pytest
from migrator_validators.cases import Array, Call, Case, Lit, Made, WeightMap, WeightPair
from migrator_validators.check import check_case
from migrator_validators.hints import Modules
from migrator_validators.trainings import other_owners, trainings
from migrator_validators.workers import Workers, pack_tree

from migrator.model import Outcome, Verdict

SOURCE = """
from tensorflow import keras


def build():
    return keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])


def train(model, x, y, epochs=2, batch=4):
    rate = keras.optimizers.schedules.PiecewiseConstantDecay([500], [1e-2, 1e-3])
    model.compile(keras.optimizers.SGD(rate, clipvalue=4.0), loss="mse")
    stop = keras.callbacks.EarlyStopping("loss", patience=3)
    return model.fit(x, y, batch_size=batch, epochs=epochs, shuffle=False, callbacks=[stop], verbose=0).history
"""

TARGET = """
import torch
import torch.nn.functional as F
from torch import nn
from torch.optim.lr_scheduler import LambdaLR

device = torch.device("cuda" if torch.cuda.is_available() else "cpu")


def build():
    return nn.Sequential(nn.Linear(3, 1)).to(device)


def train(model, x, y, epochs=2, batch=4):
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
    scheduler = LambdaLR(optimizer, lambda step: 1e-2 if step <= 500 else 1e-3)
    x, y = torch.as_tensor(x), torch.as_tensor(y)
    x, y = x.to(device), y.to(device)
    history, best, wait = {"loss": []}, float("inf"), 0
    for _ in range(epochs):
        total = 0.0
        for start in range(0, len(x), batch):
            xb, yb = x[start : start + batch], y[start : start + batch]
            loss = F.mse_loss(model(xb), yb)
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_value_(model.parameters(), 4.0)
            optimizer.step()
            scheduler.step()
            total += loss.item() * len(xb)
        history["loss"].append(total / len(x))
        wait += 1
        if history["loss"][-1] < best:
            best, wait = history["loss"][-1], 0
        elif wait >= 3:
            break
    return history
"""

MAP = WeightMap(
    pairs=(
        WeightPair(source="layers[0].kernel", target="0.weight", transform="T"),
        WeightPair(source="layers[0].bias", target="0.bias"),
    )
)
MODEL = Made(label="model", call=Call(source="program:build"), map=MAP)
X = Array(**{"as": "numpy"}, shape=(12, 3), scale=0.1)
Y = Array(**{"as": "numpy"}, shape=(12, 1), scale=0.1)
CASE = Case(id="train", kind="training", call=Call(source="program:train", args=(MODEL, X, Y)))
OTHERS = {case.id: case for case in trainings(CASE, Modules({"program": ast.parse(SOURCE)}))}


def not_passed(verdicts: Sequence[Verdict]) -> list[Verdict]:
    return [v for v in verdicts if v.outcome is not Outcome.PASS]


def failed(case: Case, workers: Workers, *change: str) -> str:
    target = TARGET.replace(*change) if change else TARGET
    trees = pack_tree({"program.py": SOURCE}), pack_tree({"program.py": target})
    found = not_passed(check_case(case, *trees, workers).verdicts)
    assert all(v.outcome is Outcome.FAIL for v in found), found
    return found[0].detail if found else ""


def test_the_text_says_which() -> None:
    assert list(OTHERS) == ["train-numbers", "train-waiting", "train-large"]
    assert OTHERS["train-waiting"].training.hold


@pytest.mark.parametrize("case", [CASE, *OTHERS.values()], ids=lambda case: case.id)
def test_a_right_training_passes_all(case: Case, workers: Workers) -> None:
    assert failed(case, workers) == ""


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("numbers", ("0, len(x), batch)", "0, len(x) - len(x) % batch, batch)")),
        ("waiting", ("wait >= 3", "wait >= 4")),
        ("waiting", ('best, wait = history["loss"][-1], 0', 'best = history["loss"][-1]')),
        ("large", ("clip_grad_value_(model.parameters(), 4.0)", "clip_grad_value_(model.parameters(), 8.0)")),
        ("large", ("nn.utils.clip_grad_value_(model.parameters(), 4.0)", "pass")),
    ],
)
def test_what_the_recorded_training_does_not_reach_is_found(
    name: str, change: tuple[str, str], workers: Workers
) -> None:
    assert failed(CASE, workers, *change) == ""
    assert failed(OTHERS[f"train-{name}"], workers, *change)


@pytest.mark.parametrize("change", [("step <= 500", "step < 500"), ("else 1e-3", "else 1e-4")])
def test_a_schedule_is_asked_for_rates_far_ahead(change: tuple[str, str], workers: Workers) -> None:
    assert "the learning rate at step 50" in failed(CASE, workers, *change)


NORM_SOURCE = SOURCE.replace("keras.layers.Dense(1)", "keras.layers.BatchNormalization(), keras.layers.Dense(1)")
NORM_SOURCE = NORM_SOURCE.replace('"loss", patience', "patience")
NORM_SOURCE = NORM_SOURCE.replace("verbose=0)", "validation_data=(x + 5.0, y), verbose=0)")
NORM_SOURCE = NORM_SOURCE.replace("fit(x,", "fit(x + 5.0,")
NORM_TARGET = TARGET.replace("nn.Linear(3, 1)", "nn.BatchNorm1d(3, eps=1e-3, momentum=0.01), nn.Linear(3, 1)")
NORM_TARGET = NORM_TARGET.replace("torch.as_tensor(x),", "torch.as_tensor(x) + 5.0,")
NORM_TARGET = NORM_TARGET.replace('{"loss": []}', '{"loss": [], "val_loss": []}').replace(
    '        wait += 1\n        if history["loss"][-1] < best:\n            best, wait = history["loss"][-1], 0',
    """        model.eval()
        with torch.no_grad():
            history["val_loss"].append(F.mse_loss(model(x), y).item())
        model.train()
        wait += 1
        if history["val_loss"][-1] < best:
            best, wait = history["val_loss"][-1], 0""",
)
NORM_MAP = WeightMap(
    pairs=(
        WeightPair(source="layers[0].gamma", target="0.weight"),
        WeightPair(source="layers[0].beta", target="0.bias"),
        WeightPair(source="layers[0].moving_mean", target="0.running_mean"),
        WeightPair(source="layers[0].moving_variance", target="0.running_var"),
        WeightPair(source="layers[1].kernel", target="1.weight", transform="T"),
        WeightPair(source="layers[1].bias", target="1.bias"),
    )
)


@pytest.mark.parametrize(("limit", "found"), [("wait >= 3", False), ("wait >= 4", True)])
def test_moving_statistics_are_held_while_nothing_improves(limit: str, found: bool, workers: Workers) -> None:
    case = OTHERS["train-waiting"]
    model = MODEL.model_copy(update={"map": NORM_MAP})
    call = case.call.model_copy(update={"args": (model, *case.call.args[1:])})
    case = case.model_copy(update={"call": call, "gaps": ("batchnorm-variance",)})
    trees = pack_tree({"program.py": NORM_SOURCE}), pack_tree({"program.py": NORM_TARGET.replace("wait >= 3", limit)})
    verdicts = check_case(case, *trees, workers).verdicts
    assert any(v.outcome is Outcome.FAIL for v in verdicts) == found, verdicts
    assert all(v.outcome in (Outcome.PASS, Outcome.GAP, Outcome.FAIL) for v in verdicts), verdicts


OWNER = """
class Trainer:
    def __init__(self, width, rate=0.1, log_dir=None, name=None, decay=True, seed=3):
        pass

    def fit(self, x):
        pass
"""


def test_the_object_of_a_method_is_made_in_other_ways() -> None:
    made = Made(label="t", call=Call(source="m:Trainer", args=(Lit(value=4),)))
    fit = Case(id="fit", kind="training", call=Call(source="fit", on=made))
    found = other_owners([fit, fit.model_copy(update={"kind": "function"})], Modules({"m": ast.parse(OWNER)}))
    changed = {case.id: case.call.on.call.kwargs for case in found if isinstance(case.call.on, Made)}
    assert {
        name: {k: a.value for k, a in kwargs.items() if isinstance(a, Lit)} for name, kwargs in changed.items()
    } == {
        "fit-again": {},
        "fit-fractions": {"rate": 0.05},
        "fit-places": {"log_dir": "written-by-the-program"},
        "fit-decay-False": {"decay": False},
    }
    assert not other_owners([fit.model_copy(update={"kind": "function"})], Modules({"m": ast.parse(OWNER)}))


KEPT_SOURCE = """
import tensorflow as tf


class Trainer:
    def __init__(self):
        self.model = tf.keras.Sequential([tf.keras.Input((3,)), tf.keras.layers.Dense(1)])
        self.optimizer = tf.keras.optimizers.SGD(0.1, momentum=0.9)
        self.saved = tf.train.Checkpoint(model=self.model, optimizer=self.optimizer)

    def fit(self, x, y):
        losses = []
        for _ in range(3):
            with tf.GradientTape() as tape:
                loss = tf.reduce_mean(tf.square(self.model(x) - y))
            grads = tape.gradient(loss, self.model.trainable_variables)
            self.optimizer.apply_gradients(zip(grads, self.model.trainable_variables))
            losses.append(float(loss))
        return losses

    def save(self, path):
        return self.saved.write(path)

    def restore(self, path):
        self.saved.read(path)
"""

KEPT_TARGET = """
import torch
from torch import nn

device = torch.device("cuda" if torch.cuda.is_available() else "cpu")


class Trainer:
    def __init__(self):
        self.model = nn.Sequential(nn.Linear(3, 1)).to(device)
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=0.1, momentum=0.9)

    def fit(self, x, y):
        losses = []
        for _ in range(3):
            loss = (self.model(x) - y).square().mean()
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
            losses.append(loss.item())
        return losses

    def save(self, path):
        torch.save({"model": self.model.state_dict(), "optimizer": self.optimizer.state_dict()}, path)
        return path

    def restore(self, path):
        states = torch.load(path, map_location=device)
        self.model.load_state_dict(states["model"])
        self.optimizer.load_state_dict(states["optimizer"])
"""


@pytest.mark.parametrize(
    ("change", "right"),
    [
        (("", ""), True),
        (('        self.model.load_state_dict(states["model"])\n', ""), False),
        (('        self.optimizer.load_state_dict(states["optimizer"])\n', ""), False),
        (("return path", 'return path + ".pt"'), False),
    ],
)
def test_what_is_saved_and_restored_goes_on_as_it_did(change: tuple[str, str], right: bool, workers: Workers) -> None:
    pairs = tuple(p.model_copy(update={"target": f"model.{p.target}"}) for p in MAP.pairs)
    pairs = tuple(p.model_copy(update={"source": f"model.{p.source}"}) for p in pairs)
    made = Made(label="t", call=Call(source="program:Trainer"), map=WeightMap(pairs=pairs))
    given = (Array(shape=(12, 3), scale=0.1), Array(shape=(12, 1), scale=0.1))
    fit = Case(id="fit", kind="training", call=Call(source="fit", on=made, args=given))
    again, case = other_owners([fit], Modules({"program": ast.parse(KEPT_SOURCE)}))
    assert again.training.times == 3
    assert case.training.kept == ("save", "restore")
    trees = pack_tree({"program.py": KEPT_SOURCE}), pack_tree({"program.py": KEPT_TARGET.replace(*change)})
    plain = not_passed(check_case(fit, *trees, workers).verdicts)
    assert not plain
    found = not_passed(check_case(case, *trees, workers).verdicts)
    assert (not found) is right
