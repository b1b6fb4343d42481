"""Recording the source's calls, and what becomes of them."""

from __future__ import annotations

from pathlib import Path

import pytest
from migrator_validators.cases import Array, Batches, Case, Lit, Made, Name
from migrator_validators.recording import Recording, cases, entry_points, record
from migrator_validators.workers import Workers

NET = """
import tensorflow as tf
from tensorflow import keras
from tensorflow.keras import layers


class Scale(layers.Layer):
    def __init__(self, factor, **kwargs):
        super().__init__(**kwargs)
        self.factor = factor

    def call(self, x):
        return x * self.factor


class Net(keras.Model):
    def __init__(self, units):
        super().__init__()
        self.hidden = layers.Dense(units)
        self.scale = Scale(2.0)

    def call(self, x, training=False):
        return self.scale(self.hidden(x))


def build_model(hidden, dropout=0.5):
    model = keras.Sequential([keras.Input((784,)), layers.Dense(hidden), layers.Dense(10, activation="softmax")])
    model.compile("adam", "sparse_categorical_crossentropy")
    return model
"""

TRAIN = """
import sys
import tensorflow as tf
from models.net import Net, build_model

if len(sys.argv) > 1:
    print("arguments", sys.argv[1:])


def preprocess(x, scale=255.0):
    return x.reshape(len(x), -1).astype("float32") / scale


def make_dataset(x, y, batch_size):
    return tf.data.Dataset.from_tensor_slices((x, y)).shuffle(100).batch(batch_size)


@tf.function
def step(model, optimizer, x):
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(model(x, training=True) ** 2)
    optimizer.apply_gradients(zip(tape.gradient(loss, model.trainable_variables), model.trainable_variables))
    return loss


def train_in_a_loop(model, dataset, epochs=3):
    optimizer = tf.keras.optimizers.SGD(0.1)
    for _ in range(epochs):
        for x, _ in dataset:
            step(model, optimizer, x)


def train(model, x, y, epochs=10, batch_size=32):
    return model.fit(x, y, epochs=epochs, batch_size=batch_size, verbose=0).history


def broken(x):
    raise ValueError("no")


def never_called(x):
    return x


def main():
    (x, y), _ = tf.keras.datasets.mnist.load_data()
    x = preprocess(x)
    print("epochs run", len(train(build_model(16), x, y)["loss"]))
    train_in_a_loop(Net(8), make_dataset(x, y, 16))
    try:
        broken(3)
    except ValueError:
        pass
    open("no/such/file")


if __name__ == "__main__":
    main()
"""


def plant(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


FILES = {"models/__init__.py": "", "models/net.py": NET, "train.py": TRAIN, "setup.py": "print(1)", "data.txt": "x"}


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return plant(tmp_path_factory.mktemp("source"), FILES)


@pytest.fixture(scope="module")
def recording(tree: Path, workers: Workers) -> Recording:
    return record(tree, workers, argv=("--fast",))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cases")


@pytest.fixture(scope="module")
def made(recording: Recording, folder: Path) -> dict[str, Case]:
    return {case.id: case for case in cases(recording, folder)}


def test_entry_points_are_what_does_something(tree: Path) -> None:
    assert entry_points(tree) == ("train.py",)


def test_a_library_has_no_entry_point(tmp_path: Path) -> None:
    files = {"lib.py": '"""Doc."""\nimport os\nX = 1\n', "tests/test_a.py": "print(1)", "bad.py": "def"}
    assert entry_points(plant(tmp_path, files)) == ()


def test_the_run_is_short_and_its_end_is_told(recording: Recording) -> None:
    assert "epochs run 1" in recording.stdout
    assert "arguments ['--fast']" in recording.stdout
    assert recording.error.startswith("train.py: FileNotFoundError")
    assert "train.py:" in recording.error.split("file")[-1]


def test_calls_are_noted_with_what_they_did(recording: Recording) -> None:
    by_name = {call.name: call for call in recording.calls}
    assert by_name["train:preprocess"].result == {"type": "array", "shape": [96, 784], "dtype": "float32"}
    assert by_name["train:train"].steps == 3
    assert by_name["train:train"].parent == by_name["train:main"].label
    assert by_name["train:broken"].raised == "ValueError"
    assert by_name["models.net:Scale"].uses
    assert "train:never_called" not in by_name


def test_kinds_follow_the_evidence(made: dict[str, Case]) -> None:
    kinds = {name.rsplit("-", 1)[0]: case.kind for name, case in made.items()}
    assert kinds == {
        "train.preprocess": "function",
        "models.net.build_model": "model",
        "models.net.Net": "model",
        "models.net.Scale": "layer",
        "train.make_dataset": "data",
        "train.train": "training",
        "train.train_in_a_loop": "training",
    } | ({"train.main": "training"} if "train.main" in kinds else {})


def test_models_are_called_with_what_was_recorded_and_with_other_sizes(made: dict[str, Case]) -> None:
    recorded, free = made["models.net.build_model-1"], made["models.net.build_model-2"]
    assert recorded.call.args == (Lit(value=16),)
    assert (recorded.inputs_from, free.inputs_from) == ("recorded", "invented")
    assert isinstance(recorded.inputs[0], Array)
    assert recorded.inputs[0].npz
    assert isinstance(free.inputs[0], Array)
    assert free.inputs[0].shape == ("N", 784)


def test_training_gets_the_objects_made_before_and_few_epochs(made: dict[str, Case]) -> None:
    case = made["train.train-1"]
    assert isinstance(case.call.args[0], Made)
    assert case.call.args[0].call.source == "models.net:build_model"
    assert case.call.kwargs["epochs"] == Lit(value=2)
    assert case.unchecked == ("epochs by default, run with 2",)
    loop = made["train.train_in_a_loop-1"]
    assert isinstance(loop.call.args[0], Made)
    assert loop.call.args[0].build is not None  # its weights exist after a first call only
    assert isinstance(loop.call.args[1], Made | Batches)


def test_large_arrays_lie_beside_the_cases(made: dict[str, Case], folder: Path) -> None:
    import numpy as np

    image = made["train.preprocess-1"].call.args[0]
    assert isinstance(image, Array)
    assert image.npz is not None
    name, key = image.npz.split("#")
    with np.load(folder / name) as stored:
        assert stored[key].shape == (96, 28, 28)


def test_a_recording_survives_the_disk(recording: Recording, tmp_path: Path) -> None:
    recording.save(tmp_path)
    loaded = Recording.load(tmp_path)
    assert loaded.calls == recording.calls
    assert set(loaded.arrays) == set(recording.arrays)


def test_a_missing_module_is_told(workers: Workers, tmp_path: Path) -> None:
    tree = plant(tmp_path, {"run.py": "import no_such_module\nprint(1)\n"})
    recording = record(tree, workers)
    assert recording.calls == ()
    assert "no_such_module" in recording.error


def test_a_program_without_end_is_cut(workers: Workers, tmp_path: Path) -> None:
    text = "def f(x):\n    return x + 1\n\n\nx = 0\nwhile True:\n    x = f(x)\n"
    recording = record(plant(tmp_path, {"run.py": text}), workers, seconds=3)
    assert "time" in recording.error
    assert [call.name for call in recording.calls[:1]] == ["run:f"]


SCRIPT = """
import numpy as np
from tensorflow import keras

x = DATA
model = keras.Sequential([keras.Input(x.shape[1:]), keras.layers.Flatten(), keras.layers.Dense(1)])
model.compile("sgd", "mse")
model.fit(x, np.zeros((len(x), 1)), verbose=0)
"""


@pytest.mark.parametrize(
    "data",
    [
        'np.ones((8, 3), "float32")',
        "keras.datasets.mnist.load_data()[0][0]",  # both sides read the same stand-in
    ],
)
def test_a_script_that_trains_is_a_case_of_its_own(workers: Workers, tmp_path: Path, data: str) -> None:
    recording = record(plant(tmp_path, {"run.py": SCRIPT.replace("DATA", data)}), workers)
    assert recording.error == ""
    assert [case.id for case in cases(recording, tmp_path / "cases")] == ["run.__main__-1"]


OPEN_ENDED = """
import tensorflow as tf

data = tf.data.Dataset.range(40).filter(lambda i: i % 2 == 0)
data = data.map(lambda i: (tf.fill([3], tf.cast(i, tf.float32)), tf.ones([1]))).batch(4)
model = tf.keras.Sequential([tf.keras.Input((3,)), tf.keras.layers.Dense(1)])
model.compile("sgd", "mse")
model.fit(data, verbose=0)
print(model.predict(data, verbose=0).shape)
"""


def test_data_whose_length_is_not_known_train_and_are_predicted_of(workers: Workers, tmp_path: Path) -> None:
    recording = record(plant(tmp_path, {"run.py": OPEN_ENDED}), workers)
    assert recording.error == ""
    (case,) = cases(recording, tmp_path / "cases")
    request = {"call": {"ref": case.call.source}, "roots": [], "steps": 2, "most": 99}
    reply = workers.run("tf", "tf_training", request, {}, tree=tmp_path)
    assert (reply.status, reply.result["finished"]) == ("ok", True)


def test_recordings_of_a_program_are_the_same(tmp_path: Path, workers: Workers) -> None:
    """Else nothing that was found out or asked about it could be used again."""
    (tmp_path / "draw.py").write_text(
        "import random\n\nimport numpy as np\nimport tensorflow as tf\n\n\n"
        "def f(x, y, n):\n    return x + tf.cast(y, tf.float32) * n\n\n\n"
        "if __name__ == '__main__':\n    f(tf.random.normal([3]), np.random.rand(3), random.random())\n"
    )
    first, second = (record(tmp_path, workers, modules={"draw.py": "draw"}) for _ in range(2))
    one, two = (cases(made, tmp_path / str(n)) for n, made in enumerate((first, second)))
    assert [case.model_dump_json() for case in one] == [case.model_dump_json() for case in two]
    assert len(one) == 1


KINDS = """
import tensorflow as tf


def convert(x, dtype=tf.float32):
    return tf.cast(x, dtype)


def twice(x):
    return x * 2


def thrice(x):
    return x * 3


def apply(x, function):
    return function(x)


if __name__ == "__main__":
    x = tf.constant([1.5])
    convert(x), convert(x, tf.int32), convert(x, tf.int64)
    apply(x, twice), apply(x, thrice)
"""


def test_calls_with_other_dtypes_and_functions_are_other_calls(workers: Workers, tmp_path: Path) -> None:
    recording = record(plant(tmp_path, {"run.py": KINDS}), workers)
    found = [case.call for case in cases(recording, tmp_path / "cases")]
    given = [call.args[1] for call in found if len(call.args) > 1]
    assert [(arg.source, arg.target) for arg in given if isinstance(arg, Name)] == [
        ("tensorflow:int32", "torch:int32"),
        ("tensorflow:int64", "torch:int64"),
        ("run:twice", ""),
        ("run:thrice", ""),
    ]


TWINS = """
from tensorflow import keras


def build():
    return keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])


def score(model, x):
    return model(x)


first, second = build(), build()
score(second, keras.ops.ones((2, 3)))
"""


def test_an_object_that_a_call_like_an_earlier_one_made_can_be_made_again(tmp_path: Path, workers: Workers) -> None:
    (tmp_path / "twins.py").write_text(TWINS)
    made = record(tmp_path, workers)
    found = cases(made, tmp_path / "cases")
    assert next(c.id for c in found if c.call.source == "twins:build") == "twins.build-1"
    (score,) = (c for c in found if c.call.source == "twins:score")
    assert isinstance(score.call.args[0], Made)
    labels = [call.label for call in made.calls if call.name == "twins:build"]
    assert score.call.args[0].label == labels[1]


REPORTS = """
import numpy as np


def show(scores):
    print("best", int(scores.argmax()))


def write(path, scores):
    np.save(path, scores.mean(axis=0))


def quiet(scores):
    scores.sum()


def main():
    scores = np.random.normal(size=(4, 3))
    show(scores)
    write("means.npy", scores)
    quiet(scores)


main()
"""


def test_calls_that_print_or_write_what_they_are_given_are_cases(tmp_path: Path, workers: Workers) -> None:
    recording = record(plant(tmp_path, {"run.py": REPORTS}), workers)
    found = [case.call.source for case in cases(recording, tmp_path / "cases") if case.kind == "function"]
    assert sorted(found) == ["run:show", "run:write"]
