"""Metrics that are means over samples: accuracies, errors, losses."""
# mypy: disable-error-code="no-untyped-def, no-untyped-call, misc, operator"

from __future__ import annotations

from dataclasses import replace
from typing import Any

from migrator.model import Helper
from migrator.rules.engine.registry import same
from migrator.rules.engine.samples import block, f32, i32, no_grad, pos, unit
from migrator.rules.measures.code import in_top_k
from migrator.rules.measures.keeping import kept, titled
from migrator.rules.measures.mean_code import element_metric, mean_metric
from migrator.rules.measures.pairs import paired
from migrator.rules.measures.table import EACH, Each, class_ids, class_source

_PAIR = "y_true, y_pred = paired(y_true, y_pred)"
_K = (("k", 5),)
_COUNTED = {
    "Accuracy": Each(
        "How often labels and predictions are equal.",
        ("y_true, y_pred = same_rank(y_true.to(y_pred.dtype), y_pred)", "return y_true == y_pred"),
    ),
    "BinaryAccuracy": Each(
        "How often the prediction is on the right side of the threshold.",
        ("y_true, y_pred = same_rank(y_true, y_pred)", "return y_true == (y_pred > self.threshold).to(y_true.dtype)"),
        (("threshold", 0.5),),
    ),
    "CategoricalAccuracy": Each(
        "How often the class with the highest share is predicted.",
        ("return y_true.argmax(dim=-1) == y_pred.argmax(dim=-1)",),
    ),
    "SparseCategoricalAccuracy": Each(
        "How often the class of this id is predicted.",
        ("return class_ids(y_true, y_pred) == y_pred.argmax(dim=-1)",),
        helpers=(class_ids,),
    ),
    "TopKCategoricalAccuracy": Each(
        "How often the class with the highest share is among the first `k`.",
        ("return in_top_k(y_true.argmax(dim=-1), y_pred, self.k)",),
        _K,
        (in_top_k,),
    ),
    "SparseTopKCategoricalAccuracy": Each(
        "How often the class of this id is among the first `k`.",
        ("return in_top_k(y_true.long(), y_pred, self.k)",),
        _K,
        (in_top_k,),
    ),
}


def _float(name: str) -> Each:
    """The figure of the table, over whatever labels and predictions are given."""
    each = EACH[name]
    return replace(each, lines=(_PAIR, *each.lines), helpers=(paired, *each.helpers))


def _percentage() -> Each:
    each = EACH["mean_absolute_percentage_error"]
    lines = (
        "floor = 1e-7 if y_pred.is_floating_point() else 0.0  # the least number is lost where Keras takes whole ones",
        _PAIR,
        "return 100.0 * ((y_true - y_pred) / y_true.abs().clamp(min=floor)).abs().mean(dim=-1)",
    )
    return replace(each, lines=lines, helpers=(paired,))


def _root() -> Each:
    return Each("The root of the mean squared error.", (_PAIR, "return (y_pred - y_true).square()"), helpers=(paired,))


def _class(name: str, each: Each, default: str, base: Any) -> Any:
    source = class_source(name, "MeanMetric", "values", each, f'name = "{default}"')
    if name == "RootMeanSquaredError":
        source += "\n    def result(self):\n        return super().result().sqrt()\n"
    needs = (*base.needs, *(h for helper in each.helpers for h in (*helper.needs, helper)), base)
    return Helper(name, source, each.imports, tuple(dict.fromkeys(needs)))


ASKED = (kept, titled)  # by the spellings below
RUN = """m = tf.keras.metrics.{}
empty = m.result()
m.update_state(y, p)
first = m.result()
m.update_state(y[1:], p[1:])
second, third = m.result(), m(y, p)
m.reset_state()
return empty, first, second, third, m.result(), m.name"""
WEIGHED = "m = tf.keras.metrics.{}\nm.update_state(y, p, sample_weight=w)\nm.update_state(y, p, {})\nreturn m.result()"


def _samples(made: str, labels: Any, scores: Any, before: str = "") -> list[Any]:
    weights = "[0.5, 0.0, 2.0, 1.0]"
    found = [no_grad(block(before + RUN.format(made), y=labels, p=scores))]
    found.append(no_grad(block(before + WEIGHED.format(made, weights), y=labels, p=scores, w=unit(4))))
    found.append(no_grad(block(before + WEIGHED.format(made, weights), y=labels, p=scores, w=unit(4, 1))))
    return found


_OLD_NAMES = {"KLDivergence": "kullback_leibler_divergence"}


def _register(name: str, each: Each, default: str, params: str, given: str, samples: list[Any]) -> None:
    """The metric under its name, as either Keras takes means."""
    for keras, base, suffix in ((3, mean_metric, ""), (2, element_metric, "_2")):
        named = _OLD_NAMES.get(name, default) if keras == 2 else default
        globals()[f"{name}{suffix}"] = _class(name, each, named, base)
        same(
            f"tf.keras.metrics.{name}",
            f"{name}{suffix}({given}name=kept(titled(name, {named!r}), dtype=dtype))",
            params.replace(f"name={default!r}", f"name={named!r}"),
            samples=samples if keras == 3 else (),
            keras=keras,
        )


_SAME, _SHARES = (f32(4, 3), f32(4, 3)), (pos(4, 3), pos(4, 3))
_YES, _IDS = (i32(4, 3, low=0, high=2), unit(4, 3)), (i32(4, low=0, high=5), unit(4, 5))
_ONE_HOT = "y = tf.one_hot(y, 5)\n"
_SOFT = "from_logits=False, label_smoothing=0"
_LOGITS = "from_logits=kept(from_logits, axis=axis), label_smoothing=label_smoothing, "
# class, figure or name of the table, Keras's name, parameters between name and the end, what is handed on,
# arguments of samples, labels and predictions, lines before
_METRICS: tuple[tuple[str, Any, str, str, str, tuple[str, ...], tuple[Any, Any], str], ...] = (
    ("Accuracy", None, "accuracy", "", "", ("",), (i32(4, 3, low=0, high=3), i32(4, 3, low=0, high=3)), ""),
    (
        "BinaryAccuracy",
        None,
        "binary_accuracy",
        ", threshold=0.5",
        "threshold=threshold, ",
        ("", "threshold=0.3", "name='b'"),
        _YES,
        "",
    ),
    ("CategoricalAccuracy", None, "categorical_accuracy", "", "", ("",), _IDS, _ONE_HOT),
    ("SparseCategoricalAccuracy", None, "sparse_categorical_accuracy", "", "", ("",), _IDS, ""),
    ("MeanSquaredError", "mean_squared_error", "mean_squared_error", "", "", ("", "name='mse'"), _SAME, ""),
    ("MeanAbsoluteError", "mean_absolute_error", "mean_absolute_error", "", "", ("",), _SAME, ""),
    (
        "MeanAbsolutePercentageError",
        _percentage(),
        "mean_absolute_percentage_error",
        "",
        "",
        ("",),
        _SHARES,
        "",
    ),
    (
        "MeanSquaredLogarithmicError",
        "mean_squared_logarithmic_error",
        "mean_squared_logarithmic_error",
        "",
        "",
        ("",),
        _SHARES,
        "",
    ),
    ("RootMeanSquaredError", _root(), "root_mean_squared_error", "", "", ("",), _SAME, ""),
    ("CosineSimilarity", "cosine_similarity", "cosine_similarity", ", axis=-1", "axis=axis, ", ("",), _SAME, ""),
    ("LogCoshError", "log_cosh", "logcosh", "", "", ("",), _SAME, ""),
    ("KLDivergence", "kl_divergence", "kl_divergence", "", "", ("",), (unit(4, 3), unit(4, 3)), ""),
    ("Poisson", "poisson", "poisson", "", "", ("",), _SHARES, ""),
    ("Hinge", "hinge", "hinge", "", "", ("",), (i32(4, 3, low=0, high=2), f32(4, 3)), ""),
    ("SquaredHinge", "squared_hinge", "squared_hinge", "", "", ("",), _SAME, ""),
    ("CategoricalHinge", "categorical_hinge", "categorical_hinge", "", "", ("",), _SAME, ""),
    (
        "BinaryCrossentropy",
        "binary_crossentropy",
        "binary_crossentropy",
        f", {_SOFT}",
        "from_logits=from_logits, label_smoothing=label_smoothing, ",
        ("", "from_logits=True", "label_smoothing=0.2"),
        _YES,
        "",
    ),
    (
        "CategoricalCrossentropy",
        "categorical_crossentropy",
        "categorical_crossentropy",
        f", {_SOFT}, axis=-1",
        _LOGITS,
        ("", "from_logits=True", "label_smoothing=0.2"),
        _IDS,
        _ONE_HOT,
    ),
    (
        "SparseCategoricalCrossentropy",
        "sparse_categorical_crossentropy",
        "sparse_categorical_crossentropy",
        ", from_logits=False, ignore_class=None, axis=-1",
        "from_logits=kept(from_logits, ignore_class=ignore_class, axis=axis), ",
        ("", "from_logits=True"),
        _IDS,
        "",
    ),
    ("PearsonCorrelation", "pearson_correlation", "pearson_correlation", ", axis=-1", "axis=axis, ", ("",), _SAME, ""),
    (
        "ConcordanceCorrelation",
        "concordance_correlation",
        "concordance_correlation",
        ", axis=-1",
        "axis=axis, ",
        ("",),
        _SAME,
        "",
    ),
)
for _name, _figure, _default, _more, _given, _arguments, _arrays, _before in _METRICS:
    _each = _COUNTED[_name] if _figure is None else _float(_figure) if isinstance(_figure, str) else _figure
    _tried = [s for text in _arguments for s in _samples(f"{_name}({text})", *_arrays, _before)]
    if _name == "MeanAbsolutePercentageError":
        _tried += _samples(f"{_name}()", i32(4, 3), i32(4, 3))[:1]
    _register(_name, _each, _default, f"name={_default!r}, dtype=None{_more}", _given, _tried)
for _name, _more, _given, _before in (
    ("TopKCategoricalAccuracy", "", "k=k, ", _ONE_HOT),
    ("SparseTopKCategoricalAccuracy", ", from_sorted_ids=False", "k=kept(k, from_sorted_ids=from_sorted_ids), ", ""),
):
    _default = "sparse_" * _name.startswith("Sparse") + "top_k_categorical_accuracy"
    _tried = [s for text in ("", "k=2", "k=1, name='t'") for s in _samples(f"{_name}({text})", *_IDS, _before)]
    _register(_name, _COUNTED[_name], _default, f"k=5, name={_default!r}, dtype=None{_more}", _given, _tried)
