"""Metrics of Keras in torch: a sum over the rows of a batch, and the figure of an epoch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from migrator.model import Decline, Helper, LossCode, MetricCode, OutputFacts
from migrator.rules.objects import losses
from migrator.rules.objects.arguments import Arguments, Refused, number_text, refusal
from migrator.values import Value

Make = Callable[[Arguments, OutputFacts, LossCode], MetricCode]
_TOP: tuple[tuple[str, object], ...] = (("thresholds", None), ("top_k", None), ("class_id", None))
_NAME: tuple[tuple[str, object], ...] = (("name", None), ("dtype", None))


@dataclass(frozen=True)
class MetricRule:
    api: str
    parameters: tuple[tuple[str, object], ...]
    aliases: tuple[str, ...]
    make: Make


def sparse_accuracy(args: Arguments, output: OutputFacts, loss: LossCode) -> MetricCode:
    args.only("name", "dtype")
    _wants(loss, "ids")
    if output.rank == 2:
        return _metric("({p}.argmax(dim=1) == {y}).sum()", on_logits=True)
    return _metric(_rows("({p}.argmax(dim=-1) == {y})"), on_logits=True)


def categorical_accuracy(args: Arguments, output: OutputFacts, loss: LossCode) -> MetricCode:
    args.only("name", "dtype")
    _wants(loss, "output")
    if output.rank == 2:
        return _metric("({p}.argmax(dim=1) == {y}.argmax(dim=1)).sum()", on_logits=True)
    return _metric(_rows("({p}.argmax(dim=-1) == {y}.argmax(dim=-1))"), on_logits=True)


def binary_accuracy(args: Arguments, output: OutputFacts, loss: LossCode) -> MetricCode:
    args.only("name", "dtype", "threshold")
    _wants(loss, "column", "output")
    threshold = args.number("threshold", 0.5)
    hit = f"(({{p}} > {number_text(threshold)}) == ({{y}} > 0.5))"
    if output.width == 1 and output.rank == 2:
        return _metric(f"{hit}.sum()", rows=f"{hit}.flatten()")
    return _metric(_rows(hit))


def accuracy(args: Arguments, output: OutputFacts, loss: LossCode) -> MetricCode:
    """ "accuracy" is resolved by the shapes of target and output, not by the loss."""
    args.only("name", "dtype")
    if output.width == 1:
        return binary_accuracy(args, output, loss)
    if loss.target == "ids":
        return sparse_accuracy(args, output, loss)
    if loss.api.endswith(".CategoricalCrossentropy") or (output.width or 0) > 1:
        return categorical_accuracy(args, output, loss)
    raise Refused("which accuracy is meant depends on the width of the output, which is not known")


def _top_k(target: str) -> Make:
    def make(args: Arguments, output: OutputFacts, loss: LossCode) -> MetricCode:
        args.only("k", "name", "dtype")
        _wants(loss, target)
        if output.rank is None:
            raise Refused("top-k accuracy of an output whose rank is not known")
        k = int(args.number("k", 5))
        k = min(k, output.width or k)  # all classes are among more than there are
        if output.rank != 2:
            ids = "{y}" if target == "ids" else "{y}.argmax(dim=-1)"
            return _metric(_rows(f"({{p}}.topk({k}).indices == {ids}[..., None]).any(dim=-1)"), on_logits=True)
        labels = "{y}" if target == "ids" else "{y}.argmax(dim=1)"
        hits = f"({{p}}.topk({k}).indices == {labels}[:, None])"
        return _metric(f"{hits}.sum()", on_logits=True, rows=f"{hits}.any(dim=1)")

    return make


def _error(each: str, result: str = "{mean}") -> Make:
    def make(args: Arguments, output: OutputFacts, loss: LossCode) -> MetricCode:
        args.only("name", "dtype")
        _wants(loss, "column", "output")
        if output.width == 1 and output.rank == 2:
            return _metric(f"{each}.sum()", result, rows=f"{each}.flatten()")
        return _metric(_rows(each), result)

    return make


def _rows(each: str) -> str:
    return f"{each}.float().reshape(len({{y}}), -1).mean(dim=1).sum()"


def _wants(loss: LossCode, *targets: str) -> None:
    if loss.target not in targets:
        raise Refused("the metric reads the targets in another encoding than the loss")


def _metric(total: str, result: str = "{mean}", on_logits: bool = False, rows: str = "") -> MetricCode:
    return MetricCode("", total, result, on_logits, rows=rows or total.removesuffix(".sum()"))


def _of_loss(rule: losses.LossRule) -> Make:
    """The mean of a loss over the rows, computed on the output."""

    def make(args: Arguments, output: OutputFacts, loss: LossCode) -> MetricCode:
        plain = OutputFacts(output.rank, output.width) if not args.flag("from_logits") else output
        code = rule.make(Arguments({k: v for k, v in args.texts.items() if k != "name"}, args.values), plain)
        if code.rows is None or code.target != loss.target:
            raise Refused("a loss as a metric, of which the values per row are not known")
        return MetricCode(
            "", f"{code.rows}.sum()", "{mean}", code.on_logits, code.imports, helpers=code.helpers, rows=code.rows
        )

    return make


AUC = Helper(
    "auc",
    '''def auc(y, p, num_thresholds=200):
    """Area under the ROC curve by the trapezoids between evenly spaced thresholds."""
    inner = torch.linspace(0.0, 1.0, num_thresholds)[1:-1]
    thresholds = torch.cat([torch.tensor([-1e-7]), inner, torch.tensor([1.0 + 1e-7])])
    above = p.flatten()[:, None] > thresholds
    positive = y.flatten() > 0.5
    true_rate = above[positive].sum(dim=0) / max(positive.sum().item(), 1)
    false_rate = above[~positive].sum(dim=0) / max((~positive).sum().item(), 1)
    return torch.trapezoid(true_rate.flip(0), false_rate.flip(0)).item()
''',
    ("import torch",),
)
_AUC_DEFAULTS = {"curve": "ROC", "summation_method": "interpolation", "multi_label": False, "from_logits": False}


def area(args: Arguments, output: OutputFacts, loss: LossCode) -> MetricCode:
    args.only("num_thresholds", "name", "dtype", *_AUC_DEFAULTS)
    for name, default in _AUC_DEFAULTS.items():
        if args.literal(name, default) != default:
            raise Refused(f"AUC with another `{name}` has no rule")
    _wants(loss, "column", "output")
    count = int(args.number("num_thresholds", 200))
    extra = "" if count == 200 else f", num_thresholds={count}"
    return MetricCode("", "", gathered=f"auc({{y}}, {{p}}{extra})", helpers=(AUC,))


PRECISION = Helper(
    "precision",
    '''def precision(y, p, threshold=0.5):
    """Share of true labels among the rows that are predicted so."""
    predicted = p > threshold
    return ((predicted & (y > 0.5)).sum() / max(predicted.sum().item(), 1)).item()
''',
)
RECALL = Helper(
    "recall",
    '''def recall(y, p, threshold=0.5):
    """Share of the rows with a true label that are predicted so."""
    actual = y > 0.5
    return ((actual & (p > threshold)).sum() / max(actual.sum().item(), 1)).item()
''',
)


def _counted(helper: Helper) -> Make:
    def make(args: Arguments, output: OutputFacts, loss: LossCode) -> MetricCode:
        args.only("thresholds", "name", "dtype")
        _wants(loss, "column", "output")
        threshold = args.number("thresholds", 0.5) if args.given("thresholds") else 0.5
        extra = "" if threshold == 0.5 else f", threshold={number_text(threshold)}"
        return MetricCode("", "", gathered=f"{helper.name}({{y}}, {{p}}{extra})", helpers=(helper,))

    return make


def _outcomes(predicted: str, actual: str) -> Make:
    """How many rows are predicted and labelled so, by comparisons of `>` or `<=` with the threshold."""

    def make(args: Arguments, output: OutputFacts, loss: LossCode) -> MetricCode:
        args.only("thresholds", "name", "dtype")
        _wants(loss, "column", "output")
        threshold = args.number("thresholds", 0.5) if args.given("thresholds") else 0.5
        text = f"(({{p}} {predicted} {number_text(threshold)}) & ({{y}} {actual} 0.5)).sum().item()"
        return MetricCode("", "", gathered=text)

    return make


def _api(name: str) -> str:
    return f"tf.keras.metrics.{name}"


def _loss_of(name: str) -> losses.LossRule:
    rule = losses.find(f"tf.keras.losses.{name}")
    assert rule is not None
    return rule


_LOGITS: tuple[tuple[str, object], ...] = (("from_logits", False), ("label_smoothing", 0.0))
_SMOOTHED = {"BinaryCrossentropy": _LOGITS, "CategoricalCrossentropy": (*_LOGITS, ("axis", -1))} | {
    "SparseCategoricalCrossentropy": (("from_logits", False), ("ignore_class", None), ("axis", -1))
}
_LOSSES = (
    ("BinaryCrossentropy", "BinaryCrossentropy", ("binary_crossentropy",)),
    ("CategoricalCrossentropy", "CategoricalCrossentropy", ("categorical_crossentropy",)),
    ("SparseCategoricalCrossentropy", "SparseCategoricalCrossentropy", ("sparse_categorical_crossentropy",)),
    ("MeanAbsolutePercentageError", "MeanAbsolutePercentageError", ("mean_absolute_percentage_error", "mape", "MAPE")),
    ("MeanSquaredLogarithmicError", "MeanSquaredLogarithmicError", ("mean_squared_logarithmic_error", "msle", "MSLE")),
    ("KLDivergence", "KLDivergence", ("kl_divergence", "kld", "KLD")),
    ("LogCoshError", "LogCosh", ("logcosh",)),
    ("Poisson", "Poisson", ("poisson",)),
    ("Hinge", "Hinge", ("hinge",)),
    ("SquaredHinge", "SquaredHinge", ("squared_hinge",)),
)
_ABS, _SQUARE = "({p} - {y}).abs()", "({p} - {y}).square()"
RULES = (
    MetricRule(_api("SparseCategoricalAccuracy"), _NAME, ("sparse_categorical_accuracy",), sparse_accuracy),
    MetricRule(_api("CategoricalAccuracy"), _NAME, ("categorical_accuracy",), categorical_accuracy),
    MetricRule(_api("BinaryAccuracy"), (*_NAME, ("threshold", 0.5)), ("binary_accuracy",), binary_accuracy),
    MetricRule(
        _api("TopKCategoricalAccuracy"),
        (("k", 5), *_NAME),
        ("top_k_categorical_accuracy",),
        _top_k("output"),
    ),
    MetricRule(
        _api("SparseTopKCategoricalAccuracy"),
        (("k", 5), *_NAME, ("from_sorted_ids", False)),
        ("sparse_top_k_categorical_accuracy",),
        _top_k("ids"),
    ),
    MetricRule(_api("MeanAbsoluteError"), _NAME, ("mean_absolute_error", "mae", "MAE"), _error(_ABS)),
    MetricRule(_api("MeanSquaredError"), _NAME, ("mean_squared_error", "mse", "MSE"), _error(_SQUARE)),
    MetricRule(_api("RootMeanSquaredError"), _NAME, ("root_mean_squared_error",), _error(_SQUARE, "({mean}) ** 0.5")),
    MetricRule(
        _api("AUC"),
        (
            *(("num_thresholds", 200), ("curve", "ROC"), ("summation_method", "interpolation"), *_NAME),
            *(("thresholds", None), ("multi_label", False), ("num_labels", None), ("label_weights", None)),
            ("from_logits", False),
        ),
        ("auc",),
        area,
    ),
    MetricRule(_api("Precision"), (*_TOP, *_NAME), ("precision",), _counted(PRECISION)),
    MetricRule(_api("Recall"), (*_TOP, *_NAME), ("recall",), _counted(RECALL)),
    MetricRule(_api("TruePositives"), (("thresholds", None), *_NAME), ("true_positives",), _outcomes(">", ">")),
    MetricRule(_api("FalsePositives"), (("thresholds", None), *_NAME), ("false_positives",), _outcomes(">", "<=")),
    MetricRule(_api("TrueNegatives"), (("thresholds", None), *_NAME), ("true_negatives",), _outcomes("<=", "<=")),
    MetricRule(_api("FalseNegatives"), (("thresholds", None), *_NAME), ("false_negatives",), _outcomes("<=", ">")),
    *(
        MetricRule(_api(name), (*_NAME, *_SMOOTHED.get(name, ())), aliases, _of_loss(_loss_of(loss)))
        for name, loss, aliases in _LOSSES
    ),
    MetricRule("accuracy", _NAME, ("acc", "Accuracy"), accuracy),
)
_BY_NAME = (
    {name: rule for rule in RULES for name in (rule.api, rule.api.rpartition(".")[2], *rule.aliases)}
    | {_api(alias): rule for rule in RULES for alias in rule.aliases if rule.api != "accuracy"}
    | {f"tf.keras.losses.{alias}": rule for rule in RULES for alias in rule.aliases if rule.api != "accuracy"}
)


def find(name: str) -> MetricRule | None:
    """The record of a canonical API name or of a Keras string."""
    return _BY_NAME.get(name)


def metric(
    name: str,
    texts: Mapping[str, str],
    values: Mapping[str, Value],
    output: OutputFacts,
    loss: LossCode,
    keras: int = 3,
) -> MetricCode | Decline:
    """The torch spelling of a metric; its `name` is the key that Keras's history has."""
    rule = find(name)
    if rule is None:
        return Decline(f"no rule for the metric {name}", api=name)
    args = Arguments(texts, values)
    try:
        code = rule.make(args, output, loss)
        return replace(code, name=_key(name, rule, args, keras))
    except Refused as error:
        return refusal(error, rule.api)


def _key(name: str, rule: MetricRule, args: Arguments, keras: int) -> str:
    """A string is its own key; an object has its `name=` or the snake-case name of its class."""
    if args.given("name"):
        return str(args.literal("name", ""))
    if not name.startswith("tf."):
        return name
    if keras == 2 and name == _api("KLDivergence"):
        return "kullback_leibler_divergence"
    return rule.aliases[0] if name == rule.api else name.rpartition(".")[2]
