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

# The table has no signature of functions without one in TF.
UNSIGNED = {"tf.meshgrid", "tf.Variable", "tf.print", "tf.compat.dimension_value", "tf.random.Generator.from_seed"}
UNSIGNED_MODULES = ("tf.compat.v1.flags.", "tf.train.", "tf.compat.as_")


@pytest.mark.parametrize("record", RECORDS, ids=lambda r: r.api)
def test_signature_is_tensorflows(record: Rule | LayerRule) -> None:
    assert names.canonical(record.api.replace("tf.", "tensorflow.", 1)) == record.api
    if record.api in UNSIGNED or (record.api.startswith(UNSIGNED_MODULES) and names.signature(record.api) is None):
        return
    known = names.signature(record.api) or ()
    theirs = [n for n, _ in known if not n.startswith("**")]
    open_end = len(theirs) < len(known)  # what TF takes through `**kwargs` is keyword-only here
    ours = [
        ("*" if p.variadic else "") + p.name for p in record.signature.parameters if not (open_end and p.keyword_only)
    ]
    if isinstance(record, LayerRule):  # Keras 2 and 3 differ in the last ones: those of both in the same order
        ours, theirs = [n for n in ours if n in theirs], [n for n in theirs if n in ours]
    assert ours == theirs
    assert ours or not record.signature.parameters


@pytest.mark.parametrize("record", RECORDS, ids=lambda r: r.api)
def test_defaults_are_tensorflows(record: Rule | LayerRule) -> None:
    known = dict(names.signature(record.api) or ())
    for parameter in record.signature.parameters:
        text = known.get(parameter.name)
        if parameter.default is REQUIRED or text in (None, "...") or parameter.name == "name":
            continue
        assert _same(parameter.default, text), f"{parameter.name}: {parameter.default!r} is {text} in TensorFlow"


def _same(ours: object, theirs: str) -> bool:
    try:
        return ours == eval(theirs, {}) or repr(ours).lower() == theirs.lower()
    except Exception:
        return str(ours) in theirs
