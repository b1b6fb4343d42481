"""Running means and sums that are updated by hand, and activations that are looked up."""
# mypy: disable-error-code="no-untyped-def, no-untyped-call, misc, operator"

from __future__ import annotations

from typing import Any

from migrator.model import Helper
from migrator.rules import activations as table
from migrator.rules.activations import activation_named
from migrator.rules.engine.args import Code
from migrator.rules.engine.declining import Decline
from migrator.rules.engine.registry import attribute, method, rule
from migrator.rules.engine.samples import block, f32, no_grad
from migrator.rules.measures.keeping import absent


def _tracker(name: str, doc: str, parameters: str, update: str, result: str, plain: Helper | None = None) -> Helper:
    source = f'''class {name}:
    """{doc}"""

    def __init__(self, name="{name.lower()}"):
        self.name = name
        self.reset_state()

    def reset_state(self):
        self.total, self.count = torch.tensor(0.0), 0

    def update_state(self, values{parameters}):
        values = torch.as_tensor(values).detach().float()
{update}

    def result(self):
        return {result}

    def __call__(self, *args, **kwargs):
        self.update_state(*args, **kwargs)
        return self.result()
'''
    return Helper(name, source, ("import torch",), (), plain)


_ROWS = """        rows = values.flatten(1).{}(dim=1) if values.dim() > 1 else values.reshape(-1)
        weights = torch.ones_like(rows) if sample_weight is None else torch.as_tensor(sample_weight).to(rows)
        self.total = self.total.to(values.device) + (rows * weights.reshape(rows.shape)).sum()"""
_SAMPLES = _ROWS.format("mean") + "\n        self.count = self.count + weights.sum()"
_ELEMENTS = "        self.total, self.count = self.total.to(values.device) + values.sum(), self.count + values.numel()"
_WEIGHT = ", sample_weight=None"
_PLAIN = "        rows = values.flatten(1).{}(dim=1) if values.dim() > 1 else values.reshape(-1)\n"
_PLAIN += "        self.total, self.count = self.total.to(values.device) + rows.sum(), self.count + len(rows)"
_MEAN, _SUM = "self.total / max(self.count, 1)", "self.total.clone()"
Mean: Any = _tracker(
    "Mean",
    "The mean over all samples, the entries along the first axis, weighted where weights are given.",
    _WEIGHT,
    _SAMPLES,
    "self.total / self.count if self.count else torch.zeros_like(self.total)",
    _tracker("Mean", "The mean over all samples, the entries along the first axis.", "", _PLAIN.format("mean"), _MEAN),
)
ElementMean: Any = _tracker("Mean", "The mean of all values since the last reset.", "", _ELEMENTS, _MEAN)
Sum: Any = _tracker(
    "Sum",
    "The sum of all values since the last reset, weighted where weights are given.",
    _WEIGHT,
    _ROWS.format("sum"),
    _SUM,
    _tracker("Sum", "The sum of all values since the last reset.", "", _ELEMENTS, _SUM),
)

_USE = """m = tf.keras.metrics.{}()
m.update_state(a)
m.update_state(2.0)
first = m.result()
m.reset_state()
m.update_state(b[0])
m(b)
return first, m.result()"""
_WEIGHED = """m = tf.keras.metrics.{}()
m.update_state(a, sample_weight=[0.5, 2.0])
m.update_state([1, 3, 5, 7], [1, 1, 0, 0])
first = m.result()
m(b, w)
return first, m.result()"""


def _samples(name: str) -> list[Any]:
    empty = block(f"return tf.keras.metrics.{name}('seen', dtype=tf.float32).result()")
    weighed = block(_WEIGHED.format(name), a=f32(2, 3), b=f32(4, 1), w=f32(4, 1))
    return [no_grad(block(_USE.format(name), a=f32(2, 3), b=f32(4))), no_grad(empty), no_grad(weighed)]


@rule("tf.keras.metrics.Mean", samples=(), keras=2)
def element_mean(name="mean", dtype=None):
    if dtype not in (None, "float32"):
        raise Decline("a dtype other than float32")
    if name is None or name == "mean":
        return ElementMean()
    return ElementMean(name)


@rule("tf.keras.metrics.Mean", samples=_samples("Mean"), keras=3)
def mean(name="mean", dtype=None):
    if dtype not in (None, "float32"):
        raise Decline("a dtype other than float32")
    if name is None or name == "mean":
        return Mean()
    return Mean(name)


@rule("tf.keras.metrics.Sum", samples=_samples("Sum"))
def total(name="sum", dtype=None):
    if dtype not in (None, "float32"):
        raise Decline("a dtype other than float32")
    if name is None or name == "sum":
        return Sum()
    return Sum(name)


for _name in ("Mean", "Sum"):
    attribute(f"tf.keras.metrics.{_name}.name", "x.name")

    @method(f"tf.keras.metrics.{_name}.update_state", samples=(), keras=3)
    def update_state(self, values, sample_weight=None):
        if absent(sample_weight):
            return self.update_state(values)
        return self.update_state(values, sample_weight)

    @method(f"tf.keras.metrics.{_name}.update_state", samples=(), keras=2)
    def update_state_2(self, values, sample_weight=None):
        if sample_weight is not None:
            raise Decline("weighted values")
        return self.update_state(values)

    @method(f"tf.keras.metrics.{_name}.result", samples=())
    def result(self):
        return self.result()

    @method(f"tf.keras.metrics.{_name}.reset_state", samples=())
    def reset_state(self):
        return self.reset_state()

    @method(f"tf.keras.metrics.{_name}.reset_states", samples=())
    def reset_states(self):
        return self.reset_state()


_LOOKED_UP = "return [tf.keras.activations.get(n)(a) for n in ({})]"


def bare(name: object) -> object:
    """The function itself where the name is known and torch has it under one name."""
    if not isinstance(name, str):
        return None
    made = table.TEMPLATES.get(name, "")
    return Code(made.removesuffix("({x})")) if made.endswith("({x})") else None


@rule(
    "tf.keras.activations.get",
    samples=[
        block(_LOOKED_UP.format("'relu', 'sigmoid', 'linear', 'softmax', 'gelu', 'tanh', None, tf.exp"), a=f32(2, 3)),
        block("return tf.keras.activations.get('swish')(a)", a=f32(2, 3)),
        block("return tf.keras.activations.get(None)(a)", a=f32(2, 3)),
    ],
)
def get(identifier):
    known = bare(identifier)
    return activation_named(identifier) if known is None else known
