"""Programs in the manner of layer libraries: configurable constructors, checks in `build`, lists of weights."""

DENSE = """
import tensorflow as tf
from tensorflow.keras import activations, constraints, initializers, regularizers
from tensorflow.keras import backend as K
from tensorflow.keras.layers import InputSpec, Layer


class Scaled(Layer):
    def __init__(
        self,
        units,
        activation=None,
        use_bias=True,
        kernel_initializer="glorot_uniform",
        bias_initializer="zeros",
        kernel_regularizer=None,
        activity_regularizer=None,
        kernel_constraint=None,
        **kwargs,
    ):
        super().__init__(activity_regularizer=regularizers.get(activity_regularizer), **kwargs)
        self.units = units
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.supports_masking = True

    def build(self, input_shape):
        assert len(input_shape) >= 2
        if input_shape[-1] is None:
            raise ValueError("the last dimension must be known")
        input_dim = input_shape[-1]
        self.kernel = self.add_weight(
            shape=(input_dim, self.units),
            initializer=self.kernel_initializer,
            name="kernel",
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )
        if self.use_bias:
            self.bias = self.add_weight(shape=(self.units,), initializer=self.bias_initializer, name="bias")
        else:
            self.bias = None
        self.input_spec = InputSpec(min_ndim=2, axes={-1: input_dim})
        self.built = True

    def call(self, inputs):
        output = K.dot(inputs, self.kernel)
        if self.use_bias:
            output = K.bias_add(output, self.bias)
        if self.activation is not None:
            output = self.activation(output)
        return output

    def get_config(self):
        config = {
            "units": self.units,
            "activation": activations.serialize(self.activation),
            "kernel_initializer": initializers.serialize(self.kernel_initializer),
        }
        return dict(list(super().get_config().items()) + list(config.items()))


class Net(tf.keras.Model):
    def __init__(self):
        super().__init__()
        self.hidden = Scaled(7, activation="relu", kernel_initializer="he_normal")
        self.out = Scaled(3, use_bias=False)

    def call(self, x):
        return self.out(self.hidden(x))


def make():
    net = Net()
    net.build((None, 5))
    return net
"""

CROSSES = """
import tensorflow as tf
from tensorflow.keras.layers import Layer


class Crosses(Layer):
    def __init__(self, layer_num=2, l2_reg=0.1, seed=1024, **kwargs):
        self.layer_num = layer_num
        self.l2_reg = l2_reg
        self.seed = seed
        super(Crosses, self).__init__(**kwargs)

    def build(self, input_shape):
        if len(input_shape) != 2:
            raise ValueError("expected two dimensions, got %d" % len(input_shape))
        dim = int(input_shape[-1])
        self.kernels = [
            self.add_weight(
                name="kernel" + str(i),
                shape=(dim, 1),
                initializer=tf.keras.initializers.GlorotNormal(seed=self.seed),
                regularizer=tf.keras.regularizers.l2(self.l2_reg),
                trainable=True,
            )
            for i in range(self.layer_num)
        ]
        self.bias = []
        for i in range(self.layer_num):
            self.bias.append(self.add_weight(name="bias" + str(i), shape=(dim, 1), initializer="zeros"))
        super(Crosses, self).build(input_shape)

    def call(self, inputs):
        x_0 = tf.expand_dims(inputs, axis=2)
        x_l = x_0
        for i in range(self.layer_num):
            xl_w = tf.tensordot(x_l, self.kernels[i], axes=(1, 0))
            x_l = tf.matmul(x_0, xl_w) + self.bias[i] + x_l
        return tf.squeeze(x_l, axis=2)


class Ranker(tf.keras.Model):
    def __init__(self):
        super().__init__()
        self.cross = Crosses(3)

    def call(self, x):
        return self.cross(x)


def make():
    return Ranker()


def run():
    ranker = make()
    return ranker(tf.zeros((1, 6)))
"""

PAIR = """
import tensorflow as tf
from tensorflow.keras.layers import Layer


class Pair(Layer):
    def build(self, input_shape):
        if not isinstance(input_shape, list) or len(input_shape) != 2:
            raise ValueError("a list of two tensors is needed")
        if len(input_shape[0]) != 2:
            raise ValueError("Unexpected inputs dimensions %s" % str(input_shape))
        self.scale = self.add_weight(shape=(input_shape[1][-1],), initializer="ones", name="scale")
        super().build(input_shape)

    def call(self, inputs, **kwargs):
        one, two = inputs
        return tf.concat([one, two * self.scale], axis=-1)


class Joined(tf.keras.Model):
    def __init__(self):
        super().__init__()
        self.pair = Pair()

    def call(self, inputs):
        return self.pair([inputs[0], inputs[1]])


def make():
    joined = Joined()
    joined([tf.zeros((1, 4)), tf.zeros((1, 2))])
    return joined
"""

POOLS = """
import tensorflow as tf
from tensorflow.keras.layers import Dense, Layer


class Pool(Layer):
    def __init__(self, channels, activation=None, **kwargs):
        super().__init__(**kwargs)
        self.channels = channels
        self.activation = tf.keras.activations.get(activation)

    def build(self, input_shape):
        self.dense = Dense(self.channels)
        self.built = True

    def call(self, x):
        return self.activation(self.pool(self.dense(x)))


class MeanPool(Pool):
    def pool(self, x):
        return tf.reduce_mean(x, axis=1)


class AttentionPool(Pool):
    def build(self, input_shape):
        self.attention = self.add_weight(shape=(input_shape[-1], 1), initializer="glorot_uniform", name="attention")
        super().build(input_shape)

    def call(self, x):
        weights = tf.nn.softmax(tf.matmul(x, self.attention), axis=1)
        return tf.reduce_sum(weights * self.dense(x), axis=1)


class Both(tf.keras.Model):
    def __init__(self):
        super().__init__()
        self.mean = MeanPool(6, activation="tanh")
        self.attention = AttentionPool(6)

    def call(self, x):
        return self.mean(x) + self.attention(x)


def make():
    both = Both()
    both(tf.zeros((1, 3, 5)))
    return both
"""

RESIDUALS = """
import tensorflow as tf
from tensorflow.keras import layers


class Block(layers.Layer):
    def __init__(self, units, rate=0.1, **kwargs):
        super().__init__(**kwargs)
        self.dense = layers.Dense(units, activation="relu")
        self.drop = layers.Dropout(rate)

    def call(self, x, training=None):
        return self.drop(self.dense(x), training=training)


class Residual(Block):
    def __init__(self, units, scale=0.5, **kwargs):
        super().__init__(units, **kwargs)
        self.scale = scale
        self.out = layers.Dense(units, kernel_regularizer=tf.keras.regularizers.l2(0.01))

    def call(self, x, training=None):
        h = super().call(x, training=training)
        return x + self.scale * self.out(h)


class Normed(Residual):
    def __init__(self, units, **kwargs):
        super(Normed, self).__init__(units=units, scale=0.25, **kwargs)
        self.norm = layers.LayerNormalization()

    def call(self, x, training=None):
        return self.norm(super(Normed, self).call(x, training=training))


class Net(tf.keras.Model):
    def __init__(self, width):
        super().__init__()
        self.first = layers.Dense(width)
        self.one = Residual(width, rate=0.2)
        self.two = Normed(width, rate=0.3)

    def call(self, x, training=False):
        x = self.first(x)
        x = self.one(x, training=training)
        return self.two(x, training=training)


def make():
    return Net(6)


def run():
    net = make()
    return net(tf.zeros((1, 5)))
"""

PROGRAMS = {
    "dense": (DENSE, [(4, 5)]),
    "crosses": (CROSSES, [(4, 6)]),
    "pair": (PAIR, [(3, 4), (3, 2)]),
    "pools": (POOLS, [(4, 3, 5)]),
    "residuals": (RESIDUALS, [(4, 5)]),
}
