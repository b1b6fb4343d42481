"""Metrics that count hits and misses above thresholds."""
# mypy: disable-error-code="no-untyped-def, no-untyped-call, misc, operator"

from __future__ import annotations

from typing import Any

from migrator.rules.engine.declining import Decline
from migrator.rules.engine.registry import rule, same
from migrator.rules.engine.samples import block, declined_block, f32, i32, no_grad, unit
from migrator.rules.measures import count_code
from migrator.rules.measures.keeping import kept, titled
from migrator.rules.measures.means import RUN, WEIGHED

for _helper in vars(count_code).copy().values():
    if type(_helper).__name__ == "Helper":
        globals()[_helper.name] = _helper
AUC: Any = count_code.AUC
ASKED = (kept, titled)  # by the spellings below
_UNNAMED = RUN.replace(", m.name", "")  # Keras numbers the names of these
_STARTED = _UNNAMED.replace("empty = m.result()\n", "").replace("return empty, ", "return ")
_COPIED = "m = tf.keras.metrics.{}\nm.update_state(y, p)\nm.update_state(y, p)\nreturn tf.identity(m.result())"
_YES = (i32(4, 3, low=0, high=2), unit(4, 3))


def _tried(made: str, weights: bool = True) -> list[Any]:
    found = [no_grad(block(_UNNAMED.format(made), y=_YES[0], p=_YES[1]))]
    if weights:
        text = WEIGHED.format(made, "[0.5, 0.0, 2.0, 1.0]")
        found += [no_grad(block(text, y=_YES[0], p=_YES[1], w=unit(*shape))) for shape in ((4,), (4, 1))]
    return found


for _name, _default in (("Precision", "precision"), ("Recall", "recall")):
    same(
        f"tf.keras.metrics.{_name}",
        f"{_name}(thresholds=thresholds, top_k=top_k, class_id=class_id, "
        f"name=kept(titled(name, {_default!r}), dtype=dtype))",
        "thresholds=None, top_k=None, class_id=None, name=None, dtype=None",
        samples=[
            *_tried(f"{_name}()"),
            *_tried(f"{_name}(thresholds=0.3, name='p')"),
            *_tried(f"{_name}([0.2, 0.6])"),
            *_tried(f"{_name}(thresholds=[0.0, 0.5, 1.0])"),
            *_tried(f"{_name}(top_k=2)"),
            *_tried(f"{_name}(class_id=1)"),
            *_tried(f"{_name}(top_k=1, class_id=2)"),
            no_grad(
                block(f"m = tf.keras.metrics.{_name}()\nm.update_state([0, 1, 1, 1], [1, 0, 1, 1])\nreturn m.result()")
            ),
        ],
    )
for _name, _default in (
    ("TruePositives", "true_positives"),
    ("FalsePositives", "false_positives"),
    ("TrueNegatives", "true_negatives"),
    ("FalseNegatives", "false_negatives"),
):
    same(
        f"tf.keras.metrics.{_name}",
        f"{_name}(thresholds=thresholds, name=kept(titled(name, {_default!r}), dtype=dtype))",
        "thresholds=None, name=None, dtype=None",
        samples=[
            *_tried(f"{_name}()"),
            no_grad(block(_COPIED.format(f"{_name}(thresholds=[0.3, 0.7])"), y=_YES[0], p=_YES[1])),
            *_tried(f"{_name}(0.2, 'c')"),
        ],
    )
for _name, _value in (
    ("SensitivityAtSpecificity", "specificity"),
    ("SpecificityAtSensitivity", "sensitivity"),
    ("PrecisionAtRecall", "recall"),
    ("RecallAtPrecision", "precision"),
):
    _default = "_".join((_name.partition("At")[0].lower(), "at", _name.partition("At")[2].lower()))
    same(
        f"tf.keras.metrics.{_name}",
        f"{_name}({_value}, num_thresholds=num_thresholds, class_id=class_id, "
        f"name=kept(titled(name, {_default!r}), dtype=dtype))",
        f"{_value}, num_thresholds=200, class_id=None, name=None, dtype=None",
        samples=[
            *_tried(f"{_name}(0.5)"),
            *_tried(f"{_name}({_value}=0.7, num_thresholds=7)"),
            *_tried(f"{_name}(0.3, num_thresholds=1)"),
            *_tried(f"{_name}(0.4, class_id=1)"),
        ],
    )


@rule(
    "tf.keras.metrics.AUC",
    samples=[
        *_tried("AUC()"),
        *_tried("AUC(num_thresholds=3, name='a')"),
        *_tried("AUC(curve='PR')"),
        *_tried("AUC(curve='PR', summation_method='minoring')"),
        *_tried("AUC(summation_method='majoring')"),
        *_tried("AUC(thresholds=[0.9, 0.2, 0.4])"),
        no_grad(block(_STARTED.format("AUC(multi_label=True)"), y=_YES[0], p=_YES[1])),
        *_tried("AUC(multi_label=True, num_labels=3, curve='PR', label_weights=[0.2, 0.5, 1.0])"),
        no_grad(block(_UNNAMED.format("AUC(from_logits=True)"), y=i32(4, 3, low=0, high=2), p=f32(4, 3))),
        no_grad(
            block("m = tf.keras.metrics.AUC()\nm.update_state([0, 0, 1, 1], [0, 0.5, 0.3, 0.9])\nreturn m.result()")
        ),
        declined_block("m = tf.keras.metrics.AUC(curve='PRGAIN')\nreturn m.result()"),
        declined_block("m = tf.keras.metrics.AUC(label_weights=[1.0, 2.0])\nreturn m.result()"),
    ],
)
def auc(
    num_thresholds=200,
    curve="ROC",
    summation_method="interpolation",
    name=None,
    dtype=None,
    thresholds=None,
    multi_label=False,
    num_labels=None,
    label_weights=None,
    from_logits=False,
):
    if curve not in ("ROC", "PR", "roc", "pr"):
        raise Decline("another curve than ROC and PR")
    if label_weights is not None and multi_label is not True:
        raise Decline("weights of labels that are not told apart")
    check_count(num_labels)
    return AUC(
        num_thresholds=num_thresholds,
        curve=curve,
        summation_method=summation_method,
        name=kept(titled(name, "auc"), dtype=dtype),
        thresholds=thresholds,
        multi_label=multi_label,
        label_weights=label_weights,
        from_logits=from_logits,
    )


def check_count(number: object) -> None:
    """Keras asks for the number of labels ahead, torch sees it by itself."""
    if number is not None and not isinstance(number, int):
        raise Decline("the number of labels must be known when rewriting")
