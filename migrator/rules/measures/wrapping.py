"""Metrics around a function of one's own, relative to given values, and of every element apart."""
# mypy: disable-error-code="no-untyped-def, no-untyped-call, misc"

from __future__ import annotations

from typing import Any

from migrator.model import Helper
from migrator.rules.engine.declining import Decline
from migrator.rules.engine.registry import attribute, method, rule, same
from migrator.rules.engine.samples import block, declined_block, f32, no_grad, unit
from migrator.rules.measures.keeping import kept, titled
from migrator.rules.measures.mean_code import element_metric, mean_metric
from migrator.rules.measures.pairs import paired

ASKED = (kept, titled)  # by the spellings below
_WRAPPER = '''class MeanMetricWrapper(MeanMetric):
    """The mean of what a function makes of labels and predictions."""

    name = "mean_metric_wrapper"

    def __init__(self, function, name=None):
        super().__init__(name)
        self.function = function

    def values(self, y_true, y_pred):
        return self.function({given})
'''
MeanMetricWrapper: Any = Helper(
    "MeanMetricWrapper",
    _WRAPPER.format(given="y_true, y_pred"),
    ("import torch",),
    (*mean_metric.needs, mean_metric),
)
MeanMetricWrapper_2: Any = Helper(
    "MeanMetricWrapper",
    _WRAPPER.format(given="*paired(y_true, y_pred)"),
    ("import torch",),
    (*element_metric.needs, *paired.needs, paired, element_metric),
)
_OF_FUNCTION = """def far(y_true, y_pred):
    return tf.reduce_mean(tf.cast(tf.abs(y_true - y_pred) > 0.5, tf.float32), axis=-1)

m = tf.keras.metrics.MeanMetricWrapper(far{})
m.update_state(y, p)
first = m.result()
m.update_state(y[1:], p[1:]{})
second, third = m.result(), m(y, p)
m.reset_state()
return first, second, third, m.result(), m.name"""
_PAIR = {"y": f32(4, 3), "p": f32(4, 3)}
_WRAPPED = [
    no_grad(block(_OF_FUNCTION.format("", ""), **_PAIR)),
    no_grad(block(_OF_FUNCTION.format(", name='far', dtype='float32'", ", w"), w=unit(3), **_PAIR)),
    declined_block("return tf.keras.metrics.MeanMetricWrapper(lambda y, p, k: y, k=2)"),
]
for _keras, _name in ((3, "MeanMetricWrapper"), (2, "MeanMetricWrapper_2")):
    same(
        "tf.keras.metrics.MeanMetricWrapper",
        f"{_name}(fn, name=kept(titled(name, 'mean_metric_wrapper'), dtype=dtype))",
        "fn, name=None, dtype=None",
        samples=_WRAPPED if _keras == 3 else (),
        keras=_keras,
    )
MeanRelativeError: Any = Helper(
    "MeanRelativeError",
    '''class MeanRelativeError(MeanMetric):
    """The mean absolute error in shares of given values; 0 where these are 0."""

    name = "mean_relative_error"

    def __init__(self, normalizer, name=None):
        super().__init__(name)
        self.normalizer = torch.as_tensor(normalizer, dtype=torch.float32)

    def values(self, y_true, y_pred):
        y_true, y_pred = paired(y_true, y_pred)
        y_pred, scale = same_rank(y_pred, self.normalizer.to(y_pred))
        return torch.where(scale == 0, 0.0, (y_true - y_pred).abs() / scale)
''',
    ("import torch",),
    (*element_metric.needs, *paired.needs, paired, element_metric),
)
same(
    "tf.keras.metrics.MeanRelativeError",
    "MeanRelativeError(normalizer, name=kept(titled(name, 'mean_relative_error'), dtype=dtype))",
    "normalizer, name=None, dtype=None",
    samples=(),
    keras=2,
)
MeanTensor: Any = Helper(
    "MeanTensor",
    '''class MeanTensor:
    """The mean of tensors of one shape since the last reset, each element apart."""

    def __init__(self, shape=(), name="mean_tensor"):
        self.name = name
        self.total, self.count = torch.zeros(shape), 0

    def reset_state(self):
        self.total, self.count = torch.zeros_like(self.total), 0

    def update_state(self, values):
        values = torch.as_tensor(values).detach().float()
        self.total, self.count = self.total.to(values.device) + values, self.count + 1

    def result(self):
        return self.total / max(self.count, 1)

    def __call__(self, values):
        self.update_state(values)
        return self.result()
''',
    ("import torch",),
)


@rule("tf.keras.metrics.MeanTensor", samples=(), keras=2)
def mean_tensor(name="mean_tensor", dtype=None, shape=None):
    if dtype not in (None, "float32"):
        raise Decline("a dtype other than float32")
    if shape is None:
        return MeanTensor(name=name)
    return MeanTensor(shape, name=name)


attribute("tf.keras.metrics.MeanTensor.name", "x.name")


@method("tf.keras.metrics.MeanTensor.update_state", samples=(), keras=2)
def update_state(self, values, sample_weight=None):
    if sample_weight is not None:
        raise Decline("weighted values")
    return self.update_state(values)


@method("tf.keras.metrics.MeanTensor.result", samples=())
def result(self):
    return self.result()


@method("tf.keras.metrics.MeanTensor.reset_state", samples=())
def reset_state(self):
    return self.reset_state()


@method("tf.keras.metrics.MeanTensor.reset_states", samples=())
def reset_states(self):
    return self.reset_state()
