"""Both sides draw the same numbers, whatever the spelling."""

from __future__ import annotations

import numpy as np
import pytest
from migrator_validators.bench import Bench, Sides
from migrator_validators.cases import Call, Case
from migrator_validators.check import check_case
from migrator_validators.workers import Workers

from migrator.model import Outcome, Rung

HEAD = {
    "tf": """
import numpy as np
import tensorflow as tf
from migrator_probes import tf_injection
tf_injection.install()
from migrator_probes.streams import STREAMS
X = np.linspace(-1, 1, 24, dtype="float32").reshape(4, 6)
I = np.linspace(-1, 1, 96, dtype="float32").reshape(4, 2, 3, 4)
RESULT = {}
""",
    "torch": """
import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from migrator_probes import torch_injection
torch_injection.install()
from migrator_probes.streams import STREAMS
X = torch.linspace(-1, 1, 24).reshape(4, 6)
I = torch.linspace(-1, 1, 96).reshape(4, 2, 3, 4).permute(0, 3, 1, 2)
RESULT = {}
""",
}

SAME = {
    "Python's own beside a layer": (
        "(tf.keras.layers.Dense(2), tf.constant(__import__('random').random()))[1]",
        "(nn.Linear(3, 2), torch.tensor(__import__('random').random()))[1]",
    ),
    "normal": ("tf.random.normal((3, 2), 1.0, 2.0)", "torch.randn(3, 2) * 2.0 + 1.0"),
    "normal of tensors": ("tf.random.normal(tf.shape(X))", "torch.randn_like(X)"),
    "torch.normal": ("tf.random.normal((5,), 1.0, 0.5)", "torch.normal(1.0, 0.5, (5,))"),
    "images": ("tf.random.normal(tf.shape(I))", "torch.randn_like(I).permute(0, 2, 3, 1)"),
    "uniform": ("tf.random.uniform((4,), -1, 1)", "torch.rand(4) * 2 - 1"),
    "in place": ("tf.random.uniform((4,), -1, 1)", "torch.empty(4).uniform_(-1, 1)"),
    "integers": ("tf.random.uniform((6,), 2, 9, tf.int64)", "torch.randint(2, 9, (6,))"),
    "stateless": ("tf.random.stateless_normal((3,), (1, 2))", "torch.randn(3)"),
    "compat": ("tf.compat.v1.random_normal((3,))", "torch.randn((3,))"),
    "keras": ("tf.keras.random.normal((2, 2))", "torch.randn(2, 2)"),
    "categorical": (
        "tf.random.categorical([[0.0, 1.0]], 5)",
        "torch.multinomial(torch.tensor([[1.0, np.e]]), 5)",
    ),
    "behind recurrent layers that do not train": (
        "(tf.keras.layers.LSTM(3, dropout=0.5, recurrent_dropout=0.2)(I[:, 0]), "
        "tf.keras.layers.SimpleRNN(3, dropout=0.5)(I[:, 0]), tf.nn.dropout(X, 0.5))[-1]",
        "F.dropout(X, 0.5)",
    ),
    "a random crop": (
        "tf.image.random_crop(I[:, 0], (3, 3, 3))",
        "(lambda a, b, c: I.permute(0, 2, 3, 1)[a:a + 3, 0, b:b + 3, c:c + 3])"
        "(torch.randint(2, ()), torch.randint(1, (1,)), torch.randint(0, 2, ()))",
    ),
    "no draw among one": (
        "tf.stack([tf.random.uniform((), 3, 4, tf.int32), tf.random.uniform((), 0, 99, tf.int32)])",
        "torch.tensor([3, torch.randint(99, ())], dtype=torch.int32)",
    ),
    "shuffle": ("tf.random.shuffle(X)", "X[torch.randperm(4)]"),
    "dropout": ("tf.keras.layers.Dropout(0.3)(X, training=True)", "nn.Dropout(0.3)(X)"),
    "functional dropout": ("tf.nn.dropout(X, 0.3)", "F.dropout(X, 0.3)"),
    "keep_prob": ("tf.compat.v1.nn.dropout(X, keep_prob=0.7)", "F.dropout(X, 0.3)"),
    "spatial dropout": (
        "tf.keras.layers.SpatialDropout2D(0.3)(I, training=True)",
        "nn.Dropout2d(0.3)(I).permute(0, 2, 3, 1)",
    ),
    "no dropout in evaluation": ("tf.keras.layers.Dropout(0.3)(X, training=False)", "nn.Dropout(0.3).eval()(X)"),
    "noise layer": ("tf.keras.layers.GaussianNoise(0.1)(X, training=True)", "X + 0.1 * torch.randn_like(X)"),
    "initial values are no draws": (
        "(tf.keras.layers.Dense(6)(X), tf.random.normal((6, 6)))[1]",
        "(nn.Linear(6, 6), torch.randn(6, 6))[1]",
    ),
    "attention": (
        "tf.reduce_sum(tf.keras.layers.Dropout(0.4)(tf.ones((2, 3, 4, 4)), training=True), -1)[..., None] / 4",
        "F.scaled_dot_product_attention(*[torch.ones(2, 3, 4, 1)] * 3, dropout_p=0.4)",
    ),
}

DIFFERENT = {
    "another rate": ("tf.nn.dropout(X, 0.3)", "F.dropout(X, 0.5)"),
    "no dropout": ("tf.nn.dropout(X, 0.3)", "F.dropout(X, 0.3, training=False)"),
    "another distribution": ("tf.random.normal((3,))", "torch.rand(3)"),
    "another scale": ("tf.random.normal((3,), 0.0, 2.0)", "torch.randn(3)"),
    "keep_prob as rate": ("tf.compat.v1.nn.dropout(X, keep_prob=0.7)", "F.dropout(X, 0.7)"),
}


def program(side: str, pairs: dict[str, tuple[str, str]]) -> dict[str, str]:
    """A module that computes every expression of one side, each from the beginning of the streams."""
    index = 0 if side == "tf" else 1
    numpy = ".detach().numpy()" if side == "torch" else ".numpy()"
    lines = [f"STREAMS.restart(); RESULT[{name!r}] = ({texts[index]}){numpy}" for name, texts in pairs.items()]
    return {"program.py": HEAD[side] + "\n".join(lines)}


def outcome(workers: Workers, pairs: dict[str, tuple[str, str]]) -> tuple[Outcome, str]:
    case = Case(id="draws", kind="constant", call=Call(source="program:RESULT"))
    checked = check_case(case, pack(program("tf", pairs)), pack(program("torch", pairs)), workers)
    last = checked.verdicts[-1]
    assert last.rung is Rung.FORWARD, last
    return last.outcome, last.detail


def pack(files: dict[str, str]):  # type: ignore[no-untyped-def]
    from migrator_validators.workers import pack_tree

    return pack_tree(files)


def test_equal_programs_draw_equal_numbers(workers: Workers) -> None:
    assert outcome(workers, SAME) == (Outcome.PASS, "")


@pytest.mark.parametrize("name", DIFFERENT)
def test_unequal_programs_do_not(workers: Workers, name: str) -> None:
    assert outcome(workers, {name: DIFFERENT[name]})[0] is Outcome.FAIL


GAPS = """
from torch import optim
torch_injection.remove_gaps(NAMES)
w = nn.Parameter(torch.tensor([1.0, -2.0]))
optimizer = OPTIMIZER
for step in range(4):
    if step == 2:
        optimizer.param_groups[0]["lr"] *= 0.1
    optimizer.zero_grad()
    (torch.tensor([1e-5, 3.0]) * w * w).sum().backward()
    optimizer.step()
RESULT["w"] = w.detach().numpy()
bn = nn.BatchNorm2d(4, eps=1e-3, momentum=0.01)
bn(I)
RESULT["variance"] = bn.running_var.numpy() if "batchnorm-variance" in NAMES else np.zeros(4, "float32")
"""

KERAS = """
w = tf.Variable([1.0, -2.0])
optimizer = tf.keras.optimizers.OPTIMIZER
for step in range(4):
    if step == 2:
        optimizer.learning_rate = float(optimizer.learning_rate) * 0.1
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(tf.constant([1e-5, 3.0]) * w * w)
    optimizer.apply_gradients([(tape.gradient(loss, w), w)])
RESULT["w"] = w.numpy()
bn = tf.keras.layers.BatchNormalization()
bn(I, training=True)
RESULT["variance"] = bn.moving_variance.numpy() if BATCHNORM else np.zeros(4, "float32")
"""


@pytest.mark.parametrize(
    ("keras", "torch", "gaps", "equal"),
    [
        ("Adam(0.1)", "optim.Adam([w], lr=0.1, eps=1e-7)", ("adam-epsilon",), True),
        ("Adam(0.1)", "optim.Adam([w], lr=0.1, eps=1e-7)", (), False),
        ("AdamW(0.1)", "optim.AdamW([w], lr=0.1, eps=1e-7, weight_decay=0.004)", ("adam-epsilon",), True),
        ("SGD(0.1, momentum=0.9)", "optim.SGD([w], lr=0.1, momentum=0.9)", ("sgd-velocity",), True),
        ("SGD(0.1, momentum=0.9)", "optim.SGD([w], lr=0.1, momentum=0.9)", (), False),
        ("SGD(0.1)", "optim.SGD([w], lr=0.1)", ("batchnorm-variance",), True),
    ],
)
def test_documented_gaps_can_be_removed(
    workers: Workers, keras: str, torch: str, gaps: tuple[str, ...], equal: bool
) -> None:
    source = HEAD["tf"] + KERAS.replace("OPTIMIZER", keras).replace("BATCHNORM", str("batchnorm-variance" in gaps))
    target = HEAD["torch"] + GAPS.replace("OPTIMIZER", torch).replace("NAMES", repr(gaps))
    case = Case(id="gap", kind="constant", call=Call(source="program:RESULT"), tolerance="gradients")
    checked = check_case(case, pack({"program.py": source}), pack({"program.py": target}), workers)
    assert (checked.verdicts[-1].outcome is Outcome.PASS) == equal, checked.verdicts[-1]


SEEDED = """
import numpy as np
import tensorflow as tf
from migrator_probes import tf_injection
tf_injection.install()
RESULT = {}
for number, seed in enumerate((1, 2, 1)):
    tf.keras.utils.set_random_seed(seed)
    RESULT[f"r{number}"] = np.array(tf.keras.layers.Dense(3)(tf.ones((1, 4))))
    layer = tf.keras.layers.Dense(3)
    layer.build((1, 4))
    RESULT[f"w{number}"] = np.array(layer.kernel)
"""


def test_the_seed_of_a_run_is_that_of_initial_values_too(workers: Workers) -> None:
    case = Case(id="c", kind="constant", call=Call(source="m:RESULT"))
    reply = Bench(case, Sides(pack({"m.py": SEEDED}), pack({})), workers).source("plain")
    assert reply.status == "ok", reply.reason
    items = {name: reply.arrays[item["key"]] for name, item in reply.result["output"]["items"].items()}
    for name in ("r", "w"):
        np.testing.assert_array_equal(items[f"{name}0"], items[f"{name}2"])
        assert not np.array_equal(items[f"{name}0"], items[f"{name}1"])
