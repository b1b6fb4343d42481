"""Keras layers and models: shapes of what they give."""

from __future__ import annotations

import pytest

from migrator.facts import analyse
from migrator.values import Span, Tensor
from tests.facts.programs import check, facts_of, render, site


def test_sequential_model() -> None:
    source = """
        from tensorflow import keras
        from tensorflow.keras import layers
        model = keras.Sequential([
            keras.Input(shape=(28, 28, 1)),
            layers.Conv2D(32, kernel_size=(3, 3), activation="relu"),
            layers.MaxPool2D(),
            layers.Flatten(),
            layers.Dense(10),
        ])
        m = model  # Sequential: Kfloat32[?, 28, 28, 1] -> Kfloat32[?, 10]
        y = model(keras.Input((28, 28, 1)))  # Kfloat32[?, 10]
        n = model.predict(keras.Input((28, 28, 1)))  # Nfloat32[?, 10]
        """
    facts = check(source)
    use = facts.layer("m", site(source, "layers.Dense(10)"))
    assert use is not None
    assert render(use.inputs[0]) == "float32[?, 5408]"
    assert render(use.output) == "float32[?, 10]"


def test_a_sequential_that_nothing_calls_knows_some_sizes() -> None:
    source = """
        from tensorflow import keras
        from tensorflow.keras import layers
        model = keras.Sequential()
        model.add(layers.Embedding(100, 8))
        model.add(layers.LSTM(5))
        model.add(layers.Dense(3))
        model.summary()
        """
    facts = facts_of(source)
    use = facts.layer("m", site(source, "layers.LSTM(5)"))
    assert use is not None
    assert render(use.inputs[0]).endswith("[?, ?, 8]")
    use = facts.layer("m", site(source, "layers.Dense(3)"))
    assert use is not None
    assert render(use.inputs[0]).endswith("[?, 5]")


def test_a_sequential_of_which_the_input_is_not_known_stays_open() -> None:
    source = """
        from tensorflow import keras
        from tensorflow.keras import layers
        model = keras.Sequential([layers.Dense(8), layers.Dense(3)])
        model.summary()
        """
    assert facts_of(source).layer("m", site(source, "layers.Dense(3)")) is None


def test_a_sequential_that_is_called_knows_no_more_than_that_call() -> None:
    source = """
        import tensorflow as tf
        from tensorflow import keras
        from tensorflow.keras import layers
        model = keras.Sequential()
        model.add(layers.Dense(3))
        y = model(tf.zeros((2, 4)))
        """
    use = facts_of(source).layer("m", site(source, "layers.Dense(3)"))
    assert use is not None
    assert render(use.inputs[0]) == "float32[2, 4]"


def test_sequential_by_add() -> None:
    check("""
        import tensorflow as tf
        model = tf.keras.Sequential()
        model.add(tf.keras.layers.Dense(8, input_shape=(4,)))
        for _ in range(2):
            model.add(tf.keras.layers.Dense(16))
        model.add(tf.keras.layers.Dense(1))
        m = model  # Sequential: Kfloat32[?, 4] -> Kfloat32[?, 1]
        n = len(model.layers)  # int
        """)


def test_functional_model() -> None:
    source = """
        from keras.layers import Input, Dense, Concatenate, LSTM, Embedding
        from keras.models import Model
        a = Input((10,), dtype="int32")
        e = Embedding(1000, 16)(a)  # Kfloat32[?, 10, 16]
        s, h, c = LSTM(32, return_sequences=True, return_state=True)(e)
        t = s  # Kfloat32[?, 10, 32]
        u = h  # Kfloat32[?, 32]
        b = Input((5,))
        x = Concatenate()([u, b])  # Kfloat32[?, 37]
        y = Dense(3, activation="softmax")(x)  # Kfloat32[?, 3]
        model = Model([a, b], y)
        z = model([a, b])  # Kfloat32[?, 3]
        h = model.fit(a, b)  # history
        """
    facts = check(source)
    use = facts.layer("m", site(source, 'Dense(3, activation="softmax")'))
    assert use is not None
    assert (render(use.inputs[0]), use.calls) == ("Kfloat32[?, 37]", 1)


def test_a_shared_layer_joins_its_inputs() -> None:
    source = """
        import tensorflow as tf
        shared = tf.keras.layers.Dense(4)
        a = shared(tf.zeros((2, 3)))
        b = shared(tf.zeros((5, 3)))
        """
    use = facts_of(source).layer("m", site(source, "tf.keras.layers.Dense(4)"))
    assert use is not None
    assert (render(use.inputs[0]), use.calls) == ("float32[?, 3]", 2)


def test_an_uncalled_layer_has_no_use() -> None:
    source = "import tensorflow as tf\nx = tf.keras.layers.Dense(4)\n"
    assert facts_of(source).layer("m", site(source, "tf.keras.layers.Dense(4)")) is None


def test_wrappers() -> None:
    check("""
        from tensorflow.keras import layers
        x = layers.Input((7, 5))
        a = layers.Bidirectional(layers.GRU(6))(x)  # Kfloat32[?, 12]
        b = layers.Bidirectional(layers.LSTM(6, return_sequences=True), merge_mode="sum")(x)  # Kfloat32[?, 7, 6]
        c = layers.TimeDistributed(layers.Dense(3))(x)  # Kfloat32[?, 7, 3]
        d = layers.Lambda(lambda t: t[:, -1])(x)  # Kfloat32[?, 5]
        e = layers.MultiHeadAttention(2, 4)(x, x)  # Kfloat32[?, 7, 5]
        """)


def test_channels_first_is_not_guessed() -> None:
    check("""
        from tensorflow.keras import layers
        x = layers.Input((3, 32, 32))
        y = layers.Conv2D(8, 3, data_format="channels_first")(x)  # Kfloat32[..., 8]
        """)


def test_objects_of_keras() -> None:
    check("""
        import tensorflow as tf
        opt = tf.keras.optimizers.Adam(1e-3)  # Adam
        loss = tf.keras.losses.CategoricalCrossentropy()  # CategoricalCrossentropy
        x = tf.zeros((4, 3))
        l = loss(x, x)  # float32[]
        m = tf.keras.metrics.Mean()  # Mean
        r = m.result()  # float32[]
        with tf.GradientTape() as tape:
            t = tape  # GradientTape
            w = tf.Variable(x)
            y = w * w
        g = tape.gradient(y, [w])  # [float32[4, 3]]
        """)


LAYERS = [
    ("Dense(4)", (7,)), ("Dense(4)", (5, 7)), ("Conv1D(4, 3, strides=2)", (9, 2)),
    ("Conv1D(4, 3, padding='causal', dilation_rate=2)", (9, 2)), ("Conv2D(4, (3, 5), 2, 'same')", (9, 8, 2)),
    ("Conv2D(4, 3, dilation_rate=2)", (9, 8, 2)), ("Conv3D(2, 2)", (4, 5, 6, 3)),
    ("Conv2DTranspose(4, 3, strides=2, padding='same')", (5, 6, 2)), ("Conv2DTranspose(4, 2, 2)", (5, 6, 2)),
    ("Conv2DTranspose(4, 5, strides=3)", (5, 6, 2)), ("DepthwiseConv2D(3, depth_multiplier=2)", (9, 8, 2)),
    ("SeparableConv2D(5, 3, padding='same')", (9, 8, 2)), ("MaxPooling2D()", (9, 8, 2)),
    ("MaxPooling2D(3, 2, 'same')", (9, 8, 2)), ("AveragePooling2D((2, 3))", (9, 8, 2)), ("MaxPooling1D(3)", (9, 2)),
    ("GlobalAveragePooling2D()", (9, 8, 2)), ("GlobalMaxPooling1D(keepdims=True)", (9, 2)), ("Flatten()", (3, 4, 2)),
    ("Reshape((4, -1))", (3, 8)), ("Permute((2, 1))", (3, 8)), ("RepeatVector(5)", (3,)),
    ("BatchNormalization()", (3, 8)), ("Dropout(0.5)", (3, 8)), ("UpSampling2D((2, 3))", (3, 4, 2)),
    ("ZeroPadding2D(((1, 0), (2, 3)))", (3, 4, 2)), ("ZeroPadding2D(2)", (3, 4, 2)), ("ZeroPadding1D((1, 2))", (3, 4)),
    ("Cropping2D((1, 0))", (3, 4, 2)), ("LSTM(4)", (3, 2)), ("GRU(4, return_sequences=True)", (3, 2)),
    ("SimpleRNN(4)", (3, 2)), ("Rescaling(2.0)", (3, 2)), ("Activation('relu')", (3, 2)), ("Softmax()", (3, 2)),
    ("GlobalAveragePooling2D(keepdims=True)", (9, 8, 2)), ("SpatialDropout2D(0.1)", (9, 8, 2)),
    ("Bidirectional(L.LSTM(3, return_sequences=True))", (4, 2)), ("TimeDistributed(L.Flatten())", (4, 2, 3)),
]  # fmt: skip


@pytest.mark.parametrize(("text", "shape"), LAYERS)
def test_shapes_agree_with_keras(text: str, shape: tuple[int, ...]) -> None:
    """What the evaluator claims of a layer is what Keras gives."""
    source = f"from keras import layers as L\nx = L.Input({shape})\ny = L.{text}(x)\n"
    value = analyse({"m": source}).modules["m"].at(Span(3, 0, 3, 1))
    import keras

    names = {"L": keras.layers}
    actual = eval(f"L.{text}", names)(keras.Input(shape))
    assert isinstance(value, Tensor)
    assert value.shape == tuple(actual.shape)
    assert value.dtype == actual.dtype


def test_layers_of_keras_3() -> None:
    check("""
        from tensorflow import keras
        from tensorflow.keras import layers
        image = keras.Input((12, 10, 3))
        steps = keras.Input((5, 8))
        a = layers.AdaptiveAveragePooling2D((4, 3))(image)  # Kfloat32[?, 4, 3, 3]
        b = layers.AdaptiveMaxPooling1D(2)(steps)  # Kfloat32[?, 2, 8]
        c = layers.SpectralNormalization(layers.Conv2D(7, 3))(image)  # Kfloat32[?, 10, 8, 7]
        d = layers.EinsumDense("abc,cde->abde", (None, 2, 4))(steps)  # Kfloat32[?, 5, 2, 4]
        e = layers.EinsumDense("...x,xy->...y", 6)(steps)  # Kfloat32[?, 5, 6]
        f = layers.EinsumDense("ab...,bc->ac...", 6)(steps)  # Kfloat32[?, 6, 8]
        m = layers.MelSpectrogram(num_mel_bins=8)(keras.Input((500,)))  # Kfloat32[?, 8, ?]
        s = layers.STFTSpectrogram(frame_length=12)(steps)  # Kfloat32[?, ?, 72]
        t = layers.STFTSpectrogram("stft", 16, expand_dims=True)(steps)  # Kfloat32[?, ?, 18, 8]
        g = layers.ReversibleEmbedding(9, 4)(keras.Input((5,), dtype="int32"))  # Kfloat32[?, 5, 4]
        """)
