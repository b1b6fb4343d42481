"""Metrics that are objects in the pass over the data, and where their figure is not certain."""

from __future__ import annotations

import pytest

from tests.codemods.training_support import HEAD, draft, reasons

TOP = """
def build_model():
    return keras.Sequential([keras.Input((4,)), layers.Dense(3)])


class Far(keras.metrics.Metric):
    def __init__(self, limit, **kwargs):
        super().__init__(**kwargs)
        self.limit = limit
        self.total = self.add_weight(name="total", initializer="zeros")

    def update_state(self, y_true, y_pred, sample_weight=None):
        self.total.assign_add(tf.reduce_sum(tf.abs(y_true - y_pred)) * self.limit)

    def result(self):
        return self.total


"""


def _train(metrics: str, given: str = "") -> str:
    return f"{TOP}def train(model, x, y{given}):\n    model.compile('sgd', loss='mse', metrics=[{metrics}])\n"


def test_an_object_is_made_for_each_pass() -> None:
    made = draft(HEAD + _train("'mae', Far(2.0), 'mape'") + "    return model.fit(x, y, epochs=1).history\n")
    assert made.declines == ()
    run_epoch = next(helper.source for helper in made.helpers if helper.name == "run_epoch")
    assert "    far_metric = Far(2.0)\n    with torch" in run_epoch
    assert "            far_metric.update_state(y, pred.detach())\n" in run_epoch
    assert '    logs["far"] = float(far_metric.result())\n' in run_epoch
    assert 'return {name: logs[name] for name in ("loss", "mae", "far", "mape")}' in run_epoch


@pytest.mark.parametrize(
    ("metrics", "given", "reason"),
    [
        ("Far(limit)", ", limit", "variables of a function"),
        ("keras.metrics.F1Score()", "", "no single number"),
        ("keras.metrics.R2Score(class_aggregation=None)", "", "no single number"),
        ("keras.metrics.R2Score(name='a'.join('bc'))", "", "what Keras calls a metric"),
        ("keras.metrics.F1Score(None)", "", "no single number"),
        ("keras.metrics.MeanTensor()", "", "no rule"),
        ("Far(2.0), Far(3.0)", "", "two metrics of one name"),
    ],
)
def test_what_is_not_certain(metrics: str, given: str, reason: str) -> None:
    assert reason in reasons(_train(metrics, given) + "    model.fit(x, y, epochs=1)\n")


def test_a_class_has_what_passes_over_data_ask_of_it() -> None:
    text = draft(HEAD + _train("Far(2.0)") + "    model.fit(x, y, epochs=1)\n").text
    assert "def update_state" in text
    assert "__call__" not in text
    assert "reset_state" not in text
    kept = draft(HEAD + _train("Far(2.0)") + "    model.fit(x, y, epochs=1)\n    return Far(1.0)(y, y)\n").text
    assert "def __call__" in kept
    assert "def reset_state" in kept


def test_the_key_is_what_keras_calls_it() -> None:
    given = "keras.metrics.IoU(3, (0,), 'both'), keras.metrics.MeanIoU(3), Far(1.0, name='away')"
    made = draft(HEAD + _train(given) + "    model.fit(x, y, epochs=1)\n")
    run_epoch = next(helper.source for helper in made.helpers if helper.name == "run_epoch")
    assert [line.split('"')[1] for line in run_epoch.splitlines() if line.startswith('    logs["')] == [
        "both",
        "mean_io_u",
        "away",
    ]


def test_an_object_that_is_kept_is_declined() -> None:
    text = _train("far").replace("def train", "far = Far(2.0)\n\n\ndef train")
    assert "not known" in reasons(text + "    model.fit(x, y, epochs=1)\n")


def test_figures_after_each_batch_are_declined() -> None:
    hook = "keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: print(logs))"
    text = _train("Far(2.0)") + f"    model.fit(x, y, epochs=1, callbacks=[{hook}])\n"
    assert "figures after each batch" in reasons(text)


LAST = "def last(y_true, y_pred):\n    return keras.losses.mean_squared_error(y_true[:, -1:], y_pred[:, -1:])\n\n\n"


def test_values_of_any_shape_are_averaged_by_row() -> None:
    made = draft(HEAD + LAST + _train("last") + "    model.fit(x, y, epochs=1)\n")
    assert made.declines == ()
    run_epoch = next(helper.source for helper in made.helpers if helper.name == "run_epoch")
    assert "last_values.append(by_row(last(y, pred)).detach())" in run_epoch
    assert 'logs["last"] = torch.cat(last_values).mean().item()' in run_epoch


MAKER = (
    "def make(a):\n    def loss(y_true, y_pred):\n        return a * tf.abs(y_true - y_pred)\n\n    return loss\n\n\n"
)


@pytest.mark.parametrize(
    ("loss", "reason"),
    [("make(2.0)", ""), ("make(a)", ""), ("other(2.0)", "no rule for other")],
)
def test_losses_that_functions_make(loss: str, reason: str) -> None:
    text = TOP + MAKER + f"def train(model, x, y, a):\n    model.compile('sgd', loss={loss})\n    model.fit(x, y)\n"
    assert reason in reasons(text) if reason else reasons(text) == ""
