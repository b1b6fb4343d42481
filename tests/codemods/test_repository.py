"""Whole repositories: what stands and falls together, and how units read in their file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from migrator import source, steps
from migrator.model import FileRewrite

GAN = """
import tensorflow as tf
from tensorflow.keras import layers

SIZE = 8


def make_generator():
    model = tf.keras.Sequential()
    model.add(layers.Dense(4 * 4 * 2, input_shape=(SIZE,)))
    model.add(layers.Reshape((4, 4, 2)))
    assert model.output_shape == {shape}
    model.add(layers.Conv2DTranspose(1, 5, strides=2, padding="same"))
    return model


generator = make_generator()
bce = tf.keras.losses.BinaryCrossentropy(from_logits=True)
generator_optimizer = tf.keras.optimizers.Adam(1e-4)


def train_step(images):
    noise = tf.random.normal([16, SIZE])
    with tf.GradientTape() as tape:
        made = generator(noise, training=True)
        loss = bce(tf.ones_like(made), made)
    gradients = tape.gradient(loss, generator.trainable_variables)
    generator_optimizer.apply_gradients(zip(gradients, generator.trainable_variables))
"""


def rendered(tmp_path: Path, text: str) -> FileRewrite:
    (tmp_path / "gan.py").write_text(text)
    repo = source.read(tmp_path, (), ())
    return steps.rewrite(repo, steps.know(repo), lambda *_: None).render({})["gan.py"]


def test_an_assertion_that_is_known_to_hold_goes(tmp_path: Path) -> None:
    text = rendered(tmp_path, GAN.replace("{shape}", "(None, 4, 4, 2)")).text
    assert "assert" not in text
    assert "class Generator(nn.Module)" in text


def test_an_assertion_that_is_not_known_to_hold_keeps_the_model(tmp_path: Path) -> None:
    text = rendered(tmp_path, GAN.replace("{shape}", "(None, 4, 4, 3)")).text
    assert "assert model.output_shape == (None, 4, 4, 3)" in text
    assert "def make_generator():\n    model = tf.keras.Sequential()" in text


def test_what_only_the_draft_needs_stays_as_well(tmp_path: Path) -> None:
    """An optimizer is made of a model's parameters in torch; with the model left alone it cannot be."""
    file = rendered(tmp_path, GAN.replace("{shape}", "(None, 4, 4, 3)"))
    assert "generator_optimizer = tf.keras.optimizers.Adam(1e-4)" in file.text
    assert "torch" not in file.text


def test_new_tensors_are_where_the_models_are(tmp_path: Path) -> None:
    text = rendered(tmp_path, GAN.replace("{shape}", "(None, 4, 4, 2)")).text
    assert "noise = torch.randn([16, SIZE], device=device)" in text
    assert text.index("device = torch.device(") < text.index("def train_step")


def test_definitions_among_statements_have_room(tmp_path: Path) -> None:
    text = rendered(tmp_path, GAN.replace("{shape}", "(None, 4, 4, 2)")).text
    before, _, after = text.partition("def bce(y_true, y_pred):")
    assert before.endswith("\n\n\n")
    assert "\n\n\ngenerator_optimizer = " in after


STAGES = """
import tensorflow as tf
from tensorflow.keras.layers import Conv2D, ZeroPadding2D


def block(x, filters, strides=1):
    if strides == 1:
        padding = "same"
    else:
        x = ZeroPadding2D(((1, 0), (1, 0)))(x)
        padding = "valid"
    return Conv2D(filters, 3, strides=strides, padding=padding)(x)


def build():
    x = inputs = tf.keras.Input((16, 16, 3))
    x = block(x, 8)
    x = block(x, 16, strides=2)
    return tf.keras.Model(inputs, x)
"""


def test_what_the_constructor_works_out_is_kept_when_it_is_known(tmp_path: Path) -> None:
    text = rendered(tmp_path, STAGES).text
    assert text.index('padding = "valid"') < text.index("self.padding = padding")


def test_an_input_with_two_names_is_given_to_the_layers(tmp_path: Path) -> None:
    text = rendered(tmp_path, STAGES).text
    assert "x = self.block1(x)" in text
    assert "x = x\n" not in text
    made: dict[str, Any] = {}
    exec(text, made)
    assert tuple(made["build"]()(torch.zeros(2, 16, 16, 3)).shape) == (2, 8, 8, 16)


def test_a_name_that_tensorflow_code_still_needs_stays(tmp_path: Path) -> None:
    """A factory of layers becomes a module of another name; what is left alone would call nothing."""
    kept = STAGES.replace("return tf.keras.Model(inputs, x)", "return tf.raw_ops.Identity(input=x)")
    file = rendered(tmp_path, kept)
    assert "def block(x, filters, strides=1):" in file.text
    assert "class Block" not in file.text
    reasons = [d.reason for unit in file.units for d in unit.declines if unit.unit.name == "block"]
    assert reasons == ["build (gan.py), which stays TensorFlow, needs it"]


PADS = """
from tensorflow.keras.preprocessing.sequence import pad_sequences


def encode(texts):
    return pad_sequences([[len(word) for word in text.split()] for text in texts])
"""


def test_a_helper_takes_the_place_of_the_import_of_its_name(tmp_path: Path) -> None:
    text = rendered(tmp_path, PADS).text
    assert "tensorflow" not in text
    assert "def pad_sequences(sequences" in text


def test_a_helper_does_not_hide_what_another_unit_imports_under_its_name(tmp_path: Path) -> None:
    text = rendered(tmp_path, PADS + "\n\ndef both(ids):\n    return pad_sequences(ids, padding='both')\n").text
    assert "from tensorflow.keras.preprocessing.sequence import pad_sequences" in text
    assert "def pad_sequences" not in text


ASKING = """
import tensorflow as tf
from tensorflow.keras import layers


def make_generator(noise=7):
    model = tf.keras.Sequential()
    model.add(layers.Input((noise,)))
    model.add(layers.Dense(4, use_bias=False))
    return model


class Sampler:
    def __init__(self, generator):
        self.generator = generator

    def sample(self, count):
        return self.generator(tf.zeros([count, self.generator.input_shape[-1]]), training=False)
"""


def test_a_model_tells_its_input_shape_where_it_is_asked(tmp_path: Path) -> None:
    text = rendered(tmp_path, ASKING).text
    assert "        self.input_shape = (None, noise)\n" in text
    assert "self.generator(torch.zeros([count, self.generator.input_shape[-1]], device=device))" in text
    assert "        pass\n" not in text  # where the Input was added
    assert "tensorflow" not in text
    assert "input_shape" not in rendered(tmp_path, ASKING.partition("class Sampler")[0]).text


def test_a_shape_that_is_not_known_keeps_what_asks(tmp_path: Path) -> None:
    text = rendered(tmp_path, ASKING.replace("layers.Input((noise,))", "layers.Flatten()")).text
    assert "`input_shape` of a model has no counterpart" in text


TRAINS = """
import numpy as np
from tensorflow import keras


def train(n):
    x, y = np.random.rand(64, 8).astype("float32"), np.ones((64, 1), "float32")
    model = keras.Sequential([keras.Input((8,)), keras.layers.Dense(1, activation="sigmoid")])
    model.compile("sgd", "binary_crossentropy")
    model.fit(x, y, epochs=n, verbose=0)
    return model


def build(units, lr):
    optimizer = keras.optimizers.Adam(lr)
    model = keras.Sequential([keras.Input((8,)), keras.layers.Dense(units)])
    model.compile(optimizer, "mse")
    return model


def build_wide(width):
    units = 2 * width
    model = keras.Sequential([keras.Input((8,)), keras.layers.Dense(units)])
    return model


first, second, third = train(2), build(3, 0.1), build_wide(4)
"""


def test_a_function_that_trains_keeps_its_data(tmp_path: Path) -> None:
    text = rendered(tmp_path, TRAINS).text
    found: dict[str, Any] = {}
    exec(text, found)
    assert "keras" not in text
    assert [m(torch.ones(2, 8)).shape[1] for m in (found["first"], found["second"], found["third"])] == [1, 3, 8]
    body = text[text.index("def train(n)") :]
    assert "x, y = np.random.rand" in body[: body.index("return model")]
    assert len({type(found[name]) for name in ("first", "second", "third")}) == 3  # one class each


LOCAL = """
import tensorflow as tf


def load():
    mnist = tf.keras.datasets.mnist  # the digits
    return mnist.load_data()


def total(x):
    K = tf.keras.backend

    def inner(y):
        return K.sum(y)

    return inner(tf.convert_to_tensor(x))


def either(big):
    data = tf.keras.datasets.mnist
    if big:
        data = tf.keras.datasets.cifar10
    return data.load_data()


def handed(f):
    data = tf.keras.datasets.mnist
    return f(data)


def shared():
    global K
    K = tf.keras.backend
    return K.ones((2,))
"""


def test_a_local_name_for_a_module_goes_where_it_is_only_looked_up_in(tmp_path: Path) -> None:
    text = rendered(tmp_path, LOCAL).text
    assert "    # the digits\n    return read_mnist()\n" in text
    assert "torch.sum(y)" in text
    assert "K = tf.keras.backend\n\n" not in text
    for kept in ("either", "handed", "shared"):
        body = text[text.index(f"def {kept}(") :]
        assert "= tf.keras." in body[: body.find("\n\n\n")]


GIVEN = """
from tensorflow import keras
from tensorflow.keras import layers


def build(classes, top=True, pooling=None, inputs=None):
    # what goes in
    if inputs is None:
        image = keras.Input((8, 8, 3))
    else:
        image = inputs
    x = layers.Conv2D(4, 3)(image)
    if top:
        x = layers.GlobalMaxPooling2D()(x)
        x = layers.Dense(classes, activation="softmax")(x)
    elif pooling == "avg":
        x = layers.GlobalAveragePooling2D()(x)
    if inputs is not None:
        source = keras.utils.get_source_inputs(inputs)
    else:
        source = image
    return keras.Model(source, x)


def short(n, inputs=None):
    inputs = inputs or keras.Input((8, 8, 3))
    return keras.Model(inputs, layers.Conv2D(n, 3)(inputs))


def told(inputs=None, n=2):
    if inputs is None:
        inputs = keras.Input((4,))
    return keras.Model(inputs, layers.Dense(n)(inputs))


def read(n, inputs=None):
    own = keras.Input((4,)) if inputs is None else inputs
    model = keras.Model(own, layers.Dense(n)(own))
    model.given = inputs
    return model


def both(inputs=None, other=None):
    if inputs is None and other is None:
        inputs = keras.Input((8,))
    return keras.Model(inputs, layers.Dense(2)(inputs))


whole, pooled, plain = build(3), build(3, False, "avg"), build(3, top=False)
small = short(5)
declined = told(None, 3)
"""


def test_an_input_that_nobody_gives_is_made_by_the_builder(tmp_path: Path) -> None:
    text = rendered(tmp_path, GIVEN).text
    found: dict[str, Any] = {}
    exec(text[: text.index("# TODO")], found)
    made = [found["build"](3), found["build"](3, False, "avg"), found["build"](3, top=False), found["short"](5)]
    shapes = [tuple(model(torch.ones(2, 8, 8, 3)).shape) for model in made]
    assert shapes == [(2, 3), (2, 4), (2, 6, 6, 4), (2, 6, 6, 5)]
    assert "def build(classes, top=True, pooling=None):" in text
    assert "def short(n):" in text
    for kept in ("told", "read", "both"):
        assert "keras.Model(" in text[text.index(f"def {kept}(") :].split("\n\n\n")[0]


CALLED = """
import tensorflow as tf
from tensorflow import keras
from tensorflow.keras import layers


class Block(layers.Layer):
    def __init__(self, n):
        super().__init__()
        self.dense = layers.Dense(n)

    def call(self, x):
        return self.dense(x)


def make(x, n):
    return Block(n)(x)


def network():
    inputs = keras.Input((5,))
    return keras.Model(inputs, make(inputs, 4))


def once(x):
    return Block(2)(x)


def predict(x):
    model = network()
    return model(x)


data = tf.ones((2, 5))
first, second = once(data), predict(data)
"""


def test_a_function_of_data_is_no_factory(tmp_path: Path) -> None:
    text = rendered(tmp_path, CALLED).text
    found: dict[str, Any] = {}
    exec(text, found)
    assert "keras" not in text
    assert "def once(x):\n    return Block(x.shape[-1], 2)(x)\n" in text
    assert [tuple(found[name].shape) for name in ("first", "second")] == [(2, 2), (2, 4)]
    assert "class Model(nn.Module)" in text or "class Make(nn.Module)" in text  # called in a graph


NESTED = """
from tensorflow import keras
from tensorflow.keras import layers


def first(x, n):
    return layers.Dense(n)(x)


def second(x):
    return layers.Dense(3)(x)


def network():
    inputs = keras.Input((5,))
    return keras.Model(inputs, second(first(inputs, 4)))
"""


def test_modules_are_made_in_the_order_of_their_calls(tmp_path: Path) -> None:
    found: dict[str, Any] = {}
    exec(rendered(tmp_path, NESTED).text, found)
    assert [tuple(p.shape) for p in found["network"]().parameters()] == [(4, 5), (4,), (3, 4), (3,)]


STRATEGY = """import tensorflow as tf

strategy = tf.distribute.MirroredStrategy()
size = 4 * strategy.num_replicas_in_sync
print(size)


def other():
    return tf.reduce_sum(tf.ones((size,)))


with strategy.scope():
    x = tf.raw_ops.Identity(input=tf.ones((2,)))
"""


def test_what_a_rewrite_leaves_out_stays_where_tensorflow_code_reads_it(tmp_path: Path) -> None:
    text = rendered(tmp_path, STRATEGY).text
    assert "strategy = tf.distribute.MirroredStrategy()" in text
    alone = rendered(tmp_path, STRATEGY.replace("with strategy.scope():", "if True:")).text
    assert "strategy" not in alone
