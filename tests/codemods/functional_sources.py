"""Functional models as repositories write them: factories of blocks, parts with names, options in a dict."""

HEAD = """
import tensorflow as tf
from tensorflow.keras import Model, layers
from tensorflow.keras.regularizers import l2
"""

CURRIED = (
    HEAD
    + '''

def conv_bn(filters, size, strides=1, decay=1e-4):
    """Convolution, normalisation, activation."""
    # the bias is in the normalisation
    def block(x):
        x = layers.Conv2D(
            filters, size, strides=strides, padding="same", use_bias=False, kernel_regularizer=l2(decay)
        )(x)
        x = layers.BatchNormalization()(x)
        return layers.ReLU()(x)

    return block


def bottleneck(filters, strides=1, project=False):
    expanded = filters * 4

    def f(inputs):
        x = conv_bn(filters, 1, strides=strides)(inputs)
        x = conv_bn(filters, 3)(x)
        x = layers.Conv2D(expanded, 1)(x)
        if project:
            shortcut = layers.Conv2D(expanded, 1, strides=strides)(inputs)
        else:
            shortcut = inputs
        return layers.add([x, shortcut])

    return f


def build(classes=10):
    inputs = layers.Input(shape=(16, 12, 3))
    x = conv_bn(4, 3)(inputs)
    x = bottleneck(4, strides=2, project=True)(x)
    x = bottleneck(4)(x)
    x = layers.GlobalAveragePooling2D()(x)
    return Model(inputs, layers.Dense(classes, activation="softmax")(x), name="resnet")


def make():
    return build(5)
'''
)

NAMED = (
    HEAD
    + """

def Conv(x, filters, size, strides=1, norm=True):
    x = layers.Conv2D(filters, size, strides=strides, padding="same", use_bias=not norm)(x)
    if norm:
        x = layers.BatchNormalization()(x)
        x = layers.LeakyReLU(0.1)(x)
    return x


def Backbone(name=None):
    x = inputs = layers.Input([None, None, 3])
    x = Conv(x, 8, 3)
    x = fine = Conv(x, 16, 3, strides=2)
    x = Conv(x, 32, 3, strides=2)
    return Model(inputs, (fine, x), name=name)


def Head(filters, name=None):
    def head(x_in):
        x = inputs = layers.Input(x_in.shape[1:])
        x = Conv(x, filters, 1)
        x = Conv(x, filters * 2, 3)
        return Model(inputs, x, name=name)(x_in)

    return head


def Output(filters, anchors, classes, name=None):
    def output(x_in):
        x = inputs = layers.Input(x_in.shape[1:])
        x = Conv(x, filters, 3)
        x = Conv(x, anchors * (classes + 5), 1, norm=False)
        x = layers.Lambda(lambda x: tf.reshape(x, (-1, tf.shape(x)[1], tf.shape(x)[2], anchors, classes + 5)))(x)
        return Model(inputs, x, name=name)(x_in)

    return output


def decode(pred, classes):
    xy, wh, scores = tf.split(pred, (2, 2, classes + 1), axis=-1)
    return tf.concat([tf.sigmoid(xy), tf.exp(wh), tf.sigmoid(scores)], axis=-1)


def Detector(size=None, anchors=3, classes=20, training=False):
    x = inputs = layers.Input([size, size, 3], name="input")
    fine, x = Backbone(name="backbone")(x)
    x = Head(16, name="head_0")(x)
    output_0 = Output(8, anchors, classes, name="output_0")(x)
    x = layers.UpSampling2D(2)(x)
    x = layers.Concatenate()([x, fine])
    x = Head(8, name="head_1")(x)
    output_1 = Output(8, anchors, classes, name="output_1")(x)

    if training:
        return Model(inputs, [output_0, output_1], name="detector")

    boxes_0 = layers.Lambda(lambda x: decode(x, classes), name="boxes_0")(output_0)
    boxes_1 = layers.Lambda(lambda x: decode(x, classes), name="boxes_1")(output_1)
    return Model(inputs, [boxes_0, boxes_1], name="detector")


def make():
    return Detector(classes=4, training=TRAINING)
"""
)

HEADS = (
    HEAD
    + """

FEATURES = 8


def head(num_values, num_anchors, features=FEATURES, name="head"):
    options = {
        "kernel_size": 3,
        "padding": "same",
        "kernel_initializer": tf.keras.initializers.RandomNormal(mean=0.0, stddev=0.01, seed=None),
    }
    inputs = layers.Input(shape=(None, None, features))
    outputs = inputs
    for i in range(2):
        outputs = layers.Conv2D(filters=features, activation="relu", name="head_{}".format(i), **options)(outputs)
    outputs = layers.Conv2D(num_anchors * num_values, name="head_out", **options)(outputs)
    outputs = layers.Reshape((-1, num_values), name="head_reshape")(outputs)
    return Model(inputs=inputs, outputs=outputs, name=name)


def pyramid(c3, c4, features=FEATURES):
    p4 = layers.Conv2D(features, kernel_size=1, padding="same", name="C4_reduced")(c4)
    up = layers.UpSampling2D(2, name="P4_upsampled")(p4)
    p3 = layers.Conv2D(features, kernel_size=1, padding="same", name="C3_reduced")(c3)
    return [layers.Add(name="P3_merged")([up, p3]), p4]


def retina(classes, num_anchors=3):
    inputs = layers.Input((16, 12, 3))
    c3 = layers.Conv2D(4, 3, strides=2, padding="same", activation="relu")(inputs)
    c4 = layers.Conv2D(6, 3, strides=2, padding="same", activation="relu")(c3)
    features = pyramid(c3, c4)
    regression = head(4, num_anchors)
    classification = head(classes, num_anchors, name="classification")
    outputs = [
        layers.Concatenate(axis=1, name="regression_all")([regression(f) for f in features]),
        layers.Concatenate(axis=1, name="classification_all")([classification(f) for f in features]),
    ]
    return Model(inputs=inputs, outputs=outputs)


def make():
    return retina(5)
"""
)

DOUBLING = (
    HEAD
    + """

def conv_bn(x, filters, strides=1):
    x = layers.Conv2D(filters, 3, strides=strides, padding="same", use_bias=False)(x)
    x = layers.BatchNormalization()(x)
    return layers.ReLU()(x)


def residual(x, filters):
    y = conv_bn(x, filters)
    return layers.add([x, y])


def build(repetitions=(2, 1), start=4):
    inputs = layers.Input(shape=(16, 12, 3))
    x = conv_bn(inputs, 8)
    filters = start
    for r in repetitions:
        x = conv_bn(x, filters, strides=2)
        for _ in range(r - 1):
            x = residual(x, filters)
        filters *= 2
    width = 6
    for i in range(2):
        x = layers.Conv2D(width, 1)(x)
        width += 3
    x = layers.GlobalAveragePooling2D()(x)
    return Model(inputs, layers.Dense(width)(x))


def make():
    return build((2, 3, 1), 5)
"""
)

STACKS = (
    HEAD
    + """

def resnet_layer(inputs, num_filters=16, kernel_size=3, strides=1, activation="relu", batch_normalization=True):
    conv = layers.Conv2D(
        num_filters, kernel_size=kernel_size, strides=strides, padding="same", kernel_regularizer=l2(1e-4)
    )
    x = conv(inputs)
    if batch_normalization:
        x = layers.BatchNormalization()(x)
    if activation is not None:
        x = layers.Activation(activation)(x)
    return x


def resnet_v1(depth, num_classes=10):
    if (depth - 2) % 6 != 0:
        raise ValueError("depth should be 6n+2")
    # Start model definition.
    num_filters = 4
    num_res_blocks = int((depth - 2) / 6)
    inputs = layers.Input(shape=(16, 12, 3))
    x = resnet_layer(inputs=inputs, num_filters=num_filters)
    # Instantiate the stack of residual units
    for stack in range(3):
        for res_block in range(num_res_blocks):
            strides = 1
            if stack > 0 and res_block == 0:
                strides = 2  # downsample
            y = resnet_layer(inputs=x, num_filters=num_filters, strides=strides)
            y = resnet_layer(inputs=y, num_filters=num_filters, activation=None)
            if stack > 0 and res_block == 0:
                # match the changed dims
                x = resnet_layer(
                    inputs=x,
                    num_filters=num_filters,
                    kernel_size=1,
                    strides=strides,
                    activation=None,
                    batch_normalization=False,
                )
            x = layers.add([x, y])
            x = layers.Activation("elu")(x)
        num_filters *= 2
    x = layers.GlobalAveragePooling2D()(x)
    outputs = layers.Dense(num_classes, activation="softmax", kernel_initializer="he_normal")(x)
    return Model(inputs=inputs, outputs=outputs)


def make():
    return resnet_v1(14, 5)
"""
)

SKIPS = (
    HEAD
    + """

def encoder_block(inputs, filters, pool=True):
    x = layers.Conv2D(filters, 3, padding="same", activation="relu")(inputs)
    if pool:
        p = layers.MaxPooling2D(2)(x)
        return x, p
    return x


def unet(filters=3):
    inputs = layers.Input((16, 12, 1))
    s1, p1 = encoder_block(inputs, filters)
    s2, p2 = encoder_block(p1, filters * 2)
    b = encoder_block(p2, filters * 4, pool=False)
    u = layers.Conv2DTranspose(filters * 2, 2, strides=2)(b)
    u = layers.concatenate([u, s2])
    return Model(inputs, layers.Conv2D(1, 1)(u))


def make():
    return unet()
"""
)

PYRAMID = (
    HEAD
    + """

def unet(filters=3, depth=2):
    inputs = layers.Input((16, 12, 1))
    x = inputs
    skips = []
    for i in range(depth):
        x = layers.Conv2D(filters * 2**i, 3, padding="same", activation="relu", name=f"down_{i}")(x)
        skips.append(x)
        x = layers.MaxPooling2D()(x)
    for i in reversed(range(depth)):
        x = layers.UpSampling2D()(x)
        x = layers.Concatenate()([x, skips[i]])
        x = layers.Conv2D(filters * 2**i, 3, padding="same", activation="relu", name=f"up_{i}")(x)
    return Model(inputs, layers.Conv2D(1, 1)(x))


def make():
    return unet()
"""
)

GENERATOR = (
    HEAD
    + """

def generator(latent=7, blocks=2):
    z = layers.Input((latent,))
    x = layers.Dense(2 * 3 * 16)(z)
    x = layers.Reshape((2, 3, 16))(x)
    filters = 16
    for i in range(blocks):
        filters = filters // 2
        x = layers.Conv2DTranspose(filters, 4, strides=2, padding="same", use_bias=False)(x)
        x = layers.BatchNormalization()(x)
        x = layers.ReLU()(x)
    x = layers.Conv2D(3, 3, padding="same", activation="tanh")(x)
    return Model(z, x)


def make():
    return generator()
"""
)

PROGRAMS = {
    "curried": (CURRIED, [(2, 16, 12, 3)]),
    "named": (NAMED.replace("TRAINING", "False"), [(2, 16, 12, 3)]),
    "named_training": (NAMED.replace("TRAINING", "True"), [(2, 16, 12, 3)]),
    "doubling": (DOUBLING, [(2, 16, 12, 3)]),
    "stacks": (STACKS, [(2, 16, 12, 3)]),
    "skips": (SKIPS, [(2, 16, 12, 1)]),
    "pyramid": (PYRAMID, [(2, 16, 12, 1)]),
    "generator": (GENERATOR, [(3, 7)]),
    "heads": (HEADS, [(2, 16, 12, 3)]),
}
