"""Where the tensors of a program are made, and what is moved to its models."""

from __future__ import annotations

from pathlib import Path

import pytest

from migrator import source, steps

HEAD = """
import numpy as np
import tensorflow as tf

model = tf.keras.Sequential([tf.keras.Input((4,)), tf.keras.layers.Dense(2)])
data = tf.data.Dataset.from_tensor_slices((np.zeros((8, 4), "float32"), np.zeros(8, "int64"))).batch(4)
rows = tf.data.Dataset.from_tensor_slices(np.zeros((8, 4), "float32")).batch(4)
"""


def rendered(tmp_path: Path, text: str) -> str:
    (tmp_path / "m.py").write_text(text)
    repo = source.read(tmp_path, (), ())
    return steps.rewrite(repo, steps.know(repo), lambda *_: None).render({})["m.py"].text


@pytest.mark.parametrize(
    ("code", "written"),
    [
        ("x, y = next(iter(data))\nprint(model(x))", "x, y = next(iter(data))\nx, y = x.to(device), y.to(device)\n"),
        ("x = next(iter(rows))\nprint(model(x))", "x = next(iter(rows)).to(device)\n"),
        ("it = iter(rows)\nx = it.get_next()\nprint(model(x))", "x = next(it).to(device)\n"),
        (
            "state = tf.convert_to_tensor(np.ones((1, 4), 'float32'))\nprint(model(state))",
            "np.ones((1, 4), 'float32'), device=device)",
        ),
    ],
)
def test_what_a_model_is_given_lies_beside_it(tmp_path: Path, code: str, written: str) -> None:
    assert written in rendered(tmp_path, f"{HEAD}{code}\n")


def test_a_batch_that_no_model_sees_stays(tmp_path: Path) -> None:
    text = "\n".join(line for line in HEAD.splitlines() if not line.startswith("model"))
    assert "device" not in rendered(tmp_path, f"{text}\nx = next(iter(rows))\nprint(x.shape)\n")


MASKED = """
import numpy as np
import tensorflow as tf


def masked(y_true, y_pred, mask):
    loss = tf.keras.losses.categorical_crossentropy(y_true, y_pred)
    return tf.reduce_mean(loss * tf.cast(mask, tf.float32))


y = np.eye(3, dtype="float32")[np.arange(5) % 3]
print(masked(y, tf.nn.softmax(tf.ones((5, 3))), np.arange(5) < 3))
"""


def test_what_is_surely_a_tensor_gives_the_device(tmp_path: Path) -> None:
    assert "torch.as_tensor(mask, dtype=torch.float32, device=y_pred.device)" in rendered(tmp_path, MASKED)


def test_what_follows_a_function_of_a_line_keeps_its_distance(tmp_path: Path) -> None:
    text = rendered(
        tmp_path, f"{HEAD}huber = tf.keras.losses.Huber()\nseen = []\nprint(huber(tf.ones(2), tf.ones(2)))\n"
    )
    assert "def huber(" in text
    assert "\n\n\nseen = []\n" in text


POSITIONS = """
import numpy as np
import tensorflow as tf


def positions(length, depth):
    table = np.arange(length)[:, np.newaxis] / 10000 ** (np.arange(depth)[np.newaxis, :] / depth)
    return tf.cast(np.sin(table), tf.float32)


def later(size):
    return tf.linalg.band_part(tf.ones((size, size)), -1, 0)


class Marked(tf.keras.layers.Layer):
    def __init__(self, depth):
        super().__init__()
        self.table = positions(64, depth)
        self.changed = positions(64, depth)
        self.scale = tf.sqrt(4.0)
        self.dense = tf.keras.layers.Dense(depth)

    def call(self, x):
        length = tf.shape(x)[1]
        x = self.dense(x) + self.table[tf.newaxis, :length, :] + self.changed[tf.newaxis, :length]
        return tf.matmul(later(length), x) * self.scale

    def change(self):
        self.changed = self.changed + 1.0


print(Marked(4)(tf.ones((2, 5, 4))).shape)
"""


def test_tables_of_a_module_go_with_it(tmp_path: Path) -> None:
    text = rendered(tmp_path, POSITIONS)
    assert 'self.register_buffer("table", positions(64, depth), persistent=False)\n' in text
    assert "self.changed = positions(64, depth)\n" in text
    assert "later(length).to(x.device)" in text
    assert "register_buffer" not in text.replace('register_buffer("table"', "")
