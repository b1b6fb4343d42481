"""Losses of Keras in torch: means over all elements, weights never divided by their sum."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from migrator.model import Decline, Helper, LossCode, OutputFacts
from migrator.rules.objects.arguments import Arguments, Refused, number_text, refusal
from migrator.values import Value

FUNCTIONAL = "import torch.nn.functional as F"
TORCH = "import torch"
_TAIL = (("reduction", "sum_over_batch_size"), ("name", None), ("dtype", None))
Make = Callable[[Arguments, OutputFacts], LossCode]


@dataclass(frozen=True)
class LossRule:
    """One loss: its class, the functions and strings that mean it, TF's parameters, the spelling."""

    api: str
    parameters: tuple[tuple[str, object], ...]
    aliases: tuple[str, ...]
    make: Make


def sparse(args: Arguments, output: OutputFacts) -> LossCode:
    args.only("from_logits", "reduction", "name", "dtype", "axis")
    if args.literal("axis", -1) != -1:
        raise Refused("the class axis is not the last")
    on_logits = _on_logits(args, output, "softmax")
    if output.rank == 2:
        form = ("F.cross_entropy({p}, {y})", "F.nll_loss({p}, {y})")
    else:  # classes stay last in Keras, F.cross_entropy wants them on axis 1
        form = ("F.cross_entropy({p}.flatten(0, -2), {y}.flatten())", "F.nll_loss({p}.flatten(0, -2), {y}.flatten())")
    mean = form[not on_logits]
    rows = mean[:-1] + ', reduction="none")' if output.rank == 2 else None
    if on_logits:
        return _code("SparseCategoricalCrossentropy", mean, rows, "ids", True)
    mean = mean.replace("{p}", "log_probabilities({p})")
    rows = rows and rows.replace("{p}", "log_probabilities({p})")
    return _code("SparseCategoricalCrossentropy", mean, rows, "ids", softmax=True)


LOG_PROBABILITIES = Helper(
    "log_probabilities",
    '''def log_probabilities(p):
    """Logarithm of probabilities along the last axis, normalised and kept off zero as Keras does."""
    p = p / p.sum(dim=-1, keepdim=True)
    return p.clamp(1e-7, 1 - 1e-7).log()
''',
)


def categorical(args: Arguments, output: OutputFacts) -> LossCode:
    args.only("from_logits", "label_smoothing", "reduction", "name", "dtype", "axis")
    if args.literal("axis", -1) != -1:
        raise Refused("the class axis is not the last")
    smoothing = args.number("label_smoothing", 0.0)
    on_logits = _on_logits(args, output, "softmax")
    if not on_logits:
        if smoothing:
            raise Refused("label smoothing over probabilities has no rule")
        rows = "-({y} * log_probabilities({p})).sum(dim=-1)"
        return _code("CategoricalCrossentropy", f"({rows}).mean()", f"({rows})", "output", False, softmax=True)
    extra = f", label_smoothing={number_text(smoothing)}" if smoothing else ""
    if output.rank == 2:
        mean = f"F.cross_entropy({{p}}, {{y}}{extra})"
        return _code("CategoricalCrossentropy", mean, mean[:-1] + ', reduction="none")', "output", True)
    mean = f"F.cross_entropy({{p}}.flatten(0, -2), {{y}}.flatten(0, -2){extra})"
    return _code("CategoricalCrossentropy", mean, None, "output", True)


def binary(args: Arguments, output: OutputFacts) -> LossCode:
    args.only("from_logits", "label_smoothing", "reduction", "name", "dtype", "axis")
    smoothing = args.number("label_smoothing", 0.0)
    on_logits = _on_logits(args, output, "sigmoid")
    y = "{y}" if not smoothing else f"{{y}} * {number_text(1 - smoothing)} + {number_text(smoothing / 2)}"
    if on_logits:
        mean = f"F.binary_cross_entropy_with_logits({{p}}, {y})"
    else:  # Keras keeps probabilities off 0 and 1
        mean = f"F.binary_cross_entropy({{p}}.clamp(1e-7, 1 - 1e-7), {y})"
    return _elementwise("BinaryCrossentropy", mean, output, on_logits)


def _plain(name: str, mean: str) -> Make:
    def make(args: Arguments, output: OutputFacts) -> LossCode:
        args.only("reduction", "name", "dtype")
        return _elementwise(name, mean, output)

    return make


def huber(args: Arguments, output: OutputFacts) -> LossCode:
    args.only("delta", "reduction", "name", "dtype")
    delta = args.number("delta", 1.0)
    extra = "" if delta == 1.0 else f", delta={number_text(delta)}"
    return _elementwise("Huber", f"F.huber_loss({{p}}, {{y}}{extra})", output)


def kl_divergence(args: Arguments, output: OutputFacts) -> LossCode:
    args.only("reduction", "name", "dtype")
    rows = 'F.kl_div({p}.clamp(1e-7, 1.0).log(), {y}.clamp(1e-7, 1.0), reduction="none").sum(dim=-1)'
    return _code("KLDivergence", f"{rows}.mean()", rows, "output")


def cosine(args: Arguments, output: OutputFacts) -> LossCode:
    args.only("axis", "reduction", "name", "dtype")
    if args.literal("axis", -1) != -1:
        raise Refused("cosine similarity over another axis than the last has no rule")
    rows = "-F.cosine_similarity({p}, {y}, dim=-1)"
    return _code("CosineSimilarity", "-F.cosine_similarity({p}, {y}, dim=-1).mean()", f"({rows})", "output")


SIGNED = Helper(
    "signed_labels",
    '''def signed_labels(y):
    """Labels as -1 and 1: Keras reads a batch of zeros and ones so."""
    return 2.0 * y - 1.0 if ((y == 0) | (y == 1)).all() else y
''',
)


def _hinge(name: str, power: str) -> Make:
    def make(args: Arguments, output: OutputFacts) -> LossCode:
        args.only("reduction", "name", "dtype")
        each = f"F.relu(1.0 - signed_labels({{y}}) * {{p}}){power}"
        rows = f"{each}.mean(dim=-1)" if output.rank == 2 else None
        return LossCode(_api(name), f"{each}.mean()", rows, _shape(output), imports=(FUNCTIONAL,), helpers=(SIGNED,))

    return make


def _elementwise(name: str, mean: str, output: OutputFacts, on_logits: bool = False) -> LossCode:
    rows = None
    if output.rank == 2 and mean.startswith("F."):
        rows = mean[:-1] + ', reduction="none").mean(dim=-1)'
    elif output.rank == 2:
        rows = mean.removesuffix(".mean()") + ".mean(dim=-1)"
    return _code(name, mean, rows, _shape(output), on_logits)


def _shape(output: OutputFacts) -> str:
    """Keras lines [N] up with [N, 1]; torch would broadcast them to [N, N]."""
    return "column" if output.width == 1 and output.rank == 2 else "output"


def _on_logits(args: Arguments, output: OutputFacts, activation: str) -> bool:
    """Whether the loss is fed logits: said so, or the model offers them below its activation."""
    from_logits = args.flag("from_logits")
    if from_logits and output.activation:
        raise Refused(f"from_logits=True although the model ends in a {output.activation}")
    return from_logits or output.activation == activation


def _api(name: str) -> str:
    return f"tf.keras.losses.{name}"


def _code(
    name: str, mean: str, rows: str | None, target: str, on_logits: bool = False, softmax: bool = False
) -> LossCode:
    helpers = (LOG_PROBABILITIES,) if softmax else ()
    imports = tuple(i for i, used in ((FUNCTIONAL, "F." in mean), (TORCH, "torch." in mean)) if used)
    return LossCode(_api(name), mean, rows, target, on_logits, imports, helpers)


_MSE, _MAE = "F.mse_loss({p}, {y})", "F.l1_loss({p}, {y})"
_MAPE = "(100.0 * (({y} - {p}) / {y}.abs().clamp(min=1e-7)).abs()).mean()"
_MSLE = "({p}.clamp(min=1e-7).log1p() - {y}.clamp(min=1e-7).log1p()).square().mean()"
_LOGCOSH = "(({p} - {y}) + F.softplus(-2.0 * ({p} - {y})) - 0.6931471805599453).mean()"
_POISSON = "F.poisson_nll_loss({p}, {y}, log_input=False, eps=1e-7)"
_AXIS: tuple[tuple[str, object], ...] = (("axis", -1),)
_SMOOTH: tuple[tuple[str, object], ...] = (("from_logits", False), ("label_smoothing", 0.0), *_AXIS)

RULES = (
    LossRule(
        _api("SparseCategoricalCrossentropy"),
        (
            ("from_logits", False),
            ("ignore_class", None),
            ("reduction", "sum_over_batch_size"),
            ("axis", -1),
            *_TAIL[1:],
        ),
        ("sparse_categorical_crossentropy",),
        sparse,
    ),
    LossRule(_api("CategoricalCrossentropy"), (*_SMOOTH, *_TAIL), ("categorical_crossentropy",), categorical),
    LossRule(_api("BinaryCrossentropy"), (*_SMOOTH, *_TAIL), ("binary_crossentropy",), binary),
    LossRule(_api("MeanSquaredError"), _TAIL, ("mean_squared_error", "mse", "MSE"), _plain("MeanSquaredError", _MSE)),
    LossRule(
        _api("MeanAbsoluteError"), _TAIL, ("mean_absolute_error", "mae", "MAE"), _plain("MeanAbsoluteError", _MAE)
    ),
    LossRule(
        _api("MeanAbsolutePercentageError"),
        _TAIL,
        ("mean_absolute_percentage_error", "mape", "MAPE"),
        _plain("MeanAbsolutePercentageError", _MAPE),
    ),
    LossRule(
        _api("MeanSquaredLogarithmicError"),
        _TAIL,
        ("mean_squared_logarithmic_error", "msle", "MSLE"),
        _plain("MeanSquaredLogarithmicError", _MSLE),
    ),
    LossRule(_api("Huber"), (("delta", 1.0), *_TAIL), ("huber", "huber_loss"), huber),
    LossRule(_api("LogCosh"), _TAIL, ("log_cosh", "logcosh"), _plain("LogCosh", _LOGCOSH)),
    LossRule(_api("KLDivergence"), _TAIL, ("kl_divergence", "kld", "KLD"), kl_divergence),
    LossRule(_api("CosineSimilarity"), (*_AXIS, *_TAIL), ("cosine_similarity",), cosine),
    LossRule(_api("Poisson"), _TAIL, ("poisson",), _plain("Poisson", _POISSON)),
    LossRule(_api("Hinge"), _TAIL, ("hinge",), _hinge("Hinge", "")),
    LossRule(_api("SquaredHinge"), _TAIL, ("squared_hinge",), _hinge("SquaredHinge", ".square()")),
)
_BY_API = {rule.api: rule for rule in RULES} | {
    f"tf.keras.losses.{alias}": rule for rule in RULES for alias in rule.aliases
}
_BY_NAME = {alias: rule for rule in RULES for alias in (*rule.aliases, rule.api.rpartition(".")[2])}


def find(name: str) -> LossRule | None:
    """The record of a canonical API name or of a Keras string."""
    return _BY_API.get(name) or _BY_NAME.get(name)


def _summed(code: LossCode) -> LossCode:
    if code.rows is None:
        raise Refused("the sum of a loss of which the values per row are not known")
    return replace(code, mean=f"{code.rows}.sum()")


def loss(name: str, texts: Mapping[str, str], values: Mapping[str, Value], output: OutputFacts) -> LossCode | Decline:
    """The torch spelling of a loss, reduced to its mean (Keras's `sum_over_batch_size`)."""
    rule = find(name)
    if rule is None:
        return Decline(f"no rule for the loss {name}", api=name)
    args = Arguments(texts, values)
    try:
        reduction = args.literal("reduction", "sum_over_batch_size")
        if reduction not in ("sum_over_batch_size", "mean", "auto", "none", "sum"):
            raise Refused("this reduction has no rule")
        code = rule.make(args, output)
        return _summed(code) if reduction == "sum" else code
    except Refused as error:
        return refusal(error, rule.api)
