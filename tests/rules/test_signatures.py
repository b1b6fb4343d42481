"""A rule's signature is TF's own: a call that TensorFlow accepts binds the same way here."""

from __future__ import annotations

import pytest

from migrator.facts import names
from migrator.rules import rulebook
from migrator.rules.engine.records import LayerRule, Rule
from migrator.rules.engine.registry import all_layers, all_rules
from migrator.rules.engine.signature import REQUIRED

rulebook()
RECORDS: list[Rule | LayerRule] = [*(r for r in all_rules() if r.kind == "function"), *all_layers()]
RECORDS = [r for r in RECORDS if r.keras != 2]

# Parameters that only one Keras version has.
OTHER_VERSION = {
    "tf.keras.layers.LeakyReLU": {"alpha"},
    "tf.keras.layers.BatchNormalization": {"fused"},
}


@pytest.mark.parametrize("record", RECORDS, ids=lambda r: r.api)
def test_signature_is_tensorflows(record: Rule | LayerRule) -> None:
    assert names.canonical(record.api.replace("tf.", "tensorflow.", 1)) == record.api
    known = names.signature(record.api)
    assert known is not None
    theirs = [n for n, _ in known if not n.startswith("**")]
    ours = [("*" if p.variadic else "") + p.name for p in getattr(record.signature, "parameters", ())]
    extra = OTHER_VERSION.get(record.api, set())
    if isinstance(record, LayerRule):
        theirs = [n for n in theirs if n not in ("self", "name", "dtype", "trainable")]
    assert [n for n in ours if n not in extra] == theirs


@pytest.mark.parametrize("record", RECORDS, ids=lambda r: r.api)
def test_defaults_are_tensorflows(record: Rule | LayerRule) -> None:
    known = dict(names.signature(record.api) or ())
    for parameter in record.signature.parameters:
        text = known.get(parameter.name)
        if parameter.default is REQUIRED or text in (None, "...") or parameter.variadic:
            continue
        assert _same(parameter.default, text), f"{parameter.name}: {parameter.default!r} is {text} in TensorFlow"


def _same(ours: object, theirs: str) -> bool:
    try:
        return ours == eval(theirs, {})
    except Exception:
        return str(ours) in theirs
