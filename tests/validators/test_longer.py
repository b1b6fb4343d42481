"""Both programs with more epochs than their texts state."""

from __future__ import annotations

import ast
import io
import zipfile

import pytest
from migrator_validators.cases import Call, Case
from migrator_validators.check import check_case
from migrator_validators.hints import Modules
from migrator_validators.longer import longer
from migrator_validators.trainings import trainings
from migrator_validators.workers import Tree, Workers, pack_tree

from migrator.model import Outcome

FIT = 'print("three")\nmodel.fit(x, y, batch_size=3, epochs=3)\n'
LOOP = "for epoch in range(3):  # 3 of them\n    for i in range(3):\n        train(3)\n"


def text(tree: Tree) -> str:
    with zipfile.ZipFile(io.BytesIO(tree.data)) as archive:
        return archive.read("m.py").decode()


@pytest.mark.parametrize(
    ("source", "target", "changed"),
    [
        (FIT, LOOP, ("epochs=9)", "for epoch in range(9):  # 3")),
        ("EPOCHS = 3\n", "EPOCHS = 3\n", ("EPOCHS = 9", "EPOCHS = 9")),
        ("def f(x, epochs=3): pass\n", "def f(x, *, epochs=3): pass\n", ("epochs=9", "epochs=9")),
        (FIT, 'p.add_argument("--epochs", type=int, default=3)\n', ("epochs=9", "default=9")),
        (FIT, 'flags.DEFINE_integer("epochs", 3, "how many")\n', ("epochs=9", '"epochs", 9')),
    ],
)
def test_numbers_of_epochs_are_others_on_both_sides(source: str, target: str, changed: tuple[str, str]) -> None:
    found = longer(pack_tree({"m.py": source}), pack_tree({"m.py": target}), 9)
    assert found is not None
    for tree, part, before in zip(found, changed, (source, target), strict=True):
        assert part in text(tree)
        assert len(text(tree)) == len(before)


@pytest.mark.parametrize(
    "target",
    [
        "for epoch in range(4):\n    pass\n",  # another number: nothing says that it is the same one
        "for i in range(3):\n    pass\n",
        "run(model, loader, 3)\n",
        LOOP + LOOP,
    ],
)
def test_what_the_sides_do_not_share_stays(target: str) -> None:
    assert longer(pack_tree({"m.py": FIT}), pack_tree({"m.py": target}), 9) is None


def test_more_epochs_than_asked_for_stay() -> None:
    tree = pack_tree({"m.py": "EPOCHS = 30\n"})
    found = longer(tree, tree, 9)
    assert found is not None
    assert text(found[0]) == "EPOCHS = 30\n"


SOURCE = """
import numpy as np
from tensorflow import keras

rng = np.random.RandomState(0)
x = rng.rand(8, 3).astype("float32")
y = x.sum(1, keepdims=True)
model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
model.compile(keras.optimizers.SGD(1e-2), loss="mse")
stop = keras.callbacks.EarlyStopping(monitor="loss", patience=5)
history = model.fit(x, y, batch_size=4, epochs=2, shuffle=False, callbacks=[stop], verbose=0)
"""
TARGET = """
import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

rng = np.random.RandomState(0)
x = rng.rand(8, 3).astype("float32")
y = x.sum(1, keepdims=True)
model = nn.Linear(3, 1)
optimizer = torch.optim.SGD(model.parameters(), lr=1e-2)
history, best, wait = {"loss": []}, float("inf"), 0
for epoch in range(2):
    total = 0.0
    for start in range(0, len(x), 4):
        loss = F.mse_loss(model(torch.as_tensor(x[start : start + 4])), torch.as_tensor(y[start : start + 4]))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item() / 2
    history["loss"].append(total)
    wait += 1
    if total < best:
        best, wait = total, 0
    elif wait >= 5:
        break
"""
CASE = Case(id="m", kind="training", call=Call(source="m:__main__"))


def test_a_script_waits_as_long_as_its_patience(workers: Workers) -> None:
    waiting = next(c for c in trainings(CASE, Modules({"m": ast.parse(SOURCE)})) if c.id.endswith("waiting"))

    def outcomes(case: Case, target: str) -> set[Outcome]:
        found = check_case(case, pack_tree({"m.py": SOURCE}), pack_tree({"m.py": target}), workers)
        return {v.outcome for v in found.verdicts}

    late = TARGET.replace("wait >= 5", "wait >= 6")
    assert outcomes(CASE, late) == {Outcome.PASS}
    assert outcomes(waiting, TARGET) == {Outcome.PASS}
    assert Outcome.FAIL in outcomes(waiting, late)
