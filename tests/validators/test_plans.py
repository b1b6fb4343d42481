"""What is planned to be run for the units of a repository."""

from __future__ import annotations

import ast
from pathlib import Path

from migrator_validators.cases import Call, Case
from migrator_validators.hints import Modules
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


def plans(folder: Path, text: str, recorded: tuple[Case, ...] = (), read: bool = False) -> dict[str, Plan]:
    """`read`: the planning reads the original's text."""
    (folder / "m.py").write_text(text)
    repo = source.read(folder, (), ())
    facts = steps.know(repo)
    draft: RepositoryDraft = steps.rewrite(repo, facts, lambda *_: None)
    rewrites = [unit for file in draft.render({}).values() for unit in file.units]
    kinds = {unit.unit.id: draft.kind(unit.unit.id) for unit in rewrites}
    original = Modules({"m": ast.parse(text)} if read else {})
    return plan(rewrites, kinds, {"m.py": "m"}, recorded, facts, draft.reachable, original=original)


def test_a_pipeline_that_nothing_calls_is_compared_batch_by_batch_with_its_switches_turned(tmp_path: Path) -> None:
    found = plans(tmp_path, PIPELINE)["m.py::batches"]
    assert {case.kind for case in found.alternatives} == {"data"}
    turned = found.varied[found.alternatives[0].id].turned
    assert [case.call.kwargs["training"].model_dump()["value"] for case in turned] == [True]


def test_a_constant_that_is_left_out_has_nothing_to_run(tmp_path: Path) -> None:
    found = plans(tmp_path, PIPELINE)
    assert not any("AUTOTUNE" in unit for unit in found)


PROGRAM = """import tensorflow as tf

model = tf.keras.Sequential([tf.keras.Input((3,)), tf.keras.layers.Dense(1)])


def show(x):
    print(tf.reduce_sum(x))


def fit(x):
    optimizer = tf.keras.optimizers.Adam(0.1)
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(model(x))
    optimizer.apply_gradients(zip(tape.gradient(loss, model.trainable_variables), model.trainable_variables))


fit(tf.ones((2, 3)))
"""


def test_a_program_may_show_the_differences_of_all_that_it_runs(tmp_path: Path) -> None:
    recorded = Case(id="p", kind="training", call=Call(source="m:__main__"))
    found = plans(tmp_path, PROGRAM, (recorded,))
    (model,) = [planned for unit, planned in found.items() if "model@" in unit]
    assert "adam-epsilon" in model.cases[0].gaps


def test_a_function_that_trains_is_compared_in_training(tmp_path: Path) -> None:
    found = plans(tmp_path, PROGRAM)
    assert {case.kind for case in found["m.py::fit"].alternatives} == {"training"}
    assert found["m.py::show"].alternatives == ()


def test_statements_that_bind_nothing_are_run_as_a_program(tmp_path: Path) -> None:
    found = plans(tmp_path, PROGRAM)
    ran = {unit: [case.kind for case in planned.cases] for unit, planned in found.items() if planned.cases}
    assert ran == {"m.py::model@3": ["script"], "m.py::lines@17": ["script"]}


BUILDER = """from tensorflow import keras
from tensorflow.keras import layers


def build(classes, width=24, depth=None):
    inputs = keras.Input((None, None, width))
    x = layers.Conv2D(8, 3)(inputs)
    return keras.Model(inputs, layers.Dense(classes)(layers.GlobalAveragePooling2D()(x)))
"""


def test_a_builder_that_is_left_its_defaults_takes_inputs_of_their_size(tmp_path: Path) -> None:
    found = plans(tmp_path, BUILDER)["m.py::build"]
    cases = (*found.cases, *found.alternatives)
    assert cases
    assert all("width" not in case.call.kwargs for case in cases)
    assert {case.inputs[0].model_dump()["shape"][-1] for case in cases} == {24}


AGENT = """import tensorflow as tf


class Agent:
    def __init__(self):
        self.w = tf.Variable(1.0)

    def act(self):
        return tf.square(self.w)


def unused(x):
    return tf.square(x)


agent = Agent()
agent.act()
"""


def test_a_program_of_which_only_definitions_are_migrated_is_run_for_those_that_it_uses(tmp_path: Path) -> None:
    calls = [Case(id=f"a{i}", kind="function", call=Call(source="m:Agent")) for i in range(6)]
    program = Case(id="p", kind="training", call=Call(source="m:__main__"))
    found = plans(tmp_path, AGENT, (*calls, program))
    assert [case.id for case in found["m.py::Agent"].cases] == ["a0", "a1", "a2", "a3", "p"]
    assert "p" not in [case.id for case in found["m.py::unused"].cases]


FIELDS = """import tensorflow as tf


class Fields(tf.keras.layers.Layer):
    def build(self, input_shape):
        if not isinstance(input_shape, list) or len(input_shape) < 2 or len(input_shape[0]) != 3:
            raise ValueError
        self.fields = len(input_shape)
        self.scale = self.add_weight(shape=(self.fields, input_shape[0][1], 1))

    def call(self, inputs):
        return tf.stack(inputs, axis=1) * self.scale
"""


def test_a_layer_is_told_the_sizes_of_what_it_is_called_with(tmp_path: Path) -> None:
    found = plans(tmp_path, FIELDS)["m.py::Fields"]
    cases = (*found.cases, *found.alternatives)
    assert cases
    for case in cases:
        items = case.inputs[0].model_dump()["items"]
        told = {name: arg.model_dump()["value"] for name, arg in (case.call.target_kwargs or {}).items()}
        assert told == {"num_inputs": len(items), "in_length": items[0]["shape"][1]}
        assert len(items) >= 2


GUARD = """import tensorflow as tf

LIMIT = tf.constant(2.0)

if __name__ == "__main__":
    total = tf.reduce_sum(LIMIT * tf.ones((2, 3)))
    print(total)
"""


def test_what_only_the_program_binds_is_no_value_of_the_module(tmp_path: Path) -> None:
    (found,) = [planned for unit, planned in plans(tmp_path, GUARD, read=True).items() if "LIMIT" in unit]
    assert [(case.kind, case.names) for case in found.cases] == [("constant", ("LIMIT",)), ("script", ())]


def test_what_later_lines_bind_anew_tells_nothing_of_lines_before(tmp_path: Path) -> None:
    text = "import tensorflow as tf\n\na = tf.exp(tf.ones([2]))\nb = tf.exp(a)\n\n\n"
    text += "def f():\n    a = 1\n    return a\n\n\n"
    found = plans(tmp_path, text + "a = tf.zeros([2])\nc = tf.exp(a)\n", read=True)
    names = {unit: plan.cases[0].names for unit, plan in found.items() if "@" in unit}
    assert names == {"m.py::a@3": ("b",), "m.py::a@12": ("a", "c")}
