"""`migrator verify`: what was accepted stays so, what a person broke does not."""

from __future__ import annotations

import json
from pathlib import Path

from tests.command import command

SOURCE = '''
import tensorflow as tf

UNITS = 6


class Scale(tf.keras.layers.Layer):
    """Learnt gains."""

    def __init__(self, factor=1.0, **kwargs):
        super().__init__(**kwargs)
        self.factor = factor

    def build(self, input_shape):
        self.gain = self.add_weight(name="gain", shape=(input_shape[-1],), initializer="ones")

    def call(self, inputs):
        return inputs * self.gain * self.factor


def build():
    inputs = tf.keras.Input((4,))
    x = tf.keras.layers.Dense(UNITS, activation="gelu")(inputs)
    x = Scale(name="gains")(x)
    return tf.keras.Model(inputs, tf.keras.layers.Dense(1)(x))


if __name__ == "__main__":
    build().summary()
'''


def statuses(text: str) -> dict[str, str]:
    report = json.loads(text)
    return {unit["name"]: unit["status"] for file in report["files"] for unit in file["units"]}


def test_verify_says_what_run_said_until_the_code_is_changed(tmp_path: Path) -> None:
    source, out = tmp_path / "p", tmp_path / "p_torch"
    source.mkdir()
    (source / "net.py").write_text(SOURCE)
    first = statuses(command("run", str(source), "-o", str(out), "--json").out)
    assert (first["Scale"], first["build"]) == ("accepted", "accepted")
    assert first["UNITS@4"] == "untouched"

    assert statuses(command("verify", str(out), "--against", str(source), "--json").out) == first

    path = out / "net.py"
    right = path.read_text()
    path.write_text(right.replace("F.gelu", "F.relu"))
    edited = statuses(command("verify", str(out), "--against", str(source), "--json").out)
    assert (edited["Scale"], edited["build"]) == ("accepted", "needs-review")

    path.write_text(right)
    assert statuses(command("verify", str(out), "--against", str(source), "--json").out) == first


UNFINISHED = """
import tensorflow as tf


def area(boxes):
    return tf.reduce_prod(boxes, axis=-1)


def odd(x):
    return tf.raw_ops.Inv(x=tf.abs(x) + 1.0)


def twice(x, power=2.0):
    return tf.pow(tf.abs(x), power)


if __name__ == "__main__":
    x = tf.constant([[0.5, -1.0, 2.0], [1.5, 0.25, -3.0]])
    print(area(x), odd(x), twice(x))
"""


def test_a_unit_that_a_person_finished_is_checked_again(tmp_path: Path) -> None:
    source, out = tmp_path / "p", tmp_path / "p_torch"
    source.mkdir()
    (source / "net.py").write_text(UNFINISHED)
    first = statuses(command("run", str(source), "-o", str(out), "--json").out)
    assert (first["area"], first["odd"]) == ("accepted", "needs-review")

    path = out / "net.py"
    left = path.read_text()
    call = "tf.raw_ops.Inv(x=tf.abs(x) + 1.0)"
    assert call in left
    path.write_text(left.replace(call, "1.0 / (torch.abs(x) + 1.0)"))
    again = command("verify", str(out), "--against", str(source), "--json")
    assert statuses(again.out)["odd"] == "accepted", again.out

    path.write_text(left.replace(call, "2.0 / (torch.abs(x) + 1.0)"))
    wrong = command("verify", str(out), "--against", str(source))
    assert "finished by hand: net.py::odd: needs-review" in wrong.out
