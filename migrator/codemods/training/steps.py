"""Models with a `train_step` or `test_step` of their own: the loop calls it with each batch."""

from __future__ import annotations

import libcst as cst
import libcst.matchers as m

from migrator.codemods.context import Context
from migrator.codemods.nodes import ancestors, find
from migrator.codemods.training.assumed import STEPS, lists_metrics
from migrator.codemods.training.epoch_code import AS_TENSOR, LOADERS, TORCH
from migrator.model import Helper
from migrator.values import Choice, Instance, Sequence, Value

TO_DEVICE = Helper(
    "to_device",
    '''def to_device(batch):
    """The tensors of a batch on the device, in the same structure."""
    if isinstance(batch, torch.Tensor):
        return batch.to(device)
    if isinstance(batch, dict):
        return {name: to_device(part) for name, part in batch.items()}
    return tuple(to_device(part) for part in batch)
''',
    (TORCH,),
)


def run_steps(name: str) -> tuple[Helper, ...]:
    """`run_steps(model, loader, step)`: one pass over the data by a step that the model defines."""
    source = f'''def {name}(model, loader, step):
    """One pass over the batches by `step`, a method of the model; its figures after the last one."""
    for metric in model.metrics:
        metric.reset_state()
    for batch in loader:
        logs = step(to_device(batch))
    return {{name: float(value) for name, value in logs.items()}}
'''
    return (TO_DEVICE, Helper(name, source, (TORCH,)))


def run_batches(name: str) -> tuple[Helper, ...]:
    """`run_batches(loader, step)`: as `run_steps`, by a step of a model without metrics."""
    source = f'''def {name}(loader, step):
    """One pass over the batches by `step`, a method of the model; the figures of the last one."""
    for batch in loader:
        logs = step(to_device(batch))
    return {{name: float(value) for name, value in logs.items()}}
'''
    return (TO_DEVICE, Helper(name, source, (TORCH,)))


def make_loader(name: str, targets: bool) -> tuple[Helper, ...]:
    """`make_loader(x, y, batch_size=32, shuffle=False)`: batches of arrays as they are; without `y`, of `x` alone."""
    rows = "TensorDataset(as_tensor(x), as_tensor(y))" if targets else "as_tensor(x)"
    source = f'''def {name}(x, {"y, " if targets else ""}batch_size=32, shuffle=False):
    """Batches of the rows{" of `x` and `y`" if targets else ""}, on the CPU."""
    return DataLoader({rows}, batch_size=batch_size, shuffle=shuffle)
'''
    loaders = LOADERS if targets else "from torch.utils.data import DataLoader"
    return (AS_TENSOR, Helper(name, source, (TORCH, loaders)))


def step_problem(method: cst.FunctionDef, ctx: Context) -> str:
    """Why a step that a loop is to call cannot be one; "" where it can, or where it is no such step.

    Keras takes the figures of an epoch from the metrics of the model where what the last step returned has just
    their names, else from that step. So a step must return its metrics' results, and the model say which they are;
    or figures of other names than metrics have that Keras itself keeps.
    """
    if method.name.value not in STEPS:
        return ""
    around = next((n for n in ancestors(method, ctx.tree) if isinstance(n, cst.ClassDef)), None)
    returns = [r.value for r in find(method, m.Return()) if isinstance(r, cst.Return)]
    qualname = f"{ctx.module}:{around.name.value}" if around is not None else ""
    if not lists_metrics(qualname, ctx):
        figures = bool(returns) and all(value is not None and _figures(value) for value in returns)
        known = ctx.facts.cls(qualname)
        plain = known is not None and not any(_may_be_metric(value) for _, value in known.attrs)
        return "" if figures and plain else "a model that trains itself without a list of its `metrics`"
    if not returns or not all(value is not None and _results(value) for value in returns):
        return f"`{method.name.value}` returns something else than results of its metrics"
    return ""


def _figures(node: cst.BaseExpression) -> bool:
    """`{"d_loss": d_loss, "g_loss": g_loss}`: under no name that Keras itself keeps, and no result of a metric."""
    elements = node.elements if isinstance(node, cst.Dict) else []
    names = [
        e.key.evaluated_value
        for e in elements
        if isinstance(e, cst.DictElement) and isinstance(e.key, cst.SimpleString)
    ]
    kept = {"loss", "accuracy", "acc"} & {str(name) for name in names}
    return bool(names) and len(names) == len(elements) and not kept and not find(node, _RESULT)


_RESULT = m.Call(func=m.Attribute(attr=m.Name("result")))


def _may_be_metric(value: Value) -> bool:
    """Whether an attribute holds a metric, which Keras takes note of."""
    if isinstance(value, Sequence):
        return any(map(_may_be_metric, value.items or (value.element,)))
    if isinstance(value, Choice):
        return any(map(_may_be_metric, value.options))
    return isinstance(value, Instance) and value.api.startswith("tf.keras.metrics.")


def _results(node: cst.BaseExpression) -> bool:
    """`{"loss": self.loss_tracker.result()}` or `{m.name: m.result() for m in self.metrics}`."""
    result = m.Call(func=m.Attribute(attr=m.Name("result")), args=[])
    if isinstance(node, cst.DictComp):
        return m.matches(node.value, result)
    elements = node.elements if isinstance(node, cst.Dict) else []
    return bool(elements) and all(isinstance(e, cst.DictElement) and m.matches(e.value, result) for e in elements)
