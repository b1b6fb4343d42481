"""Small running metrics for loops that are written by hand, with the methods that Keras's have."""

from __future__ import annotations

from migrator.model import Helper

MEAN = '''class Mean:
    """Running mean of all values it was updated with."""

    def __init__(self):
        self.reset_state()

    def reset_state(self):
        self.total, self.count = 0.0, 0

    def update_state(self, values):
        values = torch.as_tensor(values).detach().float()
        self.total += values.sum().item()
        self.count += values.numel()

    def __call__(self, *args):
        self.update_state(*args)
        return self.result()

    def result(self):
        return torch.tensor(self.total / max(self.count, 1))
'''
_UPDATES = {
    "SparseCategoricalAccuracy": ("", "y_pred.argmax(dim=-1) == y_true.reshape(y_pred.shape[:-1])"),
    "CategoricalAccuracy": ("", "y_pred.argmax(dim=-1) == y_true.argmax(dim=-1)"),
    "BinaryAccuracy": ("threshold=0.5", "(y_pred > self.threshold) == (y_true.reshape(y_pred.shape) > 0.5)"),
    "SparseTopKCategoricalAccuracy": (
        "k=5",
        "(y_pred.topk(self.k).indices == y_true.reshape(y_pred.shape[:-1])[..., None]).any(dim=-1)",
    ),
    "TopKCategoricalAccuracy": (
        "k=5",
        "(y_pred.topk(self.k).indices == y_true.argmax(dim=-1, keepdim=True)).any(dim=-1)",
    ),
    "MeanAbsoluteError": ("", "(y_pred - y_true.reshape(y_pred.shape)).abs()"),
    "MeanSquaredError": ("", "(y_pred - y_true.reshape(y_pred.shape)).square()"),
}


def metric_class(name: str, older: bool = False) -> tuple[Helper, ...]:
    """The class for a metric and its base; empty when there is none. `older`: `reset_states` is called."""
    mean = Helper("Mean", MEAN + ("\n    reset_states = reset_state\n" if older else ""), ("import torch",))
    if name == "Mean":
        return (mean,)
    if name not in _UPDATES:
        return ()
    option, values = _UPDATES[name]
    lines = [f"class {name}(Mean):"]
    if option:
        attribute = option.partition("=")[0]
        lines += [f"    def __init__(self, {option}):", "        super().__init__()"]
        lines += [f"        self.{attribute} = {attribute}", ""]
    lines += ["    def update_state(self, y_true, y_pred):", f"        super().update_state({values})"]
    return (mean, Helper(name, "\n".join(lines) + "\n", ("import torch",)))
