"""Canonical names, and name resolution through every way of importing."""

from __future__ import annotations

import textwrap

import pytest

from migrator.facts import analyse, names
from tests.facts.programs import site


@pytest.mark.parametrize(
    ("spelling", "canonical"),
    [
        ("tensorflow.math.reduce_sum", "tf.reduce_sum"),
        ("tf.reduce_sum", "tf.reduce_sum"),
        ("tensorflow.compat.v1.reshape", "tf.reshape"),
        ("tensorflow.compat.v1.reduce_sum", "tf.compat.v1.reduce_sum"),
        ("tensorflow.compat.v2.matmul", "tf.matmul"),
        ("tensorflow.placeholder", "tf.compat.v1.placeholder"),
        ("tensorflow.flags.DEFINE_string", "tf.compat.v1.flags.DEFINE_string"),
        ("tensorflow.log", "tf.math.log"),
        ("tensorflow.layers.dense", "tf.compat.v1.layers.dense"),
        ("tensorflow.contrib.layers.fully_connected", "tf.contrib.layers.fully_connected"),
        ("tensorflow.contrib.layers.flatten", "tf.compat.v1.layers.flatten"),
        ("tensorflow.contrib.rnn.BasicLSTMCell", "tf.compat.v1.nn.rnn_cell.BasicLSTMCell"),
        ("tensorflow.compat.v1.contrib.rnn.static_rnn", "tf.compat.v1.nn.static_rnn"),
        ("tensorflow.nn.rnn_cell.GRUCell", "tf.compat.v1.nn.rnn_cell.GRUCell"),
        ("tensorflow.image.ResizeMethod.BILINEAR", "tf.image.ResizeMethod.BILINEAR"),
        ("keras.layers.Dense", "tf.keras.layers.Dense"),
        ("tensorflow.keras.layers.MaxPool2D", "tf.keras.layers.MaxPooling2D"),
        ("tensorflow.python.keras.layers.Dense", "tf.keras.layers.Dense"),
        ("tensorflow.keras.models.Sequential", "tf.keras.Sequential"),
        ("keras.models.Model", "tf.keras.Model"),
        ("keras.layers.Input", "tf.keras.Input"),
        ("keras.regularizers.l2", "tf.keras.regularizers.L2"),
        ("keras.layers.core.Dropout", "tf.keras.layers.Dropout"),
        ("keras.layers.advanced_activations.LeakyReLU", "tf.keras.layers.LeakyReLU"),
        ("keras.utils.np_utils.to_categorical", "tf.keras.utils.to_categorical"),
        ("keras.optimizers.Adam", "tf.keras.optimizers.Adam"),
        ("tensorflow.optimizers.Adam", "tf.keras.optimizers.Adam"),
        ("keras.metrics.mse", "tf.keras.losses.mean_squared_error"),
        ("keras.engine.topology.Layer", "tf.keras.layers.Layer"),
        ("tensorflow.dtypes.float32", "tf.float32"),
        ("tensorflow.no_such_thing", "tf.no_such_thing"),
        ("numpy.zeros", None),
        ("torch.zeros", None),
    ],
)
def test_every_spelling_has_one_name(spelling: str, canonical: str | None) -> None:
    assert names.canonical(spelling) == canonical


def test_a_canonical_name_is_its_own() -> None:
    for api in ("tf.reduce_sum", "tf.keras.layers.Conv2D", "tf.compat.v1.placeholder", "tf.keras.Input"):
        assert names.canonical(api) == api
        assert names.known(api)


def test_signatures_are_those_of_tensorflow() -> None:
    dense = names.signature("tf.keras.layers.Dense")
    assert dense is not None
    assert dense[:3] == (("units", None), ("activation", "None"), ("use_bias", "True"))
    assert names.signature("tf.no_such_thing") is None


@pytest.mark.parametrize(("module", "is_root"), [("keras.layers", True), ("tensorflow_addons", True), ("numpy", False)])
def test_roots(module: str, is_root: bool) -> None:
    assert names.is_tf_root(module) is is_root


SOURCE = """
    import numpy as np
    import tensorflow as tf
    import tensorflow.keras.backend as K
    from tensorflow import keras
    from tensorflow.keras import layers as L
    from tensorflow.keras.layers import Dense as FC
    try:
        from tensorflow.keras.layers import Conv2D
    except ImportError:
        from keras.layers import Conv2D
    try:
        import tensorflow_addons as tfa
    except ImportError:
        tfa = None
    nn = tf.nn

    def f(x, tf2=tf):
        tf = np
        return tf.abs(x)

    def g(np):
        from tensorflow import math
        return math.log(np.abs(x))

    @tf.function
    def h(x: tf.Tensor) -> tf.Tensor:
        return nn.relu(K.mean(FC(3)(x))) + L.Add()([keras.Input((2,)), Conv2D(1, 1)(x), tfa.layers.Maxout(3)(x)])
    """


def test_uses_are_found_whatever_the_import() -> None:
    facts = analyse({"m": textwrap.dedent(SOURCE)})
    assert sorted(name for name, _ in facts.modules["m"].uses()) == sorted(
        [
            "tf.nn",
            "tf",
            "tf.math.log",
            "tf.function",
            "tf.Tensor",
            "tf.Tensor",
            "tf.nn.relu",
            "tf.keras.backend.mean",
            "tf.keras.layers.Dense",
            "tf.keras.layers.Add",
            "tf.keras.Input",
            "tf.keras.layers.Conv2D",
            "tensorflow_addons.layers.Maxout",
        ]
    )


def test_dotted_names_resolve_in_their_scope() -> None:
    here = analyse({"m": textwrap.dedent(SOURCE)}).modules["m"]
    assert here.canonical("K.mean") == "tf.keras.backend.mean"
    assert here.canonical("nn.relu") == "tf.nn.relu"
    assert here.canonical("tf.abs") == "tf.abs"
    assert here.canonical("tf.abs", site(SOURCE, "tf.abs")) is None
    assert here.canonical("np.abs") is None
    assert here.canonical("math.log", site(SOURCE, "math.log")) == "tf.math.log"
    assert here.canonical("undefined.name") is None


def test_names_travel_through_the_repository() -> None:
    sources = {
        "pkg": "from .common import K\n",
        "pkg.common": "import tensorflow as tf\nfrom tensorflow.keras import backend as K\nlayers = tf.keras.layers\n",
        "pkg.nets": "from . import common\nfrom .common import layers as L, tf\nfrom pkg import K\n"
        "a = K.abs\nb = L.Dense\nc = common.tf.matmul\nd = tf.shape\n",
    }
    facts = analyse(sources, packages={"pkg"})
    assert [name for name, _ in facts.modules["pkg.nets"].uses()] == [
        "tf.keras.backend.abs",
        "tf.keras.layers.Dense",
        "tf.matmul",
        "tf.shape",
    ]


def test_star_imports_give_only_what_is_certain() -> None:
    source = "from tensorflow.keras.layers import *\nfrom other import *\nx = Dense(3)\ny = helper(3)\n"
    assert [name for name, _ in analyse({"m": source}).modules["m"].uses()] == ["tf.keras.layers.Dense"]


def test_two_meanings_are_told_in_words() -> None:
    source = "import sys\nif sys.argv:\n    import tensorflow as B\nelse:\n    import numpy as B\nx = B.abs(3)\n"
    assert [name for name, _ in analyse({"m": source}).modules["m"].uses()] == [
        "B.abs (`B` is bound to several things)"
    ]


def test_a_name_that_is_defined_again_and_again_is_looked_up_at_once() -> None:
    source = "import tensorflow as tf\n" + "def f(x):\n    return tf.abs(x)\nf(3)\n" * 12
    assert {name for name, _ in analyse({"m": source}).modules["m"].uses()} == {"tf.abs"}


def test_what_the_file_assigns_to_is_told_in_words() -> None:
    source = "import tensorflow as tf\ntf.abs = abs\nx = tf.abs(tf.zeros(3))\n"
    assert [name for name, _ in analyse({"m": source}).modules["m"].uses()] == [
        "tf",
        "tf.abs (the file assigns to it)",
        "tf.zeros",
    ]


def test_columns_are_code_points() -> None:
    source = 'import tensorflow as tf\nx = "é"; y = tf.abs(1)\n'
    (use,) = analyse({"m": source}).modules["m"].uses()
    assert (use[1].column, use[1].end_column) == (13, 19)
    assert analyse({"m": source}).modules["m"].canonical("tf.abs", use[1]) == "tf.abs"
