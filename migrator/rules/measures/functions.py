"""Losses and metrics as plain functions: one value a sample, whatever kind and rank labels and predictions have."""
# mypy: disable-error-code="no-untyped-def, no-untyped-call, misc, operator"

from __future__ import annotations

from typing import Any

from migrator.model import Helper
from migrator.rules.engine.registry import same
from migrator.rules.engine.samples import S, declines, f32, i32, no_grad, src, unit
from migrator.rules.measures.code import in_top_k
from migrator.rules.measures.keeping import kept
from migrator.rules.measures.pairs import floats, paired
from migrator.rules.measures.table import EACH

_LINED_UP = (
    *("mean_squared_error", "mean_absolute_error", "mean_absolute_percentage_error", "huber", "log_cosh"),
    *("mean_squared_logarithmic_error", "cosine_similarity", "pearson_correlation", "concordance_correlation"),
)


def each_function(name: str) -> Any:
    """The figure of the table as a function of labels, predictions and its options."""
    each = EACH[name]
    parameters = "".join(f", {key}={value!r}" for key, value in each.options)
    lines = [f"def {name}(y_true, y_pred{parameters}):", f'    """{each.doc}"""']
    first = paired if name in _LINED_UP else floats
    lines += [f"    y_true, y_pred = {first.name}(y_true, y_pred)"]
    lines += [f"    {line.replace('self.', '')}" for line in each.lines]
    return Helper(name, "\n".join(lines) + "\n", each.imports, (*first.needs, first, *each.helpers))


ASKED = (kept,)  # by the spellings below
_ONE_HOT = src("tf.one_hot(y, 3)", y=i32(4, low=0, high=3))
_YES = (i32(4, 3, low=0, high=2), unit(4, 3))
_SMOOTH = "from_logits=False, label_smoothing=0.0, axis=-1"
_GIVEN = "alpha=alpha, gamma=gamma, from_logits=kept(from_logits, axis=axis), label_smoothing=label_smoothing"
_AREAS = (i32(4, 5, 3, 1, low=0, high=2), unit(4, 5, 3, 1))
# name, parameters after labels and predictions, what is handed on, samples
_FUNCTIONS: tuple[tuple[str, str, str, list[Any]], ...] = (
    (
        "binary_focal_crossentropy",
        f"apply_class_balancing=False, alpha=0.25, gamma=2.0, {_SMOOTH}",
        f"apply_class_balancing=apply_class_balancing, {_GIVEN}",
        [S(*_YES), S(*_YES, apply_class_balancing=True, gamma=1.5), S(*_YES, True, 0.3, 2.0, True, 0.1)],
    ),
    (
        "categorical_focal_crossentropy",
        f"alpha=0.25, gamma=2.0, {_SMOOTH}",
        _GIVEN,
        [S(_ONE_HOT, unit(4, 3)), S(_ONE_HOT, unit(4, 3), from_logits=True), declines(_ONE_HOT, unit(4, 3), axis=0)],
    ),
    ("dice", "axis=None", "axis=axis", [S(*_AREAS), S(*_AREAS, axis=(1, 2, 3))]),
    (
        "tversky",
        "alpha=0.5, beta=0.5, axis=None",
        "alpha=alpha, beta=beta, axis=axis",
        [S(*_AREAS), S(*_AREAS, 0.3, beta=0.7, axis=(1, 2, 3))],
    ),
    ("ctc", "", "", [S(i32(4, 3, low=1, high=5), f32(4, 9, 5))]),
    ("categorical_generalized_cross_entropy", "q", "q=q", [S(i32(4, low=0, high=3), unit(4, 3), 0.7)]),
)
for _name, _more, _given, _samples in _FUNCTIONS:
    globals()[_name] = each_function(_name)
    same(
        f"tf.keras.losses.{_name}",
        f"{_name}(y_true, y_pred{', ' if _given else ''}{_given})",
        f"y_true, y_pred{', ' if _more else ''}{_more}",
        samples=_samples,
    )
for _name, _more, _ids, _samples in (
    (
        "top_k_categorical_accuracy",
        "k=5",
        "y_true.argmax(dim=-1)",
        [S(_ONE_HOT, unit(4, 3), 2), S(_ONE_HOT, unit(4, 3), k=1)],
    ),
    (
        "sparse_top_k_categorical_accuracy",
        "k=5, from_sorted_ids=False",
        "y_true.long()",
        [S(i32(4, low=0, high=3), unit(4, 3), 2), S(i32(2, 4, low=0, high=3), unit(2, 4, 3), k=1)],
    ),
):
    _k = "kept(k, from_sorted_ids=from_sorted_ids)" if "sorted" in _more else "k"
    same(
        f"tf.keras.metrics.{_name}",
        f"in_top_k({_ids}, y_pred, {_k}).float()",
        f"y_true: Tensor, y_pred: Tensor, {_more}",
        samples=list(map(no_grad, _samples)),
    )
USED = (in_top_k,)
