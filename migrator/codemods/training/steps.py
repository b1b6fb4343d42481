"""Models with a `train_step` or `test_step` of their own: the loop calls it with each batch."""

from __future__ import annotations

import libcst as cst
import libcst.matchers as m

from migrator.codemods.context import Context
from migrator.codemods.nodes import ancestors, find
from migrator.codemods.training.assumed import STEPS
from migrator.codemods.training.epoch_code import AS_TENSOR, LOADERS, TORCH
from migrator.model import Helper

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
    their names. So a step must return its metrics' results, and the model must say which they are.
    """
    if method.name.value not in STEPS:
        return ""
    around = next((n for n in ancestors(method, ctx.tree) if isinstance(n, cst.ClassDef)), None)
    if around is None or ctx.facts.function(f"{ctx.module}:{around.name.value}.metrics") is None:
        return "a model that trains itself without a list of its `metrics`"
    returns = [r.value for r in find(method, m.Return()) if isinstance(r, cst.Return)]
    if not returns or not all(value is not None and _results(value) for value in returns):
        return f"`{method.name.value}` returns something else than results of its metrics"
    return ""


def _results(node: cst.BaseExpression) -> bool:
    """`{"loss": self.loss_tracker.result()}` or `{m.name: m.result() for m in self.metrics}`."""
    result = m.Call(func=m.Attribute(attr=m.Name("result")), args=[])
    if isinstance(node, cst.DictComp):
        return m.matches(node.value, result)
    elements = node.elements if isinstance(node, cst.Dict) else []
    return bool(elements) and all(isinstance(e, cst.DictElement) and m.matches(e.value, result) for e in elements)
