"""Keras's applications inside of models: frozen, in inference mode, as the start of a graph."""

from __future__ import annotations

from pathlib import Path

from migrator.config import RunSettings
from migrator.model import FileRewrite
from migrator.steps import know, read, rewrite
from tests.codemods.model_programs import migrate

HEAD = """
from tensorflow import keras
from tensorflow.keras import layers
"""
FUNCTIONAL = """
def build(classes):
    base = keras.applications.MobileNetV2(input_shape=(96, 96, 3), include_top=False)
    base.trainable = False  # only the head learns
    inputs = keras.Input((96, 96, 3))
    x = base(inputs{training})
    x = layers.GlobalAveragePooling2D()(x)
    return keras.Model(inputs, layers.Dense(classes)(x))
"""
ONWARD = """
def build(classes):
    base = keras.applications.VGG16(include_top=False, weights=None, {shape})
    x = base.output
    x = layers.Flatten()(x)
    model = keras.Model(inputs=base.input, outputs=layers.Dense(classes, activation="softmax")(x))
    for layer in base.layers:
        layer.trainable = False
    return model
"""


def text_of(source: str) -> str:
    migrated = migrate(HEAD + source)
    assert migrated.declines == []
    return migrated.text


def files(folder: Path, sources: dict[str, str]) -> dict[str, FileRewrite]:
    for path, source in sources.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(source, encoding="utf-8")
    repo = read(RunSettings(src=folder, out=None))
    return rewrite(repo, know(repo), lambda *_: None).render({})


def test_frozen_normalisation_keeps_its_statistics() -> None:
    """Keras 3 takes no notice of `training=False` in a graph: dropout follows the model, normalisation is frozen."""
    for training in ("", ", training=False"):
        text = text_of(FUNCTIONAL.format(training=training))
        assert "    def train(self, mode=True):\n        super().train(mode)\n        keep_frozen(self.base)\n" in text
        assert "self.base.eval()" not in text


def test_frozen_and_in_inference_mode() -> None:
    text = migrate(HEAD + FUNCTIONAL.format(training=", training=False"), keras=2).text
    assert 'self.base = MobileNetV2(input_shape=(96, 96, 3), include_top=False, weights="imagenet")' in text
    assert "        self.base.requires_grad_(False)\n" in text
    assert "    def train(self, mode=True):\n        super().train(mode)\n        self.base.eval()" in text
    assert "keep_frozen(" not in text
    assert "x = self.base.features(x)" in text


def test_inference_in_one_call_of_two() -> None:
    source = """
class Net(keras.Model):
    def __init__(self):
        super().__init__()
        self.base = keras.applications.MobileNetV2(include_top=False, pooling="avg", weights=None)

    def call(self, x):
        return self.base(x, training=False){}
"""
    assert "self.base.eval()  # in training too" in text_of(source.format(""))
    declines = migrate(HEAD + source.format(" + self.base(x)")).declines
    assert "a layer that is told not to train in one call of several" in declines


def test_graph_from_the_output() -> None:
    for shape in ("input_shape=(64, 64, 3)", "input_tensor=keras.Input((64, 64, 3))"):
        text = text_of(ONWARD.format(shape=shape))
        assert "self.base = VGG16(include_top=False, input_shape=(64, 64, 3))" in text
        assert "self.fc = nn.Linear(512 * 2 * 2, classes)" in text
        assert "        self.base.requires_grad_(False)\n" in text
        assert "self.base.features(x)" in text


def test_input_that_has_a_name() -> None:
    source = """
def build():
    images = keras.Input((64, 64, 3))
    base = keras.applications.VGG16(include_top=False, weights=None, input_tensor=images, pooling="max")
    return keras.Model(images, layers.Dense(3)(base.output))
"""
    text = text_of(source)
    assert 'VGG16(include_top=False, pooling="max", input_shape=(64, 64, 3))' in text.replace(
        'input_shape=(64, 64, 3), pooling="max"', 'pooling="max", input_shape=(64, 64, 3)'
    )
    assert "self.fc(self.base(images))" in text


def test_attribute_of_a_subclass() -> None:
    source = """
class Net(keras.Model):
    def __init__(self):
        super().__init__()
        self.base = keras.applications.ResNet50(include_top=False, pooling="avg", weights=None)
        self.base.trainable = False
        self.head = layers.Dense(2)

    def call(self, x, training=False):
        return self.head(self.base(x, training=training))
"""
    text = text_of(source)
    assert "self.head = nn.Linear(2048, 2)" in text
    assert "self.base.requires_grad_(False)" in text
    assert "keep_frozen(self.base)" in text


def test_file_of_weights() -> None:
    source = """
def build():
    base = keras.applications.MobileNetV2(input_shape=(96, 96, 3), include_top=False, weights="mine.h5")
    return keras.Sequential([base, layers.GlobalAveragePooling2D(), layers.Dense(2)])
"""
    assert any("weights of a file of Keras" in reason for reason in migrate(HEAD + source).declines)


def test_part_of_the_layers() -> None:
    """Which parameters `layers[:100]` are is not known."""
    source = FUNCTIONAL.format(training="").replace(
        "    base.trainable = False  # only the head learns\n",
        "    for layer in base.layers[:100]:\n        layer.trainable = False\n",
    )
    assert migrate(HEAD + source).declines


def test_one_module_beside_the_files(tmp_path: Path) -> None:
    """Networks stand in one module, imported as the file itself is; names of the file do not clash with theirs."""
    net = HEAD + "def build_vgg():\n    base = keras.applications.VGG16(include_top=False, input_shape=(64, 64, 3))\n"
    net += "    return keras.Sequential([base, layers.Flatten(), layers.Dense(2)])\n"
    found = files(
        tmp_path, {"pkg/__init__.py": "", "pkg/vgg.py": net, "pkg/other.py": HEAD + FUNCTIONAL.format(training="")}
    )
    assert "from pkg.keras_networks import VGG16\n" in found["pkg/vgg.py"].text
    assert "class VGG(nn.Module)" in found["pkg/vgg.py"].text
    assert "from pkg.keras_networks import MobileNetV2\n" in found["pkg/other.py"].text
    ((path, text),) = found["pkg/vgg.py"].beside
    assert (path, text) == found["pkg/other.py"].beside[0]
    assert path == "pkg/keras_networks.py"
    assert text.count("class Application(") == 1
    assert "class MobileNetV2(" in text
    assert "def VGG16(" in text


def test_script(tmp_path: Path) -> None:
    source = (
        HEAD
        + """
base = keras.applications.VGG16(include_top=False, input_shape=(64, 64, 3))
base.trainable = False
x = base.output
x = layers.Flatten()(x)
model = keras.Model(base.input, layers.Dense(2)(x))
model.compile("adam", "mse")
"""
    )
    text = files(tmp_path, {"train.py": source})["train.py"].text
    assert "base.requires_grad_(False)\n" in text
    assert "        self.base = base\n" in text
    assert "        x = self.base.features(x)\n" in text


def test_normalisation_inside_has_its_gap(tmp_path: Path) -> None:
    """Stock batch normalisation of a network differs from Keras's as the file's own would."""
    source = "base = keras.applications.{}(include_top=False, weights=None, input_shape=(64, 64, 3))\nprint(base)\n"
    found = files(tmp_path, {f"{name}.py": HEAD + source.format(name) for name in ("MobileNetV2", "VGG16")})
    gaps = {path: {gap for unit in file.units for gap in unit.gaps} for path, file in found.items()}
    assert gaps == {"MobileNetV2.py": {"batchnorm-variance"}, "VGG16.py": set()}
