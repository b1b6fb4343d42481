"""Small running metrics for loops that are written by hand, with the methods that Keras's have."""

from __future__ import annotations

from migrator.model import Helper, MetricCode

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
SUM = '''class Sum(Mean):
    """Running sum of all values it was updated with."""

    def result(self):
        return torch.tensor(self.total)
'''
_SAME = "y_true.to(y_pred.dtype).reshape(y_pred.shape)"
_LOG = "(y_pred / y_pred.sum(dim=-1, keepdim=True)).clamp(1e-7, 1 - 1e-7).log()"
_UPDATES = {
    "Accuracy": ("", "y_pred == y_true.reshape(y_pred.shape)"),
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
    "MeanAbsolutePercentageError": ("", f"100.0 * ((y_pred - {_SAME}) / {_SAME}.abs().clamp(min=1e-7)).abs()"),
    "MeanSquaredLogarithmicError": (
        "",
        f"(y_pred.clamp(min=1e-7).log1p() - {_SAME}.clamp(min=1e-7).log1p()).square()",
    ),
    "BinaryCrossentropy": ("", f"F.binary_cross_entropy(y_pred.clamp(1e-7, 1 - 1e-7), {_SAME}, reduction='none')"),
    "CategoricalCrossentropy": ("", f"-({_SAME} * {_LOG}).sum(dim=-1)"),
    "SparseCategoricalCrossentropy": (
        "",
        f"-{_LOG}.gather(-1, y_true.long().reshape(y_pred.shape[:-1])[..., None])",
    ),
    "KLDivergence": (
        "",
        f"F.kl_div(y_pred.clamp(1e-7, 1.0).log(), {_SAME}.clamp(1e-7, 1.0), reduction='none').sum(dim=-1)",
    ),
    "CosineSimilarity": ("", f"F.cosine_similarity(y_pred, {_SAME}, dim=-1)"),
    "RootMeanSquaredError": ("", "(y_pred - y_true.reshape(y_pred.shape)).square()"),
}
_RESULTS = {"RootMeanSquaredError": "torch.tensor(self.total / max(self.count, 1)).sqrt()"}
GATHERED = '''class Gathered:
    """Keeps all labels and predictions; the figure is of all of them."""

    def __init__(self):
        self.reset_state()

    def reset_state(self):
        self.labels, self.predictions = [], []

    def update_state(self, y_true, y_pred):
        self.labels.append(torch.as_tensor(y_true).detach().cpu().flatten())
        self.predictions.append(torch.as_tensor(y_pred).detach().cpu().flatten())

    def __call__(self, *args):
        self.update_state(*args)
        return self.result()

    def result(self):
        if not self.labels:
            return torch.tensor(0.0)
        return torch.as_tensor(self.figure(torch.cat(self.labels), torch.cat(self.predictions)), dtype=torch.float32)
'''
_GATHERED = ("AUC", "Precision", "Recall", "TruePositives", "FalsePositives", "TrueNegatives", "FalseNegatives")


def gathered_class(name: str, code: MetricCode, older: bool) -> tuple[Helper, ...]:
    """The class for a metric of which the figure needs all rows."""
    again = "\n    reset_states = reset_state\n" if older else ""
    base = Helper("Gathered", GATHERED + again, ("import torch",))
    figure = code.gathered.replace("{y}", "y").replace("{p}", "p")
    source = f"class {name}(Gathered):\n    def figure(self, y, p):\n        return {figure}\n"
    return (base, *code.helpers, Helper(name, source, ("import torch",)))


def is_gathered(name: str) -> bool:
    return name in _GATHERED


def metric_class(name: str, older: bool = False) -> tuple[Helper, ...]:
    """The class for a metric and its base; empty when there is none. `older`: `reset_states` is called."""
    mean = Helper("Mean", MEAN + ("\n    reset_states = reset_state\n" if older else ""), ("import torch",))
    if name == "Mean":
        return (mean,)
    if name == "Sum":
        return (mean, Helper("Sum", SUM, ("import torch",)))
    if name not in _UPDATES:
        return ()
    option, values = _UPDATES[name]
    lines = [f"class {name}(Mean):"]
    if option:
        attribute = option.partition("=")[0]
        lines += [f"    def __init__(self, {option}):", "        super().__init__()"]
        lines += [f"        self.{attribute} = {attribute}", ""]
    lines += ["    def update_state(self, y_true, y_pred):", f"        super().update_state({values})"]
    if name in _RESULTS:
        lines += ["", "    def result(self):", f"        return {_RESULTS[name]}"]
    functional = ("import torch.nn.functional as F",) if "F." in values else ()
    return (mean, Helper(name, "\n".join(lines) + "\n", ("import torch", *functional)))


PLAIN = ("Mean", "Sum", "Accuracy", "CosineSimilarity")
"""Metrics that take no argument here but a name."""
