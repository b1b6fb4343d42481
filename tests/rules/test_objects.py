"""Records of losses, metrics, optimizers and schedules against the installed Keras."""

from __future__ import annotations

import inspect
import math
import os
from bisect import bisect_left
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from migrator.model import Decline, LossCode, MetricCode, OptimizerCode, OutputFacts
from migrator.rules.objects import Objects, losses, metrics, optimizers
from migrator.rules.objects.schedules import schedule_of
from migrator.values import Instance, Literal, Sequence

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
torch = pytest.importorskip("torch")
F = torch.nn.functional
objects = Objects()
RNG = np.random.default_rng(0)
ROWS, WIDTH = 7, 5


@pytest.fixture(scope="module")
def keras() -> Any:
    return pytest.importorskip("keras")


def given(**arguments: object) -> tuple[dict[str, str], dict[str, Literal]]:
    return {k: repr(v) for k, v in arguments.items()}, {k: Literal(v) for k, v in arguments.items()}


def run(code: str, helpers: Any = (), **names: object) -> Any:
    scope: dict[str, Any] = {"torch": torch, "F": F, "math": math, **names}
    for helper in helpers:
        exec(helper.source, scope)
    return eval(code, scope)


# --- signatures ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("rule", [*losses.RULES, *optimizers.RULES, *metrics.RULES], ids=lambda r: r.api)
def test_parameters_are_those_of_keras(rule: Any, keras: Any) -> None:
    if not rule.api.startswith("tf."):
        return
    owner: Any = keras
    for part in rule.api.removeprefix("tf.keras.").split("."):
        owner = getattr(owner, part)
    real = [p for p in inspect.signature(owner.__init__).parameters.values() if p.name not in ("self", "kwargs")]
    mine = dict(rule.parameters)
    assert list(mine) == [p.name for p in real]
    loose = {"name", "dtype"}
    assert {k: v for k, v in mine.items() if k not in loose} == {p.name: p.default for p in real if p.name not in loose}


# --- losses -------------------------------------------------------------------------------------------


def probabilities(shape: tuple[int, ...]) -> np.ndarray:
    raw = RNG.uniform(0.1, 1.0, shape)
    return (raw / raw.sum(-1, keepdims=True)).astype("float32")


def targets(target: str, shape: tuple[int, ...], kind: str) -> np.ndarray:
    if target == "ids":
        return RNG.integers(0, shape[-1], shape[:-1])
    if kind == "onehot":
        return np.eye(shape[-1], dtype="float32")[RNG.integers(0, shape[-1], shape[:-1])]
    if kind == "binary":
        return RNG.integers(0, 2, shape).astype("float32")
    return RNG.uniform(0.1, 2.0, shape).astype("float32")


# name, arguments, kind of targets, prediction: logits / probs / real
LOSSES: tuple[tuple[str, Mapping[str, object], str, str], ...] = (
    ("SparseCategoricalCrossentropy", {"from_logits": True}, "", "logits"),
    ("SparseCategoricalCrossentropy", {}, "", "probs"),
    ("CategoricalCrossentropy", {"from_logits": True}, "onehot", "logits"),
    ("CategoricalCrossentropy", {"from_logits": True, "label_smoothing": 0.1}, "onehot", "logits"),
    ("CategoricalCrossentropy", {}, "onehot", "probs"),
    ("BinaryCrossentropy", {"from_logits": True}, "binary", "logits"),
    ("BinaryCrossentropy", {"from_logits": True, "label_smoothing": 0.2}, "binary", "logits"),
    ("BinaryCrossentropy", {}, "binary", "probs"),
    ("MeanSquaredError", {}, "real", "logits"),
    ("MeanAbsoluteError", {}, "real", "logits"),
    ("MeanAbsolutePercentageError", {}, "real", "logits"),
    ("MeanSquaredLogarithmicError", {}, "real", "probs"),
    ("Huber", {}, "real", "logits"),
    ("Huber", {"delta": 0.5}, "real", "logits"),
    ("LogCosh", {}, "real", "logits"),
    ("KLDivergence", {}, "onehot", "probs"),
    ("CosineSimilarity", {}, "real", "logits"),
    ("Poisson", {}, "real", "probs"),
    ("Hinge", {}, "binary", "logits"),
    ("SquaredHinge", {}, "real", "logits"),
)


@pytest.mark.parametrize("shape", [(ROWS, WIDTH), (ROWS, 1), (ROWS, 3, WIDTH)], ids=str)
@pytest.mark.parametrize(("name", "arguments", "kind", "prediction"), LOSSES, ids=lambda v: str(v))
def test_loss_and_its_gradient(
    name: str, arguments: dict[str, object], kind: str, prediction: str, shape: tuple[int, ...], keras: Any
) -> None:
    import tensorflow as tf

    if shape[-1] == 1 and "ategorical" in name:
        return
    output = OutputFacts(rank=len(shape), width=shape[-1])
    code = objects.loss(f"tf.keras.losses.{name}", *given(**arguments), output)
    assert isinstance(code, LossCode)
    p = probabilities(shape) if prediction == "probs" else RNG.normal(size=shape).astype("float32")
    if shape[-1] == 1 and prediction == "probs":
        p = RNG.uniform(0.05, 0.95, shape).astype("float32")
    y = targets(code.target, shape, kind)
    theirs = tf.Variable(p)
    with tf.GradientTape() as tape:
        expected = getattr(keras.losses, name)(**arguments)(y, theirs)
    ours = torch.tensor(p, requires_grad=True)
    got = run(code.mean.format(p="p", y="y"), code.helpers, p=ours, y=torch.tensor(y))
    got.backward()
    np.testing.assert_allclose(got.item(), float(expected), rtol=2e-5, atol=1e-6)
    np.testing.assert_allclose(ours.grad.numpy(), tape.gradient(expected, theirs).numpy(), rtol=1e-4, atol=1e-6)
    if code.rows is not None:
        rows = run(code.rows.format(p="p", y="y"), code.helpers, p=torch.tensor(p), y=torch.tensor(y))
        plain = getattr(keras.losses, name)(**arguments, reduction="none")(y, p)
        np.testing.assert_allclose(rows.numpy(), plain.numpy(), rtol=1e-4, atol=1e-6)


def test_a_loss_that_is_summed(keras: Any) -> None:
    code = objects.loss("tf.keras.losses.Huber", *given(reduction="sum"), OutputFacts(2, 3))
    assert isinstance(code, LossCode)
    p, y = RNG.normal(size=(5, 3)).astype("float32"), RNG.normal(size=(5, 3)).astype("float32")
    ours = run(code.mean.format(p="p", y="y"), p=torch.tensor(p), y=torch.tensor(y))
    np.testing.assert_allclose(ours.item(), float(keras.losses.Huber(reduction="sum")(y, p)), rtol=1e-5)


def test_logits_of_a_model_that_ends_in_softmax() -> None:
    code = objects.loss("sparse_categorical_crossentropy", {}, {}, OutputFacts(2, 10, "softmax"))
    assert isinstance(code, LossCode)
    assert (code.mean, code.on_logits) == ("F.cross_entropy({p}, {y})", True)


@pytest.mark.parametrize(
    ("name", "arguments", "activation"),
    [
        ("SparseCategoricalCrossentropy", {"from_logits": True}, "softmax"),
        ("SparseCategoricalCrossentropy", {"ignore_class": 0}, ""),
        ("SparseCategoricalCrossentropy", {"axis": 1}, ""),
        ("MeanSquaredError", {"reduction": "median"}, ""),
        ("CTC", {}, ""),
    ],
    ids=str,
)
def test_losses_that_are_declined(name: str, arguments: dict[str, object], activation: str) -> None:
    output = OutputFacts(2, 10, activation)
    assert isinstance(objects.loss(f"tf.keras.losses.{name}", *given(**arguments), output), Decline)


def test_a_value_that_is_not_constant_is_declined() -> None:
    code = objects.loss("tf.keras.losses.Huber", {"delta": "delta"}, {}, OutputFacts(2, 1))
    assert isinstance(code, Decline)


# --- metrics ------------------------------------------------------------------------------------------

METRICS: tuple[tuple[str, Mapping[str, object], str, tuple[int, ...], str], ...] = (
    ("SparseCategoricalAccuracy", {}, "ids", (ROWS, WIDTH), ""),
    ("SparseCategoricalAccuracy", {}, "ids", (ROWS, 3, WIDTH), ""),
    ("CategoricalAccuracy", {}, "output", (ROWS, WIDTH), "onehot"),
    ("BinaryAccuracy", {}, "column", (ROWS, 1), "binary"),
    ("BinaryAccuracy", {"threshold": 0.7}, "output", (ROWS, WIDTH), "binary"),
    ("TopKCategoricalAccuracy", {"k": 2}, "output", (ROWS, WIDTH), "onehot"),
    ("SparseTopKCategoricalAccuracy", {"k": 3}, "ids", (ROWS, WIDTH), ""),
    ("SparseTopKCategoricalAccuracy", {"k": 8}, "ids", (ROWS, WIDTH), ""),
    ("SparseTopKCategoricalAccuracy", {"k": 2}, "ids", (ROWS, 4, WIDTH), ""),
    ("TopKCategoricalAccuracy", {"k": 2}, "output", (ROWS, 4, WIDTH), "onehot"),
    ("MeanAbsoluteError", {}, "column", (ROWS, 1), "real"),
    ("MeanSquaredError", {}, "output", (ROWS, WIDTH), "real"),
    ("RootMeanSquaredError", {}, "output", (ROWS, 3, WIDTH), "real"),
    ("BinaryCrossentropy", {}, "column", (ROWS, 1), "binary"),
    ("BinaryCrossentropy", {"label_smoothing": 0.2}, "output", (ROWS, WIDTH), "binary"),
    ("CategoricalCrossentropy", {}, "output", (ROWS, WIDTH), "onehot"),
    ("SparseCategoricalCrossentropy", {}, "ids", (ROWS, WIDTH), ""),
    ("MeanAbsolutePercentageError", {}, "output", (ROWS, WIDTH), "real"),
    ("MeanSquaredLogarithmicError", {}, "output", (ROWS, WIDTH), "binary"),
    ("KLDivergence", {}, "output", (ROWS, WIDTH), "onehot"),
    ("LogCoshError", {}, "column", (ROWS, 1), "real"),
    ("Poisson", {}, "output", (ROWS, WIDTH), "binary"),
    ("Hinge", {}, "output", (ROWS, WIDTH), "binary"),
    ("SquaredHinge", {}, "output", (ROWS, WIDTH), "binary"),
)


@pytest.mark.parametrize(("name", "arguments", "target", "shape", "kind"), METRICS, ids=str)
def test_metric_over_batches(
    name: str, arguments: dict[str, object], target: str, shape: tuple[int, ...], kind: str, keras: Any
) -> None:
    loss = LossCode("", "", None, target)
    code = objects.metric(f"tf.keras.metrics.{name}", *given(**arguments), OutputFacts(len(shape), shape[-1]), loss)
    assert isinstance(code, MetricCode)
    theirs = getattr(keras.metrics, name)(**arguments)
    total, count = 0.0, 0
    for rows in (shape[0], 3):
        p, y = probabilities((rows, *shape[1:])), targets(target, (rows, *shape[1:]), kind)
        theirs.update_state(y, p)
        values = {"p": torch.tensor(p), "y": torch.tensor(y)}
        total += run(code.total.format(p="p", y="y"), code.helpers, **values).item()
        one_each = run(code.rows.format(p="p", y="y"), code.helpers, **values)
        assert one_each.shape == (rows,) or len(shape) > 2
        count += rows
    figure = eval(code.result.replace("{mean}", repr(total / count)))
    np.testing.assert_allclose(figure, float(theirs.result()), rtol=1e-5)
    assert code.name == theirs.name


def test_accuracy_is_resolved_by_shapes() -> None:
    ids, column = LossCode("", "", None, "ids"), LossCode("", "", None, "column")
    sparse = objects.metric("accuracy", {}, {}, OutputFacts(2, 10), ids)
    binary = objects.metric("acc", {}, {}, OutputFacts(2, 1), column)
    assert isinstance(sparse, MetricCode)
    assert isinstance(binary, MetricCode)
    assert "argmax" in sparse.total
    assert "> 0.5" in binary.total
    assert (sparse.name, binary.name) == ("accuracy", "acc")
    assert isinstance(objects.metric("accuracy", {}, {}, OutputFacts(2), LossCode("", "", None, "output")), Decline)
    assert isinstance(objects.metric("MeanIoU", {}, {}, OutputFacts(2, 1), column), Decline)


@pytest.mark.parametrize(("version", "key"), [(3, "kl_divergence"), (2, "kullback_leibler_divergence")])
def test_the_key_of_a_metric_of_either_keras(version: int, key: str) -> None:
    loss = LossCode("", "", None, "output")
    code = Objects(keras=version).metric("tf.keras.metrics.KLDivergence", {}, {}, OutputFacts(2, 4), loss)
    assert isinstance(code, MetricCode)
    assert code.name == key


def test_top_k_of_an_unknown_rank_is_declined() -> None:
    ids = LossCode("", "", None, "ids")
    assert isinstance(objects.metric("sparse_top_k_categorical_accuracy", {}, {}, OutputFacts(None, 4), ids), Decline)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("AUC", {}),
        ("AUC", {"num_thresholds": 50}),
        ("Precision", {}),
        ("Recall", {"thresholds": 0.3}),
        ("TruePositives", {}),
        ("FalsePositives", {"thresholds": 0.4}),
        ("TrueNegatives", {}),
        ("FalseNegatives", {}),
    ],
    ids=str,
)
def test_metric_over_all_rows(name: str, arguments: dict[str, object], keras: Any) -> None:
    loss = LossCode("", "", None, "column")
    code = objects.metric(f"tf.keras.metrics.{name}", *given(**arguments), OutputFacts(2, 1), loss)
    assert isinstance(code, MetricCode)
    y, p = RNG.integers(0, 2, (40, 1)).astype("float32"), RNG.uniform(0, 1, (40, 1)).astype("float32")
    theirs = getattr(keras.metrics, name)(**arguments)
    theirs.update_state(y[:25], p[:25])
    theirs.update_state(y[25:], p[25:])
    figure = run(code.gathered.format(p="p", y="y"), code.helpers, p=torch.tensor(p), y=torch.tensor(y))
    np.testing.assert_allclose(figure, float(theirs.result()), rtol=1e-5)


# --- optimizers ---------------------------------------------------------------------------------------

OPTIMIZERS: tuple[tuple[str, Mapping[str, object]], ...] = (
    ("SGD", {}),
    ("SGD", {"learning_rate": 0.1, "momentum": 0.9, "nesterov": True}),
    ("SGD", {"clipnorm": 0.5}),
    ("SGD", {"clipvalue": 0.3}),
    ("SGD", {"global_clipnorm": 0.5}),
    ("Adam", {}),
    ("Adam", {"beta_1": 0.5, "amsgrad": True}),
    ("Adam", {"weight_decay": 0.01}),
    ("AdamW", {}),
    ("RMSprop", {}),
    ("RMSprop", {"rho": 0.8, "momentum": 0.9}),
    ("Adagrad", {"learning_rate": 0.1}),
    ("Adadelta", {"learning_rate": 1.0}),
    ("Adamax", {}),
    ("Nadam", {}),
    ("Lion", {"learning_rate": 0.01}),
    ("Lion", {"beta_1": 0.8, "beta_2": 0.95}),
    ("Lamb", {}),
    ("Lamb", {"learning_rate": 0.05, "beta_1": 0.8, "beta_2": 0.95, "epsilon": 1e-3}),
    ("Lamb", {"weight_decay": 0.2, "clipnorm": 0.5}),
    ("Ftrl", {"learning_rate": 0.1}),
    ("Ftrl", {"l1_regularization_strength": 0.01, "l2_regularization_strength": 0.02, "beta": 0.1}),
    ("Ftrl", {"learning_rate_power": -0.3, "l2_shrinkage_regularization_strength": 0.1}),
    ("RMSprop", {"centered": True}),
    ("RMSprop", {"centered": True, "momentum": 0.8, "rho": 0.7, "epsilon": 1e-3}),
    ("Adafactor", {}),
    ("Adafactor", {"learning_rate": 0.5, "clip_threshold": 0.7, "epsilon_2": 0.01}),
    ("Adafactor", {"learning_rate": 0.5, "relative_step": False, "beta_2_decay": -0.5}),
    ("SGD", {"learning_rate": 0.1, "momentum": 0.9, "weight_decay": 0.05}),
    ("RMSprop", {"learning_rate": 0.01, "weight_decay": 0.1, "clipnorm": 0.5}),
    ("Nadam", {"weight_decay": 0.2}),
    ("Lion", {"weight_decay": 0.2}),
    ("Adafactor", {"weight_decay": 0.3}),
    ("ScheduleFreeAdamW", {}),
    ("ScheduleFreeAdamW", {"learning_rate": 0.1, "beta_1": 0.7, "beta_2": 0.9, "epsilon": 1e-3, "warmup_steps": 8}),
    ("ScheduleFreeAdamW", {"global_clipnorm": 0.5}),
    ("SGD", {"learning_rate": 0.1, "use_ema": True}),
    ("Nadam", {"use_ema": True, "ema_momentum": 0.8, "ema_overwrite_frequency": 5, "weight_decay": 0.1}),
    ("Lion", {"use_ema": False, "ema_momentum": 0.8, "ema_overwrite_frequency": 5}),
)


@pytest.mark.parametrize(("name", "arguments"), OPTIMIZERS, ids=str)
def test_optimizer_steps(name: str, arguments: dict[str, object], keras: Any) -> None:
    import tensorflow as tf

    code = objects.optimizer(f"tf.keras.optimizers.{name}", *given(**arguments))
    assert isinstance(code, OptimizerCode)
    start = [RNG.normal(size=size).astype("float32") for size in ((4,), (4,), (3, 2))]
    theirs = [keras.Variable(row) for row in start]
    ours = [torch.nn.Parameter(torch.tensor(row)) for row in start]
    optimizer = getattr(keras.optimizers, name)(**arguments)
    model = SimpleNamespace(parameters=lambda: iter(ours))
    mine = run(code.call.format(params="model.parameters()"), code.helpers, model=model)
    for step in range(12):
        if step == 6 and "sgd-velocity" not in code.gaps:  # Keras's velocity holds the old rate: documented
            optimizer.learning_rate = 0.3 * float(optimizer.learning_rate)
            mine.param_groups[0]["lr"] *= 0.3
        grads = [RNG.normal(size=row.shape).astype("float32") for row in start]
        optimizer.apply_gradients(zip([tf.constant(g) for g in grads], theirs, strict=True))
        for parameter, grad in zip(ours, grads, strict=True):
            parameter.grad = torch.tensor(grad)
        exec("\n".join(code.clip).format(params="model.parameters()"), {"torch": torch, "model": model})
        mine.step()
    if code.finish:
        optimizer.finalize_variable_values(theirs)
        exec("\n".join(code.finish).format(optimizer="mine"), {"mine": mine})
    # gradients of size one: the place of Adam's epsilon does not show
    for expected, got in zip(theirs, ours, strict=True):
        np.testing.assert_allclose(got.detach().numpy(), expected.numpy(), rtol=2e-5, atol=2e-6)


def test_optimizers_by_name_and_older_spellings() -> None:
    plain, older = (
        objects.optimizer("adam", {}, {}),
        objects.optimizer("tf.keras.optimizers.legacy.Adam", {"lr": "LR"}, {}),
    )
    assert isinstance(plain, OptimizerCode)
    assert isinstance(older, OptimizerCode)
    assert plain.call == "torch.optim.Adam({params}, lr=0.001, eps=1e-7)"
    assert older.call == "torch.optim.Adam({params}, lr=LR, eps=1e-7)"
    assert plain.gaps == ("adam-epsilon",)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [("Adam", {"gradient_accumulation_steps": 2}), ("ScheduleFreeAdamW", {"weight_decay": 0.1}),
     ("Adafactor", {"loss_scale_factor": 2.0}),
     ("Adam", {"clipnorm": 1.0, "clipvalue": 1.0})],
    ids=str,
)  # fmt: skip
def test_optimizers_that_are_declined(name: str, arguments: dict[str, object]) -> None:
    assert isinstance(objects.optimizer(f"tf.keras.optimizers.{name}", *given(**arguments)), Decline)


def test_the_older_decay_falls_with_every_step() -> None:
    legacy = pytest.importorskip("tf_keras").optimizers.legacy
    code = objects.optimizer("tf.keras.optimizers.legacy.SGD", *given(lr=0.5, decay=0.2))
    assert isinstance(code, OptimizerCode)
    assert code.schedule is not None
    ours, theirs = run(code.schedule), legacy.SGD(learning_rate=0.5, decay=0.2)
    import tensorflow as tf

    for step in range(4):
        variable = tf.Variable(0.0)
        theirs.apply_gradients([(tf.constant(1.0), variable)])
        np.testing.assert_allclose(ours(step), -float(variable), rtol=1e-6)


SCHEDULES: tuple[tuple[str, Mapping[str, object]], ...] = (
    ("ExponentialDecay", {"initial_learning_rate": 0.1, "decay_steps": 4, "decay_rate": 0.5}),
    ("ExponentialDecay", {"initial_learning_rate": 0.1, "decay_steps": 4, "decay_rate": 0.5, "staircase": True}),
    ("InverseTimeDecay", {"initial_learning_rate": 0.1, "decay_steps": 4, "decay_rate": 0.5}),
    ("PolynomialDecay", {"initial_learning_rate": 0.1, "decay_steps": 9, "power": 2.0}),
    ("CosineDecay", {"initial_learning_rate": 0.1, "decay_steps": 9, "alpha": 0.1}),
    ("CosineDecay", {"initial_learning_rate": 0.1, "decay_steps": 9}),
    (
        "CosineDecay",
        {
            "initial_learning_rate": 0.01,
            "decay_steps": 6,
            "alpha": 0.1,
            "warmup_target": 0.1,
            "warmup_steps": 4,
        },
    ),
    ("PolynomialDecay", {"initial_learning_rate": 0.1, "decay_steps": 4, "power": 0.5, "cycle": True}),
    ("CosineDecayRestarts", {"initial_learning_rate": 0.1, "first_decay_steps": 3}),
    ("CosineDecayRestarts", {"initial_learning_rate": 0.1, "first_decay_steps": 2, "t_mul": 1.0, "m_mul": 0.8}),
    (
        "CosineDecayRestarts",
        {"initial_learning_rate": 0.1, "first_decay_steps": 2, "t_mul": 1.5, "m_mul": 0.9, "alpha": 0.1},
    ),
    ("PiecewiseConstantDecay", {"boundaries": [3, 6], "values": [1.0, 0.5, 0.1]}),
)


@pytest.mark.parametrize(("name", "arguments"), SCHEDULES, ids=str)
def test_schedules_step_by_step(name: str, arguments: dict[str, object], keras: Any) -> None:
    values = tuple(
        (k, Sequence("list", tuple(Literal(i) for i in v)) if isinstance(v, list) else Literal(v))
        for k, v in arguments.items()
    )
    instance = Instance(f"tf.keras.optimizers.schedules.{name}", args=values)
    bisect = SimpleNamespace(bisect_left=bisect_left)
    ours = run(schedule_of(instance), bisect=bisect)
    theirs = getattr(keras.optimizers.schedules, name)(**arguments)
    for step in range(14):
        np.testing.assert_allclose(ours(step), float(theirs(step)), rtol=1e-5)
