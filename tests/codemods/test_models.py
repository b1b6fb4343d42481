"""Model code: whole programs as text, what is declined, and the small pieces."""

from __future__ import annotations

import ast
from typing import Any

import pytest

from migrator.codemods.models import layout as lay
from migrator.codemods.models.finish import module_names
from migrator.codemods.models.naming import attribute, class_name, plural, stem
from migrator.codemods.models.text import fill, negated, otherwise, substitute
from tests.codemods.model_programs import context, migrate, script
from tests.codemods.model_sources import PROGRAMS


@pytest.mark.parametrize("name", ["sequential", "resnet", "cross", "unet", "gate", "multi"])
def test_text(name: str, snapshot: Any) -> None:
    migrated = migrate(PROGRAMS[name][0])
    assert migrated.declines == []
    ast.parse(migrated.text)
    assert migrated.text == snapshot


def test_records_are_in_order_of_creation() -> None:
    draft = migrate(PROGRAMS["sequential"][0]).drafts["build_model"]
    assert [(r.path, r.keras.rpartition(".")[2]) for r in draft.weights] == [
        ("conv1", "Conv2D"),
        ("conv2", "Conv2D"),
        ("fc", "Dense"),
    ]
    assert ("kernel", "weight", "reshape(6,6,64,-1) transpose(3,2,0,1) reshape(-1,2304)") in draft.weights[2].params
    assert draft.has_logits == {"Model": "softmax"}
    assert draft.has_penalty == {"Model"}


def test_comments_and_docstrings_stay() -> None:
    text = migrate(PROGRAMS["sequential"][0]).text
    assert "# features" in text
    assert text.count('"""Small convnet."""') == 2
    assert "# project the shortcut when the shape changes" in migrate(PROGRAMS["resnet"][0]).text


def test_changes_of_interface() -> None:
    drafts = migrate(PROGRAMS["resnet"][0]).drafts
    (change,) = drafts["conv_bn"].changes
    assert change.kind == "factory-to-module"
    assert change.added == ("in_channels",)
    assert change.removed == ("x", "name")


def test_inner_modules_are_channels_first_and_whole_models_are_not() -> None:
    ctx = context(PROGRAMS["resnet"][0])
    assert ctx.layouts == {"program:conv_bn": "nchw", "program:residual_block": "nchw"}
    assert ctx.class_names["program:residual_block"] == "ResidualBlock"
    assert {"program:conv_bn", "program:residual_block"} <= ctx.penalised


STRIDED = """
import tensorflow as tf


class Features(tf.keras.Model):
    def __init__(self):
        super().__init__()
        self.conv = tf.keras.layers.Conv2D(4, 3, strides=2, padding="same")
        self.pool = tf.keras.layers.MaxPool2D(3, 2, padding="same")

    def call(self, x):
        return self.pool(self.conv(x))


model = Features()
model.build((None, 16, 16, 3))
"""


def test_sizes_of_images_that_only_calls_show_decide_no_padding() -> None:
    text = migrate(STRIDED).text
    assert "self.conv(pad_same(x, 3, 2))" in text
    assert "F.max_pool2d(pad_same(" in text


KEYWORD_ONLY = """
import tensorflow as tf


class Scale(tf.keras.layers.Layer):
    def __init__(self, factor, *, offset=1.0, name=None):
        super().__init__(name=name)
        self.factor = factor
        self.offset = offset

    def call(self, inputs, *, training=None):
        return self.shift(inputs, by=self.offset) * self.factor

    def shift(self, inputs, *, by):
        return inputs + by
"""


def test_keyword_only_parameters_stay_so() -> None:
    migrated = migrate(KEYWORD_ONLY)
    assert migrated.declines == []
    assert "def __init__(self, factor, *, offset=1.0):" in migrated.text
    assert "def forward(self, inputs):" in migrated.text
    assert "def shift(self, inputs, *, by):" in migrated.text


SCRIPT = """
import tensorflow as tf
model = tf.keras.models.Sequential([
    tf.keras.layers.Flatten(input_shape=(28, 28)),
    tf.keras.layers.Dense(128, activation="relu"),
    tf.keras.layers.Dropout(0.2),
    tf.keras.layers.Dense(10),
])
"""


def test_model_of_a_script_is_hoisted(snapshot: Any) -> None:
    draft = script(SCRIPT)
    assert draft is not None
    assert draft.text == "model = Model().to(device)\n"
    assert draft.needs_device
    assert draft.hoisted == snapshot


def test_a_script_without_a_model_is_left_alone() -> None:
    assert script("import tensorflow as tf\nx = tf.constant(1.0)\n") is None


HEAD = "import tensorflow as tf\nfrom tensorflow.keras import layers\n\n\n"
LAYER = HEAD + "class L(layers.Layer):\n    def __init__(self):\n        super().__init__()\n"
MODEL = LAYER.replace("layers.Layer", "tf.keras.Model")


DROPOUT = """        self.d = layers.Dropout(0.5)

    def call(self, x):
        return self.d(x, training=True)
"""


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        (LAYER + "    def call(self, x):\n        self.add_loss(x, inputs=x)\n        return x\n", "add_loss"),
        (MODEL + "    def predict_step(self, data):\n        return {}\n", "predict_step"),
        (LAYER + "    def call(self, x):\n        return layers.Dense(3)(x)\n", "Dense"),
        (LAYER + DROPOUT, "train"),
        (HEAD + "@other\nclass L(layers.Layer):\n    pass\n", "decorator"),
        (HEAD + "class L(layers.Dense):\n    pass\n", "base class"),
    ],
)  # fmt: skip
def test_what_is_not_known_is_declined(source: str, reason: str) -> None:
    migrated = migrate(source)
    found = [f"{d.reason} {d.api}" for draft in migrated.drafts.values() for d in draft.declines]
    assert any(reason in text for text in found), found


def test_a_graph_with_an_unknown_layer_is_declined_as_a_whole() -> None:
    source = HEAD + (
        "def build():\n    i = tf.keras.Input((4,))\n    x = layers.Dense(3)(i)\n"
        "    x = layers.SpectralThing()(x)\n    return tf.keras.Model(i, x)\n"
    )
    assert migrate(source).declines


@pytest.mark.parametrize(
    ("function", "name"),
    [
        ("build_resnet", "ResNet"),
        ("conv_bn", "ConvBN"),
        ("create_cnn", "CNN"),
        ("build_model", "Model"),
        ("build", "Model"),
        ("residual_block", "ResidualBlock"),
        ("unet", "UNet"),
        ("resnet_50", "ResNet50"),
        ("makeGenerator", "Generator"),
    ],
)
def test_class_names(function: str, name: str) -> None:
    assert class_name(function) == name


def test_attribute_names() -> None:
    assert (attribute("stem-conv/1"), attribute("class"), attribute("_proj")) == ("stem_conv_1", None, "proj")
    assert (stem("ResidualBlock"), stem("ConvBN"), plural("conv"), plural("box")) == (
        "residual_block",
        "conv_bn",
        "convs",
        "boxes",
    )


def test_templates_are_filled_with_parentheses_where_needed() -> None:
    assert fill("{x}.mean(dim=1)", {"x": "a + b"}) == "(a + b).mean(dim=1)"
    assert fill("F.relu({x})", {"x": "a + b"}) == "F.relu(a + b)"
    assert fill("{self}({x})", {"self": "self.conv", "x": "x"}) == "self.conv(x)"


def test_substitution_spares_attributes_and_keywords() -> None:
    assert substitute("f(x=x, y=a.x) * x", {"x": "p + q"}) == "f(x=p + q, y=a.x) * (p + q)"


def test_conditions() -> None:
    assert negated("a is None") == "a is not None"
    assert negated("not a") == "a"
    assert negated("a and b") == "not (a and b)"
    assert otherwise(["if a:", "    pass"]) == ["elif a:", "    pass"]
    assert otherwise(["if a:", "    pass", "b()"])[0] == "else:"


def test_layouts() -> None:
    assert [lay.axis(a, "nchw") for a in (0, 1, 2, 3, -1, -2)] == [0, 2, 3, 1, 1, 3]
    assert lay.reduced(frozenset({1, 2}), "nchw") == "last"
    assert lay.reduced(frozenset({3}), "nchw") == "last"
    assert lay.reduced(frozenset({1}), "nchw") == "ncl"
    assert lay.reduced(frozenset({0}), "nchw") is None
    assert lay.permute("x", "last", "nchw")[0] == "x.permute(0, 3, 1, 2)"


def test_names_of_a_file() -> None:
    assert {"tf", "conv_bn", "WEIGHT_DECAY", "layers"} <= module_names(context(PROGRAMS["resnet"][0]))


BASE = """
import tensorflow as tf
from tensorflow.keras.layers import Dense, Layer


class Base(Layer):
    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = units

    def build(self, input_shape):
        self.dense = Dense(self.units)

    def call(self, x):
        return self.dense(x)


class Derived(Base):
{}

def main():
    return Derived(3)(tf.zeros((2, 5)))
"""


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (
            "    def build(self, input_shape):\n        self.extra = Dense(2)\n",
            "a `build` in place of the base class's",
        ),
        (
            "    def __init__(self, units):\n        super().__init__(units)\n        self.units = 2 * units\n",
            "`self.units` is set up by the base class as well",
        ),
        (
            "    def __init__(self, units):\n        if units:\n            super().__init__(units)\n",
            "how the base class is constructed",
        ),
        (
            "    def __init__(self, units):\n        n = units + 1\n        super().__init__(n)\n",
            "the base class is constructed with `n`",
        ),
    ],
)
def test_what_a_derived_class_may_not_do(body: str, reason: str) -> None:
    draft = migrate(BASE.format(body)).drafts["Derived"]
    assert reason in [d.reason for d in draft.declines]


CHOSEN = """
import tensorflow as tf
from tensorflow import keras


class Cross(keras.layers.Layer):
    def __init__(self, kernel_regularizer=None, **kwargs):
        super().__init__(**kwargs)
        self.kernel_regularizer = keras.regularizers.get(kernel_regularizer)

    def build(self, input_shape):
        self.kernel = self.add_weight(name="k", shape=(input_shape[-1], 2), regularizer=self.kernel_regularizer)

    def call(self, x):
        return tf.matmul(x, self.kernel)


class Net(keras.Model):
    def __init__(self):
        super().__init__()
        self.cross = Cross({given})

    def call(self, x):
        return self.cross(x)


Net()(tf.ones((2, 3)))
"""


def test_a_regulariser_that_every_caller_gives_stays_a_parameter() -> None:
    text = migrate(CHOSEN.format(given="kernel_regularizer=keras.regularizers.l2(1e-3)")).text
    assert "def __init__(self, in_features, kernel_regularizer=None):" in text
    assert "kernel_regularizer=l2_penalty(1e-3)" in text
    assert "kernel_regularizer" not in migrate(CHOSEN.format(given="")).text
