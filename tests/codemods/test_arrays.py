"""NumPy arrays that meet tensors, which torch has to be told; and what the file around them imports."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from migrator import source, steps

HEAD = "import numpy as np\nimport tensorflow as tf\n\n\n"
CALL = '\n\nx = np.ones((3, 4), "float32")\nprint(f(x))\n'


def migrated(tmp_path: Path, text: str) -> str:
    (tmp_path / "m.py").write_text(HEAD + textwrap.dedent(text))
    repo = source.read(tmp_path, (), ())
    draft = steps.rewrite(repo, steps.know(repo), lambda *_: None)
    return draft.render({})["m.py"].text


def test_a_parameter_that_is_an_array_becomes_a_tensor_once(tmp_path: Path) -> None:
    text = migrated(tmp_path, 'def f(x):\n    """Centred."""\n    return x - tf.reduce_mean(x)\n' + CALL)
    assert '"""Centred."""\n    x = torch.as_tensor(x)\n    return x - torch.mean(x)\n' in text


def test_arrays_of_several_callers_and_tensors_of_others(tmp_path: Path) -> None:
    text = migrated(tmp_path, "def f(x):\n    return x - tf.reduce_mean(x)\n" + CALL + "print(f(tf.ones([2, 3])))\n")
    assert "x = torch.as_tensor(x)\n" in text


@pytest.mark.parametrize(
    "body",
    [
        "return x.copy() - tf.reduce_mean(x)",  # a method of arrays
        "return tf.reduce_mean(x)",  # one conversion in place
        "x = x + 1\n    return x - tf.reduce_mean(x)",  # another value under the name
        "return 2 * x, tf.reduce_mean(x)",  # an array comes out
        "return x[::-1] - tf.reduce_mean(x)",  # torch has no negative steps
    ],
)
def test_parameters_that_stay_arrays(tmp_path: Path, body: str) -> None:
    assert "x = torch.as_tensor(x)\n" not in migrated(tmp_path, f"def f(x):\n    {body}\n{CALL}")


def test_integers_stay_arrays(tmp_path: Path) -> None:
    text = migrated(tmp_path, "def f(x):\n    return x * 2 + tf.reduce_sum(x)\n" + CALL.replace("float32", "int64"))
    assert "x = torch.as_tensor(x)\n" not in text


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("y = a + t", "y = torch.as_tensor(a) + t"),
        ("y = t / (a + 1)", "y = t / torch.as_tensor(a + 1)"),
        ("y = d * t", "y = torch.as_tensor(d, dtype=torch.float32) * t"),
        ("y = t < d", "y = t < torch.as_tensor(d, dtype=torch.float32)"),
        ("y = 1 < a", "y = 1 < a"),
        ("y = a is t", "y = a is t"),
        ("y = a @ tf.transpose(t)", "y = torch.as_tensor(a) @ t.T"),
    ],
)
def test_an_array_beside_a_tensor_takes_its_dtype(tmp_path: Path, before: str, after: str) -> None:
    head = 'a = np.ones((2, 3), "float32")\nd = np.ones((2, 3))\nt = tf.abs(a)\n'
    assert after + "\n" in migrated(tmp_path, head + before + "\n")


def test_the_tensor_is_there_before_the_first_statement(tmp_path: Path) -> None:
    text = migrated(tmp_path, "def f(x):\n    m = tf.reduce_mean(x)\n    return x - m\n" + CALL)
    assert "def f(x):\n    x = torch.as_tensor(x)\n    m = torch.mean(x)\n" in text


def test_a_star_import_goes_where_the_file_gains_a_device(tmp_path: Path) -> None:
    text = migrated(
        tmp_path,
        """
        from tensorflow.keras.layers import *


        def build():
            return tf.keras.Sequential([tf.keras.Input((4,)), Dense(3)])


        model = build()
        """,
    )
    assert "device = torch.device(" in text
    assert "tensorflow" not in text
