"""What is planned to be run for the units of a repository."""

from __future__ import annotations

from pathlib import Path

from migrator_validators.planning import Plan, plan

from migrator import source, steps
from migrator.codemods.repository import RepositoryDraft

PIPELINE = """import tensorflow as tf

AUTOTUNE = tf.data.AUTOTUNE
WIDTH = tf.constant(3)


def batches(x, batch_size=4, training=False):
    ds = tf.data.Dataset.from_tensor_slices(x)
    if training:
        ds = ds.shuffle(10)
    return ds.batch(batch_size).prefetch(AUTOTUNE)
"""


def plans(folder: Path, text: str) -> dict[str, Plan]:
    (folder / "m.py").write_text(text)
    repo = source.read(folder, (), ())
    facts = steps.know(repo)
    draft: RepositoryDraft = steps.rewrite(repo, facts, lambda *_: None)
    rewrites = [unit for file in draft.render({}).values() for unit in file.units]
    kinds = {unit.unit.id: draft.kind(unit.unit.id) for unit in rewrites}
    return plan(rewrites, kinds, {"m.py": "m"}, (), facts, draft.reachable)


def test_a_pipeline_that_nothing_calls_is_compared_batch_by_batch_with_its_switches_turned(tmp_path: Path) -> None:
    found = plans(tmp_path, PIPELINE)["m.py::batches"]
    assert {case.kind for case in found.alternatives} == {"data"}
    turned = found.varied[found.alternatives[0].id].turned
    assert [case.call.kwargs["training"].model_dump()["value"] for case in turned] == [True]


def test_a_constant_that_is_left_out_has_nothing_to_run(tmp_path: Path) -> None:
    found = plans(tmp_path, PIPELINE)
    assert not any("AUTOTUNE" in unit for unit in found)
