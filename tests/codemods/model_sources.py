"""Model code as people write it. Each program has `make()`; `INPUTS` gives the shapes of its inputs."""

SEQUENTIAL = '''
from tensorflow import keras
from tensorflow.keras import layers

NUM_CLASSES = 10
INPUT_SHAPE = (28, 28, 1)


def build_model(dropout=0.5):
    """Small convnet."""
    model = keras.Sequential([
        keras.Input(shape=INPUT_SHAPE),
        # features
        layers.Conv2D(32, kernel_size=(3, 3), activation="relu"),
        layers.MaxPooling2D(pool_size=(2, 2)),
        layers.Conv2D(64, kernel_size=(3, 3), activation="relu", padding="same",
                      kernel_regularizer=keras.regularizers.l2(1e-4)),
        layers.MaxPooling2D(pool_size=(2, 2)),
        layers.Flatten(),
        layers.Dropout(dropout),
        layers.Dense(NUM_CLASSES, activation="softmax"),
    ])
    return model


def make():
    return build_model()
'''

RESNET = '''
import tensorflow as tf
from tensorflow.keras import layers, models, regularizers

WEIGHT_DECAY = 5e-4


def conv_bn(x, filters, kernel_size, strides=1, activation=True, name=None):
    """Convolution without bias, batch norm and an optional ReLU."""
    x = layers.Conv2D(filters, kernel_size, strides=strides, padding="same", use_bias=False,
                      kernel_initializer="he_normal",
                      kernel_regularizer=regularizers.l2(WEIGHT_DECAY), name=f"{name}_conv")(x)
    x = layers.BatchNormalization(name=f"{name}_bn")(x)
    if activation:
        x = layers.ReLU(name=f"{name}_relu")(x)
    return x


def residual_block(x, filters, strides=1, name=None):
    shortcut = x
    y = conv_bn(x, filters, 3, strides=strides, name=f"{name}_1")
    y = conv_bn(y, filters, 3, activation=False, name=f"{name}_2")
    # project the shortcut when the shape changes
    if strides != 1 or x.shape[-1] != filters:
        shortcut = conv_bn(x, filters, 1, strides=strides, activation=False, name=f"{name}_proj")
    y = layers.Add(name=f"{name}_add")([y, shortcut])
    return layers.Activation("relu", name=f"{name}_out")(y)


def build_resnet(num_classes=10, widths=(16, 32, 64), blocks_per_stage=2):
    """Accepts images of any size."""
    inputs = layers.Input(shape=(None, None, 3))
    x = conv_bn(inputs, widths[0], 5, strides=2, name="stem")
    x = layers.MaxPooling2D(3, strides=2, padding="same", name="stem_pool")(x)
    for stage, width in enumerate(widths):
        for block in range(blocks_per_stage):
            strides = 2 if stage > 0 and block == 0 else 1
            x = residual_block(x, width, strides, name=f"stage{stage}_block{block}")
    x = layers.GlobalAveragePooling2D(name="avg_pool")(x)
    outputs = layers.Dense(num_classes, name="logits")(x)
    return models.Model(inputs, outputs, name="small_resnet")


def make():
    return build_resnet(widths=(8, 12))
'''

CROSS = '''
import tensorflow as tf
from tensorflow import keras


class CrossLayer(keras.layers.Layer):
    """Explicit feature crossing: x0 * (x W + b) + x.

    Args:
        rank: size of the low-rank factor, or None for a full matrix.
        scale: initial value of the learned output scale.
    """

    def __init__(self, rank=None, scale=1.0, **kwargs):
        super().__init__(**kwargs)
        self.rank = rank
        self.scale = scale

    def build(self, input_shape):
        dim = int(input_shape[-1])
        if self.rank is None:
            self.kernel = self.add_weight(name="kernel", shape=(dim, dim), initializer="glorot_uniform",
                                          regularizer=keras.regularizers.l2(1e-3), trainable=True)
        else:
            self.u = self.add_weight(name="u", shape=(dim, self.rank), initializer="he_normal")
            self.v = self.add_weight(name="v", shape=(self.rank, dim), initializer="glorot_uniform")
        self.bias = self.add_weight(name="bias", shape=(dim,), initializer="zeros")
        self.gain = self.add_weight(name="gain", shape=(), initializer=keras.initializers.Constant(self.scale))
        # number of training batches seen, not trained
        self.calls = self.add_weight(name="calls", shape=(), dtype="int32", initializer="zeros", trainable=False)
        super().build(input_shape)

    def call(self, x0, x=None, training=False):
        if x is None:
            x = x0
        if training:
            self.calls.assign_add(1)
        if self.rank is None:
            projected = tf.matmul(x, self.kernel)
        else:
            projected = tf.matmul(tf.matmul(x, self.u), self.v)
        return self.gain * x0 * (projected + self.bias) + x

    def get_config(self):
        return {**super().get_config(), "rank": self.rank}


class CrossNet(keras.Model):
    def __init__(self, num_features, hidden_units=(64, 32), num_cross=2, rank=None, dropout=0.1, **kwargs):
        super().__init__(**kwargs)
        self.normalize = keras.layers.LayerNormalization()
        self.cross_layers = [CrossLayer(rank=rank) for _ in range(num_cross)]
        self.deep = keras.Sequential([keras.layers.Dense(u, activation="gelu") for u in hidden_units])
        self.dropout = keras.layers.Dropout(dropout)
        self.head = keras.layers.Dense(1, activation="softplus", kernel_initializer="he_uniform")
        self.build((None, num_features))

    def call(self, inputs, training=False):
        x0 = self.normalize(inputs)
        x = x0
        for layer in self.cross_layers:
            x = layer(x0, x, training=training)
        deep = self.dropout(self.deep(x0), training=training)
        return self.head(tf.concat([x, deep], axis=-1))


def make():
    return CrossNet(6, rank=3)
'''

BLOCKS = """
import tensorflow as tf


class Block(tf.keras.layers.Layer):
    def __init__(self, filters, stride=1):
        super(Block, self).__init__()
        self.conv1 = tf.keras.layers.Conv2D(filters=filters, kernel_size=(3, 3), strides=stride, padding="same")
        self.bn1 = tf.keras.layers.BatchNormalization()
        self.conv2 = tf.keras.layers.Conv2D(filters=filters, kernel_size=(3, 3), strides=1, padding="same")
        self.bn2 = tf.keras.layers.BatchNormalization()
        if stride != 1:
            self.shortcut = tf.keras.Sequential()
            self.shortcut.add(tf.keras.layers.Conv2D(filters=filters, kernel_size=(1, 1), strides=stride))
            self.shortcut.add(tf.keras.layers.BatchNormalization())
        else:
            self.shortcut = lambda x: x

    def call(self, inputs, training=None, **kwargs):
        residual = self.shortcut(inputs)

        x = self.conv1(inputs)
        x = self.bn1(x, training=training)
        x = tf.nn.relu(x)
        x = self.conv2(x)
        x = self.bn2(x, training=training)
        return tf.nn.relu(tf.keras.layers.add([residual, x]))


def make_stage(filters, blocks, stride=1):
    stage = tf.keras.Sequential()
    stage.add(Block(filters, stride=stride))

    for _ in range(1, blocks):
        stage.add(Block(filters, stride=1))

    return stage


class Net(tf.keras.Model):
    def __init__(self, layer_params):
        super(Net, self).__init__()
        self.conv1 = tf.keras.layers.Conv2D(filters=8, kernel_size=(7, 7), strides=2, padding="same")
        self.bn1 = tf.keras.layers.BatchNormalization()
        self.pool1 = tf.keras.layers.MaxPool2D(pool_size=(3, 3), strides=2, padding="same")
        self.layer1 = make_stage(filters=8, blocks=layer_params[0])
        self.layer2 = make_stage(filters=12, blocks=layer_params[1], stride=2)
        self.avgpool = tf.keras.layers.GlobalAveragePooling2D()
        self.fc = tf.keras.layers.Dense(units=5, activation=tf.keras.activations.softmax)

    def call(self, inputs, training=None, mask=None):
        x = self.conv1(inputs)
        x = self.bn1(x, training=training)
        x = tf.nn.relu(x)
        x = self.pool1(x)
        x = self.layer1(x, training=training)
        x = self.layer2(x, training=training)
        x = self.avgpool(x)
        output = self.fc(x)

        return output


def net_small():
    return Net(layer_params=[1, 2])


def make():
    model = net_small()
    model.build(input_shape=(None, 32, 32, 3))
    return model
"""

UNET = """
import tensorflow as tf
from tensorflow.keras.layers import Input, Conv2D, MaxPooling2D, UpSampling2D, concatenate, Dropout
from tensorflow.keras.models import Model


def unet(input_size=(32, 48, 1), base=4):
    inputs = Input(input_size)
    conv1 = Conv2D(base, 3, activation='relu', padding='same', kernel_initializer='he_normal')(inputs)
    conv1 = Conv2D(base, 3, activation='relu', padding='same', kernel_initializer='he_normal')(conv1)
    pool1 = MaxPooling2D(pool_size=(2, 2))(conv1)
    conv2 = Conv2D(2 * base, 3, activation='relu', padding='same', kernel_initializer='he_normal')(pool1)
    drop2 = Dropout(0.5)(conv2)
    up3 = Conv2D(base, 2, activation='relu', padding='same')(UpSampling2D(size=(2, 2))(drop2))
    merge3 = concatenate([conv1, up3], axis=3)
    conv3 = Conv2D(base, 3, activation='relu', padding='same')(merge3)
    conv4 = Conv2D(1, 1, activation='sigmoid')(conv3)

    model = Model(inputs=inputs, outputs=conv4)

    return model


def make():
    return unet()
"""

ADDED = """
from tensorflow.keras.models import Sequential
from tensorflow.keras.layers import Dense, Activation, Dropout, Flatten, Conv2D, MaxPooling2D, BatchNormalization


def create_cnn(height, width, classes, hidden=(16, 8), use_dropout=True):
    model = Sequential()
    # first block
    model.add(Conv2D(8, (3, 3), padding="same", input_shape=(height, width, 3)))
    model.add(Activation("relu"))
    model.add(BatchNormalization(axis=-1))
    model.add(MaxPooling2D(pool_size=(2, 2)))
    model.add(Flatten())
    for units in hidden:
        model.add(Dense(units))
        model.add(Activation("relu"))
    if use_dropout:
        model.add(Dropout(0.5))
    model.add(Dense(classes))
    model.add(Activation("softmax"))
    model.summary()
    return model


def make():
    return create_cnn(8, 12, 4)
"""

MULTI = """
import tensorflow as tf
from tensorflow import keras
from tensorflow.keras import layers


def two_towers(vocab=50, dim=8):
    query = keras.Input(shape=(5,), dtype="int32", name="query")
    item = keras.Input(shape=(7,), name="item")
    shared = layers.Dense(dim, activation="tanh")
    q = layers.Embedding(vocab, dim)(query)
    q = layers.GlobalAveragePooling1D()(q)
    q = shared(q)
    i = shared(layers.Dense(dim)(item))
    score = layers.Multiply()([q, i])
    merged = layers.Concatenate()([q, i, score])
    return keras.Model(inputs=[query, item], outputs=[score, layers.Dense(2)(merged)])


def make():
    return two_towers()
"""

MLP = """
import tensorflow as tf


def dense_stack(x, sizes, rate=0.1):
    for size in sizes:
        x = tf.keras.layers.Dense(size, activation="relu")(x)
        x = tf.keras.layers.LayerNormalization()(x)
    return tf.keras.layers.Dropout(rate)(x)


def make_mlp(sizes=(16, 8), classes=3):
    inputs = tf.keras.Input((10,))
    x = dense_stack(inputs, sizes)
    outputs = tf.keras.layers.Dense(classes)(x)
    return tf.keras.Model(inputs, outputs)


def make():
    return make_mlp()
"""

ENCODER = '''
import tensorflow as tf
from tensorflow import keras
from tensorflow.keras import layers


class Encoder(keras.Model):
    """Images to vectors."""

    def __init__(self, latent, name="encoder", **kwargs):
        super().__init__(name=name, **kwargs)
        self.convs = [layers.Conv2D(f, 3, strides=2, padding="same", activation="relu") for f in (4, 6)]
        self.flatten = layers.Flatten()
        self.fc = layers.Dense(latent)

    def call(self, x):
        x = x / 255.0
        for conv in self.convs:
            x = conv(x)
        return self.fc(self.flatten(x))


def make():
    model = Encoder(5)
    model(tf.zeros((1, 16, 12, 3)))
    return model
'''

GATE = '''
import tensorflow as tf
from tensorflow import keras
from tensorflow.keras import layers


class ChannelGate(layers.Layer):
    """Scales every channel."""

    def __init__(self, ratio=2, **kwargs):
        super().__init__(**kwargs)
        self.ratio = ratio

    def build(self, input_shape):
        channels = input_shape[-1]
        self.squeeze = layers.Dense(channels // self.ratio, activation="relu")
        self.excite = layers.Dense(channels, activation="sigmoid")
        # a learned strength
        self.strength = self.add_weight(name="strength", shape=(channels,), initializer="ones")

    def call(self, inputs):
        summary = tf.reduce_mean(inputs, axis=[1, 2])
        gate = self.excite(self.squeeze(summary)) * self.strength
        return inputs * gate[:, tf.newaxis, tf.newaxis, :]


def build_model(width=4):
    inputs = keras.Input(shape=(9, 10, 3))
    x = layers.Conv2D(width, 3, padding="same", use_bias=False)(inputs)
    shortcut = x
    x = ChannelGate(ratio=2)(x)
    x = layers.Add()([x, shortcut])
    x = layers.Flatten()(x)
    outputs = layers.Dense(3, activation="softmax")(x)
    return keras.Model(inputs, outputs)


def make():
    return build_model()
'''

DECODER = """
import tensorflow as tf
from tensorflow.keras import layers


def build_decoder(latent):
    inputs = tf.keras.Input((latent,))
    x = layers.Dense(7 * 5 * 6, activation="relu")(inputs)
    x = layers.Reshape((7, 5, 6))(x)
    x = layers.Conv2DTranspose(8, 3, strides=2, padding="same", activation="relu")(x)
    x = layers.LayerNormalization()(x)
    out = layers.Conv2D(2, 3, padding="same", activation="softmax")(x)
    return tf.keras.Model(inputs, out)


def make():
    return build_decoder(4)
"""

SEQUENCE = """
from tensorflow.keras import layers, Model, Input


def build(n=20, c=4):
    inp = Input((n, c))
    x = layers.Conv1D(8, 3, activation="relu")(inp)
    x = layers.MaxPooling1D(2)(x)
    x = layers.Conv1D(8, 3, padding="causal")(x)
    x = layers.LSTM(5, return_sequences=True)(x)
    x = layers.GlobalAveragePooling1D()(x)
    return Model(inp, layers.Dense(1)(x))


def make():
    return build()
"""

INCEPTION = """
import tensorflow as tf
from tensorflow.keras import layers as L


class Inception(tf.keras.layers.Layer):
    def __init__(self, f1, f3):
        super().__init__()
        self.b1 = L.Conv2D(f1, 1, activation="relu")
        self.b2 = tf.keras.Sequential([L.Conv2D(f3, 1, activation="relu"), L.Conv2D(f3, 3, padding="same")])
        self.pool = L.MaxPool2D(3, 1, padding="same")
        self.drop = L.Dropout(0.2)

    def call(self, x, training=False):
        y = tf.concat([self.b1(x), self.b2(x), self.pool(x)], axis=-1)
        y -= tf.reduce_mean(y, axis=3, keepdims=True)
        if training:
            y = self.drop(y, training=training)
        return y


class Net(tf.keras.Model):
    def __init__(self):
        super().__init__()
        self.i1 = Inception(4, 6)
        self.i2 = Inception(8, 6)
        self.fc = L.Dense(3)

    def call(self, x, training=False):
        x = self.i1(x, training=training)
        x = self.i2(x, training=training)
        rows = tf.reduce_max(x, axis=1)
        x = tf.reduce_mean(x, axis=[1, 2]) + tf.reduce_sum(rows, axis=1)
        return self.fc(x)


def make():
    model = Net()
    model(tf.zeros((2, 8, 7, 3)))
    return model
"""

STACK = '''
import tensorflow as tf


class Stack(tf.keras.Model):
    """An MLP."""

    def __init__(self, sizes, num_classes):
        super().__init__()
        self.hidden = []
        for s in sizes:
            self.hidden.append(tf.keras.layers.Dense(s, activation="relu"))
        self.out = tf.keras.layers.Dense(num_classes, activation="softmax")

    # the forward pass
    def call(self, x):
        for layer in self.hidden:
            x = layer(x)  # one more
        return self.out(x)


def make():
    model = Stack([4, 5], 3)
    model(tf.zeros((1, 7)))
    return model
'''

SEGMENTER = """
import tensorflow as tf
from tensorflow.keras import layers


def block(x, f, pool="max", norm=True):
    x = layers.Conv2D(f, 3, padding="same")(x)
    if norm:
        x = layers.BatchNormalization()(x)
    else:
        x = layers.Dense(f)(x)
    if pool == "max":
        x = layers.MaxPooling2D()(x)
    elif pool == "avg":
        x = layers.AveragePooling2D(2)(x)
    return x


def segmenter(pool="avg"):
    i = layers.Input((8, 12, 3))
    x = block(i, 4, pool)
    x = block(x, 6, pool=pool, norm=False)
    x = layers.UpSampling2D(4)(x)
    return tf.keras.models.Model(inputs=[i], outputs=[layers.Softmax()(x)])


def make():
    return segmenter()
"""

# a Sequential in an attribute that is no chain of modules: images behind rows, padding that modules do not do
HELD = """
import tensorflow as tf


class Auto(tf.keras.Model):
    def __init__(self, width):
        super().__init__()
        self.encoder = tf.keras.Sequential([
            tf.keras.layers.Input(shape=(8, 8, 1)),
            tf.keras.layers.Conv2D(4, 3, strides=2, padding="same", activation="relu"),
            tf.keras.layers.Flatten(),
            tf.keras.layers.Dense(width),
        ])
        self.decoder = tf.keras.Sequential([
            tf.keras.layers.InputLayer(input_shape=(width,)),
            tf.keras.layers.Dense(4 * 4 * 2, activation="relu", kernel_regularizer=tf.keras.regularizers.l2(0.1)),
            tf.keras.layers.Reshape((4, 4, 2)),
            # twice as large
            tf.keras.layers.Conv2DTranspose(1, 3, strides=2, padding="same"),
        ])

    def call(self, x):
        return self.decoder(self.encoder(x))


def make():
    net = Auto(3)
    net(tf.zeros((1, 8, 8, 1)))
    return net
"""

TEXT = """
import tensorflow as tf


def make_text(words, width, units):
    return tf.keras.Sequential([
        tf.keras.layers.Embedding(words, width),
        tf.keras.layers.LSTM(units, return_sequences=True),
        tf.keras.layers.Dense(words),
    ])


def make():
    net = make_text(50, 4, 6)
    net(tf.zeros((1, 5), "int32"))
    return net
"""

PROGRAMS = {
    "held": (HELD, [(2, 8, 8, 1)]),
    "text": (TEXT, [(3, 7)]),
    "sequential": (SEQUENTIAL, [(3, 28, 28, 1)]),
    "resnet": (RESNET, [(2, 17, 20, 3)]),
    "cross": (CROSS, [(4, 6)]),
    "blocks": (BLOCKS, [(2, 32, 32, 3)]),
    "unet": (UNET, [(2, 32, 48, 1)]),
    "added": (ADDED, [(2, 8, 12, 3)]),
    "multi": (MULTI, [(3, 5), (3, 7)]),
    "mlp": (MLP, [(3, 10)]),
    "encoder": (ENCODER, [(2, 16, 12, 3)]),
    "gate": (GATE, [(2, 9, 10, 3)]),
    "decoder": (DECODER, [(3, 4)]),
    "sequence": (SEQUENCE, [(3, 20, 4)]),
    "inception": (INCEPTION, [(2, 8, 7, 3)]),
    "stack": (STACK, [(3, 7)]),
    "segmenter": (SEGMENTER, [(2, 8, 12, 3)]),
}
