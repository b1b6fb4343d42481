"""Symbolic sizes: what classes and factories must gain, and what it is where they are used."""

from __future__ import annotations

import textwrap

import pytest

from migrator.facts import RepoFacts, analyse
from migrator.values import SizeParam, Tensor
from tests.facts.programs import check, dim, facts_of, render, site


def inputs(facts: RepoFacts, source: str, text: str, module: str = "m") -> str:
    """The rendered inputs of the layer that is created by the call reading `text`."""
    use = facts.layer(module, site(source, text))
    assert use is not None, text
    return ", ".join(map(render, use.inputs))


def sizes(facts: RepoFacts, source: str, text: str, module: str = "m") -> dict[str, str]:
    """The rendered sizes at the construction reading `text`."""
    return {name: dim(value) for name, value in facts.sizes_at(module, site(source, text))}


BLOCKS = """
    import tensorflow as tf
    from tensorflow.keras import layers

    class Block(layers.Layer):
        def __init__(self, width, stride=1):
            super().__init__()
            self.conv = layers.Conv2D(width, 3, strides=stride, padding="same")
            self.norm = layers.BatchNormalization()
            if stride != 1:
                self.short = tf.keras.Sequential()
                self.short.add(layers.Conv2D(width, 1, strides=stride))
            else:
                self.short = lambda x: x

        def call(self, inputs, training=None):
            x = self.norm(self.conv(inputs), training=training)
            return tf.nn.relu(layers.add([x, self.short(inputs)]))

    def make_stage(width, count, stride=1):
        stage = tf.keras.Sequential()
        stage.add(Block(width, stride))
        for _ in range(1, count):
            stage.add(Block(width))
        return stage

    class Net(tf.keras.Model):
        def __init__(self, counts, classes):
            super().__init__()
            self.stem = layers.Conv2D(64, 7, strides=2, padding="same")
            self.stage1 = make_stage(64, counts[0])
            self.stage2 = make_stage(width=128, count=counts[1], stride=2)
            self.pool = layers.GlobalAveragePooling2D()
            self.head = layers.Dense(classes)

        def call(self, inputs, training=None):
            x = self.stem(inputs)
            x = self.stage1(x, training=training)
            x = self.stage2(x, training=training)
            return self.head(self.pool(x))

    model = Net([2, 2], 10)
    model.build(input_shape=(None, 32, 32, 3))
    """


def test_blocks_made_by_a_factory() -> None:
    facts = facts_of(BLOCKS)
    block, net = facts.cls("m:Block"), facts.cls("m:Net")
    stage = facts.function("m:make_stage")
    assert block is not None
    assert net is not None
    assert stage is not None
    assert block.sizes == (SizeParam("in_channels", "inputs"),)
    assert net.sizes == (SizeParam("in_channels", "inputs", 3),)
    assert stage.role == "module-factory"
    assert stage.sizes == (SizeParam("in_channels", "", 64),)
    assert inputs(facts, BLOCKS, 'layers.Conv2D(width, 3, strides=stride, padding="same")') == (
        "Kfloat32[?, ?, ?, in_channels]"
    )
    assert inputs(facts, BLOCKS, "layers.BatchNormalization()") == "Kfloat32[?, ?, ?, width]"
    assert sizes(facts, BLOCKS, "Block(width, stride)") == {"in_channels": "in_channels"}
    assert sizes(facts, BLOCKS, "Block(width)") == {"in_channels": "width"}
    assert sizes(facts, BLOCKS, "make_stage(64, counts[0])") == {"in_channels": "64"}
    assert sizes(facts, BLOCKS, "make_stage(width=128, count=counts[1], stride=2)") == {"in_channels": "64"}
    assert sizes(facts, BLOCKS, "Net([2, 2], 10)") == {"in_channels": "3"}
    assert inputs(facts, BLOCKS, "layers.Dense(classes)") == "Kfloat32[?, 128]"


FACTORIES = """
    from tensorflow.keras import layers, models

    def conv_bn(x, filters, kernel_size, strides=1, name=None):
        x = layers.Conv2D(filters, kernel_size, strides=strides, padding="same", name=f"{name}_conv")(x)
        x = layers.BatchNormalization()(x)
        return layers.ReLU()(x)

    def block(x, filters, strides=1):
        shortcut = x
        y = conv_bn(x, filters, 3, strides)
        y = conv_bn(y, filters, 3)
        if strides != 1 or x.shape[-1] != filters:
            shortcut = conv_bn(x, filters, 1, strides)
        return layers.Add()([y, shortcut])

    def build(classes=10, widths=(16, 32, 64), depth=2):
        inputs = layers.Input(shape=(None, None, 3))
        x = conv_bn(inputs, widths[0], 5)
        for stage, width in enumerate(widths):
            for i in range(depth):
                x = block(x, width, 2 if i == 0 else 1)
        x = layers.GlobalAveragePooling2D()(x)
        return models.Model(inputs, layers.Dense(classes)(x))
    """


def test_factories_take_their_input_sizes_from_their_tensors() -> None:
    facts = facts_of(FACTORIES)
    conv_bn, block, build = (facts.function(f"m:{name}") for name in ("conv_bn", "block", "build"))
    assert conv_bn is not None
    assert block is not None
    assert build is not None
    assert [f.role for f in (conv_bn, block, build)] == ["layer-factory", "layer-factory", "model-factory"]
    assert conv_bn.sizes == block.sizes == (SizeParam("in_channels", "x"),)
    assert build.sizes == ()
    assert render(conv_bn.returns) == "Kfloat32[?, ?, ?, filters]"
    assert render(block.returns) == "Kfloat32[?, ?, ?, filters]"
    assert sizes(facts, FACTORIES, "conv_bn(y, filters, 3)") == {"in_channels": "filters"}
    assert sizes(facts, FACTORIES, "conv_bn(x, filters, 1, strides)") == {"in_channels": "in_channels"}
    assert sizes(facts, FACTORIES, "conv_bn(inputs, widths[0], 5)") == {"in_channels": "3"}


def test_a_loop_carries_channels() -> None:
    facts = facts_of(FACTORIES)
    build = facts.function("m:build")
    assert build is not None
    outer, inner = sorted(build.carried, key=lambda c: c.loop)
    assert (outer.variable, outer.name, outer.init) == ("x", "channels", "widths[0]")
    assert (inner.variable, inner.name, inner.init, inner.update) == ("x", "channels", "channels", "width")
    assert inner.start == outer.start == outer.loop
    assert sizes(facts, FACTORIES, "block(x, width, 2 if i == 0 else 1)") == {"in_channels": "channels"}
    assert inputs(facts, FACTORIES, "layers.Dense(classes)") == "Kfloat32[?, channels]"


def test_a_taken_name_is_avoided() -> None:
    source = """
        from tensorflow.keras import layers
        def f(x, widths, channels):
            for w in widths:
                x = layers.Dense(w)(x)
            return x
        """
    facts = facts_of(source)
    function = facts.function("m:f")
    assert function is not None
    assert [(c.name, c.init, c.update) for c in function.carried] == [("channels_2", "in_features", "w")]
    assert inputs(facts, source, "layers.Dense(w)") == "any[..., channels_2]"


def test_a_steady_loop_carries_nothing() -> None:
    source = """
        from tensorflow.keras import layers
        def f(x, units, depth):
            x = layers.Dense(units)(x)
            for _ in range(depth):
                x = layers.Dense(units)(x) + x
            return x
        """
    facts = facts_of(source)
    function = facts.function("m:f")
    assert function is not None
    assert function.carried == ()


CROSS = """
    import tensorflow as tf
    from tensorflow import keras

    class Cross(keras.layers.Layer):
        def __init__(self, rank=None, **kwargs):
            super().__init__(**kwargs)
            self.rank = rank

        def build(self, input_shape):
            dim = int(input_shape[-1])
            self.u = self.add_weight(name="u", shape=(dim, self.rank))
            self.bias = self.add_weight(name="bias", shape=(dim,))

        def call(self, x0, x=None):
            if x is None:
                x = x0
            y = tf.matmul(tf.matmul(x, self.u), self.u, transpose_b=True)
            return x0 * (y + self.bias) + x

    class CrossNet(keras.Model):
        def __init__(self, num_features, hidden=(64, 32), rank=None):
            super().__init__()
            self.cross = [Cross(rank=rank) for _ in range(3)]
            self.deep = keras.Sequential([keras.layers.Dense(u) for u in hidden])
            self.head = keras.layers.Dense(1)
            self.build((None, num_features))

        def call(self, inputs):
            x = inputs
            for layer in self.cross:
                x = layer(inputs, x)
            return self.head(tf.concat([x, self.deep(inputs)], axis=-1))
    """


def test_a_class_that_names_its_own_size_gains_none() -> None:
    facts = facts_of(CROSS)
    cross, net = facts.cls("m:Cross"), facts.cls("m:CrossNet")
    assert cross is not None
    assert net is not None
    assert net.sizes == ()
    assert render(net.call_inputs[0][1]) == "Kfloat32[?, num_features]"
    assert cross.sizes == (SizeParam("in_features", "x0"),)
    assert render(cross.attr("u") or cross.call_output) == "Vfloat32[in_features, rank]"
    assert sizes(facts, CROSS, "Cross(rank=rank)") == {"in_features": "num_features"}
    assert inputs(facts, CROSS, "keras.layers.Dense(1)") == "Kfloat32[?, num_features + channels]"
    (carried,) = net.carried
    assert (carried.init, carried.update) == ("num_features", "u")


def test_a_declared_input_fixes_the_size() -> None:
    source = """
        from tensorflow import keras
        class Net(keras.Model):
            def __init__(self, units):
                super().__init__()
                self.conv = keras.layers.Conv2D(units, 3, input_shape=(28, 28, 1))
                self.flat = keras.layers.Flatten()
                self.head = keras.layers.Dense(10)
            def call(self, x):
                return self.head(self.flat(self.conv(x)))
        """
    facts = facts_of(source)
    net = facts.cls("m:Net")
    assert net is not None
    assert net.sizes == ()
    assert inputs(facts, source, "keras.layers.Conv2D(units, 3, input_shape=(28, 28, 1))").endswith(" 1]")


def test_a_literal_size_that_all_uses_share_is_the_default() -> None:
    source = """
        import numpy as np
        from tensorflow import keras
        class Net(keras.Model):
            def __init__(self):
                super().__init__()
                self.head = keras.layers.Dense(10)
            def call(self, x):
                return self.head(x)
        net = Net()
        net(np.zeros((4, 7), dtype="float32"))
        """
    net = facts_of(source).cls("m:Net")
    assert net is not None
    assert net.sizes == (SizeParam("in_features", "x", 7),)
    other = facts_of(textwrap.dedent(source) + "net(np.zeros((4, 8)))\n").cls("m:Net")
    assert other is not None
    assert other.sizes == ()  # its construction cannot tell: the layer learns it from the first call, as in Keras


def test_layers_without_a_size_ask_for_none() -> None:
    source = """
        from tensorflow import keras
        class Net(keras.layers.Layer):
            def __init__(self):
                super().__init__()
                self.drop = keras.layers.Dropout(0.5)
            def call(self, x):
                return self.drop(x)
        """
    net = facts_of(source).cls("m:Net")
    assert net is not None
    assert net.sizes == ()


def test_sizes_are_arithmetic_on_arguments() -> None:
    check("""
        from tensorflow.keras import layers, Model
        class Decoder(Model):
            def __init__(self, side, latent):
                super().__init__()
                self.fc = layers.Dense(side * side * 64)
                self.shape_to = layers.Reshape((side, side, 64))
                self.up = layers.Conv2DTranspose(32, 3, strides=2, padding="same")
                self.latent = latent
                self.build((None, latent))
            def call(self, z):
                x = self.fc(z)  # Kfloat32[?, side * side * 64]
                x = self.shape_to(x)  # Kfloat32[?, side, side, 64]
                return self.up(x)  # Kfloat32[?, side * 2, side * 2, 32]
        """)


def test_constants_cross_files() -> None:
    sources = {
        "config": "CHANNELS = 3\nSIDE = 16\n",
        "nets.blocks": "from tensorflow.keras import layers\n"
        "class B(layers.Layer):\n"
        "    def __init__(self, n):\n        super().__init__()\n        self.c = layers.Conv2D(n, 1)\n"
        "    def call(self, x):\n        return self.c(x)\n",
        "nets": "from .blocks import B\n",
        "main": "import numpy as np\nimport config\nfrom nets import B\n"
        "b = B(4)\ny = b(np.zeros((1, config.SIDE, config.SIDE, config.CHANNELS)))\n",
    }
    facts = analyse(sources, packages={"nets"})
    block = facts.cls("nets.blocks:B")
    assert block is not None
    assert block.sizes == (SizeParam("in_channels", "x", 3),)
    assert sizes(facts, sources["main"], "B(4)", "main") == {"in_channels": "3"}
    call = site(sources["main"], "b(np.zeros((1, config.SIDE, config.SIDE, config.CHANNELS)))")
    assert render(facts.modules["main"].at(call)) == "float32[1, 16, 16, 4]"


NETS = """
    import tensorflow as tf
    from tensorflow.keras import layers, Model

    class Dense2d(layers.Layer):
        def __init__(self, count, growth):
            super().__init__()
            self.convs = [layers.Conv2D(growth, 3, padding="same") for _ in range(count)]
        def call(self, x):
            for conv in self.convs:
                x = tf.concat([x, conv(x)], axis=-1)
            return x

    class Down(layers.Layer):
        def __init__(self, filters, **kwargs):
            super().__init__(**kwargs)
            self.filters = filters
        def build(self, input_shape):
            self.conv = layers.Conv2D(self.filters, 3, strides=2, padding="same")
        def call(self, x, training=False):
            return tf.nn.relu(self.conv(x))

    class UNet(Model):
        def __init__(self, base=16):
            super().__init__()
            self.first = Down(base)
            self.second = Down(base * 2)
            self.up = layers.Conv2DTranspose(base, 2, strides=2, padding="same")
            self.out = layers.Conv2D(1, 1)
        def call(self, x, training=False):
            a = self.first(x, training=training)
            u = self.up(self.second(a))
            return self.out(layers.concatenate([u, a]))

    net = UNet()
    y = net(tf.zeros((1, 64, 64, 3)))
    """


def test_growing_channels_are_carried() -> None:
    facts = facts_of(NETS)
    dense = facts.cls("m:Dense2d")
    assert dense is not None
    (carried,) = dense.carried
    assert (carried.name, carried.init, carried.update) == ("channels", "in_channels", "channels + growth")
    assert render(dense.call_output) == "any[?, ?, ?, channels]"


def test_skip_connections_add_up() -> None:
    facts = facts_of(NETS)
    net = facts.cls("m:UNet")
    assert net is not None
    assert render(net.call_inputs[0][1]) == "float32[?, 64, 64, in_channels]"
    assert render(net.call_output) == "float32[?, 32, 32, 1]"
    assert sizes(facts, NETS, "Down(base)") == {"in_channels": "in_channels"}
    assert sizes(facts, NETS, "Down(base * 2)") == {"in_channels": "base"}
    assert inputs(facts, NETS, "layers.Conv2D(1, 1)") == "float32[?, 32, 32, base + base]"


def test_a_loop_over_a_parameter_ends_with_its_last_item() -> None:
    source = """
        import tensorflow as tf
        def stack(x, sizes):
            for size in sizes:
                x = tf.keras.layers.Dense(size)(x)
            return x
        def make(sizes=(16, 8), classes=3):
            inputs = tf.keras.Input((10,))
            x = stack(inputs, sizes)
            return tf.keras.Model(inputs, tf.keras.layers.Dense(classes)(x))
        """
    facts = facts_of(source)
    assert inputs(facts, source, "tf.keras.layers.Dense(classes)") == "Kfloat32[?, sizes[-1]]"
    stack = facts.function("m:stack")
    assert stack is not None
    assert stack.sizes == (SizeParam("in_features", "x", 10),)


def test_a_list_of_layers_carries_its_sizes() -> None:
    source = """
        import tensorflow as tf
        class Encoder(tf.keras.Model):
            def __init__(self, latent):
                super().__init__()
                self.convs = [tf.keras.layers.Conv2D(f, 3, strides=2, padding="same") for f in (4, 6)]
                self.flatten = tf.keras.layers.Flatten()
                self.fc = tf.keras.layers.Dense(latent)
            def call(self, x):
                for conv in self.convs:
                    x = conv(x)
                return self.fc(self.flatten(x))
        def make():
            model = Encoder(5)
            model(tf.zeros((1, 16, 12, 3)))
            return model
        """
    facts = facts_of(source)
    encoder = facts.cls("m:Encoder")
    assert encoder is not None
    assert encoder.sizes == (SizeParam("in_channels", "x", 3),)
    assert [(c.name, c.init, c.update) for c in encoder.carried] == [("channels", "in_channels", "f")]
    assert inputs(facts, source, "tf.keras.layers.Dense(latent)") == "float32[?, 72]"
    assert sizes(facts, source, "Encoder(5)") == {"in_channels": "3"}


def test_a_layer_that_a_branch_adds_keeps_the_model_known() -> None:
    check("""
        from tensorflow.keras import layers, Sequential
        def make(hidden, drop=True):
            model = Sequential()
            model.add(layers.Dense(4, input_shape=(8,)))
            for units in hidden:
                model.add(layers.Dense(units))
            if drop:
                model.add(layers.Dropout(0.5))
            model.add(layers.Dense(2))
            m = model  # Sequential: Kfloat32[?, 8] -> Kfloat32[?, 2]
            return model
        """)


def test_a_model_that_nobody_calls_gains_the_size_of_its_input() -> None:
    source = """
        import tensorflow as tf

        class Net(tf.keras.Model):
            def __init__(self):
                super().__init__()
                self.first = tf.keras.layers.Dense(24, activation="relu")
                self.second = tf.keras.layers.Dense(2)

            def call(self, x):
                return self.second(self.first(x))

            def act(self, state):
                return tf.argmax(self(state), axis=-1)
        """
    facts = facts_of(source)
    assert inputs(facts, source, 'tf.keras.layers.Dense(24, activation="relu")') == "any[..., in_features]"
    found = facts.cls("m:Net")
    assert found is not None
    assert found.sizes == (SizeParam("in_features", "x", None),)


def test_a_layer_that_says_its_output_shape_tells_the_size_of_the_next() -> None:
    source = """
        import tensorflow as tf


        class Mix(tf.keras.layers.Layer):
            def __init__(self, units, **kwargs):
                super().__init__(**kwargs)
                self.units = list(units)

            def build(self, input_shape):
                sizes = [int(input_shape[-1])] + self.units
                self.kernels = [self.add_weight(shape=(sizes[i], sizes[i + 1])) for i in range(len(self.units))]

            def call(self, inputs):
                x = inputs
                for kernel in self.kernels:
                    x = tf.nn.relu(tf.tensordot(x, kernel, axes=(-1, 0)))
                return x

            def compute_output_shape(self, input_shape):
                if len(self.units) > 0:
                    shape = input_shape[:-1] + (self.units[-1],)
                else:
                    shape = input_shape
                return tuple(shape)


        def build(width=16):
            inputs = tf.keras.Input((8,))
            x = Mix([32, width])(inputs)
            return tf.keras.Model(inputs, tf.keras.layers.Dense(1)(x))
        """
    facts = facts_of(source)
    assert inputs(facts, source, "tf.keras.layers.Dense(1)") == "float32[?, width]"


def test_a_function_that_has_the_tensor_at_hand_reads_its_size() -> None:
    source = """
        import numpy as np
        import tensorflow as tf

        class Net(tf.keras.Model):
            def __init__(self):
                super().__init__()
                self.head = tf.keras.layers.Dense(3)

            def call(self, x):
                return self.head(x)

        def train(x, y):
            net = Net()
            net.compile("sgd", "mse")
            net.fit(x, y)

        train(np.zeros((4, 7), "float32"), np.zeros((4, 3), "float32"))
        """
    facts = facts_of(source)
    train = facts.function("m:train")
    assert train is not None
    assert (train.role, train.sizes) == ("training", ())
    assert sizes(facts, source, "Net()") == {"in_features": "x.shape[-1]"}


LISTS = """
    import tensorflow as tf

    class Graph(tf.keras.layers.Layer):
        def __init__(self, channels, **kwargs):
            super().__init__(**kwargs)
            self.channels = channels

        def build(self, input_shape):
            self.kernel = self.add_weight(shape=(input_shape[0][-1], self.channels))
            self.edges = self.add_weight(shape=(int(input_shape[2][-1]), self.channels))
            self.built = True

        def call(self, inputs):
            x, a, e = inputs
            return tf.matmul(a, tf.matmul(x, self.kernel)) + tf.matmul(e, self.edges)

    class Shared(tf.keras.layers.Layer):
        def build(self, input_shape):
            self.kernel = self.add_weight(shape=(input_shape[0][-1], 4))

        def call(self, inputs):
            return [tf.matmul(x, self.kernel) for x in inputs]
"""


def test_a_layer_that_takes_a_list_gains_the_sizes_of_those_that_it_uses() -> None:
    facts = facts_of(LISTS)
    graph, shared = facts.cls("m:Graph"), facts.cls("m:Shared")
    assert graph is not None
    assert shared is not None
    assert graph.sizes == (SizeParam("in_features", "inputs[0]"), SizeParam("in_features_e", "inputs[2]"))
    assert [size.place for size in graph.sizes] == [("inputs", 0), ("inputs", 2)]
    assert render(graph.attr("edges") or graph.call_output) == "Vfloat32[in_features_e, channels]"
    assert shared.sizes == (SizeParam("in_features", "inputs[0]"),)


def test_the_sizes_of_a_list_are_read_off_where_the_layer_is_called() -> None:
    source = (
        LISTS
        + """
    class Net(tf.keras.Model):
        def __init__(self, width):
            super().__init__()
            self.first = tf.keras.layers.Dense(width)
            self.graph = Graph(8)
            self.shared = Shared()
            self.mixed = Shared()

        def call(self, inputs):
            x, a = inputs
            h = self.first(x)
            self.mixed([h, self.graph([h, a, tf.ones((4, 5))])])
            return self.shared([h, h, h])
    """
    )
    facts = facts_of(source)
    assert sizes(facts, source, "Graph(8)") == {"in_features": "width", "in_features_e": "5"}
    shared = facts.cls("m:Shared")
    assert shared is not None
    found = [dict(facts.sizes_at(*place))["in_features"] for place in shared.sites]
    assert [dim(value) for value in found] == ["width", "?"]  # one size for the whole list, or none


def test_a_size_that_build_goes_by_is_gained_and_one_that_it_only_checks_is_not() -> None:
    source = """
        import tensorflow as tf

        class Scaled(tf.keras.layers.Layer):
            def build(self, input_shape):
                width = int(input_shape[-1])
                self.factor = float(width) ** -0.5

            def call(self, x):
                return x * self.factor

        class Checked(tf.keras.layers.Layer):
            def build(self, input_shape):
                if input_shape[-1] != 3:
                    raise ValueError("three channels are needed")
                width = input_shape[-1]
                self.input_spec = tf.keras.layers.InputSpec(axes={-1: width})
                super().build(input_shape)

            def call(self, x):
                return x + 1.0
        """
    facts = facts_of(source)
    scaled, checked = facts.cls("m:Scaled"), facts.cls("m:Checked")
    assert scaled is not None
    assert checked is not None
    assert [size.name for size in scaled.sizes] == ["in_features"]
    assert checked.sizes == ()


def test_a_base_class_without_call_is_built_for_what_those_below_take() -> None:
    source = """
        import tensorflow as tf

        class Base(tf.keras.layers.Layer):
            def build(self, input_shape):
                self.kernel = self.add_weight(shape=(input_shape[-1], 4))

        class Plain(Base):
            def call(self, x):
                return tf.matmul(x, self.kernel)
        """
    facts = facts_of(source)
    for name in ("Base", "Plain"):
        found = facts.cls(f"m:{name}")
        assert found is not None
        assert [size.name for size in found.sizes] == ["in_features"]


def test_what_is_looked_up_in_a_table_is_integers() -> None:
    source = """
        import tensorflow as tf

        class Tokens(tf.keras.layers.Layer):
            def __init__(self, size, width):
                super().__init__()
                self.table = tf.keras.layers.Embedding(size, width)

            def call(self, tokens):
                return self.table(tokens)
        """
    found = facts_of(source).cls("m:Tokens")
    assert found is not None
    assert found.sizes == ()
    assert [value.dtype for _, value in found.call_inputs if isinstance(value, Tensor)] == ["int32"]


CHOSEN = """
    import tensorflow as tf

    NETWORK = "large"

    class Small(tf.keras.Model):
        def __init__(self, width):
            super().__init__()
            self.head = tf.keras.layers.Dense(width)

        def call(self, x):
            return self.head(x)

    class Large(tf.keras.Model):
        def __init__(self):
            super().__init__()
            self.body = tf.keras.layers.Dense(64)
            self.head = tf.keras.layers.Dense(4)

        def call(self, x):
            return self.head(self.body(x))
"""


@pytest.mark.parametrize(
    "choice",
    [
        """
        model = Large()
        if NETWORK == "small":
            model = Small(4)
        if NETWORK == "other":
            model = Small(8)
        """,
        """
        if NETWORK == "small":
            model = Small(4)
        elif NETWORK == "other":
            model = Small(8)
        else:
            model = Large()
        """,
    ],
)
def test_models_that_a_constant_leaves_aside_have_their_sizes(choice: str) -> None:
    body = textwrap.indent(textwrap.dedent(choice), "    ")
    source = f"{textwrap.dedent(CHOSEN)}\ndef build():{body}    model.build((None, 12))\n    return model\n"
    facts = facts_of(source)
    for text in ("Small(4)", "Small(8)", "Large()"):
        assert sizes(facts, source, text) == {"in_features": "12"}


def test_what_follows_is_known_from_the_way_that_is_taken() -> None:
    source = textwrap.dedent(CHOSEN) + textwrap.dedent(
        """
        def build():
            model = Large()
            if NETWORK == "small":
                model = Small(8)
            x = model(tf.zeros((2, 12)))
            return tf.keras.layers.Dense(3)(x)
        """
    )
    facts = facts_of(source)
    assert sizes(facts, source, "Small(8)") == {"in_features": "12"}
    assert inputs(facts, source, "tf.keras.layers.Dense(3)") == "float32[2, 4]"


DECODER = """
    import tensorflow as tf
    from tensorflow.keras import layers

    class Attention(layers.Layer):
        def __init__(self, width):
            super().__init__()
            self.project = layers.Dense(width)

        def call(self, query, training, memory):
            return tf.reduce_sum(self.project(memory), 1) + query

    class Decoder(tf.keras.Model):
        def __init__(self, vocab, units):
            super().__init__()
            self.embedding = layers.Embedding(vocab, 5)
            self.attention = Attention(units)
            self.cell = layers.GRUCell(units)

        def call(self, token, state, memory):
            context = self.attention(state, False, memory=memory)
            x = tf.concat([self.embedding(token), context], axis=-1)
            output, state = self.cell(x, state)
            return output, state

    class Translator:
        def __init__(self, width):
            self.memory = layers.GRU(width, return_sequences=True)
            self.decoder = Decoder(20, 8)

        def step(self, token, state, x):
            return self.decoder(token, state, self.memory(x))
    """


def test_a_cell_fixes_the_width_of_its_state_and_sizes_go_by_their_parameter() -> None:
    source = textwrap.dedent(DECODER)
    facts = analyse({"m": source})
    assert [s.name for s in facts.cls("m:Attention").sizes] == ["in_features_memory"]  # type: ignore[union-attr]
    assert [(s.name, s.of) for s in facts.cls("m:Decoder").sizes] == [("in_features_memory", "memory")]  # type: ignore[union-attr]
    assert sizes(facts, source, "Attention(units)") == {"in_features_memory": "in_features_memory"}
    assert sizes(facts, source, "Decoder(20, 8)") == {"in_features_memory": "width"}
    assert inputs(facts, source, "layers.GRUCell(units)") == "any[..., 5 + units], any[..., units]"


TRAINER = """
    import tensorflow as tf
    from tensorflow.keras import layers


    class Net(tf.keras.Model):
        def __init__(self):
            super().__init__()
            self.fc = layers.Dense(3)

        def call(self, x):
            return self.fc(x)


    class Trainer:
        def __init__(self, model):
            self.model = model

        def step(self, x):
            return self.model(x, training=True)

        def fit(self, data):
            for x in data:
                self.step(x)


    Trainer(Net()).fit(tf.data.Dataset.from_tensor_slices(tf.ones((8, 5))).batch(2))
    """


def test_a_method_knows_what_another_gives_it_and_a_call_may_lack_the_mode_that_it_is_given() -> None:
    facts = analyse({"m": textwrap.dedent(TRAINER)})
    assert facts.cls("m:Net").sizes == (SizeParam("in_features", "x", 5),)  # type: ignore[union-attr]


AXES = """
    import tensorflow as tf
    from tensorflow.keras import backend as K

    class Gate(tf.keras.layers.Layer):
        def build(self, input_shape):
            self.fields, width = int(input_shape[1]), input_shape[2]
            self.gate = self.add_weight(shape=(1, input_shape[-2], width))

        def call(self, inputs):
            if K.ndim(inputs) != 3:
                raise ValueError
            return inputs * self.gate

    class Images(tf.keras.layers.Layer):
        def build(self, input_shape):
            if len(input_shape) != 4:
                raise ValueError("four axes, not %d" % len(input_shape))
            self.where = self.add_weight(shape=(input_shape[1], input_shape[2], 1))

        def call(self, x):
            return x + self.where

    class Fields(tf.keras.layers.Layer):
        def build(self, input_shape):
            if not isinstance(input_shape, list) or len(input_shape) < 2:
                raise ValueError
            self.fields = len(input_shape)
            self.scale = self.add_weight(shape=(self.fields, 1))

        def call(self, inputs):
            return tf.stack(inputs, axis=1) * self.scale

    class Checked(tf.keras.layers.Layer):
        def build(self, input_shape):
            if len(input_shape) != 3 or input_shape[1] != 1:
                raise ValueError
            self.scale = self.add_weight(shape=(input_shape[-1],))

        def call(self, inputs):
            return inputs * self.scale

    class Open(tf.keras.layers.Layer):
        def build(self, input_shape):
            self.scale = self.add_weight(shape=(input_shape[1], input_shape[2]))

        def call(self, inputs):
            return inputs * self.scale
"""


def test_other_axes_and_the_length_of_a_list_are_sizes_where_build_goes_by_them() -> None:
    facts = facts_of(AXES)
    found = {name: facts.cls(f"m:{name}") for name in ("Gate", "Images", "Fields", "Checked", "Open")}
    assert {name: [(s.name, s.of) for s in known.sizes] for name, known in found.items() if known is not None} == {
        "Gate": [("in_length", "inputs@1"), ("in_features", "inputs")],
        "Images": [("in_height", "x@1"), ("in_width", "x@2")],
        "Fields": [("num_inputs", "inputs@count")],
        "Checked": [("in_features", "inputs")],
        "Open": [("in_features", "inputs")],  # how many axes there are is not known
    }
    gate, fields = found["Gate"], found["Fields"]
    assert gate is not None
    assert fields is not None
    assert [(size.place, size.axis) for size in gate.sizes] == [(("inputs", None), 1), (("inputs", None), None)]
    assert [(size.place, size.axis) for size in fields.sizes] == [(("inputs", None), "count")]


def test_other_axes_are_read_off_where_the_layer_is_called() -> None:
    source = (
        AXES
        + """
    class Net(tf.keras.Model):
        def __init__(self, width):
            super().__init__()
            self.embed = tf.keras.layers.Embedding(50, width)
            self.gate = Gate()
            self.fields = Fields()

        def call(self, x):
            x = self.embed(tf.reshape(x, (-1, 7)))
            return self.fields([self.gate(x), x, x])

    def unknown(x):
        return Gate()(x)
    """
    )
    facts = facts_of(source)
    assert sizes(facts, source, "Gate()") == {"in_length": "7", "in_features": "width"}
    assert sizes(facts, source, "Fields()") == {"num_inputs": "3"}


MEASURES = """
def dice(y_true, y_pred):
    a, b = layers.Flatten()(y_true), layers.Flatten()(y_pred)
    return 2.0 * keras.backend.sum(a * b, axis=-1)


def dice_loss(y_true, y_pred):
    return keras.losses.binary_crossentropy(y_true, y_pred) + 1.0 - dice(y_true, y_pred)


def flat(x):
    return layers.Flatten()(x)


def dense(x):
    return layers.Dense(4)(layers.Flatten()(x))


def build():
    inputs = keras.Input((2, 3))
    return keras.Model(inputs, layers.Dense(2)(flat(inputs)))
"""


def test_what_nobody_calls_and_only_arranges_tensors_is_no_block() -> None:
    facts = analyse({"m": "from tensorflow import keras\nfrom tensorflow.keras import layers\n" + MEASURES})
    found = [facts.function(f"m:{name}") for name in ("dice", "dice_loss", "flat", "dense")]
    assert [f.role for f in found if f] == ["plain", "plain", "layer-factory", "layer-factory"]
