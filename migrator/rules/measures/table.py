"""What each loss and metric is for a sample, over `y_true` and `y_pred`: floats of one rank, one row a sample."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from migrator.model import Helper
from migrator.rules.objects.losses import LOG_PROBABILITIES, SIGNED

TORCH, FUNCTIONAL = "import torch", "import torch.nn.functional as F"
smoothed: Any = Helper(
    "smoothed",
    '''def smoothed(y_true, amount):
    """Shares of the classes with some of each given to all."""
    return y_true * (1.0 - amount) + amount / y_true.shape[-1]
''',
)
class_ids: Any = Helper(
    "class_ids",
    '''def class_ids(y_true, y_pred):
    """Labels as int64, without the last axis of size one that Keras allows."""
    y_true = y_true.long()
    return y_true.squeeze(-1) if y_true.dim() == y_pred.dim() and y_true.shape[-1] == 1 else y_true
''',
)


@dataclass(frozen=True)
class Each:
    """A figure of each sample. `options`: parameters with their defaults; they are attributes in `lines`."""

    doc: str
    lines: tuple[str, ...]
    options: tuple[tuple[str, object], ...] = ()
    helpers: tuple[Helper, ...] = ()
    imports: tuple[str, ...] = (TORCH,)


_LOGITS: tuple[tuple[str, object], ...] = (("from_logits", False),)
_SMOOTH = (*_LOGITS, ("label_smoothing", 0.0))
_FOCAL: tuple[tuple[str, object], ...] = (("alpha", 0.25), ("gamma", 2.0))
_OVERLAP: tuple[tuple[str, object], ...] = (("axis", None),)
_SHARES = (
    "if self.label_smoothing:",
    "    y_true = smoothed(y_true, self.label_smoothing)",
)
_BINARY_SHARES = (
    "if self.label_smoothing:",
    "    y_true = y_true * (1.0 - self.label_smoothing) + 0.5 * self.label_smoothing",
)
_CLAMPED = "p = y_pred.clamp(1e-7, 1 - 1e-7)"  # F.binary_cross_entropy takes no labels below 0 or above 1; Keras does

EACH = {
    "mean_squared_error": Each("The mean squared error.", ("return (y_pred - y_true).square().mean(dim=-1)",)),
    "mean_absolute_error": Each("The mean absolute error.", ("return (y_pred - y_true).abs().mean(dim=-1)",)),
    "mean_absolute_percentage_error": Each(
        "The mean absolute error in percent of the labels.",
        ("return 100.0 * ((y_true - y_pred) / y_true.abs().clamp(min=1e-7)).abs().mean(dim=-1)",),
    ),
    "mean_squared_logarithmic_error": Each(
        "The mean squared error of logarithms.",
        ("return (y_pred.clamp(min=1e-7).log1p() - y_true.clamp(min=1e-7).log1p()).square().mean(dim=-1)",),
    ),
    "huber": Each(
        "Huber's loss: squared near zero, straight beyond `delta`.",
        (
            "error = (y_pred - y_true).abs()",
            "straight = self.delta * error - 0.5 * self.delta**2",
            "return torch.where(error <= self.delta, 0.5 * error.square(), straight).mean(dim=-1)",
        ),
        (("delta", 1.0),),
    ),
    "log_cosh": Each(
        "The logarithm of the hyperbolic cosine of the error.",
        ("error = y_pred - y_true", "return (error + F.softplus(-2.0 * error) - 0.6931471805599453).mean(dim=-1)"),
        imports=(TORCH, FUNCTIONAL),
    ),
    "kl_divergence": Each(
        "The Kullback-Leibler divergence.",
        (
            "y_true, y_pred = y_true.clamp(1e-7, 1.0), y_pred.clamp(1e-7, 1.0)",
            "return (y_true * (y_true / y_pred).log()).sum(dim=-1)",
        ),
    ),
    "poisson": Each("Poisson's loss.", ("return (y_pred - y_true * (y_pred + 1e-7).log()).mean(dim=-1)",)),
    "cosine_similarity": Each(
        "The cosine of the angle between labels and predictions.",
        ("return F.cosine_similarity(y_true, y_pred, dim=self.axis)",),
        (("axis", -1),),
        imports=(TORCH, FUNCTIONAL),
    ),
    "hinge": Each(
        "The hinge loss.",
        ("return (1.0 - signed_labels(y_true) * y_pred).clamp(min=0.0).mean(dim=-1)",),
        helpers=(SIGNED,),
    ),
    "squared_hinge": Each(
        "The squared hinge loss.",
        ("return (1.0 - signed_labels(y_true) * y_pred).clamp(min=0.0).square().mean(dim=-1)",),
        helpers=(SIGNED,),
    ),
    "categorical_hinge": Each(
        "The hinge loss between the right class and the best of the others.",
        (
            "right, best = (y_true * y_pred).sum(dim=-1), ((1.0 - y_true) * y_pred).amax(dim=-1)",
            "return (best - right + 1.0).clamp(min=0.0)",
        ),
    ),
    "binary_crossentropy": Each(
        "The cross-entropy of yes and no.",
        (
            *_BINARY_SHARES,
            "if self.from_logits:",
            '    return F.binary_cross_entropy_with_logits(y_pred, y_true, reduction="none").mean(dim=-1)',
            _CLAMPED,
            "return -(y_true * torch.log(p) + (1.0 - y_true) * torch.log(1.0 - p)).mean(dim=-1)",
        ),
        _SMOOTH,
        imports=(TORCH, FUNCTIONAL),
    ),
    "categorical_crossentropy": Each(
        "The cross-entropy with shares of the classes.",
        (
            *_SHARES,
            "logs = F.log_softmax(y_pred, dim=-1) if self.from_logits else log_probabilities(y_pred)",
            "return -(y_true * logs).sum(dim=-1)",
        ),
        _SMOOTH,
        (smoothed, LOG_PROBABILITIES),
        (TORCH, FUNCTIONAL),
    ),
    "sparse_categorical_crossentropy": Each(
        "The cross-entropy with ids of classes.",
        (
            "logs = F.log_softmax(y_pred, dim=-1) if self.from_logits else log_probabilities(y_pred)",
            "return -logs.gather(-1, class_ids(y_true, y_pred)[..., None]).squeeze(-1)",
        ),
        _LOGITS,
        (class_ids, LOG_PROBABILITIES),
        (TORCH, FUNCTIONAL),
    ),
    "binary_focal_crossentropy": Each(
        "The cross-entropy of yes and no, less where the prediction is sure.",
        (
            *_BINARY_SHARES,
            "y_pred = torch.sigmoid(y_pred) if self.from_logits else y_pred",
            _CLAMPED,
            "losses = -(y_true * torch.log(p) + (1.0 - y_true) * torch.log(1.0 - p))",
            "losses = (1.0 - y_true * y_pred - (1.0 - y_true) * (1.0 - y_pred)) ** self.gamma * losses",
            "if self.apply_class_balancing:",
            "    losses = (y_true * self.alpha + (1.0 - y_true) * (1.0 - self.alpha)) * losses",
            "return losses.mean(dim=-1)",
        ),
        (("apply_class_balancing", False), *_FOCAL, *_SMOOTH),
        imports=(TORCH, FUNCTIONAL),
    ),
    "categorical_focal_crossentropy": Each(
        "The cross-entropy with shares of the classes, less where the prediction is sure.",
        (
            *_SHARES,
            "y_pred = torch.softmax(y_pred, dim=-1) if self.from_logits else y_pred",
            "shares = (y_pred / y_pred.sum(dim=-1, keepdim=True)).clamp(1e-7, 1 - 1e-7)",
            "weights = torch.as_tensor(self.alpha).to(shares) * (1.0 - shares) ** self.gamma",
            "return (weights * -y_true * shares.log()).sum(dim=-1)",
        ),
        (*_FOCAL, *_SMOOTH),
        (smoothed,),
    ),
    "dice": Each(
        "What two areas do not share.",
        (
            "both = (y_true * y_pred).sum(dim=self.axis)",
            "return 1.0 - 2.0 * both / (y_true.sum(dim=self.axis) + y_pred.sum(dim=self.axis) + 1e-7)",
        ),
        _OVERLAP,
    ),
    "tversky": Each(
        "What two areas do not share, misses and false alarms weighted.",
        (
            "both = (y_true * y_pred).sum(dim=self.axis)",
            "missed = ((1.0 - y_pred) * y_true).sum(dim=self.axis)",
            "false = (y_pred * (1.0 - y_true)).sum(dim=self.axis)",
            "return 1.0 - both / (both + missed * self.alpha + false * self.beta + 1e-7)",
        ),
        (("alpha", 0.5), ("beta", 0.5), *_OVERLAP),
    ),
    "categorical_generalized_cross_entropy": Each(
        "A loss between cross-entropy and absolute error, for noisy ids of classes.",
        (
            "shares = y_pred.gather(-1, class_ids(y_true, y_pred)[..., None]).squeeze(-1)",
            "return (1.0 - shares**self.q) / self.q",
        ),
        (("q", 0.5),),
        (class_ids,),
    ),
    "circle": Each(
        "The circle loss of embeddings of length one and ids of their classes, over the rows that have a pair.",
        (
            "labels, distances = class_ids(y_true, y_pred), (1.0 - y_pred @ y_pred.T).clamp(min=0.0)",
            "alike = labels[:, None] == labels",
            "pull = self.gamma * (self.margin + distances) * (distances - self.margin)",
            "push = self.gamma * (1.0 + self.margin - distances).clamp(min=0.0) * (1.0 - self.margin - distances)",
            "itself = torch.eye(len(labels), dtype=torch.bool, device=labels.device) & self.remove_diagonal",
            "pull = pull.masked_fill(~alike | itself, -1e9).logsumexp(dim=1)",
            "losses = F.softplus(pull + push.masked_fill(alike, -1e9).logsumexp(dim=1))",
            'if self.reduction in ("sum_over_batch_size", "mean"):',
            "    return losses * len(losses) / (losses > 0).sum().clamp(min=1)",
            "return losses",
        ),
        (("gamma", 80.0), ("margin", 0.4), ("remove_diagonal", True)),
        (class_ids,),
        (TORCH, FUNCTIONAL),
    ),
    "ctc": Each(
        "Connectionist temporal classification of logits; label 0 is the blank and fills up.",
        (
            "labels, steps = y_true.long(), torch.full((len(y_pred),), y_pred.shape[1])",
            "logs = F.log_softmax(y_pred, dim=-1).transpose(0, 1)",
            'return F.ctc_loss(logs, labels, steps, (labels != 0).sum(dim=-1), reduction="none")',
        ),
        imports=(TORCH, FUNCTIONAL),
    ),
    "pearson_correlation": Each(
        "The correlation of labels and predictions.",
        (
            "y_true, y_pred = y_true - y_true.mean(self.axis, True), y_pred - y_pred.mean(self.axis, True)",
            "scale = y_true.std(self.axis, correction=0) * y_pred.std(self.axis, correction=0)",
            "return (y_true * y_pred).mean(self.axis) / scale",
        ),
        (("axis", -1),),
    ),
    "concordance_correlation": Each(
        "How well labels and predictions lie on one diagonal.",
        (
            "variance_true, mean_true = torch.var_mean(y_true, self.axis, correction=0, keepdim=True)",
            "variance_pred, mean_pred = torch.var_mean(y_pred, self.axis, correction=0, keepdim=True)",
            "scale = variance_true + variance_pred + (mean_true - mean_pred).square() + 1e-7",
            "return (2.0 * (y_true - mean_pred) * (y_pred - mean_pred) / scale).mean(self.axis)",
        ),
        (("axis", -1),),
    ),
}


def class_source(name: str, base: str, method: str, each: Each, head: str = "") -> str:
    """A class over `base` whose `method` gives the figure of each sample; options are taken by keyword."""
    lines = [f"class {name}({base}):", f'    """{each.doc}"""', ""]
    lines += [f"    {head}", ""] if head else []
    if each.options:
        parameters = ", ".join(f"{key}={value!r}" for key, value in each.options)
        lines += [f"    def __init__(self, {parameters}, **options):", "        super().__init__(**options)"]
        names = [key for key, _ in each.options]
        lines += [f"        {', '.join('self.' + n for n in names)} = {', '.join(names)}", ""]
    lines += [f"    def {method}(self, y_true, y_pred):", *(f"        {line}" for line in each.lines)]
    return "\n".join(lines) + "\n"
