"""Helpers whose names a file has for something else."""

from __future__ import annotations

import ast
from pathlib import Path

import libcst as cst
import pytest
from fake_facts import FakeModule, parsed

from migrator import source, steps
from migrator.facts.bindings import bound_names
from migrator.model import Helper
from migrator.rules import rulebook
from migrator.rules.engine.own_names import without_clashes
from migrator.rules.engine.template import Output
from migrator.values import Tensor, Value

RULES = rulebook()
IMAGES = Tensor((None, 4, 4, 3), "float32")
KNOWN: dict[str, Value] = {"x": IMAGES, "y": IMAGES}


@pytest.mark.parametrize("bound", [frozenset({"psnr"}), frozenset()])
def test_a_helper_takes_no_name_that_the_file_has(bound: frozenset[str]) -> None:
    tree, spans = parsed("psnr = tf.image.psnr(x, y, max_val=1.0)\n")
    here = FakeModule("psnr = tf.image.psnr(x, y, max_val=1.0)\n", KNOWN)
    here.bound = bound
    made = RULES.rewrite(tree, here, spans)
    name = "psnr_" if bound else "psnr"
    assert isinstance(made.node, cst.Module)
    assert made.node.code == f"psnr = {name}(x, y, 1.0)\n"
    assert [helper.name for helper in made.helpers] == [name]
    assert made.helpers[0].source.startswith(f"def {name}(a, b, max_val):\n")


def test_what_a_renamed_helper_is_called_in_others() -> None:
    inner = Helper("ratio", 'def ratio(a, b):\n    """The ratio."""\n    return a.ratio / b\n')
    outer = Helper("mean", "def mean(a, b):\n    return ratio(a, b) / 2\n", needs=(inner,))
    expr = ast.parse("mean(ratio.device, ratio(x, y))", mode="eval").body
    made = without_clashes(Output(expr, helpers={"ratio": inner, "mean": outer}), {"ratio", "ratio_"})
    assert ast.unparse(made.expr) == "mean(ratio.device, ratio__(x, y))"
    assert made.helpers["ratio__"].source == 'def ratio__(a, b):\n    """The ratio."""\n    return a.ratio / b\n'
    assert made.helpers["mean"].source == "def mean(a, b):\n    return ratio__(a, b) / 2\n"


OWN = """import tensorflow as tf
from tensorflow.keras.utils import to_categorical


def psnr(a, b):
    return tf.image.psnr(a, b, max_val=1.0)


def evaluate(a, b):
    ratio = psnr(a, b)
    return tf.reduce_mean(ratio)


def one_hot(y):
    return to_categorical(y, 4)
"""


def test_functions_around_those_of_tensorflow_keep_their_names(tmp_path: Path) -> None:
    (tmp_path / "m.py").write_text(OWN)
    repo = source.read(tmp_path, (), ())
    made = steps.rewrite(repo, steps.know(repo), lambda *_: None).render({})["m.py"]
    assert [d.reason for u in made.units for d in u.declines] == []
    assert "def psnr(a, b):\n    return psnr_(a, b, 1.0)\n" in made.text
    assert "ratio = psnr(a, b)\n" in made.text
    assert "return to_categorical(y, 4)" in made.text  # what TensorFlow has under a name is not the file's own


def test_names_that_code_binds() -> None:
    text = "import a.b\nfrom c import d as e\nf = g\nclass H:\n    def i(self, j): k = 1\n"
    text += "def m(*n):\n    for o in p: pass\n"
    assert set(bound_names(ast.parse(text))) == {"a", "e", "f", "H", "self", "j", "k", "m", "n", "o"}
