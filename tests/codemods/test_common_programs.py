"""Forms that many programs have: what is written for them."""

from __future__ import annotations

from pathlib import Path

import pytest

from migrator import source, steps
from migrator.model import FileRewrite

HEAD = (
    "import numpy as np\nimport tensorflow as tf\nfrom tensorflow import keras\nfrom tensorflow.keras import layers\n\n"
)


def rendered(folder: Path, text: str) -> FileRewrite:
    (folder / "m.py").write_text(HEAD + text)
    repo = source.read(folder, (), ())
    return steps.rewrite(repo, steps.know(repo), lambda *_: None).render({})["m.py"]


def declines(file: FileRewrite) -> list[str]:
    return [decline.reason for unit in file.units for decline in unit.declines]


TRIPLET = """
class Pairs(keras.Model):
    def __init__(self, net):
        super().__init__()
        self.net = net
        self.tracker = keras.metrics.Mean(name="loss")

    def call(self, inputs):
        return self._embedded(inputs)

    def _embedded(self, inputs):
        return self.net(inputs)

    def train_step(self, data):
        with tf.GradientTape() as tape:
            loss = self._loss(data)
        gradients = tape.gradient(loss, self.net.trainable_weights)
        self.optimizer.apply_gradients(zip(gradients, self.net.trainable_weights))
        self.tracker.update_state(loss)
        return {"loss": self.tracker.result()}

    def _loss(self, data):
        return self._distance(self.net(data)) + self._distance(self._embedded(data))

    def _distance(self, made):
        return tf.reduce_sum(tf.square(made), axis=-1)

    @property
    def metrics(self):
        return [self.tracker]


net = keras.Sequential([keras.Input((4,)), layers.Dense(3), layers.BatchNormalization()])
model = Pairs(net)
model.compile(optimizer="adam")
model.fit(np.ones((8, 4), "float32"))
"""


def test_what_only_steps_call_is_not_in_training_mode(tmp_path: Path) -> None:
    text = rendered(tmp_path, TRIPLET).text
    loss = text[text.index("def _loss") : text.index("def _distance")]
    assert "self.net.eval()" in loss
    embedded = text[text.index("def _embedded") : text.index("def train_step")]
    assert "eval" not in embedded  # what `call` uses is in the mode of its caller


OWN = """
def loss(labels, logits):
    return keras.losses.sparse_categorical_crossentropy(labels, logits, from_logits=True)


model = keras.Sequential([keras.Input((4,)), layers.Dense(3)])
model.compile("adam", loss=loss)
model.fit(np.ones((8, 4), "float32"), np.zeros((8,), "int64"))
"""


def test_a_loss_function_named_loss_is_not_hidden_by_its_value(tmp_path: Path) -> None:
    text = rendered(tmp_path, OWN).text
    assert "batch_loss = loss(y, pred).mean()" in text
    assert "batch_loss.backward()" in text
    assert 'totals["loss"] += batch_loss.item() * len(x)' in text


TOKENS = """
class Masked(keras.losses.Loss):
    def call(self, y_true, y_pred):
        losses = keras.losses.sparse_categorical_crossentropy(y_true, y_pred)
        mask = tf.cast(y_true > 0, tf.float32)
        return tf.reduce_sum(losses * mask) / tf.reduce_sum(mask)


class Tagger(keras.Model):
    def __init__(self, tags):
        super().__init__()
        self.places = layers.Embedding(16, 4)
        self.words = layers.Embedding(20, 4)
        self.out = layers.Dense(tags, activation="softmax")

    def call(self, tokens):
        places = tf.range(start=0, limit=tf.shape(tokens)[-1], delta=1)
        return self.out(self.words(tokens) + self.places(places))

    def sample(self):
        return self(tf.zeros((1, 3), tf.int32))


tagger = Tagger(5)
tagger.compile("adam", loss=Masked())
tagger.fit(np.ones((8, 6), "int64"), np.ones((8, 6), "int64"))
"""


def test_a_loss_class_over_sequences_sees_targets_as_they_are(tmp_path: Path) -> None:
    file = rendered(tmp_path, TOKENS)
    assert declines(file) == []
    assert "loss = Masked()(y, pred)" in file.text


def test_tensors_are_made_where_the_model_is(tmp_path: Path) -> None:
    text = rendered(tmp_path, TOKENS).text
    assert "torch.arange(0, tokens.shape[-1], device=tokens.device)" in text
    assert "torch.zeros((1, 3), dtype=torch.int32, device=next(self.parameters()).device)" in text


LETTERS = """
text = "a small text"
vocabulary = sorted(set(text))
numbers = {letter: number for number, letter in enumerate(vocabulary)}


def generate(model, start):
    given = [numbers[letter] for letter in start]
    given = tf.expand_dims(given, 0)
    drawn = tf.random.categorical(tf.squeeze(model(given), 0), num_samples=1)[-1, 0].numpy()
    return tf.expand_dims([drawn], 0)
"""


def test_lists_of_numbers_from_a_dict_become_tensors(tmp_path: Path) -> None:
    text = LETTERS.replace("tf.expand_dims([drawn], 0)", "drawn")
    file = rendered(tmp_path, text)
    assert declines(file) == []
    assert "torch.tensor(given).unsqueeze(0)" in file.text


def test_a_list_with_an_array_without_axes_is_declined(tmp_path: Path) -> None:
    assert "`input` is a list of something unknown" in declines(rendered(tmp_path, LETTERS))  # torch cannot read it


def test_a_dict_that_is_given_tensors_is_not_taken_for_one_of_numbers(tmp_path: Path) -> None:
    more = "\n\nnumbers['a'] = tf.ones((2,))\n"
    assert "`input` is a list of something unknown" in declines(rendered(tmp_path, LETTERS + more))


DENSITY = """
def density(x, mean, spread):
    return tf.reduce_sum((x - mean) ** 2.0 * tf.exp(-spread) + spread)


def both(x):
    return density(x, 0.0, 0.0) - density(x, x, tf.square(x))
"""


def test_a_number_for_some_callers_and_a_tensor_for_others(tmp_path: Path) -> None:
    assert "torch.exp(torch.as_tensor(-spread, device=x.device))" in rendered(tmp_path, DENSITY).text
    alone = DENSITY.replace("density(x, 0.0, 0.0)", "density(x, x, x)")
    assert "torch.exp(-spread)" in rendered(tmp_path, alone).text


@pytest.mark.parametrize(
    ("sizes", "written"),
    [
        ("[1, self.size, self.size, 1]", "extract_patches(images, self.size, 2)"),
        ("[1, self.size, 3, 1]", "extract_patches(images, (self.size, 3), 2)"),
    ],
    ids=["one", "two"],
)
def test_patches_of_a_size_that_the_object_has(tmp_path: Path, sizes: str, written: str) -> None:
    text = f"""
class Patches:
    def __init__(self, size):
        self.size = size

    def __call__(self, images):
        images = tf.reshape(images, (1, 6, 6, 2))
        return tf.image.extract_patches(images, {sizes}, [1, 2, 2, 1], [1, 1, 1, 1], "VALID")
"""
    assert written in rendered(tmp_path, text).text


def test_numpy_gets_arrays_of_tensors_that_may_have_gradients(tmp_path: Path) -> None:
    text = """
def act(model, state):
    chances = tf.nn.softmax(tf.zeros((1, 2)))
    return np.random.choice(2, p=np.squeeze(chances)), np.array([1, 2])
"""
    assert "np.squeeze(chances.detach().cpu().numpy())" in rendered(tmp_path, text).text


LATE = """
def loss_of(model, x):
    return tf.reduce_mean(tf.square(model(x)))


optimizer = keras.optimizers.Adam(1e-2)


def train_step(model, x, optimizer):
    with tf.GradientTape() as tape:
        loss = loss_of(model, x)
    gradients = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(gradients, model.trainable_variables))


rows = np.ones((4, 3), "float32")
BETWEEN
model = keras.Sequential([keras.Input((3,)), layers.Dense(2)])
for _ in range(3):
    train_step(model, tf.constant(rows), optimizer)
"""


def test_an_optimizer_is_made_behind_the_model_that_it_trains(tmp_path: Path) -> None:
    file = rendered(tmp_path, LATE.replace("BETWEEN\n", ""))
    assert declines(file) == []
    assert file.text.count("optimizer = torch.optim.Adam(model.parameters(), lr=1e-2") == 1
    assert file.text.index("model = Model().to(device)") < file.text.index("optimizer = torch.optim.Adam(")


def test_an_optimizer_that_something_asks_for_before_its_model_stays(tmp_path: Path) -> None:
    reasons = declines(rendered(tmp_path, LATE.replace("BETWEEN", "print(optimizer)")))
    assert "`optimizer`: it is made before `model`" in reasons


INSIDE = """
model = keras.Sequential([keras.Input((3,)), layers.Dense(2)])
optimizer = keras.optimizers.Adam(1e-2)
for _ in range(3):
    with tf.GradientTape(OPTIONS) as tape:
        loss = tf.reduce_mean(tf.square(model(tf.ones((4, 3)))))
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables))
"""


@pytest.mark.parametrize(("options", "again"), [("", False), ("persistent=True", True)], ids=["once", "persistent"])
def test_a_gradient_within_the_block_of_its_own_tape(tmp_path: Path, options: str, again: bool) -> None:
    text = rendered(tmp_path, INSIDE.replace("OPTIONS", options)).text
    assert ("create_graph=True" in text) == again
    assert ("loss.backward()" in text) != again


def test_a_layer_outside_of_a_model_brings_its_import(tmp_path: Path) -> None:
    text = rendered(tmp_path, 'x = np.ones((2, 3), "float32")\ny = layers.Add()([x, x])\n').text
    assert "import torch\n" in text
    assert "y = torch.as_tensor(x) + torch.as_tensor(x)" in text


def test_what_is_converted_has_no_device_yet(tmp_path: Path) -> None:
    text = """
def squares(rows):
    rows = tf.convert_to_tensor(rows, dtype=tf.float32)
    return tf.matmul(rows, rows)
"""
    assert "rows = torch.as_tensor(rows, dtype=torch.float32)\n" in rendered(tmp_path, text).text


SAVED = """
model = keras.Sequential([keras.Input((3,)), layers.Dense(2)])
model.compile("adam", loss="mse")
saved = keras.callbacks.ModelCheckpoint(PATH, save_weights_only=True)
model.fit(np.ones((4, 3), "float32"), np.ones((4, 2), "float32"), callbacks=[saved])
"""


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ('"runs/first/{epoch}.weights.h5"', "os.makedirs('runs/first', exist_ok=True)\n"),
        ('"last.weights.h5"', ""),
        ("PLACE", "Path(PLACE).parent.mkdir(parents=True, exist_ok=True)\n"),
    ],
    ids=["folder", "file", "name"],
)
def test_the_folder_of_a_checkpoint_is_made(tmp_path: Path, path: str, line: str) -> None:
    head = "import sys\n\nPLACE = sys.argv[1]\n"
    text = rendered(tmp_path, head + SAVED.replace("PATH", path)).text
    assert line in text if line else "os.makedirs" not in text and "mkdir" not in text


GRAPH = """
class Graph(layers.Layer):
    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = units

    def build(self, input_shapes):
        features_shape = input_shapes[0]
        width = features_shape[1]
        self.kernel = self.add_weight(shape=(width, self.units), name="kernel")

    def call(self, inputs):
        features, links = inputs
        return tf.matmul(links, tf.matmul(features, self.kernel))


def build(nodes, width):
    x, links = keras.Input((width,)), keras.Input((nodes,))
    return keras.Model([x, links], Graph(3)([x, links]))


def show():
    model = build(5, 4)
    x, links = np.ones((5, 4), "float32"), np.ones((5, 5))
    return model([x, links]), model((x, tf.eye(5)))
"""


def test_a_name_of_a_shape_goes_and_lists_of_arrays_become_tensors(tmp_path: Path) -> None:
    made = rendered(tmp_path, GRAPH)
    assert declines(made) == []
    assert "shape" not in made.text
    assert "width = in_features" in made.text
    wide = "torch.as_tensor(links, dtype=torch.float32, device=device)"
    assert f"model([torch.as_tensor(x, device=device), {wide}])" in made.text
    assert "model((torch.as_tensor(x, device=device), torch.eye(5, device=device)))" in made.text


def test_a_name_of_a_shape_that_more_than_its_sizes_are_read_of_is_declined(tmp_path: Path) -> None:
    assert declines(rendered(tmp_path, GRAPH.replace("width = features_shape[1]", "width = sum(features_shape[1:])")))


STEPS = """
class Steps(layers.Layer):
    def build(self, input_shape):
        self.bias = self.add_weight(shape=(input_shape[1],), initializer="zeros", name="bias")

    def call(self, x):
        return tf.reduce_sum(x, axis=-1) + self.bias


def build(steps):
    x = keras.Input((steps, 8))
    return keras.Model(x, layers.Dense(1)(Steps()(x)))
"""


def test_a_size_that_is_not_the_last_is_given_by_who_knows_it(tmp_path: Path) -> None:
    made = rendered(tmp_path, STEPS)
    assert declines(made) == []
    assert "nn.Parameter(torch.empty(in_length))" in made.text
    assert "Steps(steps" in made.text


PAIR = """
a, b = keras.Input((3,)), keras.Input((3,))
model = keras.Model([a, b], layers.Dense(1)(layers.Add()([a, b])))
print(model([tf.ones((2, 3)), tf.ones((2, 3))]).shape)
"""


def test_inputs_of_one_statement_belong_to_the_graph_of_a_script(tmp_path: Path) -> None:
    made = rendered(tmp_path, PAIR)
    assert declines(made) == []
    assert "keras" not in made.text


MASKED = """
class Taking(layers.Layer):
    def __init__(self, units):
        super().__init__()
        self.dense = layers.Dense(units)

    def call(self, x, {parameter}):
        return self.dense(x)


class Giving(layers.Layer):
    def __init__(self, units):
        super().__init__()
        self.inner = Taking(units)

    def call(self, x, mask):
        return self.inner(x, mask={given})
"""


@pytest.mark.parametrize(
    ("parameter", "given", "written"),
    [("mask", "mask", "self.inner(x, mask=mask)"), ("training=None", "None", "self.inner(x)")],
)
def test_masks_by_keyword_reach_the_modules_that_take_them(
    tmp_path: Path, parameter: str, given: str, written: str
) -> None:
    file = rendered(tmp_path, MASKED.format(parameter=parameter, given=given))
    assert declines(file) == []
    assert written in file.text


def test_a_mask_for_a_module_that_takes_none_is_declined(tmp_path: Path) -> None:
    file = rendered(tmp_path, MASKED.format(parameter="training=None", given="mask"))
    assert "a mask for a module that takes none" in declines(file)


ATTENTION = """
class Attention(layers.Layer):
    def __init__(self, units):
        super().__init__()
        self.dense = layers.Dense(units)
        self.norm = layers.LayerNormalization()

    def call(self, x, mask):
        scores = tf.matmul(x, x, transpose_b=True)[:, None] + mask
        return self.norm(x + self.dense(tf.matmul(scores[:, 0], x))), scores


class Net(keras.Model):
    def __init__(self):
        super().__init__()
        self.attention = Attention(4)

    def call(self, x, mask):
        return self.attention(x, mask)


net = Net()
net(tf.zeros((2, 5, 4)), tf.zeros((2, 1, 5, 5)))
"""


def test_masks_of_four_axes_make_no_images_of_a_module(tmp_path: Path) -> None:
    file = rendered(tmp_path, ATTENTION)
    assert declines(file) == []
    assert "permute" not in file.text


OPEN = """
class Scaled(layers.Layer):
    def __init__(self, size=8):
        super().__init__()
        self.size = size
        self.table = layers.Embedding(20, size)
        self.norm = layers.LayerNormalization(epsilon=1e-6)

    def call(self, x):
        return self.norm(self.table(x) * tf.math.sqrt(tf.cast(self.size, tf.float32)))
"""


def test_tensors_of_open_rank_are_normalised_over_their_last_axis(tmp_path: Path) -> None:
    file = rendered(tmp_path, OPEN)
    assert declines(file) == []
    assert "nn.LayerNorm(size, eps=1e-6)" in file.text
    assert "import math" in file.text
    assert "math.sqrt(self.size)" in file.text


PENALISED = """
def build(vocabulary, penalties=[0, 0]):
    given = layers.Input(shape=(3,), dtype="int32")
    x = layers.Embedding(vocabulary, 8, embeddings_regularizer=keras.regularizers.l2(penalties[0]))(given)
    x = layers.Dense(1, kernel_regularizer=keras.regularizers.l2(penalties[1]))(layers.Flatten()(x))
    return keras.Model(given, x)


model = build(20, eval("[0.1, 0.2]"))
"""


def test_factors_of_penalties_that_only_the_run_knows_go_by_their_place(tmp_path: Path) -> None:
    file = rendered(tmp_path, PENALISED)
    assert declines(file) == []
    assert "self.penalties[0] * self.embedding.weight.square().sum()" in file.text
    assert "self.penalties[1] * self.fc.weight.square().sum()" in file.text
