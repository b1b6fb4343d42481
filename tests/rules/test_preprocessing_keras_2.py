"""Preprocessing layers as Keras 2 has them: the classes of migrated files give what its layers give."""

from __future__ import annotations

from typing import Any

import libcst as cst
import numpy as np
import pytest
from fake_facts import parsed

from migrator.facts import analyse
from migrator.rules import rulebook
from migrator.rules.engine.rewriter import rewrite

keras_2 = pytest.importorskip("tf_keras")
torch = pytest.importorskip("torch")
rulebook()
WORDS = "np.array(['b', 'a', 'b', 'c', 'é'])"
TEXTS = "np.array(['The cat, the DOG', 'a dog  sat', 'it\\'s é'])"
NUMBERS = "np.arange(12.0).reshape(4, 3).astype('float32') ** 1.5"
PROGRAMS = (
    (f"s = tf.keras.layers.StringLookup()\ns.adapt({WORDS})", "s(np.array(['a', 'q', 'é']))"),
    (f"s = tf.keras.layers.StringLookup(mask_token='', max_tokens=4)\ns.adapt({WORDS})", "s(np.array(['', 'b', 'é']))"),
    ("s = tf.keras.layers.StringLookup(vocabulary=['a', 'b'])", "s(np.array([['a', 'q'], ['b', 'a']]))"),
    ("s = tf.keras.layers.IntegerLookup()\ns.adapt(np.array([3, 3, 5, -2, 5, 3]))", "s(np.array([3, -2, 9]))"),
    ("s = tf.keras.layers.IntegerLookup(vocabulary=[7, 9], mask_token=0)", "s(np.array([0, 9, 8]))"),
    (f"s = tf.keras.layers.TextVectorization()\ns.adapt({TEXTS})", "s(np.array(['the dog, THE é', 'x']))"),
    (
        f"s = tf.keras.layers.TextVectorization(max_tokens=6, output_sequence_length=3)\ns.adapt({TEXTS})",
        "s(np.array([['the dog and the cat'], ['sat']]))",
    ),
    (f"s = tf.keras.layers.TextVectorization(ngrams=2)\ns.adapt({TEXTS})", "s(np.array(['the dog sat']))"),
    (f"s = tf.keras.layers.Normalization()\ns.adapt({NUMBERS})", "s(np.ones((2, 3), 'float32'))"),
    (f"s = tf.keras.layers.Normalization(axis=None)\ns.adapt({NUMBERS})", "s(np.ones((2, 3), 'float32'))"),
    ("s = tf.keras.layers.Normalization(mean=3.0, variance=2.0)", "s(np.ones((2, 3), 'float32'))"),
    ("s = tf.keras.layers.Hashing(5)", "s(np.array([['a', 'word'], ['é', '']]))"),
    ("s = tf.keras.layers.Discretization([0.0, 1.5])", "s(np.array([[-1.0, 0.0], [1.5, 9.0]]))"),
)


@pytest.mark.parametrize(("made", "used"), PROGRAMS, ids=lambda text: text.splitlines()[0][20:60])
def test_as_keras_2_has_it(made: str, used: str) -> None:
    import tensorflow as tf

    theirs: dict[str, Any] = {"np": np, "tf": tf}
    exec(f"{made.replace('tf.keras', 'keras_2')}\nfound = {used}", theirs | {"keras_2": keras_2}, theirs)
    source = f"import numpy as np\nimport tensorflow as tf\n\n{made}\nfound = {used}\n"
    tree, spans = parsed(source)
    rewritten = rewrite(tree, analyse({"sample": source}).modules["sample"], spans, keras=2)
    assert rewritten.declines == ()
    assert isinstance(rewritten.node, cst.Module)
    ours: dict[str, Any] = {}
    for helper in rewritten.helpers:
        exec("\n".join([*helper.imports, helper.source]), ours)
    exec(rewritten.node.code.replace("import tensorflow as tf\n", ""), ours)
    expected = theirs["found"].numpy()
    assert ours["found"].numpy().dtype.kind == expected.dtype.kind
    np.testing.assert_allclose(ours["found"].numpy(), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    "made", ["StringLookup(vocabulary=['a'], output_mode='one_hot')", "TextVectorization(output_mode='count')"]
)
def test_marks_of_keras_2_are_declined(made: str) -> None:
    source = f"import tensorflow as tf\n\ns = tf.keras.layers.{made}\n"
    tree, spans = parsed(source)
    assert rewrite(tree, analyse({"sample": source}).modules["sample"], spans, keras=2).declines != ()
